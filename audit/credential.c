/* credential.c - the checks of the C2PA manifest: its binding to the file, its signature, its signer. */
#include "verify.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool starts(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

/* About the active manifest; what ingredients lead to is judged by itself. */
static const struct bst_status *find(const struct bst_c2pa *c2pa, enum bst_status_kind kind, const char *code)
{
    for (size_t i = 0; i < c2pa->status_count; i++) {
        const struct bst_status *s = &c2pa->statuses[i];
        if (s->kind == kind && !s->ingredient[0] && starts(s->code, code)) return s;
    }
    return NULL;
}

static bool is_binding(const char *code)
{
    return starts(code, "assertion.dataHash.") || starts(code, "assertion.boxesHash.") ||
           starts(code, "assertion.bmffHash.") || starts(code, "claim.hardBindings");
}

static void judge_binding(struct judge *judge)
{
    const struct bst_c2pa *c2pa = &judge->c2pa;
    const struct bst_status *bad = NULL;
    for (size_t i = 0; i < c2pa->status_count && !bad; i++)
        if (c2pa->statuses[i].kind == BST_STATUS_FAILURE && is_binding(c2pa->statuses[i].code))
            bad = &c2pa->statuses[i];
    if (bad)
        judge_say(judge, "manifest.binding", BST_FAIL, "The manifest was not made for these bytes: %s (%s).",
                  bad->words, bad->code);
    else if (find(c2pa, BST_STATUS_INFO, "assertion.dataHash.additionalExclusionsPresent") ||
             find(c2pa, BST_STATUS_INFO, "assertion.boxesHash.additionalExclusionsPresent") ||
             find(c2pa, BST_STATUS_INFO, "assertion.bmffHash.additionalExclusionsPresent"))
        judge_say(
            judge, "manifest.binding", BST_PASS,
            "The manifest is bound to this file but for parts that it leaves out; these could be anybody's.");
    else if (find(c2pa, BST_STATUS_SUCCESS, "assertion.dataHash.match") ||
             find(c2pa, BST_STATUS_SUCCESS, "assertion.boxesHash.match"))
        judge_say(judge, "manifest.binding", BST_PASS, "The manifest is bound to every byte of this file.");
    else if (find(c2pa, BST_STATUS_SUCCESS, "assertion.bmffHash.match"))
        judge_say(judge, "manifest.binding", BST_PASS,
                  "The manifest is bound to all of this file but for the box that tells its type.");
    else
        judge_say(judge, "manifest.binding", BST_FAIL,
                  "The manifest is not bound to the bytes of this file.");
}

/* Everything else that the reader found wrong: the manifest's own form and the assertions' digests. */
static void judge_form(struct judge *judge)
{
    const struct bst_c2pa *c2pa = &judge->c2pa;
    for (size_t i = 0; i < c2pa->status_count; i++) {
        const struct bst_status *s = &c2pa->statuses[i];
        if (s->kind != BST_STATUS_FAILURE || s->ingredient[0] || is_binding(s->code) ||
            bst_status_about_signer(s->code) || starts(s->code, "claimSignature."))
            continue;
        judge_say(judge, "manifest", BST_FAIL, "The manifest is not sound: %s (%s).", s->words, s->code);
        return;
    }
    judge_say(judge, "manifest", BST_PASS,
              "The manifest is complete and all its parts are the ones that were signed.");
}

static void judge_signature(struct judge *judge)
{
    const struct bst_c2pa *c2pa = &judge->c2pa;
    for (size_t i = 0; i < c2pa->status_count; i++) {
        const struct bst_status *s = &c2pa->statuses[i];
        if (s->kind != BST_STATUS_FAILURE || s->ingredient[0] || !starts(s->code, "claimSignature.") ||
            bst_status_about_signer(s->code))
            continue;
        judge_say(judge, "signature", BST_FAIL, "The manifest's signature does not hold: %s (%s).", s->words,
                  s->code);
        return;
    }
    if (find(c2pa, BST_STATUS_SUCCESS, "claimSignature.validated"))
        judge_say(judge, "signature", BST_PASS,
                  "The manifest was signed by the holder of the certificate of %s.",
                  c2pa->signer ? c2pa->signer : "an unnamed signer");
    else
        judge_say(judge, "signature", BST_FAIL, "The manifest carries no signature that could be checked.");
}

/* The holder of this home knows his own key without any certificate. */
static bool is_own(const struct judge *judge)
{
    const struct bst_c2pa *c2pa = &judge->c2pa;
    return judge->has_identity && c2pa->signer_is_ed25519 &&
           !memcmp(c2pa->signer_key, judge->identity.public_key, BST_KEY_LEN);
}

/* Untrusted, expired, revoked and unfit are different things, and said in different words. Only a certificate
 * that must not sign pictures speaks against the file itself. */
static void judge_signer(struct judge *judge)
{
    const struct bst_c2pa *c2pa = &judge->c2pa;
    const char *name = c2pa->signer ? c2pa->signer : "an unnamed signer";
    const struct bst_status *expired = find(c2pa, BST_STATUS_FAILURE, "signingCredential.expired");
    const struct bst_status *unfit = find(c2pa, BST_STATUS_FAILURE, "signingCredential.invalid");
    if (!expired) expired = find(c2pa, BST_STATUS_FAILURE, "claimSignature.outsideValidity");
    if (!unfit) unfit = find(c2pa, BST_STATUS_FAILURE, "signingCredential.ocsp.revoked");
    bool own = is_own(judge);
    if (unfit)
        judge_say(judge, "signer", BST_FAIL, "The certificate of %s must not sign pictures: %s (%s).", name,
                  unfit->words, unfit->code);
    else if (own)
        judge_say(judge, "signer", BST_PASS,
                  "The signer, %s, is trusted here: it is this home's own identity%s.", name,
                  expired ? ", whose certificate does not cover the present time" : "");
    else if (expired)
        judge_say(judge, "signer", BST_UNKNOWN,
                  "The certificate of %s does not cover the present time: %s (%s).", name, expired->words,
                  expired->code);
    else if (find(c2pa, BST_STATUS_SUCCESS, "signingCredential.trusted") &&
             !find(c2pa, BST_STATUS_FAILURE, "signingCredential."))
        judge_say(judge, "signer", BST_PASS, "The signer, %s, is trusted here.", name);
    else
        judge_say(judge, "signer", BST_UNKNOWN, "The signer calls itself %s; nobody you trust confirms that.",
                  name);
}

/* Who else signed for what the manifest says: persons or organisations with certificates of their own (CAWG). None of
 * them makes the picture's own signer better or worse. */
static void judge_identities(struct judge *judge)
{
    const struct bst_c2pa *c2pa = &judge->c2pa;
    const struct bst_signed_identity *best = NULL;
    for (size_t i = 0; i < c2pa->identity_count; i++) {
        const struct bst_signed_identity *identity = &c2pa->identities[i];
        if (!best || identity->holds + (identity->holds && identity->trusted) >
                         best->holds + (best->holds && best->trusted))
            best = identity;
    }
    if (!best) return;
    char more[48] = "";
    if (c2pa->identity_count > 1)
        snprintf(more, sizeof more, " (one of %zu identities)", c2pa->identity_count);
    if (!best->holds)
        judge_say(judge, "identity", BST_SKIPPED, "An identity in the name of %.120s does not hold%s.",
                  best->name, more);
    else if (best->trusted)
        judge_say(judge, "identity", BST_PASS,
                  "%.120s, trusted here for identities, signed for this too%s%.90s%s.", best->name,
                  best->roles[0] ? " as " : "", best->roles, more);
    else
        judge_say(
            judge, "identity", BST_SKIPPED,
            "Somebody who calls himself %.120s signed for this too%s%.90s; nobody you trust confirms that%s.",
            best->name, best->roles[0] ? " as " : "", best->roles, more);
}

/* Was any found not to hold by whoever took it up? */
static bool found_altered(const json_t *list, unsigned depth)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        const char *integrity = json_string_value(bst_json_at(item, "found.integrity"));
        if (integrity && !strcmp(integrity, "altered")) return true;
        if (depth < 16 && found_altered(json_object_get(item, "ingredients"), depth + 1)) return true;
    }
    return false;
}

/* What the picture was made from, as far as that has credentials of its own. An ingredient's signer that nobody
 * knows leaves the picture's own history as good as its own signer. */
static void judge_ingredients(struct judge *judge)
{
    const struct bst_c2pa *c2pa = &judge->c2pa;
    const struct bst_status *altered = NULL, *unknown = NULL;
    size_t without = 0, with = 0;
    for (size_t i = 0; i < c2pa->status_count; i++) {
        const struct bst_status *s = &c2pa->statuses[i];
        if (!s->ingredient[0]) continue;
        bool failed = s->kind == BST_STATUS_FAILURE, trust = bst_status_about_signer(s->code);
        if (failed && !trust && !altered) altered = s;
        if (failed && trust && !unknown) unknown = s;
        without += !strcmp(s->code, "ingredient.unknownProvenance");
        with += starts(s->code, "ingredient.manifest.") || starts(s->code, "ingredient.claimSignature.");
    }
    if (altered)
        judge_say(judge, "ingredients", BST_FAIL, "The credentials of an ingredient do not hold: %s (%s).",
                  altered->words, altered->code);
    else if (unknown)
        judge_say(
            judge, "ingredients", BST_UNKNOWN,
            "The credentials of the ingredients are unaltered, but of one nobody you trust vouches for the "
            "signer: %s (%s).",
            unknown->words, unknown->code);
    else if (with && found_altered(json_object_get(judge->verdict->c2pa, "ingredients"), 0))
        judge_say(
            judge, "ingredients", BST_PASS,
            "The credentials of the ingredients are as they were found when these went in: some did not "
            "hold then.");
    else if (with)
        judge_say(judge, "ingredients", BST_PASS, "The credentials of the ingredients are unaltered%s.",
                  without ? "; some ingredients have none" : "");
    else if (without)
        judge_say(judge, "ingredients", BST_SKIPPED,
                  "What the picture was made from carries no credentials.");
}

void judge_statuses(struct judge *judge)
{
    judge_form(judge);
    judge_binding(judge);
    judge_signature(judge);
    judge_signer(judge);
    judge_identities(judge);
    judge_ingredients(judge);
}

/* Is it intact, and who says so. */
static enum bst_code answer(struct judge *judge, struct bst_error *err)
{
    const struct bst_c2pa *c2pa = &judge->c2pa;
    struct bst_verdict *verdict = judge->verdict;
    enum bst_signer_trust trust = c2pa->signer_trust;
    if (is_own(judge) && (trust == BST_SIGNER_UNKNOWN || trust == BST_SIGNER_EXPIRED))
        trust = BST_SIGNER_TRUSTED;
    verdict->integrity = c2pa->intact ? "intact" : "altered";
    verdict->signer_trust = bst_signer_trust_words(trust);
    if (c2pa->signer && !(verdict->signer = bst_strdup(c2pa->signer))) return bst_fail_memory(err);
    return BST_OK;
}

static json_t *identities_json(const struct bst_c2pa *c2pa)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c2pa->identity_count; i++) {
        const struct bst_signed_identity *identity = &c2pa->identities[i];
        json_array_append_new(list, json_pack("{s:o, s:o, s:b, s:b}", "name", audit_text(identity->name),
                                              "roles", audit_text(identity->roles), "holds", identity->holds,
                                              "trusted", identity->trusted));
    }
    return list;
}

static json_t *statuses_json(const struct bst_c2pa *c2pa)
{
    static const char *const kinds[] = {"success", "informational", "failure"};
    static const char *const states[] = {"Invalid", "Valid", "Trusted"};
    json_t *list = json_array();
    for (size_t i = 0; i < c2pa->status_count; i++) {
        const struct bst_status *s = &c2pa->statuses[i];
        json_t *status =
            json_pack("{s:s, s:o, s:o, s:o}", "kind", kinds[s->kind], "code", audit_text(s->code), "url",
                      audit_text(s->url), "words", audit_text(s->words));
        if (s->ingredient[0]) json_object_set_new(status, "ingredient", audit_text(s->ingredient));
        json_array_append_new(list, status);
    }
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "state", states[c2pa->state], "active_manifest",
                     audit_text(c2pa->label), "generator", audit_text(c2pa->generator), "signer",
                     audit_text(c2pa->signer), "identities", identities_json(c2pa), "statuses", list);
}

static enum bst_code list_ingredients(struct judge *judge, struct bst_error *err)
{
    json_t *list = NULL;
    if (!judge->options->ingredients) return BST_OK;
    enum bst_code code = bst_c2pa_lineage(&judge->c2pa, &list, err);
    if (code == BST_OK && json_object_set_new(judge->verdict->c2pa, "ingredients", list) != 0)
        code = bst_fail_memory(err);
    return code;
}

enum bst_code judge_credential(struct judge *judge, struct bst_error *err)
{
    enum bst_code code = bst_c2pa_read(judge->path, &judge->container, judge->trust, &judge->c2pa, err);
    if (code == BST_BROKEN || code == BST_UNREADABLE) {
        judge_say(judge, "manifest", BST_FAIL, "The manifest cannot be read: %s.", err->what);
        *err = (struct bst_error){0};
        return BST_OK;
    }
    if (code != BST_OK) return code;
    judge->verdict->c2pa = statuses_json(&judge->c2pa);
    code = list_ingredients(judge, err);
    if (code != BST_OK) return code;
    judge_statuses(judge);
    enum bst_c2pa_format format = judge->options->format;
    if (format != BST_C2PA_OURS) code = bst_c2pa_export(&judge->c2pa, format, &judge->verdict->document, err);
    return code == BST_OK ? answer(judge, err) : code;
}
