#!/usr/bin/env bash
# Our statements, envelopes, checkpoints and proofs before other people's software (npm, pinned; fetched once into the
# build folder): the Sigstore verifier, and a JSON Schema validator with the schemas of schema/.
set -u
BUILD=${BUILD:-$PWD/build}
root=$PWD
work=$BUILD/dsse
packages=(@sigstore/verify@3.1.1 @sigstore/bundle@4.0.0 ajv@8.20.0)
skip() { echo "ok dsse # SKIP $1"; exit 0; }
command -v node >/dev/null && command -v npm >/dev/null || skip "node and npm are not installed"
mkdir -p "$work"
if [ ! -d "$work/node_modules/ajv" ]; then
    echo '{"private": true}' >"$work/package.json"
    (cd "$work" && npm install --ignore-scripts --no-audit --no-fund --save-exact "${packages[@]}") >"$work/log" 2>&1 ||
        skip "npm cannot fetch ${packages[*]}"
fi

# A ledger of the program's own with statements of every kind of run, exported.
ledger() {
    local bs=$BUILD/bin/blindstamp model level
    export BLINDSTAMP_HOME=$work/home
    mkdir "$work/models"
    for model in dots warm; do
        protoc-c --encode=onnx.ModelProto --proto_path=gen onnx.proto <"tests/cli/$model.onnx.txt" >"$work/models/$model.onnx" || return
    done
    "$bs" init --author "Ada Example" --no-passphrase && "$bs" model add "$work/models/dots.onnx" || return
    for level in public partner private; do
        set -- -o "$work/models/$level" --privacy $level --title Pond --prompt "A still pond" --description "A pond"
        "$bs" gen -m "$work/models/dots.onnx" --seed 7 --tile "$@" &&
            "$bs" gen -m "$work/models/dots.onnx" --mix 7:0.3,9:-0.4 -t 0.7 --style ink:1,space:2 --latent-generator torch-cpu "$@" &&
            "$bs" gen -m "$work/models/dots.onnx" --seed 8 --latent-generator numpy-randomstate --size 17x9 "$@" &&
            "$bs" gen -m "$work/models/warm.onnx" --input "$work/models/$level/dots-7.png" "$@" || return
    done
    for level in public partner private; do
        "$bs" sign "$work/models/$level/dots-7.png" --again --source-type generated --privacy $level -o "$work/signed/$level" || return
    done
    "$bs" ledger export "$work/export"
}
rm -rf "$work/home" "$work/export" "$work/models" "$work/signed"
if [ -x "$BUILD/bin/blindstamp" ]; then
    ledger >"$work/log" 2>&1 || { echo "not ok dsse exports a ledger"; sed 's/^/# /' "$work/log"; exit 1; }
fi
NODE_PATH="$work/node_modules" node "$root/tests/interop/dsse.mjs" "$root/schema" "$work/export"
