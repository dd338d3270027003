/* cmd_verify.c - blindstamp verify: a verdict on each file. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const struct cli_option options[] = {
    {"pixels", 0, NULL, "decode the pictures and compare their pixels, also where that is not needed", false},
    {"replay", 'r', NULL, "make the picture again and compare every pixel", false},
    {"model", 'm', "PATH", "file or folder where --replay looks for the model", true},
    {"input", 'i', "PATH", "file or folder where --replay looks for an input picture", true},
    CLI_TRUST_OPTIONS,
    {"ask-revocation", 0, NULL, "ask over the network whether a trusted signer's certificate was revoked",
     false},
    {"log-key", 0, "KEY|FILE", "trust the ledger with this verifier key", true},
    {"ledger", 0, "FILE", "look in this ledger too", false},
    CLI_FORMAT_OPTION,
    {"details", 'd', NULL, "show every check, for many files too", false},
    {"jobs", 'j', "N",
     "files judged at once (default: as many as processors; a replay takes them all for one)", false},
    {"threads", 0, "N", "processors to use for --replay (default: all)", false},
    {"memory", 0, "SIZE", "memory that may be taken for --replay, as 900M or 2G (default: what is free)",
     false},
    {0},
};

#define AT_HAND 256 /* files judged before their verdicts are printed */

/* A file and what became of it. */
struct file {
    char *path;
    bool judged; /* else it was interrupted */
    enum bst_code code;
    struct bst_verdict verdict;
    struct bst_error err;
};

struct batch {
    const struct cli_args *args;
    struct bst_verify_options options;
    bool json, quiet, details;
    bool single; /* one file was named */
    enum bst_code worst;
    size_t count, by_code[7], failures;
    struct cli_progress progress; /* of a replay */
    struct cli_sandbox sandbox;
    struct bst_pool *pool;
    struct bst_verifier **verifiers; /* one a thread */
    size_t waiting;
    struct file *files; /* AT_HAND of them */
};

static enum cli_colour colour_of(enum bst_code code)
{
    switch (code) {
    case BST_OK:
        return CLI_GOOD;
    case BST_BROKEN:
    case BST_UNREADABLE:
        return CLI_BAD;
    default:
        return CLI_DOUBT;
    }
}

static const char *word_of(enum bst_code code)
{
    switch (code) {
    case BST_OK:
        return "verified";
    case BST_NO_PROVENANCE:
        return "unknown";
    case BST_BROKEN:
        return "BROKEN";
    case BST_UNREADABLE:
        return "unreadable";
    case BST_UNTRUSTED:
        return "untrusted";
    default:
        return "failed";
    }
}

static void print_head(const struct bst_verdict *v)
{
    printf("%s%-10s%s  ", cli_colour(stdout, colour_of(v->code)), word_of(v->code),
           cli_colour(stdout, CLI_PLAIN));
    cli_text(stdout, v->path);
    fputc('\n', stdout);
}

static void print_words(const struct bst_verdict *v)
{
    printf("%12s", "");
    cli_text(stdout, v->words);
    fputc('\n', stdout);
}

static void print_fact(const char *name, const char *text)
{
    if (!text) return;
    printf("  %-12s ", name);
    cli_text(stdout, text);
    fputc('\n', stdout);
}

/* Is it intact, and who says so. */
static void print_answers(const struct bst_verdict *v)
{
    if (!v->integrity) return;
    print_fact("intact", strcmp(v->integrity, "intact") ? "no" : "yes");
    char *signer = bst_format("%s (%s)", v->signer ? v->signer : "unnamed", v->signer_trust);
    print_fact("signed by", signer);
    free(signer);
}

/* Of our own pictures, the statement tells model, prompt and seed. */
static void print_ingredients(const struct bst_verdict *v)
{
    json_t *list = json_object_get(v->c2pa, "ingredients"), *item, *shown = json_array();
    size_t i;
    json_array_foreach(list, i, item)
    {
        const char *kind = bst_json_text(item, "kind");
        bool told = kind && (!strcmp(kind, "model") || !strcmp(kind, "prompt") || !strcmp(kind, "seed"));
        if (!v->statement || !told) json_array_append(shown, item);
    }
    if (json_array_size(shown)) {
        puts("  made from");
        cli_ingredients(shown, true, 4);
    }
    json_decref(shown);
}

static void print_details(const struct bst_verdict *v)
{
    static const char *const marks[] = {
        [BST_PASS] = "yes", [BST_FAIL] = "NO", [BST_UNKNOWN] = "open", [BST_SKIPPED] = "-"};
    static const enum cli_colour colours[] = {
        [BST_PASS] = CLI_GOOD, [BST_FAIL] = CLI_BAD, [BST_UNKNOWN] = CLI_DOUBT, [BST_SKIPPED] = CLI_FAINT};
    for (size_t i = 0; i < v->check_count; i++) {
        const struct bst_check *check = &v->checks[i];
        printf("  %s%-4s%s %-18s ", cli_colour(stdout, colours[check->result]), marks[check->result],
               cli_colour(stdout, CLI_PLAIN), check->id);
        cli_text(stdout, check->words);
        fputc('\n', stdout);
    }
    char entry[24];
    snprintf(entry, sizeof entry, "%llu", (unsigned long long)v->entry);
    print_answers(v);
    print_fact("author", v->author);
    print_fact("key id", v->author_key_id);
    print_fact("holder", bst_json_text(v->rights, "holder"));
    print_fact("made", v->made);
    print_fact("model", v->model);
    print_fact("seed", v->seed);
    print_fact("title", v->title);
    print_fact("prompt", v->prompt);
    print_fact("image id", v->image_id);
    print_fact("entry", v->has_entry ? entry : NULL);
    print_ingredients(v);
}

/* The manifests as another program's document: one by itself, several in an array. */
static enum bst_code print_document(const struct batch *batch, const struct bst_verdict *v,
                                    struct bst_error *err)
{
    json_t *document = v->document ? json_incref(v->document)
                                   : json_pack("{s:o, s:o}", "file", cli_json_text(v->path), "error",
                                               cli_json_text(v->words));
    if (!document) return bst_fail(err, BST_FAILURE, "out of memory");
    if (!batch->single) printf(batch->count > 1 ? ",\n" : "[\n");
    enum bst_code code = cli_json(document, true, err);
    json_decref(document);
    return code;
}

static enum bst_code print_verdict(struct batch *batch, const struct bst_verdict *v, struct bst_error *err)
{
    if (batch->options.format != BST_C2PA_OURS) return print_document(batch, v, err);
    if (batch->json) {
        json_t *object = NULL;
        if (bst_verdict_json(v, &object, err) != BST_OK) return err->code;
        json_object_set_new(object, "sandbox", cli_sandbox_json(&batch->sandbox));
        printf(batch->count > 1 ? ",\n" : "[\n");
        enum bst_code code = cli_json(object, true, err);
        json_decref(object);
        return code;
    }
    if (batch->quiet && v->code == BST_OK) return BST_OK;
    print_head(v);
    bool withdrawn = json_is_object(json_object_get(v->rights, "withdrawn"));
    if (batch->details || v->code != BST_OK || withdrawn) print_words(v);
    if (batch->details) print_details(v);
    if (cli_has(batch->args, "details")) {
        char *words = cli_sandbox_words(&batch->sandbox);
        print_fact("sandbox", words);
        free(words);
    }
    if (batch->details && v->code == BST_UNTRUSTED)
        printf(
            "  hint: if you know this author, ask for what \"blindstamp key export\" writes, and add it with "
            "\"blindstamp key import\"\n");
    return BST_OK;
}

static void judge(void *arg, size_t i, unsigned thread)
{
    struct batch *batch = arg;
    struct file *file = &batch->files[i];
    if (cli_interrupted()) return;
    if (file->path)
        file->code = bst_verifier_judge(batch->verifiers[thread], file->path, &file->verdict, &file->err);
    file->judged = file->code == BST_OK || !cli_interrupted();
}

static void tell(struct batch *batch, struct file *file)
{
    if (file->code == BST_OK) {
        batch->count++;
        cli_progress_clear(&batch->progress);
        file->code = print_verdict(batch, &file->verdict, &file->err);
    }
    if (file->code == BST_OK) {
        batch->by_code[file->verdict.code]++;
        batch->worst = bst_verdict_worse(batch->worst, file->verdict.code);
    } else {
        cli_error(&file->err, batch->json);
        batch->failures++;
        batch->worst = bst_verdict_worse(batch->worst, file->code);
    }
}

/* Judges the files that wait, several at once, and tells of them in their order. */
static void judge_waiting(struct batch *batch)
{
    bst_pool_run(batch->pool, batch->waiting, judge, batch);
    for (size_t i = 0; i < batch->waiting; i++) {
        struct file *file = &batch->files[i];
        if (file->judged) tell(batch, file);
        bst_verdict_clear(&file->verdict);
        free(file->path);
    }
    batch->waiting = 0;
}

static bool take(void *arg, const char *path)
{
    struct batch *batch = arg;
    struct file *file = &batch->files[batch->waiting++];
    *file = (struct file){.path = bst_strdup(path)};
    if (!file->path) file->code = bst_fail_memory(&file->err);
    /* with one thread each verdict is told at once */
    if (batch->waiting == AT_HAND || bst_pool_threads(batch->pool) == 1) judge_waiting(batch);
    return !cli_interrupted();
}

static void summary(const struct batch *batch)
{
    static const char *const words[] = {
        "verified", "", "unknown", "broken", "unreadable", "", "intact but not trusted"};
    printf("\n%zu files:", batch->count);
    const char *comma = " ";
    for (size_t i = 0; i < 7; i++) {
        if (!batch->by_code[i]) continue;
        printf("%s%zu %s", comma, batch->by_code[i], words[i]);
        comma = ", ";
    }
    if (batch->failures) printf("%s%zu not judged", comma, batch->failures);
    fputc('\n', stdout);
}

static void judge_all(struct batch *batch)
{
    for (size_t i = 0; i < batch->args->operand_count; i++) {
        struct bst_error err = {0};
        const char *path = batch->args->operands[i];
        size_t before = batch->count + batch->failures + batch->waiting;
        enum bst_code code = cli_walk(path, CLI_ALL_PICTURES, take, batch, &err);
        /* A check that looked at nothing must not read like a check that was passed. */
        bool none = batch->count + batch->failures + batch->waiting == before;
        if (code != BST_OK || none) judge_waiting(batch); /* their verdicts come first */
        if (code == BST_OK && none && !cli_interrupted())
            bst_fail(&err, BST_NO_PROVENANCE, "there is no picture in %s that could be judged", path);
        else if (code == BST_OK)
            continue;
        cli_error(&err, batch->json);
        batch->failures++;
        batch->worst = bst_verdict_worse(batch->worst, err.code);
    }
    judge_waiting(batch);
    bool document = batch->options.format != BST_C2PA_OURS;
    if (document ? !batch->single : batch->json) printf(batch->count ? "]\n" : "[]\n");
    if (!document && !batch->json && !batch->quiet && batch->count > 1) summary(batch);
}

/* As many verifiers as threads. */
static enum bst_code open_verifiers(struct batch *batch, unsigned jobs, struct bst_error *err)
{
    enum bst_code code = bst_pool_new(jobs, &batch->pool, err);
    if (code != BST_OK) return code;
    unsigned threads = bst_pool_threads(batch->pool);
    batch->verifiers = bst_calloc(threads, sizeof(struct bst_verifier *));
    batch->files = bst_calloc(AT_HAND, sizeof *batch->files);
    if (!batch->verifiers || !batch->files) return bst_fail_memory(err);
    for (unsigned i = 0; i < threads && code == BST_OK; i++)
        code = bst_verifier_open(&batch->options, &batch->verifiers[i], err);
    return code;
}

static void close_verifiers(struct batch *batch)
{
    for (unsigned i = 0; batch->verifiers && i < bst_pool_threads(batch->pool); i++)
        bst_verifier_close(batch->verifiers[i]);
    free(batch->verifiers);
    free(batch->files);
    bst_pool_free(batch->pool);
}

/* Where replay looks for something: the values of a repeating option, then the usual places. */
static enum bst_code look_in(const struct cli_args *args, const char *name, const struct cli_places *usual,
                             const char ***out, size_t *count, struct bst_error *err)
{
    size_t asked = 0;
    while (cli_nth(args, name, asked))
        asked++;
    *out = bst_calloc(asked + usual->count + 1, sizeof **out);
    if (!*out) return bst_fail_memory(err);
    for (size_t i = 0; i < asked; i++)
        (*out)[i] = cli_nth(args, name, i);
    for (size_t i = 0; i < usual->count; i++)
        (*out)[asked + i] = usual->folder[i];
    *count = asked + usual->count;
    return BST_OK;
}

/* Where a replay reads: models and the weights beside them, and input pictures, by default beside the picture. */
static void admit_replay(struct cli_sandbox *sandbox, const struct cli_args *args,
                         const struct cli_places *places)
{
    const char *value;
    for (size_t i = 0; i < places->count; i++)
        cli_sandbox_read(sandbox, places->folder[i]);
    for (size_t i = 0; (value = cli_nth(args, "model", i)); i++) {
        cli_sandbox_read(sandbox, value);
        cli_sandbox_read_beside(sandbox, value);
    }
    for (size_t i = 0; (value = cli_nth(args, "input", i)); i++)
        cli_sandbox_read(sandbox, value);
    for (size_t i = 0; i < args->operand_count; i++)
        cli_sandbox_read_beside(sandbox, args->operands[i]);
}

static enum bst_code shut_in(struct batch *batch, const char *home, const struct cli_places *places,
                             struct bst_error *err)
{
    cli_sandbox_read_judged(&batch->sandbox, batch->args, home);
    if (cli_has(batch->args, "replay")) admit_replay(&batch->sandbox, batch->args, places);
    return cli_sandbox_enter(&batch->sandbox, cli_has(batch->args, "ask-revocation"), err);
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    struct batch batch = {.args = args, .json = cli_has(args, "json"), .quiet = cli_has(args, "quiet")};
    struct bst_trust *trust = NULL;
    struct cli_places places = {0};
    const char **models = NULL, **inputs = NULL;
    char *home = NULL;
    size_t model_count = 0, input_count = 0;
    uint64_t threads = 0, jobs = 0;
    size_t memory = 0;
    enum bst_c2pa_format format;

    /* A picture can be judged by somebody who has no identity: then home counts only when it is named. */
    enum bst_code code = cli_home(args, cli_has(args, "home"), &home, err);
    if (code == BST_OK) code = cli_places_find(home, &places, err);
    if (code == BST_OK) code = shut_in(&batch, home, &places, err);
    if (code == BST_OK) code = cli_trust_load(args, home, &trust, err);
    if (code == BST_OK) code = look_in(args, "model", &places, &models, &model_count, err);
    if (code == BST_OK) code = look_in(args, "input", &(struct cli_places){0}, &inputs, &input_count, err);
    if (code == BST_OK) code = cli_number(args, "threads", 1, 256, &threads, err);
    if (code == BST_OK) code = cli_number(args, "jobs", 1, 256, &jobs, err);
    if (code == BST_OK) code = cli_memory(args, "memory", &memory, err);
    if (code == BST_OK) code = cli_c2pa_format(args, &format, err);
    if (code == BST_OK) {
        size_t log_key_count;
        const char *const *log_keys = bst_trust_log_keys(trust, &log_key_count);
        batch.options = (struct bst_verify_options){
            .home = home,
            .ledger = cli_value(args, "ledger"),
            .trust = trust,
            .log_keys = log_keys,
            .log_key_count = log_key_count,
            .format = format,
            .pixels = cli_has(args, "pixels"),
            .replay = cli_has(args, "replay"),
            .models = models,
            .model_count = model_count,
            .inputs = inputs,
            .input_count = input_count,
            .threads = (unsigned)threads,
            .memory = memory,
            .progress = cli_progress_step,
            .progress_arg = &batch.progress,
        };
        batch.single = args->operand_count == 1 && !cli_is_folder(args->operands[0]);
        batch.details = cli_has(args, "details") || batch.single;
        batch.options.ingredients = (batch.details || batch.json) && format == BST_C2PA_OURS;
        cli_interrupt_catch();
        cli_progress_begin(&batch.progress, "making again", args);
        code = open_verifiers(&batch, batch.single || batch.options.replay ? 1 : (unsigned)jobs, err);
    }
    if (code == BST_OK) {
        judge_all(&batch);
        code = batch.worst;
        if (cli_interrupted()) {
            bst_fail(err, BST_FAILURE, "interrupted after %zu files", batch.count);
            code = bst_verdict_worse(code, BST_FAILURE);
        }
    }
    close_verifiers(&batch);
    free(inputs);
    free(models);
    cli_sandbox_clear(&batch.sandbox);
    cli_places_clear(&places);
    bst_trust_free(trust);
    free(home);
    return code;
}

const struct cli_command cmd_verify = {
    .name = "verify",
    .summary = "say whether pictures are intact and where they come from",
    .usage = "verify [--replay] FILE|DIR...",
    .details =
        "Checks that the file is whole, that its manifest is bound to it and signed, who signed, that the "
        "signed\n"
        "statement speaks of these very pixels, that the receipt is of a ledger you trust, and that the "
        "ledger\n"
        "at hand holds the entry. Folders are searched for PNG, JPEG, WebP, TIFF, DNG,\n"
        "AVIF and HEIF files; the pixels of the last four are not looked at.\n\n"
        "You trust your own identity in HOME, what \"blindstamp trust add\" and \"key import\" added, and\n"
        "what these options name: nobody else.\n"
        "Works without any HOME, network or private key. Before it reads a picture it gives up what it does\n"
        "not need: it can then open these files alone, for reading, and reach no network (Landlock and\n"
        "seccomp; --details says whether the kernel has them).\n\n"
        "Exit codes: 0 verified, 2 nothing is known of the origin, 3 altered or forged, 4 unreadable,\n"
        "6 intact but the signer is not trusted. The worst file counts.",
    .options = options,
    .examples = "blindstamp verify picture.png\nblindstamp verify --replay pictures/\n"
                "blindstamp verify --trust ada.pem picture-from-ada.png",
    .least = 1,
    .most = SIZE_MAX,
    .run = run,
};
