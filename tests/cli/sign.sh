#!/usr/bin/env bash
# sign: pictures made elsewhere are taken up; what is said of them, what is kept, what is refused, what is left untouched.
. tests/cli/helpers.bash
identity
corpus=$root/tests/fuzz/corpus
mkdir -p "$work/in/deep"
cp "$corpus/image/base.jpg" "$work/in/a.jpg"
cp "$corpus/image/rgb.png" "$work/in/b.png"
cp "$corpus/image/lossy.webp" "$work/in/c.webp"
cp "$corpus/image/lossless.webp" "$work/in/deep/c.webp"
chmod 640 "$work/in/a.jpg"
before=$(cd "$work/in" && find . -type f -exec sha256sum {} + | sort)

expect 1 "no way given" "$bs" sign "$work/in/a.jpg"
hints "the ways are named" '--in-place.*--sidecar'
expect 1 "two ways given" "$bs" sign "$work/in/a.jpg" --in-place --sidecar
expect 1 "an unknown source type" "$bs" sign "$work/in/a.jpg" -o "$work/made" --source-type painting
expect 4 "a file that is not there" "$bs" sign "$work/in/none.jpg" -o "$work/made"
nothing "nothing was written" "$work/made"

expect 0 "a folder" "$bs" sign "$work/in" -o "$work/made" --jobs 2
says "entries are told" 'made/a.jpg  entry [0-9]+$'
check "folders are kept" test -f "$work/made/deep/c.webp"
same "the originals are untouched" "$(cd "$work/in" && find . -type f -exec sha256sum {} + | sort)" "$before"
same "permissions go along" "$(stat -c %a "$work/made/a.jpg")" 640
expect 0 "all verify" "$bs" verify "$work/made"
same "one batch of the ledger" "$("$bs" ledger status --json | jq -r .checkpoint | sed -n 2p)" 5
expect 0 "one in detail" "$bs" verify "$work/made/c.webp"
says "it says who took it up" 'taken up by Ada Example'
says "and that nobody proves who made it" 'Who made it is not proved'
if grep -q 'made by' "$work/out"; then not_ok "it does not say who made it"; else ok "it does not say who made it"; fi
for f in a.jpg b.png c.webp; do same "pixels of $f are the same" "$(pixels "$work/made/$f")" "$(pixels "$work/in/$f")"; done
same "query finds them" "$("$bs" query --kind adoption --json | jq -r '[.[].file_name] | sort | join(" ")')" "a.jpg b.png c.webp c.webp"
expect 0 "query by the picture itself" "$bs" query --digest "$work/in/b.png"
says "knows it" 'b.png'
expect 2 "the picture without its stamp" "$bs" verify "$work/in/b.png"
says "is recognised" 'same pixels stand in the ledger'
pngtopnm "$work/in/b.png" 2>/dev/null | pnmtopng -compression 1 >"$work/again.png" 2>/dev/null
expect 2 "another file with its pixels" "$bs" verify "$work/again.png"
says "is recognised by them" 'same pixels stand in the ledger'
expect 0 "query finds it too" "$bs" query --digest "$work/again.png"
pngtopnm "$work/in/b.png" 2>/dev/null | pnmflip -leftright | pnmtopng >"$work/turned.png" 2>/dev/null
expect 0 "a picture whose pixels stay undecoded" "$bs" sign "$work/turned.png" -o "$work/undecoded" --no-pixels
expect 0 "verifies" "$bs" verify "$work/undecoded"
check "its statement gives no digest of them" sh -c "'$bs' show --json '$work/undecoded/turned.png' | jq -e '[.. | objects | has(\"pixels-sha256\")] | any | not'"
expect 2 "without its stamp" "$bs" verify "$work/turned.png"
says "it is recognised by its bytes" 'same bytes stand in the ledger'

expect 1 "a copy that exists" "$bs" sign "$work/in/b.png" -o "$work/made"
hints "is refused" 'exists already'
expect 0 "unless forced" "$bs" sign "$work/in/b.png" -o "$work/made" --force
expect 1 "two files of one name" "$bs" sign "$work/in/c.webp" "$work/in/deep/c.webp" -o "$work/two"
hints "are refused before anything is made" 'would both become'
nothing "and nothing is made" "$work/two"

entries=$("$bs" ledger status --json | jq .entries)
expect 0 "a second time" "$bs" sign "$work/made" --in-place
hints "changes nothing" '4 of 4 carry your stamp already'
same "and adds no entry" "$("$bs" ledger status --json | jq .entries)" "$entries"
expect 0 "again, when asked" "$bs" sign "$work/made/a.jpg" --in-place --again --source-type capture
same "permissions stay" "$(stat -c %a "$work/made/a.jpg")" 640
expect 0 "it verifies" "$bs" verify "$work/made/a.jpg"
says "with what was declared" 'declares it to be: capture'
check "the first stamp is its parent" sh -c "'$bs' show --json '$work/made/a.jpg' | jq -e '.manifest.content.assertions[\"c2pa.ingredient.v3\"].activeManifest.url | startswith(\"self#jumbf=/c2pa/urn:c2pa:\")'"

ln -s ../made/b.png "$work/in/link.png"
expect 0 "in place through a link" "$bs" sign "$work/in/link.png" --in-place --again
check "the link stays" test -L "$work/in/link.png"
expect 0 "what it leads to verifies" "$bs" verify "$work/made/b.png"
rm "$work/in/link.png"

expect 0 "what it was made from" "$bs" verify "$work/made/a.jpg"
says "is told with its own verdict" '^    opened picture a.jpg; its credentials hold, signed by Ada Example \(trusted\)$'
says "and what that was made from" '^      opened picture a.jpg; without credentials$'
expect 0 "show" "$bs" show "$work/made/a.jpg"
says "tells what was found" '^  opened picture a.jpg; its credentials were found to hold'
same "verify --json has it" "$("$bs" verify --json "$work/made/a.jpg" | jq -r '.[0].c2pa.ingredients[0] | "\(.relationship) \(.now.integrity) \(.ingredients[0].kind)"')" "parentOf intact picture"

# ---- thumbnails ----
expect 0 "with thumbnails" "$bs" sign "$work/in" -o "$work/small" --thumbnail
expect 0 "they verify" "$bs" verify "$work/small"
for f in a.jpg b.png c.webp; do
    same "$f shows itself and its parent" "$("$bs" show --json "$work/small/$f" | jq -r '.manifest.content.assertions | keys[] | select(contains("thumbnail"))' | tr '\n' ' ')" \
        "c2pa.thumbnail.claim c2pa.thumbnail.ingredient "
done
if command -v pnmtopng >/dev/null && ppmmake grey 3000 3000 2>/dev/null | pnmtopng -interlace >"$work/woven.png" 2>/dev/null; then
    expect 0 "a large interlaced one" "$bs" sign "$work/woven.png" -o "$work/small" --thumbnail
    hints "gets none, which is said" '1 of them got no thumbnail'
else
    skip "a large interlaced picture" "netpbm is not installed"
fi
same "none without being asked" "$("$bs" show --json "$work/made/b.png" | jq -r '.manifest.content.assertions | keys[] | select(contains("thumbnail"))')" ""

# ---- made by a model? ----
for t in generated composite edited capture; do
    "$bs" sign "$work/in/b.png" -o "$work/$t" --source-type "$t" -q >/dev/null
    case $t in generated | composite) want=c2pa.types.model ;; *) want=null ;; esac
    same "a disclosure of AI in what is declared $t" "$("$bs" show --json "$work/$t/b.png" | jq -r '.manifest.content.assertions["c2pa.ai-disclosure"].modelType')" "$want"
done

# ---- lists ----
mkdir "$work/list"
cp "$work/in/a.jpg" "$work/list/x y.jpg"
cp "$work/in/b.png" "$work/list/z.png"
find "$work/list" -type f | sort >"$work/names"
timeout 60 "$bs" sign --in-place --json - <"$work/names" >"$work/out.json" 2>"$work/err"
same "a list on standard input" "$(jq -r '.[].file' "$work/out.json" | sort | tr '\n' ' ')" "$(tr '\n' ' ' <"$work/names")"
expect 0 "its files verify" "$bs" verify "$work/list"
expect 1 "an empty list" "$bs" sign --in-place -

# ---- what is said on demand ----
expect 0 "a picture that nobody may train on" "$bs" sign "$work/in/a.jpg" -o "$work/kept" --no-train
check "says so in its manifest" sh -c "'$bs' show --json '$work/kept/a.jpg' | grep -q cawg.training-mining"
expect 0 "and verifies" "$bs" verify "$work/kept"
expect 1 "no answer to staple from an authority of one's own" "$bs" sign "$work/in/b.png" -o "$work/kept" --staple

# ---- sidecars ----
cp "$work/in/b.png" "$work/side.png"
expect 0 "a sidecar" "$bs" sign "$work/side.png" --sidecar
check "the picture stays as it is" cmp "$work/side.png" "$work/in/b.png"
check "the manifest stands beside it" test -s "$work/side.c2pa"
expect 0 "it verifies" "$bs" verify "$work/side.png"
printf x >>"$work/side.png"
expect 3 "a changed picture does not" "$bs" verify "$work/side.png"
expect 1 "no sidecar beside credentials in the file" "$bs" sign "$work/made/c.webp" --sidecar --again

# ---- credentials that do not hold ----
cp "$work/made/c.webp" "$work/broken.webp"
printf x >>"$work/broken.webp"
cp "$work/in/a.jpg" "$work/good.jpg"
expect 3 "broken credentials" "$bs" sign "$work/broken.webp" "$work/good.jpg" -o "$work/mixed"
hints "are refused, with the way out" '--accept-broken'
check "the others go on" test -f "$work/mixed/good.jpg"
check "a refused file leaves nothing" test ! -e "$work/mixed/broken.webp"
expect 0 "accepted, when asked" "$bs" sign "$work/broken.webp" -o "$work/mixed" --accept-broken
expect 0 "it verifies" "$bs" verify "$work/mixed/broken.webp"
expect 0 "in detail" "$bs" verify "$work/mixed/broken.webp"
says "its past did not hold" 'its credentials do not hold \(assertion.dataHash.mismatch\)'
says "which is no news" 'some did not hold then'
same "and says that they did not hold" "$("$bs" show --json "$work/mixed/broken.webp" | jq -r .statement.predicate.parent.intact)" false

# ---- the file's word ----
if command -v exiftool >/dev/null; then
    cp "$work/in/a.jpg" "$work/told.jpg"
    exiftool -q -overwrite_original '-UserComment=a barn, dusk
Steps: 20, Sampler: Euler, Seed: 77, Size: 24x16, Model: tiny' '-Software=webui' "$work/told.jpg"
    expect 0 "a picture that says how it was made" "$bs" sign "$work/told.jpg" -o "$work/told.d" --source-type generated
    same "its word is quoted" "$("$bs" show --json "$work/told.d/told.jpg" | jq -r '.statement.predicate.fileSays | "\(.program) \(.seed) \(.model)"')" "AUTOMATIC1111 77 tiny"
    expect 0 "found by its seed" "$bs" query --seed 77
    says "as an adoption" adoption
    same "exiftool still shows its words" "$(exiftool -s3 -Software "$work/told.d/told.jpg")" webui
else
    skip "the file's word" "exiftool is not installed"
fi

expect 0 "the ledger is whole" "$bs" ledger verify
check "no temporary file is left" sh -c "[ -z \"\$(find '$work' -name '.*blindstamp-*')\" ]"
exit $status
