/* bench_query.c - how long typical questions take to answer with a million entries in the index: invented records, put into
 * the index's tables beside a ledger's real ones, since making and signing as many statements takes minutes and changes
 * nothing for a query. BENCH_ENTRIES sets another number. */
#include <sqlite3.h>

#include "query.h"
#include "tests/unit/ledger_fixture.h"

#define ROUNDS 20

static const char fill[] =
    "BEGIN;"
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)"
    " INSERT INTO author (id, key_id, name) SELECT 1000 + i, printf('%064x', i), 'author ' || i FROM n;"
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
    " INSERT INTO model (id, sha256, name, licence) SELECT 1000 + i, printf('%064x', i), 'model ' || i,"
    " iif(i % 50, 'CC0-1.0', iif(i = 50, '', 'rare')) FROM n;"
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10)"
    " INSERT INTO record (entry, kind, time, author, model) SELECT i, 'training', 1767225600000 + i, 1001,"
    " 1000 + i FROM n;"
    "INSERT INTO relation (digest, role, entry, place) SELECT unhexed, 'item', 7, 0 FROM (SELECT"
    " CAST(printf('%032d', 7) AS BLOB) AS unhexed);"
    "WITH RECURSIVE n (i) AS (SELECT 11 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)"
    " INSERT INTO record (entry, kind, time, author, model, file_name, image_id, seed, width, height, title,"
    " privacy) SELECT i, 'generation', 1767225600000 + i * 1000, 1001 + (i * 7919) % 200, 1001 + (i * "
    "104729) % 500,"
    " 'picture-' || i || '.png', printf('00000000-0000-4000-8000-%012x', i), CAST((i * 7919) % 100003 AS "
    "TEXT),"
    " 512, 512, 'title ' || i, iif(i % 100, 'public', 'private') FROM n;"
    "INSERT INTO relation (digest, role, entry, place) SELECT CAST(printf('%032d', entry) AS BLOB), "
    "'subject',"
    " entry, 0 FROM record WHERE entry > 10;"
    "INSERT INTO relation (digest, role, entry, place) SELECT CAST(printf('%032d', entry / 10 * 10) AS BLOB),"
    " 'input', entry, 1 FROM record WHERE entry > 10;"
    "INSERT INTO words (rowid, title, prompt) SELECT entry, title, 'a pond ' || (entry % 9973) FROM record"
    " WHERE entry > 10;"
    "COMMIT;";

static void fill_index(const char *path, int64_t entries)
{
    sqlite3 *db;
    sqlite3_stmt *stmt = NULL;
    const char *rest = fill;
    bool good = sqlite3_open(path, &db) == SQLITE_OK;
    while (good && *rest) {
        good = sqlite3_prepare_v2(db, rest, -1, &stmt, &rest) == SQLITE_OK;
        if (good && sqlite3_bind_parameter_count(stmt)) sqlite3_bind_int64(stmt, 1, entries);
        good = good && sqlite3_step(stmt) == SQLITE_DONE;
        sqlite3_finalize(stmt);
    }
    if (!good) {
        fprintf(stderr, "index: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
    sqlite3_close(db);
}

static bool count_record(void *arg, const struct bst_record *record)
{
    (void)record;
    ++*(size_t *)arg;
    return true;
}

static bool count_group(void *arg, const struct bst_group *group)
{
    (void)group;
    ++*(size_t *)arg;
    return true;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(struct bst_ledger *ledger, const char *name, const struct bst_query *query,
                    const char *by)
{
    struct bst_error err;
    double seconds[ROUNDS];
    size_t found = 0;
    for (size_t i = 0; i < ROUNDS; i++) {
        double start = bst_monotonic_s();
        found = 0;
        fixture_must(by ? bst_query_groups(ledger, query, by, count_group, &found, &err)
                        : bst_query_run(ledger, query, count_record, &found, &err),
                     &err);
        seconds[i] = bst_monotonic_s() - start;
    }
    qsort(seconds, ROUNDS, sizeof *seconds, by_value);
    printf("%-44s %6zu found   %9.3f ms\n", name, found, seconds[ROUNDS / 2] * 1e3);
}
#define QUERY(name, ...) measure(ledger, name, &(const struct bst_query){__VA_ARGS__}, NULL)

int main(void)
{
    struct fixture fixture;
    const char *given = getenv("BENCH_ENTRIES");
    int64_t entries = given ? atoll(given) : 1000000;
    char digest[BST_SHA256_HEX], item[BST_SHA256_HEX], id[BST_UUID_LEN], text[33];
    fixture_new(&fixture);
    fill_index(fixture.path, entries);
    struct bst_ledger *ledger = fixture_open(&fixture, BST_LEDGER_READ);
    snprintf(text, sizeof text, "%032d", 777770 % (int)entries / 10 * 10);
    bst_hex((const uint8_t *)text, 32, digest);
    snprintf(text, sizeof text, "%032d", 7);
    bst_hex((const uint8_t *)text, 32, item);
    snprintf(id, sizeof id, "00000000-0000-4000-8000-%012x", 4711);
    printf("%lld entries\n", (long long)entries);
    QUERY("first 20 of all", .limit = 20);
    QUERY("author, newest 20", .author = "author 170", .limit = 20, .descending = true);
    QUERY("eleven authors, newest 20", .author = "author 17", .limit = 20, .descending = true);
    QUERY("model, 20 behind the middle", .model = "model 170", .limit = 20, .has_after = true,
          .after = (uint64_t)entries / 2);
    QUERY("everything trained on an item", .trained_on = {item});
    QUERY("the same, newest 20 by time", .trained_on = {item}, .sort = "time", .descending = true,
          .limit = 20);
    QUERY("seed", .seed = "4711");
    QUERY("an hour", .since = "2026-01-03T00:00:00Z", .until = "2026-01-03T00:59:59Z");
    QUERY("newest 20 by time", .sort = "time", .descending = true, .limit = 20);
    QUERY("two words", .text = "pond 4711");
    QUERY("licence that few have, 20", .licence = "unknown", .limit = 20);
    QUERY("privacy, 20", .privacy = "private", .limit = 20);
    QUERY("digest", .digest = {digest});
    QUERY("parent", .parent = {digest});
    QUERY("image id", .image_id = id);
    QUERY("author, model and a word that all have", .author = "author 170", .model = "model 170",
          .text = "pond");
    QUERY("author and a word that all have", .author = "author 170", .text = "pond", .limit = 20);
    QUERY("author and a word that 100 have", .author = "author 7", .text = "4711");
    measure(ledger, "one author's, counted by month", &(const struct bst_query){.author = "author 17"},
            "month");
    measure(ledger, "all, counted by author", &(const struct bst_query){0}, "author");
    bst_ledger_close(ledger);
    fixture_free(&fixture);
    return 0;
}
