/* test_exif.c - EXIF written, read back, kept apart from the manifest's boxes, and hostile EXIF survived. */
#include "metadata_fixture.h"

static void make_words(const char *author, const char *prompt, enum bst_privacy privacy,
                       struct bst_words *words)
{
    struct bst_error err = {0};
    struct bst_identity identity = make_identity();
    struct bst_generation generation = make_generation(privacy);
    identity.name = (char *)(uintptr_t)author;
    generation.prompt = prompt;
    assert_good(bst_words_fill(&generation, &identity, words, &err));
}

static json_t *write_and_read(const struct bst_words *words, struct bst_buf *tiff)
{
    struct bst_error err = {0};
    assert_good(bst_exif_write(words, tiff, &err));
    return read_block(bst_exif_read, tiff);
}

static void fields_come_back(void **state)
{
    (void)state;
    struct bst_words words;
    struct bst_buf tiff = {0};
    make_words("Ada Example", PROMPT, BST_PUBLIC, &words);
    json_t *exif = write_and_read(&words, &tiff);
    assert_memory_equal(tiff.data, "MM\0*", 4);
    assert_string_equal(bst_json_text(exif, "Artist"), "Ada Example");
    assert_string_equal(bst_json_text(exif, "Copyright"), "Copyright 2026 Ada Example");
    assert_string_equal(bst_json_text(exif, "Software"), "Blindstamp " BST_VERSION);
    assert_string_equal(bst_json_text(exif, "DateTimeOriginal"), "2026:11:18 11:06:41");
    assert_string_equal(bst_json_text(exif, "ImageUniqueID"), "77e743276c434be081856388508f11d8");
    assert_string_equal(bst_json_text(exif, "UserComment"), words.parameters);
    assert_true(strstr(words.parameters, "\xe2\x80\x9c") != NULL); /* went through UTF-16 */
    json_decref(exif);
    bst_words_clear(&words);
    bst_buf_free(&tiff);
}

static void astral_characters_come_back(void **state)
{
    (void)state;
    struct bst_words words;
    struct bst_buf tiff = {0};
    make_words("\xc3\x89mile \xf0\x9f\x8e\xa8", "\xf0\x9f\x8e\xa8 \xe6\xb5\xb7 \xc3\xa9", BST_PUBLIC, &words);
    json_t *exif = write_and_read(&words, &tiff);
    assert_string_equal(bst_json_text(exif, "Artist"), words.author);
    assert_string_equal(bst_json_text(exif, "UserComment"), words.parameters);
    json_decref(exif);
    bst_words_clear(&words);
    bst_buf_free(&tiff);
}

static void private_says_nothing_of_the_making(void **state)
{
    (void)state;
    struct bst_words words;
    struct bst_buf tiff = {0};
    make_words("Ada Example", PROMPT, BST_PRIVATE, &words);
    json_t *exif = write_and_read(&words, &tiff);
    assert_null(bst_json_text(exif, "UserComment"));
    assert_string_equal(bst_json_text(exif, "Artist"), "Ada Example");
    json_decref(exif);
    bst_words_clear(&words);
    bst_buf_free(&tiff);
}

/* Where boxes and their contents begin in a real store. */
static bool store_has(const struct bst_jumbf *store, size_t offset)
{
    for (size_t i = 0; i < store->count; i++) {
        const struct bst_jumbf_box *box = &store->boxes[i];
        bool super = box->type == BST_BOX_JUMB;
        if (box->data == offset || (super && box->data + 8 == offset)) return true;
    }
    return false;
}

static void directories_keep_clear_of_boxes(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct signer signer;
    struct bst_buf bytes = {0};
    struct bst_jumbf store;
    char author[101] = {0};
    signer_new(&signer, bst_now_ms());
    struct bst_manifest manifest = make_manifest(&signer, NULL);
    char envelope[2200];
    memset(envelope, 'x', sizeof(envelope)); /* shorter than the shortest statement */
    manifest.envelope = envelope;
    manifest.envelope_len = sizeof(envelope);
    assert_good(bst_c2pa_write(&manifest, &bytes, &err));
    assert_good(bst_jumbf_parse(bytes.data, bytes.len, &store, &err));
    for (size_t len = 1; len <= 100; len++) {
        struct bst_words words;
        struct bst_buf tiff = {0};
        memset(author, 'a', len);
        make_words(author, PROMPT, BST_PUBLIC, &words);
        json_t *exif = write_and_read(&words, &tiff);
        uint32_t first = bst_get_be32(tiff.data + 4), second = 0;
        for (unsigned i = 0; i < bst_get_be16(tiff.data + first); i++) {
            const uint8_t *entry = tiff.data + first + 2 + 12 * i;
            if (bst_get_be16(entry) == 0x8769) second = bst_get_be32(entry + 8);
        }
        assert_true(second > first && first % 2 == 0 && second % 2 == 0);
        if (store_has(&store, first) || store_has(&store, second))
            fail_msg("author of %zu bytes: %u, %u", len, first, second);
        assert_string_equal(bst_json_text(exif, "Artist"), author);
        assert_string_equal(bst_json_text(exif, "ImageUniqueID"), "77e743276c434be081856388508f11d8");
        json_decref(exif);
        bst_words_clear(&words);
        bst_buf_free(&tiff);
    }
    bst_jumbf_clear(&store);
    bst_buf_free(&bytes);
    signer_free(&signer);
}

static void damaged_exif_is_survived(void **state)
{
    (void)state;
    struct bst_words words;
    struct bst_buf tiff = {0};
    make_words("Ada Example", PROMPT, BST_PUBLIC, &words);
    json_decref(write_and_read(&words, &tiff));
    for (size_t len = 0; len < tiff.len; len++) {
        json_t *out = json_object(), *problems = json_array();
        uint8_t *copy = malloc(len + 1);
        memcpy(copy, tiff.data, len);
        bst_exif_read(copy, len, out, problems, "here");
        if (len < 8) assert_int_equal(json_array_size(problems), 1);
        free(copy);
        json_decref(out);
        json_decref(problems);
    }
    bst_words_clear(&words);
    bst_buf_free(&tiff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_come_back),
        cmocka_unit_test(astral_characters_come_back),
        cmocka_unit_test(private_says_nothing_of_the_making),
        cmocka_unit_test(directories_keep_clear_of_boxes),
        cmocka_unit_test(damaged_exif_is_survived),
    };
    return cmocka_run_group_tests_name("exif", tests, folder_setup, folder_teardown);
}
