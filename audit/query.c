/* query.c - the ledger's records by author, model, seed, time, words, digest. Each condition is a search in
 * an index of schema/ledger.sql, never a walk through all records. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "query.h"

#define DIGEST_DIGITS_MIN 8 /* fewer would match by chance */
#define DAY_MS            86400000
#define BOUND_MAX         24

/* One WHERE clause under construction: text, and the values for its question marks. */
struct builder {
    struct bst_buf sql;
    bool scattered; /* what an index finds does not come in the order of entries */
    size_t count;
    struct {
        char *text; /* owned; NULL: number or digest */
        int64_t number;
        bool is_digest;
        uint8_t digest[BST_SHA256_LEN];
    } bound[BOUND_MAX];
};

static void bind_text(struct builder *b, char *text)
{
    if (!text || b->count == BOUND_MAX) {
        b->sql.failed = true;
        free(text);
        return;
    }
    b->bound[b->count++].text = text;
}

static void bind_number(struct builder *b, int64_t number)
{
    if (b->count == BOUND_MAX)
        b->sql.failed = true;
    else
        b->bound[b->count++].number = number;
}

/* The first ('0') or the last ('f') of all digests that begin with these hexadecimal digits. */
static void bind_digest(struct builder *b, const char *digits, char rest)
{
    char hex[BST_SHA256_HEX];
    memset(hex, rest, sizeof hex - 1);
    hex[sizeof hex - 1] = 0;
    memcpy(hex, digits, strlen(digits));
    if (b->count == BOUND_MAX) {
        b->sql.failed = true;
        return;
    }
    b->bound[b->count].is_digest = bst_unhex(hex, b->bound[b->count].digest, BST_SHA256_LEN);
    b->count++;
}

static void builder_clear(struct builder *b)
{
    for (size_t i = 0; i < b->count; i++)
        free(b->bound[i].text);
    bst_buf_free(&b->sql);
}

static void condition(struct builder *b, const char *sql)
{
    bst_buf_printf(&b->sql, " AND %s", sql);
}

/* The two ends of all texts that start with prefix: prefix itself, and prefix with the highest character
 * behind. */
static void bind_prefix(struct builder *b, const char *prefix)
{
    bind_text(b, bst_strdup(prefix));
    bind_text(b, bst_format("%s\xf4\x8f\xbf\xbf", prefix));
}

static bool is_hex(const char *text)
{
    return *text && !text[strspn(text, "0123456789abcdefABCDEF")];
}

static char *lower(const char *text)
{
    char *copy = bst_strdup(text);
    for (char *c = copy; c && *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return copy;
}

static void bind_prefix_lower(struct builder *b, const char *prefix)
{
    char *low = lower(prefix);
    if (low)
        bind_prefix(b, low);
    else
        b->sql.failed = true;
    free(low);
}

enum bst_code query_failed(sqlite3 *db, struct bst_error *err)
{
    int code = sqlite3_errcode(db);
    bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_ERROR;
    bst_fail(err, damaged ? BST_UNREADABLE : BST_FAILURE, "the ledger cannot be searched: %s",
             sqlite3_errmsg(db));
    return damaged ? bst_hint(err, "blindstamp ledger verify says what is wrong with it") : err->code;
}

/* A statement with the builder's text and values. */
static enum bst_code prepare(sqlite3 *db, struct builder *b, sqlite3_stmt **out, struct bst_error *err)
{
    const char *sql = bst_buf_string(&b->sql);
    if (!sql) return bst_fail_memory(err);
    sqlite3_stmt *stmt = NULL;
    bool good = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK;
    for (size_t i = 0; good && i < b->count; i++) {
        int at = (int)i + 1,
            done = b->bound[i].text ? sqlite3_bind_text(stmt, at, b->bound[i].text, -1, SQLITE_TRANSIENT)
                   : b->bound[i].is_digest
                       ? sqlite3_bind_blob(stmt, at, b->bound[i].digest, BST_SHA256_LEN, SQLITE_TRANSIENT)
                       : sqlite3_bind_int64(stmt, at, b->bound[i].number);
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

/* table is "author" or "model"; id_column its hexadecimal identifier. A name matches by its beginning, an
 * identifier too, if enough digits were given. The few rows that match are looked up here: with one of them,
 * which is the usual case, the records come out of the index in the order of entries, and nothing need be
 * sorted. */
static enum bst_code named(sqlite3 *db, struct builder *b, const char *table, const char *id_column,
                           const char *wanted, struct bst_error *err)
{
    struct builder inner = {0};
    size_t matches = 0;
    bst_buf_printf(&inner.sql, "SELECT id FROM %s WHERE name >= ? COLLATE NOCASE AND name < ? COLLATE NOCASE",
                   table);
    bind_prefix(&inner, wanted);
    if (is_hex(wanted) && strlen(wanted) >= DIGEST_DIGITS_MIN) {
        bst_buf_printf(&inner.sql, " UNION SELECT id FROM %s WHERE %s >= ? AND %s < ?", table, id_column,
                       id_column);
        bind_prefix_lower(&inner, wanted);
    }
    sqlite3_stmt *stmt = NULL;
    enum bst_code code = prepare(db, &inner, &stmt, err);
    if (code == BST_OK) {
        int step;
        bst_buf_printf(&b->sql, " AND r.%s IN (", table);
        while ((step = sqlite3_step(stmt)) == SQLITE_ROW)
            bst_buf_printf(&b->sql, "%s%lld", matches++ ? "," : "", (long long)sqlite3_column_int64(stmt, 0));
        bst_buf_text(&b->sql, matches ? ")" : "-1)"); /* no row has this id */
        if (step != SQLITE_DONE) code = query_failed(db, err);
    }
    if (matches != 1) b->scattered = true;
    sqlite3_finalize(stmt);
    builder_clear(&inner);
    return code;
}

static enum bst_code check_digest(const char *wanted, struct bst_error *err)
{
    size_t len = strlen(wanted);
    if (!is_hex(wanted) || len < DIGEST_DIGITS_MIN || len > 2 * BST_SHA256_LEN) {
        bst_fail(err, BST_USAGE, "\"%.80s\" is neither a file nor a digest", wanted);
        return bst_hint(err, "a digest is SHA-256 in hexadecimal, or its first %d digits or more",
                        DIGEST_DIGITS_MIN);
    }
    return BST_OK;
}

/* A whole digest is looked up; the beginning of one is a range. */
static void digest_condition(struct builder *b, const char *wanted)
{
    bool whole = strlen(wanted) == 2 * BST_SHA256_LEN;
    bst_buf_printf(&b->sql, "SELECT entry FROM relation WHERE digest %s AND role IN ('subject', 'pixels')",
                   whole ? "= ?" : "BETWEEN ? AND ?");
    bind_digest(b, wanted, '0');
    if (!whole) bind_digest(b, wanted, 'f');
}

static enum bst_code digest(struct builder *b, const char *wanted, const char *other, struct bst_error *err)
{
    enum bst_code code = check_digest(wanted, err);
    if (code == BST_OK && other) code = check_digest(other, err);
    if (code != BST_OK) return code;
    b->scattered = true;
    bst_buf_text(&b->sql, " AND r.entry IN (");
    digest_condition(b, wanted);
    if (other) {
        bst_buf_text(&b->sql, " UNION ");
        digest_condition(b, other);
    }
    bst_buf_text(&b->sql, ")");
    return BST_OK;
}

/* Every word must occur; quoted, so that no word is taken for an operator of the full-text language. A star
 * at a word's end asks for all words that begin so. */
static enum bst_code words(struct builder *b, const char *text, struct bst_error *err)
{
    struct bst_buf match = {0};
    for (const char *p = text + strspn(text, " \t\r\n"); *p; p += strspn(p, " \t\r\n")) {
        size_t len = strcspn(p, " \t\r\n");
        bool prefix = len > 1 && p[len - 1] == '*';
        bst_buf_text(&match, match.len ? " \"" : "\"");
        for (size_t i = 0; i < len - prefix; i++) {
            if (p[i] == '"') bst_buf_byte(&match, '"');
            bst_buf_byte(&match, (uint8_t)p[i]);
        }
        bst_buf_text(&match, prefix ? "\"*" : "\"");
        p += len;
    }
    if (!match.len) return bst_fail(err, BST_USAGE, "no word to search for was given");
    b->scattered = true;
    condition(b, "r.entry IN (SELECT rowid FROM words WHERE words MATCH ?)");
    bind_text(b, bst_buf_string(&match));
    return BST_OK;
}

static enum bst_code moment(const char *name, const char *text, int64_t *out, struct bst_error *err)
{
    if (bst_time_parse(text, out)) return BST_OK;
    bst_fail(err, BST_USAGE, "%s does not understand the time \"%.60s\"", name, text);
    return bst_hint(err, "write 2026-11-22 or 2026-11-22T09:30:00Z");
}

static enum bst_code times(struct builder *b, const struct bst_query *query, struct bst_error *err)
{
    int64_t ms;
    if (query->since || query->until) b->scattered = true;
    if (query->since) {
        if (moment("since", query->since, &ms, err) != BST_OK) return err->code;
        condition(b, "r.time >= ?");
        bind_number(b, ms);
    }
    if (query->until) {
        if (moment("until", query->until, &ms, err) != BST_OK) return err->code;
        /* A day alone means to its end; statements' times are whole seconds. */
        condition(b, "r.time < ?");
        bind_number(b, ms + (strlen(query->until) == 10 ? DAY_MS : 1000));
    }
    return BST_OK;
}

static enum bst_code conditions(sqlite3 *db, struct builder *b, const struct bst_query *query,
                                struct bst_error *err)
{
    uint64_t seed;
    if (query->seed && !bst_parse_u64(query->seed, &seed))
        return bst_fail(err, BST_USAGE, "the seed \"%.60s\" is not a whole number in range", query->seed);
    if (query->author && named(db, b, "author", "key_id", query->author, err) != BST_OK) return err->code;
    if (query->model && named(db, b, "model", "sha256", query->model, err) != BST_OK) return err->code;
    if (query->seed) {
        condition(b, "r.seed = ?");
        bind_text(b, bst_format("%llu", (unsigned long long)seed));
    }
    if (query->kind) {
        condition(b, "r.kind = ?");
        bind_text(b, bst_strdup(query->kind));
    }
    if (query->image_id) {
        condition(b, "r.image_id = ?");
        bind_text(b, lower(query->image_id));
    }
    if (query->digest && digest(b, query->digest, query->other_digest, err) != BST_OK) return err->code;
    if (query->text && words(b, query->text, err) != BST_OK) return err->code;
    return times(b, query, err);
}

enum bst_code query_prepare(sqlite3 *db, const struct bst_query *query, enum query_form form,
                            sqlite3_stmt **out, struct bst_error *err)
{
    static const char *const select[] = {[QUERY_ENTRIES] = "SELECT r.entry",
                                         [QUERY_COUNT] = "SELECT count(*)",
                                         [QUERY_PLAN] = "EXPLAIN QUERY PLAN SELECT r.entry"};
    struct builder b = {0};
    bst_buf_printf(&b.sql, "%s FROM record r WHERE 1", select[form]);
    enum bst_code code = conditions(db, &b, query, err);
    if (code == BST_OK && form != QUERY_COUNT) {
        /* A plus sign hides the row number from the planner, which else would rather walk all records in
         * order than sort the few that an index finds. */
        bst_buf_printf(&b.sql, " ORDER BY %sr.entry %s LIMIT ? OFFSET ?", b.scattered ? "+" : "",
                       query->descending ? "DESC" : "ASC");
        bind_number(&b, query->limit && query->limit < INT64_MAX ? (int64_t)query->limit : -1);
        bind_number(&b, query->offset < INT64_MAX ? (int64_t)query->offset : INT64_MAX);
    }
    if (code == BST_OK) code = prepare(db, &b, out, err);
    builder_clear(&b);
    return code;
}

enum bst_code bst_query_count(struct bst_ledger *ledger, const struct bst_query *query, uint64_t *count,
                              struct bst_error *err)
{
    sqlite3 *db = bst_ledger_db(ledger);
    sqlite3_stmt *stmt;
    enum bst_code code = bst_ledger_current(ledger, err);
    if (code == BST_OK) code = query_prepare(db, query, QUERY_COUNT, &stmt, err);
    if (code != BST_OK) return code;
    if (sqlite3_step(stmt) == SQLITE_ROW)
        *count = (uint64_t)sqlite3_column_int64(stmt, 0);
    else
        code = query_failed(db, err);
    sqlite3_finalize(stmt);
    return code;
}
