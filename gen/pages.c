/* pages.c - see pages.h. */
#include "pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define HUGE ((size_t)2 << 20) /* a huge page of x86-64, and of AArch64 with pages of 4 kB */
#define PAGE ((size_t)4096)

static size_t rounded(size_t bytes)
{
    size_t unit = bytes >= HUGE ? HUGE : PAGE;
    return (bytes + unit - 1) / unit * unit;
}

void *pages_take(size_t bytes)
{
    if (bytes > SIZE_MAX / 2) return NULL;
    size_t size = rounded(bytes), more = size >= HUGE ? HUGE : 0; /* to cut an aligned piece out of */
    uint8_t *map = mmap(NULL, size + more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) return NULL;
    if (more == 0) return map;
    size_t before = (HUGE - (uintptr_t)map % HUGE) % HUGE;
    if (before > 0) munmap(map, before);
    if (before < more) munmap(map + before + size, more - before);
#ifdef MADV_HUGEPAGE
    madvise(map + before, size, MADV_HUGEPAGE); /* a wish; small pages do as well */
#endif
    return map + before;
}

void pages_give(void *memory, size_t bytes)
{
    if (memory != NULL) munmap(memory, rounded(bytes));
}

void *pages_take_for_free(size_t bytes)
{
    if (bytes > SIZE_MAX / 2) return NULL;
    if (bytes < HUGE) return aligned_alloc(64, (bytes / 64 + 1) * 64);
    void *memory = aligned_alloc(HUGE, rounded(bytes));
#ifdef MADV_HUGEPAGE
    if (memory != NULL) madvise(memory, rounded(bytes), MADV_HUGEPAGE);
#endif
    return memory;
}

void pages_drop(void *memory, size_t bytes)
{
    long page = sysconf(_SC_PAGESIZE);
    size_t unit = page > 0 ? (size_t)page : HUGE, before = (unit - (uintptr_t)memory % unit) % unit;
    if (before < bytes && bytes - before >= unit)
        madvise((uint8_t *)memory + before, (bytes - before) / unit * unit, MADV_DONTNEED);
}
