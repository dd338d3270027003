/* op_cast.c - numbers of one type as those of another: Cast, CastLike, DequantizeLinear. */
#include "onnx.h"
#include "op.h"

#include <string.h>

#define TASK_ITEMS ((size_t)16384) /* numbers that one task converts */

/* ---- Cast ---- */

/* What Cast or CastLike makes; false for a type that is not supported. The whole types of constants and inputs are
 * all kept as int64, so that CastLike cannot tell which one it is to make. */
static bool target(const struct step *step, int64_t *type)
{
    enum kind kind;
    *type = node_int(step->node, "to", 0);
    if (step->input_count == 2) *type = step->inputs[1]->kind == KIND_FLOAT ? ONNX_FLOAT : 0;
    return onnx_kind(*type, &kind);
}

OP_INFER(cast)
{
    const struct tensor *x = step->inputs[0];
    int64_t to;
    enum kind kind;
    if (!target(step, &to)) return step_bad(err, "type %s is not supported", onnx_type_name(to));
    onnx_kind(to, &kind);
    step->alias = kind == x->kind && (kind == KIND_FLOAT || to == ONNX_INT64 || to == ONNX_UINT64);
    return step_output(step, 0, kind, x->rank, x->dims, err);
}

static int64_t whole(float x)
{
    if (!(x > -0x1p63f && x < 0x1p63f)) return 0;
    return (int64_t)x;
}

/* The low bits of a number, as many as the type has. */
static int64_t wrapped(int64_t x, int64_t type)
{
    switch (type) {
    case ONNX_BOOL:
        return x != 0;
    case ONNX_INT8:
        return (int8_t)(uint8_t)x;
    case ONNX_UINT8:
        return (uint8_t)x;
    case ONNX_INT16:
        return (int16_t)(uint16_t)x;
    case ONNX_UINT16:
        return (uint16_t)x;
    case ONNX_INT32:
        return (int32_t)(uint32_t)x;
    case ONNX_UINT32:
        return (uint32_t)x;
    default:
        return x;
    }
}

struct cast_job {
    const struct step *step;
    int64_t to;
};

static void cast_task(void *arg, size_t index, unsigned thread)
{
    const struct cast_job *job = arg;
    const struct tensor *x = job->step->inputs[0], *out = job->step->result;
    (void)thread;
    for (size_t i = index * TASK_ITEMS; i < x->count && i < (index + 1) * TASK_ITEMS; i++) {
        if (out->kind == KIND_FLOAT)
            tensor_floats(out)[i] = (float)tensor_ints(x)[i];
        else if (x->kind == KIND_INT)
            tensor_ints(out)[i] = wrapped(tensor_ints(x)[i], job->to);
        else if (job->to == ONNX_BOOL)
            tensor_ints(out)[i] = tensor_floats(x)[i] != 0.0f;
        else
            tensor_ints(out)[i] = wrapped(whole(tensor_floats(x)[i]), job->to);
    }
}

OP_RUN(cast)
{
    struct cast_job job = {.step = step};
    target(step, &job.to);
    bst_pool_run(run->pool, (step->result->count + TASK_ITEMS - 1) / TASK_ITEMS, cast_task, &job);
}

/* ---- DequantizeLinear ---- */

/* The scale (and zero point) of number i is that at (i / outer * steps + i % outer / block) * inner + i % inner. */
struct blocks {
    size_t outer, steps, block, inner;
};

static enum bst_code read_blocks(const struct step *step, struct blocks *b, struct bst_error *err)
{
    const struct tensor *x = step->inputs[0], *scale = step->inputs[1], *zero = step_input(step, 2);
    int64_t size = node_int(step->node, "block_size", 0);
    size_t axis = 0;
    if (scale->kind != KIND_FLOAT ||
        (zero != NULL && (zero->kind != KIND_INT || !tensor_same_dims(zero, scale))))
        return step_bad(err, "the scale or the zero point is of the wrong type or dimensions");
    *b = (struct blocks){x->count + 1, 0, x->count + 1, 1};
    if (scale->count == 1 && scale->rank <= 1) return BST_OK; /* one scale for all */
    if (!axis_of(node_int(step->node, "axis", 1), x->rank, &axis))
        return step_bad(err, "axis is out of range");
    size_t behind = 1;
    for (size_t i = axis + 1; i < x->rank; i++)
        behind *= (size_t)x->dims[i];
    b->outer = (size_t)x->dims[axis] * behind;
    if (scale->rank == 1) { /* one for each place of the axis */
        b->block = behind;
        return scale->count == (size_t)x->dims[axis] ? BST_OK
                                                     : step_bad(err, "the scale does not fit the axis");
    }
    b->steps = (size_t)scale->dims[axis < scale->rank ? axis : 0];
    b->block = (size_t)(size > 0 ? size : 1) * behind;
    b->inner = behind;
    bool fits = scale->rank == x->rank && size > 0 && size <= INT32_MAX;
    for (size_t i = 0; i < x->rank && fits; i++)
        fits = scale->dims[i] == (i == axis ? (x->dims[i] + size - 1) / size : x->dims[i]);
    return fits ? BST_OK : step_bad(err, "the blocks of the scale do not fit the input");
}

OP_INFER(dequantize)
{
    const struct tensor *x = step->inputs[0];
    struct blocks b;
    if (x->kind != KIND_INT) return step_bad(err, "input 0 holds floating-point numbers, not whole ones");
    enum bst_code code = read_blocks(step, &b, err);
    return code == BST_OK ? step_output(step, 0, KIND_FLOAT, x->rank, x->dims, err) : code;
}

struct dequantize_job {
    const struct step *step;
    struct blocks blocks;
};

static void dequantize_task(void *arg, size_t index, unsigned thread)
{
    const struct dequantize_job *job = arg;
    const struct blocks *b = &job->blocks;
    const struct tensor *x = job->step->inputs[0], *zero = step_input(job->step, 2);
    (void)thread;
    for (size_t i = index * TASK_ITEMS; i < x->count && i < (index + 1) * TASK_ITEMS; i++) {
        size_t at = (i / b->outer * b->steps + i % b->outer / b->block) * b->inner + i % b->inner;
        uint64_t from = zero != NULL ? (uint64_t)tensor_ints(zero)[at] : 0;
        tensor_floats(job->step->result)[i] =
            (float)(int64_t)((uint64_t)tensor_ints(x)[i] - from) * tensor_floats(job->step->inputs[1])[at];
    }
}

OP_RUN(dequantize)
{
    struct dequantize_job job = {.step = step};
    struct bst_error ignored;
    read_blocks(step, &job.blocks, &ignored);
    bst_pool_run(run->pool, (step->result->count + TASK_ITEMS - 1) / TASK_ITEMS, dequantize_task, &job);
}
