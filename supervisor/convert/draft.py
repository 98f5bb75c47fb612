"""What a converter makes of a file: services on their way to a services.yaml, and what could not be carried over."""

from collections.abc import Container, Mapping
from typing import Any

from supervisor.config.keys.service import SERVICE
from supervisor.core.stdin import Stdin, seems_to_watch
from supervisor.dataclass import dataclass, field

# Why a converter leaves out what needs an extra of portsup, and what to write.
WATCHED = ("the key `watch` needs an extra of portsup", "add the extra `watch`, and write `watch: [PATH, …]`")
SCHEDULED = (
    "a schedule needs an extra of portsup, and a job",
    'add the extra `schedule`, and write `one_shot: true` and `schedule: "* * * * *"`',
)


class Filled(str):
    """A text in the syntax of services.yaml, `${VAR}` and `{port}` included; a plain `str` is taken literally."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Left:
    """What could not be carried over, why, and what to do about it."""

    what: str
    why: str
    remedy: str = ""
    source: Any = None  # what stood there, for a comment that shows it

    def __str__(self) -> str:
        return f"{self.what}: {self.why}" + (f"; {self.remedy}" if self.remedy else "")


@dataclass(slots=True)
class Draft:
    """A service as far as it is known; `fields` are keys of services.yaml, names in it are those of the source."""

    name: str
    fields: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # what was taken for granted
    left: list[Left] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)  # that the source names, the one that clients know first
    inner: list[int] = field(default_factory=list)  # where it listens by itself, in a container: not what is published
    further: list[int] = field(default_factory=list)  # ports that it binds beside that of the pool
    hosts: list[str] = field(default_factory=list)  # what its neighbours call it, as the name of a host
    here: list[str] = field(default_factory=list)  # what it calls the machine that it runs on
    gets_port: bool = False  # it is told its port: by its command, or by the variable in `port_env`
    has_pool: bool = True
    in_files: dict[str, str] = field(default_factory=dict)  # variables of its files, as far as these can be read
    of_portsup: dict[str, Any] = field(default_factory=dict)  # variables with names that portsup has for itself
    needs_port: bool = False  # without a port that the source names it gets no pool

    @property
    def environment(self) -> dict[str, Any]:
        found: dict[str, Any] = self.fields.setdefault("environment", {})
        return found

    def leave(self, what: str, why: str, remedy: str = "", source: Any = None) -> None:
        """Note something that is not carried over, once; `source` is shown in a comment as it stood there."""
        if (left := Left(what, why, remedy, source)) not in self.left:
            self.left.append(left)

    def leave_keys(self, given: Mapping[str, Any], why: Mapping[str, tuple[str, str]], known: Container[str]) -> None:
        """Note the keys that there are no words for in services.yaml, with the reason in `why`."""
        for key, value in given.items():
            if key in why:
                self.leave(f"`{key}`", *why[key], source={key: value})
            elif key not in known and not key.startswith("x-"):
                reason, remedy = "portsup does not know it", "see whether you need it"
                if any(key == each.name for each in SERVICE.keys):
                    reason = "portsup does not know it in such a file"
                    remedy = f"services.yaml has a key `{key}`: write that"
                self.leave(f"`{key}`", reason, remedy, source={key: value})

    def carry(self, key: str, value: str | None, what: str, remedy: str) -> None:
        """Set `key`, or note that services.yaml does not take the value, which is None then."""
        if value is None:
            self.leave(what, "services.yaml does not take that", remedy)
        else:
            self.fields[key] = value

    def keep_stdin(self) -> None:
        """The source leaves its programs a standard input: those that end with theirs have one here, too."""
        command = self.fields.get("command", ())
        if seems_to_watch(command.split() if isinstance(command, str) else command):
            self.fields["stdin"] = Stdin.OPEN.value


@dataclass(slots=True)
class Outcome:
    """What came out of one file; `left` is about the file, or about services that are not among `services`."""

    services: list[Draft] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    name: str = ""
    absent: list[Draft] = field(default_factory=list)  # services that cannot run here, to be shown in a comment
    variables: dict[str, str] = field(default_factory=dict)  # of the file `.env` beside the source, where it has them
