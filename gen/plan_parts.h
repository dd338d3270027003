/* plan_parts.h - what a plan is made of, for plan.c (inference, preparing, running), plan_fuse.c (what is
 * needed, and what is applied together) and plan_arena.c (where every tensor lies); and for region.c, which looks into
 * plans. Private to the four.
 */
#ifndef BST_PLAN_PARTS_H
#define BST_PLAN_PARTS_H

#include "plan.h"

#define NONE SIZE_MAX

/* A piece of the arena: one tensor, or several that take turns in place. */
struct item {
    size_t bytes, offset;
    size_t first, last; /* places in the order of running */
    size_t parent,
        inset;   /* lies within another item, that many bytes from its beginning; NONE: stands alone */
    size_t area; /* the output whose brought memory it lies in; NONE: the arena */
};

struct plan {
    const struct graph *graph;
    struct plan_options options;
    struct tensor *tensors; /* one a value */
    bool *known;            /* its dims have been inferred */
    int32_t *stands_for;    /* the value that an If makes its output of; itself */
    struct step *steps;     /* one a node that is run, folded nodes left out */
    size_t step_count;
    size_t *head;                  /* at each step: the step that runs in its place, or NONE */
    size_t *maker;                 /* the step that makes a value, or NONE */
    size_t *root;                  /* the value whose memory a value shares; itself if none */
    size_t *uses;                  /* how often steps that are run read a value */
    size_t *reader, *reader_input; /* one of them, and which of its inputs that is */
    bool *needed;                  /* a step leads to an output */
    size_t *item_of;               /* a root's item, or NONE */
    struct item *items;
    size_t item_count;
    bool *fixed;     /* inputs of the graph whose values are constants of the plan */
    size_t *outputs; /* values that the plan makes */
    size_t *outside; /* the item in brought memory that holds one, or NONE */
    size_t output_count;
    void **folded; /* memory of folded constants */
    size_t folded_count, folded_bytes;
    double *seconds; /* that each step took in all runs; NULL: not measured */
    uint64_t runs;
    uint8_t *arena, *scratch, *shared;
    size_t arena_bytes, scratch_each, shared_bytes, outside_bytes,
        prepared_bytes; /* the last: of what steps keep, packed weights above all */
};

static inline size_t value_of_tensor(const struct plan *plan, const struct tensor *t)
{
    return (size_t)(t - plan->tensors);
}

/* Infers and places everything, but prepares no step and takes no memory beyond folded constants. */
enum bst_code plan_sketch(const struct graph *graph, const int64_t (*dims)[RANK_MAX],
                          const struct plan_options *options, struct plan **out, struct bst_error *err);
/* Adds the node to an error. */
enum bst_code plan_where(const struct plan *plan, const struct node *node, struct bst_error *err);

/* The only step that reads what step s makes, or NONE; *index is the input that reads it. */
size_t only_reader(const struct plan *plan, size_t s, size_t *index);

/* Marks the steps that lead to the output and gathers elementwise ones behind the step that applies them. */
void plan_fuse(struct plan *plan);

/* Gives every tensor that a step makes its place; sets arena_bytes. */
enum bst_code plan_place(struct plan *plan, struct bst_error *err);
/* The item that an item lies within, perhaps itself, and where in it. */
size_t item_top(const struct plan *plan, size_t item, size_t *inset);

#endif
