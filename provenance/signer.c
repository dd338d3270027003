/* signer.c - who signs the claims of a home: a credential of the author's own, or else the author's key under the local
 * authority. A certificate that would not do is found here, before anything is made. */
#include "signer.h"
#include "cert_profile.h"
#include "key.h"
#include "ocsp.h"
#include "trust.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define PEM_MAX (1u << 20)

void bst_signer_clear(struct bst_signer *signer)
{
    EVP_PKEY_free(signer->evp);
    bst_chain_clear(&signer->chain);
    bst_buf_free(&signer->ocsp);
    memset(signer, 0, sizeof(*signer));
}

static X509 *leaf_of(const struct bst_chain *chain)
{
    const unsigned char *der = chain->der[0].data;
    return d2i_X509(NULL, &der, (long)chain->der[0].len);
}

/* NULL, or why the certificate cannot be used with the key. */
static const char *problem_of(X509 *leaf, EVP_PKEY *key, const struct bst_trust *trust)
{
    int64_t now_s = bst_now_ms() / 1000;
    if (EVP_PKEY_eq(X509_get0_pubkey(leaf), key) != 1) return "it is not for the key it stands with";
    if (!bst_cert_covers(leaf, now_s)) return "it is not valid today";
    const char *problem = bst_cert_problem(leaf, BST_ROLE_CLAIM, trust);
    if (problem != NULL || bst_trust_allows(trust, leaf)) return problem;
    return bst_trust_path(trust, BST_TRUST_MANIFEST, leaf, NULL, now_s, &problem) ? NULL : problem;
}

static enum bst_code check(const struct bst_signer *signer, const struct bst_trust *trust,
                           struct bst_error *err)
{
    X509 *leaf = leaf_of(&signer->chain);
    EVP_PKEY *own = signer->key == NULL ? NULL : bst_key_evp(signer->key);
    EVP_PKEY *key = own == NULL ? signer->evp : own;
    enum bst_code code = BST_OK;
    if (leaf == NULL || key == NULL) {
        code = bst_fail_memory(err);
    } else {
        const char *problem = problem_of(leaf, key, trust);
        if (problem != NULL)
            code = bst_fail(err, BST_FAILURE, "the signer's certificate cannot be used: %s", problem);
    }
    EVP_PKEY_free(own);
    X509_free(leaf);
    ERR_clear_error();
    return code;
}

/* The author's certificate from the local authority. */
static enum bst_code open_local(const char *home, const struct bst_key *author, const struct bst_trust *trust,
                                struct bst_signer *out, struct bst_error *err)
{
    struct bst_buf pem = {0};
    char *path = bst_path_join(home, "certs/author.pem");
    enum bst_code code = path == NULL ? bst_fail_memory(err) : bst_file_read(path, PEM_MAX, &pem, err);
    if (code == BST_OK) code = bst_chain_from_pem((const char *)pem.data, pem.len, &out->chain, err);
    out->key = author;
    if (code == BST_OK) code = check(out, trust, err);
    if (code != BST_OK && path != NULL && err->where[0] == 0) bst_where(err, "%s", path);
    bst_buf_free(&pem);
    free(path);
    return code;
}

static enum bst_code open_credential(const char *home, const struct bst_credential *credential,
                                     const char *passphrase, const struct bst_key *author,
                                     const struct bst_trust *trust, struct bst_signer *out, bool *locked,
                                     struct bst_error *err)
{
    char *path = bst_path_join(home, credential->key);
    enum bst_code code =
        path == NULL ? bst_fail_memory(err)
                     : bst_chain_from_pem(credential->chain, strlen(credential->chain), &out->chain, err);
    if (code == BST_OK && strcmp(credential->key, BST_AUTHOR_KEY) == 0) {
        out->key = author;
    } else if (code == BST_OK) {
        code = bst_evp_load(path, passphrase, &out->evp, locked, err);
        out->alg = bst_cose_number(credential->alg);
    }
    if (code == BST_OK) code = check(out, trust, err);
    if (code != BST_OK && err->where[0] == 0) bst_where(err, "%s/" BST_CREDENTIAL_FILE, home);
    if (code == BST_FAILURE && err->hint[0] == 0)
        bst_hint(err,
                 "blindstamp cert import brings a new certificate, cert remove the local authority's back");
    free(path);
    return code;
}

enum bst_code bst_signer_open(const char *home, const char *passphrase, const struct bst_key *author,
                              const struct bst_trust *trust, struct bst_signer *out, bool *locked,
                              struct bst_error *err)
{
    struct bst_credential credential;
    memset(out, 0, sizeof(*out));
    enum bst_code code = bst_credential_load(home, &credential, err);
    if (code != BST_OK) return code;
    code = credential.chain == NULL
               ? open_local(home, author, trust, out, err)
               : open_credential(home, &credential, passphrase, author, trust, out, locked, err);
    bst_credential_clear(&credential);
    if (code != BST_OK) bst_signer_clear(out);
    return code;
}

/* ---- stapling ---- */

/* The chain for libcrypto. */
static enum bst_code parse_chain(const struct bst_chain *chain, STACK_OF(X509) * stack, struct bst_error *err)
{
    for (size_t i = 0; i < chain->count; i++) {
        const unsigned char *der = chain->der[i].data;
        X509 *certificate = d2i_X509(NULL, &der, (long)chain->der[i].len);
        if (certificate != NULL && sk_X509_push(stack, certificate) > 0) continue;
        X509_free(certificate);
        return bst_fail_memory(err);
    }
    return BST_OK;
}

/* Trust in the credential's own certificates, its root among them: whether others trust it is theirs to say. */
static enum bst_code trust_chain(const char *home, struct bst_trust *trust, struct bst_error *err)
{
    struct bst_credential credential;
    enum bst_code code = bst_credential_load(home, &credential, err);
    if (code == BST_OK && credential.chain == NULL)
        code = bst_fail(err, BST_USAGE, "the local authority keeps no list of revoked certificates");
    if (code == BST_OK)
        code =
            bst_trust_add(trust, credential.chain, strlen(credential.chain), BST_TRUST_MANIFEST, NULL, err);
    bst_credential_clear(&credential);
    return code;
}

enum bst_code bst_signer_staple(const char *home, struct bst_signer *signer, struct bst_error *err)
{
    const char *why;
    struct bst_trust *trust = NULL;
    STACK_OF(X509) *chain = sk_X509_new_null();
    enum bst_code code = chain == NULL ? bst_fail_memory(err) : bst_trust_new(&trust, err);
    if (code == BST_OK) code = trust_chain(home, trust, err);
    if (code == BST_OK) code = parse_chain(&signer->chain, chain, err);
    if (code == BST_OK) code = bst_ocsp_fetch(chain, trust, &signer->ocsp, err);
    if (code == BST_NO_PROVENANCE) code = err->code = BST_USAGE;
    if (code == BST_OK) {
        enum bst_ocsp_state state = bst_ocsp_judge(signer->ocsp.data, signer->ocsp.len, chain, trust,
                                                   bst_now_ms() / 1000, false, &why);
        if (state == BST_OCSP_REVOKED)
            code = bst_fail(err, BST_BROKEN, "the signer's certificate was revoked");
        else if (state != BST_OCSP_GOOD)
            code = bst_fail(err, BST_FAILURE, "the responder's answer cannot be used: %s", why);
    }
    sk_X509_pop_free(chain, X509_free);
    bst_trust_free(trust);
    return code;
}
