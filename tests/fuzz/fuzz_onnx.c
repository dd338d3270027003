/* fuzz_onnx.c - a stranger's model file: read, card checked, planned and run at a small size. */
#include "model.h"

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
    float *inputs[INPUTS_MAX] = {NULL};
    struct plan_options options = {bst_kernels_for(NULL), 1, MEMORY, "fuzz.onnx"};
    struct plan *plan = NULL;
    struct tensor t;
    struct bst_error err;
    bool small = graph->input_count <= INPUTS_MAX;
    for (size_t i = 0; i < graph->input_count && small; i++) {
        for (size_t d = 0; d < graph->inputs[i].rank; d++)
            dims[i][d] = graph->inputs[i].dims[d] >= 0 ? graph->inputs[i].dims[d] : d < 2 ? 1 : SIDE;
        small = tensor_set_dims(&t, KIND_FLOAT, graph->inputs[i].rank, dims[i]) && t.count <= INPUT_MAX;
        if (small) inputs[i] = bst_calloc(t.count, sizeof(float));
        for (size_t k = 0; small && inputs[i] != NULL && k < t.count; k++)
            inputs[i][k] = 1.0f;
        small = small && inputs[i] != NULL;
    }
    if (small && plan_make(graph, (const int64_t(*)[RANK_MAX])dims, &options, &plan, &err) == BST_OK) {
        const struct tensor *out;
        plan_run(plan, NULL, (const float *const *)inputs, NULL, NULL, &out, &err);
    }
    plan_free(plan);
    for (size_t i = 0; i < INPUTS_MAX; i++)
        free(inputs[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bst_model model = {.path = bst_strdup("fuzz.onnx")};
    struct bst_error err = {0};
    if (model.path != NULL && graph_read(data, len, "fuzz.onnx", &model.graph, &err) == BST_OK) {
        if (card_make(&model, &err) != BST_OK && err.what[0] == 0) abort();
        run(model.graph);
    } else if (err.what[0] == 0) {
        abort();
    }
    card_clear(&model.card);
    graph_free(model.graph);
    free(model.path);
    return 0;
}
