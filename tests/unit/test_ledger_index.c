/* test_ledger_index.c - what the index says of each kind of statement, and that questions are answered by
 * searching it, not by reading it all. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <sqlite3.h>

#include "open_fixture.h"
#include "ledger_db.h"

static struct bst_error err;

/* Entry 0 identity, 1 public, 2 partner, 3 private, 4 training, 5 a statement of a kind unknown to us. */
static int setup(void **ctx)
{
    (void)ctx;
    static const char dataset_text[] =
        "{\"dataset_id\":\"d\",\"license\":\"CC-BY-4.0\",\"items\":[{\"file\":\"a.png\",\"sha256\":"
        "\"11111111111111111111111111111111111111111111111111111111111111ab\"}]}";
    static const char other[] =
        "{\"_type\":\"https://in-toto.io/Statement/v1\",\"predicateType\":\"https://example.org/x\","
        "\"subject\":[{\"name\":\"n\",\"digest\":{\"sha256\":\"00\"}}],\"predicate\":{}}";
    struct bst_buf payload = {0};
    json_t *dataset;
    struct bst_training training = {
        .model_name = "lakes", .started = "2026-02-01T00:00:00Z", .finished = "2026-02-02T00:00:00Z"};
    fixture_new(&fixture);
    for (uint64_t i = 0; i < 3; i++)
        fixture_must(fixture_append(&fixture, i + 1, 1, (enum bst_privacy)i, &err), &err);
    fixture_must(bst_json_parse(dataset_text, strlen(dataset_text), &dataset, &err), &err);
    training.dataset = dataset;
    bst_sha256("lakes", 5, training.model_sha256);
    fixture_must(bst_statement_training(&training, &fixture.identity, &payload, &err), &err);
    json_decref(dataset);
    ledger = fixture_open(&fixture, BST_LEDGER_WRITE);
    fixture_put(&fixture, ledger, fixture.author, &payload, NULL);
    bst_buf_text(&payload, other);
    fixture_put(&fixture, ledger, fixture.author, &payload, NULL);
    return 0;
}

/* Private words erased, without the statement that says so. */
static enum bst_code erase(uint64_t entry, const char *name)
{
    enum bst_code code = bst_db_begin(ledger, &err);
    if (code == BST_OK) code = bst_words_erase(ledger, entry, name, &err);
    if (code == BST_OK) return bst_db_commit(ledger, &err);
    bst_db_rollback(ledger);
    return code;
}

/* The first column of the first row, as text; "NULL" for NULL, "none" for no row. */
static void expect(const char *sql, const char *expected)
{
    sqlite3_stmt *statement;
    const char *got = "none";
    if (sqlite3_prepare_v2(bst_ledger_db(ledger), sql, -1, &statement, NULL) != SQLITE_OK) {
        fail_msg("%s", sqlite3_errmsg(bst_ledger_db(ledger)));
    }
    if (sqlite3_step(statement) == SQLITE_ROW) {
        got = (const char *)sqlite3_column_text(statement, 0);
        if (!got) got = "NULL";
    }
    if (strcmp(got, expected) != 0) fail_msg("%s: %s, not %s", sql, got, expected);
    sqlite3_finalize(statement);
}

static void each_kind_of_statement(void **ctx)
{
    (void)ctx;
    char hex[65];
    uint8_t digest[32];
    expect("SELECT group_concat(kind) FROM (SELECT kind FROM record ORDER BY entry)",
           "identity,generation,generation,generation,training,other");
    expect("SELECT count(*) FROM author", "2"); /* the statement of an unknown kind names nobody */
    expect("SELECT name FROM author JOIN record ON author = id WHERE entry = 3", "Ada Example");
    expect("SELECT name FROM author JOIN record ON author = id WHERE entry = 5", "");
    snprintf(hex, sizeof hex, "%s", fixture.identity.key_id);
    expect("SELECT key_id FROM author LIMIT 1", hex);
    bst_sha256("model", 5, digest);
    bst_hex(digest, 32, hex);
    expect("SELECT model.sha256 FROM model JOIN record ON model = id WHERE entry = 1", hex);
    bst_sha256("lakes", 5, digest);
    bst_hex(digest, 32, hex);
    expect("SELECT model.sha256 FROM model JOIN record ON model = id WHERE entry = 4 AND model.sha256 = "
           "record.sha256",
           hex);
    expect("SELECT name FROM model JOIN record ON model = id WHERE entry = 4", "lakes");
    expect("SELECT time FROM record WHERE entry = 4", "1769990400000");
    expect("SELECT time FROM record WHERE entry = 1", "1767225601000");
    expect("SELECT time FROM record WHERE entry = 5", "NULL");
    expect("SELECT model FROM record WHERE entry = 5", "NULL");
}

static void pictures(void **ctx)
{
    (void)ctx;
    char hex[65];
    uint8_t digest[32];
    expect("SELECT file_name FROM record WHERE entry = 1", "pond-1.png");
    expect("SELECT image_id FROM record WHERE entry = 2", "00000000-0000-4000-8000-000000000002");
    expect("SELECT width || 'x' || height FROM record WHERE entry = 2", "768x512");
    expect("SELECT privacy FROM record WHERE entry = 1", "public");
    expect("SELECT privacy FROM record WHERE entry = 2", "partner");
    expect("SELECT privacy FROM record WHERE entry = 3", "private");
    bst_sha256("pond-3.png", 10, digest);
    bst_hex(digest, 32, hex);
    expect("SELECT sha256 FROM record WHERE entry = 3", hex);
    bst_sha256("00000000-0000-4000-8000-000000000003", 36, digest);
    bst_hex(digest, 32, hex);
    expect("SELECT pixels_sha256 FROM record WHERE entry = 3", hex);
    /* Private words are known to the ledger that holds them. */
    expect("SELECT prompt FROM record WHERE entry = 2", "a still pond, number 2");
    expect("SELECT seed FROM record WHERE entry = 3", "3");
    expect("SELECT file_name FROM record WHERE entry = 3", "pond-3.png");
    expect("SELECT group_concat(rowid) FROM words WHERE words MATCH 'still pond'", "1,2,3");
    expect("SELECT rowid FROM words WHERE words MATCH 'prompt : 2'", "2");
    expect("SELECT count(*) FROM secret WHERE entry = 1", "0");
    expect("SELECT count(*) FROM secret WHERE entry = 2", "2");
    expect("SELECT words FROM secret WHERE entry = 3 AND name = 'styles'",
           "[{\"name\":\"oil\",\"weight\":0.7},{\"name\":\"ink\",\"weight\":0.3}]");
    assert_int_equal(bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &err), BST_OK);
}

/* Relations of a role and a digest: entry and place, or "none". */
static void expect_relation(const char *role, const char *hashed, const char *expected)
{
    char sql[300], hex[65];
    uint8_t digest[32];
    bst_sha256(hashed, strlen(hashed), digest);
    bst_hex(digest, 32, hex);
    snprintf(
        sql, sizeof sql,
        "SELECT coalesce(group_concat(entry || ':' || place), 'none') FROM relation WHERE digest = x'%s' AND "
        "role = '%s'",
        hex, role);
    expect(sql, expected);
}

static void relations(void **ctx)
{
    (void)ctx;
    expect_relation("model", "model", "1:2,2:2,3:2");
    expect_relation("subject", "pond-2.png", "2:0");
    expect_relation("pixels", "00000000-0000-4000-8000-000000000002", "2:1");
    expect_relation("subject", "lakes", "4:0");
    expect_relation("model", "lakes", "none");
    expect("SELECT entry || name FROM relation WHERE role = 'item' AND digest = "
           "x'11111111111111111111111111111111111111111111111111111111111111ab'",
           "4a.png");
    expect("SELECT entry FROM relation WHERE role = 'dataset'", "4");
    expect("SELECT lower(hex(digest)) FROM relation WHERE role = 'key'", fixture.identity.key_id);
    expect("SELECT count(*) FROM relation WHERE entry = 5", "0"); /* its digest is none */
    expect("SELECT licence FROM record WHERE entry = 4", "CC-BY-4.0");
    expect("SELECT model.licence FROM model JOIN record ON model = id WHERE entry = 1", "CC0-1.0");
    expect("SELECT licence FROM record WHERE entry = 1", "NULL");
    expect("SELECT arith FROM record WHERE entry = 1", "blindstamp-arith/1");
    expect("SELECT version FROM record WHERE entry = 4", BST_VERSION);
}

/* Model, seed and all that decides about the pixels: however much of it the author shows. */
static void controls(void **ctx)
{
    (void)ctx;
    static const char said[] =
        "model\0"
        "9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4\0"
        "height\000512\0seed\0003\0"
        "styles\0[{\"name\":\"oil\",\"weight\":0.7},{\"name\":\"ink\",\"weight\":0.3}]\0"
        "tile\0false\0truncation\0000.8\0width\000768"; /* and the literal's own zero */
    uint8_t digest[32];
    char hex[65];
    bst_sha256(said, sizeof said, digest);
    bst_hex(digest, 32, hex);
    expect("SELECT controls FROM record WHERE entry = 3", hex);
    expect("SELECT count(DISTINCT controls) FROM record", "3");
    fixture_must(fixture_append(&fixture, 3, 1, BST_PUBLIC, &err), &err); /* the same picture, shown */
    expect("SELECT controls FROM record WHERE entry = 6", hex);
    assert_int_equal(erase(3, "prompt"), BST_OK);
    expect("SELECT controls FROM record WHERE entry = 3", hex);
    assert_int_equal(erase(3, "seed"), BST_OK); /* else it could be guessed */
    expect("SELECT controls FROM record WHERE entry = 3", "NULL");
    assert_int_equal(bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &err), BST_OK);
}

static void questions_search_an_index(void **ctx)
{
    (void)ctx;
    static const char *const question[] = {
        "SELECT entry FROM record WHERE kind = 'training'",
        "SELECT entry FROM record WHERE time >= 1 AND time < 2",
        "SELECT entry FROM record WHERE seed = '7'",
        "SELECT entry FROM record WHERE image_id = 'x'",
        "SELECT entry FROM record WHERE licence = 'CC0-1.0' COLLATE NOCASE",
        "SELECT entry FROM record WHERE controls = 'ab'",
        "SELECT entry FROM relation WHERE digest = x'ab' AND role = 'input'",
        "SELECT entry, role FROM relation WHERE digest BETWEEN x'ab' AND x'ac'",
        "SELECT entry FROM record WHERE model IN (SELECT id FROM model WHERE licence = 'x' COLLATE NOCASE)",
        "SELECT entry FROM record WHERE author IN (SELECT id FROM author WHERE key_id >= 'ab' AND key_id < "
        "'ac')",
        "SELECT entry FROM record WHERE author IN (SELECT id FROM author WHERE name >= 'ada' COLLATE NOCASE)",
        "SELECT entry FROM record WHERE model IN (SELECT id FROM model WHERE sha256 >= 'ab' AND sha256 < "
        "'ac')",
        "SELECT entry FROM record WHERE model IN (SELECT id FROM model WHERE name = 'ponds' COLLATE NOCASE)",
        "SELECT hash FROM node WHERE level = 3 AND idx = 2",
        "SELECT words FROM secret WHERE entry = 3",
        "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1",
    };
    for (size_t i = 0; i < sizeof question / sizeof *question; i++) {
        char sql[300];
        sqlite3_stmt *plan;
        snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", question[i]);
        assert_int_equal(sqlite3_prepare_v2(bst_ledger_db(ledger), sql, -1, &plan, NULL), SQLITE_OK);
        while (sqlite3_step(plan) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(plan, 3);
            bool newest = strstr(question[i], "LIMIT 1") != NULL; /* one step of a scan in key order */
            if (strncmp(step, "SCAN", 4) == 0 && !newest) fail_msg("%s: %s", question[i], step);
        }
        sqlite3_finalize(plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_statement),
        cmocka_unit_test(pictures),
        cmocka_unit_test(relations),
        cmocka_unit_test(controls),
        cmocka_unit_test(questions_search_an_index),
    };
    return cmocka_run_group_tests_name("ledger_index", tests, setup, open_teardown);
}
