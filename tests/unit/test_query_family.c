/* test_query_family.c - what was made from what, licences, what is not said, order, pages and groups of a query. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "family_fixture.h"
#include "query_plan.h"

static int setup(void **state)
{
    (void)state;
    family_new(&fixture);
    ledger = fixture_open(&fixture, BST_LEDGER_READ);
    return 0;
}

static bool note_entry(void *arg, const struct bst_record *record)
{
    char *text = arg;
    snprintf(text + strlen(text), 8, "%s%llu", *text ? " " : "", (unsigned long long)record->entry);
    return true;
}

static void check(const char *name, const struct bst_query *query, const char *want)
{
    struct bst_error err = {0};
    char got[160] = "";
    uint64_t count = 0, entries = *want ? 1 : 0;
    for (const char *c = want; *c; c++)
        entries += *c == ' ';
    if (bst_query_run(ledger, query, note_entry, got, &err) != BST_OK) fail_msg("%s: %s", name, err.what);
    if (strcmp(got, want) != 0) fail_msg("%s: entries \"%s\", not \"%s\"", name, got, want);
    if (query->limit || query->offset) return;
    assert_int_equal(bst_query_count(ledger, query, &count, &err), BST_OK);
    assert_int_equal(count, entries);
}
#define FINDS(want, ...) check(#__VA_ARGS__, &(const struct bst_query){__VA_ARGS__}, want)

static void families_are_found(void **state)
{
    char hex[BST_SHA256_HEX], other[BST_SHA256_HEX];
    (void)state;
    FINDS("3", .parent = {family_hex("a.png", hex)});
    FINDS("3", .parent = {family_hex("pixels of a.png", hex)});
    FINDS("3 6", .parent = {family_hex("a.png", hex), family_hex("pixels of b.png", other)});
    FINDS("5", .parent = {family_hex("photo.jpg", hex)});
    FINDS("4", .parent = {family_hex("photo as found", hex)});
    FINDS("", .parent = {family_hex("d.png", hex)});
    FINDS("1 2 3 5", .trained_on = {family_hex("pond.jpg", hex)});
    hex[12] = 0;
    FINDS("1 2 3 5", .trained_on = {hex});
    FINDS("5", .trained_on = {hex}, .seed = "2");
    FINDS("", .trained_on = {family_hex("a.png", hex)});
}

static void licences_and_what_is_not_said(void **state)
{
    (void)state;
    FINDS("2 3 5", .licence = "cc0-1.0");
    FINDS("1", .licence = "CC-BY-4.0");
    FINDS("", .licence = "CC0");
    FINDS("4 6", .licence = "unknown");
    FINDS("4", .model = "unknown");
    FINDS("4", .seed = "unknown");
    FINDS("", .author = "unknown");
    FINDS("", .privacy = "unknown");
    FINDS("2 3 4 5 6", .privacy = "public");
    FINDS("", .privacy = "private");
    FINDS("4", .source_type = "capture");
    FINDS("", .source_type = "unknown");
}

static void any_order(void **state)
{
    (void)state;
    FINDS("4 5 6 2 3", .sort = "time", .privacy = "public");
    FINDS("3 2 6 5 4", .sort = "time", .privacy = "public", .descending = true);
    FINDS("5 6 2 3 4", .sort = "seed", .privacy = "public"); /* as numbers; unknown last */
    FINDS("3 2 6 5 4", .sort = "seed", .privacy = "public", .descending = true);
    FINDS("6 2 3 5 4", .sort = "model", .privacy = "public");
    FINDS("3 2 6 5 4", .sort = "size", .privacy = "public");
    FINDS("2 3 5 6 4", .sort = "file", .privacy = "public");
    FINDS("1 2 3 5 0 4 6", .sort = "licence");
    for (size_t i = 0; bst_query_column(i); i++) {
        struct bst_error err = {0};
        const struct bst_query query = {.sort = bst_query_column(i)};
        char got[160] = "";
        assert_int_equal(bst_query_run(ledger, &query, note_entry, got, &err), BST_OK);
        assert_int_equal(strlen(got), strlen("0 1 2 3 4 5 6"));
    }
}

static void pages(void **state)
{
    (void)state;
    FINDS("0 1 2", .limit = 3);
    FINDS("3 4 5", .limit = 3, .has_after = true, .after = 2);
    FINDS("6", .limit = 3, .has_after = true, .after = 5);
    FINDS("1 0", .limit = 3, .has_after = true, .after = 2, .descending = true);
    FINDS("0 1 2 3", .as_of = 4);
    FINDS("2 3", .as_of = 4, .licence = "CC0-1.0");
    FINDS("3", .as_of = 4, .kind = "generation", .sort = "time", .offset = 1, .limit = 9);
    FINDS("", .has_after = true, .after = UINT64_MAX);
}

static bool note_group(void *arg, const struct bst_group *group)
{
    char *text = arg;
    snprintf(text + strlen(text), 40, "%s%s %llu", *text ? ", " : "", group->value ? group->value : "unknown",
             (unsigned long long)group->count);
    return true;
}

static void check_groups(const char *by, const struct bst_query *query, const char *want)
{
    struct bst_error err = {0};
    char got[400] = "";
    if (bst_query_groups(ledger, query, by, note_group, got, &err) != BST_OK)
        fail_msg("%s: %s", by, err.what);
    assert_string_equal(got, want);
}
#define GROUPS(by, want, ...) check_groups(by, &(const struct bst_query){__VA_ARGS__}, want)

static void groups(void **state)
{
    (void)state;
    GROUPS("kind", "generation 4, adoption 1, identity 1, training 1", .limit = 0);
    GROUPS("author", "Ada Example 7", .limit = 0);
    GROUPS("model", "ponds 3, - 1, lakes 1, ponds 1, unknown 1", .limit = 0);
    GROUPS("model", "ponds 3, lakes 1", .kind = "generation");
    GROUPS("month", "2026-01 5", .privacy = "public");
    GROUPS("day", "2026-01-01 1, 2026-01-03 1, 2026-01-04 1, 2026-01-10 1, 2026-01-11 1",
           .privacy = "public");
    GROUPS("licence", "CC0-1.0 3, unknown 2, - 1, CC-BY-4.0 1", .limit = 0);
    GROUPS("licence", "CC0-1.0 3", .limit = 1);
    GROUPS("size", "128x16 1, 144x16 1, 16x16 1, 32x16 1, 64x48 1", .privacy = "public");
    GROUPS("source-type", "- 6, capture 1", .limit = 0);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const struct bst_query bad[] = {{.privacy = "secret"},
                                           {.source_type = "painted"},
                                           {.parent = {"abc"}},
                                           {.trained_on = {"no file"}},
                                           {.sort = "entry; DROP TABLE record"},
                                           {.sort = "time", .has_after = true}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bst_error err = {0};
        char got[160] = "";
        assert_int_equal(bst_query_run(ledger, &bad[i], note_entry, got, &err), BST_USAGE);
        assert_true(err.hint[0]);
    }
    struct bst_error err = {0};
    char got[160] = "";
    assert_int_equal(bst_query_groups(ledger, &(struct bst_query){0}, "weather", note_group, got, &err),
                     BST_USAGE);
}

static void every_condition_uses_an_index(void **state)
{
    char hex[BST_SHA256_HEX];
    (void)state;
    PLAN(.parent = {family_hex("a.png", hex)});
    PLAN(.parent = {"0123456789"});
    PLAN(.trained_on = {hex});
    PLAN(.trained_on = {"0123456789", hex});
    PLAN(.licence = "CC0-1.0");
    PLAN(.licence = "unknown");
    PLAN(.model = "unknown");
    PLAN(.seed = "unknown");
    PLAN(.author = "unknown");
    PLAN(.privacy = "public");
    PLAN(.privacy = "unknown");
    PLAN(.source_type = "capture");
    PLAN(.source_type = "unknown");
    PLAN(.author = "Ada", .as_of = 5, .has_after = true, .after = 2);
    PLAN(.text = "pond", .as_of = 5, .has_after = true, .after = 2, .descending = true);
    PLAN(.licence = "CC0-1.0", .as_of = 5);
    for (size_t i = 0; bst_query_column(i); i++) {
        PLAN(.seed = "17", .sort = bst_query_column(i));
        PLAN(.model = "ponds", .sort = bst_query_column(i));
        PLAN(.trained_on = {hex}, .sort = bst_query_column(i), .as_of = 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_are_found),
        cmocka_unit_test(licences_and_what_is_not_said),
        cmocka_unit_test(any_order),
        cmocka_unit_test(pages),
        cmocka_unit_test(groups),
        cmocka_unit_test(every_condition_uses_an_index),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, open_teardown);
}
