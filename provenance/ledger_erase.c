/* ledger_erase.c - private words erased for good: from the table of secrets, the index, the full text and the pages that
 * held them. The ledger says in an entry that it was done. */
#include <stdlib.h>
#include <string.h>

#include "ledger_index.h"
#include "stamp.h"

/* Runs SQL with the entry as its first and the secret's name as its second parameter. */
static enum bst_code run_on_secret(struct bst_ledger *ledger, const char *sql, uint64_t index,
                                   const char *name, struct bst_error *err)
{
    sqlite3_stmt *statement = bst_db_prepare(ledger, sql, err);
    if (!statement) return err->code;
    int parameters = sqlite3_bind_parameter_count(statement);
    if (parameters > 0) bst_db_number(statement, 1, index);
    if (name && parameters > 1) bst_db_text(statement, 2, name);
    enum bst_code code = sqlite3_step(statement) == SQLITE_DONE ? BST_OK : bst_db_fail(ledger, err);
    sqlite3_finalize(statement);
    return code;
}

enum bst_code bst_words_erase(struct bst_ledger *ledger, uint64_t index, const char *name,
                              struct bst_error *err)
{
    /* The trigger secret_erased clears the record. */
    enum bst_code code = run_on_secret(
        ledger, "DELETE FROM secret WHERE entry = ?1 AND (?2 IS NULL OR name = ?2)", index, name, err);
    if (code == BST_OK && sqlite3_changes(ledger->db) == 0) {
        return bst_fail(err, BST_USAGE, "entry %llu has no such private words", (unsigned long long)index);
    }
    if (code == BST_OK) code = run_on_secret(ledger, "DELETE FROM words WHERE rowid = ?1", index, NULL, err);
    if (code == BST_OK) {
        code =
            run_on_secret(ledger,
                          "INSERT INTO words (rowid, title, prompt, description) SELECT entry, title, prompt,"
                          " description FROM record WHERE entry = ?1 AND"
                          " coalesce(title, prompt, description) IS NOT NULL",
                          index, NULL, err);
    }
    if (code == BST_OK)
        code = run_on_secret(ledger, "INSERT INTO words (words) VALUES ('optimize')", index, NULL, err);
    return code;
}

/* ---- the statement that says so ---- */

struct erasing {
    const struct bst_erasure *erasure;
};

/* bst_append_fn */
static enum bst_code erase_fields(void *arg, struct bst_ledger *ledger, struct bst_error *err)
{
    const struct bst_erasure *erasure = ((const struct erasing *)arg)->erasure;
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < erasure->field_count && code == BST_OK; i++)
        code = bst_words_erase(ledger, erasure->entry, erasure->fields[i], err);
    return code;
}

static enum bst_code erase_logged(struct bst_stamper *stamper, const struct bst_erasure *erasure,
                                  uint64_t *index, struct bst_error *err)
{
    struct bst_buf payload = {0}, envelope = {0};
    struct erasing erasing = {erasure};
    struct bst_proof proof;
    enum bst_code code = bst_statement_erasure(erasure, &stamper->identity, &payload, err);
    if (code == BST_OK) code = bst_dsse_sign(payload.data, payload.len, stamper->author_key, &envelope, err);
    if (code == BST_OK) {
        struct bst_entry entry = {envelope.data, envelope.len, NULL};
        code = bst_ledger_append_with(stamper->ledger, stamper->log_key, &entry, 1, &proof, erase_fields,
                                      &erasing, err);
    }
    if (code == BST_OK) {
        *index = proof.index;
        bst_proof_clear(&proof);
    }
    bst_buf_free(&payload);
    bst_buf_free(&envelope);
    return code;
}

/* The names asked for, each of which must stand there, or all. */
static enum bst_code choose_fields(const struct bst_secrets *secrets, uint64_t entry,
                                   const char *const *wanted, size_t count, const char **out,
                                   size_t *out_count, struct bst_error *err)
{
    *out_count = 0;
    for (size_t i = 0; i < secrets->count; i++) {
        bool asked = count == 0;
        for (size_t w = 0; w < count; w++)
            asked |= strcmp(wanted[w], secrets->item[i].name) == 0;
        if (asked) out[(*out_count)++] = secrets->item[i].name;
    }
    if (*out_count > 0 && *out_count >= count) return BST_OK;
    bst_fail(err, BST_USAGE, "entry %llu keeps no private words%s", (unsigned long long)entry,
             count > 0 ? " of that name" : "");
    return bst_hint(err,
                    "what a statement shows is signed and cannot be erased; --privacy partner or private "
                    "keeps words out of it");
}

enum bst_code bst_stamp_erase(struct bst_stamper *stamper, uint64_t entry, const char *const *fields,
                              size_t count, uint64_t *index, struct bst_error *err)
{
    struct bst_secrets secrets;
    struct bst_buf envelope = {0};
    const char *chosen[sizeof secrets.item / sizeof *secrets.item];
    struct bst_erasure erasure = {.entry = entry, .fields = chosen, .erased_ms = bst_now_ms()};
    enum bst_code code = bst_ledger_entry(stamper->ledger, entry, &envelope, err);
    if (code != BST_OK) return code;
    bst_merkle_leaf(envelope.data, envelope.len, erasure.leaf);
    bst_buf_free(&envelope);
    code = bst_index_secrets(stamper->ledger, entry, &secrets, err);
    if (code != BST_OK) return code;
    code = choose_fields(&secrets, entry, fields, count, chosen, &erasure.field_count, err);
    if (code == BST_OK) code = erase_logged(stamper, &erasure, index, err);
    bst_secrets_clear(&secrets);
    return code;
}
