/* onnx_wire.h - the large constants of an ONNX file, found in its bytes before those are unpacked, so that no second
 * copy of them is ever made. Private to gen/.
 */
#ifndef BST_ONNX_WIRE_H
#define BST_ONNX_WIRE_H

#include "base.h"

#define WIRE_LARGE ((size_t)4096) /* bytes of a constant that is taken out */

/* Of an initializer of the model's graph, by its place among them; len 0: its bytes are left in rest. */
struct wire_span {
    uint8_t *data;
    size_t len;
};

struct wire {
    struct bst_buf rest; /* the model, but for what spans hold */
    struct wire_span *spans;
    size_t span_count, span_room, span_bytes;
};

/* Splits the bytes of a model. False when they are damaged or of a rare form (a graph in two parts), or without memory:
 * then they are to be unpacked, or refused, as they are. */
bool wire_split(uint8_t *data, size_t len, struct wire *out);
/* Moves the constants down by a few bytes to where numbers can be read from: over what led to each in the file, so
 * that the file's bytes are no model any more. */
void wire_align(const struct wire *wire);
void wire_clear(struct wire *wire);

#endif
