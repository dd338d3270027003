/* replay.c - makes the picture again from its statement and compares pixels. */
#include "verify.h"

#include <dirent.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- files by their digest ---- */

static bool has_digest(const char *path, const uint8_t digest[static BST_SHA256_LEN])
{
    uint8_t found[BST_SHA256_LEN];
    struct bst_error ignored = {0};
    return bst_sha256_file(path, found, &ignored) == BST_OK && !memcmp(found, digest, BST_SHA256_LEN);
}

static bool ends_in(const char *name, const char *const *ends)
{
    size_t len = strlen(name);
    for (; *ends; ends++) {
        size_t n = strlen(*ends);
        if (len > n && !strcmp(name + len - n, *ends)) return true;
    }
    return false;
}

/* The file itself, or one in the folder; new memory or NULL. */
static char *find_in(const char *place, const char *const *ends, const uint8_t digest[static BST_SHA256_LEN])
{
    struct stat st;
    if (stat(place, &st) != 0) return NULL;
    if (!S_ISDIR(st.st_mode)) return has_digest(place, digest) ? bst_strdup(place) : NULL;
    DIR *dir = opendir(place);
    char *found = NULL;
    for (struct dirent *entry; dir && !found && (entry = readdir(dir));) {
        if (!ends_in(entry->d_name, ends)) continue;
        char *path = bst_path_join(place, entry->d_name);
        if (path && stat(path, &st) == 0 && S_ISREG(st.st_mode) && has_digest(path, digest))
            found = path;
        else
            free(path);
    }
    if (dir) closedir(dir);
    return found;
}

static char *find_file(const char *const *places, size_t count, const char *const *ends, const char *hex)
{
    uint8_t digest[BST_SHA256_LEN];
    char *found = NULL;
    if (!hex || !bst_unhex(hex, digest, sizeof digest)) return NULL;
    for (size_t i = 0; i < count && !found; i++)
        found = find_in(places[i], ends, digest);
    return found;
}

/* ---- controls ---- */

struct again {
    struct bst_controls controls;
    struct bst_style styles[BST_STYLES_MAX];
    struct bst_image input;
    char *model_path, *card_path;
    unsigned arith; /* version of the rules that the statement names */
};

/* BST_NO_PROVENANCE with the reason when the statement does not tell enough to make the picture again. Its
 * size is the picture's own. */
static enum bst_code read_controls(const struct facts *f, struct again *again, struct bst_error *err)
{
    struct bst_controls *c = &again->controls;
    size_t i;
    json_t *style;
    if (!f->seed || !bst_parse_u64(f->seed, &c->seed) || !json_is_number(f->truncation) ||
        !json_is_boolean(f->tile))
        return bst_fail(err, BST_NO_PROVENANCE,
                        "the statement keeps the seed or the controls to itself, and no ledger "
                        "at hand opens them");
    c->width = (uint32_t)f->width;
    c->height = (uint32_t)f->height;
    c->truncation = (float)json_number_value(f->truncation);
    c->tile = json_is_true(f->tile);
    if (f->label) {
        json_int_t label = json_integer_value(f->label);
        if (!json_is_integer(f->label) || label < 0 || label > UINT32_MAX)
            return bst_fail(err, BST_NO_PROVENANCE,
                            "the statement keeps the label to itself, and no ledger at hand opens it");
        c->has_label = true;
        c->label = (uint32_t)label;
    }
    c->styles = again->styles;
    if (json_array_size(f->styles) > BST_STYLES_MAX || (f->styles && !json_is_array(f->styles)))
        return bst_fail(err, BST_NO_PROVENANCE, "the statement's styles cannot be read");
    json_array_foreach(f->styles, i, style)
    {
        const char *name = bst_json_text(style, "name");
        const json_t *weight = json_object_get(style, "weight");
        if (!name || !json_is_number(weight))
            return bst_fail(err, BST_NO_PROVENANCE, "the statement's styles cannot be read");
        again->styles[c->style_count++] = (struct bst_style){name, (float)json_number_value(weight)};
    }
    return BST_OK;
}

static enum bst_code find_input(const struct judge *judge, struct again *again, struct bst_error *err)
{
    static const char *const ends[] = {".png", ".jpg", ".jpeg", ".PNG", ".JPG", ".JPEG", NULL};
    const struct bst_verify_options *options = judge->options;
    if (!judge->facts.input_sha256) return BST_OK;
    /* Where the caller says, else beside the picture. */
    char *path = find_file(options->inputs, options->input_count, ends, judge->facts.input_sha256);
    if (!path) {
        const char *name = bst_path_name(judge->path);
        char *folder = name == judge->path ? bst_strdup(".")
                                           : bst_format("%.*s", (int)(name - judge->path), judge->path);
        if (!folder) return bst_fail_memory(err);
        path = find_file((const char *const[]){folder}, 1, ends, judge->facts.input_sha256);
        free(folder);
    }
    if (!path) {
        bst_fail(err, BST_NO_PROVENANCE, "the input picture %.100s (SHA-256 %.16s...) is not at hand",
                 judge->facts.input ? judge->facts.input : "", judge->facts.input_sha256);
        return bst_hint(err, "--input says where it is");
    }
    enum bst_code code = bst_image_load(path, &again->input, err);
    if (code == BST_OK) again->controls.input = &again->input;
    free(path);
    return code;
}

static enum bst_code find_model(const struct judge *judge, struct again *again, struct bst_error *err)
{
    static const char *const ends[] = {".onnx", NULL};
    const struct bst_verify_options *options = judge->options;
    const struct facts *f = &judge->facts;
    again->model_path = find_file(options->models, options->model_count, ends, f->model_sha256);
    if (again->model_path) return BST_OK;
    bst_fail(err, BST_NO_PROVENANCE, "the model %.80s (SHA-256 %.16s...) is not at hand",
             f->model ? f->model : "", f->model_sha256 ? f->model_sha256 : "unknown");
    return bst_hint(err, "--model says where it is");
}

/* The card that the statement names: beside the model, or in one of the places where models are. Without one
 * the model's own file said everything. */
static enum bst_code find_card(const struct judge *judge, struct again *again, struct bst_error *err)
{
    static const char *const ends[] = {".card.json", NULL};
    const struct bst_verify_options *options = judge->options;
    const char *digest = judge->facts.card_sha256;
    if (!digest) return BST_OK;
    char *beside = bst_card_path(again->model_path);
    if (!beside) return bst_fail_memory(err);
    again->card_path = find_file((const char *const[]){beside}, 1, ends, digest);
    free(beside);
    if (!again->card_path) again->card_path = find_file(options->models, options->model_count, ends, digest);
    if (again->card_path) return BST_OK;
    bst_fail(err, BST_NO_PROVENANCE, "the model's card (SHA-256 %.16s...) is not at hand", digest);
    return bst_hint(err, "--model says which folder holds it");
}

/* ---- making it again ---- */

static enum bst_code make(const struct judge *judge, const struct again *again, struct bst_image *out,
                          struct bst_error *err)
{
    struct bst_model *model = NULL;
    struct bst_generator *generator = NULL;
    const struct bst_run_options run = {.threads = judge->options->threads,
                                        .arith = again->arith,
                                        .progress = judge->options->progress,
                                        .progress_arg = judge->options->progress_arg};
    enum bst_code code = bst_model_open_with(again->model_path, again->card_path, &model, err);
    if (code == BST_OK) code = bst_generator_new(model, &run, &generator, err);
    if (code == BST_OK) code = bst_generate(generator, &again->controls, out, NULL, err);
    bst_generator_free(generator);
    bst_model_free(model);
    return code;
}

/* BST_BROKEN when it is clear beforehand that another picture would come out. */
static enum bst_code attempt(const struct judge *judge, struct again *again, struct bst_image *out,
                             struct bst_error *err)
{
    const struct facts *f = &judge->facts;
    if (!judge->has_statement || !f->generation)
        return bst_fail(err, BST_NO_PROVENANCE, "no statement says how it was made");
    if (!bst_arith_known(f->arith, &again->arith))
        return bst_fail(
            err, BST_NO_PROVENANCE,
            "it was computed by the rules %.60s, which this program does not know; its own are " BST_ARITH,
            f->arith ? f->arith : "of an unknown version");
    /* Another size is another picture, and a stranger's statement must not make this machine work for hours.
     */
    if (f->width != judge->image.width || f->height != judge->image.height)
        return bst_fail(err, BST_BROKEN, "the statement speaks of a picture of another size");
    enum bst_code code = read_controls(f, again, err);
    if (code == BST_OK) code = find_model(judge, again, err);
    if (code == BST_OK) code = find_card(judge, again, err);
    if (code == BST_OK) code = find_input(judge, again, err);
    if (code == BST_OK) code = make(judge, again, out, err);
    return code;
}

enum bst_code judge_replay(struct judge *judge, struct bst_error *err)
{
    struct again again = {0};
    struct bst_image image = {0};
    struct bst_error why = {0};
    enum bst_code code = attempt(judge, &again, &image, &why);
    if (code == BST_OK) {
        uint8_t made[BST_SHA256_LEN], given[BST_SHA256_LEN];
        bst_image_digest(&image, made);
        bst_image_digest(&judge->image, given);
        if (!memcmp(made, given, sizeof made))
            judge_say(judge, "replay", BST_PASS,
                      "Made again from the model, seed and controls of the statement: every "
                      "pixel is the same.");
        else
            judge_say(judge, "replay", BST_FAIL,
                      "Made again from the model, seed and controls of the statement, it "
                      "comes out as another picture.");
    } else if (code == BST_BROKEN) {
        judge_say(judge, "replay", BST_FAIL, "Not made again: %s.", why.what);
        code = BST_OK;
    } else if (code != BST_FAILURE) {
        judge_say(judge, "replay", BST_UNKNOWN, "Not made again: %s%s%s.", why.what, why.hint[0] ? "; " : "",
                  why.hint);
        code = BST_OK;
    } else {
        *err = why;
    }
    bst_image_clear(&image);
    bst_image_clear(&again.input);
    free(again.model_path);
    free(again.card_path);
    return code;
}
