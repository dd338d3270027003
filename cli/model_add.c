/* model_add.c - blindstamp model add: a model is checked, gets its card and golden pictures, is copied
 * unchanged to HOME/models and recorded in the ledger. Everything is worked out before anything is written. */
#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model_verbs.h"

#define MODEL_FILE_MAX (1u << 30)
#define CARD_FILE_MAX  (1u << 20)

struct adding {
    const struct model_call *call;
    char *source;  /* the ONNX file */
    char *foreign; /* what it was converted from; source is then a file of ours, to be removed */
    char *second;  /* and the numbers beside that or its encoder, or NULL */
    const char *styles[BST_IMPORT_STYLES_MAX + 1]; /* pictures that became its styles */
    size_t style_count;
    char *given_card; /* --card, or the one found in a folder; NULL: none */
    char *path;       /* where it goes */
    char *card_path;
    char converted[120]; /* in words: from what */
    struct bst_buf card; /* text of the card that goes beside it; empty: the file's own says all */
    json_t *json;        /* the same, or the file's own */
    json_t *notes;       /* what was seen, when the card was proposed */
    bool proposed;
    struct bst_model *model;      /* with that card */
    struct model_weights weights; /* files that were copied beside it */
    size_t golden;                /* pictures that came out as the card says, or were made for it */
    uint64_t entry;
    uint8_t digest[BST_SHA256_LEN];
};

static void adding_clear(struct adding *a)
{
    if (a->foreign && a->source) unlink(a->source);
    free(a->source);
    free(a->foreign);
    free(a->second);
    free(a->given_card);
    free(a->path);
    free(a->card_path);
    bst_buf_free(&a->card);
    json_decref(a->json);
    json_decref(a->notes);
    model_weights_clear(&a->weights);
    bst_model_free(a->model);
}

/* ---- what is added ---- */

static bool ends_in(const char *name, const char *end)
{
    size_t len = strlen(name), n = strlen(end);
    return len >= n && !strcmp(name + len - n, end);
}

/* The only file with that ending in a folder; *count says how many there are. New memory, or NULL. */
static char *only_file(const char *folder, const char *end, size_t *count)
{
    DIR *dir = opendir(folder);
    char *found = NULL;
    *count = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        if (entry->d_name[0] == '.' || !ends_in(entry->d_name, end)) continue;
        free(found);
        found = bst_path_join(folder, entry->d_name);
        (*count)++;
    }
    if (dir) closedir(dir);
    return found;
}

static bool is_foreign(const char *path)
{
    static const char *const ends[] = {".pth", ".pt", ".safetensors", ".param"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_in(path, ends[i])) return true;
    return false;
}

/* The model in a folder: an ONNX file, or else weights of another kind. */
static enum bst_code find_in_folder(struct adding *a, const char *folder, struct bst_error *err)
{
    static const char *const ends[] = {".onnx", ".param", ".safetensors", ".pth", ".pt"};
    size_t count = 0, cards = 0;
    for (size_t i = 0; i < sizeof ends / sizeof *ends && count == 0; i++) {
        free(a->source);
        a->source = only_file(folder, ends[i], &count);
    }
    if (count != 1) {
        bst_fail(err, BST_USAGE, "%s holds %s", folder, count ? "more than one model" : "no model");
        return bst_hint(err, "name the file itself");
    }
    if (!a->given_card) a->given_card = only_file(folder, "card.json", &cards);
    if (cards > 1) {
        bst_fail(err, BST_USAGE, "%s holds more than one card", folder);
        return bst_hint(err, "--card says which one is meant");
    }
    return a->source ? BST_OK : bst_fail_memory(err);
}

static enum bst_code find_source(struct adding *a, struct bst_error *err)
{
    const char *operand = a->call->operand, *card = cli_value(a->call->args, "card");
    if (card && !(a->given_card = bst_strdup(card))) return bst_fail_memory(err);
    if (cli_is_folder(operand)) return find_in_folder(a, operand, err);
    a->source = bst_strdup(operand);
    return a->source ? BST_OK : bst_fail_memory(err);
}

/* Weights of another kind become an ONNX file beside the models, under a name that no listing shows. */
static enum bst_code convert(struct adding *a, struct bst_error *err)
{
    struct bst_import_result result;
    const char *encoder = cli_value(a->call->args, "encoder");
    while (a->style_count <= BST_IMPORT_STYLES_MAX &&
           (a->styles[a->style_count] = cli_nth(a->call->args, "style-picture", a->style_count)))
        a->style_count++;
    const struct bst_import_options options = {.architecture = cli_value(a->call->args, "architecture"),
                                               .name = cli_value(a->call->args, "name"),
                                               .license = cli_value(a->call->args, "license"),
                                               .style_pictures = a->styles,
                                               .style_picture_count = a->style_count};
    if (!is_foreign(a->source)) {
        if (!options.architecture && !encoder && a->style_count == 0) return BST_OK;
        bst_fail(err, BST_USAGE, "--%s is for PyTorch's and safetensors' weights",
                 options.architecture ? "architecture"
                 : encoder            ? "encoder"
                                      : "style-picture");
        return bst_hint(err, "an ONNX file says itself what it computes");
    }
    char *folder = bst_path_join(a->call->home, "models"), *path = NULL;
    enum bst_code code = folder ? bst_folder_make(folder, 0700, err) : bst_fail_memory(err);
    if (code == BST_OK && !(path = bst_format("%s/.converted-%ld.onnx", folder, (long)getpid())))
        code = bst_fail_memory(err);
    if (code == BST_OK) code = bst_import(a->source, encoder, &options, path, &result, err);
    bool ncnn = ends_in(a->source, ".param");
    if (code == BST_OK && (encoder || ncnn) &&
        !(a->second = encoder ? bst_strdup(encoder)
                              : bst_format("%.*s.bin", (int)(strlen(a->source) - 6), a->source)))
        code = bst_fail_memory(err);
    free(folder);
    if (code != BST_OK) {
        free(path);
        return code;
    }
    a->foreign = a->source;
    a->source = path;
    snprintf(a->converted, sizeof a->converted, "%s%s%s, %llu parameters", result.format,
             strcmp(result.format, result.architecture) ? ", " : "",
             strcmp(result.format, result.architecture) ? result.architecture : "",
             (unsigned long long)result.parameters);
    return BST_OK;
}

/* ---- its card ---- */

static bool is_name(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len <= 64 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* SPDX licence expressions: identifiers, AND, OR, WITH and parentheses. */
static bool is_license(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-+() ";
    size_t len = strlen(text);
    return len > 0 && len <= 200 && strspn(text, allowed) == len;
}

static enum bst_code base_card(struct adding *a, struct bst_error *err)
{
    const struct bst_run_options options = {0};
    struct bst_model *model = NULL;
    struct bst_generator *generator = NULL;
    enum bst_code code = bst_model_open(a->source, &model, err);
    if (code != BST_OK) return code;
    bst_model_digest(model, a->digest);
    a->proposed = bst_model_card(model)->source == BST_CARD_DERIVED;
    if (a->proposed) {
        code = bst_generator_new(model, &options, &generator, err);
        if (code == BST_OK) code = bst_card_propose(generator, &a->json, &a->notes, err);
    } else if (!(a->json = json_deep_copy(bst_model_card(model)->json))) {
        code = bst_fail_memory(err);
    }
    bst_generator_free(generator);
    bst_model_free(model);
    return code;
}

/* The fields of the given card win over those that were found. */
static enum bst_code given_card(struct adding *a, struct bst_error *err)
{
    json_t *given = NULL;
    if (!a->given_card) return BST_OK;
    enum bst_code code = bst_json_load(a->given_card, CARD_FILE_MAX, &given, err);
    if (code != BST_OK) return code;
    if (!json_is_object(given)) {
        bst_fail(err, BST_UNREADABLE, "%s is no JSON object", a->given_card);
        code = bst_hint(err, "schema/card.schema.json says what a card holds");
    } else if (json_object_update(a->json, given) != 0) {
        code = bst_fail_memory(err);
    }
    json_decref(given);
    return code;
}

static enum bst_code given_words(struct adding *a, struct bst_error *err)
{
    const char *name = cli_value(a->call->args, "name"), *license = cli_value(a->call->args, "license");
    if (name && !is_name(name)) {
        bst_fail(err, BST_USAGE, "\"%.60s\" cannot be a model's name", name);
        return bst_hint(err, "a-z, 0-9 and dashes can stand in it");
    }
    if (license && !is_license(license)) {
        bst_fail(err, BST_USAGE, "\"%.60s\" is no SPDX licence", license);
        return bst_hint(err, "for example MIT, Apache-2.0 or CC-BY-4.0");
    }
    if (name) json_object_set_new(a->json, "name", json_string(name));
    if (license) json_object_set_new(a->json, "license", json_string(license));
    return BST_OK;
}

static bool has_golden(const json_t *card)
{
    const json_t *golden = json_object_get(card, "golden");
    for (size_t i = 0; i < json_array_size(golden); i++) {
        const char *arith = bst_json_text(json_array_get(golden, i), "arith");
        if (arith && !strcmp(arith, BST_ARITH)) return true;
    }
    return false;
}

/* Opens the model with the card as it now is. */
static enum bst_code reopen(struct adding *a, struct bst_error *err)
{
    char digest[BST_SHA256_HEX];
    bst_hex(a->digest, sizeof a->digest, digest);
    json_object_set_new(a->json, "schema", json_string("blindstamp.card/1"));
    json_object_set_new(a->json, "model_sha256", json_string(digest));
    bst_buf_free(&a->card);
    bst_model_free(a->model);
    a->model = NULL;
    enum bst_code code = bst_json_pretty(a->json, &a->card, err);
    const char *text = code == BST_OK ? bst_buf_string(&a->card) : NULL;
    if (code == BST_OK && !text) code = bst_fail_memory(err);
    if (code == BST_OK) code = bst_model_open_text(a->source, text, &a->model, err);
    if (code == BST_OK || !a->notes || a->given_card) return code;
    /* A card that was only proposed lacks what the graph does not show. */
    size_t i;
    json_t *note;
    json_array_foreach(a->notes, i, note)
    {
        if (strcmp(bst_json_text(note, "state"), "unknown")) continue;
        *err = (struct bst_error){0};
        bst_fail(err, BST_UNREADABLE, "%.400s", bst_json_text(note, "words"));
        bst_where(err, "%s", a->source);
        return bst_hint(err,
                        "write what is known in a file and give it with --card (schema/card.schema.json)");
    }
    return code;
}

static enum bst_code check_golden(struct adding *a, const struct bst_run_options *options,
                                  struct bst_error *err)
{
    json_t *results = NULL, *item;
    size_t i;
    enum bst_code code = bst_golden_check(a->model, options, &results, err);
    if (code != BST_OK) return code;
    json_array_foreach(results, i, item)
    {
        const char *state = bst_json_text(item, "state"), *seed = bst_json_text(item, "seed");
        a->golden += state && !strcmp(state, "same");
        if (code != BST_OK || !state || strcmp(state, "differs")) continue;
        code = bst_fail(err, BST_BROKEN,
                        "the golden picture of seed %.20s comes out otherwise than its card says",
                        seed ? seed : "?");
        bst_where(err, "%s", a->source);
        bst_hint(err, "file and card do not belong together; a card without \"golden\" gets new ones");
    }
    json_decref(results);
    return code;
}

static enum bst_code make_golden(struct adding *a, const struct bst_run_options *options,
                                 struct bst_error *err)
{
    struct bst_generator *generator = NULL;
    json_t *made = NULL;
    enum bst_code code = bst_generator_new(a->model, options, &generator, err);
    if (code == BST_OK) code = bst_golden_make(generator, &made, err);
    bst_generator_free(generator);
    if (code != BST_OK) return code;
    a->golden += json_array_size(made);
    json_t *all = json_object_get(a->json, "golden");
    if (!all) {
        all = json_array();
        json_object_set_new(a->json, "golden", all);
    }
    if (json_array_extend(all, made) != 0) code = bst_fail_memory(err);
    json_decref(made);
    return code == BST_OK ? reopen(a, err) : code;
}

static enum bst_code settle_card(struct adding *a, struct bst_error *err)
{
    uint64_t threads = 0;
    enum bst_code code = cli_number(a->call->args, "threads", 1, 256, &threads, err);
    const struct bst_run_options options = {.threads = (unsigned)threads};
    if (code == BST_OK) code = base_card(a, err);
    json_t *own = code == BST_OK ? json_deep_copy(a->json) : NULL;
    if (code == BST_OK) code = given_card(a, err);
    if (code == BST_OK) code = given_words(a, err);
    bool own_says_all = code == BST_OK && !a->proposed && json_equal(own, a->json) && has_golden(a->json);
    if (code == BST_OK) code = reopen(a, err);
    if (code == BST_OK) code = check_golden(a, &options, err);
    if (code == BST_OK && !has_golden(a->json)) code = make_golden(a, &options, err);
    if (code == BST_OK && own_says_all) {
        bst_buf_free(&a->card);
        bst_model_free(a->model);
        a->model = NULL;
        json_decref(a->json);
        a->json = json_incref(own);
        code = bst_model_open_with(a->source, NULL, &a->model, err);
    }
    json_decref(own);
    return code;
}

/* ---- putting it in its place ---- */

static enum bst_code find_place(struct adding *a, struct bst_error *err)
{
    char *folder = bst_path_join(a->call->home, "models");
    const char *name = bst_model_card(a->model)->name;
    a->path = folder ? bst_format("%s/%s.onnx", folder, name) : NULL;
    a->card_path = a->path ? bst_card_path(a->path) : NULL;
    enum bst_code code = a->card_path ? bst_folder_make(folder, 0700, err) : bst_fail_memory(err);
    free(folder);
    if (code != BST_OK || cli_has(a->call->args, "force")) return code;
    if (!bst_file_exists(a->path) && !bst_file_exists(a->card_path)) return BST_OK;
    bst_fail(err, BST_USAGE, "there is a model %s already: %s", name, a->path);
    return bst_hint(err, "--name gives this one another name, --force replaces that one");
}

/* Adds a file to the list, unless it is NULL. */
static enum bst_code source_file(const char *path, struct bst_model_file *list, size_t *count,
                                 struct bst_error *err)
{
    struct stat st;
    if (!path) return BST_OK;
    if (stat(path, &st) != 0) return bst_fail_errno(err, BST_UNREADABLE, "cannot read %s", path);
    list[*count] = (struct bst_model_file){.name = bst_path_name(path), .bytes = (uint64_t)st.st_size};
    return bst_sha256_file(path, list[(*count)++].sha256, err);
}

static enum bst_code log_model(struct adding *a, struct bst_stamper *stamper, struct bst_error *err)
{
    const struct bst_card *card = bst_model_card(a->model);
    struct bst_model_file sources[2 + BST_IMPORT_STYLES_MAX];
    size_t count;
    const struct bst_external_file *weights = bst_model_external(a->model, &count);
    struct bst_model_file *files = bst_calloc(count + 1, sizeof *files);
    if (!files) return bst_fail_memory(err);
    files[0] = (struct bst_model_file){.name = bst_path_name(a->path), .bytes = bst_model_bytes(a->model)};
    for (size_t i = 0; i < count; i++) {
        files[i + 1] = (struct bst_model_file){.name = weights[i].name, .bytes = weights[i].bytes};
        memcpy(files[i + 1].sha256, weights[i].digest, sizeof weights[i].digest);
    }
    struct bst_model_record record = {.name = card->name,
                                      .license = card->license,
                                      .files = files,
                                      .file_count = count + 1,
                                      .sources = sources,
                                      .card = a->json,
                                      .card_name = a->card.len > 0 ? bst_path_name(a->card_path) : NULL,
                                      .recorded_ms = bst_now_ms()};
    struct bst_buf payload = {0};
    memcpy(files[0].sha256, a->digest, sizeof a->digest);
    memcpy(record.card_sha256, card->digest, sizeof record.card_sha256);
    enum bst_code code = source_file(a->foreign, sources, &record.source_count, err);
    if (code == BST_OK) code = source_file(a->second, sources, &record.source_count, err);
    for (size_t i = 0; i < a->style_count && code == BST_OK; i++)
        code = source_file(a->styles[i], sources, &record.source_count, err);
    if (code == BST_OK) code = bst_statement_model(&record, bst_stamper_identity(stamper), &payload, err);
    if (code == BST_OK) code = bst_stamp_statement(stamper, &payload, NULL, &a->entry, err);
    bst_buf_free(&payload);
    free(files);
    return code;
}

/* Copies the files of weights below the folder that the model goes to. */
static enum bst_code copy_weights(struct adding *a, struct bst_error *err)
{
    char *folder = bst_path_join(a->call->home, "models");
    enum bst_code code =
        folder ? model_weights_copy(&a->weights, a->model, folder, err) : bst_fail_memory(err);
    free(folder);
    return code;
}

/* The card and weights first: a model without its card would mean something else. What was written is taken back when the
 * ledger does not take the record. */
static enum bst_code publish(struct adding *a, struct bst_stamper *stamper, struct bst_error *err)
{
    struct bst_buf bytes = {0};
    uint8_t digest[BST_SHA256_LEN];
    unsigned flags = cli_has(a->call->args, "force") ? BST_WRITE_REPLACE : 0;
    bool replaced = bst_file_exists(a->path);
    enum bst_code code = bst_file_read(a->source, MODEL_FILE_MAX, &bytes, err);
    if (code != BST_OK) return code;
    bst_sha256(bytes.data, bytes.len, digest);
    if (memcmp(digest, a->digest, sizeof digest)) {
        code = bst_fail(err, BST_FAILURE, "%s changed while it was read", a->source);
    } else {
        code = copy_weights(a, err);
        if (code == BST_OK && a->card.len > 0)
            code = bst_file_write(a->card_path, a->card.data, a->card.len, flags, err);
        else if (code == BST_OK && replaced)
            unlink(a->card_path);
    }
    if (code == BST_OK) {
        code = bst_file_write(a->path, bytes.data, bytes.len, flags, err);
        if (code == BST_OK) code = log_model(a, stamper, err);
        if (code != BST_OK && !replaced) {
            unlink(a->path);
            unlink(a->card_path);
        }
    }
    if (code != BST_OK && !replaced) model_weights_take_back(&a->weights);
    bst_buf_free(&bytes);
    return code;
}

/* ---- telling ---- */

static void print_added(const struct adding *a)
{
    const struct bst_card *card = bst_model_card(a->model);
    char text[64];
    size_t i;
    json_t *note;
    printf("Added %s: %s\n", card->name, a->path);
    if (a->foreign) model_line("converted", a->converted);
    json_array_foreach(a->notes, i, note)
    {
        model_line(bst_json_text(note, "state"), bst_json_text(note, "words"));
    }
    model_line("card", a->card.len > 0 ? a->card_path : "in the model's file");
    if (card->license)
        model_line("licence", card->license);
    else
        model_line("licence", "unknown; --license SPDX records it");
    snprintf(text, sizeof text, "%zu pictures", a->golden);
    model_line("golden", text);
    snprintf(text, sizeof text, "%llu", (unsigned long long)a->entry);
    model_line("entry", text);
}

static enum bst_code report(const struct adding *a, struct bst_error *err)
{
    if (!cli_has(a->call->args, "json")) {
        print_added(a);
        return BST_OK;
    }
    json_t *all = model_json(a->model, a->path, false);
    json_object_set_new(all, "notes", a->notes ? json_incref(a->notes) : json_array());
    json_object_set_new(all, "card_path", a->card.len > 0 ? cli_json_text(a->card_path) : json_null());
    json_object_set_new(all, "golden", json_integer((json_int_t)a->golden));
    if (a->foreign) json_object_set_new(all, "converted", json_string(a->converted));
    json_object_set_new(all, "entry", json_integer((json_int_t)a->entry));
    return cli_json_take(all, true, err);
}

enum bst_code model_add(const struct model_call *call, struct bst_error *err)
{
    struct adding a = {.call = call};
    struct bst_stamper *stamper = NULL;
    enum bst_code code = find_source(&a, err);
    if (code == BST_OK) code = convert(&a, err);
    if (code == BST_OK) code = settle_card(&a, err);
    if (code == BST_OK) code = find_place(&a, err);
    if (code == BST_OK) code = cli_stamper(call->args, call->home, 0, false, &stamper, err);
    if (code == BST_OK) code = publish(&a, stamper, err);
    if (code == BST_OK) code = report(&a, err);
    bst_stamper_close(stamper);
    adding_clear(&a);
    return code;
}
