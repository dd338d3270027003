#!/usr/bin/env bash
# audit: each rule on files is broken once and seen; a clean folder has no finding; choice of rules, and the reports. The rules
# on the ledger alone are tests/unit/test_sweep.c's.
. tests/cli/helpers.bash
models
identity
mkdir "$work/reports"
"$bs" model add "$work/models/dots.onnx" >/dev/null 2>&1
"$bs" gen -m dots --seed 1-4 --size 48x48 -o "$work/p" >/dev/null

# rules RULES: of the last audit as JSON, those that found something.
rules() { same "$1" "$(jq -r '[.findings[].rule] | unique | join(" ")' "$work/out")" "$2"; }
# about NAME RULE FILE: this rule speaks of this file.
about() { check "$1" jq -e --arg r "$2" --arg f "$3" '[.findings[] | select(.rule == $r and (.files[0] // "" | endswith($f)))] | length == 1' "$work/out"; }

expect 0 "a clean ledger and folder" "$bs" audit "$work/p"
says "nothing is found" '^6 entries, 4 files: nothing found$'
expect 0 "as JSON" "$bs" audit "$work/p" --json
check "complete, and empty" jq -e '.findings == [] and .summary.complete and .summary.files == 4 and .summary.code == 0' "$work/out"
expect 0 "the ledger alone" "$bs" audit
says "without files" '^6 entries, 0 files: nothing found$'

# ---- one fault at a time ----
fault() { rm -rf "$work/f" && cp -r "$work/p" "$work/f"; }
pnm() { pngtopnm "$work/p/dots-1.png"; }
fault
printf x >>"$work/f/dots-2.png"
expect 3 "altered bytes" "$bs" audit "$work/f" --json
rules "are the only finding" file.altered
about "in that file" file.altered dots-2.png
check "with its entry" jq -e '.findings[0].entries == [3] and .findings[0].severity == "error"' "$work/out"
fault
pnm | pnmflip -lr | pnmtopng >"$work/plain.png"
exiftool -q -TagsFromFile "$work/f/dots-1.png" -EXIF:ImageUniqueID -o "$work/f/changed.png" "$work/plain.png"
rm "$work/f/dots-1.png"
expect 3 "other pixels under a picture's id" "$bs" audit "$work/f" --json
rules "are found, and the picture is missed" "entry.no-file file.altered"
about "in that file" file.altered changed.png
fault
pnm | pnmtopng >"$work/f/dots-1.png"
expect 2 "other bytes" "$bs" audit "$work/f" --json
rules "are the only finding" file.bytes
check "and count as the entry's file" jq -e '.findings[0].entries == [2]' "$work/out"
fault
"$bs" sign "$work/plain.png" -o "$work/s" >/dev/null
python3 - "$work/f/dots-3.png" <<'P'
import struct, sys
data = open(sys.argv[1], "rb").read()
out, at = data[:8], 8
while at < len(data):
    n, kind = struct.unpack(">I4s", data[at:at + 8])
    if kind != b"caBX": out += data[at:at + 12 + n]
    at += 12 + n
open(sys.argv[1], "wb").write(out)
P
expect 0 "a file that lost its credentials" "$bs" audit "$work/f" "$work/s" --json
rules "is a note" file.stripped
about "on that file" file.stripped dots-3.png
fault
cp "$work/f/dots-1.png" "$work/f/again.png"
expect 0 "a copy" "$bs" audit "$work/f" "$work/s" --json
rules "is a note" file.twice
check "with both files" jq -e '.findings[0].files | length == 2' "$work/out"
fault
pnm | pnmflip -tb | pnmtopng >"$work/f/stranger.png"
expect 2 "a file that the ledger does not know" "$bs" audit "$work/f" "$work/s" --json
rules "is the only finding" file.no-entry
about "in that file" file.no-entry stranger.png
fault
head -c 300 "$work/p/dots-4.png" >"$work/f/dots-4.png"
expect 4 "a torn file" "$bs" audit "$work/f" "$work/s" --json
rules "is found, and the picture missed" "entry.no-file file.unreadable"
rm "$work/f/dots-4.png"
expect 0 "a file that is missing" "$bs" audit "$work/f" "$work/s" --json
rules "is a note" entry.no-file
check "with its entry" jq -e '.findings[0].entries == [5]' "$work/out"
fault
"$bs" init --home "$work/eve" --author "Eve Example" --no-passphrase >/dev/null
expect 6 "signers that nobody vouches for" "$bs" audit "$work/f" "$work/s" --json --ledger "$work/home/ledger.sqlite" --home "$work/eve"
rules "are found" file.signer
check "file by file" jq -e '.summary.rules["file.signer"] == 5' "$work/out"

# ---- marks against training ----
"$bs" gen -m dots --seed 9 --size 48x48 --no-train -o "$work/s" >/dev/null
"$bs" gen -m warm --input "$work/s/dots-9.png" -o "$work/s" >/dev/null
expect 6 "an input that forbids training" "$bs" audit "$work/p" "$work/s" --skip model --json
rules "is the only finding" input.forbidden
about "in that file" input.forbidden dots-9.png
check "with its own entry and that of its use" jq -e '.findings[0].entries == [7, 8]' "$work/out"
expect 2 "a model that was not added" "$bs" audit --rule model --json
rules "has neither card nor licence" "model.no-card model.no-licence"

# ---- withdrawn ----
"$bs" withdraw "$work/p/dots-2.png" --reason "the sitter asked" >/dev/null
expect 6 "a withdrawn picture that is still there" "$bs" audit "$work/p" "$work/s" --skip model --skip input --json
rules "is the only finding" file.withdrawn
check "with the reason" jq -e '.findings[0].words | test("Ada Example .*the sitter asked")' "$work/out"
mv "$work/p/dots-2.png" "$work/away.png"
expect 0 "its file is not missed" "$bs" audit "$work/p" "$work/s" --skip model --skip input --json
rules "once it is gone" ""
mv "$work/away.png" "$work/p/dots-2.png"

# ---- two authors ----
"$bs" init --home "$work/ben" --author "Ben Example" --no-passphrase >/dev/null
"$bs" gen --home "$work/ben" -m dots --seed 1 --size 48x48 -o "$work/b" >/dev/null
"$bs" key export --home "$work/ben" -o "$work/ben.pem"
"$bs" ledger export "$work/ben-ledger" --home "$work/ben" >/dev/null
tail -n 1 "$work/ben-ledger/entries.jsonl" >"$work/one"
"$bs" key admit "$work/ben.pem" >/dev/null && "$bs" ledger add "$work/one" >/dev/null
expect 6 "a picture that two authors claim" "$bs" audit --rule claim --json
rules "breaks two rules" "claim.controls claim.picture"
check "with both entries" jq -e 'all(.findings[]; .entries[0] == 2 and (.entries | length) == 2)' "$work/out"

# ---- the ledger ----
cp "$work/home/ledger.sqlite" "$work/forged.sqlite"
sqlite3 "$work/forged.sqlite" "UPDATE record SET seed = '5' WHERE entry = 2"
expect 3 "what ledger verify finds" "$bs" audit --ledger "$work/forged.sqlite" --rule ledger --json
check "by reference to its rule" jq -e '.findings[0].rule == "ledger" and .findings[0].detail == "record.content" and .findings[0].entries == [2]' "$work/out"
cp -r "$work/eve" "$work/swapped"
cp "$work/home/ledger.sqlite" "$work/home/ledger.sqlite-checkpoint" "$work/swapped"
expect 3 "a ledger put in the place of home's own" "$bs" audit --home "$work/swapped" --rule ledger --json
check "is not that of the identity" jq -e '[.findings[].detail] == ["log.key"] and .findings[0].entries == []' "$work/out"
"$bs" key show --json | jq -r .log_key >"$work/vkey"
expect 0 "another's ledger with the key that is known" "$bs" audit --home "$work/eve" --ledger "$work/home/ledger.sqlite" --log-key "$work/vkey" --rule ledger
expect 0 "or beside keys of other logs" "$bs" audit --home "$work/eve" --ledger "$work/ben/ledger.sqlite" --log-key "$work/vkey" --rule ledger
head -c 5000 "$work/home/ledger.sqlite" >"$work/torn.sqlite"
expect 4 "a ledger that is none" "$bs" audit --ledger "$work/torn.sqlite"

# ---- choice ----
expect 0 "all that is found is skipped" "$bs" audit --skip claim --skip model
expect 0 "one rule of a family" "$bs" audit --rule time.gap
expect 1 "an unknown rule" "$bs" audit --rule file.altred
hints "names the near one" 'did you mean file\.altered'
expect 1 "an unknown rule to skip" "$bs" audit --skip everything
expect 0 "the list" "$bs" audit --list
check "is that of the written format" bash -c "sed -n 's/^| \`\([a-z.-]*\)\` | \(error\|warning\|note\) .*/\1/p' '$root/schema/README.md' | diff - <(tail -n +2 '$work/out' | cut -d' ' -f1)"
expect 4 "a folder that is not there" "$bs" audit "$work/nothere"
mkdir "$work/empty"
expect 1 "a folder without pictures" "$bs" audit "$work/empty"

# ---- reports ----
fault
bad=$'<b>\e[31m"&\'.png'
pnm | pnmflip -tb | pnmtopng >"$work/f/$bad"
cd "$work/reports" || exit 1
expect 2 "with reports" "$bs" audit "$work/f" --html a.html --sarif a.sarif
cd "$root" || exit 1
check "hostile names are harmless on the terminal" sh -c "! grep -q \$(printf '\\033') '$work/out'"
check "and in the page" sh -c "! grep -qE '<b>|<script|\$(printf '\\033')' '$work/reports/a.html' && grep -q '&lt;b&gt;' '$work/reports/a.html'"
check "which fetches nothing" sh -c "! grep -qE '(src|href)=\"[^d#]' '$work/reports/a.html'"
check "and shows the pictures" grep -q 'src="data:image/jpeg;base64,' "$work/reports/a.html"
check "SARIF has all rules, and a result a finding" jq -e '.version == "2.1.0" and (.runs[0].tool.driver.rules | length) > 20 and
    (.runs[0] as $r | all($r.results[]; .ruleId == $r.tool.driver.rules[.ruleIndex].id and (.message.text | length) > 10))' "$work/reports/a.sarif"
check "with the file as a URI" jq -e '[.runs[0].results[].locations[0].physicalLocation.artifactLocation.uri // empty] | any(endswith("%3Cb%3E%1B%5B31m%22%26%27.png"))' "$work/reports/a.sarif"
same "as many as the table tells" "$(jq '.runs[0].results | length' "$work/reports/a.sarif")" "$("$bs" audit "$work/f" --json | jq '.findings | length')"
expect 1 "existing reports stay" "$bs" audit "$work/f" --html "$work/reports/a.html"
hints "unless forced" '--force'
expect 2 "forced" "$bs" audit "$work/f" --html "$work/reports/a.html" --force
expect 5 "a folder that cannot be written" "$bs" audit --rule time --html "$work/nothere/a.html"
expect 0 "several at once tell the same in the same order" "$bs" audit "$work/f" --rule time --jobs 3
"$bs" audit "$work/f" "$work/p" --json --jobs 1 >"$work/one.json"
"$bs" audit "$work/f" "$work/p" --json --jobs 3 >"$work/three.json"
check "whatever the number of threads" cmp "$work/one.json" "$work/three.json"
expect 5 "a full disk" sh -c "'$bs' audit --json >/dev/full"
exit $status
