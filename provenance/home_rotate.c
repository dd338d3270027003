/* home_rotate.c - a home's author gets a new key. Old and new key sign the change: the old one names its successor in a
 * rotation statement, the new one declares itself and names the one before, both in one batch of the ledger.
 *
 * What will replace files of the home is made first, in HOME/rotation. Once the ledger knows the new key, they are moved to
 * their places; a crash in between leaves the folder, and the next one who opens the home finishes or discards it. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cert.h"
#include "folder.h"
#include "home.h"
#include "key.h"
#include "signer.h"
#include "statement.h"

#define PEM_MAX (1u << 20)

/* From HOME/rotation to HOME, in this order; what is moved already is not there any more. */
static const struct {
    const char *from, *to;
} moves[] = {{"rotation/author.pem", BST_AUTHOR_KEY},
             {"rotation/chain.pem", "certs/author.pem"},
             {"rotation/identity.json", "identity.json"}};

/* ---- finishing ---- */

static enum bst_code move_file(const char *home, const char *from, const char *to, struct bst_error *err)
{
    char *source = bst_path_join(home, from), *target = bst_path_join(home, to);
    enum bst_code code = source && target ? BST_OK : bst_fail_memory(err);
    if (code == BST_OK && bst_file_exists(source) && rename(source, target) != 0)
        code = bst_fail_errno(err, BST_FAILURE, "cannot replace %s", target);
    if (code == BST_OK) bst_name_sync(target);
    free(source);
    free(target);
    return code;
}

static enum bst_code publish(const char *home, const char *folder, struct bst_error *err)
{
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < sizeof moves / sizeof *moves && code == BST_OK; i++)
        code = move_file(home, moves[i].from, moves[i].to, err);
    if (code == BST_OK) bst_folder_remove(folder);
    return code;
}

/* Does the ledger know the key of the identity in the folder? The identity is moved last, so that it tells to the end. */
static enum bst_code is_logged(const char *home, const char *folder, bool *logged, struct bst_error *err)
{
    struct bst_identity next;
    struct bst_ledger *ledger = NULL;
    struct bst_keys keys = {0};
    char *path = bst_path_join(home, "ledger.sqlite");
    *logged = false;
    if (!path) return bst_fail_memory(err);
    if (bst_identity_load(folder, &next, err) != BST_OK) { /* not even that was written */
        free(path);
        *err = (struct bst_error){0};
        return BST_OK;
    }
    enum bst_code code = bst_ledger_open(path, BST_LEDGER_READ, &ledger, err);
    if (code == BST_OK) code = bst_ledger_keys(ledger, &keys, err);
    if (code == BST_OK) *logged = bst_keys_find(&keys, next.key_id) != NULL;
    bst_keys_clear(&keys);
    bst_ledger_close(ledger);
    bst_identity_clear(&next);
    free(path);
    return code;
}

enum bst_code bst_home_settle(const char *home, struct bst_error *err)
{
    bool logged;
    char *folder = bst_path_join(home, "rotation");
    if (!folder) return bst_fail_memory(err);
    enum bst_code code = BST_OK;
    if (bst_file_exists(folder)) {
        code = is_logged(home, folder, &logged, err);
        if (code == BST_OK && logged) code = publish(home, folder, err);
        if (code == BST_OK && !logged) bst_folder_remove(folder);
    }
    free(folder);
    return code;
}

/* ---- preparing ---- */

struct rotation {
    const char *home, *passphrase;
    struct bst_identity identity, next; /* next borrows identity's texts */
    struct bst_key *author, *log, *ca, *key;
};

/* A certificate of one's own for the present key would be of no use any more. */
static enum bst_code check_credential(const char *home, struct bst_error *err)
{
    struct bst_credential credential;
    enum bst_code code = bst_credential_load(home, &credential, err);
    if (code != BST_OK) return code;
    if (credential.key && strcmp(credential.key, BST_AUTHOR_KEY) == 0) {
        code = bst_fail(err, BST_USAGE, "your own certificate is for the key that would be exchanged");
        bst_hint(err, "blindstamp cert remove goes back to this home's authority; ask for another one later");
    }
    bst_credential_clear(&credential);
    return code;
}

static enum bst_code load(struct rotation *rotation, bool *locked, struct bst_error *err)
{
    const char *home = rotation->home, *passphrase = rotation->passphrase;
    enum bst_code code = bst_identity_load(home, &rotation->identity, err);
    if (code == BST_OK) code = check_credential(home, err);
    if (code == BST_OK) code = bst_home_key(home, BST_AUTHOR_KEY, passphrase, &rotation->author, locked, err);
    if (code == BST_OK) code = bst_home_key(home, "keys/log.pem", passphrase, &rotation->log, locked, err);
    if (code == BST_OK) code = bst_home_key(home, "keys/ca.pem", passphrase, &rotation->ca, locked, err);
    if (code == BST_OK) code = bst_key_new(&rotation->key, err);
    if (code != BST_OK) return code;
    rotation->next = rotation->identity;
    memcpy(rotation->next.public_key, bst_key_public(rotation->key), BST_KEY_LEN);
    bst_key_id(rotation->next.public_key, rotation->next.key_id);
    return BST_OK;
}

static enum bst_code write_chain(const struct rotation *rotation, const char *folder, struct bst_error *err)
{
    struct bst_buf chain = {0}, root = {0};
    char *again = NULL, *leaf = NULL, *from = bst_path_join(rotation->home, "certs/root.pem");
    char *to = bst_path_join(folder, "chain.pem");
    enum bst_code code = from && to ? bst_file_read(from, PEM_MAX, &root, err) : bst_fail_memory(err);
    if (code == BST_OK) /* under the root that others trust already, which has the same name and key */
        code = bst_cert_make(&rotation->next, rotation->ca, rotation->key, bst_now_ms(), &again, &leaf, err);
    if (code == BST_OK) {
        bst_buf_text(&chain, leaf);
        bst_buf_append(&chain, root.data, root.len);
        code = chain.failed ? bst_fail_memory(err) : bst_file_write(to, chain.data, chain.len, 0, err);
    }
    bst_buf_free(&chain);
    bst_buf_free(&root);
    free(again);
    free(leaf);
    free(from);
    free(to);
    return code;
}

static enum bst_code stage(const struct rotation *rotation, const char *folder, struct bst_error *err)
{
    char *path = bst_path_join(folder, "author.pem");
    enum bst_code code = path ? bst_folder_make(folder, 0700, err) : bst_fail_memory(err);
    if (code == BST_OK) code = bst_key_save(rotation->key, path, rotation->passphrase, false, err);
    if (code == BST_OK) code = write_chain(rotation, folder, err);
    if (code == BST_OK) code = bst_identity_save(folder, &rotation->next, err);
    free(path);
    return code;
}

/* ---- logging ---- */

static enum bst_code sign(const struct bst_buf *payload, const struct bst_key *key, struct bst_buf *envelope,
                          struct bst_error *err)
{
    return bst_dsse_sign(payload->data, payload->len, key, envelope, err);
}

static enum bst_code append(const struct rotation *rotation, uint64_t *entry, struct bst_error *err)
{
    struct bst_buf payload[2] = {0}, envelope[2] = {0};
    struct bst_ledger *ledger = NULL;
    struct bst_proof proofs[2];
    int64_t now = bst_now_ms();
    char *path = bst_path_join(rotation->home, "ledger.sqlite");
    enum bst_code code = path ? bst_ledger_open(path, BST_LEDGER_WRITE, &ledger, err) : bst_fail_memory(err);
    if (code == BST_OK)
        code = bst_statement_rotation(&rotation->next, &rotation->identity, now, &payload[0], err);
    if (code == BST_OK)
        code =
            bst_statement_identity_after(&rotation->next, rotation->identity.key_id, now, &payload[1], err);
    if (code == BST_OK) code = sign(&payload[0], rotation->author, &envelope[0], err);
    if (code == BST_OK) code = sign(&payload[1], rotation->key, &envelope[1], err);
    if (code == BST_OK) {
        const struct bst_entry entries[2] = {{envelope[0].data, envelope[0].len, NULL},
                                             {envelope[1].data, envelope[1].len, NULL}};
        code = bst_ledger_append(ledger, rotation->log, entries, 2, proofs, err);
    }
    for (int i = 0; i < 2; i++) {
        if (code == BST_OK) bst_proof_clear(&proofs[i]);
        bst_buf_free(&payload[i]);
        bst_buf_free(&envelope[i]);
    }
    if (code == BST_OK) *entry = bst_ledger_size(ledger) - 2;
    bst_ledger_close(ledger);
    free(path);
    return code;
}

enum bst_code bst_home_rotate(const char *home, const char *passphrase, struct bst_rotated *out, bool *locked,
                              struct bst_error *err)
{
    struct rotation rotation = {.home = home, .passphrase = passphrase};
    char *folder = bst_path_join(home, "rotation");
    *locked = false;
    enum bst_code code = folder ? bst_home_settle(home, err) : bst_fail_memory(err);
    if (code == BST_OK) code = load(&rotation, locked, err);
    if (code == BST_OK) {
        code = stage(&rotation, folder, err);
        if (code == BST_OK) code = append(&rotation, &out->entry, err);
        if (code == BST_OK)
            code = publish(home, folder, err);
        else
            bst_folder_remove(folder);
    }
    if (code == BST_OK) {
        memcpy(out->old_key_id, rotation.identity.key_id, sizeof out->old_key_id);
        memcpy(out->key_id, rotation.next.key_id, sizeof out->key_id);
    }
    bst_key_free(rotation.author);
    bst_key_free(rotation.log);
    bst_key_free(rotation.ca);
    bst_key_free(rotation.key);
    bst_identity_clear(&rotation.identity);
    free(folder);
    return code;
}
