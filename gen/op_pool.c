/* op_pool.c - MaxPool, AveragePool and LpPool over one to three sides. */
#include "kernel_plane.h"

#include <math.h>
#include <string.h>

#define SIDES      ((size_t)3)
#define SIDE_MAX   1024               /* of windows, strides, dilations, paddings */
#define WINDOW_MAX ((int64_t)1 << 22) /* places of a window */

struct pooling {
    enum { POOL_MAX, POOL_AVERAGE, POOL_LP } form;
    size_t sides;
    struct plane_window window;
    size_t end[SIDES];  /* padding behind the last place */
    bool count_padding; /* average */
    bool columns_first; /* the order in which MaxPool's second output counts places */
    float p;            /* Lp */
    float *counts;      /* average: of columns under each output column that count */
};

/* ---- attributes ---- */

/* One number a side; the sides that are not there stay 1. */
static bool read_list(const struct step *step, const char *name, size_t sides, int64_t fallback, size_t *out)
{
    int64_t list[SIDES];
    if (!node_ints(step->node, name, sides, fallback, list)) return false;
    for (size_t i = 0; i < SIDES; i++)
        out[i] = 1;
    for (size_t i = 0; i < sides; i++) {
        if (list[i] < 1 || list[i] > SIDE_MAX) return false;
        out[SIDES - sides + i] = (size_t)list[i];
    }
    return true;
}

static bool read_pads(const struct step *step, struct pooling *p)
{
    int64_t pads[2 * SIDES];
    if (!node_ints(step->node, "pads", 2 * p->sides, 0, pads)) return false;
    for (size_t i = 0; i < p->sides; i++) {
        size_t side = SIDES - p->sides + i;
        if (pads[i] < 0 || pads[i] > SIDE_MAX || pads[i + p->sides] < 0 || pads[i + p->sides] > SIDE_MAX)
            return false;
        p->window.begin[side] = pads[i];
        p->end[side] = (size_t)pads[i + p->sides];
    }
    return true;
}

/* One side of the output, and auto_pad turned into numbers; 0 when the window is larger than the side. */
static size_t pool_side(const struct step *step, struct pooling *p, size_t i)
{
    struct plane_window *w = &p->window;
    const char *auto_pad = node_string(step->node, "auto_pad", "NOTSET");
    size_t reach = (w->kernel[i] - 1) * w->dilation[i] + 1, in = w->in[i];
    if (strncmp(auto_pad, "SAME", 4) == 0) {
        size_t need = (in - 1) / w->stride[i] * w->stride[i] + reach, total = need > in ? need - in : 0;
        size_t begin = strcmp(auto_pad, "SAME_LOWER") == 0 ? total - total / 2 : total / 2;
        w->begin[i] = (int64_t)begin;
        p->end[i] = total - begin;
    } else if (strcmp(auto_pad, "VALID") == 0) {
        w->begin[i] = 0;
        p->end[i] = 0;
    }
    size_t padded = in + (size_t)w->begin[i] + p->end[i];
    if (padded < reach) return 0;
    bool up = node_int(step->node, "ceil_mode", 0) != 0;
    size_t out = (padded - reach + (up ? w->stride[i] - 1 : 0)) / w->stride[i] + 1;
    if (up && (out - 1) * w->stride[i] >= in + (size_t)w->begin[i])
        out--; /* would lie in the padding alone */
    return out;
}

static enum bst_code read_pooling(const struct step *step, struct pooling *p, struct bst_error *err)
{
    static const char *const names[] = {"MaxPool", "AveragePool", "LpPool"};
    enum bst_code code = step_float(step, 0, 0, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0];
    if (x->rank < 3 || x->rank > 2 + SIDES || x->count == 0)
        return step_bad(err, "an input of %zu dimensions has no pixels to pool", x->rank);
    *p = (struct pooling){.sides = x->rank - 2};
    struct plane_window *w = &p->window;
    while (strcmp(step->op->name, names[p->form]) != 0)
        p->form++;
    int64_t power = node_int(step->node, "p", 2);
    if (!read_list(step, "kernel_shape", p->sides, 0, w->kernel) ||
        !read_list(step, "strides", p->sides, 1, w->stride) ||
        !read_list(step, "dilations", p->sides, 1, w->dilation) || !read_pads(step, p) ||
        (int64_t)(w->kernel[0] * w->kernel[1] * w->kernel[2]) > WINDOW_MAX || power < 1 || power > 64)
        return step_bad(err, "kernel_shape, strides, dilations, pads or p are out of range");
    p->p = (float)power;
    p->count_padding = node_int(step->node, "count_include_pad", 0) != 0;
    p->columns_first = node_int(step->node, "storage_order", 0) != 0;
    w->fill = p->form == POOL_MAX ? -INFINITY : 0.0f;
    for (size_t i = 0; i < SIDES; i++) {
        w->in[i] = i + p->sides < SIDES ? 1 : (size_t)x->dims[i + x->rank - SIDES];
        w->out[i] = i + p->sides < SIDES ? 1 : pool_side(step, p, i);
        if (w->out[i] == 0) return step_bad(err, "the input is smaller than the window");
    }
    return BST_OK;
}

OP_INFER(pool)
{
    struct pooling p;
    int64_t dims[2 + SIDES];
    enum bst_code code = read_pooling(step, &p, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0];
    for (size_t i = 0; i < x->rank; i++)
        dims[i] = i < 2 ? x->dims[i] : (int64_t)p.window.out[i + SIDES - x->rank];
    code = step_output(step, 0, KIND_FLOAT, x->rank, dims, err);
    return code == BST_OK && p.form == POOL_MAX ? step_output(step, 1, KIND_INT, x->rank, dims, err) : code;
}

/* Of the window's places along a side at output i, those that an average counts. */
static size_t places_counted(const struct pooling *p, size_t side, size_t i)
{
    const struct plane_window *w = &p->window;
    int64_t first = (int64_t)(i * w->stride[side]) - w->begin[side], size = (int64_t)w->in[side];
    size_t counted = 0;
    for (size_t k = 0; k < w->kernel[side]; k++) {
        int64_t at = first + (int64_t)(k * w->dilation[side]);
        counted += p->count_padding ? at < size + (int64_t)p->end[side] : at >= 0 && at < size;
    }
    return counted;
}

OP_PREPARE(pool)
{
    struct pooling *p = step_take(step, 1, sizeof *p);
    (void)kernels;
    (void)threads;
    if (p == NULL) return bst_fail_memory(err);
    enum bst_code code = read_pooling(step, p, err);
    if (code == BST_OK) code = plane_window_make(step, &p->window, err);
    if (code != BST_OK) return code;
    p->counts = step_take(step, p->window.out[2], sizeof *p->counts);
    if (p->counts == NULL) return bst_fail_memory(err);
    for (size_t x = 0; x < p->window.out[2]; x++)
        p->counts[x] = (float)places_counted(p, 2, x);
    step->prepared = p;
    return BST_OK;
}

/* ---- running ---- */

struct pool_job {
    const struct step *step;
    const struct run *run;
};

/* Input place of the window's greatest number, of equal ones the first, and of NaNs the last. */
static int64_t greatest_place(const struct pooling *p, const float *volume, const size_t at[SIDES])
{
    const struct plane_window *w = &p->window;
    int64_t best = -1, from[SIDES];
    float top = 0.0f;
    for (size_t t = 0; t < w->taps; t++) {
        const size_t tap[SIDES] = {t / w->kernel[2] / w->kernel[1], t / w->kernel[2] % w->kernel[1],
                                   t % w->kernel[2]};
        bool inside = true;
        for (size_t i = 0; i < SIDES; i++) {
            from[i] = (int64_t)(at[i] * w->stride[i] + tap[i] * w->dilation[i]) - w->begin[i];
            inside = inside && from[i] >= 0 && from[i] < (int64_t)w->in[i];
        }
        if (!inside) continue;
        int64_t h = (int64_t)w->in[1], wide = (int64_t)w->in[2], d = (int64_t)w->in[0];
        float v = volume[(from[0] * h + from[1]) * wide + from[2]];
        if (best >= 0 && !(v > top || v != v)) continue;
        top = v;
        if (p->columns_first) /* the first side runs fastest; with fewer sides the missing ones are 1 */
            best = (from[2] * h + from[1]) * d + from[0];
        else
            best = (from[0] * h + from[1]) * wide + from[2];
    }
    return best;
}

static void write_places(const struct pool_job *job, size_t plane, size_t z, size_t y)
{
    const struct pooling *p = job->step->prepared;
    const struct plane_window *w = &p->window;
    size_t volume = w->in[0] * w->in[1] * w->in[2];
    int64_t *to = tensor_ints(job->step->outputs[1]) + ((plane * w->out[0] + z) * w->out[1] + y) * w->out[2];
    for (size_t x = 0; x < w->out[2]; x++) {
        const size_t at[SIDES] = {z, y, x};
        int64_t place = greatest_place(p, tensor_floats(job->step->inputs[0]) + plane * volume, at);
        to[x] = place < 0 ? 0 : (int64_t)(plane * volume) + place;
    }
}

/* What an Lp pooling adds up, in place of the numbers that were copied. */
static void to_powers(const struct pooling *p, const struct bst_kernels *k, float *tile)
{
    size_t n = p->window.kernel[0] * p->window.slice;
    if (p->p == 2.0f) {
        k->unary(BST_U_SQUARE, tile, tile, n, 0.0f, 0.0f);
        return;
    }
    k->unary(BST_U_ABS, tile, tile, n, 0.0f, 0.0f);
    if (p->p != 1.0f) k->unary(BST_U_POW, tile, tile, n, p->p, 0.0f);
}

static void pool_row(const struct pooling *p, const struct bst_kernels *k, const float *tile, size_t z,
                     size_t y, float *to)
{
    const struct plane_window *w = &p->window;
    size_t n = w->out[2];
    if (p->form == POOL_MAX) {
        k->plane_max(tile, w->offset, w->taps, to, n);
    } else if (p->form == POOL_AVERAGE) {
        float rows = (float)(places_counted(p, 0, z) * places_counted(p, 1, y));
        k->plane_average(tile, w->offset, w->taps, p->counts, rows, to, n);
    } else {
        k->plane_sum(tile, w->offset, w->taps, to, n);
        if (p->p == 2.0f) k->unary(BST_U_SQRT, to, to, n, 0.0f, 0.0f);
        if (p->p > 2.0f) k->unary(BST_U_POW, to, to, n, 1.0f / p->p, 0.0f);
    }
}

static void pool_task(void *arg, size_t index, unsigned thread)
{
    const struct pool_job *job = arg;
    const struct pooling *p = job->step->prepared;
    const struct plane_window *w = &p->window;
    const struct bst_kernels *k = job->run->kernels;
    size_t y0 = index % w->blocks * w->block, z = index / w->blocks % w->out[0];
    size_t plane = index / w->blocks / w->out[0];
    size_t rows = w->block < w->out[1] - y0 ? w->block : w->out[1] - y0;
    float *scratch = (float *)(void *)(job->run->scratch + thread * job->run->scratch_each);
    const float *volume = tensor_floats(job->step->inputs[0]) + plane * w->in[0] * w->in[1] * w->in[2];
    const float *tile = plane_window_fill(w, k, volume, z, y0, rows, scratch);
    if (p->form == POOL_LP) to_powers(p, k, scratch);
    for (size_t y = y0; y < y0 + rows; y++, tile += w->stride[1] * w->row) {
        float *to = tensor_floats(job->step->result) + ((plane * w->out[0] + z) * w->out[1] + y) * w->out[2];
        pool_row(p, k, tile, z, y, to);
        if (job->step->output_count > 1 && job->step->outputs[1] != NULL) write_places(job, plane, z, y);
    }
}

OP_RUN(pool)
{
    const struct pooling *p = step->prepared;
    struct pool_job job = {step, run};
    size_t planes = (size_t)(step->inputs[0]->dims[0] * step->inputs[0]->dims[1]);
    bst_pool_run(run->pool, planes * p->window.out[0] * p->window.blocks, pool_task, &job);
}
