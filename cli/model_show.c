/* model_show.c - blindstamp model show: a model's card, its network and its golden pictures. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "model_verbs.h"

void model_line(const char *name, const char *text)
{
    printf("  %-13s ", name);
    cli_text(stdout, text ? text : "unknown");
    fputc('\n', stdout);
}

void model_dims_text(size_t rank, const int64_t *dims, char out[static MODEL_DIMS_TEXT])
{
    size_t len = 0;
    out[0] = 0;
    for (size_t i = 0; i < rank && len < MODEL_DIMS_TEXT; i++)
        len += (size_t)snprintf(out + len, MODEL_DIMS_TEXT - len, "%s%lld", i ? "x" : "", (long long)dims[i]);
    if (rank == 0) snprintf(out, MODEL_DIMS_TEXT, "1");
}

/* "1,234,567" */
void model_count_text(uint64_t count, char out[static 32])
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    char *to = out;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) *to++ = ',';
        *to++ = digits[i];
    }
    *to = 0;
}

/* ---- the card ---- */

static void print_size(const struct bst_card *card)
{
    char text[160];
    snprintf(text, sizeof text, "%u x %u%s%s", card->width, card->height,
             card->fixed_size ? " only" : ", or any other",
             card->tileable ? "; seamless tiles with --tile" : "");
    model_line("size", text);
    if (card->output_scale > 1) {
        snprintf(text, sizeof text, "each side %u times as long", card->output_scale);
        model_line("enlarges", text);
    }
    if (card->class_count > 0) {
        snprintf(text, sizeof text, "%u, chosen with --label%s", card->class_count,
                 card->label_count ? " by name or number" : " by number");
        model_line("classes", text);
    }
}

static void print_card(const struct bst_model *model)
{
    static const char *const sources[] = {"none: worked out from the graph", "in the model's file",
                                          "beside the model's file"}; /* as enum bst_card_source */
    static const char *const more[] = {"intended_use", "limitations", "personal_data"};
    const struct bst_card *card = bst_model_card(model);
    char digest[BST_SHA256_HEX], bytes[24], count[32], text[96];
    char *styles = model_join(card->styles, card->style_count);
    model_digest_text(model, digest);
    cli_bytes(bst_model_bytes(model), bytes);
    model_count_text(bst_model_parameters(model), count);
    printf("%s", cli_colour(stdout, CLI_BOLD));
    cli_text(stdout, card->title  ? card->title
                     : card->name ? card->name
                                  : bst_path_name(bst_model_path(model)));
    printf("%s\n", cli_colour(stdout, CLI_PLAIN));
    model_line("name", card->name);
    model_line("description", card->description);
    model_line("author", card->author);
    model_line("licence", card->license);
    model_line("styles", card->style_count ? styles : "none");
    if (card->latent != BST_LATENT_PHILOX) model_line("seeds", bst_latent_name(card->latent));
    print_size(card);
    snprintf(text, sizeof text, "%s in %s", count, bytes);
    model_line("parameters", text);
    model_line("sha256", digest);
    model_line("file", bst_model_path(model));
    model_line("card", sources[card->source]);
    for (size_t i = 0; card->json && i < sizeof more / sizeof *more; i++)
        if (bst_json_text(card->json, more[i])) model_line(more[i], bst_json_text(card->json, more[i]));
    free(styles);
}

/* ---- the network ---- */

static json_t *operators_json(const struct bst_network *network)
{
    json_t *json = json_array();
    for (size_t i = 0; i < network->operator_count; i++)
        json_array_append_new(json, json_pack("{s:s, s:I}", "op", network->operators[i].op, "count",
                                              (json_int_t)network->operators[i].count));
    return json;
}

/* How many products are done by which algorithm, as [{"algorithm", "count", "macs"}]. */
static json_t *algorithms_json(const struct bst_network *network)
{
    static const char *const names[] = {"direct", "winograd"};
    json_t *json = json_array();
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        uint64_t count = 0, macs = 0;
        for (size_t i = 0; i < network->layer_count; i++) {
            const struct bst_layer *layer = &network->layers[i];
            if (!layer->algorithm || strcmp(layer->algorithm, names[n])) continue;
            count++;
            macs += layer->macs;
        }
        if (count > 0)
            json_array_append_new(json, json_pack("{s:s, s:I, s:I}", "algorithm", names[n], "count",
                                                  (json_int_t)count, "macs", (json_int_t)macs));
    }
    return json;
}

static json_t *tensor_json(const struct bst_layer *layer)
{
    json_t *dims = json_array();
    for (size_t d = 0; d < layer->rank; d++)
        json_array_append_new(dims, json_integer(layer->dims[d]));
    return json_pack("{s:o, s:o}", "name", cli_json_text(layer->name), "dims", dims);
}

static json_t *network_json(const struct bst_network *network, const struct bst_card *card)
{
    json_t *inputs = json_array();
    for (size_t i = 0; i < network->input_count; i++)
        json_array_append_new(inputs, tensor_json(&network->inputs[i]));
    const struct bst_layer *last = network->output < network->input_count
                                       ? &network->inputs[network->output]
                                       : &network->layers[network->output - network->input_count];
    return json_pack("{s:o, s:o, s:o, s:I, s:o, s:I, s:I, s:i, s:i}", "inputs", inputs, "output",
                     tensor_json(last), "operators", operators_json(network), "layers",
                     (json_int_t)network->layer_count, "algorithms", algorithms_json(network), "macs",
                     (json_int_t)network->macs, "memory", (json_int_t)network->memory, "width",
                     (int)card->width, "height", (int)card->height);
}

static void print_network(const struct bst_network *network, const struct bst_card *card)
{
    char text[256], dims[MODEL_DIMS_TEXT], bytes[24];
    for (size_t i = 0; i < network->input_count; i++) {
        model_dims_text(network->inputs[i].rank, network->inputs[i].dims, dims);
        snprintf(text, sizeof text, "%.100s  %s", network->inputs[i].name, dims);
        model_line("input", text);
    }
    if (network->output >= network->input_count) {
        const struct bst_layer *last = &network->layers[network->output - network->input_count];
        model_dims_text(last->rank, last->dims, dims);
        model_line("output", dims);
    }
    json_t *algorithms = algorithms_json(network), *item;
    struct bst_buf line = {0};
    size_t i;
    for (i = 0; i < network->operator_count; i++)
        bst_buf_printf(&line, "%s%zu %s", i ? ", " : "", network->operators[i].count,
                       network->operators[i].op);
    model_line("operators", bst_buf_string(&line));
    line.len = 0;
    json_array_foreach(algorithms, i, item)
    {
        bst_buf_printf(&line, "%s%lld %s (%.2f GMAC)", i ? ", " : "",
                       (long long)json_integer_value(json_object_get(item, "count")),
                       bst_json_text(item, "algorithm"),
                       (double)json_integer_value(json_object_get(item, "macs")) / 1e9);
    }
    if (line.len > 0) model_line("products", bst_buf_string(&line));
    cli_bytes(network->memory, bytes);
    snprintf(text, sizeof text, "%.2f GMAC, %s of memory at %u x %u", (double)network->macs / 1e9, bytes,
             card->width, card->height);
    model_line("a picture", text);
    bst_buf_free(&line);
    json_decref(algorithms);
}

static void print_golden(const struct bst_card *card)
{
    const json_t *golden = json_object_get(card->json, "golden");
    size_t i;
    json_t *item;
    json_array_foreach(golden, i, item)
    {
        const char *seed = bst_json_text(item, "seed"), *digest = bst_json_text(item, "pixels-sha256"),
                   *style = bst_json_text(item, "style"), *arith = bst_json_text(item, "arith");
        char *text =
            bst_format("seed %.20s, %lld x %lld%s%.64s: %.16s... (%.40s)", seed ? seed : "?",
                       (long long)json_integer_value(json_object_get(item, "width")),
                       (long long)json_integer_value(json_object_get(item, "height")), style ? ", " : "",
                       style ? style : "", digest ? digest : "?", arith ? arith : "?");
        model_line(i ? "" : "golden", text);
        free(text);
    }
    if (json_array_size(golden) == 0) model_line("golden", "none");
}

/* ---- the verb ---- */

static enum bst_code describe(const struct bst_model *model, struct bst_generator **generator,
                              struct bst_network *network, struct bst_error *err)
{
    const struct bst_run_options options = {.threads = 1};
    enum bst_code code = bst_generator_new(model, &options, generator, err);
    return code == BST_OK ? bst_network_describe(*generator, 0, 0, network, err) : code;
}

static bool is_bundled(const struct model_call *call, const char *path)
{
    for (size_t i = 0; i < call->places->count; i++)
        if (!call->places->bundled[i] &&
            !strncmp(path, call->places->folder[i], strlen(call->places->folder[i])))
            return false;
    return true;
}

enum bst_code model_show(const struct model_call *call, struct bst_error *err)
{
    struct bst_model *model = NULL;
    struct bst_generator *generator = NULL;
    struct bst_network network = {0};
    struct bst_error why = {0}; /* the card can be shown of a network that cannot be run */
    enum bst_code code = cli_model_open(call->places, call->operand, &model, err);
    if (code != BST_OK) return code;
    const struct bst_card *card = bst_model_card(model);
    bool runs = describe(model, &generator, &network, &why) == BST_OK;
    if (cli_has(call->args, "json")) {
        json_t *all = model_json(model, bst_model_path(model), is_bundled(call, bst_model_path(model)));
        json_object_set_new(all, "network", runs ? network_json(&network, card) : json_null());
        if (!runs) json_object_set_new(all, "problem", cli_json_text(why.what));
        code = cli_json_take(all, true, err);
    } else {
        print_card(model);
        if (runs)
            print_network(&network, card);
        else
            model_line("network", why.what);
        print_golden(card);
    }
    bst_network_clear(&network);
    bst_generator_free(generator);
    bst_model_free(model);
    return code;
}
