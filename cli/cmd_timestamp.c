/* cmd_timestamp.c - blindstamp timestamp: lets a time stamp authority say when a finished file was signed. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define ANSWER_MAX (1u << 20)

static const struct cli_option options[] = {
    {"output", 'o', "FILE.tsq", "request: write the request to FILE (required)", false},
    {"tsa", 0, "URL", "add: ask this authority (required)", false},
    {0},
};

static enum bst_code request(const struct cli_args *args, struct bst_error *err)
{
    const char *path = args->operands[1], *output = cli_value(args, "output");
    struct bst_buf der = {0};
    if (args->operand_count != 2 || !output) {
        bst_fail(err, BST_USAGE, "timestamp request needs one file, and -o for the request");
        return bst_hint(err, "blindstamp timestamp request picture.png -o picture.tsq");
    }
    enum bst_code code = bst_timestamp_ask(path, &der, err);
    if (code == BST_OK) code = bst_file_write(output, der.data, der.len, 0, err);
    bst_buf_free(&der);
    if (code != BST_OK) return code;
    if (cli_has(args, "json")) {
        code = cli_json_take(
            json_pack("{s:o, s:o}", "file", cli_json_text(path), "request", cli_json_text(output)), false,
            err);
    } else if (!cli_has(args, "quiet")) {
        printf("Have an authority answer it, for instance\n"
               "  curl -H 'Content-Type: application/timestamp-query' --data-binary @");
        cli_text(stdout, output);
        printf(" URL -o answer.tsr\nand then: blindstamp timestamp attach ");
        cli_text(stdout, path);
        printf(" answer.tsr\n");
    }
    return code;
}

static enum bst_code say(const struct cli_args *args, const char *path, const struct bst_timestamped *stamped,
                         struct bst_error *err)
{
    if (cli_has(args, "json")) {
        return cli_json_take(json_pack("{s:o, s:s, s:o}", "file", cli_json_text(path), "time", stamped->when,
                                       "authority", cli_json_text(stamped->authority)),
                             false, err);
    }
    if (cli_has(args, "quiet")) return BST_OK;
    cli_text(stdout, path);
    printf("  signed before %s, says ", stamped->when);
    cli_text(stdout, stamped->authority);
    printf("\n");
    return BST_OK;
}

static enum bst_code attach(const struct cli_args *args, struct bst_error *err)
{
    struct bst_buf answer = {0};
    struct bst_timestamped stamped;
    if (args->operand_count != 3) {
        bst_fail(err, BST_USAGE, "timestamp attach needs the file and the authority's answer");
        return bst_hint(err, "blindstamp timestamp attach picture.png answer.tsr");
    }
    enum bst_code code = bst_file_read(args->operands[2], ANSWER_MAX, &answer, err);
    if (code == BST_OK)
        code = bst_timestamp_attach(args->operands[1], answer.data, answer.len, &stamped, err);
    if (code == BST_OK) code = say(args, args->operands[1], &stamped, err);
    bst_buf_free(&answer);
    return code;
}

static enum bst_code add(const struct cli_args *args, struct bst_error *err)
{
    const char *url = cli_value(args, "tsa");
    enum bst_code code = BST_OK;
    if (!url || args->operand_count < 2) {
        bst_fail(err, BST_USAGE, "timestamp add needs files, and --tsa for the authority's address");
        return bst_hint(err, "blindstamp timestamp add picture.png --tsa http://timestamp.example");
    }
    for (size_t i = 1; code == BST_OK && i < args->operand_count; i++) {
        struct bst_timestamped stamped;
        code = bst_timestamp_add(args->operands[i], url, &stamped, err);
        if (code == BST_OK) code = say(args, args->operands[i], &stamped, err);
    }
    return code;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    static const char *const verbs[] = {"request", "attach", "add", NULL};
    static enum bst_code (*const runs[])(const struct cli_args *, struct bst_error *) = {request, attach,
                                                                                         add};
    size_t v;
    enum bst_code code = cli_verb(args, verbs, &v, err);
    return code == BST_OK ? runs[v](args, err) : code;
}

const struct cli_command cmd_timestamp = {
    .name = "timestamp",
    .summary = "have an authority say when a finished picture was signed",
    .usage = "timestamp request FILE -o FILE.tsq\ntimestamp attach FILE ANSWER.tsr\n"
             "timestamp add FILE... --tsa URL",
    .details =
        "A time stamp (RFC 3161) keeps a picture's signature good after the signer's certificate has "
        "expired:\n"
        "it proves that the signature was made while the certificate was valid.\n\n"
        "The picture must have been signed with --tsa later (or --tsa URL), which keeps room for it. "
        "Nothing\n"
        "but the manifest's unsigned part changes. request and attach work without a network: what goes to "
        "the\n"
        "authority is a digest of the signature. add sends it itself.\n\n"
        "Whether an authority is believed is for those to say who verify: blindstamp trust add --kind tsa.",
    .options = options,
    .examples = "blindstamp gen -m aquatint --tsa later\nblindstamp timestamp request aquatint-7.png -o "
                "aquatint-7.tsq\n"
                "blindstamp timestamp attach aquatint-7.png answer.tsr",
    .least = 2,
    .most = SIZE_MAX,
    .writes = true,
    .run = run,
};
