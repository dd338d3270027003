/* test_dsse.c - envelopes: the signed bytes of the specification, every form that readers must take, and
 * hostile ones. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provenance.h"

static struct bst_error err;
static struct bst_key *key;

static int make_key(void **ctx)
{
    (void)ctx;
    uint8_t seed[32];
    memset(seed, 1, sizeof seed);
    return bst_key_from_seed(seed, &key, &err) == BST_OK ? 0 : 1;
}

static int free_key(void **ctx)
{
    (void)ctx;
    bst_key_free(key);
    return 0;
}

static enum bst_code open_text(const char *text, struct bst_dsse *out)
{
    return bst_dsse_open(text, strlen(text), out, &err);
}

/* The pre-authentication encoding of DSSE 1.0.2, written out. */
static void signature_is_over_the_encoding_of_the_specification(void **ctx)
{
    (void)ctx;
    static const char payload[] = "{\"a\":1}";
    static const char encoded[] = "DSSEv1 28 application/vnd.in-toto+json 7 {\"a\":1}";
    uint8_t sig[BST_SIG_LEN];
    struct bst_buf envelope = {0};
    struct bst_dsse dsse;
    assert_int_equal(bst_dsse_sign(payload, strlen(payload), key, &envelope, &err), BST_OK);
    assert_int_equal(bst_dsse_open(envelope.data, envelope.len, &dsse, &err), BST_OK);
    bst_key_sign(key, encoded, strlen(encoded), sig);
    assert_memory_equal(dsse.sig, sig, sizeof sig);
    assert_string_equal(dsse.payload_type, BST_PAYLOAD_TYPE);
    assert_int_equal(json_integer_value(json_object_get(dsse.statement, "a")), 1);
    char id[BST_SHA256_HEX];
    bst_key_id(bst_key_public(key), id);
    assert_string_equal(dsse.key_id, id);
    assert_true(bst_dsse_verify(&dsse, bst_key_public(key)));
    /* Canonical JSON: reading and writing it again changes nothing. */
    json_t *json;
    struct bst_buf again = {0};
    assert_int_equal(bst_json_parse((char *)envelope.data, envelope.len, &json, &err), BST_OK);
    assert_int_equal(bst_json_canonical(json, &again, &err), BST_OK);
    assert_int_equal(again.len, envelope.len);
    assert_memory_equal(again.data, envelope.data, again.len);
    json_decref(json);
    bst_buf_free(&again);
    bst_buf_free(&envelope);
    bst_dsse_clear(&dsse);
}

/* The same envelope as other producers may write it: spaces, another order, url-safe base64, escapes, no key
 * id. */
static void other_forms_are_read_alike(void **ctx)
{
    (void)ctx;
    static const char payload[] =
        "{\"a\":\"\xc3\xbf\xc3\xbf\xc3\xbe>>>???\"}"; /* gives both + and / in base64 */
    struct bst_buf envelope = {0};
    struct bst_dsse dsse;
    assert_int_equal(bst_dsse_sign(payload, strlen(payload), key, &envelope, &err), BST_OK);
    json_t *json;
    assert_int_equal(bst_json_parse((char *)envelope.data, envelope.len, &json, &err), BST_OK);
    const char *body = bst_json_text(json, "payload");
    const char *sig = bst_json_text(bst_json_at(json, "signatures.0"), "sig");
    char *safe = bst_strdup(body), *escaped = bst_format("\\u%04x%s", (unsigned)body[0], body + 1);
    assert_true(strpbrk(safe, "+/") != NULL);
    for (char *p = safe; *p; p++)
        *p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
    const char *const bodies[] = {body, safe, escaped};
    for (size_t i = 0; i < 3; i++) {
        char *form =
            bst_format("{ \"signatures\": [ {\"sig\": \"%s\"} ],\n \"payloadType\": \"" BST_PAYLOAD_TYPE
                       "\", \"payload\": \"%s\", \"extra\": null }",
                       sig, bodies[i]);
        assert_int_equal(open_text(form, &dsse), BST_OK);
        assert_true(bst_dsse_verify(&dsse, bst_key_public(key)));
        assert_string_equal(dsse.key_id, "");
        bst_dsse_clear(&dsse);
        free(form);
    }
    /* The type is signed: the same bytes as another type are another statement. */
    char *typed =
        bst_format("{\"payload\":\"%s\",\"payloadType\":\"application/json\",\"signatures\":[{\"keyid\":\"\","
                   "\"sig\":\"%s\"}]}",
                   body, sig);
    assert_int_equal(open_text(typed, &dsse), BST_OK);
    assert_false(bst_dsse_verify(&dsse, bst_key_public(key)));
    bst_dsse_clear(&dsse);
    free(typed);
    free(safe);
    free(escaped);
    json_decref(json);
    bst_buf_free(&envelope);
}

#define SIG "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="

static void malformed_envelopes_are_refused(void **ctx)
{
    (void)ctx;
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "nonsense",
        "{\"payload\":\"e30=\",\"payloadType\":\"t\",\"signatures\":[]}",
        "{\"payload\":\"e30=\",\"payloadType\":\"t\",\"signatures\":[{\"keyid\":\"\",\"sig\":\"AAAA\"}]}",
        "{\"payload\":\"e30\",\"payloadType\":\"t\",\"signatures\":[{\"keyid\":\"\",\"sig\":\"" SIG "\"}]}",
        "{\"payload\":\"W10=\",\"payloadType\":\"t\",\"signatures\":[{\"keyid\":\"\",\"sig\":\"" SIG "\"}]}",
        "{\"payload\":\"eyI=\",\"payloadType\":\"t\",\"signatures\":[{\"keyid\":\"\",\"sig\":\"" SIG "\"}]}",
        "{\"payload\":\"e30=\",\"signatures\":[{\"keyid\":\"\",\"sig\":\"" SIG "\"}]}",
        "{\"payload\":\"e30=\",\"payloadType\":7,\"signatures\":[{\"keyid\":\"\",\"sig\":\"" SIG "\"}]}",
        "{\"payload\":\"e30=\",\"payloadType\":\"t\",\"signatures\":[{\"keyid\":\"\",\"sig\":\"" SIG
        "\"},{\"keyid\":\"\","
        "\"sig\":\"" SIG "\"}]}",
        "{\"payload\":\"e30=\",\"payload\":\"e30=\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"" SIG
        "\"}]}",
        "{\"payload\":\"e30=\",\"payloadType\":\"t\",\"signatures\":[{\"keyid\":\""
        "00000000000000000000000000000000000000000000000000000000000000000\",\"sig\":\"" SIG "\"}]}",
        "{\"payload\":\"e30=\",\"payloadType\":\"t\",\"signatures\":[{\"keyid\":\"\",\"sig\":\"" SIG
        "\"}]} x",
    };
    struct bst_dsse dsse;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (open_text(bad[i], &dsse) != BST_UNREADABLE) fail_msg("envelope %zu was accepted", i);
    }
}

/* Flip each bit of an envelope: it is no envelope any more, or its signature is wrong, or it names another
 * key (which nothing signs; the ledger and the receipt compare whole envelopes). */
static void every_flipped_bit(void **ctx)
{
    (void)ctx;
    static const char payload[] = "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[]}";
    struct bst_buf envelope = {0};
    char id[BST_SHA256_HEX];
    bst_key_id(bst_key_public(key), id);
    assert_int_equal(bst_dsse_sign(payload, strlen(payload), key, &envelope, &err), BST_OK);
    for (size_t i = 0; i < envelope.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            struct bst_dsse dsse;
            envelope.data[i] ^= (uint8_t)(1 << bit);
            if (bst_dsse_open(envelope.data, envelope.len, &dsse, &err) == BST_OK) {
                bool good = bst_dsse_verify(&dsse, bst_key_public(key)) && strcmp(dsse.key_id, id) == 0;
                if (good) fail_msg("bit %d of byte %zu", bit, i);
                bst_dsse_clear(&dsse);
            }
            envelope.data[i] ^= (uint8_t)(1 << bit);
        }
    }
    bst_buf_free(&envelope);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signature_is_over_the_encoding_of_the_specification),
        cmocka_unit_test(other_forms_are_read_alike),
        cmocka_unit_test(malformed_envelopes_are_refused),
        cmocka_unit_test(every_flipped_bit),
    };
    return cmocka_run_group_tests_name("dsse", tests, make_key, free_key);
}
