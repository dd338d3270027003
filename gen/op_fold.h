/* op_fold.h - many numbers made one: sums and their like over some axes of a tensor, by the fixed tree of
 * schema/arithmetic.md, section 4. Where the innermost axis is folded, the numbers of one result lie in runs that
 * the kernels sum; else results that lie side by side are made together, row after row. Work is cut along results
 * and, where there are few, along chunks of the tree. Private to gen/.
 */
#ifndef BST_OP_FOLD_H
#define BST_OP_FOLD_H

#include "op.h"

enum fold_op {
    FOLD_SUM,
    FOLD_SIZES,   /* sum of |x| */
    FOLD_SQUARES, /* sum of squares about a mean, or about nothing */
    FOLD_POWERS,  /* sum of exp(x - about) */
    FOLD_PRODUCT,
    FOLD_MAX,
    FOLD_MIN,
};

struct fold {
    size_t kept_rank, folded_rank;
    size_t kept[RANK_MAX], kept_stride[RANK_MAX];
    size_t folded[RANK_MAX], folded_stride[RANK_MAX];
    size_t count;   /* numbers that one result is made of */
    size_t results; /* in the order of the kept axes */
    size_t width;   /* results that lie side by side; 1 where the innermost axis is folded */
    size_t run;     /* numbers of one result that lie side by side */
    size_t chunks;  /* of 1024 numbers */
    float *leaves;  /* [chunks][results] where the chunks are shared among threads; else NULL */
};

/* drop[i]: axis i is folded. Takes memory from the step where the chunks are to be shared. */
enum bst_code fold_make(struct step *step, struct fold *fold, const struct tensor *x, const bool *drop,
                        struct bst_error *err);
/* about: a number for each result, or NULL. y takes results numbers. */
void fold_run(const struct run *run, const struct fold *fold, enum fold_op op, const float *x,
              const float *about, float *y);
/* The place of number index below dims that lie strides apart. */
size_t fold_place(size_t index, size_t rank, const size_t *dims, const size_t *strides);

/* ---- the tree, for what comes row by row ---- */

#define TOWER_WIDTH  ((size_t)64) /* results that are made together */
#define TOWER_LEVELS 4

/* Sixteen lanes for each level of chunks; a row goes to lane (number of rows before it) mod 16. */
struct tower {
    const struct bst_kernels *k;
    enum bst_binary join;
    size_t width, filled[TOWER_LEVELS];
    float lanes[TOWER_LEVELS][16 * TOWER_WIDTH];
};

void tower_begin(struct tower *t, const struct bst_kernels *k, enum bst_binary join, size_t width);
/* Adds a row to a level: numbers to level 0, sums of chunks to level 1. */
void tower_push(struct tower *t, size_t level, const float *row);
void tower_end(struct tower *t, float *out);

#endif
