#!/usr/bin/env bash
# tests/venv.sh NAME PACKAGE==VERSION... - prints the python of a virtual environment with these packages, made once
# in the build folder. Fails, with a reason on standard error, where it cannot be had.
set -u
venv=${BUILD:-$PWD/build}/venv-$1
shift
command -v python3 >/dev/null || { echo "python3 is not installed" >&2; exit 1; }
if [ "$(cat "$venv/packages" 2>/dev/null)" != "$*" ]; then
    rm -rf "$venv"
    { python3 -m venv "$venv" && "$venv/bin/pip" install -q --no-input --disable-pip-version-check --no-deps "$@"; } >"$venv.log" 2>&1 ||
        { echo "pip cannot fetch $*" >&2; exit 1; }
    echo "$*" >"$venv/packages"
fi
echo "$venv/bin/python"
