/* plan.c - from a graph and input sizes to steps over one arena; see plan.h. */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#define NONE SIZE_MAX

/* A piece of the arena: one tensor, or several that take turns in place. */
struct item {
    size_t bytes, offset;
    size_t first, last; /* places in the order of running */
    size_t parent,
        inset; /* lies within another item, that many bytes from its beginning; NONE: stands alone */
};

struct plan {
    const struct graph *graph;
    struct plan_options options;
    struct tensor *tensors; /* one a value */
    bool *known;            /* its dims have been inferred */
    struct step *steps;     /* one a node that is run, folded nodes left out */
    size_t step_count;
    size_t *head;                  /* at each step: the step that runs in its place, or NONE */
    size_t *maker;                 /* the step that makes a value, or NONE */
    size_t *root;                  /* the value whose memory a value shares; itself if none */
    size_t *uses;                  /* how often steps that are run read a value */
    size_t *reader, *reader_input; /* one of them, and which of its inputs that is */
    bool *needed;                  /* a step leads to the output */
    size_t *item_of;               /* a root's item, or NONE */
    struct item *items;
    size_t item_count;
    void **folded; /* memory of folded constants */
    size_t folded_count, folded_bytes;
    uint8_t *arena, *scratch;
    size_t arena_bytes, scratch_each;
};

size_t plan_bytes(const struct plan *plan)
{
    return plan->arena_bytes + plan->folded_bytes + plan->scratch_each * plan->options.threads;
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
    void *all[] = {plan->tensors, plan->known, plan->steps,  plan->head,         plan->maker,
                   plan->root,    plan->uses,  plan->reader, plan->reader_input, plan->needed,
                   plan->item_of, plan->items, plan->folded, plan->arena,        plan->scratch};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]);
    free(plan);
}

static enum bst_code node_where(const struct plan *plan, const struct step *step, struct bst_error *err)
{
    const char *gap = *step->node->name != 0 ? " " : "";
    return bst_where(err, "%s: node %zu (%s%s%.80s, opset %d)", plan->options.name,
                     (size_t)(step->node - plan->graph->nodes), step->op->name, gap, step->node->name,
                     step->opset);
}

/* ---- inference and folding ---- */

static enum bst_code take_tables(struct plan *plan, struct bst_error *err)
{
    size_t values = plan->graph->value_count + 1, nodes = plan->graph->node_count + 1;
    plan->tensors = bst_calloc(values, sizeof *plan->tensors);
    plan->known = bst_calloc(values, sizeof *plan->known);
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
    plan->folded = bst_calloc(values, sizeof *plan->folded);
    if (plan->tensors == NULL || plan->known == NULL || plan->steps == NULL || plan->head == NULL ||
        plan->maker == NULL || plan->root == NULL || plan->uses == NULL || plan->reader == NULL ||
        plan->reader_input == NULL || plan->needed == NULL || plan->item_of == NULL || plan->items == NULL ||
        plan->folded == NULL)
        return bst_fail_memory(err);
    for (size_t v = 0; v < values; v++) {
        plan->maker[v] = plan->item_of[v] = NONE;
        plan->root[v] = v;
    }
    return BST_OK;
}

static enum bst_code set_inputs(struct plan *plan, const int64_t (*dims)[RANK_MAX], struct bst_error *err)
{
    const struct graph *graph = plan->graph;
    char text[DIMS_TEXT];
    for (size_t v = 0; v < graph->value_count; v++) {
        if (graph->values[v].constant == NULL) continue;
        plan->tensors[v] = *graph->values[v].constant;
        plan->known[v] = true;
    }
    for (size_t i = 0; i < graph->input_count; i++) {
        const struct graph_input *input = &graph->inputs[i];
        if (input->kind != KIND_FLOAT)
            return bst_fail(err, BST_UNREADABLE,
                            "%s: input '%.80s' takes whole numbers, which is not supported",
                            plan->options.name, input->name);
        if (!tensor_set_dims(&plan->tensors[input->value], KIND_FLOAT, input->rank, dims[i]))
            return bst_fail(err, BST_USAGE, "%s: input '%.80s' cannot be %s", plan->options.name, input->name,
                            dims_text(input->rank, dims[i], text));
        plan->known[input->value] = true;
    }
    return BST_OK;
}

static enum bst_code step_make(struct plan *plan, const struct node *node, struct step *step,
                               struct bst_error *err)
{
    *step = (struct step){.node = node,
                          .op = node->op,
                          .opset = plan->graph->opset,
                          .input_count = node->input_count,
                          .output_count = node->output_count};
    step->inputs = bst_calloc(node->input_count + 1, sizeof *step->inputs);
    step->outputs = bst_calloc(node->output_count + 1, sizeof *step->outputs);
    if (step->inputs == NULL || step->outputs == NULL) return bst_fail_memory(err);
    for (size_t i = 0; i < node->input_count; i++) {
        int32_t v = node->inputs[i];
        if (v < 0) continue;
        if (!plan->known[v])
            return bst_fail(err, BST_UNREADABLE, "input '%.80s' is an output that is not supported",
                            plan->graph->values[v].name);
        step->inputs[i] = &plan->tensors[v];
    }
    for (size_t i = 0; i < node->output_count; i++)
        if (node->outputs[i] >= 0) step->outputs[i] = &plan->tensors[node->outputs[i]];
    step->result = step->outputs[0];
    return BST_OK;
}

static enum bst_code too_large(const struct plan *plan, size_t bytes, struct bst_error *err)
{
    bst_fail(err, BST_FAILURE, "this size needs %zu MB of memory and %zu MB may be used", (bytes >> 20) + 1,
             plan->options.memory >> 20);
    bst_where(err, "%s", plan->options.name);
    return bst_hint(err, "ask for a smaller picture, or allow more memory");
}

static enum bst_code fold_memory(struct plan *plan, struct tensor *t, struct bst_error *err)
{
    size_t bytes = t->count * tensor_item(t);
    if (plan->options.memory != 0 &&
        (bytes > plan->options.memory || plan->folded_bytes + bytes > plan->options.memory))
        return too_large(plan, plan->folded_bytes + bytes, err);
    t->data = bst_calloc(t->count + 1, tensor_item(t));
    if (t->data == NULL) return bst_fail_memory(err);
    plan->folded[plan->folded_count++] = t->data;
    plan->folded_bytes += bytes;
    return BST_OK;
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
        if (step->outputs[i] != NULL && plan->known[step->node->outputs[i]])
            code = fold_memory(plan, step->outputs[i], err);
    if (code == BST_OK && step->op->prepare != NULL)
        code = step->op->prepare(step, plan->options.kernels, 1, err);
    if (code == BST_OK) code = add_posts(step, step->own, step->own_count, err);
    struct run run = {plan->options.kernels, NULL, NULL, step->scratch};
    if (code == BST_OK && step->scratch > 0) {
        run.scratch = step_take(step, step->scratch, 1);
        if (run.scratch == NULL) code = bst_fail_memory(err);
    }
    if (code == BST_OK) step->op->run(step, &run);
    return code;
}

static enum bst_code infer_node(struct plan *plan, const struct node *node, struct bst_error *err)
{
    struct step *step = &plan->steps[plan->step_count];
    enum bst_code code = step_make(plan, node, step, err);
    if (code == BST_OK) code = step->op->infer(step, err);
    if (code != BST_OK) return node_where(plan, step, err);
    bool folded = (step->op->flags & OP_FOLD) != 0 || all_constant(step);
    for (size_t i = 0; i < node->output_count; i++) {
        if (node->outputs[i] < 0 || (i > 0 && node->op->outputs_max <= 2)) continue;
        plan->known[node->outputs[i]] = true;
        if (!folded && plan->tensors[node->outputs[i]].kind == KIND_INT) {
            step_bad(err, "its whole numbers depend on the picture's data, which is not supported");
            return node_where(plan, step, err);
        }
    }
    if (!folded) {
        for (size_t i = 0; i < node->output_count; i++)
            if (node->outputs[i] >= 0) plan->maker[node->outputs[i]] = plan->step_count;
        plan->step_count++;
        return BST_OK;
    }
    code = fold(plan, step, err);
    if (code != BST_OK) node_where(plan, step, err);
    step_release(step);
    free(step->inputs);
    free(step->outputs);
    free(step->posts);
    *step = (struct step){0};
    return code;
}

static enum bst_code infer(struct plan *plan, const int64_t (*dims)[RANK_MAX], struct bst_error *err)
{
    enum bst_code code = take_tables(plan, err);
    if (code == BST_OK) code = set_inputs(plan, dims, err);
    for (size_t i = 0; i < plan->graph->node_count && code == BST_OK; i++)
        code = infer_node(plan, &plan->graph->nodes[i], err);
    if (code == BST_OK && !plan->known[plan->graph->outputs[0]])
        return bst_fail(err, BST_UNREADABLE, "%s: the graph's output is not supported", plan->options.name);
    if (code == BST_OK && plan->tensors[plan->graph->outputs[0]].kind != KIND_FLOAT)
        return bst_fail(err, BST_UNREADABLE, "%s: the graph's output holds whole numbers",
                        plan->options.name);
    return code;
}

/* ---- what is needed, and what is fused ---- */

static void mark_needed(struct plan *plan)
{
    size_t output = (size_t)plan->graph->outputs[0];
    plan->uses[output]++;
    if (plan->maker[output] != NONE) plan->needed[plan->maker[output]] = true;
    for (size_t s = plan->step_count; s-- > 0;) {
        const struct node *node = plan->steps[s].node;
        if (!plan->needed[s]) continue;
        for (size_t i = 0; i < node->input_count; i++) {
            if (node->inputs[i] < 0) continue;
            plan->uses[node->inputs[i]]++;
            plan->reader[node->inputs[i]] = s;
            plan->reader_input[node->inputs[i]] = i;
            if (plan->maker[node->inputs[i]] != NONE) plan->needed[plan->maker[node->inputs[i]]] = true;
        }
    }
}

/* The only step that reads what step s makes, or NONE; *index is the input that reads it. */
static size_t only_reader(const struct plan *plan, size_t s, size_t *index)
{
    int32_t v = plan->steps[s].node->outputs[0];
    if (plan->uses[v] != 1 || v == plan->graph->outputs[0]) return NONE;
    *index = plan->reader_input[v];
    return plan->reader[v];
}

/* Steps behind step s that are elementwise, and that alone read what the step before them makes, are applied
 * by s, which then runs in the place of the last of them: everything that any of them reads exists by then.
 * So is a Slice behind a Resize. */
static void fuse_behind(struct plan *plan, size_t s)
{
    struct step *head = &plan->steps[s];
    size_t last = s, next, index = 0;
    struct post post;
    while ((next = only_reader(plan, last, &index)) != NONE) {
        struct step *step = &plan->steps[next];
        if (step->fused) break; /* the sum of two products belongs to the first */
        step->crops = (head->op->flags & OP_CROPS) != 0 && last == s && index == 0 &&
                      slice_crops(step, &head->crop_y, &head->crop_x);
        if (!step->crops && ((step->op->flags & OP_ELEMENTWISE) == 0 || !op_post(step, index, &post) ||
                             !tensor_same_dims(step->outputs[0], head->result)))
            break;
        if (!step->crops && (head->op->flags & OP_POSTS_FLAT) != 0 && post.form == POST_BINARY &&
            post.pixel != 0)
            break;
        step->fused = true;
        plan->head[last] = NONE;
        plan->head[next] = s;
        head->result = step->outputs[0];
        last = next;
    }
}

static void fuse(struct plan *plan)
{
    for (size_t s = 0; s < plan->step_count; s++)
        plan->head[s] = plan->needed[s] ? s : NONE;
    for (size_t s = 0; s < plan->step_count; s++) {
        struct step *step = &plan->steps[s];
        if (plan->needed[s] && !step->fused && (step->op->flags & (OP_POSTS | OP_POSTS_FLAT)) != 0)
            fuse_behind(plan, s);
    }
}

/* ---- the arena ---- */

static size_t value_of_tensor(const struct plan *plan, const struct tensor *t)
{
    return (size_t)(t - plan->tensors);
}

/* The step fused behind step s of the group that runs at place p, or NONE. */
static size_t group_next(const struct plan *plan, size_t s, size_t p)
{
    size_t index;
    return s == p ? NONE : only_reader(plan, s, &index);
}

static void extend_life(struct plan *plan, size_t root, size_t p)
{
    if (plan->item_of[root] != NONE) plan->items[plan->item_of[root]].last = p;
}

/* How often the group at place p reads a root. */
static size_t group_reads(const struct plan *plan, size_t p, size_t root)
{
    size_t reads = 0;
    for (size_t s = plan->head[p]; s != NONE; s = group_next(plan, s, p)) {
        const struct step *step = &plan->steps[s];
        for (size_t i = 0; i < step->input_count; i++)
            reads += step->inputs[i] != NULL && plan->root[value_of_tensor(plan, step->inputs[i])] == root;
    }
    return reads;
}

/* The item of the input that the group at place p may overwrite, or NONE: of the result's size, read once and
 * by nothing later. It must be the input that the elementwise functions are applied to. */
static size_t item_in_place(const struct plan *plan, size_t p)
{
    const struct step *head = &plan->steps[plan->head[p]];
    struct post post;
    if ((head->op->flags & OP_IN_PLACE) == 0) return NONE;
    for (size_t i = 0; i < head->input_count && i < 2; i++) {
        bool source = head->op->infer == instance_norm_infer ? i == 0 : op_post(head, i, &post);
        if (!source) continue;
        size_t root = plan->root[value_of_tensor(plan, head->inputs[i])], item = plan->item_of[root];
        bool free_then = item != NONE && plan->items[item].last == p && group_reads(plan, p, root) == 1;
        return free_then && head->inputs[i]->count == head->result->count ? item : NONE;
    }
    return NONE;
}

/* The first value of a chain of aliases has the memory. */
static void set_roots(struct plan *plan)
{
    for (size_t s = 0; s < plan->step_count; s++) {
        const struct node *node = plan->steps[s].node;
        if (plan->steps[s].alias) plan->root[node->outputs[0]] = plan->root[node->inputs[0]];
    }
}

static void add_item(struct plan *plan, size_t value, size_t p)
{
    const struct tensor *t = &plan->tensors[value];
    plan->item_of[value] = plan->item_count;
    plan->items[plan->item_count++] =
        (struct item){(t->count * sizeof(float) + 63) / 64 * 64, 0, p, p, NONE, 0};
}

static void make_items(struct plan *plan)
{
    for (size_t p = 0; p < plan->step_count; p++) {
        if (plan->head[p] == NONE || plan->steps[plan->head[p]].alias) continue;
        const struct step *head = &plan->steps[plan->head[p]];
        add_item(plan, value_of_tensor(plan, head->result), p);
        for (size_t i = 1; i < head->output_count; i++)
            if (head->outputs[i] != NULL && plan->known[head->node->outputs[i]])
                add_item(plan, value_of_tensor(plan, head->outputs[i]), p);
    }
    for (size_t p = 0; p < plan->step_count; p++) {
        for (size_t s = plan->head[p]; s != NONE; s = group_next(plan, s, p)) {
            const struct step *step = &plan->steps[s];
            for (size_t i = 0; i < step->input_count; i++)
                if (step->inputs[i] != NULL)
                    extend_life(plan, plan->root[value_of_tensor(plan, step->inputs[i])], p);
        }
    }
    extend_life(plan, plan->root[plan->graph->outputs[0]], plan->step_count);
}

/* Lets results take over the memory of inputs that nothing reads any more. */
static void merge_in_place(struct plan *plan)
{
    for (size_t p = 0; p < plan->step_count; p++) {
        if (plan->head[p] == NONE || plan->steps[plan->head[p]].alias) continue;
        size_t taken = item_in_place(plan, p);
        size_t value = value_of_tensor(plan, plan->steps[plan->head[p]].result);
        if (taken == NONE) continue;
        struct item *own = &plan->items[plan->item_of[value]];
        plan->items[taken].last = own->last;
        own->bytes = 0;
        plan->item_of[value] = taken;
    }
}

/* What a Concat of one batch reads last is made where the Concat would copy it to. */
static void nest_in_concat(struct plan *plan, size_t p)
{
    const struct step *step = &plan->steps[p];
    const struct tensor *out = step->result;
    size_t own = plan->item_of[value_of_tensor(plan, out)], axis, inset = 0;
    if (!axis_of(node_int(step->node, "axis", 0), out->rank, &axis)) return;
    for (size_t i = 0; i < axis; i++)
        if (out->dims[i] != 1) return;
    for (size_t i = 0; i < step->input_count; i++) {
        size_t value = value_of_tensor(plan, step->inputs[i]), item = plan->item_of[value];
        bool alone = plan->root[value] == value && plan->uses[value] == 1 && item != NONE && item != own;
        if (alone && plan->items[item].last == p && plan->items[item].parent == NONE) {
            struct item *part = &plan->items[item];
            part->parent = own;
            part->inset = inset;
            part->bytes = 0;
            if (part->first < plan->items[own].first) plan->items[own].first = part->first;
        }
        inset += step->inputs[i]->count * sizeof(float);
    }
}

static void nest(struct plan *plan)
{
    for (size_t p = 0; p < plan->step_count; p++)
        if (plan->head[p] == p && plan->steps[p].op->infer == concat_infer) nest_in_concat(plan, p);
}

static size_t item_offset(const struct plan *plan, size_t item)
{
    size_t offset = 0;
    for (; plan->items[item].parent != NONE; item = plan->items[item].parent)
        offset += plan->items[item].inset;
    return offset + plan->items[item].offset;
}

static int by_size(const void *a, const void *b)
{
    const struct item *x = *(const struct item *const *)a, *y = *(const struct item *const *)b;
    if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* The lowest place where an item meets none of the placed ones that live at the same time. placed is kept
 * sorted by offset. */
static void place_item(struct item **placed, size_t count, struct item *item)
{
    size_t offset = 0, at;
    for (size_t i = 0; i < count; i++) {
        const struct item *other = placed[i];
        if (other->last < item->first || other->first > item->last || other->offset + other->bytes <= offset)
            continue;
        if (other->offset >= offset + item->bytes) break;
        offset = other->offset + other->bytes;
    }
    item->offset = offset;
    for (at = count; at > 0 && placed[at - 1]->offset > offset; at--)
        placed[at] = placed[at - 1];
    placed[at] = item;
}

static enum bst_code place_items(struct plan *plan, struct bst_error *err)
{
    struct item **order = bst_calloc(plan->item_count + 1, sizeof *order);
    struct item **placed = bst_calloc(plan->item_count + 1, sizeof *placed);
    size_t count = 0;
    if (order == NULL || placed == NULL) {
        free(order);
        free(placed);
        return bst_fail_memory(err);
    }
    for (size_t i = 0; i < plan->item_count; i++)
        order[i] = &plan->items[i];
    qsort(order, plan->item_count, sizeof *order, by_size);
    for (; count < plan->item_count && order[count]->bytes > 0; count++) {
        place_item(placed, count, order[count]);
        size_t end = order[count]->offset + order[count]->bytes;
        if (end > plan->arena_bytes) plan->arena_bytes = end;
    }
    free(order);
    free(placed);
    return BST_OK;
}

static enum bst_code check_memory(const struct plan *plan, struct bst_error *err)
{
    size_t bytes = plan_bytes(plan);
    if (plan->options.memory != 0 && bytes > plan->options.memory) return too_large(plan, bytes, err);
    return BST_OK;
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
        if (code != BST_OK) return node_where(plan, step, err);
        if (step->scratch > plan->scratch_each) plan->scratch_each = (step->scratch + 63) / 64 * 64;
    }
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

static enum bst_code take_memory(struct plan *plan, struct bst_error *err)
{
    plan->arena = aligned_alloc(64, plan->arena_bytes + 64);
    plan->scratch = aligned_alloc(64, plan->scratch_each * plan->options.threads + 64);
    if (plan->arena == NULL || plan->scratch == NULL) return bst_fail_memory(err);
    memset(plan->scratch, 0, plan->scratch_each * plan->options.threads);
    for (size_t v = 0; v < plan->graph->value_count; v++)
        if (plan->item_of[v] != NONE)
            plan->tensors[v].data = plan->arena + item_offset(plan, plan->item_of[v]);
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

enum bst_code plan_make(const struct graph *graph, const int64_t (*dims)[RANK_MAX],
                        const struct plan_options *options, struct plan **out, struct bst_error *err)
{
    struct plan *plan = plan_new(graph, options);
    *out = NULL;
    if (plan == NULL) return bst_fail_memory(err);
    enum bst_code code = infer(plan, dims, err);
    if (code == BST_OK) {
        mark_needed(plan);
        fuse(plan);
        set_roots(plan);
        make_items(plan);
        merge_in_place(plan);
        nest(plan);
        code = place_items(plan, err);
    }
    if (code == BST_OK) code = check_memory(plan, err);
    if (code == BST_OK) code = prepare(plan, err);
    if (code == BST_OK) code = check_memory(plan, err); /* now with the threads' scratch memory */
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
static void point_at_inputs(struct plan *plan, const float *const *inputs)
{
    for (size_t i = 0; i < plan->graph->input_count; i++) {
        const void *data = inputs[i];
        memcpy(&plan->tensors[plan->graph->inputs[i].value].data, &data, sizeof data);
    }
    for (size_t v = 0; v < plan->graph->value_count; v++)
        if (plan->root[v] != v) plan->tensors[v].data = plan->tensors[plan->root[v]].data;
}

enum bst_code plan_run(struct plan *plan, struct bst_pool *pool, const float *const *inputs,
                       bst_progress progress, void *progress_arg, const struct tensor **output,
                       struct bst_error *err)
{
    struct run run = {plan->options.kernels, pool, plan->scratch, plan->scratch_each};
    point_at_inputs(plan, inputs);
    for (size_t p = 0; p < plan->step_count; p++) {
        if (progress != NULL && !progress(progress_arg, p, plan->step_count))
            return bst_fail(err, BST_FAILURE, "interrupted");
        if (plan->head[p] == NONE) continue;
        const struct step *head = &plan->steps[plan->head[p]];
        if (!head->alias) head->op->run(head, &run);
    }
    if (progress != NULL) progress(progress_arg, plan->step_count, plan->step_count);
    *output = &plan->tensors[plan->graph->outputs[0]];
    return BST_OK;
}
