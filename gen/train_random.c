/* train_random.c - the trainer's random numbers, over the counter-based generator of latent.c. */
#include "gen.h"
#include "train_net.h"

#include <math.h>

void train_random_init(struct train_random *r, uint64_t seed, uint32_t stream, uint64_t place)
{
    *r = (struct train_random){.key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
                               .counter = {0, stream, (uint32_t)place, (uint32_t)(place >> 32)}};
}

static uint32_t next_word(struct train_random *r)
{
    if (r->left == 0) {
        bst_philox(r->counter, r->key, r->word);
        r->counter[0]++;
        r->left = 4;
    }
    return r->word[--r->left];
}

uint32_t train_random_below(struct train_random *r, uint32_t bound)
{
    return (uint32_t)((uint64_t)next_word(r) * bound >> 32);
}

float train_random_unit(struct train_random *r)
{
    return (float)(next_word(r) >> 8) * 0x1p-24f;
}

/* Box and Muller's transform; bits need not repeat across machines here, so libm will do. */
void train_random_normal(struct train_random *r, size_t count, float *out)
{
    for (size_t i = 0; i < count; i += 2) {
        float radius = sqrtf(-2.0f * logf(1.0f - train_random_unit(r)));
        float angle = 6.2831853f * train_random_unit(r);
        out[i] = radius * cosf(angle);
        if (i + 1 < count) out[i + 1] = radius * sinf(angle);
    }
}

size_t train_params_add(struct train_params *p, const char *name, size_t count, float mean, float spread)
{
    struct train_block *b = &p->block[p->blocks++];
    size_t i = 0;
    for (; name[i] && i + 1 < sizeof b->name; i++)
        b->name[i] = name[i];
    b->name[i] = 0;
    b->offset = p->count;
    b->count = count;
    b->mean = mean;
    b->spread = spread;
    p->count += count;
    return b->offset;
}

void train_params_init(const struct train_params *p, uint64_t seed, uint32_t stream, float *values)
{
    for (size_t i = 0; i < p->blocks; i++) {
        const struct train_block *b = &p->block[i];
        struct train_random r;
        train_random_init(&r, seed, stream, i);
        train_random_normal(&r, b->count, values + b->offset);
        for (size_t j = 0; j < b->count; j++)
            values[b->offset + j] = b->mean + b->spread * values[b->offset + j];
    }
}

float *train_arena_take(struct train_arena *arena, size_t count)
{
    size_t at = arena->used;
    arena->used += (count + 15) / 16 * 16; /* 64-byte steps */
    return arena->base ? arena->base + at : NULL;
}
