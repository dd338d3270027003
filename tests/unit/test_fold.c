/* test_fold.c - folds over any axes against the tree of arithmetic.md as it is written there, on every instruction
 * set; and the edges: nothing to fold, infinities, NaNs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "op_fold.h"

static uint64_t state = 88172645463325252u;

static uint32_t draw(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % below;
}

/* arithmetic.md, section 4; the numbers of a sum of squares and their like are mapped here. */
static float tree(enum fold_op op, const float *v, size_t n, float about, bool leaf)
{
    float lane[16];
    bool product = op == FOLD_PRODUCT;
    if (n > 1024) {
        size_t chunks = (n + 1023) / 1024;
        float *sums = malloc(chunks * sizeof *sums), total;
        assert_non_null(sums);
        for (size_t i = 0; i < chunks; i++)
            sums[i] = tree(op, v + 1024 * i, i + 1 < chunks ? 1024 : n - 1024 * i, about, leaf);
        total = tree(op, sums, chunks, 0, false);
        free(sums);
        return total;
    }
    for (size_t i = 0; i < 16; i++)
        lane[i] = product ? 1.0f : 0.0f;
    for (size_t i = 0; i < n; i++) {
        float *l = &lane[i % 16], d = v[i] - about;
        if (leaf && op == FOLD_POWERS) bst_kernels_scalar.unary(BST_U_EXP, &d, &d, 1, 0, 0);
        if (leaf && op == FOLD_SQUARES)
            *l = fmaf(d, d, *l);
        else if (product)
            *l = *l * v[i];
        else
            *l = *l + (leaf && op == FOLD_SIZES ? fabsf(v[i]) : leaf && op == FOLD_POWERS ? d : v[i]);
    }
    for (size_t half = 8; half > 0; half /= 2)
        for (size_t j = 0; j < half; j++)
            lane[j] = product ? lane[j] * lane[j + half] : lane[j] + lane[j + half];
    return lane[0];
}

static float plain(enum fold_op op, const float *v, size_t n, float about)
{
    float best = v[0];
    if (op != FOLD_MAX && op != FOLD_MIN) return tree(op, v, n, about, true);
    for (size_t i = 1; i < n; i++)
        if (isnan(v[i]) || (op == FOLD_MAX ? v[i] > best : v[i] < best)) best = isnan(best) ? best : v[i];
    return best + 0.0f;
}

static bool same(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

/* Folds a random tensor of these dims over the axes whose bits are set, in every way. */
static void check(size_t rank, const int64_t *dims, unsigned axes, bool about)
{
    struct tensor x = {0};
    struct step step = {0};
    struct fold fold;
    struct bst_error err;
    struct bst_pool *pool;
    bool drop[RANK_MAX] = {false};
    assert_true(tensor_set_dims(&x, KIND_FLOAT, rank, dims));
    float *data = malloc((x.count + 1) * sizeof *data), *line = malloc((x.count + 1) * sizeof *line);
    assert_non_null(data);
    assert_non_null(line);
    for (size_t i = 0; i < x.count; i++)
        data[i] = (float)draw(1 << 20) * 0x1p-20f - 0.4f;
    for (size_t i = 0; i < rank; i++)
        drop[i] = axes >> i & 1;
    assert_int_equal(fold_make(&step, &fold, &x, drop, &err), BST_OK);
    assert_int_equal(bst_pool_new(3, &pool, &err), BST_OK);
    float *means = calloc(fold.results + 1, sizeof *means), *y = calloc(fold.results + 1, sizeof *y);
    assert_non_null(means);
    assert_non_null(y);
    for (size_t i = 0; i < fold.results; i++)
        means[i] = (float)draw(100) * 0.01f;
    static const char *const names[] = {"scalar", "avx2", "avx512"};
    for (size_t isa = 0; isa < 3; isa++) {
        const struct bst_kernels *k = bst_kernels_for(names[isa]);
        struct run run = {.kernels = k, .pool = pool};
        for (int op = FOLD_SUM; k != NULL && op <= FOLD_MIN; op++) {
            bool takes = about && (op == FOLD_SQUARES || op == FOLD_POWERS);
            fold_run(&run, &fold, (enum fold_op)op, data, takes ? means : NULL, y);
            for (size_t r = 0; r < fold.results; r++) {
                size_t at = fold_place(r, fold.kept_rank, fold.kept, fold.kept_stride);
                for (size_t i = 0; i < fold.count; i++)
                    line[i] = data[at + fold_place(i, fold.folded_rank, fold.folded, fold.folded_stride)];
                float want = plain((enum fold_op)op, line, fold.count, takes ? means[r] : 0.0f);
                if (!same(y[r], want))
                    fail_msg("fold %d over axes %x of rank %zu: number %zu is %a, not %a in %s", op, axes,
                             rank, r, (double)y[r], (double)want, names[isa]);
            }
        }
    }
    bst_pool_free(pool);
    step_release(&step);
    free(data);
    free(line);
    free(means);
    free(y);
}

static void test_random(void **unused)
{
    (void)unused;
    for (int i = 0; i < 150; i++) {
        size_t rank = 1 + draw(5);
        int64_t dims[RANK_MAX];
        for (size_t d = 0; d < rank; d++)
            dims[d] = 1 + draw(rank > 3 ? 9 : 40);
        check(rank, dims, draw(1u << rank), i % 2 == 0);
    }
}

static void test_long(void **unused)
{
    (void)unused;
    check(1, (const int64_t[]){40000}, 1, true);
    check(2, (const int64_t[]){2, 20000}, 2, true);
    check(2, (const int64_t[]){20000, 3}, 1, true);
    check(2, (const int64_t[]){1025, 70}, 1, false);
    check(2, (const int64_t[]){1024, 70}, 1, false);
    check(3, (const int64_t[]){70, 3, 700}, 5, true);
    check(3, (const int64_t[]){300, 5, 100}, 2, true);
    check(3, (const int64_t[]){100, 200, 3}, 3, false);
    check(2, (const int64_t[]){1, 1}, 3, false);
}

static void test_edges(void **unused)
{
    (void)unused;
    struct tensor x = {0};
    struct step step = {0};
    struct fold fold;
    struct bst_error err;
    const bool drop[RANK_MAX] = {false, true};
    struct run run = {.kernels = bst_kernels_for(NULL)};
    float y[3];
    assert_true(tensor_set_dims(&x, KIND_FLOAT, 2, (const int64_t[]){3, 0}));
    assert_int_equal(fold_make(&step, &fold, &x, drop, &err), BST_OK);
    const float nothing[] = {0, 0, 0, 0, 1, -INFINITY, INFINITY};
    for (int op = FOLD_SUM; op <= FOLD_MIN; op++) {
        fold_run(&run, &fold, (enum fold_op)op, NULL, NULL, y);
        for (size_t i = 0; i < 3; i++)
            assert_true(y[i] == nothing[op]);
    }
    const float some[] = {NAN, 1, -0.0f, 0.0f, INFINITY, -INFINITY};
    assert_true(tensor_set_dims(&x, KIND_FLOAT, 2, (const int64_t[]){3, 2}));
    assert_int_equal(fold_make(&step, &fold, &x, drop, &err), BST_OK);
    fold_run(&run, &fold, FOLD_MAX, some, NULL, y);
    assert_true(isnan(y[0]) && y[1] == 0 && !signbit(y[1]) && y[2] == INFINITY);
    fold_run(&run, &fold, FOLD_MIN, some, NULL, y);
    assert_true(isnan(y[0]) && y[1] == 0 && !signbit(y[1]) && y[2] == -INFINITY);
    fold_run(&run, &fold, FOLD_SUM, some, NULL, y);
    assert_true(isnan(y[0]) && y[1] == 0 && !signbit(y[1]) && isnan(y[2]));
    step_release(&step);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
