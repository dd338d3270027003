/* cose.h - COSE_Sign1 (RFC 9052) with an X.509 chain (RFC 9360), as C2PA signs claims. Private to
 * provenance/. */
#ifndef BST_COSE_H
#define BST_COSE_H

#include "bst_cbor.h"
#include "provenance.h"

#include <openssl/x509.h>

/* A certificate chain as DER, leaf first, without the root. */
#define BST_CHAIN_MAX 8
struct bst_chain {
    size_t count;
    struct bst_buf der[BST_CHAIN_MAX];
};
/* From PEM: the certificates in their order, but for self-issued ones behind the leaf (roots). */
enum bst_code bst_chain_from_pem(const char *pem, size_t len, struct bst_chain *out, struct bst_error *err);
void bst_chain_clear(struct bst_chain *chain);

/* Tagged COSE_Sign1 with detached payload, signed with Ed25519 (alg EdDSA). Appends to out. */
enum bst_code bst_cose_sign(const struct bst_key *key, const struct bst_chain *chain, const void *payload,
                            size_t len, struct bst_buf *out, struct bst_error *err);

struct bst_cose {
    cbor_item_t *item; /* owns what the pointers below point into */
    const uint8_t *protected_bytes;
    size_t protected_len;
    cbor_item_t *protected_map; /* owned */
    cbor_item_t *unprotected;
    bool has_payload; /* attached; C2PA wants it detached */
    const uint8_t *sig;
    size_t sig_len;
    bool has_alg;
    int64_t alg;
    bool int_label;         /* x5chain under label 33 */
    STACK_OF(X509) * chain; /* leaf first; NULL when there is none */
};
/* BST_BROKEN when it is not a tagged COSE_Sign1 or a certificate cannot be read. */
enum bst_code bst_cose_parse(const uint8_t *data, size_t len, struct bst_cose *out, struct bst_error *err);
void bst_cose_clear(struct bst_cose *cose);
/* "Ed25519", "es256" ...; NULL when the algorithm is not one of C2PA's. */
const char *bst_cose_algorithm(int64_t alg);
/* Does the signature over the payload fit the leaf's key? BST_BROKEN with the reason when not. */
enum bst_code bst_cose_verify(const struct bst_cose *cose, const void *payload, size_t len,
                              struct bst_error *err);

#endif
