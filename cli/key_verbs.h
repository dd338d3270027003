/* key_verbs.h - verbs of "blindstamp key" that have a file of their own. */
#ifndef BST_CLI_KEY_VERBS_H
#define BST_CLI_KEY_VERBS_H

#include "cli.h"

/* key_change.c */
enum bst_code key_rotate(const struct cli_args *args, const char *home, struct bst_error *err);
enum bst_code key_admit(const struct cli_args *args, const char *home, struct bst_error *err);

#endif
