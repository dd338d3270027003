/* seeds.c - writes the numbers that a generator makes of a seed: seeds GENERATOR SEED COUNT...
 * Each count is a tensor of its own, drawn one after the other; binary32 in this machine's order. */
#include <stdio.h>
#include <stdlib.h>

#include "latent.h"

int main(int argc, char **argv)
{
    enum bst_latent latent;
    struct sequence sequence;
    uint64_t seed, count;
    if (argc < 4 || !bst_latent_known(argv[1], &latent) || !bst_parse_u64(argv[2], &seed)) return 1;
    sequence_start(&sequence, latent, seed);
    for (int i = 3; i < argc; i++) {
        float *numbers = bst_parse_u64(argv[i], &count) ? malloc(count * sizeof *numbers) : NULL;
        if (numbers == NULL) return 1;
        sequence_normal(&sequence, count, numbers);
        if (fwrite(numbers, sizeof *numbers, count, stdout) != count) return 1;
        free(numbers);
    }
    return 0;
}
