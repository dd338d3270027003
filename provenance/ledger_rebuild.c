/* ledger_rebuild.c - the index thrown away and made again from the entries, which is also how a ledger of an older version
 * becomes one of this. */
#include <stdlib.h>
#include <string.h>

#include "ledger_index.h"

#define CHUNK 256

static enum bst_code run_script(struct bst_ledger *ledger, const char *script, struct bst_error *err)
{
    return sqlite3_exec(ledger->db, script, NULL, NULL, NULL) == SQLITE_OK ? BST_OK
                                                                           : bst_db_fail(ledger, err);
}

/* bst_made_fn: stores a node. */
static enum bst_code add_node(void *arg, unsigned level, uint64_t idx, const uint8_t hash[static 32],
                              struct bst_error *err)
{
    struct bst_ledger *ledger = arg;
    sqlite3_stmt *statement = bst_db_get(ledger, BST_SQL_ADD_NODE, err);
    if (!statement) return err->code;
    bst_db_number(statement, 1, level);
    bst_db_number(statement, 2, idx);
    sqlite3_bind_blob(statement, 3, hash, 32, SQLITE_STATIC);
    return bst_db_run(ledger, statement, err);
}

static enum bst_code add_index(struct bst_ledger *ledger, uint64_t idx, const struct bst_buf *envelope,
                               struct bst_error *err)
{
    struct bst_dsse dsse;
    struct bst_secrets secrets;
    enum bst_code code = bst_dsse_open(envelope->data, envelope->len, &dsse, err);
    if (code == BST_UNREADABLE) return BST_OK; /* it says nothing; the check names it */
    if (code != BST_OK) return code;
    code = bst_index_secrets(ledger, idx, &secrets, err);
    if (code == BST_OK) {
        code = bst_index_add(ledger, idx, &dsse, &secrets, err);
        bst_secrets_clear(&secrets);
    }
    bst_dsse_clear(&dsse);
    return code;
}

static enum bst_code add_all(struct bst_ledger *ledger, bst_progress progress, void *progress_arg,
                             struct bst_error *err)
{
    struct bst_peaks *peaks = bst_calloc(1, sizeof *peaks);
    struct bst_buf envelope = {0};
    uint64_t size = 0;
    enum bst_code code = peaks ? bst_ledger_count(ledger, &size, err) : bst_fail_memory(err);
    while (code == BST_OK && peaks->size < size) {
        uint64_t idx = peaks->size;
        uint8_t leaf[32];
        if (progress && idx % CHUNK == 0 && !progress(progress_arg, idx, size)) {
            code = bst_fail(err, BST_FAILURE, "interrupted");
            break;
        }
        envelope.len = 0;
        code = bst_ledger_entry(ledger, idx, &envelope, err);
        if (code == BST_OK) code = add_index(ledger, idx, &envelope, err);
        if (code == BST_OK) {
            bst_merkle_leaf(envelope.data, envelope.len, leaf);
            code = bst_peaks_push(peaks, leaf, add_node, ledger, err);
        }
    }
    bst_buf_free(&envelope);
    free(peaks);
    return code;
}

/* Everything inside the transaction. The script sets the version, which a rollback takes back. */
static enum bst_code remake(struct bst_ledger *ledger, bst_progress progress, void *progress_arg,
                            struct bst_error *err)
{
    static const char drop[] = "DROP TRIGGER IF EXISTS secret_erased; DROP TABLE IF EXISTS words;"
                               "DROP TABLE IF EXISTS relation; DROP TABLE IF EXISTS record;"
                               "DROP TABLE IF EXISTS model; DROP TABLE IF EXISTS author;"
                               "DROP TABLE IF EXISTS node;";
    enum bst_code code = run_script(ledger, drop, err);
    if (code == BST_OK) code = run_script(ledger, bst_ledger_sql, err);
    return code == BST_OK ? add_all(ledger, progress, progress_arg, err) : code;
}

enum bst_code bst_ledger_rebuild(struct bst_ledger *ledger, bst_progress progress, void *progress_arg,
                                 struct bst_error *err)
{
    if (ledger->mode != BST_LEDGER_WRITE)
        return bst_fail(err, BST_USAGE, "the ledger is open for reading only");
    enum bst_code code = bst_db_begin(ledger, err);
    if (code == BST_OK) code = remake(ledger, progress, progress_arg, err);
    if (code == BST_OK) code = bst_db_commit(ledger, err);
    if (code != BST_OK) bst_db_rollback(ledger);
    return code;
}

/* ---- versions ---- */

/* As it stands in the transaction: another process may have been faster. */
static enum bst_code read_version(struct bst_ledger *ledger, uint32_t *version, struct bst_error *err)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(ledger->db, "PRAGMA user_version", -1, &statement, NULL) != SQLITE_OK)
        return bst_db_fail(ledger, err);
    enum bst_code code = sqlite3_step(statement) == SQLITE_ROW ? BST_OK : bst_db_fail(ledger, err);
    if (code == BST_OK) *version = (uint32_t)sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return code;
}

enum bst_code bst_db_migrate(struct bst_ledger *ledger, bst_progress progress, void *progress_arg,
                             struct bst_error *err)
{
    uint32_t version = BST_LEDGER_SCHEMA;
    enum bst_code code = bst_db_begin(ledger, err);
    if (code == BST_OK) code = read_version(ledger, &version, err);
    if (code == BST_OK && version < BST_LEDGER_SCHEMA) code = remake(ledger, progress, progress_arg, err);
    if (code == BST_OK) code = bst_db_commit(ledger, err);
    if (code != BST_OK) bst_db_rollback(ledger);
    if (code == BST_OK) ledger->version = BST_LEDGER_SCHEMA;
    return code;
}

enum bst_code bst_ledger_migrate(const char *path, unsigned *from, unsigned *to, bst_progress progress,
                                 void *progress_arg, struct bst_error *err)
{
    struct bst_ledger *ledger;
    enum bst_code code = bst_db_open(path, BST_LEDGER_WRITE, &ledger, err);
    if (code != BST_OK) return code;
    *from = ledger->version;
    *to = BST_LEDGER_SCHEMA;
    if (*from < *to) code = bst_db_migrate(ledger, progress, progress_arg, err);
    bst_ledger_close(ledger);
    return code;
}
