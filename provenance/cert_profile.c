/* cert_profile.c - the rules that C2PA 2.4 14.5.1 sets for a certificate that signs claims, time stamps or
 * revocation answers, each with its name and with the way to keep it. */
#include "cert_profile.h"
#include "trust.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

static const char *version_problem(X509 *cert, enum bst_cert_role role, const struct bst_trust *trust)
{
    (void)role;
    (void)trust;
    return X509_get_version(cert) == X509_VERSION_3 ? NULL : "it is not an X.509 version 3 certificate";
}

static const char *readable_problem(X509 *cert, enum bst_cert_role role, const struct bst_trust *trust)
{
    (void)role;
    (void)trust;
    return X509_get_extension_flags(cert) & EXFLAG_INVALID ? "an extension cannot be read" : NULL;
}

static const char *critical_problem(X509 *cert, enum bst_cert_role role, const struct bst_trust *trust)
{
    (void)role;
    (void)trust;
    bool unknown = X509_get_extension_flags(cert) & EXFLAG_CRITICAL;
    return unknown ? "it has a critical extension of an unknown kind" : NULL;
}

static const char *unique_id_problem(X509 *cert, enum bst_cert_role role, const struct bst_trust *trust)
{
    const ASN1_BIT_STRING *issuer = NULL, *subject = NULL;
    (void)role;
    (void)trust;
    X509_get0_uids(cert, &issuer, &subject);
    return issuer == NULL && subject == NULL ? NULL : "it has a unique identifier of issuer or subject";
}

static const char *authority_problem(X509 *cert, enum bst_cert_role role, const struct bst_trust *trust)
{
    (void)role;
    (void)trust;
    return X509_get_extension_flags(cert) & EXFLAG_CA ? "it is a certificate authority's" : NULL;
}

/* ---- signature and key ---- */

static bool is_sha2(int digest)
{
    return digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512;
}

/* RSASSA-PSS (RFC 4055 3.1): both digests named, of the SHA-2 family, and the same. */
static const char *pss_problem(const X509_ALGOR *algorithm)
{
    const ASN1_OBJECT *hash = NULL, *mask = NULL;
    const char *problem = "the parameters of its RSASSA-PSS signature are missing or cannot be read";
    RSA_PSS_PARAMS *pss =
        algorithm->parameter == NULL
            ? NULL
            : ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_PSS_PARAMS), algorithm->parameter);
    X509_ALGOR *mask_hash =
        pss == NULL || pss->maskGenAlgorithm == NULL || pss->maskGenAlgorithm->parameter == NULL
            ? NULL
            : ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(X509_ALGOR), pss->maskGenAlgorithm->parameter);
    if (mask_hash != NULL && pss->hashAlgorithm != NULL) {
        X509_ALGOR_get0(&hash, NULL, NULL, pss->hashAlgorithm);
        X509_ALGOR_get0(&mask, NULL, NULL, mask_hash);
        problem = OBJ_cmp(hash, mask) != 0     ? "its RSASSA-PSS signature mixes two digests"
                  : is_sha2(OBJ_obj2nid(hash)) ? NULL
                                               : "it was signed with a digest that C2PA does not allow";
    }
    X509_ALGOR_free(mask_hash);
    RSA_PSS_PARAMS_free(pss);
    return problem;
}

static const char *signature_problem(X509 *cert, enum bst_cert_role role, const struct bst_trust *trust)
{
    static const int allowed[] = {NID_sha256WithRSAEncryption, NID_sha384WithRSAEncryption,
                                  NID_sha512WithRSAEncryption, NID_ecdsa_with_SHA256,
                                  NID_ecdsa_with_SHA384,       NID_ecdsa_with_SHA512};
    const X509_ALGOR *algorithm = X509_get0_tbs_sigalg(cert);
    int nid = X509_get_signature_nid(cert);
    (void)role;
    (void)trust;
    if (nid == NID_ED25519)
        return algorithm->parameter == NULL ? NULL : "its Ed25519 signature has parameters (RFC 8410, 3)";
    if (nid == NID_rsassaPss) return pss_problem(algorithm);
    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        if (nid == allowed[i]) return NULL;
    }
    return "it was signed with an algorithm or a digest that C2PA does not allow";
}

static const char *rsa_problem(EVP_PKEY *key)
{
    BIGNUM *exponent = NULL;
    if (EVP_PKEY_get_bits(key) < 2048) return "its RSA key is shorter than 2048 bits";
    bool good =
        EVP_PKEY_get_bn_param(key, "e", &exponent) == 1 && BN_is_odd(exponent) && !BN_is_one(exponent);
    BN_free(exponent);
    return good ? NULL : "its RSA key's exponent is not odd, or 1";
}

/* RSA from 2048 bits, the three NIST curves by their names, Ed25519. */
static const char *key_problem(X509 *cert, enum bst_cert_role role, const struct bst_trust *trust)
{
    char group[64];
    size_t len;
    EVP_PKEY *key = X509_get0_pubkey(cert);
    (void)role;
    (void)trust;
    if (key == NULL) return "its key cannot be read";
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_ED25519:
        return NULL;
    case EVP_PKEY_RSA:
    case EVP_PKEY_RSA_PSS:
        return rsa_problem(key);
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

/* ---- usages ---- */

static const char *key_usage_problem(X509 *cert, enum bst_cert_role role, const struct bst_trust *trust)
{
    uint32_t usage = X509_get_key_usage(cert);
    (void)role;
    (void)trust;
    if (!(X509_get_extension_flags(cert) & EXFLAG_KUSAGE)) return "it has no key usage";
    if (!(usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION))) return "its key usage is not for signatures";
    return usage & KU_KEY_CERT_SIGN ? "its key usage is for signing certificates" : NULL;
}

/* NULL when one of the usages is the role's; else what is missing. */
static const char *missing_purpose(const EXTENDED_KEY_USAGE *usages, enum bst_cert_role role,
                                   const struct bst_trust *trust)
{
    static const int wanted[] = {[BST_ROLE_CLAIM] = NID_email_protect,
                                 [BST_ROLE_TSA] = NID_time_stamp,
                                 [BST_ROLE_OCSP] = NID_OCSP_sign};
    static const char *const missing[] = {
        [BST_ROLE_CLAIM] = "its extended key usage has neither e-mail protection nor one that you accept",
        [BST_ROLE_TSA] = "its extended key usage is not time stamping",
        [BST_ROLE_OCSP] = "its extended key usage is not OCSP signing"};
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
        const ASN1_OBJECT *usage = sk_ASN1_OBJECT_value(usages, i);
        if (OBJ_obj2nid(usage) == wanted[role]) return NULL;
        if (role == BST_ROLE_CLAIM && trust != NULL && bst_trust_has_usage(trust, usage)) return NULL;
    }
    return missing[role];
}

static const char *forbidden_purpose(const EXTENDED_KEY_USAGE *usages)
{
    int count = sk_ASN1_OBJECT_num(usages);
    for (int i = 0; i < count; i++) {
        int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, i));
        if (nid == NID_anyExtendedKeyUsage) return "its extended key usage is \"any\"";
        if (count > 1 && (nid == NID_time_stamp || nid == NID_OCSP_sign))
            return "time stamping and OCSP signing must be the only extended key usage";
    }
    return NULL;
}

static const char *purpose_problem(X509 *cert, enum bst_cert_role role, const struct bst_trust *trust)
{
    EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
    if (usages == NULL) return "it has no extended key usage";
    const char *problem = forbidden_purpose(usages);
    if (problem == NULL) problem = missing_purpose(usages, role, trust);
    EXTENDED_KEY_USAGE_free(usages);
    return problem;
}

static const char *issuer_key_problem(X509 *cert, enum bst_cert_role role, const struct bst_trust *trust)
{
    (void)role;
    (void)trust;
    bool named = X509_get_ext_by_NID(cert, NID_authority_key_identifier, -1) >= 0;
    return named ? NULL : "it does not name its issuer's key";
}

const struct bst_cert_rule bst_cert_rules[] = {
    {"version", "X.509 version 3", "ask the issuer for a version 3 certificate", version_problem},
    {"extensions", "every extension can be read", "have it issued again: an extension is damaged",
     readable_problem},
    {"signature", "signed with RSA, RSASSA-PSS or ECDSA and SHA-2, or with Ed25519",
     "ask the issuer to sign with SHA-256 or better", signature_problem},
    {"key", "RSA from 2048 bits, P-256, P-384, P-521 or Ed25519",
     "make another key: blindstamp cert csr --alg es256", key_problem},
    {"unique-id", "no unique identifiers", "have it issued without unique identifiers", unique_id_problem},
    {"end-entity", "not a certificate authority's", "have it issued with basicConstraints CA:FALSE",
     authority_problem},
    {"key-usage", "keyUsage with digitalSignature or nonRepudiation, without keyCertSign",
     "have it issued with keyUsage = critical,digitalSignature", key_usage_problem},
    {"extended-key-usage", "extendedKeyUsage with emailProtection, or one that is accepted here; never any",
     "have it issued with extendedKeyUsage = emailProtection,1.3.6.1.4.1.62558.2.1", purpose_problem},
    {"authority-key-id", "authorityKeyIdentifier present",
     "have it issued with authorityKeyIdentifier = keyid:always", issuer_key_problem},
    {"critical", "no critical extension of an unknown kind", "have it issued without that extension",
     critical_problem},
};
const size_t bst_cert_rule_count = sizeof(bst_cert_rules) / sizeof(bst_cert_rules[0]);

const char *bst_cert_problem(X509 *cert, enum bst_cert_role role, const struct bst_trust *trust)
{
    const char *problem = NULL;
    for (size_t i = 0; i < bst_cert_rule_count && problem == NULL; i++) {
        problem = bst_cert_rules[i].problem(cert, role, trust);
    }
    ERR_clear_error();
    return problem;
}

const char *bst_cert_untraceable(X509 *cert, enum bst_cert_role role, const struct bst_trust *trust)
{
    const char *problem = signature_problem(cert, role, trust);
    EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
    if (problem == NULL)
        problem = usages == NULL ? "it has no extended key usage" : missing_purpose(usages, role, trust);
    EXTENDED_KEY_USAGE_free(usages);
    ERR_clear_error();
    return problem;
}

bool bst_cert_covers(X509 *cert, int64_t when_s)
{
    time_t when = (time_t)when_s;
    /* 0 is an error, else the sign says which is later; both ends belong to the validity (RFC 5280 4.1.2.5) */
    int begin = X509_cmp_time(X509_get0_notBefore(cert), &when);
    int end = ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert), when);
    return begin < 0 && (end == 0 || end == 1);
}

bool bst_asn1_time(const ASN1_TIME *time, int64_t *when_s)
{
    struct tm tm;
    if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1) return false;
    *when_s = (int64_t)timegm(&tm);
    return true;
}

X509 *bst_cert_next(BIO *pem)
{
    /* given to libcrypto so that it never asks the terminal for the passphrase of a text that claims to be encrypted */
    static char no_passphrase[] = "";
    return PEM_read_bio_X509(pem, NULL, NULL, no_passphrase);
}
