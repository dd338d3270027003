/* trust.c - whose certificates are believed, and for what. Nothing is by default. Paths are built and checked by
 * libcrypto, at the time that the caller names. */
#include "trust.h"
#include "cert_profile.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define ALLOWED_MAX 100000
#define USAGES_MAX  256
#define VKEY_MAX    1024

enum bst_code bst_trust_new(struct bst_trust **out, struct bst_error *err)
{
    struct bst_trust *trust = bst_calloc(1, sizeof(*trust));
    if (trust == NULL) return bst_fail_memory(err);
    for (size_t i = 0; i < BST_TRUST_KINDS; i++) {
        trust->anchors[i] = X509_STORE_new();
        if (trust->anchors[i] != NULL) continue;
        bst_trust_free(trust);
        return bst_fail_memory(err);
    }
    *out = trust;
    return BST_OK;
}

void bst_trust_free(struct bst_trust *trust)
{
    if (trust == NULL) return;
    for (size_t i = 0; i < BST_TRUST_KINDS; i++) {
        X509_STORE_free(trust->anchors[i]);
    }
    for (size_t i = 0; i < trust->usage_count; i++) {
        ASN1_OBJECT_free(trust->usages[i]);
    }
    for (size_t i = 0; i < trust->log_key_count; i++) {
        free(trust->log_keys[i]);
    }
    free(trust->usages);
    free(trust->allowed);
    free(trust->log_keys);
    free(trust);
}

const char *const *bst_trust_log_keys(const struct bst_trust *trust, size_t *count)
{
    *count = trust->log_key_count;
    return (const char *const *)trust->log_keys;
}

void bst_trust_ask_responders(struct bst_trust *trust)
{
    trust->asks_responders = true;
}

/* ---- adding ---- */

static int compare_digests(const void *a, const void *b)
{
    return memcmp(a, b, BST_SHA256_LEN);
}

static enum bst_code allow(struct bst_trust *trust, const uint8_t digest[static BST_SHA256_LEN],
                           struct bst_error *err)
{
    if (trust->allowed_count == ALLOWED_MAX)
        return bst_fail(err, BST_UNREADABLE, "more than %d allowed certificates", ALLOWED_MAX);
    void *grown = realloc(trust->allowed, (trust->allowed_count + 1) * sizeof(*trust->allowed));
    if (grown == NULL) return bst_fail_memory(err);
    trust->allowed = grown;
    memcpy(trust->allowed[trust->allowed_count++], digest, BST_SHA256_LEN);
    return BST_OK;
}

static enum bst_code add_certificate(struct bst_trust *trust, X509 *certificate, unsigned kinds,
                                     struct bst_error *err)
{
    if (kinds & BST_TRUST_ALLOWED) {
        uint8_t digest[BST_SHA256_LEN];
        unsigned len = 0;
        if (X509_digest(certificate, EVP_sha256(), digest, &len) != 1) return bst_fail_memory(err);
        return allow(trust, digest, err);
    }
    for (size_t i = 0; i < BST_TRUST_KINDS; i++) {
        if (!(kinds & 1u << i)) continue;
        if (X509_STORE_add_cert(trust->anchors[i], certificate) != 1) return bst_fail_memory(err);
        trust->anchor_count[i]++;
    }
    return BST_OK;
}

static enum bst_code add_usage(struct bst_trust *trust, const char *oid, struct bst_error *err)
{
    ASN1_OBJECT *usage = OBJ_txt2obj(oid, 1);
    ASN1_OBJECT **grown = usage == NULL || trust->usage_count == USAGES_MAX
                              ? NULL
                              : realloc(trust->usages, (trust->usage_count + 1) * sizeof(*grown));
    ERR_clear_error();
    if (grown == NULL) {
        ASN1_OBJECT_free(usage);
        return bst_fail(err, BST_UNREADABLE, "\"%.60s\" is no object identifier", oid);
    }
    trust->usages = grown;
    grown[trust->usage_count++] = usage;
    return BST_OK;
}

static enum bst_code add_log_key(struct bst_trust *trust, const char *vkey, struct bst_error *err)
{
    char *origin = NULL, *text = NULL;
    uint8_t key[BST_KEY_LEN];
    enum bst_code code = bst_vkey_parse(vkey, &origin, key, err);
    free(origin);
    if (code != BST_OK) return code;
    char **grown = realloc(trust->log_keys, (trust->log_key_count + 1) * sizeof(*grown));
    if (grown != NULL) trust->log_keys = grown;
    if (grown == NULL || (text = bst_strdup(vkey)) == NULL) return bst_fail_memory(err);
    grown[trust->log_key_count++] = text;
    return BST_OK;
}

static bool is_oid(const char *line)
{
    return line[0] >= '0' && line[0] <= '2' && line[1] == '.' && strspn(line, "0123456789.") == strlen(line);
}

static bool is_log_key(const char *line)
{
    return line[0] != '#' && line[0] != '-' && strchr(line, '+') && strchr(line, '/') && !strchr(line, ' ');
}

/* A line outside of the certificates: a digest, an object identifier, a log's key, or somebody's comment. */
static enum bst_code add_line(struct bst_trust *trust, const char *line, unsigned kinds,
                              struct bst_trust_count *count, struct bst_error *err)
{
    struct bst_buf digest = {0};
    enum bst_code code = BST_OK;
    if (is_oid(line)) {
        code = add_usage(trust, line, err);
        if (code == BST_OK) count->usages++;
    } else if ((kinds & BST_TRUST_ALLOWED) && strlen(line) == 44 && bst_unbase64(line, 44, false, &digest) &&
               digest.len == BST_SHA256_LEN) {
        code = allow(trust, digest.data, err);
        if (code == BST_OK) count->allowed++;
    } else if (is_log_key(line)) {
        code = add_log_key(trust, line, err);
        if (code == BST_OK) count->log_keys++;
    }
    bst_buf_free(&digest);
    return code;
}

/* The certificate in the PEM block, which ends with its last line. */
static enum bst_code add_block(struct bst_trust *trust, const char *block, size_t len, unsigned kinds,
                               struct bst_trust_count *count, struct bst_error *err)
{
    BIO *bio = len > INT_MAX ? NULL : BIO_new_mem_buf(block, (int)len);
    X509 *certificate = bio == NULL ? NULL : bst_cert_next(bio);
    enum bst_code code = certificate == NULL ? bst_fail(err, BST_UNREADABLE, "certificate %zu cannot be read",
                                                        count->anchors + count->allowed + 1)
                                             : add_certificate(trust, certificate, kinds, err);
    if (code == BST_OK && kinds & BST_TRUST_ALLOWED) count->allowed++;
    if (code == BST_OK && !(kinds & BST_TRUST_ALLOWED)) count->anchors++;
    if (certificate != NULL && !bst_cert_covers(certificate, bst_now_ms() / 1000)) count->expired++;
    X509_free(certificate);
    BIO_free(bio);
    ERR_clear_error();
    return code;
}

enum bst_code bst_trust_add(struct bst_trust *trust, const char *text, size_t len, unsigned kinds,
                            struct bst_trust_count *count, struct bst_error *err)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
    const char *stop = text + len, *block = NULL;
    struct bst_trust_count found = {0};
    enum bst_code code = BST_OK;
    if (memchr(text, 0, len) != NULL) return bst_fail(err, BST_UNREADABLE, "this is no text");
    for (const char *line = text; code == BST_OK && line < stop;) {
        const char *newline = memchr(line, '\n', (size_t)(stop - line));
        const char *next = newline == NULL ? stop : newline + 1;
        size_t n = (size_t)((newline == NULL ? stop : newline) - line);
        while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == ' ')) {
            n--;
        }
        if (n == sizeof(begin) - 1 && memcmp(line, begin, n) == 0) {
            block = line;
        } else if (block != NULL && n == sizeof(end) - 1 && memcmp(line, end, n) == 0) {
            code = add_block(trust, block, (size_t)(next - block), kinds, &found, err);
            block = NULL;
        } else if (block == NULL && n > 0 && n < VKEY_MAX) {
            char copy[VKEY_MAX];
            memcpy(copy, line, n);
            copy[n] = 0;
            code = add_line(trust, copy, kinds, &found, err);
        }
        line = next;
    }
    if (code == BST_OK && block != NULL)
        code = bst_fail(err, BST_UNREADABLE, "the last certificate has no end");
    if (code == BST_OK && found.anchors + found.allowed + found.usages + found.log_keys == 0) {
        bst_fail(err, BST_UNREADABLE, "it holds neither certificates nor log keys");
        code = bst_hint(err, "blindstamp key export writes what others need to trust your pictures");
    }
    if (trust->allowed_count > 1)
        qsort(trust->allowed, trust->allowed_count, sizeof(*trust->allowed), compare_digests);
    if (count != NULL) *count = found;
    return code;
}

/* ---- asking ---- */

bool bst_trust_allows(const struct bst_trust *trust, X509 *leaf)
{
    uint8_t digest[BST_SHA256_LEN];
    unsigned len = 0;
    return trust->allowed_count > 0 && X509_digest(leaf, EVP_sha256(), digest, &len) == 1 &&
           bsearch(digest, trust->allowed, trust->allowed_count, sizeof(*trust->allowed), compare_digests) !=
               NULL;
}

bool bst_trust_has_usage(const struct bst_trust *trust, const ASN1_OBJECT *usage)
{
    for (size_t i = 0; i < trust->usage_count; i++) {
        if (OBJ_cmp(trust->usages[i], usage) == 0) return true;
    }
    return false;
}

bool bst_trust_in_order(STACK_OF(X509) * chain)
{
    for (int i = 0; i + 1 < sk_X509_num(chain); i++) {
        if (X509_check_issued(sk_X509_value(chain, i + 1), sk_X509_value(chain, i)) != X509_V_OK)
            return false;
    }
    return true;
}

static size_t index_of(enum bst_trust_kind kind)
{
    return kind == BST_TRUST_MANIFEST ? 0 : kind == BST_TRUST_TSA ? 1 : 2;
}

/* libcrypto's: no SHA-1 in any certificate between leaf and anchor (C2PA 2.4, 14.5.1); the leaf's key has a rule of its
 * own. */
#define AUTH_LEVEL 1

bool bst_trust_path(const struct bst_trust *trust, enum bst_trust_kind kind, X509 *leaf,
                    STACK_OF(X509) * chain, int64_t when_s, const char **why)
{
    size_t i = index_of(kind);
    *why = "no anchors were given";
    if (trust == NULL || trust->anchor_count[i] == 0) return false;
    bool good = false;
    *why = "out of memory";
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (context != NULL && X509_STORE_CTX_init(context, trust->anchors[i], leaf, chain) == 1) {
        X509_STORE_CTX_set_flags(context, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_X509_STRICT);
        X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(context), AUTH_LEVEL);
        X509_STORE_CTX_set_time(context, 0, (time_t)when_s);
        good = X509_verify_cert(context) == 1;
        *why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
    }
    X509_STORE_CTX_free(context);
    ERR_clear_error();
    return good;
}

X509 *bst_trust_issuer(const struct bst_trust *trust, enum bst_trust_kind kind, X509 *leaf,
                       STACK_OF(X509) * chain)
{
    X509 *issuer = NULL;
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *candidate = sk_X509_value(chain, i);
        if (candidate != leaf && X509_check_issued(candidate, leaf) == X509_V_OK)
            return X509_up_ref(candidate) == 1 ? candidate : NULL;
    }
    X509_STORE_CTX *context = trust == NULL ? NULL : X509_STORE_CTX_new();
    if (context == NULL || X509_STORE_CTX_init(context, trust->anchors[index_of(kind)], leaf, NULL) != 1 ||
        X509_STORE_CTX_get1_issuer(&issuer, context, leaf) != 1)
        issuer = NULL;
    X509_STORE_CTX_free(context);
    ERR_clear_error();
    return issuer;
}
