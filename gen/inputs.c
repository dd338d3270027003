/* inputs.c - resolved controls -> the numbers of the graph's inputs (arithmetic.md, section 7). */
#include "inputs.h"
#include "latent.h"

#include <math.h>
#include <string.h>

struct noise_job {
    const struct bst_controls *controls;
    size_t rows, columns, margin; /* of a map, margins included */
    uint32_t stream;
    float truncation, *out;
};

static void scale_by(float *x, size_t n, float by)
{
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] * by;
}

/* One row of a noise map. For a tile, the inner cells are drawn where they would be without one, and repeat
 * into the margins. */
static void noise_task(void *arg, size_t index, unsigned thread)
{
    const struct noise_job *job = arg;
    size_t m = job->margin, inner_h = job->rows - 2 * m, inner_w = job->columns - 2 * m;
    size_t y = index % job->rows, c = index / job->rows;
    float *row = job->out + index * job->columns;
    (void)thread;
    if (!job->controls->tile) {
        bst_normal(job->controls->seed, job->stream, noise_index(c, y, 0), job->columns, row);
    } else {
        size_t from = (y + inner_h * m - m) % inner_h + m;
        bst_normal(job->controls->seed, job->stream, noise_index(c, from, m), inner_w, row + m);
        for (size_t x = 0; x < m; x++) {
            row[m - 1 - x] = row[m + inner_w - 1 - x % inner_w];
            row[m + inner_w + x] = row[m + x % inner_w];
        }
    }
    scale_by(row, job->columns, job->truncation);
}

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

/* Stream s of a seed belongs to the graph's input s - 1; stream 0 picks what is not asked for. */
enum bst_code input_fill(const struct bst_model *model, struct bst_pool *pool, size_t index,
                         const int64_t *dims, size_t count, const struct bst_controls *controls,
                         const struct bst_used *used, float *out, struct bst_error *err)
{
    const struct bst_card_input *input = &model->card.inputs[model->roles[index]];
    uint32_t stream = (uint32_t)index + 1;
    struct noise_job noise;
    (void)err;
    switch (input->role) {
    case BST_ROLE_LATENT:
        bst_normal(controls->seed, stream, 0, count, out);
        scale_by(out, count, used->truncation);
        return BST_OK;
    case BST_ROLE_NOISE:
        noise = (struct noise_job){
            controls, (size_t)dims[2], (size_t)dims[3], input->margin, stream, used->truncation, out};
        bst_pool_run(pool, (size_t)(dims[1] * dims[2]), noise_task, &noise);
        return BST_OK;
    case BST_ROLE_STYLE:
        memcpy(out, used->style_weight, count * sizeof *out);
        return BST_OK;
    case BST_ROLE_LABEL:
        fill_label(&model->graph->inputs[index], used->label, out);
        return BST_OK;
    default:
        fill_image(controls->input, input, dims, out);
        return BST_OK;
    }
}
