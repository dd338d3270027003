/* test_latent.c - random numbers: published vectors, what an element depends on, and the shape of the
 * distribution. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen.h"
#include "kernel.h"

/* Random123's known answers for philox4x32-10. */
static void test_philox(void **state)
{
    static const struct {
        uint32_t counter[4], key[2], want[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        uint32_t out[4];
        bst_philox(known[i].counter, known[i].key, out);
        assert_memory_equal(out, known[i].want, sizeof out);
    }
}

/* The transform in double precision, from the same words; an angle is a whole number of 2^-26 turns. */
static void exact_pair(uint32_t radius, uint32_t angle, double *first, double *second)
{
    double u = ((double)(radius >> 9) + 0.5) * 0x1p-23;
    double turn = (double)(angle >> 6) * 0x1p-26 * 6.283185307179586;
    double length = sqrt(-2 * log(u));
    *first = length * cos(turn);
    *second = length * sin(turn);
}

static void test_transform(void **state)
{
    enum { N = 4096 };
    static float have[N];
    const uint64_t seed = 0x123456789abcdef0u;
    double worst = 0;
    (void)state;
    const uint64_t first = ((uint64_t)77 << 32) - 40; /* the counter's carry is passed on the way */
    bst_normal(seed, 3, 4 * first, N, have);
    for (uint64_t i = 0; i < N / 4; i++) {
        uint64_t block = first + i;
        const uint32_t counter[4] = {(uint32_t)block, (uint32_t)(block >> 32), 3, 0},
                       key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
        uint32_t words[4];
        double want[4];
        bst_philox(counter, key, words);
        exact_pair(words[0], words[1], &want[0], &want[1]);
        exact_pair(words[2], words[3], &want[2], &want[3]);
        for (size_t k = 0; k < 4; k++)
            worst = fmax(worst, fabs(want[k] - (double)have[4 * i + k]));
    }
    assert_true(worst < 2e-6);
}

static void test_element_stands_alone(void **state)
{
    static float all[5000], part[5000];
    (void)state;
    bst_normal(42, 7, 1000, 5000, all);
    for (size_t first = 0; first < 4000; first += 37) {
        size_t count = first % 901 + 1;
        bst_normal(42, 7, 1000 + first, count, part);
        assert_memory_equal(part, all + first, count * sizeof *part);
    }
    bst_normal(42, 8, 1000, 5000, part);
    assert_memory_not_equal(part, all, sizeof all);
    bst_normal(43, 7, 1000, 5000, part);
    assert_memory_not_equal(part, all, sizeof all);
    bst_normal(42 + ((uint64_t)1 << 32), 7, 1000, 5000, part);
    assert_memory_not_equal(part, all, sizeof all);
}

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* Mean, variance, correlation of neighbours, and Kolmogorov-Smirnov against the normal distribution; the
 * limits are those that chance alone crosses once in some thousand seeds, and the seed is fixed. */
static void test_distribution(void **state)
{
    enum { N = 1000000 };
    float *x = malloc(N * sizeof *x);
    double mean = 0, variance = 0, neighbours = 0, distance = 0;
    (void)state;
    assert_non_null(x);
    bst_normal(2026, 1, 0, N, x);
    for (size_t i = 0; i < N; i++)
        mean += (double)x[i] / N;
    for (size_t i = 0; i < N; i++) {
        variance += (double)x[i] * (double)x[i] / N;
        if (i > 0) neighbours += (double)x[i] * (double)x[i - 1] / N;
    }
    qsort(x, N, sizeof *x, by_value);
    for (size_t i = 0; i < N; i++) {
        double want = 0.5 * erfc(-(double)x[i] / sqrt(2));
        distance = fmax(distance, fmax(fabs(want - (double)i / N), fabs(want - (double)(i + 1) / N)));
    }
    free(x);
    assert_true(fabs(mean) < 3.3 / sqrt(N));
    assert_true(fabs(variance - 1) < 3.3 * sqrt(2.0 / N));
    assert_true(fabs(neighbours) < 3.3 / sqrt(N));
    assert_true(distance < 1.95 / sqrt(N));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox),
        cmocka_unit_test(test_transform),
        cmocka_unit_test(test_element_stands_alone),
        cmocka_unit_test(test_distribution),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
