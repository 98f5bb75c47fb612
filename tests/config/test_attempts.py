"""First attempts of people who come from other programs: one report says all that is needed to mend each.

`attempts/NAME.yaml` is what they write, `NAME.txt` what `portsup config check` says to it, in full, and
`NAME.mended.yaml` the file after the hints were followed, and nothing else was done.
"""

from pathlib import Path

import pytest

from supervisor.cli.complaint import complain
from supervisor.config.load import load
from supervisor.errors import ConfigError

HERE = Path(__file__).parent / "attempts"
NAMES = sorted(path.stem for path in HERE.glob("*.txt"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".env").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_are_attempts() -> None:
    assert len(NAMES) >= 12


@pytest.mark.parametrize("name", NAMES)
def test_the_report_is_complete(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "services.yaml"
    file.write_bytes((HERE / f"{name}.yaml").read_bytes())
    with pytest.raises(ConfigError) as caught:
        load(file, {"HOME": "/home/ada"}, ephemeral=())
    complain(caught.value, ["--color", "never"])
    assert capsys.readouterr().err == (HERE / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_follows_the_hints_is_fine(name: str, folder: Path) -> None:
    file = folder / "services.yaml"
    file.write_bytes((HERE / f"{name}.mended.yaml").read_bytes())
    assert load(file, {"HOME": "/home/ada"}, ephemeral=()).services
