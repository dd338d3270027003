/* kernel_winograd.h - 3 x 3 convolution by Winograd's F(4x4, 3x3): a quarter of the multiplications.
 *
 * The output is cut into tiles of 4 x 4, the first at its upper left; the tiles of all images of the batch stand
 * in one row. The 6 x 6 inputs of each tile and the weights are transformed, multiplied position by position, and
 * the products transformed back. Transformed weights are four times their size, so that they are kept only where few
 * tiles would not be worth the work; there are two orders.
 * - By tiles, where tiles are many: in every run the threads transform all weights into memory that they share;
 *   then a task takes some tiles, transforms all channels of their input, and makes all of their output.
 * - By channels, where tiles are few: the threads transform all input into memory that they share; then a task takes
 *   some output channels and all tiles. Where the weights are known beforehand and all tiles are done at once, they are
 *   transformed once and kept; else the task transforms its own, a chunk of the input channels at a time.
 * What a task alone needs stays in its core's second-level cache. How work is cut does not change a bit; that this
 * algorithm is used does, so it is chosen by the operator's shape alone: see winograd_suits and arithmetic.md,
 * paragraph 2. Private to gen/.
 */
#ifndef BST_KERNEL_WINOGRAD_H
#define BST_KERNEL_WINOGRAD_H

#include "op.h"

struct winograd {
    /* Filled by the operator. */
    size_t outer, groups;             /* batch */
    size_t in_channels, out_channels; /* of a group */
    size_t in_h, in_w, out_h, out_w;
    int64_t pad_y, pad_x;

    /* Filled by winograd_make. */
    const struct bst_kernels *kernels;
    size_t across, down, all; /* tiles of an image; of all images */
    size_t blocks;            /* of product_rows output channels, in a group */
    size_t piece;             /* input channels that are added up in one chain */
    bool by_channels;
    size_t tiles;         /* of a task; by channels: of a pass over all tasks */
    size_t blocks_a_task; /* by tiles: whose products a task has at a time */
    size_t groups_a_pass; /* whose shared memory exists at a time */
    size_t pitch;         /* numbers from one channel of transformed input to the next */
    size_t in_plane, product_plane, weight_plane; /* numbers from one position to the next */
    float *weights; /* by channels, known beforehand: [task][position][block][in_channels][product_rows] */
};

/* Whether a convolution with 3 x 3 weights, without strides and dilations, is done so. */
bool winograd_suits(size_t in_channels, size_t out_channels, size_t out_h, size_t out_w);
/* Input channels that are added up in one chain. */
size_t winograd_piece(size_t in_channels);

/* weights: those of winograd_execute if they are known, else NULL. May take memory from the step; raises
 * step->scratch and step->shared. */
enum bst_code winograd_make(struct step *step, struct winograd *w, const struct bst_kernels *kernels,
                            unsigned threads, const float *weights, struct bst_error *err);
/* weights: [groups * out_channels][in_channels][3][3]. bias: groups * out_channels numbers, or NULL. input: [outer][groups * in_channels][in_h][in_w], output: [outer][groups * out_channels][out_h][out_w];
 * applies the step's posts. */
void winograd_execute(const struct winograd *w, const struct step *step, const struct run *run,
                      const float *input, const float *weights, const float *bias, float *output);

#endif
