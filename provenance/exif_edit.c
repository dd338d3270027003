/* exif_edit.c - the choice against training (Exif 3.1, LearningOptOutIn) put into EXIF that is there already. Nothing moves:
 * a directory that grows is written anew behind everything else, and what pointed at it points there. So values that a maker
 * keeps at places of his own stay right; the old directory's bytes remain, and nothing leads to them. */
#include "metadata.h"

#include <string.h>

#define TAG_EXIF_IFD  0x8769
#define TAG_OPT_OUT   0x9287
#define TYPE_SHORT    3
#define TYPE_LONG     4
#define TYPE_RATIONAL 5
#define TYPE_BYTES    7 /* "undefined" */
#define ENTRY         12

/* TIFF data: a copy, which grows. */
struct tiff {
    struct bst_buf *buf;
    size_t begin; /* of the data in buf */
    bool big;     /* byte order */
};

/* A directory: count, then entries of 12 bytes (tag, type, number of values, value or where it is), then the next one. */
struct directory {
    size_t at, count;
};

static uint8_t *bytes(const struct tiff *tiff, size_t at)
{
    return tiff->buf->data + tiff->begin + at;
}

static size_t length(const struct tiff *tiff)
{
    return tiff->buf->len - tiff->begin;
}

static uint16_t get16(const struct tiff *tiff, size_t at)
{
    return (uint16_t)bst_get_number(bytes(tiff, at), 2, tiff->big);
}

static uint32_t get32(const struct tiff *tiff, size_t at)
{
    return (uint32_t)bst_get_number(bytes(tiff, at), 4, tiff->big);
}

static void put16(struct tiff *tiff, uint16_t value)
{
    bst_buf_number(tiff->buf, value, 2, tiff->big);
}

static void put32(struct tiff *tiff, uint32_t value)
{
    bst_buf_number(tiff->buf, value, 4, tiff->big);
}

static void set32(struct tiff *tiff, size_t at, uint32_t value)
{
    bst_set_number(bytes(tiff, at), value, 4, tiff->big);
}

static void put_entry(struct tiff *tiff, uint16_t tag, uint16_t type, uint32_t count, uint32_t value)
{
    put16(tiff, tag);
    put16(tiff, type);
    put32(tiff, count);
    put32(tiff, value);
}

static bool find_directory(const struct tiff *tiff, size_t at, struct directory *out)
{
    if (at < 8 || at > length(tiff) || length(tiff) - at < 6) return false;
    *out = (struct directory){at, get16(tiff, at)};
    return out->count <= (length(tiff) - at - 6) / ENTRY;
}

/* Where the entry begins; 0 when there is none. */
static size_t find_entry(const struct tiff *tiff, const struct directory *directory, uint16_t tag)
{
    for (size_t i = 0; i < directory->count; i++) {
        size_t at = directory->at + 2 + i * ENTRY;
        if (get16(tiff, at) == tag) return at;
    }
    return 0;
}

/* Makes the end an even place where exiftool has met no box of ours. */
static size_t align(struct tiff *tiff)
{
    while (!tiff->buf->failed && (length(tiff) % 2 == 1 || bst_exif_box_begins_at(length(tiff))))
        bst_buf_byte(tiff->buf, 0);
    return length(tiff);
}

/* What add_directory() puts in. */
struct entry {
    uint16_t tag, type;
    uint32_t count, value; /* in the file's byte order when it is put in */
};

/* A copy of the directory behind everything, in the order of tags, with the entries that are not there yet, which are in
 * that order too. directory NULL: of these alone. Returns its place. */
static size_t add_directory(struct tiff *tiff, const struct directory *directory, const struct entry *more,
                            size_t more_count)
{
    size_t count = directory == NULL ? 0 : directory->count, next = 0;
    size_t place = align(tiff), total = count;
    for (size_t i = 0; i < more_count; i++)
        total += directory == NULL || find_entry(tiff, directory, more[i].tag) == 0;
    put16(tiff, (uint16_t)total);
    for (size_t i = 0; i <= count && !tiff->buf->failed; i++) {
        size_t at = directory == NULL ? 0 : directory->at + 2 + i * ENTRY;
        uint32_t tag = i < count ? get16(tiff, at) : UINT32_MAX;
        for (; next < more_count && more[next].tag < tag; next++) {
            if (directory != NULL && find_entry(tiff, directory, more[next].tag) != 0) continue;
            put_entry(tiff, more[next].tag, more[next].type, more[next].count, more[next].value);
        }
        uint8_t entry[ENTRY];
        if (i == count) break;
        memcpy(entry, bytes(tiff, at), ENTRY); /* the buffer may move */
        bst_buf_append(tiff->buf, entry, ENTRY);
    }
    if (tiff->buf->failed) return 0;
    put32(tiff, directory == NULL ? 0 : get32(tiff, directory->at + 2 + count * ENTRY));
    return place;
}

/* LearningOptOutIn: how many pairs, then what for (1 training of models that generate nothing, 2 of those that do) and the
 * choice (0 opt out). */
static void put_opt_out(struct tiff *tiff)
{
    static const uint16_t words[] = {2, 1, 0, 2, 0};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        put16(tiff, words[i]);
}
#define OPT_OUT_LEN 10

/* Four bytes of a value that stands in its entry, as the number that is put there. */
static uint32_t packed(const struct tiff *tiff, const char text[static 4])
{
    return (uint32_t)bst_get_number((const uint8_t *)text, 4, tiff->big);
}

static uint32_t packed_short(const struct tiff *tiff, uint16_t value)
{
    return tiff->big ? (uint32_t)value << 16 : value;
}

/* The directory of EXIF's own tags with the choice in it, in the place of the one that is there; returns its place. */
static size_t grow_exif(struct tiff *tiff, const struct directory *directory)
{
    uint32_t choice = (uint32_t)align(tiff);
    put_opt_out(tiff);
    const struct entry entry = {TAG_OPT_OUT, TYPE_BYTES, OPT_OUT_LEN, choice};
    return add_directory(tiff, directory, &entry, 1);
}

/* A new one, with what the standard asks of every one in a file of that kind. */
static size_t make_exif(struct tiff *tiff, const struct bst_container *picture)
{
    uint32_t choice = (uint32_t)align(tiff);
    put_opt_out(tiff);
    const struct entry entries[] = {
        {0x9000, TYPE_BYTES, 4, packed(tiff, "0232")},     /* ExifVersion */
        {0x9101, TYPE_BYTES, 4, packed(tiff, "\1\2\3\0")}, /* ComponentsConfiguration: YCbCr */
        {TAG_OPT_OUT, TYPE_BYTES, OPT_OUT_LEN, choice},
        {0xa000, TYPE_BYTES, 4, packed(tiff, "0100")},       /* FlashpixVersion */
        {0xa001, TYPE_SHORT, 1, packed_short(tiff, 0xffff)}, /* ColorSpace: not told */
        {0xa002, TYPE_LONG, 1, picture->width},              /* PixelXDimension */
        {0xa003, TYPE_LONG, 1, picture->height},             /* PixelYDimension */
    };
    const struct entry few[] = {entries[0], entries[2]};
    return picture->format == BST_FORMAT_JPEG ? add_directory(tiff, NULL, entries, 7)
                                              : add_directory(tiff, NULL, few, 2);
}

/* A new block; what JPEG asks for has the values that say nothing. */
static void make_new(struct tiff *tiff, const struct bst_container *picture)
{
    bool jpeg = picture->format == BST_FORMAT_JPEG;
    bst_buf_append(tiff->buf, "MM\0*\0\0\0\0", 8);
    tiff->big = true;
    size_t exif = make_exif(tiff, picture);
    uint32_t density = (uint32_t)align(tiff);
    for (int i = 0; i < 2 && jpeg; i++) {
        put32(tiff, 72);
        put32(tiff, 1);
    }
    const struct entry entries[] = {
        {0x011a, TYPE_RATIONAL, 1, density},            /* XResolution */
        {0x011b, TYPE_RATIONAL, 1, density + 8},        /* YResolution */
        {0x0128, TYPE_SHORT, 1, packed_short(tiff, 2)}, /* ResolutionUnit: inch */
        {0x0213, TYPE_SHORT, 1, packed_short(tiff, 1)}, /* YCbCrPositioning: centred */
        {TAG_EXIF_IFD, TYPE_LONG, 1, (uint32_t)exif},
    };
    size_t place = add_directory(tiff, NULL, jpeg ? entries : &entries[4], jpeg ? 5 : 1);
    if (!tiff->buf->failed) set32(tiff, 4, (uint32_t)place);
}

static enum bst_code cannot(struct bst_error *err, const char *why)
{
    return bst_fail(err, BST_UNREADABLE, "the file's EXIF cannot be edited: %s", why);
}

/* Is that choice in the directory already? */
static bool has_choice(struct tiff *tiff, size_t entry)
{
    struct bst_buf want = {0};
    struct tiff wanted = {&want, 0, tiff->big};
    uint32_t at = get32(tiff, entry + 8);
    put_opt_out(&wanted);
    bool same = !want.failed && get32(tiff, entry + 4) == OPT_OUT_LEN && at < length(tiff) &&
                length(tiff) - at >= OPT_OUT_LEN && memcmp(bytes(tiff, at), want.data, OPT_OUT_LEN) == 0;
    bst_buf_free(&want);
    return same;
}

/* Another choice is replaced: a new value behind everything, and the entry leads there. */
static void change_choice(struct tiff *tiff, size_t entry)
{
    size_t at = align(tiff);
    put_opt_out(tiff);
    if (tiff->buf->failed) return;
    set32(tiff, entry + 4, OPT_OUT_LEN);
    set32(tiff, entry + 8, (uint32_t)at);
}

static enum bst_code edit_block(struct tiff *tiff, const struct bst_container *picture, struct bst_error *err)
{
    struct directory first, exif;
    if (length(tiff) < 8) return cannot(err, "it is cut short");
    bool big = memcmp(bytes(tiff, 0), "MM\0*", 4) == 0;
    if (!big && memcmp(bytes(tiff, 0), "II*\0", 4) != 0) return cannot(err, "it does not begin as TIFF");
    tiff->big = big;
    if (!find_directory(tiff, get32(tiff, 4), &first)) return cannot(err, "its first directory is not there");
    size_t pointer = find_entry(tiff, &first, TAG_EXIF_IFD);
    bool has_exif = pointer != 0;
    if (has_exif && !find_directory(tiff, get32(tiff, pointer + 8), &exif))
        return cannot(err, "its second directory is not there");
    size_t entry = has_exif ? find_entry(tiff, &exif, TAG_OPT_OUT) : 0;
    if (entry != 0 && has_choice(tiff, entry)) return BST_OK;
    if (entry != 0) {
        change_choice(tiff, entry);
        return BST_OK;
    }
    size_t place = has_exif ? grow_exif(tiff, &exif) : make_exif(tiff, picture);
    if (has_exif && !tiff->buf->failed) set32(tiff, pointer + 8, (uint32_t)place);
    /* In a PNG the first directory moves too when exiftool would take it for one of our manifest's boxes. */
    bool hidden = picture->format == BST_FORMAT_PNG && bst_exif_box_begins_at(first.at);
    if (has_exif && !hidden) return BST_OK;
    const struct entry link = {TAG_EXIF_IFD, TYPE_LONG, 1, (uint32_t)place};
    place = add_directory(tiff, &first, &link, 1);
    if (!tiff->buf->failed) set32(tiff, 4, (uint32_t)place);
    return BST_OK;
}

enum bst_code bst_exif_edit(const uint8_t *block, size_t len, const struct bst_container *picture,
                            struct bst_buf *out, struct bst_error *err)
{
    struct tiff tiff = {.buf = out, .begin = out->len};
    enum bst_code code = BST_OK;
    if (len > BST_METADATA_MAX) return cannot(err, "it is too large");
    if (block == NULL) {
        make_new(&tiff, picture);
    } else {
        bst_buf_append(out, block, len);
        if (!out->failed) code = edit_block(&tiff, picture, err);
    }
    return code == BST_OK && out->failed ? bst_fail_memory(err) : code;
}
