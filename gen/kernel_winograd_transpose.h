/* kernel_winograd_transpose.h - ConvTranspose with 3 x 3 weights and strides of 2 by Winograd's F(3, 2): 49
 * multiplications where the definition has 81.
 *
 * Along a side, even outputs have two taps and odd ones one. A tile of 6 x 6 outputs is made of 4 x 4 inputs: the
 * three even outputs along a side are a small convolution that takes 4 products instead of 6, the three odd ones
 * are one product each. So there are 7 x 7 places to multiply at, of which those that odd outputs share have the same
 * weights: 25 different ones. Weights are transformed for some output channels at a time, into memory that stays near,
 * in every task. That this algorithm is used follows from the operator's shape alone. Private to gen/.
 */
#ifndef BST_KERNEL_WINOGRAD_TRANSPOSE_H
#define BST_KERNEL_WINOGRAD_TRANSPOSE_H

#include "op.h"

#define TRANSPOSE_PLACES  ((size_t)49) /* of a transformed tile, row by row */
#define TRANSPOSE_WEIGHTS ((size_t)25)
#define TRANSPOSE_IN      ((size_t)3) /* from one tile's inputs to the next's */
#define TRANSPOSE_OUT     ((size_t)6) /* outputs along a tile's side */

struct winograd_transpose {
    /* Filled by the operator. */
    size_t outer, groups;             /* batch */
    size_t in_channels, out_channels; /* of a group */
    size_t in_h, in_w, out_h, out_w;
    size_t pad_y, pad_x;

    /* Filled by winograd_transpose_make. */
    size_t first_y, first_x, across, down; /* tiles: those before first lie in the padding altogether */
    size_t pieces, splits;        /* tasks of an image's tiles; tasks that share its output channels */
    size_t blocks, blocks_a_pass; /* of product_rows output channels, in a group and at a time */
    size_t piece;                 /* input channels that are added up in one chain */
    size_t vectors;               /* of tiles of a task, at most */
    size_t chunk;                 /* vectors that a register block of products takes side by side */
    size_t in_panel[TRANSPOSE_WEIGHTS], out_panel[TRANSPOSE_WEIGHTS]; /* where each begins: see panel_of */
    size_t in_numbers, out_numbers, weight_plane;
    const struct bst_kernels *kernels;
};

/* Whether tiles that make outputs from place pad of the padded output on are enough, and channels too. */
bool winograd_transpose_suits(size_t in_channels, size_t out_channels, size_t out_h, size_t out_w,
                              size_t pad_y, size_t pad_x);
void winograd_transpose_make(struct step *step, struct winograd_transpose *w,
                             const struct bst_kernels *kernels, unsigned threads);
/* weights: [groups * in_channels][out_channels][3][3]. bias: groups * out_channels numbers, or NULL. input:
 * [outer][groups * in_channels][in_h][in_w], output: [outer][groups * out_channels][out_h][out_w]; applies the
 * step's posts. */
void winograd_transpose_execute(const struct winograd_transpose *w, const struct step *step,
                                const struct run *run, const float *input, const float *weights,
                                const float *bias, float *output);

#endif
