/* cmd_init.c - blindstamp init: identity, keys, certificate and an empty ledger. */
#include <jansson.h>
#include <stdlib.h>

#include "cli.h"

static const struct cli_option options[] = {
    {"author", 'a', "NAME", "your name, as it will stand in every picture (required)", false},
    {"email", 0, "ADDRESS", "how to reach you; public", false},
    {"url", 0, "URL", "your page; public", false},
    CLI_PASSPHRASE_OPTION,
    {"no-passphrase", 0, NULL, "leave the keys unencrypted, for automation", false},
    {0},
};

static enum bst_code check_words(const struct cli_args *args, struct bst_error *err)
{
    static const struct {
        const char *name;
        size_t most;
    } words[] = {{"author", 200}, {"email", 254}, {"url", 500}};
    for (size_t i = 0; i < 3; i++) {
        const char *text = cli_value(args, words[i].name);
        enum bst_code code = text ? cli_words(words[i].name, text, words[i].most, false, err) : BST_OK;
        if (code != BST_OK) return code;
    }
    return BST_OK;
}

static enum bst_code report(const struct cli_args *args, const char *home,
                            const struct bst_identity *identity, bool locked, struct bst_error *err)
{
    char *vkey = NULL;
    enum bst_code code = bst_vkey_text(identity->log_origin, identity->log_key, &vkey, err);
    if (code != BST_OK) return code;
    if (cli_has(args, "json")) {
        code = cli_json_take(json_pack("{s:o, s:s, s:s?, s:s?, s:s, s:s, s:s, s:b}", "home",
                                       cli_json_text(home), "author", identity->name, "email",
                                       identity->email, "url", identity->url, "key_id", identity->key_id,
                                       "log", identity->log_origin, "log_key", vkey, "encrypted", locked),
                             true, err);
    } else {
        printf("Made keys, certificate and ledger for ");
        cli_text(stdout, identity->name);
        printf(" in %s\n", home);
        printf("  key id   %s\n  log key  %s\n", identity->key_id, vkey);
        printf("Keep a copy of this folder in a safe place: without the keys nobody can go on with this "
               "ledger.\n");
        if (!locked)
            printf("The keys are not encrypted: whoever can read the folder can sign in your name.\n"
                   "blindstamp key passphrase encrypts them.\n");
    }
    free(vkey);
    return code;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    const char *author = cli_value(args, "author");
    if (!author) {
        bst_fail(err, BST_USAGE, "init needs to know who you are");
        return bst_hint(err, "blindstamp init --author \"Ada Example\"");
    }
    if (cli_has(args, "no-passphrase") && cli_has(args, "passphrase-file"))
        return bst_fail(err, BST_USAGE, "--no-passphrase and --passphrase-file contradict each other");
    enum bst_code code = check_words(args, err);
    char *home = NULL, *passphrase = NULL, *identity_file = NULL;
    if (code == BST_OK) code = cli_home(args, false, &home, err);
    /* Before anybody types a passphrase for nothing. */
    if (code == BST_OK && !(identity_file = bst_path_join(home, "identity.json")))
        code = bst_fail_memory(err);
    if (code == BST_OK && bst_file_exists(identity_file)) {
        code = bst_fail(err, BST_USAGE, "%s already holds an identity; nothing was changed", home);
        bst_hint(err, "--home DIR makes another one elsewhere");
    }
    if (code == BST_OK && !cli_has(args, "no-passphrase"))
        code = cli_passphrase_get(args, "New passphrase for your keys", true, &passphrase, err);

    struct bst_identity identity = {0};
    const struct bst_init init = {.home = home,
                                  .author = author,
                                  .email = cli_value(args, "email"),
                                  .url = cli_value(args, "url"),
                                  .passphrase = passphrase};
    if (code == BST_OK) code = bst_home_init(&init, &identity, err);
    if (code == BST_OK) code = report(args, home, &identity, passphrase != NULL, err);
    bst_identity_clear(&identity);
    cli_passphrase_free(passphrase);
    free(identity_file);
    free(home);
    return code;
}

const struct cli_command cmd_init = {
    .name = "init",
    .summary = "make your identity: keys, certificate and an empty ledger",
    .usage = "init --author NAME [--email ADDRESS] [--url URL] [--no-passphrase]",
    .details =
        "Makes an Ed25519 key for your signature and one for your ledger, a certificate from a certificate\n"
        "authority of your own, and a ledger whose first entry says who you are. All or nothing: a failure\n"
        "leaves nothing behind, and an identity that exists is never overwritten.\n\n"
        "The keys are encrypted with a passphrase: from --passphrase-file, from the environment variable\n"
        "BLINDSTAMP_PASSPHRASE, else asked for on the terminal. With --no-passphrase anybody who can read\n"
        "the folder (mode 0700) can sign in your name.",
    .options = options,
    .examples = "blindstamp init --author \"Ada Example\" --url https://ada.example",
    .least = 0,
    .most = 0,
    .writes = true,
    .run = run,
};
