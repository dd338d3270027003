/* print.c - errors, tables, JSON, and text from strangers on the terminal. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

const char *cli_colour(FILE *out, enum cli_colour colour)
{
    static const char *const start[] = {"\033[0m", "\033[1m", "\033[32m", "\033[31m", "\033[33m", "\033[2m"};
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    if ((none && *none) || !term || !strcmp(term, "dumb") || !isatty(fileno(out))) return "";
    return start[colour];
}

void cli_text(FILE *out, const char *text)
{
    if (!text) return;
    char *safe = bst_printable(text, strlen(text));
    fputs(safe ? safe : "?", out);
    free(safe);
}

static const char *code_name(enum bst_code code)
{
    static const char *const names[] = {"ok",         "usage",   "no-provenance", "broken",
                                        "unreadable", "failure", "untrusted"};
    return (unsigned)code < sizeof names / sizeof *names ? names[code] : "failure";
}

json_t *cli_json_text(const char *text)
{
    char *safe = text ? bst_printable(text, strlen(text)) : NULL;
    json_t *value = safe ? json_string(safe) : json_null();
    free(safe);
    return value;
}

static void error_json(const struct bst_error *err)
{
    json_t *all =
        json_pack("{s:{s:i, s:s, s:o, s:o, s:o}}", "error", "code", err->code, "kind", code_name(err->code),
                  "what", cli_json_text(err->what), "where", cli_json_text(err->where[0] ? err->where : NULL),
                  "hint", cli_json_text(err->hint[0] ? err->hint : NULL));
    json_dumpf(all, stderr, JSON_COMPACT);
    fputc('\n', stderr);
    json_decref(all);
}

void cli_error(const struct bst_error *err, bool json)
{
    fflush(stdout);
    if (json) {
        error_json(err);
        return;
    }
    fprintf(stderr, "%sblindstamp:%s ", cli_colour(stderr, CLI_BAD), cli_colour(stderr, CLI_PLAIN));
    cli_text(stderr, err->what);
    if (err->where[0]) {
        fputs("\n  at ", stderr);
        cli_text(stderr, err->where);
    }
    if (err->hint[0]) {
        fputs("\n  hint: ", stderr);
        cli_text(stderr, err->hint);
    }
    fputc('\n', stderr);
}

void cli_note(const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fputs("blindstamp: ", stderr);
    cli_text(stderr, text);
    fputc('\n', stderr);
}

void cli_csv(FILE *out, const char *text)
{
    if (!text) return;
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"') fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

enum bst_code cli_json(const json_t *value, bool indent, struct bst_error *err)
{
    struct bst_buf text = {0};
    enum bst_code code = indent ? bst_json_pretty(value, &text, err) : bst_json_canonical(value, &text, err);
    if (code == BST_OK) {
        fwrite(text.data, 1, text.len, stdout);
        if (!indent) fputc('\n', stdout);
    }
    bst_buf_free(&text);
    return code;
}

enum bst_code cli_json_take(json_t *value, bool indent, struct bst_error *err)
{
    enum bst_code code = value ? cli_json(value, indent, err) : bst_fail_memory(err);
    json_decref(value);
    return code;
}

void cli_bytes(uint64_t bytes, char out[static 24])
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 999.5 && unit < 6) {
        value /= 1000;
        unit++;
    }
    snprintf(out, 24, unit && value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

enum bst_code cli_flush(struct bst_error *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return BST_OK;
    return bst_fail_errno(err, BST_FAILURE, "cannot write to standard output");
}

/* ---- tables ---- */

/* Columns that text takes on a terminal. Its characters are safe already (cli_text's rule). */
static size_t text_width(const char *text)
{
    size_t width = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        uint32_t c = *p++;
        int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
        if (more) c &= 0x3fu >> more;
        while (more-- > 0 && *p)
            c = c << 6 | (*p++ & 0x3fu);
        if ((c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f) || (c >= 0xfe00 && c <= 0xfe0f))
            continue;
        bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
                    (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
                    (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                    (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
        width += wide ? 2 : 1;
    }
    return width;
}

void cli_table_begin(struct cli_table *table, size_t columns, const char *const *heads)
{
    *table = (struct cli_table){.columns = columns, .heads = heads};
    table->cells = bst_calloc(CLI_TABLE_AHEAD * columns, sizeof *table->cells);
    table->failed = !table->cells;
    for (size_t c = 0; c < columns; c++)
        table->width[c] = text_width(heads[c]);
}

static void print_cells(const struct cli_table *table, const char *const *cells)
{
    for (size_t c = 0; c < table->columns; c++) {
        fputs(cells[c], stdout);
        size_t width = text_width(cells[c]);
        if (c + 1 < table->columns)
            printf("%*s", (int)(width < table->width[c] ? table->width[c] - width + 2 : 2), "");
    }
    fputc('\n', stdout);
}

static void table_flow(struct cli_table *table)
{
    if (!table->flowing) {
        fputs(cli_colour(stdout, CLI_FAINT), stdout);
        print_cells(table, table->heads);
        fputs(cli_colour(stdout, CLI_PLAIN), stdout);
    }
    table->flowing = true;
    for (size_t r = 0; r < table->rows; r++) {
        char **cells = table->cells + r * table->columns;
        print_cells(table, (const char *const *)cells);
        for (size_t c = 0; c < table->columns; c++)
            free(cells[c]);
    }
    table->rows = 0;
}

void cli_table_row(struct cli_table *table, const char *const *cells)
{
    if (table->failed) return;
    char **row = table->cells + table->rows * table->columns;
    for (size_t c = 0; c < table->columns; c++) {
        row[c] = cells[c] ? bst_printable(cells[c], strlen(cells[c])) : bst_strdup("unknown");
        if (!row[c]) {
            table->failed = true;
            while (c-- > 0)
                free(row[c]);
            return;
        }
        size_t width = text_width(row[c]);
        if (!table->flowing && width > table->width[c]) table->width[c] = width;
    }
    table->rows++;
    if (table->flowing || table->rows == CLI_TABLE_AHEAD) table_flow(table);
}

void cli_table_drop(struct cli_table *table)
{
    for (size_t i = 0; table->cells && i < table->rows * table->columns; i++)
        free(table->cells[i]);
    free(table->cells);
    table->cells = NULL;
    table->rows = 0;
}

enum bst_code cli_table_end(struct cli_table *table, struct bst_error *err)
{
    if (!table->failed) table_flow(table);
    cli_table_drop(table);
    return table->failed ? bst_fail_memory(err) : BST_OK;
}
