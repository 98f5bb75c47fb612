#!/bin/sh
# Puts programs that `portsup init --from` converts files of into build/convert-tools, for `make test-convert`:
# those of PyPI in an environment of their own, those of npm by the Node.js of .venv. One that cannot be installed is
# a warning, and its tests are skipped.
set -u
cd "$(dirname "$0")/.."
tools=$PWD/build/convert-tools
missing=

if ! [ -x "$tools/python/bin/supervisord" ]; then
    rm -rf "$tools/python"
    mkdir -p "$tools"
    if ! { .venv/bin/python -m venv --without-pip "$tools/python" &&
        if command -v uv; then uv pip install --python "$tools/python/bin/python" honcho==2.0.0 supervisor==4.3.0 circus==0.19.0 'setuptools<81'
        else python3 -m pip --python "$tools/python/bin/python" install --disable-pip-version-check \
            honcho==2.0.0 supervisor==4.3.0 circus==0.19.0 'setuptools<81'; fi; } >"$tools/python.log" 2>&1; then
        missing="$missing honcho supervisor"
    fi
fi

if ! cmp -s tests/convert/npm/package-lock.json "$tools/npm/installed.json"; then
    mkdir -p "$tools/npm"
    cp tests/convert/npm/package.json tests/convert/npm/package-lock.json "$tools/npm/"
    if (PATH="$PWD/.venv/bin:$PATH" && cd "$tools/npm" && npm ci --no-audit --no-fund --loglevel=error) >"$tools/npm.log" 2>&1; then
        cp tests/convert/npm/package-lock.json "$tools/npm/installed.json"
    else
        missing="$missing pm2 mprocs"
    fi
fi

for name in $missing; do
    printf 'warning: cannot install `%s`: its files are not run side by side (see %s/*.log)\n' "$name" "$tools" >&2
done
