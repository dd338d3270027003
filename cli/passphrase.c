/* passphrase.c - passphrases from a file, the environment or the terminal; never from an argument, which
 * other users of the machine could read in the list of processes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli.h"

void cli_passphrase_free(char *passphrase)
{
    sodium_free(passphrase);
}

static char *secret_new(struct bst_error *err)
{
    char *secret = sodium_malloc(CLI_PASSPHRASE_MAX + 1);
    if (secret)
        memset(secret, 0, CLI_PASSPHRASE_MAX + 1);
    else
        bst_fail_memory(err);
    return secret;
}

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    (void)number;
    stopped = 1;
}

/* Reads up to the first newline, byte by byte into guarded memory, so that no buffer keeps a copy. */
static enum bst_code read_line(int fd, char *out, const char *name, struct bst_error *err)
{
    size_t len = 0;
    for (;;) {
        char c;
        ssize_t got = read(fd, &c, 1);
        if (got < 0 && errno == EINTR && !stopped) continue;
        if (got < 0 && stopped) return bst_fail(err, BST_FAILURE, "interrupted");
        if (got < 0) return bst_fail_errno(err, BST_FAILURE, "cannot read the passphrase from %s", name);
        if (got == 0 || c == '\n') break;
        if (len == CLI_PASSPHRASE_MAX)
            return bst_fail(err, BST_USAGE, "the passphrase in %s is longer than %d bytes", name,
                            CLI_PASSPHRASE_MAX);
        out[len++] = c;
    }
    if (len && out[len - 1] == '\r') len--;
    out[len] = 0;
    return BST_OK;
}

enum bst_code cli_passphrase_file(const char *path, char **out, struct bst_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return bst_fail_errno(err, BST_USAGE, "cannot open the passphrase file %s", path);
    char *secret = secret_new(err);
    enum bst_code code = secret ? read_line(fd, secret, path, err) : BST_FAILURE;
    close(fd);
    if (code == BST_OK && !*secret) code = bst_fail(err, BST_USAGE, "the passphrase file %s is empty", path);
    if (code != BST_OK) {
        sodium_free(secret);
        return code;
    }
    *out = secret;
    return BST_OK;
}

enum bst_code cli_passphrase_given(const struct cli_args *args, char **out, struct bst_error *err)
{
    *out = NULL;
    const char *file = cli_value(args, "passphrase-file"), *words = getenv("BLINDSTAMP_PASSPHRASE");
    if (file) return cli_passphrase_file(file, out, err);
    if (!words || !*words) return BST_OK;
    if (strlen(words) > CLI_PASSPHRASE_MAX)
        return bst_fail(err, BST_USAGE, "the passphrase in BLINDSTAMP_PASSPHRASE is longer than %d bytes",
                        CLI_PASSPHRASE_MAX);
    *out = secret_new(err);
    if (!*out) return err->code;
    memcpy(*out, words, strlen(words) + 1);
    return BST_OK;
}

enum bst_code cli_passphrase_ask(const char *prompt, char **out, struct bst_error *err)
{
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        bst_fail(err, BST_USAGE, "a passphrase is needed and there is no terminal to ask on");
        return bst_hint(err, "give --passphrase-file FILE or set BLINDSTAMP_PASSPHRASE");
    }
    struct termios before, silent;
    enum bst_code code = BST_OK;
    char *secret = secret_new(err);
    if (!secret) code = BST_FAILURE;
    if (code == BST_OK && tcgetattr(fd, &before) != 0)
        code = bst_fail_errno(err, BST_FAILURE, "cannot ask for a passphrase on the terminal");
    if (code == BST_OK) {
        /* Ctrl-C must not leave the terminal without echo: it ends the read instead. */
        struct sigaction catch = {.sa_handler = stop}, old;
        sigaction(SIGINT, &catch, &old);
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(fd, TCSAFLUSH, &silent);
        dprintf(fd, "%s: ", prompt);
        code = read_line(fd, secret, "the terminal", err);
        tcsetattr(fd, TCSAFLUSH, &before);
        sigaction(SIGINT, &old, NULL);
        dprintf(fd, "\n");
    }
    close(fd);
    if (code == BST_OK && !*secret) code = bst_fail(err, BST_USAGE, "no passphrase was given");
    if (code != BST_OK) {
        sodium_free(secret);
        return code;
    }
    *out = secret;
    return BST_OK;
}

enum bst_code cli_passphrase_get(const struct cli_args *args, const char *prompt, bool confirm, char **out,
                                 struct bst_error *err)
{
    enum bst_code code = cli_passphrase_given(args, out, err);
    if (code != BST_OK || *out) return code;
    code = cli_passphrase_ask(prompt, out, err);
    if (code != BST_OK || !confirm) return code;
    char *again = NULL;
    code = cli_passphrase_ask("the same again", &again, err);
    if (code == BST_OK && strcmp(*out, again) != 0)
        code = bst_fail(err, BST_USAGE, "the two passphrases differ; nothing was changed");
    sodium_free(again);
    if (code != BST_OK) {
        sodium_free(*out);
        *out = NULL;
    }
    return code;
}
