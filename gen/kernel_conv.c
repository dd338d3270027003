/* kernel_conv.c - tiles, packing and the loop over register blocks; see kernel_conv.h. */
#include "kernel_conv.h"
#include "sizes.h"

#include <string.h>
#include <unistd.h>

#define CHUNK_NUMBERS ((size_t)160 << 10) /* of the output kept before they are written, about */

/* Rows of a tile that are made at a time, all output channels of them. */
static size_t chunk_rows(const struct conv *c)
{
    return least(most(CHUNK_NUMBERS / (c->out_channels * c->pitch), 1), c->tile_h);
}

/* Numbers of an output channel of rows rows, and what the last register block writes beyond. */
static size_t flat_pitch(const struct conv *c, size_t rows)
{
    return ceil_div(rows * c->pitch + c->widest, 16) * 16;
}

/* ---- making ---- */

/* Floats of a tile's input that stay in a core's second-level cache beside weights and output. */
static size_t tile_floats(void)
{
    long cache = 0;
#ifdef _SC_LEVEL2_CACHE_SIZE
    cache = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    size_t bytes = cache > 0 ? (size_t)cache / 4 : 0;
    bytes = bytes < (256 << 10) ? 256 << 10 : least(bytes, 512 << 10);
    return bytes / sizeof(float);
}

#define PARTIAL_BYTES ((size_t)256 << 10) /* of a tile's unfinished output, between parts of its channels */

static void set_tile(struct conv *c, size_t tile_h, size_t tile_w, size_t room)
{
    c->tile_h = tile_h;
    c->tile_w = tile_w;
    c->rows = tile_h + c->reach_y;
    c->pitch = tile_w + c->reach_x;
    c->channel = odd_lines(c->stride_y * c->stride_x * c->rows * c->pitch);
    size_t parts = ceil_div(c->in_channels * c->channel, room);
    c->depth = c->in_channels; /* 0 where no tap of a transposed convolution meets the output */
    if (parts > 1) c->depth = least(c->depth, ceil_div(ceil_div(c->depth, parts), c->piece) * c->piece);
}

/* Whether the tile's input, part by part, and its output between parts fit. */
static bool tile_fits(const struct conv *c, size_t room)
{
    if (c->in_channels * c->channel <= room) return true;
    return c->depth < c->in_channels && c->depth * c->channel <= 2 * room &&
           c->out_channels * flat_pitch(c, c->tile_h) * sizeof(float) <= PARTIAL_BYTES;
}

#define WEIGHTS_NEAR (256 << 10)

/* Cycles, roughly, that all tiles of this size take on that many threads. */
static double tile_cost(const struct conv *c, unsigned threads, size_t splits)
{
    size_t width = c->kernels->width;
    double flat = (double)((c->tile_h - 1) * c->pitch + c->tile_w), compute = 0;
    for (size_t b = 0; b < c->block_count; b++) {
        const struct bst_micro *m = c->blocks[b].micro;
        double pixels = (double)(m->vectors * width);
        double runs = (double)(size_t)((flat + pixels - 1) / pixels);
        double steps = (double)(c->in_channels * c->taps),
               pieces = (double)ceil_div(c->in_channels, c->piece);
        compute += runs * ((double)(m->vectors * (m->rows + 1)) * steps / 2 + 40 * pieces);
    }
    double gather =
        (double)(c->in_channels * c->stride_y * c->stride_x * c->rows) * (30 + (double)c->pitch / 4);
    double store = (double)(c->out_channels * c->tile_h) * (20 + (double)c->tile_w / 3);
    /* weights that stay in no near cache stream by once a tile, ahead of their use; unfinished sums come and go */
    double weights = (double)(c->group_weights * sizeof(float));
    if (weights > WEIGHTS_NEAR) compute += weights / 24;
    if (c->depth < c->in_channels)
        compute += (double)(ceil_div(c->in_channels, c->depth) - 1) * (double)c->out_channels * flat;
    size_t tasks =
        c->outer * c->groups * ceil_div(c->out_h, c->tile_h) * ceil_div(c->out_w, c->tile_w) * splits;
    return (double)ceil_div(tasks, threads) * (gather + (compute + store) / (double)splits + 300);
}

static void choose_tile(struct conv *c, unsigned threads)
{
    size_t best_h = 0, best_w = 0, room = tile_floats();
    double best = 0;
    for (size_t n = 1; n <= 256 && n <= c->out_w; n++) {
        size_t w = ceil_div(c->out_w, n);
        if (n > 1 && w < 16) break;
        if (n > 1) w = least(c->out_w, ceil_div(w, 16) * 16); /* whole vectors and cache lines */
        for (size_t h = 1; h <= c->out_h && h <= 256; h = h < 4 ? h + 1 : h + h / 3) {
            set_tile(c, h, w, room);
            if (!tile_fits(c, room) && best_h != 0) break;
            bool over = !tile_fits(c, room);
            if (over && (w > 32 && n < c->out_w && ceil_div(c->out_w, n + 1) >= 16 && n < 256)) break;
            for (size_t splits = 1; splits <= c->block_count && splits <= 64; splits *= 2) {
                double cost = tile_cost(c, threads, splits);
                if (best_h != 0 && cost >= best) continue;
                best = cost;
                best_h = h;
                best_w = w;
                c->splits = splits;
            }
            if (over) break;
        }
    }
    set_tile(c, best_h, best_w, room);
}

/* The register block for the first of rows output channels: the largest that fits, unless it leaves one or two
 * behind, which fill few registers; then about half. */
static const struct bst_micro *choose_micro(const struct bst_kernels *k, size_t rows)
{
    const struct bst_micro *m = k->micros, *end = k->micros + k->micro_count;
    while (m->rows > rows)
        m++;
    if (rows - m->rows != 1 && rows - m->rows != 2) return m;
    while (m + 1 < end && m[1].rows >= (rows + 1) / 2)
        m++;
    return m;
}

static void choose_blocks(struct conv *c)
{
    size_t first = 0, weights = 0;
    c->block_count = 0;
    while (first < c->out_channels) {
        const struct bst_micro *m = choose_micro(c->kernels, c->out_channels - first);
        c->blocks[c->block_count++] = (struct conv_block){m, first, weights};
        first += m->rows;
        weights += m->rows * c->in_channels * c->taps;
        c->widest = most(c->widest, m->vectors * c->kernels->width);
    }
    c->group_weights = weights;
}

/* Whole channels of at most BST_PIECE products, or one. A ConvTranspose has places that no tap reaches. */
static size_t piece_channels(const struct conv *c)
{
    size_t taps = most(c->taps * c->slices, 1);
    return most(BST_PIECE / taps, 1) * most(c->slices, 1);
}

enum bst_code conv_make(struct step *step, struct conv *conv, const struct bst_kernels *kernels,
                        unsigned threads, struct bst_error *err)
{
    conv->kernels = kernels;
    conv->blocks = step_take(step, conv->out_channels + 1, sizeof *conv->blocks);
    conv->offset = step_take(step, conv->taps + 1, sizeof *conv->offset);
    if (conv->blocks == NULL || conv->offset == NULL) return bst_fail_memory(err);
    for (size_t k = 0; k < conv->taps; k++) {
        if (conv->tap_y[k] / conv->stride_y > conv->reach_y) conv->reach_y = conv->tap_y[k] / conv->stride_y;
        if (conv->tap_x[k] / conv->stride_x > conv->reach_x) conv->reach_x = conv->tap_x[k] / conv->stride_x;
    }
    conv->pieces = step->arith >= 3;
    conv->piece = piece_channels(conv);
    choose_blocks(conv);
    conv->splits = 1;
    choose_tile(conv, threads);
    if (conv->channel > UINT32_MAX || conv->in_channels * conv->channel > TENSOR_MAX)
        return step_bad(err, "rows of %zu numbers are too long for a kernel of this size", conv->in_w);
    conv->weights = step_take(step, conv->groups * conv->group_weights, sizeof(float));
    conv->bias = step_take(step, conv->groups * conv->out_channels + BST_MICRO_ROWS_MAX, sizeof(float));
    if (conv->weights == NULL || conv->bias == NULL) return bst_fail_memory(err);
    size_t plane = conv->rows * conv->pitch;
    for (size_t k = 0; k < conv->taps; k++) {
        size_t y = conv->tap_y[k], x = conv->tap_x[k];
        size_t residue = (y % conv->stride_y) * conv->stride_x + x % conv->stride_x;
        conv->offset[k] = (uint32_t)(residue * plane + y / conv->stride_y * conv->pitch + x / conv->stride_x);
    }
    size_t floats = conv->depth * conv->channel + 2 * BST_MICRO_WIDTH_MAX;
    size_t out_rows = conv->depth == conv->in_channels ? chunk_rows(conv) : conv->tile_h;
    floats += conv->out_channels * flat_pitch(conv, out_rows);
    if (floats * sizeof(float) > step->scratch) step->scratch = floats * sizeof(float);
    return BST_OK;
}

void conv_pack_block(const struct conv *conv, size_t index, const float *w, size_t wg, size_t wo, size_t wi,
                     const size_t *place)
{
    size_t g = index / conv->block_count;
    const struct conv_block *block = &conv->blocks[index % conv->block_count];
    float *to = conv->weights + g * conv->group_weights + block->weights;
    const float *from = w + g * wg + block->first * wo;
    for (size_t i = 0; i < conv->in_channels; i++)
        for (size_t k = 0; k < conv->taps; k++)
            for (size_t r = 0; r < block->micro->rows; r++)
                *to++ = from[r * wo + i * wi + place[k]];
}

void conv_pack_bias(const struct conv *conv, const float *bias)
{
    memcpy(conv->bias, bias, conv->groups * conv->out_channels * sizeof *bias);
}

/* ---- running ---- */

struct conv_run {
    const struct conv *conv;
    const struct step *step;
    const struct run *run;
    const float *input;
    float *output;
};

/* Copies n numbers of an input row, from padded place x on and stride apart; outside of the row lie zeros. */
static void gather_row(const float *row, size_t width, int64_t x, size_t stride, float *dst, size_t n)
{
    size_t at = 0, step = stride;
    if (row == NULL) {
        memset(dst, 0, n * sizeof *dst);
        return;
    }
    for (; at < n && x < 0; at++, x += (int64_t)step)
        dst[at] = 0.0f;
    if (at < n && x < (int64_t)width) {
        size_t inside = least(n - at, ceil_div(width - (size_t)x, step));
        if (step == 1) {
            memcpy(dst + at, row + x, inside * sizeof *dst);
        } else {
            for (size_t i = 0; i < inside; i++)
                dst[at + i] = row[(size_t)x + i * step];
        }
        at += inside;
    }
    memset(dst + at, 0, (n - at) * sizeof *dst);
}

/* The same for stride 2 and both residues: places x, x + 2, ... and x + 1, x + 3, ... */
static void gather_pairs(const struct bst_kernels *k, const float *row, size_t width, int64_t x, float *even,
                         float *odd, size_t n)
{
    size_t before = row != NULL && x < 0 ? least((size_t)(1 - x) / 2, n) : 0, whole = 0;
    int64_t from = x + 2 * (int64_t)before;
    if (row != NULL && from + 2 <= (int64_t)width) whole = least((width - (size_t)from) / 2, n - before);
    size_t after = before + whole;
    gather_row(row, width, x, 2, even, before);
    gather_row(row, width, x + 1, 2, odd, before);
    if (whole > 0) k->split(row + from, even + before, odd + before, whole);
    gather_row(row, width, x + 2 * (int64_t)after, 2, even + after, n - after);
    gather_row(row, width, x + 1 + 2 * (int64_t)after, 2, odd + after, n - after);
}

/* A tile of one image and group. */
struct tile {
    size_t o, g;           /* image, group */
    size_t y0, x0, th, tw; /* the outputs that it makes */
};

/* A row of the input under the tile's outputs, residue by residue; they lie plane numbers apart. */
static void gather_residues(const struct conv *c, const float *row, int64_t x, float *to, size_t plane,
                            size_t n)
{
    if (c->stride_x == 2) {
        gather_pairs(c->kernels, row, c->in_w, x, to, to + plane, n);
        return;
    }
    for (size_t i = 0; i < c->stride_x; i++)
        gather_row(row, c->in_w, x + (int64_t)i, c->stride_x, to + i * plane, n);
}

/* Rows and columns of input channels first to first + count - 1 that the tile's outputs need. */
static void gather_tile(const struct conv *c, const float *input, const struct tile *t, size_t first,
                        size_t count, float *to)
{
    size_t plane = c->rows * c->pitch, rows = t->th + c->reach_y, cols = t->tw + c->reach_x;
    int64_t x = (int64_t)(t->x0 * c->stride_x) - c->pad_x;
    for (size_t i = 0; i < count; i++) {
        const float *channel = input + (first + i) * c->in_h * c->in_w;
        for (size_t py = 0; py < c->stride_y; py++) {
            float *part = to + i * c->channel + py * c->stride_x * plane;
            for (size_t r = 0; r < rows; r++) {
                int64_t y = (int64_t)((t->y0 + r) * c->stride_y + py) - c->pad_y;
                const float *row = y >= 0 && y < (int64_t)c->in_h ? channel + (size_t)y * c->in_w : NULL;
                gather_residues(c, row, x, part + r * c->pitch, plane, cols);
            }
        }
    }
}

/* Writes row y of the tile, finished numbers of an output channel of all groups. */
static void store_row(const struct conv_run *job, const struct tile *t, float *row, size_t channel, size_t y)
{
    const struct conv *c = job->conv;
    const struct step *s = job->step;
    size_t pixel = (c->place_y + (t->y0 + y) * c->step_y) * c->full_w + c->place_x + t->x0 * c->step_x;
    float *to = job->output + (t->o * c->groups * c->out_channels + channel) * c->full_h * c->full_w + pixel;
    if (c->step_x == 1) {
        posts_apply(c->kernels, s->posts, s->post_count, row, to, t->tw, t->o, channel, pixel);
        return;
    }
    posts_apply(c->kernels, s->posts, s->post_count, row, row, t->tw, t->o, channel, pixel);
    for (size_t x = 0; x < t->tw; x++)
        to[x * c->step_x] = row[x];
}

/* What a task makes at a time: flat pixels in a row of the output channels of some blocks. */
struct part {
    size_t begin, end;  /* blocks */
    const float *in;    /* the input under it */
    float *out;         /* of the group's first output channel */
    size_t pitch, flat; /* numbers from one output channel to the next; those of one that are made */
};

/* Input channels at to at + count - 1, which in begins with, for blocks of the same register block. A strip of pixels
 * meets all blocks while it is in the first-level cache. */
static void run_channels(const struct conv *c, size_t g, const struct part *p, size_t begin, size_t end,
                         size_t at, size_t count, const float *in)
{
    const struct bst_micro *m = c->blocks[begin].micro;
    enum bst_chain chain = c->pieces ? at == 0 ? BST_CHAIN_FIRST : BST_CHAIN_ADD
                           : at == 0 ? BST_CHAIN_BIAS
                                     : BST_CHAIN_ON;
    bool biased = c->pieces ? at + count == c->in_channels : at == 0;
    for (size_t q = 0; q < p->flat; q += m->vectors * c->kernels->width) {
        for (size_t b = begin; b < end; b++) {
            const struct conv_block *block = &c->blocks[b];
            m->run(chain, count, c->channel, c->taps, c->offset, in + q,
                   c->weights + g * c->group_weights + block->weights + at * c->taps * m->rows,
                   biased ? c->bias + g * c->out_channels + block->first : NULL,
                   p->out + block->first * p->pitch + q, p->pitch);
        }
    }
}

/* Input channels first to first + count - 1, which p->in begins with. */
static void run_pieces(const struct conv *c, size_t g, const struct part *p, size_t first, size_t count)
{
    size_t at = 0, n;
    do { /* once even without any channel */
        n = least(c->piece, count - at);
        for (size_t b = p->begin, next; b < p->end; b = next) {
            next = b + 1;
            while (next < p->end && c->blocks[next].micro == c->blocks[b].micro)
                next++;
            run_channels(c, g, p, b, next, first + at, n, p->in + at * c->channel);
        }
        at += n;
    } while (at < count);
}

/* Stores rows rows of the tile, from row y on. */
static void store_part(const struct conv_run *job, const struct tile *t, const struct part *p, size_t y,
                       size_t rows)
{
    const struct conv *c = job->conv;
    size_t last = p->end < c->block_count ? c->blocks[p->end].first : c->out_channels;
    for (size_t o = c->blocks[p->begin].first; o < last; o++)
        for (size_t i = 0; i < rows; i++)
            store_row(job, t, p->out + o * p->pitch + i * c->pitch, t->g * c->out_channels + o, y + i);
}

/* All input channels at once: some rows at a time, stored while they are near. */
static void run_rows(const struct conv_run *job, const struct tile *t, struct part *p, const float *input,
                     float *in)
{
    const struct conv *c = job->conv;
    size_t chunk = chunk_rows(c);
    p->pitch = flat_pitch(c, chunk);
    gather_tile(c, input, t, 0, c->in_channels, in);
    for (size_t y = 0; y < t->th; y += chunk) {
        size_t rows = least(chunk, t->th - y);
        p->flat = (rows - 1) * c->pitch + t->tw;
        p->in = in + y * c->pitch;
        run_pieces(c, t->g, p, 0, c->in_channels);
        store_part(job, t, p, y, rows);
    }
}

/* Input channels part by part, all output channels for each: the sums go on from what they had come to. */
static void run_parts(const struct conv_run *job, const struct tile *t, struct part *p, const float *input,
                      float *in)
{
    const struct conv *c = job->conv;
    p->pitch = flat_pitch(c, c->tile_h);
    p->flat = (t->th - 1) * c->pitch + t->tw;
    p->in = in;
    for (size_t at = 0, depth; at < c->in_channels; at += depth) {
        depth = least(c->depth, c->in_channels - at);
        gather_tile(c, input, t, at, depth, in);
        run_pieces(c, t->g, p, at, depth);
    }
    store_part(job, t, p, 0, t->th);
}

static void conv_task(void *arg, size_t index, unsigned thread)
{
    const struct conv_run *job = arg;
    const struct conv *c = job->conv;
    size_t across = ceil_div(c->out_w, c->tile_w), down = ceil_div(c->out_h, c->tile_h);
    size_t split = index % c->splits, tx = index / c->splits % across, ty = index / c->splits / across % down;
    size_t plane = index / c->splits / across / down;
    struct tile t = {plane / c->groups, plane % c->groups, ty * c->tile_h, tx * c->tile_w, 0, 0};
    t.th = least(c->tile_h, c->out_h - t.y0);
    t.tw = least(c->tile_w, c->out_w - t.x0);
    float *in = (float *)(void *)(job->run->scratch + thread * job->run->scratch_each);
    struct part p = {.begin = split * c->block_count / c->splits,
                     .end = (split + 1) * c->block_count / c->splits,
                     .out = in + c->depth * c->channel + 2 * BST_MICRO_WIDTH_MAX};
    const float *input = job->input + plane * c->in_channels * c->in_h * c->in_w;
    if (c->depth < c->in_channels)
        run_parts(job, &t, &p, input, in);
    else
        run_rows(job, &t, &p, input, in);
}

void conv_execute(const struct conv *conv, const struct step *step, const struct run *run, const float *input,
                  float *output)
{
    struct conv_run job = {conv, step, run, input, output};
    size_t tiles = ceil_div(conv->out_h, conv->tile_h) * ceil_div(conv->out_w, conv->tile_w);
    bst_pool_run(run->pool, conv->outer * conv->groups * tiles * conv->splits, conv_task, &job);
}
