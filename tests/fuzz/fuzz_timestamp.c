/* fuzz_timestamp.c - a time stamp token, an authority's answer, or a revocation answer of anything. Nobody is trusted
 * here, so nothing may be. */
#include "ocsp.h"
#include "timestamp.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The corpus was made over these words. */
static const struct bst_buf words = {.data = (uint8_t *)(uintptr_t) "signed words", .len = 12};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bst_error err = {0};
    struct bst_buf token = {0};
    struct bst_time time;
    const char *why;
    bst_timestamp_judge(data, len, &words, NULL, &time);
    if (time.state == BST_TIME_TRUSTED || (time.state != BST_TIME_TRUSTED && time.why == NULL)) abort();
    if (bst_timestamp_answer(data, len, NULL, &token, &err) != BST_OK && err.what[0] == 0) abort();
    bst_buf_free(&token);
    static X509 *leaf; /* a certificate of no more than a name: the answer is never about it */
    if (leaf == NULL) leaf = X509_new();
    STACK_OF(X509) *chain = sk_X509_new_null();
    if (leaf != NULL && chain != NULL && sk_X509_push(chain, leaf) > 0 &&
        bst_ocsp_judge(data, len, chain, NULL, 1800000000, false, &why) != BST_OCSP_UNUSABLE)
        abort();
    sk_X509_free(chain);
    ERR_clear_error();
    return 0;
}
