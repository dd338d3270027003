/* fuzz_image.c - PNG, JPEG and WebP decoding of anything, whole and made small. Small declared sizes only, so that time goes
 * to parsing. */
#include "fuzz_file.h"

#include "base.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bst_image image, rgb;
    struct bst_error err;
    uint8_t digest[BST_SHA256_LEN], by_rows[BST_SHA256_LEN];
    if (len > 24 && bst_get_be32(data + 12) == 0x49484452 &&
        (bst_get_be32(data + 16) > 4096 || bst_get_be32(data + 20) > 4096)) {
        return 0;
    }
    struct bst_buf small = {0};
    if (bst_thumbnail_file(fuzz_file(data, len), &small, &err) == BST_OK && small.len > 0) {
        if (bst_image_decode(small.data, small.len, "thumbnail", &image, &err) != BST_OK) abort();
        if (image.width > BST_THUMBNAIL_SIDE || image.height > BST_THUMBNAIL_SIDE) abort();
        bst_image_clear(&image);
    }
    bst_buf_free(&small);
    if (bst_image_decode(data, len, "fuzz", &image, &err) != BST_OK) return 0;
    bst_image_digest(&image, digest);
    struct bst_image shape;
    if (bst_image_digest_file(fuzz_file(data, len), &shape, by_rows, &err) == BST_OK &&
        memcmp(by_rows, digest, sizeof(digest)) != 0)
        abort();
    if (bst_image_to_rgb8(&image, &rgb, &err) == BST_OK) bst_image_clear(&rgb);
    bst_image_clear(&image);
    return 0;
}
