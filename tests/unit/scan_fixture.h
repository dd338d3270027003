/* scan_fixture.h - a file that a test put together, scanned: what is found in it, or why it is refused. */
#ifndef SCAN_FIXTURE_H
#define SCAN_FIXTURE_H

#include "stamp_fixture.h"

static struct bst_container scanned;

static inline const char *scan_path(void)
{
    return in_folder("scanned");
}

/* Writes the file and scans it; scanned is to be cleared. */
static inline enum bst_code scan(const struct bst_buf *file, struct bst_error *err)
{
    const char *path = scan_path();
    write_file(path, file->data, file->len);
    return bst_container_scan(path, &scanned, err);
}

/* The file as scanned holds this manifest store, which its containers may have cut into pieces. */
static inline void holds_store(const void *want, size_t len)
{
    struct bst_error err = {0};
    struct bst_buf store = {0};
    assert_true(scanned.has_manifest);
    assert_good(bst_container_manifest(scan_path(), &scanned, &store, &err));
    assert_int_equal(store.len, len);
    assert_memory_equal(store.data, want, len);
    bst_buf_free(&store);
}

/* The file, which is released, is refused with that code, for a reason in which why stands. */
static inline void refused(struct bst_buf *file, enum bst_code want, const char *why)
{
    struct bst_error err = {0};
    enum bst_code code = scan(file, &err);
    if (code == BST_OK) bst_container_clear(&scanned);
    if (code != want || strstr(err.what, why) == NULL) fail_msg("%d, %s: %s", code, err.what, why);
    bst_buf_free(file);
}

#endif
