/* import_net.c - layers of PyTorch in terms of ONNX operators. Shapes are not followed here: the finished graph is
 * read and planned as any stranger's, which finds what does not fit. */
#include "import.h"
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX     320
#define FILTER_MAX   32
#define CHANNELS_MAX (1 << 14)

void net_start(struct import_net *net, const struct import_dict *dict, struct bst_error *err)
{
    memset(net, 0, sizeof *net);
    net->writer.name = "imported";
    net->dict = dict;
    net->err = err;
    net->card.output_scale = net->card.size_multiple = 1;
    net->card.width = net->card.height = 512;
    net->card.output_high = 1.0f;
}

void net_clear(struct import_net *net)
{
    onnx_writer_clear(&net->writer);
}

const char *net_fail(struct import_net *net, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!net->failed) bst_fail(net->err, BST_UNREADABLE, "%s", text);
    net->failed = true;
    return "";
}

const char *net_text(struct import_net *net, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *held = onnx_hold_text(&net->writer, text);
    if (held != NULL) return held;
    net->failed = true;
    bst_fail_memory(net->err);
    return "";
}

/* ---- inputs and outputs ---- */

static const char *add_input(struct import_net *net, struct import_input input, size_t rank,
                             const int64_t *dims)
{
    static const char *const symbols[] = {"N", "C", "H", "W"};
    if (net->failed || net->card.input_count == IMPORT_INPUTS_MAX)
        return net_fail(net, "the network has more than %d inputs", IMPORT_INPUTS_MAX);
    net->card.inputs[net->card.input_count++] = input;
    (input.codes > 0 ? onnx_add_whole_input : onnx_add_input)(&net->writer, input.name, rank, dims, symbols);
    return input.name;
}

const char *net_image(struct import_net *net, int64_t channels, float low, float high)
{
    struct import_input input = {.name = "image", .role = "image", .cell = 1, .low = low, .high = high};
    return add_input(net, input, 4, (int64_t[]){0, channels, 0, 0});
}

const char *net_latent(struct import_net *net, int64_t size, bool spatial)
{
    return net_latent_called(net, "latent", size, spatial);
}

const char *net_latent_called(struct import_net *net, const char *name, int64_t size, bool spatial)
{
    struct import_input input = {.name = name, .role = "latent", .cell = 1, .high = 1.0f};
    return add_input(net, input, spatial ? 4 : 2, (int64_t[]){0, size, 1, 1});
}

const char *net_label(struct import_net *net, int64_t classes)
{
    struct import_input input = {.name = "label", .role = "label", .cell = 1, .high = 1.0f};
    net->card.classes = (uint32_t)classes;
    return add_input(net, input, 2, (int64_t[]){0, classes});
}

const char *net_style(struct import_net *net)
{
    struct import_input input = {.name = "style", .role = "style", .cell = 1, .high = 1.0f};
    for (size_t i = 0; i < net->extra->style_count; i++)
        net->card.styles[net->card.style_count++] = net->extra->styles[i].name;
    return add_input(net, input, 2, (int64_t[]){0, (int64_t)net->card.style_count});
}

const char *net_noise(struct import_net *net, const char *name, uint32_t side, uint32_t cell)
{
    struct import_input input = {.name = name, .role = "noise", .cell = cell, .high = 1.0f};
    return add_input(net, input, 4, (int64_t[]){0, 1, side, side});
}

const char *net_noise_map(struct import_net *net, const char *name, int64_t channels, uint32_t cell)
{
    struct import_input input = {.name = name, .role = "noise", .cell = cell, .high = 1.0f};
    return add_input(net, input, 4, (int64_t[]){0, channels, 0, 0});
}

const char *net_codes(struct import_net *net, int64_t count, uint32_t cell)
{
    struct import_input input = {.name = "codes", .role = "codes", .cell = cell, .high = 1.0f};
    if (count < 1 || count > CODES_MAX)
        return net_fail(net, "a codebook of %lld codes cannot be used", (long long)count);
    input.codes = (uint32_t)count;
    return add_input(net, input, 4, (int64_t[]){0, 1, 0, 0});
}

void net_output(struct import_net *net, const char *value, int64_t channels)
{
    static const char *const symbols[] = {"N", "C", "H", "W"};
    if (net->failed) return;
    onnx_add_node(&net->writer, "Identity", "picture", 1, &value);
    onnx_add_output(&net->writer, "picture", 4, (int64_t[]){0, channels, 0, 0}, symbols);
}

/* ---- tensors ---- */

bool net_has(const struct import_net *net, const char *name)
{
    return import_dict_find(net->dict, name) != NULL;
}

struct import_tensor *net_optional(struct import_net *net, const char *name)
{
    struct import_tensor *t = net->failed ? NULL : import_dict_find(net->dict, name);
    if (t != NULL) t->used = true;
    return t;
}

struct import_tensor *net_tensor(struct import_net *net, const char *name, size_t rank)
{
    struct import_tensor *t = net_optional(net, name);
    if (t == NULL) {
        net_fail(net, "tensor '%.80s' is missing", name);
        return NULL;
    }
    if ((rank == 0 || t->rank == rank) && t->count > 0) return t;
    char dims[DIMS_TEXT];
    net_fail(net, "tensor '%.80s' is %s where %zu dimensions are due", name,
             dims_text(t->rank, t->dims, dims), rank);
    return NULL;
}

void net_ignore(struct import_net *net, const char *suffix)
{
    size_t len = strlen(suffix);
    for (size_t i = 0; i < net->dict->count; i++) {
        struct import_tensor *t = &net->dict->tensors[i];
        size_t have = strlen(t->name);
        if (have >= len && strcmp(t->name + have - len, suffix) == 0) t->used = true;
    }
}

void net_ignore_under(struct import_net *net, const char *prefix)
{
    for (size_t i = 0; i < net->dict->count; i++) {
        struct import_tensor *t = &net->dict->tensors[i];
        if (strncmp(t->name, prefix, strlen(prefix)) == 0) t->used = true;
    }
}

/* ---- constants ---- */

static const char *new_name(struct import_net *net, const char *stem)
{
    return net_text(net, "%s_%zu", stem, net->serial++);
}

/* Counts bytes of constants, so that a file that names one tensor many times cannot ask for all memory. */
static bool afford(struct import_net *net, size_t bytes)
{
    if (!net->failed && (!bst_add(net->bytes, bytes, &net->bytes) || net->bytes > MODEL_SIZE_MAX))
        net_fail(net, "the weights take more than the %zu bytes that a model may have", MODEL_SIZE_MAX);
    return !net->failed;
}

static bool in_order(const struct import_tensor *t)
{
    size_t row = 1;
    for (size_t i = t->rank; i-- > 0;) {
        if (t->dims[i] != 1 && t->strides[i] != row) return false;
        row *= (size_t)t->dims[i];
    }
    return true;
}

/* The stored elements in row-major order. */
static void add_stored(struct import_net *net, const char *name, const struct import_tensor *t)
{
    size_t item = onnx_item(t->type);
    if (in_order(t)) {
        onnx_add_borrowed(&net->writer, name, t->type, t->rank, t->dims, t->data, t->count * item);
        return;
    }
    Onnx__TensorProto *out =
        onnx_add_constant(&net->writer, name, t->type, t->rank, t->dims, t->count * item);
    for (size_t i = 0; out != NULL && i < t->count; i++) {
        size_t at = 0, index = i;
        for (size_t d = t->rank; d-- > 0; index /= (size_t)t->dims[d])
            at += index % (size_t)t->dims[d] * t->strides[d];
        memcpy(out->raw_data.data + i * item, t->data + at * item, item);
    }
}

const char *net_weight(struct import_net *net, const struct import_tensor *t)
{
    if (t == NULL || !afford(net, t->count * onnx_item(t->type))) return "";
    if (t->type == ONNX_FLOAT) {
        const char *name = new_name(net, t->name);
        add_stored(net, name, t);
        return name;
    }
    if (t->type == ONNX_FLOAT16 || t->type == ONNX_BFLOAT16) {
        const char *stored = new_name(net, t->name);
        add_stored(net, stored, t);
        return net_node(net, "Cast", 1, &stored, 1,
                        &(struct net_attribute){.name = "to", .kind = NET_INT, .i = ONNX_FLOAT});
    }
    if (!afford(net, t->count * sizeof(float))) return "";
    float *values = import_floats(t);
    const char *name = values != NULL ? net_floats(net, t->rank, t->dims, values) : net_text(net, "%s", "");
    free(values);
    return name;
}

const char *net_floats(struct import_net *net, size_t rank, const int64_t *dims, const float *values)
{
    size_t count = 1;
    for (size_t i = 0; i < rank; i++)
        count *= (size_t)dims[i];
    if (!afford(net, count * sizeof *values)) return "";
    const char *name = new_name(net, "constant");
    onnx_add_floats(&net->writer, name, rank, dims, values);
    return name;
}

const char *net_filled(struct import_net *net, int64_t count, float value)
{
    float *values = count > 0 ? bst_calloc((size_t)count, sizeof *values) : NULL;
    if (values == NULL) return net_fail(net, "no memory for %lld numbers", (long long)count);
    for (int64_t i = 0; i < count; i++)
        values[i] = value;
    const char *name = net_floats(net, 1, &count, values);
    free(values);
    return name;
}

const char *net_scalar(struct import_net *net, float value)
{
    return net_floats(net, 0, NULL, &value);
}

const char *net_ints(struct import_net *net, size_t count, const int64_t *values)
{
    if (!afford(net, count * sizeof *values)) return "";
    const char *name = new_name(net, "list");
    onnx_add_ints(&net->writer, name, count, values);
    return name;
}

const char *net_whole(struct import_net *net, int64_t value)
{
    return net_node(net, "Squeeze", 1, (const char *[]){net_ints(net, 1, &value)}, 0, NULL);
}

/* ---- operators ---- */

const char *net_node(struct import_net *net, const char *type, size_t inputs, const char *const *input,
                     size_t attributes, const struct net_attribute *attribute)
{
    if (net->failed) return "";
    const char *output = new_name(net, type);
    Onnx__NodeProto *node = onnx_add_node(&net->writer, type, output, inputs, input);
    for (size_t i = 0; i < attributes; i++) {
        const struct net_attribute *a = &attribute[i];
        if (a->kind == NET_INT) onnx_set_int(&net->writer, node, a->name, a->i);
        if (a->kind == NET_FLOAT) onnx_set_float(&net->writer, node, a->name, a->f);
        if (a->kind == NET_TEXT) onnx_set_text(&net->writer, node, a->name, a->text);
        if (a->kind == NET_INTS) onnx_set_ints(&net->writer, node, a->name, a->count, a->ints);
    }
    return output;
}

const char *net_unary(struct import_net *net, const char *type, const char *x)
{
    return net_node(net, type, 1, &x, 0, NULL);
}

const char *net_binary(struct import_net *net, const char *type, const char *a, const char *b)
{
    return net_node(net, type, 2, (const char *[]){a, b}, 0, NULL);
}

const char *net_leaky(struct import_net *net, const char *x, float slope)
{
    return net_node(net, "LeakyRelu", 1, &x, 1,
                    &(struct net_attribute){.name = "alpha", .kind = NET_FLOAT, .f = slope});
}

const char *net_concat(struct import_net *net, int64_t axis, size_t count, const char *const *values)
{
    return net_node(net, "Concat", count, values, 1,
                    &(struct net_attribute){.name = "axis", .kind = NET_INT, .i = axis});
}

const char *net_reshape(struct import_net *net, const char *x, size_t rank, const int64_t *dims)
{
    return net_binary(net, "Reshape", x, net_ints(net, rank, dims));
}

const char *net_transpose(struct import_net *net, const char *x, size_t rank, const int64_t *order)
{
    struct net_attribute perm = {.name = "perm", .kind = NET_INTS, .count = rank, .ints = order};
    return net_node(net, "Transpose", 1, &x, 1, &perm);
}

const char *net_nearest(struct import_net *net, const char *x, float scale)
{
    const char *scales = net_floats(net, 1, (int64_t[]){4}, (float[]){1.0f, 1.0f, scale, scale});
    struct net_attribute how[] = {
        {.name = "mode", .kind = NET_TEXT, .text = "nearest"},
        {.name = "coordinate_transformation_mode", .kind = NET_TEXT, .text = "asymmetric"},
        {.name = "nearest_mode", .kind = NET_TEXT, .text = "floor"},
    };
    return net_node(net, "Resize", 3, (const char *[]){x, "", scales}, 3, how);
}

const char *net_pixel_shuffle(struct import_net *net, const char *x, int64_t scale)
{
    struct net_attribute how[] = {
        {.name = "blocksize", .kind = NET_INT, .i = scale},
        {.name = "mode", .kind = NET_TEXT, .text = "CRD"},
    };
    return net_node(net, "DepthToSpace", 1, &x, 2, how);
}

const char *net_pool(struct import_net *net, const char *type, const char *x, int64_t side, bool ceil)
{
    struct net_attribute how[] = {
        {.name = "kernel_shape", .kind = NET_INTS, .count = 2, .ints = (int64_t[]){side, side}},
        {.name = "strides", .kind = NET_INTS, .count = 2, .ints = (int64_t[]){side, side}},
        {.name = "ceil_mode", .kind = NET_INT, .i = 1},
    };
    return net_node(net, type, 1, &x, ceil ? 3 : 2, how);
}

const char *net_pad(struct import_net *net, const char *x, const char *mode, const int64_t sides[static 4])
{
    int64_t pads[] = {0, 0, sides[2], sides[0], 0, 0, sides[3], sides[1]};
    struct net_attribute how = {.name = "mode", .kind = NET_TEXT, .text = mode};
    return net_node(net, "Pad", 2, (const char *[]){x, net_ints(net, 8, pads)}, 1, &how);
}

const char *net_crop(struct import_net *net, const char *x, int64_t begin, int64_t end)
{
    const char *inputs[] = {x, net_ints(net, 2, (int64_t[]){begin, begin}),
                            net_ints(net, 2, (int64_t[]){end, end}), net_ints(net, 2, (int64_t[]){2, 3})};
    return net_node(net, "Slice", 4, inputs, 0, NULL);
}

/* ---- layers ---- */

const char *net_conv_with(struct import_net *net, const char *x, const char *weight, const char *bias,
                          const int64_t kernel[static 2], struct net_conv how)
{
    int64_t stride = how.stride > 0 ? how.stride : 1, dilation = how.dilation > 0 ? how.dilation : 1;
    struct net_attribute attributes[] = {
        {.name = "kernel_shape", .kind = NET_INTS, .count = 2, .ints = kernel},
        {.name = "strides", .kind = NET_INTS, .count = 2, .ints = (int64_t[]){stride, stride}},
        {.name = "pads",
         .kind = NET_INTS,
         .count = 4,
         .ints = (int64_t[]){how.pad, how.pad, how.pad, how.pad}},
        {.name = "dilations", .kind = NET_INTS, .count = 2, .ints = (int64_t[]){dilation, dilation}},
        {.name = "group", .kind = NET_INT, .i = how.groups > 0 ? how.groups : 1},
        {.name = "output_padding",
         .kind = NET_INTS,
         .count = 2,
         .ints = (int64_t[]){how.output_padding, how.output_padding}},
    };
    return net_node(net, how.transposed ? "ConvTranspose" : "Conv", *bias != 0 ? 3 : 2,
                    (const char *[]){x, weight, bias}, how.output_padding > 0 ? 6 : 5, attributes);
}

const char *net_repeated(struct import_net *net, const float *taps, const int64_t size[static 2],
                         int64_t count, float gain)
{
    size_t each = (size_t)(size[0] * size[1]);
    float *all = count > 0 && count <= CHANNELS_MAX ? bst_calloc((size_t)count * each, sizeof *all) : NULL;
    if (all == NULL) return net_fail(net, "no memory for a filter of %lld channels", (long long)count);
    for (size_t i = 0; i < (size_t)count * each; i++)
        all[i] = gain * taps[i % each];
    const char *weight = net_floats(net, 4, (int64_t[]){count, 1, size[0], size[1]}, all);
    free(all);
    return weight;
}

const char *net_filter(struct import_net *net, const char *name, int64_t count, float gain, bool turned,
                       int64_t size[static 2])
{
    const struct import_tensor *k = net_tensor(net, name, 2);
    float taps[FILTER_MAX * FILTER_MAX];
    if (k == NULL) return "";
    if (k->dims[0] > FILTER_MAX || k->dims[1] > FILTER_MAX)
        return net_fail(net, "tensor '%.80s' is no small filter", name);
    for (size_t i = 0; i < k->count; i++)
        taps[i] = import_element(k, turned ? k->count - 1 - i : i);
    size[0] = k->dims[0];
    size[1] = k->dims[1];
    return net_repeated(net, taps, size, count, gain);
}

const char *net_conv(struct import_net *net, const char *x, const char *name, struct net_conv how)
{
    const int64_t *dims = NULL;
    const char *weight = net_weight_of(net, name, 4, how.transposed ? 1 : 0, &dims);
    const struct import_tensor *b = net_optional(net, net_text(net, "%s.bias", name));
    const char *bias = b != NULL ? net_weight(net, b) : "";
    return net->failed ? "" : net_conv_with(net, x, weight, bias, &dims[2], how);
}

const char *net_linear(struct import_net *net, const char *x, const char *name)
{
    const char *weight = net_weight_of(net, name, 2, 0, NULL);
    const struct import_tensor *b = net_optional(net, net_text(net, "%s.bias", name));
    const char *inputs[] = {x, weight, b != NULL ? net_weight(net, b) : ""};
    struct net_attribute how = {.name = "transB", .kind = NET_INT, .i = 1};
    return net_node(net, "Gemm", b != NULL ? 3 : 2, inputs, 1, &how);
}

const char *net_batch_norm(struct import_net *net, const char *x, const char *name, float epsilon)
{
    const struct import_tensor *mean = net_tensor(net, net_text(net, "%s.running_mean", name), 1);
    const struct import_tensor *var = net_tensor(net, net_text(net, "%s.running_var", name), 1);
    const struct import_tensor *scale = net_optional(net, net_text(net, "%s.weight", name));
    const struct import_tensor *shift = net_optional(net, net_text(net, "%s.bias", name));
    if (net->failed) return "";
    const char *inputs[] = {x, scale != NULL ? net_weight(net, scale) : net_filled(net, mean->dims[0], 1.0f),
                            shift != NULL ? net_weight(net, shift) : net_filled(net, mean->dims[0], 0.0f),
                            net_weight(net, mean), net_weight(net, var)};
    struct net_attribute how = {.name = "epsilon", .kind = NET_FLOAT, .f = epsilon};
    return net_node(net, "BatchNormalization", 5, inputs, 1, &how);
}

const char *net_instance_norm(struct import_net *net, const char *x, const char *name, int64_t channels,
                              float epsilon)
{
    const char *scale, *shift;
    if (channels > 0) {
        scale = net_filled(net, channels, 1.0f);
        shift = net_filled(net, channels, 0.0f);
    } else {
        scale = net_weight(net, net_tensor(net, net_text(net, "%s.weight", name), 1));
        shift = net_weight(net, net_tensor(net, net_text(net, "%s.bias", name), 1));
    }
    struct net_attribute how = {.name = "epsilon", .kind = NET_FLOAT, .f = epsilon};
    return net_node(net, "InstanceNormalization", 3, (const char *[]){x, scale, shift}, 1, &how);
}

const char *net_group_norm(struct import_net *net, const char *x, const char *name, int64_t groups,
                           float epsilon)
{
    const char *scale = net_weight(net, net_tensor(net, net_text(net, "%s.weight", name), 1));
    const char *shift = net_weight(net, net_tensor(net, net_text(net, "%s.bias", name), 1));
    const char *shape = net_unary(net, "Shape", x);
    const char *inputs[] = {net_reshape(net, x, 3, (int64_t[]){0, groups, -1}), net_filled(net, groups, 1.0f),
                            net_filled(net, groups, 0.0f)};
    struct net_attribute how = {.name = "epsilon", .kind = NET_FLOAT, .f = epsilon};
    const char *y = net_node(net, "InstanceNormalization", 3, inputs, 1, &how);
    return net_affine(net, net_binary(net, "Reshape", y, shape), scale, shift);
}

/* ---- parts that several families share ---- */

const char *net_channels(struct import_net *net, const char *x, int64_t begin, int64_t end)
{
    const char *inputs[] = {x, net_ints(net, 1, &begin), net_ints(net, 1, &end),
                            net_ints(net, 1, (int64_t[]){1})};
    return net_node(net, "Slice", 4, inputs, 0, NULL);
}

const char *net_map(struct import_net *net, const char *vector)
{
    return net_reshape(net, vector, 4, (int64_t[]){0, -1, 1, 1});
}

const char *net_affine(struct import_net *net, const char *x, const char *scale, const char *shift)
{
    x = net_binary(net, "Mul", x, net_reshape(net, scale, 3, (int64_t[]){-1, 1, 1}));
    return net_binary(net, "Add", x, net_reshape(net, shift, 3, (int64_t[]){-1, 1, 1}));
}

const char *net_silu(struct import_net *net, const char *x)
{
    return net_binary(net, "Mul", x, net_unary(net, "Sigmoid", x));
}

const char *net_gated(struct import_net *net, const char *x, int64_t channels)
{
    const char *gate = net_unary(net, "Sigmoid", net_channels(net, x, channels / 2, channels));
    return net_binary(net, "Mul", net_channels(net, x, 0, channels / 2), gate);
}

const char *net_reduce(struct import_net *net, const char *type, const char *x, size_t count,
                       const int64_t *axes)
{
    return net_node(net, type, 1, &x, 1,
                    &(struct net_attribute){.name = "axes", .kind = NET_INTS, .count = count, .ints = axes});
}

const char *net_softmax(struct import_net *net, const char *x, int64_t axis)
{
    return net_node(net, "Softmax", 1, &x, 1,
                    &(struct net_attribute){.name = "axis", .kind = NET_INT, .i = axis});
}

const char *net_sides(struct import_net *net, const char *map)
{
    const char *inputs[] = {net_unary(net, "Shape", map), net_ints(net, 1, (int64_t[]){2}),
                            net_ints(net, 1, (int64_t[]){4}), net_ints(net, 1, (int64_t[]){0})};
    return net_node(net, "Slice", 4, inputs, 0, NULL);
}

const char *net_sides_of(struct import_net *net, const char *rows, int64_t channels, const char *like)
{
    const char *dims[] = {net_ints(net, 2, (int64_t[]){0, channels}), net_sides(net, like)};
    return net_binary(net, "Reshape", rows, net_concat(net, 0, 2, dims));
}

void net_square(struct import_net *net, uint32_t side)
{
    net->card.width = net->card.height = side;
    net->card.fixed_size = true;
}
