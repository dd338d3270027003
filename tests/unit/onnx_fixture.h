/* onnx_fixture.h - small ONNX models for tests, written as text, one thing a line:
 *
 *   opset 17
 *   in x 1 3 ?8 ?9          an input; a dimension behind ? is open in the file and has that size in the test
 *   intin i 10 4 2          an input of int64 in [0, 10); boolin m 4 2: one of booleans
 *   rand w 4 3 3 3          a constant of random numbers in [-1, 1) (posrand: in [0.5, 1.5))
 *   half h 4 3              the same, stored as float16
 *   ints s 1 -1             a constant list of int64, int n 5 a single one
 *   floats f 0.5 2          a constant list of float, float a 0.1 a single one
 *   card {"schema": ...}    the model card
 *   if c y                  an If of condition c that makes y: the lines up to "else" are its first branch, those up to
 *                           "end" the other; "out" names what a branch makes
 *   out y                   an output of the graph, where it is not what the last node makes first; intout y,
 *                           boolout y: one of whole numbers, of booleans
 *   node Conv x,w y strides=[2,2] auto_pad='SAME_UPPER' alpha=0.1 group=1
 *
 * Numbers with a point are float attributes, others int.
 */
#ifndef ONNX_FIXTURE_H
#define ONNX_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "gen.h"
#include "onnx.pb-c.h"

#define FIXTURE_LIST 4096

struct fixture {
    Onnx__ModelProto model;
    Onnx__GraphProto graph, *at, *around[16]; /* at: what lines are added to */
    size_t depth;
    Onnx__OperatorSetIdProto opset;
    Onnx__StringStringEntryProto card;
    void *taken[16384];
    size_t taken_count;
    struct bst_tensor inputs[8];
    size_t input_count;
};

static void *fixture_take(struct fixture *f, size_t bytes)
{
    void *memory = calloc(1, bytes + 1);
    if (memory == NULL || f->taken_count == sizeof f->taken / sizeof f->taken[0]) abort();
    return f->taken[f->taken_count++] = memory;
}

static char *fixture_text(struct fixture *f, const char *text, size_t len)
{
    char *copy = fixture_take(f, len);
    memcpy(copy, text, len);
    return copy;
}

/* In [-1, 1), the same on every machine. */
static inline float fixture_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (float)(int32_t)(*state >> 33) * 0x1p-30f - 1.0f;
}

/* Random numbers of a tensor depend on its name alone, so that parts of a graph can be tried on their own. */
static uint64_t fixture_seed(const char *name)
{
    uint64_t hash = 1469598103934665603u;
    for (; *name != 0; name++)
        hash = (hash ^ (uint8_t)*name) * 1099511628211u;
    return hash;
}

static Onnx__TensorProto *fixture_tensor(struct fixture *f, const char *name, int type, size_t rank,
                                         const int64_t *dims)
{
    Onnx__TensorProto *t = fixture_take(f, sizeof *t);
    onnx__tensor_proto__init(t);
    t->name = fixture_text(f, name, strlen(name));
    t->has_data_type = 1;
    t->data_type = type;
    t->n_dims = rank;
    t->dims = fixture_take(f, (rank + 1) * sizeof *t->dims);
    memcpy(t->dims, dims, rank * sizeof *dims);
    if (f->at->initializer == NULL) f->at->initializer = fixture_take(f, FIXTURE_LIST * sizeof(void *));
    f->at->initializer[f->at->n_initializer++] = t;
    return t;
}

/* The nearest float16 of a number in [2^-10, 2), towards zero: enough for weights of tests. */
static uint16_t fixture_half(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 23 & 255) - 112;
    if (exponent <= 0) return 0;
    return (uint16_t)((bits >> 16 & 0x8000) | (uint32_t)exponent << 10 | (bits >> 13 & 0x3ff));
}

static void fixture_constant(struct fixture *f, const char *kind, const char *name, const double *values,
                             size_t n)
{
    int64_t dims[8], count = 1, list = (int64_t)n;
    bool positive = strcmp(kind, "posrand") == 0, half = strcmp(kind, "half") == 0;
    if (strcmp(kind, "rand") == 0 || positive || half) {
        for (size_t i = 0; i < n; i++)
            count *= dims[i] = (int64_t)values[i];
        uint64_t state = fixture_seed(name);
        Onnx__TensorProto *t = fixture_tensor(f, name, half ? 10 : 1, n, dims);
        t->has_raw_data = 1;
        t->raw_data.len = (size_t)count * (half ? 2 : 4);
        t->raw_data.data = fixture_take(f, t->raw_data.len);
        for (int64_t i = 0; i < count; i++) {
            float x = fixture_random(&state) * (positive ? 0.5f : 1.0f) + (positive ? 1.0f : 0.0f);
            uint16_t h = fixture_half(x);
            memcpy(t->raw_data.data + i * (half ? 2 : 4), half ? (void *)&h : (void *)&x, half ? 2 : 4);
        }
        return;
    }
    bool ints = strncmp(kind, "int", 3) == 0, scalar = strcmp(kind, "int") == 0 || strcmp(kind, "float") == 0;
    Onnx__TensorProto *t = fixture_tensor(f, name, ints ? 7 : 1, scalar ? 0 : 1, &list);
    t->n_int64_data = ints ? n : 0;
    t->n_float_data = ints ? 0 : n;
    t->int64_data = fixture_take(f, (n + 1) * sizeof *t->int64_data);
    t->float_data = fixture_take(f, (n + 1) * sizeof *t->float_data);
    for (size_t i = 0; i < n; i++) {
        t->int64_data[i] = (int64_t)values[i];
        t->float_data[i] = (float)values[i];
    }
}

static Onnx__ValueInfoProto *fixture_value(struct fixture *f, const char *name)
{
    Onnx__ValueInfoProto *v = fixture_take(f, sizeof *v);
    onnx__value_info_proto__init(v);
    v->name = fixture_text(f, name, strlen(name));
    v->type = fixture_take(f, sizeof *v->type);
    onnx__type_proto__init(v->type);
    v->type->tensor_type = fixture_take(f, sizeof *v->type->tensor_type);
    onnx__type_proto__tensor__init(v->type->tensor_type);
    v->type->tensor_type->has_elem_type = 1;
    v->type->tensor_type->elem_type = 1;
    return v;
}

/* type: as TensorProto.data_type; limit: of whole numbers. */
static void fixture_input(struct fixture *f, const char *name, char *rest, int type, int64_t limit)
{
    Onnx__ValueInfoProto *v = fixture_value(f, name);
    struct bst_tensor *t = &f->inputs[f->input_count++];
    Onnx__TensorShapeProto *shape = fixture_take(f, sizeof *shape);
    uint64_t state = fixture_seed(name);
    size_t count = 1;
    onnx__tensor_shape_proto__init(shape);
    shape->dim = fixture_take(f, 8 * sizeof(void *));
    v->type->tensor_type->shape = shape;
    t->name = v->name;
    for (char *word = strtok(rest, " "); word != NULL; word = strtok(NULL, " ")) {
        Onnx__TensorShapeProto__Dimension *d = fixture_take(f, sizeof *d);
        onnx__tensor_shape_proto__dimension__init(d);
        bool open = *word == '?';
        d->has_dim_value = !open;
        d->dim_value = strtoll(word + open, NULL, 10);
        if (open) d->dim_param = fixture_text(f, "open", 4);
        t->dims[t->rank++] = d->dim_value;
        count *= (size_t)d->dim_value;
        shape->dim[shape->n_dim++] = d;
    }
    v->type->tensor_type->elem_type = type;
    if (type == 1) t->data = fixture_take(f, count * sizeof(float));
    if (type != 1) t->ints = fixture_take(f, count * sizeof(int64_t));
    for (size_t i = 0; i < count; i++) {
        float x = fixture_random(&state);
        if (type == 1)
            t->data[i] = x;
        else
            t->ints[i] = (int64_t)((x + 1.0f) * 0.5f * (float)limit);
    }
    if (f->at->input == NULL) f->at->input = fixture_take(f, 8 * sizeof(void *));
    f->at->input[f->at->n_input++] = v;
}

static void fixture_attribute(struct fixture *f, Onnx__NodeProto *node, char *word)
{
    Onnx__AttributeProto *a = fixture_take(f, sizeof *a);
    char *value = strchr(word, '=');
    onnx__attribute_proto__init(a);
    *value++ = 0;
    a->name = fixture_text(f, word, strlen(word));
    a->has_type = 1;
    if (*value == '\'') {
        a->type = 3;
        a->has_s = 1;
        a->s.len = strlen(value) - 2;
        a->s.data = (uint8_t *)fixture_text(f, value + 1, a->s.len);
    } else if (*value == '[') {
        a->type = 7;
        a->ints = fixture_take(f, 64 * sizeof *a->ints);
        for (char *at = value + 1; *at != 0 && *at != ']'; at += *at == ',')
            a->ints[a->n_ints++] = strtoll(at, &at, 10);
    } else if (strchr(value, '.') != NULL) {
        a->type = 1;
        a->has_f = 1;
        a->f = strtof(value, NULL);
    } else {
        a->type = 2;
        a->has_i = 1;
        a->i = strtoll(value, NULL, 10);
    }
    node->attribute[node->n_attribute++] = a;
}

static size_t fixture_names(struct fixture *f, char *list, char **out)
{
    size_t n = 0;
    for (char *end; list != NULL && strcmp(list, "-") != 0; list = end) {
        end = strchr(list, ',');
        if (end != NULL) *end++ = 0;
        out[n++] = fixture_text(f, list, strlen(list));
    }
    return n;
}

static void fixture_node(struct fixture *f, char *rest)
{
    Onnx__NodeProto *node = fixture_take(f, sizeof *node);
    onnx__node_proto__init(node);
    char *op = strtok(rest, " "), *inputs = strtok(NULL, " "), *outputs = strtok(NULL, " "), *word;
    node->op_type = fixture_text(f, op, strlen(op));
    node->input = fixture_take(f, 64 * sizeof(void *));
    node->output = fixture_take(f, 64 * sizeof(void *));
    node->attribute = fixture_take(f, 64 * sizeof(void *));
    node->n_input = fixture_names(f, inputs, node->input);
    node->n_output = fixture_names(f, outputs, node->output);
    while ((word = strtok(NULL, " ")) != NULL)
        fixture_attribute(f, node, word);
    if (f->at->node == NULL) f->at->node = fixture_take(f, FIXTURE_LIST * sizeof(void *));
    f->at->node[f->at->n_node++] = node;
}

static void fixture_open(struct fixture *f)
{
    f->around[f->depth++] = f->at;
    f->at = fixture_take(f, sizeof *f->at);
    onnx__graph_proto__init(f->at);
    f->at->name = fixture_text(f, "branch", 6);
}

/* What lines were added to becomes a branch of the last node of the graph around. */
static void fixture_close(struct fixture *f, const char *name)
{
    Onnx__GraphProto *branch = f->at;
    f->at = f->around[--f->depth];
    Onnx__NodeProto *node = f->at->node[f->at->n_node - 1];
    Onnx__AttributeProto *a = fixture_take(f, sizeof *a);
    onnx__attribute_proto__init(a);
    a->name = fixture_text(f, name, strlen(name));
    a->has_type = a->has_g = 1;
    a->type = 5;
    a->g.data = fixture_take(f, onnx__graph_proto__get_packed_size(branch));
    a->g.len = onnx__graph_proto__pack(branch, a->g.data);
    node->attribute[node->n_attribute++] = a;
}

static void fixture_line(struct fixture *f, char *line)
{
    char *rest = strchr(line, ' ');
    if (strcmp(line, "else") == 0 || strcmp(line, "end") == 0) {
        fixture_close(f, line[1] == 'l' ? "then_branch" : "else_branch");
        if (line[1] == 'l') fixture_open(f);
        return;
    }
    if (rest == NULL) abort();
    *rest++ = 0;
    if (strcmp(line, "opset") == 0) {
        f->opset.version = strtoll(rest, NULL, 10);
    } else if (strcmp(line, "card") == 0) {
        f->card.value = fixture_text(f, rest, strlen(rest));
    } else if (strcmp(line, "if") == 0) {
        char *copy = fixture_take(f, strlen(rest) + 4);
        sprintf(copy, "If %s", rest);
        fixture_node(f, copy);
        fixture_open(f);
    } else if (strcmp(line, "node") == 0) {
        fixture_node(f, rest);
    } else if (strcmp(line, "out") == 0 || strcmp(line, "intout") == 0 || strcmp(line, "boolout") == 0) {
        if (f->at->output == NULL) f->at->output = fixture_take(f, 8 * sizeof(void *));
        Onnx__ValueInfoProto *v = f->at->output[f->at->n_output++] = fixture_value(f, rest);
        v->type->tensor_type->elem_type = *line == 'o' ? 1 : *line == 'i' ? 7 : 9;
    } else {
        double values[64];
        size_t n = 0;
        char *name = rest;
        rest = strchr(rest, ' ');
        if (rest != NULL) *rest++ = 0;
        if (strcmp(line, "in") == 0 || strcmp(line, "boolin") == 0 || strcmp(line, "intin") == 0) {
            int type = *line == 'b' ? 9 : line[2] == 0 ? 1 : 7;
            int64_t limit = type == 7 ? strtoll(rest, &rest, 10) : 2;
            fixture_input(f, name, rest, type, limit);
            return;
        }
        for (char *word = rest != NULL ? strtok(rest, " ") : NULL; word != NULL; word = strtok(NULL, " "))
            values[n++] = strtod(word, NULL);
        fixture_constant(f, line, name, values, n);
    }
}

/* The model that a text describes; freed with fixture_free. */
static inline struct fixture *fixture_new(const char *text)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL) abort();
    onnx__model_proto__init(&f->model);
    onnx__graph_proto__init(&f->graph);
    onnx__operator_set_id_proto__init(&f->opset);
    onnx__string_string_entry_proto__init(&f->card);
    f->opset.has_version = 1;
    f->opset.version = 17;
    f->at = &f->graph;
    for (const char *end; *text != 0; text = end) {
        end = strchr(text, '\n');
        size_t len = end != NULL ? (size_t)(end - text) : strlen(text);
        if (len > 0) fixture_line(f, fixture_text(f, text, len));
        end = text + len + (end != NULL ? 1 : 0);
    }
    f->graph.name = fixture_text(f, "test", 4);
    if (f->graph.output == NULL) f->graph.output = fixture_take(f, sizeof(void *));
    if (f->graph.n_node > 0 && f->graph.n_output == 0) {
        f->graph.output[0] = fixture_value(f, f->graph.node[f->graph.n_node - 1]->output[0]);
        f->graph.n_output = 1;
    }
    f->model.has_ir_version = 1;
    f->model.ir_version = 8;
    f->model.graph = &f->graph;
    f->model.n_opset_import = 1;
    f->model.opset_import = fixture_take(f, sizeof(void *));
    f->model.opset_import[0] = &f->opset;
    if (f->card.value != NULL) {
        f->card.key = fixture_text(f, "blindstamp.card", 15);
        f->model.n_metadata_props = 1;
        f->model.metadata_props = fixture_take(f, sizeof(void *));
        f->model.metadata_props[0] = &f->card;
    }
    return f;
}

static inline void fixture_free(struct fixture *f)
{
    for (size_t i = 0; i < f->taken_count; i++)
        free(f->taken[i]);
    free(f);
}

static inline void fixture_pack(const struct fixture *f, struct bst_buf *out)
{
    size_t len = onnx__model_proto__get_packed_size(&f->model);
    if (!bst_buf_reserve(out, len)) abort();
    out->len += onnx__model_proto__pack(&f->model, out->data + out->len);
}

/* Writes the model to a file, replacing it; without fsync, since tests write many. */
static inline void fixture_write(const struct fixture *f, const char *path)
{
    struct bst_buf bytes = {0};
    FILE *file = fopen(path, "wb");
    fixture_pack(f, &bytes);
    if (file == NULL || fwrite(bytes.data, 1, bytes.len, file) != bytes.len || fclose(file) != 0) abort();
    bst_buf_free(&bytes);
}

#endif
