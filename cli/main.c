/* main.c - picks the command, prints its failure, returns the exit code. */
#include <openssl/crypto.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sodium.h>

#include "cli.h"

static int fail(const struct bst_error *err, bool json)
{
    cli_error(err, json);
    return (int)err->code;
}

static int version(void)
{
    struct bst_error err = {0};
    printf("blindstamp %s (%s)\n", BST_VERSION, BST_ARITH);
    return cli_flush(&err) == BST_OK ? 0 : fail(&err, false);
}

/* blindstamp help, blindstamp help VERB, blindstamp --help */
static int help(size_t count, char **words)
{
    struct bst_error err = {0};
    const struct cli_command *command = count ? cli_command_find(words[0]) : NULL;
    if (count && !command) {
        cli_command_unknown(words[0], &err);
        return fail(&err, false);
    }
    if (command)
        cli_help_command(stdout, command);
    else
        cli_help_all(stdout);
    return cli_flush(&err) == BST_OK ? 0 : fail(&err, false);
}

static int run(const struct cli_command *command, size_t count, char **words)
{
    struct bst_error err = {0};
    struct cli_args args = {0};
    bool json = false;
    for (size_t i = 0; i < count && strcmp(words[i], "--"); i++)
        json |= !strcmp(words[i], "--json");
    if (cli_args_parse(command, count, words, &args, &err) != BST_OK) return fail(&err, json);
    if (cli_has(&args, "help")) {
        cli_args_clear(&args);
        cli_help_command(stdout, command);
        return cli_flush(&err) == BST_OK ? 0 : fail(&err, false);
    }
    if (command->writes) signal(SIGPIPE, SIG_IGN);
    enum bst_code code = command->run(&args, &err);
    /* A verdict comes with its code alone, a failure with words. */
    if (code == BST_OK) err = (struct bst_error){0};
    if (!err.what[0] && cli_flush(&err) != BST_OK) code = err.code;
    if (err.what[0]) cli_error(&err, json);
    cli_args_clear(&args);
    return (int)code;
}

int main(int argc, char **argv)
{
    struct bst_error err = {0};
    if (sodium_init() < 0) {
        bst_fail(&err, BST_FAILURE, "libsodium cannot start: the machine gives no random numbers");
        return fail(&err, false);
    }
    /* No configuration file of the machine's has a say in what a signature is; reading it would take time besides. */
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);

    if (argc < 2) {
        cli_help_all(stderr);
        return BST_USAGE;
    }
    char *verb = argv[1];
    size_t count = (size_t)argc - 2;
    char **words = argv + 2;
    if (!strcmp(verb, "--version") || !strcmp(verb, "version")) return version();
    if (!strcmp(verb, "--help") || !strcmp(verb, "-h") || !strcmp(verb, "help")) return help(count, words);
    /* "blindstamp --home DIR gen ..." means "blindstamp gen --home DIR ..." */
    char *moved[3] = {0};
    size_t shift = !strcmp(verb, "--home") ? 2 : !strncmp(verb, "--home=", 7) ? 1 : 0;
    if (shift && argc > (int)shift + 1) {
        memcpy(moved, argv + 1, shift * sizeof *moved);
        verb = argv[1 + shift];
        memmove(argv + 2, moved, shift * sizeof *moved);
        count = (size_t)argc - 2;
    }
    const struct cli_command *command = cli_command_find(verb);
    if (!command) {
        cli_command_unknown(verb, &err);
        return fail(&err, false);
    }
    return run(command, count, words);
}
