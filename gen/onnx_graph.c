/* onnx_graph.c - reads an ONNX graph: values, constants, nodes, and the branches of If, whose nodes join the others behind
 * a guard. Everything a stranger's file can get wrong in them is checked here, once: counts, names, types, order of
 * nodes, operators. Operators check their own attributes and shapes when a plan is made (op.h). */
#include "onnx_reader.h"
#include "pages.h"

#include <stdlib.h>
#include <string.h>

#define NODES_MAX      65536u
#define VALUES_MAX     262144u
#define NODE_EDGES_MAX 4096u /* inputs or outputs of one node */
#define ATTRIBUTES_MAX 64u
#define NAME_MAX_LEN   512u
#define DEPTH_MAX      8u /* of branches within branches */

/* ---- memory ---- */

struct graph_block {
    struct graph_block *next;
    _Alignas(64) uint8_t data[];
};

void *graph_take(struct graph *graph, size_t n, size_t item)
{
    size_t bytes;
    if (!bst_mul(n, item, &bytes) || !bst_add(bytes, sizeof(struct graph_block) + 64, &bytes)) return NULL;
    struct graph_block *block = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (block == NULL) return NULL;
    memset(block, 0, bytes);
    block->next = graph->blocks;
    graph->blocks = block;
    return block->data;
}

void graph_free(struct graph *graph)
{
    if (graph == NULL) return;
    for (struct graph_block *block = graph->blocks, *next; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    bst_buf_free(&graph->file);
    free(graph);
}

/* Room for one more item in a growing list. */
static bool make_room(void **list, size_t count, size_t *room, size_t item)
{
    if (count < *room) return true;
    size_t more = *room > 0 ? 2 * *room : 64;
    void *grown = realloc(*list, more * item);
    if (grown == NULL) return false;
    memset((uint8_t *)grown + *room * item, 0, (more - *room) * item);
    *list = grown;
    *room = more;
    return true;
}

/* ---- values and their names ---- */

static int32_t *find_slot(const struct reader *r, const char *name)
{
    uint64_t hash = 1469598103934665603u;
    for (const char *p = name; *p; p++)
        hash = (hash ^ (uint8_t)*p) * 1099511628211u;
    for (size_t i = (size_t)(hash ^ hash >> 32);; i++) {
        int32_t *slot = &r->slots[i & (r->slot_count - 1)];
        if (*slot == 0 || strcmp(r->values[*slot - 1].name, name) == 0) return slot;
    }
}

/* The value that a name stands for here, or -1. */
static int32_t find_value(const struct reader *r, const char *name)
{
    int32_t slot = r->slot_count > 0 ? *find_slot(r, name) : 0;
    return slot != 0 && r->defined[slot - 1] ? slot - 1 : -1;
}

static bool grow_slots(struct reader *r)
{
    if (2 * (r->value_count + 1) < r->slot_count) return true;
    struct reader larger = *r;
    larger.slot_count = r->slot_count > 0 ? 2 * r->slot_count : 64;
    larger.slots = bst_calloc(larger.slot_count, sizeof *larger.slots);
    if (larger.slots == NULL) return false;
    for (size_t i = 0; i < r->slot_count; i++)
        if (r->slots[i] != 0) *find_slot(&larger, r->values[r->slots[i] - 1].name) = r->slots[i];
    free(r->slots);
    r->slots = larger.slots;
    r->slot_count = larger.slot_count;
    return true;
}

const char *graph_text(struct graph *graph, const void *text, size_t len)
{
    char *copy = graph_take(graph, len + 1, 1);
    if (copy != NULL && len > 0) memcpy(copy, text, len);
    return copy;
}

/* A new value; its name is not yet one that find_value finds. */
static enum bst_code add_value(struct reader *r, const char *name, int32_t *out)
{
    size_t defined_room = r->value_room;
    if (r->value_count >= VALUES_MAX)
        return bst_fail(r->err, BST_UNREADABLE, "the graph has more than %u values", VALUES_MAX);
    if (!make_room((void **)&r->defined, r->value_count, &defined_room, sizeof *r->defined) ||
        !make_room((void **)&r->values, r->value_count, &r->value_room, sizeof *r->values) || name == NULL)
        return bst_fail_memory(r->err);
    r->values[r->value_count].name = name;
    r->defined[r->value_count] = true;
    *out = (int32_t)r->value_count++;
    return BST_OK;
}

/* The value that the file defines under a name here; one that is visible here already is an error. (The branches of an
 * If may use the same names.) */
static enum bst_code define_value(struct reader *r, const char *name, int32_t *out)
{
    if (strlen(name) > NAME_MAX_LEN) return bst_fail(r->err, BST_UNREADABLE, "a value's name is too long");
    if (!grow_slots(r)) return bst_fail_memory(r->err);
    if (find_value(r, name) >= 0)
        return bst_fail(r->err, BST_UNREADABLE, "value '%.80s' is defined twice", name);
    enum bst_code code = add_value(r, graph_text(r->graph, name, strlen(name)), out);
    if (code == BST_OK) *find_slot(r, name) = *out + 1;
    return code;
}

enum bst_code reader_constant(struct reader *r, const struct tensor *t, int32_t *out)
{
    enum bst_code code = add_value(r, "", out);
    if (code == BST_OK) r->values[*out].constant = t;
    return code;
}

/* ---- the parts of a graph ---- */

/* The tensor as if the numbers that lie in another file lay within. */
static enum bst_code fetch_external(struct reader *r, Onnx__TensorProto *proto)
{
    const char *file;
    const uint8_t *data = NULL;
    uint64_t offset;
    size_t len;
    enum bst_code code = onnx_tensor_place(proto, &file, &offset, &len, r->err);
    if (code == BST_OK) code = external_find(r->external, file, offset, len, &data, r->err);
    proto->has_raw_data = 1;
    proto->raw_data.len = len;
    proto->raw_data.data = (uint8_t *)data;
    return code;
}

/* Numbers that are stored as the engine keeps them need not be copied. */
static bool usable_in_place(const Onnx__TensorProto *proto)
{
    const uint16_t one = 1;
    return proto->data_type == ONNX_FLOAT && (uintptr_t)proto->raw_data.data % sizeof(float) == 0 &&
           *(const uint8_t *)&one == 1;
}

/* span: where the numbers lie when they were taken out of the message; else NULL. */
static enum bst_code read_tensor(struct reader *r, const Onnx__TensorProto *proto,
                                 const struct wire_span *span, const struct tensor **out)
{
    struct tensor *t = graph_take(r->graph, 1, sizeof *t);
    bool external = onnx_tensor_is_external(proto), lasting = external || span != NULL;
    Onnx__TensorProto fetched = *proto;
    if (t == NULL) return bst_fail_memory(r->err);
    if (span != NULL) fetched.raw_data = (ProtobufCBinaryData){span->len, span->data};
    enum bst_code code = external ? fetch_external(r, &fetched) : BST_OK;
    if (code == BST_OK) code = onnx_tensor_check(&fetched, t, r->err);
    if (code != BST_OK) return code;
    *out = t;
    if (lasting && usable_in_place(&fetched)) {
        t->data = fetched.raw_data.data;
        return BST_OK;
    }
    t->data = graph_take(r->graph, t->count, tensor_item(t));
    if (t->data == NULL) return bst_fail_memory(r->err);
    onnx_tensor_fill(&fetched, t);
    if (span != NULL) pages_drop(span->data, span->len);
    return BST_OK;
}

static const struct wire_span *span_of(const struct reader *r, size_t initializer)
{
    bool taken = r->depth == 0 && initializer < r->wire->span_count && r->wire->spans[initializer].len > 0;
    return taken ? &r->wire->spans[initializer] : NULL;
}

static enum bst_code read_constants(struct reader *r, const Onnx__GraphProto *graph)
{
    for (size_t i = 0; i < graph->n_initializer; i++) {
        const Onnx__TensorProto *proto = graph->initializer[i];
        int32_t value;
        if (proto->name == NULL || *proto->name == 0)
            return bst_fail(r->err, BST_UNREADABLE, "constant %zu has no name", i);
        enum bst_code code = define_value(r, proto->name, &value);
        if (code != BST_OK) return code;
        code = read_tensor(r, proto, span_of(r, i), &r->values[value].constant);
        if (code != BST_OK) return code;
        if (r->values[value].constant->kind == KIND_FLOAT)
            r->graph->parameters += r->values[value].constant->count;
    }
    return BST_OK;
}

static enum bst_code read_input(struct reader *r, const Onnx__ValueInfoProto *info, struct graph_input *input)
{
    const Onnx__TypeProto__Tensor *type = info->type != NULL ? info->type->tensor_type : NULL;
    if (type == NULL || type->shape == NULL)
        return bst_fail(r->err, BST_UNREADABLE, "input '%.80s' is no tensor of known rank", info->name);
    if (!onnx_kind(type->elem_type, &input->kind))
        return bst_fail(r->err, BST_UNREADABLE, "input '%.80s' is of type %s, which is not supported",
                        info->name, onnx_type_name(type->elem_type));
    if (type->shape->n_dim > RANK_MAX)
        return bst_fail(r->err, BST_UNREADABLE, "input '%.80s' has more than %d dimensions", info->name,
                        RANK_MAX);
    enum bst_code code = define_value(r, info->name, &input->value);
    if (code != BST_OK) return code;
    input->name = r->values[input->value].name;
    input->rank = type->shape->n_dim;
    for (size_t i = 0; i < input->rank; i++) {
        const Onnx__TensorShapeProto__Dimension *dim = type->shape->dim[i];
        bool fixed = dim->has_dim_value && dim->dim_value > 0;
        if (fixed && dim->dim_value > INT32_MAX)
            return bst_fail(r->err, BST_UNREADABLE, "input '%.80s' has an impossible dimension", info->name);
        input->dims[i] = fixed ? dim->dim_value : -1;
    }
    return BST_OK;
}

static enum bst_code read_inputs(struct reader *r, const Onnx__GraphProto *graph)
{
    r->graph->inputs = graph_take(r->graph, graph->n_input, sizeof *r->graph->inputs);
    if (r->graph->inputs == NULL) return bst_fail_memory(r->err);
    for (size_t i = 0; i < graph->n_input; i++) {
        const Onnx__ValueInfoProto *info = graph->input[i];
        if (info->name == NULL || *info->name == 0)
            return bst_fail(r->err, BST_UNREADABLE, "input %zu has no name", i);
        int32_t value = find_value(r, info->name);
        if (value >= 0 && r->values[value].constant != NULL) continue; /* a constant, listed again */
        enum bst_code code = read_input(r, info, &r->graph->inputs[r->graph->input_count]);
        if (code != BST_OK) return code;
        r->graph->input_count++;
    }
    return BST_OK;
}

static enum bst_code read_attribute(struct reader *r, const Onnx__AttributeProto *proto, struct attribute *a)
{
    struct graph *graph = r->graph;
    if (proto->name == NULL || *proto->name == 0)
        return bst_fail(r->err, BST_UNREADABLE, "an attribute has no name");
    a->name = graph_text(graph, proto->name, strlen(proto->name));
    a->type = (enum attribute_type)proto->type;
    switch (proto->type) {
    case ATTRIBUTE_FLOAT:
        a->f = proto->f;
        break;
    case ATTRIBUTE_INT:
        a->i = proto->i;
        break;
    case ATTRIBUTE_STRING:
        if (proto->s.len > NAME_MAX_LEN ||
            (proto->s.len > 0 && memchr(proto->s.data, 0, proto->s.len) != NULL))
            return bst_fail(r->err, BST_UNREADABLE, "attribute '%.80s' is no short text", proto->name);
        a->s = graph_text(graph, proto->s.data, proto->s.len);
        if (a->s == NULL) return bst_fail_memory(r->err);
        break;
    case ATTRIBUTE_TENSOR:
        if (proto->t == NULL)
            return bst_fail(r->err, BST_UNREADABLE, "attribute '%.80s' is empty", proto->name);
        return read_tensor(r, proto->t, NULL, &a->t);
    case ATTRIBUTE_FLOATS: {
        float *floats = graph_take(graph, proto->n_floats, sizeof *floats);
        if (floats == NULL) return bst_fail_memory(r->err);
        if (proto->n_floats > 0) memcpy(floats, proto->floats, proto->n_floats * sizeof *floats);
        a->floats = floats;
        a->count = proto->n_floats;
        break;
    }
    case ATTRIBUTE_INTS: {
        int64_t *ints = graph_take(graph, proto->n_ints, sizeof *ints);
        if (ints == NULL) return bst_fail_memory(r->err);
        if (proto->n_ints > 0) memcpy(ints, proto->ints, proto->n_ints * sizeof *ints);
        a->ints = ints;
        a->count = proto->n_ints;
        break;
    }
    default:
        return bst_fail(r->err, BST_UNREADABLE,
                        "attribute '%.80s' is of a type (%d) that no supported operator has", proto->name,
                        (int)proto->type);
    }
    return a->name != NULL ? BST_OK : bst_fail_memory(r->err);
}

static enum bst_code read_attributes(struct reader *r, const Onnx__NodeProto *proto, struct node *node)
{
    if (proto->n_attribute > ATTRIBUTES_MAX)
        return bst_fail(r->err, BST_UNREADABLE, "the node has too many attributes");
    node->attributes = graph_take(r->graph, proto->n_attribute, sizeof *node->attributes);
    if (node->attributes == NULL) return bst_fail_memory(r->err);
    for (size_t i = 0; i < proto->n_attribute; i++) {
        if (node_branches(node) && proto->attribute[i]->type == ATTRIBUTE_GRAPH) continue;
        enum bst_code code = read_attribute(r, proto->attribute[i], &node->attributes[node->attribute_count]);
        if (code != BST_OK) return code;
        node->attribute_count++;
    }
    return BST_OK;
}

static enum bst_code read_node_inputs(struct reader *r, const Onnx__NodeProto *proto, struct node *node)
{
    if (proto->n_input > NODE_EDGES_MAX || proto->n_output > NODE_EDGES_MAX)
        return bst_fail(r->err, BST_UNREADABLE, "the node has too many inputs or outputs");
    node->inputs = graph_take(r->graph, proto->n_input, sizeof *node->inputs);
    if (node->inputs == NULL) return bst_fail_memory(r->err);
    node->input_count = proto->n_input;
    for (size_t i = 0; i < proto->n_input; i++) {
        node->inputs[i] = *proto->input[i] != 0 ? find_value(r, proto->input[i]) : -1;
        if (node->inputs[i] < 0 && *proto->input[i] != 0)
            return bst_fail(r->err, BST_UNREADABLE, "input '%.80s' is not made by any node before",
                            proto->input[i]);
    }
    while (node->input_count > 0 && node->inputs[node->input_count - 1] < 0)
        node->input_count--;
    return BST_OK;
}

static enum bst_code define_node_outputs(struct reader *r, const Onnx__NodeProto *proto, struct node *node)
{
    enum bst_code code = BST_OK;
    node->outputs = graph_take(r->graph, proto->n_output, sizeof *node->outputs);
    if (node->outputs == NULL) return bst_fail_memory(r->err);
    node->output_count = proto->n_output;
    for (size_t i = 0; i < proto->n_output && code == BST_OK; i++) {
        node->outputs[i] = -1;
        if (*proto->output[i] != 0) code = define_value(r, proto->output[i], &node->outputs[i]);
    }
    return code;
}

static enum bst_code find_operator(struct reader *r, const Onnx__NodeProto *proto, struct node *node)
{
    const char *type = proto->op_type != NULL ? proto->op_type : "";
    const char *domain = proto->domain != NULL ? proto->domain : "";
    if (*domain != 0 && strcmp(domain, "ai.onnx") != 0) {
        bst_fail(r->err, BST_UNREADABLE, "operator %.80s belongs to the set '%.80s', not to standard ONNX",
                 type, domain);
        return bst_hint(r->err, "export the model again with standard operators only");
    }
    node->op = op_find(type);
    if (node->op == NULL) {
        bst_fail(r->err, BST_UNREADABLE, "operator %.80s is not supported", type);
        return bst_hint(r->err, "schema/arithmetic.md lists the operators that are");
    }
    return BST_OK;
}

static enum bst_code check_operator(struct reader *r, const Onnx__NodeProto *proto, const struct node *node)
{
    size_t outputs = proto->n_output;
    if (node->input_count < node->op->inputs_min || node->input_count > node->op->inputs_max || outputs < 1 ||
        outputs > node->op->outputs_max || *proto->output[0] == 0)
        return bst_fail(r->err, BST_UNREADABLE, "%s has %zu inputs and %zu outputs", node->type,
                        node->input_count, outputs);
    for (size_t i = 0; i < node->op->inputs_min; i++)
        if (node->inputs[i] < 0)
            return bst_fail(r->err, BST_UNREADABLE, "%s lacks its input %zu", node->type, i);
    return BST_OK;
}

static enum bst_code add_node(struct reader *r, const struct node *node)
{
    if (r->node_count >= NODES_MAX)
        return bst_fail(r->err, BST_UNREADABLE, "the graph has more than %u nodes", NODES_MAX);
    if (!make_room((void **)&r->nodes, r->node_count, &r->node_room, sizeof *r->nodes))
        return bst_fail_memory(r->err);
    r->nodes[r->node_count++] = *node;
    return BST_OK;
}

enum bst_code reader_node(struct reader *r, const struct node *like, const struct op *op, size_t input_count,
                          const int32_t *inputs, int32_t *out, struct node **made)
{
    struct node node = {
        .name = like->name, .type = like->type, .op = op, .place = like->place, .guard = r->guard};
    node.inputs = graph_take(r->graph, input_count, sizeof *node.inputs);
    node.outputs = graph_take(r->graph, 1, sizeof *node.outputs);
    if (node.inputs == NULL || node.outputs == NULL) return bst_fail_memory(r->err);
    memcpy(node.inputs, inputs, input_count * sizeof *inputs);
    node.input_count = input_count;
    node.output_count = 1;
    enum bst_code code = add_value(r, "", out);
    node.outputs[0] = *out;
    if (code == BST_OK) code = add_node(r, &node);
    if (code == BST_OK && made != NULL) *made = &r->nodes[r->node_count - 1];
    return code;
}

/* ---- branches ---- */

/* The nodes of a branch join those read so far; what it makes for output i is outputs[i]. */
static enum bst_code read_branch(struct reader *r, const Onnx__GraphProto *branch, int32_t *outputs,
                                 size_t count)
{
    size_t first = r->value_count;
    if (branch->n_output != count || branch->n_input != 0)
        return bst_fail(r->err, BST_UNREADABLE, "a branch makes %zu values where %zu are due",
                        branch->n_output, count);
    enum bst_code code = reader_graph(r, branch);
    for (size_t i = 0; i < count && code == BST_OK; i++) {
        const char *name = branch->output[i]->name != NULL ? branch->output[i]->name : "";
        outputs[i] = find_value(r, name);
        if (outputs[i] < 0)
            code =
                bst_fail(r->err, BST_UNREADABLE, "output '%.80s' of a branch is not made by any node", name);
    }
    for (size_t v = first; v < r->value_count; v++)
        r->defined[v] = false; /* the names are out of sight again */
    return code;
}

static enum bst_code read_guarded(struct reader *r, const Onnx__AttributeProto *attribute, int32_t condition,
                                  bool taken, int32_t *outputs, size_t count)
{
    int32_t around = r->guard;
    if (attribute == NULL || attribute->type != ATTRIBUTE_GRAPH)
        return bst_fail(r->err, BST_UNREADABLE, "a branch is missing");
    if (r->depth >= DEPTH_MAX)
        return bst_fail(r->err, BST_UNREADABLE, "branches are nested more than %u deep", DEPTH_MAX);
    if (!make_room((void **)&r->guards, r->guard_count, &r->guard_room, sizeof *r->guards))
        return bst_fail_memory(r->err);
    r->guards[r->guard_count] = (struct guard){condition, taken, around};
    r->guard = (int32_t)r->guard_count++;
    r->depth++;
    Onnx__GraphProto *branch =
        onnx__graph_proto__unpack(&r->allowance->allocator, attribute->g.len, attribute->g.data);
    enum bst_code code = branch != NULL ? read_branch(r, branch, outputs, count)
                                        : bst_fail(r->err, BST_UNREADABLE, "a branch is damaged");
    if (branch != NULL) onnx__graph_proto__free_unpacked(branch, &r->allowance->allocator);
    r->depth--;
    r->guard = around;
    return code;
}

/* An If's inputs become its condition, what the first branch makes and what the other makes. */
static enum bst_code read_branches(struct reader *r, const Onnx__NodeProto *proto, struct node *node)
{
    const Onnx__AttributeProto *branches[2] = {NULL, NULL};
    int32_t *inputs = graph_take(r->graph, 1 + 2 * proto->n_output, sizeof *inputs);
    if (inputs == NULL) return bst_fail_memory(r->err);
    for (size_t i = 0; i < proto->n_attribute; i++) {
        const char *name = proto->attribute[i]->name != NULL ? proto->attribute[i]->name : "";
        if (strcmp(name, "then_branch") == 0) branches[0] = proto->attribute[i];
        if (strcmp(name, "else_branch") == 0) branches[1] = proto->attribute[i];
    }
    inputs[0] = node->inputs[0];
    enum bst_code code = read_guarded(r, branches[0], inputs[0], true, inputs + 1, proto->n_output);
    if (code == BST_OK)
        code = read_guarded(r, branches[1], inputs[0], false, inputs + 1 + proto->n_output, proto->n_output);
    node->inputs = inputs;
    node->input_count = 1 + 2 * proto->n_output;
    return code;
}

/* ---- nodes ---- */

static enum bst_code read_node(struct reader *r, const Onnx__NodeProto *proto, size_t place)
{
    const char *name = proto->name != NULL ? proto->name : "",
               *type = proto->op_type != NULL ? proto->op_type : "";
    struct node node = {.place = place, .guard = r->guard};
    node.name = graph_text(r->graph, name, strnlen(name, NAME_MAX_LEN));
    node.type = graph_text(r->graph, type, strnlen(type, NAME_MAX_LEN));
    if (node.name == NULL || node.type == NULL) return bst_fail_memory(r->err);
    enum bst_code code = find_operator(r, proto, &node);
    if (code == BST_OK) code = read_node_inputs(r, proto, &node);
    if (code == BST_OK) code = read_attributes(r, proto, &node);
    if (code == BST_OK) code = upgrade_node(r, &node);
    if (code == BST_OK) code = check_operator(r, proto, &node);
    if (code == BST_OK && node_branches(&node)) code = read_branches(r, proto, &node);
    if (code == BST_OK) code = define_node_outputs(r, proto, &node);
    return code == BST_OK ? add_node(r, &node) : code;
}

static enum bst_code read_nodes(struct reader *r, const Onnx__GraphProto *graph)
{
    for (size_t i = 0; i < graph->n_node; i++) {
        const Onnx__NodeProto *proto = graph->node[i];
        const char *gap = proto->name != NULL && *proto->name != 0 ? " " : "";
        if (read_node(r, proto, i) == BST_OK) continue;
        return bst_where(r->err, "node %zu (%.80s%s%.80s, opset %d)", i,
                         proto->op_type != NULL ? proto->op_type : "", gap,
                         proto->name != NULL ? proto->name : "", r->graph->opset);
    }
    return BST_OK;
}

enum bst_code reader_graph(struct reader *r, const Onnx__GraphProto *proto)
{
    if (proto->n_node > NODES_MAX || proto->n_initializer > VALUES_MAX || proto->n_input > VALUES_MAX)
        return bst_fail(r->err, BST_UNREADABLE, "the graph has too many nodes (%zu), constants or inputs",
                        proto->n_node);
    enum bst_code code = read_constants(r, proto);
    if (code == BST_OK && r->depth == 0) code = read_inputs(r, proto);
    return code == BST_OK ? read_nodes(r, proto) : code;
}

static enum bst_code read_outputs(struct reader *r, const Onnx__GraphProto *proto)
{
    size_t n = proto->n_output;
    if (n == 0) return bst_fail(r->err, BST_UNREADABLE, "the graph has no output");
    r->graph->outputs = graph_take(r->graph, n, sizeof *r->graph->outputs);
    if (r->graph->outputs == NULL) return bst_fail_memory(r->err);
    for (size_t i = 0; i < n; i++) {
        const char *name = proto->output[i]->name != NULL ? proto->output[i]->name : "";
        r->graph->outputs[i] = find_value(r, name);
        if (r->graph->outputs[i] < 0)
            return bst_fail(r->err, BST_UNREADABLE, "output '%.80s' is not made by any node", name);
    }
    r->graph->output_count = n;
    return BST_OK;
}

/* A copy of a list in the graph's own memory. */
static void *own(struct graph *graph, const void *list, size_t count, size_t item)
{
    void *copy = graph_take(graph, count, item);
    if (copy != NULL && count > 0) memcpy(copy, list, count * item);
    return copy;
}

enum bst_code reader_finish(struct reader *r, const Onnx__GraphProto *proto)
{
    struct graph *graph = r->graph;
    enum bst_code code = read_outputs(r, proto);
    if (code != BST_OK) return code;
    graph->values = own(graph, r->values, r->value_count, sizeof *r->values);
    graph->nodes = own(graph, r->nodes, r->node_count, sizeof *r->nodes);
    graph->guards = own(graph, r->guards, r->guard_count, sizeof *r->guards);
    if (graph->values == NULL || graph->nodes == NULL || graph->guards == NULL)
        return bst_fail_memory(r->err);
    graph->value_count = r->value_count;
    graph->node_count = r->node_count;
    graph->guard_count = r->guard_count;
    return BST_OK;
}

void reader_free(struct reader *r)
{
    free(r->slots);
    free(r->values);
    free(r->defined);
    free(r->nodes);
    free(r->guards);
}
