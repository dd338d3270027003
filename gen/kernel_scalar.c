/* kernel_scalar.c - the kernels in portable C: four lanes at a time, fused multiply-add by the C library's
 * fmaf (one instruction where the processor has it). The reference that the others are tested against. */
#include "kernel.h"

#include <math.h>

#define VW    4
#define ISA   "scalar"
#define TABLE bst_kernels_scalar
typedef float vf __attribute__((vector_size(VW * 4)));

static inline vf v_set(float x)
{
    return (vf){x, x, x, x};
}

static inline vf v_fma(vf a, vf b, vf c)
{
    return (vf){fmaf(a[0], b[0], c[0]), fmaf(a[1], b[1], c[1]), fmaf(a[2], b[2], c[2]),
                fmaf(a[3], b[3], c[3])};
}

static inline vf v_sqrt(vf x)
{
    return (vf){sqrtf(x[0]), sqrtf(x[1]), sqrtf(x[2]), sqrtf(x[3])};
}

static inline vf v_load_part(const float *p, size_t n)
{
    vf v = {0};
    for (size_t i = 0; i < n && i < VW; i++)
        v[i] = p[i];
    return v;
}

static inline void v_store_part(float *p, vf v, size_t n)
{
    for (size_t i = 0; i < n && i < VW; i++)
        p[i] = v[i];
}

static inline void v_interleave(vf a, vf b, float *p)
{
    for (int i = 0; i < VW; i++) {
        p[2 * i] = a[i];
        p[2 * i + 1] = b[i];
    }
}

static inline void v_load_four(const float *p, vf v[4])
{
    for (int i = 0; i < VW; i++)
        for (int j = 0; j < 4; j++)
            v[j][i] = p[4 * i + j];
}

static inline void v_store_four(float *p, const vf v[4])
{
    for (int i = 0; i < VW; i++)
        for (int j = 0; j < 4; j++)
            p[4 * i + j] = v[j][i];
}

static inline vf v_next(vf a, vf b)
{
    return (vf){a[1], a[2], a[3], b[0]};
}

#define PRODUCT_ROWS    4
#define PRODUCT_VECTORS 2
#define MICROS(F)       F(8, 2) F(4, 2) F(2, 2) F(1, 2)
#include "kernel_body.h"
