/* latent.h - what inputs.c needs of the random numbers beside gen.h. Private to gen/. */
#ifndef BST_LATENT_H
#define BST_LATENT_H

#include "base.h"

/* The index of element (c, y, x) of a noise map: it does not depend on the map's size, so a larger picture of
 * the same seed goes on where the smaller one ends. Rows and columns are below 2^20, channels below 2^24. */
static inline uint64_t noise_index(uint64_t c, uint64_t y, uint64_t x)
{
    return c << 40 | y << 20 | x;
}

#endif
