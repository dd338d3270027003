/* cose.c - COSE_Sign1 signatures over C2PA claims (C2PA 2.4, 13.2; RFC 9052 4.4). */
#include "cose.h"
#include "cert_profile.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_ALG = 1, LABEL_CRIT = 2, LABEL_X5CHAIN = 33, TAG_SIGN1 = 18, ALG_EDDSA = -8 };

/* ---- chains ---- */

static enum bst_code add_der(struct bst_chain *chain, X509 *certificate, struct bst_error *err)
{
    if (chain->count == BST_CHAIN_MAX) {
        return bst_fail(err, BST_UNREADABLE, "more than %d certificates in the chain", BST_CHAIN_MAX);
    }
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);
    if (len <= 0) return bst_fail_memory(err);
    struct bst_buf *slot = &chain->der[chain->count++];
    bst_buf_append(slot, der, (size_t)len);
    OPENSSL_free(der);
    return slot->failed ? bst_fail_memory(err) : BST_OK;
}

enum bst_code bst_chain_from_pem(const char *pem, size_t len, struct bst_chain *out, struct bst_error *err)
{
    memset(out, 0, sizeof(*out));
    if (len > INT_MAX) return bst_fail(err, BST_UNREADABLE, "the certificate file is too large");
    BIO *bio = BIO_new_mem_buf(pem, (int)len);
    if (bio == NULL) return bst_fail_memory(err);
    enum bst_code code = BST_OK;
    X509 *certificate;
    while (code == BST_OK && (certificate = bst_cert_next(bio)) != NULL) {
        bool root = X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
        if (out->count == 0 || !root) code = add_der(out, certificate, err);
        X509_free(certificate);
    }
    BIO_free(bio);
    ERR_clear_error();
    if (code == BST_OK && out->count == 0) {
        code = bst_fail(err, BST_UNREADABLE, "no certificate in the file");
        bst_hint(err, "it must hold PEM blocks that begin with -----BEGIN CERTIFICATE-----");
    }
    if (code != BST_OK) bst_chain_clear(out);
    return code;
}

void bst_chain_clear(struct bst_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++) {
        bst_buf_free(&chain->der[i]);
    }
    memset(chain, 0, sizeof(*chain));
}

/* ---- algorithms ---- */

struct algorithm {
    int64_t id;
    const char *name;
    int key_type, curve; /* curve 0: any */
    const char *digest;  /* NULL: the algorithm's own */
    size_t half;         /* ECDSA: bytes of r and of s */
};
static const struct algorithm algorithms[] = {
    {ALG_EDDSA, "ed25519", EVP_PKEY_ED25519, 0, NULL, 0},
    {-7, "es256", EVP_PKEY_EC, NID_X9_62_prime256v1, "SHA256", 32},
    {-35, "es384", EVP_PKEY_EC, NID_secp384r1, "SHA384", 48},
    {-36, "es512", EVP_PKEY_EC, NID_secp521r1, "SHA512", 66},
    {-37, "ps256", EVP_PKEY_RSA, 0, "SHA256", 0},
    {-38, "ps384", EVP_PKEY_RSA, 0, "SHA384", 0},
    {-39, "ps512", EVP_PKEY_RSA, 0, "SHA512", 0},
};
#define COSE_MAX   (4u << 20) /* certificates, time stamps and answers are a few thousand bytes each */
#define ALGORITHMS (sizeof(algorithms) / sizeof(algorithms[0]))

static const struct algorithm *find_algorithm(int64_t alg)
{
    for (size_t i = 0; i < ALGORITHMS; i++) {
        if (algorithms[i].id == alg) return &algorithms[i];
    }
    return NULL;
}

const char *bst_cose_algorithm(int64_t alg)
{
    const struct algorithm *algorithm = find_algorithm(alg);
    return algorithm == NULL ? NULL : algorithm->name;
}

int64_t bst_cose_number(const char *name)
{
    for (size_t i = 0; i < ALGORITHMS; i++) {
        if (strcmp(algorithms[i].name, name) == 0) return algorithms[i].id;
    }
    return 0;
}

static bool key_fits(const struct algorithm *algorithm, EVP_PKEY *key)
{
    char group[64];
    size_t len;
    int type = EVP_PKEY_get_base_id(key);
    if (type == EVP_PKEY_RSA_PSS) type = EVP_PKEY_RSA;
    if (type != algorithm->key_type) return false;
    if (algorithm->curve == 0) return true;
    if (EVP_PKEY_get_group_name(key, group, sizeof(group), &len) != 1) return false;
    return OBJ_txt2nid(group) == algorithm->curve;
}

bool bst_cose_fits(int64_t alg, EVP_PKEY *key)
{
    const struct algorithm *algorithm = find_algorithm(alg);
    bool fits = algorithm != NULL && key_fits(algorithm, key);
    ERR_clear_error();
    return fits;
}

int64_t bst_cose_choose(EVP_PKEY *key)
{
    for (size_t i = 0; i < ALGORITHMS; i++) {
        if (bst_cose_fits(algorithms[i].id, key)) return algorithms[i].id;
    }
    return 0;
}

/* ---- signing ---- */

/* What a COSE_Sign1 signature covers: [context, protected, external aad, payload]. */
static void sig_structure(struct bst_buf *out, const char *context, const void *protected_bytes,
                          size_t protected_len, const void *payload, size_t len)
{
    bst_cbor_array(out, 4);
    bst_cbor_text(out, context);
    bst_cbor_bytes(out, protected_bytes, protected_len);
    bst_cbor_bytes(out, "", 0);
    bst_cbor_bytes(out, payload, len);
}

/* libcrypto writes an ECDSA signature as DER, COSE wants r || s. */
static bool ecdsa_from_der(const uint8_t *der, size_t len, size_t half, struct bst_buf *sig)
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool good = pair != NULL && bst_buf_reserve(sig, 2 * half) &&
                BN_bn2binpad(ECDSA_SIG_get0_r(pair), sig->data + sig->len, (int)half) == (int)half &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), sig->data + sig->len + half, (int)half) == (int)half;
    if (good) sig->len += 2 * half;
    ECDSA_SIG_free(pair);
    return good;
}

static bool set_padding(const struct algorithm *algorithm, EVP_PKEY_CTX *parameters)
{
    return algorithm->key_type != EVP_PKEY_RSA ||
           (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) > 0);
}

static bool sign_with(const struct algorithm *algorithm, EVP_PKEY *key, const struct bst_buf *message,
                      struct bst_buf *sig)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters; /* owned by context */
    size_t len = 0;
    uint8_t *raw = NULL;
    bool good = context != NULL &&
                EVP_DigestSignInit_ex(context, &parameters, algorithm->digest, NULL, NULL, key, NULL) == 1 &&
                set_padding(algorithm, parameters) &&
                EVP_DigestSign(context, NULL, &len, message->data, message->len) == 1 &&
                (raw = malloc(len)) != NULL &&
                EVP_DigestSign(context, raw, &len, message->data, message->len) == 1;
    if (good && algorithm->half != 0) {
        good = ecdsa_from_der(raw, len, algorithm->half, sig);
    } else if (good) {
        bst_buf_append(sig, raw, len);
    }
    free(raw);
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return good && !sig->failed;
}

static enum bst_code make_signature(const struct bst_signer *signer, const struct algorithm *algorithm,
                                    const struct bst_buf *message, struct bst_buf *sig, struct bst_error *err)
{
    uint8_t raw[BST_SIG_LEN];
    if (signer->key != NULL) {
        bst_key_sign(signer->key, message->data, message->len, raw);
        bst_buf_append(sig, raw, sizeof(raw));
        return sig->failed ? bst_fail_memory(err) : BST_OK;
    }
    if (!bst_cose_fits(algorithm->id, signer->evp))
        return bst_fail(err, BST_USAGE, "the key cannot sign with %s", algorithm->name);
    return sign_with(algorithm, signer->evp, message, sig)
               ? BST_OK
               : bst_fail(err, BST_FAILURE, "libcrypto cannot sign with %s", algorithm->name);
}

enum bst_code bst_cose_sign(const struct bst_signer *signer, const void *payload, size_t len, size_t room,
                            struct bst_buf *out, struct bst_error *err)
{
    struct bst_buf header = {0}, message = {0}, sig = {0};
    const struct bst_chain *chain = &signer->chain;
    const struct algorithm *algorithm = find_algorithm(signer->key != NULL ? ALG_EDDSA : signer->alg);
    if (algorithm == NULL) return bst_fail(err, BST_USAGE, "there is no such signature algorithm");
    bst_cbor_map(&header, 2);
    bst_cbor_uint(&header, LABEL_ALG);
    bst_cbor_negative(&header, (uint64_t)(-1 - algorithm->id));
    bst_cbor_uint(&header, LABEL_X5CHAIN);
    if (chain->count > 1) bst_cbor_array(&header, chain->count);
    for (size_t i = 0; i < chain->count; i++) {
        bst_cbor_bytes(&header, chain->der[i].data, chain->der[i].len);
    }
    sig_structure(&message, "Signature1", header.data, header.len, payload, len);
    enum bst_code code = header.failed || message.failed
                             ? bst_fail_memory(err)
                             : make_signature(signer, algorithm, &message, &sig, err);
    if (code == BST_OK) {
        bst_cbor_tag(out, TAG_SIGN1);
        bst_cbor_array(out, 4);
        bst_cbor_bytes(out, header.data, header.len);
        bst_cose_header(out, &(struct bst_attachment){0}, room);
        bst_cbor_null(out);
        bst_cbor_bytes(out, sig.data, sig.len);
        if (out->failed) code = bst_fail_memory(err);
    }
    bst_buf_free(&header);
    bst_buf_free(&message);
    bst_buf_free(&sig);
    return code;
}

/* ---- reading ---- */

static enum bst_code malformed(struct bst_error *err, const char *what)
{
    return bst_fail(err, BST_BROKEN, "the claim signature is malformed: %s", what);
}

static enum bst_code add_certificate(struct bst_cose *out, cbor_item_t *item, struct bst_error *err)
{
    const uint8_t *der;
    size_t len;
    if (!bst_cbor_get_bytes(item, &der, &len) || len > 65536)
        return malformed(err, "no certificate in x5chain");
    if (sk_X509_num(out->chain) >= BST_CHAIN_MAX) return malformed(err, "too many certificates");
    const unsigned char *end = der;
    X509 *certificate = d2i_X509(NULL, &end, (long)len);
    ERR_clear_error();
    if (certificate == NULL || end != der + len) {
        X509_free(certificate);
        return malformed(err, "a certificate cannot be read");
    }
    if (sk_X509_push(out->chain, certificate) > 0) return BST_OK;
    X509_free(certificate);
    return bst_fail_memory(err);
}

static enum bst_code parse_chain(struct bst_cose *out, struct bst_error *err)
{
    cbor_item_t *item = bst_cbor_get_int(out->protected_map, LABEL_X5CHAIN);
    out->int_label = item != NULL;
    if (item == NULL) item = bst_cbor_get(out->protected_map, "x5chain"); /* written by older tools */
    if (item == NULL) item = bst_cbor_get(out->unprotected, "x5chain");
    if (item == NULL) return BST_OK;
    out->chain = sk_X509_new_null();
    if (out->chain == NULL) return bst_fail_memory(err);
    if (!cbor_isa_array(item)) return add_certificate(out, item, err);
    enum bst_code code = cbor_array_size(item) == 0 ? malformed(err, "an empty x5chain") : BST_OK;
    for (size_t i = 0; i < cbor_array_size(item) && code == BST_OK; i++) {
        code = add_certificate(out, cbor_array_handle(item)[i], err);
    }
    return code;
}

/* Who does not understand a field that the header calls critical must not believe the signature (RFC 9052, 3.1). */
static bool understood(cbor_item_t *header)
{
    cbor_item_t *list = bst_cbor_get_int(header, LABEL_CRIT);
    if (list == NULL) return true;
    if (!cbor_isa_array(list)) return false;
    for (size_t i = 0; i < cbor_array_size(list); i++) {
        cbor_item_t *label = cbor_array_handle(list)[i];
        uint64_t number;
        bool known = bst_cbor_get_uint(label, &number) ? number == LABEL_ALG || number == LABEL_X5CHAIN
                                                       : bst_cbor_is(label, "x5chain");
        if (!known) return false;
    }
    return true;
}

static enum bst_code parse_sign1(struct bst_cose *out, struct bst_error *err)
{
    cbor_item_t *array = out->item;
    if (!cbor_isa_array(array) || cbor_array_size(array) != 4) return malformed(err, "not four parts");
    cbor_item_t **part = cbor_array_handle(array);
    out->unprotected = part[1];
    out->has_payload = !bst_cbor_is_null(part[2]);
    if (!bst_cbor_get_bytes(part[0], &out->protected_bytes, &out->protected_len) || !cbor_isa_map(part[1]) ||
        (out->has_payload && !cbor_isa_bytestring(part[2])) ||
        !bst_cbor_get_bytes(part[3], &out->sig, &out->sig_len)) {
        return malformed(err, "a part of the wrong type");
    }
    enum bst_code code = bst_cbor_parse(out->protected_bytes, out->protected_len, &out->protected_map, err);
    if (code != BST_OK) return code;
    if (!cbor_isa_map(out->protected_map)) return malformed(err, "the protected header is no map");
    if (!understood(out->protected_map))
        return malformed(err, "a critical field that this version does not know");
    cbor_item_t *alg = bst_cbor_get_int(out->protected_map, LABEL_ALG);
    if (alg != NULL && cbor_isa_negint(alg) && cbor_get_int(alg) < 65536) {
        out->has_alg = true;
        out->alg = -1 - (int64_t)cbor_get_int(alg);
    }
    return parse_chain(out, err);
}

enum bst_code bst_cose_parse(const uint8_t *data, size_t len, struct bst_cose *out, struct bst_error *err)
{
    memset(out, 0, sizeof(*out));
    /* Debian 12's libcbor (0.8) refuses this tag, so it is taken off here; the other spellings of tag 18 are
     * longer than need be, which C2PA forbids. */
    if (len == 0 || data[0] != (0xc0 | TAG_SIGN1)) return malformed(err, "it is not a tagged COSE_Sign1");
    if (len > COSE_MAX) return malformed(err, "it is too long");
    enum bst_code code = bst_cbor_parse(data + 1, len - 1, &out->item, err);
    if (code == BST_OK) code = parse_sign1(out, err);
    if (code != BST_OK) bst_cose_clear(out);
    return code;
}

void bst_cose_clear(struct bst_cose *cose)
{
    sk_X509_pop_free(cose->chain, X509_free);
    if (cose->protected_map != NULL) cbor_decref(&cose->protected_map);
    if (cose->item != NULL) cbor_decref(&cose->item);
    memset(cose, 0, sizeof(*cose));
}

/* ---- verifying ---- */

/* COSE writes an ECDSA signature as r || s, libcrypto reads DER. */
static bool ecdsa_to_der(const uint8_t *sig, size_t len, size_t half, unsigned char **der, size_t *der_len)
{
    if (len != 2 * half) return false;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(sig, (int)half, NULL), *s = BN_bin2bn(sig + half, (int)half, NULL);
    int made = -1;
    *der = NULL;
    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; /* owned by pair now */
        made = i2d_ECDSA_SIG(pair, der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    *der_len = made > 0 ? (size_t)made : 0;
    return made > 0;
}

static bool verify_with(const struct algorithm *algorithm, EVP_PKEY *key, const struct bst_buf *message,
                        const uint8_t *sig, size_t sig_len)
{
    unsigned char *der = NULL;
    if (algorithm->half != 0) {
        if (!ecdsa_to_der(sig, sig_len, algorithm->half, &der, &sig_len)) return false;
        sig = der;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters; /* owned by context */
    bool good = context != NULL &&
                EVP_DigestVerifyInit_ex(context, &parameters, algorithm->digest, NULL, NULL, key, NULL) == 1;
    good = good && set_padding(algorithm, parameters) &&
           EVP_DigestVerify(context, sig, sig_len, message->data, message->len) == 1;
    EVP_MD_CTX_free(context);
    OPENSSL_free(der);
    ERR_clear_error();
    return good;
}

bool bst_cose_key_fits(const struct bst_cose *cose)
{
    const struct algorithm *algorithm = cose->has_alg ? find_algorithm(cose->alg) : NULL;
    EVP_PKEY *key = cose->chain == NULL ? NULL : X509_get0_pubkey(sk_X509_value(cose->chain, 0));
    bool fits = algorithm != NULL && key != NULL && key_fits(algorithm, key);
    ERR_clear_error();
    return fits;
}

enum bst_code bst_cose_verify(const struct bst_cose *cose, const void *payload, size_t len,
                              struct bst_error *err)
{
    const struct algorithm *algorithm = cose->has_alg ? find_algorithm(cose->alg) : NULL;
    struct bst_buf message = {0};
    if (algorithm == NULL) return bst_fail(err, BST_BROKEN, "the signature's algorithm is unknown");
    EVP_PKEY *key = cose->chain == NULL ? NULL : X509_get0_pubkey(sk_X509_value(cose->chain, 0));
    if (key == NULL || !key_fits(algorithm, key)) {
        ERR_clear_error();
        return bst_fail(err, BST_BROKEN, "the certificate's key does not fit the signature's algorithm");
    }
    sig_structure(&message, "Signature1", cose->protected_bytes, cose->protected_len, payload, len);
    if (message.failed) return bst_fail_memory(err);
    bool good = verify_with(algorithm, key, &message, cose->sig, cose->sig_len);
    bst_buf_free(&message);
    if (good) return BST_OK;
    return bst_fail(err, BST_BROKEN, "the signature does not fit the claim: one of them was altered");
}

void bst_cose_stamped(const struct bst_cose *cose, const void *payload, size_t len, struct bst_buf *out)
{
    struct bst_buf wrapped = {0};
    if (payload == NULL) { /* the signature as a CBOR byte string, head and all, is the payload */
        bst_cbor_bytes(&wrapped, cose->sig, cose->sig_len);
        payload = wrapped.data;
        len = wrapped.len;
        out->failed = out->failed || wrapped.failed;
    }
    sig_structure(out, "CounterSignature", cose->protected_bytes, cose->protected_len, payload, len);
    bst_buf_free(&wrapped);
}
