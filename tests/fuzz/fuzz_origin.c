/* fuzz_origin.c - what a picture's metadata says of how it was made: the text behind each keyword that is understood. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const keys[] = {"parameters", "prompt", "invokeai_metadata", "Comment"};
    if (len == 0 || memchr(data, 0, len) != NULL) return 0;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        json_t *metadata = json_pack("{s:{s:s, s:o}}", "text", "Software", "NovelAI", keys[i],
                                     bst_text_json((const char *)data, len));
        json_t *says = bst_metadata_origin(metadata);
        if (metadata != NULL && says == NULL) abort();
        json_decref(says);
        json_decref(metadata);
    }
    return 0;
}
