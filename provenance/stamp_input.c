/* stamp_input.c - the picture that a model started from, as an ingredient: what it is called, how it looks, and the
 * credentials that it came with, judged. A private picture's manifest tells nothing of that. */
#include "stamp.h"

#include <stdlib.h>
#include <string.h>

/* One input picture of a batch. A private one is of one generation only: its commitment differs from picture to picture. */
struct bst_input {
    struct bst_input *next;
    bool kept_back;
    uint8_t sha256[BST_SHA256_LEN];
    char *path; /* NULL: not at hand */
    char *name;
    char *problem;
    bool has_credentials;
    struct bst_c2pa c2pa;
    struct bst_parent parent;
};

const char *bst_media_type(enum bst_format format)
{
    static const char *const types[] = {[BST_FORMAT_UNKNOWN] = "application/octet-stream",
                                        [BST_FORMAT_PNG] = "image/png",
                                        [BST_FORMAT_JPEG] = "image/jpeg",
                                        [BST_FORMAT_WEBP] = "image/webp",
                                        [BST_FORMAT_TIFF] = "image/tiff",
                                        [BST_FORMAT_AVIF] = "image/avif",
                                        [BST_FORMAT_HEIF] = "image/heif"};
    return types[format];
}

void bst_word_keep(const struct bst_secrets *secrets, const char *name, struct bst_word *out)
{
    for (size_t i = 0; i < secrets->count; i++) {
        if (strcmp(secrets->item[i].name, name) == 0)
            bst_secret_commitment(&secrets->item[i], out->commitment);
    }
}

static void input_free(struct bst_input *input)
{
    if (input->has_credentials) bst_c2pa_clear(&input->c2pa);
    bst_parent_clear(&input->parent);
    free(input->path);
    free(input->name);
    free(input->problem);
    free(input);
}

void bst_stamp_inputs_free(struct bst_stamper *stamper)
{
    while (stamper->inputs != NULL) {
        struct bst_input *next = stamper->inputs->next;
        input_free(stamper->inputs);
        stamper->inputs = next;
    }
}

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const struct bst_parent *known(const struct bst_stamper *stamper,
                                      const struct bst_generation *generation)
{
    for (const struct bst_input *i = stamper->inputs; i != NULL; i = i->next) {
        if (!i->kept_back && memcmp(i->sha256, generation->input_sha256, BST_SHA256_LEN) == 0 &&
            same(i->path, generation->input_path) && same(i->name, generation->input_name))
            return &i->parent;
    }
    return NULL;
}

static enum bst_code take_credentials(const struct bst_stamper *stamper, struct bst_input *input,
                                      struct bst_error *err)
{
    struct bst_container container;
    enum bst_code code = bst_container_scan(input->path, &container, err);
    if (code != BST_OK) return code;
    input->parent.media_type = bst_media_type(container.format);
    code = bst_c2pa_read(input->path, &container, stamper->trust, &input->c2pa, err);
    bst_container_clear(&container);
    if (code == BST_NO_PROVENANCE) return BST_OK;
    input->has_credentials = code == BST_OK;
    return code == BST_OK ? bst_parent_take(&input->parent, &input->c2pa, err) : code;
}

/* Credentials that cannot be read cannot be kept either; the manifest says so. */
static enum bst_code say_problem(struct bst_input *input, const struct bst_error *why, struct bst_error *err)
{
    char *words = bst_printable(why->what, strlen(why->what));
    input->problem = words == NULL ? NULL : bst_format("its credentials were not kept: %s", words);
    free(words);
    input->parent.problem = input->problem;
    return input->problem == NULL ? bst_fail_memory(err) : BST_OK;
}

static enum bst_code read_picture(const struct bst_stamper *stamper, struct bst_input *input,
                                  struct bst_error *err)
{
    struct bst_error why = {0};
    uint8_t sha256[BST_SHA256_LEN];
    enum bst_code code = bst_sha256_file(input->path, sha256, err);
    if (code != BST_OK) return code;
    if (memcmp(sha256, input->sha256, BST_SHA256_LEN) != 0) {
        bst_fail(err, BST_USAGE, "the input picture was changed while pictures were made from it");
        return bst_where(err, "%s", input->path);
    }
    code = take_credentials(stamper, input, &why);
    if (code == BST_BROKEN || code == BST_UNREADABLE) {
        code = say_problem(input, &why, err);
    } else if (code != BST_OK) {
        *err = why;
    }
    if (code == BST_OK && stamper->thumbnail)
        code = bst_thumbnail_file(input->path, &input->parent.thumbnail, err);
    return code;
}

static enum bst_code fill(const struct bst_stamper *stamper, const struct bst_generation *generation,
                          const struct bst_secrets *secrets, struct bst_input *input, struct bst_error *err)
{
    input->parent.relationship = "inputTo";
    input->kept_back = generation->privacy == BST_PRIVATE;
    if (input->kept_back) {
        bst_word_keep(secrets, "input", &input->parent.name);
        return BST_OK;
    }
    memcpy(input->sha256, generation->input_sha256, BST_SHA256_LEN);
    input->parent.sha256 = input->sha256;
    input->parent.name.words = input->name = bst_strdup(generation->input_name);
    if (generation->input_path != NULL) input->path = bst_strdup(generation->input_path);
    if (input->name == NULL || (generation->input_path != NULL && input->path == NULL))
        return bst_fail_memory(err);
    return input->path == NULL ? BST_OK : read_picture(stamper, input, err);
}

enum bst_code bst_stamp_input(struct bst_stamper *stamper, const struct bst_generation *generation,
                              const struct bst_secrets *secrets, const struct bst_parent **out,
                              struct bst_error *err)
{
    *out = NULL;
    if (generation->input_name == NULL) return BST_OK;
    if (generation->privacy != BST_PRIVATE && (*out = known(stamper, generation)) != NULL) return BST_OK;
    struct bst_input *input = bst_calloc(1, sizeof(*input));
    if (input == NULL) return bst_fail_memory(err);
    enum bst_code code = fill(stamper, generation, secrets, input, err);
    if (code != BST_OK) {
        input_free(input);
        return code;
    }
    input->next = stamper->inputs;
    stamper->inputs = input;
    *out = &input->parent;
    return BST_OK;
}
