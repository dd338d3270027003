/* folder.h - folders that stand there whole or not at all. Private to provenance/. */
#ifndef BST_FOLDER_H
#define BST_FOLDER_H

#include "base.h"

/* Makes an empty folder (0700) of a fresh name next to path, and path's parents. *out: its name, new memory.
 */
enum bst_code bst_folder_beside(const char *path, char **out, struct bst_error *err);
/* Gives the finished folder its name. path may be an empty folder, nothing else that exists. */
enum bst_code bst_folder_publish(const char *beside, const char *path, struct bst_error *err);
/* Removes a folder of our own making with all in it; follows no links. */
void bst_folder_remove(const char *path);
bool bst_folder_is_empty(const char *path);

#endif
