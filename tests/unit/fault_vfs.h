/* fault_vfs.h - a layer under SQLite that fails on command, or loses power.
 *
 * Everything is passed on to the real file system, and remembered: what a sync has made durable, and the
 * writes since. When power is lost, every operation fails from then on, and the disk is left as it may have
 * been: the durable bytes, and of the writes since the last sync any 512-byte sectors in any order. One
 * ledger at a time, no threads. */
#ifndef FAULT_VFS_H
#define FAULT_VFS_H

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"

#define FAULT_FILES 4
#define SECTOR      512

struct fault_write { /* data NULL: a truncation to offset */
    uint8_t *data;
    size_t len;
    uint64_t offset;
};
struct fault_disk { /* one file as the disk would hold it */
    char *path;     /* NULL: free */
    struct bst_buf durable;
    bool exists; /* durably */
    struct fault_write *pending;
    size_t pending_count;
};

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    struct fault_disk disk[FAULT_FILES];
    uint64_t operations; /* writes, truncations, syncs and deletions so far */
    uint64_t fail_at;    /* this one fails; 0: none */
    bool fail_on;        /* and all after it */
    bool power_off;      /* fail_at means: the power goes */
    bool lying;          /* syncs do nothing: the control experiment */
    bool dead;
    uint32_t random;
} fault;

struct fault_file {
    sqlite3_file base;
    struct fault_disk *disk; /* NULL: a temporary file, not remembered */
    sqlite3_file *real;
};

static inline uint32_t fault_random(void)
{
    fault.random = fault.random * 1664525u + 1013904223u;
    return fault.random >> 8;
}

/* Counts an operation; true when it must fail. */
static inline bool fault_strikes(void)
{
    if (fault.dead) return true;
    fault.operations++;
    if (fault.fail_at == 0 || fault.operations < fault.fail_at) return false;
    if (fault.power_off) fault.dead = true;
    return fault.operations == fault.fail_at || fault.fail_on || fault.dead;
}

static inline void fault_put(struct bst_buf *image, uint64_t offset, const uint8_t *data, size_t len)
{
    while (image->len < offset + len)
        bst_buf_byte(image, 0);
    memcpy(image->data + offset, data, len);
}

static inline void fault_remember(struct fault_disk *disk, const void *data, size_t len, uint64_t offset)
{
    disk->pending = realloc(disk->pending, (disk->pending_count + 1) * sizeof *disk->pending);
    struct fault_write *write = &disk->pending[disk->pending_count++];
    *write = (struct fault_write){data ? malloc(len) : NULL, len, offset};
    if (data) memcpy(write->data, data, len);
}

static inline void fault_forget(struct fault_disk *disk)
{
    for (size_t i = 0; i < disk->pending_count; i++)
        free(disk->pending[i].data);
    free(disk->pending);
    disk->pending = NULL;
    disk->pending_count = 0;
}

static inline void fault_settle(struct fault_disk *disk)
{
    for (size_t i = 0; i < disk->pending_count; i++) {
        const struct fault_write *write = &disk->pending[i];
        if (write->data) {
            fault_put(&disk->durable, write->offset, write->data, write->len);
        } else if (disk->durable.len > write->offset) {
            disk->durable.len = (size_t)write->offset;
        }
    }
    disk->exists = true;
    fault_forget(disk);
}

/* ---- files ---- */

static inline sqlite3_file *fault_real(sqlite3_file *file)
{
    return ((struct fault_file *)(void *)file)->real;
}
static int fault_close(sqlite3_file *file)
{
    return fault_real(file)->pMethods->xClose(fault_real(file));
}
static int fault_read(sqlite3_file *file, void *out, int len, sqlite3_int64 offset)
{
    return fault_real(file)->pMethods->xRead(fault_real(file), out, len, offset);
}
static int fault_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 offset)
{
    struct fault_disk *disk = ((struct fault_file *)(void *)file)->disk;
    if (disk && fault_strikes()) return SQLITE_IOERR_WRITE;
    if (disk) fault_remember(disk, data, (size_t)len, (uint64_t)offset);
    return fault_real(file)->pMethods->xWrite(fault_real(file), data, len, offset);
}
static int fault_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct fault_disk *disk = ((struct fault_file *)(void *)file)->disk;
    if (disk && fault_strikes()) return SQLITE_IOERR_TRUNCATE;
    if (disk) fault_remember(disk, NULL, 0, (uint64_t)size);
    return fault_real(file)->pMethods->xTruncate(fault_real(file), size);
}
static int fault_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    struct fault_disk *disk = ((struct fault_file *)(void *)file)->disk;
    if (disk && fault_strikes()) return SQLITE_IOERR_FSYNC;
    if (disk && !fault.lying) fault_settle(disk);
    return SQLITE_OK;
}
static int fault_size(sqlite3_file *file, sqlite3_int64 *out)
{
    return fault_real(file)->pMethods->xFileSize(fault_real(file), out);
}
static int fault_lock(sqlite3_file *file, int level)
{
    return fault_real(file)->pMethods->xLock(fault_real(file), level);
}
static int fault_unlock(sqlite3_file *file, int level)
{
    return fault_real(file)->pMethods->xUnlock(fault_real(file), level);
}
static int fault_reserved(sqlite3_file *file, int *out)
{
    return fault_real(file)->pMethods->xCheckReservedLock(fault_real(file), out);
}
static int fault_control(sqlite3_file *file, int op, void *arg)
{
    return fault_real(file)->pMethods->xFileControl(fault_real(file), op, arg);
}
static int fault_sector(sqlite3_file *file)
{
    (void)file;
    return SECTOR;
}
static int fault_character(sqlite3_file *file)
{
    (void)file;
    return 0; /* no promise about what a torn write leaves */
}

static inline struct fault_disk *fault_find(const char *path)
{
    struct fault_disk *vacant = NULL;
    for (int i = 0; i < FAULT_FILES; i++) {
        if (fault.disk[i].path && strcmp(fault.disk[i].path, path) == 0) return &fault.disk[i];
        if (!fault.disk[i].path) vacant = &fault.disk[i];
    }
    vacant->path = bst_strdup(path);
    FILE *file = fopen(path, "rb"); /* what was there before counts as durable */
    int byte;
    vacant->exists = file != NULL;
    while (file && (byte = getc(file)) != EOF)
        bst_buf_byte(&vacant->durable, (uint8_t)byte);
    if (file) fclose(file);
    return vacant;
}

static int fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *out, int flags, int *out_flags)
{
    static const sqlite3_io_methods methods = {1,
                                               fault_close,
                                               fault_read,
                                               fault_write,
                                               fault_truncate,
                                               fault_sync,
                                               fault_size,
                                               fault_lock,
                                               fault_unlock,
                                               fault_reserved,
                                               fault_control,
                                               fault_sector,
                                               fault_character,
                                               NULL,
                                               NULL,
                                               NULL,
                                               NULL,
                                               NULL,
                                               NULL};
    (void)vfs;
    struct fault_file *file = (struct fault_file *)(void *)out;
    *file = (struct fault_file){.real = (sqlite3_file *)(void *)(file + 1)};
    if (fault.dead) return SQLITE_CANTOPEN;
    if (name && flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL))
        file->disk = fault_find(name); /* the last: the ledger's file beside it */
    int result = fault.real->xOpen(fault.real, name, file->real, flags, out_flags);
    if (result == SQLITE_OK) file->base.pMethods = &methods;
    return result;
}

static int fault_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    (void)vfs;
    if (fault_strikes()) return SQLITE_IOERR_DELETE;
    struct fault_disk *disk = fault_find(name);
    fault_forget(disk);
    if (sync_folder && !fault.lying) { /* without it the deletion itself may be lost */
        disk->durable.len = 0;
        disk->exists = false;
    }
    return fault.real->xDelete(fault.real, name, 0);
}

/* Makes the layer SQLite's default. */
static inline void fault_install(void)
{
    fault.real = sqlite3_vfs_find(NULL);
    fault.vfs = *fault.real;
    fault.vfs.zName = "fault";
    fault.vfs.pNext = NULL;
    fault.vfs.szOsFile = (int)sizeof(struct fault_file) + fault.real->szOsFile;
    fault.vfs.xOpen = fault_open;
    fault.vfs.xDelete = fault_delete;
    sqlite3_vfs_register(&fault.vfs, 1);
}

static inline void fault_uninstall(void)
{
    sqlite3_vfs_unregister(&fault.vfs);
}

/* Nothing fails any more, and what the disk holds is what the files hold. */
static inline void fault_reset(void)
{
    for (int i = 0; i < FAULT_FILES; i++) {
        fault_forget(&fault.disk[i]);
        bst_buf_free(&fault.disk[i].durable);
        free(fault.disk[i].path);
        fault.disk[i] = (struct fault_disk){0};
    }
    fault.operations = fault.fail_at = 0;
    fault.fail_on = fault.power_off = fault.lying = fault.dead = false;
}

/* After the power is gone: makes the files what the disk may have been left with. */
static inline void fault_restart(void)
{
    for (int i = 0; i < FAULT_FILES; i++) {
        struct fault_disk *disk = &fault.disk[i];
        if (!disk->path) continue;
        size_t count = 0, room = 1;
        for (size_t k = 0; k < disk->pending_count; k++)
            room += disk->pending[k].len / SECTOR + 1;
        struct fault_write *sector = calloc(room, sizeof *sector);
        for (size_t k = 0; k < disk->pending_count; k++) {
            const struct fault_write *write = &disk->pending[k];
            for (size_t at = 0; at < write->len; at += SECTOR) {
                if (fault_random() & 1) continue;
                size_t len = write->len - at < SECTOR ? write->len - at : SECTOR;
                sector[count++] = (struct fault_write){write->data + at, len, write->offset + at};
            }
        }
        for (size_t k = 0; k < count; k++) { /* any order */
            size_t other = k + fault_random() % (count - k);
            struct fault_write swap = sector[k];
            sector[k] = sector[other];
            sector[other] = swap;
            fault_put(&disk->durable, sector[k].offset, sector[k].data, sector[k].len);
        }
        bool appears = disk->exists || (disk->pending_count > 0 && fault_random() & 1);
        FILE *file = appears ? fopen(disk->path, "wb") : NULL;
        if (file) {
            if (disk->durable.len) fwrite(disk->durable.data, 1, disk->durable.len, file);
            fclose(file);
        } else {
            remove(disk->path);
        }
        free(sector);
    }
    fault_reset();
}

#endif
