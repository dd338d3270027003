/* test_ledger_turns.c - two processes append without pause while a third one reads: both get on, nobody waits long. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledger_fixture.h"

#define ENTRIES 480 /* of each process; BST_APPENDS in the environment sets another number */
#define BATCH   8
#define WAIT_S  5.0 /* far more than a batch takes, far less than a process that starves waits */

static struct bst_error err;

struct turns { /* shared between the processes */
    volatile int done[2], other_at_end[2];
    volatile double longest[2];
};

static int writer(const struct fixture *fixture, struct turns *turns, int self, int batches)
{
    struct bst_ledger *ledger = fixture_open(fixture, BST_LEDGER_WRITE);
    struct batch batch = batch_new(fixture, (uint64_t)self * BATCH, BATCH, BST_PUBLIC);
    while (turns->done[!self] < 0) /* both begin at once */
        usleep(100);
    for (int n = 0; n < batches; n++) {
        double begin = bst_monotonic_s();
        if (bst_ledger_append(ledger, fixture->log, batch.entries, BATCH, batch.proofs, &err) != BST_OK) {
            fprintf(stderr, "writer %d: %s\n", self, err.what);
            return 1;
        }
        double took = bst_monotonic_s() - begin;
        if (took > turns->longest[self]) turns->longest[self] = took;
        for (int i = 0; i < BATCH; i++)
            bst_proof_clear(&batch.proofs[i]);
        turns->done[self]++;
    }
    turns->other_at_end[self] = turns->done[!self];
    batch_free(&batch);
    bst_ledger_close(ledger);
    return 0;
}

static pid_t start(const struct fixture *fixture, struct turns *turns, int self, int batches)
{
    pid_t child = fork();
    if (child != 0) return child;
    turns->done[self] = 0;
    _exit(writer(fixture, turns, self, batches));
}

/* The longest time that one look at the ledger took, until both are done. */
static double read_meanwhile(const struct fixture *fixture, const struct turns *turns, int batches)
{
    double longest = 0, until = bst_monotonic_s() + 300;
    struct bst_ledger *ledger = fixture_open(fixture, BST_LEDGER_READ);
    while ((turns->done[0] < batches || turns->done[1] < batches) && bst_monotonic_s() < until) {
        struct bst_proof proof;
        double begin = bst_monotonic_s();
        assert_int_equal(bst_ledger_prove(ledger, 0, &proof, &err), BST_OK);
        double took = bst_monotonic_s() - begin;
        bst_proof_clear(&proof);
        if (took > longest) longest = took;
        usleep(1000);
    }
    bst_ledger_close(ledger);
    return longest;
}

static void both_get_on(void **ctx)
{
    struct fixture fixture;
    const char *wish = getenv("BST_APPENDS");
    int batches = (wish ? atoi(wish) : ENTRIES) / BATCH, status;
    (void)ctx;
    struct turns *turns =
        mmap(NULL, sizeof *turns, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(turns != MAP_FAILED);
    turns->done[0] = turns->done[1] = -1;
    fixture_new(&fixture);
    pid_t child[2] = {start(&fixture, turns, 0, batches), start(&fixture, turns, 1, batches)};
    double read = read_meanwhile(&fixture, turns, batches);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_int_equal(status, 0);
    }
    int first = turns->other_at_end[0] < batches ? 0 : 1;
    printf("# the other was at %d of %d; longest append %.3f s and %.3f s, longest look %.3f s\n",
           turns->other_at_end[first], batches, turns->longest[0], turns->longest[1], read);
    assert_true(turns->other_at_end[first] >= batches * 3 / 4);
    assert_true(turns->longest[0] < WAIT_S && turns->longest[1] < WAIT_S && read < WAIT_S);
    struct bst_ledger *ledger = fixture_open(&fixture, BST_LEDGER_READ);
    assert_int_equal(bst_ledger_size(ledger), 1 + 2 * BATCH * (uint64_t)batches);
    assert_int_equal(bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &err), BST_OK);
    bst_ledger_close(ledger);
    fixture_free(&fixture);
    munmap(turns, sizeof *turns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_get_on)};
    return cmocka_run_group_tests_name("ledger_turns", tests, NULL, NULL);
}
