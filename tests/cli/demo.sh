#!/usr/bin/env bash
# The demonstration behind make demo runs to its end on the bundled model, and says what it promises.
. tests/cli/helpers.bash
unset BLINDSTAMP_MODELS BLINDSTAMP_HOME
export TMPDIR=$work

expect 0 "demo" cli/demo "$bs"
cp "$work/out" "$work/said"
says "shows each command" '^\$ blindstamp gen -m '
says "replays a picture" 'made again pixel for pixel'
says "verifies all" '^[0-9]+ files: [0-9]+ verified$'
says "catches the forged copy" 'the pixels are not those that were signed'
says "checks the ledger" '^intact: '
sed -n '/Pictures worth a look/,$p' "$work/said" | grep '\.png$' >"$work/pictures"
check "names pictures" test "$(wc -l <"$work/pictures")" -ge 3
missing=$(while read -r f; do [ -s "$f" ] || echo "$f"; done <"$work/pictures")
same "that are there" "$missing" ""
same "and touches no home of a person" "$(find "$HOME" -type f)" ""
exit $status
