/* ledger_db.h - the ledger's database connection, and what the ledger's files share. Private to provenance/.
 */
#ifndef BST_LEDGER_DB_H
#define BST_LEDGER_DB_H

#include <sqlite3.h>

#include "merkle.h"

#define BST_LEDGER_APPLICATION 0x424c5354 /* "BLST" */
#define BST_LEDGER_SCHEMA      2

extern const char bst_ledger_sql[]; /* schema/ledger.sql */

/* Statements that are prepared once for each connection. */
enum bst_sql {
    BST_SQL_BEGIN,
    BST_SQL_BEGIN_READ,
    BST_SQL_COMMIT,
    BST_SQL_ROLLBACK,
    BST_SQL_SIZE,
    BST_SQL_LEAF,
    BST_SQL_NODE,
    BST_SQL_ENVELOPE,
    BST_SQL_NEWEST_CHECKPOINT,
    BST_SQL_NEXT_CHECKPOINT,
    BST_SQL_ADD_ENTRY,
    BST_SQL_ADD_NODE,
    BST_SQL_ADD_CHECKPOINT,
    BST_SQL_ADD_SECRET,
    BST_SQL_SECRETS,
    BST_SQL_ADD_AUTHOR,
    BST_SQL_ADD_MODEL,
    BST_SQL_ADD_RECORD,
    BST_SQL_RECORD,
    BST_SQL_ADD_RELATION,
    BST_SQL_RELATION,
    BST_SQL_ADD_WORDS,
    BST_SQL_WORDS,
    BST_SQL_ENTRIES,
    BST_SQL_COUNT
};

struct bst_ledger { /* used by one thread at a time */
    sqlite3 *db;
    sqlite3_stmt *prepared[BST_SQL_COUNT];
    enum bst_ledger_mode mode;
    uint32_t version; /* of its tables; lower than BST_LEDGER_SCHEMA only when it is open for reading */
    char *path;
    char *origin;
    uint8_t key[BST_KEY_LEN];
    char
        *seen_note; /* the newest checkpoint when it was last opened, so that its signature is checked once */
    struct bst_checkpoint seen;
    struct bst_head *head; /* ledger_head.c; NULL until it is needed */
    /* ledger_keys.c: of a ledger open for reading, so that they are worked out once for many pictures */
    bool has_lives;
    int64_t lives_version; /* SQLite's count of changes by others when they were */
    struct bst_keys lives;
};

/* The prepared statement, reset and with nothing bound; NULL on failure (err is filled). */
sqlite3_stmt *bst_db_get(struct bst_ledger *ledger, enum bst_sql id, struct bst_error *err);
/* Runs a statement that gives no rows, then resets it. */
enum bst_code bst_db_run(struct bst_ledger *ledger, sqlite3_stmt *statement, struct bst_error *err);
/* Turns the connection's last error into words. */
enum bst_code bst_db_fail(struct bst_ledger *ledger, struct bst_error *err);

/* One write transaction; rollback keeps err as it is. */
enum bst_code bst_db_begin(struct bst_ledger *ledger, struct bst_error *err);
/* One moment's view for several reads, which also take one lock instead of one each; ended by rollback. */
enum bst_code bst_db_begin_read(struct bst_ledger *ledger, struct bst_error *err);
enum bst_code bst_db_commit(struct bst_ledger *ledger, struct bst_error *err);
/* The same for a transaction that adds a signed checkpoint, which is then remembered beside the ledger. */
enum bst_code bst_db_commit_signed(struct bst_ledger *ledger, const char *note, struct bst_error *err);
void bst_db_rollback(struct bst_ledger *ledger);

/* Binds a 64-bit unsigned number that is known to fit; text may be NULL. */
void bst_db_number(sqlite3_stmt *statement, int at, uint64_t value);
void bst_db_text(sqlite3_stmt *statement, int at, const char *text);

/* Opens without bringing an older version up to this program's. */
enum bst_code bst_db_open(const char *path, enum bst_ledger_mode mode, struct bst_ledger **out,
                          struct bst_error *err);
/* Brings an older version up to this program's, in one transaction (ledger_rebuild.c). */
enum bst_code bst_db_migrate(struct bst_ledger *ledger, bst_progress progress, void *progress_arg,
                             struct bst_error *err);

/* ---- ledger.c ---- */

/* bst_node_fn over the stored tree; arg is the ledger. A missing node is BST_BROKEN. */
enum bst_code bst_ledger_node(void *arg, unsigned level, uint64_t idx, uint8_t hash[static 32],
                              struct bst_error *err);
enum bst_code bst_ledger_count(struct bst_ledger *ledger, uint64_t *size, struct bst_error *err);
/* The newest checkpoint, opened, its signature checked; BST_NO_PROVENANCE when there is none yet. note may be
 * NULL. */
enum bst_code bst_ledger_newest(struct bst_ledger *ledger, char **note, struct bst_checkpoint *out,
                                struct bst_error *err);

/* The stored tree's right edge, which must have the root that the newest checkpoint signs, here and in the file beside the
 * ledger: BST_BROKEN if not (ledger_append.c). */
enum bst_code bst_ledger_edge(struct bst_ledger *ledger, struct bst_peaks *out, struct bst_error *err);
/* The same without the file beside the ledger. note, if not NULL, gets the newest checkpoint's text, or NULL when there is
 * none yet. */
enum bst_code bst_ledger_tree_edge(struct bst_ledger *ledger, struct bst_peaks *out, char **note,
                                   struct bst_error *err);

/* bst_ledger_append, and what also does, in one transaction: neither stands without the other (ledger_append.c). */
typedef enum bst_code (*bst_append_fn)(void *arg, struct bst_ledger *ledger, struct bst_error *err);
enum bst_code bst_ledger_append_with(struct bst_ledger *ledger, const struct bst_key *log_key,
                                     const struct bst_entry *entries, size_t count, struct bst_proof *proofs,
                                     bst_append_fn also, void *arg, struct bst_error *err);
/* Appends an entry with which all entries go over to a log of another name, without asking what the old one signed last:
 * for ledger_recover.c. */
enum bst_code bst_ledger_append_renamed(struct bst_ledger *ledger, const struct bst_key *log_key,
                                        const struct bst_entry *entry, struct bst_proof *proof,
                                        const char *origin, struct bst_error *err);
/* Inside a write transaction: the log's new name in the table log (ledger_recover.c). */
enum bst_code bst_ledger_rename(struct bst_ledger *ledger, const char *origin, struct bst_error *err);
/* Prepares a statement that is used once; NULL on failure (err is filled). */
sqlite3_stmt *bst_db_prepare(struct bst_ledger *ledger, const char *sql, struct bst_error *err);

/* ---- ledger_erase.c ---- */
/* Deletes an entry's private words for good, one of them by its name or all with NULL, inside the caller's transaction, from
 * everywhere in the file. BST_USAGE when there are none. */
enum bst_code bst_words_erase(struct bst_ledger *ledger, uint64_t index, const char *name,
                              struct bst_error *err);
/* The envelopes of entries [start, size) in order, read in chunks so that a writer never waits long (ledger_export.c).
 * BST_BROKEN when one is missing. progress may be NULL. */
typedef enum bst_code (*bst_entry_fn)(void *arg, uint64_t index, const void *envelope, size_t len,
                                      struct bst_error *err);
enum bst_code bst_ledger_each(struct bst_ledger *ledger, uint64_t start, uint64_t size, bst_entry_fn entry,
                              void *arg, bst_progress progress, void *progress_arg, struct bst_error *err);

/* ---- ledger_head.c: what was signed last, in the file LEDGER-checkpoint, and the lock under which batches are signed. It
 * notices when the database is put back to an older state (a restored backup, entries cut off), which nothing inside can.
 * ---- */

/* The file of a new ledger; BST_USAGE when there is one. */
enum bst_code bst_head_create(const char *ledger_path, struct bst_error *err);
enum bst_code bst_head_exists(const struct bst_ledger *ledger, bool *exists, struct bst_error *err);
/* Where there is none, makes one on which nothing is signed but what follows bst_head_forget. */
enum bst_code bst_head_mark(const struct bst_ledger *ledger, struct bst_error *err);
/* The remembered checkpoint's text; NULL when there is none. */
enum bst_code bst_head_note(const struct bst_ledger *ledger, char **note, struct bst_error *err);
/* Under the lock: what is saved next replaces all that is remembered. */
void bst_head_forget(struct bst_ledger *ledger);
/* Waits for its turn to write. Nothing is locked when there is no such file. */
enum bst_code bst_head_lock(struct bst_ledger *ledger, struct bst_error *err);
void bst_head_unlock(struct bst_ledger *ledger);
bool bst_head_locked(const struct bst_ledger *ledger);
void bst_head_close(struct bst_ledger *ledger);
/* The remembered checkpoint, its signature checked; size 0 when there is none. */
enum bst_code bst_head_load(const struct bst_ledger *ledger, struct bst_checkpoint *out,
                            struct bst_error *err);
/* BST_BROKEN when the database no longer contains what the remembered checkpoint signs; fine when there is no such
 * file. newest: the note of the database's newest checkpoint, found good, or NULL. */
enum bst_code bst_head_check(struct bst_ledger *ledger, const char *newest, struct bst_error *err);
/* After bst_head_check, under the lock: durably remembers the note, which extends what is remembered. */
enum bst_code bst_head_save(struct bst_ledger *ledger, const char *note, struct bst_error *err);
/* Before a checkpoint from the database is given away: it is remembered first, by the writer whom we wait for, or by us when
 * that writer died after its commit and the file can be written. */
void bst_head_settle(struct bst_ledger *ledger, const char *note);

#endif
