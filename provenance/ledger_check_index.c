/* ledger_check_index.c - the part of the ledger's check that holds the index against one entry. */
#include <string.h>

#include "ledger_check.h"

static bool same_value(sqlite3_stmt *statement, int column, const struct bst_value *expected)
{
    int type = sqlite3_column_type(statement, column);
    if (expected->is_number) {
        return type == SQLITE_INTEGER && sqlite3_column_int64(statement, column) == expected->number;
    }
    const char *text = (const char *)sqlite3_column_text(statement, column);
    if (!expected->text) return type == SQLITE_NULL;
    return type == SQLITE_TEXT && text && strcmp(text, expected->text) == 0;
}

static enum bst_code check_record(struct bst_check_run *run, uint64_t idx, const struct bst_row *row,
                                  struct bst_error *err)
{
    struct bst_ledger *ledger = run->ledger;
    sqlite3_stmt *statement = bst_db_get(ledger, BST_SQL_RECORD, err);
    if (!statement) return err->code;
    bst_db_number(statement, 1, idx);
    int result = sqlite3_step(statement);
    if (result == SQLITE_DONE) {
        bst_check_report(run, BST_RULE_RECORD, (int64_t)idx, "the index has no record of entry %llu",
                         (unsigned long long)idx);
    }
    for (int i = 0; i < BST_COLUMN_COUNT && result == SQLITE_ROW; i++) {
        if (same_value(statement, i, &row->column[i])) continue;
        bst_check_report(run, BST_RULE_RECORD, (int64_t)idx,
                         "the index gives another %s for entry %llu than the entry itself",
                         bst_column_name[i], (unsigned long long)idx);
        break;
    }
    enum bst_code code = result == SQLITE_ROW || result == SQLITE_DONE ? BST_OK : bst_db_fail(ledger, err);
    sqlite3_reset(statement);
    return code;
}

static enum bst_code check_words_row(struct bst_check_run *run, uint64_t idx, const struct bst_row *row,
                                     struct bst_error *err)
{
    static const enum bst_column columns[] = {BST_COLUMN_TITLE, BST_COLUMN_PROMPT, BST_COLUMN_DESCRIPTION};
    struct bst_ledger *ledger = run->ledger;
    sqlite3_stmt *statement = bst_db_get(ledger, BST_SQL_WORDS, err);
    if (!statement) return err->code;
    bst_db_number(statement, 1, idx);
    int result = sqlite3_step(statement);
    bool same = true;
    for (int i = 0; i < 3; i++) {
        const struct bst_value *expected = &row->column[columns[i]];
        same = same && (result == SQLITE_ROW ? same_value(statement, i, expected) : !expected->text);
    }
    if (!same && (result == SQLITE_ROW || result == SQLITE_DONE)) {
        bst_check_report(run, BST_RULE_WORDS, (int64_t)idx,
                         "the full-text index holds other words for entry %llu than the entry itself",
                         (unsigned long long)idx);
    }
    enum bst_code code = result == SQLITE_ROW || result == SQLITE_DONE ? BST_OK : bst_db_fail(ledger, err);
    sqlite3_reset(statement);
    return code;
}

struct entry_of {
    struct bst_check_run *run;
    uint64_t idx;
};

/* bst_relation_fn */
static enum bst_code check_relation(void *arg, const struct bst_digest_row *relation, struct bst_error *err)
{
    const struct entry_of *entry = arg;
    struct bst_ledger *ledger = entry->run->ledger;
    sqlite3_stmt *statement = bst_db_get(ledger, BST_SQL_RELATION, err);
    if (!statement) return err->code;
    bst_db_relation(statement, entry->idx, relation);
    int result = sqlite3_step(statement);
    const struct bst_value name = {.text = relation->name};
    enum bst_code code = result == SQLITE_ROW || result == SQLITE_DONE ? BST_OK : bst_db_fail(ledger, err);
    if (result == SQLITE_ROW) entry->run->relations++;
    if (result == SQLITE_DONE || (result == SQLITE_ROW && !same_value(statement, 0, &name)))
        bst_check_report(entry->run, BST_RULE_RELATION, (int64_t)entry->idx,
                         "the index does not say as entry %llu does which %s it names",
                         (unsigned long long)entry->idx, relation->role);
    sqlite3_reset(statement);
    return code;
}

enum bst_code bst_check_index(struct bst_check_run *run, uint64_t idx, const struct bst_dsse *dsse,
                              const struct bst_secrets *secrets, struct bst_error *err)
{
    struct bst_row row;
    struct entry_of entry = {run, idx};
    bst_record_read(dsse, secrets, &row);
    enum bst_code code = check_record(run, idx, &row, err);
    if (code == BST_OK) code = check_words_row(run, idx, &row, err);
    return code == BST_OK ? bst_relation_each(dsse->statement, check_relation, &entry, err) : code;
}
