/* region.c - walks a graph in two sizes and traces what a crop makes right; see region.h. */
#include "region.h"
#include "plan_parts.h"

#include <stdlib.h>
#include <string.h>

struct region {
    const struct graph *graph;
    struct plan_options options;
    struct plan *whole, *crop; /* inferred, not prepared */
    size_t inputs_max, outputs_max;
};

/* ---- the two plans ---- */

/* The tables of these say which places are read. */
static enum bst_code prepare_tables(struct plan *plan, struct bst_error *err)
{
    for (size_t s = 0; s < plan->step_count; s++) {
        struct step *step = &plan->steps[s];
        if (!plan->needed[s] || step->op->infer != resize_infer) continue;
        enum bst_code code = resize_tables(step, err);
        if (code != BST_OK) return plan_where(plan, step->node, err);
    }
    return BST_OK;
}

static enum bst_code sketch(const struct region *region, const int64_t (*dims)[RANK_MAX], struct plan **out,
                            struct bst_error *err)
{
    enum bst_code code = plan_sketch(region->graph, dims, &region->options, out, err);
    if (code != BST_OK) return code;
    code = prepare_tables(*out, err);
    if (code == BST_OK) return BST_OK;
    plan_free(*out);
    *out = NULL;
    return code;
}

enum bst_code region_new(const struct graph *graph, const int64_t (*whole)[RANK_MAX],
                         const struct plan_options *options, struct region **out, struct bst_error *err)
{
    struct region *region = bst_calloc(1, sizeof *region);
    *out = NULL;
    if (region == NULL) return bst_fail_memory(err);
    region->graph = graph;
    region->options = *options;
    enum bst_code code = sketch(region, whole, &region->whole, err);
    if (code != BST_OK) {
        region_free(region);
        return code;
    }
    for (size_t i = 0; i < region->whole->step_count; i++) {
        const struct step *step = &region->whole->steps[i];
        if (step->input_count > region->inputs_max) region->inputs_max = step->input_count;
        if (step->output_count > region->outputs_max) region->outputs_max = step->output_count;
    }
    *out = region;
    return BST_OK;
}

void region_free(struct region *region)
{
    if (region == NULL) return;
    plan_free(region->whole);
    plan_free(region->crop);
    free(region);
}

/* Both sizes must take the same steps. */
static bool same_steps(const struct plan *a, const struct plan *b)
{
    if (a->step_count != b->step_count) return false;
    for (size_t s = 0; s < a->step_count; s++)
        if (a->steps[s].node != b->steps[s].node || a->needed[s] != b->needed[s]) return false;
    return true;
}

enum bst_code region_crop(struct region *region, const int64_t (*crop)[RANK_MAX], struct bst_error *err)
{
    plan_free(region->crop);
    region->crop = NULL;
    enum bst_code code = sketch(region, crop, &region->crop, err);
    if (code != BST_OK || same_steps(region->whole, region->crop)) return code;
    plan_free(region->crop);
    region->crop = NULL;
    bst_fail(err, BST_USAGE, "the picture cannot be made in tiles: what the graph does depends on its size");
    return bst_where(err, "%s", region->options.name);
}

size_t region_bytes(const struct region *region)
{
    return plan_bytes(region->crop);
}

/* ---- marks ---- */

static const struct mark unmarked = {{{-1, 0, 0, 0}, {-1, 0, 0, 0}}, 0};

static bool marked(const struct mark *mark)
{
    return mark->axis[ROWS].dim >= 0 || mark->axis[COLUMNS].dim >= 0 || mark->same != 0;
}

/* Whether all places along a dimension hold the same numbers. */
static bool same_along(const struct tensor *t, size_t dim)
{
    size_t before = 1, behind = tensor_item(t);
    for (size_t d = 0; d < dim; d++)
        before *= (size_t)t->dims[d];
    for (size_t d = dim + 1; d < t->rank; d++)
        behind *= (size_t)t->dims[d];
    size_t block = behind * (size_t)t->dims[dim];
    for (size_t i = 0; i < before && block > behind; i++) {
        const uint8_t *at = (const uint8_t *)t->data + i * block;
        if (memcmp(at, at + behind, block - behind) != 0) return false;
    }
    return true;
}

/* Whether both hold the same numbers, but for those along dimensions that hold one number each. */
static bool same_numbers(const struct tensor *a, const struct tensor *b, unsigned same)
{
    int64_t at[RANK_MAX] = {0};
    size_t item = tensor_item(a), d;
    for (size_t i = 0; i < a->rank; i++)
        if (a->dims[i] == 0 || b->dims[i] == 0 || ((same >> i & 1) == 0 && a->dims[i] != b->dims[i]))
            return false;
    do {
        size_t place_a = 0, place_b = 0;
        for (size_t i = 0; i < a->rank; i++) {
            place_a = place_a * (size_t)a->dims[i] + (size_t)at[i];
            place_b = place_b * (size_t)b->dims[i] + (size_t)at[i];
        }
        if (memcmp((uint8_t *)a->data + place_a * item, (uint8_t *)b->data + place_b * item, item) != 0)
            return false;
        for (d = a->rank; d > 0; d--) {
            if ((same >> (d - 1) & 1) != 0) continue;
            if (++at[d - 1] < a->dims[d - 1]) break;
            at[d - 1] = 0;
        }
    } while (d > 0);
    return true;
}

/* A constant may have been worked out from the inputs' size, and spread over it. Whole numbers are parameters, and the
 * rules' matter. */
static enum bst_code constant_mark(const struct tensor *whole, const struct tensor *crop, struct mark *mark,
                                   struct bst_error *err)
{
    *mark = unmarked;
    if (whole->kind == KIND_INT || whole->data == crop->data) return BST_OK;
    for (size_t d = 0; d < whole->rank && whole->rank == crop->rank; d++)
        if ((whole->dims[d] != 1 || crop->dims[d] != 1) && same_along(whole, d) && same_along(crop, d))
            mark->same |= 1u << d;
    if (whole->rank == crop->rank && same_numbers(whole, crop, mark->same)) return BST_OK;
    return bst_fail(err, BST_USAGE,
                    "the picture cannot be made in tiles: an input follows from the picture's size");
}

static enum bst_code mark_inputs(const struct trace *trace, const struct mark *marks, struct mark *in,
                                 struct bst_error *err)
{
    const struct node *node = trace->whole->node;
    for (size_t i = 0; i < node->input_count; i++) {
        const struct tensor *whole = trace->whole->inputs[i], *crop = trace->crop->inputs[i];
        enum bst_code code = BST_OK;
        in[i] = unmarked;
        if (whole == NULL) continue;
        /* Scales and sizes of a Resize are compared by what follows from them. */
        bool tables = trace->whole->op->infer == resize_infer && i > 0;
        if (whole->data == NULL)
            in[i] = marks[node->inputs[i]];
        else if (!tables)
            code = constant_mark(whole, crop, &in[i], err);
        if (code != BST_OK) return code;
    }
    return BST_OK;
}

/* Every dimension is of the same size in both runs, or lies along an axis. Places beyond the crop are not made. */
static enum bst_code check_output(struct mark *mark, const struct tensor *whole, const struct tensor *crop,
                                  struct bst_error *err)
{
    bool fits = whole->rank == crop->rank;
    unsigned along = mark->same;
    for (size_t a = 0; a < PICTURE_AXES && fits; a++) {
        struct reach *r = &mark->axis[a];
        if (r->dim < 0) continue;
        int64_t end = r->origin + crop->dims[r->dim];
        fits = r->origin >= 0 && end <= whole->dims[r->dim] && (along >> r->dim & 1) == 0;
        along |= 1u << r->dim;
        if (r->begin < r->origin) r->begin = r->origin;
        if (r->end > end) r->end = end;
        if (r->end < r->begin) r->end = r->begin;
    }
    for (size_t d = 0; d < whole->rank && fits; d++)
        fits = whole->dims[d] == crop->dims[d] || (along >> d & 1) != 0;
    if (fits) return BST_OK;
    char a[DIMS_TEXT], b[DIMS_TEXT];
    return bst_fail(
        err, BST_USAGE,
        "the picture cannot be made in tiles: the whole of %s does not go on where the part of %s ends",
        dims_text(whole->rank, whole->dims, a), dims_text(crop->rank, crop->dims, b));
}

/* ---- the walk ---- */

struct walk {
    const struct region *region;
    struct mark *marks; /* one a value */
    struct mark *in, *out;
    int64_t factor;
};

static enum bst_code trace_step(struct walk *walk, size_t s, struct bst_error *err)
{
    const struct step *whole = &walk->region->whole->steps[s], *crop = &walk->region->crop->steps[s];
    struct trace trace = {whole, crop, walk->in, walk->out, 1};
    bool any = false;
    enum bst_code code = mark_inputs(&trace, walk->marks, walk->in, err);
    for (size_t i = 0; i < whole->input_count; i++)
        any = any || marked(&walk->in[i]);
    for (size_t i = 0; i < whole->output_count; i++)
        walk->out[i] = unmarked;
    /* Expand and Tile make size out of nothing. */
    bool spreads = whole->op->infer == expand_infer || whole->op->infer == tile_infer;
    if (code == BST_OK && (any || spreads)) code = region_rule(&trace, err);
    walk->factor = trace.factor;
    for (size_t i = 0; i < whole->output_count && code == BST_OK && trace.factor == 1; i++) {
        if (whole->outputs[i] == NULL) continue;
        code = check_output(&walk->out[i], whole->outputs[i], crop->outputs[i], err);
        walk->marks[whole->node->outputs[i]] = walk->out[i];
    }
    return code == BST_OK ? BST_OK : plan_where(walk->region->whole, whole->node, err);
}

/* All of the inputs' crops is right. */
static void mark_graph_inputs(const struct region *region, const struct reach (*inputs)[PICTURE_AXES],
                              struct mark *marks)
{
    for (size_t i = 0; i < region->graph->input_count; i++) {
        size_t value = (size_t)region->graph->inputs[i].value;
        for (size_t a = 0; a < PICTURE_AXES; a++) {
            int dim = inputs[i][a].dim;
            int64_t origin = inputs[i][a].origin;
            if (dim < 0) continue;
            marks[value].axis[a] =
                (struct reach){dim, origin, origin, origin + region->crop->tensors[value].dims[dim]};
        }
    }
}

static enum bst_code walk_steps(struct walk *walk, struct bst_error *err)
{
    const struct plan *plan = walk->region->whole;
    enum bst_code code = BST_OK;
    for (size_t s = 0; s < plan->step_count && code == BST_OK && walk->factor == 1; s++)
        if (plan->needed[s]) code = trace_step(walk, s, err);
    return code;
}

const struct tensor *region_output(const struct region *region)
{
    return &region->whole->tensors[region->graph->outputs[0]];
}

enum bst_code region_trace(const struct region *region, const struct reach (*inputs)[PICTURE_AXES],
                           struct reach result[PICTURE_AXES], int64_t *factor, struct bst_error *err)
{
    const struct graph *graph = region->graph;
    struct walk walk = {.region = region, .factor = 1};
    walk.marks = bst_calloc(graph->value_count + 1, sizeof *walk.marks);
    walk.in = bst_calloc(region->inputs_max + 1, sizeof *walk.in);
    walk.out = bst_calloc(region->outputs_max + 1, sizeof *walk.out);
    enum bst_code code = BST_OK;
    if (walk.marks == NULL || walk.in == NULL || walk.out == NULL) {
        code = bst_fail_memory(err);
    } else {
        for (size_t v = 0; v < graph->value_count; v++)
            walk.marks[v] = unmarked;
        mark_graph_inputs(region, inputs, walk.marks);
        code = walk_steps(&walk, err);
        memcpy(result, walk.marks[graph->outputs[0]].axis, sizeof walk.marks->axis);
    }
    *factor = walk.factor;
    free(walk.marks);
    free(walk.in);
    free(walk.out);
    return code;
}
