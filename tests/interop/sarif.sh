#!/usr/bin/env bash
# The findings of "blindstamp audit --sarif" before the schema of SARIF 2.1.0 as Microsoft's package carries it, by a JSON Schema
# validator (npm, pinned; fetched once into the build folder); and that it does refuse what is wrong.
BUILD=${BUILD:-$PWD/build}
npm=$BUILD/sarif
packages=(ajv@8.20.0 ajv-formats@3.0.1)
carrier=@microsoft/sarif-multitool-linux@5.7.0
skip() { echo "ok sarif # SKIP $1"; exit 0; }
command -v node >/dev/null && command -v npm >/dev/null || skip "node and npm are not installed"
[ -x "$BUILD/bin/blindstamp" ] || skip "the program is not built"
mkdir -p "$npm"
if [ ! -d "$npm/node_modules/ajv-formats" ]; then
    echo '{"private": true}' >"$npm/package.json"
    (cd "$npm" && npm install --ignore-scripts --no-audit --no-fund --save-exact "${packages[@]}") >"$npm/log" 2>&1 || skip "npm cannot fetch ${packages[*]}"
fi
if [ ! -s "$npm/sarif-2.1.0.json" ]; then # of the whole package the schema alone is kept
    (cd "$npm" && npm pack --silent "$carrier" && tar -xzf microsoft-sarif-multitool-linux-*.tgz --strip-components=1 package/sarif-2.1.0.json) >"$npm/log" 2>&1 ||
        skip "npm cannot fetch $carrier"
    rm -f "$npm"/microsoft-sarif-multitool-linux-*.tgz
fi

. tests/cli/helpers.bash
models
identity
"$bs" gen -m dots --seed 1-3 --size 48x48 -q -o "$work/p" >/dev/null
printf x >>"$work/p/dots-1.png"
cp "$work/p/dots-2.png" "$work/p/"$'again <\e[31m&\xff.png'
head -c 200 "$work/p/dots-3.png" >"$work/p/dots-3.png.png"
sqlite3 "$work/home/ledger.sqlite" "UPDATE record SET seed = '5' WHERE entry = 2"
expect 3 "findings of every kind of evidence" "$bs" audit "$work/p" --sarif "$work/a.sarif" --json
check "there are such: files, entries, rules of rules" jq -e '.findings | any(.files | length > 1) and any(.entries | length > 0) and any(.detail)' "$work/out"
expect 2 "and of a ledger alone" "$bs" audit --sarif "$work/b.sarif" --rule model
expect 0 "and no finding" "$bs" audit --sarif "$work/c.sarif" --rule time
jq '.runs[0].results[0].level = "bad"' "$work/a.sarif" >"$work/d.sarif"
jq '.runs[0].tool.driver.rules[0].shortDescription = "bare"' "$work/a.sarif" >"$work/e.sarif"
NODE_PATH=$npm/node_modules node - "$npm/sarif-2.1.0.json" "$work" >"$work/verdicts" 2>"$work/err" <<'JS'
const fs = require('fs'), Ajv = require('ajv/dist/2020'), formats = require('ajv-formats');
const ajv = new Ajv({ strict: false, allErrors: true });
formats(ajv);
const validate = ajv.compile(JSON.parse(fs.readFileSync(process.argv[2])));
for (const name of ['a', 'b', 'c', 'd', 'e']) {
    const valid = validate(JSON.parse(fs.readFileSync(`${process.argv[3]}/${name}.sarif`)));
    console.log(name, valid);
    if (!valid && name < 'd') console.error(name, JSON.stringify(validate.errors.slice(0, 5)));
}
JS
same "ours hold, and what was broken does not" "$(tr '\n' ' ' <"$work/verdicts")" "a true b true c true d false e false "
[ "$status" = 0 ] || sed 's/^/# /' "$work/err"
exit $status
