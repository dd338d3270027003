/* outputs.c - what our engine makes of a model: outputs MODEL.onnx OUT IN... reads each input of the graph as raw
 * float32 of the file's dims, runs the model with two threads and writes its first output as raw float32. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

static void die(const struct bst_error *err)
{
    fprintf(stderr, "%s: %s\n", err->where, err->what);
    exit(1);
}

static size_t count_of(size_t rank, const int64_t *dims)
{
    size_t count = 1;
    for (size_t i = 0; i < rank; i++)
        count *= (size_t)dims[i];
    return count;
}

int main(int argc, char **argv)
{
    struct bst_model *model;
    struct bst_generator *generator;
    struct bst_run_options options = {.threads = 2};
    struct bst_tensor inputs[8] = {{0}}, out = {0};
    struct bst_buf files[8] = {{0}};
    struct bst_error err;
    if (argc < 3 || bst_model_open(argv[1], &model, &err) != BST_OK) die(&err);
    const struct graph *graph = model->graph;
    for (size_t i = 0; i < graph->input_count && i < 8; i++) {
        inputs[i].name = graph->inputs[i].name;
        inputs[i].rank = graph->inputs[i].rank;
        memcpy(inputs[i].dims, graph->inputs[i].dims, sizeof inputs[i].dims);
        if (3 + i >= (size_t)argc || bst_file_read(argv[3 + i], (size_t)1 << 28, &files[i], &err) != BST_OK)
            die(&err);
        if (files[i].len != count_of(inputs[i].rank, inputs[i].dims) * sizeof(float)) return 1;
        inputs[i].data = (float *)(void *)files[i].data;
    }
    if (bst_generator_new(model, &options, &generator, &err) != BST_OK ||
        bst_generator_run(generator, inputs, graph->input_count, &out, &err) != BST_OK ||
        bst_file_write(argv[2], out.data, count_of(out.rank, out.dims) * sizeof(float), BST_WRITE_REPLACE,
                       &err) != BST_OK)
        die(&err);
    free(out.data);
    bst_generator_free(generator);
    bst_model_free(model);
    for (size_t i = 0; i < 8; i++)
        bst_buf_free(&files[i]);
    return 0;
}
