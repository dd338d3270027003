/* test_ocsp.c - revocation answers: when they count, and when they are as if they were not there. */
#include "cert_fixture.h"

#include <openssl/ocsp.h>

#include "ocsp.h"

static struct made root, leaf, another, responder, plain, stranger;
static struct bst_trust *trust;
static int64_t now_s;
static const char *last_why;

static int setup(void **state)
{
    struct recipe by = root_recipe(), recipe = leaf_recipe();
    (void)state;
    now_s = bst_now_ms() / 1000;
    root = make_certificate(NULL, &by);
    struct made far = make_certificate(NULL, &by);
    leaf = make_certificate(&root, &recipe);
    another = make_certificate(&root, &recipe);
    plain = make_certificate(&root, &recipe);
    recipe.purpose = "OCSPSigning";
    responder = make_certificate(&root, &recipe);
    stranger = make_certificate(&far, &recipe);
    made_free(&far);
    trust = trust_in(root.cert, BST_TRUST_MANIFEST);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bst_trust_free(trust);
    struct made *const all[] = {&root, &leaf, &another, &responder, &plain, &stranger};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        made_free(all[i]);
    return 0;
}

struct saying {
    X509 *about;
    int status;
    int64_t revoked, from, until; /* Unix seconds; until 0: not told */
    const struct made *by;
};

static void make_answer(const struct saying *saying, struct bst_buf *out)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), saying->about, root.cert);
    ASN1_TIME *revoked = ASN1_TIME_set(NULL, (time_t)saying->revoked);
    ASN1_TIME *from = ASN1_GENERALIZEDTIME_set(NULL, (time_t)saying->from);
    ASN1_TIME *until = saying->until == 0 ? NULL : ASN1_GENERALIZEDTIME_set(NULL, (time_t)saying->until);
    unsigned char *der = NULL;
    assert_non_null(OCSP_basic_add1_status(basic, id, saying->status, OCSP_REVOKED_STATUS_KEYCOMPROMISE,
                                           revoked, from, until));
    assert_int_equal(OCSP_basic_sign(basic, saying->by->cert, saying->by->key, EVP_sha256(), NULL, 0), 1);
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    int len = i2d_OCSP_RESPONSE(response, &der);
    bst_buf_append(out, der, (size_t)len);
    OPENSSL_free(der);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(revoked);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
}

static enum bst_ocsp_state judge(const struct bst_buf *der, int64_t when_s, bool stamped)
{
    const char *why = NULL;
    STACK_OF(X509) *chain = sk_X509_new_null();
    sk_X509_push(chain, leaf.cert);
    enum bst_ocsp_state state = bst_ocsp_judge(der->data, der->len, chain, trust, when_s, stamped, &why);
    assert_true(why != NULL && why[0] != 0);
    last_why = why;
    sk_X509_free(chain);
    return state;
}

static void cases(void **state)
{
    const int64_t day = 86400, then = now_s - 3600;
    const int good = V_OCSP_CERTSTATUS_GOOD, revoked = V_OCSP_CERTSTATUS_REVOKED;
    const struct {
        struct saying saying;
        int64_t when_s;
        bool stamped;
        enum bst_ocsp_state state;
    } all[] = {
        {{leaf.cert, good, 0, now_s - 60, now_s + day, &responder}, now_s, false, BST_OCSP_GOOD},
        {{leaf.cert, good, 0, now_s - 60, now_s + day, &root}, now_s, false, BST_OCSP_GOOD},
        {{leaf.cert, good, 0, now_s - 60, 0, &responder}, now_s, false, BST_OCSP_GOOD},
        {{leaf.cert, good, 0, now_s - 2 * day, 0, &responder}, now_s, false, BST_OCSP_UNUSABLE},
        {{leaf.cert, good, 0, now_s - 2 * day, now_s - day, &responder}, now_s, false, BST_OCSP_UNUSABLE},
        {{leaf.cert, good, 0, now_s + 60, now_s + day, &responder}, now_s, false, BST_OCSP_UNUSABLE},
        {{leaf.cert, good, 0, now_s - 60, now_s + day, &responder}, then, true, BST_OCSP_GOOD},
        {{another.cert, good, 0, now_s - 60, now_s + day, &responder}, now_s, false, BST_OCSP_UNUSABLE},
        {{leaf.cert, good, 0, now_s - 60, now_s + day, &plain}, now_s, false, BST_OCSP_UNUSABLE},
        {{leaf.cert, good, 0, now_s - 60, now_s + day, &stranger}, now_s, false, BST_OCSP_UNUSABLE},
        {{leaf.cert, good, 0, now_s - 60, now_s + day, &leaf}, now_s, false, BST_OCSP_UNUSABLE},
        {{leaf.cert, V_OCSP_CERTSTATUS_UNKNOWN, 0, now_s - 60, now_s + day, &responder},
         now_s,
         false,
         BST_OCSP_UNKNOWN},
        {{leaf.cert, revoked, then, now_s - 60, now_s + day, &responder}, now_s, false, BST_OCSP_REVOKED},
        {{leaf.cert, revoked, then, now_s - 60, now_s + day, &responder}, then - 1, true, BST_OCSP_GOOD},
        {{leaf.cert, revoked, then, now_s - 60, now_s + day, &responder}, then, true, BST_OCSP_REVOKED},
        {{leaf.cert, revoked, then, now_s - 60, now_s + day, &responder}, then - 1, false, BST_OCSP_REVOKED},
        {{leaf.cert, revoked, then, now_s - 60, now_s + day, &stranger}, now_s, false, BST_OCSP_UNUSABLE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct bst_buf der = {0};
        make_answer(&all[i].saying, &der);
        enum bst_ocsp_state got = judge(&der, all[i].when_s, all[i].stamped);
        if (got != all[i].state) fail_msg("case %zu: %d: %s", i, got, last_why);
        bst_buf_free(&der);
    }
}

/* A changed answer never clears a certificate that was revoked. */
static void changed_answers(void **state)
{
    struct bst_buf der = {0};
    (void)state;
    make_answer(&(struct saying){leaf.cert, V_OCSP_CERTSTATUS_REVOKED, now_s - 60, now_s - 60, now_s + 3600,
                                 &responder},
                &der);
    for (size_t at = 0; at < der.len; at++) {
        der.data[at] ^= 1;
        assert_int_not_equal(judge(&der, now_s, false), BST_OCSP_GOOD);
        der.data[at] ^= 1;
    }
    for (size_t len = 0; len < der.len; len += 3) {
        struct bst_buf cut = {.data = der.data, .len = len};
        assert_int_equal(judge(&cut, now_s, false), BST_OCSP_UNUSABLE);
    }
    bst_buf_free(&der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases),
        cmocka_unit_test(changed_answers),
    };
    return cmocka_run_group_tests_name("ocsp", tests, setup, teardown);
}
