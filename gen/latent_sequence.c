/* latent_sequence.c - the seeds of numpy and of PyTorch: a Mersenne Twister (Matsumoto and Nishimura, 1998) that
 * is drawn from in order, and the two ways from its words to normal numbers. The series for log, sine and cosine
 * are in binary64, so that a result rounded to binary32 is as good as always that of any good library; what they
 * do to the bit is in arithmetic.md, section 6. */
#include "latent.h"

#include <math.h>
#include <string.h>

#define WORDS  SEQUENCE_WORDS
#define SHIFT  397
#define TWO_PI 0x1.921fb6p+2f /* binary32 */
#define BLOCK  16             /* PyTorch makes this many numbers at a time */

/* ---- names ---- */

static const char *const names[] = {[BST_LATENT_PHILOX] = "philox",
                                    [BST_LATENT_NUMPY] = "numpy-randomstate",
                                    [BST_LATENT_TORCH] = "torch-cpu"};

const char *bst_latent_name(enum bst_latent latent)
{
    return latent == BST_LATENT_CARD ? NULL : names[latent];
}

bool bst_latent_known(const char *name, enum bst_latent *out)
{
    for (size_t i = BST_LATENT_PHILOX; name != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) != 0) continue;
        *out = (enum bst_latent)i;
        return true;
    }
    return false;
}

enum bst_code bst_latent_check(enum bst_latent latent, uint64_t seed, struct bst_error *err)
{
    if (latent != BST_LATENT_NUMPY || seed <= UINT32_MAX) return BST_OK;
    bst_fail(err, BST_USAGE, "the seed %llu is too large for numpy-randomstate", (unsigned long long)seed);
    return bst_hint(err, "its seeds go from 0 to 4294967295");
}

/* ---- log, sine, cosine ---- */

double sequence_log(double x)
{
    /* 2 / (2n + 1): log((1 + s) / (1 - s)) = 2s + s * sum over n of 2 s^2n / (2n + 1) */
    static const double terms[] = {2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11,
                                   2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21};
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    double k = (double)(bits >> 52) - 1023.0, m;
    bits = (bits & 0xfffffffffffffu) | 0x3ff0000000000000u;
    memcpy(&m, &bits, sizeof m);
    if (m > 0x1.6a09e667f3bcdp+0) { /* sqrt(2) */
        m = m * 0.5;
        k = k + 1.0;
    }
    double f = m - 1.0, s = f / (m + 1.0), z = s * s, p = terms[9];
    for (size_t n = 9; n-- > 0;)
        p = fma(p, z, terms[n]);
    double rest = s * (f - z * p);
    return fma(k, 0x1.62e42feep-1, f - fma(k, -0x1.a39ef35793c76p-33, rest));
}

void sequence_sine_cosine(double x, double *sine, double *cosine)
{
    static const double odd[] = {-1.0 / 6,
                                 1.0 / 120,
                                 -1.0 / 5040,
                                 1.0 / 362880,
                                 -1.0 / 39916800.0,
                                 1.0 / 6227020800.0,
                                 -1.0 / 1307674368000.0,
                                 1.0 / 355687428096000.0};
    static const double even[] = {
        -1.0 / 2,         1.0 / 24,          -1.0 / 720,           1.0 / 40320,
        -1.0 / 3628800.0, 1.0 / 479001600.0, -1.0 / 87178291200.0, 1.0 / 20922789888000.0};
    int quarter = (int)(x * 0x1.45f306dc9c883p-1 + 0.5); /* 2 / pi */
    double r = fma((double)-quarter, 0x1.921fb54442d18p+0, x);
    r = fma((double)-quarter, 0x1.1a62633145c07p-54, r);
    double z = r * r, a = odd[7], b = even[7];
    for (size_t n = 7; n-- > 0;) {
        a = fma(a, z, odd[n]);
        b = fma(b, z, even[n]);
    }
    double s = fma(r * z, a, r), c = fma(b, z, 1.0);
    double swapped = quarter % 2 != 0 ? c : s;
    *cosine = quarter % 2 != 0 ? s : c;
    *sine = quarter % 4 >= 2 ? -swapped : swapped;
    if (quarter % 4 == 1 || quarter % 4 == 2) *cosine = -*cosine;
}

/* ---- Mersenne Twister, MT19937 ---- */

void sequence_start(struct sequence *s, enum bst_latent kind, uint64_t seed)
{
    s->kind = kind;
    s->has_next = false;
    s->at = WORDS;
    s->word[0] = (uint32_t)seed;
    for (uint32_t i = 1; i < WORDS; i++)
        s->word[i] = 1812433253u * (s->word[i - 1] ^ s->word[i - 1] >> 30) + i;
}

static void refill(uint32_t *w)
{
    for (size_t i = 0; i < WORDS; i++) {
        uint32_t y = (w[i] & 0x80000000u) | (w[(i + 1) % WORDS] & 0x7fffffffu);
        w[i] = w[(i + SHIFT) % WORDS] ^ y >> 1 ^ (y % 2 != 0 ? 0x9908b0dfu : 0);
    }
}

static uint32_t next_word(struct sequence *s)
{
    if (s->at == WORDS) {
        refill(s->word);
        s->at = 0;
    }
    uint32_t y = s->word[s->at++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

/* ---- numpy: randn of a RandomState ---- */

static double numpy_uniform(struct sequence *s)
{
    uint32_t a = next_word(s) >> 5, b = next_word(s) >> 6;
    return ((double)a * 0x1p+26 + (double)b) * 0x1p-53;
}

/* Marsaglia's polar method; each pair's second number is kept for the next call. */
static double numpy_normal(struct sequence *s)
{
    double x, y, square;
    s->has_next = !s->has_next;
    if (!s->has_next) return s->next;
    do {
        x = 2.0 * numpy_uniform(s) - 1.0;
        y = 2.0 * numpy_uniform(s) - 1.0;
        square = x * x + y * y;
    } while (square >= 1.0 || square == 0.0);
    double length = sqrt(-2.0 * sequence_log(square) / square);
    s->next = length * x;
    return length * y;
}

/* ---- PyTorch: randn on the CPU ---- */

static double torch_uniform(struct sequence *s)
{
    uint64_t high = next_word(s), low = next_word(s);
    return (double)((high << 32 | low) & 0x1fffffffffffffu) * 0x1p-53;
}

/* Tensors of fewer than 16 numbers: Box and Muller in binary64, the sine kept for the next call. */
static double torch_normal(struct sequence *s)
{
    double sine, cosine;
    s->has_next = !s->has_next;
    if (!s->has_next) return s->next;
    double angle = 0x1.921fb54442d18p+2 * torch_uniform(s);
    double length = sqrt(-2.0 * sequence_log(1.0 - torch_uniform(s)));
    sequence_sine_cosine(angle, &sine, &cosine);
    s->next = length * sine;
    return length * cosine;
}

/* 16 uniform numbers to normal ones: the first eight say how far, the others in which direction. */
static void torch_block(float *x)
{
    for (size_t i = 0; i < BLOCK / 2; i++) {
        double sine, cosine;
        float length = sqrtf(-2.0f * (float)sequence_log((double)(1.0f - x[i])));
        float angle = TWO_PI * x[i + BLOCK / 2];
        sequence_sine_cosine((double)angle, &sine, &cosine);
        x[i] = length * (float)cosine;
        x[i + BLOCK / 2] = length * (float)sine;
    }
}

static void torch_uniforms(struct sequence *s, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (float)(next_word(s) & 0xffffffu) * 0x1p-24f;
}

/* A tensor's last 16 numbers are drawn anew when they are no whole block. */
static void torch_fill(struct sequence *s, size_t count, float *out)
{
    torch_uniforms(s, count, out);
    for (size_t i = 0; i + BLOCK <= count; i += BLOCK)
        torch_block(out + i);
    if (count % BLOCK == 0) return;
    torch_uniforms(s, BLOCK, out + count - BLOCK);
    torch_block(out + count - BLOCK);
}

void sequence_normal(struct sequence *s, size_t count, float *out)
{
    if (s->kind == BST_LATENT_TORCH && count >= BLOCK) {
        torch_fill(s, count, out);
        return;
    }
    for (size_t i = 0; i < count; i++)
        out[i] = (float)(s->kind == BST_LATENT_TORCH ? torch_normal(s) : numpy_normal(s));
}
