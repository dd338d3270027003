/* op_index.c - operators that read or write at places given by indices: GatherElements, GatherND, ScatterElements,
 * ScatterND; and Trilu. They take numbers of both kinds; an index beyond its axis fails the run. */
#include "op.h"

#include <string.h>

#define TASK_ITEMS ((size_t)4096)

static void copy_number(const struct tensor *to, size_t at, const struct tensor *from, size_t place)
{
    if (to->kind == KIND_FLOAT)
        tensor_floats(to)[at] = tensor_floats(from)[place];
    else
        tensor_ints(to)[at] = tensor_ints(from)[place];
}

struct index_job {
    const struct step *step;
    const struct run *run;
    size_t axis, block; /* block: numbers that one index of the ND forms moves */
    size_t places;      /* indices of the ND forms */
};

/* The place in t that number index of indices names: its own coordinates, but for the axis. */
static bool element_place(const struct tensor *t, const struct tensor *indices, size_t axis, size_t index,
                          size_t *out)
{
    size_t step = 1, rest = index, at = 0, place;
    for (size_t i = t->rank; i-- > 0; step *= (size_t)t->dims[i]) {
        size_t here = rest % (size_t)indices->dims[i];
        rest /= (size_t)indices->dims[i];
        if (i == axis && !axis_of(tensor_ints(indices)[index], (size_t)t->dims[i], &place)) return false;
        at += (i == axis ? place : here) * step;
    }
    *out = at;
    return true;
}

/* Indices as large as t or smaller, but for the axis. */
static enum bst_code check_elements(const struct step *step, const struct tensor *t,
                                    const struct tensor *indices, struct bst_error *err)
{
    size_t axis;
    if (t == NULL || indices == NULL || indices->kind != KIND_INT || indices->rank != t->rank)
        return step_bad(err, "the indices are no whole numbers of the data's rank");
    if (!axis_of(node_int(step->node, "axis", 0), t->rank, &axis))
        return step_bad(err, "axis is out of range");
    for (size_t i = 0; i < t->rank; i++)
        if (i != axis && indices->dims[i] > t->dims[i])
            return step_bad(err, "there are more indices than data in dimension %zu", i);
    return BST_OK;
}

static size_t axis_in(const struct step *step)
{
    size_t axis = 0;
    axis_of(node_int(step->node, "axis", 0), step->inputs[0]->rank, &axis);
    return axis;
}

/* ---- GatherElements ---- */

OP_INFER(gather_elements)
{
    const struct tensor *x = step->inputs[0], *indices = step->inputs[1];
    enum bst_code code = check_elements(step, x, indices, err);
    return code != BST_OK ? code : step_output(step, 0, x->kind, indices->rank, indices->dims, err);
}

static void gather_elements_task(void *arg, size_t index, unsigned thread)
{
    const struct index_job *job = arg;
    const struct tensor *x = job->step->inputs[0], *indices = job->step->inputs[1];
    size_t place;
    (void)thread;
    for (size_t i = index * TASK_ITEMS; i < (index + 1) * TASK_ITEMS && i < indices->count; i++) {
        if (element_place(x, indices, job->axis, i, &place))
            copy_number(job->step->result, i, x, place);
        else
            *job->run->out_of_range = true;
    }
}

OP_RUN(gather_elements)
{
    struct index_job job = {.step = step, .run = run, .axis = axis_in(step)};
    bst_pool_run(run->pool, (step->result->count + TASK_ITEMS - 1) / TASK_ITEMS, gather_elements_task, &job);
}

/* ---- GatherND ---- */

OP_INFER(gather_nd)
{
    const struct tensor *x = step->inputs[0], *indices = step->inputs[1];
    int64_t batch = node_int(step->node, "batch_dims", 0), dims[2 * RANK_MAX];
    if (x == NULL || indices == NULL || indices->kind != KIND_INT || indices->rank == 0)
        return step_bad(err, "the indices are no whole numbers");
    int64_t length = indices->dims[indices->rank - 1];
    if (batch < 0 || batch >= (int64_t)indices->rank || length < 1 || length > (int64_t)x->rank - batch)
        return step_bad(err, "the indices do not fit the data");
    size_t rank = 0;
    for (size_t i = 0; i + 1 < indices->rank; i++) {
        if (i < (size_t)batch && indices->dims[i] != x->dims[i])
            return step_bad(err, "the batches do not fit together");
        dims[rank++] = indices->dims[i];
    }
    for (size_t i = (size_t)(batch + length); i < x->rank; i++)
        dims[rank++] = x->dims[i];
    return step_output(step, 0, x->kind, rank, dims, err);
}

/* Where the block that the indices from at on name begins, in axes first to first + length - 1. */
static bool nd_place(const struct tensor *t, const struct tensor *indices, size_t at, size_t first,
                     size_t length, size_t block, size_t *out)
{
    size_t place = 0, here;
    for (size_t i = 0; i < length; i++) {
        if (!axis_of(tensor_ints(indices)[at + i], (size_t)t->dims[first + i], &here)) return false;
        place = place * (size_t)t->dims[first + i] + here;
    }
    *out = place * block;
    return true;
}

static size_t product_of(const int64_t *dims, size_t first, size_t end)
{
    size_t n = 1;
    for (size_t i = first; i < end; i++)
        n *= (size_t)dims[i];
    return n;
}

static void gather_nd_task(void *arg, size_t index, unsigned thread)
{
    const struct index_job *job = arg;
    const struct tensor *x = job->step->inputs[0], *indices = job->step->inputs[1], *out = job->step->result;
    size_t batch = (size_t)node_int(job->step->node, "batch_dims", 0);
    size_t length = (size_t)indices->dims[indices->rank - 1], item = tensor_item(x), place;
    size_t a_batch = product_of(indices->dims, batch, indices->rank - 1),
           data = product_of(x->dims, batch, x->rank);
    (void)thread;
    if (!nd_place(x, indices, index * length, batch, length, job->block, &place)) {
        *job->run->out_of_range = true;
        return;
    }
    place += index / a_batch * data;
    memcpy((uint8_t *)out->data + index * job->block * item, (const uint8_t *)x->data + place * item,
           job->block * item);
}

OP_RUN(gather_nd)
{
    const struct tensor *x = step->inputs[0], *indices = step->inputs[1];
    size_t used = (size_t)node_int(step->node, "batch_dims", 0) + (size_t)indices->dims[indices->rank - 1];
    struct index_job job = {.step = step, .run = run, .block = product_of(x->dims, used, x->rank)};
    if (step->result->count > 0)
        bst_pool_run(run->pool, step->result->count / job.block, gather_nd_task, &job);
}

/* ---- ScatterElements, ScatterND: one after the other, since places may come twice ---- */

static bool known_reduction(const struct step *step)
{
    static const char *const names[] = {"none", "add", "mul", "max", "min"};
    const char *name = node_string(step->node, "reduction", "none");
    for (size_t i = 0; i < 5; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

static void put_float(const char *how, float *to, float v)
{
    switch (how[1]) {
    case 'd': /* add */
        *to = *to + v;
        break;
    case 'u': /* mul */
        *to = *to * v;
        break;
    case 'a': /* max */
        *to = *to > v || *to != *to ? *to : v;
        break;
    case 'i': /* min */
        *to = *to < v || *to != *to ? *to : v;
        break;
    default: /* none */
        *to = v;
    }
}

static void put_int(const char *how, int64_t *to, int64_t v)
{
    switch (how[1]) {
    case 'd':
        *to = (int64_t)((uint64_t)*to + (uint64_t)v);
        break;
    case 'u':
        *to = (int64_t)((uint64_t)*to * (uint64_t)v);
        break;
    case 'a':
        *to = *to > v ? *to : v;
        break;
    case 'i':
        *to = *to < v ? *to : v;
        break;
    default:
        *to = v;
    }
}

static void put(const struct step *step, size_t at, size_t from)
{
    const char *how = node_string(step->node, "reduction", "none");
    if (step->result->kind == KIND_FLOAT)
        put_float(how, &tensor_floats(step->result)[at], tensor_floats(step->inputs[2])[from]);
    else
        put_int(how, &tensor_ints(step->result)[at], tensor_ints(step->inputs[2])[from]);
}

OP_INFER(scatter_elements)
{
    const struct tensor *x = step->inputs[0], *indices = step->inputs[1], *updates = step->inputs[2];
    enum bst_code code = check_elements(step, x, indices, err);
    if (code != BST_OK) return code;
    if (updates == NULL || updates->kind != x->kind || !tensor_same_dims(updates, indices) ||
        !known_reduction(step))
        return step_bad(err, "the updates do not fit the indices");
    return step_output(step, 0, x->kind, x->rank, x->dims, err);
}

OP_RUN(scatter_elements)
{
    const struct tensor *x = step->inputs[0], *indices = step->inputs[1];
    size_t axis = axis_in(step), place;
    memcpy(step->result->data, x->data, x->count * tensor_item(x));
    for (size_t i = 0; i < indices->count; i++) {
        if (element_place(x, indices, axis, i, &place))
            put(step, place, i);
        else
            *run->out_of_range = true;
    }
}

OP_INFER(scatter_nd)
{
    const struct tensor *x = step->inputs[0], *indices = step->inputs[1], *updates = step->inputs[2];
    int64_t dims[2 * RANK_MAX];
    if (x == NULL || indices == NULL || indices->kind != KIND_INT || indices->rank == 0)
        return step_bad(err, "the indices are no whole numbers");
    int64_t length = indices->dims[indices->rank - 1];
    if (length < 1 || length > (int64_t)x->rank) return step_bad(err, "the indices do not fit the data");
    size_t rank = indices->rank - 1;
    memcpy(dims, indices->dims, rank * sizeof *dims);
    for (size_t i = (size_t)length; i < x->rank; i++)
        dims[rank++] = x->dims[i];
    if (updates == NULL || updates->kind != x->kind || updates->rank != rank ||
        memcmp(updates->dims, dims, rank * sizeof *dims) != 0 || !known_reduction(step))
        return step_bad(err, "the updates do not fit the indices");
    return step_output(step, 0, x->kind, x->rank, x->dims, err);
}

OP_RUN(scatter_nd)
{
    const struct tensor *x = step->inputs[0], *indices = step->inputs[1];
    size_t length = (size_t)indices->dims[indices->rank - 1], block = product_of(x->dims, length, x->rank),
           place;
    memcpy(step->result->data, x->data, x->count * tensor_item(x));
    for (size_t i = 0; i < indices->count / length; i++) {
        if (!nd_place(x, indices, i * length, 0, length, block, &place)) {
            *run->out_of_range = true;
            continue;
        }
        for (size_t j = 0; j < block; j++)
            put(step, place + j, i * block + j);
    }
}

/* ---- Trilu ---- */

OP_INFER(trilu)
{
    const struct tensor *x = step->inputs[0], *k;
    enum bst_code code = step_constant(step, 1, KIND_INT, &k, err);
    if (code != BST_OK) return code;
    if (x == NULL || x->rank < 2 || (k != NULL && k->count != 1))
        return step_bad(err, "the input is no matrix, or k is not one number");
    return step_output(step, 0, x->kind, x->rank, x->dims, err);
}

/* A row keeps its places from the diagonal on, or up to it. */
static void trilu_task(void *arg, size_t index, unsigned thread)
{
    const struct index_job *job = arg;
    const struct tensor *x = job->step->inputs[0], *k = step_input(job->step, 1);
    bool upper = node_int(job->step->node, "upper", 1) != 0;
    int64_t n = x->dims[x->rank - 1], row = (int64_t)index % x->dims[x->rank - 2];
    int64_t shift = k != NULL ? tensor_ints(k)[0] : 0;
    shift = shift < -INT32_MAX ? -INT32_MAX : shift > INT32_MAX ? INT32_MAX : shift;
    int64_t edge = row + shift + (upper ? 0 : 1); /* first place of the right part */
    edge = edge < 0 ? 0 : edge > n ? n : edge;
    size_t item = tensor_item(x), begin = upper ? (size_t)edge : 0, end = upper ? (size_t)n : (size_t)edge;
    uint8_t *to = (uint8_t *)job->step->result->data + index * (size_t)n * item;
    (void)thread;
    memset(to, 0, (size_t)n * item);
    memcpy(to + begin * item, (const uint8_t *)x->data + (index * (size_t)n + begin) * item,
           (end - begin) * item);
}

OP_RUN(trilu)
{
    struct index_job job = {.step = step, .run = run};
    const struct tensor *x = step->inputs[0];
    if (x->count > 0) bst_pool_run(run->pool, x->count / (size_t)x->dims[x->rank - 1], trilu_task, &job);
}
