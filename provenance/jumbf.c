/* jumbf.c - JUMBF boxes (ISO 19566-5): LBox u32, TBox, content; a superbox begins with a description box of
 * type UUID, toggles, label and, if the toggles say so, id, digest and a private box with a salt
 * (C2PA 2.4, 8.4.2.3). */
#include "jumbf.h"

#include <stdlib.h>
#include <string.h>

/* Content types of C2PA are four characters and this tail. */
static const uint8_t type_tail[12] = {0x00, 0x11, 0x00, 0x10, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71};

/* An embedded file (ISO 19566-5 B.2) is the one type of C2PA's with another tail. */
static const uint8_t file_type[16] = {0x40, 0xcb, 0x0c, 0x32, 0xbb, 0x8a, 0x48, 0x9d,
                                      0xa7, 0x0b, 0x2a, 0xd6, 0xf4, 0x7f, 0x43, 0x69};

enum toggle { REQUESTABLE = 1, LABELLED = 2, WITH_ID = 4, WITH_DIGEST = 8, WITH_PRIVATE = 16 };

/* ---- writing ---- */

size_t bst_jumbf_begin(struct bst_buf *out, uint32_t box_type)
{
    size_t begin = out->len;
    bst_buf_be32(out, 0);
    bst_buf_be32(out, box_type);
    return begin;
}

void bst_jumbf_end(struct bst_buf *out, size_t begin)
{
    if (out->failed) return;
    bst_set_number(out->data + begin, out->len - begin, 4, true);
}

size_t bst_jumbf_begin_super(struct bst_buf *out, uint32_t content_type, const char *label)
{
    size_t super = bst_jumbf_begin(out, BST_BOX_JUMB);
    size_t description = bst_jumbf_begin(out, BST_BOX_JUMD);
    if (content_type == BST_TYPE_FILE) {
        bst_buf_append(out, file_type, sizeof(file_type));
    } else {
        bst_buf_be32(out, content_type);
        bst_buf_append(out, type_tail, sizeof(type_tail));
    }
    bst_buf_byte(out, REQUESTABLE | LABELLED);
    bst_buf_append(out, label, strlen(label) + 1);
    bst_jumbf_end(out, description);
    return super;
}

void bst_jumbf_leaf(struct bst_buf *out, uint32_t content_type, const char *label, uint32_t box_type,
                    const void *data, size_t len)
{
    size_t super = bst_jumbf_begin_super(out, content_type, label);
    size_t content = bst_jumbf_begin(out, box_type);
    bst_buf_append(out, data, len);
    bst_jumbf_end(out, content);
    bst_jumbf_end(out, super);
}

void bst_jumbf_file(struct bst_buf *out, const char *label, const char *media_type, const void *data,
                    size_t len)
{
    size_t super = bst_jumbf_begin_super(out, BST_TYPE_FILE, label);
    size_t description = bst_jumbf_begin(out, BST_BOX_BFDB);
    bst_buf_byte(out, 0); /* toggles: no name, and the data stands here */
    bst_buf_append(out, media_type, strlen(media_type) + 1);
    bst_jumbf_end(out, description);
    size_t content = bst_jumbf_begin(out, BST_BOX_BIDB);
    bst_buf_append(out, data, len);
    bst_jumbf_end(out, content);
    bst_jumbf_end(out, super);
}

/* ---- reading ---- */

struct parser {
    struct bst_jumbf *out;
    size_t cap;
    struct bst_error *err;
};

static enum bst_code broken(struct parser *parser, size_t at, const char *what)
{
    bst_fail(parser->err, BST_BROKEN, "the C2PA manifest store cannot be read: %s", what);
    return bst_where(parser->err, "byte %zu of the store", at);
}

/* Description box content at [pos, pos + len). */
static enum bst_code parse_description(struct parser *parser, size_t pos, size_t len,
                                       struct bst_jumbf_box *super)
{
    const uint8_t *p = parser->out->bytes + pos;
    if (len < 18) return broken(parser, pos, "a description box is too short");
    if (memcmp(p + 4, type_tail, sizeof(type_tail)) == 0) super->content_type = bst_get_be32(p);
    if (memcmp(p, file_type, sizeof(file_type)) == 0) super->content_type = BST_TYPE_FILE;
    uint8_t toggles = p[16];
    if ((toggles & (REQUESTABLE | LABELLED)) != (REQUESTABLE | LABELLED) || toggles > 31) {
        return broken(parser, pos + 16, "a description box without a label, or with unknown toggles");
    }
    const uint8_t *zero = memchr(p + 17, 0, len - 17);
    if (zero == NULL || (size_t)(zero - p) - 17 > BST_JUMBF_LABEL) {
        return broken(parser, pos + 17, "a label without an end");
    }
    size_t label_len = (size_t)(zero - p) - 17;
    if (label_len == 0 || !bst_utf8_valid((const char *)p + 17, label_len)) {
        return broken(parser, pos + 17, "a label that is empty or not UTF-8");
    }
    super->label = bst_strdup((const char *)p + 17);
    if (super->label == NULL) return bst_fail_memory(parser->err);
    size_t used = 17 + label_len + 1;
    size_t fixed = ((toggles & WITH_ID) ? 4u : 0) + ((toggles & WITH_DIGEST) ? 32u : 0);
    if (fixed > len - used) return broken(parser, pos + used, "a description box is too short");
    used += fixed;
    if (toggles & WITH_PRIVATE) {
        if (len - used < 8 + 16 || bst_get_be32(p + used) != len - used ||
            memcmp(p + used + 4, "c2sh", 4) != 0) {
            return broken(parser, pos + used, "a malformed salt in a description box");
        }
        super->salted = true;
        used = len;
    }
    if (used != len) return broken(parser, pos + used, "extra bytes in a description box");
    return BST_OK;
}

static enum bst_code add_box(struct parser *parser, const struct bst_jumbf_box *box, size_t *index)
{
    struct bst_jumbf *out = parser->out;
    if (out->count == BST_JUMBF_BOXES) return broken(parser, box->start, "too many boxes");
    if (out->count == parser->cap) {
        size_t cap = parser->cap == 0 ? 32 : parser->cap * 2;
        struct bst_jumbf_box *grown = realloc(out->boxes, cap * sizeof(*grown));
        if (grown == NULL) return bst_fail_memory(parser->err);
        out->boxes = grown;
        parser->cap = cap;
    }
    *index = out->count;
    out->boxes[out->count++] = *box;
    return BST_OK;
}

/* Reads the box header at pos, of which at most len bytes belong to the parent. */
static enum bst_code parse_header(struct parser *parser, size_t pos, size_t len, struct bst_jumbf_box *box)
{
    const uint8_t *p = parser->out->bytes + pos;
    memset(box, 0, sizeof(*box));
    if (len < 8) return broken(parser, pos, "bytes that are no box");
    uint32_t size = bst_get_be32(p);
    if (size < 8 || size > len) return broken(parser, pos, "a box with an impossible length");
    box->type = bst_get_be32(p + 4);
    box->start = pos;
    box->len = size;
    box->data = pos + 8;
    box->data_len = size - 8;
    return BST_OK;
}

/* Recursion is bounded by BST_JUMBF_DEPTH. */
static enum bst_code parse_box(struct parser *parser, size_t pos, size_t len, size_t parent, unsigned depth,
                               size_t *index)
{
    struct bst_jumbf_box box, description;
    enum bst_code code = parse_header(parser, pos, len, &box);
    if (code != BST_OK) return code;
    box.parent = parent;
    if (box.type == BST_BOX_JUMD) return broken(parser, pos, "a description box in the wrong place");
    code = add_box(parser, &box, index);
    if (code != BST_OK || box.type != BST_BOX_JUMB) return code;
    if (depth == BST_JUMBF_DEPTH) return broken(parser, pos, "boxes nested too deep");

    code = parse_header(parser, box.data, box.data_len, &description);
    if (code != BST_OK) return code;
    if (description.type != BST_BOX_JUMD) return broken(parser, box.data, "a superbox without description");
    code = parse_description(parser, description.data, description.data_len, &parser->out->boxes[*index]);
    size_t last = 0;
    for (size_t at = box.data + description.len; code == BST_OK && at < box.start + box.len;) {
        size_t child;
        code = parse_box(parser, at, box.start + box.len - at, *index, depth + 1, &child);
        if (code != BST_OK) break;
        if (last == 0) {
            parser->out->boxes[*index].first_child = child;
        } else {
            parser->out->boxes[last].next = child;
        }
        last = child;
        at += parser->out->boxes[child].len;
    }
    return code;
}

enum bst_code bst_jumbf_parse_box(const uint8_t *data, size_t len, struct bst_jumbf *out,
                                  struct bst_error *err)
{
    struct parser parser = {.out = out, .err = err};
    size_t root;
    memset(out, 0, sizeof(*out));
    out->bytes = data;
    if (len == 0) return broken(&parser, 0, "it is empty");
    enum bst_code code = parse_box(&parser, 0, len, 0, 0, &root);
    if (code == BST_OK && out->boxes[0].len != len) {
        code = broken(&parser, out->boxes[0].len, "bytes stand behind it");
    } else if (code == BST_OK && out->boxes[0].type != BST_BOX_JUMB) {
        code = broken(&parser, 0, "it is no superbox");
    }
    if (code != BST_OK) bst_jumbf_clear(out);
    return code;
}

enum bst_code bst_jumbf_parse(const uint8_t *data, size_t len, struct bst_jumbf *out, struct bst_error *err)
{
    struct parser parser = {.out = out, .err = err};
    enum bst_code code = bst_jumbf_parse_box(data, len, out, err);
    if (code != BST_OK ||
        (out->boxes[0].content_type == BST_TYPE_STORE && strcmp(out->boxes[0].label, "c2pa") == 0))
        return code;
    bst_jumbf_clear(out);
    return broken(&parser, 0, "it is not labelled c2pa");
}

void bst_jumbf_clear(struct bst_jumbf *jumbf)
{
    for (size_t i = 0; i < jumbf->count; i++) {
        free(jumbf->boxes[i].label);
    }
    free(jumbf->boxes);
    memset(jumbf, 0, sizeof(*jumbf));
}

const struct bst_jumbf_box *bst_jumbf_child(const struct bst_jumbf *jumbf, const struct bst_jumbf_box *parent,
                                            const char *label)
{
    for (size_t i = parent->first_child; i != 0; i = jumbf->boxes[i].next) {
        const struct bst_jumbf_box *box = &jumbf->boxes[i];
        if (box->label != NULL && strcmp(box->label, label) == 0) return box;
    }
    return NULL;
}

const struct bst_jumbf_box *bst_jumbf_content(const struct bst_jumbf *jumbf,
                                              const struct bst_jumbf_box *super)
{
    if (super->first_child == 0) return NULL;
    const struct bst_jumbf_box *box = &jumbf->boxes[super->first_child];
    return box->next == 0 && box->type != BST_BOX_JUMB ? box : NULL;
}
