/* ledger_check.h - what the parts of the ledger's check share. Private to provenance/. */
#ifndef BST_LEDGER_CHECK_H
#define BST_LEDGER_CHECK_H

#include "ledger_index.h"

/* The rules, by their stable ids in ledger_check.c. */
enum bst_rule {
    BST_RULE_FILE,
    BST_RULE_SCHEMA,
    BST_RULE_LOG,
    BST_RULE_ENTRY_MISSING,
    BST_RULE_LEAF_HASH,
    BST_RULE_ENVELOPE,
    BST_RULE_SIGNER,
    BST_RULE_SIGNATURE,
    BST_RULE_REVOKED,
    BST_RULE_UNSIGNED,
    BST_RULE_CHECKPOINT_SIGNATURE,
    BST_RULE_CHECKPOINT_SIZE,
    BST_RULE_CHECKPOINT_ROOT,
    BST_RULE_TRUNCATED,
    BST_RULE_NODE,
    BST_RULE_SECRET,
    BST_RULE_ERASED,
    BST_RULE_RECORD,
    BST_RULE_RELATION,
    BST_RULE_WORDS,
    BST_RULE_COUNT
};

struct bst_check_run {
    struct bst_ledger *ledger;
    bst_finding_fn found;
    void *arg;
    uint64_t count[BST_RULE_COUNT]; /* findings of each rule; only the first few are told one by one */
    uint64_t size;      /* entries when the check began: what comes later is left to the next one */
    uint64_t relations; /* rows of the table relation that the entries seen account for */
};

void bst_check_report(struct bst_check_run *run, enum bst_rule rule, int64_t index, const char *format, ...)
    BST_PRINTF(4, 5);

/* A part of the check that cannot be carried out because tables are missing or damaged is a finding, not a failure. */
enum bst_code bst_check_settle(struct bst_check_run *run, enum bst_code code, const struct bst_error *err);
/* Says how many findings were not told one by one. BST_BROKEN when there was any; BST_UNTRUSTED when all of them are of keys
 * that were no longer in force. */
enum bst_code bst_check_sum_up(struct bst_check_run *run, struct bst_error *err);

/* ledger_check_index.c: what the index says of one entry. */
enum bst_code bst_check_index(struct bst_check_run *run, uint64_t idx, const struct bst_dsse *dsse,
                              const struct bst_secrets *secrets, struct bst_error *err);

/* ledger_check_tables.c: the file's pages; tables, indexes and triggers against schema/ledger.sql. */
enum bst_code bst_check_file(struct bst_check_run *run, struct bst_error *err);
enum bst_code bst_check_schema(struct bst_check_run *run, struct bst_error *err);
/* Rows that belong to no entry; the full-text index against one made afresh. */
enum bst_code bst_check_leftovers(struct bst_check_run *run, struct bst_error *err);
enum bst_code bst_check_words(struct bst_check_run *run, struct bst_error *err);

#endif
