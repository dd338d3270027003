/* replay_read.c - from a statement to the rules, controls, model and pictures that the picture is made again
 * from. Whatever is missing is named, since "it cannot be made again" helps nobody. */
#include "replay.h"

#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- files by their digest ---- */

/* A search for the file with a digest; found is what it found, wrong a file that was looked into because of
 * its name or because the caller named it. */
struct search {
    const char *const *ends; /* of the names of files worth a look in a folder */
    const char *name;        /* what the file was called, or NULL */
    const char *hex;
    uint8_t digest[BST_SHA256_LEN];
    char *found, *wrong;
};

static bool ends_in(const char *name, const char *const *ends)
{
    size_t len = strlen(name);
    for (; *ends; ends++) {
        size_t n = strlen(*ends);
        if (len > n && !strcmp(name + len - n, *ends)) return true;
    }
    return false;
}

static bool is_called(const char *file, const char *name)
{
    size_t len = name ? strlen(name) : 0;
    return len > 0 && !strncmp(file, name, len) && (file[len] == 0 || file[len] == '.');
}

/* Takes path, which is new memory or NULL. */
static void look_into(struct search *search, char *path, bool named)
{
    struct stat st;
    uint8_t digest[BST_SHA256_LEN];
    struct bst_error ignored = {0};
    if (path && stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
        bst_sha256_file(path, digest, &ignored) == BST_OK) {
        char **kept = !memcmp(digest, search->digest, sizeof digest)          ? &search->found
                      : named || is_called(bst_path_name(path), search->name) ? &search->wrong
                                                                              : NULL;
        if (kept && !*kept) {
            *kept = path;
            return;
        }
    }
    free(path);
}

/* The file itself, or those in the folder. */
static void look_at(struct search *search, const char *place)
{
    struct stat st;
    if (search->found || stat(place, &st) != 0) return;
    if (!S_ISDIR(st.st_mode)) {
        look_into(search, bst_strdup(place), ends_in(place, search->ends));
        return;
    }
    DIR *dir = opendir(place);
    for (struct dirent *entry; dir && !search->found && (entry = readdir(dir));)
        if (ends_in(entry->d_name, search->ends))
            look_into(search, bst_path_join(place, entry->d_name), false);
    if (dir) closedir(dir);
}

static struct search search_for(const char *const *ends, const char *name, const char *hex)
{
    struct search search = {.ends = ends, .name = name, .hex = hex ? hex : ""};
    return search;
}

/* Looks at all places in turn; false when there is no digest to look for. */
static bool look(struct search *search, const char *const *places, size_t count)
{
    if (!bst_unhex(search->hex, search->digest, sizeof search->digest)) return false;
    for (size_t i = 0; i < count; i++)
        look_at(search, places[i]);
    return true;
}

/* Gives the file found away, or says what it is that was not. kind: "model", option: "--model". */
static enum bst_code search_end(struct search *search, const char *kind, const char *option, char **out,
                                struct bst_error *err)
{
    enum bst_code code = BST_OK;
    *out = search->found;
    if (!search->found && search->wrong) {
        uint8_t digest[BST_SHA256_LEN];
        char hex[BST_SHA256_HEX] = "";
        if (bst_sha256_file(search->wrong, digest, err) == BST_OK) bst_hex(digest, sizeof digest, hex);
        bst_fail(
            err, BST_NO_PROVENANCE,
            "the %s differs: %.60s (SHA-256 %.16s...) is not the one of the statement (SHA-256 %.16s...)",
            kind, bst_path_name(search->wrong), hex, search->hex);
        code = bst_hint(err, "%s says where that is", option);
    } else if (!search->found) {
        bst_fail(err, BST_NO_PROVENANCE, "the %s %.80s (SHA-256 %.16s...) is not at hand", kind,
                 search->name ? search->name : "", *search->hex ? search->hex : "unknown");
        code = bst_hint(err, "%s says where it is", option);
    }
    free(search->wrong);
    return code;
}

/* ---- controls ---- */

/* Every parameter that this program knows; one that it does not know may decide pixels. */
static const char *const controls[] = {"seed",  "mix",   "latent_generator", "truncation", "tile",
                                       "label", "styles"};
static const char *const others[] = {"model", "width", "height", "prompt", "title", "description", "input"};

static bool is_among(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(name, names[i])) return true;
    return false;
}

/* Is anything that decides the pixels committed to only, or beyond this program? */
static enum bst_code check_parameters(const json_t *parameters, struct bst_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)parameters, key, value)
    {
        bool control = is_among(key, controls, sizeof controls / sizeof *controls);
        if (!control && !is_among(key, others, sizeof others / sizeof *others)) {
            bst_fail(err, BST_NO_PROVENANCE,
                     "the statement names the control \"%.40s\", which this program does not know", key);
            return bst_hint(err, "a newer Blindstamp may know it");
        }
        if (control && json_is_object(value)) {
            bst_fail(err, BST_NO_PROVENANCE,
                     "the statement keeps the %.40s to itself, and no ledger at hand opens it", key);
            return bst_hint(err, "--ledger names the one that keeps it");
        }
    }
    return BST_OK;
}

static enum bst_code cannot_read(const char *what, struct bst_error *err)
{
    return bst_fail(err, BST_NO_PROVENANCE, "the statement's %s cannot be read", what);
}

static bool read_float(const json_t *json, float *out)
{
    *out = (float)json_number_value(json);
    return json_is_number(json);
}

static enum bst_code read_styles(const json_t *styles, struct again *again, struct bst_error *err)
{
    struct bst_controls *c = &again->controls;
    size_t i;
    json_t *style;
    if (styles && (!json_is_array(styles) || json_array_size(styles) > BST_STYLES_MAX))
        return cannot_read("styles", err);
    json_array_foreach(styles, i, style)
    {
        again->styles[i].name = bst_json_text(style, "name");
        if (!again->styles[i].name || !read_float(json_object_get(style, "weight"), &again->styles[i].weight))
            return cannot_read("styles", err);
    }
    c->styles = again->styles;
    c->style_count = json_array_size(styles);
    return BST_OK;
}

static enum bst_code read_mix(const json_t *mix, struct again *again, struct bst_error *err)
{
    struct bst_controls *c = &again->controls;
    size_t i;
    json_t *part;
    if (mix && (!json_is_array(mix) || json_array_size(mix) > BST_MIX_MAX)) return cannot_read("mix", err);
    json_array_foreach(mix, i, part)
    {
        const char *seed = bst_json_text(part, "seed");
        if (!seed || !bst_parse_u64(seed, &again->mix[i].seed) ||
            !read_float(json_object_get(part, "weight"), &again->mix[i].weight))
            return cannot_read("mix", err);
    }
    c->mix = again->mix;
    c->mix_count = json_array_size(mix);
    return BST_OK;
}

/* A statement without a name is of a time when there was philox alone, or says the same. */
static enum bst_code read_latent(const json_t *name, struct bst_controls *c, struct bst_error *err)
{
    c->latent = BST_LATENT_PHILOX;
    if (!name || bst_latent_known(json_string_value(name), &c->latent)) return BST_OK;
    const char *text = json_string_value(name);
    return bst_fail(err, BST_NO_PROVENANCE,
                    "its numbers were drawn by \"%.40s\", which this program does not know",
                    text ? text : "");
}

static enum bst_code read_controls(const struct facts *f, struct again *again, struct bst_error *err)
{
    struct bst_controls *c = &again->controls;
    json_int_t label = json_integer_value(f->label);
    if (check_parameters(f->parameters, err) != BST_OK) return err->code;
    if (!f->seed || !bst_parse_u64(f->seed, &c->seed)) return cannot_read("seed", err);
    if (!read_float(f->truncation, &c->truncation)) return cannot_read("truncation", err);
    if (!json_is_boolean(f->tile)) return cannot_read("tile", err);
    if (f->label && (!json_is_integer(f->label) || label < 0 || label > UINT32_MAX))
        return cannot_read("label", err);
    c->tile = json_is_true(f->tile);
    c->has_label = f->label != NULL;
    c->label = (uint32_t)label;
    enum bst_code code = read_latent(f->latent_generator, c, err);
    if (code == BST_OK) code = read_mix(f->mix, again, err);
    if (code == BST_OK) code = read_styles(f->styles, again, err);
    return code;
}

/* ---- model, card, input picture ---- */

static enum bst_code find_model(const struct judge *judge, struct again *again, struct bst_error *err)
{
    static const char *const ends[] = {".onnx", NULL};
    const struct bst_verify_options *options = judge->options;
    struct search search = search_for(ends, judge->facts.model, judge->facts.model_sha256);
    look(&search, options->models, options->model_count);
    return search_end(&search, "model", "--model", &again->model_path, err);
}

/* The card that the statement names: beside the model, or in one of the places where models are. Without one
 * the model's own file said everything. */
static enum bst_code find_card(const struct judge *judge, struct again *again, struct bst_error *err)
{
    static const char *const ends[] = {".card.json", NULL};
    const struct bst_verify_options *options = judge->options;
    if (!judge->facts.card_sha256) return BST_OK;
    char *beside = bst_card_path(again->model_path);
    if (!beside) return bst_fail_memory(err);
    struct search search = search_for(ends, NULL, judge->facts.card_sha256);
    look(&search, (const char *const[]){beside}, 1);
    look(&search, options->models, options->model_count);
    free(beside);
    return search_end(&search, "model's card", "--model", &again->card_path, err);
}

/* The folder that the picture lies in, in new memory. */
static char *folder_of(const char *path)
{
    const char *name = bst_path_name(path);
    return name == path ? bst_strdup(".") : bst_format("%.*s", (int)(name - path), path);
}

/* Another library may decode a JPEG to other samples: then it is another input. */
static enum bst_code check_input(const struct judge *judge, const struct bst_image *input,
                                 struct bst_error *err)
{
    uint8_t digest[BST_SHA256_LEN];
    char hex[BST_SHA256_HEX];
    bst_image_digest(input, digest);
    bst_hex(digest, sizeof digest, hex);
    const char *want = judge->facts.input_pixels_sha256;
    if (!want || !strcmp(want, hex)) return BST_OK;
    return bst_fail(
        err, BST_NO_PROVENANCE,
        "the input picture's samples differ: this machine decodes the file to others than the statement "
        "names");
}

/* Where the caller says, else beside the picture. */
static enum bst_code find_input(const struct judge *judge, struct again *again, struct bst_error *err)
{
    static const char *const ends[] = {".png", ".jpg", ".jpeg", ".PNG", ".JPG", ".JPEG", NULL};
    const struct bst_verify_options *options = judge->options;
    if (!judge->facts.input_sha256) return BST_OK;
    char *folder = folder_of(judge->path), *path = NULL;
    if (!folder) return bst_fail_memory(err);
    struct search search = search_for(ends, judge->facts.input, judge->facts.input_sha256);
    look(&search, options->inputs, options->input_count);
    look(&search, (const char *const[]){folder}, 1);
    free(folder);
    enum bst_code code = search_end(&search, "input picture", "--input", &path, err);
    if (code == BST_OK) code = bst_image_load(path, &again->input, err);
    if (code == BST_OK) code = check_input(judge, &again->input, err);
    if (code == BST_OK) again->controls.input = &again->input;
    free(path);
    return code;
}

/* The digest that the statement gives to a file of weights, or NULL. */
static const char *weights_digest(const struct judge *judge, const char *name)
{
    size_t i;
    json_t *item;
    json_array_foreach(judge->facts.dependencies, i, item)
    {
        const char *role = bst_json_text(json_object_get(item, "annotations"), "role");
        const char *is = bst_json_text(item, "name");
        if (role && is && !strcmp(role, "weights") && !strcmp(is, name))
            return bst_json_text(json_object_get(item, "digest"), "sha256");
    }
    return NULL;
}

enum bst_code again_check_weights(const struct judge *judge, const struct bst_model *model,
                                  struct bst_error *err)
{
    size_t count;
    const struct bst_external_file *files = bst_model_external(model, &count);
    for (size_t i = 0; i < count; i++) {
        const char *want = weights_digest(judge, files[i].name);
        char have[BST_SHA256_HEX];
        bst_hex(files[i].digest, BST_SHA256_LEN, have);
        if (!want)
            return bst_fail(err, BST_NO_PROVENANCE,
                            "the statement does not name the model's file of weights %.80s", files[i].name);
        if (strcmp(want, have) != 0)
            return bst_fail(err, BST_NO_PROVENANCE,
                            "the model's weights differ: %.60s (SHA-256 %.16s...) is not the file of the "
                            "statement (SHA-256 %.16s...)",
                            files[i].name, have, want);
    }
    return BST_OK;
}

/* ---- all of it ---- */

enum bst_code again_read(const struct judge *judge, struct again *out, struct bst_error *err)
{
    const struct facts *f = &judge->facts;
    if (!bst_arith_known(f->arith, &out->arith)) {
        bst_fail(err, BST_NO_PROVENANCE,
                 "it was computed by the rules %.60s, and this program's newest are " BST_ARITH,
                 f->arith ? f->arith : "of an unknown version");
        return bst_hint(err, "it was made by Blindstamp %.20s",
                        f->version ? f->version : "of an unknown version");
    }
    enum bst_code code = read_controls(f, out, err);
    if (code == BST_OK) code = find_model(judge, out, err);
    if (code == BST_OK) code = find_card(judge, out, err);
    if (code == BST_OK) code = find_input(judge, out, err);
    return code;
}

void again_clear(struct again *again)
{
    bst_image_clear(&again->input);
    free(again->model_path);
    free(again->card_path);
}
