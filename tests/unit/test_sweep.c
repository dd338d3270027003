/* test_sweep.c - each rule of the reviewer's sweep on a ledger: the fault is made and the finding seen, and a clean ledger has
 * none. The rules on files are tests/cli/audit.sh's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>

#include "open_fixture.h"
#include "statement.h"
#include "sweep.h"

static struct bst_error err;
static struct person other;

static uint64_t append(const struct bst_key *key, struct bst_buf *payload, const struct bst_secrets *secrets)
{
    return fixture_put(&fixture, ledger, key, payload, secrets);
}

static int setup(void **ctx)
{
    (void)ctx;
    fixture_new(&fixture);
    ledger = fixture_open(&fixture, BST_LEDGER_WRITE);
    other = person_new("Ben Example", 7);
    return 0;
}

static int teardown(void **ctx)
{
    person_free(&other);
    return open_teardown(ctx);
}

static void declare_other(void)
{
    struct bst_buf payload = {0};
    fixture_must(bst_statement_identity_at(&other.identity, bst_now_ms(), &payload, &err), &err);
    append(other.key, &payload, NULL);
}

/* A generation that breaks no rule but what the test changes. */
static struct bst_generation generation(uint64_t seed)
{
    struct bst_generation made = {.file_name = "pond.png",
                                  .image_id = "00000000-0000-4000-8000-000000000001",
                                  .model_name = "ponds",
                                  .model_title = "Ponds",
                                  .model_license = "CC0-1.0",
                                  .model_bytes = 99,
                                  .card_name = "ponds.card.json",
                                  .seed = seed,
                                  .width = 64,
                                  .height = 64,
                                  .truncation = 1,
                                  .arith = "blindstamp-arith/1",
                                  .started_ms = bst_now_ms(),
                                  .finished_ms = bst_now_ms()};
    bst_sha256("ponds", 5, made.model_sha256);
    bst_sha256("card", 4, made.card_sha256);
    bst_sha256(&seed, sizeof seed, made.sha256);
    bst_sha256(&seed, sizeof seed - 1, made.pixels_sha256);
    made.pixels_sha256[0] ^= 1;
    return made;
}

static uint64_t add(const struct bst_generation *made, bool by_other)
{
    struct bst_buf payload = {0};
    struct bst_secrets secrets = {0};
    fixture_must(bst_statement_generation(made, by_other ? &other.identity : &fixture.identity, &secrets,
                                          &payload, &err),
                 &err);
    uint64_t entry = append(by_other ? other.key : fixture.author, &payload, &secrets);
    bst_secrets_clear(&secrets);
    return entry;
}

static uint64_t train(const char *dataset)
{
    struct bst_buf payload = {0};
    char now[BST_TIME_LEN];
    json_t *manifest = json_loads(dataset, 0, NULL), *parameters = json_object();
    assert_non_null(manifest);
    bst_time_text(bst_now_ms(), now);
    const struct bst_training training = {
        .model_name = "ours", .dataset = manifest, .parameters = parameters, .started = now, .finished = now};
    fixture_must(bst_statement_training(&training, &fixture.identity, &payload, &err), &err);
    json_decref(manifest);
    json_decref(parameters);
    return append(fixture.author, &payload, NULL);
}

/* ---- what the sweep tells ---- */

struct told {
    struct bst_sweep_summary summary;
    struct bst_sweep_report *report;
    char words[1200]; /* of the last finding */
    uint64_t entry;   /* its first one */
    const char *detail;
};

static bool hear(void *arg, const struct bst_sweep_finding *finding)
{
    struct told *told = arg;
    snprintf(told->words, sizeof told->words, "%s", finding->words);
    told->entry = finding->entry_count ? finding->entries[0] : UINT64_MAX;
    told->detail = finding->detail;
    return bst_sweep_report_add(told->report, finding);
}

static struct told sweep_with(struct bst_sweep_options options)
{
    struct told told = {.report = bst_sweep_report_new()};
    struct bst_sweep *sweep;
    options.ledger = fixture.path;
    options.gap_ms = INT64_C(30) * 86400000;
    options.slack_ms = 600000;
    options.threads = 1;
    options.found = hear;
    options.found_arg = &told;
    fixture_must(bst_sweep_open(&options, &sweep, &err), &err);
    fixture_must(bst_sweep_finish(sweep, &told.summary, &err), &err);
    bst_sweep_close(sweep);
    return told;
}

static struct told sweep_but(enum sweep_rule skipped)
{
    struct bst_sweep_options options = {0};
    if (skipped < SWEEP_RULE_COUNT) options.skip[skipped] = true;
    return sweep_with(options);
}

static struct told sweep(void)
{
    return sweep_but(SWEEP_RULE_COUNT);
}

/* This rule found so much, and no other anything. Skipped, it finds nothing. */
static void only(enum sweep_rule rule, uint64_t count)
{
    struct told told = sweep(), without = sweep_but(rule);
    uint64_t all = told.summary.by_severity[0] + told.summary.by_severity[1] + told.summary.by_severity[2];
    const struct bst_sweep_rule *about = bst_sweep_rule(rule);
    if (told.summary.count[rule] != count || all != count) print_message("last: %s\n", told.words);
    assert_int_equal(told.summary.count[rule], count);
    assert_int_equal(all, count);
    assert_int_equal(told.summary.code, count ? about->code : BST_OK);
    assert_int_equal(without.summary.count[rule], 0);
    bst_sweep_report_free(told.report);
    bst_sweep_report_free(without.report);
}

/* ---- the rules ---- */

static void a_clean_ledger_has_none(void **ctx)
{
    (void)ctx;
    struct bst_generation made = generation(1), next = generation(2);
    add(&made, false);
    add(&next, false);
    train("{\"dataset_id\":\"d\",\"title\":\"D\",\"version\":\"1\",\"license\":\"CC0-1.0\",\"items\":[{"
          "\"file\":\"a.png\","
          "\"license\":\"CC0-1.0\",\"sha256\":"
          "\"0000000000000000000000000000000000000000000000000000000000000001\"}]}");
    only(SWEEP_LEDGER, 0);
}

static void controls_of_two_authors(void **ctx)
{
    (void)ctx;
    struct bst_generation mine = generation(1), theirs = generation(1);
    theirs.sha256[0] ^= 1;
    theirs.pixels_sha256[0] ^= 8; /* other pixels: only the claim to have made them so is the same */
    uint64_t first = add(&mine, false);
    only(SWEEP_CLAIM_CONTROLS, 0);
    declare_other();
    add(&theirs, true);
    only(SWEEP_CLAIM_CONTROLS, 1);
    struct told told = sweep();
    assert_int_equal(told.entry, first);
    bst_sweep_report_free(told.report);
}

static void a_picture_of_two_authors(void **ctx)
{
    (void)ctx;
    struct bst_generation mine = generation(1), theirs = generation(2);
    memcpy(theirs.pixels_sha256, mine.pixels_sha256, sizeof mine.pixels_sha256);
    add(&mine, false);
    declare_other();
    add(&theirs, true);
    only(SWEEP_CLAIM_PICTURE, 1);
    struct told told = sweep();
    assert_non_null(strstr(told.words, "Ada Example and Ben Example"));
    bst_sweep_report_free(told.report);
}

static void a_picture_under_two_names(void **ctx)
{
    (void)ctx;
    struct bst_generation once = generation(1), again = generation(2);
    memcpy(again.pixels_sha256, once.pixels_sha256, sizeof once.pixels_sha256);
    add(&once, false);
    add(&again, false);
    only(SWEEP_PICTURE_NAMES, 0);
    again.file_name = "lake.png";
    again.seed = 3;
    again.sha256[0] ^= 1;
    add(&again, false);
    only(SWEEP_PICTURE_NAMES, 1);
}

static void times(void **ctx)
{
    (void)ctx;
    struct bst_generation made = generation(1);
    add(&made, false);
    made = generation(2);
    made.finished_ms -= 300000; /* within what clocks may differ by */
    add(&made, false);
    only(SWEEP_TIME_BACKWARDS, 0);
    made = generation(3);
    made.finished_ms -= 3600000;
    add(&made, false);
    only(SWEEP_TIME_BACKWARDS, 1);
}

static void a_time_to_come(void **ctx)
{
    (void)ctx;
    struct bst_generation made = generation(1);
    made.finished_ms += 86400000;
    uint64_t entry = add(&made, false);
    only(SWEEP_TIME_FUTURE, 1);
    struct told told = sweep();
    assert_int_equal(told.entry, entry);
    bst_sweep_report_free(told.report);
}

static void a_gap(void **ctx)
{
    (void)ctx;
    struct bst_generation made = generation(1);
    made.finished_ms += INT64_C(40) * 86400000;
    add(&made, false);
    struct told told = sweep();
    assert_int_equal(told.summary.count[SWEEP_TIME_GAP], 1);
    assert_int_equal(told.summary.count[SWEEP_TIME_FUTURE], 1);
    bst_sweep_report_free(told.report);
}

static void models(void **ctx)
{
    (void)ctx;
    struct bst_generation made = generation(1);
    made.card_name = NULL;
    add(&made, false);
    only(SWEEP_MODEL_NO_CARD, 1);
    made = generation(2); /* now its card is known */
    made.model_license = NULL;
    add(&made, false);
    only(SWEEP_MODEL_NO_CARD, 0);
    made = generation(3);
    made.model_license = NULL;
    bst_sha256("lakes", 5, made.model_sha256);
    made.model_name = "lakes";
    add(&made, false);
    only(SWEEP_MODEL_NO_LICENCE, 1);
}

#define ITEM(file, more)                                                                                     \
    "{\"file\":\"" file                                                                                      \
    "\",\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000001\"" more "}"
#define SET(licence, items)                                                                                  \
    "{\"dataset_id\":\"d\",\"title\":\"D\",\"version\":\"1\"" licence ",\"items\":[" items "]}"

static void training_that_was_forbidden(void **ctx)
{
    (void)ctx;
    train(
        SET(",\"license\":\"CC0-1.0\"", ITEM("a.png", ",\"license\":\"CC0-1.0\",\"training\":\"allowed\"")));
    only(SWEEP_TRAINING_FORBIDDEN, 0);
    train(SET(",\"license\":\"CC0-1.0\"",
              ITEM("a.png", ",\"license\":\"CC0-1.0\",\"training\":\"notAllowed\"") "," ITEM(
                  "b.png", ",\"license\":\"LicenseRef-NoAI\"")));
    only(SWEEP_TRAINING_FORBIDDEN, 1);
    struct told told = sweep();
    assert_non_null(strstr(told.words, "2 pictures that forbid it: a.png, b.png"));
    bst_sweep_report_free(told.report);
}

static void training_without_licence(void **ctx)
{
    (void)ctx;
    train(SET(",\"license\":\"CC0-1.0\"", ITEM("a.png", ""))); /* the set's */
    only(SWEEP_TRAINING_NO_LICENCE, 0);
    train(SET("", ITEM("a.png", "")));
    only(SWEEP_TRAINING_NO_LICENCE, 1);
    train(SET(",\"license\":\"CC0-1.0\"", ITEM("a.png", ",\"license\":\"NOASSERTION\"")));
    only(SWEEP_TRAINING_NO_LICENCE, 2);
}

static void training_that_is_restricted(void **ctx)
{
    (void)ctx;
    train(SET(",\"license\":\"CC0-1.0\"", ITEM("a.png", ",\"license\":\"CC-BY-NC-ND-4.0\"")));
    only(SWEEP_TRAINING_RESTRICTED, 1);
}

/* An author wrote into an adopted picture that it is not for training, and used it for just that. */
static void adopted_and_marked(void **ctx)
{
    (void)ctx;
    struct bst_buf payload = {0};
    struct bst_secrets secrets = {0};
    json_t *written = json_pack("{s:{s:s}}", "xmp", "plus:DataMining",
                                "http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING");
    struct bst_adoption adoption = {.file_name = "marked.png",
                                    .image_id = "00000000-0000-4000-8000-000000000009",
                                    .media_type = "image/png",
                                    .width = 9,
                                    .height = 9,
                                    .written = written,
                                    .adopted_ms = bst_now_ms()};
    adoption.sha256[31] = 1; /* the item's */
    fixture_must(bst_statement_adoption(&adoption, &fixture.identity, &secrets, &payload, &err), &err);
    append(fixture.author, &payload, &secrets);
    bst_secrets_clear(&secrets);
    json_decref(written);
    only(SWEEP_TRAINING_FORBIDDEN, 0);
    train(SET(",\"license\":\"CC0-1.0\"", ITEM("marked.png", "")));
    only(SWEEP_TRAINING_FORBIDDEN, 1);
    struct bst_generation made = generation(1);
    made.input_name = "marked.png";
    memcpy(made.input_sha256, adoption.sha256, sizeof made.input_sha256);
    add(&made, false);
    struct told told = sweep();
    assert_int_equal(told.summary.count[SWEEP_INPUT_FORBIDDEN], 1);
    bst_sweep_report_free(told.report);
}

static void what_the_ledger_check_finds(void **ctx)
{
    (void)ctx;
    struct bst_generation made = generation(1);
    uint64_t entry = add(&made, true); /* nobody declared this key */
    only(SWEEP_LEDGER, 1);
    struct told told = sweep();
    assert_string_equal(told.detail, "entry.signer");
    assert_int_equal(told.entry, entry);
    assert_int_equal(told.summary.by_severity[BST_ERROR], 1);
    bst_sweep_report_free(told.report);
}

/* The name of a log that is known, with another key: somebody made a ledger in its name. Keys of other logs say nothing. */
static void a_log_whose_key_was_exchanged(void **ctx)
{
    (void)ctx;
    char *known = NULL, *exchanged = NULL, *elsewhere = NULL;
    fixture_must(bst_vkey_text(fixture.identity.log_origin, fixture.identity.log_key, &known, &err), &err);
    fixture_must(bst_vkey_text(fixture.identity.log_origin, other.identity.log_key, &exchanged, &err), &err);
    fixture_must(bst_vkey_text(other.identity.log_origin, other.identity.log_key, &elsewhere, &err), &err);
    const char *const keys[] = {elsewhere, exchanged, known};
    for (size_t count = 0; count <= 3; count++) {
        const struct bst_sweep_options options = {.verify = {.log_keys = keys, .log_key_count = count}};
        struct told told = sweep_with(options);
        bool found = count == 2;
        assert_int_equal(told.summary.count[SWEEP_LEDGER], found);
        assert_int_equal(told.summary.code, found ? BST_BROKEN : BST_OK);
        if (found) assert_string_equal(told.detail, "log.key");
        if (found) assert_int_equal(told.entry, UINT64_MAX);
        bst_sweep_report_free(told.report);
    }
    free(known);
    free(exchanged);
    free(elsewhere);
}

static void a_revoked_key_is_a_warning(void **ctx)
{
    (void)ctx;
    struct bst_buf payload = {0};
    struct bst_generation made = generation(1);
    int64_t since = bst_now_ms() + 3600000; /* behind the identity's own time */
    const struct bst_revocation revocation = {fixture.identity.name, fixture.identity.key_id, "lost", since,
                                              since};
    fixture_must(bst_statement_revocation(&revocation, &fixture.identity, &payload, &err), &err);
    append(fixture.author, &payload, NULL);
    made.finished_ms = since + 1000;
    add(&made, false);
    struct told told = sweep_but(SWEEP_TIME_FUTURE);
    assert_int_equal(told.summary.count[SWEEP_LEDGER], 1);
    assert_string_equal(told.detail, "entry.revoked-key");
    assert_int_equal(told.summary.by_severity[BST_ERROR], 0);
    assert_int_equal(told.summary.code, BST_UNTRUSTED);
    bst_sweep_report_free(told.report);
}

/* ---- reports ---- */

/* More findings of one rule than a report keeps: it stays small, and says how many there were. */
static void reports_are_bounded(void **ctx)
{
    (void)ctx;
    struct bst_sweep_report *report = bst_sweep_report_new();
    struct bst_sweep_summary summary = {.code = BST_NO_PROVENANCE};
    struct bst_buf page = {0}, sarif = {0};
    const char *file = "a\xff<script>alert(1)</script>\x1b[31m\".png";
    const uint64_t entry = 5;
    for (int i = 0; i < BST_SWEEP_KEPT + 7; i++) {
        const struct bst_sweep_finding finding = {.rule = bst_sweep_rule(SWEEP_FILE_NO_ENTRY),
                                                  .severity = BST_WARNING,
                                                  .code = BST_NO_PROVENANCE,
                                                  .words = "Words & <b>more</b>\xff\x1b[0m",
                                                  .entry_count = 1,
                                                  .entries = &entry,
                                                  .file_count = 1,
                                                  .files = &file};
        assert_true(bst_sweep_report_add(report, &finding));
        summary.count[SWEEP_FILE_NO_ENTRY]++;
        summary.by_severity[BST_WARNING]++;
    }
    assert_int_equal(bst_sweep_html(report, &summary, "<i>ledger</i>", &page, &err), BST_OK);
    const char *text = bst_buf_string(&page);
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "<b>"));
    assert_null(strstr(text, "<i>"));
    assert_null(strchr(text, 0x1b));
    assert_true(bst_utf8_valid(text, strlen(text)));
    assert_non_null(strstr(text, "and 7 more of this rule"));
    assert_int_equal(bst_sweep_sarif(report, &summary, "led ger", &sarif, &err), BST_OK);
    json_t *all = json_loadb((const char *)sarif.data, sarif.len, 0, NULL);
    assert_int_equal(json_array_size(bst_json_at(all, "runs.0.results")), BST_SWEEP_KEPT);
    assert_string_equal(json_string_value(bst_json_at(
                            all, "runs.0.results.0.locations.0.physicalLocation.artifactLocation.uri")),
                        "a%FF%3Cscript%3Ealert%281%29%3C/script%3E%1B%5B31m%22.png");
    json_decref(all);
    bst_buf_free(&page);
    bst_buf_free(&sarif);
    bst_sweep_report_free(report);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_clean_ledger_has_none),
        TEST(controls_of_two_authors),
        TEST(a_picture_of_two_authors),
        TEST(a_picture_under_two_names),
        TEST(times),
        TEST(a_time_to_come),
        TEST(a_gap),
        TEST(models),
        TEST(training_that_was_forbidden),
        TEST(training_without_licence),
        TEST(training_that_is_restricted),
        TEST(adopted_and_marked),
        TEST(what_the_ledger_check_finds),
        TEST(a_log_whose_key_was_exchanged),
        TEST(a_revoked_key_is_a_warning),
        cmocka_unit_test(reports_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
