/* train_amx.c - convolutions on AMX tiles. A tile register holds 16 rows of 64 bytes; one instruction
 * multiplies a tile of 16 x 32 bfloat16 numbers with one of 32 x 16 and adds to a tile of 16 x 16 float32
 * numbers. The right factor is stored in pairs: row r, column c holds elements (2 r, c) and (2 r + 1, c).
 *
 * Because a convolution walks its map as one long row (train_layer.h), the right factor of a tap is the map,
 * stored in pairs of channels once, read from a moved start: no im2col here either.
 */
#define _GNU_SOURCE /* syscall */
#include "train_amx.h"

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__)

#include <cpuid.h>
#include <immintrin.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FAST        __attribute__((target("avx512f,avx512bw,avx512vl,amx-tile,amx-bf16")))
#define TAPS_MAX    9
#define DEPTH_BLOCK 4096 /* columns that a weight gradient sums up in tiles before it adds to memory */

enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 }; /* arch_prctl(2) */

static size_t up_to(size_t x, size_t step)
{
    return (x + step - 1) / step * step;
}

static bool has_amx(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
    bool amx = d >> 24 & 1 && d >> 22 & 1, avx512 = b >> 16 & 1 && b >> 30 & 1 && b >> 31 & 1;
    return amx && avx512 && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

bool train_amx_available(void)
{
    static int known; /* 0 not asked yet, 1 yes, 2 no; two threads that ask at once find the same */
    int state = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (state == 0) {
        state = has_amx() ? 1 : 2;
        __atomic_store_n(&known, state, __ATOMIC_RELAXED);
    }
    return state == 1;
}

/* Every tile with all its 16 rows of 64 bytes. */
FAST static void tiles_on(void)
{
    _Alignas(64) struct {
        uint8_t palette, start, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config = {.palette = 1};
    for (size_t i = 0; i < 8; i++) {
        config.row_bytes[i] = 64;
        config.rows[i] = 16;
    }
    _tile_loadconfig(&config);
}

/* To nearest, ties to even; no NaN comes here. */
static inline uint32_t bf16(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

/* ---- storage ---- */

/* The left factor of a tap in tiles: [rows / 16][depth / 32][16][32], rows and depth padded with zeros.
 * Element (i, j) of the tap is weights[i * row + j * column]; one of row and column is 1. */
FAST static void pack_left(const float *weights, size_t rows, size_t depth, size_t row, size_t column,
                           uint16_t *out)
{
    size_t tiles = up_to(depth, 32) / 32;
    memset(out, 0, up_to(rows, 16) * tiles * 32 * sizeof *out);
    for (size_t r = 0; r < rows; r += 16)
        for (size_t d = 0; d < depth; d += 32) {
            uint16_t *tile = out + (r / 16 * tiles + d / 32) * 512;
            const float *from = weights + r * row + d * column;
            size_t high = rows - r < 16 ? rows - r : 16, wide = depth - d < 32 ? depth - d : 32;
            if (column == 1)
                for (size_t i = 0; i < high; i++)
                    for (size_t j = 0; j < wide; j++)
                        tile[i * 32 + j] = (uint16_t)bf16(from[i * row + j]);
            else
                for (size_t j = 0; j < wide; j++)
                    for (size_t i = 0; i < high; i++)
                        tile[i * 32 + j] = (uint16_t)bf16(from[i + j * column]);
        }
}

/* A map of channels x pixels in pairs of channels: [channels / 2][front + pixels + tail], each element two
 * numbers. Channels are padded to a multiple of 32; front and tail are zeros. */
FAST static void pack_pairs(const float *x, size_t channels, size_t pixels, size_t front, size_t width,
                            uint32_t *out)
{
    for (size_t pair = 0; pair < up_to(channels, 32) / 2; pair++) {
        uint32_t *to = out + pair * width;
        if (2 * pair >= channels) {
            memset(to, 0, width * sizeof *to);
            continue;
        }
        const float *low = x + 2 * pair * pixels, *high = low + pixels;
        memset(to, 0, front * sizeof *to);
        memset(to + front + pixels, 0, (width - front - pixels) * sizeof *to);
        to += front;
        if (2 * pair + 1 < channels)
            for (size_t i = 0; i < pixels; i++)
                to[i] = bf16(low[i]) | bf16(high[i]) << 16;
        else
            for (size_t i = 0; i < pixels; i++)
                to[i] = bf16(low[i]);
    }
}

/* A map as rows of bfloat16 numbers, each padded to width with zeros, and channels to a multiple of 16. */
FAST static void pack_rows(const float *x, size_t channels, size_t pixels, size_t width, uint16_t *out)
{
    for (size_t c = 0; c < up_to(channels, 16); c++) {
        uint16_t *to = out + c * width;
        size_t count = c < channels ? pixels : 0;
        for (size_t i = 0; i < count; i++)
            to[i] = (uint16_t)bf16(x[c * pixels + i]);
        memset(to + count, 0, (width - count) * sizeof *to);
    }
}

/* Rows turned into pairs of pixels: [width / 2][channels padded to 16], element (j, c) being pixels 2 j and 2
 * j + 1 of channel c. */
FAST static void transpose_pairs(const uint16_t *rows, size_t channels, size_t width, uint32_t *out)
{
    size_t padded = up_to(channels, 16), pairs = width / 2;
    for (size_t first = 0; first < pairs; first += 16) /* width is a multiple of 32 */
        for (size_t c = 0; c < padded; c++) {
            uint32_t pair[16];
            memcpy(pair, rows + c * width + 2 * first, sizeof pair);
            for (size_t j = 0; j < 16; j++)
                out[(first + j) * padded + c] = pair[j];
        }
}

/* ---- products ---- */

/* Tile register number to the upper left rows (at most 16) x 16 numbers at out. */
#define WRITE_TILE(number, out, stride, rows)                                                                \
    do {                                                                                                     \
        if ((rows) >= 16) {                                                                                  \
            _tile_stored(number, out, (stride)*4);                                                           \
        } else {                                                                                             \
            _tile_stored(number, tile, 64);                                                                  \
            for (size_t i = 0; i < (rows); i++)                                                              \
                memcpy((out) + i * (stride), tile + i * 16, 64);                                             \
        }                                                                                                    \
    } while (0)

/* out [rows][stride], columns of it: the sum over taps of left[tap] (pack_left) times right (pack_pairs)
 * moved by move[tap]. columns >= 32; the last block overlaps the one before. */
FAST static void product_moved(const uint16_t *left, size_t taps, size_t rows, size_t depth,
                               const uint32_t *right, size_t width, const size_t *move, float *out,
                               size_t stride, size_t columns)
{
    size_t steps = up_to(depth, 32) / 32, row_tiles = up_to(rows, 16) / 16;
    size_t tap_size = row_tiles * steps * 512;
    _Alignas(64) float tile[256];
    for (size_t block = 0; block < columns; block += 32) {
        size_t at = block + 32 <= columns ? block : columns - 32;
        for (size_t r = 0; r < row_tiles; r += 2) {
            bool two = r + 1 < row_tiles;
            _tile_zero(0);
            _tile_zero(1);
            _tile_zero(2);
            _tile_zero(3);
            for (size_t tap = 0; tap < taps; tap++)
                for (size_t s = 0; s < steps; s++) {
                    const uint16_t *a = left + tap * tap_size + (r * steps + s) * 512;
                    const uint32_t *b = right + s * 16 * width + at + move[tap];
                    _tile_loadd(4, a, 64);
                    _tile_loadd(6, b, width * 4);
                    _tile_loadd(7, b + 16, width * 4);
                    _tile_dpbf16ps(0, 4, 6);
                    _tile_dpbf16ps(1, 4, 7);
                    if (!two) continue;
                    _tile_loadd(5, a + steps * 512, 64);
                    _tile_dpbf16ps(2, 5, 6);
                    _tile_dpbf16ps(3, 5, 7);
                }
            float *to = out + r * 16 * stride + at;
            size_t high = rows - r * 16;
            WRITE_TILE(0, to, stride, high);
            WRITE_TILE(1, to + 16, stride, high);
            if (!two) continue;
            WRITE_TILE(2, to + 16 * stride, stride, high - 16);
            WRITE_TILE(3, to + 16 * stride + 16, stride, high - 16);
        }
    }
}

/* Adds a 16 x 16 tile, transposed, to the rows x columns at out that are there. */
FAST static void add_transposed(const float *tile, float *out, size_t stride, size_t rows, size_t columns)
{
    rows = rows < 16 ? rows : 16;
    columns = columns < 16 ? columns : 16;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            out[i * stride + j] += tile[j * 16 + i];
}

/* out [columns][rows] += the transpose of left [rows][width] (pack_rows), moved by move, times right
 * (transpose_pairs), summed over the pixels from first to last. */
FAST static void product_deep(const uint16_t *left, size_t width, size_t rows, size_t move, size_t first,
                              size_t last, const uint32_t *right, size_t columns, float *out)
{
    size_t padded = up_to(columns, 16);
    _Alignas(64) float tile[4][256];
    for (size_t r = 0; r < rows; r += 32)
        for (size_t c = 0; c < columns; c += 32) {
            bool down = r + 16 < rows, across = c + 16 < columns;
            _tile_zero(0);
            _tile_zero(1);
            _tile_zero(2);
            _tile_zero(3);
            for (size_t n = first; n < last; n += 32) {
                const uint16_t *a = left + r * width + n + move;
                const uint32_t *b = right + n / 2 * padded + c;
                _tile_loadd(4, a, width * 2);
                _tile_loadd(6, b, padded * 4);
                _tile_dpbf16ps(0, 4, 6);
                if (across) {
                    _tile_loadd(7, b + 16, padded * 4);
                    _tile_dpbf16ps(1, 4, 7);
                }
                if (!down) continue;
                _tile_loadd(5, a + 16 * width, width * 2);
                _tile_dpbf16ps(2, 5, 6);
                if (across) _tile_dpbf16ps(3, 5, 7);
            }
            _tile_stored(0, tile[0], 64);
            _tile_stored(1, tile[1], 64);
            _tile_stored(2, tile[2], 64);
            _tile_stored(3, tile[3], 64);
            for (size_t i = 0; i < 4; i++) {
                size_t row = r + i / 2 * 16, column = c + i % 2 * 16;
                if (row < rows && column < columns)
                    add_transposed(tile[i], out + column * rows + row, rows, columns - column, rows - row);
            }
        }
}

/* ---- convolutions ---- */

struct sizes {
    size_t pixels, used, reach; /* reach: the furthest a tap moves */
    size_t move[TAPS_MAX];
};

static struct sizes sizes_of(struct train_map in, size_t k)
{
    struct sizes s = {.pixels = in.n * in.h * in.w, .reach = (k - 1) * (in.w + 1)};
    s.used = s.pixels - s.reach;
    for (size_t tap = 0; tap < k * k; tap++)
        s.move[tap] = tap / k * in.w + tap % k;
    return s;
}

/* Parts of the scratch memory are counted in 4-byte words and start at multiples of 64 bytes. */
static size_t words(size_t bytes)
{
    return up_to(bytes, 64) / 4;
}

static size_t left_words(size_t rows, size_t depth, size_t k)
{
    return words(k * k * up_to(rows, 16) * up_to(depth, 32) * 2);
}

/* A row of pairs: an odd number of cache lines, so that the 16 rows of a tile do not compete for the same
 * lines. */
static size_t row_width(size_t pixels)
{
    return up_to(pixels, 16) | 16;
}

size_t train_amx_scratch(struct train_map in, size_t cout, size_t k)
{
    struct sizes s = sizes_of(in, k);
    if (k * k > TAPS_MAX || s.used < 32 || in.c < 8 || cout < 8) return 0;
    size_t wide = up_to(in.c > cout ? in.c : cout, 32), length = up_to(s.pixels + s.reach, 32) + 64;
    size_t product = left_words(wide, wide, k) + words(wide / 2 * length * 4);
    size_t gradient = words(wide * length * 2) * 2 + words(length / 2 * wide * 4);
    return product > gradient ? product : gradient;
}

FAST void train_amx_forward(struct train_map in, size_t cout, size_t k, const float *weights, const float *x,
                            float *raw, float *scratch)
{
    struct sizes s = sizes_of(in, k);
    uint16_t *left = (uint16_t *)(void *)scratch;
    uint32_t *right = (uint32_t *)(void *)(scratch + left_words(cout, in.c, k));
    size_t tap_size = up_to(cout, 16) * up_to(in.c, 32);
    for (size_t tap = 0; tap < k * k; tap++)
        pack_left(weights + tap * cout * in.c, cout, in.c, in.c, 1, left + tap * tap_size);
    size_t width = row_width(s.pixels);
    pack_pairs(x, in.c, s.pixels, 0, width, right);
    tiles_on();
    product_moved(left, k * k, cout, in.c, right, width, s.move, raw, s.pixels, s.used);
    _tile_release();
}

/* dx(m) is the sum over taps of weights^T draw(m - move): the same product on draw behind reach zeros. */
FAST static void backward_map(struct train_map in, size_t cout, size_t k, const float *weights,
                              const float *draw, float *dx, float *scratch)
{
    struct sizes s = sizes_of(in, k);
    uint16_t *left = (uint16_t *)(void *)scratch;
    uint32_t *right = (uint32_t *)(void *)(scratch + left_words(in.c, cout, k));
    size_t tap_size = up_to(in.c, 16) * up_to(cout, 32), back[TAPS_MAX];
    for (size_t tap = 0; tap < k * k; tap++) {
        pack_left(weights + tap * cout * in.c, in.c, cout, 1, in.c, left + tap * tap_size);
        back[tap] = s.reach - s.move[tap];
    }
    size_t width = row_width(s.pixels + s.reach);
    pack_pairs(draw, cout, s.pixels, s.reach, width, right);
    tiles_on();
    product_moved(left, k * k, in.c, cout, right, width, back, dx, s.pixels, s.pixels);
    _tile_release();
}

FAST static void backward_weights(struct train_map in, size_t cout, size_t k, const float *x,
                                  const float *draw, float *dweights, float *scratch)
{
    struct sizes s = sizes_of(in, k);
    size_t length = up_to(s.pixels, 32), width = length + up_to(s.reach, 32);
    uint16_t *left = (uint16_t *)(void *)scratch;
    uint16_t *rows = left + up_to(in.c, 16) * width;
    uint32_t *right = (uint32_t *)(void *)(scratch + words(up_to(in.c, 16) * width * 2) +
                                           words(up_to(cout, 16) * length * 2));
    pack_rows(x, in.c, s.pixels, width, left);
    pack_rows(draw, cout, s.pixels, length, rows); /* zero where a tap would leave the map */
    transpose_pairs(rows, cout, length, right);
    tiles_on();
    for (size_t first = 0; first < length; first += DEPTH_BLOCK) {
        size_t last = first + DEPTH_BLOCK < length ? first + DEPTH_BLOCK : length;
        for (size_t tap = 0; tap < k * k; tap++)
            product_deep(left, width, in.c, s.move[tap], first, last, right, cout,
                         dweights + tap * cout * in.c);
    }
    _tile_release();
}

void train_amx_backward(struct train_map in, size_t cout, size_t k, const float *weights, const float *x,
                        const float *draw, float *dx, float *dweights, float *scratch)
{
    if (dx) backward_map(in, cout, k, weights, draw, dx, scratch);
    if (dweights) backward_weights(in, cout, k, x, draw, dweights, scratch);
}

#else

bool train_amx_available(void)
{
    return false;
}

size_t train_amx_scratch(struct train_map in, size_t cout, size_t k)
{
    (void)in, (void)cout, (void)k;
    return 0;
}

void train_amx_forward(struct train_map in, size_t cout, size_t k, const float *weights, const float *x,
                       float *raw, float *scratch)
{
    (void)in, (void)cout, (void)k, (void)weights, (void)x, (void)raw, (void)scratch;
}

void train_amx_backward(struct train_map in, size_t cout, size_t k, const float *weights, const float *x,
                        const float *draw, float *dx, float *dweights, float *scratch)
{
    (void)in, (void)cout, (void)k, (void)weights, (void)x, (void)draw, (void)dx, (void)dweights,
        (void)scratch;
}

#endif
