/* container_webp.c - walks a WebP file chunk by chunk (RFC 9649; RIFF: four letters, a little-endian length, data, and
 * a zero byte when the length is odd). A C2PA manifest store is a chunk "C2PA" of its own (C2PA 2.4 A.3). */
#include "container.h"
#include "container_webp.h"

#include <inttypes.h>
#include <string.h>

void bst_webp_head(uint64_t end, uint8_t out[static 8])
{
    memcpy(out, "RIFF", 4);
    bst_set_number(out + 4, end - 8, 4, false);
}

void bst_webp_chunk(struct bst_buf *out, const char type[static 4], const void *data, size_t len)
{
    bst_buf_append(out, type, 4);
    bst_buf_number(out, len, 4, false);
    bst_buf_append(out, data, len);
    if (len % 2 == 1) bst_buf_byte(out, 0);
}

struct webp_order {
    bool extended, image, animated;
    uint64_t end; /* of what the RIFF header says is the file */
};

static bool is(const struct bst_segment *chunk, const char *type)
{
    return strcmp(chunk->type, type) == 0;
}

/* What a decoder needs to find its way: a picture first and only one, or VP8X in front of everything. */
static enum bst_code check_order(struct scan *scan, const struct bst_segment *chunk, struct webp_order *order,
                                 struct bst_error *err)
{
    bool first = scan->out->count == 1;
    bool bitstream = is(chunk, "VP8") || is(chunk, "VP8L");
    if (first && !bitstream && !is(chunk, "VP8X")) {
        bst_fail(err, BST_UNREADABLE, "a WebP file must begin with a chunk VP8, VP8L or VP8X");
    } else if (!first && is(chunk, "VP8X")) {
        bst_fail(err, BST_UNREADABLE, "VP8X must be the first chunk of a WebP file");
    } else if (is(chunk, "VP8X") && chunk->data.length < BST_VP8X_SIZE) {
        bst_fail(err, BST_UNREADABLE, "VP8X must be at least %d bytes long, not %" PRIu64, BST_VP8X_SIZE,
                 chunk->data.length);
    } else if (bitstream && (order->image || order->animated)) {
        bst_fail(err, BST_UNREADABLE, "a second picture");
    } else if (is(chunk, "ANMF") && (order->image || !order->extended)) {
        bst_fail(err, BST_UNREADABLE, "a frame of an animation in a file that is none");
    } else if (is(chunk, "C2PA") && scan->out->has_manifest) {
        bst_fail(err, BST_BROKEN,
                 "the file carries two C2PA manifest stores (C2PA chunks), so neither can be believed");
    } else {
        order->extended = order->extended || is(chunk, "VP8X");
        order->image = order->image || bitstream;
        order->animated = order->animated || is(chunk, "ANMF");
        return BST_OK;
    }
    return bst_scan_fail(scan, "chunk", chunk, err);
}

/* Letters, digits and spaces, without the spaces behind. */
static bool chunk_type(const uint8_t *code, char out[static 5])
{
    memset(out, 0, 5);
    for (int i = 0; i < 4; i++) {
        if (code[i] < 0x20 || code[i] > 0x7e) return false;
        out[i] = (char)code[i];
    }
    for (int i = 3; i >= 0 && out[i] == ' '; i--)
        out[i] = 0;
    return out[0] != 0;
}

/* Takes the picture's size from the chunk that says it first: VP8X (RFC 9649, 2.7), VP8L (3.4), VP8 (RFC 6386, 9.1). */
static enum bst_code read_size(struct scan *scan, const struct bst_segment *chunk, struct bst_error *err)
{
    struct bst_container *out = scan->out;
    uint8_t head[BST_VP8X_SIZE];
    bool extended = is(chunk, "VP8X"), lossless = is(chunk, "VP8L");
    if (out->width != 0 || (!extended && !lossless && !is(chunk, "VP8"))) return BST_OK;
    size_t len = lossless ? 5 : sizeof(head);
    if (chunk->data.length < len) return BST_OK;
    enum bst_code code = bst_scan_read(scan, head, len, "a chunk", err);
    if (code != BST_OK) return code;
    if (extended) {
        out->width = (uint32_t)bst_get_number(head + 4, 3, false) + 1;
        out->height = (uint32_t)bst_get_number(head + 7, 3, false) + 1;
        out->alpha = (head[0] & BST_VP8X_ALPHA) != 0;
    } else if (lossless && head[0] == 0x2f) {
        uint32_t bits = bst_get_le32(head + 1);
        out->width = (bits & 0x3fff) + 1;
        out->height = (bits >> 14 & 0x3fff) + 1;
        out->alpha = (bits >> 28 & 1) != 0;
    } else if (!lossless && head[3] == 0x9d && head[4] == 0x01 && head[5] == 0x2a) {
        out->width = bst_get_le16(head + 6) & 0x3fff;
        out->height = bst_get_le16(head + 8) & 0x3fff;
    }
    return BST_OK;
}

static enum bst_code scan_chunk(struct scan *scan, struct webp_order *order, struct bst_error *err)
{
    uint8_t head[8];
    char type[5];
    struct bst_segment *chunk;
    uint64_t start = scan->pos;
    enum bst_code code = order->end - start < sizeof(head) ? BST_UNREADABLE : BST_OK;
    if (code != BST_OK) bst_fail(err, code, "the file ends in the middle of a chunk header");
    if (code == BST_OK) code = bst_scan_read(scan, head, sizeof(head), "a chunk header", err);
    if (code == BST_OK && !chunk_type(head, type))
        code = bst_fail(err, BST_UNREADABLE, "no chunk type where one must stand");
    if (code != BST_OK)
        return bst_where(err, "%s: chunk %zu at byte %" PRIu64, scan->name, scan->out->count, start);
    code = bst_scan_add(scan, type, start, &chunk, err);
    if (code != BST_OK) return code;
    uint32_t length = bst_get_le32(head + 4);
    chunk->whole.length = (uint64_t)length + 8;
    chunk->data = (struct bst_range){start + 8, length};
    if (chunk->whole.length > order->end - start) {
        bst_fail(err, BST_UNREADABLE,
                 "the chunk says it is %" PRIu32 " bytes long, but the file ends before that", length);
        bst_hint(err, "the file was cut short or altered; get a complete copy");
        return bst_scan_fail(scan, "chunk", chunk, err);
    }
    code = check_order(scan, chunk, order, err);
    if (code == BST_OK) code = read_size(scan, chunk, err);
    if (code != BST_OK) return code;
    if (is(chunk,
           "C2PA")) { /* what a binding must leave out does not count the byte that makes the length even */
        scan->out->has_manifest = true;
        scan->out->manifest = chunk->whole;
    }
    if (length % 2 == 1 && start + chunk->whole.length < order->end) chunk->whole.length++;
    scan->pos = start + chunk->whole.length;
    if (fseeko(scan->file, (off_t)scan->pos, SEEK_SET) == 0) return BST_OK;
    return bst_fail_errno(err, BST_FAILURE, "cannot read the file");
}

enum bst_code bst_scan_webp(struct scan *scan, struct bst_error *err)
{
    uint8_t head[BST_WEBP_HEAD];
    struct webp_order order = {0};
    enum bst_code code = bst_scan_read(scan, head, sizeof(head), "its header", err);
    if (code != BST_OK) return code;
    order.end = (uint64_t)bst_get_le32(head + 4) + 8;
    if (order.end > scan->out->size || order.end < sizeof(head) + 8) {
        bst_fail(err, BST_UNREADABLE, "the file should be %" PRIu64 " bytes long and is %" PRIu64, order.end,
                 scan->out->size);
        bst_hint(err, "the file was cut short or altered; get a complete copy");
        return bst_where(err, "%s", scan->name);
    }
    while (scan->pos < order.end) {
        code = scan_chunk(scan, &order, err);
        if (code != BST_OK) return code;
    }
    if (!order.image && !order.animated) {
        bst_fail(err, BST_UNREADABLE, "no picture data in the file");
        return bst_where(err, "%s", scan->name);
    }
    scan->out->trailing = (struct bst_range){order.end, scan->out->size - order.end};
    return BST_OK;
}
