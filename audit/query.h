/* query.h - what query.c (which records), query_sql.c (a statement under construction) and query_read.c (what they say)
 * share, and what the test of SQLite's plan looks at. Private to audit/. */
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
/* Its rows: value, id, count. */
enum bst_code query_prepare_groups(sqlite3 *db, const struct bst_query *query, const char *by,
                                   sqlite3_stmt **out, struct bst_error *err);
/* Reports what SQLite says. */
enum bst_code query_failed(sqlite3 *db, struct bst_error *err);

/* ---- a statement under construction (query_sql.c): text, and the values for its question marks ---- */
#define SQL_VALUES_MAX 40
struct sql {
    struct bst_buf text;
    bool scattered; /* what an index finds does not come in the order of entries */
    size_t count;
    struct {
        char *text; /* owned; NULL: number or digest */
        int64_t number;
        bool is_digest;
        uint8_t digest[BST_SHA256_LEN];
    } value[SQL_VALUES_MAX];
};
void sql_clear(struct sql *sql);
void sql_bind_text(struct sql *sql, char *text); /* takes it; NULL: out of memory */
void sql_bind_number(struct sql *sql, int64_t number);
/* The first (rest '0') or the last ('f') of all digests that begin with these hexadecimal digits. */
void sql_bind_digest(struct sql *sql, const char *digits, char rest);
/* The two ends of all texts that start with prefix: prefix itself, and prefix with the highest character behind. */
void sql_bind_prefix(struct sql *sql, const char *prefix);
/* A statement with this text and these values. */
enum bst_code sql_prepare(sqlite3 *db, const struct sql *sql, sqlite3_stmt **out, struct bst_error *err);

#endif
