/* cmd_ledger.c - blindstamp ledger: its verbs; its state and the checks of it. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "ledger_verbs.h"

#define CHECKPOINT_MAX 65536
#define FINDINGS_SHOWN 50

static const struct cli_option options[] = {
    {"ledger", 0, "FILE", "this ledger instead of HOME's", false},
    {"log-key", 0, "KEY|FILE", "verify: the ledger must be signed with this key", true},
    {"checkpoint", 0, "FILE", "verify: the ledger must still hold this checkpoint, kept from earlier", true},
    {"tiles", 0, NULL, "export: as tiles for a web server, and only those that the folder lacks", false},
    {"why", 0, "WORDS", "recover: what happened, for the entry that says so", false},
    CLI_PASSPHRASE_OPTION,
    {0},
};

/* ---- status ---- */

/* How many entries there are of each kind that there is any of: {"identity": 1, "generation": 9}. */
static enum bst_code count_kinds(struct bst_ledger *ledger, json_t **out, struct bst_error *err)
{
    json_t *kinds = json_object();
    enum bst_code code = kinds ? BST_OK : bst_fail_memory(err);
    const char *kind;
    for (size_t i = 0; code == BST_OK && (kind = bst_kind_name(i)); i++) {
        const struct bst_query query = {.kind = kind};
        uint64_t count = 0;
        code = bst_query_count(ledger, &query, &count, err);
        if (count > 0) json_object_set_new(kinds, kind, json_integer((json_int_t)count));
    }
    if (code == BST_OK) {
        *out = kinds;
    } else {
        json_decref(kinds);
    }
    return code;
}

static enum bst_code print_status(struct bst_ledger *ledger, const char *path, uint64_t size,
                                  const char *vkey, const char *note, const json_t *kinds)
{
    char bytes[24];
    const char *kind, *between = ": ";
    json_t *count;
    cli_bytes(size, bytes);
    printf("ledger   %s (%s)\nlog      ", path, bytes);
    cli_text(stdout, bst_ledger_origin(ledger));
    printf("\nkey      %s\nentries  %llu", vkey, (unsigned long long)bst_ledger_size(ledger));
    json_object_foreach((json_t *)(uintptr_t)kinds, kind, count)
    {
        printf("%s%lld %s", between, (long long)json_integer_value(count), kind);
        between = ", ";
    }
    printf("\n\n%s", note);
    return BST_OK;
}

static enum bst_code status(const struct cli_args *args, struct bst_ledger *ledger, const char *path,
                            struct bst_error *err)
{
    char *note = NULL, *vkey = NULL;
    json_t *kinds = NULL;
    struct stat st = {0};
    stat(path, &st);
    enum bst_code code = bst_ledger_checkpoint(ledger, &note, err);
    if (code == BST_OK) code = bst_vkey_text(bst_ledger_origin(ledger), bst_ledger_key(ledger), &vkey, err);
    if (code == BST_OK) code = count_kinds(ledger, &kinds, err);
    if (code == BST_OK && cli_has(args, "json")) {
        code = cli_json_take(json_pack("{s:o, s:s, s:s, s:I, s:I, s:O, s:s}", "file", cli_json_text(path),
                                       "log", bst_ledger_origin(ledger), "log_key", vkey, "entries",
                                       (json_int_t)bst_ledger_size(ledger), "bytes", (json_int_t)st.st_size,
                                       "kinds", kinds, "checkpoint", note),
                             true, err);
    } else if (code == BST_OK) {
        code = print_status(ledger, path, (uint64_t)st.st_size, vkey, note, kinds);
    }
    json_decref(kinds);
    free(vkey);
    free(note);
    return code;
}

/* ---- verify ---- */

struct findings {
    json_t *array;
    bool json;
    size_t count;
    bool broken; /* one of them says so */
    struct cli_progress progress;
};

static void finding(void *arg, const struct bst_finding *f)
{
    struct findings *findings = arg;
    findings->count++;
    findings->broken |= f->code == BST_BROKEN;
    if (findings->json) {
        json_array_append_new(findings->array, json_pack("{s:i, s:o, s:s, s:o}", "code", f->code, "entry",
                                                         f->index >= 0 ? json_integer(f->index) : json_null(),
                                                         "rule", f->rule, "words", cli_json_text(f->words)));
        return;
    }
    if (findings->count > FINDINGS_SHOWN) return;
    cli_progress_clear(&findings->progress);
    bool broken = f->code == BST_BROKEN;
    printf("%s%-10s%s ", cli_colour(stdout, broken ? CLI_BAD : CLI_DOUBT), broken ? "BROKEN" : "UNTRUSTED",
           cli_colour(stdout, CLI_PLAIN));
    if (f->index >= 0) printf("entry %lld: ", (long long)f->index);
    cli_text(stdout, f->words);
    printf(" (%s)\n", f->rule);
}

static void finding_of(struct findings *findings, const char *rule, const struct bst_error *err)
{
    char words[800];
    snprintf(words, sizeof words, "%s%s%s", err->what, err->where[0] ? ": " : "", err->where);
    finding(findings, &(struct bst_finding){.code = BST_BROKEN, .index = -1, .rule = rule, .words = words});
}

/* The key in the ledger proves nothing by itself: it must be one that was known before. */
static enum bst_code check_key(const struct cli_args *args, struct bst_ledger *ledger,
                               struct findings *findings, bool *known, struct bst_error *err)
{
    struct bst_trust *trust = NULL;
    struct bst_identity identity = {0};
    char *home = NULL;
    size_t count = 0;
    bool own = !cli_value(args, "ledger");
    enum bst_code code = cli_home(args, false, &home, err);
    if (code == BST_OK && own) code = bst_identity_load(home, &identity, err);
    if (code == BST_OK) code = cli_trust_load(args, NULL, &trust, err);
    const char *const *log_keys = code == BST_OK ? bst_trust_log_keys(trust, &count) : NULL;
    *known = own || count > 0;
    if (code == BST_OK && *known) {
        code = bst_ledger_is(ledger, own ? &identity : NULL, log_keys, count, err);
        if (code == BST_BROKEN || code == BST_UNTRUSTED) {
            finding_of(findings, "log.key", err);
            *err = (struct bst_error){0};
            code = BST_OK;
        }
    }
    bst_trust_free(trust);
    bst_identity_clear(&identity);
    free(home);
    return code;
}

static enum bst_code check_checkpoints(const struct cli_args *args, struct bst_ledger *ledger,
                                       struct findings *findings, struct bst_error *err)
{
    const char *path;
    for (size_t i = 0; (path = cli_nth(args, "checkpoint", i)); i++) {
        struct bst_buf note = {0};
        enum bst_code code = bst_file_read(path, CHECKPOINT_MAX, &note, err);
        if (code != BST_OK) return code;
        struct bst_error broken = {0};
        /* A note ends in one newline; copying it often adds another. */
        while (note.len > 1 && note.data[note.len - 1] == '\n' && note.data[note.len - 2] == '\n')
            note.len--;
        code = bst_ledger_holds(ledger, (const char *)note.data, note.len, &broken);
        bst_buf_free(&note);
        if (code == BST_BROKEN) {
            bst_where(&broken, "%s", path);
            finding_of(findings, "checkpoint.kept", &broken);
        } else if (code != BST_OK) {
            *err = broken;
            return code;
        }
    }
    return BST_OK;
}

static enum bst_code report(struct findings *findings, struct bst_ledger *ledger, const char *path,
                            bool known, enum bst_code code, struct bst_error *err)
{
    uint64_t size = bst_ledger_size(ledger);
    if (findings->json) {
        enum bst_code printed = cli_json_take(
            json_pack("{s:o, s:I, s:i, s:b, s:O}", "file", cli_json_text(path), "entries", (json_int_t)size,
                      "code", code, "key_known", known, "findings", findings->array),
            true, err);
        return printed == BST_OK ? code : printed;
    }
    if (findings->count > FINDINGS_SHOWN)
        printf("... and %zu more findings (--json lists all)\n", findings->count - FINDINGS_SHOWN);
    if (code == BST_OK) {
        printf("%sintact%s: %llu entries, every hash, signature and checkpoint recomputed\n",
               cli_colour(stdout, CLI_GOOD), cli_colour(stdout, CLI_PLAIN), (unsigned long long)size);
        if (!known)
            printf("The key was taken from the ledger itself; --log-key says which one it must be.\n");
    } else if (code == BST_UNTRUSTED) {
        printf("%swhole%s, but not all to be believed: %zu of %llu entries are by keys not in force\n",
               cli_colour(stdout, CLI_DOUBT), cli_colour(stdout, CLI_PLAIN), findings->count,
               (unsigned long long)size);
    } else {
        printf("%sBROKEN%s: %zu finding%s in %llu entries\n", cli_colour(stdout, CLI_BAD),
               cli_colour(stdout, CLI_PLAIN), findings->count, findings->count == 1 ? "" : "s",
               (unsigned long long)size);
    }
    return code;
}

static enum bst_code verify(const struct cli_args *args, struct bst_ledger *ledger, const char *path,
                            struct bst_error *err)
{
    struct findings findings = {.json = cli_has(args, "json"), .array = json_array()};
    bool known = false;
    cli_interrupt_catch();
    cli_progress_begin(&findings.progress, "checking", args);
    enum bst_code code = check_key(args, ledger, &findings, &known, err);
    if (code == BST_OK) {
        code = bst_ledger_check(ledger, finding, &findings, cli_progress_step, &findings.progress, err);
        cli_progress_clear(&findings.progress);
        /* Findings are an answer, not a failure of the check. */
        if (code == BST_BROKEN || code == BST_UNTRUSTED) *err = (struct bst_error){0};
    }
    if (code == BST_OK || code == BST_BROKEN || code == BST_UNTRUSTED) {
        enum bst_code kept = check_checkpoints(args, ledger, &findings, err);
        if (kept != BST_OK) code = kept;
    }
    if ((code == BST_OK || code == BST_UNTRUSTED) && findings.broken) code = BST_BROKEN;
    if (!err->what[0]) code = report(&findings, ledger, path, known, code, err);
    json_decref(findings.array);
    return code;
}

/* ---- check ---- */

static enum bst_code check(const struct cli_args *args, struct bst_ledger *ledger, const char *path,
                           struct bst_error *err)
{
    struct findings findings = {.json = cli_has(args, "json"), .array = json_array()};
    enum bst_code code = bst_ledger_check_quick(ledger, finding, &findings, err);
    uint64_t size = bst_ledger_size(ledger);
    if (code == BST_OK || code == BST_BROKEN) {
        *err = (struct bst_error){0};
        if (findings.json) {
            enum bst_code printed =
                cli_json_take(json_pack("{s:o, s:I, s:i, s:O}", "file", cli_json_text(path), "entries",
                                        (json_int_t)size, "code", code, "findings", findings.array),
                              true, err);
            if (printed != BST_OK) code = printed;
        } else if (code == BST_OK) {
            printf("%ssound%s: pages, tables and the newest checkpoint of %llu entries\n"
                   "blindstamp ledger verify recomputes every entry.\n",
                   cli_colour(stdout, CLI_GOOD), cli_colour(stdout, CLI_PLAIN), (unsigned long long)size);
        }
    }
    json_decref(findings.array);
    return code;
}

/* ---- verbs ---- */

static const struct {
    const char *name;
    const char *operand; /* what must stand behind it, or NULL */
    /* One of: reads the ledger; or works on the file by its path. */
    enum bst_code (*read)(const struct cli_args *args, struct bst_ledger *ledger, const char *path,
                          struct bst_error *err);
    enum bst_code (*write)(const struct cli_args *args, const char *path, struct bst_error *err);
} verbs[] = {
    {"status", NULL, status, NULL},
    {"verify", NULL, verify, NULL},
    {"check", NULL, check, NULL},
    {"export", "a folder to write to", ledger_export, NULL},
    {"backup", "a file to write to", ledger_backup, NULL},
    {"recover", NULL, NULL, ledger_recover},
    {"reindex", NULL, NULL, ledger_reindex},
    {"migrate", NULL, NULL, ledger_migrate},
    {"add", "a file of signed statements", NULL, ledger_add},
};
#define VERBS (sizeof verbs / sizeof *verbs)

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    const char *names[VERBS + 1] = {0};
    for (size_t i = 0; i < VERBS; i++)
        names[i] = verbs[i].name;
    size_t v;
    if (cli_verb(args, names, &v, err) != BST_OK) return err->code;
    if (!verbs[v].operand && args->operand_count > 1)
        return bst_fail(err, BST_USAGE, "ledger %s does not know what to do with \"%s\"", names[v],
                        args->operands[1]);
    if (verbs[v].operand && args->operand_count < 2)
        return bst_fail(err, BST_USAGE, "ledger %s needs %s", names[v], verbs[v].operand);
    struct bst_ledger *ledger = NULL;
    char *path = NULL;
    enum bst_code code = cli_ledger_path(args, &path, err);
    if (code == BST_OK && verbs[v].read) code = bst_ledger_open(path, BST_LEDGER_READ, &ledger, err);
    if (code == BST_OK)
        code = verbs[v].read ? verbs[v].read(args, ledger, path, err) : verbs[v].write(args, path, err);
    bst_ledger_close(ledger);
    free(path);
    return code;
}

const struct cli_command cmd_ledger = {
    .name = "ledger",
    .summary =
        "show the ledger's state, check it, export it, copy it, go on after a loss, make its index anew",
    .usage =
        "ledger status\nledger verify [--checkpoint FILE] [--log-key KEY]\nledger check\n"
        "ledger export [--tiles] FOLDER\nledger backup FILE\nledger recover [--why WORDS]\nledger reindex\n"
        "ledger migrate\nledger add FILE",
    .details =
        "verify recomputes every hash, signature, checkpoint and index and names what was changed, deleted,\n"
        "inserted or reordered (exit code 3). A ledger that was cut back to an earlier state is whole in\n"
        "itself: keep a checkpoint elsewhere (status prints it, export writes it) and give it with\n"
        "--checkpoint. check is quick and looks for what accidents do: a damaged file, tables that are not\n"
        "ours, an old copy put back.\n"
        "export --tiles FOLDER writes the ledger as other transparency logs are served (tlog-tiles), for\n"
        "any web server; run again, it adds what is new. backup copies the ledger while others write; put\n"
        "back in its place later it is an old copy, on which nothing is signed any more. recover goes on\n"
        "with it when nothing newer is left: under another name of the log, so that nothing ever "
        "contradicts\n"
        "what was signed and lost, and with an entry that says so.\n"
        "reindex makes everything that is derived from the entries anew. migrate does the same for a ledger\n"
        "of an older version; so does the first command that writes to it. add takes in statements that\n"
        "other, admitted authors signed (key admit), one envelope a line.",
    .options = options,
    .examples = "blindstamp ledger status\nblindstamp ledger export kept/2026-11\n"
                "blindstamp ledger export --tiles /var/www/html/log\n"
                "blindstamp ledger verify --checkpoint kept/2026-11/checkpoint\n"
                "blindstamp ledger backup /media/disk/ledger-2026-11.sqlite\n"
                "blindstamp ledger recover --why \"disk failed, restored from Monday\"",
    .least = 1,
    .most = 2,
    .writes = true,
    .run = run,
};
