/* engine_ours.c - our engine as one of the parties that engine.py lets take turns.
 *
 *   engine_ours run MODEL.onnx THREADS NAME DIMS FILE...   serves: see engine_peer.py for the protocol
 *   engine_ours dims MODEL.onnx WIDTH HEIGHT               the dims of the graph's inputs, as JSON
 *   engine_ours picture MODEL.onnx WIDTH HEIGHT THREADS    makes one picture and ends, for the start-up time
 *   engine_ours peak THREADS                               GFLOP/s of fused multiply-adds in registers, for every line of standard input
 *   engine_ours sgemm M K N THREADS                        milliseconds of OpenBLAS's product, the best of 5
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen.h"
#include "model.h"
#include "train_blas.h"

#define ROUNDS 5

static void die(const struct bst_error *err)
{
    fprintf(stderr, "%s: %s\n", err->where, err->what);
    exit(1);
}

static void must(enum bst_code code, const struct bst_error *err)
{
    if (code != BST_OK) die(err);
}

static unsigned number(const char *text)
{
    return (unsigned)strtoul(text, NULL, 10);
}

/* ---- run ---- */

static size_t count_of(const struct bst_tensor *t)
{
    size_t count = 1;
    for (size_t i = 0; i < t->rank; i++)
        count *= (size_t)t->dims[i];
    return count;
}

/* dims as "1,3,64,64"; the numbers raw in a file. */
static void read_input(const char *name, char *dims, const char *path, struct bst_tensor *t)
{
    struct bst_buf bytes = {0};
    struct bst_error err;
    *t = (struct bst_tensor){.name = name};
    for (char *part = strtok(dims, ","); part != NULL && t->rank < 8; part = strtok(NULL, ","))
        t->dims[t->rank++] = strtoll(part, NULL, 10);
    must(bst_file_read(path, (size_t)1 << 31, &bytes, &err), &err);
    if (bytes.len != count_of(t) * sizeof(float)) exit(1);
    t->data = (float *)(void *)bytes.data;
}

static void serve(struct bst_generator *generator, const struct bst_tensor *inputs, size_t input_count)
{
    struct bst_tensor out = {0};
    struct bst_error err;
    char line[4096];
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        if (strcmp(line, "run") == 0) {
            free(out.data);
            double start = bst_monotonic_s();
            must(bst_generator_run(generator, inputs, input_count, &out, &err), &err);
            printf("%.4f\n", 1e3 * (bst_monotonic_s() - start));
        } else {
            must(bst_file_write(line, out.data, count_of(&out) * sizeof(float), BST_WRITE_REPLACE, &err),
                 &err);
            puts("saved");
        }
        fflush(stdout);
    }
    free(out.data);
}

static void run(int argc, char **argv)
{
    struct bst_run_options options = {.threads = number(argv[1])};
    struct bst_tensor inputs[INPUTS_MAX];
    struct bst_model *model;
    struct bst_generator *generator;
    struct bst_error err;
    size_t input_count = 0;
    for (int i = 2; i + 2 < argc && input_count < INPUTS_MAX; i += 3)
        read_input(argv[i], argv[i + 1], argv[i + 2], &inputs[input_count++]);
    puts("begin");
    fflush(stdout);
    if (getchar() != '\n') exit(1);
    must(bst_model_open(argv[0], &model, &err), &err);
    must(bst_generator_new(model, &options, &generator, &err), &err);
    puts("ready");
    fflush(stdout);
    serve(generator, inputs, input_count);
    for (size_t i = 0; i < input_count; i++)
        free(inputs[i].data);
    bst_generator_free(generator);
    bst_model_free(model);
}

/* ---- dims, picture ---- */

static void print_dims(char **argv)
{
    struct bst_model *model;
    int64_t dims[INPUTS_MAX][RANK_MAX];
    struct bst_error err;
    char text[DIMS_TEXT];
    must(bst_model_open(argv[0], &model, &err), &err);
    must(model_dims(model, number(argv[1]), number(argv[2]), dims, &err), &err);
    for (size_t i = 0; i < model->graph->input_count; i++)
        printf("%s\"%s\":%s", i > 0 ? "," : "{", model->graph->inputs[i].name,
               dims_text(model->graph->inputs[i].rank, dims[i], text));
    puts("}");
    bst_model_free(model);
}

static void picture(char **argv)
{
    struct bst_controls controls = {
        .seed = 1, .truncation = 1, .width = number(argv[1]), .height = number(argv[2])};
    struct bst_run_options options = {.threads = number(argv[3])};
    struct bst_model *model;
    struct bst_generator *generator;
    struct bst_image image;
    struct bst_error err;
    must(bst_model_open(argv[0], &model, &err), &err);
    must(bst_generator_new(model, &options, &generator, &err), &err);
    must(bst_generate(generator, &controls, &image, NULL, &err), &err);
    bst_image_clear(&image);
    bst_generator_free(generator);
    bst_model_free(model);
}

/* ---- what the processor and OpenBLAS can do ---- */

#define CHAINS      12 /* independent: enough to hide an addition's latency behind two units */
#define CHAIN_STEPS 50000
#define CHAIN_TASKS 32 /* for each thread */

typedef float wide __attribute__((vector_size(64)));
typedef float narrow __attribute__((vector_size(32)));

/* The compiler keeps x * a + b in one instruction only where contraction is on; so it is turned on here. */
#define CHAIN_BODY(vector)                                                                                   \
    vector x[CHAINS], a = {0}, b = {0};                                                                      \
    a += 0.999f;                                                                                             \
    b += seed;                                                                                               \
    for (int c = 0; c < CHAINS; c++)                                                                         \
        x[c] = b + (float)c;                                                                                 \
    for (int i = 0; i < CHAIN_STEPS; i++)                                                                    \
        for (int c = 0; c < CHAINS; c++)                                                                     \
            x[c] = x[c] * a + b;                                                                             \
    for (int c = 1; c < CHAINS; c++)                                                                         \
        x[0] += x[c];                                                                                        \
    return x[0][0];

#if defined(__x86_64__)
#define LANES_OF(isa) (strcmp(isa, "avx512") == 0 ? 16 : 8)
#else
#define LANES_OF(isa) 8
#endif

#ifdef __clang__
#pragma clang fp contract(fast)
#define CONTRACT
#else
#define CONTRACT __attribute__((optimize("O3", "fp-contract=fast", "unroll-loops")))
#endif
#if defined(__x86_64__)
__attribute__((target("avx512f"))) CONTRACT static float chain_wide(float seed)
{
    CHAIN_BODY(wide)
}
__attribute__((target("avx2,fma"))) CONTRACT static float chain_narrow(float seed){CHAIN_BODY(narrow)}
#else
CONTRACT static float chain_narrow(float seed)
{
    CHAIN_BODY(narrow)
}
#endif

static volatile float sink;

static void chain_task(void *isa, size_t index, unsigned thread)
{
    (void)thread;
#if defined(__x86_64__)
    if (LANES_OF(isa) == 16) {
        sink = chain_wide((float)index);
        return;
    }
#endif
    sink = chain_narrow((float)index);
}

static void peak(unsigned threads)
{
    const char *isa = bst_kernels_for(NULL)->isa;
    char name[16], line[16];
    struct bst_pool *pool;
    struct bst_error err;
    double flops = 2.0 * CHAINS * CHAIN_STEPS * CHAIN_TASKS * LANES_OF(isa) * threads;
    snprintf(name, sizeof name, "%s", isa);
    must(bst_pool_new(threads, &pool, &err), &err);
    while (fgets(line, sizeof line, stdin) != NULL) {
        double start = bst_monotonic_s();
        bst_pool_run(pool, CHAIN_TASKS * (size_t)threads, chain_task, name);
        printf("%.1f\n", flops / (bst_monotonic_s() - start) * 1e-9);
        fflush(stdout);
    }
    bst_pool_free(pool);
}

static float *filled(size_t count)
{
    float *x = malloc(count * sizeof *x);
    if (x == NULL) exit(1);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)(i % 7) - 3.0f;
    return x;
}

static void sgemm(size_t m, size_t k, size_t n, int threads)
{
    float *a = filled(m * k), *b = filled(k * n);
    float *c = filled(m * n);
    double best = 1e9;
    struct bst_error err;
    must(train_blas_open(&err), &err);
    train_blas_set_threads(threads);
    for (int i = 0; i < ROUNDS; i++) {
        double start = bst_monotonic_s();
        train_blas_gemm(CblasNoTrans, CblasNoTrans, m, n, k, a, k, b, n, 0, c, n);
        double seconds = bst_monotonic_s() - start;
        if (seconds < best) best = seconds;
    }
    printf("%.3f\n", 1e3 * best);
    free(a);
    free(b);
    free(c);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "run") == 0 && argc >= 4)
        run(argc - 2, argv + 2);
    else if (strcmp(what, "dims") == 0 && argc == 5)
        print_dims(argv + 2);
    else if (strcmp(what, "picture") == 0 && argc == 6)
        picture(argv + 2);
    else if (strcmp(what, "peak") == 0 && argc == 3)
        peak(number(argv[2]));
    else if (strcmp(what, "sgemm") == 0 && argc == 6)
        sgemm(number(argv[2]), number(argv[3]), number(argv[4]), (int)number(argv[5]));
    else
        return 1;
    return 0;
}
