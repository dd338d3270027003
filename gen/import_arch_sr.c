/* import_arch_sr.c - super-resolution: SRVGGNetCompact and RRDBNet (ESRGAN, Real-ESRGAN), RGB in [0, 1]. */
#include "import.h"

#include <stdlib.h>
#include <string.h>

#define SCALE_MAX 16

/* ---- SRVGGNetCompact: body.0 Conv, body.1 PReLU, body.2 Conv ... last Conv to channels * scale^2 ---- */

/* The whole square root, or 0. */
static int64_t root(int64_t square)
{
    for (int64_t i = 1; i <= SCALE_MAX; i++)
        if (i * i == square) return i;
    return 0;
}

static const char *prelu(struct import_net *net, const char *x, const char *name)
{
    const char *slope = net_weight(net, net_tensor(net, net_text(net, "%s.weight", name), 1));
    return net_binary(net, "PRelu", x, net_reshape(net, slope, 3, (int64_t[]){-1, 1, 1}));
}

static void build_srvgg(struct import_net *net)
{
    const struct import_tensor *first = net_tensor(net, "body.0.weight", 4);
    size_t last = 0;
    while (net_has(net, net_text(net, "body.%zu.weight", last + 2)))
        last += 2;
    const struct import_tensor *final = net_tensor(net, net_text(net, "body.%zu.weight", last), 4);
    if (net->failed) return;
    int64_t channels = first->dims[1], scale = root(final->dims[0] / channels);
    if (scale == 0 || final->dims[0] % channels != 0) {
        net_fail(net, "the last convolution makes %lld channels, no square times %lld",
                 (long long) final->dims[0], (long long)channels);
        return;
    }
    const char *image = net_image(net, channels, 0.0f, 1.0f), *x = image;
    for (size_t i = 0; i < last; i += 2) {
        x = net_conv(net, x, net_text(net, "body.%zu", i), (struct net_conv){.pad = 1});
        x = prelu(net, x, net_text(net, "body.%zu", i + 1));
    }
    x = net_conv(net, x, net_text(net, "body.%zu", last), (struct net_conv){.pad = 1});
    if (scale > 1) {
        x = net_pixel_shuffle(net, x, scale);
        image = net_nearest(net, image, (float)scale);
    }
    net_output(net, net_binary(net, "Add", x, image), channels);
    net->card.output_scale = (uint32_t)scale;
}

static bool fits_srvgg(const struct import_dict *dict)
{
    return import_dict_find(dict, "body.0.weight")->rank == 4 &&
           import_dict_find(dict, "body.1.weight")->rank == 1 &&
           import_dict_find(dict, "body.2.weight")->rank == 4;
}

const struct import_arch import_arch_srvgg = {
    "srvgg",
    "SRVGGNetCompact",
    (const char *const[]){"body.0.weight", "body.0.bias", "body.1.weight", "body.2.weight", "body.2.bias",
                          NULL},
    fits_srvgg,
    build_srvgg,
};

/* ---- RRDBNet: three generations of the code keep the same layers under other names ---- */

struct rrdb {
    const char *first, *body, *hr, *last;
    const char *dense; /* format: block, dense block from 1, convolution from 1 */
    const char *up[4]; /* convolutions behind a doubling */
    size_t ups;
};

static const char *dense_block(struct import_net *net, const char *x, const struct rrdb *names, size_t block,
                               size_t dense)
{
    const char *parts[5] = {x}, *out = x;
    for (size_t i = 1; i <= 5; i++) {
        const char *all = i > 1 ? net_concat(net, 1, i, parts) : x;
        out = net_conv(net, all, net_text(net, names->dense, block, dense, i), (struct net_conv){.pad = 1});
        if (i < 5) parts[i] = out = net_leaky(net, out, 0.2f);
    }
    return net_binary(net, "Add", net_binary(net, "Mul", out, net_scalar(net, 0.2f)), x);
}

static const char *rrdb_body(struct import_net *net, const char *first, const struct rrdb *names)
{
    const char *x = first;
    for (size_t block = 0;; block++) {
        const char *begin = net_text(net, names->dense, block, (size_t)1, (size_t)1), *y = x;
        if (!net_has(net, net_text(net, "%s.weight", begin))) break;
        for (size_t dense = 1; dense <= 3; dense++)
            y = dense_block(net, y, names, block, dense);
        x = net_binary(net, "Add", net_binary(net, "Mul", y, net_scalar(net, 0.2f)), x);
        if (net->failed) return "";
    }
    return net_binary(net, "Add", net_conv(net, x, names->body, (struct net_conv){.pad = 1}), first);
}

/* Real-ESRGAN's x2 and x1 networks fold the picture into more channels first: channel c * s^2 + y * s + x is the
 * pixel (y, x) of a square. SpaceToDepth counts (y * s + x) * C + c; so the weights are reordered. */
static const char *unshuffled(struct import_net *net, const char *image, const char *name, int64_t channels,
                              int64_t fold)
{
    struct import_tensor *w = net_tensor(net, net_text(net, "%s.weight", name), 4);
    float *from = w != NULL ? import_floats(w) : NULL, *to = w != NULL ? import_floats(w) : NULL;
    const char *bias = net_weight(net, net_tensor(net, net_text(net, "%s.bias", name), 1)), *weight = "";
    if (from != NULL && to != NULL) {
        size_t taps = (size_t)(w->dims[2] * w->dims[3]), in = (size_t)w->dims[1];
        size_t square = (size_t)(fold * fold);
        for (size_t o = 0; o < (size_t)w->dims[0]; o++)
            for (size_t i = 0; i < in; i++)
                memcpy(to + (o * in + i % square * (size_t)channels + i / square) * taps,
                       from + (o * in + i) * taps, taps * sizeof *to);
        weight = net_floats(net, 4, w->dims, to);
    } else {
        net_fail(net, "no memory for the weights of '%s'", name);
    }
    free(from);
    free(to);
    if (net->failed) return "";
    struct net_attribute size = {.name = "blocksize", .kind = NET_INT, .i = fold};
    const char *folded = net_node(net, "SpaceToDepth", 1, &image, 1, &size);
    return net_conv_with(net, folded, weight, bias, &w->dims[2], (struct net_conv){.pad = 1});
}

static void build_rrdb(struct import_net *net, const struct rrdb *names)
{
    const struct import_tensor *first = net_tensor(net, net_text(net, "%s.weight", names->first), 4);
    const struct import_tensor *last = net_tensor(net, net_text(net, "%s.weight", names->last), 4);
    if (net->failed) return;
    int64_t channels = last->dims[0], fold = root(first->dims[1] / channels);
    if (first->dims[1] % channels != 0 || (fold != 1 && fold != 2 && fold != 4) || fold > 1 << names->ups) {
        net_fail(net, "the first convolution takes %lld channels where the last makes %lld",
                 (long long)first->dims[1], (long long)channels);
        return;
    }
    const char *image = net_image(net, channels, 0.0f, 1.0f);
    const char *x = fold > 1 ? unshuffled(net, image, names->first, channels, fold)
                             : net_conv(net, image, names->first, (struct net_conv){.pad = 1});
    x = rrdb_body(net, x, names);
    for (size_t i = 0; i < names->ups; i++) {
        x = net_conv(net, net_nearest(net, x, 2.0f), names->up[i], (struct net_conv){.pad = 1});
        x = net_leaky(net, x, 0.2f);
    }
    x = net_leaky(net, net_conv(net, x, names->hr, (struct net_conv){.pad = 1}), 0.2f);
    net_output(net, net_conv(net, x, names->last, (struct net_conv){.pad = 1}), channels);
    net->card.output_scale = (uint32_t)((1 << names->ups) / fold);
    net->card.size_multiple = 1u << names->ups;
}

static void build_rrdb_new(struct import_net *net)
{
    static const struct rrdb names = {"conv_first",
                                      "conv_body",
                                      "conv_hr",
                                      "conv_last",
                                      "body.%zu.rdb%zu.conv%zu",
                                      {"conv_up1", "conv_up2"},
                                      2};
    build_rrdb(net, &names);
}

static void build_rrdb_trunk(struct import_net *net)
{
    static const struct rrdb names = {"conv_first",
                                      "trunk_conv",
                                      "HRconv",
                                      "conv_last",
                                      "RRDB_trunk.%zu.RDB%zu.conv%zu",
                                      {"upconv1", "upconv2"},
                                      2};
    build_rrdb(net, &names);
}

/* The layers are numbered as in one torch.nn.Sequential: 0 first, 1 blocks, then for each doubling its upsampling,
 * convolution and activation; then hr, its activation, last. */
static void build_rrdb_old(struct import_net *net)
{
    struct rrdb names = {.first = "model.0", .dense = "model.1.sub.%zu.RDB%zu.conv%zu.0"};
    size_t blocks = 0, last = 2;
    while (net_has(net, net_text(net, "model.1.sub.%zu.RDB1.conv1.0.weight", blocks)))
        blocks++;
    for (size_t i = 2; i < 20; i++)
        if (net_has(net, net_text(net, "model.%zu.weight", i))) last = i;
    for (size_t i = 3; i + 4 <= last && names.ups < 4; i += 3)
        names.up[names.ups++] = net_text(net, "model.%zu", i);
    names.body = net_text(net, "model.1.sub.%zu", blocks);
    names.hr = net_text(net, "model.%zu", last - 2);
    names.last = net_text(net, "model.%zu", last);
    build_rrdb(net, &names);
}

const struct import_arch import_arch_rrdb = {
    "rrdb",
    "RRDBNet",
    (const char *const[]){"conv_first.weight", "body.0.rdb1.conv1.weight", "body.0.rdb3.conv5.weight",
                          "conv_body.weight", "conv_up1.weight", "conv_up2.weight", "conv_hr.weight",
                          "conv_last.weight", NULL},
    NULL,
    build_rrdb_new,
};

const struct import_arch import_arch_rrdb_trunk = {
    "rrdb-trunk",
    "RRDBNet (ESRGAN's release)",
    (const char *const[]){"conv_first.weight", "RRDB_trunk.0.RDB1.conv1.weight",
                          "RRDB_trunk.0.RDB3.conv5.weight", "trunk_conv.weight", "upconv1.weight",
                          "upconv2.weight", "HRconv.weight", "conv_last.weight", NULL},
    NULL,
    build_rrdb_trunk,
};

const struct import_arch import_arch_rrdb_old = {
    "rrdb-old",
    "RRDBNet (BasicSR's first code)",
    (const char *const[]){"model.0.weight", "model.1.sub.0.RDB1.conv1.0.weight",
                          "model.1.sub.0.RDB3.conv5.0.weight", NULL},
    NULL,
    build_rrdb_old,
};
