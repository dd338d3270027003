/* test_timestamp.c - time stamps by an authority of the test, judged; and put into a signature's header. */
#include "cert_fixture.h"

#include <openssl/ts.h>

#include "c2pa.h"
#include "timestamp.h"

static struct bst_error err;
static struct made root, authority;
static struct bst_trust *trust;
static const struct bst_buf data = {.data = (uint8_t *)(uintptr_t) "signed words", .len = 12};
static const struct bst_buf other = {.data = (uint8_t *)(uintptr_t) "signed works", .len = 12};

static int setup(void **state)
{
    struct recipe by = root_recipe(), recipe = leaf_recipe();
    (void)state;
    root = make_certificate(NULL, &by);
    recipe.name = "Time";
    recipe.purpose = "critical,timeStamping";
    authority = make_certificate(&root, &recipe);
    trust = trust_in(root.cert, BST_TRUST_TSA);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bst_trust_free(trust);
    made_free(&authority);
    made_free(&root);
    return 0;
}

static ASN1_INTEGER *serial(struct TS_resp_ctx *context, void *arg)
{
    (void)context;
    (void)arg;
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    ASN1_INTEGER_set(number, 7);
    return number;
}

static int64_t clock_s; /* 0: now */

static int tell_time(struct TS_resp_ctx *context, void *arg, long *seconds, long *micros)
{
    (void)context;
    (void)arg;
    *seconds = (long)(clock_s == 0 ? bst_now_ms() / 1000 : clock_s);
    *micros = 0;
    return 1;
}

/* The authority's answer (TimeStampResp) to a request. */
static void answer(const struct made *by, const struct bst_buf *request, struct bst_buf *out)
{
    TS_RESP_CTX *context = TS_RESP_CTX_new();
    ASN1_OBJECT *policy = OBJ_txt2obj("1.2.3.4.1", 1);
    STACK_OF(X509) *more = sk_X509_new_null();
    unsigned char *der = NULL;
    sk_X509_push(more, root.cert);
    TS_RESP_CTX_set_serial_cb(context, serial, NULL);
    TS_RESP_CTX_set_time_cb(context, tell_time, NULL);
    assert_int_equal(TS_RESP_CTX_set_signer_cert(context, by->cert), 1);
    TS_RESP_CTX_set_signer_key(context, by->key);
    TS_RESP_CTX_set_certs(context, more);
    TS_RESP_CTX_set_def_policy(context, policy);
    TS_RESP_CTX_add_md(context, EVP_sha256());
    TS_RESP_CTX_set_signer_digest(context, EVP_sha256());
    BIO *bio = BIO_new_mem_buf(request->data, (int)request->len);
    TS_RESP *response = TS_RESP_create_response(context, bio);
    assert_non_null(response);
    int len = i2d_TS_RESP(response, &der);
    bst_buf_append(out, der, (size_t)len);
    OPENSSL_free(der);
    TS_RESP_free(response);
    BIO_free(bio);
    sk_X509_free(more);
    ASN1_OBJECT_free(policy);
    TS_RESP_CTX_free(context);
}

static void make_token(const struct made *by, struct bst_buf *token)
{
    struct bst_buf request = {0}, response = {0};
    assert_int_equal(bst_timestamp_request(&data, true, &request, &err), BST_OK);
    answer(by, &request, &response);
    assert_int_equal(bst_timestamp_answer(response.data, response.len, &request, token, &err), BST_OK);
    bst_buf_free(&request);
    bst_buf_free(&response);
}

static void states(void **state)
{
    struct bst_buf token = {0};
    struct bst_time time;
    (void)state;
    make_token(&authority, &token);
    bst_timestamp_judge(token.data, token.len, &data, trust, &time);
    assert_int_equal(time.state, BST_TIME_TRUSTED);
    assert_true(time.validated);
    assert_string_equal(time.authority, "Time");
    assert_in_range((uint64_t)time.when_s, (uint64_t)(bst_now_ms() / 1000 - 60),
                    (uint64_t)(bst_now_ms() / 1000));
    bst_timestamp_judge(token.data, token.len, &data, NULL, &time);
    assert_int_equal(time.state, BST_TIME_UNTRUSTED);
    assert_true(time.validated);
    bst_timestamp_judge(token.data, token.len, &other, trust, &time);
    assert_int_equal(time.state, BST_TIME_MISMATCH);
    assert_false(time.validated);
    bst_buf_free(&token);
}

/* Its authority's certificate must be valid at the stated time, not today. */
static void validity(void **state)
{
    struct recipe recipe = leaf_recipe();
    struct bst_buf token = {0};
    struct bst_time time;
    (void)state;
    clock_s = 1700000000;
    make_token(&authority, &token);
    bst_timestamp_judge(token.data, token.len, &data, trust, &time);
    assert_int_equal(time.state, BST_TIME_OUTSIDE);
    assert_int_equal(time.when_s, 1700000000);
    token.len = 0;
    recipe.purpose = "critical,timeStamping";
    recipe.from_s = clock_s - 86400;
    struct recipe by = root_recipe();
    by.from_s = clock_s - 2 * 86400;
    struct made old_root = make_certificate(NULL, &by), old = make_certificate(&old_root, &recipe);
    struct bst_trust *old_trust = trust_in(old_root.cert, BST_TRUST_TSA);
    make_token(&old, &token);
    bst_timestamp_judge(token.data, token.len, &data, old_trust, &time);
    assert_int_equal(time.state, BST_TIME_TRUSTED); /* both have expired since */
    clock_s = 0;
    bst_trust_free(old_trust);
    bst_buf_free(&token);
    made_free(&old);
    made_free(&old_root);
}

/* Whatever byte is changed: a time that was not signed is never believed. */
static void changed_tokens(void **state)
{
    struct bst_buf token = {0};
    struct bst_time time;
    (void)state;
    make_token(&authority, &token);
    bst_timestamp_judge(token.data, token.len, &data, trust, &time);
    int64_t when_s = time.when_s;
    for (size_t at = 0; at < token.len; at++) {
        for (int bit = 0; bit < 8; bit += 3) {
            token.data[at] ^= (uint8_t)(1 << bit);
            bst_timestamp_judge(token.data, token.len, &data, trust, &time);
            if (time.validated) assert_int_equal(time.when_s, when_s);
            bst_timestamp_judge(token.data, token.len, &other, trust, &time);
            assert_false(time.validated);
            token.data[at] ^= (uint8_t)(1 << bit);
        }
    }
    for (size_t len = 0; len < token.len; len += 5) {
        bst_timestamp_judge(token.data, len, &data, trust, &time);
        assert_int_equal(time.state, BST_TIME_MALFORMED);
    }
    bst_buf_free(&token);
}

static void answers(void **state)
{
    struct bst_buf request = {0}, again = {0}, response = {0}, token = {0};
    (void)state;
    assert_int_equal(bst_timestamp_request(&data, true, &request, &err), BST_OK);
    assert_int_equal(bst_timestamp_request(&data, true, &again, &err), BST_OK);
    answer(&authority, &request, &response);
    assert_int_equal(bst_timestamp_answer(response.data, response.len, &again, &token, &err),
                     BST_BROKEN); /* nonce */
    assert_int_equal(bst_timestamp_answer(response.data, response.len, NULL, &token, &err), BST_OK);
    response.len = 0;
    bst_buf_append(&response, token.data, token.len); /* a bare token */
    token.len = 0;
    assert_int_equal(bst_timestamp_answer(response.data, response.len, NULL, &token, &err), BST_OK);
    assert_int_equal(token.len, response.len);
    assert_int_equal(bst_timestamp_answer("x", 1, NULL, &token, &err), BST_UNREADABLE);
    bst_buf_free(&request);
    bst_buf_free(&again);
    bst_buf_free(&response);
    bst_buf_free(&token);
}

/* ---- room in a signature's header ---- */

/* Signs with room, and puts a token of that length there. The signature must hold, its length stay. */
static enum bst_code fill(const struct bst_signer *signer, size_t room, size_t token_len, size_t ocsp_len)
{
    static uint8_t bytes[70000];
    struct bst_buf cose = {0};
    struct bst_cose parsed;
    assert_int_equal(bst_cose_sign(signer, "claim", 5, room, &cose, &err), BST_OK);
    size_t len = cose.len;
    struct bst_attachment attachment = {bytes, token_len, bytes, ocsp_len};
    enum bst_code code = bst_cose_attach(cose.data, cose.len, &attachment, &err);
    assert_int_equal(cose.len, len);
    assert_int_equal(bst_cose_parse(cose.data, cose.len, &parsed, &err), BST_OK);
    assert_int_equal(bst_cose_verify(&parsed, "claim", 5, &err), BST_OK);
    assert_int_equal(bst_cbor_get(parsed.unprotected, "sigTst2") != NULL, code == BST_OK && token_len > 0);
    assert_int_equal(bst_cbor_get(parsed.unprotected, "rVals") != NULL, code == BST_OK && ocsp_len > 0);
    bst_cose_clear(&parsed);
    bst_buf_free(&cose);
    return code;
}

static void room_is_filled_exactly(void **state)
{
    struct recipe recipe = leaf_recipe();
    struct made made = make_certificate(&root, &recipe);
    struct bst_buf pem = {0};
    struct bst_signer signer = {.evp = made.key, .alg = bst_cose_number("es256")};
    (void)state;
    append_pem(made.cert, &pem);
    assert_int_equal(bst_chain_from_pem((const char *)pem.data, pem.len, &signer.chain, &err), BST_OK);
    /* around a token of 100 bytes lie 8 + 1 + 10 + 1 + 1 + 4 + 2 bytes */
    for (size_t room = 127; room < 700; room++) {
        bool fits = room == 127 || room >= 127 + 5; /* the least padding takes 5 bytes */
        assert_int_equal(fill(&signer, room, 100, 0), fits ? BST_OK : BST_USAGE);
    }
    for (size_t room = 65400; room < 65700; room++)
        assert_int_equal(fill(&signer, room, 100, 0), BST_OK); /* over the step to a wider length */
    assert_int_equal(fill(&signer, 10240, 6000, 2000), BST_OK);
    assert_int_equal(fill(&signer, 10240, 9000, 2000), BST_USAGE);
    assert_int_equal(fill(&signer, 0, 1, 0), BST_USAGE);
    bst_chain_clear(&signer.chain);
    bst_buf_free(&pem);
    made_free(&made);
}

/* One after the other: what is there already stays. */
static void attachments_add_up(void **state)
{
    struct recipe recipe = leaf_recipe();
    struct made made = make_certificate(&root, &recipe);
    struct bst_buf pem = {0}, cose = {0};
    struct bst_signer signer = {.evp = made.key, .alg = bst_cose_number("es256")};
    struct bst_cose parsed;
    (void)state;
    append_pem(made.cert, &pem);
    assert_int_equal(bst_chain_from_pem((const char *)pem.data, pem.len, &signer.chain, &err), BST_OK);
    assert_int_equal(bst_cose_sign(&signer, "claim", 5, 200, &cose, &err), BST_OK);
    assert_int_equal(
        bst_cose_attach(cose.data, cose.len, &(struct bst_attachment){.ocsp = "ab", .ocsp_len = 2}, &err),
        BST_OK);
    assert_int_equal(
        bst_cose_attach(cose.data, cose.len, &(struct bst_attachment){.token = "cd", .token_len = 2}, &err),
        BST_OK);
    assert_int_equal(
        bst_cose_attach(cose.data, cose.len, &(struct bst_attachment){.token = "efg", .token_len = 3}, &err),
        BST_OK);
    assert_int_equal(bst_cose_parse(cose.data, cose.len, &parsed, &err), BST_OK);
    const uint8_t *bytes;
    size_t len;
    cbor_item_t *list = bst_cbor_get(bst_cbor_get(parsed.unprotected, "sigTst2"), "tstTokens");
    assert_int_equal(cbor_array_size(list), 1);
    assert_true(bst_cbor_get_bytes(bst_cbor_get(cbor_array_handle(list)[0], "val"), &bytes, &len));
    assert_int_equal(len, 3);
    assert_non_null(bst_cbor_get(parsed.unprotected, "rVals"));
    bst_cose_clear(&parsed);
    bst_chain_clear(&signer.chain);
    bst_buf_free(&cose);
    bst_buf_free(&pem);
    made_free(&made);
}

/* The token in the header of that name. */
static void put_token(const struct bst_cose *cose, const char *header, const struct bst_buf *token,
                      struct bst_buf *out)
{
    bst_cbor_tag(out, 18);
    bst_cbor_array(out, 4);
    bst_cbor_bytes(out, cose->protected_bytes, cose->protected_len);
    bst_cbor_map(out, 1);
    bst_cbor_text(out, header);
    bst_cbor_map(out, 1);
    bst_cbor_text(out, "tstTokens");
    bst_cbor_array(out, 1);
    bst_cbor_map(out, 1);
    bst_cbor_text(out, "val");
    bst_cbor_bytes(out, token->data, token->len);
    bst_cbor_null(out);
    bst_cbor_bytes(out, cose->sig, cose->sig_len);
}

static bool said(const struct bst_c2pa *c2pa, const char *code)
{
    for (size_t i = 0; i < c2pa->status_count; i++) {
        if (strcmp(c2pa->statuses[i].code, code) == 0) return true;
    }
    return false;
}

/* Judges a signature of an expired signer that carries a token over what header wants. */
static void judge_expired(const struct bst_cose *cose, const char *header, bool of_claim, bool good)
{
    struct bst_buf covered = {0}, request = {0}, response = {0}, token = {0}, bytes = {0};
    struct bst_cose stamped;
    struct bst_c2pa out = {0};
    const struct bst_jumbf store = {.bytes = (const uint8_t *)"claim"};
    const struct bst_jumbf_box body = {.data_len = 5};
    struct bst_claim claim = {.jumbf = &store, .body = &body, .version = 2};
    struct bst_judge judge = {.out = &out, .trust = trust, .claim = &claim};
    int64_t when_s = 0;
    bst_cose_stamped(cose, of_claim ? "claim" : NULL, of_claim ? 5 : 0, &covered);
    assert_int_equal(bst_timestamp_request(&covered, true, &request, &err), BST_OK);
    answer(&authority, &request, &response);
    assert_int_equal(bst_timestamp_answer(response.data, response.len, &request, &token, &err), BST_OK);
    put_token(cose, header, &token, &bytes);
    assert_int_equal(bst_cose_parse(bytes.data, bytes.len, &stamped, &err), BST_OK);
    assert_int_equal(bst_judge_time(&judge, &stamped, "url", &when_s), good);
    assert_int_equal(said(&out, "timeStamp.trusted"), good);
    assert_int_equal(said(&out, "timeStamp.mismatch"), !good);
    if (!good) when_s = bst_now_ms() / 1000;
    assert_int_equal(bst_judge_certificate(&judge, &stamped, when_s, good, "url"), good);
    assert_int_equal(said(&out, "signingCredential.expired"), !good);
    bst_c2pa_clear(&out);
    bst_cose_clear(&stamped);
    struct bst_buf *const all[] = {&covered, &request, &response, &token, &bytes};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        bst_buf_free(all[i]);
}

/* A signer's certificate that has expired was still valid at the time of its time stamp; each header has its own words
 * that the stamp is over. */
static void expired_signers(void **state)
{
    struct recipe recipe = leaf_recipe();
    struct bst_buf pem = {0}, bytes = {0};
    struct bst_signer signer = {.alg = bst_cose_number("es256")};
    struct bst_cose cose;
    (void)state;
    clock_s = bst_now_ms() / 1000 - 3 * 3600;
    recipe.from_s = clock_s - 86400 + 3600; /* one day: over since two hours */
    recipe.days = 1;
    struct made made = make_certificate(&root, &recipe);
    signer.evp = made.key;
    append_pem(made.cert, &pem);
    assert_int_equal(bst_chain_from_pem((const char *)pem.data, pem.len, &signer.chain, &err), BST_OK);
    assert_int_equal(bst_cose_sign(&signer, "claim", 5, 0, &bytes, &err), BST_OK);
    assert_int_equal(bst_cose_parse(bytes.data, bytes.len, &cose, &err), BST_OK);
    judge_expired(&cose, "sigTst2", false, true);
    judge_expired(&cose, "sigTst", true, true);
    judge_expired(&cose, "sigTst2", true, false);
    judge_expired(&cose, "sigTst", false, false);
    clock_s = 0;
    bst_cose_clear(&cose);
    bst_chain_clear(&signer.chain);
    bst_buf_free(&bytes);
    bst_buf_free(&pem);
    made_free(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states),
        cmocka_unit_test(validity),
        cmocka_unit_test(changed_tokens),
        cmocka_unit_test(answers),
        cmocka_unit_test(room_is_filled_exactly),
        cmocka_unit_test(attachments_add_up),
        cmocka_unit_test(expired_signers),
    };
    return cmocka_run_group_tests_name("timestamp", tests, setup, teardown);
}
