/* test_import.c - every architecture against PyTorch (import_cases.txt), in each of the three formats; the card and
 * the origin in the written file; and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <unistd.h>

#include "graph.h"
#include "import_case.h"
#include "model.h"

static char folder[] = "/tmp/blindstamp-import-XXXXXX";
static char source[64], second[64], target[64], pictures[2][128];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) return 1;
    snprintf(source, sizeof source, "%s/Net 1.pth", folder);
    snprintf(second, sizeof second, "%s/encoder.pth", folder);
    snprintf(target, sizeof target, "%s/net.onnx", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(source);
    unlink(second);
    unlink(target);
    for (size_t i = 0; i < 2; i++)
        unlink(pictures[i]);
    return rmdir(folder);
}

static void write_source(const struct bst_buf *bytes)
{
    write_file(source, bytes);
}

/* With an encoder if there is one, and that many style pictures. */
static enum bst_code import_styled(bool encoder, size_t styles, struct bst_import_result *result,
                                   struct bst_error *err)
{
    const char *paths[] = {pictures[0], pictures[1]};
    struct bst_import_options options = {.style_pictures = paths, .style_picture_count = styles};
    memset(err, 0, sizeof *err);
    unlink(target);
    return bst_import(source, encoder ? second : NULL, &options, target, result, err);
}

static enum bst_code import(const char *arch, struct bst_import_result *result, struct bst_error *err)
{
    struct bst_import_options options = {.architecture = arch};
    memset(err, 0, sizeof *err);
    unlink(target);
    return bst_import(source, NULL, &options, target, result, err);
}

/* ---- cases ---- */

struct expected {
    struct import_case common;
    char arch[64];
    struct weights weights, second;
    size_t pictures;
    struct bst_tensor inputs[32];
    char names[32][64];
    size_t input_count;
};

/* "input NAME LOW HIGH DIMS...": numbers in [LOW, HIGH), as weights are in [-1, 1). "codes" instead of "input": whole
 * numbers. */
static void input_line(struct expected *e, const char *line)
{
    struct bst_tensor *t = &e->inputs[e->input_count];
    float low, high;
    int used;
    size_t count = 1;
    if (sscanf(line, "%*s %63s %f %f%n", e->names[e->input_count], &low, &high, &used) != 3) abort();
    memset(t, 0, sizeof *t);
    t->name = e->names[e->input_count++];
    for (char *at = (char *)(uintptr_t)line + used, *end;; at = end) {
        long long dim = strtoll(at, &end, 10);
        if (end == at) break;
        t->dims[t->rank++] = dim;
        count *= (size_t)dim;
    }
    bool whole = strncmp(line, "codes ", 6) == 0;
    t->data = whole ? NULL : bst_calloc(count, sizeof *t->data);
    t->ints = whole ? bst_calloc(count, sizeof *t->ints) : NULL;
    uint64_t state = fixture_seed(t->name);
    for (size_t i = 0; i < count; i++) {
        float value = (fixture_random(&state) + 1.0f) * ((high - low) / 2) + low;
        if (whole)
            t->ints[i] = (int64_t)value;
        else
            t->data[i] = value;
    }
}

/* "picture NAME WIDTH HEIGHT": one of random samples, in a file of that name. */
static void picture_line(struct expected *e, const char *line)
{
    struct bst_image image;
    struct bst_buf png = {0};
    struct bst_error err;
    char name[32];
    unsigned width, height;
    if (sscanf(line, "picture %31s %u %u", name, &width, &height) != 3) abort();
    assert_int_equal(bst_image_new(width, height, 3, 8, &image, &err), BST_OK);
    uint64_t state = fixture_seed(name);
    for (size_t i = 0; i < bst_image_size(&image); i++)
        image.samples[i] = (uint8_t)((fixture_random(&state) + 1.0f) * 127.5f);
    assert_int_equal(bst_png_encode(&image, 1, &png, &err), BST_OK);
    snprintf(pictures[e->pictures], sizeof pictures[0], "%s/%s.png", folder, name);
    write_file(pictures[e->pictures++], &png);
    bst_image_clear(&image);
    bst_buf_free(&png);
}

static void begin_case(void *arg)
{
    struct expected *e = arg;
    for (size_t i = 0; i < e->input_count; i++) {
        free(e->inputs[i].data);
        free(e->inputs[i].ints);
    }
    memset(e, 0, sizeof *e);
}

static void take_line(void *arg, const char *line)
{
    struct expected *e = arg;
    case_line(&e->common, line);
    if (strncmp(line, "arch ", 5) == 0) snprintf(e->arch, sizeof e->arch, "%.60s", line + 5);
    if (strncmp(line, "tensor ", 7) == 0) weights_line(&e->weights, line);
    if (strncmp(line, "second ", 7) == 0) weights_line(&e->second, line + 7);
    if (strncmp(line, "picture ", 8) == 0) picture_line(e, line);
    if (strncmp(line, "input ", 6) == 0 || strncmp(line, "codes ", 6) == 0) input_line(e, line);
}

static void check_case(void *arg, size_t index)
{
    static const char *const formats[] = {"PyTorch zip", "PyTorch legacy", "safetensors"};
    const struct expected *e = arg;
    const char *title = e->common.title, *format = formats[index % 3];
    struct bst_import_result result;
    struct bst_error err;
    struct bst_buf bytes = {0};
    if (index % 3 == 0) weights_zip(&e->weights, "params_ema", &bytes);
    if (index % 3 == 1) weights_legacy(&e->weights, NULL, &bytes);
    if (index % 3 == 2) weights_safetensors(&e->weights, &bytes);
    write_source(&bytes);
    bst_buf_free(&bytes);
    weights_zip(&e->second, NULL, &bytes);
    write_file(second, &bytes);
    bst_buf_free(&bytes);
    if (import_styled(e->second.count > 0, e->pictures, &result, &err) != BST_OK)
        fail_msg("%s, %s: %s (%s)", title, format, err.what, err.where);
    assert_string_equal(result.architecture, e->arch);
    assert_string_equal(result.format, format);
    case_run(&e->common, "PyTorch", target, e->inputs, e->input_count);
}

static void test_architectures(void **state)
{
    struct expected *e = bst_calloc(1, sizeof *e);
    (void)state;
    assert_true(cases_each("tests/unit/import_cases.txt", e, begin_case, take_line, check_case) >= 24);
    free(e);
}

/* ---- one small network in many files ---- */

/* An SRVGG of one hidden layer. */
static void small_network(struct weights *w)
{
    static const char *const lines[] = {
        "tensor body.0.weight 0.3 0 2 3 3 3",  "tensor body.0.bias 0.1 0 2",  "tensor body.1.weight 0.25 1 2",
        "tensor body.2.weight 0.3 0 12 2 3 3", "tensor body.2.bias 0.1 0 12",
    };
    w->count = 0;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        weights_line(w, lines[i]);
}

static void expect_refusal(const char *what, const char *place)
{
    struct bst_import_result result;
    struct bst_error err;
    enum bst_code code = import(NULL, &result, &err);
    if (code != BST_UNREADABLE || strstr(err.what, what) == NULL || strstr(err.where, place) == NULL)
        fail_msg("code %d, says '%s' at '%s', not '%s' at '%s'", code, err.what, err.where, what, place);
    assert_false(bst_file_exists(target));
}

static void test_origin(void **state)
{
    struct weights *w = bst_calloc(1, sizeof *w);
    struct bst_buf bytes = {0}, onnx = {0};
    struct bst_import_result result;
    struct bst_error err;
    uint8_t digest[BST_SHA256_LEN];
    char hex[BST_SHA256_HEX];
    (void)state;
    small_network(w);
    weights_zip(w, "params", &bytes);
    write_source(&bytes);
    assert_int_equal(import(NULL, &result, &err), BST_OK);
    assert_int_equal(bst_file_read(target, 1 << 20, &onnx, &err), BST_OK);
    bst_sha256(onnx.data, onnx.len, digest);
    assert_memory_equal(digest, result.digest, sizeof digest);
    Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, onnx.len, onnx.data);
    assert_non_null(model);
    const char *text = NULL;
    for (size_t i = 0; i < model->n_metadata_props; i++)
        if (strcmp(model->metadata_props[i]->key, "blindstamp.import") == 0)
            text = model->metadata_props[i]->value;
    assert_non_null(text);
    json_t *json = json_loads(text, 0, NULL);
    bst_sha256(bytes.data, bytes.len, digest);
    bst_hex(digest, sizeof digest, hex);
    assert_string_equal(json_string_value(bst_json_at(json, "files.0.sha256")), hex);
    assert_string_equal(json_string_value(bst_json_at(json, "files.0.name")), "Net 1.pth");
    assert_string_equal(bst_json_text(json, "architecture"), "srvgg");
    json_decref(json);
    onnx__model_proto__free_unpacked(model, NULL);
    struct bst_model *opened;
    assert_int_equal(bst_model_open(target, &opened, &err), BST_OK);
    assert_string_equal(bst_model_card(opened)->name, "net-1"); /* from the file's name */
    bst_model_free(opened);
    struct bst_import_options none = {0}; /* the output is there and is not to be replaced */
    assert_int_equal(bst_import(source, NULL, &none, target, &result, &err), BST_USAGE);
    bst_buf_free(&onnx);
    bst_buf_free(&bytes);
    free(w);
}

/* Runs after the cases, the last of which left AdaIN's files. */
static void test_styles(void **state)
{
    struct bst_import_result result;
    struct bst_error err;
    struct bst_model *model;
    struct bst_buf bytes = {0};
    (void)state;
    assert_int_equal(import_styled(true, 2, &result, &err), BST_OK);
    assert_int_equal(bst_model_open(target, &model, &err), BST_OK);
    const struct bst_card *card = bst_model_card(model);
    assert_int_equal(card->style_count, 2);
    assert_string_equal(card->styles[0], "wave");
    assert_string_equal(card->styles[1], "dots");
    bst_model_free(model);

    assert_int_equal(import_styled(false, 2, &result, &err), BST_UNREADABLE);
    assert_non_null(strstr(err.what, "needs the weights of its encoder"));
    assert_non_null(strstr(err.hint, "--encoder"));
    assert_int_equal(import_styled(true, 0, &result, &err), BST_UNREADABLE);
    assert_non_null(strstr(err.what, "a picture for each of its styles"));
    char kept[sizeof pictures[0]];
    memcpy(kept, pictures[1], sizeof kept);
    memcpy(pictures[1], pictures[0], sizeof kept);
    assert_int_equal(import_styled(true, 2, &result, &err), BST_USAGE);
    assert_non_null(strstr(err.what, "two style pictures are called wave"));
    memcpy(pictures[1], kept, sizeof kept);

    struct weights *w = bst_calloc(1, sizeof *w); /* another network's weights as encoder */
    small_network(w);
    weights_zip(w, NULL, &bytes);
    write_file(second, &bytes);
    assert_int_equal(import_styled(true, 1, &result, &err), BST_UNREADABLE);
    assert_non_null(strstr(err.what, "'0.weight' is missing"));
    write_source(&bytes);
    assert_int_equal(import_styled(false, 1, &result, &err), BST_USAGE);
    assert_non_null(strstr(err.what, "takes neither an encoder nor style pictures"));
    assert_false(bst_file_exists(target));
    bst_buf_free(&bytes);
    free(w);
}

static void test_unknown_networks(void **state)
{
    struct weights *w = bst_calloc(1, sizeof *w);
    struct bst_buf bytes = {0};
    struct bst_import_result result;
    struct bst_error err;
    (void)state;
    small_network(w);
    strcpy(w->list[4].name, "body.2.bis");
    weights_safetensors(w, &bytes);
    write_source(&bytes);
    expect_refusal("nearest is SRVGGNetCompact with 4 of the 5 that tell it, lacking 'body.2.bias'",
                   "Net 1.pth");
    assert_int_equal(import("rrdb", &result, &err), BST_UNREADABLE);
    assert_non_null(strstr(err.what, "RRDBNet"));
    assert_int_equal(import("perceptron", &result, &err), BST_USAGE);
    assert_non_null(strstr(err.what, "'perceptron' is not known, only: "));

    bytes.len = 0;
    small_network(w);
    weights_line(w, "tensor head.weight 1 0 2 2");
    weights_safetensors(w, &bytes);
    write_source(&bytes);
    expect_refusal("tensor 'head.weight' is no part of SRVGGNetCompact", "Net 1.pth");

    bytes.len = 0;
    small_network(w);
    w->list[3].dims[1] = 3; /* a convolution that takes more channels than there are */
    w->list[3].count = 12 * 27;
    weights_safetensors(w, &bytes);
    write_source(&bytes);
    expect_refusal("", "Conv");
    bst_buf_free(&bytes);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_architectures),
        cmocka_unit_test(test_styles),
        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_unknown_networks),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
