#!/usr/bin/env bash
# train: a data set of two pictures -> a model that can be added, used and replayed, and a signed statement of how it
# came about. A few steps only: what the trainer learns is its own tests' matter.
. tests/cli/helpers.bash
models
identity
"$bs" gen -m dots --seed 1-2 --size 400x400 -q -o "$work/set" >/dev/null
item() { # NUMBER STYLE
    printf '{"file":"dots-%s.png","style":"%s","title":"Dots %s","author":"Ada Example","license":"CC0-1.0","source":"made here","sha256":"%s"}' \
        "$1" "$2" "$1" "$(sha256sum <"$work/set/dots-$1.png" | cut -d' ' -f1)"
}
manifest() {
    printf '{"schema":"blindstamp.dataset/1","dataset_id":"dots-2","title":"Two pictures","version":"1.0.0","license":"CC0-1.0","styles":[{"name":"ink"},{"name":"space"}],"items":[%s,%s]}' \
        "$(item 1 ink)" "$(item 2 space)"
}
manifest >"$work/set/set.json"
train="$bs train $work/set/set.json --batch 4 --crop 96 --steps 2"

expect 1 "no output" "$bs" train "$work/set/set.json"
hints "says how" '-o MODEL.onnx'
expect 1 "output that is no .onnx" $train -o "$work/model.bin"
expect 1 "a name that cannot be one" $train -o "$work/My Model.onnx"
hints "says what can" 'a-z, 0-9 and dashes'
expect 4 "missing data set" "$bs" train "$work/nothere.json" -o "$work/m/new.onnx"
echo '{"items":' >"$work/set/bad.json"
expect 4 "data set that is no JSON" "$bs" train "$work/set/bad.json" -o "$work/m/new.onnx"
hints "is named" 'bad.json'
expect 1 "no identity" env BLINDSTAMP_HOME="$work/none" $train -o "$work/m/new.onnx"
cp "$work/set/dots-2.png" "$work/keep.png"
cp "$work/set/dots-1.png" "$work/set/dots-2.png"
expect 3 "a picture that is not the manifest's" $train -o "$work/m/new.onnx"
hints "is named" 'dots-2.png'
cp "$work/keep.png" "$work/set/dots-2.png"
check "no model was left behind" sh -c "! ls '$work'/m/*.onnx '$work'/*.onnx"
same "nothing was logged" "$("$bs" query --kind training --count)" 0

mkdir -p "$work/m"
expect 0 "a training" $train -o "$work/m/new.onnx" --license CC0-1.0 --title "New"
says "says what was made" 'Trained new in 2 steps'
expect 0 "it is logged" "$bs" query --kind training --json
check "with model and digest" jq -e --arg d "$(sha256sum <"$work/m/new.onnx" | cut -d' ' -f1)" '.[0].model == "new" and .[0].model_sha256 == $d' "$work/out"
"$bs" ledger export "$work/export" >/dev/null
tail -n 1 "$work"/export/*entries* | jq -r .payload | base64 -d >"$work/statement"
check "every picture is a dependency with licence and digest" jq -e --arg d "$(sha256sum <"$work/set/dots-2.png" | cut -d' ' -f1)" '
    [.predicate.buildDefinition.resolvedDependencies[] | select(.digest.sha256 == $d and .annotations.license == "CC0-1.0" and .annotations.author == "Ada Example")] | length == 1' "$work/statement"
mkdir "$work/elsewhere" && cp "$work/set/set.json" "$work/elsewhere/"
other="$bs train $work/elsewhere/set.json --batch 4 --crop 96 --steps 1 -o $work/m/other.onnx"
expect 4 "pictures that are not beside the data set" $other
expect 0 "but in another folder" $other --root "$work/set"
expect 1 "an existing model is not overwritten" $train -o "$work/m/new.onnx"
hints "says the ways out" '--force .* --resume'
expect 0 "the model is added" "$bs" model add "$work/m/new.onnx"
expect 1 "but not twice" "$bs" model add "$work/m/new.onnx"
expect 0 "and is what the ledger records" "$bs" model check new
expect 0 "listed" "$bs" models
says "with its styles" '^new +ink, space'
expect 0 "shown" "$bs" models new
says "with its licence" 'licence +CC0-1.0'
expect 0 "used" "$bs" gen -m new --seed 5 --size 100x70 --style space -o "$work/p"
expect 0 "and replayed" "$bs" verify --replay "$work/p/new-5.png"
expect 0 "the ledger is whole" "$bs" ledger verify
exit $status
