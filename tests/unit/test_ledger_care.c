/* test_ledger_care.c - a ledger of an older version is brought up to this one and nothing in it is lost; a backup is whole
 * and is noticed when it is put back; the quick check finds what accidents do. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "ledger_fixture.h"

/* Written by version 1 with the fixture's keys: identity, a public, a partner's and a private picture, a training on two
 * items, its model, an adopted picture. */
#define OLD "tests/unit/ledger-1.sqlite"

static struct bst_error err;

static void shell(const struct fixture *fixture, const char *format, ...)
{
    char command[400], whole[800];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    snprintf(whole, sizeof whole, "F='%s'; %s", fixture->folder, command);
    assert_int_equal(system(whole), 0);
}

static char *old_ledger(const struct fixture *fixture)
{
    shell(fixture, "cp %s \"$F/old\" && chmod 600 \"$F/old\"", OLD);
    return bst_format("%s/old", fixture->folder);
}

static int64_t number(struct bst_ledger *ledger, const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(bst_ledger_db(ledger), sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(bst_ledger_db(ledger)));
    int64_t value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    sqlite3_finalize(statement);
    return value;
}

/* ---- an older version ---- */

static void it_is_read_as_it_is(void **ctx)
{
    char *path = old_ledger(*ctx);
    struct bst_ledger *ledger;
    struct bst_proof proof;
    struct bst_buf envelope = {0};
    assert_int_equal(bst_ledger_open(path, BST_LEDGER_READ, &ledger, &err), BST_OK);
    assert_int_equal(bst_ledger_size(ledger), 7);
    assert_int_equal(bst_ledger_prove(ledger, 3, &proof, &err), BST_OK);
    assert_int_equal(bst_ledger_entry(ledger, 3, &envelope, &err), BST_OK);
    assert_int_equal(bst_proof_verify(&proof, envelope.data, envelope.len, bst_ledger_origin(ledger),
                                      bst_ledger_key(ledger), &err),
                     BST_OK);
    assert_int_equal(bst_ledger_current(ledger, &err), BST_USAGE);
    assert_non_null(strstr(err.hint, "ledger migrate"));
    assert_int_equal(bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &err), BST_USAGE);
    assert_int_equal(bst_ledger_check_quick(ledger, NULL, NULL, &err), BST_USAGE);
    assert_int_equal(number(ledger, "PRAGMA user_version"), 1);
    bst_proof_clear(&proof);
    bst_buf_free(&envelope);
    bst_ledger_close(ledger);
    free(path);
}

static bool stop(void *arg, uint64_t done, uint64_t total)
{
    (void)arg, (void)done, (void)total;
    return false;
}

static void it_is_brought_up_to_this_one(void **ctx)
{
    const struct fixture *fixture = *ctx;
    char *path = old_ledger(fixture);
    struct bst_ledger *ledger;
    unsigned from = 0, to = 0;
    assert_int_equal(bst_ledger_migrate(path, &from, &to, stop, NULL, &err), BST_FAILURE);
    shell(fixture, "cmp %s \"$F/old\"", OLD); /* interrupted, nothing was changed */
    assert_int_equal(bst_ledger_migrate(path, &from, &to, NULL, NULL, &err), BST_OK);
    assert_int_equal(from, 1);
    assert_int_equal(to, 2);
    assert_int_equal(bst_ledger_migrate(path, &from, &to, stop, NULL, &err), BST_OK); /* nothing to do */
    assert_int_equal(from, 2);
    assert_int_equal(bst_ledger_open(path, BST_LEDGER_READ, &ledger, &err), BST_OK);
    assert_int_equal(bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &err), BST_OK);
    assert_int_equal(bst_ledger_check_quick(ledger, NULL, NULL, &err), BST_OK);
    assert_int_equal(number(ledger, "SELECT count(*) FROM secret"), 9);
    assert_int_equal(number(ledger, "SELECT entry FROM record WHERE prompt = 'a still pond, number 3'"), 3);
    assert_int_equal(number(ledger, "SELECT entry FROM relation WHERE role = 'item' AND name = 'b.png'"), 4);
    bst_ledger_close(ledger);
    free(path);
}

static void writing_brings_it_up_too(void **ctx)
{
    const struct fixture *fixture = *ctx;
    char *path = old_ledger(fixture);
    struct bst_ledger *ledger;
    assert_int_equal(bst_ledger_open(path, BST_LEDGER_WRITE, &ledger, &err), BST_OK);
    struct batch batch = batch_new(fixture, 9, 1, BST_PARTNER);
    assert_int_equal(bst_ledger_append(ledger, fixture->log, batch.entries, 1, batch.proofs, &err),
                     BST_BROKEN); /* what was signed last is not known */
    assert_non_null(strstr(err.hint, "ledger recover"));
    shell(fixture, ": > \"$F/old-checkpoint\"");
    assert_int_equal(bst_ledger_append(ledger, fixture->log, batch.entries, 1, batch.proofs, &err), BST_OK);
    assert_int_equal(number(ledger, "PRAGMA user_version"), 2);
    assert_int_equal(bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &err), BST_OK);
    assert_int_equal(bst_ledger_size(ledger), 8);
    batch_free(&batch);
    bst_ledger_close(ledger);
    free(path);
}

/* ---- backup ---- */

static void a_backup_is_whole_and_noticed_when_put_back(void **ctx)
{
    const struct fixture *fixture = *ctx;
    char *path = bst_format("%s/backup", fixture->folder);
    assert_int_equal(fixture_append(fixture, 1, 50, BST_PARTNER, &err), BST_OK);
    struct bst_ledger *ledger = fixture_open(fixture, BST_LEDGER_READ), *copy;
    assert_int_equal(bst_ledger_backup(ledger, path, stop, NULL, &err), BST_FAILURE);
    shell(fixture,
          "test \"$(cd \"$F\" && echo * .[!.]*)\" = 'ledger.sqlite ledger.sqlite-checkpoint .[!.]*'");
    assert_int_equal(bst_ledger_backup(ledger, path, NULL, NULL, &err), BST_OK);
    assert_int_equal(bst_ledger_backup(ledger, path, NULL, NULL, &err), BST_USAGE);
    bst_ledger_close(ledger);
    shell(fixture, "test \"$(stat -c %%a \"$F/backup\")\" = 600");
    assert_int_equal(bst_ledger_open(path, BST_LEDGER_READ, &copy, &err), BST_OK);
    assert_int_equal(bst_ledger_check(copy, NULL, NULL, NULL, NULL, &err), BST_OK);
    assert_int_equal(bst_ledger_size(copy), 51);
    bst_ledger_close(copy);
    assert_int_equal(fixture_append(fixture, 60, 1, BST_PUBLIC, &err), BST_OK);
    shell(fixture, "cp \"$F/backup\" \"$F/ledger.sqlite\"");
    assert_int_equal(fixture_append(fixture, 61, 1, BST_PUBLIC, &err), BST_BROKEN);
    ledger = fixture_open(fixture, BST_LEDGER_READ);
    assert_int_equal(bst_ledger_check_quick(ledger, NULL, NULL, &err), BST_BROKEN);
    bst_ledger_close(ledger);
    free(path);
}

/* ---- what was signed last ---- */

/* A writer that died between its commit and the record of it: whoever reads next, or writes, does that step. */
static void a_dead_writers_last_step_is_done(void **ctx)
{
    const struct fixture *fixture = *ctx;
    char *note = NULL;
    for (int writing = 0; writing < 2; writing++) {
        shell(fixture, "cp \"$F/ledger.sqlite-checkpoint\" \"$F/kept\"");
        assert_int_equal(fixture_append(fixture, (uint64_t)writing, 1, BST_PUBLIC, &err), BST_OK);
        shell(fixture, "cp \"$F/kept\" \"$F/ledger.sqlite-checkpoint\"");
        if (writing) {
            assert_int_equal(fixture_append(fixture, 9, 1, BST_PUBLIC, &err), BST_OK);
        }
        struct bst_ledger *ledger = fixture_open(fixture, BST_LEDGER_READ);
        assert_int_equal(bst_ledger_checkpoint(ledger, &note, &err), BST_OK);
        bst_ledger_close(ledger);
        shell(fixture, "grep -aqF '%s' \"$F/ledger.sqlite-checkpoint\"", strrchr(note, ' ') + 1);
        free(note);
    }
}

static void a_torn_record_is_told_from_a_lost_one(void **ctx)
{
    const struct fixture *fixture = *ctx;
    for (uint64_t n = 1; n < 5; n++) /* whichever slot was written last: the other one is older, and holds */
    {
        assert_int_equal(fixture_append(fixture, n, 1, BST_PUBLIC, &err), BST_OK);
        shell(fixture,
              "printf torn | dd of=\"$F/ledger.sqlite-checkpoint\" bs=1 seek=%u conv=notrunc status=none",
              n & 1 ? 4096 + 60 : 60);
    }
    assert_int_equal(fixture_append(fixture, 5, 1, BST_PUBLIC, &err), BST_OK);
    shell(fixture, "for at in 60 4156; do printf torn | dd of=\"$F/ledger.sqlite-checkpoint\" bs=1 seek=$at "
                   "conv=notrunc status=none; done");
    assert_int_equal(fixture_append(fixture, 6, 1, BST_PUBLIC, &err), BST_BROKEN);
    assert_non_null(strstr(err.hint, "ledger recover"));
    shell(fixture, "rm \"$F/ledger.sqlite-checkpoint\"");
    assert_int_equal(fixture_append(fixture, 6, 1, BST_PUBLIC, &err), BST_BROKEN);
}

/* ---- the quick check ---- */

static void expect_rule(void *arg, const struct bst_finding *finding)
{
    if (strcmp(finding->rule, *(const char **)arg) == 0) *(const char **)arg = "";
}

static void the_quick_check_finds_accidents(void **ctx)
{
    const struct fixture *fixture = *ctx;
    static const struct {
        const char *sql, *rule;
    } accident[] = {
        {"DROP TRIGGER entry_no_delete; PRAGMA foreign_keys = OFF; DELETE FROM entry WHERE idx = 5",
         "entry.missing"},
        {"DROP TABLE record", "schema.changed"},
        {"DROP TRIGGER entry_no_update; UPDATE entry SET leaf = zeroblob(32) WHERE idx = 20",
         "checkpoint.root"},
        {"CREATE TABLE mine (x)", "schema.changed"},
    };
    assert_int_equal(fixture_append(fixture, 1, 20, BST_PUBLIC, &err), BST_OK);
    shell(fixture, "cp \"$F/ledger.sqlite\" \"$F/kept\"");
    for (size_t i = 0; i < sizeof accident / sizeof *accident; i++) {
        sqlite3 *db;
        const char *rule = accident[i].rule;
        shell(fixture, "cp \"$F/kept\" \"$F/ledger.sqlite\"");
        assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
        if (sqlite3_exec(db, accident[i].sql, NULL, NULL, NULL) != SQLITE_OK)
            fail_msg("%s: %s", accident[i].sql, sqlite3_errmsg(db));
        sqlite3_close(db);
        struct bst_ledger *ledger = fixture_open(fixture, BST_LEDGER_READ);
        assert_int_equal(bst_ledger_check_quick(ledger, expect_rule, &rule, &err), BST_BROKEN);
        assert_string_equal(rule, "");
        bst_ledger_close(ledger);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_read_as_it_is, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(it_is_brought_up_to_this_one, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(writing_brings_it_up_too, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_backup_is_whole_and_noticed_when_put_back, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(a_dead_writers_last_step_is_done, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_torn_record_is_told_from_a_lost_one, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(the_quick_check_finds_accidents, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests_name("ledger_care", tests, NULL, NULL);
}
