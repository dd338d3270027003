/* c2pa_crjson.c - one manifest in crJSON, the form that the C2PA conformance program compares. */
#include "c2pa.h"

#include <jansson.h>
#include <openssl/bn.h>
#include <stdlib.h>
#include <string.h>

/* ---- signatures ---- */

static json_t *name_json(const X509_NAME *name)
{
    json_t *object = json_object();
    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
        const char *key = nid == NID_countryName              ? "C"
                          : nid == NID_stateOrProvinceName    ? "ST"
                          : nid == NID_localityName           ? "L"
                          : nid == NID_organizationName       ? "O"
                          : nid == NID_organizationalUnitName ? "OU"
                          : nid == NID_commonName             ? "CN"
                                                              : NULL;
        unsigned char *text = NULL;
        int len = key == NULL ? -1 : ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
        char *safe = len < 0 ? NULL : bst_printable((const char *)text, (size_t)len);
        if (safe != NULL) json_object_set_new(object, key, json_string(safe));
        free(safe);
        OPENSSL_free(text);
    }
    return object;
}

static json_t *certificate_json(X509 *certificate)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    char *serial = number == NULL ? NULL : BN_bn2hex(number);
    for (char *p = serial; p != NULL && *p != 0; p++) {
        if (*p >= 'A' && *p <= 'F') *p = (char)(*p - 'A' + 'a');
    }
    const char *digits = serial; /* without leading zeros */
    while (digits != NULL && digits[0] == '0' && digits[1] != 0) {
        digits++;
    }
    json_t *object = json_pack("{s:s?, s:o, s:o, s:{s:o, s:o}}", "serialNumber", digits, "issuer",
                               name_json(X509_get_issuer_name(certificate)), "subject",
                               name_json(X509_get_subject_name(certificate)), "validity", "notBefore",
                               bst_export_time(X509_get0_notBefore(certificate)), "notAfter",
                               bst_export_time(X509_get0_notAfter(certificate)));
    OPENSSL_free(serial);
    BN_free(number);
    return object;
}

static json_t *stamp_json(const struct bst_claim *claim, const struct bst_cose *cose)
{
    X509 *authority;
    int64_t when_s;
    if (!bst_export_stamp(claim, cose, &when_s, &authority)) return NULL;
    json_t *object = json_object();
    if (when_s != 0) json_object_set_new(object, "timestamp", bst_export_seconds(when_s));
    if (authority != NULL) json_object_set_new(object, "certificateInfo", certificate_json(authority));
    X509_free(authority);
    return object;
}

static json_t *signer_json(const struct bst_cose *cose)
{
    return json_pack("{s:s?, s:o}", "algorithm", cose->has_alg ? bst_cose_algorithm(cose->alg) : NULL,
                     "certificateInfo", certificate_json(sk_X509_value(cose->chain, 0)));
}

static json_t *signature_json(const struct bst_claim *claim)
{
    struct bst_cose cose;
    if (!bst_export_signature(claim, &cose)) return json_object();
    json_t *object = signer_json(&cose);
    json_t *stamp = stamp_json(claim, &cose);
    if (stamp != NULL) json_object_set_new(object, "timeStampInfo", stamp);
    bst_cose_clear(&cose);
    return object;
}

/* ---- assertions ---- */

/* Whatever holds a digest holds a padding too, be it empty. Depth is that of CBOR. */
static void add_pads(json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;
    if (json_object_get(value, "hash") != NULL && json_object_get(value, "pad") == NULL)
        json_object_set_new(value, "pad", json_string("b64''"));
    json_object_foreach(value, key, member) add_pads(member);
    json_array_foreach(value, i, member) add_pads(member);
}

/* A file is named, not shown. */
static json_t *file_json(struct bst_export *export, const struct bst_claim *claim,
                         struct bst_assertion *assertion)
{
    const struct bst_digest *digest =
        bst_box_digest(claim->jumbf, assertion->box, claim->alg, assertion->digest);
    json_t *value = bst_export_file(claim, assertion);
    if (digest != NULL)
        json_object_set_new(value, "hash", bst_export_bytes(export, digest->bytes, digest->len));
    return value;
}

/* An identity is shown by who signed it. */
static void show_identity(const struct bst_assertion *assertion, json_t *value)
{
    struct bst_cose cose;
    if (!bst_export_identity(assertion, &cose)) return;
    json_object_set_new(value, "signature", signer_json(&cose));
    bst_cose_clear(&cose);
}

/* What was gathered and is not there, because it was redacted, is named. */
static void add_missing(const struct bst_export *export, const struct bst_claim *claim, json_t *object)
{
    cbor_item_t *list = bst_cbor_get(claim->item, "gathered_assertions");
    for (size_t i = 0; i < bst_cbor_count(list); i++) {
        struct bst_hashed_uri uri;
        const char *label;
        size_t len;
        char url[BST_URL];
        if (!bst_hashed_uri(cbor_array_handle(list)[i], claim->alg, &uri) ||
            !bst_uri_assertion(uri.uri, uri.uri_len, &label, &len) ||
            bst_claim_assertion(claim, label, len) != NULL)
            continue;
        bst_url_absolute(claim->label, uri.uri, uri.uri_len, url);
        json_object_setn_new(object, label, len,
                             json_pack("{s:s, s:o}", "identifier", url, "hash",
                                       bst_export_bytes(export, uri.hash, uri.hash_len)));
    }
}

static json_t *assertions_json(struct bst_export *export, const struct bst_claim *claim)
{
    json_t *object = json_object();
    for (size_t i = 0; i < claim->count; i++) {
        struct bst_assertion *assertion = &claim->assertions[i];
        if (json_object_get(object, assertion->label) != NULL) continue;
        json_t *value = bst_export_assertion(export, assertion);
        add_pads(value);
        show_identity(assertion, value);
        if (value == NULL && assertion->box->first_child != 0) value = file_json(export, claim, assertion);
        json_object_set_new(object, assertion->label, value);
    }
    add_missing(export, claim, object);
    return object;
}

/* ---- claim ---- */

static void copy(json_t *from, json_t *to, const char *key)
{
    json_t *value = json_object_get(from, key);
    if (value != NULL) json_object_set(to, key, value);
}

static void copy_list(json_t *from, json_t *to, const char *key)
{
    json_t *value = json_object_get(from, key);
    json_object_set_new(to, key, json_is_array(value) ? json_incref(value) : json_array());
}

/* The list with absolute addresses, as claims of version 1 are shown. */
static void absolute_list(json_t *from, json_t *to, const struct bst_claim *claim)
{
    json_t *reference;
    size_t i;
    char url[BST_URL];
    copy_list(from, to, "assertions");
    json_array_foreach(json_object_get(to, "assertions"), i, reference)
    {
        const char *uri = json_string_value(json_object_get(reference, "url"));
        if (uri == NULL) continue;
        bst_url_absolute(claim->label, uri, strlen(uri), url);
        json_object_set_new(reference, "url", json_string(url));
    }
}

static void version_1(json_t *all, json_t *object, const struct bst_claim *claim)
{
    copy(all, object, "claim_generator");
    copy(all, object, "dc:format");
    copy(all, object, "redacted_assertions");
    absolute_list(all, object, claim);
    if (!json_is_array(json_object_get(object, "claim_generator_info")))
        json_object_set_new(object, "claim_generator_info",
                            json_pack("[{s:O}]", "name", json_object_get(all, "claim_generator")));
}

static json_t *claim_json(struct bst_export *export, const struct bst_claim *claim)
{
    static const char *const keys[] = {"instanceID", "claim_generator_info", "alg", "alg_soft", "dc:title",
                                       "metadata"};
    char url[BST_URL];
    json_t *all = bst_export_cbor(export, claim->item), *object = json_object();
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        copy(all, object, keys[i]);
    }
    bst_claim_url(claim, "/c2pa.signature", url);
    json_object_set_new(object, "signature", json_string(url));
    if (claim->version == 1) {
        version_1(all, object, claim);
    } else {
        copy_list(all, object, "created_assertions");
        copy_list(all, object, "gathered_assertions");
        copy_list(all, object, "redacted_assertions");
    }
    json_decref(all);
    return object;
}

/* ---- what was found ---- */

/* The ingredient assertion that leads to this manifest; "" for the active one, NULL when nothing was found by it. */
static const char *led_by(const struct bst_export *export, const struct bst_claim *claim)
{
    const struct bst_judge *judge = export->judge;
    if (claim == judge->active) return "";
    for (size_t i = 0; i < export->c2pa->status_count; i++) {
        const char *uri = export->c2pa->statuses[i].ingredient, *label;
        size_t len = strlen(uri), label_len;
        struct bst_ingredient ingredient;
        struct bst_claim *parent = bst_store_claim_at(judge, uri, len);
        if (parent == NULL || !bst_uri_assertion(uri, len, &label, &label_len)) continue;
        const struct bst_assertion *assertion = bst_claim_assertion(parent, label, label_len);
        if (assertion != NULL && bst_ingredient_read(parent, assertion, &ingredient) == NULL &&
            ingredient.link != NULL &&
            bst_store_claim_at(judge, ingredient.manifest.uri, ingredient.manifest.uri_len) == claim)
            return uri;
    }
    return NULL;
}

json_t *bst_crjson_manifest(struct bst_export *export, const struct bst_claim *claim)
{
    char now[BST_TIME_LEN];
    const char *led = led_by(export, claim);
    bst_time_text(bst_now_ms(), now);
    json_t *found = bst_export_statuses(export, led == NULL ? "none" : led);
    json_object_set_new(found, "specVersion", json_string(BST_C2PA_SPEC_VERSION));
    json_object_set_new(found, "validationTime", json_string(now));
    json_t *object =
        json_pack("{s:s, s:b, s:b, s:o, s:o, s:o, s:o}", "label", claim->label, "isUpdateManifest",
                  claim->update, "isCompressedManifest", claim->jumbf == &claim->own, "assertions",
                  assertions_json(export, claim), claim->version == 1 ? "claim" : "claim.v2",
                  claim_json(export, claim), "signature", signature_json(claim), "validationResults", found);
    json_t *deltas = bst_export_deltas(export, claim->label);
    if (deltas != NULL) json_object_set_new(object, "ingredientDeltas", deltas);
    return object;
}
