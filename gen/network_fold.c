/* network_fold.c - blocks that repeat: a network of a thousand layers is mostly the same few, again and again. */
#include "network_draw.h"

#include <stdlib.h>
#include <string.h>

#define FOLD_FROM  12    /* networks of fewer layers are drawn whole */
#define FOLD_MAX   20000 /* layers that are looked at */
#define PERIOD_MAX 128   /* layers of a block */

/* Equal for layers that do the same to tensors of the same dims that come from as far back. */
static uint64_t signature(const struct bst_network *network, size_t number)
{
    const struct bst_layer *layer = layer_at(network, number);
    uint64_t hash = 1469598103934665603u;
    const char *const texts[] = {layer->op, layer->fused, layer->algorithm != NULL ? layer->algorithm : ""};
    for (size_t t = 0; t < 3; t++)
        for (const char *at = texts[t]; *at != 0; at++)
            hash = (hash ^ (uint8_t)*at) * 1099511628211u;
    for (size_t d = 0; d < layer->rank; d++)
        hash = (hash ^ (uint64_t)layer->dims[d]) * 1099511628211u;
    hash = (hash ^ layer->parameters) * 1099511628211u;
    for (size_t s = 0; s < layer->source_count; s++) {
        size_t back = number - layer->sources[s];
        /* What comes from outside of any block comes from further back each time. */
        if (back > PERIOD_MAX || layer->sources[s] < network->input_count) back = 0;
        hash = (hash ^ back) * 1099511628211u;
    }
    return hash;
}

struct folding {
    const uint64_t *signs; /* of layers from first on */
    size_t *alike;         /* how many layers from here on equal those a period behind */
    size_t first, count;
};

/* The repeat that leaves out most layers between from and to; false when there is none worth it. */
static bool best_repeat(const struct folding *f, size_t from, size_t to, struct repeat *best)
{
    size_t saved = 0;
    for (size_t period = 1; period <= PERIOD_MAX && 2 * period <= to - from; period++) {
        f->alike[to - period] = 0;
        for (size_t i = to - period; i-- > from;)
            f->alike[i] = f->signs[i] == f->signs[i + period] ? f->alike[i + 1] + 1 : 0;
        for (size_t i = from; i < to - period; i++) {
            size_t times = f->alike[i] / period + 1, saves = (times - 1) * period;
            if (times < 2 || (times == 2 && period < 3) || saves <= saved) continue;
            saved = saves;
            *best = (struct repeat){i, period, times};
        }
    }
    return saved >= 2;
}

static bool keep(struct repeat **list, size_t *count, struct repeat found)
{
    struct repeat *grown = realloc(*list, (*count + 1) * sizeof *grown);
    if (grown == NULL) return false;
    *list = grown;
    grown[(*count)++] = found;
    return true;
}

/* Repeats of [from, to), of what is before and behind the best, and within its block. */
static bool fold(const struct folding *f, size_t from, size_t to, unsigned depth, size_t *stands_for,
                 struct repeat **list, size_t *count)
{
    struct repeat best;
    if (depth == 0 || to - from < 4 || !best_repeat(f, from, to, &best)) return true;
    size_t end = best.first + best.period * best.times;
    for (size_t i = best.first + best.period; i < end; i++)
        stands_for[f->first + i] = f->first + best.first + (i - best.first) % best.period;
    struct repeat found = {f->first + best.first, best.period, best.times};
    return keep(list, count, found) && fold(f, from, best.first, depth - 1, stands_for, list, count) &&
           fold(f, best.first, best.first + best.period, depth - 1, stands_for, list, count) &&
           fold(f, end, to, depth - 1, stands_for, list, count);
}

bool fold_repeats(const struct bst_network *network, size_t *stands_for, struct repeat **repeats,
                  size_t *count)
{
    size_t layers = network->layer_count, all = network->input_count + layers;
    *repeats = NULL;
    *count = 0;
    for (size_t i = 0; i < all; i++)
        stands_for[i] = i;
    if (layers < FOLD_FROM || layers > FOLD_MAX) return true;
    uint64_t *signs = bst_calloc(layers, sizeof *signs);
    size_t *alike = bst_calloc(layers + 1, sizeof *alike);
    bool done = signs != NULL && alike != NULL;
    for (size_t i = 0; done && i < layers; i++)
        signs[i] = signature(network, network->input_count + i);
    const struct folding f = {signs, alike, network->input_count, layers};
    if (done) done = fold(&f, 0, layers, 8, stands_for, repeats, count);
    /* A block within a block that is left out stands for the first of the first. */
    for (size_t i = 0; done && i < all; i++)
        while (stands_for[stands_for[i]] != stands_for[i])
            stands_for[i] = stands_for[stands_for[i]];
    free(signs);
    free(alike);
    return done;
}
