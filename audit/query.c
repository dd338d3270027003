/* query.c - which of the ledger's records: conditions, order and groups. Each condition is a search in an index of
 * schema/ledger.sql, never a walk through all records. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "query.h"

#define DIGEST_DIGITS_MIN 8 /* fewer would match by chance */
#define DAY_MS            86400000
#define COMMON            300 /* records with a word: looking it up for each record takes as long as some of them */

/* Kinds whose records can say what others cannot: there an empty place is unknown. */
#define PICTURES "('generation','adoption')"
#define MODELS   "('generation','adoption','training','model')"
#define LICENSED "('generation','adoption','training','model','transfer')"
#define PRIVATE  "('generation','adoption','decision')"

static void condition(struct sql *sql, const char *text)
{
    bst_buf_printf(&sql->text, " AND %s", text);
}

static bool is_unknown(const char *wanted)
{
    return strcmp(wanted, "unknown") == 0;
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

static void bind_prefix_lower(struct sql *sql, const char *prefix)
{
    char *low = lower(prefix);
    if (low)
        sql_bind_prefix(sql, low);
    else
        sql->text.failed = true;
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

/* ---- conditions ---- */

/* table is "author" or "model"; id_column its hexadecimal identifier. A name matches by its beginning, an
 * identifier too, if enough digits were given. The few rows that match are looked up here: with one of them,
 * which is the usual case, the records come out of the index in the order of entries, and nothing need be
 * sorted. */
static enum bst_code named(sqlite3 *db, struct sql *sql, const char *table, const char *id_column,
                           const char *wanted, struct bst_error *err)
{
    struct sql inner = {0};
    size_t matches = 0;
    if (is_unknown(wanted)) {
        bst_buf_printf(&inner.text, "SELECT id FROM %s WHERE name = '' COLLATE NOCASE", table);
    } else {
        bst_buf_printf(&inner.text,
                       "SELECT id FROM %s WHERE name >= ? COLLATE NOCASE AND name < ? COLLATE NOCASE", table);
        sql_bind_prefix(&inner, wanted);
    }
    if (is_hex(wanted) && strlen(wanted) >= DIGEST_DIGITS_MIN) {
        bst_buf_printf(&inner.text, " UNION SELECT id FROM %s WHERE %s >= ? AND %s < ?", table, id_column,
                       id_column);
        bind_prefix_lower(&inner, wanted);
    }
    sqlite3_stmt *stmt = NULL;
    enum bst_code code = sql_prepare(db, &inner, &stmt, err);
    if (code == BST_OK) {
        int step;
        bst_buf_printf(&sql->text, " AND (r.%s IN (", table);
        while ((step = sqlite3_step(stmt)) == SQLITE_ROW)
            bst_buf_printf(&sql->text, "%s%lld", matches++ ? "," : "",
                           (long long)sqlite3_column_int64(stmt, 0));
        bst_buf_text(&sql->text, matches ? ")" : "-1)"); /* no row has this id */
        if (is_unknown(wanted)) {
            bst_buf_printf(&sql->text, " OR (r.%s IS NULL AND r.kind IN " PICTURES ")", table);
            sql->scattered = true;
        }
        bst_buf_text(&sql->text, ")");
        if (step != SQLITE_DONE) code = query_failed(db, err);
    }
    if (matches != 1) sql->scattered = true;
    sqlite3_finalize(stmt);
    sql_clear(&inner);
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

/* The entries that name one of these digests in one of these roles. A whole digest is looked up; the beginning of one
 * is a range. */
static enum bst_code named_as(struct sql *sql, const char *const *wanted, const char *roles,
                              struct bst_error *err)
{
    for (size_t i = 0; i < BST_QUERY_DIGESTS && wanted[i]; i++) {
        if (check_digest(wanted[i], err) != BST_OK) return err->code;
        bool whole = strlen(wanted[i]) == 2 * BST_SHA256_LEN;
        bst_buf_printf(&sql->text, "%sSELECT entry FROM relation WHERE digest %s AND role IN (%s)",
                       i ? " UNION " : "", whole ? "= ?" : "BETWEEN ? AND ?", roles);
        sql_bind_digest(sql, wanted[i], '0');
        if (!whole) sql_bind_digest(sql, wanted[i], 'f');
    }
    return BST_OK;
}

static enum bst_code digests(struct sql *sql, const struct bst_query *query, struct bst_error *err)
{
    enum bst_code code = BST_OK;
    if (query->digest[0]) {
        bst_buf_text(&sql->text, " AND r.entry IN (");
        code = named_as(sql, query->digest, "'subject','pixels'", err);
        bst_buf_text(&sql->text, ")");
    }
    if (code == BST_OK && query->parent[0]) {
        bst_buf_text(&sql->text, " AND r.entry IN (");
        code = named_as(sql, query->parent, "'input','parent','before','part','source'", err);
        bst_buf_text(&sql->text, ")");
    }
    /* The same file may be a model under several names and licences. */
    if (code == BST_OK && query->trained_on[0]) {
        bst_buf_text(&sql->text,
                     " AND r.model IN (SELECT same.id FROM record t JOIN model m ON m.id = t.model"
                     " JOIN model same ON same.sha256 = m.sha256 WHERE t.entry IN (");
        code = named_as(sql, query->trained_on, "'item','dataset'", err);
        bst_buf_text(&sql->text, "))");
    }
    if (query->digest[0] || query->parent[0] || query->trained_on[0]) sql->scattered = true;
    return code;
}

/* Do so many records have these words that it is better to look at each one that the other conditions find? */
static enum bst_code is_common(sqlite3 *db, const char *match, bool *out, struct bst_error *err)
{
    static const char text[] = "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)";
    struct sql sql = {0};
    sqlite3_stmt *stmt;
    bst_buf_text(&sql.text, text);
    sql_bind_text(&sql, bst_strdup(match));
    sql_bind_number(&sql, COMMON);
    enum bst_code code = sql_prepare(db, &sql, &stmt, err);
    sql_clear(&sql);
    if (code != BST_OK) return code;
    if (sqlite3_step(stmt) == SQLITE_ROW)
        *out = sqlite3_column_int64(stmt, 0) == COMMON;
    else
        code = query_failed(db, err);
    sqlite3_finalize(stmt);
    return code;
}

/* Every word must occur; quoted, so that no word is taken for an operator of the full-text language. A star
 * at a word's end asks for all words that begin so. */
static enum bst_code words(sqlite3 *db, struct sql *sql, const char *text, bool is_keyed,
                           struct bst_error *err)
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
    bool each = false;
    const char *found = bst_buf_string(&match);
    enum bst_code code = found ? BST_OK : bst_fail_memory(err);
    if (code == BST_OK && is_keyed) code = is_common(db, found, &each, err);
    condition(sql, each ? "EXISTS (SELECT 1 FROM words WHERE words MATCH ? AND rowid = r.entry)"
                        : "r.entry IN (SELECT rowid FROM words WHERE words MATCH ?)");
    sql->scattered |= !each;
    sql_bind_text(sql, bst_buf_string(&match));
    return code;
}

static enum bst_code moment(const char *name, const char *text, int64_t *out, struct bst_error *err)
{
    if (bst_time_parse(text, out)) return BST_OK;
    bst_fail(err, BST_USAGE, "%s does not understand the time \"%.60s\"", name, text);
    return bst_hint(err, "write 2026-11-22 or 2026-11-22T09:30:00Z");
}

static enum bst_code times(struct sql *sql, const struct bst_query *query, struct bst_error *err)
{
    int64_t ms;
    if (query->since || query->until) sql->scattered = true;
    if (query->since) {
        if (moment("since", query->since, &ms, err) != BST_OK) return err->code;
        condition(sql, "r.time >= ?");
        sql_bind_number(sql, ms);
    }
    if (query->until) {
        if (moment("until", query->until, &ms, err) != BST_OK) return err->code;
        /* A day alone means to its end; statements' times are whole seconds. */
        condition(sql, "r.time < ?");
        sql_bind_number(sql, ms + (strlen(query->until) == 10 ? DAY_MS : 1000));
    }
    return BST_OK;
}

static enum bst_code seed(struct sql *sql, const char *wanted, struct bst_error *err)
{
    uint64_t number;
    if (is_unknown(wanted)) {
        condition(sql, "r.seed IS NULL AND +r.kind IN " PICTURES);
        return BST_OK;
    }
    if (!bst_parse_u64(wanted, &number))
        return bst_fail(err, BST_USAGE, "the seed \"%.60s\" is not a whole number in range", wanted);
    condition(sql, "r.seed = ?");
    sql_bind_text(sql, bst_format("%llu", (unsigned long long)number));
    return BST_OK;
}

/* What a statement says of its own picture or data set, or else of its model. */
static void licence(struct sql *sql, const char *wanted)
{
    sql->scattered = true;
    if (is_unknown(wanted)) {
        condition(sql,
                  "(r.model IS NULL OR r.model IN (SELECT id FROM model WHERE licence = '' COLLATE NOCASE))"
                  " AND r.licence IS NULL AND +r.kind IN " LICENSED);
        return;
    }
    condition(sql, "(r.licence = ? COLLATE NOCASE OR r.model IN (SELECT id FROM model WHERE licence = ? "
                   "COLLATE NOCASE))");
    sql_bind_text(sql, bst_strdup(wanted));
    sql_bind_text(sql, bst_strdup(wanted));
}

static enum bst_code privacy(struct sql *sql, const char *wanted, struct bst_error *err)
{
    if (is_unknown(wanted)) {
        condition(sql, "r.privacy IS NULL AND +r.kind IN " PRIVATE);
        return BST_OK;
    }
    if (strcmp(wanted, "public") != 0 && strcmp(wanted, "partner") != 0 && strcmp(wanted, "private") != 0) {
        bst_fail(err, BST_USAGE, "there is no level of privacy \"%.40s\"", wanted);
        return bst_hint(err, "levels: public, partner, private, unknown");
    }
    condition(sql, "r.privacy = ?");
    sql_bind_text(sql, bst_strdup(wanted));
    return BST_OK;
}

static enum bst_code source_type(struct sql *sql, const char *wanted, struct bst_error *err)
{
    enum bst_source source;
    if (is_unknown(wanted)) {
        condition(sql, "r.kind = 'adoption' AND r.source_type IS NULL");
        return BST_OK;
    }
    if (!bst_source_known(wanted, &source)) {
        bst_fail(err, BST_USAGE, "there is no source type \"%.40s\"", wanted);
        return bst_hint(err, "types: generated, composite, edited, capture, unknown");
    }
    condition(sql, "r.source_type = ?");
    sql_bind_text(sql, bst_strdup(wanted));
    return BST_OK;
}

/* Entries only ever come behind the others, so an answer of a smaller ledger stays the same. The plus sign keeps the
 * planner from walking through all of these entries where it has something to search by. */
static void bounds(struct sql *sql, const struct bst_query *query, bool searches)
{
    const char *hidden = searches && sql->scattered ? "+" : "";
    if (query->as_of) {
        bst_buf_printf(&sql->text, " AND %sr.entry < ?", hidden);
        sql_bind_number(sql, query->as_of < INT64_MAX ? (int64_t)query->as_of : INT64_MAX);
    }
    if (query->has_after) {
        bst_buf_printf(&sql->text, " AND %sr.entry %s ?", hidden, query->descending ? "<" : ">");
        sql_bind_number(sql, query->after < INT64_MAX ? (int64_t)query->after : INT64_MAX);
    }
}

/* Do the conditions so far leave few records, or find them in order so that the first ones are enough? */
static bool is_keyed(const struct sql *sql, const struct bst_query *query)
{
    bool in_order = !sql->scattered && (query->author || query->model || query->seed || query->image_id);
    return in_order || query->digest[0] || query->parent[0];
}

static enum bst_code conditions(sqlite3 *db, struct sql *sql, const struct bst_query *query,
                                struct bst_error *err)
{
    size_t before = sql->text.len;
    enum bst_code code = BST_OK;
    if (query->author) code = named(db, sql, "author", "key_id", query->author, err);
    if (code == BST_OK && query->model) code = named(db, sql, "model", "sha256", query->model, err);
    if (code == BST_OK && query->seed) code = seed(sql, query->seed, err);
    if (code == BST_OK && query->kind) {
        condition(sql, "r.kind = ?");
        sql_bind_text(sql, bst_strdup(query->kind));
    }
    if (code == BST_OK && query->image_id) {
        condition(sql, "r.image_id = ?");
        sql_bind_text(sql, lower(query->image_id));
    }
    if (code == BST_OK && query->privacy) code = privacy(sql, query->privacy, err);
    if (code == BST_OK && query->source_type) code = source_type(sql, query->source_type, err);
    if (code == BST_OK && query->licence) licence(sql, query->licence);
    if (code == BST_OK) code = digests(sql, query, err);
    if (code == BST_OK && query->text) code = words(db, sql, query->text, is_keyed(sql, query), err);
    if (code == BST_OK) code = times(sql, query, err);
    if (code == BST_OK) bounds(sql, query, sql->text.len > before);
    return code;
}

/* ---- order ---- */

/* Seeds are texts in the ledger: shorter numbers are smaller ones. */
static const struct order {
    const char *name, *first, *second; /* second may be NULL */
} orders[] = {
    {"entry", NULL, NULL},
    {"time", "r.time", NULL},
    {"kind", "r.kind", NULL},
    {"author", "(SELECT nullif(name, '') FROM author WHERE id = r.author) COLLATE NOCASE", NULL},
    {"model", "(SELECT nullif(name, '') FROM model WHERE id = r.model) COLLATE NOCASE", NULL},
    {"seed", "length(r.seed)", "r.seed"},
    {"size", "r.width * r.height", NULL},
    {"title", "r.title COLLATE NOCASE", NULL},
    {"file", "r.file_name COLLATE NOCASE", NULL},
    {"privacy", "r.privacy", NULL},
    {"licence",
     "coalesce(r.licence, (SELECT nullif(licence, '') FROM model WHERE id = r.model)) COLLATE NOCASE", NULL},
};

const char *bst_query_column(size_t n)
{
    return n < sizeof orders / sizeof *orders ? orders[n].name : NULL;
}

/* Fails with a list of the names, which name(n) gives. */
static enum bst_code no_such(const char *what, const char *wanted, const char *(*name)(size_t),
                             struct bst_error *err)
{
    struct bst_buf names = {0};
    bst_fail(err, BST_USAGE, "records cannot be %s \"%.40s\"", what, wanted);
    for (size_t i = 0; name(i); i++)
        bst_buf_printf(&names, "%s%s", i ? ", " : "", name(i));
    if (bst_buf_string(&names)) bst_hint(err, "by: %s", bst_buf_string(&names));
    bst_buf_free(&names);
    return err->code;
}

static enum bst_code order(struct sql *sql, const struct bst_query *query, struct bst_error *err)
{
    const char *direction = query->descending ? "DESC" : "ASC";
    /* A plus sign hides a column from the planner, which else would rather walk all records in order than sort the
     * few that an index finds. */
    const char *hidden = sql->scattered ? "+" : "";
    size_t n = 0;
    while (query->sort && n < sizeof orders / sizeof *orders && strcmp(orders[n].name, query->sort) != 0)
        n++;
    if (n == sizeof orders / sizeof *orders) return no_such("sorted by", query->sort, bst_query_column, err);
    if (n != 0 && query->has_after) {
        bst_fail(err, BST_USAGE, "\"after\" goes by entries and not by %s", query->sort);
        return bst_hint(err, "--offset with --as-of ENTRIES makes pages in any order");
    }
    bst_buf_text(&sql->text, " ORDER BY ");
    if (orders[n].first)
        bst_buf_printf(&sql->text, "%s%s %s NULLS LAST, ", hidden, orders[n].first, direction);
    if (orders[n].second) bst_buf_printf(&sql->text, "%s %s, ", orders[n].second, direction);
    bst_buf_printf(&sql->text, "%sr.entry %s LIMIT ? OFFSET ?", hidden, direction);
    sql_bind_number(sql, query->limit && query->limit < INT64_MAX ? (int64_t)query->limit : -1);
    sql_bind_number(sql, query->offset < INT64_MAX ? (int64_t)query->offset : INT64_MAX);
    return BST_OK;
}

enum bst_code query_prepare(sqlite3 *db, const struct bst_query *query, enum query_form form,
                            sqlite3_stmt **out, struct bst_error *err)
{
    static const char *const select[] = {[QUERY_ENTRIES] = "SELECT r.entry",
                                         [QUERY_COUNT] = "SELECT count(*)",
                                         [QUERY_PLAN] = "EXPLAIN QUERY PLAN SELECT r.entry"};
    struct sql sql = {0};
    bst_buf_printf(&sql.text, "%s FROM record r WHERE 1", select[form]);
    enum bst_code code = conditions(db, &sql, query, err);
    if (code == BST_OK && form != QUERY_COUNT) code = order(&sql, query, err);
    if (code == BST_OK) code = sql_prepare(db, &sql, out, err);
    sql_clear(&sql);
    return code;
}

/* ---- groups ---- */

#define TIME_GROUP(format) "strftime('" format "', r.time / 1000, 'unixepoch')"
static const struct group {
    const char *name, *value; /* value is what records are grouped by */
    const char *kinds;        /* that can have it; NULL: all */
    const char *words, *id;   /* of the value v; NULL: v itself, none */
    bool is_time;
} groups[] = {
    {"author", "r.author", NULL, "(SELECT nullif(name, '') FROM author WHERE id = v)",
     "(SELECT key_id FROM author WHERE id = v)", false},
    {"model", "r.model", MODELS, "iif(v = '-', v, (SELECT nullif(name, '') FROM model WHERE id = v))",
     "(SELECT sha256 FROM model WHERE id = v)", false},
    {"kind", "r.kind", NULL, NULL, NULL, false},
    {"day", TIME_GROUP("%Y-%m-%d"), NULL, NULL, NULL, true},
    {"month", TIME_GROUP("%Y-%m"), NULL, NULL, NULL, true},
    {"year", TIME_GROUP("%Y"), NULL, NULL, NULL, true},
    {"privacy", "r.privacy", PRIVATE, NULL, NULL, false},
    {"licence", "coalesce(r.licence, (SELECT nullif(licence, '') FROM model WHERE id = r.model))", LICENSED,
     NULL, NULL, false},
    {"source-type", "r.source_type", "('adoption')", NULL, NULL, false},
    {"size", "r.width || 'x' || r.height", PICTURES, NULL, NULL, false},
};

const char *bst_query_group(size_t n)
{
    return n < sizeof groups / sizeof *groups ? groups[n].name : NULL;
}

enum bst_code query_prepare_groups(sqlite3 *db, const struct bst_query *query, const char *by,
                                   sqlite3_stmt **out, struct bst_error *err)
{
    const struct group *group = groups;
    while (group < groups + sizeof groups / sizeof *groups && strcmp(group->name, by) != 0)
        group++;
    if (group == groups + sizeof groups / sizeof *groups)
        return no_such("counted by", by, bst_query_group, err);
    struct sql sql = {0};
    bst_buf_printf(&sql.text, "SELECT %s AS name, %s, n FROM (SELECT ", group->words ? group->words : "v",
                   group->id ? group->id : "NULL");
    if (group->kinds)
        bst_buf_printf(&sql.text, "coalesce(%s, iif(r.kind IN %s, NULL, '-'))", group->value, group->kinds);
    else
        bst_buf_text(&sql.text, group->value);
    bst_buf_text(&sql.text, " AS v, count(*) AS n FROM record r WHERE 1");
    enum bst_code code = conditions(db, &sql, query, err);
    bst_buf_printf(&sql.text, " GROUP BY 1) ORDER BY %sname NULLS LAST, v LIMIT ? OFFSET ?",
                   group->is_time ? "" : "n DESC, ");
    sql_bind_number(&sql, query->limit && query->limit < INT64_MAX ? (int64_t)query->limit : -1);
    sql_bind_number(&sql, query->offset < INT64_MAX ? (int64_t)query->offset : INT64_MAX);
    if (code == BST_OK) code = sql_prepare(db, &sql, out, err);
    sql_clear(&sql);
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

enum bst_code bst_query_groups(struct bst_ledger *ledger, const struct bst_query *query, const char *by,
                               bst_group_fn found, void *arg, struct bst_error *err)
{
    sqlite3 *db = bst_ledger_db(ledger);
    sqlite3_stmt *stmt;
    enum bst_code code = bst_ledger_current(ledger, err);
    if (code == BST_OK) code = query_prepare_groups(db, query, by, &stmt, err);
    if (code != BST_OK) return code;
    int step;
    while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
        const struct bst_group group = {.value = (const char *)sqlite3_column_text(stmt, 0),
                                        .id = (const char *)sqlite3_column_text(stmt, 1),
                                        .count = (uint64_t)sqlite3_column_int64(stmt, 2)};
        if (!found(arg, &group)) break;
    }
    if (step != SQLITE_DONE && step != SQLITE_ROW) code = query_failed(db, err);
    sqlite3_finalize(stmt);
    return code;
}
