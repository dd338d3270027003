/* model_weights.c - the files of weights that a model names beside its own: copied with it, to the same places
 * relative to it, and taken back when it cannot be added after all. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model_verbs.h"

#define WEIGHTS_FILE_MAX ((size_t)1 << 31)

/* The folder of a path, with its slash; "" for none. New memory, or NULL. */
static char *folder_of(const char *path)
{
    return bst_format("%.*s", (int)(bst_path_name(path) - path), path);
}

/* Makes the folders that name runs through, below folder. */
static enum bst_code make_folders(const char *folder, const char *name, struct bst_error *err)
{
    enum bst_code code = BST_OK;
    for (const char *slash = strchr(name, '/'); slash && code == BST_OK; slash = strchr(slash + 1, '/')) {
        char *path = bst_format("%s/%.*s", folder, (int)(slash - name), name);
        code = path ? bst_folder_make(path, 0700, err) : bst_fail_memory(err);
        free(path);
    }
    return code;
}

/* Whether the file has to be copied: nothing is there yet. Other weights of that name are another model's. */
static enum bst_code is_free(const struct bst_external_file *file, const char *to, bool *free_place,
                             struct bst_error *err)
{
    uint8_t digest[BST_SHA256_LEN];
    *free_place = !bst_file_exists(to);
    if (*free_place) return BST_OK;
    enum bst_code code = bst_sha256_file(to, digest, err);
    if (code != BST_OK || !memcmp(digest, file->digest, sizeof digest)) return code;
    bst_fail(err, BST_USAGE, "there are other weights of that name already: %s", to);
    return bst_hint(err, "save the model as one file, or its weights under another name");
}

static enum bst_code copy(const struct bst_external_file *file, const char *from, const char *to,
                          struct bst_error *err)
{
    struct bst_buf bytes = {0};
    uint8_t digest[BST_SHA256_LEN];
    enum bst_code code = bst_file_read(from, WEIGHTS_FILE_MAX, &bytes, err);
    if (code == BST_OK) bst_sha256(bytes.data, bytes.len, digest);
    if (code == BST_OK && memcmp(digest, file->digest, sizeof digest))
        code = bst_fail(err, BST_FAILURE, "%s changed while it was read", from);
    if (code == BST_OK) code = bst_file_write(to, bytes.data, bytes.len, 0, err);
    bst_buf_free(&bytes);
    return code;
}

enum bst_code model_weights_copy(struct model_weights *w, const struct bst_model *model, const char *folder,
                                 struct bst_error *err)
{
    size_t count;
    const struct bst_external_file *files = bst_model_external(model, &count);
    char *source = folder_of(bst_model_path(model));
    w->paths = bst_calloc(count + 1, sizeof *w->paths);
    enum bst_code code = source && w->paths ? BST_OK : bst_fail_memory(err);
    for (size_t i = 0; i < count && code == BST_OK; i++) {
        char *from = bst_format("%s%s", source, files[i].name), *to = bst_path_join(folder, files[i].name);
        bool free_place = false;
        code = from && to ? is_free(&files[i], to, &free_place, err) : bst_fail_memory(err);
        if (code == BST_OK && free_place) code = make_folders(folder, files[i].name, err);
        if (code == BST_OK && free_place) code = copy(&files[i], from, to, err);
        if (code == BST_OK && free_place) {
            w->paths[w->count++] = to;
            to = NULL;
        }
        free(from);
        free(to);
    }
    free(source);
    if (code != BST_OK) model_weights_take_back(w);
    return code;
}

void model_weights_take_back(struct model_weights *w)
{
    for (size_t i = 0; i < w->count; i++)
        unlink(w->paths[i]);
    model_weights_clear(w);
}

void model_weights_clear(struct model_weights *w)
{
    for (size_t i = 0; i < w->count; i++)
        free(w->paths[i]);
    free(w->paths);
    *w = (struct model_weights){0};
}
