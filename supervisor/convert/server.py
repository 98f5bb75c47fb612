"""What a server of an image is on this machine, and where its program and its files are."""

import posixpath
import re
from itertools import pairwise
from typing import Any

from supervisor.config.scalars import tidy_name
from supervisor.convert import server_scripts
from supervisor.convert.around import Around, FileKind
from supervisor.convert.image import OfImage
from supervisor.convert.own_port import is_number
from supervisor.convert.values import pairs
from supervisor.dataclass import dataclass, field

HERE = "127.0.0.1"


@dataclass(slots=True)
class Server:
    """A server that runs by a program of this machine."""

    words: list[str]
    port: int  # on which it listens in its container, if nothing is said
    prepare: str = ""  # a shell script that runs before it
    environment: dict[str, str] = field(default_factory=dict)
    drops: list[str] = field(default_factory=list)  # variables that are for the container
    notes: list[str] = field(default_factory=list)
    stop_signal: str = ""
    own_check: str = ""  # a program for health checks that is of no use here
    why_no_check: str = "is only in its image: it is ready when it listens"
    own_port: int | None = None  # on which it is told to listen there
    shown: str = ""  # the program, where its first word is another one


@dataclass(slots=True)
class Wanted:
    """A service that is asked for by its image: what is said of it, and what is around it."""

    name: str
    given: dict[str, Any]
    options: list[str]  # the words of its `command`, without the program
    place: OfImage
    around: Around

    @property
    def image(self) -> str:
        return str(self.given.get("image") or self.place.image.base)

    @property
    def variables(self) -> dict[str, str]:
        return {key: value or "" for key, value in pairs(self.given.get("environment"))}

    @property
    def data(self) -> server_scripts.DataPlace:
        """Where its data is: in the directory of the stack."""
        return server_scripts.DataPlace(tidy_name(self.name) or "service")

    def program(self, name: str) -> str:
        """The program as a command names it: its name, or a path of the system; empty for none."""
        if self.around.has_program(name):
            return name
        return next((path for each in ("/usr/sbin", "/sbin") if self.around.is_there(path := f"{each}/{name}")), "")

    def files(self, folder: str) -> list[str]:
        """What is mounted or copied below a folder of the container, as it is here, by the names that it has there."""
        found: dict[str, str] = {}
        for inside, place in self.place.paths.pairs:
            if inside.startswith(f"{folder}/"):
                each = {inside: self.outside(inside)}
                if not each[inside]:  # `COPY *.sql` names several
                    matching = self.around.found(place) if re.search(r"[*?[]", place) else []
                    each = {posixpath.join(folder, posixpath.basename(file)): _from_here(file) for file in matching}
                found |= each
        return [where for _, where in sorted(found.items()) if where]

    def outside(self, inside: str) -> str:
        """A path of the container on this machine; empty where nothing is there."""
        where = self.place.paths.outside(posixpath.normpath(inside))
        if where is None or self.around.kind(where) is FileKind.NOTHING:
            return ""
        return _from_here(where)

    def words(self) -> list[str]:
        """Its options with paths of this machine, also in `-c config_file=/etc/x`, and without one for the port."""
        words = []
        for each in self.options:
            name, equals, value = each.rpartition("=")
            place = self.outside(value) if value.startswith("/") and type(each) is str else ""
            words.append(f"{name}{equals}{place}" if place else each)
        return [each for each in without(words, "-p", "--port") if not re.fullmatch(r"--port=\d+|-p\d+", each)]

    def told_port(self) -> int | None:
        """The port that its options, a variable or a mounted file of Redis tell it in its container."""
        told = [self.variables.get(name, "") for name in ("PGPORT", "MYSQL_TCP_PORT")]
        for before, word in pairwise(("", *self.options)):
            value = word.partition("=")[2] if word.startswith(("--port=", "--address=")) else word
            if word.startswith(("--port=", "--address=")) or before in ("-p", "--port", "--address"):
                told.append(value.rpartition(":")[2])
            elif found := re.fullmatch(r"-p(\d+)", word):
                told.append(found[1])
        file = self.outside(self.options[0]) if self.options[:1] and self.options[0].startswith("/") else ""
        if file and (found := re.search(r"^\s*port\s+(\d+)", self.around.read(file), re.MULTILINE)):
            told.insert(0, found[1])
        return next((int(each) for each in reversed(told) if is_number(each)), None)

    def kept(self, data: server_scripts.DataPlace) -> str:
        """What to say of its data."""
        return f"its data is made anew, in `{data.data}`: what is in a volume of the container stays there"


def _from_here(path: str) -> str:
    return path if path.startswith(("/", "~")) else f"./{path}"


def without(words: list[str], *options: str) -> list[str]:
    """The words without these options, and without the word that follows each of them."""
    kept, at = [], 0
    while at < len(words):
        if words[at] in options:
            at += 2
        else:
            kept.append(words[at])
            at += 1
    return kept
