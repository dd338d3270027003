/* ledger_care.c - ledger backup, reindex and migrate. */
#include <jansson.h>

#include "ledger_verbs.h"

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
        json_t *all = json_pack("{s:o}", "file", cli_json_text(to));
        code = all ? cli_json(all, true, err) : bst_fail_memory(err);
        json_decref(all);
        return code;
    }
    printf("Copied the ledger to %s and checked the copy. It holds the private words too.\n", to);
    return BST_OK;
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
