/* model.h - an opened model, for model.c, card.c, generate.c and its parts. Private to gen/. */
#ifndef BST_MODEL_H
#define BST_MODEL_H

#include <fenv.h>

#include "external.h"
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
    struct external external;
    char *card_text; /* of a card beside the file, else NULL */
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

#define CARD_SIZE_MAX ((size_t)1 << 20) /* bytes of a card */
#define CELL_MAX      4096
#define MARGIN_MAX    4096
#define SCALE_MAX     64
#define CLASSES_MAX   65536
#define CODES_MAX     (1u << 24)

/* Fills model->card from model->card_text, else from the JSON in the file, else from what the graph shows. */
enum bst_code card_make(struct bst_model *model, struct bst_error *err);
void card_clear(struct bst_card *card);
/* Whether an input of the graph can be what the card says. */
bool card_fits(const struct bst_card *card, const struct bst_card_input *role,
               const struct graph_input *input);
/* The range that the graph's last operators hold its output in; false when they do not bound it. */
bool card_bounds(const struct graph *graph, float *low, float *high);
/* What the graph shows of a card, without running it; what is missing is in model->problem. */
enum bst_code card_derive(struct bst_model *model, struct bst_error *err);

/* Which dimension holds channels, rows and columns. */
struct layout {
    size_t c, h, w;
};

static inline struct layout layout_of(bool nhwc)
{
    return nhwc ? (struct layout){3, 1, 2} : (struct layout){1, 2, 3};
}

/* Channels that a picture can have. */
static inline bool picture_channels(int64_t n)
{
    return n == 1 || n == 3 || n == 4;
}

/* Whether an input is a map of cells that each cover some pixels, drawn from the seed. */
static inline bool has_cells(const struct bst_card_input *input)
{
    return input->role == BST_ROLE_NOISE || input->role == BST_ROLE_CODES;
}

/* Dims of all inputs for a run that makes width by height pixels (already a multiple of card.size_multiple).
 */
enum bst_code model_dims(const struct bst_model *model, uint32_t width, uint32_t height,
                         int64_t (*dims)[RANK_MAX], struct bst_error *err);
/* Puts the dims of the graph's output in the order [1, C, H, W]; refuses what is no picture. */
enum bst_code model_picture(const struct bst_model *model, struct tensor *out, struct bst_error *err);
/* What the graph makes of them, [1, C, H, W] whatever its layout; refuses what is no picture. */
enum bst_code model_output(const struct bst_model *model, uint32_t width, uint32_t height, struct tensor *out,
                           struct bst_error *err);

#endif
