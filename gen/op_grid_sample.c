/* op_grid_sample.c - GridSample over two or three sides, and AffineGrid, which makes its grids. Places and
 * weights are worked out once for all channels of an image; each output number is a weighted sum. */
#include "op.h"

#include <math.h>
#include <string.h>

#define SIDES       ((size_t)3)
#define PLACES      ((size_t)128) /* output places that one task makes at a time */
#define SIDE_TAPS   ((size_t)4)
#define TAPS_MAX    (SIDE_TAPS * SIDE_TAPS * SIDE_TAPS)
#define FAR_OUTSIDE 8.0f /* no tap of a place so far outside lies inside */

struct sampling {
    size_t sides;
    size_t in[SIDES];  /* depth, row, column; sides that are not there are 1 */
    size_t side_taps;  /* input places along a side that make an output */
    size_t volume_out; /* output places of an image */
    enum { SAMPLE_NEAREST, SAMPLE_LINEAR, SAMPLE_CUBIC } mode;
    enum { PADDING_ZEROS, PADDING_BORDER, PADDING_REFLECTION } padding;
    bool align;
};

static enum bst_code read_modes(const struct step *step, struct sampling *s, struct bst_error *err)
{
    static const char *const paddings[] = {"zeros", "border", "reflection"};
    const char *mode = node_string(step->node, "mode", "linear");
    const char *padding = node_string(step->node, "padding_mode", "zeros");
    if (strcmp(mode, "nearest") == 0)
        s->mode = SAMPLE_NEAREST;
    else if (strcmp(mode, "linear") == 0 || strcmp(mode, "bilinear") == 0)
        s->mode = SAMPLE_LINEAR;
    else if (strcmp(mode, "cubic") == 0 || strcmp(mode, "bicubic") == 0)
        s->mode = SAMPLE_CUBIC;
    else
        return step_bad(err, "mode '%.20s' is unknown", mode);
    s->side_taps = s->mode == SAMPLE_NEAREST ? 1 : s->mode == SAMPLE_LINEAR ? 2 : 4;
    s->align = node_int(step->node, "align_corners", 0) != 0;
    s->padding = PADDING_ZEROS;
    while (s->padding <= PADDING_REFLECTION && strcmp(padding, paddings[s->padding]) != 0)
        s->padding++;
    return s->padding <= PADDING_REFLECTION ? BST_OK
                                            : step_bad(err, "padding_mode '%.20s' is unknown", padding);
}

static enum bst_code read_sampling(const struct step *step, struct sampling *s, struct bst_error *err)
{
    enum bst_code code = step_float(step, 0, 0, err);
    if (code == BST_OK) code = step_float(step, 1, 0, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0], *grid = step->inputs[1];
    size_t volume = 1;
    if (x->rank < 4 || x->rank > 5 || grid->rank != x->rank || grid->dims[0] != x->dims[0] ||
        grid->dims[x->rank - 1] != (int64_t)x->rank - 2)
        return step_bad(err, "the grid does not fit an input of %zu dimensions", x->rank);
    if (x->count == 0 || grid->count == 0) return step_bad(err, "an input is empty");
    *s = (struct sampling){.sides = x->rank - 2, .volume_out = 1};
    for (size_t i = 0; i < SIDES; i++) {
        s->in[i] = i + s->sides < SIDES ? 1 : (size_t)x->dims[i + x->rank - SIDES];
        volume *= s->in[i];
    }
    if (volume > UINT32_MAX) return step_bad(err, "the input's planes are too large");
    for (size_t i = 1; i + 1 < grid->rank; i++)
        s->volume_out *= (size_t)grid->dims[i];
    return read_modes(step, s, err);
}

OP_INFER(grid_sample)
{
    struct sampling s;
    int64_t dims[RANK_MAX];
    enum bst_code code = read_sampling(step, &s, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0], *grid = step->inputs[1];
    for (size_t i = 0; i < x->rank; i++)
        dims[i] = i < 2 ? x->dims[i] : grid->dims[i - 1];
    return step_output(step, 0, KIND_FLOAT, x->rank, dims, err);
}

OP_PREPARE(grid_sample)
{
    struct sampling *s = step_take(step, 1, sizeof *s);
    (void)kernels;
    (void)threads;
    if (s == NULL) return bst_fail_memory(err);
    enum bst_code code = read_sampling(step, s, err);
    if (code != BST_OK) return code;
    step->scratch = PLACES * TAPS_MAX * (sizeof(uint32_t) + sizeof(float));
    step->prepared = s;
    return BST_OK;
}

/* ---- places ---- */

static float hold(float x, float low, float high)
{
    return x > low ? x < high ? x : high : low;
}

/* Mirrors x at the ends of [low, high] until it lies between them. */
static float reflect(float x, float low, float high)
{
    float range = high - low, over = x < low ? low - x : x - high;
    if (range <= 0.0f) return low;
    if (!(over > 0.0f)) return x;
    float times = truncf(over / range), rest = over - times * range;
    bool even = truncf(times / 2.0f) * 2.0f == times;
    return hold((x < low) == even ? low + rest : high - rest, low, high);
}

static float nearest_whole(float x)
{
    const float magic = 0x1.8p23f; /* adding it rounds to a whole number, ties to even */
    return fabsf(x) < 0x1p22f ? (x + magic) - magic : x;
}

/* The place along a side that a grid's number in [-1, 1] stands for, with the padding's rule applied. */
static float place_of(const struct sampling *s, float number, size_t side)
{
    float size = (float)s->in[side];
    float x = s->align ? (number + 1.0f) / 2.0f * (size - 1.0f) : ((number + 1.0f) * size - 1.0f) / 2.0f;
    if (x != x) x = -1.0f;
    if (s->mode == SAMPLE_NEAREST) x = nearest_whole(x);
    if (s->padding == PADDING_BORDER) return hold(x, 0.0f, size - 1.0f);
    if (s->padding == PADDING_ZEROS) return hold(x, -FAR_OUTSIDE, size + FAR_OUTSIDE);
    return s->align ? reflect(x, 0.0f, size - 1.0f) : reflect(x, -0.5f, size - 0.5f);
}

static void side_weights(const struct sampling *s, float f, float w[SIDE_TAPS])
{
    const float a = -0.75f;
    if (s->mode == SAMPLE_NEAREST) {
        w[0] = 1.0f;
    } else if (s->mode == SAMPLE_LINEAR) {
        w[0] = 1.0f - f;
        w[1] = f;
    } else {
        float far = f + 1.0f, near = 1.0f - f, last = 2.0f - f;
        w[0] = ((a * far - 5.0f * a) * far + 8.0f * a) * far - 4.0f * a;
        w[1] = ((a + 2.0f) * f - (a + 3.0f)) * f * f + 1.0f;
        w[2] = ((a + 2.0f) * near - (a + 3.0f)) * near * near + 1.0f;
        w[3] = ((a * last - 5.0f * a) * last + 8.0f * a) * last - 4.0f * a;
    }
}

/* Where along a side each tap lies and what it weighs: a tap outside is the nearest inside, and weighs nothing
 * when the padding is zeros. */
static void side_taps(const struct sampling *s, float number, size_t side, size_t at[SIDE_TAPS],
                      float w[SIDE_TAPS])
{
    float x = place_of(s, number, side), base = floorf(x), size = (float)s->in[side];
    int64_t first = (int64_t)base - (s->mode == SAMPLE_CUBIC), last = (int64_t)s->in[side] - 1;
    side_weights(s, x - base, w);
    for (size_t t = 0; t < s->side_taps; t++) {
        int64_t i = first + (int64_t)t;
        if (s->padding == PADDING_REFLECTION && (i < 0 || i > last))
            i = (int64_t)(s->align ? reflect((float)i, 0.0f, size - 1.0f)
                                   : reflect((float)i, -0.5f, size - 0.5f));
        if (s->padding == PADDING_ZEROS && (i < 0 || i > last)) w[t] = 0.0f;
        at[t] = (size_t)(i < 0 ? 0 : i > last ? last : i);
    }
}

/* Taps of one output place, from the grid's numbers for column, row and depth. */
static void place_taps(const struct sampling *s, const float *grid, size_t step, uint32_t *place,
                       float *weight)
{
    size_t at[SIDES][SIDE_TAPS] = {{0}}, taps[SIDES] = {1, 1, 1}, k = 0;
    float w[SIDES][SIDE_TAPS] = {{1.0f}, {1.0f}, {1.0f}};
    for (size_t i = SIDES - s->sides; i < SIDES; i++) {
        side_taps(s, grid[SIDES - 1 - i], i, at[i], w[i]);
        taps[i] = s->side_taps;
    }
    for (size_t z = 0; z < taps[0]; z++)
        for (size_t y = 0; y < taps[1]; y++)
            for (size_t x = 0; x < taps[2]; x++, k++) {
                place[k * step] = (uint32_t)((at[0][z] * s->in[1] + at[1][y]) * s->in[2] + at[2][x]);
                weight[k * step] = w[0][z] * w[1][y] * w[2][x];
            }
}

struct sample_job {
    const struct step *step;
    const struct run *run;
    size_t blocks; /* of an image's output places */
};

static void sample_task(void *arg, size_t index, unsigned thread)
{
    const struct sample_job *job = arg;
    const struct sampling *s = job->step->prepared;
    const struct tensor *x = job->step->inputs[0];
    size_t n = index / job->blocks, first = index % job->blocks * PLACES, channels = (size_t)x->dims[1];
    size_t count = s->volume_out - first < PLACES ? s->volume_out - first : PLACES, taps = 1;
    size_t volume = s->in[0] * s->in[1] * s->in[2];
    const float *grid = tensor_floats(job->step->inputs[1]) + (n * s->volume_out + first) * s->sides;
    uint32_t *place = (uint32_t *)(void *)(job->run->scratch + thread * job->run->scratch_each);
    float *weight = (float *)(void *)(place + PLACES * TAPS_MAX);
    for (size_t i = 0; i < s->sides; i++)
        taps *= s->side_taps;
    for (size_t i = 0; i < count; i++)
        place_taps(s, grid + i * s->sides, PLACES, place + i, weight + i);
    for (size_t c = n * channels; c < (n + 1) * channels; c++)
        job->run->kernels->gather(tensor_floats(x) + c * volume, place, weight, PLACES, taps,
                                  tensor_floats(job->step->result) + c * s->volume_out + first, count);
}

OP_RUN(grid_sample)
{
    const struct sampling *s = step->prepared;
    struct sample_job job = {step, run, (s->volume_out + PLACES - 1) / PLACES};
    bst_pool_run(run->pool, (size_t)step->inputs[0]->dims[0] * job.blocks, sample_task, &job);
}

/* ---- AffineGrid ---- */

OP_INFER(affine_grid)
{
    const struct tensor *theta = step->inputs[0], *size;
    int64_t dims[RANK_MAX];
    enum bst_code code = step_float(step, 0, 3, err);
    if (code == BST_OK) code = step_constant(step, 1, KIND_INT, &size, err);
    if (code != BST_OK) return code;
    size_t sides = size != NULL && size->count >= 2 ? size->count - 2 : 0;
    if (sides < 2 || sides > SIDES || tensor_ints(size)[0] != theta->dims[0] ||
        theta->dims[1] != (int64_t)sides || theta->dims[2] != (int64_t)sides + 1)
        return step_bad(err, "the size does not fit the matrices");
    dims[0] = theta->dims[0];
    for (size_t i = 0; i < sides; i++)
        dims[1 + i] = tensor_ints(size)[2 + i];
    dims[1 + sides] = (int64_t)sides;
    return step_output(step, 0, KIND_FLOAT, sides + 2, dims, err);
}

/* The middle, or with align the end, of place i of a side, in [-1, 1]. */
static float grid_number(size_t i, size_t size, bool align)
{
    double n = (double)size;
    if (!align) return (float)((2.0 * (double)i + 1.0 - n) / n);
    return size > 1 ? (float)((2.0 * (double)i - (n - 1.0)) / (n - 1.0)) : 0.0f;
}

static void affine_task(void *arg, size_t index, unsigned thread)
{
    const struct step *step = arg;
    const struct tensor *out = step->result;
    size_t sides = out->rank - 2, wide = (size_t)out->dims[sides], rest = index;
    bool align = node_int(step->node, "align_corners", 0) != 0;
    float at[SIDES] = {0};
    (void)thread;
    for (size_t i = sides - 1; i-- > 0; rest /= (size_t)out->dims[1 + i])
        at[sides - 1 - i] = grid_number(rest % (size_t)out->dims[1 + i], (size_t)out->dims[1 + i], align);
    const float *theta = tensor_floats(step->inputs[0]) + rest * sides * (sides + 1);
    float *to = tensor_floats(out) + index * wide * sides;
    for (size_t x = 0; x < wide; x++) {
        at[0] = grid_number(x, wide, align);
        for (size_t k = 0; k < sides; k++, to++) {
            const float *row = theta + k * (sides + 1);
            float sum = row[0] * at[0];
            for (size_t i = 1; i < sides; i++)
                sum = fmaf(row[i], at[i], sum);
            *to = sum + row[sides];
        }
    }
}

OP_RUN(affine_grid)
{
    const struct tensor *out = step->result;
    struct step copy = *step;
    if (out->count == 0) return;
    bst_pool_run(run->pool, out->count / (size_t)(out->dims[out->rank - 2] * out->dims[out->rank - 1]),
                 affine_task, &copy);
}
