/* generate.c - controls to inputs, inputs through the plan, output to a picture. */
#include "generate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- output ---- */

struct picture_job {
    const struct bst_kernels *k;
    const struct bst_card *card;
    const struct tensor *from;
    size_t from_y, from_x;
    struct rectangle to;
    struct bst_image *picture;
};

/* Channels in planes, each quantized into its place of the pixels. */
static void planar_row(const struct picture_job *job, size_t y, float scale, uint8_t *row)
{
    const struct bst_card *card = job->card;
    size_t channels = (size_t)job->from->dims[1], h = (size_t)job->from->dims[2],
           w = (size_t)job->from->dims[3], samples = job->picture->channels;
    for (size_t c = 0; c < samples; c++) {
        size_t from = channels == 1 ? 0 : card->output_bgr && c < 3 ? 2 - c : c;
        job->k->quantize(tensor_floats(job->from) + (from * h + y) * w + job->from_x, card->output_low, scale,
                         row + c, samples, job->to.width);
    }
}

/* Channels last: the row is quantized as it lies, then put in order. */
static void packed_row(const struct picture_job *job, size_t y, float scale, uint8_t *row)
{
    const struct bst_card *card = job->card;
    size_t w = (size_t)job->from->dims[2], channels = (size_t)job->from->dims[3], width = job->to.width,
           samples = job->picture->channels;
    job->k->quantize(tensor_floats(job->from) + (y * w + job->from_x) * channels, card->output_low, scale,
                     row, 1, width * channels);
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
    size_t at = (job->to.y + y) * job->picture->width + job->to.x;
    uint8_t *row = job->picture->samples + at * job->picture->channels;
    (void)thread;
    if (job->card->output_nhwc)
        packed_row(job, job->from_y + y, scale, row);
    else
        planar_row(job, job->from_y + y, scale, row);
}

enum bst_code making_check(const struct making *m, const struct tensor *output, size_t height, size_t width,
                           struct bst_error *err)
{
    char text[DIMS_TEXT];
    struct tensor picture = *output;
    struct bst_error bad;
    if (model_picture(m->g->model, &picture, &bad) == BST_OK && picture.dims[2] >= (int64_t)height &&
        picture.dims[3] >= (int64_t)width)
        return BST_OK;
    return bst_fail(err, BST_UNREADABLE, "%s: the graph makes %s, which is no picture of %zu x %zu",
                    m->g->model->path, dims_text(output->rank, output->dims, text), width, height);
}

enum bst_code making_picture(const struct making *m, const struct tensor *output, struct bst_image *out,
                             struct bst_error *err)
{
    int64_t channels = output->dims[layout_of(m->g->model->card.output_nhwc).c];
    return bst_image_new(m->used.width, m->used.height, channels == 4 ? 4 : 3, 8, out, err);
}

void making_put(const struct making *m, const struct tensor *output, size_t from_y, size_t from_x,
                const struct rectangle *to, struct bst_image *picture)
{
    struct picture_job job = {m->g->kernels, &m->g->model->card, output, from_y, from_x, *to, picture};
    bst_pool_run(m->g->pool, to->height, picture_task, &job);
}

/* ---- running ---- */

enum bst_code making_run(const struct making *m, const int64_t (*dims)[RANK_MAX],
                         const struct inputs_part *part, float *memory, bst_progress progress,
                         void *progress_arg, const struct tensor **output, struct bst_error *err)
{
    struct bst_generator *g = m->g;
    const struct inputs_run run = {g->model, g->kernels, g->pool, m->controls->input, &m->used, part};
    const void *inputs[INPUTS_MAX] = {NULL};
    enum bst_code code = inputs_fill(&run, dims, memory, inputs, err);
    return code == BST_OK ? plan_run(g->plan, g->pool, inputs, progress, progress_arg, output, err) : code;
}

/* The plan for all of the picture exists. count: of numbers in its inputs. */
static enum bst_code generate_whole(const struct making *m, size_t count, struct bst_image *out,
                                    struct bst_error *err)
{
    const struct rectangle all = {0, 0, m->used.height, m->used.width};
    const struct tensor *output;
    float *memory = bst_calloc(count, sizeof *memory);
    if (memory == NULL) return bst_fail_memory(err);
    enum bst_code code = making_run(m, (const int64_t(*)[RANK_MAX])m->dims, NULL, memory, m->g->progress,
                                    m->g->progress_arg, &output, err);
    if (code == BST_OK) code = making_check(m, output, all.height, all.width, err);
    if (code == BST_OK) code = making_picture(m, output, out, err);
    if (code == BST_OK) making_put(m, output, 0, 0, &all, out);
    free(memory);
    return code;
}

/* ---- all of it ---- */

static uint32_t round_up(uint32_t side, uint32_t multiple)
{
    return (side + multiple - 1) / multiple * multiple;
}

enum bst_code making_begin(struct making *m, struct bst_error *err)
{
    const struct bst_card *card = &m->g->model->card;
    enum bst_code code = controls_resolve(card, m->controls, &m->used, err);
    if (code != BST_OK) return code;
    m->width = round_up(card->fixed_size ? card->width : m->used.width, card->size_multiple);
    m->height = round_up(card->fixed_size ? card->height : m->used.height, card->size_multiple);
    return model_dims(m->g->model, m->width, m->height, m->dims, err);
}

/* In one piece if no tiles are asked for and that fits. */
static enum bst_code generate(struct making *m, struct bst_image *out, struct bst_error *err)
{
    struct bst_generator *g = m->g;
    size_t count;
    enum bst_code code = making_begin(m, err);
    if (code != BST_OK) return code;
    const int64_t(*dims)[RANK_MAX] = (const int64_t(*)[RANK_MAX])m->dims;
    if (!inputs_count(g->model->graph, dims, &count) || count > SIZE_MAX / 64)
        return bst_fail(err, BST_USAGE, "a picture of %u x %u cannot be made", m->width, m->height);
    bool same = g->width == m->width && g->height == m->height;
    bool tiles = g->tile_side != 0 && (g->tile_side < m->width || g->tile_side < m->height);
    if (tiles || (same && g->tiling.axis[ROWS].spans != NULL)) return generate_tiles(m, out, err);
    tiling_clear(&g->tiling);
    g->width = m->width;
    g->height = m->height;
    size_t picture = (size_t)m->used.width * m->used.height * 3;
    code = generator_plan(g, dims, NULL, count * sizeof(float) + picture, err);
    if (code == BST_OK) return generate_whole(m, count, out, err);
    if (g->lacking == 0) return code;
    struct bst_error why = *err;
    code = generate_tiles(m, out, err);
    if (code != BST_USAGE) return code;
    /* The graph cannot be run on crops: what is wrong is still the size. */
    struct bst_error reason = *err;
    *err = why;
    bst_hint(err, "ask for a smaller picture, or allow more memory: %.180s", reason.what);
    if (reason.where[0] != 0) snprintf(err->where, sizeof err->where, "%s", reason.where);
    return why.code;
}

enum bst_code bst_generate(struct bst_generator *generator, const struct bst_controls *controls,
                           struct bst_image *out, struct bst_used *used, struct bst_error *err)
{
    struct making m = {.g = generator, .controls = controls};
    fenv_t saved;
    memset(out, 0, sizeof *out);
    arithmetic_enter(&saved);
    enum bst_code code = generate(&m, out, err);
    arithmetic_leave(&saved);
    if (code == BST_OK && used != NULL) *used = m.used;
    return code;
}
