/* png_edit.c - chunks to be put into a PNG file. */
#include "png_edit.h"

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
    bst_buf_be32(out, crc);
}
