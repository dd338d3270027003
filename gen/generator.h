/* generator.h - a model with its threads, its memory and the plan it was last run with. Private to gen/. */
#ifndef BST_GENERATOR_H
#define BST_GENERATOR_H

#include "tiling.h"

struct bst_generator {
    const struct bst_model *model;
    const struct bst_kernels *kernels;
    struct bst_pool *pool;
    size_t memory;
    bool profile;   /* measure each step */
    unsigned arith; /* version of the rules to work by; 0: the newest */
    bst_progress progress;
    void *progress_arg;
    struct plan *plan; /* the last one, kept for the next picture, and what it was made for: */
    int64_t dims[INPUTS_MAX][RANK_MAX];
    void *values[INPUTS_MAX]; /* of inputs that dims or parameters follow from, else NULL */
    size_t *outputs, output_count;
    bool outside;
    size_t lacking;         /* bytes, when one could not be made for want of memory */
    uint32_t tile_side;     /* as asked for; 0: not */
    struct tiling tiling;   /* of the last picture; without spans when it was made in one piece */
    uint32_t width, height; /* that it is for */
};

/* What a plan is to be made for, beside dims. */
struct plan_wish {
    const void *const
        *inputs; /* each input's numbers, for the case that dims follow from them; NULL entries: none */
    const size_t *outputs; /* places in graph.outputs */
    size_t output_count;
    bool outside; /* see plan.h */
};

/* Makes a plan for these dims unless the last one fits. wish: NULL for the first output and unknown inputs. spent:
 * bytes that the inputs take beside the plan. */
enum bst_code generator_plan(struct bst_generator *g, const int64_t (*dims)[RANK_MAX],
                             const struct plan_wish *wish, size_t spent, struct bst_error *err);

#endif
