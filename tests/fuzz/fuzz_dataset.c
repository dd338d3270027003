/* fuzz_dataset.c - a stranger's data set manifest, over the pictures of another corpus; what loads must give crops. */
#include "fuzz_file.h"
#include "train_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define SIDE 4 /* the pictures have 4 to 24 pixels a side */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct train_set set;
    struct bst_error err;
    if (train_set_load(fuzz_file(data, len), "tests/fuzz/corpus/image", SIDE, &set, &err) != BST_OK) return 0;
    float crop[3 * SIDE * SIDE];
    struct train_random random;
    train_random_init(&random, 1, 2, 3);
    for (size_t style = 0; style < set.styles; style++)
        train_set_crop(&set, style, SIDE, 1, &random, 1, 0, crop);
    train_set_clear(&set);
    return 0;
}
