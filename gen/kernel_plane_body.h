/* kernel_plane_body.h - the kernels of windows that slide over planes: see kernel_plane.h. Written over the vectors of
 * kernel_body.h. */

/* The even and the odd numbers of a pair of vectors. */
static inline void v_split(vf a, vf b, vf *even, vf *odd)
{
#if VW == 4
    *even = __builtin_shufflevector(a, b, 0, 2, 4, 6);
    *odd = __builtin_shufflevector(a, b, 1, 3, 5, 7);
#elif VW == 8
    *even = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
    *odd = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
#else
    *even = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    *odd = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#endif
}

static void split(const float *x, float *even, float *odd, size_t n)
{
    size_t i = 0;
    for (; i + VW <= n; i += VW) {
        vf a, b;
        v_split(v_load(x + 2 * i), v_load(x + 2 * i + VW), &a, &b);
        v_store(even + i, a);
        v_store(odd + i, b);
    }
    for (; i < n; i++) {
        even[i] = x[2 * i];
        odd[i] = x[2 * i + 1];
    }
}

static void plane_copy(const float *x, size_t x_row, size_t n, float *to, size_t row, size_t rows,
                       size_t left, size_t used, float fill)
{
    const vf padding = v_set(fill);
    for (size_t r = 0; r < rows; r++, x += x_row, to += row) {
        size_t i = 0;
        for (size_t p = 0; p < left; p += VW) /* too far, into what is written next */
            v_store(to + p, padding);
        for (size_t p = left + n; p < used; p += VW)
            v_store(to + p, padding);
        for (; i + VW <= n; i += VW)
            v_store(to + left + i, v_load(x + i));
        if (n >= VW) {
            v_store(to + left + n - VW, v_load(x + n - VW));
            i = n;
        }
        for (; i < n; i++)
            to[left + i] = x[i];
    }
}

#define PLANE_VECTORS 4

enum plane_form { PLANE_MAX, PLANE_SUM, PLANE_AVERAGE };

/* counts: what an average's columns count. */
static inline __attribute__((always_inline)) void plane_loop(enum plane_form form, const float *tile,
                                                             const uint32_t *offset, size_t taps,
                                                             const float *counts, float first, float *y,
                                                             size_t n)
{
    for (size_t i = 0; i < n; i += PLANE_VECTORS * VW) {
        vf acc[PLANE_VECTORS];
        UNROLL for (size_t v = 0; v < PLANE_VECTORS; v++) acc[v] =
            v_set(form == PLANE_AVERAGE ? 0.0f : first);
        for (size_t k = 0; k < taps; k++) {
            const float *at = tile + offset[k] + i;
            UNROLL for (size_t v = 0; v < PLANE_VECTORS; v++)
            {
                vf x = v_load(at + v * VW);
                if (form == PLANE_MAX)
                    acc[v] = v_max(x, acc[v]);
                else
                    acc[v] = acc[v] + x;
            }
        }
        for (size_t v = 0; v < PLANE_VECTORS && i + v * VW < n; v++) {
            size_t at = i + v * VW, left = n - at;
            if (form == PLANE_AVERAGE)
                acc[v] = acc[v] /
                         (v_set(first) * (left >= VW ? v_load(counts + at) : v_load_part(counts + at, left)));
            if (left >= VW)
                v_store(y + at, acc[v]);
            else
                v_store_part(y + at, acc[v], left);
        }
    }
}

static void plane_max(const float *tile, const uint32_t *offset, size_t taps, float *y, size_t n)
{
    plane_loop(PLANE_MAX, tile, offset, taps, NULL, -INFINITY, y, n);
}

static void plane_sum(const float *tile, const uint32_t *offset, size_t taps, float *y, size_t n)
{
    plane_loop(PLANE_SUM, tile, offset, taps, NULL, 0.0f, y, n);
}

static void plane_average(const float *tile, const uint32_t *offset, size_t taps, const float *counts,
                          float rows, float *y, size_t n)
{
    plane_loop(PLANE_AVERAGE, tile, offset, taps, counts, rows, y, n);
}

/* R rows of V vectors at a time: enough chains side by side to hide the latency of each. */
static inline __attribute__((always_inline)) void plane_block(size_t R, size_t V, const float *tile,
                                                              size_t row, const uint32_t *offset, size_t taps,
                                                              const float *weights, float first, float last,
                                                              float *y, size_t pitch, size_t n)
{
    for (size_t i = 0; i < n; i += V * VW) {
        vf acc[8]; /* at most */
        UNROLL for (size_t a = 0; a < R * V; a++) acc[a] = v_set(first);
        for (size_t k = 0; k < taps; k++) {
            const float *at = tile + offset[k] + i;
            vf w = v_set(weights[k]);
            UNROLL for (size_t r = 0; r < R; r++) UNROLL for (size_t v = 0; v < V; v++) acc[r * V + v] =
                v_fma(w, v_load(at + r * row + v * VW), acc[r * V + v]);
        }
        UNROLL for (size_t a = 0; a < R * V; a++) acc[a] = acc[a] + v_set(last);
        UNROLL for (size_t r = 0; r < R; r++)
        {
            UNROLL for (size_t v = 0; v < V; v++)
            {
                size_t x = i + v * VW;
                if (x + VW <= n)
                    v_store(y + r * pitch + x, acc[r * V + v]);
                else if (x < n)
                    v_store_part(y + r * pitch + x, acc[r * V + v], n - x);
            }
        }
    }
}

static void plane_conv(const float *tile, size_t row, size_t rows, const uint32_t *offset, size_t taps,
                       const float *weights, float first, float last, float *y, size_t pitch, size_t n)
{
    size_t r = 0;
    if (n <= 2 * VW)
        for (; r + 4 <= rows; r += 4)
            plane_block(4, 2, tile + r * row, row, offset, taps, weights, first, last, y + r * pitch, pitch,
                        n);
    for (; r + 2 <= rows; r += 2)
        plane_block(2, 4, tile + r * row, row, offset, taps, weights, first, last, y + r * pitch, pitch, n);
    if (r < rows)
        plane_block(1, 4, tile + r * row, row, offset, taps, weights, first, last, y + r * pitch, pitch, n);
}

/* One input row's part in two output rows: upper and lower are the kernel's rows that it meets there, or NULL. */
static inline __attribute__((always_inline)) void pair_row(const float *upper, const float *lower,
                                                           const float *at, const uint32_t *offset,
                                                           size_t columns, vf acc[8])
{
    for (size_t k = 0; k < columns; k++) {
        const float *from = at + offset[k];
        vf x[4];
        UNROLL for (size_t v = 0; v < 4; v++) x[v] = v_load(from + v * VW);
        if (upper != NULL) {
            vf w = v_set(upper[k]);
            UNROLL for (size_t v = 0; v < 4; v++) acc[v] = v_fma(w, x[v], acc[v]);
        }
        if (lower != NULL) {
            vf w = v_set(lower[k]);
            UNROLL for (size_t v = 0; v < 4; v++) acc[4 + v] = v_fma(w, x[v], acc[4 + v]);
        }
    }
}

static void plane_conv_pair(const float *tile, size_t row, const uint32_t *offset, size_t height,
                            size_t columns, const float *weights, float first, float last, float *y,
                            size_t pitch, size_t n)
{
    for (size_t i = 0; i < n; i += 4 * VW) {
        vf acc[8];
        const float *at = tile + i, *w = weights;
        UNROLL for (size_t a = 0; a < 8; a++) acc[a] = v_set(first);
        pair_row(w, NULL, at, offset, columns, acc);
        for (size_t q = 1; q < height; q++, w += columns)
            pair_row(w + columns, w, at += row, offset, columns, acc);
        pair_row(NULL, w, at + row, offset, columns, acc);
        for (size_t a = 0; a < 8; a++) {
            size_t x = i + a % 4 * VW;
            acc[a] = acc[a] + v_set(last);
            if (x + VW <= n)
                v_store(y + a / 4 * pitch + x, acc[a]);
            else if (x < n)
                v_store_part(y + a / 4 * pitch + x, acc[a], n - x);
        }
    }
}
