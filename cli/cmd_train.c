/* cmd_train.c - blindstamp train: a data set of pictures -> a model, and a signed statement of how it came
 * about. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const struct cli_option options[] = {
    {"output", 'o', "MODEL.onnx", "the model to write (required)", false},
    {"root", 0, "DIR", "folder of the data set's pictures (default: the manifest's)", false},
    {"name", 0, "NAME", "the model's short name: a-z, 0-9 and dashes (default: the file's)", false},
    {"title", 0, "TEXT", "the model's title", false},
    {"license", 0, "SPDX", "the model's licence, as an SPDX identifier", false},
    {"seed", 's', "N", "seed of the training (default 1)", false},
    {"steps", 'n', "N", "training steps (default 20000)", false},
    {"hours", 0, "H", "stop after this long, with a finished model", false},
    {"batch", 0, "N", "pictures a step", false},
    {"crop", 0, "N", "side of the training crops in pixels", false},
    {"samples", 0, "DIR", "folder for sample sheets and checkpoints (default: beside the model)", false},
    {"resume", 0, NULL, "go on from the last checkpoint", false},
    {"threads", 0, "N", "processors to use (default: all)", false},
    {"force", 'f', NULL, "replace a model that exists", false},
    CLI_PASSPHRASE_OPTION,
    {0},
};

static void report_line(void *arg, const char *line)
{
    struct cli_progress *progress = arg;
    cli_progress_clear(progress);
    fputs(line, stderr);
    fputc('\n', stderr);
}

static enum bst_code read_options(const struct cli_args *args, struct bst_train_options *out,
                                  struct bst_error *err)
{
    uint64_t seed = 1, steps = 20000, batch = 0, crop = 0, threads = 0;
    double hours = 0;
    enum bst_code code = cli_number(args, "seed", 0, UINT64_MAX, &seed, err);
    if (code == BST_OK) code = cli_number(args, "steps", 1, 100000000, &steps, err);
    if (code == BST_OK) code = cli_number(args, "batch", 1, 256, &batch, err);
    if (code == BST_OK) code = cli_number(args, "crop", 16, 1024, &crop, err);
    if (code == BST_OK) code = cli_number(args, "threads", 1, 256, &threads, err);
    if (code == BST_OK) code = cli_fraction(args, "hours", 0, 100000, &hours, err);
    *out = (struct bst_train_options){
        .dataset = args->operands[0],
        .dataset_root = cli_value(args, "root"),
        .output = cli_value(args, "output"),
        .sample = cli_value(args, "samples"),
        .seed = seed,
        .steps = steps,
        .max_seconds = hours * 3600,
        .batch = (uint32_t)batch,
        .crop = (uint32_t)crop,
        .threads = (unsigned)threads,
        .resume = cli_has(args, "resume"),
        .title = cli_value(args, "title"),
        .license = cli_value(args, "license"),
    };
    static const char *const words[] = {"title", "license"};
    for (size_t i = 0; i < 2 && code == BST_OK; i++)
        if (cli_value(args, words[i])) code = cli_words(words[i], cli_value(args, words[i]), 300, false, err);
    return code;
}

/* The name for -m: given, or the file's without ".onnx". New memory. */
static enum bst_code model_name(const struct cli_args *args, char **out, struct bst_error *err)
{
    const char *given = cli_value(args, "name"), *path = cli_value(args, "output");
    size_t len = strlen(path);
    if (len < 6 || strcmp(path + len - 5, ".onnx"))
        return bst_fail(err, BST_USAGE, "-o must name a file ending in .onnx");
    const char *file = bst_path_name(path);
    char *name = given ? bst_strdup(given) : bst_format("%.*s", (int)(strlen(file) - 5), file);
    if (!name) return bst_fail_memory(err);
    if (!*name || strlen(name) > 60 || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")]) {
        bst_fail(err, BST_USAGE,
                 "\"%.60s\" cannot be a model's name: only a-z, 0-9 and dashes can stand in it", name);
        free(name);
        return bst_hint(err, "--name gives another");
    }
    *out = name;
    return BST_OK;
}

static enum bst_code log_training(struct bst_stamper *stamper, const char *name,
                                  const struct bst_train_result *result, uint64_t *index,
                                  struct bst_error *err)
{
    struct bst_training training = {.model_name = name,
                                    .dataset = result->dataset,
                                    .parameters = result->parameters,
                                    .started = result->started,
                                    .finished = result->finished};
    struct bst_buf payload = {0};
    memcpy(training.model_sha256, result->model_digest, BST_SHA256_LEN);
    enum bst_code code = bst_statement_training(&training, bst_stamper_identity(stamper), &payload, err);
    if (code == BST_OK) code = bst_stamp_statement(stamper, &payload, NULL, index, err);
    bst_buf_free(&payload);
    return code;
}

static enum bst_code report(const struct cli_args *args, const char *name,
                            const struct bst_train_result *result, uint64_t index, struct bst_error *err)
{
    char digest[BST_SHA256_HEX];
    bst_hex(result->model_digest, BST_SHA256_LEN, digest);
    if (!cli_has(args, "json")) {
        printf("Trained %s in %llu steps: %s\n  sha256  %s\n  entry   %llu\n", name,
               (unsigned long long)result->steps, cli_value(args, "output"), digest,
               (unsigned long long)index);
        return BST_OK;
    }
    return cli_json_take(json_pack("{s:s, s:o, s:s, s:I, s:s, s:s, s:I}", "model", name, "file",
                                   cli_json_text(cli_value(args, "output")), "sha256", digest, "steps",
                                   (json_int_t)result->steps, "started", result->started, "finished",
                                   result->finished, "entry", (json_int_t)index),
                         true, err);
}

static enum bst_code train(const struct cli_args *args, const char *home, struct bst_train_options *train,
                           struct bst_error *err)
{
    struct bst_stamper *stamper = NULL;
    struct bst_train_result result = {0};
    struct cli_progress progress;
    uint64_t index = 0;
    /* The passphrase is asked for now, not after hours. */
    enum bst_code code = cli_stamper(args, home, 0, false, &stamper, err);
    if (code != BST_OK) return code;
    cli_interrupt_catch();
    cli_progress_begin(&progress, "training", args);
    train->author = bst_stamper_identity(stamper)->name;
    train->progress = cli_progress_step;
    train->progress_arg = &progress;
    train->report = cli_has(args, "quiet") || cli_has(args, "json") ? NULL : report_line;
    code = bst_train(train, &result, err);
    cli_progress_clear(&progress);
    if (code == BST_OK) {
        code = log_training(stamper, train->name, &result, &index, err);
        if (code == BST_OK) code = report(args, train->name, &result, index, err);
        bst_train_result_clear(&result);
    }
    bst_stamper_close(stamper);
    return code;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    const char *output = cli_value(args, "output");
    struct bst_train_options options_read;
    char *home = NULL, *name = NULL;
    if (!output) {
        bst_fail(err, BST_USAGE, "train needs to know where the model goes");
        return bst_hint(err, "blindstamp train DATASET.json -o MODEL.onnx");
    }
    enum bst_code code = read_options(args, &options_read, err);
    if (code == BST_OK) code = model_name(args, &name, err);
    if (code == BST_OK && bst_file_exists(output) && !cli_has(args, "force") && !cli_has(args, "resume")) {
        code = bst_fail(err, BST_USAGE, "%s exists already", output);
        bst_hint(err, "--force replaces it, --resume goes on from its checkpoint");
    }
    if (code == BST_OK) code = cli_home(args, true, &home, err);
    options_read.name = name;
    if (code == BST_OK) code = train(args, home, &options_read, err);
    free(home);
    free(name);
    return code;
}

const struct cli_command cmd_train = {
    .name = "train",
    .summary = "train a model on a data set and sign how it came about",
    .usage = "train DATASET.json -o MODEL.onnx [--steps N] [--hours H] [--resume]",
    .details =
        "DATASET.json names every picture with its digest, licence, source and style; a picture that "
        "differs\n"
        "from its digest stops the training. Sample sheets and checkpoints are written as it goes; after "
        "Ctrl-C\n"
        "--resume goes on from the last one. The finished model is logged as a signed statement that lists\n"
        "every picture it learned from. Add it to your models with \"blindstamp model add\".",
    .options = options,
    .examples = "blindstamp train dataset.json -o ink.onnx --hours 6\nblindstamp model add ink.onnx",
    .least = 1,
    .most = 1,
    .writes = true,
    .run = run,
};
