/* train_step.c - one training step.
 *
 * Loss: relativistic pairing of patch scores (Jolicoeur-Martineau, 2018; Huang et al., 2024): a judge learns
 * that a patch r of the data set scores higher than a made patch f at the same place, softplus(f - r), and
 * the generator learns the opposite, softplus(r - f), with gradient penalties on both kinds of pictures. All
 * networks move at once, on the gradients of the same forward passes. Shards are computed in any order by any
 * thread; their gradients are summed in the order of shards, so the result does not depend on the threads.
 */
#include "train_run.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { /* streams of random numbers */
       STREAM_WEIGHTS = 0x100,
       STREAM_STEP = 0x200,
};

void train_settings_default(struct train_settings *s)
{
    *s = (struct train_settings){.batch = TRAIN_BATCH,
                                 .crop = TRAIN_CROP,
                                 .steps = 20000,
                                 .rate_generator = 0.8e-4,
                                 .rate_judge = 2.5e-4,
                                 .beta1 = 0.5,
                                 .beta2 = 0.99,
                                 .penalty = {0.1, 0.4},
                                 .penalty_every = 2,
                                 .consistency = 1.0,
                                 .jitter = 0.15,
                                 .average = 0.999};
}

json_t *train_settings_json(const struct train_settings *s)
{
    return json_pack("{s:I, s:I, s:I, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:i, s:f, s:f, s:f, s:s}", "batch",
                     (json_int_t)s->batch, "crop", (json_int_t)s->crop, "steps", (json_int_t)s->steps,
                     "field", TRAIN_FIELD, "rate_generator", s->rate_generator, "rate_judge", s->rate_judge,
                     "adam_beta1", s->beta1, "adam_beta2", s->beta2, "penalty_fine", s->penalty[0],
                     "penalty_coarse", s->penalty[1], "penalty_every", (int)s->penalty_every, "consistency",
                     s->consistency, "jitter", s->jitter, "average", s->average, "products",
                     train_conv_scratch((struct train_map){64, 4, 32, 32}, 64, 3) ? "bfloat16" : "float32");
}

static const struct train_params *params_of(const struct train_run *run, size_t net)
{
    return net == 0 ? &run->generator.params : &run->judge[net - 1].params;
}

static enum bst_code weights_new(struct train_run *run, size_t net, struct bst_error *err)
{
    struct train_weights *w = &run->weights[net];
    w->count = params_of(run, net)->count;
    w->value = bst_calloc(w->count, sizeof *w->value);
    w->moment1 = bst_calloc(w->count, sizeof *w->value);
    w->moment2 = bst_calloc(w->count, sizeof *w->value);
    w->average = bst_calloc(net == 0 ? w->count : 0, sizeof *w->value);
    w->gradient = bst_calloc(w->count * run->shards, sizeof *w->value);
    if (!w->value || !w->moment1 || !w->moment2 || !w->average || !w->gradient) return bst_fail_memory(err);
    train_params_init(params_of(run, net), run->seed, STREAM_WEIGHTS + (uint32_t)net, w->value);
    if (net == 0) memcpy(w->average, w->value, w->count * sizeof *w->value);
    return BST_OK;
}

static enum bst_code shard_new(const struct train_run *run, struct train_shard *s, struct bst_error *err)
{
    struct train_size field = {TRAIN_FIELD, TRAIN_FIELD}, fine = {run->settings.crop, run->settings.crop};
    enum bst_code code =
        train_generator_pass_new(&run->generator, TRAIN_SHARD, field, fine, true, &s->made, err);
    for (size_t k = 0; !code && k < TRAIN_JUDGES; k++) {
        code = train_discriminator_pass_new(&run->judge[k], TRAIN_SHARD, true, &s->real[k], err);
        if (!code) code = train_discriminator_pass_new(&run->judge[k], TRAIN_SHARD, true, &s->fake[k], err);
        s->real[k].style = s->fake[k].style = s->made.style;
    }
    return code;
}

enum bst_code train_run_init(struct train_run *run, struct bst_error *err)
{
    train_generator_init(&run->generator, run->set.styles);
    train_discriminator_init(&run->judge[0], run->set.styles, run->settings.crop, 48, 4);
    train_discriminator_init(&run->judge[1], run->set.styles, TRAIN_FIELD / TRAIN_COARSE, 64, 3);
    run->shards = run->settings.batch / TRAIN_SHARD;
    enum bst_code code = BST_OK;
    for (size_t net = 0; !code && net <= TRAIN_JUDGES; net++)
        code = weights_new(run, net, err);
    run->shard = bst_calloc(run->shards, sizeof *run->shard);
    if (!code && !run->shard) code = bst_fail_memory(err);
    for (size_t i = 0; !code && i < run->shards; i++)
        code = shard_new(run, &run->shard[i], err);
    return code;
}

void train_run_clear(struct train_run *run)
{
    for (size_t i = 0; run->shard && i < run->shards; i++) {
        train_generator_pass_clear(&run->shard[i].made);
        for (size_t k = 0; k < TRAIN_JUDGES; k++) {
            train_discriminator_pass_clear(&run->shard[i].real[k]);
            train_discriminator_pass_clear(&run->shard[i].fake[k]);
        }
    }
    free(run->shard);
    for (size_t net = 0; net <= TRAIN_JUDGES; net++) {
        struct train_weights *w = &run->weights[net];
        free(w->value);
        free(w->moment1);
        free(w->moment2);
        free(w->average);
        free(w->gradient);
    }
    bst_pool_free(run->pool);
    train_set_clear(&run->set);
    *run = (struct train_run){0};
}

/* Random brightness, contrast and saturation as one 3 x 4 matrix: y = contrast * (grey + saturation * (x -
 * grey)) + brightness. Judges never see plain colours only, so they cannot learn the few pictures by heart.
 */
static void draw_colour(struct train_random *r, float jitter, float *matrix)
{
    static const float luma[3] = {0.299f, 0.587f, 0.114f};
    float brightness = jitter * (2.0f * train_random_unit(r) - 1.0f);
    float contrast = 1.0f + jitter * (2.0f * train_random_unit(r) - 1.0f);
    float saturation = 1.0f + 2.0f * jitter * (2.0f * train_random_unit(r) - 1.0f);
    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 3; j++)
            matrix[i * 4 + j] = contrast * ((i == j ? saturation : 0.0f) + (1.0f - saturation) * luma[j]);
        matrix[i * 4 + 3] = brightness;
    }
}

/* Everything random about a shard's samples, a function of (seed, step, sample). */
static void draw_inputs(const struct train_run *run, size_t index, struct train_shard *s)
{
    struct train_generator_pass *made = &s->made;
    size_t slack = TRAIN_FIELD / TRAIN_COARSE - run->settings.crop / TRAIN_COARSE;
    struct train_random r;
    train_random_init(&r, run->seed, STREAM_STEP, run->step * TRAIN_BATCH_MAX + index);
    memset(made->style, 0, made->n * run->set.styles * sizeof *made->style);
    train_random_normal(&r, made->n * TRAIN_LATENT, made->latent);
    for (size_t i = 0; i < TRAIN_NOISES; i++)
        train_random_normal(&r, train_map_size(made->noise_map[i]), made->noise[i]);
    for (size_t i = 0; i < made->n; i++) {
        /* Every style has the same share, one after the other. */
        size_t style = (run->step * run->settings.batch + index * TRAIN_SHARD + i) % run->set.styles;
        made->style[i * run->set.styles + style] = 1.0f;
        made->top[i] = train_random_below(&r, (uint32_t)slack + 1);
        made->left[i] = train_random_below(&r, (uint32_t)slack + 1);
        train_set_crop(&run->set, style, run->settings.crop, 1, &r, made->n, i, s->real[0].image);
        train_set_crop(&run->set, style, TRAIN_FIELD, TRAIN_COARSE, &r, made->n, i, s->real[1].image);
        for (size_t k = 0; k < TRAIN_JUDGES; k++) {
            draw_colour(&r, (float)run->settings.jitter, s->real[k].colour + i * 12);
            draw_colour(&r, (float)run->settings.jitter, s->fake[k].colour + i * 12);
        }
    }
}

/* The coarse picture without its margin, to or from a judge. */
static void coarse_centre(struct train_map whole, float *map, struct train_map centre, float *image,
                          bool back)
{
    for (size_t plane = 0; plane < whole.c * whole.n; plane++)
        for (size_t y = 0; y < centre.h; y++) {
            float *in = map + (plane * whole.h + y + TRAIN_COARSE_MARGIN) * whole.w + TRAIN_COARSE_MARGIN;
            float *out = image + (plane * centre.h + y) * centre.w;
            memcpy(back ? in : out, back ? out : in, centre.w * sizeof *in);
        }
}

static float sigmoid(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

static float softplus(float x)
{
    return x > 0.0f ? x + log1pf(expf(-x)) : log1pf(expf(x));
}

/* Judge k looks at both kinds; its gradient goes to dparams, the generator's to fake->dimage. */
static void judge_shard(const struct train_run *run, size_t k, struct train_shard *s, float *dparams)
{
    const struct train_discriminator *d = &run->judge[k];
    const float *params = run->weights[1 + k].value;
    struct train_discriminator_pass *real = &s->real[k], *fake = &s->fake[k];
    train_discriminator_forward(d, params, real);
    train_discriminator_forward(d, params, fake);
    size_t count = real->n * real->patches;
    float share = 1.0f / (float)(run->settings.batch * real->patches);
    for (size_t i = 0; i < count; i++) {
        float margin = real->scores[i] - fake->scores[i];
        s->losses.generator += (double)(share * softplus(margin));
        s->losses.judge[k] += (double)(share * softplus(-margin));
        s->losses.margin[k] += (double)(share * margin);
        fake->dscores[i] = -share * sigmoid(margin);
    }
    train_discriminator_backward(d, params, fake, NULL, true);
    for (size_t i = 0; i < count; i++) {
        float wrong = share * sigmoid(fake->scores[i] - real->scores[i]);
        fake->dscores[i] = wrong;
        real->dscores[i] = -wrong;
    }
    train_discriminator_backward(d, params, fake, dparams, false);
    train_discriminator_backward(d, params, real, dparams, false);
    /* The two penalties take turns, so that no step's gradient is much larger than another's. */
    uint64_t every = run->settings.penalty_every, turn = run->step % every;
    double scale = (double)every / (double)run->settings.batch;
    float weight = (float)(run->settings.penalty[k] * scale);
    if (turn == 0)
        s->losses.penalty_real[k] += scale * train_discriminator_penalty(d, params, real, weight, dparams);
    if (turn == every / 2)
        s->losses.penalty_made[k] += scale * train_discriminator_penalty(d, params, fake, weight, dparams);
}

/* The fine picture, shrunk, should be the coarse one: adds to dfine and dcoarse. */
static void consistency(const struct train_run *run, struct train_shard *s)
{
    struct train_generator_pass *m = &s->made;
    size_t side = m->fine_size.h / TRAIN_COARSE, pixels = TRAIN_COARSE * TRAIN_COARSE;
    float share = (float)run->settings.consistency / (float)(run->settings.batch * 3 * side * side);
    for (size_t plane = 0; plane < 3 * m->n; plane++)
        for (size_t y = 0; y < side; y++)
            for (size_t x = 0; x < side; x++) {
                size_t n = plane % m->n;
                size_t at =
                    (plane * m->coarse_map.h + m->top[n] + TRAIN_COARSE_MARGIN + y) * m->coarse_map.w +
                    m->left[n] + TRAIN_COARSE_MARGIN + x;
                size_t corner =
                    (plane * m->fine_size.h + y * TRAIN_COARSE) * m->fine_size.w + x * TRAIN_COARSE;
                float mean = 0.0f;
                for (size_t i = 0; i < pixels; i++)
                    mean += m->fine[corner + i / TRAIN_COARSE * m->fine_size.w + i % TRAIN_COARSE];
                float off = mean / (float)pixels - m->coarse[at];
                s->losses.consistency += (double)(share * off * off);
                m->dcoarse[at] -= 2.0f * share * off;
                for (size_t i = 0; i < pixels; i++)
                    m->dfine[corner + i / TRAIN_COARSE * m->fine_size.w + i % TRAIN_COARSE] +=
                        2.0f * share * off / (float)pixels;
            }
}

static void shard_task(void *arg, size_t index, unsigned thread)
{
    (void)thread;
    struct train_run *run = arg;
    struct train_shard *s = &run->shard[index];
    struct train_generator_pass *made = &s->made;
    float *gradient[1 + TRAIN_JUDGES];
    for (size_t net = 0; net <= TRAIN_JUDGES; net++) {
        struct train_weights *w = &run->weights[net];
        gradient[net] = w->gradient + index * w->count;
        memset(gradient[net], 0, w->count * sizeof *w->gradient);
    }
    s->losses = (struct train_losses){0};
    draw_inputs(run, index, s);
    train_generator_forward(&run->generator, run->weights[0].value, made);
    memcpy(s->fake[0].image, made->fine, train_map_size(made->fine_map) * sizeof(float));
    coarse_centre(made->coarse_map, made->coarse, s->fake[1].map[0], s->fake[1].image, false);
    for (size_t k = 0; k < TRAIN_JUDGES; k++)
        judge_shard(run, k, s, gradient[1 + k]);
    memcpy(made->dfine, s->fake[0].dimage, train_map_size(made->fine_map) * sizeof(float));
    memset(made->dcoarse, 0, train_map_size(made->coarse_map) * sizeof(float));
    coarse_centre(made->coarse_map, made->dcoarse, s->fake[1].map[0], s->fake[1].dimage, true);
    consistency(run, s);
    train_generator_backward(&run->generator, run->weights[0].value, made, gradient[0]);
}

/* Up in the first 100 steps, level, then down to a tenth over the second half. */
static float rate_at(const struct train_run *run)
{
    double done = (double)run->step / (double)run->settings.steps;
    double rate = done > 0.5 ? 1.0 - 0.9 * (done - 0.5) / 0.5 : 1.0;
    if (rate < 0.1) rate = 0.1;
    return (float)(run->step < 100 ? rate * (double)(run->step + 1) / 100.0 : rate);
}

/* Adam (Kingma and Ba, 2015) on the shards' summed gradients. */
static void adam(const struct train_run *run, struct train_weights *w, float rate)
{
    const struct train_settings *s = &run->settings;
    double t = (double)run->step + 1;
    float beta1 = (float)s->beta1, beta2 = (float)s->beta2;
    float fix1 = (float)(1.0 / (1.0 - pow(s->beta1, t))), fix2 = (float)(1.0 / (1.0 - pow(s->beta2, t)));
    for (size_t i = 0; i < w->count; i++) {
        float g = 0.0f;
        for (size_t shard = 0; shard < run->shards; shard++)
            g += w->gradient[shard * w->count + i];
        w->moment1[i] = beta1 * w->moment1[i] + (1.0f - beta1) * g;
        w->moment2[i] = beta2 * w->moment2[i] + (1.0f - beta2) * g * g;
        w->value[i] -= rate * w->moment1[i] * fix1 / (sqrtf(w->moment2[i] * fix2) + 1e-8f);
    }
}

static void update_task(void *arg, size_t net, unsigned thread)
{
    (void)thread;
    struct train_run *run = arg;
    const struct train_settings *s = &run->settings;
    struct train_weights *w = &run->weights[net];
    adam(run, w, rate_at(run) * (float)(net == 0 ? s->rate_generator : s->rate_judge));
    if (net > 0) return;
    float keep = fminf((float)s->average, ((float)run->step + 1.0f) / ((float)run->step + 10.0f));
    for (size_t i = 0; i < w->count; i++)
        w->average[i] = keep * w->average[i] + (1.0f - keep) * w->value[i];
}

static void losses_add(struct train_losses *sum, const struct train_losses *l)
{
    sum->generator += l->generator;
    sum->consistency += l->consistency;
    for (size_t k = 0; k < TRAIN_JUDGES; k++) {
        sum->judge[k] += l->judge[k];
        sum->margin[k] += l->margin[k];
        sum->penalty_real[k] += l->penalty_real[k];
        sum->penalty_made[k] += l->penalty_made[k];
    }
}

void train_run_step(struct train_run *run, struct train_losses *sum)
{
    bst_pool_run(run->pool, run->shards, shard_task, run);
    bst_pool_run(run->pool, 1 + TRAIN_JUDGES, update_task, run);
    for (size_t i = 0; i < run->shards; i++)
        losses_add(sum, &run->shard[i].losses);
    run->step++;
}
