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

/* DSSE readers take both alphabets of base64. */
static bool decode(const char *text, struct bst_buf *out)
{
    size_t len = strlen(text);
    if (bst_unbase64(text, len, false, out)) return true;
    out->len = 0;
    return bst_unbase64(text, len, true, out);
}

static enum bst_code read_signature(const json_t *envelope, struct bst_dsse *dsse, struct bst_error *err)
{
    const json_t *list = json_object_get(envelope, "signatures");
    if (json_array_size(list) != 1) {
        return bst_fail(err, BST_UNREADABLE, "the DSSE envelope holds %zu signatures, not one",
                        json_array_size(list));
    }
    const json_t *signature = json_array_get(list, 0);
    const char *key_id = bst_json_text(signature, "keyid"), *text = bst_json_text(signature, "sig");
    struct bst_buf sig = {0};
    bool good = text && decode(text, &sig) && sig.len == BST_SIG_LEN;
    if (good) memcpy(dsse->sig, sig.data, BST_SIG_LEN);
    bst_buf_free(&sig);
    if (!good) return bst_fail(err, BST_UNREADABLE, "the DSSE envelope holds no Ed25519 signature");
    if (key_id && strlen(key_id) >= sizeof dsse->key_id) {
        return bst_fail(err, BST_UNREADABLE, "the DSSE envelope's key id is longer than 64 characters");
    }
    if (key_id) strcpy(dsse->key_id, key_id);
    return BST_OK;
}

static enum bst_code read_payload(const json_t *envelope, struct bst_dsse *dsse, struct bst_error *err)
{
    const char *type = bst_json_text(envelope, "payloadType"), *text = bst_json_text(envelope, "payload");
    if (!type || !text)
        return bst_fail(err, BST_UNREADABLE, "the DSSE envelope has no payload or no payloadType");
    if (!decode(text, &dsse->payload))
        return bst_fail(err, BST_UNREADABLE, "the DSSE payload is not valid base64");
    dsse->payload_type = bst_strdup(type);
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
    json_t *json;
    struct bst_dsse dsse = {0};
    enum bst_code code = bst_json_parse(envelope, len, &json, err);
    if (code != BST_OK) return bst_where(err, "DSSE envelope");
    code = read_signature(json, &dsse, err);
    if (code == BST_OK) code = read_payload(json, &dsse, err);
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
