#!/usr/bin/env bash
# verify --replay on every kind of run: from the ledger at home, and from the file alone with only the model at hand; and
# what it says when something differs or was not recorded.
. tests/cli/helpers.bash
models
identity
text=tests/cli/dots.onnx.txt
encode() { protoc-c --encode=onnx.ModelProto --proto_path=gen onnx.proto >"$work/models/$1.onnx"; }
# The same model with seeds of another kind, and one that makes classes in place of styles.
sed 's/\\"name\\":\\"dots\\"/\\"name\\":\\"nvidia\\",\\"latent_generator\\":\\"numpy-randomstate\\"/' $text | encode nvidia
sed -e 's/\\"name\\":\\"dots\\"/\\"name\\":\\"kinds\\"/' -e 's/\\"styles\\":\[[^]]*\]/\\"labels\\":[\\"ink\\",\\"space\\",\\"flowers\\"],\\"classes\\":3/' \
    -e 's/\\"role\\":\\"style\\"/\\"role\\":\\"label\\"/' \
    -e '/name: "style" type/s/elem_type: 1 shape { dim { dim_value: 1 } dim { dim_value: 3 } }/elem_type: 7 shape { dim { dim_value: 1 } }/' \
    -e 's/op_type: "MatMul" input: "style" input: "tint"/op_type: "Gather" input: "tint" input: "style"/' $text | encode kinds
# One whose tint lies in a file of its own.
perl -0pe 's/(name: "tint" dims: 3 dims: 3 data_type: 1)[^}]*/$1 data_location: 1 external_data { key: "location" value: "tint.bin" }\n/; s/\\"name\\":\\"dots\\"/\\"name\\":\\"split\\"/' $text | encode split
perl -e 'print pack("f<9", -0.7, -0.6, -0.5, -0.5, 0, 0.6, 0.6, 0.1, 0.3)' >"$work/models/tint.bin"
"$bs" key export -o "$work/ada.pem"
"$bs" gen -m dots --seed 77 -o "$work/base" >/dev/null
cp tests/fuzz/corpus/image/base.jpg "$work/photo.jpg"

# A stranger has the file, the author's certificate and, of everything else, what is named.
alone="env BLINDSTAMP_HOME=$work/nobody BLINDSTAMP_MODELS=$work/none $bs verify --replay --trust $work/ada.pem"
# kind NAME MODEL OPTIONS...: makes one picture and replays it both ways, from another folder.
number=0
kind() {
    local name=$1 model=$2 file extra=()
    shift 2
    number=$((number + 1))
    expect 0 "$name" "$bs" gen -m "$model" -o "$work/k$number" "$@"
    file=$(find "$work/k$number" -name '*.png')
    case " $* " in *" --input "*) extra=(--input "$work/base" --input "$work/photo.jpg") ;; esac
    expect 0 "$name: made again from the ledger" "$bs" verify --replay "${extra[@]}" "$file"
    says "$name: to the pixel" 'yes +replay +.*every pixel is the same'
    mkdir "$work/f$number"
    cp "$file" "$work/f$number/"
    expect 0 "$name: made again from the file alone" $alone --model "$work/models/$model.onnx" "${extra[@]}" "$work/f$number/${file##*/}"
    says "$name: to the pixel" 'yes +replay +.*every pixel is the same'
}
kind "a seed" dots --seed 18446744073709551615
kind "a style" dots --seed 1 --style space
kind "a mixture of styles" dots --seed 1 --style ink:0.1,space:0.2,flowers:0.77
kind "truncation and size" dots --seed 5 -t 0.9123456 --size 301x17
kind "a seamless tile" dots --seed 5 --tile --size 30x20
kind "a mix of seeds" dots --mix 7:0.7,9:0.2,18446744073709551615
kind "a mix that leads away" dots --mix 7,9:-0.3 --style ink:1,space:2 --tile
kind "seeds of numpy" dots --seed 4294967295 --latent-generator numpy-randomstate
kind "seeds of PyTorch" dots --seed 4294967296 --latent-generator torch-cpu -t 0.5
kind "a mix of PyTorch's" dots --mix 1,2 --latent-generator torch-cpu --tile
kind "seeds that the card names" nvidia --seed 1000
kind "others than the card names" nvidia --seed 1000 --latent-generator philox
kind "a class" kinds --seed 3 --label flowers
kind "a class that the seed picks" kinds --seed 4
kind "a model of two files" split --seed 6
kind "a picture from a picture" warm --input "$work/base/dots-77.png"
kind "a picture from a JPEG" warm --input "$work/photo.jpg"

# ---- what a control does, and that it is recorded ----
parameter() { "$bs" show --json "$1" | jq -c ".statement.predicate.buildDefinition.externalParameters.$2"; }
for seed in 1000 1001; do "$bs" gen -m nvidia --seed $seed -o "$work/n" >/dev/null; done
"$bs" gen -m dots --seed 1000 --style ink -o "$work/p" >/dev/null
"$bs" gen -m dots --seed 1000 --style ink --latent-generator numpy-randomstate -o "$work/q" >/dev/null
"$bs" gen -m nvidia --seed 1000 --style ink -o "$work/q" >/dev/null
check "another generator, another picture" test "$(pixels "$work/p/dots-1000.png")" != "$(pixels "$work/q/dots-1000.png")"
same "the card's or the option's is the same" "$(pixels "$work/q/dots-1000.png")" "$(pixels "$work/q/nvidia-1000.png")"
same "it is recorded" "$(parameter "$work/q/nvidia-1000.png" latent_generator)" '"numpy-randomstate"'
same "philox goes without saying" "$(parameter "$work/p/dots-1000.png" latent_generator)" null
"$bs" gen -m dots --mix 7:3,9:4 -o "$work/q" >/dev/null
same "a mix is named after its seeds" "$(ls "$work/q" | grep +)" dots-7+9.png
same "its weights are recorded, their squares adding up to 1" "$(parameter "$work/q/dots-7+9.png" mix)" '[{"seed":"7","weight":0.6},{"seed":"9","weight":0.8}]'
same "and its first seed" "$(parameter "$work/q/dots-7+9.png" seed)" '"7"'
"$bs" gen -m dots --mix 7:0.6,9:0.8 -o "$work/r" >/dev/null
same "the same in other words" "$(pixels "$work/r/dots-7+9.png")" "$(pixels "$work/q/dots-7+9.png")"
"$bs" gen -m dots --mix 7:1,9:1000 --style ink -o "$work/s" >/dev/null
"$bs" gen -m dots --seed 9 --style ink -o "$work/s" >/dev/null
check "a mix is neither of its seeds" test "$(pixels "$work/s/dots-7+9.png")" != "$(pixels "$work/s/dots-9.png")"
"$bs" gen -m dots --mix 7,9 --latent-generator torch-cpu --privacy private --name 'work-{n}.png' -o "$work/private" >/dev/null
same "a private mix is committed to" "$(parameter "$work/private/work-1.png" 'mix | keys[0]')" '"commitment"'
expect 0 "and made again by the ledger that keeps it" "$bs" verify --replay "$work/private/work-1.png"
expect 2 "but by nobody else" $alone --model "$work/models" "$work/private/work-1.png"
says "which is said honestly" 'Not replayable: the statement keeps the [a-z_]+ to itself, and no ledger at hand opens it; --ledger'
expect 0 "the ledger can be handed on" $alone --model "$work/models" --ledger "$work/home/ledger.sqlite" "$work/private/work-1.png"

"$bs" gen -m dots --seed 6 -o "$work/one" >/dev/null
"$bs" gen -m split --seed 6 -o "$work/two" >/dev/null
same "weights in a file of their own are the same weights" "$(pixels "$work/two/split-6.png")" "$(pixels "$work/one/dots-6.png")"
check "and are named with their digest" sh -c "'$bs' show --json '$work/two/split-6.png' | jq -e --arg d \"\$(sha256sum <'$work/models/tint.bin' | cut -d' ' -f1)\" '.statement.predicate.buildDefinition.resolvedDependencies[] | select(.annotations.role == \"weights\") | .name == \"tint.bin\" and .digest.sha256 == \$d and .annotations.bytes == 36'"
cp "$work/models/tint.bin" "$work/tint.bin"
printf '\x01' | dd of="$work/models/tint.bin" bs=1 seek=5 conv=notrunc status=none
expect 2 "other weights beside the model" "$bs" verify --replay "$work/two/split-6.png"
says "are named" "the model's weights differ: tint.bin \(SHA-256"
rm "$work/models/tint.bin"
expect 2 "no weights beside the model" "$bs" verify --replay "$work/two/split-6.png"
says "are named too" 'Not replayable: .*tint.bin'
cp "$work/tint.bin" "$work/models/tint.bin"

# ---- refused ----
refused() { # NAME PATTERN OPTIONS...
    local name=$1 pattern=$2
    shift 2
    expect 1 "$name" "$bs" gen -o "$work/no" "$@"
    hints "$name: says so" "$pattern"
    nothing "$name: leaves nothing" "$work/no"
}
refused "a seed too large for numpy" '4294967296 is too large.*' -m nvidia --seed 4294967294-4294967296
refused "an unknown generator" 'did you mean torch-cpu' -m dots --seed 1 --latent-generator torch
refused "a generator for a model that draws nothing" 'draws nothing' -m warm --input "$work/photo.jpg" --latent-generator philox
refused "a mix for such a model" 'draws nothing' -m warm --input "$work/photo.jpg" --mix 1,2
refused "a mix and a seed" 'leave --seed out' -m dots --seed 1 --mix 1,2
for mix in 1 1: 1:0,2 1:x,2 1,1 ,1 1,,2 1,2, -1,2 1:nan,2 1:2000,2 18446744073709551616,1 "$(seq -s, 17)"; do
    refused "the mix \"$mix\"" '--mix' -m dots --mix "$mix"
done

# ---- what differs is named ----
expect 2 "another model under the name" $alone --model "$work/models/nvidia.onnx" "$work/base/dots-77.png"
says "is named with its digest" 'the model differs: nvidia.onnx \(SHA-256 [0-9a-f]{16}...\) is not the one of the statement \(SHA-256 [0-9a-f]{16}'
expect 2 "no model" $alone "$work/base/dots-77.png"
says "is named, with the way out" 'model dots \(SHA-256 [0-9a-f]{16}...\) is not at hand; --model'
"$bs" gen -m warm --input "$work/photo.jpg" -o "$work/w" >/dev/null
cp "$work/photo.jpg" "$work/photo2.jpg"
printf '\x01' | dd of="$work/photo2.jpg" bs=1 seek=25 conv=notrunc status=none
expect 2 "another input picture" "$bs" verify --replay --input "$work/photo2.jpg" "$work/w/warm-photo.png"
says "is named" 'the input picture differs: photo2.jpg'
expect 2 "no input picture" "$bs" verify --replay "$work/w/warm-photo.png"
says "is named too" 'input picture photo.jpg .*is not at hand; --input'

# ---- a picture that lost its credentials ----
"$bs" gen -m dots --mix 3,4 --tile -o "$work/lost" >/dev/null
if command -v pngtopnm >/dev/null && command -v pnmtopng >/dev/null; then
    pngtopnm "$work/lost/dots-3+4.png" | pnmtopng >"$work/stripped.png" 2>/dev/null
    expect 2 "a stripped picture is made again from the ledger's entry" "$bs" verify --replay "$work/stripped.png"
    says "to the pixel" 'yes +replay'
    expect 2 "or not at all" $alone --model "$work/models" "$work/stripped.png"
    says "and why" 'Not replayable: no statement says how it was made'
else
    skip "a stripped picture" "netpbm is not installed"
fi
exit $status
