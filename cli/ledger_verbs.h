/* ledger_verbs.h - verbs of "blindstamp ledger" that have a file of their own. */
#ifndef BST_CLI_LEDGER_VERBS_H
#define BST_CLI_LEDGER_VERBS_H

#include "cli.h"

/* ledger_export.c */
enum bst_code ledger_export(const struct cli_args *args, struct bst_ledger *ledger, const char *path,
                            struct bst_error *err);

/* ledger_care.c */
enum bst_code ledger_backup(const struct cli_args *args, struct bst_ledger *ledger, const char *path,
                            struct bst_error *err);
enum bst_code ledger_recover(const struct cli_args *args, const char *path, struct bst_error *err);
enum bst_code ledger_reindex(const struct cli_args *args, const char *path, struct bst_error *err);
enum bst_code ledger_migrate(const struct cli_args *args, const char *path, struct bst_error *err);

/* ledger_add.c */
enum bst_code ledger_add(const struct cli_args *args, const char *path, struct bst_error *err);

#endif
