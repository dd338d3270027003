/* import_arch_stylegan.c - StyleGAN2 in the naming of rosinality's code and in that of NVIDIA's (stylegan2-ada); RGB in
 * [-1, 1]. The same network: only the names, and where constant factors are kept, differ. */
#include "import.h"

#include <math.h>
#include <stdlib.h>

#define STEPS_MAX 9 /* doublings of a side of 4 */

/* Where a layer's tensors are. */
struct layer {
    const char *weight, *affine, *bias;
    const char *noise;  /* the noise's factor; NULL: a layer that makes colours */
    const char *filter; /* NULL: a layer that does not double */
    float filter_gain;
    bool scaled; /* weights are to be divided by the root of their fan-in */
};

struct naming {
    const char *constant, *mapping; /* mapping: format of the number */
    size_t first;                   /* mapping layer */
    void (*layer)(struct import_net *net, uint32_t side, size_t number,
                  struct layer *out); /* 0 or 1 of a side */
    void (*colours)(struct import_net *net, uint32_t side, struct layer *out);
};

/* Weights as stored times a factor: the run-time scaling that training uses. order: places of the stored dimensions
 * in the result's order. */
static const char *scaled(struct import_net *net, const struct import_tensor *t, float factor, size_t rank,
                          const size_t *order)
{
    struct import_tensor view = *t;
    view.rank = rank;
    for (size_t i = 0; i < rank; i++) {
        view.dims[i] = t->dims[order[i]];
        view.strides[i] = t->strides[order[i]];
    }
    float *values = import_floats(&view);
    if (values == NULL) return net_fail(net, "no memory for the weights '%.80s'", t->name);
    for (size_t i = 0; i < view.count; i++)
        values[i] *= factor;
    const char *name = net_floats(net, rank, view.dims, values);
    free(values);
    return name;
}

/* x (scale weight)^T + scale bias */
static const char *equal_linear(struct import_net *net, const char *x, const char *name, float rate)
{
    const struct import_tensor *w = net_tensor(net, net_text(net, "%s.weight", name), 2);
    const struct import_tensor *b = net_tensor(net, net_text(net, "%s.bias", name), 1);
    if (net->failed) return "";
    float factor = rate / sqrtf((float)w->dims[1]);
    const char *inputs[] = {x, scaled(net, w, factor, 2, (size_t[]){0, 1}),
                            scaled(net, b, rate, 1, (size_t[]){0})};
    struct net_attribute how = {.name = "transB", .kind = NET_INT, .i = 1};
    return net_node(net, "Gemm", 3, inputs, 1, &how);
}

static const char *leaky_gain(struct import_net *net, const char *x)
{
    return net_binary(net, "Mul", net_leaky(net, x, 0.2f), net_scalar(net, 0x1.6a09e6p+0f)); /* sqrt(2) */
}

/* The latent on its sphere, then the mapping network. */
static const char *mapping(struct import_net *net, const struct naming *names, const char *latent)
{
    struct net_attribute how[] = {{.name = "axes", .kind = NET_INTS, .count = 1, .ints = (int64_t[]){1}},
                                  {.name = "keepdims", .kind = NET_INT, .i = 1}};
    const char *square = net_binary(net, "Mul", latent, latent);
    const char *mean = net_node(net, "ReduceMean", 1, &square, 2, how);
    const char *length = net_unary(net, "Sqrt", net_binary(net, "Add", mean, net_scalar(net, 1e-8f)));
    const char *x = net_binary(net, "Div", latent, length);
    for (size_t i = names->first; i < 64; i++) {
        const char *name = net_text(net, names->mapping, i);
        if (!net_has(net, net_text(net, "%s.weight", name))) break;
        x = leaky_gain(net, equal_linear(net, x, name, 0.01f));
    }
    return x;
}

/* Sums of squares over the taps of scaled weights [O, I, k, k]: [O, I]. */
static const char *squares(struct import_net *net, const struct import_tensor *w, float factor)
{
    size_t taps = (size_t)(w->dims[2] * w->dims[3]), count = (size_t)(w->dims[0] * w->dims[1]);
    float *values = import_floats(w), *sums = bst_calloc(count, sizeof *sums);
    const char *name = "";
    if (values != NULL && sums != NULL) {
        for (size_t i = 0; i < count; i++) {
            double sum = 0;
            for (size_t k = 0; k < taps; k++)
                sum += (double)values[i * taps + k] * (double)values[i * taps + k];
            sums[i] = (float)(sum * (double)factor * (double)factor);
        }
        name = net_floats(net, 2, w->dims, sums);
    } else {
        net_fail(net, "no memory for the weights '%.80s'", w->name);
    }
    free(values);
    free(sums);
    return name;
}

/* Convolution weights [O, I, k, k], also where they are kept as [1, O, I, k, k]. */
static bool weights_of(struct import_net *net, const char *name, struct import_tensor *out)
{
    const struct import_tensor *w = net_tensor(net, name, 0);
    if (w == NULL) return false;
    size_t skip = w->rank == 5 && w->dims[0] == 1 ? 1 : 0;
    *out = *w;
    out->rank = w->rank - skip;
    for (size_t i = 0; i < 4 && i < out->rank; i++) {
        out->dims[i] = w->dims[i + skip];
        out->strides[i] = w->strides[i + skip];
    }
    if (out->rank != 4) net_fail(net, "tensor '%.80s' is no weights of a convolution", name);
    return !net->failed;
}

/* A convolution whose weights are multiplied by a style for each input channel, and then made to unit length for each
 * output channel. Both factors are applied to the values instead, before and behind, which is the same. */
static const char *modulated(struct import_net *net, const char *x, const char *w_latent,
                             const struct layer *l)
{
    struct import_tensor w;
    const char *style = equal_linear(net, w_latent, l->affine, 1.0f);
    if (!weights_of(net, l->weight, &w)) return "";
    bool up = l->filter != NULL && l->noise != NULL;
    float factor = l->scaled ? 1.0f / sqrtf((float)(w.dims[1] * w.dims[2] * w.dims[3])) : 1.0f;
    struct net_conv how = {.pad = up ? 0 : w.dims[2] / 2, .stride = up ? 2 : 1, .transposed = up};
    const char *weight = up ? scaled(net, &w, factor, 4, (size_t[]){1, 0, 2, 3})
                            : scaled(net, &w, factor, 4, (size_t[]){0, 1, 2, 3});
    x = net_binary(net, "Mul", x, net_map(net, style));
    x = net_conv_with(net, x, weight, "", &w.dims[2], how);
    if (l->noise == NULL) return x;
    struct net_attribute transposed = {.name = "transB", .kind = NET_INT, .i = 1};
    const char *inputs[] = {net_binary(net, "Mul", style, style), squares(net, &w, factor)};
    const char *sum = net_node(net, "Gemm", 2, inputs, 1, &transposed);
    const char *length = net_unary(net, "Sqrt", net_binary(net, "Add", sum, net_scalar(net, 1e-8f)));
    return net_binary(net, "Div", x, net_map(net, length));
}

static const char *bias_map(struct import_net *net, const char *name)
{
    return net_reshape(net, net_weight(net, net_tensor(net, name, 0)), 3, (int64_t[]){-1, 1, 1});
}

static const char *styled(struct import_net *net, const char *x, const char *w_latent, const struct layer *l,
                          size_t number, uint32_t side, uint32_t full)
{
    const struct import_tensor *bias = net_tensor(net, l->bias, 1);
    x = modulated(net, x, w_latent, l);
    if (net->failed) return "";
    if (l->filter != NULL) {
        int64_t size[2];
        const char *filter = net_filter(net, l->filter, bias->dims[0], l->filter_gain, true, size);
        x = net_conv_with(net, x, filter, "", size, (struct net_conv){.pad = 1, .groups = bias->dims[0]});
    }
    const char *noise = net_noise(net, net_text(net, "noise_%zu", number), side, full / side);
    noise = net_binary(net, "Mul", noise, net_weight(net, net_tensor(net, l->noise, 0)));
    x = net_binary(net, "Add", net_binary(net, "Add", x, noise), bias_map(net, l->bias));
    return leaky_gain(net, x);
}

static const char *coloured(struct import_net *net, const char *x, const char *w_latent,
                            const struct layer *l, const char *skip)
{
    x = net_binary(net, "Add", modulated(net, x, w_latent, l), bias_map(net, l->bias));
    if (skip == NULL) return x;
    int64_t size[2];
    const char *filter = net_filter(net, l->filter, 3, l->filter_gain, false, size);
    skip = net_conv_with(net, skip, filter, "", size,
                         (struct net_conv){.stride = 2, .pad = 1, .groups = 3, .transposed = true});
    return net_binary(net, "Add", x, skip);
}

static void build(struct import_net *net, const struct naming *names)
{
    struct layer l;
    const struct import_tensor *start = net_tensor(net, names->constant, 0);
    const struct import_tensor *first =
        net_tensor(net, net_text(net, "%s.weight", net_text(net, names->mapping, names->first)), 2);
    uint32_t full = 4;
    for (bool more = true; more && full < 4u << STEPS_MAX;) {
        names->colours(net, full * 2, &l);
        more = net_has(net, l.weight);
        if (more) full *= 2;
    }
    if (net->failed) return;
    const char *w = mapping(net, names, net_latent(net, first->dims[1], false)), *picture = NULL;
    const char *x = net_reshape(net, net_weight(net, start), 4, (int64_t[]){1, -1, 4, 4});
    size_t number = 0;
    for (uint32_t side = 4; side <= full && !net->failed; side *= 2) {
        for (size_t i = side > 4 ? 0 : 1; i < 2; i++) {
            names->layer(net, side, i, &l);
            x = styled(net, x, w, &l, number++, side, full);
        }
        names->colours(net, side, &l);
        picture = coloured(net, x, w, &l, picture);
    }
    net_output(net, picture, 3);
    net->card.output_low = -1.0f;
    net_square(net, full);
}

/* ---- rosinality's names: all layers of all sides in one list ---- */

static size_t step_of(uint32_t side) /* 8: 0, 16: 1 ... */
{
    size_t step = 0;
    while (8u << step < side)
        step++;
    return step;
}

static void rosinality_layer(struct import_net *net, uint32_t side, size_t number, struct layer *out)
{
    size_t step = step_of(side);
    const char *name = side > 4 ? net_text(net, "convs.%zu", 2 * step + number) : "conv1";
    net_optional(net, net_text(net, "noises.noise_%zu",
                               side > 4 ? 2 * step + number + 1 : 0)); /* ours is the seed's */
    *out = (struct layer){.weight = net_text(net, "%s.conv.weight", name),
                          .affine = net_text(net, "%s.conv.modulation", name),
                          .bias = net_text(net, "%s.activate.bias", name),
                          .noise = net_text(net, "%s.noise.weight", name),
                          .filter = number == 0 ? net_text(net, "%s.conv.blur.kernel", name) : NULL,
                          .filter_gain = 1.0f, /* the file's filter has it */
                          .scaled = true};
}

static void rosinality_colours(struct import_net *net, uint32_t side, struct layer *out)
{
    const char *name = side > 4 ? net_text(net, "to_rgbs.%zu", step_of(side)) : "to_rgb1";
    *out = (struct layer){.weight = net_text(net, "%s.conv.weight", name),
                          .affine = net_text(net, "%s.conv.modulation", name),
                          .bias = net_text(net, "%s.bias", name),
                          .filter = side > 4 ? net_text(net, "%s.upsample.kernel", name) : NULL,
                          .filter_gain = 1.0f,
                          .scaled = true};
}

static void build_rosinality(struct import_net *net)
{
    static const struct naming names = {"input.input", "style.%zu", 1, rosinality_layer, rosinality_colours};
    build(net, &names);
}

const struct import_arch import_arch_stylegan2 = {
    "stylegan2",
    "StyleGAN2",
    (const char *const[]){"style.1.weight", "input.input", "conv1.conv.weight",
                          "conv1.conv.modulation.weight", "conv1.noise.weight", "conv1.activate.bias",
                          "to_rgb1.conv.weight", "convs.0.conv.blur.kernel", "to_rgbs.0.upsample.kernel",
                          NULL},
    NULL,
    build_rosinality,
};

/* ---- NVIDIA's names: a block for each side ---- */

static void ada_layer(struct import_net *net, uint32_t side, size_t number, struct layer *out)
{
    const char *name = net_text(net, "synthesis.b%u.conv%zu", side, number);
    const char *filter = net_text(net, "%s.resample_filter", name);
    net_optional(net, net_text(net, "%s.noise_const", name));
    net_optional(net, filter); /* kept by every layer, used by those that double */
    *out = (struct layer){.weight = net_text(net, "%s.weight", name),
                          .affine = net_text(net, "%s.affine", name),
                          .bias = net_text(net, "%s.bias", name),
                          .noise = net_text(net, "%s.noise_strength", name),
                          .filter = number == 0 ? filter : NULL,
                          .filter_gain = 4.0f};
}

static void ada_colours(struct import_net *net, uint32_t side, struct layer *out)
{
    const char *name = net_text(net, "synthesis.b%u", side),
               *filter = net_text(net, "%s.resample_filter", name);
    net_optional(net, filter);
    *out = (struct layer){.weight = net_text(net, "%s.torgb.weight", name),
                          .affine = net_text(net, "%s.torgb.affine", name),
                          .bias = net_text(net, "%s.torgb.bias", name),
                          .filter = side > 4 ? filter : NULL,
                          .filter_gain = 4.0f,
                          .scaled = true};
}

static void build_ada(struct import_net *net)
{
    static const struct naming names = {"synthesis.b4.const", "mapping.fc%zu", 0, ada_layer, ada_colours};
    build(net, &names);
    net_ignore(net, "mapping.w_avg"); /* for the truncation of mapped latents */
}

const struct import_arch import_arch_stylegan2_ada = {
    "stylegan2-ada",
    "StyleGAN2-ADA",
    (const char *const[]){"mapping.fc0.weight", "synthesis.b4.const", "synthesis.b4.conv1.weight",
                          "synthesis.b4.conv1.affine.weight", "synthesis.b4.conv1.noise_strength",
                          "synthesis.b4.torgb.weight", "synthesis.b8.conv0.weight",
                          "synthesis.b8.torgb.weight", NULL},
    NULL,
    build_ada,
};
