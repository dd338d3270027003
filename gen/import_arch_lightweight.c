/* import_arch_lightweight.c - FastGAN as lightweight-gan has it, with blurs, noise and attention of its own; colours in
 * [0, 1], also with alpha or in grey. */
#include "import.h"

#include <math.h>

#define LEVELS_MAX 9
#define HEAD       64 /* channels of a head of attention */

/* ---- a level's layers ---- */

/* Each place from its neighbours, weighted by a filter of 3 taps in both directions. */
static const char *blurred(struct import_net *net, const char *x, const char *name, int64_t channels)
{
    const struct import_tensor *f = net_tensor(net, net_text(net, "%s.f", name), 1);
    float taps[9], sum = 0;
    if (f == NULL) return "";
    if (f->dims[0] != 3) return net_fail(net, "tensor '%.80s.f' is no filter of 3 taps", name);
    for (size_t i = 0; i < 9; i++) {
        taps[i] = import_element(f, i / 3) * import_element(f, i % 3);
        sum += fabsf(taps[i]);
    }
    const char *weight = net_repeated(net, taps, (int64_t[]){3, 3}, channels, 1.0f / sum);
    x = net_pad(net, x, "reflect", (int64_t[]){1, 1, 1, 1});
    return net_conv_with(net, x, weight, "", (int64_t[]){3, 3}, (struct net_conv){.groups = channels});
}

static const char *doubled(struct import_net *net, const char *x, const char *name)
{
    x = net_conv(net, x, net_text(net, "%s.net.0", name), (struct net_conv){0});
    return net_pixel_shuffle(net, net_silu(net, x), 2);
}

/* 4x4 convolution of the same size, noise, normalisation, gate. */
static const char *widened(struct import_net *net, const char *x, const char *name, size_t number,
                           uint32_t side, uint32_t full)
{
    const struct import_tensor *w = net_tensor(net, net_text(net, "%s.2.1.weight", name), 4);
    if (w == NULL) return "";
    if (w->dims[2] != 4 || w->dims[3] != 4)
        return net_fail(net, "'%.80s.2.1.weight' is no 4x4 convolution", name);
    x = net_pad(net, x, "constant", (int64_t[]){2, 1, 2, 1});
    x = net_conv(net, x, net_text(net, "%s.2.1", name), (struct net_conv){0});
    const char *strength = net_weight(net, net_tensor(net, net_text(net, "%s.3.weight", name), 1));
    const char *noise = net_noise(net, net_text(net, "noise_%zu", number), side, full / side);
    x = net_binary(net, "Add", x, net_binary(net, "Mul", noise, strength));
    x = net_batch_norm(net, x, net_text(net, "%s.4", name), 1e-5f);
    return net_gated(net, x, w->dims[0]);
}

/* ---- excitation: factors for the channels of a later level ---- */

/* What is seen of the whole map [N, C, 1, 1]: a mean that a convolution weighs, or frequencies. */
static const char *seen_of(struct import_net *net, const char *x, const char *name)
{
    static const int64_t sides[] = {2, 3}, rows[] = {0, 2, 1}, flat[] = {0, 0, -1};
    const struct import_tensor *waves = net_optional(net, net_text(net, "%s.dct_weights", name));
    if (waves != NULL) {
        const char *inputs[] = {net_binary(net, "Mul", x, net_weight(net, waves)), net_ints(net, 2, sides)};
        return net_node(net, "ReduceSum", 2, inputs, 0, NULL);
    }
    const char *scores = net_conv(net, x, net_text(net, "%s.to_k", name), (struct net_conv){0});
    const char *weights = net_softmax(net, net_reshape(net, scores, 3, flat), -1);
    const char *mean =
        net_binary(net, "MatMul", net_reshape(net, x, 3, flat), net_transpose(net, weights, 3, rows));
    return net_map(net, mean);
}

static const char *excitation(struct import_net *net, const char *x, const char *name)
{
    static const struct net_conv plain = {0};
    const char *y = net_conv(net, seen_of(net, x, name), net_text(net, "%s.net.0", name), plain);
    y = net_conv(net, net_leaky(net, y, 0.1f), net_text(net, "%s.net.2", name), plain);
    return net_unary(net, "Sigmoid", y);
}

/* ---- attention: over the whole map, and over 3x3 neighbours ---- */

/* Mean 0 and variance 1 over the channels of each place. */
static const char *channel_norm(struct import_net *net, const char *x, const char *name)
{
    static const int64_t channels[] = {1};
    const char *scale = net_weight(net, net_tensor(net, net_text(net, "%s.g", name), 4));
    const char *shift = net_weight(net, net_tensor(net, net_text(net, "%s.b", name), 4));
    x = net_binary(net, "Sub", x, net_reduce(net, "ReduceMean", x, 1, channels));
    const char *variance = net_reduce(net, "ReduceMean", net_binary(net, "Mul", x, x), 1, channels);
    variance = net_binary(net, "Add", variance, net_scalar(net, 1e-5f));
    x = net_binary(net, "Div", x, net_unary(net, "Sqrt", variance));
    return net_binary(net, "Add", net_binary(net, "Mul", x, scale), shift);
}

static const char *gelu(struct import_net *net, const char *x)
{
    const char *erf = net_unary(net, "Erf", net_binary(net, "Mul", x, net_scalar(net, 0x1.6a09e6p-1f)));
    erf = net_binary(net, "Add", erf, net_scalar(net, 1.0f));
    return net_binary(net, "Mul", net_binary(net, "Mul", x, net_scalar(net, 0.5f)), erf);
}

/* [N, inner, H, W] as [N, heads, HEAD, H * W] */
static const char *heads_of(struct import_net *net, const char *x, int64_t inner)
{
    return net_reshape(net, x, 4, (int64_t[]){0, inner / HEAD, HEAD, -1});
}

/* Keys weigh values over all places; queries pick from the sums. */
static const char *linear_attention(struct import_net *net, const char *x, const char *name, int64_t inner,
                                    int64_t channels)
{
    static const int64_t rows[] = {0, 1, 3, 2};
    const char *q = net_conv(net, x, net_text(net, "%s.to_lin_q", name), (struct net_conv){0});
    const char *kv = net_conv(net, x, net_text(net, "%s.to_lin_kv.net.0", name),
                              (struct net_conv){.pad = 1, .groups = channels});
    kv = net_conv(net, kv, net_text(net, "%s.to_lin_kv.net.1", name), (struct net_conv){0});
    const char *k = net_softmax(net, heads_of(net, net_channels(net, kv, 0, inner), inner), 3);
    const char *v = heads_of(net, net_channels(net, kv, inner, 2 * inner), inner);
    q = net_softmax(net, heads_of(net, q, inner), 2);
    q = net_binary(net, "Mul", q, net_scalar(net, 0.125f)); /* HEAD^-1/2 */
    const char *sums = net_binary(net, "MatMul", v, net_transpose(net, k, 4, rows));
    return gelu(net, net_sides_of(net, net_binary(net, "MatMul", sums, q), inner, x));
}

/* Neighbour number i of each place, row by row; 0 beyond the border, which is one wide. */
static const char *neighbour(struct import_net *net, const char *padded, size_t i, int64_t inner)
{
    int64_t begin[] = {(int64_t)i / 3, (int64_t)i % 3}, end[2];
    for (size_t d = 0; d < 2; d++)
        end[d] = begin[d] == 2 ? INT32_MAX : begin[d] - 2;
    const char *inputs[] = {padded, net_ints(net, 2, begin), net_ints(net, 2, end),
                            net_ints(net, 2, (int64_t[]){2, 3})};
    return heads_of(net, net_node(net, "Slice", 4, inputs, 0, NULL), inner);
}

static const char *near_attention(struct import_net *net, const char *x, const char *name, int64_t inner)
{
    static const int64_t border[] = {1, 1, 1, 1}, head[] = {2};
    const char *scores[9], *out = NULL;
    const char *q = net_conv(net, x, net_text(net, "%s.to_q", name), (struct net_conv){0});
    const char *kv = net_conv(net, x, net_text(net, "%s.to_kv", name), (struct net_conv){0});
    const char *padded = net_pad(net, kv, "constant", border);
    const char *k = net_channels(net, padded, 0, inner), *v = net_channels(net, padded, inner, 2 * inner);
    q = net_binary(net, "Mul", heads_of(net, q, inner), net_scalar(net, 0.125f));
    for (size_t i = 0; i < 9; i++) {
        const char *inputs[] = {net_binary(net, "Mul", q, neighbour(net, k, i, inner)),
                                net_ints(net, 1, head)};
        scores[i] = net_node(net, "ReduceSum", 2, inputs, 0, NULL);
    }
    const char *weights = net_softmax(net, net_concat(net, 2, 9, scores), 2);
    for (size_t i = 0; i < 9; i++) {
        const char *inputs[] = {weights, net_ints(net, 1, (int64_t[]){(int64_t)i}),
                                net_ints(net, 1, (int64_t[]){(int64_t)i + 1}), net_ints(net, 1, head)};
        const char *part =
            net_binary(net, "Mul", net_node(net, "Slice", 4, inputs, 0, NULL), neighbour(net, v, i, inner));
        out = out == NULL ? part : net_binary(net, "Add", out, part);
    }
    return net_sides_of(net, out, inner, x);
}

static const char *attention(struct import_net *net, const char *x, const char *name)
{
    const char *look = net_text(net, "%s.fn", name);
    const struct import_tensor *q = net_tensor(net, net_text(net, "%s.to_q.weight", look), 4);
    if (q == NULL) return "";
    int64_t inner = q->dims[0], channels = q->dims[1];
    if (inner % HEAD != 0)
        return net_fail(net, "'%.80s.to_q.weight' makes %lld channels, no heads of %d", look,
                        (long long)inner, HEAD);
    const char *y = channel_norm(net, x, net_text(net, "%s.norm", name));
    const char *both[] = {linear_attention(net, y, look, inner, channels),
                          near_attention(net, y, look, inner)};
    y = net_conv(net, net_concat(net, 1, 2, both), net_text(net, "%s.to_out", look), (struct net_conv){0});
    return net_binary(net, "Add", y, x);
}

/* ---- the network ---- */

/* Channels that a level begins with. */
static int64_t width_of(struct import_net *net, const char *level)
{
    const struct import_tensor *w = net_tensor(net, net_text(net, "%s.0.0.net.0.weight", level), 4);
    return w != NULL ? w->dims[1] : 0;
}

/* The latent on a 4 x 4 map, each place at unit length. */
static const char *started(struct import_net *net)
{
    const struct import_tensor *w = net_tensor(net, "initial_conv.0.weight", 4);
    if (w == NULL) return "";
    const char *x = net_latent(net, w->dims[0], true);
    x = net_conv(net, x, "initial_conv.0", (struct net_conv){.transposed = true});
    x = net_gated(net, net_batch_norm(net, x, "initial_conv.1", 1e-5f), w->dims[1]);
    const char *length = net_reduce(net, "ReduceL2", x, 1, (int64_t[]){1});
    return net_binary(net, "Div", x, net_binary(net, "Max", length, net_scalar(net, 1e-12f)));
}

static void build_lightweight(struct import_net *net)
{
    const char *factors[LEVELS_MAX + 3] = {NULL}; /* for the channels behind each level */
    size_t levels = 0;
    while (levels < LEVELS_MAX && net_has(net, net_text(net, "layers.%zu.0.2.1.weight", levels)))
        levels++;
    const struct import_tensor *last = net_tensor(net, "out_conv.weight", 4);
    const char *x = started(net);
    for (size_t i = 0; i < levels && !net->failed; i++) {
        const char *name = net_text(net, "layers.%zu", i), *main = net_text(net, "%s.0", name);
        if (net_has(net, net_text(net, "%s.2.norm.g", name)))
            x = attention(net, x, net_text(net, "%s.2", name));
        x = doubled(net, x, net_text(net, "%s.0", main));
        x = blurred(net, x, net_text(net, "%s.1", main), width_of(net, name));
        x = widened(net, x, main, i, 8u << i, 4u << levels);
        if (net_has(net, net_text(net, "%s.1.net.0.weight", name)))
            factors[i + 3] = excitation(net, x, net_text(net, "%s.1", name));
        if (factors[i] != NULL) x = net_binary(net, "Mul", x, factors[i]);
    }
    x = net_conv(net, x, "out_conv", (struct net_conv){.pad = 1});
    if (net->failed) return;
    net_output(net, x, last->dims[0]);
    net_square(net, 4u << levels);
}

const struct import_arch import_arch_lightweight = {
    "lightweight-gan",
    "lightweight-gan",
    (const char *const[]){"initial_conv.0.weight", "initial_conv.1.running_mean", "layers.0.0.0.net.0.weight",
                          "layers.0.0.1.f", "layers.0.0.2.1.weight", "layers.0.0.3.weight",
                          "layers.0.0.4.running_mean", "out_conv.weight", NULL},
    NULL,
    build_lightweight,
};
