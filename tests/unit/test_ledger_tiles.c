/* test_ledger_tiles.c - trees in tiles, and a ledger exported as tiles: once whole and once bit by bit. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "ledger_fixture.h"
#include "tiles.h"

static struct bst_error err;

static void names(void **ctx)
{
    (void)ctx;
    char path[BST_TILE_PATH];
    bst_tile_path(0, 1234067, BST_TILE_WIDTH, path);
    assert_string_equal(path, "tile/0/x001/x234/067");
    bst_tile_path(0, 273, 112, path);
    assert_string_equal(path, "tile/0/273.p/112");
    bst_tile_path(7, 0, 1, path);
    assert_string_equal(path, "tile/7/000.p/1");
    bst_bundle_path(999, 255, path);
    assert_string_equal(path, "tile/entries/999.p/255");
    bst_bundle_path(1000, BST_TILE_WIDTH, path);
    assert_string_equal(path, "tile/entries/x001/000");
    bst_large_path(INT64_MAX, path);
    assert_string_equal(path, "large/x009/x223/x372/x036/x854/x775/807");
    bst_bundle_path(UINT64_MAX / 256, 255, path);
    assert_string_equal(path, "tile/entries/x072/x057/x594/x037/x927/935.p/255");
}

/* ---- the tree ---- */

#define LEAVES 70000
struct grown {
    struct bst_peaks peaks;
    uint8_t (*node[3])[32]; /* of levels 0, 8 and 16, by the other way of growing a tree */
    unsigned full[BST_TILE_LEVELS], partial[BST_TILE_LEVELS];
};

static enum bst_code keep_node(void *arg, unsigned level, uint64_t idx, const uint8_t hash[static 32],
                               struct bst_error *e)
{
    struct grown *grown = arg;
    (void)e;
    if (level % 8 == 0) memcpy(grown->node[level / 8][idx], hash, 32);
    return BST_OK;
}

static enum bst_code compare_tile(void *arg, unsigned level, uint64_t number, const uint8_t (*hash)[32],
                                  unsigned width, struct bst_error *e)
{
    struct grown *grown = arg;
    (void)e;
    assert_true(level < 3);
    assert_memory_equal(hash, grown->node[level][number * BST_TILE_WIDTH], (size_t)width * 32);
    ++*(width == BST_TILE_WIDTH ? &grown->full[level] : &grown->partial[level]);
    return BST_OK;
}

static enum bst_code known_node(void *arg, unsigned level, uint64_t idx, uint8_t hash[static 32],
                                struct bst_error *e)
{
    struct grown *grown = arg;
    (void)e;
    memcpy(hash, grown->node[level / 8][idx], 32);
    return BST_OK;
}

static void assert_root(const struct bst_tiles *tiles, const char *expected)
{
    uint8_t root[32];
    bst_tiles_root(tiles, root);
    char *text = bst_base64(root, 32);
    assert_string_equal(text, expected);
    free(text);
}

static void tree_of_seventy_thousand(void **ctx)
{
    (void)ctx;
    static struct grown grown;
    static struct bst_tiles tiles, resumed;
    for (unsigned level = 0; level < 3; level++)
        grown.node[level] = bst_calloc(LEAVES >> 8 * level, 32);
    assert_root(&tiles, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="); /* SHA-256("") */
    for (unsigned i = 0; i < LEAVES; i++) {
        char text[32];
        int len = snprintf(text, sizeof text, "record %u", i);
        bst_merkle_leaf(text, (size_t)len, grown.node[0][i]);
        assert_int_equal(bst_peaks_push(&grown.peaks, grown.node[0][i], keep_node, &grown, &err), BST_OK);
        assert_int_equal(bst_tiles_push(&tiles, grown.node[0][i], compare_tile, &grown, &err), BST_OK);
        if (i < 1000 || i % 997 == 0) {
            uint8_t root[32], expected[32];
            bst_tiles_root(&tiles, root);
            bst_peaks_root(&grown.peaks, expected);
            assert_memory_equal(root, expected, 32);
        }
        if (i + 1 == 3) assert_root(&tiles, "EROfCuN4nLInq4w+V9ZuiSXjrblsJNVzEYMhUNaskFs=");
        if (i + 1 == 20000) assert_root(&tiles, "hikwtpwn3Y47JXW6imIrkGL1AS3F1W0+zi6adb1gB1Q=");
    }
    assert_root(&tiles, "25Wlw4AqrnlkUtIrNNU+dJybwG++mtIplU2A2Oqj7hY=");
    assert_int_equal(bst_tiles_rest(&tiles, compare_tile, &grown, &err), BST_OK);
    static const unsigned full[] = {273, 1, 0}, partial[] = {1, 1, 1};
    for (unsigned level = 0; level < 3; level++) {
        assert_int_equal(grown.full[level], full[level]);
        assert_int_equal(grown.partial[level], partial[level]);
    }
    assert_int_equal(bst_tiles_resume(&resumed, LEAVES, known_node, &grown, &err), BST_OK);
    assert_root(&resumed, "25Wlw4AqrnlkUtIrNNU+dJybwG++mtIplU2A2Oqj7hY=");
    for (unsigned level = 0; level < 3; level++)
        free(grown.node[level]);
}

/* ---- the export ---- */

static bool in_folder(const struct fixture *fixture, const char *folder, const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s/%s", fixture->folder, folder, name);
    return access(path, F_OK) == 0;
}

static enum bst_code export(struct fixture *fixture, const char *folder, struct bst_published *done) {
    char path[400]; snprintf(path, sizeof path, "%s/%s", fixture->folder, folder);
    struct bst_ledger *ledger = fixture_open(fixture, BST_LEDGER_READ);
    enum bst_code code = bst_ledger_export_tiles(ledger, path, NULL, NULL, done, &err);
    bst_ledger_close(ledger);
    return code;
}

static void append(struct fixture *fixture, uint64_t first, size_t count)
{
    fixture_must(fixture_append(fixture, first, count, BST_PUBLIC, &err), &err);
}

static int run(const char *format, const char *a, const char *b)
{
    char command[900];
    snprintf(command, sizeof command, format, a, b);
    return system(command);
}

static void piecemeal_as_at_once(void **ctx)
{
    (void)ctx;
    struct fixture fixture;
    struct bst_published done;
    fixture_new(&fixture);
    assert_int_equal(export(&fixture, "log", &done), BST_OK);
    assert_int_equal(done.entries, 1);
    assert_int_equal(done.files, 2);
    append(&fixture, 1, 9);
    assert_int_equal(export(&fixture, "log", &done), BST_OK);
    assert_int_equal(done.before, 1);
    assert_true(in_folder(&fixture, "log", "tile/0/000.p/10"));
    assert_int_equal(export(&fixture, "log", &done), BST_OK); /* nothing new */
    assert_int_equal(done.files, 0);
    assert_int_equal(done.before, 10);
    append(&fixture, 10, 246); /* 256: the tile is full, and the partial ones go */
    assert_int_equal(export(&fixture, "log", &done), BST_OK);
    assert_int_equal(done.files, 3);
    assert_true(in_folder(&fixture, "log", "tile/0/000"));
    assert_true(in_folder(&fixture, "log", "tile/1/000.p/1"));
    assert_false(in_folder(&fixture, "log", "tile/0/000.p"));
    assert_false(in_folder(&fixture, "log", "tile/entries/000.p"));
    append(&fixture, 256, 300); /* 556 */
    assert_int_equal(export(&fixture, "log", &done), BST_OK);
    assert_int_equal(done.files, 5); /* tiles 001, 002.p/44, bundles, 1/000.p/2 */
    append(&fixture, 556, 1);
    assert_int_equal(export(&fixture, "log", &done), BST_OK);
    assert_int_equal(done.files, 2);
    assert_int_equal(export(&fixture, "fresh", &done), BST_OK);
    assert_int_equal(done.files, 7);
    /* Whatever the fresh one holds is byte for byte in the other. */
    assert_int_equal(run("cd '%s/fresh' && for f in $(find . -type f); do cmp $f '%s/log/'$f || exit 1; done",
                         fixture.folder, fixture.folder),
                     0);
    /* A broken-off export is taken up. */
    assert_int_equal(run("rm '%s/fresh/checkpoint' '%s/fresh/tile/0/001'", fixture.folder, fixture.folder),
                     0);
    assert_int_equal(export(&fixture, "fresh", &done), BST_OK);
    assert_true(in_folder(&fixture, "fresh", "tile/0/001"));
    fixture_free(&fixture);
}

static void entries_in_bundles(void **ctx)
{
    (void)ctx;
    struct fixture fixture;
    struct bst_published done;
    struct bst_buf bundle = {0}, envelope = {0};
    char path[400];
    fixture_new(&fixture);
    /* One of more than 65,535 bytes: any statement will do. */
    char *words = bst_calloc(70000, 1);
    memset(words, 'w', 69000);
    char *statement =
        bst_format("{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"name\":\"x\",\"digest\":{"
                   "\"sha256\":\"%064d\"}}],\"predicateType\":\"https://example.com/long/v1\",\"predicate\":{"
                   "\"words\":\"%s\"}}",
                   7, words);
    fixture_must(bst_dsse_sign(statement, strlen(statement), fixture.author, &envelope, &err), &err);
    struct bst_entry entry = {envelope.data, envelope.len, NULL};
    struct bst_ledger *ledger = fixture_open(&fixture, BST_LEDGER_WRITE);
    struct bst_proof proof;
    fixture_must(bst_ledger_append(ledger, fixture.log, &entry, 1, &proof, &err), &err);
    bst_proof_clear(&proof);
    bst_ledger_close(ledger);
    append(&fixture, 1, 3);
    assert_int_equal(export(&fixture, "log", &done), BST_OK);
    assert_int_equal(done.files, 3);
    snprintf(path, sizeof path, "%s/log/large/001", fixture.folder);
    struct bst_buf large = {0};
    fixture_must(bst_file_read(path, 1 << 20, &large, &err), &err);
    assert_int_equal(large.len, envelope.len);
    assert_memory_equal(large.data, envelope.data, large.len);
    bst_buf_free(&large);
    snprintf(path, sizeof path, "%s/log/tile/entries/000.p/5", fixture.folder);
    fixture_must(bst_file_read(path, BST_BUNDLE_MAX, &bundle, &err), &err);
    ledger = fixture_open(&fixture, BST_LEDGER_READ);
    size_t at = 0;
    for (uint64_t i = 0; i < 5; i++) {
        struct bst_buf expected = {0};
        size_t len = bst_get_be16(bundle.data + at);
        at += 2;
        fixture_must(bst_ledger_entry(ledger, i, &expected, &err), &err);
        assert_int_equal(len, i == 1 ? 0 : expected.len);
        assert_memory_equal(bundle.data + at, expected.data, len);
        at += len;
        bst_buf_free(&expected);
    }
    assert_int_equal(at, bundle.len);
    bst_ledger_close(ledger);
    bst_buf_free(&bundle);
    bst_buf_free(&envelope);
    free(statement);
    free(words);
    fixture_free(&fixture);
}

/* The folder of another log, of no log, or of a history that this ledger no longer has. */
static void what_must_not_be_published(void **ctx)
{
    (void)ctx;
    struct fixture fixture;
    struct bst_published done;
    fixture_new(&fixture);
    run("mkdir '%s/full' && touch '%s/full/letter.txt'", fixture.folder, fixture.folder);
    assert_int_equal(export(&fixture, "full", &done), BST_USAGE);
    run("cp '%s/ledger.sqlite' '%s/old.sqlite'", fixture.folder, fixture.folder);
    run("cp '%s/ledger.sqlite-checkpoint' '%s/old-checkpoint'", fixture.folder, fixture.folder);
    append(&fixture, 1, 20);
    assert_int_equal(export(&fixture, "log", &done), BST_OK);
    run("cp '%s/log/checkpoint' '%s/kept'", fixture.folder, fixture.folder);
    /* An old copy put back, with what was recorded beside it: it has fewer entries, and then others in their place. */
    run("cp '%s/old.sqlite' '%s/ledger.sqlite'", fixture.folder, fixture.folder);
    run("cp '%s/old-checkpoint' '%s/ledger.sqlite-checkpoint'", fixture.folder, fixture.folder);
    assert_int_equal(export(&fixture, "log", &done), BST_BROKEN);
    append(&fixture, 100, 30);
    assert_int_equal(export(&fixture, "log", &done), BST_BROKEN);
    assert_int_equal(run("cmp '%s/log/checkpoint' '%s/kept'", fixture.folder, fixture.folder), 0);
    assert_false(in_folder(&fixture, "log", "tile/0/000.p/31"));
    /* An entry changed behind the ledger's back is not published under a good checkpoint. */
    struct bst_ledger *ledger = fixture_open(&fixture, BST_LEDGER_WRITE);
    assert_int_equal(sqlite3_exec(bst_ledger_db(ledger),
                                  "DROP TRIGGER entry_no_update; UPDATE entry SET envelope ="
                                  " (SELECT envelope FROM entry WHERE idx = 4) WHERE idx = 3",
                                  NULL, NULL, NULL),
                     0);
    bst_ledger_close(ledger);
    assert_int_equal(export(&fixture, "changed", &done), BST_BROKEN);
    assert_false(in_folder(&fixture, "changed", "checkpoint"));
    fixture_free(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(tree_of_seventy_thousand),
        cmocka_unit_test(piecemeal_as_at_once),
        cmocka_unit_test(entries_in_bundles),
        cmocka_unit_test(what_must_not_be_published),
    };
    return cmocka_run_group_tests_name("ledger tiles", tests, NULL, NULL);
}
