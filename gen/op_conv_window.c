/* op_conv_window.c - the attributes that Conv and ConvTranspose share. */
#include "op_conv.h"

#include <string.h>

bool window_within(const int64_t *list, int64_t low, int64_t high)
{
    for (size_t i = 0; i < SIDES; i++)
        if (list[i] < low || list[i] > high) return false;
    return true;
}

bool window_list(const struct step *step, const char *name, size_t sides, int64_t fallback, int64_t *out)
{
    for (size_t i = 0; i < SIDES; i++)
        out[i] = fallback;
    return node_ints(step->node, name, sides, fallback, out + SIDES - sides);
}

static bool read_pads(const struct step *step, struct window *w)
{
    int64_t pads[2 * SIDES];
    if (!node_ints(step->node, "pads", 2 * w->sides, 0, pads)) return false;
    for (size_t i = 0; i < SIDES; i++) {
        bool there = i + w->sides >= SIDES;
        size_t at = there ? i + w->sides - SIDES : 0;
        w->begin[i] = there ? pads[at] : 0;
        w->end[i] = there ? pads[at + w->sides] : 0;
    }
    return window_within(w->begin, 0, CONV_SIDE_MAX) && window_within(w->end, 0, CONV_SIDE_MAX);
}

static enum bst_code check_numbers(const struct step *step, struct window *w, struct bst_error *err)
{
    static const char *const paddings[] = {"", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"};
    int64_t given[SIDES];
    size_t i = 0;
    if (!window_list(step, "strides", w->sides, 1, w->stride) ||
        !window_list(step, "dilations", w->sides, 1, w->dilation) || !read_pads(step, w) ||
        !window_within(w->stride, 1, CONV_STRIDE_MAX) || !window_within(w->dilation, 1, CONV_SIDE_MAX) ||
        !window_within(w->kernel, 1, CONV_SIDE_MAX))
        return step_bad(err, "strides, dilations, pads or kernel are out of range");
    if (!window_list(step, "kernel_shape", w->sides, -1, given))
        return step_bad(err, "kernel_shape contradicts the weights");
    for (size_t s = SIDES - w->sides; s < SIDES; s++)
        if (given[s] != -1 && given[s] != w->kernel[s])
            return step_bad(err, "kernel_shape contradicts the weights");
    while (i < 5 && strcmp(w->auto_pad, paddings[i]) != 0)
        i++;
    return i < 5 ? BST_OK : step_bad(err, "auto_pad '%.20s' is unknown", w->auto_pad);
}

enum bst_code window_read(const struct step *step, struct window *w, struct bst_error *err)
{
    const struct tensor *x = step->inputs[0], *weights = step_input(step, 1);
    enum bst_code code = step_float(step, 0, 0, err);
    if (code == BST_OK) code = step_float(step, 1, 0, err);
    if (code != BST_OK) return code;
    if (x->rank < 3 || x->rank > 2 + SIDES || weights->rank != x->rank)
        return step_bad(err,
                        "an input of %zu and weights of %zu dimensions are no convolution over 1 to 3 sides",
                        x->rank, weights->rank);
    for (size_t i = 0; i < x->rank; i++)
        if (x->dims[i] < 1 || weights->dims[i] < 1) return step_bad(err, "an input is empty");
    *w = (struct window){.sides = x->rank - 2,
                         .group = node_int(step->node, "group", 1),
                         .auto_pad = node_string(step->node, "auto_pad", "NOTSET")};
    for (size_t i = 0; i < SIDES; i++) {
        bool there = i + w->sides >= SIDES;
        w->in[i] = there ? x->dims[i + x->rank - SIDES] : 1;
        w->kernel[i] = there ? weights->dims[i + x->rank - SIDES] : 1;
    }
    if (w->group < 1 || w->group > x->dims[1] || x->dims[1] % w->group != 0)
        return step_bad(err, "%lld groups do not divide %lld channels", (long long)w->group,
                        (long long)x->dims[1]);
    return check_numbers(step, w, err);
}

enum bst_code window_check_bias(const struct step *step, int64_t channels, struct bst_error *err)
{
    const struct tensor *bias = step_input(step, 2);
    if (bias == NULL) return BST_OK;
    if (bias->kind != KIND_FLOAT || bias->rank != 1 || bias->count != (size_t)channels)
        return step_bad(err, "the bias does not hold %lld numbers", (long long)channels);
    return BST_OK;
}

enum bst_code window_output(struct step *step, const struct window *w, int64_t channels, const int64_t *sides,
                            struct bst_error *err)
{
    int64_t dims[2 + SIDES] = {step->inputs[0]->dims[0], channels};
    memcpy(dims + 2, sides + SIDES - w->sides, w->sides * sizeof *dims);
    return step_output(step, 0, KIND_FLOAT, 2 + w->sides, dims, err);
}
