/* op_resize.h - Resize and Upsample as passes along one axis each: attributes and sizes, and the tables that
 * say for every output place of an axis which input places it is made of. Private to gen/.
 */
#ifndef BST_OP_RESIZE_H
#define BST_OP_RESIZE_H

#include "op.h"

enum resize_mode { RESIZE_NEAREST, RESIZE_LINEAR, RESIZE_CUBIC };

enum coordinates {
    HALF_PIXEL,
    PYTORCH_HALF_PIXEL,
    ALIGN_CORNERS,
    ASYMMETRIC,
    HALF_PIXEL_SYMMETRIC,
    CROP, /* tf_crop_and_resize */
    COORDINATES
};

struct resize_options {
    enum resize_mode mode;
    enum coordinates coordinates;
    const char *nearest;
    bool antialias, exclude_outside;
    double cubic_a;
    float beyond; /* the value of places outside of the input: CROP */
    int64_t dims[RANK_MAX];
    double scale[RANK_MAX];
    double first[RANK_MAX], last[RANK_MAX]; /* CROP: the region as fractions of the sides */
};

/* Reads attributes, scales and sizes; checks everything. */
enum bst_code resize_read(const struct step *step, struct resize_options *options, struct bst_error *err);

struct axis_table {
    size_t in, out, taps;
    uint32_t *place; /* place[tap * out + i]: where output i's tap lies in the input */
    float *weight;   /* as many; the taps are added in this order */
    bool *beyond;    /* output i is outside of the input; NULL: none is */
    bool same;       /* every output is the input of the same number */
    bool doubled;    /* outputs 2i and 2i + 1 are input i */
    bool twice;      /* as kernels.twice makes them but for the two ends */
};

/* The table of one axis, in memory of the step. */
enum bst_code resize_table(struct step *step, const struct resize_options *options, size_t axis,
                           struct axis_table *table, struct bst_error *err);

#endif
