#!/usr/bin/env bash
# A ledger exported as tiles before Go's own transparency log packages (golang.org/x/mod, pinned; fetched once into the build
# folder): every tile byte for byte.
set -u
BUILD=${BUILD:-$PWD/build}
root=$PWD
work=$BUILD/tiles
module=golang.org/x/mod@v0.17.0
skip() { echo "ok tiles # SKIP $1"; exit 0; }
command -v go >/dev/null || skip "go is not installed"
mkdir -p "$work"
cp "$root/tests/interop/tiles.go" "$work/main.go"
export GOFLAGS='-mod=mod -modcacherw' GOPATH=$BUILD/note/go GOCACHE=$BUILD/note/cache GOTOOLCHAIN=local
if [ ! -f "$work/go.sum" ]; then
    (cd "$work" && { [ -f go.mod ] || go mod init tiles; } && go get "$module") >"$work/log" 2>&1 || skip "go cannot fetch $module"
fi
(cd "$work" && go build -o judge main.go) >"$work/log" 2>&1 ||
    { echo "not ok tiles builds"; sed 's/^/# /' "$work/log"; exit 1; }
make -s BUILD="$BUILD" "$BUILD/interop/tiles" >"$work/log" 2>&1 ||
    { echo "not ok tiles ledger builds"; sed 's/^/# /' "$work/log"; exit 1; }
rm -rf "$work/log-tiles"
vkey=$("$BUILD/interop/tiles" 3001 "$work/log-tiles") || { echo "not ok tiles exports"; exit 1; }
"$work/judge" "$work/log-tiles" "$vkey"
status=$?
rm -rf "$work/log-tiles"
exit $status
