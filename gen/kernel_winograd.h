/* kernel_winograd.h - 3 x 3 convolution by Winograd's F(4x4, 3x3): a quarter of the multiplications.
 *
 * The output is cut into tiles of 4 x 4, the first at its upper left. A task takes some tiles of one image,
 * transforms the 6 x 6 inputs of each (all channels of them), multiplies position by position with the
 * transformed weights, and transforms back. Everything a task touches between input and output stays in the
 * core's second-level cache; weights stream through. Which tiles a task takes does not change a bit; that
 * this algorithm is used does, so it is chosen by the operator's shape alone: see winograd_suits and
 * arithmetic.md, paragraph 2. Private to gen/.
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
    size_t across, down;  /* tiles of an image */
    size_t tiles, splits; /* of a task; tasks that share its output channels */
    size_t blocks,
        blocks_a_pass; /* of product_rows output channels, in a group and in a pass over positions */
    size_t piece;      /* input channels that are added up in one chain */
    size_t pitch;      /* numbers from one channel of a task's tiles to the next */
    size_t in_plane, product_plane, weight_plane; /* numbers from one position to the next */
    float *weights;                               /* [groups][position][block][in_channels][product_rows] */
    const struct bst_kernels *kernels;
};

/* Whether a convolution with 3 x 3 weights, without strides and dilations, is done so. */
bool winograd_suits(size_t in_channels, size_t out_channels, size_t out_h, size_t out_w);
/* Input channels that are added up in one chain. */
size_t winograd_piece(size_t in_channels);

/* Takes memory for the weights from the step; raises step->scratch. */
enum bst_code winograd_make(struct step *step, struct winograd *w, const struct bst_kernels *kernels,
                            unsigned threads, struct bst_error *err);
/* weights: [groups * out_channels][in_channels][3][3]. */
void winograd_pack(const struct winograd *w, struct bst_pool *pool, const float *weights);
/* bias: groups * out_channels numbers, or NULL. input: [outer][groups * in_channels][in_h][in_w], output: [outer][groups * out_channels][out_h][out_w];
 * applies the step's posts. */
void winograd_execute(const struct winograd *w, const struct step *step, const struct run *run,
                      const float *input, const float *bias, float *output);

#endif
