"""An image with portsup in it, made of files of this machine: Python, a shell, curl, and what they are linked with."""

import importlib.util
import io
import os
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

from tests.support.running import ROOT

PYTHON = os.path.realpath(sys.executable)
PROGRAMS = ("bash", "dash", "env", "cat", "sleep", "curl")
NEEDED = ("portalocker", "psutil", "yaml", "_yaml", "shtab", "structlog")
LEFT_OUT = {"test", "tests", "site-packages", "dist-packages", "__pycache__", "idlelib", "ensurepip", "tkinter"}
PORTSUP = f"""#!{PYTHON}
import sys
sys.path.insert(0, "/opt/portsup")
from supervisor.cli.main import main
sys.exit(main())
"""


def write_image(path: Path) -> None:
    """The files of the image, as an archive."""
    library = sysconfig.get_path("stdlib")
    programs = [PYTHON, *(f"/usr/bin/{name}" for name in PROGRAMS)]
    modules = [str(each) for each in Path(library, "lib-dynload").glob("*.so")]
    with tarfile.open(path, "w") as archive:
        for name, target in (("bin", "usr/bin"), ("sbin", "usr/sbin"), ("lib", "usr/lib"), ("lib64", "usr/lib64")):
            _add_link(archive, name, target)
        _add_link(archive, "usr/bin/sh", "dash")
        if PYTHON != "/usr/bin/python3":
            _add_link(archive, "usr/bin/python3", PYTHON)
        for file in sorted({*programs, *_linked([*programs, *modules])}):
            whole = os.path.join(os.path.realpath(os.path.dirname(file)), os.path.basename(file))
            archive.add(os.path.realpath(file), whole, filter=_readable)
        archive.add(library, filter=_readable)
        for name in NEEDED:
            found = importlib.util.find_spec(name)
            assert found is not None
            assert found.origin is not None
            place = Path(found.origin)
            place = place.parent if place.name == "__init__.py" else place
            archive.add(place, f"opt/portsup/{place.name}", filter=_readable)
        archive.add(ROOT / "supervisor", "opt/portsup/supervisor", filter=_readable)
        _add_text(archive, "usr/bin/portsup", PORTSUP, 0o755)
        _add_text(archive, "etc/passwd", "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
        _add_text(archive, "etc/group", "root:x:0:\nnogroup:x:65534:\n")
        _add_text(archive, "app/hello", "hello\n")
        for name in ("tmp", "run"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
            archive.addfile(folder)


def _readable(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if LEFT_OUT & {*Path(info.name).parts} else info


def _linked(files: list[str]) -> set[str]:
    told = subprocess.run(["ldd", *files], capture_output=True, text=True, timeout=60).stdout
    return {word for line in told.splitlines() for word in line.split() if word.startswith("/") and word[-1] != ":"}


def _add_link(archive: tarfile.TarFile, name: str, target: str) -> None:
    link = tarfile.TarInfo(name)
    link.type, link.linkname = tarfile.SYMTYPE, target
    archive.addfile(link)


def _add_text(archive: tarfile.TarFile, name: str, text: str, mode: int = 0o644) -> None:
    file = tarfile.TarInfo(name)
    file.size, file.mode = len(text.encode()), mode
    archive.addfile(file, io.BytesIO(text.encode()))
