/* sweep_ledger.c - what is wrong in the ledger's entries: pictures without file, claims of several authors, times, models.
 * Each question is one walk along an index, page by page, and between two pages nothing of the ledger is locked. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query.h"
#include "sweep.h"

#define PAGE   512
#define DAY_MS INT64_C(86400000)

/* A row of one of the walks; each fills what it asks for. */
struct row {
    uint64_t entry;
    int64_t time; /* INT64_MIN: none */
    uint8_t digest[BST_SHA256_LEN];
    char kind[16], key[BST_SHA256_HEX + 1], file_name[128], key_id[BST_SHA256_HEX];
};
struct walk {
    struct bst_sweep *sweep;
    void (*bind)(sqlite3_stmt *statement, const struct row *last); /* last NULL: from the beginning */
    void (*read)(sqlite3_stmt *statement, struct row *row);
    enum bst_code (*see)(void *state, const struct row *row, struct bst_error *err);
    void *state;
};

/* sql gives the rows behind the last one, in their order; a page of them at a time. */
static enum bst_code walk(const struct walk *walk, const char *sql, struct bst_error *err)
{
    struct bst_ledger *ledger = walk->sweep->ledger;
    struct row *rows = bst_calloc(PAGE, sizeof *rows), last;
    char *paged = bst_format("%s LIMIT %d", sql, PAGE);
    sqlite3_stmt *statement = rows && paged ? sweep_prepare(ledger, paged, err) : NULL;
    enum bst_code code = statement ? BST_OK : rows && paged ? err->code : bst_fail_memory(err);
    size_t count = PAGE;
    bool begun = false;
    while (code == BST_OK && count == PAGE) {
        int step = SQLITE_DONE;
        count = 0;
        walk->bind(statement, begun ? &last : NULL);
        while (count < PAGE && (step = sqlite3_step(statement)) == SQLITE_ROW) {
            rows[count] = (struct row){.time = INT64_MIN};
            walk->read(statement, &rows[count++]);
        }
        code = sweep_stepped(ledger, step, err);
        sqlite3_reset(statement);
        for (size_t i = 0; i < count && code == BST_OK; i++)
            code = walk->see(walk->state, &rows[i], err);
        if (count) last = rows[count - 1];
        begun = true;
        if (code == BST_OK) code = sweep_step(walk->sweep, 1, 1, err);
    }
    sqlite3_finalize(statement);
    free(paged);
    free(rows);
    return code;
}

/* ---- entries in their order: files and times ---- */

struct order {
    struct bst_sweep *sweep;
    sqlite3_stmt *withdrawn;
    int64_t now, before; /* time of the entry before; INT64_MIN: none */
    uint64_t before_entry;
};

static void bind_entry(sqlite3_stmt *statement, const struct row *last)
{
    sqlite3_bind_int64(statement, 1, last ? (sqlite3_int64)last->entry : -1);
}

static void read_entry(sqlite3_stmt *statement, struct row *row)
{
    row->entry = (uint64_t)sqlite3_column_int64(statement, 0);
    sweep_column(row->kind, sizeof row->kind, statement, 1);
    if (sqlite3_column_type(statement, 2) != SQLITE_NULL) row->time = sqlite3_column_int64(statement, 2);
    sweep_column(row->file_name, sizeof row->file_name, statement, 3);
    sweep_column(row->key, sizeof row->key, statement, 4);
}

static bool is_picture(const char *kind)
{
    return strcmp(kind, "generation") == 0 || strcmp(kind, "adoption") == 0;
}

/* Nobody misses the file of a picture that was taken down. */
static bool was_withdrawn(struct order *order, const struct row *row)
{
    uint8_t digest[BST_SHA256_LEN];
    if (!bst_unhex(row->key, digest, sizeof digest)) return false;
    sqlite3_bind_blob(order->withdrawn, 1, digest, sizeof digest, SQLITE_STATIC);
    bool withdrawn = sqlite3_step(order->withdrawn) == SQLITE_ROW;
    sqlite3_reset(order->withdrawn);
    return withdrawn;
}

static void see_file(struct order *order, const struct row *row)
{
    struct bst_sweep *sweep = order->sweep;
    struct sweep_evidence evidence = {0};
    if (!sweep->summary.files || !sweep_wanted(sweep, SWEEP_ENTRY_NO_FILE) || !is_picture(row->kind)) return;
    if (row->entry >= sweep->size || sweep->found[row->entry / 8] >> row->entry % 8 & 1) return;
    if (was_withdrawn(order, row)) return;
    sweep_entry(&evidence, row->entry);
    sweep_digest(&evidence, row->key);
    sweep_tell(sweep, SWEEP_ENTRY_NO_FILE, &evidence,
               "None of the files is the picture of entry %" PRIu64 "%s%s%s.", row->entry,
               *row->file_name ? " (" : "", row->file_name, *row->file_name ? ")" : "");
}

static void see_time(struct order *order, const struct row *row)
{
    struct bst_sweep *sweep = order->sweep;
    struct sweep_evidence evidence = {0};
    char now[BST_TIME_LEN], then[BST_TIME_LEN];
    int64_t slack = sweep->options->slack_ms, before = order->before;
    if (row->time == INT64_MIN) return;
    order->before = row->time;
    sweep_entry(&evidence, row->entry);
    bst_time_text(row->time, now);
    if (row->time - slack > order->now)
        sweep_tell(sweep, SWEEP_TIME_FUTURE, &evidence,
                   "Entry %" PRIu64 " says that it was made at %s, which has not come yet.", row->entry, now);
    if (before != INT64_MIN) {
        bst_time_text(before, then);
        sweep_entry(&evidence, order->before_entry);
        if (row->time < before - slack)
            sweep_tell(sweep, SWEEP_TIME_BACKWARDS, &evidence,
                       "Entry %" PRIu64 " says %s, but entry %" PRIu64 " in front of it says %s.", row->entry,
                       now, order->before_entry, then);
        else if (row->time - before > sweep->options->gap_ms)
            sweep_tell(sweep, SWEEP_TIME_GAP, &evidence,
                       "Nothing was recorded for %lld days: entry %" PRIu64 " is of %s, the next one of %s.",
                       (long long)((row->time - before) / DAY_MS), order->before_entry, then, now);
    }
    order->before_entry = row->entry;
}

static enum bst_code see_entry(void *state, const struct row *row, struct bst_error *err)
{
    (void)err;
    see_file(state, row);
    see_time(state, row);
    return BST_OK;
}

static enum bst_code entries(struct bst_sweep *sweep, struct bst_error *err)
{
    struct order order = {.sweep = sweep, .now = bst_now_ms(), .before = INT64_MIN};
    const struct walk along = {
        .sweep = sweep, .bind = bind_entry, .read = read_entry, .see = see_entry, .state = &order};
    order.withdrawn =
        sweep_prepare(sweep->ledger,
                      "SELECT 1 FROM relation r JOIN record c ON c.entry = r.entry WHERE r.digest = ?1 "
                      "AND r.role IN ('subject', 'pixels') AND c.kind = 'withdrawal' LIMIT 1",
                      err);
    if (!order.withdrawn) return err->code;
    enum bst_code code =
        walk(&along,
             "SELECT entry, kind, time, file_name, coalesce(pixels_sha256, sha256) FROM record "
             "WHERE entry > ?1 ORDER BY entry",
             err);
    sqlite3_finalize(order.withdrawn);
    return code;
}

/* ---- entries that share something: controls, or a picture ---- */

/* The run of rows that have the same key so far. */
struct same {
    struct bst_sweep *sweep;
    bool begun;
    char key[BST_SHA256_HEX + 1];
    uint8_t digest[BST_SHA256_LEN];
    uint64_t count, last;
    char key_id[BST_SHA256_HEX]; /* of the first */
    bool people;                 /* of more than one person */
    struct sweep_evidence evidence;
};

static void bind_controls(sqlite3_stmt *statement, const struct row *last)
{
    sqlite3_bind_text(statement, 1, last ? last->key : "", -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, last ? (sqlite3_int64)last->entry : -1);
}

static void read_controls(sqlite3_stmt *statement, struct row *row)
{
    sweep_column(row->key, sizeof row->key, statement, 0);
    row->entry = (uint64_t)sqlite3_column_int64(statement, 1);
    sweep_column(row->key_id, sizeof row->key_id, statement, 2);
}

static void end_controls(struct same *same)
{
    if (!same->people) return;
    sweep_digest(&same->evidence, same->key);
    sweep_tell(same->sweep, SWEEP_CLAIM_CONTROLS, &same->evidence,
               "%" PRIu64
               " entries by different authors say that their pictures came from the same model, seed and "
               "controls: the first is entry %" PRIu64 ".",
               same->count, same->evidence.entries[0]);
}

static enum bst_code see_controls(void *state, const struct row *row, struct bst_error *err)
{
    struct same *same = state;
    (void)err;
    if (strcmp(same->key, row->key) != 0) {
        end_controls(same);
        *same = (struct same){.sweep = same->sweep};
        memcpy(same->key, row->key, sizeof same->key);
        memcpy(same->key_id, row->key_id, sizeof same->key_id);
    }
    same->count++;
    if (!same->people && strcmp(same->key_id, row->key_id) != 0)
        same->people =
            strcmp(sweep_person(same->sweep, same->key_id), sweep_person(same->sweep, row->key_id)) != 0;
    sweep_entry(&same->evidence, row->entry);
    return BST_OK;
}

static enum bst_code controls(struct bst_sweep *sweep, struct bst_error *err)
{
    struct same same = {.sweep = sweep};
    const struct walk along = {
        .sweep = sweep, .bind = bind_controls, .read = read_controls, .see = see_controls, .state = &same};
    if (!sweep_wanted(sweep, SWEEP_CLAIM_CONTROLS)) return BST_OK;
    enum bst_code code =
        walk(&along,
             "SELECT r.controls, r.entry, a.key_id FROM record r JOIN author a ON a.id = r.author "
             "WHERE r.controls IS NOT NULL AND (r.controls, r.entry) > (?1, ?2) "
             "ORDER BY r.controls, r.entry",
             err);
    if (code == BST_OK) end_controls(&same);
    return code;
}

/* Models that a card describes, by their row in the table model. */
struct cards {
    size_t size;
    bool *of_model;
};
struct relations {
    struct same same; /* its key: the role */
    struct cards *cards;
    sqlite3_stmt *model;
};

static void bind_relation(sqlite3_stmt *statement, const struct row *last)
{
    sqlite3_bind_blob(statement, 1, last ? last->digest : (const uint8_t *)"", last ? BST_SHA256_LEN : 0,
                      SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, last ? last->key : "", -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, last ? (sqlite3_int64)last->entry : -1);
}

static void read_relation(sqlite3_stmt *statement, struct row *row)
{
    const void *digest = sqlite3_column_blob(statement, 0);
    if (digest && sqlite3_column_bytes(statement, 0) == BST_SHA256_LEN)
        memcpy(row->digest, digest, BST_SHA256_LEN);
    sweep_column(row->key, sizeof row->key, statement, 1);
    row->entry = (uint64_t)sqlite3_column_int64(statement, 2);
}

/* The entries of a picture that several name as theirs. Where a picture's samples are known, its bytes tell no more. */
static enum bst_code end_picture(struct same *same, struct bst_error *err)
{
    struct sweep_record first = {0}, record;
    struct sweep_evidence evidence = {0};
    char hex[BST_SHA256_HEX], author[sizeof record.author] = "";
    bool pixels = strcmp(same->key, "pixels") == 0, people = false, names = false, mine = false;
    for (size_t i = 0; same->count > 1 && i < same->evidence.entry_count; i++) {
        uint64_t entry = same->evidence.entries[i];
        enum bst_code code = sweep_record(same->sweep->ledger, entry, &record, err);
        if (code != BST_OK) return code;
        if (!is_picture(record.kind) || (!pixels && record.pixels[0])) continue;
        sweep_entry(&evidence, entry);
        if (!mine) first = record;
        if (mine &&
            strcmp(sweep_person(same->sweep, first.key_id), sweep_person(same->sweep, record.key_id)) != 0) {
            if (!people) memcpy(author, record.author, sizeof author);
            people = true;
        }
        names |= mine && strcmp(first.file_name, record.file_name) != 0;
        mine = true;
    }
    bst_hex(same->digest, sizeof same->digest, hex);
    sweep_digest(&evidence, hex);
    if (people)
        sweep_tell(same->sweep, SWEEP_CLAIM_PICTURE, &evidence,
                   "%s and %s both entered the same picture as theirs, first in entry %" PRIu64 ".",
                   first.author[0] ? first.author : "An unnamed author",
                   author[0] ? author : "an unnamed author", evidence.entries[0]);
    else if (names)
        sweep_tell(same->sweep, SWEEP_PICTURE_NAMES, &evidence,
                   "One picture was entered %zu times under different names, first as %s in entry %" PRIu64
                   ".",
                   evidence.entry_count, first.file_name, evidence.entries[0]);
    return BST_OK;
}

/* A card that an entry names describes the entry's model. */
static enum bst_code see_card(struct relations *relations, uint64_t entry, struct bst_error *err)
{
    sqlite3_stmt *statement = relations->model;
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)entry);
    int step = sqlite3_step(statement);
    sqlite3_int64 model = step == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    enum bst_code code = sweep_stepped(relations->same.sweep->ledger, step, err);
    sqlite3_reset(statement);
    if (model > 0 && (uint64_t)model < relations->cards->size) relations->cards->of_model[model] = true;
    return code;
}

static enum bst_code see_relation(void *state, const struct row *row, struct bst_error *err)
{
    struct relations *relations = state;
    struct same *same = &relations->same;
    if (strcmp(row->key, "card") == 0) return see_card(relations, row->entry, err);
    if (!same->begun || strcmp(same->key, row->key) != 0 ||
        memcmp(same->digest, row->digest, sizeof same->digest) != 0) {
        if (same->begun && end_picture(same, err) != BST_OK) return err->code;
        *same = (struct same){.sweep = same->sweep, .begun = true};
        memcpy(same->key, row->key, sizeof same->key);
        memcpy(same->digest, row->digest, sizeof same->digest);
    } else if (same->last == row->entry) {
        return BST_OK;
    }
    same->last = row->entry;
    same->count++;
    sweep_entry(&same->evidence, row->entry);
    return BST_OK;
}

static enum bst_code relations(struct bst_sweep *sweep, struct cards *cards, struct bst_error *err)
{
    struct relations seen = {.same = {.sweep = sweep}, .cards = cards};
    const struct walk along = {
        .sweep = sweep, .bind = bind_relation, .read = read_relation, .see = see_relation, .state = &seen};
    if (!sweep_wanted(sweep, SWEEP_CLAIM_PICTURE) && !sweep_wanted(sweep, SWEEP_PICTURE_NAMES) &&
        !sweep_wanted(sweep, SWEEP_MODEL_NO_CARD))
        return BST_OK;
    seen.model = sweep_prepare(sweep->ledger, "SELECT model FROM record WHERE entry = ?1", err);
    if (!seen.model) return err->code;
    enum bst_code code =
        walk(&along,
             "SELECT digest, role, entry FROM relation WHERE (digest, role, entry) > (?1, ?2, ?3) AND "
             "role IN ('pixels', 'subject', 'card') ORDER BY digest, role, entry",
             err);
    if (code == BST_OK && seen.same.begun) code = end_picture(&seen.same, err);
    sqlite3_finalize(seen.model);
    return code;
}

/* ---- models ---- */

/* All rows of one model file: who named it so, who licensed it so. */
struct model {
    char sha256[BST_SHA256_HEX], name[128];
    bool card, licence;
    uint64_t used; /* the first picture made with it; UINT64_MAX: none */
};

static void end_model(struct bst_sweep *sweep, const struct model *model)
{
    struct sweep_evidence evidence = {0};
    if (model->used == UINT64_MAX) return;
    sweep_entry(&evidence, model->used);
    sweep_digest(&evidence, model->sha256);
    if (!model->card)
        sweep_tell(sweep, SWEEP_MODEL_NO_CARD, &evidence,
                   "The ledger names no card of the model %s, with which the picture of entry %" PRIu64
                   " was the first to be made.",
                   model->name[0] ? model->name : model->sha256, model->used);
    if (!model->licence)
        sweep_tell(sweep, SWEEP_MODEL_NO_LICENCE, &evidence,
                   "Nobody states a licence of the model %s, with which the picture of entry %" PRIu64
                   " was the first to be made.",
                   model->name[0] ? model->name : model->sha256, model->used);
}

/* The table is small: it has as many rows as there are models under as many names. */
static enum bst_code models(struct bst_sweep *sweep, const struct cards *cards, struct bst_error *err)
{
    static const char sql[] =
        "SELECT id, sha256, name, licence, (SELECT r.entry FROM record r WHERE r.model = m.id AND "
        "r.kind = 'generation' ORDER BY r.entry LIMIT 1) FROM model m ORDER BY sha256, name, licence";
    struct model model = {.used = UINT64_MAX};
    sqlite3_stmt *statement = sweep_prepare(sweep->ledger, sql, err);
    int step;
    if (!statement) return err->code;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        char sha256[BST_SHA256_HEX], licence[64];
        sqlite3_int64 id = sqlite3_column_int64(statement, 0);
        sweep_column(sha256, sizeof sha256, statement, 1);
        sweep_column(licence, sizeof licence, statement, 3);
        if (strcmp(model.sha256, sha256) != 0) {
            end_model(sweep, &model);
            model = (struct model){.used = UINT64_MAX};
            memcpy(model.sha256, sha256, sizeof sha256);
            sweep_column(model.name, sizeof model.name, statement, 2);
        }
        model.licence |= licence[0] != 0;
        model.card |= id > 0 && (uint64_t)id < cards->size && cards->of_model[id];
        if (sqlite3_column_type(statement, 4) != SQLITE_NULL) {
            uint64_t used = (uint64_t)sqlite3_column_int64(statement, 4);
            if (used < model.used) model.used = used;
        }
    }
    enum bst_code code = sweep_stepped(sweep->ledger, step, err);
    sqlite3_finalize(statement);
    if (code == BST_OK) end_model(sweep, &model);
    return code;
}

static enum bst_code cards_new(struct bst_sweep *sweep, struct cards *out, struct bst_error *err)
{
    sqlite3_stmt *statement = sweep_prepare(sweep->ledger, "SELECT coalesce(max(id), 0) FROM model", err);
    if (!statement) return err->code;
    int step = sqlite3_step(statement);
    sqlite3_int64 most = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    if (step != SQLITE_ROW) return query_failed(bst_ledger_db(sweep->ledger), err);
    /* The index of a forged ledger may say anything; ours counts from 1, one for each entry at most. */
    if (most < 0 || (uint64_t)most > sweep->size) most = (sqlite3_int64)sweep->size;
    out->size = (size_t)most + 1;
    out->of_model = bst_calloc(out->size, sizeof *out->of_model);
    return out->of_model ? BST_OK : bst_fail_memory(err);
}

enum bst_code sweep_ledger(struct bst_sweep *sweep, struct bst_error *err)
{
    struct cards cards = {0};
    enum bst_code code = entries(sweep, err);
    if (code == BST_OK) code = controls(sweep, err);
    if (code == BST_OK) code = cards_new(sweep, &cards, err);
    if (code == BST_OK) code = relations(sweep, &cards, err);
    if (code == BST_OK) code = models(sweep, &cards, err);
    free(cards.of_model);
    return code;
}
