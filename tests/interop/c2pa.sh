#!/usr/bin/env bash
# Our pictures before the C2PA reference implementation (npm, pinned; fetched once into the build folder).
set -u
BUILD=${BUILD:-$PWD/build}
work=$BUILD/c2pa
package=@contentauth/c2pa-wasm@0.13.3
skip() { echo "ok c2pa # SKIP $1"; exit 0; }
command -v node >/dev/null && command -v npm >/dev/null || skip "node and npm are not installed"
mkdir -p "$work"
if [ ! -d "$work/node_modules/@contentauth/c2pa-wasm" ]; then
    (cd "$work" && npm install --ignore-scripts --no-audit --no-fund --save-exact "$package") >"$work/log" 2>&1 ||
        skip "npm cannot fetch $package"
fi
make -s BUILD="$BUILD" "$BUILD/interop/stamp" "$BUILD/interop/judge" >"$work/log" 2>&1 ||
    { echo "not ok c2pa builds"; sed 's/^/# /' "$work/log"; exit 1; }
rm -rf "$work/samples" && mkdir -p "$work/samples"
"$BUILD/interop/stamp" "$work/samples" || { echo "not ok c2pa stamps"; exit 1; }
root=$PWD
cd "$work" && node "$root/tests/interop/c2pa.mjs" samples "$BUILD/interop/judge"
