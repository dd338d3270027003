/* fuzz_cose.c - a COSE_Sign1 of anything, with certificates of anything. What verifies over the words below must
 * be a signature of the corpus, whose claims are other words. */
#include <stdlib.h>
#include <string.h>

#include "cose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char words[] = "no claim that anybody signed";
    struct bst_error err;
    struct bst_cose cose;
    if (bst_cose_parse(data, len, &cose, &err) != BST_OK) return 0;
    if (bst_cose_verify(&cose, words, sizeof words, &err) == BST_OK) abort();
    if (cose.has_alg) bst_cose_algorithm(cose.alg);
    struct bst_attachment attachment = {.token = words, .token_len = 3};
    bst_cose_clear(&cose);
    uint8_t *copy = malloc(len);
    if (copy == NULL) return 0;
    memcpy(copy, data, len);
    if (bst_cose_attach(copy, len, &attachment, &err) == BST_OK) {
        if (bst_cose_parse(copy, len, &cose, &err) != BST_OK) abort();
        bst_cose_clear(&cose);
    }
    free(copy);
    return 0;
}
