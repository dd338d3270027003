/* import_pickle.c - a pickle read as data.
 *
 * Python's own reader calls whatever functions a pickle names; a hostile one runs programs. This reader knows
 * the opcodes that state dictionaries are made of (protocols 0 to 5; Python's pickletools describes them) and
 * builds plain values: numbers, texts, lists, dictionaries, tensors. A name (GLOBAL) stands for one of a few
 * kinds listed below and every other name is refused where it stands; calling one (REDUCE) only says "this is a
 * tensor" or "this is an ordered dictionary". What a checkpoint keeps beside its tensors (options, scalars of
 * numpy) becomes a value without content.
 *
 * Limits: values, memo places and stack are bounded by MARKS_MAX and VALUES_MAX, paths by DEPTH_MAX, so that a
 * memo that refers to itself or multiplies itself ends in an error.
 */
#include "import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MAX (1u << 21)
#define MARKS_MAX  4096u
#define DEPTH_MAX  16u
#define VISITS_MAX (1u << 20)

enum name_kind {
    NAME_PLAIN,     /* a class whose objects carry nothing we need */
    NAME_ORDERED,   /* OrderedDict */
    NAME_TENSOR,    /* _rebuild_tensor and its second version */
    NAME_PARAMETER, /* _rebuild_parameter */
    NAME_TUPLE,     /* torch.Size */
    NAME_STORAGE,
};

static const struct known {
    const char *module, *name;
    enum name_kind kind;
    enum onnx_type type;
} known_names[] = {
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

enum value_kind {
    VALUE_PLAIN, /* None, a float, an object without content */
    VALUE_FLAG,
    VALUE_INT,
    VALUE_LONG, /* more than 64 bits; its bytes */
    VALUE_TEXT, /* or bytes */
    VALUE_LIST, /* or tuple, or set */
    VALUE_DICT, /* items: key, value, key, value ... */
    VALUE_NAME,
    VALUE_STORAGE,
    VALUE_TENSOR,
};

struct pickled {
    enum value_kind kind;
    union {
        int64_t number;
        struct {
            const uint8_t *data;
            size_t len;
        } bytes;
        struct {
            uint32_t *items;
            uint32_t count, cap;
        } list;
        const struct known *name;
        uint32_t storage;
        struct {
            uint32_t storage, size, stride; /* size and stride are lists */
            uint64_t offset;
        } tensor;
    };
};

struct import_pickle {
    const uint8_t *data;
    size_t len, at, op; /* op: where the opcode at work stands */
    struct pickled *values;
    uint32_t value_count, value_cap;
    uint32_t *stack, *memo; /* memo: value + 1 */
    uint32_t stack_count, stack_cap, memo_cap, memo_next;
    uint32_t marks[MARKS_MAX], mark_count;
    struct import_storage *storages;
    uint32_t storage_count, storage_cap;
    uint32_t result;
    struct bst_error *err;
    bool failed;
};

static void *fail(struct import_pickle *p, const char *what)
{
    if (!p->failed) {
        bst_fail(p->err, BST_UNREADABLE, "%s", what);
        bst_where(p->err, "pickle, byte %zu", p->op);
    }
    p->failed = true;
    return NULL;
}

static void *fail_memory(struct import_pickle *p)
{
    if (!p->failed) bst_fail_memory(p->err);
    p->failed = true;
    return NULL;
}

/* Room for one more item behind count; the list may move. */
static bool grow(struct import_pickle *p, void *list, uint32_t count, uint32_t *cap, size_t item)
{
    void **items = list;
    if (count < *cap) return true;
    if (count >= VALUES_MAX) return fail(p, "the pickle holds too many values") != NULL;
    uint32_t more = *cap ? 2 * *cap : 8;
    void *grown = realloc(*items, more * item);
    if (grown == NULL) return fail_memory(p) != NULL;
    *items = grown;
    *cap = more;
    return true;
}

/* ---- values and the stack ---- */

static uint32_t new_value(struct import_pickle *p, enum value_kind kind)
{
    if (!grow(p, &p->values, p->value_count, &p->value_cap, sizeof *p->values)) return 0;
    p->values[p->value_count] = (struct pickled){.kind = kind};
    return p->value_count++;
}

static void push(struct import_pickle *p, uint32_t value)
{
    if (p->failed || !grow(p, &p->stack, p->stack_count, &p->stack_cap, sizeof *p->stack)) return;
    p->stack[p->stack_count++] = value;
}

/* The stack may not be taken below the last mark. */
static uint32_t floor_of(const struct import_pickle *p)
{
    return p->mark_count > 0 ? p->marks[p->mark_count - 1] : 0;
}

/* Values are numbered from 1: 0, a plain value, stands in for what is missing after an error. */
static uint32_t pop(struct import_pickle *p)
{
    if (p->stack_count <= floor_of(p)) fail(p, "the pickle takes more than it has made");
    return p->failed ? 0 : p->stack[--p->stack_count];
}

static uint32_t top(struct import_pickle *p)
{
    uint32_t value = pop(p);
    push(p, value);
    return value;
}

static void push_number(struct import_pickle *p, enum value_kind kind, int64_t number)
{
    uint32_t value = new_value(p, kind);
    p->values[value].number = number;
    push(p, value);
}

static void push_bytes(struct import_pickle *p, enum value_kind kind, const uint8_t *data, size_t len)
{
    uint32_t value = new_value(p, kind);
    if (p->failed) return;
    p->values[value].bytes.data = data;
    p->values[value].bytes.len = len;
    push(p, value);
}

static void append(struct import_pickle *p, uint32_t list, uint32_t item)
{
    struct pickled *v = &p->values[list];
    if (p->failed || !grow(p, &v->list.items, v->list.count, &v->list.cap, sizeof *v->list.items)) return;
    v->list.items[v->list.count++] = item;
}

static void put_mark(struct import_pickle *p)
{
    if (p->mark_count == MARKS_MAX)
        fail(p, "the pickle nests too deeply");
    else
        p->marks[p->mark_count++] = p->stack_count;
}

/* Where the items above the last mark begin; the mark is taken away. */
static uint32_t take_mark(struct import_pickle *p)
{
    if (p->mark_count == 0) fail(p, "the pickle closes what it has not opened");
    return p->failed ? p->stack_count : p->marks[--p->mark_count];
}

/* A list of the items from first on, which leave the stack. */
static uint32_t gather(struct import_pickle *p, enum value_kind kind, uint32_t first)
{
    uint32_t list = new_value(p, kind);
    for (uint32_t i = first; i < p->stack_count && !p->failed; i++)
        append(p, list, p->stack[i]);
    if (!p->failed) p->stack_count = first;
    return list;
}

static void push_last(struct import_pickle *p, uint32_t count)
{
    if (p->stack_count - floor_of(p) < count)
        fail(p, "the pickle takes more than it has made");
    else
        push(p, gather(p, VALUE_LIST, p->stack_count - count));
}

/* The last count items, or those above the last mark (count 0), go into the list, dictionary or object below
 * them. */
static void extend(struct import_pickle *p, uint32_t count, enum value_kind kind)
{
    if (count == 0) count = p->stack_count - take_mark(p);
    if (p->failed || p->stack_count - floor_of(p) <= count) {
        fail(p, "the pickle fills a list that is not there");
        return;
    }
    uint32_t first = p->stack_count - count, target = p->stack[first - 1];
    if (p->values[target].kind != kind && p->values[target].kind != VALUE_PLAIN)
        fail(p, "the pickle adds items to what is no list or dictionary");
    else if (kind == VALUE_DICT && count % 2 != 0)
        fail(p, "the pickle has a key without a value");
    for (uint32_t i = 0; i < count && !p->failed && p->values[target].kind == kind; i++)
        append(p, target, p->stack[first + i]);
    p->stack_count = first;
}

/* ---- reading arguments ---- */

static const uint8_t *take(struct import_pickle *p, uint64_t len)
{
    if (p->failed || len > p->len - p->at) return fail(p, "the pickle is cut off");
    const uint8_t *data = p->data + p->at;
    p->at += (size_t)len;
    return data;
}

static uint64_t take_count(struct import_pickle *p, size_t bytes)
{
    const uint8_t *data = take(p, bytes);
    uint64_t x = 0;
    for (size_t i = 0; data != NULL && i < bytes; i++)
        x |= (uint64_t)data[i] << (8 * i);
    return x;
}

static void take_text(struct import_pickle *p, size_t bytes)
{
    uint64_t len = take_count(p, bytes);
    const uint8_t *data = take(p, len);
    if (data != NULL) push_bytes(p, VALUE_TEXT, data, (size_t)len);
}

/* The text up to the next line feed. */
static const uint8_t *take_line(struct import_pickle *p, size_t *len)
{
    const uint8_t *data = p->data + p->at;
    const uint8_t *end = p->at < p->len ? memchr(data, '\n', p->len - p->at) : NULL;
    *len = 0;
    if (end == NULL) return fail(p, "the pickle is cut off");
    *len = (size_t)(end - data);
    p->at += *len + 1;
    return data;
}

/* A decimal number on a line of its own (protocol 0); "00" and "01" are flags. */
static void take_decimal(struct import_pickle *p)
{
    size_t len;
    const uint8_t *line = take_line(p, &len);
    char text[24], *end;
    if (len > 0 && line[len - 1] == 'L') len--;
    if (line == NULL || len == 0 || len >= sizeof text) {
        fail(p, "the pickle has a number that is none");
        return;
    }
    memcpy(text, line, len);
    text[len] = 0;
    long long number = strtoll(text, &end, 10);
    if (*end != 0)
        fail(p, "the pickle has a number that is none");
    else
        push_number(p, len == 2 && text[0] == '0' ? VALUE_FLAG : VALUE_INT, number);
}

static void take_long(struct import_pickle *p, size_t bytes)
{
    uint64_t len = take_count(p, bytes), x = 0;
    const uint8_t *data = take(p, len);
    if (data == NULL) return;
    if (len > 8) {
        push_bytes(p, VALUE_LONG, data, (size_t)len);
        return;
    }
    for (size_t i = 0; i < 8; i++)
        x |= (uint64_t)(i < len ? data[i] : len > 0 && data[len - 1] >= 0x80 ? 0xff : 0) << (8 * i);
    push_number(p, VALUE_INT, (int64_t)x);
}

/* ---- memo ---- */

static void memo_put(struct import_pickle *p, uint64_t index)
{
    uint32_t value = top(p);
    if (index >= VALUES_MAX) fail(p, "the pickle remembers too many values");
    while (!p->failed && p->memo_cap <= index) {
        uint32_t old = p->memo_cap;
        if (!grow(p, &p->memo, old, &p->memo_cap, sizeof *p->memo)) return;
        memset(p->memo + old, 0, (p->memo_cap - old) * sizeof *p->memo);
    }
    if (!p->failed) p->memo[index] = value + 1;
}

static void memo_get(struct import_pickle *p, uint64_t index)
{
    if (index >= p->memo_cap || p->memo[index] == 0)
        fail(p, "the pickle refers to what it has not remembered");
    else
        push(p, p->memo[index] - 1);
}

static uint64_t memo_line(struct import_pickle *p)
{
    size_t len;
    uint64_t index = 0;
    const uint8_t *line = take_line(p, &len);
    for (size_t i = 0; line != NULL && i < len; i++) {
        if (line[i] < '0' || line[i] > '9' || index > VALUES_MAX) return VALUES_MAX;
        index = 10 * index + (uint64_t)(line[i] - '0');
    }
    return index;
}

/* ---- names and what is made of them ---- */

static void refuse(struct import_pickle *p, const char *does, const char *module, size_t module_len,
                   const char *name, size_t name_len)
{
    char text[160];
    int len = snprintf(text, sizeof text, "%.*s.%.*s", (int)(module_len < 64 ? module_len : 64), module,
                       (int)(name_len < 64 ? name_len : 64), name);
    char *shown = bst_printable(text, len > 0 ? (size_t)len : 0);
    if (p->failed || shown == NULL) {
        free(shown);
        fail_memory(p);
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
        const struct known *k = &known_names[i];
        if (strlen(k->module) != module_len || strlen(k->name) != name_len ||
            memcmp(k->module, module, module_len) != 0 || memcmp(k->name, name, name_len) != 0)
            continue;
        uint32_t value = new_value(p, VALUE_NAME);
        p->values[value].name = k;
        push(p, value);
        return;
    }
    refuse(p, "names", (const char *)module, module_len, (const char *)name, name_len);
}

static void global(struct import_pickle *p)
{
    size_t module_len, name_len;
    const uint8_t *module = take_line(p, &module_len);
    const uint8_t *name = module != NULL ? take_line(p, &name_len) : NULL;
    if (name != NULL) push_name(p, module, module_len, name, name_len);
}

static void stack_global(struct import_pickle *p)
{
    struct pickled name = p->values[pop(p)], module = p->values[pop(p)];
    if (name.kind != VALUE_TEXT || module.kind != VALUE_TEXT)
        fail(p, "the pickle names something by what is no text");
    else if (!p->failed)
        push_name(p, module.bytes.data, module.bytes.len, name.bytes.data, name.bytes.len);
}

/* Item i of a list, 0 (a plain value) when there is none. */
static uint32_t item(const struct import_pickle *p, uint32_t list, uint32_t i)
{
    const struct pickled *v = &p->values[list];
    return v->kind == VALUE_LIST && i < v->list.count ? v->list.items[i] : 0;
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
    uint32_t storage = item(p, arguments, 0), offset = item(p, arguments, 1);
    uint32_t size = item(p, arguments, 2), stride = item(p, arguments, 3);
    if (p->values[storage].kind != VALUE_STORAGE || p->values[offset].kind != VALUE_INT ||
        p->values[offset].number < 0 || !is_sizes(p, size) || !is_sizes(p, stride) ||
        p->values[size].list.count != p->values[stride].list.count) {
        fail(p, "the pickle rebuilds a tensor from what is no storage, offset, size and stride");
        return 0;
    }
    uint32_t tensor = new_value(p, VALUE_TENSOR);
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
    uint32_t pairs = item(p, arguments, 0), dict = new_value(p, VALUE_DICT);
    for (uint32_t i = 0; !p->failed && p->values[pairs].kind == VALUE_LIST && i < p->values[pairs].list.count;
         i++) {
        uint32_t pair = p->values[pairs].list.items[i];
        if (p->values[pair].kind != VALUE_LIST || p->values[pair].list.count != 2)
            fail(p, "the pickle makes a dictionary of what are no pairs");
        append(p, dict, item(p, pair, 0));
        append(p, dict, item(p, pair, 1));
    }
    return dict;
}

static void reduce(struct import_pickle *p)
{
    uint32_t arguments = pop(p), callee = pop(p);
    if (p->failed) return;
    if (p->values[callee].kind != VALUE_NAME || p->values[arguments].kind != VALUE_LIST) {
        fail(p, "the pickle calls what is no name");
        return;
    }
    const struct known *k = p->values[callee].name;
    switch (k->kind) {
    case NAME_TENSOR:
        push(p, make_tensor(p, arguments));
        return;
    case NAME_PARAMETER:
        if (p->values[item(p, arguments, 0)].kind != VALUE_TENSOR)
            fail(p, "the pickle makes a parameter of what is no tensor");
        else
            push(p, item(p, arguments, 0));
        return;
    case NAME_ORDERED:
        push(p, make_ordered(p, arguments));
        return;
    case NAME_TUPLE:
        push(p, item(p, arguments, 0));
        return;
    case NAME_PLAIN:
        push_number(p, VALUE_PLAIN, 0);
        return;
    default:
        refuse(p, "calls", k->module, strlen(k->module), k->name, strlen(k->name));
    }
}

/* Attributes of a dictionary (_metadata), a parameter or an object without content say nothing of the weights. */
static void build(struct import_pickle *p)
{
    pop(p);
    enum value_kind kind = p->values[top(p)].kind;
    if (kind != VALUE_DICT && kind != VALUE_PLAIN && kind != VALUE_TENSOR)
        fail(p, "the pickle sets the state of what has none");
}

/* object.__new__(class): only of the classes without content */
static void new_object(struct import_pickle *p)
{
    pop(p);
    const struct pickled *v = &p->values[pop(p)];
    if (p->failed) return;
    if (v->kind != VALUE_NAME)
        fail(p, "the pickle makes an object of what is no class");
    else if (v->name->kind != NAME_PLAIN)
        refuse(p, "makes an object of", v->name->module, strlen(v->name->module), v->name->name,
               strlen(v->name->name));
    else
        push_number(p, VALUE_PLAIN, 0);
}

/* ("storage", FloatStorage, key, location, elements[, view]) */
static void persistent_id(struct import_pickle *p)
{
    uint32_t id = pop(p), view = item(p, id, 5);
    struct pickled tag = p->values[item(p, id, 0)], type = p->values[item(p, id, 1)];
    struct pickled key = p->values[item(p, id, 2)], count = p->values[item(p, id, 4)];
    if (p->failed) return;
    if (tag.kind != VALUE_TEXT || tag.bytes.len != 7 || memcmp(tag.bytes.data, "storage", 7) != 0 ||
        type.kind != VALUE_NAME || type.name->kind != NAME_STORAGE || key.kind != VALUE_TEXT ||
        count.kind != VALUE_INT || count.number < 0) {
        fail(p, "the pickle refers to something outside of it that is no storage");
        return;
    }
    if (view != 0 && p->values[view].kind != VALUE_PLAIN) {
        fail(p, "the pickle has a view of a storage, which only very old files have");
        return;
    }
    if (!grow(p, &p->storages, p->storage_count, &p->storage_cap, sizeof *p->storages)) return;
    p->storages[p->storage_count] = (struct import_storage){
        (const char *)key.bytes.data, key.bytes.len, type.name->type, (uint64_t)count.number, NULL, 0};
    uint32_t value = new_value(p, VALUE_STORAGE);
    p->values[value].storage = p->storage_count++;
    push(p, value);
}

/* ---- opcodes ---- */

static void unknown_opcode(struct import_pickle *p, uint8_t opcode)
{
    if (p->failed) return;
    bst_fail(p->err, BST_UNREADABLE,
             "the pickle has the opcode 0x%02x, which no dictionary of plain tensors has", opcode);
    bst_where(p->err, "pickle, byte %zu", p->op);
    bst_hint(p->err, "save the weights alone: torch.save(model.state_dict(), ...), or as safetensors");
    p->failed = true;
}

/* Numbers, texts and bytes. */
static bool do_scalar(struct import_pickle *p, uint8_t opcode)
{
    size_t len;
    const uint8_t *line;
    switch (opcode) {
    case 'N': /* NONE */
        push_number(p, VALUE_PLAIN, 0);
        return true;
    case 0x88: /* NEWTRUE, NEWFALSE */
    case 0x89:
        push_number(p, VALUE_FLAG, opcode == 0x88);
        return true;
    case 'J': /* BININT, BININT1, BININT2 */
        push_number(p, VALUE_INT, (int32_t)(uint32_t)take_count(p, 4));
        return true;
    case 'K':
        push_number(p, VALUE_INT, (int64_t)take_count(p, 1));
        return true;
    case 'M':
        push_number(p, VALUE_INT, (int64_t)take_count(p, 2));
        return true;
    case 'I': /* INT, LONG */
    case 'L':
        take_decimal(p);
        return true;
    case 0x8a: /* LONG1, LONG4 */
        take_long(p, 1);
        return true;
    case 0x8b:
        take_long(p, 4);
        return true;
    case 'F': /* FLOAT, BINFLOAT: nothing needs their values */
        take_line(p, &len);
        push_number(p, VALUE_PLAIN, 0);
        return true;
    case 'G':
        take(p, 8);
        push_number(p, VALUE_PLAIN, 0);
        return true;
    case 'U': /* SHORT_BINSTRING, SHORT_BINBYTES, SHORT_BINUNICODE */
    case 'C':
    case 0x8c:
        take_text(p, 1);
        return true;
    case 'T': /* BINSTRING, BINBYTES, BINUNICODE */
    case 'B':
    case 'X':
        take_text(p, 4);
        return true;
    case 0x8d: /* BINUNICODE8, BINBYTES8 */
    case 0x8e:
        take_text(p, 8);
        return true;
    case 'V': /* UNICODE */
        line = take_line(p, &len);
        if (line != NULL) push_bytes(p, VALUE_TEXT, line, len);
        return true;
    default:
        return false;
    }
}

/* Lists, tuples, dictionaries and sets. */
static bool do_container(struct import_pickle *p, uint8_t opcode)
{
    switch (opcode) {
    case '(': /* MARK */
        put_mark(p);
        return true;
    case ']': /* EMPTY_LIST, EMPTY_TUPLE, EMPTY_SET, EMPTY_DICT */
    case ')':
    case 0x8f:
        push(p, new_value(p, VALUE_LIST));
        return true;
    case '}':
        push(p, new_value(p, VALUE_DICT));
        return true;
    case 'l': /* LIST, TUPLE, FROZENSET, DICT */
    case 't':
    case 0x91:
        push(p, gather(p, VALUE_LIST, take_mark(p)));
        return true;
    case 'd': {
        uint32_t dict = gather(p, VALUE_DICT, take_mark(p));
        if (!p->failed && p->values[dict].list.count % 2 != 0)
            fail(p, "the pickle has a key without a value");
        push(p, dict);
        return true;
    }
    case 0x85: /* TUPLE1, TUPLE2, TUPLE3 */
    case 0x86:
    case 0x87:
        push_last(p, opcode - 0x84u);
        return true;
    case 'a': /* APPEND, APPENDS, ADDITEMS, SETITEM, SETITEMS */
        extend(p, 1, VALUE_LIST);
        return true;
    case 'e':
    case 0x90:
        extend(p, 0, VALUE_LIST);
        return true;
    case 's':
        extend(p, 2, VALUE_DICT);
        return true;
    case 'u':
        extend(p, 0, VALUE_DICT);
        return true;
    default:
        return false;
    }
}

static bool do_memo(struct import_pickle *p, uint8_t opcode)
{
    switch (opcode) {
    case 'p': /* PUT, BINPUT, LONG_BINPUT, MEMOIZE */
        memo_put(p, memo_line(p));
        return true;
    case 'q':
        memo_put(p, take_count(p, 1));
        return true;
    case 'r':
        memo_put(p, take_count(p, 4));
        return true;
    case 0x94:
        memo_put(p, p->memo_next++);
        return true;
    case 'g': /* GET, BINGET, LONG_BINGET */
        memo_get(p, memo_line(p));
        return true;
    case 'h':
        memo_get(p, take_count(p, 1));
        return true;
    case 'j':
        memo_get(p, take_count(p, 4));
        return true;
    case '0': /* POP, POP_MARK, DUP */
        pop(p);
        return true;
    case '1': {
        uint32_t first = take_mark(p);
        if (!p->failed) p->stack_count = first;
        return true;
    }
    case '2':
        push(p, top(p));
        return true;
    default:
        return false;
    }
}

static void do_object(struct import_pickle *p, uint8_t opcode)
{
    switch (opcode) {
    case 'c': /* GLOBAL, STACK_GLOBAL */
        global(p);
        break;
    case 0x93:
        stack_global(p);
        break;
    case 'R': /* REDUCE, BUILD, NEWOBJ, BINPERSID */
        reduce(p);
        break;
    case 'b':
        build(p);
        break;
    case 0x81:
        new_object(p);
        break;
    case 'Q':
        persistent_id(p);
        break;
    default:
        unknown_opcode(p, opcode);
    }
}

static void run(struct import_pickle *p)
{
    while (!p->failed) {
        p->op = p->at;
        const uint8_t *opcode = take(p, 1);
        if (opcode == NULL) return;
        if (*opcode == '.') { /* STOP */
            p->result = pop(p);
            return;
        }
        if (*opcode == 0x80) { /* PROTO */
            if (take_count(p, 1) > 5) fail(p, "the pickle is of a protocol after 5");
        } else if (*opcode == 0x95) { /* FRAME: the length of what follows, which needs no checking */
            take(p, 8);
        } else if (!do_scalar(p, *opcode) && !do_container(p, *opcode) && !do_memo(p, *opcode)) {
            do_object(p, *opcode);
        }
    }
}

/* ---- the result ---- */

enum bst_code import_pickle_read(const uint8_t *data, size_t len, struct import_pickle **out, size_t *used,
                                 struct bst_error *err)
{
    struct import_pickle *p = bst_calloc(1, sizeof *p);
    *out = NULL;
    if (p == NULL) return bst_fail_memory(err);
    p->data = data;
    p->len = len;
    p->err = err;
    new_value(p, VALUE_PLAIN);
    run(p);
    if (p->failed) {
        import_pickle_free(p);
        return err->code;
    }
    *used = p->at;
    *out = p;
    return BST_OK;
}

void import_pickle_free(struct import_pickle *p)
{
    if (p == NULL) return;
    for (uint32_t i = 0; i < p->value_count; i++)
        if (p->values[i].kind == VALUE_LIST || p->values[i].kind == VALUE_DICT) free(p->values[i].list.items);
    free(p->values);
    free(p->stack);
    free(p->memo);
    free(p->storages);
    free(p);
}

size_t import_pickle_storages(struct import_pickle *p, struct import_storage **storages)
{
    *storages = p->storages;
    return p->storage_count;
}

bool import_pickle_long(const struct import_pickle *p, const uint8_t **bytes, size_t *len)
{
    const struct pickled *v = &p->values[p->result];
    if (v->kind != VALUE_LONG) return false;
    *bytes = v->bytes.data;
    *len = v->bytes.len;
    return true;
}

size_t import_pickle_count(const struct import_pickle *p)
{
    const struct pickled *v = &p->values[p->result];
    return v->kind == VALUE_LIST ? v->list.count : 0;
}

const char *import_pickle_text(const struct import_pickle *p, size_t index, size_t *len)
{
    const struct pickled *v = &p->values[item(p, p->result, (uint32_t)index)];
    *len = v->kind == VALUE_TEXT ? v->bytes.len : 0;
    return v->kind == VALUE_TEXT ? (const char *)v->bytes.data : NULL;
}

bool import_pickle_flag(const struct import_pickle *p, const char *key, bool fallback)
{
    const struct pickled *v = &p->values[p->result];
    for (uint32_t i = 0; v->kind == VALUE_DICT && i + 1 < v->list.count; i += 2) {
        const struct pickled *k = &p->values[v->list.items[i]], *flag = &p->values[v->list.items[i + 1]];
        if (k->kind == VALUE_TEXT && flag->kind == VALUE_FLAG && k->bytes.len == strlen(key) &&
            memcmp(k->bytes.data, key, k->bytes.len) == 0)
            return flag->number != 0;
    }
    return fallback;
}

/* ---- tensors by their paths ---- */

struct walk {
    const struct import_pickle *pickle;
    struct import_dict *dict;
    struct bst_error *err;
    char path[IMPORT_NAME_MAX + 1];
    size_t visits;
};

static enum bst_code add_tensor(struct walk *w, const struct pickled *v)
{
    const struct import_pickle *p = w->pickle;
    const struct import_storage *s = &p->storages[v->tensor.storage];
    const struct pickled *size = &p->values[v->tensor.size], *stride = &p->values[v->tensor.stride];
    int64_t dims[RANK_MAX], strides[RANK_MAX];
    size_t item = import_item(s->type), offset;
    if (size->list.count > RANK_MAX)
        return bst_fail(w->err, BST_UNREADABLE, "tensor '%.80s' has more than %d dimensions", w->path,
                        RANK_MAX);
    for (size_t i = 0; i < size->list.count; i++) {
        dims[i] = p->values[size->list.items[i]].number;
        strides[i] = p->values[stride->list.items[i]].number;
    }
    if (v->tensor.offset > SIZE_MAX / 16 || s->data == NULL ||
        (offset = (size_t)v->tensor.offset * item) > s->bytes)
        return bst_fail(w->err, BST_UNREADABLE, "tensor '%.80s' begins outside of its data", w->path);
    return import_dict_add(w->dict, w->path, s->type, size->list.count, dims, strides, s->data + offset,
                           s->bytes - offset, w->err);
}

static enum bst_code walk(struct walk *w, uint32_t value, size_t len, size_t depth);

/* Goes on below a key, which is put behind the path. */
static enum bst_code walk_key(struct walk *w, const struct pickled *key, uint32_t value, size_t len,
                              size_t depth)
{
    size_t room = sizeof w->path - len;
    int more =
        key->kind == VALUE_INT
            ? snprintf(w->path + len, room, "%s%lld", len > 0 ? "." : "", (long long)key->number)
            : snprintf(w->path + len, room, "%s%.*s", len > 0 ? "." : "",
                       (int)(key->bytes.len < room ? key->bytes.len : room), (const char *)key->bytes.data);
    if (more < 0 || (size_t)more >= room || strlen(w->path) != len + (size_t)more) {
        w->path[len] = 0;
        bst_fail(w->err, BST_UNREADABLE, "a tensor's name is too long or holds a zero byte");
        return bst_where(w->err, "behind '%.80s'", w->path);
    }
    enum bst_code code = walk(w, value, len + (size_t)more, depth);
    w->path[len] = 0;
    return code;
}

static enum bst_code walk(struct walk *w, uint32_t value, size_t len, size_t depth)
{
    const struct import_pickle *p = w->pickle;
    const struct pickled *v = &p->values[value];
    enum bst_code code = BST_OK;
    if (depth > DEPTH_MAX || ++w->visits > VISITS_MAX) {
        bst_fail(w->err, BST_UNREADABLE,
                 "the pickle's dictionaries are nested too deeply, or hold themselves");
        return bst_where(w->err, "at '%.80s'", w->path);
    }
    if (v->kind == VALUE_TENSOR) return add_tensor(w, v);
    if (v->kind == VALUE_DICT)
        for (uint32_t i = 0; i + 1 < v->list.count && code == BST_OK; i += 2) {
            const struct pickled *key = &p->values[v->list.items[i]];
            if (key->kind == VALUE_TEXT || key->kind == VALUE_INT)
                code = walk_key(w, key, v->list.items[i + 1], len, depth + 1);
        }
    if (v->kind == VALUE_LIST)
        for (uint32_t i = 0; i < v->list.count && code == BST_OK; i++)
            code = walk_key(w, &(struct pickled){.kind = VALUE_INT, .number = i}, v->list.items[i], len,
                            depth + 1);
    return code;
}

enum bst_code import_pickle_tensors(const struct import_pickle *p, struct import_dict *dict,
                                    struct bst_error *err)
{
    struct walk w = {.pickle = p, .dict = dict, .err = err};
    return walk(&w, p->result, 0, 0);
}
