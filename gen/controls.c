/* controls.c - controls as they were asked for -> controls with every default filled in and checked against the
 * card. */
#include "inputs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- styles ---- */

static enum bst_code unknown_style(const struct bst_card *card, const char *name, struct bst_error *err)
{
    char known[200] = "";
    for (size_t i = 0; i < card->style_count; i++) {
        size_t len = strlen(known);
        snprintf(known + len, sizeof known - len, "%s%s", i > 0 ? ", " : "", card->styles[i]);
    }
    bst_fail(err, BST_USAGE, "the model has no style '%.60s'", name);
    if (card->style_count == 0) return bst_hint(err, "it has no styles to choose from");
    return bst_hint(err, "its styles are %s", known);
}

/* What is not asked for the seed picks, from stream 0 of the random numbers: word 0 the style, word 1 the
 * class. */
static uint32_t pick(uint64_t seed, size_t word, size_t count)
{
    const uint32_t counter[4] = {0, 0, 0, 0}, key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t words[4];
    bst_philox(counter, key, words);
    return (uint32_t)((uint64_t)words[word] * count >> 32);
}

static enum bst_code resolve_label(const struct bst_card *card, const struct bst_controls *controls,
                                   struct bst_used *used, struct bst_error *err)
{
    if (card->class_count == 0 && controls->has_label)
        return bst_fail(err, BST_USAGE, "this model takes no label");
    used->has_label = card->class_count > 0;
    if (!used->has_label) return BST_OK;
    used->label = controls->has_label ? controls->label : pick(controls->seed, 1, card->class_count);
    if (used->label < card->class_count) return BST_OK;
    bst_fail(err, BST_USAGE, "the model has no class %u", used->label);
    return bst_hint(err, "its classes go from 0 to %u", card->class_count - 1);
}

static enum bst_code resolve_styles(const struct bst_card *card, const struct bst_controls *controls,
                                    struct bst_used *used, struct bst_error *err)
{
    double total = 0;
    bool given[BST_STYLES_MAX] = {false};
    used->style_count = card->style_count;
    if (controls->style_count == 0 && card->style_count > 0)
        used->style_weight[pick(controls->seed, 0, card->style_count)] = 1.0f;
    for (size_t i = 0; i < controls->style_count; i++) {
        const struct bst_style *style = &controls->styles[i];
        size_t k = 0;
        while (k < card->style_count && strcmp(card->styles[k], style->name) != 0)
            k++;
        if (k == card->style_count) return unknown_style(card, style->name, err);
        if (given[k]) return bst_fail(err, BST_USAGE, "style '%.60s' is given twice", style->name);
        if (!(style->weight >= 0.0f && style->weight <= 1e6f))
            return bst_fail(err, BST_USAGE, "the weight of style '%.60s' is out of range", style->name);
        given[k] = true;
        used->style_weight[k] = style->weight;
        total += (double)style->weight;
    }
    if (controls->style_count == 0) return BST_OK;
    if (!(total > 0)) return bst_fail(err, BST_USAGE, "all styles have weight 0");
    /* Weights that add up already are kept to the bit, so that replaying recorded ones changes nothing. */
    for (size_t k = 0; k < card->style_count && fabs(total - 1.0) > 1e-6; k++)
        used->style_weight[k] = (float)((double)used->style_weight[k] / total);
    return BST_OK;
}

/* ---- size ---- */

static const struct bst_card_input *image_input(const struct bst_card *card)
{
    for (size_t i = 0; i < card->input_count; i++)
        if (card->inputs[i].role == BST_ROLE_IMAGE) return &card->inputs[i];
    return NULL;
}

static enum bst_code resolve_image_size(const struct bst_card *card, const struct bst_controls *controls,
                                        struct bst_used *used, struct bst_error *err)
{
    if (controls->input == NULL) {
        bst_fail(err, BST_USAGE, "this model changes a picture and was given none");
        return bst_hint(err, "name one with --input");
    }
    uint64_t width = (uint64_t)controls->input->width * card->output_scale;
    uint64_t height = (uint64_t)controls->input->height * card->output_scale;
    if (card->fixed_size && (width != card->width || height != card->height)) {
        bst_fail(err, BST_USAGE, "the model takes pictures of %u x %u only, not %u x %u",
                 card->width / card->output_scale, card->height / card->output_scale, controls->input->width,
                 controls->input->height);
        return bst_hint(err, "scale the picture to that size first");
    }
    if ((controls->width != 0 && controls->width != width) ||
        (controls->height != 0 && controls->height != height)) {
        bst_fail(err, BST_USAGE, "this model makes %llu x %llu of the picture, not %u x %u",
                 (unsigned long long)width, (unsigned long long)height, controls->width, controls->height);
        return bst_hint(err, "leave the size out");
    }
    used->width = (uint32_t)(width > UINT32_MAX ? UINT32_MAX : width);
    used->height = (uint32_t)(height > UINT32_MAX ? UINT32_MAX : height);
    return BST_OK;
}

static enum bst_code resolve_size(const struct bst_card *card, const struct bst_controls *controls,
                                  struct bst_used *used, struct bst_error *err)
{
    if (image_input(card) != NULL) {
        enum bst_code code = resolve_image_size(card, controls, used, err);
        if (code != BST_OK) return code;
    } else {
        if (controls->input != NULL)
            return bst_fail(err, BST_USAGE, "this model takes no picture as its input");
        used->width = controls->width != 0 ? controls->width : card->width;
        used->height = controls->height != 0 ? controls->height : card->height;
    }
    if (used->width > BST_IMAGE_MAX_SIDE || used->height > BST_IMAGE_MAX_SIDE || used->width == 0 ||
        used->height == 0 || (uint64_t)used->width * used->height > BST_IMAGE_MAX_PIXELS)
        return bst_fail(err, BST_USAGE, "a picture of %u x %u cannot be made", used->width, used->height);
    if (card->fixed_size && (used->width > card->width || used->height > card->height)) {
        bst_fail(err, BST_USAGE, "the model makes pictures of up to %u x %u only", card->width, card->height);
        return bst_hint(err, "leave the size out");
    }
    return BST_OK;
}

/* The sides at which a periodic noise map meets itself: multiples of every cell and of the card's multiple.
 */
static uint64_t tile_multiple(const struct bst_card *card)
{
    uint64_t multiple = card->size_multiple;
    for (size_t i = 0; i < card->input_count; i++) {
        uint64_t a = multiple, b = card->inputs[i].cell;
        if (!has_cells(&card->inputs[i])) continue;
        while (b != 0) {
            uint64_t rest = a % b;
            a = b;
            b = rest;
        }
        multiple = multiple / a * card->inputs[i].cell;
    }
    return multiple;
}

/* ---- seeds ---- */

static enum bst_code resolve_mix(const struct bst_controls *controls, struct bst_used *used,
                                 struct bst_error *err)
{
    double squares = 0;
    if (controls->mix_count < 2 || controls->mix_count > BST_MIX_MAX)
        return bst_fail(err, BST_USAGE, "a mix is made of 2 to %d seeds", BST_MIX_MAX);
    used->mix_count = controls->mix_count;
    for (size_t i = 0; i < controls->mix_count; i++) {
        const struct bst_mix *part = &controls->mix[i];
        if (!(part->weight >= -1e6f && part->weight <= 1e6f))
            return bst_fail(err, BST_USAGE, "the weight of seed %llu is out of range",
                            (unsigned long long)part->seed);
        for (size_t k = 0; k < i; k++)
            if (used->mix[k].seed == part->seed)
                return bst_fail(err, BST_USAGE, "the seed %llu is given twice",
                                (unsigned long long)part->seed);
        if (bst_latent_check(used->latent, part->seed, err) != BST_OK) return err->code;
        squares += (double)part->weight * (double)part->weight;
        used->mix[i] = *part;
    }
    if (!(squares > 0)) return bst_fail(err, BST_USAGE, "all seeds have weight 0");
    /* As with styles, recorded weights stay as they are. */
    for (size_t i = 0; i < used->mix_count && fabs(squares - 1.0) > 1e-6; i++)
        used->mix[i].weight = (float)((double)used->mix[i].weight / sqrt(squares));
    return BST_OK;
}

/* Only a model that draws numbers cares for a seed. */
static enum bst_code resolve_seeds(const struct bst_card *card, const struct bst_controls *controls,
                                   struct bst_used *used, struct bst_error *err)
{
    used->latent = controls->latent == BST_LATENT_CARD ? card->latent : controls->latent;
    used->mix_count = 1;
    used->mix[0] = (struct bst_mix){controls->seed, 1.0f};
    if (bst_card_has(card, BST_ROLE_LATENT) || bst_card_has(card, BST_ROLE_NOISE)) {
        if (controls->mix_count > 0) return resolve_mix(controls, used, err);
        return bst_latent_check(used->latent, controls->seed, err);
    }
    if (controls->mix_count == 0) return BST_OK;
    if (bst_card_has(card, BST_ROLE_CODES))
        return bst_fail(err, BST_USAGE, "this model draws codes from a seed, which cannot be mixed");
    return bst_fail(err, BST_USAGE, "this model draws nothing from a seed: there is nothing to mix");
}

/* ---- all of them ---- */

enum bst_code controls_resolve(const struct bst_card *card, const struct bst_controls *controls,
                               struct bst_used *used, struct bst_error *err)
{
    memset(used, 0, sizeof *used);
    if (!(controls->truncation >= 0.0f && controls->truncation <= 1.5f))
        return bst_fail(err, BST_USAGE, "truncation is not within 0 and 1.5");
    used->truncation = controls->truncation;
    used->tile = controls->tile;
    enum bst_code code = resolve_seeds(card, controls, used, err);
    if (code == BST_OK) code = resolve_styles(card, controls, used, err);
    if (code == BST_OK) code = resolve_label(card, controls, used, err);
    if (code == BST_OK) code = resolve_size(card, controls, used, err);
    if (code != BST_OK || !controls->tile) return code;
    if (!card->tileable) return bst_fail(err, BST_USAGE, "this model cannot make seamless tiles");
    uint64_t multiple = tile_multiple(card);
    if (used->width % multiple != 0 || used->height % multiple != 0) {
        bst_fail(err, BST_USAGE, "a seamless tile cannot be %u x %u", used->width, used->height);
        return bst_hint(err, "each side must be a multiple of %llu", (unsigned long long)multiple);
    }
    return BST_OK;
}
