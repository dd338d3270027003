/* statement.c - in-toto Statements v1 and their canonical bytes. The form is written down in schema/README.md
 * and in schema/generation.schema.json, training.schema.json and identity.schema.json. */
#include <float.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "statement.h"

#define WORDS_MAX   (64u << 10) /* bytes of one text */
#define PAYLOAD_MAX (11u << 20) /* in base64 still below BST_ENVELOPE_MAX */

/* ---- commitments ---- */

void bst_secret_commitment(const struct bst_secret *secret, char out[static BST_SHA256_HEX])
{
    uint8_t digest[BST_SHA256_LEN];
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, secret->salt, sizeof secret->salt);
    crypto_hash_sha256_update(&state, (const uint8_t *)secret->name, strlen(secret->name) + 1);
    crypto_hash_sha256_update(&state, (const uint8_t *)secret->words, strlen(secret->words));
    crypto_hash_sha256_final(&state, digest);
    bst_hex(digest, sizeof digest, out);
}

void bst_secrets_clear(struct bst_secrets *secrets)
{
    for (size_t i = 0; i < secrets->count; i++) {
        char *words = secrets->item[i].words;
        if (words) sodium_memzero(words, strlen(words));
        free(words);
    }
    sodium_memzero(secrets, sizeof *secrets);
}

const char *bst_statement_commitment(const json_t *statement, const char *name)
{
    static const char *const places[] = {"predicate.buildDefinition.externalParameters",
                                         "subject.0.annotations", "predicate.fileSays", "predicate"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const json_t *value = json_object_get(bst_json_at(statement, places[i]), name);
        const char *commitment = bst_json_text(value, "commitment");
        if (commitment) return commitment;
    }
    return NULL;
}

static enum bst_code commit(struct statement_draft *draft, json_t *into, const char *name, const char *words)
{
    struct bst_secrets *secrets = draft->secrets;
    const size_t room = sizeof secrets->item / sizeof *secrets->item;
    if (secrets->count == room)
        return bst_fail(draft->err, BST_FAILURE, "a statement has more than %zu secrets", room);
    struct bst_secret *secret = &secrets->item[secrets->count];
    snprintf(secret->name, sizeof secret->name, "%s", name);
    randombytes_buf(secret->salt, sizeof secret->salt);
    secret->words = bst_strdup(words);
    if (!secret->words) return bst_fail_memory(draft->err);
    secrets->count++;
    char commitment[BST_SHA256_HEX];
    bst_secret_commitment(secret, commitment);
    json_t *value = json_pack("{s:s}", "commitment", commitment);
    return json_object_set_new(into, name, value) == 0 ? BST_OK : bst_fail_memory(draft->err);
}

enum bst_code statement_words(struct statement_draft *draft, json_t *into, const char *name,
                              const char *words, enum bst_privacy least)
{
    if (!words || !*words) return BST_OK;
    if (statement_text(name, words, draft->err) != BST_OK) return draft->err->code;
    if (strlen(words) > WORDS_MAX)
        return bst_fail(draft->err, BST_USAGE, "the %s is longer than %u bytes", name, WORDS_MAX);
    if (draft->privacy >= least) return commit(draft, into, name, words);
    return json_object_set_new(into, name, json_string(words)) == 0 ? BST_OK : bst_fail_memory(draft->err);
}

/* The same for any JSON value (its reference is taken); what is committed to is its canonical text. */
static enum bst_code put_json(struct statement_draft *draft, json_t *into, const char *name, json_t *value,
                              enum bst_privacy least)
{
    if (!value) return bst_fail_memory(draft->err);
    if (draft->privacy < least) {
        return json_object_set_new(into, name, value) == 0 ? BST_OK : bst_fail_memory(draft->err);
    }
    struct bst_buf text = {0};
    enum bst_code code = bst_json_canonical(value, &text, draft->err);
    if (code == BST_OK) {
        const char *words = bst_buf_string(&text);
        code = words ? commit(draft, into, name, words) : bst_fail_memory(draft->err);
    }
    json_decref(value);
    bst_buf_free(&text);
    return code;
}

const char *statement_privacy(enum bst_privacy privacy)
{
    static const char *const names[] = {"public", "partner", "private"};
    return names[privacy];
}

/* ---- numbers and digests ---- */

/* The decimal number with the fewest digits that reads back (as a double, then rounded) as the same float32:
 * 0.8 rather than 0.800000011920929. Independent of the locale. */
static json_t *float_json(float value)
{
    double nearest = (double)value;
    for (int precision = 0; precision < FLT_DECIMAL_DIG; precision++) {
        char text[32];
        snprintf(text, sizeof text, "%.*e", precision, (double)value);
        double candidate = strtod(text, NULL); /* the same locale wrote it */
        if ((float)candidate == value) {
            nearest = candidate;
            break;
        }
    }
    return json_real(nearest);
}

json_t *statement_digest(const uint8_t sha256[static BST_SHA256_LEN], const uint8_t *pixels)
{
    char hex[BST_SHA256_HEX], pixels_hex[BST_SHA256_HEX];
    bst_hex(sha256, BST_SHA256_LEN, hex);
    if (!pixels) return json_pack("{s:s}", "sha256", hex);
    bst_hex(pixels, BST_SHA256_LEN, pixels_hex);
    return json_pack("{s:s,s:s}", "pixels-sha256", pixels_hex, "sha256", hex);
}

/* ---- what all statements share ---- */

enum bst_code statement_finish(json_t *statement, struct bst_buf *payload, struct bst_error *err)
{
    if (!statement) return bst_fail_memory(err);
    struct bst_buf text = {0};
    enum bst_code code = bst_json_canonical(statement, &text, err);
    json_decref(statement);
    if (code == BST_OK && text.len > PAYLOAD_MAX) {
        code = bst_fail(err, BST_USAGE, "the statement would be %zu bytes long, more than %u", text.len,
                        PAYLOAD_MAX);
    }
    if (code == BST_OK) bst_buf_append(payload, text.data, text.len);
    if (code == BST_OK && payload->failed) code = bst_fail_memory(err);
    bst_buf_free(&text);
    return code;
}

enum bst_code statement_act(const char *type, json_t *subject, const struct bst_identity *author,
                            const char *when_name, int64_t when_ms, json_t *predicate,
                            struct bst_buf *payload, struct bst_error *err)
{
    char when[BST_TIME_LEN];
    bst_time_text(when_ms, when);
    json_object_set_new(predicate, "author", statement_author(author));
    json_object_set_new(predicate, "version", json_pack("{s:s}", "blindstamp", BST_VERSION));
    json_object_set_new(predicate, when_name, json_string(when));
    return statement_finish(json_pack("{s:s,s:s,s:[o],s:o}", "_type", BST_STATEMENT_TYPE, "predicateType",
                                      type, "subject", subject, "predicate", predicate),
                            payload, err);
}

enum bst_code statement_text(const char *what, const char *text, struct bst_error *err)
{
    if (!text || bst_utf8_valid(text, strlen(text))) return BST_OK;
    return bst_fail(err, BST_USAGE, "the %s is not valid UTF-8 text", what);
}

/* internalParameters' author: the name is the author's word, the key id what the signature proves. */
json_t *statement_author(const struct bst_identity *author)
{
    return json_pack("{s:s,s:s}", "keyId", author->key_id, "name", author->name);
}

/* runDetails; the builder is the holder of the author's key, running this program. */
static json_t *run_json(const struct bst_identity *author, const char *id, const char *started,
                        const char *finished)
{
    char builder[96];
    snprintf(builder, sizeof builder, "urn:blindstamp:author:%s", author->key_id);
    return json_pack("{s:{s:s,s:{s:s}},s:{s:s,s:s,s:s}}", "builder", "id", builder, "version", "blindstamp",
                     BST_VERSION, "metadata", "invocationId", id, "startedOn", started, "finishedOn",
                     finished);
}

/* The frame of a SLSA provenance statement. Takes every reference; NULL parts give NULL. */
static json_t *slsa_json(const char *build_type, json_t *subject, json_t *external, json_t *internal,
                         json_t *dependencies, json_t *run)
{
    return json_pack("{s:s,s:s,s:[o],s:{s:{s:s,s:o,s:o,s:o},s:o}}", "_type", BST_STATEMENT_TYPE,
                     "predicateType", BST_SLSA_TYPE, "subject", subject, "predicate", "buildDefinition",
                     "buildType", build_type, "externalParameters", external, "internalParameters", internal,
                     "resolvedDependencies", dependencies, "runDetails", run);
}

/* ---- generation ---- */

static json_t *styles_json(const struct bst_generation *generation)
{
    json_t *list = json_array();
    for (size_t i = 0; i < generation->style_count; i++) {
        json_t *weight = float_json(generation->style_weights[i]);
        json_t *style = json_pack("{s:s,s:o}", "name", generation->style_names[i], "weight", weight);
        if (json_array_append_new(list, style) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *mix_json(const struct bst_generation *generation)
{
    json_t *list = json_array();
    for (size_t i = 0; i < generation->mix_count; i++) {
        char seed[24];
        snprintf(seed, sizeof seed, "%llu", (unsigned long long)generation->mix_seeds[i]);
        json_t *part = json_pack("{s:s,s:o}", "seed", seed, "weight", float_json(generation->mix_weights[i]));
        if (json_array_append_new(list, part) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static enum bst_code put_parameters(struct statement_draft *draft, const struct bst_generation *generation,
                                    json_t *into)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)generation->seed);
    if (json_object_set_new(into, "model", json_string(generation->model_name)) != 0 ||
        json_object_set_new(into, "width", json_integer(generation->width)) != 0 ||
        json_object_set_new(into, "height", json_integer(generation->height)) != 0) {
        return bst_fail_memory(draft->err);
    }
    enum bst_code code = statement_words(draft, into, "seed", seed, BST_PRIVATE);
    if (code == BST_OK && generation->mix_count > 0)
        code = put_json(draft, into, "mix", mix_json(generation), BST_PRIVATE);
    if (code == BST_OK)
        code = statement_words(draft, into, "latent_generator", generation->latent_generator, BST_PRIVATE);
    if (code == BST_OK)
        code = put_json(draft, into, "truncation", float_json(generation->truncation), BST_PRIVATE);
    if (code == BST_OK) code = put_json(draft, into, "tile", json_boolean(generation->tile), BST_PRIVATE);
    if (code == BST_OK && generation->has_label)
        code = put_json(draft, into, "label", json_integer(generation->label), BST_PRIVATE);
    if (code == BST_OK && generation->style_count > 0) {
        code = put_json(draft, into, "styles", styles_json(generation), BST_PRIVATE);
    }
    if (code == BST_OK) code = statement_words(draft, into, "prompt", generation->prompt, BST_PARTNER);
    if (code == BST_OK) code = statement_words(draft, into, "title", generation->title, BST_PARTNER);
    if (code == BST_OK)
        code = statement_words(draft, into, "description", generation->description, BST_PARTNER);
    if (code == BST_OK) code = statement_words(draft, into, "input", generation->input_name, BST_PRIVATE);
    return code;
}

/* Appends the files that hold weights beside the model's own. */
static bool add_weights(json_t *list, const struct bst_generation *generation)
{
    for (size_t i = 0; i < generation->weights_count; i++) {
        const struct bst_weights_file *file = &generation->weights[i];
        json_t *item = json_pack("{s:s,s:o,s:{s:s,s:I}}", "name", file->name, "digest",
                                 statement_digest(file->sha256, NULL), "annotations", "role", "weights",
                                 "bytes", (json_int_t)file->bytes);
        if (json_array_append_new(list, item) != 0) return false;
    }
    return true;
}

static json_t *dependencies_json(const struct bst_generation *generation)
{
    json_t *model = json_pack("{s:s,s:o,s:{s:s,s:I,s:s*,s:s*}}", "name", generation->model_name, "digest",
                              statement_digest(generation->model_sha256, NULL), "annotations", "role",
                              "model", "bytes", (json_int_t)generation->model_bytes, "license",
                              generation->model_license, "title", generation->model_title);
    json_t *list = json_pack("[o]", model);
    json_t *card =
        generation->card_name
            ? json_pack("{s:s,s:o,s:{s:s}}", "name", generation->card_name, "digest",
                        statement_digest(generation->card_sha256, NULL), "annotations", "role", "card")
            : NULL;
    bool whole = add_weights(list, generation);
    if (generation->card_name && json_array_append_new(list, card) != 0) whole = false;
    if (whole && !generation->input_name) return list;
    bool named = generation->privacy < BST_PRIVATE;
    json_t *input = json_pack("{s:s*,s:o,s:{s:s}}", "name", named ? generation->input_name : NULL, "digest",
                              statement_digest(generation->input_sha256, generation->input_pixels_sha256),
                              "annotations", "role", "input");
    if (json_array_append_new(list, input) == 0 && whole) return list;
    json_decref(list);
    return NULL;
}

/* A private picture's file name (often made of model and seed) is a secret too: the subject is called by its
 * id. */
static enum bst_code subject_json(struct statement_draft *draft, const struct bst_generation *generation,
                                  json_t **out)
{
    bool named = draft->privacy < BST_PRIVATE;
    json_t *subject = json_pack("{s:s,s:o}", "name", named ? generation->file_name : generation->image_id,
                                "digest", statement_digest(generation->sha256, generation->pixels_sha256));
    if (!subject) return bst_fail_memory(draft->err);
    enum bst_code code = BST_OK;
    if (!named) {
        json_t *annotations = json_object();
        code = json_object_set_new(subject, "annotations", annotations) == 0 ? BST_OK
                                                                             : bst_fail_memory(draft->err);
        if (code == BST_OK)
            code = statement_words(draft, annotations, "file_name", generation->file_name, BST_PRIVATE);
    }
    if (code == BST_OK) {
        *out = subject;
    } else {
        json_decref(subject);
    }
    return code;
}

/* json_pack tells nothing but "no" of a text that is not UTF-8: find it first. */
static enum bst_code check_names(const struct bst_generation *generation, struct bst_error *err)
{
    const char *const texts[] = {generation->file_name,   generation->image_id,      generation->model_name,
                                 generation->model_title, generation->model_license, generation->input_name,
                                 generation->card_name};
    bool valid = true;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        valid = valid && (!texts[i] || bst_utf8_valid(texts[i], strlen(texts[i])));
    for (size_t i = 0; i < generation->weights_count; i++)
        valid = valid && bst_utf8_valid(generation->weights[i].name, strlen(generation->weights[i].name));
    if (valid) return BST_OK;
    bst_fail(err, BST_USAGE, "a name in the statement is not valid UTF-8 text");
    return bst_hint(err, "rename the file or the model");
}

static json_t *generation_json(struct statement_draft *draft, const struct bst_generation *generation,
                               const struct bst_identity *author)
{
    char started[BST_TIME_LEN], finished[BST_TIME_LEN];
    bst_time_text(generation->started_ms, started);
    bst_time_text(generation->finished_ms, finished);
    json_t *external = json_object(), *subject = NULL;
    enum bst_code code = external ? put_parameters(draft, generation, external) : bst_fail_memory(draft->err);
    if (code == BST_OK) code = subject_json(draft, generation, &subject);
    if (code != BST_OK) {
        json_decref(external);
        return NULL;
    }
    json_t *internal = json_pack("{s:s,s:o,s:s}", "arith", generation->arith, "author",
                                 statement_author(author), "privacy", statement_privacy(draft->privacy));
    json_t *statement =
        slsa_json(BST_BUILD_GENERATE, subject, external, internal, dependencies_json(generation),
                  run_json(author, generation->image_id, started, finished));
    if (!statement) bst_fail_memory(draft->err);
    return statement;
}

enum bst_code bst_statement_generation(const struct bst_generation *generation,
                                       const struct bst_identity *author, struct bst_secrets *secrets,
                                       struct bst_buf *payload, struct bst_error *err)
{
    *secrets = (struct bst_secrets){0};
    struct statement_draft draft = {generation->privacy, secrets, err};
    enum bst_code code = check_names(generation, err);
    if (code == BST_OK) {
        json_t *statement = generation_json(&draft, generation, author);
        code = statement ? statement_finish(statement, payload, err) : err->code;
    }
    if (code != BST_OK) bst_secrets_clear(secrets);
    return code;
}

/* ---- training ---- */

/* One item of the manifest: all that the manifest says of it, file name and digest at their places. */
static enum bst_code item_json(const json_t *item, size_t number, json_t **out, struct bst_error *err)
{
    const char *digest = bst_json_text(item, "sha256"), *file = bst_json_text(item, "file"), *key;
    uint8_t bytes[BST_SHA256_LEN];
    if (!digest || !file || !bst_unhex(digest, bytes, sizeof bytes)) {
        return bst_fail(err, BST_UNREADABLE, "item %zu of the data set lacks its file or its sha256", number);
    }
    json_t *notes = json_pack("{s:s}", "role", "item");
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)item, key, value)
    {
        if (strcmp(key, "sha256") != 0 && strcmp(key, "file") != 0) json_object_set(notes, key, value);
    }
    *out = json_pack("{s:s,s:o,s:o}", "name", file, "digest", statement_digest(bytes, NULL), "annotations",
                     notes);
    return *out ? BST_OK : bst_fail_memory(err);
}

/* The data set as a whole, then its items. The manifest is named by the digest of its canonical text. */
static enum bst_code dataset_json(const json_t *dataset, json_t **out, struct bst_error *err)
{
    struct bst_buf text = {0};
    uint8_t digest[BST_SHA256_LEN];
    char hex[BST_SHA256_HEX];
    enum bst_code code = bst_json_canonical(dataset, &text, err);
    if (code != BST_OK) return code;
    bst_sha256(text.data, text.len, digest);
    bst_hex(digest, sizeof digest, hex);
    bst_buf_free(&text);
    const char *name = bst_json_text(dataset, "dataset_id");
    json_t *list = json_pack("[{s:s,s:{s:s},s:{s:s,s:s*,s:s*,s:s*}}]", "name", name ? name : "data set",
                             "digest", "jcs-sha256", hex, "annotations", "role", "dataset", "title",
                             bst_json_text(dataset, "title"), "version", bst_json_text(dataset, "version"),
                             "license", bst_json_text(dataset, "license"));
    if (!list) return bst_fail_memory(err);
    const json_t *items = json_object_get(dataset, "items");
    for (size_t i = 0; i < json_array_size(items) && code == BST_OK; i++) {
        json_t *item = NULL;
        code = item_json(json_array_get(items, i), i + 1, &item, err);
        if (code == BST_OK && json_array_append_new(list, item) != 0) code = bst_fail_memory(err);
    }
    if (code != BST_OK) {
        json_decref(list);
        return code;
    }
    *out = list;
    return BST_OK;
}

enum bst_code bst_statement_training(const struct bst_training *training, const struct bst_identity *author,
                                     struct bst_buf *payload, struct bst_error *err)
{
    json_t *dependencies = NULL;
    char id[BST_UUID_LEN];
    enum bst_code code = statement_text("model's name", training->model_name, err);
    if (code == BST_OK) code = dataset_json(training->dataset, &dependencies, err);
    if (code != BST_OK) return code;
    if (!training->id) bst_uuid4(id);
    json_t *parameters = training->parameters ? json_deep_copy(training->parameters) : json_object();
    json_t *subject = json_pack("{s:s,s:o}", "name", training->model_name, "digest",
                                statement_digest(training->model_sha256, NULL));
    json_t *external = json_pack("{s:s,s:o}", "model", training->model_name, "parameters", parameters);
    json_t *internal = json_pack("{s:o}", "author", statement_author(author));
    return statement_finish(
        slsa_json(BST_BUILD_TRAIN, subject, external, internal, dependencies,
                  run_json(author, training->id ? training->id : id, training->started, training->finished)),
        payload, err);
}

/* ---- identity ---- */

enum bst_code bst_statement_identity_after(const struct bst_identity *identity, const char *replaces,
                                           int64_t issued_ms, struct bst_buf *payload, struct bst_error *err)
{
    json_t *predicate;
    char issued[BST_TIME_LEN];
    enum bst_code code = bst_identity_json(identity, &predicate, err);
    if (code != BST_OK) return code;
    bst_time_text(issued_ms, issued);
    json_object_set_new(predicate, "issuedOn", json_string(issued));
    if (replaces) json_object_set_new(predicate, "replaces", json_pack("{s:s}", "keyId", replaces));
    /* The subject is the public key: its key id is the SHA-256 of its SubjectPublicKeyInfo. */
    return statement_finish(json_pack("{s:s,s:s,s:[{s:s,s:{s:s}}],s:o}", "_type", BST_STATEMENT_TYPE,
                                      "predicateType", BST_IDENTITY_TYPE, "subject", "name", identity->name,
                                      "digest", "sha256", identity->key_id, "predicate", predicate),
                            payload, err);
}

enum bst_code bst_statement_identity_at(const struct bst_identity *identity, int64_t issued_ms,
                                        struct bst_buf *payload, struct bst_error *err)
{
    return bst_statement_identity_after(identity, NULL, issued_ms, payload, err);
}

enum bst_code bst_statement_identity(const struct bst_identity *identity, struct bst_buf *payload,
                                     struct bst_error *err)
{
    return bst_statement_identity_at(identity, bst_now_ms(), payload, err);
}
