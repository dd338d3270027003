/* test_xmp.c - XMP written and read back; packets built to exhaust a parser are refused before it sees them.
 */
#include "metadata_fixture.h"

#include <pthread.h>

#define EXT "Iptc4xmpExt:"

static json_t *write_and_read(enum bst_privacy privacy, const char *input, struct bst_buf *packet)
{
    struct bst_error err = {0};
    struct bst_identity identity = make_identity();
    struct bst_generation generation = make_generation(privacy);
    struct bst_words words;
    generation.input_name = input;
    assert_good(bst_words_fill(&generation, &identity, &words, &err));
    assert_good(bst_xmp_write(&words, packet, &err));
    bst_words_clear(&words);
    return read_block(bst_xmp_read, packet);
}

static void fields_come_back(void **state)
{
    (void)state;
    struct bst_buf packet = {0};
    json_t *xmp = write_and_read(BST_PUBLIC, NULL, &packet);
    assert_string_equal(bst_json_text(xmp, EXT "DigitalSourceType"), BST_SOURCE_GENERATED);
    assert_string_equal(bst_json_text(xmp, EXT "AISystemUsed"), MODEL_NAME);
    assert_non_null(strstr(bst_json_text(xmp, EXT "AISystemVersionUsed"), "sha256 a5a5"));
    assert_non_null(strstr(bst_json_text(xmp, EXT "AIPromptInformation"),
                           PROMPT "; seed=" SEED_TEXT "; truncation=0.8125"));
    assert_string_equal(bst_json_text(xmp, EXT "AIPromptWriterName"), "Ada Example");
    assert_string_equal(bst_json_text(xmp, "dc:creator[1]"), "Ada Example");
    assert_string_equal(bst_json_text(xmp, "dc:title[1]"), TITLE);
    assert_string_equal(bst_json_text(xmp, "dc:description[1]"), NOTE);
    assert_string_equal(bst_json_text(xmp, "dc:rights[1]"), "Copyright 2026 Ada Example");
    assert_string_equal(bst_json_text(xmp, "xmpRights:Marked"), "True");
    assert_non_null(strstr(bst_json_text(xmp, "xmpRights:UsageTerms[1]"), "<ada@example.org>"));
    assert_string_equal(bst_json_text(xmp, "xmpMM:InstanceID"),
                        "xmp.iid:77e74327-6c43-4be0-8185-6388508f11d8");
    assert_string_equal(bst_json_text(xmp, "xmpMM:DocumentID"),
                        "xmp.did:77e74327-6c43-4be0-8185-6388508f11d8");
    assert_string_equal(bst_json_text(xmp, "xmp:CreateDate"), "2026-11-18T11:06:41Z");
    assert_string_equal(bst_json_text(xmp, "xmp:CreatorTool"), "Blindstamp " BST_VERSION);
    json_decref(xmp);
    bst_buf_free(&packet);
}

static void profiles_hold_back_words(void **state)
{
    (void)state;
    struct bst_buf partner = {0}, private = {0};
    json_t *xmp = write_and_read(BST_PARTNER, "photo.jpg", &partner);
    assert_string_equal(bst_json_text(xmp, EXT "DigitalSourceType"), BST_SOURCE_COMPOSITE);
    assert_null(bst_json_text(xmp, EXT "AIPromptWriterName"));
    assert_false(contains(partner.data, partner.len, "prompt-words"));
    assert_false(contains(partner.data, partner.len, TITLE));
    assert_false(contains(partner.data, partner.len, NOTE));
    assert_true(contains(partner.data, partner.len, SEED_TEXT));
    json_decref(xmp);
    xmp = write_and_read(BST_PRIVATE, NULL, &private);
    assert_string_equal(bst_json_text(xmp, EXT "DigitalSourceType"), BST_SOURCE_GENERATED);
    assert_false(contains(private.data, private.len, SEED_TEXT));
    assert_false(contains(private.data, private.len, MODEL_NAME));
    assert_false(contains(private.data, private.len, "a5a5"));
    assert_false(contains(private.data, private.len, "style-words"));
    json_decref(xmp);
    bst_buf_free(&partner);
    bst_buf_free(&private);
}

static void control_characters_are_refused(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_identity identity = make_identity();
    struct bst_generation generation = make_generation(BST_PUBLIC);
    struct bst_words words;
    generation.prompt = "bell\a";
    assert_int_equal(bst_words_fill(&generation, &identity, &words, &err), BST_USAGE);
    generation.prompt = "not \xff utf-8";
    assert_int_equal(bst_words_fill(&generation, &identity, &words, &err), BST_USAGE);
    generation = make_generation(BST_PUBLIC);
    generation.style_names = (const char *const[]){"fine", "escape \x1b[2J"}; /* a stranger's model */
    assert_int_equal(bst_words_fill(&generation, &identity, &words, &err), BST_USAGE);
    generation = make_generation(BST_PUBLIC);
    generation.prompt = "two\nlines\tand <markup> & more";
    assert_good(bst_words_fill(&generation, &identity, &words, &err));
    bst_words_clear(&words);
}

static size_t problems_of(const void *packet, size_t len)
{
    json_t *out = json_object(), *problems = json_array();
    bst_xmp_read(packet, len, out, problems, "here");
    size_t count = json_array_size(problems);
    if (count > 0) assert_int_equal(json_object_size(out), 0);
    json_decref(out);
    json_decref(problems);
    return count;
}

static void hostile_packets_are_refused(void **state)
{
    (void)state;
    static const char begin[] = "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "
                                "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>";
    /* each opens an element in a way that a careless count of depth misses */
    static const char *const openers[] = {"<a>", "<a b='/>'>", "<!--</a></a></a>--><a>",
                                          "<![CDATA[</a>]]><a>", "<a b=\"</a>\">"};
    for (size_t k = 0; k < sizeof(openers) / sizeof(openers[0]); k++) {
        struct bst_buf packet = {0};
        bst_buf_text(&packet, begin);
        for (int i = 0; i < 100000; i++) {
            bst_buf_text(&packet, openers[k]);
        }
        assert_int_equal(problems_of(packet.data, packet.len), 1);
        bst_buf_free(&packet);
    }
    static const char entities[] = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]><x>&b;</x>";
    assert_int_equal(problems_of(entities, sizeof(entities) - 1), 1);
    assert_int_equal(problems_of("<a", 2), 1);
    assert_int_equal(problems_of("<", 1), 1);
    assert_int_equal(problems_of("<!", 2), 1);
    assert_int_equal(problems_of("<?x", 3), 1);
    assert_int_equal(problems_of("\0\0", 2), 1);
}

static void truncated_packets_are_survived(void **state)
{
    (void)state;
    struct bst_buf packet = {0};
    json_decref(write_and_read(BST_PUBLIC, NULL, &packet));
    for (size_t len = 0; len < packet.len; len += 3) {
        json_t *out = json_object(), *problems = json_array();
        uint8_t *copy = malloc(len + 1);
        memcpy(copy, packet.data, len);
        bst_xmp_read(copy, len, out, problems, "here");
        free(copy);
        json_decref(out);
        json_decref(problems);
    }
    bst_buf_free(&packet);
}

static void *write_many(void *arg)
{
    struct bst_buf *first = arg;
    for (int i = 0; i < 20; i++) {
        struct bst_buf packet = {0};
        json_decref(write_and_read(BST_PUBLIC, NULL, &packet));
        if (first->len == 0) {
            *first = packet;
            continue;
        }
        if (packet.len != first->len || memcmp(packet.data, first->data, packet.len) != 0)
            first->failed = true;
        bst_buf_free(&packet);
    }
    return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
    (void)state;
    pthread_t thread[4];
    struct bst_buf first[4] = {{0}};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, write_many, &first[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(thread[i], NULL);
        assert_false(first[i].failed);
        assert_int_equal(first[i].len, first[0].len);
    }
    for (int i = 0; i < 4; i++) {
        bst_buf_free(&first[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_do_not_disturb_each_other), /* first: it starts the library */
        cmocka_unit_test(fields_come_back),
        cmocka_unit_test(profiles_hold_back_words),
        cmocka_unit_test(control_characters_are_refused),
        cmocka_unit_test(hostile_packets_are_refused),
        cmocka_unit_test(truncated_packets_are_survived),
    };
    return cmocka_run_group_tests_name("xmp", tests, folder_setup, folder_teardown);
}
