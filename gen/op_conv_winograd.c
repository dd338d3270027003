/* op_conv_winograd.c - Conv of 3 x 3 weights by Winograd's F(4x4, 3x3): when it is used, and how it is run. */
#include "op_conv.h"

/* Dims alone decide: neither the batch, nor whether the weights are known beforehand, nor the machine. */
bool conv_by_winograd(const struct step *step, const struct window *w, const int64_t *out)
{
    const int64_t *weights = step->inputs[1]->dims;
    if (step->arith < 2 || w->sides > 2 || w->kernel[1] != 3 || w->kernel[2] != 3) return false;
    for (size_t i = 1; i < SIDES; i++)
        if (w->stride[i] != 1 || w->dilation[i] != 1) return false;
    return winograd_suits((size_t)weights[1], (size_t)(weights[0] / w->group), (size_t)out[1],
                          (size_t)out[2]);
}

enum bst_code conv_winograd_make(struct step *step, const struct window *w, const int64_t *out,
                                 struct convolution *c, const struct bst_kernels *kernels, unsigned threads,
                                 struct bst_error *err)
{
    const struct tensor *weights = step->inputs[1];
    c->winograd = step_take(step, 1, sizeof *c->winograd);
    if (c->winograd == NULL) return bst_fail_memory(err);
    *c->winograd = (struct winograd){.outer = c->batch,
                                     .groups = (size_t)w->group,
                                     .in_channels = (size_t)weights->dims[1],
                                     .out_channels = (size_t)(weights->dims[0] / w->group),
                                     .in_h = (size_t)w->in[1],
                                     .in_w = (size_t)w->in[2],
                                     .out_h = (size_t)out[1],
                                     .out_w = (size_t)out[2],
                                     .pad_y = w->begin[1],
                                     .pad_x = w->begin[2]};
    return winograd_make(step, c->winograd, kernels, threads,
                         weights->data != NULL ? tensor_floats(weights) : NULL, err);
}

void conv_winograd_run(const struct convolution *c, const struct step *step, const struct run *run)
{
    const struct tensor *bias = step_input(step, 2);
    winograd_execute(c->winograd, step, run, tensor_floats(step->inputs[0]), tensor_floats(step->inputs[1]),
                     bias != NULL ? tensor_floats(bias) : NULL, tensor_floats(step->result));
}
