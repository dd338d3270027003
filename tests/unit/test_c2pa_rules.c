/* test_c2pa_rules.c - manifests as other or careless writers make them: each rule of the specification has
 * one that breaks it, properly signed, so that nothing but the rule is wrong. */
#include "stamp_fixture.h"

#include <jansson.h>

static struct signer signer;

static int setup(void **state)
{
    if (folder_setup(state) != 0) return -1;
    signer_new(&signer, bst_now_ms());
    return 0;
}

static int teardown(void **state)
{
    signer_free(&signer);
    return folder_teardown(state);
}

/* One assertion. With how != LISTED it stands in the store, but the claim says something else of it. */
enum listing { LISTED, GATHERED, UNLISTED, TWICE, WRONG_HASH, OUTSIDE };
struct assertion {
    const char *label;
    uint32_t type;
    const void *data;
    size_t len;
    enum listing how;
    uint8_t digest[BST_SHA256_LEN];
};

struct recipe {
    struct assertion assertion[8];
    size_t count;
    bool v1, no_alg, no_instance, second_claim, odd_box, relative_signature, wrong_signature;
    const char *label;      /* of the manifest */
    const char *redacted;   /* address of what the claim removes elsewhere */
    struct bst_buf *before; /* superboxes of manifests that stand before it in the store */
};

static void add(struct recipe *recipe, const char *label, const struct bst_buf *data, enum listing how)
{
    recipe->assertion[recipe->count++] =
        (struct assertion){label, BST_BOX_CBOR, data->data, data->len, how, {0}};
}

/* {"actions": [{"action": NAME, ...}, ...], ...}; a created action gets its source type if asked. */
static void make_actions(struct bst_buf *out, const char *first, const char *second, bool source)
{
    const char *names[] = {first, second};
    size_t count = (first != NULL ? 1u : 0u) + (second != NULL ? 1u : 0u);
    bst_cbor_map(out, 1);
    bst_cbor_text(out, "actions");
    bst_cbor_array(out, count);
    for (size_t i = 0; i < count; i++) {
        bst_cbor_map(out, source ? 2 : 1);
        bst_cbor_text(out, "action");
        bst_cbor_text(out, names[i]);
        if (!source) continue;
        bst_cbor_text(out, "digitalSourceType");
        bst_cbor_text(out, BST_SOURCE_GENERATED);
    }
}

struct binding {
    bool no_pad, unordered;
    const char *alg;
    uint64_t start, length;           /* 0: the real ones */
    uint64_t more_start, more_length; /* a second exclusion */
};

static void make_binding(struct bst_buf *out, const struct binding *binding, uint64_t length,
                         const uint8_t *hash)
{
    struct bst_range ranges[2] = {
        {binding->start ? binding->start : BST_PNG_HEAD, binding->length ? binding->length : length},
        {binding->more_start, binding->more_length}};
    size_t count = binding->more_length > 0 ? 2 : 1;
    bst_cbor_map(out, binding->no_pad ? 3 : 4);
    bst_cbor_text(out, "alg");
    bst_cbor_text(out, binding->alg ? binding->alg : "sha256");
    if (!binding->no_pad) {
        bst_cbor_text(out, "pad");
        bst_cbor_bytes(out, "", 0);
    }
    bst_cbor_text(out, "hash");
    bst_cbor_bytes(out, hash, BST_SHA256_LEN);
    bst_cbor_text(out, "exclusions");
    bst_cbor_array(out, count);
    for (size_t i = 0; i < count; i++) {
        const struct bst_range *range = &ranges[binding->unordered ? count - 1 - i : i];
        bst_cbor_map(out, 2);
        bst_cbor_text(out, "start");
        bst_cbor_uint(out, range->start);
        bst_cbor_text(out, "length");
        bst_cbor_uint(out, range->length);
    }
}

static void write_references(const struct recipe *recipe, bool gathered, struct bst_buf *out)
{
    size_t count = 0;
    char url[200];
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1) bst_cbor_array(out, count);
        for (size_t i = 0; i < recipe->count; i++) {
            const struct assertion *assertion = &recipe->assertion[i];
            if ((assertion->how == GATHERED) != gathered || assertion->how == UNLISTED) continue;
            for (int times = assertion->how == TWICE ? 2 : 1; times > 0; times--) {
                if (pass == 0) {
                    count++;
                    continue;
                }
                uint8_t digest[BST_SHA256_LEN];
                memcpy(digest, assertion->digest, sizeof(digest));
                if (assertion->how == WRONG_HASH) digest[0] ^= 1;
                snprintf(url, sizeof(url), "self#jumbf=c2pa.assertions/%s", assertion->label);
                if (assertion->how == OUTSIDE) snprintf(url, sizeof(url), "self#jumbf=c2pa.signature");
                bst_cbor_map(out, 2);
                bst_cbor_text(out, "url");
                bst_cbor_text(out, url);
                bst_cbor_text(out, "hash");
                bst_cbor_bytes(out, digest, sizeof(digest));
            }
        }
    }
}

static void write_claim(const struct recipe *recipe, const char *label, struct bst_buf *out)
{
    char url[200];
    bool gathered = false;
    for (size_t i = 0; i < recipe->count; i++) {
        gathered = gathered || recipe->assertion[i].how == GATHERED;
    }
    bst_cbor_map(out, 5u + recipe->v1 - recipe->no_alg - recipe->no_instance + gathered +
                          (recipe->redacted != NULL));
    if (recipe->redacted != NULL) {
        bst_cbor_text(out, "redacted_assertions");
        bst_cbor_array(out, 1);
        bst_cbor_text(out, recipe->redacted);
    }
    if (!recipe->no_alg) {
        bst_cbor_text(out, "alg");
        bst_cbor_text(out, "sha256");
    }
    snprintf(url, sizeof(url), "self#jumbf=/c2pa/%s/%s", label,
             recipe->wrong_signature ? "c2pa.claim.v2" : "c2pa.signature");
    bst_cbor_text(out, "signature");
    bst_cbor_text(out, recipe->relative_signature ? "self#jumbf=c2pa.signature" : url);
    if (!recipe->no_instance) {
        bst_cbor_text(out, "instanceID");
        bst_cbor_text(out, "xmp.iid:1");
    }
    bst_cbor_text(out, recipe->v1 ? "assertions" : "created_assertions");
    write_references(recipe, false, out);
    if (gathered) {
        bst_cbor_text(out, "gathered_assertions");
        write_references(recipe, true, out);
    }
    if (recipe->v1) {
        bst_cbor_text(out, "claim_generator");
        bst_cbor_text(out, "Another/1.0");
        bst_cbor_text(out, "dc:format");
        bst_cbor_text(out, "image/png");
    } else {
        bst_cbor_text(out, "claim_generator_info");
        bst_cbor_map(out, 1);
        bst_cbor_text(out, "name");
        bst_cbor_text(out, "Another");
    }
}

#define ACTIVE "urn:c2pa:12345678-1234-4123-8123-123456789abc"

static void write_manifest(struct recipe *recipe, struct bst_buf *out)
{
    struct bst_error err = {0};
    struct bst_buf claim = {0}, cose = {0};
    const char *label = recipe->label ? recipe->label : ACTIVE;
    const char *claim_label = recipe->v1 ? "c2pa.claim" : "c2pa.claim.v2";
    size_t manifest = bst_jumbf_begin_super(out, BST_TYPE_MANIFEST, label);
    size_t assertions = bst_jumbf_begin_super(out, BST_TYPE_ASSERTIONS, "c2pa.assertions");
    for (size_t i = 0; i < recipe->count; i++) {
        struct assertion *assertion = &recipe->assertion[i];
        size_t begin = out->len;
        bst_jumbf_leaf(out, assertion->type, assertion->label, assertion->type, assertion->data,
                       assertion->len);
        bst_sha256(out->data + begin + 8, out->len - begin - 8, assertion->digest);
    }
    bst_jumbf_end(out, assertions);
    write_claim(recipe, label, &claim);
    bst_jumbf_leaf(out, BST_TYPE_CLAIM, claim_label, BST_BOX_CBOR, claim.data, claim.len);
    if (recipe->second_claim)
        bst_jumbf_leaf(out, BST_TYPE_CLAIM, "c2pa.claim", BST_BOX_CBOR, claim.data, claim.len);
    if (recipe->odd_box) bst_jumbf_leaf(out, BST_BOX_CBOR, "org.example.extra", BST_BOX_CBOR, "\xa0", 1);
    assert_good(bst_cose_sign(&signer.signs, claim.data, claim.len, 0, &cose, &err));
    bst_jumbf_leaf(out, BST_TYPE_SIGNATURE, "c2pa.signature", BST_BOX_CBOR, cose.data, cose.len);
    bst_jumbf_end(out, manifest);
    bst_buf_free(&claim);
    bst_buf_free(&cose);
}

static void write_store(struct recipe *recipe, struct bst_buf *out)
{
    size_t store = bst_jumbf_begin_super(out, BST_TYPE_STORE, "c2pa");
    if (recipe->before != NULL) bst_buf_append(out, recipe->before->data, recipe->before->len);
    write_manifest(recipe, out);
    bst_jumbf_end(out, store);
}

/* Makes the file of the recipe, in which the assertion labelled c2pa.hash.data, if it is there with no data
 * of its own, becomes the binding. */
static void judge(struct recipe *recipe, const struct binding *binding, struct bst_c2pa *c2pa)
{
    struct bst_error err = {0};
    struct bst_buf png = {0}, store = {0}, hash = {0}, file = {0};
    uint8_t digest[BST_SHA256_LEN];
    uint64_t length = 0;
    make_png(&png);
    size_t tail =
        binding->more_length > 0 ? (size_t)binding->more_length : 0; /* a second exclusion at the end */
    bst_sha256(png.data, png.len - tail, digest);
    do {
        length = store.len + 12;
        struct binding real = *binding;
        if (tail > 0) real.more_start = png.len - tail + length;
        store.len = hash.len = 0;
        make_binding(&hash, &real, length, digest);
        for (size_t i = 0; i < recipe->count; i++) {
            struct assertion *assertion = &recipe->assertion[i];
            if (strncmp(assertion->label, "c2pa.hash.data", 14) != 0) continue;
            assertion->data = hash.data;
            assertion->len = hash.len;
        }
        write_store(recipe, &store);
    } while (store.len + 12 != length);
    bst_buf_append(&file, png.data, BST_PNG_HEAD);
    bst_png_chunk(&file, "caBX", store.data, store.len);
    bst_buf_append(&file, png.data + BST_PNG_HEAD, png.len - BST_PNG_HEAD);
    const char *path = in_folder("rule.png");
    write_file(path, file.data, file.len);
    assert_good(read_back(path, signer.root, c2pa, &err));
    bst_buf_free(&png);
    bst_buf_free(&store);
    bst_buf_free(&hash);
    bst_buf_free(&file);
}

/* With code NULL the file must be trusted, else Invalid for that reason. */
static void expect_binding(struct recipe *recipe, const struct binding *binding, const char *code)
{
    struct bst_c2pa c2pa;
    judge(recipe, binding, &c2pa);
    bool good = code == NULL ? c2pa.state == BST_C2PA_TRUSTED
                             : c2pa.state == BST_C2PA_INVALID && has_status(&c2pa, BST_STATUS_FAILURE, code);
    for (size_t i = 0; i < c2pa.status_count && !good; i++) {
        print_message("%d %s: %s\n", c2pa.statuses[i].kind, c2pa.statuses[i].code, c2pa.statuses[i].words);
    }
    if (!good) fail_msg("expected %s", code == NULL ? "trust" : code);
    bst_c2pa_clear(&c2pa);
}

static void expect(struct recipe *recipe, const char *code)
{
    struct binding binding = {0};
    expect_binding(recipe, &binding, code);
}

static const struct bst_buf nothing;
static struct bst_buf created;

/* The smallest manifest that breaks no rule. */
static struct recipe good_recipe(void)
{
    struct recipe recipe = {.count = 0};
    if (created.len == 0) make_actions(&created, "c2pa.created", NULL, true);
    add(&recipe, "c2pa.actions.v2", &created, LISTED);
    add(&recipe, "c2pa.hash.data", &nothing, LISTED);
    return recipe;
}

static void the_smallest_manifest_is_trusted(void **state)
{
    (void)state;
    struct recipe recipe = good_recipe();
    expect(&recipe, NULL);
    recipe.relative_signature = true;
    expect(&recipe, NULL);
}

static void claims_must_be_whole(void **state)
{
    (void)state;
    struct recipe recipe = good_recipe();
    recipe.no_alg = true;
    expect(&recipe, "algorithm.unsupported");
    recipe = good_recipe();
    recipe.no_instance = true;
    expect(&recipe, "claim.malformed");
    recipe = good_recipe();
    recipe.second_claim = true;
    expect(&recipe, "claim.multiple");
    recipe = good_recipe();
    recipe.odd_box = true;
    expect(&recipe, "claim.multiple");
    recipe = good_recipe();
    recipe.wrong_signature = true;
    expect(&recipe, "claimSignature.missing");
    recipe = good_recipe();
    recipe.label = "no urn";
    expect(&recipe, "claim.malformed");
}

static void assertions_must_be_listed_once_and_rightly(void **state)
{
    (void)state;
    static const struct {
        enum listing how;
        const char *code;
    } cases[] = {{LISTED, NULL},
                 {GATHERED, NULL},
                 {UNLISTED, "assertion.undeclared"},
                 {TWICE, NULL},
                 {WRONG_HASH, "assertion.hashedURI.mismatch"},
                 {OUTSIDE, "assertion.missing"}};
    struct bst_buf empty = {0};
    bst_cbor_map(&empty, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct recipe recipe = good_recipe();
        add(&recipe, "org.example.note", &empty, cases[i].how);
        expect(&recipe, cases[i].code);
    }
    struct recipe recipe = good_recipe(); /* two with one label: only the first is ever reached */
    add(&recipe, "org.example.note", &empty, LISTED);
    add(&recipe, "org.example.note", &empty, UNLISTED);
    expect(&recipe, "assertion.hashedURI.mismatch");
    bst_buf_free(&empty);
}

static void words_of_strangers_are_cleaned(void **state)
{
    (void)state;
    struct bst_buf empty = {0};
    struct bst_c2pa c2pa;
    struct binding binding = {0};
    struct recipe recipe = good_recipe();
    bst_cbor_map(&empty, 0);
    add(&recipe, "org.example.\x1b[31m\xc3\xa9", &empty, WRONG_HASH);
    judge(&recipe, &binding, &c2pa);
    assert_int_equal(c2pa.state, BST_C2PA_INVALID);
    for (size_t i = 0; i < c2pa.status_count; i++) {
        for (const char *p = c2pa.statuses[i].url; *p != 0; p++) {
            assert_true(*p > ' ' && *p <= '~');
        }
    }
    bst_c2pa_clear(&c2pa);
    bst_buf_free(&empty);
}

static void contents_must_parse(void **state)
{
    (void)state;
    struct recipe recipe = good_recipe();
    struct bst_buf bad = {0};
    bst_buf_text(&bad, "\xa1\x61");
    add(&recipe, "org.example.note", &bad, LISTED);
    expect(&recipe, "assertion.cbor.invalid");
    recipe = good_recipe();
    recipe.assertion[recipe.count++] =
        (struct assertion){"org.example.json", BST_BOX_JSON, "{\"a\":1}", 7, LISTED, {0}};
    expect(&recipe, NULL);
    recipe.assertion[recipe.count - 1].len = 6;
    expect(&recipe, "assertion.json.invalid");
    recipe = good_recipe();
    add(&recipe, BST_RECEIPT_LABEL, &created, LISTED);
    expect(&recipe, "general.error");
    bst_buf_free(&bad);
}

static void bindings_must_hold(void **state)
{
    (void)state;
    struct recipe recipe = good_recipe();
    expect_binding(&recipe, &(struct binding){.no_pad = true}, "assertion.dataHash.malformed");
    expect_binding(&recipe, &(struct binding){.alg = "md5"}, "assertion.dataHash.mismatch");
    expect_binding(&recipe, &(struct binding){.start = 20}, "assertion.dataHash.mismatch");
    expect_binding(&recipe, &(struct binding){.length = 40}, "assertion.dataHash.mismatch");
    expect_binding(&recipe, &(struct binding){.length = UINT64_MAX}, "assertion.dataHash.malformed");
    expect_binding(&recipe, &(struct binding){.more_length = 4, .unordered = true},
                   "assertion.dataHash.malformed");
    recipe.count = 1;
    expect(&recipe, "claim.hardBindings.missing");
    recipe = good_recipe();
    recipe.assertion[1].how = GATHERED; /* made by others, so not the signer's own binding */
    expect(&recipe, "claim.hardBindings.missing");
    recipe = good_recipe();
    add(&recipe, "c2pa.hash.data__1", &nothing, LISTED);
    expect(&recipe, "assertion.multipleHardBindings");
    recipe = good_recipe();
    recipe.count = 1;
    add(&recipe, "c2pa.hash.boxes", &created, LISTED);
    expect(&recipe, "assertion.boxesHash.mismatch"); /* no boxes in it */
    recipe.count = 1;
    add(&recipe, "c2pa.hash.bmff.v3", &created, LISTED);
    expect(&recipe, "assertion.bmffHash.malformed"); /* nothing in it that binds */
}

/* {"exclusions": [{"xpath": "/uuid"}], "hash": bytes}, and where key says, or instead, a number of two bytes. */
static void make_bmff_binding(struct bst_buf *out, bool in_exclusion, const char *key)
{
    static const char half[] = "\xf9\x3c\x00"; /* 1.0 of half precision */
    static const uint8_t hash[BST_SHA256_LEN];
    bool is_hash = strcmp(key, "hash") == 0;
    bst_cbor_map(out, in_exclusion || is_hash ? 2 : 3);
    bst_cbor_text(out, "exclusions");
    bst_cbor_array(out, 1);
    bst_cbor_map(out, in_exclusion ? 2 : 1);
    bst_cbor_pair(out, "xpath", "/uuid");
    if (!in_exclusion) {
        bst_cbor_text(out, "hash");
        if (!is_hash) bst_cbor_bytes(out, hash, sizeof(hash));
    }
    if (in_exclusion || !is_hash) bst_cbor_text(out, key);
    bst_buf_append(out, half, 3);
    if (in_exclusion) {
        bst_cbor_text(out, "hash");
        bst_cbor_bytes(out, hash, sizeof(hash));
    }
}

/* libcbor ends the program that asks whether such a number is null or a truth value. */
static void numbers_in_a_binding_to_boxes_are_refused(void **state)
{
    (void)state;
    static const struct {
        bool in_exclusion;
        const char *key, *code;
    } cases[] = {
        {false, "alg", "assertion.bmffHash.mismatch"},    {false, "url", "assertion.bmffHash.mismatch"},
        {false, "merkle", "assertion.bmffHash.mismatch"}, {false, "hash", "assertion.bmffHash.malformed"},
        {true, "length", "assertion.bmffHash.malformed"}, {true, "version", "assertion.bmffHash.malformed"},
        {true, "flags", "assertion.bmffHash.malformed"},  {true, "exact", "assertion.bmffHash.malformed"},
        {true, "data", "assertion.bmffHash.malformed"},   {true, "subset", "assertion.bmffHash.malformed"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct recipe recipe = good_recipe();
        struct bst_buf content = {0};
        make_bmff_binding(&content, cases[i].in_exclusion, cases[i].key);
        recipe.count = 1;
        add(&recipe, "c2pa.hash.bmff.v3", &content, LISTED);
        expect(&recipe, cases[i].code);
        bst_buf_free(&content);
    }
}

static void further_exclusions_are_told(void **state)
{
    (void)state;
    struct recipe recipe = good_recipe();
    struct binding binding = {.more_length = 4};
    struct bst_c2pa c2pa;
    judge(&recipe, &binding, &c2pa);
    assert_int_equal(c2pa.state, BST_C2PA_TRUSTED);
    assert_true(has_status(&c2pa, BST_STATUS_INFO, "assertion.dataHash.additionalExclusionsPresent"));
    bst_c2pa_clear(&c2pa);
}

static void actions_must_tell_a_history(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        bool source;
        const char *code;
    } cases[] = {
        {"c2pa.created", "c2pa.edited", true, NULL},
        {NULL, NULL, true, "assertion.action.malformed"},
        {"c2pa.edited", NULL, true, "assertion.action.malformed"},
        {"c2pa.edited", "c2pa.created", true, "assertion.action.malformed"},
        {"c2pa.created", "c2pa.created", true, "assertion.action.malformed"},
        {"c2pa.created", NULL, false, "assertion.action.malformed"},
        {"c2pa.opened", NULL, true, "assertion.action.ingredientMismatch"},
        {"c2pa.created", "c2pa.placed", true, "assertion.action.ingredientMismatch"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bst_buf actions = {0};
        struct recipe recipe = {.count = 0};
        make_actions(&actions, cases[i].first, cases[i].second, cases[i].source);
        add(&recipe, "c2pa.actions.v2", &actions, LISTED);
        add(&recipe, "c2pa.hash.data", &nothing, LISTED);
        expect(&recipe, cases[i].code);
        bst_buf_free(&actions);
    }
    struct recipe recipe = {.count = 0};
    add(&recipe, "c2pa.hash.data", &nothing, LISTED);
    expect(&recipe, "assertion.action.malformed");
    recipe = good_recipe();
    add(&recipe, "c2pa.actions.v2__1", &created, LISTED); /* created a second time */
    expect(&recipe, "assertion.action.malformed");
}

static void make_ingredient(struct bst_buf *out, const char *relationship, const char *target,
                            const uint8_t *hash)
{
    bst_cbor_map(out, target != NULL ? 2 : 1);
    bst_cbor_text(out, "relationship");
    bst_cbor_text(out, relationship);
    if (target == NULL) return;
    bst_cbor_text(out, "activeManifest");
    bst_cbor_map(out, 2);
    bst_cbor_text(out, "url");
    bst_cbor_text(out, target);
    bst_cbor_text(out, "hash");
    bst_cbor_bytes(out, hash, BST_SHA256_LEN);
}

static void ingredients_are_linked(void **state)
{
    (void)state;
    uint8_t hash[BST_SHA256_LEN] = {0};
    struct bst_buf ingredient = {0};
    struct bst_c2pa c2pa;
    struct binding binding = {0};
    struct recipe recipe = good_recipe();
    make_ingredient(&ingredient, "parentOf", NULL, NULL);
    add(&recipe, "c2pa.ingredient.v3", &ingredient, LISTED);
    judge(&recipe, &binding, &c2pa);
    assert_int_equal(c2pa.state, BST_C2PA_TRUSTED);
    assert_true(has_status(&c2pa, BST_STATUS_INFO, "ingredient.unknownProvenance"));
    bst_c2pa_clear(&c2pa);
    static const struct {
        const char *relationship, *target, *code;
    } cases[] = {
        {"cousinOf", NULL, "assertion.ingredient.malformed"},
        {"parentOf", "self#jumbf=/c2pa/urn:c2pa:gone", "ingredient.manifest.missing"},
        {"parentOf", "self#jumbf=c2pa.signature", "ingredient.manifest.missing"},
        {"parentOf", "self#jumbf=/c2pa/" ACTIVE, "assertion.ingredient.malformed"}, /* of itself */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ingredient.len = 0;
        make_ingredient(&ingredient, cases[i].relationship, cases[i].target, hash);
        recipe = good_recipe();
        add(&recipe, "c2pa.ingredient.v3", &ingredient, LISTED);
        expect(&recipe, cases[i].code);
    }
    bst_buf_free(&ingredient);
}

/* ---- ingredients with manifests ---- */

#define PARENT      "self#jumbf=/c2pa/urn:c2pa:parent"
#define PARENT_NOTE PARENT "/c2pa.assertions/org.example.note"

/* An ingredient assertion (v3): the link, when from is given, and the failures that are on record of the parent. */
static void make_linked(struct bst_buf *out, const char *relationship, const char *target,
                        const struct bst_buf *from, const char *const *failures, size_t count)
{
    uint8_t digest[BST_SHA256_LEN];
    bst_cbor_map(out, from != NULL ? 3 : 2);
    bst_cbor_pair(out, "relationship", relationship);
    if (from != NULL) {
        bst_sha256(from->data + 8, from->len - 8, digest);
        bst_cbor_text(out, "activeManifest");
        bst_c2pa_link(out, target, digest);
    }
    bst_cbor_text(out, "validationResults");
    bst_cbor_map(out, 1);
    bst_cbor_text(out, "activeManifest");
    bst_cbor_map(out, 1);
    bst_cbor_text(out, "failure");
    bst_cbor_array(out, count);
    for (size_t i = 0; i < count; i++) {
        bst_cbor_map(out, 2);
        bst_cbor_pair(out, "code", failures[2 * i]);
        bst_cbor_pair(out, "url", failures[2 * i + 1]);
    }
}

static const char *const forged[] = {"ingredient.manifest.mismatch", PARENT, "assertion.missing",
                                     PARENT_NOTE};

/* The parent with a note, or the one that was put in its place without it. */
static void make_parent(bool noted, const struct bst_buf *more, struct bst_buf *out)
{
    static const char words[] = "\xa1\x61w\x61x";
    const struct bst_buf note = {.data = (uint8_t *)(uintptr_t)words, .len = sizeof(words) - 1};
    struct recipe recipe = good_recipe();
    recipe.label = "urn:c2pa:parent";
    recipe.count = 1;
    if (noted) add(&recipe, "org.example.note", &note, LISTED);
    if (more != NULL) add(&recipe, "c2pa.ingredient.v3", more, LISTED);
    write_manifest(&recipe, out);
}

/* Of a picture whose parent is by now another one: the link does not hold, whoever excuses that. */
static void no_manifest_excuses_its_forgery(void **state)
{
    (void)state;
    struct bst_buf parent = {0}, other = {0}, link = {0}, excuse = {0};
    make_linked(&excuse, "componentOf", NULL, NULL, forged, 2);
    make_parent(true, NULL, &parent);
    make_parent(true, &excuse, &other);
    make_linked(&link, "componentOf", PARENT, &parent, NULL, 0);
    struct recipe recipe = good_recipe();
    add(&recipe, "c2pa.ingredient.v3", &link, LISTED);
    recipe.before = &other;
    expect(&recipe, "ingredient.manifest.mismatch");
    link.len = 0;
    make_linked(&link, "componentOf", PARENT, &parent, forged, 2); /* the link itself excuses it beforehand */
    recipe = good_recipe();
    add(&recipe, "c2pa.ingredient.v3", &link, LISTED);
    recipe.before = &other;
    expect(&recipe, "ingredient.manifest.mismatch");
    bst_buf_free(&parent);
    bst_buf_free(&other);
    bst_buf_free(&link);
    bst_buf_free(&excuse);
}

/* A note was taken out of the parent: by whom it may be. */
static void only_who_leads_there_redacts(void **state)
{
    (void)state;
    struct bst_buf parent = {0}, cut = {0}, beside = {0}, before = {0}, link = {0}, other = {0};
    make_parent(true, NULL, &parent);
    make_parent(false, NULL, &cut);
    struct recipe stranger = good_recipe();
    stranger.label = "urn:c2pa:beside";
    stranger.count = 1;
    stranger.redacted = PARENT_NOTE;
    write_manifest(&stranger, &beside);
    make_linked(&link, "componentOf", PARENT, &parent, NULL, 0);
    make_linked(&other, "componentOf", "self#jumbf=/c2pa/urn:c2pa:beside", &beside, NULL, 0);
    bst_buf_append(&before, cut.data, cut.len);
    bst_buf_append(&before, beside.data, beside.len);
    struct recipe recipe = good_recipe();
    add(&recipe, "c2pa.ingredient.v3", &link, LISTED);
    add(&recipe, "c2pa.ingredient.v3__1", &other, LISTED);
    recipe.before = &before;
    expect(&recipe, "ingredient.manifest.mismatch");
    bst_buf_free(&parent);
    bst_buf_free(&cut);
    bst_buf_free(&beside);
    bst_buf_free(&before);
    bst_buf_free(&link);
    bst_buf_free(&other);
}

static void version_1_is_judged(void **state)
{
    (void)state;
    struct bst_c2pa c2pa;
    struct binding binding = {0};
    struct recipe recipe = good_recipe();
    recipe.v1 = true;
    recipe.label = "example:urn:uuid:12345678-1234-4123-8123-123456789abc";
    judge(&recipe, &binding, &c2pa);
    assert_int_equal(c2pa.state, BST_C2PA_TRUSTED);
    assert_string_equal(c2pa.generator, "Another/1.0");
    bst_c2pa_clear(&c2pa);
    recipe.count = 1;
    expect(&recipe, "claim.hardBindings.missing");
}

static int finish(void **state)
{
    bst_buf_free(&created);
    return teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_manifest_is_trusted),
        cmocka_unit_test(claims_must_be_whole),
        cmocka_unit_test(assertions_must_be_listed_once_and_rightly),
        cmocka_unit_test(words_of_strangers_are_cleaned),
        cmocka_unit_test(contents_must_parse),
        cmocka_unit_test(bindings_must_hold),
        cmocka_unit_test(numbers_in_a_binding_to_boxes_are_refused),
        cmocka_unit_test(further_exclusions_are_told),
        cmocka_unit_test(actions_must_tell_a_history),
        cmocka_unit_test(ingredients_are_linked),
        cmocka_unit_test(no_manifest_excuses_its_forgery),
        cmocka_unit_test(only_who_leads_there_redacts),
        cmocka_unit_test(version_1_is_judged),
    };
    return cmocka_run_group_tests_name("c2pa_rules", tests, setup, finish);
}
