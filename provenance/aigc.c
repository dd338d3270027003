/* aigc.c - the label that China asks of AI content (GB 45438-2025, annex E: seven texts in a JSON object), made, sealed and
 * read. What is known of its form, and from where, stands in schema/README.md. */
#include "key.h"
#include "metadata.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define SEAL_MARK "blindstamp/1"
#define SEAL_HEAD "blindstamp-aigc/1\n" /* in front of what a seal signs */
#define SEAL_MAX  400

static const char *const members[] = {"Label",         "ContentProducer",   "ProduceID",
                                      "ReservedCode1", "ContentPropagator", "PropagateID",
                                      "ReservedCode2"};

/* The members that a seal covers, beside the pixels: the producer's leaves out what propagators fill in later. */
static size_t sealed(enum bst_aigc_role role)
{
    return role == BST_AIGC_PRODUCER ? 3 : 6;
}

static const char *reserved(enum bst_aigc_role role)
{
    return role == BST_AIGC_PRODUCER ? "ReservedCode1" : "ReservedCode2";
}

/* ---- seals ---- */

/* What the seal signs: the label's members and the pixels, as canonical JSON. */
static enum bst_code seal_message(const json_t *label, enum bst_aigc_role role, const char *pixels,
                                  struct bst_buf *out, struct bst_error *err)
{
    json_t *covered = json_pack("{s:s}", "pixels-sha256", pixels);
    for (size_t i = 0; i < sealed(role); i++) {
        const char *text = bst_json_text(label, members[i]);
        if (strcmp(members[i], reserved(role)) == 0) continue;
        json_object_set_new(covered, members[i], json_string(text == NULL ? "" : text));
    }
    bst_buf_text(out, SEAL_HEAD);
    enum bst_code code = covered == NULL ? bst_fail_memory(err) : bst_json_canonical(covered, out, err);
    json_decref(covered);
    return code == BST_OK && out->failed ? bst_fail_memory(err) : code;
}

static enum bst_code put_seal(json_t *label, enum bst_aigc_role role, const struct bst_key *key,
                              const uint8_t pixels[static BST_SHA256_LEN], struct bst_error *err)
{
    struct bst_buf message = {0};
    uint8_t sig[BST_SIG_LEN];
    char hex[BST_SHA256_HEX];
    bst_hex(pixels, BST_SHA256_LEN, hex);
    enum bst_code code = seal_message(label, role, hex, &message, err);
    if (code == BST_OK) {
        bst_key_sign(key, message.data, message.len, sig);
        char *key_text = bst_base64(bst_key_public(key), BST_KEY_LEN),
             *sig_text = bst_base64(sig, sizeof(sig));
        char *seal = key_text == NULL || sig_text == NULL
                         ? NULL
                         : bst_format(SEAL_MARK ":%s:%s:%s", hex, key_text, sig_text);
        if (seal == NULL || json_object_set_new(label, reserved(role), json_string(seal)) != 0)
            code = bst_fail_memory(err);
        free(key_text);
        free(sig_text);
        free(seal);
    }
    bst_buf_free(&message);
    return code;
}

/* The base64 text up to a colon or the end; false unless it is len bytes. */
static bool take_bytes(const char **text, uint8_t *out, size_t len)
{
    struct bst_buf bytes = {0};
    size_t size = strcspn(*text, ":");
    bool good = bst_unbase64(*text, size, false, &bytes) && bytes.len == len;
    if (good) memcpy(out, bytes.data, len);
    *text += size + ((*text)[size] == ':');
    bst_buf_free(&bytes);
    return good;
}

/* The seal behind its mark, or NULL. */
static const char *seal_of(const json_t *label, enum bst_aigc_role role)
{
    const char *seal = bst_json_text(label, reserved(role));
    size_t mark = strlen(SEAL_MARK ":");
    bool ours = seal != NULL && strncmp(seal, SEAL_MARK ":", mark) == 0 && strlen(seal) <= SEAL_MAX;
    return ours ? seal + mark : NULL;
}

bool bst_aigc_is_sealed(const json_t *label)
{
    return seal_of(label, BST_AIGC_PRODUCER) != NULL || seal_of(label, BST_AIGC_PROPAGATOR) != NULL;
}

enum bst_aigc_seal bst_aigc_check(const json_t *label, enum bst_aigc_role role,
                                  const uint8_t pixels[static BST_SHA256_LEN],
                                  uint8_t key[static BST_KEY_LEN])
{
    const char *rest = seal_of(label, role);
    char hex[BST_SHA256_HEX], own[BST_SHA256_HEX];
    uint8_t sig[BST_SIG_LEN], digest[BST_SHA256_LEN];
    struct bst_buf message = {0};
    struct bst_error ignored;
    if (rest == NULL) return BST_AIGC_UNSEALED;
    snprintf(hex, sizeof(hex), "%s", rest);
    rest += strlen(hex);
    bool whole = bst_unhex(hex, digest, sizeof(digest)) && *rest++ == ':' &&
                 take_bytes(&rest, key, BST_KEY_LEN) && take_bytes(&rest, sig, sizeof(sig)) && *rest == 0;
    bool fits = whole && seal_message(label, role, hex, &message, &ignored) == BST_OK &&
                bst_key_verify(key, message.data, message.len, sig);
    bst_buf_free(&message);
    bst_hex(pixels, BST_SHA256_LEN, own);
    return !fits ? BST_AIGC_FORGED : strcmp(hex, own) == 0 ? BST_AIGC_FITS : BST_AIGC_OTHER_PIXELS;
}

/* ---- reading ---- */

/* The text as a label, or NULL: the object itself, or one that holds it under "AIGC". A Label that is a number becomes a
 * text. */
static json_t *read_label(const char *text)
{
    struct bst_error ignored;
    json_t *value = NULL;
    while (*text == ' ' || *text == '\n' || *text == '\r' || *text == '\t')
        text++;
    if (*text != '{' || bst_json_parse(text, strlen(text), &value, &ignored) != BST_OK) return NULL;
    json_t *inner = json_object_get(value, "AIGC");
    json_t *label = json_incref(json_is_object(inner) ? inner : value);
    json_decref(value);
    json_t *kind = json_object_get(label, "Label");
    if (json_is_integer(kind))
        json_object_set_new(label, "Label", json_sprintf("%lld", (long long)json_integer_value(kind)));
    if (bst_json_text(label, "Label") != NULL || bst_json_text(label, "ContentProducer") != NULL)
        return label;
    json_decref(label);
    return NULL;
}

json_t *bst_aigc_find(const json_t *metadata)
{
    static const char *const places[][2] = {{"xmp", "TC260:AIGC"}, {"text", "AIGC"}, {"exif", "UserComment"}};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const char *text = bst_json_text(json_object_get(metadata, places[i][0]), places[i][1]);
        json_t *label = text == NULL ? NULL : read_label(text);
        if (label != NULL) return label;
    }
    return NULL;
}

const char *bst_aigc_words(const json_t *label)
{
    const char *kind = bst_json_text(label, "Label");
    if (kind != NULL && strcmp(kind, "1") == 0) return "AI-generated";
    if (kind != NULL && strcmp(kind, "2") == 0) return "possibly AI-generated, as its user declared";
    if (kind != NULL && strcmp(kind, "3") == 0) return "suspected to be AI-generated";
    return "of a kind that the standard does not know";
}

/* ---- making ---- */

static json_t *new_label(const char *kind)
{
    json_t *label = json_object();
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        json_object_set_new(label, members[i], json_string(i == 0 ? kind : ""));
    return label;
}

/* Puts a service's code and the picture's number into the label, and seals it. */
static enum bst_code sign_label(json_t *label, enum bst_aigc_role role, const char *code_text,
                                const struct bst_aigc_picture *picture, struct bst_error *err)
{
    bool producer = role == BST_AIGC_PRODUCER;
    bool set = json_object_set_new(label, producer ? "ContentProducer" : "ContentPropagator",
                                   json_string(code_text)) == 0 &&
               json_object_set_new(label, producer ? "ProduceID" : "PropagateID",
                                   json_string(picture->image_id)) == 0;
    return set ? put_seal(label, role, picture->key, picture->pixels_sha256, err) : bst_fail_memory(err);
}

static enum bst_code needs(struct bst_error *err, const char *role)
{
    bst_fail(err, BST_USAGE, "China's label needs the %s's code here, and none was given", role);
    return bst_hint(err, "--%s CODE gives it, or a file aigc.json in the home folder", role);
}

enum bst_code bst_aigc_make(const struct bst_aigc_codes *codes, const struct bst_aigc_picture *picture,
                            json_t **out, struct bst_error *err)
{
    json_t *label = picture->found != NULL ? json_deep_copy(picture->found) : NULL;
    bool declared = picture->generated || picture->composed, passes_on = codes->propagator != NULL;
    *out = NULL;
    if (picture->found != NULL) {
        const char *other = bst_json_text(picture->found, "ContentPropagator");
        bool taken = other != NULL && *other != 0; /* there is room for one */
        if (taken || !passes_on) json_decref(label);
        if (taken) return BST_OK;
        if (!passes_on) return needs(err, "propagator");
    } else if (!declared && !picture->traces) {
        return BST_OK;
    } else {
        bool made = declared && codes->producer != NULL;
        if (!made && (picture->made || !passes_on)) return needs(err, declared ? "producer" : "propagator");
        label = new_label(made && picture->generated ? "1" : declared ? "2" : "3");
        if (label != NULL && made &&
            sign_label(label, BST_AIGC_PRODUCER, codes->producer, picture, err) != BST_OK) {
            json_decref(label);
            return err->code;
        }
    }
    if (label == NULL) return bst_fail_memory(err);
    if (passes_on && sign_label(label, BST_AIGC_PROPAGATOR, codes->propagator, picture, err) != BST_OK) {
        json_decref(label);
        return err->code;
    }
    *out = label;
    return BST_OK;
}

char *bst_aigc_text(const json_t *label, bool chunk)
{
    char *text = json_dumps(label, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (!chunk || text == NULL) return text;
    char *wrapped = bst_format("{\"AIGC\":%s}", text);
    free(text);
    return wrapped;
}

enum bst_code bst_aigc_code_check(const char *name, const char *text, struct bst_error *err)
{
    size_t len = strlen(text);
    bool printable = bst_utf8_valid(text, len);
    for (size_t i = 0; i < len; i++)
        printable = printable && (uint8_t)text[i] >= 0x20 && text[i] != 0x7f;
    if (len > 0 && len <= BST_AIGC_CODE_MAX && printable) return BST_OK;
    bst_fail(err, BST_USAGE, "the code of the %s must be a text of 1 to %d bytes without control characters",
             name, BST_AIGC_CODE_MAX);
    return bst_hint(err, "it is the service's registered name or code; Blindstamp knows none");
}
