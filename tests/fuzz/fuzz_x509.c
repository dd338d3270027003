/* fuzz_x509.c - a certificate of anything (DER): held against the profile, described, sought a path for, and as a text of
 * trust. A certificate whose bytes were changed must never lead to its root. */
#include "cert_profile.h"
#include "trust.h"

#include <jansson.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* As a PEM text, for those who read texts. */
static void read_text(const uint8_t *data, size_t len)
{
    struct bst_error err = {0};
    struct bst_trust *trust = NULL;
    json_t *list = NULL;
    char *body = bst_base64(data, len);
    char *pem = body == NULL
                    ? NULL
                    : bst_format("1.2.3\n-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n", body);
    if (pem != NULL && bst_trust_new(&trust, &err) == BST_OK) {
        bst_trust_add(trust, pem, strlen(pem), BST_TRUST_MANIFEST | BST_TRUST_TSA, NULL, &err);
        if (bst_cert_describe(pem, strlen(pem), &list, &err) == BST_OK) json_decref(list);
        if (bst_cert_check(pem, strlen(pem), trust, &list, &err) == BST_OK) json_decref(list);
    }
    bst_trust_free(trust);
    free(pem);
    free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bst_error err = {0};
    struct bst_trust *trust = NULL;
    const unsigned char *end = data;
    const char *why;
    if (len > 65536 || bst_trust_new(&trust, &err) != BST_OK) return 0;
    bst_trust_add(trust, (const char *)data, len, BST_TRUST_MANIFEST | BST_TRUST_ALLOWED, NULL,
                  &err); /* as a text */
    X509 *cert = d2i_X509(NULL, &end, (long)len);
    if (cert != NULL) {
        for (int role = BST_ROLE_CLAIM; role <= BST_ROLE_OCSP; role++)
            bst_cert_problem(cert, (enum bst_cert_role)role, trust);
        bst_cert_covers(cert, 1800000000);
        bst_trust_allows(trust, cert);
        STACK_OF(X509) *chain = sk_X509_new_null();
        if (chain != NULL && sk_X509_push(chain, cert) > 0) {
            bst_trust_in_order(chain);
            if (bst_trust_path(trust, BST_TRUST_TSA, cert, chain, 1800000000, &why))
                abort(); /* no such anchor */
            X509_free(bst_trust_issuer(trust, BST_TRUST_MANIFEST, cert, chain));
        }
        sk_X509_free(chain);
        read_text(data, len);
    }
    X509_free(cert);
    ERR_clear_error();
    bst_trust_free(trust);
    return 0;
}
