/* test_plan_memory.c - the memory that a plan names is what a run really takes, and what is refused is not taken
 * first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gen/generator.h"
#include "onnx_run.h"

#define MB           ((size_t)1 << 20)
#define SMALL_PIECES (8 * MB) /* threads' stacks, tables, and the ends of huge pages */
#define THREADS      2

/* A line of /proc/self/status, in bytes; 0 when there is none. */
static size_t status(const char *field)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    size_t kilobytes = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, field, strlen(field)) == 0) kilobytes = strtoull(line + strlen(field), NULL, 10);
    if (file != NULL) fclose(file);
    return kilobytes * 1024;
}

/* From here on VmHWM is the most that is resident at any time. False where that cannot be had. */
static bool reset_growth(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    bool reset = file != NULL && fputs("5", file) >= 0;
    if (file != NULL && fclose(file) != 0) reset = false;
    return reset && status("VmHWM:") > 0;
}

/* Called before anything is taken that a skipped test would leak. */
static void need_growth(void)
{
#ifdef __SANITIZE_ADDRESS__
    skip(); /* its shadow memory counts too */
#endif
    if (!reset_growth()) skip();
}

static size_t begin_growth(void)
{
    assert_true(reset_growth());
    return status("VmRSS:");
}

static size_t growth_since(size_t before)
{
    size_t most = status("VmHWM:");
    return most > before ? most - before : 0;
}

/* Networks that differ in what takes the memory. */
static const struct {
    const char *name, *text;
} networks[] = {
    {"maps, by Winograd with many tiles",
     "in x 1 32 256 256\nrand w 32 32 3 3\nnode Conv x,w a pads=[1,1,1,1]\n"
     "node Relu a b\nnode Conv b,w c pads=[1,1,1,1]\nnode Conv c,w d "
     "pads=[1,1,1,1]\nnode Add d,b y"},
    {"weights, by Winograd with few tiles",
     "in x 1 256 16 16\nrand w 256 256 3 3\nrand v 256 256 3 3\nnode Conv x,w a "
     "pads=[1,1,1,1]\nnode Conv a,v y pads=[1,1,1,1]"},
    {"weights, directly",
     "in x 1 256 32 32\nrand w 512 256 3 3\nnode Conv x,w y pads=[1,1,1,1] strides=[2,2]"},
    {"a constant matrix", "in x 256 1024\nrand w 1024 4096\nnode MatMul x,w y"},
    {"two outputs, one of parts",
     "in x 1 16 256 256\nrand w 32 16 1 1\nnode Conv x,w a\nnode Conv x,w b\nnode Concat "
     "a,b c axis=1\nnode Sigmoid c d\nout c\nout d"},
};

struct engine {
    struct fixture *fixture;
    struct bst_model *model;
    struct bst_generator *generator;
};

static void engine_open(struct engine *e, const char *text)
{
    struct bst_error err;
    e->fixture = fixture_new(text);
    fixture_write(e->fixture, run_path);
    assert_int_equal(bst_model_open(run_path, &e->model, &err), BST_OK);
    e->generator = NULL;
}

static enum bst_code engine_run(struct engine *e, size_t memory, struct bst_tensor *outs,
                                struct bst_error *err)
{
    struct bst_run_options options = {.threads = THREADS, .memory = memory};
    bst_generator_free(e->generator);
    assert_int_equal(bst_generator_new(e->model, &options, &e->generator, err), BST_OK);
    outs[0] = outs[1] = (struct bst_tensor){0};
    return bst_generator_run_outputs(e->generator, e->fixture->inputs, e->fixture->input_count, outs,
                                     e->model->graph->output_count, err);
}

static void engine_close(struct engine *e)
{
    bst_generator_free(e->generator);
    bst_model_free(e->model);
    fixture_free(e->fixture);
}

static void test_bounds(void **state)
{
    (void)state;
    need_growth();
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        struct engine e;
        struct bst_tensor outs[2];
        struct bst_error err;
        engine_open(&e, networks[i].text);
        size_t before = begin_growth();
        assert_int_equal(engine_run(&e, 0, outs, &err), BST_OK);
        size_t grown = growth_since(before), named = plan_bytes(e.generator->plan);
        if (grown > named + SMALL_PIECES || named > grown + SMALL_PIECES)
            fail_msg("%s: %zu kB named, %zu kB taken", networks[i].name, named >> 10, grown >> 10);
        free(outs[0].data);
        free(outs[1].data);
        engine_close(&e);
    }
}

/* Weights are packed one step after the other: those that no longer fit are counted, not kept. */
static void test_refused_before_taken(void **state)
{
    enum { LAYERS = 16 };
    struct engine e;
    struct bst_tensor outs[2];
    struct bst_error err;
    char text[2048] = "in x0 64 1024\n", wanted[64];
    size_t len = strlen(text), limit = 12 * MB, weights = 4 * MB;
    (void)state;
    need_growth();
    for (int i = 0; i < LAYERS; i++)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                "rand w%d 1024 1024\nnode MatMul x%d,w%d x%d\n", i, i, i, i + 1);
    engine_open(&e, text);
    size_t before = begin_growth();
    assert_int_equal(engine_run(&e, limit, outs, &err), BST_FAILURE);
    size_t grown = growth_since(before);
    if (grown > limit + weights + SMALL_PIECES) fail_msg("%zu kB taken", grown >> 10);
    assert_int_equal(engine_run(&e, 0, outs, &err), BST_OK);
    free(outs[0].data);
    size_t named = plan_bytes(e.generator->plan);
    assert_true(named > LAYERS * weights);
    assert_int_equal(engine_run(&e, limit, outs, &err), BST_FAILURE);
    snprintf(wanted, sizeof wanted, "needs %zu MB", (named >> 20) + 1);
    assert_non_null(strstr(err.what, wanted));
    assert_int_equal(engine_run(&e, named, outs, &err), BST_OK);
    free(outs[0].data);
    engine_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_refused_before_taken),
    };
    return cmocka_run_group_tests(tests, run_path_make, run_path_remove);
}
