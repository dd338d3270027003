#!/usr/bin/env bash
# Our checkpoint, inclusion proof and verifier key before Go's own transparency log packages (golang.org/x/mod, pinned;
# fetched once into the build folder).
set -u
BUILD=${BUILD:-$PWD/build}
root=$PWD
work=$BUILD/note
module=golang.org/x/mod@v0.17.0
skip() { echo "ok note # SKIP $1"; exit 0; }
command -v go >/dev/null || skip "go is not installed"
mkdir -p "$work"
cp "$root/tests/interop/note.go" "$work/main.go"
export GOFLAGS='-mod=mod -modcacherw' GOPATH=$work/go GOCACHE=$work/cache GOTOOLCHAIN=local
if [ ! -f "$work/go.sum" ]; then
    (cd "$work" && { [ -f go.mod ] || go mod init note; } && go get "$module") >"$work/log" 2>&1 || skip "go cannot fetch $module"
fi
(cd "$work" && go build -o judge main.go) >"$work/log" 2>&1 ||
    { echo "not ok note builds"; sed 's/^/# /' "$work/log"; exit 1; }
"$work/judge" "$root/schema/vectors"
