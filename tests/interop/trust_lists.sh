#!/usr/bin/env bash
# The trust lists as c2patool ships them (anchors, allowed certificates, key usages): they are taken in as they are.
set -u
BUILD=${BUILD:-$PWD/build}
bs=$BUILD/bin/blindstamp
skip() { echo "ok trust_lists # SKIP $1"; exit 0; }
command -v cargo >/dev/null || skip "cargo is not installed"
[ -x "$bs" ] || skip "$bs is not built"
export CARGO_HOME=$BUILD/peers/cargo RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
mkdir -p "$CARGO_HOME"
# A crate's sources come along when cargo is asked about it.
ls -d "$CARGO_HOME"/registry/src/*/c2patool-0.27.22 >/dev/null 2>&1 || (cd "$CARGO_HOME" && cargo info -q c2patool@0.27.22) >/dev/null 2>&1
sample=$(ls -d "$CARGO_HOME"/registry/src/*/c2patool-0.27.22/sample 2>/dev/null | head -n 1)
[ -d "$sample" ] || skip "cargo cannot fetch c2patool"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BLINDSTAMP_HOME=$work/home
status=0
check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >"$work/out" 2>&1; then echo "ok $name"; else echo "not ok $name"; sed 's/^/# /' "$work/out"; status=1; fi
}
"$bs" init --author "Ada Example" --no-passphrase >"$work/out" 2>&1
check "anchors" "$bs" trust add "$sample/trust_anchors.pem"
check "allowed certificates" "$bs" trust add --allowed "$sample/allowed_list.pem"
check "key usages" "$bs" trust add "$sample/store.cfg"
"$bs" trust list --json >"$work/list"
count() { jq -r --arg name "$1" ".[] | select(.name == \$name) | .$2" "$work/list"; }
check "every certificate and usage of theirs is in the list" test \
    "$(count trust_anchors.pem anchors) $(count allowed_list.pem allowed) $(count store.cfg key_usages)" = \
    "$(grep -c BEGIN "$sample/trust_anchors.pem") $(grep -c BEGIN "$sample/allowed_list.pem") $(grep -c '^[0-9][0-9.]*$' "$sample/store.cfg")"
check "the reference's own picture is of a signer whom its list trusts" \
    sh -c "'$bs' verify '$sample/C.jpg' | grep -E 'signer, .*, is trusted here'"
exit $status
