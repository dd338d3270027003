/* statement_key.c - statements about keys and the ledger: an author's next key, a key no longer to be believed, a key that
 * may sign in this ledger, words that were erased, a ledger that goes on after a loss. The forms are in
 * schema/rotation.schema.json, revocation.schema.json, admission.schema.json, erasure.schema.json and recovery.schema.json. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "statement.h"

/* The frame: a subject of one name and digest. Takes predicate, to which author, time and version are added. */
static enum bst_code finish(const char *type, const char *name, const char *digest,
                            const struct bst_identity *author, const char *when_name, int64_t when_ms,
                            json_t *predicate, struct bst_buf *payload, struct bst_error *err)
{
    char when[BST_TIME_LEN];
    bst_time_text(when_ms, when);
    json_object_set_new(predicate, "author", statement_author(author));
    json_object_set_new(predicate, "version", json_pack("{s:s}", "blindstamp", BST_VERSION));
    json_object_set_new(predicate, when_name, json_string(when));
    return statement_finish(json_pack("{s:s,s:s,s:[{s:s,s:{s:s}}],s:o}", "_type", BST_STATEMENT_TYPE,
                                      "predicateType", type, "subject", "name", name, "digest", "sha256",
                                      digest, "predicate", predicate),
                            payload, err);
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
    return finish(BST_ROTATION_TYPE, next->name, next->key_id, author, "rotatedOn", rotated_ms, predicate,
                  payload, err);
}

enum bst_code bst_statement_revocation(const struct bst_revocation *revocation,
                                       const struct bst_identity *author, struct bst_buf *payload,
                                       struct bst_error *err)
{
    char since[BST_TIME_LEN];
    bst_time_text(revocation->since_ms, since);
    if (revocation->reason && !bst_utf8_valid(revocation->reason, strlen(revocation->reason)))
        return bst_fail(err, BST_USAGE, "the reason is not valid UTF-8 text");
    json_t *predicate = json_pack("{s:s,s:s*}", "since", since, "reason", revocation->reason);
    return finish(BST_REVOCATION_TYPE, revocation->name, revocation->key_id, author, "revokedOn",
                  revocation->revoked_ms, predicate, payload, err);
}

enum bst_code bst_statement_admission(const struct bst_identity *admitted, const char *role,
                                      int64_t admitted_ms, const struct bst_identity *author,
                                      struct bst_buf *payload, struct bst_error *err)
{
    return finish(BST_ADMISSION_TYPE, admitted->name, admitted->key_id, author, "admittedOn", admitted_ms,
                  json_pack("{s:s}", "role", role), payload, err);
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
    return finish(BST_ERASURE_TYPE, name, leaf, author, "erasedOn", erasure->erased_ms,
                  json_pack("{s:I,s:o}", "entry", (json_int_t)erasure->entry, "fields", fields), payload,
                  err);
}

enum bst_code bst_statement_recovery(const struct bst_recovery *recovery, const struct bst_identity *author,
                                     struct bst_buf *payload, struct bst_error *err)
{
    char root[BST_SHA256_HEX];
    bst_hex(recovery->root, sizeof recovery->root, root);
    if (recovery->reason && !bst_utf8_valid(recovery->reason, strlen(recovery->reason)))
        return bst_fail(err, BST_USAGE, "the reason is not valid UTF-8 text");
    json_t *predicate = json_pack("{s:{s:s,s:s},s:{s:s,s:I,s:s},s:s*,s:s*}", "log", "origin",
                                  recovery->origin, "vkey", recovery->vkey, "before", "origin",
                                  recovery->before, "entries", (json_int_t)recovery->entries, "checkpoint",
                                  recovery->checkpoint, "lost", recovery->lost, "reason", recovery->reason);
    return finish(BST_RECOVERY_TYPE, recovery->before, root, author, "recoveredOn", recovery->recovered_ms,
                  predicate, payload, err);
}
