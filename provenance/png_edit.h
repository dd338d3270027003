/* png_edit.h - what is put into a PNG file without touching its pixels. Private to provenance/. */
#ifndef BST_PNG_EDIT_H
#define BST_PNG_EDIT_H

#include "base.h"

/* Bytes of signature and IHDR: the manifest's chunk comes right behind them. */
#define BST_PNG_HEAD       33
#define BST_PNG_CHUNK_SIZE 12 /* length, type and checksum around a chunk's data */

/* Appends one chunk, with length and checksum. data longer than 2^31-1 marks out as failed. */
void bst_png_chunk(struct bst_buf *out, const char type[static 5], const void *data, size_t len);

#endif
