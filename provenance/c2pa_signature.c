/* c2pa_signature.c - the claim signature of a manifest: found, parsed, verified, and its signer taken down.
 */
#include "c2pa.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

static void append_name(struct bst_buf *out, X509 *leaf, int nid)
{
    X509_NAME *name = X509_get_subject_name(leaf);
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    unsigned char *text = NULL;
    int len =
        at < 0 ? -1 : ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (len > 0) bst_buf_append(out, text, (size_t)len);
    OPENSSL_free(text);
}

/* "Common Name (Organisation)", or one of them when the other says the same or nothing. */
static char *signer_name(X509 *leaf)
{
    struct bst_buf name = {0}, organisation = {0};
    append_name(&name, leaf, NID_commonName);
    append_name(&organisation, leaf, NID_organizationName);
    const char *words = bst_buf_string(&organisation), *common = bst_buf_string(&name);
    bool differ = words != NULL && common != NULL && organisation.len > 0 && strcmp(words, common) != 0;
    if (differ && name.len > 0) bst_buf_printf(&name, " (%s)", words);
    if (differ && common[0] == 0) bst_buf_text(&name, words);
    common = bst_buf_string(&name);
    char *text = common == NULL || words == NULL ? NULL : bst_printable(common, name.len);
    bst_buf_free(&name);
    bst_buf_free(&organisation);
    return text;
}

/* Takes down who signed: name, certificate and, if it is Ed25519, the key. */
static void read_signer(struct bst_judge *judge, X509 *leaf)
{
    struct bst_c2pa *out = judge->out;
    out->signer = signer_name(leaf);
    EVP_PKEY *key = X509_get0_pubkey(leaf);
    size_t len = BST_KEY_LEN;
    out->signer_is_ed25519 = key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 &&
                             EVP_PKEY_get_raw_public_key(key, out->signer_key, &len) == 1 &&
                             len == BST_KEY_LEN;
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem;
    if (bio != NULL && PEM_write_bio_X509(bio, leaf) == 1) {
        long pem_len = BIO_get_mem_data(bio, &pem);
        out->signer_pem = bst_format("%.*s", (int)pem_len, pem);
    }
    BIO_free(bio);
    judge->failed_memory = judge->failed_memory || out->signer == NULL || out->signer_pem == NULL;
}

/* Header fields that nothing protects: known ones are named, unknown ones fail. */
static void judge_unprotected(struct bst_judge *judge, const struct bst_cose *cose, const char *url)
{
    struct cbor_pair *pair = cbor_map_handle(cose->unprotected);
    for (size_t i = 0; i < cbor_map_size(cose->unprotected); i++) {
        if (bst_cbor_is(pair[i].key, "sigTst2") || bst_cbor_is(pair[i].key, "sigTst")) {
            bst_judge_say(judge, BST_STATUS_INFO, "timeStamp.notChecked", url,
                          "the signature carries a time stamp, which was not checked");
        } else if (bst_cbor_is(pair[i].key, "rVals")) {
            bst_judge_say(judge, BST_STATUS_INFO, "signingCredential.ocsp.skipped", url,
                          "the signature carries revocation answers, which were not checked");
        } else if (!bst_cbor_is(pair[i].key, "pad") && !bst_cbor_is(pair[i].key, "pad2") &&
                   !bst_cbor_is(pair[i].key, "x5chain")) {
            bst_judge_fail(judge, "general.error", url,
                           "the signature has an unknown field that nothing protects");
        }
    }
}

/* Only a signature that holds has a place in time. */
static void judge_validity(struct bst_judge *judge, bool inside, const char *url)
{
    if (inside) {
        bst_judge_say(judge, BST_STATUS_SUCCESS, "claimSignature.insideValidity", url,
                      "the signer's certificate was valid when it was used");
    } else {
        bst_judge_fail(judge, "claimSignature.outsideValidity", url,
                       "the signature cannot be placed inside the certificate's validity");
    }
}

static void judge_cose(struct bst_judge *judge, const struct bst_cose *cose, const char *url)
{
    struct bst_error err;
    if (!cose->has_alg || bst_cose_algorithm(cose->alg) == NULL) {
        bst_judge_fail(judge, "algorithm.unsupported", url, "the signature's algorithm is unknown");
        return;
    }
    if (cose->chain == NULL) {
        bst_judge_fail(judge, "signingCredential.invalid", url, "the signature names no certificate");
        return;
    }
    read_signer(judge, sk_X509_value(cose->chain, 0));
    bool inside = bst_judge_certificate(judge, cose, bst_now_ms() / 1000, false, url);
    if (bst_cose_verify(cose, judge->store.bytes + judge->claim_box->data, judge->claim_box->data_len,
                        &err) == BST_OK) {
        judge_validity(judge, inside, url);
        bst_judge_say(judge, BST_STATUS_SUCCESS, "claimSignature.validated", url,
                      "the signature fits the claim");
    } else {
        bst_judge_fail(judge, "claimSignature.mismatch", url, err.what);
    }
    if (cose->has_payload)
        bst_judge_fail(judge, "general.error", url, "the signature carries a payload of its own");
    judge_unprotected(judge, cose, url);
}

void bst_judge_signature(struct bst_judge *judge, struct bst_cose *cose)
{
    struct bst_error err;
    const char *target = NULL;
    size_t len = 0;
    char url[192];
    bst_judge_url(judge, "/c2pa.signature", url);
    const struct bst_jumbf_box *box = bst_jumbf_child(&judge->store, judge->manifest, "c2pa.signature");
    bst_cbor_get_text(bst_cbor_get(judge->claim, "signature"), &target, &len);
    if (box == NULL || target == NULL ||
        bst_jumbf_resolve(&judge->store, judge->manifest, target, len) != box) {
        bst_judge_fail(judge, "claimSignature.missing", url,
                       "the claim does not point at a signature in its manifest");
        return;
    }
    const struct bst_jumbf_box *content = bst_jumbf_content(&judge->store, box);
    if (content == NULL || content->type != BST_BOX_CBOR ||
        bst_cose_parse(judge->store.bytes + content->data, content->data_len, cose, &err) != BST_OK) {
        bst_judge_fail(judge, "claimSignature.mismatch", url,
                       content == NULL ? "the signature box is malformed" : err.what);
        return;
    }
    judge_cose(judge, cose, url);
}
