/* container_png.c - walks a PNG file chunk by chunk: lengths, order and checksums (PNG third edition, clause
 * 5). */
#include "container.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

struct png_order {
    bool idat_seen, idat_over, iend;
};

/* Chunk order as far as the place of metadata and of the manifest depends on it; the decoder checks the rest.
 */
static enum bst_code check_order(struct scan *scan, struct bst_segment *chunk, struct png_order *order,
                                 struct bst_error *err)
{
    bool idat = strcmp(chunk->type, "IDAT") == 0;
    bool ihdr = strcmp(chunk->type, "IHDR") == 0;
    if ((scan->out->count == 1) != ihdr) {
        bst_fail(err, BST_UNREADABLE, ihdr ? "a second IHDR chunk" : "a PNG file must begin with IHDR");
    } else if (ihdr && chunk->data.length != 13) {
        bst_fail(err, BST_UNREADABLE, "IHDR must be 13 bytes long, not %" PRIu64, chunk->data.length);
    } else if (idat && order->idat_over) {
        bst_fail(err, BST_UNREADABLE, "the IDAT chunks are not consecutive");
    } else if (strcmp(chunk->type, "caBX") == 0 && scan->out->has_manifest) {
        bst_fail(err, BST_BROKEN,
                 "the file carries two C2PA manifest stores (caBX), so neither can be believed");
    } else if (strcmp(chunk->type, "IEND") == 0 && (!order->idat_seen || chunk->data.length != 0)) {
        bst_fail(err, BST_UNREADABLE, order->idat_seen ? "IEND must be empty" : "no IDAT chunk before IEND");
    } else {
        order->idat_over = order->idat_seen && !idat;
        order->idat_seen = order->idat_seen || idat;
        order->iend = strcmp(chunk->type, "IEND") == 0;
        return BST_OK;
    }
    return bst_scan_fail(scan, "chunk", chunk, err);
}

static enum bst_code check_crc(struct scan *scan, struct bst_segment *chunk, const uint8_t *type,
                               struct bst_error *err)
{
    uint8_t block[65536];
    uint32_t crc = bst_crc32(0, type, 4);
    for (uint64_t left = chunk->data.length; left > 0;) {
        size_t part = left < sizeof(block) ? (size_t)left : sizeof(block);
        enum bst_code code = bst_scan_read(scan, block, part, "a chunk", err);
        if (code != BST_OK) return code;
        if (scan->out->count == 1) { /* IHDR, of 13 bytes: width, height, ... */
            scan->out->width = bst_get_be32(block);
            scan->out->height = bst_get_be32(block + 4);
        }
        crc = bst_crc32(crc, block, part);
        left -= part;
    }
    enum bst_code code = bst_scan_read(scan, block, 4, "a chunk", err);
    if (code != BST_OK) return code;
    if (bst_get_be32(block) == crc) return BST_OK;
    bst_fail(err, BST_UNREADABLE,
             "the chunk's checksum does not fit its content: the file was damaged or altered");
    return bst_scan_fail(scan, "chunk", chunk, err);
}

static enum bst_code scan_chunk(struct scan *scan, struct png_order *order, struct bst_error *err)
{
    uint8_t head[8];
    char type[5] = {0};
    struct bst_segment *chunk;
    uint64_t start = scan->pos;
    enum bst_code code = bst_scan_read(scan, head, sizeof(head), "a chunk header", err);
    if (code != BST_OK) return code;
    for (int i = 0; i < 4; i++) {
        type[i] = (char)head[4 + i];
        if (isalpha(head[4 + i]) && head[4 + i] < 0x80) continue;
        bst_fail(err, BST_UNREADABLE, "no chunk type where one must stand");
        return bst_where(err, "%s: chunk %zu at byte %" PRIu64, scan->name, scan->out->count, start);
    }
    code = bst_scan_add(scan, type, start, &chunk, err);
    if (code != BST_OK) return code;
    uint32_t length = bst_get_be32(head);
    chunk->whole.length = (uint64_t)length + 12;
    chunk->data = (struct bst_range){start + 8, length};
    if (length > INT32_MAX || chunk->whole.length > scan->out->size - start) {
        bst_fail(err, BST_UNREADABLE,
                 "the chunk says it is %" PRIu32 " bytes long, but the file ends before that", length);
        bst_hint(err, "the file was cut short or altered; get a complete copy");
        return bst_scan_fail(scan, "chunk", chunk, err);
    }
    code = check_order(scan, chunk, order, err);
    if (code == BST_OK) code = check_crc(scan, chunk, head + 4, err);
    if (code == BST_OK && strcmp(type, "caBX") == 0) {
        scan->out->has_manifest = true;
        scan->out->manifest = chunk->whole;
    }
    return code;
}

enum bst_code bst_scan_png(struct scan *scan, struct bst_error *err)
{
    struct png_order order = {0};
    while (!order.iend) {
        enum bst_code code = scan_chunk(scan, &order, err);
        if (code != BST_OK) return code;
    }
    scan->out->trailing = (struct bst_range){scan->pos, scan->out->size - scan->pos};
    return BST_OK;
}
