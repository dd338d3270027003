#!/usr/bin/env bash
# The sandbox of verify and show: what is read goes on being read, whatever way it was named; BLINDSTAMP_SANDBOX.
# What it closes is shown by tests/unit/test_sandbox.c.
. tests/cli/helpers.bash
models
identity
"$bs" gen -m dots --seed 1-2 -o "$work/p" >/dev/null
p=$work/p/dots-1.png
export BLINDSTAMP_SANDBOX=require
"$bs" verify "$p" >"$work/out" 2>"$work/err"
if grep -q "no whole sandbox here" "$work/err"; then
    skip "sandbox" "$(head -n 1 "$work/err")"
    unset BLINDSTAMP_SANDBOX
fi

# ---- told ----
expect 0 "verify in the sandbox" "$bs" verify --details "$p"
[ -z "${BLINDSTAMP_SANDBOX-}" ] || says "says that it is on" 'sandbox +on'
expect 0 "verify as JSON" "$bs" verify --json "$p"
check "tells of files and calls" jq -e '.[0].sandbox | (.files == (.why == null)) and has("calls")' "$work/out"
expect 0 "switched off" env BLINDSTAMP_SANDBOX=off "$bs" verify --details "$p"
says "says that it is off" 'sandbox +off: BLINDSTAMP_SANDBOX is off'
check "as JSON too" bash -c "BLINDSTAMP_SANDBOX=off '$bs' verify --json '$p' | jq -e '.[0].sandbox == {files: false, calls: false, why: \"BLINDSTAMP_SANDBOX is off\"}'"
expect 1 "neither on nor off" env BLINDSTAMP_SANDBOX=perhaps "$bs" verify "$p"
hints "says what there is" 'on, off, or require'

# ---- files named in every way ----
cd "$work/p" || exit 1
expect 0 "by a name alone" "$bs" verify dots-1.png
expect 0 "from standard input" bash -c "'$bs' verify /dev/stdin <dots-1.png"
mkdir elsewhere links
cp dots-2.png elsewhere/
ln -s ../elsewhere/dots-2.png links/far.png
ln -s ../dots-1.png links/near.png
ln -s links/near.png link.png
expect 0 "by a link to a link" "$bs" verify link.png
expect 0 "a folder with links out of it" "$bs" verify links
says "reads both" '2 verified'
expect 0 "show by a link" "$bs" show link.png
expect 4 "what is not there" "$bs" verify missing.png
hints "is told as ever" 'No such file'
cd "$root" || exit 1
pngtopnm "$p" | pnmtopng >"$work/bare.png" 2>/dev/null
"$bs" sign --sidecar "$work/bare.png" >/dev/null
expect 0 "a manifest beside a picture" "$bs" verify "$work/bare.png"
mv "$work/bare.c2pa" "$work/bare.png.c2pa"
expect 0 "under its other name" "$bs" verify "$work/bare.png"
"$bs" key export -o "$work/ada.pem"
expect 0 "trust and ledger from elsewhere" env BLINDSTAMP_HOME="$work/nobody" "$bs" verify --trust "$work/ada.pem" --ledger "$work/home/ledger.sqlite" "$p"
expect 0 "made again" "$bs" verify --replay "$p"
expect 0 "made again from a model in its place" env BLINDSTAMP_MODELS="$work/none" "$bs" verify --replay --model "$work/models/dots.onnx" "$p"

# ---- the process itself ----
if command -v strace >/dev/null && strace -o "$work/trace" true 2>/dev/null && [ -n "${BLINDSTAMP_SANDBOX-}" ]; then
    strace -f -o "$work/trace" "$bs" verify "$p" >/dev/null
    check "it is shut in before the picture is opened" awk -v p="$p" '/seccomp\(/ {on = 1} index($0, "openat") && index($0, p) && !index($0, "O_PATH") {exit !on}' "$work/trace"
    check "no key is opened" bash -c "! grep -q 'keys/' '$work/trace'"
fi
exit $status
