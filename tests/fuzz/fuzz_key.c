/* fuzz_key.c - key files from strangers: private keys (the passphrase is "x") and public ones. */
#include <stdlib.h>
#include <string.h>

#include "key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bst_error err;
    struct bst_key *key;
    bool locked;
    uint8_t public_key[BST_KEY_LEN], sig[BST_SIG_LEN];
    if (bst_key_from_pem(data, len, "x", &key, &locked, &err) == BST_OK) {
        bst_key_sign(key, "m", 1, sig);
        if (locked || !bst_key_verify(bst_key_public(key), "m", 1, sig)) abort();
        bst_key_free(key);
    }
    if (bst_key_public_from_pem((const char *)data, len, public_key, &err) == BST_OK) {
        char *pem;
        uint8_t again[BST_KEY_LEN];
        if (bst_key_public_pem(public_key, &pem, &err) != BST_OK ||
            bst_key_public_from_pem(pem, strlen(pem), again, &err) != BST_OK ||
            memcmp(public_key, again, sizeof again) != 0) {
            abort();
        }
        free(pem);
    }
    return 0;
}
