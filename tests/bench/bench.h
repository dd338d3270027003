/* bench.h - what several measurements need: an end at the first failure, and medians. */
#ifndef BENCH_H
#define BENCH_H

#include <stdio.h>
#include <stdlib.h>

#include "provenance.h"

static struct bst_error err;

static inline void must(enum bst_code code)
{
    if (code == BST_OK) return;
    fprintf(stderr, "%s (%s)\n", err.what, err.where);
    exit(1);
}

static inline int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return values[count / 2];
}

#endif
