/* bench_gen.c - how long one picture takes. bench_gen MODEL prints medians for each instruction set and
 * thread count. bench_gen MODEL WIDTH HEIGHT THREADS serves a partner that takes turns with it
 * (bench_gen.mjs): it prints the dims of the graph's inputs as JSON, then for every line on standard input
 * makes a picture and prints the milliseconds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen.h"
#include "model.h"

#define ROUNDS 7

static void die(const struct bst_error *err)
{
    fprintf(stderr, "%s: %s\n", err->where, err->what);
    exit(1);
}

static double once(struct bst_generator *generator, const struct bst_controls *controls)
{
    struct bst_image image;
    struct bst_error err;
    double start = bst_monotonic_s();
    if (bst_generate(generator, controls, &image, NULL, &err) != BST_OK) die(&err);
    bst_image_clear(&image);
    return 1e3 * (bst_monotonic_s() - start);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void table(const struct bst_model *model, const struct bst_controls *controls)
{
    const char *const isa[] = {"avx2", "avx512"};
    const struct bst_card *card = bst_model_card(model);
    struct bst_error err;
    printf("%s, %u x %u, milliseconds a picture (median of %d)\n", card->name, card->width, card->height,
           ROUNDS);
    for (size_t i = 0; i < 2; i++) {
        for (unsigned threads = 1; threads <= 2; threads++) {
            struct bst_run_options options = {.threads = threads, .isa = isa[i]};
            struct bst_generator *generator;
            double ms[ROUNDS];
            if (bst_generator_new(model, &options, &generator, &err) != BST_OK)
                continue; /* not on this processor */
            once(generator, controls);
            for (size_t k = 0; k < ROUNDS; k++)
                ms[k] = once(generator, controls);
            qsort(ms, ROUNDS, sizeof *ms, by_value);
            printf("  %-7s %u threads  %8.1f ms  %6.2f pictures/s\n", isa[i], threads, ms[ROUNDS / 2],
                   1e3 / ms[ROUNDS / 2]);
            bst_generator_free(generator);
        }
    }
}

static void print_dims(const struct bst_model *model, const struct bst_controls *controls)
{
    int64_t dims[INPUTS_MAX][RANK_MAX];
    struct bst_error err;
    char text[DIMS_TEXT];
    if (model_dims(model, controls->width, controls->height, dims, &err) != BST_OK) die(&err);
    for (size_t i = 0; i < model->graph->input_count; i++)
        printf("%s\"%s\":%s", i > 0 ? "," : "{", model->graph->inputs[i].name,
               dims_text(model->graph->inputs[i].rank, dims[i], text));
    printf("}\n");
    fflush(stdout);
}

static void serve(const struct bst_model *model, struct bst_controls *controls, unsigned threads)
{
    struct bst_run_options options = {.threads = threads};
    struct bst_generator *generator;
    struct bst_error err;
    char line[16];
    if (bst_generator_new(model, &options, &generator, &err) != BST_OK) die(&err);
    print_dims(model, controls);
    once(generator, controls);
    while (fgets(line, sizeof line, stdin) != NULL) {
        printf("%.3f\n", once(generator, controls));
        fflush(stdout);
    }
    bst_generator_free(generator);
}

int main(int argc, char **argv)
{
    struct bst_model *model;
    struct bst_controls controls = {.seed = 1, .truncation = 1};
    struct bst_error err;
    if (argc < 2) return 1;
    if (bst_model_open(argv[1], &model, &err) != BST_OK) die(&err);
    if (argc == 5) {
        controls.width = (uint32_t)strtoul(argv[2], NULL, 10);
        controls.height = (uint32_t)strtoul(argv[3], NULL, 10);
        serve(model, &controls, (unsigned)strtoul(argv[4], NULL, 10));
    } else {
        table(model, &controls);
    }
    bst_model_free(model);
    return 0;
}
