/* stamp_admit.c - other authors in this ledger: admitted by an operator, their signed statements taken in. */
#include <stdlib.h>
#include <string.h>

#include "stamp.h"
#include "statement.h"

static enum bst_code check_operator(const struct bst_stamper *stamper, const struct bst_keys *keys,
                                    struct bst_error *err)
{
    const struct bst_key_life *mine = bst_keys_in_force(keys, stamper->identity.key_id);
    if (mine && mine->is_operator) return BST_OK;
    return bst_fail(err, BST_USAGE, "only an operator of the ledger can admit others, which your key is not");
}

/* A statement in which a key declares itself. */
static enum bst_code open_identity(const void *envelope, size_t len, struct bst_identity *out,
                                   struct bst_error *err)
{
    struct bst_dsse dsse;
    enum bst_code code = bst_dsse_open(envelope, len, &dsse, err);
    if (code != BST_OK) return code;
    if (strcmp(bst_statement_kind(dsse.statement)->name, "identity") != 0) {
        code = bst_fail(err, BST_UNREADABLE, "this is no identity statement");
    } else {
        code = bst_identity_from_json(json_object_get(dsse.statement, "predicate"), out, err);
    }
    if (code == BST_OK && !bst_dsse_verify(&dsse, out->public_key)) {
        bst_identity_clear(out);
        code =
            bst_fail(err, BST_BROKEN, "the identity statement is not signed with the key that it declares");
    }
    bst_dsse_clear(&dsse);
    return code;
}

static enum bst_code append(struct bst_stamper *stamper, const struct bst_entry *entries, size_t count,
                            uint64_t *index, struct bst_error *err)
{
    struct bst_proof *proofs = bst_calloc(count, sizeof *proofs);
    if (!proofs) return bst_fail_memory(err);
    enum bst_code code = bst_ledger_append(stamper->ledger, stamper->log_key, entries, count, proofs, err);
    if (code == BST_OK) *index = proofs[0].index;
    for (size_t i = 0; i < count && code == BST_OK; i++)
        bst_proof_clear(&proofs[i]);
    free(proofs);
    return code;
}

static enum bst_code admit(struct bst_stamper *stamper, const struct bst_entry *identity_entry, bool known,
                           const char *role, const struct bst_identity *admitted, uint64_t *index,
                           struct bst_error *err)
{
    struct bst_buf payload = {0}, envelope = {0};
    enum bst_code code =
        bst_statement_admission(admitted, role, bst_now_ms(), &stamper->identity, &payload, err);
    if (code == BST_OK) code = bst_dsse_sign(payload.data, payload.len, stamper->author_key, &envelope, err);
    if (code == BST_OK) {
        const struct bst_entry entries[2] = {*identity_entry, {envelope.data, envelope.len, NULL}};
        code = append(stamper, known ? entries + 1 : entries, known ? 1 : 2, index, err);
    }
    bst_buf_free(&payload);
    bst_buf_free(&envelope);
    return code;
}

enum bst_code bst_stamp_admit(struct bst_stamper *stamper, const void *envelope, size_t len, const char *role,
                              struct bst_identity *identity, uint64_t *index, struct bst_error *err)
{
    struct bst_keys keys = {0};
    struct bst_identity admitted = {0};
    const struct bst_entry entry = {envelope, len, NULL};
    enum bst_code code = bst_ledger_keys(stamper->ledger, &keys, err);
    if (code == BST_OK) code = check_operator(stamper, &keys, err);
    if (code == BST_OK) code = open_identity(envelope, len, &admitted, err);
    if (code == BST_OK) {
        const struct bst_key_life *life = bst_keys_find(&keys, admitted.key_id);
        if (life && life->ended != UINT64_MAX)
            code = bst_fail(err, BST_USAGE, "the key of %.80s was revoked or exchanged in this ledger",
                            life->name);
        else
            code = admit(stamper, &entry, life != NULL, role, &admitted, index, err);
    }
    bst_keys_clear(&keys);
    if (code == BST_OK) {
        *identity = admitted;
    } else {
        bst_identity_clear(&admitted);
    }
    return code;
}

static enum bst_code check_taken(const struct bst_keys *keys, const struct bst_entry *entry, size_t number,
                                 struct bst_error *err)
{
    struct bst_dsse dsse;
    enum bst_code code = bst_dsse_open(entry->envelope, entry->len, &dsse, err);
    if (code != BST_OK) return bst_where(err, "statement %zu", number);
    const struct bst_key_life *life = bst_keys_in_force(keys, dsse.key_id);
    if (!life) {
        bst_fail(err, BST_UNTRUSTED,
                 "statement %zu is signed by the key %.16s..., which may not sign in this ledger", number,
                 dsse.key_id);
        code = bst_hint(err, "blindstamp key admit lets its holder in");
    } else if (!bst_dsse_verify(&dsse, life->key)) {
        code = bst_fail(err, BST_BROKEN, "the signature of statement %zu does not fit it", number);
    }
    bst_dsse_clear(&dsse);
    return code;
}

enum bst_code bst_stamp_take(struct bst_stamper *stamper, const struct bst_entry *entries, size_t count,
                             uint64_t *index, struct bst_error *err)
{
    struct bst_keys keys = {0};
    enum bst_code code = bst_ledger_keys(stamper->ledger, &keys, err);
    for (size_t i = 0; i < count && code == BST_OK; i++)
        code = check_taken(&keys, &entries[i], i + 1, err);
    if (code == BST_OK) code = append(stamper, entries, count, index, err);
    bst_keys_clear(&keys);
    return code;
}
