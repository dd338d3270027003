/* kernel_math.h - functions of vectors of numbers, by polynomials of our own. Not a header of its own:
 * kernel_body.h includes it and says what must be defined before. Every constant and every order of operations
 * here is written down in schema/arithmetic.md, section 3. */
#include <math.h>
#include <string.h>

typedef int32_t vi __attribute__((vector_size(VW * 4)));
typedef uint32_t vu __attribute__((vector_size(VW * 4))); /* for sums that may wrap */
/* half as many lanes, in double precision */
typedef float vhf __attribute__((vector_size(VW * 2)));
typedef int32_t vhi __attribute__((vector_size(VW * 2)));
typedef double vhd __attribute__((vector_size(VW * 4)));
typedef int64_t vhl __attribute__((vector_size(VW * 4)));
typedef uint64_t vhul __attribute__((vector_size(VW * 4)));

static inline vf v_load(const float *p)
{
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void v_store(float *p, vf v)
{
    memcpy(p, &v, sizeof v);
}

static inline vi v_bits(vf v)
{
    return (vi)v;
}

static inline vf v_select(vi mask, vf yes, vf no)
{
    return (vf)((v_bits(yes) & mask) | (v_bits(no) & ~mask));
}

static inline vi v_int(int32_t x)
{
    vi zero = {0};
    return zero + x;
}

static inline vhd d_set(double x)
{
    vhd zero = {0};
    return zero + x;
}

static inline vf v_to_float(vi x)
{
    return __builtin_convertvector(x, vf);
}

/* Both halves of v in double precision. */
static inline void v_widen(vf v, vhd half[2])
{
    vhf part[2];
    memcpy(part, &v, sizeof v);
    half[0] = __builtin_convertvector(part[0], vhd);
    half[1] = __builtin_convertvector(part[1], vhd);
}

static inline vf v_narrow(const vhd half[2])
{
    vhf part[2] = {__builtin_convertvector(half[0], vhf), __builtin_convertvector(half[1], vhf)};
    vf v;
    memcpy(&v, part, sizeof v);
    return v;
}

/* ---- size and sign ---- */

static inline vf v_abs(vf x)
{
    return (vf)(v_bits(x) & v_int(0x7fffffff));
}

static inline vf v_negate(vf x)
{
    return (vf)(v_bits(x) ^ v_int(INT32_MIN));
}

/* x >= 0 with the sign bit of s. */
static inline vf v_signed(vf x, vf s)
{
    return (vf)(v_bits(x) | (v_bits(s) & v_int(INT32_MIN)));
}

static inline vf v_max(vf a, vf b)
{
    return v_select((vi)(a > b) | (vi)(a != a), a, b);
}

static inline vf v_min(vf a, vf b)
{
    return v_select((vi)(a < b) | (vi)(a != a), a, b);
}

static inline vf v_clip(vf x, vf low, vf high)
{
    x = v_select((vi)(x < low), low, x);
    return v_select((vi)(x > high), high, x);
}

static inline vf v_sign(vf x)
{
    vf one = v_set(1.0f), zero = v_set(0.0f);
    vf y = v_select((vi)(x > zero), one, zero);
    y = v_select((vi)(x < zero), v_set(-1.0f), y);
    return v_select((vi)(x != x), x, y);
}

/* Numbers of 2^23 and more in size are whole already. */
static inline vf v_floor(vf x)
{
    vi small = (vi)(v_abs(x) < v_set(0x1p23f));
    vf held = v_select(small, x, v_set(0.0f));
    vf t = v_to_float(__builtin_convertvector(held, vi));
    t = t - v_select((vi)(t > held), v_set(1.0f), v_set(0.0f));
    return v_select(small, t, x);
}

/* To the nearest whole number, of two the even one; keeps the sign of what becomes zero. */
static inline vf v_round(vf x)
{
    vf size = v_abs(x), magic = v_set(0x1p23f);
    vf t = (size + magic) - magic;
    return v_select((vi)(size < magic), v_signed(t, x), x);
}

/* ---- exponential and logarithm ---- */

/* 2^n for n in [-126, 127]. */
static inline vf v_power_of_two(vi n)
{
    return (vf)(((vu)n + 127) << 23);
}

/* exp(x) = 2^whole * (1 + result), x within [-104, 89]. */
static inline vf v_exp_parts(vf x, vi *whole)
{
    const vf magic =
        v_set(0x1.8p23f); /* adding it rounds to a whole number and leaves that in the low bits */
    vf shifted = v_fma(x, v_set(0x1.715476p+0f), magic);
    vf n = shifted - magic;
    *whole = (vi)((vu)shifted - (vu)magic);
    vf r = v_fma(n, v_set(-0x1.62ep-1f), x);
    r = v_fma(n, v_set(-0x1.0bfbe8p-15f), r);
    vf p = v_set(0x1.6d117cp-10f);
    p = v_fma(p, r, v_set(0x1.120be2p-7f));
    p = v_fma(p, r, v_set(0x1.555518p-5f));
    p = v_fma(p, r, v_set(0x1.5554dcp-3f));
    p = v_fma(p, r, v_set(0.5f));
    return v_fma(p, r * r, r);
}

/* (1 + part) * 2^whole, in two steps, so that neither power of two leaves the normal range. */
static inline vf v_exp_join(vf part, vi whole)
{
    vi half = whole >> 1;
    return (part + v_set(1.0f)) * v_power_of_two(half) * v_power_of_two(whole - half);
}

static inline vf v_exp(vf x)
{
    vi whole;
    vf part = v_exp_parts(v_clip(x, v_set(-104.0f), v_set(89.0f)), &whole);
    return v_exp_join(part, whole);
}

/* exp(x) for x within [-80, 80]: the same bits, with nothing to hold and no power of two out of range. */
static inline vf v_exp_normal(vf x)
{
    vi whole;
    vf part = v_exp_parts(x, &whole);
    return (part + v_set(1.0f)) * v_power_of_two(whole);
}

/* exp(x) - 1, accurate where x is small. */
static inline vf v_expm1(vf x)
{
    vi whole;
    vf part = v_exp_parts(v_clip(x, v_set(-104.0f), v_set(89.0f)), &whole);
    return v_select(whole == 0, part, v_exp_join(part, whole) - v_set(1.0f));
}

/* |x| = 2^e * m with m in [sqrt(1/2), sqrt(2)) for finite x above zero: 0x3f3504f3 are the bits of sqrt(1/2). */
static inline vf v_log_parts(vf x, vf *e)
{
    vi tiny = (vi)(x < v_set(0x1p-126f));
    vf scaled = v_select(tiny, x * v_set(0x1p23f), x);
    vi shifted = (vi)((vu)scaled - 0x3f3504f3u);
    *e = v_to_float((shifted >> 23) - (tiny & 23));
    return (vf)((shifted & 0x007fffff) + 0x3f3504f3);
}

static inline vf v_log(vf x)
{
    vf e, f = v_log_parts(x, &e) - v_set(1.0f);
    vf p = v_set(0x1.1d8ea6p-4f);
    p = v_fma(p, f, v_set(-0x1.d635bcp-4f));
    p = v_fma(p, f, v_set(0x1.dea282p-4f));
    p = v_fma(p, f, v_set(-0x1.fcf4c6p-4f));
    p = v_fma(p, f, v_set(0x1.23d21ap-3f));
    p = v_fma(p, f, v_set(-0x1.555b4ap-3f));
    p = v_fma(p, f, v_set(0x1.999d5ap-3f));
    p = v_fma(p, f, v_set(-0x1.fffffcp-3f));
    p = v_fma(p, f, v_set(0x1.555554p-2f));
    vf z = f * f;
    vf y = v_fma(p, f * z, v_set(0x1.0bfbe8p-15f) * e);
    y = v_fma(z, v_set(-0.5f), y);
    y = v_fma(e, v_set(0x1.62ep-1f), f + y);
    y = v_select((vi)(x == v_set(0.0f)), v_set(-INFINITY), y);
    y = v_select((vi)(x < v_set(0.0f)), v_set(NAN), y);
    return v_select((vi)(x < v_set(INFINITY)), y, x); /* infinity and NaN stay what they are */
}

/* log(1 + t) for t >= -1: what rounding 1 + t lost is put back. */
static inline vf v_log1p(vf t)
{
    vf one = v_set(1.0f), u = one + t;
    vf y = v_log(u) + (t - (u - one)) / u;
    return v_select((vi)(u < v_set(INFINITY)) & (vi)(u != v_set(0.0f)), y, v_log(u));
}

/* ---- powers ---- */

/* Whole exponents up to 64 by repeated squaring, halves by a square root more, others by exp(a * log(x)). */
static inline vf v_pow(vf x, float exponent)
{
    float size = exponent < 0.0f ? -exponent : exponent;
    float doubled = size + size;
    if (!(size <= 64.0f) || (float)(int)doubled != doubled) return v_exp(v_log(x) * v_set(exponent));
    unsigned n = (unsigned)doubled;
    vf y = n & 1 ? v_sqrt(x) : v_set(1.0f);
    vf square = x;
    for (n >>= 1; n; n >>= 1) {
        if (n & 1) y = y * square;
        square = square * square;
    }
    if (exponent < 0.0f) y = v_set(1.0f) / y;
    return y;
}

/* 2^(y * (e + log2(m))), all in double precision. */
static inline vhd d_power(vhd m, vhd e, vhd y)
{
    vhd s = (m - 1.0) / (m + 1.0), z = s * s;
    vhd p = d_set(0x1.f0fd1bd9746fep-3);
    p = p * z + 0x1.0bbe42e52a35ap-2;
    p = p * z + 0x1.484f6e822a7d1p-2;
    p = p * z + 0x1.a617578df80b1p-2;
    p = p * z + 0x1.2776c515782afp-1;
    p = p * z + 0x1.ec709dc39db8ep-1;
    p = p * z + 0x1.71547652b82fep+1;
    vhd t = y * (p * s + e);
    t = (vhd)(((vhl)t & (t >= -200.0)) | ((vhl)d_set(-200.0) & ~(t >= -200.0))); /* a NaN too */
    t = (vhd)(((vhl)t & (t <= 200.0)) | ((vhl)d_set(200.0) & ~(t <= 200.0)));
    vhd magic = d_set(0x1.8p52), shifted = t + magic, f = t - (shifted - magic);
    vhd q = d_set(0x1.61aff23b0faecp-20);
    q = q * f + 0x1.00dad27d295a3p-16;
    q = q * f + 0x1.430acc7922879p-13;
    q = q * f + 0x1.5d8748381aee3p-10;
    q = q * f + 0x1.3b2ab5c54ae5ep-7;
    q = q * f + 0x1.c6b08dd46d684p-5;
    q = q * f + 0x1.ebfbdff931782p-3;
    q = q * f + 0x1.62e42fef8615ap-1;
    q = q * f + 0x1.ffffffffff7a5p-1;
    return q * (vhd)(((vhul)shifted - (vhul)magic + 1023) << 52);
}

/* Any number to any power, as IEEE 754 defines pow. */
static inline vf v_power(vf x, vf y)
{
    const vf zero = v_set(0.0f), one = v_set(1.0f), infinity = v_set(INFINITY);
    vf size = v_abs(x), e, ysize = v_abs(y);
    vhd m[2], k[2], w[2];
    v_widen(v_log_parts(size, &e), m);
    v_widen(e, k);
    v_widen(y, w);
    m[0] = d_power(m[0], k[0], w[0]);
    m[1] = d_power(m[1], k[1], w[1]);
    vf p = v_narrow(m);
    /* zero and infinity: 0 or infinity, as the signs of log(x) and y say */
    vi edge = (vi)(size == zero) | (vi)(size == infinity) | (vi)(ysize == infinity);
    vi up = ((vi)(size > one) & (vi)(y > zero)) | ((vi)(size < one) & (vi)(y < zero));
    p = v_select(edge, v_select(up, infinity, zero), p);
    vi whole = (vi)(v_floor(y) == y);
    vf small = v_select((vi)(ysize < v_set(0x1p24f)), y, zero);
    vi odd = whole & -(__builtin_convertvector(small, vi) & 1);
    p = (vf)(v_bits(p) ^ (odd & v_bits(x) & v_int(INT32_MIN)));
    p = v_select((vi)(x < zero) & (vi)(size < infinity) & ~whole, v_set(NAN), p);
    p = v_select((vi)(x != x) | (vi)(y != y), x + y, p);
    vi unit = (vi)(y == zero) | (vi)(x == one) | ((vi)(size == one) & (vi)(ysize == infinity));
    return v_select(unit, one, p);
}

/* ---- hyperbolic and bell-shaped functions ---- */

static inline vf v_tanh(vf x)
{
    vf size = v_abs(x);
    vf z = x * x;
    vf p = v_set(-0x1.8f83e8p-8f);
    p = v_fma(p, z, v_set(0x1.58025ap-6f));
    p = v_fma(p, z, v_set(-0x1.b92538p-5f));
    p = v_fma(p, z, v_set(0x1.110e1ap-3f));
    p = v_fma(p, z, v_set(-0x1.555552p-2f));
    vf near = v_fma(x * z, p, x);
    vf held = v_select((vi)(size > v_set(10.0f)), v_set(10.0f), size);
    vf far = v_set(1.0f) - v_set(2.0f) / (v_exp_normal(held + held) + v_set(1.0f));
    return v_select((vi)(size >= v_set(0.625f)), v_signed(far, x), near);
}

static inline vf v_sigmoid(vf x)
{
    return v_set(1.0f) / (v_set(1.0f) + v_exp(v_negate(x)));
}

static inline vf v_erf(vf x)
{
    vf size = v_abs(x), z = x * x;
    vf p = v_set(-0x1.35bf5ap-11f);
    p = v_fma(p, z, v_set(0x1.462968p-8f));
    p = v_fma(p, z, v_set(-0x1.b65c7p-6f));
    p = v_fma(p, z, v_set(0x1.ce172ep-4f));
    p = v_fma(p, z, v_set(-0x1.8126d2p-2f));
    p = v_fma(p, z, v_set(0x1.06eba6p-3f));
    vf near = v_fma(p, x, x);
    vf a = v_select((vi)(size > v_set(4.0f)), v_set(4.0f), size);
    vf q = v_set(-0x1.61ea32p-16f);
    q = v_fma(q, a, v_set(0x1.c790eep-12f));
    q = v_fma(q, a, v_set(-0x1.115ac2p-8f));
    q = v_fma(q, a, v_set(0x1.9b8e7ap-6f));
    q = v_fma(q, a, v_set(-0x1.bb83e4p-4f));
    q = v_fma(q, a, v_set(-0x1.44460cp-1f));
    q = v_fma(q, a, v_set(-0x1.2127e4p+0f));
    q = v_fma(q, a, v_set(0x1.6e59cp-13f));
    vf far = v_set(1.0f) - v_exp_normal(q);
    return v_select((vi)(size >= v_set(0.92f)), v_signed(far, x), near);
}

static inline vf v_gelu(vf x)
{
    return x * v_set(0.5f) * (v_set(1.0f) + v_erf(x * v_set(0x1.6a09e6p-1f)));
}

static inline vf v_gelu_tanh(vf x)
{
    vf u = x * v_fma(x * x, v_set(0x1.2444f2p-5f), v_set(0x1.988454p-1f));
    return x * v_set(0.5f) * (v_set(1.0f) + v_tanh(u));
}

static inline vf v_softplus(vf x)
{
    vf zero = v_set(0.0f), above = v_select((vi)(x < zero), zero, x);
    return above + v_log1p(v_exp(v_negate(v_abs(x))));
}

/* x * tanh(softplus(x)), where tanh(log(1 + e)) = n / (n + 2) with n = e * (e + 2). */
static inline vf v_mish(vf x)
{
    vf two = v_set(2.0f), top = v_set(20.0f);
    vf e = v_exp(v_select((vi)(x > top), top, x)); /* beyond, the quotient is 1 */
    vf n = e * (e + two);
    return x * (n / (n + two));
}

static inline vf v_sinh(vf x)
{
    vf half = v_set(0.5f), one = v_set(1.0f), size = v_abs(x);
    vf e = v_expm1(size), root = v_exp(size * half);
    vf y = v_select((vi)(size > v_set(80.0f)), root * half * root, half * (e + e / (e + one)));
    return v_signed(y, x);
}

static inline vf v_cosh(vf x)
{
    vf half = v_set(0.5f), size = v_abs(x), e = v_exp(size), root = v_exp(size * half);
    return v_select((vi)(size > v_set(80.0f)), root * half * root, half * e + half / e);
}

static inline vf v_asinh(vf x)
{
    vf one = v_set(1.0f), size = v_abs(x), z = size * size;
    vf near = v_log1p(size + z / (one + v_sqrt(one + z)));
    vf far = v_log(size) + v_set(0x1.62e43p-1f);
    return v_signed(v_select((vi)(size > v_set(0x1p40f)), far, near), x);
}

static inline vf v_acosh(vf x)
{
    vf t = x - v_set(1.0f);
    vf near = v_log1p(t + v_sqrt(v_fma(t, t, t + t)));
    vf far = v_log(x) + v_set(0x1.62e43p-1f);
    vf y = v_select((vi)(x > v_set(0x1p40f)), far, near);
    return v_select((vi)(t < v_set(0.0f)), v_set(NAN), y);
}

static inline vf v_atanh(vf x)
{
    vf one = v_set(1.0f), size = v_abs(x);
    vf y = v_set(0.5f) * v_log1p((size + size) / (one - size));
    y = v_select((vi)(size > one), v_set(NAN), y);
    return v_signed(y, x);
}

/* ---- circular functions ---- */

#define CIRCLE_SMALL 0x1p26f /* below, the argument is reduced with three constants; above, see far_angle */

/* x = n * pi/2 + result with |result| <= pi/4 and a little; quadrant: n mod 4. |x| below CIRCLE_SMALL. */
static inline vf v_angle(vf x, vi *quadrant)
{
    vhd half[2], magic = d_set(0x1.8p52);
    vhi part[2];
    v_widen(x, half);
    for (int i = 0; i < 2; i++) {
        vhd n = (half[i] * 0x1.45f306dc9c883p-1 + magic) - magic;
        half[i] = ((half[i] - n * 0x1.921fb54p+0) - n * 0x1.10b461p-30) - n * 0x1.a62633145c06ep-58;
        part[i] = __builtin_convertvector(n, vhi);
    }
    memcpy(quadrant, part, sizeof *quadrant);
    return v_narrow(half);
}

/* The same for one number of any size: x is a 24-bit whole number times 2^e, so the digits of 2/pi worth 4 turns
 * and more after the product need not be known. */
static inline float far_angle(float x, int32_t *quadrant)
{
    static const uint32_t digits[] = {0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0,
                                      0xdb629599, 0x3c439041, 0xfe5163ab};
    uint32_t bits;
    *quadrant = 0;
    if (!(x > -INFINITY && x < INFINITY)) return NAN;
    memcpy(&bits, &x, sizeof bits);
    uint64_t m = (bits & 0x007fffff) | 0x00800000;
    unsigned first = ((bits >> 23) & 255) - 150 - 2, shift = first % 32; /* of the digits that count */
    const uint32_t *d = digits + first / 32;
    uint64_t high = (uint64_t)d[0] << 32 | d[1], low = (uint64_t)d[2] << 32 | d[3];
    if (shift > 0) {
        high = high << shift | low >> (64 - shift);
        low = low << shift;
    }
    uint64_t turn = m * high + (m * (low >> 32) >> 32); /* in 2^-64 of a turn */
    uint64_t n = (turn + ((uint64_t)1 << 61)) >> 62;    /* quarter turns */
    double r = (double)(int64_t)(turn - (n << 62)) * 0x1.921fb54442d18p-62;
    bool minus = bits >> 31;
    *quadrant = (int32_t)(minus ? 4 - n : n) & 3;
    return (float)(minus ? -r : r);
}

/* Replaces what v_angle made of the lanes that are not small. */
static void v_far_angle(vf x, vi small, vf *r, vi *quadrant)
{
    float from[VW], angle[VW];
    int32_t near[VW], quarter[VW];
    v_store(from, x);
    v_store(angle, *r);
    memcpy(near, &small, sizeof small);
    memcpy(quarter, quadrant, sizeof *quadrant);
    for (size_t j = 0; j < VW; j++)
        if (near[j] == 0) angle[j] = far_angle(from[j], &quarter[j]);
    *r = v_load(angle);
    memcpy(quadrant, quarter, sizeof *quadrant);
}

static inline void v_circle_near(vf r, vf *sine, vf *cosine)
{
    vf z = r * r;
    vf s = v_set(0x1.6cd838p-19f);
    s = v_fma(s, z, v_set(-0x1.a00f9ep-13f));
    s = v_fma(s, z, v_set(0x1.111108p-7f));
    s = v_fma(s, z, v_set(-0x1.555556p-3f));
    *sine = v_fma(s * z, r, r);
    vf c = v_set(0x1.9a020ap-16f);
    c = v_fma(c, z, v_set(-0x1.6c0c8ap-10f));
    c = v_fma(c, z, v_set(0x1.55554ap-5f));
    *cosine = v_fma(c, z * z, v_fma(z, v_set(-0.5f), v_set(1.0f)));
}

static inline vf v_sine(vf r, vi quadrant)
{
    vf s, c;
    v_circle_near(r, &s, &c);
    vf y = v_select((quadrant & 1) == 1, c, s);
    return (vf)(v_bits(y) ^ (vi)((vu)(quadrant & 2) << 30));
}

static inline vf v_tangent(vf r, vi quadrant)
{
    vf s, c;
    v_circle_near(r, &s, &c);
    vi odd = (quadrant & 1) == 1;
    vf y = v_select(odd, c, s) / v_select(odd, s, c);
    return (vf)(v_bits(y) ^ (odd & v_int(INT32_MIN)));
}

static inline vf v_atan(vf x)
{
    vf size = v_abs(x), one = v_set(1.0f);
    vi steep = (vi)(size > one);
    vf r = v_select(steep, one / size, size), z = r * r;
    vf p = v_set(-0x1.d62ff4p-10f);
    p = v_fma(p, z, v_set(0x1.65a65ep-7f));
    p = v_fma(p, z, v_set(-0x1.fed16p-6f));
    p = v_fma(p, z, v_set(0x1.dac9e2p-5f));
    p = v_fma(p, z, v_set(-0x1.583490p-4f));
    p = v_fma(p, z, v_set(0x1.c099fep-4f));
    p = v_fma(p, z, v_set(-0x1.2421b4p-3f));
    p = v_fma(p, z, v_set(0x1.9991fcp-3f));
    p = v_fma(p, z, v_set(-0x1.55553ep-2f));
    vf y = v_fma(p * z, r, r);
    return v_signed(v_select(steep, v_set(0x1.921fb6p+0f) - y, y), x);
}

/* asin(r) for r in [0, 1/2], z = r * r. */
static inline vf v_asin_near(vf r, vf z)
{
    vf p = v_set(0x1.598628p-5f);
    p = v_fma(p, z, v_set(0x1.8c0cb6p-6f));
    p = v_fma(p, z, v_set(0x1.7480ep-5f));
    p = v_fma(p, z, v_set(0x1.3301ccp-4f));
    p = v_fma(p, z, v_set(0x1.5555c8p-3f));
    return v_fma(p * z, r, r);
}

/* Above 1/2: asin(x) = pi/2 - 2 asin(sqrt((1 - x) / 2)). */
static inline vf v_asin_parts(vf size, vi *steep)
{
    vf half = v_set(0.5f), far = v_fma(size, v_set(-0.5f), half);
    *steep = (vi)(size > half);
    vf z = v_select(*steep, far, size * size);
    return v_asin_near(v_select(*steep, v_sqrt(far), size), z);
}

static inline vf v_asin(vf x)
{
    vi steep;
    vf y = v_asin_parts(v_abs(x), &steep);
    return v_signed(v_select(steep, v_fma(y, v_set(-2.0f), v_set(0x1.921fb6p+0f)), y), x);
}

static inline vf v_acos(vf x)
{
    vi steep;
    vf y = v_asin_parts(v_abs(x), &steep);
    vf near = v_set(0x1.921fb6p+0f) - v_signed(y, x);
    vf twice = y + y;
    vf far = v_select((vi)(x < v_set(0.0f)), v_set(0x1.921fb6p+1f) - twice, twice);
    return v_select(steep, far, near);
}

/* ---- the tables of functions ---- */

static inline __attribute__((always_inline)) vf v_unary(enum bst_unary op, vf x, vf a, vf b, float exponent)
{
    const vf zero = v_set(0.0f), one = v_set(1.0f);
    switch (op) {
    case BST_U_COPY:
    case BST_U_SIN: /* unary_circle's work */
    case BST_U_COS:
    case BST_U_TAN:
        return x;
    case BST_U_RELU:
        return v_select((vi)(x < zero), zero, x);
    case BST_U_LEAKY:
        return v_select((vi)(x < zero), x * a, x);
    case BST_U_CLIP:
        return v_clip(x, a, b);
    case BST_U_AFFINE:
        return v_fma(x, a, b);
    case BST_U_TANH:
        return v_tanh(x);
    case BST_U_SIGMOID:
        return v_sigmoid(x);
    case BST_U_EXP:
        return v_exp(x);
    case BST_U_EXP_LESS:
        return v_exp(x - a);
    case BST_U_LOG:
        return v_log(x);
    case BST_U_SQRT:
        return v_sqrt(x);
    case BST_U_SQUARE:
        return x * x;
    case BST_U_NEG:
        return v_negate(x);
    case BST_U_ABS:
        return v_abs(x);
    case BST_U_SIGN:
        return v_sign(x);
    case BST_U_RECIPROCAL:
        return one / x;
    case BST_U_FLOOR:
        return v_floor(x);
    case BST_U_CEIL:
        return zero - v_floor(zero - x);
    case BST_U_ROUND:
        return v_round(x);
    case BST_U_ELU:
        return v_select((vi)(x < zero), a * (v_exp(x) - one), x);
    case BST_U_SELU:
        return b * v_select((vi)(x < zero), a * v_expm1(x), x);
    case BST_U_CELU:
        return v_select((vi)(x < zero), a * v_expm1(x / a), x);
    case BST_U_THRESHOLD:
        return v_select((vi)(x > a), x, zero);
    case BST_U_HARD_SIGMOID:
        return v_clip(v_fma(x, a, b), zero, one);
    case BST_U_HARD_SWISH:
        return x * v_clip(v_fma(x, v_set(0x1.555556p-3f), v_set(0.5f)), zero, one);
    case BST_U_SOFTSIGN:
        return x / (one + v_abs(x));
    case BST_U_SOFTPLUS:
        return v_softplus(x);
    case BST_U_MISH:
        return v_mish(x);
    case BST_U_ERF:
        return v_erf(x);
    case BST_U_GELU:
        return v_gelu(x);
    case BST_U_GELU_TANH:
        return v_gelu_tanh(x);
    case BST_U_ATAN:
        return v_atan(x);
    case BST_U_ASIN:
        return v_asin(x);
    case BST_U_ACOS:
        return v_acos(x);
    case BST_U_SINH:
        return v_sinh(x);
    case BST_U_COSH:
        return v_cosh(x);
    case BST_U_ASINH:
        return v_asinh(x);
    case BST_U_ACOSH:
        return v_acosh(x);
    case BST_U_ATANH:
        return v_atanh(x);
    case BST_U_POW:
        return v_pow(x, exponent);
    }
    return x;
}

static inline __attribute__((always_inline)) vf v_binary(enum bst_binary op, vf a, vf b)
{
    switch (op) {
    case BST_B_ADD:
        return a + b;
    case BST_B_SUB:
        return a - b;
    case BST_B_MUL:
        return a * b;
    case BST_B_DIV:
        return a / b;
    case BST_B_MIN:
        return v_min(a, b);
    case BST_B_MAX:
        return v_max(a, b);
    case BST_B_PRELU:
        return v_select((vi)(a < v_set(0.0f)), a * b, a);
    case BST_B_POW:
        return v_power(a, b);
    }
    return a;
}
