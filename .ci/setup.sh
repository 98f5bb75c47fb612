#!/bin/sh
# Puts this project and the extras named in $1 into .venv, in the versions of uv.lock; the Makefile calls it.
# The extras in $2, separated by spaces, are welcome: one that cannot be had costs a warning, and 1 at the very end
# if STRICT is set. Of `llm` the model is fetched too, and of `speech` the recognizer of many languages.
# With VERSIONS=lowest the oldest versions that pyproject.toml allows are taken instead.
set -eu
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}

give_up() {
    printf 'error: cannot set up %s: %s\n\nhint: %s\n' "$venv" "$1" "$2" >&2
    exit 1
}

python=
for name in python3 python3.14 python3.13 python3.12 python3.11; do
    # Whatever environment is active, this one among them, it is the Python below it: that has pip.
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        python=$("$name" -c 'import sys; print(sys._base_executable)')
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
"$python" .ci/versions.py "${VERSIONS:-locked}" >"$venv/versions.txt"
if command -v uv >/dev/null; then
    # pip compiles what it installs; without that the first start of the services would.
    install() {
        uv pip install --quiet --compile-bytecode --python "$venv/bin/python" \
            --constraint "$venv/versions.txt" --editable ".[$1]"
    }
elif "$python" -m pip --version >/dev/null 2>&1; then
    install() {
        "$python" -m pip --python "$venv/bin/python" install --quiet --disable-pip-version-check \
            --constraint "$venv/versions.txt" --editable ".[$1]"
    }
else
    give_up "$python has neither pip nor uv" 'on Debian and Ubuntu: apt install python3-pip'
fi

welcome=${2:-}
missing=
# All at once is quickest. When that does not work, what is needed comes first, then one after the other.
if ! { [ -n "$welcome" ] && install "$(echo "$1 $welcome" | tr ' ' ,)" 2>/dev/null; }; then
    install "$1" || give_up 'the dependencies cannot be installed' \
        'the lines above tell why; run the same command again once it is mended'
    for extra in $welcome; do
        install "$extra" 2>"$venv/$extra.log" || missing="$missing $extra"
    done
fi
case " $welcome " in
*' llm '*) "$venv/bin/python" -m examples.fetch_model >/dev/null 2>"$venv/model.log" || missing="$missing model" ;;
esac
case " $welcome " in
*' speech '*) "$venv/bin/python" -m examples.fetch_speech >/dev/null 2>"$venv/languages.log" || missing="$missing languages" ;;
esac
if [ -n "$missing" ]; then
    printf 'warning: the stack does without%s, which cannot be fetched (see %s/*.log); `make extras` tries again\n' \
        "$missing" "$venv" >&2
    [ -z "${STRICT:-}" ]
fi

# Programs from npm that tests drive, by the Node.js and npm that `dev` brings; in build/, so that nobody lints them.
programs=build/npm
case ",$1," in
*,dev,*)
    if ! cmp -s tests/npm/package-lock.json "$programs/installed.json"; then
        mkdir -p "$programs"
        cp tests/npm/package.json tests/npm/package-lock.json "$programs"
        if (PATH="$PWD/$venv/bin:$PATH" && cd "$programs" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) \
            >"$programs/npm.log" 2>&1; then
            cp tests/npm/package-lock.json "$programs/installed.json"
        elif [ -n "${CI:-}" ]; then
            cat "$programs/npm.log" >&2
            give_up 'the programs from npm cannot be installed' 'the lines above tell why'
        else
            printf 'warning: tests that drive programs from npm will be skipped (see %s/npm.log)\n' "$programs" >&2
            printf 'hint: `sh .ci/setup.sh stack,dev` tries again\n' >&2
        fi
    fi
    ;;
esac
