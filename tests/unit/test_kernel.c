/* test_kernel.c - the arithmetic core: equal bits in every instruction set over all kinds of numbers,
 * accuracy against double precision, and the fixed trees against their definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

#define COUNT 40000

static uint64_t state = 88172645463325252u;

static uint32_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 16);
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Any bit pattern, everyday numbers, and the special ones. */
static void fill(float *x, size_t n)
{
    static const float special[] = {0.0f,      -0.0f,      1.0f,      -1.0f,   INFINITY, -INFINITY, NAN,
                                    0x1p-149f, -0x1p-149f, 0x1p-126f, 0x1p23f, 0x1p24f,  0.5f,      -0.5f,
                                    1.5f,      2.5f,       0.625f,    -0.625f, 88.72f,   88.73f,    -103.97f,
                                    -87.3f,    10.0f,      127.5f,    255.0f,  3.4e38f,  -3.4e38f};
    size_t specials = sizeof special / sizeof special[0];
    for (size_t i = 0; i < n; i++) {
        uint32_t r = draw();
        if (i < specials)
            x[i] = special[i];
        else if (i % 2 == 0)
            x[i] = float_of(draw());
        else
            x[i] = ((float)(r >> 8) * 0x1p-24f - 0.5f) * (r & 1 ? 4.0f : 60.0f);
    }
}

static bool same(const float *a, const float *b, size_t n, size_t *where)
{
    for (size_t i = 0; i < n; i++) {
        if (memcmp(&a[i], &b[i], sizeof *a) == 0 || (isnan(a[i]) && isnan(b[i]))) continue;
        *where = i;
        return false;
    }
    return true;
}

static const struct bst_kernels *tables[3];
static size_t table_count;

static float x[COUNT + 64], y[COUNT + 64], one[2 * COUNT + 64], other[2 * COUNT + 64];

static void test_unary_bits(void **unused)
{
    (void)unused;
    size_t where = 0;
    static const float parameters[][2] = {{0.2f, 0.3f}, {-1.0f, 1.0f}, {2.0f, -0.5f},
                                          {0.5f, 0.0f}, {-1.5f, 7.0f}, {0.37f, 0.0f}};
    fill(x, COUNT);
    for (int op = BST_U_COPY; op <= BST_U_POW; op++)
        for (size_t p = 0; p < sizeof parameters / sizeof parameters[0]; p++)
            for (size_t n = COUNT - 3; n < COUNT; n++)
                for (size_t k = 1; k < table_count; k++) {
                    tables[0]->unary((enum bst_unary)op, x, one, n, parameters[p][0], parameters[p][1]);
                    tables[k]->unary((enum bst_unary)op, x, other, n, parameters[p][0], parameters[p][1]);
                    if (!same(one, other, n, &where))
                        fail_msg("function %d of %a: %a in scalar, %a in %s", op, (double)x[where],
                                 (double)one[where], (double)other[where], tables[k]->isa);
                }
}

static void test_binary_bits(void **unused)
{
    (void)unused;
    size_t where = 0;
    fill(x, COUNT);
    fill(y, COUNT);
    memmove(y + 100, y, 1000 * sizeof *y);
    for (int op = BST_B_ADD; op <= BST_B_POW; op++)
        for (size_t steps = 0; steps < 4; steps++)
            for (size_t k = 1; k < table_count; k++) {
                tables[0]->binary((enum bst_binary)op, x + 30, steps & 1, y + 30, steps >> 1, one,
                                  COUNT - 31);
                tables[k]->binary((enum bst_binary)op, x + 30, steps & 1, y + 30, steps >> 1, other,
                                  COUNT - 31);
                if (!same(one, other, COUNT - 31, &where))
                    fail_msg("function %d at %zu in %s", op, where, tables[k]->isa);
            }
}

static void test_other_bits(void **unused)
{
    (void)unused;
    static uint32_t low[COUNT], high[COUNT], place[COUNT];
    static float weight[COUNT];
    static uint8_t samples[2][3 * COUNT];
    size_t where = 0;
    fill(x, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        weight[i] = (float)(draw() >> 8) * 0x1p-24f - 0.3f;
        place[i] = draw() % (COUNT / 8);
        low[i] = draw();
        high[i] = draw();
    }
    for (size_t k = 1; k < table_count; k++) {
        const struct bst_kernels *a = tables[0], *b = tables[k];
        a->blend(x, y, 0.3f, 0.7f, one, COUNT - 5);
        b->blend(x, y, 0.3f, 0.7f, other, COUNT - 5);
        assert_true(same(one, other, COUNT - 5, &where));
        for (size_t taps = 1; taps <= 4; taps++) {
            a->combine(x, 7, place, weight, 5, taps, one, 1003);
            b->combine(x, 7, place, weight, 5, taps, other, 1003);
            assert_true(same(one, other, 1003, &where));
            a->gather(x, place, weight, COUNT / 4, taps, one, COUNT / 4 - 1);
            b->gather(x, place, weight, COUNT / 4, taps, other, COUNT / 4 - 1);
            assert_true(same(one, other, COUNT / 4 - 1, &where));
        }
        a->interleave(x, y, one, COUNT - 1);
        b->interleave(x, y, other, COUNT - 1);
        assert_true(same(one, other, 2 * (COUNT - 1), &where));
        a->split(x, one, one + COUNT, COUNT / 2 - 1);
        b->split(x, other, other + COUNT, COUNT / 2 - 1);
        assert_true(same(one, other, COUNT / 2 - 1, &where));
        assert_true(same(one + COUNT, other + COUNT, COUNT / 2 - 1, &where));
        a->plane_max(x, place, 7, one, 1003);
        b->plane_max(x, place, 7, other, 1003);
        assert_true(same(one, other, 1003, &where));
        a->plane_sum(x, place, 7, one, 1003);
        b->plane_sum(x, place, 7, other, 1003);
        assert_true(same(one, other, 1003, &where));
        a->plane_average(x, place, 7, weight, 3.0f, one, 1003);
        b->plane_average(x, place, 7, weight, 3.0f, other, 1003);
        assert_true(same(one, other, 1003, &where));
        for (size_t n = 1; n < 150; n += 7) {
            a->plane_conv(x, 200, 7, place, 9, weight, 3.0f, -0.25f, one, n, n);
            b->plane_conv(x, 200, 7, place, 9, weight, 3.0f, -0.25f, other, n, n);
            assert_true(same(one, other, 7 * n, &where));
            a->plane_copy(x, n + 3, n, one, n + 20, 5, 3, n + 9, 7.5f);
            b->plane_copy(x, n + 3, n, other, n + 20, 5, 3, n + 9, 7.5f);
            for (size_t r = 0; r < 5; r++)
                assert_true(same(one + r * (n + 20), other + r * (n + 20), n + 9, &where));
            assert_true(one[2] == 7.5f && one[n + 3] == 7.5f && same(one + 3, x, n, &where));
            a->plane_conv_pair(x, 200, place, 5, 3, weight, 3.0f, -0.25f, one, n, n);
            b->plane_conv_pair(x, 200, place, 5, 3, weight, 3.0f, -0.25f, other, n, n);
            assert_true(same(one, other, 2 * n, &where));
        }
        a->twice(x + 1, one, COUNT - 7);
        b->twice(x + 1, other, COUNT - 7);
        assert_true(same(one, other, 2 * (COUNT - 7), &where));
        a->normal(low, high, one, COUNT - 3);
        b->normal(low, high, other, COUNT - 3);
        assert_true(same(one, other, 2 * (COUNT - 3), &where));
        a->quantize(x, -1.0f, 127.5f, samples[0], 3, COUNT - 3);
        b->quantize(x, -1.0f, 127.5f, samples[1], 3, COUNT - 3);
        assert_memory_equal(samples[0], samples[1], 3 * (COUNT - 3));
    }
}

static void test_sums(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT; i++)
        x[i] = (float)(draw() >> 8) * 0x1p-24f - 0.3f;
    for (size_t n = 1; n <= COUNT; n = n < 70 ? n + 1 : n * 2 + 13) {
        float a = bst_sum(tables[0], x, n), b = bst_sum_squares(tables[0], x, n, 0.2f),
              c = tables[0]->maximum(x, n);
        double exact = 0, squares = 0;
        for (size_t i = 0; i < n; i++) {
            exact += (double)x[i];
            squares += ((double)x[i] - 0.2) * ((double)x[i] - 0.2);
        }
        assert_true(fabs((double)a - exact) < 1e-6 * (double)n + 1e-6);
        assert_true(fabs((double)b - squares) < 1e-6 * (double)n + 1e-6);
        for (size_t k = 1; k < table_count; k++) {
            assert_true(a == bst_sum(tables[k], x, n));
            assert_true(b == bst_sum_squares(tables[k], x, n, 0.2f));
            assert_true(c == tables[k]->maximum(x, n));
        }
    }
}

/* arithmetic.md, section 4, word by word. */
static float sum_as_written(const float *v, size_t n)
{
    float lane[16] = {0};
    if (n > 1024) {
        size_t chunks = (n + 1023) / 1024;
        float *sums = malloc(chunks * sizeof *sums), total;
        assert_non_null(sums);
        for (size_t i = 0; i < chunks; i++)
            sums[i] = sum_as_written(v + 1024 * i, i + 1 < chunks ? 1024 : n - 1024 * i);
        total = sum_as_written(sums, chunks);
        free(sums);
        return total;
    }
    for (size_t i = 0; i < n; i++)
        lane[i % 16] = lane[i % 16] + v[i];
    for (size_t half = 8; half > 0; half /= 2)
        for (size_t j = 0; j < half; j++)
            lane[j] = lane[j] + lane[j + half];
    return lane[0];
}

static void test_sum_is_as_written(void **unused)
{
    (void)unused;
    const size_t sizes[] = {1,      15,      16,      17,      1023,    1024,   1025,
                            100000, 1048575, 1048576, 1048577, 1050625, 3000000};
    float *v = malloc(3000000 * sizeof *v);
    assert_non_null(v);
    for (size_t i = 0; i < 3000000; i++)
        v[i] = (float)(draw() >> 8) * 0x1p-20f;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_true(bst_sum(tables[table_count - 1], v, sizes[i]) == sum_as_written(v, sizes[i]));
    free(v);
}

static double sigmoid(double t)
{
    return 1 / (1 + exp(-t));
}

/* Units in the last place of the exact value. */
static double ulps(float have, double exact)
{
    if ((double)have == exact || (isnan(have) && isnan(exact))) return 0;
    int exponent;
    frexp(exact, &exponent);
    if (exponent < -125) exponent = -125;
    return fabs((double)have - exact) / ldexp(1, exponent - 24);
}

static double softplus(double t)
{
    return t > 0 ? t + log1p(exp(-t)) : log1p(exp(t));
}

static double mish(double t)
{
    return t * tanh(softplus(t));
}

static double softsign(double t)
{
    return t / (1 + fabs(t));
}

/* Limits are those of arithmetic.md's table. Numbers from far away show the reduction of large angles. */
static void test_accuracy(void **unused)
{
    (void)unused;
    const struct {
        enum bst_unary op;
        double (*exact)(double);
        double low, high, limit;
    } functions[] = {{BST_U_TANH, tanh, -12, 12, 2},        {BST_U_EXP, exp, -87, 88.7, 1.5},
                     {BST_U_SIGMOID, sigmoid, -80, 30, 3},  {BST_U_LOG, log, 1e-30, 1e3, 2},
                     {BST_U_LOG, log, 0.5, 2, 2},           {BST_U_FLOOR, floor, -99, 99, 0},
                     {BST_U_CEIL, ceil, -99, 99, 0},        {BST_U_ROUND, rint, -99, 99, 0},
                     {BST_U_ERF, erf, -4.5, 4.5, 1.1},      {BST_U_SOFTPLUS, softplus, -80, 80, 1.9},
                     {BST_U_MISH, mish, -20, 90, 4},        {BST_U_SOFTSIGN, softsign, -1000, 1000, 1.5},
                     {BST_U_SIN, sin, -1000, 1000, 1.6},    {BST_U_COS, cos, -1000, 1000, 1.6},
                     {BST_U_TAN, tan, -1000, 1000, 3.5},    {BST_U_SIN, sin, 0x1p25, 0x1p27, 1.6},
                     {BST_U_COS, cos, 0x1p60, 0x1p80, 1.6}, {BST_U_SIN, sin, -3.4e38, 3.4e38, 1.6},
                     {BST_U_TAN, tan, -1e20, 3e10, 3.5},    {BST_U_ATAN, atan, -50, 50, 1.7},
                     {BST_U_ASIN, asin, -1, 1, 2.4},        {BST_U_ACOS, acos, -1, 1, 1.3},
                     {BST_U_SINH, sinh, -89, 89, 3.3},      {BST_U_COSH, cosh, -89, 89, 2.4},
                     {BST_U_ASINH, asinh, -10, 10, 2},      {BST_U_ASINH, asinh, -3e38, 3e38, 2},
                     {BST_U_ACOSH, acosh, 1, 1000, 2},      {BST_U_ATANH, atanh, -0.999, 0.999, 2.3}};
    for (size_t f = 0; f < sizeof functions / sizeof functions[0]; f++) {
        double worst = 0, at = 0;
        for (size_t i = 0; i < COUNT; i++)
            x[i] = (float)(functions[f].low + (functions[f].high - functions[f].low) * (double)i / COUNT);
        tables[0]->unary(functions[f].op, x, one, COUNT, 0, 0);
        for (size_t i = 0; i < COUNT; i++) {
            double error = ulps(one[i], functions[f].exact((double)x[i]));
            if (error <= worst) continue;
            worst = error;
            at = (double)x[i];
        }
        if (worst > functions[f].limit)
            fail_msg("function %d is %.2f units off at %g", functions[f].op, worst, at);
        print_message("function %d: at most %.2f units in the last place\n", functions[f].op, worst);
    }
}

/* pow over everyday numbers, and over any bit patterns, against the C library's in double precision. */
static void test_power(void **unused)
{
    (void)unused;
    fill(x, COUNT);
    fill(y, COUNT);
    for (size_t i = 0; i < COUNT; i += 4) {
        x[i] = fabsf(x[i]);
        y[i] = y[i] > 1e4f || y[i] < -1e4f ? 0.37f : y[i];
        x[i + 1] = (float)(i % 7) - 3.0f;
        y[i + 1] = (float)(i % 11) - 5.0f;
    }
    tables[0]->binary(BST_B_POW, x, 1, y, 1, one, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        double exact = pow((double)x[i], (double)y[i]);
        bool over = isinf(one[i]) && fabs(exact) > 0x1.ffffffp+127 && (one[i] > 0) == (exact > 0);
        if (ulps(one[i], exact) > 0.51 && !over)
            fail_msg("%a to the power of %a is %a", (double)x[i], (double)y[i], (double)one[i]);
    }
    static const float edges[] = {0.0f,    -0.0f,          1,        -1,        2,  -2, 0.5f, -0.5f, 3, -3,
                                  0x1p24f, 0x1.000002p24f, INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        for (size_t j = 0; j < sizeof edges / sizeof *edges; j++) {
            float have, want = powf(edges[i], edges[j]);
            tables[0]->binary(BST_B_POW, &edges[i], 1, &edges[j], 1, &have, 1);
            if (!(isnan(have) && isnan(want)) && memcmp(&have, &want, sizeof have) != 0)
                fail_msg("%g to the power of %g is %g", (double)edges[i], (double)edges[j], (double)have);
        }
}

static void test_special(void **unused)
{
    (void)unused;
    const struct {
        enum bst_unary op;
        float x, y;
    } cases[] = {{BST_U_EXP, -200, 0},
                 {BST_U_EXP, 200, INFINITY},
                 {BST_U_EXP, -INFINITY, 0},
                 {BST_U_EXP, 0, 1},
                 {BST_U_EXP, NAN, NAN},
                 {BST_U_LOG, 0, -INFINITY},
                 {BST_U_LOG, -1, NAN},
                 {BST_U_LOG, 1, 0},
                 {BST_U_LOG, INFINITY, INFINITY},
                 {BST_U_TANH, INFINITY, 1},
                 {BST_U_TANH, -INFINITY, -1},
                 {BST_U_TANH, NAN, NAN},
                 {BST_U_SIGMOID, 200, 1},
                 {BST_U_SIGMOID, -200, 0},
                 {BST_U_RELU, NAN, NAN},
                 {BST_U_RELU, -3, 0},
                 {BST_U_FLOOR, -0.5f, -1},
                 {BST_U_FLOOR, 1e30f, 1e30f},
                 {BST_U_ROUND, 2.5f, 2},
                 {BST_U_ROUND, 3.5f, 4},
                 {BST_U_ROUND, -0.5f, 0},
                 {BST_U_ROUND, 8388609, 8388609},
                 {BST_U_ROUND, INFINITY, INFINITY},
                 {BST_U_SIGN, -3, -1},
                 {BST_U_SIGN, 0, 0},
                 {BST_U_SIGN, NAN, NAN},
                 {BST_U_SIGN, INFINITY, 1},
                 {BST_U_ERF, INFINITY, 1},
                 {BST_U_ERF, -INFINITY, -1},
                 {BST_U_ERF, 0, 0},
                 {BST_U_ERF, NAN, NAN},
                 {BST_U_SIN, INFINITY, NAN},
                 {BST_U_COS, -INFINITY, NAN},
                 {BST_U_SIN, NAN, NAN},
                 {BST_U_COS, 0, 1},
                 {BST_U_SIN, 0, 0},
                 {BST_U_TAN, INFINITY, NAN},
                 {BST_U_SOFTPLUS, INFINITY, INFINITY},
                 {BST_U_SOFTPLUS, -INFINITY, 0},
                 {BST_U_SOFTPLUS, NAN, NAN},
                 {BST_U_SOFTPLUS, 3e38f, 3e38f},
                 {BST_U_MISH, 3e38f, 3e38f},
                 {BST_U_MISH, NAN, NAN},
                 {BST_U_GELU, INFINITY, INFINITY},
                 {BST_U_GELU, 0, 0},
                 {BST_U_GELU_TANH, 100, 100},
                 {BST_U_HARD_SWISH, -4, 0},
                 {BST_U_HARD_SWISH, 4, 4},
                 {BST_U_SOFTSIGN, 1, 0.5f},
                 {BST_U_ASIN, 1.5f, NAN},
                 {BST_U_ACOS, -1.5f, NAN},
                 {BST_U_ACOSH, 0.5f, NAN},
                 {BST_U_ACOSH, 1, 0},
                 {BST_U_ACOSH, -3000, NAN},
                 {BST_U_ATANH, 1, INFINITY},
                 {BST_U_ATANH, -1, -INFINITY},
                 {BST_U_ATANH, 2, NAN},
                 {BST_U_ASINH, -INFINITY, -INFINITY},
                 {BST_U_SINH, 100, INFINITY},
                 {BST_U_SINH, -100, -INFINITY},
                 {BST_U_COSH, -100, INFINITY},
                 {BST_U_ATAN, NAN, NAN}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        float have;
        tables[0]->unary(cases[i].op, &cases[i].x, &have, 1, 0, 0);
        if (have != cases[i].y && !(isnan(have) && isnan(cases[i].y)))
            fail_msg("function %d of %g is %g", cases[i].op, (double)cases[i].x, (double)have);
    }
    const float values[] = {-2, -1, 1, 2, NAN, 0, INFINITY, -INFINITY, 0.0039f, 0.00392f};
    const uint8_t want[] = {0, 0, 255, 255, 0, 128, 255, 0, 128, 128};
    uint8_t have[10];
    tables[0]->quantize(values, -1.0f, 127.5f, have, 1, 10);
    assert_memory_equal(have, want, sizeof have);
}

int main(void)
{
    const char *const names[] = {"scalar", "avx2", "avx512", "neon"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (bst_kernels_for(names[i]) != NULL) tables[table_count++] = bst_kernels_for(names[i]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unary_bits),
        cmocka_unit_test(test_binary_bits),
        cmocka_unit_test(test_other_bits),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_sum_is_as_written),
        cmocka_unit_test(test_accuracy),
        cmocka_unit_test(test_power),
        cmocka_unit_test(test_special),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
