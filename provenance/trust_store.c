/* trust_store.c - what a home trusts besides itself: HOME/trust/NAME is an item as it was given (certificates,
 * digests, key usages, log keys), HOME/trust/NAME.json says for what it counts and where it came from. An item
 * without such a description, as older versions left it, is one of anchors for signers of claims. */
#include "signer.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ITEM_MAX  (8u << 20)
#define ABOUT_MAX (64u << 10)
#define NAME_MAX_ 100

static const struct {
    const char *name;
    unsigned bit;
} kinds[] = {{"manifest", BST_TRUST_MANIFEST},
             {"tsa", BST_TRUST_TSA},
             {"cawg", BST_TRUST_CAWG},
             {"allowed", BST_TRUST_ALLOWED}};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

unsigned bst_trust_kind_named(const char *name)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i].name, name) == 0) return kinds[i].bit;
    }
    return 0;
}

const char *bst_trust_kind_name(unsigned kind)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].bit == kind) return kinds[i].name;
    }
    return "";
}

/* ---- names ---- */

static bool is_description(const char *name)
{
    size_t len = strlen(name);
    return len >= 5 && strcmp(name + len - 5, ".json") == 0;
}

static enum bst_code check_name(const char *name, struct bst_error *err)
{
    if (*name != 0 && *name != '.' && strchr(name, '/') == NULL && strlen(name) <= NAME_MAX_ &&
        !is_description(name)) {
        return BST_OK;
    }
    return bst_fail(err, BST_USAGE, "\"%.100s\" is not a name for what is trusted", name);
}

static char *item_path(const char *home, const char *name, const char *suffix)
{
    return bst_format("%s/trust/%s%s", home, name, suffix);
}

/* ---- one item ---- */

struct item {
    char *path;
    json_t *about; /* NULL: an older version's */
    struct bst_buf text;
    struct bst_trust_item told;
};

static void item_clear(struct item *item)
{
    free(item->path);
    json_decref(item->about);
    bst_buf_free(&item->text);
}

static enum bst_code read_kinds(const json_t *about, unsigned *out, struct bst_error *err)
{
    size_t i;
    json_t *value;
    *out = 0;
    json_array_foreach(json_object_get(about, "kinds"), i, value)
    {
        unsigned bit = json_is_string(value) ? bst_trust_kind_named(json_string_value(value)) : 0;
        if (bit == 0) return bst_fail(err, BST_UNREADABLE, "it names a kind of trust that is not known");
        *out |= bit;
    }
    return *out != 0 ? BST_OK : bst_fail(err, BST_UNREADABLE, "it does not say what the item is trusted for");
}

static enum bst_code read_about(struct item *item, const char *path, struct bst_error *err)
{
    enum bst_code code = bst_json_load(path, ABOUT_MAX, &item->about, err);
    if (code == BST_OK) code = read_kinds(item->about, &item->told.kinds, err);
    if (code != BST_OK) return bst_where(err, "%s", path);
    item->told.origin = bst_json_text(item->about, "origin");
    item->told.published = bst_json_text(item->about, "published");
    item->told.added = bst_json_text(item->about, "added");
    const char *sha256 = bst_json_text(item->about, "sha256");
    if (sha256 == NULL || strcmp(sha256, item->told.sha256) != 0) {
        bst_fail(err, BST_BROKEN, "it was changed since it was added");
        bst_hint(err, "blindstamp trust remove %.60s, and add it again from its source", item->told.name);
        return bst_where(err, "%s", item->path);
    }
    return BST_OK;
}

/* Reads an item with its description, and puts what it holds into trust. */
static enum bst_code item_load(const char *home, const char *name, struct bst_trust *trust, struct item *item,
                               struct bst_error *err)
{
    uint8_t digest[BST_SHA256_LEN];
    char *about = item_path(home, name, ".json");
    item->told = (struct bst_trust_item){.name = name, .kinds = BST_TRUST_MANIFEST};
    item->path = item_path(home, name, "");
    enum bst_code code = item->path == NULL || about == NULL
                             ? bst_fail_memory(err)
                             : bst_file_read(item->path, ITEM_MAX, &item->text, err);
    if (code == BST_OK) {
        bst_sha256(item->text.data, item->text.len, digest);
        bst_hex(digest, sizeof(digest), item->told.sha256);
        item->told.path = item->path;
        if (bst_file_exists(about)) code = read_about(item, about, err);
    }
    if (code == BST_OK && bst_trust_add(trust, (const char *)item->text.data, item->text.len,
                                        item->told.kinds, &item->told.count, err) != BST_OK) {
        code = bst_where(err, "%s", item->path);
    }
    free(about);
    return code;
}

/* ---- all of them ---- */

static int wanted(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && !is_description(entry->d_name);
}

/* Calls visit for each item by name. An item that cannot be used has item->problem; whether that ends the walk
 * is visit's to say. */
static enum bst_code each(const char *home, struct bst_trust *trust,
                          enum bst_code (*visit)(void *arg, const struct bst_trust_item *item), void *arg,
                          struct bst_error *err)
{
    char *folder = bst_path_join(home, "trust");
    struct dirent **names = NULL;
    if (folder == NULL) return bst_fail_memory(err);
    int count = scandir(folder, &names, wanted, alphasort);
    enum bst_code code = BST_OK;
    if (count < 0 && errno != ENOENT) code = bst_fail_errno(err, BST_FAILURE, "cannot read %s", folder);
    for (int i = 0; i < count; i++) {
        struct item item = {0};
        struct bst_error problem = {0};
        if (code == BST_OK) {
            if (item_load(home, names[i]->d_name, trust, &item, &problem) != BST_OK)
                item.told.problem = &problem;
            code = visit(arg, &item.told);
            if (code != BST_OK) *err = problem;
        }
        item_clear(&item);
        free(names[i]);
    }
    free(names);
    free(folder);
    return code;
}

struct listing {
    bst_trust_item_fn found;
    void *arg;
};

static enum bst_code list_item(void *arg, const struct bst_trust_item *item)
{
    struct listing *listing = arg;
    listing->found(listing->arg, item);
    return BST_OK;
}

enum bst_code bst_trust_list(const char *home, bst_trust_item_fn found, void *arg, struct bst_error *err)
{
    struct listing listing = {found, arg};
    struct bst_trust *trust = NULL;
    enum bst_code code = bst_trust_new(&trust, err);
    if (code == BST_OK) code = each(home, trust, list_item, &listing, err);
    bst_trust_free(trust);
    return code;
}

static enum bst_code use_item(void *arg, const struct bst_trust_item *item)
{
    (void)arg;
    return item->problem != NULL ? item->problem->code : BST_OK;
}

enum bst_code bst_trust_items(struct bst_trust *trust, const char *home, struct bst_error *err)
{
    return each(home, trust, use_item, NULL, err);
}

static enum bst_code own_file(struct bst_trust *trust, const char *home, const char *name, unsigned kind,
                              struct bst_error *err)
{
    struct bst_buf pem = {0};
    char *path = bst_path_join(home, name);
    enum bst_code code = path == NULL ? bst_fail_memory(err) : bst_file_read(path, ITEM_MAX, &pem, err);
    if (code == BST_OK && bst_trust_add(trust, (const char *)pem.data, pem.len, kind, NULL, err) != BST_OK)
        code = bst_where(err, "%s", path);
    bst_buf_free(&pem);
    free(path);
    return code;
}

enum bst_code bst_trust_self(struct bst_trust *trust, const char *home, struct bst_error *err)
{
    struct bst_credential credential;
    enum bst_code code = own_file(trust, home, "certs/root.pem", BST_TRUST_MANIFEST | BST_TRUST_CAWG, err);
    if (code == BST_OK) code = bst_credential_load(home, &credential, err);
    if (code != BST_OK || credential.chain == NULL) return code;
    code = bst_trust_add(trust, credential.chain, strlen(credential.chain), BST_TRUST_ALLOWED, NULL, err);
    bst_credential_clear(&credential);
    return code;
}

/* ---- adding and removing ---- */

static json_t *describe(const struct bst_trust_item *item, const char *sha256)
{
    char now[BST_TIME_LEN];
    json_t *list = json_array();
    bst_time_text(bst_now_ms(), now);
    for (size_t i = 0; i < KINDS; i++) {
        if (item->kinds & kinds[i].bit) json_array_append_new(list, json_string(kinds[i].name));
    }
    return json_pack("{s:i, s:o, s:s?, s:s?, s:s, s:s}", "version", 1, "kinds", list, "origin", item->origin,
                     "published", item->published, "added", now, "sha256", sha256);
}

static enum bst_code write_item(const char *home, const struct bst_trust_item *item, const void *text,
                                size_t len, bool replace, struct bst_error *err)
{
    uint8_t digest[BST_SHA256_LEN];
    char hex[BST_SHA256_HEX];
    struct bst_buf about = {0};
    char *folder = bst_path_join(home, "trust");
    char *path = item_path(home, item->name, ""), *beside = item_path(home, item->name, ".json");
    bst_sha256(text, len, digest);
    bst_hex(digest, sizeof(digest), hex);
    json_t *json = describe(item, hex);
    bool whole = folder != NULL && path != NULL && beside != NULL && json != NULL;
    enum bst_code code = whole ? bst_json_pretty(json, &about, err) : bst_fail_memory(err);
    if (code == BST_OK) code = bst_folder_make(folder, 0700, err);
    if (code == BST_OK && !replace && bst_file_exists(path)) {
        bst_fail(err, BST_USAGE, "something named %s is trusted already", item->name);
        code = bst_hint(err, "--force replaces it, --name gives another name");
    }
    /* the description first: without it the item would count as anchors for signers */
    if (code == BST_OK) code = bst_file_write(beside, about.data, about.len, BST_WRITE_REPLACE, err);
    if (code == BST_OK) code = bst_file_write(path, text, len, replace ? BST_WRITE_REPLACE : 0, err);
    json_decref(json);
    bst_buf_free(&about);
    free(folder);
    free(path);
    free(beside);
    return code;
}

enum bst_code bst_trust_keep(const char *home, struct bst_trust_item *item, const void *text, size_t len,
                             bool replace, struct bst_error *err)
{
    struct bst_trust *trust = NULL;
    enum bst_code code = check_name(item->name, err);
    if (code == BST_OK && len > ITEM_MAX)
        code = bst_fail(err, BST_UNREADABLE, "it is larger than %u bytes", ITEM_MAX);
    if (code == BST_OK) code = bst_trust_new(&trust, err);
    if (code == BST_OK) code = bst_trust_add(trust, text, len, item->kinds, &item->count, err);
    bst_trust_free(trust);
    return code == BST_OK ? write_item(home, item, text, len, replace, err) : code;
}

enum bst_code bst_trust_drop(const char *home, const char *name, struct bst_error *err)
{
    enum bst_code code = check_name(name, err);
    if (code != BST_OK) return code;
    char *path = item_path(home, name, ""), *about = item_path(home, name, ".json");
    if (path == NULL || about == NULL) {
        code = bst_fail_memory(err);
    } else if (unlink(path) != 0) {
        code = errno == ENOENT ? bst_fail(err, BST_USAGE, "nothing named %s is trusted", name)
                               : bst_fail_errno(err, BST_FAILURE, "cannot remove %s", path);
        if (err->code == BST_USAGE) bst_hint(err, "blindstamp trust list shows what is");
    } else {
        unlink(about);
        bst_name_sync(path);
    }
    free(path);
    free(about);
    return code;
}
