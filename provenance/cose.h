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

#define BST_SIGNATURE_ROOM 10240 /* bytes: time stamp tokens with their certificates take 3 to 7 KB */

/* Who signs claims: a key and the chain of its certificate. */
struct bst_signer {
    const struct bst_key *key; /* Ed25519 of ours; or else */
    EVP_PKEY *evp;             /* any key of the seven algorithms, held by libcrypto */
    int64_t alg;               /* COSE's number; ignored with key, which is always EdDSA */
    struct bst_chain chain;
    size_t room;         /* kept free in each signature for what comes later */
    const char *tsa;     /* address of a time stamp authority to ask for each signature; NULL: none */
    struct bst_buf ocsp; /* the responder's answer about the chain's leaf, to go along; may be empty */
};
/* COSE's number of a name such as "es256"; 0 when there is none. */
int64_t bst_cose_number(const char *name);
/* Does the key belong to the algorithm: its type, its curve? */
bool bst_cose_fits(int64_t alg, EVP_PKEY *key);
/* The algorithm for a key: the one of its curve, ps256 for RSA. 0: none of the seven. */
int64_t bst_cose_choose(EVP_PKEY *key);

/* What becomes known about a signature only when it was made. Empty parts stay as they are. */
struct bst_attachment {
    const void *token; /* RFC 3161 TimeStampToken, DER: header sigTst2 */
    size_t token_len;
    const void *ocsp; /* OCSPResponse, DER: header rVals */
    size_t ocsp_len;
};

/* Tagged COSE_Sign1 with detached payload. room bytes (0, or 5 and more) are kept free in its unprotected
 * header, which the signature does not cover, for what bst_cose_attach puts there later. Appends to out. */
enum bst_code bst_cose_sign(const struct bst_signer *signer, const void *payload, size_t len, size_t room,
                            struct bst_buf *out, struct bst_error *err);

/* ---- cose_header.c ---- */

/* The first byte string of a list in a map, and how many items the list has: {"tstTokens": [{"val": bstr}]} with inner
 * "val", {"ocspVals": [bstr, ...]} with NULL. */
bool bst_cose_listed(cbor_item_t *map, const char *key, const char *inner, size_t *count,
                     const uint8_t **data, size_t *len);
/* The unprotected header: a map of the attachment's parts, filled up with padding to 1 + room bytes. false,
 * and nothing is written, when they need more. */
bool bst_cose_header(struct bst_buf *out, const struct bst_attachment *attachment, size_t room);
/* Puts them in the unprotected header of a COSE_Sign1, whose length stays the same. BST_USAGE when there is
 * not room enough. */
enum bst_code bst_cose_attach(uint8_t *cose, size_t len, const struct bst_attachment *attachment,
                              struct bst_error *err);

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
/* "ed25519", "es256" ...; NULL when the algorithm is not one of C2PA's. */
const char *bst_cose_algorithm(int64_t alg);
/* Is the leaf's key of the type, and on the curve, that the algorithm wants? */
bool bst_cose_key_fits(const struct bst_cose *cose);
/* Does the signature over the payload fit the leaf's key? BST_BROKEN with the reason when not. */
enum bst_code bst_cose_verify(const struct bst_cose *cose, const void *payload, size_t len,
                              struct bst_error *err);
/* What a time stamp of the signature must be over (C2PA 2.4, 10.3.2.5): with payload NULL that of sigTst2, which
 * covers the signature, else that of the older sigTst, which covers the payload. Appends to out. */
void bst_cose_stamped(const struct bst_cose *cose, const void *payload, size_t len, struct bst_buf *out);

#endif
