#!/usr/bin/env bash
# Installs the Debian packages whose programs the tests drive, those that are missing; as root.
set -euo pipefail

# Programs that tests drive, and the Debian packages they come from.
declare -A packages=([gcc]="gcc libc6-dev" [make]=make [ps]=procps [zsh]=zsh [fish]=fish [groff]=groff-base
    [nginx]=nginx-light [redis-server]=redis-server [memcached]=memcached [haproxy]=haproxy [lighttpd]=lighttpd [node]=nodejs
    [java]=default-jdk-headless [etcd]=etcd-server [bwrap]="bubblewrap libseccomp2" [espeak-ng]=espeak-ng [chromium]=chromium [tmux]=tmux
    [systemd-analyze]=systemd [systemd-nspawn]=systemd-container [pg_ctlcluster]=postgresql [php-fpm8.2]=php-fpm
    [g++]=g++ [go]=golang-go [authbind]=authbind [caddy]=caddy [mariadbd]=mariadb-server [epmd]=erlang-base [ruby]=ruby [rg]=ripgrep
    [debootstrap]=debootstrap)
PATH=$PATH:/usr/sbin:/sbin
missing=()
for program in "${!packages[@]}"; do
    command -v "$program" >/dev/null || missing+=(${packages[$program]})
done
[[ -e /usr/include/boost/asio.hpp ]] || missing+=(libboost-dev)
# The kernel's headers of the other architecture that the handoff knows.
case $(uname -m) in x86_64) other=aarch64-linux-gnu/arm64 ;; *) other=x86_64-linux-gnu/amd64 ;; esac
[[ -e /usr/${other%/*}/include/asm/unistd.h ]] || missing+=("linux-libc-dev-${other#*/}-cross")
if ((${#missing[@]})); then
    if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
        echo "error: the tests need what these Debian packages have: ${missing[*]}" >&2
        exit 1
    fi
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
        cat "$log" >&2
        exit 1
    fi
fi
