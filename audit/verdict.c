/* verdict.c - from checks to a verdict, in words and as JSON. */
#include "verify.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct bst_check *check_of(const struct bst_verdict *verdict, const char *id)
{
    for (size_t i = 0; i < verdict->check_count; i++)
        if (!strcmp(verdict->checks[i].id, id)) return &verdict->checks[i];
    return NULL;
}

static bool is(const struct bst_verdict *verdict, const char *id, enum bst_result result)
{
    const struct bst_check *check = check_of(verdict, id);
    return check && check->result == result;
}

static const struct bst_check *first(const struct bst_verdict *verdict, enum bst_result result)
{
    for (size_t i = 0; i < verdict->check_count; i++)
        if (verdict->checks[i].result == result) return &verdict->checks[i];
    return NULL;
}

/* What was altered, from the outside in: a failed check explains the ones behind it. */
static void broken_words(struct bst_verdict *v)
{
    const char *words = NULL;
    if (is(v, "pixels", BST_FAIL))
        words = "Altered: the pixels are not those that were signed.";
    else if (is(v, "digest", BST_FAIL) && is(v, "pixels", BST_PASS))
        words = "Altered: the file was changed after it was signed; its pixels are still the signed ones.";
    else if (is(v, "digest", BST_FAIL))
        words = "Altered: the file was changed after it was signed.";
    else if (is(v, "manifest.binding", BST_FAIL) && is(v, "digest", BST_PASS))
        words = "Altered: the manifest was changed or moved; the picture itself is the one that was signed.";
    else if (is(v, "manifest.binding", BST_FAIL))
        words = "Altered: the file is not the one that its manifest was signed for.";
    if (words) {
        snprintf(v->words, sizeof v->words, "%s", words);
        return;
    }
    const struct bst_check *bad = first(v, BST_FAIL);
    snprintf(v->words, sizeof v->words, "Not to be believed: %.290s", bad ? bad->words : "");
}

/* "Verified: made by Ada Example with texture-1 on 2026-11-22T09:30:00Z; ..." */
static void good_words(const struct judge *judge)
{
    struct bst_verdict *v = judge->verdict;
    const struct facts *f = &judge->facts;
    if (!judge->has_statement) {
        snprintf(v->words, sizeof v->words,
                 "Verified: intact since %.100s, whom you trust, signed its manifest.",
                 judge->c2pa.signer ? judge->c2pa.signer : "the signer");
        return;
    }
    if (f->adoption) {
        bool declared = f->source_type && strcmp(f->source_type, "unknown") != 0;
        snprintf(v->words, sizeof v->words,
                 "Verified: taken up by %.80s, %s%s%.20s; intact since%s. Who made it is not proved.",
                 f->author ? f->author : "the signer", f->made ? f->made : "",
                 declared ? ", who declares it to be: " : "", declared ? f->source_type : "",
                 is(v, "ledger", BST_PASS) ? ", and in the ledger" : "");
        return;
    }
    snprintf(v->words, sizeof v->words, "Verified: made by %.80s with %.60s, %s; intact%s%s.",
             f->author ? f->author : "the signer", f->model ? f->model : "an unnamed model",
             f->made ? f->made : "", is(v, "ledger", BST_PASS) ? ", and in the ledger" : "",
             is(v, "replay", BST_PASS) ? ", and made again pixel for pixel" : "");
}

/* A receipt that cannot be checked leaves open what a signature alone cannot prove; so does an unknown
 * signer. */
void judge_conclude(struct judge *judge)
{
    struct bst_verdict *v = judge->verdict;
    const char *name = judge->c2pa.signer ? judge->c2pa.signer : "an unnamed signer";
    if (first(v, BST_FAIL)) {
        v->code = BST_BROKEN;
        broken_words(v);
    } else if (is(v, "signer", BST_UNKNOWN)) {
        v->code = BST_UNTRUSTED;
        snprintf(v->words, sizeof v->words,
                 "Intact since it was signed under the name %.100s; nobody you trust confirms that name.",
                 name);
    } else if (is(v, "receipt", BST_UNKNOWN)) {
        v->code = BST_UNTRUSTED;
        snprintf(v->words, sizeof v->words,
                 "Intact, and the signer %.100s is trusted; the ledger that its receipt names is not.", name);
    } else if (is(v, "key", BST_UNKNOWN)) {
        v->code = BST_UNTRUSTED;
        snprintf(v->words, sizeof v->words, "Intact, but not to be believed: %.260s",
                 check_of(v, "key")->words);
    } else if (is(v, "replay", BST_UNKNOWN)) {
        v->code = BST_NO_PROVENANCE;
        snprintf(v->words, sizeof v->words, "Intact and signed, but it could not be made again: %.230s",
                 check_of(v, "replay")->words);
    } else {
        v->code = BST_OK;
        good_words(judge);
        const struct bst_check *withdrawal = check_of(v, "withdrawal");
        if (withdrawal) snprintf(v->words, sizeof v->words, "Verified, but: %.290s", withdrawal->words);
    }
}

enum bst_code bst_verdict_worse(enum bst_code a, enum bst_code b)
{
    static const int rank[] = {
        [BST_OK] = 0,    [BST_UNTRUSTED] = 1, [BST_NO_PROVENANCE] = 2, [BST_UNREADABLE] = 3,
        [BST_USAGE] = 4, [BST_FAILURE] = 5,   [BST_BROKEN] = 6};
    return rank[a] >= rank[b] ? a : b;
}

void bst_verdict_clear(struct bst_verdict *verdict)
{
    char *const texts[] = {verdict->path,  verdict->author, verdict->author_key_id, verdict->model,
                           verdict->title, verdict->prompt, verdict->seed,          verdict->image_id,
                           verdict->made,  verdict->signer};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    json_decref(verdict->statement);
    json_decref(verdict->rights);
    json_decref(verdict->c2pa);
    json_decref(verdict->document);
    *verdict = (struct bst_verdict){0};
}

json_t *audit_text(const char *text)
{
    char *safe = text ? bst_printable(text, strlen(text)) : NULL;
    json_t *value = safe ? json_string(safe) : json_null();
    free(safe);
    return value;
}

static json_t *checks_json(const struct bst_verdict *verdict)
{
    static const char *const results[] = {
        [BST_PASS] = "pass", [BST_FAIL] = "fail", [BST_UNKNOWN] = "unknown", [BST_SKIPPED] = "skipped"};
    json_t *list = json_array();
    for (size_t i = 0; i < verdict->check_count; i++) {
        const struct bst_check *check = &verdict->checks[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "id", check->id, "result",
                                              results[check->result], "words", audit_text(check->words)));
    }
    return list;
}

enum bst_code bst_verdict_json(const struct bst_verdict *v, json_t **out, struct bst_error *err)
{
    static const char *const names[] = {
        [BST_OK] = "verified",        [BST_USAGE] = "usage",           [BST_NO_PROVENANCE] = "unknown",
        [BST_BROKEN] = "broken",      [BST_UNREADABLE] = "unreadable", [BST_FAILURE] = "failure",
        [BST_UNTRUSTED] = "untrusted"};
    json_t *entry = v->has_entry ? json_integer((json_int_t)v->entry) : json_null();
    json_t *object = json_pack(
        "{s:o, s:i, s:s, s:o, s:s?, s:s?, s:o, s:o, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:o, "
        "s:O?, "
        "s:O?, s:O?}",
        "file", audit_text(v->path), "code", v->code, "verdict", names[v->code], "words",
        audit_text(v->words), "integrity", v->integrity, "signer_trust", v->signer_trust, "signer",
        audit_text(v->signer), "checks", checks_json(v), "author", v->author, "author_key_id",
        v->author_key_id, "made", v->made, "model", v->model, "seed", v->seed, "title", v->title, "prompt",
        v->prompt, "image_id", v->image_id, "entry", entry, "rights", v->rights, "statement", v->statement,
        "c2pa", v->c2pa);
    if (!object) return bst_fail_memory(err);
    *out = object;
    return BST_OK;
}
