/* test_thumbnail.c - pictures made small: exact means, right sizes, every kind of file. */
#include "stamp_fixture.h"

#include "image_codec.h"

#include <math.h>
#include <png.h>
#include <webp/encode.h>

static void sizes_keep_their_ratio(void **state)
{
    (void)state;
    static const uint32_t cases[][4] = {{1, 1, 1, 1},          {256, 10, 256, 10},     {257, 256, 256, 255},
                                        {1024, 512, 256, 128}, {3000, 4000, 192, 256}, {65535, 1, 256, 1},
                                        {2, 65535, 1, 256}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t width, height;
        bst_thumbnail_size(cases[i][0], cases[i][1], &width, &height);
        assert_int_equal(width, cases[i][2]);
        assert_int_equal(height, cases[i][3]);
    }
}

static void shrink(const struct bst_image *image, struct bst_shrink *out)
{
    struct bst_error err = {0};
    memset(out, 0, sizeof(*out));
    assert_good(bst_shrink_begin(out, image, &err));
    for (size_t y = 0; y < image->height; y++)
        bst_shrink_row(out, image->samples + y * image->width * image->channels);
    assert_int_equal(out->done, out->out.height);
}

/* The mean of an area, with the parts of pixels at its borders, in real numbers. */
static double mean_of(const struct bst_image *image, size_t c, double x0, double x1, double y0, double y1)
{
    double sum = 0;
    for (size_t y = (size_t)y0; y < image->height && (double)y < y1; y++) {
        for (size_t x = (size_t)x0; x < image->width && (double)x < x1; x++) {
            double wide = fmin(x1, (double)x + 1) - fmax(x0, (double)x);
            double high = fmin(y1, (double)y + 1) - fmax(y0, (double)y);
            sum += wide * high * image->samples[(y * image->width + x) * 3 + c];
        }
    }
    return sum / ((x1 - x0) * (y1 - y0));
}

static void check_means(const struct bst_image *image, const struct bst_image *small)
{
    double wide = (double)image->width / small->width, high = (double)image->height / small->height;
    for (size_t y = 0; y < small->height; y += 7) {
        for (size_t x = 0; x < small->width; x += 5) {
            for (size_t c = 0; c < 3; c++) {
                double mean = mean_of(image, c, (double)x * wide, (double)(x + 1) * wide, (double)y * high,
                                      (double)(y + 1) * high);
                double got = small->samples[(y * small->width + x) * 3 + c];
                if (fabs(got - mean) > 0.501) fail_msg("%zu,%zu: %f for %f", x, y, got, mean);
            }
        }
    }
}

static void every_pixel_is_the_mean_of_its_area(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {{64, 3}, {256, 256}, {300, 301}, {511, 257}, {1000, 90}, {97, 777}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct bst_error err = {0};
        struct bst_image image;
        struct bst_shrink made;
        uint32_t random = 12345;
        assert_good(bst_image_new(sizes[i][0], sizes[i][1], 3, 8, &image, &err));
        for (size_t k = 0; k < bst_image_size(&image); k++) {
            random = random * 1664525u + 1013904223u;
            image.samples[k] = (uint8_t)(random >> 24);
        }
        shrink(&image, &made);
        check_means(&image, &made.out);
        bst_shrink_clear(&made);
        bst_image_clear(&image);
    }
}

static void read_jpeg(const struct bst_buf *jpeg, uint32_t width, uint32_t height, struct bst_image *out)
{
    struct bst_error err = {0};
    assert_true(jpeg->len > 100 && jpeg->len < 32768);
    assert_memory_equal(jpeg->data, "\xff\xd8\xff", 3);
    assert_good(bst_image_decode(jpeg->data, jpeg->len, "thumbnail", out, &err));
    assert_int_equal(out->width, width);
    assert_int_equal(out->height, height);
}

/* Every layout of samples; half transparent black before white is grey. */
static void layouts(void **state)
{
    (void)state;
    static const struct {
        uint8_t channels, depth;
        const char *pixel;
        int rgb[3];
    } cases[] = {{1, 8, "\x64", {100, 100, 100}},
                 {1, 16, "\x64\xff", {100, 100, 100}},
                 {2, 8, "\x00\x80", {127, 127, 127}},
                 {2, 16, "\x00\x00\x80\x00", {127, 127, 127}},
                 {3, 8, "\xc8\x64\x32", {200, 100, 50}},
                 {3, 16, "\xc8\x00\x64\x00\x32\x00", {200, 100, 50}},
                 {4, 8, "\xc8\x64\x32\xff", {200, 100, 50}},
                 {4, 8, "\xc8\x64\x32\x00", {255, 255, 255}},
                 {4, 16, "\xc8\x00\x64\x00\x32\x00\xff\x00", {200, 100, 50}}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bst_error err = {0};
        struct bst_image image, small;
        struct bst_buf jpeg = {0};
        size_t bytes = (size_t)cases[i].channels * cases[i].depth / 8;
        assert_good(bst_image_new(300, 600, cases[i].channels, cases[i].depth, &image, &err));
        for (size_t k = 0; k < bst_image_size(&image); k += bytes)
            memcpy(image.samples + k, cases[i].pixel, bytes);
        assert_good(bst_thumbnail(&image, &jpeg, &err));
        read_jpeg(&jpeg, 128, 256, &small);
        const uint8_t *pixel = small.samples + 3 * (100 * 128 + 64);
        for (size_t c = 0; c < 3; c++) {
            if (abs(pixel[c] - cases[i].rgb[c]) > 4) fail_msg("case %zu: %d", i, pixel[c]);
        }
        bst_image_clear(&small);
        bst_image_clear(&image);
        bst_buf_free(&jpeg);
    }
}

static void write_interlaced(const char *path, const struct bst_image *image)
{
    png_bytep *rows = bst_calloc(image->height, sizeof(*rows));
    for (size_t y = 0; y < image->height; y++)
        rows[y] = image->samples + y * image->width * 3;
    FILE *file = fopen(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_init_io(png, file);
    png_set_compression_level(png, 1);
    png_set_IHDR(png, info, image->width, image->height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_ADAM7,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_rows(png, info, rows);
    png_write_png(png, info, PNG_TRANSFORM_IDENTITY, NULL);
    png_destroy_write_struct(&png, &info);
    fclose(file);
    free(rows);
}

/* Without edges, so that all encodings come close to it. */
static void make_smooth(uint32_t width, uint32_t height, struct bst_image *image)
{
    struct bst_error err = {0};
    assert_good(bst_image_new(width, height, 3, 8, image, &err));
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            uint8_t *p = image->samples + 3 * (y * width + x);
            p[0] = (uint8_t)(x * 255 / width);
            p[1] = (uint8_t)(y * 255 / height);
            p[2] = (uint8_t)((p[0] + p[1]) / 2);
        }
    }
}

static void make_webp_of(const struct bst_image *image, bool lossless, struct bst_buf *out)
{
    int width = (int)image->width, height = (int)image->height;
    uint8_t *made = NULL;
    size_t len = lossless ? WebPEncodeLosslessRGB(image->samples, width, height, 3 * width, &made)
                          : WebPEncodeRGB(image->samples, width, height, 3 * width, 90, &made);
    assert_true(len > 0);
    bst_buf_append(out, made, len);
    WebPFree(made);
}

/* The same picture in every kind of file looks the same. */
static void files_of_all_kinds(void **state)
{
    (void)state;
    static const char *const names[] = {"t.png", "woven.png", "t.jpg", "lossy.webp", "lossless.webp"};
    struct bst_error err = {0};
    struct bst_image image;
    struct bst_shrink want;
    struct bst_buf file[5] = {0};
    make_smooth(1200, 700, &image);
    shrink(&image, &want);
    assert_good(bst_png_encode(&image, 1, &file[0], &err));
    write_interlaced(in_folder(names[1]), &image);
    assert_good(bst_jpeg_encode(&image, 95, &file[2], &err));
    make_webp_of(&image, false, &file[3]);
    make_webp_of(&image, true, &file[4]);
    for (size_t i = 0; i < 5; i++) {
        struct bst_buf jpeg = {0};
        struct bst_image small;
        double off = 0;
        if (file[i].len > 0) write_file(in_folder(names[i]), file[i].data, file[i].len);
        assert_good(bst_thumbnail_file(in_folder(names[i]), &jpeg, &err));
        read_jpeg(&jpeg, 256, 149, &small);
        for (size_t k = 0; k < bst_image_size(&small); k++)
            off += abs(small.samples[k] - want.out.samples[k]);
        off /= (double)bst_image_size(&small);
        if (off > 2.0) fail_msg("%s: %f off", names[i], off);
        bst_image_clear(&small);
        bst_buf_free(&jpeg);
        bst_buf_free(&file[i]);
    }
    bst_shrink_clear(&want);
    bst_image_clear(&image);
}

/* What cannot be read by rows and is large gets none; what is damaged is an error. */
static void files_without(void **state)
{
    (void)state;
    static const char *const damaged[] = {"cut.png", "cut.jpg", "huge.png"};
    struct bst_error err = {0};
    struct bst_image image;
    struct bst_buf jpeg = {0};
    make_gradient(4000, 2500, &image);
    write_interlaced(in_folder("large.png"), &image);
    bst_image_clear(&image);
    assert_good(bst_thumbnail_file(in_folder("large.png"), &jpeg, &err));
    assert_int_equal(jpeg.len, 0);
    for (size_t i = 0; i < 3; i++) {
        char *path = bst_path_join("tests/fuzz/corpus/image", damaged[i]);
        err = (struct bst_error){0};
        assert_int_equal(bst_thumbnail_file(path, &jpeg, &err), BST_UNREADABLE);
        assert_non_null(strstr(err.where, damaged[i]));
        free(path);
    }
    assert_int_equal(bst_thumbnail_file(in_folder("none.png"), &jpeg, &err), BST_UNREADABLE);
    assert_int_equal(jpeg.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_keep_their_ratio),
        cmocka_unit_test(every_pixel_is_the_mean_of_its_area),
        cmocka_unit_test(layouts),
        cmocka_unit_test(files_of_all_kinds),
        cmocka_unit_test(files_without),
    };
    return cmocka_run_group_tests_name("thumbnail", tests, folder_setup, folder_teardown);
}
