/* checkpoint.c - does a ledger fit what is known of it elsewhere: the name and key of its log, and checkpoints. A ledger
 * stores a checkpoint for every batch and never takes one away, so one that it signed once is either found, with the same
 * root, or history was changed. */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"

static enum bst_code compare(const struct bst_ledger *ledger, const char *origin,
                             const uint8_t key[static BST_KEY_LEN])
{
    if (strcmp(origin, bst_ledger_origin(ledger)) != 0) return BST_UNTRUSTED;
    return memcmp(key, bst_ledger_key(ledger), BST_KEY_LEN) == 0 ? BST_OK : BST_BROKEN;
}

enum bst_code bst_ledger_is(const struct bst_ledger *ledger, const struct bst_identity *own,
                            const char *const *log_keys, size_t count, struct bst_error *err)
{
    enum bst_code best = own ? compare(ledger, own->log_origin, own->log_key) : BST_UNTRUSTED;
    for (size_t i = 0; i < count && best != BST_OK; i++) {
        char *origin = NULL;
        uint8_t key[BST_KEY_LEN];
        if (bst_vkey_parse(log_keys[i], &origin, key, err) != BST_OK) return err->code;
        enum bst_code now = compare(ledger, origin, key);
        if (now != BST_UNTRUSTED) best = now;
        free(origin);
    }
    if (best == BST_OK) return BST_OK;
    return bst_fail(err, best,
                    "the ledger is not the one that the known key belongs to: its name or key was exchanged");
}

static enum bst_code stored(struct bst_ledger *ledger, uint64_t size, char **note, struct bst_error *err)
{
    sqlite3 *db = bst_ledger_db(ledger);
    sqlite3_stmt *stmt = NULL;
    *note = NULL;
    enum bst_code code = BST_OK;
    if (sqlite3_prepare_v2(db, "SELECT note FROM checkpoint WHERE size = ?", -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_bind_int64(stmt, 1, (sqlite3_int64)size) != SQLITE_OK)
        code =
            bst_fail(err, BST_UNREADABLE, "the ledger's checkpoints cannot be read: %s", sqlite3_errmsg(db));
    int step = code == BST_OK ? sqlite3_step(stmt) : SQLITE_DONE;
    if (step == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(stmt, 0);
        *note = bst_strdup(text ? text : "");
        if (!*note) code = bst_fail_memory(err);
    } else if (step != SQLITE_DONE) {
        code =
            bst_fail(err, BST_UNREADABLE, "the ledger's checkpoints cannot be read: %s", sqlite3_errmsg(db));
    }
    sqlite3_finalize(stmt);
    return code;
}

/* The name in a note's first line, if the ledger's log had it when it had that size; else the one that it has now. */
static enum bst_code origin_of(struct bst_ledger *ledger, const char *note, size_t len, char **origin,
                               struct bst_error *err)
{
    const char *end = memchr(note, '\n', len), *now = bst_ledger_origin(ledger);
    char *name = end ? bst_format("%.*s", (int)(end - note < 1000 ? end - note : 1000), note) : NULL;
    bool was = false;
    enum bst_code code = BST_OK;
    if (name && strcmp(name, now) != 0) code = bst_ledger_was(ledger, name, 0, &was, err);
    *origin = code != BST_OK ? NULL : was ? bst_strdup(name) : bst_strdup(now);
    free(name);
    return code == BST_OK && !*origin ? bst_fail_memory(err) : code;
}

/* After a recovery the log's older checkpoints hold as far as its entries are left. */
static enum bst_code check_left(struct bst_ledger *ledger, const struct bst_checkpoint *kept,
                                struct bst_error *err)
{
    bool was = true;
    if (strcmp(kept->origin, bst_ledger_origin(ledger)) == 0) return BST_OK;
    enum bst_code code = bst_ledger_was(ledger, kept->origin, kept->size, &was, err);
    if (code != BST_OK || was) return code;
    return bst_fail(err, BST_BROKEN,
                    "the ledger lost entries that were signed: %s had %llu once, of which a recovery could "
                    "not keep all",
                    kept->origin, (unsigned long long)kept->size);
}

enum bst_code bst_ledger_holds(struct bst_ledger *ledger, const char *note, size_t len, struct bst_error *err)
{
    struct bst_checkpoint kept = {0}, ours = {0};
    const uint8_t *key = bst_ledger_key(ledger);
    char *text = NULL, *origin;
    enum bst_code code = origin_of(ledger, note, len, &origin, err);
    if (code != BST_OK) return code;
    code = bst_checkpoint_open(note, len, origin, key, &kept, err);
    if (code == BST_OK) code = check_left(ledger, &kept, err);
    if (code == BST_OK) code = stored(ledger, kept.size, &text, err);
    if (code == BST_OK && kept.size > bst_ledger_size(ledger)) {
        code = bst_fail(err, BST_BROKEN,
                        "the ledger was cut back: it has %llu entries, and once signed that it had %llu",
                        (unsigned long long)bst_ledger_size(ledger), (unsigned long long)kept.size);
    } else if (code == BST_OK && !text) {
        code =
            bst_fail(err, BST_BROKEN, "the ledger no longer holds the checkpoint over its first %llu entries",
                     (unsigned long long)kept.size);
    }
    if (code == BST_OK) code = bst_checkpoint_open(text, strlen(text), origin, key, &ours, err);
    if (code == BST_OK && memcmp(kept.root, ours.root, sizeof kept.root) != 0)
        code = bst_fail(err, BST_BROKEN,
                        "the first %llu entries are not those that the checkpoint was signed over",
                        (unsigned long long)kept.size);
    bst_checkpoint_clear(&kept);
    bst_checkpoint_clear(&ours);
    free(origin);
    free(text);
    return code;
}
