/* external.c - reads the files beside a model's own in which constants lie. Each is read into memory whole: what its
 * digest says and what the engine uses are the same bytes, whatever happens to the file meanwhile. */
#include "external.h"

#include <stdlib.h>
#include <string.h>

bool external_init(struct external *external, const char *model_path)
{
    int len = (int)(bst_path_name(model_path) - model_path);
    external->folder = len == 0 ? bst_strdup(".") : bst_format("%.*s", len, model_path);
    return external->folder != NULL;
}

void external_clear(struct external *external)
{
    for (size_t i = 0; i < external->count; i++) {
        free((char *)external->files[i].name);
        bst_buf_free(&external->data[i]);
    }
    free(external->folder);
}

static enum bst_code add_file(struct external *external, const char *name, struct bst_error *err)
{
    size_t i = external->count;
    if (external->folder == NULL) {
        bst_fail(err, BST_UNREADABLE, "constants lie in another file, '%.80s', which is not read here", name);
        return bst_hint(
            err, "save the model with its weights inside (onnx.save with save_as_external_data=False)");
    }
    if (i == EXTERNAL_MAX)
        return bst_fail(err, BST_UNREADABLE, "the constants lie in more than %d files", EXTERNAL_MAX);
    enum bst_code code = bst_file_read_within(external->folder, name, EXTERNAL_BYTES_MAX - external->bytes,
                                              &external->data[i], err);
    if (code != BST_OK)
        return bst_hint(err, "a model's further files must lie in its own folder, as ordinary files");
    external->files[i].name = bst_strdup(name);
    if (external->files[i].name == NULL) {
        bst_buf_free(&external->data[i]);
        return bst_fail_memory(err);
    }
    external->files[i].bytes = external->data[i].len;
    external->bytes += external->data[i].len;
    bst_sha256(external->data[i].data, external->data[i].len, external->files[i].digest);
    external->count++;
    return BST_OK;
}

enum bst_code external_find(struct external *external, const char *name, uint64_t offset, size_t len,
                            const uint8_t **out, struct bst_error *err)
{
    size_t i = 0;
    while (i < external->count && strcmp(external->files[i].name, name) != 0)
        i++;
    enum bst_code code = i == external->count ? add_file(external, name, err) : BST_OK;
    if (code != BST_OK) return code;
    if (offset > external->files[i].bytes || len > external->files[i].bytes - offset)
        return bst_fail(err, BST_UNREADABLE, "'%.80s' ends before the constants that should lie in it", name);
    *out = external->data[i].data + offset;
    return BST_OK;
}
