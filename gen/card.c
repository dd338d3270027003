/* card.c - model cards: read from the file's metadata, or derived from what the graph shows. */
#include "model.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CELL_MAX   4096
#define MARGIN_MAX 4096
#define SCALE_MAX  64

void card_clear(struct bst_card *card)
{
    char *texts[] = {card->name, card->title, card->description, card->author, card->license};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    for (size_t i = 0; card->styles != NULL && i < card->style_count; i++)
        free(card->styles[i]);
    for (size_t i = 0; card->inputs != NULL && i < card->input_count; i++)
        free(card->inputs[i].name);
    free(card->styles);
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

static bool read_role(const char *text, enum bst_role *role)
{
    static const char *const names[] = {"latent", "noise", "style", "image"}; /* the order of enum bst_role */
    for (size_t i = 0; text != NULL && i < 4; i++) {
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
            !read_count(item, "margin", 0, MARGIN_MAX, 0, &input->margin) ||
            !read_float(item, "low", 0.0f, &input->low) || !read_float(item, "high", 1.0f, &input->high) ||
            !read_flag(item, "bgr", &input->bgr))
            return false;
    }
    return card->inputs != NULL;
}

static enum bst_code read_card(struct bst_model *model, struct bst_error *err)
{
    struct bst_card *card = &model->card;
    enum bst_code code = bst_json_parse(model->graph->card, strlen(model->graph->card), &card->json, err);
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
    return BST_OK;
}

/* ---- the card against the graph ---- */

static bool fits(const struct bst_card *card, const struct bst_card_input *role,
                 const struct graph_input *input)
{
    const int64_t *d = input->dims;
    if (input->kind != KIND_FLOAT || input->rank < 2 || (d[0] != 1 && d[0] != -1) || d[1] < 1) return false;
    switch (role->role) {
    case BST_ROLE_LATENT:
        return d[1] <= 1 << 20 && (input->rank == 2 || (input->rank == 4 && d[2] == 1 && d[3] == 1));
    case BST_ROLE_STYLE:
        return input->rank == 2 && d[1] == (int64_t)card->style_count;
    case BST_ROLE_IMAGE:
        return input->rank == 4 && (d[1] == 3 || d[1] == 1) && role->low < role->high;
    default:
        return input->rank == 4 && d[1] <= 1 << 16;
    }
}

static enum bst_code match_inputs(struct bst_model *model, struct bst_error *err)
{
    const struct graph *graph = model->graph;
    size_t found = 0, images = 0;
    if (graph->input_count > INPUTS_MAX) return bad_card(model, err, "the graph has too many inputs");
    for (size_t i = 0; i < graph->input_count; i++) {
        model->roles[i] = -1;
        for (size_t k = 0; k < model->card.input_count; k++) {
            if (strcmp(graph->inputs[i].name, model->card.inputs[k].name) != 0) continue;
            if (!fits(&model->card, &model->card.inputs[k], &graph->inputs[i]))
                return bad_card(model, err,
                                "an input's role does not fit its type and dimensions in the graph");
            model->roles[i] = (int32_t)k;
            images += model->card.inputs[k].role == BST_ROLE_IMAGE;
            found++;
        }
    }
    if (found != graph->input_count || found != model->card.input_count || images > 1)
        return bad_card(model, err, "inputs are not those of the graph");
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

/* ---- deriving ---- */

static char *name_of_file(const char *path)
{
    const char *file = bst_path_name(path);
    size_t len = strlen(file), at = 0;
    if (len > 5 && strcmp(file + len - 5, ".onnx") == 0) len -= 5;
    if (len > NAME_MAX_CARD) len = NAME_MAX_CARD;
    char *name = bst_calloc(len + 8, 1);
    if (name == NULL) return NULL;
    for (size_t i = 0; i < len; i++) {
        char c = file[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (plain || (at > 0 && name[at - 1] != '-')) name[at++] = plain ? c : '-';
    }
    if (at == 0) memcpy(name, "model", 5);
    return name;
}

/* What the last operator says of the output's range; 0 to 1 when it says nothing. */
static void derive_range(const struct graph *graph, struct bst_card *card)
{
    card->output_low = 0.0f;
    card->output_high = 1.0f;
    for (size_t i = graph->node_count; i-- > 0;) {
        const struct node *node = &graph->nodes[i];
        if (node->outputs[0] != graph->outputs[0]) continue;
        if (node->op == op_find("Tanh")) card->output_low = -1.0f;
        if (node->op != op_find("Clip") || node->input_count != 3) return;
        const struct tensor *low = node->inputs[1] >= 0 ? graph->values[node->inputs[1]].constant : NULL;
        const struct tensor *high = node->inputs[2] >= 0 ? graph->values[node->inputs[2]].constant : NULL;
        if (low == NULL || high == NULL || low->count != 1 || high->count != 1 || low->kind != KIND_FLOAT ||
            high->kind != KIND_FLOAT || !(tensor_floats(low)[0] < tensor_floats(high)[0]))
            return;
        card->output_low = tensor_floats(low)[0];
        card->output_high = tensor_floats(high)[0];
        return;
    }
}

/* One input is expected: [N, Z] or [N, Z, 1, 1] is a latent, [N, 3 or 1, H, W] a picture. Others stay
 * unknown. */
static bool derive_inputs(struct bst_model *model)
{
    const struct graph *graph = model->graph;
    struct bst_card *card = &model->card;
    card->inputs = bst_calloc(graph->input_count, sizeof *card->inputs);
    if (card->inputs == NULL) return false;
    for (size_t i = 0; i < graph->input_count && i < INPUTS_MAX; i++) {
        const struct graph_input *input = &graph->inputs[i];
        struct bst_card_input role = {NULL, BST_ROLE_LATENT, 1, 0, card->output_low, card->output_high,
                                      false};
        model->roles[i] = -1;
        if (!fits(card, &role, input)) role.role = BST_ROLE_IMAGE;
        if (!fits(card, &role, input)) continue;
        role.name = bst_strdup(input->name);
        if (role.name == NULL) return false;
        model->roles[i] = (int32_t)card->input_count;
        card->inputs[card->input_count++] = role;
    }
    return true;
}

/* The first of 1, 2, 4 ... 64 such that three input sizes that are multiples of it all come out scaled by the
 * same whole number. */
static bool derive_scale(struct bst_model *model, struct bst_error *err)
{
    struct bst_card *card = &model->card;
    for (uint32_t multiple = 1; multiple <= 64; multiple *= 2) {
        int64_t scale = 0;
        bool same = true;
        for (uint32_t extra = 0; extra < 3 && same; extra++) {
            struct tensor out;
            uint32_t side = 128 + (multiple < 4 ? 1 + extra : extra) * multiple;
            card->output_scale = 1;
            if (model_output(model, side, side, &out, err) != BST_OK) return false;
            if (extra == 0) scale = out.dims[2] / side;
            same = scale >= 1 && scale <= SCALE_MAX && out.dims[2] == side * scale &&
                   out.dims[3] == side * scale;
        }
        if (!same) continue;
        card->output_scale = (uint32_t)scale;
        card->size_multiple = multiple * card->output_scale;
        return true;
    }
    bst_fail(err, BST_UNREADABLE, "%s: the output's size is no whole multiple of the input's", model->path);
    return false;
}

static enum bst_code derive_size(struct bst_model *model, struct bst_error *err)
{
    struct bst_card *card = &model->card;
    struct tensor out;
    const struct graph_input *image = NULL;
    card->output_scale = card->size_multiple = 1;
    card->width = card->height = 512;
    for (size_t i = 0; i < model->graph->input_count && i < INPUTS_MAX; i++) {
        if (model->roles[i] < 0)
            return BST_OK; /* generating says so; the graph can still be run on tensors */
        if (card->inputs[model->roles[i]].role == BST_ROLE_IMAGE) image = &model->graph->inputs[i];
    }
    if (image != NULL && image->dims[2] < 0 && image->dims[3] < 0)
        return derive_scale(model, err) ? BST_OK : err->code;
    card->fixed_size = true;
    if (image != NULL) {
        if (image->dims[2] < 0 || image->dims[3] < 0)
            return bst_fail(err, BST_UNREADABLE, "%s: only one side of the input is fixed", model->path);
        if (image->dims[2] > BST_IMAGE_MAX_SIDE || image->dims[3] > BST_IMAGE_MAX_SIDE)
            return bst_fail(err, BST_UNREADABLE, "%s: the input is larger than a picture may be",
                            model->path);
        card->height = (uint32_t)image->dims[2];
        card->width = (uint32_t)image->dims[3];
    }
    enum bst_code code = model_output(model, card->width, card->height, &out, err);
    if (code != BST_OK) return code;
    if (out.dims[2] < 1 || out.dims[3] < 1 || out.dims[2] > BST_IMAGE_MAX_SIDE ||
        out.dims[3] > BST_IMAGE_MAX_SIDE)
        return bst_fail(err, BST_UNREADABLE, "%s: the output's size is out of range", model->path);
    if (image != NULL) {
        int64_t scale = out.dims[2] / card->height;
        if (scale < 1 || scale > SCALE_MAX || out.dims[2] != scale * card->height ||
            out.dims[3] != scale * card->width)
            return bst_fail(err, BST_UNREADABLE, "%s: the output's size is no whole multiple of the input's",
                            model->path);
        card->output_scale = (uint32_t)scale;
    }
    card->width = (uint32_t)out.dims[3];
    card->height = (uint32_t)out.dims[2];
    return BST_OK;
}

static enum bst_code derive_card(struct bst_model *model, struct bst_error *err)
{
    model->card.name = name_of_file(model->path);
    derive_range(model->graph, &model->card);
    if (model->card.name == NULL || !derive_inputs(model)) return bst_fail_memory(err);
    struct bst_error problem = {0};
    if (derive_size(model, &problem) != BST_OK) model->problem = problem;
    return BST_OK;
}

enum bst_code card_make(struct bst_model *model, struct bst_error *err)
{
    if (model->graph->card == NULL) return derive_card(model, err);
    enum bst_code code = read_card(model, err);
    if (code == BST_OK) code = match_inputs(model, err);
    if (code == BST_OK) code = check_output(model, err);
    return code;
}
