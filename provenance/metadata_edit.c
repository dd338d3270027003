/* metadata_edit.c - things said in the metadata that a file has already: its XMP and EXIF are changed in their place, or
 * put in where there are none. */
#include "container.h"
#include "container_webp.h"
#include "metadata.h"
#include "png_edit.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX   6
#define JPEG_SEGMENT 65533 /* bytes of a segment behind its length */

static const char mpf_mark[4] = "MPF";

/* Segments of the file that matter here. */
struct found {
    const struct bst_segment *exif, *xmp, *label; /* NULL: none */
    struct bst_buf exif_data, xmp_data;           /* TIFF data, packet */
    size_t xmp_count;
};

struct editing {
    const char *path;
    const struct bst_container *container;
    const struct bst_marks *marks;
    struct bst_marked *out;
    struct found found;
    struct bst_error *err;
};

void bst_marked_clear(struct bst_marked *marked)
{
    bst_edits_clear(&marked->edits);
    json_decref(marked->written);
    json_decref(marked->replaced);
    memset(marked, 0, sizeof(*marked));
}

/* ---- what is there ---- */

static enum bst_code take_png(struct found *found, const struct bst_segment *segment,
                              const struct bst_buf *data, struct bst_error *err)
{
    struct bst_text_chunk chunk;
    struct bst_buf unpacked = {0};
    size_t budget = BST_METADATA_MAX;
    if (strcmp(segment->type, "eXIf") == 0) {
        if (found->exif == NULL) bst_buf_append(&found->exif_data, data->data, data->len);
        if (found->exif == NULL) found->exif = segment;
        return BST_OK;
    }
    const char *problem = bst_png_text_open(segment->type, data->data, data->len, &budget, &chunk, &unpacked);
    if (problem == NULL && strcmp(chunk.keyword, BST_PNG_AIGC_KEYWORD) == 0) found->label = segment;
    if (strcmp(segment->type, "iTXt") == 0 &&
        strncmp((const char *)data->data, BST_PNG_XMP_KEYWORD, data->len) == 0) {
        if (problem != NULL) {
            bst_buf_free(&unpacked);
            return bst_fail(err, BST_UNREADABLE, "the file's XMP cannot be edited: %s", problem);
        }
        found->xmp = segment;
        found->xmp_count++;
        found->xmp_data.len = 0;
        bst_buf_append(&found->xmp_data, chunk.text, chunk.len);
    }
    bst_buf_free(&unpacked);
    return BST_OK;
}

static void take_other(struct found *found, const struct bst_segment *segment, const struct bst_buf *data)
{
    bool app1 = strcmp(segment->type, "APP1") == 0, xmp_chunk = strcmp(segment->type, "XMP") == 0;
    bool marked = data->len >= BST_EXIF_MARK_LEN && memcmp(data->data, BST_EXIF_MARK, BST_EXIF_MARK_LEN) == 0;
    size_t mark = sizeof(BST_XMP_MARK);
    bool packet = app1 && data->len >= mark && memcmp(data->data, BST_XMP_MARK, mark) == 0;
    if (xmp_chunk || packet) {
        size_t skip = packet ? mark : 0;
        found->xmp = segment;
        found->xmp_count++;
        found->xmp_data.len = 0;
        bst_buf_append(&found->xmp_data, data->data + skip, data->len - skip);
    } else if (found->exif == NULL && (strcmp(segment->type, "EXIF") == 0 || (app1 && marked))) {
        size_t skip = marked ? BST_EXIF_MARK_LEN : 0; /* some WebP files have the mark of JPEG */
        found->exif = segment;
        bst_buf_append(&found->exif_data, data->data + skip, data->len - skip);
    }
}

/* What holds neither XMP nor EXIF. */
static bool is_plain_text(const struct bst_segment *segment)
{
    return strcmp(segment->type, "tEXt") == 0 || strcmp(segment->type, "zTXt") == 0;
}

static enum bst_code find(struct editing *editing)
{
    const struct bst_container *container = editing->container;
    struct found *found = &editing->found;
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < container->count && code == BST_OK; i++) {
        const struct bst_segment *segment = &container->segments[i];
        struct bst_buf data = {0};
        if (!bst_is_metadata(container->format, segment->type) || segment->data.length == 0) continue;
        if (segment->data.length > BST_METADATA_MAX && is_plain_text(segment)) continue;
        code = bst_segment_read(editing->path, segment, BST_METADATA_MAX, &data, editing->err);
        if (code == BST_OK && container->format == BST_FORMAT_PNG)
            code = take_png(found, segment, &data, editing->err);
        else if (code == BST_OK)
            take_other(found, segment, &data);
        bst_buf_free(&data);
    }
    if (code == BST_OK && found->xmp_count > 1)
        code = bst_fail(editing->err, BST_UNREADABLE,
                        "the file's XMP cannot be edited: it has %zu packets, of which none is the right one",
                        found->xmp_count);
    bool failed = found->exif_data.failed || found->xmp_data.failed;
    return code == BST_OK && failed ? bst_fail_memory(editing->err) : code;
}

/* ---- segments as they stand in a file ---- */

/* APP1 with a mark in front. */
static enum bst_code put_app1(struct bst_buf *out, const void *mark, size_t mark_len, const char *what,
                              const struct bst_buf *data, struct bst_error *err)
{
    if (2 + mark_len + data->len > JPEG_SEGMENT + 2u) {
        bst_fail(err, BST_USAGE, "the file's %s would become larger than a segment of JPEG can be", what);
        return bst_hint(err, "--keep-metadata leaves it as it is: then only the manifest says so");
    }
    bst_buf_be16(out, 0xffe1);
    bst_buf_be16(out, (uint16_t)(2 + mark_len + data->len));
    bst_buf_append(out, mark, mark_len);
    bst_buf_append(out, data->data, data->len);
    return BST_OK;
}

/* The edit that puts a segment in the place of an old one, or where a new one belongs. */
static struct bst_buf *place(struct editing *editing, const struct bst_segment *old, bool behind_exif)
{
    const struct bst_container *container = editing->container;
    const struct bst_segment *exif = editing->found.exif;
    uint64_t at = old != NULL                            ? old->whole.start
                  : container->format == BST_FORMAT_WEBP ? container->trailing.start
                  : behind_exif && exif != NULL          ? exif->whole.start + exif->whole.length
                                                         : bst_edit_head(container);
    return &bst_edits_add(&editing->out->edits, at, old == NULL ? 0 : old->whole.length)->insert;
}

/* ---- XMP ---- */

static void note(json_t *into, const char *kind, const char *name, const char *value)
{
    json_t *object = json_object_get(into, kind);
    if (object == NULL) {
        object = json_object();
        json_object_set_new(into, kind, object);
    }
    json_object_set_new(object, name, json_string(value));
}

/* Takes down what is set, and what stood there before. */
static void note_field(struct editing *editing, const struct bst_xmp_field *field)
{
    char key[96];
    snprintf(key, sizeof(key), "%s:%s", field->prefix, field->name);
    const char *before = bst_json_text(json_object_get(editing->marks->metadata, "xmp"), key);
    note(editing->out->written, "xmp", key, field->value);
    if (before != NULL) note(editing->out->replaced, "xmp", key, before);
}

static bool says_already(const struct editing *editing, const struct bst_xmp_field *field)
{
    char key[96];
    snprintf(key, sizeof(key), "%s:%s", field->prefix, field->name);
    const char *value = bst_json_text(json_object_get(editing->marks->metadata, "xmp"), key);
    return value != NULL && strcmp(value, field->value) == 0;
}

static enum bst_code put_packet(struct editing *editing, const struct bst_buf *packet)
{
    const struct bst_segment *old = editing->found.xmp;
    struct bst_buf *out = place(editing, old, true);
    editing->out->xmp = true;
    if (editing->container->format == BST_FORMAT_PNG) {
        bst_png_itxt(out, BST_PNG_XMP_KEYWORD, packet->data, packet->len);
    } else if (editing->container->format == BST_FORMAT_WEBP) {
        bst_webp_chunk(out, "XMP ", packet->data, packet->len);
    } else {
        return put_app1(out, BST_XMP_MARK, sizeof(BST_XMP_MARK), "XMP", packet, editing->err);
    }
    return BST_OK;
}

/* What is asked for, and with it that this is another instance of the picture. */
static size_t list_fields(const struct editing *editing, const char *label, const char *instance,
                          const char *document, struct bst_xmp_field out[static FIELDS_MAX])
{
    const struct bst_marks *marks = editing->marks;
    size_t count = 0;
    if (marks->source_type != NULL)
        out[count++] =
            (struct bst_xmp_field){BST_NS_IPTC_EXT, "Iptc4xmpExt", "DigitalSourceType", marks->source_type};
    if (marks->no_train)
        out[count++] = (struct bst_xmp_field){BST_NS_PLUS, "plus", "DataMining", BST_NO_TRAINING};
    if (label != NULL) out[count++] = (struct bst_xmp_field){BST_NS_AIGC, "TC260", "AIGC", label};
    size_t asked = count;
    for (size_t i = 0; i < asked; i++)
        count -= says_already(editing, &out[i]);
    if (count == 0) return 0;
    count = asked;
    out[count++] = (struct bst_xmp_field){BST_NS_XMP_MM, "xmpMM", "InstanceID", instance};
    if (bst_json_text(json_object_get(marks->metadata, "xmp"), "xmpMM:DocumentID") == NULL)
        out[count++] = (struct bst_xmp_field){BST_NS_XMP_MM, "xmpMM", "DocumentID", document};
    out[count++] = (struct bst_xmp_field){BST_NS_XMP, "xmp", "MetadataDate", marks->when};
    return count;
}

static enum bst_code edit_xmp(struct editing *editing)
{
    const struct bst_marks *marks = editing->marks;
    const struct found *found = &editing->found;
    struct bst_xmp_field fields[FIELDS_MAX];
    char instance[64], document[64];
    struct bst_buf packet = {0};
    char *label = marks->aigc == NULL ? NULL : bst_aigc_text(marks->aigc, false);
    if (marks->aigc != NULL && label == NULL) return bst_fail_memory(editing->err);
    snprintf(instance, sizeof(instance), "xmp.iid:%s", marks->image_id);
    snprintf(document, sizeof(document), "xmp.did:%s", marks->image_id);
    size_t count = list_fields(editing, label, instance, document, fields);
    enum bst_code code = BST_OK;
    if (count > 0) {
        code = bst_xmp_edit(found->xmp == NULL ? NULL : found->xmp_data.data, found->xmp_data.len, fields,
                            count, &packet, editing->err);
        if (code == BST_OK) code = put_packet(editing, &packet);
        for (size_t i = 0; i < count && code == BST_OK; i++)
            note_field(editing, &fields[i]);
    }
    free(label);
    bst_buf_free(&packet);
    return code;
}

/* ---- EXIF ---- */

static enum bst_code edit_exif(struct editing *editing)
{
    const struct found *found = &editing->found;
    enum bst_format format = editing->container->format;
    struct bst_buf block = {0};
    enum bst_code code = bst_exif_edit(found->exif == NULL ? NULL : found->exif_data.data,
                                       found->exif_data.len, editing->container, &block, editing->err);
    bool same = found->exif != NULL && block.len == found->exif_data.len;
    if (code == BST_OK && !same) {
        struct bst_buf *out = place(editing, found->exif, false);
        editing->out->exif = true;
        note(editing->out->written, "exif", "LearningOptOutIn", BST_EXIF_OPT_OUT_TEXT);
        if (format == BST_FORMAT_PNG) {
            bst_png_chunk(out, "eXIf", block.data, block.len);
        } else if (format == BST_FORMAT_WEBP) {
            bst_webp_chunk(out, "EXIF", block.data, block.len);
        } else {
            code = put_app1(out, BST_EXIF_MARK, BST_EXIF_MARK_LEN, "EXIF", &block, editing->err);
        }
    }
    bst_buf_free(&block);
    return code;
}

/* ---- the label in a text chunk ---- */

static enum bst_code edit_text(struct editing *editing)
{
    const json_t *texts = json_object_get(editing->marks->metadata, "text");
    const char *before = bst_json_text(texts, BST_PNG_AIGC_KEYWORD);
    char *label = bst_aigc_text(editing->marks->aigc, true);
    if (label == NULL) return bst_fail_memory(editing->err);
    bst_png_text(place(editing, editing->found.label, false), BST_PNG_AIGC_KEYWORD, label);
    note(editing->out->written, "text", BST_PNG_AIGC_KEYWORD, label);
    if (before != NULL) note(editing->out->replaced, "text", BST_PNG_AIGC_KEYWORD, before);
    free(label);
    return BST_OK;
}

/* ---- WebP: the flags in front ---- */

/* The first chunk says what others the file has; a file without that chunk gets one with the manifest. */
static enum bst_code edit_flags(struct editing *editing)
{
    const struct bst_segment *first = &editing->container->segments[0];
    struct bst_buf data = {0};
    if (strcmp(first->type, "VP8X") != 0) return BST_OK;
    enum bst_code code = bst_segment_read(editing->path, first, BST_METADATA_MAX, &data, editing->err);
    if (code != BST_OK) return code;
    uint8_t flags = data.data[0]; /* the scan checked its length */
    if (editing->out->exif) flags |= BST_VP8X_EXIF;
    if (editing->out->xmp) flags |= BST_VP8X_XMP;
    if (flags != data.data[0])
        bst_buf_byte(&bst_edits_add(&editing->out->edits, first->data.start, 1)->insert, flags);
    bst_buf_free(&data);
    return BST_OK;
}

/* ---- JPEG: further pictures behind the first ---- */

/* A list of pictures (CIPA DC-007) tells their places from its own on: what grows behind it would move them. */
static enum bst_code check_list(struct editing *editing)
{
    const struct bst_container *container = editing->container;
    const struct bst_edits *edits = &editing->out->edits;
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < container->count && code == BST_OK; i++) {
        const struct bst_segment *segment = &container->segments[i];
        struct bst_buf data = {0};
        if (strcmp(segment->type, "APP2") != 0 || segment->data.length < sizeof(mpf_mark)) continue;
        code = bst_segment_read(editing->path, segment, BST_METADATA_MAX, &data, editing->err);
        bool list = code == BST_OK && memcmp(data.data, mpf_mark, sizeof(mpf_mark)) == 0;
        bst_buf_free(&data);
        for (size_t k = 0; k < edits->count && list && code == BST_OK; k++) {
            const struct bst_edit *edit = &edits->item[k];
            if (edit->at > segment->whole.start && edit->insert.len != edit->remove)
                code = bst_fail(
                    editing->err, BST_UNREADABLE,
                    "the file's metadata cannot be edited: it stands behind a list of pictures, whose "
                    "places would no longer be right");
        }
    }
    return code;
}

/* ---- the whole ---- */

static enum bst_code edit_all(struct editing *editing)
{
    enum bst_format format = editing->container->format;
    const struct bst_marks *marks = editing->marks;
    enum bst_code code = find(editing);
    if (code == BST_OK && marks->no_train) code = edit_exif(editing);
    if (code == BST_OK) code = edit_xmp(editing);
    if (code == BST_OK && marks->aigc != NULL && format == BST_FORMAT_PNG) code = edit_text(editing);
    bool changed = editing->out->edits.count > 0;
    if (code == BST_OK && changed && format == BST_FORMAT_JPEG) code = check_list(editing);
    if (code == BST_OK && changed && format == BST_FORMAT_WEBP) code = edit_flags(editing);
    for (size_t i = 0; i < editing->out->edits.count && code == BST_OK; i++) {
        if (editing->out->edits.item[i].insert.failed) code = bst_fail_memory(editing->err);
    }
    return code;
}

enum bst_code bst_metadata_edit(const char *path, const struct bst_container *container,
                                const struct bst_marks *marks, struct bst_marked *out, struct bst_error *err)
{
    struct editing editing = {path, container, marks, out, {0}, err};
    memset(out, 0, sizeof(*out));
    if (marks->source_type == NULL && !marks->no_train && marks->aigc == NULL) return BST_OK;
    out->written = json_object();
    out->replaced = json_object();
    enum bst_code code =
        out->written == NULL || out->replaced == NULL ? bst_fail_memory(err) : edit_all(&editing);
    bst_buf_free(&editing.found.exif_data);
    bst_buf_free(&editing.found.xmp_data);
    if (code == BST_UNREADABLE) {
        bst_where(err, "%s", path);
        if (err->hint[0] == 0)
            bst_hint(err,
                     "--keep-metadata leaves it as it is: then only the manifest says what you asked for");
    }
    if (code != BST_OK) bst_marked_clear(out);
    return code;
}
