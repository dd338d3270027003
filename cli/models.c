/* models.c - where models are looked for. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

#define KNOWN_MAX 64

/* BLINDSTAMP_MODELS, else share/blindstamp/models beside the folder that the running program is in. */
static char *bundled_folder(void)
{
    const char *given = getenv("BLINDSTAMP_MODELS");
    if (given && *given) return bst_strdup(given);
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len <= 0) return NULL;
    self[len] = 0;
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(self, '/');
        if (!slash) return NULL;
        *slash = 0;
    }
    return bst_format("%s/share/blindstamp/models", self);
}

enum bst_code cli_places_find(const char *home, struct cli_places *out, struct bst_error *err)
{
    *out = (struct cli_places){0};
    if (home) {
        out->folder[out->count] = bst_path_join(home, "models");
        if (!out->folder[out->count++]) return bst_fail_memory(err);
    }
    out->folder[out->count] = bundled_folder();
    out->bundled[out->count] = true;
    if (out->folder[out->count]) out->count++;
    return BST_OK;
}

void cli_places_clear(struct cli_places *places)
{
    for (size_t i = 0; i < places->count; i++)
        free(places->folder[i]);
    *places = (struct cli_places){0};
}

static int is_model(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return entry->d_name[0] != '.' && len > 5 && !strcmp(entry->d_name + len - 5, ".onnx");
}

enum bst_code cli_models_each(const struct cli_places *places, cli_model_fn found, void *arg,
                              struct bst_error *err)
{
    bool go_on = true;
    enum bst_code code = BST_OK;
    for (size_t p = 0; p < places->count; p++) {
        struct dirent **names = NULL;
        int count = scandir(places->folder[p], &names, is_model, alphasort);
        for (int i = 0; i < count; i++) {
            char *path = code == BST_OK && go_on ? bst_path_join(places->folder[p], names[i]->d_name) : NULL;
            if (path)
                go_on = found(arg, path, places->bundled[p]);
            else if (code == BST_OK && go_on)
                code = bst_fail_memory(err);
            free(path);
            free(names[i]);
        }
        free(names);
    }
    return code;
}

char *cli_model_name(const struct bst_model *model)
{
    const char *name = bst_model_card(model)->name, *file = bst_path_name(bst_model_path(model));
    size_t len = strlen(file);
    if (name && *name) return bst_strdup(name);
    return bst_format("%.*s", (int)(len > 5 ? len - 5 : len), file);
}

/* ---- by name ---- */

struct search {
    const char *name;
    struct bst_model *model;
    struct bst_buf known;       /* names met so far: "a, b" */
    char *names[KNOWN_MAX + 1]; /* the same, for "did you mean"; ended by NULL */
    size_t count;
    struct bst_error broken; /* why a file called like the name could not be read */
};

static bool search_step(void *arg, const char *path, bool bundled)
{
    (void)bundled;
    struct search *s = arg;
    struct bst_model *model;
    struct bst_error err = {0};
    if (bst_model_open(path, &model, &err) != BST_OK) {
        const char *file = bst_path_name(path);
        if (!strncmp(file, s->name, strlen(s->name)) && !strcmp(file + strlen(s->name), ".onnx"))
            s->broken = err;
        return true;
    }
    char *name = cli_model_name(model);
    if (name && !strcmp(name, s->name)) {
        s->model = model;
        free(name);
        return false;
    }
    bst_model_free(model);
    if (name) bst_buf_printf(&s->known, "%s%s", s->known.len ? ", " : "", name);
    if (name && s->count < KNOWN_MAX)
        s->names[s->count++] = name;
    else
        free(name);
    return true;
}

static enum bst_code unknown_model(struct search *s, struct bst_error *err)
{
    if (s->broken.what[0]) {
        *err = s->broken;
        return err->code;
    }
    bst_fail(err, BST_USAGE, "there is no model \"%s\"", s->name);
    const char *meant = cli_closest(s->name, (const char *const *)s->names),
               *known = bst_buf_string(&s->known);
    if (meant) return bst_hint(err, "did you mean %s? Known: %s", meant, known ? known : "");
    if (s->known.len) return bst_hint(err, "known models: %s; or give the path of an ONNX file", known);
    return bst_hint(err, "no models are installed; give the path of an ONNX file");
}

enum bst_code cli_model_open(const struct cli_places *places, const char *name, struct bst_model **out,
                             struct bst_error *err)
{
    size_t len = strlen(name);
    if (strchr(name, '/') || (len > 5 && !strcmp(name + len - 5, ".onnx")))
        return bst_model_open(name, out, err);
    struct search s = {.name = name};
    enum bst_code code = cli_models_each(places, search_step, &s, err);
    if (code == BST_OK && !s.model) code = unknown_model(&s, err);
    *out = s.model;
    for (size_t i = 0; i < s.count; i++)
        free(s.names[i]);
    bst_buf_free(&s.known);
    return code;
}
