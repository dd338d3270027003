/* png_edit.c - inserts chunks into a PNG; everything else stays byte for byte. */
#include "png_edit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

void bst_png_chunk(struct bst_buf *out, const char type[static 5], const void *data, size_t len)
{
    if (len > INT32_MAX) {
        out->failed = true;
        return;
    }
    uLong crc = crc32(0, (const Bytef *)type, 4);
    if (len > 0) crc = crc32(crc, data, (uInt)len);
    bst_buf_be32(out, (uint32_t)len);
    bst_buf_append(out, type, 4);
    bst_buf_append(out, data, len);
    bst_buf_be32(out, (uint32_t)crc);
}

enum bst_code bst_write_all(int fd, const void *data, size_t len, const char *name, struct bst_error *err)
{
    const uint8_t *p = data;
    while (len > 0) {
        ssize_t put = write(fd, p, len);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) {
            bool full = put < 0 && (errno == ENOSPC || errno == EDQUOT);
            bst_fail_errno(err, BST_FAILURE, "cannot write the file");
            if (full) bst_hint(err, "free some space on the disk and run the command again");
            return bst_where(err, "%s", name);
        }
        p += put;
        len -= (size_t)put;
    }
    return BST_OK;
}

/* Up to len bytes; *got tells how many. */
static enum bst_code read_some(int fd, void *data, size_t len, size_t *got, const char *name,
                               struct bst_error *err)
{
    *got = 0;
    while (*got < len) {
        ssize_t part = read(fd, (uint8_t *)data + *got, len - *got);
        if (part < 0 && errno == EINTR) continue;
        if (part < 0) {
            bst_fail_errno(err, BST_FAILURE, "cannot read the file");
            return bst_where(err, "%s", name);
        }
        if (part == 0) break;
        *got += (size_t)part;
    }
    return BST_OK;
}

enum bst_code bst_png_copy_with(int from, int to, const struct bst_buf *chunk, const char *name,
                                struct bst_error *err)
{
    uint8_t block[65536];
    size_t got;
    enum bst_code code = read_some(from, block, BST_PNG_HEAD, &got, name, err);
    if (code == BST_OK && got != BST_PNG_HEAD) code = bst_fail(err, BST_UNREADABLE, "a PNG cut short");
    if (code == BST_OK) code = bst_write_all(to, block, got, name, err);
    if (code == BST_OK) code = bst_write_all(to, chunk->data, chunk->len, name, err);
    while (code == BST_OK) {
        code = read_some(from, block, sizeof(block), &got, name, err);
        if (code != BST_OK || got == 0) break;
        code = bst_write_all(to, block, got, name, err);
    }
    return code;
}
