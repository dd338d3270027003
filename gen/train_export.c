/* train_export.c - the averaged generator as an ONNX file (opset 17, IR 8).
 *
 * Inputs: style [N, styles], latent [N, 16] and the noise maps [N, C, h, w] of train_noise; output: image
 * [N, 3, H, W] in (-1, 1). Weights are stored as float16 and widened by Cast nodes; train_export_round gives
 * the parameters that a file really holds. The order of nodes is train_generator_forward's.
 */
#include "onnx.pb-c.h"
#include "train_run.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ONNX_FLOAT = 1, ONNX_INT64 = 7, ONNX_HALF = 10 };               /* TensorProto.DataType */
enum { ATTRIBUTE_FLOAT = 1, ATTRIBUTE_INT = 2, ATTRIBUTE_STRING = 3 }; /* AttributeProto.AttributeType */

#define NODES_MAX 256
#define INITS_MAX 96

/* The model under construction. Every allocation is on one list; failed is sticky and checked once at the
 * end. */
struct writer {
    Onnx__GraphProto graph;
    Onnx__NodeProto *node[NODES_MAX];
    Onnx__TensorProto *init[INITS_MAX];
    Onnx__ValueInfoProto *input[2 + TRAIN_NOISES], *output[1];
    void **held;
    size_t held_count, held_cap;
    bool failed;
};

static void *hold(struct writer *w, size_t size)
{
    if (w->held_count == w->held_cap) {
        size_t cap = w->held_cap ? 2 * w->held_cap : 256;
        void **grown = realloc(w->held, cap * sizeof *grown);
        if (!grown) {
            w->failed = true;
            return NULL;
        }
        w->held = grown;
        w->held_cap = cap;
    }
    void *p = bst_calloc(1, size);
    if (!p)
        w->failed = true;
    else
        w->held[w->held_count++] = p;
    return p;
}

static char *hold_text(struct writer *w, const char *text)
{
    char *copy = hold(w, strlen(text) + 1);
    if (copy) strcpy(copy, text);
    return copy;
}

/* ---- numbers ---- */

/* IEEE 754 binary16, to nearest, ties to even; what is too large becomes the largest finite value. */
static uint16_t half_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    int exponent = (int)(bits >> 23 & 0xff) - 127 + 15;
    uint32_t fraction = bits & 0x7fffff;
    if (exponent >= 31) return (uint16_t)(sign | 0x7bff);
    unsigned drop = 13;
    if (exponent <= 0) { /* subnormal: the leading one becomes visible */
        if (exponent < -10) return sign;
        fraction |= 0x800000;
        drop = (unsigned)(14 - exponent);
        exponent = 0;
    }
    uint32_t kept = ((uint32_t)exponent << 10) + (fraction >> drop);
    uint32_t rest = fraction & ((1u << drop) - 1), tie = 1u << (drop - 1);
    if (rest > tie || (rest == tie && (kept & 1))) kept++;
    return (uint16_t)(sign | (kept > 0x7bff ? 0x7bff : kept));
}

static float half_value(uint16_t half)
{
    int exponent = half >> 10 & 31;
    float fraction = (float)(half & 0x3ff), value = exponent ? 1024.0f + fraction : fraction;
    for (int e = exponent ? exponent : 1; e < 25; e++)
        value *= 0.5f;
    for (int e = 25; e < exponent; e++)
        value *= 2.0f;
    return half & 0x8000 ? -value : value;
}

void train_round_half(size_t count, float *values)
{
    for (size_t i = 0; i < count; i++)
        values[i] = half_value(half_bits(values[i]));
}

void train_export_round(const struct train_generator *g, float *params)
{
    train_round_half(g->params.count, params);
    for (size_t l = 0; l < TRAIN_CONVS; l++) /* add_film stores 1 + bias */
        for (size_t c = 0; c < train_conv[l].cout; c++) {
            float *bias = &params[g->film_bias + g->film_at[l] + c], scale = 1.0f + *bias;
            train_round_half(1, &scale);
            *bias = scale - 1.0f;
        }
}

/* ---- parts of a graph ---- */

static Onnx__TensorProto *add_init(struct writer *w, const char *name, int32_t type, size_t rank,
                                   const int64_t *dims, size_t bytes)
{
    Onnx__TensorProto *t = hold(w, sizeof *t);
    uint8_t *data = hold(w, bytes);
    int64_t *shape = hold(w, rank * sizeof *shape);
    if (!t || !data || !shape || w->graph.n_initializer == INITS_MAX) {
        w->failed = true;
        return NULL;
    }
    onnx__tensor_proto__init(t);
    memcpy(shape, dims, rank * sizeof *shape);
    t->n_dims = rank;
    t->dims = shape;
    t->has_data_type = 1;
    t->data_type = type;
    t->name = hold_text(w, name);
    t->has_raw_data = 1;
    t->raw_data = (ProtobufCBinaryData){bytes, data};
    w->init[w->graph.n_initializer++] = t;
    return t;
}

/* Raw data is little-endian whatever the machine. */
static void add_int64s(struct writer *w, const char *name, size_t count, const int64_t *values)
{
    Onnx__TensorProto *t = add_init(w, name, ONNX_INT64, 1, (int64_t[]){(int64_t)count}, count * 8);
    for (size_t i = 0; t && i < count * 8; i++)
        t->raw_data.data[i] = (uint8_t)((uint64_t)values[i / 8] >> (8 * (i % 8)));
}

static void add_floats(struct writer *w, const char *name, size_t count, const float *values)
{
    Onnx__TensorProto *t = add_init(w, name, ONNX_FLOAT, 1, (int64_t[]){(int64_t)count}, count * 4);
    for (size_t i = 0; t && i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        for (size_t b = 0; b < 4; b++)
            t->raw_data.data[i * 4 + b] = (uint8_t)(bits >> (8 * b));
    }
}

static Onnx__NodeProto *add_node(struct writer *w, const char *type, const char *output, size_t inputs,
                                 const char *const *input)
{
    Onnx__NodeProto *n = hold(w, sizeof *n);
    char **in = hold(w, inputs * sizeof *in), **out = hold(w, sizeof *out);
    if (!n || !in || !out || w->graph.n_node == NODES_MAX) {
        w->failed = true;
        return NULL;
    }
    onnx__node_proto__init(n);
    n->op_type = hold_text(w, type);
    n->name = hold_text(w, output);
    n->n_input = inputs;
    n->input = in;
    for (size_t i = 0; i < inputs; i++)
        in[i] = hold_text(w, input[i]);
    n->n_output = 1;
    n->output = out;
    out[0] = hold_text(w, output);
    w->node[w->graph.n_node++] = n;
    return n;
}

static Onnx__AttributeProto *add_attribute(struct writer *w, Onnx__NodeProto *n, const char *name,
                                           int32_t type)
{
    Onnx__AttributeProto *a = hold(w, sizeof *a);
    Onnx__AttributeProto **list = hold(w, (n ? n->n_attribute + 1 : 1) * sizeof *list);
    if (!n || !a || !list) {
        w->failed = true;
        return NULL;
    }
    onnx__attribute_proto__init(a);
    a->name = hold_text(w, name);
    a->has_type = 1;
    a->type = type;
    for (size_t i = 0; i < n->n_attribute; i++)
        list[i] = n->attribute[i];
    list[n->n_attribute++] = a;
    n->attribute = list; /* the shorter list stays on the writer's list until the end */
    return a;
}

static void attribute_int(struct writer *w, Onnx__NodeProto *n, const char *name, int64_t value)
{
    Onnx__AttributeProto *a = add_attribute(w, n, name, ATTRIBUTE_INT);
    if (!a) return;
    a->has_i = 1;
    a->i = value;
}

static void attribute_text(struct writer *w, Onnx__NodeProto *n, const char *name, const char *value)
{
    Onnx__AttributeProto *a = add_attribute(w, n, name, ATTRIBUTE_STRING);
    if (!a) return;
    a->has_s = 1;
    a->s = (ProtobufCBinaryData){strlen(value), (uint8_t *)hold_text(w, value)};
}

/* A weight as float16 with the Cast that widens it; value i is value(arg, i). Returns nothing: the widened
 * tensor is called name. */
static void add_weight(struct writer *w, const char *name, size_t rank, const int64_t *dims,
                       const float *values)
{
    size_t count = 1;
    for (size_t i = 0; i < rank; i++)
        count *= (size_t)dims[i];
    char stored[80];
    snprintf(stored, sizeof stored, "%s_half", name);
    Onnx__TensorProto *t = add_init(w, stored, ONNX_HALF, rank, dims, count * 2);
    for (size_t i = 0; t && i < count; i++) {
        uint16_t bits = half_bits(values[i]);
        t->raw_data.data[2 * i] = (uint8_t)bits;
        t->raw_data.data[2 * i + 1] = (uint8_t)(bits >> 8);
    }
    attribute_int(w, add_node(w, "Cast", name, 1, (const char *[]){stored}), "to", ONNX_FLOAT);
}

static void add_leaky(struct writer *w, const char *output, const char *input)
{
    Onnx__AttributeProto *a =
        add_attribute(w, add_node(w, "LeakyRelu", output, 1, &input), "alpha", ATTRIBUTE_FLOAT);
    if (!a) return;
    a->has_f = 1;
    a->f = TRAIN_LEAK;
}

/* y = x weights^T + bias; weights [out][in]. */
static void add_gemm(struct writer *w, const char *output, const char *input, size_t in, size_t out,
                     const float *weights, const float *bias)
{
    char weight[64], shift[64];
    snprintf(weight, sizeof weight, "%s_weight", output);
    snprintf(shift, sizeof shift, "%s_bias", output);
    add_weight(w, weight, 2, (int64_t[]){(int64_t)out, (int64_t)in}, weights);
    add_weight(w, shift, 1, (int64_t[]){(int64_t)out}, bias);
    attribute_int(w, add_node(w, "Gemm", output, 3, (const char *[]){input, weight, shift}), "transB", 1);
}

/* An unpadded convolution; weights tap-major as in train_layer.h, bias NULL for none. */
static void add_conv(struct writer *w, const char *output, const char *input, size_t cin, size_t cout,
                     size_t k, const float *weights, const float *bias)
{
    char weight[64], shift[64];
    snprintf(weight, sizeof weight, "%s_weight", output);
    snprintf(shift, sizeof shift, "%s_bias", output);
    float *order = hold(w, cout * cin * k * k * sizeof *order);
    if (!order) return;
    for (size_t o = 0; o < cout; o++)
        for (size_t i = 0; i < cin; i++)
            for (size_t tap = 0; tap < k * k; tap++)
                order[(o * cin + i) * k * k + tap] = weights[(tap * cout + o) * cin + i];
    add_weight(w, weight, 4, (int64_t[]){(int64_t)cout, (int64_t)cin, (int64_t)k, (int64_t)k}, order);
    if (bias) add_weight(w, shift, 1, (int64_t[]){(int64_t)cout}, bias);
    add_node(w, "Conv", output, bias ? 3 : 2, (const char *[]){input, weight, shift});
}

/* Doubling and trimming; the Slice takes away what Resize made from clamped borders, and what is not needed.
 */
static void add_up2(struct writer *w, const char *output, const char *input, size_t trim)
{
    char doubled[64], start[32], end[32];
    snprintf(doubled, sizeof doubled, "%s_doubled", output);
    snprintf(start, sizeof start, "trim_%zu", trim);
    snprintf(end, sizeof end, "trim_end_%zu", trim);
    Onnx__NodeProto *n = add_node(w, "Resize", doubled, 3, (const char *[]){input, "", "double"});
    attribute_text(w, n, "mode", "linear");
    attribute_text(w, n, "coordinate_transformation_mode", "half_pixel");
    add_node(w, "Slice", output, 4, (const char *[]){doubled, start, end, "rows_columns"});
}

static void add_constants(struct writer *w)
{
    add_floats(w, "double", 4, (float[]){1, 1, 2, 2});
    add_int64s(w, "rows_columns", 2, (int64_t[]){2, 3});
    bool seen[8] = {false};
    for (size_t i = 0; i < TRAIN_CONVS + 3; i++) {
        size_t trim = i < TRAIN_CONVS ? train_conv[i].up : train_skip_trim[i - TRAIN_CONVS];
        if (trim == 0 || seen[trim]) continue;
        seen[trim] = true;
        char name[32];
        snprintf(name, sizeof name, "trim_%zu", trim);
        add_int64s(w, name, 2, (int64_t[]){(int64_t)trim, (int64_t)trim});
        snprintf(name, sizeof name, "trim_end_%zu", trim);
        add_int64s(w, name, 2, (int64_t[]){-(int64_t)trim, -(int64_t)trim});
    }
}

/* A named float32 value; dims of 0 are unknown and take the name of symbol[i]. */
static Onnx__ValueInfoProto *value_info(struct writer *w, const char *name, size_t rank, const int64_t *dims,
                                        const char *const *symbol)
{
    Onnx__ValueInfoProto *v = hold(w, sizeof *v);
    Onnx__TypeProto *type = hold(w, sizeof *type);
    Onnx__TypeProto__Tensor *tensor = hold(w, sizeof *tensor);
    Onnx__TensorShapeProto *shape = hold(w, sizeof *shape);
    Onnx__TensorShapeProto__Dimension **list = hold(w, rank * sizeof *list),
                                      *dim = hold(w, rank * sizeof *dim);
    if (!v || !type || !tensor || !shape || !list || !dim) return NULL;
    onnx__value_info_proto__init(v);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(tensor);
    onnx__tensor_shape_proto__init(shape);
    for (size_t i = 0; i < rank; i++) {
        list[i] = &dim[i];
        onnx__tensor_shape_proto__dimension__init(list[i]);
        list[i]->has_dim_value = dims[i] != 0;
        list[i]->dim_value = dims[i];
        if (dims[i] == 0) list[i]->dim_param = hold_text(w, symbol[i]);
    }
    shape->n_dim = rank;
    shape->dim = list;
    tensor->has_elem_type = 1;
    tensor->elem_type = ONNX_FLOAT;
    tensor->shape = shape;
    type->tensor_type = tensor;
    v->name = hold_text(w, name);
    v->type = type;
    return v;
}

static void add_inputs(struct writer *w, const struct train_generator *g)
{
    size_t n = 0;
    w->input[n++] =
        value_info(w, "style", 2, (int64_t[]){0, (int64_t)g->styles}, (const char *[]){"N", NULL});
    w->input[n++] = value_info(w, "latent", 2, (int64_t[]){0, TRAIN_LATENT}, (const char *[]){"N", NULL});
    for (size_t i = 0; i < TRAIN_NOISES; i++) {
        char h[32], width[32];
        snprintf(h, sizeof h, "%s_h", train_noise[i].name);
        snprintf(width, sizeof width, "%s_w", train_noise[i].name);
        w->input[n++] =
            value_info(w, train_noise[i].name, 4, (int64_t[]){0, (int64_t)train_noise[i].channels, 0, 0},
                       (const char *[]){"N", NULL, h, width});
    }
    w->output[0] = value_info(w, "image", 4, (int64_t[]){0, 3, 0, 0}, (const char *[]){"N", NULL, "H", "W"});
    w->graph.n_input = n;
    w->graph.input = w->input;
    w->graph.n_output = 1;
    w->graph.output = w->output;
}

/* ---- the generator ---- */

static void add_dense(struct writer *w, const struct train_generator *g, const float *p)
{
    size_t code = g->styles + TRAIN_LATENT;
    attribute_int(w, add_node(w, "Concat", "code", 2, (const char *[]){"style", "latent"}), "axis", 1);
    float *dense1 = hold(w, TRAIN_HIDDEN * code * sizeof *dense1);
    if (!dense1) return;
    for (size_t i = 0; i < TRAIN_HIDDEN * code; i++) /* a power of two: rounding stays the same */
        dense1[i] = p[g->dense1 + i] * (i % code < g->styles ? TRAIN_STYLE_GAIN : 1.0f);
    add_gemm(w, "dense1", "code", code, TRAIN_HIDDEN, dense1, p + g->dense1_bias);
    add_leaky(w, "hidden1", "dense1");
    add_gemm(w, "dense2", "hidden1", TRAIN_HIDDEN, TRAIN_HIDDEN, p + g->dense2, p + g->dense2_bias);
    add_leaky(w, "hidden2", "dense2");
    add_int64s(w, "to_map", 2, (int64_t[]){2, 3});
}

/* Scale and shift of convolution l as maps [N, C, 1, 1]. The 1 that a scale starts from goes into its bias.
 */
static void add_film(struct writer *w, const struct train_generator *g, const float *p, size_t l)
{
    size_t cout = train_conv[l].cout;
    float *bias = hold(w, cout * sizeof *bias);
    if (!bias) return;
    for (int shift = 0; shift < 2; shift++) {
        size_t at = g->film_at[l] + (shift ? cout : 0);
        char flat[32], map[32];
        snprintf(flat, sizeof flat, "%s%zu_flat", shift ? "shift" : "scale", l);
        snprintf(map, sizeof map, "%s%zu", shift ? "shift" : "scale", l);
        for (size_t c = 0; c < cout; c++)
            bias[c] = p[g->film_bias + at + c] + (shift ? 0.0f : 1.0f);
        add_gemm(w, flat, "hidden2", TRAIN_HIDDEN, cout, p + g->film + at * TRAIN_HIDDEN, bias);
        add_node(w, "Unsqueeze", map, 2, (const char *[]){flat, "to_map"});
    }
}

/* Convolution l with what stands before and behind it; the result is called "layer<l>". */
static void add_layer(struct writer *w, const struct train_generator *g, const float *p, size_t l)
{
    const struct train_conv *c = &train_conv[l];
    char input[32], name[32], conv[32], scaled[32], shifted[32], scale[32], shift[32];
    snprintf(input, sizeof input, "layer%zu", l - (l > 0));
    if (c->up) {
        snprintf(name, sizeof name, "up%zu", l);
        add_up2(w, name, input, c->up);
        strcpy(input, name);
    }
    if (c->noise >= 0 && l == 0) strcpy(input, train_noise[c->noise].name);
    if (c->noise >= 0 && l > 0) {
        snprintf(name, sizeof name, "noisy%zu", l);
        attribute_int(w, add_node(w, "Concat", name, 2, (const char *[]){input, train_noise[c->noise].name}),
                      "axis", 1);
        strcpy(input, name);
    }
    snprintf(conv, sizeof conv, "conv%zu", l);
    snprintf(scaled, sizeof scaled, "scaled%zu", l);
    snprintf(shifted, sizeof shifted, "shifted%zu", l);
    snprintf(scale, sizeof scale, "scale%zu", l);
    snprintf(shift, sizeof shift, "shift%zu", l);
    snprintf(name, sizeof name, "layer%zu", l);
    add_film(w, g, p, l);
    add_conv(w, conv, input, g->cin[l], c->cout, 3, p + g->conv[l], NULL);
    add_node(w, "Mul", scaled, 2, (const char *[]){conv, scale});
    add_node(w, "Add", shifted, 2, (const char *[]){scaled, shift});
    add_leaky(w, name, shifted);
}

static void add_generator(struct writer *w, const struct train_generator *g, const float *p)
{
    add_constants(w);
    add_dense(w, g, p);
    for (size_t l = 0; l < TRAIN_CONVS; l++) {
        add_layer(w, g, p, l);
        if (l != TRAIN_COARSE_CONV) continue;
        char layer[32], from[32] = "coarse", to[32];
        snprintf(layer, sizeof layer, "layer%zu", l);
        add_conv(w, "coarse", layer, train_conv[l].cout, 3, 1, p + g->coarse, p + g->coarse_bias);
        for (size_t i = 0; i < 3; i++) {
            snprintf(to, sizeof to, "coarse_up%zu", i + 1);
            add_up2(w, to, from, train_skip_trim[i]);
            strcpy(from, to);
        }
    }
    char last[32];
    snprintf(last, sizeof last, "layer%d", TRAIN_CONVS - 1);
    add_conv(w, "fine", last, train_conv[TRAIN_CONVS - 1].cout, 3, 1, p + g->fine, p + g->fine_bias);
    add_node(w, "Add", "sum", 2, (const char *[]){"fine", "coarse_up3"});
    add_node(w, "Tanh", "image", 1, (const char *[]){"sum"});
}

static void pack_model(struct writer *w, const json_t *card, struct bst_buf *out, struct bst_error *err,
                       enum bst_code *code)
{
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets[] = {&opset};
    Onnx__StringStringEntryProto entry = ONNX__STRING_STRING_ENTRY_PROTO__INIT, *entries[] = {&entry};
    struct bst_buf text = {0};
    *code = bst_json_canonical(card, &text, err);
    if (*code) return;
    opset.domain = hold_text(w, "");
    opset.has_version = 1;
    opset.version = 17;
    entry.key = hold_text(w, "blindstamp.card");
    entry.value = bst_buf_string(&text);
    model.has_ir_version = 1;
    model.ir_version = 8;
    model.producer_name = hold_text(w, "blindstamp");
    model.producer_version = hold_text(w, BST_VERSION);
    model.graph = &w->graph;
    model.n_opset_import = 1;
    model.opset_import = opsets;
    model.n_metadata_props = 1;
    model.metadata_props = entries;
    size_t size = w->failed ? 0 : onnx__model_proto__get_packed_size(&model);
    if (w->failed || !entry.value || !bst_buf_reserve(out, size))
        *code = bst_fail_memory(err);
    else
        out->len += onnx__model_proto__pack(&model, out->data + out->len);
    bst_buf_free(&text);
}

enum bst_code train_export(const struct train_generator *g, const float *params, const json_t *card,
                           struct bst_buf *out, struct bst_error *err)
{
    struct writer *w = bst_calloc(1, sizeof *w);
    if (!w) return bst_fail_memory(err);
    onnx__graph_proto__init(&w->graph);
    w->graph.name = hold_text(w, "texture");
    w->graph.node = w->node;
    w->graph.initializer = w->init;
    add_inputs(w, g);
    add_generator(w, g, params);
    enum bst_code code = BST_OK;
    pack_model(w, card, out, err, &code);
    for (size_t i = 0; i < w->held_count; i++)
        free(w->held[i]);
    free(w->held);
    free(w);
    return code;
}
