/* tiling.h - how a picture is cut into tiles: runs of the graph on crops of one size, each of which makes its part of
 * the picture as a run on the whole would, to the bit (region.h). Private to gen/.
 */
#ifndef BST_TILING_H
#define BST_TILING_H

#include "inputs.h"
#include "region.h"

struct tile_span {      /* along one axis, in the picture's pixels */
    int64_t origin;     /* where the run's output begins */
    int64_t begin, end; /* what is kept of it */
};

struct tile_axis {
    int64_t side;           /* of the whole output, a multiple of the card's */
    int64_t length;         /* of every run's output */
    int64_t grid;           /* runs begin at multiples of it */
    int64_t before, behind; /* places that are wrong at an inner edge */
    size_t count;
    struct tile_span *spans;
};

struct tiling {
    struct tile_axis axis[PICTURE_AXES];
    size_t channels; /* of the output */
};

struct tiling_limits {
    size_t memory; /* bytes that a run, its inputs and the picture may take; 0: no limit */
    size_t pixels; /* of the picture, which takes a byte for each of their samples */
    uint32_t side; /* that no run's output may exceed; 0: no limit */
};

/* Chooses the tiles whose runs fit and that make the fewest pixels in all. BST_USAGE, with the node, when the graph
 * cannot be run on crops; BST_FAILURE when not even the smallest tile fits. */
enum bst_code tiling_make(const struct bst_model *model, uint32_t width, uint32_t height,
                          const struct plan_options *options, const struct tiling_limits *limits,
                          struct tiling *out, struct bst_error *err);
void tiling_clear(struct tiling *tiling);

/* Dims of all inputs for a run of the tiling, and where each begins when the run's output begins at (y, x). */
enum bst_code tiling_dims(const struct bst_model *model, const struct tiling *tiling,
                          int64_t (*dims)[RANK_MAX], struct bst_error *err);
void tiling_part(const struct bst_model *model, int64_t y, int64_t x, struct inputs_part *part);

#endif
