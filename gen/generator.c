/* generator.c - a model made ready to run: threads, memory, plans; and running its graph on tensors. */
#include "generator.h"
#include "pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool bst_arith_known(const char *name, unsigned *version)
{
    static const char *const names[] = {"blindstamp-arith/1", "blindstamp-arith/2", BST_ARITH};
    for (unsigned i = 0; name != NULL && i < BST_ARITH_VERSION; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *version = i + 1;
        return true;
    }
    return false;
}

/* Bytes that can be taken without swapping; 0 when the system does not say. */
static size_t free_memory(void)
{
    unsigned long long kilobytes = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    char line[256];
    while (file != NULL && kilobytes == 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "MemAvailable:", 13) == 0) kilobytes = strtoull(line + 13, NULL, 10);
    if (file != NULL) fclose(file);
    if (kilobytes != 0) return (size_t)kilobytes * 1024;
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGE_SIZE);
    return pages > 0 && size > 0 ? (size_t)pages * (size_t)size : 0;
}

enum bst_code bst_generator_new(const struct bst_model *model, const struct bst_run_options *options,
                                struct bst_generator **out, struct bst_error *err)
{
    *out = NULL;
    struct bst_generator *g = bst_calloc(1, sizeof *g);
    if (g == NULL) return bst_fail_memory(err);
    g->model = model;
    g->kernels = bst_kernels_for(options->isa);
    g->memory = options->memory != 0 ? options->memory : free_memory();
    g->arith = options->arith;
    g->profile = options->profile;
    g->tile_side = options->tile_side;
    g->progress = options->progress;
    g->progress_arg = options->progress_arg;
    enum bst_code code = BST_OK;
    if (g->kernels == NULL) {
        bst_fail(err, BST_USAGE, "instruction set '%.40s' is unknown, or this processor lacks it",
                 options->isa != NULL ? options->isa : getenv("BLINDSTAMP_ISA"));
        code = bst_hint(err, "scalar runs everywhere; avx2, avx512 and neon need a processor that has them");
    }
    if (code == BST_OK && options->arith > BST_ARITH_VERSION)
        code = bst_fail(err, BST_USAGE, "there are no rules of arithmetic of version %u", options->arith);
    fenv_t saved;
    arithmetic_enter(&saved);
    if (code == BST_OK) code = bst_pool_new(options->threads, &g->pool, err);
    arithmetic_leave(&saved);
    if (code != BST_OK) {
        bst_generator_free(g);
        return code;
    }
    *out = g;
    return BST_OK;
}

static void drop_plan(struct bst_generator *g)
{
    plan_free(g->plan);
    g->plan = NULL;
    for (size_t i = 0; i < INPUTS_MAX; i++) {
        free(g->values[i]);
        g->values[i] = NULL;
    }
    free(g->outputs);
    g->outputs = NULL;
}

void bst_generator_free(struct bst_generator *generator)
{
    if (generator == NULL) return;
    drop_plan(generator);
    tiling_clear(&generator->tiling);
    bst_pool_free(generator->pool);
    free(generator);
}

/* ---- plans ---- */

static size_t input_bytes(const struct graph_input *input, const int64_t *dims)
{
    struct tensor t;
    return tensor_set_dims(&t, input->kind, input->rank, dims) ? tensor_bytes(&t) : 0;
}

static bool plan_fits(const struct bst_generator *g, const int64_t (*dims)[RANK_MAX],
                      const struct plan_wish *wish)
{
    const struct graph *graph = g->model->graph;
    if (g->plan == NULL || g->output_count != wish->output_count || g->outside != wish->outside ||
        memcmp(g->outputs, wish->outputs, wish->output_count * sizeof *wish->outputs) != 0)
        return false;
    for (size_t i = 0; i < graph->input_count; i++) {
        const struct graph_input *input = &graph->inputs[i];
        if (memcmp(dims[i], g->dims[i], input->rank * sizeof dims[i][0]) != 0) return false;
        if (g->values[i] == NULL) continue;
        if (wish->inputs == NULL || wish->inputs[i] == NULL ||
            memcmp(wish->inputs[i], g->values[i], input_bytes(input, dims[i])) != 0)
            return false;
    }
    return true;
}

/* Keeps the values of inputs that the plan needs; false when that is nothing new. */
static bool keep_values(struct bst_generator *g, const struct plan_wish *wish, const bool *needs)
{
    const struct graph *graph = g->model->graph;
    bool more = false;
    for (size_t i = 0; i < graph->input_count; i++) {
        if (!needs[i] || g->values[i] != NULL || wish->inputs == NULL || wish->inputs[i] == NULL) continue;
        size_t bytes = input_bytes(&graph->inputs[i], g->dims[i]);
        g->values[i] = malloc(bytes + 1);
        if (g->values[i] == NULL) return false;
        memcpy(g->values[i], wish->inputs[i], bytes);
        more = true;
    }
    return more;
}

enum bst_code generator_plan(struct bst_generator *g, const int64_t (*dims)[RANK_MAX],
                             const struct plan_wish *wish, size_t spent, struct bst_error *err)
{
    static const size_t first = 0;
    static const struct plan_wish plain = {NULL, &first, 1, false};
    const struct graph *graph = g->model->graph;
    bool needs[INPUTS_MAX] = {false};
    if (wish == NULL) wish = &plain;
    if (plan_fits(g, dims, wish)) return BST_OK;
    drop_plan(g);
    g->outputs = bst_calloc(wish->output_count, sizeof *g->outputs);
    if (g->outputs == NULL) return bst_fail_memory(err);
    memcpy(g->outputs, wish->outputs, wish->output_count * sizeof *g->outputs);
    g->output_count = wish->output_count;
    g->outside = wish->outside;
    for (size_t i = 0; i < graph->input_count; i++)
        memcpy(g->dims[i], dims[i], sizeof dims[i]);
    struct plan_options options = {.kernels = g->kernels,
                                   .threads = bst_pool_threads(g->pool),
                                   .memory = g->memory,
                                   .name = g->model->path,
                                   .arith = g->arith,
                                   .profile = g->profile,
                                   .values = (const void *const *)g->values,
                                   .outputs = g->outputs,
                                   .output_count = g->output_count,
                                   .outside = g->outside,
                                   .needs = needs,
                                   .lacking = &g->lacking};
    g->lacking = 0;
    if (g->memory != 0) options.memory = g->memory > spent ? g->memory - spent : 1;
    enum bst_code code;
    do
        code = plan_make(graph, dims, &options, &g->plan, err);
    while (code == BST_UNREADABLE && keep_values(g, wish, needs));
    return code;
}

/* ---- tensors in, tensors out ---- */

static enum bst_code place_tensor(const struct bst_generator *g, const struct bst_tensor *tensor,
                                  int64_t (*dims)[RANK_MAX], const void **inputs, struct bst_error *err)
{
    const struct graph *graph = g->model->graph;
    for (size_t i = 0; i < graph->input_count && i < INPUTS_MAX; i++) {
        const struct graph_input *input = &graph->inputs[i];
        if (strcmp(input->name, tensor->name) != 0) continue;
        if (tensor->rank != input->rank)
            return bst_fail(err, BST_USAGE, "input '%.80s' has %zu dimensions", input->name, input->rank);
        for (size_t d = 0; d < input->rank; d++) {
            if (tensor->dims[d] < 0 || (input->dims[d] >= 0 && tensor->dims[d] != input->dims[d]))
                return bst_fail(err, BST_USAGE, "dimension %zu of input '%.80s' cannot be %lld", d,
                                input->name, (long long)tensor->dims[d]);
            dims[i][d] = tensor->dims[d];
        }
        inputs[i] = input->kind == KIND_FLOAT ? (const void *)tensor->data : tensor->ints;
        if (inputs[i] == NULL)
            return bst_fail(err, BST_USAGE, "input '%.80s' takes %s numbers", input->name,
                            input->kind == KIND_FLOAT ? "floating-point" : "whole");
        return BST_OK;
    }
    return bst_fail(err, BST_USAGE, "the model has no input '%.80s'", tensor->name);
}

static enum bst_code place_output(const struct bst_generator *g, const char *name, size_t index,
                                  size_t *place, struct bst_error *err)
{
    const struct graph *graph = g->model->graph;
    *place = index;
    if (name == NULL)
        return index < graph->output_count
                   ? BST_OK
                   : bst_fail(err, BST_USAGE, "the model has only %zu outputs", graph->output_count);
    for (*place = 0; *place < graph->output_count; (*place)++)
        if (strcmp(graph->values[graph->outputs[*place]].name, name) == 0) return BST_OK;
    return bst_fail(err, BST_USAGE, "the model has no output '%.80s'", name);
}

/* Describes an output, and gives it memory: what the plan makes it in, or what it is then copied to. */
static enum bst_code take_output(const struct bst_generator *g, size_t index, size_t place,
                                 struct bst_tensor *out, struct bst_error *err)
{
    const struct graph *graph = g->model->graph;
    const struct tensor *made = plan_output(g->plan, index);
    size_t outside = plan_outside(g->plan, index);
    void *memory = pages_take_for_free(outside != 0 ? outside + 64 : tensor_bytes(made) + 1);
    if (memory == NULL) return bst_fail_memory(err);
    if (outside != 0) plan_bring(g->plan, index, memory);
    *out = (struct bst_tensor){.name = graph->values[graph->outputs[place]].name, .rank = made->rank};
    memcpy(out->dims, made->dims, sizeof out->dims);
    if (made->kind == KIND_FLOAT)
        out->data = memory;
    else
        out->ints = memory;
    return BST_OK;
}

static void copy_output(const struct bst_generator *g, size_t index, const struct bst_tensor *out)
{
    const struct tensor *made = plan_output(g->plan, index);
    void *copy = made->kind == KIND_FLOAT ? (void *)out->data : out->ints;
    if (plan_outside(g->plan, index) == 0 && made->count > 0) memcpy(copy, made->data, tensor_bytes(made));
}

static enum bst_code run_placed(struct bst_generator *g, const int64_t (*dims)[RANK_MAX],
                                const struct plan_wish *wish, struct bst_tensor *outputs,
                                struct bst_error *err)
{
    const struct tensor *first;
    fenv_t saved;
    arithmetic_enter(&saved);
    enum bst_code code = generator_plan(g, dims, wish, 0, err);
    for (size_t i = 0; i < wish->output_count && code == BST_OK; i++)
        code = take_output(g, i, wish->outputs[i], &outputs[i], err);
    if (code == BST_OK)
        code = plan_run(g->plan, g->pool, wish->inputs, g->progress, g->progress_arg, &first, err);
    arithmetic_leave(&saved);
    for (size_t i = 0; i < wish->output_count && code == BST_OK; i++)
        copy_output(g, i, &outputs[i]);
    return code;
}

enum bst_code bst_generator_run_outputs(struct bst_generator *generator, const struct bst_tensor *inputs,
                                        size_t input_count, struct bst_tensor *outputs, size_t output_count,
                                        struct bst_error *err)
{
    const struct graph *graph = generator->model->graph;
    int64_t dims[INPUTS_MAX][RANK_MAX];
    const void *data[INPUTS_MAX] = {NULL};
    enum bst_code code = BST_OK;
    size_t *places = bst_calloc(output_count + 1, sizeof *places);
    for (size_t i = 0; i < output_count; i++)
        outputs[i] = (struct bst_tensor){.name = outputs[i].name};
    if (places == NULL) code = bst_fail_memory(err);
    for (size_t i = 0; i < output_count && code == BST_OK; i++)
        code = place_output(generator, outputs[i].name, i, &places[i], err);
    for (size_t i = 0; i < input_count && code == BST_OK; i++)
        code = place_tensor(generator, &inputs[i], dims, data, err);
    for (size_t i = 0; i < graph->input_count && code == BST_OK; i++)
        if (i >= INPUTS_MAX || data[i] == NULL)
            code = bst_fail(err, BST_USAGE, "input '%.80s' is missing", graph->inputs[i].name);
    struct plan_wish wish = {data, places, output_count, true};
    if (code == BST_OK) code = run_placed(generator, (const int64_t(*)[RANK_MAX])dims, &wish, outputs, err);
    for (size_t i = 0; i < output_count && code != BST_OK; i++) {
        free(outputs[i].data);
        free(outputs[i].ints);
        outputs[i].data = NULL;
        outputs[i].ints = NULL;
    }
    free(places);
    return code;
}

enum bst_code bst_generator_run(struct bst_generator *generator, const struct bst_tensor *inputs,
                                size_t input_count, struct bst_tensor *output, struct bst_error *err)
{
    memset(output, 0, sizeof *output);
    return bst_generator_run_outputs(generator, inputs, input_count, output, 1, err);
}
