/* region_window.c - rules of operators that look around a place: convolutions, pools, Resize and Pad; see region.h. */
#include "region_rule.h"

#include <string.h>

/* ---- windows ---- */

struct window { /* along one dimension */
    int64_t kernel, stride, dilation, reach, begin;
};

static bool read_list(const struct step *step, const char *name, size_t count, size_t at, int64_t fallback,
                      int64_t *out)
{
    int64_t list[2 * RANK_MAX];
    if (!node_ints(step->node, name, count, fallback, list)) return false;
    *out = list[at];
    return true;
}

static bool read_window(const struct step *step, bool weighted, size_t dim, struct window *w)
{
    const struct tensor *x = step->inputs[0];
    size_t sides = x->rank - 2, at = dim - 2;
    if (!read_list(step, "strides", sides, at, 1, &w->stride) ||
        !read_list(step, "dilations", sides, at, 1, &w->dilation) ||
        !read_list(step, "pads", 2 * sides, at, 0, &w->begin) ||
        !read_list(step, "kernel_shape", sides, at, 0, &w->kernel))
        return false;
    if (weighted) w->kernel = step->inputs[1]->dims[dim];
    w->reach = (w->kernel - 1) * w->dilation + 1;
    return w->kernel > 0;
}

static bool padded_same(const struct step *step, bool *lower)
{
    const char *mode = node_string(step->node, "auto_pad", "NOTSET");
    *lower = strcmp(mode, "SAME_LOWER") == 0;
    return *lower || strcmp(mode, "SAME_UPPER") == 0;
}

static bool unpadded(const struct step *step)
{
    return strcmp(node_string(step->node, "auto_pad", "NOTSET"), "VALID") == 0;
}

/* auto_pad turned into the padding before the first place. */
static void window_begin(const struct step *step, size_t dim, struct window *w)
{
    bool lower;
    int64_t in = step->inputs[0]->dims[dim];
    if (unpadded(step)) w->begin = 0;
    if (!padded_same(step, &lower)) return;
    int64_t total = (ceil_div(in, w->stride) - 1) * w->stride + w->reach - in;
    if (total < 0) total = 0;
    w->begin = lower ? total - total / 2 : total / 2;
}

/* Winograd's convolution makes blocks of outputs from patches of the input, one place wider on either side. The first
 * place of a patch has a say in the block's first output alone and the last place in the last one: so an output
 * depends on its own taps and on the places in the middle of its patch. */
static void trim_to_blocks(struct reach *out, const struct reach *in, const struct window *w, int64_t block,
                           int64_t side)
{
    while (in->begin > 0 && out->begin - out->begin % block - w->begin + 1 < in->begin)
        out->begin += block - out->begin % block;
    while (in->end < side && out->end > out->begin) {
        int64_t first = out->end - 1 - (out->end - 1) % block;
        if (first - w->begin + block < in->end) break;
        out->end = first;
    }
}

typedef void begin_fn(const struct step *step, size_t dim, struct window *w);

/* The window along a dimension of the picture, which is the same for both sizes. */
static enum bst_code same_window(const struct trace *t, bool weighted, int along, begin_fn *begin,
                                 struct window *w, struct bst_error *err)
{
    struct window c;
    if (along < 2) return region_refuse(err, "its channels lie along the picture's side");
    size_t dim = (size_t)along;
    if (!read_window(t->whole, weighted, dim, w) || !read_window(t->crop, weighted, dim, &c))
        return region_refuse(err, "its attributes cannot be read");
    begin(t->whole, dim, w);
    begin(t->crop, dim, &c);
    return w->begin == c.begin && w->kernel == c.kernel ? BST_OK : region_refuse(err, SIZE_PARAMETER);
}

typedef enum bst_code axis_fn(struct trace *t, const struct reach *in, struct reach *out,
                              struct bst_error *err);

/* Asks axis about each side of the picture that the first input has. */
static enum bst_code along_axes(struct trace *t, axis_fn *axis, struct bst_error *err)
{
    enum bst_code code = region_others_stay(t, err);
    if (code == BST_OK && t->in[0].same != 0)
        return region_refuse(err, "it looks at the border of something that has no place");
    for (size_t a = 0; a < PICTURE_AXES && code == BST_OK && t->factor == 1; a++)
        if (t->in[0].axis[a].dim >= 0) code = axis(t, &t->in[0].axis[a], &t->out[0].axis[a], err);
    return code;
}

static enum bst_code window_axis(struct trace *t, const struct reach *in, struct reach *out,
                                 struct bst_error *err)
{
    struct window w;
    bool weighted = t->whole->op->infer == conv_infer;
    enum bst_code code = same_window(t, weighted, in->dim, window_begin, &w, err);
    if (code != BST_OK || !region_on_grid(t, in->origin, w.stride)) return code;
    int64_t side = whole_side(t, in->dim), block = weighted ? (int64_t)conv_block(t->whole) : 1;
    *out = (struct reach){in->dim, in->origin / w.stride, 0, INT64_MAX};
    if (in->begin > 0) out->begin = ceil_div(in->begin + w.begin, w.stride);
    if (in->end < side) out->end = floor_div(in->end - w.reach + w.begin, w.stride) + 1;
    if (out->end < out->begin) out->end = out->begin;
    if (weighted && block != (int64_t)conv_block(t->crop)) out->end = out->begin; /* too small a crop */
    if (block == 1 || !region_on_grid(t, out->origin, block)) return BST_OK;
    if (out->end == INT64_MAX) out->end = t->whole->outputs[0]->dims[in->dim];
    trim_to_blocks(out, in, &w, block, side);
    return BST_OK;
}

enum bst_code region_window(struct trace *t, struct bst_error *err)
{
    return along_axes(t, window_axis, err);
}

/* The padding that a ConvTranspose cuts off before its first output. */
static void transposed_begin(const struct step *step, size_t dim, struct window *w)
{
    bool lower = false, same = padded_same(step, &lower);
    int64_t extra, side = step->inputs[0]->dims[dim], wanted = step->outputs[0]->dims[dim];
    if (!read_list(step, "output_padding", step->inputs[0]->rank - 2, dim - 2, 0, &extra)) extra = 0;
    if (unpadded(step)) w->begin = 0;
    if (!same && node_attribute(step->node, "output_shape") == NULL) return;
    int64_t total = (side - 1) * w->stride + w->reach + extra - wanted;
    w->begin = lower ? total - total / 2 : total / 2;
}

/* Winograd's ConvTranspose makes six outputs of a tile's four inputs, the first of which is the last of the tile before.
 * Of the even outputs the first is made of the third input too, beyond its taps, and the last of the second. */
static void trim_to_tiles(struct reach *out, const struct reach *in, const struct window *w, int64_t tile,
                          int64_t side)
{
    if (in->begin > 0 && in->begin % tile == 1) out->begin = 2 * in->begin + 3 - w->begin;
    if (in->end < side && in->end % tile == 1) out->end = 2 * in->end - 2 - w->begin;
    if (out->end < out->begin) out->end = out->begin;
}

static enum bst_code transposed_axis(struct trace *t, const struct reach *in, struct reach *out,
                                     struct bst_error *err)
{
    struct window w;
    int64_t block = (int64_t)conv_transpose_block(t->whole);
    enum bst_code code = same_window(t, true, in->dim, transposed_begin, &w, err);
    if (code != BST_OK || !region_on_grid(t, in->origin, block)) return code;
    *out = (struct reach){in->dim, in->origin * w.stride, 0, INT64_MAX};
    if (in->begin > 0) out->begin = (in->begin - 1) * w.stride + w.reach - w.begin;
    if (in->end < whole_side(t, in->dim)) out->end = in->end * w.stride - w.begin;
    if (block > 1) trim_to_tiles(out, in, &w, block, whole_side(t, in->dim));
    if (block != (int64_t)conv_transpose_block(t->crop)) out->end = out->begin; /* too small a crop */
    return BST_OK;
}

enum bst_code region_transposed(struct trace *t, struct bst_error *err)
{
    return along_axes(t, transposed_axis, err);
}

/* ---- places that come from places: Resize and Pad ---- */

/* Whether a place of the crop's output is made as that place of the whole's is, of places that are right. */
typedef bool right_fn(const struct trace *t, const struct reach *in, int64_t whole, int64_t crop);

/* Keeps the longest run of right places. */
static void longest_run(const struct trace *t, const struct reach *in, right_fn *right, struct reach *out)
{
    int64_t count = t->crop->outputs[0]->dims[in->dim], from = 0;
    out->begin = out->end = out->origin;
    for (int64_t i = 0; i <= count; i++) {
        if (i < count && right(t, in, out->origin + i, i)) continue;
        if (i - from > out->end - out->begin) {
            out->begin = out->origin + from;
            out->end = out->origin + i;
        }
        from = i + 1;
    }
}

static bool resize_right(const struct trace *t, const struct reach *in, int64_t whole, int64_t crop)
{
    int64_t first, last;
    return resize_alike(t->whole, (size_t)whole, t->crop, (size_t)crop, (size_t)in->dim, in->origin, &first,
                        &last) &&
           first >= in->begin && last < in->end;
}

enum bst_code region_resize(struct trace *t, struct bst_error *err)
{
    if (t->in[0].same != 0) return region_refuse(err, "it resizes something that has no place");
    for (size_t a = 0; a < PICTURE_AXES; a++) {
        const struct reach *in = &t->in[0].axis[a];
        if (in->dim < 0) continue;
        int64_t side = whole_side(t, in->dim), to = t->whole->outputs[0]->dims[in->dim];
        if (!region_on_grid(t, in->origin, side / common_divisor(side, to))) return BST_OK;
        t->out[0].axis[a] = (struct reach){
            in->dim, in->origin / (side / common_divisor(side, to)) * (to / common_divisor(side, to)), 0, 0};
        if (t->out[0].axis[a].origin + t->crop->outputs[0]->dims[in->dim] > to)
            return region_refuse(err, "its scale follows from the picture's size");
        longest_run(t, in, resize_right, &t->out[0].axis[a]);
        /* Beside what a crop lacks at its edges nothing may be lost. */
        int64_t all = (in->end - in->begin) * to / side,
                lost = all - t->out[0].axis[a].end + t->out[0].axis[a].begin;
        if (lost > all / 4 && lost > 64)
            return region_refuse(err,
                                 "the places that it reads and their weights follow from the picture's size");
    }
    return BST_OK;
}

static bool pad_right(const struct trace *t, const struct reach *in, int64_t whole, int64_t crop)
{
    int64_t a = pad_source(t->whole, (size_t)in->dim, whole), b = pad_source(t->crop, (size_t)in->dim, crop);
    return a < 0 || b < 0 ? a == b : a == b + in->origin && a >= in->begin && a < in->end;
}

enum bst_code region_pad(struct trace *t, struct bst_error *err)
{
    enum bst_code code = region_others_stay(t, err);
    if (code != BST_OK) return code;
    if (t->in[0].same != 0)
        return region_refuse(err, "it looks at the border of something that has no place");
    for (size_t d = 0; d < t->whole->inputs[0]->rank; d++)
        if (pad_before(t->whole, d) != pad_before(t->crop, d)) return region_refuse(err, SIZE_PARAMETER);
    for (size_t a = 0; a < PICTURE_AXES; a++) {
        const struct reach *in = &t->in[0].axis[a];
        if (in->dim < 0) continue;
        t->out[0].axis[a] = (struct reach){in->dim, in->origin, 0, 0};
        longest_run(t, in, pad_right, &t->out[0].axis[a]);
    }
    return BST_OK;
}
