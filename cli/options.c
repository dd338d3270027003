/* options.c - words of the command line -> options and operands of one command. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const struct cli_option *find_in(const struct cli_option *options, const char *name, size_t len,
                                        char letter)
{
    for (; options && options->name; options++) {
        if (letter ? options->letter == letter
                   : strlen(options->name) == len && !strncmp(options->name, name, len))
            return options;
    }
    return NULL;
}

static const struct cli_option *find_option(const struct cli_command *command, const char *name, size_t len,
                                            char letter)
{
    const struct cli_option *found = find_in(command->options, name, len, letter);
    return found ? found : find_in(cli_common_options, name, len, letter);
}

/* Edit distance of two short words with insertion, deletion, replacement and the exchange of neighbours;
 * words longer than 31 are far away. */
static unsigned distance(const char *a, const char *b)
{
    unsigned rows[3][32], *before = rows[0], *last = rows[1], *row = rows[2];
    size_t n = strlen(a), m = strlen(b);
    if (n > 31 || m > 31) return 99;
    for (unsigned j = 0; j <= m; j++)
        last[j] = j;
    for (unsigned i = 1; i <= n; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= m; j++) {
            unsigned best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best) best = last[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < best) best = before[j - 2] + 1;
            row[j] = best;
        }
        unsigned *spare = before;
        before = last;
        last = row;
        row = spare;
    }
    return last[m];
}

const char *cli_closest(const char *word, const char *const *candidates)
{
    size_t len = strlen(word);
    unsigned limit = len < 4 ? 1 : len < 8 ? 2 : 3, best = limit + 1;
    const char *found = NULL;
    for (; *candidates; candidates++) {
        unsigned d = distance(word, *candidates);
        if (len >= 3 && !strncmp(word, *candidates, len)) d = 1;
        if (d < best) {
            best = d;
            found = *candidates;
        }
    }
    return found;
}

enum bst_code cli_verb(const struct cli_args *args, const char *const *verbs, size_t *out,
                       struct bst_error *err)
{
    const char *verb = args->operands[0], *command = args->command->name;
    for (*out = 0; verbs[*out]; ++*out)
        if (!strcmp(verbs[*out], verb)) return BST_OK;
    bst_fail(err, BST_USAGE, "%s does not know \"%.60s\"", command, verb);
    const char *meant = cli_closest(verb, verbs);
    if (meant) return bst_hint(err, "did you mean %s %s?", command, meant);
    struct bst_buf list = {0};
    for (size_t i = 0; verbs[i]; i++)
        bst_buf_printf(&list, "%s%s", i == 0 ? "" : verbs[i + 1] ? ", " : " or ", verbs[i]);
    const char *all = bst_buf_string(&list);
    bst_hint(err, "%s", all ? all : "");
    bst_buf_free(&list);
    return err->code;
}

enum bst_code cli_home_verb_run(const struct cli_args *args, const struct cli_home_verb *verbs, size_t count,
                                const char *noun, struct bst_error *err)
{
    const char *names[CLI_VERBS_MAX + 1] = {0}, *command = args->command->name;
    size_t v;
    for (size_t i = 0; i < count; i++)
        names[i] = verbs[i].name;
    if (cli_verb(args, names, &v, err) != BST_OK) return err->code;
    if (args->operand_count != verbs[v].operands) {
        bst_fail(err, BST_USAGE, "%s %s needs %s %s", command, verbs[v].name,
                 verbs[v].operands == 2 ? "one" : "no", noun);
        return bst_hint(err, "blindstamp help %s", command);
    }
    char *home = NULL;
    enum bst_code code = cli_home(args, verbs[v].must_exist, &home, err);
    if (code == BST_OK) code = verbs[v].run(args, home, err);
    free(home);
    return code;
}

static enum bst_code unknown_option(const struct cli_command *command, const char *word, const char *name,
                                    size_t len, struct bst_error *err)
{
    const char *names[64];
    size_t count = 0;
    const struct cli_option *lists[] = {command->options, cli_common_options};
    for (size_t l = 0; l < 2; l++)
        for (const struct cli_option *o = lists[l]; o && o->name && count < 63; o++)
            names[count++] = o->name;
    names[count] = NULL;

    bst_fail(err, BST_USAGE, "%s has no option %s", command->name, word);
    char *typed = bst_format("%.*s", (int)(len < 64 ? len : 64), name);
    const char *meant = typed && len > 1 ? cli_closest(typed, names) : NULL;
    free(typed);
    if (meant) return bst_hint(err, "did you mean --%s?", meant);
    return bst_hint(err, "blindstamp help %s lists them", command->name);
}

static void give(struct cli_args *args, const struct cli_option *option, const char *value)
{
    args->given[args->given_count++] = (struct cli_given){option, value};
}

/* Takes the word that belongs to option from behind it, or fails. */
static enum bst_code take_value(const struct cli_option *option, const char *shown, size_t count,
                                char **words, size_t *i, struct cli_args *args, struct bst_error *err)
{
    if (*i + 1 >= count) {
        bst_fail(err, BST_USAGE, "%s needs a value", shown);
        return bst_hint(err, "%s %s: %s", shown, option->argument, option->help);
    }
    give(args, option, words[++*i]);
    return BST_OK;
}

static enum bst_code parse_long(const struct cli_command *command, size_t count, char **words, size_t *i,
                                struct cli_args *args, struct bst_error *err)
{
    const char *word = words[*i], *name = word + 2, *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    const struct cli_option *option = find_option(command, name, len, 0);
    if (!option) return unknown_option(command, word, name, len, err);
    if (!option->argument) {
        if (equals) return bst_fail(err, BST_USAGE, "--%s takes no value", option->name);
        give(args, option, "");
        return BST_OK;
    }
    if (equals) {
        give(args, option, equals + 1);
        return BST_OK;
    }
    return take_value(option, word, count, words, i, args, err);
}

/* -s VALUE, -sVALUE or switches in a group such as -qf. */
static enum bst_code parse_short(const struct cli_command *command, size_t count, char **words, size_t *i,
                                 struct cli_args *args, struct bst_error *err)
{
    const char *word = words[*i];
    for (const char *c = word + 1; *c; c++) {
        const struct cli_option *option = find_option(command, "", 0, *c);
        if (!option) return unknown_option(command, word, word + 1, strlen(word + 1), err);
        if (!option->argument) {
            give(args, option, "");
            continue;
        }
        if (c[1]) {
            give(args, option, c[1] == '=' ? c + 2 : c + 1);
            return BST_OK;
        }
        return take_value(option, word, count, words, i, args, err);
    }
    return BST_OK;
}

static enum bst_code check_operands(const struct cli_args *args, struct bst_error *err)
{
    const struct cli_command *command = args->command;
    if (args->operand_count < command->least)
        bst_fail(err, BST_USAGE, "%s needs more: blindstamp %.*s", command->name,
                 (int)strcspn(command->usage, "\n"), command->usage);
    else if (args->operand_count > command->most)
        bst_fail(err, BST_USAGE, "%s does not know what to do with \"%s\"", command->name,
                 args->operands[command->most]);
    else
        return BST_OK;
    return bst_hint(err, "blindstamp help %s shows an example", command->name);
}

enum bst_code cli_args_parse(const struct cli_command *command, size_t count, char **words,
                             struct cli_args *out, struct bst_error *err)
{
    /* Grouped switches give more than one option a word: room for every letter of every word. */
    size_t room = 1;
    for (size_t i = 0; i < count; i++)
        room += strlen(words[i]) + 1;
    *out = (struct cli_args){.command = command};
    out->given = bst_calloc(room, sizeof *out->given);
    out->operands = bst_calloc(count + 1, sizeof *out->operands);
    enum bst_code code = out->given && out->operands ? BST_OK : bst_fail_memory(err);

    bool options_ended = false;
    for (size_t i = 0; code == BST_OK && i < count; i++) {
        const char *word = words[i];
        if (options_ended || word[0] != '-' || !word[1])
            out->operands[out->operand_count++] = word;
        else if (!strcmp(word, "--"))
            options_ended = true;
        else if (word[1] == '-')
            code = parse_long(command, count, words, &i, out, err);
        else
            code = parse_short(command, count, words, &i, out, err);
    }
    if (code == BST_OK && !cli_has(out, "help")) code = check_operands(out, err);
    if (code != BST_OK) cli_args_clear(out);
    return code;
}

void cli_args_clear(struct cli_args *args)
{
    free(args->given);
    free(args->operands);
    *args = (struct cli_args){0};
}

const char *cli_nth(const struct cli_args *args, const char *name, size_t n)
{
    for (size_t i = 0; i < args->given_count; i++)
        if (!strcmp(args->given[i].option->name, name) && n-- == 0) return args->given[i].value;
    return NULL;
}

const char *cli_value(const struct cli_args *args, const char *name)
{
    for (size_t i = args->given_count; i-- > 0;)
        if (!strcmp(args->given[i].option->name, name)) return args->given[i].value;
    return NULL;
}

bool cli_has(const struct cli_args *args, const char *name)
{
    return cli_value(args, name) != NULL;
}

enum bst_code cli_number(const struct cli_args *args, const char *name, uint64_t low, uint64_t high,
                         uint64_t *out, struct bst_error *err)
{
    const char *text = cli_value(args, name);
    uint64_t value;
    if (!text) return BST_OK;
    if (bst_parse_u64(text, &value) && value >= low && value <= high) {
        *out = value;
        return BST_OK;
    }
    return bst_fail(err, BST_USAGE, "--%s must be a whole number from %llu to %llu, not \"%s\"", name,
                    (unsigned long long)low, (unsigned long long)high, text);
}

enum bst_code cli_fraction(const struct cli_args *args, const char *name, double low, double high,
                           double *out, struct bst_error *err)
{
    const char *text = cli_value(args, name);
    double value;
    if (!text) return BST_OK;
    if (bst_parse_double(text, &value) && value >= low && value <= high) {
        *out = value;
        return BST_OK;
    }
    return bst_fail(err, BST_USAGE, "--%s must be a number from %g to %g, not \"%s\"", name, low, high, text);
}

enum bst_code cli_size(const struct cli_args *args, const char *name, uint32_t *width, uint32_t *height,
                       struct bst_error *err)
{
    const char *text = cli_value(args, name);
    if (!text) return BST_OK;
    size_t left = strcspn(text, "xX");
    char *first = bst_format("%.*s", (int)(left < 20 ? left : 20), text);
    uint64_t w = 0, h = 0;
    bool good = first && text[left] && bst_parse_u64(first, &w) && bst_parse_u64(text + left + 1, &h);
    free(first);
    if (!good) {
        bst_fail(err, BST_USAGE, "--%s \"%.40s\" is not WIDTHxHEIGHT", name, text);
        return bst_hint(err, "--%s 768x512", name);
    }
    if (w < 1 || h < 1 || w > BST_IMAGE_MAX_SIDE || h > BST_IMAGE_MAX_SIDE || w * h > BST_IMAGE_MAX_PIXELS)
        return bst_fail(err, BST_USAGE,
                        "a picture of %llu x %llu pixels is not possible: sides go from 1 to %u, %u "
                        "megapixels in all",
                        (unsigned long long)w, (unsigned long long)h, BST_IMAGE_MAX_SIDE,
                        BST_IMAGE_MAX_PIXELS >> 20);
    *width = (uint32_t)w;
    *height = (uint32_t)h;
    return BST_OK;
}

enum bst_code cli_memory(const struct cli_args *args, const char *name, size_t *out, struct bst_error *err)
{
    static const char units[] = "KMGT";
    const char *text = cli_value(args, name);
    char number[32] = "";
    double value = 0, unit = 1;
    if (!text) return BST_OK;
    size_t digits = strspn(text, "0123456789.");
    const char *rest = text + digits, *letter = *rest ? strchr(units, *rest & ~0x20) : NULL;
    for (const char *u = units; letter && u <= letter; u++)
        unit *= 1024;
    if (letter) rest++;
    if (letter && *rest == 'i') rest++;
    if (*rest == 'B') rest++;
    if (digits < sizeof number) memcpy(number, text, digits);
    if (*rest || !bst_parse_double(number, &value) || !(value * unit >= 1) || value * unit > 0x1p60)
        return bst_fail(err, BST_USAGE, "--%s must be a number of bytes such as 900M or 2G, not \"%.40s\"",
                        name, text);
    *out = (size_t)(value * unit);
    return BST_OK;
}

enum bst_code cli_c2pa_format(const struct cli_args *args, enum bst_c2pa_format *out, struct bst_error *err)
{
    static const char *const names[] = {
        [BST_C2PA_OURS] = "ours", [BST_C2PA_CRJSON] = "crjson", [BST_C2PA_C2PATOOL] = "c2patool"};
    const char *name = cli_value(args, "format");
    *out = BST_C2PA_OURS;
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i])) continue;
        *out = (enum bst_c2pa_format)i;
        return BST_OK;
    }
    if (!name) return BST_OK;
    bst_fail(err, BST_USAGE, "--format %s is none of ours, crjson, c2patool", name);
    return bst_hint(err, "crjson and c2patool are JSON documents of the manifests; ours is our own report");
}

enum bst_code cli_privacy(const struct cli_args *args, enum bst_privacy *out, struct bst_error *err)
{
    static const char *const names[] = {
        [BST_PUBLIC] = "public", [BST_PARTNER] = "partner", [BST_PRIVATE] = "private"};
    const char *privacy = cli_value(args, "privacy");
    *out = BST_PUBLIC;
    if (!privacy) return BST_OK;
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(privacy, names[i])) continue;
        *out = (enum bst_privacy)i;
        return BST_OK;
    }
    bst_fail(err, BST_USAGE, "--privacy is public, partner or private, not \"%.40s\"", privacy);
    return bst_hint(err, "blindstamp help %s says what each discloses", args->command->name);
}
