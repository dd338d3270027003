/* op_conv_transpose.c - ConvTranspose over one, two or three sides: for each residue of the output place by
 * the stride, a convolution of its own with the taps that meet an input there. */
#include "op_conv.h"

#include <string.h>

static enum bst_code read_transposed(const struct step *step, struct window *w, int64_t *out,
                                     struct bst_error *err)
{
    int64_t extra[SIDES], wanted[SIDES];
    enum bst_code code = window_read(step, w, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0], *weights = step->inputs[1];
    if (weights->dims[0] != x->dims[1]) return step_bad(err, "the weights take another number of channels");
    if (w->stride[0] * w->stride[1] * w->stride[2] > CONV_STRIDES_MAX)
        return step_bad(err, "the product of the strides is out of range");
    if (!window_list(step, "output_padding", w->sides, 0, extra) || !window_within(extra, 0, CONV_SIDE_MAX) ||
        !window_list(step, "output_shape", w->sides, -1, wanted) || !window_within(wanted, -1, INT32_MAX))
        return step_bad(err, "output_padding or output_shape is out of range");
    bool same = strncmp(w->auto_pad, "SAME", 4) == 0, upper = strcmp(w->auto_pad, "SAME_UPPER") == 0;
    for (size_t i = 0; i < SIDES; i++) {
        int64_t reach = (w->kernel[i] - 1) * w->dilation[i] + 1;
        int64_t size = (w->in[i] - 1) * w->stride[i] + reach + extra[i];
        if (i + w->sides < SIDES) { /* a side that is not there */
            out[i] = 1;
            continue;
        }
        if (strcmp(w->auto_pad, "VALID") == 0) w->begin[i] = w->end[i] = 0;
        if (same && wanted[i] < 0) wanted[i] = w->in[i] * w->stride[i];
        if (wanted[i] >= 0) {
            int64_t total = size > wanted[i] ? size - wanted[i] : 0; /* beyond size lies only the bias */
            w->begin[i] = upper || !same ? total / 2 : total - total / 2;
            w->end[i] = total - w->begin[i];
            size = wanted[i] + total;
        }
        out[i] = size - w->begin[i] - w->end[i];
        if (out[i] < 1) return step_bad(err, "the padding leaves nothing of the output");
    }
    return window_check_bias(step, weights->dims[1] * w->group, err);
}

OP_INFER(conv_transpose)
{
    struct window w;
    int64_t out[SIDES];
    enum bst_code code = read_transposed(step, &w, out, err);
    return code != BST_OK ? code : window_output(step, &w, step->inputs[1]->dims[1] * w.group, out, err);
}

/* One axis of one part. Output place u = y + begin takes input (u - k * dilation) / stride where that is
 * whole: of the taps k with k * dilation = residue (mod stride), input place (u - residue) / stride -
 * shift[k]. */
struct axis_part {
    size_t first, count; /* outputs first, first + stride, ... */
    int64_t pad;         /* padded place minus input place, for the first output */
    size_t taps;
    size_t tap[CONV_SIDE_MAX], at[CONV_SIDE_MAX]; /* kernel place, and place in padded coordinates */
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

/* What making the parts needs beside the step. */
struct making {
    const struct window *w;
    const int64_t *out;
    const struct bst_kernels *kernels;
    unsigned threads;
    struct axis_part depth, row, column;
};

static enum bst_code part_make(struct step *step, const struct making *m, size_t slices,
                               struct conv_part *part, struct bst_error *err)
{
    const struct tensor *x = step->inputs[0], *weights = step->inputs[1];
    const struct axis_part *row = &m->row, *column = &m->column;
    size_t taps = row->taps * column->taps;
    size_t *tap = step_take(step, 3 * taps, sizeof *tap);
    if (tap == NULL) return bst_fail_memory(err);
    for (size_t k = 0; k < taps; k++) {
        size_t ky = k / column->taps, kx = k % column->taps;
        tap[k] = row->at[ky];
        tap[taps + k] = column->at[kx];
        tap[2 * taps + k] = row->tap[ky] * (size_t)m->w->kernel[2] + column->tap[kx];
    }
    part->place = tap + 2 * taps;
    part->conv = (struct conv){.outer = (size_t)x->dims[0],
                               .groups = (size_t)m->w->group,
                               .in_channels = (size_t)(x->dims[1] / m->w->group) * slices,
                               .out_channels = (size_t)weights->dims[1],
                               .slices = slices,
                               .in_h = (size_t)m->w->in[1],
                               .in_w = (size_t)m->w->in[2],
                               .out_h = row->count,
                               .out_w = column->count,
                               .stride_y = 1,
                               .stride_x = 1,
                               .taps = taps,
                               .tap_y = tap,
                               .tap_x = tap + taps,
                               .pad_y = row->pad,
                               .pad_x = column->pad,
                               .full_h = (size_t)(m->out[0] * m->out[1]),
                               .full_w = (size_t)m->out[2],
                               .place_y = row->first,
                               .place_x = column->first,
                               .step_y = (size_t)m->w->stride[1],
                               .step_x = (size_t)m->w->stride[2]};
    return conv_make(step, &part->conv, m->kernels, m->threads, err);
}

/* The slices of one residue of the depth, in a part for each residue of row and column. */
static enum bst_code set_make(struct step *step, struct making *m, struct slices *set, struct bst_error *err)
{
    const struct window *w = m->w;
    const struct axis_part *depth = &m->depth;
    *set = (struct slices){.first = depth->first,
                           .step = (size_t)w->stride[0],
                           .count = depth->count,
                           .taps = depth->taps,
                           .advance = 1};
    set->tap = step_take(step, set->taps, sizeof *set->tap);
    set->base = step_take(step, set->taps, sizeof *set->base);
    set->parts = step_take(step, (size_t)(w->stride[1] * w->stride[2]), sizeof *set->parts);
    if (set->tap == NULL || set->base == NULL || set->parts == NULL) return bst_fail_memory(err);
    for (size_t t = 0; t < set->taps; t++) {
        set->tap[t] = depth->tap[t];
        set->base[t] = (int64_t)depth->at[t] - depth->pad;
    }
    for (int64_t y = 0; y < w->stride[1]; y++) {
        axis_part_make(w, 1, y, m->out[1], &m->row);
        for (int64_t x = 0; x < w->stride[2]; x++) {
            axis_part_make(w, 2, x, m->out[2], &m->column);
            if (m->row.count == 0 || m->column.count == 0) continue;
            enum bst_code code = part_make(step, m, set->taps, &set->parts[set->part_count++], err);
            if (code != BST_OK) return code;
        }
    }
    return BST_OK;
}

OP_PREPARE(conv_transpose)
{
    struct window w;
    int64_t out[SIDES];
    enum bst_code code = read_transposed(step, &w, out, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0];
    struct convolution *c = step_take(step, 1, sizeof *c);
    struct making *m = step_take(step, 1, sizeof *m);
    if (c == NULL || m == NULL) return bst_fail_memory(err);
    m->w = &w;
    m->out = out;
    m->kernels = kernels;
    m->threads = threads;
    *c = (struct convolution){.batch = (size_t)x->dims[0],
                              .channels = (size_t)x->dims[1],
                              .in_depth = (size_t)w.in[0],
                              .in_plane = (size_t)(w.in[1] * w.in[2]),
                              .out_rows = (size_t)out[1],
                              .transposed = true,
                              .kernel = (size_t)(w.kernel[0] * w.kernel[1] * w.kernel[2]),
                              .kernel_plane = (size_t)(w.kernel[1] * w.kernel[2])};
    step->prepared = c;
    if (conv_transpose_by_winograd(step, &w, out))
        return conv_transpose_winograd_make(step, &w, out, c, kernels, threads, err);
    c->sets = step_take(step, (size_t)w.stride[0], sizeof *c->sets);
    if (c->sets == NULL) return bst_fail_memory(err);
    for (int64_t z = 0; z < w.stride[0] && code == BST_OK; z++) {
        axis_part_make(&w, 0, z, out[0], &m->depth);
        if (m->depth.count > 0) code = set_make(step, m, &c->sets[c->set_count++], err);
    }
    return code == BST_OK ? convolution_finish(step, c, err) : code;
}

OP_RUN(conv_transpose)
{
    const struct convolution *c = step->prepared;
    if (c->transpose != NULL)
        conv_transpose_winograd_run(c, step, run);
    else
        convolution_run(c, step, run);
}

size_t conv_transpose_block(const struct step *step)
{
    struct window w;
    int64_t out[SIDES];
    struct bst_error ignored;
    bool winograd =
        read_transposed(step, &w, out, &ignored) == BST_OK && conv_transpose_by_winograd(step, &w, out);
    return winograd ? TRANSPOSE_IN : 1;
}
