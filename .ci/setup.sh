#!/bin/sh
# Puts this project and the extras named in $1 into .venv, in the versions of uv.lock; the Makefile calls it.
# With `lowest` as $2 the oldest versions that pyproject.toml allows are taken instead.
set -eu
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}

give_up() {
    printf 'error: cannot set up %s: %s\n\nhint: %s\n' "$venv" "$1" "$2" >&2
    exit 1
}

python=
for name in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$name
        break
    fi
done
[ -n "$python" ] || give_up 'no Python 3.11 or newer on the PATH' 'on Debian and Ubuntu: apt install python3 python3-pip'

# A .venv whose interpreter is gone, as after an upgrade of the system, is made anew.
if ! "$venv/bin/python" -c '' 2>/dev/null; then
    rm -rf "$venv"
    # Without pip on purpose: it makes the environment faster, and Debian's python3-venv is not needed.
    "$python" -m venv --without-pip "$venv" ||
        give_up "\`$python -m venv\` does not work" 'on Debian and Ubuntu: apt install python3-venv'
fi

printf 'setting up %s\n' "$venv" >&2
if [ "${2:-}" = lowest ]; then
    "$python" .ci/versions.py lowest >"$venv/versions.txt"
else
    "$python" .ci/versions.py locked >"$venv/versions.txt"
fi
if command -v uv >/dev/null; then
    uv pip install --quiet --python "$venv/bin/python" --constraint "$venv/versions.txt" --editable ".[$1]"
elif "$python" -m pip --version >/dev/null 2>&1; then
    "$python" -m pip --python "$venv/bin/python" install --quiet --disable-pip-version-check \
        --constraint "$venv/versions.txt" --editable ".[$1]" ||
        give_up 'pip could not install the dependencies' 'the lines above tell why; run the same command again once it is mended'
else
    give_up "$python has neither pip nor uv" 'on Debian and Ubuntu: apt install python3-pip'
fi
