/* op_conv_depthwise.c - Conv whose groups have one input channel: each plane is filtered by itself, a row of the
 * output at a time. The sum of an output is the same as in any other convolution, but never in pieces. */
#include "op_conv.h"

#define OUTPUTS_MAX 2    /* channels made of one: with more the register blocks of kernel_conv.c are faster */
#define TAPS_MAX    4096 /* of a kernel */

bool conv_is_depthwise(const struct step *step, const struct window *w)
{
    const int64_t *weights = step->inputs[1]->dims;
    return weights[1] == 1 && weights[0] / w->group <= OUTPUTS_MAX &&
           w->kernel[0] * w->kernel[1] * w->kernel[2] <= TAPS_MAX;
}

enum bst_code conv_depthwise_make(struct step *step, const struct window *w, const int64_t *out,
                                  struct convolution *c, struct bst_error *err)
{
    c->depthwise = step_take(step, 1, sizeof *c->depthwise);
    if (c->depthwise == NULL) return bst_fail_memory(err);
    for (size_t i = 0; i < SIDES; i++) {
        c->depthwise->in[i] = (size_t)w->in[i];
        c->depthwise->out[i] = (size_t)out[i];
        c->depthwise->kernel[i] = (size_t)w->kernel[i];
        c->depthwise->stride[i] = (size_t)w->stride[i];
        c->depthwise->dilation[i] = (size_t)w->dilation[i];
        c->depthwise->begin[i] = w->begin[i];
    }
    return plane_window_make(step, c->depthwise, err);
}

/* Rows of one output channel; where neighbouring rows share input rows, two at a time. */
static void filter_rows(const struct plane_window *w, const struct bst_kernels *k, const float *tile,
                        size_t rows, const float *weights, float first, float last, float *to)
{
    size_t y = 0, n = w->out[2];
    if (w->kernel[0] == 1 && w->stride[1] == 1 && w->dilation[1] == 1)
        for (; y + 2 <= rows; y += 2)
            k->plane_conv_pair(tile + y * w->row, w->row, w->offset, w->kernel[1], w->kernel[2], weights,
                               first, last, to + y * n, n, n);
    if (y < rows)
        k->plane_conv(tile + y * w->stride[1] * w->row, w->stride[1] * w->row, rows - y, w->offset, w->taps,
                      weights, first, last, to + y * n, n, n);
}

struct depthwise_job {
    const struct step *step;
    const struct run *run;
    const struct convolution *c;
    size_t outputs; /* of an input channel */
};

/* Output rows y0 ... of slice z, of all channels that are made of one plane. */
static void depthwise_task(void *arg, size_t index, unsigned thread)
{
    const struct depthwise_job *job = arg;
    const struct step *s = job->step;
    const struct plane_window *w = job->c->depthwise;
    const struct bst_kernels *k = job->run->kernels;
    const struct tensor *bias = step_input(s, 2);
    size_t y0 = index % w->blocks * w->block, z = index / w->blocks % w->out[0];
    size_t plane = index / w->blocks / w->out[0], n = plane / job->c->channels, g = plane % job->c->channels;
    size_t rows = w->block < w->out[1] - y0 ? w->block : w->out[1] - y0;
    float *scratch = (float *)(void *)(job->run->scratch + thread * job->run->scratch_each);
    const float *volume = tensor_floats(s->inputs[0]) + plane * w->in[0] * w->in[1] * w->in[2];
    const float *tile = plane_window_fill(w, k, volume, z, y0, rows, scratch);
    for (size_t o = 0; o < job->outputs; o++) {
        size_t channel = g * job->outputs + o, pixel = (z * w->out[1] + y0) * w->out[2];
        const float *weights = tensor_floats(s->inputs[1]) + channel * w->taps;
        float *to = tensor_floats(s->result) + pixel +
                    (n * job->c->channels * job->outputs + channel) * w->out[0] * w->out[1] * w->out[2];
        float b = bias != NULL ? tensor_floats(bias)[channel] : 0.0f;
        bool begins = s->arith < 3; /* with the bias, and -0 is no addition at all */
        filter_rows(w, k, tile, rows, weights, begins ? b : 0.0f, begins ? -0.0f : b, to);
        if (s->post_count > 0)
            posts_apply(k, s->posts, s->post_count, to, to, rows * w->out[2], n, channel, pixel);
    }
}

void conv_depthwise_run(const struct convolution *c, const struct step *step, const struct run *run)
{
    struct depthwise_job job = {step, run, c, (size_t)step->inputs[1]->dims[0] / c->channels};
    bst_pool_run(run->pool, c->batch * c->channels * c->depthwise->out[0] * c->depthwise->blocks,
                 depthwise_task, &job);
}
