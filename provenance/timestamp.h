/* timestamp.h - time stamps (RFC 3161): asked for, taken in, judged. Private to provenance/. */
#ifndef BST_TIMESTAMP_H
#define BST_TIMESTAMP_H

#include "provenance.h"

#include <openssl/x509.h>

enum bst_time_state { /* from bad to good */
                      BST_TIME_MALFORMED,
                      BST_TIME_MISMATCH, /* not of this data */
                      BST_TIME_OUTSIDE,  /* its authority's certificate was not valid then */
                      BST_TIME_UNTRUSTED,
                      BST_TIME_TRUSTED,
};
struct bst_time {
    enum bst_time_state state;
    bool validated; /* whole, signed, and of this data, whoever signed it */
    int64_t when_s; /* Unix seconds; 0 when it could not be read */
    char authority[128];
    const char *why; /* constant text: what is wrong */
};
/* Judges a TimeStampToken or a whole TimeStampResp (DER) over the data. trust may be NULL. */
void bst_timestamp_judge(const uint8_t *der, size_t len, const struct bst_buf *data,
                         const struct bst_trust *trust, struct bst_time *out);

/* The certificate that a token names as its maker's, unjudged; NULL when it carries none. Released by X509_free(). */
X509 *bst_timestamp_authority(const uint8_t *der, size_t len);

/* A TimeStampReq (DER) for the data's SHA-256 that asks for the certificates too. With a nonce the answer must be
 * fresh. Appends to der. */
enum bst_code bst_timestamp_request(const struct bst_buf *data, bool nonce, struct bst_buf *der,
                                    struct bst_error *err);
/* The token in a TimeStampResp (or a bare token); appended to out. Refusals are BST_FAILURE in the authority's own
 * words. With request (DER, may be NULL) the answer must be to it. */
enum bst_code bst_timestamp_answer(const void *der, size_t len, const struct bst_buf *request,
                                   struct bst_buf *token, struct bst_error *err);
/* Sends a request for the data to an authority (http.h) and takes the token from its answer, which must be sound. */
enum bst_code bst_timestamp_fetch(const char *url, const struct bst_buf *data, struct bst_buf *token,
                                  struct bst_error *err);

#endif
