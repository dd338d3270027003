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

/* The picture's samples on [low, high]; beyond its sides the last row and column repeat. */
static void fill_image(const struct bst_image *rgb, const struct bst_card_input *input, const int64_t *dims,
                       float *out)
{
    size_t channels = (size_t)dims[1], h = (size_t)dims[2], w = (size_t)dims[3];
    float scale = (input->high - input->low) / 255.0f;
    for (size_t c = 0; c < channels; c++) {
        size_t from = input->bgr ? 2 - c : c;
        for (size_t y = 0; y < h; y++) {
            const uint8_t *row = rgb->samples + (y < rgb->height ? y : rgb->height - 1) * rgb->width * 3;
            for (size_t x = 0; x < w; x++) {
                const uint8_t *p = row + (x < rgb->width ? x : rgb->width - 1) * 3;
                unsigned sample =
                    channels == 3 ? p[from] : (77u * p[0] + 150u * p[1] + 29u * p[2] + 128u) >> 8;
                out[(c * h + y) * w + x] = fmaf((float)sample, scale, input->low);
            }
        }
    }
}

/* Stream s of a seed belongs to the graph's input s - 1; stream 0 picks the style. */
enum bst_code input_fill(const struct bst_model *model, struct bst_pool *pool, size_t index,
                         const int64_t *dims, size_t count, const struct bst_controls *controls,
                         const struct bst_used *used, float *out, struct bst_error *err)
{
    const struct bst_card_input *input = &model->card.inputs[model->roles[index]];
    uint32_t stream = (uint32_t)index + 1;
    struct bst_image rgb = {0};
    struct noise_job noise;
    enum bst_code code;
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
    default:
        code = bst_image_to_rgb8(controls->input, &rgb, err);
        if (code == BST_OK) fill_image(&rgb, input, dims, out);
        bst_image_clear(&rgb);
        return code;
    }
}
