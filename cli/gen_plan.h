/* gen_plan.h - what "blindstamp gen" is to make, worked out and checked before any work begins. */
#ifndef BST_CLI_GEN_PLAN_H
#define BST_CLI_GEN_PLAN_H

#include "cli.h"

struct gen_plan {
    const struct bst_card *card;
    char *model_name;     /* the card's, else the file's */
    size_t weights_count; /* files of the model beside its own */
    struct bst_weights_file *weights;
    char *card_name; /* of a card beside the model's file, else NULL */
    struct cli_seeds seeds;
    char **paths; /* one a seed */
    const char *folder;
    bool folder_made;
    struct bst_controls controls; /* all but the seed */
    size_t style_count;
    struct bst_style styles[BST_STYLES_MAX]; /* names borrowed from the card */
    struct bst_mix mix[BST_MIX_MAX];         /* of the one picture then made, whose seed is the first */
    bool has_input;
    struct bst_image input;
    const char *input_name;
    uint8_t input_sha256[BST_SHA256_LEN], input_pixels_sha256[BST_SHA256_LEN];
    const char *title, *prompt, *description;
    enum bst_privacy privacy;
    bool force;
    unsigned threads;
    size_t memory;
    uint32_t tile_side;
    int png_level;
};

/* Reads the options and checks all that can be checked: words, sizes, styles, the input picture, and that no
 * output exists (unless --force) and the folder takes files. */
enum bst_code gen_plan_make(const struct cli_args *args, const struct bst_model *model, struct gen_plan *out,
                            struct bst_error *err);
/* Frees the plan; a folder that the plan made and that is still empty is removed again. */
void gen_plan_clear(struct gen_plan *plan);

#endif
