/* ledger_record.c - what an entry says, as a row of the table record. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_index.h"
#include "statement.h"

#define PARAMETERS   "predicate.buildDefinition.externalParameters"
#define INTERNALS    "predicate.buildDefinition.internalParameters"
#define DEPENDENCIES "predicate.buildDefinition.resolvedDependencies"
#define CONTROLS_MAX 64 /* parameters of one generation; ours have a dozen */

const char *const bst_column_name[BST_COLUMN_COUNT] = {
    "kind",        "time",     "author key id", "author name", "model sha256", "model name", "model licence",
    "file name",   "image id", "seed",          "width",       "height",       "sha256",     "pixels-sha256",
    "title",       "prompt",   "description",   "privacy",     "licence",      "act",        "holder",
    "source type", "arith",    "version",       "controls",
};

/* ---- values ---- */

static void set_text(struct bst_row *row, enum bst_column column, const char *text)
{
    row->column[column] = (struct bst_value){.text = text};
}

static void set_text_at(struct bst_row *row, enum bst_column column, const json_t *statement,
                        const char *path)
{
    set_text(row, column, json_string_value(bst_json_at(statement, path)));
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

static const char *secret_words(const struct bst_secrets *secrets, const char *name)
{
    for (size_t i = 0; secrets && i < secrets->count; i++) {
        if (strcmp(secrets->item[i].name, name) == 0) return secrets->item[i].words;
    }
    return NULL;
}

/* Words stand in the statement, or it commits to them and they are among the secrets, or nobody knows them. */
static const char *words(const json_t *place, const char *name, const struct bst_secrets *secrets)
{
    const json_t *value = json_object_get(place, name);
    if (json_is_string(value)) return json_string_value(value);
    return json_is_object(value) ? secret_words(secrets, name) : NULL;
}

static void set_subject(struct bst_row *row, const json_t *subject)
{
    const json_t *digest = json_object_get(subject, "digest");
    set_text(row, BST_COLUMN_FILE_NAME, bst_json_text(subject, "name"));
    set_text(row, BST_COLUMN_SHA256, bst_json_text(digest, "sha256"));
    set_text(row, BST_COLUMN_PIXELS_SHA256, bst_json_text(digest, "pixels-sha256"));
}

static void set_model(struct bst_row *row, const json_t *descriptor, const char *licence)
{
    const char *digest = bst_json_text(json_object_get(descriptor, "digest"), "sha256");
    const char *name = bst_json_text(descriptor, "name");
    if (!digest) return;
    set_text(row, BST_COLUMN_MODEL_SHA256, digest);
    set_text(row, BST_COLUMN_MODEL_NAME, name ? name : "");
    set_text(row, BST_COLUMN_MODEL_LICENCE, licence ? licence : "");
}

/* ---- controls ---- */

struct control {
    const char *name, *words; /* words NULL: value holds them */
    const json_t *value;
};

/* What is said about a picture and decides nothing in it; "model" and "input" are names, their digests count. */
static bool is_mere_words(const char *name)
{
    static const char *const names[] = {"model", "title", "prompt", "description", "input"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct control *)a)->name, ((const struct control *)b)->name);
}

/* The parameters that count, in the order of their names. false when there are too many, or one is not known. */
static bool gather_controls(const json_t *parameters, const struct bst_secrets *secrets,
                            struct control out[static CONTROLS_MAX], size_t *count)
{
    const char *name;
    json_t *value;
    *count = 0;
    json_object_foreach((json_t *)(uintptr_t)parameters, name, value)
    {
        if (is_mere_words(name)) continue;
        if (*count == CONTROLS_MAX) return false;
        struct control control = {.name = name, .words = json_string_value(value), .value = value};
        if (bst_json_text(value, "commitment") && !(control.words = secret_words(secrets, name)))
            return false;
        out[(*count)++] = control;
    }
    qsort(out, *count, sizeof *out, by_name);
    return true;
}

static void put_line(struct bst_buf *text, const char *name, const char *words)
{
    bst_buf_text(text, name);
    bst_buf_byte(text, 0);
    bst_buf_text(text, words);
    bst_buf_byte(text, 0);
}

/* Model, weights and input pictures by their digests; a picture by its samples'. */
static void put_dependencies(struct bst_buf *text, const json_t *dependencies)
{
    for (size_t i = 0; i < json_array_size(dependencies); i++) {
        const json_t *item = json_array_get(dependencies, i), *digest = json_object_get(item, "digest");
        const char *role = bst_json_text(json_object_get(item, "annotations"), "role");
        const char *pixels = bst_json_text(digest, "pixels-sha256"), *file = bst_json_text(digest, "sha256");
        if (!role || strcmp(role, "card") == 0 || (!pixels && !file)) continue;
        put_line(text, role, pixels ? pixels : file);
    }
}

/* schema/README.md defines what is hashed. Without memory, or when a control is not known, there is no digest. */
static void set_controls(struct bst_row *row, const json_t *statement, const struct bst_secrets *secrets)
{
    struct control controls[CONTROLS_MAX];
    struct bst_buf text = {0};
    struct bst_error ignored;
    size_t count;
    bool known = gather_controls(bst_json_at(statement, PARAMETERS), secrets, controls, &count);
    if (known) put_dependencies(&text, bst_json_at(statement, DEPENDENCIES));
    for (size_t i = 0; i < count && known; i++) {
        if (controls[i].words) {
            put_line(&text, controls[i].name, controls[i].words);
            continue;
        }
        bst_buf_append(&text, controls[i].name, strlen(controls[i].name) + 1);
        known = bst_json_canonical(controls[i].value, &text, &ignored) == BST_OK;
        bst_buf_byte(&text, 0);
    }
    if (known && !text.failed) {
        uint8_t digest[BST_SHA256_LEN];
        bst_sha256(text.data, text.len, digest);
        bst_hex(digest, sizeof digest, row->controls);
        set_text(row, BST_COLUMN_CONTROLS, row->controls);
    }
    bst_buf_free(&text);
}

/* ---- kinds ---- */

static void read_generation(const json_t *statement, const struct bst_secrets *secrets, struct bst_row *row)
{
    const json_t *external = bst_json_at(statement, PARAMETERS),
                 *internal = bst_json_at(statement, INTERNALS);
    const json_t *inputs = bst_json_at(statement, DEPENDENCIES),
                 *subject = bst_json_at(statement, "subject.0");
    const json_t *notes = json_object_get(subject, "annotations");
    for (size_t i = 0; i < json_array_size(inputs); i++) {
        const json_t *input = json_array_get(inputs, i), *annotations = json_object_get(input, "annotations");
        const char *role = bst_json_text(annotations, "role");
        if (role && strcmp(role, "model") == 0) set_model(row, input, bst_json_text(annotations, "license"));
    }
    set_subject(row, subject);
    if (json_object_get(notes, "file_name"))
        set_text(row, BST_COLUMN_FILE_NAME, words(notes, "file_name", secrets));
    set_text_at(row, BST_COLUMN_IMAGE_ID, statement, "predicate.runDetails.metadata.invocationId");
    set_text(row, BST_COLUMN_SEED, words(external, "seed", secrets));
    set_integer(row, BST_COLUMN_WIDTH, json_object_get(external, "width"));
    set_integer(row, BST_COLUMN_HEIGHT, json_object_get(external, "height"));
    set_text(row, BST_COLUMN_TITLE, words(external, "title", secrets));
    set_text(row, BST_COLUMN_PROMPT, words(external, "prompt", secrets));
    set_text(row, BST_COLUMN_DESCRIPTION, words(external, "description", secrets));
    set_text(row, BST_COLUMN_PRIVACY, bst_json_text(internal, "privacy"));
    set_text(row, BST_COLUMN_ARITH, bst_json_text(internal, "arith"));
    set_controls(row, statement, secrets);
}

/* Prompt and seed are the file's word; whoever searches for them finds it all the same. */
static void read_adoption(const json_t *statement, const struct bst_secrets *secrets, struct bst_row *row)
{
    const json_t *predicate = json_object_get(statement, "predicate");
    const json_t *says = json_object_get(predicate, "fileSays");
    const char *source = bst_json_text(predicate, "sourceType");
    const json_t *notes = bst_json_at(statement, "subject.0.annotations");
    set_subject(row, bst_json_at(statement, "subject.0"));
    if (notes) set_text(row, BST_COLUMN_FILE_NAME, words(notes, "file_name", secrets));
    set_text(row, BST_COLUMN_IMAGE_ID, bst_json_text(predicate, "imageId"));
    set_text(row, BST_COLUMN_SEED, words(says, "seed", secrets));
    set_text(row, BST_COLUMN_PROMPT, words(says, "prompt", secrets));
    set_text(row, BST_COLUMN_PRIVACY, bst_json_text(predicate, "privacy"));
    set_integer(row, BST_COLUMN_WIDTH, bst_json_at(predicate, "picture.width"));
    set_integer(row, BST_COLUMN_HEIGHT, bst_json_at(predicate, "picture.height"));
    if (source && strcmp(source, "unknown") != 0) set_text(row, BST_COLUMN_SOURCE_TYPE, source);
}

static void read_training(const json_t *statement, struct bst_row *row)
{
    const json_t *set = bst_json_at(statement, DEPENDENCIES ".0");
    set_model(row, bst_json_at(statement, "subject.0"), NULL);
    set_text(row, BST_COLUMN_SHA256, row->column[BST_COLUMN_MODEL_SHA256].text);
    set_text(row, BST_COLUMN_LICENCE, bst_json_text(json_object_get(set, "annotations"), "license"));
}

static void read_model(const json_t *statement, struct bst_row *row)
{
    const json_t *predicate = json_object_get(statement, "predicate");
    const char *name = bst_json_text(predicate, "name");
    set_model(row, bst_json_at(statement, "subject.0"), bst_json_text(predicate, "license"));
    if (name) set_text(row, BST_COLUMN_MODEL_NAME, name);
    set_text(row, BST_COLUMN_SHA256, row->column[BST_COLUMN_MODEL_SHA256].text);
}

static void read_decision(const json_t *statement, const struct bst_secrets *secrets, struct bst_row *row)
{
    const json_t *predicate = json_object_get(statement, "predicate");
    set_subject(row, bst_json_at(statement, "subject.0"));
    set_text(row, BST_COLUMN_ACT, bst_json_text(predicate, "act"));
    set_text(row, BST_COLUMN_PRIVACY, bst_json_text(predicate, "privacy"));
    set_text(row, BST_COLUMN_DESCRIPTION, words(predicate, "why", secrets));
}

static void read_transfer(const json_t *statement, struct bst_row *row)
{
    set_subject(row, bst_json_at(statement, "subject.0"));
    set_text_at(row, BST_COLUMN_HOLDER, statement, "predicate.to.name");
    set_text_at(row, BST_COLUMN_LICENCE, statement, "predicate.licence");
}

static void read_withdrawal(const json_t *statement, struct bst_row *row)
{
    set_subject(row, bst_json_at(statement, "subject.0"));
    set_text_at(row, BST_COLUMN_DESCRIPTION, statement, "predicate.reason");
}

void bst_record_read(const struct bst_dsse *dsse, const struct bst_secrets *secrets, struct bst_row *out)
{
    const json_t *statement = dsse->statement;
    const struct bst_kind *kind = bst_statement_kind(statement);
    const char *author = bst_json_text(bst_json_at(statement, kind->author), "name");
    memset(out, 0, sizeof *out);
    set_text(out, BST_COLUMN_KIND, kind->name);
    set_text(out, BST_COLUMN_AUTHOR_KEY_ID, dsse->key_id);
    set_text(out, BST_COLUMN_AUTHOR_NAME, author ? author : "");
    set_time(out, json_string_value(bst_json_at(statement, kind->time)));
    set_text_at(out, BST_COLUMN_VERSION, statement, kind->version);
    if (strcmp(kind->name, "generation") == 0) {
        read_generation(statement, secrets, out);
    } else if (strcmp(kind->name, "adoption") == 0) {
        read_adoption(statement, secrets, out);
    } else if (strcmp(kind->name, "training") == 0) {
        read_training(statement, out);
    } else if (strcmp(kind->name, "model") == 0) {
        read_model(statement, out);
    } else if (strcmp(kind->name, "decision") == 0) {
        read_decision(statement, secrets, out);
    } else if (strcmp(kind->name, "transfer") == 0) {
        read_transfer(statement, out);
    } else if (strcmp(kind->name, "withdrawal") == 0) {
        read_withdrawal(statement, out);
    } else if (strcmp(kind->name, "admission") == 0) {
        set_text_at(out, BST_COLUMN_ACT, statement, "predicate.role");
    } else if (strcmp(kind->name, "revocation") == 0) {
        set_text_at(out, BST_COLUMN_DESCRIPTION, statement, "predicate.reason");
    }
}
