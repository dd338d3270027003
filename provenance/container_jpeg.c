/* container_jpeg.c - walks a JPEG file marker by marker (ITU-T T.81 annex B), and finds the run of APP11
 * segments that holds a C2PA manifest store (C2PA 2.4 A.3.1, JUMBF in ISO 19566-5 annex D). */
#include "container.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Superbox header, then the description box of a C2PA manifest store up to its type. */
static const uint8_t c2pa_type[16] = {'c',  '2', 'p', 'a',  0, 0x11, 0,    0x10,
                                      0x80, 0,   0,   0xaa, 0, 0x38, 0x9b, 0x71};

struct jpeg_state {
    bool sof, sos;
    uint16_t instance; /* En of the store's segments */
    uint32_t sequence; /* Z of the last one */
};

static void marker_name(uint8_t marker, char out[static 8])
{
    static const struct {
        uint8_t marker;
        const char *name;
    } names[] = {{0xc4, "DHT"}, {0xcc, "DAC"}, {0xd9, "EOI"}, {0xda, "SOS"}, {0xdb, "DQT"}, {0xdc, "DNL"},
                 {0xdd, "DRI"}, {0xde, "DHP"}, {0xdf, "EXP"}, {0xfe, "COM"}, {0x01, "TEM"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].marker == marker) {
            snprintf(out, 8, "%s", names[i].name);
            return;
        }
    }
    if (marker >= 0xe0 && marker <= 0xef) {
        snprintf(out, 8, "APP%d", marker - 0xe0);
    } else if (marker >= 0xc0 && marker <= 0xcf) {
        snprintf(out, 8, "SOF%d", marker - 0xc0);
    } else {
        snprintf(out, 8, "FF%02X", marker);
    }
}

/* Where in the entropy-coded data a marker begins that is not a restart; len when there is none. The last byte may begin
 * one. */
static size_t find_marker(const uint8_t *data, size_t len)
{
    for (const uint8_t *p = data; (p = memchr(p, 0xff, len - (size_t)(p - data))) != NULL; p++) {
        if (p + 1 == data + len) return len - 1;
        if (p[1] != 0 && p[1] != 0xff && !(p[1] >= 0xd0 && p[1] <= 0xd7)) return (size_t)(p - data);
    }
    return len;
}

/* Skips entropy-coded data up to the next marker that is not a restart; leaves it to be read. */
static enum bst_code skip_scan_data(struct scan *scan, struct bst_error *err)
{
    uint8_t block[65536];
    size_t kept = 0;                                 /* an 0xff that the next block decides on */
    for (size_t room = 512;; room = sizeof(block)) { /* hostile files have many scans of a few bytes */
        size_t got = fread(block + kept, 1, room - kept, scan->file), len = kept + got;
        size_t at = find_marker(block, len);
        scan->pos += at;
        if (at + 1 < len) break;
        if (got == 0) {
            if (ferror(scan->file)) {
                bst_fail_errno(err, BST_FAILURE, "cannot read the file");
            } else {
                bst_fail(err, BST_UNREADABLE, "the file ends in the middle of the picture data");
                bst_hint(err, "the file was cut short; get a complete copy");
            }
            return bst_where(err, "%s: byte %" PRIu64, scan->name, scan->pos);
        }
        kept = len - at;
        block[0] = 0xff;
    }
    if (fseeko(scan->file, (off_t)scan->pos, SEEK_SET) == 0) return BST_OK;
    return bst_fail_errno(err, BST_FAILURE, "cannot read the file");
}

/* An APP11 segment: does it begin or continue the manifest store? One store, in one run of segments. */
static enum bst_code take_app11(struct scan *scan, struct jpeg_state *state, struct bst_segment *segment,
                                const uint8_t *head, size_t len, struct bst_error *err)
{
    struct bst_container *out = scan->out;
    if (len < 16 || memcmp(head, "JP", 2) != 0) return BST_OK;
    uint16_t instance = bst_get_be16(head + 2);
    uint32_t sequence = bst_get_be32(head + 4);
    bool store = sequence == 1 && len >= 40 && memcmp(head + 12, "jumb", 4) == 0 &&
                 memcmp(head + 20, "jumd", 4) == 0 && memcmp(head + 24, c2pa_type, 16) == 0;
    if (store && out->has_manifest) {
        bst_fail(err, BST_BROKEN,
                 "the file carries two C2PA manifest stores (APP11), so neither can be believed");
    } else if (store) {
        out->has_manifest = true;
        out->manifest = segment->whole;
        state->instance = instance;
        state->sequence = 1;
        return BST_OK;
    } else if (!out->has_manifest || instance != state->instance) {
        return BST_OK; /* another JUMBF application */
    } else if (segment->whole.start != out->manifest.start + out->manifest.length) {
        bst_fail(err, BST_BROKEN, "the APP11 segments of the C2PA manifest store are not consecutive");
    } else if (sequence != state->sequence + 1) {
        bst_fail(err, BST_BROKEN,
                 "APP11 segment number %" PRIu32 " of the C2PA manifest store follows number %" PRIu32,
                 sequence, state->sequence);
    } else {
        state->sequence = sequence;
        out->manifest.length += segment->whole.length;
        return BST_OK;
    }
    return bst_scan_fail(scan, "segment", segment, err);
}

/* Codes of frame headers (SOFn). */
static bool is_frame(uint8_t marker)
{
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

/* The bytes behind a marker's code. */
static enum bst_code scan_body(struct scan *scan, struct jpeg_state *state, uint8_t marker,
                               struct bst_segment *segment, struct bst_error *err)
{
    uint8_t head[65536];
    enum bst_code code = bst_scan_read(scan, head, 2, "a segment", err);
    if (code != BST_OK) return code;
    uint16_t length = bst_get_be16(head);
    if (length < 2 || length - 2u > scan->out->size - scan->pos) {
        bst_fail(err, BST_UNREADABLE, "a segment length of %u cannot be right here", length);
        return bst_scan_fail(scan, "segment", segment, err);
    }
    segment->data = (struct bst_range){scan->pos, length - 2u};
    code = bst_scan_read(scan, head, length - 2u, "a segment", err);
    segment->whole.length = scan->pos - segment->whole.start;
    if (code == BST_OK && is_frame(marker) && length >= 2 + 5) { /* precision, height, width, ... */
        scan->out->height = bst_get_be16(head + 1);
        scan->out->width = bst_get_be16(head + 3);
    }
    if (code == BST_OK && marker == 0xeb) code = take_app11(scan, state, segment, head, length - 2u, err);
    if (code == BST_OK && marker == 0xda) {
        code = skip_scan_data(scan, err);
        segment->whole.length = scan->pos - segment->whole.start;
    }
    return code;
}

static enum bst_code scan_marker(struct scan *scan, struct jpeg_state *state, uint8_t *marker,
                                 struct bst_error *err)
{
    uint8_t byte;
    char name[8];
    struct bst_segment *segment;
    uint64_t start = scan->pos;
    enum bst_code code = bst_scan_read(scan, &byte, 1, "the picture (no EOI marker)", err);
    if (code != BST_OK) return code;
    if (byte != 0xff) {
        bst_fail(err, BST_UNREADABLE, "no marker where one must stand");
        return bst_where(err, "%s: byte %" PRIu64, scan->name, start);
    }
    for (int fill; (fill = getc_unlocked(scan->file)) != EOF;
         scan->pos++) { /* any number of bytes may fill up */
        if (fill == 0xff) continue;
        ungetc(fill, scan->file);
        break;
    }
    code = bst_scan_read(scan, marker, 1, "a marker", err);
    if (code != BST_OK) return code;
    marker_name(*marker, name);
    code = bst_scan_add(scan, name, start, &segment, err);
    if (code != BST_OK) return code;
    segment->whole.length = scan->pos - start;
    segment->data.start = scan->pos;
    if (*marker == 0xd9) {
        if (state->sof && state->sos) return BST_OK;
        bst_fail(err, BST_UNREADABLE, "the file ends (EOI) before any picture data");
        return bst_scan_fail(scan, "segment", segment, err);
    }
    if (*marker == 0x01) return BST_OK;
    if (*marker < 0xc0 || (*marker >= 0xd0 && *marker <= 0xd8)) {
        bst_fail(err, BST_UNREADABLE, "a marker that cannot stand here");
        return bst_scan_fail(scan, "segment", segment, err);
    }
    if (is_frame(*marker)) state->sof = true;
    if (*marker == 0xda) state->sos = true;
    return scan_body(scan, state, *marker, segment, err);
}

enum bst_code bst_scan_jpeg(struct scan *scan, struct bst_error *err)
{
    struct jpeg_state state = {0};
    uint8_t marker = 0;
    while (marker != 0xd9) {
        enum bst_code code = scan_marker(scan, &state, &marker, err);
        if (code != BST_OK) return code;
    }
    scan->out->trailing = (struct bst_range){scan->pos, scan->out->size - scan->pos};
    return BST_OK;
}
