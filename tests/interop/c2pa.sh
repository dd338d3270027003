#!/usr/bin/env bash
# Our pictures before the C2PA reference implementation (npm, pinned; fetched once into the build folder). Its own
# pictures, and a stranger's, stand before our validator in c2pa_parity.sh.
set -u
BUILD=${BUILD:-$PWD/build}
root=$PWD
work=$BUILD/c2pa
package=@contentauth/c2pa-wasm@0.13.3
status=0
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
(cd "$work" && node "$root/tests/interop/c2pa.mjs" samples "$BUILD/interop/judge") || status=1

# The program itself, from a seed to the file.
if [ -x "$BUILD/bin/blindstamp" ]; then
    rm -rf "$work/made" && mkdir -p "$work/made"
    export BLINDSTAMP_HOME=$work/made/home BLINDSTAMP_MODELS=$work/made/models
    mkdir -p "$BLINDSTAMP_MODELS"
    if {
        protoc-c --encode=onnx.ModelProto --proto_path=gen onnx.proto <tests/cli/dots.onnx.txt >"$BLINDSTAMP_MODELS/dots.onnx" &&
            "$BUILD/bin/blindstamp" init --author "Ada Example" --no-passphrase &&
            "$BUILD/bin/blindstamp" gen -m dots --seed 1-2 --title "Dots" --prompt "many dots" -o "$work/made"
    } >"$work/log" 2>&1; then
        (cd "$work" && node "$root/tests/interop/c2pa.mjs" made "$BUILD/interop/judge") || status=1
    else
        echo "not ok blindstamp makes pictures"; sed 's/^/# /' "$work/log"; status=1
    fi
else
    echo "ok pictures of the program # SKIP it is not built"
fi

# Pictures made elsewhere: without a past, with a stranger's stamp, and with one that does not hold.
if [ -x "$BUILD/bin/blindstamp" ]; then
    bs=$BUILD/bin/blindstamp signed=$work/signed
    rm -rf "$signed" && mkdir -p "$signed/found" "$signed/changed"
    cp tests/fuzz/corpus/image/{base.jpg,progressive.jpg,rgb.png,palette.png,lossy.webp,lossless.webp} "$signed/found"
    if {
        BLINDSTAMP_HOME=$signed/bob "$bs" init --author "Bob Example" --no-passphrase &&
            BLINDSTAMP_HOME=$signed/bob "$bs" sign "$signed/found" -o "$signed/bob.d" &&
            for f in "$signed/bob.d"/*; do { cat "$f"; printf x; } >"$signed/changed/${f##*/}"; done &&
            export BLINDSTAMP_HOME=$signed/home && "$bs" init --author "Ada Example" --no-passphrase &&
            "$bs" sign "$signed/found" -o "$signed/one" --source-type capture &&
            "$bs" sign "$signed/bob.d" -o "$signed/two" --source-type edited --thumbnail &&
            "$bs" sign "$signed/changed" -o "$signed/broken" --accept-broken &&
            "$bs" sign "$signed/found" -o "$signed/marked" --source-type generated --no-train --privacy private --profile cn --producer X &&
            "$bs" verify "$signed/one" "$signed/two" "$signed/broken" "$signed/marked"
    } >"$work/log" 2>&1; then
        (cd "$work" && node "$root/tests/interop/c2pa_signed.mjs" signed signed/home/certs/root.pem) || status=1
    else
        echo "not ok blindstamp signs pictures made elsewhere"; sed 's/^/# /' "$work/log"; status=1
    fi
fi

exit $status
