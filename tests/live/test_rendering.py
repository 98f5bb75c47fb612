"""`render`: files that always tell where the services are."""

import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.live.conftest import Make
from tests.live.stack import SLEEPS, notes
from tests.support.eventually import eventually
from tests.support.ports import free_pool
from tests.support.running import program

pytestmark = pytest.mark.live

# Notes what it finds in `out`, and where it was told that the service is.
NOTE = "import os; open('ran', 'a').write(open('out').read() + ' ' + os.environ['PORTSUP_WEB_PORT'] + '\\n')"
FAILS = [sys.executable, "-c", "raise SystemExit(3)"]


def written(folder: Path, **files: str) -> None:
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text)


def test_a_file_follows_the_service_and_tells_whom_it_concerns(stack: Make, own_folders: Path) -> None:
    pool, told = free_pool(3), own_folders / "told"
    folder = own_folders / "p"
    written(folder, template="{url:web} {instance}", out="before", kept="{}")
    (folder / "out").chmod(0o640)
    (folder / "kept").chmod(0o600)
    services = {
        "web": {"command": program("listens"), "pool": list(pool)},
        "reader": notes(told),
    }
    command: dict[str, Any] = {"command": [sys.executable, "-c", NOTE]}
    signal = {"signal": {"service": "reader", "signal": "SIGHUP"}}
    live = stack(services, render=[
        {"template": "template", "to": "out", "on_change": command},
        {"template": "template", "to": "again", "on_change": command},
        {"template": "template", "to": "for-reader", "on_change": signal},
        {"template": "kept", "to": "same"},
    ])  # fmt: skip
    urls = [f"http://127.0.0.1:{port} 1" for port in pool]
    with live.up():
        assert (folder / "out").read_text() == (folder / "for-reader").read_text() == urls[0]
        assert stat.S_IMODE((folder / "out").stat().st_mode) == 0o640
        eventually(lambda: (folder / "ran").read_text() == f"{urls[0]} {pool[0]}\n")
        unchanged = (folder / "same").stat()
        assert stat.S_IMODE(unchanged.st_mode) == 0o600, "as its template"
        live.rotate("web")
        assert (folder / "out").read_text() == (folder / "for-reader").read_text() == urls[1]
        eventually(lambda: (folder / "ran").read_text().splitlines()[1:] == [f"{urls[1]} {pool[1]}"])
        # It was started after the file had been written the first time, so one signal.
        eventually(lambda: told.read_text().splitlines() == ["reader begins", "reader SIGHUP"])
        assert (folder / "same").stat() == unchanged

        written(folder / "new", template="{port:web}")
        live.write(services, render=[{"template": "new/template", "to": "new/out", "on_change": command}])
        shown = live.run("reload", "--dry-run").stdout
        assert "render" in shown
        assert not (folder / "new" / "out").exists()
        reloaded = live.run("reload")
        assert reloaded.returncode == 0, reloaded.stderr
        eventually(lambda: (folder / "new" / "out").read_text() == str(pool[1]))
        live.rotate("web")
        assert (folder / "new" / "out").read_text() == str(pool[2])
        assert (folder / "out").read_text() == urls[1]
        assert live.run("reload").stdout == "nothing has changed\n"
    assert (folder / "new" / "out").read_text() == str(pool[2])


def test_what_cannot_be_written_or_run_is_a_warning_and_nothing_more(stack: Make, own_folders: Path) -> None:
    pool = free_pool(3)
    folder = own_folders / "p"
    written(folder, template="{port:web}")
    slow = {"command": ["sleep", "1000"], "timeout": "50ms"}
    live = stack(
        {"web": {"command": program("listens"), "pool": list(pool)}, "job": SLEEPS},
        render=[
            {"template": "template", "to": "none/out"},
            {"template": "template", "to": "a", "on_change": {"command": FAILS}},
            {"template": "template", "to": "b", "on_change": {"command": "no-such-program"}},
            {"template": "template", "to": "c", "on_change": slow},
        ],
    )
    with live.up():
        (failed,) = live.journal("file not rendered")
        assert (failed["file"], failed["why"]) == (str(folder / "none" / "out"), "No such file or directory")
        eventually(lambda: len(live.journal("on_change failed")) == 3)
        whys = sorted(event["why"] for event in live.journal("on_change failed"))
        assert any("ended with exit code 3" in why for why in whys)
        assert any("no-such-program" in why for why in whys)
        assert "`sleep` did not answer within 0.05 s" in whys
        (folder / "none").mkdir()
        live.rotate("web")
        assert (folder / "none" / "out").read_text() == (folder / "a").read_text() == str(pool[1])
        assert len(live.journal("file not rendered")) == 1
        assert live.rows()["job"]["restarts"] == 0
