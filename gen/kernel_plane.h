/* kernel_plane.h - windows that slide over one plane (or one volume) at a time: pooling, and convolution of
 * each channel by itself.
 *
 * Input rows for a block of output rows are copied into a thread's own memory, padding filled in and columns
 * kept apart by their residue of the stride, so that every tap of the window is a shift by a fixed offset and
 * the kernels (plane_max, plane_sum, plane_conv) run over whole output rows. Private to gen/.
 */
#ifndef BST_KERNEL_PLANE_H
#define BST_KERNEL_PLANE_H

#include "op.h"

struct plane_window {
    /* Filled by the operator: depth, row, column; sides that are not there are 1. */
    size_t in[3], out[3], kernel[3], stride[3], dilation[3];
    int64_t begin[3]; /* padding before the first place */
    float fill;       /* what the padding holds */

    /* Filled by plane_window_make. */
    size_t taps;
    uint32_t *offset;        /* of each tap from the place of an output's first tap */
    size_t part, row, slice; /* numbers of one residue of a row, of a row, of one tap over depth */
    size_t used;             /* of a part: what the taps can reach */
    size_t block, blocks;    /* output rows made from one copy; copies for a slice of the output */
};

/* Chooses the blocks, takes memory for the table and raises step->scratch. */
enum bst_code plane_window_make(struct step *step, struct plane_window *w, struct bst_error *err);
/* Copies what output rows y to y + rows - 1 of slice z need; returns where row y's taps begin. The taps of the
 * next row begin stride[1] * row numbers further. */
const float *plane_window_fill(const struct plane_window *w, const struct bst_kernels *k, const float *volume,
                               size_t z, size_t y, size_t rows, float *scratch);

#endif
