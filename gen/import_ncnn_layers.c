/* import_ncnn_layers.c - ncnn's layers in terms of ONNX operators, after ncnn's own description of their parameters
 * (docs/developer-guide/operators.md there). */
#include "import_ncnn.h"

#include <string.h>

#define SAME_UPPER (-233)
#define SAME_LOWER (-234)

/* ---- small things ---- */

void ncnn_out(struct ncnn_layer *l, const char *value)
{
    l->tops[0]->value = value;
    if (l->bottom_count == 0) return;
    l->tops[0]->rank = ncnn_in(l, 0)->rank;
    l->tops[0]->channels = ncnn_in(l, 0)->channels;
}

const char *ncnn_vector(struct ncnn *n, int64_t count)
{
    return net_weight(n->net, ncnn_take(n, false, 1, &count, NULL));
}

int64_t ncnn_axis(int64_t axis)
{
    return axis < 0 ? axis : axis + 1;
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
        return ncnn_clip_to(n, x, (float)p[0], (float)p[1]);
    case 4:
        return net_unary(n->net, "Sigmoid", x);
    case 6:
        return net_binary(n->net, "Mul", x, ncnn_squash(n, x, (float)p[0], (float)p[1]));
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
    const char *input[] = {ncnn_in(l, 0)->value, weight, bias ? ncnn_vector(n, outputs) : ""};
    learn_channels(n, ncnn_in(l, 0), inputs * groups);
    ncnn_out(l, activation(n, l, convolve(n, "Conv", bias ? 3 : 2, input, &w, groups, NULL)));
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
    const char *input[] = {ncnn_in(l, 0)->value, weight, bias ? ncnn_vector(n, outputs) : ""};
    learn_channels(n, ncnn_in(l, 0), inputs * groups);
    ncnn_out(l, activation(n, l, convolve(n, "ConvTranspose", bias ? 3 : 2, input, &w, groups, padding)));
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
    if (outputs < 1 || weights < 1 || weights % outputs != 0 || ncnn_in(l, 0)->rank == 2) {
        net_fail(n->net, "%lld weights do not fit %lld outputs", (long long)weights, (long long)outputs);
        return;
    }
    int64_t dims[] = {outputs, weights / outputs};
    const char *x = ncnn_in(l, 0)->value, *weight = net_weight(n->net, ncnn_take(n, true, 2, dims, NULL));
    if (ncnn_in(l, 0)->rank == 3) x = net_unary(n->net, "Flatten", x);
    const char *input[] = {x, weight, bias ? ncnn_vector(n, outputs) : ""};
    struct net_attribute how = {.name = "transB", .kind = NET_INT, .i = 1};
    ncnn_out(l, activation(n, l, net_node(n->net, "Gemm", bias ? 3 : 2, input, 1, &how)));
    l->tops[0]->rank = 1;
    l->tops[0]->channels = outputs;
}

/* ---- pooling and resizing ---- */

static void pooling(struct ncnn *n, struct ncnn_layer *l)
{
    bool average = ncnn_int(l, 0, 0) == 1, global = ncnn_int(l, 4, 0) != 0;
    bool adaptive = ncnn_int(l, 7, 0) != 0 && ncnn_int(l, 8, 0) == 1 && ncnn_int(l, 18, 1) == 1;
    const char *x = ncnn_in(l, 0)->value;
    if (global || adaptive) {
        x = net_unary(n->net, average ? "GlobalAveragePool" : "GlobalMaxPool", x);
        l->asked = ~0u; /* the window says nothing then */
        ncnn_out(l, global ? net_unary(n->net, "Flatten", x) : x);
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
    ncnn_out(l, net_node(n->net, average ? "AveragePool" : "MaxPool", 1, &x, average ? 5 : 4, how));
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
    if (type < 1 || type > 3 || ncnn_in(l, 0)->rank != 3 || ncnn_int(l, 3, 0) != 0 ||
        ncnn_int(l, 4, 0) != 0) {
        net_fail(n->net, "resizing of type %lld, or to a fixed size, is not supported", (long long)type);
        return;
    }
    const char *x = ncnn_in(l, 0)->value;
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
        ncnn_out(l, net_node(n->net, "Resize", 4,
                             (const char *[]){x, "", "", sizes_like(n, x, ncnn_in(l, 1)->value)}, 3, how));
    else
        ncnn_out(l, net_node(n->net, "Resize", 3, (const char *[]){x, "", scales}, 3, how));
}

static void pixel_shuffle(struct ncnn *n, struct ncnn_layer *l)
{
    int64_t scale = ncnn_int(l, 0, 1), channels = ncnn_in(l, 0)->channels;
    struct net_attribute how[] = {
        {.name = "blocksize", .kind = NET_INT, .i = scale},
        {.name = "mode", .kind = NET_TEXT, .text = ncnn_int(l, 1, 0) ? "DCR" : "CRD"},
    };
    ncnn_out(l, net_node(n->net, "DepthToSpace", 1, &ncnn_in(l, 0)->value, 2, how));
    l->tops[0]->residual = ncnn_in(l, 0)->cropped;
    if (scale > 0 && scale < 1024) l->tops[0]->channels = channels > 0 ? channels / (scale * scale) : -1;
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
    ncnn_out(l, border > 0 ? net_pad(n->net, n->input, "edge", (int64_t[]){border, border, border, border})
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
    ncnn_out(l, net_weight(n->net, ncnn_take(n, ncnn_int(l, 21, 1) == 0, rank, dims, NULL)));
    l->tops[0]->rank = rank - 1;
    l->tops[0]->channels = dims[1];
}

static void copy(struct ncnn *n, struct ncnn_layer *l)
{
    (void)n;
    for (size_t i = 0; i < l->top_count; i++) {
        const char *name = l->tops[i]->name;
        *l->tops[i] = *ncnn_in(l, 0);
        l->tops[i]->name = name;
        l->tops[i]->consumed = false;
    }
}

static void dropout(struct ncnn *n, struct ncnn_layer *l)
{
    float factor = ncnn_float(l, 0, 1.0f);
    copy(n, l);
    if (factor != 1.0f)
        ncnn_out(l, net_binary(n->net, "Mul", ncnn_in(l, 0)->value, net_scalar(n->net, factor)));
}

/* ---- the table ---- */

static const struct layer_kind {
    const char *type;
    size_t bottoms_min, bottoms_max, tops_max;
    void (*add)(struct ncnn *n, struct ncnn_layer *layer);
} kinds[] = {
    {"BatchNorm", 1, 1, 1, ncnn_batch_norm},
    {"BinaryOp", 1, 2, 1, ncnn_binary_op},
    {"Clip", 1, 1, 1, ncnn_clip},
    {"Concat", 1, NCNN_EDGES_MAX, 1, ncnn_concat},
    {"Convolution", 1, 1, 1, convolution},
    {"ConvolutionDepthWise", 1, 1, 1, convolution_groups},
    {"Crop", 1, 2, 1, ncnn_crop},
    {"Deconvolution", 1, 1, 1, deconvolution},
    {"DeconvolutionDepthWise", 1, 1, 1, deconvolution_groups},
    {"Dropout", 1, 1, 1, dropout},
    {"Eltwise", 2, NCNN_EDGES_MAX, 1, ncnn_eltwise},
    {"ExpandDims", 1, 1, 1, ncnn_expand_dims},
    {"Flatten", 1, 1, 1, ncnn_flatten},
    {"HardSigmoid", 1, 1, 1, ncnn_hard_sigmoid},
    {"HardSwish", 1, 1, 1, ncnn_hard_swish},
    {"InnerProduct", 1, 1, 1, inner_product},
    {"Input", 0, 0, 1, input},
    {"InstanceNorm", 1, 1, 1, ncnn_instance_norm},
    {"Interp", 1, 2, 1, interp},
    {"MemoryData", 0, 0, 1, memory_data},
    {"Noop", 1, 1, NCNN_EDGES_MAX, copy},
    {"PReLU", 1, 1, 1, ncnn_prelu},
    {"Padding", 1, 1, 1, ncnn_padding},
    {"Permute", 1, 1, 1, ncnn_permute},
    {"PixelShuffle", 1, 1, 1, pixel_shuffle},
    {"Pooling", 1, 1, 1, pooling},
    {"ReLU", 1, 1, 1, ncnn_relu},
    {"Reduction", 1, 1, 1, ncnn_reduction},
    {"Reshape", 1, 1, 1, ncnn_reshape},
    {"Scale", 1, 2, 1, ncnn_scale},
    {"Sigmoid", 1, 1, 1, ncnn_sigmoid},
    {"Slice", 1, 1, NCNN_EDGES_MAX, ncnn_slices},
    {"Softmax", 1, 1, 1, ncnn_softmax},
    {"Split", 1, 1, NCNN_EDGES_MAX, copy},
    {"Squeeze", 1, 1, 1, ncnn_squeeze},
    {"Swish", 1, 1, 1, ncnn_swish},
    {"TanH", 1, 1, 1, ncnn_tanh},
    {"UnaryOp", 1, 1, 1, ncnn_unary_op},
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
