/* cmd_trust.c - blindstamp trust: whom this home believes besides itself. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define FILE_MAX (8u << 20)

static const struct cli_option options[] = {
    {"kind", 'k', "KIND", "add: manifest (signers, the default), tsa (time stamps) or cawg (identities)",
     true},
    {"allowed", 0, NULL, "add: believe these signers' certificates themselves, as no authorities", false},
    {"name", 0, "NAME", "add: under this name (default: the file's)", false},
    {"origin", 0, "TEXT", "add: where the file came from, such as its address (default: its path)", false},
    {"date", 0, "DATE", "add: when its publisher issued it, as 2026-11-01", false},
    {"force", 'f', NULL, "add: replace what has that name", false},
    {"details", 'd', NULL, "list: name every certificate", false},
    {0},
};

/* "manifest, tsa" */
static void kinds_text(unsigned kinds, char out[static 64])
{
    out[0] = 0;
    for (unsigned bit = 1; bit <= BST_TRUST_ALLOWED; bit <<= 1) {
        size_t len = strlen(out);
        if (kinds & bit) snprintf(out + len, 64 - len, "%s%s", len ? ", " : "", bst_trust_kind_name(bit));
    }
}

/* "12 anchors (1 expired), 2 usages" */
static void count_text(const struct bst_trust_count *count, char out[static 128])
{
    const struct {
        size_t n;
        const char *one, *many;
    } parts[] = {{count->anchors, "anchor", "anchors"},
                 {count->allowed, "signer", "signers"},
                 {count->usages, "key usage", "key usages"},
                 {count->log_keys, "log key", "log keys"}};
    out[0] = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t len = strlen(out);
        if (parts[i].n)
            snprintf(out + len, 128 - len, "%s%zu %s", len ? ", " : "", parts[i].n,
                     parts[i].n == 1 ? parts[i].one : parts[i].many);
    }
    size_t len = strlen(out);
    if (count->expired) snprintf(out + len, 128 - len, " (%zu not valid today)", count->expired);
}

static json_t *kinds_json(unsigned kinds)
{
    json_t *list = json_array();
    for (unsigned bit = 1; bit <= BST_TRUST_ALLOWED; bit <<= 1)
        if (kinds & bit) json_array_append_new(list, json_string(bst_trust_kind_name(bit)));
    return list;
}

/* The certificates in an item; an empty list when it cannot be read. */
static json_t *certificates(const char *path)
{
    struct bst_buf text = {0};
    struct bst_error err = {0};
    json_t *list = NULL;
    if (bst_file_read(path, FILE_MAX, &text, &err) != BST_OK ||
        bst_cert_describe(text.data, text.len, &list, &err) != BST_OK)
        list = json_array();
    bst_buf_free(&text);
    return list;
}

static json_t *item_json(const struct bst_trust_item *item)
{
    const struct bst_trust_count *n = &item->count;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:s?, s:s?, s:s, s:I, s:I, s:I, s:I, s:I, s:s?, s:o}", "name",
        cli_json_text(item->name), "file", cli_json_text(item->path), "kinds", kinds_json(item->kinds),
        "origin", cli_json_text(item->origin), "published", item->published, "added", item->added, "sha256",
        item->sha256, "anchors", (json_int_t)n->anchors, "allowed", (json_int_t)n->allowed, "key_usages",
        (json_int_t)n->usages, "log_keys", (json_int_t)n->log_keys, "not_valid_today", (json_int_t)n->expired,
        "problem", item->problem ? item->problem->what : NULL, "certificates", certificates(item->path));
}

/* ---- add ---- */

static enum bst_code about(const struct cli_args *args, const char *file, struct bst_trust_item *item,
                           struct bst_error *err)
{
    int64_t ms;
    item->name = cli_value(args, "name");
    item->origin = cli_value(args, "origin");
    item->published = cli_value(args, "date");
    if (!item->name) item->name = bst_path_name(file);
    if (!item->origin) item->origin = file;
    if (item->published && !bst_time_parse(item->published, &ms))
        return bst_fail(err, BST_USAGE, "--date needs a date such as 2026-11-01, not \"%.40s\"",
                        item->published);
    return cli_words("origin", item->origin, 2000, false, err);
}

static enum bst_code say_added(const struct cli_args *args, const struct bst_trust_item *item,
                               struct bst_error *err)
{
    char kinds[64], count[128];
    if (cli_has(args, "json")) {
        return cli_json_take(item_json(item), true, err);
    }
    kinds_text(item->kinds, kinds);
    count_text(&item->count, count);
    json_t *certs = certificates(item->path);
    printf("Trusted from now on for %s: %s", kinds, count);
    if (json_array_size(certs) == 1) {
        printf(", ");
        cli_text(stdout, bst_json_text(json_array_get(certs, 0), "subject"));
    }
    printf("\nfrom ");
    cli_text(stdout, item->origin);
    if (item->published) printf(", published %s", item->published);
    printf("\nTo take that back: blindstamp trust remove ");
    cli_text(stdout, item->name);
    printf("\n");
    json_decref(certs);
    return BST_OK;
}

enum bst_code cli_trust_keep(const struct cli_args *args, const char *home, const char *file, unsigned kinds,
                             struct bst_error *err)
{
    struct bst_trust_item item = {.kinds = kinds};
    struct bst_buf text = {0};
    enum bst_code code = about(args, file, &item, err);
    if (code == BST_OK) code = bst_file_read(file, FILE_MAX, &text, err);
    if (code == BST_OK && bst_buf_string(&text) && strstr((char *)text.data, "PRIVATE KEY-----")) {
        code = bst_fail(err, BST_USAGE, "%s holds a private key, which is not for others to have", file);
        bst_hint(err, "\"blindstamp key export\" without --secret writes what can be imported");
    }
    if (code == BST_OK) {
        code = bst_trust_keep(home, &item, text.data, text.len, cli_has(args, "force"), err);
        if (code != BST_OK) bst_where(err, "%s", file);
    }
    bst_buf_free(&text);
    if (code != BST_OK) return code;
    char *path = bst_format("%s/trust/%s", home, item.name);
    if (!path) return bst_fail_memory(err);
    item.path = path;
    code = say_added(args, &item, err);
    free(path);
    return code;
}

static enum bst_code trust_add(const struct cli_args *args, const char *home, struct bst_error *err)
{
    static const char *const names[] = {"manifest", "tsa", "cawg", NULL};
    unsigned kinds = 0;
    const char *value;
    for (size_t i = 0; (value = cli_nth(args, "kind", i)); i++) {
        unsigned kind = bst_trust_kind_named(value);
        if (!kind || kind == BST_TRUST_ALLOWED) {
            const char *meant = cli_closest(value, names);
            bst_fail(err, BST_USAGE, "there is no kind of trust called \"%.40s\"", value);
            return meant ? bst_hint(err, "did you mean %s?", meant) : bst_hint(err, "manifest, tsa or cawg");
        }
        kinds |= kind;
    }
    if (cli_has(args, "allowed") && kinds)
        return bst_fail(err, BST_USAGE, "--allowed and --kind contradict each other");
    if (cli_has(args, "allowed")) kinds = BST_TRUST_ALLOWED;
    return cli_trust_keep(args, home, args->operands[1], kinds ? kinds : BST_TRUST_MANIFEST, err);
}

/* ---- list ---- */

struct listing {
    json_t *json; /* or NULL: */
    struct cli_table table;
    bool details;
    size_t count;
};

static void list_details(const struct bst_trust_item *item)
{
    json_t *certs = certificates(item->path), *cert;
    size_t i;
    cli_text(stdout, item->name);
    printf("\n  from       ");
    cli_text(stdout, item->origin ? item->origin : "unknown");
    printf("\n  published  %s\n  added      %s\n  sha256     %s\n",
           item->published ? item->published : "unknown", item->added ? item->added : "unknown",
           item->sha256);
    if (item->problem) printf("  PROBLEM    %s\n", item->problem->what);
    json_array_foreach(certs, i, cert)
    {
        printf("  %s  until %.10s  ", json_is_true(json_object_get(cert, "valid_today")) ? " " : "!",
               bst_json_text(cert, "valid_until"));
        cli_text(stdout, bst_json_text(cert, "subject"));
        printf("\n");
    }
    json_decref(certs);
}

static void list_item(void *arg, const struct bst_trust_item *item)
{
    struct listing *listing = arg;
    char kinds[64], count[128];
    listing->count++;
    if (listing->json) {
        json_array_append_new(listing->json, item_json(item));
        return;
    }
    if (listing->details) {
        list_details(item);
        return;
    }
    kinds_text(item->kinds, kinds);
    count_text(&item->count, count);
    const char *published = item->published ? item->published : "-";
    char added[11] = "-";
    if (item->added) snprintf(added, sizeof added, "%.10s", item->added);
    cli_table_row(&listing->table, (const char *[]){item->name, kinds, item->problem ? "PROBLEM" : count,
                                                    published, added, item->origin ? item->origin : "-"});
    if (item->problem) cli_error(item->problem, false);
}

static enum bst_code trust_list(const struct cli_args *args, const char *home, struct bst_error *err)
{
    static const char *const heads[] = {"NAME", "FOR", "HOLDS", "PUBLISHED", "ADDED", "FROM"};
    struct listing listing = {.json = cli_has(args, "json") ? json_array() : NULL,
                              .details = cli_has(args, "details")};
    bool table = !listing.json && !listing.details;
    if (table) cli_table_begin(&listing.table, 6, heads);
    enum bst_code code = bst_trust_list(home, list_item, &listing, err);
    if (table && (code != BST_OK || !listing.count)) cli_table_drop(&listing.table);
    if (table && code == BST_OK && listing.count) code = cli_table_end(&listing.table, err);
    if (code == BST_OK && listing.json) code = cli_json(listing.json, true, err);
    if (code == BST_OK && !listing.json && !listing.count)
        printf("Nobody but this home's own identity is trusted.\n");
    json_decref(listing.json);
    return code;
}

/* ---- remove ---- */

static enum bst_code trust_remove(const struct cli_args *args, const char *home, struct bst_error *err)
{
    enum bst_code code = bst_trust_drop(home, args->operands[1], err);
    if (code != BST_OK) return code;
    if (cli_has(args, "json"))
        printf("{\"removed\":true}\n");
    else
        printf("No longer trusted.\n");
    return BST_OK;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    static const struct cli_home_verb verbs[] = {
        {"add", 2, false, trust_add}, {"list", 1, false, trust_list}, {"remove", 2, false, trust_remove}};
    return cli_home_verb_run(args, verbs, sizeof verbs / sizeof *verbs, "name", err);
}

const struct cli_command cmd_trust = {
    .name = "trust",
    .summary = "whose certificates are believed, and for what",
    .usage = "trust add FILE [--kind manifest|tsa|cawg]... [--allowed] [--origin TEXT] [--date DATE]\n"
             "trust list [--details]\ntrust remove NAME",
    .details =
        "Nobody is trusted unless you say so, except yourself. A file may hold\n"
        "  PEM certificates of authorities, such as the published trust lists of C2PA;\n"
        "  with --allowed, certificates of signers, or their SHA-256 in base64, one a line;\n"
        "  object identifiers of extended key usages to accept besides e-mail protection, one a line;\n"
        "  log keys, as \"key export\" writes them.\n\n"
        "Nothing is fetched: download a trust list yourself, from its publisher, and say with --origin and\n"
        "--date what it is, so that \"trust list\" can tell how old it has become. A file that was changed\n"
        "after it was added is refused.",
    .options = options,
    .examples = "blindstamp trust add ada.pem\n"
                "blindstamp trust add C2PA-TRUST-LIST.pem --origin https://c2pa.org --date 2026-11-01\n"
                "blindstamp trust add C2PA-TSA-TRUST-LIST.pem --kind tsa --date 2026-11-01\n"
                "blindstamp trust list",
    .least = 1,
    .most = 2,
    .writes = true,
    .run = run,
};
