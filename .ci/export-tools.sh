#!/bin/sh
# Puts what `make test-exports` needs into build/export-tools: the schemas of Kubernetes (119 MB), and, as root, a Debian
# in a directory (400 MB) with Podman, its quadlets, podman-compose and Docker Compose, which the tests run without
# installing them here. What cannot be had costs a warning, and its tests are skipped.
set -u
cd "$(dirname "$0")/.."
tools=$PWD/build/export-tools
mkdir -p "$tools"

wanted=kubernetes-validate==1.37.0
if [ "$(cat "$tools/installed" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$tools/python"
    if if command -v uv; then uv pip install --target "$tools/python" "$wanted"
        else python3 -m pip install --disable-pip-version-check --target "$tools/python" "$wanted"; fi >"$tools/python.log" 2>&1; then
        echo "$wanted" >"$tools/installed"
    else
        echo "warning: cannot install $wanted: the manifests of Kubernetes are not checked (see $tools/python.log)" >&2
    fi
fi

# Not in build/, where a checkout may be on a file system that takes no devices; one for all checkouts of this machine.
suite=trixie
machine=${EXPORT_MACHINE:-/var/cache/portsup-tests/$suite}
packages=podman,netavark,aardvark-dns,runc,catatonit,nftables,iproute2,podman-compose,docker-compose,curl
lacks() {
    echo "warning: $1: no containers are run" >&2
    exit 0
}
[ "$(cat "$machine/portsup-tests" 2>/dev/null)" = "$packages" ] && exit
[ "$(id -u)" = 0 ] || lacks "a Debian with Podman takes root"
command -v debootstrap >/dev/null || lacks "\`debootstrap\` is missing (\`make test-deps\` installs it)"
mkdir -p "$(dirname "$machine")"
new=$(mktemp -d "$machine.XXXXXX")
chmod 755 "$new"
if timeout 540 debootstrap --variant=minbase --include="$packages" "$suite" "$new" >"$tools/machine.log" 2>&1; then
    rm -rf "$new"/var/cache/apt/archives/*.deb "$new"/var/lib/apt/lists/*
    echo "$packages" >"$new/portsup-tests"
    rm -rf "$machine"
    mv "$new" "$machine"
else
    rm -rf "$new"
    lacks "\`debootstrap $suite\` does not work (see $tools/machine.log)"
fi
