/* onnx_reader.h - an ONNX graph while it is being read: onnx.c (the model around it), onnx_graph.c (values, nodes,
 * branches), onnx_upgrade.c (forms of older operator sets). Private to the three.
 */
#ifndef BST_ONNX_READER_H
#define BST_ONNX_READER_H

#include "external.h"
#include "onnx.h"
#include "onnx_wire.h"
#include "op.h"

/* Unpacking takes memory before any count can be checked: an empty node is two bytes in the file and some
 * hundred in memory. The allowance bounds what a hostile file can make it take at one time. */
struct allowance {
    size_t left;
    ProtobufCAllocator allocator;
};

struct reader {
    struct graph *graph;
    struct allowance *allowance;
    const struct wire *wire; /* large constants of the model's own graph */
    struct external *external;
    struct bst_error *err;
    int32_t *slots; /* hash table of value numbers + 1; a power of two long, at most half full */
    size_t slot_count;
    /* The graph's while they grow; made its own by reader_finish. */
    struct value *values;
    bool *defined; /* a value: by an input, a constant or a node before, in a graph around what is read now */
    struct node *nodes;
    struct guard *guards;
    size_t value_count, value_room, node_count, node_room, guard_count, guard_room;
    int32_t guard;  /* that the nodes being read stand behind; -1: none */
    unsigned depth; /* of graphs within the model's own */
};

/* Zeroed memory that lives as long as the graph; NULL when there is none. */
void *graph_take(struct graph *graph, size_t n, size_t item);
const char *graph_text(struct graph *graph, const void *text, size_t len);

/* Reads the model's graph, or a branch: constants, inputs, nodes. */
enum bst_code reader_graph(struct reader *r, const Onnx__GraphProto *proto);
/* Gives the graph what was read, and its outputs. */
enum bst_code reader_finish(struct reader *r, const Onnx__GraphProto *proto);
void reader_free(struct reader *r);

/* A new constant without a name that a file could use. */
enum bst_code reader_constant(struct reader *r, const struct tensor *t, int32_t *out);
/* A new node of one output: what it makes is *out. */
enum bst_code reader_node(struct reader *r, const struct node *like, const struct op *op, size_t input_count,
                          const int32_t *inputs, int32_t *out, struct node **made);

/* Brings a node into the form of the newest operator set that is read: what later became inputs is
 * no attribute any more. */
enum bst_code upgrade_node(struct reader *r, struct node *node);

#endif
