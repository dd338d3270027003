/* cert_fixture.h - certificates of any kind, made by libcrypto for one test. */
#ifndef CERT_FIXTURE_H
#define CERT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "provenance.h"

struct made {
    EVP_PKEY *key;
    X509 *cert;
};

struct recipe {
    const char *name;
    const char *basic, *usage, *purpose; /* as in openssl's configuration; NULL: none */
    bool no_issuer_key;
    const char *critical; /* value of the extension 1.2.3.4 */
    long version;
    const char *digest; /* NULL: SHA256, or none for Ed25519 */
    bool pss;
    const char *pss_mask; /* digest of the mask generation */
    int64_t from_s, days; /* 0: from a day ago; 0: ten */
};

static inline struct recipe leaf_recipe(void)
{
    return (struct recipe){.name = "Leaf",
                           .basic = "critical,CA:FALSE",
                           .usage = "critical,digitalSignature",
                           .purpose = "emailProtection",
                           .version = X509_VERSION_3};
}

static inline struct recipe root_recipe(void)
{
    return (struct recipe){.name = "Root",
                           .basic = "critical,CA:TRUE",
                           .usage = "critical,keyCertSign,cRLSign",
                           .version = X509_VERSION_3};
}

static inline void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    if (value == NULL) return;
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static inline void sign_certificate(X509 *cert, EVP_PKEY *key, const struct recipe *recipe)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters;
    bool ed = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
    const char *digest = recipe->digest != NULL ? recipe->digest : ed ? NULL : "SHA256";
    assert_int_equal(EVP_DigestSignInit_ex(context, &parameters, digest, NULL, NULL, key, NULL), 1);
    if (recipe->pss) {
        assert_true(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0);
        if (recipe->pss_mask != NULL)
            assert_true(EVP_PKEY_CTX_set_rsa_mgf1_md_name(parameters, recipe->pss_mask, NULL) > 0);
    }
    assert_true(X509_sign_ctx(cert, context) > 0);
    EVP_MD_CTX_free(context);
}

/* A certificate for a key (which it takes over) issued by another, or by itself. */
static inline struct made make_certificate_for(EVP_PKEY *key, const struct made *issuer,
                                               const struct recipe *recipe)
{
    static long serial = 1;
    struct made made = {key, X509_new()};
    X509 *by = issuer == NULL ? made.cert : issuer->cert;
    time_t from = recipe->from_s != 0 ? (time_t)recipe->from_s : (time_t)(bst_now_ms() / 1000 - 86400);
    assert_non_null(key);
    X509_set_version(made.cert, recipe->version);
    ASN1_INTEGER_set(X509_get_serialNumber(made.cert), serial++);
    X509_NAME *name = X509_get_subject_name(made.cert);
    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"Example", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)recipe->name, -1, -1, 0);
    X509_set_issuer_name(made.cert, X509_get_subject_name(by));
    X509_time_adj_ex(X509_getm_notBefore(made.cert), 0, 0, &from);
    X509_time_adj_ex(X509_getm_notAfter(made.cert), recipe->days == 0 ? 10 : (int)recipe->days, 0, &from);
    X509_set_pubkey(made.cert, key);
    if (recipe->version == X509_VERSION_3) {
        add_extension(made.cert, by, NID_basic_constraints, recipe->basic);
        add_extension(made.cert, by, NID_key_usage, recipe->usage);
        add_extension(made.cert, by, NID_ext_key_usage, recipe->purpose);
        add_extension(made.cert, by, NID_subject_key_identifier, "hash");
        if (!recipe->no_issuer_key)
            add_extension(made.cert, by, NID_authority_key_identifier, "keyid:always");
        if (recipe->critical != NULL) {
            int nid = OBJ_txt2nid("1.2.3.4");
            if (nid == NID_undef) nid = OBJ_create("1.2.3.4", "odd", "odd extension");
            ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
            ASN1_OCTET_STRING_set(value, (const unsigned char *)recipe->critical,
                                  (int)strlen(recipe->critical));
            X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(NULL, nid, 1, value);
            assert_int_equal(X509_add_ext(made.cert, extension, -1), 1);
            X509_EXTENSION_free(extension);
            ASN1_OCTET_STRING_free(value);
        }
    }
    sign_certificate(made.cert, issuer == NULL ? key : issuer->key, recipe);
    return made;
}

static inline struct made make_certificate(const struct made *issuer, const struct recipe *recipe)
{
    return make_certificate_for(EVP_EC_gen("P-256"), issuer, recipe);
}

static inline void made_free(struct made *made)
{
    EVP_PKEY_free(made->key);
    X509_free(made->cert);
}

/* Appends the certificate's PEM. */
static inline void append_pem(X509 *cert, struct bst_buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    assert_int_equal(PEM_write_bio_X509(bio, cert), 1);
    long len = BIO_get_mem_data(bio, &text);
    bst_buf_append(out, text, (size_t)len);
    BIO_free(bio);
}

/* What trusts one certificate. */
static inline struct bst_trust *trust_in(X509 *cert, unsigned kinds)
{
    struct bst_error err;
    struct bst_trust *trust;
    struct bst_buf pem = {0};
    append_pem(cert, &pem);
    assert_int_equal(bst_trust_new(&trust, &err), BST_OK);
    assert_int_equal(bst_trust_add(trust, (const char *)pem.data, pem.len, kinds, NULL, &err), BST_OK);
    bst_buf_free(&pem);
    return trust;
}

#endif
