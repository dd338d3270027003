/* note.c - C2SP signed notes (signed-note 1.0.0) and the checkpoints of a log that they carry
 * (tlog-checkpoint 1.0.0).
 *
 *   text, ends in a newline      <origin> LF <size> LF <base64 of the root> LF
 *   an empty line
 *   signature lines              U+2014 SP <name> SP base64(key hash[4] || signature) LF
 *
 * A witness's line has the time in front of the signature, 8 bytes, and signs "cosignature/v1" LF "time <decimal>" LF and
 * then the text (tlog-cosignature 1.0.1).
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "note.h"

#define DASH           "\xe2\x80\x94 " /* em dash, space */
#define NOTE_MAX       (64u << 10)
#define SIGNATURES_MAX 100

/* The first four bytes of SHA-256(name || LF || type || public key). */
static void key_hash(const char *name, enum bst_note_type type, const uint8_t key[static BST_KEY_LEN],
                     uint8_t out[static 4])
{
    const uint8_t middle[] = {'\n', (uint8_t)type};
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
        key_hash(origin, BST_NOTE_ED25519, bst_key_public(log_key), signature);
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

/* What a witness signs. */
static bool cosigned_text(const char *text, size_t len, uint64_t time, struct bst_buf *out)
{
    bst_buf_printf(out, "cosignature/v1\ntime %llu\n", (unsigned long long)time);
    bst_buf_append(out, text, len);
    return !out->failed;
}

static bool verify_cosignature(struct bst_note_key *key, const char *text, size_t len,
                               const struct bst_buf *blob)
{
    struct bst_buf message = {0};
    if (blob->len != 4 + 8 + BST_SIG_LEN) return false;
    key->time = bst_get_be64(blob->data + 4);
    bool good = cosigned_text(text, len, key->time, &message) &&
                bst_key_verify(key->key, message.data, message.len, blob->data + 12);
    bst_buf_free(&message);
    return good;
}

/* Whose signature line it is, its dash included, and the signature with the key's hash in front; false when malformed. */
static bool split_signature(struct line line, struct line *who, struct bst_buf *blob)
{
    const size_t dash = sizeof DASH - 1;
    if (line.len < dash || memcmp(line.text, DASH, dash) != 0) return false;
    const char *space = memchr(line.text + dash, ' ', line.len - dash);
    if (!space) return false;
    *who = (struct line){line.text + dash, (size_t)(space - line.text) - dash};
    size_t encoded = line.len - (size_t)(space + 1 - line.text);
    return name_valid(who->text, who->len) && bst_unbase64(space + 1, encoded, false, blob) && blob->len >= 5;
}

/* Judges a signature by the keys that it may be of. Unknown keys are not an error: other logs and witnesses may sign. */
static bool judge_signature(struct line who, const struct bst_buf *blob, const char *text, size_t text_len,
                            struct bst_note_key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct bst_note_key *key = &keys[i];
        uint8_t hash[4];
        if (who.len != strlen(key->name) || memcmp(who.text, key->name, who.len) != 0) continue;
        key_hash(key->name, key->type, key->key, hash);
        if (memcmp(blob->data, hash, sizeof hash) != 0) continue;
        key->good =
            key->type == BST_NOTE_COSIGNATURE
                ? verify_cosignature(key, text, text_len, blob)
                : blob->len == 4 + BST_SIG_LEN && bst_key_verify(key->key, text, text_len, blob->data + 4);
        if (!key->good) return false;
    }
    return true;
}

enum bst_code bst_note_judge(const char *note, size_t len, struct bst_note_key *keys, size_t count,
                             size_t *text_len, struct bst_error *err)
{
    if (len > NOTE_MAX)
        return bst_fail(err, BST_UNREADABLE, "the signed note is longer than %u bytes", NOTE_MAX);
    bool clean = bst_utf8_valid(note, len);
    for (size_t i = 0; i < len && clean; i++)
        clean = (uint8_t)note[i] >= 0x20 || note[i] == '\n';
    *text_len = clean ? text_length(note, len) : 0;
    if (*text_len == 0) return bst_fail(err, BST_UNREADABLE, "this is not a signed note");
    const char *at = note + *text_len + 1, *end = note + len;
    for (unsigned number = 1; at < end; number++) {
        struct line line, who;
        struct bst_buf blob = {0};
        if (!next_line(&at, end, &line) || number > SIGNATURES_MAX)
            return bst_fail(err, BST_UNREADABLE, "the signed note's signatures are malformed");
        if (!split_signature(line, &who, &blob)) {
            bst_buf_free(&blob);
            return bst_fail(err, BST_UNREADABLE, "signature line %u of the signed note is malformed", number);
        }
        bool good = judge_signature(who, &blob, note, *text_len, keys, count);
        bst_buf_free(&blob);
        if (!good)
            return bst_fail(err, BST_BROKEN, "the checkpoint's signature by %.*s is not valid",
                            who.len > 100 ? 100 : (int)who.len, who.text);
    }
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

enum bst_code bst_checkpoint_parse(const char *text, size_t len, struct bst_checkpoint *out,
                                   struct bst_error *err)
{
    const char *at = text, *end = text + len;
    struct line name, size, root, extension;
    struct bst_checkpoint result = {0};
    bool good = next_line(&at, end, &name) && next_line(&at, end, &size) && next_line(&at, end, &root) &&
                parse_size(size, &result.size) && parse_root(root, result.root);
    while (good && at < end)
        good = next_line(&at, end, &extension) && extension.len > 0;
    if (!good) return bst_fail(err, BST_UNREADABLE, "the signed note is not a checkpoint");
    result.origin = bst_format("%.*s", (int)name.len, name.text);
    if (!result.origin) return bst_fail_memory(err);
    *out = result;
    return BST_OK;
}

enum bst_code bst_checkpoint_open(const char *note, size_t len, const char *origin,
                                  const uint8_t log_key[static BST_KEY_LEN], struct bst_checkpoint *out,
                                  struct bst_error *err)
{
    size_t text_len = 0;
    struct bst_note_key key = {.name = origin, .type = BST_NOTE_ED25519, .key = log_key};
    struct bst_checkpoint result;
    enum bst_code code = bst_note_judge(note, len, &key, 1, &text_len, err);
    if (code != BST_OK) return code;
    if (!key.good) return bst_fail(err, BST_BROKEN, "the checkpoint is not signed by the log's key");
    code = bst_checkpoint_parse(note, text_len, &result, err);
    if (code != BST_OK) return code;
    if (strcmp(result.origin, origin) != 0) {
        code = bst_fail(err, BST_BROKEN, "the checkpoint is of the log %.100s, not of %.100s", result.origin,
                        origin);
        bst_checkpoint_clear(&result);
        return code;
    }
    *out = result;
    return BST_OK;
}

enum bst_code bst_checkpoint_cosign(const char *note, size_t len, const char *witness,
                                    const struct bst_key *key, uint64_t time, char **line,
                                    struct bst_error *err)
{
    size_t text_len;
    uint8_t blob[4 + 8 + BST_SIG_LEN];
    struct bst_buf message = {0};
    if (!name_valid(witness, strlen(witness)))
        return bst_fail(err, BST_USAGE, "\"%s\" cannot be the name of a witness", witness);
    enum bst_code code = bst_note_judge(note, len, NULL, 0, &text_len, err);
    if (code != BST_OK) return code;
    key_hash(witness, BST_NOTE_COSIGNATURE, bst_key_public(key), blob);
    bst_set_number(blob + 4, time, 8, true);
    bool made = cosigned_text(note, text_len, time, &message);
    if (made) bst_key_sign(key, message.data, message.len, blob + 12);
    bst_buf_free(&message);
    char *text = made ? bst_base64(blob, sizeof blob) : NULL;
    *line = text ? bst_format(DASH "%s %s\n", witness, text) : NULL;
    free(text);
    return *line ? BST_OK : bst_fail_memory(err);
}

void bst_checkpoint_clear(struct bst_checkpoint *checkpoint)
{
    free(checkpoint->origin);
    *checkpoint = (struct bst_checkpoint){0};
}

static enum bst_code vkey_text(const char *name, enum bst_note_type type,
                               const uint8_t key[static BST_KEY_LEN], char **out, struct bst_error *err)
{
    if (!name_valid(name, strlen(name))) return bst_fail(err, BST_USAGE, "\"%s\" cannot name a key", name);
    uint8_t blob[1 + BST_KEY_LEN] = {(uint8_t)type}, hash[4];
    char hash_text[9];
    memcpy(blob + 1, key, BST_KEY_LEN);
    key_hash(name, type, key, hash);
    bst_hex(hash, sizeof hash, hash_text);
    char *blob_text = bst_base64(blob, sizeof blob);
    char *text = blob_text ? bst_format("%s+%s+%s", name, hash_text, blob_text) : NULL;
    free(blob_text);
    if (!text) return bst_fail_memory(err);
    *out = text;
    return BST_OK;
}

enum bst_code bst_vkey_text(const char *name, const uint8_t key[static BST_KEY_LEN], char **out,
                            struct bst_error *err)
{
    return vkey_text(name, BST_NOTE_ED25519, key, out, err);
}

enum bst_code bst_witness_vkey_text(const char *name, const uint8_t key[static BST_KEY_LEN], char **out,
                                    struct bst_error *err)
{
    return vkey_text(name, BST_NOTE_COSIGNATURE, key, out, err);
}

static enum bst_code vkey_parse(const char *text, enum bst_note_type type, char **name,
                                uint8_t key[static BST_KEY_LEN], struct bst_error *err)
{
    const char *plus = strchr(text, '+');
    const char *blob_text = plus ? strchr(plus + 1, '+') : NULL; /* base64 may hold more of them */
    if (!blob_text || blob_text - plus != 9 || !name_valid(text, (size_t)(plus - text))) {
        bst_fail(err, BST_UNREADABLE, "this is not a verifier key");
        return bst_hint(err, "it looks like name+1a2b3c4d+base64, as `blindstamp ledger export` writes it");
    }
    struct bst_buf blob = {0};
    bool good = bst_unbase64(blob_text + 1, strlen(blob_text + 1), false, &blob) &&
                blob.len == 1 + BST_KEY_LEN && blob.data[0] == type;
    if (good) memcpy(key, blob.data + 1, BST_KEY_LEN);
    bst_buf_free(&blob);
    if (!good)
        return bst_fail(err, BST_UNREADABLE,
                        type == BST_NOTE_COSIGNATURE
                            ? "the verifier key does not hold a witness's Ed25519 public key"
                            : "the verifier key does not hold an Ed25519 public key");
    char *result = bst_format("%.*s", (int)(plus - text), text);
    if (!result) return bst_fail_memory(err);
    uint8_t hash[4];
    char expected[9];
    key_hash(result, type, key, hash);
    bst_hex(hash, sizeof hash, expected);
    if (memcmp(expected, plus + 1, 8) != 0) {
        free(result);
        return bst_fail(err, BST_UNREADABLE, "the verifier key's name and key do not belong together");
    }
    *name = result;
    return BST_OK;
}

enum bst_code bst_vkey_parse(const char *text, char **name, uint8_t key[static BST_KEY_LEN],
                             struct bst_error *err)
{
    return vkey_parse(text, BST_NOTE_ED25519, name, key, err);
}

enum bst_code bst_witness_vkey_parse(const char *text, char **name, uint8_t key[static BST_KEY_LEN],
                                     struct bst_error *err)
{
    return vkey_parse(text, BST_NOTE_COSIGNATURE, name, key, err);
}
