#!/usr/bin/env bash
# How exact every operator is, next to onnxruntime: see accuracy_ops.py.
set -u
export BUILD=${BUILD:-$PWD/build}
work=$BUILD/accuracy_ops
mkdir -p "$work"
packages=(numpy==2.4.6 onnx==1.22.0 ml_dtypes==0.6.0 protobuf==7.36.2 typing_extensions==4.16.0
    onnxruntime==1.30.0 flatbuffers==25.12.19 packaging==26.4)
python=$(tests/venv.sh accuracy "${packages[@]}" 2>"$work/log") ||
    { echo "ok accuracy of operators # SKIP $(cat "$work/log")"; exit 0; }
make -s BUILD="$BUILD" "$BUILD/interop/outputs" >"$work/log" 2>&1 ||
    { echo "not ok accuracy of operators builds"; sed 's/^/# /' "$work/log"; exit 1; }
exec "$python" tests/interop/accuracy_ops.py "$work" "$BUILD/interop/outputs"
