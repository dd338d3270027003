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

/* Appends until the power goes; returns how many entries were acknowledged. */
static uint64_t append_until_dark(const struct fixture *fixture, uint64_t size)
{
    while (!fault.dead) {
        size_t count = 1 + fault_random() % 4;
        if (fixture_append(fixture, size, count, (enum bst_privacy)(fault_random() % 3), &err) == BST_OK)
            size += count;
    }
    return size;
}

static void power_goes_at_any_moment(void **ctx)
{
    const struct fixture *fixture = *ctx;
    uint64_t size = 1, acknowledged = 0;
    const char *wish = getenv("BST_CRASHES");
    int crashes = wish ? atoi(wish) : CRASHES;
    fault.random = 1;
    for (int crash = 0; crash < crashes; crash++) {
        fault_reset();
        fault.power_off = true;
        fault.fail_at = 1 + fault_random() % 400;
        uint64_t told = append_until_dark(fixture, size);
        acknowledged += told - size;
        fault_restart();
        uint64_t now = whole_size(fixture);
        if (now < told || now > told + 4) {
            fail_msg("crash %d: %llu acknowledged, %llu there: %s", crash, (unsigned long long)told,
                     (unsigned long long)now, err.what);
        }
        size = now;
    }
    assert_true(acknowledged > (uint64_t)crashes);
}

/* The control: were syncs not to do anything, the same test would notice. */
static void a_disk_that_lies_is_noticed(void **ctx)
{
    const struct fixture *fixture = *ctx;
    int lost = 0;
    fault.random = 1;
    for (int crash = 0; crash < 40; crash++) {
        char command[700];
        snprintf(command, sizeof command, "cd '%s' && cp ledger.sqlite kept && rm -f ledger.sqlite-*",
                 fixture->folder);
        assert_int_equal(system(command), 0);
        uint64_t size = whole_size(fixture);
        fault_reset();
        fault.power_off = fault.lying = true;
        fault.fail_at = 20 + fault_random() % 160;
        uint64_t told = append_until_dark(fixture, size);
        fault_restart();
        uint64_t now = whole_size(fixture);
        lost += now < told;
        snprintf(command, sizeof command, "cd '%s' && rm -f ledger.sqlite* && cp kept ledger.sqlite",
                 fixture->folder);
        assert_int_equal(system(command), 0);
    }
    assert_true(lost > 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_operation_fails_once),
        TEST(power_goes_at_any_moment),
        TEST(a_disk_that_lies_is_noticed),
    };
    return cmocka_run_group_tests_name("ledger_faults", tests, NULL, NULL);
}
