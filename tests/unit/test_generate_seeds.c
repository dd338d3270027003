/* test_generate_seeds.c - what a seed becomes: the numbers of other programs, mixes of seeds, codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "generate_fixture.h"
#include "latent.h"

/* ---- seeds of other programs, mixes ---- */

/* Does the picture for these controls show what the graph makes of these inputs? */
static void check_inputs(struct maker *m, const struct bst_controls *controls,
                         const struct bst_tensor *inputs)
{
    struct bst_image image = make(m, controls, NULL);
    struct bst_tensor out;
    struct bst_error err;
    assert_int_equal(bst_generator_run(m->generator, inputs, 4, &out, &err), BST_OK);
    for (size_t c = 0; c < 3; c++)
        for (size_t y = 0; y < image.height; y++)
            for (size_t x = 0; x < image.width; x++) {
                float v = out.data[((int64_t)c * out.dims[2] + (int64_t)y) * out.dims[3] + (int64_t)x];
                assert_int_equal((int)((v + 1) * 127.5f + 0.5f),
                                 image.samples[(y * image.width + x) * 3 + c]);
            }
    free(out.data);
    bst_image_clear(&image);
}

/* The texture's inputs for a picture of 64 x 48. */
struct texture_inputs {
    float style[3], latent[5], coarse[4 * 12 * 14], fine[2 * 16 * 20];
    struct bst_tensor tensors[4];
};

static void texture_inputs_begin(struct texture_inputs *in)
{
    *in = (struct texture_inputs){.style = {0, 1, 0}};
    in->tensors[0] = (struct bst_tensor){"style", 2, {1, 3}, in->style, NULL};
    in->tensors[1] = (struct bst_tensor){"latent", 2, {1, 5}, in->latent, NULL};
    in->tensors[2] = (struct bst_tensor){"coarse", 4, {1, 4, 12, 14}, in->coarse, NULL};
    in->tensors[3] = (struct bst_tensor){"fine", 4, {1, 2, 16, 20}, in->fine, NULL};
}

/* Latent, then the noise maps, out of one stream; added to what is there. */
static void add_sequence(struct texture_inputs *in, enum bst_latent latent, uint64_t seed, float weight,
                         bool first)
{
    float *const to[] = {in->latent, in->coarse, in->fine};
    const size_t counts[] = {5, 4 * 12 * 14, 2 * 16 * 20};
    static float numbers[1024];
    struct sequence s;
    sequence_start(&s, latent, seed);
    for (size_t i = 0; i < 3; i++) {
        sequence_normal(&s, counts[i], numbers);
        for (size_t k = 0; k < counts[i]; k++)
            to[i][k] = first ? weight * numbers[k] : fmaf(weight, numbers[k], to[i][k]);
    }
}

static void test_other_seeds(void **state)
{
    struct maker m = maker_new(CARD(",\"latent_generator\":\"numpy-randomstate\"") TEXTURE, NULL);
    const struct bst_style sea = {"sea", 1};
    struct bst_controls controls = {
        .seed = 1000, .width = 64, .height = 48, .truncation = 1, .styles = &sea, .style_count = 1};
    struct texture_inputs in;
    struct bst_used used;
    struct bst_image refused;
    struct bst_error err;
    (void)state;
    assert_int_equal(bst_model_card(m.model)->latent, BST_LATENT_NUMPY);
    for (enum bst_latent latent = BST_LATENT_CARD; latent <= BST_LATENT_TORCH; latent++) {
        if (latent == BST_LATENT_PHILOX) continue;
        controls.latent = latent;
        texture_inputs_begin(&in);
        add_sequence(&in, latent == BST_LATENT_CARD ? BST_LATENT_NUMPY : latent, 1000, 1, true);
        check_inputs(&m, &controls, in.tensors);
    }
    controls.latent = BST_LATENT_NUMPY;
    struct bst_image image = make(&m, &controls, &used);
    assert_int_equal(used.latent, BST_LATENT_NUMPY);
    assert_true(used.mix_count == 1 && used.mix[0].seed == 1000 && used.mix[0].weight == 1.0f);
    bst_image_clear(&image);
    controls.seed = (uint64_t)1 << 32;
    assert_int_equal(bst_generate(m.generator, &controls, &refused, NULL, &err), BST_USAGE);
    assert_non_null(strstr(err.what, "4294967296"));
    assert_non_null(strstr(err.hint, "4294967295"));
    controls.latent = BST_LATENT_TORCH;
    image = make(&m, &controls, &used);
    bst_image_clear(&image);
    maker_free(&m);
}

/* A tile's maps repeat at their margins, whatever the generator. */
static void test_other_seeds_tile(void **state)
{
    struct maker m = maker_new(CARD("") TEXTURE, NULL);
    const struct bst_style sea = {"sea", 1};
    struct bst_controls controls = {.seed = 5,
                                    .width = 64,
                                    .height = 48,
                                    .truncation = 1,
                                    .styles = &sea,
                                    .style_count = 1,
                                    .latent = BST_LATENT_TORCH,
                                    .tile = true};
    struct texture_inputs in;
    const int64_t margins[] = {3, 2};
    (void)state;
    texture_inputs_begin(&in);
    add_sequence(&in, BST_LATENT_TORCH, 5, 1, true);
    for (size_t i = 0; i < 2; i++) {
        const struct bst_tensor *t = &in.tensors[2 + i];
        int64_t m0 = margins[i], h = t->dims[2] - 2 * m0, w = t->dims[3] - 2 * m0;
        float before[4 * 12 * 14];
        memcpy(before, t->data, (size_t)(t->dims[1] * t->dims[2] * t->dims[3]) * sizeof *before);
        for (int64_t c = 0; c < t->dims[1]; c++)
            for (int64_t y = 0; y < t->dims[2]; y++)
                for (int64_t x = 0; x < t->dims[3]; x++) {
                    int64_t yy = (y - m0 + h) % h + m0, xx = (x - m0 + w) % w + m0;
                    t->data[(c * t->dims[2] + y) * t->dims[3] + x] =
                        before[(c * t->dims[2] + yy) * t->dims[3] + xx];
                }
    }
    check_inputs(&m, &controls, in.tensors);
    maker_free(&m);
}

static void test_mix(void **state)
{
    struct maker m = maker_new(CARD("") TEXTURE, NULL);
    const struct bst_style sea = {"sea", 1};
    const struct bst_mix mix[] = {{7, 3}, {9, -4}, {11, 12}};
    const float weights[] = {3.0f / 13, -4.0f / 13, 12.0f / 13};
    struct bst_controls controls = {.seed = 7,
                                    .width = 64,
                                    .height = 48,
                                    .truncation = 1,
                                    .styles = &sea,
                                    .style_count = 1,
                                    .mix = mix,
                                    .mix_count = 3};
    struct texture_inputs in;
    struct bst_used used, again;
    (void)state;
    /* philox: each number by its index */
    texture_inputs_begin(&in);
    for (size_t k = 0; k < 3; k++) {
        for (size_t i = 1; i < 4; i++) {
            const struct bst_tensor *t = &in.tensors[i];
            int64_t channels = t->dims[1], rows = i == 1 ? 1 : t->dims[2], columns = i == 1 ? 1 : t->dims[3];
            for (int64_t at = 0; at < channels * rows * columns; at++) {
                int64_t c = at / columns / rows, y = at / columns % rows, x = at % columns;
                uint64_t index = i == 1 ? (uint64_t)at : (uint64_t)(c << 40 | y << 20 | x);
                float number;
                bst_normal(mix[k].seed, (uint32_t)i + 1, index, 1, &number);
                t->data[at] = k == 0 ? weights[k] * number : fmaf(weights[k], number, t->data[at]);
            }
        }
    }
    check_inputs(&m, &controls, in.tensors);
    struct bst_image a = make(&m, &controls, &used);
    assert_int_equal(used.mix_count, 3);
    for (size_t k = 0; k < 3; k++)
        assert_true(used.mix[k].seed == mix[k].seed && used.mix[k].weight == weights[k]);
    /* what was used, given again, is used again to the bit */
    controls.mix = used.mix;
    struct bst_image b = make(&m, &controls, &again);
    assert_true(same_image(&a, &b));
    assert_memory_equal(used.mix, again.mix, 3 * sizeof *used.mix);
    /* numpy's numbers, mixed */
    controls.latent = BST_LATENT_NUMPY;
    controls.mix = mix;
    texture_inputs_begin(&in);
    for (size_t k = 0; k < 3; k++)
        add_sequence(&in, BST_LATENT_NUMPY, mix[k].seed, weights[k], k == 0);
    check_inputs(&m, &controls, in.tensors);
    bst_image_clear(&a);
    bst_image_clear(&b);
    maker_free(&m);
}

static void test_bad_mixes(void **state)
{
    struct maker m = maker_new(CARD("") TEXTURE, NULL), still = maker_new(srvgg, NULL);
    struct bst_image photo = gradient(8, 8, 3, 8), out;
    struct bst_error err;
    struct bst_mix many[BST_MIX_MAX + 1], one[] = {{1, 1}}, twice[] = {{1, 1}, {1, 2}},
                                          none[] = {{1, 0}, {2, 0}}, odd[] = {{1, NAN}, {2, 1}},
                                          large[] = {{1, 1}, {(uint64_t)1 << 32, 1}};
    const struct {
        const struct bst_mix *mix;
        size_t count;
        const char *says;
    } bad[] = {{many, BST_MIX_MAX + 1, "2 to 16"},
               {one, 1, "2 to 16"},
               {twice, 2, "twice"},
               {none, 2, "weight 0"},
               {odd, 2, "seed 1 is"},
               {large, 2, "4294967296"}};
    (void)state;
    for (size_t i = 0; i <= BST_MIX_MAX; i++)
        many[i] = (struct bst_mix){i, 1};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct bst_controls controls = {
            .truncation = 1, .mix = bad[i].mix, .mix_count = bad[i].count, .latent = BST_LATENT_NUMPY};
        assert_int_equal(bst_generate(m.generator, &controls, &out, NULL, &err), BST_USAGE);
        assert_non_null(strstr(err.what, bad[i].says));
    }
    struct bst_controls controls = {.truncation = 1, .input = &photo, .mix = many, .mix_count = 2};
    assert_int_equal(bst_generate(still.generator, &controls, &out, NULL, &err), BST_USAGE);
    assert_non_null(strstr(err.what, "draws nothing"));
    bst_image_clear(&photo);
    maker_free(&still);
    maker_free(&m);
}

/* ---- codes ---- */

/* A code is the grey of a cell of 4 x 4 pixels. Expected ones are from a Philox written in Python after
 * arithmetic.md, section 7. */
static void test_codes(void **state)
{
    static const uint8_t expected[3][6] = {
        {228, 224, 175, 101, 170, 195}, {43, 79, 148, 35, 201, 0}, {46, 28, 79, 16, 79, 100}};
    const struct bst_run_options tiles = {.threads = 1, .tile_side = 8};
    struct maker m = maker_new(CODES("256"), NULL), few = maker_new(CODES("4"), NULL),
                 tiled = maker_new(CODES("256"), &tiles);
    struct bst_controls controls = {.seed = 0x123456789, .truncation = 1};
    struct bst_mix mix[] = {{1, 1}, {2, 1}};
    struct bst_image image = make(&m, &controls, NULL), parts = make(&tiled, &controls, NULL),
                     low = make(&few, &controls, NULL), other, refused;
    struct bst_error err;
    (void)state;
    for (size_t y = 0; y < 12; y++)
        for (size_t x = 0; x < 24; x++) {
            assert_int_equal(image.samples[(y * 24 + x) * 3], expected[y / 4][x / 4]);
            assert_int_equal(low.samples[(y * 24 + x) * 3], expected[y / 4][x / 4] / 64);
        }
    assert_true(same_image(&image, &parts));
    struct bst_tiling tiling;
    bst_generator_tiling(tiled.generator, &tiling);
    assert_true(tiling.columns * tiling.rows > 1);
    controls.latent = BST_LATENT_NUMPY; /* codes are Philox's whatever the generator */
    controls.width = 21;
    other = make(&m, &controls, NULL);
    struct bst_image left = cut(&image, 0, 0, 21, 12);
    assert_true(same_image(&left, &other));
    controls.mix = mix;
    controls.mix_count = 2;
    assert_int_equal(bst_generate(m.generator, &controls, &refused, NULL, &err), BST_USAGE);
    assert_non_null(strstr(err.what, "codes from a seed, which cannot be mixed"));
    struct bst_image *all[] = {&image, &parts, &low, &other, &left};
    for (size_t i = 0; i < 5; i++)
        bst_image_clear(all[i]);
    maker_free(&m);
    maker_free(&few);
    maker_free(&tiled);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_seeds), cmocka_unit_test(test_other_seeds_tile),
        cmocka_unit_test(test_mix),         cmocka_unit_test(test_bad_mixes),
        cmocka_unit_test(test_codes),
    };
    return cmocka_run_group_tests(tests, path_make, path_remove);
}
