/* test_ledger_keys.c - until when a key is believed, who may say so, and who holds the rights in a picture, in a ledger of
 * several authors. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "open_fixture.h"
#include "statement.h"
#include "verify.h"

static struct bst_error err;
static int64_t start; /* later than the fixture's own entry */

static int setup(void **ctx)
{
    (void)ctx;
    fixture_new(&fixture);
    ledger = fixture_open(&fixture, BST_LEDGER_WRITE);
    start = bst_now_ms() + 3600000;
    return 0;
}

static struct person keeper(void)
{
    return (struct person){fixture.author, fixture.identity};
}

static uint64_t append(const struct person *by, struct bst_buf *payload)
{
    return fixture_put(&fixture, ledger, by->key, payload, NULL);
}

static uint64_t declare(const struct person *person)
{
    struct bst_buf payload = {0};
    fixture_must(bst_statement_identity_at(&person->identity, start, &payload, &err), &err);
    return append(person, &payload);
}

static struct bst_picture_ref picture_of(const char *name)
{
    struct bst_picture_ref picture = {.name = (char *)(uintptr_t)name, .has_pixels = true};
    bst_sha256(name, strlen(name), picture.sha256);
    bst_sha256(name, strcspn(name, "."), picture.pixels_sha256); /* the same whatever the file's format */
    picture.pixels_sha256[0] ^= 1;
    return picture;
}

static uint64_t withdraw(const struct person *by, const char *name, int64_t seconds)
{
    struct bst_buf payload = {0};
    const struct bst_picture_ref picture = picture_of(name);
    fixture_must(
        bst_statement_withdrawal(&picture, NULL, start + seconds * 1000, &by->identity, &payload, &err),
        &err);
    return append(by, &payload);
}

static uint64_t revoke(const struct person *by, const struct person *whom, int64_t since, int64_t now)
{
    struct bst_buf payload = {0};
    const struct bst_revocation revocation = {whom->identity.name, whom->identity.key_id, "lost",
                                              start + since * 1000, start + now * 1000};
    fixture_must(bst_statement_revocation(&revocation, &by->identity, &payload, &err), &err);
    return append(by, &payload);
}

static bool believed_in(struct bst_ledger *open, const struct person *person, uint64_t entry)
{
    struct bst_keys keys;
    fixture_must(bst_ledger_keys(open, &keys, &err), &err);
    const struct bst_key_life *life = bst_keys_find(&keys, person->identity.key_id);
    bool is = life && bst_key_believed(life, entry);
    bst_keys_clear(&keys);
    return is;
}

static bool believed(const struct person *person, uint64_t entry)
{
    return believed_in(ledger, person, entry);
}

/* ---- revocation ---- */

static void the_order_of_the_log_decides(void **ctx)
{
    (void)ctx;
    struct person ada = keeper(), ben = person_new("Ben", 7);
    declare(&ben);
    uint64_t early = withdraw(&ben, "a", 10), other = withdraw(&ada, "b", 20);
    uint64_t backdated = withdraw(&ben, "c", 12); /* logged behind an entry of second 20, whatever it says */
    assert_true(believed(&ben, early) && believed(&ben, backdated));
    uint64_t revocation = revoke(&ada, &ben, 15, 30);
    uint64_t later = withdraw(&ben, "d", 13);
    assert_true(believed(&ben, early));
    assert_false(believed(&ben, backdated));
    assert_false(believed(&ben, later));
    assert_true(believed(&ada, other) && believed(&ada, revocation));
    assert_int_equal(bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &err), BST_UNTRUSTED);
    assert_non_null(strstr(err.what, "2 of its statements"));
    person_free(&ben);
}

static void not_everybody_may_revoke(void **ctx)
{
    (void)ctx;
    struct person ada = keeper(), ben = person_new("Ben", 7), eve = person_new("Eve", 8);
    declare(&ben);
    declare(&eve);
    uint64_t entry = withdraw(&ben, "a", 10);
    revoke(&eve, &ben, 0, 20); /* neither the key nor an operator */
    assert_true(believed(&ben, entry));
    revoke(&ben, &ben, 30, 30); /* the key itself, for the last time */
    assert_true(believed(&ben, entry));
    assert_false(believed(&ben, withdraw(&ben, "b", 40)));
    revoke(&ben, &ada, 0, 50); /* it is not believed any more */
    assert_true(believed(&ada, withdraw(&ada, "c", 60)));
    assert_int_equal(bst_ledger_check(ledger, NULL, NULL, NULL, NULL, &err), BST_UNTRUSTED);
    person_free(&ben);
    person_free(&eve);
}

/* Who has a ledger open for reading learns of a revocation as soon as another process logged it. */
static void a_reader_hears_of_it_at_once(void **ctx)
{
    (void)ctx;
    struct person ada = keeper(), ben = person_new("Ben", 7);
    declare(&ben);
    uint64_t entry = withdraw(&ben, "a", 10);
    struct bst_ledger *reader = fixture_open(&fixture, BST_LEDGER_READ);
    assert_true(believed_in(reader, &ben, entry));
    assert_true(believed_in(reader, &ben, entry));
    revoke(&ada, &ben, 5, 20);
    assert_false(believed_in(reader, &ben, entry));
    assert_false(believed_in(reader, &ben, entry));
    assert_true(believed_in(reader, &ada, entry));
    bst_ledger_close(reader);
    person_free(&ben);
}

static void operators_are_admitted_by_operators(void **ctx)
{
    (void)ctx;
    struct person ada = keeper(), ben = person_new("Ben", 7), eve = person_new("Eve", 8);
    struct bst_buf payload = {0};
    declare(&ben);
    declare(&eve);
    fixture_must(bst_statement_admission(&eve.identity, "operator", start, &eve.identity, &payload, &err),
                 &err);
    append(&eve, &payload); /* by herself */
    uint64_t entry = withdraw(&ben, "a", 10);
    revoke(&eve, &ben, 0, 20);
    assert_true(believed(&ben, entry));
    fixture_must(bst_statement_admission(&eve.identity, "operator", start, &ada.identity, &payload, &err),
                 &err);
    append(&ada, &payload);
    revoke(&eve, &ben, 0, 20);
    assert_false(believed(&ben, entry));
    person_free(&ben);
    person_free(&eve);
}

/* What verify says of a statement of that key at that entry, whose picture has a trusted time stamp (seconds; 0: none). */
static enum bst_result standing(const struct person *person, uint64_t entry, int64_t stamped)
{
    struct bst_verdict verdict = {0};
    struct judge judge = {.verdict = &verdict, .ledger = ledger, .has_statement = true};
    enum bst_result result = BST_SKIPPED;
    memcpy(judge.dsse.key_id, person->identity.key_id, sizeof judge.dsse.key_id);
    judge.c2pa.stamped_ms = stamped == 0 ? 0 : start + stamped * 1000;
    fixture_must(judge_standing(&judge, entry, &err), &err);
    for (size_t i = 0; i < verdict.check_count; i++)
        if (strcmp(verdict.checks[i].id, "key") == 0) result = verdict.checks[i].result;
    bst_verdict_clear(&verdict);
    return result;
}

static void a_trusted_time_stamp_overrules_the_order(void **ctx)
{
    (void)ctx;
    struct person ada = keeper(), ben = person_new("Ben", 7);
    declare(&ben);
    uint64_t early = withdraw(&ben, "a", 10);
    assert_int_equal(standing(&ben, early, 0), BST_SKIPPED); /* nothing to tell of a key in force */
    revoke(&ada, &ben, 15, 30);
    uint64_t late = withdraw(&ben, "b", 13); /* logged too late to count by itself */
    assert_int_equal(standing(&ben, early, 0), BST_PASS);
    assert_int_equal(standing(&ben, late, 0), BST_UNKNOWN);
    assert_int_equal(standing(&ben, late, 14), BST_PASS);
    assert_int_equal(standing(&ben, late, 15), BST_UNKNOWN);
    assert_int_equal(standing(&ada, late, 0), BST_SKIPPED);
    person_free(&ben);
}

/* ---- rights ---- */

static uint64_t adopt(const struct person *by, const char *name)
{
    struct bst_buf payload = {0};
    struct bst_secrets secrets = {0};
    const struct bst_picture_ref picture = picture_of(name);
    struct bst_adoption adoption = {.file_name = name,
                                    .image_id = "00000000-0000-4000-8000-0000000000aa",
                                    .media_type = "image/png",
                                    .width = 2,
                                    .height = 2,
                                    .has_pixels = true,
                                    .adopted_ms = start};
    memcpy(adoption.sha256, picture.sha256, sizeof adoption.sha256);
    memcpy(adoption.pixels_sha256, picture.pixels_sha256, sizeof adoption.pixels_sha256);
    fixture_must(bst_statement_adoption(&adoption, &by->identity, &secrets, &payload, &err), &err);
    return append(by, &payload);
}

static uint64_t transfer(const struct person *by, const char *name, const char *to, const struct person *key)
{
    struct bst_buf payload = {0};
    const struct bst_transfer transfer = {picture_of(name), to, key ? key->identity.key_id : NULL, "CC0-1.0",
                                          start};
    fixture_must(bst_statement_transfer(&transfer, &by->identity, &payload, &err), &err);
    return append(by, &payload);
}

static void expect_holder(uint64_t picture, const char *holder, uint64_t since)
{
    struct bst_rights rights;
    fixture_must(bst_ledger_rights_of(ledger, picture, &rights, &err), &err);
    assert_string_equal(rights.holder, holder);
    assert_int_equal(rights.holder_entry, since);
    assert_string_equal(rights.author, "Ada Example");
    bst_rights_clear(&rights);
}

static void rights_follow_their_holders(void **ctx)
{
    (void)ctx;
    struct person ada = keeper(), ben = person_new("Ben", 7), eve = person_new("Eve", 8);
    declare(&ben);
    declare(&eve);
    uint64_t picture = adopt(&ada, "pond.png");
    expect_holder(picture, "Ada Example", picture);
    transfer(&eve, "pond.png", "Eve", &eve); /* who never held them */
    expect_holder(picture, "Ada Example", picture);
    uint64_t first = transfer(&ada, "pond.png", "Ben", &ben);
    expect_holder(picture, "Ben", first);
    transfer(&ada, "pond.png", "Eve", &eve); /* who holds them no more */
    expect_holder(picture, "Ben", first);
    uint64_t second = transfer(&ben, "pond.png", "The Museum", NULL);
    expect_holder(picture, "The Museum", second);
    transfer(&ben, "pond.png", "Eve", &eve);
    expect_holder(picture, "The Museum", second);
    person_free(&ben);
    person_free(&eve);
}

static void a_withdrawal_is_of_all_copies(void **ctx)
{
    (void)ctx;
    struct person ada = keeper(), eve = person_new("Eve", 8);
    struct bst_rights rights;
    declare(&eve);
    uint64_t picture = adopt(&ada, "pond.png"), copy = adopt(&ada, "pond.jpg"); /* the same pixels */
    withdraw(&eve, "pond.png", 10);                                             /* nothing to her */
    fixture_must(bst_ledger_rights_of(ledger, picture, &rights, &err), &err);
    assert_false(rights.withdrawn);
    bst_rights_clear(&rights);
    uint64_t entry = withdraw(&ada, "pond.png", 20);
    fixture_must(bst_ledger_rights_of(ledger, copy, &rights, &err), &err);
    assert_true(rights.withdrawn);
    assert_int_equal(rights.withdrawn_entry, entry);
    assert_string_equal(rights.withdrawn_by, "Ada Example");
    bst_rights_clear(&rights);
    assert_int_equal(bst_ledger_rights_of(ledger, entry, &rights, &err), BST_NO_PROVENANCE);
    assert_int_equal(bst_ledger_rights(ledger, "nothing of the kind", &rights, &err), BST_USAGE);
    person_free(&eve);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_order_of_the_log_decides, setup, open_teardown),
        cmocka_unit_test_setup_teardown(not_everybody_may_revoke, setup, open_teardown),
        cmocka_unit_test_setup_teardown(a_reader_hears_of_it_at_once, setup, open_teardown),
        cmocka_unit_test_setup_teardown(operators_are_admitted_by_operators, setup, open_teardown),
        cmocka_unit_test_setup_teardown(a_trusted_time_stamp_overrules_the_order, setup, open_teardown),
        cmocka_unit_test_setup_teardown(rights_follow_their_holders, setup, open_teardown),
        cmocka_unit_test_setup_teardown(a_withdrawal_is_of_all_copies, setup, open_teardown),
    };
    return cmocka_run_group_tests_name("ledger_keys", tests, NULL, NULL);
}
