/* op_pad.c - Pad in the modes constant, reflect, edge and wrap, where negative pads crop; CenterCropPad. */
#include "op.h"

#include <string.h>

struct padding {
    int64_t begin[RANK_MAX], end[RANK_MAX];
    enum { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP } mode;
};

static enum bst_code read_mode(const struct step *step, struct padding *p, struct bst_error *err)
{
    static const char *const names[] = {"constant", "reflect", "edge", "wrap"};
    const char *mode = node_string(step->node, "mode", "constant");
    for (size_t i = 0; i < 4; i++) {
        if (strcmp(mode, names[i]) != 0) continue;
        p->mode = i == 0 ? PAD_CONSTANT : i == 1 ? PAD_REFLECT : i == 2 ? PAD_EDGE : PAD_WRAP;
        return BST_OK;
    }
    return step_bad(err, "mode '%.20s' is unknown", mode);
}

/* CenterCropPad: half of what an axis lacks, or has too much, at either end; an odd rest at the far one. */
static enum bst_code read_center(const struct step *step, struct padding *p, struct bst_error *err)
{
    const struct tensor *x = step->inputs[0], *shape;
    const int64_t *axes;
    size_t count, axis;
    memset(p, 0, sizeof *p);
    enum bst_code code = step_constant(step, 1, KIND_INT, &shape, err);
    if (code == BST_OK) code = step_list(step, "axes", SIZE_MAX, &axes, &count, err);
    if (code != BST_OK) return code;
    if (shape == NULL || shape->count != (axes != NULL ? count : x->rank))
        return step_bad(err, "the shape does not have one number for each axis");
    for (size_t i = 0; i < shape->count; i++) {
        int64_t wanted = tensor_ints(shape)[i];
        if (!axis_of(axes != NULL ? axes[i] : (int64_t)i, x->rank, &axis))
            return step_bad(err, "axes are out of range");
        if (wanted < 0 || wanted > INT32_MAX) return step_bad(err, "the shape is out of range");
        p->begin[axis] = (wanted - x->dims[axis]) / 2;
        p->end[axis] = wanted - x->dims[axis] - p->begin[axis];
    }
    return BST_OK;
}

static enum bst_code read_padding(const struct step *step, struct padding *p, struct bst_error *err)
{
    const struct tensor *x = step->inputs[0], *axes, *value = step_input(step, 2);
    const int64_t *pads;
    size_t pad_count;
    if (strcmp(step->op->name, "CenterCropPad") == 0) return read_center(step, p, err);
    memset(p, 0, sizeof *p);
    enum bst_code code = read_mode(step, p, err);
    if (code == BST_OK) code = step_list(step, "pads", 1, &pads, &pad_count, err);
    if (code == BST_OK) code = step_constant(step, 3, KIND_INT, &axes, err);
    if (code != BST_OK) return code;
    if (pads == NULL) return step_bad(err, "there are no pads");
    size_t count = axes != NULL ? axes->count : x->rank;
    if (pad_count != 2 * count) return step_bad(err, "there are %zu pads for %zu axes", pad_count, count);
    if (value != NULL && (value->data == NULL || value->count != 1 || value->kind != x->kind))
        return step_bad(err, "the value to pad with is not one constant number");
    for (size_t i = 0; i < count; i++) {
        size_t axis;
        int64_t begin = pads[i], end = pads[count + i];
        if (!axis_of(axes != NULL ? tensor_ints(axes)[i] : (int64_t)i, x->rank, &axis))
            return step_bad(err, "axes are out of range");
        if (begin < -INT32_MAX || begin > INT32_MAX || end < -INT32_MAX || end > INT32_MAX)
            return step_bad(err, "pads are out of range");
        if (p->mode != PAD_CONSTANT && x->dims[axis] == 0) return step_bad(err, "the input is empty");
        p->begin[axis] = begin;
        p->end[axis] = end;
    }
    return BST_OK;
}

OP_INFER(pad)
{
    struct padding p;
    int64_t dims[RANK_MAX];
    const struct tensor *x = step->inputs[0];
    enum bst_code code = read_padding(step, &p, err);
    if (code != BST_OK) return code;
    for (size_t i = 0; i < x->rank; i++)
        dims[i] = x->dims[i] + p.begin[i] + p.end[i];
    return step_output(step, 0, x->kind, x->rank, dims, err);
}

/* The input's place for place i counted from its first; -1: the constant. */
static int64_t source_place(const struct padding *p, int64_t i, int64_t size)
{
    if (i >= 0 && i < size) return i;
    if (p->mode == PAD_CONSTANT) return -1;
    if (p->mode == PAD_EDGE) return i < 0 ? 0 : size - 1;
    if (p->mode == PAD_WRAP) return (i % size + size) % size;
    int64_t period = 2 * (size - 1);
    if (period == 0) return 0;
    i = (i % period + period) % period;
    return i < size ? i : period - i;
}

struct pad_job {
    const struct step *step;
    struct padding padding;
    uint8_t value[8];
    size_t item;
};

static void pad_row(const struct pad_job *job, uint8_t *to, const uint8_t *from)
{
    const struct tensor *x = job->step->inputs[0], *out = job->step->result;
    size_t last = out->rank - 1, item = job->item;
    int64_t n = out->dims[last], size = x->dims[last], begin = job->padding.begin[last], j = 0;
    while (j < n) {
        int64_t i = j - begin;
        if (from != NULL && i >= 0 && i < size) { /* all of the input's own row at once */
            int64_t run = size - i < n - j ? size - i : n - j;
            memcpy(to + (size_t)j * item, from + (size_t)i * item, (size_t)run * item);
            j += run;
            continue;
        }
        int64_t place = from != NULL ? source_place(&job->padding, i, size) : -1;
        memcpy(to + (size_t)j * item, place < 0 ? job->value : from + (size_t)place * item, item);
        j++;
    }
}

static void pad_task(void *arg, size_t index, unsigned thread)
{
    const struct pad_job *job = arg;
    const struct tensor *x = job->step->inputs[0], *out = job->step->result;
    size_t last = out->rank - 1, rest = index;
    int64_t at = 0, step = x->dims[last];
    bool outside = false;
    (void)thread;
    for (size_t i = last; i-- > 0; rest /= (size_t)out->dims[i]) {
        int64_t place = source_place(
            &job->padding, (int64_t)(rest % (size_t)out->dims[i]) - job->padding.begin[i], x->dims[i]);
        outside = outside || place < 0;
        at += place * step;
        step *= x->dims[i];
    }
    size_t row = (size_t)out->dims[last] * job->item;
    pad_row(job, (uint8_t *)out->data + index * row,
            outside ? NULL : (const uint8_t *)x->data + (size_t)at * job->item);
}

OP_RUN(pad)
{
    struct pad_job job = {.step = step, .item = tensor_item(step->inputs[0])};
    struct bst_error ignored;
    const struct tensor *value = step_input(step, 2), *out = step->result;
    if (out->count == 0 || read_padding(step, &job.padding, &ignored) != BST_OK) return;
    float old = node_float(step->node, "value", 0.0f); /* an attribute before operator set 11 */
    if (value != NULL)
        memcpy(job.value, value->data, job.item);
    else if (step->inputs[0]->kind == KIND_FLOAT)
        memcpy(job.value, &old, sizeof old);
    if (out->rank == 0) {
        memcpy(out->data, step->inputs[0]->data, job.item);
        return;
    }
    bst_pool_run(run->pool, out->count / (size_t)out->dims[out->rank - 1], pad_task, &job);
}

int64_t pad_before(const struct step *step, size_t axis)
{
    struct padding p;
    struct bst_error ignored;
    return read_padding(step, &p, &ignored) == BST_OK ? p.begin[axis] : 0;
}

int64_t pad_source(const struct step *step, size_t axis, int64_t place)
{
    struct padding p;
    struct bst_error ignored;
    if (read_padding(step, &p, &ignored) != BST_OK) return -1;
    return source_place(&p, place - p.begin[axis], step->inputs[0]->dims[axis]);
}
