/* image_codec.h - the decoders behind bst_image_decode. Private to base/. */
#ifndef BST_IMAGE_CODEC_H
#define BST_IMAGE_CODEC_H

#include "base.h"

enum bst_code bst_png_decode(const void *data, size_t len, const char *name, struct bst_image *out,
                             struct bst_error *err);
enum bst_code bst_jpeg_decode(const void *data, size_t len, const char *name, struct bst_image *out,
                              struct bst_error *err);
enum bst_code bst_webp_decode(const void *data, size_t len, const char *name, struct bst_image *out,
                              struct bst_error *err);
/* Do the first bytes say WebP? */
bool bst_is_webp(const void *data, size_t len);

#endif
