#!/usr/bin/env bash
# The same bits from gcc and clang at every level of optimisation, with every instruction set, with 1 to 8 threads, in
# batches and alone, on x86-64 and AArch64: see bits.c for what is run. What this machine's processor lacks runs under
# qemu where qemu has it.
set -u
BUILD=${BUILD:-$PWD/build}
work=$BUILD/bits
export work
mkdir -p "$work"
status=0
jobs=$(nproc)

python=$(tests/venv.sh networks numpy==2.4.6 onnx==1.22.0 ml_dtypes==0.6.0 protobuf==7.36.2 typing_extensions==4.16.0 2>"$work/log") &&
    "$python" tests/networks.py "$work/networks" >"$work/networks.json" && command -v jq >/dev/null &&
    export networks=$(jq -r '.path, (.inputs | to_entries[] | "\(.key)=\(.value | join(","))")' "$work/networks.json" | tr '\n' ' ') ||
    { echo "ok whole networks # SKIP $(cat "$work/log")"; export networks=; }
export bundled=$(ls gen/models/*.onnx)

# Whoever adds an operator adds a case. If is made away with when a graph is read: test_onnx.c tests that.
for op in $(grep -ohE '^    \{"[A-Z][A-Za-z0-9]+", [0-9]' gen/op.c | cut -d'"' -f2); do
    [ $op = If ] || grep -q "node $op " tests/unit/onnx_cases.h || { echo "not ok $op has a case in tests/unit/onnx_cases.h"; status=1; }
done

# Each line: the name, how to start the program, the instruction set, the thread counts.
plan=$work/plan
: >"$plan"
compile() { # NAME CC LEVEL [MAKE-ARGUMENT...]
    local name=$1 cc=$2 level=$3
    shift 3
    command -v "${cc%% *}" >/dev/null || { echo "ok $name # SKIP ${cc%% *} is not installed"; return 1; }
    make -s -j"$jobs" BUILD="$work/$name" CC="$cc" OPT="$level" CFLAGS=-g0 SANITIZE=0 "$@" "$work/$name/interop/bits" >"$work/log" 2>&1 ||
        { echo "not ok $name builds"; tail -n 20 "$work/log" | sed 's/^/# /'; status=1; return 1; }
}
has() { [ "$1" = scalar ] || grep -qw "${1/avx512/avx512f}" /proc/cpuinfo; }

if [ "$(uname -m)" = x86_64 ]; then
    for compiler in gcc clang; do
        for level in -O0 -O1 -O2 -O3; do
            name=$compiler$level
            compile $name $compiler $level || continue
            # every count of threads once, one elsewhere: all must come to the same
            counts=3
            [ $name != gcc-O2 ] || counts=12345678
            for isa in scalar avx2 avx512; do
                if has $isa; then
                    echo "$name-$isa $work/$name/interop/bits $isa $counts"
                elif [ $isa = avx2 ] && command -v qemu-x86_64-static >/dev/null && qemu-x86_64-static -cpu max "$work/$name/interop/bits" avx2 "" >/dev/null 2>&1; then
                    echo "$name-$isa qemu-x86_64-static -cpu max $work/$name/interop/bits $isa 2"
                elif [ $name = gcc-O2 ]; then
                    # qemu's translator knows no AVX-512
                    echo "ok every build with $isa # SKIP this processor has no $isa, and qemu does not emulate it" >&3
                fi
            done >>"$plan"
        done
    done 3>&1
fi

# AArch64: Debian's libraries for it are unpacked into the build folder; the system is left as it is.
libraries=$work/arm64-libraries
packages=(libprotobuf-c-dev libjansson-dev libpng-dev zlib1g-dev libjpeg62-turbo-dev libwebp-dev libsodium-dev libssl-dev)
fetch_arm64() {
    local apt=(apt-get -qq -o "Dir::State=$libraries/state" -o "Dir::Cache=$libraries/cache" -o "Dir::State::status=$libraries/status"
        -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root -o Acquire::Languages=none)
    rm -rf "$libraries"
    mkdir -p "$libraries/state/lists/partial" "$libraries/cache/archives/partial"
    : >"$libraries/status"
    "${apt[@]}" update && (cd "$libraries" && "${apt[@]}" download "${packages[@]}" && for deb in *.deb; do dpkg -x "$deb" root; done) &&
        rm -rf "$libraries/state" "$libraries/cache" && echo "${packages[*]}" >"$libraries/done"
}
if [ "$(uname -m)" = aarch64 ]; then
    compile gcc-arm64 gcc -O2 && printf "arm64-%s $work/gcc-arm64/interop/bits %s 12345678\n" scalar scalar neon neon >>"$plan"
elif ! command -v qemu-aarch64-static >/dev/null || ! command -v aarch64-linux-gnu-gcc >/dev/null; then
    echo "ok AArch64 # SKIP qemu-user-static or gcc-aarch64-linux-gnu is not installed"
elif [ "$(cat "$libraries/done" 2>/dev/null)" != "${packages[*]}" ] && ! fetch_arm64 >"$work/log" 2>&1; then
    echo "ok AArch64 # SKIP apt-get cannot fetch Debian's libraries for it"
else
    lib=$libraries/root/usr/lib/aarch64-linux-gnu include=$libraries/root/usr/include
    compile gcc-arm64 aarch64-linux-gnu-gcc -O2 PKG_CFLAGS="-isystem $include -isystem $include/aarch64-linux-gnu" \
        LIBS="-static -L$lib -lprotobuf-c -ljansson -lpng -lz -ljpeg -lwebp -lsodium -lcrypto -pthread -lm" &&
        printf "arm64-%s qemu-aarch64-static $work/gcc-arm64/interop/bits %s 3\n" scalar scalar neon neon >>"$plan"
fi

one() { # NAME COMMAND...
    local name=$1
    shift
    "$@" $networks $bundled >"$work/$name.out" 2>&1
    echo $? >"$work/$name.code"
}
export -f one
xargs -P "$jobs" -I{} bash -c 'one {}' <"$plan"

expected=
while read -r name _; do
    got=$work/$name.out
    : "${expected:=$got}"
    if [ "$(cat "$work/$name.code")" != 0 ]; then
        echo "not ok $name"; status=1
        grep -E 'differs|fails' "$got" | head -n 20 | sed 's/^/# /'
        tail -n 3 "$got" | sed 's/^/# /'
    elif ! cmp -s "$expected" "$got"; then
        echo "not ok $name differs from $(basename "$expected" .out)"; status=1
        diff "$expected" "$got" | head -n 20 | sed 's/^/# /'
    else
        echo "ok $name, $(grep -cE ' [0-9a-f]{64}$' "$got") digests"
    fi
done <"$plan"
exit $status
