#!/bin/sh
# Puts the schemas of Kubernetes (119 MB) into build/export-tools, for `make test-exports`; without them its tests of
# manifests are skipped.
set -u
cd "$(dirname "$0")/.."
tools=$PWD/build/export-tools
wanted=kubernetes-validate==1.37.0
[ "$(cat "$tools/installed" 2>/dev/null)" = "$wanted" ] && exit
rm -rf "$tools"
mkdir -p "$tools"
if if command -v uv; then uv pip install --target "$tools/python" "$wanted"
    else python3 -m pip install --disable-pip-version-check --target "$tools/python" "$wanted"; fi >"$tools/python.log" 2>&1; then
    echo "$wanted" >"$tools/installed"
else
    echo "warning: cannot install $wanted: the manifests of Kubernetes are not checked (see $tools/python.log)" >&2
fi
