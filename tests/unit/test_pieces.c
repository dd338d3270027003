/* test_pieces.c - sums of products: direct convolution, its transpose and products of matrices, bit by bit what
 * arithmetic.md says in each of its versions, worked out here one number at a time; on every instruction set and with
 * any number of threads. What older versions made stays what it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "onnx_run.h"

/* ---- a sum ---- */

struct sum {
    unsigned arith;
    size_t piece, count; /* products of a piece; of the one begun */
    float chain, total;
    bool begun; /* total holds a piece */
};

static void sum_begin(struct sum *s, unsigned arith, size_t piece, float bias)
{
    *s = (struct sum){.arith = arith, .piece = piece, .chain = arith < 3 ? bias : 0.0f};
}

static void sum_piece(struct sum *s)
{
    s->total = s->begun ? s->total + s->chain : s->chain;
    s->begun = true;
    s->chain = 0.0f;
    s->count = 0;
}

static void sum_add(struct sum *s, float w, float x)
{
    if (s->arith >= 3 && s->count == s->piece) sum_piece(s);
    s->chain = fmaf(w, x, s->chain);
    s->count++;
}

static float sum_end(struct sum *s)
{
    if (s->arith < 3) return s->chain;
    if (s->count > 0 || !s->begun) sum_piece(s);
    return s->total;
}

/* ---- convolutions ---- */

struct shape {
    bool transposed;
    size_t sides, groups, in, out; /* channels of a group */
    size_t size[3], kernel[3], stride[3], dilation[3], pad[3];
    bool bias;
};

static size_t draw(size_t low, size_t high)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return low + (size_t)(state >> 20) % (high - low + 1);
}

static void list(char *to, const char *name, const size_t *numbers, const struct shape *s, bool twice)
{
    size_t at = 0;
    char text[128] = "";
    for (size_t round = 0; round < (twice ? 2u : 1u); round++)
        for (size_t i = 3 - s->sides; i < 3; i++)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%zu", at > 0 ? "," : "", numbers[i]);
    snprintf(to + strlen(to), 512 - strlen(to), " %s=[%s]", name, text);
}

static void dims(char *to, const size_t *numbers, const struct shape *s)
{
    for (size_t i = 3 - s->sides; i < 3; i++)
        snprintf(to + strlen(to), 512 - strlen(to), " %zu", numbers[i]);
}

static void text_of(const struct shape *s, char text[512])
{
    size_t ins = s->groups * s->in, outs = s->groups * s->out;
    snprintf(text, 512, "in x 2 %zu", ins);
    dims(text, s->size, s);
    snprintf(text + strlen(text), 512 - strlen(text), "\nrand w %zu %zu", s->transposed ? ins : outs,
             s->transposed ? s->out : s->in);
    dims(text, s->kernel, s);
    if (s->bias) snprintf(text + strlen(text), 512 - strlen(text), "\nrand b %zu", outs);
    snprintf(text + strlen(text), 512 - strlen(text), "\nnode Conv%s x,w%s y group=%zu",
             s->transposed ? "Transpose" : "", s->bias ? ",b" : "", s->groups);
    list(text, "strides", s->stride, s, false);
    list(text, "dilations", s->dilation, s, false);
    list(text, "pads", s->pad, s, true);
}

/* Where tap k of the output's place lies in the input; false: it is none of the place's taps. */
static bool place_of(const struct shape *s, size_t side, size_t place, size_t k, int64_t *at)
{
    int64_t reach = (int64_t)(k * s->dilation[side]), pad = (int64_t)s->pad[side];
    int64_t stride = (int64_t)s->stride[side];
    if (!s->transposed) {
        *at = (int64_t)place * stride - pad + reach;
        return true;
    }
    *at = (int64_t)place + pad - reach;
    bool whole = *at % stride == 0;
    *at /= stride;
    return whole;
}

static size_t taps_of(const struct shape *s, size_t side, size_t place)
{
    size_t taps = 0;
    int64_t at;
    for (size_t k = 0; k < s->kernel[side]; k++)
        taps += place_of(s, side, place, k, &at);
    return taps;
}

/* One output number. x: the group's channels; w: of the first of them, the others step apart. */
static float number_of(const struct shape *s, unsigned arith, const float *x, const float *w, size_t step,
                       float bias, const size_t place[3])
{
    struct sum sum;
    size_t taps = taps_of(s, 0, place[0]) * taps_of(s, 1, place[1]) * taps_of(s, 2, place[2]);
    size_t channels = taps == 0 || taps > 128 ? 1 : 128 / taps;
    sum_begin(&sum, arith, channels * taps, bias);
    for (size_t c = 0; c < s->in; c++) {
        for (size_t t = 0; t < s->kernel[0] * s->kernel[1] * s->kernel[2]; t++) {
            size_t k[3] = {t / s->kernel[2] / s->kernel[1], t / s->kernel[2] % s->kernel[1],
                           t % s->kernel[2]};
            int64_t at[3];
            bool tap = true, inside = true;
            for (size_t i = 0; i < 3; i++) {
                tap = tap && place_of(s, i, place[i], k[i], &at[i]);
                inside = inside && tap && at[i] >= 0 && at[i] < (int64_t)s->size[i];
            }
            size_t there =
                inside ? ((c * s->size[0] + (size_t)at[0]) * s->size[1] + (size_t)at[1]) * s->size[2] +
                             (size_t)at[2]
                       : 0;
            if (tap) sum_add(&sum, w[c * step + t], inside ? x[there] : 0.0f);
        }
    }
    return arith < 3 ? sum_end(&sum) : sum_end(&sum) + bias;
}

static void expect_number(const char *text, unsigned arith, size_t at, float made, float wanted)
{
    if (memcmp(&made, &wanted, sizeof made) != 0)
        fail_msg("%s by version %u: number %zu is %a, not %a", text, arith, at, (double)made, (double)wanted);
}

static void expect_convolved(const struct shape *s, unsigned arith)
{
    char text[512];
    struct bst_tensor out = {0};
    struct bst_error err;
    text_of(s, text);
    struct fixture *f = fixture_new(text);
    if (run_by_version(f, arith, NULL, 2, &out, &err) != BST_OK) fail_msg("%s: %s", text, err.what);
    const float *w = tensor_named(f, "w"), *b = s->bias ? tensor_named(f, "b") : NULL;
    size_t plane = s->size[0] * s->size[1] * s->size[2], kernel = s->kernel[0] * s->kernel[1] * s->kernel[2];
    size_t sides[3] = {1, 1, 1}, count = 1, outs = s->groups * s->out;
    for (size_t i = 0; i < 3; i++) {
        if (i + s->sides >= 3) sides[i] = (size_t)out.dims[2 + i - (3 - s->sides)];
        count *= sides[i];
    }
    for (size_t at = 0; at < 2 * outs * count; at++) {
        size_t p = at % count, o = at / count % outs, image = at / count / outs, g = o / s->out;
        size_t place[3] = {p / sides[2] / sides[1], p / sides[2] % sides[1], p % sides[2]};
        const float *x = f->inputs[0].data + (image * s->groups + g) * s->in * plane;
        const float *from =
            s->transposed ? w + (g * s->in * s->out + o % s->out) * kernel : w + o * s->in * kernel;
        float wanted = number_of(s, arith, x, from, s->transposed ? s->out * kernel : kernel,
                                 b != NULL ? b[o] : 0.0f, place);
        expect_number(text, arith, at, out.data[at], wanted);
    }
    free(out.data);
    fixture_free(f);
}

/* Many channels and few places, or the other way round; never what Winograd's algorithm does. */
static void draw_shape(struct shape *s)
{
    *s = (struct shape){.transposed = draw(0, 2) == 0, .sides = draw(1, 3), .bias = draw(0, 1)};
    s->groups = draw(0, 2) == 0 ? draw(2, 4) : 1;
    s->in = draw(0, 3) == 0 ? 1 : draw(0, 1) ? draw(2, 20) : draw(100, 300);
    s->out = draw(0, 1) ? draw(1, 3) : draw(4, 14);
    for (size_t i = 0; i < 3; i++) {
        bool there = i + s->sides >= 3;
        s->kernel[i] = there ? draw(1, s->sides == 1 ? 12 : 4) : 1;
        s->stride[i] = there ? draw(1, 3) : 1;
        s->dilation[i] = there ? draw(1, 2) : 1;
        s->pad[i] = there ? draw(0, 2) : 0;
        s->size[i] = there ? (s->kernel[i] - 1) * s->dilation[i] + draw(1, i == 2 ? 9 : 3) : 1;
        /* what a transposed convolution leaves must be something */
        if (s->transposed &&
            s->pad[i] * 2 >= (s->size[i] - 1) * s->stride[i] + (s->kernel[i] - 1) * s->dilation[i] + 1)
            s->pad[i] = 0;
    }
}

static void test_convolutions(void **state)
{
    (void)state;
    for (size_t i = 0; i < 40; i++) {
        struct shape s;
        char text[512];
        draw_shape(&s);
        for (unsigned arith = 1; arith <= 3; arith++)
            expect_convolved(&s, arith);
        text_of(&s, text);
        expect_same_bits(text, text);
    }
}

/* Input channels part by part (kernel_conv.c), and wide rows. */
static void test_large_convolutions(void **state)
{
    static const struct shape shapes[] = {
        {false, 2, 1, 512, 17, {1, 16, 16}, {1, 3, 3}, {1, 2, 2}, {1, 1, 1}, {0, 1, 1}, true},
        {false, 2, 1, 1100, 15, {1, 14, 14}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, false},
        {false, 2, 1, 3, 10, {1, 9, 400}, {1, 7, 7}, {1, 1, 1}, {1, 1, 1}, {0, 3, 3}, true},
        {true, 2, 1, 300, 13, {1, 12, 12}, {1, 4, 4}, {1, 2, 2}, {1, 1, 1}, {0, 1, 1}, true},
        {false, 2, 1, 40, 7, {1, 20, 21}, {1, 12, 13}, {1, 1, 1}, {1, 1, 1}, {0, 6, 6}, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        char text[512];
        expect_convolved(&shapes[i], 2);
        expect_convolved(&shapes[i], 3);
        text_of(&shapes[i], text);
        expect_same_bits(text, text);
    }
}

/* ---- products ---- */

static void expect_product(size_t m, size_t k, size_t n, bool turned, bool constant, unsigned arith)
{
    char text[256];
    struct bst_tensor out = {0};
    struct bst_error err;
    snprintf(text, sizeof text, "in a %zu %zu\n%s b %zu %zu\nnode %s a,b y%s", m, k, constant ? "rand" : "in",
             turned ? n : k, turned ? k : n, turned ? "Gemm" : "MatMul", turned ? " transB=1" : "");
    struct fixture *f = fixture_new(text);
    if (run_by_version(f, arith, NULL, 2, &out, &err) != BST_OK) fail_msg("%s: %s", text, err.what);
    const float *a = f->inputs[0].data, *b = constant ? tensor_named(f, "b") : f->inputs[1].data;
    for (size_t at = 0; at < m * n; at++) {
        struct sum sum;
        sum_begin(&sum, arith, 128, 0.0f);
        for (size_t c = 0; c < k; c++)
            sum_add(&sum, a[at / n * k + c], turned ? b[at % n * k + c] : b[c * n + at % n]);
        expect_number(text, arith, at, out.data[at], sum_end(&sum));
    }
    free(out.data);
    if (arith == 3) expect_same_bits(text, text);
    fixture_free(f);
}

static void test_products(void **state)
{
    static const size_t sizes[][3] = {{1, 1, 1},      {7, 127, 33}, {6, 128, 16}, {50, 129, 48},
                                      {5, 256, 300},  {3, 257, 17}, {1, 700, 90}, {200, 513, 260},
                                      {67, 1030, 29}, {31, 600, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (unsigned arith = 2; arith <= 3; arith++)
            for (unsigned how = 0; how < 4; how++)
                expect_product(sizes[i][0], sizes[i][1], sizes[i][2], how & 1, how & 2, arith);
}

/* ---- what older versions made ---- */

static void test_older_versions(void **state)
{
    static const char text[] =
        "in x 1 20 17 19\nrand v 24 20 3 3\nrand a 24\nnode Conv x,v c pads=[1,1,1,1]\nrand u 30 24 5 "
        "5\nrand d 30\n"
        "node Conv c,u e strides=[2,2] pads=[2,2,2,2]\nrand t 30 18 3 3\nnode ConvTranspose e,t g "
        "strides=[2,2]\n"
        "rand k 18 1 3 3\nrand l 18\nnode Conv g,k h group=18\nrand m 19 40\nnode MatMul h,m y";
    static const char *const digests[] = {
        "00af2124fba40293b605ea767a70915fe9de516a5a274da97db1be5851638528",
        "bb5da51ef178d46f56718af8bf7ddc04092bdc3353b96bf888cedd44f0872771",
    };
    struct fixture *f = fixture_new(text);
    (void)state;
    for (unsigned arith = 1; arith <= 2; arith++) {
        struct bst_tensor out = {0};
        struct bst_error err;
        uint8_t digest[BST_SHA256_LEN];
        char hex[BST_SHA256_HEX];
        size_t count = 1;
        if (run_by_version(f, arith, NULL, 2, &out, &err) != BST_OK) fail_msg("%s: %s", err.what, err.where);
        for (size_t i = 0; i < out.rank; i++)
            count *= (size_t)out.dims[i];
        bst_sha256(out.data, count * sizeof *out.data, digest);
        bst_hex(digest, sizeof digest, hex);
        assert_string_equal(hex, digests[arith - 1]);
        free(out.data);
    }
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convolutions),
        cmocka_unit_test(test_large_convolutions),
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_older_versions),
    };
    return cmocka_run_group_tests(tests, run_path_make, run_path_remove);
}
