/* ledger_head.c - what was signed last, kept apart from the database: the file LEDGER-checkpoint, and the lock on it.
 *
 * Putting an old copy of the database back, or cutting entries off together with their checkpoints, leaves a database that
 * is consistent in itself; signing on from there would give the log two histories. This file remembers, and nothing is
 * signed that does not extend what it holds: a compare under the file's lock before a batch is signed, a swap after the
 * batch is on the disk and before its signature leaves. So after a crash the database may be ahead of the file, by a batch
 * that it holds whole, and never behind it; behind it is an old copy. Who replaces both files still gets past it: only
 * checkpoints in other people's hands help against that.
 *
 * The file has two slots of 4096 bytes, each a signed checkpoint followed by zeros, or nothing. A checkpoint is written over
 * the older one, so that a torn write costs only what was not acknowledged. It is written through SQLite's layer over the
 * file system, like the database.
 *
 * The lock is two bytes far behind the slots. Who wants to write takes the turn, waits with it for the work, and passes the
 * turn on: a process that appends without pause stands behind one that waits. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* F_OFD_SETLK: locks that belong to the descriptor, and not to the process */
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ledger_db.h"

#define SLOTS     2
#define SLOT      4096
#define LOCK_AT   ((off_t)1 << 30)
#define WAIT_MS   60000 /* for another process's batch */
#define PAUSE_NS  50000 /* between two looks at a lock */
#define PAUSE_MAX 500000

enum lock { TURN, WORK };

struct bst_head {
    int fd; /* for the locks */
    bool locked;
    int next; /* slot that the next checkpoint goes to */
    bool all; /* it goes to all of them: what they hold is another log's */
    sqlite3_file *file;
};

/* What the file holds, as text. */
struct slots {
    bool exists;
    char text[SLOTS][SLOT + 1];
};

static char *head_path(const struct bst_ledger *ledger)
{
    return bst_format("%s-checkpoint", ledger->path);
}

/* ---- the slots ---- */

static enum bst_code read_slots(const struct bst_ledger *ledger, struct slots *slots, struct bst_error *err)
{
    *slots = (struct slots){0};
    char *path = head_path(ledger);
    if (!path) return bst_fail_memory(err);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    enum bst_code code = BST_OK;
    if (fd >= 0) {
        slots->exists = true;
        for (int i = 0; i < SLOTS && code == BST_OK; i++) {
            if (pread(fd, slots->text[i], SLOT, (off_t)i * SLOT) < 0)
                code = bst_fail_errno(err, BST_FAILURE, "cannot read %s", path);
        }
        close(fd);
    } else if (errno != ENOENT) {
        code = bst_fail_errno(err, BST_FAILURE, "cannot read %s", path);
    }
    free(path);
    return code;
}

/* The size that a note states in its second line, unproved; 0 when there is none. */
static uint64_t stated_size(const char *note)
{
    const char *line = strchr(note, '\n');
    return line ? strtoull(line + 1, NULL, 10) : 0;
}

/* The newest slot whose signature is good, or -1; *damaged is one that is neither good nor empty, or -1. known is a note
 * that was found good before, or NULL. */
static int newest_slot(const struct bst_ledger *ledger, const struct slots *slots, const char *known,
                       int *damaged, struct bst_checkpoint *out)
{
    int order[SLOTS] = {0, 1};
    *damaged = -1;
    *out = (struct bst_checkpoint){0};
    if (stated_size(slots->text[1]) > stated_size(slots->text[0])) order[0] = 1, order[1] = 0;
    for (int i = 0; i < SLOTS; i++) {
        const char *text = slots->text[order[i]];
        struct bst_error why;
        if (!*text) continue;
        if (known && strcmp(text, known) == 0) {
            out->size = stated_size(text);
            return order[i];
        }
        if (bst_checkpoint_open(text, strlen(text), ledger->origin, ledger->key, out, &why) == BST_OK)
            return order[i];
        *damaged = order[i];
    }
    return -1;
}

/* ---- comparing ---- */

static enum bst_code compare(struct bst_ledger *ledger, const struct bst_checkpoint *head,
                             struct bst_error *err)
{
    uint64_t size;
    uint8_t root[32];
    enum bst_code code = bst_ledger_count(ledger, &size, err);
    if (code != BST_OK) return code;
    if (head->size > size) {
        bst_fail(err, BST_BROKEN, "the ledger holds %llu entries, but a checkpoint for %llu has been signed",
                 (unsigned long long)size, (unsigned long long)head->size);
        return bst_hint(err,
                        "entries were cut off or an old copy was put back; put the newest copy in its place, "
                        "or, when it is lost, go on with what is left: blindstamp ledger recover");
    }
    code = bst_merkle_root(head->size, bst_ledger_node, ledger, root, err);
    if (code == BST_OK && memcmp(root, head->root, sizeof root) != 0) {
        bst_fail(err, BST_BROKEN, "the first %llu entries are not those that were signed",
                 (unsigned long long)head->size);
        code = bst_hint(err, "`blindstamp ledger verify` says what was changed");
    }
    return code;
}

static enum bst_code no_good_slot(const struct bst_ledger *ledger, const struct slots *slots, int damaged,
                                  struct bst_error *err)
{
    /* Nothing was ever recorded, or the first time was interrupted. */
    if (!slots->exists || damaged < 0 || !*slots->text[1 - damaged]) return BST_OK;
    bst_fail(err, BST_BROKEN, "the record of what was signed last is damaged, or another log's");
    bst_hint(err, "put back the file that belongs to the ledger, or go on without it: blindstamp ledger "
                  "recover");
    return bst_where(err, "%s-checkpoint", ledger->path);
}

enum bst_code bst_head_load(const struct bst_ledger *ledger, struct bst_checkpoint *out,
                            struct bst_error *err)
{
    struct slots slots;
    int damaged;
    *out = (struct bst_checkpoint){0};
    enum bst_code code = read_slots(ledger, &slots, err);
    if (code != BST_OK || newest_slot(ledger, &slots, NULL, &damaged, out) >= 0) return code;
    return no_good_slot(ledger, &slots, damaged, err);
}

enum bst_code bst_head_check(struct bst_ledger *ledger, const char *newest, struct bst_error *err)
{
    struct slots slots;
    struct bst_checkpoint head;
    int damaged;
    enum bst_code code = read_slots(ledger, &slots, err);
    if (code != BST_OK) return code;
    int at = newest_slot(ledger, &slots, newest, &damaged, &head);
    if (at < 0) {
        code = no_good_slot(ledger, &slots, damaged, err);
    } else if (!newest || strcmp(slots.text[at], newest) != 0) {
        code = compare(ledger, &head, err);
    }
    if (ledger->head) ledger->head->next = damaged >= 0 ? damaged : at == 0;
    bst_checkpoint_clear(&head);
    return code;
}

/* ---- the lock ---- */

static bool take(int fd, enum lock which, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = LOCK_AT + (off_t)which, .l_len = 1};
    int done;
    do {
        done = fcntl(fd, F_OFD_SETLK, &lock);
    } while (done != 0 && errno == EINTR);
    return done == 0;
}

static void pause_for(long ns)
{
    struct timespec time = {0, ns};
    nanosleep(&time, NULL);
}

static enum bst_code wait_for(int fd, enum lock which, struct bst_error *err)
{
    int64_t until = 0;
    for (long ns = PAUSE_NS; !take(fd, which, F_WRLCK); ns = ns < PAUSE_MAX ? ns + ns / 16 : ns) {
        if (errno != EAGAIN && errno != EACCES)
            return bst_fail_errno(err, BST_FAILURE, "cannot lock the ledger");
        int64_t now = bst_now_ms();
        if (until == 0) until = now + WAIT_MS;
        if (now > until) {
            bst_fail(err, BST_FAILURE, "another process has been using the ledger for too long");
            return bst_hint(err, "wait until it is done, or end it");
        }
        pause_for(ns);
    }
    return BST_OK;
}

static void head_close(struct bst_head *head)
{
    if (!head) return;
    if (head->file && head->file->pMethods) head->file->pMethods->xClose(head->file);
    if (head->fd >= 0) close(head->fd);
    free(head->file);
    free(head);
}

void bst_head_close(struct bst_ledger *ledger)
{
    head_close(ledger->head);
    ledger->head = NULL;
}

/* Is the open file still the one that has the name? */
static bool still_named(const struct bst_head *head, const char *path)
{
    struct stat open_file, named;
    return fstat(head->fd, &open_file) == 0 && stat(path, &named) == 0 && open_file.st_ino == named.st_ino &&
           open_file.st_dev == named.st_dev;
}

/* Leaves ledger->head NULL when there is no such file. */
static enum bst_code head_open(struct bst_ledger *ledger, const char *path, struct bst_error *err)
{
    if (ledger->head && still_named(ledger->head, path)) return BST_OK;
    bst_head_close(ledger);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return BST_OK;
    if (fd < 0) return bst_fail_errno(err, BST_FAILURE, "cannot write %s", path);
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    struct bst_head *head = bst_calloc(1, sizeof *head);
    if (!head || !(head->file = bst_calloc(1, (size_t)vfs->szOsFile))) {
        free(head);
        close(fd);
        return bst_fail_memory(err);
    }
    head->fd = fd;
    int result = vfs->xOpen(vfs, path, head->file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_SUPER_JOURNAL, NULL);
    if (result != SQLITE_OK) {
        head_close(head);
        return bst_fail(err, BST_FAILURE, "cannot write %s: %s", path, sqlite3_errstr(result));
    }
    ledger->head = head;
    return BST_OK;
}

enum bst_code bst_head_lock(struct bst_ledger *ledger, struct bst_error *err)
{
    char *path = head_path(ledger);
    if (!path) return bst_fail_memory(err);
    enum bst_code code = head_open(ledger, path, err);
    if (code == BST_OK && ledger->head) {
        code = wait_for(ledger->head->fd, TURN, err);
        if (code == BST_OK) code = wait_for(ledger->head->fd, WORK, err);
        take(ledger->head->fd, TURN, F_UNLCK);
        ledger->head->locked = code == BST_OK;
    }
    if (code != BST_OK) {
        if (!err->hint[0]) bst_hint(err, "check the permissions of the file and of its folder");
        bst_where(err, "%s", path);
    }
    free(path);
    return code;
}

void bst_head_unlock(struct bst_ledger *ledger)
{
    if (!bst_head_locked(ledger)) return;
    take(ledger->head->fd, WORK, F_UNLCK);
    ledger->head->locked = ledger->head->all = false;
}

bool bst_head_locked(const struct bst_ledger *ledger)
{
    return ledger->head && ledger->head->locked;
}

/* ---- recording ---- */

static enum bst_code create(const char *ledger_path, const char *text, struct bst_error *err)
{
    char slots[SLOTS][SLOT] = {0};
    char *path = bst_format("%s-checkpoint", ledger_path);
    if (!path) return bst_fail_memory(err);
    for (int i = 0; i < SLOTS; i++)
        memcpy(slots[i], text, strlen(text));
    enum bst_code code = bst_file_write(path, slots, sizeof slots, 0, err);
    free(path);
    return code;
}

enum bst_code bst_head_create(const char *ledger_path, struct bst_error *err)
{
    return create(ledger_path, "", err);
}

enum bst_code bst_head_exists(const struct bst_ledger *ledger, bool *exists, struct bst_error *err)
{
    struct slots slots;
    enum bst_code code = read_slots(ledger, &slots, err);
    *exists = code == BST_OK && slots.exists;
    return code;
}

enum bst_code bst_head_mark(const struct bst_ledger *ledger, struct bst_error *err)
{
    bool exists;
    enum bst_code code = bst_head_exists(ledger, &exists, err);
    if (code != BST_OK || exists) return code;
    return create(ledger->path, "nothing is known of what was signed before\n", err);
}

enum bst_code bst_head_note(const struct bst_ledger *ledger, char **note, struct bst_error *err)
{
    struct slots slots;
    struct bst_checkpoint head;
    int damaged;
    *note = NULL;
    enum bst_code code = read_slots(ledger, &slots, err);
    if (code != BST_OK) return code;
    int at = newest_slot(ledger, &slots, NULL, &damaged, &head);
    bst_checkpoint_clear(&head);
    if (at < 0) return BST_OK;
    *note = bst_strdup(slots.text[at]);
    return *note ? BST_OK : bst_fail_memory(err);
}

void bst_head_forget(struct bst_ledger *ledger)
{
    if (ledger->head) ledger->head->all = true;
}

static int write_slot(const struct bst_head *head, int slot, const char *note)
{
    char text[SLOT] = {0};
    memcpy(text, note, strlen(note));
    int result = head->file->pMethods->xWrite(head->file, text, SLOT, (sqlite3_int64)slot * SLOT);
    if (result == SQLITE_OK)
        result = head->file->pMethods->xSync(head->file, SQLITE_SYNC_FULL | SQLITE_SYNC_DATAONLY);
    return result;
}

enum bst_code bst_head_save(struct bst_ledger *ledger, const char *note, struct bst_error *err)
{
    struct bst_head *head = ledger->head;
    int result = strlen(note) < SLOT ? write_slot(head, head->next, note) : SQLITE_TOOBIG;
    if (result == SQLITE_OK && head->all) result = write_slot(head, !head->next, note);
    head->all = false;
    if (result == SQLITE_OK) return BST_OK;
    bst_fail(err, BST_FAILURE,
             "the entries are in the ledger, but that they were signed could not be recorded: %s",
             sqlite3_errstr(result));
    bst_hint(err, "check the disk and its free space");
    return bst_where(err, "%s-checkpoint", ledger->path);
}

/* The writer of the newest checkpoint is dead: does its last step. What does not fit is left to the next writer to refuse. */
static void save_for_the_dead(struct bst_ledger *ledger, const char *note)
{
    struct bst_error ignored;
    struct bst_checkpoint newest;
    if (bst_checkpoint_open(note, strlen(note), ledger->origin, ledger->key, &newest, &ignored) != BST_OK)
        return;
    bst_checkpoint_clear(&newest);
    if (bst_head_check(ledger, NULL, &ignored) == BST_OK) bst_head_save(ledger, note, &ignored);
}

/* Does the file hold a checkpoint of that size or a larger one, or can that not be known? */
static bool reaches(const struct bst_ledger *ledger, uint64_t size)
{
    struct slots slots;
    struct bst_error ignored;
    return read_slots(ledger, &slots, &ignored) != BST_OK || !slots.exists ||
           stated_size(slots.text[0]) >= size || stated_size(slots.text[1]) >= size;
}

void bst_head_settle(struct bst_ledger *ledger, const char *note)
{
    uint64_t size = stated_size(note);
    int64_t until = 0;
    while (!bst_head_locked(ledger) && !reaches(ledger, size)) { /* locked: we are the writer */
        struct bst_error ignored;
        char *path = head_path(ledger);
        bool open = path && head_open(ledger, path, &ignored) == BST_OK && ledger->head;
        free(path);
        if (!open) return; /* nobody can put an old copy here either */
        /* The lock is not waited for: the next writer may have it, and wait for the end of our reading. */
        if (take(ledger->head->fd, WORK, F_WRLCK)) {
            ledger->head->locked = true;
            if (!reaches(ledger, size)) save_for_the_dead(ledger, note);
            bst_head_unlock(ledger);
            return;
        }
        int64_t now = bst_now_ms();
        if (until == 0) until = now + WAIT_MS;
        if (now > until) return;
        pause_for(PAUSE_NS);
    }
}
