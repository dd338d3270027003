/* ledger_index.c - what an entry says, as rows for searching; and the index made again from the entries. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_index.h"
#include "statement.h"

const char *const bst_column_name[BST_COLUMN_COUNT] = {
    "kind",          "time",     "author key id", "author name", "model sha256", "model name",
    "file name",     "image id", "seed",          "width",       "height",       "sha256",
    "pixels-sha256", "title",    "prompt",        "description", "privacy",
};

/* ---- reading a statement ---- */

static void set_text(struct bst_row *row, enum bst_column column, const char *text)
{
    row->column[column] = (struct bst_value){.text = text};
}

static void set_number(struct bst_row *row, enum bst_column column, int64_t number)
{
    row->column[column] = (struct bst_value){.number = number, .is_number = true};
}

static void set_time(struct bst_row *row, const char *text)
{
    int64_t ms;
    if (text && bst_time_parse(text, &ms)) set_number(row, BST_COLUMN_TIME, ms);
}

static void set_integer(struct bst_row *row, enum bst_column column, const json_t *value)
{
    if (json_is_integer(value)) set_number(row, column, json_integer_value(value));
}

/* Words stand in the statement, or it commits to them and they are among the secrets, or nobody knows them.
 */
static const char *words(const json_t *place, const char *name, const struct bst_secrets *secrets)
{
    const json_t *value = json_object_get(place, name);
    if (json_is_string(value)) return json_string_value(value);
    if (!json_is_object(value) || !secrets) return NULL;
    for (size_t i = 0; i < secrets->count; i++) {
        if (strcmp(secrets->item[i].name, name) == 0) return secrets->item[i].words;
    }
    return NULL;
}

static void set_model(struct bst_row *row, const json_t *descriptor)
{
    const char *digest = bst_json_text(json_object_get(descriptor, "digest"), "sha256");
    const char *name = bst_json_text(descriptor, "name");
    if (!digest) return;
    set_text(row, BST_COLUMN_MODEL_SHA256, digest);
    set_text(row, BST_COLUMN_MODEL_NAME, name ? name : "");
}

static void read_generation(const json_t *statement, const struct bst_secrets *secrets, struct bst_row *row)
{
    const json_t *external = bst_json_at(statement, "predicate.buildDefinition.externalParameters");
    const json_t *internal = bst_json_at(statement, "predicate.buildDefinition.internalParameters");
    const json_t *inputs = bst_json_at(statement, "predicate.buildDefinition.resolvedDependencies");
    const json_t *subject = bst_json_at(statement, "subject.0");
    const json_t *notes = json_object_get(subject, "annotations");
    for (size_t i = 0; i < json_array_size(inputs); i++) {
        const json_t *input = json_array_get(inputs, i);
        const char *role = bst_json_text(json_object_get(input, "annotations"), "role");
        if (role && strcmp(role, "model") == 0) set_model(row, input);
    }
    bool named = !json_object_get(notes, "file_name");
    set_text(row, BST_COLUMN_FILE_NAME,
             named ? bst_json_text(subject, "name") : words(notes, "file_name", secrets));
    set_text(row, BST_COLUMN_IMAGE_ID,
             json_string_value(bst_json_at(statement, "predicate.runDetails.metadata.invocationId")));
    set_text(row, BST_COLUMN_SEED, words(external, "seed", secrets));
    set_integer(row, BST_COLUMN_WIDTH, json_object_get(external, "width"));
    set_integer(row, BST_COLUMN_HEIGHT, json_object_get(external, "height"));
    set_text(row, BST_COLUMN_SHA256, bst_json_text(json_object_get(subject, "digest"), "sha256"));
    set_text(row, BST_COLUMN_PIXELS_SHA256,
             bst_json_text(json_object_get(subject, "digest"), "pixels-sha256"));
    set_text(row, BST_COLUMN_TITLE, words(external, "title", secrets));
    set_text(row, BST_COLUMN_PROMPT, words(external, "prompt", secrets));
    set_text(row, BST_COLUMN_DESCRIPTION, words(external, "description", secrets));
    set_text(row, BST_COLUMN_PRIVACY, bst_json_text(internal, "privacy"));
}

/* Prompt and seed are the file's word; whoever searches for them finds it all the same. */
static void read_adoption(const json_t *statement, struct bst_row *row)
{
    const json_t *predicate = json_object_get(statement, "predicate"),
                 *subject = bst_json_at(statement, "subject.0");
    set_text(row, BST_COLUMN_FILE_NAME, bst_json_text(subject, "name"));
    set_text(row, BST_COLUMN_SHA256, bst_json_text(json_object_get(subject, "digest"), "sha256"));
    set_text(row, BST_COLUMN_PIXELS_SHA256,
             bst_json_text(json_object_get(subject, "digest"), "pixels-sha256"));
    set_text(row, BST_COLUMN_IMAGE_ID, bst_json_text(predicate, "imageId"));
    set_text(row, BST_COLUMN_SEED, bst_json_text(json_object_get(predicate, "fileSays"), "seed"));
    set_text(row, BST_COLUMN_PROMPT, bst_json_text(json_object_get(predicate, "fileSays"), "prompt"));
    set_integer(row, BST_COLUMN_WIDTH, bst_json_at(predicate, "picture.width"));
    set_integer(row, BST_COLUMN_HEIGHT, bst_json_at(predicate, "picture.height"));
}

static const char *kind_of(const json_t *statement)
{
    const char *type = bst_json_text(statement, "predicateType");
    const char *build = json_string_value(bst_json_at(statement, "predicate.buildDefinition.buildType"));
    if (type && strcmp(type, BST_IDENTITY_TYPE) == 0) return "identity";
    if (type && strcmp(type, BST_MODEL_TYPE) == 0) return "model";
    if (type && strcmp(type, BST_ADOPTION_TYPE) == 0) return "adoption";
    if (type && strcmp(type, BST_SLSA_TYPE) == 0 && build) {
        if (strcmp(build, BST_BUILD_GENERATE) == 0) return "generation";
        if (strcmp(build, BST_BUILD_TRAIN) == 0) return "training";
    }
    return "other";
}

void bst_index_read(const struct bst_dsse *dsse, const struct bst_secrets *secrets, struct bst_row *out)
{
    const json_t *statement = dsse->statement;
    const char *kind = kind_of(statement);
    *out = (struct bst_row){0};
    set_text(out, BST_COLUMN_KIND, kind);
    bool adoption = strcmp(kind, "adoption") == 0;
    bool slsa = strcmp(kind, "identity") != 0 && strcmp(kind, "model") != 0 && !adoption;
    const char *author = json_string_value(
        bst_json_at(statement, slsa ? "predicate.buildDefinition.internalParameters.author.name"
                                    : "predicate.author.name"));
    set_text(out, BST_COLUMN_AUTHOR_KEY_ID, dsse->key_id);
    set_text(out, BST_COLUMN_AUTHOR_NAME, author ? author : "");
    if (strcmp(kind, "generation") == 0) {
        read_generation(statement, secrets, out);
    } else if (adoption) {
        read_adoption(statement, out);
    } else if (strcmp(kind, "training") == 0 || strcmp(kind, "model") == 0) {
        const char *name = json_string_value(bst_json_at(statement, "predicate.name"));
        set_model(out, bst_json_at(statement, "subject.0"));
        if (name && strcmp(kind, "model") == 0) set_text(out, BST_COLUMN_MODEL_NAME, name);
        set_text(out, BST_COLUMN_SHA256, out->column[BST_COLUMN_MODEL_SHA256].text);
    }
    const char *finished = strcmp(kind, "identity") == 0 ? "predicate.issuedOn"
                           : slsa                        ? "predicate.runDetails.metadata.finishedOn"
                           : adoption                    ? "predicate.adoptedOn"
                                                         : "predicate.recordedOn";
    set_time(out, json_string_value(bst_json_at(statement, finished)));
}

/* ---- writing rows ---- */

static void bind(sqlite3_stmt *statement, int at, const struct bst_value *value)
{
    if (value->is_number) {
        sqlite3_bind_int64(statement, at, value->number);
    } else {
        bst_db_text(statement, at, value->text);
    }
}

/* Adds a pair, two columns of a record side by side, to author or model unless it is there. */
static enum bst_code add_pair(struct bst_ledger *ledger, enum bst_sql sql, const struct bst_row *row,
                              enum bst_column first, struct bst_error *err)
{
    sqlite3_stmt *statement = bst_db_get(ledger, sql, err);
    if (!statement) return err->code;
    bind(statement, 1, &row->column[first]);
    bind(statement, 2, &row->column[first + 1]);
    return bst_db_run(ledger, statement, err);
}

static enum bst_code add_words(struct bst_ledger *ledger, uint64_t idx, const struct bst_row *row,
                               struct bst_error *err)
{
    const struct bst_value *value = row->column;
    if (!value[BST_COLUMN_TITLE].text && !value[BST_COLUMN_PROMPT].text &&
        !value[BST_COLUMN_DESCRIPTION].text) {
        return BST_OK;
    }
    sqlite3_stmt *statement = bst_db_get(ledger, BST_SQL_ADD_WORDS, err);
    if (!statement) return err->code;
    bst_db_number(statement, 1, idx);
    bind(statement, 2, &value[BST_COLUMN_TITLE]);
    bind(statement, 3, &value[BST_COLUMN_PROMPT]);
    bind(statement, 4, &value[BST_COLUMN_DESCRIPTION]);
    return bst_db_run(ledger, statement, err);
}

enum bst_code bst_index_add(struct bst_ledger *ledger, uint64_t idx, const struct bst_row *row,
                            struct bst_error *err)
{
    enum bst_code code = add_pair(ledger, BST_SQL_ADD_AUTHOR, row, BST_COLUMN_AUTHOR_KEY_ID, err);
    if (code == BST_OK && row->column[BST_COLUMN_MODEL_SHA256].text) {
        code = add_pair(ledger, BST_SQL_ADD_MODEL, row, BST_COLUMN_MODEL_SHA256, err);
    }
    sqlite3_stmt *statement = code == BST_OK ? bst_db_get(ledger, BST_SQL_ADD_RECORD, err) : NULL;
    if (!statement) return err->code;
    for (int i = 0; i < BST_COLUMN_COUNT; i++)
        bind(statement, i + 1, &row->column[i]);
    bst_db_number(statement, BST_COLUMN_COUNT + 1, idx);
    code = bst_db_run(ledger, statement, err);
    return code == BST_OK ? add_words(ledger, idx, row, err) : code;
}

/* ---- secrets ---- */

static bool copy_secret(sqlite3_stmt *statement, struct bst_secrets *out)
{
    const char *name = (const char *)sqlite3_column_text(statement, 0);
    const void *salt = sqlite3_column_blob(statement, 1);
    const char *text = (const char *)sqlite3_column_text(statement, 2);
    const size_t room = sizeof out->item / sizeof *out->item;
    if (!name || !salt || !text || sqlite3_column_bytes(statement, 1) != 32 || out->count == room ||
        strlen(name) >= sizeof out->item[0].name) {
        return true; /* not one of ours; the check reports it */
    }
    struct bst_secret *secret = &out->item[out->count];
    strcpy(secret->name, name);
    memcpy(secret->salt, salt, sizeof secret->salt);
    secret->words = bst_strdup(text);
    if (secret->words) out->count++;
    return secret->words != NULL;
}

enum bst_code bst_index_secrets(struct bst_ledger *ledger, uint64_t idx, struct bst_secrets *out,
                                struct bst_error *err)
{
    *out = (struct bst_secrets){0};
    sqlite3_stmt *statement = bst_db_get(ledger, BST_SQL_SECRETS, err);
    if (!statement) return err->code;
    bst_db_number(statement, 1, idx);
    enum bst_code code = BST_OK;
    int result = SQLITE_DONE;
    while (code == BST_OK && (result = sqlite3_step(statement)) == SQLITE_ROW) {
        if (!copy_secret(statement, out)) code = bst_fail_memory(err);
    }
    if (code == BST_OK && result != SQLITE_DONE) code = bst_db_fail(ledger, err);
    sqlite3_reset(statement);
    if (code != BST_OK) bst_secrets_clear(out);
    return code;
}
