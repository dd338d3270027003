/* cmd_ledger.c - blindstamp ledger: its state, the check of everything in it, and an export for others. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

#define CHECKPOINT_MAX 65536
#define FINDINGS_SHOWN 50

static const struct cli_option options[] = {
    {"ledger", 0, "FILE", "this ledger instead of HOME's", false},
    {"log-key", 0, "KEY|FILE", "verify: the ledger must be signed with this key", true},
    {"checkpoint", 0, "FILE", "verify: the ledger must still hold this checkpoint, kept from earlier", true},
    {0},
};

/* ---- status ---- */

static enum bst_code count_kind(struct bst_ledger *ledger, const char *kind, uint64_t *count,
                                struct bst_error *err)
{
    const struct bst_query query = {.kind = kind};
    return bst_query_count(ledger, &query, count, err);
}

static enum bst_code status(const struct cli_args *args, struct bst_ledger *ledger, const char *path,
                            struct bst_error *err)
{
    static const char *const kinds[] = {"generation", "adoption", "training", "identity", "other"};
    uint64_t counts[5] = {0};
    char *note = NULL, *vkey = NULL;
    struct stat st = {0};
    stat(path, &st);
    enum bst_code code = bst_ledger_checkpoint(ledger, &note, err);
    if (code == BST_OK) code = bst_vkey_text(bst_ledger_origin(ledger), bst_ledger_key(ledger), &vkey, err);
    for (size_t i = 0; i < 5 && code == BST_OK; i++)
        code = count_kind(ledger, kinds[i], &counts[i], err);
    if (code == BST_OK && cli_has(args, "json")) {
        json_t *all =
            json_pack("{s:o, s:s, s:s, s:I, s:I, s:{s:I, s:I, s:I, s:I, s:I}, s:s}", "file",
                      cli_json_text(path), "log", bst_ledger_origin(ledger), "log_key", vkey, "entries",
                      (json_int_t)bst_ledger_size(ledger), "bytes", (json_int_t)st.st_size, "kinds", kinds[0],
                      (json_int_t)counts[0], kinds[1], (json_int_t)counts[1], kinds[2], (json_int_t)counts[2],
                      kinds[3], (json_int_t)counts[3], kinds[4], (json_int_t)counts[4], "checkpoint", note);
        code = all ? cli_json(all, true, err) : bst_fail_memory(err);
        json_decref(all);
    } else if (code == BST_OK) {
        char bytes[24];
        cli_bytes((uint64_t)st.st_size, bytes);
        printf("ledger   %s (%s)\nlog      ", path, bytes);
        cli_text(stdout, bst_ledger_origin(ledger));
        printf("\nkey      %s\nentries  %llu", vkey, (unsigned long long)bst_ledger_size(ledger));
        for (size_t i = 0; i < 5; i++)
            if (counts[i]) printf("%s%llu %s", i ? ", " : ": ", (unsigned long long)counts[i], kinds[i]);
        printf("\n\n%s", note);
    }
    free(vkey);
    free(note);
    return code;
}

/* ---- verify ---- */

struct findings {
    json_t *array;
    bool json;
    size_t count;
    struct cli_progress progress;
};

static void finding(void *arg, const struct bst_finding *f)
{
    struct findings *findings = arg;
    findings->count++;
    if (findings->json) {
        json_array_append_new(findings->array, json_pack("{s:i, s:o, s:s, s:o}", "code", f->code, "entry",
                                                         f->index >= 0 ? json_integer(f->index) : json_null(),
                                                         "rule", f->rule, "words", cli_json_text(f->words)));
        return;
    }
    if (findings->count > FINDINGS_SHOWN) return;
    cli_progress_clear(&findings->progress);
    printf("%s%-10s%s ", cli_colour(stdout, CLI_BAD), "BROKEN", cli_colour(stdout, CLI_PLAIN));
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
    bool matches = false;
    size_t count = 0;
    *known = false;
    enum bst_code code = cli_home(args, false, &home, err);
    if (code == BST_OK && !cli_value(args, "ledger")) {
        code = bst_identity_load(home, &identity, err);
        *known = code == BST_OK;
        matches = *known && !strcmp(identity.log_origin, bst_ledger_origin(ledger)) &&
                  !memcmp(identity.log_key, bst_ledger_key(ledger), BST_KEY_LEN);
    }
    if (code == BST_OK) code = cli_trust_load(args, NULL, &trust, err);
    const char *const *log_keys = code == BST_OK ? bst_trust_log_keys(trust, &count) : NULL;
    for (size_t i = 0; i < count && code == BST_OK; i++) {
        char *origin = NULL;
        uint8_t key[BST_KEY_LEN];
        code = bst_vkey_parse(log_keys[i], &origin, key, err);
        if (code == BST_OK)
            matches |= !strcmp(origin, bst_ledger_origin(ledger)) &&
                       !memcmp(key, bst_ledger_key(ledger), BST_KEY_LEN);
        free(origin);
        *known = true;
    }
    if (code == BST_OK && *known && !matches) {
        struct bst_error wrong = {
            .what = "the ledger is not the one that the known key belongs to: its name or key "
                    "was exchanged"};
        finding_of(findings, "log.key", &wrong);
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
        json_t *all =
            json_pack("{s:o, s:I, s:i, s:b, s:O}", "file", cli_json_text(path), "entries", (json_int_t)size,
                      "code", code, "key_known", known, "findings", findings->array);
        enum bst_code printed = all ? cli_json(all, true, err) : bst_fail_memory(err);
        json_decref(all);
        return printed == BST_OK ? code : printed;
    }
    if (findings->count > FINDINGS_SHOWN)
        printf("... and %zu more findings (--json lists all)\n", findings->count - FINDINGS_SHOWN);
    if (code == BST_OK) {
        printf("%sintact%s: %llu entries, every hash, signature and checkpoint recomputed\n",
               cli_colour(stdout, CLI_GOOD), cli_colour(stdout, CLI_PLAIN), (unsigned long long)size);
        if (!known)
            printf("The key was taken from the ledger itself; --log-key says which one it must be.\n");
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
        /* Broken with findings is an answer, not a failure of the check. */
        if (code == BST_BROKEN) *err = (struct bst_error){0};
    }
    if (code == BST_OK || code == BST_BROKEN) {
        enum bst_code kept = check_checkpoints(args, ledger, &findings, err);
        if (kept != BST_OK) code = kept;
    }
    if (code == BST_OK && findings.count) code = BST_BROKEN;
    if (!err->what[0]) code = report(&findings, ledger, path, known, code, err);
    json_decref(findings.array);
    return code;
}

/* ---- export ---- */

static enum bst_code export(const struct cli_args *args, struct bst_ledger *ledger, struct bst_error *err) {
    if (args->operand_count < 2){bst_fail(err, BST_USAGE, "export needs a folder to write to");
                                 return bst_hint(err, "blindstamp ledger export FOLDER");}
const char *folder = args->operands[1];
enum bst_code code = bst_ledger_export(ledger, folder, err);
if (code != BST_OK) return code;
unsigned long long size = bst_ledger_size(ledger);
if (cli_has(args, "json")) {
    json_t *all = json_pack("{s:o, s:I}", "folder", cli_json_text(folder), "entries", (json_int_t)size);
    code = all ? cli_json(all, true, err) : bst_fail_memory(err);
    json_decref(all);
    return code;
}
printf("Wrote %llu entries, the checkpoint and the verifier key to %s\n", size, folder);
return BST_OK;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    static const char *const verbs[] = {"status", "verify", "export", NULL};
    const char *verb = args->operands[0], *given = cli_value(args, "ledger");
    size_t v;
    if (cli_verb(args, verbs, &v, err) != BST_OK) return err->code;
    if (v < 2 && args->operand_count > 1)
        return bst_fail(err, BST_USAGE, "ledger %s does not know what to do with \"%s\"", verb,
                        args->operands[1]);
    struct bst_ledger *ledger = NULL;
    char *home = NULL, *path = NULL;
    enum bst_code code = cli_ledger(args, &ledger, err);
    if (code == BST_OK && !given) code = cli_home(args, true, &home, err);
    if (code == BST_OK && !(path = given ? bst_strdup(given) : bst_path_join(home, "ledger.sqlite")))
        code = bst_fail_memory(err);
    if (code == BST_OK)
        code = v == 0   ? status(args, ledger, path, err)
               : v == 1 ? verify(args, ledger, path, err)
                        : export(args, ledger, err);
    bst_ledger_close(ledger);
    free(path);
    free(home);
    return code;
}

const struct cli_command cmd_ledger = {
    .name = "ledger",
    .summary = "show the ledger's state, check all of it, export it",
    .usage = "ledger status\nledger verify [--checkpoint FILE] [--log-key KEY]\nledger export FOLDER",
    .details =
        "verify recomputes every hash, signature, checkpoint and index and names what was changed, deleted,\n"
        "inserted or reordered (exit code 3). A ledger that was cut back to an earlier state is whole in "
        "itself:\n"
        "keep a checkpoint elsewhere (status prints it, export writes it) and give it with --checkpoint.",
    .options = options,
    .examples = "blindstamp ledger status\nblindstamp ledger export kept/2026-11\n"
                "blindstamp ledger verify --checkpoint kept/2026-11/checkpoint",
    .least = 1,
    .most = 2,
    .run = run,
};
