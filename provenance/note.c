/* note.c - C2SP signed notes (signed-note 1.0.0) and the checkpoints of a log that they carry
 * (tlog-checkpoint 1.0.0).
 *
 *   text, ends in a newline      <origin> LF <size> LF <base64 of the root> LF
 *   an empty line
 *   signature lines              U+2014 SP <name> SP base64(key hash[4] || signature) LF
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "provenance.h"

#define DASH           "\xe2\x80\x94 " /* em dash, space */
#define TYPE_ED25519   1
#define NOTE_MAX       (64u << 10)
#define SIGNATURES_MAX 100

/* The first four bytes of SHA-256(name || LF || type || public key). */
static void key_hash(const char *name, const uint8_t key[static BST_KEY_LEN], uint8_t out[static 4])
{
    static const uint8_t middle[] = {'\n', TYPE_ED25519};
    uint8_t digest[32];
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const uint8_t *)name, strlen(name));
    crypto_hash_sha256_update(&state, middle, sizeof middle);
    crypto_hash_sha256_update(&state, key, BST_KEY_LEN);
    crypto_hash_sha256_final(&state, digest);
    memcpy(out, digest, 4);
}

/* A key's name: not empty, no space or control character, no plus. Beyond ASCII any UTF-8 but the Unicode
 * spaces. */
static bool name_valid(const char *name, size_t len)
{
    static const char *const spaces[] = {"\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8",
                                         "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};
    if (len == 0 || len > 255 || !bst_utf8_valid(name, len)) return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)name[i];
        if (c <= ' ' || c == 0x7f || c == '+') return false;
        if (c == 0xe2 && len - i >= 3 && (uint8_t)name[i + 1] == 0x80 && (uint8_t)name[i + 2] >= 0x80 &&
            (uint8_t)name[i + 2] <= 0x8a) {
            return false; /* U+2000 to U+200A */
        }
        for (size_t k = 0; k < sizeof spaces / sizeof *spaces; k++) {
            size_t size = strlen(spaces[k]);
            if (len - i >= size && memcmp(name + i, spaces[k], size) == 0) return false;
        }
    }
    return true;
}

enum bst_code bst_checkpoint_sign(const char *origin, uint64_t size, const uint8_t root[static 32],
                                  const struct bst_key *log_key, char **note, struct bst_error *err)
{
    if (!name_valid(origin, strlen(origin))) {
        bst_fail(err, BST_USAGE, "\"%s\" cannot be the name of a log", origin);
        return bst_hint(err, "use a name without spaces and plus signs, such as example.com/log");
    }
    uint8_t signature[4 + BST_SIG_LEN];
    char *root_text = bst_base64(root, 32), *signature_text = NULL;
    struct bst_buf out = {0};
    if (root_text) bst_buf_printf(&out, "%s\n%llu\n%s\n", origin, (unsigned long long)size, root_text);
    if (root_text && !out.failed) {
        key_hash(origin, bst_key_public(log_key), signature);
        bst_key_sign(log_key, out.data, out.len, signature + 4);
        signature_text = bst_base64(signature, sizeof signature);
    }
    if (signature_text) bst_buf_printf(&out, "\n" DASH "%s %s\n", origin, signature_text);
    char *text = signature_text ? bst_buf_string(&out) : NULL;
    free(root_text);
    free(signature_text);
    if (!text) {
        bst_buf_free(&out);
        return bst_fail_memory(err);
    }
    *note = text;
    return BST_OK;
}

/* One line, without its newline; advances *at. false at the end or when the last line has no newline. */
struct line {
    const char *text;
    size_t len;
};

static bool next_line(const char **at, const char *end, struct line *line)
{
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    if (!stop) return false;
    *line = (struct line){*at, (size_t)(stop - *at)};
    *at = stop + 1;
    return true;
}

/* Length of the signed text: up to and with the newline before the last empty line; 0 when there is none. */
static size_t text_length(const char *note, size_t len)
{
    for (size_t i = len; i-- > 1;) {
        if (note[i] == '\n' && note[i - 1] == '\n') return i;
    }
    return 0;
}

enum signature { SIGNATURE_MALFORMED, SIGNATURE_OTHER, SIGNATURE_GOOD, SIGNATURE_BAD };

/* Judges one signature line, its dash included. Unknown keys are not an error: other logs and witnesses may
 * sign. */
static enum signature judge_signature(struct line line, const char *name,
                                      const uint8_t key[static BST_KEY_LEN], const char *text,
                                      size_t text_len)
{
    const size_t dash = sizeof DASH - 1;
    if (line.len < dash || memcmp(line.text, DASH, dash) != 0) return SIGNATURE_MALFORMED;
    const char *who = line.text + dash;
    const char *space = memchr(who, ' ', line.len - dash);
    if (!space || !name_valid(who, (size_t)(space - who))) return SIGNATURE_MALFORMED;
    struct bst_buf blob = {0};
    size_t encoded = line.len - (size_t)(space + 1 - line.text);
    if (!bst_unbase64(space + 1, encoded, false, &blob) || blob.len < 5) {
        bst_buf_free(&blob);
        return SIGNATURE_MALFORMED;
    }
    enum signature result = SIGNATURE_OTHER;
    uint8_t hash[4];
    key_hash(name, key, hash);
    if ((size_t)(space - who) == strlen(name) && memcmp(who, name, strlen(name)) == 0 &&
        memcmp(blob.data, hash, 4) == 0) {
        bool good = blob.len == 4 + BST_SIG_LEN && bst_key_verify(key, text, text_len, blob.data + 4);
        result = good ? SIGNATURE_GOOD : SIGNATURE_BAD;
    }
    bst_buf_free(&blob);
    return result;
}

/* Checks shape and signatures of a whole note; *text_len becomes the length of its signed text. */
static enum bst_code open_note(const char *note, size_t len, const char *name,
                               const uint8_t key[static BST_KEY_LEN], size_t *text_len, struct bst_error *err)
{
    if (len > NOTE_MAX)
        return bst_fail(err, BST_UNREADABLE, "the signed note is longer than %u bytes", NOTE_MAX);
    bool clean = bst_utf8_valid(note, len);
    for (size_t i = 0; i < len && clean; i++)
        clean = (uint8_t)note[i] >= 0x20 || note[i] == '\n';
    *text_len = clean ? text_length(note, len) : 0;
    if (*text_len == 0) return bst_fail(err, BST_UNREADABLE, "this is not a signed note");
    const char *at = note + *text_len + 1, *end = note + len;
    unsigned count = 0, good = 0;
    while (at < end) {
        struct line line;
        if (!next_line(&at, end, &line) || ++count > SIGNATURES_MAX) {
            return bst_fail(err, BST_UNREADABLE, "the signed note's signatures are malformed");
        }
        switch (judge_signature(line, name, key, note, *text_len)) {
        case SIGNATURE_MALFORMED:
            return bst_fail(err, BST_UNREADABLE, "signature line %u of the signed note is malformed", count);
        case SIGNATURE_BAD:
            return bst_fail(err, BST_BROKEN, "the checkpoint's signature by the log is not valid");
        case SIGNATURE_GOOD:
            good++;
            break;
        case SIGNATURE_OTHER:
            break;
        }
    }
    if (good == 0) return bst_fail(err, BST_BROKEN, "the checkpoint is not signed by the log's key");
    return BST_OK;
}

static bool parse_size(struct line line, uint64_t *out)
{
    char digits[24];
    if (line.len == 0 || line.len >= sizeof digits || (line.text[0] == '0' && line.len > 1)) return false;
    memcpy(digits, line.text, line.len);
    digits[line.len] = 0;
    return bst_parse_u64(digits, out) && *out <= INT64_MAX;
}

static bool parse_root(struct line line, uint8_t out[static 32])
{
    struct bst_buf root = {0};
    bool good = bst_unbase64(line.text, line.len, false, &root) && root.len == 32;
    if (good) memcpy(out, root.data, 32);
    bst_buf_free(&root);
    return good;
}

enum bst_code bst_checkpoint_open(const char *note, size_t len, const char *origin,
                                  const uint8_t log_key[static BST_KEY_LEN], struct bst_checkpoint *out,
                                  struct bst_error *err)
{
    size_t text_len = 0;
    enum bst_code code = open_note(note, len, origin, log_key, &text_len, err);
    if (code != BST_OK) return code;
    const char *at = note, *end = note + text_len;
    struct line name, size, root, extension;
    struct bst_checkpoint result = {0};
    bool good = next_line(&at, end, &name) && next_line(&at, end, &size) && next_line(&at, end, &root) &&
                parse_size(size, &result.size) && parse_root(root, result.root);
    while (good && at < end)
        good = next_line(&at, end, &extension) && extension.len > 0;
    if (!good) return bst_fail(err, BST_UNREADABLE, "the signed note is not a checkpoint");
    if (name.len != strlen(origin) || memcmp(name.text, origin, name.len) != 0) {
        return bst_fail(err, BST_BROKEN, "the checkpoint is of the log %.*s, not of %s",
                        name.len > 255 ? 255 : (int)name.len, name.text, origin);
    }
    result.origin = bst_strdup(origin);
    if (!result.origin) return bst_fail_memory(err);
    *out = result;
    return BST_OK;
}

void bst_checkpoint_clear(struct bst_checkpoint *checkpoint)
{
    free(checkpoint->origin);
    *checkpoint = (struct bst_checkpoint){0};
}

enum bst_code bst_vkey_text(const char *name, const uint8_t key[static BST_KEY_LEN], char **out,
                            struct bst_error *err)
{
    if (!name_valid(name, strlen(name))) return bst_fail(err, BST_USAGE, "\"%s\" cannot name a key", name);
    uint8_t blob[1 + BST_KEY_LEN] = {TYPE_ED25519}, hash[4];
    char hash_text[9];
    memcpy(blob + 1, key, BST_KEY_LEN);
    key_hash(name, key, hash);
    bst_hex(hash, sizeof hash, hash_text);
    char *blob_text = bst_base64(blob, sizeof blob);
    char *text = blob_text ? bst_format("%s+%s+%s", name, hash_text, blob_text) : NULL;
    free(blob_text);
    if (!text) return bst_fail_memory(err);
    *out = text;
    return BST_OK;
}

enum bst_code bst_vkey_parse(const char *text, char **name, uint8_t key[static BST_KEY_LEN],
                             struct bst_error *err)
{
    const char *plus = strchr(text, '+');
    const char *blob_text = plus ? strchr(plus + 1, '+') : NULL; /* base64 may hold more of them */
    if (!blob_text || blob_text - plus != 9 || !name_valid(text, (size_t)(plus - text))) {
        bst_fail(err, BST_UNREADABLE, "this is not a verifier key");
        return bst_hint(err, "it looks like name+1a2b3c4d+base64, as `blindstamp ledger export` writes it");
    }
    struct bst_buf blob = {0};
    bool good = bst_unbase64(blob_text + 1, strlen(blob_text + 1), false, &blob) &&
                blob.len == 1 + BST_KEY_LEN && blob.data[0] == TYPE_ED25519;
    if (good) memcpy(key, blob.data + 1, BST_KEY_LEN);
    bst_buf_free(&blob);
    if (!good) return bst_fail(err, BST_UNREADABLE, "the verifier key does not hold an Ed25519 public key");
    char *result = bst_format("%.*s", (int)(plus - text), text);
    if (!result) return bst_fail_memory(err);
    uint8_t hash[4];
    char expected[9];
    key_hash(result, key, hash);
    bst_hex(hash, sizeof hash, expected);
    if (memcmp(expected, plus + 1, 8) != 0) {
        free(result);
        return bst_fail(err, BST_UNREADABLE, "the verifier key's name and key do not belong together");
    }
    *name = result;
    return BST_OK;
}
