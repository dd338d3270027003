/* op_move.c - operators that only move numbers: Transpose, Concat, Split, Slice, Gather, Expand, Tile, Pad,
 * DepthToSpace, SpaceToDepth. They take numbers of both kinds. */
#include "op.h"

#include <string.h>

#define TASK_ITEMS ((size_t)16384) /* numbers that one task moves, about */

/* ---- copying ---- */

void dense_strides(size_t rank, const int64_t *dims, int64_t *strides)
{
    int64_t step = 1;
    for (size_t i = rank; i-- > 0; step *= dims[i])
        strides[i] = step;
}

#define STRIDED_RANK_MAX (2 * RANK_MAX) /* a Tile counts each axis twice */

struct strided_job {
    uint8_t *dst;
    const uint8_t *src;
    size_t rank, item, rows, rows_a_task;
    const int64_t *dims, *strides;
};

static void copy_row(uint8_t *dst, const uint8_t *src, size_t n, int64_t stride, size_t item)
{
    if (stride == 1) {
        memcpy(dst, src, n * item);
    } else if (item == 4) {
        uint32_t *to = (uint32_t *)(void *)dst;
        const uint32_t *from = (const uint32_t *)(const void *)src;
        for (size_t i = 0; i < n; i++)
            to[i] = from[(int64_t)i * stride];
    } else {
        uint64_t *to = (uint64_t *)(void *)dst;
        const uint64_t *from = (const uint64_t *)(const void *)src;
        for (size_t i = 0; i < n; i++)
            to[i] = from[(int64_t)i * stride];
    }
}

static void strided_task(void *arg, size_t index, unsigned thread)
{
    const struct strided_job *job = arg;
    size_t last = job->rank - 1, n = (size_t)job->dims[last], row = index * job->rows_a_task;
    size_t end = job->rows - row < job->rows_a_task ? job->rows : row + job->rows_a_task;
    int64_t places[STRIDED_RANK_MAX], at = 0;
    size_t rest = row;
    (void)thread;
    for (size_t i = last; i-- > 0; rest /= (size_t)job->dims[i]) {
        places[i] = (int64_t)(rest % (size_t)job->dims[i]);
        at += places[i] * job->strides[i];
    }
    for (; row < end; row++) {
        copy_row(job->dst + row * n * job->item, job->src + at * (int64_t)job->item, n, job->strides[last],
                 job->item);
        for (size_t i = last; i-- > 0;) {
            at += job->strides[i];
            if (++places[i] < job->dims[i]) break;
            at -= places[i] * job->strides[i];
            places[i] = 0;
        }
    }
}

/* Neighbouring dims that are walked as one become one; those of size 1 go. */
static size_t merge_dims(size_t rank, const int64_t *dims, const int64_t *strides, int64_t *merged,
                         int64_t *steps)
{
    size_t count = 0;
    for (size_t i = 0; i < rank; i++) {
        if (dims[i] == 1) continue;
        if (count > 0 && steps[count - 1] == strides[i] * dims[i]) {
            merged[count - 1] *= dims[i];
            steps[count - 1] = strides[i];
            continue;
        }
        merged[count] = dims[i];
        steps[count++] = strides[i];
    }
    return count;
}

void copy_strided(const struct run *run, void *dst, const void *src, size_t rank, const int64_t *dims,
                  const int64_t *strides, size_t item)
{
    int64_t merged[STRIDED_RANK_MAX], steps[STRIDED_RANK_MAX];
    size_t rows = 1, count = merge_dims(rank, dims, strides, merged, steps);
    if (count == 0) { /* one number, with any number of dims */
        memcpy(dst, src, item);
        return;
    }
    for (size_t i = 0; i + 1 < count; i++)
        rows *= (size_t)merged[i];
    size_t n = (size_t)merged[count - 1];
    if (rows == 0 || n == 0) return;
    struct strided_job job = {dst, src, count, item, rows, TASK_ITEMS / n + 1, merged, steps};
    bst_pool_run(run->pool, (rows + job.rows_a_task - 1) / job.rows_a_task, strided_task, &job);
}

struct blocks_job {
    uint8_t *dst;
    const uint8_t *src;
    size_t dst_step, src_step, block, pieces; /* bytes */
};

static void blocks_task(void *arg, size_t index, unsigned thread)
{
    const struct blocks_job *job = arg;
    size_t piece = index % job->pieces, block = index / job->pieces, bytes = TASK_ITEMS * 8,
           at = piece * bytes;
    (void)thread;
    if (job->block - at < bytes) bytes = job->block - at;
    memcpy(job->dst + block * job->dst_step + at, job->src + block * job->src_step + at, bytes);
}

/* count blocks of bytes, each some bytes after the one before. */
static void copy_blocks(const struct run *run, void *dst, size_t dst_step, const void *src, size_t src_step,
                        size_t block, size_t count)
{
    struct blocks_job job = {dst,      src,   dst_step,
                             src_step, block, (block + TASK_ITEMS * 8 - 1) / (TASK_ITEMS * 8)};
    bst_pool_run(run->pool, count * job.pieces, blocks_task, &job);
}

/* Products of the dims before and behind an axis. */
static void around_axis(const struct tensor *t, size_t axis, size_t *before, size_t *behind)
{
    *before = *behind = 1;
    for (size_t i = 0; i < t->rank; i++) {
        if (i < axis) *before *= (size_t)t->dims[i];
        if (i > axis) *behind *= (size_t)t->dims[i];
    }
}

/* ---- Transpose ---- */

bool transpose_axes(const struct step *step, size_t *axes)
{
    size_t rank = step->inputs[0]->rank;
    const struct attribute *a = node_attribute(step->node, "perm");
    bool seen[RANK_MAX] = {false};
    if (a != NULL && (a->type != ATTRIBUTE_INTS || a->count != rank)) return false;
    for (size_t i = 0; i < rank; i++) {
        axes[i] = rank - 1 - i;
        if (a != NULL && (a->ints[i] < 0 || !axis_of(a->ints[i], rank, &axes[i]))) return false;
        if (seen[axes[i]]) return false;
        seen[axes[i]] = true;
    }
    return true;
}

OP_INFER(transpose)
{
    size_t axes[RANK_MAX];
    int64_t dims[RANK_MAX];
    const struct tensor *x = step->inputs[0];
    if (!transpose_axes(step, axes)) return step_bad(err, "perm is no permutation of the input's dimensions");
    for (size_t i = 0; i < x->rank; i++)
        dims[i] = x->dims[axes[i]];
    return step_output(step, 0, x->kind, x->rank, dims, err);
}

OP_RUN(transpose)
{
    size_t axes[RANK_MAX];
    int64_t dense[RANK_MAX], strides[RANK_MAX];
    const struct tensor *x = step->inputs[0], *out = step->result;
    transpose_axes(step, axes);
    dense_strides(x->rank, x->dims, dense);
    for (size_t i = 0; i < x->rank; i++)
        strides[i] = dense[axes[i]];
    copy_strided(run, out->data, x->data, out->rank, out->dims, strides, tensor_item(x));
}

/* ---- Concat and Split ---- */

OP_INFER(concat)
{
    size_t axis;
    const struct tensor *first = step->inputs[0];
    int64_t dims[RANK_MAX], total = 0;
    if (!axis_of(node_int(step->node, "axis", 0), first->rank, &axis))
        return step_bad(err, "axis is out of range");
    for (size_t i = 0; i < step->input_count; i++) {
        const struct tensor *x = step->inputs[i];
        if (x == NULL || x->kind != first->kind || x->rank != first->rank)
            return step_bad(err, "input %zu is of another type or rank than the first", i);
        for (size_t d = 0; d < x->rank; d++)
            if (d != axis && x->dims[d] != first->dims[d])
                return step_bad(err, "input %zu differs from the first in dimension %zu (%lld, not %lld)", i,
                                d, (long long)x->dims[d], (long long)first->dims[d]);
        total += x->dims[axis];
    }
    memcpy(dims, first->dims, sizeof dims);
    dims[axis] = total;
    return step_output(step, 0, first->kind, first->rank, dims, err);
}

OP_RUN(concat)
{
    const struct tensor *out = step->result;
    size_t axis = 0, before, behind, at = 0, item = tensor_item(out);
    axis_of(node_int(step->node, "axis", 0), out->rank, &axis);
    around_axis(out, axis, &before, &behind);
    size_t row = (size_t)out->dims[axis] * behind * item;
    for (size_t i = 0; i < step->input_count; i++) {
        size_t block = (size_t)step->inputs[i]->dims[axis] * behind * item;
        bool there = (uint8_t *)out->data + at == step->inputs[i]->data; /* made in its place: see plan.c */
        if (block > 0 && !there)
            copy_blocks(run, (uint8_t *)out->data + at, row, step->inputs[i]->data, block, block, before);
        at += block;
    }
}

OP_INFER(split)
{
    size_t axis, count;
    const struct tensor *x = step->inputs[0];
    const int64_t *sizes;
    int64_t dims[RANK_MAX], total = 0;
    if (!axis_of(node_int(step->node, "axis", 0), x->rank, &axis))
        return step_bad(err, "axis is out of range");
    enum bst_code code = step_list(step, "split", 1, &sizes, &count, err);
    if (code != BST_OK) return code;
    if (sizes != NULL && count != step->output_count)
        return step_bad(err, "split names another number of outputs");
    int64_t parts = (int64_t)step->output_count, each = (x->dims[axis] + parts - 1) / parts;
    memcpy(dims, x->dims, sizeof dims);
    for (size_t i = 0; i < step->output_count && code == BST_OK; i++) {
        int64_t left = x->dims[axis] - total;
        dims[axis] = sizes != NULL ? sizes[i] : each < left ? each : left;
        if (dims[axis] < 0 || dims[axis] > left) return step_bad(err, "the parts are larger than the input");
        total += dims[axis];
        code = step_output(step, i, x->kind, x->rank, dims, err);
    }
    if (code == BST_OK && total != x->dims[axis])
        return step_bad(err, "the parts do not add up to the input");
    return code;
}

OP_RUN(split)
{
    const struct tensor *x = step->inputs[0];
    const int64_t *sizes;
    size_t axis = 0, count, before, behind, at = 0, item = tensor_item(x);
    struct bst_error ignored;
    axis_of(node_int(step->node, "axis", 0), x->rank, &axis);
    step_list(step, "split", 1, &sizes, &count, &ignored);
    around_axis(x, axis, &before, &behind);
    int64_t parts = (int64_t)step->output_count, each = (x->dims[axis] + parts - 1) / parts, done = 0;
    for (size_t i = 0; i < step->output_count; i++) {
        int64_t left = x->dims[axis] - done, size = sizes != NULL ? sizes[i] : each < left ? each : left;
        size_t block = (size_t)size * behind * item;
        if (step->outputs[i] != NULL && block > 0)
            copy_blocks(run, step->outputs[i]->data, block, (const uint8_t *)x->data + at,
                        (size_t)x->dims[axis] * behind * item, block, before);
        at += block;
        done += size;
    }
}

/* ---- Slice ---- */

enum bst_code slice_read(const struct step *step, int64_t *dims, int64_t *begin, int64_t *stride,
                         struct bst_error *err)
{
    const struct tensor *x = step->inputs[0], *lists[5];
    for (size_t i = 1; i < 5; i++) {
        enum bst_code code = step_constant(step, i, KIND_INT, &lists[i], err);
        if (code != BST_OK) return code;
    }
    if (lists[1] == NULL || lists[2] == NULL || lists[1]->count != lists[2]->count ||
        (lists[3] != NULL && lists[3]->count != lists[1]->count) ||
        (lists[4] != NULL && lists[4]->count != lists[1]->count) || lists[1]->count > x->rank)
        return step_bad(err, "starts, ends, axes and steps are not of one length");
    for (size_t i = 0; i < x->rank; i++) {
        dims[i] = x->dims[i];
        begin[i] = 0;
        stride[i] = 1;
    }
    for (size_t i = 0; i < lists[1]->count; i++) {
        size_t axis;
        int64_t start = tensor_ints(lists[1])[i], end = tensor_ints(lists[2])[i];
        int64_t by = lists[4] != NULL ? tensor_ints(lists[4])[i] : 1;
        if (!axis_of(lists[3] != NULL ? tensor_ints(lists[3])[i] : (int64_t)i, x->rank, &axis) || by == 0 ||
            by < -INT32_MAX || by > INT32_MAX)
            return step_bad(err, "axes or steps are out of range");
        int64_t size = x->dims[axis], low = by > 0 ? 0 : -1, high = by > 0 ? size : size - 1;
        if (start < 0) start = start < -size ? low : start + size;
        if (end < 0) end = end < -size ? low : end + size;
        start = start < low ? low : start > high ? high : start;
        end = end < low ? low : end > high ? high : end;
        int64_t reach = by > 0 ? end - start : start - end, every = by > 0 ? by : -by;
        dims[axis] = reach > 0 ? (reach + every - 1) / every : 0;
        begin[axis] = dims[axis] > 0 ? start : 0;
        stride[axis] = by;
    }
    return BST_OK;
}

bool slice_crops(const struct step *slice, int64_t *y, int64_t *x)
{
    int64_t dims[RANK_MAX], begin[RANK_MAX], stride[RANK_MAX];
    const struct tensor *in = slice->inputs[0];
    struct bst_error ignored;
    if (slice->op->infer != slice_infer || in->rank != 4 || in->kind != KIND_FLOAT ||
        slice_read(slice, dims, begin, stride, &ignored) != BST_OK)
        return false;
    for (size_t i = 0; i < 4; i++)
        if (stride[i] != 1 || dims[i] < 1 || (i < 2 && dims[i] != in->dims[i])) return false;
    *y = begin[2];
    *x = begin[3];
    return true;
}

OP_INFER(slice)
{
    int64_t dims[RANK_MAX], begin[RANK_MAX], stride[RANK_MAX];
    enum bst_code code = slice_read(step, dims, begin, stride, err);
    return code != BST_OK ? code
                          : step_output(step, 0, step->inputs[0]->kind, step->inputs[0]->rank, dims, err);
}

OP_RUN(slice)
{
    int64_t dims[RANK_MAX], begin[RANK_MAX], stride[RANK_MAX], dense[RANK_MAX], at = 0;
    const struct tensor *x = step->inputs[0];
    struct bst_error ignored;
    if (step->result->count == 0 || slice_read(step, dims, begin, stride, &ignored) != BST_OK) return;
    dense_strides(x->rank, x->dims, dense);
    for (size_t i = 0; i < x->rank; i++) {
        at += begin[i] * dense[i];
        stride[i] *= dense[i];
    }
    copy_strided(run, step->result->data, (const uint8_t *)x->data + at * (int64_t)tensor_item(x), x->rank,
                 dims, stride, tensor_item(x));
}

/* ---- Gather ---- */

OP_INFER(gather)
{
    const struct tensor *x = step->inputs[0], *indices = step->inputs[1];
    int64_t dims[2 * RANK_MAX];
    size_t axis, rank = 0;
    if (!axis_of(node_int(step->node, "axis", 0), x->rank, &axis))
        return step_bad(err, "axis is out of range");
    if (indices->kind != KIND_INT) return step_bad(err, "the indices are no whole numbers");
    for (size_t i = 0; indices->data != NULL && i < indices->count; i++) {
        size_t place;
        if (!axis_of(tensor_ints(indices)[i], (size_t)x->dims[axis], &place))
            return step_bad(err, "index %lld is out of range", (long long)tensor_ints(indices)[i]);
    }
    for (size_t i = 0; i < x->rank; i++) {
        if (i != axis) {
            dims[rank++] = x->dims[i];
            continue;
        }
        for (size_t k = 0; k < indices->rank; k++)
            dims[rank++] = indices->dims[k];
    }
    return step_output(step, 0, x->kind, rank, dims, err);
}

struct gather_job {
    const struct step *step;
    size_t size, block, blocks, blocks_a_task; /* of the axis; bytes behind one place of it */
    atomic_bool *out_of_range;
};

static void gather_task(void *arg, size_t index, unsigned thread)
{
    const struct gather_job *job = arg;
    const struct tensor *x = job->step->inputs[0], *indices = job->step->inputs[1];
    (void)thread;
    for (size_t i = index * job->blocks_a_task; i < job->blocks && i < (index + 1) * job->blocks_a_task;
         i++) {
        size_t place, row = i / indices->count;
        if (axis_of(tensor_ints(indices)[i % indices->count], job->size, &place))
            memcpy((uint8_t *)job->step->result->data + i * job->block,
                   (const uint8_t *)x->data + (row * job->size + place) * job->block, job->block);
        else
            *job->out_of_range = true;
    }
}

OP_RUN(gather)
{
    const struct tensor *x = step->inputs[0], *indices = step->inputs[1];
    size_t axis = 0, before, behind;
    axis_of(node_int(step->node, "axis", 0), x->rank, &axis);
    around_axis(x, axis, &before, &behind);
    if (step->result->count == 0) return;
    struct gather_job job = {step, (size_t)x->dims[axis], behind * tensor_item(x), before * indices->count,
                             0,    run->out_of_range};
    job.blocks_a_task = TASK_ITEMS / behind + 1;
    bst_pool_run(run->pool, (job.blocks + job.blocks_a_task - 1) / job.blocks_a_task, gather_task, &job);
}

/* ---- Expand and Tile ---- */

OP_INFER(expand)
{
    const struct tensor *x = step->inputs[0], *shape;
    int64_t dims[RANK_MAX];
    enum bst_code code = step_constant(step, 1, KIND_INT, &shape, err);
    if (code != BST_OK) return code;
    size_t rank = shape->count > x->rank ? shape->count : x->rank;
    if (rank > RANK_MAX) return step_bad(err, "the output would have %zu dimensions", rank);
    for (size_t i = 0; i < rank; i++) {
        int64_t a = i + x->rank < rank ? 1 : x->dims[i + x->rank - rank];
        int64_t b = i + shape->count < rank ? 1 : tensor_ints(shape)[i + shape->count - rank];
        if (a != b && a != 1 && b != 1) return step_bad(err, "the shape does not fit the input");
        dims[i] = a == 1 ? b : a;
    }
    return step_output(step, 0, x->kind, rank, dims, err);
}

OP_RUN(expand)
{
    const struct tensor *x = step->inputs[0], *out = step->result;
    int64_t dense[RANK_MAX], strides[RANK_MAX];
    dense_strides(x->rank, x->dims, dense);
    for (size_t i = 0; i < out->rank; i++) {
        size_t lead = out->rank - x->rank;
        strides[i] = i < lead || x->dims[i - lead] == 1 ? 0 : dense[i - lead];
    }
    copy_strided(run, out->data, x->data, out->rank, out->dims, strides, tensor_item(x));
}

OP_INFER(tile)
{
    const struct tensor *x = step->inputs[0], *repeats;
    int64_t dims[RANK_MAX];
    enum bst_code code = step_constant(step, 1, KIND_INT, &repeats, err);
    if (code != BST_OK) return code;
    if (repeats->count != x->rank || x->rank > RANK_MAX / 2)
        return step_bad(err, "repeats does not fit an input of %zu dimensions", x->rank);
    for (size_t i = 0; i < x->rank; i++) {
        int64_t times = tensor_ints(repeats)[i];
        if (times < 0 || times > INT32_MAX) return step_bad(err, "repeats are out of range");
        dims[i] = x->dims[i] * times;
    }
    return step_output(step, 0, x->kind, x->rank, dims, err);
}

OP_RUN(tile)
{
    const struct tensor *x = step->inputs[0];
    int64_t dense[RANK_MAX], dims[RANK_MAX], strides[RANK_MAX];
    dense_strides(x->rank, x->dims, dense);
    for (size_t i = 0; i < x->rank; i++) { /* each axis as two: the repeats, then the numbers */
        dims[2 * i] = tensor_ints(step->inputs[1])[i];
        strides[2 * i] = 0;
        dims[2 * i + 1] = x->dims[i];
        strides[2 * i + 1] = dense[i];
    }
    copy_strided(run, step->result->data, x->data, 2 * x->rank, dims, strides, tensor_item(x));
}

/* ---- DepthToSpace and SpaceToDepth ---- */

static bool block_size(const struct step *step, int64_t *block)
{
    *block = node_int(step->node, "blocksize", 0);
    return *block >= 1 && *block <= 64;
}

OP_INFER(depth_to_space)
{
    int64_t b;
    enum bst_code code = step_float(step, 0, 4, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0];
    const char *mode = node_string(step->node, "mode", "DCR");
    if (!block_size(step, &b) || x->dims[1] % (b * b) != 0)
        return step_bad(err, "blocksize does not divide %lld channels", (long long)x->dims[1]);
    if (strcmp(mode, "DCR") != 0 && strcmp(mode, "CRD") != 0)
        return step_bad(err, "mode '%.20s' is unknown", mode);
    int64_t dims[4] = {x->dims[0], x->dims[1] / (b * b), x->dims[2] * b, x->dims[3] * b};
    return step_output(step, 0, KIND_FLOAT, 4, dims, err);
}

struct depth_job {
    const struct step *step;
    const struct bst_kernels *kernels;
    size_t block;
    bool dcr;
};

/* One row of the output gathers from block channels of the input. */
static void depth_task(void *arg, size_t index, unsigned thread)
{
    const struct depth_job *job = arg;
    const struct tensor *x = job->step->inputs[0], *out = job->step->result;
    size_t b = job->block, h = (size_t)x->dims[2], w = (size_t)x->dims[3], channels = (size_t)out->dims[1];
    size_t y = index % (h * b), c = index / (h * b) % channels, n = index / (h * b) / channels;
    float *to = tensor_floats(out) + index * w * b;
    (void)thread;
    if (b == 2) {
        size_t first = y % 2 * 2, apart = job->dcr ? channels : 1;
        size_t from = job->dcr ? first * channels + c : c * 4 + first;
        const float *row = tensor_floats(x) + ((n * (size_t)x->dims[1] + from) * h + y / 2) * w;
        job->kernels->interleave(row, row + apart * h * w, to, w);
        return;
    }
    for (size_t j = 0; j < b; j++) {
        size_t place = y % b * b + j, from = job->dcr ? place * channels + c : c * b * b + place;
        const float *row = tensor_floats(x) + ((n * (size_t)x->dims[1] + from) * h + y / b) * w;
        for (size_t i = 0; i < w; i++)
            to[i * b + j] = row[i];
    }
}

OP_RUN(depth_to_space)
{
    int64_t b = 1;
    block_size(step, &b);
    bool dcr = strcmp(node_string(step->node, "mode", "DCR"), "DCR") == 0;
    struct depth_job job = {step, run->kernels, (size_t)b, dcr};
    const struct tensor *out = step->result;
    bst_pool_run(run->pool, (size_t)(out->dims[0] * out->dims[1] * out->dims[2]), depth_task, &job);
}

OP_INFER(space_to_depth)
{
    int64_t b;
    enum bst_code code = step_float(step, 0, 4, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0];
    if (!block_size(step, &b) || x->dims[2] % b != 0 || x->dims[3] % b != 0)
        return step_bad(err, "blocksize does not divide the input's sides");
    if (strcmp(node_string(step->node, "mode", "DCR"), "DCR") != 0) /* no operator set up to 21 has another */
        return step_bad(err, "mode '%.20s' is not supported", node_string(step->node, "mode", ""));
    int64_t dims[4] = {x->dims[0], x->dims[1] * b * b, x->dims[2] / b, x->dims[3] / b};
    return step_output(step, 0, KIND_FLOAT, 4, dims, err);
}

OP_RUN(space_to_depth)
{
    const struct tensor *x = step->inputs[0];
    int64_t b = 1, c = x->dims[1], h = x->dims[2], w = x->dims[3];
    block_size(step, &b);
    int64_t dims[6] = {x->dims[0], b, b, c, h / b, w / b};
    int64_t strides[6] = {c * h * w, w, 1, h * w, b * w, b};
    copy_strided(run, step->result->data, x->data, 6, dims, strides, sizeof(float));
}
