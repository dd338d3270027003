/* sandbox.c - what a command may still do once it reads strangers' files: read these, and print. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

#define QUESTIONS_AT_ONCE 8

/* Takes path, which is new memory or NULL for want of it. */
static void take(struct cli_sandbox *sandbox, char *path)
{
    size_t n = sandbox->count;
    if (path && (n & (n - 1)) == 0) { /* full at every power of two */
        char **grown = realloc(sandbox->paths, (n ? 2 * n : 1) * sizeof *grown);
        if (grown) sandbox->paths = grown;
        sandbox->failed |= !grown;
    }
    sandbox->failed |= !path;
    if (sandbox->failed)
        free(path);
    else
        sandbox->paths[sandbox->count++] = path;
}

void cli_sandbox_read(struct cli_sandbox *sandbox, const char *path)
{
    if (path) take(sandbox, bst_strdup(path));
}

void cli_sandbox_read_beside(struct cli_sandbox *sandbox, const char *path)
{
    take(sandbox, bst_format("%.*s.", (int)(bst_path_name(path) - path), path));
}

void cli_sandbox_write_at(struct cli_sandbox *sandbox, const char *path)
{
    char **place = sandbox->write[0] ? &sandbox->write[1] : &sandbox->write[0];
    *place = bst_format("%.*s.", (int)(bst_path_name(path) - path), path);
    sandbox->failed |= !*place;
}

static void read_picture(struct cli_sandbox *sandbox, const char *path)
{
    cli_sandbox_read(sandbox, path);
    take(sandbox, bst_sidecar_path(path, false));
    take(sandbox, bst_sidecar_path(path, true));
}

static bool read_link(void *sandbox, const char *path)
{
    struct stat st;
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) cli_sandbox_read(sandbox, path);
    return true;
}

void cli_sandbox_read_pictures(struct cli_sandbox *sandbox, const char *path)
{
    struct bst_error ignored = {0}; /* the command meets it again */
    if (cli_is_folder(path)) {
        cli_sandbox_read(sandbox, path);
        cli_walk(path, CLI_ALL_PICTURES, read_link, sandbox, &ignored);
    } else {
        read_picture(sandbox, path);
    }
}

/* With the files that belong to it. */
static void read_ledger(struct cli_sandbox *sandbox, const char *path)
{
    static const char *const beside[] = {"", "-journal", "-checkpoint"};
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        take(sandbox, bst_format("%s%s", path, beside[i]));
}

void cli_sandbox_read_judged(struct cli_sandbox *sandbox, const struct cli_args *args, const char *home)
{
    static const char *const own[] = {"identity.json", "certs", "trust"};
    static const char *const options[] = {"trust", "trust-tsa", "trust-signer", "log-key"};
    const char *value;
    for (size_t i = 0; i < args->operand_count; i++)
        cli_sandbox_read_pictures(sandbox, args->operands[i]);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        take(sandbox, bst_path_join(home, own[i]));
    for (size_t o = 0; o < sizeof options / sizeof *options; o++)
        for (size_t i = 0; (value = cli_nth(args, options[o], i)); i++)
            cli_sandbox_read(sandbox, value);
    char *ledger = bst_path_join(home, "ledger.sqlite");
    sandbox->failed |= !ledger;
    if (ledger) read_ledger(sandbox, ledger);
    free(ledger);
    if ((value = cli_value(args, "ledger"))) read_ledger(sandbox, value);
}

/* NULL when it is whole. */
static const char *why(const struct cli_sandbox *sandbox)
{
    return sandbox->on.files_why ? sandbox->on.files_why : sandbox->on.calls_why;
}

enum bst_code cli_sandbox_enter(struct cli_sandbox *sandbox, bool network, struct bst_error *err)
{
    const char *wish = getenv("BLINDSTAMP_SANDBOX");
    bool required = wish && !strcmp(wish, "require");
    sandbox->off = wish && !strcmp(wish, "off");
    if (sandbox->failed) return bst_fail_memory(err);
    if (wish && *wish && strcmp(wish, "on") && !required && !sandbox->off) {
        bst_fail(err, BST_USAGE, "BLINDSTAMP_SANDBOX is \"%.40s\"", wish);
        return bst_hint(err, "on, off, or require, which fails where there is none");
    }
    if (sandbox->off) {
        sandbox->on.files_why = sandbox->on.calls_why = "BLINDSTAMP_SANDBOX is off";
        return BST_OK;
    }
    if (network && bst_http_helper_start(QUESTIONS_AT_ONCE, err) != BST_OK) return err->code;
    const struct bst_sandbox inside = {.read = (const char *const *)sandbox->paths,
                                       .read_count = sandbox->count,
                                       .write = (const char *const *)sandbox->write,
                                       .write_count = sandbox->write[1] ? 2 : sandbox->write[0] != NULL};
    sandbox->on = bst_sandbox_enter(&inside);
    if (!required || !why(sandbox)) return BST_OK;
    bst_fail(err, BST_FAILURE, "there is no whole sandbox here: %s", why(sandbox));
    return bst_hint(err, "BLINDSTAMP_SANDBOX=require asks for one; on takes what there is");
}

void cli_sandbox_clear(struct cli_sandbox *sandbox)
{
    bst_http_helper_stop();
    for (size_t i = 0; i < sandbox->count; i++)
        free(sandbox->paths[i]);
    free(sandbox->paths);
    free(sandbox->write[0]);
    free(sandbox->write[1]);
    *sandbox = (struct cli_sandbox){0};
}

json_t *cli_sandbox_json(const struct cli_sandbox *sandbox)
{
    return json_pack("{s:b, s:b, s:s?}", "files", !sandbox->on.files_why, "calls", !sandbox->on.calls_why,
                     "why", why(sandbox));
}

char *cli_sandbox_words(const struct cli_sandbox *sandbox)
{
    bool files = !sandbox->on.files_why, calls = !sandbox->on.calls_why;
    if (files && calls) return bst_strdup("on: only these files, no network, no programs");
    return bst_format("%s: %s", files ? "files only" : calls ? "system calls only" : "off", why(sandbox));
}
