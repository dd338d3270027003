/* c2pa_assertion.c - the rules for single assertions of other kinds: soft bindings, data kept elsewhere, metadata, and
 * our own receipt (C2PA 2.4, 18; nothing that is kept elsewhere is ever fetched). */
#include "c2pa.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void judge_soft_binding(struct bst_judge *judge, cbor_item_t *content, const char *url)
{
    cbor_item_t *blocks = bst_cbor_get(content, "blocks");
    bool good = blocks != NULL && cbor_isa_array(blocks);
    for (size_t i = 0; good && i < cbor_array_size(blocks); i++) {
        cbor_item_t *scope = bst_cbor_get(cbor_array_handle(blocks)[i], "scope");
        good = scope != NULL && cbor_isa_map(scope);
    }
    if (!good) bst_judge_fail(judge, "claim.malformed", url, "a soft binding without its blocks");
}

/* Assertions that must stand in the manifest itself. */
static bool must_not_be_elsewhere(cbor_item_t *label)
{
    static const char *const labels[] = {"c2pa.action",       "c2pa.actions",    "c2pa.actions.v2",
                                         "c2pa.cloud-data",   "c2pa.ingredient", "c2pa.ingredient.v2",
                                         "c2pa.ingredient.v3"};
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        if (bst_cbor_is(label, labels[i])) return true;
    }
    return false;
}

static bool binds(cbor_item_t *label)
{
    const char *text;
    size_t len;
    char copy[64];
    if (!bst_cbor_get_text(label, &text, &len) || len >= sizeof(copy)) return false;
    memcpy(copy, text, len);
    copy[len] = 0;
    return bst_is_hard_binding(copy);
}

/* A hashed address outside the store: url, alg and hash. */
static bool is_hashed_location(cbor_item_t *location)
{
    const uint8_t *hash;
    size_t len;
    return bst_cbor_has_text(location, "url") && bst_cbor_has_text(location, "alg") &&
           bst_cbor_get_bytes(bst_cbor_get(location, "hash"), &hash, &len) && len > 0;
}

static void judge_cloud_data(struct bst_judge *judge, cbor_item_t *content, const char *url)
{
    uint64_t size = 0;
    cbor_item_t *label = bst_cbor_get(content, "label");
    bool actions = bst_cbor_is(label, "c2pa.actions") || bst_cbor_is(label, "c2pa.actions.v2");
    if (!bst_cbor_has_text(content, "label") || !bst_cbor_get_uint(bst_cbor_get(content, "size"), &size) ||
        size == 0 || !is_hashed_location(bst_cbor_get(content, "location")) || must_not_be_elsewhere(label))
        bst_judge_fail(judge, "assertion.cloud-data.malformed", url,
                       "an assertion kept elsewhere is described wrongly, or must not be kept elsewhere");
    if (binds(label))
        bst_judge_fail(judge, "assertion.cloud-data.hardBinding", url, "a binding is kept elsewhere");
    if (actions && judge->claim->update)
        bst_judge_fail(judge, "assertion.cloud-data.actions", url, "an update's actions are kept elsewhere");
}

static void judge_external_reference(struct bst_judge *judge, cbor_item_t *content, const char *url)
{
    cbor_item_t *label = bst_cbor_get(content, "label"), *location = bst_cbor_get(content, "location");
    bool hashed = bst_cbor_get(location, "hash") != NULL && bst_cbor_get(location, "alg") != NULL;
    bool good = bst_cbor_has_text(location, "url") && (!hashed || is_hashed_location(location));
    if (!good || must_not_be_elsewhere(label) || binds(label) ||
        bst_cbor_is(label, "c2pa.external-reference"))
        bst_judge_fail(judge, "assertion.external-reference.malformed", url,
                       "a reference to data elsewhere is malformed, or to what must not be elsewhere");
}

/* Time stamps by manifest, and revocation answers, that came later; c2pa_time.c judges them. */
static void judge_time_stamps(struct bst_judge *judge, cbor_item_t *content, const char *url)
{
    if (content == NULL || !cbor_isa_map(content))
        bst_judge_fail(judge, "assertion.timestamp.malformed", url, "time stamps that are no map");
}

static void judge_certificate_status(struct bst_judge *judge, cbor_item_t *content, const char *url)
{
    cbor_item_t *list = bst_cbor_get(content, "ocspVals");
    if (list == NULL || !cbor_isa_array(list))
        bst_judge_fail(judge, "general.error", url, "a certificate's status without a list of answers");
}

/* JSON-LD: the fields' names mean something only with their context. */
static void judge_metadata(struct bst_judge *judge, const struct bst_assertion *assertion, const char *url)
{
    struct bst_error err;
    json_t *value = NULL;
    if (bst_json_parse((const char *)assertion->data, assertion->data_len, &value, &err) != BST_OK) return;
    if (!json_is_object(json_object_get(value, "@context")))
        bst_judge_fail(judge, "assertion.json.invalid", url, "metadata without the context of its fields");
    json_decref(value);
}

static bool is_metadata(const struct bst_assertion *assertion)
{
    static const char tail[] = ".metadata";
    size_t len = sizeof(tail) - 1;
    return assertion->box->content_type == BST_BOX_JSON && assertion->root_len > len &&
           memcmp(assertion->label + assertion->root_len - len, tail, len) == 0 &&
           !bst_root_is(assertion, "c2pa.assertion.metadata");
}

void bst_judge_assertions(struct bst_judge *judge)
{
    static const struct {
        const char *root;
        void (*rule)(struct bst_judge *judge, cbor_item_t *content, const char *url);
    } rules[] = {{"c2pa.soft-binding", judge_soft_binding},
                 {"c2pa.cloud-data", judge_cloud_data},
                 {"c2pa.external-reference", judge_external_reference},
                 {"c2pa.time-stamp", judge_time_stamps},
                 {"c2pa.certificate-status", judge_certificate_status}};
    const struct bst_claim *claim = judge->claim;
    char url[BST_URL];
    for (size_t i = 0; i < claim->count; i++) {
        const struct bst_assertion *assertion = &claim->assertions[i];
        bst_assertion_url(claim, assertion, url);
        for (size_t k = 0; k < sizeof(rules) / sizeof(rules[0]); k++) {
            if (bst_root_is(assertion, rules[k].root)) rules[k].rule(judge, assertion->content, url);
        }
        if (claim->version > 1 && is_metadata(assertion)) judge_metadata(judge, assertion, url);
    }
}

/* ---- org.blindstamp.receipt ---- */

static void take_receipt(struct bst_judge *judge, cbor_item_t *content, const char *url)
{
    const char *envelope, *proof, *log;
    size_t envelope_len, proof_len, log_len;
    if (!bst_cbor_get_text(bst_cbor_get(content, "envelope"), &envelope, &envelope_len) ||
        !bst_cbor_get_text(bst_cbor_get(content, "proof"), &proof, &proof_len) ||
        !bst_cbor_get_text(bst_cbor_get(content, "log"), &log, &log_len) || memchr(log, 0, log_len) != NULL) {
        bst_judge_fail(judge, "general.error", url, "the receipt lacks envelope, proof or log");
        return;
    }
    if (judge->out->log_vkey != NULL) {
        bst_judge_fail(judge, "general.error", url, "the manifest holds a second receipt");
        return;
    }
    const uint8_t *key;
    size_t key_len;
    if (bst_cbor_get_bytes(bst_cbor_get(content, "key"), &key, &key_len) && key_len == BST_KEY_LEN) {
        judge->out->has_author = true;
        memcpy(judge->out->author_key, key, key_len);
    }
    bst_buf_append(&judge->out->envelope, envelope, envelope_len);
    bst_buf_append(&judge->out->proof, proof, proof_len);
    judge->out->log_vkey = bst_format("%.*s", (int)log_len, log);
    judge->failed_memory = judge->failed_memory || judge->out->envelope.failed || judge->out->proof.failed ||
                           judge->out->log_vkey == NULL;
}

/* Only taken out here, and only when it is the one that was signed; audit judges statement and proof. */
void bst_judge_receipt(struct bst_judge *judge)
{
    const struct bst_claim *claim = judge->active;
    char url[BST_URL];
    for (size_t i = 0; i < claim->count; i++) {
        const struct bst_assertion *assertion = &claim->assertions[i];
        if (!bst_root_is(assertion, BST_RECEIPT_LABEL) || assertion->list == BST_UNLISTED) continue;
        bst_assertion_url(claim, assertion, url);
        take_receipt(judge, assertion->content, url);
    }
}
