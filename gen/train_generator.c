/* train_generator.c - the generator: parameters, forward and backward pass of a shard. See train_net.h. */
#include "train_net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct train_noise train_noise[TRAIN_NOISES] = {
    {"noise32", 16, 32, 5},
    {"noise8", 8, 8, 4},
    {"noise2", 4, 2, 4},
};

/* Trims are such that every noise map's margin is a whole number of cells and nothing is left over at the
 * end: behind the pairs of lines below the margins are 3 (cell 32), 3 (16), 3 (8), 3 (4), 2 (2) and 0 (1). */
const struct train_conv train_conv[TRAIN_CONVS] = {
    {0, 0, 96},  {0, -1, 96}, /* cell 32 */
    {2, -1, 96},              /* cell 16 */
    {2, 1, 96},               /* cell 8; the coarse picture */
    {1, -1, 64}, {0, -1, 64}, /* cell 4 */
    {2, 2, 48},  {0, -1, 32}, /* cell 2 */
    {2, -1, 24}, {0, -1, 24}, /* pixels */
};
const size_t train_skip_trim[3] = {5, 1, 2}; /* margins 3 -> 1 -> 1 -> 0 */

void train_generator_init(struct train_generator *g, size_t styles)
{
    *g = (struct train_generator){.styles = styles};
    struct train_params *p = &g->params;
    size_t code = styles + TRAIN_LATENT;
    for (size_t i = 0; i < TRAIN_CONVS; i++) {
        size_t before = i ? train_conv[i - 1].cout : 0;
        g->cin[i] = before + (train_conv[i].noise >= 0 ? train_noise[train_conv[i].noise].channels : 0);
        g->film_at[i] = g->film_width;
        g->film_width += 2 * train_conv[i].cout;
    }
    g->dense1 = train_params_add(p, "dense1", TRAIN_HIDDEN * code, 0, 0.35f);
    g->dense1_bias = train_params_add(p, "dense1_bias", TRAIN_HIDDEN, 0, 0);
    g->dense2 = train_params_add(p, "dense2", TRAIN_HIDDEN * TRAIN_HIDDEN, 0, sqrtf(2.0f / TRAIN_HIDDEN));
    g->dense2_bias = train_params_add(p, "dense2_bias", TRAIN_HIDDEN, 0, 0);
    g->film = train_params_add(p, "film", g->film_width * TRAIN_HIDDEN, 0, 0.06f);
    g->film_bias = train_params_add(p, "film_bias", g->film_width, 0, 0);
    for (size_t i = 0; i < TRAIN_CONVS; i++) {
        char name[32];
        snprintf(name, sizeof name, "conv%zu", i);
        g->conv[i] = train_params_add(p, name, 9 * train_conv[i].cout * g->cin[i], 0,
                                      sqrtf(2.0f / (float)(9 * g->cin[i])));
    }
    size_t wide = train_conv[TRAIN_COARSE_CONV].cout, last = train_conv[TRAIN_CONVS - 1].cout;
    g->coarse = train_params_add(p, "coarse", 3 * wide, 0, 0.5f / sqrtf((float)wide));
    g->coarse_bias = train_params_add(p, "coarse_bias", 3, 0, 0);
    g->fine = train_params_add(p, "fine", 3 * last, 0, 0.3f / sqrtf((float)last));
    g->fine_bias = train_params_add(p, "fine_bias", 3, 0, 0);
}

/* Shapes from the field and the window; then buffers, all from one allocation. */
static void lay_out(const struct train_generator *g, struct train_generator_pass *s, struct train_arena *a)
{
    size_t n = s->n, raw_max = 0, scratch = 0;
    s->style = train_arena_take(a, n * g->styles);
    s->latent = train_arena_take(a, n * TRAIN_LATENT);
    size_t code = g->styles + TRAIN_LATENT;
    float **rows[] = {&s->code,    &s->dcode,    &s->hidden1, &s->dhidden1,
                      &s->hidden2, &s->dhidden2, &s->film,    &s->dfilm};
    size_t widths[] = {code,         code,         TRAIN_HIDDEN,  TRAIN_HIDDEN,
                       TRAIN_HIDDEN, TRAIN_HIDDEN, g->film_width, g->film_width};
    for (size_t i = 0; i < 8; i++)
        *rows[i] = train_arena_take(a, n * widths[i]);
    struct train_map m = {0, n, s->field.h / 32 + 2 * train_noise[0].margin,
                          s->field.w / 32 + 2 * train_noise[0].margin};
    for (size_t i = 0; i < TRAIN_CONVS; i++) {
        const struct train_conv *c = &train_conv[i];
        if (i == TRAIN_COARSE_CONV + 1) {
            m.h = s->fine_size.h / TRAIN_COARSE + 2 * TRAIN_COARSE_MARGIN;
            m.w = s->fine_size.w / TRAIN_COARSE + 2 * TRAIN_COARSE_MARGIN;
            s->window_map = m;
            s->window = train_arena_take(a, train_map_size(m));
            s->dwindow = train_arena_take(a, train_map_size(m));
        }
        s->before[i] = m;
        if (c->up) m = train_map_up2(m, c->up);
        m.c = g->cin[i];
        s->in[i] = m;
        if (c->noise >= 0) {
            s->noise_map[c->noise] = (struct train_map){train_noise[c->noise].channels, n, m.h, m.w};
            s->noise[c->noise] = train_arena_take(a, train_map_size(s->noise_map[c->noise]));
        }
        if (c->up || c->noise >= 0) { /* otherwise the input is the output before */
            s->x[i] = train_arena_take(a, train_map_size(m));
            s->dx[i] = train_arena_take(a, train_map_size(m));
        }
        size_t need = train_conv_scratch(m, c->cout, 3);
        if (need > scratch) scratch = need;
        size_t raw = c->cout * n * m.h * m.w;
        s->raw[i] = train_arena_take(a, raw);
        if (raw > raw_max) raw_max = raw;
        m = train_map_conv(m, c->cout, 3);
        s->out[i] = m;
        s->y[i] = train_arena_take(a, train_map_size(m));
        s->dy[i] = train_arena_take(a, train_map_size(m));
        if (i == TRAIN_COARSE_CONV) s->coarse_map = (struct train_map){3, n, m.h, m.w};
    }
    s->draw = train_arena_take(a, raw_max);
    s->scratch = s->fast && scratch ? train_arena_take(a, scratch) : NULL;
    float **coarse[] = {&s->coarse, &s->dcoarse, &s->coarse_linear};
    for (size_t i = 0; i < 3; i++)
        *coarse[i] = train_arena_take(a, train_map_size(s->coarse_map));
    s->skip_map[0] = s->window_map;
    s->skip_map[0].c = 3;
    for (size_t i = 1; i < 4; i++)
        s->skip_map[i] = train_map_up2(s->skip_map[i - 1], train_skip_trim[i - 1]);
    for (size_t i = 0; i < 4; i++) {
        s->skip[i] = train_arena_take(a, train_map_size(s->skip_map[i]));
        s->dskip[i] = train_arena_take(a, train_map_size(s->skip_map[i]));
    }
    s->fine_map = (struct train_map){3, n, s->fine_size.h, s->fine_size.w};
    float **fine[] = {&s->fine, &s->dfine, &s->rgb_raw, &s->drgb};
    for (size_t i = 0; i < 4; i++)
        *fine[i] = train_arena_take(a, train_map_size(s->fine_map));
}

enum bst_code train_generator_pass_new(const struct train_generator *g, size_t n, struct train_size field,
                                       struct train_size fine, bool fast, struct train_generator_pass *pass,
                                       struct bst_error *err)
{
    *pass = (struct train_generator_pass){.n = n, .field = field, .fine_size = fine, .fast = fast};
    struct train_arena arena = {0};
    lay_out(g, pass, &arena);
    pass->memory = bst_calloc(arena.used, sizeof *pass->memory);
    pass->top = bst_calloc(2 * n, sizeof *pass->top);
    if (!pass->memory || !pass->top) {
        train_generator_pass_clear(pass);
        return bst_fail_memory(err);
    }
    pass->left = pass->top + n;
    arena = (struct train_arena){pass->memory, 0};
    lay_out(g, pass, &arena);
    return BST_OK;
}

void train_generator_pass_clear(struct train_generator_pass *pass)
{
    free(pass->memory);
    free(pass->top);
    *pass = (struct train_generator_pass){0};
}

static void leaky(size_t count, float *x)
{
    for (size_t i = 0; i < count; i++)
        if (x[i] < 0.0f) x[i] *= TRAIN_LEAK;
}

static void leaky_backward(size_t count, const float *y, float *dy)
{
    for (size_t i = 0; i < count; i++)
        if (y[i] < 0.0f) dy[i] *= TRAIN_LEAK;
}

static void dense_forward(const struct train_generator *g, const float *params,
                          struct train_generator_pass *s)
{
    size_t code = g->styles + TRAIN_LATENT;
    for (size_t i = 0; i < s->n; i++) {
        for (size_t j = 0; j < g->styles; j++)
            s->code[i * code + j] = TRAIN_STYLE_GAIN * s->style[i * g->styles + j];
        memcpy(s->code + i * code + g->styles, s->latent + i * TRAIN_LATENT, TRAIN_LATENT * sizeof *s->code);
    }
    train_dense_forward(s->n, code, TRAIN_HIDDEN, params + g->dense1, params + g->dense1_bias, s->code,
                        s->hidden1);
    leaky(s->n * TRAIN_HIDDEN, s->hidden1);
    train_dense_forward(s->n, TRAIN_HIDDEN, TRAIN_HIDDEN, params + g->dense2, params + g->dense2_bias,
                        s->hidden1, s->hidden2);
    leaky(s->n * TRAIN_HIDDEN, s->hidden2);
    train_dense_forward(s->n, TRAIN_HIDDEN, g->film_width, params + g->film, params + g->film_bias,
                        s->hidden2, s->film);
    /* A scale is 1 plus what the network says. */
    for (size_t i = 0; i < s->n; i++)
        for (size_t l = 0; l < TRAIN_CONVS; l++)
            for (size_t c = 0; c < train_conv[l].cout; c++)
                s->film[i * g->film_width + g->film_at[l] + c] += 1.0f;
}

static void dense_backward(const struct train_generator *g, const float *params,
                           struct train_generator_pass *s, float *dparams)
{
    size_t code = g->styles + TRAIN_LATENT;
    train_dense_backward(s->n, TRAIN_HIDDEN, g->film_width, params + g->film, s->hidden2, s->dfilm,
                         s->dhidden2, dparams + g->film, dparams + g->film_bias);
    leaky_backward(s->n * TRAIN_HIDDEN, s->hidden2, s->dhidden2);
    train_dense_backward(s->n, TRAIN_HIDDEN, TRAIN_HIDDEN, params + g->dense2, s->hidden1, s->dhidden2,
                         s->dhidden1, dparams + g->dense2, dparams + g->dense2_bias);
    leaky_backward(s->n * TRAIN_HIDDEN, s->hidden1, s->dhidden1);
    train_dense_backward(s->n, code, TRAIN_HIDDEN, params + g->dense1, s->code, s->dhidden1, s->dcode,
                         dparams + g->dense1, dparams + g->dense1_bias);
}

static struct train_film film_of(const struct train_generator *g, const struct train_generator_pass *s,
                                 size_t l)
{
    return (struct train_film){s->out[l], s->in[l].h, s->in[l].w, g->film_width, false};
}

/* A 1 x 1 convolution to red, green and blue has no border, so raw and out have one shape. */
static struct train_film rgb_film(struct train_map out)
{
    return (struct train_film){out, out.h, out.w, 0, true};
}

static const float *conv_input(const struct train_generator_pass *s, size_t l)
{
    return s->x[l] ? s->x[l] : s->y[l - 1];
}

void train_generator_forward(const struct train_generator *g, const float *params,
                             struct train_generator_pass *s)
{
    dense_forward(g, params, s);
    for (size_t l = 0; l < TRAIN_CONVS; l++) {
        const struct train_conv *c = &train_conv[l];
        const float *before = l == 0 ? NULL : l == TRAIN_COARSE_CONV + 1 ? s->window : s->y[l - 1];
        if (c->up) train_up2_forward(s->before[l], c->up, before, s->x[l]);
        if (c->noise >= 0) {
            size_t size = train_map_size(s->noise_map[c->noise]);
            memcpy(s->x[l] + train_map_size(s->in[l]) - size, s->noise[c->noise], size * sizeof(float));
        }
        train_conv_forward(s->in[l], c->cout, 3, params + g->conv[l], conv_input(s, l), s->raw[l],
                           s->scratch);
        struct train_film f = film_of(g, s, l);
        const float *film = s->film + g->film_at[l];
        train_film_forward(&f, film, film + c->cout, s->raw[l], s->y[l]);
        if (l == TRAIN_COARSE_CONV) {
            train_window_forward(s->out[l], s->window_map, s->top, s->left, s->y[l], s->window);
            train_conv_forward(s->out[l], 3, 1, params + g->coarse, s->y[l], s->coarse, s->scratch);
            struct train_film rgb = rgb_film(s->coarse_map);
            train_film_forward(&rgb, NULL, params + g->coarse_bias, s->coarse, s->coarse_linear);
        }
    }
    train_window_forward(s->coarse_map, s->skip_map[0], s->top, s->left, s->coarse_linear, s->skip[0]);
    for (size_t i = 0; i < 3; i++)
        train_up2_forward(s->skip_map[i], train_skip_trim[i], s->skip[i], s->skip[i + 1]);
    train_conv_forward(s->out[TRAIN_CONVS - 1], 3, 1, params + g->fine, s->y[TRAIN_CONVS - 1], s->rgb_raw,
                       s->scratch);
    struct train_film rgb = rgb_film(s->fine_map);
    train_film_forward(&rgb, NULL, params + g->fine_bias, s->rgb_raw, s->fine);
    size_t count = train_map_size(s->fine_map);
    for (size_t i = 0; i < count; i++)
        s->fine[i] = tanhf(s->fine[i] + s->skip[3][i]);
    count = train_map_size(s->coarse_map);
    for (size_t i = 0; i < count; i++)
        s->coarse[i] = tanhf(s->coarse_linear[i]);
}

/* From dfine to dy of the last convolution, and down the enlargement of the coarse picture to dcoarse. */
static void rgb_backward(const struct train_generator *g, const float *params, struct train_generator_pass *s,
                         float *dparams)
{
    size_t last = TRAIN_CONVS - 1;
    size_t count = train_map_size(s->fine_map);
    for (size_t i = 0; i < count; i++)
        s->dskip[3][i] = s->dfine[i] * (1.0f - s->fine[i] * s->fine[i]);
    struct train_film rgb = rgb_film(s->fine_map);
    train_film_backward(&rgb, NULL, NULL, s->rgb_raw, s->dskip[3], s->drgb, NULL, dparams + g->fine_bias);
    train_conv_backward(s->out[last], 3, 1, params + g->fine, s->y[last], s->drgb, s->dy[last],
                        dparams + g->fine, s->scratch);
    for (size_t i = 3; i > 0; i--)
        train_up2_backward(s->skip_map[i - 1], train_skip_trim[i - 1], s->dskip[i], s->dskip[i - 1]);
    count = train_map_size(s->coarse_map);
    for (size_t i = 0; i < count; i++)
        s->dcoarse[i] *= 1.0f - s->coarse[i] * s->coarse[i];
    train_window_backward(s->coarse_map, s->skip_map[0], s->top, s->left, s->dskip[0], s->dcoarse);
}

/* Where the fine half hands its gradient to the coarse half: dy of TRAIN_COARSE_CONV from the window and
 * dcoarse. */
static void coarse_backward(const struct train_generator *g, const float *params,
                            struct train_generator_pass *s, float *dparams)
{
    size_t l = TRAIN_COARSE_CONV;
    struct train_film rgb = rgb_film(s->coarse_map);
    train_film_backward(&rgb, NULL, NULL, s->coarse_linear, s->dcoarse, s->draw, NULL,
                        dparams + g->coarse_bias);
    train_conv_backward(s->out[l], 3, 1, params + g->coarse, s->y[l], s->draw, s->dy[l], dparams + g->coarse,
                        s->scratch);
    train_window_backward(s->out[l], s->window_map, s->top, s->left, s->dwindow, s->dy[l]);
}

void train_generator_backward(const struct train_generator *g, const float *params,
                              struct train_generator_pass *s, float *dparams)
{
    memset(s->dfilm, 0, s->n * g->film_width * sizeof *s->dfilm);
    rgb_backward(g, params, s, dparams);
    for (size_t l = TRAIN_CONVS; l-- > 0;) {
        const struct train_conv *c = &train_conv[l];
        if (l == TRAIN_COARSE_CONV) coarse_backward(g, params, s, dparams);
        struct train_film f = film_of(g, s, l);
        const float *scale = s->film + g->film_at[l];
        float *dscale = s->dfilm + g->film_at[l];
        train_film_backward(&f, scale, s->raw[l], s->y[l], s->dy[l], s->draw, dscale, dscale + c->cout);
        float *dx = l == 0 ? NULL : s->dx[l] ? s->dx[l] : s->dy[l - 1];
        train_conv_backward(s->in[l], c->cout, 3, params + g->conv[l], conv_input(s, l), s->draw, dx,
                            dparams + g->conv[l], s->scratch);
        if (l == 0) break;
        float *before = l == TRAIN_COARSE_CONV + 1 ? s->dwindow : s->dy[l - 1];
        if (c->up) train_up2_backward(s->before[l], c->up, dx, before);
    }
    dense_backward(g, params, s, dparams);
}
