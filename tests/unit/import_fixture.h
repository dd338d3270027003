/* import_fixture.h - weights files for tests, from a text of one tensor a line:
 *
 *   tensor NAME SCALE OFFSET DIMS...     numbers are OFFSET + SCALE * r, r in [-1, 1) told by the name alone
 *
 * written as PyTorch's zip archive, its older row of pickles, or safetensors. import_reference.py makes the same
 * numbers.
 */
#ifndef IMPORT_FIXTURE_H
#define IMPORT_FIXTURE_H

#include <math.h>
#include <zlib.h>

#include "onnx_fixture.h"

#define WEIGHTS_MAX 1024

static inline void write_file(const char *path, const struct bst_buf *bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_false(bytes->failed);
    if (bytes->len > 0) assert_int_equal(fwrite(bytes->data, 1, bytes->len, file), bytes->len);
    fclose(file);
}

struct weight {
    char name[128];
    size_t rank, count;
    int64_t dims[8];
    float scale, offset;
};

struct weights {
    struct weight list[WEIGHTS_MAX];
    size_t count;
};

static inline void weights_line(struct weights *w, const char *line)
{
    struct weight *t = &w->list[w->count];
    int used;
    if (w->count == WEIGHTS_MAX ||
        sscanf(line, "tensor %127s %f %f%n", t->name, &t->scale, &t->offset, &used) != 3)
        abort();
    t->rank = 0;
    t->count = 1;
    for (char *at = (char *)(uintptr_t)line + used; *at != 0 && *at != '\n';) {
        char *end;
        long long dim = strtoll(at, &end, 10);
        if (end == at) break;
        t->dims[t->rank++] = dim;
        t->count *= (size_t)dim;
        at = end;
    }
    w->count++;
}

static inline void weight_bytes(const struct weight *t, struct bst_buf *out)
{
    uint64_t state = fixture_seed(t->name);
    for (size_t i = 0; i < t->count; i++) {
        float x = t->offset + t->scale * fixture_random(&state);
        bst_buf_append(out, &x, sizeof x); /* tests run on little-endian machines */
    }
}

/* ---- little-endian pieces ---- */

static inline void put_le(struct bst_buf *out, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        bst_buf_byte(out, (uint8_t)(i < 8 ? value >> (8 * i) : 0));
}

/* ---- pickles ---- */

static inline void pickle_text(struct bst_buf *out, const char *text)
{
    bst_buf_byte(out, 'X');
    put_le(out, strlen(text), 4);
    bst_buf_text(out, text);
}

static inline void pickle_int(struct bst_buf *out, int64_t value)
{
    bst_buf_byte(out, 'J');
    put_le(out, (uint64_t)value, 4);
}

static inline void pickle_tensor(struct bst_buf *out, const char *storage, size_t elements, int64_t offset,
                                 size_t rank, const int64_t *dims, const int64_t *strides)
{
    bst_buf_text(out, "ctorch._utils\n_rebuild_tensor_v2\n((");
    pickle_text(out, "storage");
    bst_buf_text(out, "ctorch\nFloatStorage\n");
    pickle_text(out, storage);
    pickle_text(out, "cpu");
    pickle_int(out, (int64_t)elements);
    bst_buf_text(out, "tQ");
    pickle_int(out, offset);
    for (int pass = 0; pass < 2; pass++) {
        bst_buf_byte(out, '(');
        for (size_t i = 0; i < rank; i++)
            pickle_int(out, pass == 0 ? dims[i] : strides[i]);
        bst_buf_byte(out, 't');
    }
    bst_buf_text(out, "\x89"
                      "ccollections\nOrderedDict\n)RtR");
}

/* The dictionary of all tensors; storages are called "0", "1" ... */
static inline void weights_pickle(const struct weights *w, const char *wrapper, struct bst_buf *out)
{
    bst_buf_append(out, "\x80\x02", 2);
    if (wrapper != NULL) {
        bst_buf_byte(out, '}');
        pickle_text(out, wrapper);
    }
    bst_buf_text(out, "ccollections\nOrderedDict\n)R(");
    for (size_t i = 0; i < w->count; i++) {
        const struct weight *t = &w->list[i];
        char key[24];
        int64_t strides[8], row = 1;
        for (size_t d = t->rank; d-- > 0; row *= t->dims[d])
            strides[d] = row;
        snprintf(key, sizeof key, "%zu", i);
        pickle_text(out, t->name);
        pickle_tensor(out, key, t->count, 0, t->rank, t->dims, strides);
    }
    bst_buf_text(out, wrapper != NULL ? "us." : "u.");
}

/* ---- zip ---- */

struct zip_writer {
    struct bst_buf file, directory;
    size_t count;
};

static inline void zip_entry(struct zip_writer *z, const char *name, const void *data, size_t len,
                             uint32_t method)
{
    size_t at = z->file.len;
    uint32_t crc = (uint32_t)crc32_z(0, data, len);
    put_le(&z->file, 0x04034b50, 4);
    put_le(&z->file, 0, 2); /* version */
    put_le(&z->file, 0x0808, 2);
    put_le(&z->file, method, 2);
    put_le(&z->file, 0, 4);  /* time */
    put_le(&z->file, 0, 12); /* checksum and sizes stand in the directory only */
    put_le(&z->file, strlen(name), 2);
    put_le(&z->file, 4, 2);
    bst_buf_text(&z->file, name);
    bst_buf_append(&z->file, "FB\0\0", 4);
    bst_buf_append(&z->file, data, len);
    put_le(&z->directory, 0x02014b50, 4);
    put_le(&z->directory, 0, 4);
    put_le(&z->directory, 0x0808, 2);
    put_le(&z->directory, method, 2);
    put_le(&z->directory, 0, 4);
    put_le(&z->directory, crc, 4);
    put_le(&z->directory, len, 4);
    put_le(&z->directory, len, 4);
    put_le(&z->directory, strlen(name), 2);
    put_le(&z->directory, 0, 12);
    put_le(&z->directory, at, 4);
    bst_buf_text(&z->directory, name);
    z->count++;
}

static inline void zip_finish(struct zip_writer *z, struct bst_buf *out)
{
    size_t at = z->file.len;
    bst_buf_append(out, z->file.data, z->file.len);
    bst_buf_append(out, z->directory.data, z->directory.len);
    put_le(out, 0x06054b50, 4);
    put_le(out, 0, 4);
    put_le(out, z->count, 2);
    put_le(out, z->count, 2);
    put_le(out, z->directory.len, 4);
    put_le(out, at, 4);
    put_le(out, 0, 2);
    bst_buf_free(&z->file);
    bst_buf_free(&z->directory);
}

static inline void weights_zip(const struct weights *w, const char *wrapper, struct bst_buf *out)
{
    struct zip_writer z = {0};
    struct bst_buf pickle = {0};
    weights_pickle(w, wrapper, &pickle);
    zip_entry(&z, "net/data.pkl", pickle.data, pickle.len, 0);
    zip_entry(&z, "net/byteorder", "little", 6, 0);
    for (size_t i = 0; i < w->count; i++) {
        struct bst_buf bytes = {0};
        char name[32];
        snprintf(name, sizeof name, "net/data/%zu", i);
        weight_bytes(&w->list[i], &bytes);
        zip_entry(&z, name, bytes.data, bytes.len, 0);
        bst_buf_free(&bytes);
    }
    zip_entry(&z, "net/version", "3\n", 2, 0);
    zip_finish(&z, out);
    bst_buf_free(&pickle);
}

/* ---- the row of pickles ---- */

static inline void legacy_head(struct bst_buf *out)
{
    bst_buf_append(out,
                   "\x80\x02\x8a\x0al\xfc\x9c"
                   "F\xf9 j\xa8P\x19.",
                   15);
    bst_buf_append(out, "\x80\x02M\xe9\x03.", 6);
    bst_buf_append(out, "\x80\x02}(", 4);
    pickle_text(out, "protocol_version");
    bst_buf_append(out, "M\xe9\x03", 3);
    pickle_text(out, "little_endian");
    bst_buf_append(out, "\x88u.", 3);
}

/* Storages come in the opposite order of the pickle's. */
static inline void weights_legacy(const struct weights *w, const char *wrapper, struct bst_buf *out)
{
    legacy_head(out);
    weights_pickle(w, wrapper, out);
    bst_buf_append(out, "\x80\x02](", 4);
    for (size_t i = w->count; i-- > 0;) {
        char key[24];
        snprintf(key, sizeof key, "%zu", i);
        pickle_text(out, key);
    }
    bst_buf_text(out, "e.");
    for (size_t i = w->count; i-- > 0;) {
        put_le(out, w->list[i].count, 8);
        weight_bytes(&w->list[i], out);
    }
}

/* ---- safetensors ---- */

static inline void weights_safetensors(const struct weights *w, struct bst_buf *out)
{
    struct bst_buf header = {0}, data = {0};
    bst_buf_text(&header, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (size_t i = 0; i < w->count; i++) {
        const struct weight *t = &w->list[i];
        size_t begin = data.len;
        weight_bytes(t, &data);
        bst_buf_printf(&header, ",\"%s\":{\"dtype\":\"F32\",\"shape\":[", t->name);
        for (size_t d = 0; d < t->rank; d++)
            bst_buf_printf(&header, "%s%lld", d > 0 ? "," : "", (long long)t->dims[d]);
        bst_buf_printf(&header, "],\"data_offsets\":[%zu,%zu]}", begin, data.len);
    }
    bst_buf_text(&header, "}");
    put_le(out, header.len, 8);
    bst_buf_append(out, header.data, header.len);
    bst_buf_append(out, data.data, data.len);
    bst_buf_free(&header);
    bst_buf_free(&data);
}

#endif
