/* test_verdict.c - from checks to a verdict, statements to facts, and the order of codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"

static void worst_of_a_batch(void **state)
{
    (void)state;
    static const enum bst_code order[] = {BST_OK,    BST_UNTRUSTED, BST_NO_PROVENANCE, BST_UNREADABLE,
                                          BST_USAGE, BST_FAILURE,   BST_BROKEN};
    for (size_t a = 0; a < 7; a++)
        for (size_t b = 0; b < 7; b++)
            assert_int_equal(bst_verdict_worse(order[a], order[b]), order[a > b ? a : b]);
}

/* Checks by their ids, ended by NULL, all passed but the one called odd. */
static enum bst_code concluded(const char *odd, enum bst_result result, struct bst_verdict *verdict)
{
    static const char *const ids[] = {"file",    "manifest",  "manifest.binding", "signature",
                                      "signer",  "statement", "digest",           "pixels",
                                      "receipt", "ledger",    "metadata",         "replay"};
    *verdict = (struct bst_verdict){0};
    struct judge judge = {.verdict = verdict, .has_statement = true};
    judge.facts = (struct facts){.author = "Ada Example", .model = "ponds", .made = "2026-01-01T00:00:00Z"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        judge_say(&judge, ids[i], odd && !strcmp(odd, ids[i]) ? result : BST_PASS, "Check %s.", ids[i]);
    judge_conclude(&judge);
    return verdict->code;
}

static void one_failed_check_breaks_all(void **state)
{
    (void)state;
    static const char *const ids[] = {"manifest",  "manifest.binding", "signature", "signer",
                                      "statement", "digest",           "pixels",    "receipt",
                                      "ledger",    "metadata",         "replay"};
    struct bst_verdict verdict;
    assert_int_equal(concluded(NULL, BST_PASS, &verdict), BST_OK);
    assert_non_null(strstr(verdict.words, "made by Ada Example with ponds"));
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        assert_int_equal(concluded(ids[i], BST_FAIL, &verdict), BST_BROKEN);
        assert_true(verdict.words[0]);
    }
}

static void what_is_open_is_not_verified(void **state)
{
    (void)state;
    struct bst_verdict verdict;
    assert_int_equal(concluded("signer", BST_UNKNOWN, &verdict), BST_UNTRUSTED);
    assert_int_equal(concluded("receipt", BST_UNKNOWN, &verdict), BST_UNTRUSTED);
    assert_int_equal(concluded("replay", BST_UNKNOWN, &verdict), BST_NO_PROVENANCE);
    assert_int_equal(concluded("ledger", BST_SKIPPED, &verdict), BST_OK);
    assert_null(strstr(verdict.words, "in the ledger"));
}

static void words_say_which_part_was_altered(void **state)
{
    (void)state;
    struct bst_verdict verdict;
    concluded("pixels", BST_FAIL, &verdict);
    assert_non_null(strstr(verdict.words, "the pixels are not those"));
    concluded("digest", BST_FAIL, &verdict);
    assert_non_null(strstr(verdict.words, "its pixels are still the signed ones"));
    concluded("replay", BST_FAIL, &verdict);
    assert_non_null(strstr(verdict.words, "Check replay."));
}

static void checks_have_room(void **state)
{
    (void)state;
    struct bst_verdict verdict = {0};
    struct judge judge = {.verdict = &verdict};
    for (unsigned i = 0; i < 100; i++)
        judge_say(&judge, "file", BST_PASS, "%0500u", i);
    assert_int_equal(verdict.check_count, sizeof verdict.checks / sizeof *verdict.checks);
    assert_int_equal(strlen(verdict.checks[0].words), sizeof verdict.checks[0].words - 1);
}

/* A stranger's words may be no UTF-8; the JSON of a verdict is. */
static void json_of_hostile_words(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_verdict verdict = {.path = bst_strdup("\xff\x1b[31m.png"), .code = BST_BROKEN};
    struct judge judge = {.verdict = &verdict};
    json_t *object = NULL;
    judge_say(&judge, "signer", BST_FAIL, "The signer is \xff\xfe\x1b]0;x.");
    judge_conclude(&judge);
    assert_int_equal(bst_verdict_json(&verdict, &object, &err), BST_OK);
    char *text = json_dumps(object, 0);
    assert_non_null(text);
    assert_null(strchr(text, 0x1b));
    free(text);
    json_decref(object);
    bst_verdict_clear(&verdict);
}

/* ---- statuses of the manifest ---- */

static enum bst_result result_of(const struct bst_verdict *verdict, const char *id)
{
    for (size_t i = 0; i < verdict->check_count; i++)
        if (!strcmp(verdict->checks[i].id, id)) return verdict->checks[i].result;
    fail_msg("there is no check \"%s\"", id);
    return BST_FAIL;
}

/* The verdict when the reader gives these statuses besides a fitting binding and signature. own: the signer's
 * key is the home's. */
static enum bst_code judged(enum bst_status_kind kind, const char *code, bool own,
                            struct bst_verdict *verdict)
{
    struct bst_status statuses[] = {{.kind = BST_STATUS_SUCCESS, .code = "assertion.dataHash.match"},
                                    {.kind = BST_STATUS_SUCCESS, .code = "claimSignature.validated"},
                                    {.kind = kind, .words = "as the test says"}};
    snprintf(statuses[2].code, sizeof statuses[2].code, "%s", code);
    *verdict = (struct bst_verdict){0};
    struct judge judge = {.verdict = verdict, .has_identity = own};
    judge.c2pa.signer = (char[]){"Ada Example"};
    judge.c2pa.signer_is_ed25519 = true;
    judge.c2pa.statuses = statuses;
    judge.c2pa.status_count = 3;
    judge_statuses(&judge);
    judge_conclude(&judge);
    return verdict->code;
}

static void trust_and_integrity_are_different_things(void **state)
{
    (void)state;
    struct bst_verdict v;
    assert_int_equal(judged(BST_STATUS_SUCCESS, "signingCredential.trusted", false, &v), BST_OK);
    assert_int_equal(judged(BST_STATUS_FAILURE, "signingCredential.untrusted", false, &v), BST_UNTRUSTED);
    assert_int_equal(result_of(&v, "manifest"), BST_PASS);
    assert_int_equal(judged(BST_STATUS_FAILURE, "signingCredential.untrusted", true, &v), BST_OK);
    assert_int_equal(judged(BST_STATUS_FAILURE, "signingCredential.expired", false, &v), BST_UNTRUSTED);
    assert_int_equal(judged(BST_STATUS_FAILURE, "signingCredential.expired", true, &v), BST_OK);
    assert_int_equal(judged(BST_STATUS_FAILURE, "claimSignature.outsideValidity", false, &v), BST_UNTRUSTED);
    assert_int_equal(result_of(&v, "signature"), BST_PASS);
    assert_int_equal(judged(BST_STATUS_FAILURE, "signingCredential.unheard.of", false, &v), BST_UNTRUSTED);
    assert_int_equal(judged(BST_STATUS_INFO, "timeStamp.notChecked", false, &v), BST_UNTRUSTED);
    static const char *const broken[] = {"signingCredential.invalid",    "signingCredential.ocsp.revoked",
                                         "assertion.hashedURI.mismatch", "assertion.dataHash.mismatch",
                                         "claimSignature.mismatch",      "claim.malformed",
                                         "anything.unheard.of"};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        for (int own = 0; own < 2; own++)
            assert_int_equal(judged(BST_STATUS_FAILURE, broken[i], own, &v), BST_BROKEN);
}

/* ---- facts ---- */

static void facts_of_nonsense(void **state)
{
    (void)state;
    static const char *const texts[] = {"{}", "[]", "{\"subject\":[]}", "{\"subject\":[1],\"predicate\":[]}",
                                        "{\"predicateType\":\"https://slsa.dev/provenance/"
                                        "v1\",\"subject\":[{\"digest\":{\"pixels-sha256\":\"x\"}}],"
                                        "\"predicate\":{\"buildDefinition\":{\"externalParameters\":[],"
                                        "\"resolvedDependencies\":[1,{\"annotations\":1},"
                                        "{\"annotations\":{\"role\":\"model\"},\"digest\":1}]}}}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        json_t *statement = json_loads(texts[i], 0, NULL), *opened = NULL;
        struct bst_secrets secrets = {.count = 1};
        struct bst_error err = {0};
        struct facts facts;
        size_t count = 0;
        secrets.item[0].words = bst_strdup("7");
        strcpy(secrets.item[0].name, "seed");
        assert_non_null(statement);
        facts_read(statement, &facts);
        assert_null(facts.seed);
        assert_null(facts.model_sha256);
        assert_null(facts_closed(statement));
        assert_int_equal(facts_open(statement, &secrets, &opened, &count, &err), BST_OK);
        assert_int_equal(count, 0);
        json_decref(opened);
        json_decref(statement);
        bst_secrets_clear(&secrets);
    }
}

/* The statement of a private picture, opened by its secrets; a secret with other words opens nothing. */
static void commitments_open_with_their_own_words_only(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_identity author = {.name = (char[]){"Ada Example"}, .key_id = "00"};
    static const char *const styles[] = {"ink", "oil"};
    static const float weights[] = {0.25f, 0.75f};
    const struct bst_generation generation = {.file_name = "pond.png",
                                              .image_id = "00000000-0000-4000-8000-000000000001",
                                              .model_name = "ponds",
                                              .seed = 42,
                                              .width = 3,
                                              .height = 2,
                                              .truncation = 0.1f,
                                              .tile = true,
                                              .style_count = 2,
                                              .style_names = styles,
                                              .style_weights = weights,
                                              .title = "Pond",
                                              .arith = BST_ARITH,
                                              .privacy = BST_PRIVATE};
    struct bst_secrets secrets;
    struct bst_buf payload = {0};
    json_t *statement = NULL, *opened = NULL;
    struct facts facts;
    size_t count = 0;
    assert_int_equal(bst_statement_generation(&generation, &author, &secrets, &payload, &err), BST_OK);
    assert_int_equal(bst_json_parse((char *)payload.data, payload.len, &statement, &err), BST_OK);
    facts_read(statement, &facts);
    assert_true(facts.generation);
    assert_null(facts.seed);
    assert_null(facts.title);
    assert_non_null(facts_closed(statement));

    assert_int_equal(facts_open(statement, &secrets, &opened, &count, &err), BST_OK);
    assert_int_equal(count, secrets.count);
    facts_read(opened, &facts);
    assert_string_equal(facts.seed, "42");
    assert_string_equal(facts.title, "Pond");
    assert_true((float)json_number_value(facts.truncation) == 0.1f);
    assert_true(json_is_true(facts.tile));
    assert_int_equal(json_array_size(facts.styles), 2);
    assert_null(facts_closed(opened));
    json_decref(opened);

    for (size_t i = 0; i < secrets.count; i++)
        secrets.item[i].words[0] ^= 1;
    assert_int_equal(facts_open(statement, &secrets, &opened, &count, &err), BST_OK);
    assert_int_equal(count, 0);
    json_decref(opened);
    json_decref(statement);
    bst_buf_free(&payload);
    bst_secrets_clear(&secrets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worst_of_a_batch),
        cmocka_unit_test(one_failed_check_breaks_all),
        cmocka_unit_test(what_is_open_is_not_verified),
        cmocka_unit_test(words_say_which_part_was_altered),
        cmocka_unit_test(checks_have_room),
        cmocka_unit_test(json_of_hostile_words),
        cmocka_unit_test(trust_and_integrity_are_different_things),
        cmocka_unit_test(facts_of_nonsense),
        cmocka_unit_test(commitments_open_with_their_own_words_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
