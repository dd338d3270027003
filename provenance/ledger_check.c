/* ledger_check.c - recomputes a ledger from its entries and reports all that does not fit.
 *
 * One pass over the entries in order, in chunks, so that a writer never waits longer than a chunk takes and
 * memory does not grow with the ledger. Everything is compared with what the entries themselves give: leaf
 * hashes, signatures, the tree's nodes, every checkpoint's root, the index. Where entries were damaged, what
 * necessarily follows from it (nodes and roots above them) is not reported again. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_check.h"
#include "statement.h"

#define CHUNK    256     /* entries read under one lock */
#define TOLD_MAX 20      /* findings of one rule that are told one by one */
#define GAP_MAX  1000000 /* missing entries in a row that are counted through */

static const char *const rule_id[BST_RULE_COUNT] = {
    [BST_RULE_FILE] = "file.damaged",
    [BST_RULE_SCHEMA] = "schema.changed",
    [BST_RULE_LOG] = "log.identity",
    [BST_RULE_ENTRY_MISSING] = "entry.missing",
    [BST_RULE_LEAF_HASH] = "entry.leaf-hash",
    [BST_RULE_ENVELOPE] = "entry.envelope",
    [BST_RULE_SIGNER] = "entry.signer",
    [BST_RULE_SIGNATURE] = "entry.signature",
    [BST_RULE_REVOKED] = "entry.revoked-key",
    [BST_RULE_UNSIGNED] = "entry.no-checkpoint",
    [BST_RULE_CHECKPOINT_SIGNATURE] = "checkpoint.signature",
    [BST_RULE_CHECKPOINT_SIZE] = "checkpoint.size",
    [BST_RULE_CHECKPOINT_ROOT] = "checkpoint.root",
    [BST_RULE_TRUNCATED] = "checkpoint.truncated",
    [BST_RULE_NODE] = "node.hash",
    [BST_RULE_SECRET] = "secret.commitment",
    [BST_RULE_ERASED] = "secret.erased",
    [BST_RULE_RECORD] = "record.content",
    [BST_RULE_RELATION] = "relation.content",
    [BST_RULE_WORDS] = "words.content",
};

static enum bst_code code_of(enum bst_rule rule)
{
    return rule == BST_RULE_REVOKED ? BST_UNTRUSTED : BST_BROKEN;
}

void bst_check_report(struct bst_check_run *run, enum bst_rule rule, int64_t index, const char *format, ...)
{
    if (++run->count[rule] > TOLD_MAX || !run->found) return;
    char words[512];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    struct bst_finding finding = {code_of(rule), index, rule_id[rule], words};
    run->found(run->arg, &finding);
}

/* The pass over the entries. */
struct pass {
    struct bst_check_run *run;
    struct bst_peaks peaks;
    uint64_t damaged;           /* bit l: the peak of level l covers an entry that is missing or changed */
    bool carry;                 /* the same for the subtree that is being built */
    struct bst_checkpoint next; /* the first checkpoint beyond the entries seen; size 0: none is left */
    char *origin;               /* the log's name as far as the entries seen say; NULL: nothing yet */
    struct bst_checkpoint head; /* the one in the file beside the ledger; size 0: none */
    uint64_t newest;            /* size of the newest checkpoint when the check began */
    uint64_t confirmed;         /* size of the last checkpoint whose root was right */
    uint64_t secrets;           /* rows of table secret that belong to entries seen */
    struct bst_keys lives;      /* until when which key is believed */
    size_t key_count;           /* keys that identity statements so far declare */
    struct known_key {
        char id[BST_SHA256_HEX];
        uint8_t key[BST_KEY_LEN];
    } * keys;
};

/* ---- the tree ---- */

/* bst_made_fn: compares a stored node with the recomputed one. */
static enum bst_code check_node(void *arg, unsigned level, uint64_t idx, const uint8_t hash[static 32],
                                struct bst_error *err)
{
    struct pass *pass = arg;
    uint8_t stored[32];
    if (pass->damaged >> (level - 1) & 1) pass->carry = true;
    if (pass->carry) return BST_OK;
    enum bst_code code = bst_ledger_node(pass->run->ledger, level, idx, stored, err);
    if (code == BST_OK && memcmp(stored, hash, sizeof stored) == 0) return BST_OK;
    if (code != BST_OK && code != BST_BROKEN) return code;
    pass->carry = true; /* the nodes above differ for the same reason */
    uint64_t first = idx << level, last = ((idx + 1) << level) - 1;
    bst_check_report(
        pass->run, BST_RULE_NODE, (int64_t)first,
        "the stored tree (level %u, node %llu) does not fit entries %llu to %llu as they stand now", level,
        (unsigned long long)idx, (unsigned long long)first, (unsigned long long)last);
    return BST_OK;
}

/* Adds one leaf to the recomputed tree; damaged: it is known not to be the original. */
static enum bst_code push(struct pass *pass, const uint8_t leaf[static 32], bool damaged,
                          struct bst_error *err)
{
    pass->carry = damaged;
    unsigned level = (unsigned)__builtin_ctzll(~pass->peaks.size); /* where the new peak will be */
    enum bst_code code = bst_peaks_push(&pass->peaks, leaf, check_node, pass, err);
    pass->damaged &= ~(((uint64_t)1 << level) - 1);
    if (pass->carry) pass->damaged |= (uint64_t)1 << level;
    return code;
}

/* ---- checkpoints ---- */

/* Opens a note under the name that it gives itself; whether the log had that name then is asked when its entries have been
 * seen. */
static enum bst_code open_checkpoint(const struct bst_ledger *ledger, const char *note,
                                     struct bst_checkpoint *out, struct bst_error *err)
{
    char *origin = bst_format("%.*s", (int)strcspn(note, "\n"), note);
    if (!origin) return bst_fail_memory(err);
    enum bst_code code = bst_checkpoint_open(note, strlen(note), origin, ledger->key, out, err);
    free(origin);
    return code;
}

/* Reads checkpoints from the given size on until one is good; those that are not are reported and passed
 * over. */
static enum bst_code next_checkpoint(struct pass *pass, uint64_t after, struct bst_error *err)
{
    struct bst_ledger *ledger = pass->run->ledger;
    bst_checkpoint_clear(&pass->next);
    for (;;) {
        sqlite3_stmt *statement = bst_db_get(ledger, BST_SQL_NEXT_CHECKPOINT, err);
        if (!statement) return err->code;
        bst_db_number(statement, 1, after);
        int result = sqlite3_step(statement);
        if (result != SQLITE_ROW) {
            sqlite3_reset(statement);
            return result == SQLITE_DONE ? BST_OK : bst_db_fail(ledger, err);
        }
        const char *note = (const char *)sqlite3_column_text(statement, 0);
        uint64_t size = (uint64_t)sqlite3_column_int64(statement, 1);
        if (size <= after) { /* not what was asked for: without this, a damaged page is an endless loop */
            sqlite3_reset(statement);
            return bst_fail(err, BST_UNREADABLE, "the table checkpoint is damaged");
        }
        enum bst_code code =
            note ? open_checkpoint(ledger, note, &pass->next, err) : bst_fail(err, BST_BROKEN, "it is empty");
        sqlite3_reset(statement);
        if (code == BST_FAILURE) return code;
        if (code != BST_OK) {
            bst_check_report(pass->run, BST_RULE_CHECKPOINT_SIGNATURE, -1,
                             "the checkpoint for %llu entries is not good: %s", (unsigned long long)size,
                             err->what);
        } else if (pass->next.size != size) {
            bst_check_report(pass->run, BST_RULE_CHECKPOINT_SIZE, -1,
                             "the checkpoint filed under %llu entries signs %llu", (unsigned long long)size,
                             (unsigned long long)pass->next.size);
            bst_checkpoint_clear(&pass->next);
        } else {
            return BST_OK;
        }
        after = size;
    }
}

static void check_root(struct pass *pass, const struct bst_checkpoint *checkpoint, const char *which)
{
    uint8_t root[32];
    bst_peaks_root(&pass->peaks, root);
    if (memcmp(root, checkpoint->root, sizeof root) == 0) {
        pass->confirmed = checkpoint->size;
        return;
    }
    /* Told once: later roots are wrong for the same reason. Nor is it news where an entry is known to be
     * damaged. */
    if (pass->run->count[BST_RULE_CHECKPOINT_ROOT] > 0 || pass->damaged) return;
    bst_check_report(
        pass->run, BST_RULE_CHECKPOINT_ROOT, (int64_t)pass->confirmed,
        "%s for %llu entries signs others: among entries %llu to %llu something was changed, deleted, "
        "inserted or reordered",
        which, (unsigned long long)checkpoint->size, (unsigned long long)pass->confirmed,
        (unsigned long long)checkpoint->size - 1);
}

/* After each entry: do checkpoints end here? */
static enum bst_code check_roots(struct pass *pass, struct bst_error *err)
{
    uint64_t size = pass->peaks.size;
    if (pass->head.size == size && size > 0)
        check_root(pass, &pass->head, "the checkpoint beside the ledger");
    if (pass->next.size != size || size == 0) return BST_OK;
    check_root(pass, &pass->next, "the checkpoint");
    if (pass->origin && strcmp(pass->next.origin, pass->origin) != 0)
        bst_check_report(pass->run, BST_RULE_LOG, -1,
                         "the checkpoint for %llu entries is of the log %.200s; the ledger's was %.200s then",
                         (unsigned long long)size, pass->next.origin, pass->origin);
    return next_checkpoint(pass, size, err);
}

/* ---- one entry ---- */

static const uint8_t *find_key(const struct pass *pass, const char *id)
{
    for (size_t i = 0; i < pass->key_count; i++) {
        if (strcmp(pass->keys[i].id, id) == 0) return pass->keys[i].key;
    }
    return NULL;
}

static enum bst_code add_key(struct pass *pass, const struct bst_identity *identity, struct bst_error *err)
{
    if (find_key(pass, identity->key_id)) return BST_OK;
    struct known_key *keys = realloc(pass->keys, (pass->key_count + 1) * sizeof *keys);
    if (!keys) return bst_fail_memory(err);
    pass->keys = keys;
    memcpy(keys[pass->key_count].id, identity->key_id, BST_SHA256_HEX);
    memcpy(keys[pass->key_count].key, identity->public_key, BST_KEY_LEN);
    pass->key_count++;
    return BST_OK;
}

static enum bst_code set_origin(struct pass *pass, const char *origin, struct bst_error *err)
{
    free(pass->origin);
    pass->origin = bst_strdup(origin);
    return pass->origin ? BST_OK : bst_fail_memory(err);
}

/* From a recovery on the log has another name. */
static enum bst_code check_recovery(struct pass *pass, uint64_t idx, const struct bst_dsse *dsse,
                                    struct bst_error *err)
{
    if (strcmp(bst_statement_kind(dsse->statement)->name, "recovery") != 0) return BST_OK;
    const char *before = json_string_value(bst_json_at(dsse->statement, "predicate.before.origin"));
    const char *origin = json_string_value(bst_json_at(dsse->statement, "predicate.log.origin"));
    json_int_t entries = json_integer_value(bst_json_at(dsse->statement, "predicate.before.entries"));
    if (!before || !origin || (pass->origin && strcmp(before, pass->origin) != 0) || entries < 0 ||
        (uint64_t)entries != idx) {
        bst_check_report(pass->run, BST_RULE_LOG, (int64_t)idx,
                         "the recovery in entry %llu is not of this log at that size",
                         (unsigned long long)idx);
        return BST_OK;
    }
    return set_origin(pass, origin, err);
}

/* An identity statement declares a key, with which it must itself be signed. Entry 0 also names the log. */
static enum bst_code check_identity(struct pass *pass, uint64_t idx, const struct bst_dsse *dsse,
                                    struct bst_error *err)
{
    const struct bst_ledger *ledger = pass->run->ledger;
    struct bst_identity identity;
    enum bst_code code =
        bst_identity_from_json(json_object_get(dsse->statement, "predicate"), &identity, err);
    if (code == BST_FAILURE) return code;
    if (code != BST_OK) {
        bst_check_report(pass->run, BST_RULE_ENVELOPE, (int64_t)idx,
                         "entry %llu is no valid identity statement: %s", (unsigned long long)idx, err->what);
        return BST_OK;
    }
    code = add_key(pass, &identity, err);
    if (idx == 0 && memcmp(identity.log_key, ledger->key, BST_KEY_LEN) != 0)
        bst_check_report(pass->run, BST_RULE_LOG, 0, "entry 0 names another log key than the ledger uses");
    if (idx == 0 && code == BST_OK) code = set_origin(pass, identity.log_origin, err);
    bst_identity_clear(&identity);
    return code;
}

/* A key that revokes itself signs that for the last time. */
static void check_life(struct pass *pass, uint64_t idx, const struct bst_dsse *dsse)
{
    const struct bst_key_life *life = bst_keys_find(&pass->lives, dsse->key_id);
    if (!life || idx < life->ended || idx == life->ended_by) return;
    bst_check_report(pass->run, BST_RULE_REVOKED, (int64_t)idx,
                     "entry %llu is signed by the key %.16s... of %.100s, which was %s by entry %llu",
                     (unsigned long long)idx, life->key_id, life->name,
                     life->revoked ? "revoked" : "exchanged for another", (unsigned long long)life->ended_by);
}

static enum bst_code check_signature(struct pass *pass, uint64_t idx, const struct bst_dsse *dsse,
                                     struct bst_error *err)
{
    if (strcmp(bst_statement_kind(dsse->statement)->name, "identity") == 0) {
        enum bst_code code = check_identity(pass, idx, dsse, err);
        if (code != BST_OK) return code;
    } else if (idx == 0) {
        bst_check_report(pass->run, BST_RULE_LOG, 0, "entry 0 is not the identity of the ledger's keeper");
    }
    const uint8_t *key = find_key(pass, dsse->key_id);
    if (!key) {
        bst_check_report(
            pass->run, BST_RULE_SIGNER, (int64_t)idx,
            "entry %llu is signed by the key %.16s..., which no identity statement before it declares",
            (unsigned long long)idx, dsse->key_id);
    } else if (!bst_dsse_verify(dsse, key)) {
        bst_check_report(pass->run, BST_RULE_SIGNATURE, (int64_t)idx,
                         "the signature of entry %llu does not fit its statement", (unsigned long long)idx);
    } else {
        check_life(pass, idx, dsse);
    }
    return BST_OK;
}

static void check_secrets(struct pass *pass, uint64_t idx, const struct bst_dsse *dsse,
                          const struct bst_secrets *secrets)
{
    for (size_t i = 0; i < secrets->count; i++) {
        char commitment[BST_SHA256_HEX];
        const char *stated = bst_statement_commitment(dsse->statement, secrets->item[i].name);
        bst_secret_commitment(&secrets->item[i], commitment);
        if (stated && strcmp(stated, commitment) == 0) continue;
        bst_check_report(pass->run, BST_RULE_SECRET, (int64_t)idx,
                         "the secret words \"%s\" of entry %llu are not those that its statement commits to",
                         secrets->item[i].name, (unsigned long long)idx);
    }
    pass->secrets += secrets->count;
}

/* Words that a statement says were erased must not be there again. */
static enum bst_code check_erased(struct pass *pass, uint64_t idx, const struct bst_dsse *dsse,
                                  struct bst_error *err)
{
    if (strcmp(bst_statement_kind(dsse->statement)->name, "erasure") != 0) return BST_OK;
    const json_t *entry = bst_json_at(dsse->statement, "predicate.entry");
    const json_t *fields = bst_json_at(dsse->statement, "predicate.fields");
    struct bst_secrets secrets;
    uint64_t erased = (uint64_t)json_integer_value(entry);
    enum bst_code code = bst_index_secrets(pass->run->ledger, erased, &secrets, err);
    if (code != BST_OK) return code;
    for (size_t i = 0; i < secrets.count; i++) {
        for (size_t f = 0; f < json_array_size(fields); f++) {
            const char *field = json_string_value(json_array_get(fields, f));
            if (!field || strcmp(field, secrets.item[i].name) != 0) continue;
            bst_check_report(
                pass->run, BST_RULE_ERASED, (int64_t)idx,
                "the words \"%.31s\" of entry %llu, which entry %llu says were erased, are there "
                "again",
                field, (unsigned long long)erased, (unsigned long long)idx);
        }
    }
    bst_secrets_clear(&secrets);
    return BST_OK;
}

/* What the entry says: signature, secrets, index. */
static enum bst_code check_content(struct pass *pass, uint64_t idx, const void *envelope, size_t len,
                                   struct bst_error *err)
{
    struct bst_dsse dsse;
    struct bst_secrets secrets;
    enum bst_code code = bst_dsse_open(envelope, len, &dsse, err);
    if (code != BST_OK) {
        bst_check_report(pass->run, BST_RULE_ENVELOPE, (int64_t)idx, "entry %llu is no signed statement: %s",
                         (unsigned long long)idx, err->what);
        return code == BST_FAILURE ? code : BST_OK;
    }
    code = bst_index_secrets(pass->run->ledger, idx, &secrets, err);
    if (code == BST_OK) {
        check_secrets(pass, idx, &dsse, &secrets);
        code = check_signature(pass, idx, &dsse, err);
        if (code == BST_OK) code = check_erased(pass, idx, &dsse, err);
        if (code == BST_OK) code = check_recovery(pass, idx, &dsse, err);
        if (code == BST_OK) code = bst_check_index(pass->run, idx, &dsse, &secrets, err);
        bst_secrets_clear(&secrets);
    }
    bst_dsse_clear(&dsse);
    return code;
}

static enum bst_code check_entry(struct pass *pass, sqlite3_stmt *row, struct bst_error *err)
{
    uint64_t idx = pass->peaks.size;
    const void *stored = sqlite3_column_blob(row, 1), *envelope = sqlite3_column_blob(row, 2);
    size_t len = (size_t)sqlite3_column_bytes(row, 2);
    uint8_t leaf[32];
    bst_merkle_leaf(envelope ? envelope : "", len, leaf);
    bool same = stored && sqlite3_column_bytes(row, 1) == 32 && memcmp(stored, leaf, 32) == 0;
    if (!same) {
        bst_check_report(pass->run, BST_RULE_LEAF_HASH, (int64_t)idx,
                         "entry %llu was changed: its leaf hash is not that of its envelope",
                         (unsigned long long)idx);
    }
    enum bst_code code = check_content(pass, idx, envelope ? envelope : "", len, err);
    if (code == BST_OK) code = push(pass, leaf, !same, err);
    return code == BST_OK ? check_roots(pass, err) : code;
}

/* Counts through the entries missing before idx, so that the rest keeps its place in the tree. */
static enum bst_code check_gap(struct pass *pass, uint64_t idx, struct bst_error *err)
{
    static const uint8_t nothing[32];
    enum bst_code code = BST_OK;
    while (pass->peaks.size < idx && code == BST_OK) {
        bst_check_report(pass->run, BST_RULE_ENTRY_MISSING, (int64_t)pass->peaks.size,
                         "entry %llu is missing", (unsigned long long)pass->peaks.size);
        code = push(pass, nothing, true, err);
        if (code == BST_OK) code = check_roots(pass, err);
    }
    return code;
}

/* ---- the pass ---- */

/* false in *more when nothing is left. */
static enum bst_code check_chunk(struct pass *pass, bool *more, struct bst_error *err)
{
    struct bst_ledger *ledger = pass->run->ledger;
    sqlite3_stmt *statement = bst_db_get(ledger, BST_SQL_ENTRIES, err);
    if (!statement) return err->code;
    bst_db_number(statement, 1, pass->peaks.size);
    bst_db_number(statement, 2, pass->run->size);
    bst_db_number(statement, 3, CHUNK);
    enum bst_code code = BST_OK;
    int result = SQLITE_DONE, rows = 0;
    while (code == BST_OK && (result = sqlite3_step(statement)) == SQLITE_ROW) {
        uint64_t idx = (uint64_t)sqlite3_column_int64(statement, 0);
        rows++;
        if (idx - pass->peaks.size > GAP_MAX) {
            bst_check_report(pass->run, BST_RULE_ENTRY_MISSING, (int64_t)pass->peaks.size,
                             "entries %llu to %llu are missing; the rest cannot be judged",
                             (unsigned long long)pass->peaks.size, (unsigned long long)idx - 1);
            rows = 0;
            break;
        }
        code = check_gap(pass, idx, err);
        if (code == BST_OK) code = check_entry(pass, statement, err);
    }
    if (code == BST_OK && result != SQLITE_ROW && result != SQLITE_DONE) code = bst_db_fail(ledger, err);
    sqlite3_reset(statement);
    *more = rows == CHUNK;
    return code;
}

/* What the end of the entries shows: entries that no checkpoint covers, checkpoints that cover more. */
static enum bst_code check_end(struct pass *pass, struct bst_error *err)
{
    uint64_t size = pass->peaks.size;
    for (uint64_t idx = pass->newest; idx < size; idx++) {
        bst_check_report(pass->run, BST_RULE_UNSIGNED, (int64_t)idx,
                         "entry %llu was added without a checkpoint", (unsigned long long)idx);
        if (pass->run->count[BST_RULE_UNSIGNED] > TOLD_MAX) break;
    }
    if (pass->origin && strcmp(pass->origin, pass->run->ledger->origin) != 0)
        bst_check_report(pass->run, BST_RULE_LOG, 0,
                         "the entries say that the log is %.200s, the ledger says %.200s", pass->origin,
                         pass->run->ledger->origin);
    enum bst_code code = BST_OK;
    while (pass->next.size > 0 && pass->next.size <= pass->newest && code == BST_OK) {
        bst_check_report(
            pass->run, BST_RULE_TRUNCATED, (int64_t)size,
            "a checkpoint for %llu entries was signed, but the ledger ends after %llu: the rest was "
            "deleted",
            (unsigned long long)pass->next.size, (unsigned long long)size);
        code = next_checkpoint(pass, pass->next.size, err);
    }
    if (pass->head.size > size) {
        bst_check_report(
            pass->run, BST_RULE_TRUNCATED, (int64_t)size,
            "the checkpoint beside the ledger signs %llu entries, but the ledger ends after %llu: entries "
            "were cut off or an old copy was put back",
            (unsigned long long)pass->head.size, (unsigned long long)size);
    }
    return code;
}

/* Rows of a table for the entries seen. */
static enum bst_code count_rows(struct pass *pass, const char *sql, uint64_t *count, struct bst_error *err)
{
    sqlite3_stmt *statement;
    struct bst_ledger *ledger = pass->run->ledger;
    if (sqlite3_prepare_v2(ledger->db, sql, -1, &statement, NULL) != SQLITE_OK)
        return bst_db_fail(ledger, err);
    bst_db_number(statement, 1, pass->run->size);
    enum bst_code code = sqlite3_step(statement) == SQLITE_ROW ? BST_OK : bst_db_fail(ledger, err);
    *count = code == BST_OK ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return code;
}

/* Every row that the entries give was found; more than these belong to nothing. */
static enum bst_code check_counts(struct pass *pass, struct bst_error *err)
{
    struct bst_check_run *run = pass->run;
    uint64_t secrets, relations = 0;
    enum bst_code code = count_rows(pass, "SELECT count(*) FROM secret WHERE entry < ?1", &secrets, err);
    if (code == BST_OK && secrets > pass->secrets)
        bst_check_report(run, BST_RULE_SECRET, -1, "%llu secrets belong to no statement",
                         (unsigned long long)(secrets - pass->secrets));
    if (code == BST_OK)
        code = count_rows(pass, "SELECT count(*) FROM relation WHERE entry < ?1", &relations, err);
    if (code == BST_OK && relations > run->relations)
        bst_check_report(run, BST_RULE_RELATION, -1, "the index has %llu relations that no entry states",
                         (unsigned long long)(relations - run->relations));
    return code;
}

/* What there is to check: entries, and the size of the newest checkpoint, both at one moment. The file beside
 * the ledger is read first, since it follows the database and not the other way round. */
static enum bst_code take_stock(struct pass *pass, struct bst_error *err)
{
    static const char sql[] = "SELECT (SELECT coalesce(max(idx) + 1, 0) FROM entry),"
                              " (SELECT coalesce(max(size), 0) FROM checkpoint)";
    struct bst_ledger *ledger = pass->run->ledger;
    sqlite3_stmt *statement;
    enum bst_code code = bst_head_load(ledger, &pass->head, err);
    if (code == BST_BROKEN || code == BST_UNREADABLE) {
        bst_check_report(pass->run, BST_RULE_CHECKPOINT_SIGNATURE, -1,
                         "the checkpoint beside the ledger is not good: %s", err->what);
    } else if (code != BST_OK) {
        return code;
    }
    if (sqlite3_prepare_v2(ledger->db, sql, -1, &statement, NULL) != SQLITE_OK)
        return bst_db_fail(ledger, err);
    code = sqlite3_step(statement) == SQLITE_ROW ? BST_OK : bst_db_fail(ledger, err);
    if (code == BST_OK) {
        pass->run->size = (uint64_t)sqlite3_column_int64(statement, 0);
        pass->newest = (uint64_t)sqlite3_column_int64(statement, 1);
    }
    sqlite3_finalize(statement);
    return code;
}

static enum bst_code check_entries(struct bst_check_run *run, bst_progress progress, void *progress_arg,
                                   struct bst_error *err)
{
    struct pass *pass = bst_calloc(1, sizeof *pass);
    if (!pass) return bst_fail_memory(err);
    pass->run = run;
    bool more = true;
    enum bst_code code = take_stock(pass, err);
    if (code == BST_OK) code = next_checkpoint(pass, 0, err);
    if (code == BST_OK) code = bst_check_settle(run, bst_ledger_keys(run->ledger, &pass->lives, err), err);
    while (code == BST_OK && more) {
        if (progress && !progress(progress_arg, pass->peaks.size, run->size)) {
            code = bst_fail(err, BST_FAILURE, "interrupted");
        } else {
            code = check_chunk(pass, &more, err);
        }
    }
    if (code == BST_OK) code = check_end(pass, err);
    if (code == BST_OK) code = check_counts(pass, err);
    bst_checkpoint_clear(&pass->next);
    bst_checkpoint_clear(&pass->head);
    free(pass->origin);
    bst_keys_clear(&pass->lives);
    free(pass->keys);
    free(pass);
    return code;
}

enum bst_code bst_check_settle(struct bst_check_run *run, enum bst_code code, const struct bst_error *err)
{
    if (code != BST_BROKEN && code != BST_UNREADABLE) return code;
    bst_check_report(run, BST_RULE_SCHEMA, -1, "the ledger cannot be read whole: %s", err->what);
    return BST_OK;
}

enum bst_code bst_check_sum_up(struct bst_check_run *run, struct bst_error *err)
{
    uint64_t total = 0;
    for (int rule = 0; rule < BST_RULE_COUNT; rule++) {
        uint64_t count = run->count[rule];
        total += count;
        if (count <= TOLD_MAX || !run->found) continue;
        char words[128];
        snprintf(words, sizeof words, "and %llu more of this kind", (unsigned long long)count - TOLD_MAX);
        struct bst_finding finding = {code_of((enum bst_rule)rule), -1, rule_id[rule], words};
        run->found(run->arg, &finding);
    }
    if (total == 0) return BST_OK;
    if (total == run->count[BST_RULE_REVOKED])
        return bst_fail(err, BST_UNTRUSTED,
                        "the ledger is whole, but %llu of its statements are by keys that were not in force",
                        (unsigned long long)total);
    return bst_fail(err, BST_BROKEN, "the ledger was altered: %llu findings", (unsigned long long)total);
}

enum bst_code bst_ledger_check(struct bst_ledger *ledger, bst_finding_fn found, void *arg,
                               bst_progress progress, void *progress_arg, struct bst_error *err)
{
    struct bst_check_run run = {.ledger = ledger, .found = found, .arg = arg};
    enum bst_code code = bst_ledger_current(ledger, err);
    if (code == BST_OK) code = bst_check_settle(&run, bst_check_file(&run, err), err);
    if (code == BST_OK) code = bst_check_settle(&run, bst_check_schema(&run, err), err);
    if (code == BST_OK) code = bst_check_settle(&run, check_entries(&run, progress, progress_arg, err), err);
    if (code == BST_OK) code = bst_check_settle(&run, bst_check_leftovers(&run, err), err);
    if (code == BST_OK) code = bst_check_settle(&run, bst_check_words(&run, err), err);
    if (code != BST_OK) return code;
    if (progress) progress(progress_arg, run.size, run.size);
    return bst_check_sum_up(&run, err);
}
