/* cmd_withdraw.c - blindstamp withdraw: a notice that a picture is to be taken down. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define REASON_MAX 2000

static const struct cli_option options[] = {
    {"reason", 0, "TEXT", "why; it stands in the ledger for good, for all to read", false},
    CLI_PASSPHRASE_OPTION,
    {0},
};

static enum bst_code check(struct bst_stamper *stamper, const struct bst_rights *rights,
                           struct bst_error *err)
{
    struct bst_keys keys;
    const struct bst_key_life *mine;
    if (rights->withdrawn) {
        bst_fail(err, BST_USAGE, "the picture was withdrawn already, by entry %llu",
                 (unsigned long long)rights->withdrawn_entry);
        return bst_hint(err, "blindstamp verify says so of the picture");
    }
    enum bst_code code = cli_author_key(stamper, &keys, &mine, err);
    if (code != BST_OK) return code;
    bool may = bst_rights_may_withdraw(rights, mine);
    bst_keys_clear(&keys);
    if (may) return BST_OK;
    bst_fail(err, BST_USAGE, "the picture is neither yours nor have you the ledger's keeping");
    return bst_hint(err, "%s may withdraw it", rights->holder);
}

static enum bst_code say(const struct cli_args *args, const struct bst_rights *rights, uint64_t entry,
                         struct bst_error *err)
{
    if (cli_has(args, "json")) {
        return cli_json_take(json_pack("{s:I, s:I, s:o}", "entry", (json_int_t)entry, "picture",
                                       (json_int_t)rights->entry, "file",
                                       cli_json_text(rights->picture.name)),
                             false, err);
    }
    printf("entry %llu: ", (unsigned long long)entry);
    cli_text(stdout, rights->picture.name ? rights->picture.name : "the picture");
    printf(" (entry %llu) is withdrawn\n", (unsigned long long)rights->entry);
    return BST_OK;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    const char *reason = cli_value(args, "reason");
    struct bst_stamper *stamper = NULL;
    struct bst_rights rights = {0};
    struct bst_buf payload = {0};
    uint64_t entry = 0;
    if (reason && cli_words("reason", reason, REASON_MAX, true, err) != BST_OK) return err->code;
    enum bst_code code = cli_author(args, &stamper, err);
    if (code == BST_OK)
        code = bst_ledger_rights(bst_stamper_ledger(stamper), args->operands[0], &rights, err);
    if (code == BST_OK) code = check(stamper, &rights, err);
    if (code == BST_OK)
        code = bst_statement_withdrawal(&rights.picture, reason, bst_now_ms(), bst_stamper_identity(stamper),
                                        &payload, err);
    if (code == BST_OK) code = bst_stamp_statement(stamper, &payload, NULL, &entry, err);
    if (code == BST_OK) code = say(args, &rights, entry, err);
    bst_buf_free(&payload);
    bst_rights_clear(&rights);
    bst_stamper_close(stamper);
    return code;
}

const struct cli_command cmd_withdraw = {
    .name = "withdraw",
    .summary = "give notice that a picture is to be taken down",
    .usage = "withdraw FILE|ID [--reason TEXT]",
    .details =
        "Logs a signed take-down notice. The picture stays what it is, and its credentials hold; verify "
        "says\n"
        "that it was withdrawn, by whom and when, also of copies with the same pixels. ID is an entry's "
        "number,\n"
        "an image id or a digest. The author, the present holder of the rights and the ledger's keeper may.",
    .options = options,
    .examples = "blindstamp withdraw dots-7.png --reason \"the sitter asked for it\"\nblindstamp withdraw 17",
    .least = 1,
    .most = 1,
    .writes = true,
    .run = run,
};
