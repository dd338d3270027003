/* credential.c - the checks of the C2PA manifest: its binding to the file, its signature, its signer. */
#include "verify.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool starts(const char *text, const char *with)
{
    return !strncmp(text, with, strlen(with));
}

static const struct bst_status *find(const struct bst_c2pa *c2pa, enum bst_status_kind kind, const char *code)
{
    for (size_t i = 0; i < c2pa->status_count; i++)
        if (c2pa->statuses[i].kind == kind && starts(c2pa->statuses[i].code, code)) return &c2pa->statuses[i];
    return NULL;
}

/* Codes that speak of the signer's certificate, not of the bytes. */
static bool is_about_trust(const char *code)
{
    return starts(code, "signingCredential.") || starts(code, "claimSignature.outsideValidity") ||
           starts(code, "cawg.x509.");
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
    else if (find(c2pa, BST_STATUS_INFO, "assertion.dataHash.additionalExclusionsPresent"))
        judge_say(
            judge, "manifest.binding", BST_PASS,
            "The manifest is bound to this file but for parts that it leaves out; these could be anybody's.");
    else if (find(c2pa, BST_STATUS_SUCCESS, "assertion.dataHash.match") ||
             find(c2pa, BST_STATUS_SUCCESS, "assertion.boxesHash.match"))
        judge_say(judge, "manifest.binding", BST_PASS, "The manifest is bound to every byte of this file.");
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
        if (s->kind != BST_STATUS_FAILURE || is_binding(s->code) || is_about_trust(s->code) ||
            starts(s->code, "claimSignature."))
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
        if (s->kind != BST_STATUS_FAILURE || !starts(s->code, "claimSignature.") || is_about_trust(s->code))
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
    /* The holder of this home knows his own key without any certificate. */
    bool own = judge->has_identity && c2pa->signer_is_ed25519 &&
               !memcmp(c2pa->signer_key, judge->identity.public_key, BST_KEY_LEN);
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

void judge_statuses(struct judge *judge)
{
    judge_form(judge);
    judge_binding(judge);
    judge_signature(judge);
    judge_signer(judge);
}

static json_t *statuses_json(const struct bst_c2pa *c2pa)
{
    static const char *const kinds[] = {"success", "informational", "failure"};
    static const char *const states[] = {"Invalid", "Valid", "Trusted"};
    json_t *list = json_array();
    for (size_t i = 0; i < c2pa->status_count; i++) {
        const struct bst_status *s = &c2pa->statuses[i];
        json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:o}", "kind", kinds[s->kind], "code",
                                              audit_text(s->code), "url", audit_text(s->url), "words",
                                              audit_text(s->words)));
    }
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "state", states[c2pa->state], "active_manifest",
                     audit_text(c2pa->label), "generator", audit_text(c2pa->generator), "signer",
                     audit_text(c2pa->signer), "statuses", list);
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
    judge_statuses(judge);
    return BST_OK;
}
