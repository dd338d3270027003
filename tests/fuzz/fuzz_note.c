/* fuzz_note.c - checkpoints and verifier keys from strangers. */
#include <stdlib.h>
#include <string.h>

#include "provenance.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_vkey(const char *text)
{
    struct bst_error err;
    char *name, *again;
    uint8_t key[BST_KEY_LEN];
    if (bst_vkey_parse(text, &name, key, &err) != BST_OK) return;
    if (bst_vkey_text(name, key, &again, &err) != BST_OK || strcmp(text, again) != 0) abort();
    free(again);
    free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    /* The log of schema/vectors. */
    static const char vkey[] =
        "blindstamp.local/47dea58ea00fae94+cab2e91c+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
    struct bst_error err;
    struct bst_checkpoint checkpoint;
    struct bst_buf text = {0};
    char *name;
    uint8_t key[BST_KEY_LEN];
    if (bst_vkey_parse(vkey, &name, key, &err) != BST_OK) abort();
    if (bst_checkpoint_open((const char *)data, len, name, key, &checkpoint, &err) == BST_OK) {
        if (checkpoint.size > INT64_MAX || strcmp(checkpoint.origin, name) != 0) abort();
        bst_checkpoint_clear(&checkpoint);
    }
    bst_buf_append(&text, data, len);
    const char *string = bst_buf_string(&text);
    if (string) try_vkey(string);
    bst_buf_free(&text);
    free(name);
    return 0;
}
