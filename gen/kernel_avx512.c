/* kernel_avx512.c - the kernels for x86-64 with AVX-512F: sixteen lanes, thirty-two registers. Compiled with
 * -mavx512f -mfma; called only where the processor has it. */
#include "kernel.h"

#if defined(__AVX512F__) && defined(__FMA__)
#include <immintrin.h>

#define VW    16
#define ISA   "avx512"
#define TABLE bst_kernels_avx512
typedef __m512 vf;
typedef int32_t vi __attribute__((vector_size(VW * 4)));

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

#define MICROS(F) F(12, 2) F(8, 3) F(6, 4) F(4, 5) F(3, 7) F(2, 8) F(1, 8)
#include "kernel_body.h"
#else
typedef int bst_no_avx512; /* a translation unit needs a declaration */
#endif
