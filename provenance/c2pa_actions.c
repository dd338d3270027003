/* c2pa_actions.c - the rules for the actions that a manifest lists (C2PA 2.4, 15.10.3.2 and 18.15). */
#include "c2pa.h"

#include <string.h>

/* One action under judgement. */
struct action {
    cbor_item_t *map, *name, *parameters;
    char url[BST_URL]; /* of the assertion that holds it */
};

static bool is(const struct action *action, const char *name)
{
    return bst_cbor_is(action->name, name);
}

static bool starts_history(cbor_item_t *map)
{
    cbor_item_t *name = bst_cbor_get(map, "action");
    return bst_cbor_is(name, "c2pa.created") || bst_cbor_is(name, "c2pa.opened");
}

static void malformed(struct bst_judge *judge, const char *url, const char *words)
{
    bst_judge_fail(judge, "assertion.action.malformed", url, words);
}

/* ---- ingredients that actions name ---- */

/* Does the link lead to an ingredient of this manifest in that relation? */
static bool leads_to(const struct bst_judge *judge, cbor_item_t *link, enum bst_relation relation)
{
    struct bst_hashed_uri uri;
    struct bst_ingredient ingredient;
    const char *label;
    size_t len;
    if (!bst_hashed_uri(link, judge->claim->alg, &uri) ||
        !bst_uri_assertion(uri.uri, uri.uri_len, &label, &len))
        return false;
    const struct bst_assertion *assertion = bst_claim_assertion(judge->claim, label, len);
    return assertion != NULL && bst_is_ingredient(assertion) &&
           bst_ingredient_read(judge->claim, assertion, &ingredient) == NULL &&
           ingredient.relation == relation;
}

/* Of several links any will do, but what was opened is the last one. */
static bool names_ingredient(const struct bst_judge *judge, const struct action *action,
                             enum bst_relation relation)
{
    cbor_item_t *one = bst_cbor_get(action->parameters, "ingredient");
    cbor_item_t *list = bst_cbor_get(action->parameters, "ingredients");
    bool found = false;
    if (one != NULL) return leads_to(judge, one, relation);
    for (size_t i = 0; i < bst_cbor_count(list); i++) {
        bool good = leads_to(judge, cbor_array_handle(list)[i], relation);
        found = is(action, "c2pa.opened") ? good : found || good;
    }
    return found;
}

static void judge_links(struct bst_judge *judge, const struct action *action)
{
    static const char code[] = "assertion.action.ingredientMismatch";
    bool opened = is(action, "c2pa.opened");
    bool needed = opened || is(action, "c2pa.placed") || is(action, "c2pa.removed");
    bool may = is(action, "c2pa.transcoded") || is(action, "c2pa.repackaged");
    bool given = bst_cbor_get(action->parameters, "ingredients") != NULL ||
                 bst_cbor_get(action->parameters, "ingredient") != NULL;
    enum bst_relation relation = opened || may ? BST_PARENT_OF : BST_COMPONENT_OF;
    if (needed && !given) {
        bst_judge_fail(judge, code, action->url, "an action that needs an ingredient names none");
    } else if ((needed || (may && given)) && !names_ingredient(judge, action, relation)) {
        bst_judge_fail(judge, code, action->url,
                       "an action names an ingredient that is not there, or stands in another relation");
    }
}

/* ---- other parameters ---- */

static void judge_redacted(struct bst_judge *judge, const struct action *action)
{
    const char *uri, *label;
    size_t len, label_len;
    if (!is(action, "c2pa.redacted") || action->parameters == NULL) return;
    bool named = bst_cbor_get_text(bst_cbor_get(action->parameters, "redacted"), &uri, &len);
    struct bst_claim *claim = named ? bst_store_claim_at(judge, uri, len) : NULL;
    if (claim == NULL || !claim->seen) {
        bst_judge_fail(judge, "assertion.action.redactionMismatch", action->url,
                       "an action says that something was removed, but not from where");
        return;
    }
    /* what was removed is no longer there, but the claim still lists it */
    static const char *const lists[] = {"created_assertions", "gathered_assertions", "assertions"};
    bool listed = false;
    bool has_label = bst_uri_assertion(uri, len, &label, &label_len);
    for (size_t k = 0; has_label && k < 3; k++) {
        cbor_item_t *list = bst_cbor_get(claim->item, lists[k]);
        for (size_t i = 0; i < bst_cbor_count(list); i++) {
            struct bst_hashed_uri have;
            const char *last;
            size_t last_len;
            if (!bst_hashed_uri(cbor_array_handle(list)[i], claim->alg, &have)) continue;
            bst_uri_last(have.uri, have.uri_len, &last, &last_len);
            listed = listed || (last_len == label_len && memcmp(last, label, label_len) == 0);
        }
    }
    if (!listed)
        bst_judge_fail(judge, "assertion.notRedacted", action->url,
                       "an action says that something was removed that never was there");
}

static void judge_related(struct bst_judge *judge, const struct action *action)
{
    cbor_item_t *list = bst_cbor_get(action->parameters, "relatedAssertions");
    if (list == NULL) return;
    if (bst_cbor_count(list) == 0) {
        malformed(judge, action->url, "an action lists no related assertions where it must");
        return;
    }
    for (size_t i = 0; i < cbor_array_size(list); i++) {
        struct bst_hashed_uri uri;
        const char *label, *manifest;
        size_t len, manifest_len;
        bool good = bst_hashed_uri(cbor_array_handle(list)[i], judge->claim->alg, &uri) &&
                    bst_uri_assertion(uri.uri, uri.uri_len, &label, &len) &&
                    (!bst_uri_manifest(uri.uri, uri.uri_len, &manifest, &manifest_len) ||
                     bst_store_claim(judge, manifest, manifest_len) == judge->claim);
        const struct bst_assertion *assertion = good ? bst_claim_assertion(judge->claim, label, len) : NULL;
        if (assertion == NULL || bst_root_is(assertion, "c2pa.actions") || bst_is_ingredient(assertion))
            malformed(judge, action->url,
                      "a related assertion is not there, or is of a kind that other parameters name");
    }
}

static bool has_soft_binding(const struct bst_claim *claim)
{
    for (size_t i = 0; i < claim->count; i++) {
        if (bst_root_is(&claim->assertions[i], "c2pa.soft-binding")) return true;
    }
    return false;
}

static void judge_one(struct bst_judge *judge, const struct action *action)
{
    judge_links(judge, action);
    if (is(action, "c2pa.created") && !bst_cbor_has_text(action->map, "digitalSourceType"))
        malformed(judge, action->url, "c2pa.created without digitalSourceType");
    if (is(action, "c2pa.translated") && (!bst_cbor_has_text(action->parameters, "sourceLanguage") ||
                                          !bst_cbor_has_text(action->parameters, "targetLanguage")))
        malformed(judge, action->url, "c2pa.translated without its two languages");
    judge_redacted(judge, action);
    judge_related(judge, action);
    bst_judge_icon(judge, bst_cbor_get(bst_cbor_get(action->map, "softwareAgent"), "icon"));
    if ((is(action, "c2pa.watermarked") || is(action, "c2pa.watermarked.bound")) &&
        !has_soft_binding(judge->claim))
        bst_judge_fail(judge, "assertion.action.softBindingMissing", action->url,
                       "a watermark was put in, but no soft binding says which");
}

/* ---- lists of actions ---- */

/* "when" is a text, with or without the tag for dates (RFC 8949 3.4.1). */
static bool is_date(cbor_item_t *when)
{
    const char *text;
    size_t len;
    if (when == NULL) return true;
    if (!cbor_isa_tag(when)) return bst_cbor_get_text(when, &text, &len);
    cbor_item_t *content = cbor_move(cbor_tag_item(when));
    return cbor_tag_value(when) == 0 && bst_cbor_get_text(content, &text, &len);
}

/* The array of actions, when each of them has the shape of one. */
static cbor_item_t *actions_of(const struct bst_assertion *assertion)
{
    const char *text;
    size_t len;
    cbor_item_t *list = bst_cbor_get(assertion->content, "actions");
    if (list == NULL || !cbor_isa_array(list)) return NULL;
    for (size_t i = 0; i < cbor_array_size(list); i++) {
        cbor_item_t *map = cbor_array_handle(list)[i];
        cbor_item_t *parameters = bst_cbor_get(map, "parameters");
        if (!bst_cbor_get_text(bst_cbor_get(map, "action"), &text, &len) ||
            !is_date(bst_cbor_get(map, "when")) || (parameters != NULL && !cbor_isa_map(parameters)))
            return NULL;
    }
    return list;
}

static void judge_icons(struct bst_judge *judge, cbor_item_t *list)
{
    for (size_t i = 0; i < bst_cbor_count(list); i++) {
        bst_judge_icon(judge, bst_cbor_get(cbor_array_handle(list)[i], "icon"));
    }
}

static void judge_list(struct bst_judge *judge, const struct bst_assertion *assertion, bool first)
{
    struct action action;
    cbor_item_t *list = actions_of(assertion);
    bst_assertion_url(judge->claim, assertion, action.url);
    if (list == NULL || cbor_array_size(list) == 0) {
        malformed(judge, action.url, "no actions are listed, or what is listed is none");
        return;
    }
    judge_icons(judge, bst_cbor_get(assertion->content, "softwareAgents"));
    judge_icons(judge, bst_cbor_get(assertion->content, "templates"));
    for (size_t i = 0; i < cbor_array_size(list); i++) {
        action.map = cbor_array_handle(list)[i];
        action.name = bst_cbor_get(action.map, "action");
        action.parameters = bst_cbor_get(action.map, "parameters");
        if (!bst_cbor_has_text(action.map, "action"))
            malformed(judge, action.url, "an action without a name");
        if (starts_history(action.map) && !first)
            malformed(judge, action.url, "an action that creates or opens, but not in the first list");
        judge_one(judge, &action);
    }
}

static bool begins_with_start(const struct bst_assertion *assertion)
{
    cbor_item_t *list = assertion == NULL ? NULL : actions_of(assertion);
    return list != NULL && cbor_array_size(list) > 0 && starts_history(cbor_array_handle(list)[0]);
}

/* The assertion whose first action begins the picture's history: of those that the signer made, or else of those
 * that were handed to it, the first. */
static const struct bst_assertion *find_first(const struct bst_claim *claim)
{
    const struct bst_assertion *first[] = {NULL, NULL};
    for (size_t i = claim->count; i > 0; i--) {
        const struct bst_assertion *assertion = &claim->assertions[i - 1];
        if (bst_root_is(assertion, "c2pa.actions")) first[assertion->list == BST_GATHERED] = assertion;
    }
    return begins_with_start(first[0]) ? first[0] : begins_with_start(first[1]) ? first[1] : NULL;
}

static size_t count_starts(const struct bst_claim *claim)
{
    size_t count = 0;
    for (size_t i = 0; i < claim->count; i++) {
        cbor_item_t *list =
            bst_root_is(&claim->assertions[i], "c2pa.actions") ? actions_of(&claim->assertions[i]) : NULL;
        for (size_t k = 0; list != NULL && k < cbor_array_size(list); k++) {
            count += starts_history(cbor_array_handle(list)[k]);
        }
    }
    return count;
}

void bst_judge_actions(struct bst_judge *judge)
{
    const struct bst_claim *claim = judge->claim;
    size_t lists = 0;
    char url[BST_URL];
    bst_judge_url(judge, "", url);
    for (size_t i = 0; i < claim->count; i++) {
        lists += bst_root_is(&claim->assertions[i], "c2pa.actions");
    }
    if (claim->version == 1) { /* the rules below came with version 2 */
        if (lists > 1) malformed(judge, url, "a claim of version 1 with two lists of actions");
        return;
    }
    const struct bst_assertion *first = find_first(claim);
    bool leading = true;
    if (count_starts(claim) > 1) malformed(judge, url, "more than one action that creates or opens");
    if (first == NULL && !claim->update)
        malformed(judge, url, "the first action is neither created nor opened");
    for (size_t i = 0; i < claim->count; i++) {
        if (!bst_root_is(&claim->assertions[i], "c2pa.actions")) continue;
        judge_list(judge, &claim->assertions[i],
                   leading && (first == NULL || first == &claim->assertions[i]));
        leading = false;
    }
}
