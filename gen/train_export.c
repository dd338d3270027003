/* train_export.c - the averaged generator as an ONNX file (opset 17, IR 8).
 *
 * Inputs: style [N, styles], latent [N, 16] and the noise maps [N, C, h, w] of train_noise; output: image
 * [N, 3, H, W] in (-1, 1). Weights are stored as float16 and widened by Cast nodes; train_export_round gives
 * the parameters that a file really holds. The order of nodes is train_generator_forward's.
 */
#include "onnx_write.h"
#include "train_run.h"

#include <stdio.h>
#include <string.h>

void train_round_half(size_t count, float *values)
{
    for (size_t i = 0; i < count; i++)
        values[i] = onnx_half(onnx_half_bits(values[i]));
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

/* A weight as float16 with the Cast that widens it; value i is value(arg, i). Returns nothing: the widened
 * tensor is called name. */
static void add_weight(struct onnx_writer *w, const char *name, size_t rank, const int64_t *dims,
                       const float *values)
{
    size_t count = 1;
    for (size_t i = 0; i < rank; i++)
        count *= (size_t)dims[i];
    char stored[80];
    snprintf(stored, sizeof stored, "%s_half", name);
    Onnx__TensorProto *t = onnx_add_constant(w, stored, ONNX_FLOAT16, rank, dims, count * 2);
    for (size_t i = 0; t && i < count; i++) {
        uint16_t bits = onnx_half_bits(values[i]);
        t->raw_data.data[2 * i] = (uint8_t)bits;
        t->raw_data.data[2 * i + 1] = (uint8_t)(bits >> 8);
    }
    onnx_set_int(w, onnx_add_node(w, "Cast", name, 1, (const char *[]){stored}), "to", ONNX_FLOAT);
}

static void add_leaky(struct onnx_writer *w, const char *output, const char *input)
{
    onnx_set_float(w, onnx_add_node(w, "LeakyRelu", output, 1, &input), "alpha", TRAIN_LEAK);
}

/* y = x weights^T + bias; weights [out][in]. */
static void add_gemm(struct onnx_writer *w, const char *output, const char *input, size_t in, size_t out,
                     const float *weights, const float *bias)
{
    char weight[64], shift[64];
    snprintf(weight, sizeof weight, "%s_weight", output);
    snprintf(shift, sizeof shift, "%s_bias", output);
    add_weight(w, weight, 2, (int64_t[]){(int64_t)out, (int64_t)in}, weights);
    add_weight(w, shift, 1, (int64_t[]){(int64_t)out}, bias);
    onnx_set_int(w, onnx_add_node(w, "Gemm", output, 3, (const char *[]){input, weight, shift}), "transB", 1);
}

/* An unpadded convolution; weights tap-major as in train_layer.h, bias NULL for none. */
static void add_conv(struct onnx_writer *w, const char *output, const char *input, size_t cin, size_t cout,
                     size_t k, const float *weights, const float *bias)
{
    char weight[64], shift[64];
    snprintf(weight, sizeof weight, "%s_weight", output);
    snprintf(shift, sizeof shift, "%s_bias", output);
    float *order = onnx_hold(w, cout * cin * k * k * sizeof *order);
    if (!order) return;
    for (size_t o = 0; o < cout; o++)
        for (size_t i = 0; i < cin; i++)
            for (size_t tap = 0; tap < k * k; tap++)
                order[(o * cin + i) * k * k + tap] = weights[(tap * cout + o) * cin + i];
    add_weight(w, weight, 4, (int64_t[]){(int64_t)cout, (int64_t)cin, (int64_t)k, (int64_t)k}, order);
    if (bias) add_weight(w, shift, 1, (int64_t[]){(int64_t)cout}, bias);
    onnx_add_node(w, "Conv", output, bias ? 3 : 2, (const char *[]){input, weight, shift});
}

/* Doubling and trimming; the Slice takes away what Resize made from clamped borders, and what is not needed.
 */
static void add_up2(struct onnx_writer *w, const char *output, const char *input, size_t trim)
{
    char doubled[64], start[32], end[32];
    snprintf(doubled, sizeof doubled, "%s_doubled", output);
    snprintf(start, sizeof start, "trim_%zu", trim);
    snprintf(end, sizeof end, "trim_end_%zu", trim);
    Onnx__NodeProto *n = onnx_add_node(w, "Resize", doubled, 3, (const char *[]){input, "", "double"});
    onnx_set_text(w, n, "mode", "linear");
    onnx_set_text(w, n, "coordinate_transformation_mode", "half_pixel");
    onnx_add_node(w, "Slice", output, 4, (const char *[]){doubled, start, end, "rows_columns"});
}

static void add_constants(struct onnx_writer *w)
{
    onnx_add_floats(w, "double", 1, (int64_t[]){4}, (float[]){1, 1, 2, 2});
    onnx_add_ints(w, "rows_columns", 2, (int64_t[]){2, 3});
    bool seen[8] = {false};
    for (size_t i = 0; i < TRAIN_CONVS + 3; i++) {
        size_t trim = i < TRAIN_CONVS ? train_conv[i].up : train_skip_trim[i - TRAIN_CONVS];
        if (trim == 0 || seen[trim]) continue;
        seen[trim] = true;
        char name[32];
        snprintf(name, sizeof name, "trim_%zu", trim);
        onnx_add_ints(w, name, 2, (int64_t[]){(int64_t)trim, (int64_t)trim});
        snprintf(name, sizeof name, "trim_end_%zu", trim);
        onnx_add_ints(w, name, 2, (int64_t[]){-(int64_t)trim, -(int64_t)trim});
    }
}

static void add_inputs(struct onnx_writer *w, const struct train_generator *g)
{
    onnx_add_input(w, "style", 2, (int64_t[]){0, (int64_t)g->styles}, (const char *[]){"N", NULL});
    onnx_add_input(w, "latent", 2, (int64_t[]){0, TRAIN_LATENT}, (const char *[]){"N", NULL});
    for (size_t i = 0; i < TRAIN_NOISES; i++) {
        char h[32], width[32];
        snprintf(h, sizeof h, "%s_h", train_noise[i].name);
        snprintf(width, sizeof width, "%s_w", train_noise[i].name);
        onnx_add_input(w, train_noise[i].name, 4, (int64_t[]){0, (int64_t)train_noise[i].channels, 0, 0},
                       (const char *[]){"N", NULL, h, width});
    }
    onnx_add_output(w, "image", 4, (int64_t[]){0, 3, 0, 0}, (const char *[]){"N", NULL, "H", "W"});
}

/* ---- the generator ---- */

static void add_dense(struct onnx_writer *w, const struct train_generator *g, const float *p)
{
    size_t code = g->styles + TRAIN_LATENT;
    onnx_set_int(w, onnx_add_node(w, "Concat", "code", 2, (const char *[]){"style", "latent"}), "axis", 1);
    float *dense1 = onnx_hold(w, TRAIN_HIDDEN * code * sizeof *dense1);
    if (!dense1) return;
    for (size_t i = 0; i < TRAIN_HIDDEN * code; i++) /* a power of two: rounding stays the same */
        dense1[i] = p[g->dense1 + i] * (i % code < g->styles ? TRAIN_STYLE_GAIN : 1.0f);
    add_gemm(w, "dense1", "code", code, TRAIN_HIDDEN, dense1, p + g->dense1_bias);
    add_leaky(w, "hidden1", "dense1");
    add_gemm(w, "dense2", "hidden1", TRAIN_HIDDEN, TRAIN_HIDDEN, p + g->dense2, p + g->dense2_bias);
    add_leaky(w, "hidden2", "dense2");
    onnx_add_ints(w, "to_map", 2, (int64_t[]){2, 3});
}

/* Scale and shift of convolution l as maps [N, C, 1, 1]. The 1 that a scale starts from goes into its bias.
 */
static void add_film(struct onnx_writer *w, const struct train_generator *g, const float *p, size_t l)
{
    size_t cout = train_conv[l].cout;
    float *bias = onnx_hold(w, cout * sizeof *bias);
    if (!bias) return;
    for (int shift = 0; shift < 2; shift++) {
        size_t at = g->film_at[l] + (shift ? cout : 0);
        char flat[32], map[32];
        snprintf(flat, sizeof flat, "%s%zu_flat", shift ? "shift" : "scale", l);
        snprintf(map, sizeof map, "%s%zu", shift ? "shift" : "scale", l);
        for (size_t c = 0; c < cout; c++)
            bias[c] = p[g->film_bias + at + c] + (shift ? 0.0f : 1.0f);
        add_gemm(w, flat, "hidden2", TRAIN_HIDDEN, cout, p + g->film + at * TRAIN_HIDDEN, bias);
        onnx_add_node(w, "Unsqueeze", map, 2, (const char *[]){flat, "to_map"});
    }
}

/* Convolution l with what stands before and behind it; the result is called "layer<l>". */
static void add_layer(struct onnx_writer *w, const struct train_generator *g, const float *p, size_t l)
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
        onnx_set_int(w,
                     onnx_add_node(w, "Concat", name, 2, (const char *[]){input, train_noise[c->noise].name}),
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
    onnx_add_node(w, "Mul", scaled, 2, (const char *[]){conv, scale});
    onnx_add_node(w, "Add", shifted, 2, (const char *[]){scaled, shift});
    add_leaky(w, name, shifted);
}

static void add_generator(struct onnx_writer *w, const struct train_generator *g, const float *p)
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
    onnx_add_node(w, "Add", "sum", 2, (const char *[]){"fine", "coarse_up3"});
    onnx_add_node(w, "Tanh", "image", 1, (const char *[]){"sum"});
}

static enum bst_code add_card(struct onnx_writer *w, const json_t *card, struct bst_error *err)
{
    struct bst_buf text = {0};
    enum bst_code code = bst_json_canonical(card, &text, err);
    const char *string = code == BST_OK ? bst_buf_string(&text) : NULL;
    if (string) onnx_add_metadata(w, "blindstamp.card", string);
    if (code == BST_OK && !string) code = bst_fail_memory(err);
    bst_buf_free(&text);
    return code;
}

enum bst_code train_export(const struct train_generator *g, const float *params, const json_t *card,
                           struct bst_buf *out, struct bst_error *err)
{
    struct onnx_writer w = {.name = "texture"};
    add_inputs(&w, g);
    add_generator(&w, g, params);
    enum bst_code code = add_card(&w, card, err);
    if (code == BST_OK) code = onnx_write(&w, out, err);
    onnx_writer_clear(&w);
    return code;
}
