/* kernel_winograd_transpose_body.h - the kernels of ConvTranspose by Winograd's F(3, 2), over the points 0, 1, -1 and
 * infinity: see arithmetic.md, paragraph 2. Written over the vectors of kernel_body.h. */

/* Line i of the seven that four rows of inputs, row numbers apart, make. */
static inline __attribute__((always_inline)) vf v_transpose_line(const float *p, size_t row, size_t i)
{
    switch (i) {
    case 0:
        return v_load(p) - v_load(p + 2 * row);
    case 1:
        return v_load(p + row) + v_load(p + 2 * row);
    case 2:
        return v_load(p + 2 * row) - v_load(p + row);
    case 3:
        return v_load(p + 3 * row) - v_load(p + row);
    default: /* what the odd outputs are made of */
        return v_load(p + (i - 3) * row);
    }
}

static void transpose_input(const float *line, size_t pitch, size_t tiles, const size_t *at, float *v)
{
    const size_t row = 4 * pitch;
    for (size_t t = 0; t < tiles; t += VW, at += 49) {
        const float *p = line + t;
        UNROLL for (size_t i = 0; i < 7; i++)
        {
            vf d0 = v_transpose_line(p, row, i), d1 = v_transpose_line(p + pitch, row, i);
            vf d2 = v_transpose_line(p + 2 * pitch, row, i), d3 = v_transpose_line(p + 3 * pitch, row, i);
            vf made[7] = {d0 - d2, d1 + d2, d2 - d1, d3 - d1, d1, d2, d3};
            UNROLL for (size_t j = 0; j < 7; j++) v_store(v + at[i * 7 + j], made[j]);
        }
    }
}

/* Even and odd outputs by turns. */
static inline __attribute__((always_inline)) void v_transpose_out(const vf m[7], vf y[6])
{
    vf s = m[1] + m[2];
    y[0] = m[0] + s;
    y[1] = m[4];
    y[2] = m[1] - m[2];
    y[3] = m[5];
    y[4] = s + m[3];
    y[5] = m[6];
}

static void transpose_output(const float *m, const size_t *at, float bias, size_t tiles, float *out,
                             size_t pitch)
{
    const vf add = v_set(bias);
    for (size_t t = 0; t < tiles; t += VW, at += 49) {
        vf half[6][7];
        UNROLL for (size_t j = 0; j < 7; j++)
        {
            vf column[7], y[6];
            UNROLL for (size_t i = 0; i < 7; i++) column[i] = v_load(m + at[i * 7 + j]);
            v_transpose_out(column, y);
            UNROLL for (size_t i = 0; i < 6; i++) half[i][j] = y[i];
        }
        for (size_t i = 0; i < 6; i++) {
            float pairs[3][2 * VW], *to = out + i * pitch + 6 * t;
            vf y[6];
            v_transpose_out(half[i], y);
            UNROLL for (size_t j = 0; j < 3; j++) v_interleave(y[2 * j] + add, y[2 * j + 1] + add, pairs[j]);
            for (size_t l = 0; l < VW; l++, to += 6)
                UNROLL for (size_t j = 0; j < 3; j++) memcpy(to + 2 * j, &pairs[j][2 * l], 2 * sizeof *to);
        }
    }
}

typedef float v4 __attribute__((vector_size(16)));

static inline v4 v4_load(const float *p)
{
    v4 v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* The k-th numbers of four vectors, for every k. */
static inline __attribute__((always_inline)) void v4_turn(v4 a, v4 b, v4 c, v4 d, v4 out[4])
{
    v4 ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5),
       ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    v4 cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5),
       cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    out[0] = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
    out[1] = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
    out[2] = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
    out[3] = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

static inline __attribute__((always_inline)) void transpose_weights_line(v4 g0, v4 g1, v4 g2, v4 u[5])
{
    u[0] = g2;
    u[1] = (g2 + g0) * 0.5f;
    u[2] = (g2 - g0) * 0.5f;
    u[3] = g0;
    u[4] = g1;
}

/* Four output channels at a time. */
static void transpose_weights(const float *w, size_t step, size_t count, float *u, size_t plane)
{
    for (size_t r = 0; r < PRODUCT_ROWS; r += 4) {
        const float *row[4]; /* beyond the last channel another's do */
        v4 g[9], t[3][5];
        for (size_t q = 0; q < 4; q++)
            row[q] = w + (r + q < count ? (r + q) * step : 0);
        v4_turn(v4_load(row[0]), v4_load(row[1]), v4_load(row[2]), v4_load(row[3]), g);
        v4_turn(v4_load(row[0] + 4), v4_load(row[1] + 4), v4_load(row[2] + 4), v4_load(row[3] + 4), g + 4);
        g[8] = (v4){row[0][8], row[1][8], row[2][8], row[3][8]};
        UNROLL for (size_t l = 0; l < 3; l++) transpose_weights_line(g[l], g[3 + l], g[6 + l], t[l]);
        UNROLL for (size_t i = 0; i < 5; i++)
        {
            v4 made[5];
            transpose_weights_line(t[0][i], t[1][i], t[2][i], made);
            UNROLL for (size_t j = 0; j < 5; j++)
                memcpy(u + (i * 5 + j) * plane + r, &made[j], sizeof made[j]);
        }
    }
}
