/* ledger_rights.c - what the ledger knows of a picture's rights: who made or took it up, to whom they were passed since, and
 * whether it was withdrawn. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_db.h"
#include "statement.h"

void bst_rights_clear(struct bst_rights *rights)
{
    char *const texts[] = {rights->image_id, rights->author,           rights->holder,
                           rights->licence,  rights->withdrawn_reason, rights->withdrawn_by};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    bst_picture_clear(&rights->picture);
    *rights = (struct bst_rights){0};
}

/* ---- the picture's first entry ---- */

static bool copy_text(char **to, const char *from)
{
    if (!from) return true;
    free(*to);
    return (*to = bst_strdup(from)) != NULL;
}

/* A row of SELECT entry, file_name, image_id, sha256, pixels_sha256, author name, author key id. */
static enum bst_code read_origin(sqlite3_stmt *statement, struct bst_rights *out, struct bst_error *err)
{
    const char *text[7];
    for (int i = 1; i < 7; i++)
        text[i] = (const char *)sqlite3_column_text(statement, i);
    out->entry = out->holder_entry = (uint64_t)sqlite3_column_int64(statement, 0);
    if (!text[3] || !bst_unhex(text[3], out->picture.sha256, BST_SHA256_LEN))
        return bst_fail(err, BST_BROKEN, "entry %llu does not give the digest of its picture",
                        (unsigned long long)out->entry);
    out->picture.has_pixels = text[4] && bst_unhex(text[4], out->picture.pixels_sha256, BST_SHA256_LEN);
    if (text[6] && strlen(text[6]) < sizeof out->author_key_id) {
        strcpy(out->author_key_id, text[6]);
        strcpy(out->holder_key_id, text[6]);
    }
    bool whole = copy_text(&out->picture.name, text[1]) && copy_text(&out->image_id, text[2]) &&
                 copy_text(&out->author, text[5] ? text[5] : "") &&
                 copy_text(&out->holder, text[5] ? text[5] : "");
    return whole ? BST_OK : bst_fail_memory(err);
}

#define ORIGIN                                                                                               \
    "SELECT r.entry, r.file_name, r.image_id, r.sha256, r.pixels_sha256, a.name, a.key_id FROM record r "    \
    "JOIN author a ON a.id = r.author "
#define PICTURES " AND r.kind IN ('generation', 'adoption') ORDER BY r.entry LIMIT 1"

/* The first entry of a picture that sql finds; BST_NO_PROVENANCE when there is none. */
static enum bst_code origin(struct bst_ledger *ledger, const char *sql, const uint8_t *digest,
                            const char *text, struct bst_rights *out, struct bst_error *err)
{
    sqlite3_stmt *statement = bst_db_prepare(ledger, sql, err);
    if (!statement) return err->code;
    if (digest)
        sqlite3_bind_blob(statement, 1, digest, BST_SHA256_LEN, SQLITE_STATIC);
    else
        bst_db_text(statement, 1, text);
    int result = sqlite3_step(statement);
    enum bst_code code = result == SQLITE_ROW ? read_origin(statement, out, err)
                         : result == SQLITE_DONE
                             ? bst_fail(err, BST_NO_PROVENANCE, "the ledger has no entry of this picture")
                             : bst_db_fail(ledger, err);
    sqlite3_finalize(statement);
    return code;
}

#define OF_ENTRY ORIGIN "WHERE r.entry = CAST(?1 AS INTEGER)" PICTURES
#define OF_DIGEST(role)                                                                                      \
    ORIGIN "WHERE r.entry IN (SELECT entry FROM relation WHERE digest = ?1 AND role = '" role "')" PICTURES

static enum bst_code origin_of_file(struct bst_ledger *ledger, const char *path, struct bst_rights *out,
                                    struct bst_error *err)
{
    struct bst_picture_ref picture;
    enum bst_code code = bst_picture_read(path, &picture, err);
    if (code != BST_OK) return code;
    code = origin(ledger, OF_DIGEST("subject"), picture.sha256, NULL, out, err);
    if (code == BST_OK && !out->picture.has_pixels) { /* the same file, so its pixels are the picture's */
        out->picture.has_pixels = picture.has_pixels;
        memcpy(out->picture.pixels_sha256, picture.pixels_sha256, BST_SHA256_LEN);
    }
    if (code == BST_NO_PROVENANCE && picture.has_pixels)
        code = origin(ledger, OF_DIGEST("pixels"), picture.pixels_sha256, NULL, out, err);
    bst_picture_clear(&picture);
    return code == BST_NO_PROVENANCE ? bst_where(err, "%s", path) : code;
}

/* A file, an entry's number, an image id, or a digest of file or pixels. */
static enum bst_code find_origin(struct bst_ledger *ledger, const char *what, struct bst_rights *out,
                                 struct bst_error *err)
{
    uint8_t digest[BST_SHA256_LEN];
    uint64_t number;
    if (bst_file_exists(what)) return origin_of_file(ledger, what, out, err);
    if (bst_parse_u64(what, &number)) return origin(ledger, OF_ENTRY, NULL, what, out, err);
    if (bst_unhex(what, digest, sizeof digest)) {
        enum bst_code code = origin(ledger, OF_DIGEST("subject"), digest, NULL, out, err);
        return code == BST_NO_PROVENANCE ? origin(ledger, OF_DIGEST("pixels"), digest, NULL, out, err) : code;
    }
    if (strlen(what) == BST_UUID_LEN - 1)
        return origin(ledger, ORIGIN "WHERE r.image_id = lower(?1)" PICTURES, NULL, what, out, err);
    bst_fail(err, BST_USAGE, "\"%.200s\" is neither a file nor a picture of the ledger", what);
    return bst_hint(err, "name a file, an entry's number, an image id or a whole digest");
}

/* ---- what happened since ---- */

bool bst_rights_may_transfer(const struct bst_rights *rights, const struct bst_key_life *by)
{
    return strcmp(by->key_id, rights->holder_key_id) == 0;
}

bool bst_rights_may_withdraw(const struct bst_rights *rights, const struct bst_key_life *by)
{
    return by->is_operator || strcmp(by->key_id, rights->author_key_id) == 0 ||
           strcmp(by->key_id, rights->holder_key_id) == 0;
}

static enum bst_code take_transfer(const struct bst_dsse *dsse, uint64_t entry, const struct bst_key_life *by,
                                   struct bst_rights *rights, struct bst_error *err)
{
    const json_t *to = bst_json_at(dsse->statement, "predicate.to");
    const char *name = bst_json_text(to, "name"), *key_id = bst_json_text(to, "keyId");
    if (!name || !bst_rights_may_transfer(rights, by)) return BST_OK;
    rights->holder_entry = entry;
    snprintf(rights->holder_key_id, sizeof rights->holder_key_id, "%s", key_id ? key_id : "");
    bool whole =
        copy_text(&rights->holder, name) &&
        copy_text(&rights->licence, json_string_value(bst_json_at(dsse->statement, "predicate.licence")));
    return whole ? BST_OK : bst_fail_memory(err);
}

static enum bst_code take_withdrawal(const struct bst_dsse *dsse, uint64_t entry,
                                     const struct bst_key_life *by, struct bst_rights *rights,
                                     struct bst_error *err)
{
    const char *name = json_string_value(bst_json_at(dsse->statement, "predicate.author.name"));
    if (rights->withdrawn || !bst_rights_may_withdraw(rights, by)) return BST_OK;
    rights->withdrawn = true;
    rights->withdrawn_entry = entry;
    bool whole = copy_text(&rights->withdrawn_by, name ? name : "") &&
                 copy_text(&rights->withdrawn_reason,
                           json_string_value(bst_json_at(dsse->statement, "predicate.reason")));
    return whole ? BST_OK : bst_fail_memory(err);
}

/* An author's later keys stand for the one that signed: the holder's key follows its rotations up to this entry. */
static void follow_rotation(const struct bst_keys *keys, uint64_t entry, char key_id[static BST_SHA256_HEX])
{
    const struct bst_key_life *life;
    for (size_t i = 0; i < keys->count && (life = bst_keys_find(keys, key_id)); i++) {
        if (!*life->successor || life->ended > entry) return;
        memcpy(key_id, life->successor, BST_SHA256_HEX);
    }
}

static enum bst_code take_act(struct bst_ledger *ledger, const struct bst_keys *keys, uint64_t entry,
                              const char *kind, struct bst_rights *rights, struct bst_error *err)
{
    struct bst_dsse dsse;
    enum bst_code code = bst_ledger_statement(ledger, entry, &dsse, err);
    if (code != BST_OK) return code == BST_FAILURE ? code : BST_OK;
    const struct bst_key_life *by = bst_keys_find(keys, dsse.key_id);
    follow_rotation(keys, entry, rights->author_key_id);
    follow_rotation(keys, entry, rights->holder_key_id);
    if (by && bst_key_believed(by, entry) && bst_dsse_verify(&dsse, by->key)) {
        code = strcmp(kind, "transfer") == 0 ? take_transfer(&dsse, entry, by, rights, err)
                                             : take_withdrawal(&dsse, entry, by, rights, err);
    }
    bst_dsse_clear(&dsse);
    return code;
}

/* Transfers are of this very file; a withdrawal of one with the same pixels is one of this picture too. */
#define ACTS                                                                                                 \
    "SELECT entry, kind FROM record WHERE entry IN"                                                          \
    " (SELECT entry FROM relation WHERE digest = ?1 AND role = 'subject' UNION"                              \
    "  SELECT entry FROM relation WHERE digest = ?2 AND role = 'pixels')"                                    \
    " AND (kind = 'withdrawal' OR (kind = 'transfer' AND sha256 = ?3)) ORDER BY entry"

static enum bst_code follow(struct bst_ledger *ledger, struct bst_rights *rights, struct bst_error *err)
{
    struct bst_keys keys = {0};
    char hex[BST_SHA256_HEX];
    sqlite3_stmt *statement = bst_db_prepare(ledger, ACTS, err);
    if (!statement) return err->code;
    bst_hex(rights->picture.sha256, BST_SHA256_LEN, hex);
    sqlite3_bind_blob(statement, 1, rights->picture.sha256, BST_SHA256_LEN, SQLITE_STATIC);
    if (rights->picture.has_pixels) /* else NULL, which equals nothing */
        sqlite3_bind_blob(statement, 2, rights->picture.pixels_sha256, BST_SHA256_LEN, SQLITE_STATIC);
    bst_db_text(statement, 3, hex);
    enum bst_code code = bst_ledger_keys(ledger, &keys, err);
    int result = SQLITE_DONE;
    while (code == BST_OK && (result = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *kind = (const char *)sqlite3_column_text(statement, 1);
        code = take_act(ledger, &keys, (uint64_t)sqlite3_column_int64(statement, 0), kind ? kind : "", rights,
                        err);
    }
    if (code == BST_OK && result != SQLITE_DONE) code = bst_db_fail(ledger, err);
    if (code == BST_OK) {
        follow_rotation(&keys, UINT64_MAX - 1, rights->author_key_id);
        follow_rotation(&keys, UINT64_MAX - 1, rights->holder_key_id);
    }
    sqlite3_finalize(statement);
    bst_keys_clear(&keys);
    return code;
}

/* Once its first entry was found, or not. */
static enum bst_code finish(struct bst_ledger *ledger, enum bst_code code, struct bst_rights *rights,
                            struct bst_rights *out, struct bst_error *err)
{
    if (code == BST_OK) code = follow(ledger, rights, err);
    if (code == BST_OK) {
        *out = *rights;
    } else {
        bst_rights_clear(rights);
    }
    return code;
}

enum bst_code bst_ledger_rights(struct bst_ledger *ledger, const char *what, struct bst_rights *out,
                                struct bst_error *err)
{
    struct bst_rights rights = {0};
    enum bst_code code = bst_ledger_current(ledger, err);
    if (code == BST_OK) code = find_origin(ledger, what, &rights, err);
    return finish(ledger, code, &rights, out, err);
}

enum bst_code bst_ledger_rights_of(struct bst_ledger *ledger, uint64_t entry, struct bst_rights *out,
                                   struct bst_error *err)
{
    struct bst_rights rights = {0};
    char number[24];
    snprintf(number, sizeof number, "%llu", (unsigned long long)entry);
    enum bst_code code = bst_ledger_current(ledger, err);
    if (code == BST_OK) code = origin(ledger, OF_ENTRY, NULL, number, &rights, err);
    return finish(ledger, code, &rights, out, err);
}
