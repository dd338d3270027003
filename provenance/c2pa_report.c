/* c2pa_report.c - a manifest as JSON, for people: claim, assertions, signature. Nothing here judges. */
#include "c2pa.h"

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/x509.h>

static json_t *box_json(const struct bst_jumbf *store, const struct bst_jumbf_box *super)
{
    struct bst_error err;
    const struct bst_jumbf_box *content = bst_jumbf_content(store, super);
    json_t *value = NULL;
    cbor_item_t *item;
    if (content != NULL && content->type == BST_BOX_JSON) {
        if (bst_json_parse((const char *)store->bytes + content->data, content->data_len, &value, &err) !=
            BST_OK) {
            value = NULL;
        }
    } else if (content != NULL && content->type == BST_BOX_CBOR) {
        if (bst_cbor_parse(store->bytes + content->data, content->data_len, &item, &err) == BST_OK) {
            value = bst_cbor_json(item, BST_CBOR_HEX);
            cbor_decref(&item);
        }
    }
    return value != NULL ? value : json_pack("{s:I}", "bytes", (json_int_t)super->data_len);
}

static json_t *assertions_json(const struct bst_claim *claim)
{
    json_t *object = json_object();
    for (size_t i = 0; i < claim->count; i++) {
        json_object_set_new(object, claim->assertions[i].label,
                            box_json(claim->jumbf, claim->assertions[i].box));
    }
    return object;
}

static json_t *time_json(const ASN1_TIME *time)
{
    struct tm tm;
    char text[32];
    if (ASN1_TIME_to_tm(time, &tm) != 1) return json_null();
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    return json_string(text);
}

static json_t *signature_json(const struct bst_c2pa *c2pa, const struct bst_claim *claim)
{
    struct bst_cose cose;
    if (!bst_export_signature(claim, &cose)) return json_object();
    X509 *leaf = sk_X509_value(cose.chain, 0);
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf), NULL);
    char *serial = number == NULL ? NULL : BN_bn2hex(number);
    const char *algorithm = cose.has_alg ? bst_cose_algorithm(cose.alg) : NULL;
    json_t *object =
        json_pack("{s:s?, s:s?, s:s?, s:o, s:o, s:i}", "alg", algorithm, "signer", c2pa->signer, "serial",
                  serial, "not_before", time_json(X509_get0_notBefore(leaf)), "not_after",
                  time_json(X509_get0_notAfter(leaf)), "certificates", sk_X509_num(cose.chain));
    OPENSSL_free(serial);
    BN_free(number);
    bst_cose_clear(&cose);
    return object;
}

static json_t *other_labels(const struct bst_judge *judge)
{
    json_t *labels = json_array();
    for (size_t i = 0; i < judge->count; i++) {
        const struct bst_claim *claim = &judge->claims[i];
        if (claim != judge->active) json_array_append_new(labels, json_string(claim->label));
    }
    return labels;
}

json_t *bst_report_json(const struct bst_export *export)
{
    const struct bst_claim *claim = export->judge->active;
    if (claim->item == NULL) return json_object();
    return json_pack("{s:s, s:i, s:o, s:o, s:o, s:o}", "active_manifest", claim->label, "claim_version",
                     (int)claim->version, "claim", bst_cbor_json(claim->item, BST_CBOR_HEX), "assertions",
                     assertions_json(claim), "signature", signature_json(export->c2pa, claim),
                     "other_manifests", other_labels(export->judge));
}
