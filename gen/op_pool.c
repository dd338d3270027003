/* op_pool.c - AveragePool and MaxPool in two dimensions. */
#include "op.h"

#include <math.h>
#include <string.h>

#define SIDE_MAX 1024

struct pooling {
    int64_t kernel[2], stride[2], dilation[2], begin[2], end[2], out[2];
    bool average, count_padding;
};

static bool in_range(const int64_t *list, size_t count, int64_t low)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] < low || list[i] > SIDE_MAX) return false;
    return true;
}

/* One side of the output, and auto_pad turned into numbers. */
static void pool_side(const struct step *step, struct pooling *p, size_t i, int64_t in)
{
    const char *auto_pad = node_string(step->node, "auto_pad", "NOTSET");
    int64_t reach = (p->kernel[i] - 1) * p->dilation[i] + 1;
    if (strncmp(auto_pad, "SAME", 4) == 0) {
        int64_t wanted = (in + p->stride[i] - 1) / p->stride[i];
        int64_t total = (wanted - 1) * p->stride[i] + reach - in;
        if (total < 0) total = 0;
        p->begin[i] = strcmp(auto_pad, "SAME_LOWER") == 0 ? total - total / 2 : total / 2;
        p->end[i] = total - p->begin[i];
    } else if (strcmp(auto_pad, "VALID") == 0) {
        p->begin[i] = p->end[i] = 0;
    }
    int64_t room = in + p->begin[i] + p->end[i] - reach;
    if (room < 0) {
        p->out[i] = 0;
        return;
    }
    if (node_int(step->node, "ceil_mode", 0) == 0) {
        p->out[i] = room / p->stride[i] + 1;
        return;
    }
    p->out[i] = (room + p->stride[i] - 1) / p->stride[i] + 1;
    if ((p->out[i] - 1) * p->stride[i] >= in + p->begin[i]) p->out[i]--; /* would lie in the padding alone */
}

static enum bst_code read_pooling(const struct step *step, struct pooling *p, struct bst_error *err)
{
    int64_t pads[4];
    enum bst_code code = step_float(step, 0, 4, err);
    if (code != BST_OK) return code;
    p->average = strcmp(step->op->name, "AveragePool") == 0;
    p->count_padding = node_int(step->node, "count_include_pad", 0) != 0;
    if (!node_ints(step->node, "kernel_shape", 2, 0, p->kernel) ||
        !node_ints(step->node, "strides", 2, 1, p->stride) ||
        !node_ints(step->node, "dilations", 2, 1, p->dilation) ||
        !node_ints(step->node, "pads", 4, 0, pads) || !in_range(p->kernel, 2, 1) ||
        !in_range(p->stride, 2, 1) || !in_range(p->dilation, 2, 1) || !in_range(pads, 4, 0))
        return step_bad(err, "kernel_shape, strides, dilations or pads are out of range");
    for (size_t i = 0; i < 2; i++) {
        p->begin[i] = pads[i];
        p->end[i] = pads[i + 2];
        pool_side(step, p, i, step->inputs[0]->dims[i + 2]);
        if (p->out[i] < 1) return step_bad(err, "the input is smaller than the window");
    }
    return BST_OK;
}

OP_INFER(pool)
{
    struct pooling p;
    enum bst_code code = read_pooling(step, &p, err);
    if (code != BST_OK) return code;
    int64_t dims[4] = {step->inputs[0]->dims[0], step->inputs[0]->dims[1], p.out[0], p.out[1]};
    return step_output(step, 0, KIND_FLOAT, 4, dims, err);
}

struct pool_job {
    const struct step *step;
    struct pooling p;
};

/* Sums run over rows, then columns of the window; padding is left out of both sum and maximum. */
static float pool_window(const struct pool_job *job, const float *plane, int64_t y0, int64_t x0)
{
    const struct pooling *p = &job->p;
    int64_t h = job->step->inputs[0]->dims[2], w = job->step->inputs[0]->dims[3], inside = 0, counted = 0;
    float sum = 0.0f, top = -INFINITY;
    for (int64_t ky = 0; ky < p->kernel[0]; ky++) {
        for (int64_t kx = 0; kx < p->kernel[1]; kx++) {
            int64_t y = y0 + ky * p->dilation[0], x = x0 + kx * p->dilation[1];
            counted += y < h + p->end[0] && x < w + p->end[1];
            if (y < 0 || y >= h || x < 0 || x >= w) continue;
            float v = plane[y * w + x];
            inside++;
            sum = sum + v;
            if (v > top || v != v) top = v;
        }
    }
    if (!p->average) return top;
    return sum / (float)(p->count_padding ? counted : inside);
}

static void pool_task(void *arg, size_t index, unsigned thread)
{
    const struct pool_job *job = arg;
    const struct pooling *p = &job->p;
    size_t rows = (size_t)p->out[0], plane = index / rows;
    int64_t y = (int64_t)(index % rows) * p->stride[0] - p->begin[0];
    const struct tensor *x = job->step->inputs[0];
    const float *from = tensor_floats(x) + plane * (size_t)(x->dims[2] * x->dims[3]);
    float *to = tensor_floats(job->step->result) + index * (size_t)p->out[1];
    (void)thread;
    for (int64_t i = 0; i < p->out[1]; i++)
        to[i] = pool_window(job, from, y, i * p->stride[1] - p->begin[1]);
}

OP_RUN(pool)
{
    struct pool_job job = {.step = step};
    struct bst_error ignored;
    if (read_pooling(step, &job.p, &ignored) != BST_OK) return;
    const struct tensor *out = step->result;
    bst_pool_run(run->pool, (size_t)(out->dims[0] * out->dims[1] * out->dims[2]), pool_task, &job);
}
