/* cmd_query.c - blindstamp query: the ledger's records by author, model, seed, time, words or digest. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const struct cli_option options[] = {
    {"author", 'a', "NAME|KEYID", "by the beginning of the author's name or key id", false},
    {"model", 'm', "NAME|DIGEST", "by the beginning of the model's name or SHA-256", false},
    {"seed", 's', "N", "with this seed", false},
    {"since", 0, "TIME", "made at or after (2026-11-22 or 2026-11-22T09:30:00Z)", false},
    {"until", 0, "TIME", "made at or before; a date means to its end", false},
    {"text", 't', "WORDS", "all these words in title, prompt or description; \"neb*\" is a beginning", false},
    {"digest", 0, "DIGEST|FILE", "of the file without its manifest or of the pixels; or the file itself",
     false},
    {"id", 0, "UUID", "with this image id", false},
    {"kind", 'k', "KIND", "generation, adoption, training, model, identity or other", false},
    {"ledger", 0, "FILE", "search this ledger instead of HOME's", false},
    {"limit", 'n', "N", "at most N records", false},
    {"offset", 0, "N", "leave out the first N records", false},
    {"reverse", 'r', NULL, "newest first", false},
    {"csv", 0, NULL, "answer as CSV (RFC 4180) with a head line", false},
    {"count", 'c', NULL, "only say how many there are", false},
    {0},
};

enum form { FORM_TABLE, FORM_JSON, FORM_CSV };

struct answer {
    enum form form;
    size_t count;
    struct cli_table table;
    struct bst_error failed;
};

static const char *number(int64_t value, bool known, char out[static 24])
{
    snprintf(out, 24, "%lld", (long long)value);
    return known ? out : NULL;
}

static void csv_head(void)
{
    fputs("entry,kind,time,author,author_key_id,file_name,image_id,model,model_sha256,seed,width,height,"
          "title,prompt,"
          "sha256,pixels_sha256,privacy\r\n",
          stdout);
}

static void csv_row(const struct bst_record *r)
{
    char entry[24], width[24], height[24];
    const char *const fields[] = {number((int64_t)r->entry, true, entry),
                                  r->kind,
                                  r->time,
                                  r->author,
                                  r->author_key_id,
                                  r->file_name,
                                  r->image_id,
                                  r->model,
                                  r->model_sha256,
                                  r->seed,
                                  number(r->width, r->width > 0, width),
                                  number(r->height, r->height > 0, height),
                                  r->title,
                                  r->prompt,
                                  r->sha256,
                                  r->pixels_sha256,
                                  r->privacy};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (i) fputc(',', stdout);
        cli_csv(stdout, fields[i]);
    }
    fputs("\r\n", stdout);
}

static void table_row(struct cli_table *table, const struct bst_record *r)
{
    char entry[24], size[48];
    snprintf(size, sizeof size, "%lldx%lld", (long long)r->width, (long long)r->height);
    /* What a record of this kind cannot have is "-"; what it could have and does not say is "unknown". */
    bool picture = !strcmp(r->kind, "generation") || !strcmp(r->kind, "adoption");
    bool model = picture || !strcmp(r->kind, "training") || !strcmp(r->kind, "model");
    const char *none = picture ? NULL : "-";
    cli_table_row(table, (const char *[]){number((int64_t)r->entry, true, entry), r->kind, r->time, r->author,
                                          r->model ? r->model
                                          : model  ? NULL
                                                   : "-",
                                          r->seed ? r->seed : none, r->width > 0 ? size : none,
                                          r->title ? r->title : none, r->file_name ? r->file_name : none});
}

static bool found(void *arg, const struct bst_record *record)
{
    struct answer *answer = arg;
    json_t *object = NULL;
    answer->count++;
    switch (answer->form) {
    case FORM_TABLE:
        table_row(&answer->table, record);
        break;
    case FORM_CSV:
        if (answer->count == 1) csv_head();
        csv_row(record);
        break;
    case FORM_JSON:
        if (bst_record_json(record, &object, &answer->failed) != BST_OK) return false;
        fputs(answer->count > 1 ? ",\n" : "[\n", stdout);
        if (json_dumpf(object, stdout, JSON_COMPACT) != 0)
            bst_fail_errno(&answer->failed, BST_FAILURE, "cannot write");
        json_decref(object);
        break;
    }
    return !answer->failed.what[0] && !ferror(stdout);
}

/* What a file is looked for by: its bytes but for the manifest, or its pixels, which survive what changes the bytes. */
struct looks {
    char bytes[BST_SHA256_HEX], pixels[BST_SHA256_HEX];
};

static enum bst_code looks_of(const char *path, struct looks *out, struct bst_error *err)
{
    struct bst_container container = {0};
    struct bst_image shape;
    uint8_t digest[BST_SHA256_LEN];
    enum bst_code code = bst_container_scan(path, &container, err);
    if (code == BST_OK) code = bst_container_digest_plain(path, &container, digest, err);
    bst_container_clear(&container);
    if (code != BST_OK) return code;
    bst_hex(digest, sizeof digest, out->bytes);
    code = bst_image_digest_file(path, &shape, digest, err);
    if (code == BST_OK) bst_hex(digest, sizeof digest, out->pixels);
    return code;
}

static enum bst_code check_kind(const char *wanted, struct bst_error *err)
{
    struct bst_buf names = {0};
    const char *kind;
    bool known = false;
    for (size_t i = 0; (kind = bst_kind_name(i)); i++) {
        known |= !strcmp(kind, wanted);
        bst_buf_printf(&names, "%s%s", i ? ", " : "", kind);
    }
    if (!known) {
        bst_fail(err, BST_USAGE, "there is no kind of record \"%.40s\"", wanted);
        bst_hint(err, "kinds: %s", bst_buf_string(&names));
    }
    bst_buf_free(&names);
    return known ? BST_OK : err->code;
}

static enum bst_code read_query(const struct cli_args *args, struct bst_query *out, struct looks *looks,
                                struct bst_error *err)
{
    *out = (struct bst_query){
        .author = cli_value(args, "author"),
        .model = cli_value(args, "model"),
        .seed = cli_value(args, "seed"),
        .since = cli_value(args, "since"),
        .until = cli_value(args, "until"),
        .text = cli_value(args, "text"),
        .digest = cli_value(args, "digest"),
        .image_id = cli_value(args, "id"),
        .kind = cli_value(args, "kind"),
        .descending = cli_has(args, "reverse"),
    };
    if (out->kind && check_kind(out->kind, err) != BST_OK) return err->code;
    if (out->digest && bst_file_exists(out->digest)) {
        if (looks_of(out->digest, looks, err) != BST_OK) return err->code;
        out->digest = looks->bytes;
        out->other_digest = looks->pixels;
    }
    enum bst_code code = cli_number(args, "limit", 1, INT64_MAX, &out->limit, err);
    return code == BST_OK ? cli_number(args, "offset", 0, INT64_MAX, &out->offset, err) : code;
}

static enum bst_code answer_count(const struct cli_args *args, struct bst_ledger *ledger,
                                  const struct bst_query *query, struct bst_error *err)
{
    uint64_t count;
    enum bst_code code = bst_query_count(ledger, query, &count, err);
    if (code == BST_OK)
        printf(cli_has(args, "json") ? "{\"count\":%llu}\n" : "%llu\n", (unsigned long long)count);
    return code;
}

static enum bst_code answer_records(const struct cli_args *args, struct bst_ledger *ledger,
                                    const struct bst_query *query, struct bst_error *err)
{
    static const char *const heads[] = {"ENTRY", "KIND", "TIME",  "AUTHOR", "MODEL",
                                        "SEED",  "SIZE", "TITLE", "FILE"};
    struct answer answer = {.form = cli_has(args, "json")  ? FORM_JSON
                                    : cli_has(args, "csv") ? FORM_CSV
                                                           : FORM_TABLE};
    if (answer.form == FORM_TABLE) cli_table_begin(&answer.table, 9, heads);
    enum bst_code code = bst_query_run(ledger, query, found, &answer, err);
    bool nothing = code != BST_OK && answer.count == 0; /* a question that was refused gets no heading */
    if (answer.form == FORM_TABLE) {
        if (nothing)
            cli_table_drop(&answer.table);
        else if (cli_table_end(&answer.table, err) != BST_OK)
            code = err->code;
    }
    if (answer.form == FORM_CSV && !nothing && answer.count == 0) csv_head();
    if (answer.form == FORM_JSON && !nothing) fputs(answer.count ? "\n]\n" : "[]\n", stdout);
    if (code == BST_OK && answer.failed.what[0]) {
        *err = answer.failed;
        code = err->code;
    }
    if (code == BST_OK && answer.form == FORM_TABLE && !cli_has(args, "quiet"))
        printf("\n%zu record%s\n", answer.count, answer.count == 1 ? "" : "s");
    return code;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    struct bst_ledger *ledger = NULL;
    struct bst_query query;
    struct looks looks;
    if (cli_has(args, "json") && cli_has(args, "csv"))
        return bst_fail(err, BST_USAGE, "--json and --csv contradict each other");
    enum bst_code code = read_query(args, &query, &looks, err);
    if (code == BST_OK) code = cli_ledger(args, &ledger, err);
    if (code == BST_OK)
        code = cli_has(args, "count") ? answer_count(args, ledger, &query, err)
                                      : answer_records(args, ledger, &query, err);
    bst_ledger_close(ledger);
    return code;
}

const struct cli_command cmd_query = {
    .name = "query",
    .summary = "find records in the ledger",
    .usage = "query [--author NAME] [--model NAME] [--seed N] [--since TIME] [--until TIME]\n"
             "query [--text WORDS] [--digest DIGEST|FILE] [--json|--csv|--count]",
    .details = "Conditions are joined by \"and\"; without any, every record is listed, oldest first. What a "
               "record does\n"
               "not say is \"unknown\" (null in JSON, empty in CSV); \"-\" is what its kind cannot have.",
    .options = options,
    .examples =
        "blindstamp query --since 2026-11-01 --text \"night neb*\"\nblindstamp query --digest picture.png\n"
        "blindstamp query --author Ada --csv > ada.csv",
    .least = 0,
    .most = 0,
    .run = run,
};
