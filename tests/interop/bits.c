/* bits.c ISA COUNTS [NETWORK.onnx NAME=DIMS...]... [PICTURE.onnx]... - prints digests of what the engine makes, one a
 * line, for bits.sh to compare between compilers, processors and instruction sets.
 *
 * Every case of tests/unit/onnx_cases.h, as written and with its sizes changed at random; networks given with the
 * dims of their inputs, in batches of 1, 2 and 3; and pictures of models that need no dims. Each is run with each of the
 * COUNTS of threads, given as digits, and each picture of a batch also alone: what differs then is said here, and fails. */
#include <math.h>
#include <unistd.h>

#include "../unit/onnx_cases.h"
#include "../unit/onnx_fixture.h"

#define INPUTS      8     /* of a network */
#define VARIANTS    2     /* of each case, with sizes changed */
#define TRIES       40    /* changes that may make no sense to the operators before a case is left alone */
#define NUMBERS_MAX 10000 /* of a tensor that such a change may ask for */
#define SIDE_MAX    24

static const char *isa;
static const char *thread_counts; /* digits, as "13" */
static char path[64];
static int failed;

static size_t count_of(const struct bst_tensor *t)
{
    size_t count = 1;
    for (size_t i = 0; i < t->rank; i++)
        count *= (size_t)t->dims[i];
    return count;
}

/* Of dims and numbers. A NaN has no defined payload, so all count as one. */
static void digest_of(const struct bst_tensor *t, char hex[BST_SHA256_HEX])
{
    uint8_t digest[BST_SHA256_LEN];
    struct bst_buf bytes = {0};
    size_t count = count_of(t);
    bst_buf_append(&bytes, t->dims, t->rank * sizeof t->dims[0]);
    if (t->ints != NULL) bst_buf_append(&bytes, t->ints, count * sizeof *t->ints);
    for (size_t i = 0; t->data != NULL && i < count; i++) {
        uint32_t bits = 0x7fc00000;
        if (!isnan(t->data[i])) memcpy(&bits, &t->data[i], sizeof bits);
        bst_buf_append(&bytes, &bits, sizeof bits);
    }
    bst_sha256(bytes.data, bytes.len, digest);
    bst_hex(digest, sizeof digest, hex);
    bst_buf_free(&bytes);
}

static enum bst_code run_once(const char *file, unsigned threads, const struct bst_tensor *inputs,
                              size_t count, struct bst_tensor *out, struct bst_error *err)
{
    struct bst_run_options options = {.threads = threads, .isa = isa};
    struct bst_model *model = NULL;
    struct bst_generator *generator = NULL;
    enum bst_code code = bst_model_open(file, &model, err);
    if (code == BST_OK) code = bst_generator_new(model, &options, &generator, err);
    if (code == BST_OK) code = bst_generator_run(generator, inputs, count, out, err);
    bst_generator_free(generator);
    bst_model_free(model);
    return code;
}

static void out_free(struct bst_tensor *out)
{
    free(out->data);
    free(out->ints);
    *out = (struct bst_tensor){0};
}

/* With every thread count; the first result stays in out. */
static enum bst_code run_all(const char *name, const char *file, const struct bst_tensor *inputs,
                             size_t count, struct bst_tensor *out, char hex[BST_SHA256_HEX],
                             struct bst_error *err)
{
    enum bst_code code = BST_OK;
    for (const char *at = thread_counts; *at != 0 && code == BST_OK; at++) {
        struct bst_tensor other = {0};
        char have[BST_SHA256_HEX];
        code = run_once(file, (unsigned)(*at - '0'), inputs, count, &other, err);
        if (code != BST_OK) break;
        digest_of(&other, have);
        if (at == thread_counts) {
            memcpy(hex, have, sizeof have);
            *out = other;
            continue;
        }
        if (strcmp(hex, have) != 0) {
            printf("%s differs with %c threads\n", name, *at);
            failed = 1;
        }
        out_free(&other);
    }
    return code;
}

/* ---- the operators' cases ---- */

static bool small(const struct fixture *f)
{
    for (size_t i = 0; i < f->input_count; i++)
        if (count_of(&f->inputs[i]) > NUMBERS_MAX) return false;
    for (size_t i = 0; i < f->graph.n_initializer; i++) {
        int64_t count = 1;
        for (size_t d = 0; d < f->graph.initializer[i]->n_dims; d++)
            count *= f->graph.initializer[i]->dims[d];
        if (count > NUMBERS_MAX) return false;
    }
    return true;
}

static bool run_text(const char *name, const char *text, bool must)
{
    struct fixture *f = fixture_new(text);
    struct bst_tensor out = {0};
    struct bst_error err;
    char hex[BST_SHA256_HEX];
    bool done = false;
    if (must || small(f)) {
        fixture_write(f, path);
        done = run_all(name, path, f->inputs, f->input_count, &out, hex, &err) == BST_OK;
        if (done) printf("%s %s\n", name, hex);
        if (!done && must) {
            printf("%s fails: %s\n", name, err.what);
            failed = 1;
        }
        out_free(&out);
    }
    fixture_free(f);
    return done;
}

/* The lines that give a tensor its dims. */
static bool has_dims(const char *line)
{
    static const char *const kinds[] = {"in ", "rand ", "posrand ", "half ", "boolin "};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(line, kinds[i], strlen(kinds[i])) == 0) return true;
    return false;
}

/* The text with its sizes exchanged: equal sizes stay equal, so that most graphs still fit together. Whether
 * this one does is for the engine to say, which says the same everywhere. */
static char *vary(const char *text, uint64_t *state)
{
    struct bst_buf out = {0};
    unsigned size[64];
    for (size_t i = 0; i < 64; i++) {
        bool change = fixture_random(state) > -0.2f;
        unsigned drawn = 1 + (unsigned)((fixture_random(state) + 1.0f) * 0.5f * (SIDE_MAX - 1));
        size[i] = change && i > 1 ? drawn : (unsigned)i;
    }
    for (const char *line = text, *end; *line != 0; line = end) {
        end = strchr(line, '\n');
        end = end != NULL ? end + 1 : line + strlen(line);
        const char *at = line;
        if (has_dims(line)) { /* the kind and the name, then numbers */
            at = strchr(strchr(line, ' ') + 1, ' ');
            at = at != NULL && at < end ? at : end;
            bst_buf_append(&out, line, (size_t)(at - line));
            while (at < end) {
                size_t digits = strspn(at, "0123456789");
                unsigned long number = digits > 0 ? strtoul(at, NULL, 10) : 64;
                if (number < 64)
                    bst_buf_printf(&out, "%u", size[number]);
                else
                    bst_buf_append(&out, at, digits > 0 ? digits : 1);
                at += digits > 0 ? digits : 1;
            }
        } else {
            bst_buf_append(&out, line, (size_t)(end - line));
        }
    }
    bst_buf_append(&out, "", 1);
    return (char *)out.data;
}

static void run_cases(void)
{
    size_t varied = 0;
    for (size_t i = 0; i < ONNX_CASES; i++) {
        uint64_t state = fixture_seed(onnx_cases[i].name);
        run_text(onnx_cases[i].name, onnx_cases[i].text, true);
        for (size_t variant = 0, tries = 0; variant < VARIANTS && tries < TRIES; tries++) {
            char name[96];
            char *text = vary(onnx_cases[i].text, &state);
            snprintf(name, sizeof name, "%s~%zu", onnx_cases[i].name, variant + 1);
            if (strcmp(text, onnx_cases[i].text) != 0 && run_text(name, text, false)) {
                variant++;
                varied++;
            }
            free(text);
        }
    }
    printf("cases %zu, with other sizes %zu\n", ONNX_CASES, varied);
    if (varied < ONNX_CASES) failed = 1; /* then the operators refuse what they should take */
}

/* ---- networks ---- */

#define BATCH_MAX 3

/* NAME=DIMS as in image=1,3,20,20, filled with pictures first to first + batch - 1. */
static struct bst_tensor input_of(const char *argument, size_t first, size_t batch)
{
    struct bst_tensor t = {0};
    const char *at = strchr(argument, '=');
    size_t len = (size_t)(at - argument);
    char *name = calloc(1, len + 1);
    if (name == NULL) abort();
    t.name = memcpy(name, argument, len);
    while (*at != 0 && t.rank < 8) {
        char *end;
        t.dims[t.rank++] = strtoll(at + 1, &end, 10);
        at = end;
    }
    size_t each = count_of(&t);
    t.dims[0] = (int64_t)batch;
    t.data = malloc(batch * each * sizeof(float));
    if (t.data == NULL) abort();
    uint64_t state = fixture_seed(t.name);
    for (size_t i = 0; i < first * each; i++)
        fixture_random(&state);
    for (size_t i = 0; i < batch * each; i++)
        t.data[i] = fixture_random(&state);
    return t;
}

static enum bst_code run_batch(const char *name, const char *file, char **arguments, size_t count,
                               size_t first, size_t batch, struct bst_tensor *out, struct bst_error *err)
{
    struct bst_tensor inputs[INPUTS];
    char hex[BST_SHA256_HEX];
    for (size_t i = 0; i < count; i++)
        inputs[i] = input_of(arguments[i], first, batch);
    enum bst_code code = run_all(name, file, inputs, count, out, hex, err);
    if (code == BST_OK) printf("%s %s\n", name, hex);
    for (size_t i = 0; i < count; i++) {
        free(inputs[i].data);
        free((char *)inputs[i].name);
    }
    return code;
}

static void run_network(const char *file, char **arguments, size_t count)
{
    struct bst_tensor alone[BATCH_MAX] = {{0}}, out = {0};
    struct bst_error err;
    char name[128];
    for (size_t i = 0; i < BATCH_MAX; i++) {
        snprintf(name, sizeof name, "%s picture %zu", bst_path_name(file), i);
        if (run_batch(name, file, arguments, count, i, 1, &alone[i], &err) == BST_OK) continue;
        printf("%s fails: %s\n", name, err.what);
        failed = 1;
        return;
    }
    size_t each = count_of(&alone[0]);
    for (size_t batch = 2; batch <= BATCH_MAX; batch++) {
        snprintf(name, sizeof name, "%s batch of %zu", bst_path_name(file), batch);
        if (run_batch(name, file, arguments, count, 0, batch, &out, &err) != BST_OK) {
            printf("%s fails: %s\n", name, err.what); /* as StyleGAN2 does, exported for one picture */
            continue;
        }
        for (size_t i = 0; i < batch; i++) {
            if (memcmp(out.data + i * each, alone[i].data, each * sizeof(float)) == 0) continue;
            printf("%s: picture %zu differs from itself alone\n", name, i);
            failed = 1;
        }
        out_free(&out);
    }
    for (size_t i = 0; i < BATCH_MAX; i++)
        out_free(&alone[i]);
}

/* ---- pictures: random numbers, sizes and samples too ---- */

static void run_pictures(const char *file)
{
    static const struct {
        uint64_t seed;
        uint32_t width, height;
        float truncation;
        bool tile;
        enum bst_latent latent;
        size_t mix_count;
    } cases[] = {{1, 48, 32, 1.0f, false, BST_LATENT_CARD, 0},
                 {UINT64_MAX, 33, 37, 0.7f, false, BST_LATENT_CARD, 0},
                 {42, 32, 32, 1.3f, true, BST_LATENT_CARD, 2},
                 {UINT32_MAX, 40, 40, 1.0f, false, BST_LATENT_NUMPY, 0},
                 {7, 64, 32, 1.0f, true, BST_LATENT_TORCH, 3}};
    const struct bst_mix mix[] = {{1, 0.3f}, {UINT32_MAX, -0.4f}, {3, 2.0f}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char first[BST_SHA256_HEX] = "";
        for (const char *at = thread_counts; *at != 0; at++) {
            unsigned threads = (unsigned)(*at - '0');
            struct bst_run_options options = {.threads = threads, .isa = isa};
            struct bst_controls controls = {.seed = cases[i].seed,
                                            .width = cases[i].width,
                                            .height = cases[i].height,
                                            .truncation = cases[i].truncation,
                                            .tile = cases[i].tile,
                                            .latent = cases[i].latent,
                                            .mix = mix,
                                            .mix_count = cases[i].mix_count};
            struct bst_model *model = NULL;
            struct bst_generator *generator = NULL;
            struct bst_image image = {0};
            struct bst_error err;
            uint8_t digest[BST_SHA256_LEN];
            char hex[BST_SHA256_HEX];
            if (bst_model_open(file, &model, &err) != BST_OK ||
                bst_generator_new(model, &options, &generator, &err) != BST_OK ||
                bst_generate(generator, &controls, &image, NULL, &err) != BST_OK) {
                printf("picture %zu fails: %s\n", i, err.what);
                failed = 1;
            } else {
                bst_image_digest(&image, digest);
                bst_hex(digest, sizeof digest, hex);
                if (*first == 0) {
                    memcpy(first, hex, sizeof first);
                    printf("picture %zu %s\n", i, hex);
                } else if (strcmp(first, hex) != 0) {
                    printf("picture %zu differs with %u threads\n", i, threads);
                    failed = 1;
                }
            }
            bst_image_clear(&image);
            bst_generator_free(generator);
            bst_model_free(model);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 3 || strspn(argv[2], "123456789") != strlen(argv[2])) return 1;
    isa = argv[1];
    thread_counts = argv[2];
    snprintf(path, sizeof path, "/tmp/blindstamp-bits-%ld.onnx", (long)getpid());
    run_cases();
    for (int i = 3, inputs; i < argc; i += inputs + 1) {
        for (inputs = 0;
             i + 1 + inputs < argc && strchr(argv[i + 1 + inputs], '=') != NULL && inputs < INPUTS;)
            inputs++;
        if (inputs > 0)
            run_network(argv[i], argv + i + 1, (size_t)inputs);
        else
            run_pictures(argv[i]);
    }
    unlink(path);
    return failed;
}
