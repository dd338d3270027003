/* jumbf.h - JUMBF boxes (ISO 19566-5) as C2PA uses them. Private to provenance/. */
#ifndef BST_JUMBF_H
#define BST_JUMBF_H

#include "base.h"

#define BST_JUMBF_DEPTH 32
#define BST_JUMBF_BOXES 4096
#define BST_JUMBF_LABEL 1024

/* The first four bytes of a superbox's content type; the other twelve are the same for all of C2PA. */
#define BST_BOX(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))
enum {
    BST_BOX_JUMB = BST_BOX('j', 'u', 'm', 'b'),
    BST_BOX_JUMD = BST_BOX('j', 'u', 'm', 'd'),
    BST_BOX_CBOR = BST_BOX('c', 'b', 'o', 'r'),
    BST_BOX_JSON = BST_BOX('j', 's', 'o', 'n'),
    BST_BOX_UUID = BST_BOX('u', 'u', 'i', 'd'),
    BST_BOX_BROB = BST_BOX('b', 'r', 'o', 'b'),
    BST_BOX_BFDB = BST_BOX('b', 'f', 'd', 'b'),
    BST_BOX_BIDB = BST_BOX('b', 'i', 'd', 'b'),
    BST_TYPE_STORE = BST_BOX('c', '2', 'p', 'a'),
    BST_TYPE_MANIFEST = BST_BOX('c', '2', 'm', 'a'),
    BST_TYPE_UPDATE = BST_BOX('c', '2', 'u', 'm'),
    BST_TYPE_COMPRESSED = BST_BOX('c', '2', 'c', 'm'),
    BST_TYPE_OTHER = BST_BOX('c', '2', 'm', 'd'), /* a manifest that its writer did not check */
    BST_TYPE_CREDENTIALS = BST_BOX('c', '2', 'v', 'c'),
    BST_TYPE_DATABOXES = BST_BOX('c', '2', 'd', 'b'),
    BST_TYPE_FILE = BST_BOX('f', 'i', 'l', 'e'), /* an embedded file: has a UUID without four characters */
    BST_TYPE_ASSERTIONS = BST_BOX('c', '2', 'a', 's'),
    BST_TYPE_CLAIM = BST_BOX('c', '2', 'c', 'l'),
    BST_TYPE_SIGNATURE = BST_BOX('c', '2', 'c', 's'),
};

/* Writing: nested begin/end pairs; end fills in the length. */
size_t bst_jumbf_begin(struct bst_buf *out, uint32_t box_type);
void bst_jumbf_end(struct bst_buf *out, size_t begin);
/* A superbox with its description box; closed by bst_jumbf_end(). */
size_t bst_jumbf_begin_super(struct bst_buf *out, uint32_t content_type, const char *label);
/* A superbox with one content box of that type: an assertion, a claim, a signature. */
void bst_jumbf_leaf(struct bst_buf *out, uint32_t content_type, const char *label, uint32_t box_type,
                    const void *data, size_t len);
/* An embedded file, without a name. */
void bst_jumbf_file(struct bst_buf *out, const char *label, const char *media_type, const void *data,
                    size_t len);

/* Reading. Boxes are kept in the order of the file; a superbox is followed by its children. */
struct bst_jumbf_box {
    uint32_t type;         /* TBox */
    size_t start, len;     /* whole box */
    size_t data, data_len; /* behind LBox and TBox; of a superbox this is what a hashed URI digests */
    /* superboxes only */
    uint32_t content_type; /* BST_TYPE_..., BST_BOX_CBOR, BST_BOX_JSON; 0 for a type that is not C2PA's */
    char *label;
    bool salted;
    size_t parent, first_child, next; /* indexes of boxes; 0 means none (0 is the store itself) */
};
struct bst_jumbf {
    const uint8_t *bytes; /* borrowed */
    size_t count;
    struct bst_jumbf_box *boxes;
};
/* The whole of data must be one superbox, with nothing before, behind or between the boxes. */
enum bst_code bst_jumbf_parse_box(const uint8_t *data, size_t len, struct bst_jumbf *out,
                                  struct bst_error *err);
/* The same, and it is a C2PA manifest store. */
enum bst_code bst_jumbf_parse(const uint8_t *data, size_t len, struct bst_jumbf *out, struct bst_error *err);
void bst_jumbf_clear(struct bst_jumbf *jumbf);
/* The child superbox with that label; NULL when there is none. */
const struct bst_jumbf_box *bst_jumbf_child(const struct bst_jumbf *jumbf, const struct bst_jumbf_box *parent,
                                            const char *label);
/* The only content box; NULL when there are none or several. */
const struct bst_jumbf_box *bst_jumbf_content(const struct bst_jumbf *jumbf,
                                              const struct bst_jumbf_box *super);

#endif
