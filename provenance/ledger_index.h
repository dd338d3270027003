/* ledger_index.h - the tables derived from an entry: record, author, model, words. Private to provenance/. */
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
    BST_COLUMN_COUNT
};
extern const char *const bst_column_name[BST_COLUMN_COUNT];

/* A value is a text, a number, or (neither) NULL. Texts are borrowed from the statement and the secrets. */
struct bst_value {
    const char *text;
    int64_t number;
    bool is_number;
};
struct bst_row {
    struct bst_value column[BST_COLUMN_COUNT];
};

/* What an entry says. secrets may be NULL. */
void bst_index_read(const struct bst_dsse *dsse, const struct bst_secrets *secrets, struct bst_row *out);
/* Writes it, inside the caller's transaction. */
enum bst_code bst_index_add(struct bst_ledger *ledger, uint64_t idx, const struct bst_row *row,
                            struct bst_error *err);
/* The entry's rows in table secret that a statement of ours can have. */
enum bst_code bst_index_secrets(struct bst_ledger *ledger, uint64_t idx, struct bst_secrets *out,
                                struct bst_error *err);

#endif
