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

/* Channels in planes, each quantized into its place of the pixels. */
static void planar_row(const struct picture_job *job, size_t y, float scale, uint8_t *row)
{
    const struct bst_card *card = job->card;
    size_t channels = (size_t)job->from->dims[1], h = (size_t)job->from->dims[2],
           w = (size_t)job->from->dims[3], samples = job->to->channels;
    for (size_t c = 0; c < samples; c++) {
        size_t from = channels == 1 ? 0 : card->output_bgr && c < 3 ? 2 - c : c;
        job->k->quantize(tensor_floats(job->from) + (from * h + y) * w, card->output_low, scale, row + c,
                         samples, job->to->width);
    }
}

/* Channels last: the row is quantized as it lies, then put in order. */
static void packed_row(const struct picture_job *job, size_t y, float scale, uint8_t *row)
{
    const struct bst_card *card = job->card;
    size_t w = (size_t)job->from->dims[2], channels = (size_t)job->from->dims[3], width = job->to->width,
           samples = job->to->channels;
    job->k->quantize(tensor_floats(job->from) + y * w * channels, card->output_low, scale, row, 1,
                     width * channels);
    for (size_t x = width; x-- > 0 && channels == 1;)
        for (size_t c = samples; c-- > 0;)
            row[x * samples + c] = row[x];
    for (size_t x = 0; x < width && channels >= 3 && card->output_bgr; x++) {
        uint8_t kept = row[x * samples];
        row[x * samples] = row[x * samples + 2];
        row[x * samples + 2] = kept;
    }
}

static void picture_task(void *arg, size_t y, unsigned thread)
{
    const struct picture_job *job = arg;
    float scale = 255.0f / (job->card->output_high - job->card->output_low);
    uint8_t *row = job->to->samples + y * job->to->width * job->to->channels;
    (void)thread;
    if (job->card->output_nhwc)
        packed_row(job, y, scale, row);
    else
        planar_row(job, y, scale, row);
}

static enum bst_code make_picture(struct bst_generator *g, const struct tensor *from,
                                  const struct bst_used *used, struct bst_image *out, struct bst_error *err)
{
    char text[DIMS_TEXT];
    struct tensor picture = *from;
    struct bst_error bad;
    if (model_picture(g->model, &picture, &bad) != BST_OK || picture.dims[2] < used->height ||
        picture.dims[3] < used->width)
        return bst_fail(err, BST_UNREADABLE, "%s: the graph makes %s, which is no picture of %u x %u",
                        g->model->path, dims_text(from->rank, from->dims, text), used->width, used->height);
    enum bst_code code = bst_image_new(used->width, used->height, picture.dims[1] == 4 ? 4 : 3, 8, out, err);
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
    const struct inputs_run run = {g->model, g->kernels, g->pool, controls->input, used};
    const void *inputs[INPUTS_MAX] = {NULL};
    const struct tensor *output;
    enum bst_code code = inputs_fill(&run, dims, memory, inputs, err);
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
        if (!tensor_set_dims(&t, graph->inputs[i].kind, graph->inputs[i].rank, dims[i]) ||
            !bst_add(count, input_floats(&t), &count))
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
