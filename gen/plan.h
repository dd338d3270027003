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
};

/* dims: one row for each input of the graph, all set. The graph must outlive the plan. */
enum bst_code plan_make(const struct graph *graph, const int64_t (*dims)[RANK_MAX],
                        const struct plan_options *options, struct plan **out, struct bst_error *err);
void plan_free(struct plan *plan);
/* Only the dims of the graph's first output; takes no memory but for small constants. */
enum bst_code plan_output_dims(const struct graph *graph, const int64_t (*dims)[RANK_MAX],
                               const struct plan_options *options, struct tensor *out, struct bst_error *err);

/* Runs the plan; inputs: one array for each input of the graph. The output stays valid until the next run. */
enum bst_code plan_run(struct plan *plan, struct bst_pool *pool, const float *const *inputs,
                       bst_progress progress, void *progress_arg, const struct tensor **output,
                       struct bst_error *err);
size_t plan_bytes(const struct plan *plan);

#endif
