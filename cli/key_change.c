/* key_change.c - key rotate and key admit. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "key_verbs.h"

#define BUNDLE_MAX (1u << 20)

/* ---- rotate ---- */

enum bst_code key_rotate(const struct cli_args *args, const char *home, struct bst_error *err)
{
    struct bst_rotated rotated;
    char *passphrase = NULL;
    bool locked = false;
    enum bst_code code = cli_passphrase_given(args, &passphrase, err);
    if (code == BST_OK) code = bst_home_rotate(home, passphrase, &rotated, &locked, err);
    if (code != BST_OK && locked && !passphrase) {
        *err = (struct bst_error){0};
        code = cli_passphrase_ask("Passphrase of your keys", &passphrase, err);
        if (code == BST_OK) code = bst_home_rotate(home, passphrase, &rotated, &locked, err);
    }
    cli_passphrase_free(passphrase);
    if (code != BST_OK) return code;
    if (cli_has(args, "json")) {
        code = cli_json_take(json_pack("{s:s, s:s, s:I}", "key_id", rotated.key_id, "old_key_id",
                                       rotated.old_key_id, "entry", (json_int_t)rotated.entry),
                             false, err);
        return code;
    }
    printf("entry %llu: your key is %.16s... now; %.16s... signed for the last time\n",
           (unsigned long long)rotated.entry, rotated.key_id, rotated.old_key_id);
    return BST_OK;
}

/* ---- admit ---- */

/* The line of an exported file that holds the author's signed identity. */
static const char *find_envelope(const struct bst_buf *text, size_t *len)
{
    static const char start[] = "{\"payload\":";
    const char *line = (const char *)text->data, *end = line + text->len;
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        *len = (size_t)((stop ? stop : end) - line);
        if (*len > strlen(start) && memcmp(line, start, strlen(start)) == 0) return line;
        line += *len + 1;
    }
    return NULL;
}

static enum bst_code say(const struct cli_args *args, const struct bst_identity *identity, const char *role,
                         uint64_t entry, struct bst_error *err)
{
    if (cli_has(args, "json")) {
        return cli_json_take(json_pack("{s:I, s:o, s:s, s:s}", "entry", (json_int_t)entry, "name",
                                       cli_json_text(identity->name), "key_id", identity->key_id, "role",
                                       role),
                             false, err);
    }
    printf("entry %llu: ", (unsigned long long)entry);
    cli_text(stdout, identity->name);
    printf(" (key %.16s...) may sign in this ledger as %s\n", identity->key_id, role);
    return BST_OK;
}

enum bst_code key_admit(const struct cli_args *args, const char *home, struct bst_error *err)
{
    const char *path = args->operand_count > 1 ? args->operands[1] : NULL, *role = cli_value(args, "role");
    struct bst_stamper *stamper = NULL;
    struct bst_identity identity = {0};
    struct bst_buf text = {0};
    uint64_t entry = 0;
    size_t len = 0;
    (void)home;
    if (!path) {
        bst_fail(err, BST_USAGE, "admit needs the file that the other author's \"key export\" wrote");
        return bst_hint(err, "blindstamp key admit ben.pem");
    }
    if (!role) role = "author";
    if (strcmp(role, "author") != 0 && strcmp(role, "operator") != 0)
        return bst_fail(err, BST_USAGE, "--role is author or operator, not \"%.40s\"", role);
    enum bst_code code = bst_file_read(path, BUNDLE_MAX, &text, err);
    const char *envelope = code == BST_OK ? find_envelope(&text, &len) : NULL;
    if (code == BST_OK && !envelope) {
        code = bst_fail(err, BST_UNREADABLE, "%s holds no signed identity", path);
        bst_hint(err, "the other author makes the file with: blindstamp key export -o FILE");
    }
    if (code == BST_OK) code = cli_author(args, &stamper, err);
    if (code == BST_OK) code = bst_stamp_admit(stamper, envelope, len, role, &identity, &entry, err);
    if (code == BST_OK) code = say(args, &identity, role, entry, err);
    bst_identity_clear(&identity);
    bst_stamper_close(stamper);
    bst_buf_free(&text);
    return code;
}
