/* backend.c - runs the ONNX project's backend cases. backend LIST reads lines "FOLDER RTOL ATOL"; a folder holds
 * model.onnx and test_data_set_N with input_I.pb and output_I.pb (TensorProto). It says for each line, on one of its
 * own: "FOLDER pass", "FOLDER refused WHY" when the model or a run of it is refused, or "FOLDER differs WHY". */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "onnx.h"

#define TENSORS_MAX 64
#define FILE_MAX    ((size_t)1 << 28)

static double relative, absolute;
static char why[1024];

/* Reads a TensorProto; false when there is no such file. A file that cannot be read ends the program: the cases
 * are not at fault then. */
static bool read_tensor(const char *folder, int set, const char *kind, size_t index, struct tensor *out)
{
    struct bst_buf file = {0};
    struct bst_error err;
    char *path = bst_format("%s/test_data_set_%d/%s_%zu.pb", folder, set, kind, index);
    FILE *there = path != NULL ? fopen(path, "rb") : NULL;
    if (there == NULL) {
        free(path);
        return false;
    }
    fclose(there);
    Onnx__TensorProto *proto = NULL;
    if (bst_file_read(path, FILE_MAX, &file, &err) != BST_OK ||
        (proto = onnx__tensor_proto__unpack(NULL, file.len, file.data)) == NULL ||
        onnx_tensor_check(proto, out, &err) != BST_OK ||
        (out->data = bst_calloc(out->count + 1, sizeof(int64_t))) == NULL) {
        fprintf(stderr, "%s cannot be read: %s\n", path, err.what);
        exit(1);
    }
    onnx_tensor_fill(proto, out);
    onnx__tensor_proto__free_unpacked(proto, NULL);
    bst_buf_free(&file);
    free(path);
    return true;
}

static bool close_enough(double have, double want)
{
    if (isnan(have) || isnan(want)) return isnan(have) && isnan(want);
    if (isinf(have) || isinf(want)) return have == want;
    return fabs(have - want) <= absolute + relative * fabs(want);
}

static bool same(const struct bst_tensor *have, const struct tensor *want, size_t index)
{
    char a[DIMS_TEXT], b[DIMS_TEXT];
    bool whole = want->kind == KIND_INT;
    if (whole != (have->ints != NULL)) {
        snprintf(why, sizeof why, "output %zu is of another type", index);
        return false;
    }
    if (have->rank != want->rank || memcmp(have->dims, want->dims, want->rank * sizeof *want->dims) != 0) {
        snprintf(why, sizeof why, "output %zu is %s, not %s", index, dims_text(have->rank, have->dims, a),
                 dims_text(want->rank, want->dims, b));
        return false;
    }
    for (size_t i = 0; i < want->count; i++) {
        double mine = whole ? (double)have->ints[i] : (double)have->data[i];
        double theirs = whole ? (double)tensor_ints(want)[i] : (double)tensor_floats(want)[i];
        if (whole ? have->ints[i] == tensor_ints(want)[i] : close_enough(mine, theirs)) continue;
        snprintf(why, sizeof why, "number %zu of output %zu is %.9g, not %.9g", i, index, mine, theirs);
        return false;
    }
    return true;
}

static const char *run_set(const struct bst_model *model, const char *folder, int set)
{
    const struct graph *graph = model->graph;
    struct tensor given[TENSORS_MAX] = {{0}}, want = {0};
    struct bst_tensor inputs[TENSORS_MAX] = {{0}}, outputs[TENSORS_MAX] = {{0}};
    struct bst_generator *generator = NULL;
    struct bst_run_options options = {.threads = 2};
    struct bst_error err = {0};
    const char *verdict = "pass";
    size_t count = graph->input_count;
    if (count > TENSORS_MAX || graph->output_count > TENSORS_MAX) return "refused";
    for (size_t i = 0; i < count; i++) {
        inputs[i].name = graph->inputs[i].name;
        if (!read_tensor(folder, set, "input", i, &given[i])) continue;
        inputs[i].rank = given[i].rank;
        memcpy(inputs[i].dims, given[i].dims, sizeof given[i].dims);
        inputs[i].data = given[i].kind == KIND_FLOAT ? given[i].data : NULL;
        inputs[i].ints = given[i].kind == KIND_INT ? given[i].data : NULL;
    }
    enum bst_code code = bst_generator_new(model, &options, &generator, &err);
    if (code == BST_OK)
        code = bst_generator_run_outputs(generator, inputs, count, outputs, graph->output_count, &err);
    if (code != BST_OK) {
        snprintf(why, sizeof why, "%s (%s)", err.what, err.where);
        verdict = "refused";
    }
    for (size_t i = 0; i < graph->output_count && code == BST_OK; i++) {
        if (read_tensor(folder, set, "output", i, &want) && !same(&outputs[i], &want, i)) verdict = "differs";
        free(want.data);
        free(outputs[i].data);
        free(outputs[i].ints);
        want.data = NULL;
    }
    for (size_t i = 0; i < count; i++)
        free(given[i].data);
    bst_generator_free(generator);
    return verdict;
}

static void run_case(const char *folder)
{
    struct bst_model *model = NULL;
    struct bst_error err = {0};
    struct tensor probe;
    const char *verdict = "pass";
    char *path = bst_format("%s/model.onnx", folder);
    why[0] = 0;
    if (path == NULL || bst_model_open(path, &model, &err) != BST_OK) {
        snprintf(why, sizeof why, "%s (%s)", err.what, err.where);
        verdict = "refused";
    }
    for (int set = 0; model != NULL && strcmp(verdict, "pass") == 0; set++) {
        bool more = read_tensor(folder, set, "output", 0, &probe);
        if (!more) break;
        free(probe.data);
        verdict = run_set(model, folder, set);
    }
    printf("%s %s %s\n", folder, verdict, why);
    bst_model_free(model);
    free(path);
}

int main(int argc, char **argv)
{
    char folder[1024];
    FILE *list = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (list == NULL) return 1;
    while (fscanf(list, "%1023s %lf %lf", folder, &relative, &absolute) == 3)
        run_case(folder);
    fclose(list);
    return 0;
}
