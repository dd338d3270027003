/* test_container.c - PNG and JPEG files scanned, digested, and refused when they are not what they claim. */
#include "stamp_fixture.h"

#include <jpeglib.h>

static void scan_png(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_container container;
    struct bst_buf png = {0};
    make_png(&png);
    const char *path = in_folder("plain.png");
    write_file(path, png.data, png.len);
    assert_good(bst_container_scan(path, &container, &err));
    assert_int_equal(container.format, BST_FORMAT_PNG);
    assert_int_equal(container.size, png.len);
    assert_false(container.has_manifest);
    assert_int_equal(container.trailing.length, 0);
    assert_string_equal(container.segments[0].type, "IHDR");
    assert_int_equal(container.segments[0].whole.start, 8);
    assert_int_equal(container.segments[0].whole.length, 25);
    assert_int_equal(container.segments[0].data.length, 13);
    assert_string_equal(container.segments[container.count - 1].type, "IEND");
    uint64_t pos = 8; /* segments follow each other without gaps */
    for (size_t i = 0; i < container.count; i++) {
        assert_int_equal(container.segments[i].whole.start, pos);
        pos += container.segments[i].whole.length;
    }
    assert_int_equal(pos, png.len);
    bst_container_clear(&container);
    bst_buf_free(&png);
}

static void trailing_bytes_are_noted(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_container container;
    struct bst_buf png = {0};
    make_png(&png);
    size_t end = png.len;
    bst_buf_text(&png, "appended");
    const char *path = in_folder("trailing.png");
    write_file(path, png.data, png.len);
    assert_good(bst_container_scan(path, &container, &err));
    assert_int_equal(container.trailing.start, end);
    assert_int_equal(container.trailing.length, 8);
    bst_container_clear(&container);
    bst_buf_free(&png);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_container container;
    struct bst_buf png = {0};
    make_png(&png);
    const char *path = in_folder("short.png");
    for (size_t len = 0; len < png.len; len += len < 200 ? 1 : 53) {
        write_file(path, png.data, len);
        assert_int_equal(bst_container_scan(path, &container, &err), BST_UNREADABLE);
        assert_true(strstr(err.where, "short.png") != NULL);
    }
    bst_buf_free(&png);
}

static void every_changed_byte_is_noticed(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_container container;
    struct bst_buf png = {0};
    make_png(&png);
    const char *path = in_folder("flip.png");
    for (size_t i = 0; i < png.len; i += i < 300 ? 1 : 31) {
        png.data[i] ^= 0x20;
        write_file(path, png.data, png.len);
        assert_int_equal(bst_container_scan(path, &container, &err), BST_UNREADABLE);
        png.data[i] ^= 0x20;
    }
    bst_buf_free(&png);
}

static void errors_name_the_place(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_container container;
    struct bst_buf png = {0};
    make_png(&png);
    const char *path = in_folder("crc.png");
    png.data[33 + 13 + 8] ^= 1; /* sRGB takes 13 bytes behind IHDR: the first data byte of IDAT */
    write_file(path, png.data, png.len);
    assert_int_equal(bst_container_scan(path, &container, &err), BST_UNREADABLE);
    assert_true(strstr(err.where, "chunk 2 (IDAT) at byte 46") != NULL);
    assert_int_equal(bst_container_scan(in_folder("missing.png"), &container, &err), BST_UNREADABLE);
    assert_int_equal(bst_container_scan(folder, &container, &err), BST_UNREADABLE);
    write_file(path, "GIF89a..", 8);
    assert_int_equal(bst_container_scan(path, &container, &err), BST_UNREADABLE);
    bst_buf_free(&png);
}

static void chunk_order_is_checked(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_container container;
    struct bst_buf png = {0}, chunk = {0};
    make_png(&png);
    const char *path = in_folder("order.png");
    bst_png_chunk(&chunk, "IHDR", png.data + 16, 13);
    write_spliced(path, &png, 33, &chunk);
    assert_int_equal(bst_container_scan(path, &container, &err), BST_UNREADABLE);
    chunk.len = 0; /* an IDAT of its own in front of sRGB: not consecutive */
    bst_png_chunk(&chunk, "IDAT", "x", 1);
    write_spliced(path, &png, 33, &chunk);
    assert_int_equal(bst_container_scan(path, &container, &err), BST_UNREADABLE);
    chunk.len = 0;
    bst_png_chunk(&chunk, "caBX", "one", 3);
    bst_png_chunk(&chunk, "caBX", "two", 3);
    write_spliced(path, &png, 33, &chunk);
    assert_int_equal(bst_container_scan(path, &container, &err), BST_BROKEN);
    assert_true(strstr(err.what, "two") != NULL);
    bst_buf_free(&chunk);
    bst_buf_free(&png);
}

static void digest_leaves_out_ranges(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf whole = {0}, part = {0};
    uint8_t want[BST_SHA256_LEN], have[BST_SHA256_LEN];
    for (size_t i = 0; i < 200000; i++) {
        bst_buf_byte(&whole, (uint8_t)(i * 7 >> 3));
    }
    const char *path = in_folder("bytes");
    write_file(path, whole.data, whole.len);
    struct bst_range ranges[3] = {{0, 10}, {65536, 70000}, {199999, 1}};
    bst_buf_append(&part, whole.data + 10, 65526);
    bst_buf_append(&part, whole.data + 135536, 199999 - 135536);
    bst_sha256(part.data, part.len, want);
    assert_good(bst_container_digest(path, ranges, 3, have, &err));
    assert_memory_equal(want, have, sizeof(want));
    ranges[2].length = 2; /* behind the end */
    assert_int_equal(bst_container_digest(path, ranges, 3, have, &err), BST_BROKEN);
    ranges[1].length = UINT64_MAX;
    assert_int_equal(bst_container_digest(path, ranges, 2, have, &err), BST_BROKEN);
    struct bst_range overlapping[2] = {{5, 10}, {14, 2}};
    assert_int_equal(bst_container_digest(path, overlapping, 2, have, &err), BST_BROKEN);
    bst_buf_free(&whole);
    bst_buf_free(&part);
}

/* ---- JPEG ---- */

static void make_jpeg(struct bst_buf *out)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *data = NULL, row[3 * 48];
    unsigned long size = 0;
    JSAMPROW rows[1] = {row};
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &data, &size);
    jpeg.image_width = 48;
    jpeg.image_height = 32;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg.restart_interval = 2; /* restart markers inside the picture data */
    jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (unsigned y = 0; y < 32; y++) {
        for (unsigned i = 0; i < sizeof(row); i++) {
            row[i] = (unsigned char)(i * y);
        }
        jpeg_write_scanlines(&jpeg, rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    bst_buf_append(out, data, size);
    free(data);
}

/* A box as APP11 segments of at most part bytes each. */
static void split_app11(const struct bst_buf *box, size_t part, uint16_t instance, struct bst_buf *out)
{
    uint32_t sequence = 0;
    for (size_t pos = 0; pos < box->len; pos += part) {
        size_t len = box->len - pos < part ? box->len - pos : part;
        bst_buf_be16(out, 0xffeb);
        bst_buf_be16(out, (uint16_t)(len + (sequence > 0 ? 18u : 10u)));
        bst_buf_text(out, "JP");
        bst_buf_be16(out, instance);
        bst_buf_be32(out, ++sequence);
        if (sequence > 1) bst_buf_append(out, box->data, 8);
        bst_buf_append(out, box->data + pos, len);
    }
}

static void make_store(struct bst_buf *out)
{
    size_t store = bst_jumbf_begin_super(out, BST_TYPE_STORE, "c2pa");
    bst_jumbf_leaf(out, BST_TYPE_CLAIM, "c2pa.claim.v2", BST_BOX_CBOR, "0123456789", 10);
    bst_jumbf_end(out, store);
}

static void scan_jpeg(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_container container;
    struct bst_buf jpeg = {0}, store = {0}, segments = {0}, joined = {0};
    make_jpeg(&jpeg);
    make_store(&store);
    const char *path = in_folder("picture.jpg");
    write_file(path, jpeg.data, jpeg.len);
    assert_good(bst_container_scan(path, &container, &err));
    assert_int_equal(container.format, BST_FORMAT_JPEG);
    assert_false(container.has_manifest);
    assert_string_equal(container.segments[container.count - 1].type, "EOI");
    bst_container_clear(&container);

    split_app11(&store, 50, 7, &segments);
    write_spliced(path, &jpeg, 2, &segments);
    assert_good(bst_container_scan(path, &container, &err));
    assert_true(container.has_manifest);
    assert_int_equal(container.manifest.start, 2);
    assert_int_equal(container.manifest.length, segments.len);
    assert_good(bst_container_manifest(path, &container, &joined, &err));
    assert_same(joined, store);
    bst_container_clear(&container);
    bst_buf_free(&joined);

    for (size_t len = 0; len < jpeg.len; len += 29) {
        write_file(path, jpeg.data, len);
        assert_int_equal(bst_container_scan(path, &container, &err), BST_UNREADABLE);
    }
    bst_buf_free(&jpeg);
    bst_buf_free(&store);
    bst_buf_free(&segments);
}

static void broken_app11_runs_are_refused(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_container container;
    struct bst_buf jpeg = {0}, store = {0}, segments = {0}, comment = {0}, mixed = {0};
    make_jpeg(&jpeg);
    make_store(&store);
    split_app11(&store, 50, 7, &segments);
    const char *path = in_folder("broken.jpg");
    size_t first = 4 + 8 + 50; /* where the second segment begins */

    bst_buf_append(&comment, "\xff\xfe\0\4hi", 6); /* a comment between the segments */
    bst_buf_append(&mixed, segments.data, first);
    bst_buf_append(&mixed, comment.data, comment.len);
    bst_buf_append(&mixed, segments.data + first, segments.len - first);
    write_spliced(path, &jpeg, 2, &mixed);
    assert_int_equal(bst_container_scan(path, &container, &err), BST_BROKEN);

    mixed.len = 0; /* a segment is missing */
    bst_buf_append(&mixed, segments.data, first);
    bst_buf_append(&mixed, segments.data + first + 4 + 16 + 50, segments.len - first - 70);
    write_spliced(path, &jpeg, 2, &mixed);
    assert_int_equal(bst_container_scan(path, &container, &err), BST_BROKEN);

    mixed.len = 0; /* two stores */
    split_app11(&store, 4000, 7, &mixed);
    split_app11(&store, 4000, 8, &mixed);
    write_spliced(path, &jpeg, 2, &mixed);
    assert_int_equal(bst_container_scan(path, &container, &err), BST_BROKEN);
    bst_buf_free(&jpeg);
    bst_buf_free(&store);
    bst_buf_free(&segments);
    bst_buf_free(&comment);
    bst_buf_free(&mixed);
}

/* The size is read from the header as the decoders read it. */
static void size_is_told(void **state)
{
    (void)state;
    static const char *const names[] = {"base.jpg",    "progressive.jpg", "rgb.png",      "grey16.png",
                                        "palette.png", "lossy.webp",      "lossless.webp"};
    struct bst_error err = {0};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct bst_container container;
        struct bst_image image;
        char *path = bst_path_join("tests/fuzz/corpus/image", names[i]);
        assert_good(bst_container_scan(path, &container, &err));
        assert_good(bst_image_load(path, &image, &err));
        assert_int_equal(container.width, image.width);
        assert_int_equal(container.height, image.height);
        if (container.format == BST_FORMAT_WEBP) assert_int_equal(container.alpha, image.channels == 4);
        bst_image_clear(&image);
        bst_container_clear(&container);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_png),
        cmocka_unit_test(trailing_bytes_are_noted),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(errors_name_the_place),
        cmocka_unit_test(chunk_order_is_checked),
        cmocka_unit_test(digest_leaves_out_ranges),
        cmocka_unit_test(scan_jpeg),
        cmocka_unit_test(broken_app11_runs_are_refused),
        cmocka_unit_test(size_is_told),
    };
    return cmocka_run_group_tests_name("container", tests, folder_setup, folder_teardown);
}
