/* import_ncnn_layers.c - ncnn's layers in terms of ONNX operators, after ncnn's own description of their parameters
 * (docs/developer-guide/operators.md there). */
#include "import_ncnn.h"

#include <string.h>

#define SAME_UPPER (-233)
#define SAME_LOWER (-234)

/* ---- small things ---- */

static struct ncnn_blob *in(struct ncnn_layer *l, size_t i)
{
    return l->bottoms[i];
}

/* Names the only top's value; its rank and channels are those of the first bottom unless set otherwise. */
static void out(struct ncnn_layer *l, const char *value)
{
    l->tops[0]->value = value;
    if (l->bottom_count == 0) return;
    l->tops[0]->rank = in(l, 0)->rank;
    l->tops[0]->channels = in(l, 0)->channels;
}

/* A vector [C] as what broadcasts over the channels of a value of that rank. */
static const char *per_channel(struct ncnn *n, const char *vector, size_t rank)
{
    return rank == 3 ? net_reshape(n->net, vector, 3, (int64_t[]){-1, 1, 1}) : vector;
}

static const char *raw_vector(struct ncnn *n, int64_t count)
{
    return net_weight(n->net, ncnn_take(n, false, 1, &count, NULL));
}

/* The ONNX axis of ncnn's, which counts no batch. */
static int64_t onnx_axis(int64_t axis)
{
    return axis < 0 ? axis : axis + 1;
}

static const char *clip(struct ncnn *n, const char *x, float low, float high)
{
    const char *inputs[] = {x, net_scalar(n->net, low), net_scalar(n->net, high)};
    return net_node(n->net, "Clip", 3, inputs, 0, NULL);
}

static const char *hard_sigmoid(struct ncnn *n, const char *x, float alpha, float beta)
{
    x = net_binary(n->net, "Mul", x, net_scalar(n->net, alpha));
    return clip(n, net_binary(n->net, "Add", x, net_scalar(n->net, beta)), 0.0f, 1.0f);
}

/* The activation that is fused into a layer: its kind at param 9, its numbers at 10. */
static const char *activation(struct ncnn *n, struct ncnn_layer *l, const char *x)
{
    int64_t kind = ncnn_int(l, 9, 0);
    const double *p = l->params[10].list;
    l->asked |= 1u << 10;
    switch (kind) {
    case 0:
        return x;
    case 1:
        return net_unary(n->net, "Relu", x);
    case 2:
        return net_leaky(n->net, x, (float)p[0]);
    case 3:
        return clip(n, x, (float)p[0], (float)p[1]);
    case 4:
        return net_unary(n->net, "Sigmoid", x);
    case 6:
        return net_binary(n->net, "Mul", x, hard_sigmoid(n, x, (float)p[0], (float)p[1]));
    default:
        return net_fail(n->net, "activation %lld is not supported", (long long)kind);
    }
}

/* ---- convolutions ---- */

struct window {
    int64_t kernel[2], stride[2], dilation[2], pads[4]; /* rows, columns; top, left, bottom, right */
    const char *auto_pad;
};

static struct window window_of(struct ncnn_layer *l)
{
    struct window w = {.auto_pad = "NOTSET"};
    w.kernel[1] = ncnn_int(l, 1, 0);
    w.kernel[0] = ncnn_int(l, 11, w.kernel[1]);
    w.dilation[1] = ncnn_int(l, 2, 1);
    w.dilation[0] = ncnn_int(l, 12, w.dilation[1]);
    w.stride[1] = ncnn_int(l, 3, 1);
    w.stride[0] = ncnn_int(l, 13, w.stride[1]);
    w.pads[1] = ncnn_int(l, 4, 0);
    w.pads[3] = ncnn_int(l, 15, w.pads[1]);
    w.pads[0] = ncnn_int(l, 14, w.pads[1]);
    w.pads[2] = ncnn_int(l, 16, w.pads[0]);
    if (w.pads[1] == SAME_UPPER) w.auto_pad = "SAME_UPPER";
    if (w.pads[1] == SAME_LOWER) w.auto_pad = "SAME_LOWER";
    return w;
}

static const char *convolve(struct ncnn *n, const char *type, size_t inputs, const char *const *input,
                            const struct window *w, int64_t groups, const int64_t *output_padding)
{
    bool automatic = strcmp(w->auto_pad, "NOTSET") != 0;
    struct net_attribute how[] = {
        {.name = "kernel_shape", .kind = NET_INTS, .count = 2, .ints = w->kernel},
        {.name = "strides", .kind = NET_INTS, .count = 2, .ints = w->stride},
        {.name = "dilations", .kind = NET_INTS, .count = 2, .ints = w->dilation},
        {.name = "group", .kind = NET_INT, .i = groups},
        {.name = "auto_pad", .kind = NET_TEXT, .text = w->auto_pad},
        {.name = "output_padding", .kind = NET_INTS, .count = 2, .ints = output_padding},
    };
    if (!automatic)
        how[4] = (struct net_attribute){.name = "pads", .kind = NET_INTS, .count = 4, .ints = w->pads};
    return net_node(n->net, type, inputs, input, output_padding != NULL ? 6 : 5, how);
}

/* Input channels of a group, from the number of weights; 0 when they do not divide. */
static int64_t inputs_of_group(struct ncnn *n, int64_t outputs, int64_t weights, const struct window *w)
{
    int64_t taps = w->kernel[0] * w->kernel[1];
    if (outputs > 0 && outputs < 1 << 20 && w->kernel[0] > 0 && w->kernel[1] > 0 && w->kernel[0] < 1024 &&
        w->kernel[1] < 1024 && weights > 0 && weights % (outputs * taps) == 0)
        return weights / (outputs * taps);
    net_fail(n->net, "%lld weights do not fit %lld outputs of %lldx%lld", (long long)weights,
             (long long)outputs, (long long)w->kernel[0], (long long)w->kernel[1]);
    return 0;
}

static void learn_channels(struct ncnn *n, const struct ncnn_blob *bottom, int64_t channels)
{
    if (bottom->picture && n->input_channels == 0) n->input_channels = channels;
}

static void convolution_of(struct ncnn *n, struct ncnn_layer *l, int64_t groups)
{
    struct window w = window_of(l);
    int64_t outputs = ncnn_int(l, 0, 0), bias = ncnn_int(l, 5, 0), weights = ncnn_int(l, 6, 0);
    int64_t inputs = inputs_of_group(n, outputs, weights, &w);
    if (inputs == 0) return;
    int64_t dims[] = {outputs, inputs, w.kernel[0], w.kernel[1]};
    const char *weight = net_weight(n->net, ncnn_take(n, true, 4, dims, NULL));
    const char *input[] = {in(l, 0)->value, weight, bias ? raw_vector(n, outputs) : ""};
    learn_channels(n, in(l, 0), inputs * groups);
    out(l, activation(n, l, convolve(n, "Conv", bias ? 3 : 2, input, &w, groups, NULL)));
    l->tops[0]->channels = outputs;
}

static void convolution(struct ncnn *n, struct ncnn_layer *l)
{
    convolution_of(n, l, 1);
}

static void convolution_groups(struct ncnn *n, struct ncnn_layer *l)
{
    convolution_of(n, l, ncnn_int(l, 7, 1));
}

/* ncnn keeps [group][output][input][row][column], ONNX [group and input][output][row][column]. */
static void deconvolution_of(struct ncnn *n, struct ncnn_layer *l, int64_t groups)
{
    struct window w = window_of(l);
    int64_t outputs = ncnn_int(l, 0, 0), bias = ncnn_int(l, 5, 0), weights = ncnn_int(l, 6, 0);
    int64_t padding[2] = {ncnn_int(l, 19, 0), ncnn_int(l, 18, 0)};
    int64_t inputs = inputs_of_group(n, outputs, weights, &w);
    if (inputs == 0) return;
    if (groups < 1 || outputs % groups != 0 || strcmp(w.auto_pad, "NOTSET") != 0) {
        net_fail(n->net, "%lld groups, or automatic padding, are not supported here", (long long)groups);
        return;
    }
    int64_t taps = w.kernel[0] * w.kernel[1], each = outputs / groups;
    int64_t dims[] = {groups, inputs, each, w.kernel[0], w.kernel[1]};
    size_t strides[] = {(size_t)(each * inputs * taps), (size_t)taps, (size_t)(inputs * taps),
                        (size_t)w.kernel[1], 1};
    const char *weight = net_weight(n->net, ncnn_take(n, true, 5, dims, strides));
    weight = net_reshape(n->net, weight, 4, (int64_t[]){groups * inputs, each, w.kernel[0], w.kernel[1]});
    const char *input[] = {in(l, 0)->value, weight, bias ? raw_vector(n, outputs) : ""};
    learn_channels(n, in(l, 0), inputs * groups);
    out(l, activation(n, l, convolve(n, "ConvTranspose", bias ? 3 : 2, input, &w, groups, padding)));
    l->tops[0]->channels = outputs;
}

static void deconvolution(struct ncnn *n, struct ncnn_layer *l)
{
    deconvolution_of(n, l, 1);
}

static void deconvolution_groups(struct ncnn *n, struct ncnn_layer *l)
{
    deconvolution_of(n, l, ncnn_int(l, 7, 1));
}

static void inner_product(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t outputs = ncnn_int(l, 0, 0), bias = ncnn_int(l, 1, 0), weights = ncnn_int(l, 2, 0);
    if (outputs < 1 || weights < 1 || weights % outputs != 0 || in(l, 0)->rank == 2) {
        net_fail(n->net, "%lld weights do not fit %lld outputs", (long long)weights, (long long)outputs);
        return;
    }
    int64_t dims[] = {outputs, weights / outputs};
    const char *x = in(l, 0)->value, *weight = net_weight(n->net, ncnn_take(n, true, 2, dims, NULL));
    if (in(l, 0)->rank == 3) x = net_unary(n->net, "Flatten", x);
    const char *input[] = {x, weight, bias ? raw_vector(n, outputs) : ""};
    struct net_attribute how = {.name = "transB", .kind = NET_INT, .i = 1};
    out(l, activation(n, l, net_node(n->net, "Gemm", bias ? 3 : 2, input, 1, &how)));
    l->tops[0]->rank = 1;
    l->tops[0]->channels = outputs;
}

/* ---- pooling and resizing ---- */

static void pooling(struct ncnn *n, struct ncnn_layer *l)
{
    bool average = ncnn_int(l, 0, 0) == 1, global = ncnn_int(l, 4, 0) != 0;
    bool adaptive = ncnn_int(l, 7, 0) != 0 && ncnn_int(l, 8, 0) == 1 && ncnn_int(l, 18, 1) == 1;
    const char *x = in(l, 0)->value;
    if (global || adaptive) {
        x = net_unary(n->net, average ? "GlobalAveragePool" : "GlobalMaxPool", x);
        l->asked = ~0u; /* the window says nothing then */
        out(l, global ? net_unary(n->net, "Flatten", x) : x);
        l->tops[0]->rank = global ? 1 : 3;
        return;
    }
    int64_t kernel_w = ncnn_int(l, 1, 0), stride_w = ncnn_int(l, 2, 1), left = ncnn_int(l, 3, 0);
    int64_t kernel[] = {ncnn_int(l, 11, kernel_w), kernel_w},
            stride[] = {ncnn_int(l, 12, stride_w), stride_w};
    int64_t top = ncnn_int(l, 13, left), mode = ncnn_int(l, 5, 0);
    int64_t pads[] = {top, left, ncnn_int(l, 15, top), ncnn_int(l, 14, left)};
    struct net_attribute how[] = {
        {.name = "kernel_shape", .kind = NET_INTS, .count = 2, .ints = kernel},
        {.name = "strides", .kind = NET_INTS, .count = 2, .ints = stride},
        {.name = "pads", .kind = NET_INTS, .count = 4, .ints = pads},
        {.name = "ceil_mode", .kind = NET_INT, .i = mode == 0},
        {.name = "count_include_pad", .kind = NET_INT, .i = ncnn_int(l, 6, 0)},
    };
    if (mode > 1 || ncnn_int(l, 7, 0) != 0)
        net_fail(n->net, "this padding, or pooling to a given size, is not supported");
    out(l, net_node(n->net, average ? "AveragePool" : "MaxPool", 1, &x, average ? 5 : 4, how));
}

/* The sizes [N, C, rows and columns of another value], for Resize. */
static const char *sizes_like(struct ncnn *n, const char *x, const char *other)
{
    const char *axes = net_ints(n->net, 1, (int64_t[]){0}), *two = net_ints(n->net, 1, (int64_t[]){2});
    const char *four = net_ints(n->net, 1, (int64_t[]){4});
    const char *own = net_unary(n->net, "Shape", x), *theirs = net_unary(n->net, "Shape", other);
    const char *parts[] = {net_node(n->net, "Slice", 4, (const char *[]){own, axes, two, axes}, 0, NULL),
                           net_node(n->net, "Slice", 4, (const char *[]){theirs, two, four, axes}, 0, NULL)};
    return net_concat(n->net, 0, 2, parts);
}

static void interp(struct ncnn *n, struct ncnn_layer *l)
{
    static const char *const modes[] = {"", "nearest", "linear", "cubic"};
    int64_t type = ncnn_int(l, 0, 0), align = ncnn_int(l, 6, 0);
    float rows = ncnn_float(l, 1, 1.0f), columns = ncnn_float(l, 2, 1.0f);
    ncnn_int(l, 5, 0);
    if (type < 1 || type > 3 || in(l, 0)->rank != 3 || ncnn_int(l, 3, 0) != 0 || ncnn_int(l, 4, 0) != 0) {
        net_fail(n->net, "resizing of type %lld, or to a fixed size, is not supported", (long long)type);
        return;
    }
    const char *x = in(l, 0)->value;
    const char *scales = net_floats(n->net, 1, (int64_t[]){4}, (float[]){1.0f, 1.0f, rows, columns});
    struct net_attribute how[] = {
        {.name = "mode", .kind = NET_TEXT, .text = modes[type]},
        {.name = "coordinate_transformation_mode",
         .kind = NET_TEXT,
         .text = type == 1 ? "asymmetric"
                 : align   ? "align_corners"
                           : "half_pixel"},
        {.name = "nearest_mode", .kind = NET_TEXT, .text = "floor"},
    };
    if (l->bottom_count == 2)
        out(l, net_node(n->net, "Resize", 4, (const char *[]){x, "", "", sizes_like(n, x, in(l, 1)->value)},
                        3, how));
    else
        out(l, net_node(n->net, "Resize", 3, (const char *[]){x, "", scales}, 3, how));
}

static void pixel_shuffle(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t scale = ncnn_int(l, 0, 1), channels = in(l, 0)->channels;
    struct net_attribute how[] = {
        {.name = "blocksize", .kind = NET_INT, .i = scale},
        {.name = "mode", .kind = NET_TEXT, .text = ncnn_int(l, 1, 0) ? "DCR" : "CRD"},
    };
    out(l, net_node(n->net, "DepthToSpace", 1, &in(l, 0)->value, 2, how));
    if (scale > 0 && scale < 1024) l->tops[0]->channels = channels > 0 ? channels / (scale * scale) : -1;
}

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
    if (ends != count || (given != 0 && given != count) || count > in(l, 0)->rank) {
        net_fail(n->net, "starts, ends and axes do not fit together");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        axes[i] = onnx_axis(given > 0 ? axes[i] : (int64_t)i);
        if (begin[i] == NCNN_UNSET) begin[i] = 0;
        if (end[i] == NCNN_UNSET || end[i] == 0) end[i] = INT32_MAX;
        if ((axes[i] == 1 || axes[i] == -3) && in(l, 0)->rank == 3) in(l, 0)->channels = -1;
    }
    out(l, slice(n, in(l, 0)->value, count, begin, end, axes));
}

/* From an offset on, as large as the second bottom. */
static void crop_like(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t begin[] = {ncnn_int(l, 2, 0), ncnn_int(l, 1, 0), ncnn_int(l, 0, 0)}, axes[] = {1, 2, 3};
    const char *shape = net_unary(n->net, "Shape", in(l, 1)->value), *first = net_ints(n->net, 3, begin);
    const char *part[] = {shape, net_ints(n->net, 1, (int64_t[]){1}), net_ints(n->net, 1, (int64_t[]){4}),
                          net_ints(n->net, 1, (int64_t[]){0})};
    const char *end = net_binary(n->net, "Add", first, net_node(n->net, "Slice", 4, part, 0, NULL));
    const char *inputs[] = {in(l, 0)->value, first, end, net_ints(n->net, 3, axes)};
    out(l, net_node(n->net, "Slice", 4, inputs, 0, NULL));
    l->tops[0]->channels = in(l, 1)->channels;
}

static void crop(struct ncnn *n, struct ncnn_layer *l)
{
    if (in(l, 0)->rank != 3 || (l->bottom_count == 2 && in(l, 1)->rank != 3)) {
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
        out(l, slice(n, in(l, 0)->value, 3, begin, end, axes));
        if (begin[2] != 0 || end[2] != INT32_MAX) l->tops[0]->channels = -1;
    }
}

static void concat(struct ncnn *n, struct ncnn_layer *l)
{
    const char *values[NCNN_EDGES_MAX];
    int64_t axis = ncnn_int(l, 0, 0), channels = 0;
    for (size_t i = 0; i < l->bottom_count; i++) {
        values[i] = in(l, i)->value;
        channels = channels < 0 || in(l, i)->channels < 0 ? -1 : channels + in(l, i)->channels;
    }
    out(l, net_concat(n->net, onnx_axis(axis), l->bottom_count, values));
    if (axis == 0) l->tops[0]->channels = channels;
}

static void slice_layer(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t sizes[NCNN_LIST_MAX], axis = ncnn_int(l, 1, 0), at = 0, channels = in(l, 0)->channels;
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
        int64_t end = rest ? INT32_MAX : at + sizes[i], where = onnx_axis(axis);
        l->tops[i]->value = slice(n, in(l, 0)->value, 1, &at, &end, &where);
        l->tops[i]->rank = in(l, 0)->rank;
        if (axis == 0) l->tops[i]->channels = !rest ? sizes[i] : channels > 0 ? channels - at : -1;
        at = end;
    }
}

static void padding(struct ncnn *n, struct ncnn_layer *l)
{
    static const char *const modes[] = {"constant", "edge", "reflect"};
    int64_t top = ncnn_int(l, 0, 0), bottom = ncnn_int(l, 1, 0), left = ncnn_int(l, 2, 0);
    int64_t right = ncnn_int(l, 3, 0), type = ncnn_int(l, 4, 0);
    int64_t pads[] = {0, 0, top, left, 0, 0, bottom, right};
    if (type < 0 || type > 2 || in(l, 0)->rank != 3) {
        net_fail(n->net, "padding of type %lld is not supported", (long long)type);
        return;
    }
    struct net_attribute how = {.name = "mode", .kind = NET_TEXT, .text = modes[type]};
    const char *inputs[] = {in(l, 0)->value, net_ints(n->net, 8, pads),
                            net_scalar(n->net, ncnn_float(l, 5, 0.0f))};
    out(l, net_node(n->net, "Pad", 3, inputs, 1, &how));
    l->tops[0]->picture = in(l, 0)->picture;
}

/* ---- shapes ---- */

static void reshape(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t w = ncnn_int(l, 0, NCNN_UNSET), h = ncnn_int(l, 1, NCNN_UNSET), c = ncnn_int(l, 2, NCNN_UNSET);
    int64_t dims[4] = {0};
    size_t rank = 1;
    if (c != NCNN_UNSET) dims[rank++] = c;
    if (h != NCNN_UNSET) dims[rank++] = h;
    if (w != NCNN_UNSET) dims[rank++] = w;
    for (size_t i = 1; i < rank; i++)
        if (dims[i] == 0 && rank - 1 != in(l, 0)->rank)
            net_fail(n->net, "a kept size in another number of dimensions is not supported");
    out(l, net_reshape(n->net, in(l, 0)->value, rank, dims));
    l->tops[0]->rank = rank - 1;
    l->tops[0]->channels = dims[1] > 0 ? dims[1] : -1;
}

static void flatten(struct ncnn *n, struct ncnn_layer *l)
{
    out(l, net_unary(n->net, "Flatten", in(l, 0)->value));
    l->tops[0]->rank = 1;
    l->tops[0]->channels = -1;
}

static void permute(struct ncnn *n, struct ncnn_layer *l)
{
    static const int64_t maps[6][4] = {/* new c, h, w as places of the old ones */
                                       {0, 1, 2, 3}, {0, 1, 3, 2}, {0, 2, 1, 3},
                                       {0, 2, 3, 1}, {0, 3, 1, 2}, {0, 3, 2, 1}};
    static const int64_t planes[2][3] = {{0, 1, 2}, {0, 2, 1}};
    int64_t order = ncnn_int(l, 0, 0);
    size_t rank = in(l, 0)->rank;
    if (order < 0 || order > 5 || (rank == 2 && order > 1) || rank == 1) {
        net_fail(n->net, "order %lld is not supported", (long long)order);
        return;
    }
    out(l, net_transpose(n->net, in(l, 0)->value, rank + 1, rank == 3 ? maps[order] : planes[order]));
    if (rank == 3 && order > 1) l->tops[0]->channels = -1;
}

/* Axes that a layer names by a list (param 3) or by flags for w, h and c. */
static size_t axes_of(struct ncnn_layer *l, size_t rank, int64_t axes[static NCNN_LIST_MAX])
{
    size_t count = ncnn_ints(l, 3, axes), at = 0;
    bool flags[] = {ncnn_int(l, 0, 0) != 0, ncnn_int(l, 1, 0) != 0, ncnn_int(l, 2, 0) != 0};
    for (size_t i = 0; i < count; i++)
        axes[i] = onnx_axis(axes[i]);
    if (count > 0) return count;
    for (size_t i = 0; i < 3 && i < rank; i++)
        if (flags[i]) axes[at++] = (int64_t)(rank - i);
    return at;
}

static void squeeze(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t axes[NCNN_LIST_MAX];
    size_t rank = in(l, 0)->rank, count = axes_of(l, rank, axes);
    if (count == 0 || count >= rank) {
        net_fail(n->net, "only named axes are squeezed, and not all");
        return;
    }
    out(l, net_binary(n->net, "Squeeze", in(l, 0)->value, net_ints(n->net, count, axes)));
    l->tops[0]->rank = rank - count;
    l->tops[0]->channels = -1;
}

static void expand_dims(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t axes[NCNN_LIST_MAX];
    size_t rank = in(l, 0)->rank, count = axes_of(l, 3, axes);
    if (count == 0 || rank + count > 3) {
        net_fail(n->net, "more than three dimensions are not supported");
        return;
    }
    out(l, net_binary(n->net, "Unsqueeze", in(l, 0)->value, net_ints(n->net, count, axes)));
    l->tops[0]->rank = rank + count;
    l->tops[0]->channels = -1;
}

static void reduction(struct ncnn *n, struct ncnn_layer *l)
{
    static const char *const types[] = {"ReduceSum",  "ReduceL1",  "ReduceSumSquare",
                                        "ReduceMean", "ReduceMax", "ReduceMin",
                                        "ReduceProd", "ReduceL1",  "ReduceL2"};
    int64_t type = ncnn_int(l, 0, 0), all = ncnn_int(l, 1, 1), keep = ncnn_int(l, 4, 0), axes[NCNN_LIST_MAX];
    size_t rank = in(l, 0)->rank, count = ncnn_ints(l, 3, axes);
    const char *x = in(l, 0)->value;
    ncnn_int(l, 5, 0);
    if (type < 0 || type > 8 || ncnn_float(l, 2, 1.0f) != 1.0f || (!all && count == 0) || count > rank) {
        net_fail(n->net, "reduction %lld is not supported", (long long)type);
        return;
    }
    for (size_t i = 0; i < count; i++)
        axes[i] = onnx_axis(axes[i]);
    if (all)
        for (count = 0; count < rank; count++)
            axes[count] = (int64_t)count + 1;
    struct net_attribute how[] = {{.name = "keepdims", .kind = NET_INT, .i = keep},
                                  {.name = "axes", .kind = NET_INTS, .count = count, .ints = axes}};
    if (type == 0) /* in this operator set only ReduceSum takes its axes as an input */
        out(l, net_node(n->net, types[type], 2, (const char *[]){x, net_ints(n->net, count, axes)}, 1, how));
    else
        out(l, net_node(n->net, types[type], 1, &x, 2, how));
    if (!keep) {
        l->tops[0]->rank = rank > count ? rank - count : 1;
        l->tops[0]->channels = -1;
    }
}

/* ---- element by element ---- */

/* A vector beside a map belongs to its channels. */
static const char *aligned(struct ncnn *n, const struct ncnn_blob *blob, size_t rank)
{
    if (blob->rank == 1 && rank == 3) return net_reshape(n->net, blob->value, 4, (int64_t[]){0, -1, 1, 1});
    if (blob->rank == 2 && rank == 3)
        return net_binary(n->net, "Unsqueeze", blob->value, net_ints(n->net, 1, (int64_t[]){1}));
    return blob->value;
}

static void binary_op(struct ncnn *n, struct ncnn_layer *l)
{
    static const char *const types[] = {"Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "Sub", "Div", "Pow"};
    int64_t type = ncnn_int(l, 0, 0);
    bool scalar = ncnn_int(l, 1, 0) != 0;
    float number = ncnn_float(l, 2, 0.0f);
    if (type < 0 || type > 9 || (!scalar && l->bottom_count != 2)) {
        net_fail(n->net, "operation %lld is not supported", (long long)type);
        return;
    }
    const struct ncnn_blob *first = in(l, 0), *second = scalar ? first : in(l, 1);
    size_t rank = first->rank > second->rank ? first->rank : second->rank;
    const char *a = aligned(n, first, rank),
               *b = scalar ? net_scalar(n->net, number) : aligned(n, second, rank);
    out(l, type > 6 ? net_binary(n->net, types[type], b, a) : net_binary(n->net, types[type], a, b));
    l->tops[0]->rank = rank;
    if (first->channels != second->channels)
        l->tops[0]->channels = rank == first->rank ? first->channels : second->channels;
}

static void eltwise(struct ncnn *n, struct ncnn_layer *l)
{
    static const char *const types[] = {"Mul", "Add", "Max"};
    int64_t type = ncnn_int(l, 0, 0);
    const struct ncnn_param *factors = &l->params[1];
    l->asked |= 1u << 1;
    if (type < 0 || type > 2 || (factors->count > 0 && (type != 1 || factors->count != l->bottom_count))) {
        net_fail(n->net, "operation %lld with %zu factors is not supported", (long long)type, factors->count);
        return;
    }
    const char *sum = NULL;
    for (size_t i = 0; i < l->bottom_count; i++) {
        const char *x = in(l, i)->value;
        if (factors->count > 0 && factors->list[i] != 1.0)
            x = net_binary(n->net, "Mul", x, net_scalar(n->net, (float)factors->list[i]));
        sum = sum != NULL ? net_binary(n->net, types[type], sum, x) : x;
    }
    out(l, sum);
}

static void scale(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t size = ncnn_int(l, 0, 0), bias = ncnn_int(l, 1, 0);
    size_t rank = in(l, 0)->rank;
    const char *x = in(l, 0)->value;
    if ((size == NCNN_UNSET) != (l->bottom_count == 2) || (size == NCNN_UNSET && bias)) {
        net_fail(n->net, "%lld factors for %zu inputs", (long long)size, l->bottom_count);
        return;
    }
    x = net_binary(n->net, "Mul", x,
                   size == NCNN_UNSET ? aligned(n, in(l, 1), rank)
                                      : per_channel(n, raw_vector(n, size), rank));
    if (bias) x = net_binary(n->net, "Add", x, per_channel(n, raw_vector(n, size), rank));
    out(l, x);
}

static void prelu(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t count = ncnn_int(l, 0, 0);
    const char *slope = raw_vector(n, count);
    out(l, net_binary(n->net, "PRelu", in(l, 0)->value,
                      count > 1 ? per_channel(n, slope, in(l, 0)->rank) : slope));
}

static void relu(struct ncnn *n, struct ncnn_layer *l)
{
    float slope = ncnn_float(l, 0, 0.0f);
    const char *x = in(l, 0)->value;
    out(l, slope == 0.0f ? net_unary(n->net, "Relu", x) : net_leaky(n->net, x, slope));
}

static void clip_layer(struct ncnn *n, struct ncnn_layer *l)
{
    out(l, clip(n, in(l, 0)->value, ncnn_float(l, 0, -3.4e38f), ncnn_float(l, 1, 3.4e38f)));
}

static void sigmoid(struct ncnn *n, struct ncnn_layer *l)
{
    out(l, net_unary(n->net, "Sigmoid", in(l, 0)->value));
}

static void tanh_layer(struct ncnn *n, struct ncnn_layer *l)
{
    out(l, net_unary(n->net, "Tanh", in(l, 0)->value));
}

static void swish(struct ncnn *n, struct ncnn_layer *l)
{
    const char *x = in(l, 0)->value;
    out(l, net_binary(n->net, "Mul", x, net_unary(n->net, "Sigmoid", x)));
}

static void hard_sigmoid_layer(struct ncnn *n, struct ncnn_layer *l)
{
    out(l, hard_sigmoid(n, in(l, 0)->value, ncnn_float(l, 0, 0.2f), ncnn_float(l, 1, 0.5f)));
}

static void hard_swish(struct ncnn *n, struct ncnn_layer *l)
{
    const char *x = in(l, 0)->value;
    out(l, net_binary(n->net, "Mul", x, hard_sigmoid(n, x, ncnn_float(l, 0, 0.2f), ncnn_float(l, 1, 0.5f))));
}

static void unary_op(struct ncnn *n, struct ncnn_layer *l)
{
    static const char *const types[] = {"Abs",  "Neg",  "Floor", "Ceil",       NULL,  "Sqrt",
                                        NULL,   "Exp",  "Log",   "Sin",        "Cos", "Tan",
                                        "Asin", "Acos", "Atan",  "Reciprocal", "Tanh"};
    int64_t type = ncnn_int(l, 0, 0);
    const char *x = in(l, 0)->value;
    if (type == 4)
        out(l, net_binary(n->net, "Mul", x, x));
    else if (type == 6)
        out(l, net_unary(n->net, "Reciprocal", net_unary(n->net, "Sqrt", x)));
    else if (type >= 0 && type <= 16)
        out(l, net_unary(n->net, types[type], x));
    else
        net_fail(n->net, "operation %lld is not supported", (long long)type);
}

static void softmax(struct ncnn *n, struct ncnn_layer *l)
{
    struct net_attribute axis = {.name = "axis", .kind = NET_INT, .i = onnx_axis(ncnn_int(l, 0, 0))};
    ncnn_int(l, 1, 0); /* whether axis is to be believed: written by all since 2018 */
    out(l, net_node(n->net, "Softmax", 1, &in(l, 0)->value, 1, &axis));
}

/* ---- normalisation ---- */

static void batch_norm(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t channels = ncnn_int(l, 0, 0);
    struct net_attribute how = {.name = "epsilon", .kind = NET_FLOAT, .f = ncnn_float(l, 1, 0.0f)};
    const char *scales = raw_vector(n, channels), *mean = raw_vector(n, channels);
    const char *var = raw_vector(n, channels), *bias = raw_vector(n, channels);
    const char *inputs[] = {in(l, 0)->value, scales, bias, mean, var};
    out(l, net_node(n->net, "BatchNormalization", 5, inputs, 1, &how));
}

static void instance_norm(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t channels = ncnn_int(l, 0, 0), affine = ncnn_int(l, 2, 1);
    struct net_attribute how = {.name = "epsilon", .kind = NET_FLOAT, .f = ncnn_float(l, 1, 0.001f)};
    const char *gamma = affine ? raw_vector(n, channels) : net_filled(n->net, channels, 1.0f);
    const char *beta = affine ? raw_vector(n, channels) : net_filled(n->net, channels, 0.0f);
    out(l, net_node(n->net, "InstanceNormalization", 3, (const char *[]){in(l, 0)->value, gamma, beta}, 1,
                    &how));
}

/* ---- sources and copies ---- */

static void input(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t channels = ncnn_int(l, 2, 0), border = n->border;
    l->asked = ~0u; /* the sizes are what the network was tried with */
    if (n->input != NULL) {
        net_fail(n->net, "there is a second input");
        return;
    }
    n->input = "image"; /* as net_image calls it */
    out(l, border > 0 ? net_pad(n->net, n->input, "edge", (int64_t[]){border, border, border, border})
                      : n->input);
    l->tops[0]->picture = true;
    if (channels > 0) n->input_channels = l->tops[0]->channels = channels;
}

static void memory_data(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t sizes[] = {ncnn_int(l, 2, 0), ncnn_int(l, 1, 0), ncnn_int(l, 0, 0)}, dims[4] = {1};
    size_t rank = 1;
    for (size_t i = 0; i < 3; i++)
        if (sizes[i] != 0) dims[rank++] = sizes[i];
    out(l, net_weight(n->net, ncnn_take(n, ncnn_int(l, 21, 1) == 0, rank, dims, NULL)));
    l->tops[0]->rank = rank - 1;
    l->tops[0]->channels = dims[1];
}

static void copy(struct ncnn *n, struct ncnn_layer *l)
{
    (void)n;
    for (size_t i = 0; i < l->top_count; i++) {
        const char *name = l->tops[i]->name;
        *l->tops[i] = *in(l, 0);
        l->tops[i]->name = name;
        l->tops[i]->consumed = false;
    }
}

static void dropout(struct ncnn *n, struct ncnn_layer *l)
{
    float factor = ncnn_float(l, 0, 1.0f);
    copy(n, l);
    if (factor != 1.0f) out(l, net_binary(n->net, "Mul", in(l, 0)->value, net_scalar(n->net, factor)));
}

/* ---- the table ---- */

static const struct layer_kind {
    const char *type;
    size_t bottoms_min, bottoms_max, tops_max;
    void (*add)(struct ncnn *n, struct ncnn_layer *layer);
} kinds[] = {
    {"BatchNorm", 1, 1, 1, batch_norm},
    {"BinaryOp", 1, 2, 1, binary_op},
    {"Clip", 1, 1, 1, clip_layer},
    {"Concat", 1, NCNN_EDGES_MAX, 1, concat},
    {"Convolution", 1, 1, 1, convolution},
    {"ConvolutionDepthWise", 1, 1, 1, convolution_groups},
    {"Crop", 1, 2, 1, crop},
    {"Deconvolution", 1, 1, 1, deconvolution},
    {"DeconvolutionDepthWise", 1, 1, 1, deconvolution_groups},
    {"Dropout", 1, 1, 1, dropout},
    {"Eltwise", 2, NCNN_EDGES_MAX, 1, eltwise},
    {"ExpandDims", 1, 1, 1, expand_dims},
    {"Flatten", 1, 1, 1, flatten},
    {"HardSigmoid", 1, 1, 1, hard_sigmoid_layer},
    {"HardSwish", 1, 1, 1, hard_swish},
    {"InnerProduct", 1, 1, 1, inner_product},
    {"Input", 0, 0, 1, input},
    {"InstanceNorm", 1, 1, 1, instance_norm},
    {"Interp", 1, 2, 1, interp},
    {"MemoryData", 0, 0, 1, memory_data},
    {"Noop", 1, 1, NCNN_EDGES_MAX, copy},
    {"PReLU", 1, 1, 1, prelu},
    {"Padding", 1, 1, 1, padding},
    {"Permute", 1, 1, 1, permute},
    {"PixelShuffle", 1, 1, 1, pixel_shuffle},
    {"Pooling", 1, 1, 1, pooling},
    {"ReLU", 1, 1, 1, relu},
    {"Reduction", 1, 1, 1, reduction},
    {"Reshape", 1, 1, 1, reshape},
    {"Scale", 1, 2, 1, scale},
    {"Sigmoid", 1, 1, 1, sigmoid},
    {"Slice", 1, 1, NCNN_EDGES_MAX, slice_layer},
    {"Softmax", 1, 1, 1, softmax},
    {"Split", 1, 1, NCNN_EDGES_MAX, copy},
    {"Squeeze", 1, 1, 1, squeeze},
    {"Swish", 1, 1, 1, swish},
    {"TanH", 1, 1, 1, tanh_layer},
    {"UnaryOp", 1, 1, 1, unary_op},
};

void ncnn_add_layer(struct ncnn *n, struct ncnn_layer *layer)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct layer_kind *k = &kinds[i];
        if (strcmp(k->type, layer->type) != 0) continue;
        if (layer->bottom_count < k->bottoms_min || layer->bottom_count > k->bottoms_max ||
            layer->top_count < 1 || layer->top_count > k->tops_max)
            net_fail(n->net, "the layer has %zu inputs and %zu outputs", layer->bottom_count,
                     layer->top_count);
        else
            k->add(n, layer);
        return;
    }
    net_fail(n->net, "layers of type %.40s are not supported", layer->type);
}
