#!/usr/bin/env bash
# Our engine against onnxruntime (npm, pinned; fetched once into the build folder): every operator, and the bundled model.
set -u
BUILD=${BUILD:-$PWD/build}
work=$BUILD/onnxruntime
package=onnxruntime-node@1.30.0
skip() { echo "ok onnxruntime # SKIP $1"; exit 0; }
command -v node >/dev/null && command -v npm >/dev/null || skip "node and npm are not installed"
mkdir -p "$work/samples"
if [ ! -d "$work/node_modules/onnxruntime-node" ]; then
    echo '{"private": true}' >"$work/package.json"
    (cd "$work" && npm install --ignore-scripts --no-audit --no-fund --save-exact "$package") >"$work/log" 2>&1 ||
        skip "npm cannot fetch $package"
fi
make -s BUILD="$BUILD" "$BUILD/interop/tensors" >"$work/log" 2>&1 ||
    { echo "not ok onnxruntime builds"; sed 's/^/# /' "$work/log"; exit 1; }
model=$(ls gen/models/*.onnx 2>/dev/null | head -n 1)
"$BUILD/interop/tensors" "$work/samples" $model || { echo "not ok onnxruntime runs our engine"; exit 1; }
node tests/interop/onnxruntime.mjs "$work/samples"
