/* graph.h - a model's graph as the engine keeps it: values, nodes and constants, checked once when the file
 * is read (onnx.c) and never changed afterwards. Private to gen/.
 *
 * Numbers are kept in two kinds: every floating type of the file becomes float32, every whole type and bool
 * int64. What depends on shapes and constants alone is worked out when a plan is made.
 */
#ifndef BST_GRAPH_H
#define BST_GRAPH_H

#include "base.h"

#define RANK_MAX  8
#define OPSET_MIN 6
#define OPSET_MAX 21
/* Numbers in a tensor: no machine has that many, and sums of the sizes of all tensors cannot overflow. */
#define TENSOR_MAX     ((uint64_t)1 << 40)
#define MODEL_SIZE_MAX ((size_t)1 << 30) /* bytes of a model file */

enum kind {
    KIND_FLOAT,
    KIND_INT,
};

struct tensor {
    enum kind kind;
    size_t rank;
    int64_t dims[RANK_MAX];
    size_t count; /* product of dims */
    void *data;   /* count float or int64_t, row-major */
};

static inline float *tensor_floats(const struct tensor *t)
{
    return t->data;
}

static inline int64_t *tensor_ints(const struct tensor *t)
{
    return t->data;
}

/* Bytes of one number as kept in memory. */
static inline size_t tensor_item(const struct tensor *t)
{
    return t->kind == KIND_FLOAT ? sizeof(float) : sizeof(int64_t);
}

static inline size_t tensor_bytes(const struct tensor *t)
{
    return t->count * tensor_item(t);
}

/* Checks dims (each in [0, INT32_MAX], their product at most TENSOR_MAX) and sets count; false when they
 * cannot be. */
bool tensor_set_dims(struct tensor *t, enum kind kind, size_t rank, const int64_t *dims);
bool tensor_same_dims(const struct tensor *a, const struct tensor *b);
/* "[1,3,64,64]" for messages. */
#define DIMS_TEXT 128
const char *dims_text(size_t rank, const int64_t *dims, char out[static DIMS_TEXT]);

enum attribute_type { /* as on the wire */
                      ATTRIBUTE_FLOAT = 1,
                      ATTRIBUTE_INT = 2,
                      ATTRIBUTE_STRING = 3,
                      ATTRIBUTE_TENSOR = 4,
                      ATTRIBUTE_GRAPH = 5, /* a branch of an If; never kept */
                      ATTRIBUTE_FLOATS = 6,
                      ATTRIBUTE_INTS = 7,
};

struct attribute {
    const char *name;
    enum attribute_type type;
    float f;
    int64_t i;
    const char *s;
    size_t count; /* of floats or ints */
    const float *floats;
    const int64_t *ints;
    const struct tensor *t;
};

struct op;

/* The branches of an If are part of the graph. Their nodes stand behind a guard and are only run when the
 * condition, which a plan must know, and the guard around it say so. */
struct guard {
    int32_t condition; /* a value */
    bool branch;       /* what the condition must be */
    int32_t parent;    /* the guard that the If itself stands behind; -1: none */
};

struct node {
    const char *name; /* "" when the file gives none */
    const char *type; /* the operator's name in the file */
    size_t place;     /* in its list of nodes in the file */
    int32_t guard;    /* -1: none */
    const struct op *op;
    size_t input_count, output_count, attribute_count;
    int32_t *inputs; /* places in graph.values; -1: an optional input left out */
    int32_t *outputs;
    struct attribute *attributes;
};

struct value {
    const char *name;
    const struct tensor *constant; /* an initializer, else NULL */
};

struct graph_input {
    const char *name;
    int32_t value;
    enum kind kind;
    size_t rank;
    int64_t dims[RANK_MAX]; /* -1: decided by who runs the graph */
};

struct graph {
    int opset;
    size_t value_count, node_count, guard_count, input_count, output_count;
    struct value *values;
    struct node *nodes; /* in an order in which they can run */
    struct guard *guards;
    struct graph_input *inputs;
    int32_t *outputs;
    const char *card;           /* metadata "blindstamp.card", or NULL */
    uint64_t parameters;        /* numbers in floating-point initializers */
    struct graph_block *blocks; /* all memory of the graph, but for */
    struct bst_buf file;        /* the model file's bytes, which large constants point into */
};

/* Reads a model from the bytes of an ONNX file; name is for messages. Refuses what is damaged, what needs
 * another file and every operator that is not supported, before anything is run. */
enum bst_code graph_read(const void *data, size_t len, const char *name, struct graph **out,
                         struct bst_error *err);
/* The same without a copy of the bytes, which the graph takes over, also when it fails; and with further files, which
 * must outlive the graph. */
struct external;
enum bst_code graph_take_file(struct bst_buf *file, const char *name, struct external *external,
                              struct graph **out, struct bst_error *err);
void graph_free(struct graph *graph);

/* Whether the node is an If: its inputs are the condition, what the first branch makes, what the other makes. */
bool node_branches(const struct node *node);
/* The attribute, or NULL. */
const struct attribute *node_attribute(const struct node *node, const char *name);
int64_t node_int(const struct node *node, const char *name, int64_t fallback);
float node_float(const struct node *node, const char *name, float fallback);
const char *node_string(const struct node *node, const char *name, const char *fallback);
/* Copies an attribute of exactly count whole numbers; fallback fills out when it is missing. False when it
 * has another length or type. */
bool node_ints(const struct node *node, const char *name, size_t count, int64_t fallback, int64_t *out);

#endif
