"""Loading a services.yaml from a text."""

from collections.abc import Callable, Container, Mapping
from pathlib import Path

import pytest

from supervisor.config.load import load
from supervisor.config.spec import StackSpec
from supervisor.errors import ConfigError

Loading = Callable[..., StackSpec]
Mistakes = Callable[..., list[str]]


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    """Write a services.yaml and load it, with no environment but the one given."""

    def write_and_load(
        text: str | bytes, environ: Mapping[str, str] | None = None, ephemeral: Container[int] = ()
    ) -> StackSpec:
        file = tmp_path / "services.yaml"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return load(file, environ or {}, ephemeral=ephemeral)

    return write_and_load


@pytest.fixture
def mistakes(loading: Loading) -> Mistakes:
    """What is wrong with a text, as `line:column message (hint)`."""

    def find(text: str | bytes, environ: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            loading(text, environ)
        return [f"{p.line}:{p.column} {p.message}" + (f" ({p.hint})" if p.hint else "") for p in caught.value.problems]

    return find
