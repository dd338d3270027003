/* container_bmff.h - the boxes of AVIF and HEIF files (ISO base media file format) as their scanner and the binding
 * to them share them. Private to provenance/. */
#ifndef BST_CONTAINER_BMFF_H
#define BST_CONTAINER_BMFF_H

#include "container.h"

#define BST_BMFF_DEPTH 32
#define BST_BMFF_BOXES 65536

/* A box of type "uuid" at the top of the file holds something of C2PA's (C2PA 2.4 A.5) when its content begins with
 * this, version and flags (4 bytes), and a text that says what: "manifest", "original", "update" or "merkle". */
#define BST_C2PA_UUID_LEN 16
extern const uint8_t bst_c2pa_uuid[BST_C2PA_UUID_LEN];
#define BST_C2PA_PURPOSE 20 /* bytes in front of that text */

/* Does a box of that type begin with version and flags (4 bytes)? */
bool bst_bmff_is_full(const char *type);
/* The manifest store, joined with that of an update when it stands in a box of its own; appended to out. */
enum bst_code bst_bmff_manifest(const char *path, const struct bst_container *container, struct bst_buf *out,
                                struct bst_error *err);

#endif
