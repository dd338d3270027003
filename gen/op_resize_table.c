/* op_resize_table.c - from Resize's attributes to places and weights. All of it is worked out in double
 * precision when the plan is made, as arithmetic.md says. */
#include "op_resize.h"

#include <math.h>
#include <string.h>

/* ---- attributes ---- */

static size_t name_of(const char *const *names, size_t count, const char *name)
{
    size_t i = 0;
    while (i < count && strcmp(names[i], name) != 0)
        i++;
    return i;
}

/* Upsample, and Resize before operator set 11, know nothing but modes and scales. */
static bool is_old(const struct step *step)
{
    return strcmp(step->op->name, "Upsample") == 0 || step->opset < 11;
}

static enum bst_code read_modes(const struct step *step, struct resize_options *o, struct bst_error *err)
{
    static const char *const modes[] = {"nearest", "linear", "cubic"};
    static const char *const coordinates[COORDINATES] = {"half_pixel",           "pytorch_half_pixel",
                                                         "align_corners",        "asymmetric",
                                                         "half_pixel_symmetric", "tf_crop_and_resize"};
    static const char *const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    bool old = is_old(step);
    const char *mode = node_string(step->node, "mode", "nearest");
    const char *name =
        node_string(step->node, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
    size_t at = name_of(modes, 3, mode), place = name_of(coordinates, COORDINATES, name);
    o->nearest = node_string(step->node, "nearest_mode", old ? "floor" : "round_prefer_floor");
    if (at == 3) return step_bad(err, "mode '%.20s' is unknown", mode);
    if (place == COORDINATES) return step_bad(err, "coordinate_transformation_mode '%.40s' is unknown", name);
    if (name_of(roundings, 4, o->nearest) == 4)
        return step_bad(err, "nearest_mode '%.40s' is unknown", o->nearest);
    o->mode = (enum resize_mode)at;
    o->coordinates = (enum coordinates)place;
    o->antialias = node_int(step->node, "antialias", 0) != 0 && o->mode != RESIZE_NEAREST;
    o->exclude_outside = node_int(step->node, "exclude_outside", 0) != 0;
    o->cubic_a = (double)node_float(step->node, "cubic_coeff_a", -0.75f);
    o->beyond = node_float(step->node, "extrapolation_value", 0.0f);
    return isfinite(o->cubic_a) ? BST_OK : step_bad(err, "cubic_coeff_a is no number");
}

/* The lists that say how large the output is; an empty one is as good as none. */
struct lists {
    const struct tensor *scales, *sizes, *region;
    const int64_t *axes;
    size_t count; /* of axes that they are about */
};

static enum bst_code read_lists(const struct step *step, const struct resize_options *o, struct lists *l,
                                struct bst_error *err)
{
    bool old = is_old(step);
    *l = (struct lists){0};
    enum bst_code code = step_constant(step, old ? 1 : 2, KIND_FLOAT, &l->scales, err);
    if (code == BST_OK && !old) code = step_constant(step, 3, KIND_INT, &l->sizes, err);
    if (code == BST_OK && o->coordinates == CROP) code = step_constant(step, 1, KIND_FLOAT, &l->region, err);
    if (code == BST_OK) code = step_list(step, "axes", SIZE_MAX, &l->axes, &l->count, err);
    if (code != BST_OK) return code;
    if (l->axes == NULL) l->count = step->inputs[0]->rank;
    if (l->scales != NULL && l->scales->count == 0) l->scales = NULL;
    if (l->sizes != NULL && l->sizes->count == 0) l->sizes = NULL;
    if ((l->scales == NULL) == (l->sizes == NULL) ||
        (l->scales != NULL ? l->scales : l->sizes)->count != l->count || l->count > RANK_MAX)
        return step_bad(err, "either scales or sizes must be given, one for each axis");
    if (o->coordinates == CROP && (l->region == NULL || l->region->count != 2 * l->count))
        return step_bad(err, "the region must be given, two numbers for each axis");
    return BST_OK;
}

/* What keep_aspect_ratio_policy makes of the sizes: one scale for all axes; 0: each has its own. */
static enum bst_code common_scale(const struct step *step, const struct lists *l, const size_t *axes,
                                  double *scale, struct bst_error *err)
{
    const char *policy = node_string(step->node, "keep_aspect_ratio_policy", "stretch");
    bool larger = strcmp(policy, "not_smaller") == 0;
    *scale = 0.0;
    if (strcmp(policy, "stretch") == 0 || l->sizes == NULL) return BST_OK;
    if (!larger && strcmp(policy, "not_larger") != 0)
        return step_bad(err, "keep_aspect_ratio_policy '%.20s' is unknown", policy);
    for (size_t i = 0; i < l->count; i++) {
        double own = (double)tensor_ints(l->sizes)[i] / (double)step->inputs[0]->dims[axes[i]];
        if (i == 0 || (larger ? own > *scale : own < *scale)) *scale = own;
    }
    return BST_OK;
}

/* One axis that the lists name. */
static enum bst_code read_axis(const struct lists *l, size_t i, double common, double in, size_t axis,
                               struct resize_options *o, struct bst_error *err)
{
    double size, scale;
    if (l->scales != NULL) {
        scale = (double)tensor_floats(l->scales)[i];
        size = floor(in * scale);
    } else {
        size = common > 0.0 ? floor(common * in + 0.5) : (double)tensor_ints(l->sizes)[i];
        scale = common > 0.0 ? common : size / in;
    }
    if (!(size >= 1.0 && size <= (double)INT32_MAX))
        return step_bad(err, "a side of the output is out of range");
    o->dims[axis] = (int64_t)size;
    o->scale[axis] = scale;
    if (o->coordinates != CROP) return BST_OK;
    o->first[axis] = (double)tensor_floats(l->region)[i];
    o->last[axis] = (double)tensor_floats(l->region)[l->count + i];
    if (!isfinite(o->first[axis]) || !isfinite(o->last[axis]))
        return step_bad(err, "the region is not finite");
    return BST_OK;
}

enum bst_code resize_read(const struct step *step, struct resize_options *o, struct bst_error *err)
{
    const struct tensor *x = step->inputs[0];
    struct lists l;
    size_t axes[RANK_MAX];
    bool named[RANK_MAX] = {false};
    double common;
    *o = (struct resize_options){0};
    enum bst_code code = step_float(step, 0, 0, err);
    if (code == BST_OK) code = read_modes(step, o, err);
    if (code == BST_OK) code = read_lists(step, o, &l, err);
    if (code != BST_OK) return code;
    if (x->count == 0 || x->rank == 0) return step_bad(err, "the input is empty");
    for (size_t i = 0; i < x->rank; i++) {
        o->dims[i] = x->dims[i];
        o->scale[i] = o->last[i] = 1.0;
    }
    for (size_t i = 0; i < l.count; i++) {
        if (!axis_of(l.axes != NULL ? l.axes[i] : (int64_t)i, x->rank, &axes[i]) || named[axes[i]])
            return step_bad(err, "axes are out of range");
        named[axes[i]] = true;
    }
    code = common_scale(step, &l, axes, &common, err);
    for (size_t i = 0; i < l.count && code == BST_OK; i++)
        code = read_axis(&l, i, common, (double)x->dims[axes[i]], axes[i], o, err);
    return code;
}

/* ---- tables ---- */

/* The place in the input that output place x stands for. */
static double source_of(const struct resize_options *o, size_t axis, double x, double in, double out)
{
    double scale = o->scale[axis], first = o->first[axis], last = o->last[axis];
    switch (o->coordinates) {
    case PYTORCH_HALF_PIXEL:
        return out > 1 ? (x + 0.5) / scale - 0.5 : 0.0;
    case ALIGN_CORNERS:
        return out > 1 ? x * (in - 1) / (out - 1) : 0.0;
    case ASYMMETRIC:
        return x / scale;
    case HALF_PIXEL_SYMMETRIC:
        return in / 2 * (1 - out / (scale * in)) + (x + 0.5) / scale - 0.5;
    case CROP:
        return out > 1 ? first * (in - 1) + x * (last - first) * (in - 1) / (out - 1)
                       : 0.5 * (first + last) * (in - 1);
    default:
        return (x + 0.5) / scale - 0.5;
    }
}

static double nearest_of(const char *mode, double x)
{
    if (strcmp(mode, "floor") == 0) return floor(x);
    if (strcmp(mode, "ceil") == 0) return ceil(x);
    if (strcmp(mode, "round_prefer_ceil") == 0) return floor(x + 0.5);
    return ceil(x - 0.5);
}

static double hold(double x, double low, double high)
{
    return x > low ? x < high ? x : high : low;
}

/* The weight of a place at distance d, before any division by the sum. */
static double weight_of(const struct resize_options *o, double d)
{
    double a = o->cubic_a;
    if (o->mode == RESIZE_LINEAR) return d < 1 ? 1 - d : 0;
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/* Weights of the places floor(x) + first ... around x; squeeze is below 1 where an antialiased axis shrinks. */
static void filter(const struct resize_options *o, double x, double squeeze, double first, size_t i,
                   struct axis_table *t)
{
    double base = floor(x), part = x - base, sum = 0;
    for (int pass = 0; pass < 2; pass++) { /* first their sum */
        for (size_t k = 0; k < t->taps; k++) {
            double offset = first + (double)k, place = base + offset;
            bool outside = place < 0 || place > (double)(t->in - 1);
            double w = o->exclude_outside && outside ? 0 : weight_of(o, fabs(offset - part) * squeeze);
            if (pass == 0) {
                sum = sum + w;
                continue;
            }
            if ((o->antialias || o->exclude_outside) && sum != 0) w = w / sum;
            t->place[k * t->out + i] = (uint32_t)hold(place, 0, (double)(t->in - 1));
            t->weight[k * t->out + i] = (float)w;
        }
    }
}

static void between(double x, size_t i, struct axis_table *t)
{
    size_t low = (size_t)x;
    t->place[i] = (uint32_t)low;
    t->place[t->out + i] = (uint32_t)(low + 1 < t->in ? low + 1 : low);
    t->weight[i] = (float)(1.0 - (x - (double)low));
    t->weight[t->out + i] = (float)(x - (double)low);
}

/* Whether an inner column 2i stands for i - 1/4, column 2i + 1 for i + 1/4. */
static bool is_twice(const struct axis_table *t)
{
    if (t->taps != 2 || t->out != 2 * t->in || t->in < 2) return false;
    for (size_t i = 1; i + 1 < t->out; i++) {
        bool even = i % 2 == 0;
        if (t->place[i] != (even ? i / 2 - 1 : i / 2) || t->weight[t->out + i] != (even ? 0.75f : 0.25f))
            return false;
    }
    return true;
}

/* Forms that run faster than the table says. */
static void find_forms(struct axis_table *t)
{
    t->same = t->in == t->out && t->beyond == NULL;
    t->doubled = t->out == 2 * t->in && t->taps == 1;
    for (size_t i = 0; i < t->out; i++) {
        for (size_t k = 0; k < t->taps; k++) {
            float weight = t->weight[k * t->out + i];
            t->same = t->same && (t->place[k * t->out + i] == i ? weight == 1.0f : weight == 0.0f);
        }
        t->doubled = t->doubled && t->place[i] == i / 2;
    }
    t->twice = is_twice(t);
}

enum bst_code resize_table(struct step *step, const struct resize_options *o, size_t axis,
                           struct axis_table *t, struct bst_error *err)
{
    double squeeze = o->antialias && o->scale[axis] < 1 ? o->scale[axis] : 1.0;
    double first = floor((o->mode == RESIZE_LINEAR ? -1 : -2) / squeeze) + 1;
    bool plain = o->mode == RESIZE_LINEAR && !o->antialias, outside = false;
    *t = (struct axis_table){.in = (size_t)step->inputs[0]->dims[axis], .out = (size_t)o->dims[axis]};
    t->taps = o->mode == RESIZE_NEAREST ? 1 : plain ? 2 : (size_t)(2 - 2 * first);
    t->place = step_take(step, t->taps * t->out, sizeof *t->place);
    t->weight = step_take(step, t->taps * t->out, sizeof *t->weight);
    t->beyond = step_take(step, t->out, sizeof *t->beyond);
    if (t->place == NULL || t->weight == NULL || t->beyond == NULL) return bst_fail_memory(err);
    for (size_t i = 0; i < t->out; i++) {
        double last = (double)(t->in - 1);
        double x = source_of(o, axis, (double)i, (double)t->in, (double)t->out);
        t->beyond[i] = o->coordinates == CROP && (x < 0 || x > last);
        outside = outside || t->beyond[i];
        if (o->mode == RESIZE_NEAREST) {
            t->place[i] = (uint32_t)hold(nearest_of(o->nearest, x), 0, last);
            t->weight[i] = 1.0f;
        } else if (plain) {
            between(hold(x, 0, last), i, t);
        } else {
            filter(o, hold(x, -1e9, 1e9), squeeze, first, i, t);
        }
    }
    if (!outside) t->beyond = NULL;
    find_forms(t);
    return BST_OK;
}

/* ---- places alone ---- */

enum bst_code resize_tables(struct step *step, struct bst_error *err)
{
    struct resize_options o;
    struct axis_table *tables = step_take(step, RANK_MAX, sizeof *tables);
    if (tables == NULL) return bst_fail_memory(err);
    enum bst_code code = resize_read(step, &o, err);
    for (size_t axis = 0; axis < step->inputs[0]->rank && code == BST_OK; axis++)
        code = resize_table(step, &o, axis, &tables[axis], err);
    step->prepared = tables;
    return code;
}

bool resize_alike(const struct step *a, size_t place_a, const struct step *b, size_t place_b, size_t axis,
                  int64_t shift, int64_t *first, int64_t *last)
{
    const struct axis_table *ta = (const struct axis_table *)a->prepared + axis,
                            *tb = (const struct axis_table *)b->prepared + axis;
    bool beyond = ta->beyond != NULL && ta->beyond[place_a];
    *first = INT64_MAX;
    *last = -1;
    if (ta->taps != tb->taps || beyond != (tb->beyond != NULL && tb->beyond[place_b])) return false;
    for (size_t k = 0; k < ta->taps; k++) {
        int64_t place = ta->place[k * ta->out + place_a];
        if (place != (int64_t)tb->place[k * tb->out + place_b] + shift ||
            ta->weight[k * ta->out + place_a] != tb->weight[k * tb->out + place_b])
            return false;
        *first = place < *first ? place : *first;
        *last = place > *last ? place : *last;
    }
    return true;
}
