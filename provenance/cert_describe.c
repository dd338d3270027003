/* cert_describe.c - certificates for people: whose, from whom, for how long, for what. */
#include "cert_profile.h"

#include <jansson.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define CERTIFICATES_MAX 4096

/* As in RFC 2253, but in UTF-8. */
static json_t *name_json(const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    unsigned long form = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    json_t *out = NULL;
    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, form) >= 0) {
        char *text = NULL;
        long len = BIO_get_mem_data(bio, &text);
        char *safe = bst_printable(text == NULL ? "" : text, (size_t)len);
        out = safe == NULL ? NULL : json_string(safe);
        free(safe);
    }
    BIO_free(bio);
    return out;
}

static json_t *time_json(const ASN1_TIME *time)
{
    int64_t when_s;
    char text[BST_TIME_LEN];
    if (!bst_asn1_time(time, &when_s)) return json_null();
    bst_time_text(when_s * 1000, text);
    return json_string(text);
}

static json_t *key_json(X509 *cert)
{
    char group[64];
    size_t len;
    EVP_PKEY *key = X509_get0_pubkey(cert);
    if (key == NULL) return json_null();
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
        EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1) {
        const char *nist = EC_curve_nid2nist(OBJ_txt2nid(group));
        return json_string(nist == NULL ? group : nist);
    }
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519) return json_string("Ed25519");
    const char *type = EVP_PKEY_get0_type_name(key);
    return json_sprintf("%s %d", type == NULL ? "unknown" : type, EVP_PKEY_get_bits(key));
}

static json_t *usages_json(X509 *cert)
{
    EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
    json_t *out = json_array();
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
        char text[80];
        OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(usages, i), 0);
        json_array_append_new(out, json_string(text));
    }
    EXTENDED_KEY_USAGE_free(usages);
    return out;
}

static json_t *describe(X509 *cert)
{
    uint8_t digest[BST_SHA256_LEN];
    unsigned len = 0;
    char hex[BST_SHA256_HEX] = "";
    if (X509_digest(cert, EVP_sha256(), digest, &len) == 1) bst_hex(digest, sizeof(digest), hex);
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:b, s:s}", "subject",
                     name_json(X509_get_subject_name(cert)), "issuer", name_json(X509_get_issuer_name(cert)),
                     "valid_from", time_json(X509_get0_notBefore(cert)), "valid_until",
                     time_json(X509_get0_notAfter(cert)), "key", key_json(cert), "authority",
                     (int)(X509_check_ca(cert) > 0), "extended_key_usage", usages_json(cert), "valid_today",
                     (int)bst_cert_covers(cert, bst_now_ms() / 1000), "sha256", hex);
}

enum bst_code bst_cert_describe(const void *pem, size_t len, json_t **out, struct bst_error *err)
{
    json_t *list = json_array();
    BIO *bio = len > INT_MAX ? NULL : BIO_new_mem_buf(pem, (int)len);
    enum bst_code code = list == NULL || bio == NULL ? bst_fail_memory(err) : BST_OK;
    X509 *cert;
    while (code == BST_OK && json_array_size(list) < CERTIFICATES_MAX &&
           (cert = bst_cert_next(bio)) != NULL) {
        json_t *one = describe(cert);
        if (one == NULL || json_array_append_new(list, one) != 0) code = bst_fail_memory(err);
        X509_free(cert);
    }
    BIO_free(bio);
    ERR_clear_error();
    if (code != BST_OK) {
        json_decref(list);
        return code;
    }
    *out = list;
    return BST_OK;
}

/* ---- the rules ---- */

static bool add_rule(json_t *list, const char *name, const char *asks, const char *problem, const char *fix)
{
    return json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:s?, s:s?}", "rule", name, "asks", asks,
                                                 "kept", (int)(problem == NULL), "problem", problem, "fix",
                                                 problem == NULL ? NULL : fix)) == 0;
}

enum bst_code bst_cert_check(const void *pem, size_t len, const struct bst_trust *trust, json_t **out,
                             struct bst_error *err)
{
    BIO *bio = len > INT_MAX ? NULL : BIO_new_mem_buf(pem, (int)len);
    X509 *cert = bio == NULL ? NULL : bst_cert_next(bio);
    BIO_free(bio);
    ERR_clear_error();
    if (cert == NULL) return bst_fail(err, BST_UNREADABLE, "it holds no certificate in PEM");
    json_t *list = json_array();
    bool whole = list != NULL;
    for (size_t i = 0; whole && i < bst_cert_rule_count; i++) {
        const struct bst_cert_rule *rule = &bst_cert_rules[i];
        whole =
            add_rule(list, rule->name, rule->words, rule->problem(cert, BST_ROLE_CLAIM, trust), rule->fix);
    }
    bool valid = bst_cert_covers(cert, bst_now_ms() / 1000);
    whole = whole && add_rule(list, "validity", "valid today", valid ? NULL : "it is not valid today",
                              "have it issued again, or sign while it is valid, with a time stamp");
    X509_free(cert);
    ERR_clear_error();
    if (whole) {
        *out = list;
        return BST_OK;
    }
    json_decref(list);
    return bst_fail_memory(err);
}
