/* train_golden.c - the exported file in the engine's hands: does it make the trainer's picture, and the
 * golden seeds of its card. */
#include "train_run.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK_WIDTH  96
#define CHECK_HEIGHT 64
#define CHECK_LIMIT  1e-4f /* both compute in float32, in different orders */

struct golden_size {
    uint64_t seed;
    uint32_t width, height;
};
static const struct golden_size golden_sizes[] = {{1, 192, 128}, {2, 100, 75}};

static void draw(const struct train_run *run, struct train_generator_pass *pass)
{
    struct train_random r;
    train_random_init(&r, 1, 0, 0);
    for (size_t s = 0; s < run->set.styles; s++)
        pass->style[s] = 1.0f / (float)run->set.styles;
    train_random_normal(&r, TRAIN_LATENT, pass->latent);
    for (size_t i = 0; i < TRAIN_NOISES; i++)
        train_random_normal(&r, train_map_size(pass->noise_map[i]), pass->noise[i]);
}

static enum bst_code compare(struct bst_generator *engine, const struct train_run *run,
                             const struct train_generator_pass *pass, struct bst_error *err)
{
    struct bst_tensor input[2 + TRAIN_NOISES] = {
        {.name = "style", .rank = 2, .dims = {1, (int64_t)run->set.styles}, .data = pass->style},
        {.name = "latent", .rank = 2, .dims = {1, TRAIN_LATENT}, .data = pass->latent},
    };
    for (size_t i = 0; i < TRAIN_NOISES; i++) {
        struct train_map m = pass->noise_map[i];
        input[2 + i] = (struct bst_tensor){.name = train_noise[i].name,
                                           .rank = 4,
                                           .dims = {1, (int64_t)m.c, (int64_t)m.h, (int64_t)m.w},
                                           .data = pass->noise[i]};
    }
    struct bst_tensor output = {0};
    enum bst_code code = bst_generator_run(engine, input, 2 + TRAIN_NOISES, &output, err);
    if (code) return code;
    float worst = 0;
    bool same = output.rank == 4 && output.dims[2] == CHECK_HEIGHT && output.dims[3] == CHECK_WIDTH;
    for (size_t i = 0; same && i < train_map_size(pass->fine_map); i++)
        worst = fmaxf(worst, fabsf(output.data[i] - pass->fine[i]));
    free(output.data);
    if (same && worst <= CHECK_LIMIT) return BST_OK;
    return bst_fail(err, BST_FAILURE, "the exported model differs from the trained one by %g", (double)worst);
}

static enum bst_code check(struct bst_generator *engine, const struct train_run *run, const float *params,
                           struct bst_error *err)
{
    struct train_generator_pass pass;
    struct train_size size = {CHECK_HEIGHT, CHECK_WIDTH};
    enum bst_code code = train_generator_pass_new(&run->generator, 1, size, size, false, &pass, err);
    if (code) return code;
    draw(run, &pass);
    train_generator_forward(&run->generator, params, &pass);
    code = compare(engine, run, &pass, err);
    train_generator_pass_clear(&pass);
    return code;
}

static enum bst_code golden_one(struct bst_generator *engine, const char *style,
                                const struct golden_size *size, json_t *golden, struct bst_error *err)
{
    struct bst_style only = {style, 1.0f};
    struct bst_controls controls = {.seed = size->seed,
                                    .width = size->width,
                                    .height = size->height,
                                    .truncation = 1.0f,
                                    .styles = &only,
                                    .style_count = 1};
    struct bst_image image;
    enum bst_code code = bst_generate(engine, &controls, &image, NULL, err);
    if (code) return code;
    uint8_t digest[BST_SHA256_LEN];
    char hex[BST_SHA256_HEX];
    bst_image_digest(&image, digest);
    bst_hex(digest, sizeof digest, hex);
    bst_image_clear(&image);
    char *seed = bst_format("%llu", (unsigned long long)size->seed);
    json_t *entry = seed ? json_pack("{s:s, s:I, s:I, s:s, s:s, s:s}", "seed", seed, "width",
                                     (json_int_t)size->width, "height", (json_int_t)size->height, "style",
                                     style, "arith", BST_ARITH, "pixels-sha256", hex)
                         : NULL;
    free(seed);
    return json_array_append_new(golden, entry) ? bst_fail_memory(err) : BST_OK;
}

enum bst_code train_golden(const struct train_run *run, const char *path, const float *params, json_t *card,
                           struct bst_error *err)
{
    struct bst_model *model = NULL;
    struct bst_generator *engine = NULL;
    struct bst_run_options options = {.threads = bst_pool_threads(run->pool)};
    enum bst_code code = bst_model_open(path, &model, err);
    if (!code) code = bst_generator_new(model, &options, &engine, err);
    if (!code) code = check(engine, run, params, err);
    json_t *golden = json_object_get(card, "golden");
    for (size_t s = 0; !code && s < run->set.styles; s++)
        for (size_t i = 0; !code && i < sizeof golden_sizes / sizeof *golden_sizes; i++)
            code = golden_one(engine, run->set.style[s], &golden_sizes[i], golden, err);
    bst_generator_free(engine);
    bst_model_free(model);
    return code;
}
