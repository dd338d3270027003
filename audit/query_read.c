/* query_read.c - what the records of a query say. First the entries' numbers are found, then their records
 * are read page by page, and between two pages nothing of the ledger is locked: whoever looks at the answer
 * may take his time (a pager on the terminal), while others write. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "query.h"

#define PAGE 256

static const char row_sql[] =
    "SELECT r.kind, a.name, a.key_id, r.file_name, r.image_id, m.name, m.sha256, r.seed, r.title, r.prompt, "
    "r.sha256, "
    "r.pixels_sha256, r.privacy, r.licence, m.licence, r.source_type, r.description, r.time, r.width, "
    "r.height "
    "FROM record r JOIN author a ON a.id = r.author "
    "LEFT JOIN model m ON m.id = r.model WHERE r.entry = ?";
enum { TEXTS = 17, TIME = TEXTS, WIDTH, HEIGHT };

struct row {
    int64_t entry, time, width, height;
    bool has_time, has_text[TEXTS];
    size_t text[TEXTS]; /* places in the page's texts */
};
struct page {
    size_t count;
    struct row rows[PAGE];
    struct bst_buf texts; /* each ended by a zero */
};

static enum bst_code find_entries(sqlite3 *db, const struct bst_query *query, int64_t **out, size_t *count,
                                  struct bst_error *err)
{
    sqlite3_stmt *stmt;
    int64_t *entries = NULL;
    size_t n = 0, room = 0;
    enum bst_code code = query_prepare(db, query, QUERY_ENTRIES, &stmt, err);
    if (code != BST_OK) return code;
    int step;
    while (code == BST_OK && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (n == room) {
            room = room ? 2 * room : PAGE;
            int64_t *grown = realloc(entries, room * sizeof *grown);
            if (!grown) {
                code = bst_fail_memory(err);
                break;
            }
            entries = grown;
        }
        entries[n++] = sqlite3_column_int64(stmt, 0);
    }
    if (code == BST_OK && step != SQLITE_DONE) code = query_failed(db, err);
    sqlite3_finalize(stmt);
    if (code != BST_OK) {
        free(entries);
        return code;
    }
    *out = entries;
    *count = n;
    return BST_OK;
}

static void read_row(sqlite3_stmt *stmt, int64_t entry, struct page *page)
{
    struct row *row = &page->rows[page->count++];
    *row = (struct row){.entry = entry,
                        .has_time = sqlite3_column_type(stmt, TIME) != SQLITE_NULL,
                        .time = sqlite3_column_int64(stmt, TIME),
                        .width = sqlite3_column_int64(stmt, WIDTH),
                        .height = sqlite3_column_int64(stmt, HEIGHT)};
    for (int i = 0; i < TEXTS; i++) {
        const char *text = (const char *)sqlite3_column_text(stmt, i);
        row->has_text[i] = text && *text;
        row->text[i] = page->texts.len;
        if (row->has_text[i]) bst_buf_append(&page->texts, text, strlen(text) + 1);
    }
}

/* One read transaction for the page, so that its rows are locked and released together. */
static enum bst_code read_page(sqlite3 *db, sqlite3_stmt *stmt, const int64_t *entries, size_t count,
                               struct page *page, struct bst_error *err)
{
    page->count = 0;
    page->texts.len = 0;
    if (sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK) return query_failed(db, err);
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < count && code == BST_OK; i++) {
        sqlite3_bind_int64(stmt, 1, entries[i]);
        int step = sqlite3_step(stmt);
        if (step == SQLITE_ROW)
            read_row(stmt, entries[i], page);
        else if (step != SQLITE_DONE)
            code = query_failed(db, err);
        sqlite3_reset(stmt);
    }
    if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK && code == BST_OK)
        code = query_failed(db, err);
    return code == BST_OK && page->texts.failed ? bst_fail_memory(err) : code;
}

/* Hands the page's rows on; false when the caller has enough. */
static bool tell_page(const struct page *page, bst_record_fn found, void *arg)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct row *row = &page->rows[i];
        char time[BST_TIME_LEN];
        const char *text[TEXTS];
        for (size_t t = 0; t < TEXTS; t++)
            text[t] = row->has_text[t] ? (const char *)page->texts.data + row->text[t] : NULL;
        if (row->has_time) bst_time_text(row->time, time);
        const struct bst_record record = {.entry = (uint64_t)row->entry,
                                          .kind = text[0],
                                          .time = row->has_time ? time : NULL,
                                          .author = text[1],
                                          .author_key_id = text[2],
                                          .file_name = text[3],
                                          .image_id = text[4],
                                          .model = text[5],
                                          .model_sha256 = text[6],
                                          .seed = text[7],
                                          .title = text[8],
                                          .prompt = text[9],
                                          .sha256 = text[10],
                                          .pixels_sha256 = text[11],
                                          .privacy = text[12],
                                          .licence = text[13],
                                          .model_licence = text[14],
                                          .source_type = text[15],
                                          .description = text[16],
                                          .width = row->width,
                                          .height = row->height};
        if (!found(arg, &record)) return false;
    }
    return true;
}

enum bst_code bst_query_run(struct bst_ledger *ledger, const struct bst_query *query, bst_record_fn found,
                            void *arg, struct bst_error *err)
{
    sqlite3 *db = bst_ledger_db(ledger);
    sqlite3_stmt *stmt = NULL;
    int64_t *entries = NULL;
    size_t count = 0;
    struct page *page = bst_calloc(1, sizeof *page);
    if (!page) return bst_fail_memory(err);
    enum bst_code code = bst_ledger_current(ledger, err);
    if (code == BST_OK) code = find_entries(db, query, &entries, &count, err);
    if (code == BST_OK && sqlite3_prepare_v2(db, row_sql, -1, &stmt, NULL) != SQLITE_OK)
        code = query_failed(db, err);
    for (size_t at = 0; code == BST_OK && at < count; at += PAGE) {
        size_t n = count - at < PAGE ? count - at : PAGE;
        code = read_page(db, stmt, entries + at, n, page, err);
        if (code == BST_OK && !tell_page(page, found, arg)) break;
    }
    sqlite3_finalize(stmt);
    bst_buf_free(&page->texts);
    free(page);
    free(entries);
    return code;
}

static void put(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, text ? json_string(text) : json_null());
}

enum bst_code bst_record_json(const struct bst_record *record, json_t **out, struct bst_error *err)
{
    json_t *object = json_object();
    if (!object) return bst_fail_memory(err);
    json_object_set_new(object, "entry", json_integer((json_int_t)record->entry));
    put(object, "kind", record->kind);
    put(object, "time", record->time);
    put(object, "author", record->author);
    put(object, "author_key_id", record->author_key_id);
    put(object, "file_name", record->file_name);
    put(object, "image_id", record->image_id);
    put(object, "model", record->model);
    put(object, "model_sha256", record->model_sha256);
    put(object, "seed", record->seed);
    json_object_set_new(object, "width", record->width > 0 ? json_integer(record->width) : json_null());
    json_object_set_new(object, "height", record->height > 0 ? json_integer(record->height) : json_null());
    put(object, "title", record->title);
    put(object, "prompt", record->prompt);
    put(object, "sha256", record->sha256);
    put(object, "pixels_sha256", record->pixels_sha256);
    put(object, "privacy", record->privacy);
    put(object, "licence", record->licence);
    put(object, "model_licence", record->model_licence);
    put(object, "source_type", record->source_type);
    put(object, "description", record->description);
    *out = object;
    return BST_OK;
}
