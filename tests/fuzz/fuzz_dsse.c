/* fuzz_dsse.c - envelopes from strangers: opening, verifying and indexing them. The quick reader of canonical
 * envelopes and the JSON reader, which a leading space selects, must agree. */
#include <stdlib.h>
#include <string.h>

#include "ledger_index.h"
#include "statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool same(const struct bst_dsse *a, const struct bst_dsse *b)
{
    return a->payload.len == b->payload.len &&
           memcmp(a->payload.data, b->payload.data, a->payload.len) == 0 &&
           strcmp(a->payload_type, b->payload_type) == 0 && strcmp(a->key_id, b->key_id) == 0 &&
           memcmp(a->sig, b->sig, sizeof a->sig) == 0;
}

/* bst_relation_fn: places run from 0 without a gap. */
static enum bst_code count_relation(void *arg, const struct bst_digest_row *relation, struct bst_error *err)
{
    uint64_t *next = arg;
    if (relation->place != (*next)++ || !relation->role) return bst_fail(err, BST_FAILURE, "out of place");
    return BST_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const uint8_t key[BST_KEY_LEN] = {1};
    struct bst_error err;
    struct bst_dsse dsse, again;
    struct bst_identity identity;
    struct bst_row row;
    if (bst_dsse_open(data, len, &dsse, &err) != BST_OK) return 0;
    if (bst_dsse_verify(&dsse, key)) abort();
    bst_record_read(&dsse, NULL, &row);
    if (!row.column[BST_COLUMN_KIND].text) abort();
    if (bst_relation_each(dsse.statement, count_relation, &(uint64_t){0}, &err) != BST_OK) abort();
    bst_statement_commitment(dsse.statement, "prompt");
    if (bst_identity_from_json(json_object_get(dsse.statement, "predicate"), &identity, &err) == BST_OK) {
        bst_identity_clear(&identity);
    }
    struct bst_buf spaced = {0};
    bst_buf_byte(&spaced, ' ');
    bst_buf_append(&spaced, data, len);
    if (!spaced.failed) {
        if (bst_dsse_open(spaced.data, spaced.len, &again, &err) != BST_OK || !same(&dsse, &again)) abort();
        bst_dsse_clear(&again);
    }
    bst_buf_free(&spaced);
    bst_dsse_clear(&dsse);
    return 0;
}
