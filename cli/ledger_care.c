/* ledger_care.c - ledger backup, recover, reindex and migrate. */
#include <jansson.h>
#include <stdlib.h>

#include "ledger_verbs.h"

#define WHY_MAX 2000 /* characters */

enum bst_code ledger_backup(const struct cli_args *args, struct bst_ledger *ledger, const char *path,
                            struct bst_error *err)
{
    const char *to = args->operands[1];
    struct cli_progress progress;
    (void)path;
    cli_interrupt_catch();
    cli_progress_begin(&progress, "copying", args);
    enum bst_code code = bst_ledger_backup(ledger, to, cli_progress_step, &progress, err);
    cli_progress_clear(&progress);
    if (code != BST_OK) return code;
    if (cli_has(args, "json")) {
        code = cli_json_take(json_pack("{s:o}", "file", cli_json_text(to)), true, err);
        return code;
    }
    printf("Copied the ledger to %s and checked the copy. It holds the private words too.\n", to);
    return BST_OK;
}

/* The log's name in identity.json follows the ledger's, also when an earlier attempt ended between the two. */
static enum bst_code follow(const struct cli_args *args, const struct bst_ledger *ledger,
                            struct bst_error *err)
{
    char *home = NULL;
    enum bst_code code = cli_home(args, true, &home, err);
    if (code == BST_OK)
        code = bst_home_rename_log(home, bst_ledger_origin(ledger), bst_ledger_key(ledger), err);
    free(home);
    return code;
}

static enum bst_code say_recovered(const struct cli_args *args, const struct bst_ledger *ledger,
                                   uint64_t index, struct bst_error *err)
{
    char *vkey = NULL;
    enum bst_code code = bst_vkey_text(bst_ledger_origin(ledger), bst_ledger_key(ledger), &vkey, err);
    if (code == BST_OK && cli_has(args, "json")) {
        code = cli_json_take(json_pack("{s:I, s:s, s:s}", "entry", (json_int_t)index, "log",
                                       bst_ledger_origin(ledger), "log_key", vkey),
                             true, err);
    } else if (code == BST_OK) {
        printf("Kept %llu entries; entry %llu says what was lost. The log goes on as ",
               (unsigned long long)index, (unsigned long long)index);
        cli_text(stdout, bst_ledger_origin(ledger));
        printf(".\nGive those who check your pictures its key: %s\n", vkey);
    }
    free(vkey);
    return code;
}

enum bst_code ledger_recover(const struct cli_args *args, const char *path, struct bst_error *err)
{
    struct bst_stamper *stamper = NULL;
    uint64_t index = 0;
    (void)path;
    if (cli_value(args, "ledger")) {
        bst_fail(err, BST_USAGE, "ledger recover signs, and so works on a home's own ledger");
        return bst_hint(err, "name the home: --home DIR");
    }
    const char *why = cli_value(args, "why");
    enum bst_code code = why ? cli_words("why", why, WHY_MAX, true, err) : BST_OK;
    if (code == BST_OK) code = cli_author(args, &stamper, err);
    if (code != BST_OK) return code;
    struct bst_ledger *ledger = bst_stamper_ledger(stamper);
    code = bst_stamp_recover(stamper, why, &index, err);
    struct bst_error other;
    enum bst_code followed = code == BST_OK || code == BST_USAGE ? follow(args, ledger, &other) : BST_OK;
    if (code == BST_OK && followed != BST_OK) {
        *err = other;
        code = followed;
    }
    if (code == BST_OK) code = say_recovered(args, ledger, index, err);
    bst_stamper_close(stamper);
    return code;
}

enum bst_code ledger_reindex(const struct cli_args *args, const char *path, struct bst_error *err)
{
    struct bst_ledger *ledger;
    struct cli_progress progress;
    enum bst_code code = bst_ledger_open(path, BST_LEDGER_WRITE, &ledger, err);
    if (code != BST_OK) return code;
    cli_interrupt_catch();
    cli_progress_begin(&progress, "indexing", args);
    code = bst_ledger_rebuild(ledger, cli_progress_step, &progress, err);
    cli_progress_clear(&progress);
    unsigned long long size = bst_ledger_size(ledger);
    if (code == BST_OK)
        printf(cli_has(args, "json") ? "{\"entries\":%llu}\n" : "Made the index of %llu entries anew.\n",
               size);
    bst_ledger_close(ledger);
    return code;
}

enum bst_code ledger_migrate(const struct cli_args *args, const char *path, struct bst_error *err)
{
    struct cli_progress progress;
    unsigned from = 0, to = 0;
    cli_interrupt_catch();
    cli_progress_begin(&progress, "indexing", args);
    enum bst_code code = bst_ledger_migrate(path, &from, &to, cli_progress_step, &progress, err);
    cli_progress_clear(&progress);
    if (code != BST_OK) return code;
    if (cli_has(args, "json"))
        printf("{\"from\":%u,\"to\":%u}\n", from, to);
    else if (from == to)
        printf("The ledger is of version %u already.\n", to);
    else
        printf("The ledger was of version %u and is of version %u now; its entries are as they were.\n", from,
               to);
    return BST_OK;
}
