/* cert.c - the local certificate authority and the author's certificate (X.509 v3, Ed25519, RFC 5280 and
 * 8410), in the profile that C2PA readers ask of a claim signer.
 *
 * How long they last: a reader without a trusted time stamp judges a certificate at the time of reading, so a
 * picture stays trusted as long as its signer's certificate lasts. Hence ten years for the author's and
 * twenty for the root, not the single year of commercial signers, who add time stamps. The country is left
 * out: nobody has checked it. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cert.h"
#include "key.h"

#define DAY       (24 * 60 * 60L)
#define ROOT_DAYS 7305
#define LEAF_DAYS 3652
#define BACKDATE  (10 * 60L) /* seconds: a reader's clock may be behind ours */

struct extension {
    int nid;
    const char *value; /* as in openssl's configuration files */
};

/* RFC 5280 4.2; order does not matter, but AKI needs the issuer's SKI to exist. */
static const struct extension root_extensions[] = {
    {NID_basic_constraints, "critical,CA:TRUE"},
    {NID_key_usage, "critical,keyCertSign,cRLSign"},
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
};
static const struct extension leaf_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature,nonRepudiation"},
    {NID_ext_key_usage, "emailProtection,1.3.6.1.4.1.62558.2.1"}, /* the second: C2PA claim signing */
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
};

static bool add_extensions(X509 *cert, X509 *issuer, const struct extension *list, size_t count)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, list[i].nid, list[i].value);
        int added = extension ? X509_add_ext(cert, extension, -1) : 0;
        X509_EXTENSION_free(extension);
        if (added != 1) return false;
    }
    return true;
}

/* 159 random bits: positive and at most 20 bytes (RFC 5280 4.1.2.2). */
static bool set_serial(X509 *cert)
{
    uint8_t bytes[20];
    randombytes_buf(bytes, sizeof bytes);
    bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40);
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool good = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    return good;
}

static bool add_name(X509_NAME *name, const char *field, const char *value)
{
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value, -1, -1, 0) ==
           1;
}

/* At most 64 characters (RFC 5280 appendix A, ub-common-name), cut between characters. */
static char *root_name(const char *author)
{
    static const char tail[] = " (Blindstamp root)";
    size_t len = 0, chars = 0, room = 64 - (sizeof tail - 1);
    while (author[len] && (chars < room || ((uint8_t)author[len] & 0xc0) == 0x80)) {
        chars += ((uint8_t)author[len] & 0xc0) != 0x80;
        len++;
    }
    return bst_format("%.*s%s", (int)len, author, tail);
}

/* All of a certificate but its extensions and its signature. */
static X509 *blank(const char *name, const char *organisation, EVP_PKEY *key, int64_t now_ms, int days)
{
    X509 *cert = X509_new();
    time_t now = (time_t)(now_ms / 1000);
    X509_NAME *subject = cert ? X509_get_subject_name(cert) : NULL;
    if (cert && X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
        add_name(subject, "O", organisation) && add_name(subject, "CN", name) &&
        X509_set_pubkey(cert, key) == 1 && X509_time_adj_ex(X509_getm_notBefore(cert), 0, -BACKDATE, &now) &&
        X509_time_adj_ex(X509_getm_notAfter(cert), days, 0, &now)) {
        return cert;
    }
    X509_free(cert);
    return NULL;
}

static X509 *make_root(const char *author, EVP_PKEY *ca, int64_t now_ms)
{
    char *name = root_name(author);
    X509 *root = name ? blank(name, author, ca, now_ms, ROOT_DAYS) : NULL;
    free(name);
    if (root && X509_set_issuer_name(root, X509_get_subject_name(root)) == 1 &&
        add_extensions(root, root, root_extensions, sizeof root_extensions / sizeof *root_extensions) &&
        X509_sign(root, ca, NULL) > 0) {
        return root;
    }
    X509_free(root);
    return NULL;
}

static X509 *make_leaf(const char *author, EVP_PKEY *key, X509 *root, EVP_PKEY *ca, int64_t now_ms)
{
    X509 *leaf = blank(author, author, key, now_ms, LEAF_DAYS);
    if (leaf && X509_set_issuer_name(leaf, X509_get_subject_name(root)) == 1 &&
        add_extensions(leaf, root, leaf_extensions, sizeof leaf_extensions / sizeof *leaf_extensions) &&
        X509_sign(leaf, ca, NULL) > 0) {
        return leaf;
    }
    X509_free(leaf);
    return NULL;
}

static char *to_pem(X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL, *result = NULL;
    if (bio && PEM_write_bio_X509(bio, cert) == 1) {
        long len = BIO_get_mem_data(bio, &text);
        result = bst_format("%.*s", (int)len, text);
    }
    BIO_free(bio);
    return result;
}

enum bst_code bst_cert_make(const struct bst_identity *author, const struct bst_key *ca_key,
                            const struct bst_key *author_key, int64_t now_ms, char **root_pem,
                            char **leaf_pem, struct bst_error *err)
{
    EVP_PKEY *ca = bst_key_evp(ca_key), *key = bst_key_evp(author_key);
    X509 *root = ca && key ? make_root(author->name, ca, now_ms) : NULL;
    X509 *leaf = root ? make_leaf(author->name, key, root, ca, now_ms) : NULL;
    *root_pem = leaf ? to_pem(root) : NULL;
    *leaf_pem = leaf ? to_pem(leaf) : NULL;
    X509_free(leaf);
    X509_free(root);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca);
    if (*root_pem && *leaf_pem) return BST_OK;
    free(*root_pem);
    free(*leaf_pem);
    *root_pem = *leaf_pem = NULL;
    unsigned long reason = ERR_get_error();
    ERR_clear_error();
    const char *words = ERR_reason_error_string(reason);
    return bst_fail(err, BST_FAILURE, "libcrypto cannot make the certificates: %s",
                    words ? words : "out of memory");
}
