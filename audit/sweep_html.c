/* sweep_html.c - the findings as one page of HTML for people: no script, nothing fetched, small pictures of the files. Words
 * of strangers are escaped, and kept from turning the reading direction of what stands around them (bdi). */
#include <stdlib.h>
#include <string.h>

#include "sweep.h"

#define PICTURES_MAX  200 /* small pictures on the page */
#define PICTURES_EACH 2   /* of one finding */

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "img-src "
    "data:\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Audit of a "
    "ledger</title>\n<style>\n"
    "body{font:16px/1.5 system-ui,sans-serif;color:#1b1f24;background:#fff;margin:0 auto;padding:2rem 1.5rem;"
    "max-width:64rem}\n"
    "h1{font-size:1.7rem;margin:0 0 .3rem}h2{font-size:1.15rem;margin:2.2rem 0 .3rem}p{margin:.3rem 0}\n"
    "table{border-collapse:collapse;margin:1rem 0;width:100%}th,td{text-align:left;padding:.35rem .8rem "
    ".35rem 0;"
    "border-bottom:1px solid #d7dce1;vertical-align:top}td.n{text-align:right}\n"
    ".s{display:inline-block;min-width:4.6em;text-align:center;border-radius:.3em;padding:0 "
    ".4em;font-size:.82rem;"
    "font-weight:600}\n"
    ".error{background:#b3261e;color:#fff}.warning{background:#f4c430;color:#1b1f24}.note{background:#dfe5eb;"
    "color:#1b1f24}.good{background:#1f7a3d;color:#fff}\n"
    "code{font:.85rem/1.4 ui-monospace,monospace;overflow-wrap:anywhere}.faint{color:#59636e}\n"
    ".f{border-left:.25rem solid #d7dce1;padding:.2rem 0 .4rem .9rem;margin:.8rem 0;overflow:hidden;"
    "break-inside:avoid}.f img{float:right;max-width:8rem;max-height:8rem;margin:0 0 .3rem .8rem;border:1px "
    "solid "
    "#d7dce1}\n"
    "@media(prefers-color-scheme:dark){body{background:#14171a;color:#e6e9ec}th,td,.f,.f "
    "img{border-color:#3a4149}"
    ".faint{color:#9aa5b1}}\n"
    "@media print{body{max-width:none;padding:0}}\n</style>\n</head>\n<body>\n";

/* Text that anybody may have written. */
static void put(struct bst_buf *out, const char *text)
{
    char *safe = bst_printable(text, strlen(text));
    if (!safe) out->failed = true;
    for (const char *p = safe; p && *p; p++) {
        if (*p == '&')
            bst_buf_text(out, "&amp;");
        else if (*p == '<')
            bst_buf_text(out, "&lt;");
        else if (*p == '>')
            bst_buf_text(out, "&gt;");
        else if (*p == '"')
            bst_buf_text(out, "&quot;");
        else if (*p == '\'')
            bst_buf_text(out, "&#39;");
        else
            bst_buf_byte(out, (uint8_t)*p);
    }
    free(safe);
}

static void put_in(struct bst_buf *out, const char *element, const char *text)
{
    bst_buf_printf(out, "<%s>", element);
    put(out, text);
    bst_buf_printf(out, "</%s>", element);
}

static void put_severity(struct bst_buf *out, enum bst_severity severity)
{
    const char *name = sweep_severity(severity);
    bst_buf_printf(out, "<span class=\"s %s\">%s</span>", name, name);
}

/* What cannot be shown small is not shown; the finding says what is wrong with it. */
static void put_picture(struct bst_buf *out, const char *path)
{
    struct bst_buf picture = {0};
    struct bst_error ignored = {0};
    if (bst_thumbnail_file(path, &picture, &ignored) == BST_OK && picture.len) {
        char *text = bst_base64(picture.data, picture.len);
        bst_buf_text(out, "<img alt=\"\" src=\"data:image/jpeg;base64,");
        if (text) bst_buf_text(out, text);
        bst_buf_text(out, "\">");
        out->failed |= !text;
        free(text);
    }
    bst_buf_free(&picture);
}

static void put_finding(struct bst_buf *out, const struct bst_sweep_finding *finding, size_t *pictures)
{
    bst_buf_text(out, "<div class=\"f\">");
    for (size_t i = 0; i < finding->file_count && i < PICTURES_EACH && *pictures < PICTURES_MAX;
         i++, ++*pictures)
        put_picture(out, finding->files[i]);
    bst_buf_text(out, "<p>");
    put_in(out, "bdi", finding->words);
    bst_buf_text(out, "</p>");
    for (size_t i = 0; i < finding->file_count; i++) {
        bst_buf_text(out, "<p><code><bdi>");
        put(out, finding->files[i]);
        bst_buf_text(out, "</bdi></code></p>");
    }
    if (finding->detail || finding->entry_count) bst_buf_text(out, "<p class=\"faint\">");
    for (size_t i = 0; i < finding->entry_count; i++)
        bst_buf_printf(out, "%s%llu",
                       i                          ? ", "
                       : finding->entry_count > 1 ? "entries "
                                                  : "entry ",
                       (unsigned long long)finding->entries[i]);
    if (finding->detail) {
        bst_buf_text(out, finding->entry_count ? "; rule of ledger verify: " : "rule of ledger verify: ");
        put_in(out, "code", finding->detail);
    }
    if (finding->detail || finding->entry_count) bst_buf_text(out, "</p>");
    for (size_t i = 0; i < finding->digest_count; i++) {
        bst_buf_text(out, "<p class=\"faint\">SHA-256 ");
        put_in(out, "code", finding->digests[i]);
        bst_buf_text(out, "</p>");
    }
    bst_buf_text(out, "</div>\n");
}

static void put_table(struct bst_buf *out, const struct bst_sweep_summary *summary)
{
    const struct bst_sweep_rule *rule;
    bst_buf_text(
        out, "<table>\n<tr><th>severity</th><th>rule</th><th>what is found</th><th>how often</th></tr>\n");
    for (int severity = BST_ERROR; severity >= BST_NOTE; severity--)
        for (size_t i = 0; (rule = bst_sweep_rule(i)); i++) {
            if (!summary->count[i] || rule->severity != (enum bst_severity)severity) continue;
            bst_buf_text(out, "<tr><td>");
            put_severity(out, rule->severity);
            bst_buf_printf(out, "</td><td><a href=\"#%s\"><code>%s</code></a></td><td>", rule->id, rule->id);
            put(out, rule->summary);
            bst_buf_printf(out, "</td><td class=\"n\">%llu</td></tr>\n",
                           (unsigned long long)summary->count[i]);
        }
    bst_buf_text(out, "</table>\n");
}

static void put_rule(struct bst_buf *out, const struct bst_sweep_report *report, size_t number,
                     uint64_t count, size_t *pictures)
{
    const struct bst_sweep_rule *rule = bst_sweep_rule(number);
    bst_buf_printf(out, "<h2 id=\"%s\">", rule->id);
    put_severity(out, rule->severity);
    bst_buf_printf(out, " <code>%s</code></h2>\n<p>", rule->id);
    put(out, rule->fix);
    bst_buf_text(out, "</p>\n");
    for (size_t i = 0; i < report->count; i++)
        if (report->kept[i]->finding.rule == rule) put_finding(out, &report->kept[i]->finding, pictures);
    if (count > BST_SWEEP_KEPT)
        bst_buf_printf(out, "<p class=\"faint\">... and %llu more of this rule.</p>\n",
                       (unsigned long long)(count - BST_SWEEP_KEPT));
}

enum bst_code bst_sweep_html(const struct bst_sweep_report *report, const struct bst_sweep_summary *summary,
                             const char *ledger, struct bst_buf *out, struct bst_error *err)
{
    const struct bst_sweep_rule *rule;
    char now[BST_TIME_LEN];
    size_t pictures = 0;
    bool any = summary->by_severity[BST_NOTE] || summary->by_severity[BST_WARNING] ||
               summary->by_severity[BST_ERROR];
    bst_time_text(bst_now_ms(), now);
    bst_buf_text(out, head);
    bst_buf_text(out, "<h1>Audit of a ledger</h1>\n<p><code><bdi>");
    put(out, ledger);
    bst_buf_printf(
        out,
        "</bdi></code></p>\n<p>%llu entries and %llu files, looked at on %s by Blindstamp " BST_VERSION
        ".</p>\n",
        (unsigned long long)summary->entries, (unsigned long long)summary->files, now);
    if (any)
        put_table(out, summary);
    else
        bst_buf_text(out, "<p><span class=\"s good\">clean</span> None of the rules found anything.</p>\n");
    for (int severity = BST_ERROR; severity >= BST_NOTE; severity--)
        for (size_t i = 0; (rule = bst_sweep_rule(i)); i++)
            if (summary->count[i] && rule->severity == (enum bst_severity)severity)
                put_rule(out, report, i, summary->count[i], &pictures);
    bst_buf_text(out, "</body>\n</html>\n");
    return out->failed ? bst_fail_memory(err) : BST_OK;
}
