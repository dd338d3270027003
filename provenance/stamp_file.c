/* stamp_file.c - a stamped file's way to its name: a hidden file beside it, then a rename that keeps what is
 * there. */
#include "stamp_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int bst_create_beside(const char *path, char **name, struct bst_error *err)
{
    const char *base = bst_path_name(path);
    for (int attempt = 0; attempt < 100; attempt++) {
        char random[BST_UUID_LEN];
        bst_uuid4(random);
        /* a name near the limit of 255 bytes leaves no room for the rest */
        *name = bst_format("%.*s.%.200s.blindstamp-%.6s", (int)(base - path), path, base, random);
        if (*name == NULL) {
            bst_fail_memory(err);
            return -1;
        }
        int fd = open(*name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) return fd;
        int problem = errno;
        free(*name);
        *name = NULL;
        errno = problem;
        if (problem != EEXIST) break;
    }
    int problem = errno;
    bst_fail_errno(err, BST_FAILURE, "cannot create a file in the folder");
    if (problem == ENOENT) bst_hint(err, "create the folder first");
    if (problem == EACCES || problem == EROFS || problem == EPERM)
        bst_hint(err, "choose a folder that you may write to");
    bst_where(err, "%s", path);
    return -1;
}

enum bst_code bst_refuse_existing(const char *path, struct bst_error *err)
{
    bst_fail(err, BST_USAGE, "the file exists already");
    bst_hint(err, "choose another name, or overwrite it with --force");
    return bst_where(err, "%s", path);
}

enum bst_code bst_take_name(const char *temporary, const char *path, bool force, struct bst_error *err)
{
    if (bst_file_publish(temporary, path, force)) return BST_OK;
    if (errno == EEXIST) return bst_refuse_existing(path, err);
    bst_fail_errno(err, BST_FAILURE, "cannot give the finished file its name");
    return bst_where(err, "%s", path);
}
