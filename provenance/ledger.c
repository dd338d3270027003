/* ledger.c - reading the ledger: its size, entries, newest checkpoint, and the proof of any entry. */
#include <stdlib.h>
#include <string.h>

#include "ledger_db.h"

sqlite3 *bst_ledger_db(struct bst_ledger *ledger)
{
    return ledger->db;
}

const char *bst_ledger_origin(const struct bst_ledger *ledger)
{
    return ledger->origin;
}

const uint8_t *bst_ledger_key(const struct bst_ledger *ledger)
{
    return ledger->key;
}

enum bst_code bst_ledger_count(struct bst_ledger *ledger, uint64_t *size, struct bst_error *err)
{
    sqlite3_stmt *statement = bst_db_get(ledger, BST_SQL_SIZE, err);
    if (!statement) return err->code;
    enum bst_code code = BST_OK;
    if (sqlite3_step(statement) == SQLITE_ROW) {
        *size = (uint64_t)sqlite3_column_int64(statement, 0);
    } else {
        code = bst_db_fail(ledger, err);
    }
    sqlite3_reset(statement);
    return code;
}

uint64_t bst_ledger_size(struct bst_ledger *ledger)
{
    uint64_t size;
    struct bst_error ignored;
    return bst_ledger_count(ledger, &size, &ignored) == BST_OK ? size : 0;
}

enum bst_code bst_ledger_entry(struct bst_ledger *ledger, uint64_t index, struct bst_buf *envelope,
                               struct bst_error *err)
{
    sqlite3_stmt *statement = bst_db_get(ledger, BST_SQL_ENVELOPE, err);
    if (!statement) return err->code;
    enum bst_code code = BST_OK;
    bst_db_number(statement, 1, index);
    int result = index <= INT64_MAX ? sqlite3_step(statement) : SQLITE_DONE;
    if (result == SQLITE_ROW) {
        const void *data = sqlite3_column_blob(statement, 0);
        bst_buf_append(envelope, data, (size_t)sqlite3_column_bytes(statement, 0));
        if (envelope->failed) code = bst_fail_memory(err);
    } else if (result == SQLITE_DONE) {
        code = bst_fail(err, BST_NO_PROVENANCE, "the ledger has no entry %llu", (unsigned long long)index);
    } else {
        code = bst_db_fail(ledger, err);
    }
    sqlite3_reset(statement);
    return code;
}

enum bst_code bst_ledger_statement(struct bst_ledger *ledger, uint64_t index, struct bst_dsse *out,
                                   struct bst_error *err)
{
    struct bst_buf envelope = {0};
    enum bst_code code = bst_ledger_entry(ledger, index, &envelope, err);
    if (code == BST_OK) code = bst_dsse_open(envelope.data, envelope.len, out, err);
    bst_buf_free(&envelope);
    return code;
}

enum bst_code bst_ledger_node(void *arg, unsigned level, uint64_t idx, uint8_t hash[static 32],
                              struct bst_error *err)
{
    struct bst_ledger *ledger = arg;
    sqlite3_stmt *statement = bst_db_get(ledger, level == 0 ? BST_SQL_LEAF : BST_SQL_NODE, err);
    if (!statement) return err->code;
    enum bst_code code = BST_OK;
    if (level == 0) {
        bst_db_number(statement, 1, idx);
    } else {
        bst_db_number(statement, 1, level);
        bst_db_number(statement, 2, idx);
    }
    int result = sqlite3_step(statement);
    const void *data = result == SQLITE_ROW ? sqlite3_column_blob(statement, 0) : NULL;
    if (data && sqlite3_column_bytes(statement, 0) == 32) {
        memcpy(hash, data, 32);
    } else if (result == SQLITE_ROW || result == SQLITE_DONE) {
        bst_fail(err, BST_BROKEN, "node %llu of level %u is missing in the ledger's tree",
                 (unsigned long long)idx, level);
        bst_hint(err, "`blindstamp ledger verify` says what was changed");
        code = bst_where(err, "%s", ledger->path);
    } else {
        code = bst_db_fail(ledger, err);
    }
    sqlite3_reset(statement);
    return code;
}

static enum bst_code read_newest_note(struct bst_ledger *ledger, char **note, struct bst_error *err)
{
    sqlite3_stmt *statement = bst_db_get(ledger, BST_SQL_NEWEST_CHECKPOINT, err);
    if (!statement) return err->code;
    enum bst_code code = BST_OK;
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        *note = bst_strdup(text ? text : "");
        if (!*note) code = bst_fail_memory(err);
    } else if (result == SQLITE_DONE) {
        code = bst_fail(err, BST_NO_PROVENANCE, "the ledger has no checkpoint");
    } else {
        code = bst_db_fail(ledger, err);
    }
    sqlite3_reset(statement);
    return code;
}

/* The newest checkpoint's note in new memory; BST_NO_PROVENANCE when there is none. */
static enum bst_code newest_note(struct bst_ledger *ledger, char **note, struct bst_error *err)
{
    enum bst_code code = read_newest_note(ledger, note, err);
    if (code == BST_OK) bst_head_settle(ledger, *note);
    return code;
}

/* Remembers a note whose signature is good. */
static void remember(struct bst_ledger *ledger, const char *note, const struct bst_checkpoint *checkpoint)
{
    free(ledger->seen_note);
    ledger->seen_note = bst_strdup(note); /* without memory it is only checked again */
    ledger->seen = *checkpoint;
    ledger->seen.origin = NULL;
}

static enum bst_code open_newest(struct bst_ledger *ledger, const char *note, struct bst_checkpoint *out,
                                 struct bst_error *err)
{
    if (ledger->seen_note && strcmp(ledger->seen_note, note) == 0) {
        *out = ledger->seen;
        out->origin = bst_strdup(ledger->origin);
        return out->origin ? BST_OK : bst_fail_memory(err);
    }
    enum bst_code code = bst_checkpoint_open(note, strlen(note), ledger->origin, ledger->key, out, err);
    if (code != BST_OK) return bst_where(err, "%s: newest checkpoint", ledger->path);
    remember(ledger, note, out);
    return BST_OK;
}

enum bst_code bst_ledger_newest(struct bst_ledger *ledger, char **note, struct bst_checkpoint *out,
                                struct bst_error *err)
{
    char *text = NULL;
    enum bst_code code = newest_note(ledger, &text, err);
    if (code != BST_OK) return code;
    code = open_newest(ledger, text, out, err);
    if (code == BST_OK && note) {
        *note = text;
    } else {
        free(text);
    }
    return code;
}

enum bst_code bst_ledger_checkpoint(struct bst_ledger *ledger, char **note, struct bst_error *err)
{
    return newest_note(ledger, note, err);
}

static enum bst_code prove(struct bst_ledger *ledger, struct bst_proof *proof, struct bst_error *err)
{
    struct bst_checkpoint checkpoint;
    enum bst_code code = bst_ledger_newest(ledger, &proof->checkpoint, &checkpoint, err);
    if (code != BST_OK) return code;
    if (proof->index >= checkpoint.size) {
        code = bst_fail(err, BST_NO_PROVENANCE, "no checkpoint of the ledger covers entry %llu",
                        (unsigned long long)proof->index);
    } else {
        code = bst_merkle_prove_inclusion(proof->index, checkpoint.size, bst_ledger_node, ledger, proof->hash,
                                          &proof->len, err);
    }
    bst_checkpoint_clear(&checkpoint);
    return code;
}

enum bst_code bst_ledger_prove(struct bst_ledger *ledger, uint64_t index, struct bst_proof *out,
                               struct bst_error *err)
{
    struct bst_proof proof = {.index = index};
    bool inside = !sqlite3_get_autocommit(ledger->db); /* of a transaction of the caller's */
    enum bst_code code = inside ? BST_OK : bst_db_begin_read(ledger, err);
    if (code == BST_OK) {
        code = prove(ledger, &proof, err);
        if (!inside) bst_db_rollback(ledger);
    }
    if (code == BST_OK) {
        *out = proof;
    } else {
        bst_proof_clear(&proof);
    }
    return code;
}
