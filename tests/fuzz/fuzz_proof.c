/* fuzz_proof.c - tlog-proofs from strangers: what parses comes back the same from its own text. */
#include <stdlib.h>
#include <string.h>

#include "provenance.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t key[BST_KEY_LEN] = {1};
    struct bst_error err;
    struct bst_proof proof, again;
    struct bst_buf text = {0};
    if (bst_proof_parse((const char *)data, len, &proof, &err) != BST_OK) return 0;
    if (bst_proof_verify(&proof, "leaf", 4, "log", key, &err) == BST_OK) abort();
    if (bst_proof_text(&proof, &text, &err) == BST_OK) {
        if (bst_proof_parse((const char *)text.data, text.len, &again, &err) != BST_OK ||
            again.index != proof.index || again.len != proof.len ||
            memcmp(again.hash, proof.hash, proof.len * 32) != 0 ||
            strcmp(again.checkpoint, proof.checkpoint) != 0) {
            abort();
        }
        bst_proof_clear(&again);
    }
    bst_buf_free(&text);
    bst_proof_clear(&proof);
    return 0;
}
