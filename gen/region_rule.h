/* region_rule.h - what the rules of region_*.c share. Private to gen/. */
#ifndef BST_REGION_RULE_H
#define BST_REGION_RULE_H

#include "region.h"

typedef enum bst_code rule_fn(struct trace *t, struct bst_error *err);

/* What a rule says when it cannot say which places are right. */
enum bst_code region_refuse(struct bst_error *err, const char *why);
#define SIZE_PARAMETER "a parameter follows from the picture's size"

static inline int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static inline int64_t ceil_div(int64_t a, int64_t b)
{
    return -floor_div(-a, b);
}

static inline int64_t common_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Whether a place is on a grid; if not, t->factor puts it there. */
bool region_on_grid(struct trace *t, int64_t place, int64_t grid);

static inline int64_t whole_side(const struct trace *t, int dim)
{
    return t->whole->inputs[0]->dims[dim];
}

static inline bool bit(unsigned set, size_t i)
{
    return (set >> i & 1) != 0;
}

/* The dimension lies along an axis, or goes on without end. */
static inline bool moves(const struct mark *mark, size_t dim)
{
    return mark->axis[ROWS].dim == (int)dim || mark->axis[COLUMNS].dim == (int)dim || bit(mark->same, dim);
}

static inline bool any_moves(const struct mark *mark)
{
    return mark->axis[ROWS].dim >= 0 || mark->axis[COLUMNS].dim >= 0 || mark->same != 0;
}

/* Refuses inputs beside the first that differ from place to place. */
enum bst_code region_others_stay(const struct trace *t, struct bst_error *err);
/* Whether whole numbers that are parameters are the same for both sizes. */
bool region_same_ints(const struct trace *t, size_t index);
/* The node's axis, counted from the front; false when it has none of the first input's. */
bool region_axis(const struct step *step, int64_t fallback, size_t *axis);
/* A mark whose dimensions from behind on lie by further back. */
struct mark region_shifted(const struct mark *mark, size_t behind, int by);

/* ---- rules that the table names, beside its own ---- */

rule_fn region_broadcast;                                            /* region_rules.c */
rule_fn region_window, region_transposed, region_resize, region_pad; /* region_window.c */
rule_fn region_slice, region_concat, region_split, region_gather;    /* region_move.c */
rule_fn region_transpose, region_depth_to_space, region_space_to_depth, region_reshape, region_spread;

#endif
