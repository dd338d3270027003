/* trust.c - home, the workshop in it, and what verify trusts beside home's own identity.
 *
 * HOME/trust/ holds what "blindstamp key import" brought: *.pem certificates and *.vkey log keys, one a line.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

#define TRUST_FILE_MAX (1u << 20)
#define VKEY_MAX       1024

enum bst_code cli_home(const struct cli_args *args, bool must_exist, char **out, struct bst_error *err)
{
    enum bst_code code = bst_home_find(cli_value(args, "home"), out, err);
    if (code != BST_OK || !must_exist) return code;
    char *identity = bst_path_join(*out, "identity.json");
    if (!identity) {
        code = bst_fail_memory(err);
    } else if (!bst_file_exists(identity)) {
        code = bst_fail(err, BST_USAGE, "there are no keys and no ledger in %s", *out);
        bst_hint(err, "blindstamp init --author \"Your Name\" makes them; --home DIR names another place");
    }
    free(identity);
    if (code != BST_OK) {
        free(*out);
        *out = NULL;
    }
    return code;
}

enum bst_code cli_stamper(const struct cli_args *args, const char *home, int png_level,
                          struct bst_stamper **out, struct bst_error *err)
{
    char *passphrase = NULL;
    enum bst_code code = cli_passphrase_given(args, &passphrase, err);
    if (code != BST_OK) return code;
    struct bst_stamper_options options = {.home = home, .passphrase = passphrase, .png_level = png_level};
    bool locked = false;
    code = bst_stamper_open(&options, out, &locked, err);
    if (code != BST_OK && locked && !passphrase) {
        *err = (struct bst_error){0};
        code = cli_passphrase_ask("Passphrase of your keys", &passphrase, err);
        options.passphrase = passphrase;
        if (code == BST_OK) code = bst_stamper_open(&options, out, &locked, err);
    }
    cli_passphrase_free(passphrase);
    return code;
}

static enum bst_code add_vkey(struct cli_trust *trust, const char *line, size_t len, const char *name,
                              struct bst_error *err)
{
    char *text = bst_format("%.*s", (int)len, line), *origin = NULL;
    uint8_t key[BST_KEY_LEN];
    if (!text) return bst_fail_memory(err);
    if (bst_vkey_parse(text, &origin, key, err) != BST_OK) {
        free(text);
        return bst_where(err, "%s", name);
    }
    free(origin);
    char **grown = realloc(trust->log_keys, (trust->log_key_count + 1) * sizeof *grown);
    if (!grown) {
        free(text);
        return bst_fail_memory(err);
    }
    trust->log_keys = grown;
    grown[trust->log_key_count++] = text;
    return BST_OK;
}

enum bst_code cli_trust_add(struct cli_trust *trust, const char *text, size_t len, const char *name,
                            struct bst_error *err)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----", end[] = "-----END CERTIFICATE-----";
    const char *stop = text + len;
    bool inside = false;
    size_t found = 0;
    enum bst_code code = BST_OK;
    if (memchr(text, 0, len))
        return bst_fail(err, BST_UNREADABLE, "%s holds neither certificates nor log keys", name);
    for (const char *line = text; code == BST_OK && line < stop;) {
        const char *newline = memchr(line, '\n', (size_t)(stop - line));
        size_t n = newline ? (size_t)(newline - line) : (size_t)(stop - line), next = n + (newline != NULL);
        if (n && line[n - 1] == '\r') n--;
        if (n == sizeof begin - 1 && !memcmp(line, begin, n)) inside = true;
        if (inside) {
            bst_buf_append(&trust->roots, line, n);
            bst_buf_byte(&trust->roots, '\n');
        } else if (n > 10 && n < VKEY_MAX && line[0] != '#' && line[0] != '-' && memchr(line, '+', n) &&
                   !memchr(line, ' ', n) && memchr(line, '/', n)) {
            code = add_vkey(trust, line, n, name, err);
            found++;
        }
        if (inside && n == sizeof end - 1 && !memcmp(line, end, n)) {
            inside = false;
            found++;
        }
        line += next;
    }
    if (code != BST_OK) return code;
    if (inside) return bst_fail(err, BST_UNREADABLE, "the last certificate in %s has no end", name);
    if (!found) {
        bst_fail(err, BST_UNREADABLE, "%s holds neither certificates nor log keys", name);
        return bst_hint(err, "blindstamp key export writes what others need to trust your pictures");
    }
    return trust->roots.failed ? bst_fail_memory(err) : BST_OK;
}

static enum bst_code add_file(struct cli_trust *trust, const char *path, struct bst_error *err)
{
    struct bst_buf text = {0};
    enum bst_code code = bst_file_read(path, TRUST_FILE_MAX, &text, err);
    if (code == BST_OK) code = cli_trust_add(trust, (const char *)text.data, text.len, path, err);
    bst_buf_free(&text);
    return code;
}

static int wanted(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static enum bst_code add_folder(struct cli_trust *trust, const char *home, struct bst_error *err)
{
    char *folder = bst_path_join(home, "trust");
    if (!folder) return bst_fail_memory(err);
    enum bst_code code = BST_OK;
    struct dirent **names = NULL;
    int count = scandir(folder, &names, wanted, alphasort);
    for (int i = 0; i < count; i++) {
        char *path = code == BST_OK ? bst_path_join(folder, names[i]->d_name) : NULL;
        if (path) code = add_file(trust, path, err);
        free(path);
        free(names[i]);
    }
    free(names);
    free(folder);
    return code;
}

enum bst_code cli_trust_load(const struct cli_args *args, const char *home, struct cli_trust *out,
                             struct bst_error *err)
{
    *out = (struct cli_trust){0};
    enum bst_code code = home ? add_folder(out, home, err) : BST_OK;
    const char *value;
    for (size_t i = 0; code == BST_OK && (value = cli_nth(args, "trust", i)); i++)
        code = add_file(out, value, err);
    for (size_t i = 0; code == BST_OK && (value = cli_nth(args, "log-key", i)); i++) {
        if (bst_file_exists(value)) {
            code = add_file(out, value, err);
        } else {
            code = add_vkey(out, value, strlen(value), "--log-key", err);
            if (code == BST_UNREADABLE) code = err->code = BST_USAGE;
            if (code != BST_OK)
                bst_hint(err, "give NAME+HEX+BASE64 as \"blindstamp key list\" shows it, or a file");
        }
    }
    if (code != BST_OK) cli_trust_clear(out);
    return code;
}

void cli_trust_clear(struct cli_trust *trust)
{
    for (size_t i = 0; i < trust->log_key_count; i++)
        free(trust->log_keys[i]);
    free(trust->log_keys);
    bst_buf_free(&trust->roots);
    *trust = (struct cli_trust){0};
}

enum bst_code cli_ledger(const struct cli_args *args, struct bst_ledger **out, struct bst_error *err)
{
    const char *given = cli_value(args, "ledger");
    if (given) return bst_ledger_open(given, BST_LEDGER_READ, out, err);
    char *home = NULL, *path = NULL;
    enum bst_code code = cli_home(args, true, &home, err);
    if (code == BST_OK && !(path = bst_path_join(home, "ledger.sqlite"))) code = bst_fail_memory(err);
    if (code == BST_OK) code = bst_ledger_open(path, BST_LEDGER_READ, out, err);
    free(path);
    free(home);
    return code;
}
