/* import_arch_gan_large.c - BigGAN-deep in the naming of its PyTorch port, and FastGAN; RGB in [-1, 1]. Both keep
 * their weights before spectral normalisation. */
#include "import.h"

#include <math.h>
#include <stdlib.h>

static const char *relu(struct import_net *net, const char *x)
{
    return net_unary(net, "Relu", x);
}

static const char *channels_from(struct import_net *net, const char *x, int64_t begin, int64_t end)
{
    const char *inputs[] = {x, net_ints(net, 1, &begin), net_ints(net, 1, &end),
                            net_ints(net, 1, (int64_t[]){1})};
    return net_node(net, "Slice", 4, inputs, 0, NULL);
}

/* ---- BigGAN-deep ---- */

#define BIG_EPSILON 1e-4f

/* Statistics are kept for several truncations; the last row is that of none. */
static const char *last_row(struct import_net *net, const char *name, bool root)
{
    const struct import_tensor *t = net_tensor(net, name, 2);
    float *all = t != NULL ? import_floats(t) : NULL;
    if (all == NULL) return net_fail(net, "tensor '%.80s' cannot be read", name);
    size_t columns = (size_t)t->dims[1], first = t->count - columns;
    for (size_t i = first; root && i < t->count; i++)
        all[i] = sqrtf(all[i] + BIG_EPSILON);
    const char *row = net_floats(net, 3, (int64_t[]){t->dims[1], 1, 1}, all + first);
    free(all);
    return row;
}

static const char *map_of(struct import_net *net, const char *vector)
{
    return net_reshape(net, vector, 4, (int64_t[]){0, -1, 1, 1});
}

/* Scale and offset of each channel follow from the condition. */
static const char *conditional_norm(struct import_net *net, const char *x, const char *condition,
                                    const char *name)
{
    const char *mean = last_row(net, net_text(net, "%s.running_means", name), false);
    const char *deviation = last_row(net, net_text(net, "%s.running_vars", name), true);
    const char *scale = net_linear(net, condition, net_text(net, "%s.scale", name));
    const char *offset = net_linear(net, condition, net_text(net, "%s.offset", name));
    scale = net_binary(net, "Add", scale, net_scalar(net, 1.0f));
    x = net_binary(net, "Div", net_binary(net, "Sub", x, mean), deviation);
    return net_binary(net, "Add", net_binary(net, "Mul", x, map_of(net, scale)), map_of(net, offset));
}

static const char *last_norm(struct import_net *net, const char *x, const char *name)
{
    const char *mean = last_row(net, net_text(net, "%s.running_means", name), false);
    const char *deviation = last_row(net, net_text(net, "%s.running_vars", name), true);
    const char *scale = net_weight(net, net_tensor(net, net_text(net, "%s.weight", name), 1));
    const char *shift = net_weight(net, net_tensor(net, net_text(net, "%s.bias", name), 1));
    x = net_binary(net, "Div", net_binary(net, "Sub", x, mean), deviation);
    x = net_binary(net, "Mul", x, net_reshape(net, scale, 3, (int64_t[]){-1, 1, 1}));
    return net_binary(net, "Add", x, net_reshape(net, shift, 3, (int64_t[]){-1, 1, 1}));
}

static const char *big_block(struct import_net *net, const char *x, const char *condition, const char *name,
                             bool up)
{
    const struct import_tensor *first = net_tensor(net, net_text(net, "%s.conv_0.weight_orig", name), 4);
    const struct import_tensor *last = net_tensor(net, net_text(net, "%s.conv_3.weight_orig", name), 4);
    if (net->failed) return "";
    const char *y = x;
    for (int i = 0; i < 4; i++) {
        y = relu(net, conditional_norm(net, y, condition, net_text(net, "%s.bn_%d", name, i)));
        if (i == 1 && up) y = net_nearest(net, y, 2.0f);
        y = net_conv(net, y, net_text(net, "%s.conv_%d", name, i),
                     (struct net_conv){.pad = i == 1 || i == 2});
    }
    if (first->dims[1] != last->dims[0]) x = channels_from(net, x, 0, last->dims[0]);
    return net_binary(net, "Add", y, up ? net_nearest(net, x, 2.0f) : x);
}

static const char *pooled(struct import_net *net, const char *x)
{
    struct net_attribute how[] = {
        {.name = "kernel_shape", .kind = NET_INTS, .count = 2, .ints = (int64_t[]){2, 2}},
        {.name = "strides", .kind = NET_INTS, .count = 2, .ints = (int64_t[]){2, 2}},
    };
    return net_node(net, "MaxPool", 1, &x, 2, how);
}

/* Every place looks at all places of the map at half its size. */
static const char *attention(struct import_net *net, const char *x, const char *name)
{
    static const struct net_conv plain = {0};
    static const int64_t rows[] = {0, 2, 1};
    const char *shape = net_unary(net, "Shape", x);
    const struct import_tensor *narrow =
        net_tensor(net, net_text(net, "%s.snconv1x1_theta.weight_orig", name), 4);
    const struct import_tensor *half = net_tensor(net, net_text(net, "%s.snconv1x1_g.weight_orig", name), 4);
    if (net->failed) return "";
    int64_t flat_narrow[] = {0, narrow->dims[0], -1}, flat_half[] = {0, half->dims[0], -1};
    const char *theta = net_conv(net, x, net_text(net, "%s.snconv1x1_theta", name), plain);
    const char *phi = pooled(net, net_conv(net, x, net_text(net, "%s.snconv1x1_phi", name), plain));
    const char *g = pooled(net, net_conv(net, x, net_text(net, "%s.snconv1x1_g", name), plain));
    theta = net_transpose(net, net_reshape(net, theta, 3, flat_narrow), 3, rows);
    const char *scores = net_binary(net, "MatMul", theta, net_reshape(net, phi, 3, flat_narrow));
    struct net_attribute axis = {.name = "axis", .kind = NET_INT, .i = -1};
    const char *weights = net_transpose(net, net_node(net, "Softmax", 1, &scores, 1, &axis), 3, rows);
    const char *seen = net_binary(net, "MatMul", net_reshape(net, g, 3, flat_half), weights);
    const char *ends[] = {shape, net_ints(net, 1, (int64_t[]){2}), net_ints(net, 1, (int64_t[]){4}),
                          net_ints(net, 1, (int64_t[]){0})};
    const char *sides[] = {net_ints(net, 2, (int64_t[]){0, half->dims[0]}),
                           net_node(net, "Slice", 4, ends, 0, NULL)};
    seen = net_binary(net, "Reshape", seen, net_concat(net, 0, 2, sides));
    seen = net_conv(net, seen, net_text(net, "%s.snconv1x1_o_conv", name), plain);
    const char *gamma = net_weight(net, net_tensor(net, net_text(net, "%s.gamma", name), 1));
    return net_binary(net, "Add", x, net_binary(net, "Mul", seen, gamma));
}

static void build_biggan(struct import_net *net)
{
    const struct import_tensor *embeddings = net_tensor(net, "embeddings.weight", 2);
    const struct import_tensor *start = net_tensor(net, "generator.gen_z.weight_orig", 2);
    if (net->failed) return;
    const char *latent = net_latent(net, embeddings->dims[0], false);
    const char *label = net_linear(net, net_label(net, embeddings->dims[1]), "embeddings");
    const char *condition = net_concat(net, 1, 2, (const char *[]){latent, label});
    const char *x = net_linear(net, condition, "generator.gen_z");
    x = net_reshape(net, x, 4, (int64_t[]){0, 4, 4, start->dims[0] / 16}); /* channels last */
    x = net_transpose(net, x, 4, (int64_t[]){0, 3, 1, 2});
    uint32_t side = 4;
    size_t blocks = 0;
    for (size_t i = 0; i < 64 && !net->failed; i++) {
        const char *name = net_text(net, "generator.layers.%zu", i);
        if (import_dict_find(net->dict, net_text(net, "%s.gamma", name)) != NULL) {
            x = attention(net, x, name);
            continue;
        }
        if (import_dict_find(net->dict, net_text(net, "%s.conv_0.weight_orig", name)) == NULL) break;
        bool up = blocks++ % 2 == 1;
        if (up) side *= 2;
        x = big_block(net, x, condition, name, up);
    }
    x = relu(net, last_norm(net, x, "generator.bn"));
    x = net_conv(net, x, "generator.conv_to_rgb", (struct net_conv){.pad = 1});
    net_output(net, net_unary(net, "Tanh", channels_from(net, x, 0, 3)), 3);
    net->card.output_low = -1.0f;
    net->card.width = net->card.height = side;
    net->card.fixed_size = true;
}

const struct import_arch import_arch_biggan = {
    "biggan-deep",
    "BigGAN-deep",
    (const char *const[]){"embeddings.weight", "generator.gen_z.weight_orig",
                          "generator.layers.0.conv_0.weight_orig",
                          "generator.layers.0.bn_0.scale.weight_orig", "generator.bn.running_means",
                          "generator.conv_to_rgb.weight_orig", NULL},
    NULL,
    build_biggan,
};

/* ---- FastGAN ---- */

struct fast {
    struct import_net *net;
    uint32_t full; /* the picture's side */
    size_t noises;
};

/* The first half of the channels times the sigmoid of the second. */
static const char *gated(struct import_net *net, const char *x, int64_t channels)
{
    const char *gate = net_unary(net, "Sigmoid", channels_from(net, x, channels / 2, channels));
    return net_binary(net, "Mul", channels_from(net, x, 0, channels / 2), gate);
}

/* Module at of NAME: a convolution, with noise behind it when the block has some, its norm and the gate. *at is moved
 * behind them. */
static const char *fast_conv(struct fast *f, const char *x, const char *name, size_t *at, uint32_t side,
                             bool noise)
{
    struct import_net *net = f->net;
    const char *conv = net_text(net, "%s.%zu", name, *at);
    const struct import_tensor *w = net_tensor(net, net_text(net, "%s.weight_orig", conv), 4);
    if (w == NULL) return "";
    x = net_conv(net, x, conv, (struct net_conv){.pad = 1});
    if (noise) {
        const char *weight =
            net_weight(net, net_tensor(net, net_text(net, "%s.%zu.weight", name, *at + 1), 1));
        const char *map = net_noise(net, net_text(net, "noise_%zu", f->noises++), side, f->full / side);
        x = net_binary(net, "Add", x, net_binary(net, "Mul", map, weight));
    }
    size_t norm = *at + (noise ? 2 : 1);
    x = net_batch_norm(net, x, net_text(net, "%s.%zu", name, norm), 1e-5f);
    *at = norm + 2;
    return gated(net, x, w->dims[0]);
}

/* Doubling and one convolution, or two with noise. */
static const char *fast_block(struct fast *f, const char *x, uint32_t side)
{
    struct import_net *net = f->net;
    const char *name = net_text(net, "feat_%u", side);
    bool noise = import_dict_find(net->dict, net_text(net, "%s.5.weight_orig", name)) != NULL;
    size_t at = 1;
    x = fast_conv(f, net_nearest(net, x, 2.0f), name, &at, side, noise);
    return noise ? fast_conv(f, x, name, &at, side, true) : x;
}

/* Factors for the channels of a large map from a small one, seen at 4 x 4. */
static const char *excited(struct import_net *net, const char *small, uint32_t small_side, const char *x,
                           const char *name)
{
    int64_t cell = small_side / 4;
    struct net_attribute how[] = {
        {.name = "kernel_shape", .kind = NET_INTS, .count = 2, .ints = (int64_t[]){cell, cell}},
        {.name = "strides", .kind = NET_INTS, .count = 2, .ints = (int64_t[]){cell, cell}},
    };
    if (cell > 1) small = net_node(net, "AveragePool", 1, &small, 2, how);
    const char *y = net_conv(net, small, net_text(net, "%s.main.1", name), (struct net_conv){0});
    y = net_binary(net, "Mul", y, net_unary(net, "Sigmoid", y));
    y = net_unary(net, "Sigmoid", net_conv(net, y, net_text(net, "%s.main.3", name), (struct net_conv){0}));
    return net_binary(net, "Mul", x, y);
}

static void build_fastgan(struct import_net *net)
{
    struct fast f = {.net = net, .full = 256};
    const struct import_tensor *first = net_tensor(net, "init.init.0.weight_orig", 4);
    if (net->failed) return;
    while (f.full < 4096 &&
           import_dict_find(net->dict, net_text(net, "feat_%u.1.weight_orig", f.full * 2)) != NULL)
        f.full *= 2;
    const char *maps[16] = {net_latent(net, first->dims[0], true)};
    const char *x = net_conv(net, maps[0], "init.init.0", (struct net_conv){.transposed = true});
    x = maps[0] = gated(net, net_batch_norm(net, x, "init.init.1", 1e-5f), first->dims[1]);
    size_t level = 1;
    for (uint32_t side = 8; side <= f.full && !net->failed; side *= 2, level++) {
        const char *se = net_text(net, "se_%u", side);
        x = fast_block(&f, x, side);
        if (import_dict_find(net->dict, net_text(net, "%s.main.1.weight_orig", se)) != NULL && level >= 4)
            x = excited(net, maps[level - 4], side / 16, x, se);
        maps[level] = x;
    }
    net_ignore(net, "to_128.weight_orig"); /* a small picture beside the large one, for training */
    net_ignore(net, "to_128.weight_u");
    net_ignore(net, "to_128.weight_v");
    x = net_conv(net, x, "to_big", (struct net_conv){.pad = 1});
    net_output(net, f.full > 256 ? net_unary(net, "Tanh", x) : x, 3);
    net->card.output_low = -1.0f;
    net->card.width = net->card.height = f.full;
    net->card.fixed_size = true;
}

const struct import_arch import_arch_fastgan = {
    "fastgan",
    "FastGAN",
    (const char *const[]){"init.init.0.weight_orig", "init.init.1.running_mean", "feat_8.1.weight_orig",
                          "feat_128.1.weight_orig", "feat_256.1.weight_orig", "se_64.main.1.weight_orig",
                          "se_256.main.3.weight_orig", "to_big.weight_orig", NULL},
    NULL,
    build_fastgan,
};
