/* op_batch_norm.c - BatchNormalization: a scale and a shift for each channel, from the statistics that training
 * left behind or, for models exported in training mode, from the input's own. */
#include "op_fold.h"

#include <math.h>

bool batch_norm_is_constant(const struct step *step)
{
    for (size_t i = 1; i < 5; i++)
        if (step->inputs[i]->data == NULL) return false;
    return node_int(step->node, "training_mode", 0) == 0;
}

OP_INFER(batch_norm)
{
    enum bst_code code = step_float(step, 0, 0, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0];
    bool training = node_int(step->node, "training_mode", 0) != 0;
    if (x->rank < 2) return step_bad(err, "the input has no channels");
    if (training && x->count == 0) return step_bad(err, "the input is empty");
    for (size_t i = 1; i < 5; i++) {
        const struct tensor *t = step->inputs[i];
        if (t == NULL || t->kind != KIND_FLOAT || t->count != (size_t)x->dims[1])
            return step_bad(err, "input %zu does not hold %lld numbers", i, (long long)x->dims[1]);
    }
    for (size_t i = 1; i < 3 && training && code == BST_OK; i++)
        code = step_output(step, i, KIND_FLOAT, 1, &x->dims[1], err);
    return code != BST_OK ? code : step_output(step, 0, KIND_FLOAT, x->rank, x->dims, err);
}

struct batch_norm {
    struct affine affine; /* first: posts read it */
    struct fold fold;     /* training mode */
    float *mean, *variance;
};

static void fill(const struct step *step, const struct affine *affine, const float *mean,
                 const float *variance)
{
    const float *gamma = tensor_floats(step->inputs[1]), *beta = tensor_floats(step->inputs[2]);
    float epsilon = node_float(step->node, "epsilon", 1e-5f);
    for (size_t c = 0; c < step->inputs[1]->count; c++) {
        affine->scale[c] = gamma[c] / sqrtf(variance[c] + epsilon);
        affine->shift[c] = fmaf(-mean[c], affine->scale[c], beta[c]);
    }
}

OP_PREPARE(batch_norm)
{
    size_t channels = step->inputs[1]->count;
    struct batch_norm *b = step_take(step, 1, sizeof *b);
    float *numbers = step_take(step, 4 * channels + 1, sizeof *numbers);
    bool drop[RANK_MAX];
    (void)kernels;
    (void)threads;
    if (b == NULL || numbers == NULL) return bst_fail_memory(err);
    *b = (struct batch_norm){.affine = {numbers, numbers + channels, !batch_norm_is_constant(step)},
                             .mean = numbers + 2 * channels,
                             .variance = numbers + 3 * channels};
    if (!b->affine.live)
        fill(step, &b->affine, tensor_floats(step->inputs[3]), tensor_floats(step->inputs[4]));
    for (size_t i = 0; i < RANK_MAX; i++)
        drop[i] = i != 1;
    step->own[0] =
        (struct post){.form = POST_CHANNEL_AFFINE, .scale = b->affine.scale, .shift = b->affine.shift};
    step->own_count = 1;
    step->source = step->inputs[0];
    step->prepared = b;
    return fold_make(step, &b->fold, step->inputs[0], drop, err);
}

/* The input's own statistics, and what they make of the running ones. */
static void run_training(const struct step *step, const struct run *run, const struct batch_norm *b)
{
    const float *x = tensor_floats(step->inputs[0]), count = (float)b->fold.count;
    const float *own[] = {b->mean, b->variance};
    float momentum = node_float(step->node, "momentum", 0.9f);
    fold_run(run, &b->fold, FOLD_SUM, x, NULL, b->mean);
    run->kernels->binary(BST_B_DIV, b->mean, 1, &count, 0, b->mean, b->fold.results);
    fold_run(run, &b->fold, FOLD_SQUARES, x, b->mean, b->variance);
    run->kernels->binary(BST_B_DIV, b->variance, 1, &count, 0, b->variance, b->fold.results);
    for (size_t i = 1; i < 3 && i < step->output_count; i++)
        if (step->outputs[i] != NULL)
            run->kernels->blend(tensor_floats(step->inputs[i + 2]), own[i - 1], momentum, 1.0f - momentum,
                                tensor_floats(step->outputs[i]), b->fold.results);
}

OP_RUN(batch_norm)
{
    const struct batch_norm *b = step->prepared;
    bool training = node_int(step->node, "training_mode", 0) != 0;
    if (training) run_training(step, run, b);
    if (training)
        fill(step, &b->affine, b->mean, b->variance);
    else if (b->affine.live)
        fill(step, &b->affine, tensor_floats(step->inputs[3]), tensor_floats(step->inputs[4]));
    posts_apply_all(run, step, tensor_floats(step->source), tensor_floats(step->result));
}
