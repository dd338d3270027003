/* commands.c - the table of commands, and the help made from it. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

const struct cli_command *const cli_commands[] = {
    &cmd_init,   &cmd_model, &cmd_models, &cmd_gen,      &cmd_sign,      &cmd_verify, &cmd_show,
    &cmd_query,  &cmd_audit, &cmd_decide, &cmd_transfer, &cmd_withdraw,  &cmd_erase,  &cmd_revoke,
    &cmd_ledger, &cmd_key,   &cmd_trust,  &cmd_cert,     &cmd_timestamp, &cmd_train,  NULL};

const struct cli_option cli_common_options[] = {
    {"home", 0, "DIR", "keys, ledger and models live in DIR (else BLINDSTAMP_HOME, else the XDG data folder)",
     false},
    {"json", 0, NULL, "answer as JSON on standard output, failures as JSON on standard error", false},
    {"quiet", 'q', NULL, "print nothing but the answer", false},
    {"help", 'h', NULL, "show this help", false},
    {0},
};

const struct cli_command *cli_command_find(const char *name)
{
    for (size_t i = 0; cli_commands[i]; i++)
        if (!strcmp(cli_commands[i]->name, name)) return cli_commands[i];
    return NULL;
}

enum bst_code cli_command_unknown(const char *name, struct bst_error *err)
{
    const char *names[32];
    size_t count = 0;
    for (; cli_commands[count]; count++)
        names[count] = cli_commands[count]->name;
    names[count] = NULL;
    bst_fail(err, BST_USAGE, "there is no command \"%s\"", name);
    const char *meant = cli_closest(name, names);
    return meant ? bst_hint(err, "did you mean \"blindstamp %s\"?", meant)
                 : bst_hint(err, "blindstamp help lists the commands");
}

void cli_help_all(FILE *out)
{
    fprintf(
        out,
        "blindstamp makes pictures with neural generators and presses into each one who made it and how,\n"
        "so that anyone can later check where it comes from.\n\n"
        "usage: blindstamp COMMAND [OPTIONS]\n\n");
    for (size_t i = 0; cli_commands[i]; i++)
        fprintf(out, "  %-10s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
    fprintf(
        out,
        "\nStart with:\n"
        "  blindstamp init --author \"Ada Example\"\n"
        "  blindstamp models\n\n"
        "blindstamp help COMMAND (or COMMAND --help) explains one command; --version names the version.\n\n"
        "Exit codes: 0 verified or done, 1 wrong usage, 2 no or unknown provenance, 3 altered or forged,\n"
        "4 unreadable input, 5 failure of program or machine, 6 intact but the signer is not trusted.\n"
        "Of several files the worst one counts.\n");
}

static void help_options(FILE *out, const struct cli_option *options)
{
    for (; options && options->name; options++) {
        char *left =
            bst_format("%s%c%s --%s%s%s", options->letter ? "-" : " ",
                       options->letter ? options->letter : ' ', options->letter ? "," : " ", options->name,
                       options->argument ? " " : "", options->argument ? options->argument : "");
        if (!left) return;
        /* The text starts in column 30, or on the next line when the option is too long for that. */
        if (strlen(left) > 26)
            fprintf(out, "  %s\n%30s%s\n", left, "", options->help);
        else
            fprintf(out, "  %-27s %s\n", left, options->help);
        free(left);
    }
}

/* Prints each line of text behind indent. */
static void lines(FILE *out, const char *indent, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        fprintf(out, "%s%.*s\n", len ? indent : "", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

void cli_help_command(FILE *out, const struct cli_command *command)
{
    fprintf(out, "blindstamp %s: %s\n\n", command->name, command->summary);
    fprintf(out, "usage:\n");
    lines(out, "  blindstamp ", command->usage);
    if (command->details) {
        fprintf(out, "\n");
        lines(out, "", command->details);
    }
    fprintf(out, "\noptions:\n");
    help_options(out, command->options);
    help_options(out, cli_common_options);
    fprintf(out, "\nexample:\n");
    lines(out, "  ", command->examples);
}
