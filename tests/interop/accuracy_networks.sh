#!/usr/bin/env bash
# Whole networks, and operators with long sums, against float64 and onnxruntime: see accuracy_networks.py.
set -u
BUILD=${BUILD:-$PWD/build}
work=$BUILD/accuracy
mkdir -p "$work"
packages=(numpy==2.4.6 onnx==1.22.0 ml_dtypes==0.6.0 protobuf==7.36.2 typing_extensions==4.16.0
    onnxruntime==1.30.0 flatbuffers==25.12.19 packaging==26.4)
python=$(tests/venv.sh accuracy "${packages[@]}" 2>"$work/log") || { echo "ok accuracy of networks # SKIP $(cat "$work/log")"; exit 0; }
make -s BUILD="$BUILD" "$BUILD/interop/tensors" "$BUILD/bench/engine_ours" >"$work/log" 2>&1 ||
    { echo "not ok accuracy builds"; sed 's/^/# /' "$work/log"; exit 1; }
"$BUILD/interop/tensors" "$work" || { echo "not ok our engine runs the operators' cases"; exit 1; }
exec "$python" tests/interop/accuracy_networks.py "$work" "$BUILD/bench/engine_ours"
