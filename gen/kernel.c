/* kernel.c - the choice of an instruction set, and sums of any length. */
#include "kernel.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_X86 1
#endif
#if defined(__aarch64__) && defined(__ARM_NEON)
#define HAVE_NEON 1
#endif

const struct bst_kernels *bst_kernels_for(const char *isa)
{
    if (isa == NULL) isa = getenv("BLINDSTAMP_ISA");
    if (isa != NULL && *isa == 0) isa = NULL;
    if (isa != NULL && strcmp(isa, "scalar") == 0) return &bst_kernels_scalar;
#ifdef HAVE_X86
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = avx2 && __builtin_cpu_supports("avx512f");
    if (avx512 && (isa == NULL || strcmp(isa, "avx512") == 0)) return &bst_kernels_avx512;
    if (avx2 && (isa == NULL || strcmp(isa, "avx2") == 0)) return &bst_kernels_avx2;
#endif
#ifdef HAVE_NEON
    if (isa == NULL || strcmp(isa, "neon") == 0) return &bst_kernels_neon;
#endif
    return isa == NULL ? &bst_kernels_scalar : NULL;
}

#define CHUNK ((size_t)1024)

typedef float chunk_sum(const struct bst_kernels *k, const float *x, size_t n, float mean);

static float chunk_of_sum(const struct bst_kernels *k, const float *x, size_t n, float mean)
{
    (void)mean;
    return k->sum(x, n);
}

static float chunk_of_squares(const struct bst_kernels *k, const float *x, size_t n, float mean)
{
    return k->sum_squares(x, n, mean);
}

/* Chunks of 1024 numbers are summed; the sums are numbers of the next level, summed in the same way, until
 * one is left. Each level keeps one chunk of sums, so nothing is allocated whatever n is. */
static float tree(const struct bst_kernels *k, const float *x, size_t n, float mean, chunk_sum *leaf)
{
    float level[3][1024];
    size_t filled[3] = {0, 0, 0};
    if (n <= CHUNK) return leaf(k, x, n, mean);
    for (size_t at = 0; at < n; at += CHUNK) {
        level[0][filled[0]++] = leaf(k, x + at, n - at < CHUNK ? n - at : CHUNK, mean);
        for (size_t l = 0; l < 2 && filled[l] == CHUNK && at + CHUNK < n; l++) {
            level[l + 1][filled[l + 1]++] = k->sum(level[l], CHUNK);
            filled[l] = 0;
        }
    }
    for (size_t l = 0; l < 2; l++) {
        bool last = filled[l + 1] == 0 && (l == 1 || filled[2] == 0);
        if (last) return k->sum(level[l], filled[l]);
        if (filled[l] > 0) level[l + 1][filled[l + 1]++] = k->sum(level[l], filled[l]);
    }
    return k->sum(level[2], filled[2]);
}

float bst_sum(const struct bst_kernels *k, const float *x, size_t n)
{
    return tree(k, x, n, 0.0f, chunk_of_sum);
}

float bst_sum_squares(const struct bst_kernels *k, const float *x, size_t n, float mean)
{
    return tree(k, x, n, mean, chunk_of_squares);
}
