/* test_winograd.c - 3 x 3 convolution by Winograd's algorithm: bit by bit what arithmetic.md says, worked out
 * here one number at a time; on every instruction set, with any number of threads and in any batch; chosen
 * by dims alone; as accurate as a chain of multiply-adds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "onnx_run.h"

/* ---- the specification, number by number ---- */

static void in_line(const float d[6], float v[6])
{
    const float a = 0.6875f, b = 1.5f, a2 = 0.47265625f, b2 = 2.25f;
    float e1 = fmaf(-b2, d[2], d[4]), o1 = fmaf(-b2, d[1], d[3]);
    float e2 = fmaf(-a2, d[2], d[4]), o2 = fmaf(-a2, d[1], d[3]);
    v[0] = fmaf(1.0634765625f, d[0], fmaf(-2.72265625f, d[2], d[4]));
    v[1] = fmaf(a, o1, e1);
    v[2] = fmaf(-a, o1, e1);
    v[3] = fmaf(b, o2, e2);
    v[4] = fmaf(-b, o2, e2);
    v[5] = fmaf(1.0634765625f, d[1], fmaf(-2.72265625f, d[3], d[5]));
}

static void out_line(const float m[6], float y[4])
{
    float s1 = m[1] + m[2], d1 = m[1] - m[2], s2 = m[3] + m[4], d2 = m[3] - m[4];
    y[0] = (m[0] + s1) + s2;
    y[1] = fmaf(1.5f, d2, 0.6875f * d1);
    y[2] = fmaf(2.25f, s2, 0.47265625f * s1);
    y[3] = fmaf(3.375f, d2, fmaf(0.324951171875f, d1, m[5]));
}

static void weight_line(const double g[3], double u[6])
{
    double ca = -32768.0 / 55055.0, cb = 512.0 / 4095.0;
    double e1 = (g[0] + g[2] * 0.47265625) * ca, o1 = (g[1] * 0.6875) * ca;
    double e2 = (g[0] + g[2] * 2.25) * cb, o2 = (g[1] * 1.5) * cb;
    u[0] = g[0] * (1024.0 / 1089.0);
    u[1] = e1 + o1;
    u[2] = e1 - o1;
    u[3] = e2 + o2;
    u[4] = e2 - o2;
    u[5] = g[2];
}

struct shape {
    size_t batch, groups, in, out; /* channels of a group */
    size_t h, w, pad;
    bool bias;
};

static void weights_of(const float *g, float u[36])
{
    double t[3][6], column[3], line[6];
    for (size_t l = 0; l < 3; l++) {
        for (size_t k = 0; k < 3; k++)
            column[k] = (double)g[k * 3 + l];
        weight_line(column, t[l]);
    }
    for (size_t i = 0; i < 6; i++) {
        const double row[3] = {t[0][i], t[1][i], t[2][i]};
        weight_line(row, line);
        for (size_t j = 0; j < 6; j++)
            u[i * 6 + j] = (float)line[j];
    }
}

/* The transformed input tile whose first output is (y, x). */
static void input_of(const struct shape *s, const float *channel, size_t y, size_t x, float v[36])
{
    float t[6][6], column[6], line[6];
    for (size_t j = 0; j < 6; j++) {
        for (size_t i = 0; i < 6; i++) {
            int64_t r = (int64_t)(y + i) - (int64_t)s->pad, c = (int64_t)(x + j) - (int64_t)s->pad;
            bool inside = r >= 0 && c >= 0 && r < (int64_t)s->h && c < (int64_t)s->w;
            column[i] = inside ? channel[(size_t)r * s->w + (size_t)c] : 0.0f;
        }
        in_line(column, line);
        for (size_t i = 0; i < 6; i++)
            t[i][j] = line[i];
    }
    for (size_t i = 0; i < 6; i++)
        in_line(t[i], v + i * 6);
}

static void add_tile(const struct shape *s, const float *x, const float *w, float bias, size_t y, size_t at,
                     float out[4][4])
{
    float sum[36], piece[36], u[36], v[36];
    size_t size = s->in >= 128 ? 64 : s->in >= 64 ? 32 : s->in >= 32 ? 16 : 8;
    for (size_t c = 0; c < s->in; c++) {
        weights_of(w + c * 9, u);
        input_of(s, x + c * s->h * s->w, y, at, v);
        for (size_t p = 0; p < 36; p++) {
            piece[p] = fmaf(u[p], v[p], c % size == 0 ? 0.0f : piece[p]);
            if (c % size == size - 1 || c + 1 == s->in) sum[p] = c < size ? piece[p] : sum[p] + piece[p];
        }
    }
    float half[4][6], column[6], line[4];
    for (size_t j = 0; j < 6; j++) {
        for (size_t i = 0; i < 6; i++)
            column[i] = sum[i * 6 + j];
        out_line(column, line);
        for (size_t i = 0; i < 4; i++)
            half[i][j] = line[i];
    }
    for (size_t i = 0; i < 4; i++) {
        out_line(half[i], out[i]);
        for (size_t j = 0; j < 4; j++)
            out[i][j] = out[i][j] + bias;
    }
}

static void text_of(const struct shape *s, char text[512])
{
    char bias[32] = "";
    if (s->bias) snprintf(bias, sizeof bias, "rand b %zu\n", s->groups * s->out);
    snprintf(text, 512,
             "in x %zu %zu %zu %zu\nrand w %zu %zu 3 3\n%snode Conv x,w%s y pads=[%zu,%zu,%zu,%zu] group=%zu",
             s->batch, s->groups * s->in, s->h, s->w, s->groups * s->out, s->in, bias, s->bias ? ",b" : "",
             s->pad, s->pad, s->pad, s->pad, s->groups);
}

static void expect_specified(const struct shape *s)
{
    char text[512];
    struct bst_tensor out = {0};
    struct bst_error err;
    text_of(s, text);
    struct fixture *f = fixture_new(text);
    if (run_fixture(f, NULL, 2, &out, &err) != BST_OK) fail_msg("%s: %s", text, err.what);
    const float *w = tensor_named(f, "w"), *b = s->bias ? tensor_named(f, "b") : NULL;
    size_t oh = s->h + 2 * s->pad - 2, ow = s->w + 2 * s->pad - 2, outs = s->groups * s->out;
    for (size_t plane = 0; plane < s->batch * outs; plane++) {
        size_t o = plane % outs, g = o / s->out, image = plane / outs;
        const float *x = f->inputs[0].data + (image * s->groups + g) * s->in * s->h * s->w;
        for (size_t y = 0; y < oh; y += 4) {
            for (size_t at = 0; at < ow; at += 4) {
                float tile[4][4];
                add_tile(s, x, w + o * s->in * 9, b != NULL ? b[o] : 0.0f, y, at, tile);
                for (size_t i = 0; i < 16; i++) {
                    size_t r = y + i / 4, c = at + i % 4;
                    if (r >= oh || c >= ow) continue;
                    float made = out.data[(plane * oh + r) * ow + c];
                    if (memcmp(&made, &tile[i / 4][i % 4], sizeof made) != 0)
                        fail_msg("%s: channel %zu, place %zu,%zu is %a, not %a", text, o, r, c, (double)made,
                                 (double)tile[i / 4][i % 4]);
                }
            }
        }
    }
    free(out.data);
    fixture_free(f);
    expect_same_bits(text, text);
}

static const struct shape shapes[] = {
    {1, 1, 16, 16, 12, 12, 1, true},  {2, 1, 17, 19, 13, 21, 1, true}, {1, 2, 16, 20, 18, 34, 1, false},
    {1, 1, 33, 16, 9, 130, 0, true},  {3, 1, 16, 18, 16, 16, 2, true}, {1, 1, 64, 21, 5, 66, 1, true},
    {1, 1, 130, 16, 12, 12, 1, true}, {1, 1, 20, 17, 70, 6, 1, false},
};

static void test_specified(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        expect_specified(&shapes[i]);
}

/* Weights that the network makes are the same to the bit as constants; so is each picture of a batch. */
static void test_live_weights(void **state)
{
    static const char constant[] = "in x 2 16 14 15\nrand v 18 16 3 3\nfloats one 1\nnode Mul v,one w\n"
                                   "node Conv x,w y pads=[1,1,1,1]";
    static const char live[] = "in x 2 16 14 15\nin one 1\nrand v 18 16 3 3\nnode Mul v,one w\n"
                               "node Conv x,w y pads=[1,1,1,1]";
    struct fixture *a = fixture_new(constant);
    struct bst_tensor x = {0};
    struct bst_error err;
    (void)state;
    expect_live_same(constant, live);
    assert_int_equal(run_fixture(a, NULL, 2, &x, &err), BST_OK);
    struct fixture *single = fixture_new("in x 1 16 14 15\nrand v 18 16 3 3\nfloats one 1\nnode Mul v,one w\n"
                                         "node Conv x,w y pads=[1,1,1,1]");
    for (size_t n = 0; n < 2; n++) {
        struct bst_tensor z = {0};
        memcpy(single->inputs[0].data, a->inputs[0].data + n * 16 * 14 * 15, 16 * 14 * 15 * sizeof(float));
        assert_int_equal(run_fixture(single, NULL, 1, &z, &err), BST_OK);
        assert_memory_equal(z.data, x.data + n * 18 * 14 * 15, 18 * 14 * 15 * sizeof(float));
        free(z.data);
    }
    free(x.data);
    fixture_free(a);
    fixture_free(single);
}

/* ---- when ---- */

static bool by_winograd(const char *text)
{
    return versions_differ(text, 1, 2);
}

/* Where the rules say so, and nowhere else; version 1 has no such rule. */
static void test_when(void **state)
{
    (void)state;
    assert_true(by_winograd("in x 1 16 12 12\nrand w 16 16 3 3\nnode Conv x,w y pads=[1,1,1,1]"));
    assert_true(by_winograd("in x 1 32 9 10\nrand w 32 16 3 3\nnode Conv x,w y pads=[1,1,1,1] group=2"));
    assert_true(by_winograd("in x 1 16 12 12\nrand w 16 16 3 3\nnode Conv x,w y auto_pad='SAME_UPPER'"));
    assert_false(by_winograd("in x 1 15 12 12\nrand w 16 15 3 3\nnode Conv x,w y pads=[1,1,1,1]"));
    assert_false(by_winograd("in x 1 16 12 12\nrand w 15 16 3 3\nnode Conv x,w y pads=[1,1,1,1]"));
    assert_false(by_winograd("in x 1 16 8 8\nrand w 16 16 3 3\nnode Conv x,w y pads=[1,1,1,1]"));
    assert_false(by_winograd("in x 1 16 30 30\nrand w 16 16 3 3\nnode Conv x,w y strides=[2,1]"));
    assert_false(by_winograd("in x 1 16 30 30\nrand w 16 16 3 3\nnode Conv x,w y dilations=[1,2]"));
    assert_false(by_winograd("in x 1 16 30 30\nrand w 16 16 3 1\nnode Conv x,w y"));
    assert_false(by_winograd("in x 1 16 30 30\nrand w 16 16 3 3\nnode ConvTranspose x,w y"));
}

/* ---- how well ---- */

/* Greatest errors against double precision, of both versions of the rules. */
static void errors(size_t channels, size_t outs, size_t side, double error[2])
{
    char text[256];
    snprintf(text, sizeof text, "in x 1 %zu %zu %zu\nrand w %zu %zu 3 3\nnode Conv x,w y", channels, side,
             side, outs, channels);
    struct bst_tensor made[2] = {run_version(text, 1), run_version(text, 2)};
    struct fixture *f = fixture_new(text);
    const float *w = tensor_named(f, "w"), *x = f->inputs[0].data;
    error[0] = error[1] = 0;
    for (size_t o = 0, at = 0; o < outs; o++) {
        for (size_t i = 0; i < (side - 2) * (side - 2); i++, at++) {
            double sum = 0;
            for (size_t k = 0; k < channels * 9; k++)
                sum += (double)w[o * channels * 9 + k] *
                       (double)x[(k / 9 * side + i / (side - 2) + k % 9 / 3) * side + i % (side - 2) + k % 3];
            for (size_t v = 0; v < 2; v++)
                error[v] = fmax(error[v], fabs((double)made[v].data[at] - sum));
        }
    }
    free(made[0].data);
    free(made[1].data);
    fixture_free(f);
}

static void test_accuracy(void **state)
{
    static const size_t channels[] = {16, 24, 32, 48, 64, 100, 128, 256};
    (void)state;
    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++) {
        double error[2];
        errors(channels[i], 16, 26, error);
        if (error[1] > 2 * error[0])
            fail_msg("%zu channels: error %g, and %g with a chain", channels[i], error[1], error[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_specified),
        cmocka_unit_test(test_live_weights),
        cmocka_unit_test(test_when),
        cmocka_unit_test(test_accuracy),
    };
    return cmocka_run_group_tests(tests, run_path_make, run_path_remove);
}
