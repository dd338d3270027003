/* kernel_winograd_body.h - the kernels of Winograd's convolution F(4x4, 3x3), over the points 0, +-11/16, +-3/2 and
 * infinity: the part of kernel_body.h that is about tiles, and written over its vectors. */

#define WA  0.6875f /* a = 11/16; every product of a and b below is exact */
#define WB  1.5f
#define WA2 0.47265625f
#define WB2 2.25f

static inline __attribute__((always_inline)) void v_winograd_in(const vf d[6], vf v[6])
{
    const vf a = v_set(WA), b = v_set(WB), minus_a = v_set(-WA), minus_b = v_set(-WB);
    const vf minus_a2 = v_set(-WA2), minus_b2 = v_set(-WB2);
    const vf product = v_set(WA2 * WB2), minus_sum = v_set(-(WA2 + WB2));
    vf e1 = v_fma(minus_b2, d[2], d[4]), o1 = v_fma(minus_b2, d[1], d[3]);
    vf e2 = v_fma(minus_a2, d[2], d[4]), o2 = v_fma(minus_a2, d[1], d[3]);
    v[0] = v_fma(product, d[0], v_fma(minus_sum, d[2], d[4]));
    v[1] = v_fma(a, o1, e1);
    v[2] = v_fma(minus_a, o1, e1);
    v[3] = v_fma(b, o2, e2);
    v[4] = v_fma(minus_b, o2, e2);
    v[5] = v_fma(product, d[1], v_fma(minus_sum, d[3], d[5]));
}

static inline __attribute__((always_inline)) void v_winograd_out(const vf m[6], vf y[4])
{
    vf s1 = m[1] + m[2], d1 = m[1] - m[2], s2 = m[3] + m[4], d2 = m[3] - m[4];
    y[0] = (m[0] + s1) + s2;
    y[1] = v_fma(v_set(WB), d2, v_set(WA) * d1);
    y[2] = v_fma(v_set(WB2), s2, v_set(WA2) * s1);
    y[3] = v_fma(v_set(WB * WB2), d2, v_fma(v_set(WA * WA2), d1, m[5]));
}

/* The tile's columns first, along whole lines of pixels: what lies in the padding is 0 and stays 0. Then its
 * rows, a vector of tiles at a time. */
static void winograd_input(const float *const rows[6], size_t before, size_t inside, size_t tiles,
                           size_t ahead, float *v, size_t plane, float *line)
{
    const size_t n = 4 * tiles + 2, pitch = (n + 2 * VW) / VW * VW;
    size_t x = 0;
    for (; x < inside; x += VW) {
        vf d[6], t[6];
        if (x % 16 == 0)
            for (size_t i = 0; i < 6; i++)
                __builtin_prefetch(rows[i] + ahead + x);
        if (x + VW <= inside) {
            UNROLL for (size_t i = 0; i < 6; i++) d[i] = v_load(rows[i] + x);
        } else {
            UNROLL for (size_t i = 0; i < 6; i++) d[i] = v_load_part(rows[i] + x, inside - x);
        }
        v_winograd_in(d, t);
        UNROLL for (size_t i = 0; i < 6; i++) v_store(line + i * pitch + before + x, t[i]);
    }
    for (size_t i = 0; i < 6; i++) {
        for (size_t k = 0; k < before; k++)
            line[i * pitch + k] = 0.0f;
        for (size_t k = before + x; k < n; k++)
            line[i * pitch + k] = 0.0f;
    }
    for (size_t i = 0; i < 6; i++) {
        const float *from = line + i * pitch;
        vf now[4], next[4];
        v_load_four(from, now);
        for (size_t t = 0; t < tiles; t += VW) {
            v_load_four(from + 4 * (t + VW), next);
            vf d[6] = {now[0], now[1], now[2], now[3], v_next(now[0], next[0]), v_next(now[1], next[1])};
            vf u[6];
            v_winograd_in(d, u);
            UNROLL for (size_t j = 0; j < 6; j++) v_store(v + (i * 6 + j) * plane + t, u[j]);
            UNROLL for (size_t j = 0; j < 4; j++) now[j] = next[j];
        }
    }
}

static void winograd_output(const float *m, size_t plane, float bias, size_t tiles, float *out, size_t pitch)
{
    const vf add = v_set(bias);
    for (size_t t = 0; t < tiles; t += VW) {
        vf half[4][6];
        UNROLL for (size_t j = 0; j < 6; j++)
        {
            vf column[6], y[4];
            UNROLL for (size_t i = 0; i < 6; i++) column[i] = v_load(m + (i * 6 + j) * plane + t);
            v_winograd_out(column, y);
            UNROLL for (size_t i = 0; i < 4; i++) half[i][j] = y[i];
        }
        UNROLL for (size_t i = 0; i < 4; i++)
        {
            vf y[4];
            v_winograd_out(half[i], y);
            UNROLL for (size_t j = 0; j < 4; j++) y[j] = y[j] + add;
            v_store_four(out + i * pitch + 4 * t, y);
        }
    }
}

typedef double vd __attribute__((vector_size(PRODUCT_ROWS * 8)));
typedef float vr __attribute__((vector_size(PRODUCT_ROWS * 4))); /* a number for each row of a product */

/* A processor may have these as instructions of its own: see kernel_avx2.c. */
#ifndef ROWS_WIDE
#define ROWS_WIDE(x) __builtin_convertvector(x, vd)
#define ROWS_EXACT_FMA(a, b, c)                                                                              \
    ((a) * (b) + (c)) /* only where a * b is exact: fused or not is the same then */
#endif

/* The three numbers lie step apart. single: they are binary32, and products with a^2 and b^2 are exact. */
static inline __attribute__((always_inline)) void winograd_weights_line(const vd *g, size_t step, bool single,
                                                                        vd u[6])
{
    const double a = WA, b = WB, a2 = WA2, b2 = WB2;
    const double of_zero = 1024.0 / 1089.0, of_a = -32768.0 / 55055.0, of_b = 512.0 / 4095.0;
    const vd g0 = g[0], g1 = g[step], g2 = g[2 * step];
    vd s1 = single ? ROWS_EXACT_FMA(g2, (vd){0} + a2, g0) : g0 + g2 * a2;
    vd s2 = single ? ROWS_EXACT_FMA(g2, (vd){0} + b2, g0) : g0 + g2 * b2;
    vd e1 = s1 * of_a, o1 = (g1 * a) * of_a;
    vd e2 = s2 * of_b, o2 = (g1 * b) * of_b;
    u[0] = g0 * of_zero;
    u[1] = e1 + o1;
    u[2] = e1 - o1;
    u[3] = e2 + o2;
    u[4] = e2 - o2;
    u[5] = g2;
}

/* In double precision, rounded once at the end: weights lose no more than any constant does. */
static void winograd_weights(const float *w, size_t step, size_t count, size_t channels, float *u,
                             size_t plane)
{
    const float *rows[PRODUCT_ROWS];
    for (size_t r = 0; r < PRODUCT_ROWS; r++)
        rows[r] = w + (r < count ? r * step : 0);
    for (size_t c = 0; c < channels; c++, u += PRODUCT_ROWS) {
        vd g[9], t[3][6];
        UNROLL for (size_t k = 0; k < 9; k++)
        {
            vr taps;
            UNROLL for (size_t r = 0; r < PRODUCT_ROWS; r++) taps[r] = rows[r][c * 9 + k];
            g[k] = ROWS_WIDE(taps);
        }
        UNROLL for (size_t l = 0; l < 3; l++) winograd_weights_line(g + l, 3, true, t[l]);
        UNROLL for (size_t i = 0; i < 6; i++)
        {
            vd row[6];
            winograd_weights_line(&t[0][i], 6, i == 5, row);
            UNROLL for (size_t j = 0; j < 6; j++)
            {
                vr rounded = __builtin_convertvector(row[j], vr);
                memcpy(u + (i * 6 + j) * plane, &rounded, sizeof rounded);
            }
        }
    }
}
