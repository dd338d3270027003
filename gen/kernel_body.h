/* kernel_body.h - every kernel, once, over vectors of VW lanes: here the functions of numbers, reductions and
 * interpolation, the others in the kernel_*_body.h that it includes. Not a header of its own: kernel_scalar.c,
 * kernel_avx2.c, kernel_avx512.c and kernel_neon.c include it after defining
 * - VW, the number of lanes;
 * - vf, a vector of VW float;
 * - v_set(x), v_fma(a, b, c), v_sqrt(x), and v_interleave(a, b, p), which stores a[0] b[0] a[1] b[1] ...;
 * - v_load_part(p, n) and v_store_part(p, v, n) for the n < VW numbers at an array's end; other lanes load as
 * 0;
 * - v_load_four(p, v), which loads p[4 * i + j] into lane i of v[j] for j below 4, and v_store_four, its reverse;
 * - v_next(a, b), the lanes of a from the second on and the first of b;
 * - PRODUCT_ROWS and PRODUCT_VECTORS, the register block of products;
 * - ISA and TABLE, the name and the table of functions;
 * - MICROS(F), which calls F(rows, vectors) for each register block, most rows first.
 *
 * Only operations that IEEE 754 defines to the last bit are used: add, subtract, multiply, divide, square
 * root, fused multiply-add, comparison, and integer arithmetic. The compiler must not contract or reorder
 * them. */
#include "kernel_math.h"

#define UNROLL _Pragma("GCC unroll 16")

/* ---- functions of one number ---- */

static inline __attribute__((always_inline)) void unary_loop(enum bst_unary op, const float *x, float *y,
                                                             size_t n, float a, float b)
{
    const vf va = v_set(a), vb = v_set(b);
    size_t i = 0;
    for (; i + VW <= n; i += VW)
        v_store(y + i, v_unary(op, v_load(x + i), va, vb, a));
    if (i < n) v_store_part(y + i, v_unary(op, v_load_part(x + i, n - i), va, vb, a), n - i);
}

/* Numbers of one block are reduced together; the few that are too large, one by one. */
static inline __attribute__((always_inline)) void circle_loop(enum bst_unary op, const float *x, float *y,
                                                              size_t n)
{
    for (size_t i = 0; i < n; i += VW) {
        size_t count = n - i < VW ? n - i : VW;
        vi quadrant;
        vf v = count == VW ? v_load(x + i) : v_load_part(x + i, count);
        vi small = (vi)(v_abs(v) < v_set(CIRCLE_SMALL));
        vf r = v_angle(v_select(small, v, v_set(0.0f)), &quadrant);
        int32_t near[VW], all = -1;
        memcpy(near, &small, sizeof small);
        for (size_t j = 0; j < VW; j++)
            all &= near[j];
        if (all == 0) v_far_angle(v, small, &r, &quadrant);
        if (op == BST_U_COS) quadrant = quadrant + 1;
        v = op == BST_U_TAN ? v_tangent(r, quadrant) : v_sine(r, quadrant);
        if (count == VW)
            v_store(y + i, v);
        else
            v_store_part(y + i, v, count);
    }
}

/* Functions whose loop is the plain one. */
#define UNARY_PLAIN(F)                                                                                       \
    F(BST_U_RELU)                                                                                            \
    F(BST_U_LEAKY)                                                                                           \
    F(BST_U_CLIP)                                                                                            \
    F(BST_U_AFFINE)                                                                                          \
    F(BST_U_TANH)                                                                                            \
    F(BST_U_SIGMOID)                                                                                         \
    F(BST_U_EXP)                                                                                             \
    F(BST_U_EXP_LESS)                                                                                        \
    F(BST_U_LOG)                                                                                             \
    F(BST_U_SQRT)                                                                                            \
    F(BST_U_SQUARE)                                                                                          \
    F(BST_U_NEG)                                                                                             \
    F(BST_U_ABS)                                                                                             \
    F(BST_U_SIGN)                                                                                            \
    F(BST_U_RECIPROCAL)                                                                                      \
    F(BST_U_FLOOR)                                                                                           \
    F(BST_U_CEIL)                                                                                            \
    F(BST_U_ROUND)                                                                                           \
    F(BST_U_ELU)                                                                                             \
    F(BST_U_SELU)                                                                                            \
    F(BST_U_CELU)                                                                                            \
    F(BST_U_THRESHOLD)                                                                                       \
    F(BST_U_HARD_SIGMOID)                                                                                    \
    F(BST_U_HARD_SWISH)                                                                                      \
    F(BST_U_SOFTSIGN)                                                                                        \
    F(BST_U_SOFTPLUS)                                                                                        \
    F(BST_U_MISH)                                                                                            \
    F(BST_U_ERF)                                                                                             \
    F(BST_U_GELU)                                                                                            \
    F(BST_U_GELU_TANH)                                                                                       \
    F(BST_U_ATAN)                                                                                            \
    F(BST_U_ASIN)                                                                                            \
    F(BST_U_ACOS)                                                                                            \
    F(BST_U_SINH)                                                                                            \
    F(BST_U_COSH)                                                                                            \
    F(BST_U_ASINH)                                                                                           \
    F(BST_U_ACOSH)                                                                                           \
    F(BST_U_ATANH)                                                                                           \
    F(BST_U_POW)

#define UNARY_CASE(OP)                                                                                       \
    case OP:                                                                                                 \
        unary_loop(OP, x, y, n, a, b);                                                                       \
        break;

/* One loop for each function, so that the choice is made outside of it. */
static void unary(enum bst_unary op, const float *x, float *y, size_t n, float a, float b)
{
    switch (op) {
        UNARY_PLAIN(UNARY_CASE)
    case BST_U_COPY:
        if (x != y) memcpy(y, x, n * sizeof *y);
        break;
    case BST_U_SIN:
        circle_loop(BST_U_SIN, x, y, n);
        break;
    case BST_U_COS:
        circle_loop(BST_U_COS, x, y, n);
        break;
    case BST_U_TAN:
        circle_loop(BST_U_TAN, x, y, n);
        break;
    }
}

static inline vf v_film(vf x, vf scale, vf shift, vf slope)
{
    vf v = x * scale + shift;
    return v_select((vi)(v < v_set(0.0f)), v * slope, v);
}

static void film(const float *x, float *y, size_t n, float scale, float shift, float slope)
{
    const vf a = v_set(scale), b = v_set(shift), c = v_set(slope);
    size_t i = 0;
    for (; i + VW <= n; i += VW)
        v_store(y + i, v_film(v_load(x + i), a, b, c));
    if (i < n) v_store_part(y + i, v_film(v_load_part(x + i, n - i), a, b, c), n - i);
}

/* ---- functions of two numbers ---- */

static inline __attribute__((always_inline)) void binary_loop(enum bst_binary op, const float *a,
                                                              size_t a_step, const float *b, size_t b_step,
                                                              float *y, size_t n)
{
    const vf a0 = v_set(n ? a[0] : 0.0f), b0 = v_set(n ? b[0] : 0.0f);
    size_t i = 0;
    for (; i + VW <= n; i += VW)
        v_store(y + i, v_binary(op, a_step ? v_load(a + i) : a0, b_step ? v_load(b + i) : b0));
    if (i < n) {
        vf last_a = a_step ? v_load_part(a + i, n - i) : a0;
        vf last_b = b_step ? v_load_part(b + i, n - i) : b0;
        v_store_part(y + i, v_binary(op, last_a, last_b), n - i);
    }
}

#define BINARY_ALL(F)                                                                                        \
    F(BST_B_ADD) F(BST_B_SUB) F(BST_B_MUL) F(BST_B_DIV) F(BST_B_MIN) F(BST_B_MAX) F(BST_B_PRELU) F(BST_B_POW)

#define BINARY_CASE(OP)                                                                                      \
    case OP:                                                                                                 \
        binary_loop(OP, a, a_step, b, b_step, y, n);                                                         \
        break;

static void binary(enum bst_binary op, const float *a, size_t a_step, const float *b, size_t b_step, float *y,
                   size_t n)
{
    switch (op) {
        BINARY_ALL(BINARY_CASE)
    }
}

/* The last vector of a row is read before the row is written: y may be a. */
static inline __attribute__((always_inline)) void rows_loop(enum bst_binary op, const float *a,
                                                            const float *b, float *y, size_t n, size_t rows)
{
    for (size_t r = 0; r < rows; r++, a += n, y += n) {
        const vf right = v_set(b[r]);
        if (n < VW) {
            v_store_part(y, v_binary(op, v_load_part(a, n), right), n);
            continue;
        }
        vf last = v_binary(op, v_load(a + n - VW), right);
        for (size_t i = 0; i + VW < n; i += VW)
            v_store(y + i, v_binary(op, v_load(a + i), right));
        v_store(y + n - VW, last);
    }
}

#define ROWS_CASE(OP)                                                                                        \
    case OP:                                                                                                 \
        rows_loop(OP, a, b, y, n, rows);                                                                     \
        break;

static void binary_rows(enum bst_binary op, const float *a, const float *b, float *y, size_t n, size_t rows)
{
    switch (op) {
        BINARY_ALL(ROWS_CASE)
    }
}

/* ---- reductions ---- */

#define LANES   16
#define VECTORS (LANES / VW)

static inline float lanes_sum(float lanes[LANES])
{
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t j = 0; j < half; j++)
            lanes[j] = lanes[j] + lanes[j + half];
    return lanes[0];
}

static float sum(const float *x, size_t n)
{
    vf total[VECTORS];
    float lanes[LANES];
    for (size_t v = 0; v < VECTORS; v++)
        total[v] = v_set(0.0f);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t v = 0; v < VECTORS; v++)
            total[v] = total[v] + v_load(x + i + v * VW);
    for (size_t v = 0; v < VECTORS; v++)
        v_store(lanes + v * VW, total[v]);
    for (size_t j = 0; i < n; i++, j++)
        lanes[j] = lanes[j] + x[i];
    return lanes_sum(lanes);
}

static float sum_squares(const float *x, size_t n, float mean)
{
    vf total[VECTORS];
    float lanes[LANES];
    for (size_t v = 0; v < VECTORS; v++)
        total[v] = v_set(0.0f);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (size_t v = 0; v < VECTORS; v++) {
            vf d = v_load(x + i + v * VW) - v_set(mean);
            total[v] = v_fma(d, d, total[v]);
        }
    }
    for (size_t v = 0; v < VECTORS; v++)
        v_store(lanes + v * VW, total[v]);
    for (size_t j = 0; i < n; i++, j++) {
        float d = x[i] - mean;
        lanes[j] = fmaf(d, d, lanes[j]);
    }
    return lanes_sum(lanes);
}

static float multiplied(const float *x, size_t n)
{
    vf total[VECTORS];
    float lanes[LANES];
    for (size_t v = 0; v < VECTORS; v++)
        total[v] = v_set(1.0f);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t v = 0; v < VECTORS; v++)
            total[v] = total[v] * v_load(x + i + v * VW);
    for (size_t v = 0; v < VECTORS; v++)
        v_store(lanes + v * VW, total[v]);
    for (size_t j = 0; i < n; i++, j++)
        lanes[j] = lanes[j] * x[i];
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t j = 0; j < half; j++)
            lanes[j] = lanes[j] * lanes[j + half];
    return lanes[0];
}

/* The one of all numbers that pick keeps. */
static inline __attribute__((always_inline)) float extreme(enum bst_binary pick, const float *x, size_t n)
{
    vf best[4]; /* several chains: which of them a number meets does not show */
    float lanes[VW];
    size_t i = 0;
    for (size_t v = 0; v < 4; v++)
        best[v] = v_set(x[0]);
    for (; i + 4 * VW <= n; i += 4 * VW)
        UNROLL for (size_t v = 0; v < 4; v++) best[v] = v_binary(pick, best[v], v_load(x + i + v * VW));
    for (; i + VW <= n; i += VW)
        best[0] = v_binary(pick, best[0], v_load(x + i));
    for (; i < n; i++)
        best[0] = v_binary(pick, best[0], v_set(x[i]));
    vf all = v_binary(pick, v_binary(pick, best[0], best[1]), v_binary(pick, best[2], best[3]));
    v_store(lanes, all);
    for (size_t j = 1; j < VW; j++)
        all = v_binary(pick, all, v_set(lanes[j]));
    v_store(lanes, all);
    return lanes[0] + 0.0f; /* -0 and +0 are equal: which came first must not show */
}

static float maximum(const float *x, size_t n)
{
    return extreme(BST_B_MAX, x, n);
}

static float minimum(const float *x, size_t n)
{
    return extreme(BST_B_MIN, x, n);
}

static void add_squares(const float *x, float *acc, size_t n)
{
    for (size_t i = 0; i < n; i += VW) {
        size_t count = n - i < VW ? n - i : VW;
        if (count == VW) {
            vf v = v_load(x + i);
            v_store(acc + i, v_fma(v, v, v_load(acc + i)));
        } else {
            vf v = v_load_part(x + i, count);
            v_store_part(acc + i, v_fma(v, v, v_load_part(acc + i, count)), count);
        }
    }
}

static void normalize(const float *x, float mean, float scale, const float *gain, const float *bias, float *y,
                      size_t n)
{
    const vf m = v_set(mean), s = v_set(scale), none = v_set(-0.0f); /* which changes no product */
    size_t i = 0;
    for (; i + VW <= n; i += VW)
        v_store(y + i,
                v_fma((v_load(x + i) - m) * s, v_load(gain + i), bias != NULL ? v_load(bias + i) : none));
    if (i == n) return;
    vf last = bias != NULL ? v_load_part(bias + i, n - i) : none;
    v_store_part(y + i, v_fma((v_load_part(x + i, n - i) - m) * s, v_load_part(gain + i, n - i), last),
                 n - i);
}

/* ---- interpolation ---- */

static void blend(const float *a, const float *b, float s, float t, float *y, size_t n)
{
    const vf vs = v_set(s), vt = v_set(t);
    size_t i = 0;
    for (; i + VW <= n; i += VW)
        v_store(y + i, v_fma(vt, v_load(b + i), vs * v_load(a + i)));
    if (i < n)
        v_store_part(y + i, v_fma(vt, v_load_part(b + i, n - i), vs * v_load_part(a + i, n - i)), n - i);
}

static inline __attribute__((always_inline)) void combine_loop(const float *x, size_t pitch,
                                                               const uint32_t *place, const float *weight,
                                                               size_t step, size_t taps, float *y, size_t n)
{
    for (size_t i = 0; i < n; i += VW) {
        size_t count = n - i < VW ? n - i : VW;
        vf sum = v_set(0.0f);
        for (size_t k = 0; k < taps; k++) {
            const float *row = x + place[k * step] * pitch + i;
            vf v = count == VW ? v_load(row) : v_load_part(row, count), w = v_set(weight[k * step]);
            if (k == 0)
                sum = w * v;
            else
                sum = v_fma(w, v, sum);
        }
        if (count == VW)
            v_store(y + i, sum);
        else
            v_store_part(y + i, sum, count);
    }
}

static void combine(const float *x, size_t pitch, const uint32_t *place, const float *weight, size_t step,
                    size_t taps, float *y, size_t n)
{
    if (taps == 2)
        combine_loop(x, pitch, place, weight, step, 2, y, n);
    else
        combine_loop(x, pitch, place, weight, step, taps, y, n);
}

static void gather(const float *x, const uint32_t *place, const float *weight, size_t step, size_t taps,
                   float *y, size_t n)
{
    for (size_t i = 0; i < n; i += VW) {
        size_t count = n - i < VW ? n - i : VW;
        vf sum = v_set(0.0f);
        for (size_t k = 0; k < taps; k++) {
            float picked[VW] = {0};
            for (size_t j = 0; j < count; j++)
                picked[j] = x[place[k * step + i + j]];
            vf v = v_load(picked), w = v_load_part(weight + k * step + i, count);
            if (k == 0)
                sum = w * v;
            else
                sum = v_fma(w, v, sum);
        }
        v_store_part(y + i, sum, count);
    }
}

static void interleave(const float *a, const float *b, float *y, size_t n)
{
    size_t i = 0;
    for (; i + VW <= n; i += VW)
        v_interleave(v_load(a + i), v_load(b + i), y + 2 * i);
    for (; i < n; i++) {
        y[2 * i] = a[i];
        y[2 * i + 1] = b[i];
    }
}

static void twice(const float *x, float *y, size_t n)
{
    const vf far = v_set(0.25f), near = v_set(0.75f);
    for (size_t i = 0; i < n; i += VW) {
        size_t count = n - i < VW ? n - i : VW;
        vf left, here, right;
        if (count == VW) {
            left = v_load(x + i - 1);
            here = v_load(x + i);
            right = v_load(x + i + 1);
        } else {
            left = v_load_part(x + i - 1, count);
            here = v_load_part(x + i, count);
            right = v_load_part(x + i + 1, count);
        }
        vf even = v_fma(near, here, far * left), odd = v_fma(far, right, near * here);
        if (count == VW) {
            v_interleave(even, odd, y + 2 * i);
            continue;
        }
        float pairs[2 * VW];
        v_interleave(even, odd, pairs);
        memcpy(y + 2 * i, pairs, 2 * count * sizeof *y);
    }
}

/* ---- all others, and the table ---- */

#include "kernel_plane_body.h"
#include "kernel_product_body.h"
#include "kernel_sample_body.h"
#include "kernel_winograd_body.h"
#include "kernel_winograd_transpose_body.h"

const struct bst_kernels TABLE = {
    .isa = ISA,
    .width = VW,
    .micros = micros,
    .micro_count = sizeof micros / sizeof micros[0],
    .product_rows = PRODUCT_ROWS,
    .product_columns = PRODUCT_VECTORS * VW,
    .product = product,
    .winograd_input = winograd_input,
    .winograd_output = winograd_output,
    .winograd_weights = winograd_weights,
    .transpose_input = transpose_input,
    .transpose_output = transpose_output,
    .transpose_weights = transpose_weights,
    .unary = unary,
    .film = film,
    .binary = binary,
    .binary_rows = binary_rows,
    .sum = sum,
    .sum_squares = sum_squares,
    .multiplied = multiplied,
    .maximum = maximum,
    .minimum = minimum,
    .add_squares = add_squares,
    .normalize = normalize,
    .blend = blend,
    .combine = combine,
    .gather = gather,
    .interleave = interleave,
    .twice = twice,
    .split = split,
    .plane_copy = plane_copy,
    .plane_max = plane_max,
    .plane_sum = plane_sum,
    .plane_average = plane_average,
    .plane_conv = plane_conv,
    .plane_conv_pair = plane_conv_pair,
    .philox = philox,
    .normal = normal,
    .quantize = quantize,
};
