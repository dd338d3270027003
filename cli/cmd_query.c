/* cmd_query.c - blindstamp query: the ledger's records by author, model, seed, time, words, digest and more. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    {"parent", 0, "DIGEST|FILE", "made, edited or converted from this file", false},
    {"trained-on", 0, "DIGEST|FILE",
     "by a model that learned from this picture or data set; its training too", false},
    {"licence", 'l', "NAME", "of the picture or data set, or of the model", false},
    {"privacy", 0, "LEVEL", "public, partner or private", false},
    {"source-type", 0, "TYPE", "an adopted picture's: generated, composite, edited, capture", false},
    {"id", 0, "UUID", "with this image id", false},
    {"kind", 'k', "KIND", "generation, adoption, training, model, decision ...; another word lists them all",
     false},
    {"ledger", 0, "FILE", "search this ledger instead of HOME's", false},
    {"sort", 0, "COLUMN",
     "entry (default), time, kind, author, model, seed, size, title, file, privacy, licence", false},
    {"reverse", 'r', NULL, "the other way round: newest first", false},
    {"limit", 'n', "N", "at most N records", false},
    {"offset", 0, "N", "leave out the first N records", false},
    {"after", 0, "ENTRY", "go on behind this entry: the next page, however long the ledger", false},
    {"as-of", 0, "ENTRIES", "the ledger when it had so many entries: pages stay right while it grows", false},
    {"csv", 0, NULL, "answer as CSV (RFC 4180) with a head line", false},
    {"count", 'c', NULL, "only say how many there are", false},
    {"count-by", 0, "WHAT",
     "how many of each author, model, kind, day, month, year, privacy, licence, source-type, size", false},
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

/* What a record of this kind cannot have is "-"; what it could have and does not say is NULL, unknown. */
static const char *or_none(const char *value, bool can_have)
{
    return value || can_have ? value : "-";
}

struct has { /* what a kind of record can have */
    bool picture, model, file, source, privacy, licence, description;
};

static bool is_one_of(const char *kind, const char *const *kinds)
{
    while (*kinds && strcmp(kind, *kinds) != 0)
        kinds++;
    return *kinds != NULL;
}

static struct has has_of(const char *kind)
{
    bool adoption = !strcmp(kind, "adoption"), picture = adoption || !strcmp(kind, "generation");
    bool model = picture || is_one_of(kind, (const char *const[]){"training", "model", NULL});
    return (struct has){
        .picture = picture,
        .model = model,
        .file = model || is_one_of(kind, (const char *const[]){"decision", "transfer", "withdrawal", NULL}),
        .source = adoption,
        .privacy = picture || !strcmp(kind, "decision"),
        .licence = model || !strcmp(kind, "transfer"),
        .description =
            picture || is_one_of(kind, (const char *const[]){"decision", "withdrawal", "revocation", NULL}),
    };
}

/* On a terminal what strangers wrote must do no harm; in a file it stays as it is. */
static void csv_field(const char *text)
{
    char *safe = text && isatty(STDOUT_FILENO) ? bst_printable(text, strlen(text)) : NULL;
    cli_csv(stdout, safe ? safe : text ? text : "unknown");
    free(safe);
}

static void csv_fields(const char *const *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i) fputc(',', stdout);
        csv_field(fields[i]);
    }
    fputs("\r\n", stdout);
}

static void csv_head(void)
{
    fputs("entry,kind,time,author,author_key_id,file_name,image_id,model,model_sha256,seed,width,height,"
          "title,prompt,sha256,pixels_sha256,privacy,licence,model_licence,source_type,description\r\n",
          stdout);
}

static void csv_row(const struct bst_record *r)
{
    char entry[24], width[24], height[24];
    struct has has = has_of(r->kind);
    const char *const fields[] = {number((int64_t)r->entry, true, entry),
                                  r->kind,
                                  r->time,
                                  r->author,
                                  r->author_key_id,
                                  or_none(r->file_name, has.file),
                                  or_none(r->image_id, has.picture),
                                  or_none(r->model, has.model),
                                  or_none(r->model_sha256, has.model),
                                  or_none(r->seed, has.picture),
                                  or_none(number(r->width, r->width > 0, width), has.picture),
                                  or_none(number(r->height, r->height > 0, height), has.picture),
                                  or_none(r->title, has.picture),
                                  or_none(r->prompt, has.picture),
                                  or_none(r->sha256, has.file),
                                  or_none(r->pixels_sha256, has.picture),
                                  or_none(r->privacy, has.privacy),
                                  or_none(r->licence, has.licence),
                                  or_none(r->model_licence, has.model),
                                  or_none(r->source_type, has.source),
                                  or_none(r->description, has.description)};
    csv_fields(fields, sizeof fields / sizeof *fields);
}

static void table_row(struct cli_table *table, const struct bst_record *r)
{
    char entry[24], size[48];
    struct has has = has_of(r->kind);
    snprintf(size, sizeof size, "%lldx%lld", (long long)r->width, (long long)r->height);
    cli_table_row(table,
                  (const char *[]){number((int64_t)r->entry, true, entry), r->kind, r->time, r->author,
                                   or_none(r->model, has.model), or_none(r->seed, has.picture),
                                   or_none(r->width > 0 ? size : NULL, has.picture),
                                   or_none(r->title, has.picture), or_none(r->file_name, has.picture)});
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

/* The names of one thing: its bytes, those without the manifest, its pixels, which survive what changes the bytes; of a
 * data set's manifest that of its canonical form. */
struct looks {
    char hex[BST_QUERY_DIGESTS][BST_SHA256_HEX];
    size_t count;
};

static void add_look(struct looks *looks, const uint8_t digest[static BST_SHA256_LEN])
{
    bst_hex(digest, BST_SHA256_LEN, looks->hex[looks->count++]);
}

static void look_at_picture(const char *path, struct looks *looks)
{
    struct bst_container container = {0};
    struct bst_error ignored;
    struct bst_image shape;
    uint8_t digest[BST_SHA256_LEN];
    if (bst_container_scan(path, &container, &ignored) != BST_OK) return;
    if (container.has_manifest && bst_container_digest_plain(path, &container, digest, &ignored) == BST_OK)
        add_look(looks, digest);
    bst_container_clear(&container);
    if (bst_image_digest_file(path, &shape, digest, &ignored) == BST_OK) add_look(looks, digest);
}

#define MANIFEST_MAX (16u << 20)

static void look_at_json(const char *path, struct looks *looks)
{
    struct bst_error ignored;
    struct bst_buf text = {0};
    json_t *value = NULL;
    uint8_t digest[BST_SHA256_LEN];
    if (bst_json_load(path, MANIFEST_MAX, &value, &ignored) == BST_OK &&
        bst_json_canonical(value, &text, &ignored) == BST_OK) {
        bst_sha256(text.data, text.len, digest);
        add_look(looks, digest);
    }
    json_decref(value);
    bst_buf_free(&text);
}

/* The values of an option that takes a digest or a file; looks keeps the latter's. */
static enum bst_code digests(const struct cli_args *args, const char *option, struct looks *looks,
                             const char *out[static BST_QUERY_DIGESTS], struct bst_error *err)
{
    uint8_t digest[BST_SHA256_LEN];
    *looks = (struct looks){0};
    out[0] = cli_value(args, option);
    if (!out[0] || !bst_file_exists(out[0])) return BST_OK;
    const char *path = out[0];
    enum bst_code code = bst_sha256_file(path, digest, err);
    if (code != BST_OK) return code;
    add_look(looks, digest);
    look_at_picture(path, looks);
    if (looks->count == 1) look_at_json(path, looks);
    for (size_t i = 0; i < looks->count; i++)
        out[i] = looks->hex[i];
    return BST_OK;
}

/* What the options lead to, and the digests that it borrows. */
struct asked {
    struct bst_query query;
    struct looks digest, parent, item;
};

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

static enum bst_code read_query(const struct cli_args *args, struct asked *out, struct bst_error *err)
{
    struct bst_query *query = &out->query;
    *query = (struct bst_query){
        .author = cli_value(args, "author"),
        .model = cli_value(args, "model"),
        .seed = cli_value(args, "seed"),
        .since = cli_value(args, "since"),
        .until = cli_value(args, "until"),
        .text = cli_value(args, "text"),
        .licence = cli_value(args, "licence"),
        .privacy = cli_value(args, "privacy"),
        .source_type = cli_value(args, "source-type"),
        .image_id = cli_value(args, "id"),
        .kind = cli_value(args, "kind"),
        .sort = cli_value(args, "sort"),
        .descending = cli_has(args, "reverse"),
        .has_after = cli_has(args, "after"),
    };
    if (query->kind && check_kind(query->kind, err) != BST_OK) return err->code;
    enum bst_code code = digests(args, "digest", &out->digest, query->digest, err);
    if (code == BST_OK) code = digests(args, "parent", &out->parent, query->parent, err);
    if (code == BST_OK) code = digests(args, "trained-on", &out->item, query->trained_on, err);
    if (code == BST_OK) code = cli_number(args, "limit", 1, INT64_MAX, &query->limit, err);
    if (code == BST_OK) code = cli_number(args, "offset", 0, INT64_MAX, &query->offset, err);
    if (code == BST_OK) code = cli_number(args, "after", 0, INT64_MAX, &query->after, err);
    return code == BST_OK ? cli_number(args, "as-of", 1, INT64_MAX, &query->as_of, err) : code;
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

struct groups {
    enum form form;
    const char *by;
    struct cli_table table;
    json_t *list;
    size_t count;
};

static bool group_found(void *arg, const struct bst_group *group)
{
    struct groups *groups = arg;
    char count[24], id[17];
    number((int64_t)group->count, true, count);
    switch (groups->form) {
    case FORM_TABLE:
        snprintf(id, sizeof id, "%s", group->id ? group->id : "");
        cli_table_row(&groups->table, (const char *[]){count, group->value, id});
        break;
    case FORM_CSV:
        if (groups->count++ == 0) printf("%s,id,count\r\n", groups->by);
        csv_fields((const char *[]){group->value, or_none(group->id, false), count}, 3);
        break;
    case FORM_JSON:
        json_array_append_new(groups->list, json_pack("{s:s?,s:s?,s:I}", groups->by, group->value, "id",
                                                      group->id, "count", (json_int_t)group->count));
        break;
    }
    return !ferror(stdout);
}

static enum form form_of(const struct cli_args *args)
{
    return cli_has(args, "json") ? FORM_JSON : cli_has(args, "csv") ? FORM_CSV : FORM_TABLE;
}

static enum bst_code answer_groups(const struct cli_args *args, struct bst_ledger *ledger,
                                   const struct bst_query *query, struct bst_error *err)
{
    struct groups groups = {.form = form_of(args), .by = cli_value(args, "count-by")};
    const char *const heads[] = {"COUNT", groups.by, ""};
    if (groups.form == FORM_TABLE) cli_table_begin(&groups.table, 3, heads);
    if (groups.form == FORM_JSON && !(groups.list = json_array())) return bst_fail_memory(err);
    enum bst_code code = bst_query_groups(ledger, query, groups.by, group_found, &groups, err);
    if (groups.form == FORM_TABLE) {
        if (code != BST_OK)
            cli_table_drop(&groups.table);
        else
            code = cli_table_end(&groups.table, err);
    }
    if (groups.form == FORM_CSV && code == BST_OK && groups.count == 0) printf("%s,id,count\r\n", groups.by);
    if (groups.form == FORM_JSON && code == BST_OK) code = cli_json(groups.list, true, err);
    json_decref(groups.list);
    return code;
}

static enum bst_code answer_records(const struct cli_args *args, struct bst_ledger *ledger,
                                    const struct bst_query *query, struct bst_error *err)
{
    static const char *const heads[] = {"ENTRY", "KIND", "TIME",  "AUTHOR", "MODEL",
                                        "SEED",  "SIZE", "TITLE", "FILE"};
    struct answer answer = {.form = form_of(args)};
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
    struct asked asked;
    if (cli_has(args, "json") && cli_has(args, "csv"))
        return bst_fail(err, BST_USAGE, "--json and --csv contradict each other");
    if (cli_has(args, "count") && cli_has(args, "count-by"))
        return bst_fail(err, BST_USAGE, "--count and --count-by contradict each other");
    enum bst_code code = read_query(args, &asked, err);
    if (code == BST_OK) code = cli_ledger(args, &ledger, err);
    if (code == BST_OK)
        code = cli_has(args, "count")      ? answer_count(args, ledger, &asked.query, err)
               : cli_has(args, "count-by") ? answer_groups(args, ledger, &asked.query, err)
                                           : answer_records(args, ledger, &asked.query, err);
    bst_ledger_close(ledger);
    return code;
}

const struct cli_command cmd_query = {
    .name = "query",
    .summary = "find records in the ledger",
    .usage = "query [--author NAME] [--model NAME] [--seed N] [--since TIME] [--until TIME]\n"
             "query [--text WORDS] [--digest|--parent|--trained-on DIGEST|FILE] [--licence NAME]\n"
             "query ... [--sort COLUMN] [--limit N] [--json|--csv|--count|--count-by WHAT]",
    .details = "Conditions are joined by \"and\"; without any, every record is listed, oldest first. What a "
               "record does\n"
               "not say is \"unknown\" (null in JSON) and can be asked for: --licence unknown, and likewise "
               "author, model,\n"
               "seed, privacy and source-type. \"-\" is what its kind cannot have. Verdicts are not among "
               "the conditions:\n"
               "the ledger holds none, since a verdict is about a file, at a time, by whoever asks "
               "(blindstamp verify).",
    .options = options,
    .examples =
        "blindstamp query --since 2026-11-01 --text \"night neb*\"\nblindstamp query --digest picture.png\n"
        "blindstamp query --trained-on pond.jpg --sort time --reverse --limit 20\n"
        "blindstamp query --licence unknown --count-by model\n"
        "blindstamp query --author Ada --csv > ada.csv",
    .least = 0,
    .most = 0,
    .run = run,
};
