/* test_plan.c - random graphs: what the plan makes of one, with its fusing, sharing of memory and reordering,
 * is to the bit what its nodes make one at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "onnx_fixture.h"

#define NODES_MAX 40
#define H         6
#define W         21

static char path[64];

struct sketch { /* of a graph; value 0 and 1 are its inputs, value i + 2 node i's output */
    char constants[NODES_MAX][160], node[NODES_MAX][160]; /* lines of the fixture's text */
    int inputs[NODES_MAX][3];                             /* values, -1: none */
    int channels[NODES_MAX + 2];
    int count;
};

static uint64_t state;

static int draw(int limit)
{
    fixture_random(&state);
    return (int)(state >> 40) % limit;
}

static void name_of(int value, char out[16])
{
    snprintf(out, 16, value < 2 ? "x%d" : "v%d", value);
}

/* A value of the same channels as another, often a new one. */
static int partner(const struct sketch *s, int of)
{
    for (int tries = 0; tries < 20; tries++) {
        int v = s->count + 1 - draw(s->count + 2 < 6 ? s->count + 2 : 6);
        if (s->channels[v] == s->channels[of]) return v;
    }
    return of;
}

static void add_node(struct sketch *s)
{
    static const char *const unary[] = {"Relu", "Tanh", "LeakyRelu", "Neg", "Abs", "Sigmoid", "Identity"};
    static const char *const binary[] = {"Add", "Mul", "Sub", "Max"};
    int n = s->count, a = n + 1 - draw(n + 2 < 4 ? n + 2 : 4), b = -1, c = -1, channels = s->channels[a];
    char na[16], nb[16], nc[16], out[16], *constant = s->constants[n], *node = s->node[n];
    size_t room = sizeof s->node[n];
    name_of(a, na);
    name_of(n + 2, out);
    *constant = 0;
    switch (draw(11)) {
    case 0:
    case 1:
        snprintf(node, room, "node %s %s %s", unary[draw(7)], na, out);
        break;
    case 2:
    case 3:
        b = partner(s, a);
        name_of(b, nb);
        snprintf(node, room, "node %s %s,%s %s", binary[draw(4)], na, nb, out);
        break;
    case 4:
        snprintf(constant, room, "rand k%d %d 1 1\n", n, channels);
        snprintf(node, room, "node %s %s,k%d %s", binary[draw(3)], na, n, out);
        break;
    case 5:
        snprintf(constant, room, "rand k%d 1 1 %d %d\n", n, H, W);
        snprintf(node, room, "node %s k%d,%s %s", binary[draw(3)], n, na, out);
        break;
    case 6:
        channels = 1 + draw(14);
        snprintf(constant, room, "rand k%d %d %d 3 3\nrand l%d %d\n", n, channels, s->channels[a], n,
                 channels);
        snprintf(node, room, "node Conv %s,k%d,l%d %s pads=[1,1,1,1]", na, n, n, out);
        break;
    case 7:
        b = n + 1 - draw(n + 2 < 5 ? n + 2 : 5);
        c = draw(2) ? n + 1 - draw(n + 2 < 5 ? n + 2 : 5) : -1;
        name_of(b, nb);
        if (c >= 0) name_of(c, nc);
        channels += s->channels[b] + (c >= 0 ? s->channels[c] : 0);
        snprintf(node, room, "node Concat %s,%s%s%s %s axis=1", na, nb, c >= 0 ? "," : "", c >= 0 ? nc : "",
                 out);
        break;
    case 8:
        snprintf(constant, room, "ints k%d 1 -1 %d %d\n", n, H, W);
        snprintf(node, room, "node Reshape %s,k%d %s", na, n, out);
        break;
    case 9:
        snprintf(constant, room, "rand k%d %d\nrand l%d %d\n", n, channels, n, channels);
        snprintf(node, room, "node InstanceNormalization %s,k%d,l%d %s", na, n, n, out);
        break;
    default:
        snprintf(constant, room, "ints k%d 0\nints l%d %d\nints m%d 1\n", n, n, (channels + 1) / 2, n);
        snprintf(node, room, "node Slice %s,k%d,l%d,m%d %s", na, n, n, n, out);
        channels = (channels + 1) / 2;
        break;
    }
    if (channels > 60) { /* a Concat of Concats: begin again */
        channels = s->channels[a];
        b = c = -1;
        snprintf(node, room, "node Relu %s %s", na, out);
    }
    s->inputs[n][0] = a;
    s->inputs[n][1] = b;
    s->inputs[n][2] = c;
    s->channels[n + 2] = channels;
    s->count++;
}

static void run(const char *text, const struct bst_tensor *inputs, size_t count, struct bst_tensor *out)
{
    struct bst_model *model;
    struct bst_generator *generator = NULL;
    struct bst_run_options options = {.threads = 1};
    struct bst_error err;
    struct fixture *f = fixture_new(text);
    fixture_write(f, path);
    fixture_free(f);
    if (bst_model_open(path, &model, &err) != BST_OK ||
        bst_generator_new(model, &options, &generator, &err) != BST_OK ||
        bst_generator_run(generator, inputs, count, out, &err) != BST_OK)
        fail_msg("%s\n%s (%s)", text, err.what, err.where);
    bst_generator_free(generator);
    bst_model_free(model);
}

/* The sketch's value, made by a graph of one node. */
static void run_alone(const struct sketch *s, int n, struct bst_tensor *values)
{
    struct bst_tensor inputs[3];
    char text[1024], name[16];
    size_t count = 0, len = 0;
    for (size_t i = 0; i < 3; i++) {
        int v = s->inputs[n][i];
        bool again = v < 0 || (i > 0 && v == s->inputs[n][0]) || (i > 1 && v == s->inputs[n][1]);
        if (again) continue;
        name_of(v, name);
        len +=
            (size_t)snprintf(text + len, sizeof text - len, "in %s 1 %d %d %d\n", name, s->channels[v], H, W);
        inputs[count++] = values[v];
    }
    snprintf(text + len, sizeof text - len, "%s%s", s->constants[n], s->node[n]);
    struct fixture *f = fixture_new(text); /* for the inputs' names */
    for (size_t i = 0; i < count; i++)
        inputs[i].name = f->inputs[i].name;
    run(text, inputs, count, &values[n + 2]);
    fixture_free(f);
}

static void try_graph(uint64_t seed)
{
    struct sketch s = {.channels = {3, 5}};
    struct bst_tensor values[NODES_MAX + 2], whole;
    char text[16384];
    state = seed;
    int nodes = 3 + draw(NODES_MAX - 3);
    size_t len = (size_t)snprintf(text, sizeof text, "in x0 1 3 %d %d\nin x1 1 5 %d %d\n", H, W, H, W);
    while (s.count < nodes)
        add_node(&s);
    for (int n = 0; n < s.count; n++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s\n", s.constants[n], s.node[n]);
    struct fixture *f = fixture_new(text);
    values[0] = f->inputs[0];
    values[1] = f->inputs[1];
    for (int n = 0; n < s.count; n++)
        run_alone(&s, n, values);
    run(text, f->inputs, 2, &whole);
    size_t bytes = (size_t)(s.channels[s.count + 1] * H * W) * sizeof(float);
    if (memcmp(whole.data, values[s.count + 1].data, bytes) != 0)
        fail_msg("seed %llu:\n%s", (unsigned long long)seed, text);
    free(whole.data);
    for (int n = 0; n < s.count; n++)
        free(values[n + 2].data);
    fixture_free(f);
}

static void test_random_graphs(void **unused)
{
    (void)unused;
    for (uint64_t seed = 1; seed <= 60; seed++)
        try_graph(seed);
}

/* ---- whole numbers, parameters and several outputs ---- */

static struct bst_model *model;
static struct bst_generator *generator;

static struct fixture *open_text(const char *text)
{
    struct bst_run_options options = {.threads = 2};
    struct bst_error err;
    struct fixture *f = fixture_new(text);
    fixture_write(f, path);
    if (bst_model_open(path, &model, &err) != BST_OK ||
        bst_generator_new(model, &options, &generator, &err) != BST_OK)
        fail_msg("%s\n%s (%s)", text, err.what, err.where);
    return f;
}

static void close_text(struct fixture *f)
{
    bst_generator_free(generator);
    bst_model_free(model);
    fixture_free(f);
}

/* Labels choose rows while the plan runs; a label that is none is an error, and the next run is right again. */
static void test_labels(void **unused)
{
    struct fixture *f = open_text("rand e 10 3\nintin l 10 2\nnode Gather e,l g\nnode Neg g y");
    const float *rows = (const float *)(const void *)f->graph.initializer[0]->raw_data.data;
    static const int64_t labels[][2] = {{3, 9}, {-1, 0}, {10, 0}, {0, -11}, {7, 7}};
    struct bst_tensor out;
    struct bst_error err;
    (void)unused;
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        f->inputs[0].ints[0] = labels[i][0];
        f->inputs[0].ints[1] = labels[i][1];
        enum bst_code code = bst_generator_run(generator, f->inputs, 1, &out, &err);
        if (i == 2 || i == 3) {
            assert_int_equal(code, BST_USAGE);
            assert_non_null(strstr(err.what, "out of range"));
            assert_non_null(strstr(err.where, "Gather"));
            assert_null(out.data);
            continue;
        }
        assert_int_equal(code, BST_OK);
        for (size_t k = 0; k < 6; k++) {
            size_t row = (size_t)(labels[i][k / 3] + (labels[i][k / 3] < 0 ? 10 : 0));
            assert_true(out.data[k] == -rows[row * 3 + k % 3]);
        }
        free(out.data);
    }
    close_text(f);
}

/* An input that dims follow from: a plan for each of its values. */
static void test_size_given(void **unused)
{
    struct fixture *f =
        open_text("in x 1 3\nintin n 5 1\nints d 3\nnode Concat n,d s axis=0\nnode Expand x,s e\n"
                  "node Relu e y");
    struct bst_tensor out;
    struct bst_error err;
    (void)unused;
    for (int64_t n = 1; n < 6; n++) {
        f->inputs[1].ints[0] = n % 3;
        assert_int_equal(bst_generator_run(generator, f->inputs, 2, &out, &err), BST_OK);
        assert_int_equal(out.dims[0], n % 3);
        assert_int_equal(out.dims[1], 3);
        free(out.data);
    }
    f->inputs[1].ints[0] = -2;
    assert_int_equal(bst_generator_run(generator, f->inputs, 2, &out, &err), BST_UNREADABLE);
    assert_non_null(strstr(err.where, "Expand"));
    close_text(f);
}

/* Outputs by name and by place, also one that another output is made of and one that is an input. */
static void test_outputs(void **unused)
{
    struct fixture *f = open_text("in x 2 3\nintin i 9 4\nnode Neg x a\nnode Relu a b\nnode Add b,x c\n"
                                  "node Add i,i k\nout c\nout a\nintout k\nout x");
    struct bst_tensor outs[4] = {{0}}, one = {.name = "k"}, none = {.name = "b"};
    struct bst_error err;
    (void)unused;
    assert_int_equal(bst_generator_run_outputs(generator, f->inputs, 2, outs, 4, &err), BST_OK);
    assert_string_equal(outs[3].name, "x");
    for (size_t i = 0; i < 6; i++) {
        float x = f->inputs[0].data[i];
        assert_true(outs[1].data[i] == -x);
        assert_true(outs[0].data[i] == (-x < 0 ? 0 : -x) + x);
        assert_true(outs[3].data[i] == x);
    }
    assert_null(outs[2].data);
    for (size_t i = 0; i < 4; i++) {
        assert_true(outs[2].ints[i] == 2 * f->inputs[1].ints[i]);
        free(outs[i].data);
    }
    free(outs[2].ints);
    assert_int_equal(bst_generator_run_outputs(generator, f->inputs, 2, &one, 1, &err), BST_OK);
    assert_true(one.ints[3] == 2 * f->inputs[1].ints[3]);
    free(one.ints);
    assert_int_equal(bst_generator_run_outputs(generator, f->inputs, 2, &none, 1, &err), BST_USAGE);
    assert_non_null(strstr(err.what, "no output 'b'"));
    struct bst_tensor wrong[2] = {f->inputs[0], f->inputs[1]};
    wrong[1].data = wrong[0].data;
    wrong[1].ints = NULL;
    assert_int_equal(bst_generator_run_outputs(generator, wrong, 2, outs, 1, &err), BST_USAGE);
    assert_non_null(strstr(err.what, "whole"));
    close_text(f);
}

/* Outputs are made in memory of their own: one twice, two that share it, one whose parts are made in it. */
static void test_outputs_apart(void **unused)
{
    struct fixture *f =
        open_text("in x 1 6\nints d 2 3\nnode Neg x a\nnode Relu x b\nnode Concat a,b c axis=1\n"
                  "node Reshape b,d e\nout c\nout b\nout e\nout b");
    struct bst_tensor outs[4] = {{0}};
    struct bst_error err;
    (void)unused;
    for (int round = 0; round < 2; round++) {
        f->inputs[0].data[round] += 0.5f;
        assert_int_equal(bst_generator_run_outputs(generator, f->inputs, 1, outs, 4, &err), BST_OK);
        assert_int_equal(outs[2].dims[0], 2);
        for (size_t i = 0; i < 6; i++) {
            float x = f->inputs[0].data[i], positive = x > 0 ? x : 0;
            assert_true(outs[0].data[i] == -x);
            for (size_t k = 0; k < 4; k++)
                assert_true(outs[k].data[i + (k == 0 ? 6 : 0)] == positive);
        }
        for (size_t k = 0; k < 4; k++)
            free(outs[k].data);
    }
    close_text(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_graphs), cmocka_unit_test(test_labels),
        cmocka_unit_test(test_size_given),    cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_outputs_apart),
    };
    snprintf(path, sizeof path, "/tmp/blindstamp-plan-%ld.onnx", (long)getpid());
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
