/* region_rules.c - for each operator: where its output's crop begins, and which places of it are right; see
 * region.h. A rule may call fewer places right than are, never more. */
#include "region.h"

#include <string.h>

typedef enum bst_code rule_fn(struct trace *t, struct bst_error *err);

static enum bst_code refuse(struct bst_error *err, const char *why)
{
    return bst_fail(err, BST_USAGE, "the picture cannot be made in tiles: %s", why);
}

/* ---- numbers ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static int64_t ceil_div(int64_t a, int64_t b)
{
    return -floor_div(-a, b);
}

static int64_t common(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Whether a place is on a grid; if not, the factor that puts it there. */
static bool on_grid(struct trace *t, int64_t place, int64_t grid)
{
    if (place % grid == 0) return true;
    t->factor = grid / common(place, grid);
    return false;
}

/* ---- inputs and outputs ---- */

static int64_t whole_side(const struct trace *t, int dim)
{
    return t->whole->inputs[0]->dims[dim];
}

static bool bit(unsigned set, size_t i)
{
    return (set >> i & 1) != 0;
}

/* The dimension lies along an axis, or goes on without end. */
static bool moves(const struct mark *mark, size_t dim)
{
    return mark->axis[ROWS].dim == (int)dim || mark->axis[COLUMNS].dim == (int)dim || bit(mark->same, dim);
}

static bool any_moves(const struct mark *mark)
{
    return mark->axis[ROWS].dim >= 0 || mark->axis[COLUMNS].dim >= 0 || mark->same != 0;
}

static enum bst_code others_stay(const struct trace *t, struct bst_error *err)
{
    for (size_t i = 1; i < t->whole->input_count; i++)
        if (any_moves(&t->in[i])) return refuse(err, "a parameter depends on the place in the picture");
    return BST_OK;
}

/* Whole numbers that are parameters are the same for both sizes. */
static bool same_ints(const struct trace *t, size_t index)
{
    const struct tensor *a = step_input(t->whole, index), *b = step_input(t->crop, index);
    if (a == NULL || b == NULL) return a == b;
    return a->data != NULL && b->data != NULL && a->count == b->count && a->kind == b->kind &&
           memcmp(a->data, b->data, a->count * tensor_item(a)) == 0;
}

static const char *const size_parameter = "a parameter follows from the picture's size";

/* ---- element by element ---- */

/* What a reach is where an input is broadcast over an output of more dimensions. */
static enum bst_code meet(struct reach *into, const struct reach *from, size_t lead, struct bst_error *err)
{
    if (from->dim < 0) return BST_OK;
    struct reach moved = *from;
    moved.dim += (int)lead;
    if (into->dim < 0) {
        *into = moved;
        return BST_OK;
    }
    if (into->dim != moved.dim || into->origin != moved.origin)
        return refuse(err, "it joins places that are apart in the picture");
    if (moved.begin > into->begin) into->begin = moved.begin;
    if (moved.end < into->end) into->end = moved.end;
    return BST_OK;
}

/* Inputs without an axis must not differ along it. */
static enum bst_code check_across(const struct trace *t, const struct mark *out, size_t rank,
                                  struct bst_error *err)
{
    for (size_t i = 0; i < t->whole->input_count; i++) {
        const struct tensor *x = t->whole->inputs[i];
        if (x == NULL) continue;
        size_t lead = rank - x->rank;
        for (size_t d = 0; d < x->rank; d++) {
            bool along = out->axis[ROWS].dim == (int)(d + lead) ||
                         out->axis[COLUMNS].dim == (int)(d + lead) || bit(out->same, d + lead);
            if (along && x->dims[d] != 1 && !moves(&t->in[i], d))
                return refuse(err, "an input has numbers of its own for every place in the picture");
        }
    }
    return BST_OK;
}

/* Dimensions along which an input cannot differ: it is the same there, or broadcast. */
static unsigned cannot_differ(const struct tensor *x, const struct mark *mark, size_t rank)
{
    size_t lead = rank - x->rank;
    unsigned set = mark->same << lead | ((1u << lead) - 1);
    for (size_t d = 0; d < x->rank; d++)
        if (x->dims[d] == 1) set |= 1u << (d + lead);
    return set;
}

static enum bst_code broadcast_rule(struct trace *t, struct bst_error *err)
{
    size_t rank = t->whole->outputs[0]->rank;
    struct mark *out = &t->out[0];
    unsigned every = ~0u, any = 0;
    for (size_t i = 0; i < t->whole->input_count; i++) {
        const struct tensor *x = t->whole->inputs[i];
        if (x == NULL) continue;
        for (size_t a = 0; a < PICTURE_AXES; a++) {
            enum bst_code code = meet(&out->axis[a], &t->in[i].axis[a], rank - x->rank, err);
            if (code != BST_OK) return code;
        }
        any |= t->in[i].same << (rank - x->rank);
        every &= cannot_differ(x, &t->in[i], rank);
    }
    out->same = any & every;
    return check_across(t, out, rank, err);
}

/* The first input's places; the others are parameters. */
static enum bst_code keep_rule(struct trace *t, struct bst_error *err)
{
    t->out[0] = t->in[0];
    return others_stay(t, err);
}

/* The first input's places; of the second only the type counts. */
static enum bst_code first_rule(struct trace *t, struct bst_error *err)
{
    (void)err;
    t->out[0] = t->in[0];
    return BST_OK;
}

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

static enum bst_code window_axis(struct trace *t, bool weighted, size_t a, struct bst_error *err)
{
    const struct reach *in = &t->in[0].axis[a];
    struct reach *out = &t->out[0].axis[a];
    struct window w, c;
    if (in->dim < 0) return BST_OK;
    if (in->dim < 2) return refuse(err, "its channels lie along the picture's side");
    size_t dim = (size_t)in->dim;
    if (!read_window(t->whole, weighted, dim, &w) || !read_window(t->crop, weighted, dim, &c))
        return refuse(err, "its attributes cannot be read");
    window_begin(t->whole, dim, &w);
    window_begin(t->crop, dim, &c);
    if (w.begin != c.begin || w.kernel != c.kernel) return refuse(err, size_parameter);
    if (!on_grid(t, in->origin, w.stride)) return BST_OK;
    int64_t side = whole_side(t, in->dim), block = weighted ? (int64_t)conv_block(t->whole) : 1;
    *out = (struct reach){in->dim, in->origin / w.stride, 0, INT64_MAX};
    if (in->begin > 0) out->begin = ceil_div(in->begin + w.begin, w.stride);
    if (in->end < side) out->end = floor_div(in->end - w.reach + w.begin, w.stride) + 1;
    if (out->end < out->begin) out->end = out->begin;
    if (weighted && block != (int64_t)conv_block(t->crop)) out->end = out->begin; /* too small a crop */
    if (block == 1 || !on_grid(t, out->origin, block)) return BST_OK;
    if (out->end == INT64_MAX) out->end = t->whole->outputs[0]->dims[dim];
    trim_to_blocks(out, in, &w, block, side);
    return BST_OK;
}

static enum bst_code window_rule(struct trace *t, struct bst_error *err)
{
    bool weighted = t->whole->op->infer == conv_infer;
    enum bst_code code = others_stay(t, err);
    if (code == BST_OK && t->in[0].same != 0)
        return refuse(err, "it looks at the border of something that has no place");
    for (size_t a = 0; a < PICTURE_AXES && code == BST_OK && t->factor == 1; a++)
        code = window_axis(t, weighted, a, err);
    return code;
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

static enum bst_code transposed_axis(struct trace *t, size_t a, struct bst_error *err)
{
    const struct reach *in = &t->in[0].axis[a];
    struct window w, c;
    if (in->dim < 0) return BST_OK;
    if (in->dim < 2) return refuse(err, "its channels lie along the picture's side");
    size_t dim = (size_t)in->dim;
    if (!read_window(t->whole, true, dim, &w) || !read_window(t->crop, true, dim, &c))
        return refuse(err, "its attributes cannot be read");
    transposed_begin(t->whole, dim, &w);
    transposed_begin(t->crop, dim, &c);
    if (w.begin != c.begin || w.kernel != c.kernel) return refuse(err, size_parameter);
    struct reach *out = &t->out[0].axis[a];
    *out = (struct reach){in->dim, in->origin * w.stride, 0, INT64_MAX};
    if (in->begin > 0) out->begin = (in->begin - 1) * w.stride + w.reach - w.begin;
    if (in->end < whole_side(t, in->dim)) out->end = in->end * w.stride - w.begin;
    return BST_OK;
}

static enum bst_code transposed_rule(struct trace *t, struct bst_error *err)
{
    enum bst_code code = others_stay(t, err);
    if (code == BST_OK && t->in[0].same != 0)
        return refuse(err, "it looks at the border of something that has no place");
    for (size_t a = 0; a < PICTURE_AXES && code == BST_OK; a++)
        code = transposed_axis(t, a, err);
    return code;
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

static enum bst_code resize_rule(struct trace *t, struct bst_error *err)
{
    if (t->in[0].same != 0) return refuse(err, "it resizes something that has no place");
    for (size_t a = 0; a < PICTURE_AXES; a++) {
        const struct reach *in = &t->in[0].axis[a];
        if (in->dim < 0) continue;
        int64_t side = whole_side(t, in->dim), to = t->whole->outputs[0]->dims[in->dim];
        if (!on_grid(t, in->origin, side / common(side, to))) return BST_OK;
        t->out[0].axis[a] =
            (struct reach){in->dim, in->origin / (side / common(side, to)) * (to / common(side, to)), 0, 0};
        if (t->out[0].axis[a].origin + t->crop->outputs[0]->dims[in->dim] > to)
            return refuse(err, "its scale follows from the picture's size");
        longest_run(t, in, resize_right, &t->out[0].axis[a]);
        /* Beside what a crop lacks at its edges nothing may be lost. */
        int64_t all = (in->end - in->begin) * to / side,
                lost = all - t->out[0].axis[a].end + t->out[0].axis[a].begin;
        if (lost > all / 4 && lost > 64)
            return refuse(err, "the places that it reads and their weights follow from the picture's size");
    }
    return BST_OK;
}

static bool pad_right(const struct trace *t, const struct reach *in, int64_t whole, int64_t crop)
{
    int64_t a = pad_source(t->whole, (size_t)in->dim, whole), b = pad_source(t->crop, (size_t)in->dim, crop);
    return a < 0 || b < 0 ? a == b : a == b + in->origin && a >= in->begin && a < in->end;
}

static enum bst_code pad_rule(struct trace *t, struct bst_error *err)
{
    enum bst_code code = others_stay(t, err);
    if (code != BST_OK) return code;
    if (t->in[0].same != 0) return refuse(err, "it looks at the border of something that has no place");
    for (size_t d = 0; d < t->whole->inputs[0]->rank; d++)
        if (pad_before(t->whole, d) != pad_before(t->crop, d)) return refuse(err, size_parameter);
    for (size_t a = 0; a < PICTURE_AXES; a++) {
        const struct reach *in = &t->in[0].axis[a];
        if (in->dim < 0) continue;
        t->out[0].axis[a] = (struct reach){in->dim, in->origin, 0, 0};
        longest_run(t, in, pad_right, &t->out[0].axis[a]);
    }
    return BST_OK;
}

/* ---- cutting ---- */

static enum bst_code slice_rule(struct trace *t, struct bst_error *err)
{
    int64_t dims[RANK_MAX], begin[RANK_MAX], by[RANK_MAX], crop_begin[RANK_MAX], crop_by[RANK_MAX];
    enum bst_code code = slice_read(t->whole, dims, begin, by, err);
    if (code == BST_OK) code = slice_read(t->crop, dims, crop_begin, crop_by, err);
    if (code != BST_OK) return code;
    for (size_t d = 0; d < t->whole->inputs[0]->rank; d++)
        if (begin[d] != crop_begin[d] || by[d] != crop_by[d])
            return refuse(err, "where it cuts follows from the picture's size");
    t->out[0].same = t->in[0].same;
    for (size_t a = 0; a < PICTURE_AXES; a++) {
        const struct reach *in = &t->in[0].axis[a];
        if (in->dim < 0) continue;
        int64_t step = by[in->dim], from = begin[in->dim];
        if (step < 1) return refuse(err, "it turns the picture around");
        if (!on_grid(t, in->origin, step)) return BST_OK;
        t->out[0].axis[a] = (struct reach){in->dim, in->origin / step, ceil_div(in->begin - from, step),
                                           floor_div(in->end - 1 - from, step) + 1};
    }
    return BST_OK;
}

static bool has_axis(const struct step *step, int64_t fallback, size_t *axis)
{
    return axis_of(node_int(step->node, "axis", fallback), step->inputs[0]->rank, axis);
}

static enum bst_code concat_rule(struct trace *t, struct bst_error *err)
{
    size_t axis;
    enum bst_code code = broadcast_rule(t, err);
    if (code != BST_OK) return code;
    if (!has_axis(t->whole, 0, &axis) || moves(&t->out[0], axis))
        return refuse(err, "it joins pictures side by side");
    return BST_OK;
}

static enum bst_code split_rule(struct trace *t, struct bst_error *err)
{
    size_t axis;
    if (!has_axis(t->whole, 0, &axis) || moves(&t->in[0], axis))
        return refuse(err, "it cuts the picture into parts");
    if (!same_ints(t, 1)) return refuse(err, size_parameter);
    for (size_t i = 0; i < t->whole->output_count; i++)
        t->out[i] = t->in[0];
    return BST_OK;
}

static struct mark shifted(const struct mark *mark, size_t behind, int by)
{
    struct mark moved = *mark;
    for (size_t a = 0; a < PICTURE_AXES; a++)
        if (moved.axis[a].dim >= (int)behind) moved.axis[a].dim += by;
    unsigned low = mark->same & ((1u << behind) - 1), high = mark->same & ~((1u << behind) - 1);
    moved.same = low | (by < 0 ? high >> -by : high << by);
    return moved;
}

static enum bst_code gather_rule(struct trace *t, struct bst_error *err)
{
    size_t axis;
    if (!has_axis(t->whole, 0, &axis) || moves(&t->in[0], axis) || any_moves(&t->in[1]))
        return refuse(err, "it picks places out of the picture");
    if (!same_ints(t, 1)) return refuse(err, size_parameter);
    t->out[0] = shifted(&t->in[0], axis, (int)t->whole->inputs[1]->rank - 1);
    return BST_OK;
}

/* ---- moving ---- */

static enum bst_code transpose_rule(struct trace *t, struct bst_error *err)
{
    size_t axes[RANK_MAX];
    if (!transpose_axes(t->whole, axes)) return refuse(err, "its attributes cannot be read");
    for (size_t d = 0; d < t->whole->inputs[0]->rank; d++) {
        for (size_t a = 0; a < PICTURE_AXES; a++) {
            if (t->in[0].axis[a].dim != (int)axes[d]) continue;
            t->out[0].axis[a] = t->in[0].axis[a];
            t->out[0].axis[a].dim = (int)d;
        }
        if (bit(t->in[0].same, axes[d])) t->out[0].same |= 1u << d;
    }
    return BST_OK;
}

static enum bst_code depth_to_space_rule(struct trace *t, struct bst_error *err)
{
    int64_t block = node_int(t->whole->node, "blocksize", 1);
    if (t->in[0].same != 0) return refuse(err, "it moves something that has no place");
    for (size_t a = 0; a < PICTURE_AXES; a++) {
        const struct reach *in = &t->in[0].axis[a];
        if (in->dim < 0) continue;
        if (in->dim < 2) return refuse(err, "its channels lie along the picture's side");
        t->out[0].axis[a] = (struct reach){in->dim, in->origin * block, in->begin * block, in->end * block};
    }
    return BST_OK;
}

static enum bst_code space_to_depth_rule(struct trace *t, struct bst_error *err)
{
    int64_t block = node_int(t->whole->node, "blocksize", 1);
    if (t->in[0].same != 0) return refuse(err, "it moves something that has no place");
    for (size_t a = 0; a < PICTURE_AXES; a++) {
        const struct reach *in = &t->in[0].axis[a];
        if (in->dim < 0) continue;
        if (in->dim < 2) return refuse(err, "its channels lie along the picture's side");
        if (!on_grid(t, in->origin, block)) return BST_OK;
        t->out[0].axis[a] = (struct reach){in->dim, in->origin / block, ceil_div(in->begin, block),
                                           floor_div(in->end, block)};
    }
    return BST_OK;
}

struct group { /* of neighbouring dimensions that a Reshape turns into others */
    size_t in, in_end, out, out_end;
};

/* The next group whose numbers are as many before and after, in both sizes. */
static bool next_group(const struct trace *t, struct group *g)
{
    const struct tensor *x = t->whole->inputs[0], *y = t->whole->outputs[0];
    const struct tensor *cx = t->crop->inputs[0], *cy = t->crop->outputs[0];
    int64_t in = 1, out = 1, crop_in = 1, crop_out = 1;
    g->in = g->in_end;
    g->out = g->out_end;
    if (g->in == x->rank && g->out == y->rank) return false;
    do {
        bool take_in = g->in_end < x->rank && (in <= out || g->out_end == y->rank);
        if (take_in) {
            in *= x->dims[g->in_end];
            crop_in *= cx->dims[g->in_end++];
        } else if (g->out_end < y->rank) {
            out *= y->dims[g->out_end];
            crop_out *= cy->dims[g->out_end++];
        } else {
            break;
        }
    } while (in != out || crop_in != crop_out);
    /* Dimensions of 1 that belong to nobody go with the group before them. */
    while (g->in_end < x->rank && x->dims[g->in_end] == 1 && cx->dims[g->in_end] == 1)
        g->in_end++;
    while (g->out_end < y->rank && y->dims[g->out_end] == 1 && cy->dims[g->out_end] == 1)
        g->out_end++;
    return true;
}

/* The dimensions from first on that are not 1; the first of them, and how many numbers the others hold. */
static size_t many(const struct tensor *t, size_t first, size_t end, size_t *leads, int64_t *others)
{
    size_t count = 0;
    *others = 1;
    for (size_t d = first; d < end; d++) {
        if (t->dims[d] == 1) continue;
        if (count++ == 0)
            *leads = d;
        else
            *others *= t->dims[d];
    }
    return count;
}

/* Whether another dimension of the group moves too. */
static bool others_move(const struct mark *mark, const struct group *g, size_t but)
{
    for (size_t d = g->in; d < g->in_end; d++)
        if (d != but && moves(mark, d)) return true;
    return false;
}

/* An axis may stay alone, take up numbers behind it (a pixel shuffle) or give some off. */
static enum bst_code regroup(struct trace *t, const struct group *g, size_t a, struct bst_error *err)
{
    const struct reach *in = &t->in[0].axis[a];
    struct reach *out = &t->out[0].axis[a];
    if (in->dim < (int)g->in || in->dim >= (int)g->in_end) return BST_OK;
    size_t from = 0, to = 0;
    int64_t ins, outs;
    size_t in_count = many(t->whole->inputs[0], g->in, g->in_end, &from, &ins);
    size_t out_count = many(t->whole->outputs[0], g->out, g->out_end, &to, &outs);
    if (in_count == 0 || out_count == 0 || in->dim != (int)from || (in_count > 1 && out_count > 1) ||
        others_move(&t->in[0], g, from))
        return refuse(err, "it mixes rows or columns with what is beside them");
    if (out_count == 1) {
        *out = (struct reach){(int)to, in->origin * ins, in->begin * ins, in->end * ins};
    } else if (on_grid(t, in->origin, outs)) {
        *out =
            (struct reach){(int)to, in->origin / outs, ceil_div(in->begin, outs), floor_div(in->end, outs)};
    }
    return BST_OK;
}

static enum bst_code reshape_rule(struct trace *t, struct bst_error *err)
{
    struct group g = {0, 0, 0, 0};
    if (t->in[0].same != 0) return refuse(err, "it moves something that has no place");
    while (next_group(t, &g)) {
        for (size_t a = 0; a < PICTURE_AXES && t->factor == 1; a++) {
            enum bst_code code = regroup(t, &g, a, err);
            if (code != BST_OK) return code;
        }
    }
    return BST_OK;
}

/* Expand and Tile: a dimension of 1 may become any number of the same. */
static enum bst_code spread_rule(struct trace *t, struct bst_error *err)
{
    const struct tensor *x = t->whole->inputs[0], *y = t->whole->outputs[0];
    const struct tensor *cx = t->crop->inputs[0], *cy = t->crop->outputs[0];
    size_t lead = y->rank - x->rank;
    t->out[0] = shifted(&t->in[0], 0, (int)lead);
    for (size_t d = 0; d < y->rank; d++) {
        bool one = d < lead || x->dims[d - lead] == 1;
        if (one && (y->dims[d] != 1 || cy->dims[d] != 1))
            t->out[0].same |= 1u << d;
        else if (!one && moves(&t->in[0], d - lead) &&
                 (y->dims[d] != x->dims[d - lead] || cy->dims[d] != cx->dims[d - lead]))
            return refuse(err, "it repeats the picture");
    }
    return BST_OK;
}

/* ---- along channels ---- */

static enum bst_code reduce_rule(struct trace *t, struct bst_error *err)
{
    const struct tensor *x = t->whole->inputs[0];
    const int64_t *axes;
    size_t count, axis, dropped = 0;
    bool drop[RANK_MAX] = {false}, keep = node_int(t->whole->node, "keepdims", 1) != 0;
    enum bst_code code = step_list(t->whole, "axes", 1, &axes, &count, err);
    if (code != BST_OK) return code;
    if (!same_ints(t, 1)) return refuse(err, size_parameter);
    bool all = count == 0 && node_int(t->whole->node, "noop_with_empty_axes", 0) == 0;
    for (size_t i = 0; i < count; i++)
        if (axis_of(axes[i], x->rank, &axis)) drop[axis] = true;
    struct mark out = t->in[0];
    for (size_t d = 0; d < x->rank; d++) {
        if (!drop[d] && !all) continue;
        if (moves(&t->in[0], d)) return refuse(err, "it adds up or compares places all over the picture");
        if (!keep) out = shifted(&out, d - dropped, -1);
        dropped++;
    }
    t->out[0] = out;
    return BST_OK;
}

/* Softmax and its like over one axis; before opset 13 over all from the axis on. */
static enum bst_code normalise_rule(struct trace *t, struct bst_error *err)
{
    size_t axis, rank = t->whole->inputs[0]->rank;
    bool lp = strcmp(t->whole->op->name, "LpNormalization") == 0, old = t->whole->opset < 13 && !lp;
    bool tail = old || strcmp(t->whole->op->name, "LayerNormalization") == 0;
    if (!has_axis(t->whole, old ? 1 : -1, &axis)) return refuse(err, "its axis cannot be read");
    for (size_t d = axis; d < (tail ? rank : axis + 1); d++)
        if (moves(&t->in[0], d)) return refuse(err, "it relates places all over the picture to each other");
    t->out[0] = t->in[0];
    return others_stay(t, err);
}

/* Rows of a matrix are multiplied one by one. */
static enum bst_code matmul_rule(struct trace *t, struct bst_error *err)
{
    size_t rank = t->whole->inputs[0]->rank;
    if (t->whole->inputs[1]->rank != 2 || rank < 2 || any_moves(&t->in[1]) || moves(&t->in[0], rank - 1))
        return refuse(err, "it relates places all over the picture to each other");
    t->out[0] = t->in[0];
    return BST_OK;
}

static enum bst_code statistics_rule(struct trace *t, struct bst_error *err)
{
    (void)t;
    return refuse(err, "it takes the mean, variance or maximum over the whole picture");
}

static enum bst_code related_rule(struct trace *t, struct bst_error *err)
{
    (void)t;
    return refuse(err, "it relates places all over the picture to each other");
}

/* ---- the table ---- */

static const struct {
    const char *name;
    rule_fn *rule;
} rules[] = {
    {"And", broadcast_rule},
    {"AveragePool", window_rule},
    {"BatchNormalization", keep_rule},
    {"BitShift", broadcast_rule},
    {"Cast", keep_rule},
    {"CastLike", first_rule},
    {"Celu", keep_rule},
    {"Clip", keep_rule},
    {"Concat", concat_rule},
    {"Conv", window_rule},
    {"ConvTranspose", transposed_rule},
    {"Cos", keep_rule},
    {"DepthToSpace", depth_to_space_rule},
    {"Dropout", keep_rule},
    {"Equal", broadcast_rule},
    {"Erf", keep_rule},
    {"Expand", spread_rule},
    {"Flatten", reshape_rule},
    {"Gather", gather_rule},
    {"Gelu", keep_rule},
    {"Gemm", related_rule},
    {"GlobalAveragePool", statistics_rule},
    {"GlobalLpPool", statistics_rule},
    {"GlobalMaxPool", statistics_rule},
    {"Greater", broadcast_rule},
    {"GreaterOrEqual", broadcast_rule},
    {"GridSample", related_rule},
    {"GroupNormalization", statistics_rule},
    {"HardSigmoid", keep_rule},
    {"HardSwish", keep_rule},
    {"Hardmax", normalise_rule},
    {"Identity", keep_rule},
    {"InstanceNormalization", statistics_rule},
    {"LayerNormalization", normalise_rule},
    {"Less", broadcast_rule},
    {"LessOrEqual", broadcast_rule},
    {"LogSoftmax", normalise_rule},
    {"LpNormalization", normalise_rule},
    {"LpPool", window_rule},
    {"MatMul", matmul_rule},
    {"MaxPool", window_rule},
    {"Mean", broadcast_rule},
    {"MeanVarianceNormalization", statistics_rule},
    {"Mish", keep_rule},
    {"Mod", broadcast_rule},
    {"Not", keep_rule},
    {"Or", broadcast_rule},
    {"Pad", pad_rule},
    {"Pow", broadcast_rule},
    {"ReduceL1", reduce_rule},
    {"ReduceL2", reduce_rule},
    {"ReduceMax", reduce_rule},
    {"ReduceMean", reduce_rule},
    {"ReduceMin", reduce_rule},
    {"ReduceProd", reduce_rule},
    {"ReduceSum", reduce_rule},
    {"ReduceSumSquare", reduce_rule},
    {"Reshape", reshape_rule},
    {"Resize", resize_rule},
    {"Selu", keep_rule},
    {"Sign", keep_rule},
    {"Sin", keep_rule},
    {"Slice", slice_rule},
    {"Softmax", normalise_rule},
    {"Softplus", keep_rule},
    {"Softsign", keep_rule},
    {"SpaceToDepth", space_to_depth_rule},
    {"Split", split_rule},
    {"Squeeze", reshape_rule},
    {"Sum", broadcast_rule},
    {"ThresholdedRelu", keep_rule},
    {"Tile", spread_rule},
    {"Transpose", transpose_rule},
    {"Unsqueeze", reshape_rule},
    {"Upsample", resize_rule},
    {"Where", broadcast_rule},
    {"Xor", broadcast_rule},
};

enum bst_code region_rule(struct trace *trace, struct bst_error *err)
{
    const char *name = trace->whole->op->name;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (strcmp(rules[i].name, name) == 0) return rules[i].rule(trace, err);
    if ((trace->whole->op->flags & OP_ELEMENTWISE) != 0) return broadcast_rule(trace, err);
    return refuse(err, "nothing says which places it looks at");
}
