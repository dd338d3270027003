/* statement_model.c - the statement that records a model: its files, its card, and the digest by which OpenSSF
 * Model Signing names it. The form is in schema/model.schema.json. */
#include <stdlib.h>
#include <string.h>

#include "statement.h"

#define SIGNING_TYPE "https://model_signing/signature/v1.0"

static json_t *file_json(const struct bst_model_file *file)
{
    return json_pack("{s:s,s:o,s:{s:I}}", "name", file->name, "digest", statement_digest(file->sha256, NULL),
                     "annotations", "bytes", (json_int_t)file->bytes);
}

static json_t *files_json(const struct bst_model_record *record)
{
    json_t *list = json_array();
    for (size_t i = 0; i < record->file_count; i++) {
        if (json_array_append_new(list, file_json(&record->files[i])) == 0) continue;
        json_decref(list);
        return NULL;
    }
    return list;
}

/* ---- OpenSSF Model Signing ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct bst_model_file *const *)a)->name,
                  (*(const struct bst_model_file *const *)b)->name);
}

/* A model that is one file is its own root, which that format calls "."; the files of a folder have their
 * names in it. */
static json_t *resource_json(const struct bst_model_file *file, bool alone)
{
    char hex[BST_SHA256_HEX];
    bst_hex(file->sha256, BST_SHA256_LEN, hex);
    return json_pack("{s:s,s:s,s:s}", "name", alone ? "." : file->name, "algorithm", "sha256", "digest", hex);
}

/* The statement that a signature of OpenSSF Model Signing 1.0 signs, serialized by files: its digest is the
 * SHA-256 over the files' digests in the order of their names. */
static json_t *signing_json(const struct bst_model_record *record)
{
    const struct bst_model_file **files = bst_calloc(record->file_count + 1, sizeof *files);
    struct bst_sha256_state *state = bst_sha256_new();
    json_t *resources = json_array();
    uint8_t root[BST_SHA256_LEN] = {0};
    bool whole = files && resources;
    for (size_t i = 0; i < record->file_count && whole; i++)
        files[i] = &record->files[i];
    if (whole) qsort(files, record->file_count, sizeof(*files), by_name);
    for (size_t i = 0; i < record->file_count && whole && state; i++) {
        bst_sha256_update(state, files[i]->sha256, BST_SHA256_LEN);
        whole = json_array_append_new(resources, resource_json(files[i], record->file_count == 1)) == 0;
    }
    if (state) bst_sha256_final(state, root);
    free(files);
    if (!whole || !state) {
        json_decref(resources);
        return NULL;
    }
    const char *name = record->file_count == 1 ? record->files[0].name : record->name;
    return json_pack("{s:s,s:s,s:[{s:s,s:o}],s:{s:{s:s,s:s,s:b},s:o}}", "_type", BST_STATEMENT_TYPE,
                     "predicateType", SIGNING_TYPE, "subject", "name", name, "digest",
                     statement_digest(root, NULL), "predicate", "serialization", "method", "files",
                     "hash_type", "sha256", "allow_symlinks", 0, "resources", resources);
}

/* ---- the statement ---- */

static enum bst_code check_names(const struct bst_model_record *record, struct bst_error *err)
{
    const char *const texts[] = {record->name, record->license, record->card_name};
    bool valid = true;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        valid = valid && (!texts[i] || bst_utf8_valid(texts[i], strlen(texts[i])));
    for (size_t i = 0; i < record->file_count; i++)
        valid = valid && bst_utf8_valid(record->files[i].name, strlen(record->files[i].name));
    for (size_t i = 0; i < record->source_count; i++)
        valid = valid && bst_utf8_valid(record->sources[i].name, strlen(record->sources[i].name));
    if (valid && record->file_count > 0) return BST_OK;
    bst_fail(err, BST_USAGE, "a name in the statement is not valid UTF-8 text");
    return bst_hint(err, "rename the model's file");
}

static json_t *card_json(const struct bst_model_record *record)
{
    json_t *card = json_pack("{s:O}", "content", record->card);
    if (!record->card_name) return card;
    json_object_set_new(card, "name", json_string(record->card_name));
    json_object_set_new(card, "digest", statement_digest(record->card_sha256, NULL));
    return card;
}

enum bst_code bst_statement_model(const struct bst_model_record *record, const struct bst_identity *author,
                                  struct bst_buf *payload, struct bst_error *err)
{
    char now[BST_TIME_LEN];
    if (check_names(record, err) != BST_OK) return err->code;
    bst_time_text(record->recorded_ms, now);
    json_t *sources = record->source_count > 0 ? json_array() : NULL;
    for (size_t i = 0; i < record->source_count; i++)
        json_array_append_new(sources, file_json(&record->sources[i]));
    json_t *card = record->card ? card_json(record) : NULL;
    return statement_finish(json_pack("{s:s,s:s,s:o,s:{s:s,s:o,s:s,s:{s:s},s:o,s:s*,s:o*,s:o*}}", "_type",
                                      BST_STATEMENT_TYPE, "predicateType", BST_MODEL_TYPE, "subject",
                                      files_json(record), "predicate", "name", record->name, "author",
                                      statement_author(author), "recordedOn", now, "version", "blindstamp",
                                      BST_VERSION, "openssf_model_signing", signing_json(record), "license",
                                      record->license, "card", card, "convertedFrom", sources),
                            payload, err);
}
