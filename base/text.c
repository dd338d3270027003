/* text.c - hexadecimal, base64, numbers, UTF-8, and text that is safe to print. */
#include <ctype.h>
#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base.h"

void bst_hex(const uint8_t *data, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * len] = 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool bst_unhex(const char *text, uint8_t *out, size_t len)
{
    if (strlen(text) != 2 * len) return false;
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

char *bst_base64(const void *data, size_t len)
{
    if (len > SIZE_MAX / 2) return NULL;
    size_t room = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
    char *text = malloc(room);
    if (text) sodium_bin2base64(text, room, data, len, sodium_base64_VARIANT_ORIGINAL);
    return text;
}

bool bst_unbase64(const char *text, size_t len, bool url_safe, struct bst_buf *out)
{
    size_t start = out->len, got = 0;
    /* libsodium 1.0.18 takes any byte from 0x80 on for the last digit of its alphabet. */
    for (size_t i = 0; i < len; i++) {
        if ((uint8_t)text[i] >= 0x80) return false;
    }
    if (!bst_buf_reserve(out, len / 4 * 3 + 3)) return false;
    const char *end = NULL;
    int variant = url_safe ? sodium_base64_VARIANT_URLSAFE : sodium_base64_VARIANT_ORIGINAL;
    if (sodium_base642bin(out->data + start, out->cap - start, text, len, NULL, &got, &end, variant) != 0 ||
        end != text + len) {
        return false;
    }
    out->len = start + got;
    return true;
}

/* Length of the well-formed UTF-8 sequence at p (RFC 3629: shortest form, no surrogates, at most U+10FFFF),
 * or 0. */
static size_t utf8_sequence(const uint8_t *p, size_t left, uint32_t *point)
{
    if (p[0] < 0x80) {
        *point = p[0];
        return 1;
    }
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || len > left) return 0;
    uint32_t value = p[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
        value = value << 6 | (p[i] & 0x3fu);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < least[len] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return 0;
    *point = value;
    return len;
}

bool bst_utf8_valid(const char *text, size_t len)
{
    const uint8_t *p = (const uint8_t *)text;
    for (size_t i = 0; i < len;) {
        uint32_t point;
        size_t step = utf8_sequence(p + i, len - i, &point);
        if (step == 0) return false;
        i += step;
    }
    return true;
}

/* Control characters (C0, DEL, C1) and the marks that reorder or hide text can make a terminal lie. */
static bool unsafe_point(uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x200e || point == 0x200f ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) || point == 0xfeff;
}

char *bst_printable(const char *text, size_t len)
{
    struct bst_buf out = {0};
    const uint8_t *p = (const uint8_t *)text;
    for (size_t i = 0; i < len;) {
        uint32_t point = 0;
        size_t step = utf8_sequence(p + i, len - i, &point);
        if (step == 0) {
            bst_buf_printf(&out, "\\x%02x", p[i]);
            i++;
            continue;
        }
        if (point == '\n') {
            bst_buf_text(&out, "\\n");
        } else if (unsafe_point(point)) {
            bst_buf_printf(&out, "\\u%04x", point);
        } else {
            bst_buf_append(&out, p + i, step);
        }
        i += step;
    }
    char *result = bst_buf_string(&out);
    if (!result) bst_buf_free(&out);
    return result;
}

bool bst_parse_u64(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    if (!*text) return false;
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9') return false;
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value)) {
            return false;
        }
    }
    *out = value;
    return true;
}

bool bst_parse_double(const char *text, double *out)
{
    /* Only digits, one point and a sign: no hexadecimal, exponent, "inf" or locale. */
    const char *p = text;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+') p++;
    double value = 0, scale = 1;
    bool digits = false, point = false;
    for (; *p; p++) {
        if (*p == '.' && !point) {
            point = true;
        } else if (*p >= '0' && *p <= '9') {
            value = value * 10 + (*p - '0');
            if (point) scale *= 10;
            digits = true;
        } else {
            return false;
        }
    }
    if (!digits || !isfinite(value) || !isfinite(scale)) return false;
    *out = (negative ? -value : value) / scale;
    return true;
}
