/* sweep_training.c - what models were trained on: which pictures forbid it, which have no licence. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "sweep.h"

#define DEPENDENCIES "predicate.buildDefinition.resolvedDependencies"

/* ---- what a file says of itself ---- */

/* {"entries": {"cawg.ai_training": {"use": "notAllowed"}}}; data mining and inference are not training. */
static bool assertion_forbids(const json_t *assertion)
{
    const char *name;
    json_t *entry;
    json_object_foreach(json_object_get(assertion, "entries"), name, entry)
    {
        const char *use = bst_json_text(entry, "use");
        if (strstr(name, "training") && use && strcmp(use, "notAllowed") == 0) return true;
    }
    return false;
}

/* In the manifests of a document in crJSON's form. */
static bool manifests_forbid(const json_t *document)
{
    const json_t *manifests = json_object_get(document, "manifests");
    for (size_t i = 0; i < json_array_size(manifests); i++) {
        const char *label;
        json_t *assertion;
        json_object_foreach(json_object_get(json_array_get(manifests, i), "assertions"), label, assertion)
        {
            if (strstr(label, "training-mining") && assertion_forbids(assertion)) return true;
        }
    }
    return false;
}

/* PLUS vocabulary: DMI-PROHIBITED and its kinds; DMI-PROHIBITED-EXCEPT... leaves training out as well. */
static bool xmp_forbids(const json_t *xmp)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)xmp, key, value)
    {
        const char *text = json_string_value(value);
        if (strncmp(key, "plus:DataMining", 15) == 0 && text && strstr(text, "DMI-PROHIBITED")) return true;
    }
    return false;
}

enum bst_code sweep_forbids_training(const char *path, const json_t *metadata, bool *out,
                                     struct bst_error *err)
{
    json_t *document = NULL;
    struct bst_error why = {0};
    *out = xmp_forbids(json_object_get(metadata, "xmp"));
    if (*out) return BST_OK;
    enum bst_code code = bst_show_manifests(path, BST_C2PA_CRJSON, &document, &why);
    if (code == BST_FAILURE) {
        *err = why;
        return code;
    }
    if (code == BST_OK) *out = manifests_forbid(document);
    json_decref(document);
    return BST_OK;
}

/* ---- what an item of a data set says ---- */

/* Is the word in the text, in whatever case? */
static bool has(const char *text, const char *word)
{
    size_t len = strlen(word);
    for (; *text; text++)
        if (strncasecmp(text, word, len) == 0) return true;
    return false;
}

static bool no_licence(const char *licence)
{
    return !licence || !*licence || strcasecmp(licence, "NOASSERTION") == 0 ||
           strcasecmp(licence, "NONE") == 0;
}

/* "CC-BY-ND-4.0", "CC-BY-NC-ND-3.0": Creative Commons without derivatives. */
static bool no_derivatives(const char *licence)
{
    return strncasecmp(licence, "CC-", 3) == 0 && has(licence, "-ND");
}

/* The manifest's own word (dataset.schema.json), or a licence that is named after it. */
static bool item_forbids(const json_t *notes, const char *licence)
{
    const char *training = bst_json_text(notes, "training");
    if (training) return strcmp(training, "notAllowed") == 0;
    return licence && (has(licence, "NoAI") || has(licence, "No-AI") || has(licence, "NoTraining") ||
                       has(licence, "No-Training") || has(licence, "all rights reserved"));
}

/* Items of one training of which the same is to be said. */
struct items {
    size_t count;
    const char *name[3];
    struct sweep_evidence evidence;
};

static void add(struct items *items, const json_t *item)
{
    const char *name = bst_json_text(item, "name"),
               *hex = bst_json_text(json_object_get(item, "digest"), "sha256");
    if (name && items->count < 3) items->name[items->count] = name;
    if (hex) sweep_digest(&items->evidence, hex);
    items->count++;
}

static void tell_items(struct bst_sweep *sweep, enum sweep_rule rule, const struct items *items,
                       uint64_t entry, const char *model, const char *what)
{
    struct sweep_evidence evidence = items->evidence;
    char names[300];
    if (!items->count) return;
    snprintf(names, sizeof names, "%.90s%s%.90s%s%.90s%s", items->name[0] ? items->name[0] : "an unnamed one",
             items->count > 1 && items->name[1] ? ", " : "",
             items->count > 1 && items->name[1] ? items->name[1] : "",
             items->count > 2 && items->name[2] ? ", " : "",
             items->count > 2 && items->name[2] ? items->name[2] : "", items->count > 3 ? " and others" : "");
    sweep_entry(&evidence, entry);
    sweep_tell(sweep, rule, &evidence,
               "The model %s (entry %" PRIu64 ") was trained on %zu picture%s %s: %s.", model, entry,
               items->count, items->count == 1 ? "" : "s", what, names);
}

static void see_training(struct bst_sweep *sweep, uint64_t entry, const json_t *statement)
{
    struct items forbidden = {0}, unlicensed = {0}, restricted = {0};
    const json_t *all = bst_json_at(statement, DEPENDENCIES);
    const char *model = json_string_value(bst_json_at(statement, "subject.0.name"));
    const char *of_set = NULL;
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *item = json_array_get(all, i), *notes = json_object_get(item, "annotations");
        const char *role = bst_json_text(notes, "role"), *licence = bst_json_text(notes, "license");
        if (!role) continue;
        if (strcmp(role, "dataset") == 0) of_set = licence; /* for items that have none of their own */
        if (strcmp(role, "item") != 0) continue;
        if (!licence) licence = of_set;
        if (item_forbids(notes, licence))
            add(&forbidden, item);
        else if (no_licence(licence))
            add(&unlicensed, item);
        else if (no_derivatives(licence))
            add(&restricted, item);
    }
    if (!model) model = "without a name";
    tell_items(sweep, SWEEP_TRAINING_FORBIDDEN, &forbidden, entry, model, "that forbid it");
    tell_items(sweep, SWEEP_TRAINING_NO_LICENCE, &unlicensed, entry, model, "under no known licence");
    tell_items(sweep, SWEEP_TRAINING_RESTRICTED, &restricted, entry, model,
               "whose licence allows no changed works");
}

/* ---- adopted pictures into whose files it was written ---- */

static enum bst_code first_use(struct bst_sweep *sweep, sqlite3_stmt *uses, const char *hex, const char *role,
                               int64_t *out, struct bst_error *err)
{
    uint8_t digest[BST_SHA256_LEN];
    *out = -1;
    if (!hex || !bst_unhex(hex, digest, sizeof digest)) return BST_OK;
    sqlite3_bind_blob(uses, 1, digest, sizeof digest, SQLITE_STATIC);
    sqlite3_bind_text(uses, 2, role, -1, SQLITE_STATIC);
    int step = sqlite3_step(uses);
    if (step == SQLITE_ROW && sqlite3_column_type(uses, 0) != SQLITE_NULL)
        *out = sqlite3_column_int64(uses, 0);
    sqlite3_reset(uses);
    return sweep_stepped(sweep->ledger, step, err);
}

static enum bst_code see_adoption(struct bst_sweep *sweep, sqlite3_stmt *uses, uint64_t entry,
                                  const json_t *statement, struct bst_error *err)
{
    static const struct {
        const char *role;
        enum sweep_rule rule;
        const char *words;
    } roles[] = {{"item", SWEEP_TRAINING_FORBIDDEN, "a model was trained on it"},
                 {"input", SWEEP_INPUT_FORBIDDEN, "a model made another picture from it"}};
    const json_t *digest = bst_json_at(statement, "subject.0.digest");
    if (!xmp_forbids(bst_json_at(statement, "predicate.written.xmp"))) return BST_OK;
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        int64_t use;
        const char *sha256 = bst_json_text(digest, "sha256"),
                   *pixels = bst_json_text(digest, "pixels-sha256");
        enum bst_code code = first_use(sweep, uses, sha256, roles[i].role, &use, err);
        if (code == BST_OK && use < 0) code = first_use(sweep, uses, pixels, roles[i].role, &use, err);
        if (code != BST_OK) return code;
        if (use < 0) continue;
        struct sweep_evidence evidence = {0};
        sweep_entry(&evidence, entry);
        sweep_entry(&evidence, (uint64_t)use);
        if (sha256) sweep_digest(&evidence, sha256);
        sweep_tell(sweep, roles[i].rule, &evidence,
                   "The author of entry %" PRIu64
                   " wrote into the picture that no model may be trained on it; entry %" PRId64
                   " says that %s.",
                   entry, use, roles[i].words);
    }
    return BST_OK;
}

/* ---- all statements of a kind ---- */

static enum bst_code see(struct bst_sweep *sweep, sqlite3_stmt *uses, const char *kind, uint64_t entry,
                         struct bst_error *err)
{
    struct bst_dsse dsse;
    struct bst_error why = {0};
    enum bst_code code = bst_ledger_statement(sweep->ledger, entry, &dsse, &why);
    if (code == BST_FAILURE) {
        *err = why;
        return code;
    }
    if (code != BST_OK) return BST_OK; /* the ledger's own check tells */
    if (strcmp(kind, "training") == 0)
        see_training(sweep, entry, dsse.statement);
    else
        code = see_adoption(sweep, uses, entry, dsse.statement, err);
    bst_dsse_clear(&dsse);
    return code;
}

static enum bst_code each(struct bst_sweep *sweep, sqlite3_stmt *uses, const char *kind,
                          struct bst_error *err)
{
    sqlite3_stmt *next = sweep_prepare(
        sweep->ledger, "SELECT entry FROM record WHERE kind = ?1 AND entry > ?2 ORDER BY entry LIMIT 1", err);
    enum bst_code code = next ? BST_OK : err->code;
    for (sqlite3_int64 entry = -1; code == BST_OK;) {
        sqlite3_bind_text(next, 1, kind, -1, SQLITE_STATIC);
        sqlite3_bind_int64(next, 2, entry);
        int step = sqlite3_step(next);
        sqlite3_int64 found = step == SQLITE_ROW ? sqlite3_column_int64(next, 0) : -1;
        code = sweep_stepped(sweep->ledger, step, err);
        sqlite3_reset(next);
        if (found <= entry) break;
        entry = found;
        code = see(sweep, uses, kind, (uint64_t)entry, err);
        if (code == BST_OK) code = sweep_step(sweep, 1, 1, err);
    }
    sqlite3_finalize(next);
    return code;
}

enum bst_code sweep_training(struct bst_sweep *sweep, struct bst_error *err)
{
    bool forbidden = sweep_wanted(sweep, SWEEP_TRAINING_FORBIDDEN);
    sqlite3_stmt *uses =
        sweep_prepare(sweep->ledger, "SELECT min(entry) FROM relation WHERE digest = ?1 AND role = ?2", err);
    enum bst_code code = uses ? BST_OK : err->code;
    if (code == BST_OK && (forbidden || sweep_wanted(sweep, SWEEP_TRAINING_NO_LICENCE) ||
                           sweep_wanted(sweep, SWEEP_TRAINING_RESTRICTED)))
        code = each(sweep, uses, "training", err);
    if (code == BST_OK && (forbidden || sweep_wanted(sweep, SWEEP_INPUT_FORBIDDEN)))
        code = each(sweep, uses, "adoption", err);
    sqlite3_finalize(uses);
    return code;
}
