/* image.c - decoded pictures, their digest, and layouts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_codec.h"

enum bst_code bst_image_new(uint32_t width, uint32_t height, uint8_t channels, uint8_t depth,
                            struct bst_image *out, struct bst_error *err)
{
    *out = (struct bst_image){0};
    if (width == 0 || height == 0 || width > BST_IMAGE_MAX_SIDE || height > BST_IMAGE_MAX_SIDE ||
        (uint64_t)width * height > BST_IMAGE_MAX_PIXELS) {
        return bst_fail(err, BST_UNREADABLE,
                        "a picture of %ux%u pixels is beyond what can be handled (%u a side, %u in all)",
                        width, height, BST_IMAGE_MAX_SIDE, BST_IMAGE_MAX_PIXELS);
    }
    size_t size = (size_t)width * height * channels * (depth / 8);
    uint8_t *samples = bst_calloc(size, 1);
    if (!samples) return bst_fail_memory(err);
    *out = (struct bst_image){width, height, channels, depth, samples};
    return BST_OK;
}

void bst_image_clear(struct bst_image *image)
{
    free(image->samples);
    *image = (struct bst_image){0};
}

size_t bst_image_size(const struct bst_image *image)
{
    return (size_t)image->width * image->height * image->channels * (image->depth / 8u);
}

void bst_image_digest(const struct bst_image *image, uint8_t out[static BST_SHA256_LEN])
{
    char header[64];
    int len = snprintf(header, sizeof header, "%u %u %u %u\n", image->width, image->height, image->channels,
                       image->depth);
    struct bst_sha256_state *state = bst_sha256_new();
    if (!state) abort(); /* a few hundred bytes; see digest.c */
    bst_sha256_update(state, header, (size_t)len);
    bst_sha256_update(state, image->samples, bst_image_size(image));
    bst_sha256_final(state, out);
}

enum bst_code bst_image_to_rgb8(const struct bst_image *image, struct bst_image *out, struct bst_error *err)
{
    enum bst_code code = bst_image_new(image->width, image->height, 3, 8, out, err);
    if (code != BST_OK) return code;
    size_t pixels = (size_t)image->width * image->height;
    size_t bytes = image->depth / 8u, step = image->channels * bytes;
    bool grey = image->channels < 3;
    for (size_t i = 0; i < pixels; i++) {
        const uint8_t *from = image->samples + i * step;
        for (size_t c = 0; c < 3; c++)
            out->samples[3 * i + c] = from[grey ? 0 : c * bytes];
    }
    return BST_OK;
}

enum bst_code bst_image_decode(const void *data, size_t len, const char *name, struct bst_image *out,
                               struct bst_error *err)
{
    const uint8_t *bytes = data;
    *out = (struct bst_image){0};
    if (len >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0)
        return bst_png_decode(data, len, name, out, err);
    if (len >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0) return bst_jpeg_decode(data, len, name, out, err);
    if (bst_is_webp(data, len)) return bst_webp_decode(data, len, name, out, err);
    bst_fail(err, BST_UNREADABLE, "neither a PNG, a JPEG nor a WebP picture");
    bst_where(err, "%s", name);
    return bst_hint(err, "convert the picture to PNG, JPEG or WebP first");
}

#define FILE_MAX ((size_t)1 << 31)

enum bst_code bst_image_load(const char *path, struct bst_image *out, struct bst_error *err)
{
    struct bst_buf file = {0};
    *out = (struct bst_image){0};
    enum bst_code code = bst_file_read(path, FILE_MAX, &file, err);
    if (code != BST_OK) return code;
    code = bst_image_decode(file.data, file.len, path, out, err);
    bst_buf_free(&file);
    return code;
}
