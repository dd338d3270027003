/* region.h - how much of the output a run on a part of the inputs makes right, to the bit.
 *
 * A picture that is too large for the memory is made in tiles: the graph is run on crops of its inputs, and of
 * each run those places are kept whose every number is what a run on the whole inputs would give. Which ones
 * they are is worked out here, operator by operator, for each axis of the picture (rows, columns) on its own.
 *
 * Every value of the graph that lies along an axis is known by a struct reach: where its crop begins in the whole,
 * and which places are right. What lies beyond the crop's edge inside the picture was padding to the crop, so
 * places near an inner edge become wrong, and every operator that looks at neighbours makes more of them wrong;
 * at the picture's own edge the crop ends where the whole does, and nothing is wrong. Crops must begin where every
 * stride, pixel shuffle and grid of the graph repeats: region_trace says when they do not.
 *
 * An operator that mixes distant places (means over the picture, attention) makes all of them wrong: the graph is
 * then refused, and the node named. So is one without a rule in region_rules.c. Private to gen/.
 */
#ifndef BST_REGION_H
#define BST_REGION_H

#include "plan.h"

enum { ROWS, COLUMNS, PICTURE_AXES };

/* Along one axis of the picture: places [begin, end) of the whole value are right. */
struct reach {
    int dim;        /* dimension of the value along this axis; -1: none, every run makes the same of it */
    int64_t origin; /* where the crop begins in the whole */
    int64_t begin, end;
};

struct region;

/* whole: dims of every input of the graph for the whole picture. The graph must outlive the region. */
enum bst_code region_new(const struct graph *graph, const int64_t (*whole)[RANK_MAX],
                         const struct plan_options *options, struct region **out, struct bst_error *err);
void region_free(struct region *region);
/* Chooses the dims of every input's crop. */
enum bst_code region_crop(struct region *region, const int64_t (*crop)[RANK_MAX], struct bst_error *err);
/* Bytes that a plan for the crop takes, but for the threads' scratch memory. */
size_t region_bytes(const struct region *region);

/* The graph's first output for the whole picture, without data. */
const struct tensor *region_output(const struct region *region);

/* inputs: along which dimension of each input of the graph an axis lies (-1: none), and where its crop begins. result:
 * what is right of the first output. *factor: 1, or what the origins must be multiplied by to lie on every grid
 * (result is then not set). */
enum bst_code region_trace(const struct region *region, const struct reach (*inputs)[PICTURE_AXES],
                           struct reach result[PICTURE_AXES], int64_t *factor, struct bst_error *err);

/* ---- for the rules: region_rule.h ---- */

struct mark { /* what is known of a value */
    struct reach axis[PICTURE_AXES];
    unsigned same; /* bit d: along dimension d all numbers are the same, wherever a crop begins */
};

struct trace { /* of one node */
    const struct step *whole, *crop;
    const struct mark *in; /* one for each input */
    struct mark *out;      /* one for each output, all without axes to begin with */
    int64_t factor;
};

/* Fills trace->out from trace->in; dims of outputs are checked by the caller. */
enum bst_code region_rule(struct trace *trace, struct bst_error *err);

#endif
