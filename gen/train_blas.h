/* train_blas.h - matrix products by OpenBLAS, for training alone: the bits of its results depend on the machine. The
 * library is loaded when training begins and not before, since it starts threads and looks at the processor as soon
 * as it is loaded, which a picture would wait for.
 */
#ifndef BST_GEN_TRAIN_BLAS_H
#define BST_GEN_TRAIN_BLAS_H

#include <cblas.h>

#include "base.h"

/* Loads the library, once; everything below needs that. */
enum bst_code train_blas_open(struct bst_error *err);
/* Sets how many threads a product takes; answers how many it took before. */
int train_blas_set_threads(int threads);
/* c[m][n] = a[m][k] * b[k][n] + beta * c, row-major, a and b perhaps stored transposed; lda, ldb, ldc: numbers
 * between rows as stored. */
void train_blas_gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, size_t m, size_t n, size_t k, const float *a,
                     size_t lda, const float *b, size_t ldb, float beta, float *c, size_t ldc);

#endif
