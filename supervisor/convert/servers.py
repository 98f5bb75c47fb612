"""Services of compose that are an image of a well-known server, run by the program of it that this machine has."""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

from supervisor.convert import databases, php, shell, web_servers
from supervisor.convert.around import Around
from supervisor.convert.dockerfile import Image
from supervisor.convert.draft import Draft, Left
from supervisor.convert.image import OfImage, known_name
from supervisor.convert.server import Server, Wanted
from supervisor.convert.values import mapping

PATIENCE = "5m"  # for making the data of a database
_OF_DATA: dict[str, tuple[tuple[str, ...], Callable[[Wanted], Server | None]]] = {
    "postgres": (("postgres",), databases.postgres), "postgresql": (("postgres",), databases.postgres),
    "postgis": (("postgres",), databases.postgres), "pgvector": (("postgres",), databases.postgres),
    "timescaledb": (("postgres",), databases.postgres),
    "mysql": (("mysqld",), databases.mysql), "mysql-server": (("mysqld",), databases.mysql),
    "mariadb": (("mariadbd", "mysqld"), databases.mysql),
    "redis": (("redis-server",), databases.redis), "valkey": (("valkey-server",), databases.redis),
    "keydb": (("keydb-server",), databases.redis),
    "memcached": (("memcached",), databases.memcached), "nats": (("nats-server",), databases.nats),
    "php": (("php-fpm",), php.fpm), "mongo": (("mongod",), databases.mongo), "minio": (("minio",), databases.minio),
    "rabbitmq": (("rabbitmq-server",), databases.rabbitmq),
}  # fmt: skip
_OF_SITES: dict[str, Callable[[Wanted, Collection[str]], Server | None]] = {
    "nginx": web_servers.nginx,
    "nginx-unprivileged": web_servers.nginx,
    "caddy": web_servers.caddy,
}
# What a command may begin with that is no option: a subcommand, or a file.
_FIRST_WORD = re.compile(r"minio server|caddy run|(redis|valkey|keydb) \S*(/\S+|\.conf)")


def server_of(
    name: str,
    given: dict[str, Any],
    words: Sequence[str],
    place: OfImage,
    around: Around,
    services: Collection[str] = (),
) -> Server | None:
    """The server of a service that is an image of one, or built on top of one; None where nothing is known of it.

    `words` are its `command`; `services` are the names that the configuration of a proxy may have for others.
    """
    kind, wanted = _wanted(name, given, words, place, around)
    if wanted is None:
        return None
    if kind in _OF_DATA:
        server = _OF_DATA[kind][1](wanted)
        if server:
            server.own_port = wanted.told_port()
        return server
    return _OF_SITES[kind](wanted, services) if kind in _OF_SITES else None


def missing(name: str, given: dict[str, Any], words: Sequence[str], place: OfImage, around: Around) -> Left | None:
    """What to say of a server that cannot run here as in its image; None if it is none, or can."""
    kind, wanted = _wanted(name, given, words, place, around)
    if wanted is not None and kind in _OF_SITES and place.is_read:
        return _not_served(kind, wanted)
    if wanted is None or kind not in _OF_DATA or kind == "php":
        return None
    programs = _OF_DATA[kind][0]
    if not any(wanted.program(each) for each in programs):
        if words:
            return None  # it is known what it runs
        absent = programs[0]
    elif kind == "mongo" and not around.has_program("mongosh"):
        absent = "mongosh"
    else:
        return None
    why = f"it is only an image (`{wanted.image}`), and this machine has no `{absent}`"
    return Left("", why, f"install `{absent}` and run `init` again, or keep it in compose next to portsup")


def _not_served(kind: str, wanted: Wanted) -> Left:
    """Why a web server of a Dockerfile does not run here: by itself it would serve what this machine has for it."""
    program = "caddy" if kind == "caddy" else "nginx"
    if not wanted.program(program):
        why, remedy = f"this machine has no `{program}`", f"install `{program}`"
    elif wanted.place.image.built:
        why, remedy = "what it serves is built in its image", "build that in the directory of its sources"
    else:
        why = "its configuration is for its container: it has TLS, templates or several ports, or is not known here"
        return Left("", why, f"run `{program}` with a configuration for this machine, or keep it in compose")
    return Left("", why, f"{remedy} and run `init` again, or keep it in compose next to portsup")


def _wanted(
    name: str, given: dict[str, Any], words: Sequence[str], place: OfImage, around: Around
) -> tuple[str, Wanted | None]:
    """The kind of a server, and what is asked of it; None where the service runs something else."""
    kind = known_name((place.image.base if place.is_read else "") or str(given.get("image") or ""))
    if given.get("entrypoint"):
        return kind, None
    programs: tuple[str, ...] = ("nginx",) if kind == "nginx-unprivileged" else (kind,)
    programs = _OF_DATA[kind][0] if kind in _OF_DATA else programs
    options = list(words)
    if place.is_read and place.image.runs:
        options = _of_dockerfile(place.image, options)
        if options[:1] and options[0].rpartition("/")[2] not in programs:
            return kind, None
    if options and options[0].rpartition("/")[2] in programs:
        options = options[1:]
    if options and not options[0].startswith("-") and not _FIRST_WORD.fullmatch(f"{kind} {options[0]}"):
        return kind, None  # another program, or a script around this one
    return kind, Wanted(name, given, options, place, around)


def _of_dockerfile(image: Image, words: Sequence[str]) -> list[str]:
    """What an image runs by its own ENTRYPOINT and CMD, of which `words` are in place of the latter."""
    told = [*image.entrypoint, *(words or image.command)] if not image.entrypoint_is_shell else list(image.entrypoint)
    if told[:2] == ["sh", "-c"] and len(told) == 3 and not (line := shell.read(told[2])).why_shell:
        return line.words
    return told


def give(draft: Draft, server: Server, given: dict[str, Any]) -> None:
    """Write what the server needs into the service that it is."""
    draft.fields["command"] = server.words
    draft.gets_port, draft.has_pool = True, True
    own = [server.own_port, server.port] if server.own_port else [server.port]
    draft.ports = draft.ports[:1] or own[:1]
    draft.inner = own
    draft.fields["port_env"] = "PORT"
    draft.fields.pop("bind", None)
    draft.fields.pop("working_dir", None)
    for name in server.drops:
        draft.environment.pop(name, None)
    draft.environment.update(server.environment)
    if server.prepare:
        command = ["sh", "-c", server.prepare]
        draft.fields.setdefault("hooks", {})["pre_start"] = {"timeout": PATIENCE, "command": command}
    if server.stop_signal and not given.get("stop_signal"):
        draft.fields["stop_signal"] = {"signal": server.stop_signal, "to": "main"}
    of_container = ("`working_dir` was", "runs in the directory that its image", "its command is that of the Docker")
    draft.notes = [note for note in draft.notes if not note.startswith(of_container)] + server.notes
    check = mapping(given.get("healthcheck")).get("test") or ""
    shown = " ".join(map(str, check)) if isinstance(check, list) else str(check)
    if server.own_check and server.own_check in shown:
        draft.notes = [note for note in draft.notes if not note.startswith("its health check ran in")]
        draft.notes.append(f"`{server.own_check.strip()}` of its health check {server.why_no_check}")
        draft.fields.pop("ready", None)
        draft.fields.pop("healthcheck", None)
