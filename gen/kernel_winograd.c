/* kernel_winograd.c - passes and tasks of Winograd's convolution; see kernel_winograd.h. */
#include "kernel_winograd.h"
#include "sizes.h"

#include <string.h>

#define POSITIONS BST_WINOGRAD_POSITIONS
#define OUT       BST_WINOGRAD_OUT
#define IN        BST_WINOGRAD_IN
#define CHUNK     ((size_t)64) /* of input channels whose weights are transformed together: the longest piece */

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
    while (piece < CHUNK && 4 * piece <= in_channels)
        piece *= 2;
    return piece;
}

/* ---- making ---- */

#define SHARED_BYTES  ((size_t)12 << 20)   /* about what of the third-level cache a pass may fill */
#define INPUT_BYTES   ((size_t)512 << 10)  /* by tiles: of a task's transformed input, about */
#define PRODUCT_BYTES ((size_t)1024 << 10) /* by tiles: of a task's products, about */
#define TILES_MAX     ((size_t)128)        /* by channels: of a pass */
#define ROWS_A_TASK   ((size_t)16)         /* by channels: output channels */

/* Channels of transformed input do not meet in the same sets of a cache either. */
static size_t pitch_of(const struct winograd *w, size_t tiles)
{
    return ceil_div(tiles, w->kernels->width) * w->kernels->width + w->kernels->width;
}

static size_t weight_bytes(const struct winograd *w)
{
    return POSITIONS * w->blocks * w->kernels->product_rows * w->in_channels * sizeof(float);
}

static size_t input_bytes(const struct winograd *w, size_t tiles)
{
    return POSITIONS * w->in_channels * pitch_of(w, tiles) * sizeof(float);
}

/* Smaller tasks rather than idle threads. */
static void size_by_tiles(struct winograd *w, unsigned threads)
{
    const struct bst_kernels *k = w->kernels;
    size_t step = k->product_columns,
           room = INPUT_BYTES / (POSITIONS * w->in_channels * sizeof(float)) / step * step;
    w->tiles = least(room < step ? step : room, ceil_div(w->all, k->width) * k->width);
    while (w->groups * ceil_div(w->all, w->tiles) < threads && w->tiles >= 2 * step)
        w->tiles = ceil_div(w->tiles / 2, step) * step;
    w->pitch = pitch_of(w, w->tiles);
    size_t pass = PRODUCT_BYTES / (POSITIONS * w->pitch * k->product_rows * sizeof(float));
    w->blocks_a_task = pass == 0 ? 1 : least(pass, w->blocks);
}

static void size_by_channels(struct winograd *w, unsigned threads)
{
    const struct bst_kernels *k = w->kernels;
    size_t passes = ceil_div(w->all, TILES_MAX);
    w->tiles = ceil_div(ceil_div(w->all, passes), k->width) * k->width;
    w->pitch = pitch_of(w, w->tiles);
    size_t share = w->blocks * w->groups / threads;
    w->blocks_a_task = least(ROWS_A_TASK / k->product_rows, share == 0 ? 1 : share);
}

/* Numbers of memory that threads share, for one group; and of what each has for itself instead. */
static size_t shared_numbers(const struct winograd *w)
{
    return POSITIONS * (w->by_channels ? w->in_plane : w->weight_plane);
}

static size_t own_numbers(const struct winograd *w)
{
    if (w->weights != NULL) return 0;
    return POSITIONS * (w->by_channels ? w->weight_plane : w->in_plane);
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

/* Transforms channels input channels from channel on of one block of output channels of a group. */
static void transform_weights(const struct winograd *w, const float *weights, size_t group, size_t block,
                              size_t channel, size_t channels, float *to)
{
    size_t rows = w->kernels->product_rows, step = w->in_channels * 9;
    const float *from = weights + (group * w->out_channels + block * rows) * step + channel * 9;
    w->kernels->winograd_weights(from, step, least(rows, w->out_channels - block * rows), channels, to,
                                 w->weight_plane);
}

/* Weights that a task reads lie together. */
static float *kept_weights(const struct winograd *w, size_t group, size_t block)
{
    size_t tasks = ceil_div(w->blocks, w->blocks_a_task), task = group * tasks + block / w->blocks_a_task;
    return w->weights + task * POSITIONS * w->weight_plane +
           block % w->blocks_a_task * w->kernels->product_rows * w->in_channels;
}

static enum bst_code keep_weights(struct step *step, struct winograd *w, const float *weights,
                                  struct bst_error *err)
{
    size_t tasks = w->groups * ceil_div(w->blocks, w->blocks_a_task);
    w->weight_plane = odd_lines(w->blocks_a_task * w->kernels->product_rows * w->in_channels);
    w->weights = step_take(step, tasks * POSITIONS * w->weight_plane, sizeof(float));
    if (w->weights == NULL) return bst_fail_memory(err);
    for (size_t g = 0; g < w->groups; g++)
        for (size_t b = 0; b < w->blocks; b++)
            transform_weights(w, weights, g, b, 0, w->in_channels, kept_weights(w, g, b));
    return BST_OK;
}

enum bst_code winograd_make(struct step *step, struct winograd *w, const struct bst_kernels *kernels,
                            unsigned threads, const float *weights, struct bst_error *err)
{
    size_t rows = kernels->product_rows;
    enum bst_code code = BST_OK;
    w->kernels = kernels;
    w->across = ceil_div(w->out_w, OUT);
    w->down = ceil_div(w->out_h, OUT);
    w->all = w->outer * w->across * w->down;
    w->blocks = ceil_div(w->out_channels, rows);
    w->piece = winograd_piece(w->in_channels);
    w->by_channels =
        weight_bytes(w) > SHARED_BYTES || (w->all <= TILES_MAX && input_bytes(w, w->all) < weight_bytes(w));
    if (w->by_channels)
        size_by_channels(w, threads);
    else
        size_by_tiles(w, threads);
    w->in_plane = odd_lines(w->in_channels * w->pitch);
    w->product_plane = odd_lines(w->blocks_a_task * rows * w->pitch);
    w->weight_plane =
        odd_lines(w->by_channels ? w->blocks_a_task * rows * CHUNK : w->blocks * rows * w->in_channels);
    if (w->by_channels && w->all <= TILES_MAX && weights != NULL) code = keep_weights(step, w, weights, err);
    size_t group = shared_numbers(w) * sizeof(float);
    w->groups_a_pass = group >= SHARED_BYTES ? 1 : least(SHARED_BYTES / group, w->groups);
    if (w->groups_a_pass * group > step->shared) step->shared = w->groups_a_pass * group;
    size_t numbers = own_numbers(w) + POSITIONS * w->product_plane + line_numbers(w) + row_numbers(w) +
                     OUT * OUT * w->pitch;
    if (numbers * sizeof(float) > step->scratch) step->scratch = numbers * sizeof(float);
    return code;
}

/* ---- transforms ---- */

struct winograd_run {
    const struct winograd *w;
    const struct step *step;
    const struct run *run;
    const float *input, *weights, *bias;
    float *output;
    size_t group, groups; /* of the pass, and its tiles */
    size_t first, count;
};

struct workspace { /* of a thread, but for in or weights, which all share */
    float *in, *weights, *products, *line, *zeros, *out;
};

/* group: counted within the pass. */
static struct workspace workspace_of(const struct winograd_run *job, size_t group, unsigned thread)
{
    const struct winograd *w = job->w;
    struct workspace s;
    float *shared = (float *)(void *)job->run->shared + group * shared_numbers(w);
    float *own = (float *)(void *)(job->run->scratch + thread * job->run->scratch_each);
    s.in = w->by_channels ? shared : own;
    s.weights = w->by_channels ? own : shared;
    s.products = own + own_numbers(w);
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

/* Where a run of tiles in one row of one image begins. */
struct place {
    size_t image, ty, tx;
};

static struct place place_of(const struct winograd *w, size_t tile)
{
    size_t plane = w->across * w->down;
    return (struct place){tile / plane, tile % plane / w->across, tile % w->across};
}

/* Transforms channels begin to end - 1 of a group's input, tiles first to first + count - 1. */
static void transform_input(const struct winograd_run *job, size_t group, size_t begin, size_t end,
                            size_t first, size_t count, const struct workspace *s)
{
    const struct winograd *w = job->w;
    size_t plane = w->in_h * w->in_w;
    memset(s->zeros, 0, row_numbers(w) * sizeof *s->zeros);
    for (size_t c = begin; c < end; c++) {
        for (size_t at = 0, n; at < count; at += n) {
            struct place p = place_of(w, first + at);
            n = least(count - at, w->across - p.tx);
            const float *channel = job->input + ((p.image * w->groups + group) * w->in_channels + c) * plane;
            transform_tiles(w, channel, p.ty, p.tx, n, s, c + 1 < end ? plane : 0, s->in + c * w->pitch + at);
        }
    }
}

/* Writes output channel o (of all groups) for the same tiles. */
static void transform_output(const struct winograd_run *job, size_t o, size_t first, size_t count,
                             const float *products, float *out)
{
    const struct winograd *w = job->w;
    const struct step *step = job->step;
    size_t channels = w->groups * w->out_channels, pitch = OUT * w->pitch, plane = w->out_h * w->out_w;
    float bias = job->bias != NULL ? job->bias[o] : 0.0f;
    for (size_t at = 0, n; at < count; at += n) {
        struct place p = place_of(w, first + at);
        size_t y = p.ty * OUT, x = p.tx * OUT;
        n = least(count - at, w->across - p.tx);
        w->kernels->winograd_output(products + at, w->product_plane, bias, n, out, pitch);
        size_t width = least(OUT * n, w->out_w - x);
        float *to = job->output + (p.image * channels + o) * plane;
        const float *ahead = to + (o + 1 < channels ? plane : 0) + y * w->out_w + x;
        for (size_t i = 0; i < OUT && y + i < w->out_h; i++) {
            for (size_t k = 0; k < width; k += 16) /* the processor does not look as far ahead by itself */
                __builtin_prefetch(ahead + i * w->out_w + k, 1);
            size_t pixel = (y + i) * w->out_w + x;
            posts_apply(w->kernels, step->posts, step->post_count, out + i * pitch, to + pixel, width,
                        p.image, o, pixel);
        }
    }
}

/* ---- by tiles ---- */

static void weights_task(void *arg, size_t index, unsigned thread)
{
    const struct winograd_run *job = arg;
    const struct winograd *w = job->w;
    size_t group = index / w->blocks, block = index % w->blocks;
    struct workspace s = workspace_of(job, group, thread);
    transform_weights(w, job->weights, job->group + group, block, 0, w->in_channels,
                      s.weights + block * w->kernels->product_rows * w->in_channels);
}

static void tiles_task(void *arg, size_t index, unsigned thread)
{
    const struct winograd_run *job = arg;
    const struct winograd *w = job->w;
    const struct bst_kernels *k = w->kernels;
    size_t tasks = ceil_div(w->all, w->tiles), first = index % tasks * w->tiles;
    size_t count = least(w->tiles, w->all - first), group = job->group + index / tasks;
    size_t columns = ceil_div(count, k->width) * k->width, rows = k->product_rows;
    struct workspace s = workspace_of(job, index / tasks, thread);
    transform_input(job, group, 0, w->in_channels, first, count, &s);
    for (size_t b = 0, blocks; b < w->blocks; b += blocks) {
        blocks = least(w->blocks_a_task, w->blocks - b);
        for (size_t p = 0; p < POSITIONS; p++)
            k->product(w->in_channels, w->piece, blocks,
                       s.weights + p * w->weight_plane + b * rows * w->in_channels, s.in + p * w->in_plane,
                       w->pitch, columns, false, s.products + p * w->product_plane, w->pitch);
        for (size_t o = b * rows; o < least((b + blocks) * rows, w->out_channels); o++)
            transform_output(job, group * w->out_channels + o, first, count,
                             s.products + (o - b * rows) * w->pitch, s.out);
    }
}

/* ---- by channels ---- */

#define CHANNELS_A_TASK ((size_t)8)

static void input_task(void *arg, size_t index, unsigned thread)
{
    const struct winograd_run *job = arg;
    const struct winograd *w = job->w;
    size_t tasks = ceil_div(w->in_channels, CHANNELS_A_TASK), begin = index % tasks * CHANNELS_A_TASK;
    struct workspace s = workspace_of(job, index / tasks, thread);
    transform_input(job, job->group + index / tasks, begin, least(begin + CHANNELS_A_TASK, w->in_channels),
                    job->first, job->count, &s);
}

/* Products of channels input channels from channel on with weights[position][block][channels][row]. */
static void multiply(const struct winograd_run *job, const struct workspace *s, const float *weights,
                     size_t blocks, size_t channel, size_t channels)
{
    const struct winograd *w = job->w;
    const struct bst_kernels *k = w->kernels;
    size_t columns = ceil_div(job->count, k->width) * k->width;
    for (size_t p = 0; p < POSITIONS; p++)
        k->product(channels, w->piece, blocks, weights + p * w->weight_plane,
                   s->in + p * w->in_plane + channel * w->pitch, w->pitch, columns, channel > 0,
                   s->products + p * w->product_plane, w->pitch);
}

static void channels_task(void *arg, size_t index, unsigned thread)
{
    const struct winograd_run *job = arg;
    const struct winograd *w = job->w;
    size_t tasks = ceil_div(w->blocks, w->blocks_a_task), group = job->group + index / tasks;
    size_t first = index % tasks * w->blocks_a_task, blocks = least(w->blocks_a_task, w->blocks - first);
    size_t rows = w->kernels->product_rows;
    struct workspace s = workspace_of(job, index / tasks, thread);
    if (w->weights != NULL) multiply(job, &s, kept_weights(w, group, first), blocks, 0, w->in_channels);
    for (size_t c = 0, n; c < w->in_channels && w->weights == NULL; c += n) {
        n = least(CHUNK, w->in_channels - c);
        for (size_t b = 0; b < blocks; b++)
            transform_weights(w, job->weights, group, first + b, c, n, s.weights + b * rows * n);
        multiply(job, &s, s.weights, blocks, c, n);
    }
    for (size_t o = first * rows; o < least((first + blocks) * rows, w->out_channels); o++)
        transform_output(job, group * w->out_channels + o, job->first, job->count,
                         s.products + (o - first * rows) * w->pitch, s.out);
}

/* ---- running ---- */

static void run_by_channels(struct winograd_run *job)
{
    const struct winograd *w = job->w;
    struct bst_pool *pool = job->run->pool;
    for (job->first = 0; job->first < w->all; job->first += w->tiles) {
        job->count = least(w->tiles, w->all - job->first);
        bst_pool_run(pool, job->groups * ceil_div(w->in_channels, CHANNELS_A_TASK), input_task, job);
        bst_pool_run(pool, job->groups * ceil_div(w->blocks, w->blocks_a_task), channels_task, job);
    }
}

static void run_by_tiles(struct winograd_run *job)
{
    const struct winograd *w = job->w;
    bst_pool_run(job->run->pool, job->groups * w->blocks, weights_task, job);
    bst_pool_run(job->run->pool, job->groups * ceil_div(w->all, w->tiles), tiles_task, job);
}

void winograd_execute(const struct winograd *w, const struct step *step, const struct run *run,
                      const float *input, const float *weights, const float *bias, float *output)
{
    struct winograd_run job = {
        .w = w, .step = step, .run = run, .input = input, .weights = weights, .bias = bias, .output = output};
    for (; job.group < w->groups; job.group += job.groups) {
        job.groups = least(w->groups_a_pass, w->groups - job.group);
        if (w->by_channels)
            run_by_channels(&job);
        else
            run_by_tiles(&job);
    }
}
