/* bench_ledger.c - how fast the ledger takes entries and proves them, beside the floor: the same bytes put
 * into a plain SQLite table with the same durability. Signing the statements is the author's work and is not
 * counted. */
#include <sqlite3.h>

#include "tests/unit/ledger_fixture.h"

#define SINGLES 200
#define BATCHES 10
#define BATCH   1000
#define PROOFS  20000

/* Seconds for count inserts in transactions of `each`, into a table without anything else. */
static double floor_seconds(const char *path, const struct batch *batch, size_t rounds, size_t each)
{
    sqlite3 *db;
    sqlite3_stmt *insert;
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db,
                     "PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA;"
                     "CREATE TABLE plain (idx INTEGER PRIMARY KEY, envelope BLOB NOT NULL)",
                     NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "INSERT INTO plain (envelope) VALUES (?1)", -1, &insert, NULL) != SQLITE_OK) {
        fprintf(stderr, "floor: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
    double start = bst_monotonic_s();
    for (size_t round = 0; round < rounds; round++) {
        sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        for (size_t i = 0; i < each; i++) {
            const struct bst_entry *entry = &batch->entries[(round * each + i) % batch->count];
            sqlite3_bind_blob(insert, 1, entry->envelope, (int)entry->len, SQLITE_STATIC);
            sqlite3_step(insert);
            sqlite3_reset(insert);
        }
        if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) exit(1);
    }
    double seconds = bst_monotonic_s() - start;
    sqlite3_finalize(insert);
    sqlite3_close(db);
    return seconds;
}

static void append(const struct fixture *fixture, struct bst_ledger *ledger, struct batch *batch, size_t from,
                   size_t count)
{
    struct bst_error err;
    for (size_t i = from; i < from + count; i++)
        bst_proof_clear(&batch->proofs[i]);
    fixture_must(
        bst_ledger_append(ledger, fixture->log, batch->entries + from, count, batch->proofs + from, &err),
        &err);
}

static void print_rate(const char *what, double count, double seconds, double floor)
{
    printf("%-34s %10.0f /s", what, count / seconds);
    if (floor > 0) printf("   floor %10.0f /s   %.2f of it", count / floor, floor / seconds);
    printf("\n");
}

int main(void)
{
    struct fixture fixture;
    char plain[300];
    fixture_new(&fixture);
    struct bst_ledger *ledger = fixture_open(&fixture, BST_LEDGER_WRITE);
    struct batch batch = batch_new(&fixture, 1, BATCH, BST_PUBLIC);

    double start = bst_monotonic_s();
    for (size_t i = 0; i < SINGLES; i++)
        append(&fixture, ledger, &batch, i, 1);
    double seconds = bst_monotonic_s() - start;
    snprintf(plain, sizeof plain, "%s/plain-1.sqlite", fixture.folder);
    print_rate("ledger appends, one by one", SINGLES, seconds, floor_seconds(plain, &batch, SINGLES, 1));

    start = bst_monotonic_s();
    for (size_t i = 0; i < BATCHES; i++)
        append(&fixture, ledger, &batch, 0, BATCH);
    seconds = bst_monotonic_s() - start;
    snprintf(plain, sizeof plain, "%s/plain-1000.sqlite", fixture.folder);
    print_rate("ledger appends, batches of 1000", BATCHES * BATCH, seconds,
               floor_seconds(plain, &batch, BATCHES, BATCH));

    struct bst_error err;
    struct bst_proof proof;
    uint64_t size = bst_ledger_size(ledger);
    start = bst_monotonic_s();
    for (uint64_t i = 0; i < PROOFS; i++) {
        fixture_must(bst_ledger_prove(ledger, i * 7919 % size, &proof, &err), &err);
        bst_proof_clear(&proof);
    }
    print_rate("ledger proofs made", PROOFS, bst_monotonic_s() - start, 0);

    start = bst_monotonic_s();
    for (size_t i = 0; i < BATCH; i++) {
        const struct bst_entry *entry = &batch.entries[i];
        fixture_must(bst_proof_verify(&batch.proofs[i], entry->envelope, entry->len,
                                      fixture.identity.log_origin, fixture.identity.log_key, &err),
                     &err);
    }
    print_rate("ledger proofs verified", BATCH, bst_monotonic_s() - start, 0);

    start = bst_monotonic_s();
    fixture_must(bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &err), &err);
    print_rate("ledger entries checked whole", (double)size, bst_monotonic_s() - start, 0);

    batch_free(&batch);
    bst_ledger_close(ledger);
    fixture_free(&fixture);
    return 0;
}
