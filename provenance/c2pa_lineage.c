/* c2pa_lineage.c - what a picture was made from, as its manifests tell it, in words for people: the ingredients of the
 * active manifest, those that their own manifests name, and what became of each one's credentials. */
#include "c2pa.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define LISTED_MAX  200 /* ingredients in all: a manifest may be reached on many ways */
#define DEPTH_MAX   16
#define NAME_SHOWN  300  /* bytes shown of a name */
#define WORDS_SHOWN 4000 /* and of a prompt */

struct lineage {
    const struct bst_c2pa *c2pa;
    struct bst_judge *judge; /* of the store, opened again */
    size_t listed;
};

/* What is known of an ingredient's manifest: from what was found just now, or from what its user recorded. */
struct known {
    char altered[sizeof(
        ((struct bst_status *)0)->code)]; /* code of the first failure that is not about a signer */
    struct bst_vouched vouched;
};

static void take_code(const char *code, enum bst_status_kind kind, struct known *out)
{
    if (kind == BST_STATUS_FAILURE && !bst_status_about_signer(code)) {
        if (out->altered[0] == 0) snprintf(out->altered, sizeof(out->altered), "%s", code);
    }
    bst_vouched_take(&out->vouched, code);
}

static void take_list(cbor_item_t *list, struct known *out)
{
    for (size_t i = 0; i < bst_cbor_count(list); i++) {
        const char *text;
        size_t len;
        char code[sizeof(out->altered)];
        if (!bst_cbor_get_text(bst_cbor_get(cbor_array_handle(list)[i], "code"), &text, &len) ||
            len >= sizeof(code))
            continue;
        snprintf(code, sizeof(code), "%.*s", (int)len, text);
        take_code(code, bst_status_kind_of(code), out);
    }
}

static void take_recorded(const struct bst_ingredient *ingredient, struct known *out)
{
    cbor_item_t *active = bst_cbor_get(ingredient->results, "activeManifest");
    take_list(ingredient->results, out); /* versions 1 and 2: a list by itself */
    take_list(bst_cbor_get(active, "success"), out);
    take_list(bst_cbor_get(active, "failure"), out);
}

static void take_found(const struct bst_c2pa *c2pa, const char *url, struct known *out)
{
    for (size_t i = 0; i < c2pa->status_count; i++) {
        const struct bst_status *status = &c2pa->statuses[i];
        if (strcmp(status->ingredient, url) == 0) take_code(status->code, status->kind, out);
    }
}

/* ---- credentials of one ingredient ---- */

static json_t *text_json(const char *text, size_t len, size_t most)
{
    char *safe = bst_printable(text, len < most ? len : most);
    json_t *value = safe == NULL ? json_null() : json_string(safe);
    free(safe);
    return value;
}

static void set_text(json_t *object, const char *key, cbor_item_t *item)
{
    const char *text;
    size_t len;
    if (bst_cbor_get_text(item, &text, &len) && len > 0)
        json_object_set_new(object, key, text_json(text, len, NAME_SHOWN));
}

static void set_signer(json_t *object, const struct bst_claim *claim)
{
    struct bst_cose cose;
    if (claim->signature == NULL || !bst_export_signature(claim, &cose)) return;
    char *name = bst_signer_name(sk_X509_value(cose.chain, 0));
    if (name != NULL) json_object_set_new(object, "signer", json_string(name));
    free(name);
    bst_cose_clear(&cose);
}

static json_t *answer_json(const struct known *known)
{
    bool altered = known->altered[0] != 0;
    json_t *answer = json_pack("{s:s, s:s}", "integrity", altered ? "altered" : "intact", "signer_trust",
                               bst_signer_trust_words(bst_vouched_trust(&known->vouched)));
    if (altered) json_object_set_new(answer, "code", json_string(known->altered));
    return answer;
}

/* Two answers: what its user found when it went in, and what is so now. What its user found is left out of the findings of
 * now, but where these say otherwise they count; whether its manifest fitted its own bytes only its user could see. */
static void set_credentials(const struct lineage *all, const struct bst_claim *claim,
                            const struct bst_assertion *assertion, const struct bst_ingredient *ingredient,
                            json_t *object)
{
    char url[BST_URL];
    struct known recorded = {0}, now = {0};
    bst_assertion_url(claim, assertion, url);
    take_recorded(ingredient, &recorded);
    take_found(all->c2pa, url, &now);
    if (ingredient->results != NULL) json_object_set_new(object, "found", answer_json(&recorded));
    const struct bst_vouched *said = &now.vouched;
    bool told = said->trusted || said->untrusted || said->expired || said->revoked || said->unfit;
    struct known both = told ? now : recorded;
    memcpy(both.altered, now.altered[0] != 0 ? now.altered : recorded.altered, sizeof(both.altered));
    json_object_set_new(object, "now", answer_json(&both));
}

/* ---- one ingredient ---- */

static bool has_type(cbor_item_t *types, const char *type)
{
    for (size_t i = 0; i < bst_cbor_count(types); i++) {
        const char *text;
        size_t len, want = strlen(type);
        if (bst_cbor_get_text(bst_cbor_get(cbor_array_handle(types)[i], "type"), &text, &len) &&
            len >= want && memcmp(text, type, want) == 0 && (len == want || text[want] == '.'))
            return true;
    }
    return false;
}

static const char *kind_of(cbor_item_t *map)
{
    static const struct {
        const char *type, *kind;
    } kinds[] = {{"c2pa.types.generator.prompt", "prompt"},
                 {"c2pa.types.generator.seed", "seed"},
                 {"c2pa.types.dataset", "data set"},
                 {"c2pa.types.model", "model"},
                 {"c2pa.types.generator", "model"}};
    const char *format;
    size_t len;
    cbor_item_t *types = bst_cbor_get(map, "dataTypes");
    if (types == NULL) types = bst_cbor_get(map, "data_types"); /* versions 1 and 2 */
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (has_type(types, kinds[i].type)) return kinds[i].kind;
    }
    bool told = bst_cbor_get_text(bst_cbor_get(map, "dc:format"), &format, &len);
    return !told || (len > 6 && memcmp(format, "image/", 6) == 0) ? "picture" : "file";
}

/* Of a prompt or a seed the words themselves, when they stand in the manifest and are the ones linked. */
static void set_words(const struct bst_claim *claim, cbor_item_t *map, json_t *object)
{
    struct bst_hashed_uri link;
    const char *label;
    size_t len;
    if (!bst_hashed_uri(bst_cbor_get(map, "data"), claim->alg, &link) ||
        !bst_uri_assertion(link.uri, link.uri_len, &label, &len))
        return;
    struct bst_assertion *data = bst_claim_assertion(claim, label, len);
    if (data == NULL || data->box->content_type != BST_TYPE_FILE || data->data == NULL ||
        !bst_digest_is(bst_box_digest(claim->jumbf, data->box, link.alg, data->digest), &link) ||
        !bst_utf8_valid((const char *)data->data, data->data_len))
        return;
    json_object_set_new(object, "text", text_json((const char *)data->data, data->data_len, WORDS_SHOWN));
}

static json_t *list_json(struct lineage *all, struct bst_claim *claim, size_t depth);

static json_t *ingredient_json(struct lineage *all, struct bst_claim *claim,
                               const struct bst_assertion *assertion, size_t depth)
{
    static const char *const relations[] = {[BST_NO_RELATION] = "unknown",
                                            [BST_PARENT_OF] = "parentOf",
                                            [BST_COMPONENT_OF] = "componentOf",
                                            [BST_INPUT_TO] = "inputTo"};
    struct bst_ingredient ingredient;
    const char *problem = bst_ingredient_read(claim, assertion, &ingredient);
    json_t *object =
        json_pack("{s:s, s:s}", "label", assertion->label, "relationship", relations[ingredient.relation]);
    if (problem != NULL) {
        json_object_set_new(object, "problem", json_string(problem));
        return object;
    }
    cbor_item_t *map = assertion->content;
    const char *kind = kind_of(map);
    json_object_set_new(object, "kind", json_string(kind));
    set_text(object, "title", bst_cbor_get(map, "dc:title"));
    set_text(object, "format", bst_cbor_get(map, "dc:format"));
    set_text(object, "identifier", bst_cbor_get(map, "instanceID"));
    set_text(object, "description", bst_cbor_get(map, "description"));
    set_text(object, "source_type", ingredient.source_type);
    if (strcmp(kind, "prompt") == 0 || strcmp(kind, "seed") == 0) set_words(claim, map, object);
    if (ingredient.link == NULL) return object;
    struct bst_claim *below =
        bst_store_claim_at(all->judge, ingredient.manifest.uri, ingredient.manifest.uri_len);
    set_credentials(all, claim, assertion, &ingredient, object);
    if (below == NULL) return object;
    json_object_set_new(object, "manifest", text_json(below->label, strlen(below->label), NAME_SHOWN));
    set_signer(object, below);
    json_t *more = list_json(all, below, depth + 1);
    if (json_array_size(more) > 0) json_object_set(object, "ingredients", more);
    json_decref(more);
    return object;
}

static json_t *list_json(struct lineage *all, struct bst_claim *claim, size_t depth)
{
    json_t *list = json_array();
    if (claim->walking || claim->item == NULL || depth > DEPTH_MAX) return list;
    claim->walking = true;
    for (size_t i = 0; i < claim->count; i++) {
        const struct bst_assertion *assertion = &claim->assertions[i];
        if (!bst_is_ingredient(assertion) || assertion->list == BST_UNLISTED ||
            bst_assertion_is_empty(assertion) || all->listed == LISTED_MAX)
            continue;
        all->listed++;
        json_array_append_new(list, ingredient_json(all, claim, assertion, depth));
    }
    claim->walking = false;
    return list;
}

enum bst_code bst_c2pa_lineage(const struct bst_c2pa *c2pa, json_t **out, struct bst_error *err)
{
    struct bst_c2pa again = {0};
    struct bst_judge judge = {.out = &again};
    struct lineage all = {.c2pa = c2pa, .judge = &judge};
    enum bst_code code = bst_jumbf_parse(c2pa->store.data, c2pa->store.len, &judge.store, err);
    if (code != BST_OK) return code;
    code = bst_store_open(&judge, err);
    if (code == BST_OK) *out = list_json(&all, judge.active, 0);
    if (code == BST_OK && *out == NULL) code = bst_fail_memory(err);
    bst_store_close(&judge);
    bst_c2pa_clear(&again);
    return code;
}
