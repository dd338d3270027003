#!/usr/bin/env bash
# credentials.sh - verify and sign against c2patool, c2pa-python and openssl dgst, in turns, in the same run; see
# credentials.py. BENCH_ROUNDS=21 sets how often each takes its turn, BENCH_FILES=10000 how many small pictures there are.
# With an argument, the table is written between the two markers of that file. c2patool is built by cargo, once.
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD=${BUILD:-$PWD/build}
version=0.27.22
tool=$BUILD/c2patool-$version/bin/c2patool
if [ ! -x "$tool" ]; then
    command -v cargo >/dev/null || { echo "skipped: cargo is not installed, and c2patool is built by it"; exit 0; }
    echo "Building c2patool $version, which takes some twenty minutes"
    cargo install c2patool --version "$version" --locked --quiet --root "$BUILD/c2patool-$version" ||
        { echo "skipped: cargo cannot build c2patool $version"; exit 0; }
fi
packages=(c2pa-python==0.38.1 pillow==13.0.0 cffi==2.1.1 cryptography==50.0.2 pycparser==3.12 requests==2.34.2 toml==0.10.2
    certifi==2026.10.19.post1 charset-normalizer==3.5.3 idna==3.20 urllib3==2.8.0)
python=$(tests/venv.sh credentials "${packages[@]}") || { echo "skipped: no peer can be had"; exit 0; }
exec "$python" tests/bench/credentials.py "$BUILD" "$tool" "$@"
