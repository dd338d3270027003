/* train_data.h - the data set in memory: a manifest's pictures, checked against its digests, and crops of
 * them. */
#ifndef BST_GEN_TRAIN_DATA_H
#define BST_GEN_TRAIN_DATA_H

#include "train_net.h"

#define TRAIN_LEVELS 3 /* sizes that a picture is kept in */

struct train_level {
    size_t width, height;
    uint8_t *rgb; /* [height][width][3] */
};
struct train_picture {
    size_t style, levels;
    struct train_level level[TRAIN_LEVELS];
};
struct train_set {
    json_t *manifest;
    uint8_t digest[BST_SHA256_LEN]; /* of the manifest file's bytes */
    size_t styles;
    const char *style[TRAIN_STYLES_MAX]; /* borrowed from manifest */
    bool rotates[TRAIN_STYLES_MAX]; /* quarter turns and both mirrors look as good; otherwise left-right only
                                     */
    size_t pictures, of_style[TRAIN_STYLES_MAX];
    struct train_picture *picture; /* ordered by style; first[s] is the first one of style s */
    size_t first[TRAIN_STYLES_MAX];
};

/* Loads the manifest and all pictures, from folder root (NULL: the manifest's folder). A picture whose digest
 * differs from the manifest is BST_BROKEN; one smaller than side pixels is BST_UNREADABLE. */
enum bst_code train_set_load(const char *manifest, const char *root, size_t side, struct train_set *set,
                             struct bst_error *err);
void train_set_clear(struct train_set *set);

/* A random window of side x side pixels of a picture of the style, turned as the style allows, each pixel of
 * the output the mean of shrink x shrink; side must be a multiple of shrink. Written as sample i of a map
 * [3][n][side / shrink][side / shrink], in [-1, 1]. */
void train_set_crop(const struct train_set *set, size_t style, size_t side, size_t shrink,
                    struct train_random *random, size_t n, size_t i, float *out);

#endif
