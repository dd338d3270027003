/* image.c - decoded pictures, their digest, and layouts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/stat.h>

#include "image_codec.h"

/* Samples that a file of any size may have, in bytes: read row by row, or held whole; and how many times its size others. */
#define READ_FREE (128u << 20)
#define HELD_FREE (32u << 20)
#define TIMES_MAX 64

static enum bst_code check_size(uint32_t width, uint32_t height, struct bst_error *err)
{
    if (width == 0 || height == 0 || width > BST_IMAGE_MAX_SIDE || height > BST_IMAGE_MAX_SIDE ||
        (uint64_t)width * height > BST_IMAGE_MAX_PIXELS) {
        return bst_fail(err, BST_UNREADABLE,
                        "a picture of %ux%u pixels is beyond what can be handled (%u a side, %u in all)",
                        width, height, BST_IMAGE_MAX_SIDE, BST_IMAGE_MAX_PIXELS);
    }
    return BST_OK;
}

enum bst_code bst_image_new(uint32_t width, uint32_t height, uint8_t channels, uint8_t depth,
                            struct bst_image *out, struct bst_error *err)
{
    *out = (struct bst_image){0};
    enum bst_code code = check_size(width, height, err);
    if (code != BST_OK) return code;
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

static struct bst_sha256_state *digest_begin(const struct bst_image *shape)
{
    char header[64];
    int len = snprintf(header, sizeof header, "%u %u %u %u\n", shape->width, shape->height, shape->channels,
                       shape->depth);
    struct bst_sha256_state *state = bst_sha256_new();
    if (state) bst_sha256_update(state, header, (size_t)len);
    return state;
}

void bst_image_digest(const struct bst_image *image, uint8_t out[static BST_SHA256_LEN])
{
    struct bst_sha256_state *state = digest_begin(image);
    if (!state) abort(); /* a few hundred bytes; see digest.c */
    bst_sha256_update(state, image->samples, bst_image_size(image));
    bst_sha256_final(state, out);
}

enum bst_code bst_image_fair(uint64_t file_len, uint32_t width, uint32_t height, size_t pixel_bytes,
                             bool held, struct bst_error *err)
{
    uint64_t size = (uint64_t)width * height * pixel_bytes;
    if (size <= (held ? HELD_FREE : READ_FREE) || size / TIMES_MAX <= file_len) return BST_OK;
    bst_fail(err, BST_UNREADABLE, "a picture of %u x %u pixels in %llu bytes is made to take time or memory",
             width, height, (unsigned long long)file_len);
    return bst_hint(err, "its samples would be more than %d times as large as the file", TIMES_MAX);
}

enum bst_code bst_rows_weigh(const struct bst_rows *rows, FILE *file, uint32_t width, uint32_t height,
                             size_t pixel_bytes, bool held, bool *fits, struct bst_error *err)
{
    struct stat info;
    *fits = !rows->shrink || !held || bst_thumbnail_holds(width, height, pixel_bytes);
    if (rows->shrink) return BST_OK;
    if (fstat(fileno(file), &info) != 0) return bst_fail_errno(err, BST_UNREADABLE, "cannot read the file");
    return bst_image_fair((uint64_t)info.st_size, width, height, pixel_bytes, held, err);
}

enum bst_code bst_rows_begin(struct bst_rows *rows, uint32_t width, uint32_t height, uint8_t channels,
                             uint8_t depth, struct bst_error *err)
{
    enum bst_code code = check_size(width, height, err);
    if (code != BST_OK) return code;
    rows->shape = (struct bst_image){.width = width, .height = height, .channels = channels, .depth = depth};
    if (rows->shrink) return bst_shrink_begin(rows->shrink, &rows->shape, err);
    rows->digest = digest_begin(&rows->shape);
    return rows->digest ? BST_OK : bst_fail_memory(err);
}

void bst_rows_take(struct bst_rows *rows, const uint8_t *row)
{
    if (rows->shrink)
        bst_shrink_row(rows->shrink, row);
    else
        bst_sha256_update(rows->digest, row, bst_image_size(&rows->shape) / rows->shape.height);
}

enum bst_code bst_rows_of(struct bst_rows *rows, const struct bst_image *image, struct bst_error *err)
{
    enum bst_code code =
        bst_rows_begin(rows, image->width, image->height, image->channels, image->depth, err);
    size_t stride = bst_image_size(image) / image->height;
    for (size_t y = 0; y < image->height && code == BST_OK; y++)
        bst_rows_take(rows, image->samples + y * stride);
    return code;
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

enum bst_picture bst_picture_of(const void *data, size_t len)
{
    const char *bytes = data;
    if (len >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0) return BST_PICTURE_PNG;
    if (len >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0) return BST_PICTURE_JPEG;
    if (len >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0)
        return BST_PICTURE_WEBP;
    return BST_PICTURE_OTHER;
}

static enum bst_code refuse(const char *name, struct bst_error *err)
{
    bst_fail(err, BST_UNREADABLE, "neither a PNG, a JPEG nor a WebP picture");
    bst_where(err, "%s", name);
    return bst_hint(err, "convert the picture to PNG, JPEG or WebP first");
}

enum bst_code bst_image_decode(const void *data, size_t len, const char *name, struct bst_image *out,
                               struct bst_error *err)
{
    enum bst_picture kind = bst_picture_of(data, len);
    *out = (struct bst_image){0};
    enum bst_code code = kind == BST_PICTURE_PNG    ? bst_png_decode(data, len, name, out, err)
                         : kind == BST_PICTURE_JPEG ? bst_jpeg_decode(data, len, name, out, err)
                         : kind == BST_PICTURE_WEBP ? bst_webp_decode(data, len, name, out, err)
                                                    : refuse(name, err);
    if (code != BST_OK) bst_image_clear(out);
    return code;
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

enum bst_code bst_picture_rows(const char *path, struct bst_rows *rows, struct bst_error *err)
{
    uint8_t head[12];
    FILE *file = fopen(path, "rb");
    if (!file) {
        bst_fail_errno(err, BST_UNREADABLE, "cannot open the file");
        return bst_where(err, "%s", path);
    }
    enum bst_picture kind = bst_picture_of(head, fread(head, 1, sizeof head, file));
    rewind(file);
    enum bst_code code = kind == BST_PICTURE_PNG    ? bst_png_rows(file, path, rows, err)
                         : kind == BST_PICTURE_JPEG ? bst_jpeg_rows(file, path, rows, err)
                         : kind == BST_PICTURE_WEBP ? bst_webp_rows(file, path, rows, err)
                                                    : refuse(path, err);
    fclose(file);
    return code;
}

enum bst_code bst_image_digest_file(const char *path, struct bst_image *shape,
                                    uint8_t out[static BST_SHA256_LEN], struct bst_error *err)
{
    struct bst_rows rows = {0};
    enum bst_code code = bst_picture_rows(path, &rows, err);
    if (rows.digest) bst_sha256_final(rows.digest, out);
    *shape = code == BST_OK ? rows.shape : (struct bst_image){0};
    return code;
}
