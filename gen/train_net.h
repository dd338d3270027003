/* train_net.h - the two networks of the texture GAN: shapes, parameters, and a shard's forward and backward
 * passes.
 *
 * Generator (train_generator.c). Three maps of normal noise with cells of 32, 8 and 2 output pixels become a
 * picture through ten unpadded 3 x 3 convolutions at five doublings of resolution. Each convolution is
 * followed by a scale and a shift per channel (FiLM) that a small dense network computes from (style,
 * latent). Nothing is padded, so every pixel is made the same way: the texture is stationary, any size works,
 * and periodic noise gives a seamless tile. A coarse picture at 1/8 of the resolution is read off behind the
 * fourth convolution; the fine layers add detail to its enlargement. In training the coarse layers see a wide
 * field and the fine layers only a window of it.
 *
 * Discriminator (train_discriminator.c). Strided convolutions to a map of scores, one for each patch,
 * conditioned on the style by projection; one network judges fine windows, a second one coarse pictures.
 *
 * Parameters of a network are one flat array, described by a table of blocks; gradients have the same layout.
 */
#ifndef BST_GEN_TRAIN_NET_H
#define BST_GEN_TRAIN_NET_H

#include "base.h"
#include "train_layer.h"

#define TRAIN_STYLES_MAX 16
#define TRAIN_LATENT     16   /* numbers in the global latent */
#define TRAIN_STYLE_GAIN 4.0f /* a style counts as much as the latent, whose norm is about 4 */
#define TRAIN_HIDDEN     64   /* width of the dense network */
#define TRAIN_COARSE     8    /* output pixels to a side of a coarse pixel */
#define TRAIN_CONVS      10
#define TRAIN_NOISES     3
#define TRAIN_MULTIPLE   32 /* sides of a picture are multiples of the largest cell */

struct train_block {
    char name[32];
    size_t offset, count;
    float spread; /* standard deviation of the first values */
    float mean;
};
#define TRAIN_BLOCKS_MAX 32
struct train_params { /* the table of one network */
    struct train_block block[TRAIN_BLOCKS_MAX];
    size_t blocks;
    size_t count; /* floats in all */
};
/* Appends a block and returns its offset. */
size_t train_params_add(struct train_params *p, const char *name, size_t count, float mean, float spread);
/* First values, from the trainer's random numbers. */
void train_params_init(const struct train_params *p, uint64_t seed, uint32_t stream, float *values);

/* ---- generator ---- */

struct train_noise {
    const char *name;
    size_t channels, cell, margin; /* see struct bst_card_input */
};
extern const struct train_noise train_noise[TRAIN_NOISES];

struct train_conv { /* one 3 x 3 convolution with what stands before it */
    size_t up;      /* 0: none; else double and trim this many pixels from each side */
    int noise;      /* index of the noise map appended to the input, or -1 */
    size_t cout;
};
extern const struct train_conv train_conv[TRAIN_CONVS];
#define TRAIN_COARSE_CONV 3 /* the coarse picture and the window come behind this one */
/* Trims of the three doublings that enlarge the coarse picture. */
extern const size_t train_skip_trim[3];
#define TRAIN_COARSE_MARGIN 3 /* coarse pixels beyond the picture on each side behind TRAIN_COARSE_CONV */

struct train_generator {
    size_t styles;
    struct train_params params;
    size_t dense1, dense1_bias, dense2, dense2_bias, film, film_bias; /* offsets */
    size_t conv[TRAIN_CONVS], coarse, coarse_bias, fine, fine_bias;
    size_t cin[TRAIN_CONVS];
    size_t film_at[TRAIN_CONVS]; /* in a row of film values: cout scales, then cout shifts */
    size_t film_width;
};
void train_generator_init(struct train_generator *g, size_t styles);

struct train_size { /* in pixels */
    size_t h, w;
};

/* All activations of one shard: n samples, coarse field and fine window in output pixels. */
struct train_generator_pass {
    size_t n;
    struct train_size field, fine_size;
    bool fast;
    /* inputs */
    float *style, *latent;      /* [n][styles], [n][TRAIN_LATENT] */
    float *noise[TRAIN_NOISES]; /* [channels][n][h][w] */
    struct train_map noise_map[TRAIN_NOISES];
    size_t *top, *left; /* [n] the window's place in coarse pixels, 0 for the first one */
    /* outputs, in (-1, 1) */
    struct train_map coarse_map, fine_map; /* coarse_map is the whole map with its margin */
    float *coarse, *fine;
    float *dcoarse, *dfine; /* what the caller fills in before the backward pass */
    /* between */
    float *code, *hidden1, *hidden2, *film, *dcode, *dhidden1, *dhidden2, *dfilm;
    struct train_map before[TRAIN_CONVS], in[TRAIN_CONVS], out[TRAIN_CONVS]; /* before: what is doubled */
    float *x[TRAIN_CONVS], *raw[TRAIN_CONVS], *y[TRAIN_CONVS];
    float *dx[TRAIN_CONVS], *dy[TRAIN_CONVS], *draw;
    struct train_map window_map, skip_map[4];
    float *window, *dwindow, *skip[4], *dskip[4], *rgb_raw, *drgb, *coarse_linear;
    float *scratch; /* of the fast convolutions, or NULL */
    float *memory;
};
/* fast: see train_conv_forward. */
enum bst_code train_generator_pass_new(const struct train_generator *g, size_t n, struct train_size field,
                                       struct train_size fine, bool fast, struct train_generator_pass *pass,
                                       struct bst_error *err);
void train_generator_pass_clear(struct train_generator_pass *pass);
void train_generator_forward(const struct train_generator *g, const float *params,
                             struct train_generator_pass *pass);
/* From dcoarse and dfine; adds to dparams. */
void train_generator_backward(const struct train_generator *g, const float *params,
                              struct train_generator_pass *pass, float *dparams);

/* ---- discriminator ---- */

#define TRAIN_FOLDS_MAX 4
struct train_discriminator {
    size_t styles, side, folds; /* side: pixels of the square pictures it judges */
    struct train_params params;
    size_t channels[TRAIN_FOLDS_MAX +
                    1]; /* behind each strided convolution; the last one repeats for the 3 x 3 */
    size_t conv[TRAIN_FOLDS_MAX + 1], bias[TRAIN_FOLDS_MAX + 1], score, score_bias, style;
};
void train_discriminator_init(struct train_discriminator *d, size_t styles, size_t side, size_t width,
                              size_t folds);

struct train_discriminator_pass {
    size_t n, patches; /* scores a sample */
    bool fast;
    const float *style; /* [n][styles], the caller's */
    float *colour;      /* [n][12]: rows of a 3 x 4 matrix applied to each pixel first (augmentation) */
    float *image;       /* [3][n][side][side], the caller fills it in */
    float *dimage;
    float *scores, *dscores; /* [n][patches] */
    /* between; index l is behind l layers */
    struct train_map map[TRAIN_FOLDS_MAX + 2], in[TRAIN_FOLDS_MAX + 1];
    float *y[TRAIN_FOLDS_MAX + 2], *x[TRAIN_FOLDS_MAX + 1], *dy[TRAIN_FOLDS_MAX + 2],
        *draw[TRAIN_FOLDS_MAX + 1];
    float *dx, *raw;
    float *scratch; /* of the fast convolutions, or NULL */
    float *memory;
};
enum bst_code train_discriminator_pass_new(const struct train_discriminator *d, size_t n, bool fast,
                                           struct train_discriminator_pass *pass, struct bst_error *err);
void train_discriminator_pass_clear(struct train_discriminator_pass *pass);
void train_discriminator_forward(const struct train_discriminator *d, const float *params,
                                 struct train_discriminator_pass *pass);
/* From dscores; dparams (added to) may be NULL; dimage is written when want_image. */
void train_discriminator_backward(const struct train_discriminator *d, const float *params,
                                  struct train_discriminator_pass *pass, float *dparams, bool want_image);
/* Adds the gradient of weight / (2 patches) * the sum over samples of |d(sum of scores)/d(augmented
 * image)|^2, and returns that sum divided by patches. Needs the activations of a forward pass; overwrites dy,
 * draw, dscores. The networks are linear between their bends, so the second derivative is one forward pass of
 * the gradient itself through the same bends. */
double train_discriminator_penalty(const struct train_discriminator *d, const float *params,
                                   struct train_discriminator_pass *pass, float weight, float *dparams);

/* ---- random numbers (train_random.c) ---- */

/* Draws of one purpose, a function of (seed, stream, place) alone, so that a resumed run draws the same. */
struct train_random {
    uint32_t key[2], counter[4], word[4];
    unsigned left;
};
void train_random_init(struct train_random *r, uint64_t seed, uint32_t stream, uint64_t place);
uint32_t train_random_below(struct train_random *r, uint32_t bound); /* [0, bound); bound > 0 */
float train_random_unit(struct train_random *r);                     /* [0, 1) */
void train_random_normal(struct train_random *r, size_t count, float *out);

/* Hands out zeroed floats of one allocation: run once with base NULL to learn the size. */
struct train_arena {
    float *base;
    size_t used;
};
float *train_arena_take(struct train_arena *arena, size_t count);

#endif
