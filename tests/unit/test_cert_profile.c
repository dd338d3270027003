/* test_cert_profile.c - every rule for a signer's certificate, broken once. */
#include "cert_fixture.h"

#include <jansson.h>

#include "cert_profile.h"
#include "trust.h"

static struct made root;

static int setup(void **state)
{
    struct recipe recipe = root_recipe();
    (void)state;
    root = make_certificate(NULL, &recipe);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    made_free(&root);
    return 0;
}

/* The certificate breaks this rule and no other; NULL: none. */
static void breaks(X509 *cert, const char *rule)
{
    for (size_t i = 0; i < bst_cert_rule_count; i++) {
        const char *problem = bst_cert_rules[i].problem(cert, BST_ROLE_CLAIM, NULL);
        bool wanted = rule != NULL && strcmp(rule, bst_cert_rules[i].name) == 0;
        if ((problem != NULL) != wanted)
            fail_msg("rule %s: %s", bst_cert_rules[i].name, problem == NULL ? "kept" : problem);
    }
    assert_true((bst_cert_problem(cert, BST_ROLE_CLAIM, NULL) == NULL) == (rule == NULL));
}

static void check(const struct recipe *recipe, const char *rule)
{
    struct made made = make_certificate(&root, recipe);
    breaks(made.cert, rule);
    made_free(&made);
}

static void extensions(void **state)
{
    static const struct {
        const char *basic, *usage, *purpose, *rule;
    } cases[] = {
        {"critical,CA:FALSE", "critical,digitalSignature", "emailProtection", NULL},
        {NULL, "critical,digitalSignature", "emailProtection", NULL},
        {"CA:FALSE", "nonRepudiation", "emailProtection", NULL},
        {"CA:FALSE", "digitalSignature", "emailProtection,1.3.6.1.4.1.62558.2.1", NULL},
        {"CA:FALSE", "digitalSignature", "clientAuth,emailProtection", NULL},
        {"critical,CA:TRUE", "digitalSignature", "emailProtection", "end-entity"},
        {"CA:FALSE", NULL, "emailProtection", "key-usage"},
        {"CA:FALSE", "keyEncipherment", "emailProtection", "key-usage"},
        {"CA:FALSE", "digitalSignature,keyCertSign", "emailProtection", "key-usage"},
        {"CA:FALSE", "keyCertSign", "emailProtection", "key-usage"},
        {"CA:FALSE", "digitalSignature", NULL, "extended-key-usage"},
        {"CA:FALSE", "digitalSignature", "anyExtendedKeyUsage", "extended-key-usage"},
        {"CA:FALSE", "digitalSignature", "emailProtection,anyExtendedKeyUsage", "extended-key-usage"},
        {"CA:FALSE", "digitalSignature", "1.3.6.1.4.1.62558.2.1", "extended-key-usage"},
        {"CA:FALSE", "digitalSignature", "1.3.6.1.5.5.7.3.36", "extended-key-usage"},
        {"CA:FALSE", "digitalSignature", "timeStamping", "extended-key-usage"},
        {"CA:FALSE", "digitalSignature", "OCSPSigning", "extended-key-usage"},
        {"CA:FALSE", "digitalSignature", "emailProtection,timeStamping", "extended-key-usage"},
        {"CA:FALSE", "digitalSignature", "serverAuth", "extended-key-usage"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct recipe recipe = leaf_recipe();
        recipe.basic = cases[i].basic;
        recipe.usage = cases[i].usage;
        recipe.purpose = cases[i].purpose;
        check(&recipe, cases[i].rule);
    }
    struct recipe recipe = leaf_recipe();
    recipe.no_issuer_key = true;
    check(&recipe, "authority-key-id");
    recipe = leaf_recipe();
    recipe.critical = "odd";
    check(&recipe, "critical");
}

static void keys(void **state)
{
    static const struct {
        const char *curve;
        int bits;
        const char *rule;
    } cases[] = {{"P-256", 0, NULL},      {"P-384", 0, NULL},  {"P-521", 0, NULL},
                 {"secp256k1", 0, "key"}, {"P-224", 0, "key"}, {NULL, 2048, NULL},
                 {NULL, 1024, "key"},     {NULL, 0, NULL},     {"brainpoolP256r1", 0, "key"}};
    struct recipe recipe = leaf_recipe();
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        EVP_PKEY *key = cases[i].curve != NULL ? EVP_EC_gen(cases[i].curve)
                        : cases[i].bits != 0   ? EVP_RSA_gen((unsigned)cases[i].bits)
                                               : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        struct made made = make_certificate_for(key, &root, &recipe);
        breaks(made.cert, cases[i].rule);
        made_free(&made);
    }
}

static void signatures(void **state)
{
    static const struct {
        const char *digest, *mask;
        bool pss;
        const char *rule;
    } cases[] = {{"SHA256", NULL, false, NULL},        {"SHA384", NULL, false, NULL},
                 {"SHA512", NULL, false, NULL},        {"SHA1", NULL, false, "signature"},
                 {"SHA224", NULL, false, "signature"}, {"SHA256", NULL, true, NULL},
                 {"SHA512", NULL, true, NULL},         {"SHA256", "SHA512", true, "signature"},
                 {"SHA1", NULL, true, "signature"}};
    struct recipe by = root_recipe();
    struct made rsa = make_certificate_for(EVP_RSA_gen(2048), NULL, &by);
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct recipe recipe = leaf_recipe();
        recipe.digest = cases[i].digest;
        recipe.pss = cases[i].pss;
        recipe.pss_mask = cases[i].mask;
        struct made made = make_certificate(&rsa, &recipe);
        breaks(made.cert, cases[i].rule);
        bool untraceable = bst_cert_untraceable(made.cert, BST_ROLE_CLAIM, NULL) != NULL;
        assert_int_equal(untraceable, cases[i].rule != NULL);
        made_free(&made);
    }
    made_free(&rsa);
}

static void versions(void **state)
{
    struct recipe recipe = leaf_recipe();
    (void)state;
    recipe.version = X509_VERSION_1;
    struct made made = make_certificate(&root, &recipe);
    assert_non_null(bst_cert_rules[0].problem(made.cert, BST_ROLE_CLAIM, NULL));
    assert_non_null(bst_cert_problem(made.cert, BST_ROLE_CLAIM, NULL));
    made_free(&made);
}

/* Each role has its own purpose. */
static void roles(void **state)
{
    static const char *const purposes[] = {[BST_ROLE_CLAIM] = "emailProtection",
                                           [BST_ROLE_TSA] = "timeStamping",
                                           [BST_ROLE_OCSP] = "OCSPSigning"};
    (void)state;
    for (int has = BST_ROLE_CLAIM; has <= BST_ROLE_OCSP; has++) {
        struct recipe recipe = leaf_recipe();
        recipe.purpose = purposes[has];
        struct made made = make_certificate(&root, &recipe);
        for (int asked = BST_ROLE_CLAIM; asked <= BST_ROLE_OCSP; asked++) {
            bool refused = bst_cert_problem(made.cert, (enum bst_cert_role)asked, NULL) != NULL;
            assert_int_equal(refused, has != asked);
        }
        made_free(&made);
    }
}

/* What is accepted besides e-mail protection, is so for signers of claims alone. */
static void accepted_purposes(void **state)
{
    static const char list[] = "# accepted here\n1.3.6.1.4.1.62558.2.1\n";
    struct bst_error err = {0};
    struct bst_trust *trust;
    struct recipe recipe = leaf_recipe();
    (void)state;
    assert_int_equal(bst_trust_new(&trust, &err), BST_OK);
    assert_int_equal(bst_trust_add(trust, list, strlen(list), BST_TRUST_MANIFEST, NULL, &err), BST_OK);
    recipe.purpose = "1.3.6.1.4.1.62558.2.1";
    struct made made = make_certificate(&root, &recipe);
    assert_non_null(bst_cert_problem(made.cert, BST_ROLE_CLAIM, NULL));
    assert_null(bst_cert_problem(made.cert, BST_ROLE_CLAIM, trust));
    assert_non_null(bst_cert_problem(made.cert, BST_ROLE_TSA, trust));
    made_free(&made);
    recipe.purpose = "1.3.6.1.5.5.7.3.36";
    made = make_certificate(&root, &recipe);
    assert_non_null(bst_cert_problem(made.cert, BST_ROLE_CLAIM, trust));
    made_free(&made);
    bst_trust_free(trust);
}

static void validity_has_both_ends(void **state)
{
    struct recipe recipe = leaf_recipe();
    (void)state;
    recipe.from_s = 1700000000;
    recipe.days = 1;
    struct made made = make_certificate(&root, &recipe);
    assert_false(bst_cert_covers(made.cert, 1700000000 - 1));
    assert_true(bst_cert_covers(made.cert, 1700000000));
    assert_true(bst_cert_covers(made.cert, 1700000000 + 86400));
    assert_false(bst_cert_covers(made.cert, 1700000000 + 86401));
    made_free(&made);
}

/* Every rule says what it asks for and how to mend it; bst_cert_check tells them all. */
static void rules_in_words(void **state)
{
    struct bst_error err = {0};
    struct bst_buf pem = {0};
    json_t *list = NULL;
    struct recipe recipe = leaf_recipe();
    (void)state;
    recipe.usage = "keyEncipherment";
    recipe.from_s = 1700000000;
    struct made made = make_certificate(&root, &recipe);
    append_pem(made.cert, &pem);
    assert_int_equal(bst_cert_check(pem.data, pem.len, NULL, &list, &err), BST_OK);
    struct bst_buf text = {0};
    assert_int_equal(bst_json_canonical(list, &text, &err), BST_OK);
    const char *words = bst_buf_string(&text);
    assert_non_null(
        strstr(words, "\"fix\":\"have it issued with keyUsage = critical,digitalSignature\",\"kept\":false"));
    assert_non_null(strstr(words, "\"problem\":\"it is not valid today\",\"rule\":\"validity\""));
    for (size_t i = 0; i < bst_cert_rule_count; i++) {
        assert_true(bst_cert_rules[i].words[0] != 0 && bst_cert_rules[i].fix[0] != 0);
        assert_non_null(strstr(words, bst_cert_rules[i].name));
    }
    json_decref(list);
    assert_int_equal(bst_cert_check("nothing", 7, NULL, &list, &err), BST_UNREADABLE);
    bst_buf_free(&text);
    bst_buf_free(&pem);
    made_free(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extensions),
        cmocka_unit_test(keys),
        cmocka_unit_test(signatures),
        cmocka_unit_test(versions),
        cmocka_unit_test(roles),
        cmocka_unit_test(accepted_purposes),
        cmocka_unit_test(validity_has_both_ends),
        cmocka_unit_test(rules_in_words),
    };
    return cmocka_run_group_tests_name("cert_profile", tests, setup, teardown);
}
