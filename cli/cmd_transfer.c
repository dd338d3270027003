/* cmd_transfer.c - blindstamp transfer: the rights in a picture are passed on. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define NAME_MAX_BYTES 300
#define PEM_MAX        65536

static const struct cli_option options[] = {
    {"to", 0, "NAME|KEY", "the new holder: a name, a key id of the ledger, or a public key's file", false},
    {"name", 0, "NAME", "the new holder's name, when --to is a key", false},
    {"licence", 0, "LICENCE", "under which licence from now on, as an SPDX expression or in words", false},
    CLI_PASSPHRASE_OPTION,
    {0},
};

/* ---- to whom ---- */

struct holder {
    char *name;
    char key_id[BST_SHA256_HEX]; /* or "" */
};

static enum bst_code read_key_file(const char *path, struct holder *out, struct bst_error *err)
{
    struct bst_buf pem = {0};
    uint8_t key[BST_KEY_LEN];
    enum bst_code code = bst_file_read(path, PEM_MAX, &pem, err);
    if (code == BST_OK) code = bst_key_public_from_pem((const char *)pem.data, pem.len, key, err);
    if (code == BST_OK) bst_key_id(key, out->key_id);
    bst_buf_free(&pem);
    return code == BST_OK ? BST_OK : bst_where(err, "%s", path);
}

/* A key of the ledger brings its holder's name along. */
static enum bst_code name_of_key(struct bst_ledger *ledger, struct holder *out, struct bst_error *err)
{
    struct bst_keys keys;
    enum bst_code code = bst_ledger_keys(ledger, &keys, err);
    if (code != BST_OK) return code;
    const struct bst_key_life *life = bst_keys_find(&keys, out->key_id);
    out->name = life ? bst_strdup(life->name) : NULL;
    if (life && !out->name) code = bst_fail_memory(err);
    if (!life) {
        bst_fail(err, BST_USAGE, "the ledger does not know whose key %.16s... is", out->key_id);
        code = bst_hint(err, "say it with --name");
    }
    bst_keys_clear(&keys);
    return code;
}

static enum bst_code read_holder(const struct cli_args *args, struct bst_ledger *ledger, struct holder *out,
                                 struct bst_error *err)
{
    const char *to = cli_value(args, "to"), *name = cli_value(args, "name");
    uint8_t digest[BST_SHA256_LEN];
    enum bst_code code = BST_OK;
    if (!to) {
        bst_fail(err, BST_USAGE, "transfer needs --to: who holds the rights from now on");
        return bst_hint(err, "blindstamp transfer dots-7.png --to \"Ben Example\" --licence CC-BY-4.0");
    }
    if (bst_unhex(to, digest, sizeof digest)) {
        bst_hex(digest, sizeof digest, out->key_id);
    } else if (bst_file_exists(to)) {
        code = read_key_file(to, out, err);
    } else if (name) {
        return bst_fail(err, BST_USAGE, "--name goes with a key; --to \"%.80s\" is a name itself", to);
    }
    if (code != BST_OK) return code;
    if (!*out->key_id) name = to;
    if (!name) return name_of_key(ledger, out, err);
    code = cli_words(*out->key_id ? "name" : "to", name, NAME_MAX_BYTES, false, err);
    if (code == BST_OK && !(out->name = bst_strdup(name))) code = bst_fail_memory(err);
    return code;
}

/* ---- the transfer ---- */

static enum bst_code check(struct bst_stamper *stamper, const struct bst_rights *rights,
                           struct bst_error *err)
{
    struct bst_keys keys;
    const struct bst_key_life *mine;
    enum bst_code code = cli_author_key(stamper, &keys, &mine, err);
    if (code != BST_OK) return code;
    bool may = bst_rights_may_transfer(rights, mine);
    bst_keys_clear(&keys);
    if (may) return BST_OK;
    bst_fail(err, BST_USAGE, "the rights are with %.200s since entry %llu, not with you", rights->holder,
             (unsigned long long)rights->holder_entry);
    return bst_hint(err, "only the present holder can pass them on");
}

static enum bst_code record(const struct cli_args *args, struct bst_stamper *stamper,
                            const struct bst_rights *rights, const struct holder *to, uint64_t *entry,
                            struct bst_error *err)
{
    struct bst_buf payload = {0};
    const struct bst_transfer transfer = {.picture = rights->picture,
                                          .to_name = to->name,
                                          .to_key_id = *to->key_id ? to->key_id : NULL,
                                          .licence = cli_value(args, "licence"),
                                          .transferred_ms = bst_now_ms()};
    enum bst_code code = bst_statement_transfer(&transfer, bst_stamper_identity(stamper), &payload, err);
    if (code == BST_OK) code = bst_stamp_statement(stamper, &payload, NULL, entry, err);
    bst_buf_free(&payload);
    return code;
}

static enum bst_code say(const struct cli_args *args, const struct bst_rights *rights,
                         const struct holder *to, uint64_t entry, struct bst_error *err)
{
    if (cli_has(args, "json")) {
        return cli_json_take(json_pack("{s:I, s:I, s:o, s:o, s:s?}", "entry", (json_int_t)entry, "picture",
                                       (json_int_t)rights->entry, "file", cli_json_text(rights->picture.name),
                                       "holder", cli_json_text(to->name), "holder_key_id",
                                       *to->key_id ? to->key_id : NULL),
                             false, err);
    }
    printf("entry %llu: the rights in ", (unsigned long long)entry);
    cli_text(stdout, rights->picture.name ? rights->picture.name : "the picture");
    printf(" (entry %llu) are with ", (unsigned long long)rights->entry);
    cli_text(stdout, to->name);
    printf(" now\n");
    if (!*to->key_id && !cli_has(args, "quiet"))
        cli_note("a name has no key: nobody can pass these rights on in this ledger");
    return BST_OK;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    const char *licence = cli_value(args, "licence");
    struct bst_stamper *stamper = NULL;
    struct bst_rights rights = {0};
    struct holder to = {0};
    uint64_t entry = 0;
    if (licence && cli_words("licence", licence, NAME_MAX_BYTES, false, err) != BST_OK) return err->code;
    enum bst_code code = cli_author(args, &stamper, err);
    if (code == BST_OK) code = read_holder(args, bst_stamper_ledger(stamper), &to, err);
    if (code == BST_OK)
        code = bst_ledger_rights(bst_stamper_ledger(stamper), args->operands[0], &rights, err);
    if (code == BST_OK) code = check(stamper, &rights, err);
    if (code == BST_OK) code = record(args, stamper, &rights, &to, &entry, err);
    if (code == BST_OK) code = say(args, &rights, &to, entry, err);
    free(to.name);
    bst_rights_clear(&rights);
    bst_stamper_close(stamper);
    return code;
}

const struct cli_command cmd_transfer = {
    .name = "transfer",
    .summary = "pass the rights in a picture on",
    .usage = "transfer FILE|ID --to NAME|KEY [--name NAME] [--licence LICENCE]",
    .details =
        "Logs a signed statement that somebody else holds the rights in a picture from now on. Only the\n"
        "present holder can: the author, or whom the rights were passed to last. Passed to a key, its "
        "holder\n"
        "can pass them on again; passed to a name, nobody can. verify names the present holder. ID is an\n"
        "entry's number, an image id or a digest.",
    .options = options,
    .examples = "blindstamp transfer dots-7.png --to \"Ben Example\" --licence CC-BY-4.0\n"
                "blindstamp transfer 17 --to ben.pem --name \"Ben Example\"",
    .least = 1,
    .most = 1,
    .writes = true,
    .run = run,
};
