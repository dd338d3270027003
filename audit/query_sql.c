/* query_sql.c - an SQL statement under construction, its values apart from its text. */
#include <stdlib.h>
#include <string.h>

#include "query.h"

void sql_clear(struct sql *sql)
{
    for (size_t i = 0; i < sql->count; i++)
        free(sql->value[i].text);
    bst_buf_free(&sql->text);
}

/* Room for one more value; false, with the text failed, when there is none. */
static bool has_room(struct sql *sql)
{
    if (sql->count == SQL_VALUES_MAX) sql->text.failed = true;
    return sql->count < SQL_VALUES_MAX;
}

void sql_bind_text(struct sql *sql, char *text)
{
    if (!text) sql->text.failed = true;
    if (text && has_room(sql))
        sql->value[sql->count++].text = text;
    else
        free(text);
}

void sql_bind_number(struct sql *sql, int64_t number)
{
    if (has_room(sql)) sql->value[sql->count++].number = number;
}

void sql_bind_digest(struct sql *sql, const char *digits, char rest)
{
    char hex[BST_SHA256_HEX];
    memset(hex, rest, sizeof hex - 1);
    hex[sizeof hex - 1] = 0;
    memcpy(hex, digits, strlen(digits));
    if (!has_room(sql)) return;
    sql->value[sql->count].is_digest = bst_unhex(hex, sql->value[sql->count].digest, BST_SHA256_LEN);
    sql->count++;
}

void sql_bind_prefix(struct sql *sql, const char *prefix)
{
    sql_bind_text(sql, bst_strdup(prefix));
    sql_bind_text(sql, bst_format("%s\xf4\x8f\xbf\xbf", prefix));
}

enum bst_code sql_prepare(sqlite3 *db, const struct sql *sql, sqlite3_stmt **out, struct bst_error *err)
{
    if (sql->text.failed) return bst_fail_memory(err);
    sqlite3_stmt *stmt = NULL;
    bool good =
        sqlite3_prepare_v2(db, (const char *)sql->text.data, (int)sql->text.len, &stmt, NULL) == SQLITE_OK;
    for (size_t i = 0; good && i < sql->count; i++) {
        int at = (int)i + 1,
            done = sql->value[i].text ? sqlite3_bind_text(stmt, at, sql->value[i].text, -1, SQLITE_TRANSIENT)
                   : sql->value[i].is_digest
                       ? sqlite3_bind_blob(stmt, at, sql->value[i].digest, BST_SHA256_LEN, SQLITE_TRANSIENT)
                       : sqlite3_bind_int64(stmt, at, sql->value[i].number);
        good = done == SQLITE_OK;
    }
    if (good) {
        *out = stmt;
        return BST_OK;
    }
    query_failed(db, err);
    sqlite3_finalize(stmt);
    return err->code;
}
