/* kernel_winograd_transpose.c - tasks and passes of ConvTranspose by Winograd's F(3, 2); see
 * kernel_winograd_transpose.h. */
#include "kernel_winograd_transpose.h"
#include "kernel_winograd.h"
#include "sizes.h"

#include <string.h>

#define PLACES  TRANSPOSE_PLACES
#define WEIGHTS TRANSPOSE_WEIGHTS
#define IN      TRANSPOSE_IN
#define OUT     TRANSPOSE_OUT

#define SIDE      ((size_t)7) /* places along a tile's side */
#define PAIRED    ((size_t)4) /* the first of them, which even outputs are made of */
#define IN_SIDE   ((size_t)4) /* inputs along a tile's side */
#define TILES_MIN ((size_t)8)

#define INPUT_BYTES  ((size_t)4 << 20)    /* of a task's transformed input, about */
#define WEIGHT_BYTES ((size_t)1536 << 10) /* of a pass's transformed weights, about */

/* Places that are multiplied by the same weights lie side by side in a panel, all tiles of the first, then of the
 * next: [chunk][channel][numbers of a chunk], where a chunk is as many of them as a register block takes. So products read and write memory in its order. */
static size_t panel_of(size_t place)
{
    return least(place / SIDE, PAIRED) * (PAIRED + 1) + least(place % SIDE, PAIRED);
}

static size_t panel_places(size_t panel)
{
    size_t side = SIDE - PAIRED;
    return (panel / (PAIRED + 1) == PAIRED ? side : 1) * (panel % (PAIRED + 1) == PAIRED ? side : 1);
}

static size_t place_in_panel(size_t place)
{
    size_t y = place / SIDE, x = place % SIDE;
    size_t columns = x < PAIRED ? 1 : SIDE - PAIRED;
    return (y - least(y, PAIRED)) * columns + x - least(x, PAIRED);
}

/* ---- making ---- */

static size_t tiles_of(size_t out, size_t pad)
{
    return ceil_div(out + pad, OUT) - pad / OUT;
}

bool winograd_transpose_suits(size_t in_channels, size_t out_channels, size_t out_h, size_t out_w,
                              size_t pad_y, size_t pad_x)
{
    return in_channels >= 16 && out_channels >= 16 &&
           tiles_of(out_h, pad_y) * tiles_of(out_w, pad_x) >= TILES_MIN;
}

static void choose_sizes(struct winograd_transpose *w, unsigned threads)
{
    const struct bst_kernels *k = w->kernels;
    size_t all = ceil_div(w->across * w->down, k->width), images = w->outer * w->groups;
    size_t room = INPUT_BYTES / (PLACES * w->in_channels * sizeof(float) * k->width);
    w->pieces = ceil_div(all, room < w->chunk ? w->chunk : room);
    if (w->pieces > 1 && images * w->pieces % threads != 0) /* all threads end together */
        w->pieces = least(ceil_div(w->pieces, threads) * threads, all);
    size_t tasks = images * w->pieces;
    w->splits = tasks >= threads ? 1 : least(ceil_div(threads, tasks), w->blocks);
    w->vectors = ceil_div(all, w->pieces);
    size_t pass = WEIGHT_BYTES / (WEIGHTS * w->in_channels * k->product_rows * sizeof(float));
    w->blocks_a_pass = pass == 0 ? 1 : least(pass, ceil_div(w->blocks, w->splits));
}

static size_t chunk_numbers(const struct winograd_transpose *w)
{
    return w->chunk * w->kernels->width;
}

/* Numbers of parts of a thread's own memory. */
static size_t line_pitch(const struct winograd_transpose *w)
{
    return odd_lines(w->vectors * w->kernels->width);
}

static size_t out_pitch(const struct winograd_transpose *w)
{
    return OUT * w->vectors * w->kernels->width;
}

void winograd_transpose_make(struct step *step, struct winograd_transpose *w,
                             const struct bst_kernels *kernels, unsigned threads)
{
    w->kernels = kernels;
    w->first_y = w->pad_y / OUT;
    w->first_x = w->pad_x / OUT;
    w->down = tiles_of(w->out_h, w->pad_y);
    w->across = tiles_of(w->out_w, w->pad_x);
    w->blocks = ceil_div(w->out_channels, kernels->product_rows);
    w->piece = winograd_piece(w->in_channels);
    w->chunk = kernels->product_columns / kernels->width;
    choose_sizes(w, threads);
    size_t rows = w->blocks_a_pass * kernels->product_rows;
    w->weight_plane = odd_lines(rows * w->in_channels);
    for (size_t p = 0; p < WEIGHTS; p++) {
        size_t columns = ceil_div(panel_places(p) * w->vectors, w->chunk) * chunk_numbers(w);
        w->in_panel[p] = w->in_numbers;
        w->out_panel[p] = w->out_numbers;
        w->in_numbers += odd_lines(w->in_channels * columns);
        w->out_numbers += odd_lines(rows * columns);
    }
    size_t numbers = w->in_numbers + w->out_numbers + WEIGHTS * w->weight_plane +
                     IN_SIDE * IN_SIDE * line_pitch(w) + OUT * out_pitch(w);
    size_t bytes = numbers * sizeof(float) + PLACES * w->vectors * sizeof(size_t);
    if (bytes > step->scratch) step->scratch = bytes;
}

/* ---- running ---- */

struct transpose_run {
    const struct winograd_transpose *w;
    const struct step *step;
    const struct run *run;
    const float *input, *weights, *bias;
    float *output;
};

struct workspace { /* of a thread */
    float *in, *products, *weights, *line, *out;
    size_t *at; /* of each vector's places in the panels */
};

/* Some tiles of one image and group. */
struct part {
    size_t image, group, first, count, vectors;
};

static struct workspace workspace_of(const struct transpose_run *job, unsigned thread)
{
    const struct winograd_transpose *w = job->w;
    struct workspace s;
    s.in = (float *)(void *)(job->run->scratch + thread * job->run->scratch_each);
    s.products = s.in + w->in_numbers;
    s.weights = s.products + w->out_numbers;
    s.line = s.weights + WEIGHTS * w->weight_plane;
    s.out = s.line + IN_SIDE * IN_SIDE * line_pitch(w);
    s.at = (size_t *)(void *)(s.out + OUT * out_pitch(w));
    return s;
}

/* Where the vectors of each place lie in the first channel of panels of rows channels. */
static void find_places(const struct winograd_transpose *w, const struct part *part, const size_t *panel,
                        size_t rows, size_t *at)
{
    for (size_t p = 0; p < PLACES; p++) {
        size_t first = place_in_panel(p) * part->vectors;
        for (size_t i = 0; i < part->vectors; i++)
            at[i * PLACES + p] = panel[panel_of(p)] + (first + i) / w->chunk * rows * chunk_numbers(w) +
                                 (first + i) % w->chunk * w->kernels->width;
    }
}

static float number_at(const float *row, size_t n, size_t x)
{
    return x < n ? row[x] : 0.0f;
}

/* Numbers x - 1 to x + 3 * tiles - 1 of a row of n to four lines: each tile's first, second, third and fourth. */
static void split_row(const float *row, size_t n, size_t x, size_t tiles, float *to, size_t pitch)
{
    float *a = to, *b = to + pitch, *c = to + 2 * pitch, *d = to + 3 * pitch;
    float before = x > 0 ? number_at(row, n, x - 1) : 0.0f;
    size_t t = 0;
    for (; t < tiles && x + 2 < n; t++, x += IN) {
        a[t] = before;
        b[t] = row[x];
        c[t] = row[x + 1];
        d[t] = before = row[x + 2];
    }
    for (; t < tiles; t++, x += IN) {
        a[t] = before;
        b[t] = number_at(row, n, x);
        c[t] = number_at(row, n, x + 1);
        d[t] = before = number_at(row, n, x + 2);
    }
}

/* Tiles of a part that lie side by side in the picture. */
struct stretch {
    size_t done, count; /* of the part */
    size_t ty, tx;
};

/* The next one, after those done; false when there is none. */
static bool next_stretch(const struct winograd_transpose *w, const struct part *part, struct stretch *s)
{
    s->done += s->count;
    size_t tile = part->first + s->done, left = part->count - s->done;
    s->ty = w->first_y + tile / w->across;
    s->tx = w->first_x + tile % w->across;
    s->count = least(left, w->across - tile % w->across);
    return left > 0;
}

/* Transforms all input channels of a part. */
static void transform_input(const struct winograd_transpose *w, const float *input, const struct part *part,
                            const struct workspace *s)
{
    size_t pitch = line_pitch(w);
    find_places(w, part, w->in_panel, w->in_channels, s->at);
    for (size_t c = 0; c < w->in_channels; c++) {
        const float *channel = input + c * w->in_h * w->in_w;
        for (struct stretch t = {0}; next_stretch(w, part, &t);) {
            for (size_t i = 0; i < IN_SIDE; i++) {
                size_t y = t.ty * IN + i; /* one too many: the first tile begins in the padding */
                bool inside = y >= 1 && y <= w->in_h;
                split_row(inside ? channel + (y - 1) * w->in_w : NULL, inside ? w->in_w : 0, t.tx * IN,
                          t.count, s->line + i * IN_SIDE * pitch + t.done, pitch);
            }
        }
        w->kernels->transpose_input(s->line, pitch, part->count, s->at, s->in + c * chunk_numbers(w));
    }
}

/* Transforms the weights of blocks blocks of output channels, from block first on. */
static void transform_weights(const struct winograd_transpose *w, const float *weights, size_t first,
                              size_t blocks, float *to)
{
    size_t rows = w->kernels->product_rows;
    for (size_t c = 0; c < w->in_channels; c++) {
        for (size_t b = 0; b < blocks; b++) {
            size_t o = (first + b) * rows, count = least(rows, w->out_channels - o);
            w->kernels->transpose_weights(weights + (c * w->out_channels + o) * 9, 9, count,
                                          to + (b * w->in_channels + c) * rows, w->weight_plane);
        }
    }
}

/* Multiplies by the weights of blocks blocks. */
static void multiply(const struct winograd_transpose *w, const struct part *part, size_t blocks,
                     const struct workspace *s)
{
    const struct bst_kernels *k = w->kernels;
    size_t pitch = chunk_numbers(w), rows = blocks * k->product_rows;
    for (size_t p = 0; p < WEIGHTS; p++) {
        size_t columns = panel_places(p) * part->vectors * k->width;
        const float *in = s->in + w->in_panel[p];
        float *out = s->products + w->out_panel[p];
        for (size_t j = 0; j < columns; j += pitch, in += w->in_channels * pitch, out += rows * pitch)
            k->product(w->in_channels, w->piece, blocks, s->weights + p * w->weight_plane, in, pitch,
                       least(pitch, columns - j), false, out, pitch);
    }
}

/* Transforms the products of output channel o of the group, which lie from m on. */
static void transform_output(const struct transpose_run *job, const struct part *part, size_t o,
                             const float *m, const struct workspace *s)
{
    const struct winograd_transpose *w = job->w;
    const struct step *step = job->step;
    size_t channels = w->groups * w->out_channels, channel = part->group * w->out_channels + o;
    size_t pitch = out_pitch(w);
    float *plane = job->output + (part->image * channels + channel) * w->out_h * w->out_w;
    w->kernels->transpose_output(m, s->at, job->bias != NULL ? job->bias[channel] : 0.0f, part->count, s->out,
                                 pitch);
    for (struct stretch t = {0}; next_stretch(w, part, &t);) {
        size_t v = t.ty * OUT, u = t.tx * OUT; /* of the padded output */
        size_t skip = u < w->pad_x ? w->pad_x - u : 0, x = u + skip - w->pad_x;
        if (x >= w->out_w || skip >= OUT * t.count) continue;
        size_t width = least(OUT * t.count - skip, w->out_w - x);
        for (size_t i = v < w->pad_y ? w->pad_y - v : 0; i < OUT && v + i - w->pad_y < w->out_h; i++) {
            size_t pixel = (v + i - w->pad_y) * w->out_w + x;
            posts_apply(w->kernels, step->posts, step->post_count, s->out + i * pitch + t.done * OUT + skip,
                        plane + pixel, width, part->image, channel, pixel);
        }
    }
}

static void transpose_task(void *arg, size_t index, unsigned thread)
{
    const struct transpose_run *job = arg;
    const struct winograd_transpose *w = job->w;
    size_t all = w->across * w->down, width = w->kernels->width, rows = w->kernels->product_rows;
    size_t vectors = ceil_div(all, width), plane = index / w->splits / w->pieces;
    size_t split = index % w->splits, piece = index / w->splits % w->pieces;
    size_t from = piece * vectors / w->pieces, to = (piece + 1) * vectors / w->pieces;
    struct part part = {.image = plane / w->groups,
                        .group = plane % w->groups,
                        .first = from * width,
                        .count = least(to * width, all) - from * width,
                        .vectors = to - from};
    struct workspace s = workspace_of(job, thread);
    transform_input(w, job->input + plane * w->in_channels * w->in_h * w->in_w, &part, &s);
    size_t begin = split * w->blocks / w->splits, end = (split + 1) * w->blocks / w->splits;
    for (size_t b = begin, blocks; b < end; b += blocks) {
        blocks = least(w->blocks_a_pass, end - b);
        transform_weights(w, job->weights + part.group * w->in_channels * w->out_channels * 9, b, blocks,
                          s.weights);
        multiply(w, &part, blocks, &s);
        find_places(w, &part, w->out_panel, blocks * rows, s.at);
        for (size_t o = b * rows; o < least((b + blocks) * rows, w->out_channels); o++)
            transform_output(job, &part, o, s.products + (o - b * rows) * chunk_numbers(w), &s);
    }
}

void winograd_transpose_execute(const struct winograd_transpose *w, const struct step *step,
                                const struct run *run, const float *input, const float *weights,
                                const float *bias, float *output)
{
    struct transpose_run job = {w, step, run, input, weights, bias, output};
    bst_pool_run(run->pool, w->outer * w->groups * w->pieces * w->splits, transpose_task, &job);
}
