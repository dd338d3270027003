/* container_tiff.c - walks the pages of a TIFF, BigTIFF or DNG file: image file directories (IFD) that point at one
 * another (TIFF 6.0, section 2; DNG 1.7). A C2PA manifest store is the value of tag 0xcd41 of the last page, or as older
 * writers had it of the first (C2PA 2.4 A.3.4). Pixels and the directories below a page's are not looked at. */
#include "container.h"

#include <inttypes.h>
#include <string.h>

#define PAGES_MAX      2000
#define ENTRIES_MAX    (1u << 20) /* in all directories together */
#define TAG_XMP        0x02bc
#define TAG_C2PA       0xcd41
#define TYPE_BYTE      1
#define TYPE_UNDEFINED 7

struct tiff {
    bool little, big; /* byte order; BigTIFF: counts and offsets of 64 bits */
    size_t entries;
    size_t pages;
    uint64_t page[PAGES_MAX]; /* where each begins */
    bool has_store;           /* of the first page, and then of the last */
    struct bst_range store;
};

static uint64_t number(const struct tiff *tiff, const uint8_t *p, size_t len)
{
    return bst_get_number(p, len, !tiff->little);
}

static enum bst_code fail_at(const struct scan *scan, uint64_t at, struct bst_error *err)
{
    return bst_where(err, "%s: page directory at byte %" PRIu64, scan->name, at);
}

static enum bst_code seek(struct scan *scan, uint64_t to, struct bst_error *err)
{
    if (to >= scan->out->size) {
        bst_fail(err, BST_UNREADABLE, "a page directory lies behind the end of the file");
        bst_hint(err, "the file was cut short or altered; get a complete copy");
        return fail_at(scan, to, err);
    }
    scan->pos = to;
    if (fseeko(scan->file, (off_t)to, SEEK_SET) == 0) return BST_OK;
    bst_fail_errno(err, BST_FAILURE, "cannot read the file");
    return bst_where(err, "%s", scan->name);
}

/* The place of a tag's value, which must be bytes elsewhere in the file. */
static enum bst_code value_range(struct scan *scan, const struct tiff *tiff, const uint8_t *entry,
                                 struct bst_range *out, struct bst_error *err)
{
    size_t width = tiff->big ? 8 : 4;
    out->length = number(tiff, entry + 4, width);
    out->start = number(tiff, entry + 4 + width, width);
    if (out->length > width && out->start <= scan->out->size && out->length <= scan->out->size - out->start)
        return BST_OK;
    bst_fail(err, BST_UNREADABLE, "%" PRIu64 " bytes of metadata at byte %" PRIu64 " cannot be right",
             out->length, out->start);
    return bst_where(err, "%s", scan->name);
}

/* What is known of one tag in the directory that begins at start. */
static enum bst_code take_entry(struct scan *scan, struct tiff *tiff, const uint8_t *entry, uint64_t start,
                                struct bst_error *err)
{
    uint64_t tag = number(tiff, entry, 2), type = number(tiff, entry + 2, 2);
    struct bst_segment *segment;
    struct bst_range range;
    enum bst_code code;
    if (tag == TAG_XMP && tiff->pages == 1 && (type == TYPE_BYTE || type == TYPE_UNDEFINED)) {
        code = value_range(scan, tiff, entry, &range, err);
        if (code == BST_OK) code = bst_scan_add(scan, "XMP", range.start, &segment, err);
        if (code == BST_OK) segment->whole = segment->data = range;
        return code;
    }
    if (tag != TAG_C2PA) return BST_OK;
    if (type != TYPE_UNDEFINED) {
        bst_fail(err, BST_BROKEN,
                 "the tag of the C2PA manifest store is of type %" PRIu64 ", not bytes (UNDEFINED)", type);
        return fail_at(scan, start, err);
    }
    tiff->has_store = number(tiff, entry + 4, tiff->big ? 8 : 4) > 0;
    return tiff->has_store ? value_range(scan, tiff, entry, &tiff->store, err) : BST_OK;
}

/* *next is where the next page's directory begins; 0 when there is none. */
static enum bst_code scan_page(struct scan *scan, struct tiff *tiff, uint64_t start, uint64_t *next,
                               struct bst_error *err)
{
    uint8_t bytes[20];
    size_t count_size = tiff->big ? 8 : 2, entry_size = tiff->big ? 20 : 12, offset_size = tiff->big ? 8 : 4;
    struct bst_segment *segment;
    enum bst_code code = seek(scan, start, err);
    if (code == BST_OK) code = bst_scan_read(scan, bytes, count_size, "a page directory", err);
    if (code != BST_OK) return code;
    uint64_t count = number(tiff, bytes, count_size);
    if (count > ENTRIES_MAX - tiff->entries) {
        bst_fail(err, BST_UNREADABLE, "the page directories have more than %u entries", ENTRIES_MAX);
        return fail_at(scan, start, err);
    }
    tiff->entries += (size_t)count;
    for (uint64_t i = 0; i < count && code == BST_OK; i++) {
        code = bst_scan_read(scan, bytes, entry_size, "a page directory", err);
        if (code == BST_OK) code = take_entry(scan, tiff, bytes, start, err);
    }
    if (code == BST_OK) code = bst_scan_read(scan, bytes, offset_size, "a page directory", err);
    if (code != BST_OK) return code;
    *next = number(tiff, bytes, offset_size);
    code = bst_scan_add(scan, "IFD", start, &segment, err);
    if (code != BST_OK) return code;
    segment->whole.length = count_size + count * entry_size + offset_size;
    segment->data = (struct bst_range){start + count_size, count * entry_size};
    return BST_OK;
}

/* Byte order, 42 or 43, and where the first page's directory begins. */
static enum bst_code scan_head(struct scan *scan, struct tiff *tiff, uint64_t *first, struct bst_error *err)
{
    uint8_t head[16];
    enum bst_code code = bst_scan_read(scan, head, 8, "its header", err);
    if (code != BST_OK) return code;
    tiff->little = head[0] == 'I';
    tiff->big = number(tiff, head + 2, 2) == 43;
    *first = number(tiff, head + 4, 4);
    if (!tiff->big) return BST_OK;
    if (number(tiff, head + 4, 2) != 8 || number(tiff, head + 6, 2) != 0) {
        bst_fail(err, BST_UNREADABLE, "a BigTIFF file whose offsets are not of 64 bits");
        return bst_where(err, "%s", scan->name);
    }
    code = bst_scan_read(scan, head, 8, "its header", err);
    *first = number(tiff, head, 8);
    return code;
}

enum bst_code bst_scan_tiff(struct scan *scan, struct bst_error *err)
{
    struct tiff tiff = {0};
    uint64_t next = 0;
    enum bst_code code = scan_head(scan, &tiff, &next, err);
    if (code == BST_OK && next == 0) {
        bst_fail(err, BST_UNREADABLE, "a TIFF file without a page");
        code = bst_where(err, "%s", scan->name);
    }
    bool of_first = false;
    struct bst_range first = {0};
    while (code == BST_OK && next != 0) {
        bool seen = tiff.pages == PAGES_MAX;
        for (size_t i = 0; i < tiff.pages && !seen; i++) {
            seen = tiff.page[i] == next;
        }
        if (seen) {
            bst_fail(err, BST_UNREADABLE, "the pages go round in a circle, or there are more than %d",
                     PAGES_MAX);
            return fail_at(scan, next, err);
        }
        tiff.page[tiff.pages++] = next;
        tiff.has_store = false;
        code = scan_page(scan, &tiff, next, &next, err);
        if (tiff.pages == 1 && tiff.has_store) {
            of_first = true;
            first = tiff.store;
        }
    }
    scan->out->has_manifest = tiff.has_store || of_first;
    scan->out->manifest = tiff.has_store ? tiff.store : first;
    return code;
}
