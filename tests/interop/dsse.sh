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

# A ledger of the program's own, exported: an identity, a model, a picture made with it.
rm -rf "$work/home" "$work/export" "$work/pictures"
protoc-c --encode=onnx.ModelProto --proto_path="$root/gen" onnx.proto <"$root/tests/cli/dots.onnx.txt" >"$work/dots.onnx"
if [ -x "$BUILD/bin/blindstamp" ]; then
    "$BUILD/bin/blindstamp" init --home "$work/home" --author "Ada Example" --no-passphrase >"$work/log" 2>&1 &&
        "$BUILD/bin/blindstamp" model add --home "$work/home" "$work/dots.onnx" >>"$work/log" 2>&1 &&
        "$BUILD/bin/blindstamp" gen --home "$work/home" -m dots --seed 1 -o "$work/pictures" >>"$work/log" 2>&1 &&
        "$BUILD/bin/blindstamp" ledger export --home "$work/home" "$work/export" >>"$work/log" 2>&1 ||
        { echo "not ok dsse exports a ledger"; sed 's/^/# /' "$work/log"; exit 1; }
fi
NODE_PATH="$work/node_modules" node "$root/tests/interop/dsse.mjs" "$root/schema" "$work/export"
