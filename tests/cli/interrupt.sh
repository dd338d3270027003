#!/usr/bin/env bash
# Ctrl-C in a batch of 1000, and kill -9: what is complete is delivered, of the rest nothing is left.
. tests/cli/helpers.bash
models
identity
out=$work/out.d

# Bash lets background jobs ignore SIGINT; env gives it back its meaning.
start() { env --default-signal=INT "$bs" gen -m dots --seed "$1" --size 640x480 -o "$out" "${@:2}" >"$work/out" 2>"$work/err" & pid=$!; }
pictures() { find "$out" -name '*.png' ! -name '.*' 2>/dev/null | wc -l; }
wait_for() { # NUMBER: of pictures, at most 20 s
    local n=0
    while [ "$(pictures)" -lt "$1" ] && [ $n -lt 200 ]; do sleep 0.1; n=$((n + 1)); done
}

start 1-1000
wait_for 1
kill -INT $pid
wait $pid
same "Ctrl-C ends with exit code" $? 5
n=$(pictures)
check "some pictures were made ($n), not all" sh -c "[ $n -ge 1 ] && [ $n -lt 1000 ]"
hints "it says how many" "interrupted: $n of 1000"
same "nothing half-written" "$(find "$out" -name '.*' -type f | wc -l)" 0
same "the ledger knows exactly these" "$("$bs" query --kind generation --count)" "$n"
expect 0 "the ledger is whole" "$bs" ledger verify
expect 0 "every picture verifies" "$bs" verify -q "$out"

rm -rf "$out"
start 2001-3000
sleep 0.4
kill -TERM $pid
wait $pid
same "SIGTERM does the same" $? 5
hints "in words" 'interrupted'
same "nothing half-written then" "$(find "$out" -name '.*' -type f 2>/dev/null | wc -l)" 0

before=$("$bs" query --kind generation --count)
rm -rf "$out"
start 3001-4000
wait_for 1
kill -KILL $pid
wait $pid 2>/dev/null
expect 0 "the ledger is whole after kill -9" "$bs" ledger verify
bad=0
for f in "$out"/*.png; do "$bs" verify -q "$f" >/dev/null || bad=$((bad + 1)); done
same "every file that stands under its name verifies" $bad 0
check "no picture stands without its entry" test $(("$("$bs" query --kind generation --count)" - before)) -ge "$(pictures)"
expect 0 "and the next run works" "$bs" gen -m dots --seed 5001 -o "$out"
exit $status
