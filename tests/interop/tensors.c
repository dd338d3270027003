/* tensors.c - what our engine makes of tensors, for another runtime to compare with. tensors FOLDER [MODEL]
 * writes into the folder, for every case of tests/unit/onnx_cases.h and for the model at 256 x 160, the ONNX
 * file, the inputs and our output as raw little-endian float32 (whole numbers: int64), and a list of it all:
 * cases.json. */
#include "../unit/onnx_cases.h"
#include "../unit/onnx_fixture.h"

#include "model.h"

#define MODEL_WIDTH  256
#define MODEL_HEIGHT 160

static struct bst_buf list;
static const char *folder;

static void die(const struct bst_error *err)
{
    fprintf(stderr, "%s: %s\n", err->where, err->what);
    exit(1);
}

static void write_file(const char *name, const char *suffix, const void *data, size_t len)
{
    struct bst_error err;
    char *path = bst_format("%s/%s%s", folder, name, suffix);
    if (path == NULL || bst_file_write(path, data, len, BST_WRITE_REPLACE, &err) != BST_OK) die(&err);
    free(path);
}

static void write_tensor(const char *name, const char *part, const struct bst_tensor *t)
{
    size_t count = 1;
    bst_buf_printf(&list, "{\"name\":\"%s\",\"file\":\"%s%s\",\"dims\":[", t->name, name, part);
    for (size_t i = 0; i < t->rank; i++) {
        count *= (size_t)t->dims[i];
        bst_buf_printf(&list, "%s%lld", i > 0 ? "," : "", (long long)t->dims[i]);
    }
    bst_buf_printf(&list, "],\"whole\":%s}", t->ints != NULL ? "true" : "false");
    if (t->ints != NULL)
        write_file(name, part, t->ints, count * sizeof *t->ints);
    else
        write_file(name, part, t->data, count * sizeof *t->data);
}

static void run_case(const char *name, const char *path, const struct bst_tensor *inputs, size_t count)
{
    struct bst_model *model;
    struct bst_generator *generator;
    struct bst_run_options options = {.threads = 2};
    struct bst_tensor out;
    struct bst_error err;
    if (bst_model_open(path, &model, &err) != BST_OK ||
        bst_generator_new(model, &options, &generator, &err) != BST_OK ||
        bst_generator_run(generator, inputs, count, &out, &err) != BST_OK)
        die(&err);
    bst_buf_printf(&list, "%s{\"name\":\"%s\",\"model\":\"%s\",\"inputs\":[", list.len > 1 ? "," : "", name,
                   path);
    for (size_t i = 0; i < count; i++) {
        char part[32];
        snprintf(part, sizeof part, ".in%zu", i);
        if (i > 0) bst_buf_text(&list, ",");
        write_tensor(name, part, &inputs[i]);
    }
    bst_buf_text(&list, "],\"output\":");
    write_tensor(name, ".out", &out);
    bst_buf_text(&list, "}\n");
    free(out.data);
    free(out.ints);
    bst_generator_free(generator);
    bst_model_free(model);
}

static void run_model(const char *path)
{
    struct bst_model *model;
    struct bst_tensor inputs[INPUTS_MAX] = {{0}};
    struct bst_error err;
    int64_t dims[INPUTS_MAX][RANK_MAX];
    uint64_t state = 1;
    if (bst_model_open(path, &model, &err) != BST_OK ||
        model_dims(model, MODEL_WIDTH, MODEL_HEIGHT, dims, &err) != BST_OK)
        die(&err);
    for (size_t i = 0; i < model->graph->input_count; i++) {
        size_t count = 1;
        inputs[i].name = model->graph->inputs[i].name;
        inputs[i].rank = model->graph->inputs[i].rank;
        memcpy(inputs[i].dims, dims[i], sizeof dims[i]);
        for (size_t d = 0; d < inputs[i].rank; d++)
            count *= (size_t)dims[i][d];
        inputs[i].data = malloc(count * sizeof(float));
        if (inputs[i].data == NULL) exit(1);
        for (size_t k = 0; k < count; k++)
            inputs[i].data[k] = 2 * fixture_random(&state);
    }
    run_case("model", path, inputs, model->graph->input_count);
    for (size_t i = 0; i < model->graph->input_count; i++)
        free(inputs[i].data);
    bst_model_free(model);
}

int main(int argc, char **argv)
{
    if (argc < 2) return 1;
    folder = argv[1];
    bst_buf_text(&list, "[");
    for (size_t i = 0; i < ONNX_CASES; i++) {
        struct fixture *f = fixture_new(onnx_cases[i].text);
        char *path = bst_format("%s/%s.onnx", folder, onnx_cases[i].name);
        fixture_write(f, path);
        run_case(onnx_cases[i].name, path, f->inputs, f->input_count);
        free(path);
        fixture_free(f);
    }
    if (argc > 2) run_model(argv[2]);
    bst_buf_text(&list, "]\n");
    write_file("cases", ".json", list.data, list.len);
    bst_buf_free(&list);
    return 0;
}
