/* timestamp.c - time stamps (RFC 3161, RFC 5816): requests, answers, and what a token is worth. CMS, TSTInfo and
 * paths are libcrypto's work; the order of the questions is C2PA's (2.4, 15.8). */
#include "timestamp.h"
#include "cert_profile.h"
#include "http.h"
#include "trust.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/ess.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_MAX (1u << 20)

/* ---- the parts of a token ---- */

struct token {
    CMS_ContentInfo *cms;
    STACK_OF(X509) * certificates;
    CMS_SignerInfo *signer; /* of cms */
    X509 *authority;        /* of cms; NULL when the token does not carry it */
    TS_TST_INFO *info;
};

static void token_clear(struct token *token)
{
    CMS_ContentInfo_free(token->cms);
    sk_X509_pop_free(token->certificates, X509_free);
    TS_TST_INFO_free(token->info);
}

/* A token is a CMS ContentInfo; an answer holds one behind its status. */
static CMS_ContentInfo *read_cms(const uint8_t *der, size_t len)
{
    const unsigned char *end = der;
    if (len > TOKEN_MAX) return NULL;
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &end, (long)len);
    if (cms != NULL) {
        if (end == der + len) return cms;
        CMS_ContentInfo_free(cms);
        return NULL;
    }
    end = der;
    TS_RESP *answer = d2i_TS_RESP(NULL, &end, (long)len);
    PKCS7 *inside = answer == NULL || end != der + len ? NULL : TS_RESP_get_token(answer);
    unsigned char *copy = NULL;
    int size = inside == NULL ? -1 : i2d_PKCS7(inside, &copy);
    const unsigned char *at = copy;
    if (size > 0) cms = d2i_CMS_ContentInfo(NULL, &at, size);
    OPENSSL_free(copy);
    TS_RESP_free(answer);
    return cms;
}

static const ASN1_OCTET_STRING *content_of(const CMS_ContentInfo *cms)
{
    ASN1_OCTET_STRING **content = CMS_get0_content((CMS_ContentInfo *)(uintptr_t)cms);
    return content == NULL ? NULL : *content;
}

/* NULL, or why it is malformed. */
static const char *token_read(const uint8_t *der, size_t len, struct token *token)
{
    token->cms = read_cms(der, len);
    if (token->cms == NULL || OBJ_obj2nid(CMS_get0_type(token->cms)) != NID_pkcs7_signed)
        return "it is no signed message";
    const ASN1_OCTET_STRING *content = content_of(token->cms);
    if (OBJ_obj2nid(CMS_get0_eContentType(token->cms)) != NID_id_smime_ct_TSTInfo || content == NULL)
        return "it holds no time stamp";
    const unsigned char *at = ASN1_STRING_get0_data(content);
    token->info = d2i_TS_TST_INFO(NULL, &at, ASN1_STRING_length(content));
    if (token->info == NULL || at != ASN1_STRING_get0_data(content) + ASN1_STRING_length(content))
        return "its time stamp cannot be read";
    STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(token->cms);
    if (sk_CMS_SignerInfo_num(signers) != 1) return "it is not signed by one authority (RFC 3161, 2.4.2)";
    token->signer = sk_CMS_SignerInfo_value(signers, 0);
    token->certificates = CMS_get1_certs(token->cms);
    CMS_set1_signers_certs(token->cms, NULL, 0);
    CMS_SignerInfo_get0_algs(token->signer, NULL, &token->authority, NULL, NULL);
    return NULL;
}

static void read_authority(const X509 *certificate, char out[static 128])
{
    int at = X509_NAME_get_index_by_NID(X509_get_subject_name(certificate), NID_commonName, -1);
    unsigned char *text = NULL;
    if (at < 0) at = X509_NAME_get_index_by_NID(X509_get_subject_name(certificate), NID_organizationName, -1);
    const X509_NAME_ENTRY *entry =
        at < 0 ? NULL : X509_NAME_get_entry(X509_get_subject_name(certificate), at);
    int len = entry == NULL ? -1 : ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
    if (len > 0) snprintf(out, 128, "%.*s", len < 127 ? len : 127, (const char *)text);
    OPENSSL_free(text);
}

/* ---- its checks ---- */

static bool digest_is(const X509_ALGOR *algorithm, const void *data, size_t len,
                      const ASN1_OCTET_STRING *want, bool *known)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    const ASN1_OBJECT *name;
    X509_ALGOR_get0(&name, NULL, NULL, algorithm);
    int nid = OBJ_obj2nid(name);
    *known = nid == NID_sha256 || nid == NID_sha384 || nid == NID_sha512;
    return *known && EVP_Digest(data, len, digest, &size, EVP_get_digestbynid(nid), NULL) == 1 &&
           ASN1_STRING_length(want) == (int)size && memcmp(ASN1_STRING_get0_data(want), digest, size) == 0;
}

/* The signed attributes must name the digest of what the message holds (RFC 5652 11.2). */
static enum bst_time_state content_state(const struct token *token, const char **why)
{
    X509_ALGOR *algorithm = NULL;
    bool known;
    const ASN1_OCTET_STRING *content = content_of(token->cms);
    CMS_SignerInfo_get0_algs(token->signer, NULL, NULL, &algorithm, NULL);
    const ASN1_OCTET_STRING *want = CMS_signed_get0_data_by_OBJ(
        token->signer, OBJ_nid2obj(NID_pkcs9_messageDigest), -3, V_ASN1_OCTET_STRING);
    *why = "its signature does not name what it covers";
    if (want == NULL || algorithm == NULL) return BST_TIME_MALFORMED;
    bool same = digest_is(algorithm, ASN1_STRING_get0_data(content), (size_t)ASN1_STRING_length(content),
                          want, &known);
    *why = known ? "its words are not the ones that were signed" : "its digest is of an unknown kind";
    return same ? BST_TIME_TRUSTED : known ? BST_TIME_MISMATCH : BST_TIME_MALFORMED;
}

/* The authority must have named its own certificate under its signature (RFC 5816), lest another one with the same key
 * be put in its place. */
static bool names_its_certificate(const struct token *token)
{
    static const int attributes[] = {NID_id_smime_aa_signingCertificate,
                                     NID_id_smime_aa_signingCertificateV2};
    const unsigned char *at[2] = {NULL, NULL};
    ESS_SIGNING_CERT *first = NULL;
    ESS_SIGNING_CERT_V2 *second = NULL;
    for (size_t i = 0; i < 2; i++) {
        const ASN1_STRING *text =
            CMS_signed_get0_data_by_OBJ(token->signer, OBJ_nid2obj(attributes[i]), -3, V_ASN1_SEQUENCE);
        if (text == NULL) continue;
        at[i] = ASN1_STRING_get0_data(text);
        if (i == 0) first = d2i_ESS_SIGNING_CERT(NULL, &at[i], ASN1_STRING_length(text));
        if (i == 1) second = d2i_ESS_SIGNING_CERT_V2(NULL, &at[i], ASN1_STRING_length(text));
    }
    STACK_OF(X509) *chain = sk_X509_new_null();
    bool good = chain != NULL && sk_X509_push(chain, token->authority) > 0;
    for (int i = 0; good && i < sk_X509_num(token->certificates); i++) {
        good = sk_X509_push(chain, sk_X509_value(token->certificates, i)) > 0;
    }
    good = good && OSSL_ESS_check_signing_certs(first, second, chain, 1) > 0;
    sk_X509_free(chain);
    ESS_SIGNING_CERT_free(first);
    ESS_SIGNING_CERT_V2_free(second);
    return good;
}

static enum bst_time_state imprint_state(const struct token *token, const struct bst_buf *data,
                                         const char **why)
{
    bool known;
    TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(token->info);
    if (digest_is(TS_MSG_IMPRINT_get_algo(imprint), data->data, data->len, TS_MSG_IMPRINT_get_msg(imprint),
                  &known))
        return BST_TIME_TRUSTED;
    *why = known ? "it is of something else" : "its digest is of an unknown kind";
    return known ? BST_TIME_MISMATCH : BST_TIME_UNTRUSTED;
}

static enum bst_time_state authority_state(const struct token *token, const struct bst_trust *trust,
                                           int64_t when_s, const char **why)
{
    *why = bst_cert_problem(token->authority, BST_ROLE_TSA, trust);
    if (*why != NULL) return BST_TIME_UNTRUSTED;
    bool trusted = bst_trust_path(trust, BST_TRUST_TSA, token->authority, token->certificates, when_s, why);
    return trusted ? BST_TIME_TRUSTED : BST_TIME_UNTRUSTED;
}

static void judge_token(const struct token *token, const struct bst_buf *data, const struct bst_trust *trust,
                        struct bst_time *out)
{
    out->state = BST_TIME_MALFORMED;
    out->why = "its time cannot be read";
    if (!bst_asn1_time(TS_TST_INFO_get_time(token->info), &out->when_s)) return;
    out->state = BST_TIME_UNTRUSTED;
    out->why = "it does not carry its authority's certificate";
    if (token->authority == NULL) return;
    read_authority(token->authority, out->authority);
    out->state = content_state(token, &out->why);
    if (out->state != BST_TIME_TRUSTED) return;
    out->state = BST_TIME_UNTRUSTED;
    out->why = "its signature does not hold";
    if (CMS_SignerInfo_verify(token->signer) != 1) return;
    out->why = "its signature does not name its authority's certificate";
    if (!names_its_certificate(token)) return;
    out->state = BST_TIME_OUTSIDE;
    out->why = "its authority's certificate was not valid at that time";
    if (!bst_cert_covers(token->authority, out->when_s)) return;
    out->state = imprint_state(token, data, &out->why);
    if (out->state != BST_TIME_TRUSTED) return;
    out->validated = true;
    out->state = authority_state(token, trust, out->when_s, &out->why);
}

void bst_timestamp_judge(const uint8_t *der, size_t len, const struct bst_buf *data,
                         const struct bst_trust *trust, struct bst_time *out)
{
    struct token token = {0};
    memset(out, 0, sizeof(*out));
    out->state = BST_TIME_MALFORMED;
    out->why = token_read(der, len, &token);
    if (out->why == NULL) judge_token(&token, data, trust, out);
    token_clear(&token);
    ERR_clear_error();
}

X509 *bst_timestamp_authority(const uint8_t *der, size_t len)
{
    struct token token = {0};
    X509 *authority = NULL;
    if (token_read(der, len, &token) == NULL && token.authority != NULL && X509_up_ref(token.authority) == 1)
        authority = token.authority;
    token_clear(&token);
    ERR_clear_error();
    return authority;
}

/* ---- asking ---- */

static bool fill_request(TS_REQ *request, const uint8_t digest[static BST_SHA256_LEN], bool nonce)
{
    uint8_t random[8];
    X509_ALGOR *algorithm = X509_ALGOR_new();
    TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    BIGNUM *value = NULL;
    bool good = algorithm != NULL && imprint != NULL && number != NULL &&
                X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
                TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1 &&
                TS_MSG_IMPRINT_set_msg(imprint, (unsigned char *)(uintptr_t)digest, BST_SHA256_LEN) == 1 &&
                TS_REQ_set_version(request, 1) == 1 && TS_REQ_set_msg_imprint(request, imprint) == 1 &&
                TS_REQ_set_cert_req(request, 1) == 1;
    if (good && nonce) {
        good = RAND_bytes(random, sizeof(random)) == 1 && (value = BN_bin2bn(random, sizeof(random), NULL)) &&
               BN_to_ASN1_INTEGER(value, number) != NULL && TS_REQ_set_nonce(request, number) == 1;
    }
    BN_free(value);
    ASN1_INTEGER_free(number);
    TS_MSG_IMPRINT_free(imprint);
    X509_ALGOR_free(algorithm);
    return good;
}

enum bst_code bst_timestamp_request(const struct bst_buf *data, bool nonce, struct bst_buf *der,
                                    struct bst_error *err)
{
    uint8_t digest[BST_SHA256_LEN];
    unsigned char *text = NULL;
    TS_REQ *request = TS_REQ_new();
    bst_sha256(data->data, data->len, digest);
    int len = request != NULL && fill_request(request, digest, nonce) ? i2d_TS_REQ(request, &text) : -1;
    if (len > 0) bst_buf_append(der, text, (size_t)len);
    OPENSSL_free(text);
    TS_REQ_free(request);
    ERR_clear_error();
    return len > 0 && !der->failed ? BST_OK : bst_fail_memory(err);
}

/* Whether the authority granted it; its own words otherwise. */
static enum bst_code check_status(TS_RESP *answer, struct bst_error *err)
{
    TS_STATUS_INFO *info = TS_RESP_get_status_info(answer);
    long status = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(info));
    if (status == TS_STATUS_GRANTED || status == TS_STATUS_GRANTED_WITH_MODS) return BST_OK;
    const STACK_OF(ASN1_UTF8STRING) *texts = TS_STATUS_INFO_get0_text(info);
    const ASN1_UTF8STRING *text = sk_ASN1_UTF8STRING_value(texts, 0);
    char *words = text == NULL ? NULL
                               : bst_printable((const char *)ASN1_STRING_get0_data(text),
                                               (size_t)ASN1_STRING_length(text));
    bst_fail(err, BST_FAILURE, "the time stamp authority refused: %.200s",
             words == NULL ? "no reason" : words);
    free(words);
    return err->code;
}

/* The answer must be to the request: same digest, same nonce. */
static bool answers(TS_RESP *answer, const struct bst_buf *request)
{
    const unsigned char *at = request->data;
    TS_REQ *asked = d2i_TS_REQ(NULL, &at, (long)request->len);
    TS_VERIFY_CTX *context = asked == NULL ? NULL : TS_REQ_to_TS_VERIFY_CTX(asked, NULL);
    bool good = context != NULL && TS_RESP_verify_response(context, answer) == 1;
    TS_VERIFY_CTX_free(context);
    TS_REQ_free(asked);
    return good;
}

enum bst_code bst_timestamp_answer(const void *der, size_t len, const struct bst_buf *request,
                                   struct bst_buf *token, struct bst_error *err)
{
    const unsigned char *at = der;
    unsigned char *text = NULL;
    TS_RESP *answer = len > TOKEN_MAX ? NULL : d2i_TS_RESP(NULL, &at, (long)len);
    CMS_ContentInfo *bare = answer == NULL ? read_cms(der, len) : NULL;
    enum bst_code code = BST_OK;
    if (bare != NULL && request == NULL) {
        bst_buf_append(token, der, len);
    } else if (answer == NULL) {
        code = bst_fail(err, BST_UNREADABLE, "this is no answer of a time stamp authority");
    } else if ((code = check_status(answer, err)) == BST_OK) {
        PKCS7 *inside = TS_RESP_get_token(answer);
        int size = inside == NULL ? -1 : i2d_PKCS7(inside, &text);
        if (size <= 0 || (request != NULL && !answers(answer, request))) {
            code =
                bst_fail(err, BST_BROKEN, "the time stamp authority answered something else than was asked");
        } else {
            bst_buf_append(token, text, (size_t)size);
        }
    }
    if (code == BST_OK && token->failed) code = bst_fail_memory(err);
    OPENSSL_free(text);
    CMS_ContentInfo_free(bare);
    TS_RESP_free(answer);
    ERR_clear_error();
    return code;
}

enum bst_code bst_timestamp_fetch(const char *url, const struct bst_buf *data, struct bst_buf *token,
                                  struct bst_error *err)
{
    struct bst_buf request = {0}, answer = {0};
    struct bst_http http = {.url = url,
                            .content_type = "application/timestamp-query",
                            .accept = "application/timestamp-reply",
                            .limit = TOKEN_MAX};
    enum bst_code code = bst_timestamp_request(data, true, &request, err);
    if (code == BST_OK) code = bst_http_post(&http, request.data, request.len, &answer, err);
    if (code == BST_OK) {
        code = bst_timestamp_answer(answer.data, answer.len, &request, token, err);
        if (code != BST_OK) bst_where(err, "%s", url);
    }
    if (code == BST_OK) {
        struct bst_time time;
        bst_timestamp_judge(token->data, token->len, data, NULL, &time);
        if (!time.validated) {
            bst_fail(err, BST_BROKEN, "the time stamp that the authority made is not sound: %s", time.why);
            code = bst_where(err, "%s", url);
        }
    }
    bst_buf_free(&request);
    bst_buf_free(&answer);
    return code;
}
