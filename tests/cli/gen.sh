#!/usr/bin/env bash
# gen: what is made, under which names, and what is refused before anything is made.
. tests/cli/helpers.bash
models
identity
out=$work/out.d

# ---- what is made ----
expect 0 "one picture" "$bs" gen -m dots --seed 7 -o "$out"
check "its default name" test -f "$out/dots-7.png"
says "its entry is printed" 'dots-7.png  entry 1$'
same "its default size" "$(size "$out/dots-7.png")" 48x32
expect 0 "several" "$bs" gen -m dots --seed 1,3,5-6 -o "$out" --json
same "as asked" "$(jq -r '.[].seed' "$work/out" | tr '\n' ' ')" "1 3 5 6 "
same "entries in order" "$(jq -r '.[].entry' "$work/out" | tr '\n' ' ')" "2 3 4 5 "
expect 0 "largest seed" "$bs" gen -m dots --seed 18446744073709551615 -o "$out"
check "keeps all its digits" sh -c "'$bs' show --json '$out/dots-18446744073709551615.png' | jq -e '.statement.predicate.buildDefinition.externalParameters.seed == \"18446744073709551615\"'"
expect 0 "no seed: one is drawn" "$bs" gen -m dots -o "$work/drawn" --json
expect 0 "another" "$bs" gen -m dots -o "$work/drawn" --json
same "two different pictures" "$(find "$work/drawn" -name '*.png' | wc -l)" 2
expect 0 "a size" "$bs" gen -m dots --seed 1 --size 31x17 -o "$work/size"
same "is kept" "$(size "$work/size/dots-1.png")" 31x17
expect 0 "a name" "$bs" gen -m dots --seed 1-2 --name 'night {seed} of {model}.png' -o "$work/names"
check "is kept too" test -f "$work/names/night 2 of dots.png"
expect 0 "numbered names" "$bs" gen -m dots --seed 101-111 --name 'work-{n}.png' --privacy private -o "$work/numbers"
check "have as many digits" test -f "$work/numbers/work-01.png" -a -f "$work/numbers/work-11.png"
same "and keep the seed to themselves" "$(cat "$work/err" | grep -c 'names show')" 0
expect 0 "a private picture under its default name" "$bs" gen -m dots --seed 1 --privacy private -o "$work/numbers"
hints "warns that the name shows the seed" 'names show model and seed'
expect 0 "a picture that nobody may train on" "$bs" gen -m dots --seed 12 --no-train -o "$work/kept"
"$bs" show --json "$work/kept/dots-12.png" >"$work/kept.json"
check "says so in its manifest" grep -q 'cawg.training-mining' "$work/kept.json"
check "and in its XMP" grep -q 'DMI-PROHIBITED-AIMLTRAINING' "$work/kept.json"
expect 0 "and verifies" "$bs" verify --replay "$work/kept"
expect 0 "a model by its path" "$bs" gen -m "$work/models/dots.onnx" --seed 7 -o "$work/path"
same "makes the same pixels" "$(pixels "$work/path/dots-7.png")" "$(pixels "$out/dots-7.png")"
expect 0 "one thread" "$bs" gen -m dots --seed 7 --threads 1 -o "$work/thread"
same "makes the same pixels" "$(pixels "$work/thread/dots-7.png")" "$(pixels "$out/dots-7.png")"
expect 0 "quiet" "$bs" gen -m dots --seed 8 -q -o "$work/quiet"
same "prints the file alone" "$(cat "$work/out")" "$work/quiet/dots-8.png"

# ---- controls ----
expect 0 "a style" "$bs" gen -m dots --seed 7 --style ink -o "$work/ink"
expect 0 "another" "$bs" gen -m dots --seed 7 --style flowers -o "$work/flowers"
check "looks different" test "$(pixels "$work/ink/dots-7.png")" != "$(pixels "$work/flowers/dots-7.png")"
expect 0 "a mixture" "$bs" gen -m dots --seed 7 --style ink:0.7,space:0.3 -o "$work/mix"
expect 0 "the same in other words" "$bs" gen -m dots --seed 7 --style space:3,ink:7 -o "$work/mix2"
same "makes the same pixels" "$(pixels "$work/mix/dots-7.png")" "$(pixels "$work/mix2/dots-7.png")"
expect 0 "truncation 0" "$bs" gen -m dots --seed 7 --style ink -t 0 -o "$work/t7"
expect 0 "with another seed" "$bs" gen -m dots --seed 8 --style ink -t 0 -o "$work/t8"
same "is one and the same picture" "$(pixels "$work/t7/dots-7.png")" "$(pixels "$work/t8/dots-8.png")"
expect 0 "a tile" "$bs" gen -m dots --seed 7 --tile -o "$work/tile"
expect 0 "from a picture" "$bs" gen -m warm --input "$out/dots-7.png" -o "$work/warm"
check "is named after both" test -f "$work/warm/warm-dots-7.png"
expect 0 "and can be made again" "$bs" verify --replay --input "$out" "$work/warm/warm-dots-7.png"
says "with its input's credentials" '^    input picture dots-7.png; its credentials hold, signed by Ada Example \(trusted\)$'
says "and what its input was made from" '^      seed: 7$'
same "no seed is named for a model that draws none" "$("$bs" show --json "$work/warm/warm-dots-7.png" | jq -r '[.ingredients[].kind] | join(" ")')" "model picture"
same "both pictures are shown" "$("$bs" show --json "$work/warm/warm-dots-7.png" | jq -r '.manifest.content.assertions | keys[] | select(contains("thumbnail"))' | tr '\n' ' ')" \
    "c2pa.thumbnail.claim c2pa.thumbnail.ingredient "
expect 0 "without thumbnails" "$bs" gen -m warm --input "$out/dots-7.png" --no-thumbnail -o "$work/plain"
same "none is shown" "$("$bs" show --json "$work/plain/warm-dots-7.png" | jq -r '.manifest.content.assertions | keys[] | select(contains("thumbnail"))')" ""
cp tests/fuzz/corpus/image/base.jpg "$work/photo.jpg"
expect 0 "from a JPEG" "$bs" gen -m warm --input "$work/photo.jpg" -o "$work/warm"
expect 0 "which can be made again too" "$bs" verify --replay --input "$work/photo.jpg" "$work/warm/warm-photo.png"
check "it says what it was made from" sh -c "'$bs' show --json '$work/warm/warm-photo.png' | jq -e --arg d \"\$(sha256sum <'$work/photo.jpg' | cut -d' ' -f1)\" '[.statement.predicate.buildDefinition.resolvedDependencies[].digest.sha256] | index(\$d) != null'"
cp "$work/photo.jpg" "$work/photo2.jpg"
printf '\x01' | dd of="$work/photo2.jpg" bs=1 seek=25 conv=notrunc status=none
expect 2 "but not from another picture" "$bs" verify --replay --input "$work/photo2.jpg" "$work/warm/warm-photo.png"

# ---- what is refused: exit code, words, and nothing left behind ----
refused() { # CODE NAME PATTERN OPTIONS...
    local code=$1 name=$2 pattern=$3
    shift 3
    rm -rf "$work/no"
    expect "$code" "$name" "$bs" gen "$@" -o "$work/no"
    hints "$name: says so" "$pattern"
    if [ ! -e "$work/no" ]; then ok "$name: leaves nothing"; else not_ok "$name: leaves $(find "$work/no")"; fi
}
refused 1 "no model" 'needs to know the model'
refused 1 "unknown model" 'known models: dots|did you mean' -m nonsense
refused 1 "mistyped model" 'did you mean dots' -m dost
refused 4 "missing model file" 'nothere.onnx' -m "$work/nothere.onnx"
head -c 300 "$work/models/dots.onnx" >"$work/cut.onnx"
refused 4 "truncated model" 'cut.onnx' -m "$work/cut.onnx"
printf 'hello' >"$work/text.onnx"
refused 4 "a model that is none" 'text.onnx' -m "$work/text.onnx"
refused 1 "seed that is no number" 'not a whole number' -m dots --seed seven
refused 1 "negative seed" '"-1"' -m dots --seed=-1
refused 1 "seed beyond 64 bits" 'from 0 to 18446744073709551615' -m dots --seed 18446744073709551616
refused 1 "range backwards" 'backwards' -m dots --seed 9-3
refused 1 "empty place in a list" 'empty place' -m dots --seed 1,,2
refused 1 "a seed twice" 'twice' -m dots --seed 1-5,3
refused 1 "too many seeds" 'more than 100000' -m dots --seed 1-100001
refused 1 "endless range" 'more than 100000' -m dots --seed 0-18446744073709551615
refused 1 "size that is none" 'WIDTHxHEIGHT' -m dots --seed 1 --size 100
refused 1 "size zero" 'sides go from 1' -m dots --seed 1 --size 0x10
refused 1 "side too long" 'sides go from 1' -m dots --seed 1 --size 70000x10
# 64 numbers a pixel: a gigapixel needs 256 GiB and more; and its mean is asked for, so that it cannot be made in tiles.
{
    echo 'ir_version: 8 opset_import { version: 17 } graph { name: "wide"'
    echo 'input { name: "noise" type { tensor_type { elem_type: 1 shape { dim { dim_value: 1 } dim { dim_value: 64 } dim { dim_param: "h" } dim { dim_param: "w" } } } } }'
    echo 'initializer { name: "kernel" dims: 3 dims: 64 dims: 1 dims: 1 data_type: 1'
    for ((i = 0; i < 192; i++)); do echo "float_data: 0.0$i"; done
    echo '} node { op_type: "Conv" input: "noise" input: "kernel" output: "colours" }'
    echo 'node { op_type: "GlobalAveragePool" input: "colours" output: "mean" }'
    echo 'node { op_type: "Sub" input: "colours" input: "mean" output: "image" }'
    echo 'output { name: "image" type { tensor_type { elem_type: 1 shape { dim { dim_value: 1 } dim { dim_value: 3 } dim { dim_param: "h" } dim { dim_param: "w" } } } } } }'
    echo 'metadata_props { key: "blindstamp.card" value: "{\"schema\":\"blindstamp.card/1\",\"name\":\"wide\",\"styles\":[],\"inputs\":[{\"name\":\"noise\",\"role\":\"noise\",\"cell\":1,\"margin\":0}],\"width\":8,\"height\":8}" }'
} | protoc-c --encode=onnx.ModelProto --proto_path="$root/gen" onnx.proto >"$work/wide.onnx"
expect 0 "a wide model, small" "$bs" gen -m "$work/wide.onnx" --seed 1 --size 8x8 -o "$work/wide"
if [ "$(sed -n 's/^MemAvailable: *\([0-9]*\).*/\1/p' /proc/meminfo)" -lt 200000000 ]; then
    refused 5 "more memory than there is" 'memory' -m "$work/wide.onnx" --seed 1 --size 32768x32768
else
    skip "more memory than there is" "this machine has it"
fi
refused 1 "unknown style" 'did you mean ink' -m dots --seed 1 --style inc
refused 1 "style twice" 'twice' -m dots --seed 1 --style ink,ink
refused 1 "weight that is no number" 'weight' -m dots --seed 1 --style ink:much
refused 1 "truncation out of range" 'from 0 to 1.5' -m dots --seed 1 -t 9
refused 1 "unknown privacy" 'public, partner or private' -m dots --seed 1 --privacy secret
refused 1 "empty title" 'empty' -m dots --seed 1 --title ''
refused 1 "title with an escape sequence" 'control character' -m dots --seed 1 --title $'\e[31m'
refused 1 "title that is no UTF-8" 'UTF-8' -m dots --seed 1 --title $'\xc3\x28'
refused 1 "a picture for a model that takes none" 'takes no input' -m dots --seed 1 --input "$out/dots-7.png"
refused 1 "no picture for a model that needs one" 'none was given' -m warm
refused 4 "missing input picture" 'nopic.png' -m warm --input "$work/nopic.png"
head -c 900 "$out/dots-7.png" >"$work/cut.png"
refused 4 "truncated input picture" 'cut.png' -m warm --input "$work/cut.png"
refused 1 "style for a model without" 'no styles' -m warm --input "$out/dots-7.png" --style ink
refused 1 "name with a slash" 'not a path' -m dots --seed 1 --name ../x.png
refused 1 "name without .png" 'end in .png' -m dots --seed 1 --name x.jpg
refused 1 "one name for two pictures" '\{seed\}' -m dots --seed 1-2 --name x.png
refused 1 "unknown place in a name" 'does not know' -m dots --seed 1 --name '{sede}.png'
same "no refusal reached the ledger" "$("$bs" query --count)" $((1 + $(find "$work" -name '*.png' -not -name 'cut.png' | wc -l)))

# ---- existing files ----
before=$(sha256sum <"$out/dots-7.png")
expect 1 "an existing file is refused" "$bs" gen -m dots --seed 6-8 -o "$out"
hints "and named, with the way out" '--force'
same "and kept" "$(sha256sum <"$out/dots-7.png")" "$before"
check "and no other is made" test ! -e "$out/dots-8.png"
expect 0 "--force replaces it" "$bs" gen -m dots --seed 7 -o "$out" --force
check "by a new one" test "$(sha256sum <"$out/dots-7.png")" != "$before"

# ---- folders and disks ----
expect 1 "a file where the folder should be" "$bs" gen -m dots --seed 1 -o "$work/models/dots.onnx"
if [ "$(id -u)" = 0 ] && mkdir "$work/ro" && mount -t tmpfs -o ro,size=64k tmpfs "$work/ro" 2>/dev/null; then
    cleanup+=("umount $work/ro")
    expect 5 "a read-only folder" "$bs" gen -m dots --seed 1 -o "$work/ro"
    hints "is named, with the way out" "$work/ro"
    mkdir "$work/tiny"
    mount -t tmpfs -o size=64k tmpfs "$work/tiny"
    cleanup+=("umount $work/tiny")
    entries=$("$bs" query --count)
    expect 5 "a full disk" "$bs" gen -m dots --seed 1-40 --size 256x256 -o "$work/tiny"
    hints "is said in words" '[Nn]o space|full'
    same "no half-written file" "$(find "$work/tiny" -name '.*' -type f | wc -l)" 0
    standing=$(find "$work/tiny" -name '*.png' | wc -l)
    same "the ledger knows exactly the files that stand" "$("$bs" query --count)" $((entries + standing))
    if [ "$standing" -gt 0 ]; then expect 0 "and they verify" "$bs" verify "$work/tiny"; fi

    # A home on a disk that fills up, and one that is read-only.
    mkdir "$work/small"
    mount -t tmpfs -o size=400k tmpfs "$work/small"
    cleanup+=("umount $work/small")
    "$bs" init --home "$work/small/home" --author "Ada Example" --no-passphrase >/dev/null
    expect 0 "a home on a small disk" "$bs" gen --home "$work/small/home" -m dots --seed 1 --size 8x8 -o "$work/s"
    expect 5 "which gets full" "$bs" gen --home "$work/small/home" -m dots --seed 2-2000 --size 8x8 -q -o "$work/s"
    hints "is said in words then too" '[Nn]o space|full'
    same "no half-written picture" "$(find "$work/s" -name '.*' -type f | wc -l)" 0
    expect 0 "the ledger is whole" "$bs" ledger verify --home "$work/small/home"
    expect 0 "and every picture verifies" "$bs" verify -q --home "$work/small/home" "$work/s"
    same "the ledger has as many" "$("$bs" query --home "$work/small/home" --kind generation --count)" "$(find "$work/s" -name '*.png' | wc -l)"
    mount -o remount,ro "$work/small"
    expect 5 "a read-only home" "$bs" gen --home "$work/small/home" -m dots --seed 3001 --size 8x8 -o "$work/s2"
    nothing "makes nothing" "$work/s2"
    expect 0 "but can be read" "$bs" query --home "$work/small/home" --count
    expect 0 "checked" "$bs" ledger verify --home "$work/small/home"
    expect 0 "and judged by" "$bs" verify -q --home "$work/small/home" "$work/s"
    expect 5 "init on a read-only disk" "$bs" init --home "$work/ro/home" --author "Ada Example" --no-passphrase
else
    skip "a read-only folder, a full disk" "needs root to mount a small disk"
fi
exit $status
