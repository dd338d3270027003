/* kernel_winograd.c - tasks, packing and passes of Winograd's convolution; see kernel_winograd.h. */
#include "kernel_winograd.h"
#include "sizes.h"

#include <string.h>

#define POSITIONS BST_WINOGRAD_POSITIONS
#define OUT       BST_WINOGRAD_OUT
#define IN        BST_WINOGRAD_IN

/* Few channels leave the transforms more work than they save; few tiles leave the weights, which grow to
 * four times their size, read for too little. */
bool winograd_suits(size_t in_channels, size_t out_channels, size_t out_h, size_t out_w)
{
    return in_channels >= 16 && out_channels >= 16 && ceil_div(out_h, OUT) * ceil_div(out_w, OUT) >= 8;
}

/* About half of them, so that rounding errors, which the output's transform enlarges, stay within twice those of a
 * convolution done in one chain. */
size_t winograd_piece(size_t in_channels)
{
    size_t piece = 8;
    while (piece < 64 && 4 * piece <= in_channels)
        piece *= 2;
    return piece;
}

/* ---- making ---- */

/* Numbers of an odd number of cache lines: planes side by side do not meet in the same sets. */
static size_t odd_lines(size_t numbers)
{
    return (ceil_div(numbers, 16) | 1) * 16;
}

#define INPUT_BYTES   ((size_t)512 << 10)  /* of a task's transformed input, about */
#define PRODUCT_BYTES ((size_t)1024 << 10) /* of a pass's products, about */

static void choose_sizes(struct winograd *w, unsigned threads)
{
    const struct bst_kernels *k = w->kernels;
    size_t all = w->across * w->down, step = k->product_columns;
    size_t room = INPUT_BYTES / (POSITIONS * w->in_channels * sizeof(float)) / step * step;
    w->tiles = least(room < step ? step : room, ceil_div(all, k->width) * k->width);
    size_t tasks = w->outer * w->groups * ceil_div(all, w->tiles);
    while (tasks < threads && w->tiles >= 2 * step) { /* smaller tasks rather than idle threads */
        w->tiles = ceil_div(w->tiles / 2, step) * step;
        tasks = w->outer * w->groups * ceil_div(all, w->tiles);
    }
    w->splits = tasks >= threads ? 1 : least(ceil_div(threads, tasks), w->blocks);
    w->pitch = ceil_div(w->tiles, k->width) * k->width + k->width;
    size_t pass = PRODUCT_BYTES / (POSITIONS * w->pitch * k->product_rows * sizeof(float));
    w->blocks_a_pass = pass == 0 ? 1 : least(pass, w->blocks);
}

/* Numbers of parts of a thread's own memory. */
static size_t row_numbers(const struct winograd *w)
{
    return odd_lines(OUT * w->tiles + 2 + w->kernels->width);
}

static size_t line_numbers(const struct winograd *w)
{
    size_t width = w->kernels->width;
    return odd_lines(IN * (OUT * w->tiles + 2 + 2 * width) + 8 * width);
}

enum bst_code winograd_make(struct step *step, struct winograd *w, const struct bst_kernels *kernels,
                            unsigned threads, struct bst_error *err)
{
    w->kernels = kernels;
    w->across = ceil_div(w->out_w, OUT);
    w->down = ceil_div(w->out_h, OUT);
    w->blocks = ceil_div(w->out_channels, kernels->product_rows);
    w->piece = winograd_piece(w->in_channels);
    choose_sizes(w, threads);
    w->in_plane = odd_lines(w->in_channels * w->pitch);
    w->product_plane = odd_lines(w->blocks_a_pass * kernels->product_rows * w->pitch);
    w->weight_plane = w->blocks * kernels->product_rows * w->in_channels;
    w->weights = step_take(step, w->groups * POSITIONS * w->weight_plane, sizeof(float));
    if (w->weights == NULL) return bst_fail_memory(err);
    size_t numbers = POSITIONS * (w->in_plane + w->product_plane) + line_numbers(w) + row_numbers(w) +
                     OUT * OUT * w->pitch;
    if (numbers * sizeof(float) > step->scratch) step->scratch = numbers * sizeof(float);
    return BST_OK;
}

struct pack_job {
    const struct winograd *w;
    const float *weights;
};

/* One block of output channels of one group. */
static void pack_task(void *arg, size_t index, unsigned thread)
{
    const struct pack_job *job = arg;
    const struct winograd *w = job->w;
    size_t rows = w->kernels->product_rows, g = index / w->blocks, first = index % w->blocks * rows;
    size_t step = w->in_channels * 9, count = least(rows, w->out_channels - first);
    const float *from = job->weights + (g * w->out_channels + first) * step;
    float *to = w->weights + g * POSITIONS * w->weight_plane + first * w->in_channels;
    (void)thread;
    for (size_t c = 0; c < w->in_channels; c++)
        w->kernels->winograd_weights(from + c * 9, step, count, to + c * rows, w->weight_plane);
}

void winograd_pack(const struct winograd *w, struct bst_pool *pool, const float *weights)
{
    struct pack_job job = {w, weights};
    bst_pool_run(pool, w->groups * w->blocks, pack_task, &job);
}

/* ---- running ---- */

struct winograd_run {
    const struct winograd *w;
    const struct step *step;
    const struct run *run;
    const float *input, *bias;
    float *output;
};

struct workspace { /* of a thread */
    float *in, *products, *line, *zeros, *out;
};

static struct workspace workspace_of(const struct winograd_run *job, unsigned thread)
{
    const struct winograd *w = job->w;
    struct workspace s;
    s.in = (float *)(void *)(job->run->scratch + thread * job->run->scratch_each);
    s.products = s.in + POSITIONS * w->in_plane;
    s.line = s.products + POSITIONS * w->product_plane;
    s.zeros = s.line + line_numbers(w);
    s.out = s.zeros + row_numbers(w);
    return s;
}

/* Transforms tiles tiles of one channel from (ty, tx) on. zeros: a row of the padding. */
static void transform_tiles(const struct winograd *w, const float *channel, size_t ty, size_t tx,
                            size_t tiles, const struct workspace *s, size_t ahead, float *v)
{
    const float *rows[IN];
    int64_t x = (int64_t)(tx * OUT) - w->pad_x;
    size_t n = OUT * tiles + 2, before = x < 0 ? least((size_t)-x, n) : 0, from = x < 0 ? 0 : (size_t)x;
    size_t inside = from < w->in_w ? least(n - before, w->in_w - from) : 0;
    for (size_t i = 0; i < IN; i++) {
        int64_t y = (int64_t)(ty * OUT + i) - w->pad_y;
        bool exists = y >= 0 && y < (int64_t)w->in_h && inside > 0;
        rows[i] = exists ? channel + (size_t)y * w->in_w + from : s->zeros;
    }
    w->kernels->winograd_input(rows, before, inside, tiles, ahead, v, w->in_plane, s->line);
}

/* Transforms the input of tiles first to first + count - 1. */
static void transform_input(const struct winograd *w, const float *input, size_t first, size_t count,
                            const struct workspace *s)
{
    memset(s->zeros, 0, row_numbers(w) * sizeof *s->zeros);
    for (size_t c = 0; c < w->in_channels; c++) {
        const float *channel = input + c * w->in_h * w->in_w;
        for (size_t at = 0, n; at < count; at += n) {
            size_t ty = (first + at) / w->across, tx = (first + at) % w->across;
            n = least(count - at, w->across - tx);
            transform_tiles(w, channel, ty, tx, n, s, c + 1 < w->in_channels ? w->in_h * w->in_w : 0,
                            s->in + c * w->pitch + at);
        }
    }
}

/* Writes output channel o (of all groups) of the image, for the same tiles. */
static void transform_output(const struct winograd_run *job, size_t image, size_t o, size_t first,
                             size_t count, const float *products, float *out)
{
    const struct winograd *w = job->w;
    const struct step *step = job->step;
    size_t channels = w->groups * w->out_channels, pitch = OUT * w->pitch;
    float *plane = job->output + (image * channels + o) * w->out_h * w->out_w;
    const float *next = o + 1 < channels ? plane + w->out_h * w->out_w : plane;
    float bias = job->bias != NULL ? job->bias[o] : 0.0f;
    for (size_t at = 0, n; at < count; at += n) {
        size_t y = (first + at) / w->across * OUT, tx = (first + at) % w->across, x = tx * OUT;
        n = least(count - at, w->across - tx);
        w->kernels->winograd_output(products + at, w->product_plane, bias, n, out, pitch);
        size_t width = least(OUT * n, w->out_w - x);
        const float *ahead = next + y * w->out_w + x;
        for (size_t i = 0; i < OUT && y + i < w->out_h; i++) {
            for (size_t k = 0; k < width; k += 16) /* the processor does not look as far ahead by itself */
                __builtin_prefetch(ahead + i * w->out_w + k, 1);
            size_t pixel = (y + i) * w->out_w + x;
            posts_apply(w->kernels, step->posts, step->post_count, out + i * pitch, plane + pixel, width,
                        image, o, pixel);
        }
    }
}

static void winograd_task(void *arg, size_t index, unsigned thread)
{
    const struct winograd_run *job = arg;
    const struct winograd *w = job->w;
    const struct bst_kernels *k = w->kernels;
    size_t all = w->across * w->down, pieces = ceil_div(all, w->tiles);
    size_t split = index % w->splits, piece = index / w->splits % pieces, plane = index / w->splits / pieces;
    size_t image = plane / w->groups, g = plane % w->groups;
    size_t first = piece * w->tiles, count = least(w->tiles, all - first);
    size_t columns = ceil_div(count, k->width) * k->width, rows = k->product_rows;
    const float *weights = w->weights + g * POSITIONS * w->weight_plane;
    struct workspace s = workspace_of(job, thread);
    transform_input(w, job->input + plane * w->in_channels * w->in_h * w->in_w, first, count, &s);
    size_t begin = split * w->blocks / w->splits, end = (split + 1) * w->blocks / w->splits;
    for (size_t b = begin, blocks; b < end; b += blocks) {
        blocks = least(w->blocks_a_pass, end - b);
        for (size_t p = 0; p < POSITIONS; p++)
            k->product(w->in_channels, w->piece, blocks,
                       weights + p * w->weight_plane + b * rows * w->in_channels, s.in + p * w->in_plane,
                       w->pitch, columns, s.products + p * w->product_plane, w->pitch);
        for (size_t o = b * rows; o < least((b + blocks) * rows, w->out_channels); o++)
            transform_output(job, image, g * w->out_channels + o, first, count,
                             s.products + (o - b * rows) * w->pitch, s.out);
    }
}

void winograd_execute(const struct winograd *w, const struct step *step, const struct run *run,
                      const float *input, const float *bias, float *output)
{
    struct winograd_run job = {w, step, run, input, bias, output};
    size_t pieces = ceil_div(w->across * w->down, w->tiles);
    bst_pool_run(run->pool, w->outer * w->groups * pieces * w->splits, winograd_task, &job);
}
