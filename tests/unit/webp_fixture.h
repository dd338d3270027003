/* webp_fixture.h - WebP files for tests: encoded by libwebp, or put together chunk by chunk. */
#ifndef WEBP_FIXTURE_H
#define WEBP_FIXTURE_H

#include "stamp_fixture.h"

#include <webp/encode.h>

/* A simple file with one chunk, VP8L when lossless, else VP8. */
static inline void make_webp(uint32_t width, uint32_t height, bool lossless, struct bst_buf *out)
{
    struct bst_image image;
    uint8_t *made = NULL;
    make_gradient(width, height, &image);
    int stride = (int)width * 3;
    size_t len = lossless ? WebPEncodeLosslessRGB(image.samples, (int)width, (int)height, stride, &made)
                          : WebPEncodeRGB(image.samples, (int)width, (int)height, stride, 75, &made);
    assert_true(len > 0);
    bst_buf_append(out, made, len);
    WebPFree(made);
    bst_image_clear(&image);
}

static inline void put_le32(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

/* Opens a file of our own; close_webp() writes its length. */
static inline void begin_webp(struct bst_buf *out)
{
    bst_buf_append(out, "RIFF\0\0\0\0WEBP", 12);
}

static inline void add_chunk(struct bst_buf *out, const char *type, const void *data, size_t len)
{
    uint8_t size[4];
    put_le32(size, (uint32_t)len);
    bst_buf_append(out, type, 4);
    bst_buf_append(out, size, 4);
    bst_buf_append(out, data, len);
    if (len % 2 == 1) bst_buf_byte(out, 0);
}

static inline void close_webp(struct bst_buf *out)
{
    put_le32(out->data + 4, (uint32_t)(out->len - 8));
}

#endif
