/* ledger_check_tables.c - the parts of the ledger's check that look at tables as a whole. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_check.h"

/* Prepares on the ledger's connection, or on another one for which db is given. NULL on failure, err filled.
 */
static sqlite3_stmt *prepare(struct bst_check_run *run, sqlite3 *db, const char *sql, struct bst_error *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK) return statement;
    if (db == run->ledger->db) {
        bst_db_fail(run->ledger, err);
    } else {
        bst_fail(err, BST_FAILURE, "SQLite: %s", sqlite3_errmsg(db));
    }
    return NULL;
}

enum bst_code bst_check_file(struct bst_check_run *run, struct bst_error *err)
{
    sqlite3_stmt *statement = prepare(run, run->ledger->db, "PRAGMA quick_check(5)", err);
    if (!statement) return err->code;
    int result;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *words = (const char *)sqlite3_column_text(statement, 0);
        if (words && strcmp(words, "ok") != 0) {
            bst_check_report(run, BST_RULE_FILE, -1, "the database file is damaged: %s", words);
        }
    }
    enum bst_code code = result == SQLITE_DONE ? BST_OK : bst_db_fail(run->ledger, err);
    sqlite3_finalize(statement);
    return code;
}

/* ---- schema ---- */

/* The text of a CREATE statement without comments and with single spaces: what SQLite understands of it. */
static char *normal_form(const char *sql)
{
    char *text = bst_calloc(strlen(sql) + 1, 1), *to = text;
    for (const char *p = sql; text && *p; p++) {
        if (p[0] == '-' && p[1] == '-') {
            while (p[1] && p[1] != '\n')
                p++;
        } else if (!isspace((unsigned char)*p)) {
            *to++ = *p;
        } else if (to > text && to[-1] != ' ') {
            *to++ = ' ';
        }
    }
    return text;
}

static bool same_definition(const char *a, const char *b)
{
    char *normal_a = normal_form(a), *normal_b = normal_form(b);
    bool same = normal_a && normal_b && strcmp(normal_a, normal_b) == 0;
    free(normal_a);
    free(normal_b);
    return same;
}

#define DEFINITIONS "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
#define DEFINITION  "SELECT sql FROM sqlite_schema WHERE type = ?1 AND name = ?2"

/* Every definition of `expected` must stand in `actual`; with sql compared when compare is set. */
static enum bst_code match_schema(struct bst_check_run *run, sqlite3 *expected, sqlite3 *actual, bool missing,
                                  struct bst_error *err)
{
    sqlite3_stmt *all = prepare(run, expected, DEFINITIONS, err);
    sqlite3_stmt *one = all ? prepare(run, actual, DEFINITION, err) : NULL;
    enum bst_code code = one ? BST_OK : err->code;
    int result = SQLITE_DONE;
    while (code == BST_OK && (result = sqlite3_step(all)) == SQLITE_ROW) {
        const char *type = (const char *)sqlite3_column_text(all, 0);
        const char *name = (const char *)sqlite3_column_text(all, 1);
        bst_db_text(one, 1, type);
        bst_db_text(one, 2, name);
        bool found = sqlite3_step(one) == SQLITE_ROW;
        if (!found) {
            bst_check_report(run, BST_RULE_SCHEMA, -1,
                             missing ? "the %s %s is missing" : "the %s %s is not ours", type, name);
        } else if (missing && !same_definition((const char *)sqlite3_column_text(all, 2),
                                               (const char *)sqlite3_column_text(one, 0))) {
            bst_check_report(run, BST_RULE_SCHEMA, -1, "the %s %s was changed", type, name);
        }
        sqlite3_reset(one);
    }
    if (code == BST_OK && result != SQLITE_DONE)
        code = bst_fail(err, BST_BROKEN, "the schema cannot be read");
    sqlite3_finalize(one);
    sqlite3_finalize(all);
    return code;
}

enum bst_code bst_check_schema(struct bst_check_run *run, struct bst_error *err)
{
    sqlite3 *fresh = NULL;
    enum bst_code code = BST_OK;
    if (sqlite3_open(":memory:", &fresh) != SQLITE_OK ||
        sqlite3_exec(fresh, bst_ledger_sql, NULL, NULL, NULL) != SQLITE_OK) {
        code = bst_fail(err, BST_FAILURE, "SQLite: %s", sqlite3_errmsg(fresh));
    }
    if (code == BST_OK) code = match_schema(run, fresh, run->ledger->db, true, err);
    if (code == BST_OK) code = match_schema(run, run->ledger->db, fresh, false, err);
    sqlite3_close(fresh);
    return code;
}

/* ---- rows that belong to nothing ---- */

enum bst_code bst_check_leftovers(struct bst_check_run *run, struct bst_error *err)
{
    /* Each in one statement, so that a writer in between cannot make a false finding. */
    static const struct {
        enum bst_rule rule;
        const char *sql, *words;
    } query[] = {
        {BST_RULE_RECORD, "SELECT entry FROM record WHERE entry NOT IN (SELECT idx FROM entry)",
         "the index has a record of entry %lld, which does not exist"},
        {BST_RULE_RELATION,
         "SELECT entry FROM relation WHERE entry >= (SELECT coalesce(max(idx) + 1, 0) FROM entry)",
         "the index has a relation of entry %lld, which does not exist"},
        {BST_RULE_WORDS, "SELECT rowid FROM words WHERE rowid NOT IN (SELECT idx FROM entry)",
         "the full-text index has words of entry %lld, which does not exist"},
        {BST_RULE_NODE,
         "SELECT idx << level FROM node WHERE idx >= (SELECT coalesce(max(idx) + 1, 0) FROM entry) >> level",
         "the stored tree has a node beyond the entries, from %lld on"},
    };
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < sizeof query / sizeof *query && code == BST_OK; i++) {
        sqlite3_stmt *statement = prepare(run, run->ledger->db, query[i].sql, err);
        if (!statement) return err->code;
        int result;
        while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
            sqlite3_int64 index = sqlite3_column_int64(statement, 0);
            bst_check_report(run, query[i].rule, index, query[i].words, (long long)index);
        }
        if (result != SQLITE_DONE) code = bst_db_fail(run->ledger, err);
        sqlite3_finalize(statement);
    }
    return code;
}

/* ---- full text ---- */

/* The words' rows were compared with the entries; what is searched is FTS5's inverted index. So the same rows
 * are indexed afresh in a temporary database, and the two lists of term occurrences must be the same. */
#define OCCURRENCES "SELECT term, doc, col, offset FROM temp.occurrence"

static enum bst_code copy_words(struct bst_check_run *run, sqlite3 *fresh, struct bst_error *err)
{
    sqlite3_stmt *from = prepare(run, run->ledger->db,
                                 "SELECT rowid, title, prompt, description FROM words WHERE rowid < ?1", err);
    sqlite3_stmt *to =
        from ? prepare(run, fresh,
                       "INSERT INTO words (rowid, title, prompt, description) VALUES (?1, ?2, ?3, ?4)", err)
             : NULL;
    enum bst_code code = to ? BST_OK : err->code;
    int result = SQLITE_DONE;
    if (code == BST_OK) bst_db_number(from, 1, run->size);
    while (code == BST_OK && (result = sqlite3_step(from)) == SQLITE_ROW) {
        for (int i = 0; i < 4; i++)
            sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i));
        if (sqlite3_step(to) != SQLITE_DONE)
            code = bst_fail(err, BST_FAILURE, "SQLite: %s", sqlite3_errmsg(fresh));
        sqlite3_reset(to);
    }
    if (code == BST_OK && result != SQLITE_DONE) code = bst_db_fail(run->ledger, err);
    sqlite3_finalize(to);
    sqlite3_finalize(from);
    return code;
}

/* Next occurrence of an entry below size; false at the end. */
static bool next_occurrence(sqlite3_stmt *statement, uint64_t size)
{
    while (sqlite3_step(statement) == SQLITE_ROW) {
        if ((uint64_t)sqlite3_column_int64(statement, 1) < size) return true;
    }
    return false;
}

static bool same_occurrence(sqlite3_stmt *a, sqlite3_stmt *b)
{
    for (int i = 0; i < 4; i++) {
        const char *p = (const char *)sqlite3_column_text(a, i), *q = (const char *)sqlite3_column_text(b, i);
        if (!p || !q || strcmp(p, q) != 0) return false;
    }
    return true;
}

static enum bst_code compare_occurrences(struct bst_check_run *run, sqlite3 *fresh, struct bst_error *err)
{
    sqlite3_stmt *stored = prepare(run, run->ledger->db, OCCURRENCES, err);
    sqlite3_stmt *made = stored ? prepare(run, fresh, OCCURRENCES, err) : NULL;
    if (!made) {
        sqlite3_finalize(stored);
        return err->code;
    }
    bool same = true, more = true;
    while (same && more) {
        more = next_occurrence(made, run->size);
        same = next_occurrence(stored, run->size) == more && (!more || same_occurrence(stored, made));
    }
    if (!same) {
        bst_check_report(run, BST_RULE_WORDS, -1,
                         "the full-text index finds other words than the entries hold");
    }
    sqlite3_finalize(stored);
    sqlite3_finalize(made);
    return BST_OK;
}

enum bst_code bst_check_words(struct bst_check_run *run, struct bst_error *err)
{
    /* In both connections a view of the index; in the ledger's it lives in the temporary schema, which a
     * connection opened for reading may have. */
    static const char view[] =
        "CREATE VIRTUAL TABLE temp.occurrence USING fts5vocab('main', 'words', 'instance')";
    sqlite3 *fresh = NULL, *db = run->ledger->db;
    enum bst_code code = BST_OK;
    if (sqlite3_open("", &fresh) != SQLITE_OK ||
        sqlite3_exec(fresh, bst_ledger_sql, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(fresh, "BEGIN", NULL, NULL, NULL) != SQLITE_OK) {
        code = bst_fail(err, BST_FAILURE, "SQLite: %s", sqlite3_errmsg(fresh));
    }
    if (code == BST_OK) code = copy_words(run, fresh, err);
    if (code == BST_OK && sqlite3_exec(fresh, view, NULL, NULL, NULL) != SQLITE_OK) {
        code = bst_fail(err, BST_FAILURE, "SQLite: %s", sqlite3_errmsg(fresh));
    }
    sqlite3_exec(db, "PRAGMA query_only = OFF", NULL, NULL, NULL);
    if (code == BST_OK && sqlite3_exec(db, view, NULL, NULL, NULL) != SQLITE_OK)
        code = bst_db_fail(run->ledger, err);
    if (code == BST_OK) code = compare_occurrences(run, fresh, err);
    sqlite3_exec(db, "DROP TABLE IF EXISTS temp.occurrence", NULL, NULL, NULL);
    if (run->ledger->mode == BST_LEDGER_READ) sqlite3_exec(db, "PRAGMA query_only = ON", NULL, NULL, NULL);
    sqlite3_close(fresh);
    return code;
}
