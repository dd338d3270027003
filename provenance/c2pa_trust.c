/* c2pa_trust.c - is the certificate behind a claim signature fit for the purpose, and does it lead to a root
 * that the caller trusts? The profile is C2PA 2.4 14.5; paths are built and checked by libcrypto. */
#include "c2pa.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#define CLAIM_SIGNING_OID "1.3.6.1.4.1.62558.2.1"

/* The key: RSA from 2048 bits, the three NIST curves, Ed25519. */
static const char *key_problem(X509 *leaf)
{
    char group[64];
    size_t len;
    EVP_PKEY *key = X509_get0_pubkey(leaf);
    if (key == NULL) return "its key cannot be read";
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_ED25519:
        return NULL;
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        return EVP_PKEY_get_bits(key) >= 2048 ? NULL : "its RSA key is shorter than 2048 bits";
    case EVP_PKEY_EC:
        if (EVP_PKEY_get_group_name(key, group, sizeof(group), &len) != 1) return "its key names no curve";
        if (strcmp(group, SN_X9_62_prime256v1) == 0 || strcmp(group, SN_secp384r1) == 0 ||
            strcmp(group, SN_secp521r1) == 0) {
            return NULL;
        }
        return "its key is on a curve that C2PA does not allow";
    default:
        return "its key is of a type that C2PA does not allow";
    }
}

static const char *signature_problem(X509 *leaf)
{
    int digest = NID_undef, key = NID_undef;
    int signature = X509_get_signature_nid(leaf);
    if (signature == NID_ED25519) return NULL;
    if (X509_get_signature_info(leaf, &digest, &key, NULL, NULL) != 1)
        return "its signature algorithm is unknown";
    bool sha2 = digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512;
    return sha2 ? NULL : "it was signed with a digest that C2PA does not allow";
}

/* Extended key usage: e-mail protection, or claim signing proper; never "any". */
static const char *purpose_problem(X509 *leaf)
{
    EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(leaf, NID_ext_key_usage, NULL, NULL);
    bool fit = false, any = false;
    if (usages == NULL) return "it has no extended key usage";
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
        char oid[80];
        const ASN1_OBJECT *usage = sk_ASN1_OBJECT_value(usages, i);
        OBJ_obj2txt(oid, sizeof(oid), usage, 1);
        any = any || OBJ_obj2nid(usage) == NID_anyExtendedKeyUsage;
        fit = fit || OBJ_obj2nid(usage) == NID_email_protect || strcmp(oid, CLAIM_SIGNING_OID) == 0;
    }
    EXTENDED_KEY_USAGE_free(usages);
    if (any) return "its extended key usage is \"any\"";
    return fit ? NULL : "its extended key usage is neither e-mail protection nor C2PA claim signing";
}

/* NULL when the leaf fits the profile. */
static const char *profile_problem(X509 *leaf)
{
    uint32_t flags = X509_get_extension_flags(leaf);
    uint32_t usage = X509_get_key_usage(leaf);
    if (flags & EXFLAG_INVALID) return "an extension cannot be read";
    if (flags & EXFLAG_CRITICAL) return "it has a critical extension of an unknown kind";
    if (X509_get_version(leaf) != X509_VERSION_3) return "it is not an X.509 version 3 certificate";
    if (flags & EXFLAG_CA) return "it is a certificate authority's";
    if (!(flags & EXFLAG_KUSAGE)) return "it has no key usage";
    if (!(usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION))) return "its key usage is not for signatures";
    if (usage & KU_KEY_CERT_SIGN) return "its key usage is for signing certificates";
    if (X509_get0_authority_key_id(leaf) == NULL) return "it does not name its issuer's key";
    const char *problem = key_problem(leaf);
    if (problem == NULL) problem = signature_problem(leaf);
    return problem == NULL ? purpose_problem(leaf) : problem;
}

/* Given to libcrypto so that it never asks the terminal for the passphrase of a text that claims to be
 * encrypted. */
static char no_passphrase[] = "";

static X509_STORE *store_from_pem(const char *roots)
{
    size_t len = strlen(roots);
    BIO *bio = len > INT_MAX ? NULL : BIO_new_mem_buf(roots, (int)len);
    X509_STORE *store = X509_STORE_new();
    X509 *root;
    while (bio != NULL && store != NULL &&
           (root = PEM_read_bio_X509(bio, NULL, NULL, no_passphrase)) != NULL) {
        X509_STORE_add_cert(store, root);
        X509_free(root);
    }
    BIO_free(bio);
    return store;
}

/* Does a path lead from the leaf to one of the roots? *why explains when not. */
static bool chain_trusted(const struct bst_judge *judge, STACK_OF(X509) * chain, const char **why)
{
    bool good = false;
    *why = "out of memory";
    X509_STORE *store = store_from_pem(judge->roots);
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (store != NULL && context != NULL &&
        X509_STORE_CTX_init(context, store, sk_X509_value(chain, 0), chain) == 1) {
        X509_STORE_CTX_set_flags(context, X509_V_FLAG_PARTIAL_CHAIN);
        good = X509_verify_cert(context) == 1;
        *why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
    }
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return good;
}

bool bst_judge_certificate(struct bst_judge *judge, const struct bst_cose *cose, const char *url)
{
    const char *why;
    X509 *leaf = sk_X509_value(cose->chain, 0);
    const char *problem = profile_problem(leaf);
    if (problem != NULL) {
        bst_judge_say(judge, BST_STATUS_FAILURE, "signingCredential.invalid", url,
                      "the signer's certificate does not fit the C2PA profile: %s", problem);
    } else if (judge->roots == NULL) {
        bst_judge_say(judge, BST_STATUS_FAILURE, "signingCredential.untrusted", url,
                      "no trusted roots were given, so nobody vouches for the signer's name");
    } else if (chain_trusted(judge, cose->chain, &why)) {
        bst_judge_say(judge, BST_STATUS_SUCCESS, "signingCredential.trusted", url,
                      "the signer's certificate leads to a trusted root");
    } else {
        bst_judge_say(judge, BST_STATUS_FAILURE, "signingCredential.untrusted", url,
                      "the signer's certificate does not lead to a trusted root: %s", why);
    }
    bool inside = X509_cmp_current_time(X509_get0_notBefore(leaf)) < 0 &&
                  X509_cmp_current_time(X509_get0_notAfter(leaf)) > 0;
    if (!inside) {
        bst_judge_say(
            judge, BST_STATUS_FAILURE, "signingCredential.expired", url,
            "the signer's certificate is not valid today, and no trusted time says when it was used");
    }
    ERR_clear_error();
    return inside;
}
