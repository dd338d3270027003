/* fuzz_safetensors.c - a stranger's safetensors file. */
#include "import.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct import_dict dict = {0};
    struct bst_error err = {0};
    volatile float sum = 0;
    if (!import_is_safetensors(data, len)) return 0;
    if (import_safetensors_read(data, len, &dict, &err) != BST_OK && err.what[0] == 0) abort();
    for (size_t i = 0; i < dict.count; i++)
        for (size_t k = 0; k < dict.tensors[i].count; k++)
            sum = sum + import_element(&dict.tensors[i], k);
    import_dict_clear(&dict);
    return 0;
}
