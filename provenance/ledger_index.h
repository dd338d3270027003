/* ledger_index.h - the tables derived from an entry: record, author, model, relation, words. Private to provenance/. */
#ifndef BST_LEDGER_INDEX_H
#define BST_LEDGER_INDEX_H

#include "ledger_db.h"

/* Columns of a record, in the order of BST_SQL_RECORD and BST_SQL_ADD_RECORD. */
enum bst_column {
    BST_COLUMN_KIND,
    BST_COLUMN_TIME,
    BST_COLUMN_AUTHOR_KEY_ID,
    BST_COLUMN_AUTHOR_NAME,
    BST_COLUMN_MODEL_SHA256,
    BST_COLUMN_MODEL_NAME,
    BST_COLUMN_MODEL_LICENCE,
    BST_COLUMN_FILE_NAME,
    BST_COLUMN_IMAGE_ID,
    BST_COLUMN_SEED,
    BST_COLUMN_WIDTH,
    BST_COLUMN_HEIGHT,
    BST_COLUMN_SHA256,
    BST_COLUMN_PIXELS_SHA256,
    BST_COLUMN_TITLE,
    BST_COLUMN_PROMPT,
    BST_COLUMN_DESCRIPTION,
    BST_COLUMN_PRIVACY,
    BST_COLUMN_LICENCE,
    BST_COLUMN_ACT,
    BST_COLUMN_HOLDER,
    BST_COLUMN_SOURCE_TYPE,
    BST_COLUMN_ARITH,
    BST_COLUMN_VERSION,
    BST_COLUMN_CONTROLS,
    BST_COLUMN_COUNT
};
extern const char *const bst_column_name[BST_COLUMN_COUNT];

/* A value is a text, a number, or (neither) NULL. Texts are borrowed from the statement and the secrets. */
struct bst_value {
    const char *text;
    int64_t number;
    bool is_number;
};
struct bst_row { /* not to be copied: a value may point into it */
    struct bst_value column[BST_COLUMN_COUNT];
    char controls[BST_SHA256_HEX];
};
/* What an entry says (ledger_record.c). secrets may be NULL. */
void bst_record_read(const struct bst_dsse *dsse, const struct bst_secrets *secrets, struct bst_row *out);

/* A digest that an entry names (ledger_relation.c). Texts are borrowed. */
struct bst_digest_row {
    uint8_t digest[BST_SHA256_LEN];
    const char *role, *name; /* name may be NULL */
    uint64_t place;          /* 0, 1, 2 ... in the statement's order */
};
typedef enum bst_code (*bst_relation_fn)(void *arg, const struct bst_digest_row *relation,
                                         struct bst_error *err);
/* Calls found for each of them; what it returns other than BST_OK ends the walk. */
enum bst_code bst_relation_each(const json_t *statement, bst_relation_fn found, void *arg,
                                struct bst_error *err);
/* Binds a relation's key, parameters 1 to 4. */
void bst_db_relation(sqlite3_stmt *statement, uint64_t idx, const struct bst_digest_row *relation);

/* Writes all that is derived from an entry, but for the tree, inside the caller's transaction. */
enum bst_code bst_index_add(struct bst_ledger *ledger, uint64_t idx, const struct bst_dsse *dsse,
                            const struct bst_secrets *secrets, struct bst_error *err);
/* The entry's rows in table secret that a statement of ours can have. */
enum bst_code bst_index_secrets(struct bst_ledger *ledger, uint64_t idx, struct bst_secrets *out,
                                struct bst_error *err);

#endif
