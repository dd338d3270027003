/* cmd_gen.c - blindstamp gen: makes pictures, stamps them and writes them in the ledger.
 *
 * Pictures are delivered in batches: each batch is one ledger transaction, and its files appear under their
 * names when it stands. What Ctrl-C or a failure finds complete is still delivered; of the rest nothing is
 * left. */
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gen_plan.h"

#define BATCH_COUNT   32
#define BATCH_SECONDS 20.0

static const struct cli_option options[] = {
    {"model", 'm', "NAME|FILE", "the model's name, or an ONNX file (required)", false},
    {"seed", 's', "SEEDS", "\"7\", \"1-24\", \"1,5,9-12\"; without it one is drawn", false},
    {"mix", 0, "SEED:W,...", "one picture out of several seeds, as 7:0.7,9:0.3", false},
    {"latent-generator", 0, "NAME", "philox, numpy-randomstate or torch-cpu instead of the model's own",
     false},
    {"size", 0, "WxH", "pixels, as the model allows; else the model's own size", false},
    {"style", 0, "NAME[:W],...", "one style, or a mixture: space:0.7,ink:0.3", false},
    {"label", 'l', "N|NAME", "class to make, by number or name; else the seed picks one", false},
    {"truncation", 't', "T", "0 (calm) to 1.5 (wild); 1 is as trained", false},
    {"tile", 0, NULL, "make a seamless tile", false},
    {"input", 'i', "FILE", "PNG, JPEG or WebP that the model starts from", false},
    {"title", 0, "TEXT", "the picture's title", false},
    {"prompt", 0, "TEXT", "what you had in mind; recorded, the model does not read it", false},
    {"description", 0, "TEXT", "what is to be seen, for people who cannot see it", false},
    CLI_PRIVACY_OPTION,
    CLI_NO_TRAIN_OPTION,
    CLI_LABEL_OPTIONS,
    {"no-thumbnail", 0, NULL, "do not show the picture, made small, in its manifest", false},
    {"output", 'o', "DIR", "folder for the pictures (default: this one)", false},
    {"name", 0, "PATTERN", "file name with {model}, {seed}, {n}, {input} (default {model}-{seed}.png)",
     false},
    {"force", 'f', NULL, "replace files that exist", false},
    {"threads", 0, "N", "processors to use (default: all); the pixels do not depend on it", false},
    {"memory", 0, "SIZE", "memory that may be taken, as 900M or 2G (default: what is free)", false},
    {"tile-size", 0, "N",
     "make each picture in tiles of at most N x N pixels; the pixels do not depend on it", false},
    {"compression", 0, "1-9", "PNG compression: 1 fast, 9 small", false},
    CLI_TSA_OPTION,
    CLI_STAPLE_OPTION,
    CLI_PASSPHRASE_OPTION,
    {0},
};

struct job {
    const struct cli_args *args;
    const struct bst_model *model;
    const struct gen_plan *plan;
    struct bst_generator *generator;
    struct bst_stamper *stamper;
    struct cli_progress progress;
    json_t *array; /* with --json: what was delivered */
    size_t delivered;
    struct bst_tiling tiling; /* of the pictures, all of one size */
    size_t next;              /* seed whose picture is looked for first when one is delivered */
};

static bool in_tiles(const struct job *job)
{
    return job->tiling.columns * job->tiling.rows > 1;
}

/* How much of the work went into overlaps. */
static json_t *tiling_json(const struct bst_tiling *t)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:f}", "columns", (json_int_t)t->columns, "rows",
                     (json_int_t)t->rows, "width", (json_int_t)t->width, "height", (json_int_t)t->height,
                     "overhead", t->overhead);
}

static void delivered(void *arg, const struct bst_stamped *stamped)
{
    struct job *job = arg;
    const struct gen_plan *plan = job->plan;
    size_t i = job->next;
    while (i < plan->seeds.count && strcmp(plan->paths[i], stamped->path))
        i++;
    job->next = i + 1;
    job->delivered++;
    cli_progress_clear(&job->progress);
    if (job->array) {
        char seed[24];
        snprintf(seed, sizeof seed, "%llu",
                 (unsigned long long)(i < plan->seeds.count ? plan->seeds.seed[i] : 0));
        json_t *item = json_pack("{s:o, s:s, s:I, s:s, s:s}", "file", cli_json_text(stamped->path), "seed",
                                 seed, "entry", (json_int_t)stamped->index, "image_id", stamped->image_id,
                                 "model", plan->model_name);
        if (in_tiles(job)) json_object_set_new(item, "tiles", tiling_json(&job->tiling));
        json_array_append_new(job->array, item);
        return;
    }
    fputs(stamped->path, stdout);
    if (!cli_has(job->args, "quiet")) printf("  entry %llu", (unsigned long long)stamped->index);
    fputc('\n', stdout);
    fflush(stdout);
}

/* One picture on its way from the generator into its file. */
struct stamping {
    struct job *job;
    size_t index; /* of its seed */
    struct bst_image image;
    struct bst_used used;
    uint64_t mix_seeds[BST_MIX_MAX];
    float mix_weights[BST_MIX_MAX];
    struct bst_generation generation;
    pthread_t thread;
    bool running;
    enum bst_code code;
    struct bst_error err;
};

static void describe_seeds(struct stamping *s)
{
    const struct bst_used *used = &s->used;
    struct bst_generation *out = &s->generation;
    if (used->latent != BST_LATENT_PHILOX) out->latent_generator = bst_latent_name(used->latent);
    if (used->mix_count < 2) return;
    for (size_t i = 0; i < used->mix_count; i++) {
        s->mix_seeds[i] = used->mix[i].seed;
        s->mix_weights[i] = used->mix[i].weight;
    }
    out->mix_count = used->mix_count;
    out->mix_seeds = s->mix_seeds;
    out->mix_weights = s->mix_weights;
}

/* What the statement says of one picture. Strings are borrowed from the plan and the card. */
static void describe(const struct job *job, uint64_t seed, struct stamping *s)
{
    const struct gen_plan *plan = job->plan;
    const struct bst_used *used = &s->used;
    struct bst_generation *out = &s->generation;
    *out = (struct bst_generation){
        .model_name = plan->model_name,
        .model_title = plan->card->title,
        .model_license = plan->card->license,
        .model_bytes = bst_model_bytes(job->model),
        .seed = seed,
        .seedless = !bst_card_draws(plan->card),
        .width = used->width,
        .height = used->height,
        .truncation = used->truncation,
        .tile = used->tile,
        .has_label = used->has_label,
        .label = used->label,
        .style_count = used->style_count,
        .style_names = (const char *const *)plan->card->styles,
        .style_weights = used->style_weight,
        .prompt = plan->prompt,
        .title = plan->title,
        .description = plan->description,
        .arith = BST_ARITH,
        .privacy = plan->privacy,
    };
    bst_model_digest(job->model, out->model_sha256);
    out->weights_count = plan->weights_count;
    out->weights = plan->weights;
    out->card_name = plan->card_name;
    memcpy(out->card_sha256, plan->card->digest, BST_SHA256_LEN);
    if (!plan->has_input) return;
    out->input_name = plan->input_name;
    out->input_path = cli_value(job->args, "input");
    memcpy(out->input_sha256, plan->input_sha256, BST_SHA256_LEN);
    memcpy(out->input_pixels_sha256, plan->input_pixels_sha256, BST_SHA256_LEN);
}

static enum bst_code make(struct job *job, size_t i, struct stamping *out, struct bst_error *err)
{
    struct bst_controls controls = job->plan->controls;
    *out = (struct stamping){.job = job, .index = i};
    controls.seed = job->plan->seeds.seed[i];
    cli_progress_piece(&job->progress, i, job->plan->seeds.count);
    int64_t started = bst_now_ms();
    enum bst_code code = bst_generate(job->generator, &controls, &out->image, &out->used, err);
    if (code != BST_OK) return code;
    bst_generator_tiling(job->generator, &job->tiling);
    describe(job, controls.seed, out);
    describe_seeds(out);
    out->generation.started_ms = started;
    out->generation.finished_ms = bst_now_ms();
    return BST_OK;
}

static void *stamp(void *arg)
{
    struct stamping *s = arg;
    const struct gen_plan *plan = s->job->plan;
    s->code = bst_stamp_add(s->job->stamper, &s->image, plan->paths[s->index], plan->force, &s->generation,
                            &s->err);
    bst_image_clear(&s->image);
    return NULL;
}

/* Encoding and signing keep one processor busy: meanwhile the next picture is made, unless memory is so tight that one
 * is made in tiles. */
static void stamp_start(struct stamping *s)
{
    s->running = !in_tiles(s->job) && pthread_create(&s->thread, NULL, stamp, s) == 0;
    if (!s->running) stamp(s);
}

static enum bst_code stamp_wait(struct stamping *s, struct bst_error *err)
{
    if (s->running) pthread_join(s->thread, NULL);
    s->running = false;
    if (s->code != BST_OK) *err = s->err;
    return s->code;
}

/* A batch is full by count or by age, so that neither a crash nor Ctrl-C costs much. */
static bool batch_full(const struct job *job, double start)
{
    return bst_stamp_pending(job->stamper) >= BATCH_COUNT || bst_monotonic_s() - start > BATCH_SECONDS;
}

/* While one slot is being stamped, the other is being made. */
static enum bst_code make_all(struct job *job, struct bst_error *err)
{
    struct stamping slot[2] = {0};
    struct bst_error late = {0};
    double batch_start = bst_monotonic_s();
    enum bst_code code = BST_OK;
    size_t i = 0;
    for (; i < job->plan->seeds.count && code == BST_OK && !cli_interrupted(); i++) {
        struct stamping *now = &slot[i % 2], *before = &slot[(i + 1) % 2];
        code = make(job, i, now, err);
        if (stamp_wait(before, &late) != BST_OK && code == BST_OK) {
            *err = late;
            code = late.code;
        }
        if (code == BST_OK && batch_full(job, batch_start)) {
            code = bst_stamp_commit(job->stamper, delivered, job, err);
            batch_start = bst_monotonic_s();
        }
        if (code == BST_OK)
            stamp_start(now);
        else
            bst_image_clear(&now->image);
    }
    /* Complete pictures are delivered whatever stopped the rest; the first failure is the one reported. */
    for (size_t s = 0; s < 2; s++) {
        if (stamp_wait(&slot[s], &late) == BST_OK || code != BST_OK) continue;
        *err = late;
        code = late.code;
    }
    if (bst_stamp_pending(job->stamper) && bst_stamp_commit(job->stamper, delivered, job, &late) != BST_OK &&
        code == BST_OK) {
        *err = late;
        code = late.code;
    }
    return code;
}

static enum bst_code finish(struct job *job, enum bst_code code, double seconds, struct bst_error *err)
{
    size_t count = job->plan->seeds.count;
    cli_progress_clear(&job->progress);
    if (job->array) {
        struct bst_error late = {0};
        if (cli_json(job->array, true, &late) != BST_OK && code == BST_OK) {
            *err = late;
            code = late.code;
        }
    }
    bool stopped =
        code == BST_OK || !strcmp(err->what, "interrupted"); /* and not by a failure of another kind */
    if (cli_interrupted() && stopped && job->delivered < count) {
        *err = (struct bst_error){0};
        bst_fail(err, BST_FAILURE, "interrupted: %zu of %zu pictures were made and stand in the ledger",
                 job->delivered, count);
        return bst_hint(err, "nothing of the others was left behind");
    }
    if (code != BST_OK && job->delivered)
        cli_note("%zu of %zu pictures were made before this:", job->delivered, count);
    if (code == BST_OK && count > 1 && !job->array && !cli_has(job->args, "quiet"))
        cli_note("%zu pictures in %.1f s", count, seconds);
    if (code == BST_OK && in_tiles(job) && !job->array && !cli_has(job->args, "quiet"))
        cli_note("made in %zu x %zu tiles of %u x %u pixels; overlaps cost %.0f%%", job->tiling.columns,
                 job->tiling.rows, job->tiling.width, job->tiling.height, job->tiling.overhead * 100);
    return code;
}

static enum bst_code work(struct job *job, const char *home, struct bst_error *err)
{
    enum bst_code code = cli_stamper(job->args, home, job->plan->png_level,
                                     !cli_has(job->args, "no-thumbnail"), &job->stamper, err);
    cli_interrupt_catch();
    cli_progress_begin(&job->progress, "making", job->args);
    const struct bst_run_options run = {.threads = job->plan->threads,
                                        .memory = bst_memory_left(job->plan->memory),
                                        .tile_side = job->plan->tile_side,
                                        .progress = cli_progress_step,
                                        .progress_arg = &job->progress};
    if (code == BST_OK) code = bst_generator_new(job->model, &run, &job->generator, err);
    if (code == BST_OK && cli_has(job->args, "json") && !(job->array = json_array()))
        code = bst_fail_memory(err);
    if (code == BST_OK) {
        double start = bst_monotonic_s();
        code = make_all(job, err);
        code = finish(job, code, bst_monotonic_s() - start, err);
    }
    json_decref(job->array);
    bst_generator_free(job->generator);
    bst_stamper_close(job->stamper);
    return code;
}

static enum bst_code run(const struct cli_args *args, struct bst_error *err)
{
    const char *name = cli_value(args, "model");
    if (!name) {
        bst_fail(err, BST_USAGE, "gen needs to know the model");
        return bst_hint(err, "blindstamp models lists them; then: blindstamp gen -m NAME");
    }
    char *home = NULL;
    struct cli_places places = {0};
    struct bst_model *model = NULL;
    struct gen_plan plan = {0};
    enum bst_code code = cli_home(args, true, &home, err);
    if (code == BST_OK) code = cli_places_find(home, &places, err);
    if (code == BST_OK) code = cli_model_open(&places, name, &model, err);
    if (code == BST_OK) code = gen_plan_make(args, model, &plan, err);
    if (code == BST_OK && plan.privacy == BST_PRIVATE && !cli_has(args, "name") && !cli_has(args, "quiet"))
        cli_note("the files' names show model and seed; --name \"work-{n}.png\" would not");
    if (code == BST_OK) {
        struct job job = {.args = args, .model = model, .plan = &plan};
        code = work(&job, home, err);
    }
    gen_plan_clear(&plan);
    bst_model_free(model);
    cli_places_clear(&places);
    free(home);
    return code;
}

const struct cli_command cmd_gen = {
    .name = "gen",
    .summary = "make pictures, stamp them and write them in the ledger",
    .usage = "gen -m MODEL [--seed SEEDS] [--size WxH] [--style NAME:WEIGHT,...] [-o DIR]",
    .details =
        "One picture a seed; the same model, seed and controls make the same pixels on every machine. Each "
        "file\n"
        "carries a signed C2PA manifest, EXIF, XMP and PNG text, and the proof of its entry in your ledger.\n"
        "\n"
        "--privacy says what the file and the signed entry disclose:\n"
        "  public    everything: title, prompt, description, model, seed, controls\n"
        "  partner   model, seed and controls; the words only as commitments that you can open later\n"
        "  private   also seeds, label, styles, controls and file name only as commitments; no thumbnail, "
        "and\n"
        "            nothing of an input picture and its credentials\n"
        "Author, AI mark, model and size are always open. What is kept back stays in your own ledger.\n"
        "\n"
        "A picture that does not fit the memory is made in tiles, which overlap by what the network looks "
        "at, and\n"
        "comes out the same. Networks that take means over the whole picture cannot work so; the error says "
        "it.\n"
        "\n"
        "Ctrl-C stops after the pictures that are complete: they are delivered, nothing is left of the rest.",
    .options = options,
    .examples = "blindstamp models\nblindstamp gen -m MODEL --seed 1-24 --size 768x512 --title \"Night "
                "studies\" -o pictures",
    .least = 0,
    .most = 0,
    .writes = true,
    .run = run,
};
