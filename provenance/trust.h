/* trust.h - the inside of a bst_trust, and the questions asked of it. Private to provenance/. */
#ifndef BST_TRUST_H
#define BST_TRUST_H

#include "provenance.h"

#include <openssl/x509.h>

#define BST_TRUST_KINDS 3

struct bst_trust {
    X509_STORE *anchors[BST_TRUST_KINDS]; /* by the kind's bit */
    size_t anchor_count[BST_TRUST_KINDS];
    size_t allowed_count;
    uint8_t (*allowed)[BST_SHA256_LEN]; /* of certificates' DER, sorted */
    size_t usage_count;
    ASN1_OBJECT **usages;
    size_t log_key_count;
    char **log_keys;
    bool asks_responders;
};

/* Is each certificate issued by the next one (RFC 9360 2)? */
bool bst_trust_in_order(STACK_OF(X509) * chain);
/* Who issued the leaf: a certificate of the chain or an anchor; NULL when it is not there. Freed with X509_free. */
X509 *bst_trust_issuer(const struct bst_trust *trust, enum bst_trust_kind kind, X509 *leaf,
                       STACK_OF(X509) * chain);
/* Does a path lead from the leaf over certificates of the chain to an anchor of that kind, all
 * of it valid at that time? *why explains when not. */
bool bst_trust_path(const struct bst_trust *trust, enum bst_trust_kind kind, X509 *leaf,
                    STACK_OF(X509) * chain, int64_t when_s, const char **why);
/* Is the certificate believed by itself? */
bool bst_trust_allows(const struct bst_trust *trust, X509 *leaf);
bool bst_trust_has_usage(const struct bst_trust *trust, const ASN1_OBJECT *usage);

#endif
