/* ingredients.c - what a picture was made from, in words: one line an ingredient, those of an ingredient below it. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define DEPTH_MAX 16

static bool is(const json_t *object, const char *key, const char *want)
{
    const char *text = bst_json_text(object, key);
    return text && !strcmp(text, want);
}

/* "opened picture a.png", "input picture a.png", "model Dots", "prompt: many dots" */
static void print_what(const json_t *item)
{
    const char *kind = bst_json_text(item, "kind"), *title = bst_json_text(item, "title");
    const char *text = bst_json_text(item, "text");
    if (is(item, "relationship", "parentOf")) fputs("opened ", stdout);
    if (is(item, "relationship", "componentOf")) fputs("composed of ", stdout);
    if (is(item, "relationship", "inputTo") && is(item, "kind", "picture")) fputs("input ", stdout);
    fputs(kind, stdout);
    if (title) {
        fputc(' ', stdout);
        cli_text(stdout, title);
    }
    if (text) {
        fputs(": ", stdout);
        cli_text(stdout, text);
    }
    bool words = !strcmp(kind, "prompt") || !strcmp(kind, "seed");
    if (words && !text)
        fputs(": not told", stdout);
    else if (!title && !text)
        fputs(", not named", stdout);
    if (!bst_json_text(item, "description")) return;
    fputs(" (", stdout);
    cli_text(stdout, bst_json_text(item, "description"));
    fputc(')', stdout);
}

/* Found when it went in, or so now. */
static void print_credentials(const json_t *item, bool now)
{
    const json_t *answer = json_object_get(item, now ? "now" : "found");
    const char *signer = bst_json_text(item, "signer"), *trust = bst_json_text(answer, "signer_trust");
    if (!answer) {
        if (is(item, "kind", "picture")) fputs("; without credentials", stdout);
        return;
    }
    bool altered = is(answer, "integrity", "altered");
    if (now)
        fputs(altered ? "; its credentials do not hold (" : "; its credentials hold, signed by ", stdout);
    else
        fputs(altered ? "; its credentials were found not to hold ("
                      : "; its credentials were found to hold, signed by ",
              stdout);
    cli_text(stdout, altered ? bst_json_text(answer, "code") : signer ? signer : "somebody unnamed");
    if (altered)
        fputc(')', stdout);
    else
        printf(" (%s)", trust);
}

static void print_list(const json_t *list, bool now, int indent, unsigned depth)
{
    size_t i;
    json_t *item;
    if (depth > DEPTH_MAX) return;
    json_array_foreach(list, i, item)
    {
        printf("%*s", indent, "");
        const char *problem = bst_json_text(item, "problem");
        if (problem) {
            cli_text(stdout, problem);
        } else {
            print_what(item);
            print_credentials(item, now);
        }
        fputc('\n', stdout);
        print_list(json_object_get(item, "ingredients"), now, indent + 2, depth + 1);
    }
}

void cli_ingredients(const json_t *list, bool now, int indent)
{
    print_list(list, now, indent, 0);
}
