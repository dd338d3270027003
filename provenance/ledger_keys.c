/* ledger_keys.c - which keys may sign in a ledger, in which role, and until which entry they are believed.
 *
 * The log's order decides, for nobody can change it afterwards: the statements that speak of keys are taken one after the
 * other, each counts if its signer was in force when it was logged, and what it says holds from then on. A revocation may
 * reach back to a time. Then the first entry of any author that gives that time or a later one is the boundary, for whatever
 * was logged behind it was logged no earlier; what a revoked key's own statements say of their time proves nothing. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_db.h"
#include "statement.h"

#define EVENTS_SQL                                                                                           \
    "SELECT entry, kind FROM record WHERE kind IN ('identity', 'admission', 'rotation', 'revocation')"       \
    " ORDER BY entry"

void bst_keys_clear(struct bst_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        free(keys->item[i].name);
        free(keys->item[i].reason);
    }
    free(keys->item);
    *keys = (struct bst_keys){0};
}

const struct bst_key_life *bst_keys_find(const struct bst_keys *keys, const char *key_id)
{
    for (size_t i = 0; key_id && i < keys->count; i++)
        if (strcmp(keys->item[i].key_id, key_id) == 0) return &keys->item[i];
    return NULL;
}

bool bst_key_believed(const struct bst_key_life *life, uint64_t entry)
{
    return entry >= life->declared && entry < life->ended;
}

const struct bst_key_life *bst_keys_in_force(const struct bst_keys *keys, const char *key_id)
{
    const struct bst_key_life *life = bst_keys_find(keys, key_id);
    return life && life->ended == UINT64_MAX ? life : NULL;
}

bool bst_key_may_revoke(const struct bst_key_life *by, const struct bst_key_life *life)
{
    return by == life || by->is_operator || strcmp(life->successor, by->key_id) == 0;
}

static struct bst_key_life *find(const struct bst_keys *keys, const char *key_id)
{
    return (struct bst_key_life *)(uintptr_t)bst_keys_find(keys, key_id);
}

/* One statement that speaks of keys, its signature not yet checked. */
struct event {
    struct bst_ledger *ledger;
    struct bst_keys *keys;
    uint64_t entry;
    const json_t *predicate;
    const char *subject; /* the key id that it is about */
    const struct bst_dsse *dsse;
};

/* The signer, if the signature holds and the key was in force; else NULL, and the statement counts for nothing. */
static struct bst_key_life *signer_of(const struct event *event)
{
    struct bst_key_life *life = find(event->keys, event->dsse->key_id);
    bool good = life && bst_key_believed(life, event->entry) && bst_dsse_verify(event->dsse, life->key);
    return good ? life : NULL;
}

/* A key declares itself. It takes over the role of the one that it replaces, if that one named it as its successor. */
static enum bst_code declare(const struct event *event, struct bst_error *err)
{
    struct bst_identity identity;
    struct bst_keys *keys = event->keys;
    enum bst_code code = bst_identity_from_json(event->predicate, &identity, err);
    if (code == BST_FAILURE) return code;
    if (code != BST_OK) return BST_OK; /* the check reports it */
    bool counts = !find(keys, identity.key_id) && bst_dsse_verify(event->dsse, identity.public_key);
    if (counts) {
        struct bst_key_life *grown = realloc(keys->item, (keys->count + 1) * sizeof *grown);
        if (grown) {
            keys->item = grown;
            struct bst_key_life *life = &grown[keys->count++];
            *life =
                (struct bst_key_life){.declared = event->entry, .ended = UINT64_MAX, .name = identity.name};
            memcpy(life->key_id, identity.key_id, sizeof life->key_id);
            memcpy(life->key, identity.public_key, sizeof life->key);
            identity.name = NULL;
            const struct bst_key_life *before =
                find(keys, bst_json_text(json_object_get(event->predicate, "replaces"), "keyId"));
            bool named = before && strcmp(before->successor, life->key_id) == 0;
            life->is_operator = event->entry == 0 || (named && before->is_operator);
        } else {
            code = bst_fail_memory(err);
        }
    }
    bst_identity_clear(&identity);
    return code;
}

static void admit(const struct event *event)
{
    const struct bst_key_life *by = signer_of(event);
    const char *role = bst_json_text(event->predicate, "role");
    struct bst_key_life *admitted = find(event->keys, event->subject);
    if (by && by->is_operator && admitted && role && strcmp(role, "operator") == 0)
        admitted->is_operator = true;
}

static void rotate(const struct event *event)
{
    struct bst_key_life *by = signer_of(event);
    if (!by || !event->subject || strlen(event->subject) >= sizeof by->successor) return;
    strcpy(by->successor, event->subject);
    by->ended = event->entry + 1;
    by->ended_by = event->entry;
}

/* The first entry whose author says that it was made at that time or later, of those before. */
static enum bst_code first_since(struct bst_ledger *ledger, int64_t since_ms, uint64_t before, uint64_t *out,
                                 struct bst_error *err)
{
    sqlite3_stmt *statement =
        bst_db_prepare(ledger, "SELECT min(entry) FROM record WHERE time >= ?1 AND entry < ?2", err);
    if (!statement) return err->code;
    sqlite3_bind_int64(statement, 1, since_ms);
    bst_db_number(statement, 2, before);
    enum bst_code code = sqlite3_step(statement) == SQLITE_ROW ? BST_OK : bst_db_fail(ledger, err);
    bool found = code == BST_OK && sqlite3_column_type(statement, 0) != SQLITE_NULL;
    *out = found ? (uint64_t)sqlite3_column_int64(statement, 0) : before;
    sqlite3_finalize(statement);
    return code;
}

static enum bst_code revoke(const struct event *event, struct bst_error *err)
{
    struct bst_key_life *by = signer_of(event), *life = find(event->keys, event->subject);
    const char *since = bst_json_text(event->predicate, "since");
    const char *reason = bst_json_text(event->predicate, "reason");
    uint64_t boundary = 0;
    int64_t since_ms;
    if (!by || !life || !bst_key_may_revoke(by, life)) return BST_OK;
    if (!since || !bst_time_parse(since, &since_ms)) return BST_OK;
    enum bst_code code = first_since(event->ledger, since_ms, event->entry + 1, &boundary, err);
    if (code != BST_OK) return code;
    char *words = reason ? bst_strdup(reason) : NULL;
    if (reason && !words) return bst_fail_memory(err);
    if (boundary < life->ended) life->ended = boundary;
    if (!life->revoked || since_ms < life->since_ms) life->since_ms = since_ms;
    life->revoked = true;
    life->ended_by = event->entry;
    free(life->reason);
    life->reason = words;
    return BST_OK;
}

static enum bst_code take_event(struct bst_ledger *ledger, struct bst_keys *keys, uint64_t entry,
                                const char *kind, struct bst_error *err)
{
    struct bst_dsse dsse;
    enum bst_code code = bst_ledger_statement(ledger, entry, &dsse, err);
    if (code == BST_FAILURE) return code;
    if (code != BST_OK) return BST_OK; /* the check reports it */
    const struct event event = {
        .ledger = ledger,
        .keys = keys,
        .entry = entry,
        .predicate = json_object_get(dsse.statement, "predicate"),
        .subject = json_string_value(bst_json_at(dsse.statement, "subject.0.digest.sha256")),
        .dsse = &dsse,
    };
    if (strcmp(kind, "identity") == 0)
        code = declare(&event, err);
    else if (strcmp(kind, "admission") == 0)
        admit(&event);
    else if (strcmp(kind, "rotation") == 0)
        rotate(&event);
    else
        code = revoke(&event, err);
    bst_dsse_clear(&dsse);
    return code;
}

static enum bst_code work_out(struct bst_ledger *ledger, struct bst_keys *out, struct bst_error *err)
{
    struct bst_keys keys = {0};
    sqlite3_stmt *statement = bst_db_prepare(ledger, EVENTS_SQL, err);
    if (!statement) return err->code;
    enum bst_code code = BST_OK;
    int result = SQLITE_DONE;
    while (code == BST_OK && (result = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *kind = (const char *)sqlite3_column_text(statement, 1);
        code = take_event(ledger, &keys, (uint64_t)sqlite3_column_int64(statement, 0), kind ? kind : "", err);
    }
    if (code == BST_OK && result != SQLITE_DONE) code = bst_db_fail(ledger, err);
    sqlite3_finalize(statement);
    if (code == BST_OK) {
        *out = keys;
    } else {
        bst_keys_clear(&keys);
    }
    return code;
}

/* ---- worked out once ---- */

static enum bst_code copy(const struct bst_keys *from, struct bst_keys *to, struct bst_error *err)
{
    struct bst_keys keys = {.item = bst_calloc(from->count + 1, sizeof *keys.item)};
    bool whole = keys.item != NULL;
    for (; whole && keys.count < from->count; keys.count++) {
        const struct bst_key_life *life = &from->item[keys.count];
        struct bst_key_life *same = &keys.item[keys.count];
        *same = *life;
        same->name = life->name ? bst_strdup(life->name) : NULL;
        same->reason = life->reason ? bst_strdup(life->reason) : NULL;
        whole = (same->name || !life->name) && (same->reason || !life->reason);
    }
    if (whole) {
        *to = keys;
        return BST_OK;
    }
    bst_keys_clear(&keys);
    return bst_fail_memory(err);
}

/* A number that is another one once another connection changed the ledger. */
static enum bst_code read_version(struct bst_ledger *ledger, int64_t *out, struct bst_error *err)
{
    sqlite3_stmt *statement = bst_db_prepare(ledger, "PRAGMA data_version", err);
    if (!statement) return err->code;
    enum bst_code code = sqlite3_step(statement) == SQLITE_ROW ? BST_OK : bst_db_fail(ledger, err);
    *out = code == BST_OK ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return code;
}

enum bst_code bst_ledger_keys(struct bst_ledger *ledger, struct bst_keys *out, struct bst_error *err)
{
    int64_t version = 0;
    if (bst_ledger_current(ledger, err) != BST_OK) return err->code;
    if (ledger->mode != BST_LEDGER_READ) return work_out(ledger, out, err);
    enum bst_code code = read_version(ledger, &version, err);
    if (code == BST_OK && !(ledger->has_lives && ledger->lives_version == version)) {
        bst_keys_clear(&ledger->lives);
        code = work_out(ledger, &ledger->lives, err);
        ledger->has_lives = code == BST_OK;
        ledger->lives_version = version;
    }
    return code == BST_OK ? copy(&ledger->lives, out, err) : code;
}
