/* cmd_models.c - blindstamp models: which models there are, and their cards. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define MODEL_FILE_MAX (1u << 30)

static const struct cli_option options[] = {
    {"add", 0, "FILE", "check an ONNX file and copy it to your models", false},
    {0},
};

/* "a, b, c" in new memory. */
static char *join(char *const *words, size_t count)
{
    struct bst_buf text = {0};
    for (size_t i = 0; i < count; i++)
        bst_buf_printf(&text, "%s%s", i ? ", " : "", words[i]);
    if (!bst_buf_string(&text)) return NULL;
    return (char *)text.data;
}

static void digest_text(const struct bst_model *model, char out[static BST_SHA256_HEX])
{
    uint8_t digest[BST_SHA256_LEN];
    bst_model_digest(model, digest);
    bst_hex(digest, sizeof digest, out);
}

static json_t *model_json(const struct bst_model *model, const char *path, bool bundled)
{
    const struct bst_card *card = bst_model_card(model);
    char digest[BST_SHA256_HEX];
    digest_text(model, digest);
    json_t *styles = json_array();
    for (size_t i = 0; i < card->style_count; i++)
        json_array_append_new(styles, json_string(card->styles[i]));
    return json_pack("{s:s?, s:s?, s:o, s:b, s:s, s:I, s:I, s:o, s:i, s:i, s:b, s:b, s:s?, s:O?}", "name",
                     card->name, "title", card->title, "path", cli_json_text(path), "bundled", bundled,
                     "sha256", digest, "bytes", (json_int_t)bst_model_bytes(model), "parameters",
                     (json_int_t)bst_model_parameters(model), "styles", styles, "width", (int)card->width,
                     "height", (int)card->height, "fixed_size", card->fixed_size, "tileable", card->tileable,
                     "license", card->license, "card", card->json);
}

/* ---- list ---- */

struct listing {
    bool json;
    json_t *array;
    struct cli_table table;
    size_t count, broken;
};

static void list_row(struct listing *l, const struct bst_model *model)
{
    const struct bst_card *card = bst_model_card(model);
    char digest[BST_SHA256_HEX], size[32], bytes[24];
    char *name = cli_model_name(model);
    char *styles = join(card->styles, card->style_count);
    digest_text(model, digest);
    digest[16] = 0;
    snprintf(size, sizeof size, "%ux%u%s", card->width, card->height, card->fixed_size ? "" : ", any");
    cli_bytes(bst_model_bytes(model), bytes);
    char parameters[32];
    snprintf(parameters, sizeof parameters, "%llu", (unsigned long long)bst_model_parameters(model));
    cli_table_row(&l->table, (const char *[]){name, styles && *styles ? styles : "none", size, parameters,
                                              bytes, card->license, digest});
    free(styles);
    free(name);
}

static bool list_step(void *arg, const char *path, bool bundled)
{
    struct listing *l = arg;
    struct bst_model *model;
    struct bst_error err = {0};
    if (bst_model_open(path, &model, &err) != BST_OK) {
        l->broken++;
        cli_error(&err, l->json);
        return true;
    }
    if (l->json)
        json_array_append_new(l->array, model_json(model, path, bundled));
    else
        list_row(l, model);
    l->count++;
    bst_model_free(model);
    return true;
}

static enum bst_code list(const struct cli_args *args, const struct cli_places *places, struct bst_error *err)
{
    static const char *const heads[] = {"NAME", "STYLES", "SIZE", "PARAMETERS", "FILE", "LICENCE", "SHA-256"};
    struct listing l = {.json = cli_has(args, "json"), .array = json_array()};
    if (!l.json) cli_table_begin(&l.table, 7, heads);
    enum bst_code code = cli_models_each(places, list_step, &l, err);
    if (!l.json && cli_table_end(&l.table, err) != BST_OK) code = err->code;
    if (l.json && code == BST_OK) code = cli_json(l.array, true, err);
    json_decref(l.array);
    if (code == BST_OK && l.count == 0 && l.broken == 0 && !l.json)
        for (size_t i = 0; i < places->count; i++)
            cli_note("no models in %s", places->folder[i]);
    return code == BST_OK && l.broken ? BST_UNREADABLE : code;
}

/* ---- one card ---- */

static void line(const char *name, const char *text)
{
    printf("  %-12s ", name);
    cli_text(stdout, text ? text : "unknown");
    fputc('\n', stdout);
}

static void print_card(const struct bst_model *model)
{
    const struct bst_card *card = bst_model_card(model);
    char digest[BST_SHA256_HEX], bytes[24], text[96];
    char *styles = join(card->styles, card->style_count);
    digest_text(model, digest);
    cli_bytes(bst_model_bytes(model), bytes);
    printf("%s", cli_colour(stdout, CLI_BOLD));
    cli_text(stdout, card->title  ? card->title
                     : card->name ? card->name
                                  : bst_path_name(bst_model_path(model)));
    printf("%s\n", cli_colour(stdout, CLI_PLAIN));
    line("name", card->name);
    line("description", card->description);
    line("author", card->author);
    line("licence", card->license);
    line("styles", card->style_count ? styles : "none");
    snprintf(text, sizeof text, "%u x %u%s%s", card->width, card->height,
             card->fixed_size ? " only" : ", or any other",
             card->tileable ? "; seamless tiles with --tile" : "");
    line("size", text);
    snprintf(text, sizeof text, "%llu in %s", (unsigned long long)bst_model_parameters(model), bytes);
    line("parameters", text);
    line("sha256", digest);
    line("file", bst_model_path(model));
    free(styles);
    static const char *const more[] = {"intended_use", "limitations", "personal_data"};
    for (size_t i = 0; card->json && i < 3; i++)
        if (bst_json_text(card->json, more[i])) line(more[i], bst_json_text(card->json, more[i]));
}

static enum bst_code show(const struct cli_args *args, const struct cli_places *places, struct bst_error *err)
{
    struct bst_model *model = NULL;
    enum bst_code code = cli_model_open(places, args->operands[0], &model, err);
    if (code != BST_OK) return code;
    if (cli_has(args, "json")) {
        const char *path = bst_model_path(model);
        bool bundled = true;
        for (size_t i = 0; i < places->count; i++)
            if (!places->bundled[i] && !strncmp(path, places->folder[i], strlen(places->folder[i])))
                bundled = false;
        json_t *object = model_json(model, path, bundled);
        code = object ? cli_json(object, true, err) : bst_fail_memory(err);
        json_decref(object);
    } else {
        print_card(model);
    }
    bst_model_free(model);
    return code;
}

/* ---- add ---- */

static enum bst_code add(const struct cli_args *args, const char *home, struct bst_error *err)
{
    const char *file = cli_value(args, "add");
    struct bst_model *model = NULL;
    struct bst_buf bytes = {0};
    char *folder = bst_path_join(home, "models"), *path = NULL;
    enum bst_code code = folder ? bst_model_open(file, &model, err) : bst_fail_memory(err);
    if (code == BST_OK) code = bst_folder_make(folder, 0700, err);
    if (code == BST_OK) {
        const char *name = bst_model_card(model)->name;
        path = name ? bst_format("%s/%s.onnx", folder, name) : bst_path_join(folder, bst_path_name(file));
        if (!path) code = bst_fail_memory(err);
    }
    if (code == BST_OK) code = bst_file_read(file, MODEL_FILE_MAX, &bytes, err);
    if (code == BST_OK) code = bst_file_write(path, bytes.data, bytes.len, 0, err);
    if (code == BST_OK && cli_has(args, "json")) {
        json_t *object = model_json(model, path, false);
        code = object ? cli_json(object, true, err) : bst_fail_memory(err);
        json_decref(object);
    } else if (code == BST_OK) {
        printf("Added %s\n", path);
    }
    bst_buf_free(&bytes);
    bst_model_free(model);
    free(path);
    free(folder);
    return code;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    char *home = NULL;
    struct cli_places places = {0};
    enum bst_code code = cli_home(args, cli_has(args, "add"), &home, err);
    if (code == BST_OK) code = cli_places_find(home, &places, err);
    if (code == BST_OK) {
        if (cli_has(args, "add"))
            code = add(args, home, err);
        else
            code = args->operand_count ? show(args, &places, err) : list(args, &places, err);
    }
    cli_places_clear(&places);
    free(home);
    return code;
}

const struct cli_command cmd_models = {
    .name = "models",
    .summary = "list the models, or show the card of one",
    .usage = "models\nmodels NAME|FILE.onnx\nmodels --add FILE.onnx",
    .details = "Models are ONNX files. They are looked for in HOME/models and among those that came with the "
               "program\n"
               "(BLINDSTAMP_MODELS names another folder for these). What a model's card does not say reads "
               "\"unknown\".",
    .options = options,
    .examples = "blindstamp models\nblindstamp models --json | jq -r '.[].name'",
    .least = 0,
    .most = 1,
    .writes = true,
    .run = run,
};
