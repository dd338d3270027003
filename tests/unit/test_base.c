/* test_base.c - base/: values from RFC 8785, RFC 4648, RFC 3339 and FIPS 180-4, and behaviour on bad input.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base.h"

static struct bst_error err;

/* ---- text ---- */

static void hex_round_trip(void **ctx)
{
    (void)ctx;
    uint8_t bytes[3] = {0x00, 0xa5, 0xff}, back[3];
    char text[7];
    bst_hex(bytes, 3, text);
    assert_string_equal(text, "00a5ff");
    assert_true(bst_unhex("00A5fF", back, 3));
    assert_memory_equal(back, bytes, 3);
    assert_false(bst_unhex("00a5f", back, 3));
    assert_false(bst_unhex("00a5fg", back, 3));
}

static void base64_vectors_of_rfc4648(void **ctx)
{
    (void)ctx;
    static const char *const plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    static const char *const coded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t i = 0; i < 7; i++) {
        char *text = bst_base64(plain[i], strlen(plain[i]));
        assert_string_equal(text, coded[i]);
        free(text);
        struct bst_buf back = {0};
        assert_true(bst_unbase64(coded[i], strlen(coded[i]), false, &back));
        assert_int_equal(back.len, strlen(plain[i]));
        if (back.len) assert_memory_equal(back.data, plain[i], back.len);
        bst_buf_free(&back);
    }
    static const char *const bad[] = {"Zg=",   "Zg",    "Zh==", "Z",      "Zm9v\n",
                                      "Zm 9v", "Zm9v=", "_-==", "Zm9\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bst_buf back = {0};
        assert_false(bst_unbase64(bad[i], strlen(bad[i]), false, &back));
        bst_buf_free(&back);
    }
}

static void utf8_is_judged_strictly(void **ctx)
{
    (void)ctx;
    assert_true(bst_utf8_valid("aé€\xf0\x9f\x8e\xa8", 10));
    assert_false(bst_utf8_valid("\xc0\xaf", 2));         /* overlong */
    assert_false(bst_utf8_valid("\xed\xa0\x80", 3));     /* surrogate */
    assert_false(bst_utf8_valid("\xf4\x90\x80\x80", 4)); /* beyond U+10FFFF */
    assert_false(bst_utf8_valid("\xe2\x82", 2));         /* cut off */
    assert_false(bst_utf8_valid("\x80", 1));
}

static void printable_disarms_terminals(void **ctx)
{
    (void)ctx;
    char *text = bst_printable("a\x1b[31m\xc2\x9b\xff\n\xe2\x80\xae é", 16);
    assert_string_equal(text, "a\\u001b[31m\\u009b\\xff\\n\\u202e é");
    free(text);
}

static void numbers_are_whole_or_refused(void **ctx)
{
    (void)ctx;
    uint64_t value;
    double real;
    assert_true(bst_parse_u64("18446744073709551615", &value) && value == UINT64_MAX);
    static const char *const bad[] = {"", "18446744073709551616", "-1", "+1", " 1", "1 ", "0x1", "1e3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(bst_parse_u64(bad[i], &value));
    assert_true(bst_parse_double("0.7", &real) && real == 0.7);
    assert_true(bst_parse_double("-12", &real) && real == -12);
    assert_false(bst_parse_double("1e3", &real));
    assert_false(bst_parse_double("nan", &real));
    assert_false(bst_parse_double(".", &real));
}

/* ---- time ---- */

static void times_read_and_write(void **ctx)
{
    (void)ctx;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"1970-01-01", 0},
                {"2000-02-29T12:00:00Z", 951825600000},
                {"2026-11-22T09:30:00+02:00", 1795332600000},
                {"1969-12-31T23:59:59.250Z", -750},
                {"9999-12-31T23:59:59Z", 253402300799000}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t ms;
        assert_true(bst_time_parse(good[i].text, &ms));
        assert_int_equal(ms, good[i].ms);
    }
    static const char *const bad[] = {"",
                                      "2026",
                                      "2026-13-01",
                                      "2026-02-29",
                                      "2026-11-22T25:00:00Z",
                                      "2026-11-22T09:30:00",
                                      "2026-11-22T09:30:00Zx",
                                      "2026-11-22T09:30:00+0200"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t ms;
        assert_false(bst_time_parse(bad[i], &ms));
    }
    char text[BST_TIME_LEN];
    bst_time_text(951825600999, text);
    assert_string_equal(text, "2000-02-29T12:00:00Z");
    bst_time_text(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59Z");
}

static void every_day_of_four_centuries_round_trips(void **ctx)
{
    (void)ctx;
    for (int64_t day = -80000; day < 80000; day++) {
        char text[BST_TIME_LEN];
        int64_t back;
        bst_time_text(day * 86400000, text);
        assert_true(bst_time_parse(text, &back));
        assert_int_equal(back, day * 86400000);
    }
}

static void uuids_are_version_4(void **ctx)
{
    (void)ctx;
    char a[BST_UUID_LEN], b[BST_UUID_LEN];
    bst_uuid4(a);
    bst_uuid4(b);
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), 36);
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
}

/* ---- SHA-256 ---- */

static void sha256_vector(void **ctx)
{
    (void)ctx;
    uint8_t digest[32];
    char hex[BST_SHA256_HEX];
    bst_sha256("abc", 3, digest);
    bst_hex(digest, 32, hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    struct bst_sha256_state *state = bst_sha256_new();
    bst_sha256_update(state, "a", 1);
    bst_sha256_update(state, "bc", 2);
    uint8_t again[32];
    bst_sha256_final(state, again);
    assert_memory_equal(again, digest, 32);
}

/* ---- JSON ---- */

static char *canonical(const char *text)
{
    json_t *value = NULL;
    struct bst_buf out = {0};
    assert_int_equal(bst_json_parse(text, strlen(text), &value, &err), BST_OK);
    assert_int_equal(bst_json_canonical(value, &out, &err), BST_OK);
    json_decref(value);
    return bst_buf_string(&out);
}

static void canonical_sample_of_rfc8785(void **ctx)
{
    (void)ctx;
    char *text =
        canonical("{\"numbers\": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],"
                  "\"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\","
                  "\"literals\": [null, true, false]}");
    assert_string_equal(
        text, "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
              "\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
    free(text);
}

static void canonical_keys_sort_by_utf16(void **ctx)
{
    (void)ctx;
    /* RFC 8785 3.2.3: the emoji's surrogates sort before U+FB33. */
    char *text = canonical("{\"\\ufb33\":5,\"\\ud83d\\ude00\":4,\"\\u20ac\":3,\"\\r\":1,\"1\":2}");
    assert_string_equal(text, "{\"\\r\":1,\"1\":2,\"€\":3,\"\xf0\x9f\x98\x80\":4,\"\xef\xac\xb3\":5}");
    free(text);
}

static void canonical_numbers_of_rfc8785_appendix_b(void **ctx)
{
    (void)ctx;
    static const struct {
        uint64_t bits;
        const char *text;
    } cases[] = {{0x0000000000000000, "0"},
                 {0x8000000000000000, "0"},
                 {0x0000000000000001, "5e-324"},
                 {0x8000000000000001, "-5e-324"},
                 {0x7fefffffffffffff, "1.7976931348623157e+308"},
                 {0x4340000000000000, "9007199254740992"},
                 {0x4430000000000000, "295147905179352830000"},
                 {0x44b52d02c7e14af5, "9.999999999999997e+22"},
                 {0x44b52d02c7e14af6, "1e+23"},
                 {0x444b1ae4d6e2ef4e, "999999999999999700000"},
                 {0x444b1ae4d6e2ef4f, "999999999999999900000"},
                 {0x444b1ae4d6e2ef50, "1e+21"},
                 {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
                 {0x3eb0c6f7a0b5ed8d, "0.000001"},
                 {0x41b3de4355555553, "333333333.3333332"},
                 {0x41b3de4355555555, "333333333.3333333"},
                 {0xbecbf647612f3696, "-0.0000033333333333333333"},
                 {0x43143ff3c1cb0959, "1424953923781206.2"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double value;
        memcpy(&value, &cases[i].bits, sizeof value);
        json_t *number = json_real(value);
        struct bst_buf out = {0};
        assert_int_equal(bst_json_canonical(number, &out, &err), BST_OK);
        assert_string_equal(bst_buf_string(&out), cases[i].text);
        bst_buf_free(&out);
        json_decref(number);
    }
}

static void json_refuses(void **ctx)
{
    (void)ctx;
    json_t *value = NULL;
    char deep[200];
    memset(deep, '[', sizeof deep);
    assert_int_equal(bst_json_parse(deep, sizeof deep, &value, &err), BST_UNREADABLE);
    assert_non_null(strstr(err.what, "nested"));
    static const char *const bad[] = {"",     "{",  "{\"a\":1,\"a\":2}", "[1,]", "\"\\u0000\"", "[\"\xff\"]",
                                      "{} x", "nul"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(bst_json_parse(bad[i], strlen(bad[i]), &value, &err), BST_UNREADABLE);
    }
    json_t *big = json_integer(9007199254740992);
    struct bst_buf out = {0};
    assert_int_equal(bst_json_canonical(big, &out, &err), BST_FAILURE);
    bst_buf_free(&out);
    json_decref(big);
}

static void json_paths(void **ctx)
{
    (void)ctx;
    json_t *value = json_pack("{s:{s:[i,{s:s}]}}", "a", "b", 1, "c", "deep");
    assert_string_equal(json_string_value(bst_json_at(value, "a.b.1.c")), "deep");
    assert_null(bst_json_at(value, "a.x.1"));
    assert_null(bst_json_at(value, "a.b.7"));
    json_decref(value);
}

/* ---- files ---- */

static char *folder;

static int folder_up(void **ctx)
{
    (void)ctx;
    char name[] = "/tmp/blindstamp-test-XXXXXX";
    folder = bst_strdup(mkdtemp(name));
    return folder ? 0 : -1;
}

static int folder_down(void **ctx)
{
    (void)ctx;
    char *command = bst_format("rm -rf %s", folder);
    int code = system(command);
    free(command);
    free(folder);
    return code;
}

static void files_are_written_whole_or_not_at_all(void **ctx)
{
    (void)ctx;
    char *path = bst_path_join(folder, "secret");
    assert_int_equal(bst_file_write(path, "one", 3, BST_WRITE_SECRET, &err), BST_OK);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(bst_file_write(path, "two", 3, 0, &err), BST_USAGE);
    struct bst_buf back = {0};
    assert_int_equal(bst_file_read(path, 100, &back, &err), BST_OK);
    assert_memory_equal(back.data, "one", 3);
    bst_buf_free(&back);
    assert_int_equal(bst_file_write(path, "two", 3, BST_WRITE_REPLACE, &err), BST_OK);
    assert_int_equal(bst_file_read(path, 2, &back, &err), BST_UNREADABLE);
    assert_int_equal(bst_file_read(folder, 100, &back, &err), BST_UNREADABLE);
    assert_non_null(strstr(err.what, "folder"));
    char *inside = bst_path_join(folder, "no/such/file");
    assert_int_equal(bst_file_write(inside, "x", 1, 0, &err), BST_FAILURE);
    free(inside);
    /* Nothing is left beside: the folder holds "secret" and its two dots. */
    char *command = bst_format("test $(ls -A %s | wc -l) = 1", folder);
    assert_int_equal(system(command), 0);
    free(command);
    free(path);
}

static void folders_are_made_with_parents(void **ctx)
{
    (void)ctx;
    char *path = bst_path_join(folder, "a/b/c");
    assert_int_equal(bst_folder_make(path, 0700, &err), BST_OK);
    assert_int_equal(bst_folder_make(path, 0700, &err), BST_OK);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    free(path);
}

/* ---- pictures ---- */

static void fill(struct bst_image *image)
{
    for (size_t i = 0; i < bst_image_size(image); i++)
        image->samples[i] = (uint8_t)(i * 37 + (i >> 5));
}

static void png_round_trips_every_layout(void **ctx)
{
    (void)ctx;
    for (uint8_t channels = 1; channels <= 4; channels++) {
        for (uint8_t depth = 8; depth <= 16; depth = (uint8_t)(depth + 8)) {
            struct bst_image image, back;
            struct bst_buf file = {0};
            assert_int_equal(bst_image_new(17, 5, channels, depth, &image, &err), BST_OK);
            fill(&image);
            assert_int_equal(bst_png_encode(&image, 6, &file, &err), BST_OK);
            assert_int_equal(bst_image_decode(file.data, file.len, "x.png", &back, &err), BST_OK);
            assert_int_equal(back.channels, channels);
            assert_int_equal(back.depth, depth);
            assert_memory_equal(back.samples, image.samples, bst_image_size(&image));
            bst_image_clear(&back);
            bst_image_clear(&image);
            bst_buf_free(&file);
        }
    }
}

static void damaged_png_is_refused(void **ctx)
{
    (void)ctx;
    struct bst_image image, back;
    struct bst_buf file = {0};
    assert_int_equal(bst_image_new(64, 64, 3, 8, &image, &err), BST_OK);
    fill(&image);
    assert_int_equal(bst_png_encode(&image, 6, &file, &err), BST_OK);
    for (size_t len = 0; len < file.len; len += 7) {
        assert_int_equal(bst_image_decode(file.data, len, "cut.png", &back, &err), BST_UNREADABLE);
        assert_null(back.samples);
    }
    file.data[file.len / 2] ^= 1;
    assert_int_equal(bst_image_decode(file.data, file.len, "x.png", &back, &err), BST_UNREADABLE);
    assert_non_null(strstr(err.where, "x.png"));
    bst_image_clear(&image);
    bst_buf_free(&file);
}

/* Of every length and alignment as zlib's, and in parts. */
static void crc_is_zlibs(void **ctx)
{
    (void)ctx;
    static uint8_t data[70000];
    uint32_t state = 1;
    for (size_t i = 0; i < sizeof data; i++) {
        state = state * 1664525 + 1013904223;
        data[i] = (uint8_t)(state >> 24);
    }
    assert_int_equal(bst_crc32(0, "123456789", 9), 0xcbf43926); /* ISO 3309's check value */
    for (size_t len = 0; len < 400; len++) {
        const uint8_t *p = data + len % 17;
        assert_int_equal(bst_crc32(state, p, len), crc32(state, p, (uInt)len));
        assert_int_equal(bst_crc32(bst_crc32(0, data, len), data + len, 1000),
                         bst_crc32(0, data, len + 1000));
    }
    assert_int_equal(bst_crc32(0, data, sizeof data), crc32(0, data, (uInt)sizeof data));
}

/* Row by row comes out the same as the whole, and damaged files are refused by both. */
static void digest_of_a_file(void **ctx)
{
    (void)ctx;
    static const char *const names[] = {"base.jpg",   "progressive.jpg", "cut.jpg",     "rgb.png",
                                        "grey16.png", "huge.png",        "palette.png", "cut.png",
                                        "lossy.webp", "lossless.webp"};
    size_t good = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct bst_error e = {0};
        struct bst_image image, shape;
        uint8_t whole[BST_SHA256_LEN], rows[BST_SHA256_LEN];
        char *path = bst_path_join("tests/fuzz/corpus/image", names[i]);
        enum bst_code code = bst_image_load(path, &image, &e);
        assert_int_equal(bst_image_digest_file(path, &shape, rows, &e), code);
        free(path);
        if (code != BST_OK) continue;
        good++;
        bst_image_digest(&image, whole);
        assert_memory_equal(rows, whole, sizeof whole);
        assert_int_equal(shape.width, image.width);
        assert_int_equal(shape.height, image.height);
        assert_int_equal(shape.channels, image.channels);
        assert_null(shape.samples);
        bst_image_clear(&image);
    }
    assert_true(good >= 6);
}

static void pixel_digest_depends_on_shape(void **ctx)
{
    (void)ctx;
    struct bst_image wide, tall;
    uint8_t a[32], b[32];
    assert_int_equal(bst_image_new(4, 2, 3, 8, &wide, &err), BST_OK);
    assert_int_equal(bst_image_new(2, 4, 3, 8, &tall, &err), BST_OK);
    bst_image_digest(&wide, a);
    bst_image_digest(&tall, b);
    assert_memory_not_equal(a, b, 32);
    uint8_t expected[32];
    char bytes[8 + 24] = "4 2 3 8\n";
    bst_sha256(bytes, sizeof bytes, expected);
    assert_memory_equal(a, expected, 32);
    bst_image_clear(&wide);
    bst_image_clear(&tall);
    assert_int_equal(bst_image_new(70000, 1, 3, 8, &wide, &err), BST_UNREADABLE);
    assert_int_equal(bst_image_new(0, 1, 3, 8, &wide, &err), BST_UNREADABLE);
}

static void rgb8_from_grey_alpha_and_16_bits(void **ctx)
{
    (void)ctx;
    struct bst_image from, to;
    assert_int_equal(bst_image_new(1, 1, 2, 16, &from, &err), BST_OK);
    memcpy(from.samples, "\x12\x34\xff\xff", 4);
    assert_int_equal(bst_image_to_rgb8(&from, &to, &err), BST_OK);
    assert_memory_equal(to.samples, "\x12\x12\x12", 3);
    bst_image_clear(&from);
    bst_image_clear(&to);
}

/* ---- threads ---- */

struct tally {
    atomic_uint seen[1000];
    atomic_uint highest_thread;
};

static void count_one(void *arg, size_t index, unsigned thread)
{
    struct tally *tally = arg;
    atomic_fetch_add(&tally->seen[index], 1);
    if (thread > tally->highest_thread) tally->highest_thread = thread;
}

static void pool_runs_each_index_once(void **ctx)
{
    (void)ctx;
    struct bst_pool *pool;
    struct tally tally = {0};
    assert_int_equal(bst_pool_new(4, &pool, &err), BST_OK);
    for (int round = 0; round < 200; round++)
        bst_pool_run(pool, 1000, count_one, &tally);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(tally.seen[i], 200);
    assert_true(tally.highest_thread < 4);
    bst_pool_free(pool);
    bst_pool_run(NULL, 1000, count_one, &tally);
    assert_int_equal(tally.seen[999], 201);
}

/* ---- errors ---- */

static void errors_collect_place_and_hint(void **ctx)
{
    (void)ctx;
    assert_int_equal(bst_fail(&err, BST_BROKEN, "bad %s", "thing"), BST_BROKEN);
    bst_where(&err, "byte %d", 7);
    bst_where(&err, "file.png");
    assert_int_equal(bst_hint(&err, "do better"), BST_BROKEN);
    assert_string_equal(err.what, "bad thing");
    assert_string_equal(err.where, "file.png: byte 7");
    assert_string_equal(err.hint, "do better");
    char lengthy[1000];
    memset(lengthy, 'x', sizeof lengthy - 1);
    lengthy[sizeof lengthy - 1] = 0;
    bst_where(&err, "%s", lengthy);
    assert_int_equal(strlen(err.where), sizeof err.where - 1);
}

static void buffers_grow_and_report_overflow(void **ctx)
{
    (void)ctx;
    struct bst_buf buf = {0};
    for (int i = 0; i < 1000; i++)
        bst_buf_printf(&buf, "%d,", i);
    bst_buf_be16(&buf, 0x1234);
    bst_buf_be64(&buf, 0x0102030405060708);
    assert_int_equal(bst_get_be64(buf.data + buf.len - 8), 0x0102030405060708);
    assert_int_equal(bst_get_be16(buf.data + buf.len - 10), 0x1234);
    assert_false(bst_buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.failed);
    assert_null(bst_buf_string(&buf));
    bst_buf_free(&buf);
    size_t out = 5;
    assert_false(bst_mul(SIZE_MAX, 2, &out));
    assert_false(bst_add(SIZE_MAX, 1, &out));
}

static void numbers_stand_in_either_byte_order(void **ctx)
{
    (void)ctx;
    static const uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const struct {
        size_t len;
        bool big;
        uint64_t value;
    } cases[] = {{0, true, 0},
                 {1, true, 1},
                 {2, true, 0x0102},
                 {2, false, 0x0201},
                 {3, false, 0x030201},
                 {4, true, 0x01020304},
                 {4, false, 0x04030201},
                 {8, true, 0x0102030405060708},
                 {8, false, 0x0807060504030201}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t set[9] = {[8] = 0xee};
        struct bst_buf buf = {0};
        size_t len = cases[i].len;
        assert_int_equal(bst_get_number(bytes, len, cases[i].big), cases[i].value);
        bst_set_number(set, cases[i].value | (len < 8 ? UINT64_MAX << 8 * len : 0), len, cases[i].big);
        assert_memory_equal(set, bytes, len);
        assert_int_equal(set[8], 0xee);
        bst_buf_number(&buf, cases[i].value, len, cases[i].big);
        assert_int_equal(buf.len, len);
        assert_memory_equal(buf.len > 0 ? buf.data : bytes, bytes, len);
        bst_buf_free(&buf);
    }
    assert_int_equal(bst_get_le16(bytes), 0x0201);
    assert_int_equal(bst_get_le32(bytes), 0x04030201);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_round_trip),
        cmocka_unit_test(base64_vectors_of_rfc4648),
        cmocka_unit_test(utf8_is_judged_strictly),
        cmocka_unit_test(printable_disarms_terminals),
        cmocka_unit_test(numbers_are_whole_or_refused),
        cmocka_unit_test(times_read_and_write),
        cmocka_unit_test(every_day_of_four_centuries_round_trips),
        cmocka_unit_test(uuids_are_version_4),
        cmocka_unit_test(sha256_vector),
        cmocka_unit_test(canonical_sample_of_rfc8785),
        cmocka_unit_test(canonical_keys_sort_by_utf16),
        cmocka_unit_test(canonical_numbers_of_rfc8785_appendix_b),
        cmocka_unit_test(json_refuses),
        cmocka_unit_test(json_paths),
        cmocka_unit_test_setup_teardown(files_are_written_whole_or_not_at_all, folder_up, folder_down),
        cmocka_unit_test_setup_teardown(folders_are_made_with_parents, folder_up, folder_down),
        cmocka_unit_test(png_round_trips_every_layout),
        cmocka_unit_test(damaged_png_is_refused),
        cmocka_unit_test(crc_is_zlibs),
        cmocka_unit_test(digest_of_a_file),
        cmocka_unit_test(pixel_digest_depends_on_shape),
        cmocka_unit_test(rgb8_from_grey_alpha_and_16_bits),
        cmocka_unit_test(pool_runs_each_index_once),
        cmocka_unit_test(errors_collect_place_and_hint),
        cmocka_unit_test(buffers_grow_and_report_overflow),
        cmocka_unit_test(numbers_stand_in_either_byte_order),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
