/* timestamp_file.c - a time stamp for a file that is finished: the request for its signature, and the answer put into
 * it. The manifest keeps its length and place, so the picture's bytes stay what the signature covers. */
#include "c2pa.h"
#include "container.h"
#include "container_edit.h"
#include "png_edit.h"
#include "stamp_file.h"
#include "timestamp.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A picture with a manifest, or a manifest store that is a file of its own. */
struct target {
    const char *path;
    struct bst_container container;
    bool bare;
    struct bst_buf store;
};

static enum bst_code open_target(const char *path, struct target *out, struct bst_error *err)
{
    static const uint8_t superbox[4] = {'j', 'u', 'm', 'b'};
    memset(out, 0, sizeof(*out));
    out->path = path;
    FILE *file = fopen(path, "rb");
    uint8_t head[8] = {0};
    if (file == NULL) return bst_fail_errno(err, BST_UNREADABLE, "cannot open %s", path);
    out->bare = fread(head, 1, sizeof(head), file) == sizeof(head) && memcmp(head + 4, superbox, 4) == 0;
    fclose(file);
    if (out->bare) return bst_file_read(path, BST_MANIFEST_MAX, &out->store, err);
    enum bst_code code = bst_container_scan(path, &out->container, err);
    if (code == BST_OK && bst_is_bmff(out->container.format)) {
        bst_fail(err, BST_USAGE, "a time stamp cannot be put into AVIF and HEIF files by this version");
        return bst_where(err, "%s", path);
    }
    return code == BST_OK ? bst_container_manifest(path, &out->container, &out->store, err) : code;
}

static void close_target(struct target *target)
{
    bst_container_clear(&target->container);
    bst_buf_free(&target->store);
}

/* ---- writing the store where it was ---- */

static enum bst_code write_at(int fd, uint64_t at, const void *data, size_t len, const char *path,
                              struct bst_error *err)
{
    if (lseek(fd, (off_t)at, SEEK_SET) < 0) {
        bst_fail_errno(err, BST_FAILURE, "cannot write the file");
        return bst_where(err, "%s", path);
    }
    return bst_write_all(fd, data, len, path, err);
}

/* JPEG: parts of the store lie behind 8 bytes of the first segment, and behind 16 of the others (container.c). */
static enum bst_code write_app11(int fd, const struct target *target, struct bst_error *err)
{
    const struct bst_container *container = &target->container;
    uint64_t end = container->manifest.start + container->manifest.length;
    size_t done = 0;
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < container->count && code == BST_OK; i++) {
        const struct bst_segment *segment = &container->segments[i];
        if (segment->whole.start < container->manifest.start || segment->whole.start >= end) continue;
        uint64_t skip = segment->whole.start == container->manifest.start ? 8 : 16;
        size_t part = (size_t)(segment->data.length - skip);
        code = write_at(fd, segment->data.start + skip, target->store.data + done, part, target->path, err);
        done += part;
    }
    return code;
}

static enum bst_code write_store(int fd, const struct target *target, struct bst_error *err)
{
    uint64_t start = target->container.manifest.start;
    if (target->bare) return write_at(fd, 0, target->store.data, target->store.len, target->path, err);
    if (target->container.format == BST_FORMAT_JPEG) return write_app11(fd, target, err);
    if (target->container.format == BST_FORMAT_PNG) {
        struct bst_buf chunk = {0};
        bst_png_chunk(&chunk, "caBX", target->store.data, target->store.len);
        enum bst_code code = chunk.failed ? bst_fail_memory(err)
                                          : write_at(fd, start, chunk.data, chunk.len, target->path, err);
        bst_buf_free(&chunk);
        return code;
    }
    if (target->container.format == BST_FORMAT_WEBP) start += 8;
    return write_at(fd, start, target->store.data, target->store.len, target->path, err);
}

/* Copy, change, fsync; the caller renames. */
static enum bst_code rewrite(const struct target *target, int to, struct bst_error *err)
{
    struct stat info;
    int from = open(target->path, O_RDONLY | O_CLOEXEC);
    if (from < 0 || fstat(from, &info) != 0) {
        bst_fail_errno(err, BST_FAILURE, "cannot read the file");
        if (from >= 0) close(from);
        return bst_where(err, "%s", target->path);
    }
    enum bst_code code = bst_splice_into(from, to, &(struct bst_edits){0}, target->path, target->path, err);
    if (code == BST_OK) code = write_store(to, target, err);
    if (code == BST_OK && (fchmod(to, info.st_mode & 07777) != 0 || fsync(to) != 0)) {
        bst_fail_errno(err, BST_FAILURE, "cannot write the file");
        code = bst_where(err, "%s", target->path);
    }
    close(from);
    return code;
}

static enum bst_code replace_file(const struct target *target, struct bst_error *err)
{
    char *beside = NULL;
    int to = bst_create_beside(target->path, &beside, err);
    if (to < 0) return err->code;
    enum bst_code code = rewrite(target, to, err);
    if (close(to) != 0 && code == BST_OK) {
        bst_fail_errno(err, BST_FAILURE, "cannot write the file");
        code = bst_where(err, "%s", target->path);
    }
    if (code == BST_OK) code = bst_take_name(beside, target->path, true, err);
    if (code != BST_OK) unlink(beside);
    if (code == BST_OK) bst_name_sync(target->path);
    free(beside);
    return code;
}

/* ---- what callers ask for ---- */

enum bst_code bst_timestamp_ask(const char *path, struct bst_buf *request, struct bst_error *err)
{
    struct target target;
    struct bst_buf data = {0};
    enum bst_code code = open_target(path, &target, err);
    if (code == BST_OK) code = bst_c2pa_stamped(target.store.data, target.store.len, &data, err);
    if (code == BST_OK) code = bst_timestamp_request(&data, false, request, err);
    if (code != BST_OK) bst_where(err, "%s", path);
    bst_buf_free(&data);
    close_target(&target);
    return code;
}

/* The token must be of this signature; whether its authority is trusted is for those to say who read the file. */
static enum bst_code check_token(const struct bst_buf *token, const struct bst_buf *data,
                                 struct bst_timestamped *out, struct bst_error *err)
{
    struct bst_time time;
    bst_timestamp_judge(token->data, token->len, data, NULL, &time);
    if (!time.validated) {
        bst_fail(err, BST_BROKEN, "the time stamp is not one of this file's signature: %s", time.why);
        return err->code;
    }
    bst_time_text(time.when_s * 1000, out->when);
    memcpy(out->authority, time.authority, sizeof(out->authority));
    return BST_OK;
}

/* answer is an authority's, or NULL: then the authority at url is asked. */
static enum bst_code attach(const char *path, const void *answer, size_t len, const char *url,
                            struct bst_timestamped *out, struct bst_error *err)
{
    struct target target;
    struct bst_buf data = {0}, token = {0};
    memset(out, 0, sizeof(*out));
    enum bst_code code = open_target(path, &target, err);
    if (code == BST_OK) code = bst_c2pa_stamped(target.store.data, target.store.len, &data, err);
    if (code == BST_OK && answer != NULL) code = bst_timestamp_answer(answer, len, NULL, &token, err);
    if (code == BST_OK && answer == NULL) code = bst_timestamp_fetch(url, &data, &token, err);
    if (code == BST_OK) code = check_token(&token, &data, out, err);
    if (code == BST_OK) {
        struct bst_attachment attachment = {.token = token.data, .token_len = token.len};
        code = bst_c2pa_attach(target.store.data, target.store.len, &attachment, err);
    }
    if (code == BST_OK) code = replace_file(&target, err);
    if (code != BST_OK && err->where[0] == 0) bst_where(err, "%s", path);
    bst_buf_free(&data);
    bst_buf_free(&token);
    close_target(&target);
    return code;
}

enum bst_code bst_timestamp_attach(const char *path, const void *answer, size_t len,
                                   struct bst_timestamped *out, struct bst_error *err)
{
    return attach(path, answer, len, NULL, out, err);
}

enum bst_code bst_timestamp_add(const char *path, const char *url, struct bst_timestamped *out,
                                struct bst_error *err)
{
    return attach(path, NULL, 0, url, out, err);
}
