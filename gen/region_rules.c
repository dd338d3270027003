/* region_rules.c - for each operator: where its output's crop begins, and which places of it are right; see
 * region.h. A rule may call fewer places right than are, never more. Here are the table, what the rules share
 * (region_rule.h) and the rules of operators that work place by place or along channels. */
#include "region_rule.h"

#include <string.h>

/* ---- shared ---- */

enum bst_code region_refuse(struct bst_error *err, const char *why)
{
    return bst_fail(err, BST_USAGE, "the picture cannot be made in tiles: %s", why);
}

bool region_on_grid(struct trace *t, int64_t place, int64_t grid)
{
    if (place % grid == 0) return true;
    t->factor = grid / common_divisor(place, grid);
    return false;
}

enum bst_code region_others_stay(const struct trace *t, struct bst_error *err)
{
    for (size_t i = 1; i < t->whole->input_count; i++)
        if (any_moves(&t->in[i]))
            return region_refuse(err, "a parameter depends on the place in the picture");
    return BST_OK;
}

bool region_same_ints(const struct trace *t, size_t index)
{
    const struct tensor *a = step_input(t->whole, index), *b = step_input(t->crop, index);
    if (a == NULL || b == NULL) return a == b;
    return a->data != NULL && b->data != NULL && a->count == b->count && a->kind == b->kind &&
           memcmp(a->data, b->data, a->count * tensor_item(a)) == 0;
}

bool region_axis(const struct step *step, int64_t fallback, size_t *axis)
{
    return axis_of(node_int(step->node, "axis", fallback), step->inputs[0]->rank, axis);
}

struct mark region_shifted(const struct mark *mark, size_t behind, int by)
{
    struct mark moved = *mark;
    for (size_t a = 0; a < PICTURE_AXES; a++)
        if (moved.axis[a].dim >= (int)behind) moved.axis[a].dim += by;
    unsigned low = mark->same & ((1u << behind) - 1), high = mark->same & ~((1u << behind) - 1);
    moved.same = low | (by < 0 ? high >> -by : high << by);
    return moved;
}

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
        return region_refuse(err, "it joins places that are apart in the picture");
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
                return region_refuse(err, "an input has numbers of its own for every place in the picture");
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

enum bst_code region_broadcast(struct trace *t, struct bst_error *err)
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
    return region_others_stay(t, err);
}

/* The first input's places; of the second only the type counts. */
static enum bst_code first_rule(struct trace *t, struct bst_error *err)
{
    (void)err;
    t->out[0] = t->in[0];
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
    if (!region_same_ints(t, 1)) return region_refuse(err, SIZE_PARAMETER);
    bool all = count == 0 && node_int(t->whole->node, "noop_with_empty_axes", 0) == 0;
    for (size_t i = 0; i < count; i++)
        if (axis_of(axes[i], x->rank, &axis)) drop[axis] = true;
    struct mark out = t->in[0];
    for (size_t d = 0; d < x->rank; d++) {
        if (!drop[d] && !all) continue;
        if (moves(&t->in[0], d))
            return region_refuse(err, "it adds up or compares places all over the picture");
        if (!keep) out = region_shifted(&out, d - dropped, -1);
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
    if (!region_axis(t->whole, old ? 1 : -1, &axis)) return region_refuse(err, "its axis cannot be read");
    for (size_t d = axis; d < (tail ? rank : axis + 1); d++)
        if (moves(&t->in[0], d))
            return region_refuse(err, "it relates places all over the picture to each other");
    t->out[0] = t->in[0];
    return region_others_stay(t, err);
}

/* Rows of a matrix are multiplied one by one. */
static enum bst_code matmul_rule(struct trace *t, struct bst_error *err)
{
    size_t rank = t->whole->inputs[0]->rank;
    if (t->whole->inputs[1]->rank != 2 || rank < 2 || any_moves(&t->in[1]) || moves(&t->in[0], rank - 1))
        return region_refuse(err, "it relates places all over the picture to each other");
    t->out[0] = t->in[0];
    return BST_OK;
}

static enum bst_code statistics_rule(struct trace *t, struct bst_error *err)
{
    (void)t;
    return region_refuse(err, "it takes the mean, variance or maximum over the whole picture");
}

static enum bst_code related_rule(struct trace *t, struct bst_error *err)
{
    (void)t;
    return region_refuse(err, "it relates places all over the picture to each other");
}

/* ---- the table ---- */

static const struct {
    const char *name;
    rule_fn *rule;
} rules[] = {
    {"And", region_broadcast},
    {"AveragePool", region_window},
    {"BatchNormalization", keep_rule},
    {"BitShift", region_broadcast},
    {"Cast", keep_rule},
    {"CastLike", first_rule},
    {"Celu", keep_rule},
    {"Clip", keep_rule},
    {"Concat", region_concat},
    {"Conv", region_window},
    {"ConvTranspose", region_transposed},
    {"Cos", keep_rule},
    {"DepthToSpace", region_depth_to_space},
    {"Dropout", keep_rule},
    {"Equal", region_broadcast},
    {"Erf", keep_rule},
    {"Expand", region_spread},
    {"Flatten", region_reshape},
    {"Gather", region_gather},
    {"Gelu", keep_rule},
    {"Gemm", related_rule},
    {"GlobalAveragePool", statistics_rule},
    {"GlobalLpPool", statistics_rule},
    {"GlobalMaxPool", statistics_rule},
    {"Greater", region_broadcast},
    {"GreaterOrEqual", region_broadcast},
    {"GridSample", related_rule},
    {"GroupNormalization", statistics_rule},
    {"HardSigmoid", keep_rule},
    {"HardSwish", keep_rule},
    {"Hardmax", normalise_rule},
    {"Identity", keep_rule},
    {"InstanceNormalization", statistics_rule},
    {"LayerNormalization", normalise_rule},
    {"Less", region_broadcast},
    {"LessOrEqual", region_broadcast},
    {"LogSoftmax", normalise_rule},
    {"LpNormalization", normalise_rule},
    {"LpPool", region_window},
    {"MatMul", matmul_rule},
    {"MaxPool", region_window},
    {"Mean", region_broadcast},
    {"MeanVarianceNormalization", statistics_rule},
    {"Mish", keep_rule},
    {"Mod", region_broadcast},
    {"Not", keep_rule},
    {"Or", region_broadcast},
    {"Pad", region_pad},
    {"Pow", region_broadcast},
    {"ReduceL1", reduce_rule},
    {"ReduceL2", reduce_rule},
    {"ReduceMax", reduce_rule},
    {"ReduceMean", reduce_rule},
    {"ReduceMin", reduce_rule},
    {"ReduceProd", reduce_rule},
    {"ReduceSum", reduce_rule},
    {"ReduceSumSquare", reduce_rule},
    {"Reshape", region_reshape},
    {"Resize", region_resize},
    {"Selu", keep_rule},
    {"Sign", keep_rule},
    {"Sin", keep_rule},
    {"Slice", region_slice},
    {"Softmax", normalise_rule},
    {"Softplus", keep_rule},
    {"Softsign", keep_rule},
    {"SpaceToDepth", region_space_to_depth},
    {"Split", region_split},
    {"Squeeze", region_reshape},
    {"Sum", region_broadcast},
    {"ThresholdedRelu", keep_rule},
    {"Tile", region_spread},
    {"Transpose", region_transpose},
    {"Unsqueeze", region_reshape},
    {"Upsample", region_resize},
    {"Where", region_broadcast},
    {"Xor", region_broadcast},
};

enum bst_code region_rule(struct trace *trace, struct bst_error *err)
{
    const char *name = trace->whole->op->name;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (strcmp(rules[i].name, name) == 0) return rules[i].rule(trace, err);
    if ((trace->whole->op->flags & OP_ELEMENTWISE) != 0) return region_broadcast(trace, err);
    return region_refuse(err, "nothing says which places it looks at");
}
