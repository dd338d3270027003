/* container_edit.h - changes to a picture file that leave its picture alone: pieces taken out and put in while the
 * file is copied, however large it is. Private to provenance/. */
#ifndef BST_CONTAINER_EDIT_H
#define BST_CONTAINER_EDIT_H

#include "provenance.h"

/* Pieces in the order of the file. */
struct bst_edit {
    uint64_t at, remove;
    struct bst_buf insert;
};
#define BST_EDITS_MAX 12
struct bst_edits {
    size_t count;
    struct bst_edit item[BST_EDITS_MAX];
    bool failed; /* out of memory */
};
void bst_edits_clear(struct bst_edits *edits);

/* Where a manifest will stand in a file. */
struct bst_place {
    uint64_t start;
};
/* Bytes that a store takes in the container: what a binding must leave out. */
uint64_t bst_place_length(enum bst_format format, size_t store_len);

/* What a WebP file says in VP8X, should it have none yet; and what changes besides the manifest. */
struct bst_canvas {
    uint32_t width, height;
    bool alpha, exif, xmp;
    /* Segments of metadata that are replaced, or put in where those of the format may stand; at most BST_METADATA_EDITS. They
     * do not touch the manifest. NULL: none. */
    const struct bst_edits *metadata;
};
#define BST_METADATA_EDITS 5
/* Appends an edit and returns it; there must be room. */
struct bst_edit *bst_edits_add(struct bst_edits *edits, uint64_t at, uint64_t remove);
/* Where segments go that a PNG or JPEG file has none of: behind IHDR, or behind the leading APP0. */
uint64_t bst_edit_head(const struct bst_container *container);
/* The edits that take the file's manifest out and put store in; with store NULL the file as it is without. The place
 * is the same for every store. PNG: behind IHDR; JPEG: in APP11 segments behind the leading APP0; WebP: last chunk of a
 * file in the extended format. store_len of a WebP store must be even. */
enum bst_code bst_edit_manifest(const struct bst_container *container, const struct bst_canvas *canvas,
                                const struct bst_buf *store, struct bst_edits *out, struct bst_place *place,
                                struct bst_error *err);
/* For a WebP file: as if a store of that length were put in but for its chunk. What a binding digests. */
enum bst_code bst_edit_around(const struct bst_container *container, const struct bst_canvas *canvas,
                              size_t store_len, struct bst_edits *out, struct bst_error *err);
/* The file open at fd with the edits made, piece by piece. put as for bst_png_write(). */
enum bst_code bst_splice(int fd, const struct bst_edits *edits, bst_put put, void *arg, const char *name,
                         struct bst_error *err);
/* The same into the file open at to, from where that stands. Names are for messages. */
enum bst_code bst_splice_into(int from, int to, const struct bst_edits *edits, const char *from_name,
                              const char *to_name, struct bst_error *err);

#endif
