/* onnx_tensor.c - constants of an ONNX file: every type, both ways of storing the elements, all lengths
 * checked. */
#include "onnx.h"

#include <string.h>

bool onnx_kind(int64_t type, enum kind *kind)
{
    switch (type) {
    case ONNX_FLOAT:
    case ONNX_FLOAT16:
    case ONNX_BFLOAT16:
    case ONNX_DOUBLE:
        *kind = KIND_FLOAT;
        return true;
    case ONNX_UINT8:
    case ONNX_INT8:
    case ONNX_UINT16:
    case ONNX_INT16:
    case ONNX_INT32:
    case ONNX_UINT32:
    case ONNX_INT64:
    case ONNX_UINT64:
    case ONNX_BOOL:
        *kind = KIND_INT;
        return true;
    default:
        return false;
    }
}

const char *onnx_type_name(int64_t type)
{
    static const char *const names[] = {"undefined", "float",  "uint8",     "int8",       "uint16",  "int16",
                                        "int32",     "int64",  "string",    "bool",       "float16", "double",
                                        "uint32",    "uint64", "complex64", "complex128", "bfloat16"};
    if (type < 0 || type >= (int64_t)(sizeof names / sizeof names[0])) return "an unknown type";
    return names[type];
}

static float float_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

float onnx_half(uint16_t bits)
{
    uint32_t sign = (uint32_t)(bits & 0x8000) << 16, exponent = bits >> 10 & 31, fraction = bits & 0x3ff;
    if (exponent == 31) return float_of_bits(sign | 0x7f800000u | fraction << 13);
    if (exponent > 0) return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
    float small = (float)fraction * 0x1p-24f;
    return sign ? -small : small;
}

static float onnx_bfloat(uint16_t bits)
{
    return float_of_bits((uint32_t)bits << 16);
}

size_t onnx_item(int64_t type)
{
    switch (type) {
    case ONNX_UINT8:
    case ONNX_INT8:
    case ONNX_BOOL:
        return 1;
    case ONNX_UINT16:
    case ONNX_INT16:
    case ONNX_FLOAT16:
    case ONNX_BFLOAT16:
        return 2;
    case ONNX_FLOAT:
    case ONNX_INT32:
    case ONNX_UINT32:
        return 4;
    case ONNX_INT64:
    case ONNX_UINT64:
    case ONNX_DOUBLE:
        return 8;
    default:
        return 0;
    }
}

/* Elements in the field that belongs to the type. */
static size_t field_count(const Onnx__TensorProto *proto)
{
    switch (proto->data_type) {
    case ONNX_FLOAT:
        return proto->n_float_data;
    case ONNX_DOUBLE:
        return proto->n_double_data;
    case ONNX_INT64:
        return proto->n_int64_data;
    case ONNX_UINT32:
    case ONNX_UINT64:
        return proto->n_uint64_data;
    default:
        return proto->n_int32_data;
    }
}

/* Type and dims. */
static enum bst_code check_dims(const Onnx__TensorProto *proto, struct tensor *out, struct bst_error *err)
{
    enum kind kind;
    const char *name = proto->name != NULL ? proto->name : "";
    memset(out, 0, sizeof *out);
    if (!onnx_kind(proto->data_type, &kind))
        return bst_fail(err, BST_UNREADABLE, "constant '%.80s' is of type %s, which is not supported", name,
                        onnx_type_name(proto->data_type));
    if (proto->n_dims > RANK_MAX)
        return bst_fail(err, BST_UNREADABLE, "constant '%.80s' has %zu dimensions, more than %d", name,
                        proto->n_dims, RANK_MAX);
    if (!tensor_set_dims(out, kind, proto->n_dims, proto->dims))
        return bst_fail(err, BST_UNREADABLE, "constant '%.80s' has impossible dimensions", name);
    return BST_OK;
}

enum bst_code onnx_tensor_check(const Onnx__TensorProto *proto, struct tensor *out, struct bst_error *err)
{
    const char *name = proto->name != NULL ? proto->name : "";
    enum bst_code code = check_dims(proto, out, err);
    if (code != BST_OK) return code;
    size_t have = field_count(proto), item = onnx_item(proto->data_type);
    if (proto->has_raw_data) {
        if (proto->raw_data.len % item != 0 || (have = proto->raw_data.len / item) != out->count)
            return bst_fail(err, BST_UNREADABLE, "constant '%.80s' has %zu bytes of data where %zu are due",
                            name, proto->raw_data.len, out->count * item);
    } else if (have != out->count) {
        return bst_fail(err, BST_UNREADABLE, "constant '%.80s' has %zu elements where %zu are due", name,
                        have, out->count);
    }
    return BST_OK;
}

/* ---- numbers in another file ---- */

bool onnx_tensor_is_external(const Onnx__TensorProto *proto)
{
    return proto->data_location != 0 || proto->n_external_data > 0;
}

/* A whole number written in decimal digits, all of the text. */
static bool read_decimal(const char *text, uint64_t *out)
{
    *out = 0;
    if (*text == 0) return false;
    for (; *text != 0; text++) {
        if (*text < '0' || *text > '9' || *out > (UINT64_MAX - 9) / 10) return false;
        *out = *out * 10 + (uint64_t)(*text - '0');
    }
    return true;
}

enum bst_code onnx_tensor_place(const Onnx__TensorProto *proto, const char **file, uint64_t *offset,
                                size_t *len, struct bst_error *err)
{
    const char *name = proto->name != NULL ? proto->name : "";
    struct tensor t;
    uint64_t length = 0;
    bool sound = proto->data_location == 1, given = false;
    enum bst_code code = check_dims(proto, &t, err);
    if (code != BST_OK) return code;
    *file = NULL;
    *offset = 0;
    *len = t.count * onnx_item(proto->data_type);
    for (size_t i = 0; i < proto->n_external_data && sound; i++) {
        const char *key = proto->external_data[i]->key, *value = proto->external_data[i]->value;
        if (key == NULL || value == NULL) continue;
        if (strcmp(key, "location") == 0) *file = value;
        if (strcmp(key, "offset") == 0) sound = read_decimal(value, offset);
        if (strcmp(key, "length") == 0) given = sound = read_decimal(value, &length);
    }
    if (!sound || *file == NULL)
        return bst_fail(err, BST_UNREADABLE, "constant '%.80s' does not say where its numbers lie", name);
    if (given && length != *len)
        return bst_fail(err, BST_UNREADABLE, "constant '%.80s' has %llu bytes of data where %zu are due",
                        name, (unsigned long long)length, *len);
    return BST_OK;
}

/* ---- converting ---- */

static uint64_t little_endian(const uint8_t *p, size_t bytes)
{
    uint64_t x = 0;
    for (size_t i = 0; i < bytes; i++)
        x |= (uint64_t)p[i] << (8 * i);
    return x;
}

float onnx_raw_float(const uint8_t *p, int64_t type)
{
    double d;
    uint64_t bits;
    switch (type) {
    case ONNX_FLOAT:
        return float_of_bits((uint32_t)little_endian(p, 4));
    case ONNX_FLOAT16:
        return onnx_half((uint16_t)little_endian(p, 2));
    case ONNX_BFLOAT16:
        return onnx_bfloat((uint16_t)little_endian(p, 2));
    default:
        bits = little_endian(p, 8);
        memcpy(&d, &bits, sizeof d);
        return (float)d;
    }
}

int64_t onnx_raw_int(const uint8_t *p, int64_t type)
{
    switch (type) {
    case ONNX_INT8:
        return (int8_t)p[0];
    case ONNX_UINT8:
    case ONNX_BOOL:
        return p[0];
    case ONNX_UINT16:
        return (int64_t)little_endian(p, 2);
    case ONNX_INT16:
        return (int16_t)(uint16_t)little_endian(p, 2);
    case ONNX_UINT32:
        return (int64_t)little_endian(p, 4);
    case ONNX_INT32:
        return (int32_t)(uint32_t)little_endian(p, 4);
    default:
        return (int64_t)little_endian(p, 8);
    }
}

static float field_float(const Onnx__TensorProto *proto, size_t i)
{
    switch (proto->data_type) {
    case ONNX_FLOAT:
        return proto->float_data[i];
    case ONNX_DOUBLE:
        return (float)proto->double_data[i];
    case ONNX_FLOAT16:
        return onnx_half((uint16_t)proto->int32_data[i]);
    default:
        return onnx_bfloat((uint16_t)proto->int32_data[i]);
    }
}

static int64_t field_int(const Onnx__TensorProto *proto, size_t i)
{
    switch (proto->data_type) {
    case ONNX_INT64:
        return proto->int64_data[i];
    case ONNX_UINT32:
    case ONNX_UINT64:
        return (int64_t)proto->uint64_data[i];
    default:
        return proto->int32_data[i];
    }
}

void onnx_tensor_fill(const Onnx__TensorProto *proto, struct tensor *out)
{
    size_t item = onnx_item(proto->data_type);
    const uint8_t *raw = proto->has_raw_data ? proto->raw_data.data : NULL;
    for (size_t i = 0; i < out->count; i++) {
        if (out->kind == KIND_FLOAT)
            tensor_floats(out)[i] = proto->has_raw_data ? onnx_raw_float(raw + i * item, proto->data_type)
                                                        : field_float(proto, i);
        else if (proto->has_raw_data)
            tensor_ints(out)[i] = onnx_raw_int(raw + i * item, proto->data_type);
        else
            tensor_ints(out)[i] = field_int(proto, i);
    }
}
