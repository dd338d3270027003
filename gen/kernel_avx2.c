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

/* Four vectors seen as two 4 x 4 squares side by side, each turned. */
static inline void v_turn(vf a, vf b, vf c, vf d, vf out[4])
{
    vf ab_low = _mm256_unpacklo_ps(a, b), ab_high = _mm256_unpackhi_ps(a, b);
    vf cd_low = _mm256_unpacklo_ps(c, d), cd_high = _mm256_unpackhi_ps(c, d);
    out[0] = _mm256_shuffle_ps(ab_low, cd_low, _MM_SHUFFLE(1, 0, 1, 0));
    out[1] = _mm256_shuffle_ps(ab_low, cd_low, _MM_SHUFFLE(3, 2, 3, 2));
    out[2] = _mm256_shuffle_ps(ab_high, cd_high, _MM_SHUFFLE(1, 0, 1, 0));
    out[3] = _mm256_shuffle_ps(ab_high, cd_high, _MM_SHUFFLE(3, 2, 3, 2));
}

static inline vf v_load_halves(const float *low, const float *high)
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high), 1);
}

static inline void v_load_four(const float *p, vf v[4])
{
    v_turn(v_load_halves(p, p + 16), v_load_halves(p + 4, p + 20), v_load_halves(p + 8, p + 24),
           v_load_halves(p + 12, p + 28), v);
}

static inline void v_store_four(float *p, const vf v[4])
{
    vf turned[4];
    v_turn(v[0], v[1], v[2], v[3], turned);
    for (int i = 0; i < 4; i++) {
        _mm_storeu_ps(p + 4 * i, _mm256_castps256_ps128(turned[i]));
        _mm_storeu_ps(p + 16 + 4 * i, _mm256_extractf128_ps(turned[i], 1));
    }
}

static inline vf v_next(vf a, vf b)
{
    vf middle = _mm256_permute2f128_ps(a, b, 0x21); /* a's upper half, b's lower one */
    return _mm256_castsi256_ps(_mm256_alignr_epi8(_mm256_castps_si256(middle), _mm256_castps_si256(a), 4));
}

/* PRODUCT_ROWS numbers in double precision, for transforming weights. */
#define ROWS_WIDE(x)            (vd) _mm256_cvtps_pd((__m128)(x))
#define ROWS_EXACT_FMA(a, b, c) (vd) _mm256_fmadd_pd((__m256d)(a), (__m256d)(b), (__m256d)(c))

#define PRODUCT_ROWS    4
#define PRODUCT_VECTORS 3
#define MICROS(F)       F(6, 2) F(4, 3) F(3, 3) F(2, 4) F(1, 8)
#include "kernel_body.h"
#else
typedef int bst_no_avx2; /* a translation unit needs a declaration */
#endif
