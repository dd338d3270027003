/* test_import_changed.c - the networks of import_cases.txt with something changed: a tensor left out, added, of other
 * dimensions. Each is refused by one clear error, and nothing is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "import_case.h"

static char source[64], target[64];

struct changed {
    struct import_case common;
    struct weights weights;
    uint64_t random;
    size_t tried, refused, expected; /* random changes, those refused, and changes of the list below */
};

static enum bst_code import(const struct weights *w, struct bst_error *err)
{
    struct bst_import_result result;
    const struct bst_import_options options = {.replace = true};
    struct bst_buf bytes = {0};
    weights_safetensors(w, &bytes);
    write_file(source, &bytes);
    bst_buf_free(&bytes);
    unlink(target);
    memset(err, 0, sizeof *err);
    return bst_import(source, NULL, &options, target, &result, err);
}

static void begin_case(void *arg)
{
    struct changed *c = arg;
    memset(&c->common, 0, sizeof c->common);
    c->weights.count = 0;
}

static void take_line(void *arg, const char *line)
{
    struct changed *c = arg;
    case_line(&c->common, line);
    if (strncmp(line, "tensor ", 7) == 0) weights_line(&c->weights, line);
}

static size_t place_of(const struct changed *c, const char *name)
{
    size_t i = 0;
    while (i < c->weights.count && strcmp(c->weights.list[i].name, name) != 0)
        i++;
    if (i == c->weights.count) fail_msg("%s has no tensor %s", c->common.title, name);
    return i;
}

/* ---- what each family says ---- */

/* A tensor's line takes the place of the one of that name; drop: it is left out. */
static const struct {
    const char *title, *line, *drop, *says;
} changes[] = {
    {"biggan", "", "blocks.1.0.bn2.stored_var", "tensor 'blocks.1.0.bn2.stored_var' is missing"},
    {"biggan", "", "blocks.0.1.theta.u0", "'blocks.0.1.theta.sv0' is no part of BigGAN"},
    {"biggan", "tensor linear.u0 1 0 1 3", NULL, "spectral normalisation do not fit 'linear.weight'"},
    {"biggan", "tensor linear.u0 0 0 1 128", NULL, "'linear.weight' have no norm"},
    {"biggan", "tensor linear.weight 1 0 120 6", NULL, "makes no square map of the 8 channels"},
    {"biggan", "tensor blocks.0.0.bn1.gain.weight 1 0 8 9", NULL, "takes 9 numbers, neither the class's"},
    {"biggan", "tensor blocks.1.0.conv2.weight 1 0 4 5 3 3", NULL, "Conv"},
    {"r3gan", "", "MainLayers.1.Layers.2.NonLinearity2.Bias", "no known architecture"},
    {"r3gan", "", "Model.MainLayers.1.Layers.2.NonLinearity2.Bias", "NonLinearity2.Bias' is missing"},
    {"r3gan", "tensor Model.MainLayers.0.Layers.1.LinearLayer2.Layer.weight 1 0 16 5 3 3", NULL,
     "takes 5 channels at a time, of 16"},
    {"r3gan", "tensor Model.MainLayers.1.Layers.0.Resampler.Kernel 1 0 3 3", NULL, "is no even square"},
    {"r3gan", "tensor Model.MainLayers.1.Layers.0.Resampler.Kernel 1 0 40 40", NULL, "is no small filter"},
    {"r3gan", "tensor Model.MainLayers.0.Layers.0.Basis 1 0 8 4 5", NULL, "holds no small squares"},
    {"r3gan of classes", "tensor Model.EmbeddingLayer.weight 1 0 7 3", NULL, "leaves no room for a latent"},
    {"vqgan of taming-transformers", "", "decoder.up.1.block.1.conv2.weight", "conv2.weight' is missing"},
    {"vqgan of taming-transformers", "", "decoder.mid.attn_1.q.weight", "attn_1.q.weight' is missing"},
    {"vqgan of taming-transformers", "tensor decoder.norm_out.weight 1 0 33", NULL,
     "has 33 channels, which 32 groups do not divide"},
    {"vqgan of taming-transformers", "tensor quantize.embedding.weight 1 0 10 5", NULL,
     "does not take what the codebook holds"},
    {"vqgan of taming-transformers", "tensor decoder.mid.attn_1.k.weight 1 0 64 64 3 3", NULL,
     "neither a matrix nor a 1x1 convolution"},
    {"vqgan of taming-transformers", "tensor decoder.conv_out.weight 1 0 5 32 3 3", NULL, ""},
    {"vqgan of diffusers", "", "decoder.mid_block.attentions.0.to_out.0.weight",
     "to_out.0.weight' is missing"},
    {"lightweight-gan", "tensor layers.0.0.1.f 1 0 5", NULL, "is no filter of 3 taps"},
    {"lightweight-gan", "tensor layers.1.0.2.1.weight 1 0 8 5 3 3", NULL, "is no 4x4 convolution"},
    {"lightweight-gan", "tensor layers.2.2.fn.to_q.weight 1 0 100 4 1 1", NULL, "no heads of 64"},
    {"lightweight-gan", "", "layers.2.2.fn.to_out.weight", "to_out.weight' is missing"},
    {"psgan", "tensor generate.3.weight 1 0 6 5 5 5", NULL, "is no 4x4 convolution"},
    {"psgan", "tensor periodic_noise_mlp_layer1.weight 1 0 7 9", NULL, "leaves none for local noise"},
    {"adain", "", NULL, "needs the weights of its encoder"},
};

static void check_listed(void *arg, size_t index)
{
    struct changed *c = arg;
    struct bst_error err;
    (void)index;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        if (strcmp(changes[i].title, c->common.title) != 0) continue;
        const struct weights kept = c->weights;
        struct weights *w = &c->weights;
        if (changes[i].drop != NULL && strncmp(changes[i].drop, "MainLayers", 10) == 0) {
            for (size_t k = 0; k < w->count; k++) /* names of no network */
                w->list[k].name[0] = '#';
        } else if (changes[i].drop != NULL) {
            w->list[place_of(c, changes[i].drop)] = w->list[w->count - 1];
            w->count--;
        }
        if (changes[i].line[0] != 0) {
            char name[128];
            if (sscanf(changes[i].line, "tensor %127s", name) != 1) abort();
            size_t place = place_of(c, name);
            weights_line(w, changes[i].line);
            w->list[place] = w->list[--w->count];
        }
        enum bst_code code = import(w, &err);
        if (code != BST_UNREADABLE ||
            (strstr(err.what, changes[i].says) == NULL && strstr(err.where, changes[i].says) == NULL))
            fail_msg("%s, change %zu: code %d, says '%s' at '%s', not '%s'", c->common.title, i, code,
                     err.what, err.where, changes[i].says);
        assert_false(bst_file_exists(target));
        c->weights = kept;
        c->expected++;
    }
}

static void test_listed(void **state)
{
    struct changed *c = bst_calloc(1, sizeof *c);
    (void)state;
    cases_each("tests/unit/import_cases.txt", c, begin_case, take_line, check_listed);
    assert_int_equal(c->expected, sizeof changes / sizeof *changes);
    free(c);
}

/* ---- any tensor ---- */

static uint64_t draw(struct changed *c)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 7;
    c->random ^= c->random << 17;
    return c->random;
}

/* Left out, of a dimension more or fewer, one longer, or a stranger beside it. */
static void change(struct changed *c)
{
    struct weights *w = &c->weights;
    struct weight *t = &w->list[draw(c) % w->count];
    switch (draw(c) % 4) {
    case 0:
        *t = w->list[--w->count];
        break;
    case 1:
        t->dims[t->rank++] = 1;
        break;
    case 2:
        if (t->rank == 0) break;
        t->count = t->count / (size_t)t->dims[t->rank - 1] * (size_t)(t->dims[t->rank - 1] + 1);
        t->dims[t->rank - 1]++;
        break;
    default:
        weights_line(w, "tensor stranger.weight 1 0 2 2");
    }
}

static void check_any(void *arg, size_t index)
{
    struct changed *c = arg;
    struct bst_error err;
    (void)index;
    for (size_t i = 0; i < 8; i++) {
        const struct weights kept = c->weights;
        change(c);
        enum bst_code code = import(&c->weights, &err);
        if (code != BST_OK && (code != BST_UNREADABLE || err.what[0] == 0))
            fail_msg("%s: code %d, says '%s'", c->common.title, code, err.what);
        assert_int_equal(bst_file_exists(target), code == BST_OK);
        c->tried++;
        c->refused += code != BST_OK;
        c->weights = kept;
    }
}

/* Some changes make no difference: a bias left out, or what is not part of a picture, as an encoder. */
static void test_any(void **state)
{
    struct changed *c = bst_calloc(1, sizeof *c);
    (void)state;
    c->random = 0x9e3779b97f4a7c15u;
    cases_each("tests/unit/import_cases.txt", c, begin_case, take_line, check_any);
    assert_true(c->tried >= 200);
    if (c->refused * 100 < c->tried * 80)
        fail_msg("only %zu of %zu changes were refused", c->refused, c->tried);
    free(c);
}

static int make_paths(void **state)
{
    (void)state;
    snprintf(source, sizeof source, "/tmp/blindstamp-changed-%ld.safetensors", (long)getpid());
    snprintf(target, sizeof target, "/tmp/blindstamp-changed-%ld.onnx", (long)getpid());
    return 0;
}

static int remove_paths(void **state)
{
    (void)state;
    unlink(source);
    unlink(target);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listed),
        cmocka_unit_test(test_any),
    };
    return cmocka_run_group_tests(tests, make_paths, remove_paths);
}
