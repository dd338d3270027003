/* test_onnx.c - reading model files: every way of storing constants, and everything a file can get wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph.h"
#include "onnx_fixture.h"

static const char *const plain =
    "in x 1 3 ?8 ?9\nrand w 4 3 3 3\nrand b 4\nints p 0 0 1 1 0 0 1 1\n"
    "node Pad x,p q mode='reflect'\nnode Conv q,w,b c strides=[1,1]\nnode LeakyRelu c y alpha=0.2";

static enum bst_code read_fixture(struct fixture *f, struct bst_error *err)
{
    struct bst_buf bytes = {0};
    struct graph *graph = NULL;
    memset(err, 0, sizeof *err);
    fixture_pack(f, &bytes);
    enum bst_code code = graph_read(bytes.data, bytes.len, "test.onnx", &graph, err);
    assert_true((code == BST_OK) == (graph != NULL));
    graph_free(graph);
    bst_buf_free(&bytes);
    return code;
}

static void expect_refusal(struct fixture *f, const char *word, const char *place)
{
    struct bst_error err;
    assert_int_equal(read_fixture(f, &err), BST_UNREADABLE);
    if (strstr(err.what, word) == NULL || strstr(err.where, place) == NULL)
        fail_msg("says '%s' at '%s', not '%s' at '%s'", err.what, err.where, word, place);
    assert_non_null(strstr(err.where, "test.onnx"));
}

static void test_reads(void **state)
{
    struct fixture *f = fixture_new(plain);
    struct bst_buf bytes = {0};
    struct bst_error err;
    struct graph *graph;
    (void)state;
    fixture_pack(f, &bytes);
    assert_int_equal(graph_read(bytes.data, bytes.len, "test.onnx", &graph, &err), BST_OK);
    assert_int_equal(graph->node_count, 3);
    assert_int_equal(graph->input_count, 1);
    assert_int_equal(graph->inputs[0].dims[0], 1);
    assert_int_equal(graph->inputs[0].dims[2], -1);
    assert_int_equal(graph->parameters, 4 * 27 + 4);
    assert_int_equal(graph->opset, 17);
    assert_string_equal(node_string(&graph->nodes[0], "mode", ""), "reflect");
    assert_true(node_float(&graph->nodes[2], "alpha", 0) == 0.2f);
    graph_free(graph);
    bst_buf_free(&bytes);
    fixture_free(f);
}

/* Each type of constant, in raw bytes and in its own field, gives the same numbers. */
static void test_constant_types(void **state)
{
    static const struct {
        int type;
        bool raw;
        uint8_t bytes[8];
        size_t len;
        double want;
    } cases[] = {
        {1, true, {0, 0, 0xc0, 0x3f}, 4, 1.5},
        {10, true, {0, 0x3e}, 2, 1.5},
        {10, true, {1, 0}, 2, 0x1p-24},
        {10, true, {0, 0xbc}, 2, -1},
        {16, true, {0xc0, 0xbf}, 2, -1.5},
        {11, true, {0, 0, 0, 0, 0, 0, 0xf8, 0x3f}, 8, 1.5},
        {7, true, {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 8, -2},
        {6, true, {0xfd, 0xff, 0xff, 0xff}, 4, -3},
        {3, true, {0xff}, 1, -1},
        {2, true, {0xff}, 1, 255},
        {9, true, {1}, 1, 1},
        {1, false, {0}, 0, 2.5},
        {11, false, {0}, 0, 2.5},
        {10, false, {0}, 0, 1.5},
        {7, false, {0}, 0, -7},
        {6, false, {0}, 0, 0x3e00},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *f = fixture_new("in x 1 3\nrand w 1\nnode Relu x y");
        Onnx__TensorProto *t = f->graph.initializer[0];
        float float_value = 2.5f;
        double double_value = 2.5;
        int64_t long_value = -7;
        int32_t int_value = 0x3e00;
        struct bst_buf bytes = {0};
        struct bst_error err;
        struct graph *graph;
        t->data_type = cases[i].type;
        t->has_raw_data = cases[i].raw;
        memcpy(t->raw_data.data, cases[i].bytes, cases[i].len < 4 ? cases[i].len : 4);
        t->raw_data.data = memcpy(fixture_take(f, 8), cases[i].bytes, 8);
        t->raw_data.len = cases[i].len;
        if (!cases[i].raw && cases[i].type == 1) t->n_float_data = 1, t->float_data = &float_value;
        if (!cases[i].raw && cases[i].type == 11) t->n_double_data = 1, t->double_data = &double_value;
        if (!cases[i].raw && cases[i].type == 7) t->n_int64_data = 1, t->int64_data = &long_value;
        if (!cases[i].raw && (cases[i].type == 6 || cases[i].type == 10))
            t->n_int32_data = 1, t->int32_data = &int_value;
        fixture_pack(f, &bytes);
        assert_int_equal(graph_read(bytes.data, bytes.len, "test.onnx", &graph, &err), BST_OK);
        const struct tensor *c = graph->values[0].constant;
        double have = c->kind == KIND_FLOAT ? (double)tensor_floats(c)[0] : (double)tensor_ints(c)[0];
        if (have != cases[i].want) fail_msg("case %zu gives %g, not %g", i, have, cases[i].want);
        graph_free(graph);
        bst_buf_free(&bytes);
        fixture_free(f);
    }
}

static void test_refuses_constants(void **state)
{
    struct fixture *f = fixture_new(plain);
    Onnx__TensorProto *t = f->graph.initializer[0];
    int64_t huge[3] = {0x7fffffff, 0x7fffffff, 0x7fffffff}, negative[1] = {-4},
            nine[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    Onnx__TensorProto saved = *t;
    (void)state;
    t->raw_data.len -= 4;
    expect_refusal(f, "bytes of data", "");
    t->raw_data.len -= 3;
    expect_refusal(f, "bytes of data", "");
    *t = saved;
    t->dims = huge, t->n_dims = 3;
    expect_refusal(f, "impossible dimensions", "");
    t->dims = negative, t->n_dims = 1;
    expect_refusal(f, "impossible dimensions", "");
    t->dims = nine, t->n_dims = 9;
    expect_refusal(f, "9 dimensions", "");
    *t = saved;
    t->has_raw_data = 0;
    expect_refusal(f, "0 elements", "");
    *t = saved;
    t->data_type = 8;
    expect_refusal(f, "string", "");
    t->data_type = 99;
    expect_refusal(f, "unknown", "");
    *t = saved;
    t->has_data_location = 1, t->data_location = 1;
    expect_refusal(f, "does not say where", "");
    *t = saved;
    t->name = f->graph.initializer[1]->name;
    expect_refusal(f, "defined twice", "");
    *t = saved;
    fixture_free(f);
}

static void test_refuses_graphs(void **state)
{
    struct fixture *f = fixture_new(plain);
    struct bst_error err;
    Onnx__NodeProto *conv = f->graph.node[1],
                    *saved_nodes[3] = {f->graph.node[0], f->graph.node[1], f->graph.node[2]};
    char *op = conv->op_type, *input = conv->input[0], *output = conv->output[0];
    (void)state;
    assert_int_equal(read_fixture(f, &err), BST_OK);
    conv->op_type = (char *)"Det";
    expect_refusal(f, "Det is not supported", "node 1 (Det, opset 17)");
    conv->op_type = op;
    conv->domain = (char *)"com.microsoft";
    expect_refusal(f, "com.microsoft", "node 1 (Conv");
    conv->domain = NULL;
    conv->input[0] = (char *)"nothing";
    expect_refusal(f, "'nothing' is not made", "node 1 (Conv");
    conv->input[0] = conv->output[0];
    expect_refusal(f, "is not made", "node 1 (Conv");
    conv->input[0] = input;
    conv->output[0] = f->graph.node[0]->output[0];
    expect_refusal(f, "defined twice", "node 1 (Conv");
    conv->output[0] = output;
    conv->n_input = 1;
    expect_refusal(f, "1 inputs", "node 1 (Conv");
    conv->n_input = 3;
    f->graph.node[0] = saved_nodes[2], f->graph.node[2] = saved_nodes[0];
    expect_refusal(f, "is not made", "node 0 (LeakyRelu");
    f->graph.node[0] = saved_nodes[0], f->graph.node[2] = saved_nodes[2];
    f->graph.output[0]->name = (char *)"nothing";
    expect_refusal(f, "output 'nothing'", "");
    f->graph.n_output = 0;
    expect_refusal(f, "no output", "");
    f->graph.n_output = 1;
    f->graph.output[0]->name = saved_nodes[2]->output[0];
    f->opset.version = 5;
    expect_refusal(f, "set 5", "");
    f->opset.version = 22;
    expect_refusal(f, "set 22", "");
    f->opset.version = 17;
    f->graph.input[0]->type->tensor_type->elem_type = 8;
    expect_refusal(f, "string", "");
    f->graph.input[0]->type->tensor_type->elem_type = 1;
    f->graph.input[0]->type->tensor_type->shape->dim[1]->dim_value = (int64_t)1 << 40;
    expect_refusal(f, "impossible dimension", "");
    fixture_free(f);
}

/* Branches may be nested eight deep. What they take is bounded by the file's size. */
static void test_nested_branches(void **state)
{
    (void)state;
    for (size_t depth = 8; depth <= 9; depth++) {
        char text[1024] = "in x 1 3\nint c 1\n";
        struct bst_error err;
        for (size_t i = 0; i < depth; i++)
            strcat(text, "if c y\n");
        for (size_t i = 0; i < depth; i++)
            strcat(text, i == 0 ? "out x\nelse\nout x\nend\n" : "out y\nelse\nout x\nend\n");
        struct fixture *f = fixture_new(text);
        assert_int_equal(read_fixture(f, &err), depth == 8 ? BST_OK : BST_UNREADABLE);
        if (depth == 9) assert_non_null(strstr(err.what, "nested"));
        if (depth == 9) assert_non_null(strstr(err.where, "node 0 (If, opset 17)"));
        fixture_free(f);
    }
}

/* A subgraph nested a hundred thousand deep lies in a bytes field and is never unpacked. */
static void test_deep_subgraph(void **state)
{
    struct fixture *f = fixture_new("in x 1 3\nnode Relu x y alpha=0.1");
    Onnx__AttributeProto *a = f->graph.node[0]->attribute[0];
    struct bst_error err;
    size_t len = 300000;
    uint8_t *deep = fixture_take(f, len);
    (void)state;
    for (size_t i = 0; i < len; i++)
        deep[i] = i % 3 == 0 ? 0x0a : 0x7f;
    a->type = 5;
    a->has_g = 1;
    a->g.data = deep;
    a->g.len = len;
    assert_int_equal(read_fixture(f, &err), BST_UNREADABLE);
    assert_non_null(strstr(err.what, "type (5)"));
    fixture_free(f);
}

/* Two bytes of file for an empty node, over and over: refused without taking memory for all of them. */
static void test_memory_is_bounded(void **state)
{
    enum { NODES = 1 << 22 };
    struct bst_buf bytes = {0};
    struct bst_error err;
    struct graph *graph;
    uint8_t head[] = {0x3a, 0x80, 0x80, 0x80, 0x04}; /* field 7, a graph of NODES * 2 bytes */
    (void)state;
    bst_buf_append(&bytes, head, sizeof head);
    for (size_t i = 0; i < NODES; i++)
        bst_buf_append(&bytes, "\x0a\x00", 2);
    assert_int_equal(graph_read(bytes.data, bytes.len, "test.onnx", &graph, &err), BST_UNREADABLE);
    bst_buf_free(&bytes);
}

static void test_truncated_and_mutated(void **state)
{
    struct fixture *f = fixture_new(plain);
    struct bst_buf bytes = {0};
    struct bst_error err;
    struct graph *graph;
    uint64_t random = 5;
    (void)state;
    fixture_pack(f, &bytes);
    for (size_t len = 0; len < bytes.len; len++) {
        enum bst_code code = graph_read(bytes.data, len, "test.onnx", &graph, &err);
        if (code == BST_OK) graph_free(graph); /* what is left may happen to be a smaller model */
        assert_true(code == BST_OK || code == BST_UNREADABLE);
    }
    for (size_t round = 0; round < 20000; round++) {
        uint8_t saved[8];
        size_t at[8], changes = round % 8 + 1;
        for (size_t i = 0; i < changes; i++) {
            fixture_random(&random);
            at[i] = (size_t)(random >> 33) % bytes.len;
            saved[i] = bytes.data[at[i]];
            bytes.data[at[i]] = (uint8_t)(random >> 24);
        }
        if (graph_read(bytes.data, bytes.len, "test.onnx", &graph, &err) == BST_OK) graph_free(graph);
        for (size_t i = changes; i-- > 0;)
            bytes.data[at[i]] = saved[i];
    }
    bst_buf_free(&bytes);
    fixture_free(f);
}

/* Large constants are used where they lie in the file's bytes, whatever their place in it; half-width ones are
 * converted. Names of growing length give every alignment. */
static void test_large_constants(void **state)
{
    (void)state;
    for (size_t odd = 1; odd <= 8; odd++) {
        char text[256];
        snprintf(text, sizeof text,
                 "in x 1 2048\nrand %.*s 1 2048\nrand b 1 2048\nhalf h 1 2048\nnode Mul x,%.*s u\n"
                 "node Add u,b v\nnode Add v,h y",
                 (int)odd, "wwwwwwww", (int)odd, "wwwwwwww");
        struct fixture *f = fixture_new(text);
        struct bst_buf bytes = {0}, whole = {0};
        struct bst_error err;
        struct graph *graph, *other;
        fixture_pack(f, &bytes);
        assert_int_equal(graph_read(bytes.data, bytes.len, "test.onnx", &graph, &err), BST_OK);
        assert_non_null(graph->file.data);
        /* The same graph in two parts, the second empty, is unpacked as it is. */
        bst_buf_append(&whole, bytes.data, bytes.len);
        bst_buf_append(&whole, "\x3a\x00", 2);
        assert_int_equal(graph_read(whole.data, whole.len, "test.onnx", &other, &err), BST_OK);
        assert_null(other->file.data);
        size_t constants = 0;
        for (size_t v = 0; v < graph->value_count; v++) {
            const struct tensor *a = graph->values[v].constant, *b = other->values[v].constant;
            if (a == NULL) continue;
            const uint8_t *at = a->data, *file = graph->file.data;
            bool inside = at >= file && at < file + graph->file.len;
            assert_true(inside == (strcmp(graph->values[v].name, "h") != 0));
            assert_int_equal((uintptr_t)at % sizeof(float), 0);
            assert_int_equal(a->count, 2048);
            assert_memory_equal(a->data, b->data, a->count * sizeof(float));
            constants++;
        }
        assert_int_equal(constants, 3);
        graph_free(graph);
        graph_free(other);
        for (size_t len = 0; len < bytes.len; len += 97) {
            enum bst_code code = graph_read(bytes.data, len, "test.onnx", &graph, &err);
            if (code == BST_OK) graph_free(graph);
            assert_true(code == BST_OK || code == BST_UNREADABLE);
        }
        bst_buf_free(&bytes);
        bst_buf_free(&whole);
        fixture_free(f);
    }
}

/* ---- constants in other files ---- */

static char folder[64];

static void external_path(const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", folder, name);
}

static void external_write(const char *name, const void *data, size_t len)
{
    char path[128];
    external_path(name, path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void external_say(struct fixture *f, Onnx__TensorProto *t, const char *const (*entries)[2],
                         size_t count)
{
    t->has_data_location = 1, t->data_location = 1;
    t->has_raw_data = 0;
    t->n_external_data = count;
    t->external_data = fixture_take(f, count * sizeof(void *));
    for (size_t i = 0; i < count; i++) {
        t->external_data[i] = fixture_take(f, sizeof *t->external_data[i]);
        onnx__string_string_entry_proto__init(t->external_data[i]);
        t->external_data[i]->key = (char *)entries[i][0];
        t->external_data[i]->value = (char *)entries[i][1];
    }
}

static enum bst_code external_open(struct fixture *f, struct bst_model **model, struct bst_error *err)
{
    char path[128];
    external_path("m.onnx", path);
    fixture_write(f, path);
    memset(err, 0, sizeof *err);
    return bst_model_open(path, model, err);
}

static int external_begin(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/blindstamp-external-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int external_end(void **state)
{
    static const char *const names[] = {"m.onnx", "w.bin", "in/w.bin", "in", "away", "link"};
    char path[128];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        external_path(names[i], path);
        remove(path);
    }
    return rmdir(folder);
}

/* The numbers are those of the other file, aligned or not, and the model says which files it read. */
static void test_external(void **state)
{
    static const char *const aligned[][2] = {{"location", "in/w.bin"}, {"offset", "8"}, {"length", "16"}};
    static const char *const odd[][2] = {{"location", "w.bin"}, {"offset", "5"}};
    struct fixture *f = fixture_new("in x 4\nrand w 4\nrand v 4\nnode Mul x,w a\nnode Add a,v y");
    float w[4] = {1, 2, 3, 4}, v[4] = {5, 6, 7, 8};
    uint8_t first[24] = {0}, second[21] = {0}, digest[BST_SHA256_LEN];
    struct bst_run_options options = {.threads = 1};
    struct bst_generator *generator;
    struct bst_model *model;
    struct bst_tensor out;
    struct bst_error err;
    char path[128];
    size_t count;
    (void)state;
    external_path("in", path);
    assert_int_equal(mkdir(path, 0700), 0);
    memcpy(first + 8, w, sizeof w);
    memcpy(second + 5, v, sizeof v);
    external_write("in/w.bin", first, sizeof first);
    external_write("w.bin", second, sizeof second);
    external_say(f, f->graph.initializer[0], aligned, 3);
    external_say(f, f->graph.initializer[1], odd, 2);
    assert_int_equal(external_open(f, &model, &err), BST_OK);
    const struct bst_external_file *files = bst_model_external(model, &count);
    assert_int_equal(count, 2);
    assert_string_equal(files[0].name, "in/w.bin");
    assert_int_equal(files[1].bytes, sizeof second);
    bst_sha256(second, sizeof second, digest);
    assert_memory_equal(files[1].digest, digest, sizeof digest);
    assert_int_equal(bst_generator_new(model, &options, &generator, &err), BST_OK);
    assert_int_equal(bst_generator_run(generator, f->inputs, 1, &out, &err), BST_OK);
    for (size_t i = 0; i < 4; i++)
        assert_true(out.data[i] == f->inputs[0].data[i] * w[i] + v[i]);
    free(out.data);
    bst_generator_free(generator);
    bst_model_free(model);
    fixture_free(f);
}

/* Names that leave the folder, links, missing and short files, places that are none. */
static void test_external_refused(void **state)
{
    static const struct {
        const char *entries[3][2];
        size_t count;
        const char *word;
    } cases[] = {
        {{{"location", "/etc/passwd"}}, 1, "no name of a file within"},
        {{{"location", "../w.bin"}}, 1, "no name of a file within"},
        {{{"location", "in/../w.bin"}}, 1, "no name of a file within"},
        {{{"location", "in/"}}, 1, "no name of a file within"},
        {{{"location", "./w.bin"}}, 1, "no name of a file within"},
        {{{"location", ""}}, 1, "no name of a file within"},
        {{{"location", "in//w.bin"}}, 1, "no name of a file within"},
        {{{"location", "away"}}, 1, "link"},
        {{{"location", "link/w.bin"}}, 1, "link"},
        {{{"location", "w.bin/x"}}, 1, "link"},
        {{{"location", "in"}}, 1, "folder"},
        {{{"location", "nothing"}}, 1, "cannot open"},
        {{{"offset", "0"}}, 1, "does not say"},
        {{{"location", "w.bin"}, {"offset", "6"}}, 2, "ends before"},
        {{{"location", "w.bin"}, {"offset", "18446744073709551615"}}, 2, "does not say"},
        {{{"location", "w.bin"}, {"offset", "1844674407370955160"}}, 2, "ends before"},
        {{{"location", "w.bin"}, {"offset", "-1"}}, 2, "does not say"},
        {{{"location", "w.bin"}, {"offset", ""}}, 2, "does not say"},
        {{{"location", "w.bin"}, {"offset", "5"}, {"length", "12"}}, 3, "12 bytes"},
        {{{"location", "w.bin"}, {"offset", "5"}, {"length", "16"}}, 3, NULL},
    };
    char path[128], target[128];
    struct bst_error err;
    (void)state;
    external_path("away", path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    external_path("link", path);
    external_path("in", target);
    assert_int_equal(symlink(target, path), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fixture *f = fixture_new("in x 4\nrand w 4\nnode Mul x,w y");
        struct bst_model *model = NULL;
        external_say(f, f->graph.initializer[0], cases[i].entries, cases[i].count);
        enum bst_code code = external_open(f, &model, &err);
        if ((code == BST_OK) != (cases[i].word == NULL)) fail_msg("case %zu: %s", i, err.what);
        if (code != BST_OK && (strstr(err.what, cases[i].word) == NULL || model != NULL))
            fail_msg("case %zu says '%s'", i, err.what);
        bst_model_free(model);
        fixture_free(f);
    }
}

static void test_no_file(void **state)
{
    struct bst_model *model = NULL;
    struct bst_error err;
    (void)state;
    assert_int_equal(bst_model_open("/nonexistent/model.onnx", &model, &err), BST_UNREADABLE);
    assert_null(model);
    assert_int_equal(bst_model_open("/", &model, &err), BST_UNREADABLE);
    assert_null(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_constant_types),
        cmocka_unit_test(test_refuses_constants),
        cmocka_unit_test(test_refuses_graphs),
        cmocka_unit_test(test_deep_subgraph),
        cmocka_unit_test(test_nested_branches),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_truncated_and_mutated),
        cmocka_unit_test(test_large_constants),
        cmocka_unit_test(test_external),
        cmocka_unit_test(test_external_refused),
        cmocka_unit_test(test_no_file),
    };
    return cmocka_run_group_tests(tests, external_begin, external_end);
}
