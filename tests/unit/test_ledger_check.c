/* test_ledger_check.c - a ledger altered by somebody with full access to its file, in every way that we could
 * think of: the check names the entry and the rule. The index is rebuilt and words are erased, and the check
 * holds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "ledger_fixture.h"
#include "ledger_db.h"

#define ENTRIES 41 /* identity, then four batches of ten */

static struct bst_error err;
static struct fixture fixture;

static int setup(void **ctx)
{
    (void)ctx;
    char command[700];
    fixture_new(&fixture);
    for (uint64_t i = 0; i < 4; i++)
        fixture_must(fixture_append(&fixture, 1 + 10 * i, 10, (enum bst_privacy)(i % 3), &err), &err);
    snprintf(command, sizeof command,
             "cd '%s' && cp ledger.sqlite kept && cp ledger.sqlite-checkpoint kept-checkpoint",
             fixture.folder);
    return system(command);
}

static int teardown(void **ctx)
{
    (void)ctx;
    fixture_free(&fixture);
    return 0;
}

static void restore(void)
{
    char command[700];
    snprintf(command, sizeof command,
             "cd '%s' && cp kept ledger.sqlite && cp kept-checkpoint ledger.sqlite-checkpoint",
             fixture.folder);
    assert_int_equal(system(command), 0);
}

/* ---- findings ---- */

struct findings {
    size_t count;
    struct {
        char rule[32];
        int64_t index;
        char words[300];
    } item[400];
};

static void collect(void *arg, const struct bst_finding *finding)
{
    struct findings *findings = arg;
    if (findings->count == 400) return;
    snprintf(findings->item[findings->count].rule, sizeof findings->item[0].rule, "%s", finding->rule);
    snprintf(findings->item[findings->count].words, sizeof findings->item[0].words, "%s", finding->words);
    findings->item[findings->count++].index = finding->index;
}

static enum bst_code check(struct findings *findings)
{
    struct bst_ledger *ledger;
    findings->count = 0;
    enum bst_code code = bst_ledger_open(fixture.path, BST_LEDGER_READ, &ledger, &err);
    if (code != BST_OK) return code;
    code = bst_ledger_check(ledger, collect, findings, NULL, NULL, &err);
    bst_ledger_close(ledger);
    return code;
}

static bool has(const struct findings *findings, const char *rule, int64_t index)
{
    for (size_t i = 0; i < findings->count; i++) {
        if (strcmp(findings->item[i].rule, rule) == 0 && findings->item[i].index == index) return true;
    }
    return false;
}

static void expect(const struct findings *findings, const char *rule, int64_t index, const char *what)
{
    if (has(findings, rule, index)) return;
    fprintf(stderr, "%s: no %s for %lld among:\n", what, rule, (long long)index);
    for (size_t i = 0; i < findings->count; i++)
        fprintf(stderr, "  %s %lld %s\n", findings->item[i].rule, (long long)findings->item[i].index,
                findings->item[i].words);
    fail();
}

/* ---- an attacker who knows the format ---- */

static int leaf_function_calls;

/* SQL function leaf(envelope): what an attacker would put into entry.leaf. */
static void sql_leaf(sqlite3_context *context, int count, sqlite3_value **value)
{
    (void)count;
    uint8_t leaf[32];
    bst_merkle_leaf(sqlite3_value_blob(value[0]), (size_t)sqlite3_value_bytes(value[0]), leaf);
    sqlite3_result_blob(context, leaf, 32, SQLITE_TRANSIENT);
    leaf_function_calls++;
}

/* Runs SQL with all triggers out of the way, and puts them back as they were. */
static void tamper(const char *sql)
{
    static const char *const around[] = {
        "CREATE TEMP TABLE kept AS SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger'", NULL};
    sqlite3 *db;
    sqlite3_stmt *triggers;
    assert_int_equal(sqlite3_open(fixture.path, &db), SQLITE_OK);
    sqlite3_create_function(db, "leaf", 1, SQLITE_UTF8, NULL, sql_leaf, NULL, NULL);
    assert_int_equal(sqlite3_exec(db, around[0], NULL, NULL, NULL), SQLITE_OK);
    for (int restoring = 0; restoring < 2; restoring++) {
        struct bst_buf script = {0};
        assert_int_equal(sqlite3_prepare_v2(db, "SELECT name, sql FROM temp.kept", -1, &triggers, NULL),
                         SQLITE_OK);
        while (sqlite3_step(triggers) == SQLITE_ROW) {
            if (restoring) {
                bst_buf_printf(&script, "%s;", (const char *)sqlite3_column_text(triggers, 1));
            } else {
                bst_buf_printf(&script, "DROP TRIGGER %s;", (const char *)sqlite3_column_text(triggers, 0));
            }
        }
        sqlite3_finalize(triggers);
        if (sqlite3_exec(db, bst_buf_string(&script), NULL, NULL, NULL) != SQLITE_OK)
            fail_msg("%s", sqlite3_errmsg(db));
        bst_buf_free(&script);
        if (!restoring && sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
            fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        }
    }
    sqlite3_close(db);
}

/* The index made fresh from the altered entries, as our own program would make it. */
static void rebuild(void)
{
    struct bst_ledger *ledger = fixture_open(&fixture, BST_LEDGER_WRITE);
    assert_int_equal(bst_ledger_rebuild(ledger, NULL, NULL, &err), BST_OK);
    bst_ledger_close(ledger);
}

static void an_untouched_ledger_is_whole(void **ctx)
{
    (void)ctx;
    struct findings findings;
    restore();
    assert_int_equal(check(&findings), BST_OK);
    assert_int_equal(findings.count, 0);
    tamper("SELECT 1"); /* dropping the triggers and putting them back is not a change */
    assert_int_equal(check(&findings), BST_OK);
}

static const struct {
    const char *sql, *rule;
    int64_t index;
} alteration[] = {
    /* one column of one entry */
    {"UPDATE entry SET envelope = (SELECT envelope FROM entry WHERE idx = 8) WHERE idx = 7",
     "entry.leaf-hash", 7},
    {"UPDATE entry SET leaf = zeroblob(32) WHERE idx = 0", "entry.leaf-hash", 0},
    {"UPDATE entry SET leaf = randomblob(32) WHERE idx = 40", "entry.leaf-hash", 40},
    /* a changed statement with its leaf hash made right: the signature tells */
    {"UPDATE entry SET envelope = CAST(replace(CAST(envelope AS TEXT), '\"sig\":\"', '\"sig\":\"A') AS BLOB)"
     " WHERE idx = 5; UPDATE entry SET leaf = leaf(envelope) WHERE idx = 5",
     "entry.envelope", 5},
    {"UPDATE entry SET envelope = x'7b7d', leaf = leaf(x'7b7d') WHERE idx = 11", "entry.envelope", 11},
    /* another signed statement in its place, leaf hash made right: tree and index tell */
    {"UPDATE entry SET envelope = (SELECT envelope FROM entry WHERE idx = 8), leaf = (SELECT leaf FROM entry "
     "WHERE idx "
     "= 8) WHERE idx = 7",
     "record.content", 7},
    /* deleted */
    {"DELETE FROM entry WHERE idx = 0", "entry.missing", 0},
    {"DELETE FROM entry WHERE idx = 13", "entry.missing", 13},
    {"DELETE FROM entry WHERE idx BETWEEN 20 AND 30", "entry.missing", 25},
    {"DELETE FROM entry WHERE idx = 40", "checkpoint.truncated", 40},
    {"DELETE FROM entry WHERE idx > 30; DELETE FROM checkpoint WHERE size > 31; DELETE FROM record WHERE "
     "entry > 30;"
     "DELETE FROM words WHERE rowid > 30; DELETE FROM secret WHERE entry > 30",
     "checkpoint.truncated", 31},
    /* reordered */
    {"UPDATE entry SET idx = 1000 WHERE idx = 3; UPDATE entry SET idx = 3 WHERE idx = 4; UPDATE entry SET "
     "idx = 4 WHERE "
     "idx = 1000",
     "record.content", 3},
    /* inserted */
    {"INSERT INTO entry SELECT 41, leaf, envelope FROM entry WHERE idx = 40", "entry.no-checkpoint", 41},
    {"UPDATE entry SET idx = idx + 1000 WHERE idx > 10; UPDATE entry SET idx = idx - 999 WHERE idx > 1000;"
     "INSERT INTO entry SELECT 11, leaf, envelope FROM entry WHERE idx = 5",
     "record.content", 11},
    {"INSERT INTO entry VALUES (1000000000000, zeroblob(32), x'7b7d')", "entry.missing", 41},
    /* relations */
    {"UPDATE relation SET name = 'other' WHERE entry = 6 AND role = 'model'", "relation.content", 6},
    {"UPDATE relation SET digest = zeroblob(32) WHERE entry = 6 AND role = 'pixels'", "relation.content", 6},
    {"DELETE FROM relation WHERE entry = 0", "relation.content", 0},
    {"INSERT INTO relation VALUES (zeroblob(32), 'input', 6, 9, NULL)", "relation.content", -1},
    {"INSERT INTO relation VALUES (zeroblob(32), 'input', 99, 0, NULL)", "relation.content", 99},
    /* checkpoints */
    {"UPDATE checkpoint SET note = replace(note, char(10) || '21' || char(10), char(10) || '22' || char(10)) "
     "WHERE size = "
     "21",
     "checkpoint.signature", -1},
    {"UPDATE checkpoint SET size = 20 WHERE size = 21", "checkpoint.size", -1},
    {"UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE size = 11) WHERE size = 21",
     "checkpoint.size", -1},
    {"DELETE FROM checkpoint WHERE size = 41", "entry.no-checkpoint", 31},
    {"INSERT INTO checkpoint VALUES (15, 'nonsense')", "checkpoint.signature", -1},
    {"UPDATE log SET key = zeroblob(32)", "log.identity", 0},
    {"UPDATE log SET origin = 'other'", "log.identity", 0},
    {"DELETE FROM node WHERE level = 1 AND idx = 3", "node.hash", 6},
    {"UPDATE node SET hash = zeroblob(32) WHERE level = 3 AND idx = 2", "node.hash", 16},
    {"INSERT INTO node VALUES (1, 20, zeroblob(32))", "node.hash", 40},
    /* the index */
    {"UPDATE record SET seed = '8' WHERE entry = 9", "record.content", 9},
    {"UPDATE record SET width = NULL WHERE entry = 9", "record.content", 9},
    {"UPDATE record SET time = time + 1 WHERE entry = 9", "record.content", 9},
    {"UPDATE record SET title = 'Sea' WHERE entry = 9", "record.content", 9},
    {"DELETE FROM record WHERE entry = 9", "record.content", 9},
    {"INSERT INTO record (entry, kind, author) VALUES (99, 'generation', 1)", "record.content", 99},
    {"UPDATE author SET name = 'Eve'", "record.content", 12},
    {"UPDATE model SET sha256 = 'x'", "record.content", 12},
    {"UPDATE words SET title = 'Sea' WHERE rowid = 9", "words.content", 9},
    {"DELETE FROM words WHERE rowid = 9", "words.content", 9},
    {"UPDATE words_content SET c1 = 'sea' WHERE id = 9", "words.content", 9},
    {"DELETE FROM words WHERE rowid = 9; INSERT INTO words_content (id, c0, c1) VALUES (9, 'Pond', 'a still "
     "pond, "
     "number 9')",
     "words.content", -1},
    /* secrets */
    {"UPDATE secret SET words = 'sea' WHERE entry = 12 AND name = 'prompt'", "secret.commitment", 12},
    {"UPDATE secret SET salt = zeroblob(32) WHERE entry = 12 AND name = 'title'", "secret.commitment", 12},
    {"INSERT INTO secret VALUES (12, 'author', zeroblob(32), 'Eve')", "secret.commitment", 12},
    {"INSERT INTO secret VALUES (12, 'a name that is longer than any of ours', zeroblob(32), 'x')",
     "secret.commitment", -1},
    /* the schema */
    {"CREATE TRIGGER eve AFTER INSERT ON entry BEGIN DELETE FROM words; END", "schema.changed", -1},
    {"CREATE VIEW eve AS SELECT 1", "schema.changed", -1},
    {"DROP INDEX record_seed", "schema.changed", -1},
    {"DROP TABLE node", "schema.changed", -1},
};

static void every_alteration_is_named(void **ctx)
{
    (void)ctx;
    for (size_t i = 0; i < sizeof alteration / sizeof *alteration; i++) {
        struct findings findings;
        restore();
        tamper(alteration[i].sql);
        if (check(&findings) != BST_BROKEN) fail_msg("not noticed: %s", alteration[i].sql);
        expect(&findings, alteration[i].rule, alteration[i].index, alteration[i].sql);
    }
    assert_true(leaf_function_calls > 0);
}

/* Nobody holds the log's key but the author. Who makes everything else consistent again still cannot sign:
 * the roots that were signed no longer fit, and the first batch with a wrong one is named. */
static void a_consistent_forgery_fails_at_the_checkpoints(void **ctx)
{
    (void)ctx;
    static const struct {
        const char *sql;
        int64_t batch;
    } forgery[] = {
        {"UPDATE entry SET envelope = (SELECT envelope FROM entry WHERE idx = 8) WHERE idx = 7", 1},
        {"UPDATE entry SET idx = 1000 WHERE idx = 13; UPDATE entry SET idx = 13 WHERE idx = 14;"
         "UPDATE entry SET idx = 14 WHERE idx = 1000",
         11},
        {"DELETE FROM entry WHERE idx = 25; UPDATE entry SET idx = idx - 1 WHERE idx > 25", 21},
        {"UPDATE entry SET idx = idx + 1000 WHERE idx > 35; UPDATE entry SET idx = idx - 999 WHERE idx > "
         "1000;"
         "INSERT INTO entry SELECT 36, leaf, envelope FROM entry WHERE idx = 5",
         31},
    };
    for (size_t i = 0; i < sizeof forgery / sizeof *forgery; i++) {
        struct findings findings;
        restore();
        tamper("DELETE FROM secret");
        tamper(forgery[i].sql);
        tamper("UPDATE entry SET leaf = leaf(envelope)");
        rebuild();
        assert_int_equal(check(&findings), BST_BROKEN);
        expect(&findings, "checkpoint.root", forgery[i].batch, forgery[i].sql);
    }
}

/* A whole new history under a new log key does not fit the identity in entry 0; with a new entry 0 it is
 * another log, which everybody sees who has the old verifier key. */
static void another_key_is_another_log(void **ctx)
{
    (void)ctx;
    struct findings findings;
    struct bst_key *key;
    struct bst_checkpoint checkpoint;
    char *note;
    restore();
    assert_int_equal(bst_key_new(&key, &err), BST_OK);
    struct bst_ledger *ledger = fixture_open(&fixture, BST_LEDGER_READ);
    assert_int_equal(bst_ledger_checkpoint(ledger, &note, &err), BST_OK);
    assert_int_equal(bst_checkpoint_open(note, strlen(note), fixture.identity.log_origin, bst_key_public(key),
                                         &checkpoint, &err),
                     BST_BROKEN);
    free(note);
    bst_ledger_close(ledger);
    char hex[65], sql[160];
    bst_hex(bst_key_public(key), 32, hex);
    snprintf(sql, sizeof sql, "UPDATE log SET key = x'%s'", hex);
    tamper(sql);
    assert_int_equal(check(&findings), BST_BROKEN);
    expect(&findings, "log.identity", 0, "another log key");
    expect(&findings, "checkpoint.signature", -1, "another log key");
    bst_key_free(key);
}

static void findings_of_a_kind_are_summed_up(void **ctx)
{
    (void)ctx;
    struct findings findings;
    restore();
    tamper("UPDATE record SET seed = 'x' WHERE entry > 0");
    assert_int_equal(check(&findings), BST_BROKEN);
    assert_int_equal(findings.count, 21);
    assert_string_equal(findings.item[20].words, "and 20 more of this kind");
    assert_non_null(strstr(err.what, "40 findings"));
}

static bool stop(void *arg, uint64_t done, uint64_t total)
{
    (void)done, (void)total;
    return ++*(int *)arg < 1;
}

static void the_check_can_be_interrupted(void **ctx)
{
    (void)ctx;
    int calls = 0;
    restore();
    struct bst_ledger *ledger = fixture_open(&fixture, BST_LEDGER_READ);
    assert_int_equal(bst_ledger_check(ledger, NULL, NULL, stop, &calls, &err), BST_FAILURE);
    assert_string_equal(err.what, "interrupted");
    assert_int_equal(bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &err), BST_OK);
    bst_ledger_close(ledger);
}

/* ---- rebuilding and erasing ---- */

static char *dump_index(void)
{
    sqlite3 *db;
    sqlite3_stmt *rows;
    struct bst_buf out = {0};
    assert_int_equal(sqlite3_open(fixture.path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "SELECT group_concat(line, char(10)) FROM ("
                           "SELECT quote(level) || quote(idx) || quote(hash) AS line FROM node UNION ALL "
                           "SELECT quote(entry) || quote(kind) || quote(time) || quote(author.key_id) ||"
                           " quote(author.name) || quote(model.sha256) || quote(file_name) || quote(seed) ||"
                           " quote(width) || quote(title) || quote(prompt) || quote(privacy) FROM record"
                           " LEFT JOIN author ON author.id = author LEFT JOIN model ON model.id = model "
                           "UNION ALL SELECT quote(rowid) || quote(title) || quote(prompt) FROM words"
                           " WHERE words MATCH 'pond')",
                           -1, &rows, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(rows), SQLITE_ROW);
    bst_buf_text(&out, (const char *)sqlite3_column_text(rows, 0));
    sqlite3_finalize(rows);
    sqlite3_close(db);
    return bst_buf_string(&out);
}

static void the_index_is_rebuilt_from_the_entries(void **ctx)
{
    (void)ctx;
    struct findings findings;
    restore();
    char *before = dump_index();
    tamper("DROP TABLE node; DROP TABLE record; DROP TABLE words; DROP TABLE model; DROP TABLE author");
    assert_int_equal(check(&findings), BST_BROKEN);
    rebuild();
    char *after = dump_index();
    assert_string_equal(after, before);
    assert_int_equal(check(&findings), BST_OK);
    assert_int_equal(fixture_append(&fixture, 41, 3, BST_PARTNER, &err), BST_OK);
    assert_int_equal(check(&findings), BST_OK);
    free(before);
    free(after);
}

static bool file_holds(const char *words)
{
    struct bst_buf bytes = {0};
    size_t len = strlen(words);
    assert_int_equal(bst_file_read(fixture.path, 1 << 26, &bytes, &err), BST_OK);
    bool found = false;
    for (size_t i = 0; i + len <= bytes.len && !found; i++)
        found = memcmp(bytes.data + i, words, len) == 0;
    bst_buf_free(&bytes);
    return found;
}

/* Private words erased, without the statement that says so. */
static enum bst_code erase(struct bst_ledger *ledger, uint64_t entry, const char *name)
{
    enum bst_code code = bst_db_begin(ledger, &err);
    if (code == BST_OK) code = bst_words_erase(ledger, entry, name, &err);
    if (code == BST_OK) return bst_db_commit(ledger, &err);
    bst_db_rollback(ledger);
    return code;
}

static void erased_words_are_gone_and_everything_still_holds(void **ctx)
{
    (void)ctx;
    struct findings findings;
    struct bst_proof proof;
    struct bst_buf envelope = {0};
    restore();
    /* Entry 15 is a partner's: prompt and title are secrets. Its number stands in no other prompt. */
    assert_true(file_holds("a still pond, number 15"));
    struct bst_ledger *ledger = fixture_open(&fixture, BST_LEDGER_WRITE);
    assert_int_equal(erase(ledger, 15, "prompt"), BST_OK);
    assert_int_equal(erase(ledger, 15, "prompt"), BST_USAGE);
    assert_int_equal(erase(ledger, 5, NULL), BST_USAGE); /* a public one has none */
    assert_false(file_holds("a still pond, number 15"));
    assert_int_equal(check(&findings), BST_OK);
    assert_int_equal(erase(ledger, 25, NULL), BST_OK); /* private: all of them */
    assert_false(file_holds("a still pond, number 25"));
    assert_false(file_holds("pond-25.png"));
    assert_int_equal(check(&findings), BST_OK);
    assert_int_equal(bst_ledger_prove(ledger, 15, &proof, &err), BST_OK);
    assert_int_equal(bst_ledger_entry(ledger, 15, &envelope, &err), BST_OK);
    assert_int_equal(bst_proof_verify(&proof, envelope.data, envelope.len, fixture.identity.log_origin,
                                      fixture.identity.log_key, &err),
                     BST_OK);
    bst_proof_clear(&proof);
    bst_buf_free(&envelope);
    bst_ledger_close(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_untouched_ledger_is_whole),
        cmocka_unit_test(every_alteration_is_named),
        cmocka_unit_test(a_consistent_forgery_fails_at_the_checkpoints),
        cmocka_unit_test(another_key_is_another_log),
        cmocka_unit_test(findings_of_a_kind_are_summed_up),
        cmocka_unit_test(the_check_can_be_interrupted),
        cmocka_unit_test(the_index_is_rebuilt_from_the_entries),
        cmocka_unit_test(erased_words_are_gone_and_everything_still_holds),
    };
    return cmocka_run_group_tests_name("ledger_check", tests, setup, teardown);
}
