/* cmd_sign.c - blindstamp sign: takes up pictures made elsewhere, stamps them and writes them in the ledger.
 *
 * Files are prepared several at once and delivered in batches, each of them one ledger transaction. A file that cannot be
 * signed is named, and the others go on. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define BATCH_COUNT 1000 /* pictures in one ledger transaction */
#define LINE_MAX_   8192

static const struct cli_option options[] = {
    {"output", 'o', "DIR", "folder for the stamped copies; the files themselves stay as they are", false},
    {"in-place", 0, NULL, "put the stamped files in the place of those given", false},
    {"sidecar", 0, NULL, "change no picture: write the manifest beside it, as NAME.c2pa", false},
    {"source-type", 0, "TYPE", "what you declare: generated, composite, edited, capture (default: unknown)",
     false},
    CLI_PRIVACY_OPTION,
    CLI_NO_TRAIN_OPTION,
    CLI_LABEL_OPTIONS,
    {"keep-metadata", 0, NULL,
     "write nothing into the file's own XMP and EXIF: what you declare is in the manifest alone", false},
    {"thumbnail", 0, NULL, "show the picture, made small, in its manifest: every pixel has to be decoded",
     false},
    {"no-pixels", 0, NULL,
     "record no digest of the pixels, which spares decoding them: the picture is then known by its bytes "
     "alone",
     false},
    {"accept-broken", 0, NULL, "also sign files whose own credentials do not hold, and record that", false},
    {"again", 0, NULL, "also sign files that carry your stamp already", false},
    {"force", 'f', NULL, "replace copies and sidecars that exist", false},
    {"jobs", 'j', "N", "files worked on at once (default: as many as processors)", false},
    CLI_TSA_OPTION,
    CLI_STAPLE_OPTION,
    CLI_PASSPHRASE_OPTION,
    {0},
};

/* A file to be signed. */
struct item {
    char *path, *output;
    struct bst_adopt *adopt;
    struct bst_error err; /* why it cannot be prepared */
};

struct job {
    const struct cli_args *args;
    struct bst_adopt_options options;
    const char *folder; /* --output */
    struct bst_stamper *stamper;
    struct bst_pool *pool;
    struct cli_progress progress;
    size_t count, cap;
    struct item *items;
    const char *root;        /* operand under which files are found at present */
    struct bst_error failed; /* of the gathering */
    size_t first;            /* of the batch at hand */
    size_t signed_, stamped_before, refused;
    size_t shows_words, unlabelled, unshown; /* of those signed */
    enum bst_code worst;
    json_t *array; /* with --json */
};

/* ---- gathering ---- */

/* DIR and the part of the path below the folder it was found in. */
static char *output_of(const struct job *job, const char *path)
{
    if (!job->folder) return bst_strdup(path);
    size_t len = strlen(job->root);
    const char *rest = !strncmp(path, job->root, len) ? path + len : "";
    while (*rest == '/')
        rest++;
    return bst_path_join(job->folder, *rest ? rest : bst_path_name(path));
}

static bool gather(void *arg, const char *path)
{
    struct job *job = arg;
    if (job->count == job->cap) {
        size_t cap = job->cap ? job->cap * 2 : 64;
        struct item *grown = realloc(job->items, cap * sizeof *grown);
        if (!grown) return bst_fail_memory(&job->failed) == BST_OK;
        job->items = grown;
        job->cap = cap;
    }
    struct item *item = &job->items[job->count++];
    *item = (struct item){.path = bst_strdup(path), .output = output_of(job, path)};
    if (!item->path || !item->output) return bst_fail_memory(&job->failed) == BST_OK;
    return !cli_interrupted();
}

static enum bst_code gather_one(struct job *job, const char *path, struct bst_error *err)
{
    size_t before = job->count;
    job->root = path;
    enum bst_code code = cli_walk(path, CLI_WITH_PIXELS, gather, job, err);
    if (code == BST_OK && job->failed.what[0]) {
        *err = job->failed;
        return err->code;
    }
    if (code == BST_OK && job->count == before && !cli_interrupted())
        return bst_fail(err, BST_USAGE, "there is no PNG, JPEG or WebP file in %s", path);
    return code;
}

/* One name a line on standard input. */
static enum bst_code gather_lines(struct job *job, struct bst_error *err)
{
    char line[LINE_MAX_];
    enum bst_code code = BST_OK;
    while (code == BST_OK && fgets(line, sizeof line, stdin)) {
        size_t len = strlen(line);
        if (len + 1 == sizeof line && line[len - 1] != '\n')
            return bst_fail(err, BST_USAGE, "a line of the list is longer than %zu bytes", sizeof line - 2);
        if (len && line[len - 1] == '\n') line[--len] = 0;
        if (len) code = gather_one(job, line, err);
    }
    if (code == BST_OK && ferror(stdin))
        code = bst_fail_errno(err, BST_FAILURE, "cannot read the list of files");
    return code;
}

static int by_output(const void *a, const void *b)
{
    return strcmp((*(const struct item *const *)a)->output, (*(const struct item *const *)b)->output);
}

/* Two files that would become one, and a file given twice, are found before anything is written. */
static enum bst_code check_names(const struct job *job, struct bst_error *err)
{
    const struct item **list = bst_calloc(job->count, sizeof(const struct item *));
    if (!list) return bst_fail_memory(err);
    for (size_t i = 0; i < job->count; i++)
        list[i] = &job->items[i];
    qsort(list, job->count, sizeof *list, by_output);
    enum bst_code code = BST_OK;
    for (size_t i = 1; i < job->count && code == BST_OK; i++) {
        if (strcmp(list[i - 1]->output, list[i]->output) != 0) continue;
        code = bst_fail(err, BST_USAGE, "%s and %s would both become %s", list[i - 1]->path, list[i]->path,
                        list[i]->output);
        bst_hint(err, "give each file once, or sign them in two runs with two folders");
    }
    free(list);
    return code;
}

static enum bst_code make_folders(const struct job *job, struct bst_error *err)
{
    enum bst_code code = BST_OK;
    for (size_t i = 0; i < job->count && code == BST_OK && job->folder; i++) {
        const char *output = job->items[i].output;
        char *folder = bst_format("%.*s", (int)(bst_path_name(output) - output), output);
        size_t len = folder ? strlen(folder) : 0;
        if (len > 1 && folder[len - 1] == '/') folder[len - 1] = 0;
        code = !folder ? bst_fail_memory(err) : bst_folder_make(*folder ? folder : ".", 0777, err);
        free(folder);
    }
    return code;
}

/* ---- signing ---- */

static void prepare(void *arg, size_t i, unsigned thread)
{
    struct job *job = arg;
    struct item *item = &job->items[job->first + i];
    (void)thread;
    if (cli_interrupted()) return;
    bst_adopt_prepare(job->stamper, item->path, item->output, &job->options, &item->adopt, &item->err);
}

static void refuse(struct job *job, const struct bst_error *err)
{
    cli_progress_clear(&job->progress);
    cli_error(err, cli_has(job->args, "json"));
    job->refused++;
    job->worst = bst_verdict_worse(job->worst, err->code);
}

static void delivered(void *arg, const struct bst_adopted *adopted)
{
    struct job *job = arg;
    if (adopted->problem) {
        refuse(job, adopted->problem);
        return;
    }
    job->signed_++;
    job->shows_words += adopted->shows_words;
    job->unlabelled += adopted->unlabelled;
    job->unshown += adopted->unshown;
    cli_progress_clear(&job->progress);
    if (job->array) {
        json_array_append_new(job->array,
                              json_pack("{s:o, s:o, s:I, s:s}", "file", cli_json_text(adopted->path),
                                        "source", cli_json_text(adopted->source), "entry",
                                        (json_int_t)adopted->index, "image_id", adopted->image_id));
        return;
    }
    cli_text(stdout, adopted->path);
    if (!cli_has(job->args, "quiet")) printf("  entry %llu", (unsigned long long)adopted->index);
    fputc('\n', stdout);
}

static enum bst_code sign_batch(struct job *job, size_t count, struct bst_error *err)
{
    struct bst_adopt **list = bst_calloc(count, sizeof(struct bst_adopt *));
    struct bst_error first = {0};
    if (!list) return bst_fail_memory(err);
    bst_pool_run(job->pool, count, prepare, job);
    for (size_t i = 0; i < count; i++) {
        struct item *item = &job->items[job->first + i];
        list[i] = item->adopt;
        if (item->err.what[0])
            refuse(job, &item->err);
        else if (!item->adopt && !cli_interrupted())
            job->stamped_before++;
    }
    size_t before = job->signed_ + job->refused;
    enum bst_code code = cli_interrupted()
                             ? BST_OK
                             : bst_adopt_commit(job->stamper, list, count, job->pool, delivered, job, &first);
    /* a failure of one file was reported with it; one of the whole batch is passed on */
    if (code != BST_OK && job->signed_ + job->refused == before) {
        *err = first;
    } else {
        code = BST_OK;
    }
    for (size_t i = 0; i < count; i++) {
        bst_adopt_free(list[i]);
        job->items[job->first + i].adopt = NULL;
    }
    free(list);
    return code;
}

static enum bst_code sign_all(struct job *job, struct bst_error *err)
{
    enum bst_code code = BST_OK;
    for (job->first = 0; job->first < job->count && code == BST_OK && !cli_interrupted();) {
        size_t count = job->count - job->first < BATCH_COUNT ? job->count - job->first : BATCH_COUNT;
        code = sign_batch(job, count, err);
        job->first += count;
        cli_progress_step(&job->progress, job->first, job->count);
    }
    cli_progress_clear(&job->progress);
    return code;
}

static enum bst_code finish(struct job *job, enum bst_code code, struct bst_error *err)
{
    struct bst_error late = {0};
    if (job->array && cli_json(job->array, true, &late) != BST_OK && code == BST_OK) {
        *err = late;
        return late.code;
    }
    bool talk = !job->array && !cli_has(job->args, "quiet");
    if (talk && job->stamped_before)
        cli_note("%zu of %zu carry your stamp already; --again would stamp them once more",
                 job->stamped_before, job->count);
    if (talk && job->shows_words)
        cli_note("%zu of them still show in their own metadata what the stamp keeps back", job->shows_words);
    if (talk && job->unlabelled)
        cli_note("%zu of them got no label: nothing says that AI made them, or another service's label stays",
                 job->unlabelled);
    if (talk && job->unshown)
        cli_note(
            "%zu of them got no thumbnail: they are too large for their kind of file to be read bit by bit",
            job->unshown);
    if (talk && job->count > 1) cli_note("%zu of %zu pictures signed", job->signed_, job->count);
    if (code == BST_OK && cli_interrupted()) {
        bst_fail(err, BST_FAILURE, "interrupted: %zu of %zu pictures were signed", job->signed_, job->count);
        return bst_hint(err, "nothing of the others was changed");
    }
    return code == BST_OK ? job->worst : code;
}

static enum bst_code read_options(struct job *job, struct bst_error *err)
{
    const struct cli_args *args = job->args;
    const char *source = cli_value(args, "source-type");
    int ways = (int)cli_has(args, "output") + (int)cli_has(args, "in-place") + (int)cli_has(args, "sidecar");
    if (ways != 1) {
        bst_fail(err, BST_USAGE,
                 ways ? "--output, --in-place and --sidecar contradict each other"
                      : "sign must be told where the stamp goes");
        return bst_hint(err,
                        "-o DIR makes copies, --in-place changes the files, --sidecar writes beside them");
    }
    job->folder = cli_value(args, "output");
    job->options = (struct bst_adopt_options){.sidecar = cli_has(args, "sidecar"),
                                              .force = cli_has(args, "force"),
                                              .accept_broken = cli_has(args, "accept-broken"),
                                              .again = cli_has(args, "again"),
                                              .pixels = !cli_has(args, "no-pixels"),
                                              .keep_metadata = cli_has(args, "keep-metadata")};
    bool unchanged = job->options.sidecar || job->options.keep_metadata;
    if (unchanged && cli_has(args, "profile")) {
        bst_fail(err, BST_USAGE, "China's label stands in the file's metadata, which is not to be changed");
        return bst_hint(err, "leave --profile out, or --%s",
                        job->options.sidecar ? "sidecar" : "keep-metadata");
    }
    if (cli_privacy(args, &job->options.privacy, err) != BST_OK) return err->code;
    if (!source || bst_source_known(source, &job->options.source)) return BST_OK;
    bst_fail(err, BST_USAGE, "there is no source type \"%.40s\"", source);
    return bst_hint(err, "generated, composite, edited, capture or unknown");
}

static enum bst_code work(struct job *job, struct bst_error *err)
{
    uint64_t jobs = 0;
    char *home = NULL;
    enum bst_code code = cli_number(job->args, "jobs", 1, 256, &jobs, err);
    for (size_t i = 0; i < job->args->operand_count && code == BST_OK; i++) {
        const char *operand = job->args->operands[i];
        code = strcmp(operand, "-") ? gather_one(job, operand, err) : gather_lines(job, err);
    }
    if (code == BST_OK && job->count == 0) code = bst_fail(err, BST_USAGE, "the list names no file");
    if (code == BST_OK && !job->options.sidecar) code = check_names(job, err);
    if (code == BST_OK) code = cli_home(job->args, true, &home, err);
    if (code == BST_OK) code = make_folders(job, err);
    if (code == BST_OK)
        code = cli_stamper(job->args, home, 0, cli_has(job->args, "thumbnail"), &job->stamper, err);
    if (code == BST_OK) code = bst_pool_new((unsigned)jobs, &job->pool, err);
    if (code == BST_OK && cli_has(job->args, "json") && !(job->array = json_array()))
        code = bst_fail_memory(err);
    if (code == BST_OK) {
        cli_progress_begin(&job->progress, "signing", job->args);
        code = sign_all(job, err);
        code = finish(job, code, err);
    }
    free(home);
    return code;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    struct job job = {.args = args};
    cli_interrupt_catch();
    enum bst_code code = read_options(&job, err);
    if (code == BST_OK) code = work(&job, err);
    for (size_t i = 0; i < job.count; i++) {
        free(job.items[i].path);
        free(job.items[i].output);
    }
    free(job.items);
    json_decref(job.array);
    bst_pool_free(job.pool);
    bst_stamper_close(job.stamper);
    return code;
}

const struct cli_command cmd_sign = {
    .name = "sign",
    .summary = "take up pictures made elsewhere and stamp them",
    .usage = "sign FILE|DIR... -o DIR\nsign FILE|DIR... --in-place\nsign FILE|DIR... --sidecar",
    .details =
        "The stamp says that you took up the picture now, and that it is unchanged since; it does not say\n"
        "that you made it, nor how it was made. What the file says of that (parameters of AUTOMATIC1111,\n"
        "ComfyUI, InvokeAI or NovelAI, EXIF, XMP) is quoted in the ledger as the file's word; --source-type\n"
        "adds what you declare it to be. PNG, JPEG and WebP; pixels stay as they are.\n"
        "\n"
        "What you ask to be said of the picture (--source-type, --no-train, --profile) is also written into "
        "its\n"
        "XMP and EXIF, where other programs look for it; everything else in them stays byte for byte, and "
        "so\n"
        "does the whole file's metadata when nothing is asked for, or with --keep-metadata or --sidecar.\n"
        "\n"
        "--privacy says what the stamp quotes of the file's words:\n"
        "  public    everything\n"
        "  partner   prompts only as commitments that you can open later\n"
        "  private   also seed, sampler, camera, time, artist and file name only as commitments\n"
        "It takes nothing out of the file itself, nor out of credentials that it came with.\n"
        "\n"
        "Credentials that a file came with are kept, byte for byte, as those of its parent. A file whose\n"
        "credentials do not hold is refused, and so is a sidecar beside credentials in the file.\n"
        "\n"
        "\"-\" reads the names of files from standard input, one a line. Every 1000 files are one batch of\n"
        "the ledger. What cannot be signed is named, and the others go on.",
    .options = options,
    .examples = "blindstamp sign photo.jpg --source-type capture --no-train -o signed\n"
                "find pictures -name '*.webp' | blindstamp sign --in-place -",
    .least = 1,
    .most = SIZE_MAX,
    .writes = true,
    .run = run,
};
