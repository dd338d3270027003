/* onnx.h - the number types of ONNX files. Private to gen/. */
#ifndef BST_ONNX_H
#define BST_ONNX_H

#include "graph.h"
#include "onnx.pb-c.h"

enum onnx_type { /* TensorProto.DataType */
                 ONNX_FLOAT = 1,
                 ONNX_UINT8 = 2,
                 ONNX_INT8 = 3,
                 ONNX_UINT16 = 4,
                 ONNX_INT16 = 5,
                 ONNX_INT32 = 6,
                 ONNX_INT64 = 7,
                 ONNX_STRING = 8,
                 ONNX_BOOL = 9,
                 ONNX_FLOAT16 = 10,
                 ONNX_DOUBLE = 11,
                 ONNX_UINT32 = 12,
                 ONNX_UINT64 = 13, /* kept with the same bits */
                 ONNX_BFLOAT16 = 16,
};

/* The kind a type is kept as; false for a type that is not supported. */
bool onnx_kind(int64_t type, enum kind *kind);
/* "float16" and so on, for messages. */
const char *onnx_type_name(int64_t type);

/* The exact value of a float16. */
float onnx_half(uint16_t bits);

/* Bytes of one element as stored, little-endian; 0 for a type that is not supported. */
size_t onnx_item(int64_t type);
/* One stored element of a floating type, of a whole type. */
float onnx_raw_float(const uint8_t *p, int64_t type);
int64_t onnx_raw_int(const uint8_t *p, int64_t type);

/* Checks a tensor of the file and converts it: fills out but for data, which takes out->count numbers of
 * tensor_item() bytes and is filled by the second call. */
enum bst_code onnx_tensor_check(const Onnx__TensorProto *proto, struct tensor *out, struct bst_error *err);
/* For a tensor whose numbers lie in another file: its name, and where in it how many bytes lie. */
bool onnx_tensor_is_external(const Onnx__TensorProto *proto);
enum bst_code onnx_tensor_place(const Onnx__TensorProto *proto, const char **file, uint64_t *offset,
                                size_t *len, struct bst_error *err);
void onnx_tensor_fill(const Onnx__TensorProto *proto, struct tensor *out);

#endif
