#!/usr/bin/env bash
# query: each filter alone and together, each form of answer.
. tests/cli/helpers.bash
models
identity
"$bs" gen -m dots --seed 1-5 --size 16x16 --title "Night sky" --prompt "stars, many; \"bright\" ones" -o "$work/p" >/dev/null
"$bs" gen -m dots --seed 6-7 --size 24x16 --title "Morgenröte" --description "a nebulous dawn" -o "$work/p" >/dev/null
"$bs" gen -m warm --input "$work/p/dots-1.png" -o "$work/p" >/dev/null

count() { # NAME NUMBER FILTERS...
    local name=$1 want=$2
    shift 2
    same "$name" "$("$bs" query --count "$@" 2>&1)" "$want"
    same "$name: as many are listed" "$("$bs" query --json "$@" | jq length)" "$want"
}
count "all" 9
count "generated pictures" 8 --kind generation
count "identity" 1 --kind identity
count "author by the beginning of the name" 9 --author ada
count "author by the whole name" 9 --author "Ada Example"
count "another author" 0 --author Bob
id=$("$bs" key show --json | jq -r .key_id)
count "author by key id" 9 --author "${id:0:12}"
count "model" 7 --model dots
count "model by the beginning of its name" 1 --model wa
digest=$(sha256sum <"$work/models/dots.onnx")
count "model by digest" 7 --model "${digest:0:16}"
count "model by digest in capitals" 7 --model "$(echo "${digest:0:16}" | tr a-f A-F)"
count "seed" 1 --seed 3
count "seed that nobody used" 0 --seed 18446744073709551615
count "word" 5 --text night
count "two words in different fields" 5 --text "bright night"
count "beginning of a word" 2 --text "nebul*"
count "a word that only begins so" 0 --text nebul
count "accents and case do not matter" 2 --text MORGENROTE
count "operators of the search language are just words" 0 --text 'night OR nebul*'
count "quotes and brackets do no harm" 5 --text '"(night'
count "since yesterday" 9 --since "$(date -u -d yesterday +%F)"
count "since tomorrow" 0 --since "$(date -u -d tomorrow +%F)"
count "until today, to its end" 9 --until "$(date -u +%F)"
count "until yesterday" 0 --until "$(date -u -d yesterday +%F)"
count "with a time and an offset" 9 --since "$(date -u -d '1 hour ago' +%FT%H:%M:%S+00:00)"
count "together" 1 --model dots --seed 3 --text night --author Ada --kind generation
count "together, contradicting" 0 --model warm --seed 3
hex=$(pixels "$work/p/dots-2.png")
count "pixels digest" 1 --digest "$hex"
count "its beginning" 1 --digest "${hex:0:10}"
count "file digest" 1 --digest "$("$bs" show --json "$work/p/dots-2.png" | jq -r .file.sha256_without_manifest)"
count "the file itself" 1 --digest "$work/p/dots-2.png"
same "is the right one" "$("$bs" query --digest "$work/p/dots-2.png" --json | jq -r '.[0].seed')" 2
count "image id" 1 --id "$("$bs" query --seed 4 --json | jq -r '.[0].image_id')"
count "made from a picture, the file itself" 1 --parent "$work/p/dots-1.png"
count "made from a picture, by its pixels" 1 --parent "$(pixels "$work/p/dots-1.png")"
count "a picture that nothing was made from" 0 --parent "$work/p/dots-2.png"
count "trained on what no model was trained on" 0 --trained-on "$work/p/dots-1.png"
count "privacy" 8 --privacy public
count "another privacy" 0 --privacy private
count "a model's licence" 7 --licence cc0-1.0
count "no licence stated, of what can have one" 1 --licence unknown
count "a licence that nothing has" 0 --licence CC0
count "no seed stated" 0 --seed unknown
count "the ledger as it was" 3 --as-of 3
same "sorted by seed" "$("$bs" query --model dots --sort seed --reverse --limit 2 --json | jq -c '[.[].seed]')" '["7","6"]'
same "sorted by size" "$("$bs" query --model dots --sort size --reverse --limit 2 --json | jq -c '[.[].entry]')" "[7,6]"
same "the next page" "$("$bs" query --limit 2 --after 5 --json | jq -c '[.[].entry]')" "[6,7]"
same "the next page, newest first" "$("$bs" query --limit 2 --after 5 --reverse --json | jq -c '[.[].entry]')" "[4,3]"
same "counted by kind" "$("$bs" query --count-by kind --json | jq -c 'map([.kind,.count])')" '[["generation",8],["identity",1]]'
same "counted by month" "$("$bs" query --kind generation --count-by month --json | jq -c '.[0].count')" 8
same "counted by licence, which is unknown" "$("$bs" query --count-by licence --json | jq -c 'map([.licence,.count])')" '[["CC0-1.0",7],["-",1],[null,1]]'
same "counted, as CSV" "$("$bs" query --count-by model --csv --limit 1 | tr -d '\r')" "model,id,count
dots,$(sha256sum <"$work/models/dots.onnx" | cut -c 1-64),7"
expect 0 "counted, as a table" "$bs" query --count-by author
says "names the author" '^9 +Ada Example +[0-9a-f]{16}'
expect 0 "counted, nothing there" "$bs" query --count-by month --csv --seed 77
same "has a head line" "$(tr -d '\r' <"$work/out")" "month,id,count"
same "limit, offset and order" "$("$bs" query --kind generation --reverse --limit 2 --offset 1 --json | jq -c '[.[].entry]')" "[7,6]"
same "order by entry" "$("$bs" query --json | jq -c '[.[].entry]')" "[0,1,2,3,4,5,6,7,8]"

expect 0 "table" "$bs" query --seed 6
says "has a head" '^ENTRY +KIND +TIME'
says "and an end" '^1 record$'
expect 0 "what is not said" "$bs" query --model warm
says "is unknown" 'unknown'
check "null in JSON" sh -c "'$bs' query --model warm --json | jq -e '.[0].title == null'"
expect 0 "CSV" "$bs" query --seed 1 --csv
printf 'entry,kind,' >"$work/want"
check "has a head line" sh -c "head -c 11 '$work/out' | cmp - '$work/want'"
says "quotes what needs quoting" '"stars, many; ""bright"" ones"'
same "ends lines as RFC 4180 says" "$(grep -c $'\r$' "$work/out")" 2
expect 0 "CSV of what is not said" "$bs" query --model warm --csv
says "is unknown, and never blank" ',unknown,'
same "no field is blank" "$(grep -cE ',,|,.$' "$work/out")" 0
expect 0 "CSV of what cannot be said" "$bs" query --kind identity --csv
says "is a dash" '^0,identity,.*,-,-,'
expect 0 "CSV of nothing" "$bs" query --seed 77 --csv
same "is the head line alone" "$(wc -l <"$work/out")" 1
expect 0 "JSON of nothing" "$bs" query --seed 77 --json
same "is an empty list" "$(cat "$work/out")" "[]"

expect 1 "a digest too short" "$bs" query --digest abc
expect 1 "neither file nor digest" "$bs" query --digest nothere.png
hints "says so" 'neither a file nor a digest'
expect 1 "a time that is none" "$bs" query --since yesterday
hints "shows how to write one" '2026-11-22'
expect 1 "a kind that is none" "$bs" query --kind picture
expect 1 "a seed that is none" "$bs" query --seed 1-5
expect 1 "a column that is none" "$bs" query --sort weather
hints "names those that are" 'entry, time, kind'
expect 1 "a group that is none" "$bs" query --count-by weather
hints "names those that are" 'author, model, kind'
expect 1 "a cursor in another order" "$bs" query --sort time --after 3
hints "names the way" '--as-of'
expect 1 "a level that is none" "$bs" query --privacy secret
expect 1 "two kinds of counts" "$bs" query --count --count-by kind
expect 1 "JSON and CSV" "$bs" query --json --csv
expect 1 "no word" "$bs" query --text " "
expect 5 "a full disk" sh -c "'$bs' query --json >/dev/full"

"$bs" gen -m dots --seed 50 --size 16x16 --title "$(printf 'wide 日本語')" -o "$work/p" >/dev/null
expect 0 "wide letters in a table" "$bs" query --seed 50
says "stand as they are" '日本語'
if command -v script >/dev/null; then
    "$bs" gen -m dots --seed 51 --size 16x16 --description "$(printf 'one\ntwo')" -o "$work/p" >/dev/null
    script -qec "'$bs' query --seed 51 --csv" /dev/null >"$work/out" </dev/null
    same "CSV on a terminal is one line a record" "$(grep -c . "$work/out")" 2
    same "and as it is in a file" "$("$bs" query --seed 51 --csv | grep -c .)" 3
fi
exit $status
