/* test_network.c - what a plan is told to hold, and its drawing: counts against hand-made ones, names that try to
 * break out of the text, and graphs of many nodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "onnx_fixture.h"

static char path[64];

struct shown {
    struct bst_model *model;
    struct bst_generator *generator;
    struct bst_network network;
};

static struct shown show(const char *text, const struct bst_run_options *options, uint32_t width,
                         uint32_t height)
{
    struct shown s = {0};
    struct bst_error err;
    struct fixture *f = fixture_new(text);
    fixture_write(f, path);
    fixture_free(f);
    if (bst_model_open(path, &s.model, &err) != BST_OK) fail_msg("%s (%s)", err.what, err.where);
    if (bst_generator_new(s.model, options, &s.generator, &err) != BST_OK) fail_msg("%s", err.what);
    if (bst_network_describe(s.generator, width, height, &s.network, &err) != BST_OK)
        fail_msg("%s (%s)", err.what, err.where);
    return s;
}

static void hide(struct shown *s)
{
    bst_network_clear(&s->network);
    bst_generator_free(s->generator);
    bst_model_free(s->model);
}

static char *drawing(const struct shown *s)
{
    struct bst_buf svg = {0};
    struct bst_error err;
    assert_int_equal(bst_network_svg(&s->network, "A <title> & more", &svg, &err), BST_OK);
    assert_non_null(bst_buf_string(&svg));
    return (char *)svg.data;
}

static size_t count_of(const char *text, const char *word)
{
    size_t count = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        count++;
    return count;
}

/* Tags open and close in order, and no text holds a bare sign. */
static void well_formed(const char *svg)
{
    const char *open[64];
    size_t lengths[64], depth = 0;
    for (const char *at = svg; *at != 0; at++) {
        if (*at == '&' && strncmp(at, "&amp;", 5) && strncmp(at, "&lt;", 4) && strncmp(at, "&gt;", 4) &&
            strncmp(at, "&quot;", 6))
            fail_msg("a bare &: %.40s", at);
        if (*at != '<') continue;
        const char *end = strchr(at, '>');
        if (end == NULL) fail_msg("a tag is not closed: %.40s", at);
        if (at[1] == '?') {
        } else if (at[1] == '/') {
            if (depth-- == 0 || strncmp(open[depth], at + 2, lengths[depth]))
                fail_msg("closes what: %.40s", at);
        } else if (end[-1] != '/') {
            assert_true(depth < 64);
            open[depth] = at + 1;
            lengths[depth++] = strcspn(at + 1, " >");
        }
        at = end;
    }
    assert_int_equal(depth, 0);
}

static const struct bst_run_options plain = {.threads = 1};

static void layers_and_their_work(void **state)
{
    struct shown s = show("in x 1 3 ?8 ?8\nrand w 16 3 3 3\nrand b 16\nrand v 3 16 1 1\n"
                          "node Conv x,w,b a pads=[1,1,1,1]\nnode Relu a c\nnode Conv c,v d\nnode Tanh d y",
                          &plain, 40, 24);
    (void)state;
    assert_int_equal(s.network.input_count, 1);
    assert_int_equal(s.network.layer_count, 2);
    const struct bst_layer *first = &s.network.layers[0], *second = &s.network.layers[1];
    assert_string_equal(first->op, "Conv");
    assert_string_equal(first->detail, "3\xc3\x97"
                                       "3");
    assert_string_equal(first->fused, "Relu");
    assert_int_equal(first->parameters, 16 * 3 * 9 + 16);
    assert_int_equal(first->macs, (uint64_t)40 * 24 * 16 * 27);
    assert_int_equal(second->macs, (uint64_t)40 * 24 * 3 * 16);
    assert_int_equal(s.network.macs, first->macs + second->macs);
    assert_true(first->rank == 4 && first->dims[1] == 16 && first->dims[2] == 24 && first->dims[3] == 40);
    assert_true(first->source_count == 1 && first->sources[0] == 0);
    assert_true(second->source_count == 1 && second->sources[0] == 1);
    assert_int_equal(s.network.output, 2);
    assert_int_equal(s.network.operator_count, 3);
    assert_string_equal(s.network.operators[0].op, "Conv");
    assert_int_equal(s.network.operators[0].count, 2);
    assert_true(s.network.memory > 40 * 24 * 16 * 4);
    hide(&s);
}

static void products_of_each_kind(void **state)
{
    struct shown s =
        show("in z 1 8\nrand g 8 48\nints s 1 3 4 4\nrand t 3 3 4 4\nnode Gemm z,g a\nnode Reshape a,s b\n"
             "node ConvTranspose b,t c strides=[2,2] pads=[1,1,1,1]\nnode Tanh c y",
             &plain, 0, 0);
    (void)state;
    uint64_t gemm = 0, turned = 0;
    for (size_t i = 0; i < s.network.layer_count; i++) {
        if (strcmp(s.network.layers[i].op, "Gemm") == 0) gemm = s.network.layers[i].macs;
        if (strcmp(s.network.layers[i].op, "ConvTranspose") == 0) turned = s.network.layers[i].macs;
    }
    assert_int_equal(gemm, 8 * 48);
    assert_int_equal(turned, 3 * 16 * 3 * 16); /* every input number meets 3 channels of 4 x 4 taps */
    hide(&s);
}

static void a_profile_adds_up(void **state)
{
    static const struct bst_run_options profiled = {.threads = 1, .profile = true};
    struct shown s = show("in z 1 6 ?12 ?12\nrand w 3 6 3 3\nnode Conv z,w a pads=[1,1,1,1]\nnode Tanh a y",
                          &profiled, 64, 64);
    struct bst_controls controls = {.truncation = 1, .width = 64, .height = 64};
    struct bst_image image;
    struct bst_error err;
    (void)state;
    assert_true(s.network.layers[0].seconds == 0 && s.network.runs == 0);
    double start = bst_monotonic_s();
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(bst_generate(s.generator, &controls, &image, NULL, &err), BST_OK);
        bst_image_clear(&image);
    }
    double all = bst_monotonic_s() - start;
    bst_network_clear(&s.network);
    assert_int_equal(bst_network_describe(s.generator, 64, 64, &s.network, &err), BST_OK);
    assert_int_equal(s.network.runs, 3);
    assert_true(s.network.layers[0].seconds > 0 && s.network.layers[0].seconds <= all);
    hide(&s);
}

static void drawn_with_hostile_names(void **state)
{
    struct shown s = show("in <script>alert(1)</script>&\"\x01 1 3 ?8 ?8\nrand w 3 3 3 3\n"
                          "node Conv <script>alert(1)</script>&\"\x01,w a pads=[1,1,1,1]\nnode Tanh a y",
                          &plain, 16, 16);
    char *svg = drawing(&s);
    (void)state;
    well_formed(svg);
    assert_null(strstr(svg, "<script"));
    assert_non_null(strstr(svg, "&lt;script&gt;"));
    assert_non_null(strstr(svg, "A &lt;title&gt; &amp; more"));
    assert_null(strchr(svg, 1));
    free(svg);
    hide(&s);
}

static void repeats_are_drawn_once(void **state)
{
    struct bst_buf text = {0};
    (void)state;
    bst_buf_text(&text, "in x 1 8 ?8 ?8\nrand w 8 8 3 3\nrand v 3 8 1 1\nnode Conv x,w a0 pads=[1,1,1,1]\n");
    for (size_t i = 0; i < 12; i++)
        bst_buf_printf(&text,
                       "node Conv a%zu,w b%zu pads=[1,1,1,1]\nnode Relu b%zu c%zu\nnode Conv c%zu,w d%zu "
                       "pads=[1,1,1,1]\nnode Add d%zu,a%zu a%zu\n",
                       i, i, i, i, i, i, i, i, i + 1);
    bst_buf_text(&text, "node Conv a12,v y");
    struct shown s = show(bst_buf_string(&text), &plain, 16, 16);
    assert_int_equal(s.network.layer_count, 1 + 12 * 2 + 1);
    char *svg = drawing(&s);
    well_formed(svg);
    assert_int_equal(count_of(svg, ">\xc3\x97 12</text>"), 1);
    assert_int_equal(count_of(svg, ">Conv "), 4); /* the first, two of the block, the last */
    free(svg);
    bst_buf_free(&text);
    hide(&s);
}

/* A thousand layers, none like the other, that read each other far and near. */
static void a_thousand_layers(void **state)
{
    struct bst_buf text = {0};
    uint64_t random = 7;
    (void)state;
    bst_buf_text(&text,
                 "in x 1 3 ?8 ?8\nrand v 3 3 1 1\nrand w 3 3 3 3\nnode Conv x,v a0\nnode Relu a0 z0\n");
    for (size_t i = 1; i < 1000; i++) {
        size_t back = 1 + (size_t)((fixture_random(&random) + 1.0f) * 20.0f), far = i > back ? i - back : 0;
        if (i % 7 == 3)
            bst_buf_printf(&text, "node Conv z%zu,w z%zu pads=[1,1,1,1]\n", i - 1, i);
        else if (i % 5 == 0)
            bst_buf_printf(&text, "node Mul z%zu,z%zu z%zu\n", i - 1, far, i);
        else
            bst_buf_printf(&text, "node Conv z%zu,v z%zu\n", i - 1, i);
    }
    bst_buf_text(&text, "node Tanh z999 y");
    struct shown s = show(bst_buf_string(&text), &plain, 8, 8);
    double start = bst_monotonic_s();
    char *svg = drawing(&s);
    assert_true(bst_monotonic_s() - start < 10);
    well_formed(svg);
    assert_true(strlen(svg) < 3000000);
    assert_null(strstr(svg, "nan"));
    assert_null(strstr(svg, "inf"));
    free(svg);
    bst_buf_free(&text);
    hide(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_and_their_work),  cmocka_unit_test(products_of_each_kind),
        cmocka_unit_test(a_profile_adds_up),      cmocka_unit_test(drawn_with_hostile_names),
        cmocka_unit_test(repeats_are_drawn_once), cmocka_unit_test(a_thousand_layers),
    };
    snprintf(path, sizeof path, "/tmp/test_network_%d.onnx", (int)getpid());
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
