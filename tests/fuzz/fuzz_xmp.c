/* fuzz_xmp.c - XMP packets of anything, read, and edited: what was edited reads, and says it already when it is asked again. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const struct bst_xmp_field fields[] = {
        {BST_NS_IPTC_EXT, "Iptc4xmpExt", "DigitalSourceType", "http://example.org/a?b&c"},
        {BST_NS_PLUS, "plus", "DataMining", BST_NO_TRAINING},
        {BST_NS_AIGC, "TC260", "AIGC", "{\"Label\":\"1\"}"},
    };
    struct bst_error err;
    struct bst_buf made = {0}, again = {0};
    json_t *before = json_object(), *problems = json_array();
    bst_xmp_read(data, len, before, problems, "fuzz");
    if (bst_xmp_edit(data, len, fields, 3, &made, &err) == BST_OK) {
        if (json_array_size(problems) > 0) abort();
        if (bst_xmp_edit(made.data, made.len, fields, 3, &again, &err) != BST_OK) abort();
        if (again.len != made.len || memcmp(again.data, made.data, made.len) != 0) abort();
    }
    bst_buf_free(&made);
    bst_buf_free(&again);
    json_decref(before);
    json_decref(problems);
    return 0;
}
