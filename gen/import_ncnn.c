/* import_ncnn.c - ncnn's two files: .param, a text of one layer a line, and .bin, the weights in the same order.
 *
 * A line is: type name bottoms tops bottom-names top-names id=value ... Weights are raw float32, or begin with a
 * tag that says float16, or a table of 256 values and one byte a weight; int8 is refused.
 */
#include "import_ncnn.h"
#include "plan.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LAYERS_MAX   8192
#define BLOBS_MAX    16384
#define TEXT_MAX     ((size_t)16 << 20)
#define FIT_MEMORY   ((size_t)256 << 20)
#define MULTIPLE_MAX 64
#define SCALE_MAX    64

static const char magic[] = "7767517";

bool import_is_ncnn(const uint8_t *data, size_t len)
{
    size_t n = sizeof magic - 1;
    return len > n && memcmp(data, magic, n) == 0 && (data[n] == '\n' || data[n] == '\r' || data[n] == ' ');
}

/* ---- weights ---- */

enum { TAG_HALF = 0x01306B47, TAG_INT8 = 0x000D4B38, TAG_RAW = 0x0002C056, TABLE = 256 };

static const uint8_t *take_bytes(struct ncnn *n, size_t bytes)
{
    if (n->net->failed || bytes > n->bin_len - n->bin_at) {
        net_fail(n->net, "the .bin file ends before this layer's weights");
        return NULL;
    }
    const uint8_t *data = n->bin + n->bin_at;
    n->bin_at += bytes;
    return data;
}

static void skip_to_word(struct ncnn *n, size_t begin)
{
    while ((n->bin_at - begin) % 4 != 0 && n->bin_at < n->bin_len)
        n->bin_at++;
}

/* One byte a weight, each a place in a table of float32. */
static const uint8_t *take_table(struct ncnn *n, size_t count)
{
    const uint8_t *table = take_bytes(n, TABLE * 4);
    size_t begin = n->bin_at;
    const uint8_t *places = take_bytes(n, count);
    if (places == NULL) return NULL;
    skip_to_word(n, begin);
    uint8_t *values = onnx_hold(&n->net->writer, count * 4);
    for (size_t i = 0; values != NULL && i < count; i++)
        memcpy(values + 4 * i, table + 4 * (size_t)places[i], 4);
    return values;
}

static const uint8_t *take_tagged(struct ncnn *n, size_t count, enum onnx_type *type)
{
    const uint8_t *tag = take_bytes(n, 4);
    if (tag == NULL) return NULL;
    uint32_t word =
        (uint32_t)tag[0] | (uint32_t)tag[1] << 8 | (uint32_t)tag[2] << 16 | (uint32_t)tag[3] << 24;
    if (word == TAG_HALF) {
        size_t begin = n->bin_at;
        const uint8_t *data = take_bytes(n, count * 2);
        skip_to_word(n, begin);
        *type = ONNX_FLOAT16;
        return data;
    }
    if (word == TAG_INT8) {
        net_fail(n->net, "the weights are int8, which is not read; take the network's fp16 or fp32 files");
        return NULL;
    }
    return word == 0 || word == TAG_RAW ? take_bytes(n, count * 4) : take_table(n, count);
}

struct import_tensor *ncnn_take(struct ncnn *n, bool tagged, size_t rank, const int64_t *dims,
                                const size_t *strides)
{
    struct import_tensor *t = onnx_hold(&n->net->writer, sizeof *t);
    if (t == NULL || n->net->failed) return NULL;
    size_t row = 1;
    *t = (struct import_tensor){
        .name = (char *)(uintptr_t) "weight", .type = ONNX_FLOAT, .rank = rank, .count = 1};
    for (size_t i = rank; i-- > 0; row = t->count) {
        t->dims[i] = dims[i];
        t->strides[i] = strides != NULL ? strides[i] : row;
        if (dims[i] < 1 || !bst_mul(t->count, (size_t)dims[i], &t->count) || t->count > n->bin_len) {
            net_fail(n->net, "the layer's weights have impossible dimensions");
            return NULL;
        }
    }
    t->data = tagged ? take_tagged(n, t->count, &t->type) : take_bytes(n, t->count * 4);
    return t->data != NULL ? t : NULL;
}

/* ---- parameters ---- */

static const struct ncnn_param *ask(struct ncnn_layer *layer, size_t id)
{
    layer->asked |= 1u << id;
    return layer->params[id].given ? &layer->params[id] : NULL;
}

int64_t ncnn_int(struct ncnn_layer *layer, size_t id, int64_t fallback)
{
    const struct ncnn_param *p = ask(layer, id);
    return p != NULL && fabs(p->number) <= (double)INT32_MAX ? (int64_t)p->number : fallback;
}

float ncnn_float(struct ncnn_layer *layer, size_t id, float fallback)
{
    const struct ncnn_param *p = ask(layer, id);
    return p != NULL ? (float)p->number : fallback;
}

size_t ncnn_ints(struct ncnn_layer *layer, size_t id, int64_t out[static NCNN_LIST_MAX])
{
    const struct ncnn_param *p = ask(layer, id);
    for (size_t i = 0; p != NULL && i < p->count; i++)
        out[i] = fabs(p->list[i]) <= (double)INT32_MAX ? (int64_t)p->list[i] : 0;
    return p != NULL ? p->count : 0;
}

/* ---- the text ---- */

struct reader {
    struct ncnn n;
    char *at; /* in a copy of the text; words are cut off in place */
    struct ncnn_blob *blobs;
    size_t blob_count, layer_count;
};

/* The next word of the line, NULL at its end. */
static char *word(struct reader *r)
{
    char *begin = r->at + strspn(r->at, " \t\r");
    if (*begin == 0) return NULL;
    r->at = begin + strcspn(begin, " \t\r");
    if (*r->at != 0) *r->at++ = 0;
    return begin;
}

static bool count_of(const char *text, size_t max, size_t *out)
{
    uint64_t value;
    if (text == NULL || !bst_parse_u64(text, &value) || value > max) return false;
    *out = (size_t)value;
    return true;
}

static struct ncnn_blob *find_blob(const struct reader *r, const char *name)
{
    for (size_t i = r->blob_count; i-- > 0;)
        if (strcmp(r->blobs[i].name, name) == 0) return &r->blobs[i];
    return NULL;
}

static void read_bottom(struct reader *r, struct ncnn_layer *layer, size_t i)
{
    const char *name = word(r);
    struct ncnn_blob *blob = name != NULL ? find_blob(r, name) : NULL;
    layer->bottoms[i] = blob;
    if (blob == NULL)
        net_fail(r->n.net, "the layer takes '%.80s', which no layer before makes", name != NULL ? name : "");
    else
        blob->consumed = true;
}

static void read_top(struct reader *r, struct ncnn_layer *layer, size_t i)
{
    const char *name = word(r);
    if (name == NULL || strlen(name) > IMPORT_NAME_MAX || r->blob_count == BLOBS_MAX ||
        find_blob(r, name) != NULL) {
        net_fail(r->n.net, "the layer makes '%.80s', which is made before or no name",
                 name != NULL ? name : "");
        return;
    }
    layer->tops[i] = &r->blobs[r->blob_count++];
    *layer->tops[i] = (struct ncnn_blob){.name = name, .value = "", .rank = 3, .channels = -1};
}

static bool number_of(const char *text, double *out)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL); /* the same notation, whatever the locale */
    *out = json_number_value(json);
    bool is = json_is_number(json) && isfinite(*out);
    json_decref(json);
    return is;
}

static bool read_list(char *text, struct ncnn_param *p)
{
    char *comma = strchr(text, ',');
    if (comma != NULL) *comma++ = 0;
    if (!count_of(text, NCNN_LIST_MAX, &p->count)) return false;
    for (size_t i = 0; i < p->count; i++) {
        char *value = comma;
        if (value == NULL) return false;
        comma = strchr(value, ',');
        if (comma != NULL) *comma++ = 0;
        if (!number_of(value, &p->list[i])) return false;
    }
    return comma == NULL;
}

static void read_param(struct reader *r, struct ncnn_layer *layer, char *text)
{
    char *value = strchr(text, '=');
    bool list = strncmp(text, "-233", 4) == 0;
    size_t id;
    if (value != NULL) *value++ = 0;
    if (value == NULL || !count_of(list ? text + 4 : text, NCNN_PARAMS_MAX - 1, &id)) {
        net_fail(r->n.net, "'%.80s' is no parameter", text);
        return;
    }
    struct ncnn_param *p = &layer->params[id];
    p->given = true;
    if (list ? !read_list(value, p) : !number_of(value, &p->number))
        net_fail(r->n.net, "parameter %zu has the value '%.80s', which is no %s", id, value,
                 list ? "list" : "number");
}

/* What a parameter that this reader does not know would change is not known either. 30 and 31 only say how to
 * compute. */
static void check_params(struct reader *r, const struct ncnn_layer *layer)
{
    for (size_t i = 0; i < 30; i++)
        if (layer->params[i].given && (layer->asked >> i & 1) == 0 &&
            (layer->params[i].count > 0 || layer->params[i].number != 0.0))
            net_fail(r->n.net, "parameter %zu of %.40s is not supported", i, layer->type);
}

static void read_layer(struct reader *r)
{
    struct ncnn_layer layer = {0};
    layer.type = word(r);
    layer.name = word(r);
    if (layer.name == NULL || !count_of(word(r), NCNN_EDGES_MAX, &layer.bottom_count) ||
        !count_of(word(r), NCNN_EDGES_MAX, &layer.top_count)) {
        net_fail(r->n.net, "the line is no layer of ncnn");
        return;
    }
    for (size_t i = 0; i < layer.bottom_count && !r->n.net->failed; i++)
        read_bottom(r, &layer, i);
    for (size_t i = 0; i < layer.top_count && !r->n.net->failed; i++)
        read_top(r, &layer, i);
    for (char *text; !r->n.net->failed && (text = word(r)) != NULL;)
        read_param(r, &layer, text);
    if (!r->n.net->failed) ncnn_add_layer(&r->n, &layer);
    if (!r->n.net->failed) check_params(r, &layer);
    if (r->n.net->failed) bst_where(r->n.net->err, "layer %.40s %.80s", layer.type, layer.name);
}

static void read_line(struct reader *r, size_t number)
{
    if (number == 2) {
        if (!count_of(word(r), LAYERS_MAX, &r->layer_count) || !count_of(word(r), BLOBS_MAX, &r->blob_count))
            net_fail(r->n.net, "the second line gives no numbers of layers and blobs");
        r->blob_count = 0;
    } else if (number > 2 && r->at[strspn(r->at, " \t\r")] != 0) {
        if (r->layer_count == 0)
            net_fail(r->n.net, "there are more layers than the second line says");
        else
            r->layer_count--;
        if (!r->n.net->failed) read_layer(r);
    }
    if (r->n.net->failed) bst_where(r->n.net->err, "line %zu", number);
}

static void read_lines(struct reader *r, char *text)
{
    size_t number = 1;
    for (char *line = text, *end; line != NULL && !r->n.net->failed; line = end, number++) {
        end = strchr(line, '\n');
        if (end != NULL) *end++ = 0;
        r->at = line;
        read_line(r, number);
    }
    if (r->layer_count > 0) net_fail(r->n.net, "the .param file ends before its last layer");
}

/* The only blob that nothing takes is the output. Real-CUGAN's x4 network, told by the crop before its last shuffle,
 * leaves adding the picture itself, each pixel repeated, to the program around it. */
static void add_faces(struct reader *r)
{
    const struct ncnn_blob *output = NULL;
    struct import_net *net = r->n.net;
    for (size_t i = 0; i < r->blob_count && !net->failed; i++) {
        if (r->blobs[i].consumed) continue;
        if (output != NULL)
            net_fail(net, "there are two outputs, '%.80s' and '%.80s'", output->name, r->blobs[i].name);
        output = &r->blobs[i];
    }
    if (!net->failed && (output == NULL || r->n.input == NULL || output->rank != 3))
        net_fail(net, "the network does not make a picture of a picture");
    if (net->failed) return;
    net_image(net, r->n.input_channels > 0 ? r->n.input_channels : 3, 0.0f, 1.0f);
    const char *value = output->value;
    if (output->residual && r->n.scale == 4)
        value = net_binary(net, "Add", value, net_nearest(net, r->n.input, 4.0f));
    net_output(net, value, output->channels > 0 ? output->channels : 0);
}

static void build_once(const uint8_t *param, size_t param_len, const uint8_t *bin, size_t bin_len,
                       uint32_t border, int64_t scale, struct import_net *net)
{
    struct reader r = {.n = {.net = net, .bin = bin, .bin_len = bin_len, .border = border, .scale = scale}};
    char *text = bst_calloc(param_len + 1, 1);
    r.blobs = bst_calloc(BLOBS_MAX, sizeof *r.blobs);
    if (text == NULL || r.blobs == NULL) {
        net_fail(net, "no memory for the network's text");
    } else {
        memcpy(text, param, param_len);
        read_lines(&r, text);
        if (!net->failed) add_faces(&r);
        if (!net->failed && r.n.bin_at != bin_len)
            net_fail(net, "the .bin file holds %zu bytes more than the layers need", bin_len - r.n.bin_at);
    }
    free(r.blobs);
    free(text);
}

/* ---- how the output's size follows from the input's ---- */

struct fit {
    int64_t scale, shrink; /* out = scale * in - shrink, for inputs that are multiples */
    uint32_t multiple;
};

static bool sizes_fit(const struct graph *graph, uint32_t multiple, struct fit *fit)
{
    struct plan_options options = {
        .kernels = bst_kernels_for("scalar"), .threads = 1, .memory = FIT_MEMORY, .name = "network"};
    int64_t out[3], side = 256;
    for (size_t i = 0; i < 3; i++) {
        int64_t dims[1][RANK_MAX] = {
            {1, graph->inputs[0].dims[1], side + (int64_t)(i * multiple), side + (int64_t)(i * multiple)}};
        struct tensor t;
        struct bst_error err;
        if (plan_output_dims(graph, (const int64_t(*)[RANK_MAX])dims, &options, &t, &err) != BST_OK ||
            t.rank != 4 || t.dims[2] != t.dims[3])
            return false;
        out[i] = t.dims[2];
    }
    int64_t step = out[1] - out[0];
    fit->scale = step / (int64_t)multiple;
    fit->shrink = fit->scale * side - out[0];
    fit->multiple = multiple;
    return step % (int64_t)multiple == 0 && fit->scale >= 1 && fit->scale <= SCALE_MAX &&
           out[2] - out[1] == step && fit->shrink >= 0 && fit->shrink % (2 * fit->scale) == 0;
}

static enum bst_code find_fit(struct import_net *net, struct fit *fit, struct bst_error *err)
{
    struct bst_buf bytes = {0};
    struct graph *graph = NULL;
    enum bst_code code = onnx_write(&net->writer, &bytes, err);
    if (code == BST_OK) code = graph_read(bytes.data, bytes.len, "network", &graph, err);
    bst_buf_free(&bytes);
    if (code != BST_OK) return code;
    bool found = false;
    for (uint32_t multiple = 1; multiple <= MULTIPLE_MAX && !found; multiple *= 2)
        found = sizes_fit(graph, multiple, fit);
    graph_free(graph);
    if (found) return BST_OK;
    return bst_fail(
        err, BST_UNREADABLE,
        "the output's size is no whole multiple of the input's, or the layers do not fit together");
}

/* waifu2x and others convolve without padding and expect a larger picture than the one they make: the missing
 * border is repeated around it. */
enum bst_code import_ncnn_build(const uint8_t *param, size_t param_len, const uint8_t *bin, size_t bin_len,
                                struct import_net *net, struct bst_error *err)
{
    struct fit fit = {0};
    if (param_len > TEXT_MAX)
        return bst_fail(err, BST_UNREADABLE, "the .param file is larger than %zu bytes", TEXT_MAX);
    for (uint32_t border = 0;;) {
        build_once(param, param_len, bin, bin_len, border, fit.scale, net);
        if (net->failed) return err->code;
        enum bst_code code = find_fit(net, &fit, err);
        if (code != BST_OK) return code;
        if (fit.shrink == 0) break;
        if (border > 0)
            return bst_fail(err, BST_UNREADABLE, "the network's border depends on the picture's size");
        border = (uint32_t)(fit.shrink / (2 * fit.scale));
        net_clear(net);
        net_start(net, NULL, err);
    }
    net->card.output_scale = (uint32_t)fit.scale;
    net->card.size_multiple = fit.multiple * net->card.output_scale;
    return BST_OK;
}
