/* sweep.c - the reviewer's sweep: opens what it needs, takes in files, then looks at the ledger, and tells each finding.
 * Nothing is locked while a finding is told: whoever reads them may take his time, and others may write. */
#include "sweep.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query.h"

/* ---- findings ---- */

void sweep_entry(struct sweep_evidence *evidence, uint64_t entry)
{
    if (evidence->entry_count < SWEEP_EVIDENCE) evidence->entries[evidence->entry_count++] = entry;
}

void sweep_named_file(struct sweep_evidence *evidence, const char *path)
{
    if (evidence->file_count < SWEEP_EVIDENCE) evidence->files[evidence->file_count++] = path;
}

void sweep_digest(struct sweep_evidence *evidence, const char *hex)
{
    if (*hex && evidence->digest_count < SWEEP_EVIDENCE) evidence->digests[evidence->digest_count++] = hex;
}

bool sweep_wanted(const struct bst_sweep *sweep, enum sweep_rule rule)
{
    return !sweep->options->skip[rule];
}

static void hand_on(struct bst_sweep *sweep, enum sweep_rule rule, const struct bst_sweep_finding *finding)
{
    struct bst_sweep_summary *summary = &sweep->summary;
    summary->count[rule]++;
    summary->by_severity[finding->severity]++;
    if (finding->code != BST_OK) summary->code = bst_verdict_worse(summary->code, finding->code);
    if (!sweep->stopped && !sweep->options->found(sweep->options->found_arg, finding)) sweep->stopped = true;
}

void sweep_tell(struct bst_sweep *sweep, enum sweep_rule rule, const struct sweep_evidence *evidence,
                const char *format, ...)
{
    char words[1024];
    if (!sweep_wanted(sweep, rule)) return;
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    const struct bst_sweep_rule *about = bst_sweep_rule(rule);
    hand_on(sweep, rule,
            &(struct bst_sweep_finding){.rule = about,
                                        .severity = about->severity,
                                        .code = about->code,
                                        .words = words,
                                        .entry_count = evidence->entry_count,
                                        .entries = evidence->entries,
                                        .file_count = evidence->file_count,
                                        .files = evidence->files,
                                        .digest_count = evidence->digest_count,
                                        .digests = evidence->digests});
}

enum bst_code sweep_step(struct bst_sweep *sweep, uint64_t done, uint64_t total, struct bst_error *err)
{
    bst_progress progress = sweep->options->progress;
    if (!sweep->stopped && (!progress || progress(sweep->options->progress_arg, done, total))) return BST_OK;
    return bst_fail(err, BST_FAILURE, "interrupted");
}

/* ---- the ledger, looked at ---- */

sqlite3_stmt *sweep_prepare(struct bst_ledger *ledger, const char *sql, struct bst_error *err)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(bst_ledger_db(ledger), sql, -1, &statement, NULL) == SQLITE_OK) return statement;
    query_failed(bst_ledger_db(ledger), err);
    return NULL;
}

enum bst_code sweep_stepped(struct bst_ledger *ledger, int step, struct bst_error *err)
{
    return step == SQLITE_ROW || step == SQLITE_DONE ? BST_OK : query_failed(bst_ledger_db(ledger), err);
}

void sweep_column(char *to, size_t size, sqlite3_stmt *statement, int at)
{
    const unsigned char *text = sqlite3_column_text(statement, at);
    snprintf(to, size, "%s", text ? (const char *)text : "");
}

const char *sweep_person(const struct bst_sweep *sweep, const char *key_id)
{
    const struct bst_keys *keys = &sweep->keys;
    for (size_t steps = 0; steps < keys->count; steps++) { /* keys that name each other in a ring end it */
        size_t i = 0;
        while (i < keys->count && strcmp(keys->item[i].successor, key_id) != 0)
            i++;
        if (i == keys->count) break;
        key_id = keys->item[i].key_id;
    }
    return key_id;
}

enum bst_code sweep_record(struct bst_ledger *ledger, uint64_t entry, struct sweep_record *out,
                           struct bst_error *err)
{
    sqlite3_stmt *statement =
        sweep_prepare(ledger,
                      "SELECT r.kind, a.key_id, a.name, r.file_name, r.pixels_sha256, r.sha256 FROM record r "
                      "JOIN author a ON a.id = r.author WHERE r.entry = ?1",
                      err);
    if (!statement) return err->code;
    *out = (struct sweep_record){0};
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)entry);
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW) {
        sweep_column(out->kind, sizeof out->kind, statement, 0);
        sweep_column(out->key_id, sizeof out->key_id, statement, 1);
        sweep_column(out->author, sizeof out->author, statement, 2);
        sweep_column(out->file_name, sizeof out->file_name, statement, 3);
        sweep_column(out->pixels, sizeof out->pixels, statement, 4);
        sweep_column(out->sha256, sizeof out->sha256, statement, 5);
    }
    enum bst_code code = sweep_stepped(ledger, step, err);
    sqlite3_finalize(statement);
    return code;
}

/* ---- the whole ---- */

enum bst_code bst_sweep_open(const struct bst_sweep_options *options, struct bst_sweep **out,
                             struct bst_error *err)
{
    struct bst_sweep *sweep = bst_calloc(1, sizeof *sweep);
    if (!sweep) return bst_fail_memory(err);
    sweep->options = options;
    enum bst_code code = bst_ledger_open(options->ledger, BST_LEDGER_READ, &sweep->ledger, err);
    if (code == BST_OK) code = bst_ledger_current(sweep->ledger, err);
    if (code == BST_OK) code = bst_ledger_keys(sweep->ledger, &sweep->keys, err);
    if (code == BST_OK) {
        sweep->size = sweep->summary.entries = bst_ledger_size(sweep->ledger);
        sweep->found = bst_calloc((size_t)(sweep->size / 8) + 1, 1);
        code = sweep->found ? sweep_files_open(sweep, err) : bst_fail_memory(err);
    }
    if (code == BST_OK)
        *out = sweep;
    else
        bst_sweep_close(sweep);
    return code;
}

void bst_sweep_close(struct bst_sweep *sweep)
{
    if (!sweep) return;
    sweep_files_close(sweep);
    bst_keys_clear(&sweep->keys);
    bst_ledger_close(sweep->ledger);
    free(sweep->found);
    free(sweep);
}

enum bst_code bst_sweep_file(struct bst_sweep *sweep, const char *path, struct bst_error *err)
{
    sweep->summary.files++;
    return sweep_files_take(sweep, path, err);
}

/* Each finding of the ledger's own check is one of the rule "ledger". */
static void ledger_finding(void *arg, const struct bst_finding *finding)
{
    struct bst_sweep *sweep = arg;
    const uint64_t entry = (uint64_t)finding->index;
    bool broken = finding->code == BST_BROKEN;
    hand_on(sweep, SWEEP_LEDGER,
            &(struct bst_sweep_finding){.rule = bst_sweep_rule(SWEEP_LEDGER),
                                        .detail = finding->rule,
                                        .severity = broken ? BST_ERROR : BST_WARNING,
                                        .code = finding->code,
                                        .words = finding->words,
                                        .entry_count = finding->index >= 0,
                                        .entries = &entry});
}

/* Home's own ledger must be that of home's identity; any other must not have the name of a known log with another key. */
static enum bst_code check_log(struct bst_sweep *sweep, struct bst_error *err)
{
    const struct bst_verify_options *known = &sweep->options->verify;
    struct bst_identity identity = {0};
    char *path = known->home ? bst_path_join(known->home, "ledger.sqlite") : NULL;
    if (known->home && !path) return bst_fail_memory(err);
    bool own = path && strcmp(path, sweep->options->ledger) == 0;
    free(path);
    enum bst_code code = own ? bst_identity_load(known->home, &identity, err) : BST_OK;
    if (code != BST_OK) return code;
    code = own ? bst_ledger_is(sweep->ledger, &identity, NULL, 0, err)
               : bst_ledger_is(sweep->ledger, NULL, known->log_keys, known->log_key_count, err);
    bst_identity_clear(&identity);
    if (code == BST_BROKEN || (own && code == BST_UNTRUSTED))
        ledger_finding(sweep, &(struct bst_finding){
                                  .code = BST_BROKEN, .index = -1, .rule = "log.key", .words = err->what});
    if (code != BST_BROKEN && code != BST_UNTRUSTED) return code;
    *err = (struct bst_error){0};
    return BST_OK;
}

static bool check_step(void *arg, uint64_t done, uint64_t total)
{
    struct bst_error ignored;
    return sweep_step(arg, done, total, &ignored) == BST_OK;
}

static enum bst_code check(struct bst_sweep *sweep, struct bst_error *err)
{
    if (!sweep_wanted(sweep, SWEEP_LEDGER)) return BST_OK;
    enum bst_code code = check_log(sweep, err);
    if (code != BST_OK) return code;
    code = bst_ledger_check(sweep->ledger, ledger_finding, sweep, check_step, sweep, err);
    if (code != BST_BROKEN && code != BST_UNTRUSTED) return code;
    *err = (struct bst_error){0}; /* told above, one by one */
    return BST_OK;
}

enum bst_code bst_sweep_finish(struct bst_sweep *sweep, struct bst_sweep_summary *out, struct bst_error *err)
{
    enum bst_code code = sweep_files_flush(sweep, err);
    if (code == BST_OK) code = check(sweep, err);
    if (code == BST_OK) code = sweep_ledger(sweep, err);
    if (code == BST_OK) code = sweep_training(sweep, err);
    *out = sweep->summary;
    return code;
}

static json_t *texts(const char *const *items, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        char *safe = bst_printable(items[i], strlen(items[i]));
        json_array_append_new(list, safe ? json_string(safe) : NULL);
        free(safe);
    }
    return list;
}

enum bst_code bst_sweep_finding_json(const struct bst_sweep_finding *finding, json_t **out,
                                     struct bst_error *err)
{
    json_t *entries = json_array();
    char *words = bst_printable(finding->words, strlen(finding->words));
    for (size_t i = 0; i < finding->entry_count; i++)
        json_array_append_new(entries, json_integer((json_int_t)finding->entries[i]));
    *out = json_pack("{s:s, s:s?, s:s, s:i, s:s?, s:s, s:o, s:o, s:o}", "rule", finding->rule->id, "detail",
                     finding->detail, "severity", sweep_severity(finding->severity), "code", finding->code,
                     "words", words, "fix", finding->rule->fix, "entries", entries, "files",
                     texts(finding->files, finding->file_count), "digests",
                     texts(finding->digests, finding->digest_count));
    free(words);
    return *out ? BST_OK : bst_fail_memory(err);
}
