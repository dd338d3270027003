/* cmd_audit.c - blindstamp audit: the reviewer's sweep over a ledger and a folder of files. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define SHOWN     20 /* findings of one rule in the table */
#define DAY_MS    INT64_C(86400000)
#define MINUTE_MS INT64_C(60000)

static const struct cli_option options[] = {
    {"rule", 0, "RULE", "look for this alone: a rule's id, or its first word for all rules that begin so",
     true},
    {"skip", 0, "RULE", "do not look for this", true},
    {"list", 0, NULL, "list the rules", false},
    {"html", 0, "FILE", "write a page for people too, with small pictures", false},
    {"sarif", 0, "FILE", "write the findings for review tools too (SARIF 2.1.0)", false},
    {"force", 'f', NULL, "replace existing files of --html and --sarif", false},
    {"gap", 0, "DAYS", "tell when nothing was recorded for longer (default: 30)", false},
    {"slack", 0, "MINUTES", "by so much clocks may differ (default: 10)", false},
    CLI_TRUST_OPTIONS,
    {"log-key", 0, "KEY|FILE", "trust the ledger with this verifier key", true},
    {"ledger", 0, "FILE", "this ledger instead of HOME's", false},
    {"jobs", 'j', "N", "files judged at once (default: as many as processors)", false},
    {0},
};

struct audit {
    const struct cli_args *args;
    bool json;
    struct bst_sweep_options options;
    struct bst_sweep *sweep;
    struct bst_sweep_report *report; /* NULL: none is asked for */
    struct bst_sweep_summary summary;
    struct cli_sandbox sandbox;
    struct cli_progress progress;
    struct cli_table table;
    uint64_t shown[BST_SWEEP_RULES_MAX], told, files; /* files: that there are */
    struct bst_error failed;
};

/* ---- rules ---- */

static size_t rule_number(const struct bst_sweep_rule *rule)
{
    size_t n = 0;
    while (bst_sweep_rule(n) != rule)
        n++;
    return n;
}

/* "file.altered", or "file" for all that begin so. */
static bool names(const char *word, const char *id)
{
    size_t len = strlen(word);
    return strncmp(word, id, len) == 0 && (!id[len] || id[len] == '.');
}

static enum bst_code choose(const char *word, bool skip, bool chosen[static BST_SWEEP_RULES_MAX],
                            struct bst_error *err)
{
    const struct bst_sweep_rule *rule;
    const char *ids[BST_SWEEP_RULES_MAX + 1] = {0};
    bool any = false;
    for (size_t i = 0; (rule = bst_sweep_rule(i)); i++) {
        ids[i] = rule->id;
        if (!names(word, rule->id)) continue;
        any = true;
        chosen[i] = skip;
    }
    if (any) return BST_OK;
    bst_fail(err, BST_USAGE, "there is no rule \"%.60s\"", word);
    const char *meant = cli_closest(word, ids);
    return meant ? bst_hint(err, "did you mean %s?", meant)
                 : bst_hint(err, "blindstamp audit --list names them");
}

static enum bst_code choose_all(const struct cli_args *args, bool skip[static BST_SWEEP_RULES_MAX],
                                struct bst_error *err)
{
    const char *word;
    enum bst_code code = BST_OK;
    for (size_t i = 0; cli_has(args, "rule") && i < BST_SWEEP_RULES_MAX; i++)
        skip[i] = true;
    for (size_t i = 0; code == BST_OK && (word = cli_nth(args, "rule", i)); i++)
        code = choose(word, false, skip, err);
    for (size_t i = 0; code == BST_OK && (word = cli_nth(args, "skip", i)); i++)
        code = choose(word, true, skip, err);
    return code;
}

static const char *severity_word(enum bst_severity severity)
{
    static const char *const words[] = {
        [BST_NOTE] = "note", [BST_WARNING] = "warning", [BST_ERROR] = "ERROR"};
    return words[severity];
}

static enum bst_code list(const struct cli_args *args, struct bst_error *err)
{
    static const char *const heads[] = {"RULE", "SEVERITY", "EXIT", "WHAT IS FOUND"};
    const struct bst_sweep_rule *rule;
    struct cli_table table;
    json_t *all = json_array();
    if (!cli_has(args, "json")) cli_table_begin(&table, 4, heads);
    for (size_t i = 0; (rule = bst_sweep_rule(i)); i++) {
        char code[8];
        snprintf(code, sizeof code, "%d", rule->code);
        if (cli_has(args, "json"))
            json_array_append_new(
                all, json_pack("{s:s, s:s, s:i, s:s, s:s}", "rule", rule->id, "severity",
                               rule->severity == BST_ERROR ? "error" : severity_word(rule->severity), "code",
                               rule->code, "summary", rule->summary, "fix", rule->fix));
        else
            cli_table_row(&table,
                          (const char *[]){rule->id, severity_word(rule->severity), code, rule->summary});
    }
    enum bst_code code = cli_has(args, "json") ? cli_json(all, true, err) : cli_table_end(&table, err);
    json_decref(all);
    return code;
}

/* ---- findings, as they come ---- */

static void row(struct audit *audit, const struct bst_sweep_finding *finding)
{
    char entry[24] = "-";
    char *rule = finding->detail ? bst_format("%s/%s", finding->rule->id, finding->detail)
                                 : bst_strdup(finding->rule->id);
    if (finding->entry_count) snprintf(entry, sizeof entry, "%llu", (unsigned long long)finding->entries[0]);
    cli_progress_clear(&audit->progress);
    cli_table_row(&audit->table,
                  (const char *[]){severity_word(finding->severity), rule ? rule : finding->rule->id, entry,
                                   finding->file_count ? finding->files[0] : "-", finding->words});
    free(rule);
}

static bool found(void *arg, const struct bst_sweep_finding *finding)
{
    struct audit *audit = arg;
    json_t *object = NULL;
    if (audit->report && !bst_sweep_report_add(audit->report, finding)) {
        bst_fail_memory(&audit->failed);
        return false;
    }
    if (!audit->json) {
        if (audit->shown[rule_number(finding->rule)]++ < SHOWN) row(audit, finding);
        return true;
    }
    if (bst_sweep_finding_json(finding, &object, &audit->failed) != BST_OK) return false;
    fputs(audit->told++ ? ",\n" : "\n", stdout);
    json_dumpf(object, stdout, JSON_COMPACT);
    json_decref(object);
    return !ferror(stdout);
}

static bool step(void *arg, uint64_t done, uint64_t total)
{
    struct audit *audit = arg;
    return total > 1 ? cli_progress_step(&audit->progress, done, total) : !cli_interrupted();
}

/* ---- files ---- */

static bool count(void *arg, const char *path)
{
    struct audit *audit = arg;
    (void)path;
    audit->files++;
    return !cli_interrupted();
}

static bool take(void *arg, const char *path)
{
    struct audit *audit = arg;
    if (bst_sweep_file(audit->sweep, path, &audit->failed) != BST_OK) return false;
    audit->summary.files++;
    return cli_progress_step(&audit->progress, audit->summary.files, audit->files);
}

static enum bst_code walk_all(struct audit *audit, cli_file_fn each, struct bst_error *err)
{
    enum bst_code code = BST_OK;
    for (size_t i = 0; code == BST_OK && i < audit->args->operand_count; i++) {
        code = cli_walk(audit->args->operands[i], CLI_ALL_PICTURES, each, audit, err);
        if (code == BST_OK && audit->failed.what[0]) {
            *err = audit->failed;
            code = err->code;
        }
    }
    if (code == BST_OK && cli_interrupted()) code = bst_fail(err, BST_FAILURE, "interrupted");
    return code;
}

/* A sweep that looked at nothing must not read like one that found nothing. */
static enum bst_code take_all(struct audit *audit, struct bst_error *err)
{
    enum bst_code code = walk_all(audit, count, err);
    if (code == BST_OK && audit->args->operand_count && !audit->files)
        return bst_fail(err, BST_USAGE, "there is no picture in %s", audit->args->operands[0]);
    cli_progress_begin(&audit->progress, "files", audit->args);
    if (code == BST_OK) code = walk_all(audit, take, err);
    cli_progress_clear(&audit->progress);
    return code;
}

/* ---- the answer ---- */

static json_t *summary_json(const struct audit *audit, bool whole)
{
    const struct bst_sweep_summary *s = &audit->summary;
    const struct bst_sweep_rule *rule;
    json_t *rules = json_object();
    for (size_t i = 0; (rule = bst_sweep_rule(i)); i++)
        if (s->count[i]) json_object_set_new(rules, rule->id, json_integer((json_int_t)s->count[i]));
    return json_pack(
        "{s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:i, s:o}", "ledger", cli_json_text(audit->options.ledger),
        "complete", whole, "entries", (json_int_t)s->entries, "files", (json_int_t)s->files, "errors",
        (json_int_t)s->by_severity[BST_ERROR], "warnings", (json_int_t)s->by_severity[BST_WARNING], "notes",
        (json_int_t)s->by_severity[BST_NOTE], "code", s->code, "rules", rules);
}

static void print_json_end(const struct audit *audit, bool whole)
{
    json_t *summary = summary_json(audit, whole);
    fputs(audit->told ? "\n],\n\"summary\":" : "],\n\"summary\":", stdout);
    json_dumpf(summary, stdout, JSON_COMPACT);
    fputs("}\n", stdout);
    json_decref(summary);
}

static void print_advice(const struct audit *audit)
{
    const struct bst_sweep_rule *rule;
    for (size_t i = 0; (rule = bst_sweep_rule(i)); i++) {
        uint64_t n = audit->summary.count[i];
        if (!n) continue;
        printf("\n%s%s%s, %llu finding%s", cli_colour(stdout, CLI_BOLD), rule->id,
               cli_colour(stdout, CLI_PLAIN), (unsigned long long)n, n == 1 ? "" : "s");
        if (n > SHOWN) printf(" (%d shown; --json lists all)", SHOWN);
        printf(": %s.\n  %s\n", rule->summary, rule->fix);
    }
}

static void print_summary(const struct audit *audit)
{
    const struct bst_sweep_summary *s = &audit->summary;
    uint64_t errors = s->by_severity[BST_ERROR], warnings = s->by_severity[BST_WARNING],
             notes = s->by_severity[BST_NOTE];
    enum cli_colour colour = errors ? CLI_BAD : warnings ? CLI_DOUBT : CLI_GOOD;
    printf("%llu entries, %llu files: ", (unsigned long long)s->entries, (unsigned long long)s->files);
    if (errors + warnings + notes)
        printf("%s%llu error%s, %llu warning%s, %llu note%s%s\n", cli_colour(stdout, colour),
               (unsigned long long)errors, errors == 1 ? "" : "s", (unsigned long long)warnings,
               warnings == 1 ? "" : "s", (unsigned long long)notes, notes == 1 ? "" : "s",
               cli_colour(stdout, CLI_PLAIN));
    else
        printf("%snothing found%s\n", cli_colour(stdout, CLI_GOOD), cli_colour(stdout, CLI_PLAIN));
}

static enum bst_code write_report(const struct audit *audit, const char *option, struct bst_error *err)
{
    struct bst_buf text = {0};
    const char *path = cli_value(audit->args, option);
    if (!path) return BST_OK;
    enum bst_code code =
        strcmp(option, "html") == 0
            ? bst_sweep_html(audit->report, &audit->summary, audit->options.ledger, &text, err)
            : bst_sweep_sarif(audit->report, &audit->summary, audit->options.ledger, &text, err);
    if (code == BST_OK)
        code = bst_file_write(path, text.data, text.len,
                              cli_has(audit->args, "force") ? BST_WRITE_REPLACE : 0, err);
    bst_buf_free(&text);
    return code;
}

static enum bst_code sweep(struct audit *audit, struct bst_error *err)
{
    static const char *const heads[] = {"SEVERITY", "RULE", "ENTRY", "FILE", "FINDING"};
    enum bst_code code = bst_sweep_open(&audit->options, &audit->sweep, err);
    if (code != BST_OK) return code;
    if (audit->json)
        fputs("{\"findings\":[", stdout);
    else
        cli_table_begin(&audit->table, 5, heads);
    code = take_all(audit, err);
    cli_progress_begin(&audit->progress, "ledger", audit->args);
    if (code == BST_OK) code = bst_sweep_finish(audit->sweep, &audit->summary, err);
    cli_progress_clear(&audit->progress);
    if (code != BST_OK && audit->failed.what[0]) *err = audit->failed;
    bool any = audit->summary.by_severity[BST_ERROR] || audit->summary.by_severity[BST_WARNING] ||
               audit->summary.by_severity[BST_NOTE];
    if (audit->json)
        print_json_end(audit, code == BST_OK);
    else if (code == BST_OK && any)
        code = cli_table_end(&audit->table, err);
    else
        cli_table_drop(&audit->table);
    if (code == BST_OK && !audit->json && any && !cli_has(audit->args, "quiet")) {
        print_advice(audit);
        fputc('\n', stdout);
    }
    if (code == BST_OK && !audit->json) print_summary(audit);
    if (code == BST_OK) code = write_report(audit, "html", err);
    if (code == BST_OK) code = write_report(audit, "sarif", err);
    return code == BST_OK ? audit->summary.code : code;
}

/* ---- what it needs ---- */

static enum bst_code shut_in(struct audit *audit, const char *home, struct bst_error *err)
{
    const char *path;
    cli_sandbox_read_judged(&audit->sandbox, audit->args, home);
    if ((path = cli_value(audit->args, "html"))) cli_sandbox_write_at(&audit->sandbox, path);
    if ((path = cli_value(audit->args, "sarif"))) cli_sandbox_write_at(&audit->sandbox, path);
    return cli_sandbox_enter(&audit->sandbox, false, err);
}

static enum bst_code check_reports(const struct cli_args *args, struct bst_error *err)
{
    static const char *const names_of[] = {"html", "sarif"};
    for (size_t i = 0; i < sizeof names_of / sizeof *names_of; i++) {
        const char *path = cli_value(args, names_of[i]);
        if (!path || !bst_file_exists(path) || cli_has(args, "force")) continue;
        bst_fail(err, BST_USAGE, "%s is there already", path);
        return bst_hint(err, "--force replaces it");
    }
    return BST_OK;
}

static enum bst_code read_options(struct audit *audit, const char *home, struct bst_error *err)
{
    const struct cli_args *args = audit->args;
    struct bst_sweep_options *o = &audit->options;
    uint64_t gap = 30, slack = 10, jobs = 0;
    enum bst_code code = choose_all(args, o->skip, err);
    if (code == BST_OK) code = cli_number(args, "gap", 1, 100000, &gap, err);
    if (code == BST_OK) code = cli_number(args, "slack", 0, 1000000, &slack, err);
    if (code == BST_OK) code = cli_number(args, "jobs", 1, 256, &jobs, err);
    if (code == BST_OK) code = check_reports(args, err);
    o->gap_ms = (int64_t)gap * DAY_MS;
    o->slack_ms = (int64_t)slack * MINUTE_MS;
    o->threads = (unsigned)jobs;
    o->progress = step;
    o->found = found;
    o->progress_arg = o->found_arg = audit;
    o->verify = (struct bst_verify_options){.home = home, .ledger = cli_value(args, "ledger")};
    return code;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    struct audit audit = {.args = args, .json = cli_has(args, "json")};
    struct bst_trust *trust = NULL;
    char *home = NULL, *ledger = NULL;
    if (cli_has(args, "list")) return list(args, err);
    enum bst_code code = cli_ledger_path(args, &ledger, err);
    if (code == BST_OK) code = cli_home(args, false, &home, err);
    if (code == BST_OK) code = read_options(&audit, home, err);
    audit.options.ledger = ledger;
    if (code == BST_OK) code = shut_in(&audit, home, err);
    if (code == BST_OK) code = cli_trust_load(args, home, &trust, err);
    if (code == BST_OK && (cli_value(args, "html") || cli_value(args, "sarif")) &&
        !(audit.report = bst_sweep_report_new()))
        code = bst_fail_memory(err);
    if (code == BST_OK) {
        audit.options.verify.trust = trust;
        audit.options.verify.log_keys = bst_trust_log_keys(trust, &audit.options.verify.log_key_count);
        cli_interrupt_catch();
        code = sweep(&audit, err);
    }
    bst_sweep_close(audit.sweep);
    bst_sweep_report_free(audit.report);
    cli_sandbox_clear(&audit.sandbox);
    bst_trust_free(trust);
    free(ledger);
    free(home);
    return code;
}

const struct cli_command cmd_audit = {
    .name = "audit",
    .summary = "hold a ledger and a folder of files against the rules of a review",
    .usage = "audit [FOLDER|FILE...] [--rule RULE] [--skip RULE] [--html FILE] [--sarif FILE]\naudit --list",
    .details =
        "Judges each file as \"blindstamp verify\" does, looks it up by bytes and by pixels, and the ledger "
        "itself:\n"
        "files without entry and entries without file, altered and withdrawn pictures, claims by several "
        "authors,\n"
        "times that cannot be, models without card or licence, training pictures that forbid it, and all "
        "that\n"
        "\"ledger verify\" finds. Without a folder the ledger alone is looked at. Each finding names its "
        "rule, the\n"
        "evidence and what to do.\n\n"
        "Exit codes: 0 nothing but notes, 2 something of unknown origin or licence, 3 altered or broken,\n"
        "4 unreadable, 6 something that is not to be believed or not to be used. The worst finding counts.",
    .options = options,
    .examples =
        "blindstamp audit pictures/\nblindstamp audit pictures/ --html audit.html --sarif audit.sarif\n"
        "blindstamp audit --rule training --rule model",
    .least = 0,
    .most = SIZE_MAX,
    .writes = true,
    .run = run,
};
