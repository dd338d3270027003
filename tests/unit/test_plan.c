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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_graphs)};
    snprintf(path, sizeof path, "/tmp/blindstamp-plan-%ld.onnx", (long)getpid());
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
