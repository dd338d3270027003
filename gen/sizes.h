/* sizes.h - the few things that cutting work into pieces needs. Private to gen/. */
#ifndef BST_SIZES_H
#define BST_SIZES_H

#include <stddef.h>

static inline size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* a / b rounded up; a + b must not overflow. */
static inline size_t ceil_div(size_t a, size_t b)
{
    return (a + b - 1) / b;
}

/* Floats of an odd number of cache lines, at least as many as asked for: what lies that far apart does not meet in the
 * same sets of a cache. */
static inline size_t odd_lines(size_t floats)
{
    return (ceil_div(floats, 16) | 1) * 16;
}

#endif
