/* import_arch_style.c - feed-forward stylisation: Johnson's fast neural style (PyTorch's example), CartoonGAN and
 * AnimeGANv2 in their PyTorch ports. */
#include "import.h"

static const char *reflect_conv(struct import_net *net, const char *x, const char *name, int64_t stride)
{
    const struct import_tensor *w = net_tensor(net, net_text(net, "%s.weight", name), 4);
    if (w == NULL) return "";
    int64_t border = w->dims[2] / 2;
    x = net_pad(net, x, "reflect", (int64_t[]){border, border, border, border});
    return net_conv(net, x, name, (struct net_conv){.stride = stride});
}

/* ---- fast neural style: RGB in 0 to 255, and so out ---- */

static const char *style_step(struct import_net *net, const char *x, const char *conv, const char *norm,
                              int64_t stride)
{
    x = reflect_conv(net, x, net_text(net, "%s.conv2d", conv), stride);
    return net_instance_norm(net, x, norm, 0, 1e-5f);
}

static void build_johnson(struct import_net *net)
{
    const char *x = net_image(net, 3, 0.0f, 255.0f);
    for (int i = 1; i <= 3; i++)
        x = net_unary(
            net, "Relu",
            style_step(net, x, net_text(net, "conv%d", i), net_text(net, "in%d", i), i > 1 ? 2 : 1));
    for (int i = 1; i <= 5; i++) {
        const char *y = x;
        for (int k = 1; k <= 2; k++) {
            y = style_step(net, y, net_text(net, "res%d.conv%d", i, k), net_text(net, "res%d.in%d", i, k), 1);
            if (k == 1) y = net_unary(net, "Relu", y);
        }
        x = net_binary(net, "Add", y, x);
    }
    for (int i = 1; i <= 2; i++)
        x = net_unary(net, "Relu",
                      style_step(net, net_nearest(net, x, 2.0f), net_text(net, "deconv%d", i),
                                 net_text(net, "in%d", i + 3), 1));
    net_output(net, reflect_conv(net, x, "deconv3.conv2d", 1), 3);
    net_ignore(net, "running_mean"); /* of files saved before torch 0.4, unused then as now */
    net_ignore(net, "running_var");
    net->card.output_high = 255.0f;
    net->card.size_multiple = 4;
}

const struct import_arch import_arch_johnson = {
    "fast-neural-style",
    "fast neural style",
    (const char *const[]){"conv1.conv2d.weight", "in1.weight", "res1.conv1.conv2d.weight", "res5.in2.weight",
                          "deconv1.conv2d.weight", "deconv3.conv2d.weight", NULL},
    NULL,
    build_johnson,
};

/* ---- CartoonGAN: BGR in [-1, 1] ---- */

static const char *cartoon_norm(struct import_net *net, const char *x, const char *name)
{
    const char *scale = net_weight(net, net_tensor(net, net_text(net, "%s.scale", name), 1));
    const char *shift = net_weight(net, net_tensor(net, net_text(net, "%s.shift", name), 1));
    struct net_attribute how = {.name = "epsilon", .kind = NET_FLOAT, .f = 1e-9f};
    return net_node(net, "InstanceNormalization", 3, (const char *[]){x, scale, shift}, 1, &how);
}

static const char *cartoon_block(struct import_net *net, const char *x, int number)
{
    const char *y = reflect_conv(net, x, net_text(net, "conv%02d_1", number), 1);
    y = net_unary(net, "Relu", cartoon_norm(net, y, net_text(net, "in%02d_1", number)));
    y = reflect_conv(net, y, net_text(net, "conv%02d_2", number), 1);
    return net_binary(net, "Add", cartoon_norm(net, y, net_text(net, "in%02d_2", number)), x);
}

static void build_cartoon(struct import_net *net)
{
    static const struct net_conv half = {.stride = 2, .pad = 1}, same = {.pad = 1},
                                 twice = {.stride = 2, .pad = 1, .output_padding = 1, .transposed = true};
    const char *x = reflect_conv(net, net_image(net, 3, -1.0f, 1.0f), "conv01_1", 1);
    x = net_unary(net, "Relu", cartoon_norm(net, x, "in01_1"));
    for (int i = 2; i <= 3; i++) {
        x = net_conv(net, x, net_text(net, "conv%02d_1", i), half);
        x = net_conv(net, x, net_text(net, "conv%02d_2", i), same);
        x = net_unary(net, "Relu", cartoon_norm(net, x, net_text(net, "in%02d_1", i)));
    }
    for (int i = 4; i <= 11; i++)
        x = cartoon_block(net, x, i);
    for (int i = 1; i <= 2; i++) {
        x = net_conv(net, x, net_text(net, "deconv%02d_1", i), twice);
        x = net_conv(net, x, net_text(net, "deconv%02d_2", i), same);
        x = net_unary(net, "Relu", cartoon_norm(net, x, net_text(net, "in%02d_1", i + 11)));
    }
    net_output(net, net_unary(net, "Tanh", reflect_conv(net, x, "deconv03_1", 1)), 3);
    net->card.inputs[0].bgr = net->card.output_bgr = true;
    net->card.output_low = -1.0f;
    net->card.size_multiple = 4;
}

const struct import_arch import_arch_cartoon = {
    "cartoongan",
    "CartoonGAN",
    (const char *const[]){"conv01_1.weight", "in01_1.scale", "conv03_2.weight", "conv11_2.weight",
                          "in13_1.shift", "deconv02_1.weight", "deconv03_1.weight", NULL},
    NULL,
    build_cartoon,
};

/* ---- AnimeGANv2: RGB in [-1, 1] ---- */

/* Convolution, normalisation over the whole picture, leaky: modules 1 and 2 of NAME. Strides drop the last row and
 * column of the border only on one side. */
static const char *anime_conv(struct import_net *net, const char *x, const char *name, int64_t stride,
                              int64_t groups)
{
    const char *conv = net_text(net, "%s.1", name);
    const struct import_tensor *w = net_tensor(net, net_text(net, "%s.weight", conv), 4);
    if (w == NULL) return "";
    int64_t border = w->dims[2] / 2;
    if (border > 0)
        x = net_pad(net, x, "reflect",
                    stride > 1 ? (int64_t[]){0, 1, 0, 1} : (int64_t[]){border, border, border, border});
    x = net_conv(net, x, conv, (struct net_conv){.stride = stride, .groups = groups});
    return net_leaky(net, net_group_norm(net, x, net_text(net, "%s.2", name), 1, 1e-5f), 0.2f);
}

/* Widening by a 1x1 convolution, a convolution of each channel, narrowing; the first is left out when the block does
 * not widen. */
static const char *anime_block(struct import_net *net, const char *x, const char *name)
{
    bool widens = net_has(net, net_text(net, "%s.layers.3.weight", name));
    size_t at = widens ? 1 : 0;
    const char *each = net_text(net, "%s.layers.%zu", name, at),
               *narrow = net_text(net, "%s.layers.%zu", name, at + 1);
    const struct import_tensor *w = net_tensor(net, net_text(net, "%s.1.weight", each), 4);
    const struct import_tensor *out = net_tensor(net, net_text(net, "%s.weight", narrow), 4);
    const struct import_tensor *wide =
        widens ? net_tensor(net, net_text(net, "%s.layers.0.1.weight", name), 4) : NULL;
    if (net->failed) return "";
    const char *y = widens ? anime_conv(net, x, net_text(net, "%s.layers.0", name), 1, 1) : x;
    int64_t inputs = wide != NULL ? wide->dims[1] : w->dims[0];
    y = anime_conv(net, y, each, 1, w->dims[0]);
    y = net_conv(net, y, narrow, (struct net_conv){0});
    y = net_group_norm(net, y, net_text(net, "%s.layers.%zu", name, at + 2), 1, 1e-5f);
    return inputs == out->dims[0] ? net_binary(net, "Add", x, y) : y;
}

static const char *double_aligned(struct import_net *net, const char *x)
{
    const char *scales = net_floats(net, 1, (int64_t[]){4}, (float[]){1.0f, 1.0f, 2.0f, 2.0f});
    struct net_attribute how[] = {
        {.name = "mode", .kind = NET_TEXT, .text = "linear"},
        {.name = "coordinate_transformation_mode", .kind = NET_TEXT, .text = "align_corners"},
    };
    return net_node(net, "Resize", 3, (const char *[]){x, "", scales}, 2, how);
}

static void build_anime(struct import_net *net)
{
    const char *x = net_image(net, 3, -1.0f, 1.0f);
    for (int i = 0; i < 3; i++)
        x = anime_conv(net, x, net_text(net, "block_a.%d", i), i == 1 ? 2 : 1, 1);
    for (int i = 0; i < 2; i++)
        x = anime_conv(net, x, net_text(net, "block_b.%d", i), i == 0 ? 2 : 1, 1);
    for (int i = 0; i < 6; i++) {
        const char *name = net_text(net, "block_c.%d", i);
        x = i == 0 || i == 5 ? anime_conv(net, x, name, 1, 1) : anime_block(net, x, name);
    }
    x = double_aligned(net, x);
    for (int i = 0; i < 2; i++)
        x = anime_conv(net, x, net_text(net, "block_d.%d", i), 1, 1);
    x = double_aligned(net, x);
    for (int i = 0; i < 3; i++)
        x = anime_conv(net, x, net_text(net, "block_e.%d", i), 1, 1);
    x = net_conv(net, x, "out_layer.0", (struct net_conv){0});
    net_output(net, net_unary(net, "Tanh", x), 3);
    net->card.output_low = -1.0f;
    net->card.size_multiple = 4;
}

const struct import_arch import_arch_anime = {
    "animeganv2",
    "AnimeGANv2",
    (const char *const[]){"block_a.0.1.weight", "block_a.0.2.weight", "block_b.0.1.weight",
                          "block_c.1.layers.2.weight", "block_d.0.1.weight", "block_e.2.1.weight",
                          "out_layer.0.weight", NULL},
    NULL,
    build_anime,
};
