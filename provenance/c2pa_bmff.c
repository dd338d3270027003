/* c2pa_bmff.c - the binding c2pa.hash.bmff of AVIF and HEIF files: a digest of the file but for boxes that the signer
 * left out, which he names by their path (C2PA 2.4, 15.12.2 and 18.6). From version 2 on the place of each box at the top
 * of the file is digested in front of it. What a box "mdat" holds may be bound by a tree instead (c2pa_bmff_tree.c). */
#include "c2pa_bmff.h"

#include <stdlib.h>
#include <string.h>

#define EXCLUSIONS_MAX 128
#define RANGES_MAX     (1u << 18)
#define LOOKS_MAX      (1u << 16) /* into the file, for what an exclusion wants to find there */

static const char mismatch[] = "assertion.bmffHash.mismatch", malformed[] = "assertion.bmffHash.malformed";

/* What is gathered of the file while exclusions are read. */
struct left_out {
    const struct bst_judge *judge;
    size_t count, cap, looks;
    struct bst_range *range;
    bool *whole; /* for each box: nothing of it counts, not even its place */
    const char *problem;
    bool failed_memory;
};

/* ---- the assertion's form ---- */

/* Absent, or of the type. */
static bool is_number(cbor_item_t *item, uint64_t most)
{
    uint64_t value;
    return item == NULL || (bst_cbor_get_uint(item, &value) && value <= most);
}

static bool has_good_subset(cbor_item_t *subset)
{
    uint64_t end = 0;
    if (subset == NULL) return true;
    if (!cbor_isa_array(subset)) return false;
    for (size_t i = 0; i < cbor_array_size(subset); i++) {
        uint64_t start, length;
        cbor_item_t *item = cbor_array_handle(subset)[i];
        if (!bst_cbor_get_uint(bst_cbor_get(item, "offset"), &start) ||
            !bst_cbor_get_uint(bst_cbor_get(item, "length"), &length) || start < end ||
            (i + 1 < cbor_array_size(subset) && length > UINT64_MAX - start))
            return false;
        end = start + length;
    }
    return true;
}

static bool has_good_data(cbor_item_t *data)
{
    const uint8_t *value;
    size_t len;
    if (data == NULL) return true;
    if (!cbor_isa_array(data)) return false;
    for (size_t i = 0; i < cbor_array_size(data); i++) {
        cbor_item_t *item = cbor_array_handle(data)[i], *offset = bst_cbor_get(item, "offset");
        if (offset == NULL || !is_number(offset, UINT64_MAX) ||
            !bst_cbor_get_bytes(bst_cbor_get(item, "value"), &value, &len))
            return false;
    }
    return true;
}

static bool is_good_exclusion(cbor_item_t *item)
{
    const char *text;
    const uint8_t *bytes;
    size_t len;
    cbor_item_t *flags = bst_cbor_optional(item, "flags"), *exact = bst_cbor_optional(item, "exact");
    return bst_cbor_get_text(bst_cbor_get(item, "xpath"), &text, &len) &&
           is_number(bst_cbor_optional(item, "length"), UINT64_MAX) &&
           is_number(bst_cbor_optional(item, "version"), 255) &&
           (flags == NULL || bst_cbor_get_bytes(flags, &bytes, &len)) &&
           (exact == NULL || bst_cbor_is_bool(exact)) && has_good_data(bst_cbor_optional(item, "data")) &&
           has_good_subset(bst_cbor_optional(item, "subset"));
}

static const char *form_problem(cbor_item_t *content)
{
    const uint8_t *bytes;
    size_t len;
    cbor_item_t *list = bst_cbor_get(content, "exclusions"), *hash = bst_cbor_optional(content, "hash");
    if (bst_cbor_count(list) == 0) return "a binding that leaves nothing out, not even itself";
    if (cbor_array_size(list) > EXCLUSIONS_MAX) return "more exclusions than this version reads";
    for (size_t i = 0; i < cbor_array_size(list); i++) {
        if (!is_good_exclusion(cbor_array_handle(list)[i])) return "an exclusion that is malformed";
    }
    if (hash != NULL && !bst_cbor_get_bytes(hash, &bytes, &len)) return "a digest that is none";
    if (hash == NULL && bst_cbor_count(bst_cbor_get(content, "merkle")) == 0)
        return "neither a digest nor a tree";
    return NULL;
}

/* Of the boxes that hold no picture: C2PA's own, the file's type, and where fragments of a film are found. */
static bool is_usual(cbor_item_t *item)
{
    const uint8_t *value;
    size_t len;
    uint64_t offset;
    cbor_item_t *xpath = bst_cbor_get(item, "xpath"), *data = bst_cbor_get(item, "data");
    if (!bst_cbor_is(xpath, "/uuid")) return bst_cbor_is(xpath, "/ftyp") || bst_cbor_is(xpath, "/mfra");
    if (bst_cbor_count(data) != 1) return false;
    cbor_item_t *only = cbor_array_handle(data)[0];
    return bst_cbor_get_uint(bst_cbor_get(only, "offset"), &offset) && offset == 8 &&
           bst_cbor_get_bytes(bst_cbor_get(only, "value"), &value, &len) && len == BST_C2PA_UUID_LEN &&
           memcmp(value, bst_c2pa_uuid, len) == 0;
}

/* ---- paths ---- */

/* "/moov/trak[2]/mdia": an index counts among all boxes that the path leads to up to there. */
struct xpath {
    unsigned count;
    struct {
        char type[5];
        uint64_t index; /* from 1; 0: any */
    } part[BST_BMFF_DEPTH];
};

/* False when it can lead to no box. */
static bool read_xpath(cbor_item_t *item, struct xpath *out)
{
    const char *text;
    size_t len;
    *out = (struct xpath){0};
    if (!bst_cbor_get_text(item, &text, &len)) return false;
    while (len > 0 && *text == '/') {
        text++;
        len--;
    }
    for (;;) {
        if (len < 4 || out->count == BST_BMFF_DEPTH) return false;
        memcpy(out->part[out->count].type, text, 4);
        text += 4;
        len -= 4;
        if (len > 0 && *text == '[') {
            uint64_t index = 0;
            for (text++, len--; len > 0 && *text >= '0' && *text <= '9' && index < UINT32_MAX;
                 text++, len--) {
                index = index * 10 + (uint64_t)(*text - '0');
            }
            if (len == 0 || *text != ']' || index == 0) return false;
            out->part[out->count].index = index;
            text++;
            len--;
        }
        out->count++;
        if (len == 0) return true;
        if (*text != '/') return false;
        text++;
        len--;
    }
}

/* ---- what is left out ---- */

static void leave_out(struct left_out *out, uint64_t start, uint64_t length)
{
    if (length == 0) return;
    if (out->count == RANGES_MAX) {
        out->problem = "it leaves out more parts than this version reads";
        return;
    }
    if (out->count == out->cap) {
        size_t cap = out->cap == 0 ? 64 : out->cap * 2;
        struct bst_range *grown = realloc(out->range, cap * sizeof(*grown));
        out->failed_memory = out->failed_memory || grown == NULL;
        if (grown == NULL) return;
        out->range = grown;
        out->cap = cap;
    }
    out->range[out->count++] = (struct bst_range){start, length};
}

/* Bytes of the file, as far as it is that long. */
static bool look(struct left_out *out, uint64_t start, size_t len, struct bst_buf *bytes)
{
    struct bst_error err;
    const struct bst_container *container = out->judge->container;
    const struct bst_segment segment = {.data = {start, len}};
    if (start > container->size || len > container->size - start || ++out->looks > LOOKS_MAX) {
        out->problem = "an exclusion asks for bytes that are not in the file, or for too many";
        return false;
    }
    return bst_segment_read(out->judge->path, &segment, len, bytes, &err) == BST_OK;
}

/* Version and flags: one byte and three. False when the box has none. */
static bool version_of(struct left_out *out, const struct bst_segment *box, uint8_t head[static 4])
{
    struct bst_buf bytes = {0};
    bool uuid = strcmp(box->type, "uuid") == 0, got = false;
    size_t skip = uuid ? BST_C2PA_UUID_LEN : 0;
    if ((!uuid && !bst_bmff_is_full(box->type)) || box->data.length < skip + 8) return false;
    if (!look(out, box->data.start, skip + 8, &bytes)) {
        bst_buf_free(&bytes);
        return false;
    }
    if (uuid) {
        got = memcmp(bytes.data, bst_c2pa_uuid, BST_C2PA_UUID_LEN) == 0;
    } else {
        got = strcmp(box->type, "meta") != 0 || memcmp(bytes.data + 4, "hdlr", 4) != 0;
    }
    memcpy(head, bytes.data + skip, 4);
    bst_buf_free(&bytes);
    return got;
}

static bool has_flags(const uint8_t have[static 3], cbor_item_t *item)
{
    const uint8_t *want;
    size_t len;
    cbor_item_t *exact = bst_cbor_optional(item, "exact");
    if (!bst_cbor_get_bytes(bst_cbor_get(item, "flags"), &want, &len)) return true;
    if (len != 3) return false;
    if (exact == NULL || bst_cbor_is_true(exact)) return memcmp(have, want, 3) == 0;
    return (have[0] & want[0]) == want[0] && (have[1] & want[1]) == want[1] && (have[2] & want[2]) == want[2];
}

static bool has_data(struct left_out *out, const struct bst_segment *box, cbor_item_t *list)
{
    bool same = true;
    for (size_t i = 0; i < bst_cbor_count(list) && same; i++) {
        const uint8_t *want;
        size_t len;
        uint64_t offset;
        struct bst_buf have = {0};
        cbor_item_t *item = cbor_array_handle(list)[i];
        if (!bst_cbor_get_uint(bst_cbor_get(item, "offset"), &offset) ||
            !bst_cbor_get_bytes(bst_cbor_get(item, "value"), &want, &len))
            return false;
        uint64_t start = offset > UINT64_MAX - box->whole.start ? UINT64_MAX : box->whole.start + offset;
        same = look(out, start, len, &have) && (len == 0 || memcmp(have.data, want, len) == 0);
        bst_buf_free(&have);
    }
    return same;
}

/* Is it such a box as the exclusion speaks of? */
static bool fits(struct left_out *out, const struct bst_segment *box, cbor_item_t *item)
{
    uint64_t value;
    uint8_t head[4];
    if (bst_cbor_get_uint(bst_cbor_get(item, "length"), &value) && value != box->whole.length) return false;
    bool asks = bst_cbor_optional(item, "version") != NULL || bst_cbor_optional(item, "flags") != NULL;
    if (asks && version_of(out, box, head)) {
        if (bst_cbor_get_uint(bst_cbor_get(item, "version"), &value) && value != head[0]) return false;
        if (!has_flags(head + 1, item)) return false;
    }
    return has_data(out, box, bst_cbor_get(item, "data"));
}

static void exclude_box(struct left_out *out, size_t index, cbor_item_t *item)
{
    const struct bst_segment *box = &out->judge->container->segments[index];
    cbor_item_t *subset = bst_cbor_optional(item, "subset");
    if (!fits(out, box, item)) return;
    if (subset == NULL) {
        leave_out(out, box->whole.start, box->whole.length);
        out->whole[index] = true;
        return;
    }
    for (size_t i = 0; i < cbor_array_size(subset); i++) {
        uint64_t start = 0, length = 0;
        cbor_item_t *part = cbor_array_handle(subset)[i];
        bst_cbor_get_uint(bst_cbor_get(part, "offset"), &start);
        bst_cbor_get_uint(bst_cbor_get(part, "length"), &length);
        if (start > box->whole.length) continue;
        uint64_t rest = box->whole.length - start;
        leave_out(out, box->whole.start + start, length == 0 || length > rest ? rest : length);
    }
}

/* Boxes stand in the order of the file, those inside one behind it: matched parts of the path grow with the depth. */
static void exclude(struct left_out *out, cbor_item_t *item)
{
    const struct bst_container *container = out->judge->container;
    struct xpath xpath;
    uint64_t seen[BST_BMFF_DEPTH] = {0};
    unsigned matched = 0;
    if (!read_xpath(bst_cbor_get(item, "xpath"), &xpath)) return;
    for (size_t i = 0; i < container->count && out->problem == NULL; i++) {
        const struct bst_segment *box = &container->segments[i];
        unsigned depth = box->depth;
        if (depth > matched) continue;
        matched = depth;
        if (depth == xpath.count || strcmp(box->type, xpath.part[depth].type) != 0) continue;
        if (xpath.part[depth].index != 0 && ++seen[depth] != xpath.part[depth].index) continue;
        matched = depth + 1;
        if (matched == xpath.count) exclude_box(out, i, item);
    }
}

/* ---- what is digested ---- */

static int compare_starts(const void *a, const void *b)
{
    uint64_t x = ((const struct bst_range *)a)->start, y = ((const struct bst_range *)b)->start;
    return x < y ? -1 : x > y;
}

/* What remains of the file, in place of what is left out. There is room: one more than gaps. */
static size_t remaining(struct left_out *out, struct bst_range *rest)
{
    uint64_t at = 0, size = out->judge->container->size;
    size_t count = 0;
    if (out->count > 1) qsort(out->range, out->count, sizeof(*out->range), compare_starts);
    for (size_t i = 0; i < out->count; i++) {
        uint64_t end = out->range[i].start + out->range[i].length;
        if (out->range[i].start > at) rest[count++] = (struct bst_range){at, out->range[i].start - at};
        if (end > at) at = end;
    }
    if (size > at) rest[count++] = (struct bst_range){at, size - at};
    return count;
}

/* The remaining parts, cut where a box begins whose place counts. A box of which only the beginning is left out has its
 * place digested all the same, when it lies between other parts. */
static size_t cut(const struct left_out *out, bool places, const struct bst_range *rest, size_t rest_count,
                  struct bst_piece *pieces)
{
    const struct bst_container *container = out->judge->container;
    size_t count = 0, r = 0;
    uint64_t last =
        rest_count == 0 ? container->size - 1 : rest[rest_count - 1].start + rest[rest_count - 1].length - 1;
    uint64_t first = rest_count == 0 ? 0 : rest[0].start, at = first;
    for (size_t i = 0; places && i < container->count; i++) {
        uint64_t start = container->segments[i].whole.start;
        if (container->segments[i].depth > 0 || out->whole[i]) continue;
        while (r < rest_count && rest[r].start + rest[r].length <= start) {
            pieces[count++].range = (struct bst_range){at, rest[r].start + rest[r].length - at};
            if (++r < rest_count) at = rest[r].start;
        }
        bool inside = r < rest_count && start >= rest[r].start;
        if (inside && start > at) pieces[count++].range = (struct bst_range){at, start - at};
        if (inside) at = start;
        if (inside || (start > first && start < last)) pieces[count++] = (struct bst_piece){{start, 0}, true};
    }
    for (; r < rest_count; at = ++r < rest_count ? rest[r].start : 0) {
        pieces[count++].range = (struct bst_range){at, rest[r].start + rest[r].length - at};
    }
    return count;
}

static enum bst_code digest(struct left_out *out, bool places, const char *alg, uint8_t made[static 64],
                            size_t *len, struct bst_error *err)
{
    const struct bst_container *container = out->judge->container;
    struct bst_range *rest = bst_calloc(out->count + 1, sizeof(*rest));
    struct bst_piece *pieces = bst_calloc(out->count + 1 + 2 * container->count, sizeof(*pieces));
    enum bst_code code = rest == NULL || pieces == NULL || out->failed_memory ? bst_fail_memory(err) : BST_OK;
    if (code == BST_OK) {
        size_t count = cut(out, places, rest, remaining(out, rest), pieces);
        code = bst_container_hash_pieces(out->judge->path, pieces, count, alg, made, len, err);
    }
    free(rest);
    free(pieces);
    return code;
}

/* ---- the whole ---- */

static enum bst_code compare(struct bst_judge *judge, const struct bst_assertion *assertion, const char *alg,
                             const char **problem, struct bst_error *err)
{
    cbor_item_t *content = assertion->content, *list = bst_cbor_get(content, "exclusions");
    struct left_out out = {.judge = judge};
    const uint8_t *want;
    uint8_t have[64];
    size_t want_len, have_len;
    enum bst_code code = BST_OK;
    out.whole = bst_calloc(judge->container->count + 1, sizeof(*out.whole));
    if (out.whole == NULL) return bst_fail_memory(err);
    for (size_t i = 0; i < bst_cbor_count(list) && out.problem == NULL; i++) {
        exclude(&out, cbor_array_handle(list)[i]);
    }
    *problem = out.problem;
    if (*problem == NULL && bst_cbor_get_bytes(bst_cbor_get(content, "hash"), &want, &want_len)) {
        code = digest(&out, assertion->version > 1, alg, have, &have_len, err);
        if (code == BST_OK && (have_len != want_len || memcmp(have, want, have_len) != 0))
            *problem = "the file's bytes are not those that were signed: it was altered afterwards";
    }
    free(out.range);
    free(out.whole);
    if (code == BST_OK && *problem == NULL && bst_cbor_optional(content, "merkle") != NULL)
        code = bst_judge_trees(judge, alg, bst_cbor_get(content, "merkle"), problem, err);
    return code;
}

static void say_exclusions(struct bst_judge *judge, cbor_item_t *content, const char *url)
{
    cbor_item_t *list = bst_cbor_get(content, "exclusions");
    for (size_t i = 0; i < bst_cbor_count(list); i++) {
        if (is_usual(cbor_array_handle(list)[i])) continue;
        bst_judge_say(judge, BST_STATUS_INFO, "assertion.bmffHash.additionalExclusionsPresent", url,
                      "the signer left further parts of the file unprotected");
        return;
    }
}

enum bst_code bst_judge_bmff(struct bst_judge *judge, const struct bst_claim *claim,
                             const struct bst_assertion *assertion, const char *url, struct bst_error *err)
{
    char alg[BST_ALG_LEN];
    const char *problem = form_problem(assertion->content);
    enum bst_code code = BST_OK;
    say_exclusions(judge, assertion->content, url);
    if (problem != NULL) {
        bst_judge_fail(judge, malformed, url, problem);
        return BST_OK;
    }
    bst_named_alg(bst_cbor_get(assertion->content, "alg"), claim->alg, alg);
    if (bst_cbor_optional(assertion->content, "url") != NULL) {
        problem = "the binding is to a file elsewhere";
    } else if (!bst_is_bmff(judge->container->format)) {
        problem = "a binding to boxes, of which the file has none";
    } else if (!bst_hash_known(alg)) {
        problem = "an unknown digest algorithm";
    } else {
        code = compare(judge, assertion, alg, &problem, err);
    }
    if (code != BST_OK) return code;
    if (problem != NULL) {
        bst_judge_fail(judge, mismatch, url, problem);
    } else {
        bst_judge_good(judge, "assertion.bmffHash.match", url, "the file's boxes are those that were signed");
    }
    return BST_OK;
}
