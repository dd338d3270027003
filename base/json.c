/* json.c - bounded JSON reading, and RFC 8785 (JSON Canonicalization Scheme) writing. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"

#define DEPTH_MAX   64                 /* nesting of a text from a stranger */
#define INTEGER_MAX 9007199254740991LL /* 2^53 - 1: beyond it readers that use doubles disagree */

/* Nesting depth of a JSON text, without judging the text otherwise. */
static unsigned depth_of(const char *text, size_t len)
{
    unsigned depth = 0, deepest = 0;
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        if (quoted) {
            if (text[i] == '\\') {
                i++;
            } else if (text[i] == '"') {
                quoted = false;
            }
        } else if (text[i] == '"') {
            quoted = true;
        } else if (text[i] == '{' || text[i] == '[') {
            if (++depth > deepest) deepest = depth;
        } else if ((text[i] == '}' || text[i] == ']') && depth > 0) {
            depth--;
        }
    }
    return deepest;
}

enum bst_code bst_json_parse(const char *text, size_t len, json_t **out, struct bst_error *err)
{
    if (depth_of(text, len) > DEPTH_MAX) {
        return bst_fail(err, BST_UNREADABLE, "the JSON text is nested deeper than %d levels", DEPTH_MAX);
    }
    json_error_t problem;
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &problem);
    if (!value) {
        bst_fail(err, BST_UNREADABLE, "not valid JSON: %s", problem.text);
        return bst_where(err, "line %d, column %d", problem.line, problem.column);
    }
    *out = value;
    return BST_OK;
}

enum bst_code bst_json_load(const char *path, size_t limit, json_t **out, struct bst_error *err)
{
    struct bst_buf text = {0};
    enum bst_code code = bst_file_read(path, limit, &text, err);
    if (code != BST_OK) return code;
    code = bst_json_parse((const char *)text.data, text.len, out, err);
    bst_buf_free(&text);
    return code == BST_OK ? code : bst_where(err, "%s", path);
}

static void put_string(struct bst_buf *out, const char *text, size_t len)
{
    static const char short_escape[] = "btn\0fr"; /* U+0008 to U+000D; U+000B has none */
    bst_buf_byte(out, '"');
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c == '"' || c == '\\') {
            bst_buf_printf(out, "\\%c", c);
        } else if (c >= 8 && c <= 13 && c != 11) {
            bst_buf_printf(out, "\\%c", short_escape[c - 8]);
        } else if (c < 0x20) {
            bst_buf_printf(out, "\\u%04x", c);
        } else {
            bst_buf_byte(out, c);
        }
    }
    bst_buf_byte(out, '"');
}

/* ECMAScript Number::toString (RFC 8785 3.2.2.3): the fewest digits that read back as the same double. */
static void put_real(struct bst_buf *out, double value)
{
    if (value == 0) { /* -0 too */
        bst_buf_byte(out, '0');
        return;
    }
    char text[40];
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, value);
        if (strtod(text, NULL) == value) break;
    }
    /* text is [-]d[.ddd]e[+-]xx, with whatever decimal mark the locale has: keep the digits alone. */
    char digits[24];
    int count = 0;
    const char *mark = strchr(text, 'e');
    for (const char *p = text; p < mark; p++) {
        if (*p >= '0' && *p <= '9') digits[count++] = *p;
    }
    while (count > 1 && digits[count - 1] == '0')
        count--;
    digits[count] = 0;
    int point = atoi(mark + 1) + 1; /* the value is 0.digits * 10^point */
    if (value < 0) bst_buf_byte(out, '-');
    if (count <= point && point <= 21) {
        bst_buf_printf(out, "%s%.*s", digits, point - count, "000000000000000000000");
    } else if (point > 0 && point <= 21) {
        bst_buf_printf(out, "%.*s.%s", point, digits, digits + point);
    } else if (point > -6 && point <= 0) {
        bst_buf_printf(out, "0.%.*s%s", -point, "000000", digits);
    } else {
        bst_buf_printf(out, "%c%s%se%+d", digits[0], count > 1 ? "." : "", digits + 1, point - 1);
    }
}

/* RFC 8785 sorts by UTF-16 code units, where characters beyond U+FFFF (surrogates, D800..DFFF) stand before
 * U+E000..U+FFFF. In UTF-8 these are the lead bytes F0..F4 and EE..EF: swap their order. */
static int key_rank(uint8_t byte)
{
    if (byte >= 0xf0) return byte - 2;
    if (byte >= 0xee) return byte + 5;
    return byte;
}

static int compare_keys(const void *a, const void *b)
{
    const uint8_t *p = *(const uint8_t *const *)a, *q = *(const uint8_t *const *)b;
    while (*p && *p == *q) {
        p++;
        q++;
    }
    return key_rank(*p) - key_rank(*q);
}

static enum bst_code put_value(const json_t *value, struct bst_buf *out, unsigned depth,
                               struct bst_error *err);

static enum bst_code put_object(const json_t *object, struct bst_buf *out, unsigned depth,
                                struct bst_error *err)
{
    size_t count = json_object_size(object), i = 0;
    const char **keys = bst_calloc(count, sizeof *keys);
    if (!keys) return bst_fail_memory(err);
    for (void *at = json_object_iter((json_t *)(uintptr_t)object); at && i < count;
         at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
        keys[i++] = json_object_iter_key(at);
    }
    qsort(keys, count, sizeof *keys, compare_keys);
    enum bst_code code = BST_OK;
    bst_buf_byte(out, '{');
    for (i = 0; i < count && code == BST_OK; i++) {
        if (i > 0) bst_buf_byte(out, ',');
        put_string(out, keys[i], strlen(keys[i]));
        bst_buf_byte(out, ':');
        code = put_value(json_object_get(object, keys[i]), out, depth + 1, err);
    }
    bst_buf_byte(out, '}');
    free(keys);
    return code;
}

static enum bst_code put_array(const json_t *array, struct bst_buf *out, unsigned depth,
                               struct bst_error *err)
{
    bst_buf_byte(out, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i > 0) bst_buf_byte(out, ',');
        enum bst_code code = put_value(json_array_get(array, i), out, depth + 1, err);
        if (code != BST_OK) return code;
    }
    bst_buf_byte(out, ']');
    return BST_OK;
}

static enum bst_code put_integer(int64_t value, struct bst_buf *out, struct bst_error *err)
{
    if (value > INTEGER_MAX || value < -INTEGER_MAX) {
        return bst_fail(err, BST_FAILURE,
                        "the integer %lld does not fit canonical JSON; write it as a string",
                        (long long)value);
    }
    bst_buf_printf(out, "%lld", (long long)value);
    return BST_OK;
}

static enum bst_code put_value(const json_t *value, struct bst_buf *out, unsigned depth,
                               struct bst_error *err)
{
    if (depth > DEPTH_MAX)
        return bst_fail(err, BST_FAILURE, "the JSON value is nested deeper than %d levels", DEPTH_MAX);
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return put_object(value, out, depth, err);
    case JSON_ARRAY:
        return put_array(value, out, depth, err);
    case JSON_STRING:
        put_string(out, json_string_value(value), json_string_length(value));
        return BST_OK;
    case JSON_INTEGER:
        return put_integer(json_integer_value(value), out, err);
    case JSON_REAL:
        put_real(out, json_real_value(value));
        return BST_OK;
    case JSON_TRUE:
        bst_buf_text(out, "true");
        return BST_OK;
    case JSON_FALSE:
        bst_buf_text(out, "false");
        return BST_OK;
    case JSON_NULL:
        break;
    }
    bst_buf_text(out, "null");
    return BST_OK;
}

enum bst_code bst_json_canonical(const json_t *value, struct bst_buf *out, struct bst_error *err)
{
    enum bst_code code = put_value(value, out, 0, err);
    if (code == BST_OK && out->failed) code = bst_fail_memory(err);
    return code;
}

enum bst_code bst_json_pretty(const json_t *value, struct bst_buf *out, struct bst_error *err)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);
    if (!text) return bst_fail_memory(err);
    bst_buf_printf(out, "%s\n", text);
    free(text);
    return out->failed ? bst_fail_memory(err) : BST_OK;
}

const char *bst_json_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

json_t *bst_json_at(const json_t *value, const char *path)
{
    char step[128];
    const json_t *at = value;
    while (at && *path) {
        size_t len = strcspn(path, ".");
        if (len >= sizeof step) return NULL;
        memcpy(step, path, len);
        step[len] = 0;
        path += len + (path[len] == '.');
        uint64_t index;
        if (json_is_array(at)) {
            at = bst_parse_u64(step, &index) ? json_array_get(at, (size_t)index) : NULL;
        } else {
            at = json_object_get(at, step);
        }
    }
    return (json_t *)(uintptr_t)at;
}
