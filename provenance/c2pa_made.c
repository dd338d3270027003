/* c2pa_made.c - what a picture of ours was made from, as a manifest tells it: the model, the prompt, the seed and the input
 * picture, each an ingredient in the relation inputTo (C2PA 2.4, 18.16 and its types of data). Of what is kept back only
 * the kind and the commitment are told. */
#include "c2pa.h"

#include <string.h>

#define KEPT_BACK "kept back by the author, who commits to it in the signed statement"

/* As an identifier the commitment is the name of salt and words together, which is what it digests. */
void bst_word_commitment(const struct bst_word *word, struct bst_buf *out)
{
    char name[BST_HASH_NAME_LEN];
    snprintf(name, sizeof(name), "nih:sha-256;%s", word->commitment);
    bst_cbor_pair(out, "instanceID", name);
    bst_cbor_pair(out, "description", KEPT_BACK);
}

static void write_types(const char *const *types, size_t count, struct bst_buf *out)
{
    bst_cbor_text(out, "dataTypes");
    bst_cbor_array(out, count);
    for (size_t i = 0; i < count; i++) {
        bst_cbor_map(out, 1);
        bst_cbor_pair(out, "type", types[i]);
    }
}

static void add_ingredient(struct bst_written *all, const struct bst_buf *content, struct bst_buf *out)
{
    all->ingredient[bst_written_cbor(all, BST_INGREDIENT_LABEL, content, out)] = true;
}

static void add_model(const struct bst_manifest *manifest, struct bst_written *all, struct bst_buf *out)
{
    static const char *const types[] = {"c2pa.types.generator", "c2pa.types.model.onnx"};
    char name[BST_HASH_NAME_LEN];
    struct bst_buf content = {0};
    bool named = manifest->model_name != NULL;
    bst_cbor_map(&content, named ? 5 : 2);
    if (named) bst_cbor_pair(&content, "dc:title", manifest->model_name);
    write_types(types, 2, &content);
    if (named) {
        bst_hash_name(manifest->model_sha256, name);
        bst_cbor_pair(&content, "dc:format", "application/octet-stream");
        bst_cbor_pair(&content, "instanceID", name);
    }
    bst_cbor_pair(&content, "relationship", "inputTo");
    add_ingredient(all, &content, out);
    bst_buf_free(&content);
}

/* The words as a text of their own, and the ingredient that points at it. */
static void add_word(const struct bst_word *word, const char *type, const char *description,
                     struct bst_written *all, struct bst_buf *out)
{
    struct bst_buf content = {0};
    if (word->words != NULL) {
        size_t text =
            bst_written_file(all, "c2pa.embedded-data", "text/plain", word->words, strlen(word->words), out);
        bst_cbor_map(&content, description != NULL ? 5 : 4);
        bst_cbor_text(&content, "data");
        bst_written_link(all, text, &content);
        write_types(&type, 1, &content);
        bst_cbor_pair(&content, "dc:format", "text/plain");
        if (description != NULL) bst_cbor_pair(&content, "description", description);
    } else if (word->commitment[0] != 0) {
        bst_cbor_map(&content, 4);
        write_types(&type, 1, &content);
        bst_word_commitment(word, &content);
    } else {
        return;
    }
    bst_cbor_pair(&content, "relationship", "inputTo");
    add_ingredient(all, &content, out);
    bst_buf_free(&content);
}

void bst_made_ingredients(const struct bst_manifest *manifest, struct bst_written *all, struct bst_buf *out)
{
    add_model(manifest, all, out);
    add_word(&manifest->prompt, "c2pa.types.generator.prompt",
             "what the author had in mind; the model does not read it", all, out);
    add_word(&manifest->seed, "c2pa.types.generator.seed", NULL, all, out);
    if (manifest->input != NULL) bst_parent_ingredient(manifest->input, all, out);
}
