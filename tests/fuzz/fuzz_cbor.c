/* fuzz_cbor.c - CBOR of anything: read within bounds, shown as JSON, and refused or found deterministic. */
#include <jansson.h>
#include <stdlib.h>

#include "bst_cbor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bst_error err;
    cbor_item_t *item;
    const char *text;
    size_t text_len;
    bool deterministic = bst_cbor_deterministic(data, len);
    if (bst_cbor_parse(data, len, &item, &err) != BST_OK) return 0;
    bst_cbor_get_text(bst_cbor_get(item, "instanceID"), &text, &text_len);
    bst_cbor_get_int(item, -1);
    json_decref(bst_cbor_json(item, BST_CBOR_HEX));
    unsigned char *again = NULL;
    size_t again_cap = 0, again_len = cbor_serialize_alloc(item, &again, &again_cap);
    /* what is deterministic has no second spelling; libcbor writes floats and simple values as they were */
    if (deterministic && again_len != 0 && again_len != len) abort();
    free(again);
    cbor_decref(&item);
    return 0;
}
