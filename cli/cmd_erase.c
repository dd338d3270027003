/* cmd_erase.c - blindstamp erase: private words that the ledger keeps are erased for good. */
#include <jansson.h>
#include <stdlib.h>

#include "cli.h"

#define FIELDS_MAX 16

static const struct cli_option options[] = {
    {"field", 0, "NAME", "only these words: prompt, title, why ... (else all that the entry keeps)", true},
    CLI_PASSPHRASE_OPTION,
    {0},
};

/* An entry's number, or a picture's entry. */
static enum bst_code find_entry(struct bst_ledger *ledger, const char *what, uint64_t *entry,
                                struct bst_error *err)
{
    struct bst_rights rights;
    if (!bst_file_exists(what) && bst_parse_u64(what, entry)) return BST_OK;
    enum bst_code code = bst_ledger_rights(ledger, what, &rights, err);
    if (code != BST_OK) return code;
    *entry = rights.entry;
    bst_rights_clear(&rights);
    return BST_OK;
}

static enum bst_code say(const struct cli_args *args, uint64_t entry, uint64_t index, struct bst_error *err)
{
    if (cli_has(args, "json")) {
        return cli_json_take(
            json_pack("{s:I, s:I}", "erased_from", (json_int_t)entry, "entry", (json_int_t)index), false,
            err);
    }
    printf("Erased the words of entry %llu; entry %llu says so. Proofs and signatures hold as before.\n",
           (unsigned long long)entry, (unsigned long long)index);
    if (!cli_has(args, "quiet"))
        cli_note(
            "backups of the ledger made earlier still hold the words, and so do pictures that show them");
    return BST_OK;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    const char *fields[FIELDS_MAX];
    struct bst_stamper *stamper = NULL;
    size_t count = 0;
    uint64_t entry = 0, index = 0;
    while (count < FIELDS_MAX && (fields[count] = cli_nth(args, "field", count)))
        count++;
    enum bst_code code = cli_author(args, &stamper, err);
    if (code == BST_OK) code = find_entry(bst_stamper_ledger(stamper), args->operands[0], &entry, err);
    if (code == BST_OK) code = bst_stamp_erase(stamper, entry, fields, count, &index, err);
    if (code == BST_OK) code = say(args, entry, index, err);
    bst_stamper_close(stamper);
    return code;
}

const struct cli_command cmd_erase = {
    .name = "erase",
    .summary = "erase private words that the ledger keeps, for good",
    .usage = "erase ENTRY|FILE [--field NAME]...",
    .details =
        "Words that a statement only commits to (--privacy partner or private) lie beside it in the "
        "ledger's\n"
        "file. This takes them out of every part of that file, and logs a statement that names the fields "
        "and\n"
        "not the words. The entry itself, its proof and every signature stay whole: nobody can tell any "
        "more\n"
        "what the words were, not even you. What a statement shows openly is signed and cannot be erased.",
    .options = options,
    .examples = "blindstamp erase 17 --field prompt\nblindstamp erase dots-7.png",
    .least = 1,
    .most = 1,
    .writes = true,
    .run = run,
};
