/* import_pickle_tree.c - a finished pickle: what kind of value it is, and its tensors by their paths. */
#include "import_pickle.h"

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX  16u
#define VISITS_MAX (1u << 20)

size_t import_pickle_storages(struct import_pickle *p, struct import_storage **storages)
{
    *storages = p->storages;
    return p->storage_count;
}

size_t import_pickle_count(const struct import_pickle *p)
{
    const struct pickled *v = &p->values[p->result];
    return v->kind == VALUE_LIST ? v->list.count : 0;
}

const char *import_pickle_text(const struct import_pickle *p, size_t index, size_t *len)
{
    const struct pickled *v = &p->values[pickle_item(p, p->result, (uint32_t)index)];
    *len = v->kind == VALUE_TEXT ? v->bytes.len : 0;
    return v->kind == VALUE_TEXT ? (const char *)v->bytes.data : NULL;
}

bool import_pickle_flag(const struct import_pickle *p, const char *key, bool fallback)
{
    const struct pickled *v = &p->values[p->result];
    for (uint32_t i = 0; v->kind == VALUE_DICT && i + 1 < v->list.count; i += 2) {
        const struct pickled *k = &p->values[v->list.items[i]], *flag = &p->values[v->list.items[i + 1]];
        if (k->kind == VALUE_TEXT && flag->kind == VALUE_FLAG && k->bytes.len == strlen(key) &&
            memcmp(k->bytes.data, key, k->bytes.len) == 0)
            return flag->number != 0;
    }
    return fallback;
}

/* ---- tensors by their paths ---- */

struct walk {
    const struct import_pickle *pickle;
    struct import_dict *dict;
    struct bst_error *err;
    char path[IMPORT_NAME_MAX + 1];
    size_t visits;
};

static enum bst_code add_tensor(struct walk *w, const struct pickled *v)
{
    const struct import_pickle *p = w->pickle;
    const struct import_storage *s = &p->storages[v->tensor.storage];
    const struct pickled *size = &p->values[v->tensor.size], *stride = &p->values[v->tensor.stride];
    int64_t dims[RANK_MAX], strides[RANK_MAX];
    size_t item = onnx_item(s->type), offset;
    if (size->list.count > RANK_MAX)
        return bst_fail(w->err, BST_UNREADABLE, "tensor '%.80s' has more than %d dimensions", w->path,
                        RANK_MAX);
    for (size_t i = 0; i < size->list.count; i++) {
        dims[i] = p->values[size->list.items[i]].number;
        strides[i] = p->values[stride->list.items[i]].number;
    }
    if (v->tensor.offset > SIZE_MAX / 16 || s->data == NULL ||
        (offset = (size_t)v->tensor.offset * item) > s->bytes)
        return bst_fail(w->err, BST_UNREADABLE, "tensor '%.80s' begins outside of its data", w->path);
    return import_dict_add(w->dict, w->path, s->type, size->list.count, dims, strides, s->data + offset,
                           s->bytes - offset, w->err);
}

static enum bst_code walk(struct walk *w, uint32_t value, size_t len, size_t depth);

/* Goes on below a key, which is put behind the path. */
static enum bst_code walk_key(struct walk *w, const struct pickled *key, uint32_t value, size_t len,
                              size_t depth)
{
    size_t room = sizeof w->path - len;
    int more =
        key->kind == VALUE_INT
            ? snprintf(w->path + len, room, "%s%lld", len > 0 ? "." : "", (long long)key->number)
            : snprintf(w->path + len, room, "%s%.*s", len > 0 ? "." : "",
                       (int)(key->bytes.len < room ? key->bytes.len : room), (const char *)key->bytes.data);
    if (more < 0 || (size_t)more >= room || strlen(w->path) != len + (size_t)more) {
        w->path[len] = 0;
        bst_fail(w->err, BST_UNREADABLE, "a tensor's name is too long or holds a zero byte");
        return bst_where(w->err, "behind '%.80s'", w->path);
    }
    enum bst_code code = walk(w, value, len + (size_t)more, depth);
    w->path[len] = 0;
    return code;
}

static enum bst_code walk(struct walk *w, uint32_t value, size_t len, size_t depth)
{
    const struct import_pickle *p = w->pickle;
    const struct pickled *v = &p->values[value];
    enum bst_code code = BST_OK;
    if (depth > DEPTH_MAX || ++w->visits > VISITS_MAX) {
        bst_fail(w->err, BST_UNREADABLE,
                 "the pickle's dictionaries are nested too deeply, or hold themselves");
        return bst_where(w->err, "at '%.80s'", w->path);
    }
    if (v->kind == VALUE_TENSOR) return add_tensor(w, v);
    if (v->kind == VALUE_DICT)
        for (uint32_t i = 0; i + 1 < v->list.count && code == BST_OK; i += 2) {
            const struct pickled *key = &p->values[v->list.items[i]];
            if (key->kind == VALUE_TEXT || key->kind == VALUE_INT)
                code = walk_key(w, key, v->list.items[i + 1], len, depth + 1);
        }
    if (v->kind == VALUE_LIST)
        for (uint32_t i = 0; i < v->list.count && code == BST_OK; i++)
            code = walk_key(w, &(struct pickled){.kind = VALUE_INT, .number = i}, v->list.items[i], len,
                            depth + 1);
    return code;
}

enum bst_code import_pickle_tensors(const struct import_pickle *p, struct import_dict *dict,
                                    struct bst_error *err)
{
    struct walk w = {.pickle = p, .dict = dict, .err = err};
    return walk(&w, p->result, 0, 0);
}
