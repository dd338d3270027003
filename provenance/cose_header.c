/* cose_header.c - the unprotected header of a claim signature: time stamp, revocation answer, padding.
 *
 * The signature does not cover this header, so what only exists after signing can go there; but the claim's
 * data hash states how long the manifest is, so its length must stand before. Hence room is reserved as
 * padding (C2PA 2.4, 13.2.3.2) and taken from it later. */
#include "cose.h"

#include <string.h>

static size_t head_size(size_t n)
{
    return n < 24 ? 1 : n < 256 ? 2 : n < 65536 ? 3 : 5;
}

/* The length of a byte string that fills exactly size bytes with its head; false where the head's width
 * jumps. */
static bool fill(size_t size, size_t *len)
{
    for (size_t head = 1; head <= 5; head++) {
        if (size < head || head_size(size - head) != head) continue;
        *len = size - head;
        return true;
    }
    return false;
}

static void write_zeros(struct bst_buf *out, const char *key, size_t len)
{
    static const uint8_t zeros[256];
    struct bst_buf pad = {0};
    for (size_t left = len; left > 0;) {
        size_t n = left < sizeof(zeros) ? left : sizeof(zeros);
        bst_buf_append(&pad, zeros, n);
        left -= n;
    }
    bst_cbor_text(out, key);
    bst_cbor_bytes(out, pad.data == NULL ? zeros : pad.data, pad.len);
    out->failed = out->failed || pad.failed;
    bst_buf_free(&pad);
}

/* Keys are in the order of deterministic encoding: "pad", "pad2", "rVals", "sigTst2". */
static void write_parts(struct bst_buf *out, const struct bst_attachment *attachment)
{
    if (attachment->ocsp_len > 0) {
        bst_cbor_text(out, "rVals");
        bst_cbor_map(out, 1);
        bst_cbor_text(out, "ocspVals");
        bst_cbor_array(out, 1);
        bst_cbor_bytes(out, attachment->ocsp, attachment->ocsp_len);
    }
    if (attachment->token_len > 0) {
        bst_cbor_text(out, "sigTst2");
        bst_cbor_map(out, 1);
        bst_cbor_text(out, "tstTokens");
        bst_cbor_array(out, 1);
        bst_cbor_map(out, 1);
        bst_cbor_text(out, "val");
        bst_cbor_bytes(out, attachment->token, attachment->token_len);
    }
}

bool bst_cose_header(struct bst_buf *out, const struct bst_attachment *attachment, size_t room)
{
    enum { PAD_KEY = 4, PAD2_KEY = 5, PAD2_EMPTY = 6 }; /* bytes */
    struct bst_buf parts = {0};
    size_t count = (attachment->ocsp_len > 0 ? 1u : 0u) + (attachment->token_len > 0 ? 1u : 0u), len = 0;
    write_parts(&parts, attachment);
    size_t left = parts.len <= room ? room - parts.len : SIZE_MAX;
    bool one = left != SIZE_MAX && left > PAD_KEY && fill(left - PAD_KEY, &len);
    bool two =
        left != SIZE_MAX && !one && left > PAD_KEY + PAD2_EMPTY && fill(left - PAD_KEY - PAD2_EMPTY, &len);
    bool fits = left == 0 || one || two;
    if (fits) {
        bst_cbor_map(out, count + (one ? 1 : two ? 2 : 0));
        if (one || two) write_zeros(out, "pad", len);
        if (two) write_zeros(out, "pad2", 0);
        bst_buf_append(out, parts.data, parts.len);
    }
    out->failed = out->failed || parts.failed;
    bst_buf_free(&parts);
    return fits;
}

/* ---- filling it later ---- */

bool bst_cose_listed(cbor_item_t *map, const char *key, const char *inner, size_t *count,
                     const uint8_t **data, size_t *len)
{
    cbor_item_t *list = bst_cbor_get(map, key);
    *count = bst_cbor_count(list);
    if (*count == 0) return false;
    cbor_item_t *item = cbor_array_handle(list)[0];
    return bst_cbor_get_bytes(inner == NULL ? item : bst_cbor_get(item, inner), data, len);
}

/* What write_parts nests: there is one. */
static bool nested(cbor_item_t *map, const char *key, const char *inner, const void **data, size_t *len)
{
    const uint8_t *bytes;
    size_t count;
    if (!bst_cose_listed(map, key, inner, &count, &bytes, len) || count != 1) return false;
    *data = bytes;
    return true;
}

/* Takes over what the header holds already, unless it is replaced. */
static enum bst_code keep_old(const struct bst_cose *cose, struct bst_attachment *all, struct bst_error *err)
{
    struct cbor_pair *pair = cbor_map_handle(cose->unprotected);
    for (size_t i = 0; i < cbor_map_size(cose->unprotected); i++) {
        bool known = bst_cbor_is(pair[i].key, "pad") || bst_cbor_is(pair[i].key, "pad2");
        if (bst_cbor_is(pair[i].key, "rVals"))
            known = all->ocsp_len > 0 || nested(pair[i].value, "ocspVals", NULL, &all->ocsp, &all->ocsp_len);
        if (bst_cbor_is(pair[i].key, "sigTst2"))
            known =
                all->token_len > 0 || nested(pair[i].value, "tstTokens", "val", &all->token, &all->token_len);
        if (!known)
            return bst_fail(err, BST_USAGE, "the signature's header holds something that is not to be moved");
    }
    return BST_OK;
}

/* Where the header lies: behind tag, array head and protected header, before null and signature. */
static bool header_place(const struct bst_cose *cose, size_t len, size_t *start, size_t *size)
{
    size_t before = 2 + head_size(cose->protected_len) + cose->protected_len;
    size_t behind = 1 + head_size(cose->sig_len) + cose->sig_len;
    if (before > len || behind > len - before) return false;
    *start = before;
    *size = len - before - behind;
    return *size >= 1;
}

enum bst_code bst_cose_attach(uint8_t *cose, size_t len, const struct bst_attachment *attachment,
                              struct bst_error *err)
{
    struct bst_cose parsed;
    struct bst_attachment all = *attachment;
    struct bst_buf header = {0};
    size_t start = 0, size = 0;
    enum bst_code code = bst_cose_parse(cose, len, &parsed, err);
    if (code != BST_OK) return code;
    code = keep_old(&parsed, &all, err);
    if (code == BST_OK &&
        (!header_place(&parsed, len, &start, &size) || cose[1] != 0x84 || cose[start + size] != 0xf6)) {
        code = bst_fail(err, BST_USAGE, "the signature is not encoded as this program writes it");
    } else if (code == BST_OK && !bst_cose_header(&header, &all, size - 1)) {
        bst_fail(err, BST_USAGE, "the signature has room for %zu bytes, and %zu are to be put there",
                 size - 1, all.token_len + all.ocsp_len);
        code = bst_hint(err, "sign with --tsa later, which reserves room");
    }
    if (code == BST_OK && header.failed) code = bst_fail_memory(err);
    if (code == BST_OK) memcpy(cose + start, header.data, header.len);
    bst_buf_free(&header);
    bst_cose_clear(&parsed);
    return code;
}
