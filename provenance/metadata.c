/* metadata.c - what a file says about itself: its EXIF, XMP and text, gathered from the chunks of a PNG
 * or WebP file, the segments of a JPEG file, the first page of a TIFF file (XMP) or the boxes of an AVIF or HEIF file
 * (XMP). */
#include "metadata.h"
#include "container.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#define TEXT_SEGMENTS 1000

/* of a box "uuid" with XMP (XMP specification part 3, 1.1.4) */
static const uint8_t xmp_uuid[16] = {0xbe, 0x7a, 0xcf, 0xcb, 0x97, 0xa9, 0x42, 0xe8,
                                     0x9c, 0x71, 0x99, 0x94, 0x91, 0xe3, 0xaf, 0xac};

void bst_problem(json_t *problems, const char *place, const char *words)
{
    json_array_append_new(problems, json_sprintf("%s: %s", place, words));
}

json_t *bst_text_json(const char *text, size_t len)
{
    if (len == 0) return json_string("");
    if (bst_utf8_valid(text, len)) return json_stringn(text, len);
    struct bst_buf out = {0};
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = (uint8_t)text[i];
        if (byte >= 0x80) bst_buf_byte(&out, (uint8_t)(0xc0 | byte >> 6));
        bst_buf_byte(&out, byte >= 0x80 ? (uint8_t)(0x80 | (byte & 0x3f)) : byte);
    }
    json_t *value = out.failed ? NULL : json_stringn((const char *)out.data, out.len);
    bst_buf_free(&out);
    return value;
}

struct gathering {
    json_t *exif, *xmp, *text, *problems;
    size_t budget; /* bytes that compressed texts may still unpack to */
};

bool bst_is_metadata(enum bst_format format, const char *type)
{
    static const char *const png[] = {"eXIf", "tEXt", "zTXt", "iTXt"};
    static const char *const jpeg[] = {"APP1", "COM"};
    static const char *const webp[] = {"EXIF", "XMP"}, *const tiff[] = {"XMP"}, *const bmff[] = {"uuid"};
    static const struct {
        size_t count;
        const char *const *types;
    } all[] = {[BST_FORMAT_UNKNOWN] = {0, NULL}, [BST_FORMAT_PNG] = {4, png},   [BST_FORMAT_JPEG] = {2, jpeg},
               [BST_FORMAT_WEBP] = {2, webp},    [BST_FORMAT_TIFF] = {1, tiff}, [BST_FORMAT_AVIF] = {1, bmff},
               [BST_FORMAT_HEIF] = {1, bmff}};
    for (size_t i = 0; i < all[format].count; i++) {
        if (strcmp(all[format].types[i], type) == 0) return true;
    }
    return false;
}

static void take_segment(struct gathering *found, const char *type, const struct bst_buf *data,
                         const char *place)
{
    const uint8_t *p = data->data;
    size_t len = data->len;
    bool marked = len >= BST_EXIF_MARK_LEN && memcmp(p, BST_EXIF_MARK, BST_EXIF_MARK_LEN) == 0;
    if (strcmp(type, "eXIf") == 0 || (strcmp(type, "EXIF") == 0 && !marked)) {
        bst_exif_read(p, len, found->exif, found->problems, place);
    } else if (strcmp(type, "EXIF") == 0 || (strcmp(type, "APP1") == 0 && marked)) {
        bst_exif_read(p + BST_EXIF_MARK_LEN, len - BST_EXIF_MARK_LEN, found->exif, found->problems, place);
    } else if (strcmp(type, "XMP") == 0) {
        bst_xmp_read(p, len, found->xmp, found->problems, place);
    } else if (strcmp(type, "uuid") == 0) {
        if (len >= sizeof(xmp_uuid) && memcmp(p, xmp_uuid, sizeof(xmp_uuid)) == 0)
            bst_xmp_read(p + sizeof(xmp_uuid), len - sizeof(xmp_uuid), found->xmp, found->problems, place);
    } else if (strcmp(type, "COM") == 0) {
        json_object_set_new(found->text, "Comment", bst_text_json((const char *)p, len));
    } else if (strcmp(type, "APP1") != 0) {
        bst_png_text_read(type, p, len, &found->budget, found->text, found->xmp, found->problems, place);
    } else if (len >= sizeof(BST_XMP_MARK) && memcmp(p, BST_XMP_MARK, sizeof(BST_XMP_MARK)) == 0) {
        bst_xmp_read(p + sizeof(BST_XMP_MARK), len - sizeof(BST_XMP_MARK), found->xmp, found->problems,
                     place);
    }
}

static enum bst_code gather(const char *path, const struct bst_container *container, struct gathering *found,
                            struct bst_error *err)
{
    size_t taken = 0;
    for (size_t i = 0; i < container->count; i++) {
        const struct bst_segment *segment = &container->segments[i];
        struct bst_buf data = {0};
        char place[80];
        bool c2pa = segment->whole.start == container->manifest.start ||
                    (segment->whole.start == container->update.start && container->update.length > 0);
        if (!bst_is_metadata(container->format, segment->type) || segment->data.length == 0 || c2pa) continue;
        snprintf(place, sizeof(place), "%s at byte %" PRIu64, segment->type, segment->whole.start);
        if (segment->data.length > BST_METADATA_MAX || ++taken > TEXT_SEGMENTS) {
            bst_problem(found->problems, place,
                        taken > TEXT_SEGMENTS ? "too many texts; the rest is left out"
                                              : "too large to be shown");
            if (taken > TEXT_SEGMENTS) break;
            continue;
        }
        enum bst_code code = bst_segment_read(path, segment, BST_METADATA_MAX, &data, err);
        if (code == BST_OK) take_segment(found, segment->type, &data, place);
        bst_buf_free(&data);
        if (code != BST_OK) return code;
    }
    return BST_OK;
}

/* Every second byte of the data may be zero: UTF-16, either way round. */
static bool holds(const struct bst_buf *data, const char *text)
{
    size_t len = strlen(text);
    for (size_t step = 1; step <= 2; step++) {
        for (size_t i = 0; i + (len - 1) * step < data->len; i++) {
            const uint8_t *found = memchr(data->data + i, text[0], data->len - (len - 1) * step - i);
            if (found == NULL) break;
            size_t k = 1;
            while (k < len && found[k * step] == (uint8_t)text[k])
                k++;
            if (k == len) return true;
            i = (size_t)(found - data->data);
        }
    }
    return false;
}

enum bst_code bst_metadata_mentions(const char *path, const struct bst_container *container, const char *text,
                                    bool *out, struct bst_error *err)
{
    enum bst_code code = BST_OK;
    size_t taken = 0;
    *out = false;
    for (size_t i = 0; i < container->count && !*out && code == BST_OK; i++) {
        const struct bst_segment *segment = &container->segments[i];
        struct bst_buf data = {0};
        if (!bst_is_metadata(container->format, segment->type) || segment->data.length > BST_METADATA_MAX)
            continue;
        if (++taken > TEXT_SEGMENTS) break;
        code = bst_segment_read(path, segment, BST_METADATA_MAX, &data, err);
        if (code == BST_OK) *out = holds(&data, text);
        bst_buf_free(&data);
    }
    return code;
}

enum bst_code bst_metadata_read(const char *path, const struct bst_container *container, json_t **out,
                                struct bst_error *err)
{
    struct gathering found = {json_object(), json_object(), json_object(), json_array(), BST_METADATA_MAX};
    *out = NULL;
    enum bst_code code = gather(path, container, &found, err);
    if (code == BST_OK) {
        *out = json_pack("{s:O, s:O, s:O, s:O}", "exif", found.exif, "xmp", found.xmp, "text", found.text,
                         "problems", found.problems);
        if (*out == NULL) code = bst_fail_memory(err);
    }
    json_decref(found.exif);
    json_decref(found.xmp);
    json_decref(found.text);
    json_decref(found.problems);
    return code;
}
