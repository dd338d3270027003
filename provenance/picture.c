/* picture.c - the digests by which statements name a picture. */
#include <stdlib.h>

#include "provenance.h"

void bst_picture_clear(struct bst_picture_ref *picture)
{
    free(picture->name);
    *picture = (struct bst_picture_ref){0};
}

enum bst_code bst_picture_read(const char *path, struct bst_picture_ref *out, struct bst_error *err)
{
    struct bst_container container;
    struct bst_image shape;
    struct bst_picture_ref picture = {0};
    enum bst_code code = bst_container_scan(path, &container, err);
    if (code != BST_OK) return code;
    code = bst_container_digest_plain(path, &container, picture.sha256, err);
    picture.has_pixels = bst_format_has_pixels(container.format);
    bst_container_clear(&container);
    if (code == BST_OK && picture.has_pixels)
        code = bst_image_digest_file(path, &shape, picture.pixels_sha256, err);
    if (code == BST_OK && !(picture.name = bst_strdup(bst_path_name(path)))) code = bst_fail_memory(err);
    if (code == BST_OK) *out = picture;
    return code;
}
