/* fuzz_store.c - a manifest store of anything, judged as if it stood in a picture. A manifest must never be
 * found valid here: the corpus is bound to other files. */
#include "fuzz_file.h"

#include <jansson.h>
#include <string.h>

#include "c2pa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bst_error err;
    struct bst_c2pa c2pa;
    struct bst_segment segment = {.type = "caBX", .whole = {0, len + 12}, .data = {8, len}};
    struct bst_container container = {.format = BST_FORMAT_PNG,
                                      .size = len + 12,
                                      .count = 1,
                                      .segments = &segment,
                                      .has_manifest = true,
                                      .manifest = {0, len + 12}};
    uint8_t *file = calloc(1, len + 12);
    if (file == NULL) return 0;
    memcpy(file + 8, data, len);
    const char *path = fuzz_file(file, len + 12);
    free(file);
    if (bst_c2pa_read(path, &container, NULL, &c2pa, &err) == BST_OK) {
        json_t *list = NULL;
        if (c2pa.state != BST_C2PA_INVALID) abort();
        if (bst_c2pa_lineage(&c2pa, &list, &err) == BST_OK) json_decref(list);
        bst_c2pa_clear(&c2pa);
    }
    return 0;
}
