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
#include "latent.h"

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

/* ---- numpy and PyTorch ---- */

static void test_names(void **state)
{
    static const char *const names[] = {"philox", "numpy-randomstate", "torch-cpu"};
    enum bst_latent latent = BST_LATENT_CARD;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_true(bst_latent_known(names[i], &latent));
        assert_int_equal(latent, BST_LATENT_PHILOX + i);
        assert_string_equal(bst_latent_name(latent), names[i]);
    }
    assert_null(bst_latent_name(BST_LATENT_CARD));
    assert_false(bst_latent_known("mt19937", &latent));
    assert_false(bst_latent_known("", &latent));
    assert_false(bst_latent_known(NULL, &latent));
}

/* One element of what a generator makes of a seed. */
struct known {
    uint64_t seed;
    size_t count, index;
    float value;
};

static void check_known(enum bst_latent kind, const struct known *known, size_t n)
{
    static float x[512];
    struct sequence s;
    for (size_t i = 0; i < n; i++) {
        sequence_start(&s, kind, known[i].seed);
        sequence_normal(&s, known[i].count, x);
        if (x[known[i].index] != known[i].value)
            fail_msg("seed %llu, number %zu of %zu: %a, not %a", (unsigned long long)known[i].seed,
                     known[i].index, known[i].count, (double)x[known[i].index], (double)known[i].value);
    }
}

/* numpy 2.3.4: numpy.random.RandomState(seed).randn(1, count).astype("float32"). Seed 0 begins 1.76405235,
 * 0.40015721, 0.97873798, 2.2408932. */
static void test_numpy(void **state)
{
    static const struct known known[] = {
        {0, 512, 0, 0x1.c398fp+0f},
        {0, 512, 1, 0x1.99c2dp-2f},
        {0, 512, 2, 0x1.f51d26p-1f},
        {0, 512, 3, 0x1.1ed596p+1f},
        {0, 512, 510, 0x1.ca5f8ep-1f},
        {0, 512, 511, 0x1.5ffda6p+0f},
        {1, 512, 0, 0x1.9fd51ap+0f},
        {1, 512, 1, -0x1.393822p-1f},
        {1, 512, 511, 0x1.933076p-3f},
        {1000, 512, 0, -0x1.9be1f6p-1f},
        {1000, 512, 2, -0x1.a182f2p-6f},
        {1000, 512, 511, 0x1.4bc6fep+0f},
        {4294967295, 512, 0, 0x1.4bfc38p-1f},
        {4294967295, 512, 2, -0x1.149e84p+0f},
        {4294967295, 512, 511, -0x1.4e87dap-3f},
    };
    (void)state;
    check_known(BST_LATENT_NUMPY, known, sizeof known / sizeof known[0]);
}

/* PyTorch 2.9.0 on the CPU: torch.manual_seed(seed); torch.randn(1, count). Eight numbers go the way of
 * binary64, 100 end in a block that is drawn anew. Seed 0 begins 1.5410, -0.2934, -2.1788, 0.5684. */
static void test_torch(void **state)
{
    static const struct known known[] = {
        {0, 8, 0, 0x1.8a7eb8p+0f},
        {0, 8, 1, -0x1.2c78ap-2f},
        {0, 8, 2, -0x1.16e292p+1f},
        {0, 8, 3, 0x1.23096cp-1f},
        {0, 8, 4, -0x1.15a342p+0f},
        {0, 8, 5, -0x1.660a5ap+0f},
        {0, 8, 6, 0x1.9d06f4p-2f},
        {0, 8, 7, 0x1.ad11cap-1f},
        {42, 8, 0, 0x1.58c55cp-2f},
        {42, 8, 7, -0x1.46a78cp-1f},
        {0, 100, 0, -0x1.20370ap+0f},
        {0, 100, 83, 0x1.d3924ap-11f},
        {0, 100, 84, -0x1.4e815ap+1f},
        {0, 100, 92, 0x1.d3e81ep-2f},
        {0, 100, 99, 0x1.dd0444p-3f},
        {0, 512, 1, -0x1.270114p+0f},
        {0, 512, 8, 0x1.4a027p-2f},
        {((uint64_t)5 << 32) + 42, 8, 0, 0x1.58c55cp-2f}, /* only 32 bits of a seed count there */
    };
    (void)state;
    check_known(BST_LATENT_TORCH, known, sizeof known / sizeof known[0]);
}

/* One stream: what a call leaves over the next begins with. */
static void test_sequence_goes_on(void **state)
{
    static const enum bst_latent kinds[] = {BST_LATENT_NUMPY, BST_LATENT_TORCH};
    float all[15], parts[15];
    struct sequence s;
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        sequence_start(&s, kinds[i], 7);
        sequence_normal(&s, 15, all);
        sequence_start(&s, kinds[i], 7);
        sequence_normal(&s, 3, parts);
        sequence_normal(&s, 5, parts + 3);
        sequence_normal(&s, 7, parts + 8);
        assert_memory_equal(all, parts, sizeof all);
    }
}

static double off_by_ulp(double have, long double want)
{
    int exponent;
    frexp((double)want, &exponent);
    return (double)(fabsl((long double)have - want) / ldexpl(1, exponent - 53));
}

/* The series against the C library's long double: errors in units of the last place of binary64. */
static void test_series(void **state)
{
    double log_error = 0, sine_error = 0, cosine_error = 0, sine, cosine;
    uint64_t draw = 1;
    (void)state;
    for (size_t i = 0; i < 400000; i++) {
        draw = draw * 6364136223846793005u + 1442695040888963407u;
        double u = ((double)(draw >> 11) + 0.5) * 0x1p-53;
        double x = i % 2 ? u : ldexp(u, -(int)(i % 90));
        log_error = fmax(log_error, off_by_ulp(sequence_log(x), logl((long double)x)));
        double angle = u * 6.2831855;
        sequence_sine_cosine(angle, &sine, &cosine);
        sine_error = fmax(sine_error, off_by_ulp(sine, sinl((long double)angle)));
        cosine_error = fmax(cosine_error, off_by_ulp(cosine, cosl((long double)angle)));
    }
    assert_true(log_error < 1 && sine_error < 1.5 && cosine_error < 1.5);
    assert_true(sequence_log(1) == 0);
    sequence_sine_cosine(0, &sine, &cosine);
    assert_true(sine == 0 && cosine == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox),
        cmocka_unit_test(test_transform),
        cmocka_unit_test(test_element_stands_alone),
        cmocka_unit_test(test_distribution),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_numpy),
        cmocka_unit_test(test_torch),
        cmocka_unit_test(test_sequence_goes_on),
        cmocka_unit_test(test_series),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
