/* import_pickle.c - a pickle read as data.
 *
 * Python's own reader calls whatever functions a pickle names; a hostile one runs programs. This reader knows the
 * opcodes that state dictionaries are made of (protocols 0 to 5; Python's pickletools describes them) and builds plain
 * values: numbers, texts, lists, dictionaries, tensors. A name (GLOBAL) stands for one of a few kinds listed in
 * import_pickle_object.c and every other name is refused where it stands; calling one (REDUCE) only says "this is a
 * tensor" or "this is an ordered dictionary". What a checkpoint keeps beside its tensors (options, scalars of numpy)
 * becomes a value without content.
 *
 * Limits: values, memo places and stack are bounded by PICKLE_MARKS_MAX and VALUES_MAX, paths by DEPTH_MAX, so that a
 * memo that refers to itself or multiplies itself ends in an error.
 */
#include "import_pickle.h"

#include <stdlib.h>
#include <string.h>

#define VALUES_MAX (1u << 21)

void *pickle_fail(struct import_pickle *p, const char *what)
{
    if (!p->failed) {
        bst_fail(p->err, BST_UNREADABLE, "%s", what);
        bst_where(p->err, "pickle, byte %zu", p->op);
    }
    p->failed = true;
    return NULL;
}

void *pickle_fail_memory(struct import_pickle *p)
{
    if (!p->failed) bst_fail_memory(p->err);
    p->failed = true;
    return NULL;
}

bool pickle_grow(struct import_pickle *p, void *list, uint32_t count, uint32_t *cap, size_t item)
{
    void **items = list;
    if (count < *cap) return true;
    if (count >= VALUES_MAX) return pickle_fail(p, "the pickle holds too many values") != NULL;
    uint32_t more = *cap ? 2 * *cap : 8;
    void *grown = realloc(*items, more * item);
    if (grown == NULL) return pickle_fail_memory(p) != NULL;
    *items = grown;
    *cap = more;
    return true;
}

/* ---- values and the stack ---- */

uint32_t pickle_new(struct import_pickle *p, enum value_kind kind)
{
    if (!pickle_grow(p, &p->values, p->value_count, &p->value_cap, sizeof *p->values)) return 0;
    p->values[p->value_count] = (struct pickled){.kind = kind};
    return p->value_count++;
}

void pickle_push(struct import_pickle *p, uint32_t value)
{
    if (p->failed || !pickle_grow(p, &p->stack, p->stack_count, &p->stack_cap, sizeof *p->stack)) return;
    p->stack[p->stack_count++] = value;
}

/* The stack may not be taken below the last mark. */
static uint32_t floor_of(const struct import_pickle *p)
{
    return p->mark_count > 0 ? p->marks[p->mark_count - 1] : 0;
}

uint32_t pickle_pop(struct import_pickle *p)
{
    if (p->stack_count <= floor_of(p)) pickle_fail(p, "the pickle takes more than it has made");
    return p->failed ? 0 : p->stack[--p->stack_count];
}

uint32_t pickle_top(struct import_pickle *p)
{
    uint32_t value = pickle_pop(p);
    pickle_push(p, value);
    return value;
}

void pickle_push_number(struct import_pickle *p, enum value_kind kind, int64_t number)
{
    uint32_t value = pickle_new(p, kind);
    p->values[value].number = number;
    pickle_push(p, value);
}

static void push_bytes(struct import_pickle *p, enum value_kind kind, const uint8_t *data, size_t len)
{
    uint32_t value = pickle_new(p, kind);
    if (p->failed) return;
    p->values[value].bytes.data = data;
    p->values[value].bytes.len = len;
    pickle_push(p, value);
}

void pickle_append(struct import_pickle *p, uint32_t list, uint32_t item)
{
    struct pickled *v = &p->values[list];
    if (p->failed || !pickle_grow(p, &v->list.items, v->list.count, &v->list.cap, sizeof *v->list.items))
        return;
    v->list.items[v->list.count++] = item;
}

static void put_mark(struct import_pickle *p)
{
    if (p->mark_count == PICKLE_MARKS_MAX)
        pickle_fail(p, "the pickle nests too deeply");
    else
        p->marks[p->mark_count++] = p->stack_count;
}

/* Where the items above the last mark begin; the mark is taken away. */
static uint32_t take_mark(struct import_pickle *p)
{
    if (p->mark_count == 0) pickle_fail(p, "the pickle closes what it has not opened");
    return p->failed ? p->stack_count : p->marks[--p->mark_count];
}

/* A list of the items from first on, which leave the stack. */
static uint32_t gather(struct import_pickle *p, enum value_kind kind, uint32_t first)
{
    uint32_t list = pickle_new(p, kind);
    for (uint32_t i = first; i < p->stack_count && !p->failed; i++)
        pickle_append(p, list, p->stack[i]);
    if (!p->failed) p->stack_count = first;
    return list;
}

static void push_last(struct import_pickle *p, uint32_t count)
{
    if (p->stack_count - floor_of(p) < count)
        pickle_fail(p, "the pickle takes more than it has made");
    else
        pickle_push(p, gather(p, VALUE_LIST, p->stack_count - count));
}

/* The last count items, or those above the last mark (count 0), go into the list, dictionary or object below
 * them. */
static void extend(struct import_pickle *p, uint32_t count, enum value_kind kind)
{
    if (count == 0) count = p->stack_count - take_mark(p);
    if (p->failed || p->stack_count - floor_of(p) <= count) {
        pickle_fail(p, "the pickle fills a list that is not there");
        return;
    }
    uint32_t first = p->stack_count - count, target = p->stack[first - 1];
    if (p->values[target].kind != kind && p->values[target].kind != VALUE_PLAIN)
        pickle_fail(p, "the pickle adds items to what is no list or dictionary");
    else if (kind == VALUE_DICT && count % 2 != 0)
        pickle_fail(p, "the pickle has a key without a value");
    for (uint32_t i = 0; i < count && !p->failed && p->values[target].kind == kind; i++)
        pickle_append(p, target, p->stack[first + i]);
    p->stack_count = first;
}

/* ---- reading arguments ---- */

static const uint8_t *take(struct import_pickle *p, uint64_t len)
{
    if (p->failed || len > p->len - p->at) return pickle_fail(p, "the pickle is cut off");
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

const uint8_t *pickle_take_line(struct import_pickle *p, size_t *len)
{
    const uint8_t *data = p->data + p->at;
    const uint8_t *end = p->at < p->len ? memchr(data, '\n', p->len - p->at) : NULL;
    *len = 0;
    if (end == NULL) return pickle_fail(p, "the pickle is cut off");
    *len = (size_t)(end - data);
    p->at += *len + 1;
    return data;
}

/* A decimal number on a line of its own (protocol 0); "00" and "01" are flags. */
static void take_decimal(struct import_pickle *p)
{
    size_t len;
    const uint8_t *line = pickle_take_line(p, &len);
    char text[24], *end;
    if (len > 0 && line[len - 1] == 'L') len--;
    if (line == NULL || len == 0 || len >= sizeof text) {
        pickle_fail(p, "the pickle has a number that is none");
        return;
    }
    memcpy(text, line, len);
    text[len] = 0;
    long long number = strtoll(text, &end, 10);
    if (*end != 0)
        pickle_fail(p, "the pickle has a number that is none");
    else
        pickle_push_number(p, len == 2 && text[0] == '0' ? VALUE_FLAG : VALUE_INT, number);
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
    pickle_push_number(p, VALUE_INT, (int64_t)x);
}

/* ---- memo ---- */

static void memo_put(struct import_pickle *p, uint64_t index)
{
    uint32_t value = pickle_top(p);
    if (index >= VALUES_MAX) pickle_fail(p, "the pickle remembers too many values");
    while (!p->failed && p->memo_cap <= index) {
        uint32_t old = p->memo_cap;
        if (!pickle_grow(p, &p->memo, old, &p->memo_cap, sizeof *p->memo)) return;
        memset(p->memo + old, 0, (p->memo_cap - old) * sizeof *p->memo);
    }
    if (!p->failed) p->memo[index] = value + 1;
}

static void memo_get(struct import_pickle *p, uint64_t index)
{
    if (index >= p->memo_cap || p->memo[index] == 0)
        pickle_fail(p, "the pickle refers to what it has not remembered");
    else
        pickle_push(p, p->memo[index] - 1);
}

static uint64_t memo_line(struct import_pickle *p)
{
    size_t len;
    uint64_t index = 0;
    const uint8_t *line = pickle_take_line(p, &len);
    for (size_t i = 0; line != NULL && i < len; i++) {
        if (line[i] < '0' || line[i] > '9' || index > VALUES_MAX) return VALUES_MAX;
        index = 10 * index + (uint64_t)(line[i] - '0');
    }
    return index;
}

uint32_t pickle_item(const struct import_pickle *p, uint32_t list, uint32_t i)
{
    const struct pickled *v = &p->values[list];
    return v->kind == VALUE_LIST && i < v->list.count ? v->list.items[i] : 0;
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
        pickle_push_number(p, VALUE_PLAIN, 0);
        return true;
    case 0x88: /* NEWTRUE, NEWFALSE */
    case 0x89:
        pickle_push_number(p, VALUE_FLAG, opcode == 0x88);
        return true;
    case 'J': /* BININT, BININT1, BININT2 */
        pickle_push_number(p, VALUE_INT, (int32_t)(uint32_t)take_count(p, 4));
        return true;
    case 'K':
        pickle_push_number(p, VALUE_INT, (int64_t)take_count(p, 1));
        return true;
    case 'M':
        pickle_push_number(p, VALUE_INT, (int64_t)take_count(p, 2));
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
        pickle_take_line(p, &len);
        pickle_push_number(p, VALUE_PLAIN, 0);
        return true;
    case 'G':
        take(p, 8);
        pickle_push_number(p, VALUE_PLAIN, 0);
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
        line = pickle_take_line(p, &len);
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
        pickle_push(p, pickle_new(p, VALUE_LIST));
        return true;
    case '}':
        pickle_push(p, pickle_new(p, VALUE_DICT));
        return true;
    case 'l': /* LIST, TUPLE, FROZENSET, DICT */
    case 't':
    case 0x91:
        pickle_push(p, gather(p, VALUE_LIST, take_mark(p)));
        return true;
    case 'd': {
        uint32_t dict = gather(p, VALUE_DICT, take_mark(p));
        if (!p->failed && p->values[dict].list.count % 2 != 0)
            pickle_fail(p, "the pickle has a key without a value");
        pickle_push(p, dict);
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
        pickle_pop(p);
        return true;
    case '1': {
        uint32_t first = take_mark(p);
        if (!p->failed) p->stack_count = first;
        return true;
    }
    case '2':
        pickle_push(p, pickle_top(p));
        return true;
    default:
        return false;
    }
}

static void do_object(struct import_pickle *p, uint8_t opcode)
{
    switch (opcode) {
    case 'c': /* GLOBAL, STACK_GLOBAL */
        pickle_global(p);
        break;
    case 0x93:
        pickle_stack_global(p);
        break;
    case 'R': /* REDUCE, BUILD, NEWOBJ, BINPERSID */
        pickle_reduce(p);
        break;
    case 'b':
        pickle_build(p);
        break;
    case 0x81:
        pickle_new_object(p);
        break;
    case 'Q':
        pickle_persistent_id(p);
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
            p->result = pickle_pop(p);
            return;
        }
        if (*opcode == 0x80) { /* PROTO */
            if (take_count(p, 1) > 5) pickle_fail(p, "the pickle is of a protocol after 5");
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
    pickle_new(p, VALUE_PLAIN);
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
