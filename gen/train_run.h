/* train_run.h - the state of one training run, and the parts of it.
 *
 *   train.c             bst_train: options, the loop, reports, result
 *   train_step.c        one step: pictures made and judged, losses, gradients, Adam, weight averaging
 *   train_checkpoint.c  the state on disk
 *   train_sheet.c       sample sheets
 *   train_export.c      the generator as ONNX
 *   train_card.c        its card
 *   train_golden.c      the written file checked by the engine, golden seeds
 *   train_data.c        the data set; train_net.h, train_layer.h: the networks; train_blas.h: products
 */
#ifndef BST_GEN_TRAIN_RUN_H
#define BST_GEN_TRAIN_RUN_H

#include "gen.h"
#include "train_data.h"
#include "train_net.h"

#define TRAIN_SHARD     4   /* samples that one task computes together */
#define TRAIN_FIELD     320 /* output pixels to a side of the field that the coarse layers see in training */
#define TRAIN_JUDGES    2   /* discriminators: of fine windows, of coarse fields */
#define TRAIN_CROP      96  /* defaults */
#define TRAIN_BATCH     8
#define TRAIN_BATCH_MAX 256
#define TRAIN_CROP_MAX  256

/* What decides a run beside the data set and the seed. Recorded in the card and in the model's statement. */
struct train_settings {
    uint32_t batch, crop;
    uint64_t steps;
    double rate_generator, rate_judge; /* Adam's step sizes at their highest */
    double beta1, beta2;
    double penalty[TRAIN_JUDGES]; /* gamma of the gradient penalties */
    uint32_t penalty_every;       /* steps */
    double consistency;           /* weight of |shrunk fine picture - coarse picture|^2 */
    double jitter;                /* augmentation: spread of brightness, contrast and saturation */
    double average;               /* decay of the averaged weights */
};
void train_settings_default(struct train_settings *s);
json_t *train_settings_json(const struct train_settings *s); /* new reference, or NULL */

struct train_weights { /* of one network */
    size_t count;
    float *value, *moment1, *moment2;
    float *average;  /* generator only */
    float *gradient; /* [shards][count] */
};

struct train_losses { /* of one shard, or summed over a report's steps */
    double generator, judge[TRAIN_JUDGES], margin[TRAIN_JUDGES], penalty_real[TRAIN_JUDGES],
        penalty_made[TRAIN_JUDGES], consistency;
};

struct train_shard {
    struct train_generator_pass made;
    struct train_discriminator_pass real[TRAIN_JUDGES], fake[TRAIN_JUDGES];
    struct train_losses losses;
};

struct train_run {
    struct train_settings settings;
    uint64_t seed, step; /* step: how many are done */
    struct train_set set;
    struct train_generator generator;
    struct train_discriminator judge[TRAIN_JUDGES];
    struct train_weights weights[1 + TRAIN_JUDGES]; /* generator, then judges */
    size_t shards;
    struct train_shard *shard;
    struct bst_pool *pool;
};

/* Networks, first weights and buffers for run->set, run->settings and run->seed. Cleared by train_run_clear,
 * also after a failure. */
enum bst_code train_run_init(struct train_run *run, struct bst_error *err);
void train_run_clear(struct train_run *run);
/* One step; adds its losses (means over the batch) to *sum. The same for any number of threads. */
void train_run_step(struct train_run *run, struct train_losses *sum);

/* Weights, moments, averages and the step: everything that a run needs to go on exactly. */
enum bst_code train_checkpoint_save(const struct train_run *run, const char *path, struct bst_error *err);
/* Fills run, which must have been initialised with the same data set and settings (BST_USAGE otherwise). */
enum bst_code train_checkpoint_load(struct train_run *run, const char *path, struct bst_error *err);

/* A grid of pictures by the averaged weights, a row a style, a column a fixed seed, written as PNG. */
enum bst_code train_sheet_write(const struct train_run *run, const char *path, struct bst_error *err);

/* Rounds to the nearest float16 values, as an exported file stores its weights; ties go to even. */
void train_round_half(size_t count, float *values);
/* Parameters rounded so that the generator computes what its exported file computes. */
void train_export_round(const struct train_generator *g, float *params);
/* The averaged generator as ONNX. card is put into the metadata. Appends to out. */
enum bst_code train_export(const struct train_generator *g, const float *params, const json_t *card,
                           struct bst_buf *out, struct bst_error *err);
/* The card of a run's model: new reference. */
enum bst_code train_card(const struct train_run *run, const struct bst_train_options *options, json_t **card,
                         struct bst_error *err);
/* Opens the exported file at path with the engine, fails when it does not make the picture that the generator
 * makes with params (rounded), and adds golden seeds to the card. */
enum bst_code train_golden(const struct train_run *run, const char *path, const float *params, json_t *card,
                           struct bst_error *err);

#endif
