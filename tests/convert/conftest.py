"""A converted file, read back as portsup reads it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from supervisor.config.foreign import from_yaml
from supervisor.config.load import load
from supervisor.config.spec import StackSpec
from supervisor.convert.around import ALONE, Around
from supervisor.convert.demands import with_stand_ins
from supervisor.convert.draft import Outcome
from supervisor.convert.emit import document
from supervisor.convert.recognise import convert
from supervisor.convert.reconcile import reconcile

FILES = Path(__file__).parent / "files"
EPHEMERAL = range(32768, 61000)


def _against(path: str, is_folder: bool) -> str:
    return "" if is_folder else "is a folder" if path.startswith("/") and Path(path).is_dir() else "is missing"


class Converted:
    """A converted file: `text` of the services.yaml, the `stack` that it is, its `services` as they are written."""

    def __init__(
        self, kind: str, source: str, folder: Path, environ: dict[str, str] | None = None, around: Around = ALONE
    ) -> None:
        self.outcome: Outcome = convert(kind, f"source of {kind}", source, (), around)
        reconcile(self.outcome, EPHEMERAL, _against)
        self.left = {each.name: " | ".join(map(str, each.left)) for each in self.outcome.services}
        self.left_of_file = " | ".join(map(str, self.outcome.left))
        self.text = document(["made"], "", self.outcome.services, self.outcome.left, self.outcome.absent)
        known = with_stand_ins(self.text, environ or {})
        self.stack: StackSpec = load(folder / "services.yaml", known, ephemeral=EPHEMERAL, text=self.text)
        self.services: dict[str, dict[str, Any]] = from_yaml(self.text, "services.yaml")["services"]


@pytest.fixture
def converted(tmp_path: Path) -> Callable[..., Converted]:
    """Converts a text, or the fixture file of that kind."""
    names = {
        "procfile": "Procfile",
        "supervisord": "supervisord.conf",
        "compose": "docker-compose.yml",
        "process-compose": "process-compose.yaml",
        "pm2": "ecosystem.config.json",
    }

    def give(kind: str, text: str | None = None, **environ: str) -> Converted:
        source = (FILES / names[kind]).read_text(encoding="utf-8") if text is None else text
        return Converted(kind, source, tmp_path, environ)

    return give
