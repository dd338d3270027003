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

static json_t *hex_json(const uint8_t digest[static BST_SHA256_LEN])
{
    char hex[BST_SHA256_HEX];
    bst_hex(digest, BST_SHA256_LEN, hex);
    return json_string(hex);
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

enum bst_code bst_statement_adoption(const struct bst_adoption *adoption, const struct bst_identity *author,
                                     struct bst_buf *payload, struct bst_error *err)
{
    char when[BST_TIME_LEN];
    if (!bst_utf8_valid(adoption->file_name, strlen(adoption->file_name))) {
        bst_fail(err, BST_USAGE, "the file's name is not valid UTF-8 text");
        return bst_hint(err, "rename the file");
    }
    bst_time_text(adoption->adopted_ms, when);
    json_t *pixels = adoption->has_pixels ? hex_json(adoption->pixels_sha256) : NULL;
    json_t *digest = json_pack("{s:o,s:o*}", "sha256", hex_json(adoption->sha256), "pixels-sha256", pixels);
    json_t *picture = json_pack("{s:s,s:I,s:I}", "mediaType", adoption->media_type, "width",
                                (json_int_t)adoption->width, "height", (json_int_t)adoption->height);
    json_t *found = json_pack("{s:o}", "sha256", hex_json(adoption->found_sha256));
    json_t *says =
        json_object_size(adoption->says) > 0 ? json_incref((json_t *)(uintptr_t)adoption->says) : NULL;
    return statement_finish(json_pack("{s:s,s:s,s:[{s:s,s:o}],s:{s:o,s:s,s:s,s:s,s:o,s:o,s:{s:s},s:o*,s:o*}}",
                                      "_type", BST_STATEMENT_TYPE, "predicateType", BST_ADOPTION_TYPE,
                                      "subject", "name", adoption->file_name, "digest", digest, "predicate",
                                      "author", statement_author(author), "adoptedOn", when, "imageId",
                                      adoption->image_id, "sourceType", sources[adoption->source].name,
                                      "picture", picture, "found", found, "version", "blindstamp",
                                      BST_VERSION, "parent", parent_json(adoption->parent), "fileSays", says),
                            payload, err);
}
