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
            value = bst_cbor_json(item);
            cbor_decref(&item);
        }
    }
    return value != NULL ? value : json_pack("{s:I}", "bytes", (json_int_t)super->data_len);
}

static json_t *assertions_json(const struct bst_judge *judge)
{
    json_t *object = json_object();
    const struct bst_jumbf *store = &judge->store;
    const struct bst_jumbf_box *assertions = bst_jumbf_child(store, judge->manifest, "c2pa.assertions");
    for (size_t i = assertions == NULL ? 0 : assertions->first_child; i != 0; i = store->boxes[i].next) {
        const struct bst_jumbf_box *box = &store->boxes[i];
        if (box->label != NULL) json_object_set_new(object, box->label, box_json(store, box));
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

static json_t *signature_json(const struct bst_judge *judge, const struct bst_cose *cose)
{
    if (cose->chain == NULL) return json_object();
    X509 *leaf = sk_X509_value(cose->chain, 0);
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf), NULL);
    char *serial = number == NULL ? NULL : BN_bn2hex(number);
    const char *algorithm = cose->has_alg ? bst_cose_algorithm(cose->alg) : NULL;
    json_t *object =
        json_pack("{s:s?, s:s?, s:s?, s:o, s:o, s:i}", "alg", algorithm, "signer", judge->out->signer,
                  "serial", serial, "not_before", time_json(X509_get0_notBefore(leaf)), "not_after",
                  time_json(X509_get0_notAfter(leaf)), "certificates", sk_X509_num(cose->chain));
    OPENSSL_free(serial);
    BN_free(number);
    return object;
}

static json_t *other_labels(const struct bst_judge *judge)
{
    json_t *labels = json_array();
    const struct bst_jumbf *store = &judge->store;
    for (size_t i = store->boxes[0].first_child; i != 0; i = store->boxes[i].next) {
        const struct bst_jumbf_box *box = &store->boxes[i];
        if (box != judge->manifest && box->label != NULL)
            json_array_append_new(labels, json_string(box->label));
    }
    return labels;
}

json_t *bst_c2pa_report(const struct bst_judge *judge, const struct bst_cose *cose)
{
    return json_pack("{s:s, s:i, s:o, s:o, s:o, s:o}", "active_manifest", judge->manifest->label,
                     "claim_version", judge->claim_v1 ? 1 : 2, "claim", bst_cbor_json(judge->claim),
                     "assertions", assertions_json(judge), "signature", signature_json(judge, cose),
                     "other_manifests", other_labels(judge));
}
