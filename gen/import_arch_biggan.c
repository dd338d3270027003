/* import_arch_biggan.c - BigGAN in the naming of its authors' PyTorch code, and BigGAN-deep in that of its PyTorch
 * port; RGB in [-1, 1]. Both keep their weights before spectral normalisation. */
#include "import.h"

#include <math.h>
#include <stdlib.h>

static const char *relu(struct import_net *net, const char *x)
{
    return net_unary(net, "Relu", x);
}

/* ---- attention ---- */

/* Output channels of a convolution. */
static int64_t width_of(struct import_net *net, const char *name)
{
    const struct import_tensor *w = net_optional(net, net_text(net, "%s.weight_orig", name));
    if (w == NULL) w = net_tensor(net, net_text(net, "%s.weight", name), 4);
    return w != NULL ? w->dims[0] : 0;
}

/* Every place looks at all places of the map at half its size. names: the 1x1 convolutions theta, phi, g and the
 * last one, which has no letter. */
static const char *attention(struct import_net *net, const char *x, const char *const names[static 4],
                             const char *gamma)
{
    static const struct net_conv plain = {0};
    static const int64_t rows[] = {0, 2, 1};
    int64_t narrow = width_of(net, names[0]), half = width_of(net, names[2]);
    int64_t flat_narrow[] = {0, narrow, -1}, flat_half[] = {0, half, -1};
    const char *theta = net_conv(net, x, names[0], plain);
    const char *phi = net_pool(net, "MaxPool", net_conv(net, x, names[1], plain), 2, false);
    const char *g = net_pool(net, "MaxPool", net_conv(net, x, names[2], plain), 2, false);
    theta = net_transpose(net, net_reshape(net, theta, 3, flat_narrow), 3, rows);
    const char *scores = net_binary(net, "MatMul", theta, net_reshape(net, phi, 3, flat_narrow));
    const char *weights = net_transpose(net, net_softmax(net, scores, -1), 3, rows);
    const char *seen = net_binary(net, "MatMul", net_reshape(net, g, 3, flat_half), weights);
    seen = net_conv(net, net_sides_of(net, seen, half, x), names[3], plain);
    const char *factor = net_weight(net, net_tensor(net, gamma, 0));
    return net_binary(net, "Add", x, net_binary(net, "Mul", seen, factor));
}

/* ---- BigGAN ---- */

/* Statistics of a batch norm, also where they are a synchronised one's. */
static const struct import_tensor *statistic(struct import_net *net, const char *name, const char *what)
{
    const struct import_tensor *t = net_optional(net, net_text(net, "%s.bn.running_%s", name, what));
    return t != NULL ? t : net_tensor(net, net_text(net, "%s.stored_%s", name, what), 1);
}

static const char *normal(struct import_net *net, const char *x, const char *name, const char *scale,
                          const char *shift)
{
    const char *inputs[] = {x, scale, shift, net_weight(net, statistic(net, name, "mean")),
                            net_weight(net, statistic(net, name, "var"))};
    struct net_attribute how = {.name = "epsilon", .kind = NET_FLOAT, .f = 1e-5f};
    return net_node(net, "BatchNormalization", 5, inputs, 1, &how);
}

/* Layers gain and bias say from the condition what each channel is multiplied by, less 1, and what is added. */
static const char *conditioned(struct import_net *net, const char *x, const char *condition, const char *gain,
                               const char *bias)
{
    gain = net_linear(net, condition, gain);
    bias = net_linear(net, condition, bias);
    gain = net_binary(net, "Add", gain, net_scalar(net, 1.0f));
    return net_binary(net, "Add", net_binary(net, "Mul", x, net_map(net, gain)), net_map(net, bias));
}

static const char *conditional_normal(struct import_net *net, const char *x, const char *condition,
                                      const char *name)
{
    const struct import_tensor *mean = statistic(net, name, "mean");
    if (mean == NULL) return "";
    x = normal(net, x, name, net_filled(net, mean->dims[0], 1.0f), net_filled(net, mean->dims[0], 0.0f));
    return conditioned(net, x, condition, net_text(net, "%s.gain", name), net_text(net, "%s.bias", name));
}

static const char *block(struct import_net *net, const char *x, const char *condition, const char *name)
{
    static const struct net_conv same = {.pad = 1}, plain = {0};
    const char *y = relu(net, conditional_normal(net, x, condition, net_text(net, "%s.bn1", name)));
    y = net_conv(net, net_nearest(net, y, 2.0f), net_text(net, "%s.conv1", name), same);
    y = relu(net, conditional_normal(net, y, condition, net_text(net, "%s.bn2", name)));
    y = net_conv(net, y, net_text(net, "%s.conv2", name), same);
    x = net_conv(net, net_nearest(net, x, 2.0f), net_text(net, "%s.conv_sc", name), plain);
    return net_binary(net, "Add", y, x);
}

struct shape {
    int64_t start;  /* numbers of the latent that the first layer takes */
    int64_t chunk;  /* and each block, hierarchically: 0 where the class alone is the condition */
    int64_t bottom; /* side of the first map */
    size_t blocks;
};

static bool read_shape(struct import_net *net, const struct import_tensor *shared, struct shape *s)
{
    const struct import_tensor *linear = net_tensor(net, "linear.weight", 2);
    const struct import_tensor *first = net_tensor(net, "blocks.0.0.conv1.weight", 4);
    const struct import_tensor *gain = net_tensor(net, "blocks.0.0.bn1.gain.weight", 2);
    if (net->failed) return false;
    *s = (struct shape){.start = linear->dims[1], .chunk = gain->dims[1] - shared->dims[1], .bottom = 1};
    while (s->bottom < 16 && s->bottom * s->bottom * first->dims[1] < linear->dims[0])
        s->bottom++;
    while (s->blocks < 12 && net_has(net, net_text(net, "blocks.%zu.0.conv1.weight", s->blocks)))
        s->blocks++;
    if (s->bottom * s->bottom * first->dims[1] != linear->dims[0])
        net_fail(net, "'linear.weight' makes no square map of the %lld channels of the first block",
                 (long long)first->dims[1]);
    if (s->chunk != 0 && s->chunk != s->start)
        net_fail(net,
                 "'blocks.0.0.bn1.gain.weight' takes %lld numbers, neither the class's alone nor with a "
                 "part of the latent",
                 (long long)gain->dims[1]);
    return !net->failed;
}

static const char *part_of(struct import_net *net, const char *latent, const struct shape *s, size_t part)
{
    if (s->chunk == 0) return latent;
    return net_channels(net, latent, (int64_t)part * s->chunk, (int64_t)(part + 1) * s->chunk);
}

static void build_biggan(struct import_net *net)
{
    struct shape s;
    const struct import_tensor *shared = net_tensor(net, "shared.weight", 2);
    if (shared == NULL || !read_shape(net, shared, &s)) return;
    const char *latent = net_latent(net, s.chunk > 0 ? s.chunk * ((int64_t)s.blocks + 1) : s.start, false);
    const char *class = net_binary(net, "MatMul", net_label(net, shared->dims[0]), net_weight(net, shared));
    const char *x = net_linear(net, part_of(net, latent, &s, 0), "linear");
    x = net_reshape(net, x, 4, (int64_t[]){0, -1, s.bottom, s.bottom});
    for (size_t i = 0; i < s.blocks && !net->failed; i++) {
        const char *condition = class, *name = net_text(net, "blocks.%zu", i);
        if (s.chunk > 0)
            condition = net_concat(net, 1, 2, (const char *[]){class, part_of(net, latent, &s, i + 1)});
        x = block(net, x, condition, net_text(net, "%s.0", name));
        if (!net_has(net, net_text(net, "%s.1.gamma", name))) continue;
        const char *names[] = {net_text(net, "%s.1.theta", name), net_text(net, "%s.1.phi", name),
                               net_text(net, "%s.1.g", name), net_text(net, "%s.1.o", name)};
        x = attention(net, x, names, net_text(net, "%s.1.gamma", name));
    }
    const char *gain = net_weight(net, net_tensor(net, "output_layer.0.gain", 1));
    const char *bias = net_weight(net, net_tensor(net, "output_layer.0.bias", 1));
    x = relu(net, normal(net, x, "output_layer.0", gain, bias));
    x = net_conv(net, x, "output_layer.2", (struct net_conv){.pad = 1});
    net_output(net, net_unary(net, "Tanh", x), 3);
    net->card.output_low = -1.0f;
    net_square(net, (uint32_t)s.bottom << s.blocks);
}

const struct import_arch import_arch_biggan = {
    "biggan",
    "BigGAN",
    (const char *const[]){"shared.weight", "linear.weight", "blocks.0.0.conv1.weight",
                          "blocks.0.0.conv2.weight", "blocks.0.0.conv_sc.weight",
                          "blocks.0.0.bn1.gain.weight", "blocks.0.0.bn2.bias.weight", "output_layer.0.gain",
                          "output_layer.2.weight", NULL},
    NULL,
    build_biggan,
};

/* ---- BigGAN-deep ---- */

#define DEEP_EPSILON 1e-4f

/* Statistics are kept for several truncations; the last row is that of none. */
static const char *last_row(struct import_net *net, const char *name, bool root)
{
    const struct import_tensor *t = net_tensor(net, name, 2);
    float *all = t != NULL ? import_floats(t) : NULL;
    if (all == NULL) return net_fail(net, "tensor '%.80s' cannot be read", name);
    size_t columns = (size_t)t->dims[1], first = t->count - columns;
    for (size_t i = first; root && i < t->count; i++)
        all[i] = sqrtf(all[i] + DEEP_EPSILON);
    const char *row = net_floats(net, 3, (int64_t[]){t->dims[1], 1, 1}, all + first);
    free(all);
    return row;
}

static const char *deep_normal(struct import_net *net, const char *x, const char *name)
{
    const char *mean = last_row(net, net_text(net, "%s.running_means", name), false);
    const char *deviation = last_row(net, net_text(net, "%s.running_vars", name), true);
    return net_binary(net, "Div", net_binary(net, "Sub", x, mean), deviation);
}

static const char *last_norm(struct import_net *net, const char *x, const char *name)
{
    x = deep_normal(net, x, name);
    const char *scale = net_weight(net, net_tensor(net, net_text(net, "%s.weight", name), 1));
    const char *shift = net_weight(net, net_tensor(net, net_text(net, "%s.bias", name), 1));
    return net_affine(net, x, scale, shift);
}

static const char *deep_block(struct import_net *net, const char *x, const char *condition, const char *name,
                              bool up)
{
    const struct import_tensor *first = net_tensor(net, net_text(net, "%s.conv_0.weight_orig", name), 4);
    const struct import_tensor *last = net_tensor(net, net_text(net, "%s.conv_3.weight_orig", name), 4);
    if (net->failed) return "";
    const char *y = x;
    for (int i = 0; i < 4; i++) {
        const char *norm = net_text(net, "%s.bn_%d", name, i);
        y = deep_normal(net, y, norm);
        y = relu(net, conditioned(net, y, condition, net_text(net, "%s.scale", norm),
                                  net_text(net, "%s.offset", norm)));
        if (i == 1 && up) y = net_nearest(net, y, 2.0f);
        y = net_conv(net, y, net_text(net, "%s.conv_%d", name, i),
                     (struct net_conv){.pad = i == 1 || i == 2});
    }
    if (first->dims[1] != last->dims[0]) x = net_channels(net, x, 0, last->dims[0]);
    return net_binary(net, "Add", y, up ? net_nearest(net, x, 2.0f) : x);
}

static void build_biggan_deep(struct import_net *net)
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
        if (net_has(net, net_text(net, "%s.gamma", name))) {
            const char *names[] = {
                net_text(net, "%s.snconv1x1_theta", name), net_text(net, "%s.snconv1x1_phi", name),
                net_text(net, "%s.snconv1x1_g", name), net_text(net, "%s.snconv1x1_o_conv", name)};
            x = attention(net, x, names, net_text(net, "%s.gamma", name));
            continue;
        }
        if (!net_has(net, net_text(net, "%s.conv_0.weight_orig", name))) break;
        bool up = blocks++ % 2 == 1;
        if (up) side *= 2;
        x = deep_block(net, x, condition, name, up);
    }
    x = relu(net, last_norm(net, x, "generator.bn"));
    x = net_conv(net, x, "generator.conv_to_rgb", (struct net_conv){.pad = 1});
    net_output(net, net_unary(net, "Tanh", net_channels(net, x, 0, 3)), 3);
    net->card.output_low = -1.0f;
    net_square(net, side);
}

const struct import_arch import_arch_biggan_deep = {
    "biggan-deep",
    "BigGAN-deep",
    (const char *const[]){"embeddings.weight", "generator.gen_z.weight_orig",
                          "generator.layers.0.conv_0.weight_orig",
                          "generator.layers.0.bn_0.scale.weight_orig", "generator.bn.running_means",
                          "generator.conv_to_rgb.weight_orig", NULL},
    NULL,
    build_biggan_deep,
};
