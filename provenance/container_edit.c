/* container_edit.c - a manifest put into a PNG, JPEG or WebP file, or taken out, and metadata changed, while the file is
 * copied. */
#include "container_edit.h"
#include "container_webp.h"
#include "png_edit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define APP11_CHUNK    64000  /* bytes of the store in one segment, as the reference writes them */
#define APP11_HEAD     12     /* marker, length, 'JP', instance, sequence number */
#define APP11_INSTANCE 0x0211 /* any number tells the store's segments from others */

void bst_edits_clear(struct bst_edits *edits)
{
    for (size_t i = 0; i < edits->count; i++)
        bst_buf_free(&edits->item[i].insert);
    memset(edits, 0, sizeof(*edits));
}

struct bst_edit *bst_edits_add(struct bst_edits *edits, uint64_t at, uint64_t remove)
{
    struct bst_edit *edit = &edits->item[edits->count++]; /* BST_EDITS_MAX is enough for every format */
    edit->at = at;
    edit->remove = remove;
    return edit;
}

/* How many bytes the edits so far make the file longer; modulo 2^64 when shorter. */
static uint64_t growth(const struct bst_edits *edits)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < edits->count; i++)
        sum += edits->item[i].insert.len - edits->item[i].remove;
    return sum;
}

/* ---- the store in its container ---- */

static size_t app11_segments(size_t store_len)
{
    return (store_len + APP11_CHUNK - 1) / APP11_CHUNK;
}

uint64_t bst_place_length(enum bst_format format, size_t store_len)
{
    if (format == BST_FORMAT_PNG) return store_len + BST_PNG_CHUNK_SIZE;
    if (format == BST_FORMAT_WEBP) return store_len + 8;
    size_t segments = app11_segments(store_len);
    return store_len + APP11_HEAD * segments + 8 * (segments - 1);
}

/* JUMBF in JPEG (ISO 19566-5, D.2): each segment but the first repeats the box's first eight bytes. */
static void put_app11(struct bst_buf *out, const struct bst_buf *store)
{
    size_t segments = app11_segments(store->len);
    for (size_t i = 0; i < segments; i++) {
        size_t from = i * APP11_CHUNK;
        size_t part = store->len - from < APP11_CHUNK ? store->len - from : APP11_CHUNK;
        size_t repeat = i == 0 ? 0 : 8;
        bst_buf_be16(out, 0xffeb);
        bst_buf_be16(out, (uint16_t)(APP11_HEAD - 2 + repeat + part));
        bst_buf_append(out, "JP", 2);
        bst_buf_be16(out, APP11_INSTANCE);
        bst_buf_be32(out, (uint32_t)i + 1);
        bst_buf_append(out, store->data, repeat);
        bst_buf_append(out, store->data + from, part);
    }
}

/* ---- metadata that changes along ---- */

/* What is put in at a place comes before what is taken out there; else the order in which they were added. */
static bool comes_after(const struct bst_edit *a, const struct bst_edit *b)
{
    return a->at > b->at || (a->at == b->at && a->remove > 0 && b->remove == 0);
}

static void sort(struct bst_edits *edits)
{
    for (size_t i = 1; i < edits->count; i++) {
        struct bst_edit edit = edits->item[i];
        size_t to = i;
        for (; to > 0 && comes_after(&edits->item[to - 1], &edit); to--)
            edits->item[to] = edits->item[to - 1];
        edits->item[to] = edit;
    }
}

/* The edits of metadata before end. */
static void add_metadata(const struct bst_canvas *canvas, uint64_t end, struct bst_edits *out)
{
    for (size_t i = 0; canvas->metadata != NULL && i < canvas->metadata->count; i++) {
        const struct bst_edit *edit = &canvas->metadata->item[i];
        if (edit->at >= end) continue;
        struct bst_edit *copy = bst_edits_add(out, edit->at, edit->remove);
        bst_buf_append(&copy->insert, edit->insert.data, edit->insert.len);
    }
}

/* What they put in at the end. */
static void append_metadata(const struct bst_canvas *canvas, uint64_t end, struct bst_buf *out)
{
    for (size_t i = 0; canvas->metadata != NULL && i < canvas->metadata->count; i++) {
        const struct bst_edit *edit = &canvas->metadata->item[i];
        if (edit->at >= end) bst_buf_append(out, edit->insert.data, edit->insert.len);
    }
}

/* ---- each format ---- */

static void take_out(const struct bst_container *container, struct bst_edits *out)
{
    if (container->has_manifest) bst_edits_add(out, container->manifest.start, container->manifest.length);
}

uint64_t bst_edit_head(const struct bst_container *container)
{
    size_t i = 0;
    if (container->format == BST_FORMAT_PNG) return BST_PNG_HEAD;
    while (i < container->count && strcmp(container->segments[i].type, "APP0") == 0)
        i++;
    return container->segments[i].whole.start;
}

static void edit_png_or_jpeg(const struct bst_container *container, const struct bst_canvas *canvas,
                             const struct bst_buf *store, struct bst_edits *out, uint64_t *start)
{
    uint64_t at = bst_edit_head(container);
    bool before = container->has_manifest && container->manifest.start < at; /* a store in front of APP0 */
    *start = before ? at - container->manifest.length : at;
    if (store != NULL) {
        struct bst_buf *insert = &bst_edits_add(out, at, 0)->insert;
        if (container->format == BST_FORMAT_PNG) {
            bst_png_chunk(insert, "caBX", store->data, store->len);
        } else {
            put_app11(insert, store);
        }
    }
    add_metadata(canvas, UINT64_MAX, out);
    take_out(container, out);
    sort(out);
}

/* Chunks besides the picture belong into the extended format alone (RFC 9649, 2.7). */
static void put_vp8x(struct bst_buf *out, const struct bst_canvas *canvas)
{
    uint8_t data[BST_VP8X_SIZE] = {(uint8_t)((canvas->alpha ? BST_VP8X_ALPHA : 0) |
                                             (canvas->exif ? BST_VP8X_EXIF : 0) |
                                             (canvas->xmp ? BST_VP8X_XMP : 0))};
    bst_set_number(data + 4, canvas->width - 1, 3, false);
    bst_set_number(data + 7, canvas->height - 1, 3, false);
    bst_webp_chunk(out, "VP8X", data, sizeof(data));
}

/* store_len counts in the length of the file; store itself may be left out. */
static enum bst_code edit_webp(const struct bst_container *container, const struct bst_canvas *canvas,
                               const struct bst_buf *store, size_t store_len, struct bst_edits *out,
                               uint64_t *start, struct bst_error *err)
{
    uint64_t end = container->trailing.start;
    uint8_t head[8];
    bst_edits_add(out, 4, 4);
    if (strcmp(container->segments[0].type, "VP8X") != 0)
        put_vp8x(&bst_edits_add(out, BST_WEBP_HEAD, 0)->insert, canvas);
    for (size_t i = 0; i < container->count; i++) { /* with the byte that makes its length even */
        const struct bst_segment *segment = &container->segments[i];
        if (strcmp(segment->type, "C2PA") == 0)
            bst_edits_add(out, segment->whole.start, segment->whole.length);
    }
    add_metadata(canvas, end, out);
    sort(out);
    struct bst_edit *last = bst_edits_add(out, end, 0);
    if ((end + growth(out) + 4) % 2 == 1)
        bst_buf_byte(&last->insert, 0); /* the last chunk lacked its padding */
    append_metadata(canvas, end, &last->insert);
    *start = end + growth(out) + 4; /* the four bytes taken out at 4 are not put in yet */
    uint64_t made = *start + (store_len > 0 ? store_len + 8 : 0);
    if (made - 8 > UINT32_MAX) {
        return bst_fail(err, BST_USAGE, "a WebP file cannot be longer than 4 GiB, and this one would be");
    }
    if (store != NULL) bst_webp_chunk(&last->insert, "C2PA", store->data, store->len);
    bst_webp_head(made, head);
    bst_buf_append(&out->item[0].insert, head + 4, 4);
    return BST_OK;
}

static enum bst_code check_edits(struct bst_edits *edits, enum bst_code code, struct bst_error *err)
{
    for (size_t i = 0; i < edits->count && code == BST_OK; i++) {
        if (edits->item[i].insert.failed) code = bst_fail_memory(err);
    }
    if (code != BST_OK) bst_edits_clear(edits);
    return code;
}

enum bst_code bst_edit_manifest(const struct bst_container *container, const struct bst_canvas *canvas,
                                const struct bst_buf *store, struct bst_edits *out, struct bst_place *place,
                                struct bst_error *err)
{
    enum bst_code code = BST_OK;
    memset(out, 0, sizeof(*out));
    if (container->format == BST_FORMAT_WEBP) {
        code = edit_webp(container, canvas, store, store == NULL ? 0 : store->len, out, &place->start, err);
    } else {
        edit_png_or_jpeg(container, canvas, store, out, &place->start);
    }
    return check_edits(out, code, err);
}

enum bst_code bst_edit_around(const struct bst_container *container, const struct bst_canvas *canvas,
                              size_t store_len, struct bst_edits *out, struct bst_error *err)
{
    uint64_t start;
    memset(out, 0, sizeof(*out));
    return check_edits(out, edit_webp(container, canvas, NULL, store_len, out, &start, err), err);
}

/* ---- copying ---- */

struct flow {
    int fd;
    bst_put put;
    void *arg;
    const char *name;
    struct bst_error *err;
};

static enum bst_code seek_to(const struct flow *flow, uint64_t at)
{
    if (lseek(flow->fd, (off_t)at, SEEK_SET) >= 0) return BST_OK;
    bst_fail_errno(flow->err, BST_FAILURE, "cannot read the file");
    return bst_where(flow->err, "%s", flow->name);
}

/* len bytes from where the file stands; UINT64_MAX: all there are. */
static enum bst_code copy(const struct flow *flow, uint64_t len)
{
    uint8_t block[65536];
    bool all = len == UINT64_MAX;
    while (len > 0) {
        ssize_t got = read(flow->fd, block, len < sizeof(block) ? (size_t)len : sizeof(block));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            bst_fail_errno(flow->err, BST_FAILURE, "cannot read the file");
            return bst_where(flow->err, "%s", flow->name);
        }
        if (got == 0 && all) break;
        if (got == 0) {
            bst_fail(flow->err, BST_UNREADABLE, "the file became shorter while it was read");
            return bst_where(flow->err, "%s", flow->name);
        }
        if (!flow->put(flow->arg, block, (size_t)got)) return flow->err->code;
        len -= (uint64_t)got;
    }
    return BST_OK;
}

enum bst_code bst_splice(int fd, const struct bst_edits *edits, bst_put put, void *arg, const char *name,
                         struct bst_error *err)
{
    const struct flow flow = {fd, put, arg, name, err};
    uint64_t pos = 0;
    enum bst_code code = seek_to(&flow, 0);
    for (size_t i = 0; i < edits->count && code == BST_OK; i++) {
        const struct bst_edit *edit = &edits->item[i];
        code = copy(&flow, edit->at - pos);
        if (code == BST_OK && edit->insert.len > 0 && !put(arg, edit->insert.data, edit->insert.len))
            code = err->code;
        pos = edit->at + edit->remove;
        if (code == BST_OK && edit->remove > 0) code = seek_to(&flow, pos);
    }
    return code == BST_OK ? copy(&flow, UINT64_MAX) : code;
}

struct outflow {
    int fd;
    const char *name;
    struct bst_error *err;
};

static bool write_put(void *arg, const void *data, size_t len)
{
    struct outflow *out = arg;
    return bst_write_all(out->fd, data, len, out->name, out->err) == BST_OK;
}

enum bst_code bst_splice_into(int from, int to, const struct bst_edits *edits, const char *from_name,
                              const char *to_name, struct bst_error *err)
{
    struct outflow out = {to, to_name, err};
    return bst_splice(from, edits, write_put, &out, from_name, err);
}
