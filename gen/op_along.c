/* op_along.c - operators that walk along one axis: ArgMax, ArgMin, CumSum, TopK, OneHot. */
#include "op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK ((size_t)256) /* lines side by side that one task handles */

/* A tensor seen as [before][count][behind]. */
struct along {
    size_t before, count, behind;
};

static struct along along_axis(const struct tensor *t, size_t axis)
{
    struct along a = {1, 1, 1};
    for (size_t i = 0; i < t->rank; i++)
        *(i < axis ? &a.before : i > axis ? &a.behind : &a.count) *= (size_t)t->dims[i];
    return a;
}

/* Every kind of number as one that compares: a NaN is above all others. */
static bool above(const struct tensor *t, size_t a, size_t b)
{
    if (t->kind == KIND_INT) return tensor_ints(t)[a] > tensor_ints(t)[b];
    float x = tensor_floats(t)[a], y = tensor_floats(t)[b];
    return x > y || (isnan(x) && !isnan(y));
}

struct along_job {
    const struct step *step;
    const struct run *run;
    struct along along;
    bool last, least; /* ArgMax: of equal ones the last; ArgMin, TopK: the smallest */
    bool exclusive, reverse;
    size_t k, blocks;
};

/* ---- ArgMax, ArgMin ---- */

OP_INFER(arg)
{
    const struct tensor *x = step->inputs[0];
    bool keep = node_int(step->node, "keepdims", 1) != 0;
    int64_t dims[RANK_MAX];
    size_t axis, rank = 0;
    if (x == NULL || !axis_of(node_int(step->node, "axis", 0), x->rank, &axis))
        return step_bad(err, "axis is out of range");
    if (x->dims[axis] == 0) return step_bad(err, "there is nothing to choose from");
    for (size_t i = 0; i < x->rank; i++)
        if (keep || i != axis) dims[rank++] = i == axis ? 1 : x->dims[i];
    return step_output(step, 0, KIND_INT, rank, dims, err);
}

static void arg_task(void *arg, size_t index, unsigned thread)
{
    const struct along_job *job = arg;
    const struct along *a = &job->along;
    const struct tensor *x = job->step->inputs[0];
    (void)thread;
    size_t block = index % job->blocks * BLOCK, before = index / job->blocks;
    for (size_t j = block; j < a->behind && j < block + BLOCK; j++) {
        size_t first = before * a->count * a->behind + j, best = 0;
        for (size_t i = 1; i < a->count; i++) {
            size_t here = first + i * a->behind, top = first + best * a->behind;
            bool better = job->least ? above(x, top, here) : above(x, here, top);
            bool worse = job->least ? above(x, here, top) : above(x, top, here);
            if (better || (job->last && !worse)) best = i;
        }
        tensor_ints(job->step->result)[before * a->behind + j] = (int64_t)best;
    }
}

OP_RUN(arg)
{
    struct along_job job = {.step = step};
    size_t axis = 0;
    axis_of(node_int(step->node, "axis", 0), step->inputs[0]->rank, &axis);
    job.along = along_axis(step->inputs[0], axis);
    job.last = node_int(step->node, "select_last_index", 0) != 0;
    job.least = strcmp(step->op->name, "ArgMin") == 0;
    job.blocks = (job.along.behind + BLOCK - 1) / BLOCK;
    bst_pool_run(run->pool, job.along.before * job.blocks, arg_task, &job);
}

/* ---- CumSum ---- */

OP_INFER(cum_sum)
{
    const struct tensor *x = step->inputs[0], *axis;
    size_t found;
    enum bst_code code = step_constant(step, 1, KIND_INT, &axis, err);
    if (code != BST_OK) return code;
    if (x == NULL || axis == NULL || axis->count != 1 || !axis_of(tensor_ints(axis)[0], x->rank, &found))
        return step_bad(err, "axis is out of range");
    return step_output(step, 0, x->kind, x->rank, x->dims, err);
}

/* Row after row: each is the one before, and a row of the input. */
static void cum_sum_task(void *arg, size_t index, unsigned thread)
{
    const struct along_job *job = arg;
    const struct along *a = &job->along;
    const struct tensor *x = job->step->inputs[0], *out = job->step->result;
    size_t n = a->behind, first = index * a->count * n;
    (void)thread;
    for (size_t i = 0; i < a->count; i++) {
        size_t row = first + (job->reverse ? a->count - 1 - i : i) * n;
        size_t before = job->reverse ? row + n : row - n, from = job->exclusive ? before : row;
        if (i == 0 && job->exclusive) {
            memset((uint8_t *)out->data + row * tensor_item(out), 0, n * tensor_item(out));
        } else if (i == 0) {
            memcpy((uint8_t *)out->data + row * tensor_item(out),
                   (const uint8_t *)x->data + row * tensor_item(x), n * tensor_item(x));
        } else if (x->kind == KIND_FLOAT) {
            job->run->kernels->binary(BST_B_ADD, tensor_floats(out) + before, 1, tensor_floats(x) + from, 1,
                                      tensor_floats(out) + row, n);
        } else {
            for (size_t j = 0; j < n; j++)
                tensor_ints(out)[row + j] =
                    (int64_t)((uint64_t)tensor_ints(out)[before + j] + (uint64_t)tensor_ints(x)[from + j]);
        }
    }
}

OP_RUN(cum_sum)
{
    struct along_job job = {.step = step, .run = run};
    size_t axis = 0;
    axis_of(tensor_ints(step->inputs[1])[0], step->inputs[0]->rank, &axis);
    job.along = along_axis(step->inputs[0], axis);
    job.exclusive = node_int(step->node, "exclusive", 0) != 0;
    job.reverse = node_int(step->node, "reverse", 0) != 0;
    if (step->result->count > 0) bst_pool_run(run->pool, job.along.before, cum_sum_task, &job);
}

/* ---- TopK ---- */

OP_INFER(top_k)
{
    const struct tensor *x = step->inputs[0], *k;
    int64_t dims[RANK_MAX];
    size_t axis;
    enum bst_code code = step_constant(step, 1, KIND_INT, &k, err);
    if (code != BST_OK) return code;
    if (x == NULL || !axis_of(node_int(step->node, "axis", -1), x->rank, &axis))
        return step_bad(err, "axis is out of range");
    if (k == NULL || k->count != 1 || tensor_ints(k)[0] < 0 || tensor_ints(k)[0] > x->dims[axis])
        return step_bad(err, "k is not between 0 and %lld", (long long)x->dims[axis]);
    memcpy(dims, x->dims, sizeof dims);
    dims[axis] = tensor_ints(k)[0];
    code = step_output(step, 0, x->kind, x->rank, dims, err);
    return code != BST_OK ? code : step_output(step, 1, KIND_INT, x->rank, dims, err);
}

OP_PREPARE(top_k)
{
    size_t axis = 0;
    (void)kernels;
    (void)threads;
    (void)err;
    axis_of(node_int(step->node, "axis", -1), step->inputs[0]->rank, &axis);
    step->scratch = ((size_t)tensor_ints(step->inputs[1])[0] + 1) * sizeof(size_t);
    return BST_OK;
}

/* Whether number a of a line comes before b: the better one, of equal ones the first. */
static bool comes_first(const struct along_job *job, size_t line, size_t a, size_t b)
{
    const struct tensor *x = job->step->inputs[0];
    size_t pa = line + a * job->along.behind, pb = line + b * job->along.behind;
    if (job->least ? above(x, pb, pa) : above(x, pa, pb)) return true;
    if (job->least ? above(x, pa, pb) : above(x, pb, pa)) return false;
    return a < b;
}

/* Lets heap[at] sink: the last in order stands on top. */
static void sink(const struct along_job *job, size_t line, size_t *heap, size_t count, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && comes_first(job, line, heap[child], heap[child + 1])) child++;
        if (!comes_first(job, line, heap[at], heap[child])) return;
        size_t held = heap[at];
        heap[at] = heap[child];
        heap[child] = held;
    }
}

/* The k that come first, in order: a heap of those found so far, then sorted from its end. */
static void choose(const struct along_job *job, size_t line, size_t *heap)
{
    size_t k = job->k;
    for (size_t i = 0; i < k; i++)
        heap[i] = i;
    for (size_t i = k / 2; i-- > 0;)
        sink(job, line, heap, k, i);
    for (size_t i = k; i < job->along.count; i++) {
        if (!comes_first(job, line, i, heap[0])) continue;
        heap[0] = i;
        sink(job, line, heap, k, 0);
    }
    for (size_t end = k; end-- > 1;) {
        size_t held = heap[end];
        heap[end] = heap[0];
        heap[0] = held;
        sink(job, line, heap, end, 0);
    }
}

static void top_k_task(void *arg, size_t index, unsigned thread)
{
    const struct along_job *job = arg;
    const struct along *a = &job->along;
    const struct step *s = job->step;
    size_t *heap = (size_t *)(void *)(job->run->scratch + thread * job->run->scratch_each);
    size_t line = index / a->behind * a->count * a->behind + index % a->behind;
    choose(job, line, heap);
    for (size_t i = 0; i < job->k; i++) {
        size_t from = line + heap[i] * a->behind;
        size_t to = (index / a->behind * job->k + i) * a->behind + index % a->behind;
        if (s->outputs[0] != NULL && s->outputs[0]->kind == KIND_FLOAT)
            tensor_floats(s->outputs[0])[to] = tensor_floats(s->inputs[0])[from];
        else if (s->outputs[0] != NULL)
            tensor_ints(s->outputs[0])[to] = tensor_ints(s->inputs[0])[from];
        if (s->output_count > 1 && s->outputs[1] != NULL) tensor_ints(s->outputs[1])[to] = (int64_t)heap[i];
    }
}

OP_RUN(top_k)
{
    struct along_job job = {.step = step, .run = run};
    size_t axis = 0;
    axis_of(node_int(step->node, "axis", -1), step->inputs[0]->rank, &axis);
    job.along = along_axis(step->inputs[0], axis);
    job.least = node_int(step->node, "largest", 1) == 0;
    job.k = (size_t)tensor_ints(step->inputs[1])[0];
    if (job.k > 0) bst_pool_run(run->pool, job.along.before * job.along.behind, top_k_task, &job);
}

/* ---- OneHot ---- */

OP_INFER(one_hot)
{
    const struct tensor *x = step->inputs[0], *depth = step->inputs[1], *values = step->inputs[2];
    int64_t dims[RANK_MAX];
    size_t axis;
    if (x == NULL || depth == NULL || values == NULL) return step_bad(err, "an input is missing");
    if (depth->data == NULL || depth->count != 1 || values->count != 2)
        return step_bad(err, "depth is not one constant number, or values are not two");
    float number = depth->kind == KIND_FLOAT ? tensor_floats(depth)[0] : (float)tensor_ints(depth)[0];
    if (!(number >= 0 && number <= 0x1p31f)) return step_bad(err, "depth is out of range");
    if (x->rank + 1 > RANK_MAX || !axis_of(node_int(step->node, "axis", -1), x->rank + 1, &axis))
        return step_bad(err, "axis is out of range");
    for (size_t i = 0; i <= x->rank; i++)
        dims[i] = i == axis ? (int64_t)number : x->dims[i < axis ? i : i - 1];
    return step_output(step, 0, values->kind, x->rank + 1, dims, err);
}

/* Indices that lie beyond the depth mark nothing. */
static size_t hot_place(const struct tensor *x, size_t at, size_t depth)
{
    float f = x->kind == KIND_FLOAT ? tensor_floats(x)[at] : 0.0f;
    if (x->kind == KIND_FLOAT && !(f >= -0x1p31f && f <= 0x1p31f)) return depth;
    int64_t i = x->kind == KIND_FLOAT ? (int64_t)f : tensor_ints(x)[at];
    if (i < 0) i += (int64_t)depth;
    return i < 0 || i >= (int64_t)depth ? depth : (size_t)i;
}

OP_RUN(one_hot)
{
    const struct tensor *x = step->inputs[0], *values = step->inputs[2], *out = step->result;
    size_t axis = 0;
    (void)run;
    axis_of(node_int(step->node, "axis", -1), out->rank, &axis);
    struct along a = along_axis(out, axis);
    for (size_t i = 0; i < out->count; i++) {
        if (out->kind == KIND_FLOAT)
            tensor_floats(out)[i] = tensor_floats(values)[0];
        else
            tensor_ints(out)[i] = tensor_ints(values)[0];
    }
    for (size_t i = 0; i < x->count && out->count > 0; i++) {
        size_t place = hot_place(x, i, a.count),
               at = (i / a.behind * a.count + place) * a.behind + i % a.behind;
        if (place == a.count) continue;
        if (out->kind == KIND_FLOAT)
            tensor_floats(out)[at] = tensor_floats(values)[1];
        else
            tensor_ints(out)[at] = tensor_ints(values)[1];
    }
}
