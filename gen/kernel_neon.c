/* kernel_neon.c - the kernels for AArch64, whose every processor has NEON: four lanes, thirty-two registers. */
#include "kernel.h"

#if defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>

#define VW    4
#define ISA   "neon"
#define TABLE bst_kernels_neon
typedef float32x4_t vf;

static inline vf v_set(float x)
{
    return vdupq_n_f32(x);
}

static inline vf v_fma(vf a, vf b, vf c)
{
    return vfmaq_f32(c, a, b);
}

static inline vf v_sqrt(vf x)
{
    return vsqrtq_f32(x);
}

static inline vf v_load_part(const float *p, size_t n)
{
    float lanes[VW] = {0};
    for (size_t i = 0; i < n && i < VW; i++)
        lanes[i] = p[i];
    return vld1q_f32(lanes);
}

static inline void v_store_part(float *p, vf v, size_t n)
{
    float lanes[VW];
    vst1q_f32(lanes, v);
    for (size_t i = 0; i < n && i < VW; i++)
        p[i] = lanes[i];
}

static inline void v_interleave(vf a, vf b, float *p)
{
    vst2q_f32(p, (float32x4x2_t){{a, b}});
}

static inline void v_load_four(const float *p, vf v[4])
{
    float32x4x4_t four = vld4q_f32(p);
    for (int i = 0; i < 4; i++)
        v[i] = four.val[i];
}

static inline void v_store_four(float *p, const vf v[4])
{
    vst4q_f32(p, (float32x4x4_t){{v[0], v[1], v[2], v[3]}});
}

static inline vf v_next(vf a, vf b)
{
    return vextq_f32(a, b, 1);
}

#define PRODUCT_ROWS    8
#define PRODUCT_VECTORS 3
#define MICROS(F)       F(12, 2) F(8, 3) F(6, 4) F(4, 5) F(3, 7) F(2, 8) F(1, 8)
#include "kernel_body.h"
#else
typedef int bst_no_neon; /* a translation unit needs a declaration */
#endif
