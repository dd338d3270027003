/* ledger_tiles.c - a ledger as a folder of tiles (tiles.h) that any web server can serve.
 *
 * Only what the folder lacks is written. Every file but the checkpoint stays as it is once it is there, so readers may come
 * at any time: the checkpoint, replaced last, is what tells them how far to read. What it signs is recomputed from the
 * entries first. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "ledger_db.h"
#include "tiles.h"

struct publication {
    struct bst_ledger *ledger;
    const char *folder;
    struct bst_published *done;
    struct bst_tiles tiles;
    struct bst_buf bundle; /* entries of the tile that is being filled */
};

/* Makes the folders on the way to a file, each durable before something is put into it. */
static enum bst_code make_way(char *path, size_t root_len, struct bst_error *err)
{
    for (char *slash = path + root_len; (slash = strchr(slash, '/')); slash++) {
        *slash = 0;
        bool made = mkdir(path, 0777) == 0;
        if (!made && errno != EEXIST)
            return bst_fail_errno(err, BST_FAILURE, "cannot make the folder %s", path);
        if (made) bst_name_sync(path);
        *slash = '/';
    }
    return BST_OK;
}

static enum bst_code write_file(struct publication *publication, const char *name, const void *data,
                                size_t len, struct bst_error *err)
{
    char *path = bst_path_join(publication->folder, name);
    if (!path) return bst_fail_memory(err);
    enum bst_code code = make_way(path, strlen(path) - strlen(name), err);
    if (code == BST_OK) code = bst_file_write(path, data, len, BST_WRITE_REPLACE, err);
    if (code == BST_OK) publication->done->files++;
    free(path);
    return code;
}

/* bst_tile_fn: a tile, and with one of leaves the entries that they are of. */
static enum bst_code write_tile(void *arg, unsigned level, uint64_t number, const uint8_t (*hash)[32],
                                unsigned width, struct bst_error *err)
{
    struct publication *publication = arg;
    char name[BST_TILE_PATH];
    /* A partial tile may be as wide as it was. */
    if (publication->done->before >> 8 * level == number * BST_TILE_WIDTH + width) return BST_OK;
    bst_tile_path(level, number, width, name);
    enum bst_code code = write_file(publication, name, hash, (size_t)width * 32, err);
    if (code != BST_OK || level > 0) return code;
    bst_bundle_path(number, width, name);
    code = write_file(publication, name, publication->bundle.data, publication->bundle.len, err);
    publication->bundle.len = 0;
    return code;
}

/* bst_entry_fn */
static enum bst_code add_entry(void *arg, uint64_t index, const void *envelope, size_t len,
                               struct bst_error *err)
{
    struct publication *publication = arg;
    struct bst_buf *bundle = &publication->bundle;
    uint8_t leaf[32];
    bool large = len > BST_BUNDLED_MAX;
    enum bst_code code = BST_OK;
    bst_buf_be16(bundle, large ? 0 : (uint16_t)len);
    if (!large) bst_buf_append(bundle, envelope, len);
    if (bundle->failed) return bst_fail_memory(err);
    if (large && index >= publication->done->before) {
        char name[BST_TILE_PATH];
        bst_large_path(index, name);
        code = write_file(publication, name, envelope, len, err);
    }
    bst_merkle_leaf(envelope, len, leaf);
    return code == BST_OK ? bst_tiles_push(&publication->tiles, leaf, write_tile, publication, err) : code;
}

/* ---- what the folder holds already ---- */

static enum bst_code other_folder(struct publication *publication, struct bst_error *err)
{
    bst_fail(err, BST_USAGE, "%s holds something else than this ledger's tiles", publication->folder);
    return bst_hint(err, "name a new or empty folder, or the one that the tiles were exported to before");
}

static enum bst_code read_before(struct publication *publication, struct bst_checkpoint *before,
                                 struct bst_error *err)
{
    struct bst_ledger *ledger = publication->ledger;
    struct bst_buf note = {0};
    char *path = bst_path_join(publication->folder, "checkpoint");
    char *tiles = bst_path_join(publication->folder, "tile");
    enum bst_code code = path && tiles ? BST_OK : bst_fail_memory(err);
    *before = (struct bst_checkpoint){0};
    if (code == BST_OK && bst_file_exists(path)) {
        code = bst_file_read(path, BST_CHECKPOINT_MAX, &note, err);
        if (code == BST_OK && bst_checkpoint_open((const char *)note.data, note.len, ledger->origin,
                                                  ledger->key, before, err) != BST_OK)
            code = other_folder(publication, err);
    } else if (code == BST_OK && !bst_folder_is_empty(publication->folder) && !bst_file_exists(tiles)) {
        code = other_folder(publication, err); /* with tiles alone, an export was interrupted */
    }
    bst_buf_free(&note);
    free(path);
    free(tiles);
    return code;
}

/* What was published must be the beginning of what will be: else this would show two histories. */
static enum bst_code check_before(struct publication *publication, const struct bst_checkpoint *before,
                                  uint64_t size, struct bst_error *err)
{
    uint8_t root[32];
    bool same = before->size <= size;
    enum bst_code code =
        same ? bst_merkle_root(before->size, bst_ledger_node, publication->ledger, root, err) : BST_OK;
    if (code != BST_OK) return code;
    if (before->size == 0 || (same && memcmp(root, before->root, sizeof root) == 0)) return BST_OK;
    bst_fail(err, BST_BROKEN, "the %llu entries published in %s are not the first ones of the ledger",
             (unsigned long long)before->size, publication->folder);
    return bst_hint(err, "entries were changed or an old copy of the ledger was put back; `blindstamp ledger "
                         "verify --checkpoint` with the published one says more");
}

/* Partial tiles that were filled since: nobody needs them, as the whole one holds the same and more. */
static void remove_partial(struct publication *publication, uint64_t size)
{
    char name[BST_TILE_PATH];
    for (unsigned level = 0; level < BST_TILE_LEVELS; level++) {
        uint64_t before = publication->done->before >> 8 * level, number = before / BST_TILE_WIDTH;
        if (before % BST_TILE_WIDTH == 0 || size >> 8 * level >> 8 == number) continue;
        for (int entries = 0; entries <= (level == 0); entries++) {
            if (entries) {
                bst_bundle_path(number, BST_TILE_WIDTH, name);
            } else {
                bst_tile_path(level, number, BST_TILE_WIDTH, name);
            }
            char *path = bst_format("%s/%s.p", publication->folder, name);
            if (path) bst_folder_remove(path);
            free(path);
        }
    }
}

/* ---- the whole ---- */

static enum bst_code write_tiles(struct publication *publication, const struct bst_checkpoint *newest,
                                 bst_progress progress, void *progress_arg, struct bst_error *err)
{
    /* The tile of leaves that was begun is read again, since its entries stand in one file. */
    uint64_t start = publication->done->before - publication->done->before % BST_TILE_WIDTH;
    uint8_t root[32];
    enum bst_code code =
        bst_tiles_resume(&publication->tiles, start, bst_ledger_node, publication->ledger, err);
    if (code == BST_OK && publication->done->before < newest->size)
        code = bst_ledger_each(publication->ledger, start, newest->size, add_entry, publication, progress,
                               progress_arg, err);
    if (code != BST_OK || publication->done->before == newest->size) return code;
    bst_tiles_root(&publication->tiles, root);
    if (memcmp(root, newest->root, sizeof root) == 0)
        return bst_tiles_rest(&publication->tiles, write_tile, publication, err);
    bst_fail(err, BST_BROKEN, "the ledger's entries are not those that its checkpoint signs");
    return bst_hint(err, "`blindstamp ledger verify` says what was changed");
}

static enum bst_code publish(struct publication *publication, bst_progress progress, void *progress_arg,
                             struct bst_error *err)
{
    struct bst_checkpoint before, newest = {0};
    char *note = NULL, *path = bst_path_join(publication->folder, "checkpoint");
    enum bst_code code = path ? read_before(publication, &before, err) : bst_fail_memory(err);
    if (code == BST_OK) {
        code = bst_ledger_newest(publication->ledger, &note, &newest, err);
        if (code == BST_OK) code = check_before(publication, &before, newest.size, err);
        publication->done->before = before.size;
        publication->done->entries = newest.size;
        bst_checkpoint_clear(&before);
    }
    if (code == BST_OK) code = write_tiles(publication, &newest, progress, progress_arg, err);
    if (code == BST_OK) code = bst_file_write(path, note, strlen(note), BST_WRITE_REPLACE, err);
    if (code == BST_OK) remove_partial(publication, newest.size);
    bst_checkpoint_clear(&newest);
    free(note);
    free(path);
    return code;
}

enum bst_code bst_ledger_export_tiles(struct bst_ledger *ledger, const char *folder, bst_progress progress,
                                      void *progress_arg, struct bst_published *out, struct bst_error *err)
{
    *out = (struct bst_published){0};
    enum bst_code code = bst_folder_make(folder, 0777, err);
    if (code != BST_OK) return code;
    int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock < 0) return bst_fail_errno(err, BST_FAILURE, "cannot open %s", folder);
    struct publication *publication = bst_calloc(1, sizeof *publication);
    if (!publication) {
        code = bst_fail_memory(err);
    } else if (flock(lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        bst_fail(err, BST_FAILURE, "another process is writing to %s", folder);
        code = bst_hint(err, "wait until it is done");
    } else {
        publication->ledger = ledger;
        publication->folder = folder;
        publication->done = out;
        code = publish(publication, progress, progress_arg, err);
        bst_buf_free(&publication->bundle);
    }
    free(publication);
    close(lock);
    return code;
}
