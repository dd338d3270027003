/* fuzz_exif.c - EXIF, XMP and text chunks of anything, told apart by their first bytes as in the corpus; EXIF is edited,
 * too. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What was edited says it already when it is asked again, and is no shorter. */
static void edit(const uint8_t *data, size_t len)
{
    static const enum bst_format formats[] = {BST_FORMAT_PNG, BST_FORMAT_JPEG};
    for (int i = 0; i < 2; i++) {
        const struct bst_container picture = {.format = formats[i], .width = 8, .height = 8};
        struct bst_error err;
        struct bst_buf made = {0}, again = {0};
        if (bst_exif_edit(data, len, &picture, &made, &err) == BST_OK) {
            if (made.len < len || bst_exif_edit(made.data, made.len, &picture, &again, &err) != BST_OK)
                abort();
            if (again.len != made.len || memcmp(again.data, made.data, made.len) != 0) abort();
        }
        bst_buf_free(&made);
        bst_buf_free(&again);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const types[] = {"tEXt", "zTXt", "iTXt"};
    size_t budget = 1u << 20;
    json_t *out = json_object(), *xmp = json_object(), *problems = json_array();
    if (len > 0 && data[0] == '<') {
        bst_xmp_read(data, len, xmp, problems, "fuzz");
    } else if (len > 4 && (memcmp(data, "MM", 2) == 0 || memcmp(data, "II", 2) == 0)) {
        bst_exif_read(data, len, out, problems, "fuzz");
        edit(data, len);
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
