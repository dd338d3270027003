/* import_dict.c - a state dictionary: named tensors that point into the bytes of the file. */
#include "import.h"

#include <stdlib.h>
#include <string.h>

void import_dict_clear(struct import_dict *dict)
{
    for (size_t i = 0; i < dict->count; i++)
        free(dict->tensors[i].name);
    free(dict->tensors);
    free(dict->slots);
    memset(dict, 0, sizeof *dict);
}

/* ---- finding ---- */

static uint32_t *find_slot(const struct import_dict *dict, const char *name)
{
    uint64_t hash = 1469598103934665603u;
    for (const char *p = name; *p; p++)
        hash = (hash ^ (uint8_t)*p) * 1099511628211u;
    for (size_t i = (size_t)(hash ^ hash >> 32);; i++) {
        uint32_t *slot = &dict->slots[i & (dict->slot_count - 1)];
        if (*slot == 0 || strcmp(dict->tensors[*slot - 1].name, name) == 0) return slot;
    }
}

struct import_tensor *import_dict_find(const struct import_dict *dict, const char *name)
{
    uint32_t place = dict->slot_count > 0 ? *find_slot(dict, name) : 0;
    return place > 0 ? &dict->tensors[place - 1] : NULL;
}

/* Room for one more tensor in the list and in the table, which stays at most half full. */
static bool grow(struct import_dict *dict)
{
    if (dict->count < dict->cap) return true;
    size_t cap = dict->cap ? 2 * dict->cap : 64;
    struct import_tensor *tensors = realloc(dict->tensors, cap * sizeof *tensors);
    if (tensors == NULL) return false;
    dict->tensors = tensors;
    uint32_t *slots = bst_calloc(2 * cap, sizeof *slots);
    if (slots == NULL) return false;
    free(dict->slots);
    dict->cap = cap;
    dict->slots = slots;
    dict->slot_count = 2 * cap;
    for (size_t i = 0; i < dict->count; i++)
        *find_slot(dict, tensors[i].name) = (uint32_t)i + 1;
    return true;
}

/* ---- adding ---- */

/* Fills dims, strides and count; false when an element would lie outside of what is available. */
static bool shape_fits(struct import_tensor *t, const int64_t *dims, const int64_t *strides, size_t available)
{
    size_t last = 0, row = 1, bytes;
    t->count = 1;
    for (size_t i = t->rank; i-- > 0;) {
        if (dims[i] < 0 || dims[i] > INT32_MAX || !bst_mul(t->count, (size_t)dims[i], &t->count) ||
            t->count > TENSOR_MAX)
            return false;
        if (strides != NULL && (strides[i] < 0 || strides[i] > INT64_MAX / 2)) return false;
        t->dims[i] = dims[i];
        t->strides[i] = strides != NULL ? (size_t)strides[i] : row;
        if (dims[i] > 0) row *= (size_t)dims[i];
    }
    if (t->count == 0) return true;
    for (size_t i = 0; i < t->rank; i++) {
        size_t reach;
        if (!bst_mul(t->strides[i], (size_t)dims[i] - 1, &reach) || !bst_add(last, reach, &last))
            return false;
    }
    if (t->count > last + 1)
        return false; /* the same elements several times over: nothing saves weights so */
    return bst_add(last, 1, &last) && bst_mul(last, onnx_item(t->type), &bytes) && bytes <= available;
}

enum bst_code import_dict_add(struct import_dict *dict, const char *name, enum onnx_type type, size_t rank,
                              const int64_t *dims, const int64_t *strides, const uint8_t *data,
                              size_t available, struct bst_error *err)
{
    struct import_tensor t = {.type = type, .rank = rank, .data = data};
    if (strlen(name) > IMPORT_NAME_MAX)
        return bst_fail(err, BST_UNREADABLE, "a tensor's name is longer than %u bytes", IMPORT_NAME_MAX);
    if (dict->count >= IMPORT_TENSORS_MAX)
        return bst_fail(err, BST_UNREADABLE, "there are more than %u tensors", IMPORT_TENSORS_MAX);
    if (rank > RANK_MAX)
        return bst_fail(err, BST_UNREADABLE, "tensor '%.80s' has %zu dimensions, more than %d", name, rank,
                        RANK_MAX);
    if (!shape_fits(&t, dims, strides, available))
        return bst_fail(err, BST_UNREADABLE,
                        "tensor '%.80s' has dimensions or strides that reach outside of its data", name);
    if (import_dict_find(dict, name) != NULL)
        return bst_fail(err, BST_UNREADABLE, "there are two tensors '%.80s'", name);
    t.name = bst_strdup(name);
    if (t.name == NULL || !grow(dict)) {
        free(t.name);
        return bst_fail_memory(err);
    }
    dict->tensors[dict->count++] = t;
    *find_slot(dict, name) = (uint32_t)dict->count;
    return BST_OK;
}

bool import_dict_select(const struct import_dict *from, const char *prefix, struct import_dict *out)
{
    size_t skip = strlen(prefix);
    for (size_t i = 0; i < from->count; i++) {
        struct import_tensor t = from->tensors[i];
        if (strncmp(t.name, prefix, skip) != 0) continue;
        t.name = bst_strdup(t.name + skip);
        if (t.name == NULL || !grow(out)) {
            free(t.name);
            return false;
        }
        out->tensors[out->count++] = t;
        *find_slot(out, t.name) = (uint32_t)out->count;
    }
    return true;
}

/* ---- elements ---- */

float import_element(const struct import_tensor *t, size_t index)
{
    size_t at = 0;
    for (size_t i = t->rank; i-- > 0;) {
        at += index % (size_t)t->dims[i] * t->strides[i];
        index /= (size_t)t->dims[i];
    }
    const uint8_t *p = t->data + at * onnx_item(t->type);
    enum kind kind;
    return onnx_kind(t->type, &kind) && kind == KIND_FLOAT ? onnx_raw_float(p, t->type)
                                                           : (float)onnx_raw_int(p, t->type);
}

float *import_floats(const struct import_tensor *t)
{
    float *out = bst_calloc(t->count, sizeof *out);
    for (size_t i = 0; out != NULL && i < t->count; i++)
        out[i] = import_element(t, i);
    return out;
}
