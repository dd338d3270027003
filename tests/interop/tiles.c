/* Run by tiles.sh: tiles COUNT FOLDER - a ledger of COUNT entries, exported as tiles into FOLDER while it grows; prints its
 * verifier key. */
#include <stdlib.h>

#include "../unit/ledger_fixture.h"

#define BATCH 700

static void export_now(const struct fixture *fixture, const char *folder)
{
    struct bst_error err;
    struct bst_published done;
    struct bst_ledger *ledger = fixture_open(fixture, BST_LEDGER_READ);
    fixture_must(bst_ledger_export_tiles(ledger, folder, NULL, NULL, &done, &err), &err);
    bst_ledger_close(ledger);
}

int main(int count, char **words)
{
    struct fixture fixture;
    struct bst_error err;
    char *vkey;
    if (count != 3) return 1;
    fixture_new(&fixture);
    uint64_t wanted = strtoull(words[1], NULL, 10);
    for (uint64_t size = 1; size < wanted;) {
        size_t more = wanted - size < BATCH ? (size_t)(wanted - size) : BATCH;
        fixture_must(fixture_append(&fixture, size, more, BST_PUBLIC, &err), &err);
        size += more;
        export_now(&fixture, words[2]);
    }
    fixture_must(bst_vkey_text(fixture.identity.log_origin, fixture.identity.log_key, &vkey, &err), &err);
    puts(vkey);
    free(vkey);
    fixture_free(&fixture);
    return 0;
}
