/* kernel_plane.c - copies the rows under a sliding window; see kernel_plane.h. */
#include "kernel_plane.h"
#include "sizes.h"

#include <string.h>

#define BLOCK_FLOATS ((size_t)12288)     /* of a copy, about: stays in the first levels of cache */
#define SLACK        BST_MICRO_WIDTH_MAX /* kernels read beyond the last number */

/* Input rows under n output rows. */
static size_t rows_under(const struct plane_window *w, size_t n)
{
    return (n - 1) * w->stride[1] + (w->kernel[1] - 1) * w->dilation[1] + 1;
}

enum bst_code plane_window_make(struct step *step, struct plane_window *w, struct bst_error *err)
{
    size_t reach = (w->kernel[2] - 1) * w->dilation[2] / w->stride[2], floats;
    w->taps = w->kernel[0] * w->kernel[1] * w->kernel[2];
    w->offset = step_take(step, w->taps, sizeof *w->offset);
    if (w->offset == NULL) return bst_fail_memory(err);
    w->used = w->out[2] + reach;
    w->part = (w->used + 15) / 16 * 16;
    w->row = w->part * w->stride[2];
    w->block = 1;
    while (w->block < w->out[1] && rows_under(w, w->block + 1) * w->row * w->kernel[0] <= BLOCK_FLOATS)
        w->block++;
    w->blocks = (w->out[1] + w->block - 1) / w->block;
    w->slice = rows_under(w, w->block) * w->row;
    if (!bst_mul(w->slice, w->kernel[0], &floats) || floats > UINT32_MAX - SLACK)
        return step_bad(err, "rows of %zu numbers are too long for a window of this size", w->in[2]);
    for (size_t t = 0; t < w->taps; t++) {
        size_t kz = t / w->kernel[2] / w->kernel[1], ky = t / w->kernel[2] % w->kernel[1];
        size_t x = t % w->kernel[2] * w->dilation[2];
        w->offset[t] = (uint32_t)(kz * w->slice + ky * w->dilation[1] * w->row + x % w->stride[2] * w->part +
                                  x / w->stride[2]);
    }
    if ((floats + SLACK) * sizeof(float) > step->scratch) step->scratch = (floats + SLACK) * sizeof(float);
    return BST_OK;
}

static void fill(float *to, float value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = value;
}

/* The columns of one residue: place i holds column i * stride + residue - padding. */
static void fill_part(const struct plane_window *w, const float *row, size_t residue, float *to)
{
    size_t stride = w->stride[2], at = 0;
    int64_t x = (int64_t)residue - w->begin[2];
    for (; at < w->used && x < 0; x += (int64_t)stride)
        to[at++] = w->fill;
    for (; at < w->used && x < (int64_t)w->in[2]; x += (int64_t)stride)
        to[at++] = row[x];
    fill(to + at, w->fill, w->used - at);
}

/* Stride 2: even and odd columns are split by vectors; only the edges go one by one. */
static void fill_row_halves(const struct plane_window *w, const struct bst_kernels *k, const float *row,
                            float *to)
{
    size_t begin = (size_t)w->begin[2], first = begin % 2, at = (begin + first) / 2;
    float *even = to, *odd = to + w->part;
    if (at >= w->used || w->in[2] < first + 2) {
        fill_part(w, row, 0, even);
        fill_part(w, row, 1, odd);
        return;
    }
    size_t pairs = least((w->in[2] - first) / 2, w->used - at), end = at + pairs;
    fill(even, w->fill, at);
    fill(odd, w->fill, at);
    if (first == 1) odd[at - 1] = row[0];
    k->split(row + first, even + at, odd + at, pairs);
    if (end < w->used && first + 2 * pairs < w->in[2]) {
        even[end] = row[first + 2 * pairs];
        odd[end++] = w->fill;
    }
    fill(even + end, w->fill, w->used - end);
    fill(odd + end, w->fill, w->used - end);
}

static void fill_row(const struct plane_window *w, const struct bst_kernels *k, const float *row, float *to)
{
    if (w->stride[2] == 2) {
        fill_row_halves(w, k, row, to);
    } else {
        for (size_t residue = 0; residue < w->stride[2]; residue++)
            fill_part(w, row, residue, to + residue * w->part);
    }
}

/* Input rows y to y + rows - 1 of a plane, some of which may lie in the padding; NULL: all do. */
static void fill_rows(const struct plane_window *w, const struct bst_kernels *k, const float *plane,
                      int64_t y, size_t rows, float *to)
{
    size_t left = least((size_t)w->begin[2], w->used);
    for (size_t r = 0; r < rows; r++, to += w->row) {
        int64_t at = y + (int64_t)r;
        if (plane == NULL || at < 0 || at >= (int64_t)w->in[1]) {
            fill(to, w->fill, w->row);
        } else if (w->stride[2] > 1) {
            fill_row(w, k, plane + (size_t)at * w->in[2], to);
        } else {
            size_t inside = least(rows - r, w->in[1] - (size_t)at);
            k->plane_copy(plane + (size_t)at * w->in[2], w->in[2], least(w->used - left, w->in[2]), to,
                          w->row, inside, left, w->used, w->fill);
            r += inside - 1;
            to += (inside - 1) * w->row;
        }
    }
}

const float *plane_window_fill(const struct plane_window *w, const struct bst_kernels *k, const float *volume,
                               size_t z, size_t y, size_t rows, float *scratch)
{
    size_t under = rows_under(w, rows);
    for (size_t kz = 0; kz < w->kernel[0]; kz++) {
        int64_t iz = (int64_t)(z * w->stride[0] + kz * w->dilation[0]) - w->begin[0];
        bool there = iz >= 0 && iz < (int64_t)w->in[0];
        const float *plane = there ? volume + (size_t)iz * w->in[1] * w->in[2] : NULL;
        fill_rows(w, k, plane, (int64_t)(y * w->stride[1]) - w->begin[1], under, scratch + kz * w->slice);
    }
    return scratch;
}
