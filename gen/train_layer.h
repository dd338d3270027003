/* train_layer.h - the trainer's layers: each a forward and a backward function on plain arrays.
 *
 * A map holds the activations of one shard of samples as [channel][sample][row][column], so that a whole
 * shard is one operand of a matrix product. Convolutions are unpadded and walk the map as one long row: tap
 * (dy, dx) of a kernel is the input moved by dy * w + dx, hence one sgemm a tap and no im2col. Their raw
 * output keeps the input's row length; the last k - 1 columns and rows of each sample hold values that mean
 * nothing, and the activation that always follows drops them.
 *
 * Gradients of weights are added to what is there; gradients of activations are written.
 */
#ifndef BST_GEN_TRAIN_LAYER_H
#define BST_GEN_TRAIN_LAYER_H

#include <stdbool.h>
#include <stddef.h>

#define TRAIN_LEAK 0.2f /* slope of the leaky ReLU below zero */

struct train_map { /* shape of a map; n samples of h x w */
    size_t c, n, h, w;
};

static inline size_t train_map_size(struct train_map m)
{
    return m.c * m.n * m.h * m.w;
}
/* The map behind an unpadded k x k convolution to c channels. */
static inline struct train_map train_map_conv(struct train_map m, size_t c, size_t k)
{
    return (struct train_map){c, m.n, m.h - k + 1, m.w - k + 1};
}
/* The map behind doubling and cutting trim pixels from each side. */
static inline struct train_map train_map_up2(struct train_map m, size_t trim)
{
    return (struct train_map){m.c, m.n, 2 * m.h - 2 * trim, 2 * m.w - 2 * trim};
}
/* The map behind a zero border of one pixel and folding 2 x 2 pixels into channels; h and w even. */
static inline struct train_map train_map_fold(struct train_map m)
{
    return (struct train_map){4 * m.c, m.n, m.h / 2 + 1, m.w / 2 + 1};
}

/* Convolution: x [in], weights [k * k][cout][in.c] (tap-major), raw [cout][in.n * in.h * in.w]. scratch: NULL
 * for float32 products by OpenBLAS, or memory of train_conv_scratch for bfloat16 products by the processor's
 * matrix unit where it has one and the shape suits it. */
void train_conv_forward(struct train_map in, size_t cout, size_t k, const float *weights, const float *x,
                        float *raw, float *scratch);
/* draw must be zero where raw means nothing. dx or dweights may be NULL. */
void train_conv_backward(struct train_map in, size_t cout, size_t k, const float *weights, const float *x,
                         const float *draw, float *dx, float *dweights, float *scratch);
/* Floats of scratch memory, aligned to 64 bytes; 0 when only OpenBLAS will do. */
size_t train_conv_scratch(struct train_map in, size_t cout, size_t k);

/* y = leaky(raw * scale + shift), compacted to out. raw has the layout of a convolution's output with rows of
 * raw_w and samples of raw_h rows. scale and shift [out.n][stride]; scale NULL means 1; stride 0 shares one
 * row. */
struct train_film {
    struct train_map out;
    size_t raw_h, raw_w;
    size_t stride;
    bool linear; /* no leaky ReLU */
};
void train_film_forward(const struct train_film *f, const float *scale, const float *shift, const float *raw,
                        float *y);
/* dscale and dshift are laid out as scale and shift and added to; either may be NULL, and raw with dscale.
 * draw is written whole. */
void train_film_backward(const struct train_film *f, const float *scale, const float *raw, const float *y,
                         const float *dy, float *draw, float *dscale, float *dshift);
/* The derivative of the forward step in direction draw for a fixed scale of 1: t = raw_t * leaky'(y). */
void train_film_tangent(const struct train_film *f, const float *y, const float *raw_t, float *t);

/* Doubling with the weights 1/4 and 3/4 (linear interpolation at half-pixel centres), trim >= 1. */
void train_up2_forward(struct train_map in, size_t trim, const float *x, float *y);
void train_up2_backward(struct train_map in, size_t trim, const float *dy, float *dx);

/* Space to depth behind a zero border of one pixel: channel (2 * row parity + column parity) * c + channel.
 * With a 2 x 2 convolution behind it this is a 4 x 4 convolution of stride 2 and padding 1. */
void train_fold_forward(struct train_map in, const float *x, float *y);
void train_fold_backward(struct train_map in, const float *dy, float *dx);

/* A window of out.h x out.w from each sample, from row top[i] and column left[i]. The backward step adds. */
void train_window_forward(struct train_map in, struct train_map out, const size_t *top, const size_t *left,
                          const float *x, float *y);
void train_window_backward(struct train_map in, struct train_map out, const size_t *top, const size_t *left,
                           const float *dy, float *dx);

/* Rows of samples: y [n][out] = x [n][in] weights^T [out][in] + bias. */
void train_dense_forward(size_t n, size_t in, size_t out, const float *weights, const float *bias,
                         const float *x, float *y);
/* dx may be NULL. */
void train_dense_backward(size_t n, size_t in, size_t out, const float *weights, const float *x,
                          const float *dy, float *dx, float *dweights, float *dbias);

#endif
