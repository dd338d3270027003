/* trust.c - home, the workshop in it, and what verify trusts. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define TRUST_FILE_MAX (8u << 20)

enum bst_code cli_home(const struct cli_args *args, bool must_exist, char **out, struct bst_error *err)
{
    enum bst_code code = bst_home_find(cli_value(args, "home"), out, err);
    if (code != BST_OK || !must_exist) return code;
    char *identity = bst_path_join(*out, "identity.json");
    if (!identity) {
        code = bst_fail_memory(err);
    } else if (!bst_file_exists(identity)) {
        code = bst_fail(err, BST_USAGE, "there are no keys and no ledger in %s", *out);
        bst_hint(err, "blindstamp init --author \"Your Name\" makes them; --home DIR names another place");
    }
    free(identity);
    if (code != BST_OK) {
        free(*out);
        *out = NULL;
    }
    return code;
}

static enum bst_code open_stamper(const struct cli_args *args, struct bst_stamper_options options,
                                  struct bst_stamper **out, struct bst_error *err)
{
    char *passphrase = NULL;
    enum bst_code code = cli_passphrase_given(args, &passphrase, err);
    if (code != BST_OK) return code;
    bool locked = false;
    options.passphrase = passphrase;
    code = bst_stamper_open(&options, out, &locked, err);
    if (code != BST_OK && locked && !passphrase) {
        *err = (struct bst_error){0};
        code = cli_passphrase_ask("Passphrase of your keys", &passphrase, err);
        options.passphrase = passphrase;
        if (code == BST_OK) code = bst_stamper_open(&options, out, &locked, err);
    }
    cli_passphrase_free(passphrase);
    return code;
}

enum bst_code cli_stamper(const struct cli_args *args, const char *home, int png_level, bool thumbnail,
                          struct bst_stamper **out, struct bst_error *err)
{
    struct cli_label label;
    enum bst_code code = cli_label(args, home, &label, err);
    const struct bst_stamper_options options = {.home = home,
                                                .png_level = png_level,
                                                .tsa = cli_value(args, "tsa"),
                                                .staple = cli_has(args, "staple"),
                                                .no_train = cli_has(args, "no-train"),
                                                .thumbnail = thumbnail,
                                                .aigc = label.wanted ? &label.codes : NULL};
    if (code == BST_OK) code = open_stamper(args, options, out, err);
    cli_label_clear(&label);
    return code;
}

enum bst_code cli_author(const struct cli_args *args, struct bst_stamper **out, struct bst_error *err)
{
    char *home = NULL;
    enum bst_code code = cli_home(args, true, &home, err);
    const struct bst_stamper_options options = {.home = home, .statements_only = true};
    if (code == BST_OK) code = open_stamper(args, options, out, err);
    free(home);
    return code;
}

enum bst_code cli_author_key(const struct bst_stamper *stamper, struct bst_keys *keys,
                             const struct bst_key_life **mine, struct bst_error *err)
{
    enum bst_code code = bst_ledger_keys(bst_stamper_ledger(stamper), keys, err);
    if (code != BST_OK) return code;
    *mine = bst_keys_in_force(keys, bst_stamper_identity(stamper)->key_id);
    if (*mine) return BST_OK;
    bst_keys_clear(keys);
    bst_fail(err, BST_USAGE, "your key was revoked in this ledger: what it signs would count for nothing");
    return bst_hint(err, "a new home (blindstamp init) has a key that the ledger's keeper can admit");
}

enum bst_code cli_trust_add(struct bst_trust *trust, const char *path, unsigned kinds, struct bst_error *err)
{
    struct bst_buf text = {0};
    enum bst_code code = bst_file_read(path, TRUST_FILE_MAX, &text, err);
    if (code == BST_OK && bst_trust_add(trust, (const char *)text.data, text.len, kinds, NULL, err) != BST_OK)
        code = bst_where(err, "%s", path);
    bst_buf_free(&text);
    return code;
}

/* A log's key: a file, or the key itself. */
static enum bst_code add_log_key(struct bst_trust *trust, const char *value, struct bst_error *err)
{
    struct bst_trust_count count;
    if (bst_file_exists(value)) return cli_trust_add(trust, value, BST_TRUST_MANIFEST, err);
    if (bst_trust_add(trust, value, strlen(value), BST_TRUST_MANIFEST, &count, err) == BST_OK &&
        count.log_keys == 1)
        return BST_OK;
    bst_fail(err, BST_USAGE, "\"%.100s\" is no log key", value);
    return bst_hint(err, "give NAME+HEX+BASE64 as \"blindstamp key show\" shows it, or a file");
}

enum bst_code cli_trust_load(const struct cli_args *args, const char *home, struct bst_trust **out,
                             struct bst_error *err)
{
    static const struct {
        const char *option;
        unsigned kind;
    } files[] = {
        {"trust", BST_TRUST_MANIFEST}, {"trust-tsa", BST_TRUST_TSA}, {"trust-signer", BST_TRUST_ALLOWED}};
    const char *value;
    char *identity = home ? bst_path_join(home, "identity.json") : NULL;
    enum bst_code code = home && !identity ? bst_fail_memory(err) : bst_trust_new(out, err);
    if (code != BST_OK) {
        free(identity);
        return code;
    }
    if (identity && bst_file_exists(identity)) code = bst_trust_self(*out, home, err);
    if (code == BST_OK && home) code = bst_trust_items(*out, home, err);
    for (size_t f = 0; f < sizeof files / sizeof *files; f++)
        for (size_t i = 0; code == BST_OK && (value = cli_nth(args, files[f].option, i)); i++)
            code = cli_trust_add(*out, value, files[f].kind, err);
    for (size_t i = 0; code == BST_OK && (value = cli_nth(args, "log-key", i)); i++)
        code = add_log_key(*out, value, err);
    if (cli_has(args, "ask-revocation")) bst_trust_ask_responders(*out);
    free(identity);
    if (code != BST_OK) {
        bst_trust_free(*out);
        *out = NULL;
    }
    return code;
}

enum bst_code cli_ledger_path(const struct cli_args *args, char **out, struct bst_error *err)
{
    const char *given = cli_value(args, "ledger");
    char *home = NULL;
    enum bst_code code = given ? BST_OK : cli_home(args, true, &home, err);
    if (code == BST_OK && !(*out = given ? bst_strdup(given) : bst_path_join(home, "ledger.sqlite")))
        code = bst_fail_memory(err);
    free(home);
    return code;
}

enum bst_code cli_ledger(const struct cli_args *args, struct bst_ledger **out, struct bst_error *err)
{
    char *path = NULL;
    enum bst_code code = cli_ledger_path(args, &path, err);
    if (code == BST_OK) code = bst_ledger_open(path, BST_LEDGER_READ, out, err);
    free(path);
    return code;
}
