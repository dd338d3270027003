/* generate.c - controls to inputs, inputs through the plan, output to a picture. */
#include "inputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bst_generator {
    const struct bst_model *model;
    const struct bst_kernels *kernels;
    struct bst_pool *pool;
    size_t memory;
    bst_progress progress;
    void *progress_arg;
    struct plan *plan; /* of the last sizes, kept for the next picture */
    int64_t dims[INPUTS_MAX][RANK_MAX];
};

bool bst_arith_known(const char *name, unsigned *version)
{
    if (name == NULL || strcmp(name, BST_ARITH) != 0) return false;
    *version = 1;
    return true;
}

/* ---- the generator ---- */

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
    g->progress = options->progress;
    g->progress_arg = options->progress_arg;
    enum bst_code code = BST_OK;
    if (g->kernels == NULL) {
        bst_fail(err, BST_USAGE, "instruction set '%.40s' is unknown, or this processor lacks it",
                 options->isa != NULL ? options->isa : getenv("BLINDSTAMP_ISA"));
        code = bst_hint(err, "scalar runs everywhere; avx2 and avx512 need a processor that has them");
    }
    if (code == BST_OK && options->arith > 1)
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

void bst_generator_free(struct bst_generator *generator)
{
    if (generator == NULL) return;
    plan_free(generator->plan);
    bst_pool_free(generator->pool);
    free(generator);
}

/* Makes a plan for these dims unless the last one fits. spent: bytes that the inputs take beside it. */
static enum bst_code use_plan(struct bst_generator *g, int64_t (*dims)[RANK_MAX], size_t spent,
                              struct bst_error *err)
{
    const struct graph *graph = g->model->graph;
    bool same = g->plan != NULL;
    for (size_t i = 0; i < graph->input_count && same; i++)
        same = memcmp(dims[i], g->dims[i], graph->inputs[i].rank * sizeof dims[i][0]) == 0;
    if (same) return BST_OK;
    plan_free(g->plan);
    g->plan = NULL;
    struct plan_options options = {g->kernels, bst_pool_threads(g->pool), g->memory, g->model->path};
    if (g->memory != 0) options.memory = g->memory > spent ? g->memory - spent : 1;
    for (size_t i = 0; i < graph->input_count; i++)
        memcpy(g->dims[i], dims[i], sizeof dims[i]);
    return plan_make(graph, (const int64_t(*)[RANK_MAX])dims, &options, &g->plan, err);
}

/* ---- output ---- */

struct picture_job {
    const struct bst_kernels *k;
    const struct bst_card *card;
    const struct tensor *from;
    struct bst_image *to;
};

static void picture_task(void *arg, size_t y, unsigned thread)
{
    const struct picture_job *job = arg;
    size_t h = (size_t)job->from->dims[2], w = (size_t)job->from->dims[3],
           channels = (size_t)job->from->dims[1];
    float scale = 255.0f / (job->card->output_high - job->card->output_low);
    uint8_t *row = job->to->samples + y * job->to->width * 3;
    (void)thread;
    for (size_t c = 0; c < 3; c++) {
        size_t from = channels == 1 ? 0 : job->card->output_bgr ? 2 - c : c;
        job->k->quantize(tensor_floats(job->from) + (from * h + y) * w, job->card->output_low, scale, row + c,
                         3, job->to->width);
    }
}

static enum bst_code make_picture(struct bst_generator *g, const struct tensor *from,
                                  const struct bst_used *used, struct bst_image *out, struct bst_error *err)
{
    char text[DIMS_TEXT];
    if (from->rank != 4 || from->dims[0] != 1 || (from->dims[1] != 3 && from->dims[1] != 1) ||
        from->dims[2] < used->height || from->dims[3] < used->width)
        return bst_fail(err, BST_UNREADABLE, "%s: the graph makes %s, which is no picture of %u x %u",
                        g->model->path, dims_text(from->rank, from->dims, text), used->width, used->height);
    enum bst_code code = bst_image_new(used->width, used->height, 3, 8, out, err);
    if (code != BST_OK) return code;
    struct picture_job job = {g->kernels, &g->model->card, from, out};
    bst_pool_run(g->pool, used->height, picture_task, &job);
    return BST_OK;
}

/* ---- all of it ---- */

static enum bst_code run_filled(struct bst_generator *g, const int64_t (*dims)[RANK_MAX],
                                const struct bst_controls *controls, const struct bst_used *used,
                                float *memory, struct bst_image *out, struct bst_error *err)
{
    const struct graph *graph = g->model->graph;
    const float *inputs[INPUTS_MAX] = {NULL};
    const struct tensor *output;
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < graph->input_count && code == BST_OK; i++) {
        struct tensor t;
        tensor_set_dims(&t, KIND_FLOAT, graph->inputs[i].rank, dims[i]);
        code = input_fill(g->model, g->pool, i, dims[i], t.count, controls, used, memory, err);
        inputs[i] = memory;
        memory += t.count;
    }
    if (code == BST_OK) code = plan_run(g->plan, g->pool, inputs, g->progress, g->progress_arg, &output, err);
    if (code == BST_OK) code = make_picture(g, output, used, out, err);
    return code;
}

static uint32_t round_up(uint32_t side, uint32_t multiple)
{
    return (side + multiple - 1) / multiple * multiple;
}

static enum bst_code generate(struct bst_generator *generator, const struct bst_controls *controls,
                              struct bst_image *out, struct bst_used *used, struct bst_error *err)
{
    const struct bst_card *card = &generator->model->card;
    const struct graph *graph = generator->model->graph;
    int64_t dims[INPUTS_MAX][RANK_MAX];
    struct bst_used resolved;
    size_t count = 0;
    memset(out, 0, sizeof *out);
    enum bst_code code = controls_resolve(card, controls, &resolved, err);
    uint32_t width = resolved.width, height = resolved.height;
    if (code == BST_OK && card->fixed_size) {
        width = card->width;
        height = card->height;
    }
    if (code == BST_OK)
        code = model_dims(generator->model, round_up(width, card->size_multiple),
                          round_up(height, card->size_multiple), dims, err);
    for (size_t i = 0; i < graph->input_count && code == BST_OK; i++) {
        struct tensor t;
        if (!tensor_set_dims(&t, KIND_FLOAT, graph->inputs[i].rank, dims[i]) ||
            !bst_add(count, t.count, &count))
            code = bst_fail(err, BST_USAGE, "a picture of %u x %u cannot be made", width, height);
    }
    if (code == BST_OK) code = use_plan(generator, dims, count * sizeof(float), err);
    if (code != BST_OK) return code;
    float *memory = bst_calloc(count, sizeof *memory);
    if (memory == NULL) return bst_fail_memory(err);
    code = run_filled(generator, (const int64_t(*)[RANK_MAX])dims, controls, &resolved, memory, out, err);
    free(memory);
    if (code == BST_OK && used != NULL) *used = resolved;
    return code;
}

enum bst_code bst_generate(struct bst_generator *generator, const struct bst_controls *controls,
                           struct bst_image *out, struct bst_used *used, struct bst_error *err)
{
    fenv_t saved;
    arithmetic_enter(&saved);
    enum bst_code code = generate(generator, controls, out, used, err);
    arithmetic_leave(&saved);
    return code;
}

/* ---- tensors in, tensor out ---- */

static enum bst_code place_tensor(const struct bst_generator *g, const struct bst_tensor *tensor,
                                  int64_t (*dims)[RANK_MAX], const float **inputs, struct bst_error *err)
{
    const struct graph *graph = g->model->graph;
    for (size_t i = 0; i < graph->input_count && i < INPUTS_MAX; i++) {
        const struct graph_input *input = &graph->inputs[i];
        if (strcmp(input->name, tensor->name) != 0) continue;
        if (tensor->rank != input->rank)
            return bst_fail(err, BST_USAGE, "input '%.80s' has %zu dimensions", input->name, input->rank);
        for (size_t d = 0; d < input->rank; d++) {
            if (tensor->dims[d] < 1 || (input->dims[d] >= 0 && tensor->dims[d] != input->dims[d]))
                return bst_fail(err, BST_USAGE, "dimension %zu of input '%.80s' cannot be %lld", d,
                                input->name, (long long)tensor->dims[d]);
            dims[i][d] = tensor->dims[d];
        }
        inputs[i] = tensor->data;
        return BST_OK;
    }
    return bst_fail(err, BST_USAGE, "the model has no input '%.80s'", tensor->name);
}

enum bst_code bst_generator_run(struct bst_generator *generator, const struct bst_tensor *inputs,
                                size_t input_count, struct bst_tensor *output, struct bst_error *err)
{
    const struct graph *graph = generator->model->graph;
    int64_t dims[INPUTS_MAX][RANK_MAX];
    const float *data[INPUTS_MAX] = {NULL};
    const struct tensor *made;
    enum bst_code code = BST_OK;
    memset(output, 0, sizeof *output);
    for (size_t i = 0; i < input_count && code == BST_OK; i++)
        code = place_tensor(generator, &inputs[i], dims, data, err);
    if (code != BST_OK) return code;
    for (size_t i = 0; i < graph->input_count; i++)
        if (i >= INPUTS_MAX || data[i] == NULL)
            return bst_fail(err, BST_USAGE, "input '%.80s' is missing", graph->inputs[i].name);
    fenv_t saved;
    arithmetic_enter(&saved);
    code = use_plan(generator, dims, 0, err);
    if (code == BST_OK)
        code = plan_run(generator->plan, generator->pool, data, generator->progress, generator->progress_arg,
                        &made, err);
    arithmetic_leave(&saved);
    if (code != BST_OK) return code;
    output->data = malloc((made->count + 1) * sizeof *output->data);
    if (output->data == NULL) return bst_fail_memory(err);
    memcpy(output->data, made->data, made->count * sizeof *output->data);
    output->name = graph->values[graph->outputs[0]].name;
    output->rank = made->rank;
    memcpy(output->dims, made->dims, sizeof output->dims);
    return BST_OK;
}
