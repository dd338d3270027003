/* kernel_avx2.c - the kernels for x86-64 with AVX2 and FMA: eight lanes, sixteen registers. Compiled with
 * -mavx2 -mfma; called only where the processor has both. */
#include "kernel.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

#define VW    8
#define ISA   "avx2"
#define TABLE bst_kernels_avx2
typedef __m256 vf;

static inline vf v_set(float x)
{
    return _mm256_set1_ps(x);
}

static inline vf v_fma(vf a, vf b, vf c)
{
    return _mm256_fmadd_ps(a, b, c);
}

static inline vf v_sqrt(vf x)
{
    return _mm256_sqrt_ps(x);
}

/* Lanes below n. */
static inline __m256i first_lanes(size_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline vf v_load_part(const float *p, size_t n)
{
    return _mm256_maskload_ps(p, first_lanes(n));
}

static inline void v_store_part(float *p, vf v, size_t n)
{
    _mm256_maskstore_ps(p, first_lanes(n), v);
}

static inline void v_interleave(vf a, vf b, float *p)
{
    vf low = _mm256_unpacklo_ps(a, b), high = _mm256_unpackhi_ps(a, b);
    _mm256_storeu_ps(p, _mm256_permute2f128_ps(low, high, 0x20));
    _mm256_storeu_ps(p + VW, _mm256_permute2f128_ps(low, high, 0x31));
}

#define MICROS(F) F(6, 2) F(4, 2) F(3, 3) F(2, 4) F(1, 8)
#include "kernel_body.h"
#else
typedef int bst_no_avx2; /* a translation unit needs a declaration */
#endif
