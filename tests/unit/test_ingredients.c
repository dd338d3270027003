/* test_ingredients.c - what a manifest says a picture of ours was made from: model, prompt, seed, input picture; and what it
 * keeps back. */
#include "home_fixture.h"

#include <jansson.h>
#include <zlib.h>

static struct bst_buf roots;

static int setup(void **state)
{
    if (home_setup(state) != 0) return -1;
    read_roots(&roots);
    return 0;
}

static int teardown(void **state)
{
    bst_buf_free(&roots);
    return home_teardown(state);
}

/* Stamps a picture that a model made, from that input if there is one, in a batch of its own. */
static enum bst_code stamp_from(const char *input, enum bst_privacy privacy, const char *path,
                                struct bst_error *err)
{
    struct bst_stamper *stamper = open_stamper(true);
    struct bst_generation generation = make_generation(privacy);
    struct bst_image image;
    generation.image_id = NULL;
    if (input != NULL) {
        generation.input_name = bst_path_name(input);
        generation.input_path = input;
        assert_int_equal(bst_sha256_file(input, generation.input_sha256, err), BST_OK);
    }
    make_gradient(generation.width, generation.height, &image);
    enum bst_code code = bst_stamp_add(stamper, &image, path, true, &generation, err);
    if (code == BST_OK) code = bst_stamp_commit(stamper, NULL, NULL, err);
    bst_image_clear(&image);
    bst_stamper_close(stamper);
    return code;
}

/* Reads the picture, which must be trusted; its assertions are to be released. */
static json_t *read_assertions(const char *path, struct bst_c2pa *c2pa)
{
    struct bst_error err = {0};
    json_t *report;
    assert_good(read_back(path, (const char *)roots.data, c2pa, &err));
    assert_int_equal(c2pa->state, BST_C2PA_TRUSTED);
    assert_good(bst_c2pa_export(c2pa, BST_C2PA_OURS, &report, &err));
    json_t *assertions = json_incref(json_object_get(report, "assertions"));
    json_decref(report);
    return assertions;
}

/* The ingredient of that type of data; NULL asks for the one with none. */
static json_t *ingredient_of(json_t *assertions, const char *type)
{
    const char *label;
    json_t *value;
    json_object_foreach(assertions, label, value)
    {
        if (strncmp(label, BST_INGREDIENT_LABEL, strlen(BST_INGREDIENT_LABEL)) != 0) continue;
        const json_t *types = json_object_get(value, "dataTypes");
        bool found = type == NULL && types == NULL;
        for (size_t i = 0; type != NULL && i < json_array_size(types); i++)
            found = found || strcmp(bst_json_text(json_array_get(types, i), "type"), type) == 0;
        if (found) return value;
    }
    fail_msg("no ingredient of %s", type == NULL ? "a picture" : type);
    return NULL;
}

static void says(json_t *ingredient, const char *path, const char *want)
{
    const char *text = json_string_value(bst_json_at(ingredient, path));
    if (text == NULL || strcmp(text, want) != 0)
        fail_msg("%s is %s, not %s", path, text == NULL ? "missing" : text, want);
}

static void all_that_went_in(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_c2pa c2pa, parent;
    assert_good(stamp_from(NULL, BST_PUBLIC, in_folder("input.png"), &err));
    assert_good(stamp_from(in_folder("input.png"), BST_PUBLIC, in_folder("output.png"), &err));
    json_t *before = read_assertions(in_folder("input.png"), &parent);
    json_t *assertions = read_assertions(in_folder("output.png"), &c2pa);
    assert_true(has_status(&c2pa, BST_STATUS_SUCCESS, "ingredient.manifest.validated"));

    json_t *model = ingredient_of(assertions, "c2pa.types.model.onnx");
    says(model, "relationship", "inputTo");
    says(model, "dc:title", MODEL_NAME);
    says(model, "instanceID", "nih:sha-256;a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5");
    says(ingredient_of(assertions, "c2pa.types.generator.prompt"), "data.url",
         "self#jumbf=c2pa.assertions/c2pa.embedded-data");
    says(ingredient_of(assertions, "c2pa.types.generator.seed"), "data.url",
         "self#jumbf=c2pa.assertions/c2pa.embedded-data__1");
    json_t *input = ingredient_of(assertions, NULL);
    says(input, "relationship", "inputTo");
    says(input, "dc:title", "input.png");
    says(input, "dc:format", "image/png");
    says(input, "thumbnail.url", "self#jumbf=c2pa.assertions/c2pa.thumbnail.ingredient");
    assert_non_null(strstr(json_string_value(bst_json_at(input, "activeManifest.url")), parent.label));
    json_t *action =
        json_array_get(json_object_get(json_object_get(assertions, "c2pa.actions.v2"), "actions"), 0);
    says(action, "action", "c2pa.created");
    assert_int_equal(json_array_size(bst_json_at(action, "parameters.ingredients")), 4);
    assert_non_null(json_object_get(assertions, "c2pa.thumbnail.claim"));

    keeps_manifest(&parent, &c2pa);
    json_decref(before);
    json_decref(assertions);
    bst_c2pa_clear(&parent);
    bst_c2pa_clear(&c2pa);
}

/* The same in words, with the input's own ingredients below it. */
static void the_lineage(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_c2pa c2pa;
    json_t *list;
    json_decref(read_assertions(in_folder("output.png"), &c2pa));
    assert_good(bst_c2pa_lineage(&c2pa, &list, &err));
    assert_int_equal(json_array_size(list), 4);
    says(list, "0.kind", "model");
    says(list, "0.title", MODEL_NAME);
    says(list, "1.kind", "prompt");
    says(list, "1.text", PROMPT);
    says(list, "2.text", SEED_TEXT);
    says(list, "3.kind", "picture");
    says(list, "3.relationship", "inputTo");
    says(list, "3.signer", "Ada Example");
    says(list, "3.found.integrity", "intact");
    says(list, "3.found.signer_trust", "trusted");
    says(list, "3.now.signer_trust", "trusted");
    says(list, "3.ingredients.1.text", PROMPT);
    json_decref(list);
    bst_c2pa_clear(&c2pa);

    /* before somebody who does not know its author */
    assert_good(read_back(in_folder("output.png"), NULL, &c2pa, &err));
    assert_good(bst_c2pa_lineage(&c2pa, &list, &err));
    says(list, "3.found.signer_trust", "trusted");
    says(list, "3.now.signer_trust", "unknown signer");
    says(list, "3.now.integrity", "intact");
    json_decref(list);
    bst_c2pa_clear(&c2pa);
}

static void partners_learn_all_but_the_prompt(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_c2pa c2pa;
    assert_good(stamp_from(NULL, BST_PARTNER, in_folder("partner.png"), &err));
    json_t *assertions = read_assertions(in_folder("partner.png"), &c2pa);
    json_t *prompt = ingredient_of(assertions, "c2pa.types.generator.prompt");
    assert_null(json_object_get(prompt, "data"));
    assert_non_null(strstr(bst_json_text(prompt, "description"), "kept back"));
    says(ingredient_of(assertions, "c2pa.types.generator.seed"), "data.url",
         "self#jumbf=c2pa.assertions/c2pa.embedded-data");
    says(ingredient_of(assertions, "c2pa.types.model.onnx"), "dc:title", MODEL_NAME);
    assert_true(contains(c2pa.store.data, c2pa.store.len, SEED_TEXT));
    assert_false(contains(c2pa.store.data, c2pa.store.len, "prompt-words"));
    json_decref(assertions);
    bst_c2pa_clear(&c2pa);
}

/* Kept back: commitments that are the signed statement's, no picture, and nothing of the input's past. */
static void a_private_manifest_commits(void **state)
{
    (void)state;
    static const struct {
        const char *type, *name;
    } words[] = {
        {"c2pa.types.generator.prompt", "prompt"}, {"c2pa.types.generator.seed", "seed"}, {NULL, "input"}};
    static const char *const absent[] = {"dc:title", "dc:format", "data", "thumbnail", "activeManifest"};
    static const char *const leaks[] = {"image/jpeg", "input.png", "prompt-words", SEED_TEXT, MODEL_NAME};
    struct bst_error err = {0};
    struct bst_c2pa c2pa;
    struct bst_dsse dsse;
    assert_good(stamp_from(in_folder("input.png"), BST_PRIVATE, in_folder("kept.png"), &err));
    json_t *assertions = read_assertions(in_folder("kept.png"), &c2pa);
    assert_good(bst_dsse_open(c2pa.envelope.data, c2pa.envelope.len, &dsse, &err));
    json_t *parameters = bst_json_at(dsse.statement, "predicate.buildDefinition.externalParameters");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        json_t *ingredient = ingredient_of(assertions, words[i].type);
        const char *commitment = bst_json_text(json_object_get(parameters, words[i].name), "commitment");
        assert_non_null(commitment);
        assert_string_equal(bst_json_text(ingredient, "instanceID") + strlen("nih:sha-256;"), commitment);
        for (size_t k = 0; k < sizeof(absent) / sizeof(absent[0]); k++)
            assert_null(json_object_get(ingredient, absent[k]));
    }
    assert_null(json_object_get(ingredient_of(assertions, "c2pa.types.model.onnx"), "instanceID"));
    assert_null(json_object_get(assertions, "c2pa.embedded-data"));
    assert_null(json_object_get(assertions, "c2pa.thumbnail.claim"));
    for (size_t k = 0; k < sizeof(leaks) / sizeof(leaks[0]); k++)
        assert_false(contains(c2pa.store.data, c2pa.store.len, leaks[k]));
    json_decref(assertions);
    bst_dsse_clear(&dsse);
    bst_c2pa_clear(&c2pa);
}

/* Puts the checksum of the first chunk behind IHDR right. */
static void fix_manifest_chunk(struct bst_buf *file)
{
    uint8_t *chunk = file->data + BST_PNG_HEAD;
    size_t len = bst_get_be32(chunk);
    uLong crc = crc32(0, chunk + 4, (uInt)len + 4);
    for (size_t i = 0; i < 4; i++)
        chunk[8 + len + i] = (uint8_t)(crc >> (24 - 8 * i));
}

static void inputs_whose_credentials_do_not_hold(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_c2pa c2pa;
    struct bst_buf file = {0};
    assert_good(bst_file_read(in_folder("input.png"), 1u << 20, &file, &err));
    bst_buf_byte(&file, 'x'); /* behind the end */
    write_file(in_folder("longer.png"), file.data, file.len);
    assert_good(stamp_from(in_folder("longer.png"), BST_PUBLIC, in_folder("from longer.png"), &err));
    json_decref(read_assertions(in_folder("from longer.png"), &c2pa));
    json_t *list;
    assert_good(bst_c2pa_lineage(&c2pa, &list, &err));
    says(list, "3.found.integrity", "altered");
    says(list, "3.now.integrity", "altered");
    says(list, "3.now.code", "assertion.dataHash.mismatch");
    json_decref(list);
    bst_c2pa_clear(&c2pa);

    enum { STORE_TYPE = BST_PNG_HEAD + 8 + 8 + 8 }; /* of the chunk's outermost box */
    file.len--;
    file.data[STORE_TYPE] ^= 1;
    fix_manifest_chunk(&file);
    write_file(in_folder("unreadable.png"), file.data, file.len);
    assert_good(stamp_from(in_folder("unreadable.png"), BST_PUBLIC, in_folder("from unreadable.png"), &err));
    json_t *assertions = read_assertions(in_folder("from unreadable.png"), &c2pa);
    json_t *input = ingredient_of(assertions, NULL);
    assert_non_null(strstr(bst_json_text(input, "description"), "its credentials were not kept: "));
    assert_null(json_object_get(input, "activeManifest"));
    json_decref(assertions);
    bst_c2pa_clear(&c2pa);
    bst_buf_free(&file);
}

static void inputs_without_credentials(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_c2pa c2pa;
    struct bst_buf file = {0};
    make_png(&file);
    write_file(in_folder("plain.png"), file.data, file.len);
    assert_good(stamp_from(in_folder("plain.png"), BST_PARTNER, in_folder("from plain.png"), &err));
    json_t *assertions = read_assertions(in_folder("from plain.png"), &c2pa);
    says(ingredient_of(assertions, NULL), "dc:title", "plain.png");
    json_decref(assertions);
    bst_c2pa_clear(&c2pa);
    bst_buf_free(&file);
}

/* Two pictures of one batch share what was read of their input; a private one among them does not. */
static void a_batch_with_one_input(void **state)
{
    (void)state;
    struct bst_error err = {0};
    const char *const names[] = {"one.png", "two.png", "three.png"};
    const enum bst_privacy privacy[] = {BST_PUBLIC, BST_PRIVATE, BST_PARTNER};
    struct bst_stamper *stamper = open_stamper(true);
    for (size_t i = 0; i < 3; i++) {
        struct bst_generation generation = make_generation(privacy[i]);
        struct bst_image image;
        generation.input_name = "input.png";
        generation.input_path = in_folder("input.png");
        assert_good(bst_sha256_file(generation.input_path, generation.input_sha256, &err));
        make_gradient(generation.width, generation.height, &image);
        assert_good(bst_stamp_add(stamper, &image, in_folder(names[i]), false, &generation, &err));
        bst_image_clear(&image);
    }
    assert_good(bst_stamp_commit(stamper, NULL, NULL, &err));
    bst_stamper_close(stamper);
    for (size_t i = 0; i < 3; i++) {
        struct bst_c2pa c2pa;
        json_t *assertions = read_assertions(in_folder(names[i]), &c2pa);
        bool told = json_object_get(ingredient_of(assertions, NULL), "activeManifest") != NULL;
        assert_int_equal(told, privacy[i] != BST_PRIVATE);
        json_decref(assertions);
        bst_c2pa_clear(&c2pa);
    }
}

static void an_input_that_was_changed(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_stamper *stamper = open_stamper(true);
    struct bst_generation generation = make_generation(BST_PUBLIC);
    struct bst_image image;
    make_gradient(generation.width, generation.height, &image);
    generation.input_name = "plain.png";
    generation.input_path = in_folder("plain.png"); /* its digest is another */
    assert_int_equal(bst_stamp_add(stamper, &image, in_folder("never.png"), false, &generation, &err),
                     BST_USAGE);
    assert_non_null(strstr(err.what, "was changed"));
    assert_int_equal(bst_stamp_pending(stamper), 0);
    bst_image_clear(&image);
    bst_stamper_close(stamper);
    assert_false(bst_file_exists(in_folder("never.png")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_went_in),
        cmocka_unit_test(the_lineage),
        cmocka_unit_test(partners_learn_all_but_the_prompt),
        cmocka_unit_test(a_private_manifest_commits),
        cmocka_unit_test(inputs_whose_credentials_do_not_hold),
        cmocka_unit_test(inputs_without_credentials),
        cmocka_unit_test(a_batch_with_one_input),
        cmocka_unit_test(an_input_that_was_changed),
    };
    return cmocka_run_group_tests_name("ingredients", tests, setup, teardown);
}
