/* ledger_append.c - adding a batch: entries, tree, index and one signed checkpoint in one durable
 * transaction.
 *
 * The checkpoint is signed inside the transaction and leaves this file only after the commit and after it was recorded
 * beside the ledger (ledger_head.c), so a signature that anybody holds always stands for entries that are on the disk, and
 * a database without them is known for an old copy. Nothing is signed on top of a tree that
 * differs from what the last checkpoint signed. */
#include <stdlib.h>
#include <string.h>

#include "ledger_index.h"

#define BATCH_MAX 1000000

/* The tree while it grows: enough in memory to prove every new entry without reading the database. */
struct growth {
    struct bst_ledger *ledger;
    struct bst_peaks before, after;
    uint8_t (*made[BST_LEVELS])[32]; /* made[l][i]: node (l, (before.size >> l) + i) */
    uint8_t (*memory)[32];
    const char *origin; /* of the log that the entries go over to; NULL: they stay */
};

/* Number of complete subtrees of a level that the batch adds. */
static uint64_t made_count(uint64_t before, uint64_t after, unsigned level)
{
    return (after >> level) - (before >> level);
}

static enum bst_code growth_room(struct growth *growth, uint64_t count, struct bst_error *err)
{
    uint64_t before = growth->before.size, total = 0;
    for (unsigned level = 0; level < BST_LEVELS; level++)
        total += made_count(before, before + count, level);
    growth->memory = bst_calloc((size_t)total, sizeof *growth->memory);
    if (!growth->memory) return bst_fail_memory(err);
    uint64_t at = 0;
    for (unsigned level = 0; level < BST_LEVELS; level++) {
        growth->made[level] = growth->memory + at;
        at += made_count(before, before + count, level);
    }
    return BST_OK;
}

/* bst_node_fn: a new node, or a peak of the tree as it was. A proof of a new entry needs no other. */
static enum bst_code growth_node(void *arg, unsigned level, uint64_t idx, uint8_t hash[static 32],
                                 struct bst_error *err)
{
    const struct growth *growth = arg;
    uint64_t first = growth->before.size >> level;
    if (idx >= first) {
        memcpy(hash, growth->made[level][idx - first], 32);
        return BST_OK;
    }
    if (idx + 1 == first && first & 1) {
        memcpy(hash, growth->before.peak[level], 32);
        return BST_OK;
    }
    return bst_fail(err, BST_FAILURE, "node %llu of level %u is not at hand", (unsigned long long)idx, level);
}

/* bst_made_fn: stores a new node. */
static enum bst_code growth_made(void *arg, unsigned level, uint64_t idx, const uint8_t hash[static 32],
                                 struct bst_error *err)
{
    struct growth *growth = arg;
    memcpy(growth->made[level][idx - (growth->before.size >> level)], hash, 32);
    sqlite3_stmt *statement = bst_db_get(growth->ledger, BST_SQL_ADD_NODE, err);
    if (!statement) return err->code;
    bst_db_number(statement, 1, level);
    bst_db_number(statement, 2, idx);
    sqlite3_bind_blob(statement, 3, hash, 32, SQLITE_STATIC);
    return bst_db_run(growth->ledger, statement, err);
}

enum bst_code bst_ledger_tree_edge(struct bst_ledger *ledger, struct bst_peaks *out, char **note,
                                   struct bst_error *err)
{
    struct bst_checkpoint newest = {0};
    char *text = NULL;
    enum bst_code code = bst_ledger_count(ledger, &out->size, err);
    for (unsigned level = 0; level < BST_LEVELS && code == BST_OK; level++) {
        uint64_t count = out->size >> level;
        if (count & 1) code = bst_ledger_node(ledger, level, count - 1, out->peak[level], err);
    }
    if (code != BST_OK) return code;
    code = bst_ledger_newest(ledger, &text, &newest, err);
    if (code == BST_NO_PROVENANCE && out->size == 0) return BST_OK;
    if (code != BST_OK && code != BST_NO_PROVENANCE) return code;
    uint8_t root[32];
    bst_peaks_root(out, root);
    bool same = newest.size == out->size && memcmp(root, newest.root, sizeof root) == 0;
    bst_checkpoint_clear(&newest);
    if (same && note) {
        *note = text;
        return BST_OK;
    }
    free(text);
    if (same) return BST_OK;
    bst_fail(err, BST_BROKEN, "the ledger's entries are not those that its last checkpoint signed");
    return bst_hint(err, "`blindstamp ledger verify` says what was changed");
}

enum bst_code bst_ledger_edge(struct bst_ledger *ledger, struct bst_peaks *out, struct bst_error *err)
{
    char *note = NULL;
    enum bst_code code = bst_ledger_tree_edge(ledger, out, &note, err);
    if (code == BST_OK) code = bst_head_check(ledger, note, err);
    free(note);
    return code;
}

static enum bst_code add_secrets(struct bst_ledger *ledger, uint64_t idx, const struct bst_secrets *secrets,
                                 struct bst_error *err)
{
    for (size_t i = 0; i < secrets->count; i++) {
        const struct bst_secret *secret = &secrets->item[i];
        sqlite3_stmt *statement = bst_db_get(ledger, BST_SQL_ADD_SECRET, err);
        if (!statement) return err->code;
        bst_db_number(statement, 1, idx);
        bst_db_text(statement, 2, secret->name);
        sqlite3_bind_blob(statement, 3, secret->salt, sizeof secret->salt, SQLITE_STATIC);
        bst_db_text(statement, 4, secret->words);
        enum bst_code code = bst_db_run(ledger, statement, err);
        if (code != BST_OK) return code;
    }
    return BST_OK;
}

/* ---- entries ----
 *
 * Taking envelopes apart and hashing them is half of the work and needs no database: a chunk of them is done by all
 * processors at once, and then written. */

#define CHUNK       512
#define CHUNK_ALONE 32 /* as few are done before threads have started */

struct opened {
    const struct bst_entry *entry;
    uint8_t leaf[32];
    struct bst_dsse dsse;
    enum bst_code code;
    struct bst_error err;
};

/* bst_pool_run's task. */
static void open_entry(void *arg, size_t i, unsigned thread)
{
    struct opened *opened = (struct opened *)arg + i;
    const struct bst_entry *entry = opened->entry;
    (void)thread;
    if (entry->len > BST_ENVELOPE_MAX) {
        opened->code = bst_fail(&opened->err, BST_USAGE,
                                "a statement of %zu bytes is larger than the %u bytes that an entry may have",
                                entry->len, BST_ENVELOPE_MAX);
    } else if (memchr(entry->envelope, '\n', entry->len)) {
        opened->code = bst_fail(&opened->err, BST_USAGE, "a statement's envelope must be one line of JSON");
    } else {
        opened->code = bst_dsse_open(entry->envelope, entry->len, &opened->dsse, &opened->err);
        bst_merkle_leaf(entry->envelope, entry->len, opened->leaf);
    }
}

/* One entry with all that is derived from it. */
static enum bst_code add_entry(struct growth *growth, const struct opened *opened, struct bst_error *err)
{
    struct bst_ledger *ledger = growth->ledger;
    const struct bst_entry *entry = opened->entry;
    uint64_t idx = growth->after.size;
    if (opened->code != BST_OK) {
        *err = opened->err;
        return opened->code;
    }
    sqlite3_stmt *statement = bst_db_get(ledger, BST_SQL_ADD_ENTRY, err);
    if (!statement) return err->code;
    bst_db_number(statement, 1, idx);
    sqlite3_bind_blob(statement, 2, opened->leaf, sizeof opened->leaf, SQLITE_STATIC);
    sqlite3_bind_blob(statement, 3, entry->envelope, (int)entry->len, SQLITE_STATIC);
    enum bst_code code = bst_db_run(ledger, statement, err);
    if (code == BST_OK && entry->secrets) code = add_secrets(ledger, idx, entry->secrets, err);
    if (code == BST_OK) code = bst_index_add(ledger, idx, &opened->dsse, entry->secrets, err);
    if (code != BST_OK) return code;
    memcpy(growth->made[0][idx - growth->before.size], opened->leaf, sizeof opened->leaf);
    return bst_peaks_push(&growth->after, opened->leaf, growth_made, growth, err);
}

static enum bst_code add_entries(struct growth *growth, const struct bst_entry *entries, size_t count,
                                 struct bst_error *err)
{
    struct bst_pool *pool = NULL;
    size_t room = count < CHUNK ? count : CHUNK;
    struct opened *opened = bst_calloc(room, sizeof *opened);
    enum bst_code code = opened ? BST_OK : bst_fail_memory(err);
    struct bst_error ignored; /* where no thread can be started it goes without */
    if (code == BST_OK && count > CHUNK_ALONE && bst_pool_new(0, &pool, &ignored) != BST_OK) pool = NULL;
    for (size_t at = 0; at < count && code == BST_OK; at += room) {
        size_t n = count - at < room ? count - at : room;
        memset(opened, 0, n * sizeof *opened);
        for (size_t i = 0; i < n; i++)
            opened[i].entry = &entries[at + i];
        bst_pool_run(pool, n, open_entry, opened);
        for (size_t i = 0; i < n; i++) {
            if (code == BST_OK) code = add_entry(growth, &opened[i], err);
            if (opened[i].code == BST_OK) bst_dsse_clear(&opened[i].dsse);
        }
    }
    bst_pool_free(pool);
    free(opened);
    return code;
}

static enum bst_code add_checkpoint(struct growth *growth, const struct bst_key *log_key, char **note,
                                    struct bst_error *err)
{
    struct bst_ledger *ledger = growth->ledger;
    uint8_t root[32];
    bst_peaks_root(&growth->after, root);
    enum bst_code code = bst_checkpoint_sign(growth->origin ? growth->origin : ledger->origin,
                                             growth->after.size, root, log_key, note, err);
    if (code != BST_OK) return code;
    sqlite3_stmt *statement = bst_db_get(ledger, BST_SQL_ADD_CHECKPOINT, err);
    if (!statement) return err->code;
    bst_db_number(statement, 1, growth->after.size);
    bst_db_text(statement, 2, *note);
    return bst_db_run(ledger, statement, err);
}

static enum bst_code make_proofs(struct growth *growth, const char *note, size_t count,
                                 struct bst_proof *proofs, struct bst_error *err)
{
    for (size_t i = 0; i < count; i++) {
        proofs[i] = (struct bst_proof){.index = growth->before.size + i, .checkpoint = bst_strdup(note)};
        if (!proofs[i].checkpoint) return bst_fail_memory(err);
        enum bst_code code = bst_merkle_prove_inclusion(proofs[i].index, growth->after.size, growth_node,
                                                        growth, proofs[i].hash, &proofs[i].len, err);
        if (code != BST_OK) return code;
    }
    return BST_OK;
}

/* The entries that are left go over to a log of another name, whatever was signed in the old one. */
static enum bst_code leave_log(struct growth *growth, struct bst_error *err)
{
    struct bst_ledger *ledger = growth->ledger;
    enum bst_code code = bst_ledger_tree_edge(ledger, &growth->before, NULL, err);
    if (code == BST_OK) code = bst_ledger_rename(ledger, growth->origin, err);
    if (code == BST_OK) bst_head_forget(ledger);
    return code;
}

/* Everything inside the transaction. */
static enum bst_code add_batch(struct growth *growth, const struct bst_key *log_key,
                               const struct bst_entry *entries, size_t count, struct bst_proof *proofs,
                               char **note, struct bst_error *err)
{
    enum bst_code code =
        growth->origin ? leave_log(growth, err) : bst_ledger_edge(growth->ledger, &growth->before, err);
    if (code == BST_OK && !bst_head_locked(growth->ledger)) {
        bst_fail(err, BST_BROKEN, "the file that says what was signed last is missing beside the ledger");
        bst_hint(err, "put it back, or, when this is all there is, go on with it: blindstamp ledger recover");
        code = bst_where(err, "%s-checkpoint", growth->ledger->path);
    }
    if (code != BST_OK) return code;
    growth->after = growth->before;
    code = growth_room(growth, count, err);
    if (code == BST_OK) code = add_entries(growth, entries, count, err);
    if (code == BST_OK) code = add_checkpoint(growth, log_key, note, err);
    if (code == BST_OK) code = make_proofs(growth, *note, count, proofs, err);
    return code;
}

static enum bst_code check_arguments(const struct bst_ledger *ledger, const struct bst_key *log_key,
                                     size_t count, struct bst_error *err)
{
    if (ledger->mode != BST_LEDGER_WRITE)
        return bst_fail(err, BST_USAGE, "the ledger is open for reading only");
    if (count == 0 || count > BATCH_MAX) {
        return bst_fail(err, BST_USAGE, "a batch has 1 to %d entries, not %zu", BATCH_MAX, count);
    }
    if (memcmp(bst_key_public(log_key), ledger->key, BST_KEY_LEN) != 0) {
        return bst_fail(err, BST_USAGE, "this is not the key of the log %s", ledger->origin);
    }
    return BST_OK;
}

/* What an append does besides. */
struct extra {
    bst_append_fn also;
    void *arg;
    const char *origin;
};

static enum bst_code append(struct bst_ledger *ledger, const struct bst_key *log_key,
                            const struct bst_entry *entries, size_t count, struct bst_proof *proofs,
                            const struct extra *extra, struct bst_error *err)
{
    enum bst_code code = check_arguments(ledger, log_key, count, err);
    if (code != BST_OK) return code;
    struct growth *growth = bst_calloc(1, sizeof *growth);
    if (!growth) return bst_fail_memory(err);
    char *note = NULL;
    growth->ledger = ledger;
    growth->origin = extra->origin;
    memset(proofs, 0, count * sizeof *proofs);
    code = bst_db_begin(ledger, err);
    if (code == BST_OK) code = add_batch(growth, log_key, entries, count, proofs, &note, err);
    if (code == BST_OK && extra->also) code = extra->also(extra->arg, ledger, err);
    if (code == BST_OK) code = bst_db_commit_signed(ledger, note, err);
    if (code != BST_OK) {
        bst_db_rollback(ledger);
        for (size_t i = 0; i < count; i++)
            bst_proof_clear(&proofs[i]);
    }
    free(note);
    free(growth->memory);
    free(growth);
    return code;
}

enum bst_code bst_ledger_append_with(struct bst_ledger *ledger, const struct bst_key *log_key,
                                     const struct bst_entry *entries, size_t count, struct bst_proof *proofs,
                                     bst_append_fn also, void *arg, struct bst_error *err)
{
    const struct extra extra = {.also = also, .arg = arg};
    return append(ledger, log_key, entries, count, proofs, &extra, err);
}

enum bst_code bst_ledger_append_renamed(struct bst_ledger *ledger, const struct bst_key *log_key,
                                        const struct bst_entry *entry, struct bst_proof *proof,
                                        const char *origin, struct bst_error *err)
{
    const struct extra extra = {.origin = origin};
    char *now = bst_strdup(origin);
    enum bst_code code = now ? bst_head_mark(ledger, err) : bst_fail_memory(err);
    if (code == BST_OK) code = append(ledger, log_key, entry, 1, proof, &extra, err);
    if (code == BST_OK) {
        free(ledger->origin);
        ledger->origin = now;
    } else {
        free(now);
    }
    return code;
}

enum bst_code bst_ledger_append(struct bst_ledger *ledger, const struct bst_key *log_key,
                                const struct bst_entry *entries, size_t count, struct bst_proof *proofs,
                                struct bst_error *err)
{
    return bst_ledger_append_with(ledger, log_key, entries, count, proofs, NULL, NULL, err);
}
