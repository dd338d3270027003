/* ledger_relation.c - every digest that an entry names, and in which role. */
#include <jansson.h>
#include <string.h>

#include "ledger_index.h"
#include "statement.h"

/* Where statements name digests beside their subjects: a resource descriptor, a list of them, or a bare set of digests.
 * Kinds that share a place share its meaning. */
static const struct place {
    const char *kind, *path;
    const char *role; /* NULL: the descriptors' annotations say it */
} places[] = {
    {"generation", "predicate.buildDefinition.resolvedDependencies", NULL},
    {"training", "predicate.buildDefinition.resolvedDependencies", NULL},
    {"other", "predicate.buildDefinition.resolvedDependencies", NULL},
    {"adoption", "predicate.found", "parent"},
    {"decision", "predicate.candidates", "candidate"},
    {"decision", "predicate.before", "before"},
    {"decision", "predicate.parts", "part"},
    {"model", "predicate.card", "card"},
    {"model", "predicate.convertedFrom", "source"},
};

/* A statement's digests on their way out. */
struct walk {
    bst_relation_fn found;
    void *arg;
    uint64_t place;
    struct bst_error *err;
};

static enum bst_code tell(struct walk *walk, const json_t *digests, const char *algorithm, const char *role,
                          const char *name)
{
    struct bst_digest_row relation = {.role = role, .place = walk->place, .name = name};
    const char *hex = bst_json_text(digests, algorithm);
    if (!hex || !bst_unhex(hex, relation.digest, BST_SHA256_LEN)) return BST_OK;
    walk->place++;
    return walk->found(walk->arg, &relation, walk->err);
}

/* pixels_role is that of the samples' digest. */
static enum bst_code tell_descriptor(struct walk *walk, const json_t *descriptor, const char *role,
                                     const char *pixels_role, const char *name)
{
    const json_t *digests = json_object_get(descriptor, "digest");
    if (!json_is_object(digests)) digests = descriptor;
    enum bst_code code = tell(walk, digests, "sha256", role, name);
    if (code == BST_OK) code = tell(walk, digests, "pixels-sha256", pixels_role, name);
    if (code == BST_OK) code = tell(walk, digests, "jcs-sha256", role, name);
    return code;
}

static const char *noted_role(const json_t *descriptor)
{
    static const char *const roles[] = {"model", "weights", "card", "input", "dataset", "item"};
    const char *role = bst_json_text(json_object_get(descriptor, "annotations"), "role");
    for (size_t i = 0; role && i < sizeof roles / sizeof *roles; i++)
        if (strcmp(roles[i], role) == 0) return roles[i];
    return "other";
}

static enum bst_code tell_place(struct walk *walk, const struct place *place, const json_t *value)
{
    bool list = json_is_array(value);
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < (list ? json_array_size(value) : 1) && code == BST_OK; i++) {
        const json_t *descriptor = list ? json_array_get(value, i) : value;
        const char *role = place->role ? place->role : noted_role(descriptor);
        code = tell_descriptor(walk, descriptor, role, role, bst_json_text(descriptor, "name"));
    }
    return code;
}

static const char *subject_role(const char *kind)
{
    static const char *const of_keys[] = {"identity", "admission", "rotation", "revocation"};
    for (size_t i = 0; i < sizeof of_keys / sizeof *of_keys; i++)
        if (strcmp(of_keys[i], kind) == 0) return "key";
    if (strcmp(kind, "recovery") == 0) return "other"; /* no file's, but a tree's */
    return strcmp(kind, "erasure") == 0 ? "entry" : "subject";
}

/* Key ids that stand in a predicate by themselves. */
static enum bst_code tell_keys(struct walk *walk, const json_t *statement, const char *kind)
{
    static const struct place keys[] = {{"transfer", "predicate.to", "holder"},
                                        {"identity", "predicate.replaces", "replaced"}};
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < sizeof keys / sizeof *keys && code == BST_OK; i++) {
        if (strcmp(keys[i].kind, kind) != 0) continue;
        const json_t *value = bst_json_at(statement, keys[i].path);
        code = tell(walk, value, "keyId", keys[i].role, bst_json_text(value, "name"));
    }
    return code;
}

enum bst_code bst_relation_each(const json_t *statement, bst_relation_fn found, void *arg,
                                struct bst_error *err)
{
    struct walk walk = {.found = found, .arg = arg, .err = err};
    const char *kind = bst_statement_kind(statement)->name;
    const json_t *subjects = json_object_get(statement, "subject");
    const char *role = subject_role(kind);
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < json_array_size(subjects) && code == BST_OK; i++) {
        const json_t *subject = json_array_get(subjects, i);
        code = tell_descriptor(&walk, subject, role, "pixels", i ? bst_json_text(subject, "name") : NULL);
    }
    for (size_t i = 0; i < sizeof places / sizeof *places && code == BST_OK; i++) {
        if (strcmp(places[i].kind, kind) != 0) continue;
        const json_t *value = bst_json_at(statement, places[i].path);
        if (value) code = tell_place(&walk, &places[i], value);
    }
    return code == BST_OK ? tell_keys(&walk, statement, kind) : code;
}
