/* test_import.c - every architecture against PyTorch (import_cases.txt), in each of the three formats; the card and
 * the origin in the written file; and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <unistd.h>

#include "graph.h"
#include "import_fixture.h"
#include "model.h"

static char folder[] = "/tmp/blindstamp-import-XXXXXX";
static char source[64], target[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) return 1;
    snprintf(source, sizeof source, "%s/Net 1.pth", folder);
    snprintf(target, sizeof target, "%s/net.onnx", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(source);
    unlink(target);
    return rmdir(folder);
}

static void write_source(const struct bst_buf *bytes)
{
    FILE *file = fopen(source, "wb");
    assert_non_null(file);
    assert_false(bytes->failed);
    assert_int_equal(fwrite(bytes->data, 1, bytes->len, file), bytes->len);
    fclose(file);
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
    char title[128], arch[64], card[128];
    struct weights weights;
    struct bst_tensor inputs[32];
    char names[32][64];
    size_t input_count;
    int64_t output[4];
    float values[64], low, high;
    size_t value_count;
};

/* Numbers of an input lie in [low, high) as weights do in [-1, 1). */
static void input_line(struct expected *e, const char *line)
{
    struct bst_tensor *t = &e->inputs[e->input_count];
    float low, high;
    int used;
    size_t count = 1;
    if (sscanf(line, "input %63s %f %f%n", e->names[e->input_count], &low, &high, &used) != 3) abort();
    memset(t, 0, sizeof *t);
    t->name = e->names[e->input_count++];
    for (char *at = (char *)(uintptr_t)line + used, *end;; at = end) {
        long long dim = strtoll(at, &end, 10);
        if (end == at) break;
        t->dims[t->rank++] = dim;
        count *= (size_t)dim;
    }
    t->data = bst_calloc(count, sizeof *t->data);
    uint64_t state = fixture_seed(t->name);
    for (size_t i = 0; i < count; i++)
        t->data[i] = (fixture_random(&state) + 1.0f) * ((high - low) / 2) + low;
}

static bool read_case(FILE *file, struct expected *e)
{
    char line[1024];
    memset(e, 0, sizeof *e);
    while (fgets(line, sizeof line, file) != NULL && line[0] != '\n') {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "case ", 5) == 0) snprintf(e->title, sizeof e->title, "%.100s", line + 5);
        if (strncmp(line, "arch ", 5) == 0) snprintf(e->arch, sizeof e->arch, "%.60s", line + 5);
        if (strncmp(line, "card", 4) == 0) snprintf(e->card, sizeof e->card, "%.100s ", line + 4);
        if (strncmp(line, "tensor ", 7) == 0) weights_line(&e->weights, line);
        if (strncmp(line, "input ", 6) == 0) input_line(e, line);
        if (strncmp(line, "range ", 6) == 0) sscanf(line, "range %f %f", &e->low, &e->high);
        char *at = line + 7, *end;
        for (size_t i = 0; strncmp(line, "output ", 7) == 0 && i < 4; i++, at = end)
            e->output[i] = strtoll(at, &end, 10);
        for (; strncmp(line, "values ", 7) == 0; at = end) {
            float value = strtof(at, &end);
            if (end == at) break;
            e->values[e->value_count++] = value;
        }
    }
    return e->weights.count > 0;
}

static void clear_case(struct expected *e)
{
    for (size_t i = 0; i < e->input_count; i++)
        free(e->inputs[i].data);
}

/* "scale 2" and so on: what the case says of the card. */
static long card_number(const struct expected *e, const char *key, long fallback)
{
    char word[32];
    snprintf(word, sizeof word, " %s ", key);
    const char *at = strstr(e->card, word);
    return at != NULL ? strtol(at + strlen(word), NULL, 10) : fallback;
}

static void check_card(const struct expected *e, const struct bst_card *card)
{
    assert_string_equal(card->name, "net-1");
    assert_int_equal(card->output_scale, card_number(e, "scale", 1));
    if (card_number(e, "multiple", 0) > 0)
        assert_int_equal(card->size_multiple, card_number(e, "multiple", 0));
    assert_true(card->output_low == (float)card_number(e, "low", 0));
    assert_true(card->output_high == (float)card_number(e, "high", 1));
    assert_int_equal(card->output_bgr, card_number(e, "bgr", 0));
    assert_int_equal(card->fixed_size, card_number(e, "fixed", 0));
    assert_int_equal(card->input_count, e->input_count);
}

static void check_values(const struct expected *e, const struct bst_tensor *out)
{
    size_t count = 1;
    assert_int_equal(out->rank, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(out->dims[i], e->output[i]);
        count *= (size_t)out->dims[i];
    }
    float span = fmaxf(fabsf(e->low), fabsf(e->high)), worst = 0, low = out->data[0], high = out->data[0];
    for (size_t i = 0; i < e->value_count; i++)
        worst = fmaxf(worst, fabsf(out->data[i * count / e->value_count] - e->values[i]));
    for (size_t i = 0; i < count; i++) {
        low = fminf(low, out->data[i]);
        high = fmaxf(high, out->data[i]);
    }
    worst = fmaxf(worst, fmaxf(fabsf(low - e->low), fabsf(high - e->high)));
    if (!(worst <= 3e-5f * span) || !(span > 0))
        fail_msg("%s: differs from PyTorch by %g where values reach %g", e->title, (double)worst,
                 (double)span);
}

static void check_case(const struct expected *e, const char *format)
{
    struct bst_import_result result;
    struct bst_error err;
    struct bst_model *model;
    struct bst_generator *generator;
    struct bst_run_options options = {.threads = 1};
    struct bst_tensor out;
    if (import(NULL, &result, &err) != BST_OK)
        fail_msg("%s, %s: %s (%s)", e->title, format, err.what, err.where);
    assert_string_equal(result.architecture, e->arch);
    assert_string_equal(result.format, format);
    if (bst_model_open(target, &model, &err) != BST_OK) fail_msg("%s: %s", e->title, err.what);
    check_card(e, bst_model_card(model));
    assert_int_equal(bst_generator_new(model, &options, &generator, &err), BST_OK);
    if (bst_generator_run(generator, e->inputs, e->input_count, &out, &err) != BST_OK)
        fail_msg("%s: %s %s", e->title, err.where, err.what);
    check_values(e, &out);
    free(out.data);
    bst_generator_free(generator);
    bst_model_free(model);
}

static void test_architectures(void **state)
{
    FILE *file = fopen("tests/unit/import_cases.txt", "r");
    struct expected *e = bst_calloc(1, sizeof *e);
    size_t cases = 0;
    char line[256];
    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL && line[0] != '\n')
        continue;
    for (; read_case(file, e); cases++) {
        struct bst_buf bytes = {0};
        static const char *const formats[] = {"PyTorch zip", "PyTorch legacy", "safetensors"};
        if (cases % 3 == 0) weights_zip(&e->weights, "params_ema", &bytes);
        if (cases % 3 == 1) weights_legacy(&e->weights, NULL, &bytes);
        if (cases % 3 == 2) weights_safetensors(&e->weights, &bytes);
        write_source(&bytes);
        check_case(e, formats[cases % 3]);
        bst_buf_free(&bytes);
        clear_case(e);
    }
    assert_true(cases >= 20);
    free(e);
    fclose(file);
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
    struct bst_import_options none = {0}; /* the output is there and is not to be replaced */
    assert_int_equal(bst_import(source, NULL, &none, target, &result, &err), BST_USAGE);
    bst_buf_free(&onnx);
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
        cmocka_unit_test(test_origin),
        cmocka_unit_test(test_unknown_networks),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
