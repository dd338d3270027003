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

/* Every fourth lane of the four vectors at p, in two steps: pairs, then pairs of pairs. */
static inline void v_load_four(const float *p, vf v[4])
{
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    vf a = _mm512_loadu_ps(p), b = _mm512_loadu_ps(p + 16), c = _mm512_loadu_ps(p + 32),
       d = _mm512_loadu_ps(p + 48);
    vf even_low = _mm512_permutex2var_ps(a, even, b), even_high = _mm512_permutex2var_ps(c, even, d);
    vf odd_low = _mm512_permutex2var_ps(a, odd, b), odd_high = _mm512_permutex2var_ps(c, odd, d);
    v[0] = _mm512_permutex2var_ps(even_low, even, even_high);
    v[1] = _mm512_permutex2var_ps(odd_low, even, odd_high);
    v[2] = _mm512_permutex2var_ps(even_low, odd, even_high);
    v[3] = _mm512_permutex2var_ps(odd_low, odd, odd_high);
}

static inline void v_store_four(float *p, const vf v[4])
{
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    vf even_low = _mm512_permutex2var_ps(v[0], low, v[2]),
       even_high = _mm512_permutex2var_ps(v[0], high, v[2]);
    vf odd_low = _mm512_permutex2var_ps(v[1], low, v[3]), odd_high = _mm512_permutex2var_ps(v[1], high, v[3]);
    _mm512_storeu_ps(p, _mm512_permutex2var_ps(even_low, low, odd_low));
    _mm512_storeu_ps(p + 16, _mm512_permutex2var_ps(even_low, high, odd_low));
    _mm512_storeu_ps(p + 32, _mm512_permutex2var_ps(even_high, low, odd_high));
    _mm512_storeu_ps(p + 48, _mm512_permutex2var_ps(even_high, high, odd_high));
}

static inline vf v_next(vf a, vf b)
{
    return _mm512_castsi512_ps(_mm512_alignr_epi32(_mm512_castps_si512(b), _mm512_castps_si512(a), 1));
}

#define PRODUCT_ROWS    8
#define PRODUCT_VECTORS 3
#define MICROS(F)       F(12, 2) F(8, 3) F(6, 4) F(4, 5) F(3, 7) F(2, 8) F(1, 8)
#include "kernel_body.h"
#else
typedef int bst_no_avx512; /* a translation unit needs a declaration */
#endif
