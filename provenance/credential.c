/* credential.c - a certificate of the author's own, from an authority that others trust: asked for, taken in, dropped.
 *
 * HOME/certs/claim.json holds the algorithm, the name of the key's file and the chain, so that one rename puts all in
 * force. Keys made for requests are HOME/keys/claim-KEYID.pem, encrypted as the home's others. */
#include "cert_profile.h"
#include "key.h"
#include "signer.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX  (1u << 20)
#define RSA_BITS  3072 /* 128 bits of security (NIST SP 800-57) */
#define CHAIN_MAX 16   /* certificates in a file that is taken in */

/* ---- the file ---- */

void bst_credential_clear(struct bst_credential *credential)
{
    free(credential->alg);
    free(credential->key);
    free(credential->chain);
    memset(credential, 0, sizeof(*credential));
}

static bool is_key_name(const char *name)
{
    return strcmp(name, BST_AUTHOR_KEY) == 0 ||
           (strncmp(name, "keys/claim-", 11) == 0 && strchr(name + 11, '/') == NULL);
}

enum bst_code bst_credential_load(const char *home, struct bst_credential *out, struct bst_error *err)
{
    json_t *json = NULL;
    memset(out, 0, sizeof(*out));
    char *path = bst_path_join(home, BST_CREDENTIAL_FILE);
    if (path == NULL) return bst_fail_memory(err);
    if (!bst_file_exists(path)) {
        free(path);
        return BST_OK;
    }
    enum bst_code code = bst_json_load(path, FILE_MAX, &json, err);
    if (code == BST_OK) {
        const char *alg = bst_json_text(json, "alg"), *key = bst_json_text(json, "key"),
                   *chain = bst_json_text(json, "chain");
        if (alg == NULL || bst_cose_number(alg) == 0 || key == NULL || !is_key_name(key) || chain == NULL) {
            bst_fail(err, BST_UNREADABLE, "it lacks algorithm, key or certificates");
            code = bst_where(err, "%s", path);
        } else {
            out->alg = bst_strdup(alg);
            out->key = bst_strdup(key);
            out->chain = bst_strdup(chain);
            if (out->alg == NULL || out->key == NULL || out->chain == NULL) code = bst_fail_memory(err);
        }
    }
    json_decref(json);
    free(path);
    if (code != BST_OK) bst_credential_clear(out);
    return code;
}

/* ---- requests ---- */

static EVP_PKEY *new_key(int64_t alg)
{
    switch (alg) {
    case -7:
        return EVP_EC_gen("P-256");
    case -35:
        return EVP_EC_gen("P-384");
    case -36:
        return EVP_EC_gen("P-521");
    default:
        return EVP_RSA_gen(RSA_BITS);
    }
}

static bool add_extension(STACK_OF(X509_EXTENSION) * list, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    if (extension != NULL && sk_X509_EXTENSION_push(list, extension) > 0) return true;
    X509_EXTENSION_free(extension);
    return false;
}

/* What C2PA asks for stands in the request; an authority may heed it. */
static bool add_extensions(X509_REQ *request)
{
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    bool good = list != NULL && add_extension(list, NID_basic_constraints, "critical,CA:FALSE") &&
                add_extension(list, NID_key_usage, "critical,digitalSignature") &&
                add_extension(list, NID_ext_key_usage, "emailProtection,1.3.6.1.4.1.62558.2.1") &&
                X509_REQ_add_extensions(request, list) == 1;
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    return good;
}

static bool add_name(X509_NAME *name, const char *field, const char *value)
{
    return value == NULL || X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                                       (const unsigned char *)value, -1, -1, 0) == 1;
}

static enum bst_code make_request(const struct bst_csr *csr, EVP_PKEY *key, char **pem, struct bst_error *err)
{
    X509_REQ *request = X509_REQ_new();
    BIO *bio = BIO_new(BIO_s_mem());
    X509_NAME *name = request == NULL ? NULL : X509_REQ_get_subject_name(request);
    const EVP_MD *digest = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
    bool good = name != NULL && bio != NULL && add_name(name, "C", csr->country) &&
                add_name(name, "O", csr->organisation) && add_name(name, "CN", csr->name) &&
                X509_REQ_set_pubkey(request, key) == 1 && add_extensions(request) &&
                X509_REQ_sign(request, key, digest) > 0 && PEM_write_bio_X509_REQ(bio, request) == 1;
    if (good) {
        char *text = NULL;
        long len = BIO_get_mem_data(bio, &text);
        *pem = bst_format("%.*s", (int)len, text);
        good = *pem != NULL;
    }
    BIO_free(bio);
    X509_REQ_free(request);
    unsigned long reason = ERR_get_error();
    ERR_clear_error();
    if (good) return BST_OK;
    const char *words = ERR_reason_error_string(reason);
    return bst_fail(err, BST_USAGE, "libcrypto cannot make the request: %s",
                    words == NULL ? "out of memory" : words);
}

/* The author's key, and the passphrase that the home's keys really need. */
static enum bst_code unlock(const char *home, const char *passphrase, struct bst_key **author,
                            const char **needed, bool *locked, struct bst_error *err)
{
    *needed = NULL;
    if (bst_home_key(home, BST_AUTHOR_KEY, NULL, author, locked, err) == BST_OK) return BST_OK;
    if (!*locked) return err->code;
    *needed = passphrase;
    return bst_home_key(home, BST_AUTHOR_KEY, passphrase, author, locked, err);
}

/* "keys/claim-0123456789abcdef.pem" by the key's SubjectPublicKeyInfo. */
static char *name_key(EVP_PKEY *key)
{
    unsigned char *der = NULL;
    uint8_t digest[BST_SHA256_LEN];
    char hex[BST_SHA256_HEX];
    int len = i2d_PUBKEY(key, &der);
    if (len <= 0) return NULL;
    bst_sha256(der, (size_t)len, digest);
    OPENSSL_free(der);
    bst_hex(digest, sizeof(digest), hex);
    return bst_format("keys/claim-%.16s.pem", hex);
}

static enum bst_code save_key(const char *home, EVP_PKEY *key, const char *passphrase, char **name,
                              struct bst_error *err)
{
    *name = name_key(key);
    char *path = *name == NULL ? NULL : bst_path_join(home, *name);
    enum bst_code code = path == NULL ? bst_fail_memory(err) : bst_evp_save(key, path, passphrase, true, err);
    free(path);
    if (code == BST_OK) return BST_OK;
    free(*name);
    *name = NULL;
    return code;
}

enum bst_code bst_credential_request(const struct bst_csr *csr, char **pem, bool *locked,
                                     struct bst_error *err)
{
    struct bst_key *author = NULL;
    const char *passphrase;
    char *name = NULL;
    int64_t alg = bst_cose_number(csr->alg);
    *locked = false;
    if (alg == 0) {
        bst_fail(err, BST_USAGE, "there is no signature algorithm called \"%.40s\"", csr->alg);
        return bst_hint(err, "ed25519, es256, es384, es512, ps256, ps384 or ps512");
    }
    enum bst_code code = unlock(csr->home, csr->passphrase, &author, &passphrase, locked, err);
    if (code != BST_OK) return code;
    bool ours = strcmp(csr->alg, "ed25519") == 0;
    EVP_PKEY *key = ours ? bst_key_evp(author) : new_key(alg);
    code = key == NULL ? bst_fail_memory(err) : make_request(csr, key, pem, err);
    if (code == BST_OK && !ours && (code = save_key(csr->home, key, passphrase, &name, err)) != BST_OK) {
        free(*pem);
        *pem = NULL;
    }
    free(name);
    EVP_PKEY_free(key);
    bst_key_free(author);
    return code;
}

/* ---- taking in ---- */

struct intake {
    const struct bst_credential_file *file;
    const char *passphrase; /* that the home's keys need */
    struct bst_key *author;
    STACK_OF(X509) * certificates;
    EVP_PKEY *given; /* with the file, or in --key */
    EVP_PKEY *key;   /* the one that a certificate is for */
    char *key_name;  /* its file in home; NULL: it is not there yet */
    X509 *leaf;      /* of certificates */
};

static void intake_clear(struct intake *intake)
{
    bst_key_free(intake->author);
    sk_X509_pop_free(intake->certificates, X509_free);
    EVP_PKEY_free(intake->given);
    EVP_PKEY_free(intake->key);
    free(intake->key_name);
}

static bool is_pem(const struct bst_buf *text)
{
    static const char begin[] = "-----BEGIN ";
    for (size_t i = 0; i + sizeof(begin) - 1 <= text->len; i++) {
        if (memcmp(text->data + i, begin, sizeof(begin) - 1) == 0) return true;
    }
    return false;
}

static enum bst_code read_pem(struct intake *intake, const struct bst_buf *text, struct bst_error *err)
{
    BIO *bio = BIO_new_mem_buf(text->data, (int)text->len);
    enum bst_code code = bio == NULL ? bst_fail_memory(err) : BST_OK;
    X509 *certificate;
    while (code == BST_OK && (certificate = bst_cert_next(bio)) != NULL) {
        if (sk_X509_num(intake->certificates) == CHAIN_MAX ||
            sk_X509_push(intake->certificates, certificate) <= 0) {
            X509_free(certificate);
            code = bst_fail(err, BST_UNREADABLE, "it holds more than %d certificates", CHAIN_MAX);
        }
    }
    BIO_free(bio);
    ERR_clear_error();
    return code;
}

static enum bst_code read_pkcs12(struct intake *intake, const struct bst_buf *text, bool *locked,
                                 struct bst_error *err)
{
    const unsigned char *at = text->data;
    const char *passphrase = intake->file->passphrase;
    PKCS12 *container = d2i_PKCS12(NULL, &at, (long)text->len);
    X509 *leaf = NULL;
    STACK_OF(X509) *more = NULL;
    enum bst_code code = BST_OK;
    if (container == NULL) {
        code = bst_fail(err, BST_UNREADABLE, "it is neither PEM nor PKCS#12");
    } else if (passphrase == NULL && PKCS12_verify_mac(container, NULL, 0) != 1 &&
               PKCS12_verify_mac(container, "", 0) != 1) {
        *locked = true;
        code = bst_fail(err, BST_USAGE, "the file is protected by a passphrase");
        bst_hint(err, "give it with --key-passphrase-file");
    } else if (PKCS12_parse(container, passphrase == NULL ? "" : passphrase, &intake->given, &leaf, &more) !=
               1) {
        bool wrong = ERR_GET_REASON(ERR_peek_last_error()) == PKCS12_R_MAC_VERIFY_FAILURE;
        code = bst_fail(err, wrong ? BST_USAGE : BST_UNREADABLE,
                        wrong ? "wrong passphrase" : "libcrypto cannot open the PKCS#12 file");
        if (!wrong) bst_hint(err, "it may be of an old kind: openssl pkcs12 -legacy -in FILE -out NEW.pem");
    }
    if (code == BST_OK && leaf != NULL && sk_X509_push(intake->certificates, leaf) > 0) leaf = NULL;
    while (code == BST_OK && sk_X509_num(more) > 0 && sk_X509_num(intake->certificates) < CHAIN_MAX) {
        X509 *next = sk_X509_shift(more);
        if (sk_X509_push(intake->certificates, next) <= 0) X509_free(next);
    }
    X509_free(leaf);
    sk_X509_pop_free(more, X509_free);
    PKCS12_free(container);
    ERR_clear_error();
    return code;
}

static enum bst_code read_files(struct intake *intake, bool *locked, struct bst_error *err)
{
    const struct bst_credential_file *file = intake->file;
    struct bst_buf text = {0};
    enum bst_code code = bst_file_read(file->path, FILE_MAX, &text, err);
    intake->certificates = sk_X509_new_null();
    if (code == BST_OK && intake->certificates == NULL) code = bst_fail_memory(err);
    if (code == BST_OK)
        code = is_pem(&text) ? read_pem(intake, &text, err) : read_pkcs12(intake, &text, locked, err);
    if (code == BST_OK && sk_X509_num(intake->certificates) == 0)
        code = bst_fail(err, BST_UNREADABLE, "it holds no certificate");
    if (code != BST_OK) bst_where(err, "%s", file->path);
    if (text.data != NULL) OPENSSL_cleanse(text.data, text.cap);
    bst_buf_free(&text);
    if (code == BST_OK && file->key != NULL && intake->given == NULL)
        code = bst_evp_load(file->key, file->passphrase, &intake->given, locked, err);
    return code;
}

/* Takes the key if a certificate is for it. */
static bool take(struct intake *intake, EVP_PKEY *key, const char *name)
{
    for (int i = 0; intake->leaf == NULL && i < sk_X509_num(intake->certificates); i++) {
        X509 *certificate = sk_X509_value(intake->certificates, i);
        if (EVP_PKEY_eq(X509_get0_pubkey(certificate), key) != 1) continue;
        intake->leaf = certificate;
        intake->key = key;
        EVP_PKEY_up_ref(key);
        intake->key_name = name == NULL ? NULL : bst_strdup(name);
    }
    ERR_clear_error();
    return intake->leaf != NULL;
}

static int is_claim_key(const struct dirent *entry)
{
    return strncmp(entry->d_name, "claim-", 6) == 0;
}

/* Keys that were made for requests. */
static enum bst_code try_home_keys(struct intake *intake, struct bst_error *err)
{
    char *folder = bst_path_join(intake->file->home, "keys");
    struct dirent **names = NULL;
    int count = folder == NULL ? -1 : scandir(folder, &names, is_claim_key, alphasort);
    enum bst_code code = folder == NULL ? bst_fail_memory(err) : BST_OK;
    for (int i = 0; i < count; i++) {
        EVP_PKEY *key = NULL;
        char *path = bst_path_join(folder, names[i]->d_name), *name = bst_format("keys/%s", names[i]->d_name);
        if (code == BST_OK && intake->leaf == NULL && path != NULL && name != NULL) {
            code = bst_evp_load(path, intake->passphrase, &key, NULL, err);
            if (code == BST_OK) take(intake, key, name);
        }
        EVP_PKEY_free(key);
        free(path);
        free(name);
        free(names[i]);
    }
    free(names);
    free(folder);
    return code;
}

static enum bst_code find_key(struct intake *intake, struct bst_error *err)
{
    EVP_PKEY *author = bst_key_evp(intake->author);
    enum bst_code code = author == NULL ? bst_fail_memory(err) : BST_OK;
    if (code == BST_OK && !take(intake, author, BST_AUTHOR_KEY) &&
        !(intake->given != NULL && take(intake, intake->given, NULL)))
        code = try_home_keys(intake, err);
    EVP_PKEY_free(author);
    if (code != BST_OK || intake->leaf != NULL) return code;
    bst_fail(err, BST_USAGE, "none of the certificates is for a key of yours");
    bst_hint(err, "blindstamp cert csr makes a request for one; --key FILE brings a key along");
    return bst_where(err, "%s", intake->file->path);
}

static enum bst_code check_leaf(const struct intake *intake, const char **alg, struct bst_error *err)
{
    const char *named = intake->file->alg;
    int64_t number = named == NULL ? bst_cose_choose(intake->key) : bst_cose_number(named);
    *alg = bst_cose_algorithm(number);
    if (*alg == NULL || !bst_cose_fits(number, intake->key)) {
        bst_fail(err, BST_USAGE,
                 named == NULL ? "C2PA has no algorithm for the key" : "the key cannot sign with %.40s",
                 named);
        return bst_where(err, "%s", intake->file->path);
    }
    for (size_t i = 0; i < bst_cert_rule_count; i++) {
        const struct bst_cert_rule *rule = &bst_cert_rules[i];
        const char *problem = rule->problem(intake->leaf, BST_ROLE_CLAIM, NULL);
        if (problem == NULL) continue;
        bst_fail(err, BST_USAGE, "validators would refuse the certificate (rule %s): %s", rule->name,
                 problem);
        bst_hint(err, "%s", rule->fix);
        return bst_where(err, "%s", intake->file->path);
    }
    if (bst_cert_covers(intake->leaf, bst_now_ms() / 1000)) return BST_OK;
    bst_fail(err, BST_USAGE, "the certificate is not valid today");
    return bst_where(err, "%s", intake->file->path);
}

/* The leaf, then who issued it, then who issued that, as far as the file holds them. A root stays here, where it serves
 * to check answers on revocation; signatures leave it out (bst_chain_from_pem). */
static char *ordered_chain(const struct intake *intake)
{
    BIO *bio = BIO_new(BIO_s_mem());
    X509 *at = intake->leaf;
    bool good = bio != NULL;
    for (size_t n = 0; good && at != NULL && n < BST_CHAIN_MAX; n++) {
        X509 *next = NULL;
        good = PEM_write_bio_X509(bio, at) == 1;
        for (int i = 0; next == NULL && i < sk_X509_num(intake->certificates); i++) {
            X509 *candidate = sk_X509_value(intake->certificates, i);
            if (candidate != at && X509_check_issued(candidate, at) == X509_V_OK) next = candidate;
        }
        at = next;
    }
    char *text = NULL, *copy = NULL;
    long len = good ? BIO_get_mem_data(bio, &text) : 0;
    if (good) copy = bst_format("%.*s", (int)len, text);
    BIO_free(bio);
    ERR_clear_error();
    return copy;
}

static enum bst_code write_credential(const char *home, const char *alg, const char *key, const char *chain,
                                      struct bst_error *err)
{
    struct bst_buf text = {0};
    char *path = bst_path_join(home, BST_CREDENTIAL_FILE);
    json_t *json = json_pack("{s:i, s:s, s:s, s:s}", "version", 1, "alg", alg, "key", key, "chain", chain);
    enum bst_code code =
        path == NULL || json == NULL ? bst_fail_memory(err) : bst_json_pretty(json, &text, err);
    if (code == BST_OK) code = bst_file_write(path, text.data, text.len, BST_WRITE_REPLACE, err);
    json_decref(json);
    bst_buf_free(&text);
    free(path);
    return code;
}

enum bst_code bst_credential_import(const struct bst_credential_file *file, bool *locked,
                                    struct bst_error *err)
{
    struct intake intake = {.file = file};
    const char *alg = NULL;
    char *chain = NULL;
    *locked = false;
    enum bst_code code =
        unlock(file->home, file->home_passphrase, &intake.author, &intake.passphrase, locked, err);
    if (code == BST_OK) code = read_files(&intake, locked, err);
    if (code == BST_OK) code = find_key(&intake, err);
    if (code == BST_OK) code = check_leaf(&intake, &alg, err);
    if (code == BST_OK && (chain = ordered_chain(&intake)) == NULL) code = bst_fail_memory(err);
    if (code == BST_OK && intake.key_name == NULL)
        code = save_key(file->home, intake.key, intake.passphrase, &intake.key_name, err);
    if (code == BST_OK) code = write_credential(file->home, alg, intake.key_name, chain, err);
    free(chain);
    intake_clear(&intake);
    return code;
}

enum bst_code bst_credential_remove(const char *home, struct bst_error *err)
{
    struct bst_credential credential;
    enum bst_code code = bst_credential_load(home, &credential, err);
    if (code != BST_OK) return code;
    char *path = bst_path_join(home, BST_CREDENTIAL_FILE);
    if (path == NULL) {
        code = bst_fail_memory(err);
    } else if (credential.chain == NULL) {
        code = bst_fail(err, BST_USAGE, "there is no certificate of your own to remove");
    } else if (unlink(path) != 0) {
        code = bst_fail_errno(err, BST_FAILURE, "cannot remove %s", path);
    } else {
        bst_name_sync(path);
    }
    bst_credential_clear(&credential);
    free(path);
    return code;
}

enum bst_code bst_credential_json(const char *home, json_t **out, struct bst_error *err)
{
    struct bst_credential credential;
    struct bst_buf pem = {0};
    json_t *certificates = NULL, *rules = NULL;
    char *path = bst_path_join(home, "certs/author.pem");
    enum bst_code code = path == NULL ? bst_fail_memory(err) : bst_credential_load(home, &credential, err);
    if (code != BST_OK) {
        free(path);
        return code;
    }
    if (credential.chain != NULL) {
        bst_buf_text(&pem, credential.chain);
    } else {
        code = bst_file_read(path, FILE_MAX, &pem, err);
    }
    if (code == BST_OK) code = bst_cert_describe(pem.data, pem.len, &certificates, err);
    if (code == BST_OK) code = bst_cert_check(pem.data, pem.len, NULL, &rules, err);
    if (code == BST_OK) {
        bool local = credential.chain == NULL;
        *out = json_pack("{s:b, s:s, s:s, s:O, s:O}", "local", (int)local, "alg",
                         local ? "ed25519" : credential.alg, "key", local ? BST_AUTHOR_KEY : credential.key,
                         "certificates", certificates, "rules", rules);
        if (*out == NULL) code = bst_fail_memory(err);
    }
    json_decref(certificates);
    json_decref(rules);
    bst_buf_free(&pem);
    bst_credential_clear(&credential);
    free(path);
    return code;
}
