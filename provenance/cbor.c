/* cbor.c - CBOR (RFC 8949) written deterministically and read with bounds. The codec is libcbor's. */
#include "bst_cbor.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

/* Room for the longest head: one byte and a 64-bit number. */
#define HEAD 9
#define EMIT(out, call)                                                                                      \
    do {                                                                                                     \
        unsigned char head[HEAD];                                                                            \
        bst_buf_append(out, head, call);                                                                     \
    } while (0)

void bst_cbor_map(struct bst_buf *out, size_t pairs)
{
    EMIT(out, cbor_encode_map_start(pairs, head, HEAD));
}

void bst_cbor_array(struct bst_buf *out, size_t items)
{
    EMIT(out, cbor_encode_array_start(items, head, HEAD));
}

void bst_cbor_uint(struct bst_buf *out, uint64_t value)
{
    EMIT(out, cbor_encode_uint(value, head, HEAD));
}

void bst_cbor_negative(struct bst_buf *out, uint64_t value)
{
    EMIT(out, cbor_encode_negint(value, head, HEAD));
}

void bst_cbor_textn(struct bst_buf *out, const void *text, size_t len)
{
    EMIT(out, cbor_encode_string_start(len, head, HEAD));
    bst_buf_append(out, text, len);
}

void bst_cbor_text(struct bst_buf *out, const char *text)
{
    bst_cbor_textn(out, text, strlen(text));
}

void bst_cbor_bytes(struct bst_buf *out, const void *data, size_t len)
{
    EMIT(out, cbor_encode_bytestring_start(len, head, HEAD));
    bst_buf_append(out, data, len);
}

void bst_cbor_pair(struct bst_buf *out, const char *key, const char *value)
{
    bst_cbor_text(out, key);
    bst_cbor_text(out, value);
}

void bst_cbor_tag(struct bst_buf *out, uint64_t tag)
{
    EMIT(out, cbor_encode_tag(tag, head, HEAD));
}

void bst_cbor_bool(struct bst_buf *out, bool value)
{
    EMIT(out, cbor_encode_bool(value, head, HEAD));
}

void bst_cbor_null(struct bst_buf *out)
{
    EMIT(out, cbor_encode_null(head, HEAD));
}

/* ---- checking before building ---- */

/* libcbor builds arrays of whatever size the input claims and releases them recursively, so the claims are
 * checked first, by its streaming decoder and a stack of our own. */
struct check {
    const char *problem;
    size_t items;
    size_t depth;
    uint64_t open[BST_CBOR_DEPTH]; /* items still due at each level; UNTIL_BREAK: until a break */
    size_t left;                   /* bytes behind the current head */
};

#define UNTIL_BREAK UINT64_MAX

static void item(struct check *check)
{
    if (++check->items > BST_CBOR_ITEMS) check->problem = "too many items";
    if (check->depth > 0 && check->open[check->depth - 1] != UNTIL_BREAK) check->open[check->depth - 1]--;
}

static void push(struct check *check, uint64_t count)
{
    item(check);
    if (check->depth == BST_CBOR_DEPTH) {
        check->problem = "nested too deep";
    } else if (count != UNTIL_BREAK && count > check->left) { /* each item takes a byte at least */
        check->problem = "more items claimed than bytes are left";
    } else {
        check->open[check->depth++] = count;
    }
}

static void on_uint8(void *context, uint8_t value)
{
    (void)value;
    item(context);
}
static void on_uint16(void *context, uint16_t value)
{
    (void)value;
    item(context);
}
static void on_uint32(void *context, uint32_t value)
{
    (void)value;
    item(context);
}
static void on_uint64(void *context, uint64_t value)
{
    (void)value;
    item(context);
}
static void on_float(void *context, float value)
{
    (void)value;
    item(context);
}
static void on_double(void *context, double value)
{
    (void)value;
    item(context);
}
static void on_bool(void *context, bool value)
{
    (void)value;
    item(context);
}
static void on_simple(void *context)
{
    item(context);
}
static void on_bytes(void *context, cbor_data data, size_t len)
{
    (void)data;
    (void)len;
    item(context);
}
static void on_text(void *context, cbor_data data, size_t len)
{
    struct check *check = context;
    item(check);
    if (!bst_utf8_valid((const char *)data, len)) check->problem = "text that is not UTF-8";
}
static void on_array(void *context, size_t count)
{
    push(context, count);
}
static void on_map(void *context, size_t count)
{
    if (count > SIZE_MAX / 2) count = SIZE_MAX / 2;
    push(context, count * 2);
}
static void on_tag(void *context, uint64_t tag)
{
    (void)tag;
    push(context, 1);
}
/* Other writers leave the length of an array or a map open; nobody writes a string in pieces. */
static void on_open(void *context)
{
    push(context, UNTIL_BREAK);
}
static void on_break(void *context)
{
    struct check *check = context;
    if (check->depth == 0 || check->open[check->depth - 1] != UNTIL_BREAK) {
        check->problem = "a break that ends nothing";
    } else {
        check->depth--;
    }
}
static void on_pieces(void *context)
{
    ((struct check *)context)->problem = "a string in pieces";
}

static struct cbor_callbacks check_callbacks(void)
{
    struct cbor_callbacks callbacks = cbor_empty_callbacks;
    callbacks.uint8 = callbacks.negint8 = on_uint8;
    callbacks.uint16 = callbacks.negint16 = on_uint16;
    callbacks.uint32 = callbacks.negint32 = on_uint32;
    callbacks.uint64 = callbacks.negint64 = on_uint64;
    callbacks.float2 = callbacks.float4 = on_float;
    callbacks.float8 = on_double;
    callbacks.null = callbacks.undefined = on_simple;
    callbacks.boolean = on_bool;
    callbacks.byte_string = on_bytes;
    callbacks.string = on_text;
    callbacks.array_start = on_array;
    callbacks.map_start = on_map;
    callbacks.tag = on_tag;
    callbacks.byte_string_start = callbacks.string_start = on_pieces;
    callbacks.indef_array_start = callbacks.indef_map_start = on_open;
    callbacks.indef_break = on_break;
    return callbacks;
}

enum bst_code bst_cbor_check(const uint8_t *data, size_t len, size_t *items, struct bst_error *err)
{
    struct cbor_callbacks callbacks = check_callbacks();
    struct check check = {0};
    size_t pos = 0;
    if (len == 0) return bst_fail(err, BST_BROKEN, "CBOR cannot be read: there is nothing");
    do {
        check.left = len - pos;
        struct cbor_decoder_result result = cbor_stream_decode(data + pos, len - pos, &callbacks, &check);
        if (result.status != CBOR_DECODER_FINISHED) {
            check.problem = result.status == CBOR_DECODER_NEDATA ? "it ends too early" : "a malformed item";
        }
        if (check.problem != NULL) {
            return bst_fail(err, BST_BROKEN, "CBOR cannot be read: %s at its byte %zu", check.problem, pos);
        }
        pos += result.read;
        while (check.depth > 0 && check.open[check.depth - 1] == 0) {
            check.depth--;
        }
    } while (check.depth > 0);
    *items = check.items;
    if (pos == len) return BST_OK;
    return bst_fail(err, BST_BROKEN, "CBOR cannot be read: %zu bytes stand behind the item", len - pos);
}

/* ---- reading ---- */

static bool same_key(const cbor_item_t *a, const cbor_item_t *b)
{
    if (cbor_typeof(a) != cbor_typeof(b)) return false;
    if (cbor_isa_string(a)) {
        return cbor_string_length(a) == cbor_string_length(b) &&
               memcmp(cbor_string_handle(a), cbor_string_handle(b), cbor_string_length(a)) == 0;
    }
    return (cbor_isa_uint(a) || cbor_isa_negint(a)) && cbor_get_int(a) == cbor_get_int(b);
}

/* Depth is bounded by bst_cbor_check(). */
static bool has_duplicates(cbor_item_t *value)
{
    bool found = false;
    if (cbor_isa_tag(value)) {
        cbor_item_t *content = cbor_move(cbor_tag_item(value));
        return has_duplicates(content);
    }
    if (cbor_isa_array(value)) {
        cbor_item_t **child = cbor_array_handle(value);
        for (size_t i = 0; i < cbor_array_size(value) && !found; i++) {
            found = has_duplicates(child[i]);
        }
    }
    if (cbor_isa_map(value)) {
        struct cbor_pair *pair = cbor_map_handle(value);
        size_t count = cbor_map_size(value);
        if (count > 256) return true; /* no map of C2PA has as many keys; keeps this loop short */
        for (size_t i = 0; i < count && !found; i++) {
            for (size_t k = 0; k < i && !found; k++) {
                found = same_key(pair[i].key, pair[k].key);
            }
            found = found || has_duplicates(pair[i].value);
        }
    }
    return found;
}

enum bst_code bst_cbor_parse(const uint8_t *data, size_t len, cbor_item_t **out, struct bst_error *err)
{
    struct cbor_load_result result;
    size_t items;
    enum bst_code code = bst_cbor_check(data, len, &items, err);
    if (code != BST_OK) return code;
    *out = cbor_load(data, len, &result);
    if (*out == NULL) {
        if (result.error.code == CBOR_ERR_MEMERROR) return bst_fail_memory(err);
        return bst_fail(err, BST_BROKEN, "CBOR cannot be read: error at its byte %zu", result.error.position);
    }
    if (!has_duplicates(*out)) return BST_OK;
    cbor_decref(out);
    return bst_fail(err, BST_BROKEN, "CBOR cannot be read: a map has the same key twice, or too many keys");
}

/* ---- deterministic encoding ---- */

/* Length of the item's encoding at data, or 0 when it is not deterministic. The bounds were checked. */
static size_t deterministic_item(const uint8_t *data, size_t len, unsigned depth)
{
    static const uint64_t least[4] = {24, 0x100, 0x10000, 0x100000000};
    uint8_t major = data[0] >> 5, minor = data[0] & 31;
    uint64_t value = minor;
    size_t pos = 1;
    if (minor == 31) return 0; /* an open length */
    if (minor >= 24) {
        size_t width = (size_t)1 << (minor - 24);
        value = 0;
        for (size_t i = 0; i < width; i++) {
            value = value << 8 | data[pos++];
        }
        if (major != 7 && value < least[minor - 24]) return 0;
    }
    if (major == 2 || major == 3) return pos + (size_t)value;
    if (major < 4 || major == 7) return pos;
    uint64_t count = major == 5 ? value * 2 : major == 6 ? 1 : value;
    const uint8_t *key = NULL;
    size_t key_len = 0;
    for (uint64_t i = 0; i < count; i++) {
        size_t part = depth == BST_CBOR_DEPTH ? 0 : deterministic_item(data + pos, len - pos, depth + 1);
        if (part == 0) return 0;
        if (major == 5 && i % 2 == 0) {
            int order = key == NULL ? -1 : memcmp(key, data + pos, key_len < part ? key_len : part);
            if (order > 0) return 0;
            key = data + pos;
            key_len = part;
        }
        pos += part;
    }
    return pos;
}

bool bst_cbor_deterministic(const uint8_t *data, size_t len)
{
    struct bst_error err;
    size_t items;
    return bst_cbor_check(data, len, &items, &err) == BST_OK && deterministic_item(data, len, 0) == len;
}

/* ---- access ---- */

cbor_item_t *bst_cbor_get(cbor_item_t *map, const char *key)
{
    if (map == NULL || !cbor_isa_map(map)) return NULL;
    struct cbor_pair *pair = cbor_map_handle(map);
    for (size_t i = 0; i < cbor_map_size(map); i++) {
        if (bst_cbor_is(pair[i].key, key)) return pair[i].value;
    }
    return NULL;
}

cbor_item_t *bst_cbor_get_int(cbor_item_t *map, int64_t key)
{
    if (map == NULL || !cbor_isa_map(map)) return NULL;
    struct cbor_pair *pair = cbor_map_handle(map);
    for (size_t i = 0; i < cbor_map_size(map); i++) {
        if (key >= 0 && cbor_isa_uint(pair[i].key) && cbor_get_int(pair[i].key) == (uint64_t)key) {
            return pair[i].value;
        }
        if (key < 0 && cbor_isa_negint(pair[i].key) && cbor_get_int(pair[i].key) == (uint64_t)(-1 - key)) {
            return pair[i].value;
        }
    }
    return NULL;
}

bool bst_cbor_get_text(cbor_item_t *value, const char **text, size_t *len)
{
    if (value == NULL || !cbor_isa_string(value) || !cbor_string_is_definite(value)) return false;
    *text = (const char *)cbor_string_handle(value);
    *len = cbor_string_length(value);
    return true;
}

bool bst_cbor_get_bytes(cbor_item_t *value, const uint8_t **data, size_t *len)
{
    if (value == NULL || !cbor_isa_bytestring(value) || !cbor_bytestring_is_definite(value)) return false;
    *data = cbor_bytestring_handle(value);
    *len = cbor_bytestring_length(value);
    return true;
}

bool bst_cbor_get_uint(cbor_item_t *value, uint64_t *out)
{
    if (value == NULL || !cbor_isa_uint(value)) return false;
    *out = cbor_get_int(value);
    return true;
}

size_t bst_cbor_count(const cbor_item_t *value)
{
    return value != NULL && cbor_isa_array(value) ? cbor_array_size(value) : 0;
}

static bool is_simple(const cbor_item_t *item)
{
    return item != NULL && cbor_isa_float_ctrl(item) && cbor_float_ctrl_is_ctrl(item);
}

bool bst_cbor_is_null(const cbor_item_t *item)
{
    return is_simple(item) && cbor_ctrl_value(item) == CBOR_CTRL_NULL;
}

bool bst_cbor_is_bool(const cbor_item_t *item)
{
    return is_simple(item) && cbor_is_bool(item);
}

bool bst_cbor_is_true(const cbor_item_t *item)
{
    return is_simple(item) && cbor_ctrl_value(item) == CBOR_CTRL_TRUE;
}

cbor_item_t *bst_cbor_optional(cbor_item_t *map, const char *key)
{
    cbor_item_t *value = bst_cbor_get(map, key);
    return bst_cbor_is_null(value) ? NULL : value;
}

bool bst_cbor_is(cbor_item_t *value, const char *text)
{
    const char *have;
    size_t len;
    return bst_cbor_get_text(value, &have, &len) && len == strlen(text) && memcmp(have, text, len) == 0;
}

bool bst_cbor_has_text(cbor_item_t *map, const char *key)
{
    const char *text;
    size_t len;
    return bst_cbor_get_text(bst_cbor_get(map, key), &text, &len) && len > 0;
}

/* ---- for people ---- */

static json_t *bytes_json(cbor_item_t *value, enum bst_cbor_bytes form)
{
    const uint8_t *data = cbor_bytestring_handle(value);
    size_t len = cbor_bytestring_length(value);
    char hex[2 * 64 + 1];
    if (form != BST_CBOR_HEX) return bst_base64_json(data, len, form == BST_CBOR_BASE64_QUOTED);
    if (len > 64) return json_pack("{s:I}", "bytes", (json_int_t)len);
    bst_hex(data, len, hex);
    return json_string(hex);
}

json_t *bst_base64_json(const void *data, size_t len, bool quoted)
{
    char *text = bst_base64(data, len);
    if (text == NULL) return NULL;
    json_t *value = quoted ? json_sprintf("b64'%s'", text) : json_string(text);
    free(text);
    return value;
}

static json_t *map_json(cbor_item_t *value, enum bst_cbor_bytes form)
{
    json_t *object = json_object();
    struct cbor_pair *pair = cbor_map_handle(value);
    for (size_t i = 0; i < cbor_map_size(value) && object != NULL; i++) {
        const char *text;
        size_t len;
        char number[24];
        if (!bst_cbor_get_text(pair[i].key, &text, &len)) {
            bool integer = cbor_isa_uint(pair[i].key) || cbor_isa_negint(pair[i].key);
            if (!integer) continue; /* no key of C2PA is of another type */
            snprintf(number, sizeof(number), "%s%llu", cbor_isa_uint(pair[i].key) ? "" : "-1-",
                     (unsigned long long)cbor_get_int(pair[i].key));
            text = number;
            len = strlen(number);
        }
        if (json_object_setn_new(object, text, len, bst_cbor_json(pair[i].value, form)) != 0) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

/* Depth is bounded by bst_cbor_check(). */
json_t *bst_cbor_json(cbor_item_t *value, enum bst_cbor_bytes form)
{
    switch (cbor_typeof(value)) {
    case CBOR_TYPE_UINT:
        if (cbor_get_int(value) > INT64_MAX)
            return json_sprintf("%llu", (unsigned long long)cbor_get_int(value));
        return json_integer((json_int_t)cbor_get_int(value));
    case CBOR_TYPE_NEGINT:
        if (cbor_get_int(value) > INT64_MAX)
            return json_sprintf("-1-%llu", (unsigned long long)cbor_get_int(value));
        return json_integer(-1 - (json_int_t)cbor_get_int(value));
    case CBOR_TYPE_BYTESTRING:
        return bytes_json(value, form);
    case CBOR_TYPE_STRING:
        return json_stringn((const char *)cbor_string_handle(value), cbor_string_length(value));
    case CBOR_TYPE_ARRAY: {
        json_t *array = json_array();
        cbor_item_t **child = cbor_array_handle(value);
        for (size_t i = 0; i < cbor_array_size(value); i++) {
            json_array_append_new(array, bst_cbor_json(child[i], form));
        }
        return array;
    }
    case CBOR_TYPE_MAP:
        return map_json(value, form);
    case CBOR_TYPE_TAG: {
        cbor_item_t *content = cbor_move(cbor_tag_item(value));
        return bst_cbor_json(content, form);
    }
    case CBOR_TYPE_FLOAT_CTRL:
        if (bst_cbor_is_bool(value)) return json_boolean(bst_cbor_is_true(value));
        if (is_simple(value) || !isfinite(cbor_float_get_float(value)))
            return json_null(); /* JSON has no infinity */
        return json_real(cbor_float_get_float(value));
    }
    return json_null();
}
