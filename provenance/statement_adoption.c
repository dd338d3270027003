/* statement_adoption.c - the statement by which somebody takes up a picture that was made elsewhere. It says what the
 * author found and vouches for from then on, and never how the picture came to be: what the file says of that is quoted
 * as the file's word. The form is in schema/adoption.schema.json. */
#include <stdlib.h>
#include <string.h>

#include "statement.h"

static const struct {
    const char *name, *iptc;
} sources[] = {
    [BST_SOURCE_UNKNOWN] = {"unknown", NULL},
    [BST_SOURCE_IS_GENERATED] = {"generated", "trainedAlgorithmicMedia"},
    [BST_SOURCE_IS_COMPOSITE] = {"composite", "composite"},
    [BST_SOURCE_IS_EDITED] = {"edited", "humanEdits"},
    [BST_SOURCE_IS_CAPTURE] = {"capture", "digitalCapture"},
};

bool bst_source_known(const char *name, enum bst_source *out)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (strcmp(sources[i].name, name) != 0) continue;
        *out = (enum bst_source)i;
        return true;
    }
    return false;
}

const char *bst_source_iptc(enum bst_source source)
{
    return sources[source].iptc;
}

static json_t *parent_json(const struct bst_c2pa *c2pa)
{
    static const char *const trusts[] = {[BST_SIGNER_UNKNOWN] = "unknown",
                                         [BST_SIGNER_TRUSTED] = "trusted",
                                         [BST_SIGNER_EXPIRED] = "expired",
                                         [BST_SIGNER_REVOKED] = "revoked",
                                         [BST_SIGNER_UNFIT] = "unfit"};
    if (c2pa == NULL) return NULL;
    char *label = bst_printable(c2pa->label, strlen(c2pa->label));
    char *signer = c2pa->signer == NULL ? NULL : bst_printable(c2pa->signer, strlen(c2pa->signer));
    json_t *parent = json_pack("{s:s,s:b,s:s,s:s*}", "manifest", label == NULL ? "" : label, "intact",
                               c2pa->intact, "signerTrust", trusts[c2pa->signer_trust], "signer", signer);
    free(label);
    free(signer);
    return parent;
}

/* What the file says, with the words that its privacy keeps back as commitments. */
static enum bst_code says_json(struct statement_draft *draft, const json_t *says, json_t *into)
{
    static const struct {
        const char *name;
        enum bst_privacy least;
    } kept[] = {{"prompt", BST_PARTNER},  {"negativePrompt", BST_PARTNER}, {"seed", BST_PRIVATE},
                {"sampler", BST_PRIVATE}, {"artist", BST_PRIVATE},         {"copyright", BST_PRIVATE},
                {"taken", BST_PRIVATE},   {"cameraMake", BST_PRIVATE},     {"cameraModel", BST_PRIVATE}};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)says, key, value)
    {
        enum bst_privacy least = (enum bst_privacy)(BST_PRIVATE + 1); /* open under every privacy */
        for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
            if (strcmp(kept[i].name, key) == 0) least = kept[i].least;
        }
        enum bst_code code = statement_words(draft, into, key, json_string_value(value), least);
        if (code != BST_OK) return code;
    }
    return BST_OK;
}

/* A private picture is called by its id. */
static enum bst_code subject_json(struct statement_draft *draft, const struct bst_adoption *adoption,
                                  json_t *subject)
{
    bool named = draft->privacy < BST_PRIVATE;
    json_t *digest =
        statement_digest(adoption->sha256, adoption->has_pixels ? adoption->pixels_sha256 : NULL);
    json_t *name = json_string(named ? adoption->file_name : adoption->image_id);
    if (json_object_set_new(subject, "name", name) != 0 ||
        json_object_set_new(subject, "digest", digest) != 0)
        return bst_fail_memory(draft->err);
    if (named) return BST_OK;
    json_t *annotations = json_object();
    if (json_object_set_new(subject, "annotations", annotations) != 0) return bst_fail_memory(draft->err);
    return statement_words(draft, annotations, "file_name", adoption->file_name, BST_PRIVATE);
}

/* A new reference to an object that is not empty, else NULL. */
static json_t *unless_empty(const json_t *object)
{
    return json_object_size(object) > 0 ? json_incref((json_t *)(uintptr_t)object) : NULL;
}

static json_t *predicate_json(const struct bst_adoption *adoption, const json_t *says)
{
    json_t *picture = json_pack("{s:s,s:I,s:I}", "mediaType", adoption->media_type, "width",
                                (json_int_t)adoption->width, "height", (json_int_t)adoption->height);
    return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o*,s:o*,s:o*,s:o*}", "imageId", adoption->image_id, "sourceType",
                     sources[adoption->source].name, "privacy", statement_privacy(adoption->privacy),
                     "picture", picture, "found", statement_digest(adoption->found_sha256, NULL), "parent",
                     parent_json(adoption->parent), "fileSays", unless_empty(says), "written",
                     unless_empty(adoption->written), "replaced", unless_empty(adoption->replaced));
}

enum bst_code bst_statement_adoption(const struct bst_adoption *adoption, const struct bst_identity *author,
                                     struct bst_secrets *secrets, struct bst_buf *payload,
                                     struct bst_error *err)
{
    struct statement_draft draft = {adoption->privacy, secrets, err};
    *secrets = (struct bst_secrets){0};
    if (statement_text("file's name", adoption->file_name, err) != BST_OK)
        return bst_hint(err, "rename the file");
    json_t *subject = json_object(), *says = json_object();
    enum bst_code code = subject && says ? subject_json(&draft, adoption, subject) : bst_fail_memory(err);
    if (code == BST_OK) code = says_json(&draft, adoption->says, says);
    if (code == BST_OK) {
        code = statement_act(BST_ADOPTION_TYPE, subject, author, "adoptedOn", adoption->adopted_ms,
                             predicate_json(adoption, says), payload, err);
    } else {
        json_decref(subject);
    }
    json_decref(says);
    if (code != BST_OK) bst_secrets_clear(secrets);
    return code;
}
