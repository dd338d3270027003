/* identity.c - who the author is: name, addresses and keys, as JSON in statements and in identity.json. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "statement.h"

#define NAME_MAX_CHARS 64 /* X.509's upper bound of a common name */
#define EMAIL_MAX      254
#define URL_MAX        2048
#define FILE_MAX       (64u << 10)

static size_t count_chars(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((uint8_t)*text & 0xc0) != 0x80;
    return count;
}

/* One line of visible UTF-8 text. */
static enum bst_code check_line(const char *what, const char *text, struct bst_error *err)
{
    size_t len = strlen(text);
    bool visible = false;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c < 0x20 || c == 0x7f) return bst_fail(err, BST_USAGE, "the %s holds control characters", what);
        if (c != ' ') visible = true;
    }
    if (!visible) return bst_fail(err, BST_USAGE, "the %s is empty", what);
    return bst_utf8_valid(text, len) ? BST_OK
                                     : bst_fail(err, BST_USAGE, "the %s is not valid UTF-8 text", what);
}

enum bst_code bst_identity_check(const char *name, const char *email, const char *url, struct bst_error *err)
{
    enum bst_code code = check_line("author's name", name, err);
    if (code == BST_OK && count_chars(name) > NAME_MAX_CHARS) {
        bst_fail(err, BST_USAGE, "the author's name is longer than %d characters", NAME_MAX_CHARS);
        code = bst_hint(err, "a certificate has no room for more; use a shorter form");
    }
    if (code == BST_OK && email) code = check_line("e-mail address", email, err);
    if (code == BST_OK && email && (strlen(email) > EMAIL_MAX || !strchr(email, '@') || strchr(email, ' '))) {
        code = bst_fail(err, BST_USAGE, "\"%.64s\" is not an e-mail address", email);
    }
    if (code == BST_OK && url) code = check_line("URL", url, err);
    bool web = url && (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0);
    if (code == BST_OK && url && (!web || strlen(url) > URL_MAX || strchr(url, ' '))) {
        bst_fail(err, BST_USAGE, "\"%.64s\" is not a web address", url);
        code = bst_hint(err, "it starts with https:// or http://");
    }
    return code;
}

void bst_identity_clear(struct bst_identity *identity)
{
    free(identity->name);
    free(identity->email);
    free(identity->url);
    free(identity->log_origin);
    *identity = (struct bst_identity){0};
}

enum bst_code bst_identity_json(const struct bst_identity *identity, json_t **out, struct bst_error *err)
{
    char *pem = NULL, *vkey = NULL;
    enum bst_code code = bst_key_public_pem(identity->public_key, &pem, err);
    if (code == BST_OK) code = bst_vkey_text(identity->log_origin, identity->log_key, &vkey, err);
    if (code == BST_OK) {
        *out = json_pack("{s:{s:s,s:s*,s:s*},s:{s:s,s:s,s:s},s:{s:s,s:s}}", "author", "name", identity->name,
                         "email", identity->email, "url", identity->url, "key", "id", identity->key_id, "pem",
                         pem, "type", "ed25519", "log", "origin", identity->log_origin, "vkey", vkey);
        if (!*out) code = bst_fail_memory(err);
    }
    free(pem);
    free(vkey);
    return code;
}

static enum bst_code read_keys(const json_t *json, struct bst_identity *out, struct bst_error *err)
{
    const char *id = bst_json_text(json_object_get(json, "key"), "id");
    const char *pem = bst_json_text(json_object_get(json, "key"), "pem");
    const char *origin = bst_json_text(json_object_get(json, "log"), "origin");
    const char *vkey = bst_json_text(json_object_get(json, "log"), "vkey");
    if (!id || !pem || !origin || !vkey) return bst_fail(err, BST_UNREADABLE, "the identity lacks its keys");
    enum bst_code code = bst_key_public_from_pem(pem, strlen(pem), out->public_key, err);
    if (code != BST_OK) return code;
    bst_key_id(out->public_key, out->key_id);
    if (strcmp(id, out->key_id) != 0) {
        return bst_fail(err, BST_BROKEN, "the identity's key id does not belong to its key");
    }
    code = bst_vkey_parse(vkey, &out->log_origin, out->log_key, err);
    if (code == BST_OK && strcmp(origin, out->log_origin) != 0) {
        code = bst_fail(err, BST_BROKEN, "the identity names two different logs");
    }
    return code;
}

enum bst_code bst_identity_from_json(const json_t *json, struct bst_identity *out, struct bst_error *err)
{
    struct bst_identity identity = {0};
    const json_t *author = json_object_get(json, "author");
    const char *name = bst_json_text(author, "name"), *email = bst_json_text(author, "email");
    const char *url = bst_json_text(author, "url");
    if (!name) return bst_fail(err, BST_UNREADABLE, "the identity has no author");
    enum bst_code code = read_keys(json, &identity, err);
    if (code == BST_OK) {
        identity.name = bst_strdup(name);
        identity.email = email ? bst_strdup(email) : NULL;
        identity.url = url ? bst_strdup(url) : NULL;
        if (!identity.name || (email && !identity.email) || (url && !identity.url))
            code = bst_fail_memory(err);
    }
    if (code == BST_OK) {
        *out = identity;
    } else {
        bst_identity_clear(&identity);
    }
    return code;
}

enum bst_code bst_identity_load(const char *home, struct bst_identity *out, struct bst_error *err)
{
    char *path = bst_path_join(home, "identity.json");
    json_t *json;
    if (!path) return bst_fail_memory(err);
    if (!bst_file_exists(path)) {
        bst_fail(err, BST_USAGE, "there is no identity in %s", home);
        bst_hint(err, "make one: blindstamp init --author \"Ada Example\"");
        free(path);
        return err->code;
    }
    enum bst_code code = bst_json_load(path, FILE_MAX, &json, err);
    if (code == BST_OK) {
        code = bst_identity_from_json(json, out, err);
        json_decref(json);
        if (code != BST_OK) bst_where(err, "%s", path);
    }
    free(path);
    return code;
}
