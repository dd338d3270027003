/* sweep_report.c - findings kept until a report is written. */
#include <stdlib.h>
#include <string.h>

#include "sweep.h"

struct bst_sweep_report *bst_sweep_report_new(void)
{
    return bst_calloc(1, sizeof(struct bst_sweep_report));
}

static void kept_free(struct sweep_kept *kept)
{
    if (!kept) return;
    for (size_t i = 0; i < SWEEP_EVIDENCE; i++) {
        free(kept->files[i]);
        free(kept->digests[i]);
    }
    free(kept->detail);
    free(kept->words);
    free(kept);
}

void bst_sweep_report_free(struct bst_sweep_report *report)
{
    if (!report) return;
    for (size_t i = 0; i < report->count; i++)
        kept_free(report->kept[i]);
    free(report->kept);
    free(report);
}

static bool copy(char **to, const char *from)
{
    return !from || (*to = bst_strdup(from)) != NULL;
}

static struct sweep_kept *keep(const struct bst_sweep_finding *finding)
{
    struct sweep_kept *kept = bst_calloc(1, sizeof *kept);
    if (!kept) return NULL;
    kept->finding = *finding;
    bool whole = copy(&kept->detail, finding->detail) && copy(&kept->words, finding->words);
    for (size_t i = 0; i < finding->entry_count; i++)
        kept->entries[i] = finding->entries[i];
    for (size_t i = 0; i < finding->file_count && whole; i++)
        whole = copy(&kept->files[i], finding->files[i]);
    for (size_t i = 0; i < finding->digest_count && whole; i++)
        whole = copy(&kept->digests[i], finding->digests[i]);
    if (!whole) {
        kept_free(kept);
        return NULL;
    }
    kept->finding.detail = kept->detail;
    kept->finding.words = kept->words;
    kept->finding.entries = kept->entries;
    kept->finding.files = (const char *const *)kept->files;
    kept->finding.digests = (const char *const *)kept->digests;
    return kept;
}

bool bst_sweep_report_add(struct bst_sweep_report *report, const struct bst_sweep_finding *finding)
{
    if (++report->of_rule[sweep_rule_number(finding->rule)] > BST_SWEEP_KEPT) return true;
    if (report->count == report->room) {
        size_t room = report->room ? 2 * report->room : 64;
        struct sweep_kept **grown = realloc(report->kept, room * sizeof(struct sweep_kept *));
        if (!grown) return false;
        report->kept = grown;
        report->room = room;
    }
    struct sweep_kept *kept = keep(finding);
    if (!kept) return false;
    report->kept[report->count++] = kept;
    return true;
}
