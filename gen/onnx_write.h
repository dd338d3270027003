/* onnx_write.h - builds ONNX files (opset 17, IR 8): the trainer's and the importer's. Private to gen/.
 *
 * Everything that is added is copied onto the writer's own list of memory, but for the data of borrowed
 * constants. Running out of memory is sticky: add all, then ask once in onnx_write.
 */
#ifndef BST_ONNX_WRITE_H
#define BST_ONNX_WRITE_H

#include "onnx.h"

struct onnx_list {
    void **items;
    size_t count, cap;
};

struct onnx_writer {
    const char *name; /* of the graph */
    struct onnx_list nodes, constants, inputs, outputs, metadata;
    struct onnx_list held; /* every allocation */
    bool failed;
};

void onnx_writer_clear(struct onnx_writer *w);

/* Zeroed memory, or a copy of a text, that lives as long as the writer; NULL (and failed) without memory. */
void *onnx_hold(struct onnx_writer *w, size_t size);
char *onnx_hold_text(struct onnx_writer *w, const char *text);

/* A constant with room for bytes of raw data (little-endian), zeroed; NULL without memory. */
Onnx__TensorProto *onnx_add_constant(struct onnx_writer *w, const char *name, enum onnx_type type,
                                     size_t rank, const int64_t *dims, size_t bytes);
/* A constant whose raw data stays where it is until the file is written. */
void onnx_add_borrowed(struct onnx_writer *w, const char *name, enum onnx_type type, size_t rank,
                       const int64_t *dims, const uint8_t *data, size_t bytes);
void onnx_add_ints(struct onnx_writer *w, const char *name, size_t count, const int64_t *values);
void onnx_add_floats(struct onnx_writer *w, const char *name, size_t rank, const int64_t *dims,
                     const float *values);

/* A node with one output. An empty input is one left out. */
Onnx__NodeProto *onnx_add_node(struct onnx_writer *w, const char *type, const char *output, size_t inputs,
                               const char *const *input);
void onnx_set_int(struct onnx_writer *w, Onnx__NodeProto *node, const char *name, int64_t value);
void onnx_set_float(struct onnx_writer *w, Onnx__NodeProto *node, const char *name, float value);
void onnx_set_text(struct onnx_writer *w, Onnx__NodeProto *node, const char *name, const char *value);
void onnx_set_ints(struct onnx_writer *w, Onnx__NodeProto *node, const char *name, size_t count,
                   const int64_t *values);

/* A float32 input or output of the graph; dims of 0 are unknown and take the name of symbol[i]. */
void onnx_add_input(struct onnx_writer *w, const char *name, size_t rank, const int64_t *dims,
                    const char *const *symbol);
/* One of whole numbers (int64). */
void onnx_add_whole_input(struct onnx_writer *w, const char *name, size_t rank, const int64_t *dims,
                          const char *const *symbol);
void onnx_add_output(struct onnx_writer *w, const char *name, size_t rank, const int64_t *dims,
                     const char *const *symbol);
void onnx_add_metadata(struct onnx_writer *w, const char *key, const char *value);

/* Appends the file's bytes. */
enum bst_code onnx_write(struct onnx_writer *w, struct bst_buf *out, struct bst_error *err);

/* IEEE 754 binary16, to nearest, ties to even; what is too large becomes the largest finite value. */
uint16_t onnx_half_bits(float value);

#endif
