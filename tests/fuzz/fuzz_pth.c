/* fuzz_pth.c - a stranger's .pth: both containers, and the bytes as a bare pickle, whose opcodes mutations reach
 * without a container around them. A dictionary that comes out is looked at whole. */
#include <string.h>

#include "fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void look_at(const struct import_dict *dict)
{
    volatile float sum = 0;
    for (size_t i = 0; i < dict->count; i++) {
        const struct import_tensor *t = &dict->tensors[i];
        if (import_dict_find(dict, t->name) != t) abort();
        for (size_t k = 0; k < t->count && k < 4096; k++)
            sum = sum + import_element(t, k);
        if (t->count > 0) sum = sum + import_element(t, t->count - 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct import_dict dict = {0};
    struct import_pickle *pickle = NULL;
    struct bst_error err = {0};
    size_t used = 0;
    if (import_pth_read(data, len, &dict, &err) == BST_OK) {
        look_at(&dict);
        import_recognised(&dict);
    } else if (err.what[0] == 0) {
        abort();
    }
    import_dict_clear(&dict);
    if (import_pickle_read(data, len, &pickle, &used, &err) == BST_OK) {
        if (used > len) abort();
        import_pickle_tensors(pickle, &dict,
                              &err); /* storages have no bytes: only empty tensors can come out */
        look_at(&dict);
        import_dict_clear(&dict);
    }
    import_pickle_free(pickle);
    return 0;
}
