/* import_ncnn_shapes.c - ncnn's layers that cut, join and rearrange. */
#include "import_ncnn.h"

/* ---- cutting and joining ---- */

static const char *slice(struct ncnn *n, const char *x, size_t count, const int64_t *begin,
                         const int64_t *end, const int64_t *axes)
{
    const char *inputs[] = {x, net_ints(n->net, count, begin), net_ints(n->net, count, end),
                            net_ints(n->net, count, axes)};
    return net_node(n->net, "Slice", 4, inputs, 0, NULL);
}

static void crop_lists(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t begin[NCNN_LIST_MAX], end[NCNN_LIST_MAX], axes[NCNN_LIST_MAX];
    size_t count = ncnn_ints(l, 9, begin), ends = ncnn_ints(l, 10, end), given = ncnn_ints(l, 11, axes);
    if (ends != count || (given != 0 && given != count) || count > ncnn_in(l, 0)->rank) {
        net_fail(n->net, "starts, ends and axes do not fit together");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        axes[i] = ncnn_axis(given > 0 ? axes[i] : (int64_t)i);
        if (begin[i] == NCNN_UNSET) begin[i] = 0;
        if (end[i] == NCNN_UNSET || end[i] == 0) end[i] = INT32_MAX;
        if ((axes[i] == 1 || axes[i] == -3) && ncnn_in(l, 0)->rank == 3) ncnn_in(l, 0)->channels = -1;
    }
    ncnn_out(l, slice(n, ncnn_in(l, 0)->value, count, begin, end, axes));
    l->tops[0]->cropped = true;
}

/* From an offset on, as large as the second bottom. */
static void crop_like(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t begin[] = {ncnn_int(l, 2, 0), ncnn_int(l, 1, 0), ncnn_int(l, 0, 0)}, axes[] = {1, 2, 3};
    const char *shape = net_unary(n->net, "Shape", ncnn_in(l, 1)->value), *first = net_ints(n->net, 3, begin);
    const char *part[] = {shape, net_ints(n->net, 1, (int64_t[]){1}), net_ints(n->net, 1, (int64_t[]){4}),
                          net_ints(n->net, 1, (int64_t[]){0})};
    const char *end = net_binary(n->net, "Add", first, net_node(n->net, "Slice", 4, part, 0, NULL));
    const char *inputs[] = {ncnn_in(l, 0)->value, first, end, net_ints(n->net, 3, axes)};
    ncnn_out(l, net_node(n->net, "Slice", 4, inputs, 0, NULL));
    l->tops[0]->channels = ncnn_in(l, 1)->channels;
}

void ncnn_crop(struct ncnn *n, struct ncnn_layer *l)
{
    if (ncnn_in(l, 0)->rank != 3 || (l->bottom_count == 2 && ncnn_in(l, 1)->rank != 3)) {
        net_fail(n->net, "only maps are cropped");
    } else if (l->params[9].given) {
        crop_lists(n, l);
    } else if (l->bottom_count == 2) {
        crop_like(n, l);
    } else {
        int64_t begin[3], end[3], axes[] = {3, 2, 1};
        for (size_t i = 0; i < 3; i++) { /* offset, size, offset from the far side */
            int64_t size = ncnn_int(l, 3 + i, NCNN_UNSET), far = ncnn_int(l, 6 + i, 0);
            begin[i] = ncnn_int(l, i, 0);
            end[i] = size > 0 ? begin[i] + size : far > 0 ? -far : INT32_MAX;
        }
        ncnn_out(l, slice(n, ncnn_in(l, 0)->value, 3, begin, end, axes));
        if (begin[2] != 0 || end[2] != INT32_MAX) l->tops[0]->channels = -1;
    }
}

void ncnn_concat(struct ncnn *n, struct ncnn_layer *l)
{
    const char *values[NCNN_EDGES_MAX];
    int64_t axis = ncnn_int(l, 0, 0), channels = 0;
    for (size_t i = 0; i < l->bottom_count; i++) {
        values[i] = ncnn_in(l, i)->value;
        channels = channels < 0 || ncnn_in(l, i)->channels < 0 ? -1 : channels + ncnn_in(l, i)->channels;
    }
    ncnn_out(l, net_concat(n->net, ncnn_axis(axis), l->bottom_count, values));
    if (axis == 0) l->tops[0]->channels = channels;
}

void ncnn_slices(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t sizes[NCNN_LIST_MAX], axis = ncnn_int(l, 1, 0), at = 0, channels = ncnn_in(l, 0)->channels;
    size_t count = ncnn_ints(l, 0, sizes);
    if (count != l->top_count) {
        net_fail(n->net, "%zu slices for %zu outputs", count, l->top_count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        bool rest = sizes[i] == NCNN_UNSET && i + 1 == count;
        int64_t parts = (int64_t)(count - i);
        if (sizes[i] == NCNN_UNSET && !rest) {
            if (axis != 0 || channels < 0 || (channels - at) % parts != 0)
                net_fail(n->net, "equal slices of an unknown size are not supported");
            sizes[i] = (channels - at) / parts;
        }
        int64_t end = rest ? INT32_MAX : at + sizes[i], where = ncnn_axis(axis);
        l->tops[i]->value = slice(n, ncnn_in(l, 0)->value, 1, &at, &end, &where);
        l->tops[i]->rank = ncnn_in(l, 0)->rank;
        if (axis == 0) l->tops[i]->channels = !rest ? sizes[i] : channels > 0 ? channels - at : -1;
        at = end;
    }
}

void ncnn_padding(struct ncnn *n, struct ncnn_layer *l)
{
    static const char *const modes[] = {"constant", "edge", "reflect"};
    int64_t top = ncnn_int(l, 0, 0), bottom = ncnn_int(l, 1, 0), left = ncnn_int(l, 2, 0);
    int64_t right = ncnn_int(l, 3, 0), type = ncnn_int(l, 4, 0);
    int64_t pads[] = {0, 0, top, left, 0, 0, bottom, right};
    if (type < 0 || type > 2 || ncnn_in(l, 0)->rank != 3) {
        net_fail(n->net, "padding of type %lld is not supported", (long long)type);
        return;
    }
    struct net_attribute how = {.name = "mode", .kind = NET_TEXT, .text = modes[type]};
    const char *inputs[] = {ncnn_in(l, 0)->value, net_ints(n->net, 8, pads),
                            net_scalar(n->net, ncnn_float(l, 5, 0.0f))};
    ncnn_out(l, net_node(n->net, "Pad", 3, inputs, 1, &how));
    l->tops[0]->picture = ncnn_in(l, 0)->picture;
}

/* ---- shapes ---- */

void ncnn_reshape(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t w = ncnn_int(l, 0, NCNN_UNSET), h = ncnn_int(l, 1, NCNN_UNSET), c = ncnn_int(l, 2, NCNN_UNSET);
    int64_t dims[4] = {0};
    size_t rank = 1;
    if (c != NCNN_UNSET) dims[rank++] = c;
    if (h != NCNN_UNSET) dims[rank++] = h;
    if (w != NCNN_UNSET) dims[rank++] = w;
    for (size_t i = 1; i < rank; i++)
        if (dims[i] == 0 && rank - 1 != ncnn_in(l, 0)->rank)
            net_fail(n->net, "a kept size in another number of dimensions is not supported");
    ncnn_out(l, net_reshape(n->net, ncnn_in(l, 0)->value, rank, dims));
    l->tops[0]->rank = rank - 1;
    l->tops[0]->channels = dims[1] > 0 ? dims[1] : -1;
}

void ncnn_flatten(struct ncnn *n, struct ncnn_layer *l)
{
    ncnn_out(l, net_unary(n->net, "Flatten", ncnn_in(l, 0)->value));
    l->tops[0]->rank = 1;
    l->tops[0]->channels = -1;
}

void ncnn_permute(struct ncnn *n, struct ncnn_layer *l)
{
    static const int64_t maps[6][4] = {/* new c, h, w as places of the old ones */
                                       {0, 1, 2, 3}, {0, 1, 3, 2}, {0, 2, 1, 3},
                                       {0, 2, 3, 1}, {0, 3, 1, 2}, {0, 3, 2, 1}};
    static const int64_t planes[2][3] = {{0, 1, 2}, {0, 2, 1}};
    int64_t order = ncnn_int(l, 0, 0);
    size_t rank = ncnn_in(l, 0)->rank;
    if (order < 0 || order > 5 || (rank == 2 && order > 1) || rank == 1) {
        net_fail(n->net, "order %lld is not supported", (long long)order);
        return;
    }
    ncnn_out(l,
             net_transpose(n->net, ncnn_in(l, 0)->value, rank + 1, rank == 3 ? maps[order] : planes[order]));
    if (rank == 3 && order > 1) l->tops[0]->channels = -1;
}

/* Axes that a layer names by a list (param 3) or by flags for w, h and c. */
static size_t axes_of(struct ncnn_layer *l, size_t rank, int64_t axes[static NCNN_LIST_MAX])
{
    size_t count = ncnn_ints(l, 3, axes), at = 0;
    bool flags[] = {ncnn_int(l, 0, 0) != 0, ncnn_int(l, 1, 0) != 0, ncnn_int(l, 2, 0) != 0};
    for (size_t i = 0; i < count; i++)
        axes[i] = ncnn_axis(axes[i]);
    if (count > 0) return count;
    for (size_t i = 0; i < 3 && i < rank; i++)
        if (flags[i]) axes[at++] = (int64_t)(rank - i);
    return at;
}

void ncnn_squeeze(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t axes[NCNN_LIST_MAX];
    size_t rank = ncnn_in(l, 0)->rank, count = axes_of(l, rank, axes);
    if (count == 0 || count >= rank) {
        net_fail(n->net, "only named axes are squeezed, and not all");
        return;
    }
    ncnn_out(l, net_binary(n->net, "Squeeze", ncnn_in(l, 0)->value, net_ints(n->net, count, axes)));
    l->tops[0]->rank = rank - count;
    l->tops[0]->channels = -1;
}

void ncnn_expand_dims(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t axes[NCNN_LIST_MAX];
    size_t rank = ncnn_in(l, 0)->rank, count = axes_of(l, 3, axes);
    if (count == 0 || rank + count > 3) {
        net_fail(n->net, "more than three dimensions are not supported");
        return;
    }
    ncnn_out(l, net_binary(n->net, "Unsqueeze", ncnn_in(l, 0)->value, net_ints(n->net, count, axes)));
    l->tops[0]->rank = rank + count;
    l->tops[0]->channels = -1;
}

void ncnn_reduction(struct ncnn *n, struct ncnn_layer *l)
{
    static const char *const types[] = {"ReduceSum",  "ReduceL1",  "ReduceSumSquare",
                                        "ReduceMean", "ReduceMax", "ReduceMin",
                                        "ReduceProd", "ReduceL1",  "ReduceL2"};
    int64_t type = ncnn_int(l, 0, 0), all = ncnn_int(l, 1, 1), keep = ncnn_int(l, 4, 0), axes[NCNN_LIST_MAX];
    size_t rank = ncnn_in(l, 0)->rank, count = ncnn_ints(l, 3, axes);
    const char *x = ncnn_in(l, 0)->value;
    ncnn_int(l, 5, 0);
    if (type < 0 || type > 8 || ncnn_float(l, 2, 1.0f) != 1.0f || (!all && count == 0) || count > rank) {
        net_fail(n->net, "reduction %lld is not supported", (long long)type);
        return;
    }
    for (size_t i = 0; i < count; i++)
        axes[i] = ncnn_axis(axes[i]);
    if (all)
        for (count = 0; count < rank; count++)
            axes[count] = (int64_t)count + 1;
    struct net_attribute how[] = {{.name = "keepdims", .kind = NET_INT, .i = keep},
                                  {.name = "axes", .kind = NET_INTS, .count = count, .ints = axes}};
    if (type == 0) /* in this operator set only ReduceSum takes its axes as an input */
        ncnn_out(
            l, net_node(n->net, types[type], 2, (const char *[]){x, net_ints(n->net, count, axes)}, 1, how));
    else
        ncnn_out(l, net_node(n->net, types[type], 1, &x, 2, how));
    if (!keep) {
        l->tops[0]->rank = rank > count ? rank - count : 1;
        l->tops[0]->channels = -1;
    }
}
