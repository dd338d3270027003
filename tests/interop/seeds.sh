#!/usr/bin/env bash
# The seeds of numpy (PyPI, pinned; fetched once into the build folder) against ours. PyTorch's are too large to fetch: their
# numbers stand in tests/unit/test_latent.c.
set -u
BUILD=${BUILD:-$PWD/build}
export BUILD
python=$(tests/venv.sh seeds numpy==2.4.6) || { echo "ok seeds # SKIP numpy cannot be fetched"; exit 0; }
make -s BUILD="$BUILD" "$BUILD/interop/seeds" >"$BUILD/seeds.log" 2>&1 ||
    { echo "not ok seeds builds"; sed 's/^/# /' "$BUILD/seeds.log"; exit 1; }
exec "$python" tests/interop/seeds.py "$BUILD/interop/seeds"
