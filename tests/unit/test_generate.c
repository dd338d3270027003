/* test_generate.c - from a seed and controls to a picture, on small models of each family the engine is for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fenv.h>
#include <math.h>

#include "generate_fixture.h"
#include "latent.h"

static double spread(const struct bst_image *image)
{
    double mean = 0, square = 0;
    size_t n = bst_image_size(image);
    for (size_t i = 0; i < n; i++)
        mean += image->samples[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        square += (image->samples[i] - mean) * (image->samples[i] - mean) / (double)n;
    return sqrt(square);
}

/* ---- the families ---- */

static const char *const dcgan =
    "in z 1 12 1 1\nrand w1 12 16 4 4\nrand g1 16\nrand b1 16\nrand m1 16\nposrand v1 16\n"
    "rand w2 16 8 4 4\nrand w3 8 3 4 4\n"
    "node ConvTranspose z,w1 a\nnode BatchNormalization a,g1,b1,m1,v1 b\nnode Relu b c\n"
    "node ConvTranspose c,w2 d strides=[2,2] pads=[1,1,1,1]\nnode Relu d e\n"
    "node ConvTranspose e,w3 f strides=[2,2] pads=[1,1,1,1]\nnode Tanh f y";

static const char *const johnson =
    "in x 1 3 ?32 ?32\nints p4 0 0 4 4 0 0 4 4\nints p1 0 0 1 1 0 0 1 1\nrand w1 6 3 9 9\nrand g 6\nrand b "
    "6\n"
    "rand w2 12 6 3 3\nrand g2 12\nrand b2 12\nrand w3 12 12 3 3\nfloats s 1 1 2 2\nrand w4 6 12 3 3\nrand "
    "w5 3 6 9 9\n"
    "node Pad x,p4 a mode='reflect'\nnode Conv a,w1 c\nnode InstanceNormalization c,g,b d\nnode Relu d e\n"
    "node Pad e,p1 f mode='reflect'\nnode Conv f,w2 h strides=[2,2]\nnode InstanceNormalization h,g2,b2 "
    "i\nnode Relu i j\n"
    "node Pad j,p1 k mode='reflect'\nnode Conv k,w3 l\nnode Add l,j m\n"
    "node Resize m,,s n mode='nearest' coordinate_transformation_mode='asymmetric' nearest_mode='floor'\n"
    "node Pad n,p1 o mode='reflect'\nnode Conv o,w4 q\nnode Relu q r\nnode Pad r,p4 t mode='reflect'\nnode "
    "Conv t,w5 u\n"
    "node Tanh u y";

static void test_dcgan(void **state)
{
    struct maker m = maker_new(dcgan, NULL);
    const struct bst_card *card = bst_model_card(m.model);
    struct bst_controls controls = {.seed = 1, .truncation = 1};
    (void)state;
    assert_int_equal(card->input_count, 1);
    assert_int_equal(card->inputs[0].role, BST_ROLE_LATENT);
    assert_true(card->fixed_size && card->width == 16 && card->height == 16);
    assert_true(card->output_low == -1.0f && card->output_high == 1.0f);
    struct bst_image a = make(&m, &controls, NULL), b = make(&m, &controls, NULL);
    controls.seed = 2;
    struct bst_image c = make(&m, &controls, NULL);
    assert_true(same_image(&a, &b));
    assert_false(same_image(&a, &c));
    assert_true(spread(&a) > 5);
    bst_image_clear(&a);
    bst_image_clear(&b);
    bst_image_clear(&c);
    maker_free(&m);
}

static void test_johnson(void **state)
{
    struct maker m = maker_new(johnson, NULL);
    const struct bst_card *card = bst_model_card(m.model);
    struct bst_image photo = gradient(45, 31, 3, 8), grey = gradient(45, 31, 1, 8),
                     deep = gradient(45, 31, 4, 16);
    const struct bst_image *inputs[] = {&photo, &grey, &deep};
    (void)state;
    assert_int_equal(card->inputs[0].role, BST_ROLE_IMAGE);
    assert_true(!card->fixed_size && card->output_scale == 1 && card->size_multiple == 2);
    for (size_t i = 0; i < 3; i++) {
        struct bst_controls controls = {.truncation = 1, .input = inputs[i]};
        struct bst_used used;
        struct bst_image out = make(&m, &controls, &used);
        assert_true(out.width == 45 && out.height == 31 && out.channels == 3);
        assert_true(used.width == 45 && used.height == 31);
        assert_true(spread(&out) > 5);
        bst_image_clear(&out);
    }
    bst_image_clear(&photo);
    bst_image_clear(&grey);
    bst_image_clear(&deep);
    maker_free(&m);
}

static void test_srvgg(void **state)
{
    struct maker m = maker_new(srvgg, NULL);
    const struct bst_card *card = bst_model_card(m.model);
    struct bst_image photo = gradient(21, 13, 3, 8);
    struct bst_controls controls = {.truncation = 1, .input = &photo};
    struct bst_error err;
    struct bst_image refused;
    (void)state;
    assert_int_equal(card->output_scale, 2);
    struct bst_image out = make(&m, &controls, NULL);
    assert_true(out.width == 42 && out.height == 26);
    controls.width = 100;
    controls.height = 26;
    assert_int_equal(bst_generate(m.generator, &controls, &refused, NULL, &err), BST_USAGE);
    controls = (struct bst_controls){.truncation = 1};
    assert_int_equal(bst_generate(m.generator, &controls, &refused, NULL, &err), BST_USAGE);
    assert_true(err.hint[0] != 0);
    bst_image_clear(&photo);
    bst_image_clear(&out);
    maker_free(&m);
}

/* Through a graph that changes nothing a picture comes back to the sample, whatever its values are mapped to
 * and in whatever order its channels go; crossing the orders swaps red and blue. */
static void test_samples_survive(void **state)
{
    static const struct {
        const char *in, *out;
        bool swapped;
    } ways[] = {
        {"\"low\":0,\"high\":255", "\"output_low\":0,\"output_high\":255", false},
        {"\"low\":-1,\"high\":1", "\"output_low\":-1,\"output_high\":1", false},
        {"\"low\":0,\"high\":1,\"bgr\":true", "\"output_low\":0,\"output_high\":1,\"output_bgr\":true",
         false},
        {"\"low\":0,\"high\":1,\"bgr\":true", "\"output_low\":0,\"output_high\":1", true},
    };
    struct bst_image photo = gradient(37, 11, 3, 8);
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        char *text =
            bst_format("card {\"schema\":\"blindstamp.card/1\",\"name\":\"a\",\"inputs\":[{\"name\":\"x\","
                       "\"role\":\"image\",%s}],%s}\nin x 1 3 ?8 ?8\nnode Identity x y",
                       ways[i].in, ways[i].out);
        struct maker m = maker_new(text, NULL);
        struct bst_controls controls = {.truncation = 1, .input = &photo};
        struct bst_image out = make(&m, &controls, NULL);
        for (size_t k = 0; k < bst_image_size(&photo); k++)
            assert_int_equal(out.samples[ways[i].swapped ? k - k % 3 + 2 - k % 3 : k], photo.samples[k]);
        bst_image_clear(&out);
        maker_free(&m);
        free(text);
    }
    bst_image_clear(&photo);
}

static void test_fixed_size(void **state)
{
    struct maker m = maker_new("in x 1 3 16 20\nrand w 3 3 3 3\nnode Conv x,w y pads=[1,1,1,1]", NULL);
    struct bst_image fits = gradient(20, 16, 3, 8), other = gradient(16, 20, 3, 8), refused;
    struct bst_controls controls = {.truncation = 1, .input = &fits};
    struct bst_error err;
    (void)state;
    assert_true(bst_model_card(m.model)->fixed_size);
    struct bst_image out = make(&m, &controls, NULL);
    assert_true(out.width == 20 && out.height == 16);
    controls.input = &other;
    assert_int_equal(bst_generate(m.generator, &controls, &refused, NULL, &err), BST_USAGE);
    assert_non_null(strstr(err.what, "20 x 16 only"));
    assert_null(refused.samples);
    bst_image_clear(&out);
    bst_image_clear(&fits);
    bst_image_clear(&other);
    maker_free(&m);
}

/* ---- sizes, styles, tiles ---- */

static void test_larger_extends_smaller(void **state)
{
    struct maker m = maker_new(CARD("") TEXTURE, NULL);
    struct bst_controls small = {.seed = 9, .width = 61, .height = 43, .truncation = 1}, large = small;
    (void)state;
    large.width = 200;
    large.height = 130;
    struct bst_image a = make(&m, &small, NULL), b = make(&m, &large, NULL), c = cut(&b, 0, 0, 61, 43);
    assert_true(spread(&a) > 5);
    assert_true(same_image(&a, &c));
    bst_image_clear(&a);
    bst_image_clear(&b);
    bst_image_clear(&c);
    maker_free(&m);
}

/* A periodic noise map twice as large as a tile's, from arithmetic.md's words. */
static float *periodic_noise(uint64_t seed, uint32_t stream, const int64_t *dims, int64_t margin)
{
    int64_t h = dims[2], w = dims[3], inner_h = (h - 2 * margin) / 2, inner_w = (w - 2 * margin) / 2;
    float *map = malloc((size_t)(dims[1] * h * w) * sizeof *map);
    assert_non_null(map);
    for (int64_t c = 0; c < dims[1]; c++)
        for (int64_t y = 0; y < h; y++)
            for (int64_t x = 0; x < w; x++) {
                int64_t yy = (y - margin + inner_h) % inner_h + margin,
                        xx = (x - margin + inner_w) % inner_w + margin;
                bst_normal(seed, stream, (uint64_t)(c << 40 | yy << 20 | xx), 1, &map[(c * h + y) * w + x]);
            }
    return map;
}

/* Four copies of a tile side by side are the picture that a periodic field of twice the size gives. */
static void test_tile(void **state)
{
    struct maker m = maker_new(CARD("") TEXTURE, NULL);
    struct bst_controls controls = {.seed = 3, .width = 64, .height = 48, .truncation = 1, .tile = true};
    struct bst_used used;
    struct bst_image image = make(&m, &controls, &used), refused;
    struct bst_error err;
    float latent[5];
    (void)state;
    assert_true(used.tile);
    bst_normal(3, 2, 0, 5, latent);
    struct bst_tensor out, inputs[] = {{"style", 2, {1, 3}, used.style_weight, NULL},
                                       {"latent", 2, {1, 5}, latent, NULL},
                                       {"coarse", 4, {1, 4, 96 / 8 + 6, 128 / 8 + 6}, NULL, NULL},
                                       {"fine", 4, {1, 2, 96 / 4 + 4, 128 / 4 + 4}, NULL, NULL}};
    inputs[2].data = periodic_noise(3, 3, inputs[2].dims, 3);
    inputs[3].data = periodic_noise(3, 4, inputs[3].dims, 2);
    assert_int_equal(bst_generator_run(m.generator, inputs, 4, &out, &err), BST_OK);
    for (size_t c = 0; c < 3; c++)
        for (size_t y = 0; y < 96; y++)
            for (size_t x = 0; x < 128; x++) {
                float v = out.data[(c * 96 + y) * 128 + x];
                assert_int_equal((int)((v + 1) * 127.5f + 0.5f),
                                 image.samples[(y % 48 * 64 + x % 64) * 3 + c]);
            }
    controls.width = 60;
    assert_int_equal(bst_generate(m.generator, &controls, &refused, NULL, &err), BST_USAGE);
    assert_non_null(strstr(err.hint, "multiple of 8"));
    assert_null(refused.samples);
    free(inputs[2].data);
    free(inputs[3].data);
    free(out.data);
    bst_image_clear(&image);
    maker_free(&m);
}

static void test_styles(void **state)
{
    struct maker m = maker_new(CARD("") TEXTURE, NULL);
    const struct bst_style sea = {"sea", 5}, both[] = {{"sky", 1}, {"ink", 3}}, wrong = {"oil", 1},
                           none = {"sky", 0}, twice[] = {{"sky", 1}, {"sky", 1}}, minus = {"sky", -1};
    const struct bst_style *bad[] = {&wrong, &none, twice, &minus};
    const size_t bad_count[] = {1, 1, 2, 1};
    struct bst_controls controls = {.seed = 4, .truncation = 1, .styles = &sea, .style_count = 1};
    struct bst_used used, again;
    struct bst_image refused;
    struct bst_error err;
    (void)state;
    struct bst_image a = make(&m, &controls, &used);
    assert_true(used.style_count == 3 && used.style_weight[0] == 0 && used.style_weight[1] == 1);
    assert_true(a.width == 96 && a.height == 64);
    controls.styles = both;
    controls.style_count = 2;
    struct bst_image b = make(&m, &controls, &used);
    assert_true(used.style_weight[0] == 0.25f && used.style_weight[2] == 0.75f);
    assert_false(same_image(&a, &b));
    for (size_t i = 0; i < 4; i++) {
        controls.styles = bad[i];
        controls.style_count = bad_count[i];
        assert_int_equal(bst_generate(m.generator, &controls, &refused, NULL, &err), BST_USAGE);
    }
    controls.styles = &wrong;
    controls.style_count = 1;
    bst_generate(m.generator, &controls, &refused, NULL, &err);
    assert_string_equal(err.hint, "its styles are sky, sea, ink");
    /* what was used, given again, is used again to the bit */
    const struct bst_style odd[] = {{"sky", 0.1f}, {"sea", 0.7f}, {"ink", 2.9f}};
    struct bst_style replay[3];
    controls.styles = odd;
    controls.style_count = 3;
    struct bst_image c = make(&m, &controls, &used);
    for (size_t i = 0; i < 3; i++)
        replay[i] = (struct bst_style){odd[i].name, used.style_weight[i]};
    controls.styles = replay;
    struct bst_image d = make(&m, &controls, &again);
    assert_true(same_image(&c, &d));
    assert_memory_equal(&used, &again, sizeof used);
    /* without a wish the seed picks exactly one, not always the same */
    size_t picked[3] = {0};
    controls = (struct bst_controls){.width = 8, .height = 8, .truncation = 1};
    for (controls.seed = 0; controls.seed < 30; controls.seed++) {
        struct bst_image e = make(&m, &controls, &used);
        for (size_t i = 0; i < 3; i++)
            picked[i] += used.style_weight[i] == 1.0f;
        bst_image_clear(&e);
    }
    assert_true(picked[0] > 2 && picked[1] > 2 && picked[2] > 2 && picked[0] + picked[1] + picked[2] == 30);
    bst_image_clear(&a);
    bst_image_clear(&b);
    bst_image_clear(&c);
    bst_image_clear(&d);
    maker_free(&m);
}

/* ---- the same everywhere ---- */

/* The picture's digest, made with every instruction set and thread count there is. */
static void test_same_everywhere(void **state)
{
    static const char *const texts[] = {CARD("") TEXTURE, CARD(",\"latent_generator\":\"torch-cpu\"") TEXTURE,
                                        CARD(",\"latent_generator\":\"numpy-randomstate\"") TEXTURE};
    const struct bst_mix mix[] = {{1, 1}, {4294967295, 2}};
    const char *isa[] = {"scalar", "scalar", "avx2", "avx2", "avx512", "avx512", NULL};
    (void)state;
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
        struct bst_image first = {0};
        for (size_t i = 0; i < sizeof isa / sizeof isa[0]; i++) {
            struct bst_run_options options = {.threads = (unsigned)(i % 2 + 1), .isa = isa[i]};
            struct bst_controls controls = {.seed = UINT64_MAX,
                                            .width = 150,
                                            .height = 70,
                                            .truncation = 0.8f,
                                            .mix = mix,
                                            .mix_count = t > 0 ? 2 : 0};
            struct bst_generator *probe;
            struct bst_error err;
            struct maker m = maker_new(texts[t], NULL);
            if (bst_generator_new(m.model, &options, &probe, &err) == BST_OK) {
                bst_generator_free(m.generator);
                m.generator = probe;
                struct bst_image image = make(&m, &controls, NULL);
                if (first.samples == NULL)
                    first = image;
                else {
                    assert_true(same_image(&first, &image));
                    bst_image_clear(&image);
                }
            }
            maker_free(&m);
        }
        bst_image_clear(&first);
    }
}

/* The golden digest: this very picture on every machine, compiler and level of optimisation, for as long as
 * the rules keep their name. */
static void test_golden(void **state)
{
    struct maker m = maker_new(CARD("") TEXTURE, NULL);
    struct bst_controls controls = {.seed = 2026, .width = 100, .height = 75, .truncation = 1};
    struct bst_image image = make(&m, &controls, NULL);
    uint8_t digest[BST_SHA256_LEN];
    char hex[BST_SHA256_HEX];
    (void)state;
    bst_image_digest(&image, digest);
    bst_hex(digest, sizeof digest, hex);
    assert_string_equal(hex, "fbf31820f0ef2ae840af3b9f066dd8bcc4e0a83f6cb170ef98c79896ff5fd8ff");
    bst_image_clear(&image);
    maker_free(&m);
}

/* A caller that rounds upwards gets the same picture, and goes on rounding upwards. */
static void test_caller_rounds_otherwise(void **state)
{
    struct bst_controls controls = {.seed = 5, .truncation = 0.7f, .width = 100, .height = 75};
    struct maker m = maker_new(CARD("") TEXTURE, NULL);
    struct bst_image a = make(&m, &controls, NULL);
    (void)state;
    struct bst_run_options options = {.threads = 2};
    struct bst_error err;
    maker_free(&m);
    assert_int_equal(fesetround(FE_UPWARD), 0); /* the file stays as it was written */
    assert_int_equal(bst_model_open(path, &m.model, &err), BST_OK);
    assert_int_equal(bst_generator_new(m.model, &options, &m.generator, &err), BST_OK);
    struct bst_image b = make(&m, &controls, NULL);
    assert_int_equal(fegetround(), FE_UPWARD);
    fesetround(FE_TONEAREST);
    assert_true(same_image(&a, &b));
    bst_image_clear(&a);
    bst_image_clear(&b);
    maker_free(&m);
}

/* ---- refusals ---- */

static void refuse_card(const char *text, const char *word)
{
    struct bst_model *model = NULL;
    struct bst_error err = {0};
    struct fixture *f = fixture_new(text);
    fixture_write(f, path);
    fixture_free(f);
    enum bst_code code = bst_model_open(path, &model, &err);
    bst_model_free(model);
    if (code != BST_UNREADABLE || strstr(err.what, word) == NULL)
        fail_msg("%s: %d '%s'", text, (int)code, err.what);
}

static void test_bad_cards(void **state)
{
    (void)state;
    refuse_card("card {\"schema\":\n" TEXTURE, "");
    refuse_card("card {}\n" TEXTURE, "schema");
    refuse_card("card {\"schema\":\"blindstamp.card/2\"}\n" TEXTURE, "schema");
    refuse_card("card {\"schema\":\"blindstamp.card/1\",\"name\":\"No Name\"}\n" TEXTURE, "name");
    refuse_card("card {\"schema\":\"blindstamp.card/1\",\"name\":\"a\",\"styles\":[1]}\n" TEXTURE, "styles");
    refuse_card("card {\"schema\":\"blindstamp.card/1\",\"name\":\"a\",\"inputs\":[]}\n" TEXTURE, "inputs");
    refuse_card(CARD(",\"output_scale\":0") TEXTURE, "size");
    refuse_card(CARD(",\"fixed_size\":1") TEXTURE, "flag");
    refuse_card(CARD(",\"latent_generator\":\"mt19937\"") TEXTURE, "latent_generator");
    refuse_card(CARD(",\"latent_generator\":1") TEXTURE, "latent_generator");
    refuse_card("card "
                "{\"schema\":\"blindstamp.card/"
                "1\",\"name\":\"a\",\"inputs\":[{\"name\":\"q\",\"role\":\"latent\"}]}\n" TEXTURE,
                "inputs are not those");
    refuse_card(
        "card "
        "{\"schema\":\"blindstamp.card/1\",\"name\":\"a\",\"inputs\":[{\"name\":\"x\",\"role\":\"style\"}]}\n"
        "in x 1 3\nnode Relu x y",
        "does not fit");
    refuse_card(CODES("0"), "does not fit");
    refuse_card(CODES("16777217"), "inputs are not");
    refuse_card(CODES("-1"), "inputs are not");
    refuse_card("card {\"schema\":\"blindstamp.card/1\",\"name\":\"a\",\"inputs\":[{\"name\":\"x\",\"role\":"
                "\"codes\",\"codes\":9}]}\nin x 1 1 ?8 ?8\nnode Relu x y",
                "does not fit");
    refuse_card("card "
                "{\"schema\":\"blindstamp.card/"
                "1\",\"name\":\"a\",\"inputs\":[{\"name\":\"x\",\"role\":\"latent\"}]}\n"
                "in x 1 3\nnode Relu x y",
                "no grey or colour picture");
}

static void test_bad_controls(void **state)
{
    struct maker m = maker_new(CARD("") TEXTURE, NULL);
    struct bst_image image = gradient(8, 8, 3, 8), out;
    struct bst_error err;
    const struct bst_controls bad[] = {
        {.truncation = 2},
        {.truncation = -1},
        {.truncation = NAN},
        {.truncation = 1, .width = 70000},
        {.truncation = 1, .width = 65535, .height = 65535},
        {.truncation = 1, .input = &image},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(bst_generate(m.generator, &bad[i], &out, NULL, &err), BST_USAGE);
        assert_null(out.samples);
    }
    bst_image_clear(&image);
    maker_free(&m);
}

static void test_too_large(void **state)
{
    struct bst_run_options options = {.threads = 1, .memory = (size_t)32 << 20};
    struct maker m = maker_new(CARD("") TEXTURE, &options);
    struct bst_controls controls = {.seed = 1, .width = 20000, .height = 20000, .truncation = 1};
    struct bst_image out;
    struct bst_error err;
    (void)state;
    assert_int_equal(bst_generate(m.generator, &controls, &out, NULL, &err), BST_FAILURE);
    assert_non_null(strstr(err.what, "MB of memory"));
    controls.width = controls.height = 64;
    out = make(&m, &controls, NULL);
    bst_image_clear(&out);
    maker_free(&m);
}

static bool stop_in_the_middle(void *arg, uint64_t done, uint64_t total)
{
    (void)arg;
    return done < total / 2;
}

static void test_interrupted(void **state)
{
    struct bst_run_options options = {.threads = 2, .progress = stop_in_the_middle};
    struct maker m = maker_new(CARD("") TEXTURE, &options);
    struct bst_controls controls = {.seed = 1, .truncation = 1};
    struct bst_image out;
    struct bst_error err;
    (void)state;
    assert_int_equal(bst_generate(m.generator, &controls, &out, NULL, &err), BST_FAILURE);
    assert_string_equal(err.what, "interrupted");
    assert_null(out.samples);
    maker_free(&m);
}

static void test_unknown_input(void **state)
{
    struct maker m =
        maker_new("in a 1 4\nin b 1 4\nints s 1 1 2 2\nnode Add a,b c\nnode Reshape c,s y", NULL);
    struct bst_controls controls = {.truncation = 1};
    struct bst_image out;
    struct bst_error err;
    (void)state;
    assert_int_equal(bst_generate(m.generator, &controls, &out, NULL, &err), BST_UNREADABLE);
    assert_non_null(strstr(err.hint, "model card"));
    maker_free(&m);
}

static void test_unknown_isa(void **state)
{
    struct bst_run_options options = {.isa = "abacus"};
    struct maker m = maker_new(dcgan, NULL);
    struct bst_generator *none;
    struct bst_error err;
    (void)state;
    assert_int_equal(bst_generator_new(m.model, &options, &none, &err), BST_USAGE);
    assert_null(none);
    maker_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dcgan),
        cmocka_unit_test(test_johnson),
        cmocka_unit_test(test_srvgg),
        cmocka_unit_test(test_samples_survive),
        cmocka_unit_test(test_fixed_size),
        cmocka_unit_test(test_larger_extends_smaller),
        cmocka_unit_test(test_tile),
        cmocka_unit_test(test_styles),
        cmocka_unit_test(test_same_everywhere),
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_caller_rounds_otherwise),
        cmocka_unit_test(test_bad_cards),
        cmocka_unit_test(test_bad_controls),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_interrupted),
        cmocka_unit_test(test_unknown_input),
        cmocka_unit_test(test_unknown_isa),
    };
    return cmocka_run_group_tests(tests, path_make, path_remove);
}
