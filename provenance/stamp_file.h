/* stamp_file.h - files that get their name only when they are finished. Private to provenance/. */
#ifndef BST_STAMP_FILE_H
#define BST_STAMP_FILE_H

#include "base.h"

/* A new empty file ".NAME.blindstamp-XXXXXX" beside path; its name in new memory. Returns its descriptor, or
 * -1 with err filled. */
int bst_create_beside(const char *path, char **name, struct bst_error *err);
/* Gives the finished file its name. Without force, a name taken in the meantime is refused, not replaced. */
enum bst_code bst_take_name(const char *temporary, const char *path, bool force, struct bst_error *err);
/* BST_USAGE: the file exists. */
enum bst_code bst_refuse_existing(const char *path, struct bst_error *err);

#endif
