/* import_pickle.h - between the parts of the pickle reader. Private to gen/.
 *
 *   import_pickle.c         values, the stack, the memo, opcodes
 *   import_pickle_object.c  names, and what calling one stands for
 *   import_pickle_tree.c    the finished values: tensors by their paths
 */
#ifndef BST_IMPORT_PICKLE_H
#define BST_IMPORT_PICKLE_H

#include "import.h"

#define PICKLE_MARKS_MAX 4096u

enum name_kind {
    NAME_PLAIN,     /* a class whose objects carry nothing we need */
    NAME_ORDERED,   /* OrderedDict */
    NAME_TENSOR,    /* _rebuild_tensor and its second version */
    NAME_PARAMETER, /* _rebuild_parameter */
    NAME_TUPLE,     /* torch.Size */
    NAME_STORAGE,
};

struct pickle_name { /* a name that a pickle may use */
    const char *module, *name;
    enum name_kind kind;
    enum onnx_type type; /* of a storage */
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
        const struct pickle_name *name;
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
    uint32_t marks[PICKLE_MARKS_MAX], mark_count;
    struct import_storage *storages;
    uint32_t storage_count, storage_cap;
    uint32_t result;
    struct bst_error *err;
    bool failed;
};

/* Values are numbered from 1: 0, a plain value, stands in for what is missing after an error. A failure is sticky. */
void *pickle_fail(struct import_pickle *p, const char *what);
void *pickle_fail_memory(struct import_pickle *p);
/* Room for one more item behind count; the list may move. */
bool pickle_grow(struct import_pickle *p, void *list, uint32_t count, uint32_t *cap, size_t item);
uint32_t pickle_new(struct import_pickle *p, enum value_kind kind);
void pickle_push(struct import_pickle *p, uint32_t value);
uint32_t pickle_pop(struct import_pickle *p);
uint32_t pickle_top(struct import_pickle *p);
void pickle_push_number(struct import_pickle *p, enum value_kind kind, int64_t number);
void pickle_append(struct import_pickle *p, uint32_t list, uint32_t item);
/* The text up to the next line feed. */
const uint8_t *pickle_take_line(struct import_pickle *p, size_t *len);
/* Item i of a list, 0 (a plain value) when there is none. */
uint32_t pickle_item(const struct import_pickle *p, uint32_t list, uint32_t i);

/* The opcodes GLOBAL, STACK_GLOBAL, REDUCE, BUILD, NEWOBJ and BINPERSID. */
void pickle_global(struct import_pickle *p);
void pickle_stack_global(struct import_pickle *p);
void pickle_reduce(struct import_pickle *p);
void pickle_build(struct import_pickle *p);
void pickle_new_object(struct import_pickle *p);
void pickle_persistent_id(struct import_pickle *p);

#endif
