/* import.c - bst_import: weights of another program in, an ONNX file with a model card out.
 *
 * The finished file is read back as any stranger's before it gets its name: what does not fit together is
 * refused here, and nothing is left behind. */
#include "import.h"
#include "model.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum format { FORMAT_UNKNOWN, FORMAT_ZIP, FORMAT_LEGACY, FORMAT_SAFETENSORS, FORMAT_NCNN };
static const char *const format_names[] = {"unknown", "PyTorch zip", "PyTorch legacy", "safetensors", "ncnn"};

struct source {
    const char *path;
    struct bst_buf bytes;
};

struct sources { /* the file, the second if there is one, pictures of styles */
    struct source file[2 + BST_IMPORT_STYLES_MAX];
    size_t count, styles;
};

static bool has_second(const struct sources *sources)
{
    return sources->count - sources->styles > 1;
}

static enum format format_of(const struct source *source)
{
    const uint8_t *data = source->bytes.data;
    size_t len = source->bytes.len;
    if (import_is_zip(data, len)) return FORMAT_ZIP;
    if (import_is_legacy_pth(data, len)) return FORMAT_LEGACY;
    if (import_is_ncnn(data, len)) return FORMAT_NCNN;
    if (import_is_safetensors(data, len)) return FORMAT_SAFETENSORS;
    return FORMAT_UNKNOWN;
}

static enum bst_code not_known(const char *path, struct bst_error *err)
{
    bst_fail(err, BST_UNREADABLE, "%s is no PyTorch state dictionary, safetensors file or ncnn network",
             path);
    return bst_hint(err, "for ncnn name the .param file; TensorFlow and Keras networks come in as ONNX");
}

/* ---- the card ---- */

/* "4x-Ani Scale.pth" becomes "4x-ani-scale". */
static char *name_of(const char *path)
{
    const char *file = bst_path_name(path), *dot = strrchr(file, '.');
    size_t len = dot != NULL && dot != file ? (size_t)(dot - file) : strlen(file), at = 0;
    char *name = bst_calloc(NAME_MAX_CARD + 8, 1);
    for (size_t i = 0; name != NULL && i < len && at < NAME_MAX_CARD; i++) {
        char c = file[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c - 'A' + 'a');
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (plain || (at > 0 && name[at - 1] != '-')) name[at++] = plain ? c : '-';
    }
    while (name != NULL && at > 0 && name[at - 1] == '-')
        name[--at] = 0;
    if (name != NULL && at == 0) memcpy(name, "model", 5);
    return name;
}

static json_t *inputs_json(const struct import_card *card)
{
    json_t *inputs = json_array();
    for (size_t i = 0; i < card->input_count; i++) {
        const struct import_input *input = &card->inputs[i];
        json_t *item = json_pack("{s:s, s:s}", "name", input->name, "role", input->role);
        if (strcmp(input->role, "noise") == 0 || input->codes > 0)
            json_object_set_new(item, "cell", json_integer((json_int_t)input->cell));
        if (input->codes > 0) json_object_set_new(item, "codes", json_integer((json_int_t)input->codes));
        if (strcmp(input->role, "image") == 0) {
            json_object_set_new(item, "low", json_real((double)input->low));
            json_object_set_new(item, "high", json_real((double)input->high));
            json_object_set_new(item, "bgr", json_boolean(input->bgr));
        }
        json_array_append_new(inputs, item);
    }
    return inputs;
}

static json_t *styles_json(const struct import_card *card)
{
    json_t *styles = json_array();
    for (size_t i = 0; i < card->style_count; i++)
        json_array_append_new(styles, json_string(card->styles[i]));
    return styles;
}

static json_t *card_json(const struct import_card *card, const char *name,
                         const struct bst_import_options *options)
{
    json_t *json = json_pack(
        "{s:s, s:s, s:o, s:I, s:f, s:f, s:b, s:I, s:I, s:I, s:b}", "schema", "blindstamp.card/1", "name",
        name, "inputs", inputs_json(card), "output_scale", (json_int_t)card->output_scale, "output_low",
        (double)card->output_low, "output_high", (double)card->output_high, "output_bgr", card->output_bgr,
        "width", (json_int_t)card->width, "height", (json_int_t)card->height, "size_multiple",
        (json_int_t)card->size_multiple, "fixed_size", card->fixed_size);
    const char *texts[][2] = {{"title", options->title},
                              {"author", options->author},
                              {"license", options->license},
                              {"description", card->description}};
    if (json != NULL && card->style_count > 0) json_object_set_new(json, "styles", styles_json(card));
    if (json != NULL && card->classes > 0)
        json_object_set_new(json, "classes", json_integer((json_int_t)card->classes));
    for (size_t i = 0; json != NULL && i < sizeof texts / sizeof *texts; i++)
        if (texts[i][1] != NULL) json_object_set_new(json, texts[i][0], json_string(texts[i][1]));
    return json;
}

/* ---- where it came from ---- */

static json_t *origin_json(const struct sources *sources, const struct bst_import_result *result)
{
    json_t *files = json_array();
    for (size_t i = 0; i < sources->count; i++) {
        const struct source *source = &sources->file[i];
        uint8_t digest[BST_SHA256_LEN];
        char hex[BST_SHA256_HEX];
        bst_sha256(source->bytes.data, source->bytes.len, digest);
        bst_hex(digest, sizeof digest, hex);
        json_array_append_new(files,
                              json_pack("{s:s, s:s}", "name", bst_path_name(source->path), "sha256", hex));
    }
    return json_pack("{s:s, s:s, s:o}", "architecture", result->architecture, "format", result->format,
                     "files", files);
}

static enum bst_code add_json(struct onnx_writer *w, const char *key, json_t *json, struct bst_error *err)
{
    struct bst_buf text = {0};
    enum bst_code code = json != NULL ? bst_json_canonical(json, &text, err) : bst_fail_memory(err);
    const char *string = code == BST_OK ? bst_buf_string(&text) : NULL;
    if (string != NULL)
        onnx_add_metadata(w, key, string);
    else if (code == BST_OK)
        code = bst_fail_memory(err);
    bst_buf_free(&text);
    json_decref(json);
    return code;
}

/* ---- building ---- */

/* A tensor that nothing takes means that the network is another than it looks. */
static enum bst_code all_used(struct import_net *net, const struct import_arch *arch, struct bst_error *err)
{
    net_ignore(net, "num_batches_tracked");
    for (size_t i = 0; i < net->dict->count; i++) {
        const struct import_tensor *t = &net->dict->tensors[i];
        if (t->used) continue;
        bst_fail(err, BST_UNREADABLE, "tensor '%.80s' is no part of %s, which the others look like", t->name,
                 arch->title);
        return bst_hint(
            err, "export the network with torch.onnx.export instead; an ONNX file needs no recognising");
    }
    return BST_OK;
}

static enum bst_code read_dict(const struct source *source, struct import_dict *dict, struct bst_error *err)
{
    enum format format = format_of(source);
    if (format == FORMAT_SAFETENSORS)
        return import_safetensors_read(source->bytes.data, source->bytes.len, dict, err);
    if (format == FORMAT_ZIP || format == FORMAT_LEGACY)
        return import_pth_read(source->bytes.data, source->bytes.len, dict, err);
    return not_known(source->path, err);
}

static void extra_clear(struct import_extra *extra)
{
    import_dict_clear(&extra->encoder);
    for (size_t i = 0; i < extra->style_count; i++) {
        free(extra->styles[i].name);
        bst_image_clear(&extra->styles[i].image);
    }
}

static enum bst_code add_style(const struct source *source, struct import_extra *extra, struct bst_error *err)
{
    struct import_style *style = &extra->styles[extra->style_count];
    style->name = name_of(source->path);
    if (style->name == NULL) return bst_fail_memory(err);
    extra->style_count++;
    for (size_t i = 0; i + 1 < extra->style_count; i++)
        if (strcmp(extra->styles[i].name, style->name) == 0)
            return bst_fail(err, BST_USAGE, "two style pictures are called %s", style->name);
    return bst_image_decode(source->bytes.data, source->bytes.len, source->path, &style->image, err);
}

/* The encoder and the styles, for an architecture that takes them. */
static enum bst_code read_extra(const struct sources *sources, const struct import_arch *arch,
                                struct import_extra *extra, struct bst_error *err)
{
    enum bst_code code = BST_OK;
    if (arch != &import_arch_adain && sources->count > 1) {
        bst_fail(err, BST_USAGE, "%s takes neither an encoder nor style pictures", arch->title);
        return bst_hint(err, "they are for AdaIN's decoder");
    }
    if (has_second(sources)) code = read_dict(&sources->file[1], &extra->encoder, err);
    for (size_t i = sources->count - sources->styles; i < sources->count && code == BST_OK; i++)
        code = add_style(&sources->file[i], extra, err);
    return code;
}

static enum bst_code build_from_dict(const struct sources *sources, const struct bst_import_options *options,
                                     struct import_dict *part, struct import_extra *extra,
                                     struct import_net *net, struct bst_import_result *result,
                                     struct bst_error *err)
{
    struct import_dict dict = {0};
    const struct import_arch *arch = NULL;
    enum bst_code code = read_dict(&sources->file[0], &dict, err);
    if (code == BST_OK) code = import_recognise(&dict, options->architecture, &arch, part, err);
    import_dict_clear(&dict);
    if (code == BST_OK) code = read_extra(sources, arch, extra, err);
    if (code != BST_OK) return code;
    net_start(net, part, err);
    net->extra = extra;
    arch->build(net);
    result->architecture = arch->name;
    return net->failed ? bst_where(err, "%s", arch->title) : all_used(net, arch, err);
}

static enum bst_code build(const struct sources *sources, const struct bst_import_options *options,
                           struct import_dict *part, struct import_extra *extra, struct import_net *net,
                           struct bst_import_result *result, struct bst_error *err)
{
    const struct source *param = &sources->file[0], *bin = &sources->file[1];
    enum format format = format_of(param);
    result->format = format_names[format];
    if (format == FORMAT_UNKNOWN) return not_known(param->path, err);
    if (format != FORMAT_NCNN) return build_from_dict(sources, options, part, extra, net, result, err);
    result->architecture = "ncnn";
    if (sources->styles > 0) return bst_fail(err, BST_USAGE, "an ncnn network takes no style pictures");
    if (!has_second(sources))
        return bst_fail(err, BST_USAGE, "%s: its weights, a .bin file, are missing", param->path);
    net_start(net, NULL, err);
    return import_ncnn_build(param->bytes.data, param->bytes.len, bin->bytes.data, bin->bytes.len, net, err);
}

/* The file's bytes, read back and checked. */
static enum bst_code pack(struct import_net *net, const struct sources *sources, const char *output,
                          const struct bst_import_options *options, struct bst_import_result *result,
                          struct bst_buf *out, struct bst_error *err)
{
    struct bst_model model = {.path = (char *)(uintptr_t)output};
    char *name = options->name != NULL ? bst_strdup(options->name) : name_of(sources->file[0].path);
    enum bst_code code = name != NULL ? BST_OK : bst_fail_memory(err);
    if (code == BST_OK)
        code = add_json(&net->writer, "blindstamp.card", card_json(&net->card, name, options), err);
    if (code == BST_OK) code = add_json(&net->writer, "blindstamp.import", origin_json(sources, result), err);
    if (code == BST_OK) code = onnx_write(&net->writer, out, err);
    free(name);
    if (code == BST_OK) code = graph_read(out->data, out->len, output, &model.graph, err);
    if (code == BST_OK) code = card_make(&model, err);
    if (code == BST_OK) {
        result->parameters = model.graph->parameters;
        bst_sha256(out->data, out->len, result->digest);
    }
    card_clear(&model.card);
    graph_free(model.graph);
    return code;
}

static enum bst_code convert(const struct sources *sources, const struct bst_import_options *options,
                             const char *output, struct bst_import_result *result, struct bst_error *err)
{
    struct import_dict part = {0};
    struct import_extra extra = {0};
    struct import_net net = {0};
    struct bst_buf out = {0};
    enum bst_code code = build(sources, options, &part, &extra, &net, result, err);
    if (code == BST_OK) code = pack(&net, sources, output, options, result, &out, err);
    net_clear(&net);
    import_dict_clear(&part);
    extra_clear(&extra);
    if (code == BST_OK)
        code = bst_file_write(output, out.data, out.len, options->replace ? BST_WRITE_REPLACE : 0, err);
    bst_buf_free(&out);
    return code;
}

/* weights.param -> weights.bin; NULL when the name ends otherwise. */
static char *bin_beside(const char *path)
{
    size_t len = strlen(path);
    if (len < 6 || strcmp(path + len - 6, ".param") != 0) return NULL;
    return bst_format("%.*s.bin", (int)(len - 6), path);
}

enum bst_code bst_import(const char *path, const char *second, const struct bst_import_options *options,
                         const char *output, struct bst_import_result *result, struct bst_error *err)
{
    static const struct bst_import_options defaults = {0};
    struct sources sources = {.file = {{.path = path}}, .count = 1};
    char *beside = second == NULL ? bin_beside(path) : NULL;
    if (options == NULL) options = &defaults;
    if (second == NULL && beside != NULL && bst_file_exists(beside)) second = beside;
    if (second != NULL) sources.file[sources.count++].path = second;
    memset(result, 0, sizeof *result);
    enum bst_code code = BST_OK;
    if (options->style_picture_count > BST_IMPORT_STYLES_MAX)
        code = bst_fail(err, BST_USAGE, "there are more than %d style pictures", BST_IMPORT_STYLES_MAX);
    for (; code == BST_OK && sources.styles < options->style_picture_count; sources.styles++)
        sources.file[sources.count++].path = options->style_pictures[sources.styles];
    fenv_t saved;
    arithmetic_enter(&saved);
    for (size_t i = 0; i < sources.count && code == BST_OK; i++)
        code = bst_file_read(sources.file[i].path, IMPORT_FILE_MAX, &sources.file[i].bytes, err);
    if (code == BST_OK) {
        code = convert(&sources, options, output, result, err);
        if (code != BST_OK) bst_where(err, "%s", path);
    }
    for (size_t i = 0; i < sources.count; i++)
        bst_buf_free(&sources.file[i].bytes);
    arithmetic_leave(&saved);
    free(beside);
    return code;
}
