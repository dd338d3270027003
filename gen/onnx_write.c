/* onnx_write.c - builds ONNX files (opset 17, IR 8). */
#include "onnx_write.h"

#include <stdlib.h>
#include <string.h>

enum { OPSET = 17, IR_VERSION = 8 };

/* ---- memory ---- */

static bool list_add(struct onnx_list *list, void *item)
{
    if (list->count == list->cap) {
        size_t cap = list->cap ? 2 * list->cap : 64;
        void **grown = realloc(list->items, cap * sizeof *grown);
        if (!grown) return false;
        list->items = grown;
        list->cap = cap;
    }
    list->items[list->count++] = item;
    return true;
}

static void add(struct onnx_writer *w, struct onnx_list *list, void *item)
{
    if (!item || !list_add(list, item)) w->failed = true;
}

void *onnx_hold(struct onnx_writer *w, size_t size)
{
    void *p = bst_calloc(1, size);
    if (p && list_add(&w->held, p)) return p;
    free(p);
    w->failed = true;
    return NULL;
}

static char *hold_bytes(struct onnx_writer *w, const void *data, size_t len)
{
    char *copy = onnx_hold(w, len + 1);
    if (copy && len) memcpy(copy, data, len);
    return copy;
}

char *onnx_hold_text(struct onnx_writer *w, const char *text)
{
    return hold_bytes(w, text, strlen(text));
}

void onnx_writer_clear(struct onnx_writer *w)
{
    for (size_t i = 0; i < w->held.count; i++)
        free(w->held.items[i]);
    struct onnx_list *lists[] = {&w->nodes, &w->constants, &w->inputs, &w->outputs, &w->metadata, &w->held};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        free(lists[i]->items);
    memset(w, 0, sizeof *w);
}

/* ---- constants ---- */

static Onnx__TensorProto *add_tensor(struct onnx_writer *w, const char *name, enum onnx_type type,
                                     size_t rank, const int64_t *dims, uint8_t *data, size_t bytes)
{
    Onnx__TensorProto *t = onnx_hold(w, sizeof *t);
    int64_t *shape = onnx_hold(w, (rank + 1) * sizeof *shape);
    if (!t || !shape || !data) return NULL;
    onnx__tensor_proto__init(t);
    if (rank) memcpy(shape, dims, rank * sizeof *shape);
    t->n_dims = rank;
    t->dims = shape;
    t->has_data_type = 1;
    t->data_type = (int32_t)type;
    t->name = onnx_hold_text(w, name);
    t->has_raw_data = 1;
    t->raw_data = (ProtobufCBinaryData){bytes, data};
    add(w, &w->constants, t);
    return t;
}

Onnx__TensorProto *onnx_add_constant(struct onnx_writer *w, const char *name, enum onnx_type type,
                                     size_t rank, const int64_t *dims, size_t bytes)
{
    return add_tensor(w, name, type, rank, dims, onnx_hold(w, bytes), bytes);
}

void onnx_add_borrowed(struct onnx_writer *w, const char *name, enum onnx_type type, size_t rank,
                       const int64_t *dims, const uint8_t *data, size_t bytes)
{
    add_tensor(w, name, type, rank, dims, (uint8_t *)data, bytes); /* packing only reads it */
}

void onnx_add_ints(struct onnx_writer *w, const char *name, size_t count, const int64_t *values)
{
    Onnx__TensorProto *t = onnx_add_constant(w, name, ONNX_INT64, 1, (int64_t[]){(int64_t)count}, count * 8);
    for (size_t i = 0; t && i < count * 8; i++)
        t->raw_data.data[i] = (uint8_t)((uint64_t)values[i / 8] >> (8 * (i % 8)));
}

void onnx_add_floats(struct onnx_writer *w, const char *name, size_t rank, const int64_t *dims,
                     const float *values)
{
    size_t count = 1;
    for (size_t i = 0; i < rank; i++)
        count *= (size_t)dims[i];
    Onnx__TensorProto *t = onnx_add_constant(w, name, ONNX_FLOAT, rank, dims, count * 4);
    for (size_t i = 0; t && i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        for (size_t b = 0; b < 4; b++)
            t->raw_data.data[i * 4 + b] = (uint8_t)(bits >> (8 * b));
    }
}

uint16_t onnx_half_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    int exponent = (int)(bits >> 23 & 0xff) - 127 + 15;
    uint32_t fraction = bits & 0x7fffff;
    if (exponent >= 31) return (uint16_t)(sign | 0x7bff);
    unsigned drop = 13;
    if (exponent <= 0) { /* subnormal: the leading one becomes visible */
        if (exponent < -10) return sign;
        fraction |= 0x800000;
        drop = (unsigned)(14 - exponent);
        exponent = 0;
    }
    uint32_t kept = ((uint32_t)exponent << 10) + (fraction >> drop);
    uint32_t rest = fraction & ((1u << drop) - 1), tie = 1u << (drop - 1);
    if (rest > tie || (rest == tie && (kept & 1))) kept++;
    return (uint16_t)(sign | (kept > 0x7bff ? 0x7bff : kept));
}

/* ---- nodes ---- */

Onnx__NodeProto *onnx_add_node(struct onnx_writer *w, const char *type, const char *output, size_t inputs,
                               const char *const *input)
{
    Onnx__NodeProto *n = onnx_hold(w, sizeof *n);
    char **in = onnx_hold(w, (inputs + 1) * sizeof *in), **out = onnx_hold(w, sizeof *out);
    if (!n || !in || !out) return NULL;
    onnx__node_proto__init(n);
    n->op_type = onnx_hold_text(w, type);
    n->name = onnx_hold_text(w, output);
    n->n_input = inputs;
    n->input = in;
    for (size_t i = 0; i < inputs; i++)
        in[i] = onnx_hold_text(w, input[i]);
    n->n_output = 1;
    n->output = out;
    out[0] = onnx_hold_text(w, output);
    add(w, &w->nodes, n);
    return n;
}

static Onnx__AttributeProto *add_attribute(struct onnx_writer *w, Onnx__NodeProto *n, const char *name,
                                           int32_t type)
{
    Onnx__AttributeProto *a = onnx_hold(w, sizeof *a);
    Onnx__AttributeProto **list = onnx_hold(w, (n ? n->n_attribute + 1 : 1) * sizeof *list);
    if (!n || !a || !list) return NULL;
    onnx__attribute_proto__init(a);
    a->name = onnx_hold_text(w, name);
    a->has_type = 1;
    a->type = type;
    for (size_t i = 0; i < n->n_attribute; i++)
        list[i] = n->attribute[i];
    list[n->n_attribute++] = a;
    n->attribute = list; /* the shorter list stays on the writer's list until the end */
    return a;
}

void onnx_set_int(struct onnx_writer *w, Onnx__NodeProto *n, const char *name, int64_t value)
{
    Onnx__AttributeProto *a = add_attribute(w, n, name, ATTRIBUTE_INT);
    if (!a) return;
    a->has_i = 1;
    a->i = value;
}

void onnx_set_float(struct onnx_writer *w, Onnx__NodeProto *n, const char *name, float value)
{
    Onnx__AttributeProto *a = add_attribute(w, n, name, ATTRIBUTE_FLOAT);
    if (!a) return;
    a->has_f = 1;
    a->f = value;
}

void onnx_set_text(struct onnx_writer *w, Onnx__NodeProto *n, const char *name, const char *value)
{
    Onnx__AttributeProto *a = add_attribute(w, n, name, ATTRIBUTE_STRING);
    if (!a) return;
    a->has_s = 1;
    a->s = (ProtobufCBinaryData){strlen(value), (uint8_t *)onnx_hold_text(w, value)};
}

void onnx_set_ints(struct onnx_writer *w, Onnx__NodeProto *n, const char *name, size_t count,
                   const int64_t *values)
{
    Onnx__AttributeProto *a = add_attribute(w, n, name, ATTRIBUTE_INTS);
    if (!a) return;
    a->n_ints = count;
    a->ints = (int64_t *)(void *)hold_bytes(w, values, count * sizeof *values);
}

/* ---- the graph's face ---- */

static Onnx__ValueInfoProto *value_info(struct onnx_writer *w, const char *name, enum onnx_type kind,
                                        size_t rank, const int64_t *dims, const char *const *symbol)
{
    Onnx__ValueInfoProto *v = onnx_hold(w, sizeof *v);
    Onnx__TypeProto *type = onnx_hold(w, sizeof *type);
    Onnx__TypeProto__Tensor *tensor = onnx_hold(w, sizeof *tensor);
    Onnx__TensorShapeProto *shape = onnx_hold(w, sizeof *shape);
    Onnx__TensorShapeProto__Dimension **list = onnx_hold(w, rank * sizeof *list),
                                      *dim = onnx_hold(w, rank * sizeof *dim);
    if (!v || !type || !tensor || !shape || !list || !dim) return NULL;
    onnx__value_info_proto__init(v);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(tensor);
    onnx__tensor_shape_proto__init(shape);
    for (size_t i = 0; i < rank; i++) {
        list[i] = &dim[i];
        onnx__tensor_shape_proto__dimension__init(list[i]);
        list[i]->has_dim_value = dims[i] != 0;
        list[i]->dim_value = dims[i];
        if (dims[i] == 0) list[i]->dim_param = onnx_hold_text(w, symbol[i]);
    }
    shape->n_dim = rank;
    shape->dim = list;
    tensor->has_elem_type = 1;
    tensor->elem_type = (int32_t)kind;
    tensor->shape = shape;
    type->tensor_type = tensor;
    v->name = onnx_hold_text(w, name);
    v->type = type;
    return v;
}

void onnx_add_input(struct onnx_writer *w, const char *name, size_t rank, const int64_t *dims,
                    const char *const *symbol)
{
    add(w, &w->inputs, value_info(w, name, ONNX_FLOAT, rank, dims, symbol));
}

void onnx_add_whole_input(struct onnx_writer *w, const char *name, size_t rank, const int64_t *dims,
                          const char *const *symbol)
{
    add(w, &w->inputs, value_info(w, name, ONNX_INT64, rank, dims, symbol));
}

void onnx_add_output(struct onnx_writer *w, const char *name, size_t rank, const int64_t *dims,
                     const char *const *symbol)
{
    add(w, &w->outputs, value_info(w, name, ONNX_FLOAT, rank, dims, symbol));
}

void onnx_add_metadata(struct onnx_writer *w, const char *key, const char *value)
{
    Onnx__StringStringEntryProto *entry = onnx_hold(w, sizeof *entry);
    if (!entry) return;
    onnx__string_string_entry_proto__init(entry);
    entry->key = onnx_hold_text(w, key);
    entry->value = onnx_hold_text(w, value);
    add(w, &w->metadata, entry);
}

enum bst_code onnx_write(struct onnx_writer *w, struct bst_buf *out, struct bst_error *err)
{
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    Onnx__GraphProto graph = ONNX__GRAPH_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets[] = {&opset};
    graph.name = onnx_hold_text(w, w->name);
    graph.n_node = w->nodes.count;
    graph.node = (Onnx__NodeProto **)w->nodes.items;
    graph.n_initializer = w->constants.count;
    graph.initializer = (Onnx__TensorProto **)w->constants.items;
    graph.n_input = w->inputs.count;
    graph.input = (Onnx__ValueInfoProto **)w->inputs.items;
    graph.n_output = w->outputs.count;
    graph.output = (Onnx__ValueInfoProto **)w->outputs.items;
    opset.domain = onnx_hold_text(w, "");
    opset.has_version = 1;
    opset.version = OPSET;
    model.has_ir_version = 1;
    model.ir_version = IR_VERSION;
    model.producer_name = onnx_hold_text(w, "blindstamp");
    model.producer_version = onnx_hold_text(w, BST_VERSION);
    model.graph = &graph;
    model.n_opset_import = 1;
    model.opset_import = opsets;
    model.n_metadata_props = w->metadata.count;
    model.metadata_props = (Onnx__StringStringEntryProto **)w->metadata.items;
    if (w->failed) return bst_fail_memory(err);
    if (!bst_buf_reserve(out, onnx__model_proto__get_packed_size(&model))) return bst_fail_memory(err);
    out->len += onnx__model_proto__pack(&model, out->data + out->len);
    return BST_OK;
}
