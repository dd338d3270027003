/* png_text.c - text chunks of PNG (third edition, 11.3.3), written and read, and all metadata as chunks. */
#include "metadata.h"
#include "png_edit.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* ---- writing ---- */

/* UTF-8 to Latin-1; false when a character does not fit or is a control character other than newline. */
static bool to_latin1(const char *text, struct bst_buf *out)
{
    for (const uint8_t *p = (const uint8_t *)text; *p != 0; p++) {
        unsigned point = *p;
        if (point >= 0xc2 && point <= 0xc3) {
            point = (point & 3u) << 6 | (*++p & 0x3fu);
        } else if (point >= 0x80) {
            return false;
        }
        if ((point < 0x20 && point != '\n') || (point >= 0x7f && point < 0xa0)) return false;
        bst_buf_byte(out, (uint8_t)point);
    }
    return true;
}

void bst_png_itxt(struct bst_buf *out, const char *keyword, const void *text, size_t len)
{
    struct bst_buf data = {0};
    bst_buf_append(&data, keyword, strlen(keyword) + 1);
    bst_buf_append(&data, "\0\0\0\0", 4); /* not compressed, method 0, no language, no translated keyword */
    bst_buf_append(&data, text, len);
    bst_png_chunk(out, "iTXt", data.data, data.len);
    out->failed = out->failed || data.failed;
    bst_buf_free(&data);
}

/* tEXt where Latin-1 can say it, iTXt otherwise; nothing when text is NULL. */
void bst_png_text(struct bst_buf *out, const char *keyword, const char *text)
{
    struct bst_buf data = {0};
    if (text == NULL) return;
    bst_buf_append(&data, keyword, strlen(keyword) + 1);
    if (to_latin1(text, &data)) {
        bst_png_chunk(out, "tEXt", data.data, data.len);
    } else {
        bst_png_itxt(out, keyword, text, strlen(text));
    }
    out->failed = out->failed || data.failed;
    bst_buf_free(&data);
}

enum bst_code bst_png_metadata(const struct bst_words *words, struct bst_buf *out, struct bst_error *err)
{
    struct bst_buf block = {0};
    enum bst_code code = bst_exif_write(words, &block, err);
    if (code == BST_OK) bst_png_chunk(out, "eXIf", block.data, block.len);
    block.len = 0;
    if (code == BST_OK) code = bst_xmp_write(words, &block, err);
    if (code == BST_OK) bst_png_itxt(out, BST_PNG_XMP_KEYWORD, block.data, block.len);
    bst_buf_free(&block);
    if (code != BST_OK) return code;
    if (words->aigc != NULL) {
        char *label = bst_aigc_text(words->aigc, true);
        bst_png_text(out, BST_PNG_AIGC_KEYWORD, label);
        out->failed = out->failed || label == NULL;
        free(label);
    }
    bst_png_text(out, "parameters", words->parameters);
    bst_png_text(out, "Title", words->title);
    bst_png_text(out, "Description", words->description);
    bst_png_text(out, "Author", words->author);
    bst_png_text(out, "Copyright", words->copyright);
    bst_png_text(out, "Software", "Blindstamp " BST_VERSION);
    return out->failed ? bst_fail_memory(err) : BST_OK;
}

/* ---- reading ---- */

/* zlib stream of at most *budget bytes when unpacked. */
static const char *inflate_text(const uint8_t *data, size_t len, size_t *budget, struct bst_buf *out)
{
    z_stream stream = {0};
    uint8_t block[16384];
    int status = inflateInit(&stream);
    if (status != Z_OK) return "out of memory";
    stream.next_in = (Bytef *)(uintptr_t)data; /* zlib's input is not const, but only read */
    stream.avail_in = (uInt)len;
    const char *problem = NULL;
    do {
        stream.next_out = block;
        stream.avail_out = sizeof(block);
        status = inflate(&stream, Z_NO_FLUSH);
        size_t made = sizeof(block) - stream.avail_out;
        if (status != Z_OK && status != Z_STREAM_END) {
            problem = "compressed text that is damaged";
        } else if (made > *budget) {
            problem = "compressed text that is too large";
        } else {
            *budget -= made;
            bst_buf_append(out, block, made);
        }
    } while (problem == NULL && status != Z_STREAM_END);
    inflateEnd(&stream);
    return problem == NULL && out->failed ? "out of memory" : problem;
}

static void add_pair(json_t *text, const char *keyword, json_t *value)
{
    char key[100];
    snprintf(key, sizeof(key), "%s", keyword);
    for (int i = 2; json_object_get(text, key) != NULL && i < 100; i++) {
        snprintf(key, sizeof(key), "%s (%d)", keyword, i);
    }
    json_object_set_new(text, key, value);
}

/* Splits what stands behind the keyword into the parts of each chunk type. */
static const char *split_chunk(const char *type, const uint8_t **data, size_t *len, bool *packed)
{
    *packed = false;
    if (strcmp(type, "tEXt") == 0) return NULL;
    size_t fixed = strcmp(type, "zTXt") == 0 ? 1 : 2;
    if (*len < fixed || (*data)[fixed - 1] != 0) return "text with an unknown compression method";
    *packed = fixed == 1 || (*data)[0] == 1;
    if (fixed == 2 && (*data)[0] > 1) return "text with an unknown compression flag";
    *data += fixed;
    *len -= fixed;
    for (int i = 0; i < 2 && fixed == 2; i++) { /* language, translated keyword */
        const uint8_t *zero = memchr(*data, 0, *len);
        if (zero == NULL) return "international text without its language";
        *len -= (size_t)(zero - *data) + 1;
        *data = zero + 1;
    }
    return NULL;
}

const char *bst_png_text_open(const char *type, const uint8_t *data, size_t len, size_t *budget,
                              struct bst_text_chunk *out, struct bst_buf *unpacked)
{
    bool packed;
    const uint8_t *zero = memchr(data, 0, len < 80 ? len : 80);
    if (zero == NULL || zero == data) return "text without a keyword";
    size_t key_len = (size_t)(zero - data);
    for (size_t i = 0; i < key_len; i++) {
        out->keyword[i] = data[i] >= 0x20 && data[i] < 0x7f ? (char)data[i] : '?';
    }
    out->keyword[key_len] = 0;
    data += key_len + 1;
    len -= key_len + 1;
    const char *problem = split_chunk(type, &data, &len, &packed);
    if (problem == NULL && packed) {
        problem = inflate_text(data, len, budget, unpacked);
        data = unpacked->data;
        len = unpacked->len;
    }
    out->text = data;
    out->len = len;
    return problem;
}

void bst_png_text_read(const char *type, const uint8_t *data, size_t len, size_t *budget, json_t *text,
                       json_t *xmp, json_t *problems, const char *place)
{
    struct bst_text_chunk chunk;
    struct bst_buf unpacked = {0};
    const char *problem = bst_png_text_open(type, data, len, budget, &chunk, &unpacked);
    if (problem != NULL) {
        bst_problem(problems, place, problem);
    } else if (strcmp(type, "iTXt") == 0 && strcmp(chunk.keyword, BST_PNG_XMP_KEYWORD) == 0) {
        bst_xmp_read(chunk.text, chunk.len, xmp, problems, place);
    } else {
        add_pair(text, chunk.keyword, bst_text_json((const char *)chunk.text, chunk.len));
    }
    bst_buf_free(&unpacked);
}
