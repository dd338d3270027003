/* test_c2pa_cose.c - every signature algorithm of C2PA, made by libcrypto, verified by ours; malformed ones
 * refused. */
#include "stamp_fixture.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

static const char payload[] = "the claim";

struct kind {
    int64_t alg;
    const char *name, *key, *curve, *digest;
    size_t half; /* ECDSA: length of r and s */
};
static const struct kind kinds[] = {
    {-8, "ed25519", "ED25519", NULL, NULL, 0},   {-7, "es256", "EC", "P-256", "SHA256", 32},
    {-35, "es384", "EC", "P-384", "SHA384", 48}, {-36, "es512", "EC", "P-521", "SHA512", 66},
    {-37, "ps256", "RSA", NULL, "SHA256", 0},    {-38, "ps384", "RSA", NULL, "SHA384", 0},
    {-39, "ps512", "RSA", NULL, "SHA512", 0},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static EVP_PKEY *make_key(const struct kind *kind)
{
    if (kind->curve != NULL) return EVP_EC_gen(kind->curve);
    if (strcmp(kind->key, "RSA") == 0) return EVP_RSA_gen(2048);
    return EVP_PKEY_Q_keygen(NULL, NULL, kind->key);
}

static void make_certificate(EVP_PKEY *key, struct bst_buf *der)
{
    unsigned char *bytes = NULL;
    X509 *certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, key);
    const EVP_MD *digest = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
    assert_true(X509_sign(certificate, key, digest) > 0);
    int len = i2d_X509(certificate, &bytes);
    assert_true(len > 0);
    bst_buf_append(der, bytes, (size_t)len);
    OPENSSL_free(bytes);
    X509_free(certificate);
}

/* Signature over the message as COSE wants it: ECDSA as r || s. */
static void sign(const struct kind *kind, EVP_PKEY *key, const struct bst_buf *message, struct bst_buf *sig)
{
    uint8_t raw[1024];
    size_t len = sizeof(raw);
    EVP_PKEY_CTX *parameters;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit_ex(context, &parameters, kind->digest, NULL, NULL, key, NULL), 1);
    if (strcmp(kind->key, "RSA") == 0) {
        EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST);
    }
    assert_int_equal(EVP_DigestSign(context, raw, &len, message->data, message->len), 1);
    EVP_MD_CTX_free(context);
    if (kind->half == 0) {
        bst_buf_append(sig, raw, len);
        return;
    }
    const unsigned char *end = raw;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &end, (long)len);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, (int)kind->half), kind->half);
    bst_buf_append(sig, raw, kind->half);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw, (int)kind->half), kind->half);
    bst_buf_append(sig, raw, kind->half);
    ECDSA_SIG_free(pair);
}

struct cose_parts {
    struct bst_buf header, sig;
    bool tagged, payload;
};

static void join(const struct cose_parts *parts, struct bst_buf *out)
{
    if (parts->tagged) bst_cbor_tag(out, 18);
    bst_cbor_array(out, 4);
    bst_cbor_bytes(out, parts->header.data, parts->header.len);
    bst_cbor_map(out, 0);
    if (parts->payload) {
        bst_cbor_bytes(out, payload, sizeof(payload) - 1);
    } else {
        bst_cbor_null(out);
    }
    bst_cbor_bytes(out, parts->sig.data, parts->sig.len);
}

/* Signs the payload with a fresh key of that kind; named is the algorithm that the header claims. */
static void make_parts(const struct kind *kind, int64_t named, bool text_label, struct cose_parts *parts)
{
    struct bst_buf der = {0}, message = {0};
    EVP_PKEY *key = make_key(kind);
    memset(parts, 0, sizeof(*parts));
    parts->tagged = true;
    assert_non_null(key);
    make_certificate(key, &der);
    bst_cbor_map(&parts->header, 2);
    bst_cbor_uint(&parts->header, 1);
    bst_cbor_negative(&parts->header, (uint64_t)(-1 - named));
    if (text_label) {
        bst_cbor_text(&parts->header, "x5chain");
    } else {
        bst_cbor_uint(&parts->header, 33);
    }
    bst_cbor_bytes(&parts->header, der.data, der.len);
    bst_cbor_array(&message, 4);
    bst_cbor_text(&message, "Signature1");
    bst_cbor_bytes(&message, parts->header.data, parts->header.len);
    bst_cbor_bytes(&message, "", 0);
    bst_cbor_bytes(&message, payload, sizeof(payload) - 1);
    sign(kind, key, &message, &parts->sig);
    EVP_PKEY_free(key);
    bst_buf_free(&der);
    bst_buf_free(&message);
}

static void free_parts(struct cose_parts *parts)
{
    bst_buf_free(&parts->header);
    bst_buf_free(&parts->sig);
}

/* BST_OK when the joined parts parse and verify over the words. */
static enum bst_code verify(const struct cose_parts *parts, const char *words)
{
    struct bst_error err = {0};
    struct bst_buf bytes = {0};
    struct bst_cose cose;
    join(parts, &bytes);
    enum bst_code code = bst_cose_parse(bytes.data, bytes.len, &cose, &err);
    if (code == BST_OK) {
        code = bst_cose_verify(&cose, words, strlen(words), &err);
        assert_int_equal(cose.has_payload, parts->payload);
        bst_cose_clear(&cose);
    }
    bst_buf_free(&bytes);
    return code;
}

static void every_algorithm_is_verified(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        struct cose_parts parts;
        make_parts(&kinds[i], kinds[i].alg, i % 2 == 1, &parts);
        assert_string_equal(bst_cose_algorithm(kinds[i].alg), kinds[i].name);
        if (verify(&parts, payload) != BST_OK) fail_msg("%s", kinds[i].name);
        assert_int_equal(verify(&parts, "the clain"), BST_BROKEN);
        for (size_t at = 0; at < parts.sig.len; at += 7) {
            parts.sig.data[at] ^= 4;
            assert_int_equal(verify(&parts, payload), BST_BROKEN);
            parts.sig.data[at] ^= 4;
        }
        parts.sig.len--; /* cut short */
        assert_int_equal(verify(&parts, payload), BST_BROKEN);
        free_parts(&parts);
    }
}

static void key_and_algorithm_must_fit(void **state)
{
    (void)state;
    for (size_t i = 0; i < KINDS; i++) {
        struct cose_parts parts;
        make_parts(&kinds[i], kinds[(i + 1) % KINDS].alg, false, &parts);
        if (verify(&parts, payload) != BST_BROKEN) fail_msg("%s", kinds[i].name);
        free_parts(&parts);
    }
    struct cose_parts parts;
    make_parts(&kinds[0], -9, false, &parts); /* ESP256: not known here */
    assert_null(bst_cose_algorithm(-9));
    assert_int_equal(verify(&parts, payload), BST_BROKEN);
    free_parts(&parts);
}

static void shape_is_checked(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct cose_parts parts;
    struct bst_cose cose;
    struct bst_buf bytes = {0};
    make_parts(&kinds[0], -8, false, &parts);
    parts.tagged = false;
    assert_int_equal(verify(&parts, payload), BST_BROKEN);
    parts.tagged = true;
    parts.payload = true; /* attached: told, and not what is verified */
    assert_int_equal(verify(&parts, payload), BST_OK);
    assert_int_equal(verify(&parts, "another"), BST_BROKEN);
    parts.payload = false;
    join(&parts, &bytes);
    for (size_t len = 0; len < bytes.len; len++) {
        uint8_t *copy = malloc(len + 1);
        memcpy(copy, bytes.data, len);
        assert_int_equal(bst_cose_parse(copy, len, &cose, &err), BST_BROKEN);
        free(copy);
    }
    static const char *const odd[] = {"d280",
                                      "d28440a0f640",
                                      "d28441a0a0f6",
                                      "d28441a080f640",
                                      "d2844100a0f640",
                                      "d28447a11821"
                                      "4130"
                                      "00"
                                      "a0f640",
                                      "d28447a2012702816178a0f640", /* "x" is critical, and unknown */
                                      "d28446a20127021821a0f640"};  /* critical fields that are no list */
    static const uint8_t critical[] = {0xd2, 0x84, 0x47, 0xa2, 0x01, 0x27, 0x02,
                                       0x81, 0x18, 0x21, 0xa0, 0xf6, 0x40};
    assert_good(bst_cose_parse(critical, sizeof(critical), &cose, &err)); /* 33 is known */
    bst_cose_clear(&cose);
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        uint8_t small[32];
        size_t len = strlen(odd[i]) / 2;
        assert_true(bst_unhex(odd[i], small, len));
        assert_int_equal(bst_cose_parse(small, len, &cose, &err), BST_BROKEN);
    }
    free_parts(&parts);
    bst_buf_free(&bytes);
}

static void chains_leave_out_their_root(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct signer signer;
    struct bst_chain chain;
    struct bst_buf pem = {0};
    signer_new(&signer, bst_now_ms());
    bst_buf_printf(&pem, "%s%s", signer.leaf, signer.root);
    assert_good(bst_chain_from_pem((const char *)pem.data, pem.len, &chain, &err));
    assert_int_equal(chain.count, 1);
    bst_chain_clear(&chain);
    assert_int_equal(bst_chain_from_pem("nothing here", 12, &chain, &err), BST_UNREADABLE);
    assert_true(err.hint[0] != 0);
    bst_buf_free(&pem);
    signer_free(&signer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_algorithm_is_verified),
        cmocka_unit_test(key_and_algorithm_must_fit),
        cmocka_unit_test(shape_is_checked),
        cmocka_unit_test(chains_leave_out_their_root),
    };
    return cmocka_run_group_tests_name("cose", tests, NULL, NULL);
}
