/* import_arch_adain.c - AdaIN style transfer in the naming of pytorch-AdaIN: a decoder, and in a second file the VGG
 * network that encodes; RGB in [0, 1].
 *
 * The network needs of a style picture only the mean and deviation of each channel of its features. They are worked out
 * here, once, by running the encoder; the model then takes the weights of its styles, which mix as AdaIN's authors mix
 * them: by the means of the statistics. */
#include "import.h"
#include "model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define EPSILON        1e-5f
#define CONVS_MAX      32
#define ENCODER_LAST   29                  /* the convolution before relu4_1 */
#define PICTURE_PIXELS ((uint64_t)2 << 20) /* of a style; its features take 256 bytes a pixel at first */

static const char *reflected(struct import_net *net, const char *x, size_t place)
{
    static const int64_t border[] = {1, 1, 1, 1};
    x = net_pad(net, x, "reflect", border);
    return net_conv(net, x, net_text(net, "%zu", place), (struct net_conv){0});
}

/* The place of the next convolution behind one: two modules lie between, or three with a change of the sides; 0 for
 * the end. */
static size_t next_conv(const struct import_net *net, size_t place)
{
    char name[32];
    for (size_t next = place + 3; next <= place + 4; next++) {
        snprintf(name, sizeof name, "%zu.weight", next);
        if (net_has(net, name)) return next;
    }
    return 0;
}

/* ---- the encoder ---- */

/* Up to relu4_1. The net's dictionary is the encoder's meanwhile. */
static const char *encoded(struct import_net *net, const char *x)
{
    const struct import_dict *decoder = net->dict;
    net->dict = &net->extra->encoder;
    x = net_conv(net, x, "0", (struct net_conv){0});
    for (size_t place = 2, next; place != 0 && !net->failed; place = next) {
        x = net_unary(net, "Relu", reflected(net, x, place));
        next = place < ENCODER_LAST ? next_conv(net, place) : 0;
        if (next == place + 4) x = net_pool(net, "MaxPool", x, 2, true);
        if (next == 0 && place != ENCODER_LAST)
            net_fail(net, "the encoder's tensor '%zu.weight' is missing", place + 3);
    }
    net->dict = decoder;
    return x;
}

/* ---- statistics of a style ---- */

/* Mean, and root of the variance (of a sample) plus epsilon, of each channel. */
static void statistics(const struct bst_tensor *features, float *mean, float *deviation)
{
    size_t count = (size_t)(features->dims[2] * features->dims[3]);
    for (size_t c = 0; c < (size_t)features->dims[1]; c++) {
        const float *x = features->data + c * count;
        double sum = 0, squares = 0;
        for (size_t i = 0; i < count; i++)
            sum += (double)x[i];
        for (size_t i = 0; i < count; i++)
            squares += ((double)x[i] - sum / (double)count) * ((double)x[i] - sum / (double)count);
        mean[c] = (float)(sum / (double)count);
        deviation[c] = (float)sqrt(squares / (double)(count - 1) + (double)EPSILON);
    }
}

/* The encoder by itself, ready to run on a picture. */
static enum bst_code make_encoder(const struct import_net *net, struct bst_model *model,
                                  struct bst_generator **generator, struct bst_error *err)
{
    static char name[] = "the encoder";
    const struct bst_run_options options = {0};
    struct import_net alone;
    struct bst_buf file = {0};
    net_start(&alone, net->dict, err);
    alone.extra = net->extra;
    model->path = name;
    net_output(&alone, encoded(&alone, net_image(&alone, 3, 0.0f, 1.0f)), 0);
    enum bst_code code = alone.failed ? err->code : onnx_write(&alone.writer, &file, err);
    net_clear(&alone);
    if (code == BST_OK) code = graph_read(file.data, file.len, "encoder", &model->graph, err);
    bst_buf_free(&file);
    return code == BST_OK ? bst_generator_new(model, &options, generator, err) : code;
}

/* Samples as [1, 3, H, W] in [0, 1]. */
static enum bst_code picture_tensor(const struct import_style *style, struct bst_tensor *out,
                                    struct bst_error *err)
{
    struct bst_image rgb;
    size_t count = (size_t)style->image.width * style->image.height;
    if (count > PICTURE_PIXELS || style->image.width < 16 || style->image.height < 16) {
        bst_fail(err, BST_USAGE, "the picture of style %.64s is %u x %u", style->name, style->image.width,
                 style->image.height);
        return bst_hint(err, "scale it to about 512 x 512 first, as the network was trained");
    }
    enum bst_code code = bst_image_to_rgb8(&style->image, &rgb, err);
    if (code != BST_OK) return code;
    *out = (struct bst_tensor){.name = "image", .rank = 4, .dims = {1, 3, rgb.height, rgb.width}};
    out->data = bst_calloc(3 * count, sizeof *out->data);
    for (size_t i = 0; out->data != NULL && i < 3 * count; i++)
        out->data[i] = (float)rgb.samples[i % count * 3 + i / count] / 255.0f;
    bst_image_clear(&rgb);
    return out->data != NULL ? BST_OK : bst_fail_memory(err);
}

static enum bst_code measure(struct bst_generator *encoder, const struct import_style *style,
                             int64_t channels, float *mean, float *deviation, struct bst_error *err)
{
    struct bst_tensor picture = {0}, features = {0};
    enum bst_code code = picture_tensor(style, &picture, err);
    if (code == BST_OK) code = bst_generator_run(encoder, &picture, 1, &features, err);
    if (code == BST_OK && (features.rank != 4 || features.dims[1] != channels))
        code = bst_fail(err, BST_UNREADABLE,
                        "the encoder makes other channels than the decoder's '1.weight' takes");
    if (code == BST_OK) statistics(&features, mean, deviation);
    free(picture.data);
    free(features.data);
    return code;
}

/* Constants [styles, channels] of the styles' means and deviations. */
static void measure_styles(struct import_net *net, int64_t channels, const char *out[static 2])
{
    struct bst_model model = {0};
    struct bst_generator *encoder = NULL;
    size_t count = net->extra->style_count * (size_t)channels;
    float *means = bst_calloc(count, sizeof *means), *deviations = bst_calloc(count, sizeof *deviations);
    enum bst_code code = means != NULL && deviations != NULL ? make_encoder(net, &model, &encoder, net->err)
                                                             : bst_fail_memory(net->err);
    for (size_t i = 0; i < net->extra->style_count && code == BST_OK; i++)
        code = measure(encoder, &net->extra->styles[i], channels, means + i * (size_t)channels,
                       deviations + i * (size_t)channels, net->err);
    const int64_t dims[] = {(int64_t)net->extra->style_count, channels};
    out[0] = code == BST_OK ? net_floats(net, 2, dims, means) : "";
    out[1] = code == BST_OK ? net_floats(net, 2, dims, deviations) : "";
    if (code != BST_OK) net->failed = true;
    bst_generator_free(encoder);
    graph_free(model.graph);
    free(means);
    free(deviations);
}

/* ---- the network ---- */

/* Features with the content's statistics taken out. The variance is that of a sample: over one place less. */
static const char *neutral(struct import_net *net, const char *x)
{
    static const int64_t places[] = {2, 3};
    x = net_binary(net, "Sub", x, net_reduce(net, "ReduceMean", x, 2, places));
    const char *sides = net_sides(net, x);
    struct net_attribute to = {.name = "to", .kind = NET_INT, .i = ONNX_FLOAT};
    const char *count = net_node(net, "ReduceProd", 1, &sides, 0, NULL);
    count = net_node(net, "Cast", 1, &count, 1, &to);
    const char *less = net_binary(net, "Sub", count, net_scalar(net, 1.0f));
    const char *variance = net_reduce(net, "ReduceMean", net_binary(net, "Mul", x, x), 2, places);
    variance = net_binary(net, "Mul", variance, net_binary(net, "Div", count, less));
    variance = net_binary(net, "Add", variance, net_scalar(net, EPSILON));
    return net_binary(net, "Div", x, net_unary(net, "Sqrt", variance));
}

static const char *decoded(struct import_net *net, const char *x)
{
    for (size_t place = 1, next; place != 0 && !net->failed; place = next) {
        x = reflected(net, x, place);
        next = next_conv(net, place);
        if (next != 0) x = net_unary(net, "Relu", x);
        if (next == place + 4) x = net_nearest(net, x, 2.0f);
    }
    return x;
}

static void build_adain(struct import_net *net)
{
    const char *statistics_of[2];
    const struct import_tensor *first = net_tensor(net, "1.weight", 4);
    if (first == NULL) return;
    bool lonely = net->extra == NULL || net->extra->encoder.count == 0;
    if (lonely || net->extra->style_count == 0) {
        net_fail(net, "the decoder of AdaIN needs %s",
                 lonely ? "the weights of its encoder" : "a picture for each of its styles");
        bst_hint(net->err,
                 "blindstamp model add decoder.pth --encoder vgg_normalised.pth --style-picture wave.jpg");
        return;
    }
    measure_styles(net, first->dims[1], statistics_of);
    const char *style = net_style(net);
    const char *x = neutral(net, encoded(net, net_image(net, 3, 0.0f, 1.0f)));
    const char *mean = net_binary(net, "MatMul", style, statistics_of[0]);
    const char *deviation = net_binary(net, "MatMul", style, statistics_of[1]);
    x = net_binary(net, "Add", net_binary(net, "Mul", x, net_map(net, deviation)), net_map(net, mean));
    net_output(net, decoded(net, x), 3);
    net->card.size_multiple = 8;
}

static bool looks_like_decoder(const struct import_dict *dict)
{
    const struct import_tensor *first = import_dict_find(dict, "1.weight"),
                               *last = import_dict_find(dict, "28.weight");
    return first->rank == 4 && last->rank == 4 && last->dims[0] == 3 && first->dims[2] == 3;
}

const struct import_arch import_arch_adain = {
    "adain",
    "AdaIN's decoder",
    (const char *const[]){"1.weight", "5.weight", "8.weight", "11.weight", "14.weight", "18.weight",
                          "21.weight", "25.weight", "28.weight", NULL},
    looks_like_decoder,
    build_adain,
};
