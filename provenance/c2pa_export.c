/* c2pa_export.c - a manifest store and what was found about it, as JSON. What crJSON and c2patool's report have in common
 * stands here. */
#include "c2pa.h"

#include <jansson.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

json_t *bst_export_cbor(const struct bst_export *export, cbor_item_t *item)
{
    return bst_cbor_json(item, export->quoted ? BST_CBOR_BASE64_QUOTED : BST_CBOR_BASE64);
}

json_t *bst_export_bytes(const struct bst_export *export, const void *data, size_t len)
{
    return bst_base64_json(data, len, export->quoted);
}

json_t *bst_export_assertion(struct bst_export *export, const struct bst_assertion *assertion)
{
    struct bst_error err;
    json_t *value = NULL;
    cbor_item_t *item;
    size_t items;
    if (assertion->data == NULL) return NULL;
    if (assertion->box->content_type == BST_BOX_JSON) {
        export->items += assertion->data_len / 16; /* bytes, roughly, of an item */
        if (export->items > 2 * BST_STORE_ITEMS) return NULL;
        return bst_json_parse((const char *)assertion->data, assertion->data_len, &value, &err) == BST_OK
                   ? value
                   : NULL;
    }
    if (assertion->box->content_type != BST_BOX_CBOR ||
        bst_cbor_check(assertion->data, assertion->data_len, &items, &err) != BST_OK)
        return NULL;
    export->items += items;
    if (export->items > 2 * BST_STORE_ITEMS ||
        bst_cbor_parse(assertion->data, assertion->data_len, &item, &err) != BST_OK)
        return NULL;
    value = bst_export_cbor(export, item);
    cbor_decref(&item);
    return value;
}

json_t *bst_export_file(const struct bst_claim *claim, const struct bst_assertion *assertion)
{
    char url[BST_URL];
    const struct bst_jumbf_box *first = &claim->jumbf->boxes[assertion->box->first_child];
    bool typed = assertion->box->first_child != 0 && first->type == BST_BOX_BFDB && first->data_len > 2 &&
                 claim->jumbf->bytes[first->data + first->data_len - 1] == 0;
    const char *type =
        typed ? (const char *)claim->jumbf->bytes + first->data + 1 : "application/octet-stream";
    char *format = bst_printable(type, strlen(type));
    bst_assertion_url(claim, assertion, url);
    json_t *object = json_pack("{s:s?, s:s}", "format", format, "identifier", url);
    free(format);
    return object;
}

/* ---- what was found ---- */

json_t *bst_export_statuses(const struct bst_export *export, const char *ingredient)
{
    json_t *lists[3] = {json_array(), json_array(), json_array()};
    for (size_t i = 0; i < export->c2pa->status_count; i++) {
        const struct bst_status *status = &export->c2pa->statuses[i];
        if (strcmp(status->ingredient, ingredient) != 0) continue;
        char *words = bst_printable(status->words, strlen(status->words));
        json_array_append_new(lists[status->kind], json_pack("{s:s, s:s, s:s?}", "code", status->code, "url",
                                                             status->url, "explanation", words));
        free(words);
    }
    return json_pack("{s:o, s:o, s:o}", "success", lists[BST_STATUS_SUCCESS], "informational",
                     lists[BST_STATUS_INFO], "failure", lists[BST_STATUS_FAILURE]);
}

static bool is_in(const char *uri, const char *manifest)
{
    const char *label;
    size_t len;
    return manifest == NULL || (bst_uri_manifest(uri, strlen(uri), &label, &len) && len == strlen(manifest) &&
                                memcmp(label, manifest, len) == 0);
}

json_t *bst_export_deltas(const struct bst_export *export, const char *manifest)
{
    const struct bst_c2pa *c2pa = export->c2pa;
    json_t *list = NULL;
    for (size_t i = 0; i < c2pa->status_count; i++) {
        const char *uri = c2pa->statuses[i].ingredient;
        bool told = uri[0] == 0 || !is_in(uri, manifest);
        for (size_t k = 0; k < i && !told; k++) {
            told = strcmp(c2pa->statuses[k].ingredient, uri) == 0;
        }
        if (told) continue;
        if (list == NULL) list = json_array();
        json_array_append_new(list, json_pack("{s:s, s:o}", "ingredientAssertionURI", uri, "validationDeltas",
                                              bst_export_statuses(export, uri)));
    }
    return list;
}

/* ---- the signature ---- */

static bool read_signature(const uint8_t *data, size_t len, struct bst_cose *out)
{
    struct bst_error err;
    if (bst_cose_parse(data, len, out, &err) != BST_OK) return false;
    if (out->chain != NULL) return true;
    bst_cose_clear(out);
    return false;
}

bool bst_export_signature(const struct bst_claim *claim, struct bst_cose *out)
{
    return read_signature(claim->jumbf->bytes + claim->signature->data, claim->signature->data_len, out);
}

bool bst_export_identity(const struct bst_assertion *assertion, struct bst_cose *out)
{
    const uint8_t *data;
    size_t len;
    return bst_root_is(assertion, "cawg.identity") &&
           bst_cbor_get_bytes(bst_cbor_get(assertion->content, "signature"), &data, &len) &&
           read_signature(data, len, out);
}

static json_t *tm_json(const struct tm *tm)
{
    char text[40];
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S+00:00", tm);
    return json_string(text);
}

json_t *bst_export_time(const ASN1_TIME *time)
{
    struct tm tm;
    return ASN1_TIME_to_tm(time, &tm) == 1 ? tm_json(&tm) : json_null();
}

json_t *bst_export_seconds(int64_t when_s)
{
    struct tm tm;
    time_t when = (time_t)when_s;
    return gmtime_r(&when, &tm) != NULL ? tm_json(&tm) : json_null();
}

/* ---- the documents ---- */

/* The active manifest first, then the younger before the older. */
static json_t *crjson(struct bst_export *export)
{
    json_t *manifests = json_array();
    for (size_t i = export->judge->count; i > 0; i--) {
        const struct bst_claim *claim = &export->judge->claims[i - 1];
        if (claim->item != NULL) json_array_append_new(manifests, bst_crjson_manifest(export, claim));
    }
    return json_pack("{s:{s:s, s:s}, s:o, s:{s:s, s:s}}", "@context", "@vocab", "https://c2pa.org/crjson",
                     "extras", "https://c2pa.org/crjson/extras", "manifests", manifests, "jsonGenerator",
                     "name", BST_CLAIM_GENERATOR, "version", BST_VERSION);
}

static json_t *c2patool(struct bst_export *export)
{
    static const char *const states[] = {"Invalid", "Valid", "Trusted"};
    json_t *manifests = json_object(), *failures = json_array();
    for (size_t i = export->judge->count; i > 0; i--) {
        const struct bst_claim *claim = &export->judge->claims[i - 1];
        if (claim->item != NULL && json_object_get(manifests, claim->label) == NULL)
            json_object_set_new(manifests, claim->label, bst_c2patool_manifest(export, claim));
    }
    json_t *results = json_pack("{s:o, s:s}", "activeManifest", bst_export_statuses(export, ""),
                                "specVersion", BST_C2PA_SPEC_VERSION);
    json_t *deltas = bst_export_deltas(export, NULL), *delta;
    if (deltas != NULL) json_object_set_new(results, "ingredientDeltas", deltas);
    json_array_extend(failures, json_object_get(json_object_get(results, "activeManifest"), "failure"));
    size_t i;
    json_array_foreach(deltas, i, delta)
    {
        json_array_extend(failures, json_object_get(json_object_get(delta, "validationDeltas"), "failure"));
    }
    json_t *document =
        json_pack("{s:s?, s:o, s:o, s:s}", "active_manifest", export->c2pa->label, "manifests", manifests,
                  "validation_results", results, "validation_state", states[export->c2pa->state]);
    if (json_array_size(failures) > 0) json_object_set(document, "validation_status", failures);
    json_decref(failures);
    return document;
}

enum bst_code bst_c2pa_export(const struct bst_c2pa *c2pa, enum bst_c2pa_format format, json_t **out,
                              struct bst_error *err)
{
    struct bst_c2pa again = {0};
    struct bst_judge judge = {.out = &again};
    struct bst_export export = {.c2pa = c2pa, .judge = &judge, .quoted = format == BST_C2PA_CRJSON};
    enum bst_code code = bst_jumbf_parse(c2pa->store.data, c2pa->store.len, &judge.store, err);
    if (code != BST_OK) return code;
    code = bst_store_open(&judge, err);
    if (code == BST_OK) {
        *out = format == BST_C2PA_OURS     ? bst_report_json(&export)
               : format == BST_C2PA_CRJSON ? crjson(&export)
                                           : c2patool(&export);
        if (*out == NULL) code = bst_fail_memory(err);
    }
    bst_store_close(&judge);
    bst_c2pa_clear(&again);
    return code;
}
