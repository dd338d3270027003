/* test_aigc.c - China's label for AI content: which one is due, what its seals cover, and the forms in which it is read. */
#include "metadata_fixture.h"

#include "key.h"

static struct bst_key *key;
static uint8_t pixels[BST_SHA256_LEN];

static int setup(void **state)
{
    (void)state;
    static const uint8_t seed[32] = {2, 2, 2};
    struct bst_error err = {0};
    memset(pixels, 0x5a, sizeof(pixels));
    return bst_key_from_seed(seed, &key, &err) == BST_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    bst_key_free(key);
    return 0;
}

static struct bst_aigc_picture picture_of(bool generated, bool composed, bool traces, const json_t *found)
{
    return (struct bst_aigc_picture){.image_id = "77e74327-6c43-4be0-8185-6388508f11d8",
                                     .pixels_sha256 = pixels,
                                     .key = key,
                                     .generated = generated,
                                     .composed = composed,
                                     .traces = traces,
                                     .found = found};
}

static json_t *make(const char *producer, const char *propagator, const struct bst_aigc_picture *picture)
{
    struct bst_error err = {0};
    const struct bst_aigc_codes codes = {producer, propagator};
    json_t *label;
    assert_good(bst_aigc_make(&codes, picture, &label, &err));
    return label;
}

static void which_is_due(void **state)
{
    (void)state;
    static const struct {
        bool generated, composed, traces;
        const char *producer, *propagator, *kind; /* NULL: none, "!": a code is missing */
    } cases[] = {
        {true, false, false, "P", NULL, "1"},  {true, false, false, "P", "Q", "1"},
        {true, false, false, NULL, "Q", "2"},  {false, true, false, "P", NULL, "2"},
        {false, true, false, NULL, "Q", "2"},  {false, false, true, NULL, "Q", "3"},
        {false, false, true, "P", "Q", "3"},   {false, false, true, "P", NULL, "!"},
        {false, false, false, "P", "Q", NULL}, {true, false, true, NULL, NULL, "!"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bst_error err = {0};
        struct bst_aigc_picture picture =
            picture_of(cases[i].generated, cases[i].composed, cases[i].traces, NULL);
        const struct bst_aigc_codes codes = {cases[i].producer, cases[i].propagator};
        const char *kind = cases[i].kind;
        json_t *label;
        enum bst_code code = bst_aigc_make(&codes, &picture, &label, &err);
        if (kind != NULL && *kind == '!') {
            assert_int_equal(code, BST_USAGE);
            assert_non_null(strstr(err.hint, "--pro"));
            continue;
        }
        assert_int_equal(code, BST_OK);
        assert_int_equal(label == NULL, kind == NULL);
        if (label == NULL) continue;
        says(label, "Label", kind);
        bool made = cases[i].producer != NULL && *kind != '3';
        says(label, "ContentProducer", made ? "P" : "");
        says(label, "ProduceID", made ? picture.image_id : "");
        says(label, "ContentPropagator", cases[i].propagator == NULL ? "" : "Q");
        json_decref(label);
    }
}

/* The label as it stands in a file: members in the standard's order, nothing but ASCII. */
static void its_text(void **state)
{
    (void)state;
    const struct bst_aigc_picture picture = picture_of(true, false, false, NULL);
    json_t *label = make("\xe5\x85\xac\xe5\x8f\xb8", NULL, &picture);
    char *text = bst_aigc_text(label, false), *chunk = bst_aigc_text(label, true);
    static const char *const order[] = {
        "{\"Label\":\"1\",\"ContentProducer\":\"\\u516C\\u53F8\",\"ProduceID\":\"77e7",
        ",\"ReservedCode1\":\"blindstamp/1:5a5a",
        ",\"ContentPropagator\":\"\",\"PropagateID\":\"\",\"ReservedCode2\":\"\"}"};
    assert_ptr_equal(strstr(text, order[0]), text);
    assert_non_null(strstr(text, order[1]));
    assert_non_null(strstr(text, order[2]));
    assert_ptr_equal(strstr(chunk, "{\"AIGC\":{\"Label\""), chunk);
    free(text);
    free(chunk);
    json_decref(label);
}

static void seals_cover_the_label(void **state)
{
    (void)state;
    static const char *const names[] = {"Label",         "ContentProducer",   "ProduceID",
                                        "ReservedCode1", "ContentPropagator", "PropagateID"};
    const struct bst_aigc_picture picture = picture_of(true, false, false, NULL);
    json_t *label = make("P", "Q", &picture);
    uint8_t found[BST_KEY_LEN], other[BST_SHA256_LEN] = {1};
    for (int role = BST_AIGC_PRODUCER; role <= BST_AIGC_PROPAGATOR; role++) {
        assert_int_equal(bst_aigc_check(label, (enum bst_aigc_role)role, pixels, found), BST_AIGC_FITS);
        assert_memory_equal(found, bst_key_public(key), BST_KEY_LEN);
        assert_int_equal(bst_aigc_check(label, (enum bst_aigc_role)role, other, found),
                         BST_AIGC_OTHER_PIXELS);
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        json_t *changed = json_deep_copy(label);
        char *text = bst_format("%s.", bst_json_text(label, names[i]));
        json_object_set_new(changed, names[i], json_string(text));
        assert_int_equal(bst_aigc_check(changed, BST_AIGC_PROPAGATOR, pixels, found), BST_AIGC_FORGED);
        assert_int_equal(bst_aigc_check(changed, BST_AIGC_PRODUCER, pixels, found),
                         i < 4 ? BST_AIGC_FORGED : BST_AIGC_FITS);
        free(text);
        json_decref(changed);
    }
    /* a seal cut or changed anywhere */
    const char *seal = bst_json_text(label, "ReservedCode1");
    for (size_t i = strlen("blindstamp/1:"); i < strlen(seal); i++) {
        json_t *changed = json_deep_copy(label);
        char *text = bst_strdup(seal);
        text[i] = 0;
        json_object_set_new(changed, "ReservedCode1", json_string(text));
        assert_int_equal(bst_aigc_check(changed, BST_AIGC_PRODUCER, pixels, found), BST_AIGC_FORGED);
        strcpy(text, seal);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        json_object_set_new(changed, "ReservedCode1", json_string(text));
        assert_int_not_equal(bst_aigc_check(changed, BST_AIGC_PRODUCER, pixels, found), BST_AIGC_FITS);
        free(text);
        json_decref(changed);
    }
    json_decref(label);
}

/* Somebody else's label stays, and is passed on once. */
static void labels_are_kept(void **state)
{
    (void)state;
    json_t *found = json_pack("{s:s, s:s, s:s, s:s, s:s}", "Label", "1", "ContentProducer", "X", "ProduceID",
                              "7", "ReservedCode1", "theirs", "Extra", "kept");
    struct bst_aigc_picture picture = picture_of(false, false, true, found);
    json_t *label = make(NULL, "Q", &picture);
    says(label, "Label", "1");
    says(label, "ContentProducer", "X");
    says(label, "ReservedCode1", "theirs");
    says(label, "Extra", "kept");
    says(label, "ContentPropagator", "Q");
    uint8_t signer[BST_KEY_LEN];
    assert_int_equal(bst_aigc_check(label, BST_AIGC_PRODUCER, pixels, signer), BST_AIGC_UNSEALED);
    assert_int_equal(bst_aigc_check(label, BST_AIGC_PROPAGATOR, pixels, signer), BST_AIGC_FITS);
    picture.found = label;
    assert_null(make("P", "R", &picture)); /* there is room for one */
    json_decref(label);
    json_decref(found);
}

static void forms_that_are_read(void **state)
{
    (void)state;
    static const char *const places[][2] = {{"xmp", "TC260:AIGC"}, {"text", "AIGC"}, {"exif", "UserComment"}};
    static const struct {
        const char *text, *kind;
    } forms[] = {
        {"{\"Label\":\"2\",\"ContentProducer\":\"X\"}", "2"},
        {" {\"AIGC\": {\"Label\":\"3\",\"ContentProducer\":\"X\"}}", "3"},
        {"{\"Label\":1,\"ContentProducer\":\"X\"}", "1"},
        {"{\"label\":\"1\"}", NULL},
        {"a comment", NULL},
        {"{\"Label\":\"1\"", NULL},
        {"{\"AIGC\":[1]}", NULL},
    };
    for (size_t p = 0; p < 3; p++) {
        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
            json_t *metadata = json_pack("{s:{s:s}}", places[p][0], places[p][1], forms[i].text);
            json_t *label = bst_aigc_find(metadata);
            assert_int_equal(label == NULL, forms[i].kind == NULL);
            if (label != NULL) says(label, "Label", forms[i].kind);
            json_decref(label);
            json_decref(metadata);
        }
    }
    json_t *odd = json_pack("{s:s}", "Label", "9");
    assert_string_equal(bst_aigc_words(odd), "of a kind that the standard does not know");
    json_decref(odd);
}

static void codes(void **state)
{
    (void)state;
    struct bst_error err = {0};
    char text[300];
    memset(text, 'x', sizeof(text));
    text[BST_AIGC_CODE_MAX] = 0;
    assert_good(bst_aigc_code_check("producer", text, &err));
    text[BST_AIGC_CODE_MAX] = 'x';
    text[BST_AIGC_CODE_MAX + 1] = 0;
    const char *const bad[] = {"", "a\nb", "\xff", text};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(bst_aigc_code_check("producer", bad[i], &err), BST_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_is_due),          cmocka_unit_test(its_text),
        cmocka_unit_test(seals_cover_the_label), cmocka_unit_test(labels_are_kept),
        cmocka_unit_test(forms_that_are_read),   cmocka_unit_test(codes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
