/* ledger_export.c - ledger export: for people as one folder of plain files, for web servers as tiles. */
#include <jansson.h>

#include "ledger_verbs.h"

static enum bst_code export_tiles(const struct cli_args *args, struct bst_ledger *ledger, const char *folder,
                                  struct bst_error *err)
{
    struct bst_published done;
    struct cli_progress progress;
    cli_interrupt_catch();
    cli_progress_begin(&progress, "exporting", args);
    enum bst_code code = bst_ledger_export_tiles(ledger, folder, cli_progress_step, &progress, &done, err);
    cli_progress_clear(&progress);
    if (code != BST_OK) return code;
    if (cli_has(args, "json")) {
        code = cli_json_take(json_pack("{s:o, s:I, s:I, s:I}", "folder", cli_json_text(folder), "entries",
                                       (json_int_t)done.entries, "before", (json_int_t)done.before, "files",
                                       (json_int_t)done.files),
                             true, err);
        return code;
    }
    if (done.entries == done.before)
        printf("All %llu entries were published in %s already\n", (unsigned long long)done.entries, folder);
    else
        printf("Published entries %llu to %llu in %s: %llu files and the checkpoint\n",
               (unsigned long long)done.before, (unsigned long long)done.entries - 1, folder,
               (unsigned long long)done.files);
    return BST_OK;
}

enum bst_code ledger_export(const struct cli_args *args, struct bst_ledger *ledger, const char *path,
                            struct bst_error *err)
{
    const char *folder = args->operands[1];
    (void)path;
    if (cli_has(args, "tiles")) return export_tiles(args, ledger, folder, err);
    enum bst_code code = bst_ledger_export(ledger, folder, err);
    if (code != BST_OK) return code;
    unsigned long long size = bst_ledger_size(ledger);
    if (cli_has(args, "json")) {
        code = cli_json_take(
            json_pack("{s:o, s:I}", "folder", cli_json_text(folder), "entries", (json_int_t)size), true, err);
        return code;
    }
    printf("Wrote %llu entries, the checkpoint and the verifier key to %s\n", size, folder);
    return BST_OK;
}
