/* latent.c - random numbers that a seed alone decides: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel
 * Random Numbers: As Easy as 1, 2, 3", 2011) and the Box-Muller transform in our own arithmetic. */
#include "gen.h"
#include "kernel.h"
#include "latent.h"

#include <string.h>

void bst_philox(const uint32_t counter[static 4], const uint32_t key[static 2], uint32_t out[static 4])
{
    uint32_t c[4], k0 = key[0], k1 = key[1];
    memcpy(c, counter, sizeof c);
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * c[0], b = (uint64_t)0xCD9E8D57u * c[2];
        uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ k0, (uint32_t)b, (uint32_t)(a >> 32) ^ c[3] ^ k1,
                            (uint32_t)a};
        memcpy(c, next, sizeof c);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    memcpy(out, c, sizeof c);
}

#define BATCH 256 /* blocks of four numbers made at a time */

/* Block b of a stream gives numbers 4b to 4b + 3: words 0 and 1 make the first two, words 2 and 3 the others.
 */
static void normal_blocks(const struct bst_kernels *k, uint64_t seed, uint32_t stream, uint64_t first,
                          size_t blocks, float *out)
{
    uint32_t radius[2 * BATCH], angle[2 * BATCH];
    k->philox(seed, stream, first, blocks, radius, angle);
    k->normal(radius, angle, out, 2 * blocks);
}

void bst_normal(uint64_t seed, uint32_t stream, uint64_t first, size_t count, float *out)
{
    const struct bst_kernels *k = bst_kernels_for(NULL);
    float numbers[4 * BATCH];
    if (k == NULL) k = &bst_kernels_scalar;
    while (count > 0) {
        size_t skip = first % 4, blocks = (skip + count + 3) / 4;
        if (blocks > BATCH) blocks = BATCH;
        size_t take = 4 * blocks - skip < count ? 4 * blocks - skip : count;
        normal_blocks(k, seed, stream, first / 4, blocks, numbers);
        memcpy(out, numbers + skip, take * sizeof *out);
        out += take;
        first += take;
        count -= take;
    }
}
