/* plan.h - a graph made ready for one set of input sizes: constants folded, elementwise steps fused into the
 * steps before them, weights packed, and every intermediate tensor given its place in one arena, so that the
 * memory a picture takes is known before any of it is taken. Private to gen/.
 */
#ifndef BST_PLAN_H
#define BST_PLAN_H

#include "op.h"

struct plan;

struct plan_options {
    const struct bst_kernels *kernels;
    unsigned threads;
    size_t memory;    /* bytes that the plan may take; 0: no limit */
    const char *name; /* of the model, for messages */
    bool profile;     /* measure each step */
    unsigned arith;   /* version of the rules of arithmetic.md; 0: the newest */
    /* Inputs that are known beforehand, because dims or parameters follow from them: one array for each input of
     * the graph, NULL for those that are given when the plan is run. They are only read while the plan is made.
     * NULL: none is known. */
    const void *const *values;
    const size_t *outputs; /* places in graph.outputs of those to make; NULL: the first */
    size_t output_count;
    bool
        outside; /* outputs are made in memory that is brought for each run, where that can be (plan_outside) */
    /* One for each input of the graph, set when no plan can be made: whether it could perhaps be with the values of
     * that input. NULL: not asked. */
    bool *needs;
    size_t
        *lacking; /* set when no plan can be made for want of memory: bytes that it lacks. NULL: not asked */
};

/* dims: one row for each input of the graph, all set. The graph must outlive the plan. */
enum bst_code plan_make(const struct graph *graph, const int64_t (*dims)[RANK_MAX],
                        const struct plan_options *options, struct plan **out, struct bst_error *err);
void plan_free(struct plan *plan);
/* Only the dims of the graph's first output; takes no memory but for small constants. */
enum bst_code plan_output_dims(const struct graph *graph, const int64_t (*dims)[RANK_MAX],
                               const struct plan_options *options, struct tensor *out, struct bst_error *err);

/* Runs the plan; inputs: one array of float or int64_t for each input of the graph. Outputs stay valid until the
 * next run; *output is the first that the plan makes. */
enum bst_code plan_run(struct plan *plan, struct bst_pool *pool, const void *const *inputs,
                       bst_progress progress, void *progress_arg, const struct tensor **output,
                       struct bst_error *err);
/* The output that the plan makes at place index of options.outputs. */
const struct tensor *plan_output(const struct plan *plan, size_t index);
/* With options.outside: bytes of the memory that an output is to be made in, 0 for one that shares an input's, a
 * constant's or another output's. Such memory is brought before each run, and is the caller's after it. */
size_t plan_outside(const struct plan *plan, size_t index);
void plan_bring(struct plan *plan, size_t index, void *memory);
/* Of everything that the plan takes, and of the outputs outside. */
size_t plan_bytes(const struct plan *plan);

#endif
