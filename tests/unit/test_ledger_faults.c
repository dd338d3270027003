/* test_ledger_faults.c - the ledger when the disk fails at any one operation, and when the power goes at any
 * moment: what was acknowledged is there, what was not is there whole or not at all, and nothing else is
 * wrong. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>

#include "fault_vfs.h"
#include "ledger_fixture.h"

#define CRASHES 60 /* BST_CRASHES in the environment sets another number */

static struct bst_error err;

static int setup(void **ctx)
{
    struct fixture *fixture = bst_calloc(1, sizeof *fixture);
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1); /* the layer does its own forgetting */
    fault_install();
    fixture_new(fixture);
    *ctx = fixture;
    return 0;
}

static int teardown(void **ctx)
{
    fault_reset();
    fault_uninstall();
    fixture_free(*ctx);
    free(*ctx);
    return 0;
}

/* Size of the ledger, which must pass its check; 0 when it does not. */
static uint64_t whole_size(const struct fixture *fixture)
{
    struct bst_ledger *ledger;
    if (bst_ledger_open(fixture->path, BST_LEDGER_READ, &ledger, &err) != BST_OK) return 0;
    uint64_t size = bst_ledger_size(ledger);
    if (bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &err) != BST_OK) size = 0;
    bst_ledger_close(ledger);
    return size;
}

static void every_operation_fails_once(void **ctx)
{
    const struct fixture *fixture = *ctx;
    uint64_t size = 1, failures = 0;
    for (int lasting = 0; lasting < 2; lasting++) {
        bool reached = true;
        for (uint64_t n = 1; reached; n++) {
            fault_reset();
            fault.fail_at = n;
            fault.fail_on = lasting;
            enum bst_code code = fixture_append(fixture, size, 3, BST_PARTNER, &err);
            reached = fault.operations >= n;
            if (reached && code != BST_OK) {
                failures++;
                if (code != BST_FAILURE || !err.hint[0])
                    fail_msg("operation %llu: %s", (unsigned long long)n, err.what);
            }
            fault_reset();
            uint64_t now = whole_size(fixture);
            if (now != size && now != size + 3)
                fail_msg("operation %llu: %s", (unsigned long long)n, err.what);
            if (code == BST_OK) assert_int_equal(now, size + 3);
            size = now;
        }
    }
    assert_true(failures > 20);
}

#define SIZE_MAX_SEEN 20000

/* How a test writes, and what it was told. */
struct keeper {
    const struct fixture *fixture;
    bool careless;             /* with synchronous = OFF */
    char *note[SIZE_MAX_SEEN]; /* the checkpoint that was given out for a size */
    int forks;                 /* sizes for which two were */
    uint64_t told;             /* entries that were acknowledged */
};

static void keeper_clear(struct keeper *keeper)
{
    for (size_t i = 0; i < SIZE_MAX_SEEN; i++)
        free(keeper->note[i]);
    memset(keeper->note, 0, sizeof keeper->note);
}

static enum bst_code append(struct keeper *keeper, uint64_t size, size_t count)
{
    struct bst_ledger *ledger;
    enum bst_code code = bst_ledger_open(keeper->fixture->path, BST_LEDGER_WRITE, &ledger, &err);
    if (code != BST_OK) return code;
    if (keeper->careless) sqlite3_exec(bst_ledger_db(ledger), "PRAGMA synchronous = OFF", NULL, NULL, NULL);
    struct batch batch = batch_new(keeper->fixture, size, count, (enum bst_privacy)(fault_random() % 3));
    code = bst_ledger_append(ledger, keeper->fixture->log, batch.entries, count, batch.proofs, &err);
    if (code == BST_OK && size + count < SIZE_MAX_SEEN) {
        char **note = &keeper->note[size + count];
        if (*note && strcmp(*note, batch.proofs[0].checkpoint) != 0) keeper->forks++;
        if (!*note) *note = bst_strdup(batch.proofs[0].checkpoint);
    }
    batch_free(&batch);
    bst_ledger_close(ledger);
    return code;
}

/* Appends until the power goes, which must have been arranged, or nothing can be signed any more; returns the size that was
 * acknowledged. */
static uint64_t append_until_dark(struct keeper *keeper, uint64_t size)
{
    enum bst_code code = BST_OK;
    while (!fault.dead && code != BST_BROKEN) {
        size_t count = 1 + fault_random() % 4;
        code = append(keeper, size, count);
        if (code == BST_OK) {
            size += count;
            keeper->told += count;
        }
    }
    return size;
}

/* Does the ledger hold the checkpoint that was given out last? */
static bool holds(const struct keeper *keeper, uint64_t size)
{
    struct bst_ledger *ledger = fixture_open(keeper->fixture, BST_LEDGER_READ);
    sqlite3_stmt *statement;
    bool same = false;
    if (sqlite3_prepare_v2(bst_ledger_db(ledger), "SELECT note FROM checkpoint WHERE size = ?1", -1,
                           &statement, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)size);
        same = sqlite3_step(statement) == SQLITE_ROW &&
               strcmp((const char *)sqlite3_column_text(statement, 0), keeper->note[size]) == 0;
    }
    sqlite3_finalize(statement);
    bst_ledger_close(ledger);
    return same;
}

static void power_goes_at_any_moment(void **ctx)
{
    static struct keeper keeper;
    keeper = (struct keeper){.fixture = *ctx};
    uint64_t size = 1;
    const char *wish = getenv("BST_CRASHES");
    int crashes = wish ? atoi(wish) : CRASHES;
    fault.random = 1;
    for (int crash = 0; crash < crashes; crash++) {
        fault_reset();
        fault.power_off = true;
        fault.fail_at = 1 + fault_random() % 400;
        uint64_t told = append_until_dark(&keeper, size);
        fault_restart();
        uint64_t now = whole_size(keeper.fixture);
        if (now < told || now > told + 4 || (keeper.note[told] && !holds(&keeper, told))) {
            fail_msg("crash %d: %llu acknowledged, %llu there: %s", crash, (unsigned long long)told,
                     (unsigned long long)now, err.what);
        }
        size = now;
        if (size > 3000) { /* a check takes as long as the ledger is large */
            keeper_clear(&keeper);
            fixture_free(*ctx);
            fixture_new(*ctx);
            size = 1;
        }
    }
    assert_true(keeper.told > (uint64_t)crashes);
    assert_int_equal(keeper.forks, 0);
    keeper_clear(&keeper);
}

/* The control: the same, where syncs do nothing or are left out, loses entries, and the test notices. Even then nothing is
 * signed twice: what was recorded beside the ledger forbids it. */
static int entries_lost(const struct fixture *fixture, bool lying, bool careless)
{
    static struct keeper keeper;
    keeper = (struct keeper){.fixture = fixture, .careless = careless};
    int lost = 0;
    fault.random = 1;
    for (int crash = 0; crash < 40; crash++) {
        char command[1000];
        snprintf(command, sizeof command,
                 "cd '%s' && cp ledger.sqlite kept && cp ledger.sqlite-checkpoint kept-checkpoint",
                 fixture->folder);
        assert_int_equal(system(command), 0);
        uint64_t size = whole_size(fixture);
        fault_reset();
        fault.power_off = true;
        fault.lying = lying;
        fault.fail_at = 20 + fault_random() % 160;
        uint64_t told = append_until_dark(&keeper, size);
        fault_restart();
        uint64_t now = whole_size(fixture);
        lost += now < told;
        for (size_t i = 0; careless && i < 4; i++) /* refused where entries are lost */
            if (append(&keeper, now, 1) == BST_OK) now++;
        assert_int_equal(keeper.forks, 0);
        snprintf(command, sizeof command,
                 "cd '%s' && rm -f ledger.sqlite* && cp kept ledger.sqlite &&"
                 " cp kept-checkpoint ledger.sqlite-checkpoint",
                 fixture->folder);
        assert_int_equal(system(command), 0);
        keeper_clear(&keeper);
    }
    return lost;
}

static void a_disk_that_lies_is_noticed(void **ctx)
{
    assert_true(entries_lost(*ctx, true, false) > 5);
}

static void without_syncs_entries_are_lost(void **ctx)
{
    assert_true(entries_lost(*ctx, false, true) > 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_operation_fails_once),
        TEST(power_goes_at_any_moment),
        TEST(a_disk_that_lies_is_noticed),
        TEST(without_syncs_entries_are_lost),
    };
    return cmocka_run_group_tests_name("ledger_faults", tests, NULL, NULL);
}
