/* card_derive.c - what a graph shows of a card when nobody wrote one: roles by shape and, where shapes leave a
 * choice, by the names that exporters give; sizes by trying some; the output's range by its last operators. */
#include "model.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define INFERRING_MAX ((size_t)256 << 20) /* bytes of constants while only dims are inferred */
#define PROBE_SIDE    128                 /* pixels of an open side while sizes are tried */
#define MULTIPLE_MAX  256
#define WALK_MAX      64 /* operators behind the one that bounds the output */

/* ---- name and range ---- */

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

static const struct node *maker_of(const struct graph *graph, int32_t value)
{
    for (size_t i = graph->node_count; i-- > 0;)
        for (size_t o = 0; o < graph->nodes[i].output_count; o++)
            if (graph->nodes[i].outputs[o] == value) return &graph->nodes[i];
    return NULL;
}

static bool is_op(const struct node *node, const char *name)
{
    return node->op == op_find(name);
}

/* A constant of one number among the node's inputs. */
static bool one_number(const struct graph *graph, const struct node *node, size_t input, float *out)
{
    if (input >= node->input_count || node->inputs[input] < 0) return false;
    const struct tensor *t = graph->values[node->inputs[input]].constant;
    if (t == NULL || t->count != 1 || t->kind != KIND_FLOAT) return false;
    *out = tensor_floats(t)[0];
    return true;
}

/* Bounds of what a node makes, whatever its input. */
static bool bounded(const struct graph *graph, const struct node *node, float *low, float *high)
{
    *low = is_op(node, "Tanh") ? -1.0f : 0.0f;
    *high = 1.0f;
    if (is_op(node, "Tanh") || is_op(node, "Sigmoid")) return true;
    return is_op(node, "Clip") && one_number(graph, node, 1, low) && one_number(graph, node, 2, high) &&
           *low < *high;
}

/* y = x * scale + shift of a node with one constant number; *input is where x comes in. */
static bool affine(const struct graph *graph, const struct node *node, float *scale, float *shift,
                   size_t *input)
{
    float c = 0.0f;
    bool left = one_number(graph, node, 0, &c), right = one_number(graph, node, 1, &c);
    *input = left ? 1 : 0;
    *scale = 1.0f;
    *shift = 0.0f;
    if (node->input_count != 2 || left == right) return false;
    if (is_op(node, "Mul"))
        *scale = c;
    else if (is_op(node, "Add"))
        *shift = c;
    else if (is_op(node, "Sub") && right)
        *shift = -c;
    else if (is_op(node, "Div") && right && c != 0.0f)
        *scale = 1.0f / c;
    else
        return false;
    return true;
}

/* Operators that move numbers and change none. */
static bool moves(const struct node *node)
{
    static const char *const names[] = {"Identity",     "Transpose",    "Reshape", "Slice",
                                        "DepthToSpace", "SpaceToDepth", "Squeeze", "Unsqueeze"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (is_op(node, names[i])) return true;
    return false;
}

bool card_bounds(const struct graph *graph, float *low, float *high)
{
    float scale = 1.0f, shift = 0.0f, s, t;
    int32_t value = graph->outputs[0];
    for (size_t i = 0; i < WALK_MAX; i++) {
        const struct node *node = maker_of(graph, value);
        size_t input = 0;
        if (node == NULL || node->input_count == 0) return false;
        if (bounded(graph, node, low, high)) {
            *low = *low * scale + shift;
            *high = *high * scale + shift;
            return *low < *high;
        }
        if (affine(graph, node, &s, &t, &input)) {
            shift += t * scale;
            scale *= s;
        } else if (!moves(node)) {
            return false;
        }
        value = node->inputs[input];
        if (value < 0) return false;
    }
    return false;
}

/* ---- roles ---- */

static bool called(const struct graph_input *input, const char *const *words)
{
    for (; *words != NULL; words++)
        for (const char *at = input->name; *at != 0; at++) {
            size_t n = 0;
            while ((*words)[n] != 0 && tolower((unsigned char)at[n]) == (*words)[n])
                n++;
            if ((*words)[n] == 0) return true;
        }
    return false;
}

static const char *const label_words[] = {"label", "class", "onehot", "one_hot", "cond", NULL};
static const char *const style_words[] = {"style", NULL};
static const char *const noise_words[] = {"noise", NULL};

/* Classes that an input of class numbers chooses from: the rows of the table that it picks from. */
static uint32_t classes_of(const struct graph *graph, int32_t value)
{
    for (size_t i = 0; i < graph->node_count; i++) {
        const struct node *node = &graph->nodes[i];
        for (size_t k = 0; k < node->input_count; k++) {
            if (node->inputs[k] != value) continue;
            if (k == 0 && (moves(node) || is_op(node, "Cast")) && node->output_count > 0)
                value = node->outputs[0]; /* nodes stand in the order they run in */
            if (k != 1 || !is_op(node, "Gather") || node->inputs[0] < 0) continue;
            const struct tensor *table = graph->values[node->inputs[0]].constant;
            if (table != NULL && table->rank == 2 && node_int(node, "axis", 0) == 0 && table->dims[0] > 0 &&
                table->dims[0] <= CLASSES_MAX)
                return (uint32_t)table->dims[0];
        }
    }
    return 0;
}

static bool has_vector(const struct graph *graph)
{
    for (size_t i = 0; i < graph->input_count; i++) {
        const struct graph_input *input = &graph->inputs[i];
        if (input->kind == KIND_FLOAT && input->rank == 2) return true;
        if (input->kind == KIND_FLOAT && input->rank == 4 && input->dims[1] > 4 && input->dims[2] == 1 &&
            input->dims[3] == 1)
            return true;
    }
    return false;
}

/* What a vector is for; sets the card's classes or styles that belong to it. */
static enum bst_role role_of_vector(struct bst_card *card, const struct graph_input *input, bool only)
{
    bool countable = input->dims[1] > 1 && input->dims[1] <= BST_STYLES_MAX;
    if (!only && called(input, label_words) && card->class_count == 0 && input->dims[1] > 1 &&
        input->dims[1] <= CLASSES_MAX) {
        card->class_count = (uint32_t)input->dims[1];
        return BST_ROLE_LABEL;
    }
    if (!only && called(input, style_words) && card->style_count == 0 && countable) {
        card->styles = bst_calloc((size_t)input->dims[1], sizeof *card->styles);
        for (int64_t i = 0; card->styles != NULL && i < input->dims[1]; i++) {
            card->styles[i] = bst_format("style-%lld", (long long)i + 1);
            if (card->styles[i] == NULL) break;
            card->style_count++;
        }
        return BST_ROLE_STYLE;
    }
    return BST_ROLE_LATENT;
}

static enum bst_role role_of_map(const struct graph *graph, const struct graph_input *input, bool *nhwc)
{
    const int64_t *d = input->dims;
    if (d[2] == 1 && d[3] == 1) return BST_ROLE_LATENT;
    *nhwc = !picture_channels(d[1]) && picture_channels(d[3]);
    if (called(input, noise_words) || (d[1] == 1 && has_vector(graph)) || (d[1] > 4 && !*nhwc)) {
        *nhwc = false;
        return BST_ROLE_NOISE;
    }
    return BST_ROLE_IMAGE;
}

/* A second vector or picture that nothing tells from the first stays unknown. */
static bool taken(const struct bst_card *card, enum bst_role role)
{
    return role != BST_ROLE_NOISE && bst_card_has(card, role);
}

static bool derive_input(struct bst_model *model, size_t i)
{
    const struct graph *graph = model->graph;
    const struct graph_input *input = &graph->inputs[i];
    struct bst_card *card = &model->card;
    struct bst_card_input role = {.cell = 1, .low = card->output_low, .high = card->output_high};
    model->roles[i] = -1;
    if (input->kind == KIND_INT) {
        role.role = BST_ROLE_LABEL;
        if (card->class_count == 0) card->class_count = classes_of(graph, input->value);
    } else if (input->rank == 2) {
        role.role = role_of_vector(card, input, graph->input_count == 1);
    } else if (input->rank == 4) {
        role.role = role_of_map(graph, input, &role.nhwc);
    }
    if (!card_fits(card, &role, input) || taken(card, role.role)) return true;
    role.name = bst_strdup(input->name);
    if (role.name == NULL) return false;
    model->roles[i] = (int32_t)card->input_count;
    card->inputs[card->input_count++] = role;
    return true;
}

static bool derive_inputs(struct bst_model *model)
{
    size_t count = model->graph->input_count;
    model->card.inputs = bst_calloc(count, sizeof *model->card.inputs);
    for (size_t i = 0; model->card.inputs != NULL && i < count && i < INPUTS_MAX; i++)
        if (!derive_input(model, i)) return false;
    return model->card.inputs != NULL;
}

/* ---- sizes ---- */

static const struct bst_card_input *role_at(const struct bst_model *model, size_t i)
{
    return i < INPUTS_MAX && model->roles[i] >= 0 ? &model->card.inputs[model->roles[i]] : NULL;
}

/* The output's dims when every open side of a picture or map is side; [1, C, H, W]. */
static enum bst_code try_side(struct bst_model *model, int64_t side, struct tensor *out,
                              struct bst_error *err)
{
    int64_t dims[INPUTS_MAX][RANK_MAX];
    for (size_t i = 0; i < model->graph->input_count; i++) {
        const struct graph_input *input = &model->graph->inputs[i];
        const struct bst_card_input *role = role_at(model, i);
        bool map = role != NULL && (role->role == BST_ROLE_IMAGE || role->role == BST_ROLE_NOISE);
        for (size_t d = 0; d < input->rank; d++)
            dims[i][d] = input->dims[d] >= 0 ? input->dims[d] : map && d > 0 ? side : 1;
    }
    struct plan_options options = {
        .kernels = bst_kernels_for("scalar"), .threads = 1, .memory = INFERRING_MAX, .name = model->path};
    enum bst_code code = plan_output_dims(model->graph, (const int64_t(*)[RANK_MAX])dims, &options, out, err);
    if (code != BST_OK) return code;
    model->card.output_nhwc = out->rank == 4 && !picture_channels(out->dims[1]);
    return model_picture(model, out, err);
}

static enum bst_code no_multiple(const struct bst_model *model, struct bst_error *err)
{
    return bst_fail(err, BST_UNREADABLE, "%s: the output's size is no whole multiple of the input's",
                    model->path);
}

/* The first of 1, 2, 4 ... such that three input sizes that are multiples of it all come out scaled by the
 * same whole number. */
static enum bst_code derive_scale(struct bst_model *model, struct bst_error *err)
{
    struct bst_card *card = &model->card;
    enum bst_code code = BST_OK;
    for (uint32_t multiple = 1; multiple <= MULTIPLE_MAX; multiple *= 2) {
        int64_t scale = 0;
        bool same = true;
        for (uint32_t extra = 0; extra < 3 && same; extra++) {
            struct tensor out;
            int64_t side = (int64_t)multiple * ((PROBE_SIDE + multiple - 1) / multiple + extra) +
                           (multiple < 4 ? multiple : 0);
            code = try_side(model, side, &out, err);
            if (code == BST_FAILURE) return code;
            same = code == BST_OK;
            if (same && extra == 0) scale = out.dims[2] / side;
            same = same && scale >= 1 && scale <= SCALE_MAX && out.dims[2] == side * scale &&
                   out.dims[3] == side * scale;
        }
        if (!same) continue;
        card->output_scale = (uint32_t)scale;
        card->size_multiple = multiple * card->output_scale;
        *err = (struct bst_error){0};
        return BST_OK;
    }
    return code != BST_OK ? code : no_multiple(model, err);
}

/* The cells of noise maps of open size, and the rim that unpadded convolutions use up: with n cells a side the
 * output has cell * (n - 2 * margin) pixels. */
static enum bst_code derive_cells(struct bst_model *model, struct bst_error *err)
{
    struct bst_card *card = &model->card;
    struct tensor a, b, c;
    enum bst_code code = try_side(model, 32, &a, err);
    if (code == BST_OK) code = try_side(model, 33, &b, err);
    if (code == BST_OK) code = try_side(model, 40, &c, err);
    if (code != BST_OK) return code;
    int64_t cell = b.dims[2] - a.dims[2], margin = cell > 0 ? 32 - a.dims[2] / cell : -1;
    if (cell < 1 || cell > CELL_MAX || margin < 0 || margin % 2 != 0 || a.dims[2] != cell * (32 - margin) ||
        c.dims[2] != cell * (40 - margin) || c.dims[3] != c.dims[2])
        return bst_fail(err, BST_UNREADABLE, "%s: the output's size does not follow from the noise map's",
                        model->path);
    for (size_t i = 0; i < card->input_count; i++) {
        if (card->inputs[i].role != BST_ROLE_NOISE) continue;
        card->inputs[i].cell = (uint32_t)cell;
        card->inputs[i].margin = (uint32_t)(margin / 2);
    }
    return BST_OK;
}

static bool open_map(const struct graph_input *input)
{
    return input->dims[2] < 0 && input->dims[3] < 0;
}

/* Maps of a fixed size cover the picture evenly. */
static enum bst_code fixed_cells(struct bst_model *model, const struct tensor *out, struct bst_error *err)
{
    for (size_t i = 0; i < model->graph->input_count; i++) {
        const int64_t *d = model->graph->inputs[i].dims;
        if (role_at(model, i) == NULL || role_at(model, i)->role != BST_ROLE_NOISE) continue;
        int64_t cell = d[2] > 0 ? out->dims[2] / d[2] : 0;
        if (cell < 1 || cell > CELL_MAX || d[2] * cell != out->dims[2] || d[3] * cell != out->dims[3])
            return bst_fail(err, BST_UNREADABLE,
                            "%s: the noise map '%.80s' does not cover the picture evenly", model->path,
                            model->graph->inputs[i].name);
        model->card.inputs[model->roles[i]].cell = (uint32_t)cell;
    }
    return BST_OK;
}

static enum bst_code derive_fixed(struct bst_model *model, const struct graph_input *image,
                                  struct bst_error *err)
{
    struct bst_card *card = &model->card;
    struct tensor out;
    card->fixed_size = true;
    enum bst_code code = try_side(model, 1, &out, err);
    if (code != BST_OK) return code;
    if (out.dims[2] < 1 || out.dims[3] < 1 || out.dims[2] > BST_IMAGE_MAX_SIDE ||
        out.dims[3] > BST_IMAGE_MAX_SIDE)
        return bst_fail(err, BST_UNREADABLE, "%s: the output's size is out of range", model->path);
    if (image != NULL) {
        struct layout l = layout_of(role_at(model, (size_t)(image - model->graph->inputs))->nhwc);
        int64_t h = image->dims[l.h], w = image->dims[l.w];
        if (h < 1 || w < 1 || h > BST_IMAGE_MAX_SIDE || w > BST_IMAGE_MAX_SIDE)
            return bst_fail(err, BST_UNREADABLE, "%s: the input is larger than a picture may be, or empty",
                            model->path);
        int64_t scale = out.dims[2] / h;
        if (scale < 1 || scale > SCALE_MAX || out.dims[2] != scale * h || out.dims[3] != scale * w)
            return no_multiple(model, err);
        card->output_scale = (uint32_t)scale;
    }
    card->width = (uint32_t)out.dims[3];
    card->height = (uint32_t)out.dims[2];
    return fixed_cells(model, &out, err);
}

static enum bst_code derive_size(struct bst_model *model, struct bst_error *err)
{
    struct bst_card *card = &model->card;
    const struct graph_input *image = NULL;
    bool open = false, fixed = false;
    card->output_scale = card->size_multiple = 1;
    card->width = card->height = 512;
    for (size_t i = 0; i < model->graph->input_count; i++) {
        const struct graph_input *input = &model->graph->inputs[i];
        const struct bst_card_input *role = role_at(model, i);
        if (role == NULL) return BST_OK; /* generating says so; the graph can still be run on tensors */
        if (role->role == BST_ROLE_IMAGE) {
            struct layout l = layout_of(role->nhwc);
            image = input;
            if ((input->dims[l.h] < 0) != (input->dims[l.w] < 0))
                return bst_fail(err, BST_UNREADABLE, "%s: only one side of the input is fixed", model->path);
            if (input->dims[l.h] < 0) return derive_scale(model, err);
        }
        if (role->role != BST_ROLE_NOISE) continue;
        open = open || open_map(input);
        fixed = fixed || !open_map(input);
    }
    if (open && fixed)
        return bst_fail(err, BST_UNREADABLE, "%s: some noise maps are of open size and some are not",
                        model->path);
    return open ? derive_cells(model, err) : derive_fixed(model, image, err);
}

enum bst_code card_derive(struct bst_model *model, struct bst_error *err)
{
    struct bst_card *card = &model->card;
    card->name = name_of_file(model->path);
    card->latent = BST_LATENT_PHILOX;
    if (!card_bounds(model->graph, &card->output_low, &card->output_high)) {
        card->output_low = 0.0f;
        card->output_high = 1.0f;
    }
    if (card->name == NULL || !derive_inputs(model)) return bst_fail_memory(err);
    struct bst_error problem = {0};
    if (derive_size(model, &problem) != BST_OK) model->problem = problem;
    return BST_OK;
}
