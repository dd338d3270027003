/* sweep_sarif.c - the findings as SARIF 2.1.0 (OASIS), which code scanners and review tools read. Numbers of sections are
 * that standard's. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sweep.h"

static json_t *message(const char *text)
{
    char *safe = bst_printable(text, strlen(text));
    json_t *value = safe ? json_pack("{s:s}", "text", safe) : NULL;
    free(safe);
    return value;
}

static json_t *rules(void)
{
    json_t *list = json_array();
    const struct bst_sweep_rule *rule;
    for (size_t i = 0; (rule = bst_sweep_rule(i)); i++)
        json_array_append_new(
            list, json_pack("{s:s, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:i}}", "id", rule->id, "shortDescription",
                            "text", rule->summary, "help", "text", rule->fix, "defaultConfiguration", "level",
                            sweep_severity(rule->severity), "properties", "exitCode", rule->code));
    return list;
}

/* A path as a URI reference (3.4.3): all but unreserved characters and slashes in percent. */
static json_t *uri(const char *path)
{
    struct bst_buf text = {0};
    if (path[0] == '/') bst_buf_text(&text, "file://");
    for (const char *p = path; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
                     strchr("-._~/", *p);
        bst_buf_printf(&text, plain ? "%c" : "%%%02X", (unsigned char)*p);
    }
    const char *whole = bst_buf_string(&text);
    json_t *value = whole ? json_string(whole) : NULL;
    bst_buf_free(&text);
    return value;
}

/* The first file is where it was found; entries are places in the ledger (3.28.4). */
static json_t *locations(const struct bst_sweep_finding *finding)
{
    json_t *list = json_array(), *entries = json_array(), *place = json_object();
    for (size_t i = 0; i < finding->entry_count; i++) {
        char name[32];
        snprintf(name, sizeof name, "entry %llu", (unsigned long long)finding->entries[i]);
        json_array_append_new(entries,
                              json_pack("{s:s, s:s}", "fullyQualifiedName", name, "kind", "ledger entry"));
    }
    if (finding->file_count)
        json_object_set_new(place, "physicalLocation",
                            json_pack("{s:{s:o}}", "artifactLocation", "uri", uri(finding->files[0])));
    if (json_array_size(entries)) json_object_set(place, "logicalLocations", entries);
    json_decref(entries);
    if (json_object_size(place))
        json_array_append_new(list, place);
    else
        json_decref(place);
    return list;
}

static json_t *related(const struct bst_sweep_finding *finding)
{
    json_t *list = json_array();
    for (size_t i = 1; i < finding->file_count; i++)
        json_array_append_new(list, json_pack("{s:I, s:{s:{s:o}}}", "id", (json_int_t)i, "physicalLocation",
                                              "artifactLocation", "uri", uri(finding->files[i])));
    return list;
}

/* What makes it the same finding the next time (3.27.17): rule and evidence, not the words. */
static void fingerprint(const struct bst_sweep_finding *finding, char out[static BST_SHA256_HEX])
{
    struct bst_buf text = {0};
    uint8_t digest[BST_SHA256_LEN];
    bst_buf_printf(&text, "%s/%s", finding->rule->id, finding->detail ? finding->detail : "");
    for (size_t i = 0; i < finding->entry_count; i++)
        bst_buf_printf(&text, "\nentry %llu", (unsigned long long)finding->entries[i]);
    for (size_t i = 0; i < finding->file_count; i++)
        bst_buf_printf(&text, "\nfile %s", finding->files[i]);
    for (size_t i = 0; i < finding->digest_count; i++)
        bst_buf_printf(&text, "\n%s", finding->digests[i]);
    bst_sha256(text.data, text.len, digest);
    bst_hex(digest, sizeof digest, out);
    bst_buf_free(&text);
}

static json_t *result(const struct bst_sweep_finding *finding)
{
    char print[BST_SHA256_HEX];
    char *id = finding->detail ? bst_format("%s/%s", finding->rule->id, finding->detail)
                               : bst_strdup(finding->rule->id);
    json_t *digests = json_array();
    fingerprint(finding, print);
    for (size_t i = 0; i < finding->digest_count; i++)
        json_array_append_new(digests, json_string(finding->digests[i]));
    json_t *value =
        json_pack("{s:s, s:I, s:s, s:o, s:o, s:o, s:{s:s}, s:{s:i, s:o}}", "ruleId", id, "ruleIndex",
                  (json_int_t)sweep_rule_number(finding->rule), "level", sweep_severity(finding->severity),
                  "message", message(finding->words), "locations", locations(finding), "relatedLocations",
                  related(finding), "partialFingerprints", "blindstampEvidence/v1", print, "properties",
                  "exitCode", finding->code, "sha256", digests);
    free(id);
    return value;
}

enum bst_code bst_sweep_sarif(const struct bst_sweep_report *report, const struct bst_sweep_summary *summary,
                              const char *ledger, struct bst_buf *out, struct bst_error *err)
{
    json_t *results = json_array(), *counts = json_object();
    const struct bst_sweep_rule *rule;
    for (size_t i = 0; i < report->count; i++)
        if (json_array_append_new(results, result(&report->kept[i]->finding)) != 0) {
            json_decref(results);
            json_decref(counts);
            return bst_fail_memory(err);
        }
    for (size_t i = 0; (rule = bst_sweep_rule(i)); i++)
        if (summary->count[i])
            json_object_set_new(counts, rule->id, json_integer((json_int_t)summary->count[i]));
    json_t *all = json_pack(
        "{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:[{s:b, s:i}], s:[{s:{s:o}}], s:o, s:{s:I, s:I, s:o, s:i}}]}",
        "$schema",
        "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version", "2.1.0", "runs", "tool", "driver", "name", "blindstamp audit", "version", BST_VERSION,
        "rules", rules(), "invocations", "executionSuccessful", 1, "exitCode", summary->code, "artifacts",
        "location", "uri", uri(ledger), "results", results, "properties", "entries",
        (json_int_t)summary->entries, "files", (json_int_t)summary->files, "findings", counts,
        "keptOfEachRule", BST_SWEEP_KEPT);
    if (!all) return bst_fail_memory(err);
    enum bst_code code = bst_json_pretty(all, out, err);
    json_decref(all);
    return code;
}
