/* import_arch_psgan.c - PSGAN, textures of any size, in the naming of its PyTorch port (psgan.pytorch); RGB in [-1, 1].
 *
 * Its noise is uniform in [-1, 1), ours is normal: erf(x / sqrt(2)) makes the one of the other. The waves' phases are
 * numbers of the seed too. */
#include "import.h"

#define LAYERS_MAX 9

static const char *uniform(struct import_net *net, const char *x)
{
    return net_unary(net, "Erf", net_binary(net, "Mul", x, net_scalar(net, 0x1.6a09e6p-1f)));
}

/* Rows or columns of a map like x, counted from 0 along dimension dim. */
static const char *places(struct import_net *net, const char *x, int64_t dim)
{
    const char *which[] = {net_unary(net, "Shape", x), net_whole(net, dim)};
    const char *range[] = {net_whole(net, 0), net_node(net, "Gather", 2, which, 0, NULL), net_whole(net, 1)};
    const char *counted = net_node(net, "Range", 3, range, 0, NULL);
    struct net_attribute to = {.name = "to", .kind = NET_INT, .i = 1};
    counted = net_node(net, "Cast", 1, &counted, 1, &to);
    return net_reshape(net, counted, 4, dim == 2 ? (int64_t[]){1, 1, -1, 1} : (int64_t[]){1, 1, 1, -1});
}

/* sin(k1 row + k2 column + phase), k1 and k2 being learned of the noise that is the same all over. */
static const char *waves(struct import_net *net, const char *global, const char *like, int64_t count)
{
    const char *phase = net_latent_called(net, "phase", count, false), *sum = NULL;
    const char *hidden = net_unary(net, "Relu", net_linear(net, global, "periodic_noise_mlp_layer1"));
    for (int64_t i = 1; i <= 2; i++) {
        const char *k = net_linear(net, hidden, net_text(net, "periodic_noise_mlp_layer2_%d.1", (int)i));
        k = net_binary(net, "Mul", net_map(net, k), places(net, like, i + 1));
        sum = sum == NULL ? k : net_binary(net, "Add", sum, k);
    }
    phase = net_binary(net, "Add", uniform(net, phase), net_scalar(net, 1.0f));
    phase = net_binary(net, "Mul", phase, net_scalar(net, 0x1.921fb6p+1f));
    return net_unary(net, "Sin", net_binary(net, "Add", sum, net_map(net, phase)));
}

/* A vector spread over the places of a map like x. */
static const char *spread(struct import_net *net, const char *vector, const char *x)
{
    const char *dims[] = {net_ints(net, 2, (int64_t[]){1, 1}), net_sides(net, x)};
    return net_binary(net, "Expand", net_map(net, vector), net_concat(net, 0, 2, dims));
}

static void build_psgan(struct import_net *net)
{
    size_t layers = 0;
    while (layers < LAYERS_MAX && net_has(net, net_text(net, "generate.%zu.weight", 3 * layers)))
        layers++;
    const struct import_tensor *first = net_tensor(net, "generate.0.weight", 4);
    const struct import_tensor *global = net_tensor(net, "periodic_noise_mlp_layer1.weight", 2);
    const struct import_tensor *periodic = net_tensor(net, "periodic_noise_mlp_layer2_1.1.weight", 2);
    const struct import_tensor *last =
        net_tensor(net, net_text(net, "generate.%zu.weight", 3 * layers - 3), 4);
    if (net->failed) return;
    int64_t local = first->dims[0] - global->dims[1] - periodic->dims[0];
    if (local < 1) {
        net_fail(net, "'generate.0.weight' takes %lld numbers, which leaves none for local noise",
                 (long long)first->dims[0]);
        return;
    }
    uint32_t cell = 1u << layers;
    const char *map = uniform(net, net_noise_map(net, "noise", local, cell));
    const char *same = uniform(net, net_latent_called(net, "latent", global->dims[1], false));
    const char *parts[] = {map, spread(net, same, map), waves(net, same, map, periodic->dims[0])};
    const char *x = net_concat(net, 1, 3, parts);
    for (size_t i = 0; i < layers && !net->failed; i++) {
        const struct import_tensor *w = net_tensor(net, net_text(net, "generate.%zu.weight", 3 * i), 4);
        if (w != NULL && (w->dims[2] != 4 || w->dims[3] != 4)) {
            net_fail(net,
                     "'generate.%zu.weight' is no 4x4 convolution; other sizes do not tell their padding",
                     3 * i);
            return;
        }
        struct net_conv how = {.stride = 2, .pad = 1, .transposed = true};
        x = net_conv(net, x, net_text(net, "generate.%zu", 3 * i), how);
        if (i + 1 < layers)
            x = net_unary(net, "Relu",
                          net_batch_norm(net, x, net_text(net, "generate.%zu", 3 * i + 1), 1e-5f));
    }
    net_output(net, net_unary(net, "Tanh", x), last->dims[1]);
    net->card.output_low = -1.0f;
    net->card.size_multiple = cell;
}

const struct import_arch import_arch_psgan = {
    "psgan",
    "PSGAN",
    (const char *const[]){"generate.0.weight", "generate.1.running_mean", "generate.3.weight",
                          "periodic_noise_mlp_layer1.weight", "periodic_noise_mlp_layer2_1.1.weight",
                          "periodic_noise_mlp_layer2_2.1.weight", NULL},
    NULL,
    build_psgan,
};
