/* op_product.h - the product of matrices that MatMul, Gemm and Einsum share: each number is a sum of chains of
 * fused multiply-adds over pieces of k (arithmetic.md, paragraph 2).
 *
 * The left matrices are packed once a run, in blocks of some rows. A task takes some columns of a right matrix and goes
 * along k by some hundred steps: it copies these of the columns side by side into a thread's own memory (a constant right
 * matrix lies so from the beginning), and runs register blocks over them. Few rows read the right matrix where it lies. Private to gen/.
 */
#ifndef BST_OP_PRODUCT_H
#define BST_OP_PRODUCT_H

#include "op.h"

struct product {
    /* Filled by the operator; the result is [batches][m][n], dense. */
    size_t m, k, n;
    size_t left_row, left_k;      /* numbers between neighbours in a left matrix */
    size_t right_k, right_column; /* and in a right one */
    size_t batch_rank, batch[RANK_MAX];
    size_t left_batch[RANK_MAX], right_batch[RANK_MAX]; /* numbers between neighbours; 0: the same matrix */

    /* Filled by product_make. */
    bool turned;                   /* n was 1: the sides have changed places */
    bool direct;                   /* few rows: the right matrices are read in place */
    bool pieces;                   /* a chain for every BST_PIECE steps along k, not one for all */
    size_t columns, pitch, groups; /* of a task; floats between rows of its copy; tasks that a matrix needs */
    size_t batches, left_count, left_step[RANK_MAX]; /* left_step: as left_batch, counted in left matrices */
    float *left; /* [left_count][k * m], packed: some steps along k, then blocks of rows */
    bool left_done;
    float *right; /* a constant right matrix, as tasks read it; NULL: they copy what they need */
};

/* Whether a constant right matrix would be kept in another form than it has. */
bool product_keeps_right(const struct product *p);

/* left: the data where it is constant, else NULL. Takes memory from the step and raises step->scratch. */
enum bst_code product_make(struct step *step, struct product *p, const struct bst_kernels *kernels,
                           const float *left, const float *right, struct bst_error *err);
/* Applies the step's posts. */
void product_run(const struct run *run, const struct step *step, const struct product *p, const float *left,
                 const float *right, float *out);

#endif
