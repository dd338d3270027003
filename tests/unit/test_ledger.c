/* test_ledger.c - the ledger's promises: every entry provable, nothing half-written, many writers, readers
 * that write nothing, and no signature on top of a history that was changed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledger_fixture.h"

static struct bst_error err;

static void run_sql(const struct fixture *fixture, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) fail_msg("%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

static void assert_whole(const struct fixture *fixture, uint64_t size)
{
    struct bst_ledger *ledger = fixture_open(fixture, BST_LEDGER_READ);
    assert_int_equal(bst_ledger_size(ledger), size);
    if (bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &err) != BST_OK) fail_msg("%s", err.what);
    bst_ledger_close(ledger);
}

/* ---- appending and proving ---- */

static void every_entry_is_proved(void **ctx)
{
    const struct fixture *fixture = *ctx;
    static const size_t sizes[] = {1, 2, 1, 5, 8, 1, 33, 1};
    struct bst_ledger *ledger = fixture_open(fixture, BST_LEDGER_WRITE);
    const struct bst_identity *identity = &fixture->identity;
    uint64_t total = 1;
    for (size_t b = 0; b < sizeof sizes / sizeof *sizes; b++) {
        struct batch batch = batch_new(fixture, total, sizes[b], BST_PARTNER);
        assert_int_equal(
            bst_ledger_append(ledger, fixture->log, batch.entries, batch.count, batch.proofs, &err), BST_OK);
        for (size_t i = 0; i < batch.count; i++) {
            const struct bst_entry *entry = &batch.entries[i];
            assert_int_equal(batch.proofs[i].index, total + i);
            assert_int_equal(bst_proof_verify(&batch.proofs[i], entry->envelope, entry->len,
                                              identity->log_origin, identity->log_key, &err),
                             BST_OK);
        }
        total += batch.count;
        batch_free(&batch);
        /* All earlier ones too, against the new checkpoint, from what is stored. */
        for (uint64_t i = 0; i < total; i++) {
            struct bst_proof proof;
            struct bst_buf envelope = {0};
            assert_int_equal(bst_ledger_prove(ledger, i, &proof, &err), BST_OK);
            assert_int_equal(bst_ledger_entry(ledger, i, &envelope, &err), BST_OK);
            assert_int_equal(bst_proof_verify(&proof, envelope.data, envelope.len, identity->log_origin,
                                              identity->log_key, &err),
                             BST_OK);
            bst_proof_clear(&proof);
            bst_buf_free(&envelope);
        }
    }
    struct bst_proof proof;
    struct bst_buf envelope = {0};
    assert_int_equal(bst_ledger_prove(ledger, total, &proof, &err), BST_NO_PROVENANCE);
    assert_int_equal(bst_ledger_entry(ledger, total, &envelope, &err), BST_NO_PROVENANCE);
    assert_int_equal(bst_ledger_entry(ledger, UINT64_MAX, &envelope, &err), BST_NO_PROVENANCE);
    bst_ledger_close(ledger);
    assert_whole(fixture, total);
}

static void a_bad_batch_leaves_no_trace(void **ctx)
{
    const struct fixture *fixture = *ctx;
    struct bst_ledger *ledger = fixture_open(fixture, BST_LEDGER_WRITE);
    struct batch batch = batch_new(fixture, 1, 3, BST_PUBLIC);
    static const char *const bad[] = {"", "{}", "{\"payload\":\n}"};
    for (size_t i = 0; i < 3; i++) {
        struct bst_entry good = batch.entries[2];
        batch.entries[2] = (struct bst_entry){bad[i], strlen(bad[i]), NULL};
        assert_int_not_equal(bst_ledger_append(ledger, fixture->log, batch.entries, 3, batch.proofs, &err),
                             BST_OK);
        batch.entries[2] = good;
        assert_int_equal(bst_ledger_size(ledger), 1);
    }
    /* Another key than the log's, nothing at all, and a ledger opened for reading. */
    assert_int_equal(bst_ledger_append(ledger, fixture->author, batch.entries, 3, batch.proofs, &err),
                     BST_USAGE);
    assert_int_equal(bst_ledger_append(ledger, fixture->log, batch.entries, 0, batch.proofs, &err),
                     BST_USAGE);
    struct bst_ledger *reader = fixture_open(fixture, BST_LEDGER_READ);
    assert_int_equal(bst_ledger_append(reader, fixture->log, batch.entries, 3, batch.proofs, &err),
                     BST_USAGE);
    bst_ledger_close(reader);
    assert_int_equal(bst_ledger_append(ledger, fixture->log, batch.entries, 3, batch.proofs, &err), BST_OK);
    bst_ledger_close(ledger);
    batch_free(&batch);
    assert_whole(fixture, 4);
}

/* ---- history that was changed is not signed on ---- */

#define UNLOCK                                                                                               \
    "DROP TRIGGER entry_no_update; DROP TRIGGER entry_no_delete; DROP TRIGGER checkpoint_no_delete;"         \
    "DROP TRIGGER checkpoint_no_update;"

static void nothing_is_signed_on_a_changed_history(void **ctx)
{
    const struct fixture *fixture = *ctx;
    static const char *const change[] = {
        UNLOCK "UPDATE entry SET leaf = zeroblob(32) WHERE idx = 6",
        UNLOCK "DELETE FROM entry WHERE idx = 6; DELETE FROM record WHERE entry = 6;",
        UNLOCK "UPDATE checkpoint SET note = replace(note, '7', '8') WHERE size = 7",
        UNLOCK "DELETE FROM checkpoint WHERE size = 7",
        "UPDATE node SET hash = zeroblob(32) WHERE level = 2 AND idx = 0",
        "DELETE FROM node WHERE level = 1 AND idx = 2",
    };
    char command[700];
    assert_int_equal(fixture_append(fixture, 1, 6, BST_PUBLIC, &err), BST_OK);
    snprintf(command, sizeof command, "cp '%s' '%s/kept'", fixture->path, fixture->folder);
    assert_int_equal(system(command), 0);
    for (size_t i = 0; i < sizeof change / sizeof *change; i++) {
        snprintf(command, sizeof command, "cp '%s/kept' '%s'", fixture->folder, fixture->path);
        assert_int_equal(system(command), 0);
        run_sql(fixture, change[i]);
        if (fixture_append(fixture, 7, 1, BST_PUBLIC, &err) != BST_BROKEN)
            fail_msg("change %zu: %s", i, err.what);
    }
    snprintf(command, sizeof command, "cp '%s/kept' '%s'", fixture->folder, fixture->path);
    assert_int_equal(system(command), 0);
    assert_int_equal(fixture_append(fixture, 7, 1, BST_PUBLIC, &err), BST_OK);
}

/* A restored backup, or entries cut off with all that belongs to them, is consistent in itself. */
static void an_old_copy_put_back_is_noticed(void **ctx)
{
    const struct fixture *fixture = *ctx;
    char command[700];
    assert_int_equal(fixture_append(fixture, 1, 2, BST_PUBLIC, &err), BST_OK);
    snprintf(command, sizeof command, "cp '%s' '%s/old'", fixture->path, fixture->folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(fixture_append(fixture, 3, 1, BST_PUBLIC, &err), BST_OK);
    snprintf(command, sizeof command, "cp '%s/old' '%s'", fixture->folder, fixture->path);
    assert_int_equal(system(command), 0);
    assert_int_equal(fixture_append(fixture, 3, 1, BST_PUBLIC, &err), BST_BROKEN);
    assert_non_null(strstr(err.what, "has been signed"));
    struct bst_ledger *ledger = fixture_open(fixture, BST_LEDGER_READ);
    assert_int_equal(bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &err), BST_BROKEN);
    bst_ledger_close(ledger);
}

static void triggers_stop_accidents(void **ctx)
{
    const struct fixture *fixture = *ctx;
    static const char *const accident[] = {
        "UPDATE entry SET leaf = zeroblob(32)",
        "DELETE FROM entry",
        "INSERT INTO entry VALUES (9, zeroblob(32), x'00')",
        "INSERT OR REPLACE INTO entry VALUES (0, zeroblob(32), x'00')",
        "INSERT INTO entry VALUES (0, zeroblob(32), x'00') ON CONFLICT DO UPDATE SET leaf = zeroblob(32)",
        "UPDATE checkpoint SET note = ''",
        "DELETE FROM checkpoint",
        "INSERT OR REPLACE INTO checkpoint VALUES (1, '')",
        "INSERT INTO checkpoint VALUES (5, '')",
        "UPDATE log SET origin = 'x'",
        "DELETE FROM log",
        "INSERT OR REPLACE INTO log VALUES (0, 'x', zeroblob(32))",
        "UPDATE secret SET words = 'x'",
    };
    sqlite3 *db;
    assert_int_equal(fixture_append(fixture, 1, 2, BST_PARTNER, &err), BST_OK);
    assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
    for (size_t i = 0; i < sizeof accident / sizeof *accident; i++) {
        if (sqlite3_exec(db, accident[i], NULL, NULL, NULL) == SQLITE_OK) fail_msg("%s", accident[i]);
    }
    sqlite3_close(db);
    assert_whole(fixture, 3);
}

/* ---- opening ---- */

static void other_files_are_refused(void **ctx)
{
    const struct fixture *fixture = *ctx;
    char path[320];
    struct bst_ledger *ledger;
    assert_int_equal(bst_ledger_open("/nonexistent/ledger", BST_LEDGER_READ, &ledger, &err), BST_UNREADABLE);
    assert_non_null(strstr(err.hint, "blindstamp init"));
    snprintf(path, sizeof path, "%s/other", fixture->folder);
    assert_int_equal(bst_file_write(path, "hello", 5, 0, &err), BST_OK);
    assert_int_equal(bst_ledger_open(path, BST_LEDGER_READ, &ledger, &err), BST_UNREADABLE);
    assert_int_equal(bst_ledger_open(path, BST_LEDGER_WRITE, &ledger, &err), BST_UNREADABLE);
    assert_int_equal(bst_ledger_open(fixture->folder, BST_LEDGER_READ, &ledger, &err), BST_UNREADABLE);
    assert_int_equal(bst_ledger_create(fixture->path, "x", fixture->identity.log_key, &err), BST_USAGE);
    run_sql(fixture, "PRAGMA user_version = 3");
    assert_int_equal(bst_ledger_open(fixture->path, BST_LEDGER_READ, &ledger, &err), BST_UNREADABLE);
    assert_non_null(strstr(err.what, "version 3"));
    run_sql(fixture, "PRAGMA user_version = 2; PRAGMA application_id = 7");
    assert_int_equal(bst_ledger_open(fixture->path, BST_LEDGER_READ, &ledger, &err), BST_UNREADABLE);
    run_sql(fixture, "PRAGMA application_id = 1112298324; PRAGMA journal_mode = WAL");
    assert_int_equal(bst_ledger_open(fixture->path, BST_LEDGER_READ, &ledger, &err), BST_UNREADABLE);
    assert_non_null(strstr(err.hint, "journal_mode=DELETE"));
    assert_int_equal(fixture_append(fixture, 1, 1, BST_PUBLIC, &err), BST_OK); /* a writer puts it right */
    assert_whole(fixture, 2);
}

/* Cut and scribbled files give an error, never a crash or a silent success of the check. */
static void damaged_files_are_noticed(void **ctx)
{
    const struct fixture *fixture = *ctx;
    struct bst_buf whole = {0};
    assert_int_equal(fixture_append(fixture, 1, 20, BST_PARTNER, &err), BST_OK);
    assert_int_equal(bst_file_read(fixture->path, 1 << 24, &whole, &err), BST_OK);
    for (size_t page = 0; page < whole.len; page += 4096) {
        uint8_t kept[64];
        /* An empty leaf (of an index that no entry is in) holds nothing that could be damaged. */
        if (page > 0 && (whole.data[page] == 10 || whole.data[page] == 13) &&
            bst_get_be16(whole.data + page + 3) == 0)
            continue;
        memcpy(kept, whole.data + page + 8, sizeof kept);
        memset(whole.data + page + 8, 0xa5, sizeof kept);
        assert_int_equal(bst_file_write(fixture->path, whole.data, whole.len, BST_WRITE_REPLACE, &err),
                         BST_OK);
        struct bst_ledger *ledger;
        enum bst_code code = bst_ledger_open(fixture->path, BST_LEDGER_READ, &ledger, &err);
        if (code == BST_OK) {
            code = bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &err);
            bst_ledger_close(ledger);
        }
        if (code == BST_OK) fail_msg("page %zu", page / 4096);
        memcpy(whole.data + page + 8, kept, sizeof kept);
    }
    bst_buf_free(&whole);
}

/* ---- readers ---- */

/* Names, sizes and times of all files in the folder. */
static void snapshot(const struct fixture *fixture, struct bst_buf *out)
{
    char command[400];
    snprintf(command, sizeof command, "cd '%s' && stat -c '%%n %%s %%Y %%Z' . *", fixture->folder);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    char line[512];
    while (fgets(line, sizeof line, pipe))
        bst_buf_text(out, line);
    assert_int_equal(pclose(pipe), 0);
}

static void readers_write_nothing(void **ctx)
{
    const struct fixture *fixture = *ctx;
    struct bst_buf before = {0}, after = {0};
    struct bst_proof proof;
    assert_int_equal(fixture_append(fixture, 1, 5, BST_PARTNER, &err), BST_OK);
    assert_int_equal(chmod(fixture->path, 0400), 0);
    assert_int_equal(chmod(fixture->folder, 0500), 0);
    snapshot(fixture, &before);
    sleep(1); /* a changed time must show */
    struct bst_ledger *ledger = fixture_open(fixture, BST_LEDGER_READ);
    assert_int_equal(bst_ledger_prove(ledger, 3, &proof, &err), BST_OK);
    assert_int_equal(bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &err), BST_OK);
    assert_int_not_equal(sqlite3_exec(bst_ledger_db(ledger), "DELETE FROM record", NULL, NULL, NULL),
                         SQLITE_OK);
    bst_proof_clear(&proof);
    bst_ledger_close(ledger);
    snapshot(fixture, &after);
    assert_string_equal(bst_buf_string(&before), bst_buf_string(&after));
    bst_buf_free(&before);
    bst_buf_free(&after);
}

/* As an ordinary user: in a read-only folder appending fails with clear words and changes nothing. */
static void a_read_only_folder_refuses_writers(void **ctx)
{
    const struct fixture *fixture = *ctx;
    assert_int_equal(chmod(fixture->path, 0444), 0);
    assert_int_equal(chmod(fixture->folder, 0555), 0);
    pid_t child = fork();
    if (child == 0) {
        if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(2);
        struct bst_error problem;
        if (fixture_append(fixture, 1, 1, BST_PUBLIC, &problem) != BST_FAILURE || !problem.hint[0]) _exit(3);
        struct bst_ledger *ledger;
        if (bst_ledger_open(fixture->path, BST_LEDGER_READ, &ledger, &problem) != BST_OK) _exit(4);
        if (bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &problem) != BST_OK) _exit(5);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* ---- many writers, killed writers, full disks ---- */

static void append_many(const struct fixture *fixture, uint64_t first, int rounds)
{
    struct bst_error problem;
    for (int i = 0; i < rounds; i++) {
        if (fixture_append(fixture, first + (uint64_t)i * 3, 3, BST_PARTNER, &problem) != BST_OK) {
            fprintf(stderr, "%s\n", problem.what);
            _exit(1);
        }
    }
    _exit(0);
}

static void two_processes_append_at_once(void **ctx)
{
    const struct fixture *fixture = *ctx;
    pid_t child[2];
    for (int i = 0; i < 2; i++) {
        child[i] = fork();
        if (child[i] == 0) append_many(fixture, (uint64_t)(1 + 1000 * i), 15);
    }
    /* A reader meanwhile sees a whole ledger at every moment. */
    for (int i = 0; i < 5; i++) {
        struct bst_ledger *ledger = fixture_open(fixture, BST_LEDGER_READ);
        if (bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &err) != BST_OK) fail_msg("%s", err.what);
        bst_ledger_close(ledger);
    }
    for (int i = 0; i < 2; i++) {
        int status;
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_int_equal(status, 0);
    }
    assert_whole(fixture, 1 + 2 * 15 * 3);
}

/* Appends for ever and reports the size after each commit through the pipe. */
static void append_and_tell(const struct fixture *fixture, uint64_t first, int fd)
{
    struct bst_error problem;
    struct bst_ledger *ledger = fixture_open(fixture, BST_LEDGER_WRITE);
    for (uint64_t n = first;; n += 4) {
        struct batch batch = batch_new(fixture, n, 4, BST_PARTNER);
        fixture_must(bst_ledger_append(ledger, fixture->log, batch.entries, 4, batch.proofs, &problem),
                     &problem);
        uint64_t told = batch.proofs[3].index + 1;
        if (write(fd, &told, sizeof told) != sizeof told) _exit(1);
        batch_free(&batch);
    }
}

static void killed_writers_lose_nothing_that_was_acknowledged(void **ctx)
{
    const struct fixture *fixture = *ctx;
    uint64_t acknowledged = 1;
    for (unsigned round = 0; round < 12; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) append_and_tell(fixture, 1 + round * 100000, ends[1]);
        close(ends[1]);
        usleep(60000 + round * 7919 % 90000);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        uint64_t told;
        while (read(ends[0], &told, sizeof told) == sizeof told)
            acknowledged = told;
        close(ends[0]);
        struct bst_ledger *ledger =
            fixture_open(fixture, BST_LEDGER_READ); /* rolls a journal back if there is one */
        uint64_t size = bst_ledger_size(ledger);
        if (size < acknowledged)
            fail_msg("%llu acknowledged, %llu there", (unsigned long long)acknowledged,
                     (unsigned long long)size);
        assert_int_equal((size - 1) % 4, 0); /* whole batches only */
        if (bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &err) != BST_OK) fail_msg("%s", err.what);
        bst_ledger_close(ledger);
    }
    assert_true(acknowledged > 1);
    assert_int_equal(fixture_append(fixture, 5, 1, BST_PUBLIC, &err), BST_OK);
}

/* A journal left behind: a reader who may write rolls it back, one who may not says so. */
static void a_half_done_transaction_is_rolled_back(void **ctx)
{
    const struct fixture *fixture = *ctx;
    char command[900];
    assert_int_equal(fixture_append(fixture, 1, 3, BST_PUBLIC, &err), BST_OK);
    /* Freeze a transaction after its pages went to the file: a tiny cache spills them, then copy file and
     * journal. */
    sqlite3 *db;
    assert_int_equal(sqlite3_open(fixture->path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "PRAGMA cache_size = 1; BEGIN IMMEDIATE; CREATE TABLE junk (x);"
                     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
                     "INSERT INTO junk SELECT randomblob(500) FROM n;"
                     "UPDATE record SET title = randomblob(50) || 'x' WHERE entry > 0",
                     NULL, NULL, NULL),
        SQLITE_OK);
    snprintf(command, sizeof command,
             "cd '%s' && mkdir torn && cp ledger.sqlite ledger.sqlite-journal torn/ && chmod 0755 . torn"
             " && chmod 0644 torn/*",
             fixture->folder);
    assert_int_equal(system(command), 0);
    sqlite3_close(db);
    struct fixture torn = *fixture;
    snprintf(torn.path, sizeof torn.path, "%.250s/torn/ledger.sqlite", fixture->folder);
    pid_t child = fork(); /* somebody who may only read */
    if (child == 0) {
        struct bst_ledger *ledger;
        struct bst_error problem;
        if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(2);
        if (getuid() != 65534) _exit(0);
        enum bst_code code = bst_ledger_open(torn.path, BST_LEDGER_READ, &ledger, &problem);
        _exit(code == BST_FAILURE && strstr(problem.what, "middle of a transaction") ? 0 : 3);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_whole(&torn, 4);
}

/* The disk fills up in the middle of a batch: a limit on the size of files stands in for it. */
static void a_full_disk_changes_nothing(void **ctx)
{
    const struct fixture *fixture = *ctx;
    struct stat info;
    assert_int_equal(fixture_append(fixture, 1, 10, BST_PUBLIC, &err), BST_OK);
    assert_int_equal(stat(fixture->path, &info), 0);
    pid_t child = fork();
    if (child == 0) {
        struct bst_error problem;
        struct rlimit limit = {(rlim_t)info.st_size + 40000, (rlim_t)info.st_size + 40000};
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(2);
        if (fixture_append(fixture, 11, 200, BST_PUBLIC, &problem) != BST_FAILURE) _exit(3);
        if (!problem.hint[0]) _exit(4);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_whole(fixture, 11);
    assert_int_equal(fixture_append(fixture, 11, 200, BST_PUBLIC, &err), BST_OK);
    assert_whole(fixture, 211);
}

/* ---- export ---- */

static void an_export_can_be_checked_without_the_ledger(void **ctx)
{
    const struct fixture *fixture = *ctx;
    char folder[320], path[360];
    assert_int_equal(fixture_append(fixture, 1, 600, BST_PARTNER, &err), BST_OK);
    struct bst_ledger *ledger = fixture_open(fixture, BST_LEDGER_READ);
    snprintf(folder, sizeof folder, "%s/export", fixture->folder);
    assert_int_equal(bst_ledger_export(ledger, folder, &err), BST_OK);
    assert_int_equal(bst_ledger_export(ledger, folder, &err), BST_USAGE);
    bst_ledger_close(ledger);
    struct bst_buf entries = {0}, note = {0}, vkey = {0};
    snprintf(path, sizeof path, "%s/entries.jsonl", folder);
    assert_int_equal(bst_file_read(path, 1 << 24, &entries, &err), BST_OK);
    snprintf(path, sizeof path, "%s/checkpoint", folder);
    assert_int_equal(bst_file_read(path, 1 << 16, &note, &err), BST_OK);
    snprintf(path, sizeof path, "%s/log.vkey", folder);
    assert_int_equal(bst_file_read(path, 1 << 16, &vkey, &err), BST_OK);
    char *name, *line = bst_buf_string(&vkey);
    uint8_t key[BST_KEY_LEN];
    line[strcspn(line, "\n")] = 0;
    assert_int_equal(bst_vkey_parse(line, &name, key, &err), BST_OK);
    struct bst_checkpoint checkpoint;
    assert_int_equal(bst_checkpoint_open((char *)note.data, note.len, name, key, &checkpoint, &err), BST_OK);
    assert_int_equal(checkpoint.size, 601);
    /* Its root, by the definition of RFC 6962 over the lines. */
    static uint8_t hash[1024][32];
    size_t count = 0;
    for (char *p = (char *)entries.data, *end = p + entries.len; p < end; count++) {
        char *stop = memchr(p, '\n', (size_t)(end - p));
        bst_merkle_leaf(p, (size_t)(stop - p), hash[count]);
        p = stop + 1;
    }
    assert_int_equal(count, 601);
    while (count > 1) { /* level by level; an odd last one moves up unchanged */
        size_t half = 0;
        for (size_t i = 0; i + 1 < count; i += 2)
            bst_merkle_node(hash[i], hash[i + 1], hash[half++]);
        if (count % 2) memcpy(hash[half++], hash[count - 1], 32);
        count = half;
    }
    assert_memory_equal(hash[0], checkpoint.root, 32);
    bst_checkpoint_clear(&checkpoint);
    free(name);
    bst_buf_free(&entries);
    bst_buf_free(&note);
    bst_buf_free(&vkey);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_entry_is_proved),
        TEST(a_bad_batch_leaves_no_trace),
        TEST(nothing_is_signed_on_a_changed_history),
        TEST(an_old_copy_put_back_is_noticed),
        TEST(triggers_stop_accidents),
        TEST(other_files_are_refused),
        TEST(damaged_files_are_noticed),
        TEST(readers_write_nothing),
        TEST(a_read_only_folder_refuses_writers),
        TEST(two_processes_append_at_once),
        TEST(killed_writers_lose_nothing_that_was_acknowledged),
        TEST(a_half_done_transaction_is_rolled_back),
        TEST(a_full_disk_changes_nothing),
        TEST(an_export_can_be_checked_without_the_ledger),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
