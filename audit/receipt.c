/* receipt.c - the checks of the signed statement, of its receipt, and of the ledger at hand. */
#include "verify.h"

#include <inttypes.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the statement ---- */

/* The statement counts only if the signer of the manifest also signed it, or names in the manifest the key that did:
 * else anybody could put a foreign author's statement under his own manifest. */
static void judge_statement(struct judge *judge)
{
    const struct bst_c2pa *c2pa = &judge->c2pa;
    const struct facts *facts = &judge->facts;
    char key_id[BST_SHA256_HEX] = "";
    const uint8_t *key = c2pa->has_author          ? c2pa->author_key
                         : c2pa->signer_is_ed25519 ? c2pa->signer_key
                                                   : NULL;
    if (key) bst_key_id(key, key_id);
    if (!key || !bst_dsse_verify(&judge->dsse, key))
        judge_say(judge, "statement", BST_FAIL,
                  "The statement of origin was not signed by the manifest's signer, or was "
                  "changed since.");
    else if (strcmp(judge->dsse.key_id, key_id) != 0 || (facts->key_id && strcmp(facts->key_id, key_id) != 0))
        judge_say(judge, "statement", BST_FAIL,
                  "The statement of origin names another key than the one that signed it.");
    else if (facts->adoption)
        judge_say(judge, "statement", BST_PASS,
                  "%s signed a statement that takes up this picture; it does not say who made it.",
                  facts->author ? facts->author : "The signer");
    else if (!facts->generation)
        judge_say(judge, "statement", BST_FAIL, "The signed statement does not speak of a picture.");
    else
        judge_say(judge, "statement", BST_PASS, "%s signed the statement of how this picture was made.",
                  facts->author ? facts->author : "The signer");
}

static bool is_digest(const char *text, const uint8_t digest[static BST_SHA256_LEN])
{
    char hex[BST_SHA256_HEX];
    bst_hex(digest, BST_SHA256_LEN, hex);
    return text && !strcmp(text, hex);
}

/* Are the pixels those of the statement? intact: the file's bytes are. */
static enum bst_code judge_picture(struct judge *judge, bool intact, struct bst_error *err)
{
    const struct facts *facts = &judge->facts;
    if (!bst_format_has_pixels(judge->container.format)) {
        judge_say(judge, "pixels", BST_SKIPPED, "The pixels of such a file are not looked at.");
        return BST_OK;
    }
    if (facts->width != judge->image.width || facts->height != judge->image.height) {
        judge_say(judge, "pixels", BST_FAIL,
                  "The statement speaks of a picture of %" PRIu64 " x %" PRIu64
                  " pixels, which this one is not.",
                  facts->width, facts->height);
        return BST_OK;
    }
    if (!facts->pixels_sha256 && facts->adoption) {
        judge_say(judge, "pixels", BST_SKIPPED, "The statement does not speak of the pixels.");
        return BST_OK;
    }
    if (intact && !judge->has_pixels) {
        judge_say(
            judge, "pixels", BST_SKIPPED,
            "The pixels need not be compared: the bytes that they are decoded from are the signed ones.");
        return BST_OK;
    }
    enum bst_code code = judge_pixels(judge, err);
    if (code == BST_UNREADABLE) {
        judge_say(judge, "pixels", BST_FAIL, "The pixels cannot be read: %s.", err->what);
        *err = (struct bst_error){0};
        return BST_OK;
    }
    if (code != BST_OK) return code;
    if (is_digest(facts->pixels_sha256, judge->pixels_sha256))
        judge_say(judge, "pixels", BST_PASS, "Every pixel is the one that the statement speaks of.");
    else
        judge_say(judge, "pixels", BST_FAIL, "The pixels are not those that the statement speaks of.");
    return BST_OK;
}

static enum bst_code judge_digests(struct judge *judge, struct bst_error *err)
{
    if (judge_bytes(judge, err) != BST_OK) return err->code;
    bool intact = is_digest(judge->facts.sha256, judge->sha256);
    if (intact)
        judge_say(judge, "digest", BST_PASS,
                  "The file is, byte for byte, the one that the statement speaks of.");
    else
        judge_say(judge, "digest", BST_FAIL,
                  "The file is not the one that the statement speaks of: its bytes differ.");
    return judge_picture(judge, intact, err);
}

/* ---- the receipt ---- */

/* First and second line of a checkpoint: what log it says to be of, and how many entries it covers. */
static bool read_checkpoint(const char *note, char **origin, uint64_t *size)
{
    size_t first = strcspn(note, "\n");
    *origin = NULL;
    if (!note[first]) return false;
    const char *second = note + first + 1;
    char *number = bst_format("%.*s", (int)(strcspn(second, "\n") < 24 ? strcspn(second, "\n") : 24), second);
    bool good = number && bst_parse_u64(number, size);
    free(number);
    if (good) *origin = bst_format("%.*s", (int)(first < 256 ? first : 256), note);
    return *origin != NULL;
}

enum known { UNKNOWN_LOG, GOOD, WRONG };

static enum known try_key(const struct judge *judge, const char *origin, const char *known_origin,
                          const uint8_t key[static BST_KEY_LEN], struct bst_error *err)
{
    if (strcmp(origin, known_origin) != 0) return UNKNOWN_LOG;
    const struct bst_buf *envelope = &judge->c2pa.envelope;
    return bst_proof_verify(&judge->proof, envelope->data, envelope->len, origin, key, err) == BST_OK ? GOOD
                                                                                                      : WRONG;
}

/* Did the ledger's log have that name, before a recovery, and are its first `size` entries still there? */
static bool was_before(const struct judge *judge, const char *origin, uint64_t size)
{
    struct bst_error ignored;
    bool was = false;
    return judge->ledger && bst_ledger_was(judge->ledger, origin, size, &was, &ignored) == BST_OK && was;
}

/* Tries every key that the caller trusts for a log of this name; one that fits is enough. */
static enum known try_keys(const struct judge *judge, const char *origin, struct bst_error *why)
{
    const struct bst_verify_options *options = judge->options;
    enum known best = UNKNOWN_LOG;
    if (judge->has_identity)
        best = try_key(judge, origin, judge->identity.log_origin, judge->identity.log_key, why);
    for (size_t i = 0; i < options->log_key_count && best != GOOD; i++) {
        char *name = NULL;
        uint8_t key[BST_KEY_LEN];
        struct bst_error ignored = {0};
        if (bst_vkey_parse(options->log_keys[i], &name, key, &ignored) != BST_OK) continue;
        enum known now = try_key(judge, origin, name, key, why);
        if (now != UNKNOWN_LOG) best = now;
        free(name);
    }
    if (best != GOOD && judge->ledger && judge->ledger_asked_for) {
        enum known now =
            try_key(judge, origin, bst_ledger_origin(judge->ledger), bst_ledger_key(judge->ledger), why);
        if (now != UNKNOWN_LOG) best = now;
    }
    /* The ledger may say that its log had that name before a recovery, with the key that is trusted. */
    bool ours = judge->ledger_asked_for ||
                (judge->has_identity && judge->ledger &&
                 !memcmp(judge->identity.log_key, bst_ledger_key(judge->ledger), BST_KEY_LEN));
    if (best == UNKNOWN_LOG && ours && was_before(judge, origin, 0))
        best = try_key(judge, origin, origin, bst_ledger_key(judge->ledger), why);
    return best;
}

static void judge_proof(struct judge *judge, const char *origin, uint64_t size)
{
    struct bst_error why = {0};
    switch (try_keys(judge, origin, &why)) {
    case GOOD:
        judge_say(judge, "receipt", BST_PASS,
                  "The receipt proves that the statement is entry %" PRIu64
                  " of the ledger %s, which had %" PRIu64 " entries then.",
                  judge->proof.index, origin, size);
        break;
    case WRONG:
        judge_say(judge, "receipt", BST_FAIL, "The receipt does not hold: %s.", why.what);
        break;
    case UNKNOWN_LOG:
        judge_say(judge, "receipt", BST_UNKNOWN,
                  "The receipt names entry %" PRIu64 " of the ledger %s, whose key is not known here.",
                  judge->proof.index, origin);
        break;
    }
}

/* ---- the ledger ---- */

/* The words that the ledger keeps for one entry and that the statement only commits to. */
static enum bst_code read_secrets(struct bst_ledger *ledger, uint64_t entry, struct bst_secrets *out,
                                  struct bst_error *err)
{
    sqlite3 *db = bst_ledger_db(ledger);
    sqlite3_stmt *stmt = NULL;
    const size_t room = sizeof out->item / sizeof *out->item;
    *out = (struct bst_secrets){0};
    if (sqlite3_prepare_v2(db, "SELECT name, salt, words FROM secret WHERE entry = ?", -1, &stmt, NULL) !=
        SQLITE_OK)
        return bst_fail(err, BST_UNREADABLE, "the ledger's words cannot be read: %s", sqlite3_errmsg(db));
    sqlite3_bind_int64(stmt, 1, (sqlite3_int64)entry);
    enum bst_code code = BST_OK;
    while (code == BST_OK && out->count < room && sqlite3_step(stmt) == SQLITE_ROW) {
        struct bst_secret *secret = &out->item[out->count];
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        const char *words = (const char *)sqlite3_column_text(stmt, 2);
        if (!name || strlen(name) >= sizeof secret->name ||
            sqlite3_column_bytes(stmt, 1) != sizeof secret->salt)
            continue;
        snprintf(secret->name, sizeof secret->name, "%s", name);
        memcpy(secret->salt, sqlite3_column_blob(stmt, 1), sizeof secret->salt);
        secret->words = bst_strdup(words ? words : "");
        if (secret->words)
            out->count++;
        else
            code = bst_fail_memory(err);
    }
    sqlite3_finalize(stmt);
    if (code != BST_OK) bst_secrets_clear(out);
    return code;
}

static enum bst_code open_words(struct judge *judge, uint64_t entry, struct bst_error *err)
{
    struct bst_secrets secrets;
    size_t opened = 0;
    if (!facts_closed(judge->dsse.statement) && !bst_json_at(judge->dsse.statement, "subject.0.annotations"))
        return BST_OK;
    enum bst_code code = read_secrets(judge->ledger, entry, &secrets, err);
    if (code != BST_OK) return code;
    code = facts_open(judge->dsse.statement, &secrets, &judge->opened, &opened, err);
    if (code == BST_OK) facts_read(judge->opened, &judge->facts);
    bst_secrets_clear(&secrets);
    return code;
}

/* The entry's place in the ledger as it is today, proved against its newest checkpoint. */
static enum bst_code prove_today(struct judge *judge, const struct bst_buf *envelope, struct bst_error *err)
{
    struct bst_proof proof = {0};
    enum bst_code code = bst_ledger_prove(judge->ledger, judge->proof.index, &proof, err);
    if (code == BST_OK)
        code = bst_proof_verify(&proof, envelope->data, envelope->len, bst_ledger_origin(judge->ledger),
                                bst_ledger_key(judge->ledger), err);
    bst_proof_clear(&proof);
    return code;
}

static enum bst_code judge_entry(struct judge *judge, uint64_t size, struct bst_error *err)
{
    const struct bst_buf *envelope = &judge->c2pa.envelope;
    uint64_t index = judge->proof.index, now = bst_ledger_size(judge->ledger);
    struct bst_buf stored = {0};
    struct bst_error why = {0};
    if (now < size) {
        judge_say(judge, "ledger", BST_FAIL,
                  "The ledger at hand has %" PRIu64 " entries; the receipt is of a time when it had %" PRIu64
                  ". It is an old copy or was cut back.",
                  now, size);
        return BST_OK;
    }
    enum bst_code code = bst_ledger_entry(judge->ledger, index, &stored, &why);
    bool same =
        code == BST_OK && stored.len == envelope->len && !memcmp(stored.data, envelope->data, stored.len);
    bst_buf_free(&stored);
    if (code == BST_FAILURE) {
        *err = why;
        return code;
    }
    if (!same) {
        judge_say(judge, "ledger", BST_FAIL,
                  "Entry %" PRIu64 " of the ledger at hand is another statement than this "
                  "picture's.",
                  index);
        return BST_OK;
    }
    code = prove_today(judge, envelope, &why);
    if (code == BST_FAILURE) {
        *err = why;
        return code;
    }
    if (code != BST_OK) {
        judge_say(judge, "ledger", BST_FAIL,
                  "The ledger at hand holds the statement as entry %" PRIu64 ", but was tampered with: %s.",
                  index, why.what);
        return BST_OK;
    }
    judge_say(judge, "ledger", BST_PASS, "The ledger at hand holds the same statement as entry %" PRIu64 ".",
              index);
    code = judge_standing(judge, index, err);
    return code == BST_OK ? open_words(judge, index, err) : code;
}

static enum bst_code judge_ledger(struct judge *judge, const char *origin, uint64_t size,
                                  struct bst_error *err)
{
    if (!judge->ledger) {
        if (judge->ledger_closed.what[0])
            judge_say(judge, "ledger", BST_UNKNOWN, "This home's ledger cannot be read: %s.",
                      judge->ledger_closed.what);
        else
            judge_say(judge, "ledger", BST_SKIPPED, "No ledger is at hand.");
        return BST_OK;
    }
    if (strcmp(bst_ledger_origin(judge->ledger), origin) != 0 && was_before(judge, origin, 0)) {
        if (was_before(judge, origin, size)) return judge_entry(judge, size, err);
        judge_say(judge, "ledger", BST_UNKNOWN,
                  "The ledger at hand lost entries and went on under the name %s; the receipt is of a time "
                  "of which not all entries are left.",
                  bst_ledger_origin(judge->ledger));
        return BST_OK;
    }
    if (strcmp(bst_ledger_origin(judge->ledger), origin) != 0) {
        judge_say(judge, "ledger", BST_SKIPPED, "The ledger at hand is another one, %s.",
                  bst_ledger_origin(judge->ledger));
        return BST_OK;
    }
    return judge_entry(judge, size, err);
}

enum bst_code judge_receipt(struct judge *judge, struct bst_error *err)
{
    const struct bst_c2pa *c2pa = &judge->c2pa;
    if (!judge->verdict->c2pa) return BST_OK; /* the manifest could not be read */
    if (!c2pa->envelope.len) {
        if (!judge->has_pixels)
            judge_say(
                judge, "pixels", BST_SKIPPED,
                "The pixels were not decoded: the manifest speaks of the bytes that they are decoded from.");
        judge_say(judge, "receipt", BST_SKIPPED, "The manifest carries no receipt of a ledger.");
        return BST_OK;
    }
    struct bst_error why = {0};
    enum bst_code code = bst_dsse_open(c2pa->envelope.data, c2pa->envelope.len, &judge->dsse, &why);
    judge->has_statement = code == BST_OK;
    if (code == BST_OK) {
        facts_read(judge->dsse.statement, &judge->facts);
        judge_statement(judge);
        code = judge_digests(judge, err);
        if (code != BST_OK) return code;
    } else {
        judge_say(judge, "statement", BST_FAIL, "The statement of origin cannot be read: %s.", why.what);
    }

    char *origin = NULL;
    uint64_t size = 0;
    code = bst_proof_parse((const char *)c2pa->proof.data, c2pa->proof.len, &judge->proof, &why);
    if (code != BST_OK || !read_checkpoint(judge->proof.checkpoint, &origin, &size)) {
        judge_say(judge, "receipt", BST_FAIL, "The ledger's receipt cannot be read%s%s.",
                  code == BST_OK ? "" : ": ", code == BST_OK ? "" : why.what);
        return BST_OK;
    }
    judge->has_proof = true;
    judge->verdict->entry = judge->proof.index;
    judge->verdict->has_entry = true;
    judge_proof(judge, origin, size);
    code = judge->has_statement ? judge_ledger(judge, origin, size, err) : BST_OK;
    free(origin);
    return code;
}

/* ---- credentials that were lost ---- */

struct match {
    char pixels[BST_SHA256_HEX]; /* of the picture that is looked for */
    bool found, same_pixels;
    uint64_t entry;
    char author[200], made[BST_TIME_LEN];
};

static bool remember(void *arg, const struct bst_record *record)
{
    struct match *match = arg;
    if (strcmp(record->kind, "generation") != 0 && strcmp(record->kind, "adoption") != 0) return true;
    match->found = true;
    match->same_pixels = record->pixels_sha256 && !strcmp(record->pixels_sha256, match->pixels);
    match->entry = record->entry;
    snprintf(match->author, sizeof match->author, "%s",
             record->author ? record->author : "an unknown author");
    snprintf(match->made, sizeof match->made, "%s", record->time ? record->time : "an unknown time");
    return false;
}

/* The statement that the ledger at hand keeps, for a picture that lost its own. */
static enum bst_code read_entry(struct judge *judge, uint64_t entry, struct bst_error *err)
{
    enum bst_code code = bst_ledger_statement(judge->ledger, entry, &judge->dsse, err);
    judge->has_statement = code == BST_OK;
    if (code != BST_OK) return code;
    facts_read(judge->dsse.statement, &judge->facts);
    return open_words(judge, entry, err);
}

/* Where the file's XMP says that its manifest is kept, made safe to print; NULL when it says nothing. Nothing is ever
 * fetched from there (C2PA 2.4, 11.5). */
static char *remote_manifest(struct judge *judge)
{
    struct bst_error why = {0};
    if (bst_metadata_read(judge->path, &judge->container, &judge->metadata, &why) != BST_OK) return NULL;
    const char *text = bst_json_text(json_object_get(judge->metadata, "xmp"), "dcterms:provenance");
    return text && text[0] ? bst_printable(text, strlen(text)) : NULL;
}

/* By its pixels, which other programs may have put into another file, or by its bytes, if only the manifest was taken
 * out of it. */
static enum bst_code find_entry(struct judge *judge, struct match *match, struct bst_error *err)
{
    char hex[BST_SHA256_HEX];
    if (judge_bytes(judge, err) != BST_OK) return err->code;
    bst_hex(judge->sha256, sizeof judge->sha256, hex);
    bst_hex(judge->pixels_sha256, sizeof judge->pixels_sha256, match->pixels);
    const struct bst_query query = {.digest = {hex, judge->has_pixels ? match->pixels : NULL}};
    return bst_query_run(judge->ledger, &query, remember, match, err);
}

enum bst_code judge_lost(struct judge *judge, struct bst_error *err)
{
    struct bst_verdict *verdict = judge->verdict;
    struct match match = {0};
    verdict->code = BST_NO_PROVENANCE;
    char *remote = remote_manifest(judge);
    if (remote)
        judge_say(judge, "manifest", BST_SKIPPED,
                  "The file carries no content credentials; it says that they are kept at %s, from where "
                  "nothing was "
                  "fetched.",
                  remote);
    else
        judge_say(judge, "manifest", BST_SKIPPED, "The file carries no content credentials.");
    free(remote);
    if (!judge->ledger) {
        snprintf(verdict->words, sizeof verdict->words,
                 "Nothing in the file says where it comes from, and no ledger is at hand.");
        return BST_OK;
    }
    struct bst_error why = {0};
    if (bst_ledger_current(judge->ledger, &why) != BST_OK) {
        judge_say(judge, "ledger", BST_UNKNOWN, "The ledger at hand cannot be searched: %s; %s.", why.what,
                  why.hint);
        snprintf(verdict->words, sizeof verdict->words,
                 "Nothing in the file says where it comes from, and the ledger at hand cannot be searched.");
        return BST_OK;
    }
    enum bst_code code = find_entry(judge, &match, err);
    const char *what = match.same_pixels ? "pixels" : "bytes";
    if (code != BST_OK) return code;
    if (!match.found) {
        judge_say(judge, "ledger", BST_UNKNOWN,
                  judge->has_pixels ? "The ledger at hand knows neither these bytes nor these pixels."
                                    : "The ledger at hand does not know these bytes.");
        snprintf(verdict->words, sizeof verdict->words,
                 "Nothing in the file says where it comes from, and the ledger at hand does not know it.");
        return BST_OK;
    }
    verdict->entry = match.entry;
    verdict->has_entry = true;
    judge_say(judge, "ledger", BST_UNKNOWN, "The same %s stand in the ledger at hand as entry %" PRIu64 ".",
              what, match.entry);
    snprintf(verdict->words, sizeof verdict->words,
             "The file carries no credentials; the same %s stand in the ledger as entry %" PRIu64
             ", by %.100s, %s.",
             what, match.entry, match.author, match.made);
    code = judge_standing(judge, match.entry, err);
    return code == BST_OK && judge->options->replay ? read_entry(judge, match.entry, err) : code;
}
