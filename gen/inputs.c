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

struct noise_job {
    const struct inputs_run *run;
    size_t rows, columns, margin; /* of a map, margins included */
    uint32_t stream;
    float *out;
};

/* One row of a noise map. For a tile, the inner cells are drawn where they would be without one, and repeat
 * into the margins. */
static void noise_task(void *arg, size_t index, unsigned thread)
{
    const struct noise_job *job = arg;
    size_t m = job->margin, inner_h = job->rows - 2 * m, inner_w = job->columns - 2 * m;
    size_t y = index % job->rows, c = index / job->rows;
    float *row = job->out + index * job->columns;
    (void)thread;
    if (!job->run->used->tile) {
        draw(job->run, job->stream, noise_index(c, y, 0), job->columns, row);
    } else {
        size_t from = (y + inner_h * m - m) % inner_h + m;
        draw(job->run, job->stream, noise_index(c, from, m), inner_w, row + m);
        for (size_t x = 0; x < m; x++) {
            row[m - 1 - x] = row[m + inner_w - 1 - x % inner_w];
            row[m + inner_w + x] = row[m + x % inner_w];
        }
    }
    scale_by(row, job->columns, job->run->used->truncation);
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
        struct noise_job job = {run, (size_t)dims[2], (size_t)dims[3], input->margin, stream, out};
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

/* All latents, then all noise maps, each in the order of the graph. */
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
            if (input->role != order[pass]) continue;
            tensor_set_dims(&t, KIND_FLOAT, graph->inputs[i].rank, dims[i]);
            code = fill_next(run, sequences, input, dims[i], t.count, inputs[i], err);
        }
    }
    free(sequences);
    return code;
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

/* The picture's samples on [low, high]; beyond its sides the last row and column repeat. */
static void fill_image(const struct bst_image *image, const struct bst_card_input *input, const int64_t *dims,
                       float *out)
{
    struct layout l = layout_of(input->nhwc);
    size_t channels = (size_t)dims[l.c], h = (size_t)dims[l.h], w = (size_t)dims[l.w];
    size_t pixel = (size_t)image->channels * image->depth / 8;
    float scale = (input->high - input->low) / 255.0f;
    for (size_t c = 0; c < channels; c++) {
        size_t from = input->bgr && channels >= 3 && c < 3 ? 2 - c : c;
        for (size_t y = 0; y < h; y++) {
            size_t row = y < image->height ? y : image->height - 1;
            for (size_t x = 0; x < w; x++) {
                size_t column = x < image->width ? x : image->width - 1;
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

static void fill_one(const struct inputs_run *run, size_t index, const int64_t *dims, size_t count,
                     float *out)
{
    const struct bst_card_input *input = &run->model->card.inputs[run->model->roles[index]];
    switch (input->role) {
    case BST_ROLE_LATENT:
    case BST_ROLE_NOISE:
        if (run->used->latent == BST_LATENT_PHILOX) fill_philox(run, index, input, dims, count, out);
        break;
    case BST_ROLE_STYLE:
        memcpy(out, run->used->style_weight, count * sizeof *out);
        break;
    case BST_ROLE_LABEL:
        fill_label(&run->model->graph->inputs[index], run->used->label, out);
        break;
    case BST_ROLE_IMAGE:
        fill_image(run->picture, input, dims, out);
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
        inputs[i] = places[i] = memory;
        memory += input_floats(&t);
    }
    return run->used->latent == BST_LATENT_PHILOX ? BST_OK : fill_sequences(run, dims, places, err);
}
