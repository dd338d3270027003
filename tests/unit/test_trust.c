/* test_trust.c - paths from a signer to an anchor, and what does not make one. */
#include "cert_fixture.h"

#include "trust.h"

static struct bst_error err;
static struct made root, between, leaf;
static int64_t now_s;

static int setup(void **state)
{
    struct recipe recipe = root_recipe(), middle = root_recipe(), end = leaf_recipe();
    (void)state;
    middle.name = "Between";
    now_s = bst_now_ms() / 1000;
    recipe.days = 100;
    root = make_certificate(NULL, &recipe);
    middle.days = 50;
    between = make_certificate(&root, &middle);
    leaf = make_certificate(&between, &end);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    made_free(&leaf);
    made_free(&between);
    made_free(&root);
    return 0;
}

static bool leads(const struct bst_trust *trust, enum bst_trust_kind kind, X509 *end, X509 *more,
                  int64_t when_s)
{
    const char *why;
    STACK_OF(X509) *chain = sk_X509_new_null();
    sk_X509_push(chain, end);
    if (more != NULL) sk_X509_push(chain, more);
    bool good = bst_trust_path(trust, kind, end, chain, when_s, &why);
    if (!good) assert_true(why[0] != 0);
    sk_X509_free(chain);
    return good;
}

static void paths(void **state)
{
    struct bst_trust *trust = trust_in(root.cert, BST_TRUST_MANIFEST);
    struct bst_trust *part = trust_in(between.cert, BST_TRUST_MANIFEST);
    (void)state;
    assert_true(leads(trust, BST_TRUST_MANIFEST, leaf.cert, between.cert, now_s));
    assert_false(leads(trust, BST_TRUST_MANIFEST, leaf.cert, NULL, now_s)); /* a gap */
    assert_true(leads(part, BST_TRUST_MANIFEST, leaf.cert, NULL, now_s));   /* an anchor need not be a root */
    assert_false(leads(trust, BST_TRUST_TSA, leaf.cert, between.cert, now_s));
    assert_false(leads(trust, BST_TRUST_CAWG, leaf.cert, between.cert, now_s));
    assert_false(leads(NULL, BST_TRUST_MANIFEST, leaf.cert, between.cert, now_s));
    bst_trust_free(trust);
    bst_trust_free(part);
}

static void the_whole_path_must_be_valid_at_the_time(void **state)
{
    struct bst_trust *trust = trust_in(root.cert, BST_TRUST_MANIFEST);
    (void)state;
    assert_false(leads(trust, BST_TRUST_MANIFEST, leaf.cert, between.cert, now_s - 2 * 86400));
    assert_true(leads(trust, BST_TRUST_MANIFEST, leaf.cert, between.cert, now_s + 8 * 86400));
    assert_false(leads(trust, BST_TRUST_MANIFEST, leaf.cert, between.cert, now_s + 60 * 86400));
    bst_trust_free(trust);
}

/* A signer may not issue certificates, whatever it signs. */
static void end_entities_issue_nothing(void **state)
{
    struct recipe end = leaf_recipe();
    end.name = "Forged";
    struct made forged = make_certificate(&leaf, &end);
    struct bst_trust *trust = trust_in(between.cert, BST_TRUST_MANIFEST);
    (void)state;
    assert_false(leads(trust, BST_TRUST_MANIFEST, forged.cert, leaf.cert, now_s));
    bst_trust_free(trust);
    made_free(&forged);
}

/* Another root of the same name and key usage, but with another key. */
static void names_alone_make_no_path(void **state)
{
    struct recipe recipe = root_recipe();
    struct made other = make_certificate(NULL, &recipe);
    struct bst_trust *trust = trust_in(other.cert, BST_TRUST_MANIFEST);
    (void)state;
    assert_false(leads(trust, BST_TRUST_MANIFEST, leaf.cert, between.cert, now_s));
    bst_trust_free(trust);
    made_free(&other);
}

static void order(void **state)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    (void)state;
    sk_X509_push(chain, leaf.cert);
    assert_true(bst_trust_in_order(chain));
    sk_X509_push(chain, between.cert);
    sk_X509_push(chain, root.cert);
    assert_true(bst_trust_in_order(chain));
    sk_X509_pop(chain);
    sk_X509_unshift(chain, root.cert);
    assert_false(bst_trust_in_order(chain));
    sk_X509_free(chain);
}

static void allowed(void **state)
{
    struct bst_trust *trust = trust_in(leaf.cert, BST_TRUST_ALLOWED);
    (void)state;
    assert_true(bst_trust_allows(trust, leaf.cert));
    assert_false(bst_trust_allows(trust, between.cert));
    assert_false(leads(trust, BST_TRUST_MANIFEST, leaf.cert, between.cert, now_s)); /* it is no anchor */
    bst_trust_free(trust);
}

static void texts(void **state)
{
    static const struct {
        const char *text;
        unsigned kinds;
        enum bst_code code;
        size_t usages, allowed;
    } cases[] = {
        {"// comment\n1.2.3.4\r\n2.5.29.37  \n", BST_TRUST_MANIFEST, BST_OK, 2, 0},
        {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", BST_TRUST_ALLOWED, BST_OK, 0, 1},
        {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", BST_TRUST_MANIFEST, BST_UNREADABLE, 0, 0},
        {"", BST_TRUST_MANIFEST, BST_UNREADABLE, 0, 0},
        {"hello\n", BST_TRUST_MANIFEST, BST_UNREADABLE, 0, 0},
        {"1.2.3.4\n-----BEGIN CERTIFICATE-----\nAAAA\n", BST_TRUST_MANIFEST, BST_UNREADABLE, 0, 0},
        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", BST_TRUST_MANIFEST, BST_UNREADABLE,
         0, 0},
        {"1.999999999999999999999999999999.\n", BST_TRUST_MANIFEST, BST_UNREADABLE, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bst_trust *trust;
        struct bst_trust_count count = {0};
        assert_int_equal(bst_trust_new(&trust, &err), BST_OK);
        enum bst_code code =
            bst_trust_add(trust, cases[i].text, strlen(cases[i].text), cases[i].kinds, &count, &err);
        if (code != cases[i].code) fail_msg("case %zu: %d %s", i, code, err.what);
        if (code == BST_OK) {
            assert_int_equal(count.usages, cases[i].usages);
            assert_int_equal(count.allowed, cases[i].allowed);
        }
        bst_trust_free(trust);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(the_whole_path_must_be_valid_at_the_time),
        cmocka_unit_test(end_entities_issue_nothing),
        cmocka_unit_test(names_alone_make_no_path),
        cmocka_unit_test(order),
        cmocka_unit_test(allowed),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests_name("trust", tests, setup, teardown);
}
