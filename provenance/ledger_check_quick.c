/* ledger_check_quick.c - looks for what accidents do to a ledger, without recomputing it: damaged pages, tables that are
 * not ours, a gap, an end that is not the one last signed. */
#include <stdlib.h>
#include <string.h>

#include "ledger_check.h"

/* Numbers run from 0 to the newest, so there are as many as the newest one plus one. */
static enum bst_code check_numbering(struct bst_check_run *run, struct bst_error *err)
{
    static const char sql[] = "SELECT count(*), coalesce(max(idx) + 1, 0) FROM entry";
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(run->ledger->db, sql, -1, &statement, NULL) != SQLITE_OK)
        return bst_db_fail(run->ledger, err);
    enum bst_code code = sqlite3_step(statement) == SQLITE_ROW ? BST_OK : bst_db_fail(run->ledger, err);
    if (code == BST_OK) {
        sqlite3_int64 count = sqlite3_column_int64(statement, 0), size = sqlite3_column_int64(statement, 1);
        run->size = (uint64_t)size;
        if (count != size)
            bst_check_report(run, BST_RULE_ENTRY_MISSING, -1, "%lld of %lld entries are missing",
                             (long long)(size - count), (long long)size);
    }
    sqlite3_finalize(statement);
    return code;
}

static enum bst_code check_edge(struct bst_check_run *run, struct bst_error *err)
{
    struct bst_peaks *peaks = bst_calloc(1, sizeof *peaks);
    if (!peaks) return bst_fail_memory(err);
    enum bst_code code = bst_ledger_edge(run->ledger, peaks, err);
    free(peaks);
    if (code != BST_BROKEN) return code;
    bst_check_report(run, BST_RULE_CHECKPOINT_ROOT, -1, "%s", err->what);
    return BST_OK;
}

/* All of it at one moment, so that a writer in between cannot make a false finding. */
enum bst_code bst_ledger_check_quick(struct bst_ledger *ledger, bst_finding_fn found, void *arg,
                                     struct bst_error *err)
{
    struct bst_check_run run = {.ledger = ledger, .found = found, .arg = arg};
    enum bst_code code = bst_ledger_current(ledger, err);
    if (code == BST_OK) code = bst_db_begin_read(ledger, err);
    if (code != BST_OK) return code;
    code = bst_check_settle(&run, bst_check_file(&run, err), err);
    if (code == BST_OK) code = bst_check_settle(&run, bst_check_schema(&run, err), err);
    if (code == BST_OK) code = bst_check_settle(&run, check_numbering(&run, err), err);
    if (code == BST_OK) code = bst_check_settle(&run, check_edge(&run, err), err);
    bst_db_rollback(ledger);
    return code == BST_OK ? bst_check_sum_up(&run, err) : code;
}
