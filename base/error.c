/* error.c - filling struct bst_error. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base.h"

static void fill(struct bst_error *err, enum bst_code code, const char *format, va_list args)
{
    *err = (struct bst_error){.code = code};
    vsnprintf(err->what, sizeof err->what, format, args);
}

enum bst_code bst_fail(struct bst_error *err, enum bst_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, code, format, args);
    va_end(args);
    return code;
}

enum bst_code bst_fail_errno(struct bst_error *err, enum bst_code code, const char *format, ...)
{
    int number = errno;
    va_list args;
    va_start(args, format);
    fill(err, code, format, args);
    va_end(args);
    size_t used = strlen(err->what);
    char reason[128];
    /* The XSI form fills reason; what it returns differs between libcs, so errors in it are ignored. */
    if (strerror_r(number, reason, sizeof reason) != 0) snprintf(reason, sizeof reason, "error %d", number);
    snprintf(err->what + used, sizeof err->what - used, ": %s", reason);
    if (number == ENOSPC || number == EDQUOT)
        bst_hint(err, "free some space on that disk and run the command again");
    return code;
}

enum bst_code bst_fail_memory(struct bst_error *err)
{
    return bst_fail(err, BST_FAILURE, "out of memory");
}

enum bst_code bst_where(struct bst_error *err, const char *format, ...)
{
    char place[sizeof err->where];
    va_list args;
    va_start(args, format);
    vsnprintf(place, sizeof place, format, args);
    va_end(args);
    char joined[2 * sizeof place + 2];
    snprintf(joined, sizeof joined, "%s%s%s", place, err->where[0] ? ": " : "", err->where);
    memcpy(err->where, joined, sizeof err->where - 1);
    return err->code;
}

enum bst_code bst_hint(struct bst_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(err->hint, sizeof err->hint, format, args);
    va_end(args);
    return err->code;
}
