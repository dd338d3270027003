/* image_codec.h - the decoders behind bst_image_decode. Private to base/. */
#ifndef BST_IMAGE_CODEC_H
#define BST_IMAGE_CODEC_H

#include "base.h"

enum bst_code bst_png_decode(const void *data, size_t len, const char *name, struct bst_image *out,
                             struct bst_error *err);
enum bst_code bst_jpeg_decode(const void *data, size_t len, const char *name, struct bst_image *out,
                              struct bst_error *err);

#endif
