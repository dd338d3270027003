#!/usr/bin/env bash
# The ONNX project's own backend cases (PyPI, pinned; fetched once into the build folder) against our engine: see onnx_backend.py.
set -u
BUILD=${BUILD:-$PWD/build}
work=$BUILD/onnx-backend
packages="onnx==1.16.2 numpy==1.26.4 protobuf==4.25.9"
skip() { echo "ok onnx # SKIP $1"; exit 0; }
python3 -c 'import venv, ensurepip' 2>/dev/null || skip "python3 with venv is not installed"
mkdir -p "$work"
if ! "$work/venv/bin/python" -c 'import onnx' 2>/dev/null; then
    rm -rf "$work/venv"
    { python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet --only-binary=:all: $packages; } >"$work/log" 2>&1 ||
        skip "pip cannot fetch $packages"
fi
make -s BUILD="$BUILD" "$BUILD/interop/backend" >"$work/log" 2>&1 ||
    { echo "not ok onnx builds"; sed 's/^/# /' "$work/log"; exit 1; }
exec "$work/venv/bin/python" tests/interop/onnx_backend.py "$work" "$BUILD/interop/backend"
