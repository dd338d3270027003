/* ocsp.c - revocation answers (RFC 6960) about a signer's certificate. An answer counts when it names this very
 * certificate, covers the time in question, and is signed by the certificate's issuer or by a responder that the
 * issuer appointed (C2PA 2.4, 15.9); else it is as if it were not there. */
#include "ocsp.h"
#include "cert_profile.h"
#include "http.h"
#include "trust.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <string.h>

#define ANSWER_MAX (1u << 20)
#define DAY        86400 /* seconds */

struct question {
    STACK_OF(X509) * chain;
    const struct bst_trust *trust;
    X509 *leaf, *issuer;
    int64_t when_s;
    bool stamped;
};

/* ---- who signed the answer ---- */

/* All certificates that may lie on the responder's path; first those of the answer, for names need not be unique. */
static STACK_OF(X509) * gather(const struct question *question, OCSP_BASICRESP *basic)
{
    STACK_OF(X509) *all = sk_X509_new_null();
    const STACK_OF(X509) *own = OCSP_resp_get0_certs(basic);
    bool whole = all != NULL;
    for (int i = 0; whole && i < sk_X509_num(own); i++) {
        whole = sk_X509_push(all, sk_X509_value(own, i)) > 0;
    }
    for (int i = 0; whole && i < sk_X509_num(question->chain); i++) {
        whole = sk_X509_push(all, sk_X509_value(question->chain, i)) > 0;
    }
    if (whole && sk_X509_push(all, question->issuer) > 0) return all;
    sk_X509_free(all);
    return NULL;
}

/* The issuer itself, or somebody whom it gave a certificate for this (RFC 6960 4.2.2.2). */
static bool may_answer(const struct question *question, X509 *responder, STACK_OF(X509) * all,
                       const char **why)
{
    bool itself = X509_cmp(responder, question->issuer) == 0;
    *why = "it is signed by somebody whom the certificate's issuer did not appoint";
    if (!itself && (X509_check_issued(question->issuer, responder) != X509_V_OK ||
                    X509_verify(responder, X509_get0_pubkey(question->issuer)) != 1))
        return false;
    if (!itself && (*why = bst_cert_problem(responder, BST_ROLE_OCSP, question->trust)) != NULL) return false;
    return bst_trust_path(question->trust, BST_TRUST_MANIFEST, responder, all, question->when_s, why);
}

static bool signed_well(const struct question *question, OCSP_BASICRESP *basic, const char **why)
{
    X509 *responder = NULL;
    STACK_OF(X509) *all = gather(question, basic);
    bool good = all != NULL && OCSP_resp_get0_signer(basic, &responder, all) == 1;
    *why = "its signer's certificate is not at hand";
    if (good) {
        *why = "its signature does not hold";
        good = OCSP_basic_verify(basic, all, NULL, OCSP_NOVERIFY) == 1;
    }
    good = good && may_answer(question, responder, all, why);
    sk_X509_free(all);
    return good;
}

/* ---- what it says ---- */

/* Is the single answer about the leaf? Its certificate id names the digest to ask with. */
static bool is_about(const struct question *question, const OCSP_SINGLERESP *single)
{
    OCSP_CERTID *id = (OCSP_CERTID *)(uintptr_t)OCSP_SINGLERESP_get0_id(single);
    ASN1_OBJECT *digest = NULL;
    OCSP_id_get0_info(NULL, &digest, NULL, NULL, id);
    const EVP_MD *md = EVP_get_digestbyobj(digest);
    OCSP_CERTID *ours = md == NULL ? NULL : OCSP_cert_to_id(md, question->leaf, question->issuer);
    bool same = ours != NULL && OCSP_id_cmp(id, ours) == 0;
    OCSP_CERTID_free(ours);
    return same;
}

static enum bst_ocsp_state read_single(const struct question *question, OCSP_SINGLERESP *single,
                                       const char **why)
{
    ASN1_GENERALIZEDTIME *revoked = NULL, *this_update = NULL, *next_update = NULL;
    int64_t from = 0, until = 0, revoked_s = 0;
    int reason = 0;
    int status = OCSP_single_get0_status(single, &reason, &revoked, &this_update, &next_update);
    *why = "it does not say for how long it holds";
    if (!bst_asn1_time(this_update, &from)) return BST_OCSP_UNUSABLE;
    if (!bst_asn1_time(next_update, &until)) until = from + DAY; /* C2PA 2.4, 15.9 */
    if (status == V_OCSP_CERTSTATUS_REVOKED) {
        bool before = question->stamped && bst_asn1_time(revoked, &revoked_s) && question->when_s < revoked_s;
        *why = before ? "the certificate was revoked only after it signed" : "the certificate was revoked";
        return before ? BST_OCSP_GOOD : BST_OCSP_REVOKED;
    }
    if (status != V_OCSP_CERTSTATUS_GOOD) {
        *why = "the responder does not know the certificate";
        return BST_OCSP_UNKNOWN;
    }
    /* an answer given after a proven time of signing covers that time too */
    bool covers = question->when_s <= until && (question->stamped || question->when_s >= from);
    *why = covers ? "the certificate is not revoked" : "it does not cover the time in question";
    return covers ? BST_OCSP_GOOD : BST_OCSP_UNUSABLE;
}

static enum bst_ocsp_state judge_basic(const struct question *question, OCSP_BASICRESP *basic,
                                       const char **why)
{
    if (!signed_well(question, basic, why)) return BST_OCSP_UNUSABLE;
    enum bst_ocsp_state state = BST_OCSP_UNUSABLE;
    *why = "it is not about this certificate";
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        const char *words;
        if (!is_about(question, single)) continue;
        enum bst_ocsp_state said = read_single(question, single, &words);
        if (said < state) continue;
        state = said; /* the worst that is said counts */
        *why = words;
    }
    return state;
}

enum bst_ocsp_state bst_ocsp_judge(const uint8_t *der, size_t len, STACK_OF(X509) * chain,
                                   const struct bst_trust *trust, int64_t when_s, bool stamped,
                                   const char **why)
{
    const unsigned char *end = der;
    enum bst_ocsp_state state = BST_OCSP_UNUSABLE;
    struct question question = {.chain = chain,
                                .trust = trust,
                                .leaf = sk_X509_value(chain, 0),
                                .when_s = when_s,
                                .stamped = stamped};
    OCSP_RESPONSE *answer = len > ANSWER_MAX ? NULL : d2i_OCSP_RESPONSE(NULL, &end, (long)len);
    OCSP_BASICRESP *basic = NULL;
    *why = "it cannot be read, or is a refusal";
    if (answer != NULL && end == der + len &&
        OCSP_response_status(answer) == OCSP_RESPONSE_STATUS_SUCCESSFUL &&
        (basic = OCSP_response_get1_basic(answer)) != NULL) {
        *why = "the certificate's issuer is not at hand";
        question.issuer = bst_trust_issuer(trust, BST_TRUST_MANIFEST, question.leaf, chain);
        if (question.issuer != NULL) state = judge_basic(&question, basic, why);
    }
    X509_free(question.issuer);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(answer);
    ERR_clear_error();
    return state;
}

/* ---- asking ---- */

/* DER of a request about the leaf; RFC 5019 responders want SHA-1 here and no nonce. */
static bool make_request(X509 *leaf, X509 *issuer, struct bst_buf *der)
{
    unsigned char *text = NULL;
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), leaf, issuer);
    int len = -1;
    if (request != NULL && id != NULL && OCSP_request_add0_id(request, id) != NULL) {
        id = NULL; /* the request's now */
        len = i2d_OCSP_REQUEST(request, &text);
    }
    if (len > 0) bst_buf_append(der, text, (size_t)len);
    OPENSSL_free(text);
    OCSP_CERTID_free(id);
    OCSP_REQUEST_free(request);
    return len > 0 && !der->failed;
}

enum bst_code bst_ocsp_fetch(STACK_OF(X509) * chain, const struct bst_trust *trust, struct bst_buf *answer,
                             struct bst_error *err)
{
    struct bst_buf request = {0};
    X509 *leaf = sk_X509_value(chain, 0);
    STACK_OF(OPENSSL_STRING) *urls = X509_get1_ocsp(leaf);
    X509 *issuer = bst_trust_issuer(trust, BST_TRUST_MANIFEST, leaf, chain);
    enum bst_code code;
    if (sk_OPENSSL_STRING_num(urls) < 1) {
        code = bst_fail(err, BST_NO_PROVENANCE, "the certificate names no responder for its revocation");
    } else if (issuer == NULL) {
        code = bst_fail(err, BST_NO_PROVENANCE, "the certificate's issuer is not at hand");
    } else if (!make_request(leaf, issuer, &request)) {
        code = bst_fail_memory(err);
    } else {
        struct bst_http http = {.url = sk_OPENSSL_STRING_value(urls, 0),
                                .content_type = "application/ocsp-request",
                                .accept = "application/ocsp-response",
                                .limit = ANSWER_MAX};
        code = bst_http_post(&http, request.data, request.len, answer, err);
    }
    bst_buf_free(&request);
    X509_free(issuer);
    X509_email_free(urls);
    ERR_clear_error();
    return code;
}
