/* import_arch_fastgan.c - FastGAN in the naming of its authors, RGB in [-1, 1]. Weights are kept before spectral
 * normalisation. */
#include "import.h"

struct fast {
    struct import_net *net;
    uint32_t full; /* the picture's side */
    size_t noises;
};

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
    return net_gated(net, x, w->dims[0]);
}

/* Doubling and one convolution, or two with noise. */
static const char *fast_block(struct fast *f, const char *x, uint32_t side)
{
    struct import_net *net = f->net;
    const char *name = net_text(net, "feat_%u", side);
    bool noise = net_has(net, net_text(net, "%s.5.weight_orig", name));
    size_t at = 1;
    x = fast_conv(f, net_nearest(net, x, 2.0f), name, &at, side, noise);
    return noise ? fast_conv(f, x, name, &at, side, true) : x;
}

/* Factors for the channels of a large map from a small one, seen at 4 x 4. */
static const char *excited(struct import_net *net, const char *small, uint32_t small_side, const char *x,
                           const char *name)
{
    if (small_side > 4) small = net_pool(net, "AveragePool", small, small_side / 4, false);
    const char *y = net_conv(net, small, net_text(net, "%s.main.1", name), (struct net_conv){0});
    y = net_silu(net, y);
    y = net_unary(net, "Sigmoid", net_conv(net, y, net_text(net, "%s.main.3", name), (struct net_conv){0}));
    return net_binary(net, "Mul", x, y);
}

static void build_fastgan(struct import_net *net)
{
    struct fast f = {.net = net, .full = 256};
    const struct import_tensor *first = net_tensor(net, "init.init.0.weight_orig", 4);
    if (net->failed) return;
    while (f.full < 4096 && net_has(net, net_text(net, "feat_%u.1.weight_orig", f.full * 2)))
        f.full *= 2;
    const char *maps[16] = {net_latent(net, first->dims[0], true)};
    const char *x = net_conv(net, maps[0], "init.init.0", (struct net_conv){.transposed = true});
    x = maps[0] = net_gated(net, net_batch_norm(net, x, "init.init.1", 1e-5f), first->dims[1]);
    size_t level = 1;
    for (uint32_t side = 8; side <= f.full && !net->failed; side *= 2, level++) {
        const char *se = net_text(net, "se_%u", side);
        x = fast_block(&f, x, side);
        if (net_has(net, net_text(net, "%s.main.1.weight_orig", se)) && level >= 4)
            x = excited(net, maps[level - 4], side / 16, x, se);
        maps[level] = x;
    }
    net_ignore(net, "to_128.weight_orig"); /* a small picture beside the large one, for training */
    net_ignore(net, "to_128.weight_u");
    net_ignore(net, "to_128.weight_v");
    x = net_conv(net, x, "to_big", (struct net_conv){.pad = 1});
    net_output(net, f.full > 256 ? net_unary(net, "Tanh", x) : x, 3);
    net->card.output_low = -1.0f;
    net_square(net, f.full);
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
