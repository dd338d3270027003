/* plan_arena.c - where every tensor lies: results take over the memory of inputs that nothing reads any more,
 * a Concat's parts are made in their place, and what lives at different times shares the same bytes. */
#include "plan_parts.h"

#include <stdlib.h>
#include <string.h>

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
        return free_then && tensor_bytes(head->inputs[i]) == tensor_bytes(head->result) ? item : NONE;
    }
    return NONE;
}

/* The first value of a chain of aliases has the memory. */
static void set_roots(struct plan *plan)
{
    for (size_t s = 0; s < plan->step_count; s++) {
        const struct step *step = &plan->steps[s];
        if (step->alias)
            plan->root[value_of_tensor(plan, step->outputs[0])] =
                plan->root[value_of_tensor(plan, step->inputs[0])];
    }
}

static void add_item(struct plan *plan, size_t value, size_t p)
{
    const struct tensor *t = &plan->tensors[value];
    plan->item_of[value] = plan->item_count;
    plan->items[plan->item_count++] = (struct item){(tensor_bytes(t) + 63) / 64 * 64, 0, p, p, NONE, 0, NONE};
}

static void make_items(struct plan *plan)
{
    for (size_t p = 0; p < plan->step_count; p++) {
        if (plan->head[p] == NONE || plan->steps[plan->head[p]].alias) continue;
        const struct step *head = &plan->steps[plan->head[p]];
        add_item(plan, value_of_tensor(plan, head->result), p);
        for (size_t i = 1; i < head->output_count; i++)
            if (head->outputs[i] != NULL) add_item(plan, value_of_tensor(plan, head->outputs[i]), p);
    }
    for (size_t p = 0; p < plan->step_count; p++) {
        for (size_t s = plan->head[p]; s != NONE; s = group_next(plan, s, p)) {
            const struct step *step = &plan->steps[s];
            for (size_t i = 0; i < step->input_count; i++)
                if (step->inputs[i] != NULL)
                    extend_life(plan, plan->root[value_of_tensor(plan, step->inputs[i])], p);
        }
    }
    for (size_t i = 0; i < plan->output_count; i++)
        extend_life(plan, plan->root[plan->outputs[i]], plan->step_count);
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
        inset += tensor_bytes(step->inputs[i]);
    }
}

static void nest(struct plan *plan)
{
    for (size_t p = 0; p < plan->step_count; p++)
        if (plan->head[p] == p && plan->steps[p].op->infer == concat_infer) nest_in_concat(plan, p);
}

size_t item_top(const struct plan *plan, size_t item, size_t *inset)
{
    *inset = 0;
    for (; plan->items[item].parent != NONE; item = plan->items[item].parent)
        *inset += plan->items[item].inset;
    return item;
}

/* Outputs that are to be made in brought memory; one that two outputs share is brought once. */
static void move_outside(struct plan *plan)
{
    for (size_t i = 0; i < plan->output_count; i++) {
        size_t item = plan->item_of[plan->root[plan->outputs[i]]];
        plan->outside[i] = NONE;
        if (!plan->options.outside || item == NONE) continue;
        if (plan->items[item].area != NONE || plan->items[item].bytes == 0) continue;
        plan->items[item].area = i;
        plan->outside[i] = item;
        plan->outside_bytes += plan->items[item].bytes;
    }
}

static int by_size(const void *a, const void *b)
{
    const struct item *x = *(const struct item *const *)a, *y = *(const struct item *const *)b;
    if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
    return x > y ? -1 : x < y; /* the later first: what is made last may already have its place */
}

/* Items that have their place, sorted by offset. */
struct placed {
    struct item **items;
    size_t count;
};

/* The lowest place in an area where an item meets none of those that live at the same time. */
static size_t free_offset(const struct placed *placed, const struct item *item, size_t area)
{
    size_t offset = 0;
    for (size_t i = 0; i < placed->count; i++) {
        const struct item *other = placed->items[i];
        if (other->area != area || other->last < item->first || other->first > item->last ||
            other->offset + other->bytes <= offset)
            continue;
        if (other->offset >= offset + item->bytes) break;
        offset = other->offset + other->bytes;
    }
    return offset;
}

static void place_item(struct placed *placed, struct item *item, size_t area, size_t offset)
{
    size_t at = placed->count++;
    item->area = area;
    item->offset = offset;
    for (; at > 0 && placed->items[at - 1]->offset > offset; at--)
        placed->items[at] = placed->items[at - 1];
    placed->items[at] = item;
}

/* The largest of the memories that are brought is as good as the arena until its output is made; NONE: there is
 * none. */
static size_t spare_area(const struct plan *plan)
{
    size_t spare = NONE;
    for (size_t i = 0; i < plan->output_count; i++)
        if (plan_outside(plan, i) > (spare != NONE ? plan_outside(plan, spare) : 0)) spare = i;
    return spare;
}

static enum bst_code place_items(struct plan *plan, struct bst_error *err)
{
    struct item **order = bst_calloc(plan->item_count + 1, sizeof *order);
    struct placed placed = {bst_calloc(plan->item_count + 1, sizeof *order), 0};
    size_t count = 0, spare = spare_area(plan);
    if (order == NULL || placed.items == NULL) {
        free(order);
        free(placed.items);
        return bst_fail_memory(err);
    }
    for (size_t i = 0; i < plan->item_count; i++)
        if (plan->items[i].bytes > 0 && plan->items[i].area == NONE) order[count++] = &plan->items[i];
    qsort(order, count, sizeof *order, by_size);
    if (spare != NONE) place_item(&placed, &plan->items[plan->outside[spare]], spare, 0);
    for (size_t i = 0; i < count; i++) {
        struct item *item = order[i];
        size_t offset = spare != NONE ? free_offset(&placed, item, spare) : 0;
        if (spare != NONE && offset + item->bytes <= plan_outside(plan, spare)) {
            place_item(&placed, item, spare, offset);
            continue;
        }
        place_item(&placed, item, NONE, free_offset(&placed, item, NONE));
        if (item->offset + item->bytes > plan->arena_bytes) plan->arena_bytes = item->offset + item->bytes;
    }
    free(order);
    free(placed.items);
    return BST_OK;
}

enum bst_code plan_place(struct plan *plan, struct bst_error *err)
{
    set_roots(plan);
    make_items(plan);
    merge_in_place(plan);
    nest(plan);
    move_outside(plan);
    return place_items(plan, err);
}
