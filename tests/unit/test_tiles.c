/* test_tiles.c - networks run in tiles of many sizes make every number of the output that they make in one piece, to
 * the bit; what cannot be run in tiles is refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "generate.h"
#include "onnx_fixture.h"

static char path[64];

/* ---- one piece against tiles ---- */

struct canvas {
    float *numbers;
    bool *put;
    struct layout l;
    const struct tensor *whole;
};

static size_t place(const struct tensor *t, struct layout l, size_t c, size_t y, size_t x)
{
    size_t at[4] = {0};
    at[l.c] = c;
    at[l.h] = y;
    at[l.w] = x;
    return (at[1] * (size_t)t->dims[2] + at[2]) * (size_t)t->dims[3] + at[3];
}

static enum bst_code take(void *arg, const struct tensor *output, const struct tile_span *rows,
                          const struct tile_span *columns, struct bst_error *err)
{
    struct canvas *canvas = arg;
    (void)err;
    for (size_t c = 0; c < (size_t)canvas->whole->dims[canvas->l.c]; c++)
        for (size_t y = (size_t)rows->begin; y < (size_t)rows->end; y++)
            for (size_t x = (size_t)columns->begin; x < (size_t)columns->end; x++) {
                size_t at = place(canvas->whole, canvas->l, c, y, x);
                size_t from =
                    place(output, canvas->l, c, y - (size_t)rows->origin, x - (size_t)columns->origin);
                assert_false(canvas->put[at]);
                canvas->put[at] = true;
                canvas->numbers[at] = tensor_floats(output)[from];
            }
    return BST_OK;
}

struct subject {
    struct bst_model *model;
    struct bst_generator *g;
    struct making m;
    struct tensor whole; /* in one piece; its data is owned */
};

static void subject_open(struct subject *s, const char *file, const char *isa,
                         const struct bst_controls *controls, const char *what)
{
    const struct bst_run_options options = {.threads = 2, .isa = isa};
    struct bst_error err;
    const struct tensor *output;
    size_t count;
    if (bst_model_open(file, &s->model, &err) != BST_OK ||
        bst_generator_new(s->model, &options, &s->g, &err) != BST_OK)
        fail_msg("%s\n%s (%s)", what, err.what, err.where);
    s->m = (struct making){.g = s->g, .controls = controls};
    const int64_t(*dims)[RANK_MAX] = (const int64_t(*)[RANK_MAX])s->m.dims;
    if (making_begin(&s->m, &err) != BST_OK || generator_plan(s->g, dims, NULL, 0, &err) != BST_OK)
        fail_msg("%s\n%s (%s)", what, err.what, err.where);
    assert_true(inputs_count(s->model->graph, dims, &count));
    float *memory = calloc(count, sizeof *memory);
    assert_int_equal(making_run(&s->m, dims, NULL, memory, NULL, NULL, &output, &err), BST_OK);
    s->whole = *output;
    s->whole.data = malloc(output->count * sizeof(float));
    memcpy(s->whole.data, output->data, output->count * sizeof(float));
    free(memory);
}

static void subject_close(struct subject *s)
{
    free(s->whole.data);
    bst_generator_free(s->g);
    bst_model_free(s->model);
}

/* How many tiles it took; 0 when tiles of that side cannot be had. */
static size_t compare(struct subject *s, uint32_t side, const char *what)
{
    const struct plan_options options = {.kernels = s->g->kernels, .threads = 2, .name = path};
    const struct tiling_limits limits = {.side = side};
    struct tiling tiling;
    struct bst_error err;
    enum bst_code code = tiling_make(s->model, s->m.width, s->m.height, &options, &limits, &tiling, &err);
    if (code != BST_OK && strstr(err.what, "too small") != NULL) return 0;
    if (code != BST_OK) fail_msg("%s\n%s (%s)", what, err.what, err.where);
    size_t tiles = tiling.axis[ROWS].count * tiling.axis[COLUMNS].count;
    assert_true(tiling.axis[ROWS].length <= (int64_t)side && tiling.axis[COLUMNS].length <= (int64_t)side);
    struct layout l = layout_of(s->model->card.output_nhwc);
    struct canvas canvas = {.l = l, .whole = &s->whole};
    canvas.numbers = calloc(s->whole.count, sizeof(float));
    canvas.put = calloc(s->whole.count, sizeof(bool));
    if (tiles_run(&s->m, &tiling, 0, take, &canvas, &err) != BST_OK)
        fail_msg("%s\n%s (%s)", what, err.what, err.where);
    const float *whole = tensor_floats(&s->whole);
    for (size_t i = 0; i < (size_t)s->whole.dims[l.c] * s->m.height * s->m.width; i++) {
        size_t x = i % s->m.width, y = i / s->m.width % s->m.height, c = i / s->m.width / s->m.height;
        size_t at = place(&s->whole, l, c, y, x);
        if (!canvas.put[at] || memcmp(&canvas.numbers[at], &whole[at], sizeof(float)) != 0)
            fail_msg(
                "%s\ntiles of %u (%zu x %zu of %lld x %lld): channel %zu, row %zu, column %zu is %a, not %a",
                what, side, tiling.axis[COLUMNS].count, tiling.axis[ROWS].count,
                (long long)tiling.axis[COLUMNS].length, (long long)tiling.axis[ROWS].length, c, y, x,
                (double)canvas.numbers[at], (double)whole[at]);
    }
    free(canvas.numbers);
    free(canvas.put);
    tiling_clear(&tiling);
    return tiles;
}

static struct bst_image noise_picture(uint32_t width, uint32_t height)
{
    struct bst_image image;
    struct bst_error err;
    uint64_t state = width * 1000 + height;
    assert_int_equal(bst_image_new(width, height, 3, 8, &image, &err), BST_OK);
    for (size_t i = 0; i < bst_image_size(&image); i++)
        image.samples[i] = (uint8_t)((fixture_random(&state) + 1.0f) * 127.0f);
    return image;
}

/* Compares at several sides, as parts of the picture's; returns the most tiles. */
static size_t compare_sides(const char *file, const char *what, const struct bst_controls *controls)
{
    static const struct {
        const char *isa; /* NULL: the best there is */
        uint32_t eighths;
    } ways[] = {{"scalar", 5}, {NULL, 2}, {NULL, 4}, {NULL, 5}, {NULL, 7}};
    size_t most = 0;
    struct subject s;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (i < 2) subject_open(&s, file, ways[i].isa, controls, what);
        uint32_t side = s.m.width > s.m.height ? s.m.width : s.m.height;
        size_t tiles = compare(&s, side * ways[i].eighths / 8, what);
        if (tiles > most) most = tiles;
        if (i == 0) subject_close(&s);
    }
    subject_close(&s);
    return most;
}

static size_t compare_text(const char *text, uint32_t width, uint32_t height)
{
    struct bst_image picture = noise_picture(width, height);
    const struct bst_controls controls = {.truncation = 1, .input = &picture};
    struct fixture *f = fixture_new(text);
    fixture_write(f, path);
    fixture_free(f);
    size_t tiles = compare_sides(path, text, &controls);
    bst_image_clear(&picture);
    return tiles;
}

/* ---- the families ---- */

static void test_upscaler(void **state)
{
    (void)state;
    assert_true(
        compare_text(
            "in x 1 3 ?16 ?16\nrand w1 8 3 3 3\nrand b1 8\nrand s1 8 1 1\nrand w2 8 8 3 3\nrand s2 8 1 1\n"
            "rand w3 12 8 3 3\nfloats k 1 1 2 2\nnode Conv x,w1,b1 a pads=[1,1,1,1]\nnode PRelu a,s1 b\n"
            "node Conv b,w2 c pads=[1,1,1,1]\nnode PRelu c,s2 d\nnode Conv d,w3 e pads=[1,1,1,1]\n"
            "node DepthToSpace e f blocksize=2 mode='CRD'\nnode Resize x,,k n mode='nearest' "
            "coordinate_transformation_mode='asymmetric' nearest_mode='floor'\nnode Add f,n y",
            101, 67) > 8);
}

/* Residual dense blocks, upsampled twice. */
static void test_dense_blocks(void **state)
{
    (void)state;
    assert_true(
        compare_text(
            "in x 1 3 ?16 ?16\nrand w0 8 3 3 3\nrand wa 4 8 3 3\nrand wb 4 12 3 3\nrand wc 8 16 3 3\nfloat r "
            "0.2\n"
            "floats k 1 1 2 2\nrand w1 8 8 3 3\nrand w2 3 8 3 3\nnode Conv x,w0 a pads=[1,1,1,1]\n"
            "node Conv a,wa b pads=[1,1,1,1]\nnode LeakyRelu b c alpha=0.2\nnode Concat a,c d axis=1\n"
            "node Conv d,wb e pads=[1,1,1,1]\nnode LeakyRelu e f alpha=0.2\nnode Concat a,c,f g axis=1\n"
            "node Conv g,wc h pads=[1,1,1,1]\nnode Mul h,r i\nnode Add i,a j\n"
            "node Resize j,,k l mode='nearest' coordinate_transformation_mode='asymmetric' "
            "nearest_mode='floor'\n"
            "node Conv l,w1 m pads=[1,1,1,1]\n"
            "node Resize m,,k n mode='linear' coordinate_transformation_mode='half_pixel'\n"
            "node Conv n,w2 y pads=[1,1,1,1]",
            61, 74) > 8);
}

#define UNET_CARD                                                                                            \
    "card "                                                                                                  \
    "{\"schema\":\"blindstamp.card/1\",\"name\":\"a\",\"inputs\":[{\"name\":\"x\",\"role\":\"image\"}],"     \
    "\"size_multiple\":4}\n"

static void test_unet(void **state)
{
    (void)state;
    assert_true(
        compare_text(
            "in x 1 3 ?32 ?32\nrand w1 6 3 4 4\nrand w2 8 6 4 4\nrand w3 8 8 3 3\nrand u2 8 6 4 4\n"
            "rand u1 12 3 4 4\nnode Conv x,w1 a strides=[2,2] pads=[1,1,1,1]\nnode LeakyRelu a b "
            "alpha=0.2\nnode Conv b,w2 c strides=[2,2] pads=[1,1,1,1]\nnode Relu c d\n"
            "node Conv d,w3 e pads=[1,1,1,1]\nnode ConvTranspose e,u2 f strides=[2,2] pads=[1,1,1,1]\n"
            "node Concat f,b g axis=1\nnode ConvTranspose g,u1 h strides=[2,2] pads=[1,1,1,1]\nnode "
            "Tanh h y",
            150, 113) > 4);
}

/* Pads that repeat and mirror the picture act at its own border only. */
static void test_padded(void **state)
{
    (void)state;
    assert_true(
        compare_text("in x 1 3 ?32 ?32\nints p4 0 0 4 4 0 0 4 4\nints p1 0 0 1 1 0 0 1 1\nrand w1 6 3 9 9\n"
                     "rand w2 8 6 3 3\nrand w3 3 8 3 3\nnode Pad x,p4 a mode='reflect'\nnode Conv a,w1 b\n"
                     "node Relu b c\nnode Pad c,p1 d mode='edge'\nnode Conv d,w2 e\nnode Pad e,p1 f\n"
                     "node Conv f,w3 y",
                     90, 120) > 8);
}

/* A pixel shuffle by hand, with the sizes worked out from the input's. */
static void test_shape_arithmetic(void **state)
{
    (void)state;
    assert_true(
        compare_text(
            "in x 1 3 ?16 ?16\nrand w 12 3 3 3\nints c3 3\nints c2 2\nints c1 1\nints i2 2\nints i3 3\n"
            "node Conv x,w a pads=[1,1,1,1]\nnode Shape a s\nnode Gather s,i2 h axis=0\nnode Gather s,i3 w_ "
            "axis=0\n"
            "node Concat c1,c3,c2,c2,h,w_ six axis=0\nnode Reshape a,six b\n"
            "node Transpose b c perm=[0,1,4,2,5,3]\nnode Mul h,c2 hh\nnode Mul w_,c2 ww\n"
            "node Concat c1,c3,hh,ww four axis=0\nnode Reshape c,four d\nrand e 1 3 1 1\n"
            "node Expand e,four g\nnode Add d,g i\nrand w2 3 6 3 3\nnode Concat i,g j axis=1\n"
            "rand w3 3 6 1 1\nnode Conv j,w3 y",
            70, 50) > 8);
}

#define NOISE_CARD                                                                                           \
    "card "                                                                                                  \
    "{\"schema\":\"blindstamp.card/1\",\"name\":\"tiny\",\"inputs\":[{\"name\":\"z\",\"role\":\"latent\"},"  \
    "{\"name\":\"n\",\"role\":\"noise\",\"cell\":8,\"margin\":2}],\"output_low\":-1,\"output_high\":1,"      \
    "\"width\":96,"                                                                                          \
    "\"height\":64,\"size_multiple\":8,\"tileable\":true}\n"

/* A map of noise, a latent vector spread over it, and transposed convolutions. */
static void test_noise_map(void **state)
{
    static const char *const text = NOISE_CARD
        "in z 1 4\nin n 1 5 ?12 ?12\nints um 2 3\nrand w1 9 8 3 3\nrand w2 8 8 4 4\nrand w3 8 6 4 4\n"
        "rand w4 6 3 4 4\nints four 1 4 1 1\nnode Unsqueeze z,um a\nnode Shape n s\nints i2 2\nints i4 4\n"
        "ints head 1 4\nnode Slice s,i2,i4 hw\nnode Concat head,hw shape axis=0\nnode Expand a,shape b\n"
        "node Concat b,n c axis=1\nrand wc 8 9 3 3\nnode Conv c,wc d pads=[1,1,1,1]\nnode Relu d e\n"
        "node ConvTranspose e,w2 f strides=[2,2] pads=[1,1,1,1]\nnode Relu f g\n"
        "node ConvTranspose g,w3 h strides=[2,2] pads=[1,1,1,1]\nnode Relu h i\n"
        "node ConvTranspose i,w4 j strides=[2,2] pads=[1,1,1,1]\nnode Tanh j k\nints t 16 16\nints u -16 "
        "-16\n"
        "ints ax 2 3\nnode Slice k,t,u,ax y";
    (void)state;
    struct fixture *f = fixture_new(text);
    fixture_write(f, path);
    fixture_free(f);
    for (int i = 0; i < 4;
         i++) { /* numbers by place and one after another; sides that meet and that do not */
        const struct bst_controls controls = {.seed = 5,
                                              .width = 200,
                                              .height = 144,
                                              .truncation = 1,
                                              .tile = i % 2 != 0,
                                              .latent = i < 2 ? BST_LATENT_PHILOX : BST_LATENT_TORCH};
        assert_true(compare_sides(path, text, &controls) > 5);
    }
}

/* The bundled model, also where its sides meet. */
static void test_bundled(void **state)
{
    (void)state;
    for (int seamless = 0; seamless < 2; seamless++) {
        const struct bst_controls controls = {
            .seed = 11, .width = 512, .height = 640, .truncation = 1, .tile = seamless != 0};
        struct subject s;
        subject_open(&s, "gen/models/aquatint.onnx", NULL, &controls, "aquatint");
        assert_true(compare(&s, 384, "aquatint") >= 4);
        assert_true(compare(&s, 256, "aquatint") > 8);
        subject_close(&s);
    }
}

/* ---- random networks ---- */

struct sketch {
    uint64_t state;
    char text[16384];
    size_t len;
    int count;                   /* of values */
    int channels[64], level[64]; /* level: how often the picture has been doubled; negative: halved */
};

static int draw(struct sketch *s, int limit)
{
    fixture_random(&s->state);
    return (int)(s->state >> 40) % limit;
}

static void add(struct sketch *s, const char *format, ...) BST_PRINTF(2, 3);
static void add(struct sketch *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(s->text + s->len, sizeof s->text - s->len, format, args);
    va_end(args);
    s->len += (size_t)n;
    assert_true(s->len < sizeof s->text);
}

static void value(struct sketch *s, int channels, int level)
{
    s->channels[s->count] = channels;
    s->level[s->count++] = level;
}

static void add_conv(struct sketch *s, int channels)
{
    int a = s->count - 1, k = draw(s, 3) * 2 + 1, dilation = 1 + draw(s, 2), pad = dilation * (k - 1) / 2;
    if (draw(s, 2) == 0) k = 3, dilation = pad = 1;
    add(s,
        "rand w%d %d %d %d %d\nrand b%d %d\nnode Conv v%d,w%d,b%d v%d pads=[%d,%d,%d,%d] dilations=[%d,%d]\n",
        s->count, channels, s->channels[a], k, k, s->count, channels, a, s->count, s->count, s->count, pad,
        pad, pad, pad, dilation, dilation);
    value(s, channels, s->level[a]);
}

static void add_halving(struct sketch *s)
{
    static const char *const windows[] = {"kernel_shape=[2,2] strides=[2,2]",
                                          "kernel_shape=[3,3] strides=[2,2] pads=[1,1,0,0]",
                                          "kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1] ceil_mode=0"};
    int a = s->count - 1, n = s->count, channels = s->channels[a];
    switch (draw(s, 5)) {
    case 0:
        channels = 1 + draw(s, 8);
        add(s, "rand w%d %d %d 3 3\nnode Conv v%d,w%d v%d strides=[2,2] pads=[1,1,1,1]\n", n, channels,
            s->channels[a], a, n, n);
        break;
    case 1:
        channels = 1 + draw(s, 8);
        add(s, "rand w%d %d %d 4 4\nnode Conv v%d,w%d v%d strides=[2,2] auto_pad='SAME_UPPER'\n", n, channels,
            s->channels[a], a, n, n);
        break;
    case 2:
        add(s, "node MaxPool v%d v%d %s\n", a, n, windows[draw(s, 3)]);
        break;
    case 3:
        add(s, "node AveragePool v%d v%d %s count_include_pad=%d\n", a, n, windows[draw(s, 3)], draw(s, 2));
        break;
    default:
        channels *= 4;
        add(s, "node SpaceToDepth v%d v%d blocksize=2\n", a, n);
        break;
    }
    value(s, channels, s->level[a] - 1);
}

static void add_doubling(struct sketch *s)
{
    static const char *const resizes[] = {
        "mode='nearest' coordinate_transformation_mode='asymmetric' nearest_mode='floor'",
        "mode='nearest' coordinate_transformation_mode='half_pixel'",
        "mode='linear' coordinate_transformation_mode='half_pixel'",
        "mode='linear' coordinate_transformation_mode='pytorch_half_pixel'",
        "mode='linear' coordinate_transformation_mode='asymmetric'"};
    static const char *const windows[] = {
        "4 4", "pads=[1,1,1,1]",       "2 2", "", "3 3", "pads=[1,1,1,1] output_padding=[1,1]",
        "4 4", "auto_pad='SAME_UPPER'"};
    int kind = draw(s, 4), way = draw(s, 3);
    if (way == 0 && kind == 2) add_conv(s, 16 + draw(s, 3));
    int a = s->count - 1, n = s->count, channels = s->channels[a];
    switch (way) {
    case 0:
        channels = kind == 2 ? 16 + draw(s, 3) : 1 + draw(s, 8); /* by Winograd's algorithm, some */
        add(s, "rand w%d %d %d %s\nnode ConvTranspose v%d,w%d v%d strides=[2,2] %s\n", n, s->channels[a],
            channels, windows[2 * kind], a, n, n, windows[2 * kind + 1]);
        break;
    case 1:
        if (channels % 4 != 0) add_conv(s, channels = 8);
        a = s->count - 1;
        n = s->count;
        channels /= 4;
        add(s, "node DepthToSpace v%d v%d blocksize=2 mode='%s'\n", a, n, draw(s, 2) ? "CRD" : "DCR");
        break;
    default:
        add(s, "floats k%d 1 1 2 2\nnode Resize v%d,,k%d v%d %s\n", n, a, n, n, resizes[draw(s, 5)]);
        break;
    }
    value(s, channels, s->level[a] + 1);
}

static void add_other(struct sketch *s)
{
    static const char *const unary[] = {"Relu", "Tanh", "LeakyRelu", "Abs", "Sigmoid"};
    static const char *const pads[] = {"reflect", "edge", "constant"};
    int a = s->count - 1, n = s->count, channels = s->channels[a], other = draw(s, s->count);
    switch (draw(s, 6)) {
    case 0:
        add(s, "node %s v%d v%d\n", unary[draw(s, 5)], a, n);
        break;
    case 1:
        add(s,
            "rand g%d %d\nrand h%d %d\nrand m%d %d\nposrand q%d %d\nnode BatchNormalization "
            "v%d,g%d,h%d,m%d,q%d v%d\n",
            n, channels, n, channels, n, channels, n, channels, a, n, n, n, n, n);
        break;
    case 2: {
        int top = draw(s, 3), left = draw(s, 3), bottom = draw(s, 3), right = draw(s, 3);
        add(s, "ints p%d 0 0 %d %d 0 0 %d %d\nnode Pad v%d,p%d v%d mode='%s'\n", n, top, left, bottom, right,
            a, n, n, pads[draw(s, 3)]);
        value(s, channels, 99); /* of another size than all others */
        int h = top + bottom + 1, w = left + right + 1;
        add(s, "rand w%d 5 %d %d %d\nnode Conv v%d,w%d v%d\n", n + 1, channels, h, w, n, n + 1, n + 1);
        channels = 5;
        break;
    }
    case 3:
        add(s, "node Softmax v%d v%d axis=1\n", a, n);
        break;
    case 4:
        add(s, "node ReduceMean v%d r%d axes=[1]\nnode Sub v%d,r%d v%d\n", a, n, a, n, n);
        break;
    default:
        if (s->level[other] != s->level[a] || s->channels[other] + channels > 24) {
            add(s, "node MaxPool v%d v%d kernel_shape=[3,3] pads=[1,1,1,1]\n", a, n);
        } else if (s->channels[other] == channels) {
            add(s, "node Add v%d,v%d v%d\n", a, other, n);
        } else {
            add(s, "node Concat v%d,v%d v%d axis=1\n", other, a, n);
            channels += s->channels[other];
        }
        break;
    }
    value(s, channels, s->level[a]);
}

static size_t try_network(uint64_t seed)
{
    struct sketch s = {.state = seed * 77777};
    int nodes = 4 + draw(&s, 8);
    value(&s, 3, 0);
    add(&s, "in v0 1 3 ?32 ?32\n");
    while (s.count < nodes) {
        int level = s.level[s.count - 1], kind = draw(&s, 8);
        if (kind < 3)
            add_conv(&s,
                     draw(&s, 2) ? 1 + draw(&s, 8) : 16 + draw(&s, 5)); /* by Winograd's algorithm, some */
        else if (kind == 3 && level > -2)
            add_halving(&s);
        else if (kind == 4 && level < 1)
            add_doubling(&s);
        else
            add_other(&s);
    }
    while (s.level[s.count - 1] < 0)
        add_doubling(&s);
    add_conv(&s, 3);
    int scale = 1 << s.level[s.count - 1];
    add(&s,
        "card "
        "{\"schema\":\"blindstamp.card/"
        "1\",\"name\":\"a\",\"inputs\":[{\"name\":\"v0\",\"role\":\"image\",\"low\":0,"
        "\"high\":1}],\"output_low\":0,\"output_high\":1,\"output_scale\":%d,\"size_multiple\":%d}\n",
        scale, 4 * scale);
    return compare_text(s.text, (uint32_t)(50 + draw(&s, 50)), (uint32_t)(50 + draw(&s, 50)));
}

static void test_random_networks(void **state)
{
    size_t in_tiles = 0, count = 40;
#ifdef __SANITIZE_ADDRESS__
    count = 12; /* each takes ten times as long */
#endif
    (void)state;
    for (uint64_t seed = 1; seed <= count; seed++)
        in_tiles += try_network(seed) > 1;
    assert_true(in_tiles > count / 2);
}

/* ---- what cannot be done ---- */

static void expect_refusal(const char *text, const char *what, const char *where)
{
    struct bst_image picture = noise_picture(160, 160);
    const struct bst_controls controls = {.truncation = 1, .input = &picture};
    const struct bst_run_options options = {.threads = 1, .tile_side = 100};
    struct bst_model *model;
    struct bst_generator *g = NULL;
    struct bst_error err;
    struct bst_image out;
    struct fixture *f = fixture_new(text);
    fixture_write(f, path);
    fixture_free(f);
    assert_int_equal(bst_model_open(path, &model, &err), BST_OK);
    assert_int_equal(bst_generator_new(model, &options, &g, &err), BST_OK);
    assert_int_equal(bst_generate(g, &controls, &out, NULL, &err), BST_USAGE);
    if (strstr(err.what, what) == NULL || strstr(err.where, where) == NULL)
        fail_msg("%s (%s), not %s (%s)", err.what, err.where, what, where);
    assert_null(out.samples);
    bst_generator_free(g);
    bst_model_free(model);
    bst_image_clear(&picture);
}

static void test_refusals(void **state)
{
    (void)state;
    expect_refusal("in x 1 3 ?16 ?16\nrand g 3\nrand b 3\nnode Relu x a\nnode InstanceNormalization a,g,b y",
                   "mean, variance or maximum over the whole picture", "node 1 (InstanceNormalization");
    expect_refusal("in x 1 3 ?16 ?16\nnode GlobalAveragePool x a\nnode Mul x,a y", "over the whole picture",
                   "node 0 (GlobalAveragePool");
    expect_refusal("in x 1 3 ?16 ?16\nnode ReduceMean x a axes=[2,3]\nnode Sub x,a y", "all over the picture",
                   "node 0 (ReduceMean");
    expect_refusal("in x 1 3 ?16 ?16\nnode Softmax x y axis=3", "all over the picture", "node 0 (Softmax");
    expect_refusal("in x 1 3 ?64 ?64\nfloats k 1 1 2 2\nnode Resize x,,k y mode='linear' "
                   "coordinate_transformation_mode='align_corners'",
                   "follow from the picture's size", "node 0 (Resize");
    expect_refusal("in x 1 3 ?16 ?16\nints s 1 3 -1\nnode Reshape x,s a\nnode Shape x t\nnode Reshape a,t y",
                   "mixes rows or columns", "node 0 (Reshape");
    expect_refusal(
        "in x 1 3 ?16 ?16\nnode Shape x s\nints i 2\nnode Gather s,i h axis=0\nnode Cast h f to=1\n"
        "node Div x,f y",
        "follows from the picture's size", "(Div");
    expect_refusal("in x 1 3 ?16 ?16\nints s -1 -1\nints e -99999 -99999\nints a 2 3\nints by -1 -1\nnode "
                   "Slice x,s,e,a,by y",
                   "picture's size", "node 0 (Slice");
}

/* A tile cannot be smaller than what the network looks at, and the error says what can be had. */
static void test_too_small(void **state)
{
    struct bst_image picture = noise_picture(64, 64), out;
    const struct bst_controls controls = {.truncation = 1, .input = &picture};
    struct bst_run_options options = {.threads = 1, .tile_side = 8};
    struct bst_model *model;
    struct bst_generator *g;
    struct bst_error err;
    unsigned least = 0;
    (void)state;
    struct fixture *f =
        fixture_new("in x 1 3 ?16 ?16\nrand w 3 3 9 9\nnode Conv x,w a pads=[4,4,4,4]\nnode Conv a,w y "
                    "pads=[4,4,4,4]");
    fixture_write(f, path);
    fixture_free(f);
    assert_int_equal(bst_model_open(path, &model, &err), BST_OK);
    assert_int_equal(bst_generator_new(model, &options, &g, &err), BST_OK);
    assert_int_equal(bst_generate(g, &controls, &out, NULL, &err), BST_USAGE);
    assert_int_equal(sscanf(err.hint, "%u is the least", &least), 1);
    assert_int_equal(least, 17); /* 8 on either side of 1 */
    bst_generator_free(g);
    options.tile_side = least;
    assert_int_equal(bst_generator_new(model, &options, &g, &err), BST_OK);
    assert_int_equal(bst_generate(g, &controls, &out, NULL, &err), BST_OK);
    bst_image_clear(&out);
    bst_generator_free(g);
    bst_model_free(model);
    bst_image_clear(&picture);
}

/* ---- memory ---- */

/* What does not fit in one piece is made in tiles, and comes out as the same picture. */
static void test_memory(void **state)
{
    struct bst_image picture = noise_picture(400, 300), whole, tiled;
    const struct bst_controls controls = {.truncation = 1, .input = &picture};
    struct bst_run_options options = {.threads = 1, .memory = (size_t)64 << 20};
    struct bst_tiling tiling;
    struct bst_model *model;
    struct bst_generator *g;
    struct bst_error err;
    (void)state;
    struct fixture *f =
        fixture_new("in x 1 3 ?16 ?16\nrand w 16 3 3 3\nrand v 16 16 3 3\nrand u 3 16 3 3\nnode Conv x,w a "
                    "pads=[1,1,1,1]\nnode Conv a,v b pads=[1,1,1,1]\nnode Conv b,u y pads=[1,1,1,1]");
    fixture_write(f, path);
    fixture_free(f);
    assert_int_equal(bst_model_open(path, &model, &err), BST_OK);
    assert_int_equal(bst_generator_new(model, &options, &g, &err), BST_OK);
    assert_int_equal(bst_generate(g, &controls, &whole, NULL, &err), BST_OK);
    bst_generator_tiling(g, &tiling);
    assert_true(tiling.columns == 1 && tiling.rows == 1 && tiling.width == 400 && tiling.overhead == 0);
    bst_generator_free(g);
    options.memory = (size_t)5 << 20;
    assert_int_equal(bst_generator_new(model, &options, &g, &err), BST_OK);
    for (int again = 0; again < 2; again++) {
        if (bst_generate(g, &controls, &tiled, NULL, &err) != BST_OK) fail_msg("%s %s", err.what, err.hint);
        bst_generator_tiling(g, &tiling);
        assert_true(tiling.columns * tiling.rows > 2 && tiling.overhead > 0 && tiling.overhead < 0.5);
        assert_memory_equal(whole.samples, tiled.samples, bst_image_size(&whole));
        bst_image_clear(&tiled);
    }
    bst_generator_free(g);
    options.memory = (size_t)400 << 10;
    assert_int_equal(bst_generator_new(model, &options, &g, &err), BST_OK);
    assert_int_equal(bst_generate(g, &controls, &tiled, NULL, &err), BST_FAILURE);
    assert_null(tiled.samples);
    bst_generator_free(g);
    bst_image_clear(&whole);
    bst_image_clear(&picture);
    bst_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_upscaler),
        cmocka_unit_test(test_dense_blocks),
        cmocka_unit_test(test_unet),
        cmocka_unit_test(test_padded),
        cmocka_unit_test(test_shape_arithmetic),
        cmocka_unit_test(test_noise_map),
        cmocka_unit_test(test_bundled),
        cmocka_unit_test(test_random_networks),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_too_small),
        cmocka_unit_test(test_memory),
    };
    snprintf(path, sizeof path, "/tmp/blindstamp-tiles-%ld.onnx", (long)getpid());
    int failed = cmocka_run_group_tests_name("tiles", tests, NULL, NULL);
    unlink(path);
    return failed;
}
