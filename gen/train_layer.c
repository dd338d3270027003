/* train_layer.c - forward and backward steps of the trainer's layers. See train_layer.h for the layouts. */
#include "train_layer.h"
#include "train_amx.h"
#include "train_blas.h"

#include <string.h>

/* Columns of a product that are worked on for all taps before the next ones: input and output of a block stay
 * in the second-level cache. */
static size_t conv_block(size_t cin, size_t cout)
{
    size_t columns = (size_t)(192 * 1024) / (cin + cout); /* floats */
    return columns < 256 ? 256 : columns;
}

size_t train_conv_scratch(struct train_map in, size_t cout, size_t k)
{
    return train_amx_available() ? train_amx_scratch(in, cout, k) : 0;
}

void train_conv_forward(struct train_map in, size_t cout, size_t k, const float *weights, const float *x,
                        float *raw, float *scratch)
{
    if (scratch && train_conv_scratch(in, cout, k)) {
        train_amx_forward(in, cout, k, weights, x, raw, scratch);
        return;
    }
    size_t pixels = in.n * in.h * in.w;
    size_t used = pixels - (k - 1) * (in.w + 1);
    size_t block = conv_block(in.c, cout);
    for (size_t at = 0; at < used; at += block) {
        size_t columns = used - at < block ? used - at : block;
        for (size_t tap = 0; tap < k * k; tap++)
            train_blas_gemm(CblasNoTrans, CblasNoTrans, cout, columns, in.c, weights + tap * cout * in.c,
                            in.c, x + at + tap / k * in.w + tap % k, pixels, tap == 0 ? 0.0f : 1.0f, raw + at,
                            pixels);
    }
}

void train_conv_backward(struct train_map in, size_t cout, size_t k, const float *weights, const float *x,
                         const float *draw, float *dx, float *dweights, float *scratch)
{
    if (scratch && train_conv_scratch(in, cout, k)) {
        train_amx_backward(in, cout, k, weights, x, draw, dx, dweights, scratch);
        return;
    }
    size_t pixels = in.n * in.h * in.w;
    size_t used = pixels - (k - 1) * (in.w + 1);
    size_t block = conv_block(in.c, cout);
    if (dx) memset(dx, 0, in.c * pixels * sizeof *dx);
    for (size_t at = 0; at < used; at += block) {
        size_t columns = used - at < block ? used - at : block;
        for (size_t tap = 0; tap < k * k; tap++) {
            size_t moved = at + tap / k * in.w + tap % k;
            size_t w = tap * cout * in.c;
            if (dx)
                train_blas_gemm(CblasTrans, CblasNoTrans, in.c, columns, cout, weights + w, in.c, draw + at,
                                pixels, 1.0f, dx + moved, pixels);
            if (dweights)
                train_blas_gemm(CblasNoTrans, CblasTrans, cout, in.c, columns, draw + at, pixels, x + moved,
                                pixels, 1.0f, dweights + w, in.c);
        }
    }
}

void train_film_forward(const struct train_film *f, const float *scale, const float *shift, const float *raw,
                        float *y)
{
    struct train_map m = f->out;
    float leak = f->linear ? 1.0f : TRAIN_LEAK;
    for (size_t c = 0; c < m.c; c++)
        for (size_t n = 0; n < m.n; n++) {
            float a = scale ? scale[n * f->stride + c] : 1.0f;
            float b = shift ? shift[n * f->stride + c] : 0.0f;
            for (size_t i = 0; i < m.h; i++) {
                const float *from = raw + ((c * m.n + n) * f->raw_h + i) * f->raw_w;
                float *to = y + ((c * m.n + n) * m.h + i) * m.w;
                for (size_t j = 0; j < m.w; j++) {
                    float z = from[j] * a + b;
                    to[j] = z > 0.0f ? z : z * leak;
                }
            }
        }
}

/* One row of a map: draw = dz * scale with dz = dy * leaky'(y), sums of dz and of dz * raw by lane, so that
 * the loop can be vectorised. raw may be NULL. */
#define LANES 16
static void film_row(size_t width, float scale, float leak, const float *raw, const float *y, const float *dy,
                     float *draw, float *sum, float *dot)
{
    size_t whole = width / LANES * LANES;
    for (size_t j = 0; j < whole; j += LANES)
        for (size_t lane = 0; lane < LANES; lane++) {
            float dz = dy[j + lane] * (y[j + lane] > 0.0f ? 1.0f : leak);
            sum[lane] += dz;
            draw[j + lane] = dz * scale;
            if (raw) dot[lane] += dz * raw[j + lane];
        }
    for (size_t j = whole; j < width; j++) {
        float dz = dy[j] * (y[j] > 0.0f ? 1.0f : leak);
        sum[j - whole] += dz;
        draw[j] = dz * scale;
        if (raw) dot[j - whole] += dz * raw[j];
    }
}

void train_film_backward(const struct train_film *f, const float *scale, const float *raw, const float *y,
                         const float *dy, float *draw, float *dscale, float *dshift)
{
    struct train_map m = f->out;
    float leak = f->linear ? 1.0f : TRAIN_LEAK;
    for (size_t c = 0; c < m.c; c++)
        for (size_t n = 0; n < m.n; n++) {
            float a = scale ? scale[n * f->stride + c] : 1.0f;
            float sum[LANES] = {0}, dot[LANES] = {0};
            for (size_t i = 0; i < f->raw_h; i++) {
                float *to = draw + ((c * m.n + n) * f->raw_h + i) * f->raw_w;
                size_t packed = ((c * m.n + n) * m.h + i) * m.w, width = i < m.h ? m.w : 0;
                if (width)
                    film_row(width, a, leak, dscale ? raw + (to - draw) : NULL, y + packed, dy + packed, to,
                             sum, dot);
                memset(to + width, 0, (f->raw_w - width) * sizeof *to); /* what means nothing */
            }
            for (size_t lane = 0; lane < LANES; lane++) {
                if (dscale) dscale[n * f->stride + c] += dot[lane];
                if (dshift) dshift[n * f->stride + c] += sum[lane];
            }
        }
}

void train_film_tangent(const struct train_film *f, const float *y, const float *raw_t, float *t)
{
    struct train_map m = f->out;
    float leak = f->linear ? 1.0f : TRAIN_LEAK;
    for (size_t plane = 0; plane < m.c * m.n; plane++)
        for (size_t i = 0; i < m.h; i++) {
            const float *from = raw_t + (plane * f->raw_h + i) * f->raw_w;
            size_t packed = (plane * m.h + i) * m.w;
            for (size_t j = 0; j < m.w; j++)
                t[packed + j] = from[j] * (y[packed + j] > 0.0f ? 1.0f : leak);
        }
}

/* Output pixel p (counted before trimming) of a doubled row lies between the input pixel p / 2 (weight 3/4)
 * and its neighbour on the side that p points to (weight 1/4). */
static size_t up2_far(size_t p)
{
    return p % 2 ? p / 2 + 1 : p / 2 - 1;
}

#define TRAIN_ROW_MAX 4096

void train_up2_forward(struct train_map in, size_t trim, const float *x, float *y)
{
    struct train_map out = train_map_up2(in, trim);
    float row[TRAIN_ROW_MAX];
    size_t odd = trim % 2, pairs = out.w / 2; /* out.w is even */
    for (size_t plane = 0; plane < in.c * in.n; plane++)
        for (size_t i = 0; i < out.h; i++) {
            const float *near = x + (plane * in.h + (i + trim) / 2) * in.w;
            const float *far = x + (plane * in.h + up2_far(i + trim)) * in.w;
            float *to = y + (plane * out.h + i) * out.w;
            for (size_t j = 0; j < in.w; j++)
                row[j] = 0.75f * near[j] + 0.25f * far[j];
            /* Two outputs at a time: with an even trim one to the left and one to the right of an input
             * pixel, with an odd trim the two between an input pixel and the next. */
            const float *at = row + trim / 2;
            if (odd)
                for (size_t j = 0; j < pairs; j++) {
                    to[2 * j] = 0.75f * at[j] + 0.25f * at[j + 1];
                    to[2 * j + 1] = 0.25f * at[j] + 0.75f * at[j + 1];
                }
            else
                for (size_t j = 0; j < pairs; j++) {
                    to[2 * j] = 0.75f * at[j] + 0.25f * at[j - 1];
                    to[2 * j + 1] = 0.75f * at[j] + 0.25f * at[j + 1];
                }
        }
}

void train_up2_backward(struct train_map in, size_t trim, const float *dy, float *dx)
{
    struct train_map out = train_map_up2(in, trim);
    float wide[2 * TRAIN_ROW_MAX + 4], row[TRAIN_ROW_MAX];
    memset(dx, 0, train_map_size(in) * sizeof *dx);
    memset(wide, 0, (2 * in.w + 4) * sizeof *wide);
    for (size_t plane = 0; plane < in.c * in.n; plane++)
        for (size_t i = 0; i < out.h; i++) {
            float *near = dx + (plane * in.h + (i + trim) / 2) * in.w;
            float *far = dx + (plane * in.h + up2_far(i + trim)) * in.w;
            /* The untrimmed row with zeros around it: input pixel j gets from outputs 2 j - 1 to 2 j + 2. */
            memcpy(wide + 1 + trim, dy + (plane * out.h + i) * out.w, out.w * sizeof *wide);
            for (size_t j = 0; j < in.w; j++)
                row[j] =
                    0.75f * (wide[2 * j + 1] + wide[2 * j + 2]) + 0.25f * (wide[2 * j] + wide[2 * j + 3]);
            for (size_t j = 0; j < in.w; j++) {
                near[j] += 0.75f * row[j];
                far[j] += 0.25f * row[j];
            }
        }
}

/* Row 2 i + p and column 2 j + q of the bordered map are row 2 i + p - 1 and column 2 j + q - 1 of the map.
 */
void train_fold_forward(struct train_map in, const float *x, float *y)
{
    struct train_map out = train_map_fold(in);
    memset(y, 0, train_map_size(out) * sizeof *y);
    for (size_t part = 0; part < 4; part++) {
        size_t p = part / 2, q = part % 2;
        for (size_t plane = 0; plane < in.c * in.n; plane++)
            for (size_t i = 1 - p; i < out.h - p; i++) {
                const float *from = x + (plane * in.h + 2 * i + p - 1) * in.w;
                float *to = y + ((part * in.c * in.n + plane) * out.h + i) * out.w;
                for (size_t j = 1 - q; j < out.w - q; j++)
                    to[j] = from[2 * j + q - 1];
            }
    }
}

void train_fold_backward(struct train_map in, const float *dy, float *dx)
{
    struct train_map out = train_map_fold(in);
    for (size_t part = 0; part < 4; part++) {
        size_t p = part / 2, q = part % 2;
        for (size_t plane = 0; plane < in.c * in.n; plane++)
            for (size_t i = 1 - p; i < out.h - p; i++) {
                float *to = dx + (plane * in.h + 2 * i + p - 1) * in.w;
                const float *from = dy + ((part * in.c * in.n + plane) * out.h + i) * out.w;
                for (size_t j = 1 - q; j < out.w - q; j++)
                    to[2 * j + q - 1] = from[j];
            }
    }
}

void train_window_forward(struct train_map in, struct train_map out, const size_t *top, const size_t *left,
                          const float *x, float *y)
{
    for (size_t c = 0; c < in.c; c++)
        for (size_t n = 0; n < in.n; n++)
            for (size_t i = 0; i < out.h; i++)
                memcpy(y + ((c * out.n + n) * out.h + i) * out.w,
                       x + ((c * in.n + n) * in.h + top[n] + i) * in.w + left[n], out.w * sizeof *y);
}

void train_window_backward(struct train_map in, struct train_map out, const size_t *top, const size_t *left,
                           const float *dy, float *dx)
{
    for (size_t c = 0; c < in.c; c++)
        for (size_t n = 0; n < in.n; n++)
            for (size_t i = 0; i < out.h; i++) {
                const float *from = dy + ((c * out.n + n) * out.h + i) * out.w;
                float *to = dx + ((c * in.n + n) * in.h + top[n] + i) * in.w + left[n];
                for (size_t j = 0; j < out.w; j++)
                    to[j] += from[j];
            }
}

void train_dense_forward(size_t n, size_t in, size_t out, const float *weights, const float *bias,
                         const float *x, float *y)
{
    for (size_t i = 0; i < n; i++)
        memcpy(y + i * out, bias, out * sizeof *y);
    train_blas_gemm(CblasNoTrans, CblasTrans, n, out, in, x, in, weights, in, 1.0f, y, out);
}

void train_dense_backward(size_t n, size_t in, size_t out, const float *weights, const float *x,
                          const float *dy, float *dx, float *dweights, float *dbias)
{
    train_blas_gemm(CblasTrans, CblasNoTrans, out, in, n, dy, out, x, in, 1.0f, dweights, in);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < out; j++)
            dbias[j] += dy[i * out + j];
    if (dx) train_blas_gemm(CblasNoTrans, CblasNoTrans, n, in, out, dy, out, weights, in, 0.0f, dx, in);
}
