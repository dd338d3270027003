/* op_conv.c - Conv over one, two or three sides. */
#include "op_conv.h"

#include <string.h>

/* auto_pad turned into numbers; the sides of the output. */
static bool conv_sides(struct window *w, int64_t *out)
{
    bool upper = strcmp(w->auto_pad, "SAME_UPPER") == 0, lower = strcmp(w->auto_pad, "SAME_LOWER") == 0;
    for (size_t i = 0; i < SIDES; i++) {
        int64_t reach = (w->kernel[i] - 1) * w->dilation[i] + 1;
        if (upper || lower) {
            int64_t wanted = (w->in[i] + w->stride[i] - 1) / w->stride[i];
            int64_t total = (wanted - 1) * w->stride[i] + reach - w->in[i];
            if (total < 0) total = 0;
            w->begin[i] = lower ? total - total / 2 : total / 2;
            w->end[i] = total - w->begin[i];
        } else if (strcmp(w->auto_pad, "VALID") == 0) {
            w->begin[i] = w->end[i] = 0;
        }
        int64_t room = w->in[i] + w->begin[i] + w->end[i] - reach;
        if (room < 0) return false;
        out[i] = room / w->stride[i] + 1;
    }
    return true;
}

static enum bst_code read_conv(const struct step *step, struct window *w, int64_t *out, struct bst_error *err)
{
    char text[DIMS_TEXT];
    enum bst_code code = window_read(step, w, err);
    if (code != BST_OK) return code;
    const struct tensor *x = step->inputs[0], *weights = step->inputs[1];
    if (weights->dims[1] != x->dims[1] / w->group || weights->dims[0] % w->group != 0)
        return step_bad(err, "the weights take %lld channels a group where the input has %lld",
                        (long long)weights->dims[1], (long long)(x->dims[1] / w->group));
    if (!conv_sides(w, out))
        return step_bad(err, "the input of %s is smaller than the kernel",
                        dims_text(w->sides, x->dims + 2, text));
    return window_check_bias(step, weights->dims[0], err);
}

OP_INFER(conv)
{
    struct window w;
    int64_t out[SIDES];
    enum bst_code code = read_conv(step, &w, out, err);
    return code != BST_OK ? code : window_output(step, &w, step->inputs[1]->dims[0], out, err);
}

/* All slices of the output take all slices of the kernel. */
static enum bst_code conv_slices(struct step *step, const struct window *w, size_t depth, struct slices *set,
                                 struct bst_error *err)
{
    *set = (struct slices){.step = 1, .count = depth, .taps = (size_t)w->kernel[0], .advance = w->stride[0]};
    set->tap = step_take(step, set->taps, sizeof *set->tap);
    set->base = step_take(step, set->taps, sizeof *set->base);
    set->parts = step_take(step, 1, sizeof *set->parts);
    if (set->tap == NULL || set->base == NULL || set->parts == NULL) return bst_fail_memory(err);
    for (size_t t = 0; t < set->taps; t++) {
        set->tap[t] = t;
        set->base[t] = (int64_t)t * w->dilation[0] - w->begin[0];
    }
    set->part_count = 1;
    return BST_OK;
}

static enum bst_code conv_part(struct step *step, const struct window *w, const int64_t *out,
                               struct slices *set, const struct bst_kernels *kernels, unsigned threads,
                               struct bst_error *err)
{
    const struct tensor *x = step->inputs[0], *weights = step->inputs[1];
    size_t taps = (size_t)(w->kernel[1] * w->kernel[2]);
    size_t *tap = step_take(step, 3 * taps, sizeof *tap);
    if (tap == NULL) return bst_fail_memory(err);
    size_t *tap_y = tap, *tap_x = tap + taps, *place = tap + 2 * taps;
    for (size_t k = 0; k < taps; k++) {
        tap_y[k] = k / (size_t)w->kernel[2] * (size_t)w->dilation[1];
        tap_x[k] = k % (size_t)w->kernel[2] * (size_t)w->dilation[2];
        place[k] = k;
    }
    set->parts->place = place;
    set->parts->conv = (struct conv){.outer = (size_t)x->dims[0],
                                     .groups = (size_t)w->group,
                                     .in_channels = (size_t)weights->dims[1] * set->taps,
                                     .out_channels = (size_t)(weights->dims[0] / w->group),
                                     .slices = set->taps,
                                     .in_h = (size_t)w->in[1],
                                     .in_w = (size_t)w->in[2],
                                     .out_h = (size_t)out[1],
                                     .out_w = (size_t)out[2],
                                     .stride_y = (size_t)w->stride[1],
                                     .stride_x = (size_t)w->stride[2],
                                     .taps = taps,
                                     .tap_y = tap_y,
                                     .tap_x = tap_x,
                                     .pad_y = w->begin[1],
                                     .pad_x = w->begin[2],
                                     .full_h = (size_t)(out[0] * out[1]),
                                     .full_w = (size_t)out[2],
                                     .step_y = 1,
                                     .step_x = 1};
    return conv_make(step, &set->parts->conv, kernels, threads, err);
}

/* Where each output is made of one place, the plane's rows may as well be one. */
static void join_rows(struct window *w, int64_t *out)
{
    for (size_t i = 1; i < SIDES; i++)
        if (w->kernel[i] != 1 || w->stride[i] != 1 || w->begin[i] != 0 || w->end[i] != 0) return;
    w->in[2] *= w->in[1];
    out[2] *= out[1];
    w->in[1] = out[1] = 1;
}

OP_PREPARE(conv)
{
    struct window w;
    int64_t out[SIDES];
    enum bst_code code = read_conv(step, &w, out, err);
    if (code != BST_OK) return code;
    join_rows(&w, out);
    const struct tensor *x = step->inputs[0];
    struct convolution *c = step_take(step, 1, sizeof *c);
    struct slices *set = step_take(step, 1, sizeof *set);
    if (c == NULL || set == NULL) return bst_fail_memory(err);
    step->prepared = c;
    *c = (struct convolution){.batch = (size_t)x->dims[0],
                              .channels = (size_t)x->dims[1],
                              .in_depth = (size_t)w.in[0],
                              .in_plane = (size_t)(w.in[1] * w.in[2]),
                              .out_rows = (size_t)out[1],
                              .set_count = 1,
                              .sets = set,
                              .kernel = (size_t)(w.kernel[0] * w.kernel[1] * w.kernel[2]),
                              .kernel_plane = (size_t)(w.kernel[1] * w.kernel[2])};
    if (conv_by_winograd(step, &w, out)) {
        c->set_count = 0;
        return conv_winograd_make(step, &w, out, c, kernels, threads, err);
    }
    if (conv_is_depthwise(step, &w)) {
        c->set_count = 0;
        return conv_depthwise_make(step, &w, out, c, err);
    }
    code = conv_slices(step, &w, (size_t)out[0], set, err);
    if (code == BST_OK) code = conv_part(step, &w, out, set, kernels, threads, err);
    return code == BST_OK ? convolution_finish(step, c, err) : code;
}

OP_RUN(conv)
{
    const struct convolution *c = step->prepared;
    if (c->winograd != NULL)
        conv_winograd_run(c, step, run);
    else if (c->depthwise != NULL)
        conv_depthwise_run(c, step, run);
    else
        convolution_run(c, step, run);
}

size_t conv_block(const struct step *step)
{
    struct window w;
    int64_t out[SIDES];
    struct bst_error ignored;
    bool winograd = read_conv(step, &w, out, &ignored) == BST_OK && conv_by_winograd(step, &w, out);
    return winograd ? BST_WINOGRAD_OUT : 1;
}
