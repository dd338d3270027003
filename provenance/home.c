/* home.c - the folder where an author's keys, certificates, identity and ledger live: found, made,
 * re-encrypted. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* renameat2 */
#endif
#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cert.h"
#include "folder.h"
#include "home.h"
#include "key.h"
#include "statement.h"

enum bst_code bst_home_find(const char *override, char **out, struct bst_error *err)
{
    const char *moved = getenv("BLINDSTAMP_HOME"), *data = getenv("XDG_DATA_HOME"), *user = getenv("HOME");
    char *path;
    if (override) {
        path = bst_strdup(override);
    } else if (moved && *moved) {
        path = bst_strdup(moved);
    } else if (data && *data == '/') { /* the XDG specification has relative paths ignored */
        path = bst_path_join(data, "blindstamp");
    } else if (user && *user) {
        path = bst_path_join(user, ".local/share/blindstamp");
    } else {
        bst_fail(err, BST_USAGE, "the environment does not say where your files live");
        return bst_hint(err, "give --home DIR or set BLINDSTAMP_HOME");
    }
    if (!path) return bst_fail_memory(err);
    if (!*path) {
        free(path);
        return bst_fail(err, BST_USAGE, "--home is empty");
    }
    *out = path;
    return BST_OK;
}

/* ---- making one ---- */

/* What init makes: three keys, and the author they belong to. */
struct workshop {
    struct bst_key *author, *log, *ca;
    struct bst_identity identity;
};

static void workshop_clear(struct workshop *workshop)
{
    bst_key_free(workshop->author);
    bst_key_free(workshop->log);
    bst_key_free(workshop->ca);
    bst_identity_clear(&workshop->identity);
}

static enum bst_code workshop_new(const struct bst_init *init, struct workshop *out, struct bst_error *err)
{
    struct bst_identity *identity = &out->identity;
    enum bst_code code = bst_key_new(&out->author, err);
    if (code == BST_OK) code = bst_key_new(&out->log, err);
    if (code == BST_OK) code = bst_key_new(&out->ca, err);
    if (code != BST_OK) return code;
    identity->name = bst_strdup(init->author);
    identity->email = init->email ? bst_strdup(init->email) : NULL;
    identity->url = init->url ? bst_strdup(init->url) : NULL;
    memcpy(identity->public_key, bst_key_public(out->author), BST_KEY_LEN);
    memcpy(identity->log_key, bst_key_public(out->log), BST_KEY_LEN);
    bst_key_id(identity->public_key, identity->key_id);
    identity->log_origin = bst_format("blindstamp.local/%.16s", identity->key_id);
    bool whole = identity->name && identity->log_origin && (!init->email || identity->email) &&
                 (!init->url || identity->url);
    return whole ? BST_OK : bst_fail_memory(err);
}

static enum bst_code write_file(const char *folder, const char *name, const void *data, size_t len,
                                unsigned flags, struct bst_error *err)
{
    char *path = bst_path_join(folder, name);
    enum bst_code code = path ? bst_file_write(path, data, len, flags, err) : bst_fail_memory(err);
    free(path);
    return code;
}

static enum bst_code write_key(const char *folder, const char *name, const struct bst_key *key,
                               const char *passphrase, struct bst_error *err)
{
    char *path = bst_path_join(folder, name);
    enum bst_code code = path ? bst_key_save(key, path, passphrase, false, err) : bst_fail_memory(err);
    free(path);
    return code;
}

static enum bst_code make_folder(const char *folder, const char *name, struct bst_error *err)
{
    char *path = bst_path_join(folder, name);
    enum bst_code code = path ? bst_folder_make(path, 0700, err) : bst_fail_memory(err);
    free(path);
    return code;
}

static enum bst_code write_keys(const char *folder, const struct workshop *workshop, const char *passphrase,
                                struct bst_error *err)
{
    enum bst_code code = make_folder(folder, "keys", err);
    if (code == BST_OK) code = write_key(folder, "keys/author.pem", workshop->author, passphrase, err);
    if (code == BST_OK) code = write_key(folder, "keys/log.pem", workshop->log, passphrase, err);
    if (code == BST_OK) code = write_key(folder, "keys/ca.pem", workshop->ca, passphrase, err);
    return code;
}

static enum bst_code write_certs(const char *folder, const struct workshop *workshop, struct bst_error *err)
{
    char *root = NULL, *leaf = NULL;
    enum bst_code code = make_folder(folder, "certs", err);
    if (code == BST_OK) {
        code = bst_cert_make(&workshop->identity, workshop->ca, workshop->author, bst_now_ms(), &root, &leaf,
                             err);
    }
    char *chain = code == BST_OK ? bst_format("%s%s", leaf, root) : NULL;
    if (code == BST_OK && !chain) code = bst_fail_memory(err);
    if (code == BST_OK) code = write_file(folder, "certs/author.pem", chain, strlen(chain), 0, err);
    if (code == BST_OK) code = write_file(folder, "certs/root.pem", root, strlen(root), 0, err);
    free(root);
    free(leaf);
    free(chain);
    return code;
}

static enum bst_code write_identity(const char *folder, const struct bst_identity *identity, unsigned flags,
                                    struct bst_error *err)
{
    json_t *json;
    struct bst_buf text = {0};
    enum bst_code code = bst_identity_json(identity, &json, err);
    if (code != BST_OK) return code;
    code = bst_json_pretty(json, &text, err);
    if (code == BST_OK) code = write_file(folder, "identity.json", text.data, text.len, flags, err);
    json_decref(json);
    bst_buf_free(&text);
    return code;
}

enum bst_code bst_identity_save(const char *folder, const struct bst_identity *identity,
                                struct bst_error *err)
{
    return write_identity(folder, identity, 0, err);
}

/* A ledger whose entry 0 is the author's signed identity. */
static enum bst_code write_ledger(const char *folder, const struct workshop *workshop, struct bst_error *err)
{
    struct bst_buf payload = {0}, envelope = {0};
    struct bst_ledger *ledger = NULL;
    struct bst_proof proof;
    const struct bst_identity *identity = &workshop->identity;
    char *path = bst_path_join(folder, "ledger.sqlite");
    if (!path) return bst_fail_memory(err);
    enum bst_code code = bst_ledger_create(path, identity->log_origin, identity->log_key, err);
    if (code == BST_OK) code = bst_statement_identity(identity, &payload, err);
    if (code == BST_OK) code = bst_dsse_sign(payload.data, payload.len, workshop->author, &envelope, err);
    if (code == BST_OK) code = bst_ledger_open(path, BST_LEDGER_WRITE, &ledger, err);
    if (code == BST_OK) {
        struct bst_entry entry = {envelope.data, envelope.len, NULL};
        code = bst_ledger_append(ledger, workshop->log, &entry, 1, &proof, err);
        if (code == BST_OK) bst_proof_clear(&proof);
    }
    bst_ledger_close(ledger);
    bst_buf_free(&payload);
    bst_buf_free(&envelope);
    free(path);
    return code;
}

static enum bst_code fill(const char *folder, const struct workshop *workshop, const char *passphrase,
                          struct bst_error *err)
{
    enum bst_code code = write_keys(folder, workshop, passphrase, err);
    if (code == BST_OK) code = write_certs(folder, workshop, err);
    if (code == BST_OK) code = bst_identity_save(folder, &workshop->identity, err);
    if (code == BST_OK) code = make_folder(folder, "models", err);
    if (code == BST_OK) code = write_ledger(folder, workshop, err);
    return code;
}

/* An empty folder may be taken over (rename replaces it); anything else that exists may not. */
static enum bst_code check_free(const char *home, struct bst_error *err)
{
    if (!bst_file_exists(home) || bst_folder_is_empty(home)) return BST_OK;
    char *identity = bst_path_join(home, "identity.json");
    bool ours = identity && bst_file_exists(identity);
    free(identity);
    bst_fail(err, BST_USAGE, ours ? "%s holds an identity already" : "%s exists already and is not empty",
             home);
    return bst_hint(err, "use another folder: --home DIR or BLINDSTAMP_HOME");
}

static char *without_slashes(const char *path)
{
    char *copy = bst_strdup(path);
    size_t len = copy ? strlen(copy) : 0;
    while (len > 1 && copy[len - 1] == '/')
        copy[--len] = 0;
    return copy;
}

enum bst_code bst_home_init(const struct bst_init *init, struct bst_identity *out, struct bst_error *err)
{
    struct workshop workshop = {0};
    char *beside = NULL, *home = without_slashes(init->home);
    if (!home) return bst_fail_memory(err);
    enum bst_code code = bst_identity_check(init->author, init->email, init->url, err);
    if (code == BST_OK) code = check_free(home, err);
    if (code == BST_OK) code = workshop_new(init, &workshop, err);
    if (code == BST_OK) code = bst_folder_beside(home, &beside, err);
    if (code == BST_OK) code = fill(beside, &workshop, init->passphrase, err);
    if (code == BST_OK) code = bst_folder_publish(beside, home, err);
    if (code == BST_OK) {
        *out = workshop.identity;
        workshop.identity = (struct bst_identity){0};
    } else if (beside) {
        bst_folder_remove(beside);
    }
    workshop_clear(&workshop);
    free(beside);
    free(home);
    return code;
}

enum bst_code bst_home_rename_log(const char *home, const char *origin,
                                  const uint8_t log_key[static BST_KEY_LEN], struct bst_error *err)
{
    struct bst_identity identity;
    enum bst_code code = bst_identity_load(home, &identity, err);
    if (code != BST_OK) return code;
    char *name = bst_strdup(origin);
    if (!name) {
        code = bst_fail_memory(err);
    } else if (memcmp(identity.log_key, log_key, BST_KEY_LEN) != 0) {
        code = bst_fail(err, BST_BROKEN, "the ledger's log has another key than the identity in %s", home);
    } else if (strcmp(identity.log_origin, origin) != 0) {
        free(identity.log_origin);
        identity.log_origin = name;
        name = NULL;
        code = write_identity(home, &identity, BST_WRITE_REPLACE, err);
    }
    free(name);
    bst_identity_clear(&identity);
    return code;
}

/* ---- changing the passphrase ---- */

/* Puts the folder `fresh` in the place of `folder`: in one step where the file system can, else in two, with
 * the old one put back when the second fails. Either way the old one is where `fresh` was, for the caller to
 * remove. */
static enum bst_code swap_folder(const char *fresh, const char *folder, struct bst_error *err)
{
    if (renameat2(AT_FDCWD, fresh, AT_FDCWD, folder, RENAME_EXCHANGE) == 0) return BST_OK;
    char *aside = bst_format("%s.old", fresh);
    if (!aside) return bst_fail_memory(err);
    enum bst_code code = BST_OK;
    if (rename(folder, aside) != 0 || rename(fresh, folder) != 0) {
        code = bst_fail_errno(err, BST_FAILURE, "cannot replace %s", folder);
        rename(aside, folder);
    }
    free(aside);
    return code;
}

/* Keys made for certificate requests (credential.c), encrypted anew in the folder beside. */
static enum bst_code move_claim_keys(const char *home, const char *beside, const char *old_phrase,
                                     const char *new_phrase, struct bst_error *err)
{
    char *folder = bst_path_join(home, "keys");
    DIR *dir = folder ? opendir(folder) : NULL;
    enum bst_code code = folder ? BST_OK : bst_fail_memory(err);
    if (folder && !dir) code = bst_fail_errno(err, BST_FAILURE, "cannot read %s", folder);
    for (struct dirent *entry; code == BST_OK && dir && (entry = readdir(dir));) {
        if (strncmp(entry->d_name, "claim-", 6) != 0) continue;
        EVP_PKEY *key = NULL;
        char *from = bst_path_join(folder, entry->d_name),
             *to = bst_format("%s/keys/%s", beside, entry->d_name);
        code = from && to ? bst_evp_load(from, old_phrase, &key, NULL, err) : bst_fail_memory(err);
        if (code == BST_OK) code = bst_evp_save(key, to, new_phrase, false, err);
        EVP_PKEY_free(key);
        free(from);
        free(to);
    }
    if (dir) closedir(dir);
    free(folder);
    return code;
}

enum bst_code bst_home_passphrase(const char *home, const char *old_phrase, const char *new_phrase,
                                  struct bst_error *err)
{
    struct workshop workshop = {0};
    enum bst_code code = bst_home_key(home, "keys/author.pem", old_phrase, &workshop.author, NULL, err);
    if (code == BST_OK) code = bst_home_key(home, "keys/log.pem", old_phrase, &workshop.log, NULL, err);
    if (code == BST_OK) code = bst_home_key(home, "keys/ca.pem", old_phrase, &workshop.ca, NULL, err);
    char *beside = code == BST_OK ? bst_path_join(home, ".passphrase-XXXXXX") : NULL;
    if (code == BST_OK && !beside) code = bst_fail_memory(err);
    if (code == BST_OK && !mkdtemp(beside)) {
        code = bst_fail_errno(err, BST_FAILURE, "cannot write to %s", home);
    } else if (code == BST_OK) {
        code = write_keys(beside, &workshop, new_phrase, err);
        if (code == BST_OK) code = move_claim_keys(home, beside, old_phrase, new_phrase, err);
        char *fresh = bst_path_join(beside, "keys"), *folder = bst_path_join(home, "keys");
        if (code == BST_OK && (!fresh || !folder)) code = bst_fail_memory(err);
        if (code == BST_OK) code = swap_folder(fresh, folder, err);
        if (folder && bst_file_exists(folder)) bst_folder_remove(beside); /* else it holds the only copy */
        bst_folder_sync(home);
        free(fresh);
        free(folder);
    }
    free(beside);
    workshop_clear(&workshop);
    return code;
}
