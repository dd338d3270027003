/* cert_profile.h - what C2PA asks of a certificate (2.4, 14.5.1). Private to provenance/. */
#ifndef BST_CERT_PROFILE_H
#define BST_CERT_PROFILE_H

#include "provenance.h"

#include <openssl/x509.h>

enum bst_cert_role { BST_ROLE_CLAIM, BST_ROLE_TSA, BST_ROLE_OCSP };

struct bst_cert_rule {
    const char *name, *words, *fix; /* what it asks for, and how to get a certificate that keeps it */
    /* NULL when the certificate keeps the rule, else what is wrong: "it has no key usage". */
    const char *(*problem)(X509 *cert, enum bst_cert_role role, const struct bst_trust *trust);
};
extern const struct bst_cert_rule bst_cert_rules[];
extern const size_t bst_cert_rule_count;

/* The first rule broken, or NULL. trust (may be NULL) lists further key usages that are accepted. */
const char *bst_cert_problem(X509 *cert, enum bst_cert_role role, const struct bst_trust *trust);
/* NULL when a path from the certificate may be looked for at all; why not when it was signed in a way, or is for a
 * purpose, that no path makes good. */
const char *bst_cert_untraceable(X509 *cert, enum bst_cert_role role, const struct bst_trust *trust);
/* Is the time, in Unix seconds, inside the certificate's validity? */
bool bst_cert_covers(X509 *cert, int64_t when_s);
/* A time as certificates, time stamps and revocation answers write it, as Unix seconds; false when there is none. */
bool bst_asn1_time(const ASN1_TIME *time, int64_t *when_s);
/* The next certificate in a text of PEM; NULL when there is none that can be read. Never asks for a passphrase. */
X509 *bst_cert_next(BIO *pem);

#endif
