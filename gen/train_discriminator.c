/* train_discriminator.c - the patch discriminator: forward and backward pass of a shard, and the gradient
 * penalty (Mescheder et al., 2018, "R1" on pictures of the data set, "R2" on made ones). See train_net.h. */
#include "train_net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Layer l < folds is a fold and a 2 x 2 convolution; layer folds is an unpadded 3 x 3 convolution. */
static size_t kernel_of(const struct train_discriminator *d, size_t l)
{
    return l < d->folds ? 2 : 3;
}

void train_discriminator_init(struct train_discriminator *d, size_t styles, size_t side, size_t width,
                              size_t folds)
{
    *d = (struct train_discriminator){.styles = styles, .side = side, .folds = folds};
    size_t before = 3;
    for (size_t l = 0; l <= folds; l++) {
        char name[32];
        size_t most = width * 10 / 3;
        d->channels[l] = l == folds ? d->channels[l - 1] : width << l < most ? width << l : most;
        size_t k = kernel_of(d, l);
        size_t inputs = (l < folds ? 4 * before : before) * k * k;
        snprintf(name, sizeof name, "conv%zu", l);
        d->conv[l] =
            train_params_add(&d->params, name, d->channels[l] * inputs, 0, sqrtf(2.0f / (float)inputs));
        snprintf(name, sizeof name, "bias%zu", l);
        d->bias[l] = train_params_add(&d->params, name, d->channels[l], 0, 0);
        before = d->channels[l];
    }
    d->score = train_params_add(&d->params, "score", before, 0, 1.0f / sqrtf((float)before));
    d->score_bias = train_params_add(&d->params, "score_bias", 1, 0, 0);
    d->style = train_params_add(&d->params, "style", styles * before, 0, 1.0f / sqrtf((float)before));
}

static void lay_out(const struct train_discriminator *d, struct train_discriminator_pass *s,
                    struct train_arena *a)
{
    size_t n = s->n, dx_max = 0, raw_max = 0, scratch = 0;
    struct train_map m = {3, n, d->side, d->side};
    s->colour = train_arena_take(a, n * 12);
    s->image = train_arena_take(a, train_map_size(m));
    s->dimage = train_arena_take(a, train_map_size(m));
    for (size_t l = 0; l <= d->folds + 1; l++) {
        s->map[l] = m;
        s->y[l] = train_arena_take(a, train_map_size(m));
        s->dy[l] = train_arena_take(a, train_map_size(m));
        if (l > d->folds) break;
        if (l < d->folds) {
            m = train_map_fold(m);
            s->x[l] = train_arena_take(a, train_map_size(m));
        }
        s->in[l] = m;
        if (train_map_size(m) > dx_max) dx_max = train_map_size(m);
        size_t need = train_conv_scratch(m, d->channels[l], kernel_of(d, l));
        if (need > scratch) scratch = need;
        size_t raw = d->channels[l] * n * m.h * m.w;
        s->draw[l] = train_arena_take(a, raw);
        if (raw > raw_max) raw_max = raw;
        m = train_map_conv(m, d->channels[l], kernel_of(d, l));
    }
    s->dx = train_arena_take(a, dx_max);
    s->raw = train_arena_take(a, raw_max);
    s->scratch = s->fast && scratch ? train_arena_take(a, scratch) : NULL;
    s->patches = m.h * m.w;
    s->scores = train_arena_take(a, n * s->patches);
    s->dscores = train_arena_take(a, n * s->patches);
}

enum bst_code train_discriminator_pass_new(const struct train_discriminator *d, size_t n, bool fast,
                                           struct train_discriminator_pass *pass, struct bst_error *err)
{
    *pass = (struct train_discriminator_pass){.n = n, .fast = fast};
    struct train_arena arena = {0};
    lay_out(d, pass, &arena);
    pass->memory = bst_calloc(arena.used, sizeof *pass->memory);
    if (!pass->memory) return bst_fail_memory(err);
    arena = (struct train_arena){pass->memory, 0};
    lay_out(d, pass, &arena);
    for (size_t i = 0; i < n; i++) /* no augmentation until the caller says otherwise */
        for (size_t c = 0; c < 3; c++)
            pass->colour[i * 12 + c * 4 + c] = 1.0f;
    return BST_OK;
}

void train_discriminator_pass_clear(struct train_discriminator_pass *pass)
{
    free(pass->memory);
    *pass = (struct train_discriminator_pass){0};
}

static void colour_forward(const struct train_discriminator_pass *s, const float *x, float *y)
{
    size_t pixels = s->map[0].h * s->map[0].w, plane = s->n * pixels;
    for (size_t c = 0; c < 3; c++)
        for (size_t n = 0; n < s->n; n++) {
            const float *m = s->colour + n * 12 + c * 4, *from = x + n * pixels;
            float *to = y + c * plane + n * pixels;
            for (size_t i = 0; i < pixels; i++)
                to[i] = m[0] * from[i] + m[1] * from[plane + i] + m[2] * from[2 * plane + i] + m[3];
        }
}

static void colour_backward(const struct train_discriminator_pass *s, const float *dy, float *dx)
{
    size_t pixels = s->map[0].h * s->map[0].w, plane = s->n * pixels;
    for (size_t c = 0; c < 3; c++)
        for (size_t n = 0; n < s->n; n++) {
            const float *m = s->colour + n * 12 + c, *from = dy + n * pixels;
            float *to = dx + c * plane + n * pixels;
            for (size_t i = 0; i < pixels; i++)
                to[i] = m[0] * from[i] + m[4] * from[plane + i] + m[8] * from[2 * plane + i];
        }
}

static struct train_film film_of(const struct train_discriminator_pass *s, size_t l)
{
    return (struct train_film){s->map[l + 1], s->in[l].h, s->in[l].w, 0, false};
}

/* The weights that turn the last map of sample n into scores: the common ones plus those of its style. */
static void score_weights(const struct train_discriminator *d, const float *params,
                          const struct train_discriminator_pass *s, size_t n, size_t c, float *weight)
{
    *weight = params[d->score + c];
    for (size_t i = 0; i < d->styles; i++)
        *weight += s->style[n * d->styles + i] * params[d->style + i * s->map[d->folds + 1].c + c];
}

void train_discriminator_forward(const struct train_discriminator *d, const float *params,
                                 struct train_discriminator_pass *s)
{
    colour_forward(s, s->image, s->y[0]);
    for (size_t l = 0; l <= d->folds; l++) {
        const float *x = s->y[l];
        if (l < d->folds) {
            train_fold_forward(s->map[l], x, s->x[l]);
            x = s->x[l];
        }
        train_conv_forward(s->in[l], d->channels[l], kernel_of(d, l), params + d->conv[l], x, s->raw,
                           s->scratch);
        struct train_film f = film_of(s, l);
        train_film_forward(&f, NULL, params + d->bias[l], s->raw, s->y[l + 1]);
    }
    struct train_map m = s->map[d->folds + 1];
    for (size_t n = 0; n < s->n; n++) {
        float *scores = s->scores + n * s->patches;
        for (size_t p = 0; p < s->patches; p++)
            scores[p] = params[d->score_bias];
        for (size_t c = 0; c < m.c; c++) {
            float weight;
            score_weights(d, params, s, n, c, &weight);
            const float *y = s->y[d->folds + 1] + (c * m.n + n) * s->patches;
            for (size_t p = 0; p < s->patches; p++)
                scores[p] += weight * y[p];
        }
    }
}

/* The gradient of the scores' weights from the last map h (activations, or their tangents in the penalty). */
static void score_gradient(const struct train_discriminator *d, const struct train_discriminator_pass *s,
                           const float *h, float *dparams)
{
    struct train_map m = s->map[d->folds + 1];
    for (size_t n = 0; n < s->n; n++)
        for (size_t c = 0; c < m.c; c++) {
            const float *y = h + (c * m.n + n) * s->patches, *dscores = s->dscores + n * s->patches;
            float dot = 0.0f;
            for (size_t p = 0; p < s->patches; p++)
                dot += dscores[p] * y[p];
            dparams[d->score + c] += dot;
            for (size_t i = 0; i < d->styles; i++)
                dparams[d->style + i * m.c + c] += dot * s->style[n * d->styles + i];
        }
}

/* dscores down to draw of every layer and, when wanted, dy[0], the gradient of the augmented image. */
static void backward(const struct train_discriminator *d, const float *params,
                     struct train_discriminator_pass *s, float *dparams, bool want_image)
{
    struct train_map m = s->map[d->folds + 1];
    for (size_t n = 0; n < s->n; n++)
        for (size_t c = 0; c < m.c; c++) {
            float weight;
            score_weights(d, params, s, n, c, &weight);
            float *dy = s->dy[d->folds + 1] + (c * m.n + n) * s->patches;
            for (size_t p = 0; p < s->patches; p++)
                dy[p] = weight * s->dscores[n * s->patches + p];
        }
    for (size_t l = d->folds + 1; l-- > 0;) {
        struct train_film f = film_of(s, l);
        bool folded = l < d->folds;
        train_film_backward(&f, NULL, NULL, s->y[l + 1], s->dy[l + 1], s->draw[l], NULL,
                            dparams ? dparams + d->bias[l] : NULL);
        float *dx = l == 0 && !want_image ? NULL : folded ? s->dx : s->dy[l];
        train_conv_backward(s->in[l], d->channels[l], kernel_of(d, l), params + d->conv[l],
                            folded ? s->x[l] : s->y[l], s->draw[l], dx, dparams ? dparams + d->conv[l] : NULL,
                            s->scratch);
        if (folded && dx) train_fold_backward(s->map[l], dx, s->dy[l]);
    }
}

void train_discriminator_backward(const struct train_discriminator *d, const float *params,
                                  struct train_discriminator_pass *s, float *dparams, bool want_image)
{
    if (dparams) {
        score_gradient(d, s, s->y[d->folds + 1], dparams);
        for (size_t i = 0; i < s->n * s->patches; i++)
            dparams[d->score_bias] += s->dscores[i];
    }
    backward(d, params, s, dparams, want_image);
    if (want_image) colour_backward(s, s->dy[0], s->dimage);
}

double train_discriminator_penalty(const struct train_discriminator *d, const float *params,
                                   struct train_discriminator_pass *s, float weight, float *dparams)
{
    for (size_t i = 0; i < s->n * s->patches; i++)
        s->dscores[i] = 1.0f;
    backward(d, params, s, NULL, true);
    size_t count = train_map_size(s->map[0]);
    double norm = 0;
    for (size_t i = 0; i < count; i++)
        norm += (double)s->dy[0][i] * s->dy[0][i];
    /* With g the gradient, d(g . g / 2) = d(directional derivative along g) for g held fixed. Its forward
     * pass goes through the buffers of gradients: dy[l] is the tangent behind l layers, draw[l] stays the
     * backward signal. */
    float each = weight / (float)s->patches;
    for (size_t i = 0; i < count; i++)
        s->dy[0][i] *= each;
    for (size_t l = 0; l <= d->folds; l++) {
        const float *t = s->dy[l];
        if (l < d->folds) {
            train_fold_forward(s->map[l], t, s->dx);
            t = s->dx;
        }
        train_conv_backward(s->in[l], d->channels[l], kernel_of(d, l), params + d->conv[l], t, s->draw[l],
                            NULL, dparams + d->conv[l], s->scratch);
        train_conv_forward(s->in[l], d->channels[l], kernel_of(d, l), params + d->conv[l], t, s->raw,
                           s->scratch);
        struct train_film f = film_of(s, l);
        train_film_tangent(&f, s->y[l + 1], s->raw, s->dy[l + 1]);
    }
    score_gradient(d, s, s->dy[d->folds + 1], dparams);
    return norm / (double)s->patches;
}
