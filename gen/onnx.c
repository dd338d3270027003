/* onnx.c - reads an ONNX file: the model around the graph, which onnx_graph.c reads. */
#include "onnx_reader.h"

#include <stdlib.h>
#include <string.h>

#define CARD_MAX ((size_t)1 << 20)

/* ---- memory ---- */

struct allowed_block {
    size_t cost;
    _Alignas(16) uint8_t data[];
};

static void *allowed_alloc(void *data, size_t size)
{
    struct allowance *allowance = data;
    size_t cost = size + sizeof(struct allowed_block) + 16; /* with malloc's own overhead */
    if (size > SIZE_MAX / 2 || cost > allowance->left) return NULL;
    struct allowed_block *block = malloc(sizeof *block + size);
    if (block == NULL) return NULL;
    block->cost = cost;
    allowance->left -= cost;
    return block->data;
}

static void allowed_free(void *data, void *memory)
{
    struct allowance *allowance = data;
    if (memory == NULL) return;
    struct allowed_block *block = (void *)((uint8_t *)memory - offsetof(struct allowed_block, data));
    allowance->left += block->cost;
    free(block);
}

static void allowance_init(struct allowance *allowance, size_t bytes)
{
    *allowance = (struct allowance){bytes, {allowed_alloc, allowed_free, allowance}};
}

/* ---- the model ---- */

static enum bst_code read_opset(const Onnx__ModelProto *model, struct graph *graph, struct bst_error *err)
{
    int64_t version = 0;
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const char *domain = model->opset_import[i]->domain;
        if (domain == NULL || *domain == 0 || strcmp(domain, "ai.onnx") == 0)
            version = model->opset_import[i]->version;
    }
    if (version < OPSET_MIN || version > OPSET_MAX) {
        bst_fail(err, BST_UNREADABLE, "operator set %lld is not supported, only %d to %d", (long long)version,
                 OPSET_MIN, OPSET_MAX);
        return bst_hint(err,
                        "export the model with opset_version=17, or convert it with onnx.version_converter");
    }
    graph->opset = (int)version;
    return BST_OK;
}

static enum bst_code read_card(const Onnx__ModelProto *model, struct graph *graph, struct bst_error *err)
{
    for (size_t i = 0; i < model->n_metadata_props; i++) {
        const Onnx__StringStringEntryProto *entry = model->metadata_props[i];
        if (entry->key == NULL || entry->value == NULL || strcmp(entry->key, "blindstamp.card") != 0)
            continue;
        size_t len = strlen(entry->value);
        if (len > CARD_MAX)
            return bst_fail(err, BST_UNREADABLE, "the model card is larger than %zu bytes", CARD_MAX);
        if (graph->card != NULL) return bst_fail(err, BST_UNREADABLE, "there are two model cards");
        graph->card = graph_text(graph, entry->value, len);
        if (graph->card == NULL) return bst_fail_memory(err);
    }
    return BST_OK;
}

static enum bst_code read_graph(const Onnx__ModelProto *model, const struct wire *wire,
                                struct allowance *allowance, struct external *external, struct graph *graph,
                                struct bst_error *err)
{
    struct reader r = {
        .graph = graph, .allowance = allowance, .wire = wire, .external = external, .err = err, .guard = -1};
    enum bst_code code = reader_graph(&r, model->graph);
    if (code == BST_OK) code = reader_finish(&r, model->graph);
    reader_free(&r);
    return code;
}

static enum bst_code check_size(size_t len, struct bst_error *err)
{
    if (len <= MODEL_SIZE_MAX) return BST_OK;
    return bst_fail(err, BST_UNREADABLE, "larger than a model may be (%zu bytes)", MODEL_SIZE_MAX);
}

/* Unpacks what is not in the spans of wire. */
static enum bst_code unpack(const struct wire *wire, struct graph *graph, struct external *external,
                            struct bst_error *err)
{
    const struct bst_buf *bytes = wire->rest.data != NULL ? &wire->rest : &graph->file;
    struct allowance allowance;
    allowance_init(&allowance, 2 * bytes->len + ((size_t)64 << 20));
    Onnx__ModelProto *model = onnx__model_proto__unpack(&allowance.allocator, bytes->len, bytes->data);
    enum bst_code code = BST_OK;
    if (model == NULL || model->graph == NULL)
        code = bst_fail(err, BST_UNREADABLE, "not an ONNX model, or a damaged one");
    if (code == BST_OK) code = read_opset(model, graph, err);
    if (code == BST_OK) code = read_card(model, graph, err);
    if (code == BST_OK) code = read_graph(model, wire, &allowance, external, graph, err);
    if (model != NULL) onnx__model_proto__free_unpacked(model, &allowance.allocator);
    return code;
}

enum bst_code graph_take_file(struct bst_buf *file, const char *name, struct external *external,
                              struct graph **out, struct bst_error *err)
{
    struct graph *graph = bst_calloc(1, sizeof *graph);
    struct wire wire = {0};
    *out = NULL;
    if (graph == NULL) {
        bst_buf_free(file);
        return bst_fail_memory(err);
    }
    graph->file = *file;
    *file = (struct bst_buf){0};
    enum bst_code code = check_size(graph->file.len, err);
    if (code == BST_OK && wire_split(graph->file.data, graph->file.len, &wire)) wire_align(&wire);
    if (code == BST_OK) code = unpack(&wire, graph, external, err);
    if (wire.span_bytes == 0) bst_buf_free(&graph->file);
    wire_clear(&wire);
    if (code != BST_OK) {
        graph_free(graph);
        return bst_where(err, "%s", name);
    }
    *out = graph;
    return BST_OK;
}

enum bst_code graph_read(const void *data, size_t len, const char *name, struct graph **out,
                         struct bst_error *err)
{
    struct external none = {0};
    struct bst_buf copy = {0};
    *out = NULL;
    if (check_size(len, err) != BST_OK) return bst_where(err, "%s", name);
    bst_buf_append(&copy, data, len);
    if (copy.failed) return bst_fail_memory(err);
    return graph_take_file(&copy, name, &none, out, err);
}
