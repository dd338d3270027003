/* test_adopt.c - pictures made elsewhere: what is read out of them, stamped, kept as their past, and noticed when it is
 * changed. */
#include "home_fixture.h"
#include "metadata_fixture.h"
#include "webp_fixture.h"

/* ---- what files say ---- */

static json_t *origin(const char *place, const char *key, const char *value)
{
    json_t *metadata = json_pack("{s:{s:s}}", place, key, value);
    json_t *says = bst_metadata_origin(metadata);
    assert_non_null(says);
    json_decref(metadata);
    return says;
}

#define A1111                                                                                                \
    "a lighthouse, storm\nsecond line\nNegative prompt: people, text\nSteps: 20, Sampler: Euler a, "         \
    "CFG scale: 7, Seed: 18446744073709551615, Size: 512x512, Model hash: 45dee52b, Model: \"one, two\", "   \
    "Version: v1.10.1"

static void automatic1111(void **state)
{
    (void)state;
    static const char *const places[][2] = {{"text", "parameters"}, {"exif", "UserComment"}};
    for (size_t i = 0; i < 2; i++) {
        json_t *object = origin(places[i][0], places[i][1], A1111);
        says(object, "program", "AUTOMATIC1111");
        says(object, "prompt", "a lighthouse, storm\nsecond line");
        says(object, "negativePrompt", "people, text");
        says(object, "seed", "18446744073709551615");
        says(object, "model", "one, two");
        says(object, "modelHash", "45dee52b");
        says(object, "sampler", "Euler a");
        says(object, "version", "v1.10.1");
        json_decref(object);
    }
    json_t *object = origin("exif", "UserComment", "A holiday.\nSeed: 7, not what it seems");
    says(object, "program", NULL);
    says(object, "seed", NULL);
    json_decref(object);
}

static void comfyui(void **state)
{
    (void)state;
    json_t *object = origin(
        "text", "prompt",
        "{\"3\":{\"class_type\":\"KSampler\",\"inputs\":{\"seed\":156680208700286,\"sampler_name\":\"euler\","
        "\"positive\":[\"9\",0],\"negative\":[\"7\",0]}},\"4\":{\"class_type\":\"CheckpointLoaderSimple\","
        "\"inputs\":{\"ckpt_name\":\"v1-5.safetensors\"}},\"6\":{\"class_type\":\"CLIPTextEncode\","
        "\"inputs\":"
        "{\"text\":\"glass "
        "bottle\"}},\"7\":{\"class_type\":\"CLIPTextEncode\",\"inputs\":{\"text\":\"text\"}},"
        "\"9\":{\"class_type\":\"ConditioningSetArea\",\"inputs\":{\"conditioning\":[\"6\",0]}}}");
    says(object, "program", "ComfyUI");
    says(object, "prompt", "glass bottle");
    says(object, "negativePrompt", "text");
    says(object, "seed", "156680208700286");
    says(object, "model", "v1-5.safetensors");
    json_decref(object);
    /* links in a circle, and links to nowhere */
    object = origin("text", "prompt",
                    "{\"1\":{\"class_type\":\"KSampler\",\"inputs\":{\"seed\":-1,\"positive\":[\"2\",0],"
                    "\"negative\":[\"8\",0]}},\"2\":{\"class_type\":\"X\",\"inputs\":{\"text\":[\"2\",0]}}}");
    says(object, "prompt", NULL);
    says(object, "seed", NULL);
    json_decref(object);
}

static void invoke_and_novel(void **state)
{
    (void)state;
    json_t *object =
        origin("text", "invokeai_metadata",
               "{\"positive_prompt\":\"a red barn\",\"seed\":42,\"scheduler\":\"euler\","
               "\"model\":{\"name\":\"Juggernaut\",\"hash\":\"blake3:00\"},\"app_version\":\"5.0\"}");
    says(object, "program", "InvokeAI");
    says(object, "prompt", "a red barn");
    says(object, "seed", "42");
    says(object, "model", "Juggernaut");
    json_decref(object);
    json_t *metadata = json_pack("{s:{s:s, s:s, s:s}}", "text", "Software", "NovelAI", "Source", "NAI V3",
                                 "Comment", "{\"prompt\":\"castle\",\"uc\":\"fog\",\"seed\":9}");
    object = bst_metadata_origin(metadata);
    says(object, "program", "NovelAI");
    says(object, "prompt", "castle");
    says(object, "negativePrompt", "fog");
    says(object, "model", "NAI V3");
    json_decref(object);
    json_decref(metadata);
}

/* ---- stamping ---- */

static struct bst_stamper *stamper;

static int setup(void **state)
{
    if (home_setup(state) != 0) return -1;
    stamper = open_stamper(false);
    return 0;
}

static int teardown(void **state)
{
    bst_stamper_close(stamper);
    return home_teardown(state);
}

static enum bst_code adopt(const char *path, const char *output, const struct bst_adopt_options *options,
                           bool *none, struct bst_error *err)
{
    struct bst_adopt *one;
    enum bst_code code = bst_adopt_prepare(stamper, path, output, options, &one, err);
    *none = code == BST_OK && one == NULL;
    if (code == BST_OK && one != NULL) code = bst_adopt_commit(stamper, &one, 1, NULL, NULL, NULL, err);
    bst_adopt_free(one);
    return code;
}

static enum bst_code state_of(const char *path, struct bst_c2pa *c2pa, struct bst_error *err)
{
    struct bst_container container;
    struct bst_trust *trust;
    assert_int_equal(bst_trust_new(&trust, err), BST_OK);
    assert_int_equal(bst_trust_self(trust, home, err), BST_OK);
    enum bst_code code = bst_container_scan(path, &container, err);
    if (code == BST_OK) {
        code = bst_c2pa_read(path, &container, trust, c2pa, err);
        bst_container_clear(&container);
    }
    bst_trust_free(trust);
    return code;
}

static void make_file(const char *ending, struct bst_buf *out)
{
    if (strcmp(ending, "webp") == 0) {
        make_webp(96, 64, false, out);
    } else {
        make_png(out);
    }
}

static void each_format(void **state)
{
    (void)state;
    static const char *const endings[] = {"png", "webp"};
    const struct bst_adopt_options plain = {0};
    for (size_t i = 0; i < 2; i++) {
        struct bst_error err = {0};
        struct bst_buf file = {0};
        struct bst_c2pa c2pa;
        bool none;
        char path[200], signed_path[200];
        snprintf(path, sizeof(path), "%s/one.%s", folder, endings[i]);
        snprintf(signed_path, sizeof(signed_path), "%s/signed.%s", folder, endings[i]);
        make_file(endings[i], &file);
        write_file(path, file.data, file.len);
        assert_good(adopt(path, signed_path, &plain, &none, &err));
        assert_false(none);
        assert_good(state_of(signed_path, &c2pa, &err));
        assert_int_equal(c2pa.state, BST_C2PA_TRUSTED);
        assert_true(c2pa.envelope.len > 0);
        bst_c2pa_clear(&c2pa);
        /* never over a file that is there, never twice without being asked */
        assert_int_equal(adopt(path, signed_path, &plain, &none, &err), BST_USAGE);
        assert_good(adopt(signed_path, signed_path, &plain, &none, &err));
        assert_true(none);
        bst_buf_free(&file);
    }
}

/* Every few bytes one is changed: none goes unnoticed. */
static void changed_bytes_are_noticed(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf file = {0};
    struct bst_c2pa c2pa;
    size_t step = 23;
    assert_good(bst_file_read(in_folder("signed.webp"), 1u << 20, &file, &err));
    const char *path = in_folder("flipped.webp");
    for (size_t at = 0; at < file.len; at += step) {
        file.data[at] ^= 1;
        write_file(path, file.data, file.len);
        file.data[at] ^= 1;
        if (state_of(path, &c2pa, &err) != BST_OK) continue;
        if (c2pa.state == BST_C2PA_TRUSTED) fail_msg("byte %zu", at);
        bst_c2pa_clear(&c2pa);
    }
    bst_buf_free(&file);
}

/* The parent's manifest stands in the new store byte for byte. */
static void parents_are_kept(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_c2pa before, after;
    bool none;
    const struct bst_adopt_options options = {.again = true, .source = BST_SOURCE_IS_EDITED};
    assert_good(state_of(in_folder("signed.webp"), &before, &err));
    assert_good(adopt(in_folder("signed.webp"), in_folder("again.webp"), &options, &none, &err));
    assert_good(state_of(in_folder("again.webp"), &after, &err));
    assert_int_equal(after.state, BST_C2PA_TRUSTED);
    assert_true(has_status(&after, BST_STATUS_SUCCESS, "ingredient.manifest.validated"));
    keeps_manifest(&before, &after);
    bst_c2pa_clear(&before);
    bst_c2pa_clear(&after);
}

static void broken_parents_are_refused(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf file = {0};
    struct bst_c2pa c2pa;
    bool none;
    struct bst_adopt_options options = {.again = true};
    assert_good(bst_file_read(in_folder("signed.png"), 1u << 20, &file, &err));
    bst_buf_text(&file, "appended");
    write_file(in_folder("broken.png"), file.data, file.len);
    assert_int_equal(adopt(in_folder("broken.png"), in_folder("mended.png"), &options, &none, &err),
                     BST_BROKEN);
    assert_false(bst_file_exists(in_folder("mended.png")));
    options.accept_broken = true;
    assert_good(adopt(in_folder("broken.png"), in_folder("mended.png"), &options, &none, &err));
    assert_good(state_of(in_folder("mended.png"), &c2pa, &err));
    assert_int_equal(c2pa.state, BST_C2PA_TRUSTED);
    json_t *report;
    assert_good(bst_c2pa_export(&c2pa, BST_C2PA_OURS, &report, &err));
    char *text = json_dumps(report, 0);
    assert_non_null(strstr(text, "assertion.dataHash.mismatch")); /* what was found is recorded */
    free(text);
    json_decref(report);
    bst_c2pa_clear(&c2pa);
    bst_buf_free(&file);
}

static void sidecars(void **state)
{
    (void)state;
    struct bst_error err = {0};
    struct bst_buf file = {0};
    struct bst_c2pa c2pa;
    bool none;
    const struct bst_adopt_options options = {.sidecar = true};
    make_png(&file);
    write_file(in_folder("kept.png"), file.data, file.len);
    assert_good(adopt(in_folder("kept.png"), "", &options, &none, &err));
    assert_good(state_of(in_folder("kept.png"), &c2pa, &err));
    assert_true(c2pa.sidecar);
    assert_string_equal(err.what, ""); /* that the file itself holds none is no error */
    assert_int_equal(c2pa.state, BST_C2PA_TRUSTED);
    bst_c2pa_clear(&c2pa);
    file.data[60] ^= 1;
    write_file(in_folder("kept.png"), file.data, file.len);
    if (state_of(in_folder("kept.png"), &c2pa, &err) == BST_OK) {
        assert_int_equal(c2pa.state, BST_C2PA_INVALID);
        bst_c2pa_clear(&c2pa);
    }
    /* nobody would look for it beside credentials in the file */
    const struct bst_adopt_options again = {.sidecar = true, .again = true};
    assert_int_equal(adopt(in_folder("signed.png"), "", &again, &none, &err), BST_USAGE);
    bst_buf_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(automatic1111),
        cmocka_unit_test(comfyui),
        cmocka_unit_test(invoke_and_novel),
        cmocka_unit_test(each_format),
        cmocka_unit_test(changed_bytes_are_noticed),
        cmocka_unit_test(parents_are_kept),
        cmocka_unit_test(broken_parents_are_refused),
        cmocka_unit_test(sidecars),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
