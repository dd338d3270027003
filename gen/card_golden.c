/* card_golden.c - golden pictures of a card: small pictures whose digests show, on any machine, that model, card
 * and engine are the ones the card was written for. */
#include "generator.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN_COUNT 4
#define GOLDEN_MAX   100                 /* entries of a card that are made again */
#define PIXELS_MAX   ((uint64_t)1 << 26) /* of all of them: a card must not make a machine work for hours */

static const uint32_t golden_sides[GOLDEN_COUNT][2] = {{64, 64}, {96, 64}, {75, 50}, {128, 96}};
static const uint32_t golden_inputs[GOLDEN_COUNT][2] = {{32, 32}, {48, 32}, {37, 25}, {64, 48}};

/* What the picture is made from. */
struct golden {
    struct bst_controls controls;
    struct bst_style style;
    struct bst_image input;
};

/* The picture that card.schema.json defines. */
static enum bst_code test_picture(uint32_t width, uint32_t height, struct bst_image *out,
                                  struct bst_error *err)
{
    enum bst_code code = bst_image_new(width, height, 3, 8, out, err);
    if (code != BST_OK) return code;
    uint8_t *at = out->samples;
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++)
            for (size_t c = 0; c < 3; c++)
                *at++ = (uint8_t)(5 * (c + 1) * x + 3 * (3 - c) * y + x * y / 16);
    return BST_OK;
}

static enum bst_code golden_make(struct bst_generator *g, struct golden *golden,
                                 char hex[static BST_SHA256_HEX], struct bst_used *used,
                                 struct bst_error *err)
{
    const struct bst_card *card = &g->model->card;
    struct bst_controls *c = &golden->controls;
    struct bst_image image;
    uint8_t digest[BST_SHA256_LEN];
    enum bst_code code = BST_OK;
    c->truncation = 1.0f;
    if (golden->style.name != NULL) {
        golden->style.weight = 1.0f;
        c->styles = &golden->style;
        c->style_count = 1;
    }
    if (bst_card_has(card, BST_ROLE_IMAGE)) {
        uint32_t w = c->width / card->output_scale, h = c->height / card->output_scale;
        if (w == 0 || h == 0)
            return bst_fail(err, BST_UNREADABLE, "a golden picture is too small to be made");
        code = test_picture(w, h, &golden->input, err);
        c->input = &golden->input;
    }
    if (code == BST_OK) code = bst_generate(g, c, &image, used, err);
    bst_image_clear(&golden->input);
    if (code != BST_OK) return code;
    bst_image_digest(&image, digest);
    bst_hex(digest, sizeof digest, hex);
    bst_image_clear(&image);
    return BST_OK;
}

/* ---- making them ---- */

static void choose(const struct bst_card *card, size_t i, struct golden *out)
{
    bool image = bst_card_has(card, BST_ROLE_IMAGE);
    uint32_t scale = image ? card->output_scale : 1;
    const uint32_t *sides = image ? golden_inputs[i] : golden_sides[i];
    *out = (struct golden){.controls = {.seed = i + 1,
                                        .width = card->fixed_size ? card->width : sides[0] * scale,
                                        .height = card->fixed_size ? card->height : sides[1] * scale}};
    if (card->style_count > 0) out->style.name = card->styles[i % card->style_count];
}

static json_t *golden_json(const struct golden *golden, const struct bst_used *used, const char *hex)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)golden->controls.seed);
    json_t *entry = json_pack("{s:s, s:I, s:I, s:s, s:s, s:s*}", "seed", seed, "width",
                              (json_int_t)used->width, "height", (json_int_t)used->height, "arith", BST_ARITH,
                              "pixels-sha256", hex, "style", golden->style.name);
    if (used->has_label) json_object_set_new(entry, "label", json_integer(used->label));
    return entry;
}

enum bst_code bst_golden_make(struct bst_generator *generator, json_t **out, struct bst_error *err)
{
    const struct bst_card *card = &generator->model->card;
    bool drawn = bst_card_draws(card) || card->class_count > 0 || card->style_count > 0;
    /* Without anything drawn, pictures of one size are all the same. */
    size_t count = drawn || !card->fixed_size ? GOLDEN_COUNT : 1;
    json_t *list = json_array();
    enum bst_code code = list != NULL ? BST_OK : bst_fail_memory(err);
    for (size_t i = 0; i < count && code == BST_OK; i++) {
        struct golden golden;
        struct bst_used used;
        char hex[BST_SHA256_HEX];
        choose(card, i, &golden);
        code = golden_make(generator, &golden, hex, &used, err);
        if (code == BST_OK && json_array_append_new(list, golden_json(&golden, &used, hex)) != 0)
            code = bst_fail_memory(err);
    }
    if (code != BST_OK) {
        json_decref(list);
        return code;
    }
    *out = list;
    return BST_OK;
}

/* ---- making them again ---- */

static bool read_entry(const json_t *entry, struct golden *out)
{
    const json_t *width = json_object_get(entry, "width"), *height = json_object_get(entry, "height"),
                 *label = json_object_get(entry, "label");
    const char *seed = bst_json_text(entry, "seed");
    *out = (struct golden){.style = {.name = bst_json_text(entry, "style")}};
    if (seed == NULL || !bst_parse_u64(seed, &out->controls.seed) || !json_is_integer(width) ||
        !json_is_integer(height) || json_integer_value(width) < 1 || json_integer_value(height) < 1 ||
        json_integer_value(width) > BST_IMAGE_MAX_SIDE || json_integer_value(height) > BST_IMAGE_MAX_SIDE ||
        bst_json_text(entry, "pixels-sha256") == NULL)
        return false;
    out->controls.width = (uint32_t)json_integer_value(width);
    out->controls.height = (uint32_t)json_integer_value(height);
    out->controls.has_label = label != NULL;
    out->controls.label = (uint32_t)json_integer_value(label);
    return label == NULL || (json_is_integer(label) && json_integer_value(label) >= 0 &&
                             json_integer_value(label) < CLASSES_MAX);
}

/* Pixels of all entries that can be read. */
static uint64_t golden_pixels(const json_t *golden)
{
    struct golden entry;
    uint64_t pixels = 0;
    for (size_t i = 0; i < json_array_size(golden) && i < GOLDEN_MAX; i++)
        if (read_entry(json_array_get(golden, i), &entry))
            pixels += (uint64_t)entry.controls.width * entry.controls.height;
    return pixels;
}

static enum bst_code check_entry(const struct bst_model *model, const struct bst_run_options *options,
                                 const json_t *entry, const char **state, struct bst_error *err)
{
    struct golden golden;
    struct bst_used used;
    struct bst_generator *g = NULL;
    struct bst_run_options run = *options;
    char hex[BST_SHA256_HEX];
    if (!read_entry(entry, &golden)) {
        bst_fail(err, BST_UNREADABLE, "a golden picture of the card lacks its seed, size or digest");
        return bst_where(err, "%s: model card", model->path);
    }
    if (!bst_arith_known(bst_json_text(entry, "arith"), &run.arith)) {
        *state = "unknown rules";
        return BST_OK;
    }
    enum bst_code code = bst_generator_new(model, &run, &g, err);
    if (code == BST_OK) code = golden_make(g, &golden, hex, &used, err);
    bst_generator_free(g);
    if (code == BST_OK) *state = strcmp(hex, bst_json_text(entry, "pixels-sha256")) == 0 ? "same" : "differs";
    return code;
}

enum bst_code bst_golden_check(const struct bst_model *model, const struct bst_run_options *options,
                               json_t **results, struct bst_error *err)
{
    const json_t *golden = json_object_get(model->card.json, "golden");
    size_t count = json_array_size(golden);
    json_t *list = json_array();
    enum bst_code code = list != NULL ? BST_OK : bst_fail_memory(err);
    if (code == BST_OK && (count > GOLDEN_MAX || (golden != NULL && !json_is_array(golden)))) {
        bst_fail(err, BST_UNREADABLE, "golden is not a list of at most %d pictures", GOLDEN_MAX);
        code = bst_where(err, "%s: model card", model->path);
    }
    if (code == BST_OK && golden_pixels(golden) > PIXELS_MAX) {
        bst_fail(err, BST_UNREADABLE, "the golden pictures are larger than %llu megapixels together",
                 (unsigned long long)(PIXELS_MAX >> 20));
        code = bst_where(err, "%s: model card", model->path);
    }
    for (size_t i = 0; i < count && code == BST_OK; i++) {
        const char *state = "";
        code = check_entry(model, options, json_array_get(golden, i), &state, err);
        json_t *result = code == BST_OK ? json_deep_copy(json_array_get(golden, i)) : NULL;
        json_object_set_new(result, "state", json_string(state));
        if (code == BST_OK && json_array_append_new(list, result) != 0) code = bst_fail_memory(err);
    }
    if (code != BST_OK) {
        json_decref(list);
        return code;
    }
    *results = list;
    return BST_OK;
}
