# helpers.bash - what the command-line tests share; sourced by them, with the repository's root as working folder.
# Every test runs the real binary in a folder of its own that is removed at the end.
set -u
root=$PWD
BUILD=${BUILD:-$root/build}
bs=$BUILD/bin/blindstamp
work=$(mktemp -d)
status=0
unset BLINDSTAMP_PASSPHRASE BLINDSTAMP_SANDBOX XDG_DATA_HOME
export BLINDSTAMP_HOME=$work/home BLINDSTAMP_MODELS=$work/models HOME=$work/person LC_ALL=C.UTF-8 NO_COLOR=1
mkdir -p "$HOME" "$work/models"
cleanup=()
finish() {
    local c
    for c in "${cleanup[@]+"${cleanup[@]}"}"; do eval "$c"; done
    rm -rf "$work"
}
trap finish EXIT

ok() { echo "ok $*"; }
not_ok() { # NAME: what the command said follows as comments
    echo "not ok $1"
    [ ! -f "$work/out" ] || sed 's/^/# out: /' "$work/out" | head -n 20
    [ ! -f "$work/err" ] || sed 's/^/# err: /' "$work/err" | head -n 20
    status=1
}
skip() { echo "ok $1 # SKIP $2"; }
# check NAME COMMAND...: the command succeeds.
check() {
    local name=$1
    shift
    if "$@" >"$work/check" 2>&1; then ok "$name"; else not_ok "$name"; sed 's/^/# /' "$work/check" | head -n 20; fi
}
# expect CODE NAME COMMAND...: the command ends with this exit code. Its output stays in $work/out and $work/err.
expect() {
    local want=$1 name=$2 got
    shift 2
    timeout --foreground 120 "$@" >"$work/out" 2>"$work/err" </dev/null
    got=$?
    if [ $got = "$want" ]; then ok "$name (exit $want)"; else not_ok "$name: exit $got, not $want"; fi
}
# says NAME PATTERN, hints NAME PATTERN: what the last command printed on stdout, on stderr (extended regular
# expressions).
says() { if grep -qE -- "$2" "$work/out"; then ok "$1"; else not_ok "$1: no \"$2\""; fi; }
hints() { if grep -qE -- "$2" "$work/err"; then ok "$1"; else not_ok "$1: no \"$2\""; fi; }
# nothing NAME FOLDER: the folder holds no file, not even a hidden one, or does not exist.
nothing() { if [ -z "$(find "$2" ! -type d 2>/dev/null)" ]; then ok "$1"; else not_ok "$1: $(find "$2" ! -type d)"; fi; }
same() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1: \"$2\" is not \"$3\""; fi; }

model() { protoc-c --encode=onnx.ModelProto --proto_path="$root/gen" onnx.proto <"$root/tests/cli/$1.onnx.txt" >"$work/models/$1.onnx"; }
# The test models, an identity without passphrase.
models() { model dots && model warm; }
identity() { "$bs" init --author "Ada Example" --no-passphrase >/dev/null; }
pixels() { "$bs" show --json "$1" | jq -r .file.pixels_sha256; }
size() { "$bs" show --json "$1" | jq -r '.file | "\(.width)x\(.height)"'; }
