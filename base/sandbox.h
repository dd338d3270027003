/* sandbox.h - the two parts of bst_sandbox_enter. Private to base/. */
#ifndef BST_BASE_SANDBOX_H
#define BST_BASE_SANDBOX_H

#include "base.h"

/* Each returns NULL when its part holds, else why not; then nothing has changed. */
const char *bst_sandbox_files(const struct bst_sandbox *sandbox);
const char *bst_sandbox_calls(const struct bst_sandbox *sandbox);

#endif
