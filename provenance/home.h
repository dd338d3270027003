/* home.h - what the home's files share. Private to provenance/. */
#ifndef BST_HOME_H
#define BST_HOME_H

#include "provenance.h"

/* Writes identity.json into a folder; it must not exist there (home.c). */
enum bst_code bst_identity_save(const char *folder, const struct bst_identity *identity,
                                struct bst_error *err);
/* Finishes or discards an exchange of keys that a crash left half-done (home_rotate.c). */
enum bst_code bst_home_settle(const char *home, struct bst_error *err);

#endif
