/* inputs.h - from controls to the graph's inputs: what generate.c needs of controls.c and inputs.c. Private to
 * gen/. */
#ifndef BST_INPUTS_H
#define BST_INPUTS_H

#include "model.h"

/* Fills in the card's defaults; BST_USAGE for what the card does not allow. */
enum bst_code controls_resolve(const struct bst_card *card, const struct bst_controls *controls,
                               struct bst_used *used, struct bst_error *err);

/* The numbers of the graph's input number index (count of them, of these dims). */
enum bst_code input_fill(const struct bst_model *model, struct bst_pool *pool, size_t index,
                         const int64_t *dims, size_t count, const struct bst_controls *controls,
                         const struct bst_used *used, float *out, struct bst_error *err);

#endif
