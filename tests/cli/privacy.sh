#!/usr/bin/env bash
# --privacy: words that are not disclosed are nowhere in the file, and the ledger can still open them.
. tests/cli/helpers.bash
models
identity
make() { "$bs" gen -m dots --seed 987654321 --style ink --title "Xylophone" --prompt "quixotic zebras" --description "a vexing wharf" --privacy "$1" --name "$1.png" -o "$work/p" >/dev/null; }
make public
make partner
make private

# The statement stands in the file as base64: look at the file's bytes and at the decoded payload.
bytes() {
    cat "$work/p/$1.png"
    grep -aoE '"payload":"[A-Za-z0-9+/=]+' "$work/p/$1.png" | cut -d'"' -f4 | base64 -d 2>/dev/null
    "$bs" show --json "$work/p/$1.png" | jq 'del(.file.path)'
}
found() { bytes "$1" | grep -acF -- "$2"; }
for w in Xylophone "quixotic zebras" "vexing wharf" 987654321; do
    check "public shows \"$w\"" test "$(found public "$w")" -gt 0
done
for w in Xylophone quixotic zebras vexing wharf; do same "partner hides \"$w\"" "$(found partner "$w")" 0; done
check "partner shows the seed" test "$(found partner 987654321)" -gt 0
for w in Xylophone quixotic zebras vexing wharf 987654321 private.png; do same "private hides \"$w\"" "$(found private "$w")" 0; done
check "private still shows the author" test "$(found private "Ada Example")" -gt 0
check "private still says that it is AI-made" test "$(found private trainedAlgorithmicMedia)" -gt 0

check "public shows a thumbnail" test "$(found public image/jpeg)" -gt 0
same "private shows none" "$(found private image/jpeg)" 0
same "a prompt kept back is committed to, once more in the manifest" \
    "$("$bs" show --json "$work/p/partner.png" | jq -r '(.statement.predicate.buildDefinition.externalParameters.prompt.commitment) as $c |
        [.manifest.content.assertions[] | select(.instanceID? == "nih:sha-256;\($c)")] | length')" 1

same "a private one discloses that a model made it, not which" \
    "$("$bs" show --json "$work/p/private.png" | jq -c '.manifest.content.assertions["c2pa.ai-disclosure"]')" '{"modelType":"c2pa.types.model.onnx"}'

for v in public partner private; do expect 0 "$v verifies" "$bs" verify --replay "$work/p/$v.png"; done
says "home's ledger opens the words" 'title +Xylophone'
expect 0 "home's ledger finds them" "$bs" query --text quixotic --count
same "all three" "$(cat "$work/out")" 3
"$bs" key export -o "$work/ada.pem"
expect 0 "others verify the private one" env BLINDSTAMP_HOME="$work/none" "$bs" verify --trust "$work/ada.pem" --json "$work/p/private.png"
check "and learn nothing" jq -e '.[0].title == null and .[0].prompt == null and .[0].seed == null and .[0].author == "Ada Example"' "$work/out"
"$bs" ledger export "$work/export" >/dev/null
same "the export keeps them too" "$(cat "$work"/export/* | grep -o '"payload":"[^"]*' | cut -d'"' -f4 | while read -r l; do echo "$l" | base64 -d; echo; done | grep -c Xylophone)" 1
exit $status
