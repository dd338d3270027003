/* fuzz_png.c - everything that reads a PNG file: scan, metadata, manifest. The chunks' checksums are put
 * right first, or nearly every input would end at the first of them. */
#include "fuzz_container.h"

#include <string.h>
#include <zlib.h>

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
    uint8_t *copy = malloc(len + 1);
    if (copy == NULL) return 0;
    memcpy(copy, data, len);
    fix_checksums(copy, len);
    fuzz_container(copy, len);
    free(copy);
    return 0;
}
