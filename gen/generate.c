/* generate.c - controls to inputs, inputs through the plan, output to a picture. */
#include "generator.h"
#include "inputs.h"

#include <stdlib.h>
#include <string.h>

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
    const void *inputs[INPUTS_MAX] = {NULL};
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
    if (code == BST_OK)
        code = generator_plan(generator, (const int64_t(*)[RANK_MAX])dims, NULL, count * sizeof(float), err);
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
