/* train.c - bst_train: from a data set's manifest to a model file. The parts are listed in train_run.h. */
#include "train_blas.h"
#include "train_run.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPORT_STEPS 50
#define SAVE_SECONDS 180.0 /* between sample sheets with a checkpoint */
#define CROP_UNIT    16u   /* four strided convolutions */

struct clock { /* of one call */
    double start, saved, reported;
};

static enum bst_code read_settings(const struct bst_train_options *o, struct train_settings *s,
                                   struct bst_error *err)
{
    train_settings_default(s);
    if (o->batch) s->batch = o->batch;
    if (o->crop) s->crop = o->crop;
    if (o->steps) s->steps = o->steps;
    if (!o->dataset || !o->output)
        return bst_fail(err, BST_USAGE, "training needs a data set and an output file");
    if (s->batch % TRAIN_SHARD || s->batch > TRAIN_BATCH_MAX)
        return bst_fail(err, BST_USAGE, "the batch must be a multiple of %d up to %d, not %u", TRAIN_SHARD,
                        TRAIN_BATCH_MAX, s->batch);
    if (s->crop % CROP_UNIT || s->crop < 3 * CROP_UNIT || s->crop > TRAIN_CROP_MAX)
        return bst_fail(err, BST_USAGE, "the crop must be a multiple of %u from %u to %d, not %u", CROP_UNIT,
                        3 * CROP_UNIT, TRAIN_CROP_MAX, s->crop);
    return BST_OK;
}

static void report(const struct bst_train_options *o, const struct train_run *run,
                   const struct train_losses *sum, uint64_t steps, double seconds)
{
    if (!o->report) return;
    double n = (double)steps;
    char line[256];
    snprintf(
        line, sizeof line,
        "step %llu  %.3f s  generator %.3f  judges %.3f %.3f  margins %.2f %.2f  slopes %.2f/%.2f %.2f/%.2f  "
        "consistency %.4f",
        (unsigned long long)run->step, seconds / n, sum->generator / n, sum->judge[0] / n, sum->judge[1] / n,
        sum->margin[0] / n, sum->margin[1] / n, sum->penalty_real[0] / n, sum->penalty_made[0] / n,
        sum->penalty_real[1] / n, sum->penalty_made[1] / n, sum->consistency / n);
    o->report(o->progress_arg, line);
}

/* The folder for sheets and checkpoints: the option, or the output's. */
static char *sample_folder(const struct bst_train_options *o)
{
    if (o->sample) return bst_strdup(o->sample);
    const char *slash = strrchr(o->output, '/');
    return slash ? bst_format("%.*s", (int)(slash - o->output), o->output) : bst_strdup(".");
}

static enum bst_code save(const struct train_run *run, const char *folder, bool sheet, struct bst_error *err)
{
    char *checkpoint = bst_path_join(folder, "train.checkpoint");
    char *picture = bst_format("%s/sheet-%07llu.png", folder, (unsigned long long)run->step);
    enum bst_code code = checkpoint && picture ? BST_OK : bst_fail_memory(err);
    if (!code) code = train_checkpoint_save(run, checkpoint, err);
    if (!code && sheet) code = train_sheet_write(run, picture, err);
    free(checkpoint);
    free(picture);
    return code;
}

static enum bst_code resume(struct train_run *run, const char *folder, struct bst_error *err)
{
    char *path = bst_path_join(folder, "train.checkpoint");
    enum bst_code code = path ? train_checkpoint_load(run, path, err) : bst_fail_memory(err);
    if (code == BST_UNREADABLE) bst_hint(err, "start anew without resuming");
    free(path);
    return code;
}

static enum bst_code loop(const struct bst_train_options *o, struct train_run *run, const char *folder,
                          struct bst_error *err)
{
    double now = bst_monotonic_s();
    struct clock clock = {now, now, now};
    struct train_losses sum = {0};
    uint64_t reported = run->step;
    while (run->step < run->settings.steps && !(o->max_seconds > 0 && now - clock.start >= o->max_seconds)) {
        train_run_step(run, &sum);
        now = bst_monotonic_s();
        if (run->step % REPORT_STEPS == 0) {
            report(o, run, &sum, run->step - reported, now - clock.reported);
            reported = run->step;
            sum = (struct train_losses){0};
            clock.reported = now;
        }
        if (now - clock.saved > SAVE_SECONDS) {
            enum bst_code code = save(run, folder, true, err);
            if (code) return code;
            clock.saved = now = bst_monotonic_s();
        }
        if (o->progress && !o->progress(o->progress_arg, run->step, run->settings.steps)) {
            enum bst_code code = save(run, folder, false, err);
            if (code) return code;
            bst_fail(err, BST_FAILURE, "interrupted");
            return bst_hint(err, "resume goes on from step %llu", (unsigned long long)run->step);
        }
    }
    return save(run, folder, true, err);
}

/* The model is written twice: first beside its place, for the engine to check it and make the golden seeds.
 */
static enum bst_code write_model(const struct bst_train_options *o, const struct train_run *run,
                                 const float *params, json_t *card, uint8_t digest[static BST_SHA256_LEN],
                                 struct bst_error *err)
{
    struct bst_buf file = {0};
    char *draft = bst_format("%s.draft", o->output);
    enum bst_code code =
        draft ? train_export(&run->generator, params, card, &file, err) : bst_fail_memory(err);
    if (!code) code = bst_file_write(draft, file.data, file.len, BST_WRITE_REPLACE, err);
    if (!code) code = train_golden(run, draft, params, card, err);
    if (draft) unlink(draft);
    file.len = 0;
    if (!code) code = train_export(&run->generator, params, card, &file, err);
    if (!code) code = bst_file_write(o->output, file.data, file.len, BST_WRITE_REPLACE, err);
    if (!code) bst_sha256(file.data, file.len, digest);
    free(draft);
    bst_buf_free(&file);
    return code;
}

static enum bst_code finish(const struct bst_train_options *o, const struct train_run *run,
                            struct bst_train_result *result, struct bst_error *err)
{
    size_t count = run->weights[0].count;
    float *params = bst_calloc(count, sizeof *params);
    json_t *card = NULL;
    enum bst_code code = params ? train_card(run, o, &card, err) : bst_fail_memory(err);
    if (!code) {
        memcpy(params, run->weights[0].average, count * sizeof *params);
        train_export_round(&run->generator, params);
        code = write_model(o, run, params, card, result->model_digest, err);
    }
    if (!code) {
        result->steps = run->step;
        result->dataset = json_incref(run->set.manifest);
        result->parameters = train_settings_json(&run->settings);
        if (!result->parameters) code = bst_fail_memory(err);
    }
    json_decref(card);
    free(params);
    return code;
}

enum bst_code bst_train(const struct bst_train_options *options, struct bst_train_result *result,
                        struct bst_error *err)
{
    *result = (struct bst_train_result){0};
    bst_time_text(bst_now_ms(), result->started);
    struct train_run run = {.seed = options->seed};
    enum bst_code code = read_settings(options, &run.settings, err);
    if (code) return code;
    code = train_blas_open(err);
    if (code) return code;
    char *folder = sample_folder(options);
    if (!folder) return bst_fail_memory(err);
    int blas_threads = train_blas_set_threads(1); /* threads are ours, over shards */
    code = bst_folder_make(folder, 0777, err);
    if (!code) code = train_set_load(options->dataset, options->dataset_root, TRAIN_FIELD, &run.set, err);
    if (!code) code = bst_pool_new(options->threads, &run.pool, err);
    if (!code) code = train_run_init(&run, err);
    if (!code && options->resume) code = resume(&run, folder, err);
    if (!code) code = loop(options, &run, folder, err);
    bst_time_text(bst_now_ms(), result->finished);
    if (!code) code = finish(options, &run, result, err);
    if (code) bst_train_result_clear(result);
    train_blas_set_threads(blas_threads);
    train_run_clear(&run);
    free(folder);
    return code;
}

void bst_train_result_clear(struct bst_train_result *result)
{
    json_decref(result->dataset);
    json_decref(result->parameters);
    *result = (struct bst_train_result){0};
}
