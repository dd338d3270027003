/* op_resize.c - Resize of [N, C, H, W] along H and W: nearest and linear, in the coordinate modes that
 * exporters write. Places and weights are worked out in double precision when the plan is made; see
 * arithmetic.md. */
#include "op.h"

#include <math.h>
#include <string.h>

struct axis_table { /* for each output place */
    uint32_t *low, *high;
    float *low_weight, *high_weight; /* linear: they add up to 1 */
};

struct resize {
    bool linear;
    bool doubling; /* the columns are those of an exact doubling with half_pixel coordinates */
    struct axis_table rows, columns;
};

enum coordinates {
    HALF_PIXEL,
    PYTORCH_HALF_PIXEL,
    ALIGN_CORNERS,
    ASYMMETRIC,
    HALF_PIXEL_SYMMETRIC,
    COORDINATES
};

static enum bst_code read_modes(const struct step *step, bool *linear, enum coordinates *coordinates,
                                struct bst_error *err)
{
    static const char *const names[COORDINATES] = {"half_pixel", "pytorch_half_pixel", "align_corners",
                                                   "asymmetric", "half_pixel_symmetric"};
    const char *mode = node_string(step->node, "mode", "nearest");
    const char *name = node_string(step->node, "coordinate_transformation_mode", "half_pixel");
    *linear = strcmp(mode, "linear") == 0;
    if (!*linear && strcmp(mode, "nearest") != 0) {
        step_bad(err, "mode '%.20s' is not supported", mode);
        return bst_hint(err, "export the model with nearest or bilinear interpolation");
    }
    for (size_t i = 0; i < COORDINATES; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *coordinates = (enum coordinates)i;
        if (node_int(step->node, "antialias", 0) != 0) return step_bad(err, "antialias is not supported");
        if (strcmp(node_string(step->node, "keep_aspect_ratio_policy", "stretch"), "stretch") != 0)
            return step_bad(err, "keep_aspect_ratio_policy is not supported");
        return BST_OK;
    }
    return step_bad(err, "coordinate_transformation_mode '%.40s' is not supported", name);
}

/* Output dims, and the scale of each axis. */
static enum bst_code read_sizes(const struct step *step, int64_t *dims, double *scale, struct bst_error *err)
{
    const struct tensor *x = step->inputs[0], *scales, *sizes;
    const int64_t *axes;
    size_t count, axis;
    enum bst_code code = step_constant(step, 2, KIND_FLOAT, &scales, err);
    if (code == BST_OK) code = step_constant(step, 3, KIND_INT, &sizes, err);
    if (code == BST_OK) code = step_list(step, "axes", SIZE_MAX, &axes, &count, err);
    if (code != BST_OK) return code;
    if (scales != NULL && scales->count == 0) scales = NULL;
    if (sizes != NULL && sizes->count == 0) sizes = NULL;
    if (axes == NULL) count = x->rank;
    if ((scales == NULL) == (sizes == NULL) || (scales != NULL ? scales : sizes)->count != count)
        return step_bad(err, "either scales or sizes must be given, one for each axis");
    for (size_t i = 0; i < x->rank; i++) {
        dims[i] = x->dims[i];
        scale[i] = 1.0;
    }
    for (size_t i = 0; i < count; i++) {
        if (!axis_of(axes != NULL ? axes[i] : (int64_t)i, x->rank, &axis))
            return step_bad(err, "axes are out of range");
        double in = (double)x->dims[axis];
        double size =
            scales != NULL ? floor(in * (double)tensor_floats(scales)[i]) : (double)tensor_ints(sizes)[i];
        if (!(size >= 1.0 && size <= (double)INT32_MAX))
            return step_bad(err, "a side of the output is out of range");
        dims[axis] = (int64_t)size;
        scale[axis] = scales != NULL ? (double)tensor_floats(scales)[i] : size / in;
    }
    return BST_OK;
}

OP_INFER(resize)
{
    bool linear;
    enum coordinates coordinates;
    int64_t dims[RANK_MAX];
    double scale[RANK_MAX];
    enum bst_code code = step_float(step, 0, 4, err);
    if (code == BST_OK) code = read_modes(step, &linear, &coordinates, err);
    if (code == BST_OK && step->inputs[0]->count == 0) code = step_bad(err, "the input is empty");
    if (code == BST_OK) code = read_sizes(step, dims, scale, err);
    if (code != BST_OK) return code;
    if (dims[0] != step->inputs[0]->dims[0] || dims[1] != step->inputs[0]->dims[1])
        return step_bad(err, "batch and channels cannot be resized");
    return step_output(step, 0, KIND_FLOAT, 4, dims, err);
}

/* The place in the input that output place x stands for. */
static double source_of(enum coordinates mode, double x, double in, double out, double scale)
{
    switch (mode) {
    case PYTORCH_HALF_PIXEL:
        return out > 1 ? (x + 0.5) / scale - 0.5 : 0.0;
    case ALIGN_CORNERS:
        return out > 1 ? x * (in - 1) / (out - 1) : 0.0;
    case ASYMMETRIC:
        return x / scale;
    case HALF_PIXEL_SYMMETRIC:
        return in / 2 * (1 - out / (scale * in)) + (x + 0.5) / scale - 0.5;
    default:
        return (x + 0.5) / scale - 0.5;
    }
}

static double nearest_of(const char *mode, double x)
{
    if (strcmp(mode, "floor") == 0) return floor(x);
    if (strcmp(mode, "ceil") == 0) return ceil(x);
    if (strcmp(mode, "round_prefer_ceil") == 0) return floor(x + 0.5);
    return ceil(x - 0.5);
}

static enum bst_code make_axis(struct step *step, bool linear, enum coordinates mode, size_t axis,
                               double scale, struct axis_table *table, struct bst_error *err)
{
    size_t in = (size_t)step->inputs[0]->dims[axis], out = (size_t)step->outputs[0]->dims[axis];
    const char *nearest = node_string(step->node, "nearest_mode", "round_prefer_floor");
    table->low = step_take(step, 2 * out, sizeof *table->low);
    table->low_weight = step_take(step, 2 * out, sizeof *table->low_weight);
    if (table->low == NULL || table->low_weight == NULL) return bst_fail_memory(err);
    table->high = table->low + out;
    table->high_weight = table->low_weight + out;
    for (size_t i = 0; i < out; i++) {
        double x = source_of(mode, (double)i, (double)in, (double)out, scale);
        if (!linear) x = nearest_of(nearest, x);
        x = x < 0 ? 0 : x > (double)(in - 1) ? (double)(in - 1) : x;
        table->low[i] = (uint32_t)x;
        table->high[i] = table->low[i] + 1 < in ? table->low[i] + 1 : table->low[i];
        table->high_weight[i] = (float)(x - (double)table->low[i]);
        table->low_weight[i] = (float)(1.0 - (x - (double)table->low[i]));
    }
    return BST_OK;
}

/* An inner column 2i stands for i - 1/4, column 2i + 1 for i + 1/4. */
static bool is_doubling(const struct axis_table *t, size_t in, size_t out)
{
    if (out != 2 * in || in < 2) return false;
    for (size_t i = 1; i + 1 < out; i++) {
        bool even = i % 2 == 0;
        if (t->low[i] != (even ? i / 2 - 1 : i / 2) || t->high_weight[i] != (even ? 0.75f : 0.25f))
            return false;
    }
    return true;
}

OP_PREPARE(resize)
{
    struct resize *r = step_take(step, 1, sizeof *r);
    enum coordinates mode;
    int64_t dims[RANK_MAX];
    double scale[RANK_MAX];
    (void)kernels;
    (void)threads;
    if (r == NULL) return bst_fail_memory(err);
    enum bst_code code = read_modes(step, &r->linear, &mode, err);
    if (code == BST_OK) code = read_sizes(step, dims, scale, err);
    if (code == BST_OK) code = make_axis(step, r->linear, mode, 2, scale[2], &r->rows, err);
    if (code == BST_OK) code = make_axis(step, r->linear, mode, 3, scale[3], &r->columns, err);
    if (code != BST_OK) return code;
    size_t in = (size_t)step->inputs[0]->dims[3];
    r->doubling = r->linear && is_doubling(&r->columns, in, (size_t)dims[3]);
    step->scratch = (in + 2 + 2 * in + 2) * sizeof(float);
    step->prepared = r;
    return BST_OK;
}

#define ROWS_A_TASK ((size_t)8)

struct resize_job {
    const struct step *step;
    const struct run *run;
    size_t tasks_a_plane;
};

/* to: the n columns of output row y from column x on. */
static void nearest_row(const struct resize *r, const float *plane, size_t in_w, size_t y, size_t x,
                        float *to, size_t n)
{
    const float *row = plane + r->rows.low[y] * in_w;
    const uint32_t *place = r->columns.low + x;
    for (size_t i = 0; i < n; i++)
        to[i] = row[place[i]];
}

/* Columns of an exact doubling; its two ends do not follow the rule. line has a free place on either side. */
static void doubled_row(const struct resize *r, const struct bst_kernels *k, float *line, size_t in_w,
                        size_t x, float *pairs, float *to, size_t n)
{
    const struct axis_table *c = &r->columns;
    size_t first = x / 2, count = (x + n + 1) / 2 - first, last = 2 * in_w - 1;
    line[-1] = line[in_w] = 0.0f;
    if (x % 2 == 0 && n % 2 == 0) {
        k->twice(line + first, to, count);
    } else {
        k->twice(line + first, pairs, count);
        memcpy(to, pairs + x % 2, n * sizeof *to);
    }
    if (x == 0) k->interpolate(line, c->low, c->high, c->low_weight, c->high_weight, to, 1);
    if (x + n - 1 == last)
        k->interpolate(line, c->low + last, c->high + last, c->low_weight + last, c->high_weight + last,
                       to + n - 1, 1);
}

struct lines { /* a thread's memory */
    float *line, *pairs;
};

/* First along the column, then along the row. */
static void linear_row(const struct resize *r, const struct bst_kernels *k, const float *plane, size_t in_w,
                       size_t y, size_t x, const struct lines *lines, float *to, size_t n)
{
    const struct axis_table *c = &r->columns;
    k->blend(plane + r->rows.low[y] * in_w, plane + r->rows.high[y] * in_w, r->rows.low_weight[y],
             r->rows.high_weight[y], lines->line, in_w);
    if (r->doubling)
        doubled_row(r, k, lines->line, in_w, x, lines->pairs, to, n);
    else
        k->interpolate(lines->line, c->low + x, c->high + x, c->low_weight + x, c->high_weight + x, to, n);
}

static void resize_task(void *arg, size_t index, unsigned thread)
{
    const struct resize_job *job = arg;
    const struct step *s = job->step;
    const struct resize *r = s->prepared;
    const struct tensor *x = s->inputs[0], *out = s->result;
    size_t plane = index / job->tasks_a_plane, first = index % job->tasks_a_plane * ROWS_A_TASK;
    size_t h = (size_t)out->dims[2], w = (size_t)out->dims[3], in_w = (size_t)x->dims[3];
    size_t channels = (size_t)out->dims[1], crop_y = (size_t)s->crop_y, crop_x = (size_t)s->crop_x;
    const float *from = tensor_floats(x) + plane * (size_t)x->dims[2] * in_w;
    float *memory = (float *)(void *)(job->run->scratch + thread * job->run->scratch_each);
    const struct lines lines = {memory + 1, memory + in_w + 2};
    for (size_t y = first; y < h && y < first + ROWS_A_TASK; y++) {
        float *to = tensor_floats(out) + (plane * h + y) * w;
        if (r->linear)
            linear_row(r, job->run->kernels, from, in_w, crop_y + y, crop_x, &lines, to, w);
        else
            nearest_row(r, from, in_w, crop_y + y, crop_x, to, w);
        posts_apply(job->run->kernels, s->posts, s->post_count, to, to, w, plane / channels, plane % channels,
                    y * w);
    }
}

OP_RUN(resize)
{
    const struct tensor *out = step->result;
    struct resize_job job = {step, run, ((size_t)out->dims[2] + ROWS_A_TASK - 1) / ROWS_A_TASK};
    bst_pool_run(run->pool, (size_t)(out->dims[0] * out->dims[1]) * job.tasks_a_plane, resize_task, &job);
}
