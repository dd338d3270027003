/* op_conv_slices.c - runs the convolutions over planes that a Conv or ConvTranspose is made of, and packs
 * their weights: once, or each time for weights that the network itself makes. See op_conv.h. */
#include "op_conv.h"

#include <string.h>

/* ---- weights ---- */

struct pack_job {
    const struct convolution *c;
    const struct slices *set;
    const struct conv_part *part;
    const float *weights; /* as the operator has them */
    size_t outputs;       /* of a group */
};

/* Transposed weights [in][out][kernel] of one input channel as [kernel slice][out][place]. */
static void turn_task(void *arg, size_t index, unsigned thread)
{
    const struct pack_job *job = arg;
    const struct convolution *c = job->c;
    size_t plane = c->kernel_plane;
    float *to = c->turned + index * job->set->taps * job->outputs * plane;
    const float *from = job->weights + index * job->outputs * c->kernel;
    (void)thread;
    for (size_t t = 0; t < job->set->taps; t++)
        for (size_t o = 0; o < job->outputs; o++, to += plane)
            memcpy(to, from + o * c->kernel + job->set->tap[t] * plane, plane * sizeof *to);
}

static void pack_task(void *arg, size_t index, unsigned thread)
{
    const struct pack_job *job = arg;
    const struct convolution *c = job->c;
    const struct conv *conv = &job->part->conv;
    size_t plane = c->kernel_plane, all = conv->in_channels * conv->out_channels * plane;
    (void)thread;
    if (c->transposed)
        conv_pack_block(conv, index, c->turned != NULL ? c->turned : job->weights, all, plane,
                        conv->out_channels * plane, job->part->place);
    else
        conv_pack_block(conv, index, job->weights, all, conv->in_channels * plane, plane, job->part->place);
}

static void pack_weights(const struct convolution *c, const float *weights, struct bst_pool *pool)
{
    for (size_t s = 0; s < c->set_count; s++) {
        struct pack_job job = {.c = c, .set = &c->sets[s], .weights = weights};
        for (size_t p = 0; p < job.set->part_count; p++) {
            job.part = &job.set->parts[p];
            job.outputs = job.part->conv.out_channels;
            if (p == 0 && c->turned != NULL) bst_pool_run(pool, c->channels, turn_task, &job);
            bst_pool_run(pool, job.part->conv.groups * job.part->conv.block_count, pack_task, &job);
        }
    }
}

static void pack_bias(const struct convolution *c, const float *bias)
{
    for (size_t s = 0; s < c->set_count; s++)
        for (size_t p = 0; p < c->sets[s].part_count; p++)
            conv_pack_bias(&c->sets[s].parts[p].conv, bias);
}

enum bst_code convolution_finish(struct step *step, struct convolution *c, struct bst_error *err)
{
    const struct tensor *weights = step->inputs[1], *bias = step_input(step, 2);
    size_t taps = 0, slices = 0, staged;
    for (size_t s = 0; s < c->set_count; s++) {
        if (c->sets[s].taps > taps) taps = c->sets[s].taps;
        slices += c->sets[s].count;
    }
    bool direct = c->in_depth == 1 && slices == 1 && taps == 1 && c->sets[0].base[0] == 0;
    if (!direct) {
        if (!bst_mul(c->batch * c->channels * c->in_plane, taps, &staged)) return bst_fail_memory(err);
        c->staged = step_take(step, staged, sizeof *c->staged);
        if (c->staged == NULL) return bst_fail_memory(err);
    }
    if (c->transposed && c->kernel != c->kernel_plane) {
        c->turned = step_take(step, weights->count, sizeof *c->turned);
        if (c->turned == NULL) return bst_fail_memory(err);
    }
    c->live_weights = weights->data == NULL;
    c->live_bias = bias != NULL && bias->data == NULL;
    if (!c->live_weights) pack_weights(c, tensor_floats(weights), NULL);
    if (bias != NULL && !c->live_bias) pack_bias(c, tensor_floats(bias));
    return BST_OK;
}

/* ---- running ---- */

struct stage_job {
    const struct convolution *c;
    const struct slices *set;
    size_t index; /* of the output slice in the set */
    const float *input;
};

/* The input slices of one channel that an output slice needs. */
static void stage_task(void *arg, size_t index, unsigned thread)
{
    const struct stage_job *job = arg;
    const struct convolution *c = job->c;
    float *to = c->staged + index * job->set->taps * c->in_plane;
    const float *from = job->input + index * c->in_depth * c->in_plane;
    (void)thread;
    for (size_t t = 0; t < job->set->taps; t++, to += c->in_plane) {
        int64_t z = job->set->base[t] + (int64_t)job->index * job->set->advance;
        if (z >= 0 && z < (int64_t)c->in_depth)
            memcpy(to, from + (size_t)z * c->in_plane, c->in_plane * sizeof *to);
        else
            memset(to, 0, c->in_plane * sizeof *to);
    }
}

void convolution_run(const struct convolution *c, const struct step *step, const struct run *run)
{
    const float *input = tensor_floats(step->inputs[0]);
    if (c->live_weights) pack_weights(c, tensor_floats(step->inputs[1]), run->pool);
    if (c->live_bias) pack_bias(c, tensor_floats(step->inputs[2]));
    for (size_t s = 0; s < c->set_count; s++) {
        const struct slices *set = &c->sets[s];
        for (size_t i = 0; i < set->count; i++) {
            struct stage_job job = {c, set, i, input};
            if (c->staged != NULL) bst_pool_run(run->pool, c->batch * c->channels, stage_task, &job);
            for (size_t p = 0; p < set->part_count; p++) {
                struct conv slice = set->parts[p].conv;
                slice.place_y += (set->first + i * set->step) * c->out_rows;
                conv_execute(&slice, step, run, c->staged != NULL ? c->staged : input,
                             tensor_floats(step->result));
            }
        }
    }
}
