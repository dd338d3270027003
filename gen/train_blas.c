/* train_blas.c - see train_blas.h. */
#include "train_blas.h"

#include <pthread.h>

#define LIBRARY "libopenblas.so.0"

/* The functions of OpenBLAS that are used, as its header declares them. */
static struct {
    bool loaded;
    void (*sgemm)(CBLAS_ORDER, CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, blasint, blasint, blasint, float,
                  const float *, blasint, const float *, blasint, float, float *, blasint);
    int (*get_num_threads)(void);
    void (*set_num_threads)(int);
} blas;

static void load(void)
{
    const struct bst_symbol functions[] = {{&blas.sgemm, "cblas_sgemm"},
                                           {&blas.get_num_threads, "openblas_get_num_threads"},
                                           {&blas.set_num_threads, "openblas_set_num_threads"}};
    blas.loaded = bst_library_load(LIBRARY, functions, sizeof functions / sizeof functions[0]);
}

enum bst_code train_blas_open(struct bst_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (blas.loaded) return BST_OK;
    bst_fail(err, BST_FAILURE, "training needs OpenBLAS: %s cannot be loaded", LIBRARY);
    return bst_hint(err, "install the package libopenblas0");
}

int train_blas_set_threads(int threads)
{
    int before = blas.get_num_threads();
    blas.set_num_threads(threads);
    return before;
}

void train_blas_gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, size_t m, size_t n, size_t k, const float *a,
                     size_t lda, const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
    blas.sgemm(CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k, 1.0f, a, (blasint)lda, b,
               (blasint)ldb, beta, c, (blasint)ldc);
}
