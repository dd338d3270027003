/* facts.c - what a statement says, in plain fields. The form of statements is in schema/README.md. */
#include "facts.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define PARAMETERS    "predicate.buildDefinition.externalParameters"
#define INTERNALS     "predicate.buildDefinition.internalParameters"
#define DEPENDENCIES  "predicate.buildDefinition.resolvedDependencies"
#define ANNOTATIONS   "subject.0.annotations"
#define FILE_SAYS     "predicate.fileSays"
#define ADOPTION_TYPE "urn:blindstamp:adoption:v1"

static const char *text_at(const json_t *statement, const char *path)
{
    return json_string_value(bst_json_at(statement, path));
}

static uint64_t size_at(const json_t *statement, const char *path)
{
    json_int_t value = json_integer_value(bst_json_at(statement, path));
    return value > 0 ? (uint64_t)value : 0;
}

/* That digest of the resolved dependency with this role. */
static const char *dependency(const json_t *statement, const char *role, const char *digest)
{
    size_t i;
    json_t *item;
    json_array_foreach(bst_json_at(statement, DEPENDENCIES), i, item)
    {
        const char *is = text_at(item, "annotations.role");
        if (is && !strcmp(is, role)) return bst_json_text(json_object_get(item, "digest"), digest);
    }
    return NULL;
}

static void read_adoption(const json_t *statement, struct facts *out)
{
    out->adoption = true;
    out->author = text_at(statement, "predicate.author.name");
    out->key_id = text_at(statement, "predicate.author.keyId");
    out->image_id = text_at(statement, "predicate.imageId");
    out->made = text_at(statement, "predicate.adoptedOn");
    out->source_type = text_at(statement, "predicate.sourceType");
    out->privacy = text_at(statement, "predicate.privacy");
    out->version = text_at(statement, "predicate.version.blindstamp");
    out->width = size_at(statement, "predicate.picture.width");
    out->height = size_at(statement, "predicate.picture.height");
}

void facts_read(const json_t *statement, struct facts *out)
{
    const char *type = bst_json_text(statement, "predicateType");
    const json_t *parameters = bst_json_at(statement, PARAMETERS);
    *out = (struct facts){
        .author = text_at(statement, INTERNALS ".author.name"),
        .key_id = text_at(statement, INTERNALS ".author.keyId"),
        .sha256 = text_at(statement, "subject.0.digest.sha256"),
        .pixels_sha256 = text_at(statement, "subject.0.digest.pixels-sha256"),
        .file_name = text_at(statement, "subject.0.name"),
    };
    if (type && !strcmp(type, ADOPTION_TYPE)) read_adoption(statement, out);
    if (!type || strcmp(type, BST_SLSA_TYPE) != 0 || !out->pixels_sha256) return;
    out->generation = true;
    out->model = bst_json_text(parameters, "model");
    out->model_sha256 = dependency(statement, "model", "sha256");
    out->card_sha256 = dependency(statement, "card", "sha256");
    out->input = bst_json_text(parameters, "input");
    out->input_sha256 = dependency(statement, "input", "sha256");
    out->input_pixels_sha256 = dependency(statement, "input", "pixels-sha256");
    out->seed = bst_json_text(parameters, "seed");
    out->title = bst_json_text(parameters, "title");
    out->prompt = bst_json_text(parameters, "prompt");
    out->image_id = text_at(statement, "predicate.runDetails.metadata.invocationId");
    out->made = text_at(statement, "predicate.runDetails.metadata.finishedOn");
    out->arith = text_at(statement, INTERNALS ".arith");
    out->version = text_at(statement, "predicate.runDetails.builder.version.blindstamp");
    out->privacy = text_at(statement, INTERNALS ".privacy");
    out->width = size_at(statement, PARAMETERS ".width");
    out->height = size_at(statement, PARAMETERS ".height");
    out->truncation = json_object_get(parameters, "truncation");
    out->tile = json_object_get(parameters, "tile");
    out->label = json_object_get(parameters, "label");
    out->styles = json_object_get(parameters, "styles");
    out->mix = json_object_get(parameters, "mix");
    out->latent_generator = json_object_get(parameters, "latent_generator");
    out->parameters = parameters;
    out->dependencies = bst_json_at(statement, DEPENDENCIES);
}

/* ---- commitments ---- */

/* SHA-256(salt || name || 0x00 || words), as provenance.h defines it. */
static bool fits(const struct bst_secret *secret, const char *commitment)
{
    uint8_t digest[BST_SHA256_LEN];
    char hex[BST_SHA256_HEX];
    struct bst_sha256_state *state = bst_sha256_new();
    if (!state) return false;
    bst_sha256_update(state, secret->salt, sizeof secret->salt);
    bst_sha256_update(state, secret->name, strlen(secret->name) + 1);
    bst_sha256_update(state, secret->words, strlen(secret->words));
    bst_sha256_final(state, digest);
    bst_hex(digest, sizeof digest, hex);
    return !strcmp(hex, commitment);
}

/* Numbers, truth values and lists were committed to as canonical JSON, words as themselves. */
static json_t *value_of(const struct bst_secret *secret)
{
    static const char *const json_names[] = {"truncation", "tile", "label", "styles", "mix"};
    for (size_t i = 0; i < sizeof json_names / sizeof *json_names; i++)
        if (!strcmp(secret->name, json_names[i])) return json_loads(secret->words, JSON_DECODE_ANY, NULL);
    return json_string(secret->words);
}

static size_t open_in(json_t *object, const struct bst_secrets *secrets)
{
    size_t opened = 0;
    for (size_t i = 0; i < secrets->count; i++) {
        const struct bst_secret *secret = &secrets->item[i];
        const char *commitment = bst_json_text(json_object_get(object, secret->name), "commitment");
        json_t *value = commitment && fits(secret, commitment) ? value_of(secret) : NULL;
        if (value && json_object_set_new(object, secret->name, value) == 0) opened++;
    }
    return opened;
}

enum bst_code facts_open(const json_t *statement, const struct bst_secrets *secrets, json_t **out,
                         size_t *opened, struct bst_error *err)
{
    json_t *copy = json_deep_copy(statement);
    if (!copy) return bst_fail_memory(err);
    *opened = open_in(bst_json_at(copy, PARAMETERS), secrets) +
              open_in(bst_json_at(copy, ANNOTATIONS), secrets) +
              open_in(bst_json_at(copy, FILE_SAYS), secrets);
    *out = copy;
    return BST_OK;
}

const char *facts_closed(const json_t *statement)
{
    const char *key;
    json_t *value;
    json_object_foreach(bst_json_at(statement, PARAMETERS), key, value)
    {
        if (bst_json_text(value, "commitment")) return key;
    }
    return NULL;
}
