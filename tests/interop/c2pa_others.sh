#!/usr/bin/env bash
# Pictures that other programs made, before the C2PA reference implementation and our validator: those that ship with the
# reference's own sources, and those that c2pa-ts and c2pie sign.
set -u
export BUILD=${BUILD:-$PWD/build}
root=$PWD
work=$BUILD/c2pa
packages=(@contentauth/c2pa-wasm@0.13.3 @trustnxt/c2pa-ts@0.9.4)
crates=(c2pa@0.91.3 c2patool@0.27.22)
skip() { echo "ok c2pa_others # SKIP $1"; exit 0; }
for tool in node npm openssl; do command -v $tool >/dev/null || skip "$tool is not installed"; done
mkdir -p "$work"
for package in "${packages[@]}"; do
    [ -d "$work/node_modules/${package%@*}" ] ||
        (cd "$work" && npm install --ignore-scripts --no-audit --no-fund --save-exact "$package") >"$work/log" 2>&1 ||
        skip "npm cannot fetch $package"
done
make -s BUILD="$BUILD" "$BUILD/interop/judge" >"$work/log" 2>&1 ||
    { echo "not ok c2pa_others builds"; sed 's/^/# /' "$work/log"; exit 1; }

rm -rf "$work/others" && mkdir -p "$work/others/ca" "$work/others/files" && cd "$work/others/ca" || exit 1
# shellcheck source=tests/interop/c2pa_certificates.bash
. "$root/tests/interop/c2pa_certificates.bash"
{
    root root && leaf ed25519 root leaf 10 -algorithm ed25519 && leaf es256 root leaf 10 -algorithm EC -pkeyopt ec_paramgen_curve:P-256 &&
        leaf es384 root leaf 10 -algorithm EC -pkeyopt ec_paramgen_curve:P-384 &&
        leaf ps256 root leaf 10 -algorithm RSA -pkeyopt rsa_keygen_bits:2048
} >"$work/log" 2>&1 || { echo "not ok openssl makes certificates"; sed 's/^/# /' "$work/log"; exit 1; }
cd "$work" || exit 1

# A crate's sources come along when cargo is asked about it.
if command -v cargo >/dev/null; then
    export CARGO_HOME=$BUILD/peers/cargo RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
    mkdir -p "$CARGO_HOME"
    for crate in "${crates[@]}"; do
        name=${crate/@/-}
        ls -d "$CARGO_HOME"/registry/src/*/"$name" >/dev/null 2>&1 || (cd "$CARGO_HOME" && cargo info -q "$crate") >log 2>&1
        find "$CARGO_HOME"/registry/src/*/"$name" -name '*.jpg' 2>/dev/null | while read -r picture; do
            [ -f "others/files/$name-${picture##*/}" ] || cp "$picture" "others/files/$name-${picture##*/}"
        done
        ls others/files/"$name"-* >/dev/null 2>&1 || echo "ok the pictures of $crate # SKIP cargo cannot fetch it"
    done
else
    echo "ok the reference's own pictures # SKIP cargo is not installed"
fi
if python=$("$root/tests/venv.sh" c2pie c2pie==0.1.1 cbor2==5.9.0 cffi==2.0.0 pycparser==2.23 cryptography==50.0.2 pypdf==6.15.0 pytz==2025.2 2>log); then
    "$python" "$root/tests/interop/c2pa_others.py" others/ca/ps256.key others/ca/ps256.pem "$root/tests/fuzz/corpus/image/base.jpg" others/files/c2pie.jpg >log 2>&1 ||
        { echo "not ok c2pie signs"; sed 's/^/# /' log; exit 1; }
else
    echo "ok what c2pie signs # SKIP $(cat log)"
fi
exec node "$root/tests/interop/c2pa_others.mjs" others/files "$BUILD/interop/judge" others/ca/root.pem "$root/tests/fuzz/corpus/image/rgb.png" \
    "$root/tests/fuzz/corpus/image/base.jpg"
