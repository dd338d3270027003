/* c2pa_boxes.c - the binding c2pa.hash.boxes: digests of the file's parts by name, in their order (C2PA 2.4, 15.12.3
 * and 18.7). The parts of a PNG are "PNGh" (the signature) and its chunks; of a JPEG its segments, the picture data
 * belonging to SOS. The manifest itself is "C2PA". */
#include "c2pa.h"
#include "container.h"

#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 65536

struct part {
    const char *name;
    struct bst_range range;
    const struct bst_segment *segment; /* NULL: the file's signature */
};
struct parts {
    size_t count, at; /* at: the next one to be named */
    struct part *part;
};

static void add_part(struct parts *parts, const char *name, uint64_t start, uint64_t length,
                     const struct bst_segment *segment)
{
    parts->part[parts->count++] = (struct part){name, {start, length}, segment};
}

static bool list_parts(const struct bst_judge *judge, struct parts *out)
{
    const struct bst_container *container = judge->container;
    bool png = container->format == BST_FORMAT_PNG, given = false;
    if ((!png && container->format != BST_FORMAT_JPEG) || container->count > PARTS_MAX) return false;
    out->part = bst_calloc(container->count + 2, sizeof(*out->part));
    if (out->part == NULL) return false;
    add_part(out, png ? "PNGh" : "SOI", 0, png ? 8 : 2, NULL);
    for (size_t i = 0; i < container->count; i++) {
        const struct bst_segment *segment = &container->segments[i];
        const struct bst_range *manifest = &container->manifest;
        bool ours = container->has_manifest && segment->whole.start >= manifest->start &&
                    segment->whole.start < manifest->start + manifest->length;
        if (ours && !given) add_part(out, "C2PA", manifest->start, manifest->length, segment);
        given = given || ours;
        if (!ours) add_part(out, segment->type, segment->whole.start, segment->whole.length, segment);
    }
    return true;
}

/* ---- what may be left out ---- */

/* Text, EXIF and XMP may change without the picture changing: the range inside the part where they stand. */
static bool metadata_range(const struct bst_judge *judge, const struct part *part, struct bst_range *out)
{
    static const char *const chunks[] = {"eXIf", "iTXt", "tEXt", "zTXt"};
    static const char exif[] = "Exif\0", xmp[] = "http://ns.adobe.com/xap/1.0/", irb[] = "Photoshop 3.0";
    bool png = judge->container->format == BST_FORMAT_PNG, fits = strcmp(part->name, "COM") == 0;
    struct bst_buf head = {0};
    struct bst_error err;
    for (size_t i = 0; png && i < 4; i++) {
        fits = fits || strcmp(part->name, chunks[i]) == 0;
    }
    bool app1 = strcmp(part->name, "APP1") == 0, app13 = strcmp(part->name, "APP13") == 0;
    if (!png && (app1 || app13) &&
        bst_segment_read(judge->path, part->segment, 65536, &head, &err) == BST_OK) {
        fits = app13 ? head.len >= sizeof(irb) && memcmp(head.data, irb, sizeof(irb)) == 0
                     : (head.len >= sizeof(exif) && memcmp(head.data, exif, sizeof(exif)) == 0) ||
                           (head.len >= sizeof(xmp) - 1 && memcmp(head.data, xmp, sizeof(xmp) - 1) == 0);
    }
    bst_buf_free(&head);
    *out = (struct bst_range){part->range.start + (png ? 8 : 4), part->range.length - (png ? 8 : 4)};
    return fits && part->range.length >= 8;
}

/* One entry of the assertion: the parts it names, and what it leaves out of them. */
struct entry {
    size_t first, count;
    cbor_item_t *map, *exclusions;
    struct bst_range *left_out; /* gaps of the digest: before, the exclusions, behind */
    size_t gaps;
    bool more; /* something of the file that is not the manifest is left out */
};

/* NULL, or a code. Reads the exclusions, whose starts count from their part's begin. */
static const char *read_exclusions(const struct bst_judge *judge, const struct parts *parts,
                                   struct entry *entry, uint64_t from)
{
    /* Whether a part holds metadata costs a look into the file: once for all its exclusions, of which there may be many. */
    const struct part *asked = NULL;
    struct bst_range allowed = {0};
    bool metadata = false;
    uint64_t end = from;
    if (entry->exclusions == NULL) return NULL;
    if (bst_cbor_count(entry->exclusions) == 0) return "assertion.boxesHash.malformed";
    for (size_t i = 0; i < cbor_array_size(entry->exclusions); i++) {
        cbor_item_t *item = cbor_array_handle(entry->exclusions)[i];
        uint64_t start, length, index = 0;
        bool indexed = bst_cbor_get(item, "boxIndex") != NULL;
        if (!bst_cbor_get_uint(bst_cbor_get(item, "start"), &start) ||
            !bst_cbor_get_uint(bst_cbor_get(item, "length"), &length) ||
            (indexed ? !bst_cbor_get_uint(bst_cbor_get(item, "boxIndex"), &index) : entry->count != 1) ||
            index >= entry->count)
            return "assertion.boxesHash.malformed";
        const struct part *part = &parts->part[entry->first + index];
        if (part != asked) metadata = metadata_range(judge, part, &allowed);
        asked = part;
        if (start > part->range.length || length > part->range.length - start || !metadata ||
            part->range.start + start < allowed.start)
            return "assertion.boxesHash.mismatch";
        start += part->range.start;
        if (start < end) return "assertion.boxesHash.malformed";
        end = start + length;
        entry->left_out[entry->gaps++] = (struct bst_range){start, length};
        entry->more = true;
    }
    return NULL;
}

/* ---- digests ---- */

static enum bst_code compare(struct bst_judge *judge, const struct bst_claim *claim,
                             const struct parts *parts, struct entry *entry, const char **problem,
                             struct bst_error *err)
{
    const struct bst_range *last = &parts->part[entry->first + entry->count - 1].range;
    uint64_t from = parts->part[entry->first].range.start, to = last->start + last->length;
    const uint8_t *want;
    uint8_t have[64];
    size_t want_len, have_len;
    char alg[BST_ALG_LEN];
    bst_named_alg(bst_cbor_get(entry->map, "alg"), claim->alg, alg);
    if (!bst_cbor_get_bytes(bst_cbor_get(entry->map, "hash"), &want, &want_len) || !bst_hash_known(alg)) {
        *problem = "assertion.boxesHash.mismatch";
        return BST_OK;
    }
    entry->left_out = bst_calloc(bst_cbor_count(entry->exclusions) + 2, sizeof(*entry->left_out));
    if (entry->left_out == NULL) return bst_fail_memory(err);
    entry->left_out[entry->gaps++] = (struct bst_range){0, from};
    *problem = read_exclusions(judge, parts, entry, from);
    entry->left_out[entry->gaps++] = (struct bst_range){to, judge->container->size - to};
    enum bst_code code = BST_OK;
    if (*problem == NULL) {
        code = bst_container_hash(judge->path, entry->left_out, entry->gaps, alg, have, &have_len, err);
        if (code == BST_OK && (have_len != want_len || memcmp(have, want, have_len) != 0))
            *problem = "assertion.boxesHash.mismatch";
    }
    free(entry->left_out);
    return code;
}

/* The names must be those of the file's parts, one after the other. */
static bool take_names(struct parts *parts, struct entry *entry)
{
    cbor_item_t *names = bst_cbor_get(entry->map, "names");
    entry->first = parts->at;
    entry->count = bst_cbor_count(names);
    if (entry->count == 0 || entry->count > parts->count - parts->at) return false;
    for (size_t i = 0; i < entry->count; i++) {
        if (!bst_cbor_is(cbor_array_handle(names)[i], parts->part[parts->at++].name)) return false;
    }
    return true;
}

static bool is_manifest(const struct parts *parts, size_t index)
{
    return strcmp(parts->part[index].name, "C2PA") == 0;
}

static bool names_manifest(cbor_item_t *map)
{
    cbor_item_t *names = bst_cbor_get(map, "names");
    return bst_cbor_count(names) == 1 && bst_cbor_is(cbor_array_handle(names)[0], "C2PA");
}

static enum bst_code judge_entry(struct bst_judge *judge, const struct bst_claim *claim, struct parts *parts,
                                 cbor_item_t *map, bool *more, const char **problem, struct bst_error *err)
{
    struct entry entry = {.map = map, .exclusions = bst_cbor_get(map, "exclusions")};
    bool skip = bst_cbor_is_true(bst_cbor_get(map, "excluded"));
    if (judge->detached && names_manifest(map)) return BST_OK; /* a store elsewhere is named all the same */
    *problem = "assertion.boxesHash.mismatch";
    if (!take_names(parts, &entry)) return BST_OK;
    for (size_t i = 0; i < entry.count; i++) {
        if (is_manifest(parts, entry.first + i) && entry.count > 1) return BST_OK;
    }
    *problem = NULL;
    if (is_manifest(parts, entry.first)) return BST_OK;
    if (skip) {
        *more = true;
        return BST_OK;
    }
    enum bst_code code = compare(judge, claim, parts, &entry, problem, err);
    *more = *more || entry.more;
    return code;
}

static enum bst_code judge_entries(struct bst_judge *judge, const struct bst_claim *claim,
                                   struct parts *parts, cbor_item_t *boxes, bool *more, const char **problem,
                                   struct bst_error *err)
{
    enum bst_code code = BST_OK;
    *problem = "assertion.boxesHash.mismatch";
    if (bst_cbor_count(boxes) == 0) return BST_OK;
    /* the signature of a PNG need not be named */
    cbor_item_t *names = bst_cbor_get(cbor_array_handle(boxes)[0], "names");
    if (judge->container->format == BST_FORMAT_PNG && bst_cbor_count(names) > 0 &&
        !bst_cbor_is(cbor_array_handle(names)[0], "PNGh"))
        parts->at = 1;
    *problem = NULL;
    for (size_t i = 0; i < cbor_array_size(boxes) && code == BST_OK && *problem == NULL; i++) {
        code = judge_entry(judge, claim, parts, cbor_array_handle(boxes)[i], more, problem, err);
    }
    /* what no entry names, nobody signed */
    if (code == BST_OK && *problem == NULL && parts->at < parts->count)
        *problem = "assertion.boxesHash.mismatch";
    return code;
}

enum bst_code bst_judge_boxes(struct bst_judge *judge, const struct bst_claim *claim,
                              const struct bst_assertion *assertion, const char *url, struct bst_error *err)
{
    struct parts parts = {0};
    const char *problem = NULL;
    bool more = judge->container->trailing.length > 0;
    enum bst_code code = BST_OK;
    if (!list_parts(judge, &parts)) {
        problem = "assertion.boxesHash.mismatch";
    } else {
        code = judge_entries(judge, claim, &parts, bst_cbor_get(assertion->content, "boxes"), &more, &problem,
                             err);
    }
    free(parts.part);
    if (code != BST_OK) return code;
    if (problem != NULL) {
        bst_judge_fail(judge, problem, url, "the file's parts are not those that were signed");
        return BST_OK;
    }
    if (more)
        bst_judge_say(judge, BST_STATUS_INFO, "assertion.boxesHash.additionalExclusionsPresent", url,
                      "the signer left further parts of the file unprotected");
    bst_judge_good(judge, "assertion.boxesHash.match", url, "the file's parts are those that were signed");
    return BST_OK;
}
