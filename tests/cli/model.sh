#!/usr/bin/env bash
# blindstamp model: list, show, add with proposed and given cards, check, and every way in which a check fails.
. tests/cli/helpers.bash
models
identity
mkdir "$work/in"
mv "$work/models/warm.onnx" "$work/in/"
warm=$work/in/warm.onnx home=$BLINDSTAMP_HOME

expect 1 "no verb" "$bs" model
expect 1 "unknown verb" "$bs" model shwo
hints "the near verb is suggested" 'did you mean model show'
expect 1 "a verb without its model" "$bs" model check
expect 1 "one operand too many" "$bs" model show dots more
expect 0 "model list" "$bs" model list
cp "$work/out" "$work/listed"
expect 0 "models" "$bs" models
same "model list and models agree" "$(cat "$work/out")" "$(cat "$work/listed")"

expect 0 "a card and its network are shown" "$bs" model show dots
says "with operators" 'operators +.*1 Conv'
says "with dims" 'input +noise +1x2x34x50'
expect 0 "and as JSON" "$bs" model show dots --json
check "with counts" jq -e '.network.macs > 0 and .network.memory > 0 and ([.network.operators[].count] | add) >= .network.layers' "$work/out"

# A file without a card: one is proposed.
expect 2 "a file that nobody recorded" "$bs" model check "$warm"
says "lacks a card" '\? +the model has no card'
expect 0 "a model without a card is added" "$bs" model add "$warm"
says "what was seen" 'seen +input input \[1,3,\?,\?\]: a picture, red, green, blue, channels in planes'
says "the output's range" 'seen +output: -1 to 1'
says "what is assumed" 'assumed +the input.s range cannot be seen'
says "that the licence is unknown" 'licence +unknown; --license'
check "the file is copied as it is" cmp "$warm" "$home/models/warm.onnx"
check "its card stands beside it" jq -e --arg d "$(sha256sum <"$warm" | cut -d' ' -f1)" '.model_sha256 == $d and .inputs[0].role == "image" and (.golden | length) == 4' "$home/models/warm.card.json"
expect 1 "but not twice" "$bs" model add "$warm"
hints "the ways out are named" '--name .* --force'
expect 2 "it is as recorded, but for the licence" "$bs" model check warm
says "golden pictures" '4 golden pictures come out to the last bit'
says "the entry" 'file and card are those of entry 1'
expect 0 "again with its licence" "$bs" model add "$warm" --force --license MIT
expect 0 "now nothing is missing" "$bs" model check warm --threads 1
expect 0 "as JSON" "$bs" model check warm --json
check "every check is an object" jq -e '.code == 0 and (.checks | length) >= 4 and all(.checks[]; .code == 0)' "$work/out"
expect 1 "no licence" "$bs" model add "$warm" --force --license 'MIT; rm'
expect 0 "under another name" "$bs" model add "$warm" --name warmer --license MIT --json
check "with all that was done" jq -e '.name == "warmer" and .entry == 3 and .golden == 4 and (.notes | length) > 2' "$work/out"
expect 0 "it is queried by name" "$bs" query --kind model --model warmer --json
check "and found" jq -e 'length == 1 and .[0].kind == "model" and .[0].author == "Ada Example"' "$work/out"

# The signed statement.
"$bs" ledger export "$work/export" >/dev/null
sed -n 4p "$work/export/entries.jsonl" | jq -r .payload | base64 -d >"$work/statement"
digest=$(sha256sum <"$warm" | cut -d' ' -f1)
check "the statement names file, licence and card" jq -e --arg d "$digest" --arg c "$(sha256sum <"$home/models/warmer.card.json" | cut -d' ' -f1)" '
    .predicateType == "urn:blindstamp:model:v1" and .subject[0].digest.sha256 == $d and .predicate.license == "MIT" and
    .predicate.card.digest.sha256 == $c and .predicate.card.content.name == "warmer"' "$work/statement"
same "and the digest of OpenSSF Model Signing: SHA-256 over the file's digest" \
    "$(jq -r '.predicate.openssf_model_signing.subject[0].digest.sha256' "$work/statement")" \
    "$(printf "$(echo "$digest" | sed 's/../\\x&/g')" | sha256sum | cut -d' ' -f1)"

# Pictures made with a card beside the model name it, and replay with it alone.
"$bs" gen -m dots --seed 4 --size 40x30 -o "$work/p" >/dev/null
expect 0 "a picture is made with it" "$bs" gen -m warm --input "$work/p/dots-4.png" -o "$work/p"
picture=$work/p/warm-dots-4.png
check "its statement names the card" sh -c "'$bs' show --json '$picture' | jq -e --arg c \"\$(sha256sum <'$home/models/warm.card.json' | cut -d' ' -f1)\" '.. | objects | select(.annotations?.role? == \"card\") | .digest.sha256 == \$c'"
expect 0 "it is replayed" "$bs" verify --replay "$picture"
mv "$home/models/warm.card.json" "$work/kept.json"
expect 2 "not without its card" "$bs" verify --replay "$picture"
says "which is named" "the model's card (differs|.*not at hand)"
mkdir "$work/cards" && cp "$work/kept.json" "$work/cards/other.card.json"
expect 0 "but wherever the card lies" "$bs" verify --replay --model "$home/models" --model "$work/cards" "$picture"
mv "$work/kept.json" "$home/models/warm.card.json"

# Cards given by hand.
echo '{"name":"toasty","title":"Toasty","license":"CC0-1.0","inputs":[{"name":"input","role":"image","low":0,"high":1}]}' >"$work/card.json"
expect 0 "a card given by hand" "$bs" model add "$warm" --card "$work/card.json"
check "wins over what was found" jq -e '.title == "Toasty" and .inputs[0].low == 0 and .output_low == -1' "$home/models/toasty.card.json"
mkdir "$work/folder" && cp "$warm" "$work/folder/model.onnx" && cp "$work/card.json" "$work/folder/card.json"
expect 0 "a folder with model and card" "$bs" model add "$work/folder" --name crisp
check "is the same" jq -e '.title == "Toasty"' "$home/models/crisp.card.json"
expect 1 "an empty folder" "$bs" model add "$work/cards"
hints "says what is missing" "holds no model"
refuse() { # NAME CARD PATTERN
    printf '%s' "$2" >"$work/bad.json"
    before=$(find "$home/models" | sort)
    expect 4 "$1" "$bs" model add "$warm" --name bad --card "$work/bad.json"
    hints "$1: named" "$3"
    same "$1: nothing is left" "$(find "$home/models" | sort)" "$before"
}
refuse "no object" '[1]' 'no JSON object'
refuse "not JSON" '{"a":' 'bad.json'
refuse "an unknown role" '{"inputs":[{"name":"input","role":"soup"}]}' 'inputs are not'
refuse "an input the graph lacks" '{"inputs":[{"name":"x","role":"image"}]}' 'inputs are not those of the graph'
refuse "an empty range" '{"output_low":1,"output_high":1}' 'not a range'
refuse "a huge size" '{"width":99999999}' 'size is out of range'
refuse "no finite number" '{"output_high":1e999}' '.'
refuse "deep nesting" "$(printf '{"x":'; printf '[%.0s' $(seq 100))" '.'
refuse "too many golden pixels" '{"golden":[{"seed":"1","width":65535,"height":65535,"pixels-sha256":"00"}]}' '64 megapixels'
refuse "golden pictures that are none" '{"golden":[7]}' 'golden picture of the card lacks'
refuse "bad UTF-8" "$(printf '{"title":"\xff"}')" '.'
printf '{"golden":[{"seed":"1","width":32,"height":32,"arith":"blindstamp-arith/2","pixels-sha256":"%064d"}]}' 0 >"$work/bad.json"
expect 3 "golden pictures that are not the model's" "$bs" model add "$warm" --name bad --card "$work/bad.json"
nothing "and nothing of it is left" "$home/models/bad.onnx"

# Classes: by number, by name, or drawn; recorded, kept private, replayed.
model kinds
mv "$work/models/kinds.onnx" "$work/in/"
echo '{"labels":["Tench","great white","box turtle"]}' >"$work/labels.json"
expect 0 "a model of classes" "$bs" model add "$work/in/kinds.onnx" --card "$work/labels.json"
says "whose number is seen" 'input class \[1\]: a class out of 3'
expect 0 "a class by its name, in any case" "$bs" gen -m kinds --seed 5 --label "BOX turtle" --name "turtle.png" -o "$work/p"
expect 0 "is the class of that number" "$bs" gen -m kinds --seed 5 -l 2 --name "two.png" -o "$work/p"
same "to the last bit" "$(pixels "$work/p/turtle.png")" "$(pixels "$work/p/two.png")"
expect 0 "another is another" "$bs" gen -m kinds --seed 5 --label 0 --name "zero.png" -o "$work/p"
check "picture" [ "$(pixels "$work/p/zero.png")" != "$(pixels "$work/p/two.png")" ]
check "the statement names it" sh -c "'$bs' show --json '$work/p/two.png' | jq -e '.. | objects | select(has(\"externalParameters\")) | .externalParameters.label == 2'"
expect 0 "drawn from the seed" "$bs" gen -m kinds --seed 1-3 --privacy private --name "k{n}.png" -o "$work/p"
check "and kept back when private" sh -c "'$bs' show --json '$work/p/k1.png' | jq -e '.. | objects | select(has(\"externalParameters\")) | .externalParameters.label.commitment | length == 64'"
expect 0 "all are replayed" "$bs" verify --replay "$work/p/turtle.png" "$work/p/zero.png" "$work/p/k1.png" "$work/p/k2.png" "$work/p/k3.png"
expect 1 "a class that it lacks" "$bs" gen -m kinds --label 3 -o "$work/p"
hints "says how many there are" '0 to 2'
expect 1 "a name that is almost one" "$bs" gen -m kinds --label "great whit" -o "$work/p"
hints "the near one is suggested" 'did you mean "great white"'
expect 1 "a label for a model without classes" "$bs" gen -m dots --label 1 -o "$work/p"

# Weights of another kind are converted: a network of ncnn, a coloured tint.
printf '7767517\n3 3\nInput data 0 1 data\nConvolution mix 1 1 data mixed 0=3 1=1 5=1 6=9\nSigmoid out 1 1 mixed output\n' >"$work/in/tint.param"
floats() { local f; for f; do printf "$(printf '%08x' "$f" | sed 's/\(..\)\(..\)\(..\)\(..\)/\\x\4\\x\3\\x\2\\x\1/')"; done; }
floats 0 0x3f000000 0x3dcccccd 0 0x3dcccccd 0x3f19999a 0 0 0x3dcccccd 0x3f000000 0x3dcccccd 0 0xbdcccccd >"$work/in/tint.bin"
expect 0 "a network of ncnn" "$bs" model add "$work/in/tint.param" --license MIT
says "is converted" 'converted +ncnn, 12 parameters'
nothing "no half of it is left" "$home/models/.converted*"
expect 0 "it is as recorded" "$bs" model check tint
"$bs" ledger export "$work/export2" >/dev/null
check "the record names what it was made from" sh -c "tail -n 1 '$work/export2/entries.jsonl' | jq -r .payload | base64 -d | jq -e --arg p \"\$(sha256sum <'$work/in/tint.param' | cut -d' ' -f1)\" --arg b \"\$(sha256sum <'$work/in/tint.bin' | cut -d' ' -f1)\" '[.predicate.convertedFrom[].digest.sha256] == [\$p, \$b]'"
expect 0 "it makes pictures" "$bs" gen -m tint --input "$work/p/dots-4.png" -o "$work/p"
expect 0 "that replay" "$bs" verify --replay "$work/p/tint-dots-4.png"
head -c 20 "$work/in/tint.bin" >"$work/x" && cp "$work/x" "$work/in/tint.bin"
expect 4 "numbers that end early" "$bs" model add "$work/in/tint.param" --name cut
nothing "leave nothing" "$home/models/.converted*"
expect 1 "an architecture for an ONNX file" "$bs" model add "$warm" --name x --architecture rrdb

# AdaIN: a decoder, its encoder and pictures for styles. All weights are 1/8.
safetensors() { # FILE NAME:DIMS...
    local file=$1 header= at=0 item bytes d
    shift
    for item; do
        bytes=2
        for d in $(tr , ' ' <<<"${item#*:}"); do bytes=$((bytes * d)); done
        header+=${header:+,}"\"${item%:*}\":{\"dtype\":\"F16\",\"shape\":[${item#*:}],\"data_offsets\":[$at,$((at + bytes))]}"
        at=$((at + bytes))
    done
    header={$header}
    { printf "$(printf '\\x%02x\\x%02x' $((${#header} % 256)) $((${#header} / 256)))\0\0\0\0\0\0%s" "$header"
      printf '\0\x30%.0s' $(seq $((at / 2))); } >"$file"
}
layers() { local i; for i; do echo "$i.weight:2,2,3,3 $i.bias:2"; done; }
safetensors "$work/in/decoder.safetensors" $(layers 1 5 8 11 14 18 21 25) 28.weight:3,2,3,3
safetensors "$work/in/encoder.safetensors" 0.weight:3,3,1,1 2.weight:2,3,3,3 $(layers 5 9 12 16 19 22 25 29)
expect 4 "a decoder of AdaIN alone" "$bs" model add "$work/in/decoder.safetensors"
hints "what it needs" 'needs the weights of its encoder'
hints "and how to give it" '--encoder vgg_normalised.pth --style-picture'
expect 0 "with encoder and styles" "$bs" model add "$work/in/decoder.safetensors" --name painter \
    --encoder "$work/in/encoder.safetensors" --style-picture "$work/p/dots-4.png" --style-picture "$work/p/tint-dots-4.png"
"$bs" ledger export "$work/export3" >/dev/null
check "the record names all four files" sh -c "tail -n 1 '$work/export3/entries.jsonl' | jq -r .payload | base64 -d | jq -e '[.predicate.convertedFrom[].name] == [\"decoder.safetensors\", \"encoder.safetensors\", \"dots-4.png\", \"tint-dots-4.png\"]'"
expect 0 "its styles are shown" "$bs" model show painter
says "called as their pictures" 'styles +dots-4, tint-dots-4'
expect 0 "styles mix" "$bs" gen -m painter --input "$work/p/dots-4.png" --style dots-4:0.7,tint-dots-4:0.3 -o "$work/p"
expect 1 "an encoder for an ONNX file" "$bs" model add "$warm" --name x --encoder "$work/in/encoder.safetensors"
hints "is refused by name" '--encoder is for'

# What check finds.
jq '.golden[0]."pixels-sha256" = "'"$(printf %064d 0)"'"' "$home/models/warm.card.json" >"$work/x" && cp "$work/x" "$home/models/warm.card.json"
expect 3 "a changed card is noticed" "$bs" model check warm
says "by the golden picture" 'BAD +the golden picture of seed 1 '
says "and by the ledger" 'BAD +the card is not the one that entry'
jq '.model_sha256 = "'"$(printf %064d 0)"'"' "$home/models/warm.card.json" >"$work/x" && cp "$work/x" "$home/models/warm.card.json"
expect 4 "the card of another file" "$bs" model check warm
says "is named with its fix" 'model_sha256 differs'
head -c 200 "$warm" >"$work/cut.onnx"
expect 4 "a cut file" "$bs" model check "$work/cut.onnx"
says "is named" 'BAD'
expect 4 "and not added" "$bs" model add "$work/cut.onnx"
expect 1 "an unknown model" "$bs" model check nonsense
# Measuring and drawing.
expect 0 "a model is measured" "$bs" model bench dots --runs 2 --size 96x64
says "with one thread" '^1 +[0-9.]+ ms +[0-9.]+ ms +[0-9.]+ ms'
expect 0 "and profiled" "$bs" model bench toasty --runs 2 --size 40x30 --profile --threads 1
says "by operator" '^Conv, direct +[0-9.]+ ms +[0-9]+ %'
expect 0 "as JSON" "$bs" model bench dots --runs 2 --profile --json
check "with shares" jq -e '.rows[0].threads == 1 and .rows[0].median_ms > 0 and (.operators | length) > 1 and .slowest[0].ms > 0' "$work/out"
expect 1 "no number of runs" "$bs" model bench dots --runs 0
expect 1 "no size" "$bs" model bench dots --size big
expect 0 "a model is drawn" "$bs" model graph dots -o "$work/dots.svg"
check "as SVG" sh -c "grep -q '^<svg ' '$work/dots.svg' && grep -q '</svg>' '$work/dots.svg'"
expect 1 "a drawing that exists stays" "$bs" model graph dots -o "$work/dots.svg"
expect 0 "unless --force is given" "$bs" model graph dots -o "$work/dots.svg" --force
expect 5 "a folder that does not exist" "$bs" model graph dots -o "$work/nowhere/dots.svg"
# A model whose weights lie in a file of their own, in a folder within.
mkdir -p "$work/split/weights"
perl -0pe 's/(name: "tint" dims: 3 dims: 3 data_type: 1)[^}]*/$1 data_location: 1 external_data { key: "location" value: "weights\/tint.bin" }\n/; s/\\"name\\":\\"dots\\"/\\"name\\":\\"split\\"/' tests/cli/dots.onnx.txt |
    protoc-c --encode=onnx.ModelProto --proto_path=gen onnx.proto >"$work/split/split.onnx"
expect 4 "a model without its weights is not added" "$bs" model add "$work/split"
perl -e 'print pack("f<9", -0.7, -0.6, -0.5, -0.5, 0, 0.6, 0.6, 0.1, 0.3)' >"$work/split/weights/tint.bin"
expect 0 "a folder with model and weights is" "$bs" model add "$work/split"
check "the weights go along" cmp "$work/split/weights/tint.bin" "$home/models/weights/tint.bin"
expect 0 "the record names both files" "$bs" model check split
says "which are those recorded" 'file and card are those of entry'
printf '\x01' | dd of="$home/models/weights/tint.bin" bs=1 seek=5 conv=notrunc status=none
expect 3 "changed weights are noticed" "$bs" model check split
says "by the ledger" 'BAD +the files of weights are not those that entry'
expect 1 "and not overwritten" "$bs" model add "$work/split" --name other
hints "with the way out" 'other weights of that name already'
nothing_new=$(ls "$home/models" | grep -c '^other')
same "nothing of the refused model is left" "$nothing_new" 0
cp "$work/split/weights/tint.bin" "$home/models/weights/tint.bin"
expect 0 "the ledger is whole" "$bs" ledger verify
exit $status
