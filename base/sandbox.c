/* sandbox.c - gives up, for good, what the process does not need to judge the files of strangers. */
#include "sandbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Sanitizers and valgrind make code at run time, look at other threads and open what they like. */
static const char *watched(void)
{
    const char *preload = getenv("LD_PRELOAD");
    if (SANITIZED) return "the program was built with a sanitizer";
    return preload != NULL && strstr(preload, "vgpreload") != NULL ? "the program runs under valgrind" : NULL;
}

struct bst_sandboxed bst_sandbox_enter(const struct bst_sandbox *sandbox)
{
    const char *why = watched();
    struct bst_sandboxed on = {.files_why = why, .calls_why = why};
    if (why != NULL) return on;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        on.files_why = on.calls_why = "the kernel lets no process give up privileges";
        return on;
    }
    /* In this order: the filter of system calls has no room for those of Landlock. */
    on.files_why = bst_sandbox_files(sandbox);
    on.calls_why = bst_sandbox_calls(sandbox);
    return on;
}
