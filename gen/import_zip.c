/* import_zip.c - archives whose entries are stored, not compressed: what torch.save writes.
 *
 * Only the end record and the central directory are believed, and each entry's bytes are checked against its
 * CRC-32; tensors are then used where they lie. There is no decompression, so no small file can grow. Layout:
 * PKWARE APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (end record).
 */
#include "import.h"

#include <string.h>

enum { LOCAL_LEN = 30, CENTRAL_LEN = 46, END_LEN = 22, COMMENT_MAX = 65535 };
#define LOCAL_SIGN   0x04034b50u
#define CENTRAL_SIGN 0x02014b50u
#define END_SIGN     0x06054b50u

static uint32_t le16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t le32(const uint8_t *p)
{
    return le16(p) | le16(p + 2) << 16;
}

static enum bst_code bad_zip(struct bst_error *err, const char *what, size_t offset)
{
    bst_fail(err, BST_UNREADABLE, "damaged zip archive: %s", what);
    return bst_where(err, "byte %zu", offset);
}

bool import_is_zip(const uint8_t *data, size_t len)
{
    return len >= 4 && le32(data) == LOCAL_SIGN;
}

enum bst_code import_zip_open(const uint8_t *data, size_t len, struct import_zip *zip, struct bst_error *err)
{
    size_t at = len < END_LEN ? 0 : len - END_LEN, first = at > COMMENT_MAX ? at - COMMENT_MAX : 0;
    while (at > first && le32(data + at) != END_SIGN)
        at--;
    if (len < END_LEN || le32(data + at) != END_SIGN)
        return bad_zip(err, "it has no end record; is the file complete?", len);
    const uint8_t *end = data + at;
    size_t size = le32(end + 12);
    *zip = (struct import_zip){data, len, le32(end + 16), le16(end + 10)};
    if (le16(end + 4) != 0 || le16(end + 6) != 0 || le16(end + 8) != zip->count)
        return bad_zip(err, "it is a part of several", at);
    if (zip->directory > at || size > at - zip->directory || zip->count > size / CENTRAL_LEN)
        return bad_zip(err, "its central directory lies outside of the file", at);
    zip->len = zip->directory + size;
    return BST_OK;
}

/* The stored bytes of the entry whose central header is given. */
static enum bst_code entry_data(const struct import_zip *zip, const uint8_t *central, const uint8_t **data,
                                struct bst_error *err)
{
    size_t size = le32(central + 24), at = le32(central + 42);
    *data = NULL;
    if (le16(central + 10) != 0 || (le16(central + 8) & 1) != 0) return BST_OK;
    if (at > zip->directory || zip->directory - at < LOCAL_LEN || le32(zip->data + at) != LOCAL_SIGN)
        return bad_zip(err, "an entry begins where there is none", at);
    size_t skip = LOCAL_LEN + le16(zip->data + at + 26) + (size_t)le16(zip->data + at + 28);
    if (le32(central + 20) != size || skip > zip->directory - at || size > zip->directory - at - skip)
        return bad_zip(err, "an entry reaches outside of the file", at);
    *data = zip->data + at + skip;
    return BST_OK;
}

enum bst_code import_zip_each(const struct import_zip *zip,
                              bool (*visit)(void *arg, const char *name, size_t name_len, const uint8_t *data,
                                            size_t len, uint32_t crc),
                              void *arg, struct bst_error *err)
{
    size_t at = zip->directory, total = 0;
    for (size_t i = 0; i < zip->count; i++) {
        if (zip->len - at < CENTRAL_LEN || le32(zip->data + at) != CENTRAL_SIGN)
            return bad_zip(err, "its central directory is broken", at);
        const uint8_t *central = zip->data + at, *data;
        size_t name_len = le16(central + 28), skip = CENTRAL_LEN + name_len + le16(central + 30);
        skip += le16(central + 32);
        if (skip > zip->len - at) return bad_zip(err, "its central directory is broken", at);
        enum bst_code code = entry_data(zip, central, &data, err);
        if (code != BST_OK) return code;
        if (data != NULL) total += le32(central + 24);
        if (total > zip->len) return bad_zip(err, "its entries overlap", at); /* or checking takes for ever */
        if (!visit(arg, (const char *)central + CENTRAL_LEN, name_len, data, le32(central + 24),
                   le32(central + 16)))
            return BST_OK;
        at += skip;
    }
    return BST_OK;
}
