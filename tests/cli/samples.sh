#!/usr/bin/env bash
# samples.sh - pictures that came out of another machine's run: intact, trusted with the key beside them, and made
# again pixel for pixel here. Also the signed statement of how the bundled model was trained.
. tests/cli/helpers.bash
samples=gen/models/samples
export BLINDSTAMP_MODELS=$root/gen/models

expect 6 "a stranger's pictures are intact but not trusted" "$bs" verify $samples
expect 0 "with the author's key they verify" "$bs" verify --replay --json --trust $samples/blindstamp-project.pem $samples
check "each was made again pixel for pixel" \
    jq -e '[.. | objects | select(.id? == "replay") | .result] | length == 6 and all(. == "pass")' "$work/out"

payload() { jq -r .payload $samples/aquatint.dsse.json | base64 -d; }
items() { payload | jq -S '[.predicate.buildDefinition.resolvedDependencies[] | select(.annotations.role == "item") | .digest.sha256] | sort'; }
same "the training statement speaks of the bundled model" \
    "$(payload | jq -r '.subject[0].digest.sha256')" "$(sha256sum <gen/models/aquatint.onnx | cut -d' ' -f1)"
same "it lists every picture of the data set" "$(items)" "$(jq -S '[.items[].sha256] | sort' gen/dataset/blindstamp-1.json)"
same "the model's card names the data set that is here" \
    "$("$bs" models aquatint --json | jq -r '.card.datasets[0].sha256')" "$(sha256sum <gen/dataset/blindstamp-1.json | cut -d' ' -f1)"
same "one key signed the statement and the pictures" \
    "$(jq -r '.signatures[0].keyid' $samples/aquatint.dsse.json)" "$("$bs" show --json $samples/ink-105.png | jq -r '[.. | objects | .keyId? // empty][0]')"
exit $status
