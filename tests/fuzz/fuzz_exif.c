/* fuzz_exif.c - EXIF, XMP and text chunks of anything, told apart by their first bytes as in the corpus. */
#include <jansson.h>
#include <string.h>

#include "metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const types[] = {"tEXt", "zTXt", "iTXt"};
    size_t budget = 1u << 20;
    json_t *out = json_object(), *xmp = json_object(), *problems = json_array();
    if (len > 0 && data[0] == '<') {
        bst_xmp_read(data, len, xmp, problems, "fuzz");
    } else if (len > 4 && (memcmp(data, "MM", 2) == 0 || memcmp(data, "II", 2) == 0)) {
        bst_exif_read(data, len, out, problems, "fuzz");
    } else {
        for (int i = 0; i < 3; i++) {
            bst_png_text_read(types[i], data, len, &budget, out, xmp, problems, "fuzz");
        }
    }
    json_decref(out);
    json_decref(xmp);
    json_decref(problems);
    return 0;
}
