/* ledger_index.c - what entries say, written into the tables for searching, and the private words that belong to them. */
#include <stdlib.h>
#include <string.h>

#include "ledger_index.h"

/* ---- writing rows ---- */

static void bind(sqlite3_stmt *statement, int at, const struct bst_value *value)
{
    if (value->is_number) {
        sqlite3_bind_int64(statement, at, value->number);
    } else {
        bst_db_text(statement, at, value->text);
    }
}

/* Adds columns of a record that stand side by side to author or model, unless they are there. */
static enum bst_code add_named(struct bst_ledger *ledger, enum bst_sql sql, const struct bst_row *row,
                               enum bst_column first, int count, struct bst_error *err)
{
    sqlite3_stmt *statement = bst_db_get(ledger, sql, err);
    if (!statement) return err->code;
    for (int i = 0; i < count; i++)
        bind(statement, i + 1, &row->column[first + (enum bst_column)i]);
    return bst_db_run(ledger, statement, err);
}

static enum bst_code add_words(struct bst_ledger *ledger, uint64_t idx, const struct bst_row *row,
                               struct bst_error *err)
{
    const struct bst_value *value = row->column;
    if (!value[BST_COLUMN_TITLE].text && !value[BST_COLUMN_PROMPT].text &&
        !value[BST_COLUMN_DESCRIPTION].text) {
        return BST_OK;
    }
    sqlite3_stmt *statement = bst_db_get(ledger, BST_SQL_ADD_WORDS, err);
    if (!statement) return err->code;
    bst_db_number(statement, 1, idx);
    bind(statement, 2, &value[BST_COLUMN_TITLE]);
    bind(statement, 3, &value[BST_COLUMN_PROMPT]);
    bind(statement, 4, &value[BST_COLUMN_DESCRIPTION]);
    return bst_db_run(ledger, statement, err);
}

static enum bst_code add_record(struct bst_ledger *ledger, uint64_t idx, const struct bst_row *row,
                                struct bst_error *err)
{
    enum bst_code code = add_named(ledger, BST_SQL_ADD_AUTHOR, row, BST_COLUMN_AUTHOR_KEY_ID, 2, err);
    if (code == BST_OK && row->column[BST_COLUMN_MODEL_SHA256].text)
        code = add_named(ledger, BST_SQL_ADD_MODEL, row, BST_COLUMN_MODEL_SHA256, 3, err);
    sqlite3_stmt *statement = code == BST_OK ? bst_db_get(ledger, BST_SQL_ADD_RECORD, err) : NULL;
    if (!statement) return err->code;
    for (int i = 0; i < BST_COLUMN_COUNT; i++)
        bind(statement, i + 1, &row->column[i]);
    bst_db_number(statement, BST_COLUMN_COUNT + 1, idx);
    return bst_db_run(ledger, statement, err);
}

struct entry_of {
    struct bst_ledger *ledger;
    uint64_t idx;
};

/* bst_relation_fn */
static enum bst_code add_relation(void *arg, const struct bst_digest_row *relation, struct bst_error *err)
{
    const struct entry_of *entry = arg;
    sqlite3_stmt *statement = bst_db_get(entry->ledger, BST_SQL_ADD_RELATION, err);
    if (!statement) return err->code;
    bst_db_relation(statement, entry->idx, relation);
    bst_db_text(statement, 5, relation->name);
    return bst_db_run(entry->ledger, statement, err);
}

void bst_db_relation(sqlite3_stmt *statement, uint64_t idx, const struct bst_digest_row *relation)
{
    sqlite3_bind_blob(statement, 1, relation->digest, BST_SHA256_LEN, SQLITE_STATIC);
    bst_db_text(statement, 2, relation->role);
    bst_db_number(statement, 3, idx);
    bst_db_number(statement, 4, relation->place);
}

enum bst_code bst_index_add(struct bst_ledger *ledger, uint64_t idx, const struct bst_dsse *dsse,
                            const struct bst_secrets *secrets, struct bst_error *err)
{
    struct bst_row row;
    struct entry_of entry = {ledger, idx};
    bst_record_read(dsse, secrets, &row);
    enum bst_code code = add_record(ledger, idx, &row, err);
    if (code == BST_OK) code = add_words(ledger, idx, &row, err);
    return code == BST_OK ? bst_relation_each(dsse->statement, add_relation, &entry, err) : code;
}

/* ---- secrets ---- */

static bool copy_secret(sqlite3_stmt *statement, struct bst_secrets *out)
{
    const char *name = (const char *)sqlite3_column_text(statement, 0);
    const void *salt = sqlite3_column_blob(statement, 1);
    const char *text = (const char *)sqlite3_column_text(statement, 2);
    const size_t room = sizeof out->item / sizeof *out->item;
    if (!name || !salt || !text || sqlite3_column_bytes(statement, 1) != 32 || out->count == room ||
        strlen(name) >= sizeof out->item[0].name) {
        return true; /* not one of ours; the check reports it */
    }
    struct bst_secret *secret = &out->item[out->count];
    strcpy(secret->name, name);
    memcpy(secret->salt, salt, sizeof secret->salt);
    secret->words = bst_strdup(text);
    if (secret->words) out->count++;
    return secret->words != NULL;
}

enum bst_code bst_index_secrets(struct bst_ledger *ledger, uint64_t idx, struct bst_secrets *out,
                                struct bst_error *err)
{
    *out = (struct bst_secrets){0};
    sqlite3_stmt *statement = bst_db_get(ledger, BST_SQL_SECRETS, err);
    if (!statement) return err->code;
    bst_db_number(statement, 1, idx);
    enum bst_code code = BST_OK;
    int result = SQLITE_DONE;
    while (code == BST_OK && (result = sqlite3_step(statement)) == SQLITE_ROW) {
        if (!copy_secret(statement, out)) code = bst_fail_memory(err);
    }
    if (code == BST_OK && result != SQLITE_DONE) code = bst_db_fail(ledger, err);
    sqlite3_reset(statement);
    if (code != BST_OK) bst_secrets_clear(out);
    return code;
}
