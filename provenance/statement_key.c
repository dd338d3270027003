/* statement_key.c - statements about keys and the ledger: an author's next key, a key no longer to be believed, a key that
 * may sign in this ledger, words that were erased, a ledger that goes on after a loss. The forms are in
 * schema/rotation.schema.json, revocation.schema.json, admission.schema.json, erasure.schema.json and recovery.schema.json. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "statement.h"

static json_t *subject_json(const char *name, const char *sha256)
{
    return json_pack("{s:s,s:{s:s}}", "name", name, "digest", "sha256", sha256);
}

enum bst_code bst_statement_rotation(const struct bst_identity *next, const struct bst_identity *author,
                                     int64_t rotated_ms, struct bst_buf *payload, struct bst_error *err)
{
    char *pem = NULL;
    enum bst_code code = bst_key_public_pem(next->public_key, &pem, err);
    if (code != BST_OK) return code;
    json_t *predicate =
        json_pack("{s:{s:s,s:s,s:s}}", "key", "id", next->key_id, "pem", pem, "type", "ed25519");
    free(pem);
    return statement_act(BST_ROTATION_TYPE, subject_json(next->name, next->key_id), author, "rotatedOn",
                         rotated_ms, predicate, payload, err);
}

enum bst_code bst_statement_revocation(const struct bst_revocation *revocation,
                                       const struct bst_identity *author, struct bst_buf *payload,
                                       struct bst_error *err)
{
    char since[BST_TIME_LEN];
    bst_time_text(revocation->since_ms, since);
    if (statement_text("reason", revocation->reason, err) != BST_OK) return err->code;
    json_t *predicate = json_pack("{s:s,s:s*}", "since", since, "reason", revocation->reason);
    return statement_act(BST_REVOCATION_TYPE, subject_json(revocation->name, revocation->key_id), author,
                         "revokedOn", revocation->revoked_ms, predicate, payload, err);
}

enum bst_code bst_statement_admission(const struct bst_identity *admitted, const char *role,
                                      int64_t admitted_ms, const struct bst_identity *author,
                                      struct bst_buf *payload, struct bst_error *err)
{
    return statement_act(BST_ADMISSION_TYPE, subject_json(admitted->name, admitted->key_id), author,
                         "admittedOn", admitted_ms, json_pack("{s:s}", "role", role), payload, err);
}

enum bst_code bst_statement_erasure(const struct bst_erasure *erasure, const struct bst_identity *author,
                                    struct bst_buf *payload, struct bst_error *err)
{
    char name[40], leaf[BST_SHA256_HEX];
    json_t *fields = json_array();
    snprintf(name, sizeof name, "entry %llu", (unsigned long long)erasure->entry);
    bst_hex(erasure->leaf, sizeof erasure->leaf, leaf);
    for (size_t i = 0; i < erasure->field_count; i++)
        json_array_append_new(fields, json_string(erasure->fields[i]));
    return statement_act(BST_ERASURE_TYPE, subject_json(name, leaf), author, "erasedOn", erasure->erased_ms,
                         json_pack("{s:I,s:o}", "entry", (json_int_t)erasure->entry, "fields", fields),
                         payload, err);
}

enum bst_code bst_statement_recovery(const struct bst_recovery *recovery, const struct bst_identity *author,
                                     struct bst_buf *payload, struct bst_error *err)
{
    char root[BST_SHA256_HEX];
    bst_hex(recovery->root, sizeof recovery->root, root);
    if (statement_text("reason", recovery->reason, err) != BST_OK) return err->code;
    json_t *predicate = json_pack("{s:{s:s,s:s},s:{s:s,s:I,s:s},s:s*,s:s*}", "log", "origin",
                                  recovery->origin, "vkey", recovery->vkey, "before", "origin",
                                  recovery->before, "entries", (json_int_t)recovery->entries, "checkpoint",
                                  recovery->checkpoint, "lost", recovery->lost, "reason", recovery->reason);
    return statement_act(BST_RECOVERY_TYPE, subject_json(recovery->before, root), author, "recoveredOn",
                         recovery->recovered_ms, predicate, payload, err);
}
