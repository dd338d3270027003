/* ledger_export.c - the whole ledger as plain files that need neither SQLite nor this program to be checked.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "ledger_db.h"

#define CHUNK 256 /* entries read under one lock */

/* At most CHUNK entries; *next is where to go on. */
static enum bst_code each_of_chunk(struct bst_ledger *ledger, uint64_t size, uint64_t *next,
                                   bst_entry_fn entry, void *arg, struct bst_error *err)
{
    sqlite3_stmt *statement = bst_db_get(ledger, BST_SQL_ENTRIES, err);
    if (!statement) return err->code;
    bst_db_number(statement, 1, *next);
    bst_db_number(statement, 2, size);
    bst_db_number(statement, 3, CHUNK);
    enum bst_code code = BST_OK;
    uint64_t start = *next;
    int result = SQLITE_DONE;
    while (code == BST_OK && (result = sqlite3_step(statement)) == SQLITE_ROW) {
        const void *envelope = sqlite3_column_blob(statement, 2);
        if ((uint64_t)sqlite3_column_int64(statement, 0) != *next || !envelope) break; /* a gap */
        code = entry(arg, *next, envelope, (size_t)sqlite3_column_bytes(statement, 2), err);
        (*next)++;
    }
    if (code == BST_OK && result != SQLITE_ROW && result != SQLITE_DONE) code = bst_db_fail(ledger, err);
    sqlite3_reset(statement);
    if (code == BST_OK && (result == SQLITE_ROW || *next == start)) {
        bst_fail(err, BST_BROKEN, "entry %llu is missing in the ledger", (unsigned long long)*next);
        code = bst_hint(err, "`blindstamp ledger verify` says what was changed");
    }
    return code;
}

enum bst_code bst_ledger_each(struct bst_ledger *ledger, uint64_t start, uint64_t size, bst_entry_fn entry,
                              void *arg, bst_progress progress, void *progress_arg, struct bst_error *err)
{
    enum bst_code code = BST_OK;
    for (uint64_t next = start; next < size && code == BST_OK;) {
        code = progress && !progress(progress_arg, next, size)
                   ? bst_fail(err, BST_FAILURE, "interrupted")
                   : each_of_chunk(ledger, size, &next, entry, arg, err);
    }
    return code;
}

/* bst_entry_fn */
static enum bst_code write_entry(void *arg, uint64_t index, const void *envelope, size_t len,
                                 struct bst_error *err)
{
    FILE *file = arg;
    (void)index;
    if (fwrite(envelope, 1, len, file) == len && putc('\n', file) != EOF) return BST_OK;
    return bst_fail_errno(err, BST_FAILURE, "cannot write the entries");
}

static enum bst_code write_entries(struct bst_ledger *ledger, uint64_t size, const char *path,
                                   struct bst_error *err)
{
    FILE *file = fopen(path, "wx");
    if (!file) return bst_fail_errno(err, BST_FAILURE, "cannot write %s", path);
    enum bst_code code = bst_ledger_each(ledger, 0, size, write_entry, file, NULL, NULL, err);
    if (code == BST_OK && (fflush(file) != 0 || fsync(fileno(file)) != 0)) {
        code = bst_fail_errno(err, BST_FAILURE, "cannot write %s", path);
    }
    if (fclose(file) != 0 && code == BST_OK) code = bst_fail_errno(err, BST_FAILURE, "cannot write %s", path);
    return code;
}

static enum bst_code write_text(const char *folder, const char *name, const char *text, const char *end,
                                struct bst_error *err)
{
    char *path = bst_path_join(folder, name), *whole = bst_format("%s%s", text, end);
    enum bst_code code =
        path && whole ? bst_file_write(path, whole, strlen(whole), 0, err) : bst_fail_memory(err);
    free(path);
    free(whole);
    return code;
}

static enum bst_code fill(struct bst_ledger *ledger, const char *folder, struct bst_error *err)
{
    char *note = NULL, *vkey = NULL, *path = bst_path_join(folder, "entries.jsonl");
    struct bst_checkpoint checkpoint;
    enum bst_code code = path ? bst_ledger_newest(ledger, &note, &checkpoint, err) : bst_fail_memory(err);
    if (code == BST_OK) {
        code = write_entries(ledger, checkpoint.size, path, err);
        bst_checkpoint_clear(&checkpoint);
    }
    if (code == BST_OK) code = write_text(folder, "checkpoint", note, "", err);
    if (code == BST_OK) code = bst_vkey_text(ledger->origin, ledger->key, &vkey, err);
    if (code == BST_OK) code = write_text(folder, "log.vkey", vkey, "\n", err);
    free(note);
    free(vkey);
    free(path);
    return code;
}

enum bst_code bst_ledger_export(struct bst_ledger *ledger, const char *folder, struct bst_error *err)
{
    char *beside;
    if (bst_file_exists(folder) && !bst_folder_is_empty(folder)) {
        bst_fail(err, BST_USAGE, "%s exists already", folder);
        return bst_hint(err, "name a folder that does not exist yet");
    }
    enum bst_code code = bst_folder_beside(folder, &beside, err);
    if (code != BST_OK) return code;
    code = fill(ledger, beside, err);
    if (code == BST_OK) code = bst_folder_publish(beside, folder, err);
    if (code != BST_OK) bst_folder_remove(beside);
    free(beside);
    return code;
}
