/* png_edit.c - chunks to be put into a PNG file, and writing to a file that is open. */
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
    uint32_t crc = bst_crc32(0, type, 4);
    if (len > 0) crc = bst_crc32(crc, data, len);
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
