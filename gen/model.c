/* model.c - opening a model file, and the sizes of its inputs and output. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#define INFERRING_MAX ((size_t)256 << 20) /* bytes of constants while only dims are inferred */

char *bst_card_path(const char *model_path)
{
    size_t len = strlen(model_path);
    if (len > 5 && strcmp(model_path + len - 5, ".onnx") == 0) len -= 5;
    return bst_format("%.*s.card.json", (int)len, model_path);
}

static enum bst_code read_card_file(const char *path, char **text, struct bst_error *err)
{
    struct bst_buf file = {0};
    enum bst_code code = bst_file_read(path, CARD_SIZE_MAX, &file, err);
    if (code != BST_OK) return code;
    if (memchr(file.data, 0, file.len) != NULL)
        code = bst_fail(err, BST_UNREADABLE, "%s is no JSON text", path);
    else if (bst_buf_string(&file) == NULL)
        code = bst_fail_memory(err);
    if (code == BST_OK)
        *text = (char *)file.data;
    else
        bst_buf_free(&file);
    return code;
}

enum bst_code bst_model_open(const char *path, struct bst_model **out, struct bst_error *err)
{
    char *card = bst_card_path(path);
    *out = NULL;
    if (card == NULL) return bst_fail_memory(err);
    enum bst_code code = bst_model_open_with(path, bst_file_exists(card) ? card : NULL, out, err);
    free(card);
    return code;
}

enum bst_code bst_model_open_with(const char *path, const char *card_path, struct bst_model **out,
                                  struct bst_error *err)
{
    char *text = NULL;
    *out = NULL;
    enum bst_code code = card_path != NULL ? read_card_file(card_path, &text, err) : BST_OK;
    if (code == BST_OK) code = bst_model_open_text(path, text, out, err);
    free(text);
    return code;
}

enum bst_code bst_model_open_text(const char *path, const char *card_text, struct bst_model **out,
                                  struct bst_error *err)
{
    struct bst_buf file = {0};
    *out = NULL;
    enum bst_code code = bst_file_read(path, MODEL_SIZE_MAX, &file, err);
    if (code != BST_OK) return code;
    struct bst_model *model = bst_calloc(1, sizeof *model);
    if (model == NULL || (model->path = bst_strdup(path)) == NULL) code = bst_fail_memory(err);
    if (code == BST_OK && card_text != NULL && (model->card_text = bst_strdup(card_text)) == NULL)
        code = bst_fail_memory(err);
    fenv_t saved;
    arithmetic_enter(&saved);
    if (code == BST_OK) {
        model->bytes = file.len;
        bst_sha256(file.data, file.len, model->digest);
        code = external_init(&model->external, path) ? BST_OK : bst_fail_memory(err);
    }
    if (code == BST_OK) code = graph_take_file(&file, path, &model->external, &model->graph, err);
    bst_buf_free(&file);
    if (code == BST_OK) code = card_make(model, err);
    arithmetic_leave(&saved);
    if (code != BST_OK) {
        bst_model_free(model);
        return code;
    }
    *out = model;
    return BST_OK;
}

void bst_model_free(struct bst_model *model)
{
    if (model == NULL) return;
    card_clear(&model->card);
    graph_free(model->graph);
    external_clear(&model->external);
    free(model->card_text);
    free(model->path);
    free(model);
}

const struct bst_card *bst_model_card(const struct bst_model *model)
{
    return &model->card;
}

const char *bst_model_path(const struct bst_model *model)
{
    return model->path;
}

uint64_t bst_model_bytes(const struct bst_model *model)
{
    return model->bytes;
}

uint64_t bst_model_parameters(const struct bst_model *model)
{
    return model->graph->parameters;
}

const struct bst_external_file *bst_model_external(const struct bst_model *model, size_t *count)
{
    *count = model->external.count;
    return model->external.files;
}

void bst_model_digest(const struct bst_model *model, uint8_t out[static BST_SHA256_LEN])
{
    memcpy(out, model->digest, BST_SHA256_LEN);
}

/* ---- sizes ---- */

static int64_t cells(uint32_t side, const struct bst_card_input *input)
{
    return ((int64_t)side + input->cell - 1) / input->cell + 2 * (int64_t)input->margin;
}

enum bst_code model_dims(const struct bst_model *model, uint32_t width, uint32_t height,
                         int64_t (*dims)[RANK_MAX], struct bst_error *err)
{
    const struct graph *graph = model->graph;
    if (model->problem.code != BST_OK) {
        *err = model->problem;
        return err->code;
    }
    for (size_t i = 0; i < graph->input_count; i++) {
        const struct graph_input *input = &graph->inputs[i];
        if (i >= INPUTS_MAX || model->roles[i] < 0) {
            bst_fail(err, BST_UNREADABLE, "%s: nothing says what the input '%.80s' is for", model->path,
                     input->name);
            return bst_hint(err, "add a model card to the file's metadata (schema/card.schema.json)");
        }
        const struct bst_card_input *role = &model->card.inputs[model->roles[i]];
        for (size_t d = 0; d < input->rank; d++)
            dims[i][d] = input->dims[d] < 0 ? 1 : input->dims[d];
        if (!has_cells(role) && role->role != BST_ROLE_IMAGE) continue;
        bool image = role->role == BST_ROLE_IMAGE;
        int64_t sides[2] = {image ? height / model->card.output_scale : cells(height, role),
                            image ? width / model->card.output_scale : cells(width, role)};
        struct layout l = layout_of(image && role->nhwc);
        for (size_t side = 0; side < 2; side++) {
            size_t d = side == 0 ? l.h : l.w;
            if (input->dims[d] >= 0 && input->dims[d] != sides[side]) {
                bst_fail(err, BST_USAGE, "%s makes pictures of one size only, not %u x %u", model->path,
                         width, height);
                return bst_hint(err, "the model's size is %u x %u", model->card.width, model->card.height);
            }
            dims[i][d] = sides[side];
        }
    }
    return BST_OK;
}

enum bst_code model_picture(const struct bst_model *model, struct tensor *out, struct bst_error *err)
{
    struct layout l = layout_of(model->card.output_nhwc);
    char text[DIMS_TEXT];
    if (out->kind != KIND_FLOAT || out->rank != 4 || out->dims[0] != 1 || !picture_channels(out->dims[l.c]))
        return bst_fail(err, BST_UNREADABLE, "%s: the graph makes %s, which is no grey or colour picture",
                        model->path, dims_text(out->rank, out->dims, text));
    int64_t dims[3] = {out->dims[l.c], out->dims[l.h], out->dims[l.w]};
    memcpy(out->dims + 1, dims, sizeof dims);
    return BST_OK;
}

enum bst_code model_output(const struct bst_model *model, uint32_t width, uint32_t height, struct tensor *out,
                           struct bst_error *err)
{
    int64_t dims[INPUTS_MAX][RANK_MAX];
    struct plan_options options = {
        .kernels = bst_kernels_for("scalar"), .threads = 1, .memory = INFERRING_MAX, .name = model->path};
    enum bst_code code = model_dims(model, width, height, dims, err);
    if (code == BST_OK)
        code = plan_output_dims(model->graph, (const int64_t(*)[RANK_MAX])dims, &options, out, err);
    if (code != BST_OK) return code;
    return model_picture(model, out, err);
}
