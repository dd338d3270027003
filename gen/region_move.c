/* region_move.c - rules of operators that cut places out or put them elsewhere; see region.h. */
#include "region_rule.h"

/* ---- cutting ---- */

enum bst_code region_slice(struct trace *t, struct bst_error *err)
{
    int64_t dims[RANK_MAX], begin[RANK_MAX], by[RANK_MAX], crop_begin[RANK_MAX], crop_by[RANK_MAX];
    enum bst_code code = slice_read(t->whole, dims, begin, by, err);
    if (code == BST_OK) code = slice_read(t->crop, dims, crop_begin, crop_by, err);
    if (code != BST_OK) return code;
    for (size_t d = 0; d < t->whole->inputs[0]->rank; d++)
        if (begin[d] != crop_begin[d] || by[d] != crop_by[d])
            return region_refuse(err, "where it cuts follows from the picture's size");
    t->out[0].same = t->in[0].same;
    for (size_t a = 0; a < PICTURE_AXES; a++) {
        const struct reach *in = &t->in[0].axis[a];
        if (in->dim < 0) continue;
        int64_t step = by[in->dim], from = begin[in->dim];
        if (step < 1) return region_refuse(err, "it turns the picture around");
        if (!region_on_grid(t, in->origin, step)) return BST_OK;
        t->out[0].axis[a] = (struct reach){in->dim, in->origin / step, ceil_div(in->begin - from, step),
                                           floor_div(in->end - 1 - from, step) + 1};
    }
    return BST_OK;
}

enum bst_code region_concat(struct trace *t, struct bst_error *err)
{
    size_t axis;
    enum bst_code code = region_broadcast(t, err);
    if (code != BST_OK) return code;
    if (!region_axis(t->whole, 0, &axis) || moves(&t->out[0], axis))
        return region_refuse(err, "it joins pictures side by side");
    return BST_OK;
}

enum bst_code region_split(struct trace *t, struct bst_error *err)
{
    size_t axis;
    if (!region_axis(t->whole, 0, &axis) || moves(&t->in[0], axis))
        return region_refuse(err, "it cuts the picture into parts");
    if (!region_same_ints(t, 1)) return region_refuse(err, SIZE_PARAMETER);
    for (size_t i = 0; i < t->whole->output_count; i++)
        t->out[i] = t->in[0];
    return BST_OK;
}

enum bst_code region_gather(struct trace *t, struct bst_error *err)
{
    size_t axis;
    if (!region_axis(t->whole, 0, &axis) || moves(&t->in[0], axis) || any_moves(&t->in[1]))
        return region_refuse(err, "it picks places out of the picture");
    if (!region_same_ints(t, 1)) return region_refuse(err, SIZE_PARAMETER);
    t->out[0] = region_shifted(&t->in[0], axis, (int)t->whole->inputs[1]->rank - 1);
    return BST_OK;
}

/* ---- moving ---- */

enum bst_code region_transpose(struct trace *t, struct bst_error *err)
{
    size_t axes[RANK_MAX];
    if (!transpose_axes(t->whole, axes)) return region_refuse(err, "its attributes cannot be read");
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

/* DepthToSpace and SpaceToDepth: places become block times as many, or as few. */
static enum bst_code move_blocks(struct trace *t, bool apart, struct bst_error *err)
{
    int64_t block = node_int(t->whole->node, "blocksize", 1);
    if (t->in[0].same != 0) return region_refuse(err, "it moves something that has no place");
    for (size_t a = 0; a < PICTURE_AXES; a++) {
        const struct reach *in = &t->in[0].axis[a];
        struct reach *out = &t->out[0].axis[a];
        if (in->dim < 0) continue;
        if (in->dim < 2) return region_refuse(err, "its channels lie along the picture's side");
        if (apart) {
            *out = (struct reach){in->dim, in->origin * block, in->begin * block, in->end * block};
        } else {
            if (!region_on_grid(t, in->origin, block)) return BST_OK;
            *out = (struct reach){in->dim, in->origin / block, ceil_div(in->begin, block),
                                  floor_div(in->end, block)};
        }
    }
    return BST_OK;
}

enum bst_code region_depth_to_space(struct trace *t, struct bst_error *err)
{
    return move_blocks(t, true, err);
}

enum bst_code region_space_to_depth(struct trace *t, struct bst_error *err)
{
    return move_blocks(t, false, err);
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
        return region_refuse(err, "it mixes rows or columns with what is beside them");
    if (out_count == 1) {
        *out = (struct reach){(int)to, in->origin * ins, in->begin * ins, in->end * ins};
    } else if (region_on_grid(t, in->origin, outs)) {
        *out =
            (struct reach){(int)to, in->origin / outs, ceil_div(in->begin, outs), floor_div(in->end, outs)};
    }
    return BST_OK;
}

enum bst_code region_reshape(struct trace *t, struct bst_error *err)
{
    struct group g = {0, 0, 0, 0};
    if (t->in[0].same != 0) return region_refuse(err, "it moves something that has no place");
    while (next_group(t, &g)) {
        for (size_t a = 0; a < PICTURE_AXES && t->factor == 1; a++) {
            enum bst_code code = regroup(t, &g, a, err);
            if (code != BST_OK) return code;
        }
    }
    return BST_OK;
}

/* Expand and Tile: a dimension of 1 may become any number of the same. */
enum bst_code region_spread(struct trace *t, struct bst_error *err)
{
    const struct tensor *x = t->whole->inputs[0], *y = t->whole->outputs[0];
    const struct tensor *cx = t->crop->inputs[0], *cy = t->crop->outputs[0];
    size_t lead = y->rank - x->rank;
    t->out[0] = region_shifted(&t->in[0], 0, (int)lead);
    for (size_t d = 0; d < y->rank; d++) {
        bool one = d < lead || x->dims[d - lead] == 1;
        if (one && (y->dims[d] != 1 || cy->dims[d] != 1))
            t->out[0].same |= 1u << d;
        else if (!one && moves(&t->in[0], d - lead) &&
                 (y->dims[d] != x->dims[d - lead] || cy->dims[d] != cx->dims[d - lead]))
            return region_refuse(err, "it repeats the picture");
    }
    return BST_OK;
}
