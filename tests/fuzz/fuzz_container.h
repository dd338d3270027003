/* fuzz_container.h - everything that reads a picture's container: scan, metadata, manifest. */
#ifndef FUZZ_CONTAINER_H
#define FUZZ_CONTAINER_H

#include "fuzz_file.h"

#include <jansson.h>

#include "provenance.h"

static inline void fuzz_container(const uint8_t *data, size_t len)
{
    struct bst_error err;
    struct bst_container container;
    struct bst_c2pa c2pa;
    json_t *metadata;
    const char *path = fuzz_file(data, len);
    if (bst_container_scan(path, &container, &err) != BST_OK) return;
    if (bst_metadata_read(path, &container, &metadata, &err) == BST_OK) json_decref(metadata);
    if (bst_c2pa_read(path, &container, NULL, &c2pa, &err) == BST_OK) bst_c2pa_clear(&c2pa);
    bst_container_clear(&container);
}

#endif
