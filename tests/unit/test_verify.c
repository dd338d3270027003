/* test_verify.c - verdicts on pictures that this program stamped, whole and altered in every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit.h"
#include "facts.h"
#include "onnx_fixture.h"

static char folder[] = "/tmp/blindstamp-test-XXXXXX";
static char *home, *picture, *copy;
static struct bst_buf bytes; /* of the picture */

#define GOOD(call)                                                                                           \
    do {                                                                                                     \
        struct bst_error err = {0};                                                                          \
        if ((call) != BST_OK) fail_msg("%s: %s %s", #call, err.what, err.where);                             \
    } while (0)

static void make_image(struct bst_image *image, uint8_t salt)
{
    GOOD(bst_image_new(12, 9, 3, 8, image, &err));
    for (size_t i = 0; i < bst_image_size(image); i++)
        image->samples[i] = (uint8_t)(i * 7 + salt);
}

static void stamp_sized(const char *path, uint8_t salt, enum bst_privacy privacy, uint32_t width)
{
    struct bst_stamper *stamper = NULL;
    struct bst_image image = {0};
    bool locked = false;
    const struct bst_stamper_options options = {.home = home};
    const struct bst_generation generation = {.model_name = "ponds",
                                              .model_bytes = 9,
                                              .model_sha256 = {1, 2, 3},
                                              .seed = 18446744073709551615u,
                                              .width = width,
                                              .height = 9,
                                              .truncation = 0.8f,
                                              .title = "Pond",
                                              .prompt = "a still pond",
                                              .arith = BST_ARITH,
                                              .started_ms = 1767225600000,
                                              .finished_ms = 1767225601000,
                                              .privacy = privacy};
    make_image(&image, salt);
    GOOD(bst_stamper_open(&options, &stamper, &locked, &err));
    GOOD(bst_stamp_add(stamper, &image, path, true, &generation, &err));
    GOOD(bst_stamp_commit(stamper, NULL, NULL, &err));
    bst_stamper_close(stamper);
    bst_image_clear(&image);
}

static void stamp(const char *path, uint8_t salt, enum bst_privacy privacy)
{
    stamp_sized(path, salt, privacy, 12);
}

static int setup(void **state)
{
    (void)state;
    struct bst_identity identity;
    if (!mkdtemp(folder)) return -1;
    home = bst_path_join(folder, "home");
    picture = bst_path_join(folder, "picture.png");
    copy = bst_path_join(folder, "copy.png");
    const struct bst_init init = {.home = home, .author = "Ada Example"};
    GOOD(bst_home_init(&init, &identity, &err));
    bst_identity_clear(&identity);
    stamp(picture, 1, BST_PUBLIC);
    GOOD(bst_file_read(picture, 1 << 20, &bytes, &err));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char *command = bst_format("rm -r '%s'", folder);
    int failed = system(command);
    free(command);
    bst_buf_free(&bytes);
    free(home);
    free(picture);
    free(copy);
    return failed;
}

/* The verdict on a file, for the holder of the home or for a stranger. */
static void judge(const char *path, const char *at_home, struct bst_verdict *verdict)
{
    const struct bst_verify_options options = {.home = at_home};
    GOOD(bst_verify(path, &options, verdict, &err));
    assert_true(verdict->words[0]);
}

static enum bst_code code_of(const char *path, const char *at_home)
{
    struct bst_verdict verdict;
    judge(path, at_home, &verdict);
    enum bst_code code = verdict.code;
    bst_verdict_clear(&verdict);
    return code;
}

static enum bst_result result_of(const struct bst_verdict *verdict, const char *id)
{
    for (size_t i = 0; i < verdict->check_count; i++)
        if (!strcmp(verdict->checks[i].id, id)) return verdict->checks[i].result;
    fail_msg("there is no check \"%s\"", id);
    return BST_FAIL;
}

/* Without fsync: thousands of copies are judged. */
static void write_copy(const void *data, size_t len)
{
    unlink(copy); /* rewriting in place would wait for the disk too */
    FILE *file = fopen(copy, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void whole_picture(void **state)
{
    (void)state;
    struct bst_verdict verdict;
    judge(picture, home, &verdict);
    assert_int_equal(verdict.code, BST_OK);
    assert_string_equal(verdict.author, "Ada Example");
    assert_string_equal(verdict.seed, "18446744073709551615");
    assert_string_equal(verdict.title, "Pond");
    assert_string_equal(verdict.made, "2026-01-01T00:00:01Z");
    assert_true(verdict.has_entry);
    assert_int_equal(verdict.entry, 1);
    for (size_t i = 0; i < verdict.check_count; i++)
        /* the pixels are those of the proved bytes */
        if (verdict.checks[i].result != (strcmp(verdict.checks[i].id, "pixels") ? BST_PASS : BST_SKIPPED))
            fail_msg("%s: %s", verdict.checks[i].id, verdict.checks[i].words);
    json_t *object = NULL;
    GOOD(bst_verdict_json(&verdict, &object, &err));
    assert_int_equal(json_integer_value(json_object_get(object, "code")), 0);
    assert_non_null(bst_json_at(object, "statement.predicate"));
    json_decref(object);
    bst_verdict_clear(&verdict);
}

static void stranger_sees_it_intact_but_unconfirmed(void **state)
{
    (void)state;
    struct bst_verdict verdict;
    judge(picture, NULL, &verdict);
    assert_int_equal(verdict.code, BST_UNTRUSTED);
    assert_int_equal(result_of(&verdict, "signature"), BST_PASS);
    assert_int_equal(result_of(&verdict, "signer"), BST_UNKNOWN);
    assert_int_equal(result_of(&verdict, "receipt"), BST_UNKNOWN);
    assert_int_equal(result_of(&verdict, "ledger"), BST_SKIPPED);
    bst_verdict_clear(&verdict);
}

/* The issue asks for every 97th byte; the picture is small enough for every single one. */
static void no_changed_byte_goes_unnoticed(void **state)
{
    (void)state;
    uint8_t *data = malloc(bytes.len);
    assert_non_null(data);
    for (size_t i = 0; i < bytes.len; i++) {
        memcpy(data, bytes.data, bytes.len);
        data[i] ^= (uint8_t)(1u << i % 8);
        write_copy(data, bytes.len);
        enum bst_code code = code_of(copy, home);
        if (code != BST_BROKEN && code != BST_UNREADABLE) fail_msg("byte %zu: code %d", i, code);
    }
    free(data);
}

static void no_missing_or_added_byte_either(void **state)
{
    (void)state;
    uint8_t *data = malloc(bytes.len + 1);
    assert_non_null(data);
    for (size_t i = 0; i < bytes.len; i += 13) {
        write_copy(bytes.data, i);
        assert_int_not_equal(code_of(copy, home), BST_OK);
        memcpy(data, bytes.data, i);
        data[i] = 0;
        memcpy(data + i + 1, bytes.data + i, bytes.len - i);
        write_copy(data, bytes.len + 1);
        assert_int_not_equal(code_of(copy, home), BST_OK);
    }
    memcpy(data, bytes.data, bytes.len);
    data[bytes.len] = 0;
    write_copy(data, bytes.len + 1);
    assert_int_equal(code_of(copy, home), BST_BROKEN);
    free(data);
}

/* A picture without credentials: the ledger at hand still knows its pixels. */
static void stripped_picture(void **state)
{
    (void)state;
    struct bst_verdict verdict;
    struct bst_image image = {0};
    struct bst_buf png = {0};
    make_image(&image, 1);
    GOOD(bst_png_encode(&image, 6, &png, &err));
    write_copy(png.data, png.len);
    judge(copy, home, &verdict);
    assert_int_equal(verdict.code, BST_NO_PROVENANCE);
    assert_true(verdict.has_entry);
    assert_int_equal(verdict.entry, 1);
    assert_non_null(strstr(verdict.words, "entry 1, by Ada Example"));
    bst_verdict_clear(&verdict);
    judge(copy, NULL, &verdict);
    assert_int_equal(verdict.code, BST_NO_PROVENANCE);
    assert_false(verdict.has_entry);
    bst_verdict_clear(&verdict);
    bst_image_clear(&image);

    make_image(&image, 200);
    png.len = 0;
    GOOD(bst_png_encode(&image, 6, &png, &err));
    write_copy(png.data, png.len);
    judge(copy, home, &verdict);
    assert_int_equal(verdict.code, BST_NO_PROVENANCE);
    assert_false(verdict.has_entry);
    bst_verdict_clear(&verdict);
    bst_image_clear(&image);
    bst_buf_free(&png);
}

/* Words kept back are opened by the ledger that keeps them, and by nobody else. */
static void private_words(void **state)
{
    (void)state;
    struct bst_verdict verdict;
    char *path = bst_path_join(folder, "private.png");
    stamp(path, 2, BST_PRIVATE);
    judge(path, home, &verdict);
    assert_int_equal(verdict.code, BST_OK);
    assert_string_equal(verdict.title, "Pond");
    assert_string_equal(verdict.seed, "18446744073709551615");
    bst_verdict_clear(&verdict);
    judge(path, NULL, &verdict);
    assert_int_equal(verdict.code, BST_UNTRUSTED);
    assert_null(verdict.title);
    assert_null(verdict.seed);
    assert_string_equal(verdict.author, "Ada Example");
    bst_verdict_clear(&verdict);
    free(path);
}

static void not_a_picture(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "x", "\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "GIF89a and so on"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_copy(texts[i], strlen(texts[i]));
        assert_int_equal(code_of(copy, home), BST_UNREADABLE);
    }
    assert_int_equal(code_of("/nonexistent/picture.png", home), BST_UNREADABLE);
}

static void replay_without_the_model(void **state)
{
    (void)state;
    struct bst_verdict verdict;
    const struct bst_verify_options options = {.home = home, .replay = true};
    GOOD(bst_verify(picture, &options, &verdict, &err));
    assert_int_equal(verdict.code, BST_NO_PROVENANCE);
    assert_int_equal(result_of(&verdict, "replay"), BST_UNKNOWN);
    assert_int_equal(result_of(&verdict, "signature"), BST_PASS);
    bst_verdict_clear(&verdict);
}

/* A statement that names another size contradicts the picture, and is not worked out. */
static void statement_of_another_size(void **state)
{
    (void)state;
    struct bst_verdict verdict;
    char *path = bst_path_join(folder, "sized.png");
    stamp_sized(path, 3, BST_PUBLIC, 60000);
    const struct bst_verify_options options = {.home = home, .replay = true};
    GOOD(bst_verify(path, &options, &verdict, &err));
    assert_int_equal(verdict.code, BST_BROKEN);
    assert_int_equal(result_of(&verdict, "pixels"), BST_FAIL);
    assert_int_equal(result_of(&verdict, "replay"), BST_FAIL);
    bst_verdict_clear(&verdict);
    free(path);
}

/* ---- replay ---- */

/* A generator of 12 x 9 pixels from a latent of two numbers and noise. */
#define MODEL(extra)                                                                                         \
    "card "                                                                                                  \
    "{\"schema\":\"blindstamp.card/1\",\"name\":\"tiny\",\"inputs\":[{\"name\":\"z\",\"role\":\"latent\"},"  \
    "{\"name\":\"n\",\"role\":\"noise\"}],\"output_low\":-1,\"output_high\":1,\"width\":12,\"height\":9,"    \
    "\"tileable\":true" extra "}\n"                                                                          \
    "in z 1 3 1 1\nin n 1 2 ?9 ?9\nrand w 3 2 1 1\nnode Conv n,w a\nnode Add a,z b\nnode Tanh b y"

struct play {
    char *folder; /* for the model alone */
    char *model, *picture;
    struct bst_generation generation;
    struct bst_controls controls;
    uint64_t mix_seeds[BST_MIX_MAX];
    float mix_weights[BST_MIX_MAX];
    struct bst_image image;
};

/* The same with a convolution that newer rules work out otherwise, and fractions that make its last bits seen. */
#define SENSITIVE                                                                                            \
    "card "                                                                                                  \
    "{\"schema\":\"blindstamp.card/1\",\"name\":\"tiny\",\"inputs\":[{\"name\":\"n\",\"role\":\"noise\"}],"  \
    "\"output_low\":-1,\"output_high\":1,\"width\":12,\"height\":9}\n"                                       \
    "in n 1 16 ?9 ?9\nrand w 16 16 3 3\nrand v 3 16 1 1\nfloats k 300000\n"                                  \
    "node Conv n,w a pads=[1,1,1,1]\nnode Mul a,k b\nnode Floor b q\nnode Sub b,q c\nnode Conv c,v d\nnode " \
    "Tanh d y"

/* The picture for these controls, and all that a statement says of it but the digests of the file. */
static void play_begin_by(struct play *p, const char *text, struct bst_controls controls, const char *arith)
{
    struct bst_model *model = NULL;
    struct bst_generator *generator = NULL;
    struct bst_used used;
    struct bst_run_options run = {.threads = 1};
    assert_true(bst_arith_known(arith, &run.arith));
    *p = (struct play){.folder = bst_path_join(folder, "models"),
                       .picture = bst_path_join(folder, "play.png"),
                       .controls = controls};
    p->model = bst_path_join(p->folder, "tiny.onnx");
    mkdir(p->folder, 0777);
    struct fixture *f = fixture_new(text);
    fixture_write(f, p->model);
    fixture_free(f);
    GOOD(bst_model_open(p->model, &model, &err));
    GOOD(bst_generator_new(model, &run, &generator, &err));
    GOOD(bst_generate(generator, &controls, &p->image, &used, &err));
    p->generation = (struct bst_generation){.model_name = "tiny",
                                            .model_bytes = bst_model_bytes(model),
                                            .seed = controls.seed,
                                            .width = used.width,
                                            .height = used.height,
                                            .truncation = used.truncation,
                                            .tile = used.tile,
                                            .arith = arith,
                                            .started_ms = 1767225600000,
                                            .finished_ms = 1767225601000};
    bst_model_digest(model, p->generation.model_sha256);
    if (used.latent != BST_LATENT_PHILOX) p->generation.latent_generator = bst_latent_name(used.latent);
    for (size_t i = 0; i < used.mix_count && used.mix_count > 1; i++) {
        p->mix_seeds[i] = used.mix[i].seed;
        p->mix_weights[i] = used.mix[i].weight;
        p->generation.mix_count = i + 1;
    }
    p->generation.mix_seeds = p->mix_seeds;
    p->generation.mix_weights = p->mix_weights;
    bst_generator_free(generator);
    bst_model_free(model);
}

static void play_begin(struct play *p, const char *text, struct bst_controls controls)
{
    play_begin_by(p, text, controls, BST_ARITH);
}

/* Stamps the picture as it now is with the statement as it now is, and judges it with a replay. */
static void play_judge(struct play *p, const char *at_home, struct bst_verdict *verdict)
{
    struct bst_stamper *stamper = NULL;
    bool locked = false;
    const struct bst_stamper_options stamping = {.home = home};
    const struct bst_verify_options options = {.home = at_home,
                                               .replay = true,
                                               .models = (const char *const[]){p->folder},
                                               .model_count = 1,
                                               .threads = 1};
    GOOD(bst_stamper_open(&stamping, &stamper, &locked, &err));
    GOOD(bst_stamp_add(stamper, &p->image, p->picture, true, &p->generation, &err));
    GOOD(bst_stamp_commit(stamper, NULL, NULL, &err));
    bst_stamper_close(stamper);
    GOOD(bst_verify(p->picture, &options, verdict, &err));
}

static void play_end(struct play *p)
{
    bst_image_clear(&p->image);
    unlink(p->model);
    free(p->folder);
    free(p->model);
    free(p->picture);
}

/* The verdict must give this result, with these words. */
static void play_expect(struct play *p, const char *at_home, enum bst_result result, const char *words)
{
    struct bst_verdict verdict;
    play_judge(p, at_home, &verdict);
    const struct bst_check *check = &verdict.checks[verdict.check_count - 1];
    assert_string_equal(check->id, "replay");
    if (check->result != result || !strstr(check->words, words)) fail_msg("%s", check->words);
    bst_verdict_clear(&verdict);
}

static void replay_of_every_kind(void **state)
{
    static const struct bst_mix mix[] = {{3, 0.3f}, {4, -0.9f}, {5, 0.777f}};
    const struct bst_controls kinds[] = {
        {.seed = UINT64_MAX, .truncation = 1},
        {.seed = 1, .truncation = 0.1234567f, .width = 17, .height = 5, .tile = true},
        {.seed = UINT32_MAX, .truncation = 1, .latent = BST_LATENT_NUMPY},
        {.seed = 1, .truncation = 1.5f, .latent = BST_LATENT_TORCH},
        {.seed = 3, .truncation = 1, .mix = mix, .mix_count = 3},
        {.seed = 3, .truncation = 0.7f, .mix = mix, .mix_count = 2, .latent = BST_LATENT_TORCH, .tile = true},
    };
    static const char *const models[] = {MODEL(""), MODEL(",\"latent_generator\":\"torch-cpu\"")};
    (void)state;
    for (size_t m = 0; m < 2; m++) {
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            struct play p;
            play_begin(&p, models[m], kinds[i]);
            p.generation.privacy = (enum bst_privacy)((m + i) % 3);
            play_expect(&p, home, BST_PASS, "every pixel is the same");
            if (p.generation.privacy == BST_PARTNER)
                play_expect(&p, NULL, BST_PASS, "every pixel is the same");
            if (p.generation.privacy == BST_PRIVATE) play_expect(&p, NULL, BST_UNKNOWN, "to itself");
            play_end(&p);
        }
    }
}

/* A picture is made again by the rules that it was made by, and comes out otherwise by others. */
static void replay_by_older_rules(void **state)
{
    static const char *const rules[] = {"blindstamp-arith/1", "blindstamp-arith/2", "blindstamp-arith/3"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct play p;
        play_begin_by(&p, SENSITIVE, (struct bst_controls){.seed = 7, .truncation = 1}, rules[i]);
        play_expect(&p, home, BST_PASS, "every pixel is the same");
        p.generation.arith = rules[i == 0];
        play_expect(&p, home, BST_FAIL, "another picture");
        play_end(&p);
    }
}

static void replay_names_what_differs(void **state)
{
    struct play p;
    (void)state;
    /* pixels: how many, how much, where */
    play_begin(&p, MODEL(""), (struct bst_controls){.seed = 7, .truncation = 1});
    uint8_t *at = p.image.samples + (4 * 12 + 5) * 3;
    at[1] = (uint8_t)(at[1] < 100 ? at[1] + 3 : at[1] - 3);
    at[12 * 3] = (uint8_t)(at[12 * 3] < 100 ? at[12 * 3] + 1 : at[12 * 3] - 1);
    play_expect(&p, home, BST_FAIL,
                "2 of 108 pixels differ, by at most 3 levels, the first in row 4, column 5");
    play_end(&p);
    /* controls: another seed, another mix, another way to draw */
    play_begin(&p, MODEL(""), (struct bst_controls){.seed = 7, .truncation = 1});
    p.generation.seed = 8;
    play_expect(&p, home, BST_FAIL, "another picture");
    p.generation.seed = 7;
    p.generation.latent_generator = "torch-cpu";
    play_expect(&p, home, BST_FAIL, "another picture");
    p.generation.latent_generator = NULL;
    p.generation.mix_count = 2;
    p.mix_seeds[0] = 7, p.mix_seeds[1] = 8;
    p.mix_weights[0] = 0.6f, p.mix_weights[1] = 0.8f;
    play_expect(&p, home, BST_FAIL, "another picture");
    p.generation.mix_count = 0;
    play_expect(&p, home, BST_PASS, "");
    /* what this program does not know */
    p.generation.arith = "blindstamp-arith/99";
    play_expect(&p, home, BST_UNKNOWN, "rules blindstamp-arith/99, and this program's newest are " BST_ARITH);
    p.generation.arith = BST_ARITH;
    p.generation.latent_generator = "randu";
    play_expect(&p, home, BST_UNKNOWN, "drawn by \"randu\"");
    p.generation.latent_generator = "numpy-randomstate";
    p.generation.seed = UINT64_MAX;
    play_expect(&p, home, BST_UNKNOWN, "too large for numpy-randomstate");
    play_end(&p);
    /* the model */
    play_begin(&p, MODEL(""), (struct bst_controls){.seed = 7, .truncation = 1});
    struct fixture *f = fixture_new(MODEL(",\"title\":\"Other\""));
    fixture_write(f, p.model);
    fixture_free(f);
    play_expect(&p, home, BST_UNKNOWN, "the model differs: tiny.onnx (SHA-256 ");
    unlink(p.model);
    play_expect(&p, home, BST_UNKNOWN, "the model tiny (SHA-256 ");
    play_end(&p);
}

/* A picture without credentials is made again from the entry that the ledger keeps. */
static void replay_from_the_ledger(void **state)
{
    struct play p;
    struct bst_verdict verdict;
    struct bst_buf png = {0};
    (void)state;
    for (enum bst_privacy privacy = BST_PUBLIC; privacy <= BST_PRIVATE; privacy++) {
        play_begin(&p, MODEL(""), (struct bst_controls){.seed = 50 + privacy, .truncation = 1});
        p.generation.privacy = privacy;
        play_expect(&p, home, BST_PASS, "");
        png.len = 0;
        GOOD(bst_png_encode(&p.image, 6, &png, &err));
        write_copy(png.data, png.len);
        const struct bst_verify_options options = {
            .home = home, .replay = true, .models = (const char *const[]){p.model}, .model_count = 1};
        GOOD(bst_verify(copy, &options, &verdict, &err));
        assert_int_equal(verdict.code, BST_NO_PROVENANCE); /* nothing in the file says so */
        assert_int_equal(result_of(&verdict, "replay"), BST_PASS);
        bst_verdict_clear(&verdict);
        /* its statement is a lie: what comes out is not what the ledger says it is */
        p.generation.seed++;
        p.image.samples[0] ^= 1;
        play_expect(&p, home, BST_FAIL, "another picture");
        png.len = 0;
        GOOD(bst_png_encode(&p.image, 6, &png, &err));
        write_copy(png.data, png.len);
        GOOD(bst_verify(copy, &options, &verdict, &err));
        assert_int_equal(verdict.code, BST_BROKEN);
        bst_verdict_clear(&verdict);
        play_end(&p);
    }
    bst_buf_free(&png);
}

static void show_judges_nothing(void **state)
{
    (void)state;
    json_t *shown = NULL;
    GOOD(bst_show(picture, &shown, &err));
    assert_string_equal(json_string_value(bst_json_at(shown, "file.format")), "PNG");
    assert_int_equal(json_integer_value(bst_json_at(shown, "receipt.entry")), 1);
    assert_non_null(bst_json_at(shown, "statement.predicate.buildDefinition"));
    json_decref(shown);
    /* A signature that does not hold is shown all the same. */
    uint8_t *at = NULL;
    for (size_t i = 0; i + 4 < bytes.len && !at; i++)
        if (!memcmp(bytes.data + i, "IDAT", 4)) at = bytes.data + i;
    assert_non_null(at);
    struct bst_error err = {0};
    write_copy(bytes.data, (size_t)(at - bytes.data));
    assert_int_equal(bst_show(copy, &shown, &err), BST_UNREADABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_picture),
        cmocka_unit_test(stranger_sees_it_intact_but_unconfirmed),
        cmocka_unit_test(no_changed_byte_goes_unnoticed),
        cmocka_unit_test(no_missing_or_added_byte_either),
        cmocka_unit_test(stripped_picture),
        cmocka_unit_test(private_words),
        cmocka_unit_test(not_a_picture),
        cmocka_unit_test(replay_without_the_model),
        cmocka_unit_test(statement_of_another_size),
        cmocka_unit_test(replay_of_every_kind),
        cmocka_unit_test(replay_by_older_rules),
        cmocka_unit_test(replay_names_what_differs),
        cmocka_unit_test(replay_from_the_ledger),
        cmocka_unit_test(show_judges_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
