/* model_check.c - blindstamp model check: is the model readable, does it still make its golden pictures, and is
 * it the one that the ledger records? */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "model_verbs.h"

struct checking {
    const struct model_call *call;
    struct bst_model *model;
    char digest[BST_SHA256_HEX];
    json_t *lines; /* {"check", "code", "words", "fix"} */
    enum bst_code code;
};

static void say(struct checking *c, const char *check, enum bst_code code, const char *fix,
                const char *format, ...) BST_PRINTF(5, 6);
static void say(struct checking *c, const char *check, enum bst_code code, const char *fix,
                const char *format, ...)
{
    char words[400];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    c->code = bst_verdict_worse(c->code, code);
    json_array_append_new(c->lines, json_pack("{s:s, s:i, s:o, s:s?}", "check", check, "code", code, "words",
                                              cli_json_text(words), "fix", fix));
    if (cli_has(c->call->args, "json") || (code == BST_OK && cli_has(c->call->args, "quiet"))) return;
    printf("%s%s%s  ",
           cli_colour(stdout, code == BST_OK              ? CLI_GOOD
                              : code == BST_NO_PROVENANCE ? CLI_DOUBT
                                                          : CLI_BAD),
           code == BST_OK              ? "ok "
           : code == BST_NO_PROVENANCE ? "?  "
                                       : "BAD",
           cli_colour(stdout, CLI_PLAIN));
    cli_text(stdout, words);
    fputc('\n', stdout);
    if (code != BST_OK && fix) printf("     %s\n", fix);
}

/* ---- golden pictures ---- */

static enum bst_code check_golden(struct checking *c, struct bst_error *err)
{
    uint64_t threads = 0;
    enum bst_code code = cli_number(c->call->args, "threads", 1, 256, &threads, err);
    if (code != BST_OK) return code;
    const struct bst_run_options options = {.threads = (unsigned)threads};
    json_t *results = NULL, *item;
    size_t i, same = 0, unknown = 0;
    struct bst_error why = {0};
    code = bst_golden_check(c->model, &options, &results, &why);
    if (code == BST_FAILURE) {
        *err = why;
        return code;
    }
    if (code != BST_OK) {
        say(c, "golden", code, why.hint[0] ? why.hint : "correct the card", "%s", why.what);
        return BST_OK;
    }
    json_array_foreach(results, i, item)
    {
        const char *state = bst_json_text(item, "state"), *seed = bst_json_text(item, "seed");
        same += !strcmp(state, "same");
        unknown += !strcmp(state, "unknown rules");
        if (!strcmp(state, "differs"))
            say(c, "golden", BST_BROKEN, "take the model or its card from where it came from again",
                "the golden picture of seed %.20s (%lld x %lld) comes out otherwise than the card says", seed,
                (long long)json_integer_value(json_object_get(item, "width")),
                (long long)json_integer_value(json_object_get(item, "height")));
    }
    if (same > 0) say(c, "golden", BST_OK, NULL, "%zu golden pictures come out to the last bit", same);
    if (unknown > 0)
        say(c, "golden", BST_NO_PROVENANCE, "another version of the program may know them",
            "%zu golden pictures were made by rules that this program does not know", unknown);
    if (json_array_size(results) == 0)
        say(c, "golden", BST_NO_PROVENANCE, "blindstamp model add makes them",
            "the card has no golden pictures");
    json_decref(results);
    return BST_OK;
}

/* ---- the ledger's record ---- */

struct recorded {
    uint64_t entry;
    bool found;
};

static bool take_record(void *arg, const struct bst_record *record)
{
    struct recorded *r = arg;
    r->entry = record->entry;
    r->found = true;
    return false; /* the newest comes first */
}

/* Whether the statement's further subjects are the model's files of weights. */
static bool same_weights(const struct bst_model *model, const json_t *statement)
{
    size_t count;
    const struct bst_external_file *files = bst_model_external(model, &count);
    const json_t *subjects = json_object_get(statement, "subject");
    for (size_t i = 0; i < count; i++) {
        const json_t *subject = json_array_get(subjects, i + 1);
        const char *name = bst_json_text(subject, "name");
        const char *digest = json_string_value(bst_json_at(subject, "digest.sha256"));
        char own[BST_SHA256_HEX];
        bst_hex(files[i].digest, BST_SHA256_LEN, own);
        if (!name || strcmp(name, files[i].name) || !digest || strcmp(digest, own)) return false;
    }
    return true;
}

static void compare_record(struct checking *c, const struct bst_dsse *dsse, uint64_t entry)
{
    const struct bst_card *card = bst_model_card(c->model);
    const json_t *recorded = bst_json_at(dsse->statement, "predicate.card.content");
    const char *digest = json_string_value(bst_json_at(dsse->statement, "predicate.card.digest.sha256"));
    char own[BST_SHA256_HEX];
    bst_hex(card->digest, BST_SHA256_LEN, own);
    bool same = card->source == BST_CARD_BESIDE ? digest && !strcmp(digest, own)
                                                : card->json && recorded && json_equal(card->json, recorded);
    if (!same_weights(c->model, dsse->statement))
        say(c, "ledger", BST_BROKEN, "blindstamp model add --force records the weights as they are now",
            "the files of weights are not those that entry %llu records", (unsigned long long)entry);
    else if (same)
        say(c, "ledger", BST_OK, NULL, "file and card are those of entry %llu", (unsigned long long)entry);
    else
        say(c, "ledger", BST_BROKEN, "blindstamp model add --force records the card as it is now",
            "the card is not the one that entry %llu records", (unsigned long long)entry);
}

/* The newest statement about this file: a record of "model add", else how it was trained. */
static enum bst_code find_record(struct bst_ledger *ledger, const char *kind, const char *digest,
                                 struct recorded *out, struct bst_error *err)
{
    const struct bst_query query = {.kind = kind, .model = digest, .descending = true, .limit = 1};
    *out = (struct recorded){0};
    return bst_query_run(ledger, &query, take_record, out, err);
}

static enum bst_code check_entry(struct checking *c, struct bst_ledger *ledger, const struct recorded *record,
                                 bool training, struct bst_error *err)
{
    struct bst_identity identity = {0};
    struct bst_dsse dsse = {0};
    enum bst_code code = bst_identity_load(c->call->home, &identity, err);
    if (code == BST_OK) code = bst_ledger_statement(ledger, record->entry, &dsse, err);
    if (code == BST_OK) {
        const char *hex = json_string_value(bst_json_at(dsse.statement, "subject.0.digest.sha256"));
        if (!bst_dsse_verify(&dsse, identity.public_key) || !hex || strcmp(hex, c->digest))
            say(c, "ledger", BST_BROKEN, "blindstamp ledger verify says what was changed",
                "entry %llu does not carry your signature", (unsigned long long)record->entry);
        else if (training)
            say(c, "ledger", BST_OK, NULL, "entry %llu records how this file was trained",
                (unsigned long long)record->entry);
        else
            compare_record(c, &dsse, record->entry);
    }
    bst_dsse_clear(&dsse);
    bst_identity_clear(&identity);
    return code;
}

static enum bst_code check_ledger(struct checking *c, struct bst_error *err)
{
    char *path = bst_path_join(c->call->home, "ledger.sqlite");
    struct bst_ledger *ledger = NULL;
    struct recorded record = {0}, training = {0};
    if (!path) return bst_fail_memory(err);
    if (!bst_file_exists(path)) {
        say(c, "ledger", BST_NO_PROVENANCE, "blindstamp init --author \"Your Name\" makes one",
            "there is no ledger");
        free(path);
        return BST_OK;
    }
    enum bst_code code = bst_ledger_open(path, BST_LEDGER_READ, &ledger, err);
    free(path);
    if (code == BST_OK) code = find_record(ledger, "model", c->digest, &record, err);
    if (code == BST_OK && !record.found) code = find_record(ledger, "training", c->digest, &training, err);
    if (code == BST_OK && record.found)
        code = check_entry(c, ledger, &record, false, err);
    else if (code == BST_OK && training.found)
        code = check_entry(c, ledger, &training, true, err);
    else if (code == BST_OK)
        say(c, "ledger", BST_NO_PROVENANCE, "blindstamp model add FILE records it",
            "your ledger records no model with this SHA-256");
    bst_ledger_close(ledger);
    return code;
}

/* ---- the verb ---- */

static void check_card(struct checking *c)
{
    const struct bst_card *card = bst_model_card(c->model);
    static const char *const sources[] = {"", "in the file", "beside the file"}; /* as enum bst_card_source */
    say(c, "file", BST_OK, NULL, "the file can be read and planned: %llu parameters",
        (unsigned long long)bst_model_parameters(c->model));
    if (card->source == BST_CARD_DERIVED)
        say(c, "card", BST_NO_PROVENANCE, "blindstamp model add writes one", "the model has no card");
    else
        say(c, "card", BST_OK, NULL, "its card (%s) fits the graph", sources[card->source]);
    if (!card->license)
        say(c, "license", BST_NO_PROVENANCE, "blindstamp model add --force --license SPDX records it",
            "the card names no licence");
}

/* A model that cannot be opened is an answer too, with the reader's own words. */
static enum bst_code open_model(struct checking *c, struct bst_error *err)
{
    enum bst_code code = cli_model_open(c->call->places, c->call->operand, &c->model, err);
    if (code != BST_UNREADABLE) return code;
    char words[800];
    snprintf(words, sizeof words, "%.400s%s%.200s", err->what, err->where[0] ? ", at " : "", err->where);
    say(c, "file", code, err->hint[0] ? err->hint : "take the file from where it came from again", "%.380s",
        words);
    *err = (struct bst_error){0};
    return BST_OK;
}

enum bst_code model_check(const struct model_call *call, struct bst_error *err)
{
    struct checking c = {.call = call, .lines = json_array()};
    enum bst_code code = c.lines ? open_model(&c, err) : bst_fail_memory(err);
    if (code == BST_OK && c.model) {
        model_digest_text(c.model, c.digest);
        check_card(&c);
        code = check_golden(&c, err);
        if (code == BST_OK) code = check_ledger(&c, err);
    }
    if (code == BST_OK && cli_has(call->args, "json")) {
        code = cli_json_take(json_pack("{s:o, s:s, s:i, s:O}", "model", cli_json_text(call->operand),
                                       "sha256", c.digest, "code", c.code, "checks", c.lines),
                             true, err);
    }
    json_decref(c.lines);
    bst_model_free(c.model);
    return code == BST_OK ? c.code : code;
}
