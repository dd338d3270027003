#!/usr/bin/env bash
# engine.sh - our engine against onnxruntime and ncnn on the same networks, in the same run; see engine.py.
#   BENCH_ONLY=conv256,srvgg   only these networks       BENCH_PEERS=onnxruntime   only this peer ("" for none)
#   BENCH_THREADS=1            one thread count only     BENCH_SECONDS=8           time for each network
# With an argument, the table is written between the two markers of that file.
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD=${BUILD:-$PWD/build}
packages=(numpy==2.4.6 onnx==1.22.0 ml_dtypes==0.6.0 protobuf==7.36.2 typing_extensions==4.16.0
    onnxruntime==1.30.0 flatbuffers==25.12.19 packaging==26.4 ncnn==1.0.20261020 pnnx==20261020)
python=$(tests/venv.sh engine "${packages[@]}") || { echo "skipped: no peer can be had"; exit 0; }
exec "$python" tests/bench/engine.py "$BUILD" "$@"
