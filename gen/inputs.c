/* inputs.c - resolved controls -> the numbers of the graph's inputs (arithmetic.md, section 7). */
#include "inputs.h"
#include "latent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK 1024

static void scale_by(float *x, size_t n, float by)
{
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] * by;
}

/* ---- philox: each number by its index ---- */

/* The weighted sum of the seeds' numbers. */
static void draw(const struct inputs_run *run, uint32_t stream, uint64_t first, size_t count, float *out)
{
    const struct bst_mix *mix = run->used->mix;
    float more[CHUNK];
    bst_normal(mix[0].seed, stream, first, count, out);
    for (size_t k = 1; k < run->used->mix_count; k++) {
        for (size_t at = 0; at < count; at += CHUNK) {
            size_t n = count - at < CHUNK ? count - at : CHUNK;
            bst_normal(mix[k].seed, stream, first + at, n, more);
            run->kernels->blend(out + at, more, k == 1 ? mix[0].weight : 1.0f, mix[k].weight, out + at, n);
        }
    }
}

struct map_job { /* of noise or codes */
    const struct inputs_run *run;
    const int64_t *dims, *whole; /* of the part that is made, and of the map; margins included */
    size_t row, column, margin;
    uint32_t stream;
    float *out;
};

static struct map_job map_job(const struct inputs_run *run, size_t index, const struct bst_card_input *input,
                              const int64_t *dims, float *out)
{
    const struct inputs_part *part = run->part;
    struct map_job job = {run, dims, dims, 0, 0, input->margin, (uint32_t)index + 1, out};
    if (part != NULL) {
        job.whole = part->whole[index];
        job.row = (size_t)part->row[index];
        job.column = (size_t)part->column[index];
    }
    return job;
}

/* Where a cell's number is drawn: in a seamless picture the inner cells repeat into the margins. */
static size_t drawn_at(const struct map_job *job, size_t place, size_t dim)
{
    size_t m = job->margin, inner = (size_t)job->whole[dim] - 2 * m;
    return job->run->used->tile ? (place + inner * m - m) % inner + m : place;
}

/* One row of a noise map, in runs of cells that are drawn side by side. */
static void noise_task(void *arg, size_t index, unsigned thread)
{
    const struct map_job *job = arg;
    size_t rows = (size_t)job->dims[2], columns = (size_t)job->dims[3], c = index / rows;
    size_t y = drawn_at(job, job->row + index % rows, 2);
    size_t end = (size_t)job->whole[3] - (job->run->used->tile ? job->margin : 0);
    float *row = job->out + index * columns;
    (void)thread;
    for (size_t x = 0, n; x < columns; x += n) {
        size_t from = drawn_at(job, job->column + x, 3);
        n = columns - x < end - from ? columns - x : end - from;
        draw(job->run, job->stream, noise_index(c, y, from), n, row + x);
    }
    scale_by(row, columns, job->run->used->truncation);
}

/* Every code is as likely as any other; those of a mix are its first seed's. */
static void fill_codes(const struct inputs_run *run, size_t index, const struct bst_card_input *input,
                       const int64_t *dims, int64_t *out)
{
    struct map_job job = map_job(run, index, input, dims, NULL);
    uint64_t seed = run->used->mix[0].seed;
    const uint32_t key[] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (size_t y = 0; y < (size_t)dims[2]; y++) {
        size_t row = drawn_at(&job, job.row + y, 2);
        for (size_t x = 0; x < (size_t)dims[3]; x++) {
            uint64_t at = noise_index(0, row, drawn_at(&job, job.column + x, 3));
            const uint32_t counter[] = {(uint32_t)(at / 4), (uint32_t)(at / 4 >> 32), job.stream, 0};
            uint32_t words[4];
            bst_philox(counter, key, words);
            *out++ = (int64_t)((uint64_t)words[at % 4] * input->codes >> 32);
        }
    }
}

/* Stream s of a seed belongs to the graph's input s - 1; stream 0 picks the style. */
static void fill_philox(const struct inputs_run *run, size_t index, const struct bst_card_input *input,
                        const int64_t *dims, size_t count, float *out)
{
    uint32_t stream = (uint32_t)index + 1;
    if (input->role == BST_ROLE_LATENT) {
        draw(run, stream, 0, count, out);
        scale_by(out, count, run->used->truncation);
    } else {
        struct map_job job = map_job(run, index, input, dims, out);
        bst_pool_run(run->pool, (size_t)(dims[1] * dims[2]), noise_task, &job);
    }
}

/* ---- numpy and PyTorch: one input after another ---- */

/* Makes the margins of each map repeat what is within them. */
static void wrap(const int64_t *dims, size_t margin, float *maps)
{
    size_t rows = (size_t)dims[2], columns = (size_t)dims[3];
    size_t inner_h = rows - 2 * margin, inner_w = columns - 2 * margin;
    for (size_t c = 0; c < (size_t)dims[1]; c++) {
        float *map = maps + c * rows * columns;
        for (size_t y = margin; y < margin + inner_h; y++) {
            for (size_t x = 0; x < margin; x++) {
                map[y * columns + margin - 1 - x] = map[y * columns + margin + inner_w - 1 - x % inner_w];
                map[y * columns + margin + inner_w + x] = map[y * columns + margin + x % inner_w];
            }
        }
        for (size_t y = 0; y < rows; y++) {
            size_t from = (y + inner_h * margin - margin) % inner_h + margin;
            if (from != y) memcpy(map + y * columns, map + from * columns, columns * sizeof *map);
        }
    }
}

static enum bst_code fill_next(const struct inputs_run *run, struct sequence *sequences,
                               const struct bst_card_input *input, const int64_t *dims, size_t count,
                               float *out, struct bst_error *err)
{
    const struct bst_used *used = run->used;
    float *more = used->mix_count > 1 ? bst_calloc(count, sizeof *more) : NULL;
    if (used->mix_count > 1 && more == NULL) return bst_fail_memory(err);
    sequence_normal(&sequences[0], count, out);
    for (size_t k = 1; k < used->mix_count; k++) {
        sequence_normal(&sequences[k], count, more);
        run->kernels->blend(out, more, k == 1 ? used->mix[0].weight : 1.0f, used->mix[k].weight, out, count);
    }
    free(more);
    if (used->tile && input->role == BST_ROLE_NOISE) wrap(dims, input->margin, out);
    scale_by(out, count, used->truncation);
    return BST_OK;
}

/* All latents, then all noise maps, each in the order of the graph. An input without memory is left out, which is
 * only right of noise maps that come after all that are asked for. */
static enum bst_code fill_sequences(const struct inputs_run *run, const int64_t (*dims)[RANK_MAX],
                                    float *const *inputs, struct bst_error *err)
{
    static const enum bst_role order[] = {BST_ROLE_LATENT, BST_ROLE_NOISE};
    const struct graph *graph = run->model->graph;
    struct sequence *sequences = bst_calloc(run->used->mix_count, sizeof *sequences);
    if (sequences == NULL) return bst_fail_memory(err);
    for (size_t k = 0; k < run->used->mix_count; k++)
        sequence_start(&sequences[k], run->used->latent, run->used->mix[k].seed);
    enum bst_code code = BST_OK;
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < graph->input_count && code == BST_OK; i++) {
            const struct bst_card_input *input = &run->model->card.inputs[run->model->roles[i]];
            struct tensor t;
            if (input->role != order[pass] || inputs[i] == NULL) continue;
            tensor_set_dims(&t, KIND_FLOAT, graph->inputs[i].rank, dims[i]);
            code = fill_next(run, sequences, input, dims[i], t.count, inputs[i], err);
        }
    }
    free(sequences);
    return code;
}

static bool is_drawn(const struct inputs_run *run, size_t input)
{
    enum bst_role role = run->model->card.inputs[run->model->roles[input]].role;
    return role == BST_ROLE_LATENT || role == BST_ROLE_NOISE;
}

size_t inputs_drawn(const struct inputs_run *run, const int64_t (*dims)[RANK_MAX])
{
    const struct graph *graph = run->model->graph;
    size_t count = 0;
    bool noise = false;
    if (run->used->latent == BST_LATENT_PHILOX) return 0;
    for (size_t i = 0; i < graph->input_count; i++) {
        struct tensor t;
        if (!is_drawn(run, i)) continue;
        noise = noise || run->model->card.inputs[run->model->roles[i]].role == BST_ROLE_NOISE;
        tensor_set_dims(&t, KIND_FLOAT, graph->inputs[i].rank, dims[i]);
        count += input_floats(&t);
    }
    return noise ? count : 0;
}

enum bst_code inputs_draw(const struct inputs_run *run, const int64_t (*dims)[RANK_MAX], float *memory,
                          const float **maps, struct bst_error *err)
{
    const struct graph *graph = run->model->graph;
    float *places[INPUTS_MAX] = {NULL};
    for (size_t i = 0; i < graph->input_count; i++) {
        struct tensor t;
        maps[i] = NULL;
        if (!is_drawn(run, i)) continue;
        tensor_set_dims(&t, KIND_FLOAT, graph->inputs[i].rank, dims[i]);
        maps[i] = places[i] = memory;
        memory += input_floats(&t);
    }
    return fill_sequences(run, dims, places, err);
}

/* A part of a map that has been drawn whole. */
static void cut_map(const struct inputs_part *part, size_t input, const int64_t *dims, float *out)
{
    const int64_t *whole = part->whole[input];
    for (int64_t row = 0; row < dims[1] * dims[2]; row++) {
        int64_t from = row / dims[2] * whole[2] + part->row[input] + row % dims[2];
        memcpy(out + row * dims[3], part->maps[input] + from * whole[3] + part->column[input],
               (size_t)dims[3] * sizeof *out);
    }
}

/* ---- pictures, classes ---- */

/* Sample c of a pixel for a network that wants channels of them: colours, their brightness, or colours and
 * alpha. Samples lie step bytes apart; of 16 bits the upper 8 count. */
static unsigned sample_of(const uint8_t *p, const struct bst_image *image, size_t channels, size_t c)
{
    size_t step = image->depth / 8, have = image->channels;
    if (channels == 4 && c == 3) return have % 2 == 0 ? p[(have - 1) * step] : 255;
    if (have < 3) return p[0];
    if (channels != 1) return p[c * step];
    return (77u * p[0] + 150u * p[step] + 29u * p[2 * step] + 128u) >> 8;
}

static size_t held(size_t place, uint32_t side)
{
    return place < side ? place : side - 1;
}

/* The picture's samples on [low, high], from a row and column on; beyond its sides the last ones repeat. */
static void fill_image(const struct bst_image *image, const struct bst_card_input *input, const int64_t *dims,
                       size_t first_row, size_t first_column, float *out)
{
    struct layout l = layout_of(input->nhwc);
    size_t channels = (size_t)dims[l.c], h = (size_t)dims[l.h], w = (size_t)dims[l.w];
    size_t pixel = (size_t)image->channels * image->depth / 8;
    float scale = (input->high - input->low) / 255.0f;
    for (size_t c = 0; c < channels; c++) {
        size_t from = input->bgr && channels >= 3 && c < 3 ? 2 - c : c;
        for (size_t y = 0; y < h; y++) {
            size_t row = held(first_row + y, image->height);
            for (size_t x = 0; x < w; x++) {
                size_t column = held(first_column + x, image->width);
                const uint8_t *p = image->samples + (row * image->width + column) * pixel;
                float value = fmaf((float)sample_of(p, image, channels, from), scale, input->low);
                out[input->nhwc ? (y * w + x) * channels + c : (c * h + y) * w + x] = value;
            }
        }
    }
}

/* A class as its number, or as one 1 among zeros. */
static void fill_label(const struct graph_input *input, uint32_t label, void *out)
{
    if (input->kind == KIND_INT)
        *(int64_t *)out = label;
    else
        ((float *)out)[label] = 1.0f; /* the memory is zeroed */
}

/* ---- all of them ---- */

bool inputs_count(const struct graph *graph, const int64_t (*dims)[RANK_MAX], size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < graph->input_count; i++) {
        struct tensor t;
        if (!tensor_set_dims(&t, graph->inputs[i].kind, graph->inputs[i].rank, dims[i]) ||
            !bst_add(*count, input_floats(&t), count))
            return false;
    }
    return true;
}

static void fill_one(const struct inputs_run *run, size_t index, const int64_t *dims, size_t count,
                     float *out)
{
    const struct bst_card_input *input = &run->model->card.inputs[run->model->roles[index]];
    const struct inputs_part *part = run->part;
    switch (input->role) {
    case BST_ROLE_LATENT:
    case BST_ROLE_NOISE:
        if (part != NULL && part->maps != NULL && input->role == BST_ROLE_NOISE)
            cut_map(part, index, dims, out);
        else if (run->used->latent == BST_LATENT_PHILOX)
            fill_philox(run, index, input, dims, count, out);
        break;
    case BST_ROLE_STYLE:
        memcpy(out, run->used->style_weight, count * sizeof *out);
        break;
    case BST_ROLE_LABEL:
        fill_label(&run->model->graph->inputs[index], run->used->label, out);
        break;
    case BST_ROLE_CODES:
        fill_codes(run, index, input, dims, (int64_t *)(void *)out);
        break;
    case BST_ROLE_IMAGE:
        fill_image(run->picture, input, dims, part != NULL ? (size_t)part->row[index] : 0,
                   part != NULL ? (size_t)part->column[index] : 0, out);
        break;
    }
}

enum bst_code inputs_fill(const struct inputs_run *run, const int64_t (*dims)[RANK_MAX], float *memory,
                          const void **inputs, struct bst_error *err)
{
    const struct graph *graph = run->model->graph;
    float *places[INPUTS_MAX];
    for (size_t i = 0; i < graph->input_count; i++) {
        struct tensor t;
        tensor_set_dims(&t, graph->inputs[i].kind, graph->inputs[i].rank, dims[i]);
        fill_one(run, i, dims[i], t.count, memory);
        bool cut = run->part != NULL && run->model->card.inputs[run->model->roles[i]].role == BST_ROLE_NOISE;
        inputs[i] = memory;
        places[i] = cut ? NULL : memory;
        memory += input_floats(&t);
    }
    return run->used->latent == BST_LATENT_PHILOX ? BST_OK : fill_sequences(run, dims, places, err);
}
