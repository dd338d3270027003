#!/usr/bin/env bash
# What the compiler does not check: layout, who may include whom, and that the library neither prints nor exits.
set -u
status=0
check() { # NAME OFFENDERS
    if [ -z "$2" ]; then echo "ok $1"; else echo "not ok $1"; printf '%s\n' "$2" | head -n 20 | sed 's/^/# /'; status=1; fi
}
files=$(find base gen provenance audit cli tests -name '*.[ch]')
if command -v clang-format >/dev/null; then
    check "clang-format decides the layout" "$(clang-format --dry-run $files 2>&1 | grep warning: | cut -d: -f1,2)"
else
    echo "ok clang-format decides the layout # SKIP clang-format is not installed"
fi
# Includes run downwards: cli -> audit -> provenance -> base, audit -> gen -> base.
check "base includes no other folder" "$(grep -nE '#include "(gen|provenance|audit|cli)' base/*.[ch])"
check "gen includes only base" "$(grep -nE '#include "(provenance|audit|cli)' gen/*.[ch])"
check "provenance includes only base" "$(grep -nE '#include "(gen|audit|cli)' provenance/*.[ch])"
check "audit does not include cli" "$(grep -nE '#include "cli' audit/*.[ch])"
# Another folder's header is reached by its public face alone.
private=$(for f in base gen provenance audit; do find $f -name '*.h' ! -name "$f.h" -printf '%f\n'; done | paste -sd'|' | sed 's/\./\\./g')
check "the program includes public headers only" "$(grep -nE "#include \"($private)\"" cli/*.[ch])"
# But for the process that it makes for itself.
check "the library neither prints nor exits" \
    "$(grep -nE '(^|[^a-z_])(printf|puts|putchar|perror|exit|_exit) *\(' base/*.c gen/*.c provenance/*.c audit/*.c | grep -v '^provenance/http_helper.c:.*_exit')"
check "the pixel path calls no function of libm but exact ones" \
    "$(grep -nE '(^|[^a-z_0-9])(expf?|logf?|powf?|sinf?|cosf?|tanhf?|erff?|log1pf|expm1f) *\(' gen/kernel*.[ch] gen/op*.c gen/latent*.c gen/inputs.c gen/generate.c | grep -vE ':[0-9]+: *(/\*|\*)')"
exit $status
