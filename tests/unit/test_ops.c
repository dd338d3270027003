/* test_ops.c - every operator: the same bits on every instruction set and thread count, values worked out by
 * hand or in double precision, and clear refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <unistd.h>

#include "onnx_cases.h"
#include "onnx_fixture.h"

static char path[64];

/* Runs a text's graph; free(out->data) afterwards. */
static enum bst_code run_fixture(const struct fixture *f, const char *isa, unsigned threads,
                                 struct bst_tensor *out, struct bst_error *err)
{
    struct bst_model *model = NULL;
    struct bst_generator *generator = NULL;
    struct bst_run_options options = {.threads = threads, .isa = isa};
    fixture_write(f, path);
    enum bst_code code = bst_model_open(path, &model, err);
    if (code == BST_OK) code = bst_generator_new(model, &options, &generator, err);
    if (code == BST_OK) code = bst_generator_run(generator, f->inputs, f->input_count, out, err);
    if (code == BST_OK) out->name = NULL; /* the model's */
    bst_generator_free(generator);
    bst_model_free(model);
    return code;
}

/* Equal bits; any NaN equals any other, since payloads are not defined. */
static bool same_bits(const struct bst_tensor *a, const struct bst_tensor *b)
{
    size_t count = 1;
    if (a->rank != b->rank || memcmp(a->dims, b->dims, a->rank * sizeof a->dims[0]) != 0) return false;
    for (size_t i = 0; i < a->rank; i++)
        count *= (size_t)a->dims[i];
    for (size_t i = 0; i < count; i++)
        if (memcmp(&a->data[i], &b->data[i], sizeof(float)) != 0 && !(isnan(a->data[i]) && isnan(b->data[i])))
            return false;
    return true;
}

static bool available(const char *isa)
{
    struct bst_model *model = NULL;
    struct bst_generator *generator = NULL;
    struct bst_run_options options = {.threads = 1, .isa = isa};
    struct bst_error err;
    struct fixture *f = fixture_new("in x 1 3\nnode Relu x y");
    fixture_write(f, path);
    bool yes = bst_model_open(path, &model, &err) == BST_OK &&
               bst_generator_new(model, &options, &generator, &err) == BST_OK;
    bst_generator_free(generator);
    bst_model_free(model);
    fixture_free(f);
    return yes;
}

static void test_bits(void **state)
{
    static const struct {
        const char *isa;
        unsigned threads;
    } ways[] = {{"scalar", 2}, {"avx2", 1}, {"avx2", 2}, {"avx512", 1}, {"avx512", 3}};
    (void)state;
    for (size_t i = 0; i < ONNX_CASES; i++) {
        struct fixture *f = fixture_new(onnx_cases[i].text);
        struct bst_tensor plain = {0}, other = {0};
        struct bst_error err;
        if (run_fixture(f, "scalar", 1, &plain, &err) != BST_OK)
            fail_msg("%s: %s (%s)", onnx_cases[i].name, err.what, err.where);
        for (size_t k = 0; k < sizeof ways / sizeof ways[0]; k++) {
            if (!available(ways[k].isa)) continue;
            if (run_fixture(f, ways[k].isa, ways[k].threads, &other, &err) != BST_OK)
                fail_msg("%s", err.what);
            if (!same_bits(&plain, &other))
                fail_msg("%s differs on %s with %u threads", onnx_cases[i].name, ways[k].isa,
                         ways[k].threads);
            free(other.data);
        }
        free(plain.data);
        fixture_free(f);
    }
}

/* ---- values ---- */

static void expect(const char *text, const float *inputs, const float *values, size_t count)
{
    struct fixture *f = fixture_new(text);
    struct bst_tensor out = {0};
    struct bst_error err;
    size_t n = 1, have = 1;
    for (size_t d = 0; d < f->inputs[0].rank; d++)
        n *= (size_t)f->inputs[0].dims[d];
    memcpy(f->inputs[0].data, inputs, n * sizeof *inputs);
    if (run_fixture(f, NULL, 2, &out, &err) != BST_OK) fail_msg("%s: %s (%s)", text, err.what, err.where);
    for (size_t d = 0; d < out.rank; d++)
        have *= (size_t)out.dims[d];
    assert_int_equal(have, count);
    for (size_t i = 0; i < count; i++)
        if (fabsf(out.data[i] - values[i]) > 1e-6f)
            fail_msg("%s: number %zu is %g, not %g", text, i, (double)out.data[i], (double)values[i]);
    free(out.data);
    fixture_free(f);
}

#define EXPECT(text, ins, outs)                                                                              \
    expect(text, (const float[])ins, (const float[])outs, sizeof((const float[])outs) / 4)
#define L(...)                                                                                               \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }

/* Examples small enough to follow with a pencil; most are those of the operators' specifications. */
static void test_values(void **state)
{
    (void)state;
    EXPECT("in x 1 1 3 3\nfloats w 1 1 1 1\nints s 1 1 2 2\nnode Reshape w,s k\nnode Conv x,k y",
           L(1, 2, 3, 4, 5, 6, 7, 8, 9), L(12, 16, 24, 28));
    EXPECT("in x 1 1 2 2\nfloats w 1 2 3 4\nints s 1 1 2 2\nnode Reshape w,s k\nnode ConvTranspose x,k y "
           "strides=[2,2]",
           L(1, 2, 3, 4), L(1, 2, 2, 4, 3, 4, 6, 8, 3, 6, 4, 8, 9, 12, 12, 16));
    EXPECT("in x 1 1 2 2\nfloats w 1 2 3 4\nints s 1 1 2 2\nnode Reshape w,s k\nnode ConvTranspose x,k y",
           L(1, 2, 3, 4), L(1, 4, 4, 6, 20, 16, 9, 24, 16));
    EXPECT("in x 1 1 1 2\nfloats s 1 1 1 2\nnode Resize x,,s y mode='linear'", L(1, 3), L(1, 1.5, 2.5, 3));
    EXPECT("in x 1 1 2 2\nfloats s 1 1 2 2\nnode Resize x,,s y mode='nearest'", L(1, 2, 3, 4),
           L(1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4));
    EXPECT("in x 1 1 1 4\nints p 0 0 0 3 0 0 0 2\nnode Pad x,p y mode='reflect'", L(1, 2, 3, 4),
           L(4, 3, 2, 1, 2, 3, 4, 3, 2));
    EXPECT("opset 19\nin x 1 1 1 3\nints p 0 0 0 2 0 0 0 4\nnode Pad x,p y mode='wrap'", L(1, 2, 3),
           L(2, 3, 1, 2, 3, 1, 2, 3, 1));
    EXPECT("in x 1 4 1 1\nnode DepthToSpace x y blocksize=2", L(1, 2, 3, 4), L(1, 2, 3, 4));
    EXPECT("in x 1 8 1 1\nnode DepthToSpace x y blocksize=2", L(0, 1, 2, 3, 4, 5, 6, 7),
           L(0, 2, 4, 6, 1, 3, 5, 7));
    EXPECT("in x 1 8 1 1\nnode DepthToSpace x y blocksize=2 mode='CRD'", L(0, 1, 2, 3, 4, 5, 6, 7),
           L(0, 1, 2, 3, 4, 5, 6, 7));
    EXPECT("in x 1 4\nnode LeakyRelu x y alpha=0.5", L(-2, -0.0f, 3, -1), L(-1, 0, 3, -0.5f));
    EXPECT("in x 1 1 1 4\nfloats g 2\nfloats b 1\nnode InstanceNormalization x,g,b y epsilon=0.0",
           L(1, 3, 1, 3), L(-1, 3, -1, 3));
    EXPECT("in x 1 3\nnode Softmax x y", L(0, 0, 0), L(1.0f / 3, 1.0f / 3, 1.0f / 3));
    EXPECT("in x 1 1 2 3\nnode MaxPool x y kernel_shape=[2,2]", L(1, 5, 2, 4, 3, 6), L(5, 6));
    EXPECT("in x 1 1 2 2\nnode AveragePool x y kernel_shape=[2,2] pads=[0,0,1,1]", L(1, 2, 3, 4),
           L(2.5, 3, 3.5, 4));
    EXPECT("in x 2 3\nints b -1\nints e -10\nints a 1\nints s -1\nnode Slice x,b,e,a,s y",
           L(1, 2, 3, 4, 5, 6), L(3, 2, 1, 6, 5, 4));
    EXPECT("in x 1 2\nfloats w 1 2 3 4\nints s 2 2\nfloats c 10 20\nnode Reshape w,s m\nnode Gemm x,m,c y "
           "transB=1",
           L(1, 2), L(15, 31));
}

/* A convolution straight from its definition, in double precision. */
static void reference_conv(const struct bst_tensor *x, const float *w, const int64_t k[4], const int64_t p[7],
                           int64_t oh, int64_t ow, double *y)
{
    int64_t group = p[6], ipg = x->dims[1] / group, opg = k[0] / group;
    for (int64_t o = 0; o < k[0]; o++)
        for (int64_t i = 0; i < oh; i++)
            for (int64_t j = 0; j < ow; j++) {
                double sum = 0;
                for (int64_t c = 0; c < ipg; c++)
                    for (int64_t a = 0; a < k[2]; a++)
                        for (int64_t b = 0; b < k[3]; b++) {
                            int64_t yy = i * p[0] - p[2] + a * p[4], xx = j * p[1] - p[3] + b * p[5];
                            if (yy < 0 || yy >= x->dims[2] || xx < 0 || xx >= x->dims[3]) continue;
                            sum +=
                                (double)x->data[((o / opg * ipg + c) * x->dims[2] + yy) * x->dims[3] + xx] *
                                (double)w[((o * ipg + c) * k[2] + a) * k[3] + b];
                        }
                y[(o * oh + i) * ow + j] = sum;
            }
}

/* The transposed convolution as what it undoes: every input number spreads over its taps. */
static void reference_transposed(const struct bst_tensor *x, const float *w, const int64_t k[4],
                                 const int64_t p[7], int64_t oh, int64_t ow, double *y)
{
    int64_t group = p[6], ipg = x->dims[1] / group;
    memset(y, 0, (size_t)(k[1] * group * oh * ow) * sizeof *y);
    for (int64_t c = 0; c < x->dims[1]; c++)
        for (int64_t o = 0; o < k[1]; o++)
            for (int64_t i = 0; i < x->dims[2]; i++)
                for (int64_t j = 0; j < x->dims[3]; j++)
                    for (int64_t a = 0; a < k[2]; a++)
                        for (int64_t b = 0; b < k[3]; b++) {
                            int64_t yy = i * p[0] - p[2] + a * p[4], xx = j * p[1] - p[3] + b * p[5];
                            if (yy < 0 || yy >= oh || xx < 0 || xx >= ow) continue;
                            y[((c / ipg * k[1] + o) * oh + yy) * ow + xx] +=
                                (double)x->data[(c * x->dims[2] + i) * x->dims[3] + j] *
                                (double)w[((c * k[1] + o) * k[2] + a) * k[3] + b];
                        }
}

static int64_t pick(uint64_t *state, int64_t low, int64_t high)
{
    fixture_random(state);
    return low + (int64_t)(*state >> 40) % (high - low + 1);
}

/* Random shapes, paddings, strides, dilations and groups, against double precision. */
static void random_conv(uint64_t *seed, bool transposed)
{
    char text[512];
    int64_t group = pick(seed, 1, 3), ic = group * pick(seed, 1, 9), oc = group * pick(seed, 1, 17);
    int64_t k[2] = {pick(seed, 1, 5), pick(seed, 1, 5)};
    int64_t p[7] = {pick(seed, 1, 3),
                    pick(seed, 1, 3),
                    pick(seed, 0, 1) * (k[0] - 1) / 2,
                    pick(seed, 0, 1) * (k[1] - 1) / 2,
                    pick(seed, 1, 2),
                    pick(seed, 1, 2),
                    group};
    int64_t h = pick(seed, 10, 24), wide = pick(seed, 10, 90);
    int64_t dims[4] = {transposed ? ic : oc, transposed ? oc / group : ic / group, k[0], k[1]};
    snprintf(text, sizeof text,
             "in x 1 %d %d %d\nrand w %d %d %d %d\nnode %s x,w y strides=[%d,%d] pads=[%d,%d,%d,%d] "
             "dilations=[%d,%d] group=%d",
             (int)ic, (int)h, (int)wide, (int)dims[0], (int)dims[1], (int)k[0], (int)k[1],
             transposed ? "ConvTranspose" : "Conv", (int)p[0], (int)p[1], (int)p[2], (int)p[3], (int)p[2],
             (int)p[3], (int)p[4], (int)p[5], (int)group);
    struct fixture *f = fixture_new(text);
    struct bst_tensor out = {0};
    struct bst_error err;
    if (run_fixture(f, NULL, 2, &out, &err) != BST_OK) fail_msg("%s: %s (%s)", text, err.what, err.where);
    size_t count = (size_t)(out.dims[1] * out.dims[2] * out.dims[3]);
    double *exact = calloc(count, sizeof *exact);
    float *w = (float *)(void *)f->graph.initializer[0]->raw_data.data;
    assert_non_null(exact);
    (transposed ? reference_transposed : reference_conv)(&f->inputs[0], w, dims, p, out.dims[2], out.dims[3],
                                                         exact);
    for (size_t i = 0; i < count; i++)
        if (fabs((double)out.data[i] - exact[i]) > 2e-5)
            fail_msg("%s: number %zu is %g, not %g", text, i, (double)out.data[i], exact[i]);
    free(exact);
    free(out.data);
    fixture_free(f);
}

static void test_conv_exact(void **state)
{
    uint64_t seed = 7;
    (void)state;
    for (int i = 0; i < 40; i++)
        random_conv(&seed, false);
}

static void test_transposed_exact(void **state)
{
    uint64_t seed = 8;
    (void)state;
    for (int i = 0; i < 40; i++)
        random_conv(&seed, true);
}

/* ---- refusals ---- */

static void refuse(const char *text, const char *word)
{
    struct fixture *f = fixture_new(text);
    struct bst_tensor out = {0};
    struct bst_error err = {0};
    enum bst_code code = run_fixture(f, NULL, 1, &out, &err);
    if (code == BST_OK) fail_msg("%s was run", text);
    if (strstr(err.what, word) == NULL || strstr(err.where, "node ") == NULL)
        fail_msg("%s: says '%s' at '%s'", text, err.what, err.where);
    assert_null(out.data);
    fixture_free(f);
}

static void test_refusals(void **state)
{
    (void)state;
    refuse("in x 1 3\nnode Erf x y", "not supported");
    refuse("in x 1 3\nnode If x y", "not supported");
    refuse("in x 1 3 8 8\nrand w 4 2 3 3\nnode Conv x,w y", "channels");
    refuse("in x 1 3 2 2\nrand w 4 3 3 3\nnode Conv x,w y", "smaller than the kernel");
    refuse("in x 1 3 8 8\nrand w 4 3 3 3\nnode Conv x,w y strides=[0,1]", "out of range");
    refuse("in x 1 3 8 8\nrand w 4 3 3 3\nnode Conv x,w y strides=[100000000,1]", "out of range");
    refuse("in x 1 3 8 8\nrand w 4 3 3 3\nnode Conv x,w y pads=[-1,0,0,0]", "out of range");
    refuse("in x 1 3 8 8\nrand w 4 3 3 3\nnode Conv x,w y group=0", "groups");
    refuse("in x 1 3 8 8\nrand w 3 4 3 3\nnode ConvTranspose x,w y pads=[9,9,9,9]", "nothing");
    refuse("in x 1 3 8 8\nin w 4 3 3 3\nnode Conv x,w y", "depend");
    refuse("in a 2 3\nin b 2 4\nnode Add a,b y", "fit");
    refuse("in a 2 3\nin b 4 5\nnode MatMul a,b y", "fit");
    refuse("in x 1 3 4 4\nints s 7 7\nnode Reshape x,s y", "become");
    refuse("in x 1 3 4 4\nints s -1 -1\nnode Reshape x,s y", "impossible");
    refuse("in x 1 3 4 4\nfloats s 1 1 2 2\nnode Resize x,,s y mode='cubic'", "cubic");
    refuse("in x 1 3 4 4\nfloats s 1 1 1e30 2\nnode Resize x,,s y", "range");
    refuse("in x 1 3 4 4\nints p 0 0 1 1\nnode Pad x,p y", "pads");
    refuse("in x 2 3\nints i 9\nnode Gather x,i y", "range");
    refuse("in x 2 3\nin s 2\nnode Reshape x,s y", "depends");
    refuse("in x 2 3\nints s 100000 100000 100000 100000\nnode Expand x,s y", "fit");
    refuse("in x 1\nints s 100000 100000 100000 100000\nnode Expand x,s y", "impossible");
    refuse("in x 1 3 4 4\nnode DepthToSpace x y blocksize=2", "blocksize");
    refuse("in x 2 3\nnode Transpose x y perm=[0,0]", "perm");
    refuse("in x 2 3\nints a 5\nnode Squeeze x,a y", "axis");
    refuse("in x 2 3\nints z 1000000 100000\nnode ConstantOfShape z c\nnode ReduceMean c d\nnode Add x,d y",
           "memory");
}

/* Memory is refused before it is taken, with the need named. */
static void test_memory(void **state)
{
    struct fixture *f =
        fixture_new("in x 1 3 ?64 ?64\nrand w 64 3 3 3\nrand v 3 64 3 3\nnode Conv x,w a pads=[1,1,1,1]\n"
                    "node Conv a,v y pads=[1,1,1,1]");
    struct bst_model *model = NULL;
    struct bst_generator *generator = NULL;
    struct bst_run_options options = {.threads = 1, .memory = (size_t)64 << 20};
    struct bst_tensor out = {0}, big = {"x", 4, {1, 3, 4096, 4096}, NULL};
    struct bst_error err;
    (void)state;
    fixture_write(f, path);
    assert_int_equal(bst_model_open(path, &model, &err), BST_OK);
    assert_int_equal(bst_generator_new(model, &options, &generator, &err), BST_OK);
    big.data = f->inputs[0].data; /* never read */
    assert_int_equal(bst_generator_run(generator, &big, 1, &out, &err), BST_FAILURE);
    assert_non_null(strstr(err.what, "MB"));
    assert_true(err.hint[0] != 0);
    assert_int_equal(bst_generator_run(generator, f->inputs, 1, &out, &err),
                     BST_OK); /* the generator still works */
    free(out.data);
    bst_generator_free(generator);
    bst_model_free(model);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits),       cmocka_unit_test(test_values),
        cmocka_unit_test(test_conv_exact), cmocka_unit_test(test_transposed_exact),
        cmocka_unit_test(test_refusals),   cmocka_unit_test(test_memory),
    };
    snprintf(path, sizeof path, "/tmp/blindstamp-ops-%ld.onnx", (long)getpid());
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
