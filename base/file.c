/* file.c - bounded reads, and writes that leave a whole file or none. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"

char *bst_path_join(const char *folder, const char *name)
{
    size_t len = strlen(folder);
    if (len == 0 || name[0] == '/') return bst_strdup(name);
    return bst_format("%s%s%s", folder, folder[len - 1] == '/' ? "" : "/", name);
}

const char *bst_path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool bst_file_exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

static enum bst_code read_all(int fd, const char *path, size_t limit, struct bst_buf *out,
                              struct bst_error *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0) return bst_fail_errno(err, BST_UNREADABLE, "cannot read %s", path);
    if (S_ISDIR(info.st_mode)) return bst_fail(err, BST_UNREADABLE, "%s is a folder, not a file", path);
    if (!S_ISREG(info.st_mode)) return bst_fail(err, BST_UNREADABLE, "%s is not a regular file", path);
    if (info.st_size < 0 || (uint64_t)info.st_size > limit) {
        return bst_fail(err, BST_UNREADABLE, "%s is larger than the %zu bytes allowed here", path, limit);
    }
    size_t size = (size_t)info.st_size;
    if (!bst_buf_reserve(out, size + 1)) return bst_fail_memory(err);
    /* One byte more than the size tells whether the file grew meanwhile. */
    size_t got = 0;
    while (got <= size) {
        ssize_t n = read(fd, out->data + out->len + got, size + 1 - got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return bst_fail_errno(err, BST_UNREADABLE, "cannot read %s", path);
        if (n == 0) break;
        got += (size_t)n;
    }
    if (got != size) return bst_fail(err, BST_UNREADABLE, "%s changed while it was read", path);
    out->len += got;
    return BST_OK;
}

static enum bst_code read_open(int fd, const char *path, size_t limit, struct bst_buf *out,
                               struct bst_error *err)
{
    size_t before = out->len;
    enum bst_code code = read_all(fd, path, limit, out, err);
    close(fd);
    if (code != BST_OK) {
        if (before == 0) bst_buf_free(out);
        out->len = before;
    }
    return code;
}

enum bst_code bst_file_read(const char *path, size_t limit, struct bst_buf *out, struct bst_error *err)
{
    /* Non-blocking: opening a pipe or a device must not hang; for a regular file it changes nothing. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return bst_fail_errno(err, BST_UNREADABLE, "cannot open %s", path);
    return read_open(fd, path, limit, out, err);
}

/* The next part of a name with slashes; false when it is none that stays in its folder. */
static bool next_part(const char **name, char part[static 256])
{
    size_t len = strcspn(*name, "/");
    if (len == 0 || len > 255) return false;
    memcpy(part, *name, len);
    part[len] = 0;
    *name += len;
    if (**name == '/' && *++*name == 0) return false;
    return strcmp(part, ".") != 0 && strcmp(part, "..") != 0;
}

enum bst_code bst_file_read_within(const char *folder, const char *name, size_t limit, struct bst_buf *out,
                                   struct bst_error *err)
{
    char part[256];
    const char *rest = name;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return bst_fail_errno(err, BST_UNREADABLE, "cannot open %s", folder);
    do {
        if (!next_part(&rest, part)) {
            close(fd);
            return bst_fail(err, BST_UNREADABLE, "'%.80s' is no name of a file within the folder", name);
        }
        int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (*rest != 0 ? O_DIRECTORY : O_NONBLOCK);
        int next = openat(fd, part, flags);
        int number = errno;
        close(fd);
        errno = number;
        fd = next;
    } while (fd >= 0 && *rest != 0);
    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
        return bst_fail(err, BST_UNREADABLE, "'%.80s' is reached by a link, which is not followed", name);
    if (fd < 0) return bst_fail_errno(err, BST_UNREADABLE, "cannot open '%.80s'", name);
    return read_open(fd, name, limit, out, err);
}

static bool write_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

enum bst_code bst_write_all(int fd, const void *data, size_t len, const char *name, struct bst_error *err)
{
    if (write_all(fd, data, len)) return BST_OK;
    bool full = errno == ENOSPC || errno == EDQUOT;
    bst_fail_errno(err, BST_FAILURE, "cannot write the file");
    if (full) bst_hint(err, "free some space on the disk and run the command again");
    return bst_where(err, "%s", name);
}

void bst_folder_sync(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    fsync(fd);
    close(fd);
}

void bst_name_sync(const char *path)
{
    int len = (int)(bst_path_name(path) - path);
    char *folder = len == 0 ? bst_strdup(".") : bst_format("%.*s", len, path);
    if (folder) bst_folder_sync(folder);
    free(folder);
}

bool bst_file_publish(const char *temporary, const char *path, bool replace)
{
    if (replace) return rename(temporary, path) == 0;
    if (link(temporary, path) == 0) {
        unlink(temporary);
        return true;
    }
    if (errno == EEXIST) return false;
    /* Some file systems have no links: look, then rename. */
    if (bst_file_exists(path)) {
        errno = EEXIST;
        return false;
    }
    return rename(temporary, path) == 0;
}

static enum bst_code write_beside(const char *temporary, int fd, const char *path, const void *data,
                                  size_t len, unsigned flags, struct bst_error *err)
{
    mode_t mask = umask(0);
    umask(mask);
    mode_t mode = flags & BST_WRITE_SECRET ? 0600 : (mode_t)(0666 & ~mask);
    bool written = fchmod(fd, mode) == 0 && write_all(fd, data, len) && fsync(fd) == 0;
    int number = errno;
    if (close(fd) != 0 && written) {
        written = false;
        number = errno;
    }
    errno = number;
    if (!written) return bst_fail_errno(err, BST_FAILURE, "cannot write %s", path);
    if (bst_file_publish(temporary, path, flags & BST_WRITE_REPLACE)) return BST_OK;
    if (errno == EEXIST) return bst_fail(err, BST_USAGE, "%s exists already", path);
    return bst_fail_errno(err, BST_FAILURE, "cannot write %s", path);
}

enum bst_code bst_file_write(const char *path, const void *data, size_t len, unsigned flags,
                             struct bst_error *err)
{
    const char *name = bst_path_name(path);
    char *temporary = bst_format("%.*s.%s.XXXXXX", (int)(name - path), path, name);
    if (!temporary) return bst_fail_memory(err);
    int fd = mkstemp(temporary);
    if (fd < 0) {
        enum bst_code code = bst_fail_errno(err, BST_FAILURE, "cannot write %s", path);
        free(temporary);
        return code;
    }
    enum bst_code code = write_beside(temporary, fd, path, data, len, flags, err);
    if (code != BST_OK) {
        unlink(temporary);
    } else {
        bst_name_sync(path);
    }
    free(temporary);
    return code;
}

static enum bst_code make_one(const char *path, unsigned mode, struct bst_error *err)
{
    struct stat info;
    if (mkdir(path, (mode_t)mode) == 0) return BST_OK;
    if (errno == EEXIST && stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return BST_OK;
    return bst_fail_errno(err, BST_FAILURE, "cannot make the folder %s", path);
}

enum bst_code bst_folder_make(const char *path, unsigned mode, struct bst_error *err)
{
    char *copy = bst_strdup(path);
    if (!copy) return bst_fail_memory(err);
    enum bst_code code = BST_OK;
    for (char *p = copy + 1; *p && code == BST_OK; p++) {
        if (*p != '/') continue;
        *p = 0;
        code = make_one(copy, 0777, err);
        *p = '/';
    }
    if (code == BST_OK) code = make_one(copy, mode, err);
    free(copy);
    return code;
}
