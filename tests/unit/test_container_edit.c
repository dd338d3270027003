/* test_container_edit.c - manifests put into PNG, JPEG and WebP files and taken out again, in stores of every size that
 * changes the form; the picture and all else stay byte for byte. */
#include "webp_fixture.h"

#include "container_edit.h"

#include <fcntl.h>
#include <jpeglib.h>

static void make_jpeg(struct bst_buf *out)
{
    struct jpeg_compress_struct jpeg = {0};
    struct jpeg_error_mgr manager;
    struct bst_image image;
    unsigned char *made = NULL;
    unsigned long len = 0;
    make_gradient(96, 64, &image);
    jpeg.err = jpeg_std_error(&manager);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &made, &len);
    jpeg.image_width = 96;
    jpeg.image_height = 64;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < 64) {
        JSAMPROW row = image.samples + jpeg.next_scanline * (size_t)96 * 3;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    bst_buf_append(out, made, len);
    free(made);
    bst_image_clear(&image);
}

/* Boxes that a scanner takes for a store, of len bytes. */
static void make_store(size_t len, uint8_t fill, struct bst_buf *out)
{
    static const uint8_t head[] = {0,   0,    0,    30,   'j', 'u',  'm',  'd', 'c', '2',
                                   'p', 'a',  0,    0x11, 0,   0x10, 0x80, 0,   0,   0xaa,
                                   0,   0x38, 0x9b, 0x71, 3,   'c',  '2',  'p', 'a', 0};
    out->len = 0;
    bst_buf_be32(out, (uint32_t)len);
    bst_buf_text(out, "jumb");
    bst_buf_append(out, head, sizeof(head));
    while (out->len < len)
        bst_buf_byte(out, (uint8_t)(fill + out->len % 251));
}

static bool put_buf(void *arg, const void *data, size_t len)
{
    bst_buf_append(arg, data, len);
    return true;
}

static void splice(const char *path, const struct bst_edits *edits, struct bst_buf *out)
{
    struct bst_error err = {0};
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    out->len = 0;
    assert_good(bst_splice(fd, edits, put_buf, out, path, &err));
    close(fd);
}

static const struct bst_canvas canvas = {.width = 96, .height = 64};

/* The file with the store in it; store NULL: without. */
static void edit(const struct bst_buf *file, const struct bst_buf *store, struct bst_buf *out,
                 struct bst_place *place)
{
    struct bst_error err = {0};
    struct bst_container container;
    struct bst_edits edits;
    const char *path = in_folder("edit");
    write_file(path, file->data, file->len);
    assert_good(bst_container_scan(path, &container, &err));
    assert_good(bst_edit_manifest(&container, &canvas, store, &edits, place, &err));
    splice(path, &edits, out);
    bst_edits_clear(&edits);
    bst_container_clear(&container);
}

static void check_with(const struct bst_buf *with, const struct bst_buf *plain, const struct bst_buf *store,
                       const struct bst_place *place)
{
    struct bst_error err = {0};
    struct bst_container container;
    struct bst_buf found = {0};
    uint8_t want[BST_SHA256_LEN], have[BST_SHA256_LEN];
    const char *path = in_folder("with");
    write_file(path, with->data, with->len);
    assert_good(bst_container_scan(path, &container, &err));
    assert_true(container.has_manifest);
    assert_int_equal(container.manifest.start, place->start);
    assert_int_equal(container.manifest.length, bst_place_length(container.format, store->len));
    assert_good(bst_container_manifest(path, &container, &found, &err));
    assert_int_equal(found.len, store->len);
    assert_memory_equal(found.data, store->data, store->len);
    bst_sha256(plain->data, plain->len, want);
    assert_good(bst_container_digest_plain(path, &container, have, &err));
    assert_memory_equal(have, want, sizeof(want));
    bst_buf_free(&found);
    bst_container_clear(&container);
}

static void check_pixels(const struct bst_buf *a, const struct bst_buf *b)
{
    struct bst_error err = {0};
    struct bst_image x, y;
    assert_good(bst_image_decode(a->data, a->len, "a", &x, &err));
    assert_good(bst_image_decode(b->data, b->len, "b", &y, &err));
    assert_int_equal(bst_image_size(&x), bst_image_size(&y));
    assert_memory_equal(x.samples, y.samples, bst_image_size(&x));
    bst_image_clear(&x);
    bst_image_clear(&y);
}

/* In, replaced by another, and out again. */
static void round_trip(const struct bst_buf *file)
{
    /* one segment of APP11 holds 64000 bytes */
    static const size_t sizes[] = {40, 1000, 63999 + 1, 64002, 128000, 128002, 300000};
    struct bst_buf plain = {0}, with = {0}, other = {0}, back = {0}, store = {0};
    struct bst_place place;
    edit(file, NULL, &plain, &place);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        make_store(sizes[i], 1, &store);
        edit(file, &store, &with, &place);
        check_with(&with, &plain, &store, &place);
        check_pixels(file, &with);
        make_store(sizes[i] / 4 * 2 + 40, 9, &store);
        edit(&with, &store, &other, &place);
        check_with(&other, &plain, &store, &place);
        edit(&other, NULL, &back, &place);
        assert_same(back, plain);
    }
    bst_buf_free(&plain);
    bst_buf_free(&with);
    bst_buf_free(&other);
    bst_buf_free(&back);
    bst_buf_free(&store);
}

static void png(void **state)
{
    (void)state;
    struct bst_buf file = {0}, plain = {0};
    struct bst_place place;
    make_png(&file);
    round_trip(&file);
    bst_buf_text(&file, "behind the end");
    round_trip(&file);
    edit(&file, NULL, &plain, &place);
    assert_int_equal(place.start, 33);
    assert_same(plain, file);
    bst_buf_free(&plain);
    bst_buf_free(&file);
}

static void jpeg(void **state)
{
    (void)state;
    struct bst_buf file = {0}, bare = {0}, plain = {0};
    struct bst_place place;
    make_jpeg(&file);
    round_trip(&file);
    edit(&file, NULL, &plain, &place);
    assert_int_equal(place.start, 20); /* behind SOI and APP0 */
    assert_same(plain, file);
    bst_buf_append(&bare, file.data, 2); /* the same without APP0 */
    bst_buf_append(&bare, file.data + 20, file.len - 20);
    round_trip(&bare);
    edit(&bare, NULL, &plain, &place);
    assert_int_equal(place.start, 2);
    bst_buf_free(&bare);
    bst_buf_free(&plain);
    bst_buf_free(&file);
}

static void webp(void **state)
{
    (void)state;
    for (int lossless = 0; lossless < 2; lossless++) {
        struct bst_buf file = {0}, plain = {0}, again = {0};
        struct bst_place place;
        make_webp(96, 64, lossless, &file);
        round_trip(&file);
        edit(&file, NULL, &plain, &place); /* in the extended format */
        assert_int_equal(plain.len, file.len + 18);
        assert_memory_equal(plain.data + 12, "VP8X\x0a\0\0\0\0\0\0\0\x5f\0\0\x3f\0\0", 18);
        assert_memory_equal(plain.data + 30, file.data + 12, file.len - 12);
        edit(&plain, NULL, &again, &place);
        assert_same(again, plain);
        round_trip(&plain);
        bst_buf_free(&again);
        bst_buf_free(&plain);
        bst_buf_free(&file);
    }
}

/* What a binding digests before the manifest is there is what stands around it afterwards. */
static void webp_binding_digest(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf file = {0}, store = {0}, with = {0}, around = {0};
    struct bst_container container;
    struct bst_edits edits;
    struct bst_place place;
    make_webp(96, 64, false, &file);
    make_store(5000, 3, &store);
    edit(&file, &store, &with, &place);
    assert_good(bst_container_scan(in_folder("edit"), &container, &err));
    assert_good(bst_edit_around(&container, &canvas, store.len, &edits, &err));
    splice(in_folder("edit"), &edits, &around);
    assert_int_equal(around.len, place.start);
    assert_memory_equal(around.data, with.data, around.len);
    bst_edits_clear(&edits);
    bst_container_clear(&container);
    bst_buf_free(&file);
    bst_buf_free(&store);
    bst_buf_free(&with);
    bst_buf_free(&around);
}

/* The last chunk of odd length whose padding the writer forgot. */
static void webp_without_padding(void **state)
{
    (void)state;
    struct bst_buf file = {0}, with = {0}, plain = {0}, store = {0};
    struct bst_place place;
    make_webp(96, 64, false, &file);
    add_chunk(&file, "XMP ", "<x>", 3);
    file.len--;
    close_webp(&file);
    make_store(4000, 5, &store);
    edit(&file, NULL, &plain, &place);
    assert_int_equal(plain.len % 2, 0);
    edit(&file, &store, &with, &place);
    check_with(&with, &plain, &store, &place);
    bst_buf_free(&file);
    bst_buf_free(&with);
    bst_buf_free(&plain);
    bst_buf_free(&store);
}

static void webp_beyond_4_gib(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf file = {0};
    struct bst_container container;
    struct bst_edits edits;
    make_webp(96, 64, false, &file);
    write_file(in_folder("edit"), file.data, file.len);
    assert_good(bst_container_scan(in_folder("edit"), &container, &err));
    assert_int_equal(bst_edit_around(&container, &canvas, UINT32_MAX, &edits, &err), BST_USAGE);
    bst_container_clear(&container);
    bst_buf_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png),
        cmocka_unit_test(jpeg),
        cmocka_unit_test(webp),
        cmocka_unit_test(webp_binding_digest),
        cmocka_unit_test(webp_without_padding),
        cmocka_unit_test(webp_beyond_4_gib),
    };
    return cmocka_run_group_tests(tests, folder_setup, folder_teardown);
}
