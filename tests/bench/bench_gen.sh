#!/usr/bin/env bash
# bench_gen.sh MODEL - our engine against onnxruntime (npm, pinned, fetched once into the build folder).
set -u
model=$1
work=$BUILD/onnxruntime
mkdir -p "$work"
command -v node >/dev/null && command -v npm >/dev/null || { echo "skipped: node and npm are not installed"; exit 0; }
if [ ! -d "$work/node_modules/onnxruntime-node" ]; then
    echo '{"private": true}' >"$work/package.json"
    (cd "$work" && npm install --ignore-scripts --no-audit --no-fund --save-exact onnxruntime-node@1.30.0) >"$work/log" 2>&1 ||
        { echo "skipped: npm cannot fetch onnxruntime-node"; exit 0; }
fi
echo "$(basename "$model") at 768x512"
node tests/bench/bench_gen.mjs "$work" "$model" "$BUILD/bench/bench_gen"
