/* dsse.c - DSSE 1.0.2: a payload, its type, and the signature over both. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "provenance.h"

/* PAE("DSSEv1", type, payload): what is signed. Lengths are bytes in decimal. */
static enum bst_code pre_auth(const char *type, const void *payload, size_t len, struct bst_buf *out,
                              struct bst_error *err)
{
    bst_buf_printf(out, "DSSEv1 %zu %s %zu ", strlen(type), type, len);
    bst_buf_append(out, payload, len);
    return out->failed ? bst_fail_memory(err) : BST_OK;
}

enum bst_code bst_dsse_sign(const void *payload, size_t len, const struct bst_key *key,
                            struct bst_buf *envelope, struct bst_error *err)
{
    struct bst_buf message = {0};
    uint8_t sig[BST_SIG_LEN];
    char key_id[BST_SHA256_HEX];
    enum bst_code code = pre_auth(BST_PAYLOAD_TYPE, payload, len, &message, err);
    if (code == BST_OK) {
        bst_key_sign(key, message.data, message.len, sig);
        bst_key_id(bst_key_public(key), key_id);
        char *payload_text = bst_base64(payload, len), *sig_text = bst_base64(sig, sizeof sig);
        /* Canonical JSON as it stands: keys in order, and base64 holds nothing to escape. */
        if (payload_text && sig_text) {
            bst_buf_printf(envelope,
                           "{\"payload\":\"%s\",\"payloadType\":\"" BST_PAYLOAD_TYPE
                           "\",\"signatures\":[{\"keyid\":\"%s\",\"sig\":\"%s\"}]}",
                           payload_text, key_id, sig_text);
        }
        if (!payload_text || !sig_text || envelope->failed) code = bst_fail_memory(err);
        free(payload_text);
        free(sig_text);
    }
    bst_buf_free(&message);
    return code;
}

/* The four texts of an envelope; they point into its bytes or into its parsed form. */
struct parts {
    const char *payload, *type, *key_id, *sig;
    size_t payload_len, type_len, key_id_len, sig_len;
};

/* Takes a literal, or a JSON string's content up to its closing quote; false when it is not there. */
static bool take(const char **at, const char *end, const char *literal)
{
    size_t len = strlen(literal);
    if ((size_t)(end - *at) < len || memcmp(*at, literal, len) != 0) return false;
    *at += len;
    return true;
}

static bool take_plain(const char **at, const char *end, const char **text, size_t *len)
{
    const char *quote = memchr(*at, '"', (size_t)(end - *at));
    if (!quote) return false;
    *text = *at;
    *len = (size_t)(quote - *at);
    for (const char *p = *at; p < quote; p++) {
        if (*p == '\\' || *p < 0x20 || *p > 0x7e)
            return false; /* escapes and the like: left to the JSON reader */
    }
    *at = quote;
    return true;
}

/* The form that bst_dsse_sign writes, byte for byte. Nearly all envelopes have it, and taking it apart here
 * halves the time that opening one needs. false: it may be an envelope in another form. */
static bool split_canonical(const char *envelope, size_t len, struct parts *out)
{
    const char *at = envelope, *end = envelope + len;
    return take(&at, end, "{\"payload\":\"") && take_plain(&at, end, &out->payload, &out->payload_len) &&
           take(&at, end, "\",\"payloadType\":\"") && take_plain(&at, end, &out->type, &out->type_len) &&
           take(&at, end, "\",\"signatures\":[{\"keyid\":\"") &&
           take_plain(&at, end, &out->key_id, &out->key_id_len) && take(&at, end, "\",\"sig\":\"") &&
           take_plain(&at, end, &out->sig, &out->sig_len) && take(&at, end, "\"}]}") && at == end;
}

static void set_part(const json_t *object, const char *key, const char **text, size_t *len)
{
    const json_t *value = json_object_get(object, key);
    *text = json_string_value(value);
    *len = json_string_length(value);
}

/* Any other JSON form; missing texts become NULL. */
static enum bst_code split_json(const json_t *envelope, struct parts *out, struct bst_error *err)
{
    const json_t *list = json_object_get(envelope, "signatures");
    if (json_array_size(list) != 1) {
        return bst_fail(err, BST_UNREADABLE, "the DSSE envelope holds %zu signatures, not one",
                        json_array_size(list));
    }
    set_part(envelope, "payload", &out->payload, &out->payload_len);
    set_part(envelope, "payloadType", &out->type, &out->type_len);
    set_part(json_array_get(list, 0), "keyid", &out->key_id, &out->key_id_len);
    set_part(json_array_get(list, 0), "sig", &out->sig, &out->sig_len);
    return BST_OK;
}

/* DSSE readers take both alphabets of base64. */
static bool decode(const char *text, size_t len, struct bst_buf *out)
{
    if (bst_unbase64(text, len, false, out)) return true;
    out->len = 0;
    return bst_unbase64(text, len, true, out);
}

static enum bst_code read_signature(const struct parts *parts, struct bst_dsse *dsse, struct bst_error *err)
{
    struct bst_buf sig = {0};
    bool good = parts->sig && decode(parts->sig, parts->sig_len, &sig) && sig.len == BST_SIG_LEN;
    if (good) memcpy(dsse->sig, sig.data, BST_SIG_LEN);
    bst_buf_free(&sig);
    if (!good) return bst_fail(err, BST_UNREADABLE, "the DSSE envelope holds no Ed25519 signature");
    if (parts->key_id_len >= sizeof dsse->key_id) {
        return bst_fail(err, BST_UNREADABLE, "the DSSE envelope's key id is longer than 64 characters");
    }
    if (parts->key_id) memcpy(dsse->key_id, parts->key_id, parts->key_id_len);
    return BST_OK;
}

static enum bst_code read_payload(const struct parts *parts, struct bst_dsse *dsse, struct bst_error *err)
{
    if (!parts->type || !parts->payload) {
        return bst_fail(err, BST_UNREADABLE, "the DSSE envelope has no payload or no payloadType");
    }
    if (!decode(parts->payload, parts->payload_len, &dsse->payload)) {
        return bst_fail(err, BST_UNREADABLE, "the DSSE payload is not valid base64");
    }
    dsse->payload_type = bst_format("%.*s", (int)parts->type_len, parts->type);
    if (!dsse->payload_type) return bst_fail_memory(err);
    enum bst_code code =
        bst_json_parse((const char *)dsse->payload.data, dsse->payload.len, &dsse->statement, err);
    if (code != BST_OK) return bst_where(err, "DSSE payload");
    if (!json_is_object(dsse->statement))
        return bst_fail(err, BST_UNREADABLE, "the DSSE payload is no JSON object");
    return BST_OK;
}

enum bst_code bst_dsse_open(const void *envelope, size_t len, struct bst_dsse *out, struct bst_error *err)
{
    json_t *json = NULL;
    struct parts parts = {0};
    struct bst_dsse dsse = {0};
    enum bst_code code = BST_OK;
    if (len > BST_ENVELOPE_MAX) {
        return bst_fail(err, BST_UNREADABLE, "the DSSE envelope is longer than %u bytes", BST_ENVELOPE_MAX);
    }
    if (!split_canonical(envelope, len, &parts)) {
        parts = (struct parts){0};
        code = bst_json_parse(envelope, len, &json, err);
        if (code != BST_OK) return bst_where(err, "DSSE envelope");
        code = split_json(json, &parts, err);
    }
    if (code == BST_OK) code = read_signature(&parts, &dsse, err);
    if (code == BST_OK) code = read_payload(&parts, &dsse, err);
    json_decref(json);
    if (code != BST_OK) {
        bst_dsse_clear(&dsse);
        return code;
    }
    *out = dsse;
    return BST_OK;
}

void bst_dsse_clear(struct bst_dsse *dsse)
{
    bst_buf_free(&dsse->payload);
    free(dsse->payload_type);
    json_decref(dsse->statement);
    *dsse = (struct bst_dsse){0};
}

bool bst_dsse_verify(const struct bst_dsse *dsse, const uint8_t public_key[static BST_KEY_LEN])
{
    struct bst_buf message = {0};
    struct bst_error ignored;
    bool good =
        pre_auth(dsse->payload_type, dsse->payload.data, dsse->payload.len, &message, &ignored) == BST_OK &&
        bst_key_verify(public_key, message.data, message.len, dsse->sig);
    bst_buf_free(&message);
    return good;
}
