/* cmd_revoke.c - blindstamp revoke: a key is no longer to be believed. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define REASON_MAX 2000

static const struct cli_option options[] = {
    {"since", 0, "TIME", "from when on the key is not to be believed (default: now)", false},
    {"reason", 0, "TEXT", "why; it stands in the ledger for good, for all to read", false},
    CLI_PASSPHRASE_OPTION,
    {0},
};

/* The one key whose id begins so, or whose holder has this name. */
static enum bst_code find_key(const struct bst_keys *keys, const char *what, const struct bst_key_life **out,
                              struct bst_error *err)
{
    size_t len = strlen(what), matches = 0;
    for (size_t i = 0; i < keys->count; i++) {
        const struct bst_key_life *life = &keys->item[i];
        bool same = (len >= 8 && strncmp(life->key_id, what, len) == 0) || strcmp(life->name, what) == 0;
        if (!same) continue;
        *out = life;
        matches++;
    }
    if (matches == 1) return BST_OK;
    bst_fail(err, BST_USAGE,
             matches == 0 ? "the ledger has no key \"%.80s\"" : "the ledger has several keys \"%.80s\"",
             what);
    return bst_hint(
        err, "give its key id, or the first 8 digits or more: blindstamp query --kind identity --json");
}

static enum bst_code check(const struct bst_keys *keys, const struct bst_key_life *life, const char *me,
                           struct bst_error *err)
{
    const struct bst_key_life *mine = bst_keys_in_force(keys, me);
    if (mine && bst_key_may_revoke(mine, life)) return BST_OK;
    bst_fail(err, BST_USAGE, "the key of %.80s is not yours to revoke", life->name);
    return bst_hint(err, "its holder can, and so can the keeper of the ledger");
}

static enum bst_code say(const struct cli_args *args, const struct bst_revocation *revocation, uint64_t entry,
                         bool own, struct bst_error *err)
{
    char since[BST_TIME_LEN];
    bst_time_text(revocation->since_ms, since);
    if (cli_has(args, "json")) {
        return cli_json_take(json_pack("{s:I, s:s, s:o, s:s}", "entry", (json_int_t)entry, "key_id",
                                       revocation->key_id, "name", cli_json_text(revocation->name), "since",
                                       since),
                             false, err);
    }
    printf("entry %llu: the key %.16s... of ", (unsigned long long)entry, revocation->key_id);
    cli_text(stdout, revocation->name);
    printf(" is not believed from %s on\n", since);
    if (own && !cli_has(args, "quiet"))
        cli_note("that was this home's own key: what it signs from now on is not believed either; make a new "
                 "home with blindstamp init");
    return BST_OK;
}

static enum bst_code revoke(const struct cli_args *args, struct bst_stamper *stamper,
                            const struct bst_key_life *life, int64_t since_ms, struct bst_error *err)
{
    const struct bst_identity *identity = bst_stamper_identity(stamper);
    struct bst_buf payload = {0};
    uint64_t entry = 0;
    const struct bst_revocation revocation = {.name = life->name,
                                              .key_id = life->key_id,
                                              .reason = cli_value(args, "reason"),
                                              .since_ms = since_ms,
                                              .revoked_ms = bst_now_ms()};
    enum bst_code code = bst_statement_revocation(&revocation, identity, &payload, err);
    if (code == BST_OK) code = bst_stamp_statement(stamper, &payload, NULL, &entry, err);
    if (code == BST_OK)
        code = say(args, &revocation, entry, strcmp(life->key_id, identity->key_id) == 0, err);
    bst_buf_free(&payload);
    return code;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    const char *since = cli_value(args, "since"), *reason = cli_value(args, "reason");
    struct bst_stamper *stamper = NULL;
    struct bst_keys keys = {0};
    const struct bst_key_life *life = NULL;
    /* Statements give whole seconds: what was signed in the one that runs came before. */
    int64_t since_ms = (bst_now_ms() / 1000 + 1) * 1000;
    if (since && !bst_time_parse(since, &since_ms)) {
        bst_fail(err, BST_USAGE, "--since does not understand the time \"%.60s\"", since);
        return bst_hint(err, "write 2026-11-22 or 2026-11-22T09:30:00Z");
    }
    if (since && since_ms > bst_now_ms()) return bst_fail(err, BST_USAGE, "--since lies in the future");
    if (reason && cli_words("reason", reason, REASON_MAX, true, err) != BST_OK) return err->code;
    enum bst_code code = cli_author(args, &stamper, err);
    if (code == BST_OK) code = bst_ledger_keys(bst_stamper_ledger(stamper), &keys, err);
    if (code == BST_OK) code = find_key(&keys, args->operands[0], &life, err);
    if (code == BST_OK) code = check(&keys, life, bst_stamper_identity(stamper)->key_id, err);
    if (code == BST_OK) code = revoke(args, stamper, life, since_ms, err);
    bst_keys_clear(&keys);
    bst_stamper_close(stamper);
    return code;
}

const struct cli_command cmd_revoke = {
    .name = "revoke",
    .summary = "declare that a key is no longer to be believed",
    .usage = "revoke KEY|NAME [--since TIME] [--reason TEXT]",
    .details =
        "Logs a signed statement about a key of the ledger. What the key signed before --since is still\n"
        "believed, if the ledger's order shows it or a trusted time stamp proves it; the key's own word "
        "about\n"
        "the time does not count. verify and ledger verify tell the rest apart (exit code 6). The key's own\n"
        "holder may revoke it, also with the key that came after it (key rotate), and the ledger's keeper "
        "may.",
    .options = options,
    .examples = "blindstamp revoke 91853309a13f4edc --since 2026-11-01 --reason \"the laptop was stolen\"",
    .least = 1,
    .most = 1,
    .writes = true,
    .run = run,
};
