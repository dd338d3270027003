/* query.h - what query.c (which records) and query_read.c (what they say) share, and what the test of
 * SQLite's plan looks at. Private to audit/. */
#ifndef BST_AUDIT_QUERY_H
#define BST_AUDIT_QUERY_H

#include <sqlite3.h>

#include "audit.h"

enum query_form {
    QUERY_ENTRIES, /* the numbers of the entries asked for, in order */
    QUERY_COUNT,   /* how many there are */
    QUERY_PLAN,    /* EXPLAIN QUERY PLAN of QUERY_ENTRIES */
};
/* A statement ready to step, all values bound. */
enum bst_code query_prepare(sqlite3 *db, const struct bst_query *query, enum query_form form,
                            sqlite3_stmt **out, struct bst_error *err);
/* Reports what SQLite says. */
enum bst_code query_failed(sqlite3 *db, struct bst_error *err);

#endif
