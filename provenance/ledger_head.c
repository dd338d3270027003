/* ledger_head.c - the newest checkpoint once more, in a file beside the ledger: LEDGER-checkpoint.
 *
 * Putting an old copy of the database back, or cutting entries off together with their checkpoints, leaves a
 * database that is consistent in itself; signing on from there would give the log two histories. This file
 * remembers. Who replaces both still gets past it: only checkpoints in other people's hands help against
 * that. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger_db.h"

#define HEAD_MAX (64u << 10)

static char *head_path(const struct bst_ledger *ledger)
{
    return bst_format("%s-checkpoint", ledger->path);
}

enum bst_code bst_head_load(const struct bst_ledger *ledger, struct bst_checkpoint *out,
                            struct bst_error *err)
{
    struct bst_buf note = {0};
    char *path = head_path(ledger);
    *out = (struct bst_checkpoint){0};
    if (!path) return bst_fail_memory(err);
    enum bst_code code = BST_OK;
    if (bst_file_exists(path)) {
        code = bst_file_read(path, HEAD_MAX, &note, err);
        if (code == BST_OK) {
            code =
                bst_checkpoint_open((const char *)note.data, note.len, ledger->origin, ledger->key, out, err);
        }
        if (code != BST_OK) bst_where(err, "%s", path);
    }
    bst_buf_free(&note);
    free(path);
    return code;
}

void bst_head_save(const struct bst_ledger *ledger, const char *note, uint64_t size)
{
    struct bst_error ignored;
    struct bst_checkpoint old;
    char *path = head_path(ledger);
    if (!path) return;
    /* Another process may have gone further since our transaction ended. */
    bool newer = bst_head_load(ledger, &old, &ignored) == BST_OK && old.size >= size;
    bst_checkpoint_clear(&old);
    if (!newer) bst_file_write(path, note, strlen(note), BST_WRITE_REPLACE, &ignored);
    free(path);
}

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
                        "entries were cut off or an old copy was put back; put the newest copy in its place");
    }
    code = bst_merkle_root(head->size, bst_ledger_node, ledger, root, err);
    if (code == BST_OK && memcmp(root, head->root, sizeof root) != 0) {
        bst_fail(err, BST_BROKEN, "the first %llu entries are not those that were signed",
                 (unsigned long long)head->size);
        code = bst_hint(err, "`blindstamp ledger verify` says what was changed");
    }
    return code;
}

enum bst_code bst_head_check(struct bst_ledger *ledger, struct bst_error *err)
{
    struct bst_checkpoint head;
    enum bst_code code = bst_head_load(ledger, &head, err);
    if (code == BST_OK && head.size > 0) code = compare(ledger, &head, err);
    bst_checkpoint_clear(&head);
    return code;
}
