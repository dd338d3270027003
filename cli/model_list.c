/* model_list.c - blindstamp model list: every model in a line, or as JSON. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "model_verbs.h"

char *model_join(char *const *words, size_t count)
{
    struct bst_buf text = {0};
    for (size_t i = 0; i < count; i++)
        bst_buf_printf(&text, "%s%s", i ? ", " : "", words[i]);
    if (!bst_buf_string(&text)) return NULL;
    return (char *)text.data;
}

void model_digest_text(const struct bst_model *model, char out[static BST_SHA256_HEX])
{
    uint8_t digest[BST_SHA256_LEN];
    bst_model_digest(model, digest);
    bst_hex(digest, sizeof digest, out);
}

json_t *model_json(const struct bst_model *model, const char *path, bool bundled)
{
    const struct bst_card *card = bst_model_card(model);
    char digest[BST_SHA256_HEX];
    model_digest_text(model, digest);
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
    char *styles = model_join(card->styles, card->style_count);
    model_digest_text(model, digest);
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

enum bst_code model_list(const struct model_call *call, struct bst_error *err)
{
    static const char *const heads[] = {"NAME", "STYLES", "SIZE", "PARAMETERS", "FILE", "LICENCE", "SHA-256"};
    struct listing l = {.json = cli_has(call->args, "json"), .array = json_array()};
    if (!l.json) cli_table_begin(&l.table, 7, heads);
    enum bst_code code = cli_models_each(call->places, list_step, &l, err);
    if (!l.json && cli_table_end(&l.table, err) != BST_OK) code = err->code;
    if (l.json && code == BST_OK) code = cli_json(l.array, true, err);
    json_decref(l.array);
    if (code == BST_OK && l.count == 0 && l.broken == 0 && !l.json)
        for (size_t i = 0; i < call->places->count; i++)
            cli_note("no models in %s", call->places->folder[i]);
    return code == BST_OK && l.broken ? BST_UNREADABLE : code;
}
