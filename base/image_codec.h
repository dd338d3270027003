/* image_codec.h - the decoders behind bst_image_decode. Private to base/. */
#ifndef BST_IMAGE_CODEC_H
#define BST_IMAGE_CODEC_H

#include "base.h"

#include <stdio.h>

enum bst_code bst_png_decode(const void *data, size_t len, const char *name, struct bst_image *out,
                             struct bst_error *err);
enum bst_code bst_jpeg_decode(const void *data, size_t len, const char *name, struct bst_image *out,
                              struct bst_error *err);
/* What a picture was found to be, and the digest of its rows so far. */
struct bst_rows {
    struct bst_image shape;
    struct bst_sha256_state *digest;
};
/* Begins the digest: BST_UNREADABLE when the picture is larger than what can be handled. */
enum bst_code bst_rows_begin(struct bst_rows *rows, uint32_t width, uint32_t height, uint8_t channels,
                             uint8_t depth, struct bst_error *err);
/* The picture in an open file, row by row; a PNG must not be interlaced. */
enum bst_code bst_png_rows(FILE *file, const char *name, struct bst_rows *rows, struct bst_error *err);
enum bst_code bst_jpeg_rows(FILE *file, const char *name, struct bst_rows *rows, struct bst_error *err);
enum bst_code bst_webp_decode(const void *data, size_t len, const char *name, struct bst_image *out,
                              struct bst_error *err);
/* Do the first bytes say WebP? */
bool bst_is_webp(const void *data, size_t len);

#endif
