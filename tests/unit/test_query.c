/* test_query.c - every filter of a query finds what it should, by an index and never by a walk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>

#include "query_plan.h"

#define COUNT 400

static int setup(void **state)
{
    struct bst_error err;
    (void)state;
    fixture_new(&fixture);
    fixture_must(fixture_append(&fixture, 1, COUNT - 20, BST_PUBLIC, &err), &err);
    fixture_must(fixture_append(&fixture, COUNT - 19, 20, BST_PRIVATE, &err), &err);
    ledger = fixture_open(&fixture, BST_LEDGER_READ);
    return 0;
}

static bool count_one(void *arg, const struct bst_record *record)
{
    (void)record;
    ++*(uint64_t *)arg;
    return true;
}

/* Rows found one by one; the counted number must agree. */
static uint64_t found(const struct bst_query *query)
{
    struct bst_error err = {0};
    uint64_t rows = 0, counted = 0;
    assert_int_equal(bst_query_run(ledger, query, count_one, &rows, &err), BST_OK);
    assert_int_equal(bst_query_count(ledger, query, &counted, &err), BST_OK);
    if (!query->limit && !query->offset) assert_int_equal(rows, counted);
    return rows;
}
#define FOUND(...) found(&(const struct bst_query){__VA_ARGS__})

static void filters_find_what_they_should(void **state)
{
    (void)state;
    char digest[BST_SHA256_HEX];
    uint8_t bytes[BST_SHA256_LEN];
    bst_sha256("pond-17.png", 11, bytes);
    bst_hex(bytes, sizeof bytes, digest);

    assert_int_equal(FOUND(.limit = 0), COUNT + 1);
    assert_int_equal(FOUND(.kind = "generation"), COUNT);
    assert_int_equal(FOUND(.kind = "identity"), 1);
    assert_int_equal(FOUND(.kind = "training"), 0);
    assert_int_equal(FOUND(.author = "ADA"), COUNT + 1);
    assert_int_equal(FOUND(.author = "Ada Example"), COUNT + 1);
    assert_int_equal(FOUND(.author = "da"), 0);
    assert_int_equal(FOUND(.author = fixture.identity.key_id), COUNT + 1);
    assert_int_equal(FOUND(.model = "pon"), COUNT);
    assert_int_equal(FOUND(.model = "ponds2"), 0);
    assert_int_equal(FOUND(.seed = "17"), 1);
    assert_int_equal(FOUND(.seed = "017"), 1);
    assert_int_equal(FOUND(.seed = "399"), 1); /* private: the word is kept beside the ledger's entry */
    assert_int_equal(FOUND(.digest = {digest}), 1);
    digest[9] = 0;
    assert_int_equal(FOUND(.digest = {digest}), 1);
    assert_int_equal(FOUND(.image_id = "00000000-0000-4000-8000-000000000011"), 1);
    assert_int_equal(FOUND(.image_id = "00000000-0000-4000-8000-00000000001A"), 1);
    assert_int_equal(FOUND(.text = "pond"), COUNT);
    assert_int_equal(FOUND(.text = "17 still"), 1);
    assert_int_equal(FOUND(.text = "sti*"), COUNT);
    assert_int_equal(FOUND(.text = "sti"), 0);
    assert_int_equal(FOUND(.text = "\"pond NEAR) OR *"),
                     0); /* "NEAR" and "OR" are words here, and not there */
    assert_int_equal(
        FOUND(.author = "Ada", .model = "ponds", .seed = "17", .text = "pond", .kind = "generation"), 1);
    assert_int_equal(FOUND(.seed = "17", .text = "18"), 0);
    assert_int_equal(FOUND(.seed = "17", .text = "17 pond"), 1);
}

static void times_have_edges(void **state)
{
    (void)state;
    /* Statement n was finished n.7 seconds after the new year, which the statement says in whole seconds. */
    assert_int_equal(FOUND(.since = "2026-01-01T00:00:10Z", .until = "2026-01-01T00:00:12Z"), 3);
    assert_int_equal(FOUND(.since = "2026-01-01T00:00:10Z", .until = "2026-01-01T00:00:10Z"), 1);
    assert_int_equal(FOUND(.since = "2026-01-01T01:00:10+01:00", .until = "2026-01-01T00:00:10Z"), 1);
    assert_int_equal(FOUND(.until = "2025-12-31"), 0);
    assert_int_equal(FOUND(.until = "2026-01-01"), COUNT); /* to the end of the day */
    assert_int_equal(FOUND(.since = "2026-01-02", .kind = "generation"), 0);
}

static bool take_entry(void *arg, const struct bst_record *record)
{
    *(uint64_t *)arg = record->entry;
    return false;
}

static void order_and_place(void **state)
{
    (void)state;
    struct bst_error err = {0};
    uint64_t entry = 0;
    struct bst_query query = {.kind = "generation", .descending = true};
    assert_int_equal(bst_query_run(ledger, &query, take_entry, &entry, &err), BST_OK);
    assert_int_equal(entry, COUNT);
    query = (struct bst_query){.kind = "generation", .offset = 5};
    assert_int_equal(bst_query_run(ledger, &query, take_entry, &entry, &err), BST_OK);
    assert_int_equal(entry, 6);
    assert_int_equal(FOUND(.limit = 7), 7);
    assert_int_equal(FOUND(.limit = 7, .offset = COUNT - 1), 2);
    assert_int_equal(FOUND(.offset = UINT64_MAX), 0);
    assert_int_equal(FOUND(.limit = UINT64_MAX), COUNT + 1);
}

static void every_filter_uses_an_index(void **state)
{
    (void)state;
    PLAN(.author = "Ada");
    PLAN(.author = "0123456789abcdef");
    PLAN(.model = "ponds");
    PLAN(.model = "0123456789abcdef");
    PLAN(.seed = "17");
    PLAN(.since = "2026-01-01");
    PLAN(.until = "2026-01-01");
    PLAN(.since = "2026-01-01", .until = "2026-01-02");
    PLAN(.text = "pond");
    PLAN(.digest = {"0123456789"});
    PLAN(.image_id = "00000000-0000-4000-8000-000000000011");
    PLAN(.kind = "generation");
    PLAN(.kind = "generation", .author = "Ada", .text = "pond", .limit = 10, .descending = true);
}

static void a_walk_is_noticed(void **state)
{
    /* The check above can fail: a query without any filter does walk. */
    (void)state;
    struct bst_error err = {0};
    const struct bst_query all = {0};
    sqlite3_stmt *stmt;
    bool walks = false;
    assert_int_equal(query_prepare(bst_ledger_db(ledger), &all, QUERY_PLAN, &stmt, &err), BST_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        walks |= !strncmp((const char *)sqlite3_column_text(stmt, 3), "SCAN r", 6);
    sqlite3_finalize(stmt);
    assert_true(walks);
}

/* Whoever looks at the answer may take his time: the ledger stays open to writers. */
static bool append_meanwhile(void *arg, const struct bst_record *record)
{
    struct bst_error err = {0};
    bool *done = arg;
    if (record->entry != 300) return true;
    assert_int_equal(fixture_append(&fixture, COUNT + 1, 1, BST_PUBLIC, &err), BST_OK);
    *done = true;
    return false;
}

static void others_can_write_meanwhile(void **state)
{
    (void)state;
    struct bst_error err = {0};
    const struct bst_query all = {0};
    bool done = false;
    assert_int_equal(bst_query_run(ledger, &all, append_meanwhile, &done, &err), BST_OK);
    assert_true(done);
    assert_int_equal(FOUND(.kind = "generation"), COUNT + 1);
}

static bool check_record(void *arg, const struct bst_record *record)
{
    struct bst_error err = {0};
    json_t *object = NULL;
    (void)arg;
    assert_int_equal(bst_record_json(record, &object, &err), BST_OK);
    assert_string_equal(bst_json_text(object, "seed"), "17");
    assert_string_equal(bst_json_text(object, "model"), "ponds");
    assert_string_equal(bst_json_text(object, "time"), "2026-01-01T00:00:17Z");
    assert_string_equal(bst_json_text(object, "prompt"), "a still pond, number 17");
    assert_int_equal(json_integer_value(json_object_get(object, "width")), 768);
    assert_true(json_is_string(json_object_get(object, "privacy")));
    json_decref(object);
    return true;
}

static bool check_unknown(void *arg, const struct bst_record *record)
{
    struct bst_error err = {0};
    json_t *object = NULL;
    (void)arg;
    assert_null(record->seed);
    assert_int_equal(record->width, 0);
    assert_int_equal(bst_record_json(record, &object, &err), BST_OK);
    assert_true(json_is_null(json_object_get(object, "seed")));
    assert_true(json_is_null(json_object_get(object, "width")));
    json_decref(object);
    return true;
}

static void records_say_what_is_known(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_query query = {.seed = "17"};
    assert_int_equal(bst_query_run(ledger, &query, check_record, NULL, &err), BST_OK);
    query = (struct bst_query){.kind = "identity"};
    assert_int_equal(bst_query_run(ledger, &query, check_unknown, NULL, &err), BST_OK);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const struct bst_query bad[] = {
        {.seed = "-1"},
        {.seed = "18446744073709551616"},
        {.seed = ""},
        {.since = "yesterday"},
        {.until = "2026-13-01"},
        {.text = " \t"},
        {.text = ""},
        {.digest = {"abc"}},
        {.digest = {"not hexadecimal at all"}},
        {.digest = {"00000000000000000000000000000000000000000000000000000000000000000"}}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bst_error err = {0};
        uint64_t rows = 0;
        assert_int_equal(bst_query_run(ledger, &bad[i], count_one, &rows, &err), BST_USAGE);
        assert_true(err.what[0]);
        assert_int_equal(rows, 0);
    }
}

/* Random words, with all that could be syntax, never upset the search. */
static void any_words_can_be_asked_for(void **state)
{
    static const char letters[] = "ab*\"'():^-+{}[]\\%;,. NEAROR\xc3\xa4";
    uint64_t random = 1;
    (void)state;
    for (unsigned n = 0; n < 2000; n++) {
        char text[24];
        struct bst_error err = {0};
        uint64_t count = 0;
        size_t len = 1 + (random >> 33) % 20;
        for (size_t i = 0; i < len; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            text[i] = letters[(random >> 33) % (sizeof letters - 1)];
        }
        text[len] = 0;
        const struct bst_query query = {.text = text, .author = text, .model = text};
        enum bst_code code = bst_query_count(ledger, &query, &count, &err);
        if (code != BST_OK && code != BST_USAGE) fail_msg("\"%s\": %s", text, err.what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_find_what_they_should),
        cmocka_unit_test(times_have_edges),
        cmocka_unit_test(order_and_place),
        cmocka_unit_test(every_filter_uses_an_index),
        cmocka_unit_test(a_walk_is_noticed),
        cmocka_unit_test(records_say_what_is_known),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(any_words_can_be_asked_for),
        cmocka_unit_test(others_can_write_meanwhile),
    };
    return cmocka_run_group_tests(tests, setup, open_teardown);
}
