/* query_plan.h - a query must search: of record, SQLite may read only rows that an index or the full text names. Included
 * behind cmocka. */
#ifndef QUERY_PLAN_H
#define QUERY_PLAN_H

#include <stdbool.h>

#include "open_fixture.h"
#include "query.h"

static inline void check_plan(const char *name, const struct bst_query *query)
{
    struct bst_error err = {0};
    sqlite3_stmt *stmt;
    unsigned lines = 0;
    assert_int_equal(query_prepare(bst_ledger_db(ledger), query, QUERY_PLAN, &stmt, &err), BST_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *detail = (const char *)sqlite3_column_text(stmt, 3);
        bool walks = strncmp(detail, "SCAN ", 5) == 0 && !strstr(detail, "VIRTUAL TABLE INDEX");
        bool ranges = strstr(detail, "r USING INTEGER PRIMARY KEY (rowid>") ||
                      strstr(detail, "r USING INTEGER PRIMARY KEY (rowid<");
        if (walks || ranges) fail_msg("%s: %s", name, detail);
        lines++;
    }
    sqlite3_finalize(stmt);
    assert_true(lines > 0);
}
#define PLAN(...) check_plan(#__VA_ARGS__, &(const struct bst_query){__VA_ARGS__})

#endif
