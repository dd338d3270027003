/* fuzz_png.c - everything that reads a PNG file: scan, metadata, manifest. The chunks' checksums are put
 * right first, or nearly every input would end at the first of them. */
#include "fuzz_file.h"

#include <jansson.h>
#include <string.h>
#include <zlib.h>

#include "provenance.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void fix_checksums(uint8_t *data, size_t len)
{
    for (size_t at = 8; at + 12 <= len;) {
        size_t size = bst_get_be32(data + at);
        if (size > len - at - 12) return;
        uLong crc = crc32(0, data + at + 4, (uInt)size + 4);
        for (int i = 0; i < 4; i++) {
            data[at + 8 + size + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
        }
        at += size + 12;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bst_error err;
    struct bst_container container;
    struct bst_c2pa c2pa;
    json_t *metadata;
    uint8_t *copy = malloc(len + 1);
    if (copy == NULL) return 0;
    memcpy(copy, data, len);
    fix_checksums(copy, len);
    const char *path = fuzz_file(copy, len);
    free(copy);
    if (bst_container_scan(path, &container, &err) != BST_OK) return 0;
    if (bst_metadata_read(path, &container, &metadata, &err) == BST_OK) json_decref(metadata);
    if (bst_c2pa_read(path, &container, NULL, &c2pa, &err) == BST_OK) bst_c2pa_clear(&c2pa);
    bst_container_clear(&container);
    return 0;
}
