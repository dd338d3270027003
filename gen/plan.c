/* plan.c - from a graph and input sizes to steps over one arena; see plan.h. */
#include "plan_parts.h"

#include "gen.h"
#include "pages.h"

#include <stdlib.h>
#include <string.h>

#define FOLDED_MAX        ((size_t)1 << 30) /* bytes of constants worked out from other constants */
#define NEEDED_VALUES_MAX 4096              /* numbers of an input that is no picture but a parameter */
#define UNSET             SIZE_MAX          /* count of an output whose dims have not been inferred */

size_t plan_bytes(const struct plan *plan)
{
    return plan->arena_bytes + plan->folded_bytes + plan->prepared_bytes +
           plan->scratch_each * plan->options.threads + plan->shared_bytes + plan->outside_bytes;
}

void plan_free(struct plan *plan)
{
    if (plan == NULL) return;
    for (size_t i = 0; plan->steps != NULL && i < plan->graph->node_count; i++) {
        step_release(&plan->steps[i]);
        free(plan->steps[i].inputs);
        free(plan->steps[i].outputs);
        free(plan->steps[i].posts);
    }
    for (size_t i = 0; i < plan->folded_count; i++)
        free(plan->folded[i]);
    void *all[] = {plan->tensors,    plan->known,   plan->steps,  plan->head,         plan->maker,
                   plan->root,       plan->uses,    plan->reader, plan->reader_input, plan->needed,
                   plan->item_of,    plan->items,   plan->folded, plan->outputs,      plan->fixed,
                   plan->stands_for, plan->seconds, plan->outside};
    pages_give(plan->arena, plan->arena_bytes + 64);
    pages_give(plan->scratch, plan->scratch_each * plan->options.threads + 64);
    pages_give(plan->shared, plan->shared_bytes + 64);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]);
    free(plan);
}

enum bst_code plan_where(const struct plan *plan, const struct node *node, struct bst_error *err)
{
    const char *gap = *node->name != 0 ? " " : "";
    return bst_where(err, "%s: node %zu (%s%s%.80s, opset %d)", plan->options.name, node->place, node->type,
                     gap, node->name, plan->graph->opset);
}

/* ---- inference and folding ---- */

static enum bst_code take_tables(struct plan *plan, struct bst_error *err)
{
    size_t values = plan->graph->value_count + 1, nodes = plan->graph->node_count + 1;
    plan->tensors = bst_calloc(values, sizeof *plan->tensors);
    plan->known = bst_calloc(values, sizeof *plan->known);
    plan->stands_for = bst_calloc(values, sizeof *plan->stands_for);
    plan->steps = bst_calloc(nodes, sizeof *plan->steps);
    plan->head = bst_calloc(nodes, sizeof *plan->head);
    plan->maker = bst_calloc(values, sizeof *plan->maker);
    plan->root = bst_calloc(values, sizeof *plan->root);
    plan->uses = bst_calloc(values, sizeof *plan->uses);
    plan->reader = bst_calloc(values, sizeof *plan->reader);
    plan->reader_input = bst_calloc(values, sizeof *plan->reader_input);
    plan->needed = bst_calloc(nodes, sizeof *plan->needed);
    plan->item_of = bst_calloc(values, sizeof *plan->item_of);
    plan->items = bst_calloc(values, sizeof *plan->items);
    plan->folded = bst_calloc(values + plan->graph->input_count, sizeof *plan->folded);
    plan->fixed = bst_calloc(plan->graph->input_count + 1, sizeof *plan->fixed);
    plan->outputs = bst_calloc(plan->options.output_count + 1, sizeof *plan->outputs);
    plan->outside = bst_calloc(plan->options.output_count + 1, sizeof *plan->outside);
    if (plan->tensors == NULL || plan->known == NULL || plan->steps == NULL || plan->head == NULL ||
        plan->maker == NULL || plan->root == NULL || plan->uses == NULL || plan->reader == NULL ||
        plan->reader_input == NULL || plan->needed == NULL || plan->item_of == NULL || plan->items == NULL ||
        plan->folded == NULL || plan->stands_for == NULL || plan->fixed == NULL || plan->outputs == NULL ||
        plan->outside == NULL)
        return bst_fail_memory(err);
    for (size_t v = 0; v < values; v++) {
        plan->maker[v] = plan->item_of[v] = plan->reader[v] = NONE;
        plan->root[v] = v;
        plan->stands_for[v] = (int32_t)v;
    }
    return BST_OK;
}

static enum bst_code fold_memory(struct plan *plan, struct tensor *t, struct bst_error *err)
{
    size_t bytes = tensor_bytes(t), limit = plan->options.memory;
    if (limit == 0 || limit > FOLDED_MAX) limit = FOLDED_MAX;
    if (bytes > limit || plan->folded_bytes + bytes > limit)
        return bst_fail(err, BST_UNREADABLE, "its constants would take more than %zu MB of memory",
                        limit >> 20);
    t->data = bst_calloc(t->count + 1, tensor_item(t));
    if (t->data == NULL) return bst_fail_memory(err);
    plan->folded[plan->folded_count++] = t->data;
    plan->folded_bytes += bytes;
    return BST_OK;
}

/* An input whose values are known is a constant of the plan's own. */
static enum bst_code fix_input(struct plan *plan, struct tensor *t, const void *values, struct bst_error *err)
{
    enum bst_code code = fold_memory(plan, t, err);
    if (code == BST_OK && t->count > 0) memcpy(t->data, values, tensor_bytes(t));
    return code;
}

static enum bst_code set_inputs(struct plan *plan, const int64_t (*dims)[RANK_MAX], struct bst_error *err)
{
    const struct graph *graph = plan->graph;
    char text[DIMS_TEXT];
    enum bst_code code = BST_OK;
    for (size_t v = 0; v < graph->value_count; v++) {
        if (graph->values[v].constant == NULL) continue;
        plan->tensors[v] = *graph->values[v].constant;
        plan->known[v] = true;
    }
    for (size_t i = 0; i < graph->input_count && code == BST_OK; i++) {
        const struct graph_input *input = &graph->inputs[i];
        struct tensor *t = &plan->tensors[input->value];
        if (!tensor_set_dims(t, input->kind, input->rank, dims[i]))
            return bst_fail(err, BST_USAGE, "%s: input '%.80s' cannot be %s", plan->options.name, input->name,
                            dims_text(input->rank, dims[i], text));
        plan->known[input->value] = true;
        plan->fixed[i] = plan->options.values != NULL && plan->options.values[i] != NULL;
        if (plan->fixed[i]) code = fix_input(plan, t, plan->options.values[i], err);
    }
    return code;
}

static enum bst_code step_make(struct plan *plan, const struct node *node, struct step *step,
                               struct bst_error *err)
{
    *step = (struct step){.node = node,
                          .op = node->op,
                          .opset = plan->graph->opset,
                          .arith = plan->options.arith != 0 ? plan->options.arith : BST_ARITH_VERSION,
                          .input_count = node->input_count,
                          .output_count = node->output_count};
    step->inputs = bst_calloc(node->input_count + 1, sizeof *step->inputs);
    step->outputs = bst_calloc(node->output_count + 1, sizeof *step->outputs);
    if (step->inputs == NULL || step->outputs == NULL) return bst_fail_memory(err);
    for (size_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i] < 0) continue;
        int32_t v = plan->stands_for[node->inputs[i]];
        if (!plan->known[v])
            return bst_fail(err, BST_UNREADABLE, "input '%.80s' is an output that is not supported",
                            plan->graph->values[v].name);
        step->inputs[i] = &plan->tensors[v];
    }
    for (size_t i = 0; i < node->output_count; i++) {
        if (node->outputs[i] < 0) continue;
        step->outputs[i] = &plan->tensors[node->outputs[i]];
        step->outputs[i]->count = UNSET;
    }
    step->result = step->outputs[0];
    return BST_OK;
}

static enum bst_code too_large(const struct plan *plan, size_t bytes, struct bst_error *err)
{
    if (plan->options.lacking != NULL) *plan->options.lacking = bytes - plan->options.memory;
    bst_fail(err, BST_FAILURE, "this size needs %zu MB of memory and %zu MB may be used", (bytes >> 20) + 1,
             plan->options.memory >> 20);
    bst_where(err, "%s", plan->options.name);
    return bst_hint(err, "ask for a smaller picture, or allow more memory");
}

static bool all_constant(const struct step *step)
{
    for (size_t i = 0; i < step->input_count; i++)
        if (step->inputs[i] != NULL && step->inputs[i]->data == NULL) return false;
    return true;
}

/* Puts the step's own functions and those of the steps fused into it in one list. */
static enum bst_code add_posts(struct step *step, const struct post *posts, size_t count,
                               struct bst_error *err)
{
    if (count == 0) return BST_OK;
    struct post *all = realloc(step->posts, (step->post_count + count) * sizeof *all);
    if (all == NULL) return bst_fail_memory(err);
    memcpy(all + step->post_count, posts, count * sizeof *all);
    step->posts = all;
    step->post_count += count;
    return BST_OK;
}

static enum bst_code fold(struct plan *plan, struct step *step, struct bst_error *err)
{
    enum bst_code code = BST_OK;
    if (step->alias) {
        step->outputs[0]->data = step->inputs[0]->data;
        return BST_OK;
    }
    for (size_t i = 0; i < step->output_count && code == BST_OK; i++)
        if (step->outputs[i] != NULL) code = fold_memory(plan, step->outputs[i], err);
    if (code == BST_OK && step->op->prepare != NULL)
        code = step->op->prepare(step, plan->options.kernels, 1, err);
    if (code == BST_OK) code = add_posts(step, step->own, step->own_count, err);
    atomic_bool out_of_range = false;
    struct run run = {plan->options.kernels, NULL, NULL, step->scratch, NULL, &out_of_range};
    if (code == BST_OK && step->scratch + step->shared > 0) {
        run.scratch = step_take(step, step->scratch + 1, 1);
        run.shared = step_take(step, step->shared + 1, 1);
        if (run.scratch == NULL || run.shared == NULL) code = bst_fail_memory(err);
    }
    if (code == BST_OK) step->op->run(step, &run);
    return out_of_range ? bst_fail(err, BST_UNREADABLE, "an index is out of range") : code;
}

/* Marks the inputs of the graph that the step's inputs follow from, other than its first unless that is the only
 * one: knowing their values might let it be inferred. */
static void note_needs(struct plan *plan, const struct step *step)
{
    const struct graph *graph = plan->graph;
    bool *follows = plan->options.needs != NULL ? bst_calloc(graph->value_count + 1, sizeof *follows) : NULL;
    if (follows == NULL) return;
    bool others = false;
    for (size_t i = step->input_count; i-- > 0;) {
        if (step->inputs[i] == NULL || step->inputs[i]->data != NULL || (i == 0 && others)) continue;
        follows[value_of_tensor(plan, step->inputs[i])] = others = true;
    }
    for (size_t s = plan->step_count; s-- > 0;) {
        const struct step *before = &plan->steps[s];
        bool leads = false;
        for (size_t i = 0; i < before->output_count; i++)
            leads =
                leads || (before->outputs[i] != NULL && follows[value_of_tensor(plan, before->outputs[i])]);
        for (size_t i = 0; i < before->input_count && leads; i++)
            if (before->inputs[i] != NULL) follows[value_of_tensor(plan, before->inputs[i])] = true;
    }
    for (size_t i = 0; i < graph->input_count; i++) {
        const struct tensor *t = &plan->tensors[graph->inputs[i].value];
        plan->options.needs[i] =
            follows[graph->inputs[i].value] && t->data == NULL && t->count <= NEEDED_VALUES_MAX;
    }
    free(follows);
}

static enum bst_code infer_node(struct plan *plan, const struct node *node, struct bst_error *err)
{
    struct step *step = &plan->steps[plan->step_count];
    enum bst_code code = step_make(plan, node, step, err);
    if (code == BST_OK) code = step->op->infer(step, err);
    if (code != BST_OK) {
        note_needs(plan, step);
        return plan_where(plan, step->node, err);
    }
    bool folded = (step->op->flags & OP_FOLD) != 0 || all_constant(step);
    for (size_t i = 0; i < node->output_count; i++) {
        if (step->outputs[i] == NULL) continue;
        plan->known[node->outputs[i]] = step->outputs[i]->count != UNSET;
        if (!plan->known[node->outputs[i]]) step->outputs[i] = NULL;
    }
    if (!folded) {
        for (size_t i = 0; i < node->output_count; i++)
            if (step->outputs[i] != NULL) plan->maker[node->outputs[i]] = plan->step_count;
        plan->step_count++;
        return BST_OK;
    }
    code = fold(plan, step, err);
    if (code != BST_OK) plan_where(plan, step->node, err);
    step_release(step);
    free(step->inputs);
    free(step->outputs);
    free(step->posts);
    *step = (struct step){0};
    return code;
}

/* ---- branches ---- */

/* What a condition is; it must be known. */
static enum bst_code read_condition(struct plan *plan, const struct node *node, int32_t value, bool *out,
                                    struct bst_error *err)
{
    int32_t v = plan->stands_for[value];
    const struct tensor *t = &plan->tensors[v], *inputs[1] = {t};
    struct step step = {.node = node, .input_count = 1, .inputs = inputs};
    if (plan->known[v] && t->data != NULL && t->kind == KIND_INT && t->count == 1) {
        *out = tensor_ints(t)[0] != 0;
        return BST_OK;
    }
    if (plan->known[v] && t->data == NULL) note_needs(plan, &step);
    bst_fail(err, BST_UNREADABLE, "the condition '%.80s' of an If %s", plan->graph->values[value].name,
             t->data == NULL ? "depends on the picture's data" : "is not one boolean");
    plan_where(plan, node, err);
    return bst_hint(err, "export the model with conditions that depend on sizes alone");
}

/* Whether the nodes behind a guard are part of the plan. Guards are nested only a few deep. */
static enum bst_code guard_taken(struct plan *plan, const struct node *node, int32_t guard, bool *taken,
                                 struct bst_error *err)
{
    *taken = true;
    if (guard < 0) return BST_OK;
    const struct guard *g = &plan->graph->guards[guard];
    enum bst_code code = guard_taken(plan, node, g->parent, taken, err);
    if (code != BST_OK || !*taken) return code;
    code = read_condition(plan, node, g->condition, taken, err);
    *taken = *taken == g->branch;
    return code;
}

/* An If's outputs are what the branch taken makes. */
static enum bst_code choose_branch(struct plan *plan, const struct node *node, struct bst_error *err)
{
    bool first;
    enum bst_code code = read_condition(plan, node, node->inputs[0], &first, err);
    if (code != BST_OK) return code;
    for (size_t i = 0; i < node->output_count; i++)
        if (node->outputs[i] >= 0)
            plan->stands_for[node->outputs[i]] =
                plan->stands_for[node->inputs[1 + i + (first ? 0 : node->output_count)]];
    return BST_OK;
}

static enum bst_code infer_if_taken(struct plan *plan, const struct node *node, struct bst_error *err)
{
    bool taken;
    enum bst_code code = guard_taken(plan, node, node->guard, &taken, err);
    if (code != BST_OK || !taken) return code;
    return node_branches(node) ? choose_branch(plan, node, err) : infer_node(plan, node, err);
}

static enum bst_code set_outputs(struct plan *plan, struct bst_error *err)
{
    const struct graph *graph = plan->graph;
    plan->output_count = plan->options.outputs != NULL ? plan->options.output_count : 1;
    for (size_t i = 0; i < plan->output_count; i++) {
        size_t place = plan->options.outputs != NULL ? plan->options.outputs[i] : 0;
        plan->outputs[i] = (size_t)plan->stands_for[graph->outputs[place]];
        if (!plan->known[plan->outputs[i]])
            return bst_fail(err, BST_UNREADABLE, "%s: the graph's output '%.80s' is not supported",
                            plan->options.name, graph->values[plan->outputs[i]].name);
    }
    return BST_OK;
}

static enum bst_code infer(struct plan *plan, const int64_t (*dims)[RANK_MAX], struct bst_error *err)
{
    enum bst_code code = take_tables(plan, err);
    if (code == BST_OK) code = set_inputs(plan, dims, err);
    for (size_t i = 0; i < plan->graph->node_count && code == BST_OK; i++)
        code = infer_if_taken(plan, &plan->graph->nodes[i], err);
    if (code == BST_OK) code = set_outputs(plan, err);
    return code;
}

static bool exceeds_memory(const struct plan *plan)
{
    return plan->options.memory != 0 && plan_bytes(plan) > plan->options.memory;
}

/* ---- preparing ---- */

/* The posts as they are first stay where they are, for the merged ones to point to. */
static enum bst_code merge_posts(struct step *step, struct bst_error *err)
{
    if (step->post_count < 2) return BST_OK;
    struct post *parts = step_take(step, step->post_count, sizeof *parts);
    if (parts == NULL) return bst_fail_memory(err);
    memcpy(parts, step->posts, step->post_count * sizeof *parts);
    step->post_count = posts_merge(parts, step->post_count, step->posts);
    return BST_OK;
}

static enum bst_code prepare(struct plan *plan, struct bst_error *err)
{
    for (size_t s = 0; s < plan->step_count; s++) {
        struct step *step = &plan->steps[s];
        if (!plan->needed[s] || step->op->prepare == NULL) continue;
        enum bst_code code = step->op->prepare(step, plan->options.kernels, plan->options.threads, err);
        if (code != BST_OK) return plan_where(plan, step->node, err);
        plan->prepared_bytes += step_bytes(step);
        if (step->scratch > plan->scratch_each) plan->scratch_each = (step->scratch + 63) / 64 * 64;
        if (step->shared > plan->shared_bytes) plan->shared_bytes = step->shared;
        /* what does not fit is counted, for the error to name, but not kept */
        if (exceeds_memory(plan)) step_release(step);
    }
    if (exceeds_memory(plan)) return too_large(plan, plan_bytes(plan), err);
    for (size_t p = 0; p < plan->step_count; p++) {
        if (plan->head[p] == NONE) continue;
        struct step *head = &plan->steps[plan->head[p]];
        enum bst_code code = add_posts(head, head->own, head->own_count, err);
        for (size_t s = plan->head[p]; s != p && code == BST_OK;) {
            struct post post;
            size_t index = 0;
            s = only_reader(plan, s, &index);
            if (plan->steps[s].crops) continue;
            op_post(&plan->steps[s], index, &post);
            code = add_posts(head, &post, 1, err);
        }
        if (code == BST_OK) code = merge_posts(head, err);
        if (code != BST_OK) return code;
    }
    return BST_OK;
}

/* What lies in an area. */
static void place_tensors(struct plan *plan, size_t area, uint8_t *memory)
{
    for (size_t v = 0; v < plan->graph->value_count; v++) {
        size_t inset, top = plan->item_of[v] != NONE ? item_top(plan, plan->item_of[v], &inset) : NONE;
        if (top != NONE && plan->items[top].area == area)
            plan->tensors[v].data = memory + plan->items[top].offset + inset;
    }
}

static enum bst_code take_memory(struct plan *plan, struct bst_error *err)
{
    plan->arena = pages_take(plan->arena_bytes + 64);
    plan->scratch = pages_take(plan->scratch_each * plan->options.threads + 64);
    plan->shared = pages_take(plan->shared_bytes + 64);
    if (plan->options.profile) plan->seconds = bst_calloc(plan->step_count, sizeof *plan->seconds);
    if (plan->arena == NULL || plan->scratch == NULL || plan->shared == NULL ||
        (plan->options.profile && plan->seconds == NULL))
        return bst_fail_memory(err);
    place_tensors(plan, NONE, plan->arena);
    return BST_OK;
}

static struct plan *plan_new(const struct graph *graph, const struct plan_options *options)
{
    struct plan *plan = bst_calloc(1, sizeof *plan);
    if (plan == NULL) return NULL;
    plan->graph = graph;
    plan->options = *options;
    return plan;
}

enum bst_code plan_sketch(const struct graph *graph, const int64_t (*dims)[RANK_MAX],
                          const struct plan_options *options, struct plan **out, struct bst_error *err)
{
    struct plan *plan = plan_new(graph, options);
    *out = NULL;
    if (plan == NULL) return bst_fail_memory(err);
    enum bst_code code = infer(plan, dims, err);
    if (code == BST_OK) {
        plan_fuse(plan);
        code = plan_place(plan, err);
    }
    if (code == BST_OK)
        *out = plan;
    else
        plan_free(plan);
    return code;
}

enum bst_code plan_make(const struct graph *graph, const int64_t (*dims)[RANK_MAX],
                        const struct plan_options *options, struct plan **out, struct bst_error *err)
{
    struct plan *plan;
    *out = NULL;
    enum bst_code code = plan_sketch(graph, dims, options, &plan, err);
    if (code != BST_OK) return code;
    if (exceeds_memory(plan)) code = too_large(plan, plan_bytes(plan), err);
    if (code == BST_OK) code = prepare(plan, err); /* weights and the threads' scratch memory come to it */
    if (code == BST_OK) code = take_memory(plan, err);
    if (code != BST_OK) {
        plan_free(plan);
        return code;
    }
    *out = plan;
    return BST_OK;
}

enum bst_code plan_output_dims(const struct graph *graph, const int64_t (*dims)[RANK_MAX],
                               const struct plan_options *options, struct tensor *out, struct bst_error *err)
{
    struct plan *plan = plan_new(graph, options);
    if (plan == NULL) return bst_fail_memory(err);
    enum bst_code code = infer(plan, dims, err);
    if (code == BST_OK) *out = plan->tensors[graph->outputs[0]];
    out->data = NULL;
    plan_free(plan);
    return code;
}

/* ---- running ---- */

/* Inputs belong to the caller and change from run to run; tensors that share their memory follow. */
static void point_at_inputs(struct plan *plan, const void *const *inputs)
{
    for (size_t i = 0; i < plan->graph->input_count; i++) {
        const void *data = inputs[i];
        if (plan->fixed[i]) continue;
        memcpy(&plan->tensors[plan->graph->inputs[i].value].data, &data, sizeof data);
    }
    for (size_t v = 0; v < plan->graph->value_count; v++)
        if (plan->root[v] != v) plan->tensors[v].data = plan->tensors[plan->root[v]].data;
}

const struct tensor *plan_output(const struct plan *plan, size_t index)
{
    return &plan->tensors[plan->outputs[index]];
}

size_t plan_outside(const struct plan *plan, size_t index)
{
    return plan->outside[index] != NONE ? plan->items[plan->outside[index]].bytes : 0;
}

void plan_bring(struct plan *plan, size_t index, void *memory)
{
    place_tensors(plan, index, memory);
}

enum bst_code plan_run(struct plan *plan, struct bst_pool *pool, const void *const *inputs,
                       bst_progress progress, void *progress_arg, const struct tensor **output,
                       struct bst_error *err)
{
    atomic_bool out_of_range = false;
    struct run run = {plan->options.kernels, pool,         plan->scratch,
                      plan->scratch_each,    plan->shared, &out_of_range};
    point_at_inputs(plan, inputs);
    for (size_t p = 0; p < plan->step_count; p++) {
        if (progress != NULL && !progress(progress_arg, p, plan->step_count))
            return bst_fail(err, BST_FAILURE, "interrupted");
        if (plan->head[p] == NONE) continue;
        const struct step *head = &plan->steps[plan->head[p]];
        double start = plan->seconds != NULL ? bst_monotonic_s() : 0;
        if (!head->alias) head->op->run(head, &run);
        if (plan->seconds != NULL) plan->seconds[p] += bst_monotonic_s() - start;
        if (out_of_range) {
            bst_fail(err, BST_USAGE, "an index is out of range");
            return plan_where(plan, head->node, err);
        }
    }
    if (progress != NULL) progress(progress_arg, plan->step_count, plan->step_count);
    plan->runs++;
    *output = plan_output(plan, 0);
    return BST_OK;
}
