/* library.c - shared libraries that are loaded when something needs them, and not with the program. */
#include <dlfcn.h>
#include <string.h>

#include "base.h"

bool bst_library_load(const char *name, const struct bst_symbol *symbols, size_t count)
{
    /* it stays loaded: it may have started threads, or registered functions to be called at the program's end */
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library) return false;
    bool whole = true;
    for (size_t i = 0; i < count && whole; i++) {
        void *symbol = dlsym(library, symbols[i].name);
        whole = symbol != NULL;
        /* ISO C converts no object pointer to a function's */
        memcpy(symbols[i].place, &symbol, sizeof symbol);
    }
    dlclose(library);
    return whole;
}
