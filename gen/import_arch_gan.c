/* import_arch_gan.c - DCGAN (PyTorch's example); RGB in [-1, 1]. */
#include "import.h"

/* ---- DCGAN: main.0 ConvTranspose, 1 BatchNorm, 2 Relu, 3 ConvTranspose ... last ConvTranspose, Tanh ---- */

static void build_dcgan_as(struct import_net *net, const char *stem)
{
    size_t last = 0;
    while (net_has(net, net_text(net, "%s.%zu.weight", stem, last + 3)))
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
    net_square(net, side);
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
