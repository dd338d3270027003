/* onnx.c - reads an ONNX file into a graph. Everything a stranger's file can get wrong is checked here, once:
 * counts, names, types, lengths, order of nodes, operators. Operators check their own attributes and shapes
 * when a plan is made (op.h). */
#include "onnx.h"
#include "op.h"

#include <stdlib.h>
#include <string.h>

#define NODES_MAX      65536u
#define VALUES_MAX     262144u
#define NODE_EDGES_MAX 4096u /* inputs or outputs of one node */
#define ATTRIBUTES_MAX 64u
#define NAME_MAX_LEN   512u
#define CARD_MAX       ((size_t)1 << 20)

/* ---- memory ---- */

/* Unpacking takes memory before any count can be checked: an empty node is two bytes in the file and some
 * hundred in memory. The allowance bounds what a hostile file can make it take. */
struct allowance {
    size_t left;
};

static void *allowed_alloc(void *data, size_t size)
{
    struct allowance *allowance = data;
    size_t cost = size + 32; /* with malloc's own overhead */
    if (size > SIZE_MAX / 2 || cost > allowance->left) return NULL;
    allowance->left -= cost;
    return malloc(size > 0 ? size : 1);
}

static void allowed_free(void *data, void *memory)
{
    (void)data;
    free(memory);
}

struct graph_block {
    struct graph_block *next;
    _Alignas(64) uint8_t data[];
};

static void *graph_take(struct graph *graph, size_t n, size_t item)
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
    free(graph);
}

/* ---- names ---- */

struct reader {
    const Onnx__GraphProto *proto;
    struct graph *graph;
    int32_t *slots; /* hash table of value numbers + 1 */
    size_t slot_count;
    bool *defined; /* by an input, a constant or a node before */
    struct bst_error *err;
};

static int32_t *find_slot(struct reader *r, const char *name)
{
    uint64_t hash = 1469598103934665603u;
    for (const char *p = name; *p; p++)
        hash = (hash ^ (uint8_t)*p) * 1099511628211u;
    for (size_t i = (size_t)(hash ^ hash >> 32);; i++) {
        int32_t *slot = &r->slots[i & (r->slot_count - 1)];
        if (*slot == 0 || strcmp(r->graph->values[*slot - 1].name, name) == 0) return slot;
    }
}

static const char *copy_text(struct graph *graph, const void *text, size_t len)
{
    char *copy = graph_take(graph, len + 1, 1);
    if (copy != NULL && len > 0) memcpy(copy, text, len);
    return copy;
}

/* The number of the value called name, a new one when it is not known yet; -1 without memory. There is room:
 * values were counted before. */
static int32_t value_of(struct reader *r, const char *name)
{
    int32_t *slot = find_slot(r, name);
    if (*slot == 0) {
        const char *copy = copy_text(r->graph, name, strlen(name));
        if (copy == NULL) return -1;
        r->graph->values[r->graph->value_count++].name = copy;
        *slot = (int32_t)r->graph->value_count;
    }
    return *slot - 1;
}

/* The same for a value that the file defines here; defining it twice is an error. */
static enum bst_code define_value(struct reader *r, const char *name, int32_t *out)
{
    if (strlen(name) > NAME_MAX_LEN) return bst_fail(r->err, BST_UNREADABLE, "a value's name is too long");
    *out = value_of(r, name);
    if (*out < 0) return bst_fail_memory(r->err);
    if (r->defined[*out]) return bst_fail(r->err, BST_UNREADABLE, "value '%.80s' is defined twice", name);
    r->defined[*out] = true;
    return BST_OK;
}

static enum bst_code make_tables(struct reader *r)
{
    size_t count = r->proto->n_initializer + r->proto->n_input;
    for (size_t i = 0; i < r->proto->n_node; i++) {
        const Onnx__NodeProto *node = r->proto->node[i];
        if (node->n_input > NODE_EDGES_MAX || node->n_output > NODE_EDGES_MAX)
            return bst_fail(r->err, BST_UNREADABLE, "node %zu has too many inputs or outputs", i);
        count += node->n_output;
    }
    if (r->proto->n_node > NODES_MAX || count > VALUES_MAX)
        return bst_fail(r->err, BST_UNREADABLE, "the graph has too many nodes (%zu) or values (%zu)",
                        r->proto->n_node, count);
    for (r->slot_count = 16; r->slot_count < 2 * count + 2;)
        r->slot_count *= 2;
    r->slots = bst_calloc(r->slot_count, sizeof *r->slots);
    r->defined = bst_calloc(count + 1, sizeof *r->defined);
    r->graph->values = graph_take(r->graph, count + 1, sizeof *r->graph->values);
    if (r->slots == NULL || r->defined == NULL || r->graph->values == NULL) return bst_fail_memory(r->err);
    return BST_OK;
}

/* ---- the parts of a graph ---- */

static enum bst_code read_tensor(struct reader *r, const Onnx__TensorProto *proto, const struct tensor **out)
{
    struct tensor *t = graph_take(r->graph, 1, sizeof *t);
    if (t == NULL) return bst_fail_memory(r->err);
    enum bst_code code = onnx_tensor_check(proto, t, r->err);
    if (code != BST_OK) return code;
    t->data = graph_take(r->graph, t->count, tensor_item(t));
    if (t->data == NULL) return bst_fail_memory(r->err);
    onnx_tensor_fill(proto, t);
    *out = t;
    return BST_OK;
}

static enum bst_code read_constants(struct reader *r)
{
    for (size_t i = 0; i < r->proto->n_initializer; i++) {
        const Onnx__TensorProto *proto = r->proto->initializer[i];
        int32_t value;
        if (proto->name == NULL || *proto->name == 0)
            return bst_fail(r->err, BST_UNREADABLE, "constant %zu has no name", i);
        enum bst_code code = define_value(r, proto->name, &value);
        if (code != BST_OK) return code;
        code = read_tensor(r, proto, &r->graph->values[value].constant);
        if (code != BST_OK) return code;
        if (r->graph->values[value].constant->kind == KIND_FLOAT)
            r->graph->parameters += r->graph->values[value].constant->count;
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
    input->name = r->graph->values[input->value].name;
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

static enum bst_code read_inputs(struct reader *r)
{
    r->graph->inputs = graph_take(r->graph, r->proto->n_input, sizeof *r->graph->inputs);
    if (r->graph->inputs == NULL) return bst_fail_memory(r->err);
    for (size_t i = 0; i < r->proto->n_input; i++) {
        const Onnx__ValueInfoProto *info = r->proto->input[i];
        if (info->name == NULL || *info->name == 0)
            return bst_fail(r->err, BST_UNREADABLE, "input %zu has no name", i);
        int32_t *slot = find_slot(r, info->name);
        if (*slot != 0 && r->graph->values[*slot - 1].constant != NULL)
            continue; /* a constant, listed again */
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
    a->name = copy_text(graph, proto->name, strlen(proto->name));
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
        a->s = copy_text(graph, proto->s.data, proto->s.len);
        if (a->s == NULL) return bst_fail_memory(r->err);
        break;
    case ATTRIBUTE_TENSOR:
        if (proto->t == NULL)
            return bst_fail(r->err, BST_UNREADABLE, "attribute '%.80s' is empty", proto->name);
        return read_tensor(r, proto->t, &a->t);
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

static enum bst_code read_edges(struct reader *r, const Onnx__NodeProto *proto, struct node *node)
{
    node->inputs = graph_take(r->graph, proto->n_input, sizeof *node->inputs);
    node->outputs = graph_take(r->graph, proto->n_output, sizeof *node->outputs);
    if (node->inputs == NULL || node->outputs == NULL) return bst_fail_memory(r->err);
    node->input_count = proto->n_input;
    node->output_count = proto->n_output;
    for (size_t i = 0; i < proto->n_input; i++) {
        if (*proto->input[i] == 0) {
            node->inputs[i] = -1;
            continue;
        }
        int32_t slot = *find_slot(r, proto->input[i]);
        if (slot == 0 || !r->defined[slot - 1])
            return bst_fail(r->err, BST_UNREADABLE, "input '%.80s' is not made by any node before",
                            proto->input[i]);
        node->inputs[i] = slot - 1;
    }
    while (node->input_count > 0 && node->inputs[node->input_count - 1] < 0)
        node->input_count--;
    for (size_t i = 0; i < proto->n_output; i++) {
        node->outputs[i] = -1;
        if (*proto->output[i] == 0) continue;
        enum bst_code code = define_value(r, proto->output[i], &node->outputs[i]);
        if (code != BST_OK) return code;
    }
    return BST_OK;
}

static enum bst_code check_operator(struct reader *r, const Onnx__NodeProto *proto, struct node *node)
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
        return bst_hint(r->err,
                        "convolutional generators are what this engine runs; see schema/arithmetic.md");
    }
    if (node->input_count < node->op->inputs_min || node->input_count > node->op->inputs_max ||
        node->output_count < 1 || node->output_count > node->op->outputs_max || node->outputs[0] < 0)
        return bst_fail(r->err, BST_UNREADABLE, "%s has %zu inputs and %zu outputs", type, node->input_count,
                        node->output_count);
    for (size_t i = 0; i < node->op->inputs_min; i++)
        if (node->inputs[i] < 0) return bst_fail(r->err, BST_UNREADABLE, "%s lacks its input %zu", type, i);
    return BST_OK;
}

static enum bst_code read_node(struct reader *r, const Onnx__NodeProto *proto, struct node *node)
{
    const char *name = proto->name != NULL ? proto->name : "";
    node->name = copy_text(r->graph, name, strnlen(name, NAME_MAX_LEN));
    if (node->name == NULL) return bst_fail_memory(r->err);
    enum bst_code code = read_edges(r, proto, node);
    if (code == BST_OK) code = check_operator(r, proto, node);
    if (code != BST_OK) return code;
    if (proto->n_attribute > ATTRIBUTES_MAX)
        return bst_fail(r->err, BST_UNREADABLE, "the node has too many attributes");
    node->attributes = graph_take(r->graph, proto->n_attribute, sizeof *node->attributes);
    if (node->attributes == NULL) return bst_fail_memory(r->err);
    for (size_t i = 0; i < proto->n_attribute; i++) {
        code = read_attribute(r, proto->attribute[i], &node->attributes[i]);
        if (code != BST_OK) return code;
        node->attribute_count++;
    }
    return BST_OK;
}

static enum bst_code read_nodes(struct reader *r)
{
    r->graph->nodes = graph_take(r->graph, r->proto->n_node, sizeof *r->graph->nodes);
    if (r->graph->nodes == NULL) return bst_fail_memory(r->err);
    for (size_t i = 0; i < r->proto->n_node; i++) {
        const Onnx__NodeProto *proto = r->proto->node[i];
        enum bst_code code = read_node(r, proto, &r->graph->nodes[i]);
        if (code != BST_OK)
            return bst_where(r->err, "node %zu (%.80s%s%.80s, opset %d)", i,
                             proto->op_type != NULL ? proto->op_type : "", proto->name != NULL ? " " : "",
                             proto->name != NULL ? proto->name : "", r->graph->opset);
        r->graph->node_count++;
    }
    return BST_OK;
}

static enum bst_code read_outputs(struct reader *r)
{
    size_t n = r->proto->n_output;
    if (n == 0) return bst_fail(r->err, BST_UNREADABLE, "the graph has no output");
    r->graph->outputs = graph_take(r->graph, n, sizeof *r->graph->outputs);
    if (r->graph->outputs == NULL) return bst_fail_memory(r->err);
    for (size_t i = 0; i < n; i++) {
        const char *name = r->proto->output[i]->name;
        int32_t slot = name != NULL ? *find_slot(r, name) : 0;
        if (slot == 0 || !r->defined[slot - 1])
            return bst_fail(r->err, BST_UNREADABLE, "output '%.80s' is not made by any node",
                            name != NULL ? name : "");
        r->graph->outputs[i] = slot - 1;
    }
    r->graph->output_count = n;
    return BST_OK;
}

/* ---- the model around it ---- */

static enum bst_code read_opset(const Onnx__ModelProto *model, struct graph *graph, struct bst_error *err)
{
    int64_t version = 0;
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const char *domain = model->opset_import[i]->domain;
        if (domain == NULL || *domain == 0 || strcmp(domain, "ai.onnx") == 0)
            version = model->opset_import[i]->version;
    }
    if (version < OPSET_MIN || version > OPSET_MAX) {
        bst_fail(err, BST_UNREADABLE, "operator set %lld is not supported, only %d to %d", (long long)version,
                 OPSET_MIN, OPSET_MAX);
        return bst_hint(err,
                        "export the model with opset_version=17, or convert it with onnx.version_converter");
    }
    graph->opset = (int)version;
    return BST_OK;
}

static enum bst_code read_card(const Onnx__ModelProto *model, struct graph *graph, struct bst_error *err)
{
    for (size_t i = 0; i < model->n_metadata_props; i++) {
        const Onnx__StringStringEntryProto *entry = model->metadata_props[i];
        if (entry->key == NULL || entry->value == NULL || strcmp(entry->key, "blindstamp.card") != 0)
            continue;
        size_t len = strlen(entry->value);
        if (len > CARD_MAX)
            return bst_fail(err, BST_UNREADABLE, "the model card is larger than %zu bytes", CARD_MAX);
        if (graph->card != NULL) return bst_fail(err, BST_UNREADABLE, "there are two model cards");
        graph->card = copy_text(graph, entry->value, len);
        if (graph->card == NULL) return bst_fail_memory(err);
    }
    return BST_OK;
}

static enum bst_code read_graph(const Onnx__ModelProto *model, struct graph *graph, struct bst_error *err)
{
    struct reader r = {.proto = model->graph, .graph = graph, .err = err};
    enum bst_code code = make_tables(&r);
    if (code == BST_OK) code = read_constants(&r);
    if (code == BST_OK) code = read_inputs(&r);
    if (code == BST_OK) code = read_nodes(&r);
    if (code == BST_OK) code = read_outputs(&r);
    free(r.slots);
    free(r.defined);
    return code;
}

enum bst_code graph_read(const void *data, size_t len, const char *name, struct graph **out,
                         struct bst_error *err)
{
    *out = NULL;
    if (len > MODEL_SIZE_MAX)
        return bst_fail(err, BST_UNREADABLE, "%s: larger than a model may be (%zu bytes)", name,
                        MODEL_SIZE_MAX);
    struct allowance allowance = {.left = 2 * len + ((size_t)64 << 20)};
    ProtobufCAllocator allocator = {allowed_alloc, allowed_free, &allowance};
    Onnx__ModelProto *model = onnx__model_proto__unpack(&allocator, len, data);
    if (model == NULL || model->graph == NULL) {
        if (model != NULL) onnx__model_proto__free_unpacked(model, &allocator);
        bst_fail(err, BST_UNREADABLE, "not an ONNX model, or a damaged one");
        return bst_where(err, "%s", name);
    }
    struct graph *graph = bst_calloc(1, sizeof *graph);
    enum bst_code code = graph != NULL ? BST_OK : bst_fail_memory(err);
    if (code == BST_OK) code = read_opset(model, graph, err);
    if (code == BST_OK) code = read_card(model, graph, err);
    if (code == BST_OK) code = read_graph(model, graph, err);
    onnx__model_proto__free_unpacked(model, &allocator);
    if (code != BST_OK) {
        graph_free(graph);
        return bst_where(err, "%s", name);
    }
    *out = graph;
    return BST_OK;
}
