/* kernel.h - the arithmetic core: one table of functions per instruction set, the same bits from each.
 *
 * kernel_body.h and its parts hold every function once, written over vectors of VW lanes; kernel_scalar.c (portable C),
 * kernel_avx2.c, kernel_avx512.c and kernel_neon.c compile it for their lanes. The rules that make the bits equal are
 * written down in schema/arithmetic.md. Private to gen/.
 */
#ifndef BST_KERNEL_H
#define BST_KERNEL_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

/* Functions of one number; a and b are parameters. Those without a comment bear their usual name. */
enum bst_unary {
    BST_U_COPY,
    BST_U_RELU,
    BST_U_LEAKY,  /* a: slope below zero */
    BST_U_CLIP,   /* a: low, b: high */
    BST_U_AFFINE, /* fma(x, a, b) */
    BST_U_TANH,
    BST_U_SIGMOID,
    BST_U_EXP,
    BST_U_EXP_LESS, /* the exponential of x - a */
    BST_U_LOG,
    BST_U_SQRT,
    BST_U_SQUARE,
    BST_U_NEG,
    BST_U_ABS,
    BST_U_SIGN,
    BST_U_RECIPROCAL,
    BST_U_FLOOR,
    BST_U_CEIL,
    BST_U_ROUND,        /* to the nearest, of two the even one */
    BST_U_ELU,          /* a: alpha */
    BST_U_SELU,         /* a: alpha, b: gamma */
    BST_U_CELU,         /* a: alpha */
    BST_U_THRESHOLD,    /* x above a, else 0 */
    BST_U_HARD_SIGMOID, /* fma(x, a, b) held to 0..1 */
    BST_U_HARD_SWISH,
    BST_U_SOFTSIGN,
    BST_U_SOFTPLUS,
    BST_U_MISH,
    BST_U_ERF,
    BST_U_GELU,
    BST_U_GELU_TANH,
    BST_U_SIN,
    BST_U_COS,
    BST_U_TAN,
    BST_U_ATAN,
    BST_U_ASIN,
    BST_U_ACOS,
    BST_U_SINH,
    BST_U_COSH,
    BST_U_ASINH,
    BST_U_ACOSH,
    BST_U_ATANH,
    BST_U_POW, /* a: exponent; see arithmetic.md. The last one */
};

/* Functions of two numbers. */
enum bst_binary {
    BST_B_ADD,
    BST_B_SUB,
    BST_B_MUL,
    BST_B_DIV,
    BST_B_MIN,
    BST_B_MAX,
    BST_B_PRELU, /* b: slope where a is below zero */
    BST_B_POW,   /* any exponent. The last one */
};

#define BST_PIECE                                                                                            \
    ((size_t)128) /* products of a piece of a sum, at most, from version 3 of arithmetic.md on */

/* How a chain of fused multiply-adds begins, and what becomes of it. The first two make one chain of a whole sum;
 * the last two add it up in pieces, and may be given a bias that is added at the very end. */
enum bst_chain {
    BST_CHAIN_BIAS,  /* begins with the bias */
    BST_CHAIN_ON,    /* goes on from what dst holds */
    BST_CHAIN_FIRST, /* begins with +0 */
    BST_CHAIN_ADD,   /* begins with +0 and is added to what dst holds */
};

/* The register block of a convolution: rows output channels by vectors * width pixels.
 *   dst[r * pitch + p] = the chain over every channel c and tap k in this order of
 *                        fma(weights[(c * taps + k) * rows + r], tile[c * stride + offset[k] + p], ...)
 * bias may be NULL where the chain does not begin with it. Reads up to vectors * width floats from each tap's place
 * on and writes as many a row. */
typedef void bst_micro_fn(enum bst_chain chain, size_t channels, size_t stride, size_t taps,
                          const uint32_t *offset, const float *tile, const float *weights, const float *bias,
                          float *dst, size_t pitch);

struct bst_micro {
    unsigned rows, vectors;
    bst_micro_fn *run;
};

/* Winograd's convolution F(4x4, 3x3): see arithmetic.md, paragraph 2, for the points and the order of every sum.
 * A position is one of the 6 x 6 places of a transformed tile, numbered row by row. */
#define BST_WINOGRAD_POSITIONS ((size_t)36)
#define BST_WINOGRAD_OUT       ((size_t)4) /* outputs along a tile's side */
#define BST_WINOGRAD_IN        ((size_t)6) /* inputs along a tile's side */

#define BST_MICRO_ROWS_MAX  16
#define BST_MICRO_WIDTH_MAX 128 /* pixels one register block covers at most, in any instruction set */

struct bst_kernels {
    const char *isa;
    unsigned width;                 /* lanes of a vector */
    const struct bst_micro *micros; /* from most rows to 1 */
    size_t micro_count;

    /* Products of matrices in pieces along the depth, for Winograd's positions:
     *   dst[(i * product_rows + r) * pitch + j] = sum of pieces; a piece of piece steps (the last may be
     *   shorter) is a chain from +0 on of fma(a[(i * depth + c) * product_rows + r], b[c * b_step + j], ...)
     * for i below blocks and j below columns, a multiple of width. Pieces are added in order; the first one too
     * where there is more, what dst holds. */
    unsigned product_rows, product_columns; /* columns that it handles at a time; any number will do */
    void (*product)(size_t depth, size_t piece, size_t blocks, const float *a, const float *b, size_t b_step,
                    size_t columns, bool more, float *dst, size_t pitch);
    /* tiles tiles side by side, from six lines of 4 * tiles + 2 numbers: before zeros, inside numbers of rows[],
     * then zeros again. To v[position * plane + tile], written up to a multiple of width. line: room for
     * 6 * (4 * tiles + 2 + 2 * width) + 8 * width numbers. What lies ahead numbers behind the rows is fetched into
     * the cache on the way. */
    void (*winograd_input)(const float *const rows[6], size_t before, size_t inside, size_t tiles,
                           size_t ahead, float *v, size_t plane, float *line);
    /* The reverse: m[position * plane + tile] to 4 rows of 4 * tiles outputs, pitch apart, plus bias; writes
     * up to a multiple of 4 * width numbers a row. */
    void (*winograd_output)(const float *m, size_t plane, float bias, size_t tiles, float *out, size_t pitch);
    /* 3 x 3 weights of channels input channels of count output channels, which lie step apart, to
     * u[position * plane + c * product_rows + r]; rows beyond count are anything. */
    void (*winograd_weights)(const float *w, size_t step, size_t count, size_t channels, float *u,
                             size_t plane);

    /* ConvTranspose by Winograd's F(3, 2), a vector of tiles at a time (kernel_winograd_transpose.h). From four rows of
     * inputs, each as four lines with the tiles' first, second, ... numbers, lines pitch apart, to v[at[..]], where at
     * has 49 places for each vector. */
    void (*transpose_input)(const float *line, size_t pitch, size_t tiles, const size_t *at, float *v);
    /* The reverse: m[at[..]] to 6 rows of 6 * tiles outputs, pitch apart, plus bias; writes up to a multiple of
     * 6 * width numbers a row. */
    void (*transpose_output)(const float *m, const size_t *at, float bias, size_t tiles, float *out,
                             size_t pitch);
    /* 3 x 3 weights of count output channels, step apart, to u[weights * plane + r] for r below product_rows; channels
     * beyond count are anything. */
    void (*transpose_weights)(const float *w, size_t step, size_t count, float *u, size_t plane);

    /* x and y may be the same array, or not overlap. */
    void (*unary)(enum bst_unary op, const float *x, float *y, size_t n, float a, float b);
    /* v = x * scale, v = v + shift, y = v < 0 ? v * slope : v; three operations, each rounded */
    void (*film)(const float *x, float *y, size_t n, float scale, float shift, float slope);
    /* A step of 0 repeats the first number, 1 walks. y may be a or b. */
    void (*binary)(enum bst_binary op, const float *a, size_t a_step, const float *b, size_t b_step, float *y,
                   size_t n);
    /* rows rows of n numbers, and one number b[r] on the right for all of row r. y may be a. */
    void (*binary_rows)(enum bst_binary op, const float *a, const float *b, float *y, size_t n, size_t rows);
    /* Sixteen lanes, then a tree, over at most 1024 numbers; longer sums are bst_sum's and its sisters' work.
     */
    float (*sum)(const float *x, size_t n);
    float (*sum_squares)(const float *x, size_t n, float mean); /* of (x - mean) */
    float (*multiplied)(const float *x, size_t n);              /* the same, multiplied */
    float (*maximum)(const float *x, size_t n);                 /* any n > 0 */
    float (*minimum)(const float *x, size_t n);
    /* acc[i] = fma(x[i], x[i], acc[i]) */
    void (*add_squares)(const float *x, float *acc, size_t n);
    /* y[i] = fma((x[i] - mean) * scale, gain[i], bias[i]); without bias y[i] = (x[i] - mean) * scale * gain[i] */
    void (*normalize)(const float *x, float mean, float scale, const float *gain, const float *bias, float *y,
                      size_t n);
    /* y[i] = fma(t, b[i], s * a[i]) */
    void (*blend)(const float *a, const float *b, float s, float t, float *y, size_t n);
    /* Weighted sums: weight[0] * x[..], then fma for taps 1 ... in this order. combine adds whole rows,
     *   y[i] of x[place[k * step] * pitch + i] by weight[k * step]; gather picks numbers,
     *   y[i] of x[place[k * step + i]] by weight[k * step + i]. */
    void (*combine)(const float *x, size_t pitch, const uint32_t *place, const float *weight, size_t step,
                    size_t taps, float *y, size_t n);
    void (*gather)(const float *x, const uint32_t *place, const float *weight, size_t step, size_t taps,
                   float *y, size_t n);
    void (*interleave)(const float *a, const float *b, float *y, size_t n); /* y[2i] = a[i], y[2i+1] = b[i] */
    /* Doubling: y[2i] = fma(.75, x[i], .25 * x[i-1]), y[2i+1] = fma(.25, x[i+1], .75 * x[i]); x[-1] and x[n]
     * are read */
    void (*twice)(const float *x, float *y, size_t n);
    /* even[i] = x[2i], odd[i] = x[2i+1] */
    void (*split)(const float *x, float *even, float *odd, size_t n);
    /* Copies rows of n numbers, x_row apart, to place left of rows that lie row >= used apart; the places below left
     * and from left + n to used hold fill. May write less than BST_MICRO_WIDTH_MAX numbers behind the last. */
    void (*plane_copy)(const float *x, size_t x_row, size_t n, float *to, size_t row, size_t rows,
                       size_t left, size_t used, float fill);
    /* Windows over a plane (kernel_plane.h): y[i] is made of tile[offset[k] + i] for every tap k in this order:
     * the greatest, of equal ones the first; the sum from +0 on; that divided by rows * counts[i];
     * fma(weights[k], ..., ...) from first on, and then last added. Less than BST_MICRO_WIDTH_MAX numbers of the tile beyond n are
     * read. */
    void (*plane_max)(const float *tile, const uint32_t *offset, size_t taps, float *y, size_t n);
    void (*plane_sum)(const float *tile, const uint32_t *offset, size_t taps, float *y, size_t n);
    void (*plane_average)(const float *tile, const uint32_t *offset, size_t taps, const float *counts,
                          float rows, float *y, size_t n);
    /* The same for rows of y, pitch apart; the tile's lie row apart. */
    void (*plane_conv)(const float *tile, size_t row, size_t rows, const uint32_t *offset, size_t taps,
                       const float *weights, float first, float last, float *y, size_t pitch, size_t n);
    /* The same for two rows of y, where the taps are height rows of the tile, row apart, each of columns numbers
     * at offset[k], and the second output's lie one row further. */
    void (*plane_conv_pair)(const float *tile, size_t row, const uint32_t *offset, size_t height,
                            size_t columns, const float *weights, float first, float last, float *y,
                            size_t pitch, size_t n);
    /* The words of n blocks of random numbers, in pairs: two a block. */
    void (*philox)(uint64_t seed, uint32_t stream, uint64_t first, size_t n, uint32_t *radius,
                   uint32_t *angle);
    /* Box-Muller on n pairs of random words: radius[i], angle[i] -> y[2i], y[2i+1]. */
    void (*normal)(const uint32_t *radius, const uint32_t *angle, float *y, size_t n);
    /* floor((x - low) * scale + 0.5) held to 0..255; NaN is 0. */
    void (*quantize)(const float *x, float low, float scale, uint8_t *y, size_t step, size_t n);
};

extern const struct bst_kernels bst_kernels_scalar, bst_kernels_avx2, bst_kernels_avx512, bst_kernels_neon;

/* The table for "scalar", "avx2", "avx512" or "neon"; NULL: what BLINDSTAMP_ISA names, else the best this processor
 * has. Returns NULL for a name that is unknown or that the processor cannot run. */
const struct bst_kernels *bst_kernels_for(const char *isa);

/* Sums of any length by the fixed tree of arithmetic.md. */
float bst_sum(const struct bst_kernels *k, const float *x, size_t n);
float bst_sum_squares(const struct bst_kernels *k, const float *x, size_t n, float mean);

#endif
