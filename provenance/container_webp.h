/* container_webp.h - numbers of the WebP container that its reader and its writer share. Private to provenance/. */
#ifndef BST_CONTAINER_WEBP_H
#define BST_CONTAINER_WEBP_H

#include "base.h"

#define BST_WEBP_HEAD 12 /* "RIFF", length, "WEBP" */
#define BST_VP8X_SIZE 10 /* flags, three reserved bytes, width - 1 and height - 1 of 24 bits each */

/* The first eight bytes of a file that ends at byte end. */
void bst_webp_head(uint64_t end, uint8_t out[static 8]);
/* Appends a chunk, with the byte that makes its length even. */
void bst_webp_chunk(struct bst_buf *out, const char type[static 4], const void *data, size_t len);

/* First byte of VP8X. */
#define BST_VP8X_ANIMATION 0x02
#define BST_VP8X_XMP       0x04
#define BST_VP8X_EXIF      0x08
#define BST_VP8X_ALPHA     0x10

#endif
