/* op_shape.c - operators that rename dims (Reshape, Flatten, Squeeze, Unsqueeze, Identity, Dropout), and that
 * make numbers out of dims or constants (Shape, Size, Constant, ConstantOfShape, Range). */
#include "op.h"

#include <math.h>
#include <string.h>

/* ---- other dims, same numbers ---- */

static enum bst_code alias_output(struct step *step, size_t rank, const int64_t *dims, struct bst_error *err)
{
    const struct tensor *x = step->inputs[0];
    char from[DIMS_TEXT], to[DIMS_TEXT];
    enum bst_code code = step_output(step, 0, x->kind, rank, dims, err);
    if (code != BST_OK) return code;
    if (step->outputs[0]->count != x->count)
        return step_bad(err, "%s cannot become %s", dims_text(x->rank, x->dims, from),
                        dims_text(rank, dims, to));
    step->alias = true;
    return BST_OK;
}

OP_RUN(alias)
{
    (void)step; /* the plan lets the output share the input's memory */
    (void)run;
}

OP_INFER(identity)
{
    if (strcmp(step->op->name, "Dropout") == 0) {
        const struct tensor *training = step_input(step, 2);
        if (training != NULL && (training->data == NULL || training->kind != KIND_INT ||
                                 training->count != 1 || tensor_ints(training)[0] != 0))
            return step_bad(err, "the model was exported in training mode, not for inference");
    }
    const struct tensor *x = step->inputs[0];
    if (step->output_count < 2 || step->outputs[1] == NULL) return alias_output(step, x->rank, x->dims, err);
    enum bst_code code = step_output(step, 0, x->kind, x->rank, x->dims, err);
    return code == BST_OK ? step_output(step, 1, KIND_INT, x->rank, x->dims, err) : code;
}

/* With Dropout's mask, of what is kept: all. */
OP_RUN(identity)
{
    (void)run;
    if (step->result->count > 0)
        memcpy(step->result->data, step->inputs[0]->data, tensor_bytes(step->result));
    for (size_t i = 0; i < step->outputs[1]->count; i++)
        tensor_ints(step->outputs[1])[i] = 1;
}

/* The first input's dims laid along the second's from an axis on, with ones behind them. */
OP_INFER(align)
{
    const struct tensor *x = step->inputs[0], *along = step->inputs[1];
    int64_t axis = node_int(step->node, "axis", 1), dims[RANK_MAX];
    if (x->count == 1) return alias_output(step, x->rank, x->dims, err);
    if (axis < 0 || axis > (int64_t)along->rank || x->rank > along->rank - (size_t)axis)
        return step_bad(err, "axis is out of range");
    size_t rank = along->rank - (size_t)axis;
    for (size_t i = 0; i < rank; i++)
        dims[i] = i < x->rank ? x->dims[i] : 1;
    return alias_output(step, rank, dims, err);
}

const struct op op_align = {"(aligned operand)", 2, 2, 1, 0, align_infer, NULL, alias_run};

OP_INFER(reshape)
{
    const struct tensor *x = step->inputs[0], *shape;
    int64_t dims[RANK_MAX], open = -1;
    size_t known = 1;
    bool keep_zero = node_int(step->node, "allowzero", 0) != 0;
    enum bst_code code = step_constant(step, 1, KIND_INT, &shape, err);
    if (code != BST_OK) return code;
    if (shape->count > RANK_MAX) return step_bad(err, "the shape has %zu dimensions", shape->count);
    for (size_t i = 0; i < shape->count; i++) {
        dims[i] = tensor_ints(shape)[i];
        if (dims[i] == 0 && !keep_zero) {
            if (i >= x->rank) return step_bad(err, "dimension %zu is copied from an input that lacks it", i);
            dims[i] = x->dims[i];
        }
        if (dims[i] == -1 && open < 0)
            open = (int64_t)i;
        else if (dims[i] < 0 || !bst_mul(known, (size_t)dims[i], &known))
            return step_bad(err, "the shape is impossible");
    }
    if (open >= 0) {
        if (known == 0 || x->count % known != 0)
            return step_bad(err, "%zu numbers do not divide into the shape", x->count);
        dims[open] = (int64_t)(x->count / known);
    }
    return alias_output(step, shape->count, dims, err);
}

OP_INFER(flatten)
{
    const struct tensor *x = step->inputs[0];
    int64_t axis = node_int(step->node, "axis", 1), dims[2] = {1, 1};
    if (axis < 0) axis += (int64_t)x->rank;
    if (axis < 0 || axis > (int64_t)x->rank) return step_bad(err, "axis is out of range");
    for (size_t i = 0; i < x->rank; i++)
        dims[(int64_t)i < axis ? 0 : 1] *= x->dims[i];
    return alias_output(step, 2, dims, err);
}

OP_INFER(squeeze)
{
    const struct tensor *x = step->inputs[0];
    const int64_t *axes;
    size_t count, rank = 0, axis;
    int64_t dims[RANK_MAX];
    bool drop[RANK_MAX] = {false};
    enum bst_code code = step_list(step, "axes", 1, &axes, &count, err);
    if (code != BST_OK) return code;
    for (size_t i = 0; i < count; i++) {
        if (!axis_of(axes[i], x->rank, &axis) || x->dims[axis] != 1)
            return step_bad(err, "axis %lld is not one of size 1", (long long)axes[i]);
        drop[axis] = true;
    }
    for (size_t i = 0; i < x->rank; i++)
        if (axes != NULL ? !drop[i] : x->dims[i] != 1) dims[rank++] = x->dims[i];
    return alias_output(step, rank, dims, err);
}

OP_INFER(unsqueeze)
{
    const struct tensor *x = step->inputs[0];
    const int64_t *axes;
    size_t count, axis;
    int64_t dims[RANK_MAX];
    bool added[RANK_MAX] = {false};
    enum bst_code code = step_list(step, "axes", 1, &axes, &count, err);
    if (code != BST_OK) return code;
    if (axes == NULL || x->rank + count > RANK_MAX) return step_bad(err, "axes are missing or too many");
    for (size_t i = 0; i < count; i++) {
        if (!axis_of(axes[i], x->rank + count, &axis) || added[axis])
            return step_bad(err, "axis %lld is out of range or named twice", (long long)axes[i]);
        added[axis] = true;
    }
    for (size_t i = 0, from = 0; i < x->rank + count; i++)
        dims[i] = added[i] ? 1 : x->dims[from++];
    return alias_output(step, x->rank + count, dims, err);
}

/* ---- numbers out of dims and constants ---- */

/* Shape's part of the dims: start and end since operator set 15. */
static void shape_range(const struct step *step, int64_t *start, int64_t *end)
{
    int64_t rank = (int64_t)step->inputs[0]->rank;
    *start = node_int(step->node, "start", 0);
    *end = node_int(step->node, "end", rank);
    *start = *start < 0 ? *start + rank : *start;
    *end = *end < 0 ? *end + rank : *end;
    *start = *start < 0 ? 0 : *start > rank ? rank : *start;
    *end = *end < *start ? *start : *end > rank ? rank : *end;
}

OP_INFER(shape)
{
    int64_t start, end;
    shape_range(step, &start, &end);
    int64_t count = end - start;
    return step_output(step, 0, KIND_INT, 1, &count, err);
}

OP_RUN(shape)
{
    int64_t start, end;
    (void)run;
    shape_range(step, &start, &end);
    memcpy(step->result->data, step->inputs[0]->dims + start, (size_t)(end - start) * sizeof(int64_t));
}

OP_INFER(size)
{
    return step_output(step, 0, KIND_INT, 0, NULL, err);
}

OP_RUN(size)
{
    (void)run;
    tensor_ints(step->result)[0] = (int64_t)step->inputs[0]->count;
}

OP_INFER(constant)
{
    if (step->node->attribute_count != 1) return step_bad(err, "a constant has one value");
    const struct attribute *a = &step->node->attributes[0];
    int64_t count = (int64_t)a->count;
    switch (a->type) {
    case ATTRIBUTE_TENSOR:
        return step_output(step, 0, a->t->kind, a->t->rank, a->t->dims, err);
    case ATTRIBUTE_FLOAT:
        return step_output(step, 0, KIND_FLOAT, 0, NULL, err);
    case ATTRIBUTE_INT:
        return step_output(step, 0, KIND_INT, 0, NULL, err);
    case ATTRIBUTE_FLOATS:
        return step_output(step, 0, KIND_FLOAT, 1, &count, err);
    case ATTRIBUTE_INTS:
        return step_output(step, 0, KIND_INT, 1, &count, err);
    default:
        return step_bad(err, "a constant of text is not supported");
    }
}

OP_RUN(constant)
{
    const struct attribute *a = &step->node->attributes[0];
    const void *from = a->type == ATTRIBUTE_TENSOR  ? a->t->data
                       : a->type == ATTRIBUTE_FLOAT ? (const void *)&a->f
                       : a->type == ATTRIBUTE_INT   ? (const void *)&a->i
                       : a->type == ATTRIBUTE_INTS  ? (const void *)a->ints
                                                    : (const void *)a->floats;
    (void)run;
    memcpy(step->result->data, from, step->result->count * tensor_item(step->result));
}

OP_INFER(constant_of_shape)
{
    const struct tensor *shape;
    const struct attribute *value = node_attribute(step->node, "value");
    enum bst_code code = step_constant(step, 0, KIND_INT, &shape, err);
    if (code != BST_OK) return code;
    if (value != NULL && (value->type != ATTRIBUTE_TENSOR || value->t->count != 1))
        return step_bad(err, "the value is not one number");
    return step_output(step, 0, value != NULL ? value->t->kind : KIND_FLOAT, shape->count, tensor_ints(shape),
                       err);
}

OP_RUN(constant_of_shape)
{
    const struct attribute *value = node_attribute(step->node, "value");
    size_t item = tensor_item(step->result);
    (void)run;
    for (size_t i = 0; i < step->result->count; i++) {
        if (value != NULL)
            memcpy((uint8_t *)step->result->data + i * item, value->t->data, item);
        else
            tensor_floats(step->result)[i] = 0.0f;
    }
}

/* The count is worked out in double precision. */
static enum bst_code float_range(struct step *step, struct bst_error *err)
{
    double start = (double)tensor_floats(step->inputs[0])[0],
           limit = (double)tensor_floats(step->inputs[1])[0];
    double numbers = ceil((limit - start) / (double)tensor_floats(step->inputs[2])[0]);
    if (!(numbers <= (double)INT32_MAX)) return step_bad(err, "start, limit or delta is out of range");
    int64_t count = numbers > 0 ? (int64_t)numbers : 0;
    return step_output(step, 0, KIND_FLOAT, 1, &count, err);
}

OP_INFER(range)
{
    for (size_t i = 0; i < 3; i++) {
        const struct tensor *t = step->inputs[i];
        if (t->data == NULL)
            return step_bad(err, "input %zu depends on the picture's data; it must be constant", i);
        if (t->kind != step->inputs[0]->kind || t->count != 1)
            return step_bad(err, "start, limit and delta are not three numbers of one type");
    }
    if (step->inputs[0]->kind == KIND_FLOAT) return float_range(step, err);
    int64_t start = tensor_ints(step->inputs[0])[0], limit = tensor_ints(step->inputs[1])[0];
    int64_t delta = tensor_ints(step->inputs[2])[0], count = 0;
    if (delta == 0 || start < INT32_MIN || start > INT32_MAX || limit < INT32_MIN || limit > INT32_MAX ||
        delta < INT32_MIN || delta > INT32_MAX)
        return step_bad(err, "start, limit or delta is out of range");
    if (delta > 0 && limit > start) count = (limit - start + delta - 1) / delta;
    if (delta < 0 && limit < start) count = (start - limit - delta - 1) / -delta;
    return step_output(step, 0, KIND_INT, 1, &count, err);
}

OP_RUN(range)
{
    (void)run;
    for (size_t i = 0; i < step->result->count; i++) {
        if (step->result->kind == KIND_FLOAT)
            tensor_floats(step->result)[i] =
                tensor_floats(step->inputs[0])[0] + (float)i * tensor_floats(step->inputs[2])[0];
        else
            tensor_ints(step->result)[i] =
                tensor_ints(step->inputs[0])[0] + (int64_t)i * tensor_ints(step->inputs[2])[0];
    }
}
