/* import_arch_translate.c - pix2pix's U-Net and the ResNet generators of CycleGAN and CUT, which number their layers
 * as torch.nn.Sequential does; RGB in [-1, 1]. Batch normalisation uses its running statistics. */
#include "import.h"

#include <string.h>

#define EPSILON 1e-5f
#define DEPTH   16

/* Batch normalisation if its statistics are there with scale and shift, else instance normalisation, which has
 * nothing of its own (old files carry statistics that it does not use). channels are the output's of the convolution
 * before it. */
static const char *norm(struct import_net *net, const char *x, const char *name, int64_t channels)
{
    bool weight = net_has(net, net_text(net, "%s.weight", name));
    bool mean = net_has(net, net_text(net, "%s.running_mean", name));
    if (weight && mean) return net_batch_norm(net, x, name, EPSILON);
    net_optional(net, net_text(net, "%s.running_mean", name));
    net_optional(net, net_text(net, "%s.running_var", name));
    return net_instance_norm(net, x, name, weight ? 0 : channels, EPSILON);
}

static int64_t outputs_of(struct import_net *net, const char *conv, size_t dim)
{
    const struct import_tensor *w = net_tensor(net, net_text(net, "%s.weight", conv), 4);
    return w != NULL ? w->dims[dim] : 0;
}

static void picture_range(struct import_net *net)
{
    net->card.output_low = -1.0f;
    net->card.output_high = 1.0f;
}

/* ---- U-Net: level 0 is the outermost, each level holds the next as its module 1 or 3 ---- */

struct level {
    const char *down, *down_norm, *up, *up_norm; /* norms NULL where there are none */
};

static size_t find_levels(struct import_net *net, struct level *levels)
{
    const char *at = "model.model"; /* the level's Sequential */
    size_t count = 0;
    while (count < DEPTH && !net->failed) {
        struct level *l = &levels[count];
        bool outermost = count == 0;
        l->down = net_text(net, "%s.%d", at, outermost ? 0 : 1);
        bool innermost = !net_has(net, net_text(net, "%s.%d.model.1.weight", at, outermost ? 1 : 3));
        l->up = net_text(net, "%s.%d", at, outermost || innermost ? 3 : 5);
        l->down_norm = outermost || innermost ? NULL : net_text(net, "%s.2", at);
        l->up_norm = outermost ? NULL : net_text(net, "%s.%d", at, innermost ? 4 : 6);
        count++;
        if (innermost) break;
        at = net_text(net, "%s.%d.model", at, outermost ? 1 : 3);
    }
    return count;
}

static void build_unet(struct import_net *net)
{
    struct level levels[DEPTH];
    const char *skips[DEPTH];
    static const struct net_conv down = {.stride = 2, .pad = 1},
                                 up = {.stride = 2, .pad = 1, .transposed = true};
    size_t count = find_levels(net, levels);
    const struct import_tensor *first = net_tensor(net, net_text(net, "%s.weight", levels[0].down), 4);
    int64_t channels = outputs_of(net, levels[0].up, 1);
    if (net->failed) return;
    const char *x = net_image(net, first->dims[1], -1.0f, 1.0f);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) x = net_leaky(net, x, 0.2f);
        x = net_conv(net, x, levels[i].down, down);
        if (levels[i].down_norm != NULL)
            x = norm(net, x, levels[i].down_norm, outputs_of(net, levels[i].down, 0));
        skips[i] = x;
    }
    for (size_t i = count; i-- > 0;) {
        x = net_conv(net, net_unary(net, "Relu", x), levels[i].up, up);
        if (levels[i].up_norm != NULL) x = norm(net, x, levels[i].up_norm, outputs_of(net, levels[i].up, 1));
        if (i > 0) x = net_concat(net, 1, 2, (const char *[]){skips[i - 1], x});
    }
    net_output(net, net_unary(net, "Tanh", x), channels);
    picture_range(net);
    net->card.size_multiple = 1u << count;
}

const struct import_arch import_arch_pix2pix = {
    "pix2pix",
    "pix2pix's U-Net",
    (const char *const[]){"model.model.0.weight", "model.model.1.model.1.weight", "model.model.3.weight",
                          "model.model.3.bias", NULL},
    NULL,
    build_unet,
};

/* ---- ResNet: model.0 reflecting border, 1 convolution 7x7 ... ---- */

/* A blur before every second sample is dropped, behind a convolution without stride (CUT). */
static const char *blur_down(struct import_net *net, const char *x, const char *name)
{
    const struct import_tensor *filter = net_tensor(net, net_text(net, "%s.filt", name), 4);
    if (filter == NULL) return "";
    x = net_pad(net, x, "reflect", (int64_t[]){1, 1, 1, 1});
    return net_conv_with(net, x, net_weight(net, filter), "", &filter->dims[2],
                         (struct net_conv){.stride = 2, .groups = filter->dims[0]});
}

/* Zeros between the samples, then a blur of four taps; border samples are repeated once. */
static const char *blur_up(struct import_net *net, const char *x, const char *name)
{
    const struct import_tensor *filter = net_tensor(net, net_text(net, "%s.filt", name), 4);
    if (filter == NULL) return "";
    x = net_pad(net, x, "edge", (int64_t[]){1, 1, 1, 1});
    x = net_conv_with(
        net, x, net_weight(net, filter), "", &filter->dims[2],
        (struct net_conv){.stride = 2, .pad = 2, .groups = filter->dims[0], .transposed = true});
    return net_crop(net, x, 1, -1);
}

/* conv_block: border, convolution, norm, activation[, dropout], border, convolution, norm; without the borders when
 * the padding is zeros. */
static const char *residual(struct import_net *net, const char *x, const char *name)
{
    size_t found[2], count = 0;
    for (size_t i = 0; i < 10; i++) {
        const struct import_tensor *w =
            import_dict_find(net->dict, net_text(net, "%s.conv_block.%zu.weight", name, i));
        if (w != NULL && w->rank == 4 && count < 2) found[count++] = i;
    }
    if (count < 2) return net_fail(net, "the block '%.80s' has %zu convolutions", name, count);
    bool zeros = found[0] == 0;
    const char *y = x;
    for (size_t i = 0; i < 2; i++) {
        const char *conv = net_text(net, "%s.conv_block.%zu", name, found[i]);
        if (!zeros) y = net_pad(net, y, "reflect", (int64_t[]){1, 1, 1, 1});
        y = net_conv(net, y, conv, (struct net_conv){.pad = zeros ? 1 : 0});
        y = norm(net, y, net_text(net, "%s.conv_block.%zu", name, found[i] + 1), outputs_of(net, conv, 0));
        if (i == 0) y = net_unary(net, "Relu", y);
    }
    return net_binary(net, "Add", x, y);
}

struct resnet {
    size_t first_block, last_block, last; /* places of the blocks and of the last convolution */
    size_t downs;
};

static bool find_parts(struct import_net *net, struct resnet *r)
{
    bool any = false;
    for (size_t i = 0; i < 128; i++) {
        bool block = net_has(net, net_text(net, "model.%zu.conv_block.1.weight", i)) ||
                     net_has(net, net_text(net, "model.%zu.conv_block.0.weight", i));
        if (block && !any) r->first_block = i;
        if (block) r->last_block = i;
        any = any || block;
        const struct import_tensor *w = import_dict_find(net->dict, net_text(net, "model.%zu.weight", i));
        if (w != NULL && w->rank == 4) r->last = i;
    }
    if (!any || r->last <= r->last_block) net_fail(net, "the blocks do not lie between two convolutions");
    return !net->failed;
}

/* One convolution on the way down or up with what belongs to it; the place behind it is returned in *at. */
static const char *scale_step(struct import_net *net, const char *x, struct resnet *r, size_t *at)
{
    bool down = *at < r->first_block;
    size_t i = *at;
    if (!down && net_has(net, net_text(net, "model.%zu.filt", i)))
        x = blur_up(net, x, net_text(net, "model.%zu", i++));
    bool blurred = down ? net_has(net, net_text(net, "model.%zu.filt", i + 3)) : i > *at;
    const char *conv = net_text(net, "model.%zu", i);
    struct net_conv how = {.stride = blurred ? 1 : 2, .pad = 1};
    how.transposed = !down && !blurred;
    how.output_padding = how.transposed;
    x = net_conv(net, x, conv, how);
    x = norm(net, x, net_text(net, "model.%zu", i + 1), outputs_of(net, conv, how.transposed ? 1 : 0));
    x = net_unary(net, "Relu", x);
    if (down && blurred) x = blur_down(net, x, net_text(net, "model.%zu", i + 3));
    *at = i + (down && blurred ? 4 : 3);
    if (down) r->downs++;
    return x;
}

static void build_resnet(struct import_net *net)
{
    struct resnet r = {0};
    static const int64_t border[] = {3, 3, 3, 3};
    const struct import_tensor *first = net_tensor(net, "model.1.weight", 4);
    if (first == NULL || !find_parts(net, &r)) return;
    const char *x = net_pad(net, net_image(net, first->dims[1], -1.0f, 1.0f), "reflect", border);
    x = net_conv(net, x, "model.1", (struct net_conv){0});
    x = net_unary(net, "Relu", norm(net, x, "model.2", first->dims[0]));
    size_t at = 4;
    while (at < r.first_block && !net->failed)
        x = scale_step(net, x, &r, &at);
    for (size_t i = r.first_block; i <= r.last_block && !net->failed; i++)
        x = residual(net, x, net_text(net, "model.%zu", i));
    at = r.last_block + 1;
    while (at + 1 < r.last && !net->failed)
        x = scale_step(net, x, &r, &at);
    const char *last = net_text(net, "model.%zu", r.last);
    x = net_conv(net, net_pad(net, x, "reflect", border), last, (struct net_conv){0});
    net_output(net, net_unary(net, "Tanh", x), outputs_of(net, last, 0));
    picture_range(net);
    net->card.size_multiple = 1u << (r.downs < 8 ? r.downs : 8);
}

static bool fits_resnet(const struct import_dict *dict)
{
    const struct import_tensor *w = import_dict_find(dict, "model.1.weight");
    return w->rank == 4 && w->dims[2] == 7 && w->dims[3] == 7;
}

const struct import_arch import_arch_cyclegan = {
    "cyclegan",
    "CycleGAN's and CUT's ResNet",
    (const char *const[]){"model.1.weight", "model.4.weight", "model.10.conv_block.1.weight", NULL},
    fits_resnet,
    build_resnet,
};

const struct import_arch import_arch_cyclegan_zeros = {
    "cyclegan-zeros",
    "CycleGAN's ResNet with zeros around its blocks",
    (const char *const[]){"model.1.weight", "model.4.weight", "model.10.conv_block.0.weight", NULL},
    fits_resnet,
    build_resnet,
};

const struct import_arch import_arch_cut = {
    "cut",
    "CUT's ResNet with blurred scaling",
    (const char *const[]){"model.1.weight", "model.4.weight", "model.7.filt", "model.12.conv_block.1.weight",
                          NULL},
    fits_resnet,
    build_resnet,
};
