/* c2pa_signature.c - the claim signature of a manifest: found, parsed, verified, and its signer taken down (C2PA 2.4,
 * 15.7). */
#include "c2pa.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE_LABEL "c2pa.signature"

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

char *bst_signer_name(X509 *leaf)
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
    out->signer = bst_signer_name(leaf);
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

/* Only a signature that holds has a place in time. */
static void judge_validity(struct bst_judge *judge, bool inside, const char *url)
{
    if (inside) {
        bst_judge_good(judge, "claimSignature.insideValidity", url,
                       "the signer's certificate was valid when it was used");
    } else {
        bst_judge_fail(judge, "claimSignature.outsideValidity", url,
                       "the signature cannot be placed inside the certificate's validity");
    }
}

/* ECDSA signatures are r || s in COSE; other writers' libraries give DER (C2PA 2.4, 13.2.1). */
static bool is_der(const struct bst_cose *cose)
{
    const unsigned char *p = cose->sig;
    if (cose->alg != -7 && cose->alg != -35 && cose->alg != -36) return false;
    ECDSA_SIG *pair = cose->sig_len > 512 ? NULL : d2i_ECDSA_SIG(NULL, &p, (long)cose->sig_len);
    bool whole = pair != NULL && p == cose->sig + cose->sig_len;
    ECDSA_SIG_free(pair);
    ERR_clear_error();
    return whole;
}

/* The certificate, if there is one: what keeps the signature from being checked at all. */
static bool can_be_checked(struct bst_judge *judge, const struct bst_cose *cose, const char *url)
{
    const char *code = "signingCredential.invalid", *problem = NULL;
    if (cose->chain == NULL) {
        problem = "the signature names no certificate";
    } else if (bst_cbor_get(cose->unprotected, "x5chain") != NULL &&
               (cose->int_label || bst_cbor_get(cose->protected_map, "x5chain") != NULL)) {
        problem = "the signature names certificates in two places";
    } else if (!cose->has_alg || bst_cose_algorithm(cose->alg) == NULL) {
        code = "algorithm.unsupported";
        problem = "the signature's algorithm is unknown";
    } else if (is_der(cose)) {
        problem = "the signature is in DER, not in the form that COSE prescribes";
    }
    if (problem == NULL) return true;
    bst_judge_fail(judge, code, url, problem);
    return false;
}

static void judge_cose(struct bst_judge *judge, const struct bst_cose *cose, const char *url)
{
    struct bst_error err = {.what = "the signature cannot be checked"};
    const struct bst_claim *claim = judge->claim;
    if (cose->chain != NULL && judge->claim == judge->active)
        read_signer(judge, sk_X509_value(cose->chain, 0));
    const uint8_t *body = claim->jumbf->bytes + claim->body->data;
    int64_t when_s = 0;
    bool stamped = bst_judge_time(judge, cose, url, &when_s);
    bool inside = false, checked = can_be_checked(judge, cose, url);
    if (stamped && judge->claim == judge->active) judge->out->stamped_ms = when_s * 1000;
    if (!stamped) when_s = bst_now_ms() / 1000;
    bst_judge_revocation(judge, cose, when_s, stamped, url);
    if (checked) inside = bst_judge_certificate(judge, cose, when_s, stamped, url);
    if (checked && !bst_cose_key_fits(cose))
        bst_judge_fail(judge, "signingCredential.invalid", url,
                       "the certificate's key does not fit the signature's algorithm");
    /* what is signed is the claim; a payload that the signature carries itself is never looked at */
    if (checked && bst_cose_verify(cose, body, claim->body->data_len, &err) == BST_OK) {
        judge_validity(judge, inside, url);
        bst_judge_good(judge, "claimSignature.validated", url, "the signature fits the claim");
    } else {
        bst_judge_fail(judge, "claimSignature.mismatch", url, err.what);
    }
}

void bst_judge_signature(struct bst_judge *judge)
{
    const struct bst_claim *claim = judge->claim;
    struct bst_cose cose = {0};
    struct bst_error err;
    const char *target = "", *label, *last;
    size_t len = 0, label_len, last_len;
    char url[BST_URL];
    bst_judge_url(judge, "/c2pa.signature", url);
    bst_cbor_get_text(bst_cbor_get(claim->item, "signature"), &target, &len);
    bst_uri_last(target, len, &last, &last_len);
    bool elsewhere = bst_uri_manifest(target, len, &label, &label_len) &&
                     (strlen(claim->label) != label_len || memcmp(claim->label, label, label_len) != 0);
    if (elsewhere || last_len != strlen(SIGNATURE_LABEL) || memcmp(last, SIGNATURE_LABEL, last_len) != 0 ||
        strcmp(claim->signature_box->label, SIGNATURE_LABEL) != 0)
        bst_judge_fail(judge, "claimSignature.missing", url,
                       "the claim does not point at the signature in its manifest");
    if (bst_cose_parse(claim->jumbf->bytes + claim->signature->data, claim->signature->data_len, &cose,
                       &err) != BST_OK) {
        bst_judge_fail(judge, "claimSignature.mismatch", url, err.what);
        return;
    }
    judge_cose(judge, &cose, url);
    bst_cose_clear(&cose);
}
