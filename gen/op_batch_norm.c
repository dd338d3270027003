/* op_batch_norm.c - BatchNormalization as it is used after training: a scale and a shift for each channel. */
#include "op.h"

#include <math.h>

bool batch_norm_is_constant(const struct step *step)
{
    for (size_t i = 1; i < 5; i++)
        if (step->inputs[i]->data == NULL) return false;
    return true;
}

OP_INFER(batch_norm)
{
    enum bst_code code = step_float(step, 0, 0, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0];
    if (x->rank < 2) return step_bad(err, "the input has no channels");
    if (node_int(step->node, "training_mode", 0) != 0)
        return step_bad(err, "the model was exported in training mode, not for inference");
    for (size_t i = 1; i < 5; i++) {
        const struct tensor *t = step->inputs[i];
        if (t == NULL || t->kind != KIND_FLOAT || t->count != (size_t)x->dims[1])
            return step_bad(err, "input %zu does not hold %lld numbers", i, (long long)x->dims[1]);
    }
    return step_output(step, 0, KIND_FLOAT, x->rank, x->dims, err);
}

static void fill(const struct step *step, const struct affine *affine)
{
    const float *gamma = tensor_floats(step->inputs[1]), *beta = tensor_floats(step->inputs[2]);
    const float *mean = tensor_floats(step->inputs[3]), *variance = tensor_floats(step->inputs[4]);
    float epsilon = node_float(step->node, "epsilon", 1e-5f);
    for (size_t c = 0; c < step->inputs[1]->count; c++) {
        affine->scale[c] = gamma[c] / sqrtf(variance[c] + epsilon);
        affine->shift[c] = fmaf(-mean[c], affine->scale[c], beta[c]);
    }
}

OP_PREPARE(batch_norm)
{
    size_t channels = step->inputs[1]->count;
    struct affine *affine = step_take(step, 1, sizeof *affine);
    float *numbers = step_take(step, 2 * channels + 1, sizeof *numbers);
    (void)kernels;
    (void)threads;
    if (affine == NULL || numbers == NULL) return bst_fail_memory(err);
    *affine = (struct affine){numbers, numbers + channels, !batch_norm_is_constant(step)};
    if (!affine->live) fill(step, affine);
    step->own[0] = (struct post){.form = POST_CHANNEL_AFFINE, .scale = affine->scale, .shift = affine->shift};
    step->own_count = 1;
    step->source = step->inputs[0];
    step->prepared = affine;
    return BST_OK;
}

OP_RUN(batch_norm)
{
    const struct affine *affine = step->prepared;
    if (affine->live) fill(step, affine);
    posts_apply_all(run, step, tensor_floats(step->source), tensor_floats(step->result));
}
