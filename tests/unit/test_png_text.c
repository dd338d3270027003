/* test_png_text.c - text chunks and everything that bst_metadata_read() gathers from a file. */
#include "stamp_fixture.h"

#include <jansson.h>
#include <zlib.h>

static bool put(void *arg, const void *data, size_t len)
{
    bst_buf_append(arg, data, len);
    return true;
}

/* A PNG with these chunks, read back as JSON. */
static json_t *metadata_of(const struct bst_buf *chunks)
{
    struct bst_error err = {0};
    struct bst_container container;
    struct bst_buf file = {0};
    struct bst_image image;
    json_t *metadata = NULL;
    const char *path = in_folder("text.png");
    make_gradient(96, 64, &image);
    assert_good(bst_png_write(&image, 6, chunks, put, &file, &err));
    bst_image_clear(&image);
    write_file(path, file.data, file.len);
    assert_good(bst_container_scan(path, &container, &err));
    assert_good(bst_metadata_read(path, &container, &metadata, &err));
    bst_container_clear(&container);
    bst_buf_free(&file);
    return metadata;
}

static json_t *stamped_metadata(enum bst_privacy privacy, const char *title, struct bst_buf *chunks)
{
    struct bst_error err = {0};
    struct bst_identity identity = make_identity();
    struct bst_generation generation = make_generation(privacy);
    struct bst_words words;
    generation.title = title;
    assert_good(bst_words_fill(&generation, &identity, &words, &err));
    assert_good(bst_png_metadata(&words, chunks, &err));
    bst_words_clear(&words);
    return metadata_of(chunks);
}

static const char *text_of(json_t *metadata, const char *key)
{
    return bst_json_text(json_object_get(metadata, "text"), key);
}

static void parameters_follow_the_grammar(void **state)
{
    (void)state;
    struct bst_buf chunks = {0};
    json_t *metadata = stamped_metadata(BST_PUBLIC, TITLE, &chunks);
    assert_string_equal(text_of(metadata, "parameters"), PROMPT
                        "\nSteps: 1, Seed: " SEED_TEXT ", Size: 96x64, Model hash: a5a5a5a5a5, "
                        "Model: " MODEL_NAME ", Truncation: 0.8125, "
                        "Styles: \"" STYLE_A ":0.75, " STYLE_B ":0.25\", Version: Blindstamp " BST_VERSION);
    assert_string_equal(text_of(metadata, "Title"), TITLE);
    assert_string_equal(text_of(metadata, "Author"), "Ada Example");
    assert_string_equal(text_of(metadata, "Copyright"), "Copyright 2026 Ada Example");
    assert_string_equal(text_of(metadata, "Software"), "Blindstamp " BST_VERSION);
    assert_string_equal(bst_json_text(json_object_get(metadata, "xmp"), "dc:title[1]"), TITLE);
    assert_string_equal(bst_json_text(json_object_get(metadata, "exif"), "Artist"), "Ada Example");
    assert_int_equal(json_array_size(json_object_get(metadata, "problems")), 0);
    json_decref(metadata);
    bst_buf_free(&chunks);
}

static void latin1_goes_into_text_and_the_rest_into_itxt(void **state)
{
    (void)state;
    struct bst_buf latin = {0}, wide = {0};
    json_t *metadata = stamped_metadata(BST_PUBLIC, "Caf\xc3\xa9", &latin);
    assert_string_equal(text_of(metadata, "Title"), "Caf\xc3\xa9");
    assert_true(contains(latin.data, latin.len, "tEXtTitle"));
    json_decref(metadata);
    metadata = stamped_metadata(BST_PUBLIC, "\xe6\xb5\xb7", &wide);
    assert_string_equal(text_of(metadata, "Title"), "\xe6\xb5\xb7");
    assert_true(contains(wide.data, wide.len, "iTXtTitle"));
    json_decref(metadata);
    bst_buf_free(&latin);
    bst_buf_free(&wide);
}

static void profiles_hold_back_words(void **state)
{
    (void)state;
    struct bst_buf partner = {0}, private = {0};
    json_t *metadata = stamped_metadata(BST_PARTNER, TITLE, &partner);
    assert_null(text_of(metadata, "Title"));
    assert_string_equal(text_of(metadata, "Author"), "Ada Example");
    assert_true(strncmp(text_of(metadata, "parameters"), "Steps: 1, Seed: " SEED_TEXT, 25) == 0);
    assert_false(contains(partner.data, partner.len, "prompt-words"));
    assert_false(contains(partner.data, partner.len, TITLE));
    json_decref(metadata);
    metadata = stamped_metadata(BST_PRIVATE, TITLE, &private);
    assert_null(text_of(metadata, "parameters"));
    assert_false(contains(private.data, private.len, SEED_TEXT));
    json_decref(metadata);
    bst_buf_free(&partner);
    bst_buf_free(&private);
}

static void add_compressed(struct bst_buf *chunks, const char *type, const char *before, size_t before_len,
                           size_t zeros)
{
    uLongf len = compressBound(zeros);
    uint8_t *plain = calloc(1, zeros), *packed = malloc(len);
    struct bst_buf data = {0};
    memset(plain, 'z', zeros);
    assert_int_equal(compress2(packed, &len, plain, zeros, 9), Z_OK);
    bst_buf_append(&data, before, before_len);
    bst_buf_append(&data, packed, len);
    bst_png_chunk(chunks, type, data.data, data.len);
    bst_buf_free(&data);
    free(plain);
    free(packed);
}

static void compressed_text_is_read_and_bounded(void **state)
{
    (void)state;
    struct bst_buf chunks = {0};
    add_compressed(&chunks, "zTXt", "small\0", 7, 1000);
    add_compressed(&chunks, "iTXt", "wide\0\1\0\0", 9, 1000);
    json_t *metadata = metadata_of(&chunks);
    assert_int_equal(strlen(text_of(metadata, "small")), 1000);
    assert_int_equal(strlen(text_of(metadata, "wide")), 1000);
    assert_int_equal(json_array_size(json_object_get(metadata, "problems")), 0);
    json_decref(metadata);
    chunks.len = 0;
    add_compressed(&chunks, "zTXt", "bomb\0", 6, 64u << 20); /* 64 KiB that unpack to 64 MiB */
    metadata = metadata_of(&chunks);
    assert_null(text_of(metadata, "bomb"));
    assert_int_equal(json_array_size(json_object_get(metadata, "problems")), 1);
    json_decref(metadata);
    chunks.len = 0; /* many that are small each, but not together */
    for (int i = 0; i < 20; i++) {
        add_compressed(&chunks, "zTXt", "part\0", 6, 1u << 20);
    }
    metadata = metadata_of(&chunks);
    assert_int_equal(json_array_size(json_object_get(metadata, "problems")), 12);
    json_decref(metadata);
    bst_buf_free(&chunks);
}

static void malformed_text_is_named(void **state)
{
    (void)state;
    struct bst_buf chunks = {0};
    static const struct {
        const char *type, *data;
        size_t len;
    } bad[] = {
        {"tEXt", "no keyword ends here", 20},
        {"tEXt", "\0text", 5},
        {"zTXt", "key\0", 4},
        {"zTXt", "key\0\1abc", 8},
        {"zTXt", "key\0\0abc", 8},
        {"iTXt", "key\0", 4},
        {"iTXt", "key\0\2\0\0\0x", 9},
        {"iTXt", "key\0\0\0en", 8},
        {"iTXt", "key\0\1\0\0\0notzlib", 15},
        {"eXIf", "nonsense", 8},
        {"iTXt", "XML:com.adobe.xmp\0\0\0\0\0<x", 24},
    };
    size_t count = sizeof(bad) / sizeof(bad[0]);
    for (size_t i = 0; i < count; i++) {
        bst_png_chunk(&chunks, bad[i].type, bad[i].data, bad[i].len);
    }
    bst_png_chunk(&chunks, "tEXt", "good\0caf\xe9", 9); /* Latin-1 */
    bst_png_chunk(&chunks, "tEXt", "good\0again", 10);
    json_t *metadata = metadata_of(&chunks);
    assert_int_equal(json_array_size(json_object_get(metadata, "problems")), count);
    assert_string_equal(text_of(metadata, "good"), "caf\xc3\xa9");
    assert_string_equal(text_of(metadata, "good (2)"), "again");
    json_decref(metadata);
    bst_buf_free(&chunks);
}

static void jpeg_segments_are_read(void **state)
{
    (void)state;
    /* comment, frame header, scan, end: enough for a scanner */
    static const char rest[] = "\xff\xfe\0\7hello\xff\xc0\0\4ab\xff\xda\0\4cd\1\2\3\xff\xd9";
    struct bst_error err = {0};
    struct bst_container container;
    struct bst_identity identity = make_identity();
    struct bst_generation generation = make_generation(BST_PUBLIC);
    struct bst_words words;
    struct bst_buf file = {0}, part = {0};
    json_t *metadata;
    assert_good(bst_words_fill(&generation, &identity, &words, &err));
    bst_buf_append(&file, "\xff\xd8", 2);
    bst_buf_append(&part, "Exif\0", 6);
    assert_good(bst_exif_write(&words, &part, &err));
    for (int i = 0; i < 2; i++) {
        bst_buf_append(&file, "\xff\xe1", 2);
        bst_buf_be16(&file, (uint16_t)(part.len + 2));
        bst_buf_append(&file, part.data, part.len);
        part.len = 0;
        bst_buf_append(&part, "http://ns.adobe.com/xap/1.0/", 29);
        if (i == 0) assert_good(bst_xmp_write(&words, &part, &err));
    }
    bst_buf_append(&file, rest, sizeof(rest) - 1);
    const char *path = in_folder("words.jpg");
    write_file(path, file.data, file.len);
    assert_good(bst_container_scan(path, &container, &err));
    assert_good(bst_metadata_read(path, &container, &metadata, &err));
    assert_string_equal(text_of(metadata, "Comment"), "hello");
    assert_string_equal(bst_json_text(json_object_get(metadata, "exif"), "Artist"), "Ada Example");
    assert_string_equal(bst_json_text(json_object_get(metadata, "xmp"), "dc:title[1]"), TITLE);
    json_decref(metadata);
    bst_container_clear(&container);
    bst_words_clear(&words);
    bst_buf_free(&file);
    bst_buf_free(&part);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_follow_the_grammar),
        cmocka_unit_test(latin1_goes_into_text_and_the_rest_into_itxt),
        cmocka_unit_test(profiles_hold_back_words),
        cmocka_unit_test(compressed_text_is_read_and_bounded),
        cmocka_unit_test(malformed_text_is_named),
        cmocka_unit_test(jpeg_segments_are_read),
    };
    return cmocka_run_group_tests_name("png_text", tests, folder_setup, folder_teardown);
}
