/* card_propose.c - a card for a model without one: what the graph shows (card_derive.c), ranges measured by
 * running it, and in plain words what was found and what could not be told. */
#include "generator.h"
#include "inputs.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES_MAX  200000 /* numbers of an output that are looked at */
#define MEASURE_SIDE 64     /* pixels of the pictures that are measured, where the model leaves a choice */

struct range {
    float low, high;
};
static const struct range ranges[] = {{0.0f, 1.0f}, {-1.0f, 1.0f}, {0.0f, 255.0f}};
#define RANGES (sizeof ranges / sizeof ranges[0])

/* ---- notes ---- */

#define SEEN    "seen"
#define ASSUMED "assumed" /* by custom; it may be otherwise */
#define UNKNOWN "unknown" /* a card must say it */

static void note(json_t *notes, const char *state, const char *format, ...) BST_PRINTF(3, 4);
static void note(json_t *notes, const char *state, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char *safe = bst_printable(text, strlen(text)); /* names in the graph are a stranger's */
    json_array_append_new(notes, json_pack("{s:s, s:s}", "state", state, "words", safe != NULL ? safe : ""));
    free(safe);
}

static const char *channels_words(int64_t channels)
{
    return channels == 1 ? "grey" : channels == 4 ? "red, green, blue and alpha" : "red, green, blue";
}

static void note_input(const struct bst_model *model, size_t i, json_t *notes)
{
    const struct graph_input *input = &model->graph->inputs[i];
    const struct bst_card *card = &model->card;
    char dims[DIMS_TEXT];
    dims_text(input->rank, input->dims, dims);
    if (i >= INPUTS_MAX || model->roles[i] < 0) {
        note(notes, UNKNOWN, "input %.80s %s: nothing says what it is for; name its role in a card",
             input->name, dims);
        return;
    }
    const struct bst_card_input *role = &card->inputs[model->roles[i]];
    struct layout l = layout_of(role->nhwc);
    switch (role->role) {
    case BST_ROLE_LATENT:
        note(notes, SEEN, "input %.80s %s: a latent vector, %lld normal numbers a picture", input->name, dims,
             (long long)input->dims[1]);
        break;
    case BST_ROLE_NOISE:
        note(notes, SEEN, "input %.80s %s: a noise map, one cell for %u x %u pixels", input->name, dims,
             role->cell, role->cell);
        break;
    case BST_ROLE_STYLE:
        note(notes, ASSUMED,
             "input %.80s %s: weights of styles, by its name; they are called style-1 and so on", input->name,
             dims);
        break;
    case BST_ROLE_CODES:
        break; /* no graph shows that it takes them */
    case BST_ROLE_LABEL:
        note(notes, SEEN, "input %.80s %s: a class out of %u", input->name, dims, card->class_count);
        break;
    default:
        note(notes, SEEN, "input %.80s %s: a picture, %s, channels %s", input->name, dims,
             channels_words(input->dims[l.c]), role->nhwc ? "last" : "in planes");
        if (input->dims[l.c] >= 3)
            note(notes, ASSUMED, "the order of its colours cannot be seen; red, green, blue is assumed");
    }
}

static void note_size(const struct bst_model *model, json_t *notes)
{
    const struct bst_card *card = &model->card;
    if (card->fixed_size)
        note(notes, SEEN, "size: %u x %u only", card->width, card->height);
    else if (card->size_multiple > 1)
        note(notes, SEEN, "size: any; made in multiples of %u and cropped", card->size_multiple);
    else
        note(notes, SEEN, "size: any");
    if (card->output_scale > 1) note(notes, SEEN, "each side comes out %u times as long", card->output_scale);
}

/* ---- measuring ---- */

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The range that all but the outermost hundredth of the numbers lie in. NaN and infinite ones are left out. */
static bool spread_of(const struct tensor *t, struct range *out)
{
    size_t step = t->count / SAMPLES_MAX + 1, kept = 0;
    float *numbers = bst_calloc(t->count / step + 1, sizeof *numbers);
    for (size_t i = 0; numbers != NULL && i < t->count; i += step)
        if (isfinite(tensor_floats(t)[i])) numbers[kept++] = tensor_floats(t)[i];
    if (kept > 0) {
        qsort(numbers, kept, sizeof *numbers, by_size);
        *out = (struct range){numbers[kept / 100], numbers[kept - 1 - kept / 100]};
    }
    free(numbers);
    return kept > 0;
}

static enum bst_code measure_picture(uint32_t width, uint32_t height, struct bst_image *out,
                                     struct bst_error *err)
{
    enum bst_code code = bst_image_new(width, height, 3, 8, out, err);
    for (size_t i = 0; code == BST_OK && i < bst_image_size(out); i++) {
        size_t x = i / 3 % width, y = i / 3 / width, c = i % 3;
        out->samples[i] = (uint8_t)((x * (2 + c) + y * (3 - c)) * 255 / (5 * ((size_t)width + height)));
    }
    return code;
}

static enum bst_code run_filled(struct bst_generator *g, const struct inputs_run *run,
                                const int64_t (*dims)[RANK_MAX], struct range *out, struct bst_error *err)
{
    const struct graph *graph = g->model->graph;
    const void *inputs[INPUTS_MAX] = {NULL};
    const struct tensor *output;
    size_t count = 0;
    for (size_t i = 0; i < graph->input_count; i++) {
        struct tensor t;
        if (!tensor_set_dims(&t, graph->inputs[i].kind, graph->inputs[i].rank, dims[i]) ||
            !bst_add(count, input_floats(&t), &count))
            return bst_fail(err, BST_UNREADABLE, "%s: its inputs are too large", g->model->path);
    }
    enum bst_code code = generator_plan(g, dims, NULL, count * sizeof(float), err);
    if (code != BST_OK) return code;
    float *memory = bst_calloc(count, sizeof *memory);
    if (memory == NULL) return bst_fail_memory(err);
    code = inputs_fill(run, dims, memory, inputs, err);
    if (code == BST_OK) code = plan_run(g->plan, g->pool, inputs, g->progress, g->progress_arg, &output, err);
    if (code == BST_OK && !spread_of(output, out))
        code = bst_fail(err, BST_UNREADABLE, "%s: the graph makes no finite numbers", g->model->path);
    free(memory);
    return code;
}

/* Runs the graph once on a shallow copy of the model whose picture input maps to the range. */
static enum bst_code run_once(struct bst_generator *g, const struct range *range, uint64_t seed,
                              struct range *out, struct bst_error *err)
{
    struct bst_model model = *g->model;
    struct bst_card *card = &model.card;
    struct bst_card_input roles[INPUTS_MAX];
    int64_t dims[INPUTS_MAX][RANK_MAX];
    struct bst_image picture = {0};
    struct bst_used used;
    bool image = false;
    uint32_t side = (MEASURE_SIDE + card->size_multiple - 1) / card->size_multiple * card->size_multiple;
    uint32_t width = card->fixed_size ? card->width : side, height = card->fixed_size ? card->height : side;
    memcpy(roles, card->inputs, card->input_count * sizeof *roles);
    for (size_t i = 0; i < card->input_count; i++) {
        roles[i].low = range->low;
        roles[i].high = range->high;
        image = image || roles[i].role == BST_ROLE_IMAGE;
    }
    card->inputs = roles;
    enum bst_code code = BST_OK;
    if (image) code = measure_picture(width / card->output_scale, height / card->output_scale, &picture, err);
    struct bst_controls controls = {
        .seed = seed, .truncation = 1.0f, .width = width, .height = height, .input = image ? &picture : NULL};
    fenv_t saved;
    arithmetic_enter(&saved);
    if (code == BST_OK) code = controls_resolve(card, &controls, &used, err);
    if (code == BST_OK) code = model_dims(&model, width, height, dims, err);
    const struct inputs_run run = {&model, g->kernels, g->pool, controls.input, &used, NULL};
    if (code == BST_OK) code = run_filled(g, &run, (const int64_t(*)[RANK_MAX])dims, out, err);
    arithmetic_leave(&saved);
    bst_image_clear(&picture);
    return code;
}

/* Networks that change pictures keep their range: the one whose pictures come out in about the same. */
static enum bst_code measure_image(struct bst_generator *g, struct range *range, size_t *candidates,
                                   struct bst_error *err)
{
    *candidates = 0;
    *range = ranges[0];
    for (size_t i = 0; i < RANGES; i++) {
        struct range out;
        float span = ranges[i].high - ranges[i].low;
        enum bst_code code = run_once(g, &ranges[i], 1, &out, err);
        if (code != BST_OK) return code;
        if (out.low < ranges[i].low - 0.35f * span || out.high > ranges[i].high + 0.35f * span ||
            out.high - out.low < 0.2f * span)
            continue;
        if ((*candidates)++ == 0) *range = ranges[i];
    }
    return BST_OK;
}

static enum bst_code measure_drawn(struct bst_generator *g, struct range *range, size_t *candidates,
                                   struct bst_error *err)
{
    struct range all = {0, 0};
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct range out;
        enum bst_code code = run_once(g, &ranges[0], seed, &out, err);
        if (code != BST_OK) return code;
        all.low = seed == 1 ? out.low : fminf(all.low, out.low);
        all.high = seed == 1 ? out.high : fmaxf(all.high, out.high);
    }
    *candidates = 1;
    if (all.low >= -0.3f && all.high <= 1.4f)
        *range = ranges[0];
    else if (all.low >= -1.8f && all.high <= 1.8f)
        *range = ranges[1];
    else if (all.high > 16.0f && all.low > -100.0f && all.high < 360.0f)
        *range = ranges[2];
    else
        *candidates = 0;
    if (*candidates == 0) *range = ranges[1];
    return BST_OK;
}

static enum bst_code settle_range(struct bst_generator *g, struct bst_card *card, json_t *notes,
                                  struct bst_error *err)
{
    struct range range;
    size_t candidates = 0;
    const struct bst_card_input *image = NULL;
    for (size_t i = 0; i < card->input_count; i++)
        if (card->inputs[i].role == BST_ROLE_IMAGE) image = &card->inputs[i];
    if (card_bounds(g->model->graph, &range.low, &range.high)) {
        note(notes, SEEN, "output: %g to %g, held there by the graph's last operators", (double)range.low,
             (double)range.high);
        if (image != NULL)
            note(notes, ASSUMED, "the input's range cannot be seen; the output's, %g to %g, is assumed",
                 (double)range.low, (double)range.high);
        return BST_OK;
    }
    enum bst_code code = image != NULL ? measure_image(g, &range, &candidates, err)
                                       : measure_drawn(g, &range, &candidates, err);
    if (code != BST_OK) return code;
    if (candidates == 1)
        note(notes, SEEN, "%s: %g to %g, measured by running it",
             image != NULL ? "input and output" : "output", (double)range.low, (double)range.high);
    else
        note(notes, ASSUMED, "%s: %g to %g is assumed; %s", image != NULL ? "input and output" : "output",
             (double)range.low, (double)range.high,
             candidates > 1 ? "running it does not tell the ranges apart"
                            : "what it makes fits no usual range");
    card->output_low = range.low;
    card->output_high = range.high;
    for (size_t i = 0; i < card->input_count; i++) {
        card->inputs[i].low = range.low;
        card->inputs[i].high = range.high;
    }
    return BST_OK;
}

/* ---- as JSON ---- */

static json_t *input_json(const struct bst_card_input *input)
{
    static const char *const roles[] = {"latent", "noise", "style", "image", "label"}; /* as enum bst_role */
    json_t *json = json_pack("{s:s, s:s}", "name", input->name, "role", roles[input->role]);
    if (input->role == BST_ROLE_NOISE) {
        json_object_set_new(json, "cell", json_integer(input->cell));
        json_object_set_new(json, "margin", json_integer(input->margin));
    }
    if (input->role == BST_ROLE_IMAGE) {
        json_object_set_new(json, "low", json_real((double)input->low));
        json_object_set_new(json, "high", json_real((double)input->high));
        if (input->nhwc) json_object_set_new(json, "layout", json_string("nhwc"));
    }
    return json;
}

static json_t *card_json(const struct bst_model *model, const struct bst_card *card)
{
    json_t *json =
        json_pack("{s:s, s:s, s:f, s:f}", "schema", "blindstamp.card/1", "name", card->name, "output_low",
                  (double)card->output_low, "output_high", (double)card->output_high);
    json_t *inputs = json_array();
    for (size_t i = 0; i < card->input_count; i++)
        json_array_append_new(inputs, input_json(&card->inputs[i]));
    json_object_set_new(json, "inputs", inputs);
    if (model->problem.code == BST_OK) {
        json_object_set_new(json, "width", json_integer(card->width));
        json_object_set_new(json, "height", json_integer(card->height));
        json_object_set_new(json, "size_multiple", json_integer(card->size_multiple));
        json_object_set_new(json, "fixed_size", json_boolean(card->fixed_size));
        json_object_set_new(json, "output_scale", json_integer(card->output_scale));
    }
    if (card->output_nhwc) json_object_set_new(json, "output_layout", json_string("nhwc"));
    if (card->class_count > 0) json_object_set_new(json, "classes", json_integer(card->class_count));
    json_t *styles = card->style_count > 0 ? json_array() : NULL;
    for (size_t i = 0; i < card->style_count; i++)
        json_array_append_new(styles, json_string(card->styles[i]));
    if (styles != NULL) json_object_set_new(json, "styles", styles);
    return json;
}

enum bst_code bst_card_propose(struct bst_generator *generator, json_t **out, json_t **notes,
                               struct bst_error *err)
{
    const struct bst_model *model = generator->model;
    struct bst_card card = model->card;
    bool known = model->problem.code == BST_OK && model->graph->input_count <= INPUTS_MAX;
    enum bst_code code = BST_OK;
    json_t *list = json_array();
    card.inputs = bst_calloc(card.input_count, sizeof *card.inputs);
    if (card.inputs == NULL || list == NULL) code = bst_fail_memory(err);
    if (code == BST_OK) memcpy(card.inputs, model->card.inputs, card.input_count * sizeof *card.inputs);
    for (size_t i = 0; i < model->graph->input_count && code == BST_OK; i++) {
        note_input(model, i, list);
        known = known && model->roles[i] >= 0;
    }
    if (code == BST_OK && model->problem.code != BST_OK)
        note(list, UNKNOWN, "size: %s", model->problem.what);
    else if (code == BST_OK && known)
        note_size(model, list);
    if (code == BST_OK && known) code = settle_range(generator, &card, list, err);
    if (code == BST_OK && (*out = card_json(model, &card)) == NULL) code = bst_fail_memory(err);
    free(card.inputs);
    if (code == BST_OK)
        *notes = list;
    else
        json_decref(list);
    return code;
}
