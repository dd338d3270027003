/* key.c - Ed25519 keys: made and used by libsodium, kept as PKCS#8 PEM (RFC 8410, RFC 5958) through
 * libcrypto. */
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "key.h"

#define PEM_MAX        (64u << 10)
#define PASSPHRASE_MAX 1024

/* scrypt for a new file: 16 MiB and about 0.2 s. More memory would pass the 32 MiB that openssl allows
 * unasked. */
#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 5
/* What a file from a stranger may ask for. */
#define SCRYPT_WORK_MAX (UINT64_C(1) << 22) /* N * r * p */
#define PBKDF2_MAX      10000000

struct bst_key { /* in sodium_malloc memory: guarded, locked, never in a core dump */
    uint8_t public_key[BST_KEY_LEN];
    uint8_t secret_key[crypto_sign_SECRETKEYBYTES]; /* libsodium's form: seed, then public key */
};

static struct bst_key *allocate(struct bst_error *err)
{
    struct bst_key *key = sodium_init() >= 0 ? sodium_malloc(sizeof *key) : NULL;
    if (!key) {
        bst_fail(err, BST_FAILURE, "there is no locked memory left for a key");
        bst_hint(err, "raise the limit on locked memory (ulimit -l)");
    }
    return key;
}

enum bst_code bst_key_new(struct bst_key **out, struct bst_error *err)
{
    struct bst_key *key = allocate(err);
    if (!key) return err->code;
    crypto_sign_keypair(key->public_key, key->secret_key);
    sodium_mprotect_readonly(key);
    *out = key;
    return BST_OK;
}

enum bst_code bst_key_from_seed(const uint8_t seed[static 32], struct bst_key **out, struct bst_error *err)
{
    struct bst_key *key = allocate(err);
    if (!key) return err->code;
    crypto_sign_seed_keypair(key->public_key, key->secret_key, seed);
    sodium_mprotect_readonly(key);
    *out = key;
    return BST_OK;
}

void bst_key_free(struct bst_key *key)
{
    sodium_free(key); /* wipes it */
}

const uint8_t *bst_key_public(const struct bst_key *key)
{
    return key->public_key;
}

void bst_key_sign(const struct bst_key *key, const void *message, size_t len, uint8_t sig[static BST_SIG_LEN])
{
    crypto_sign_detached(sig, NULL, message, len, key->secret_key);
}

bool bst_key_verify(const uint8_t public_key[static BST_KEY_LEN], const void *message, size_t len,
                    const uint8_t sig[static BST_SIG_LEN])
{
    return crypto_sign_verify_detached(sig, message, len, public_key) == 0;
}

EVP_PKEY *bst_key_evp(const struct bst_key *key)
{
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, key->secret_key, crypto_sign_SEEDBYTES);
}

/* ---- writing ---- */

/* PBES2 with scrypt and AES-256-CBC; salt and IV are drawn by libcrypto. NULL when out of memory. */
static X509_SIG *encrypt(PKCS8_PRIV_KEY_INFO *info, const char *passphrase)
{
    X509_ALGOR *scheme =
        PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, 0, NULL, SCRYPT_N, SCRYPT_R, SCRYPT_P);
    X509_SIG *sealed = scheme ? PKCS8_set0_pbe(passphrase, (int)strlen(passphrase), info, scheme) : NULL;
    if (!sealed) X509_ALGOR_free(scheme);
    return sealed;
}

/* The PEM text in a memory BIO that is wiped when freed. NULL on failure of libcrypto. */
static BIO *private_pem(EVP_PKEY *pkey, const char *passphrase)
{
    PKCS8_PRIV_KEY_INFO *info = pkey ? EVP_PKEY2PKCS8(pkey) : NULL;
    BIO *bio = info ? BIO_new(BIO_s_secmem()) : NULL;
    int written = 0;
    if (bio && passphrase && *passphrase) {
        X509_SIG *sealed = encrypt(info, passphrase);
        written = sealed ? PEM_write_bio_PKCS8(bio, sealed) : 0;
        X509_SIG_free(sealed);
    } else if (bio) {
        written = PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info);
    }
    if (bio && written != 1) {
        BIO_free(bio);
        bio = NULL;
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    return bio;
}

enum bst_code bst_evp_save(EVP_PKEY *pkey, const char *path, const char *passphrase, bool replace,
                           struct bst_error *err)
{
    if (passphrase && strlen(passphrase) > PASSPHRASE_MAX) {
        return bst_fail(err, BST_USAGE, "the passphrase is longer than %d bytes", PASSPHRASE_MAX);
    }
    BIO *bio = private_pem(pkey, passphrase);
    if (!bio) return bst_fail(err, BST_FAILURE, "libcrypto cannot write the key for %s", path);
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    unsigned flags = BST_WRITE_SECRET | (replace ? BST_WRITE_REPLACE : 0u);
    enum bst_code code = bst_file_write(path, text, (size_t)len, flags, err);
    BIO_free(bio);
    return code;
}

enum bst_code bst_key_save(const struct bst_key *key, const char *path, const char *passphrase, bool replace,
                           struct bst_error *err)
{
    EVP_PKEY *pkey = bst_key_evp(key);
    enum bst_code code = bst_evp_save(pkey, path, passphrase, replace, err);
    EVP_PKEY_free(pkey);
    return code;
}

/* ---- reading ---- */

/* libcrypto's own parameter record of scrypt is not in its public headers: RFC 7914 7. */
struct scrypt_parameters {
    ASN1_OCTET_STRING *salt;
    ASN1_INTEGER *n, *r, *p, *key_length;
};
typedef struct scrypt_parameters SCRYPT_PARAMETERS;
ASN1_SEQUENCE(SCRYPT_PARAMETERS) =
    {
        ASN1_SIMPLE(SCRYPT_PARAMETERS, salt, ASN1_OCTET_STRING),
        ASN1_SIMPLE(SCRYPT_PARAMETERS, n, ASN1_INTEGER),
        ASN1_SIMPLE(SCRYPT_PARAMETERS, r, ASN1_INTEGER),
        ASN1_SIMPLE(SCRYPT_PARAMETERS, p, ASN1_INTEGER),
        ASN1_OPT(SCRYPT_PARAMETERS, key_length, ASN1_INTEGER),
} static_ASN1_SEQUENCE_END(SCRYPT_PARAMETERS)

    /* N * r * p within bounds; numbers that do not fit count as too much. */
    static bool scrypt_affordable(const ASN1_TYPE *parameter)
{
    SCRYPT_PARAMETERS *scrypt = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(SCRYPT_PARAMETERS), parameter);
    uint64_t n = 0, r = 0, p = 0, work = 0;
    bool good = scrypt && ASN1_INTEGER_get_uint64(&n, scrypt->n) && ASN1_INTEGER_get_uint64(&r, scrypt->r) &&
                ASN1_INTEGER_get_uint64(&p, scrypt->p) && !__builtin_mul_overflow(n, r, &work) &&
                !__builtin_mul_overflow(work, p, &work) && work <= SCRYPT_WORK_MAX;
    ASN1_item_free((ASN1_VALUE *)scrypt, ASN1_ITEM_rptr(SCRYPT_PARAMETERS));
    return good;
}

static bool pbkdf2_affordable(const ASN1_TYPE *parameter)
{
    PBKDF2PARAM *pbkdf2 = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBKDF2PARAM), parameter);
    uint64_t rounds = 0;
    bool good = pbkdf2 && ASN1_INTEGER_get_uint64(&rounds, pbkdf2->iter) && rounds <= PBKDF2_MAX;
    PBKDF2PARAM_free(pbkdf2);
    return good;
}

/* Only PBES2 with scrypt or PBKDF2, and neither asking for an absurd amount of work. */
static bool encryption_affordable(const X509_SIG *sealed)
{
    const X509_ALGOR *scheme;
    const ASN1_OBJECT *name;
    const void *value;
    int type;
    X509_SIG_get0(sealed, &scheme, NULL);
    X509_ALGOR_get0(&name, &type, &value, scheme);
    if (OBJ_obj2nid(name) != NID_pbes2 || type != V_ASN1_SEQUENCE) return false;
    PBE2PARAM *pbe2 = ASN1_item_unpack(value, ASN1_ITEM_rptr(PBE2PARAM));
    bool good = false;
    if (pbe2 && pbe2->keyfunc->parameter) {
        int function = OBJ_obj2nid(pbe2->keyfunc->algorithm);
        if (function == NID_id_scrypt) good = scrypt_affordable(pbe2->keyfunc->parameter);
        if (function == NID_id_pbkdf2) good = pbkdf2_affordable(pbe2->keyfunc->parameter);
    }
    PBE2PARAM_free(pbe2);
    return good;
}

/* DER of an EncryptedPrivateKeyInfo -> the key's information. */
static enum bst_code decrypt(const uint8_t *der, long len, const char *passphrase, PKCS8_PRIV_KEY_INFO **out,
                             bool *locked, struct bst_error *err)
{
    X509_SIG *sealed = d2i_X509_SIG(NULL, &der, len);
    if (!sealed) return bst_fail(err, BST_UNREADABLE, "the encrypted key is damaged");
    enum bst_code code = BST_OK;
    if (!encryption_affordable(sealed)) {
        bst_fail(err, BST_UNREADABLE, "the key is encrypted in a way that is not supported");
        code = bst_hint(err, "write it again: openssl pkcs8 -topk8 -v2 aes-256-cbc -scrypt");
    } else if (!passphrase || !*passphrase) {
        *locked = true;
        bst_fail(err, BST_USAGE, "the key is protected by a passphrase");
        code = bst_hint(err, "give it at the prompt, with --passphrase-file or in BLINDSTAMP_PASSPHRASE");
    } else {
        size_t size = strlen(passphrase);
        *out = size <= PASSPHRASE_MAX ? PKCS8_decrypt(sealed, passphrase, (int)size) : NULL;
        if (!*out) code = bst_fail(err, BST_USAGE, "wrong passphrase");
    }
    X509_SIG_free(sealed);
    return code;
}

static enum bst_code read_info(const char *label, const uint8_t *der, long len, const char *passphrase,
                               PKCS8_PRIV_KEY_INFO **out, bool *locked, struct bst_error *err)
{
    if (strcmp(label, PEM_STRING_PKCS8) == 0) return decrypt(der, len, passphrase, out, locked, err);
    if (strcmp(label, PEM_STRING_PKCS8INF) == 0) *out = d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, len);
    if (*out) return BST_OK;
    bst_fail(err, BST_UNREADABLE, "this is not a private key in PKCS#8 PEM");
    return bst_hint(err, "openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW converts other forms");
}

static enum bst_code evp_from_bio(BIO *bio, const char *passphrase, EVP_PKEY **out, bool *locked,
                                  struct bst_error *err)
{
    char *label = NULL, *header = NULL;
    uint8_t *der = NULL;
    long len = 0;
    PKCS8_PRIV_KEY_INFO *info = NULL;
    if (PEM_read_bio(bio, &label, &header, &der, &len) != 1) {
        return bst_fail(err, BST_UNREADABLE, "this is not a key in PEM");
    }
    enum bst_code code = read_info(label, der, len, passphrase, &info, locked, err);
    if (code == BST_OK && (*out = EVP_PKCS82PKEY(info)) == NULL)
        code = bst_fail(err, BST_UNREADABLE, "the key is of a kind that libcrypto does not know");
    PKCS8_PRIV_KEY_INFO_free(info);
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(der, (size_t)len);
    return code;
}

enum bst_code bst_evp_from_pem(const void *pem, size_t len, const char *passphrase, EVP_PKEY **out,
                               bool *locked, struct bst_error *err)
{
    bool is_locked = false;
    if (len > PEM_MAX) return bst_fail(err, BST_UNREADABLE, "the key is longer than %u bytes", PEM_MAX);
    BIO *bio = BIO_new_mem_buf(pem, (int)len);
    if (!bio) return bst_fail_memory(err);
    enum bst_code code = evp_from_bio(bio, passphrase, out, &is_locked, err);
    BIO_free(bio);
    ERR_clear_error();
    if (locked) *locked = is_locked;
    return code;
}

static enum bst_code key_from_evp(const EVP_PKEY *pkey, struct bst_key **out, struct bst_error *err)
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    size_t len = sizeof seed;
    bool good = EVP_PKEY_id(pkey) == EVP_PKEY_ED25519 &&
                EVP_PKEY_get_raw_private_key(pkey, seed, &len) == 1 && len == sizeof seed;
    enum bst_code code = good
                             ? bst_key_from_seed(seed, out, err)
                             : bst_fail(err, BST_UNREADABLE, "the file does not hold an Ed25519 private key");
    sodium_memzero(seed, sizeof seed);
    ERR_clear_error();
    return code;
}

enum bst_code bst_key_from_pem(const void *pem, size_t len, const char *passphrase, struct bst_key **out,
                               bool *locked, struct bst_error *err)
{
    EVP_PKEY *pkey = NULL;
    enum bst_code code = bst_evp_from_pem(pem, len, passphrase, &pkey, locked, err);
    if (code == BST_OK) code = key_from_evp(pkey, out, err);
    EVP_PKEY_free(pkey);
    return code;
}

enum bst_code bst_evp_load(const char *path, const char *passphrase, EVP_PKEY **out, bool *locked,
                           struct bst_error *err)
{
    struct bst_buf pem = {0};
    if (locked) *locked = false;
    enum bst_code code = bst_file_read(path, PEM_MAX, &pem, err);
    if (code != BST_OK) return code;
    code = bst_evp_from_pem(pem.data, pem.len, passphrase, out, locked, err);
    if (pem.data) sodium_memzero(pem.data, pem.cap);
    bst_buf_free(&pem);
    return code == BST_OK ? code : bst_where(err, "%s", path);
}

enum bst_code bst_key_load(const char *path, const char *passphrase, struct bst_key **out, bool *locked,
                           struct bst_error *err)
{
    EVP_PKEY *pkey = NULL;
    enum bst_code code = bst_evp_load(path, passphrase, &pkey, locked, err);
    if (code == BST_OK && key_from_evp(pkey, out, err) != BST_OK) code = bst_where(err, "%s", path);
    EVP_PKEY_free(pkey);
    return code;
}

/* ---- public halves ---- */

#define SPKI_LEN 44 /* RFC 8410 4: twelve fixed bytes, then the key */

static void spki(const uint8_t public_key[static BST_KEY_LEN], uint8_t out[static SPKI_LEN])
{
    static const uint8_t head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, public_key, BST_KEY_LEN);
}

void bst_key_id(const uint8_t public_key[static BST_KEY_LEN], char out[static BST_SHA256_HEX])
{
    uint8_t der[SPKI_LEN], digest[BST_SHA256_LEN];
    spki(public_key, der);
    bst_sha256(der, sizeof der, digest);
    bst_hex(digest, sizeof digest, out);
}

enum bst_code bst_home_key(const char *home, const char *name, const char *passphrase, struct bst_key **out,
                           bool *locked, struct bst_error *err)
{
    char *path = bst_path_join(home, name);
    enum bst_code code = path ? bst_key_load(path, passphrase, out, locked, err) : bst_fail_memory(err);
    free(path);
    return code;
}

enum bst_code bst_key_public_pem(const uint8_t public_key[static BST_KEY_LEN], char **out,
                                 struct bst_error *err)
{
    uint8_t der[SPKI_LEN];
    spki(public_key, der);
    char *body = bst_base64(der, sizeof der); /* 60 characters: one line */
    char *pem = body ? bst_format("-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n", body) : NULL;
    free(body);
    if (!pem) return bst_fail_memory(err);
    *out = pem;
    return BST_OK;
}

enum bst_code bst_key_public_from_pem(const char *pem, size_t len, uint8_t public_key[static BST_KEY_LEN],
                                      struct bst_error *err)
{
    /* Not PEM_read_bio_PUBKEY: of a text that claims to be encrypted it asks for a passphrase on the
     * terminal. */
    BIO *bio = len <= PEM_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
    char *label = NULL, *header = NULL;
    uint8_t *der = NULL;
    long der_len = 0;
    EVP_PKEY *pkey = NULL;
    if (bio && PEM_read_bio(bio, &label, &header, &der, &der_len) == 1 &&
        strcmp(label, PEM_STRING_PUBLIC) == 0) {
        const uint8_t *at = der;
        pkey = d2i_PUBKEY(NULL, &at, der_len);
    }
    size_t got = BST_KEY_LEN;
    bool good = pkey && EVP_PKEY_id(pkey) == EVP_PKEY_ED25519 &&
                EVP_PKEY_get_raw_public_key(pkey, public_key, &got) == 1 && got == BST_KEY_LEN;
    EVP_PKEY_free(pkey);
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(bio);
    ERR_clear_error();
    return good ? BST_OK : bst_fail(err, BST_UNREADABLE, "this is not an Ed25519 public key in PEM");
}
