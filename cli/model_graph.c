/* model_graph.c - blindstamp model graph: the network as an SVG drawing. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "model_verbs.h"

static enum bst_code draw(const struct model_call *call, const struct bst_model *model, struct bst_buf *out,
                          struct bst_network *network, struct bst_error *err)
{
    const struct bst_card *card = bst_model_card(model);
    const struct bst_run_options options = {.threads = 1};
    struct bst_generator *generator = NULL;
    uint32_t width = card->width, height = card->height;
    enum bst_code code = cli_size(call->args, "size", &width, &height, err);
    if (code == BST_OK) code = bst_generator_new(model, &options, &generator, err);
    if (code == BST_OK) code = bst_network_describe(generator, width, height, network, err);
    if (code == BST_OK) {
        const char *name = card->title ? card->title : card->name;
        char *title = bst_format("%.80s, %u \xc3\x97 %u", name ? name : "", width, height);
        code = title ? bst_network_svg(network, title, out, err) : bst_fail_memory(err);
        free(title);
    }
    bst_generator_free(generator);
    return code;
}

enum bst_code model_graph(const struct model_call *call, struct bst_error *err)
{
    struct bst_model *model = NULL;
    struct bst_network network = {0};
    struct bst_buf svg = {0};
    const char *given = cli_value(call->args, "output");
    unsigned flags = cli_has(call->args, "force") ? BST_WRITE_REPLACE : 0;
    enum bst_code code = cli_model_open(call->places, call->operand, &model, err);
    if (code != BST_OK) return code;
    char *name = cli_model_name(model), *path = given  ? bst_strdup(given)
                                                : name ? bst_format("%s.svg", name)
                                                       : NULL;
    if (!path) code = bst_fail_memory(err);
    if (code == BST_OK) code = draw(call, model, &svg, &network, err);
    if (code == BST_OK) code = bst_file_write(path, svg.data, svg.len, flags, err);
    if (code == BST_OK && cli_has(call->args, "json")) {
        code = cli_json_take(json_pack("{s:o, s:I, s:I}", "file", cli_json_text(path), "layers",
                                       (json_int_t)network.layer_count, "bytes", (json_int_t)svg.len),
                             true, err);
    } else if (code == BST_OK) {
        cli_text(stdout, path);
        fputc('\n', stdout);
    }
    bst_network_clear(&network);
    bst_buf_free(&svg);
    bst_model_free(model);
    free(path);
    free(name);
    return code;
}
