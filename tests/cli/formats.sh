#!/usr/bin/env bash
# TIFF, AVIF and HEIC: their credentials are judged and shown; they are not signed, and it is said why.
. tests/cli/helpers.bash
corpus=$root/tests/fuzz/corpus
identity
mkdir "$work/in"
for f in tiff/base.tif tiff/signed.tif tiff/signed-big.tif bmff/base.avif bmff/signed.avif bmff/signed-tree.heic bmff/signed-update.avif; do
    cp "$corpus/$f" "$work/in/"
done
for f in base.tif base.avif; do
    expect 2 "$f without credentials" "$bs" verify "$work/in/$f"
    says "is whole" 'whole (TIFF|AVIF) file, whose pixels are not looked at'
done
for f in signed.tif signed-big.tif signed.avif signed-tree.heic signed-update.avif; do
    expect 6 "$f of an unknown signer" "$bs" verify "$work/in/$f"
    says "is bound to the file" 'yes +manifest.binding'
    says "is intact" 'intact +yes'
done
expect 2 "a folder of them" "$bs" verify --json "$work/in"
check "holds all seven" jq -e 'length == 7' "$work/out"

# every byte that is bound: the picture data, and a number in the description of it
alter() { # FILE BYTE OUT
    cp "$1" "$3"
    printf '\377' | dd of="$3" bs=1 seek="$2" conv=notrunc status=none
}
for f in signed.tif signed.avif signed-tree.heic; do
    at=9
    [ "${f##*.}" = tif ] || at=$(($(LC_ALL=C grep -abo mdat "$work/in/$f" | tail -n 1 | cut -d: -f1) + 30))
    alter "$work/in/$f" "$at" "$work/altered.${f##*.}"
    expect 3 "an altered ${f##*.}" "$bs" verify "$work/altered.${f##*.}"
    says "says so" 'NO +manifest.binding|no +manifest.binding|manifest was not made for these bytes'
done
head -c 400 "$work/in/signed.avif" >"$work/short.avif"
expect 4 "an AVIF that was cut short" "$bs" verify "$work/short.avif"
head -c 500 "$work/in/signed.tif" >"$work/short.tif"
expect 4 "a TIFF that was cut short" "$bs" verify "$work/short.tif"

expect 0 "show" "$bs" show --json "$work/in/signed-tree.heic"
check "names format, boxes and manifest" jq -e '.file.format == "HEIF" and .file.width == null and .file.pixels_sha256 == null and
    ([.container[].type] | index("mdat") and index("iloc")) and .manifest.label != null' "$work/out"
expect 0 "show of a TIFF" "$bs" show --json "$work/in/signed.tif"
check "names its pages" jq -e '.file.format == "TIFF" and ([.container[].type] == ["IFD", "IFD"])' "$work/out"

# ---- signing ----
for f in base.tif base.avif; do
    expect 1 "sign does not take $f" "$bs" sign "$work/in/$f" -o "$work/made"
    hints "says why" 'judged by this version, but not signed'
    hints "says what to do" 'convert the picture'
    expect 1 "nor for a sidecar" "$bs" sign --sidecar "$work/in/$f"
done
check "and leaves nothing behind" test -z "$(ls -A "$work/made" 2>/dev/null)" -a ! -e "$work/in/base.c2pa"
exit $status
