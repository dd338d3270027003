#!/usr/bin/env bash
# Help, version, and the ways to mistype; and that man page and completion know every command and option.
. tests/cli/helpers.bash

expect 0 "version" "$bs" --version
says "version names the arithmetic" '^blindstamp [0-9]+\.[0-9]+\.[0-9]+ \(blindstamp-arith/[0-9]+\)$'
expect 0 "help" "$bs" help
expect 1 "no command" "$bs"
expect 1 "unknown command" "$bs" verfy
hints "the near command is suggested" 'did you mean "blindstamp verify"'
expect 1 "unknown command, nothing near" "$bs" frobnicate
expect 1 "help on an unknown command" "$bs" help gne
hints "the near command is suggested in help" 'blindstamp gen'

"$bs" help >"$work/all"
verbs=$(sed -n 's/^  \([a-z]*\)  *[a-z].*/\1/p' "$work/all" | grep -v blindstamp | sort -u)
same "twenty commands" "$(echo "$verbs" | wc -w)" 20
help_options() {
    sed -n '/^options:/,/^example:/{s/^  \(-.\), \(--[a-z-]*\).*/\1\n\2/p; s/^      \(--[a-z-]*\).*/\1/p}' | sort -u
}
completion_options() { # COMMAND: those of its own line, and the common ones
    sed -n "s/^    $1) options=\"\(.*\)\" ;;$/\1/p; s/^    local common=\"\(.*\)\"$/\1/p" "$root/cli/blindstamp.bash" |
        tr -s ' ' '\n' | sed '/^$/d' | sort -u
}
man_options() { # COMMAND: the tags in the sections that name it, and in that of all commands
    sed 's/\\-/-/g' "$root/cli/blindstamp.1" | awk -v verb="$1" '
        /^\.SH/ { mine = / OF EVERY COMMAND$/ || (/^\.SH OPTIONS OF / && (" " $0 " ") ~ ("[ ,]" toupper(verb) "[ ,]")) }
        mine && tag { print }
        { tag = $0 == ".TP" }' | grep -oE -- '(^|[ "])--?[a-z][a-z-]*' | tr -d ' "' | sort -u
}
for v in $verbs; do
    expect 0 "help $v" "$bs" help "$v"
    says "help $v has an example" '^example:'
    cp "$work/out" "$work/help"
    expect 0 "$v --help" "$bs" "$v" --help
    same "help $v and $v --help agree" "$(cat "$work/help")" "$(cat "$work/out")"
    help_options <"$work/help" >"$work/options"
    same "completion knows the options of $v and no others" "$(completion_options "$v" | comm -3 - "$work/options")" ""
    same "man page knows all options of $v" "$(man_options "$v" | comm -13 - "$work/options")" ""
    expect 1 "$v refuses an unknown option" "$bs" "$v" --nonsense
    hints "$v says which option" "$v has no option --nonsense"
    expect 1 "$v refuses it in JSON too" "$bs" "$v" --json --nonsense
    check "$v tells the error as JSON" jq -e '.error.code == 1 and (.error.what | length > 0)' "$work/err"
done

expect 1 "mistyped option" "$bs" gen --sede 7
hints "the near option is suggested" 'did you mean --seed\?'
expect 1 "option without its value" "$bs" gen --seed
hints "the missing value is named" '--seed needs a value'
expect 1 "switch with a value" "$bs" verify --replay=yes x
expect 1 "too few operands" "$bs" verify
expect 1 "too many operands" "$bs" show a b
hints "the surplus word is named" '"b"'
expect 4 "-- ends the options" "$bs" show -- --json
hints "what follows is a file" '--json'
exit $status
