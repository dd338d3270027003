/* import_arch_vqgan.c - decoders of VQGAN and of autoencoders built alike, in the naming of taming-transformers (also
 * latent diffusion's) and in that of diffusers; RGB in [-1, 1]. With a codebook in the file the input is a grid of its
 * codes, otherwise a map of numbers. Encoder, discriminator and losses are left out. */
#include "import.h"

#include <math.h>

#define GROUPS     32
#define EPSILON    1e-6f
#define LEVELS_MAX 9
#define DEPTH_MAX  32 /* residual blocks of a level */

/* Where tensors are: formats of the level and the number in it, both counted in the order they run in. */
struct naming {
    const char *middle, *middle_attention; /* of the number */
    size_t first_middle;
    const char *level_block, *level_attention, *level_upsample;
    bool counted_back; /* the last level to run is number 0 */
    const char *shortcut, *last_norm;
    const char *attention_norm, *attention[4]; /* query, key, value, output */
};

static const char *normal(struct import_net *net, const char *x, const char *name)
{
    const struct import_tensor *w = net_tensor(net, net_text(net, "%s.weight", name), 1);
    if (w == NULL) return "";
    if (w->dims[0] % GROUPS != 0)
        return net_fail(net, "'%.80s.weight' has %lld channels, which %d groups do not divide", name,
                        (long long)w->dims[0], GROUPS);
    return net_group_norm(net, x, name, GROUPS, EPSILON);
}

static const char *residual(struct import_net *net, const struct naming *names, const char *x,
                            const char *name)
{
    const char *shortcut = net_text(net, "%s.%s", name, names->shortcut);
    const char *y = net_silu(net, normal(net, x, net_text(net, "%s.norm1", name)));
    y = net_conv(net, y, net_text(net, "%s.conv1", name), (struct net_conv){.pad = 1});
    y = net_silu(net, normal(net, y, net_text(net, "%s.norm2", name)));
    y = net_conv(net, y, net_text(net, "%s.conv2", name), (struct net_conv){.pad = 1});
    if (net_has(net, net_text(net, "%s.weight", shortcut)))
        x = net_conv(net, x, shortcut, (struct net_conv){0});
    return net_binary(net, "Add", x, y);
}

/* ---- attention ---- */

/* A layer over channels, which is kept as a 1x1 convolution or as a matrix. */
static const char *projected(struct import_net *net, const char *x, const char *name)
{
    static const int64_t one[] = {1, 1};
    const struct import_tensor *w = net_tensor(net, net_text(net, "%s.weight", name), 0);
    const struct import_tensor *b = net_optional(net, net_text(net, "%s.bias", name));
    if (w == NULL) return "";
    if (w->rank != 2 && (w->rank != 4 || w->dims[2] != 1 || w->dims[3] != 1))
        return net_fail(net, "'%.80s.weight' is neither a matrix nor a 1x1 convolution", name);
    struct import_tensor view = *w;
    view.rank = 4;
    view.dims[2] = view.dims[3] = 1;
    view.strides[2] = view.strides[3] = 1;
    return net_conv_with(net, x, net_weight(net, &view), b != NULL ? net_weight(net, b) : "", one,
                         (struct net_conv){0});
}

/* Every place looks at all places. */
static const char *attention(struct import_net *net, const struct naming *names, const char *x,
                             const char *name)
{
    static const int64_t rows[] = {0, 2, 1};
    const char *parts[3], *normed = normal(net, x, net_text(net, "%s.%s", name, names->attention_norm));
    const struct import_tensor *norm =
        net_tensor(net, net_text(net, "%s.%s.weight", name, names->attention_norm), 1);
    if (net->failed) return "";
    int64_t channels = norm->dims[0], flat[] = {0, channels, -1};
    for (size_t i = 0; i < 3; i++) {
        parts[i] = projected(net, normed, net_text(net, "%s.%s", name, names->attention[i]));
        parts[i] = net_reshape(net, parts[i], 3, flat);
    }
    const char *scores = net_binary(net, "MatMul", net_transpose(net, parts[0], 3, rows), parts[1]);
    scores = net_binary(net, "Mul", scores, net_scalar(net, 1.0f / sqrtf((float)channels)));
    const char *weights = net_transpose(net, net_softmax(net, scores, -1), 3, rows);
    const char *seen = net_sides_of(net, net_binary(net, "MatMul", parts[2], weights), channels, x);
    seen = projected(net, seen, net_text(net, "%s.%s", name, names->attention[3]));
    return net_binary(net, "Add", x, seen);
}

static bool has_attention(struct import_net *net, const struct naming *names, const char *name)
{
    return net_has(net, net_text(net, "%s.%s.weight", name, names->attention_norm));
}

/* ---- the decoder ---- */

static const char *middle(struct import_net *net, const struct naming *names, const char *x)
{
    x = residual(net, names, x, net_text(net, names->middle, names->first_middle));
    if (has_attention(net, names, names->middle_attention))
        x = attention(net, names, x, names->middle_attention);
    return residual(net, names, x, net_text(net, names->middle, names->first_middle + 1));
}

static const char *level(struct import_net *net, const struct naming *names, const char *x, size_t number,
                         bool last)
{
    for (size_t i = 0; i < DEPTH_MAX && !net->failed; i++) {
        const char *block = net_text(net, names->level_block, number, i);
        const char *look = net_text(net, names->level_attention, number, i);
        if (!net_has(net, net_text(net, "%s.conv1.weight", block))) break;
        x = residual(net, names, x, block);
        if (has_attention(net, names, look)) x = attention(net, names, x, look);
    }
    if (last) return x;
    const char *smooth = net_text(net, names->level_upsample, number);
    x = net_nearest(net, x, 2.0f);
    return net_has(net, net_text(net, "%s.weight", smooth))
               ? net_conv(net, x, smooth, (struct net_conv){.pad = 1})
               : x;
}

static size_t count_levels(struct import_net *net, const struct naming *names)
{
    size_t levels = 0;
    while (
        levels < LEVELS_MAX &&
        net_has(net, net_text(net, "%s.conv1.weight", net_text(net, names->level_block, levels, (size_t)0))))
        levels++;
    return levels;
}

/* The grid of codes with what each stands for, or a map of numbers where the file has no codebook. */
static const char *started(struct import_net *net, uint32_t cell)
{
    const struct import_tensor *book = net_optional(net, "quantize.embedding.weight");
    if (book == NULL) book = net_optional(net, "quantize.embed.weight");
    const struct import_tensor *first = net_optional(net, "post_quant_conv.weight");
    if (first == NULL) first = net_tensor(net, "decoder.conv_in.weight", 4);
    if (first == NULL) return "";
    if (first->rank != 4 || (book != NULL && (book->rank != 2 || book->dims[1] != first->dims[1])))
        return net_fail(net, "'%.80s' does not take what the codebook holds", first->name);
    if (book == NULL) return net_noise_map(net, "latent", first->dims[1], cell);
    const char *codes = net_codes(net, book->dims[0], cell);
    const char *axis = net_ints(net, 1, (int64_t[]){1});
    const char *places[] = {net_weight(net, book), net_binary(net, "Squeeze", codes, axis)};
    const char *found = net_node(net, "Gather", 2, places, 0, NULL); /* [N, h, w, channels] */
    return net_transpose(net, found, 4, (int64_t[]){0, 3, 1, 2});
}

static void build(struct import_net *net, const struct naming *names)
{
    static const char *const left_out[] = {"encoder.", "quant_conv.", "loss.", "colorize", "quantize."};
    size_t levels = count_levels(net, names);
    if (levels == 0) {
        net_fail(net, "tensor '%.80s.conv1.weight' is missing",
                 net_text(net, names->level_block, (size_t)0, (size_t)0));
        return;
    }
    const struct import_tensor *last = net_tensor(net, "decoder.conv_out.weight", 4);
    uint32_t cell = 1u << (levels - 1);
    const char *x = started(net, cell);
    if (net_has(net, "post_quant_conv.weight")) x = net_conv(net, x, "post_quant_conv", (struct net_conv){0});
    x = middle(net, names, net_conv(net, x, "decoder.conv_in", (struct net_conv){.pad = 1}));
    for (size_t i = 0; i < levels && !net->failed; i++)
        x = level(net, names, x, names->counted_back ? levels - 1 - i : i, i + 1 == levels);
    x = net_silu(net, normal(net, x, names->last_norm));
    x = net_conv(net, x, "decoder.conv_out", (struct net_conv){.pad = 1});
    if (net->failed) return;
    net_output(net, x, last->dims[0]);
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        net_ignore_under(net, left_out[i]);
    net->card.output_low = -1.0f;
    net->card.width = net->card.height = 256;
    net->card.size_multiple = cell;
}

static void build_taming(struct import_net *net)
{
    static const struct naming names = {.middle = "decoder.mid.block_%zu",
                                        .first_middle = 1,
                                        .middle_attention = "decoder.mid.attn_1",
                                        .level_block = "decoder.up.%zu.block.%zu",
                                        .level_attention = "decoder.up.%zu.attn.%zu",
                                        .level_upsample = "decoder.up.%zu.upsample.conv",
                                        .counted_back = true,
                                        .shortcut = "nin_shortcut",
                                        .last_norm = "decoder.norm_out",
                                        .attention_norm = "norm",
                                        .attention = {"q", "k", "v", "proj_out"}};
    build(net, &names);
}

const struct import_arch import_arch_vqgan = {
    "vqgan",
    "a VQGAN decoder",
    (const char *const[]){"decoder.conv_in.weight", "decoder.mid.block_1.conv1.weight",
                          "decoder.mid.block_2.norm2.weight", "decoder.up.0.block.0.conv1.weight",
                          "decoder.norm_out.weight", "decoder.conv_out.weight", NULL},
    NULL,
    build_taming,
};

static void build_diffusers(struct import_net *net)
{
    static const struct naming now = {.middle = "decoder.mid_block.resnets.%zu",
                                      .middle_attention = "decoder.mid_block.attentions.0",
                                      .level_block = "decoder.up_blocks.%zu.resnets.%zu",
                                      .level_attention = "decoder.up_blocks.%zu.attentions.%zu",
                                      .level_upsample = "decoder.up_blocks.%zu.upsamplers.0.conv",
                                      .shortcut = "conv_shortcut",
                                      .last_norm = "decoder.conv_norm_out",
                                      .attention_norm = "group_norm",
                                      .attention = {"to_q", "to_k", "to_v", "to_out.0"}};
    struct naming names = now;
    if (net_has(net, "decoder.mid_block.attentions.0.query.weight")) { /* of before 2023 */
        static const char *const old[] = {"query", "key", "value", "proj_attn"};
        for (size_t i = 0; i < 4; i++)
            names.attention[i] = old[i];
    }
    build(net, &names);
}

const struct import_arch import_arch_vqgan_diffusers = {
    "vqgan-diffusers",
    "a VQGAN or AutoencoderKL decoder of diffusers",
    (const char *const[]){"decoder.conv_in.weight", "decoder.mid_block.resnets.0.conv1.weight",
                          "decoder.mid_block.resnets.1.norm2.weight",
                          "decoder.up_blocks.0.resnets.0.conv1.weight", "decoder.conv_norm_out.weight",
                          "decoder.conv_out.weight", NULL},
    NULL,
    build_diffusers,
};
