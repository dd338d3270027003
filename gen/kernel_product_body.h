/* kernel_product_body.h - the register blocks: products of matrices in pieces, and sums over taps. Written over the
 * vectors of kernel_body.h. */

/* ---- products in pieces ---- */

#define PRODUCT_AHEAD 512 /* numbers of the left matrix that are on their way from memory, about */

#define PRODUCT_FUNCTION(V)                                                                                  \
    static inline __attribute__((always_inline)) void piece_##V(                                             \
        size_t count, const float *a, const float *b, size_t b_step, bool first, float *dst, size_t pitch)   \
    {                                                                                                        \
        vf acc[PRODUCT_ROWS][V];                                                                             \
        UNROLL for (size_t r = 0; r < PRODUCT_ROWS; r++) UNROLL for (size_t v = 0; v < V; v++) acc[r][v] =   \
            v_set(0.0f);                                                                                     \
        _Pragma("GCC unroll 4") for (size_t c = 0; c < count; c++, a += PRODUCT_ROWS, b += b_step)           \
        {                                                                                                    \
            vf x[V];                                                                                         \
            __builtin_prefetch(a + PRODUCT_AHEAD);                                                           \
            UNROLL for (size_t v = 0; v < V; v++) x[v] = v_load(b + v * VW);                                 \
            UNROLL for (size_t r = 0; r < PRODUCT_ROWS; r++)                                                 \
            {                                                                                                \
                vf w = v_set(a[r]);                                                                          \
                UNROLL for (size_t v = 0; v < V; v++) acc[r][v] = v_fma(w, x[v], acc[r][v]);                 \
            }                                                                                                \
        }                                                                                                    \
        UNROLL for (size_t r = 0; r < PRODUCT_ROWS; r++) UNROLL for (size_t v = 0; v < V; v++)               \
        {                                                                                                    \
            float *to = dst + r * pitch + v * VW;                                                            \
            v_store(to, first ? acc[r][v] : (vf)(v_load(to) + acc[r][v]));                                   \
        }                                                                                                    \
    }                                                                                                        \
    static void product_##V(size_t depth, size_t piece, const float *a, const float *b, size_t b_step,       \
                            bool more, float *dst, size_t pitch)                                             \
    {                                                                                                        \
        for (size_t c = 0; c < depth; c += piece)                                                            \
            piece_##V(depth - c < piece ? depth - c : piece, a + c * PRODUCT_ROWS, b + c * b_step, b_step,   \
                      c == 0 && !more, dst, pitch);                                                          \
    }

PRODUCT_FUNCTION(1)
PRODUCT_FUNCTION(2)
#if PRODUCT_VECTORS > 2
PRODUCT_FUNCTION(3)
#endif

static void product(size_t depth, size_t piece, size_t blocks, const float *a, const float *b, size_t b_step,
                    size_t columns, bool more, float *dst, size_t pitch)
{
    for (size_t i = 0; i < blocks; i++, a += depth * PRODUCT_ROWS, dst += PRODUCT_ROWS * pitch) {
        size_t j = 0;
#if PRODUCT_VECTORS > 2
        for (; j + 3 * VW <= columns; j += 3 * VW)
            product_3(depth, piece, a, b + j, b_step, more, dst + j, pitch);
#endif
        for (; j + 2 * VW <= columns; j += 2 * VW)
            product_2(depth, piece, a, b + j, b_step, more, dst + j, pitch);
        for (; j < columns; j += VW)
            product_1(depth, piece, a, b + j, b_step, more, dst + j, pitch);
    }
}

/* ---- sums over channels and taps ---- */

#define MICRO_STEP(R, V, at)                                                                                 \
    {                                                                                                        \
        vf x[V];                                                                                             \
        UNROLL for (size_t v = 0; v < V; v++) x[v] = v_load((at) + v * VW);                                  \
        UNROLL for (size_t r = 0; r < R; r++)                                                                \
        {                                                                                                    \
            vf w = v_set(weights[r]);                                                                        \
            UNROLL for (size_t v = 0; v < V; v++) acc[r][v] = v_fma(w, x[v], acc[r][v]);                     \
        }                                                                                                    \
    }

#define MICRO_FUNCTION(R, V)                                                                                 \
    static void micro_##R##x##V(enum bst_chain chain, size_t channels, size_t stride, size_t taps,           \
                                const uint32_t *offset, const float *tile, const float *weights,             \
                                const float *bias, float *dst, size_t pitch)                                 \
    {                                                                                                        \
        vf acc[R][V];                                                                                        \
        UNROLL for (size_t r = 0; r < R; r++)                                                                \
        {                                                                                                    \
            UNROLL for (size_t v = 0; v < V; v++)                                                            \
            {                                                                                                \
                if (chain == BST_CHAIN_BIAS)                                                                 \
                    acc[r][v] = v_set(bias[r]);                                                              \
                else if (chain == BST_CHAIN_ON)                                                              \
                    acc[r][v] = v_load(dst + r * pitch + v * VW);                                            \
                else                                                                                         \
                    acc[r][v] = v_set(0.0f);                                                                 \
            }                                                                                                \
            if (chain == BST_CHAIN_ADD) __builtin_prefetch(dst + r * pitch, 1);                              \
        }                                                                                                    \
        if (taps == 1) {                                                                                     \
            tile += offset[0];                                                                               \
            _Pragma("GCC unroll 4") for (size_t c = 0; c < channels; c++, tile += stride, weights += R)      \
                MICRO_STEP(R, V, tile)                                                                       \
        } else {                                                                                             \
            for (size_t c = 0; c < channels; c++, tile += stride)                                            \
                _Pragma("GCC unroll 3") for (size_t k = 0; k < taps; k++, weights += R)                      \
                    MICRO_STEP(R, V, tile + offset[k])                                                       \
        }                                                                                                    \
        if (chain == BST_CHAIN_ADD)                                                                          \
            UNROLL for (size_t r = 0; r < R; r++) UNROLL for (size_t v = 0; v < V; v++) acc[r][v] =          \
                v_load(dst + r * pitch + v * VW) + acc[r][v];                                                \
        if (chain >= BST_CHAIN_FIRST && bias != NULL)                                                        \
            UNROLL for (size_t r = 0; r < R; r++) UNROLL for (size_t v = 0; v < V; v++) acc[r][v] =          \
                acc[r][v] + v_set(bias[r]);                                                                  \
        UNROLL for (size_t r = 0; r < R; r++) UNROLL for (size_t v = 0; v < V; v++)                          \
            v_store(dst + r * pitch + v * VW, acc[r][v]);                                                    \
    }

MICROS(MICRO_FUNCTION)

#define MICRO_ENTRY(R, V) {R, V, micro_##R##x##V},
static const struct bst_micro micros[] = {MICROS(MICRO_ENTRY)};
