/* kernel_avx512.c - the kernels for x86-64 with AVX-512F: sixteen lanes, thirty-two registers. Compiled with
 * -mavx512f -mfma; called only where the processor has it. */
#include "kernel.h"

#if defined(__AVX512F__) && defined(__FMA__)
#include <immintrin.h>

#define VW    16
#define ISA   "avx512"
#define TABLE bst_kernels_avx512
typedef __m512 vf;

static inline vf v_set(float x)
{
    return _mm512_set1_ps(x);
}

static inline vf v_fma(vf a, vf b, vf c)
{
    return _mm512_fmadd_ps(a, b, c);
}

static inline vf v_sqrt(vf x)
{
    return _mm512_sqrt_ps(x);
}

static inline vf v_load_part(const float *p, size_t n)
{
    return _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}

static inline void v_store_part(float *p, vf v, size_t n)
{
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), v);
}

static inline void v_interleave(vf a, vf b, float *p)
{
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    _mm512_storeu_ps(p, _mm512_permutex2var_ps(a, low, b));
    _mm512_storeu_ps(p + VW, _mm512_permutex2var_ps(a, high, b));
}

#define MICROS(F) F(12, 2) F(8, 3) F(6, 4) F(4, 5) F(3, 7) F(2, 8) F(1, 8)
#include "kernel_body.h"
#else
typedef int bst_no_avx512; /* a translation unit needs a declaration */
#endif
