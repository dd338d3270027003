#!/usr/bin/env bash
# The same seed gives the same pixels: with every instruction set of this processor, 1 and 2 threads, gcc and clang,
# -O1 and -O3. Each compiler and level builds the library on its own.
set -u
BUILD=${BUILD:-$PWD/build}
work=$BUILD/bits
mkdir -p "$work"
status=0
declare -A expected
for compiler in gcc clang; do
    for level in -O1 -O3; do
        name=$compiler$level
        if ! command -v $compiler >/dev/null; then echo "ok $name # SKIP $compiler is not installed"; continue; fi
        if ! make -s -j2 BUILD="$work/$name" CC=$compiler OPT=$level CFLAGS= "$work/$name/lib/libblindstamp.a" "$work/$name/interop/pixels" >"$work/log" 2>&1; then
            echo "not ok $name builds"; sed 's/^/# /' "$work/log"; status=1; continue
        fi
        for model in gen/models/*.onnx; do
            for isa in scalar avx2 avx512; do
                # What this processor lacks is not offered; asking for it is an error that says so.
                if [ $isa != scalar ] && ! grep -qw "${isa/avx512/avx512f}" /proc/cpuinfo; then
                    echo "ok $name $isa # SKIP the processor has no $isa"; continue
                fi
                for threads in 1 2; do
                    got=$("$work/$name/interop/pixels" "$model" $isa $threads 2>&1) || { echo "not ok $name $isa $threads: $got"; status=1; continue; }
                    : "${expected[$model]:=$got}"
                    if [ "$got" = "${expected[$model]}" ]; then echo "ok $name $isa, $threads threads"; else
                        echo "not ok $name $isa, $threads threads"; status=1
                        diff <(echo "${expected[$model]}") <(echo "$got") | sed 's/^/# /'
                    fi
                done
            done
        done
    done
done
exit $status
