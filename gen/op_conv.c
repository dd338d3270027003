/* op_conv.c - Conv and ConvTranspose in two dimensions. */
#include "kernel_conv.h"

#include <string.h>

struct window { /* attributes of both */
    int64_t kernel[2], stride[2], dilation[2];
    int64_t begin[2], end[2]; /* padding */
    int64_t group;
    const char *auto_pad;
};

#define SIDE_MAX   1024 /* of kernels, dilations, paddings */
#define STRIDE_MAX 64

static bool within(const int64_t *list, size_t count, int64_t low, int64_t high)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] < low || list[i] > high) return false;
    return true;
}

static enum bst_code read_window(const struct step *step, struct window *w, struct bst_error *err)
{
    const struct tensor *x = step->inputs[0], *weights = step->inputs[1];
    int64_t pads[4], given[2];
    enum bst_code code = step_float(step, 0, 4, err);
    if (code == BST_OK) code = step_float(step, 1, 4, err);
    if (code != BST_OK) return code;
    if (weights->data == NULL)
        return step_bad(err, "the weights depend on the picture's data, which is not supported");
    w->kernel[0] = weights->dims[2];
    w->kernel[1] = weights->dims[3];
    w->group = node_int(step->node, "group", 1);
    w->auto_pad = node_string(step->node, "auto_pad", "NOTSET");
    if (!node_ints(step->node, "strides", 2, 1, w->stride) ||
        !node_ints(step->node, "dilations", 2, 1, w->dilation) ||
        !node_ints(step->node, "pads", 4, 0, pads) || !within(w->stride, 2, 1, STRIDE_MAX) ||
        !within(w->dilation, 2, 1, SIDE_MAX) || !within(pads, 4, 0, SIDE_MAX) ||
        !within(w->kernel, 2, 1, SIDE_MAX))
        return step_bad(err, "strides, dilations, pads or kernel are out of range");
    if (!node_ints(step->node, "kernel_shape", 2, -1, given) ||
        (given[0] != -1 && (given[0] != w->kernel[0] || given[1] != w->kernel[1])))
        return step_bad(err, "kernel_shape contradicts the weights");
    for (size_t i = 0; i < 2; i++) {
        w->begin[i] = pads[i];
        w->end[i] = pads[i + 2];
    }
    if (w->group < 1 || w->group > x->dims[1] || x->dims[1] % w->group != 0)
        return step_bad(err, "%lld groups do not divide %lld channels", (long long)w->group,
                        (long long)x->dims[1]);
    for (size_t i = 0; i < 4; i++)
        if (x->dims[i] < 1 || weights->dims[i] < 1) return step_bad(err, "an input is empty");
    return BST_OK;
}

static enum bst_code check_bias(const struct step *step, int64_t channels, struct bst_error *err)
{
    const struct tensor *bias = step_input(step, 2);
    if (bias == NULL) return BST_OK;
    if (bias->kind != KIND_FLOAT || bias->count != (size_t)channels || bias->data == NULL)
        return step_bad(err, "the bias is not a constant of %lld numbers", (long long)channels);
    return BST_OK;
}

/* ---- Conv ---- */

/* auto_pad turned into numbers; the sides of the output. */
static bool conv_sides(struct window *w, const int64_t *in, int64_t *out)
{
    bool upper = strcmp(w->auto_pad, "SAME_UPPER") == 0, lower = strcmp(w->auto_pad, "SAME_LOWER") == 0;
    for (size_t i = 0; i < 2; i++) {
        int64_t reach = (w->kernel[i] - 1) * w->dilation[i] + 1;
        if (upper || lower) {
            int64_t wanted = (in[i] + w->stride[i] - 1) / w->stride[i];
            int64_t total = (wanted - 1) * w->stride[i] + reach - in[i];
            if (total < 0) total = 0;
            w->begin[i] = lower ? total - total / 2 : total / 2;
            w->end[i] = total - w->begin[i];
        } else if (strcmp(w->auto_pad, "VALID") == 0) {
            w->begin[i] = w->end[i] = 0;
        }
        int64_t room = in[i] + w->begin[i] + w->end[i] - reach;
        if (room < 0) return false;
        out[i] = room / w->stride[i] + 1;
    }
    return true;
}

static enum bst_code read_conv(const struct step *step, struct window *w, int64_t out[4],
                               struct bst_error *err)
{
    enum bst_code code = read_window(step, w, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0], *weights = step->inputs[1];
    if (weights->dims[1] != x->dims[1] / w->group || weights->dims[0] % w->group != 0)
        return step_bad(err, "the weights take %lld channels a group where the input has %lld",
                        (long long)weights->dims[1], (long long)(x->dims[1] / w->group));
    out[0] = x->dims[0];
    out[1] = weights->dims[0];
    if (!conv_sides(w, x->dims + 2, out + 2))
        return step_bad(err, "the input of %lld by %lld is smaller than the kernel", (long long)x->dims[3],
                        (long long)x->dims[2]);
    return check_bias(step, out[1], err);
}

OP_INFER(conv)
{
    struct window w;
    int64_t out[4];
    enum bst_code code = read_conv(step, &w, out, err);
    return code != BST_OK ? code : step_output(step, 0, KIND_FLOAT, 4, out, err);
}

OP_PREPARE(conv)
{
    struct window w;
    int64_t out[4];
    enum bst_code code = read_conv(step, &w, out, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0], *weights = step->inputs[1], *bias = step_input(step, 2);
    struct conv *c = step_take(step, 1, sizeof *c);
    size_t taps = (size_t)(w.kernel[0] * w.kernel[1]);
    size_t *tap = step_take(step, 3 * taps, sizeof *tap);
    if (c == NULL || tap == NULL) return bst_fail_memory(err);
    size_t *tap_y = tap, *tap_x = tap + taps, *place = tap + 2 * taps;
    for (size_t k = 0; k < taps; k++) {
        tap_y[k] = k / (size_t)w.kernel[1] * (size_t)w.dilation[0];
        tap_x[k] = k % (size_t)w.kernel[1] * (size_t)w.dilation[1];
        place[k] = k;
    }
    *c = (struct conv){.outer = (size_t)out[0],
                       .groups = (size_t)w.group,
                       .in_channels = (size_t)weights->dims[1],
                       .out_channels = (size_t)(out[1] / w.group),
                       .in_h = (size_t)x->dims[2],
                       .in_w = (size_t)x->dims[3],
                       .out_h = (size_t)out[2],
                       .out_w = (size_t)out[3],
                       .stride_y = (size_t)w.stride[0],
                       .stride_x = (size_t)w.stride[1],
                       .taps = taps,
                       .tap_y = tap_y,
                       .tap_x = tap_x,
                       .pad_y = w.begin[0],
                       .pad_x = w.begin[1],
                       .full_h = (size_t)out[2],
                       .full_w = (size_t)out[3],
                       .step_y = 1,
                       .step_x = 1};
    code = conv_make(step, c, kernels, threads, err);
    if (code != BST_OK) return code;
    size_t inside = c->in_channels * taps;
    conv_pack(c, tensor_floats(weights), c->out_channels * inside, inside, taps, place,
              bias != NULL ? tensor_floats(bias) : NULL);
    step->prepared = c;
    return BST_OK;
}

OP_RUN(conv)
{
    conv_execute(step->prepared, step, run, tensor_floats(step->inputs[0]), tensor_floats(step->result));
}

/* ---- ConvTranspose ---- */

struct transposed {
    size_t part_count;
    struct conv *parts; /* one for each residue of the output place by the stride */
};

static enum bst_code read_transposed(const struct step *step, struct window *w, int64_t out[4],
                                     struct bst_error *err)
{
    int64_t extra[2], wanted[2];
    enum bst_code code = read_window(step, w, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0], *weights = step->inputs[1];
    if (weights->dims[0] != x->dims[1]) return step_bad(err, "the weights take another number of channels");
    if (!node_ints(step->node, "output_padding", 2, 0, extra) || !within(extra, 2, 0, SIDE_MAX) ||
        !node_ints(step->node, "output_shape", 2, -1, wanted) ||
        (wanted[0] != -1 && !within(wanted, 2, 1, INT32_MAX)))
        return step_bad(err, "output_padding or output_shape is out of range");
    bool same = strncmp(w->auto_pad, "SAME", 4) == 0;
    for (size_t i = 0; i < 2; i++) {
        int64_t in = x->dims[i + 2], reach = (w->kernel[i] - 1) * w->dilation[i] + 1;
        int64_t size = (in - 1) * w->stride[i] + reach + extra[i];
        if (strcmp(w->auto_pad, "VALID") == 0) w->begin[i] = w->end[i] = 0;
        if (same && wanted[i] < 0) wanted[i] = in * w->stride[i];
        if (wanted[i] >= 0) {
            int64_t total = size - wanted[i];
            if (total < 0) return step_bad(err, "output_shape is larger than the operator can fill");
            w->begin[i] = strcmp(w->auto_pad, "SAME_UPPER") == 0 ? total / 2 : total - total / 2;
            if (!same) w->begin[i] = total / 2;
            w->end[i] = total - w->begin[i];
        }
        out[i + 2] = size - w->begin[i] - w->end[i];
        if (out[i + 2] < 1) return step_bad(err, "the padding leaves nothing of the output");
    }
    out[0] = x->dims[0];
    out[1] = weights->dims[1] * w->group;
    return check_bias(step, out[1], err);
}

OP_INFER(conv_transpose)
{
    struct window w;
    int64_t out[4];
    enum bst_code code = read_transposed(step, &w, out, err);
    return code != BST_OK ? code : step_output(step, 0, KIND_FLOAT, 4, out, err);
}

/* One axis of one part. Output place u = y + begin takes input (u - k * dilation) / stride where that is
 * whole: of the taps k with k * dilation = residue (mod stride), input place (u - residue) / stride -
 * shift[k]. */
struct axis_part {
    size_t first, count; /* outputs first, first + stride, ... */
    int64_t pad;         /* padded place minus input place, for the first output */
    size_t taps;
    size_t tap[SIDE_MAX], at[SIDE_MAX]; /* kernel place, and place in padded coordinates */
};

static void axis_part_make(const struct window *w, size_t axis, int64_t residue, int64_t out,
                           struct axis_part *part)
{
    int64_t stride = w->stride[axis], dilation = w->dilation[axis], furthest = 0;
    int64_t first = ((residue - w->begin[axis]) % stride + stride) % stride;
    part->first = (size_t)first;
    part->count = first < out ? (size_t)((out - first + stride - 1) / stride) : 0;
    part->taps = 0;
    for (int64_t k = 0; k < w->kernel[axis]; k++) {
        if (k * dilation % stride != residue) continue;
        furthest = (k * dilation - residue) / stride;
        part->tap[part->taps++] = (size_t)k;
    }
    for (size_t i = 0; i < part->taps; i++)
        part->at[i] = (size_t)(furthest - ((int64_t)part->tap[i] * dilation - residue) / stride);
    part->pad = furthest - (first + w->begin[axis] - residue) / stride;
}

static enum bst_code part_make(struct step *step, const struct window *w, const int64_t *out,
                               int64_t residue_y, int64_t residue_x, struct axis_part axes[2], struct conv *c,
                               const struct bst_kernels *kernels, unsigned threads, struct bst_error *err)
{
    const struct tensor *x = step->inputs[0], *weights = step->inputs[1], *bias = step_input(step, 2);
    axis_part_make(w, 0, residue_y, out[2], &axes[0]);
    axis_part_make(w, 1, residue_x, out[3], &axes[1]);
    if (axes[0].count == 0 || axes[1].count == 0) return BST_OK;
    size_t taps = axes[0].taps * axes[1].taps, kernel = (size_t)(w->kernel[0] * w->kernel[1]);
    size_t *tap = step_take(step, 3 * taps, sizeof *tap);
    if (tap == NULL) return bst_fail_memory(err);
    for (size_t k = 0; k < taps; k++) {
        size_t ky = k / axes[1].taps, kx = k % axes[1].taps;
        tap[k] = axes[0].at[ky];
        tap[taps + k] = axes[1].at[kx];
        tap[2 * taps + k] = axes[0].tap[ky] * (size_t)w->kernel[1] + axes[1].tap[kx];
    }
    *c = (struct conv){.outer = (size_t)out[0],
                       .groups = (size_t)w->group,
                       .in_channels = (size_t)(x->dims[1] / w->group),
                       .out_channels = (size_t)weights->dims[1],
                       .in_h = (size_t)x->dims[2],
                       .in_w = (size_t)x->dims[3],
                       .out_h = axes[0].count,
                       .out_w = axes[1].count,
                       .stride_y = 1,
                       .stride_x = 1,
                       .taps = taps,
                       .tap_y = tap,
                       .tap_x = tap + taps,
                       .pad_y = axes[0].pad,
                       .pad_x = axes[1].pad,
                       .full_h = (size_t)out[2],
                       .full_w = (size_t)out[3],
                       .place_y = axes[0].first,
                       .place_x = axes[1].first,
                       .step_y = (size_t)w->stride[0],
                       .step_x = (size_t)w->stride[1]};
    enum bst_code code = conv_make(step, c, kernels, threads, err);
    if (code != BST_OK) return code;
    conv_pack(c, tensor_floats(weights), c->in_channels * c->out_channels * kernel, kernel,
              c->out_channels * kernel, tap + 2 * taps, bias != NULL ? tensor_floats(bias) : NULL);
    return BST_OK;
}

OP_PREPARE(conv_transpose)
{
    struct window w;
    int64_t out[4];
    enum bst_code code = read_transposed(step, &w, out, err);
    if (code != BST_OK) return code;
    struct transposed *t = step_take(step, 1, sizeof *t);
    struct axis_part *axes = step_take(step, 2, sizeof *axes);
    if (t == NULL || axes == NULL) return bst_fail_memory(err);
    t->parts = step_take(step, (size_t)(w.stride[0] * w.stride[1]), sizeof *t->parts);
    if (t->parts == NULL) return bst_fail_memory(err);
    for (int64_t y = 0; y < w.stride[0] && code == BST_OK; y++) {
        for (int64_t x = 0; x < w.stride[1] && code == BST_OK; x++) {
            struct conv *c = &t->parts[t->part_count];
            code = part_make(step, &w, out, y, x, axes, c, kernels, threads, err);
            if (c->out_h > 0) t->part_count++;
        }
    }
    step->prepared = t;
    return code;
}

OP_RUN(conv_transpose)
{
    const struct transposed *t = step->prepared;
    for (size_t i = 0; i < t->part_count; i++)
        conv_execute(&t->parts[i], step, run, tensor_floats(step->inputs[0]), tensor_floats(step->result));
}
