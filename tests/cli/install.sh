#!/usr/bin/env bash
# make install: the binary works without the source tree, and a program builds against the library by pkg-config.
set -u
BUILD=${BUILD:-$PWD/build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
check() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >"$work/log" 2>&1; then echo "ok $name"; else echo "not ok $name"; sed 's/^/# /' "$work/log"; status=1; fi
}

check "install into a prefix" make -s BUILD="$BUILD" PREFIX="$work/usr" install
cd "$work" || exit 1
export BLINDSTAMP_HOME=$work/home PKG_CONFIG_PATH=$work/usr/lib/pkgconfig LD_LIBRARY_PATH=$work/usr/lib
check "installed binary says its version" usr/bin/blindstamp --version
check "installed binary finds the bundled model" sh -c 'usr/bin/blindstamp models --json | jq -e "length >= 1"'
check "installed binary makes a verified picture" sh -c '
    m=$(usr/bin/blindstamp models --json | jq -r ".[0].name") &&
    usr/bin/blindstamp init --author "Ada Example" --no-passphrase &&
    usr/bin/blindstamp gen -m "$m" --seed 7 --size 128x128 -o out &&
    usr/bin/blindstamp verify --replay out'

cat >user.c <<'E2'
#include <stdio.h>
#include <blindstamp/audit.h>
int main(void)
{
    uint8_t digest[BST_SHA256_LEN];
    char hex[BST_SHA256_HEX];
    bst_sha256("abc", 3, digest);
    bst_hex(digest, sizeof digest, hex);
    puts(hex);
    struct bst_verdict verdict;
    struct bst_error err;
    struct bst_verify_options options = {0};
    return bst_verify("user.c", &options, &verdict, &err) == BST_OK ? (bst_verdict_clear(&verdict), 0) : 0;
}
E2
check "a program builds against the shared library" sh -c '
    cc -Iusr/include user.c $(pkg-config --cflags --libs blindstamp) -o shared && ./shared | grep -q ^ba7816bf'
check "a program builds against the static library" sh -c '
    cc -Iusr/include user.c $(pkg-config --cflags blindstamp) usr/lib/libblindstamp.a \
       $(pkg-config --static --libs blindstamp | sed s/-lblindstamp//) -o static && env -u LD_LIBRARY_PATH ./static | grep -q ^ba7816bf'
check "the shared library shows public names only" sh -c '
    nm -D --defined-only usr/lib/libblindstamp.so | awk "{print \$3}" >names && grep -q "^bst_verify$" names && ! grep -v "^bst_" names'
check "the man page is readable" sh -c 'gzip -n <usr/share/man/man1/blindstamp.1 | gzip -d | grep -q "^\.TH BLINDSTAMP"'
cd - >/dev/null || exit 1
check "uninstall leaves no file" sh -c "make -s BUILD='$BUILD' PREFIX='$work/usr' uninstall && test -z \"\$(find '$work/usr' ! -type d)\""
exit $status
