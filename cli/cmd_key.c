/* cmd_key.c - blindstamp key: keys and certificates of this home, and what others gave to be trusted. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "key_verbs.h"

#define PEM_MAX (1u << 20)

static const struct cli_option options[] = {
    {"output", 'o', "FILE", "export: write to FILE instead of the terminal", false},
    {"secret", 0, NULL, "export: the private key, encrypted as it is in HOME; needs -o", false},
    {"name", 0, "NAME", "import: under this name (default: the file's)", false},
    CLI_PASSPHRASE_OPTION,
    {"new-passphrase-file", 0, "FILE", "passphrase: read the new one from the first line of FILE", false},
    {"role", 0, "ROLE", "admit: author (default), or operator, who may admit and revoke others", false},
    {"remove", 0, NULL, "passphrase: leave the keys unencrypted", false},
    {0},
};

/* ---- certificates in words ---- */

/* Subject and last day of a certificate in home; NULL where it cannot be read. New memory. */
static void read_certificate(const char *home, const char *name, char **subject, char **until)
{
    struct bst_error err = {0};
    struct bst_buf pem = {0};
    json_t *list = NULL;
    *subject = *until = NULL;
    char *path = bst_path_join(home, name);
    if (path && bst_file_read(path, PEM_MAX, &pem, &err) == BST_OK &&
        bst_cert_describe(pem.data, pem.len, &list, &err) == BST_OK) {
        const json_t *first = json_array_get(list, 0);
        const char *name_of = bst_json_text(first, "subject"), *end = bst_json_text(first, "valid_until");
        if (name_of) *subject = bst_strdup(name_of);
        if (end) *until = bst_format("%.10s", end);
    }
    json_decref(list);
    bst_buf_free(&pem);
    free(path);
}

/* ---- list ---- */

static const char *const key_names[] = {"author", "log", "ca"};
static const char *const key_uses[] = {"signs pictures and statements", "signs the ledger's checkpoints",
                                       "signed the author's certificate"};

/* "yes", "no", or NULL when the file cannot be read. */
static const char *encrypted(const char *home, const char *name)
{
    struct bst_key *key = NULL;
    struct bst_error err = {0};
    bool locked = false;
    char *path = bst_format("%s/keys/%s.pem", home, name);
    enum bst_code code = path ? bst_key_load(path, NULL, &key, &locked, &err) : BST_FAILURE;
    bst_key_free(key);
    free(path);
    return code == BST_OK ? "no" : locked ? "yes" : NULL;
}

static json_t *list_own(const struct bst_identity *identity, const char *home)
{
    json_t *own = json_array();
    for (size_t i = 0; i < 3; i++) {
        char id[BST_SHA256_HEX] = "", *subject = NULL, *until = NULL;
        if (i == 0) memcpy(id, identity->key_id, sizeof id);
        if (i == 1) bst_key_id(identity->log_key, id);
        if (i != 1) read_certificate(home, i ? "certs/root.pem" : "certs/author.pem", &subject, &until);
        json_array_append_new(own, json_pack("{s:s, s:s, s:s?, s:s?, s:o, s:s?}", "name", key_names[i], "use",
                                             key_uses[i], "key_id", *id ? id : NULL, "encrypted",
                                             encrypted(home, key_names[i]), "certificate",
                                             cli_json_text(subject), "valid_until", until));
        free(subject);
        free(until);
    }
    return own;
}

static enum bst_code print_list(const json_t *own, struct bst_error *err)
{
    static const char *const heads[] = {"KEY", "KEY ID", "ENCRYPTED", "CERTIFICATE UNTIL", "USE"};
    struct cli_table table;
    size_t i;
    json_t *row;
    cli_table_begin(&table, 5, heads);
    json_array_foreach(own, i, row)
    {
        const char *until = bst_json_text(row, "valid_until"), *id = bst_json_text(row, "key_id");
        cli_table_row(&table, (const char *[]){bst_json_text(row, "name"), id ? id : "-",
                                               bst_json_text(row, "encrypted"), until ? until : "-",
                                               bst_json_text(row, "use")});
    }
    return cli_table_end(&table, err);
}

static enum bst_code key_list(const struct cli_args *args, const char *home,
                              const struct bst_identity *identity, struct bst_error *err)
{
    json_t *own = list_own(identity, home);
    enum bst_code code;
    if (cli_has(args, "json")) {
        code = cli_json_take(json_pack("{s:o, s:O}", "home", cli_json_text(home), "keys", own), true, err);
    } else {
        code = print_list(own, err);
    }
    json_decref(own);
    return code;
}

/* ---- show ---- */

static enum bst_code key_show(const struct cli_args *args, const char *home,
                              const struct bst_identity *identity, struct bst_error *err)
{
    char *vkey = NULL, *pem = NULL, *subject, *until;
    read_certificate(home, "certs/author.pem", &subject, &until);
    enum bst_code code = bst_vkey_text(identity->log_origin, identity->log_key, &vkey, err);
    if (code == BST_OK) code = bst_key_public_pem(identity->public_key, &pem, err);
    if (code == BST_OK && cli_has(args, "json")) {
        code = cli_json_take(json_pack("{s:o, s:s, s:s?, s:s?, s:s, s:o, s:s?, s:s, s:s, s:s}", "home",
                                       cli_json_text(home), "author", identity->name, "email",
                                       identity->email, "url", identity->url, "key_id", identity->key_id,
                                       "certificate", cli_json_text(subject), "valid_until", until, "log",
                                       identity->log_origin, "log_key", vkey, "public_key", pem),
                             true, err);
    } else if (code == BST_OK) {
        const struct {
            const char *name, *text;
        } lines[] = {{"author", identity->name},    {"email", identity->email}, {"url", identity->url},
                     {"key id", identity->key_id},  {"certificate", subject},   {"valid until", until},
                     {"log", identity->log_origin}, {"log key", vkey},          {"home", home}};
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
            if (!lines[i].text) continue;
            printf("%-12s ", lines[i].name);
            cli_text(stdout, lines[i].text);
            fputc('\n', stdout);
        }
        printf("%s", pem);
    }
    free(subject);
    free(until);
    free(vkey);
    free(pem);
    return code;
}

/* ---- export ---- */

/* The author's signed identity, on a line of its own: with it he can be let into another ledger. */
static enum bst_code put_identity(const char *home, const struct bst_identity *identity, struct bst_buf *out,
                                  struct bst_error *err)
{
    struct bst_ledger *ledger = NULL;
    struct bst_keys keys = {0};
    char *path = bst_path_join(home, "ledger.sqlite");
    enum bst_code code = path ? bst_ledger_open(path, BST_LEDGER_READ, &ledger, err) : bst_fail_memory(err);
    if (code == BST_OK) code = bst_ledger_keys(ledger, &keys, err);
    const struct bst_key_life *life = code == BST_OK ? bst_keys_find(&keys, identity->key_id) : NULL;
    if (life) {
        code = bst_ledger_entry(ledger, life->declared, out, err);
        bst_buf_byte(out, '\n');
    }
    bst_keys_clear(&keys);
    bst_ledger_close(ledger);
    free(path);
    return code;
}

/* What others need to trust this author's pictures: the root certificate and the log's verifier key. */
static enum bst_code bundle(const char *home, const struct bst_identity *identity, struct bst_buf *out,
                            struct bst_error *err)
{
    char *vkey = NULL, *root = bst_path_join(home, "certs/root.pem");
    struct bst_buf pem = {0};
    enum bst_code code = root ? bst_file_read(root, PEM_MAX, &pem, err) : bst_fail_memory(err);
    if (code == BST_OK) code = bst_vkey_text(identity->log_origin, identity->log_key, &vkey, err);
    if (code == BST_OK) {
        bst_buf_printf(out,
                       "# Blindstamp: what is needed to check pictures of\n# %s\n# key id %s\n# Add it with: "
                       "blindstamp key import FILE\n%s\n",
                       identity->name, identity->key_id, vkey);
        bst_buf_append(out, pem.data, pem.len);
        code = put_identity(home, identity, out, err);
        if (code == BST_OK && out->failed) code = bst_fail_memory(err);
    }
    bst_buf_free(&pem);
    free(vkey);
    free(root);
    return code;
}

static enum bst_code secret(const char *home, const char *name, struct bst_buf *out, struct bst_error *err)
{
    char *path = bst_format("%s/keys/%s.pem", home, name);
    enum bst_code code = path ? bst_file_read(path, PEM_MAX, out, err) : bst_fail_memory(err);
    free(path);
    return code;
}

static enum bst_code key_export(const struct cli_args *args, const char *home,
                                const struct bst_identity *identity, struct bst_error *err)
{
    const char *name = args->operand_count > 1 ? args->operands[1] : NULL, *path = cli_value(args, "output");
    bool log = name && !strcmp(name, "log"), is_secret = cli_has(args, "secret");
    struct bst_buf out = {0};
    char *pem = NULL;
    enum bst_code code;
    if (name && !log && strcmp(name, "author") && !(is_secret && !strcmp(name, "ca"))) {
        bst_fail(err, BST_USAGE, "there is no key \"%.40s\" to export", name);
        return bst_hint(err, "author or log; with --secret also ca");
    }
    if (is_secret && (!name || !path)) {
        bst_fail(err, BST_USAGE, "a private key goes into a file, and it must be said which key");
        return bst_hint(err, "blindstamp key export author --secret -o author-key.pem");
    }
    if (is_secret) {
        code = secret(home, name, &out, err);
    } else if (name) {
        code = bst_key_public_pem(log ? identity->log_key : identity->public_key, &pem, err);
        if (code == BST_OK) bst_buf_text(&out, pem);
    } else {
        code = bundle(home, identity, &out, err);
    }
    if (code == BST_OK && path) {
        code = bst_file_write(path, out.data, out.len, is_secret ? BST_WRITE_SECRET : 0, err);
        if (code == BST_OK && cli_has(args, "json"))
            printf("{\"bytes\":%zu,\"secret\":%s}\n", out.len, is_secret ? "true" : "false");
    } else if (code == BST_OK && cli_has(args, "json")) {
        code = cli_json_take(json_pack("{s:s#}", "pem", (const char *)out.data, out.len), true, err);
    } else if (code == BST_OK) {
        fwrite(out.data, 1, out.len, stdout);
    }
    if (is_secret && out.data) memset(out.data, 0, out.len);
    bst_buf_free(&out);
    free(pem);
    return code;
}

/* ---- import ---- */

static enum bst_code key_import(const struct cli_args *args, const char *home, struct bst_error *err)
{
    if (args->operand_count < 2) {
        bst_fail(err, BST_USAGE, "import needs the file that the other author's \"key export\" wrote");
        return bst_hint(err, "blindstamp key import ada.pem");
    }
    return cli_trust_keep(args, home, args->operands[1], BST_TRUST_MANIFEST, err);
}

/* ---- passphrase ---- */

static enum bst_code key_passphrase(const struct cli_args *args, const char *home, struct bst_error *err)
{
    char *old = NULL, *new = NULL;
    const char *file = cli_value(args, "new-passphrase-file");
    const char *was = encrypted(home, "author");
    if (file && cli_has(args, "remove"))
        return bst_fail(err, BST_USAGE, "--remove and --new-passphrase-file contradict each other");
    enum bst_code code = BST_OK;
    if (was && !strcmp(was, "yes")) code = cli_passphrase_get(args, "Present passphrase", false, &old, err);
    if (code == BST_OK && file) code = cli_passphrase_file(file, &new, err);
    if (code == BST_OK && !file && !cli_has(args, "remove")) {
        char *again = NULL;
        code = cli_passphrase_ask("New passphrase", &new, err);
        if (code == BST_OK) code = cli_passphrase_ask("the same again", &again, err);
        if (code == BST_OK && strcmp(new, again) != 0)
            code = bst_fail(err, BST_USAGE, "the two passphrases differ; nothing was changed");
        cli_passphrase_free(again);
    }
    if (code == BST_OK) code = bst_home_passphrase(home, old, new, err);
    if (code == BST_OK) {
        if (cli_has(args, "json"))
            printf("{\"encrypted\":%s}\n", new ? "true" : "false");
        else
            printf(new ? "The keys are encrypted with the new passphrase.\n"
                       : "The keys are no longer encrypted: whoever can read %s can sign in your name.\n",
                   home);
    }
    cli_passphrase_free(old);
    cli_passphrase_free(new);
    return code;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    static const char *const verbs[] = {"list",   "show",  "export",     "import",
                                        "rotate", "admit", "passphrase", NULL};
    const char *verb = args->operands[0];
    size_t v;
    if (cli_verb(args, verbs, &v, err) != BST_OK) return err->code;
    if (args->operand_count > 1 && v != 2 && v != 3 && v != 5)
        return bst_fail(err, BST_USAGE, "key %s does not know what to do with \"%s\"", verb,
                        args->operands[1]);
    char *home = NULL;
    struct bst_identity identity = {0};
    enum bst_code code = cli_home(args, true, &home, err);
    if (code == BST_OK) code = bst_identity_load(home, &identity, err);
    if (code == BST_OK) {
        switch (v) {
        case 0:
            code = key_list(args, home, &identity, err);
            break;
        case 1:
            code = key_show(args, home, &identity, err);
            break;
        case 2:
            code = key_export(args, home, &identity, err);
            break;
        case 3:
            code = key_import(args, home, err);
            break;
        case 4:
            code = key_rotate(args, home, err);
            break;
        case 5:
            code = key_admit(args, home, err);
            break;
        default:
            code = key_passphrase(args, home, err);
            break;
        }
    }
    bst_identity_clear(&identity);
    free(home);
    return code;
}

const struct cli_command cmd_key = {
    .name = "key",
    .summary = "list, show, export, import keys; change the passphrase",
    .usage =
        "key list\nkey show\nkey export [author|log] [-o FILE]\nkey export author|log|ca --secret -o FILE\n"
        "key import FILE [--name NAME]\nkey rotate\nkey admit FILE [--role operator]\nkey passphrase "
        "[--remove]",
    .details =
        "export without a name writes what others need to trust your pictures: your root certificate and "
        "your\n"
        "ledger's key, nothing secret. They add it with import, or \"blindstamp trust add\", and see it in\n"
        "\"blindstamp trust list\". With a name it writes that public key alone.\n"
        "rotate makes a new key for you; the old one names it as its successor in the ledger, and goes. "
        "What\n"
        "the old one signed stays good. admit lets another author sign in your ledger: what his key export\n"
        "wrote holds his signed identity; blindstamp ledger add then takes his statements in.\n"
        "export --secret copies a private key into a new file with mode 0600, encrypted as it is in HOME.",
    .options = options,
    .examples = "blindstamp key export -o ada.pem\nblindstamp key import ada.pem\n"
                "blindstamp key rotate\nblindstamp key admit ben.pem\nblindstamp key passphrase",
    .least = 1,
    .most = 2,
    .writes = true,
    .run = run,
};
