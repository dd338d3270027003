/* external.h - the files beside a model's own in which constants lie. Private to gen/. */
#ifndef BST_EXTERNAL_H
#define BST_EXTERNAL_H

#include "gen.h"

#define EXTERNAL_MAX       64
#define EXTERNAL_BYTES_MAX ((size_t)4 << 30) /* of all of them */

struct external {
    char *folder; /* that they must lie in; NULL: none is read */
    size_t count, bytes;
    struct bst_external_file files[EXTERNAL_MAX];
    struct bst_buf data[EXTERNAL_MAX]; /* constants point into it, so that it lives as long as they do */
};

/* The model's folder. False without memory. */
bool external_init(struct external *external, const char *model_path);
void external_clear(struct external *external);
/* The bytes of a piece of a file, which is read whole, once, and digested as it was read. */
enum bst_code external_find(struct external *external, const char *name, uint64_t offset, size_t len,
                            const uint8_t **out, struct bst_error *err);

#endif
