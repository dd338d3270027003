/* metadata_fixture.h - EXIF and XMP read back, and what the objects that come of it say. */
#ifndef METADATA_FIXTURE_H
#define METADATA_FIXTURE_H

#include "stamp_fixture.h"

#include <jansson.h>

/* What bst_exif_read or bst_xmp_read makes of the block, without a problem; to be released. */
static inline json_t *read_block(void (*read)(const uint8_t *, size_t, json_t *, json_t *, const char *),
                                 const struct bst_buf *block)
{
    json_t *out = json_object(), *problems = json_array();
    read(block->data, block->len, out, problems, "here");
    assert_int_equal(json_array_size(problems), 0);
    json_decref(problems);
    return out;
}

/* The object says want under that key; NULL: nothing, or no text. */
static inline void says(const json_t *object, const char *key, const char *want)
{
    const char *have = bst_json_text(object, key);
    if (want == NULL ? have != NULL : have == NULL || strcmp(have, want) != 0)
        fail_msg("%s is %s, not %s", key, have == NULL ? "missing" : have, want == NULL ? "missing" : want);
}

#endif
