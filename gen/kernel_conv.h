/* kernel_conv.h - the convolution that Conv and ConvTranspose share.
 *
 * The output is cut into tiles of tile_h by tile_w pixels. A task copies the input that one tile needs, all
 * channels of it, into a thread's own memory (padding becomes zeros there; strides are resolved by keeping
 * each residue of row and column apart), so that every tap of the kernel is a shift by a fixed offset. Then
 * register blocks of some output channels by some dozens of pixels run over it: each number is a sum of chains of
 * fused multiply-adds, each over some input channels, then taps, and of the bias (arithmetic.md, paragraph 2). Which tile
 * and which block computes a number does not change the sum. Private to gen/.
 */
#ifndef BST_KERNEL_CONV_H
#define BST_KERNEL_CONV_H

#include "op.h"

struct conv_block {
    const struct bst_micro *micro;
    size_t first;   /* output channel of the group */
    size_t weights; /* place in conv.weights */
};

struct conv {
    /* Filled by the operator. */
    size_t outer, groups;             /* batch */
    size_t in_channels, out_channels; /* of a group */
    size_t slices;                    /* input channels that follow one another and are slices of one */
    size_t in_h, in_w, out_h, out_w;  /* what this convolution reads and makes */
    size_t stride_y, stride_x;
    size_t taps;
    const size_t *tap_y,
        *tap_x;            /* place of each tap in padded coordinates, from an output's first place on */
    int64_t pad_y, pad_x;  /* padded place minus input place; may be negative */
    size_t full_h, full_w; /* the tensor that the output is part of */
    size_t place_y, place_x, step_y, step_x; /* where output (y, x) lies in it */

    /* Filled by conv_make. */
    size_t reach_y, reach_x; /* rows and columns of a residue that the taps reach beyond an output's own */
    size_t tile_h, tile_w;
    size_t rows, pitch; /* of one residue's part of a tile */
    size_t channel;     /* floats from one input channel of a tile to the next */
    size_t depth;       /* input channels that a task takes at a time: all of them if they fit */
    size_t piece;       /* input channels that a register block takes at a time */
    bool pieces;        /* they are a chain of their own; else the sum is one chain, from the bias on */
    uint32_t *offset;   /* of each tap in a tile */
    size_t block_count, splits;
    size_t widest; /* pixels of the widest block */
    struct conv_block *blocks;
    size_t group_weights;  /* floats of one group's packed weights */
    float *weights, *bias; /* bias: out_channels of each group, BST_MICRO_ROWS_MAX more behind */
    const struct bst_kernels *kernels;
};

/* Chooses tiles and blocks and takes memory for weights and bias from the step; raises step->scratch. */
enum bst_code conv_make(struct step *step, struct conv *conv, const struct bst_kernels *kernels,
                        unsigned threads, struct bst_error *err);
/* Packs one of groups * block_count pieces of the weights; several threads may do so at once. Weight of (group, output
 * channel, input channel, tap) lies at w[group * wg + out * wo + in * wi + place[tap]]. */
void conv_pack_block(const struct conv *conv, size_t index, const float *w, size_t wg, size_t wo, size_t wi,
                     const size_t *place);
/* groups * out_channels numbers; without it they are 0. */
void conv_pack_bias(const struct conv *conv, const float *bias);
/* input: [outer][groups * in_channels][in_h][in_w], output: [outer][groups * out_channels][full_h][full_w].
 */
void conv_execute(const struct conv *conv, const struct step *step, const struct run *run, const float *input,
                  float *output);

#endif
