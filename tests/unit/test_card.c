/* test_card.c - what is derived of a card from small graphs of each family, and cards beside the model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <unistd.h>

#include "onnx_fixture.h"

static char path[64], card_path[64];

static void write_model(const char *text)
{
    struct fixture *f = fixture_new(text);
    fixture_write(f, path);
    fixture_free(f);
}

static struct bst_model *opened(const char *text)
{
    struct bst_model *model;
    struct bst_error err;
    write_model(text);
    if (bst_model_open(path, &model, &err) != BST_OK) fail_msg("%s (%s)", err.what, err.where);
    return model;
}

static const struct bst_card_input *input_called(const struct bst_card *card, const char *name)
{
    for (size_t i = 0; i < card->input_count; i++)
        if (strcmp(card->inputs[i].name, name) == 0) return &card->inputs[i];
    fail_msg("no input %s", name);
    return NULL;
}

static struct bst_image picture(const struct bst_model *model, const struct bst_controls *controls,
                                struct bst_used *used)
{
    static const struct bst_run_options options = {.threads = 1};
    struct bst_generator *generator;
    struct bst_image image;
    struct bst_error err;
    assert_int_equal(bst_generator_new(model, &options, &generator, &err), BST_OK);
    if (bst_generate(generator, controls, &image, used, &err) != BST_OK)
        fail_msg("%s (%s)", err.what, err.where);
    bst_generator_free(generator);
    return image;
}

static struct bst_image checkered(uint32_t width, uint32_t height, uint8_t channels)
{
    struct bst_image image;
    struct bst_error err;
    assert_int_equal(bst_image_new(width, height, channels, 8, &image, &err), BST_OK);
    for (size_t i = 0; i < bst_image_size(&image); i++)
        image.samples[i] = (uint8_t)(i * 37 + i / 11);
    return image;
}

/* ---- ranges ---- */

static void expect_range(const char *nodes, float low, float high)
{
    char *text = bst_format("in x 1 3 ?8 ?8\nrand w 3 3 1 1\nfloat half 0.5\nfloat k 127.5\nfloat z 0.0\n"
                            "float one 1.0\nfloat n -0.5\nnode Conv x,w a\n%s",
                            nodes);
    struct bst_model *model = opened(text);
    const struct bst_card *card = bst_model_card(model);
    if (card->output_low != low || card->output_high != high)
        fail_msg("%s: %g to %g", nodes, (double)card->output_low, (double)card->output_high);
    bst_model_free(model);
    free(text);
}

static void ranges_follow_the_last_operators(void **state)
{
    (void)state;
    expect_range("node Tanh a y", -1, 1);
    expect_range("node Sigmoid a y", 0, 1);
    expect_range("node Clip a,z,one y", 0, 1);
    expect_range("node Tanh a b\nnode Mul b,half c\nnode Add c,half y", 0, 1);
    expect_range("node Tanh a b\nnode Mul k,b c\nnode Add c,k y", 0, 255);
    expect_range("node Sigmoid a b\nnode Add b,n y", -0.5f, 0.5f);
    expect_range("node Tanh a b\nnode Transpose b c perm=[0,2,3,1]\nnode Transpose c y perm=[0,3,1,2]", -1,
                 1);
    expect_range("node Relu a y", 0, 1); /* says nothing */
}

/* ---- roles ---- */

static void channels_last(void **state)
{
    struct bst_model *model = opened("in x 1 ?8 ?8 3\nrand w 3 3 1 1\nnode Transpose x a perm=[0,3,1,2]\n"
                                     "node Conv a,w b\nnode Tanh b c\nnode Transpose c y perm=[0,2,3,1]");
    const struct bst_card *card = bst_model_card(model);
    (void)state;
    assert_int_equal(input_called(card, "x")->role, BST_ROLE_IMAGE);
    assert_true(input_called(card, "x")->nhwc && card->output_nhwc && !card->fixed_size);
    struct bst_image photo = checkered(12, 7, 3);
    struct bst_image last = picture(model, &(struct bst_controls){.truncation = 1, .input = &photo}, NULL);
    bst_model_free(model);
    /* The same network on planes makes the same picture. */
    model = opened("in x 1 3 ?8 ?8\nrand w 3 3 1 1\nnode Conv x,w b\nnode Tanh b y");
    assert_false(bst_model_card(model)->output_nhwc);
    struct bst_image first = picture(model, &(struct bst_controls){.truncation = 1, .input = &photo}, NULL);
    assert_true(first.width == 12 && first.height == 7 && last.width == 12 && last.height == 7);
    assert_memory_equal(first.samples, last.samples, bst_image_size(&first));
    bst_model_free(model);
    bst_image_clear(&first);
    bst_image_clear(&last);
    bst_image_clear(&photo);
}

/* A network that changes nothing gives every sample back, in each layout and number of channels. */
static void nothing_changes(const char *nodes, uint8_t from, uint8_t channels)
{
    struct bst_model *model = opened(nodes);
    struct bst_image photo = checkered(9, 5, from);
    struct bst_image out = picture(model, &(struct bst_controls){.truncation = 1, .input = &photo}, NULL);
    if (out.channels != channels) fail_msg("%s: %d channels", nodes, out.channels);
    for (size_t i = 0; i < (size_t)9 * 5; i++)
        for (size_t c = 0; c < channels; c++) {
            uint8_t want = from == 1 ? photo.samples[i] : c < from ? photo.samples[i * from + c] : 255;
            if (out.samples[i * channels + c] != want) fail_msg("%s: pixel %zu channel %zu", nodes, i, c);
        }
    bst_image_clear(&photo);
    bst_image_clear(&out);
    bst_model_free(model);
}

static void layouts_and_channels(void **state)
{
    (void)state;
    nothing_changes("in x 1 3 ?8 ?8\nfloat o 1.0\nnode Mul x,o y", 3, 3);
    nothing_changes("in x 1 4 ?8 ?8\nfloat o 1.0\nnode Mul x,o y", 4, 4);
    nothing_changes("in x 1 4 ?8 ?8\nfloat o 1.0\nnode Mul x,o y", 3, 4);
    nothing_changes("in x 1 ?8 ?8 4\nfloat o 1.0\nnode Mul x,o y", 4, 4);
    nothing_changes("in x 1 ?8 ?8 1\nfloat o 1.0\nnode Mul x,o y", 1, 3);
    nothing_changes("in x 1 1 ?8 ?8\nfloat o 1.0\nnode Mul x,o y", 1, 3);
    nothing_changes(
        "card {\"schema\":\"blindstamp.card/1\",\"name\":\"a\",\"inputs\":[{\"name\":\"x\",\"role\":"
        "\"image\",\"layout\":\"nhwc\",\"bgr\":true}],\"width\":8,\"height\":8,\"output_low\":0,"
        "\"output_high\":1,\"output_layout\":\"nhwc\",\"output_bgr\":true}\n"
        "in x 1 ?8 ?8 3\nfloat o 1.0\nnode Mul x,o y",
        3, 3);
}

#define CONDITIONAL                                                                                          \
    "in z 1 4\nin label 1 5\nrand w 9 12\nints s 1 3 2 2\nnode Concat z,label c axis=1\nnode MatMul c,w "    \
    "d\nnode Reshape d,s e\nnode Tanh e y"

static void one_hot_labels(void **state)
{
    struct bst_model *model = opened(CONDITIONAL);
    const struct bst_card *card = bst_model_card(model);
    struct bst_used used, again;
    (void)state;
    assert_int_equal(input_called(card, "z")->role, BST_ROLE_LATENT);
    assert_int_equal(input_called(card, "label")->role, BST_ROLE_LABEL);
    assert_int_equal(card->class_count, 5);
    struct bst_image drawn = picture(model, &(struct bst_controls){.seed = 4, .truncation = 1}, &used);
    assert_true(used.has_label && used.label < 5);
    struct bst_controls same = {.seed = 4, .truncation = 1, .has_label = true, .label = used.label};
    struct bst_image asked = picture(model, &same, &again);
    assert_memory_equal(drawn.samples, asked.samples, bst_image_size(&drawn));
    same.label = (used.label + 1) % 5;
    struct bst_image other = picture(model, &same, &again);
    assert_int_equal(again.label, same.label);
    assert_true(memcmp(drawn.samples, other.samples, bst_image_size(&drawn)) != 0);
    bst_image_clear(&drawn);
    bst_image_clear(&asked);
    bst_image_clear(&other);
    struct bst_generator *generator;
    struct bst_error err = {0};
    struct bst_run_options options = {.threads = 1};
    same.label = 5;
    assert_int_equal(bst_generator_new(model, &options, &generator, &err), BST_OK);
    assert_int_equal(bst_generate(generator, &same, &other, NULL, &err), BST_USAGE);
    assert_non_null(strstr(err.hint, "0 to 4"));
    bst_generator_free(generator);
    bst_model_free(model);
}

/* A class's number picks a row of a table, as exporters write an embedding. */
static void numbered_labels(void **state)
{
    struct bst_model *model =
        opened("in z 1 4\nintin c 5 1\nrand table 5 4\nrand w 4 12\nints s 1 3 2 2\nnode Gather table,c e\n"
               "node Mul z,e m\nnode MatMul m,w d\nnode Reshape d,s f\nnode Tanh f y");
    const struct bst_card *card = bst_model_card(model);
    (void)state;
    assert_int_equal(input_called(card, "c")->role, BST_ROLE_LABEL);
    assert_int_equal(card->class_count, 5);
    struct bst_image made[5];
    for (uint32_t c = 0; c < 5; c++) {
        struct bst_controls controls = {.seed = 9, .truncation = 1, .has_label = true, .label = c};
        made[c] = picture(model, &controls, NULL);
        for (uint32_t k = 0; k < c; k++)
            assert_true(memcmp(made[c].samples, made[k].samples, bst_image_size(&made[c])) != 0);
    }
    struct bst_used used;
    struct bst_image drawn = picture(model, &(struct bst_controls){.seed = 9, .truncation = 1}, &used);
    assert_memory_equal(drawn.samples, made[used.label].samples, bst_image_size(&drawn));
    for (size_t c = 0; c < 5; c++)
        bst_image_clear(&made[c]);
    bst_image_clear(&drawn);
    bst_model_free(model);
}

static void noise_maps(void **state)
{
    struct bst_model *model =
        opened("in z 1 8\nin n4 1 1 4 4\nin n8 1 1 8 8\nrand w 8 16\nints s 1 1 4 4\n"
               "rand v 3 1 1 1\nfloats u 1 1 2 2\nnode MatMul z,w a\nnode Reshape a,s b\nnode Add b,n4 c\n"
               "node Resize c,,u d mode='nearest'\nnode Add d,n8 e\nnode Conv e,v f\nnode Tanh f y");
    const struct bst_card *card = bst_model_card(model);
    (void)state;
    assert_true(card->fixed_size && card->width == 8 && card->height == 8);
    assert_int_equal(input_called(card, "n4")->role, BST_ROLE_NOISE);
    assert_int_equal(input_called(card, "n4")->cell, 2);
    assert_int_equal(input_called(card, "n8")->cell, 1);
    bst_model_free(model);
    /* A spatial latent whose unpadded convolutions use up its rim: n cells make 2 * (n - 2) pixels. */
    model = opened(
        "in z 1 7 ?8 ?8\nrand w 4 7 3 3\nrand v 3 4 1 1\nfloats u 1 1 2 2\nnode Conv z,w a\nnode Relu a b\n"
        "node Resize b,,u c mode='nearest'\nnode Conv c,v d\nnode Tanh d y");
    card = bst_model_card(model);
    assert_false(card->fixed_size);
    assert_int_equal(input_called(card, "z")->role, BST_ROLE_NOISE);
    assert_int_equal(input_called(card, "z")->cell, 2);
    assert_int_equal(input_called(card, "z")->margin, 1);
    struct bst_image out =
        picture(model, &(struct bst_controls){.seed = 1, .truncation = 1, .width = 21, .height = 13}, NULL);
    assert_true(out.width == 21 && out.height == 13);
    bst_image_clear(&out);
    bst_model_free(model);
}

static void styles_by_name(void **state)
{
    struct bst_model *model =
        opened("in z 1 4\nin style 1 3\nrand w 7 12\nints s 1 3 2 2\nnode Concat z,style c "
               "axis=1\nnode MatMul c,w d\nnode Reshape d,s y");
    const struct bst_card *card = bst_model_card(model);
    (void)state;
    assert_int_equal(input_called(card, "style")->role, BST_ROLE_STYLE);
    assert_int_equal(card->style_count, 3);
    assert_string_equal(card->styles[2], "style-3");
    bst_model_free(model);
}

static void multiples_by_trying(void **state)
{
    /* A U-Net of two levels: the halves meet again at multiples of 4 only. */
    struct bst_model *model = opened(
        "in x 1 3 ?16 ?16\nrand a 4 3 4 4\nrand b 8 4 4 4\nrand c 8 4 4 4\nrand d 8 3 4 4\n"
        "node Conv x,a p strides=[2,2] pads=[1,1,1,1]\nnode LeakyRelu p q\nnode Conv q,b r strides=[2,2] "
        "pads=[1,1,1,1]\nnode Relu r s\nnode ConvTranspose s,c t strides=[2,2] pads=[1,1,1,1]\nnode Concat "
        "t,q u axis=1\nnode ConvTranspose u,d v strides=[2,2] pads=[1,1,1,1]\nnode Tanh v y");
    const struct bst_card *card = bst_model_card(model);
    (void)state;
    assert_int_equal(card->size_multiple, 4);
    assert_int_equal(card->output_scale, 1);
    assert_true(input_called(card, "x")->low == -1.0f && input_called(card, "x")->high == 1.0f);
    bst_model_free(model);
}

/* ---- proposals ---- */

/* The card proposed for a graph, and its notes. */
static json_t *proposed(const char *text, json_t **notes)
{
    static const struct bst_run_options options = {.threads = 1};
    struct bst_model *model = opened(text);
    struct bst_generator *generator;
    struct bst_error err;
    json_t *card;
    assert_int_equal(bst_generator_new(model, &options, &generator, &err), BST_OK);
    if (bst_card_propose(generator, &card, notes, &err) != BST_OK) fail_msg("%s (%s)", err.what, err.where);
    bst_generator_free(generator);
    bst_model_free(model);
    return card;
}

static bool noted(const json_t *notes, const char *state, const char *words)
{
    for (size_t i = 0; i < json_array_size(notes); i++) {
        const json_t *note = json_array_get(notes, i);
        if (strcmp(bst_json_text(note, "state"), state) == 0 &&
            strstr(bst_json_text(note, "words"), words) != NULL)
            return true;
    }
    return false;
}

static void expect_proposal(const char *text, double low, double high, const char *state, const char *words)
{
    json_t *notes, *card = proposed(text, &notes);
    double found[2] = {json_number_value(json_object_get(card, "output_low")),
                       json_number_value(json_object_get(card, "output_high"))};
    if (found[0] != low || found[1] != high) fail_msg("%s: %g to %g", text, found[0], found[1]);
    if (!noted(notes, state, words)) fail_msg("%s: not %s: %s", text, state, words);
    json_decref(card);
    json_decref(notes);
}

static void ranges_are_measured(void **state)
{
    (void)state;
    /* Whatever comes in, about 0 to 255 comes out: as after instance normalization. */
    expect_proposal("in x 1 3 ?8 ?8\nfloats g 60.0 60.0 60.0\nfloats b 127.0 127.0 127.0\n"
                    "node InstanceNormalization x,g,b y",
                    0, 255, "seen", "0 to 255, measured");
    /* What goes through unchanged tells nothing. */
    expect_proposal("in x 1 3 ?8 ?8\nrand w 3 3 1 1\nfloat o 1.0\nnode Mul x,o y", 0, 1, "assumed",
                    "does not tell");
    expect_proposal("in z 1 4 1 1\nrand w 4 3 8 8\nfloat s 0.2\nnode ConvTranspose z,w a\nnode Mul a,s b\n"
                    "node Softmax b y axis=1",
                    0, 1, "seen", "0 to 1, measured");
    expect_proposal("in z 1 4 1 1\nrand w 4 3 8 8\nfloat k 100.0\nnode ConvTranspose z,w a\nnode Sin a b\n"
                    "node Mul b,k c\nnode Add c,k y",
                    0, 255, "seen", "0 to 255, measured");
    expect_proposal("in x 1 3 ?8 ?8\nrand w 3 3 1 1\nnode Conv x,w a\nnode Sigmoid a y", 0, 1, "assumed",
                    "input's range");
}

static void what_cannot_be_told_is_said(void **state)
{
    json_t *notes,
        *card = proposed("in a 1 4\nin b 1 4\nints s 1 1 2 2\nnode Add a,b c\nnode Reshape c,s y", &notes);
    (void)state;
    assert_true(noted(notes, "unknown", "input b [1,4]"));
    assert_int_equal(json_array_size(json_object_get(card, "inputs")), 1);
    json_decref(card);
    json_decref(notes);
    card = proposed("in x 1 3 16 20\nrand w 3 3 3 3\nnode Conv x,w a pads=[1,1,1,1]\nnode Tanh a y", &notes);
    assert_true(noted(notes, "seen", "20 x 16 only"));
    assert_true(noted(notes, "assumed", "order of its colours"));
    json_decref(card);
    json_decref(notes);
}

/* Golden pictures made for a card come out of it again, and under nobody else's digest. */
static void golden_pictures_repeat(void **state)
{
    static const struct bst_run_options options = {.threads = 1};
    struct bst_model *model = opened(CONDITIONAL);
    struct bst_generator *generator;
    struct bst_error err;
    json_t *golden, *results, *notes, *card;
    (void)state;
    assert_int_equal(bst_generator_new(model, &options, &generator, &err), BST_OK);
    assert_int_equal(bst_card_propose(generator, &card, &notes, &err), BST_OK);
    assert_int_equal(bst_golden_make(generator, &golden, &err), BST_OK);
    assert_int_equal(json_array_size(golden), 4);
    assert_true(json_is_integer(bst_json_at(golden, "0.label")));
    json_object_set_new(card, "golden", golden);
    bst_generator_free(generator);
    bst_model_free(model);
    for (size_t turn = 0; turn < 2; turn++) {
        struct bst_buf text = {0};
        assert_int_equal(bst_json_pretty(card, &text, &err), BST_OK);
        if (bst_model_open_text(path, bst_buf_string(&text), &model, &err) != BST_OK)
            fail_msg("%s", err.what);
        assert_int_equal(bst_golden_check(model, &options, &results, &err), BST_OK);
        assert_int_equal(json_array_size(results), 4);
        for (size_t i = 0; i < 4; i++)
            assert_string_equal(bst_json_text(json_array_get(results, i), "state"),
                                turn == 0 || i != 2 ? "same" : "differs");
        json_decref(results);
        bst_model_free(model);
        bst_buf_free(&text);
        json_object_set_new(json_array_get(golden, 2), "seed", json_string("77"));
    }
    json_decref(card);
    json_decref(notes);
}

/* ---- a card beside the file ---- */

#define BESIDE(extra)                                                                                        \
    "{\"schema\":\"blindstamp.card/"                                                                         \
    "1\",\"name\":\"beside\",\"inputs\":[{\"name\":\"z\",\"role\":\"latent\"},"                              \
    "{\"name\":\"label\",\"role\":\"label\"}],\"width\":2,\"height\":2,\"output_low\":-1,\"output_high\":1," \
    "\"fixed_size\":true" extra "}"

static void write_card(const char *text)
{
    struct bst_error err;
    assert_int_equal(bst_file_write(card_path, text, strlen(text), BST_WRITE_REPLACE, &err), BST_OK);
}

static void beside_the_file(void **state)
{
    struct bst_error err;
    struct bst_model *model;
    (void)state;
    write_model(CONDITIONAL);
    write_card(BESIDE(",\"labels\":[\"Tench\",\"great white\",\"c\",\"d\",\"e\"]"));
    assert_int_equal(bst_model_open(path, &model, &err), BST_OK);
    const struct bst_card *card = bst_model_card(model);
    assert_string_equal(card->name, "beside");
    assert_int_equal(card->source, BST_CARD_BESIDE);
    assert_int_equal(card->class_count, 5);
    assert_string_equal(card->labels[1], "great white");
    uint8_t digest[BST_SHA256_LEN];
    assert_int_equal(bst_sha256_file(card_path, digest, &err), BST_OK);
    assert_memory_equal(digest, card->digest, sizeof digest);
    bst_model_free(model);
    /* What the model's own file says can still be had. */
    assert_int_equal(bst_model_open_with(path, NULL, &model, &err), BST_OK);
    assert_int_equal(bst_model_card(model)->source, BST_CARD_DERIVED);
    bst_model_free(model);
    unlink(card_path);
}

static void refuse(const char *card, const char *word)
{
    struct bst_error err = {0};
    struct bst_model *model = NULL;
    write_card(card);
    enum bst_code code = bst_model_open(path, &model, &err);
    bst_model_free(model);
    if (code != BST_UNREADABLE || strstr(err.what, word) == NULL)
        fail_msg("%s: %d '%s'", card, code, err.what);
    if (strstr(err.where, "card") == NULL && strstr(err.what, "card") == NULL)
        fail_msg("%s: %s", card, err.where);
    unlink(card_path);
}

static void bad_cards_beside(void **state)
{
    (void)state;
    write_model(CONDITIONAL);
    refuse(BESIDE(",\"classes\":4"), "role does not fit");
    refuse(BESIDE(",\"classes\":5,\"labels\":[\"a\"]"), "labels");
    refuse(BESIDE(",\"classes\":0"), "labels");
    refuse(BESIDE(",\"classes\":1e99"), "labels");
    refuse(BESIDE(",\"labels\":[\"a\",\"b\",\"c\",\"d\",\"\"]"), "labels");
    refuse(BESIDE(",\"labels\":[\"a\",\"b\",\"c\",\"d\",\"e\\n\"]"), "labels");
    refuse(BESIDE(",\"classes\":5,\"output_layout\":\"chwn\""), "output_layout");
    refuse(BESIDE(",\"classes\":5,\"output_low\":1e39,\"output_high\":1e40"), "");
    refuse(BESIDE(",\"classes\":5,\"model_sha256\":\"00\""), "another file");
    refuse(BESIDE(",\"classes\":5,\"model_sha256\":"
                  "\"0000000000000000000000000000000000000000000000000000000000000000\""),
           "another file");
    refuse("[]", "");
    refuse("", "");
    refuse("\"\xff\"", "");
    char deep[400];
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = 0;
    refuse(deep, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_follow_the_last_operators),
        cmocka_unit_test(channels_last),
        cmocka_unit_test(layouts_and_channels),
        cmocka_unit_test(one_hot_labels),
        cmocka_unit_test(numbered_labels),
        cmocka_unit_test(noise_maps),
        cmocka_unit_test(styles_by_name),
        cmocka_unit_test(multiples_by_trying),
        cmocka_unit_test(ranges_are_measured),
        cmocka_unit_test(what_cannot_be_told_is_said),
        cmocka_unit_test(golden_pictures_repeat),
        cmocka_unit_test(beside_the_file),
        cmocka_unit_test(bad_cards_beside),
    };
    snprintf(path, sizeof path, "/tmp/test_card_%d.onnx", (int)getpid());
    snprintf(card_path, sizeof card_path, "/tmp/test_card_%d.card.json", (int)getpid());
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    unlink(card_path);
    return failed;
}
