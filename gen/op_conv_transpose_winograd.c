/* op_conv_transpose_winograd.c - ConvTranspose of 3 x 3 weights with strides of 2 by Winograd's F(3, 2): when it is
 * used, and how it is run. */
#include "op_conv.h"

bool conv_transpose_by_winograd(const struct step *step, const struct window *w, const int64_t *out)
{
    const struct tensor *x = step->inputs[0], *weights = step->inputs[1];
    if (step->arith < 3 || w->sides != 2) return false;
    for (size_t i = 1; i < SIDES; i++)
        if (w->kernel[i] != 3 || w->stride[i] != 2 || w->dilation[i] != 1) return false;
    return winograd_transpose_suits((size_t)(x->dims[1] / w->group), (size_t)weights->dims[1], (size_t)out[1],
                                    (size_t)out[2], (size_t)w->begin[1], (size_t)w->begin[2]);
}

enum bst_code conv_transpose_winograd_make(struct step *step, const struct window *w, const int64_t *out,
                                           struct convolution *c, const struct bst_kernels *kernels,
                                           unsigned threads, struct bst_error *err)
{
    c->transpose = step_take(step, 1, sizeof *c->transpose);
    if (c->transpose == NULL) return bst_fail_memory(err);
    *c->transpose = (struct winograd_transpose){.outer = c->batch,
                                                .groups = (size_t)w->group,
                                                .in_channels = c->channels / (size_t)w->group,
                                                .out_channels = (size_t)step->inputs[1]->dims[1],
                                                .in_h = (size_t)w->in[1],
                                                .in_w = (size_t)w->in[2],
                                                .out_h = (size_t)out[1],
                                                .out_w = (size_t)out[2],
                                                .pad_y = (size_t)w->begin[1],
                                                .pad_x = (size_t)w->begin[2]};
    winograd_transpose_make(step, c->transpose, kernels, threads);
    return BST_OK;
}

void conv_transpose_winograd_run(const struct convolution *c, const struct step *step, const struct run *run)
{
    const struct tensor *bias = step_input(step, 2);
    winograd_transpose_execute(c->transpose, step, run, tensor_floats(step->inputs[0]),
                               tensor_floats(step->inputs[1]), bias != NULL ? tensor_floats(bias) : NULL,
                               tensor_floats(step->result));
}
