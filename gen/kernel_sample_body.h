/* kernel_sample_body.h - the kernels of what goes into a network and comes out of it: random numbers and samples of
 * pictures. Written over the vectors of kernel_body.h. */

#define PHILOX_LANES 16

/* Blocks first to first + n - 1 of a stream: Philox4x32-10, sixteen blocks side by side. */
static void philox(uint64_t seed, uint32_t stream, uint64_t first, size_t n, uint32_t *radius,
                   uint32_t *angle)
{
    for (size_t i = 0; i < n; i += PHILOX_LANES) {
        uint32_t c0[PHILOX_LANES], c1[PHILOX_LANES], c2[PHILOX_LANES], c3[PHILOX_LANES];
        uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
        for (size_t l = 0; l < PHILOX_LANES; l++) {
            c0[l] = (uint32_t)(first + i + l);
            c1[l] = (uint32_t)((first + i + l) >> 32);
            c2[l] = stream;
            c3[l] = 0;
        }
        for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
            for (size_t l = 0; l < PHILOX_LANES; l++) {
                uint64_t a = (uint64_t)0xD2511F53u * c0[l], b = (uint64_t)0xCD9E8D57u * c2[l];
                c0[l] = (uint32_t)(b >> 32) ^ c1[l] ^ k0;
                c1[l] = (uint32_t)b;
                c2[l] = (uint32_t)(a >> 32) ^ c3[l] ^ k1;
                c3[l] = (uint32_t)a;
            }
        }
        for (size_t l = 0; l < PHILOX_LANES && i + l < n; l++) {
            radius[2 * (i + l)] = c0[l];
            angle[2 * (i + l)] = c1[l];
            radius[2 * (i + l) + 1] = c2[l];
            angle[2 * (i + l) + 1] = c3[l];
        }
    }
}

/* cos and sin of a turn's fraction given as a 32-bit word: the upper 3 bits are the octant, the next 23 the
 * place in it. */
static inline void v_circle(vi word, vf *cosine, vf *sine)
{
    vi octant = (word >> 29) & 7;
    vi place = (word >> 6) & 0x007fffff;
    vi odd = (octant & 1) == 1;
    /* odd octants are walked backwards, so that the angle stays within an eighth of a turn */
    place = (place & ~odd) | ((v_int(0x00800000) - place) & odd);
    vf r = v_to_float(place) * v_set(0x1p-26f);
    vf z = r * r;
    vf s = v_set(-0x1.2d9b4p+6f);
    s = v_fma(s, z, v_set(0x1.465ec4p+6f));
    s = v_fma(s, z, v_set(-0x1.4abbbap+5f));
    s = v_fma(s, z, v_set(0x1.921fb6p+2f));
    s = s * r;
    vf c = v_set(0x1.db6492p+5f);
    c = v_fma(c, z, v_set(-0x1.55cb98p+6f));
    c = v_fma(c, z, v_set(0x1.03c1eap+6f));
    c = v_fma(c, z, v_set(-0x1.3bd3ccp+4f));
    c = v_fma(c, z, v_set(1.0f));
    vi swap = ((octant + 1) & 2) == 2;                       /* octants 1, 2, 5, 6 */
    vi cosine_minus = (((octant + 2) & 4) == 4) & INT32_MIN; /* octants 2, 3, 4, 5 */
    vi sine_minus = ((octant & 4) == 4) & INT32_MIN;         /* octants 4, 5, 6, 7 */
    *cosine = (vf)(v_bits(v_select(swap, s, c)) ^ cosine_minus);
    *sine = (vf)(v_bits(v_select(swap, c, s)) ^ sine_minus);
}

static void normal(const uint32_t *radius, const uint32_t *angle, float *y, size_t n)
{
    for (size_t i = 0; i < n; i += VW) {
        size_t count = n - i < VW ? n - i : VW;
        int32_t words[2][VW] = {{0}};
        float pairs[2 * VW];
        memcpy(words[0], radius + i, count * sizeof *radius);
        memcpy(words[1], angle + i, count * sizeof *angle);
        vi w, a;
        memcpy(&w, words[0], sizeof w);
        memcpy(&a, words[1], sizeof a);
        /* (23 random bits + 1/2) * 2^-23 lies within (0, 1) and is exact */
        vf u = (v_to_float((w >> 9) & 0x007fffff) + v_set(0.5f)) * v_set(0x1p-23f);
        vf length = v_sqrt(v_log(u) * v_set(-2.0f));
        vf cosine, sine;
        v_circle(a, &cosine, &sine);
        v_interleave(length * cosine, length * sine, pairs);
        memcpy(y + 2 * i, pairs, 2 * count * sizeof *y);
    }
}

static void quantize(const float *x, float low, float scale, uint8_t *y, size_t step, size_t n)
{
    const vf zero = v_set(0.0f), top = v_set(255.0f), half = v_set(0.5f);
    for (size_t i = 0; i < n; i += VW) {
        size_t count = n - i < VW ? n - i : VW;
        vf v = (v_load_part(x + i, count) - v_set(low)) * v_set(scale);
        v = v_select((vi)(v > zero), v, zero);
        v = v_select((vi)(v < top), v, top);
        vi whole = __builtin_convertvector(v + half, vi);
        int32_t lanes[VW];
        memcpy(lanes, &whole, sizeof whole);
        for (size_t j = 0; j < count; j++)
            y[(i + j) * step] = (uint8_t)lanes[j];
    }
}
