/* ledger_recover.c - going on after a loss: an old copy of the ledger was put back, or the record of what was signed last is
 * gone.
 *
 * Whoever holds a checkpoint of the lost entries must never meet another one of the same log that contradicts it. So the log
 * does not go on: the entries that are left go over to a new one, of another name and the same key, and its first entry of
 * its own says so, with the last checkpoint that the entries left have and the last that is known to have been signed.
 * What was proved in the old log stays proved. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_db.h"
#include "stamp.h"
#include "statement.h"

#define MARK     "/r-" /* of a log that goes on after a loss, before eight hexadecimal digits */
#define MARK_LEN 11

/* The name of the log to come: one that was never used, and never will be when this fails half-way. */
static char *next_origin(const char *origin)
{
    uint8_t random[4];
    char digits[9];
    size_t len = strlen(origin);
    if (len > MARK_LEN && strncmp(origin + len - MARK_LEN, MARK, strlen(MARK)) == 0) len -= MARK_LEN;
    randombytes_buf(random, sizeof random);
    bst_hex(random, sizeof random, digits);
    return bst_format("%.*s" MARK "%s", (int)len, origin, digits);
}

/* BST_USAGE when nothing is wrong, BST_OK when the ledger cannot be signed on as it is. */
static enum bst_code check_need(struct bst_ledger *ledger, struct bst_error *err)
{
    struct bst_peaks *peaks = bst_calloc(1, sizeof *peaks);
    if (!peaks) return bst_fail_memory(err);
    enum bst_code code = bst_ledger_tree_edge(ledger, peaks, NULL, err);
    free(peaks);
    if (code != BST_OK) return code; /* what is left is damaged in itself */
    bool remembers;
    code = bst_head_exists(ledger, &remembers, err);
    if (code != BST_OK || !remembers) return code;
    code = bst_head_check(ledger, NULL, err);
    if (code == BST_BROKEN) return BST_OK;
    if (code != BST_OK) return code;
    bst_fail(err, BST_USAGE, "there is nothing to recover: the ledger holds all that was signed");
    return bst_where(err, "%s", ledger->path);
}

static enum bst_code write_statement(struct bst_ledger *ledger, const struct bst_identity *identity,
                                     const char *origin, const char *why, struct bst_buf *payload,
                                     struct bst_error *err)
{
    struct bst_recovery recovery = {.origin = origin, .reason = why, .recovered_ms = bst_now_ms()};
    struct bst_checkpoint newest = {0};
    char *note = NULL, *lost = NULL, *vkey = NULL;
    enum bst_code code = bst_ledger_newest(ledger, &note, &newest, err);
    if (code == BST_OK) code = bst_head_note(ledger, &lost, err);
    if (code == BST_OK) code = bst_vkey_text(origin, ledger->key, &vkey, err);
    if (code == BST_OK) {
        recovery.vkey = vkey;
        recovery.before = ledger->origin;
        recovery.entries = newest.size;
        recovery.checkpoint = note;
        recovery.lost = lost;
        memcpy(recovery.root, newest.root, sizeof recovery.root);
        code = bst_statement_recovery(&recovery, identity, payload, err);
    }
    bst_checkpoint_clear(&newest);
    free(note);
    free(lost);
    free(vkey);
    return code;
}

enum bst_code bst_stamp_recover(struct bst_stamper *stamper, const char *why, uint64_t *index,
                                struct bst_error *err)
{
    struct bst_ledger *ledger = stamper->ledger;
    struct bst_buf payload = {0}, envelope = {0};
    struct bst_proof proof;
    enum bst_code code = check_need(ledger, err);
    if (code != BST_OK) return code;
    char *origin = next_origin(ledger->origin);
    if (!origin) return bst_fail_memory(err);
    code = write_statement(ledger, &stamper->identity, origin, why, &payload, err);
    if (code == BST_OK) code = bst_dsse_sign(payload.data, payload.len, stamper->author_key, &envelope, err);
    if (code == BST_OK) {
        struct bst_entry entry = {envelope.data, envelope.len, NULL};
        code = bst_ledger_append_renamed(ledger, stamper->log_key, &entry, &proof, origin, err);
    }
    if (code == BST_OK) {
        *index = proof.index;
        bst_proof_clear(&proof);
    }
    bst_buf_free(&payload);
    bst_buf_free(&envelope);
    free(origin);
    return code;
}

/* ---- inside the transaction ---- */

/* The guards of the table log stop accidents; this is none. The script makes the guard anew. */
enum bst_code bst_ledger_rename(struct bst_ledger *ledger, const char *origin, struct bst_error *err)
{
    if (sqlite3_exec(ledger->db, "DROP TRIGGER log_no_update", NULL, NULL, NULL) != SQLITE_OK)
        return bst_db_fail(ledger, err);
    sqlite3_stmt *statement = bst_db_prepare(ledger, "UPDATE log SET origin = ?1 WHERE id = 0", err);
    if (!statement) return err->code;
    bst_db_text(statement, 1, origin);
    enum bst_code code = bst_db_run(ledger, statement, err);
    sqlite3_finalize(statement);
    if (code == BST_OK && sqlite3_exec(ledger->db, bst_ledger_sql, NULL, NULL, NULL) != SQLITE_OK)
        code = bst_db_fail(ledger, err);
    return code;
}

/* ---- afterwards ---- */

enum bst_code bst_ledger_was(struct bst_ledger *ledger, const char *origin, uint64_t size, bool *was,
                             struct bst_error *err)
{
    *was = false;
    if (ledger->version < BST_LEDGER_SCHEMA) return BST_OK;
    sqlite3_stmt *rows =
        bst_db_prepare(ledger, "SELECT entry FROM record WHERE kind = 'recovery' ORDER BY entry", err);
    if (!rows) return err->code;
    enum bst_code code = BST_OK;
    int result = SQLITE_DONE;
    while (code == BST_OK && !*was && (result = sqlite3_step(rows)) == SQLITE_ROW) {
        struct bst_dsse dsse;
        code = bst_ledger_statement(ledger, (uint64_t)sqlite3_column_int64(rows, 0), &dsse, err);
        if (code != BST_OK) break;
        const json_t *before = bst_json_at(dsse.statement, "predicate.before");
        const char *name = bst_json_text(before, "origin");
        json_int_t entries = json_integer_value(json_object_get(before, "entries"));
        *was = name && strcmp(name, origin) == 0 && entries > 0 && size <= (uint64_t)entries;
        bst_dsse_clear(&dsse);
    }
    if (code == BST_OK && result != SQLITE_ROW && result != SQLITE_DONE) code = bst_db_fail(ledger, err);
    sqlite3_finalize(rows);
    return code;
}
