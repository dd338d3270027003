/* fuzz_onnx.c - a stranger's model file: read, card checked, planned and run at a small size. Most mutations
 * of bytes break the wire format and get no further than that; so a file that can be unpacked is tried a
 * second time with some of its numbers, names and operators exchanged, which reaches the operators. */
#include "model.h"
#include "onnx.h"
#include "tiling.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define MEMORY    ((size_t)2 << 20) /* small, so that no mutation makes one run take seconds */
#define SIDE      24                /* of open dimensions */
#define INPUT_MAX 100000            /* numbers of one input */

/* Runs the graph on ones, as far as its sizes are small. */
static void run(const struct graph *graph)
{
    int64_t dims[INPUTS_MAX][RANK_MAX];
    void *inputs[INPUTS_MAX] = {NULL};
    const void *values[INPUTS_MAX] = {NULL};
    bool needs[INPUTS_MAX] = {false};
    struct plan_options options = {.kernels = bst_kernels_for(NULL),
                                   .threads = 1,
                                   .memory = MEMORY,
                                   .name = "fuzz.onnx",
                                   .needs = needs};
    struct plan *plan = NULL;
    struct tensor t;
    struct bst_error err;
    bool small = graph->input_count <= INPUTS_MAX;
    for (size_t i = 0; i < graph->input_count && small; i++) {
        for (size_t d = 0; d < graph->inputs[i].rank; d++)
            dims[i][d] = graph->inputs[i].dims[d] >= 0 ? graph->inputs[i].dims[d] : d < 2 ? 1 : SIDE;
        small = tensor_set_dims(&t, graph->inputs[i].kind, graph->inputs[i].rank, dims[i]) &&
                t.count <= INPUT_MAX;
        if (small) inputs[i] = t.data = bst_calloc(t.count + 1, tensor_item(&t));
        small = small && inputs[i] != NULL;
        for (size_t k = 0; small && k < t.count; k++) {
            if (t.kind == KIND_FLOAT)
                tensor_floats(&t)[k] = 1.0f;
            else
                tensor_ints(&t)[k] = (int64_t)(k % 3);
        }
    }
    const int64_t(*sizes)[RANK_MAX] = (const int64_t(*)[RANK_MAX])dims;
    if (small && plan_make(graph, sizes, &options, &plan, &err) != BST_OK) {
        for (size_t i = 0; i < graph->input_count; i++)
            values[i] = needs[i] ? inputs[i] : NULL;
        options.values = values;
        small = plan_make(graph, sizes, &options, &plan, &err) == BST_OK;
    }
    if (small) {
        const struct tensor *out;
        plan_run(plan, NULL, (const void *const *)inputs, NULL, NULL, &out, &err);
    }
    plan_free(plan);
    for (size_t i = 0; i < INPUTS_MAX; i++)
        free(inputs[i]);
}

/* Traces what crops make right, as far as that is allowed. */
static void cut(const struct bst_model *model)
{
    const struct plan_options options = {
        .kernels = bst_kernels_for(NULL), .threads = 1, .memory = MEMORY, .name = "fuzz.onnx"};
    const struct tiling_limits limits = {.memory = MEMORY, .pixels = 96 * 64, .side = 64};
    uint32_t multiple = model->card.size_multiple;
    struct tiling tiling;
    struct bst_error err = {0};
    if (multiple > 96) return;
    if (tiling_make(model, (96 + multiple - 1) / multiple * multiple,
                    (64 + multiple - 1) / multiple * multiple, &options, &limits, &tiling, &err) != BST_OK &&
        err.what[0] == 0)
        abort();
    tiling_clear(&tiling);
}

static void try_model(const uint8_t *data, size_t len)
{
    struct bst_model model = {.path = bst_strdup("fuzz.onnx")};
    struct bst_error err = {0};
    if (model.path != NULL && graph_read(data, len, "fuzz.onnx", &model.graph, &err) == BST_OK) {
        if (card_make(&model, &err) != BST_OK && err.what[0] == 0) abort();
        run(model.graph);
        if (err.what[0] == 0 && model.problem.code == BST_OK) cut(&model);
    } else if (err.what[0] == 0) {
        abort();
    }
    card_clear(&model.card);
    graph_free(model.graph);
    free(model.path);
}

/* ---- exchanging ---- */

static uint64_t state;

static uint64_t draw(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state >> 33;
}

static int64_t some_int(int64_t old)
{
    static const int64_t edges[] = {0, 1, -1, 2, 3, 7, 64, 1025, INT32_MAX, INT64_MAX, INT64_MIN};
    return draw() % 3 ? (int64_t)((uint64_t)old + draw() % 5 - 2)
                      : edges[draw() % (sizeof edges / sizeof edges[0])];
}

static void shake_list(int64_t *list, size_t count)
{
    if (count > 0) list[draw() % count] = some_int(0);
}

static void shake(Onnx__GraphProto *graph);

/* A branch is a graph of its own, kept packed. */
static void shake_branch(Onnx__AttributeProto *a)
{
    Onnx__GraphProto *branch = onnx__graph_proto__unpack(NULL, a->g.len, a->g.data);
    if (branch == NULL) return;
    shake(branch);
    uint8_t *packed = malloc(onnx__graph_proto__get_packed_size(branch) + 1);
    if (packed != NULL) {
        free(a->g.data);
        a->g.data = packed;
        a->g.len = onnx__graph_proto__pack(branch, packed);
    }
    onnx__graph_proto__free_unpacked(branch, NULL);
}

static void shake_attribute(Onnx__AttributeProto *a)
{
    if (a->has_g) shake_branch(a);
    if (a->has_i) a->i = some_int(a->i);
    if (a->has_f) a->f = draw() % 2 ? -a->f : (float)some_int(0);
    shake_list(a->ints, a->n_ints);
}

static void exchange(char **a, char **b)
{
    char *kept = *a;
    *a = *b;
    *b = kept;
}

static void shake_node(Onnx__GraphProto *graph, Onnx__NodeProto *node)
{
    Onnx__NodeProto *other = graph->node[draw() % graph->n_node];
    switch (draw() % 4) {
    case 0:
        exchange(&node->op_type, &other->op_type);
        break;
    case 1:
        if (node->n_input > 0 && other->n_input > 0)
            exchange(&node->input[draw() % node->n_input], &other->input[draw() % other->n_input]);
        break;
    default:
        if (node->n_attribute > 0) shake_attribute(node->attribute[draw() % node->n_attribute]);
        break;
    }
}

static void shake_constant(Onnx__TensorProto *t)
{
    if (draw() % 2 && t->n_dims > 1) { /* other dims of the same size */
        int64_t first = t->dims[0];
        t->dims[0] = t->dims[t->n_dims - 1];
        t->dims[t->n_dims - 1] = first;
    } else if (t->n_int64_data > 0) {
        size_t at = draw() % t->n_int64_data;
        t->int64_data[at] = some_int(t->int64_data[at]);
    } else if (t->n_float_data > 0) {
        t->float_data[draw() % t->n_float_data] = draw() % 2 ? 1.5f : (float)some_int(0);
    }
}

static void shake_input(Onnx__ValueInfoProto *input)
{
    Onnx__TypeProto__Tensor *t = input->type != NULL ? input->type->tensor_type : NULL;
    if (t == NULL || t->shape == NULL || t->shape->n_dim == 0) return;
    Onnx__TensorShapeProto__Dimension *dim = t->shape->dim[draw() % t->shape->n_dim];
    dim->has_dim_value = draw() % 4 != 0;
    dim->dim_value = draw() % 4 ? (int64_t)(draw() % 12) : some_int(dim->dim_value);
}

static void shake(Onnx__GraphProto *graph)
{
    for (size_t n = 1 + draw() % 3; n > 0; n--) {
        size_t what = draw() % 4;
        if (what < 2 && graph->n_node > 0) shake_node(graph, graph->node[draw() % graph->n_node]);
        if (what == 2 && graph->n_initializer > 0)
            shake_constant(graph->initializer[draw() % graph->n_initializer]);
        if (what == 3 && graph->n_input > 0) shake_input(graph->input[draw() % graph->n_input]);
    }
}

static void try_shaken(const uint8_t *data, size_t len)
{
    Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, len, data);
    if (model == NULL) return;
    if (model->graph != NULL) {
        shake(model->graph);
        if (draw() % 4 == 0 && model->n_opset_import > 0)
            model->opset_import[0]->version = 5 + (int64_t)(draw() % 18);
        size_t size = onnx__model_proto__get_packed_size(model);
        uint8_t *packed = malloc(size + 1);
        if (packed != NULL) try_model(packed, onnx__model_proto__pack(model, packed));
        free(packed);
    }
    onnx__model_proto__free_unpacked(model, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    try_model(data, len);
    if (len > INPUT_MAX) return 0; /* unpacking without an allowance is for small files only */
    state = len;
    for (size_t i = 0; i < len; i++)
        state = (state ^ data[i]) * 1099511628211u;
    try_shaken(data, len);
    return 0;
}
