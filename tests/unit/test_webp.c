/* test_webp.c - WebP files scanned, decoded, digested, and refused when they are not what they claim (RFC 9649). */
#include "scan_fixture.h"
#include "webp_fixture.h"

#include <jansson.h>

static const uint8_t vp8x[10] = {0, 0, 0, 0, 95, 0, 0, 63, 0, 0}; /* 96 x 64 */

/* The chunk behind the header of a simple file, with its type and length. */
static void add_picture(struct bst_buf *out)
{
    struct bst_buf simple = {0};
    make_webp(96, 64, false, &simple);
    bst_buf_append(out, simple.data + 12, simple.len - 12);
    bst_buf_free(&simple);
}

static void simple_files(void **state)
{
    (void)state;
    struct bst_error err = {0};
    for (int lossless = 0; lossless < 2; lossless++) {
        struct bst_buf file = {0};
        make_webp(96, 64, lossless, &file);
        assert_good(scan(&file, &err));
        assert_int_equal(scanned.format, BST_FORMAT_WEBP);
        assert_int_equal(scanned.count, 1);
        assert_string_equal(scanned.segments[0].type, lossless ? "VP8L" : "VP8");
        assert_int_equal(scanned.segments[0].whole.start, 12);
        assert_int_equal(scanned.segments[0].whole.length, file.len - 12);
        assert_int_equal(scanned.trailing.length, 0);
        assert_false(scanned.has_manifest);
        bst_container_clear(&scanned);
        bst_buf_free(&file);
    }
}

static void chunks_follow_each_other(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf file = {0};
    begin_webp(&file);
    add_chunk(&file, "VP8X", vp8x, sizeof(vp8x));
    add_chunk(&file, "ICCP", "odd", 3);
    add_picture(&file);
    add_chunk(&file, "EXIF", "MM\0*\0\0\0\x08\0\0\0\0\0\0", 14);
    add_chunk(&file, "XMP ", "<x/>", 4);
    close_webp(&file);
    bst_buf_text(&file, "behind");
    assert_good(scan(&file, &err));
    uint64_t at = 12;
    for (size_t i = 0; i < scanned.count; i++) {
        assert_int_equal(scanned.segments[i].whole.start, at);
        at += scanned.segments[i].whole.length;
    }
    assert_int_equal(scanned.trailing.start, at);
    assert_int_equal(scanned.trailing.length, 6);
    assert_string_equal(scanned.segments[1].type, "ICCP");
    assert_int_equal(scanned.segments[1].whole.length, 12); /* with the byte that makes it even */
    assert_int_equal(scanned.segments[1].data.length, 3);
    assert_string_equal(scanned.segments[scanned.count - 1].type, "XMP");
    bst_container_clear(&scanned);
    bst_buf_free(&file);
}

/* An odd store: what a binding leaves out ends with its last byte, the digest without it takes the padding too. */
static void manifest_and_plain_digest(void **state)
{
    (void)state;
    struct bst_error err = {0};
    uint8_t want[BST_SHA256_LEN], have[BST_SHA256_LEN];
    struct bst_buf without = {0}, with = {0};
    begin_webp(&without);
    add_chunk(&without, "VP8X", vp8x, sizeof(vp8x));
    add_picture(&without);
    close_webp(&without);
    bst_sha256(without.data, without.len, want);
    bst_buf_append(&with, without.data, without.len);
    add_chunk(&with, "C2PA", "seven..", 7);
    close_webp(&with);
    assert_good(scan(&with, &err));
    assert_int_equal(scanned.manifest.start, without.len);
    assert_int_equal(scanned.manifest.length, 15);
    holds_store("seven..", 7);
    assert_good(bst_container_digest_plain(scan_path(), &scanned, have, &err));
    assert_memory_equal(have, want, sizeof(want));
    bst_container_clear(&scanned);
    bst_buf_free(&with);
    bst_buf_free(&without);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf file = {0};
    make_webp(96, 64, false, &file);
    size_t whole = file.len;
    for (file.len = 0; file.len < whole; file.len += file.len < 64 ? 1 : 29)
        assert_int_equal(scan(&file, &err), BST_UNREADABLE);
    bst_buf_free(&file);
}

static void closed_and_refused(struct bst_buf *file, enum bst_code want, const char *why)
{
    close_webp(file);
    refused(file, want, why);
}

static void wrong_orders_are_refused(void **state)
{
    (void)state;
    struct bst_buf file = {0};
    begin_webp(&file);
    add_chunk(&file, "EXIF", "", 0);
    add_picture(&file);
    closed_and_refused(&file, BST_UNREADABLE, "must begin with");
    begin_webp(&file);
    add_picture(&file);
    add_chunk(&file, "VP8X", vp8x, sizeof(vp8x));
    closed_and_refused(&file, BST_UNREADABLE, "must be the first");
    begin_webp(&file);
    add_chunk(&file, "VP8X", vp8x, 9);
    add_picture(&file);
    closed_and_refused(&file, BST_UNREADABLE, "10 bytes");
    begin_webp(&file);
    add_picture(&file);
    add_picture(&file);
    closed_and_refused(&file, BST_UNREADABLE, "second picture");
    begin_webp(&file);
    add_picture(&file);
    add_chunk(&file, "ANMF", "1234567890123456", 16);
    closed_and_refused(&file, BST_UNREADABLE, "frame of an animation");
    begin_webp(&file);
    add_chunk(&file, "VP8X", vp8x, sizeof(vp8x));
    closed_and_refused(&file, BST_UNREADABLE, "no picture data");
    begin_webp(&file);
    add_picture(&file);
    add_chunk(&file, "C2PA", "store", 5);
    add_chunk(&file, "C2PA", "store", 5);
    closed_and_refused(&file, BST_BROKEN, "two C2PA");
    begin_webp(&file);
    add_picture(&file);
    add_chunk(&file, "a\nbc", "", 0);
    closed_and_refused(&file, BST_UNREADABLE, "no chunk type");
}

/* The last chunk says that it reaches behind the end: by one byte, and by as much as 32 bits can say. */
static void lengths_beyond_the_end_are_refused(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {6, 7, 0x7fffffff, 0xfffffff0, 0xffffffff};
    struct bst_error err = {0};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct bst_buf file = {0};
        begin_webp(&file);
        add_picture(&file);
        add_chunk(&file, "XMP ", "1234", 4);
        put_le32(file.data + file.len - 8, lengths[i]);
        close_webp(&file);
        assert_int_equal(scan(&file, &err), BST_UNREADABLE);
        assert_non_null(strstr(err.where, "XMP"));
        put_le32(file.data + 4, lengths[i]); /* and so may the file itself */
        put_le32(file.data + file.len - 8, 4);
        if (lengths[i] > file.len) assert_int_equal(scan(&file, &err), BST_UNREADABLE);
        bst_buf_free(&file);
    }
}

static void too_many_chunks_are_refused(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf file = {0};
    begin_webp(&file);
    add_picture(&file);
    for (size_t i = 0; i < BST_SEGMENT_MAX; i++)
        add_chunk(&file, "junk", "", 0);
    close_webp(&file);
    assert_int_equal(scan(&file, &err), BST_UNREADABLE);
    assert_non_null(strstr(err.what, "segments"));
    bst_buf_free(&file);
}

/* ---- pixels ---- */

static void lossless_pixels_are_exact(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf file = {0};
    struct bst_image image, decoded;
    make_gradient(96, 64, &image);
    make_webp(96, 64, true, &file);
    assert_good(bst_image_decode(file.data, file.len, "x.webp", &decoded, &err));
    assert_int_equal(decoded.width, 96);
    assert_int_equal(decoded.height, 64);
    assert_int_equal(decoded.channels, 3);
    assert_memory_equal(decoded.samples, image.samples, bst_image_size(&image));
    bst_image_clear(&decoded);
    for (size_t len = 0; len < file.len; len += 37)
        assert_int_equal(bst_image_decode(file.data, len, "x.webp", &decoded, &err), BST_UNREADABLE);
    bst_image_clear(&image);
    bst_buf_free(&file);
}

static void alpha_is_kept(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_image decoded;
    uint8_t *made = NULL;
    static const uint8_t samples[16] = {255, 0, 0, 255, 0, 255, 0, 128, 0, 0, 255, 64, 9, 8, 7, 255};
    size_t len = WebPEncodeLosslessRGBA(samples, 2, 2, 8, &made);
    assert_good(bst_image_decode(made, len, "x.webp", &decoded, &err));
    assert_int_equal(decoded.channels, 4);
    assert_memory_equal(decoded.samples, samples, sizeof(samples));
    bst_image_clear(&decoded);
    WebPFree(made);
}

static void animations_are_refused(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_image decoded;
    struct bst_buf file = {0};
    uint8_t animated[10];
    memcpy(animated, vp8x, sizeof(animated));
    animated[0] = 0x02;
    begin_webp(&file);
    add_chunk(&file, "VP8X", animated, sizeof(animated));
    add_chunk(&file, "ANIM", "\0\0\0\0\0", 6);
    add_chunk(&file, "ANMF", "0123456789012345", 16);
    close_webp(&file);
    assert_int_equal(bst_image_decode(file.data, file.len, "x.webp", &decoded, &err), BST_UNREADABLE);
    assert_non_null(strstr(err.what, "animated"));
    bst_buf_free(&file);
}

/* A file read for its pixels alone is judged as the whole of it. */
static void check_file(const struct bst_buf *file, enum bst_code want)
{
    struct bst_error err = {0};
    struct bst_image decoded, shape;
    uint8_t whole[BST_SHA256_LEN], by_rows[BST_SHA256_LEN];
    write_file(in_folder("pixels.webp"), file->data, file->len);
    assert_int_equal(bst_image_decode(file->data, file->len, "x.webp", &decoded, &err), want);
    assert_int_equal(bst_image_digest_file(in_folder("pixels.webp"), &shape, by_rows, &err), want);
    if (want != BST_OK) {
        assert_non_null(strstr(err.where, "pixels.webp"));
        return;
    }
    bst_image_digest(&decoded, whole);
    assert_memory_equal(by_rows, whole, sizeof(whole));
    assert_int_equal(shape.width, decoded.width);
    assert_int_equal(shape.channels, decoded.channels);
    bst_image_clear(&decoded);
}

static void other_chunks_are_passed_over(void **state)
{
    (void)state;
    struct bst_buf file = {0};
    begin_webp(&file);
    add_chunk(&file, "VP8X", vp8x, sizeof(vp8x));
    add_chunk(&file, "JUNK", "12345", 5);
    add_picture(&file);
    size_t end = file.len;
    add_chunk(&file, "JUNK", "123456", 6);
    close_webp(&file);
    check_file(&file, BST_OK);
    bst_buf_byte(&file, 'x'); /* behind the file */
    check_file(&file, BST_OK);
    for (size_t len = 0; len < end; len += 7) {
        struct bst_buf cut = {.data = file.data, .len = len};
        check_file(&cut, BST_UNREADABLE);
    }
    struct bst_buf short_of = {.data = file.data, .len = end};
    put_le32(file.data + 4, (uint32_t)end - 8 - 4); /* the picture's chunk does not end within the file */
    check_file(&short_of, BST_UNREADABLE);
    put_le32(file.data + 4, 12 + 10 + 8 + 5); /* no picture at all */
    check_file(&short_of, BST_UNREADABLE);
    bst_buf_free(&file);
    begin_webp(&file); /* the simple format begins with the picture */
    add_chunk(&file, "JUNK", "1234", 4);
    add_picture(&file);
    close_webp(&file);
    check_file(&file, BST_UNREADABLE);
    bst_buf_free(&file);
}

/* ---- metadata ---- */

static void metadata_is_read(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_identity author = make_identity();
    struct bst_generation generation = make_generation(BST_PUBLIC);
    struct bst_words words;
    struct bst_buf file = {0}, exif = {0}, xmp = {0};
    json_t *metadata;
    assert_good(bst_words_fill(&generation, &author, &words, &err));
    assert_good(bst_exif_write(&words, &exif, &err));
    assert_good(bst_xmp_write(&words, &xmp, &err));
    begin_webp(&file);
    add_chunk(&file, "VP8X", vp8x, sizeof(vp8x));
    add_picture(&file);
    add_chunk(&file, "EXIF", exif.data, exif.len);
    add_chunk(&file, "XMP ", xmp.data, xmp.len);
    close_webp(&file);
    assert_good(scan(&file, &err));
    assert_good(bst_metadata_read(scan_path(), &scanned, &metadata, &err));
    assert_string_equal(json_string_value(bst_json_at(metadata, "exif.Artist")), "Ada Example");
    assert_string_equal(bst_json_text(json_object_get(metadata, "xmp"), "Iptc4xmpExt:DigitalSourceType"),
                        BST_SOURCE_GENERATED);
    assert_int_equal(json_array_size(json_object_get(metadata, "problems")), 0);
    json_decref(metadata);
    bst_container_clear(&scanned);
    bst_words_clear(&words);
    bst_buf_free(&file);
    bst_buf_free(&exif);
    bst_buf_free(&xmp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simple_files),
        cmocka_unit_test(chunks_follow_each_other),
        cmocka_unit_test(manifest_and_plain_digest),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(wrong_orders_are_refused),
        cmocka_unit_test(lengths_beyond_the_end_are_refused),
        cmocka_unit_test(too_many_chunks_are_refused),
        cmocka_unit_test(lossless_pixels_are_exact),
        cmocka_unit_test(alpha_is_kept),
        cmocka_unit_test(animations_are_refused),
        cmocka_unit_test(other_chunks_are_passed_over),
        cmocka_unit_test(metadata_is_read),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
