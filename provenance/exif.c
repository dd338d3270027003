/* exif.c - EXIF (CIPA DC-008) over libexif: the fields that credit a picture, and reading whatever a file
 * has. */
#include "metadata.h"

#include <jansson.h>
#include <libexif/exif-data.h>
#include <libexif/exif-loader.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

static bool add_entry(ExifData *exif, ExifMem *memory, ExifIfd ifd, ExifTag tag, ExifFormat format,
                      const void *data, size_t len)
{
    ExifEntry *entry = exif_entry_new_mem(memory);
    unsigned char *copy = exif_mem_alloc(memory, (ExifLong)len);
    if (entry == NULL || copy == NULL) {
        exif_mem_free(memory, copy);
        exif_entry_unref(entry);
        return false;
    }
    memcpy(copy, data, len);
    entry->tag = tag;
    entry->format = format;
    entry->components = len;
    entry->data = copy;
    entry->size = (unsigned)len;
    exif_content_add_entry(exif->ifd[ifd], entry);
    exif_entry_unref(entry); /* the content holds it now */
    return true;
}

static bool add_text(ExifData *exif, ExifMem *memory, ExifIfd ifd, ExifTag tag, const char *text)
{
    return add_entry(exif, memory, ifd, tag, EXIF_FORMAT_ASCII, text, strlen(text) + 1);
}

/* Valid UTF-8 to UTF-16, big-endian. */
static void append_utf16(struct bst_buf *out, const char *text)
{
    const uint8_t *p = (const uint8_t *)text;
    while (*p != 0) {
        uint32_t point = *p;
        unsigned more = point < 0x80 ? 0 : point < 0xe0 ? 1 : point < 0xf0 ? 2 : 3;
        if (more > 0) point &= 0x3fu >> more;
        for (p++; more > 0; more--) {
            point = point << 6 | (*p++ & 0x3fu);
        }
        if (point >= 0x10000) {
            bst_buf_be16(out, (uint16_t)(0xd7c0 + (point >> 10)));
            point = 0xdc00 + (point & 0x3ff);
        }
        bst_buf_be16(out, (uint16_t)point);
    }
}

/* UserComment begins with eight bytes that name its character code. */
static bool add_comment(ExifData *exif, ExifMem *memory, const char *text)
{
    struct bst_buf comment = {0};
    bool ascii = true;
    for (const char *p = text; *p != 0; p++) {
        ascii = ascii && (unsigned char)*p < 0x80;
    }
    bst_buf_append(&comment, ascii ? "ASCII\0\0\0" : "UNICODE\0", 8);
    if (ascii) {
        bst_buf_text(&comment, text);
    } else {
        append_utf16(&comment, text);
    }
    bool added = !comment.failed && add_entry(exif, memory, EXIF_IFD_EXIF, EXIF_TAG_USER_COMMENT,
                                              EXIF_FORMAT_UNDEFINED, comment.data, comment.len);
    bst_buf_free(&comment);
    return added;
}

/* LearningOptOutIn of Exif 3.1, which libexif does not know: a count of pairs, then what for (1 training of models that
 * generate nothing, 2 of those that do) and the choice (0 opt out), in 16-bit words of the file's order. */
static bool add_opt_out(ExifData *exif, ExifMem *memory)
{
    static const uint8_t pairs[] = {0, 2, 0, 1, 0, 0, 0, 2, 0, 0};
    return add_entry(exif, memory, EXIF_IFD_EXIF, (ExifTag)0x9287, EXIF_FORMAT_UNDEFINED, pairs,
                     sizeof(pairs));
}

static bool add_all(ExifData *exif, ExifMem *memory, const struct bst_words *words)
{
    char date[20], id[33];
    size_t used = 0;
    snprintf(date, sizeof(date), "%.19s", words->created); /* 2026-11-22T09:30:00 */
    date[4] = date[7] = ':';
    date[10] = ' ';
    for (const char *p = words->image_id; *p != 0 && used < 32; p++) {
        if (*p != '-') id[used++] = *p;
    }
    id[used] = 0;
    return add_text(exif, memory, EXIF_IFD_0, EXIF_TAG_SOFTWARE, "Blindstamp " BST_VERSION) &&
           add_text(exif, memory, EXIF_IFD_0, EXIF_TAG_ARTIST, words->author) &&
           add_text(exif, memory, EXIF_IFD_0, EXIF_TAG_COPYRIGHT, words->copyright) &&
           add_entry(exif, memory, EXIF_IFD_EXIF, EXIF_TAG_EXIF_VERSION, EXIF_FORMAT_UNDEFINED, "0232", 4) &&
           add_text(exif, memory, EXIF_IFD_EXIF, EXIF_TAG_DATE_TIME_ORIGINAL, date) &&
           add_text(exif, memory, EXIF_IFD_EXIF, EXIF_TAG_OFFSET_TIME_ORIGINAL, "+00:00") &&
           add_text(exif, memory, EXIF_IFD_EXIF, EXIF_TAG_IMAGE_UNIQUE_ID, id) &&
           (!words->no_train || add_opt_out(exif, memory)) &&
           (words->parameters == NULL || add_comment(exif, memory, words->parameters));
}

/* Where our manifest's boxes lie in its chunk, up to the content of the receipt, its first assertion; the
 * next box is kilobytes behind. exiftool 12 tells directories of a file apart by their offset alone, even
 * across chunks, and shows no EXIF whose directory begins where it has met a box. */
bool bst_exif_box_begins_at(size_t offset)
{
    static const size_t boxes[] = {8, 16, 46, 54, 125, 133, 174, 182, 230};
    for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
        if (boxes[i] == offset) return true;
    }
    return false;
}

static void add_be32(uint8_t *p, uint32_t more)
{
    bst_set_number(p, bst_get_be32(p) + more, 4, true);
}

/* Corrects the offsets in the directory at p after everything behind the header moved by that many bytes.
 * Returns the offset of the directory that the tag points at, before the move; 0 when it is not there. */
static uint32_t move_directory(uint8_t *p, uint32_t by, unsigned pointer)
{
    uint32_t target = 0;
    unsigned count = bst_get_be16(p);
    for (p += 2; count > 0; count--, p += 12) {
        uint64_t size = (uint64_t)bst_get_be32(p + 4) * exif_format_get_size((ExifFormat)bst_get_be16(p + 2));
        bool points = bst_get_be16(p) == pointer;
        if (points) target = bst_get_be32(p + 8);
        if (points || size > 4) add_be32(p + 8, by);
    }
    return target;
}

/* Appends libexif's TIFF data, big-endian with IFD0 at 8, with its directories moved clear of the boxes. */
static void append_moved(struct bst_buf *out, uint8_t *tiff, size_t len)
{
    static const uint8_t gap[64];
    uint32_t exif_at = move_directory(tiff + 8, 0, EXIF_TAG_EXIF_IFD_POINTER);
    uint32_t by = 2;
    while (by < sizeof(gap) && (bst_exif_box_begins_at(8 + by) || bst_exif_box_begins_at(exif_at + by))) {
        by += 2;
    }
    move_directory(tiff + exif_at, by, 0);
    move_directory(tiff + 8, by, EXIF_TAG_EXIF_IFD_POINTER);
    add_be32(tiff + 4, by);
    bst_buf_append(out, tiff, 8);
    bst_buf_append(out, gap, by);
    bst_buf_append(out, tiff + 8, len - 8);
}

enum bst_code bst_exif_write(const struct bst_words *words, struct bst_buf *out, struct bst_error *err)
{
    unsigned char *data = NULL;
    unsigned size = 0;
    ExifMem *memory = exif_mem_new_default();
    ExifData *exif = memory == NULL ? NULL : exif_data_new_mem(memory);
    bool made = false;
    if (exif != NULL) {
        exif_data_set_byte_order(exif, EXIF_BYTE_ORDER_MOTOROLA);
        made = add_all(exif, memory, words);
        if (made) exif_data_save_data(exif, &data, &size);
        made = made && data != NULL && size > BST_EXIF_MARK_LEN;
    }
    if (made) append_moved(out, data + BST_EXIF_MARK_LEN, size - BST_EXIF_MARK_LEN);
    free(data);
    if (exif != NULL) exif_data_unref(exif);
    if (memory != NULL) exif_mem_unref(memory);
    return made && !out->failed ? BST_OK : bst_fail_memory(err);
}

/* ---- reading ---- */

static json_t *utf16_json(const uint8_t *data, size_t len, bool big)
{
    struct bst_buf text = {0};
    for (size_t i = 0; i + 1 < len; i += 2) {
        uint32_t unit = (uint32_t)bst_get_number(data + i, 2, big);
        if (unit >= 0xd800 && unit < 0xdc00 && i + 3 < len) {
            uint32_t low = (uint32_t)bst_get_number(data + i + 2, 2, big);
            if (low >= 0xdc00 && low < 0xe000) {
                unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                i += 2;
            }
        }
        if (unit >= 0xd800 && unit < 0xe000) unit = 0xfffd;
        if (unit == 0) break;
        if (unit < 0x80) {
            bst_buf_byte(&text, (uint8_t)unit);
            continue;
        }
        unsigned more = unit < 0x800 ? 1 : unit < 0x10000 ? 2 : 3;
        static const uint8_t lead[4] = {0, 0xc0, 0xe0, 0xf0};
        bst_buf_byte(&text, (uint8_t)(lead[more] | unit >> (6 * more)));
        while (more-- > 0) {
            bst_buf_byte(&text, (uint8_t)(0x80 | (unit >> (6 * more) & 0x3f)));
        }
    }
    json_t *value = text.failed ? NULL : json_stringn((const char *)text.data, text.len);
    bst_buf_free(&text);
    return value;
}

static json_t *entry_json(ExifEntry *entry, bool big)
{
    char text[1024];
    const char *data = (const char *)entry->data;
    size_t len = entry->size;
    if (data == NULL) return json_string("");
    if (entry->tag == EXIF_TAG_USER_COMMENT && len >= 8) {
        if (memcmp(data, "UNICODE", 8) == 0) return utf16_json(entry->data + 8, len - 8, big);
        return bst_text_json(data + 8, strnlen(data + 8, len - 8));
    }
    if (entry->format == EXIF_FORMAT_ASCII) return bst_text_json(data, strnlen(data, len));
    memset(text, 0, sizeof(text));
    exif_entry_get_value(entry, text, sizeof(text));
    return bst_text_json(text, strnlen(text, sizeof(text)));
}

static json_t *read_ifd(ExifData *exif, ExifIfd ifd, json_t *out)
{
    ExifContent *content = exif->ifd[ifd];
    bool big = exif_data_get_byte_order(exif) == EXIF_BYTE_ORDER_MOTOROLA;
    for (unsigned i = 0; content != NULL && i < content->count; i++) {
        ExifEntry *entry = content->entries[i];
        const char *name = exif_tag_get_name_in_ifd(entry->tag, ifd);
        char key[64];
        if (name == NULL) {
            snprintf(key, sizeof(key), "0x%04x", (unsigned)entry->tag);
        } else {
            snprintf(key, sizeof(key), "%s", name);
        }
        /* the thumbnail's directory repeats names of the picture's */
        if (json_object_get(out, key) != NULL)
            snprintf(key, sizeof(key), "%s:%.40s", exif_ifd_get_name(ifd), name == NULL ? "?" : name);
        json_object_set_new(out, key, entry_json(entry, big));
    }
    return out;
}

/* libexif follows each pointer to another directory, and again those that stand there: of a hostile file, in circles. */
static bool leads_in_circles(const uint8_t *tiff, size_t len)
{
    bool big = tiff[0] == 'M';
    size_t at = (size_t)bst_get_number(tiff + 4, 4, big), pointers = 0;
    if (at > len || len - at < 2) return false;
    size_t count = (size_t)bst_get_number(tiff + at, 2, big);
    for (at += 2; count > 0 && len - at >= 12; at += 12, count--) {
        unsigned tag = (unsigned)bst_get_number(tiff + at, 2, big);
        pointers += tag == EXIF_TAG_EXIF_IFD_POINTER || tag == EXIF_TAG_GPS_INFO_IFD_POINTER ||
                    tag == EXIF_TAG_INTEROPERABILITY_IFD_POINTER;
    }
    return pointers > 3;
}

void bst_exif_read(const uint8_t *tiff, size_t len, json_t *out, json_t *problems, const char *place)
{
    bool marked = len >= 8 && (memcmp(tiff, "MM\0*", 4) == 0 || memcmp(tiff, "II*\0", 4) == 0);
    if (!marked || len > BST_METADATA_MAX) {
        bst_problem(problems, place, "EXIF that does not begin as TIFF");
        return;
    }
    if (leads_in_circles(tiff, len)) {
        bst_problem(problems, place, "EXIF whose directories lead in circles");
        return;
    }
    struct bst_buf block = {0};
    bst_buf_append(&block, BST_EXIF_MARK, BST_EXIF_MARK_LEN);
    bst_buf_append(&block, tiff, len);
    ExifData *exif = block.failed ? NULL : exif_data_new();
    if (exif == NULL) {
        bst_problem(problems, place, "out of memory");
    } else {
        exif_data_unset_option(exif, EXIF_DATA_OPTION_IGNORE_UNKNOWN_TAGS);
        exif_data_unset_option(exif, EXIF_DATA_OPTION_FOLLOW_SPECIFICATION);
        exif_data_load_data(exif, block.data, (unsigned)block.len);
        for (int ifd = 0; ifd < EXIF_IFD_COUNT; ifd++) {
            read_ifd(exif, (ExifIfd)ifd, out);
        }
        exif_data_unref(exif);
    }
    bst_buf_free(&block);
}
