/* c2pa_c2patool.c - one manifest in the form that c2patool prints. */
#include "c2pa.h"

#include <jansson.h>
#include <openssl/bn.h>
#include <stdlib.h>
#include <string.h>

/* Copies a member under another name; nothing when it is not there. */
static void take(json_t *from, const char *key, json_t *to, const char *as)
{
    json_t *value = json_object_get(from, key);
    if (value != NULL && !json_is_null(value)) json_object_set(to, as, value);
}

/* ---- ingredients ---- */

/* It may stand in the ingredient's own manifest. */
static void set_thumbnail(const struct bst_export *export, const struct bst_claim *claim,
                          const struct bst_assertion *assertion, json_t *object)
{
    struct bst_hashed_uri uri;
    const char *label;
    size_t len;
    if (!bst_hashed_uri(bst_cbor_get(assertion->content, "thumbnail"), claim->alg, &uri) ||
        !bst_uri_assertion(uri.uri, uri.uri_len, &label, &len))
        return;
    const struct bst_claim *other = bst_store_claim_at(export->judge, uri.uri, uri.uri_len);
    if (other != NULL) claim = other;
    const struct bst_assertion *file = bst_claim_assertion(claim, label, len);
    if (file != NULL) json_object_set_new(object, "thumbnail", bst_export_file(claim, file));
}

static json_t *ingredient_json(struct bst_export *export, const struct bst_claim *claim,
                               const struct bst_assertion *assertion)
{
    static const char *const names[][2] = {{"dc:title", "title"},
                                           {"dc:format", "format"},
                                           {"documentID", "document_id"},
                                           {"instanceID", "instance_id"},
                                           {"relationship", "relationship"},
                                           {"description", "description"},
                                           {"data_types", "data_types"},
                                           {"dataTypes", "data_types"},
                                           {"informational_URI", "informational_URI"},
                                           {"informationalURI", "informational_URI"},
                                           {"metadata", "metadata"},
                                           {"digitalSourceType", "digital_source_type"},
                                           {"validationStatus", "validation_status"},
                                           {"validationResults", "validation_results"}};
    struct bst_ingredient ingredient;
    json_t *object = json_object(), *all = bst_export_assertion(export, assertion);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        take(all, names[i][0], object, names[i][1]);
    }
    if (bst_ingredient_read(claim, assertion, &ingredient) == NULL && ingredient.link != NULL) {
        const char *label;
        size_t len;
        if (bst_uri_manifest(ingredient.manifest.uri, ingredient.manifest.uri_len, &label, &len)) {
            json_object_set_new(object, "active_manifest", json_stringn(label, len));
            json_object_set_new(
                object, "manifest_data",
                json_pack("{s:s, s:s%}", "format", "application/c2pa", "identifier", label, len));
        }
    }
    set_thumbnail(export, claim, assertion, object);
    json_object_set_new(object, "label", json_string(assertion->label));
    json_decref(all);
    return object;
}

/* ---- signatures ---- */

static void set_name(json_t *object, const char *key, X509_NAME *name, int nid)
{
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    unsigned char *text = NULL;
    int len =
        at < 0 ? -1 : ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    char *safe = len < 0 ? NULL : bst_printable((const char *)text, (size_t)len);
    if (safe != NULL) json_object_set_new(object, key, json_string(safe));
    free(safe);
    OPENSSL_free(text);
}

/* Who signed: algorithm and certificate. */
static json_t *signer_json(const struct bst_cose *cose)
{
    char alg[16] = "";
    X509 *leaf = sk_X509_value(cose->chain, 0);
    const char *name = cose->has_alg ? bst_cose_algorithm(cose->alg) : NULL;
    if (name != NULL) snprintf(alg, sizeof(alg), "%c%s", name[0] - 'a' + 'A', name + 1);
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf), NULL);
    char *serial = number == NULL ? NULL : BN_bn2dec(number);
    json_t *object = json_pack("{s:s}", "alg", alg);
    set_name(object, "issuer", X509_get_subject_name(leaf), NID_organizationName);
    set_name(object, "common_name", X509_get_subject_name(leaf), NID_commonName);
    if (serial != NULL) json_object_set_new(object, "cert_serial_number", json_string(serial));
    OPENSSL_free(serial);
    BN_free(number);
    return object;
}

static json_t *signature_json(const struct bst_claim *claim)
{
    struct bst_cose cose;
    if (!bst_export_signature(claim, &cose)) return json_object();
    json_t *object = signer_json(&cose);
    X509 *authority = NULL;
    int64_t when_s = 0;
    if (bst_export_stamp(claim, &cose, &when_s, &authority) && when_s != 0)
        json_object_set_new(object, "time", bst_export_seconds(when_s));
    X509_free(authority);
    bst_cose_clear(&cose);
    return object;
}

/* ---- assertions ---- */

/* An identity is shown by who signed it. */
static void show_identity(const struct bst_assertion *assertion, json_t *data)
{
    static const char *const hidden[] = {"signature", "pad1", "pad2"};
    struct bst_cose cose;
    if (!bst_export_identity(assertion, &cose)) return;
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        json_object_del(data, hidden[i]);
    }
    json_object_set_new(data, "signature_info", signer_json(&cose));
    bst_cose_clear(&cose);
}

static json_t *assertion_json(struct bst_export *export, const struct bst_claim *claim,
                              const struct bst_assertion *assertion)
{
    json_t *data = bst_export_assertion(export, assertion);
    size_t len = strlen(assertion->label);
    if (data == NULL) return NULL;
    show_identity(assertion, data);
    if (assertion->instance > 0) { /* the label without "__2" */
        while (len > 0 && assertion->label[len - 1] != '_') {
            len--;
        }
        len -= len >= 2 ? 2 : len;
    }
    json_t *object = json_pack("{s:s%, s:o}", "label", assertion->label, len, "data", data);
    if (assertion->instance > 0) json_object_set_new(object, "instance", json_integer(assertion->instance));
    if (assertion->box->content_type == BST_BOX_JSON)
        json_object_set_new(object, "kind", json_string("Json"));
    if (claim->version > 1 && assertion->list == BST_CREATED)
        json_object_set_new(object, "created", json_true());
    return object;
}

/* A binding is no word of the author's; the tool hides it but for c2pa.hash.bmff with a version in its label. */
static bool is_hidden(const struct bst_assertion *assertion)
{
    return bst_is_hard_binding(assertion->label) &&
           !(bst_root_is(assertion, "c2pa.hash.bmff") && assertion->version > 1);
}

struct sorted {
    json_t *ingredients, *assertions;
};

static void sort_one(struct bst_export *export, const struct bst_claim *claim,
                     const struct bst_assertion *assertion, json_t *manifest, struct sorted *out)
{
    if (is_hidden(assertion)) return;
    if (strncmp(assertion->label, "c2pa.thumbnail.claim", 20) == 0) {
        json_object_set_new(manifest, "thumbnail", bst_export_file(claim, assertion));
    } else if (bst_is_ingredient(assertion)) {
        json_array_append_new(out->ingredients, ingredient_json(export, claim, assertion));
    } else {
        json_t *object = assertion_json(export, claim, assertion);
        if (object != NULL) json_array_append_new(out->assertions, object);
    }
}

/* In the order in which the claim lists them. */
static void sort_assertions(struct bst_export *export, const struct bst_claim *claim, json_t *manifest)
{
    static const char *const keys[] = {"created_assertions", "gathered_assertions", "assertions"};
    struct sorted sorted = {json_array(), json_array()};
    for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
        cbor_item_t *list = bst_cbor_get(claim->item, keys[k]);
        for (size_t i = 0; i < bst_cbor_count(list); i++) {
            struct bst_hashed_uri uri;
            const char *label;
            size_t len;
            bool named = bst_hashed_uri(cbor_array_handle(list)[i], claim->alg, &uri) &&
                         bst_uri_assertion(uri.uri, uri.uri_len, &label, &len);
            const struct bst_assertion *assertion = named ? bst_claim_assertion(claim, label, len) : NULL;
            if (assertion != NULL) sort_one(export, claim, assertion, manifest, &sorted);
        }
    }
    if (json_array_size(sorted.ingredients) > 0) json_object_set(manifest, "ingredients", sorted.ingredients);
    json_decref(sorted.ingredients);
    json_object_set_new(manifest, "assertions", sorted.assertions);
}

json_t *bst_c2patool_manifest(struct bst_export *export, const struct bst_claim *claim)
{
    json_t *removed;
    json_t *manifest = json_object(), *all = bst_export_cbor(export, claim->item);
    json_t *info = json_object_get(all, "claim_generator_info");
    if (json_is_object(info)) {
        json_object_set_new(manifest, "claim_generator_info", json_pack("[O]", info));
    } else if (info != NULL) {
        json_object_set(manifest, "claim_generator_info", info);
    }
    take(all, "dc:title", manifest, "title");
    take(all, "instanceID", manifest, "instance_id");
    take(all, "metadata", manifest, "metadata");
    if (claim->version == 1) {
        take(all, "claim_generator", manifest, "claim_generator");
        take(all, "dc:format", manifest, "format");
    }
    removed = json_object_get(all, "redacted_assertions");
    if (json_array_size(removed) > 0) json_object_set(manifest, "redactions", removed);
    sort_assertions(export, claim, manifest);
    json_object_set_new(manifest, "signature_info", signature_json(claim));
    json_object_set_new(manifest, "label", json_string(claim->label));
    json_object_set_new(manifest, "claim_version", json_integer(claim->version));
    json_decref(all);
    return manifest;
}
