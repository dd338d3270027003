/* ledger_db.c - the ledger's SQLite file, opened with care.
 *
 * Why a rollback journal (journal_mode=DELETE) and not WAL: SQLite up to 3.51.2 can lose committed
 * transactions in WAL mode when two connections write and checkpoint at the same instant
 * (sqlite.org/wal.html, "the WAL-reset bug"), and the versions in use have no fix; and a WAL reader must
 * write shared memory beside the file, which a read-only folder forbids and evidence should not suffer.
 * synchronous=EXTRA also syncs the folder once the journal is gone, so that a commit that was reported
 * survives a power cut. The price, two or three syncs a transaction, is paid once a batch. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger_db.h"

#define BUSY_MS   60000 /* how long one process waits for another's transaction */
#define VALUE_MAX (64 << 20)

static const char *const sql_text[BST_SQL_COUNT] = {
    [BST_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [BST_SQL_BEGIN_READ] = "BEGIN",
    [BST_SQL_COMMIT] = "COMMIT",
    [BST_SQL_ROLLBACK] = "ROLLBACK",
    [BST_SQL_SIZE] = "SELECT coalesce(max(idx) + 1, 0) FROM entry",
    [BST_SQL_LEAF] = "SELECT leaf FROM entry WHERE idx = ?1",
    [BST_SQL_NODE] = "SELECT hash FROM node WHERE level = ?1 AND idx = ?2",
    [BST_SQL_ENVELOPE] = "SELECT envelope FROM entry WHERE idx = ?1",
    [BST_SQL_NEWEST_CHECKPOINT] = "SELECT note, size FROM checkpoint ORDER BY size DESC LIMIT 1",
    [BST_SQL_NEXT_CHECKPOINT] = "SELECT note, size FROM checkpoint WHERE size > ?1 ORDER BY size LIMIT 1",
    [BST_SQL_ADD_ENTRY] = "INSERT INTO entry (idx, leaf, envelope) VALUES (?1, ?2, ?3)",
    [BST_SQL_ADD_NODE] = "INSERT INTO node (level, idx, hash) VALUES (?1, ?2, ?3)",
    [BST_SQL_ADD_CHECKPOINT] = "INSERT INTO checkpoint (size, note) VALUES (?1, ?2)",
    [BST_SQL_ADD_SECRET] = "INSERT INTO secret (entry, name, salt, words) VALUES (?1, ?2, ?3, ?4)",
    [BST_SQL_SECRETS] = "SELECT name, salt, words FROM secret WHERE entry = ?1 ORDER BY name",
    [BST_SQL_ADD_AUTHOR] = "INSERT INTO author (key_id, name) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    [BST_SQL_ADD_MODEL] =
        "INSERT INTO model (sha256, name, licence) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    /* Parameters in the order of enum bst_column, ledger_index.h. */
    [BST_SQL_ADD_RECORD] =
        "INSERT INTO record (entry, kind, time, author, model, file_name, image_id, seed, width, height,"
        " sha256, pixels_sha256, title, prompt, description, privacy, licence, act, holder, source_type,"
        " arith, version, controls) VALUES (?26, ?1, ?2, (SELECT id FROM author WHERE key_id = ?3 AND name = "
        "?4),"
        " (SELECT id FROM model WHERE sha256 = ?5 AND name = ?6 AND licence = ?7),"
        " ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)",
    [BST_SQL_RECORD] =
        "SELECT kind, time, author.key_id, author.name, model.sha256, model.name, model.licence, file_name,"
        " image_id, seed, width, height, record.sha256, pixels_sha256, title, prompt, description, privacy,"
        " record.licence, act, holder, source_type, arith, version, controls FROM record"
        " LEFT JOIN author ON author.id = record.author LEFT JOIN model ON model.id = record.model"
        " WHERE entry = ?1",
    [BST_SQL_ADD_RELATION] =
        "INSERT INTO relation (digest, role, entry, place, name) VALUES (?1, ?2, ?3, ?4, ?5)",
    [BST_SQL_RELATION] =
        "SELECT name FROM relation WHERE digest = ?1 AND role = ?2 AND entry = ?3 AND place = ?4",
    [BST_SQL_ADD_WORDS] = "INSERT INTO words (rowid, title, prompt, description) VALUES (?1, ?2, ?3, ?4)",
    [BST_SQL_WORDS] = "SELECT title, prompt, description FROM words WHERE rowid = ?1",
    [BST_SQL_ENTRIES] =
        "SELECT idx, leaf, envelope FROM entry WHERE idx >= ?1 AND idx < ?2 ORDER BY idx LIMIT ?3",
};

/* ---- errors ---- */

static enum bst_code fail(sqlite3 *db, const char *path, int result, struct bst_error *err)
{
    const char *words = db ? sqlite3_errmsg(db) : sqlite3_errstr(result);
    switch (result & 0xff) {
    case SQLITE_NOMEM:
        return bst_fail_memory(err);
    case SQLITE_FULL:
        bst_fail(err, BST_FAILURE, "the disk is full; the ledger is as it was before");
        bst_hint(err, "free some space and run the command again");
        break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        bst_fail(err, BST_FAILURE, "another process has been using the ledger for too long");
        bst_hint(err, "wait until it is done, or end it");
        break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        bst_fail(err, BST_FAILURE, "the ledger cannot be opened or written: %s", words);
        bst_hint(err, "check the permissions of the file and of its folder");
        break;
    case SQLITE_IOERR:
        bst_fail(err, BST_FAILURE, "reading or writing the ledger failed: %s", words);
        bst_hint(err, "check the disk and its free space; nothing was half-written");
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        bst_fail(err, BST_UNREADABLE, "the ledger's file is damaged: %s", words);
        bst_hint(err, "put back a copy of the file; `blindstamp ledger verify` then checks it whole");
        break;
    case SQLITE_CONSTRAINT:
        bst_fail(err, BST_BROKEN, "the ledger's rules forbid this: %s", words);
        bst_hint(err, "`blindstamp ledger verify` says what was changed");
        break;
    case SQLITE_ERROR: /* a table or column is missing */
        bst_fail(err, BST_BROKEN, "the ledger's tables are not as they should be: %s", words);
        bst_hint(err, "`blindstamp ledger verify` says what was changed");
        break;
    default:
        bst_fail(err, BST_FAILURE, "SQLite: %s", words);
    }
    return bst_where(err, "%s", path);
}

enum bst_code bst_db_fail(struct bst_ledger *ledger, struct bst_error *err)
{
    return fail(ledger->db, ledger->path, sqlite3_extended_errcode(ledger->db), err);
}

/* ---- statements ---- */

sqlite3_stmt *bst_db_get(struct bst_ledger *ledger, enum bst_sql id, struct bst_error *err)
{
    sqlite3_stmt **statement = &ledger->prepared[id];
    if (*statement) {
        sqlite3_reset(*statement);
        sqlite3_clear_bindings(*statement);
    } else if (sqlite3_prepare_v3(ledger->db, sql_text[id], -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) !=
               SQLITE_OK) {
        bst_db_fail(ledger, err);
        return NULL;
    }
    return *statement;
}

sqlite3_stmt *bst_db_prepare(struct bst_ledger *ledger, const char *sql, struct bst_error *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(ledger->db, sql, -1, &statement, NULL) == SQLITE_OK) return statement;
    bst_db_fail(ledger, err);
    return NULL;
}

enum bst_code bst_db_run(struct bst_ledger *ledger, sqlite3_stmt *statement, struct bst_error *err)
{
    int result = sqlite3_step(statement);
    enum bst_code code = result == SQLITE_DONE || result == SQLITE_ROW ? BST_OK : bst_db_fail(ledger, err);
    sqlite3_reset(statement);
    return code;
}

void bst_db_number(sqlite3_stmt *statement, int at, uint64_t value)
{
    sqlite3_bind_int64(statement, at, (sqlite3_int64)value);
}

void bst_db_text(sqlite3_stmt *statement, int at, const char *text)
{
    if (text) sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static enum bst_code run_id(struct bst_ledger *ledger, enum bst_sql id, struct bst_error *err)
{
    sqlite3_stmt *statement = bst_db_get(ledger, id, err);
    return statement ? bst_db_run(ledger, statement, err) : err->code;
}

enum bst_code bst_db_begin(struct bst_ledger *ledger, struct bst_error *err)
{
    enum bst_code code = bst_head_lock(ledger, err);
    if (code != BST_OK) return code;
    code = run_id(ledger, BST_SQL_BEGIN, err);
    if (code != BST_OK) bst_head_unlock(ledger);
    return code;
}

enum bst_code bst_db_begin_read(struct bst_ledger *ledger, struct bst_error *err)
{
    return run_id(ledger, BST_SQL_BEGIN_READ, err);
}

enum bst_code bst_db_commit(struct bst_ledger *ledger, struct bst_error *err)
{
    enum bst_code code = run_id(ledger, BST_SQL_COMMIT, err);
    if (code == BST_OK) bst_head_unlock(ledger);
    return code;
}

enum bst_code bst_db_commit_signed(struct bst_ledger *ledger, const char *note, struct bst_error *err)
{
    enum bst_code code = run_id(ledger, BST_SQL_COMMIT, err);
    if (code == BST_OK) code = bst_head_save(ledger, note, err);
    if (code == BST_OK) bst_head_unlock(ledger);
    return code;
}

void bst_db_rollback(struct bst_ledger *ledger)
{
    struct bst_error ignored; /* the first error counts; SQLite has often rolled back by itself */
    for (int i = 0; i < BST_SQL_COUNT; i++)
        sqlite3_reset(ledger->prepared[i]);
    if (!sqlite3_get_autocommit(ledger->db)) run_id(ledger, BST_SQL_ROLLBACK, &ignored);
    bst_head_unlock(ledger);
}

/* ---- opening ---- */

/* SQLite's file header (fileformat2.html 1.3), before SQLite acts on it. Read through SQLite's own
 * descriptor: closing another one on the same file would drop the POSIX locks that this process holds on it.
 */
static enum bst_code check_header(struct bst_ledger *ledger, struct bst_error *err)
{
    uint8_t header[100];
    sqlite3_file *file = NULL;
    const char *path = ledger->path;
    if (sqlite3_file_control(ledger->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
        !file->pMethods || file->pMethods->xRead(file, header, sizeof header, 0) != SQLITE_OK ||
        memcmp(header, "SQLite format 3", 16) != 0 || bst_get_be32(header + 68) != BST_LEDGER_APPLICATION) {
        return bst_fail(err, BST_UNREADABLE, "%s is not a Blindstamp ledger", path);
    }
    uint32_t version = bst_get_be32(header + 60);
    if (version > BST_LEDGER_SCHEMA || version == 0) {
        bst_fail(err, BST_UNREADABLE, "%s is a ledger of version %u; this program knows version %d", path,
                 version, BST_LEDGER_SCHEMA);
        return bst_hint(err, "use a newer blindstamp");
    }
    ledger->version = version;
    if (ledger->mode == BST_LEDGER_READ && (header[18] == 2 || header[19] == 2)) {
        bst_fail(err, BST_UNREADABLE,
                 "%s was put into WAL mode, which reading without writing does not allow", path);
        return bst_hint(err, "sqlite3 %s 'PRAGMA journal_mode=DELETE'", bst_path_name(path));
    }
    return BST_OK;
}

/* SQLite's own waiting looks again after up to 100 ms, and between two commits of others there is less time than that:
 * it would find the ledger taken again and again. */
static int look_again(void *arg, int count)
{
    (void)arg;
    usleep(1000);
    return count < BUSY_MS;
}

static enum bst_code configure(struct bst_ledger *ledger, struct bst_error *err)
{
    static const char common[] = "PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON;"
                                 "PRAGMA recursive_triggers = ON;";
    static const char reading[] = "PRAGMA query_only = ON; PRAGMA cache_size = -16384;";
    static const char writing[] =
        "PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA; PRAGMA fullfsync = ON;"
        "PRAGMA secure_delete = ON; PRAGMA cache_size = -65536;"; /* KiB: a batch touches many pages */
    sqlite3_busy_handler(ledger->db, look_again, NULL);
    sqlite3_limit(ledger->db, SQLITE_LIMIT_LENGTH, VALUE_MAX);
    sqlite3_db_config(ledger->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(ledger->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (sqlite3_exec(ledger->db, common, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(ledger->db, ledger->mode == BST_LEDGER_WRITE ? writing : reading, NULL, NULL, NULL) !=
            SQLITE_OK) {
        return bst_db_fail(ledger, err);
    }
    return BST_OK;
}

static enum bst_code connect(struct bst_ledger *ledger, struct bst_error *err)
{
    int access = ledger->mode == BST_LEDGER_WRITE ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    int result = sqlite3_open_v2(ledger->path, &ledger->db, access | SQLITE_OPEN_EXRESCODE, NULL);
    if (result != SQLITE_OK) return fail(ledger->db, ledger->path, result, err);
    enum bst_code code = check_header(ledger, err);
    return code == BST_OK ? configure(ledger, err) : code;
}

/* Name and key of the log. */
static enum bst_code read_log(struct bst_ledger *ledger, struct bst_error *err)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(ledger->db, "SELECT origin, key FROM log WHERE id = 0", -1, &statement, NULL) !=
        SQLITE_OK) {
        return bst_db_fail(ledger, err);
    }
    enum bst_code code = BST_OK;
    int result = sqlite3_step(statement);
    if (result == SQLITE_DONE) {
        bst_fail(err, BST_BROKEN, "the ledger does not say which log it is: its table log is empty");
        code = bst_where(err, "%s", ledger->path);
    } else if (result != SQLITE_ROW) {
        code = bst_db_fail(ledger, err);
    } else {
        const char *origin = (const char *)sqlite3_column_text(statement, 0);
        const void *key = sqlite3_column_blob(statement, 1);
        if (origin && key && sqlite3_column_bytes(statement, 1) == BST_KEY_LEN) {
            memcpy(ledger->key, key, BST_KEY_LEN);
            ledger->origin = bst_strdup(origin);
            if (!ledger->origin) code = bst_fail_memory(err);
        } else {
            code = bst_fail(err, BST_BROKEN, "the ledger's log has no valid name and key");
        }
    }
    sqlite3_finalize(statement);
    return code;
}

/* A process that was killed in the middle of a transaction leaves a journal, and the ledger reads again only
 * when it has been rolled back, which SQLite does for a connection that may write. true when that worked. */
static bool roll_back_journal(const char *path)
{
    sqlite3 *db = NULL;
    bool done =
        sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        sqlite3_busy_timeout(db, BUSY_MS) == SQLITE_OK &&
        sqlite3_exec(db, "PRAGMA synchronous = EXTRA; SELECT 1 FROM log", NULL, NULL, NULL) == SQLITE_OK;
    sqlite3_close(db);
    return done;
}

static enum bst_code open_once(struct bst_ledger *ledger, struct bst_error *err)
{
    enum bst_code code = connect(ledger, err);
    if (code == BST_OK) code = read_log(ledger, err);
    return code;
}

enum bst_code bst_db_open(const char *path, enum bst_ledger_mode mode, struct bst_ledger **out,
                          struct bst_error *err)
{
    if (!bst_file_exists(path)) {
        bst_fail(err, BST_UNREADABLE, "there is no ledger %s", path);
        return bst_hint(err, "make one: blindstamp init --author \"Ada Example\"");
    }
    struct stat info;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        return bst_fail(err, BST_UNREADABLE, "%s is not a Blindstamp ledger", path);
    }
    struct bst_ledger *ledger = bst_calloc(1, sizeof *ledger);
    if (!ledger) return bst_fail_memory(err);
    ledger->mode = mode;
    ledger->path = bst_strdup(path);
    enum bst_code code = ledger->path ? open_once(ledger, err) : bst_fail_memory(err);
    if (code != BST_OK && ledger->db && sqlite3_extended_errcode(ledger->db) == SQLITE_READONLY_ROLLBACK) {
        sqlite3_close(ledger->db);
        ledger->db = NULL;
        if (roll_back_journal(path)) {
            code = open_once(ledger, err);
        } else {
            code = bst_fail(err, BST_FAILURE, "%s was left in the middle of a transaction", path);
            bst_hint(err, "open it once where its folder can be written, so that SQLite can roll it back");
        }
    }
    if (code == BST_OK) {
        *out = ledger;
    } else {
        bst_ledger_close(ledger);
    }
    return code;
}

enum bst_code bst_ledger_open(const char *path, enum bst_ledger_mode mode, struct bst_ledger **out,
                              struct bst_error *err)
{
    struct bst_ledger *ledger;
    enum bst_code code = bst_db_open(path, mode, &ledger, err);
    if (code != BST_OK) return code;
    if (mode == BST_LEDGER_WRITE && ledger->version < BST_LEDGER_SCHEMA)
        code = bst_db_migrate(ledger, NULL, NULL, err);
    if (code == BST_OK) {
        *out = ledger;
    } else {
        bst_ledger_close(ledger);
    }
    return code;
}

enum bst_code bst_ledger_current(const struct bst_ledger *ledger, struct bst_error *err)
{
    if (ledger->version == BST_LEDGER_SCHEMA) return BST_OK;
    bst_fail(err, BST_USAGE, "the index of the ledger is of version %u; this program asks version %d",
             ledger->version, BST_LEDGER_SCHEMA);
    bst_hint(err, "blindstamp ledger migrate makes it anew from the entries, which stay as they are");
    return bst_where(err, "%s", ledger->path);
}

void bst_ledger_close(struct bst_ledger *ledger)
{
    if (!ledger) return;
    for (int i = 0; i < BST_SQL_COUNT; i++)
        sqlite3_finalize(ledger->prepared[i]);
    sqlite3_close(ledger->db);
    bst_head_close(ledger);
    bst_keys_clear(&ledger->lives);
    free(ledger->seen_note);
    free(ledger->origin);
    free(ledger->path);
    free(ledger);
}

/* ---- creating ---- */

static enum bst_code fill(sqlite3 *db, const char *path, const char *origin,
                          const uint8_t key[static BST_KEY_LEN], struct bst_error *err)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_exec(db, "PRAGMA synchronous = EXTRA; BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (result == SQLITE_OK) result = sqlite3_exec(db, bst_ledger_sql, NULL, NULL, NULL);
    if (result == SQLITE_OK) {
        result = sqlite3_prepare_v2(db, "INSERT INTO log (id, origin, key) VALUES (0, ?1, ?2)", -1,
                                    &statement, NULL);
    }
    if (result == SQLITE_OK) {
        bst_db_text(statement, 1, origin);
        sqlite3_bind_blob(statement, 2, key, BST_KEY_LEN, SQLITE_STATIC);
        result = sqlite3_step(statement) == SQLITE_DONE ? SQLITE_OK : sqlite3_extended_errcode(db);
    }
    sqlite3_finalize(statement);
    if (result == SQLITE_OK) result = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    return result == SQLITE_OK ? BST_OK : fail(db, path, result, err);
}

enum bst_code bst_ledger_create(const char *path, const char *origin,
                                const uint8_t log_key[static BST_KEY_LEN], struct bst_error *err)
{
    /* SQLite keeps the mode of a file that exists, for its journal too: the ledger holds private words. */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST) return bst_fail(err, BST_USAGE, "%s exists already", path);
    if (fd < 0) return bst_fail_errno(err, BST_FAILURE, "cannot make the ledger %s", path);
    close(fd);
    enum bst_code code = bst_head_create(path, err);
    if (code != BST_OK) { /* it may be the record of another ledger that had this name */
        unlink(path);
        return code;
    }
    sqlite3 *db = NULL;
    int result = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, NULL);
    code = result == SQLITE_OK ? fill(db, path, origin, log_key, err) : fail(db, path, result, err);
    sqlite3_close(db);
    if (code != BST_OK) unlink(path);
    return code;
}
