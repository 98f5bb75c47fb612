"""The files in `corpus/`: one folder a case, and by hand in `facts.yaml` what the program of the source makes of it."""

import os
import re
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supervisor.cli.foreign_files import read_text as read_file
from supervisor.cli.surroundings import around
from supervisor.config.load import load
from supervisor.config.spec import Probe, ServiceSpec, StackSpec
from supervisor.convert.around import Around, FileKind
from supervisor.convert.demands import with_stand_ins
from supervisor.convert.emit import document
from supervisor.convert.recognise import convert, kind_of
from supervisor.convert.reconcile import reconcile
from supervisor.core.ending import Others
from supervisor.dataclass import replace
from supervisor.errors import UsageError
from tests.support.reading import read_yaml

CORPUS = Path(__file__).parent / "corpus"
SERVERS = (
    "postgres",
    "mariadbd",
    "mysqld",
    "redis-server",
    "valkey-server",
    "memcached",
    "nginx",
    "caddy",
    "mongod",
    "php-fpm",
)
EPHEMERAL = range(32768, 61000)
# What a case says beside its services.
OF_THE_FILE = ("said", "absent", "environ", "also", "deaths")


@dataclass(frozen=True)
class Case:
    """A folder of the corpus, and the facts about it."""

    source: str
    name: str
    facts: dict[str, Any]

    @property
    def folder(self) -> Path:
        return CORPUS / self.source / self.name

    @property
    def services(self) -> dict[str, dict[str, Any]]:
        return {name: facts for name, facts in self.facts.items() if name not in OF_THE_FILE}

    @property
    def environ(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.facts.get("environ", {}).items()}

    @property
    def deaths(self) -> list[str]:
        """Which of its programs are killed one after the other, when it is run."""
        return list(self.facts.get("deaths", ()))

    def main(self) -> str:
        """The name of the file to convert: the one that the kind is seen from."""
        for path in sorted(self.folder.iterdir(), key=lambda each: (each.name != "supervisord.conf", each.name)):
            if path.is_file() and path.name not in self.facts.get("also", ()) and self._is_of_kind(path):
                return path.name
        raise AssertionError(f"no file of {self.source} in {self.folder}")

    def _is_of_kind(self, path: Path) -> bool:
        if path.name.startswith(".") or path.suffix == ".lock":
            return False
        kind = "package.json" if self.source == "package" else self.source
        try:
            return kind_of(path.name, path.read_text(encoding="utf-8")) == kind
        except UsageError:
            return False

    def __str__(self) -> str:
        return f"{self.source}/{self.name}"


def cases() -> list[Case]:
    """All of them, by source and name."""
    return [
        Case(path.parent.name, name, facts)
        for path in sorted(CORPUS.glob("*/facts.yaml"))
        for name, facts in read_yaml(path.read_text(encoding="utf-8")).items()
    ]


@dataclass(frozen=True)
class Result:
    """A converted case: the text, and the stack that it is."""

    text: str
    stack: StackSpec
    folder: Path
    absent: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        """All of the text, its comments without their signs and line ends."""
        return " ".join(re.sub(r"^\s*#", " ", self.text, flags=re.MULTILINE).split())


def converted(case: Case, folder: Path) -> Result:
    """The case, copied to `folder`, as `portsup init --from` converts it there."""
    first = case.main()
    over = [(name, (folder / name).read_text()) for name in case.facts.get("also", ())]
    text = (folder / first).read_text()
    outcome = convert(kind_of(first, text), first, text, over, without_servers(around(folder, read_file)))
    reconcile(outcome, EPHEMERAL, lambda path, is_folder: _against(folder / path, is_folder))
    written = document(["made"], "", outcome.services, outcome.left, outcome.absent)
    known = with_stand_ins(written, {**_dotenv(folder), **case.environ})
    stack = load(folder / "services.yaml", known, ephemeral=EPHEMERAL, text=written)
    return Result(written, stack, folder, [each.name for each in outcome.absent])


def without_servers(here: Around) -> Around:
    """A machine without databases and web servers, whatever the one of the tests has."""
    return replace(
        here,
        has_program=lambda name: name not in SERVERS and here.has_program(name),
        matching=lambda pattern: [] if pattern.startswith("/usr/") else here.matching(pattern),
        kind_of=lambda path: FileKind.NOTHING if path.rpartition("/")[2] in SERVERS else here.kind_of(path),
    )


def _dotenv(folder: Path) -> dict[str, str]:
    return dict(around(folder, read_file).variables())


def _against(path: Path, is_folder: bool) -> str:
    return "" if is_folder or path.exists() else "is missing"


def facts_of(spec: ServiceSpec, folder: Path) -> dict[str, Any]:
    """What a service is, in the words of the facts."""
    policy, ending = spec.restart_policy, spec.on_end
    return {
        "run": list(spec.command),
        "env": dict(spec.environment),
        "cwd": _folder(spec, folder),
        "port": spec.pool[0] if spec.pool else "none",
        "pool": list(spec.pool),
        "after": {name: condition.value for name, condition in spec.depends_on.items()},
        "ready": _probe(spec.ready.probe),
        "patience": spec.ready.timeout,
        "health": _probe(spec.healthcheck.probe) if spec.healthcheck else "none",
        "check_timeout": spec.healthcheck.timeout if spec.healthcheck else 0,
        "restart": policy.restart.value,
        "tries": "infinite" if policy.is_endless else policy.max_restarts,
        "steady": policy.period,
        "delay": policy.delay,
        "stop": f"{signal.Signals(spec.stop_signal).name} {spec.stop_to.value} {spec.stop_grace_period:g}",
        "stopped_by": list(spec.stop_command.command) if spec.stop_command else [],
        "hook": {hook.value: list(each.command) for hook, each in spec.hooks.items()},
        "user": spec.user,
        "good": sorted(spec.success_exit_codes),
        "once": spec.one_shot,
        "replicas": spec.replicas,
        "autostart": spec.autostart,
        "ends_all": {(True, True): True, (False, True): "failure"}.get(
            (ending.success is Others.STOP_ALL, ending.failure is Others.STOP_ALL), False
        ),
        "stdin": spec.stdin.value,
        "bind": spec.bind.value,
        "handoff": spec.handoff.value,
        "start": spec.start.value,
    }


def _folder(spec: ServiceSpec, folder: Path) -> str:
    relative = os.path.relpath(spec.working_dir, folder)
    return os.fspath(spec.working_dir) if relative.startswith("..") else relative


def _probe(probe: Probe) -> str:
    return " ".join([probe.kind.value, *filter(None, [probe.target]), *probe.command])
