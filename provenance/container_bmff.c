/* container_bmff.c - walks an AVIF or HEIF file box by box (ISO/IEC 14496-12, 4.2: a length, four letters, content), and
 * into those boxes that hold boxes. A C2PA manifest store stands in a box "uuid" (C2PA 2.4 A.5), and that of an update
 * may stand in a second one. What the pixels are is not looked at. */
#include "container_bmff.h"

#include <inttypes.h>
#include <string.h>

const uint8_t bst_c2pa_uuid[BST_C2PA_UUID_LEN] = {0xd8, 0xfe, 0xc3, 0xd6, 0x1b, 0x0e, 0x48, 0x3c,
                                                  0x92, 0x97, 0x58, 0x28, 0x87, 0x7e, 0xc4, 0x81};

/* Four letters each, with a space between. */
static bool is_one_of(const char *type, const char *list)
{
    for (;; list += 5) {
        if (memcmp(list, type, 4) == 0) return true;
        if (list[4] == 0) return false;
    }
}

/* The boxes that the reference implementation looks into: exclusions of a binding name no others' children. */
static bool holds_boxes(const char *type)
{
    return is_one_of(type, "moov trak mdia minf stbl moof traf edts udta dinf tref treg mvex mfra meta schi");
}

bool bst_bmff_is_full(const char *type)
{
    return is_one_of(type,
                     "pdin mvhd tkhd mdhd hdlr nmhd elng stsd stdp stts ctts cslg stss stsh elst dref stsz "
                     "stz2 stsc stco co64 padb subs saiz saio mehd trex mfhd tfhd trun tfra mfro tfdt leva "
                     "trep assp sbgp sgpd csgp cprt tsel kind meta xml  bxml iloc pitm ipro infe iinf iref "
                     "ipma schm fiin fpar fecr gitn fire stri stsg stvi csch sidx ssix prft srpp vmhd smhd "
                     "srat chnl dmix txtC mime uri  uriI hmhd sthd vvhd medc");
}

struct bmff {
    bool c2pa; /* something of C2PA's is there */
    bool manifest, original, update;
    unsigned depth;               /* of boxes that hold the next one */
    uint64_t end[BST_BMFF_DEPTH]; /* of each of them; of the file first */
};

/* ---- what is C2PA's ---- */

static enum bst_code take_uuid(struct scan *scan, struct bmff *bmff, const struct bst_segment *box,
                               struct bst_error *err)
{
    static const char *const purposes[] = {"manifest", "original", "update"};
    bool *const found[] = {&bmff->manifest, &bmff->original, &bmff->update};
    uint8_t head[BST_C2PA_PURPOSE + sizeof("original")] = {0};
    size_t want = box->data.length < sizeof(head) ? (size_t)box->data.length : sizeof(head);
    enum bst_code code = bst_scan_read(scan, head, want, "a box", err);
    if (code != BST_OK || want < sizeof(bst_c2pa_uuid) ||
        memcmp(head, bst_c2pa_uuid, sizeof(bst_c2pa_uuid)) != 0)
        return code;
    bmff->c2pa = true;
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(purposes[i]) + 1;
        if (want < BST_C2PA_PURPOSE + len || memcmp(head + BST_C2PA_PURPOSE, purposes[i], len) != 0) continue;
        if (box->data.length < BST_C2PA_PURPOSE + len + 8) {
            bst_fail(err, BST_BROKEN, "the box of the C2PA manifest store ends before the store begins");
            return bst_scan_fail(scan, "box", box, err);
        }
        if (*found[i] || (i < 2 && (bmff->manifest || bmff->original))) {
            bst_fail(err, BST_BROKEN,
                     "the file carries two C2PA manifest stores (boxes uuid), so neither can be believed");
            return bst_scan_fail(scan, "box", box, err);
        }
        *found[i] = true;
        if (i == 2) {
            scan->out->update = box->whole;
        } else {
            scan->out->manifest = box->whole;
        }
    }
    return BST_OK;
}

static enum bst_code conclude(struct scan *scan, const struct bmff *bmff, struct bst_error *err)
{
    const char *problem = NULL;
    if (bmff->original != bmff->update)
        problem = bmff->update ? "an update of the C2PA manifest store stands there without what it updates"
                               : "the update of the C2PA manifest store is missing";
    if (bmff->c2pa && !bmff->manifest && !bmff->original && !bmff->update)
        problem = "a box of C2PA's is there, but none that holds a manifest store";
    scan->out->has_manifest = bmff->manifest || bmff->original;
    if (problem == NULL) return BST_OK;
    bst_fail(err, BST_BROKEN, "%s", problem);
    return bst_where(err, "%s", scan->name);
}

/* ---- boxes ---- */

static enum bst_code seek(struct scan *scan, uint64_t to, struct bst_error *err)
{
    scan->pos = to;
    if (fseeko(scan->file, (off_t)to, SEEK_SET) == 0) return BST_OK;
    bst_fail_errno(err, BST_FAILURE, "cannot read the file");
    return bst_where(err, "%s", scan->name);
}

/* Reads the head of the box at the scan's place, of which room bytes belong to what holds it. */
static enum bst_code read_head(struct scan *scan, uint64_t room, unsigned depth, struct bst_segment **out,
                               struct bst_error *err)
{
    uint8_t head[16];
    char type[5] = {0};
    uint64_t start = scan->pos, size, used = 8;
    enum bst_code code = bst_scan_read(scan, head, 8, "a box header", err);
    if (code != BST_OK) return code;
    for (int i = 0; i < 4; i++) {
        type[i] = head[4 + i] >= 0x20 && head[4 + i] < 0x7f ? (char)head[4 + i] : '?';
    }
    size = bst_get_be32(head);
    if (size == 1) {
        code = bst_scan_read(scan, head + 8, 8, "a box header", err);
        if (code != BST_OK) return code;
        used = 16;
        size = bst_get_be64(head + 8);
    } else if (size == 0) {
        size = scan->out->size - start;
    }
    code = bst_scan_add(scan, type, start, out, err);
    if (code != BST_OK) return code;
    if (size > room && strcmp(type, "mdat") == 0) size = room; /* as the reference implementation takes it */
    if (size < used || size > room) {
        bst_fail(err, BST_UNREADABLE, "the box says it is %" PRIu64 " bytes long, which cannot be right here",
                 size);
        bst_hint(err, "the file was cut short or altered; get a complete copy");
        return bst_scan_fail(scan, "box", *out, err);
    }
    (*out)->depth = depth;
    (*out)->whole.length = size;
    (*out)->data = (struct bst_range){start + used, size - used};
    return BST_OK;
}

/* Makes the scan go on inside the box. Version and flags stand in front of the boxes in "meta", but not in files of
 * Apple's. */
static enum bst_code descend(struct scan *scan, struct bmff *bmff, const struct bst_segment *box,
                             struct bst_error *err)
{
    uint8_t peek[8] = {0};
    uint64_t start = box->data.start, end = start + box->data.length;
    enum bst_code code = BST_OK;
    if (bmff->depth + 1 == BST_BMFF_DEPTH) {
        bst_fail(err, BST_UNREADABLE, "boxes nested too deep");
        return bst_scan_fail(scan, "box", box, err);
    }
    if (strcmp(box->type, "meta") == 0) {
        if (box->data.length >= sizeof(peek)) code = bst_scan_read(scan, peek, sizeof(peek), "a box", err);
        if (memcmp(peek + 4, "hdlr", 4) != 0) start += 4;
    }
    if (start > end) {
        bst_fail(err, BST_UNREADABLE, "the box ends before its version and flags do");
        return bst_scan_fail(scan, "box", box, err);
    }
    if (code == BST_OK) code = seek(scan, start, err);
    bmff->end[++bmff->depth] = end;
    return code;
}

static enum bst_code scan_box(struct scan *scan, struct bmff *bmff, struct bst_error *err)
{
    struct bst_segment *box;
    uint64_t room = bmff->end[bmff->depth] - scan->pos;
    if (scan->out->count == BST_BMFF_BOXES || room < 8) {
        bst_fail(err, BST_UNREADABLE, room < 8 ? "bytes that are no box" : "more boxes than a picture needs");
        return bst_where(err, "%s: byte %" PRIu64, scan->name, scan->pos);
    }
    enum bst_code code = read_head(scan, room, bmff->depth, &box, err);
    if (code != BST_OK) return code;
    if (holds_boxes(box->type)) return descend(scan, bmff, box, err);
    const struct bst_range whole = box->whole;
    if (bmff->depth == 0 && strcmp(box->type, "uuid") == 0) code = take_uuid(scan, bmff, box, err);
    return code == BST_OK ? seek(scan, whole.start + whole.length, err) : code;
}

enum bst_code bst_scan_bmff(struct scan *scan, struct bst_error *err)
{
    struct bmff bmff = {.end = {scan->out->size}};
    enum bst_code code = BST_OK;
    while (code == BST_OK) {
        while (bmff.depth > 0 && scan->pos == bmff.end[bmff.depth]) {
            bmff.depth--;
        }
        /* fewer bytes than a box needs may stand behind the last one */
        if (bmff.depth == 0 && scan->out->size - scan->pos < 8) break;
        code = scan_box(scan, &bmff, err);
    }
    scan->out->trailing = (struct bst_range){scan->pos, scan->out->size - scan->pos};
    return code == BST_OK ? conclude(scan, &bmff, err) : code;
}

/* ---- the manifest store ---- */

/* Zeros may stand behind the store in its box. */
static void trim(struct bst_buf *store)
{
    size_t len = store->len < 8 ? store->len : bst_get_be32(store->data);
    for (size_t i = len; i < store->len; i++) {
        if (store->data[i] != 0) return;
    }
    if (len < store->len) store->len = len;
}

/* The store in a box that take_uuid() found good. */
static enum bst_code read_store(const char *path, const struct bst_container *container,
                                struct bst_range whole, const char *purpose, struct bst_buf *out,
                                struct bst_error *err)
{
    for (size_t i = 0; i < container->count; i++) {
        struct bst_segment box = container->segments[i];
        if (box.whole.start != whole.start) continue;
        uint64_t skip = BST_C2PA_PURPOSE + strlen(purpose) + 1 + 8;
        box.data = (struct bst_range){box.data.start + skip, box.data.length - skip};
        enum bst_code code = bst_segment_read(path, &box, BST_MANIFEST_MAX, out, err);
        if (code == BST_OK) trim(out);
        return code;
    }
    return BST_OK;
}

/* Puts the manifests of the update behind those of the store: boxes in a superbox with a description in front. */
static enum bst_code join(struct bst_buf *store, const struct bst_buf *update, struct bst_error *err)
{
    bool whole = store->len >= 16 && update->len >= 16 && bst_get_be32(store->data) == store->len &&
                 bst_get_be32(update->data) == update->len &&
                 bst_get_be32(update->data + 8) <= update->len - 8;
    if (!whole)
        return bst_fail(err, BST_BROKEN, "the C2PA manifest store and its update are not one box each");
    size_t skip = 8 + (size_t)bst_get_be32(update->data + 8);
    bst_buf_append(store, update->data + skip, update->len - skip);
    if (store->failed) return bst_fail_memory(err);
    bst_set_number(store->data, store->len, 4, true);
    return BST_OK;
}

enum bst_code bst_bmff_manifest(const char *path, const struct bst_container *container, struct bst_buf *out,
                                struct bst_error *err)
{
    struct bst_buf update = {0};
    enum bst_code code = read_store(path, container, container->manifest, "manifest", out, err);
    if (code != BST_OK || container->update.length == 0) return code;
    code = read_store(path, container, container->update, "update", &update, err);
    if (code == BST_OK && join(out, &update, err) != BST_OK) code = bst_where(err, "%s", path);
    bst_buf_free(&update);
    return code;
}
