/* ledger_backup.c - a copy of the ledger while others go on writing.
 *
 * Pages are copied in steps, between which writers get their turn; when one did, SQLite begins again. After a few such
 * beginnings the rest is copied in one read transaction, for which writers wait. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger_db.h"
#include "stamp_file.h"

#define STEP       1024 /* pages */
#define BEGINNINGS 3    /* times that writers may make us begin again */
#define WAIT_US    2000 /* for a writer's transaction to end */

struct copying {
    struct bst_ledger *from;
    sqlite3 *to;
    bst_progress progress;
    void *progress_arg;
};

static enum bst_code copy_failed(const struct copying *copying, int result, struct bst_error *err)
{
    if (result == SQLITE_FULL) {
        bst_fail(err, BST_FAILURE, "the disk is full");
        return bst_hint(err, "free some space and run the command again");
    }
    return bst_fail(err, BST_FAILURE, "the ledger cannot be copied: %s", sqlite3_errmsg(copying->to));
}

/* Steps until all pages are copied. *held: writers wait for us. */
static enum bst_code copy_pages(struct copying *copying, sqlite3_backup *backup, bool *held,
                                struct bst_error *err)
{
    int result = SQLITE_OK, beginnings = 0, left = 1, total = 1;
    bool begun = false;
    while (result != SQLITE_DONE) {
        if (copying->progress &&
            !copying->progress(copying->progress_arg, (uint64_t)(total - left), (uint64_t)total))
            return bst_fail(err, BST_FAILURE, "interrupted");
        result = sqlite3_backup_step(backup, STEP);
        if (result == SQLITE_BUSY || result == SQLITE_LOCKED) {
            usleep(WAIT_US);
            continue;
        }
        if (result != SQLITE_OK && result != SQLITE_DONE) return copy_failed(copying, result, err);
        int now = sqlite3_backup_remaining(backup);
        total = sqlite3_backup_pagecount(backup);
        if (now > left && begun && ++beginnings == BEGINNINGS) {
            enum bst_code code = bst_db_begin_read(copying->from, err);
            if (code != BST_OK) return code;
            *held = true;
        }
        left = now;
        begun = true;
    }
    return BST_OK;
}

static enum bst_code copy(struct copying *copying, const char *path, struct bst_error *err)
{
    bool held = false;
    int result = sqlite3_open_v2(path, &copying->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, NULL);
    if (result == SQLITE_OK)
        result =
            sqlite3_exec(copying->to, "PRAGMA synchronous = EXTRA; PRAGMA fullfsync = ON", NULL, NULL, NULL);
    sqlite3_backup *backup =
        result == SQLITE_OK ? sqlite3_backup_init(copying->to, "main", copying->from->db, "main") : NULL;
    enum bst_code code =
        backup ? copy_pages(copying, backup, &held, err) : copy_failed(copying, SQLITE_ERROR, err);
    result = sqlite3_backup_finish(backup);
    if (code == BST_OK && result != SQLITE_OK) code = copy_failed(copying, result, err);
    if (held) bst_db_rollback(copying->from);
    sqlite3_close(copying->to);
    return code;
}

/* A backup that cannot be trusted is found now, not on the day it is needed. */
static enum bst_code check_copy(const char *path, struct bst_error *err)
{
    struct bst_ledger *ledger;
    enum bst_code code = bst_ledger_open(path, BST_LEDGER_READ, &ledger, err);
    if (code != BST_OK) return code;
    code = bst_ledger_check_quick(ledger, NULL, NULL, err);
    bst_ledger_close(ledger);
    if (code == BST_BROKEN) {
        bst_fail(err, BST_BROKEN, "the ledger's copy does not pass the check; nothing was kept of it");
        bst_hint(err, "`blindstamp ledger verify` says what is wrong with the ledger");
    }
    return code;
}

enum bst_code bst_ledger_backup(struct bst_ledger *ledger, const char *path, bst_progress progress,
                                void *progress_arg, struct bst_error *err)
{
    struct copying copying = {.from = ledger, .progress = progress, .progress_arg = progress_arg};
    char *beside;
    if (bst_file_exists(path)) {
        bst_fail(err, BST_USAGE, "the file exists already");
        bst_hint(err, "a backup replaces nothing; name another file");
        return bst_where(err, "%s", path);
    }
    enum bst_code code = bst_ledger_current(ledger, err);
    if (code != BST_OK) return code;
    int fd = bst_create_beside(path, &beside, err);
    if (fd < 0) return err->code;
    if (fchmod(fd, 0600) != 0) code = bst_fail_errno(err, BST_FAILURE, "cannot keep the copy private");
    close(fd); /* before SQLite locks the file: closing it later would drop the locks */
    if (code == BST_OK) code = copy(&copying, beside, err);
    if (code == BST_OK) code = check_copy(beside, err);
    if (code == BST_OK) code = bst_take_name(beside, path, false, err);
    if (code == BST_OK) {
        bst_name_sync(path);
    } else {
        unlink(beside);
        bst_where(err, "%s", path);
    }
    free(beside);
    return code;
}
