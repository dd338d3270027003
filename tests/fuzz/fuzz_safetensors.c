/* fuzz_safetensors.c - a stranger's safetensors file, and the network that it seems to hold. */
#include "fuzz_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct import_dict dict = {0};
    struct bst_error err = {0};
    volatile float sum = 0;
    if (!import_is_safetensors(data, len)) return 0;
    enum bst_code code = import_safetensors_read(data, len, &dict, &err);
    if (code != BST_OK && err.what[0] == 0) abort();
    for (size_t i = 0; i < dict.count; i++)
        for (size_t k = 0; k < dict.tensors[i].count; k++)
            sum = sum + import_element(&dict.tensors[i], k);
    if (code == BST_OK) import_recognised(&dict);
    import_dict_clear(&dict);
    return 0;
}
