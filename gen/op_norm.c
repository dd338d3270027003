/* op_norm.c - operators that take a mean off and divide by a spread: Instance-, Group- and LayerNormalization,
 * MeanVarianceNormalization and LpNormalization. One thread makes one sum, by the fixed tree of arithmetic.md. */
#include "op_fold.h"
#include "sizes.h"

#include <math.h>
#include <string.h>

#define BLOCK ((size_t)4096)

/* ---- InstanceNormalization, GroupNormalization ---- */

/* Instances are groups of one channel. */
static bool read_groups(const struct step *step, size_t *groups)
{
    const struct tensor *x = step->inputs[0];
    int64_t channels = x->dims[1], given = node_int(step->node, "num_groups", 0);
    if (step->op->infer == instance_norm_infer) given = channels;
    if (given < 1 || channels % given != 0) return false;
    *groups = (size_t)given;
    return true;
}

static enum bst_code norm_infer(struct step *step, struct bst_error *err)
{
    size_t groups;
    enum bst_code code = step_float(step, 0, 0, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0];
    if (x->rank < 3 || x->count == 0) return step_bad(err, "the input has no pixels");
    if (!read_groups(step, &groups))
        return step_bad(err, "num_groups does not divide %lld channels", (long long)x->dims[1]);
    /* before operator set 21 a group had one scale and shift */
    bool by_group = step->op->infer == group_norm_infer && step->opset < 21;
    size_t numbers = by_group ? groups : (size_t)x->dims[1];
    for (size_t i = 1; i < 3; i++)
        if (step->inputs[i] == NULL || step->inputs[i]->kind != KIND_FLOAT ||
            step->inputs[i]->count != numbers)
            return step_bad(err, "input %zu does not hold %zu numbers", i, numbers);
    return step_output(step, 0, KIND_FLOAT, x->rank, x->dims, err);
}

OP_INFER(instance_norm)
{
    return norm_infer(step, err);
}

OP_INFER(group_norm)
{
    return norm_infer(step, err);
}

struct norm_job {
    const struct step *step;
    const struct bst_kernels *k;
    struct planes planes;
    size_t groups, members; /* members: channels of a group */
    float epsilon;
};

static void norm_task(void *arg, size_t index, unsigned thread)
{
    const struct norm_job *job = arg;
    const struct step *s = job->step;
    const struct bst_kernels *k = job->k;
    size_t pixels = job->planes.pixels, n = job->members * pixels, group = index % job->groups;
    const float *x = tensor_floats(s->inputs[0]) + index * n;
    float *y = tensor_floats(s->result) + index * n;
    (void)thread;
    float mean = bst_sum(k, x, n) / (float)n;
    float variance = bst_sum_squares(k, x, n, mean) / (float)n;
    float spread = sqrtf(variance + job->epsilon);
    for (size_t m = 0; m < job->members; m++, x += pixels, y += pixels) {
        size_t channel = group * job->members + m;
        size_t number = s->inputs[1]->count == job->groups ? group : channel;
        float scale = tensor_floats(s->inputs[1])[number] / spread,
              shift = tensor_floats(s->inputs[2])[number];
        for (size_t at = 0; at < pixels; at += BLOCK) {
            size_t count = least(pixels - at, BLOCK);
            k->binary(BST_B_SUB, x + at, 1, &mean, 0, y + at, count);
            k->unary(BST_U_AFFINE, y + at, y + at, count, scale, shift);
            posts_apply(k, s->posts, s->post_count, y + at, y + at, count, index / job->groups, channel, at);
        }
    }
}

OP_RUN(instance_norm)
{
    struct norm_job job = {
        step, run->kernels, planes_of(step->inputs[0]), 1, 1, node_float(step->node, "epsilon", 1e-5f)};
    read_groups(step, &job.groups);
    job.members = job.planes.channels / job.groups;
    bst_pool_run(run->pool, job.planes.outer * job.groups, norm_task, &job);
}

/* ---- LayerNormalization ---- */

/* Rows of numbers that share a mean. */
static bool read_rows(const struct step *step, size_t *axis, size_t *rows, size_t *n)
{
    const struct tensor *x = step->inputs[0];
    *rows = *n = 1;
    if (!axis_of(node_int(step->node, "axis", -1), x->rank, axis)) return false;
    for (size_t i = 0; i < x->rank; i++)
        *(i < *axis ? rows : n) *= (size_t)x->dims[i];
    return true;
}

OP_INFER(layer_norm)
{
    size_t axis, rows, n;
    int64_t dims[RANK_MAX];
    enum bst_code code = step_float(step, 0, 0, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0];
    if (!read_rows(step, &axis, &rows, &n)) return step_bad(err, "axis is out of range");
    for (size_t i = 1; i < 3; i++) {
        const struct tensor *t = step_input(step, i);
        if (t == NULL && i == 2) continue;
        if (t == NULL || t->kind != KIND_FLOAT || t->count != n)
            return step_bad(err, "input %zu does not hold %zu numbers", i, n);
    }
    for (size_t i = 0; i < x->rank; i++)
        dims[i] = i < axis ? x->dims[i] : 1;
    code = step_output(step, 0, KIND_FLOAT, x->rank, x->dims, err);
    if (code == BST_OK) code = step_output(step, 1, KIND_FLOAT, x->rank, dims, err);
    return code != BST_OK ? code : step_output(step, 2, KIND_FLOAT, x->rank, dims, err);
}

struct layer_job {
    const struct step *step;
    const struct bst_kernels *k;
    size_t rows, n, rows_a_task;
    float epsilon;
    float *means, *scales; /* outputs, or NULL */
};

static void layer_task(void *arg, size_t index, unsigned thread)
{
    const struct layer_job *job = arg;
    const struct step *s = job->step;
    const struct bst_kernels *k = job->k;
    size_t n = job->n;
    (void)thread;
    for (size_t row = index * job->rows_a_task; row < (index + 1) * job->rows_a_task && row < job->rows;
         row++) {
        const float *x = tensor_floats(s->inputs[0]) + row * n;
        float mean = bst_sum(k, x, n) / (float)n;
        float variance = bst_sum_squares(k, x, n, mean) / (float)n;
        float scale = 1.0f / sqrtf(variance + job->epsilon);
        k->normalize(x, mean, scale, tensor_floats(s->inputs[1]),
                     step_input(s, 2) != NULL ? tensor_floats(s->inputs[2]) : NULL,
                     tensor_floats(s->result) + row * n, n);
        if (job->means != NULL) job->means[row] = mean;
        if (job->scales != NULL) job->scales[row] = scale;
    }
}

static float *output_floats(const struct step *step, size_t index)
{
    return index < step->output_count && step->outputs[index] != NULL ? tensor_floats(step->outputs[index])
                                                                      : NULL;
}

OP_RUN(layer_norm)
{
    struct layer_job job = {.step = step, .k = run->kernels};
    size_t axis;
    if (step->result->count == 0) return;
    read_rows(step, &axis, &job.rows, &job.n);
    job.rows_a_task = job.n < 8192 ? 8192 / job.n : 1;
    job.epsilon = node_float(step->node, "epsilon", 1e-5f);
    job.means = output_floats(step, 1);
    job.scales = output_floats(step, 2);
    bst_pool_run(run->pool, (job.rows + job.rows_a_task - 1) / job.rows_a_task, layer_task, &job);
    if (step->post_count > 0)
        posts_apply_all(run, step, tensor_floats(step->result), tensor_floats(step->result));
}

/* ---- MeanVarianceNormalization, LpNormalization: statistics first, then element by element ---- */

struct spread {
    struct fold fold;
    struct tensor mean, size; /* of the input's rank; mean only where one is taken off */
};

static bool is_mean_variance(const struct step *step)
{
    return step->op->infer == mean_variance_norm_infer;
}

static enum bst_code read_drop(const struct step *step, bool *drop, struct bst_error *err)
{
    static const int64_t usual[] = {0, 2, 3};
    const struct tensor *x = step->inputs[0];
    const struct attribute *a = node_attribute(step->node, "axes");
    const int64_t *axes = usual, last = node_int(step->node, "axis", -1);
    size_t count = 3, axis;
    if (!is_mean_variance(step)) {
        axes = &last;
        count = 1;
    } else if (a != NULL) {
        if (a->type != ATTRIBUTE_INTS) return step_bad(err, "axes is no list of whole numbers");
        axes = a->ints;
        count = a->count;
    }
    memset(drop, 0, RANK_MAX * sizeof *drop);
    for (size_t i = 0; i < count; i++) {
        if (!axis_of(axes[i], x->rank, &axis))
            return step_bad(err, "axis %lld is out of range", (long long)axes[i]);
        drop[axis] = true;
    }
    return BST_OK;
}

static enum bst_code spread_infer(struct step *step, struct bst_error *err)
{
    bool drop[RANK_MAX];
    int64_t p = node_int(step->node, "p", 2);
    enum bst_code code = step_float(step, 0, 0, err);
    if (code != BST_OK) return code;
    if (p != 1 && p != 2) return step_bad(err, "p must be 1 or 2");
    code = read_drop(step, drop, err);
    return code != BST_OK
               ? code
               : step_output(step, 0, KIND_FLOAT, step->inputs[0]->rank, step->inputs[0]->dims, err);
}

OP_INFER(mean_variance_norm)
{
    return spread_infer(step, err);
}

OP_INFER(lp_norm)
{
    return spread_infer(step, err);
}

OP_PREPARE(spread)
{
    const struct tensor *x = step->inputs[0];
    struct spread *s = step_take(step, 1, sizeof *s);
    bool drop[RANK_MAX];
    int64_t dims[RANK_MAX];
    (void)kernels;
    (void)threads;
    if (s == NULL) return bst_fail_memory(err);
    enum bst_code code = read_drop(step, drop, err);
    if (code == BST_OK) code = fold_make(step, &s->fold, x, drop, err);
    if (code != BST_OK) return code;
    for (size_t i = 0; i < x->rank; i++)
        dims[i] = drop[i] ? 1 : x->dims[i];
    tensor_set_dims(&s->size, KIND_FLOAT, x->rank, dims);
    s->mean = s->size;
    s->size.data = step_take(step, s->fold.results + 1, sizeof(float));
    s->mean.data = step_take(step, s->fold.results + 1, sizeof(float));
    if (s->size.data == NULL || s->mean.data == NULL) return bst_fail_memory(err);
    step->prepared = s;
    return BST_OK;
}

struct spread_job {
    const struct step *step;
    const struct bst_kernels *k;
};

static void spread_row(const void *arg, const struct broadcast_row *r)
{
    const struct spread_job *job = arg;
    const struct spread *s = job->step->prepared;
    const float *x = tensor_floats(job->step->inputs[0]) + r->at[0];
    float *y = tensor_floats(job->step->result) + r->out;
    if (is_mean_variance(job->step)) {
        job->k->binary(BST_B_SUB, x, r->step[0], tensor_floats(&s->mean) + r->at[1], r->step[1], y, r->n);
        job->k->binary(BST_B_DIV, y, 1, tensor_floats(&s->size) + r->at[2], r->step[2], y, r->n);
    } else {
        job->k->binary(BST_B_DIV, x, r->step[0], tensor_floats(&s->size) + r->at[2], r->step[2], y, r->n);
    }
}

OP_RUN(spread)
{
    const struct spread *s = step->prepared;
    const struct bst_kernels *k = run->kernels;
    struct spread_job job = {step, k};
    const float *x = tensor_floats(step->inputs[0]), count = (float)s->fold.count;
    float *size = tensor_floats(&s->size), *mean = tensor_floats(&s->mean);
    size_t n = s->fold.results;
    bool taxi = !is_mean_variance(step) && node_int(step->node, "p", 2) == 1; /* sum of sizes */
    if (is_mean_variance(step)) {
        fold_run(run, &s->fold, FOLD_SUM, x, NULL, mean);
        k->binary(BST_B_DIV, mean, 1, &count, 0, mean, n);
        fold_run(run, &s->fold, FOLD_SQUARES, x, mean, size);
        k->binary(BST_B_DIV, size, 1, &count, 0, size, n);
    } else {
        fold_run(run, &s->fold, taxi ? FOLD_SIZES : FOLD_SQUARES, x, NULL, size);
    }
    if (!taxi) k->unary(BST_U_SQRT, size, size, n, 0, 0);
    for (size_t i = 0; i < n; i++) /* nothing but zeros stays so */
        size[i] = is_mean_variance(step) ? size[i] + 1e-9f : size[i] == 0.0f ? 1.0f : size[i];
    const struct tensor *operands[] = {step->inputs[0], &s->mean, &s->size};
    broadcast_run(run, spread_row, &job, step->result, operands, 3);
}
