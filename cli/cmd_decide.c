/* cmd_decide.c - blindstamp decide: a person's part in a picture, what was chosen, edited, put together. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define WHY_MAX  10000
#define TOOL_MAX 300

static const struct cli_option options[] = {
    {"select", 0, "FILE", "this picture was chosen; --among names those that it was chosen from", false},
    {"among", 0, "FILE", "files and folders that stood for choice; more may follow without the option", true},
    {"edit", 0, "FILE", "this picture was edited by hand; the result follows", false},
    {"arrange", 0, "FILE", "this picture was put together; --from names its parts", false},
    {"from", 0, "FILE", "files and folders that it was put together from; more may follow", true},
    {"why", 0, "TEXT", "the reason, in your own words", false},
    {"tool", 0, "NAME", "the program or tool that was used", false},
    CLI_PRIVACY_OPTION,
    CLI_PASSPHRASE_OPTION,
    {0},
};

static const struct {
    const char *name, *others; /* options: the picture, and those that it was chosen among or made from */
    const char *words;
} acts[] = {[BST_ACT_SELECT] = {"select", "among", "was chosen among"},
            [BST_ACT_EDIT] = {"edit", NULL, "was edited from"}, /* --edit BEFORE AFTER: an operand */
            [BST_ACT_ARRANGE] = {"arrange", "from", "was put together from"}};

/* ---- pictures ---- */

struct gathering {
    const struct cli_args *args;
    const struct bst_picture_ref *chosen; /* which does not stand among the others */
    size_t count, room;
    struct bst_picture_ref *pictures;
    struct cli_progress progress;
    struct bst_error *err;
};

static bool gather(void *arg, const char *path)
{
    struct gathering *all = arg;
    struct bst_picture_ref picture;
    if (!cli_progress_step(&all->progress, all->count, 0)) {
        bst_fail(all->err, BST_FAILURE, "interrupted");
        return false;
    }
    if (bst_picture_read(path, &picture, all->err) != BST_OK) return false;
    if (memcmp(picture.sha256, all->chosen->sha256, sizeof picture.sha256) == 0) {
        bst_picture_clear(&picture);
        return true;
    }
    if (all->count == all->room) {
        size_t room = all->room ? 2 * all->room : 64;
        struct bst_picture_ref *grown = realloc(all->pictures, room * sizeof *grown);
        if (!grown) {
            bst_picture_clear(&picture);
            bst_fail_memory(all->err);
            return false;
        }
        all->pictures = grown;
        all->room = room;
    }
    all->pictures[all->count++] = picture;
    return true;
}

static enum bst_code gather_below(struct gathering *all, const char *path)
{
    enum bst_code code = cli_walk(path, CLI_ALL_PICTURES, gather, all, all->err);
    return all->err->what[0] ? all->err->code : code; /* gather's own failure */
}

/* Every value of the option, then the operands. */
static enum bst_code gather_all(struct gathering *all, const char *option, size_t operands)
{
    const struct cli_args *args = all->args;
    const char *path;
    enum bst_code code = BST_OK;
    cli_interrupt_catch();
    cli_progress_begin(&all->progress, "reading", args);
    for (size_t i = 0; code == BST_OK && (path = cli_nth(args, option, i)); i++)
        code = gather_below(all, path);
    for (size_t i = 0; code == BST_OK && i < operands; i++)
        code = gather_below(all, args->operands[i]);
    cli_progress_clear(&all->progress);
    return code;
}

/* ---- the decision ---- */

/* Exactly one of --select, --edit and --arrange. */
static enum bst_code read_act(const struct cli_args *args, enum bst_act *act, struct bst_error *err)
{
    size_t given = 0;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (!cli_has(args, acts[i].name)) continue;
        *act = (enum bst_act)i;
        given++;
    }
    if (given != 1) {
        bst_fail(err, BST_USAGE, "say what was done: one of --select, --edit and --arrange");
        return bst_hint(err, "blindstamp decide --select best.png --among drafts/");
    }
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (i != *act && acts[i].others && cli_has(args, acts[i].others))
            return bst_fail(err, BST_USAGE, "--%s belongs to --%s", acts[i].others, acts[i].name);
    if (acts[*act].others && !cli_has(args, acts[*act].others)) {
        bst_fail(err, BST_USAGE, "--%s needs --%s", acts[*act].name, acts[*act].others);
        return bst_hint(err, "blindstamp help decide shows how");
    }
    if (*act == BST_ACT_EDIT && args->operand_count != 1) {
        bst_fail(err, BST_USAGE, "--edit needs the picture before and the picture after");
        return bst_hint(err, "blindstamp decide --edit before.png after.png --tool GIMP");
    }
    return BST_OK;
}

static enum bst_code read_words(const struct cli_args *args, struct bst_decision *decision,
                                struct bst_error *err)
{
    decision->why = cli_value(args, "why");
    decision->tool = cli_value(args, "tool");
    enum bst_code code = cli_privacy(args, &decision->privacy, err);
    if (code == BST_OK && decision->why) code = cli_words("why", decision->why, WHY_MAX, true, err);
    if (code == BST_OK && decision->tool) code = cli_words("tool", decision->tool, TOOL_MAX, false, err);
    return code;
}

/* The picture that the decision is about, and the others. */
static enum bst_code read_pictures(const struct cli_args *args, struct bst_decision *decision,
                                   struct gathering *others, struct bst_error *err)
{
    bool edit = decision->act == BST_ACT_EDIT;
    const char *name = acts[decision->act].name;
    const char *path = edit ? args->operands[0] : cli_value(args, name);
    enum bst_code code = bst_picture_read(path, &decision->picture, err);
    if (code != BST_OK) return code;
    others->chosen = &decision->picture;
    code = edit ? gather_all(others, name, 0)
                : gather_all(others, acts[decision->act].others, args->operand_count);
    if (code == BST_OK && others->count == 0) {
        bst_fail(err, BST_USAGE,
                 edit ? "the picture before and the picture after are the same"
                      : "there is no other picture among those named");
        code = bst_hint(err, "name at least one picture that differs");
    }
    decision->others = others->pictures;
    decision->other_count = others->count;
    return code;
}

static enum bst_code record(const struct cli_args *args, struct bst_decision *decision, uint64_t *entry,
                            struct bst_error *err)
{
    struct bst_stamper *stamper = NULL;
    struct bst_secrets secrets = {0};
    struct bst_buf payload = {0};
    enum bst_code code = cli_author(args, &stamper, err);
    decision->decided_ms = bst_now_ms();
    if (code == BST_OK)
        code = bst_statement_decision(decision, bst_stamper_identity(stamper), &secrets, &payload, err);
    if (code == BST_OK) code = bst_stamp_statement(stamper, &payload, &secrets, entry, err);
    bst_secrets_clear(&secrets);
    bst_buf_free(&payload);
    bst_stamper_close(stamper);
    return code;
}

static enum bst_code say(const struct cli_args *args, const struct bst_decision *decision, uint64_t entry,
                         struct bst_error *err)
{
    if (cli_has(args, "json")) {
        char hex[BST_SHA256_HEX];
        bst_hex(decision->picture.sha256, BST_SHA256_LEN, hex);
        return cli_json_take(json_pack("{s:I, s:s, s:o, s:s, s:I}", "entry", (json_int_t)entry, "act",
                                       acts[decision->act].name, "file",
                                       cli_json_text(decision->picture.name), "sha256", hex, "others",
                                       (json_int_t)decision->other_count),
                             false, err);
    }
    printf("entry %llu: ", (unsigned long long)entry);
    cli_text(stdout, decision->picture.name);
    printf(" %s %zu other%s\n", acts[decision->act].words, decision->other_count,
           decision->other_count == 1 ? "" : "s");
    return BST_OK;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    struct bst_decision decision = {0};
    struct gathering others = {.args = args, .err = err};
    uint64_t entry = 0;
    enum bst_code code = read_act(args, &decision.act, err);
    if (code == BST_OK) code = read_words(args, &decision, err);
    if (code == BST_OK) code = read_pictures(args, &decision, &others, err);
    if (code == BST_OK) code = record(args, &decision, &entry, err);
    if (code == BST_OK) code = say(args, &decision, entry, err);
    for (size_t i = 0; i < others.count; i++)
        bst_picture_clear(&others.pictures[i]);
    free(others.pictures);
    bst_picture_clear(&decision.picture);
    return code;
}

const struct cli_command cmd_decide = {
    .name = "decide",
    .summary = "record what a person chose, edited or put together",
    .usage = "decide --select FILE --among FILE... [--why TEXT]\ndecide --edit BEFORE AFTER [--tool NAME]\n"
             "decide --arrange FILE --from FILE...",
    .details =
        "Writes a signed statement into the ledger: which pictures, by their digests, what was done with "
        "them\n"
        "and when. That is what a copyright office asks for: the human part in a picture that a model made.\n"
        "No picture is changed. Pictures made elsewhere count too.\n\n"
        "--privacy says what the signed entry discloses:\n"
        "  public   all of it\n"
        "  partner  --why only as a commitment; its words stay in your ledger and can be erased\n"
        "  private  --tool too, and the files' names not at all",
    .options = options,
    .examples = "blindstamp decide --select dots-7.png --among drafts/ --why \"the quietest of the series\"\n"
                "blindstamp decide --edit dots-7.png cover.png --tool \"GIMP 2.10\"\n"
                "blindstamp decide --arrange poster.png --from dots-7.png dots-9.png",
    .least = 0,
    .most = SIZE_MAX,
    .writes = true,
    .run = run,
};
