/* card.c - model cards: read from a file of their own or the model's metadata, and held against the graph. */
#include "model.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_MAX 200 /* bytes of a class's name */

void card_clear(struct bst_card *card)
{
    char *texts[] = {card->name, card->title, card->description, card->author, card->license};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    for (size_t i = 0; card->styles != NULL && i < card->style_count; i++)
        free(card->styles[i]);
    for (size_t i = 0; card->inputs != NULL && i < card->input_count; i++)
        free(card->inputs[i].name);
    for (size_t i = 0; card->labels != NULL && i < card->label_count; i++)
        free(card->labels[i]);
    free(card->styles);
    free(card->labels);
    free(card->inputs);
    json_decref(card->json);
    memset(card, 0, sizeof *card);
}

/* ---- reading ---- */

static enum bst_code bad_card(const struct bst_model *model, struct bst_error *err, const char *what)
{
    bst_fail(err, BST_UNREADABLE, "%s", what);
    bst_where(err, "%s: model card", model->path);
    return bst_hint(err, "schema/card.schema.json says what a card holds");
}

static bool read_text(const json_t *json, const char *key, char **out)
{
    const char *text = bst_json_text(json, key);
    if (text == NULL) return json_object_get(json, key) == NULL;
    *out = bst_strdup(text);
    return *out != NULL;
}

/* A whole number within limits, or the fallback when the key is missing. */
static bool read_count(const json_t *json, const char *key, uint32_t low, uint32_t high, uint32_t fallback,
                       uint32_t *out)
{
    const json_t *value = json_object_get(json, key);
    *out = fallback;
    if (value == NULL) return true;
    if (!json_is_integer(value) || json_integer_value(value) < low || json_integer_value(value) > high)
        return false;
    *out = (uint32_t)json_integer_value(value);
    return true;
}

static bool read_float(const json_t *json, const char *key, float fallback, float *out)
{
    const json_t *value = json_object_get(json, key);
    *out = fallback;
    if (value == NULL) return true;
    if (!json_is_number(value)) return false;
    *out = (float)json_number_value(value);
    return isfinite(*out);
}

static bool read_flag(const json_t *json, const char *key, bool *out)
{
    const json_t *value = json_object_get(json, key);
    *out = json_is_true(value);
    return value == NULL || json_is_boolean(value);
}

static bool is_name(const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;
    return len > 0 && len <= NAME_MAX_CARD && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static bool read_styles(const json_t *json, struct bst_card *card)
{
    const json_t *styles = json_object_get(json, "styles");
    size_t count = json_array_size(styles);
    if (styles != NULL && (!json_is_array(styles) || count > BST_STYLES_MAX)) return false;
    card->styles = bst_calloc(count, sizeof *card->styles);
    for (size_t i = 0; card->styles != NULL && i < count; i++) {
        const char *name = json_string_value(json_array_get(styles, i));
        if (!is_name(name)) return false;
        for (size_t k = 0; k < i; k++)
            if (strcmp(card->styles[k], name) == 0) return false;
        card->styles[i] = bst_strdup(name);
        if (card->styles[i] == NULL) return false;
        card->style_count = i + 1;
    }
    return card->styles != NULL;
}

/* Names of classes are for people: any text that fits on a line. */
static bool is_label(const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;
    if (len == 0 || len > LABEL_MAX) return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) return false;
    return true;
}

static bool read_labels(const json_t *json, struct bst_card *card)
{
    const json_t *labels = json_object_get(json, "labels");
    size_t count = json_array_size(labels);
    if (!read_count(json, "classes", 1, CLASSES_MAX, (uint32_t)count, &card->class_count)) return false;
    if (labels == NULL) return true;
    if (!json_is_array(labels) || count != card->class_count || count > CLASSES_MAX) return false;
    card->labels = bst_calloc(count + 1, sizeof *card->labels); /* ended by NULL */
    for (size_t i = 0; card->labels != NULL && i < count; i++) {
        const char *name = json_string_value(json_array_get(labels, i));
        if (!is_label(name) || (card->labels[i] = bst_strdup(name)) == NULL) return false;
        card->label_count = i + 1;
    }
    return card->labels != NULL;
}

static bool read_layout(const json_t *json, const char *key, bool *nhwc)
{
    const json_t *value = json_object_get(json, key);
    const char *text = json_string_value(value);
    *nhwc = text != NULL && strcmp(text, "nhwc") == 0;
    return value == NULL || *nhwc || (text != NULL && strcmp(text, "nchw") == 0);
}

static bool read_role(const char *text, enum bst_role *role)
{
    static const char *const names[] = {"latent", "noise", "style",
                                        "image",  "label", "codes"}; /* as enum bst_role */
    for (size_t i = 0; text != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) != 0) continue;
        *role = (enum bst_role)i;
        return true;
    }
    return false;
}

static bool read_inputs(const json_t *json, struct bst_card *card)
{
    const json_t *inputs = json_object_get(json, "inputs");
    size_t count = json_array_size(inputs);
    if (!json_is_array(inputs) || count == 0 || count > INPUTS_MAX) return false;
    card->inputs = bst_calloc(count, sizeof *card->inputs);
    for (size_t i = 0; card->inputs != NULL && i < count; i++) {
        const json_t *item = json_array_get(inputs, i);
        struct bst_card_input *input = &card->inputs[i];
        card->input_count = i + 1;
        if (!json_is_object(item) || !read_text(item, "name", &input->name) || input->name == NULL ||
            !read_role(bst_json_text(item, "role"), &input->role) ||
            !read_count(item, "cell", 1, CELL_MAX, 1, &input->cell) ||
            !read_count(item, "codes", 0, CODES_MAX, 0, &input->codes) ||
            !read_count(item, "margin", 0, MARGIN_MAX, 0, &input->margin) ||
            !read_float(item, "low", 0.0f, &input->low) || !read_float(item, "high", 1.0f, &input->high) ||
            !read_flag(item, "bgr", &input->bgr) || !read_layout(item, "layout", &input->nhwc))
            return false;
    }
    return card->inputs != NULL;
}

static bool read_latent(const json_t *json, enum bst_latent *out)
{
    *out = BST_LATENT_PHILOX;
    return json_object_get(json, "latent_generator") == NULL ||
           bst_latent_known(bst_json_text(json, "latent_generator"), out);
}

/* A card beside the file names the model it was made for, so that it cannot stand beside another. */
static bool of_this_model(const struct bst_model *model, const json_t *json)
{
    const json_t *value = json_object_get(json, "model_sha256");
    uint8_t digest[BST_SHA256_LEN];
    if (value == NULL) return true;
    return json_is_string(value) && bst_unhex(json_string_value(value), digest, sizeof digest) &&
           memcmp(digest, model->digest, sizeof digest) == 0;
}

static enum bst_code read_card(struct bst_model *model, const char *text, struct bst_error *err)
{
    struct bst_card *card = &model->card;
    size_t len = strlen(text);
    if (len > CARD_SIZE_MAX) return bad_card(model, err, "it is larger than 1 MB");
    enum bst_code code = bst_json_parse(text, len, &card->json, err);
    if (code != BST_OK) return bst_where(err, "%s: model card", model->path);
    const json_t *json = card->json;
    const char *schema = bst_json_text(json, "schema");
    if (schema == NULL || strcmp(schema, "blindstamp.card/1") != 0)
        return bad_card(model, err, "schema is not blindstamp.card/1");
    if (!is_name(bst_json_text(json, "name")))
        return bad_card(model, err, "name is missing or not of a-z, 0-9 and -");
    if (!read_text(json, "name", &card->name) || !read_text(json, "title", &card->title) ||
        !read_text(json, "description", &card->description) || !read_text(json, "author", &card->author) ||
        !read_text(json, "license", &card->license))
        return bad_card(model, err, "a text is missing or of another type");
    if (!of_this_model(model, json)) {
        bad_card(model, err, "it is the card of another file: model_sha256 differs");
        return bst_hint(err, "remove the card beside the model, or add the model again");
    }
    if (!read_labels(json, card))
        return bad_card(model, err, "labels are not a list of names, one for each of the classes");
    if (!read_styles(json, card)) return bad_card(model, err, "styles are not a list of different names");
    if (!read_inputs(json, card))
        return bad_card(model, err, "inputs are not a list of inputs with known roles");
    if (!read_count(json, "output_scale", 1, SCALE_MAX, 1, &card->output_scale) ||
        !read_count(json, "width", 1, BST_IMAGE_MAX_SIDE, 512, &card->width) ||
        !read_count(json, "height", 1, BST_IMAGE_MAX_SIDE, 512, &card->height) ||
        !read_count(json, "size_multiple", 1, CELL_MAX, 1, &card->size_multiple))
        return bad_card(model, err, "a size is out of range");
    if (!read_float(json, "output_low", -1.0f, &card->output_low) ||
        !read_float(json, "output_high", 1.0f, &card->output_high) || !(card->output_low < card->output_high))
        return bad_card(model, err, "output_low and output_high are not a range");
    if (!read_flag(json, "fixed_size", &card->fixed_size) ||
        !read_flag(json, "output_bgr", &card->output_bgr) || !read_flag(json, "tileable", &card->tileable))
        return bad_card(model, err, "a flag is neither true nor false");
    if (!read_layout(json, "output_layout", &card->output_nhwc))
        return bad_card(model, err, "output_layout is neither nchw nor nhwc");
    if (!read_latent(json, &card->latent))
        return bad_card(model, err, "latent_generator is none of philox, numpy-randomstate, torch-cpu");
    return BST_OK;
}

/* ---- what inputs are for ---- */

bool bst_card_has(const struct bst_card *card, enum bst_role role)
{
    for (size_t i = 0; i < card->input_count; i++)
        if (card->inputs[i].role == role) return true;
    return false;
}

bool bst_card_draws(const struct bst_card *card)
{
    return bst_card_has(card, BST_ROLE_LATENT) || bst_card_has(card, BST_ROLE_NOISE) ||
           bst_card_has(card, BST_ROLE_CODES);
}

/* ---- the card against the graph ---- */

static bool fits_label(const struct bst_card *card, const struct graph_input *input)
{
    const int64_t *d = input->dims;
    if (card->class_count == 0) return false;
    if (input->kind == KIND_FLOAT) return input->rank == 2 && d[1] == (int64_t)card->class_count;
    for (size_t i = 0; i < input->rank; i++)
        if (d[i] != 1 && d[i] != -1) return false;
    return input->rank <= 2;
}

bool card_fits(const struct bst_card *card, const struct bst_card_input *role,
               const struct graph_input *input)
{
    const int64_t *d = input->dims;
    if (input->rank > 0 && d[0] != 1 && d[0] != -1) return false;
    if (role->role == BST_ROLE_LABEL) return fits_label(card, input);
    if (role->role == BST_ROLE_CODES)
        return input->kind == KIND_INT && input->rank == 4 && (d[1] == 1 || d[1] == -1) && role->codes > 0;
    if (input->kind != KIND_FLOAT || input->rank < 2) return false;
    if (role->role == BST_ROLE_IMAGE)
        return input->rank == 4 && picture_channels(d[layout_of(role->nhwc).c]) && role->low < role->high;
    if (d[1] < 1) return false;
    switch (role->role) {
    case BST_ROLE_LATENT:
        return d[1] <= 1 << 20 && (input->rank == 2 || (input->rank == 4 && d[2] == 1 && d[3] == 1));
    case BST_ROLE_STYLE:
        return input->rank == 2 && d[1] == (int64_t)card->style_count;
    default:
        return input->rank == 4 && d[1] <= 1 << 16;
    }
}

static enum bst_code match_inputs(struct bst_model *model, struct bst_error *err)
{
    const struct graph *graph = model->graph;
    size_t found = 0, images = 0, labels = 0;
    if (graph->input_count > INPUTS_MAX) return bad_card(model, err, "the graph has too many inputs");
    for (size_t i = 0; i < graph->input_count; i++) {
        model->roles[i] = -1;
        for (size_t k = 0; k < model->card.input_count; k++) {
            if (strcmp(graph->inputs[i].name, model->card.inputs[k].name) != 0) continue;
            if (!card_fits(&model->card, &model->card.inputs[k], &graph->inputs[i]))
                return bad_card(model, err,
                                "an input's role does not fit its type and dimensions in the graph");
            model->roles[i] = (int32_t)k;
            images += model->card.inputs[k].role == BST_ROLE_IMAGE;
            labels += model->card.inputs[k].role == BST_ROLE_LABEL;
            found++;
        }
    }
    if (found != graph->input_count || found != model->card.input_count || images > 1)
        return bad_card(model, err, "inputs are not those of the graph");
    if (labels == 0 && model->card.class_count > 0)
        return bad_card(model, err, "it has classes, and no input is a label");
    return BST_OK;
}

/* The sides that a run makes: asked for, rounded up to the card's multiple. */
static uint32_t rounded(uint32_t side, uint32_t multiple)
{
    return (side + multiple - 1) / multiple * multiple;
}

static enum bst_code check_output(struct bst_model *model, struct bst_error *err)
{
    struct tensor out;
    const struct bst_card *card = &model->card;
    uint32_t width = rounded(card->width, card->size_multiple),
             height = rounded(card->height, card->size_multiple);
    enum bst_code code = model_output(model, width, height, &out, err);
    if (code != BST_OK) return code;
    if (out.dims[3] < card->width || out.dims[2] < card->height)
        return bad_card(model, err, "the graph makes a smaller picture than the card says");
    return BST_OK;
}

enum bst_code card_make(struct bst_model *model, struct bst_error *err)
{
    const char *text = model->card_text != NULL ? model->card_text : model->graph->card;
    if (text == NULL) return card_derive(model, err);
    model->card.source = model->card_text != NULL ? BST_CARD_BESIDE : BST_CARD_INSIDE;
    if (model->card_text != NULL) bst_sha256(text, strlen(text), model->card.digest);
    enum bst_code code = read_card(model, text, err);
    if (code == BST_OK) code = match_inputs(model, err);
    if (code == BST_OK) code = check_output(model, err);
    return code;
}
