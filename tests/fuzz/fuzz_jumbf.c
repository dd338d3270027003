/* fuzz_jumbf.c - JUMBF of anything: what is read as boxes lies inside the input, and says so of its parts. */
#include <stdlib.h>

#include "jumbf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bst_error err;
    struct bst_jumbf boxes;
    if (bst_jumbf_parse_box(data, len, &boxes, &err) != BST_OK) return 0;
    for (size_t i = 0; i < boxes.count; i++) {
        const struct bst_jumbf_box *box = &boxes.boxes[i];
        const struct bst_jumbf_box *parent = &boxes.boxes[box->parent];
        bool inside = box->start >= parent->start && box->len <= parent->len &&
                      box->start - parent->start <= parent->len - box->len;
        if (!inside || box->data_len + 8 != box->len || (box->type == BST_BOX_JUMB) != (box->label != NULL))
            abort();
        if (box->label != NULL && i > 0 && bst_jumbf_child(&boxes, parent, box->label) == NULL) abort();
        bst_jumbf_content(&boxes, box);
    }
    bst_jumbf_clear(&boxes);
    return 0;
}
