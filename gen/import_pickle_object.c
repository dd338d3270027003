/* import_pickle_object.c - the names that a pickle may use, and what calling one stands for. Nothing is called: a name
 * that is not in the table is refused where it stands. */
#include "import_pickle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct pickle_name known_names[] = {
    {"collections", "OrderedDict", NAME_ORDERED, 0},
    {"collections", "defaultdict", NAME_ORDERED, 0},
    {"torch._utils", "_rebuild_tensor", NAME_TENSOR, 0},
    {"torch._utils", "_rebuild_tensor_v2", NAME_TENSOR, 0},
    {"torch._utils", "_rebuild_parameter", NAME_PARAMETER, 0},
    {"torch._utils", "_rebuild_parameter_with_state", NAME_PARAMETER, 0},
    {"torch", "Size", NAME_TUPLE, 0},
    {"torch", "FloatStorage", NAME_STORAGE, ONNX_FLOAT},
    {"torch", "DoubleStorage", NAME_STORAGE, ONNX_DOUBLE},
    {"torch", "HalfStorage", NAME_STORAGE, ONNX_FLOAT16},
    {"torch", "BFloat16Storage", NAME_STORAGE, ONNX_BFLOAT16},
    {"torch", "LongStorage", NAME_STORAGE, ONNX_INT64},
    {"torch", "IntStorage", NAME_STORAGE, ONNX_INT32},
    {"torch", "ShortStorage", NAME_STORAGE, ONNX_INT16},
    {"torch", "CharStorage", NAME_STORAGE, ONNX_INT8},
    {"torch", "ByteStorage", NAME_STORAGE, ONNX_UINT8},
    {"torch", "BoolStorage", NAME_STORAGE, ONNX_BOOL},
    {"torch", "device", NAME_PLAIN, 0},
    {"torch", "float32", NAME_PLAIN, 0},
    {"torch", "float16", NAME_PLAIN, 0},
    {"torch", "bfloat16", NAME_PLAIN, 0},
    {"argparse", "Namespace", NAME_PLAIN, 0},
    {"numpy", "dtype", NAME_PLAIN, 0},
    {"numpy.core.multiarray", "scalar", NAME_PLAIN, 0},
    {"numpy._core.multiarray", "scalar", NAME_PLAIN, 0},
    {"_codecs", "encode", NAME_PLAIN, 0},
    {"copy_reg", "_reconstructor", NAME_PLAIN, 0},
    {"__builtin__", "object", NAME_PLAIN, 0},
    {"builtins", "object", NAME_PLAIN, 0},
    {"__builtin__", "set", NAME_PLAIN, 0},
    {"builtins", "set", NAME_PLAIN, 0},
};

static void refuse(struct import_pickle *p, const char *does, const char *module, size_t module_len,
                   const char *name, size_t name_len)
{
    char text[160];
    int len = snprintf(text, sizeof text, "%.*s.%.*s", (int)(module_len < 64 ? module_len : 64), module,
                       (int)(name_len < 64 ? name_len : 64), name);
    char *shown = bst_printable(text, len > 0 ? (size_t)len : 0);
    if (p->failed || shown == NULL) {
        free(shown);
        pickle_fail_memory(p);
        return;
    }
    bst_fail(p->err, BST_UNREADABLE, "the pickle %s %s, which no dictionary of plain tensors does", does,
             shown);
    bst_where(p->err, "pickle, byte %zu", p->op);
    bst_hint(p->err, "save the weights alone: torch.save(model.state_dict(), ...), or as safetensors");
    p->failed = true;
    free(shown);
}

static void push_name(struct import_pickle *p, const uint8_t *module, size_t module_len, const uint8_t *name,
                      size_t name_len)
{
    for (size_t i = 0; i < sizeof known_names / sizeof *known_names; i++) {
        const struct pickle_name *k = &known_names[i];
        if (strlen(k->module) != module_len || strlen(k->name) != name_len ||
            memcmp(k->module, module, module_len) != 0 || memcmp(k->name, name, name_len) != 0)
            continue;
        uint32_t value = pickle_new(p, VALUE_NAME);
        p->values[value].name = k;
        pickle_push(p, value);
        return;
    }
    refuse(p, "names", (const char *)module, module_len, (const char *)name, name_len);
}

void pickle_global(struct import_pickle *p)
{
    size_t module_len, name_len;
    const uint8_t *module = pickle_take_line(p, &module_len);
    const uint8_t *name = module != NULL ? pickle_take_line(p, &name_len) : NULL;
    if (name != NULL) push_name(p, module, module_len, name, name_len);
}

void pickle_stack_global(struct import_pickle *p)
{
    struct pickled name = p->values[pickle_pop(p)], module = p->values[pickle_pop(p)];
    if (name.kind != VALUE_TEXT || module.kind != VALUE_TEXT)
        pickle_fail(p, "the pickle names something by what is no text");
    else if (!p->failed)
        push_name(p, module.bytes.data, module.bytes.len, name.bytes.data, name.bytes.len);
}

static bool is_sizes(const struct import_pickle *p, uint32_t list)
{
    const struct pickled *v = &p->values[list];
    for (uint32_t i = 0; v->kind == VALUE_LIST && i < v->list.count; i++)
        if (p->values[v->list.items[i]].kind != VALUE_INT) return false;
    return v->kind == VALUE_LIST;
}

/* _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks) */
static uint32_t make_tensor(struct import_pickle *p, uint32_t arguments)
{
    uint32_t storage = pickle_item(p, arguments, 0), offset = pickle_item(p, arguments, 1);
    uint32_t size = pickle_item(p, arguments, 2), stride = pickle_item(p, arguments, 3);
    if (p->values[storage].kind != VALUE_STORAGE || p->values[offset].kind != VALUE_INT ||
        p->values[offset].number < 0 || !is_sizes(p, size) || !is_sizes(p, stride) ||
        p->values[size].list.count != p->values[stride].list.count) {
        pickle_fail(p, "the pickle rebuilds a tensor from what is no storage, offset, size and stride");
        return 0;
    }
    uint32_t tensor = pickle_new(p, VALUE_TENSOR);
    struct pickled *v = &p->values[tensor];
    v->tensor.storage = p->values[storage].storage;
    v->tensor.size = size;
    v->tensor.stride = stride;
    v->tensor.offset = (uint64_t)p->values[offset].number;
    return tensor;
}

/* OrderedDict() or OrderedDict([(key, value), ...]) */
static uint32_t make_ordered(struct import_pickle *p, uint32_t arguments)
{
    uint32_t pairs = pickle_item(p, arguments, 0), dict = pickle_new(p, VALUE_DICT);
    for (uint32_t i = 0; !p->failed && p->values[pairs].kind == VALUE_LIST && i < p->values[pairs].list.count;
         i++) {
        uint32_t pair = p->values[pairs].list.items[i];
        if (p->values[pair].kind != VALUE_LIST || p->values[pair].list.count != 2)
            pickle_fail(p, "the pickle makes a dictionary of what are no pairs");
        pickle_append(p, dict, pickle_item(p, pair, 0));
        pickle_append(p, dict, pickle_item(p, pair, 1));
    }
    return dict;
}

void pickle_reduce(struct import_pickle *p)
{
    uint32_t arguments = pickle_pop(p), callee = pickle_pop(p);
    if (p->failed) return;
    if (p->values[callee].kind != VALUE_NAME || p->values[arguments].kind != VALUE_LIST) {
        pickle_fail(p, "the pickle calls what is no name");
        return;
    }
    const struct pickle_name *k = p->values[callee].name;
    switch (k->kind) {
    case NAME_TENSOR:
        pickle_push(p, make_tensor(p, arguments));
        return;
    case NAME_PARAMETER:
        if (p->values[pickle_item(p, arguments, 0)].kind != VALUE_TENSOR)
            pickle_fail(p, "the pickle makes a parameter of what is no tensor");
        else
            pickle_push(p, pickle_item(p, arguments, 0));
        return;
    case NAME_ORDERED:
        pickle_push(p, make_ordered(p, arguments));
        return;
    case NAME_TUPLE:
        pickle_push(p, pickle_item(p, arguments, 0));
        return;
    case NAME_PLAIN:
        pickle_push_number(p, VALUE_PLAIN, 0);
        return;
    default:
        refuse(p, "calls", k->module, strlen(k->module), k->name, strlen(k->name));
    }
}

/* Attributes of a dictionary (_metadata), a parameter or an object without content say nothing of the weights. */
void pickle_build(struct import_pickle *p)
{
    pickle_pop(p);
    enum value_kind kind = p->values[pickle_top(p)].kind;
    if (kind != VALUE_DICT && kind != VALUE_PLAIN && kind != VALUE_TENSOR)
        pickle_fail(p, "the pickle sets the state of what has none");
}

/* object.__new__(class): only of the classes without content */
void pickle_new_object(struct import_pickle *p)
{
    pickle_pop(p);
    const struct pickled *v = &p->values[pickle_pop(p)];
    if (p->failed) return;
    if (v->kind != VALUE_NAME)
        pickle_fail(p, "the pickle makes an object of what is no class");
    else if (v->name->kind != NAME_PLAIN)
        refuse(p, "makes an object of", v->name->module, strlen(v->name->module), v->name->name,
               strlen(v->name->name));
    else
        pickle_push_number(p, VALUE_PLAIN, 0);
}

/* ("storage", FloatStorage, key, location, elements[, view]) */
void pickle_persistent_id(struct import_pickle *p)
{
    uint32_t id = pickle_pop(p), view = pickle_item(p, id, 5);
    struct pickled tag = p->values[pickle_item(p, id, 0)], type = p->values[pickle_item(p, id, 1)];
    struct pickled key = p->values[pickle_item(p, id, 2)], count = p->values[pickle_item(p, id, 4)];
    if (p->failed) return;
    if (tag.kind != VALUE_TEXT || tag.bytes.len != 7 || memcmp(tag.bytes.data, "storage", 7) != 0 ||
        type.kind != VALUE_NAME || type.name->kind != NAME_STORAGE || key.kind != VALUE_TEXT ||
        count.kind != VALUE_INT || count.number < 0) {
        pickle_fail(p, "the pickle refers to something outside of it that is no storage");
        return;
    }
    if (view != 0 && p->values[view].kind != VALUE_PLAIN) {
        pickle_fail(p, "the pickle has a view of a storage, which only very old files have");
        return;
    }
    if (!pickle_grow(p, &p->storages, p->storage_count, &p->storage_cap, sizeof *p->storages)) return;
    p->storages[p->storage_count] = (struct import_storage){
        (const char *)key.bytes.data, key.bytes.len, type.name->type, (uint64_t)count.number, NULL, 0};
    uint32_t value = pickle_new(p, VALUE_STORAGE);
    p->values[value].storage = p->storage_count++;
    pickle_push(p, value);
}
