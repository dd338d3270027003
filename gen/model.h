/* model.h - an opened model, for model.c, card.c, generate.c and its parts. Private to gen/. */
#ifndef BST_MODEL_H
#define BST_MODEL_H

#include <fenv.h>

#include "gen.h"
#include "plan.h"

#define INPUTS_MAX    64
#define NAME_MAX_CARD 64

struct bst_model {
    char *path;
    uint64_t bytes;
    uint8_t digest[BST_SHA256_LEN];
    struct graph *graph;
    struct bst_card card;
    int32_t
        roles[INPUTS_MAX]; /* place in card.inputs of each input of the graph; -1: unknown what it is for */
    struct bst_error problem; /* why no card could be derived; the graph still runs on tensors */
};

/* A program around us may round in another direction or flush denormal numbers; the arithmetic of a picture
 * is done in the default environment, which threads inherit when they are made. */
static inline void arithmetic_enter(fenv_t *saved)
{
    fegetenv(saved);
    fesetenv(FE_DFL_ENV);
}

static inline void arithmetic_leave(const fenv_t *saved)
{
    fesetenv(saved);
}

/* Fills model->card from the JSON in the file, or from what the graph shows when there is none. */
enum bst_code card_make(struct bst_model *model, struct bst_error *err);
void card_clear(struct bst_card *card);

/* Dims of all inputs for a run that makes width by height pixels (already a multiple of card.size_multiple).
 */
enum bst_code model_dims(const struct bst_model *model, uint32_t width, uint32_t height,
                         int64_t (*dims)[RANK_MAX], struct bst_error *err);
/* What the graph makes of them; refuses what is no picture. */
enum bst_code model_output(const struct bst_model *model, uint32_t width, uint32_t height, struct tensor *out,
                           struct bst_error *err);

#endif
