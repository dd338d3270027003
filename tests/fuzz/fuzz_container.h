/* fuzz_container.h - everything that reads a picture's container: scan, metadata, manifest; and what changes its metadata. */
#ifndef FUZZ_CONTAINER_H
#define FUZZ_CONTAINER_H

#include "fuzz_file.h"

#include <fcntl.h>
#include <jansson.h>

#include "metadata.h"

static bool fuzz_collect(void *arg, const void *data, size_t len)
{
    bst_buf_append(arg, data, len);
    return true;
}

/* The file with all that can be said in its metadata: it must still be one. */
static inline void fuzz_say(const char *path, const struct bst_container *container, const json_t *metadata)
{
    struct bst_error err;
    struct bst_marked marked;
    struct bst_edits edits = {0};
    struct bst_place place;
    struct bst_container again;
    struct bst_buf made = {0};
    json_t *label = json_pack("{s:s}", "Label", "1");
    const struct bst_marks marks = {.image_id = "77e74327-6c43-4be0-8185-6388508f11d8",
                                    .when = "2026-11-22T09:30:00Z",
                                    .source_type = "http://example.org/source",
                                    .no_train = true,
                                    .aigc = label,
                                    .metadata = metadata};
    bool good = bst_metadata_edit(path, container, &marks, &marked, &err) == BST_OK;
    const struct bst_canvas canvas = {
        .width = 8, .height = 8, .exif = marked.exif, .xmp = marked.xmp, .metadata = &marked.edits};
    good = good && bst_edit_manifest(container, &canvas, NULL, &edits, &place, &err) == BST_OK;
    int fd = good ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    good = good && bst_splice(fd, &edits, fuzz_collect, &made, path, &err) == BST_OK;
    if (fd >= 0) close(fd);
    if (good && bst_container_scan(fuzz_file(made.data, made.len), &again, &err) != BST_OK) abort();
    if (good) bst_container_clear(&again);
    bst_edits_clear(&edits);
    bst_marked_clear(&marked);
    bst_buf_free(&made);
    json_decref(label);
}

static inline void fuzz_container(const uint8_t *data, size_t len)
{
    struct bst_error err;
    struct bst_container container;
    struct bst_c2pa c2pa;
    json_t *metadata = NULL;
    const char *path = fuzz_file(data, len);
    if (bst_container_scan(path, &container, &err) != BST_OK) return;
    if (bst_metadata_read(path, &container, &metadata, &err) != BST_OK) metadata = NULL;
    if (bst_c2pa_read(path, &container, NULL, &c2pa, &err) == BST_OK) bst_c2pa_clear(&c2pa);
    bool writable = container.format <= BST_FORMAT_WEBP; /* the other formats are only read */
    if (metadata != NULL && writable)
        fuzz_say(path, &container, metadata); /* last: it writes over the file */
    bst_container_clear(&container);
    json_decref(metadata);
}

#endif
