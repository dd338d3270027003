/* latent.h - what inputs.c needs of the random numbers beside gen.h. Private to gen/. */
#ifndef BST_LATENT_H
#define BST_LATENT_H

#include "gen.h"

/* ---- Philox (latent.c): any number of a stream by its index ---- */

/* The index of element (c, y, x) of a noise map: it does not depend on the map's size, so a larger picture of
 * the same seed goes on where the smaller one ends. Rows and columns are below 2^20, channels below 2^24. */
static inline uint64_t noise_index(uint64_t c, uint64_t y, uint64_t x)
{
    return c << 40 | y << 20 | x;
}

/* ---- numpy and PyTorch (latent_sequence.c): numbers one after another ---- */

#define SEQUENCE_WORDS 624

struct sequence {
    enum bst_latent kind; /* not BST_LATENT_PHILOX */
    uint32_t word[SEQUENCE_WORDS];
    size_t at; /* of the next word */
    bool has_next;
    double next; /* the second number of a pair */
};

void sequence_start(struct sequence *sequence, enum bst_latent kind, uint64_t seed);
/* What randn makes of a tensor of count numbers. */
void sequence_normal(struct sequence *sequence, size_t count, float *out);

/* Of normal numbers above 0; of angles from 0 to 7. */
double sequence_log(double x);
void sequence_sine_cosine(double x, double *sine, double *cosine);

#endif
