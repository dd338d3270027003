/* ledger_add.c - ledger add: statements that others signed, taken into this home's ledger. */
#include <stdlib.h>
#include <string.h>

#include "ledger_verbs.h"

#define FILE_MAX  (256u << 20)
#define LINES_MAX 100000

/* The file's lines as entries, which point into it; empty ones do not count. */
static enum bst_code split(const struct bst_buf *text, struct bst_entry **out, size_t *count,
                           struct bst_error *err)
{
    const char *line = (const char *)text->data, *end = line + text->len;
    struct bst_entry *entries = bst_calloc(LINES_MAX, sizeof *entries);
    if (!entries) return bst_fail_memory(err);
    *count = 0;
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t len = (size_t)((stop ? stop : end) - line);
        if (len > 0 && *count == LINES_MAX) {
            free(entries);
            bst_fail(err, BST_USAGE, "the file holds more than %d statements", LINES_MAX);
            return bst_hint(err, "split it: split -l %d FILE", LINES_MAX);
        }
        if (len > 0) entries[(*count)++] = (struct bst_entry){line, len, NULL};
        line += len + 1;
    }
    *out = entries;
    if (*count > 0) return BST_OK;
    free(entries);
    return bst_fail(err, BST_UNREADABLE, "the file holds no statements");
}

enum bst_code ledger_add(const struct cli_args *args, const char *path, struct bst_error *err)
{
    struct bst_stamper *stamper = NULL;
    struct bst_entry *entries = NULL;
    struct bst_buf text = {0};
    size_t count = 0;
    uint64_t first = 0;
    (void)path;
    if (cli_value(args, "ledger"))
        return bst_fail(err, BST_USAGE, "ledger add writes into the home's own ledger; --home names another");
    enum bst_code code = bst_file_read(args->operands[1], FILE_MAX, &text, err);
    if (code == BST_OK) code = split(&text, &entries, &count, err);
    if (code == BST_OK) code = cli_author(args, &stamper, err);
    if (code == BST_OK && bst_stamp_take(stamper, entries, count, &first, err) != BST_OK)
        code = bst_where(err, "%s", args->operands[1]);
    if (code == BST_OK)
        printf(cli_has(args, "json") ? "{\"entries\":%zu,\"first\":%llu}\n"
                                     : "Took in %zu statements, from entry %llu on.\n",
               count, (unsigned long long)first);
    bst_stamper_close(stamper);
    free(entries);
    bst_buf_free(&text);
    return code;
}
