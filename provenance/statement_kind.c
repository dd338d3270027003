/* statement_kind.c - which kind of statement is this, and where do all kinds keep their author and their time? */
#include <string.h>

#include "statement.h"

#define SLSA_AUTHOR "predicate.buildDefinition.internalParameters.author"
#define SLSA_TIME   "predicate.runDetails.metadata.finishedOn"
#define SLSA_BY     "predicate.runDetails.builder.version.blindstamp"
#define OWN_AUTHOR  "predicate.author"
#define OWN_BY      "predicate.version.blindstamp"

static const struct bst_kind kinds[] = {
    {"generation", BST_SLSA_TYPE, BST_BUILD_GENERATE, SLSA_AUTHOR, SLSA_TIME, SLSA_BY},
    {"adoption", BST_ADOPTION_TYPE, NULL, OWN_AUTHOR, "predicate.adoptedOn", OWN_BY},
    {"training", BST_SLSA_TYPE, BST_BUILD_TRAIN, SLSA_AUTHOR, SLSA_TIME, SLSA_BY},
    {"model", BST_MODEL_TYPE, NULL, OWN_AUTHOR, "predicate.recordedOn", OWN_BY},
    {"decision", BST_DECISION_TYPE, NULL, OWN_AUTHOR, "predicate.decidedOn", OWN_BY},
    {"transfer", BST_TRANSFER_TYPE, NULL, OWN_AUTHOR, "predicate.transferredOn", OWN_BY},
    {"withdrawal", BST_WITHDRAWAL_TYPE, NULL, OWN_AUTHOR, "predicate.withdrawnOn", OWN_BY},
    {"erasure", BST_ERASURE_TYPE, NULL, OWN_AUTHOR, "predicate.erasedOn", OWN_BY},
    {"identity", BST_IDENTITY_TYPE, NULL, OWN_AUTHOR, "predicate.issuedOn", OWN_BY},
    {"admission", BST_ADMISSION_TYPE, NULL, OWN_AUTHOR, "predicate.admittedOn", OWN_BY},
    {"rotation", BST_ROTATION_TYPE, NULL, OWN_AUTHOR, "predicate.rotatedOn", OWN_BY},
    {"revocation", BST_REVOCATION_TYPE, NULL, OWN_AUTHOR, "predicate.revokedOn", OWN_BY},
    {"recovery", BST_RECOVERY_TYPE, NULL, OWN_AUTHOR, "predicate.recoveredOn", OWN_BY},
    {"other", NULL, NULL, SLSA_AUTHOR, SLSA_TIME, SLSA_BY}, /* the last one: fits all */
};

const struct bst_kind *bst_statement_kind(const json_t *statement)
{
    const char *type = bst_json_text(statement, "predicateType");
    const char *build = json_string_value(bst_json_at(statement, "predicate.buildDefinition.buildType"));
    const struct bst_kind *kind = kinds;
    for (; kind->predicate_type; kind++) {
        if (!type || strcmp(type, kind->predicate_type) != 0) continue;
        if (!kind->build_type || (build && strcmp(build, kind->build_type) == 0)) break;
    }
    return kind;
}

const char *bst_kind_name(size_t n)
{
    return n < sizeof kinds / sizeof *kinds ? kinds[n].name : NULL;
}
