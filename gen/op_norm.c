/* op_norm.c - operators that sum over many numbers: InstanceNormalization, ReduceMean, ReduceSum, ReduceMax,
 * Softmax, GlobalAveragePool, GlobalMaxPool. One thread makes one sum, by the fixed tree of arithmetic.md. */
#include "op.h"

#include <math.h>
#include <string.h>

/* ---- InstanceNormalization ---- */

OP_INFER(instance_norm)
{
    enum bst_code code = step_float(step, 0, 0, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0];
    if (x->rank < 3 || x->count == 0) return step_bad(err, "the input has no pixels");
    for (size_t i = 1; i < 3; i++)
        if (step->inputs[i]->kind != KIND_FLOAT || step->inputs[i]->count != (size_t)x->dims[1])
            return step_bad(err, "input %zu does not hold %lld numbers", i, (long long)x->dims[1]);
    return step_output(step, 0, KIND_FLOAT, x->rank, x->dims, err);
}

struct norm_job {
    const struct step *step;
    const struct bst_kernels *k;
    struct planes planes;
    float epsilon;
};

#define BLOCK ((size_t)4096)

static void norm_task(void *arg, size_t index, unsigned thread)
{
    const struct norm_job *job = arg;
    const struct step *s = job->step;
    const struct bst_kernels *k = job->k;
    size_t n = job->planes.pixels, c = index % job->planes.channels, o = index / job->planes.channels;
    const float *x = tensor_floats(s->inputs[0]) + index * n;
    float *y = tensor_floats(s->result) + index * n;
    (void)thread;
    float mean = bst_sum(k, x, n) / (float)n;
    float variance = bst_sum_squares(k, x, n, mean) / (float)n;
    float scale = tensor_floats(s->inputs[1])[c] / sqrtf(variance + job->epsilon);
    float shift = tensor_floats(s->inputs[2])[c];
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t count = n - at < BLOCK ? n - at : BLOCK;
        k->binary(BST_B_SUB, x + at, 1, &mean, 0, y + at, count);
        k->unary(BST_U_AFFINE, y + at, y + at, count, scale, shift);
        posts_apply(k, s->posts, s->post_count, y + at, y + at, count, o, c, at);
    }
}

OP_RUN(instance_norm)
{
    struct norm_job job = {step, run->kernels, planes_of(step->inputs[0]),
                           node_float(step->node, "epsilon", 1e-5f)};
    bst_pool_run(run->pool, job.planes.outer * job.planes.channels, norm_task, &job);
}

/* ---- reductions ---- */

struct reduction {
    size_t kept_rank, reduced_rank;
    int64_t kept[RANK_MAX], kept_stride[RANK_MAX];
    int64_t reduced[RANK_MAX], reduced_stride[RANK_MAX];
    size_t count; /* numbers that one output is made of */
    bool dense;   /* they lie side by side */
};

static enum bst_code read_axes(const struct step *step, bool *drop, struct bst_error *err)
{
    const struct tensor *x = step->inputs[0];
    const int64_t *axes;
    size_t count, axis;
    enum bst_code code = step_list(step, "axes", 1, &axes, &count, err);
    if (code != BST_OK) return code;
    bool all = count == 0 && node_int(step->node, "noop_with_empty_axes", 0) == 0;
    for (size_t i = 0; i < x->rank; i++)
        drop[i] = all;
    for (size_t i = 0; i < count; i++) {
        if (!axis_of(axes[i], x->rank, &axis))
            return step_bad(err, "axis %lld is out of range", (long long)axes[i]);
        drop[axis] = true;
    }
    return BST_OK;
}

OP_INFER(reduce)
{
    const struct tensor *x = step->inputs[0];
    bool drop[RANK_MAX], keep = node_int(step->node, "keepdims", 1) != 0;
    int64_t dims[RANK_MAX];
    size_t rank = 0;
    enum bst_code code = step_float(step, 0, 0, err);
    if (code == BST_OK) code = read_axes(step, drop, err);
    if (code != BST_OK) return code;
    if (x->count == 0) return step_bad(err, "the input is empty");
    for (size_t i = 0; i < x->rank; i++)
        if (keep || !drop[i]) dims[rank++] = drop[i] ? 1 : x->dims[i];
    return step_output(step, 0, KIND_FLOAT, rank, dims, err);
}

OP_PREPARE(reduce)
{
    const struct tensor *x = step->inputs[0];
    struct reduction *r = step_take(step, 1, sizeof *r);
    bool drop[RANK_MAX];
    int64_t dense[RANK_MAX];
    (void)kernels;
    (void)threads;
    if (r == NULL) return bst_fail_memory(err);
    enum bst_code code = read_axes(step, drop, err);
    if (code != BST_OK) return code;
    dense_strides(x->rank, x->dims, dense);
    r->count = 1;
    r->dense = true;
    for (size_t i = 0; i < x->rank; i++) {
        if (drop[i]) {
            r->reduced[r->reduced_rank] = x->dims[i];
            r->reduced_stride[r->reduced_rank++] = dense[i];
            r->count *= (size_t)x->dims[i];
        } else {
            r->kept[r->kept_rank] = x->dims[i];
            r->kept_stride[r->kept_rank++] = dense[i];
            if (r->reduced_rank > 0 && x->dims[i] > 1) r->dense = false;
        }
    }
    if (!r->dense) step->scratch = r->count * sizeof(float);
    step->prepared = r;
    return BST_OK;
}

/* The place of number index in a list of dims with strides. */
static int64_t place_of(size_t index, size_t rank, const int64_t *dims, const int64_t *strides)
{
    int64_t at = 0;
    for (size_t i = rank; i-- > 0; index /= (size_t)dims[i])
        at += (int64_t)(index % (size_t)dims[i]) * strides[i];
    return at;
}

struct reduce_job {
    const struct step *step;
    const struct run *run;
};

static void reduce_task(void *arg, size_t index, unsigned thread)
{
    const struct reduce_job *job = arg;
    const struct reduction *r = job->step->prepared;
    const struct bst_kernels *k = job->run->kernels;
    const char *name = job->step->op->name;
    const float *x =
        tensor_floats(job->step->inputs[0]) + place_of(index, r->kept_rank, r->kept, r->kept_stride);
    if (!r->dense) {
        float *line = (float *)(void *)(job->run->scratch + thread * job->run->scratch_each);
        for (size_t i = 0; i < r->count; i++)
            line[i] = x[place_of(i, r->reduced_rank, r->reduced, r->reduced_stride)];
        x = line;
    }
    float y = strcmp(name, "ReduceMax") == 0 ? k->maximum(x, r->count) : bst_sum(k, x, r->count);
    if (strcmp(name, "ReduceMean") == 0) y = y / (float)r->count;
    tensor_floats(job->step->result)[index] = y;
}

OP_RUN(reduce)
{
    struct reduce_job job = {step, run};
    bst_pool_run(run->pool, step->result->count, reduce_task, &job);
}

/* ---- GlobalAveragePool, GlobalMaxPool ---- */

OP_INFER(global_pool)
{
    int64_t dims[RANK_MAX];
    enum bst_code code = step_float(step, 0, 0, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0];
    if (x->rank < 3 || x->count == 0) return step_bad(err, "the input has no pixels");
    for (size_t i = 0; i < x->rank; i++)
        dims[i] = i < 2 ? x->dims[i] : 1;
    return step_output(step, 0, KIND_FLOAT, x->rank, dims, err);
}

static void global_pool_task(void *arg, size_t index, unsigned thread)
{
    const struct reduce_job *job = arg;
    const struct bst_kernels *k = job->run->kernels;
    size_t n = planes_of(job->step->inputs[0]).pixels;
    const float *x = tensor_floats(job->step->inputs[0]) + index * n;
    bool average = strcmp(job->step->op->name, "GlobalAveragePool") == 0;
    (void)thread;
    tensor_floats(job->step->result)[index] = average ? bst_sum(k, x, n) / (float)n : k->maximum(x, n);
}

OP_RUN(global_pool)
{
    struct reduce_job job = {step, run};
    bst_pool_run(run->pool, step->result->count, global_pool_task, &job);
}

/* ---- Softmax ---- */

/* The numbers that add up to 1 are count numbers, apart numbers from each other. Before operator set 13 all
 * dimensions from the axis on counted as one. */
static bool softmax_lines(const struct step *step, size_t *count, size_t *apart)
{
    const struct tensor *x = step->inputs[0];
    bool flat = step->opset < 13;
    size_t axis;
    if (!axis_of(node_int(step->node, "axis", flat ? 1 : -1), x->rank, &axis)) return false;
    *count = (size_t)x->dims[axis];
    *apart = 1;
    for (size_t i = axis + 1; i < x->rank; i++)
        *(flat ? count : apart) *= (size_t)x->dims[i];
    return true;
}

OP_INFER(softmax)
{
    size_t count, apart;
    enum bst_code code = step_float(step, 0, 0, err);
    if (code != BST_OK) return code;
    if (!softmax_lines(step, &count, &apart)) return step_bad(err, "axis is out of range");
    return step_output(step, 0, KIND_FLOAT, step->inputs[0]->rank, step->inputs[0]->dims, err);
}

OP_PREPARE(softmax)
{
    size_t count = 0, apart;
    (void)kernels;
    (void)threads;
    (void)err;
    softmax_lines(step, &count, &apart);
    step->scratch = count * sizeof(float);
    return BST_OK;
}

static void softmax_task(void *arg, size_t index, unsigned thread)
{
    const struct reduce_job *job = arg;
    const struct bst_kernels *k = job->run->kernels;
    float *line = (float *)(void *)(job->run->scratch + thread * job->run->scratch_each);
    size_t count = 1, apart = 1;
    softmax_lines(job->step, &count, &apart);
    size_t at = index / apart * apart * count + index % apart;
    const float *x = tensor_floats(job->step->inputs[0]) + at;
    float *y = tensor_floats(job->step->result) + at;
    for (size_t i = 0; i < count; i++)
        line[i] = x[i * apart];
    float top = k->maximum(line, count);
    k->binary(BST_B_SUB, line, 1, &top, 0, line, count);
    k->unary(BST_U_EXP, line, line, count, 0, 0);
    float total = bst_sum(k, line, count);
    k->binary(BST_B_DIV, line, 1, &total, 0, line, count);
    for (size_t i = 0; i < count; i++)
        y[i * apart] = line[i];
}

OP_RUN(softmax)
{
    struct reduce_job job = {step, run};
    size_t count = 0, apart;
    softmax_lines(step, &count, &apart);
    if (count > 0) bst_pool_run(run->pool, step->result->count / count, softmax_task, &job);
}
