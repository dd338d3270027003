/* import_safetensors.c - the safetensors format: a 64-bit little-endian length, a JSON object of that length,
 * then the tensors' bytes. Each key names a tensor with "dtype", "shape" and "data_offsets" [begin, end) into the
 * bytes behind the header; "__metadata__" is a map of texts. */
#include "import.h"

#include <jansson.h>
#include <string.h>

#define HEADER_MAX ((size_t)4 << 20) /* some thousand tensors take 1 MiB; parsed JSON is much larger */

static const struct {
    const char *name;
    enum onnx_type type;
} types[] = {
    {"F64", ONNX_DOUBLE}, {"F32", ONNX_FLOAT}, {"F16", ONNX_FLOAT16}, {"BF16", ONNX_BFLOAT16},
    {"I64", ONNX_INT64},  {"I32", ONNX_INT32}, {"I16", ONNX_INT16},   {"I8", ONNX_INT8},
    {"U8", ONNX_UINT8},   {"BOOL", ONNX_BOOL},
};

static bool type_of(const char *name, enum onnx_type *type)
{
    for (size_t i = 0; name != NULL && i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) != 0) continue;
        *type = types[i].type;
        return true;
    }
    return false;
}

static bool whole(const json_t *list, size_t i, int64_t *out)
{
    const json_t *value = json_array_get(list, i);
    *out = json_integer_value(value);
    return json_is_integer(value) && *out >= 0;
}

static enum bst_code read_tensor(const char *name, const json_t *entry, const uint8_t *data, size_t len,
                                 struct import_dict *dict, struct bst_error *err)
{
    const json_t *shape = json_object_get(entry, "shape"), *offsets = json_object_get(entry, "data_offsets");
    const char *dtype = bst_json_text(entry, "dtype");
    enum onnx_type type;
    int64_t dims[RANK_MAX], begin, end;
    if (!type_of(dtype, &type))
        return bst_fail(err, BST_UNREADABLE, "tensor '%.80s' is of type %.20s, which is not supported", name,
                        dtype != NULL ? dtype : "(none)");
    if (!json_is_array(shape) || json_array_size(shape) > RANK_MAX || json_array_size(offsets) != 2 ||
        !whole(offsets, 0, &begin) || !whole(offsets, 1, &end) || begin > end || (uint64_t)end > len)
        return bst_fail(err, BST_UNREADABLE,
                        "tensor '%.80s' has an impossible shape or lies outside of the file", name);
    size_t rank = json_array_size(shape), bytes = onnx_item(type);
    for (size_t i = 0; i < rank; i++)
        if (!whole(shape, i, &dims[i]) || !bst_mul(bytes, (size_t)dims[i], &bytes)) bytes = SIZE_MAX;
    if (bytes != (size_t)(end - begin))
        return bst_fail(err, BST_UNREADABLE,
                        "tensor '%.80s' has %lld bytes, which is not what its shape needs", name,
                        (long long)(end - begin));
    return import_dict_add(dict, name, type, rank, dims, NULL, data + begin, bytes, err);
}

static uint64_t header_length(const uint8_t *data)
{
    uint64_t x = 0;
    for (size_t i = 0; i < 8; i++)
        x |= (uint64_t)data[i] << (8 * i);
    return x;
}

bool import_is_safetensors(const uint8_t *data, size_t len)
{
    return len > 10 && data[8] == '{' && header_length(data) >= 2;
}

enum bst_code import_safetensors_read(const uint8_t *data, size_t len, struct import_dict *dict,
                                      struct bst_error *err)
{
    uint64_t header = header_length(data);
    json_t *json, *entry;
    const char *name;
    if (header > HEADER_MAX || header > len - 8)
        return bst_fail(err, BST_UNREADABLE, "the header of %llu bytes is larger than the file or 4 MiB",
                        (unsigned long long)header);
    enum bst_code code = bst_json_parse((const char *)data + 8, (size_t)header, &json, err);
    if (code != BST_OK) return bst_where(err, "safetensors header");
    json_object_foreach(json, name, entry)
    {
        if (strcmp(name, "__metadata__") == 0) continue;
        code = read_tensor(name, entry, data + 8 + header, len - 8 - (size_t)header, dict, err);
        if (code != BST_OK) break;
    }
    if (code == BST_OK && dict->count == 0) code = bst_fail(err, BST_UNREADABLE, "the file holds no tensors");
    json_decref(json);
    return code;
}
