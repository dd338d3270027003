/* query.h - the SQL behind bst_query_run, for query.c and for the test that looks at SQLite's plan. */
#ifndef BST_AUDIT_QUERY_H
#define BST_AUDIT_QUERY_H

#include <sqlite3.h>

#include "audit.h"

enum query_form {
    QUERY_ROWS,  /* the columns of struct bst_record */
    QUERY_COUNT, /* one number */
    QUERY_PLAN,  /* EXPLAIN QUERY PLAN of QUERY_ROWS */
};
/* A statement ready to step, all values bound. */
enum bst_code query_prepare(sqlite3 *db, const struct bst_query *query, enum query_form form,
                            sqlite3_stmt **out, struct bst_error *err);

#endif
