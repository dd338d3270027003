/* network.c - what a plan runs, told in plain numbers: for listings, profiles and drawings. */
#include "generator.h"
#include "op_conv.h"
#include "plan_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one layer ---- */

static bool is_op(const struct step *step, const char *name)
{
    return step->op == op_find(name);
}

/* Multiplications, each with its addition, that the textbook algorithm needs. */
static uint64_t macs_of(const struct step *step)
{
    const struct tensor *x = step->input_count > 0 ? step->inputs[0] : NULL,
                        *w = step->input_count > 1 ? step->inputs[1] : NULL, *y = step->outputs[0];
    if (x == NULL || w == NULL || y == NULL) return 0;
    if (is_op(step, "Conv") && w->dims[0] > 0) return y->count * (w->count / (uint64_t)w->dims[0]);
    if (is_op(step, "ConvTranspose") && w->dims[0] > 0) return x->count * (w->count / (uint64_t)w->dims[0]);
    if (is_op(step, "MatMul")) return y->count * (uint64_t)x->dims[x->rank - 1];
    if (is_op(step, "Gemm") && x->rank == 2)
        return y->count * (uint64_t)x->dims[node_int(step->node, "transA", 0) != 0 ? 0 : 1];
    return 0;
}

static const char *algorithm_of(const struct step *step)
{
    if ((is_op(step, "Conv") || is_op(step, "ConvTranspose")) && step->prepared != NULL) {
        const struct convolution *c = step->prepared;
        return c->winograd != NULL || c->transpose != NULL ? "winograd" : "direct";
    }
    return is_op(step, "MatMul") || is_op(step, "Gemm") ? "direct" : NULL;
}

/* "3x3", "4x4 /2", "3x3 /2 g64" */
static void detail_of(const struct step *step, char *out, size_t room)
{
    const struct tensor *w = step->input_count > 1 ? step->inputs[1] : NULL;
    const struct attribute *strides = node_attribute(step->node, "strides");
    int64_t groups = node_int(step->node, "group", 1);
    size_t len = 0;
    out[0] = 0;
    if ((!is_op(step, "Conv") && !is_op(step, "ConvTranspose")) || w == NULL) return;
    for (size_t i = 2; i < w->rank && len < room; i++)
        len +=
            (size_t)snprintf(out + len, room - len, "%s%lld", i > 2 ? "\xc3\x97" : "", (long long)w->dims[i]);
    if (strides != NULL && strides->count > 0 && strides->ints[0] != 1 && len < room)
        len += (size_t)snprintf(out + len, room - len, " /%lld", (long long)strides->ints[0]);
    if (groups != 1 && len < room) snprintf(out + len, room - len, " g%lld", (long long)groups);
}

static bool is_input(const struct plan *plan, size_t value)
{
    for (size_t i = 0; i < plan->graph->input_count; i++)
        if ((size_t)plan->graph->inputs[i].value == value) return true;
    return false;
}

/* Numbers in the constants that the step reads, those worked out from other constants too. */
static uint64_t parameters_of(const struct plan *plan, const struct step *step)
{
    uint64_t count = 0;
    for (size_t i = 0; i < step->input_count; i++) {
        const struct tensor *t = step->inputs[i];
        if (t != NULL && t->kind == KIND_FLOAT && plan->maker[value_of_tensor(plan, t)] == NONE &&
            !is_input(plan, value_of_tensor(plan, t)))
            count += t->count;
    }
    return count;
}

struct drawing { /* of a network, while it is put together */
    const struct plan *plan;
    struct bst_network *out;
    size_t *layer_of; /* the layer that makes a value, or NONE; inputs of the graph come first */
};

static bool add_source(struct bst_layer *layer, size_t source, size_t room)
{
    for (size_t i = 0; i < layer->source_count; i++)
        if (layer->sources[i] == source) return true;
    if (layer->source_count == room) return false;
    layer->sources[layer->source_count++] = source;
    return true;
}

/* Adds what one step of a layer reads, and says that the layer makes what the step makes. */
static void add_step(struct drawing *d, struct bst_layer *layer, size_t index, size_t s, size_t room)
{
    const struct step *step = &d->plan->steps[s];
    for (size_t i = 0; i < step->input_count; i++) {
        size_t source =
            step->inputs[i] != NULL ? d->layer_of[value_of_tensor(d->plan, step->inputs[i])] : NONE;
        if (source != NONE && source != index) add_source(layer, source, room);
    }
    for (size_t o = 0; o < step->node->output_count; o++)
        if (step->node->outputs[o] >= 0) d->layer_of[step->node->outputs[o]] = index;
    layer->parameters += parameters_of(d->plan, step);
    layer->macs += macs_of(step);
}

static void add_fused(struct bst_layer *layer, const char *name)
{
    size_t len = strlen(layer->fused);
    snprintf(layer->fused + len, sizeof layer->fused - len, "%s%s", len > 0 ? ", " : "", name);
    layer->fused_count++;
}

static size_t inputs_behind(const struct plan *plan, size_t first, size_t last)
{
    size_t count = 0, index;
    for (size_t s = first; s != NONE; s = s == last ? NONE : only_reader(plan, s, &index))
        count += plan->steps[s].node->input_count;
    return count;
}

static bool count_operator(struct bst_network *network, const char *op)
{
    size_t i = 0;
    while (i < network->operator_count && strcmp(network->operators[i].op, op) != 0)
        i++;
    if (i == network->operator_count) {
        struct bst_operator *grown = realloc(network->operators, (i + 1) * sizeof *grown);
        if (grown == NULL) return false;
        network->operators = grown;
        network->operators[network->operator_count++] = (struct bst_operator){op, 0};
    }
    network->operators[i].count++;
    return true;
}

static int by_count(const void *a, const void *b)
{
    const struct bst_operator *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count) : strcmp(x->op, y->op);
}

/* The layer that runs at place p: the head and the steps fused into it. */
static bool add_layer(struct drawing *d, size_t p)
{
    const struct plan *plan = d->plan;
    size_t first = plan->head[p], index, at = d->out->layer_count, room = inputs_behind(plan, first, p);
    struct bst_layer *layer = &d->out->layers[at];
    const struct step *head = &plan->steps[first];
    layer->sources = bst_calloc(room + 1, sizeof *layer->sources);
    if (layer->sources == NULL) return false;
    d->out->layer_count++;
    layer->op = head->op->name;
    layer->name = head->node->name;
    layer->algorithm = algorithm_of(head);
    layer->moves_nothing = head->alias;
    detail_of(head, layer->detail, sizeof layer->detail);
    for (size_t s = first; s != NONE; s = s == p ? NONE : only_reader(plan, s, &index)) {
        add_step(d, layer, at + d->out->input_count, s, room);
        if (!count_operator(d->out, plan->steps[s].op->name)) return false;
        if (s != first) add_fused(layer, plan->steps[s].op->name);
    }
    layer->rank = head->result->rank;
    memcpy(layer->dims, head->result->dims, sizeof layer->dims);
    layer->seconds = plan->seconds != NULL ? plan->seconds[p] : 0;
    d->out->macs += layer->macs;
    return true;
}

/* ---- the whole ---- */

static bool add_inputs(struct drawing *d)
{
    const struct graph *graph = d->plan->graph;
    for (size_t i = 0; i < graph->input_count; i++) {
        const struct tensor *t = &d->plan->tensors[graph->inputs[i].value];
        struct bst_layer *input = &d->out->inputs[i];
        input->op = "input";
        input->name = graph->inputs[i].name;
        input->rank = t->rank;
        memcpy(input->dims, t->dims, sizeof input->dims);
        d->layer_of[graph->inputs[i].value] = i;
        d->out->input_count = i + 1;
    }
    return true;
}

static enum bst_code describe(const struct plan *plan, struct bst_network *out, struct bst_error *err)
{
    struct drawing d = {plan, out, NULL};
    *out = (struct bst_network){.memory = plan_bytes(plan), .runs = plan->runs};
    out->inputs = bst_calloc(plan->graph->input_count, sizeof *out->inputs);
    out->layers = bst_calloc(plan->step_count, sizeof *out->layers);
    d.layer_of = bst_calloc(plan->graph->value_count, sizeof *d.layer_of);
    bool whole = out->inputs != NULL && out->layers != NULL && d.layer_of != NULL;
    for (size_t v = 0; whole && v < plan->graph->value_count; v++)
        d.layer_of[v] = NONE;
    if (whole) whole = add_inputs(&d);
    for (size_t p = 0; p < plan->step_count && whole; p++)
        if (plan->head[p] != NONE) whole = add_layer(&d, p);
    if (whole && out->operator_count > 0)
        qsort(out->operators, out->operator_count, sizeof *out->operators, by_count);
    if (whole) {
        size_t made = d.layer_of[plan->outputs[0]];
        out->output = made == NONE ? 0 : made;
    }
    free(d.layer_of);
    if (whole) return BST_OK;
    bst_network_clear(out);
    return bst_fail_memory(err);
}

enum bst_code bst_network_describe(struct bst_generator *generator, uint32_t width, uint32_t height,
                                   struct bst_network *out, struct bst_error *err)
{
    const struct bst_card *card = &generator->model->card;
    int64_t dims[INPUTS_MAX][RANK_MAX];
    *out = (struct bst_network){0};
    if (width == 0) width = card->width;
    if (height == 0) height = card->height;
    if (card->fixed_size) {
        width = card->width;
        height = card->height;
    }
    uint32_t multiple = card->size_multiple;
    enum bst_code code = model_dims(generator->model, (width + multiple - 1) / multiple * multiple,
                                    (height + multiple - 1) / multiple * multiple, dims, err);
    fenv_t saved;
    arithmetic_enter(&saved);
    if (code == BST_OK) code = generator_plan(generator, (const int64_t(*)[RANK_MAX])dims, NULL, 0, err);
    arithmetic_leave(&saved);
    if (code == BST_OK) code = describe(generator->plan, out, err);
    return code;
}

void bst_network_clear(struct bst_network *network)
{
    for (size_t i = 0; network->layers != NULL && i < network->layer_count; i++)
        free(network->layers[i].sources);
    free(network->layers);
    free(network->operators);
    free(network->inputs);
    *network = (struct bst_network){0};
}
