/* fuzz_tiff.c - everything that reads a TIFF file: scan, metadata, manifest. */
#include "fuzz_container.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    fuzz_container(data, len);
    return 0;
}
