/* import_pth.c - PyTorch's two containers.
 *
 * Since 1.6 torch.save writes a zip archive: ROOT/data.pkl is the pickle, ROOT/data/KEY the bytes of a storage,
 * ROOT/byteorder (since 2.1) "little" or "big". Before, it wrote a row of pickles: a magic number, a protocol
 * version, a dictionary about the machine, the object, the list of storage keys; then for each key in that
 * order a 64-bit count of elements and the elements.
 */
#include "import.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static enum bst_code bad_order(struct bst_error *err)
{
    bst_fail(err, BST_UNREADABLE, "the weights are stored big-endian");
    return bst_hint(err, "load and save them again on a little-endian machine");
}

/* ---- the storages of a pickle, by their keys ---- */

/* A key may stand in the pickle several times, once for each tensor that uses it. They are found in a sorted
 * copy, since tensors know their storages by their places. */
struct storages {
    struct import_storage *all, *sorted;
    size_t count;
};

static int compare_keys(const void *a, const void *b)
{
    const struct import_storage *x = a, *y = b;
    size_t len = x->key_len < y->key_len ? x->key_len : y->key_len;
    int order = len > 0 ? memcmp(x->key, y->key, len) : 0;
    return order != 0 ? order : (x->key_len > y->key_len) - (x->key_len < y->key_len);
}

static bool storages_of(struct import_pickle *pickle, struct storages *s)
{
    s->count = import_pickle_storages(pickle, &s->all);
    s->sorted = bst_calloc(s->count, sizeof *s->sorted);
    if (s->sorted == NULL) return false;
    if (s->count > 0) {
        memcpy(s->sorted, s->all, s->count * sizeof *s->sorted);
        qsort(s->sorted, s->count, sizeof *s->sorted, compare_keys);
    }
    return true;
}

/* The first of those with the key, or NULL. */
static struct import_storage *find(const struct storages *s, const char *key, size_t len)
{
    struct import_storage wanted = {.key = key, .key_len = len};
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare_keys(&s->sorted[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->count && compare_keys(&s->sorted[low], &wanted) == 0 ? &s->sorted[low] : NULL;
}

static void place(const struct storages *s, struct import_storage *first, const uint8_t *data, size_t bytes)
{
    for (struct import_storage *at = first; at < s->sorted + s->count && compare_keys(at, first) == 0; at++) {
        at->data = data;
        at->bytes = bytes;
    }
}

/* Hands the places back to the pickle. Every storage that it names must be there, as long as it says. */
static enum bst_code finish(struct storages *s, struct bst_error *err)
{
    for (size_t i = 0; i < s->count; i++) {
        struct import_storage *at = &s->all[i];
        const struct import_storage *found = find(s, at->key, at->key_len);
        size_t bytes;
        int shown = (int)(at->key_len < 40 ? at->key_len : 40);
        if (found->data == NULL)
            return bst_fail(err, BST_UNREADABLE, "the data of storage '%.*s' is missing", shown, at->key);
        at->data = found->data;
        at->bytes = found->bytes;
        if (at->count > SIZE_MAX || !bst_mul((size_t)at->count, onnx_item(at->type), &bytes) ||
            bytes > at->bytes)
            return bst_fail(err, BST_UNREADABLE, "storage '%.*s' is shorter than the pickle says", shown,
                            at->key);
    }
    return BST_OK;
}

/* ---- zip ---- */

struct archive {
    const char *root; /* with its slash */
    size_t root_len;
    const uint8_t *pickle, *order;
    size_t pickle_len, order_len;
    uint32_t pickle_crc;
    struct storages storages;
    size_t compressed; /* entries that are */
    bool damaged;
};

static bool is_behind(const char *name, size_t len, size_t root_len, const char *rest)
{
    return len - root_len == strlen(rest) && memcmp(name + root_len, rest, len - root_len) == 0;
}

static bool find_pickle(void *arg, const char *name, size_t len, const uint8_t *data, size_t size,
                        uint32_t crc)
{
    struct archive *a = arg;
    const char *slash = memchr(name, '/', len);
    if (data == NULL) a->compressed++;
    if (slash == NULL) return true;
    size_t root_len = (size_t)(slash - name) + 1;
    if (is_behind(name, len, root_len, "byteorder")) {
        a->order = data;
        a->order_len = size;
    }
    if (data == NULL || a->pickle != NULL || !is_behind(name, len, root_len, "data.pkl")) return true;
    a->root = name;
    a->root_len = root_len;
    a->pickle = data;
    a->pickle_len = size;
    a->pickle_crc = crc;
    return true;
}

static bool intact(const uint8_t *data, size_t len, uint32_t crc)
{
    return crc32_z(0, data, len) == crc;
}

static bool find_storage(void *arg, const char *name, size_t len, const uint8_t *data, size_t size,
                         uint32_t crc)
{
    struct archive *a = arg;
    static const char folder[] = "data/";
    size_t skip = a->root_len + sizeof folder - 1;
    if (data == NULL || len <= skip || memcmp(name, a->root, a->root_len) != 0 ||
        memcmp(name + a->root_len, folder, sizeof folder - 1) != 0)
        return true;
    struct import_storage *first = find(&a->storages, name + skip, len - skip);
    if (first == NULL || first->data != NULL) return true;
    if (!intact(data, size, crc)) a->damaged = true;
    place(&a->storages, first, data, size);
    return !a->damaged;
}

static enum bst_code check_archive(const struct archive *a, struct bst_error *err)
{
    if (a->compressed > 0) {
        bst_fail(err, BST_UNREADABLE, "the archive's entries are compressed, which torch.save never does");
        return bst_hint(err, "torch.load the file and torch.save its state dictionary again");
    }
    if (a->pickle == NULL) {
        bst_fail(err, BST_UNREADABLE, "the archive holds no data.pkl");
        return bst_hint(err, "only archives of torch.save(model.state_dict(), ...) are read");
    }
    if (a->order != NULL && (a->order_len != 6 || memcmp(a->order, "little", 6) != 0)) return bad_order(err);
    if (!intact(a->pickle, a->pickle_len, a->pickle_crc))
        return bst_fail(err, BST_UNREADABLE, "damaged zip archive: the checksum of data.pkl is wrong");
    return BST_OK;
}

static enum bst_code read_zip(const uint8_t *data, size_t len, struct import_dict *dict,
                              struct bst_error *err)
{
    struct import_zip zip;
    struct archive a = {0};
    struct import_pickle *pickle = NULL;
    size_t used;
    enum bst_code code = import_zip_open(data, len, &zip, err);
    if (code == BST_OK) code = import_zip_each(&zip, find_pickle, &a, err);
    if (code == BST_OK) code = check_archive(&a, err);
    if (code == BST_OK) code = import_pickle_read(a.pickle, a.pickle_len, &pickle, &used, err);
    if (code == BST_OK && !storages_of(pickle, &a.storages)) code = bst_fail_memory(err);
    if (code == BST_OK) code = import_zip_each(&zip, find_storage, &a, err);
    if (code == BST_OK && a.damaged)
        code = bst_fail(err, BST_UNREADABLE, "damaged zip archive: the checksum of a storage is wrong");
    if (code == BST_OK) code = finish(&a.storages, err);
    if (code == BST_OK) code = import_pickle_tensors(pickle, dict, err);
    free(a.storages.sorted);
    import_pickle_free(pickle);
    return code;
}

/* ---- the row of pickles ---- */

static const uint8_t magic[] = {0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};

static uint64_t le64(const uint8_t *p)
{
    uint64_t x = 0;
    for (size_t i = 0; i < 8; i++)
        x |= (uint64_t)p[i] << (8 * i);
    return x;
}

static enum bst_code place_all(const uint8_t *data, size_t len, size_t at, const struct import_pickle *keys,
                               const struct storages *s, struct bst_error *err)
{
    for (size_t i = 0; i < import_pickle_count(keys); i++) {
        size_t key_len, bytes;
        const char *key = import_pickle_text(keys, i, &key_len);
        struct import_storage *first = key != NULL ? find(s, key, key_len) : NULL;
        if (first == NULL)
            return bst_fail(err, BST_UNREADABLE, "the list of storages names one that nothing uses");
        uint64_t count = len - at >= 8 ? le64(data + at) : UINT64_MAX;
        at += 8;
        if (count > len || !bst_mul((size_t)count, onnx_item(first->type), &bytes) || bytes > len - at)
            return bst_fail(err, BST_UNREADABLE, "the file is cut off at storage %zu of %zu", i + 1,
                            import_pickle_count(keys));
        place(s, first, data + at, bytes);
        at += bytes;
    }
    return BST_OK;
}

static enum bst_code read_legacy(const uint8_t *data, size_t len, struct import_dict *dict,
                                 struct bst_error *err)
{
    enum { MAGIC, VERSION, MACHINE, OBJECT, KEYS, PICKLES };
    struct import_pickle *pickles[PICKLES] = {NULL};
    struct storages storages = {0};
    size_t at = 0;
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < PICKLES && code == BST_OK; i++) {
        size_t used = 0;
        code = import_pickle_read(data + at, len - at, &pickles[i], &used, err);
        if (code != BST_OK && at > 0) bst_where(err, "pickle %zu of the row, from byte %zu on", i + 1, at);
        at += used;
    }
    if (code == BST_OK && !import_pickle_flag(pickles[MACHINE], "little_endian", true)) code = bad_order(err);
    if (code == BST_OK && !storages_of(pickles[OBJECT], &storages)) code = bst_fail_memory(err);
    if (code == BST_OK) code = place_all(data, len, at, pickles[KEYS], &storages, err);
    if (code == BST_OK) code = finish(&storages, err);
    if (code == BST_OK) code = import_pickle_tensors(pickles[OBJECT], dict, err);
    free(storages.sorted);
    for (size_t i = 0; i < PICKLES; i++)
        import_pickle_free(pickles[i]);
    return code;
}

bool import_is_legacy_pth(const uint8_t *data, size_t len)
{
    return len > 14 && data[0] == 0x80 && data[2] == 0x8a && data[3] == sizeof magic &&
           memcmp(data + 4, magic, sizeof magic) == 0;
}

enum bst_code import_pth_read(const uint8_t *data, size_t len, struct import_dict *dict,
                              struct bst_error *err)
{
    enum bst_code code =
        import_is_zip(data, len) ? read_zip(data, len, dict, err) : read_legacy(data, len, dict, err);
    if (code == BST_OK && dict->count == 0) return bst_fail(err, BST_UNREADABLE, "the file holds no tensors");
    return code;
}
