/* image_codec.h - the decoders behind bst_image_decode. Private to base/. */
#ifndef BST_IMAGE_CODEC_H
#define BST_IMAGE_CODEC_H

#include "base.h"

#include <stdio.h>

/* These leave in *out what a failure has begun; bst_image_decode clears it. */
enum bst_code bst_png_decode(const void *data, size_t len, const char *name, struct bst_image *out,
                             struct bst_error *err);
enum bst_code bst_jpeg_decode(const void *data, size_t len, const char *name, struct bst_image *out,
                              struct bst_error *err);
enum bst_code bst_webp_decode(const void *data, size_t len, const char *name, struct bst_image *out,
                              struct bst_error *err);

/* ---- a picture read row by row, to be digested or made small ---- */

/* A picture being made small (thumbnail.c). */
struct bst_shrink {
    struct bst_image shape; /* of the source, without samples */
    struct bst_image out;   /* 8 bits RGB */
    uint32_t *sums;         /* 3 a column of the source: those rows that belong to the next row of out */
    uint32_t taken, done;   /* rows of the source, rows of out */
};
enum bst_code bst_shrink_begin(struct bst_shrink *shrink, const struct bst_image *shape,
                               struct bst_error *err);
void bst_shrink_row(struct bst_shrink *shrink, const uint8_t *row);
void bst_shrink_clear(struct bst_shrink *shrink);
void bst_thumbnail_size(uint32_t width, uint32_t height, uint32_t *out_width, uint32_t *out_height);
/* Is a picture small enough to be held whole for a thumbnail, when it cannot be read row by row? */
bool bst_thumbnail_holds(uint32_t width, uint32_t height, size_t pixel_bytes);

/* A picture that is many times larger than its file costs time, and memory where it must be held whole: past a size that
 * most pictures do not have, BST_UNREADABLE. */
enum bst_code bst_image_fair(uint64_t file_len, uint32_t width, uint32_t height, size_t pixel_bytes,
                             bool held, struct bst_error *err);

/* What a picture was found to be, and what is made of its rows. */
struct bst_rows {
    struct bst_image shape;
    struct bst_shrink *shrink;       /* NULL: they are digested */
    struct bst_sha256_state *digest; /* so far */
};
/* Before it is read: that the picture in an open file, held whole or not, is fair for a digest, or for a thumbnail, which is
 * no error, *fits. */
enum bst_code bst_rows_weigh(const struct bst_rows *rows, FILE *file, uint32_t width, uint32_t height,
                             size_t pixel_bytes, bool held, bool *fits, struct bst_error *err);
/* Begins: BST_UNREADABLE when the picture is larger than what can be handled. */
enum bst_code bst_rows_begin(struct bst_rows *rows, uint32_t width, uint32_t height, uint8_t channels,
                             uint8_t depth, struct bst_error *err);
void bst_rows_take(struct bst_rows *rows, const uint8_t *row);
/* All rows of a picture that is decoded already. */
enum bst_code bst_rows_of(struct bst_rows *rows, const struct bst_image *image, struct bst_error *err);
/* The picture in an open file, row by row. To be made small, a JPEG may come at a half, a quarter or an eighth of its size,
 * a WebP at that of the thumbnail; one that cannot be read by rows and is too large to be held gives no row, and no error. A
 * WebP is decoded whole, without what other chunks hold. */
enum bst_code bst_png_rows(FILE *file, const char *name, struct bst_rows *rows, struct bst_error *err);
enum bst_code bst_jpeg_rows(FILE *file, const char *name, struct bst_rows *rows, struct bst_error *err);
enum bst_code bst_webp_rows(FILE *file, const char *name, struct bst_rows *rows, struct bst_error *err);
/* Baseline, 8 bits RGB, colours at half the resolution; quality 1 to 100. Appended to out. */
enum bst_code bst_jpeg_encode(const struct bst_image *image, int quality, struct bst_buf *out,
                              struct bst_error *err);
/* The picture in a file, of whichever kind. */
enum bst_code bst_picture_rows(const char *path, struct bst_rows *rows, struct bst_error *err);

#endif
