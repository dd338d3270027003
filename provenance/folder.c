/* folder.c - folders that stand there whole or not at all: filled under another name, then renamed. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* nftw */
#endif
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"

static char *parent_of(const char *path)
{
    const char *name = bst_path_name(path);
    return name == path ? bst_strdup(".") : bst_format("%.*s", (int)(name - path), path);
}

enum bst_code bst_folder_beside(const char *path, char **out, struct bst_error *err)
{
    const char *name = bst_path_name(path);
    char *parent = parent_of(path);
    char *beside = bst_format("%.*s.%s.XXXXXX", (int)(name - path), path, name);
    enum bst_code code = parent && beside ? bst_folder_make(parent, 0755, err) : bst_fail_memory(err);
    if (code == BST_OK && !mkdtemp(beside)) {
        code = bst_fail_errno(err, BST_FAILURE, "cannot make a folder in %s", parent);
    }
    free(parent);
    if (code == BST_OK) {
        *out = beside;
    } else {
        free(beside);
    }
    return code;
}

enum bst_code bst_folder_publish(const char *beside, const char *path, struct bst_error *err)
{
    bst_folder_sync(beside);
    if (rename(beside, path) != 0) {
        if (errno == ENOTEMPTY || errno == EEXIST) return bst_fail(err, BST_USAGE, "%s exists already", path);
        return bst_fail_errno(err, BST_FAILURE, "cannot make the folder %s", path);
    }
    char *parent = parent_of(path);
    if (parent) bst_folder_sync(parent);
    free(parent);
    return BST_OK;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info, (void)type, (void)place;
    return remove(path);
}

void bst_folder_remove(const char *path)
{
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

bool bst_folder_is_empty(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder) return false;
    unsigned count = 0;
    while (count <= 2 && readdir(folder))
        count++; /* "." and ".." */
    closedir(folder);
    return count <= 2;
}
