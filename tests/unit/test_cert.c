/* test_cert.c - the local authority's certificates, judged by openssl and by libcrypto's parser. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cert.h"

static struct bst_error err;

static X509 *parse(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(cert);
    return cert;
}

static void make(const char *name, char **root, char **leaf, uint8_t author_public[static 32])
{
    struct bst_key *ca, *author;
    struct bst_identity identity = {0};
    identity.name = bst_strdup(name);
    assert_int_equal(bst_key_new(&ca, &err), BST_OK);
    assert_int_equal(bst_key_new(&author, &err), BST_OK);
    memcpy(author_public, bst_key_public(author), 32);
    assert_int_equal(bst_cert_make(&identity, ca, author, bst_now_ms(), root, leaf, &err), BST_OK);
    bst_key_free(ca);
    bst_key_free(author);
    bst_identity_clear(&identity);
}

static void text_has(X509 *cert, const char *const *words, size_t count)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    X509_print_ex(bio, cert, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB, 0);
    BIO_write(bio, "", 1);
    BIO_get_mem_data(bio, &text);
    for (size_t i = 0; i < count; i++) {
        if (!strstr(text, words[i])) fail_msg("no \"%s\" in:\n%s", words[i], text);
    }
    BIO_free(bio);
}

static void profile_of_the_certificates(void **ctx)
{
    (void)ctx;
    static const char *const leaf_words[] = {"Version: 3",
                                             "CN = Zo\xc3\xab M\xc3\xbcller",
                                             "O = Zo\xc3\xab M\xc3\xbcller",
                                             "Basic Constraints: critical",
                                             "CA:FALSE",
                                             "Key Usage: critical",
                                             "Digital Signature, Non Repudiation",
                                             "E-mail Protection",
                                             "1.3.6.1.4.1.62558.2.1",
                                             "Subject Key Identifier",
                                             "Authority Key Identifier",
                                             "Signature Algorithm: ED25519"};
    static const char *const root_words[] = {"Version: 3",
                                             "(Blindstamp root)",
                                             "CA:TRUE",
                                             "Certificate Sign, CRL Sign",
                                             "Subject Key Identifier",
                                             "Authority Key Identifier"};
    char *root_pem, *leaf_pem;
    uint8_t public_key[32], in_cert[32];
    size_t len = sizeof in_cert;
    make("Zo\xc3\xab M\xc3\xbcller", &root_pem, &leaf_pem, public_key);
    X509 *root = parse(root_pem), *leaf = parse(leaf_pem);
    text_has(leaf, leaf_words, sizeof leaf_words / sizeof *leaf_words);
    text_has(root, root_words, sizeof root_words / sizeof *root_words);
    assert_int_equal(EVP_PKEY_get_raw_public_key(X509_get0_pubkey(leaf), in_cert, &len), 1);
    assert_memory_equal(in_cert, public_key, 32);
    assert_int_equal(X509_verify(leaf, X509_get0_pubkey(root)), 1);
    assert_int_equal(X509_verify(root, X509_get0_pubkey(root)), 1);
    assert_int_equal(X509_check_issued(root, leaf), X509_V_OK);
    assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(root), X509_get0_serialNumber(leaf)), 0);
    assert_true(ASN1_STRING_length(X509_get0_serialNumber(leaf)) <= 20);
    /* Valid now, and as long as promised. */
    assert_int_equal(X509_cmp_current_time(X509_get0_notBefore(leaf)), -1);
    int days, seconds;
    assert_int_equal(ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(leaf)), 1);
    assert_in_range(days, 3650, 3653);
    X509_free(root);
    X509_free(leaf);
    free(root_pem);
    free(leaf_pem);
}

static void openssl_accepts_the_chain(void **ctx)
{
    (void)ctx;
    char folder[] = "/tmp/blindstamp-cert-XXXXXX", command[256], *root, *leaf;
    uint8_t public_key[32];
    if (system("openssl version >/dev/null 2>&1") != 0) skip();
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    make("Ada Example", &root, &leaf, public_key);
    assert_int_equal(bst_file_write("root.pem", root, strlen(root), 0, &err), BST_OK);
    assert_int_equal(bst_file_write("leaf.pem", leaf, strlen(leaf), 0, &err), BST_OK);
    assert_int_equal(
        system("openssl verify -x509_strict -purpose smimesign -CAfile root.pem leaf.pem >/dev/null"), 0);
    assert_int_not_equal(system("openssl verify -x509_strict -CAfile leaf.pem leaf.pem >/dev/null 2>&1"), 0);
    free(root);
    free(leaf);
    assert_int_equal(chdir("/"), 0);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

/* 64 characters fit, however many bytes they have; the root's name is cut to what fits. */
static void longest_names(void **ctx)
{
    (void)ctx;
    char name[64 * 3 + 1] = "", *root, *leaf;
    uint8_t public_key[32];
    for (int i = 0; i < 64; i++)
        strcat(name, "\xe2\x82\xac"); /* euro sign */
    make(name, &root, &leaf, public_key);
    free(root);
    free(leaf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profile_of_the_certificates),
        cmocka_unit_test(openssl_accepts_the_chain),
        cmocka_unit_test(longest_names),
    };
    return cmocka_run_group_tests_name("cert", tests, NULL, NULL);
}
