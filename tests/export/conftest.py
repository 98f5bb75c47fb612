"""A stack that says as much as a services.yaml can, and what it is exported to."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from supervisor.config.load import load
from supervisor.config.spec import StackSpec
from supervisor.export.model import Export, Target, Wishes
from supervisor.export.stack import export

ROOT = Path(__file__).parents[2]
RICH = Path(__file__).parent / "rich.yaml"
SECRETS = (
    "hunter2-correct-horse", "another-horse-9", "swordfish-and-chips", "tok-0123456789abcdef", "abcdef-0123456789",
)  # fmt: skip
Loading = Callable[..., StackSpec]


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    """Loads a text as the services.yaml of a folder, with no environment but the one given."""

    def load_text(text: str, environ: Mapping[str, str] | None = None) -> StackSpec:
        return load(tmp_path / "services.yaml", environ or {}, text=text, ephemeral=())

    return load_text


@pytest.fixture(scope="session")
def rich(tmp_path_factory: pytest.TempPathFactory) -> StackSpec:
    """The stack of rich.yaml, in a folder of its own."""
    folder = tmp_path_factory.mktemp("rich")
    (folder / "data").mkdir()
    return load(folder / "services.yaml", {}, text=RICH.read_text(encoding="utf-8"), ephemeral=())


@pytest.fixture
def newer(loading: Loading) -> StackSpec:
    """A stack that says what other programs do not know."""
    return loading((RICH.parent / "newer.yaml").read_text(encoding="utf-8"))


def exported(stack: StackSpec, target: Target, **wishes: object) -> Export:
    """What comes out, with every service but those of a profile started."""
    selected = tuple(name for name, spec in stack.services.items() if spec.autostart and not spec.profiles)
    image = {"image": "registry.example/shop:1"} if target.is_container else {}
    return export(stack, target, selected, Wishes(**image, **wishes))  # type: ignore[arg-type]


def files(stack: StackSpec, target: Target, **wishes: object) -> dict[str, str]:
    """The text of each file by its name."""
    return {file.name: file.text for file in exported(stack, target, **wishes).files}
