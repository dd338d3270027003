/* c2pa_ingredient.c - what a picture was made from: ingredient assertions of versions 1 to 3, and the manifests that
 * they lead to, each judged in turn (C2PA 2.4, 15.11.3 and 18.16). Findings about a manifest carry the address of the
 * ingredient assertion that led there. */
#include "c2pa.h"

#include <stdlib.h>
#include <string.h>

bool bst_is_ingredient(const struct bst_assertion *assertion)
{
    return bst_root_is(assertion, "c2pa.ingredient");
}

static bool has_text(cbor_item_t *map, const char *key)
{
    const char *text;
    size_t len;
    return bst_cbor_get_text(bst_cbor_get(map, key), &text, &len);
}

static enum bst_relation relation_of(cbor_item_t *map)
{
    cbor_item_t *relation = bst_cbor_get(map, "relationship");
    return bst_cbor_is(relation, "parentOf")      ? BST_PARENT_OF
           : bst_cbor_is(relation, "componentOf") ? BST_COMPONENT_OF
           : bst_cbor_is(relation, "inputTo")     ? BST_INPUT_TO
                                                  : BST_NO_RELATION;
}

const char *bst_ingredient_read(const struct bst_claim *claim, const struct bst_assertion *assertion,
                                struct bst_ingredient *out)
{
    cbor_item_t *map = assertion->content;
    memset(out, 0, sizeof(*out));
    if (map == NULL || !cbor_isa_map(map)) return "an ingredient that is no map";
    out->relation = relation_of(map);
    if (assertion->version < 1 || assertion->version > 3) return "an ingredient of an unknown version";
    if (out->relation == BST_NO_RELATION) return "an ingredient in no relation, or an unknown one";
    if (assertion->version < 3 && (!has_text(map, "dc:title") || !has_text(map, "dc:format")))
        return "an ingredient of that version must have a title and a format";
    if (assertion->version == 1 && !has_text(map, "instanceID"))
        return "an ingredient of version 1 must have an instanceID";
    bool third = assertion->version == 3;
    out->link = bst_cbor_get(map, third ? "activeManifest" : "c2pa_manifest");
    out->results = bst_cbor_get(map, third ? "validationResults" : "validationStatus");
    if (third) {
        out->signature = bst_cbor_get(map, "claimSignature");
        out->source_type = bst_cbor_get(map, "digitalSourceType");
    }
    if (out->link != NULL && !bst_hashed_uri(out->link, claim->alg, &out->manifest))
        return "the link to the ingredient's manifest lacks address or digest";
    return NULL;
}

/* ---- the graph ---- */

static void add_edge(struct bst_judge *judge, struct bst_claim *from, struct bst_claim *to)
{
    if (judge->edge_count == judge->edge_room) {
        size_t room = judge->edge_room == 0 ? 64 : 2 * judge->edge_room;
        struct bst_edge *grown = realloc(judge->edges, room * sizeof(*grown));
        if (grown == NULL) {
            judge->failed_memory = true;
            return;
        }
        judge->edges = grown;
        judge->edge_room = room;
    }
    judge->edges[judge->edge_count++] = (struct bst_edge){from, to};
}

/* One pass is enough: whatever leads to where an edge begins stands behind it. */
void bst_mark_above(struct bst_judge *judge, struct bst_claim *claim)
{
    for (size_t i = 0; i < judge->count; i++) {
        judge->claims[i].above = false;
    }
    claim->above = true;
    for (size_t i = 0; i < judge->edge_count; i++) {
        if (judge->edges[i].to->above) judge->edges[i].from->above = true;
    }
}

static void take_redactions(struct bst_judge *judge, const struct bst_claim *claim, const char *url)
{
    cbor_item_t *list = bst_cbor_get(claim->item, "redacted_assertions");
    if (list == NULL) return;
    if (!cbor_isa_array(list) || cbor_array_size(list) > BST_REDACTED_MAX - judge->redaction_count) {
        bst_judge_fail(judge, "claim.malformed", url,
                       "the assertions that were removed are no list, or too many");
        return;
    }
    if (judge->redactions == NULL)
        judge->redactions = bst_calloc(BST_REDACTED_MAX, sizeof(*judge->redactions));
    if (judge->redactions == NULL) {
        judge->failed_memory = true;
        return;
    }
    for (size_t i = 0; i < cbor_array_size(list); i++) {
        struct bst_redaction *out = &judge->redactions[judge->redaction_count];
        if (!bst_cbor_get_text(cbor_array_handle(list)[i], &out->uri, &out->len)) continue;
        out->claim = bst_store_claim_at(judge, out->uri, out->len);
        out->by = claim;
        bst_uri_last(out->uri, out->len, &out->label, &out->label_len);
        judge->redaction_count++;
    }
}

/* Depth first, each manifest once; depth is bounded by BST_GENERATIONS. */
static bool walk(struct bst_judge *judge, struct bst_claim *claim, size_t depth)
{
    char url[BST_URL];
    bool good = true;
    bst_claim_url(claim, "", url);
    if (depth >= BST_GENERATIONS) {
        bst_judge_fail(judge, "general.error", url, "ingredients of ingredients without an end");
        return false;
    }
    claim->seen = claim->walking = true;
    take_redactions(judge, claim, url);
    for (size_t i = 0; i < claim->count && good; i++) {
        struct bst_ingredient ingredient;
        const struct bst_assertion *assertion = &claim->assertions[i];
        if (!bst_is_ingredient(assertion) || bst_ingredient_read(claim, assertion, &ingredient) != NULL ||
            ingredient.link == NULL)
            continue;
        struct bst_claim *below =
            bst_store_claim_at(judge, ingredient.manifest.uri, ingredient.manifest.uri_len);
        bst_assertion_url(claim, assertion, url);
        if (below == NULL) {
            bst_judge_fail(judge, "ingredient.manifest.missing", url,
                           "the ingredient's manifest is not in the file");
        } else if (below->walking) {
            bst_judge_fail(judge, "assertion.ingredient.malformed", url,
                           "an ingredient is made of what it is an ingredient of");
            good = false;
        } else {
            if (!below->seen) good = walk(judge, below, depth + 1);
            add_edge(judge, claim, below);
        }
    }
    claim->walking = false;
    return good;
}

bool bst_judge_graph(struct bst_judge *judge)
{
    if (!walk(judge, judge->active, 0)) return false;
    for (size_t i = 0; i < judge->redaction_count; i++) {
        struct bst_redaction *redaction = &judge->redactions[i];
        if (redaction->claim == NULL) continue;
        bst_mark_above(judge, redaction->claim);
        redaction->counts = redaction->by->above && redaction->by != redaction->claim;
    }
    return true;
}

/* ---- one ingredient with a manifest ---- */

static bool is_redacted(const struct bst_judge *judge, const struct bst_claim *claim)
{
    for (size_t i = 0; i < judge->redaction_count; i++) {
        if (judge->redactions[i].counts && judge->redactions[i].claim == claim) return true;
    }
    return false;
}

/* Before version 1.3 the link held the digest of the claim alone. */
static bool is_old_digest(const struct bst_claim *claim, const struct bst_hashed_uri *want)
{
    struct bst_digest once[3] = {0};
    return claim->version == 1 &&
           bst_digest_is(bst_box_digest(claim->jumbf, claim->body, want->alg, once), want);
}

/* Something was removed from the manifest since, so that only its signature can still be compared. */
static void judge_signature_link(struct bst_judge *judge, const struct bst_ingredient *ingredient,
                                 struct bst_claim *below, const char *url)
{
    struct bst_hashed_uri want;
    if (below->version == 1) return;
    if (!bst_hashed_uri(ingredient->signature, judge->claim->alg, &want)) {
        bst_judge_fail(judge, "ingredient.claimSignature.missing", url,
                       "parts of the ingredient's manifest were removed, and its signature is not linked");
    } else if (bst_digest_is(
                   bst_box_digest(below->jumbf, below->signature_box, want.alg, below->signature_digest),
                   &want)) {
        bst_judge_say(judge, BST_STATUS_INFO, "ingredient.claimSignature.validated", url,
                      "parts of the ingredient's manifest were removed; its signature is the one linked");
    } else {
        bst_judge_fail(judge, "ingredient.claimSignature.mismatch", url,
                       "the ingredient's signature is not the one that was linked");
    }
}

static void judge_link(struct bst_judge *judge, const struct bst_ingredient *ingredient,
                       struct bst_claim *below)
{
    char url[BST_URL];
    bst_url_text(ingredient->manifest.uri, ingredient->manifest.uri_len, url);
    if (is_redacted(judge, below)) {
        judge_signature_link(judge, ingredient, below, url);
    } else if (bst_digest_is(
                   bst_box_digest(below->jumbf, below->box, ingredient->manifest.alg, below->digest),
                   &ingredient->manifest)) {
        bst_judge_good(judge, "ingredient.manifest.validated", url,
                       "the ingredient's manifest is the one that was signed");
    } else if (!is_old_digest(below, &ingredient->manifest)) {
        bst_judge_fail(judge, "ingredient.manifest.mismatch", url,
                       "the ingredient's manifest is not the one that was signed");
    }
}

static void walk_ingredients(struct bst_judge *judge);

static void judge_manifest(struct bst_judge *judge, const struct bst_ingredient *ingredient, unsigned version,
                           const char *url)
{
    struct bst_claim *claim = judge->claim;
    if (version == 3 && ingredient->results == NULL)
        bst_judge_fail(judge, "assertion.ingredient.malformed", url,
                       "the ingredient has a manifest, but nobody said whether it was valid");
    struct bst_claim *below =
        bst_store_claim_at(judge, ingredient->manifest.uri, ingredient->manifest.uri_len);
    if (below == NULL) {
        bst_judge_fail(judge, "ingredient.manifest.missing", url,
                       "the ingredient's manifest is not in the file");
        return;
    }
    judge_link(judge, ingredient, below);
    judge->judged_items += below->items;
    if (++judge->judged > BST_JUDGED_MAX || judge->judged_items > 2 * BST_STORE_ITEMS) {
        bst_judge_fail(judge, "general.error", url, "more ingredients than this version checks");
        return;
    }
    judge->claim = below;
    bst_judge_claim(judge);
    if (!below->visited) {
        below->visited = true;
        walk_ingredients(judge);
    }
    judge->claim = claim;
}

static void judge_ingredient(struct bst_judge *judge, const struct bst_assertion *assertion)
{
    struct bst_ingredient ingredient;
    char url[BST_URL], outer[BST_URL];
    bst_assertion_url(judge->claim, assertion, url);
    if (bst_assertion_is_empty(assertion)) return; /* removed by a later claim */
    const char *problem = bst_ingredient_read(judge->claim, assertion, &ingredient);
    if (problem == NULL && ingredient.link != NULL && ingredient.source_type != NULL)
        bst_judge_fail(judge, "assertion.ingredient.malformed", url,
                       "an ingredient with both a manifest and a source type");
    if (problem != NULL) {
        bst_judge_fail(judge, "assertion.ingredient.malformed", url, problem);
        return;
    }
    memcpy(outer, judge->scope, sizeof(outer));
    memcpy(judge->scope, url, sizeof(url));
    if (ingredient.link != NULL) {
        judge_manifest(judge, &ingredient, assertion->version, url);
    } else if (ingredient.relation != BST_INPUT_TO) {
        bst_judge_say(judge, BST_STATUS_INFO, "ingredient.unknownProvenance", url,
                      "an ingredient that carries no credentials of its own");
    }
    memcpy(judge->scope, outer, sizeof(outer));
}

/* Recursion ends: the graph was found to have no loop, and its depth to be bounded. */
static void walk_ingredients(struct bst_judge *judge)
{
    const struct bst_claim *claim = judge->claim;
    for (size_t i = 0; i < claim->count; i++) {
        if (bst_is_ingredient(&claim->assertions[i])) judge_ingredient(judge, &claim->assertions[i]);
    }
}

void bst_judge_ingredients(struct bst_judge *judge)
{
    judge->claim = judge->active;
    judge->active->visited = true;
    walk_ingredients(judge);
}
