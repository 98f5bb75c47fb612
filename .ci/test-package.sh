#!/bin/sh
# Builds the wheel and the source distribution, checks them, installs the wheel by pipx and by uv into environments of
# their own, and with each starts a stack of two services and stops it.  Needs a package index; takes about two minutes.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
portsup=
finish() {
    [ -z "$portsup" ] || (cd "$work/shop" && "$portsup" down >/dev/null 2>&1) || true
    rm -rf "$work"
}
trap finish EXIT
trap "exit 143" INT TERM
python3 -m venv "$work/tools"
"$work/tools/bin/pip" install -q build twine pipx uv
"$work/tools/bin/python" -m build -o "$work/dist" . >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 1; }
"$work/tools/bin/twine" check --strict "$work"/dist/*
export PIPX_HOME="$work/pipx" PIPX_BIN_DIR="$work/by-pipx" UV_TOOL_DIR="$work/uv" UV_TOOL_BIN_DIR="$work/by-uv"
export PORTSUP_RUNTIME_DIR="$work/run" PORTSUP_STATE_DIR="$work/state"
"$work/tools/bin/pipx" install -q "$work"/dist/*.whl
"$work/tools/bin/uv" tool install -q "$work"/dist/*.whl
mkdir "$work/shop"
cd "$work/shop"
for way in by-pipx by-uv; do
    portsup=$work/$way/portsup
    "$portsup" --version
    rm -f services.yaml
    "$portsup" init 2>/dev/null
    "$portsup" config check
    cat >services.yaml <<'END'
services:
  api: {command: "python3 -m http.server --bind 127.0.0.1 {port}", pool: 25700-25702}
  web: {command: "python3 -m http.server --bind 127.0.0.1 {port}", pool: 25710-25712, depends_on: [api], ready: {http: /}}
END
    "$portsup" up -d --wait-timeout 60
    "$portsup" status
    "$portsup" down
done
echo "the package works, installed by pipx and by uv"
