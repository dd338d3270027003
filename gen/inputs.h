/* inputs.h - from controls to the graph's inputs: what generate.c needs of controls.c and inputs.c. Private to
 * gen/. */
#ifndef BST_INPUTS_H
#define BST_INPUTS_H

#include "model.h"

/* Fills in the card's defaults; BST_USAGE for what the card does not allow. */
enum bst_code controls_resolve(const struct bst_card *card, const struct bst_controls *controls,
                               struct bst_used *used, struct bst_error *err);

/* Room for all inputs of these dims, as a number of floats; false when that is beyond counting. */
bool inputs_count(const struct graph *graph, const int64_t (*dims)[RANK_MAX], size_t *count);

/* Parts of the inputs, for a tile of the picture. */
struct inputs_part {
    const int64_t (*whole)[RANK_MAX];            /* dims of the inputs for all of the picture */
    int64_t row[INPUTS_MAX], column[INPUTS_MAX]; /* where the part of a picture or noise map begins in it */
    const float *const *maps;                    /* from inputs_draw, or NULL */
};

struct inputs_run {
    const struct bst_model *model;
    const struct bst_kernels *kernels;
    struct bst_pool *pool;
    const struct bst_image *picture; /* for an image input, else NULL */
    const struct bst_used *used;
    const struct inputs_part *part; /* NULL: the inputs are whole */
};
/* Room for an input, as a number of floats that keeps the next one aligned. */
static inline size_t input_floats(const struct tensor *t)
{
    size_t bytes = t->count * tensor_item(t);
    return (bytes + 63) / 64 * (64 / sizeof(float));
}

/* Numbers that noise maps take when they are not drawn place by place but one after another, all of each; 0 for Philox. */
size_t inputs_drawn(const struct inputs_run *run, const int64_t (*dims)[RANK_MAX]);
/* Draws these maps into memory; maps[i] is that of input i, or NULL. */
enum bst_code inputs_draw(const struct inputs_run *run, const int64_t (*dims)[RANK_MAX], float *memory,
                          const float **maps, struct bst_error *err);

/* Fills memory, zeroed and with room for them all, with the numbers of the graph's inputs, of these dims;
 * inputs[i] is where number i begins. */
enum bst_code inputs_fill(const struct inputs_run *run, const int64_t (*dims)[RANK_MAX], float *memory,
                          const void **inputs, struct bst_error *err);

#endif
