/* test_import_ncnn.c - networks of ncnn's layers against ncnn itself (import_ncnn_cases.txt), and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "import_case.h"

static char folder[] = "/tmp/blindstamp-ncnn-XXXXXX";
static char param[64], bin[64], target[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) return 1;
    snprintf(param, sizeof param, "%s/net.param", folder);
    snprintf(bin, sizeof bin, "%s/net.bin", folder);
    snprintf(target, sizeof target, "%s/net.onnx", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(param);
    unlink(bin);
    unlink(target);
    return rmdir(folder);
}

static enum bst_code import(struct bst_import_result *result, struct bst_error *err)
{
    struct bst_import_options options = {.replace = true};
    memset(err, 0, sizeof *err);
    return bst_import(param, NULL, &options, target, result, err);
}

/* ---- cases ---- */

struct expected {
    struct import_case common;
    struct bst_buf text, weights;
    size_t pieces;
    int64_t input[3];
};

/* A multiple of 1/64 in [-1/2, 1/2). */
static float coarse(uint64_t *state)
{
    return floorf(fixture_random(state) * 32.0f) / 64.0f;
}

static uint16_t half_of(float x) /* exact for such numbers */
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (x == 0) return 0;
    return (uint16_t)((bits >> 16 & 0x8000) | (uint32_t)((int)(bits >> 23 & 255) - 112) << 10 |
                      (bits >> 13 & 0x3ff));
}

static void add_piece(struct expected *e, const char *kind, size_t count)
{
    char name[16];
    snprintf(name, sizeof name, "w%zu", e->pieces++ % 1000);
    uint64_t random = fixture_seed(name);
    struct bst_buf *out = &e->weights;
    bool half = strcmp(kind, "half") == 0, table = strcmp(kind, "table") == 0;
    if (strcmp(kind, "full") == 0) put_le(out, 0, 4);
    if (half) put_le(out, 0x01306B47, 4);
    if (table) put_le(out, 1, 4);
    for (int i = 0; table && i < 256; i++) {
        float value = (float)(i - 128) / 256.0f;
        bst_buf_append(out, &value, sizeof value);
    }
    size_t begin = out->len;
    for (size_t i = 0; i < count; i++) {
        if (table) {
            bst_buf_byte(out, (uint8_t)((fixture_random(&random) + 1.0f) * 127.0f));
            continue;
        }
        float value = coarse(&random);
        if (strcmp(kind, "positive") == 0) value = fabsf(value) + 0.5f;
        if (half)
            put_le(out, half_of(value), 2);
        else
            bst_buf_append(out, &value, sizeof value);
    }
    while ((out->len - begin) % 4 != 0)
        bst_buf_byte(out, 0);
}

static void begin_case(void *arg)
{
    struct expected *e = arg;
    bst_buf_free(&e->text);
    bst_buf_free(&e->weights);
    memset(e, 0, sizeof *e);
}

static void take_line(void *arg, const char *line)
{
    struct expected *e = arg;
    char kind[16];
    size_t count;
    long long dims[3];
    if (line[0] == '|') {
        bst_buf_text(&e->text, line + 2);
        bst_buf_byte(&e->text, '\n');
        return;
    }
    case_line(&e->common, line);
    if (sscanf(line, "bin %15s %zu", kind, &count) == 2) add_piece(e, kind, count);
    if (sscanf(line, "input %lld %lld %lld", &dims[0], &dims[1], &dims[2]) == 3)
        for (size_t i = 0; i < 3; i++)
            e->input[i] = dims[i];
}

static void check_case(void *arg, size_t index)
{
    struct expected *e = arg;
    struct bst_import_result result;
    struct bst_error err;
    struct bst_tensor in = {.name = "image", .rank = 4, .dims = {1, e->input[0], e->input[1], e->input[2]}};
    size_t count = (size_t)(e->input[0] * e->input[1] * e->input[2]);
    uint64_t random = fixture_seed("image");
    (void)index;
    write_file(param, &e->text);
    write_file(bin, &e->weights);
    if (import(&result, &err) != BST_OK) fail_msg("%s: %s (%s)", e->common.title, err.what, err.where);
    assert_string_equal(result.architecture, "ncnn");
    in.data = bst_calloc(count, sizeof *in.data);
    for (size_t i = 0; i < count; i++)
        in.data[i] = coarse(&random) + 0.5f;
    case_run(&e->common, "ncnn", target, &in, 1);
    free(in.data);
}

static void test_networks(void **state)
{
    struct expected *e = bst_calloc(1, sizeof *e);
    (void)state;
    assert_true(cases_each("tests/unit/import_ncnn_cases.txt", e, begin_case, take_line, check_case) >= 8);
    free(e);
}

/* ---- refusals ---- */

/* Weights: zeros, behind a tag. */
static void expect_refusal(const char *layers, uint32_t tag, size_t zeros, const char *what,
                           const char *place)
{
    struct bst_import_result result;
    struct bst_error err;
    struct bst_buf text = {0}, weights = {0};
    bst_buf_printf(&text, "7767517\n%s", layers);
    put_le(&weights, tag, 4);
    for (size_t i = 0; i < zeros; i++)
        bst_buf_byte(&weights, 0);
    write_file(param, &text);
    write_file(bin, &weights);
    unlink(target);
    enum bst_code code = import(&result, &err);
    if (code != BST_UNREADABLE || strstr(err.what, what) == NULL || strstr(err.where, place) == NULL)
        fail_msg("code %d, says '%s' at '%s', not '%s' at '%s'", code, err.what, err.where, what, place);
    assert_false(bst_file_exists(target));
    bst_buf_free(&text);
    bst_buf_free(&weights);
}

static void test_refusals(void **state)
{
    static const char conv[] = "2 2\nInput data 0 1 data\nConvolution c 1 1 data c 0=3 1=1 6=9\n";
    (void)state;
    expect_refusal(conv, 0, 37, "holds 1 bytes more than the layers need", "net.param");
    expect_refusal(conv, 0, 35, "ends before this layer's weights", "line 4: layer Convolution c");
    expect_refusal(conv, 0x000D4B38, 12, "int8", "line 4");
    expect_refusal("2 2\nInput data 0 1 data\nConvolution c 1 1 data c 0=3 1=1 6=10\n", 0, 36,
                   "10 weights do not fit 3 outputs of 1x1", "line 4");
    expect_refusal("2 2\nInput data 0 1 data\nConvolution c 1 1 data c 0=3 1=1 6=9 18=1.5\n", 0, 36,
                   "parameter 18 of Convolution is not supported", "line 4");
    expect_refusal("2 2\nInput data 0 1 data\nYolo y 1 1 data y\n", 0, 0, "layers of type Yolo", "line 4");
    expect_refusal("2 2\nInput data 0 1 data\nReLU r 1 1 nowhere r\n", 0, 0, "takes 'nowhere'", "line 4");
    expect_refusal("2 2\nInput data 0 1 data\nReLU r 1 1 data data\n", 0, 0, "made before", "line 4");
    expect_refusal("3 2\nInput data 0 1 data\nReLU r 1 1 data r\n", 0, 0, "ends before its last layer", "");
    expect_refusal("1 2\nInput data 0 1 data\nReLU r 1 1 data r\n", 0, 0, "more layers than", "line 4");
    expect_refusal("9999999999 2\n", 0, 0, "no numbers of layers", "line 2");
    expect_refusal("2 2\nInput data 0 1 data\nReLU r 1 1 data r 0=\n", 0, 0, "no number", "line 4");
    expect_refusal("2 2\nInput data 0 1 data\nReLU r 1 1 data r 99=1\n", 0, 0, "is no parameter", "line 4");
    expect_refusal("2 2\nInput data 0 1 data\nReLU r 1 1 data r -23300=3,1\n", 0, 0, "no list", "line 4");
    expect_refusal("2 2\nInput data 0 1 data\nReLU r 1 1\n", 0, 0, "takes ''", "line 4");
    expect_refusal("2 3\nInput data 0 1 data\nSplit s 1 2 data a b\n", 0, 0, "two outputs", "");
    expect_refusal("2 2\nInput data 0 1 data\nConvolution c 1 1 data c 0=1000000 1=1000 6=2000000000\n", 0,
                   36, "", "line 4");
    expect_refusal("2 2\nInput data 0 1 data\nMemoryData m 0 1 m 0=100000 1=100000 2=100000\n", 0, 0,
                   "impossible dimensions", "line 4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
