/* cmd_show.c - blindstamp show: all that a file says about itself, nothing judged. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const struct cli_option options[] = {CLI_FORMAT_OPTION, {0}};

#define SHOW_DEPTH 32
#define SHOW_TEXT  400 /* longer values are cut; --json has them whole */

static void print_value(const json_t *value, int depth);

static void print_scalar(const json_t *value)
{
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        size_t len = json_string_length(value);
        char *safe = bst_printable(text, len < SHOW_TEXT ? len : SHOW_TEXT);
        printf("%s%s", safe ? safe : "?", len > SHOW_TEXT ? " ... (--json shows all)" : "");
        free(safe);
    } else if (json_is_integer(value)) {
        printf("%lld", (long long)json_integer_value(value));
    } else if (json_is_real(value)) {
        printf("%.9g", json_real_value(value));
    } else {
        fputs(json_is_true(value) ? "yes" : json_is_false(value) ? "no" : "unknown", stdout);
    }
}

static bool is_scalar(const json_t *value)
{
    return !json_is_object(value) && !json_is_array(value);
}

/* "name: value" when the value fits on the line, else the value indented below its name. */
static void print_member(const char *name, const json_t *value, int depth)
{
    printf("%*s", depth * 2, "");
    cli_text(stdout, name);
    fputs(":", stdout);
    if (is_scalar(value)) {
        fputc(' ', stdout);
        print_scalar(value);
        fputc('\n', stdout);
    } else if (json_object_size(value) + json_array_size(value) == 0) {
        fputs(" none\n", stdout);
    } else {
        fputc('\n', stdout);
        print_value(value, depth + 1);
    }
}

static void print_value(const json_t *value, int depth)
{
    const char *key;
    json_t *member;
    size_t i;
    char number[24];
    if (depth > SHOW_DEPTH) return;
    if (json_is_object(value)) {
        json_object_foreach((json_t *)value, key, member) print_member(key, member, depth);
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, member)
        {
            snprintf(number, sizeof number, "%zu", i);
            print_member(number, member, depth);
        }
    }
}

/* One line a segment; a run of the same type (a picture's IDAT chunks) is one line. */
static void print_container(const json_t *list)
{
    for (size_t i = 0, count; i < json_array_size(list); i += count) {
        const json_t *first = json_array_get(list, i);
        const char *type = bst_json_text(first, "type");
        json_int_t bytes = 0;
        for (count = 0; i + count < json_array_size(list); count++) {
            const json_t *segment = json_array_get(list, i + count);
            if (strcmp(bst_json_text(segment, "type"), type) != 0) break;
            bytes += json_integer_value(json_object_get(segment, "bytes"));
        }
        printf("  ");
        cli_text(stdout, type);
        if (count > 1) printf(" x %zu", count);
        printf(" at byte %lld, %lld bytes\n", (long long)json_integer_value(json_object_get(first, "start")),
               (long long)bytes);
    }
}

static void print_sections(const json_t *all)
{
    static const struct {
        const char *key, *title;
    } sections[] = {{"file", "File"},
                    {"container", "Container"},
                    {"metadata", "Metadata (not protected by itself)"},
                    {"aigc", "Label for AI content in China (GB 45438-2025)"},
                    {"ingredients", "Made from, as the manifest tells it"},
                    {"manifest", "C2PA manifest"},
                    {"statement", "Signed statement"},
                    {"receipt", "Ledger receipt"}};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        const json_t *section = json_object_get(all, sections[i].key);
        if (!section || (!strcmp(sections[i].key, "aigc") && json_is_null(section))) continue;
        printf("%s%s%s%s\n", i ? "\n" : "", cli_colour(stdout, CLI_BOLD), sections[i].title,
               cli_colour(stdout, CLI_PLAIN));
        if (!strcmp(sections[i].key, "container"))
            print_container(section);
        else if (json_array_size(section))
            cli_ingredients(section, false, 2);
        else if (json_is_array(section))
            printf("  nothing that it names\n");
        else if (json_is_null(section))
            printf("  none\n");
        else if (is_scalar(section)) {
            printf("  ");
            print_scalar(section);
            printf("\n");
        } else
            print_value(section, 1);
    }
}

static enum bst_code shut_in(const char *path, struct bst_error *err)
{
    struct cli_sandbox sandbox = {0};
    cli_sandbox_read_pictures(&sandbox, path);
    enum bst_code code = cli_sandbox_enter(&sandbox, false, err);
    cli_sandbox_clear(&sandbox);
    return code;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    json_t *all = NULL;
    const char *path = args->operands[0];
    enum bst_c2pa_format format = BST_C2PA_OURS;
    enum bst_code code = cli_c2pa_format(args, &format, err);
    bool ours = format == BST_C2PA_OURS;
    if (code == BST_OK) code = shut_in(path, err);
    if (code == BST_OK) code = ours ? bst_show(path, &all, err) : bst_show_manifests(path, format, &all, err);
    if (code != BST_OK) return code;
    if (!ours || cli_has(args, "json"))
        code = cli_json(all, true, err);
    else
        print_sections(all);
    json_decref(all);
    return code;
}

const struct cli_command cmd_show = {
    .name = "show",
    .summary = "show all that a file says about itself, nothing judged",
    .usage = "show [--format FORM] FILE",
    .details =
        "Container, EXIF, XMP and text, what the picture was made from, the C2PA manifest, the signed\n"
        "statement and the ledger receipt. Nothing is checked here: \"blindstamp verify\" says what can be\n"
        "believed. In the forms of other programs there are the manifests alone, as somebody judges them "
        "who\n"
        "trusts nobody.",
    .options = options,
    .examples = "blindstamp show picture.png\nblindstamp show --json picture.png | jq .statement\n"
                "blindstamp show --format crjson picture.png",
    .least = 1,
    .most = 1,
    .run = run,
};
