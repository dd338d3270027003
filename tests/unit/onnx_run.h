/* onnx_run.h - runs the small graphs of onnx_fixture.h and says what came out or why not: for the tests of
 * operators. Use run_path_make and run_path_remove as the group's setup and teardown. */
#ifndef ONNX_RUN_H
#define ONNX_RUN_H

#include <math.h>
#include <unistd.h>

#include "onnx_fixture.h"

static char run_path[64]; /* of the model's file */

static inline int run_path_make(void **state)
{
    (void)state;
    snprintf(run_path, sizeof run_path, "/tmp/blindstamp-run-%ld.onnx", (long)getpid());
    return 0;
}

static inline int run_path_remove(void **state)
{
    (void)state;
    unlink(run_path);
    return 0;
}

/* Runs a text's graph by a version of the rules (0: the newest); free(out->data) afterwards. */
static inline enum bst_code run_by_version(const struct fixture *f, unsigned arith, const char *isa,
                                           unsigned threads, struct bst_tensor *out, struct bst_error *err)
{
    struct bst_model *model = NULL;
    struct bst_generator *generator = NULL;
    struct bst_run_options options = {.threads = threads, .isa = isa, .arith = arith};
    fixture_write(f, run_path);
    enum bst_code code = bst_model_open(run_path, &model, err);
    if (code == BST_OK) code = bst_generator_new(model, &options, &generator, err);
    if (code == BST_OK) code = bst_generator_run(generator, f->inputs, f->input_count, out, err);
    if (code == BST_OK) out->name = NULL; /* the model's */
    bst_generator_free(generator);
    bst_model_free(model);
    return code;
}

static inline enum bst_code run_fixture(const struct fixture *f, const char *isa, unsigned threads,
                                        struct bst_tensor *out, struct bst_error *err)
{
    return run_by_version(f, 0, isa, threads, out, err);
}

static inline struct bst_tensor run_version(const char *text, unsigned arith)
{
    struct fixture *f = fixture_new(text);
    struct bst_tensor out = {0};
    struct bst_error err;
    if (run_by_version(f, arith, NULL, 2, &out, &err) != BST_OK) fail_msg("%s: %s", text, err.what);
    fixture_free(f);
    return out;
}

/* The numbers of a constant. */
static inline const float *tensor_named(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->graph.n_initializer; i++)
        if (strcmp(f->graph.initializer[i]->name, name) == 0)
            return (const float *)(const void *)f->graph.initializer[i]->raw_data.data;
    fail_msg("no constant %s", name);
    return NULL;
}

/* Equal bits; any NaN equals any other, since payloads are not defined. */
static inline bool same_bits(const struct bst_tensor *a, const struct bst_tensor *b)
{
    size_t count = 1;
    if (a->rank != b->rank || memcmp(a->dims, b->dims, a->rank * sizeof a->dims[0]) != 0) return false;
    for (size_t i = 0; i < a->rank; i++)
        count *= (size_t)a->dims[i];
    if (a->ints != NULL) return b->ints != NULL && memcmp(a->ints, b->ints, count * sizeof *a->ints) == 0;
    for (size_t i = 0; i < count; i++)
        if (memcmp(&a->data[i], &b->data[i], sizeof(float)) != 0 && !(isnan(a->data[i]) && isnan(b->data[i])))
            return false;
    return true;
}

static inline bool versions_differ(const char *text, unsigned older, unsigned newer)
{
    struct bst_tensor a = run_version(text, older), b = run_version(text, newer);
    bool differ = !same_bits(&a, &b);
    free(a.data);
    free(b.data);
    return differ;
}

/* Two texts with the same first input; the second has a further one, a factor that the first has as the constant 1. So
 * what is a constant of the first graph is made by the second while it runs. The same to the bit. */
static inline void expect_live_same(const char *constant, const char *live)
{
    struct fixture *a = fixture_new(constant), *b = fixture_new(live);
    struct bst_tensor x = {0}, y = {0};
    struct bst_error err;
    size_t count = 1;
    for (size_t d = 0; d < a->inputs[0].rank; d++)
        count *= (size_t)a->inputs[0].dims[d];
    memcpy(b->inputs[0].data, a->inputs[0].data, count * sizeof(float));
    b->inputs[1].data[0] = 1.0f;
    assert_int_equal(run_fixture(a, NULL, 2, &x, &err), BST_OK);
    assert_int_equal(run_fixture(b, NULL, 2, &y, &err), BST_OK);
    assert_true(same_bits(&x, &y));
    free(x.data);
    free(y.data);
    fixture_free(a);
    fixture_free(b);
}

static inline bool available(const char *isa)
{
    struct bst_model *model = NULL;
    struct bst_generator *generator = NULL;
    struct bst_run_options options = {.threads = 1, .isa = isa};
    struct bst_error err;
    struct fixture *f = fixture_new("in x 1 3\nnode Relu x y");
    fixture_write(f, run_path);
    bool yes = bst_model_open(run_path, &model, &err) == BST_OK &&
               bst_generator_new(model, &options, &generator, &err) == BST_OK;
    bst_generator_free(generator);
    bst_model_free(model);
    fixture_free(f);
    return yes;
}

/* The same bits on every instruction set and thread count. */
static inline void expect_same_bits(const char *name, const char *text)
{
    static const struct {
        const char *isa;
        unsigned threads;
    } ways[] = {{"scalar", 2}, {"avx2", 1}, {"avx2", 2}, {"avx512", 1},
                {"avx512", 3}, {"neon", 1}, {"neon", 3}};
    struct fixture *f = fixture_new(text);
    struct bst_tensor plain = {0}, other = {0};
    struct bst_error err;
    if (run_fixture(f, "scalar", 1, &plain, &err) != BST_OK)
        fail_msg("%s: %s (%s)", name, err.what, err.where);
    for (size_t k = 0; k < sizeof ways / sizeof ways[0]; k++) {
        if (!available(ways[k].isa)) continue;
        if (run_fixture(f, ways[k].isa, ways[k].threads, &other, &err) != BST_OK) fail_msg("%s", err.what);
        if (!same_bits(&plain, &other))
            fail_msg("%s differs on %s with %u threads", name, ways[k].isa, ways[k].threads);
        free(other.data);
        free(other.ints);
    }
    free(plain.data);
    free(plain.ints);
    fixture_free(f);
}

static inline void expect(const char *text, const float *inputs, const float *values, size_t count)
{
    struct fixture *f = fixture_new(text);
    struct bst_tensor out = {0};
    struct bst_error err;
    size_t n = 1, have = 1;
    for (size_t d = 0; d < f->inputs[0].rank; d++)
        n *= (size_t)f->inputs[0].dims[d];
    for (size_t i = 0; i < n; i++) {
        if (f->inputs[0].ints != NULL)
            f->inputs[0].ints[i] = (int64_t)inputs[i];
        else
            f->inputs[0].data[i] = inputs[i];
    }
    if (run_fixture(f, NULL, 2, &out, &err) != BST_OK) fail_msg("%s: %s (%s)", text, err.what, err.where);
    for (size_t d = 0; d < out.rank; d++)
        have *= (size_t)out.dims[d];
    assert_int_equal(have, count);
    for (size_t i = 0; i < count; i++) {
        float number = out.ints != NULL ? (float)out.ints[i] : out.data[i];
        if (fabsf(number - values[i]) > 1e-6f)
            fail_msg("%s: number %zu is %g, not %g", text, i, (double)number, (double)values[i]);
    }
    free(out.data);
    free(out.ints);
    fixture_free(f);
}

#define EXPECT(text, ins, outs)                                                                              \
    expect(text, (const float[])ins, (const float[])outs, sizeof((const float[])outs) / 4)
#define L(...)                                                                                               \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }

static inline void refuse(const char *text, const char *word)
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

#endif
