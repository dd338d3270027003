/* test_statement_act.c - statements of what people do with pictures and keys: the published vectors of schema/vectors byte
 * by byte, what each privacy level lets out, and the relations that the index draws from them.
 *
 * BST_WRITE_VECTORS=1 writes the vectors instead of comparing them, as in test_statement.c. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_fixture.h"
#include "ledger_index.h"
#include "statement.h"

#define VECTORS "schema/vectors/"

static struct bst_error err;
static struct fixture fixture;
static struct bst_picture_ref pictures[3];

static int setup(void **ctx)
{
    static const char *const names[] = {"chosen.png", "left.png", "right.png"};
    (void)ctx;
    fixture_author(&fixture);
    for (size_t i = 0; i < 3; i++) {
        pictures[i].name = bst_strdup(names[i]);
        pictures[i].has_pixels = true;
        bst_sha256(names[i], strlen(names[i]), pictures[i].sha256);
        bst_sha256(names[i], 3, pictures[i].pixels_sha256);
    }
    return 0;
}

static int teardown(void **ctx)
{
    (void)ctx;
    for (size_t i = 0; i < 3; i++)
        bst_picture_clear(&pictures[i]);
    fixture_free(&fixture);
    return 0;
}

/* ---- vectors ---- */

static void compare(const char *name, const char *end, const void *data, size_t len)
{
    char path[128];
    struct bst_buf stored = {0};
    snprintf(path, sizeof path, VECTORS "%s%s", name, end);
    if (getenv("BST_WRITE_VECTORS"))
        assert_int_equal(bst_file_write(path, data, len, BST_WRITE_REPLACE, &err), BST_OK);
    if (bst_file_read(path, 1 << 20, &stored, &err) != BST_OK) fail_msg("%s", err.what);
    if (stored.len != len || memcmp(stored.data, data, len) != 0)
        fail_msg("%s differs:\n%.*s", path, (int)len, (const char *)data);
    bst_buf_free(&stored);
}

/* Payload, envelope and leaf hash. Takes the payload. */
static void publish(const char *name, struct bst_buf *payload)
{
    struct bst_buf envelope = {0};
    uint8_t leaf[32];
    char hex[65];
    compare(name, ".payload.json", payload->data, payload->len);
    assert_int_equal(bst_dsse_sign(payload->data, payload->len, fixture.author, &envelope, &err), BST_OK);
    compare(name, ".dsse.json", envelope.data, envelope.len);
    bst_merkle_leaf(envelope.data, envelope.len, leaf);
    bst_hex(leaf, 32, hex);
    compare(name, ".leaf", hex, 64);
    bst_buf_free(&envelope);
    bst_buf_free(payload);
}

static struct bst_decision decision_of(enum bst_act act, enum bst_privacy privacy)
{
    return (struct bst_decision){.act = act,
                                 .picture = pictures[0],
                                 .others = &pictures[1],
                                 .other_count = act == BST_ACT_EDIT ? 1 : 2,
                                 .why = "the quietest of the series",
                                 .tool = "a light table",
                                 .decided_ms = FIXTURE_TIME,
                                 .privacy = privacy};
}

static void published_vectors(void **ctx)
{
    (void)ctx;
    static const char *const fields[] = {"prompt", "title"};
    struct bst_buf payload = {0};
    struct bst_secrets secrets;
    const struct bst_identity *author = &fixture.identity;
    const struct bst_decision decision = decision_of(BST_ACT_SELECT, BST_PUBLIC);
    assert_int_equal(bst_statement_decision(&decision, author, &secrets, &payload, &err), BST_OK);
    assert_int_equal(secrets.count, 0);
    publish("decision", &payload);
    assert_int_equal(bst_statement_withdrawal(&pictures[0], "the sitter asked for it", FIXTURE_TIME, author,
                                              &payload, &err),
                     BST_OK);
    publish("withdrawal", &payload);
    const struct bst_transfer transfer = {pictures[0], "Ben Example", author->key_id, "CC-BY-4.0",
                                          FIXTURE_TIME};
    assert_int_equal(bst_statement_transfer(&transfer, author, &payload, &err), BST_OK);
    publish("transfer", &payload);
    assert_int_equal(bst_statement_rotation(author, author, FIXTURE_TIME, &payload, &err), BST_OK);
    publish("rotation", &payload);
    const struct bst_revocation revocation = {author->name, author->key_id, "the laptop was stolen",
                                              FIXTURE_TIME - 1000, FIXTURE_TIME};
    assert_int_equal(bst_statement_revocation(&revocation, author, &payload, &err), BST_OK);
    publish("revocation", &payload);
    assert_int_equal(bst_statement_admission(author, "operator", FIXTURE_TIME, author, &payload, &err),
                     BST_OK);
    publish("admission", &payload);
    const struct bst_erasure erasure = {
        .entry = 7, .fields = fields, .field_count = 2, .erased_ms = FIXTURE_TIME};
    assert_int_equal(bst_statement_erasure(&erasure, author, &payload, &err), BST_OK);
    publish("erasure", &payload);
}

/* The vectors' own log, put back to the checkpoint of schema/vectors when it had signed one over five entries. */
static void published_vector_of_a_recovery(void **ctx)
{
    (void)ctx;
    struct bst_buf note = {0}, payload = {0};
    struct bst_checkpoint kept = {0};
    const struct bst_identity *author = &fixture.identity;
    char *origin = bst_format("%s/r-01234567", author->log_origin), *vkey = NULL, *lost = NULL;
    assert_int_equal(bst_file_read(VECTORS "checkpoint", 1 << 20, &note, &err), BST_OK);
    assert_int_equal(bst_checkpoint_open((const char *)note.data, note.len, author->log_origin,
                                         author->log_key, &kept, &err),
                     BST_OK);
    assert_int_equal(bst_vkey_text(origin, author->log_key, &vkey, &err), BST_OK);
    assert_int_equal(bst_checkpoint_sign(author->log_origin, 5, pictures[0].sha256, fixture.log, &lost, &err),
                     BST_OK);
    struct bst_recovery recovery = {.origin = origin,
                                    .vkey = vkey,
                                    .before = author->log_origin,
                                    .checkpoint = bst_buf_string(&note),
                                    .entries = kept.size,
                                    .lost = lost,
                                    .reason = "the disk failed",
                                    .recovered_ms = FIXTURE_TIME};
    memcpy(recovery.root, kept.root, sizeof recovery.root);
    assert_int_equal(bst_statement_recovery(&recovery, author, &payload, &err), BST_OK);
    publish("recovery", &payload);
    recovery.reason = "\xff";
    assert_int_equal(bst_statement_recovery(&recovery, author, &payload, &err), BST_USAGE);
    bst_checkpoint_clear(&kept);
    bst_buf_free(&note);
    free(origin);
    free(vkey);
    free(lost);
}

/* ---- privacy ---- */

static bool shows(const struct bst_buf *payload, const char *words)
{
    return memmem(payload->data, payload->len, words, strlen(words)) != NULL;
}

static void what_each_privacy_level_discloses(void **ctx)
{
    (void)ctx;
    static const struct {
        enum bst_privacy privacy;
        bool why, tool, names;
        size_t secrets;
    } level[] = {{BST_PUBLIC, true, true, true, 0},
                 {BST_PARTNER, false, true, true, 1},
                 {BST_PRIVATE, false, false, false, 2}};
    for (size_t i = 0; i < 3; i++) {
        struct bst_buf payload = {0};
        struct bst_secrets secrets;
        const struct bst_decision decision = decision_of(BST_ACT_ARRANGE, level[i].privacy);
        assert_int_equal(bst_statement_decision(&decision, &fixture.identity, &secrets, &payload, &err),
                         BST_OK);
        assert_int_equal(shows(&payload, decision.why), level[i].why);
        assert_int_equal(shows(&payload, decision.tool), level[i].tool);
        assert_int_equal(shows(&payload, "left.png"), level[i].names);
        assert_int_equal(shows(&payload, "chosen.png"), level[i].names);
        assert_int_equal(secrets.count, level[i].secrets);
        bst_secrets_clear(&secrets);
        bst_buf_free(&payload);
    }
    struct bst_decision bad = decision_of(BST_ACT_EDIT, BST_PUBLIC);
    struct bst_buf payload = {0};
    struct bst_secrets secrets;
    bad.why = "\xff";
    assert_int_equal(bst_statement_decision(&bad, &fixture.identity, &secrets, &payload, &err), BST_USAGE);
    assert_int_equal(payload.len, 0);
}

/* ---- relations ---- */

static enum bst_code note(void *arg, const struct bst_digest_row *relation, struct bst_error *error)
{
    (void)error;
    bst_buf_printf(arg, "%s ", relation->role);
    return BST_OK;
}

static void expect_roles(const struct bst_buf *payload, const char *expected)
{
    struct bst_buf roles = {0};
    json_t *statement;
    assert_int_equal(bst_json_parse((const char *)payload->data, payload->len, &statement, &err), BST_OK);
    assert_int_equal(bst_relation_each(statement, note, &roles, &err), BST_OK);
    assert_string_equal(bst_buf_string(&roles), expected);
    bst_buf_free(&roles);
    json_decref(statement);
}

static void digests_have_roles(void **ctx)
{
    (void)ctx;
    static const char *const roles[] = {"subject pixels candidate candidate candidate candidate ",
                                        "subject pixels before before ",
                                        "subject pixels part part part part "};
    for (int act = 0; act < 3; act++) {
        struct bst_buf payload = {0};
        struct bst_secrets secrets;
        const struct bst_decision decision = decision_of((enum bst_act)act, BST_PRIVATE);
        assert_int_equal(bst_statement_decision(&decision, &fixture.identity, &secrets, &payload, &err),
                         BST_OK);
        expect_roles(&payload, roles[act]);
        bst_secrets_clear(&secrets);
        bst_buf_free(&payload);
    }
    struct bst_buf payload = {0};
    const struct bst_transfer transfer = {pictures[0], "Ben", fixture.identity.key_id, NULL, FIXTURE_TIME};
    assert_int_equal(bst_statement_transfer(&transfer, &fixture.identity, &payload, &err), BST_OK);
    expect_roles(&payload, "subject pixels holder ");
    payload.len = 0;
    const struct bst_erasure erasure = {.entry = 7, .erased_ms = FIXTURE_TIME};
    assert_int_equal(bst_statement_erasure(&erasure, &fixture.identity, &payload, &err), BST_OK);
    expect_roles(&payload, "entry ");
    bst_buf_free(&payload);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(published_vector_of_a_recovery),
        cmocka_unit_test(what_each_privacy_level_discloses),
        cmocka_unit_test(digests_have_roles),
    };
    return cmocka_run_group_tests_name("statement_act", tests, setup, teardown);
}
