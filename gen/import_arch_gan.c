/* import_arch_gan.c - generators of pictures from a latent: DCGAN (PyTorch's example) and StyleGAN2 in rosinality's
 * naming; RGB in [-1, 1]. */
#include "import.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- DCGAN: main.0 ConvTranspose, 1 BatchNorm, 2 Relu, 3 ConvTranspose ... last ConvTranspose, Tanh ---- */

static void build_dcgan_as(struct import_net *net, const char *stem)
{
    size_t last = 0;
    while (import_dict_find(net->dict, net_text(net, "%s.%zu.weight", stem, last + 3)) != NULL)
        last += 3;
    const struct import_tensor *first = net_tensor(net, net_text(net, "%s.0.weight", stem), 4);
    const struct import_tensor *final = net_tensor(net, net_text(net, "%s.%zu.weight", stem, last), 4);
    if (net->failed) return;
    const char *x = net_latent(net, first->dims[0], true);
    uint32_t side = 4;
    for (size_t i = 0; i <= last; i += 3) {
        const struct import_tensor *w = net_tensor(net, net_text(net, "%s.%zu.weight", stem, i), 4);
        if (w != NULL && (w->dims[2] != 4 || w->dims[3] != 4 || i / 3 > 8)) {
            net_fail(net, "layer %zu is no 4x4 convolution; other sizes do not tell their padding", i);
            return;
        }
        struct net_conv how = {.stride = i > 0 ? 2 : 1, .pad = i > 0 ? 1 : 0, .transposed = true};
        x = net_conv(net, x, net_text(net, "%s.%zu", stem, i), how);
        if (i > 0) side *= 2;
        if (i == last) break;
        x = net_unary(net, "Relu", net_batch_norm(net, x, net_text(net, "%s.%zu", stem, i + 1), 1e-5f));
    }
    net_output(net, net_unary(net, "Tanh", x), final->dims[1]);
    net->card.output_low = -1.0f;
    net->card.width = net->card.height = side;
    net->card.fixed_size = true;
}

static void build_dcgan(struct import_net *net)
{
    build_dcgan_as(net, "main");
}

const struct import_arch import_arch_dcgan = {
    "dcgan",
    "DCGAN",
    (const char *const[]){"main.0.weight", "main.1.running_mean", "main.3.weight", "main.4.running_var",
                          "main.6.weight", NULL},
    NULL,
    build_dcgan,
};

/* ---- StyleGAN2 ---- */

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
static const char *mapping(struct import_net *net, const char *latent)
{
    struct net_attribute how[] = {{.name = "axes", .kind = NET_INTS, .count = 1, .ints = (int64_t[]){1}},
                                  {.name = "keepdims", .kind = NET_INT, .i = 1}};
    const char *square = net_binary(net, "Mul", latent, latent);
    const char *mean = net_node(net, "ReduceMean", 1, &square, 2, how);
    const char *length = net_unary(net, "Sqrt", net_binary(net, "Add", mean, net_scalar(net, 1e-8f)));
    const char *x = net_binary(net, "Div", latent, length);
    for (size_t i = 1; import_dict_find(net->dict, net_text(net, "style.%zu.weight", i)) != NULL; i++)
        x = leaky_gain(net, equal_linear(net, x, net_text(net, "style.%zu", i), 0.01f));
    return x;
}

/* Sums of squares over the taps of scaled weights [1, O, I, k, k]: [O, I]. */
static const char *squares(struct import_net *net, const struct import_tensor *w, float factor)
{
    size_t taps = (size_t)(w->dims[3] * w->dims[4]), count = (size_t)(w->dims[1] * w->dims[2]);
    float *values = import_floats(w), *sums = bst_calloc(count, sizeof *sums);
    const char *name = "";
    if (values != NULL && sums != NULL) {
        for (size_t i = 0; i < count; i++) {
            double sum = 0;
            for (size_t k = 0; k < taps; k++)
                sum += (double)values[i * taps + k] * (double)values[i * taps + k];
            sums[i] = (float)(sum * (double)factor * (double)factor);
        }
        name = net_floats(net, 2, &w->dims[1], sums);
    } else {
        net_fail(net, "no memory for the weights '%.80s'", w->name);
    }
    free(values);
    free(sums);
    return name;
}

static const char *map_of(struct import_net *net, const char *vector)
{
    return net_reshape(net, vector, 4, (int64_t[]){0, -1, 1, 1});
}

/* A convolution whose weights are multiplied by a style for each input channel, and then made to unit length for each
 * output channel. Both factors are applied to the values instead, before and behind, which is the same. */
static const char *modulated(struct import_net *net, const char *x, const char *w_latent, const char *name,
                             bool up, bool demodulate)
{
    const struct import_tensor *w = net_tensor(net, net_text(net, "%s.weight", name), 5);
    const char *style = equal_linear(net, w_latent, net_text(net, "%s.modulation", name), 1.0f);
    if (net->failed) return "";
    float factor = 1.0f / sqrtf((float)(w->dims[2] * w->dims[3] * w->dims[4]));
    struct net_conv how = {.pad = up ? 0 : w->dims[3] / 2, .stride = up ? 2 : 1, .transposed = up};
    const char *weight = up ? scaled(net, w, factor, 4, (size_t[]){2, 1, 3, 4})
                            : scaled(net, w, factor, 4, (size_t[]){1, 2, 3, 4});
    x = net_binary(net, "Mul", x, map_of(net, style));
    x = net_conv_with(net, x, weight, "", &w->dims[3], how);
    if (!demodulate) return x;
    struct net_attribute transposed = {.name = "transB", .kind = NET_INT, .i = 1};
    const char *inputs[] = {net_binary(net, "Mul", style, style), squares(net, w, factor)};
    const char *sum = net_node(net, "Gemm", 2, inputs, 1, &transposed);
    const char *length = net_unary(net, "Sqrt", net_binary(net, "Add", sum, net_scalar(net, 1e-8f)));
    return net_binary(net, "Div", x, map_of(net, length));
}

/* The filter [k, k] of the file once for each of count channels. upfirdn2d convolves, which turns the taps round;
 * a transposed convolution does so itself. */
static const char *filter_for(struct import_net *net, const char *name, int64_t count, bool turned,
                              int64_t size[static 2])
{
    const struct import_tensor *k = net_tensor(net, net_text(net, "%s.kernel", name), 2);
    if (k == NULL || count < 1 || count > 1 << 14) return net_fail(net, "'%.80s' has no filter", name);
    size_t taps = k->count;
    float *one = import_floats(k), *all = bst_calloc((size_t)count * taps, sizeof *all);
    const char *weight = "";
    for (size_t i = 0; one != NULL && all != NULL && i < (size_t)count * taps; i++)
        all[i] = one[turned ? taps - 1 - i % taps : i % taps];
    size[0] = k->dims[0];
    size[1] = k->dims[1];
    if (one != NULL && all != NULL)
        weight = net_floats(net, 4, (int64_t[]){count, 1, k->dims[0], k->dims[1]}, all);
    else
        net_fail(net, "no memory for a filter");
    free(one);
    free(all);
    return weight;
}

static const char *add_noise(struct import_net *net, const char *x, const char *name, size_t number,
                             uint32_t side, uint32_t full)
{
    const char *weight = net_weight(net, net_tensor(net, net_text(net, "%s.weight", name), 1));
    const char *noise = net_noise(net, net_text(net, "noise_%zu", number), side, full / side);
    return net_binary(net, "Add", x, net_binary(net, "Mul", noise, weight));
}

static const char *styled(struct import_net *net, const char *x, const char *w_latent, const char *name,
                          size_t number, uint32_t side, uint32_t full)
{
    bool up = number % 2 == 1;
    const struct import_tensor *bias = net_tensor(net, net_text(net, "%s.activate.bias", name), 1);
    x = modulated(net, x, w_latent, net_text(net, "%s.conv", name), up, true);
    if (net->failed) return "";
    if (up) {
        int64_t size[2];
        const char *filter = filter_for(net, net_text(net, "%s.conv.blur", name), bias->dims[0], true, size);
        x = net_conv_with(net, x, filter, "", size, (struct net_conv){.pad = 1, .groups = bias->dims[0]});
    }
    x = add_noise(net, x, net_text(net, "%s.noise", name), number, side, full);
    x = net_binary(net, "Add", x, net_reshape(net, net_weight(net, bias), 3, (int64_t[]){-1, 1, 1}));
    return leaky_gain(net, x);
}

static const char *to_rgb(struct import_net *net, const char *x, const char *w_latent, const char *name,
                          const char *skip)
{
    const char *bias = net_weight(net, net_tensor(net, net_text(net, "%s.bias", name), 4));
    x = net_binary(net, "Add", modulated(net, x, w_latent, net_text(net, "%s.conv", name), false, false),
                   bias);
    if (skip == NULL) return x;
    int64_t size[2];
    const char *filter = filter_for(net, net_text(net, "%s.upsample", name), 3, false, size);
    skip = net_conv_with(net, skip, filter, "", size,
                         (struct net_conv){.stride = 2, .pad = 1, .groups = 3, .transposed = true});
    return net_binary(net, "Add", x, skip);
}

static void build_stylegan2(struct import_net *net)
{
    const struct import_tensor *start = net_tensor(net, "input.input", 4);
    const struct import_tensor *first = net_tensor(net, "style.1.weight", 2);
    size_t steps = 0;
    while (import_dict_find(net->dict, net_text(net, "to_rgbs.%zu.bias", steps)) != NULL)
        steps++;
    if (steps > 9) net_fail(net, "pictures of more than 2048 pixels a side are not supported");
    if (net->failed) return;
    uint32_t side = 4, full = 4u << steps;
    const char *w = mapping(net, net_latent(net, first->dims[1], false));
    const char *x = net_weight(net, start);
    x = styled(net, x, w, "conv1", 0, side, full);
    const char *picture = to_rgb(net, x, w, "to_rgb1", NULL);
    for (size_t i = 0; i < steps; i++) {
        side *= 2;
        x = styled(net, x, w, net_text(net, "convs.%zu", 2 * i), 2 * i + 1, side, full);
        x = styled(net, x, w, net_text(net, "convs.%zu", 2 * i + 1), 2 * i + 2, side, full);
        picture = to_rgb(net, x, w, net_text(net, "to_rgbs.%zu", i), picture);
        net_optional(net, net_text(net, "noises.noise_%zu", 2 * i + 1)); /* fixed noise: ours is the seed's */
        net_optional(net, net_text(net, "noises.noise_%zu", 2 * i + 2));
    }
    net_optional(net, "noises.noise_0");
    net_output(net, picture, 3);
    net->card.output_low = -1.0f;
    net->card.width = net->card.height = full;
    net->card.fixed_size = true;
}

const struct import_arch import_arch_stylegan2 = {
    "stylegan2",
    "StyleGAN2",
    (const char *const[]){"style.1.weight", "input.input", "conv1.conv.weight",
                          "conv1.conv.modulation.weight", "conv1.noise.weight", "conv1.activate.bias",
                          "to_rgb1.conv.weight", "convs.0.conv.blur.kernel", "to_rgbs.0.upsample.kernel",
                          NULL},
    NULL,
    build_stylegan2,
};
