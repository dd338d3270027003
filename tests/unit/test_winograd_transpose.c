/* test_winograd_transpose.c - ConvTranspose with 3 x 3 weights and strides of 2 by Winograd's algorithm: bit by bit what
 * arithmetic.md says, worked out here one number at a time; on every instruction set, with any number of threads and in
 * any batch; chosen by dims and version alone; as accurate as a sum of products. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "onnx_run.h"

/* ---- the specification, number by number ---- */

static void weight_line(const float w[3], float u[7])
{
    u[0] = w[2];
    u[1] = (w[2] + w[0]) * 0.5f;
    u[2] = (w[2] - w[0]) * 0.5f;
    u[3] = w[0];
    u[4] = u[5] = u[6] = w[1];
}

static void in_line(const float d[4], float v[7])
{
    v[0] = d[0] - d[2];
    v[1] = d[1] + d[2];
    v[2] = d[2] - d[1];
    v[3] = d[3] - d[1];
    v[4] = d[1];
    v[5] = d[2];
    v[6] = d[3];
}

static void out_line(const float m[7], float y[6])
{
    float s = m[1] + m[2];
    y[0] = m[0] + s;
    y[1] = m[4];
    y[2] = m[1] - m[2];
    y[3] = m[5];
    y[4] = s + m[3];
    y[5] = m[6];
}

struct shape {
    size_t batch, groups, in, out; /* channels of a group */
    size_t h, w, top, left, bottom, right, extra_y, extra_x;
    bool bias;
};

static size_t out_h(const struct shape *s)
{
    return 2 * s->h + 1 + s->extra_y - s->top - s->bottom;
}

static size_t out_w(const struct shape *s)
{
    return 2 * s->w + 1 + s->extra_x - s->left - s->right;
}

static void weights_of(const float *w, float u[7][7])
{
    float t[3][7], column[3];
    for (size_t l = 0; l < 3; l++) {
        for (size_t k = 0; k < 3; k++)
            column[k] = w[k * 3 + l];
        weight_line(column, t[l]);
    }
    for (size_t i = 0; i < 7; i++) {
        float row[3] = {t[0][i], t[1][i], t[2][i]};
        weight_line(row, u[i]);
    }
}

static void input_of(const struct shape *s, const float *channel, size_t ty, size_t tx, float v[7][7])
{
    float t[4][7], column[4];
    for (size_t j = 0; j < 4; j++) {
        for (size_t i = 0; i < 4; i++) {
            size_t y = 3 * ty + i, x = 3 * tx + j; /* one too many */
            bool inside = y >= 1 && y <= s->h && x >= 1 && x <= s->w;
            column[i] = inside ? channel[(y - 1) * s->w + x - 1] : 0.0f;
        }
        in_line(column, t[j]);
    }
    for (size_t i = 0; i < 7; i++) {
        float row[4] = {t[0][i], t[1][i], t[2][i], t[3][i]};
        in_line(row, v[i]);
    }
}

static void make_tile(const struct shape *s, const float *x, const float *w, float bias, size_t ty, size_t tx,
                      float out[6][6])
{
    float sum[7][7], piece[7][7], u[7][7], v[7][7], half[7][6], column[7], line[6];
    size_t size = s->in >= 128 ? 64 : s->in >= 64 ? 32 : s->in >= 32 ? 16 : 8;
    for (size_t c = 0; c < s->in; c++) {
        weights_of(w + c * s->out * 9, u);
        input_of(s, x + c * s->h * s->w, ty, tx, v);
        for (size_t i = 0; i < 7; i++) {
            for (size_t j = 0; j < 7; j++) {
                piece[i][j] = fmaf(u[i][j], v[i][j], c % size == 0 ? 0.0f : piece[i][j]);
                if (c % size == size - 1 || c + 1 == s->in)
                    sum[i][j] = c < size ? piece[i][j] : sum[i][j] + piece[i][j];
            }
        }
    }
    for (size_t j = 0; j < 7; j++) {
        for (size_t i = 0; i < 7; i++)
            column[i] = sum[i][j];
        out_line(column, half[j]);
    }
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = 0; j < 7; j++)
            column[j] = half[j][i];
        out_line(column, line);
        for (size_t j = 0; j < 6; j++)
            out[i][j] = line[j] + bias;
    }
}

static void text_of(const struct shape *s, char text[512])
{
    char bias[32] = "";
    if (s->bias) snprintf(bias, sizeof bias, "rand b %zu\n", s->groups * s->out);
    snprintf(text, 512,
             "in x %zu %zu %zu %zu\nrand w %zu %zu 3 3\n%snode ConvTranspose x,w%s y strides=[2,2] "
             "pads=[%zu,%zu,%zu,%zu] output_padding=[%zu,%zu] group=%zu",
             s->batch, s->groups * s->in, s->h, s->w, s->groups * s->in, s->out, bias, s->bias ? ",b" : "",
             s->top, s->left, s->bottom, s->right, s->extra_y, s->extra_x, s->groups);
}

static void expect_plane(const struct shape *s, const float *x, const float *w, float bias, const float *made)
{
    float tile[6][6];
    size_t h = out_h(s), width = out_w(s);
    for (size_t ty = s->top / 6; 6 * ty < h + s->top; ty++) {
        for (size_t tx = s->left / 6; 6 * tx < width + s->left; tx++) {
            make_tile(s, x, w, bias, ty, tx, tile);
            for (size_t i = 0; i < 36; i++) {
                size_t r = 6 * ty + i / 6 - s->top, c = 6 * tx + i % 6 - s->left;
                if (r < h && c < width &&
                    memcmp(&made[r * width + c], &tile[i / 6][i % 6], sizeof *made) != 0)
                    fail_msg("%zu to %zu channels of %zu x %zu: place %zu,%zu is %a, not %a", s->in, s->out,
                             s->h, s->w, r, c, (double)made[r * width + c], (double)tile[i / 6][i % 6]);
            }
        }
    }
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
    size_t outs = s->groups * s->out;
    for (size_t plane = 0; plane < s->batch * outs; plane++) {
        size_t o = plane % outs, g = o / s->out, image = plane / outs;
        expect_plane(s, f->inputs[0].data + (image * s->groups + g) * s->in * s->h * s->w,
                     w + (g * s->in * s->out + o % s->out) * 9, b != NULL ? b[o] : 0.0f,
                     out.data + plane * out_h(s) * out_w(s));
    }
    free(out.data);
    fixture_free(f);
    expect_same_bits(text, text);
}

static const struct shape shapes[] = {
    {1, 1, 16, 16, 9, 8, 0, 0, 0, 0, 0, 0, false},    {2, 1, 17, 19, 10, 14, 1, 1, 1, 1, 1, 1, true},
    {1, 2, 16, 20, 8, 11, 2, 1, 0, 1, 0, 1, false},   {1, 1, 33, 16, 5, 70, 0, 3, 2, 0, 0, 0, true},
    {3, 1, 16, 18, 9, 12, 7, 13, 0, 0, 0, 0, true},   {1, 1, 64, 21, 12, 8, 1, 1, 0, 0, 0, 0, true},
    {1, 1, 130, 17, 23, 24, 0, 0, 0, 0, 3, 9, false}, {1, 1, 20, 33, 40, 3, 0, 0, 1, 1, 1, 0, false},
};

static void test_specified(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        expect_specified(&shapes[i]);
}

/* Enough channels and tiles for several passes and several tasks. */
static void test_large(void **state)
{
    static const struct shape large = {1, 1, 132, 124, 38, 39, 0, 1, 0, 1, 0, 1, true};
    (void)state;
    expect_specified(&large);
}

/* Weights that the network makes are the same to the bit as constants; so is what is fused behind. */
static void test_live_weights(void **state)
{
    static const char constant[] = "in x 2 16 9 10\nrand v 16 18 3 3\nfloats one 1\nnode Mul v,one w\n"
                                   "node ConvTranspose x,w z strides=[2,2]\nnode Relu z y";
    static const char live[] = "in x 2 16 9 10\nin one 1\nrand v 16 18 3 3\nnode Mul v,one w\n"
                               "node ConvTranspose x,w z strides=[2,2]\nnode Relu z y";
    (void)state;
    expect_live_same(constant, live);
}

/* ---- when ---- */

static bool by_winograd(const char *text)
{
    return versions_differ(text, 2, 3);
}

/* Few channels: sums in pieces are one chain there, so that versions differ by the algorithm alone. */
static void test_when(void **state)
{
    (void)state;
    assert_true(by_winograd("in x 1 16 9 9\nrand w 16 16 3 3\nnode ConvTranspose x,w y strides=[2,2]"));
    assert_true(
        by_winograd("in x 1 32 4 13\nrand w 32 16 3 3\nnode ConvTranspose x,w y strides=[2,2] group=2"));
    assert_false(by_winograd("in x 1 15 9 9\nrand w 15 16 3 3\nnode ConvTranspose x,w y strides=[2,2]"));
    assert_false(by_winograd("in x 1 16 9 9\nrand w 16 15 3 3\nnode ConvTranspose x,w y strides=[2,2]"));
    assert_false(by_winograd("in x 1 16 5 5\nrand w 16 16 3 3\nnode ConvTranspose x,w y strides=[2,2]"));
    assert_false(by_winograd("in x 1 16 9 9\nrand w 16 16 3 3\nnode ConvTranspose x,w y strides=[2,1]"));
    assert_false(by_winograd("in x 1 16 9 9\nrand w 16 16 4 4\nnode ConvTranspose x,w y strides=[2,2]"));
    assert_false(by_winograd(
        "in x 1 16 9 9\nrand w 16 16 3 3\nnode ConvTranspose x,w y strides=[2,2] dilations=[1,2]"));
}

/* ---- how well ---- */

/* The exact number at (row, column) of an output channel. */
static double exact(const float *x, const float *w, size_t channels, size_t outs, size_t side, size_t row,
                    size_t column)
{
    double sum = 0;
    for (size_t c = 0; c < channels; c++) {
        for (size_t k = 0; k < 9; k++) {
            size_t y = row - k / 3, z = column - k % 3;
            if (y > row || z > column || y % 2 != 0 || z % 2 != 0 || y / 2 >= side || z / 2 >= side) continue;
            sum += (double)w[c * outs * 9 + k] * (double)x[(c * side + y / 2) * side + z / 2];
        }
    }
    return sum;
}

static void test_accuracy(void **state)
{
    static const size_t channels[] = {16, 32, 64, 128, 256};
    (void)state;
    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++) {
        char text[256];
        double error[2] = {0, 0};
        size_t side = 15, out = 2 * side + 1, n = channels[i];
        snprintf(text, sizeof text,
                 "in x 1 %zu %zu %zu\nrand w %zu 16 3 3\nnode ConvTranspose x,w y strides=[2,2]", n, side,
                 side, n);
        struct bst_tensor made[2] = {run_version(text, 1), run_version(text, 3)};
        struct fixture *f = fixture_new(text);
        for (size_t at = 0; at < 16 * out * out; at++) {
            double sum = exact(f->inputs[0].data, tensor_named(f, "w") + at / out / out * 9, n, 16, side,
                               at / out % out, at % out);
            for (size_t v = 0; v < 2; v++)
                error[v] = fmax(error[v], fabs((double)made[v].data[at] - sum));
        }
        if (error[1] > 1.5 * error[0])
            fail_msg("%zu channels: error %g, and %g with a chain", n, error[1], error[0]);
        free(made[0].data);
        free(made[1].data);
        fixture_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_specified),    cmocka_unit_test(test_large),
        cmocka_unit_test(test_live_weights), cmocka_unit_test(test_when),
        cmocka_unit_test(test_accuracy),
    };
    return cmocka_run_group_tests(tests, run_path_make, run_path_remove);
}
