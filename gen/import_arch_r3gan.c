/* import_arch_r3gan.c - R3GAN in the naming of its authors: stages of residual blocks with grouped convolutions; RGB in
 * [-1, 1]. */
#include "import.h"

#define STAGES_MAX 10
#define BLOCKS_MAX 64

/* A bias, then LeakyRelu without a gain. */
static const char *activated(struct import_net *net, const char *x, const char *name)
{
    const char *bias = net_weight(net, net_tensor(net, net_text(net, "%s.Bias", name), 1));
    return net_leaky(net, net_binary(net, "Add", x, net_reshape(net, bias, 3, (int64_t[]){-1, 1, 1})), 0.2f);
}

/* Convolution NAME.Layer with as many groups as its weights show. */
static const char *convolved(struct import_net *net, const char *x, const char *name, int64_t channels)
{
    const struct import_tensor *w = net_tensor(net, net_text(net, "%s.Layer.weight", name), 4);
    if (w == NULL) return "";
    if (w->dims[1] < 1 || channels % w->dims[1] != 0)
        return net_fail(net, "'%.80s.Layer.weight' takes %lld channels at a time, of %lld", name,
                        (long long)w->dims[1], (long long)channels);
    struct net_conv how = {.pad = w->dims[2] / 2, .groups = channels / w->dims[1]};
    return net_conv(net, x, net_text(net, "%s.Layer", name), how);
}

static const char *residual(struct import_net *net, const char *x, const char *name, int64_t channels)
{
    const struct import_tensor *wide =
        net_tensor(net, net_text(net, "%s.LinearLayer1.Layer.weight", name), 4);
    if (wide == NULL) return "";
    const char *y = convolved(net, x, net_text(net, "%s.LinearLayer1", name), channels);
    y = activated(net, y, net_text(net, "%s.NonLinearity1", name));
    y = convolved(net, y, net_text(net, "%s.LinearLayer2", name), wide->dims[0]);
    y = activated(net, y, net_text(net, "%s.NonLinearity2", name));
    y = convolved(net, y, net_text(net, "%s.LinearLayer3", name), wide->dims[0]);
    return net_binary(net, "Add", x, y);
}

/* Twice the sides by a low-pass filter, other channels first where a 1x1 convolution is there. */
static const char *doubled(struct import_net *net, const char *x, const char *name, int64_t *channels)
{
    const struct import_tensor *w =
        import_dict_find(net->dict, net_text(net, "%s.LinearLayer.Layer.weight", name));
    int64_t size[2] = {0, 0};
    if (w != NULL) x = convolved(net, x, net_text(net, "%s.LinearLayer", name), *channels);
    if (w != NULL) *channels = w->dims[0];
    const char *kernel =
        net_filter(net, net_text(net, "%s.Resampler.Kernel", name), *channels, 4.0f, false, size);
    if (!net->failed && (size[0] != size[1] || size[0] % 2 != 0))
        return net_fail(net, "'%.80s.Resampler.Kernel' is no even square", name);
    struct net_conv how = {.stride = 2, .pad = size[0] / 2 - 1, .groups = *channels, .transposed = true};
    return net_conv_with(net, x, kernel, "", size, how);
}

/* The latent, with what stands for the class, as factors of 4 x 4 maps that were learned. */
static const char *started(struct import_net *net, int64_t *channels)
{
    const char *name = "MainLayers.0.Layers.0";
    const struct import_tensor *basis = net_tensor(net, net_text(net, "%s.Basis", name), 3);
    const struct import_tensor *w = net_tensor(net, net_text(net, "%s.LinearLayer.weight", name), 2);
    const struct import_tensor *classes = import_dict_find(net->dict, "EmbeddingLayer.weight");
    if (net->failed) return "";
    if (classes != NULL && (classes->rank != 2 || classes->dims[0] >= w->dims[1]))
        return net_fail(net, "'EmbeddingLayer.weight' leaves no room for a latent in '%s.LinearLayer.weight'",
                        name);
    const char *x = net_latent(net, w->dims[1] - (classes != NULL ? classes->dims[0] : 0), false);
    if (classes != NULL) {
        const char *class = net_linear(net, net_label(net, classes->dims[1]), "EmbeddingLayer");
        x = net_concat(net, 1, 2, (const char *[]){x, class});
    }
    *channels = basis->dims[0];
    const char *maps = net_reshape(net, net_weight(net, basis), 4,
                                   (int64_t[]){1, *channels, basis->dims[1], basis->dims[2]});
    return net_binary(net, "Mul", maps,
                      net_map(net, net_linear(net, x, net_text(net, "%s.LinearLayer", name))));
}

static void build_r3gan(struct import_net *net)
{
    const struct import_tensor *basis = net_tensor(net, "MainLayers.0.Layers.0.Basis", 3);
    int64_t channels = 0;
    const char *x = started(net, &channels);
    size_t stages = 0;
    for (; stages < STAGES_MAX && !net->failed; stages++) {
        const char *stage = net_text(net, "MainLayers.%zu.Layers", stages);
        if (stages > 0) {
            if (!net_has(net, net_text(net, "%s.0.Resampler.Kernel", stage))) break;
            x = doubled(net, x, net_text(net, "%s.0", stage), &channels);
        }
        for (size_t i = 1; i < BLOCKS_MAX && !net->failed; i++) {
            const char *name = net_text(net, "%s.%zu", stage, i);
            if (!net_has(net, net_text(net, "%s.LinearLayer1.Layer.weight", name))) break;
            x = residual(net, x, name, channels);
        }
    }
    const struct import_tensor *last = net_tensor(net, "AggregationLayer.Layer.weight", 4);
    if (net->failed) return;
    if (basis->dims[1] != basis->dims[2] || basis->dims[1] > 64) {
        net_fail(net, "'MainLayers.0.Layers.0.Basis' holds no small squares");
        return;
    }
    net_output(net, convolved(net, x, "AggregationLayer", channels), last->dims[0]);
    net->card.output_low = -1.0f;
    net_square(net, (uint32_t)basis->dims[1] << (stages - 1));
}

const struct import_arch import_arch_r3gan = {
    "r3gan",
    "R3GAN",
    (const char *const[]){"MainLayers.0.Layers.0.Basis", "MainLayers.0.Layers.0.LinearLayer.weight",
                          "MainLayers.0.Layers.1.LinearLayer1.Layer.weight",
                          "MainLayers.0.Layers.1.NonLinearity1.Bias",
                          "MainLayers.1.Layers.0.Resampler.Kernel", "AggregationLayer.Layer.weight", NULL},
    NULL,
    build_r3gan,
};
