/* walk.c - folders -> picture files. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

#define WALK_DEPTH 32

static bool is_picture(const char *name, enum cli_pictures which)
{
    static const char *const ends[] = {".png", ".jpg",  ".jpeg", ".webp", /* up to here with their pixels */
                                       ".tif", ".tiff", ".dng",  ".avif", ".heic", ".heif"};
    size_t len = strlen(name), count = which == CLI_WITH_PIXELS ? 4 : sizeof ends / sizeof *ends;
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(ends[i]);
        if (len > n && !strcasecmp(name + len - n, ends[i])) return true;
    }
    return false;
}

static int wanted(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static enum bst_code walk(const char *path, enum cli_pictures which, unsigned depth, bool *go_on,
                          cli_file_fn found, void *arg, struct bst_error *err);

/* One name in a folder. What is neither folder nor picture is passed over. */
static enum bst_code visit(const char *folder, const char *name, enum cli_pictures which, unsigned depth,
                           bool *go_on, cli_file_fn found, void *arg, struct bst_error *err)
{
    enum bst_code code = BST_OK;
    struct stat st;
    char *path = bst_path_join(folder, name);
    if (!path) return bst_fail_memory(err);
    if (lstat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            code = walk(path, which, depth + 1, go_on, found, arg, err);
        else if (is_picture(name, which) && (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)))
            *go_on = found(arg, path);
    }
    free(path);
    return code;
}

static enum bst_code walk(const char *path, enum cli_pictures which, unsigned depth, bool *go_on,
                          cli_file_fn found, void *arg, struct bst_error *err)
{
    if (depth > WALK_DEPTH)
        return bst_fail(err, BST_UNREADABLE, "folders are nested more than %d deep: %s", WALK_DEPTH, path);
    struct dirent **names = NULL;
    int count = scandir(path, &names, wanted, alphasort);
    if (count < 0) return bst_fail_errno(err, BST_UNREADABLE, "cannot list the folder %s", path);
    enum bst_code code = BST_OK;
    for (int i = 0; i < count; i++) {
        if (code == BST_OK && *go_on)
            code = visit(path, names[i]->d_name, which, depth, go_on, found, arg, err);
        free(names[i]);
    }
    free(names);
    return code;
}

enum bst_code cli_walk(const char *path, enum cli_pictures which, cli_file_fn found, void *arg,
                       struct bst_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0) return bst_fail_errno(err, BST_UNREADABLE, "cannot read %s", path);
    bool go_on = true;
    if (S_ISDIR(st.st_mode)) return walk(path, which, 0, &go_on, found, arg, err);
    found(arg, path);
    return BST_OK;
}

bool cli_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

enum bst_code cli_folder_writable(const char *folder, struct bst_error *err)
{
    char *path = bst_path_join(folder, ".blindstamp-XXXXXX");
    if (!path) return bst_fail_memory(err);
    enum bst_code code = BST_OK;
    int fd = mkstemp(path);
    if (fd < 0) {
        code = bst_fail_errno(err, errno == ENOENT || errno == ENOTDIR ? BST_USAGE : BST_FAILURE,
                              "cannot write into the folder %s", folder);
        bst_hint(err, "choose another folder with -o DIR");
    } else {
        close(fd);
        unlink(path);
    }
    free(path);
    return code;
}
