/* onnx_wire.c - see onnx_wire.h. Walks protobuf's wire format as deep as model, graph, initializer, raw_data; everything
 * else is copied as it is. */
#include "onnx_wire.h"

#include <stdlib.h>
#include <string.h>

#define MODEL_GRAPH       7u /* field numbers of onnx.proto */
#define GRAPH_INITIALIZER 5u
#define TENSOR_RAW_DATA   9u

#define VARINT_MAX 5u /* bytes of a tag or a length, as libprotobuf-c takes them */
#define ALIGNED    64u

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_64 = 1,
    WIRE_BYTES = 2,
    WIRE_32 = 5,
};

struct field {
    uint32_t number;
    uint32_t type;
    uint8_t *begin, *end; /* all of it */
    uint8_t *body;        /* WIRE_BYTES: what its length counts, up to end */
};

struct cursor {
    uint8_t *at, *end;
};

/* ---- reading ---- */

static bool read_varint(struct cursor *c, uint64_t *out)
{
    *out = 0;
    for (unsigned i = 0; i < VARINT_MAX && c->at < c->end; i++) {
        uint8_t byte = *c->at++;
        *out |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) return true;
    }
    return false;
}

static bool skip(struct cursor *c, uint64_t bytes)
{
    if (bytes > (size_t)(c->end - c->at)) return false;
    c->at += bytes;
    return true;
}

static bool skip_varint(struct cursor *c)
{
    while (c->at < c->end)
        if (*c->at++ < 0x80) return true;
    return false;
}

/* The next field; false when there is none that is whole and of a known type. */
static bool next_field(struct cursor *c, struct field *f)
{
    uint64_t tag, len;
    f->begin = c->at;
    if (!read_varint(c, &tag)) return false;
    f->number = (uint32_t)(tag >> 3);
    f->type = (uint32_t)tag & 7;
    f->body = c->at;
    bool whole = false;
    if (f->type == WIRE_VARINT) whole = skip_varint(c);
    if (f->type == WIRE_64) whole = skip(c, 8);
    if (f->type == WIRE_32) whole = skip(c, 4);
    if (f->type == WIRE_BYTES && read_varint(c, &len)) {
        f->body = c->at;
        whole = skip(c, len);
    }
    f->end = c->at;
    return whole;
}

static bool is_bytes(const struct field *f, uint32_t number)
{
    return f->number == number && f->type == WIRE_BYTES;
}

/* The only field of that number; its begin is NULL when there is none. False when there are more, or the message is
 * damaged. */
static bool find_only(struct cursor c, uint32_t number, struct field *out)
{
    struct field f;
    out->begin = NULL;
    while (c.at < c.end) {
        if (!next_field(&c, &f) || (f.number == number && out->begin != NULL)) return false;
        if (f.number == number) *out = f;
    }
    return true;
}

/* ---- writing ---- */

static void put_tag(struct bst_buf *out, uint32_t number)
{
    bst_buf_byte(out, (uint8_t)(number << 3 | WIRE_BYTES)); /* all numbers here are below 16 */
}

/* A message whose length is not known yet has room for one of VARINT_MAX bytes. */
static size_t begin_message(struct bst_buf *out, uint32_t number)
{
    static const uint8_t room[VARINT_MAX] = {0};
    put_tag(out, number);
    bst_buf_append(out, room, sizeof room);
    return out->len;
}

static void end_message(struct bst_buf *out, size_t begin)
{
    if (out->failed) return;
    size_t len = out->len - begin;
    for (size_t i = 0; i < VARINT_MAX; i++)
        out->data[begin - VARINT_MAX + i] =
            (uint8_t)((len >> (7 * i) & 0x7f) | (i + 1 < VARINT_MAX ? 0x80 : 0));
}

static void copy(struct bst_buf *out, const uint8_t *begin, const uint8_t *end)
{
    bst_buf_append(out, begin, (size_t)(end - begin));
}

/* ---- splitting ---- */

static bool add_span(struct wire *w, struct wire_span span)
{
    if (w->span_count == w->span_room) {
        size_t room = w->span_room > 0 ? 2 * w->span_room : 64;
        struct wire_span *grown = realloc(w->spans, room * sizeof *grown);
        if (grown == NULL) return false;
        w->spans = grown;
        w->span_room = room;
    }
    w->spans[w->span_count++] = span;
    w->span_bytes += span.len;
    return true;
}

static bool split_tensor(struct wire *w, const struct field *tensor)
{
    struct field raw;
    struct wire_span span = {NULL, 0};
    if (!find_only((struct cursor){tensor->body, tensor->end}, TENSOR_RAW_DATA, &raw)) return false;
    if (raw.begin != NULL && raw.type == WIRE_BYTES && (size_t)(raw.end - raw.body) >= WIRE_LARGE)
        span = (struct wire_span){raw.body, (size_t)(raw.end - raw.body)};
    if (!add_span(w, span)) return false;
    if (span.len == 0) {
        copy(&w->rest, tensor->begin, tensor->end);
        return true;
    }
    size_t begin = begin_message(&w->rest, GRAPH_INITIALIZER);
    copy(&w->rest, tensor->body, raw.begin);
    put_tag(&w->rest, TENSOR_RAW_DATA);
    bst_buf_byte(&w->rest, 0);
    copy(&w->rest, raw.end, tensor->end);
    end_message(&w->rest, begin);
    return true;
}

static bool split_graph(struct wire *w, const struct field *graph)
{
    struct cursor c = {graph->body, graph->end};
    struct field f;
    size_t begin = begin_message(&w->rest, MODEL_GRAPH);
    while (c.at < c.end) {
        if (!next_field(&c, &f)) return false;
        if (!is_bytes(&f, GRAPH_INITIALIZER))
            copy(&w->rest, f.begin, f.end);
        else if (!split_tensor(w, &f))
            return false;
    }
    end_message(&w->rest, begin);
    return true;
}

static bool split_model(struct wire *w, uint8_t *data, size_t len)
{
    struct cursor all = {data, data + len};
    struct field graph;
    if (!find_only(all, MODEL_GRAPH, &graph) || graph.begin == NULL || graph.type != WIRE_BYTES) return false;
    copy(&w->rest, data, graph.begin);
    if (!split_graph(w, &graph)) return false;
    copy(&w->rest, graph.end, all.end);
    return true;
}

bool wire_split(uint8_t *data, size_t len, struct wire *out)
{
    *out = (struct wire){0};
    if (split_model(out, data, len) && !out->rest.failed) return true;
    wire_clear(out);
    return false;
}

void wire_align(const struct wire *wire)
{
    uint8_t *free_from = NULL; /* the end of the constant before */
    for (size_t i = 0; i < wire->span_count; i++) {
        struct wire_span *span = &wire->spans[i];
        size_t back = (uintptr_t)span->data % ALIGNED, align = ALIGNED;
        if (span->len == 0) continue;
        /* The tag and the length of a large constant take at least three bytes: 4 is always within reach. */
        size_t room = free_from != NULL ? (size_t)(span->data - free_from) : VARINT_MAX - 2;
        for (; back > room; back %= align)
            align /= 2;
        memmove(span->data - back, span->data, span->len);
        span->data -= back;
        free_from = span->data + span->len;
    }
}

void wire_clear(struct wire *wire)
{
    bst_buf_free(&wire->rest);
    free(wire->spans);
    *wire = (struct wire){0};
}
