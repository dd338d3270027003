/* fuzz_card.c - a stranger's model card, held against a graph with an input of every role; what is accepted must
 * make its small golden pictures. */
#include "../unit/onnx_fixture.h"
#include "model.h"
#include "onnx.h"

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define MEMORY     ((size_t)4 << 20)
#define GOLDEN_MAX 4

static struct graph *graph_made(void)
{
    struct fixture *f = fixture_new(
        "in z 1 4\nin style 1 3\nin label 1 5\nin noise 1 2 ?8 ?8\nin x 1 3 ?8 ?8\nintin codes 7 1 1 ?8 ?8\n"
        "rand w 12 3\nints s 1 3 1 1\nrand v 3 2 1 1\nnode Concat z,style,label c axis=1\n"
        "node MatMul c,w d\nnode Reshape d,s e\nnode Conv noise,v n\nnode Add n,e t\n"
        "node Add t,x u\nnode Cast codes k to=1\nnode Add u,k l\nnode Tanh l y");
    struct graph *graph = NULL;
    struct bst_error err;
    size_t size = onnx__model_proto__get_packed_size(&f->model);
    uint8_t *packed = malloc(size);
    if (packed == NULL) abort();
    onnx__model_proto__pack(&f->model, packed);
    if (graph_read(packed, size, "fuzz.onnx", &graph, &err) != BST_OK) abort();
    free(packed);
    fixture_free(f);
    return graph;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct graph *graph;
    static char path[] = "fuzz.onnx";
    struct bst_error err = {0};
    if (graph == NULL) graph = graph_made();
    if (memchr(data, 0, len) != NULL) return 0; /* read from a file, it would be no text */
    char *text = bst_format("%.*s", (int)len, (const char *)data);
    struct bst_model model = {.path = path, .graph = graph, .card_text = text};
    json_t *results = NULL;
    if (text != NULL && card_make(&model, &err) == BST_OK) {
        const struct bst_run_options options = {.threads = 1, .memory = MEMORY};
        if (json_array_size(json_object_get(model.card.json, "golden")) <= GOLDEN_MAX &&
            bst_golden_check(&model, &options, &results, &err) != BST_OK && err.what[0] == 0)
            abort();
    } else if (text != NULL && err.what[0] == 0) {
        abort();
    }
    json_decref(results);
    card_clear(&model.card);
    free(text);
    return 0;
}
