/* ocsp.h - revocation answers (RFC 6960): asked for, and judged. Private to provenance/. */
#ifndef BST_OCSP_H
#define BST_OCSP_H

#include "provenance.h"

#include <openssl/x509.h>

enum bst_ocsp_state {
    BST_OCSP_UNUSABLE, /* damaged, not of this certificate, too old, or signed by nobody who may */
    BST_OCSP_UNKNOWN,  /* the responder does not know the certificate */
    BST_OCSP_GOOD,
    BST_OCSP_REVOKED,
};
/* Judges an OCSPResponse (DER) about the chain's leaf. when_s is the time of signing in Unix seconds, known from a
 * trusted time stamp when stamped, else the present. *why is a constant text. */
enum bst_ocsp_state bst_ocsp_judge(const uint8_t *der, size_t len, STACK_OF(X509) * chain,
                                   const struct bst_trust *trust, int64_t when_s, bool stamped,
                                   const char **why);
/* Asks the responder that the leaf names; appends its answer (DER). BST_NO_PROVENANCE when the leaf names none or its
 * issuer is not at hand. */
enum bst_code bst_ocsp_fetch(STACK_OF(X509) * chain, const struct bst_trust *trust, struct bst_buf *answer,
                             struct bst_error *err);

#endif
