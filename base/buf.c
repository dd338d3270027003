/* buf.c - checked size arithmetic, zeroed allocation and the growing byte buffer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base.h"

bool bst_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

bool bst_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

void *bst_calloc(size_t n, size_t size)
{
    if (n == 0 || size == 0) return calloc(1, 1);
    return calloc(n, size); /* calloc checks n * size */
}

#define MEMORY_ASIDE ((size_t)8 << 20) /* for stacks, the ledger, and a picture's file while it is written */

size_t bst_memory_left(size_t limit)
{
    unsigned long long pages = 0;
    long size = sysconf(_SC_PAGESIZE);
    FILE *file = limit != 0 ? fopen("/proc/self/statm", "r") : NULL;
    char line[128] = "";
    if (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *resident = strchr(line, ' ');
        if (resident != NULL) pages = strtoull(resident, NULL, 10);
    }
    if (file != NULL) fclose(file);
    size_t held = size > 0 ? (size_t)pages * (size_t)size : 0;
    if (limit == 0) return 0;
    held += MEMORY_ASIDE;
    return limit > held ? limit - held : 1;
}

char *bst_strdup(const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = malloc(len);
    if (copy) memcpy(copy, text, len);
    return copy;
}

char *bst_format(const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = len < 0 ? NULL : malloc((size_t)len + 1);
    if (text) vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

void bst_buf_free(struct bst_buf *buf)
{
    free(buf->data);
    *buf = (struct bst_buf){0};
}

bool bst_buf_reserve(struct bst_buf *buf, size_t extra)
{
    size_t need;
    if (buf->failed) return false;
    if (!bst_add(buf->len, extra, &need)) {
        buf->failed = true;
        return false;
    }
    if (need <= buf->cap) return true;
    size_t cap = buf->cap < 64 ? 64 : buf->cap;
    while (cap < need) {
        if (!bst_mul(cap, 2, &cap)) cap = need;
    }
    uint8_t *data = realloc(buf->data, cap);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

void bst_buf_append(struct bst_buf *buf, const void *data, size_t len)
{
    if (len == 0 || !bst_buf_reserve(buf, len)) return;
    memcpy(buf->data + buf->len, data, len);
    buf->len += len;
}

void bst_buf_text(struct bst_buf *buf, const char *text)
{
    bst_buf_append(buf, text, strlen(text));
}

void bst_buf_printf(struct bst_buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) {
        buf->failed = true;
    } else if (bst_buf_reserve(buf, (size_t)len + 1)) {
        vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
}

void bst_buf_byte(struct bst_buf *buf, uint8_t byte)
{
    bst_buf_append(buf, &byte, 1);
}

void bst_buf_be16(struct bst_buf *buf, uint16_t value)
{
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    bst_buf_append(buf, bytes, sizeof bytes);
}

void bst_buf_be32(struct bst_buf *buf, uint32_t value)
{
    bst_buf_be16(buf, (uint16_t)(value >> 16));
    bst_buf_be16(buf, (uint16_t)value);
}

void bst_buf_be64(struct bst_buf *buf, uint64_t value)
{
    bst_buf_be32(buf, (uint32_t)(value >> 32));
    bst_buf_be32(buf, (uint32_t)value);
}

uint64_t bst_get_number(const uint8_t *p, size_t len, bool big_endian)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++)
        value = value << 8 | p[big_endian ? i : len - 1 - i];
    return value;
}

void bst_set_number(uint8_t *p, uint64_t value, size_t len, bool big_endian)
{
    for (size_t i = 0; i < len; i++)
        p[big_endian ? len - 1 - i : i] = (uint8_t)(value >> (8 * i));
}

void bst_buf_number(struct bst_buf *buf, uint64_t value, size_t len, bool big_endian)
{
    uint8_t bytes[8];
    bst_set_number(bytes, value, len, big_endian);
    bst_buf_append(buf, bytes, len);
}

char *bst_buf_string(struct bst_buf *buf)
{
    if (!bst_buf_reserve(buf, 1)) return NULL;
    buf->data[buf->len] = 0;
    return (char *)buf->data;
}
