/* test_metadata_edit.c - things said in the metadata of a whole file: every segment that is not changed stays byte for byte
 * and in its order, in each format, with and without a manifest put in along. */
#include "webp_fixture.h"

#include <fcntl.h>
#include <jansson.h>

#define SOURCE "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

static bool collect(void *arg, const void *data, size_t len)
{
    bst_buf_append(arg, data, len);
    return true;
}

/* The file with the marks said and the store put in (or none), as *out. */
static enum bst_code say(const char *path, const struct bst_marks *asked, const struct bst_buf *store,
                         struct bst_buf *out, struct bst_error *err)
{
    struct bst_container container;
    struct bst_marked marked = {0};
    struct bst_edits edits = {0};
    struct bst_place place;
    json_t *metadata = NULL;
    struct bst_marks marks = *asked;
    assert_int_equal(bst_container_scan(path, &container, err), BST_OK);
    assert_int_equal(bst_metadata_read(path, &container, &metadata, err), BST_OK);
    marks.metadata = metadata;
    enum bst_code code = bst_metadata_edit(path, &container, &marks, &marked, err);
    const struct bst_canvas canvas = {.width = container.width,
                                      .height = container.height,
                                      .exif = marked.exif,
                                      .xmp = marked.xmp,
                                      .metadata = &marked.edits};
    if (code == BST_OK) code = bst_edit_manifest(&container, &canvas, store, &edits, &place, err);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (code == BST_OK) code = bst_splice(fd, &edits, collect, out, path, err);
    close(fd);
    bst_edits_clear(&edits);
    bst_marked_clear(&marked);
    bst_container_clear(&container);
    json_decref(metadata);
    return code;
}

static bool is_said(enum bst_format format, const char *type)
{
    static const char *const types[] = {"EXIF", "XMP",  "VP8X", "C2PA", "eXIf",
                                        "iTXt", "tEXt", "caBX", "APP1", "APP11"};
    (void)format;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i], type) == 0) return true;
    }
    return false;
}

/* Segments of other kinds are the same, one by one. */
static void same_rest(const char *before_path, const char *after_path)
{
    struct bst_error err = {0};
    struct bst_container before, after;
    assert_good(bst_container_scan(before_path, &before, &err));
    assert_good(bst_container_scan(after_path, &after, &err));
    size_t k = 0;
    for (size_t i = 0; i < before.count; i++) {
        struct bst_buf a = {0}, b = {0};
        if (is_said(before.format, before.segments[i].type)) continue;
        while (k < after.count && is_said(after.format, after.segments[k].type))
            k++;
        assert_true(k < after.count);
        assert_string_equal(before.segments[i].type, after.segments[k].type);
        assert_good(bst_segment_read(before_path, &before.segments[i], 1u << 24, &a, &err));
        assert_good(bst_segment_read(after_path, &after.segments[k], 1u << 24, &b, &err));
        assert_same(a, b);
        assert_int_equal(before.segments[i].whole.length, after.segments[k].whole.length);
        bst_buf_free(&a);
        bst_buf_free(&b);
        k++;
    }
    assert_int_equal(before.trailing.length, after.trailing.length);
    bst_container_clear(&before);
    bst_container_clear(&after);
}

static void said(const char *path)
{
    struct bst_error err = {0};
    struct bst_container container;
    json_t *metadata;
    assert_good(bst_container_scan(path, &container, &err));
    assert_good(bst_metadata_read(path, &container, &metadata, &err));
    assert_int_equal(json_array_size(json_object_get(metadata, "problems")), 0);
    const json_t *xmp = json_object_get(metadata, "xmp");
    assert_string_equal(bst_json_text(xmp, "Iptc4xmpExt:DigitalSourceType"), SOURCE);
    assert_string_equal(bst_json_text(xmp, "plus:DataMining"), BST_NO_TRAINING);
    assert_non_null(json_object_get(json_object_get(metadata, "exif"), "0x9287"));
    json_t *label = bst_aigc_find(metadata);
    assert_non_null(label);
    assert_string_equal(bst_json_text(label, "Label"), "1");
    json_decref(label);
    json_decref(metadata);
    bst_container_clear(&container);
}

/* VP8X must tell of the chunks. */
static void flags_fit(const struct bst_buf *file)
{
    if (memcmp(file->data, "RIFF", 4) != 0) return;
    assert_memory_equal(file->data + 12, "VP8X", 4);
    assert_int_equal(file->data[20] & 0x0c, 0x0c);
    assert_int_equal(bst_get_le32(file->data + 4) + 8, file->len);
}

static void check_file(const char *name, const struct bst_buf *file)
{
    static const uint8_t bytes[200] = {0, 0, 0, 200, 'j', 'u', 'm', 'b'};
    struct bst_error err = {0};
    json_t *label = json_pack("{s:s, s:s}", "Label", "1", "ContentProducer", "X");
    const struct bst_marks marks = {.image_id = "77e74327-6c43-4be0-8185-6388508f11d8",
                                    .when = "2026-11-22T09:30:00Z",
                                    .source_type = SOURCE,
                                    .no_train = true,
                                    .aigc = label};
    const char *path = in_folder(name), *after = in_folder("after"), *twice = in_folder("twice");
    struct bst_buf made = {0}, again = {0}, store = {0};
    bst_buf_append(&store, bytes, sizeof(bytes));
    write_file(path, file->data, file->len);
    assert_good(say(path, &marks, NULL, &made, &err));
    write_file(after, made.data, made.len);
    same_rest(path, after);
    said(after);
    flags_fit(&made);
    /* said already: nothing changes, but for a label, which is written again */
    struct bst_marks fewer = marks;
    fewer.aigc = NULL;
    assert_good(say(after, &fewer, NULL, &again, &err));
    assert_same(again, made);
    if (memcmp(file->data, "\xff\xd8", 2) != 0) { /* of a JPEG the scanner knows a real store alone */
        again.len = 0;
        assert_good(say(path, &marks, &store, &again, &err));
        write_file(twice, again.data, again.len);
        same_rest(path, twice);
        said(twice);
    }
    bst_buf_free(&made);
    bst_buf_free(&again);
    bst_buf_free(&store);
    json_decref(label);
}

static void png_files(void **state)
{
    (void)state;
    struct bst_buf file = {0}, chunks = {0}, joined = {0};
    make_png(&file);
    check_file("plain.png", &file);
    bst_png_chunk(&chunks, "gAMA", "\0\0\xb1\x8f", 4);
    bst_png_chunk(&chunks, "eXIf", "II*\0\x08\0\0\0\0\0\0\0\0\0", 14);
    bst_png_text(&chunks, "AIGC", "{\"Label\":\"2\"}");
    bst_png_text(&chunks, "Comment", "kept");
    bst_buf_append(&joined, file.data, BST_PNG_HEAD);
    bst_buf_append(&joined, chunks.data, chunks.len);
    bst_buf_append(&joined, file.data + BST_PNG_HEAD, file.len - BST_PNG_HEAD);
    bst_buf_text(&joined, "behind the end");
    check_file("rich.png", &joined);
    bst_buf_free(&file);
    bst_buf_free(&chunks);
    bst_buf_free(&joined);
}

static void jpeg_files(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf file = {0}, joined = {0};
    assert_good(bst_file_read("tests/fuzz/corpus/image/base.jpg", 1u << 20, &file, &err));
    check_file("plain.jpg", &file);
    static const char exif[] = "\xff\xe1\0\x16"
                               "Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0";
    static const char comment[] = "\xff\xfe\0\x06kept";
    bst_buf_append(&joined, "\xff\xd8", 2); /* EXIF first, as cameras do, then JFIF and a comment */
    bst_buf_append(&joined, exif, sizeof(exif) - 1);
    bst_buf_append(&joined, file.data + 2, file.len - 2);
    bst_buf_append(&joined, "more", 4);
    check_file("camera.jpg", &joined);
    joined.len = 0;
    bst_buf_append(&joined, "\xff\xd8", 2);
    bst_buf_append(&joined, comment, sizeof(comment) - 1);
    bst_buf_append(&joined, file.data + 2, file.len - 2);
    check_file("comment.jpg", &joined);
    bst_buf_free(&file);
    bst_buf_free(&joined);
}

static void webp_files(void **state)
{
    (void)state;
    struct bst_buf file = {0}, joined = {0};
    for (int lossless = 0; lossless < 2; lossless++) {
        file.len = 0;
        make_webp(97, 63, lossless, &file);
        check_file("simple.webp", &file);
    }
    static const char packet[] =
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/"
        "22-rdf-syntax-ns#\"></rdf:RDF></x:xmpmeta>";
    begin_webp(&joined);
    add_chunk(&joined, "VP8X", "\x04\0\0\0\x60\0\0\x3e\0\0", 10);
    bst_buf_append(&joined, file.data + 12, file.len - 12);
    add_chunk(&joined, "XMP ", packet, sizeof(packet) - 1);
    add_chunk(&joined, "odd ", "123", 3);
    close_webp(&joined);
    check_file("extended.webp", &joined);
    bst_buf_free(&file);
    bst_buf_free(&joined);
}

/* A JPEG segment holds 64 KiB: what would not fit is refused, not cut. */
static void no_room(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf file = {0}, joined = {0}, made = {0};
    static const char head[] =
        BST_XMP_MARK "\0<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/"
                     "22-rdf-syntax-ns#\"></rdf:RDF></x:xmpmeta><!--";
    struct bst_buf packet = {0};
    bst_buf_append(&packet, head, sizeof(head) - 1);
    while (packet.len < 65500)
        bst_buf_byte(&packet, 'x');
    bst_buf_text(&packet, "-->");
    assert_good(bst_file_read("tests/fuzz/corpus/image/base.jpg", 1u << 20, &file, &err));
    bst_buf_append(&joined, "\xff\xd8\xff\xe1", 4);
    bst_buf_be16(&joined, (uint16_t)(packet.len + 2));
    bst_buf_append(&joined, packet.data, packet.len);
    bst_buf_append(&joined, file.data + 2, file.len - 2);
    write_file(in_folder("full.jpg"), joined.data, joined.len);
    const struct bst_marks marks = {.image_id = "77e74327-6c43-4be0-8185-6388508f11d8",
                                    .when = "2026-11-22T09:30:00Z",
                                    .source_type = SOURCE};
    assert_int_equal(say(in_folder("full.jpg"), &marks, NULL, &made, &err), BST_USAGE);
    assert_non_null(strstr(err.hint, "--keep-metadata"));
    bst_buf_free(&file);
    bst_buf_free(&joined);
    bst_buf_free(&packet);
    bst_buf_free(&made);
}

/* Further pictures of a file are found from the list of them on: what comes before it may grow, what comes behind may not. */
static void lists_of_pictures(void **state)
{
    (void)state;
    static const char list[] = "\xff\xe2\0\x0bMPF\0MM\0*\0";
    static const char head[] =
        BST_XMP_MARK "\0<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF "
                     "xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"/></x:xmpmeta>";
    struct bst_error err = {0};
    struct bst_buf file = {0};
    const struct bst_marks marks = {.image_id = "77e74327-6c43-4be0-8185-6388508f11d8",
                                    .when = "2026-11-22T09:30:00Z",
                                    .source_type = SOURCE};
    assert_good(bst_file_read("tests/fuzz/corpus/image/base.jpg", 1u << 20, &file, &err));
    for (int behind = 0; behind < 2; behind++) {
        struct bst_buf joined = {0}, made = {0};
        bst_buf_append(&joined, "\xff\xd8", 2);
        if (behind) bst_buf_append(&joined, list, sizeof(list) - 1);
        bst_buf_append(&joined, "\xff\xe1", 2);
        bst_buf_be16(&joined, (uint16_t)(sizeof(head) - 1 + 2));
        bst_buf_append(&joined, head, sizeof(head) - 1);
        if (!behind) bst_buf_append(&joined, list, sizeof(list) - 1);
        bst_buf_append(&joined, file.data + 2, file.len - 2);
        write_file(in_folder("list.jpg"), joined.data, joined.len);
        assert_int_equal(say(in_folder("list.jpg"), &marks, NULL, &made, &err),
                         behind ? BST_UNREADABLE : BST_OK);
        if (behind) assert_non_null(strstr(err.hint, "--keep-metadata"));
        bst_buf_free(&joined);
        bst_buf_free(&made);
    }
    bst_buf_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_files), cmocka_unit_test(jpeg_files),        cmocka_unit_test(webp_files),
        cmocka_unit_test(no_room),   cmocka_unit_test(lists_of_pictures),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
