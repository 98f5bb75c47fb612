"""What a service of compose runs: its `command` and `entrypoint`, and what the Dockerfile of its `build` says."""

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any

from supervisor.convert import dockerfile, shell, volumes
from supervisor.convert.around import Around, FileKind
from supervisor.convert.dockerfile import Image
from supervisor.convert.draft import Left
from supervisor.convert.paths import Paths, of_files, of_volumes, real, relative
from supervisor.convert.values import mapping, pairs, texts
from supervisor.dataclass import dataclass, field, replace
from supervisor.errors import PortsupError

# What the images of well-known programs run, for the block that shows what could stand in services.yaml.
PROGRAMS = {
    "postgres": "postgres -D data -p {port}", "postgis": "postgres -D data -p {port}",
    "pgvector": "postgres -D data -p {port}", "timescaledb": "postgres -D data -p {port}",
    "redis": "redis-server --port {port}", "valkey": "valkey-server --port {port}",
    "redismod": "redis-server --port {port}", "keydb": "keydb-server --port {port}",
    "redis-stack": "redis-stack-server --port {port}", "redis-stack-server": "redis-stack-server --port {port}",
    "dragonfly": "dragonfly --bind 127.0.0.1 --port {port}",
    "mysql": "mysqld --datadir=data --port={port}", "mariadb": "mariadbd --datadir=data --port={port}",
    "mongo": "mongod --dbpath data --port {port}", "memcached": "memcached -p {port}",
    "nginx": "nginx -g 'daemon off;'", "httpd": "httpd -DFOREGROUND", "caddy": "caddy run --config Caddyfile",
    "rabbitmq": "rabbitmq-server", "nats": "nats-server -p {port}", "minio": "minio server data --address :{port}",
    "elasticsearch": "elasticsearch", "traefik": "traefik", "mailhog": "MailHog", "mailpit": "mailpit",
    "etcd": "etcd", "prometheus": "prometheus", "grafana": "grafana server", "vault": "vault server -dev",
    "registry": "registry serve config.yml", "adminer": "php -S 127.0.0.1:{port}",
}  # fmt: skip


_PORTS = {
    "redis": 6379, "valkey": 6379, "redismod": 6379, "keydb": 6379, "redis-stack": 6379, "redis-stack-server": 6379,
    "dragonfly": 6379, "memcached": 11211, "nats": 4222, "postgres": 5432, "postgis": 5432,
    "pgvector": 5432, "timescaledb": 5432, "mysql": 3306, "mariadb": 3306, "mongo": 27017, "minio": 9000,
    "adminer": 8080,
}  # fmt: skip
# Images whose entrypoint is a program that takes a subcommand: `command: server /data` is one for `minio`.
ENTRYPOINTS = {
    "minio": "minio", "mc": "mc", "cloudflared": "cloudflared", "traefik": "traefik", "vault": "vault",
    "consul": "consul", "nomad": "nomad", "ngrok": "ngrok", "keycloak": "kc.sh", "n8n": "n8n", "ollama": "ollama",
    "flyway": "flyway", "liquibase": "liquibase", "stripe-cli": "stripe", "caddy": "", "loki": "loki",
    "promtail": "promtail", "hasura-cli": "hasura-cli", "influxdb": "", "temporal": "temporal", "surrealdb": "surreal",
    "composer": "composer", "certbot": "certbot", "migrate": "migrate", "dbmate": "dbmate", "atlas": "atlas",
    "terraform": "terraform", "aws-cli": "aws", "socat": "socat", "prism": "prism", "trivy": "trivy", "gitea": "gitea",
    "k6": "k6", "localtunnel": "lt", "mlflow": "", "dgraph": "dgraph", "restic": "restic", "rclone": "rclone",
}  # fmt: skip

# Images that do nothing without containers, and why.
OF_DOCKER = dict.fromkeys(
    ("traefik", "nginx-proxy", "docker-proxy", "caddy-docker-proxy", "acme-companion", "docker-gen"),
    "it takes its routes from the labels and variables of containers",
) | dict.fromkeys(
    ("watchtower", "portainer", "portainer-ce", "autoheal", "docker-socket-proxy", "dozzle", "cadvisor"),
    "it looks after containers",
)
# Programs that are the first process of a container for another one, and their options that take a word.
INITS = {"tini": ("-p", "-e"), "dumb-init": ("-r", "--rewrite"), "catatonit": (), "docker-init": ("-p", "-e")}
# Scripts of the images of languages that run what follows them.
PASSES_ON = {"node": "docker-entrypoint.sh", "php": "docker-php-entrypoint"}


@dataclass(slots=True)
class OfImage:
    """What a service has of its image: the image itself, and where its folders are on this machine."""

    context: str = ""  # the folder that the image is built of
    image: Image = field(default_factory=Image)
    is_read: bool = False  # there is a Dockerfile, and it was read
    why: str = ""  # why it was not
    paths: Paths = Paths()
    working_dir: str = ""  # on this machine
    has_references: bool = False  # there are variables in its context that only compose knows


def place_of(given: dict[str, Any], around: Around, top: Mapping[str, Any] | None = None) -> OfImage:
    """What can be known of the image that a service is built of, and of its folders."""
    build = given.get("build")
    told = mapping(build)
    context = str((build if isinstance(build, str) else told.get("context", "." if told else "")) or "")
    place = OfImage(has_references=bool(context) and not real(context, around.variables()))
    context = real(context, around.variables()) or context
    pairs_ = [*of_volumes(given.get("volumes"), around.variables()), *volumes.bound(given.get("volumes"), top or {})]
    pairs_ += of_files(given, top or {})
    if context.strip() and not re.match(r"\w+://|git@", context):
        place.context = context
        if inline := told.get("dockerfile_inline"):
            _read(place, str(inline), told)
        else:
            name = str(told.get("dockerfile") or "Dockerfile")
            try:
                _read(place, around.read(posixpath.join(context, name)), told)
            except PortsupError:
                place.why = f"`{posixpath.join(context, name)}` cannot be read"
        copied = _copied(place.image.copied, context, around)
        # What is mounted lies over what was copied, and that over what the image is said to be built of.
        has_own = place.is_read and place.image.working_dir != "/"
        source = posixpath.join(context, place.image.source())
        own = [(place.image.working_dir, source if around.kind(source) is FileKind.FOLDER else context)]
        own = own if has_own else []
        pairs_ = [*own, *copied, *pairs_]
    elif context.strip():
        place.why = f"it is built of `{context}`, which is not on this machine"
    place.paths = Paths(tuple(pairs_))
    inside = str(given.get("working_dir") or (place.image.working_dir if place.is_read else ""))
    place.working_dir = (inside and place.paths.outside(inside)) or place.context
    is_missing = around.kind(place.working_dir) is FileKind.NOTHING and around.kind(place.context) is FileKind.FOLDER
    if place.is_read and is_missing and not given.get("working_dir"):
        place.working_dir = place.context  # what another stage makes is not here, and may be a file
    return place


def _copied(told: Sequence[tuple[str, str]], context: str, around: Around) -> list[tuple[str, str]]:
    """What is copied into an image, as paths there and here; a file is not the folder that it is copied into."""
    found = []
    for outside, inside in told:
        path = posixpath.join(context, outside)
        is_within = (outside, posixpath.join(inside, posixpath.basename(outside))) in told
        if not is_within or not around.is_there(path):
            found.append((inside, path))
    return found


def _read(place: OfImage, text: str, build: dict[str, Any]) -> None:
    arguments = {name: value or "" for name, value in pairs(build.get("args"))}
    image = dockerfile.parse(text, str(build.get("target") or ""), arguments)
    if image is None:
        place.why = "its Dockerfile has no such stage" if build.get("target") else "its Dockerfile has no image"
        return
    place.image, place.is_read = image, True


def line_of(given: dict[str, Any], place: OfImage, around: Around, filled: shell.References) -> shell.Line | Left:
    """What a service runs, or why that cannot be known."""
    entry, command = words_of(given.get("entrypoint"), filled), words_of(given.get("command"), filled)
    told = str(given.get("image") or "") if not given.get("build") else ""
    if (of_docker := OF_DOCKER.get(known_name(told))) and not entry and "file" not in " ".join(command).lower():
        remedy = "give services names by `names`, or keep it in compose"
        return Left("", f"it is only an image (`{told}`), and {of_docker}", remedy)
    of_image = place.image.entrypoint if not entry and given.get("entrypoint") is None else ()
    if not of_image and not entry and not given.get("build") and command:
        known = ENTRYPOINTS.get(known_name(str(given.get("image") or "")), "")
        of_image = (known,) if known and command[0] != known and not command[0].startswith(("/", ".")) else ()
    of_base: tuple[str, ...] = ()
    if not of_image and not entry and given.get("entrypoint") is None:
        base = place.image.base if place.is_read else "" if given.get("build") else str(given.get("image") or "")
        of_image = of_base = dockerfile.of_base(base, command or place.image.command)
    if not (given.get("image") or given.get("build")) and (not command or command[0].startswith("-")):
        why = "it has neither `image` nor `build`, so this file is laid over another one"
        return Left("", why, "name both, that one first: `--from compose.yaml --from FILE`")
    if entry or command:
        if place.image.entrypoint_is_shell and not entry:
            return _checked(shell.listed(list(of_image)), place, around)
        if not entry and not of_image and command[0].startswith("-"):
            of_image_of = f"the image `{given['image']}`" if given.get("image") else "its image"
            why = f"its command begins with an option, for the entrypoint of {of_image_of}"
            return Left("", why, "install the program and write a service with its name before the options")
        text = given.get("entrypoint") if entry else given.get("command")
        if isinstance(text, str) and not (entry and command) and not of_image:
            return _checked(_text(text, filled), place, around)
        words = _without_inits([*of_image, *entry, *command], place, around)
        passes_on = PASSES_ON.get(known_name(str(given.get("image") or "")))
        if len(words) > 1 and words[0].rpartition("/")[2] == passes_on and not around.has_program(words[0]):
            words = words[1:]
        return _checked(shell.listed(words), place, around, len(command))
    runs = place.image.runs
    if given.get("entrypoint") is not None:  # empty: it takes the place of the image's own, and of its command
        runs = []
    elif given.get("command") is not None:
        runs = list(place.image.entrypoint)
    if place.is_read and runs:
        behind = 0 if place.image.entrypoint_is_shell else len(runs) - len(place.image.entrypoint)
        return _checked(shell.listed([*of_base, *runs]), place, around, behind)
    if given.get("build"):
        base = f", and that of its base image `{place.image.base}` is not known" if place.is_read else ""
        why = place.why or f"its Dockerfile names no program{base}"
        return Left("", why, "write a service with what it runs, or keep it in compose next to portsup")
    image = str(given.get("image") or "")
    why = f"it is only an image (`{image}`), and portsup runs programs"
    return Left("", why, "install the program and write a service, or keep it in compose next to portsup")


def _text(text: str, filled: shell.References) -> shell.Line:
    return shell.split(text, filled) or shell.read(text, filled)


def words_of(value: Any, filled: shell.References) -> list[str]:
    """The words of a `command` or an `entrypoint`, with references as services.yaml has them."""
    if isinstance(value, list):
        return shell.listed_only(texts(value), filled)
    return shell.split_only(value, filled) if isinstance(value, str) and value.strip() else []


def _checked(line: shell.Line, place: OfImage, around: Around, behind: int = 0) -> shell.Line | Left:
    """The line with the paths of this machine; a program that is only in the image is not here.

    `behind` is how many words at its end are a command that an entrypoint before them runs.
    """
    if not line.text:
        line = replace(line, words=_without_inits(line.words, place, around))
    program, remedy = line.words[0], "build it on this machine and write a service that runs it, or keep it in compose"
    found = [_outside(word, place, around) for word in line.words]
    if place.is_read and "/" not in program and program.endswith(".sh") and not around.has_program(program):
        # Copied into a folder of the PATH of the image, or one that its base image brings.
        copied = next((name for outside, name in _scripts(place) if outside == program), "")
        beside = copied or program
        if around.kind(posixpath.join(place.context, beside)) is not FileKind.NOTHING:
            found[0] = relative(posixpath.join(place.context, beside), place.working_dir)
            if "/" not in found[0]:
                found[0] = f"./{found[0]}"
        elif len(found) > 1 and tuple(place.image.entrypoint[:1]) == (program,):
            found = found[1:]  # of the image of a language, and it ends by running what follows it
    if program.startswith("/") and found[0] == program and not _is_of_a_system(program, around):
        return Left("", f"its program `{program}` is only in its image", remedy)
    if program.startswith("./") and place.is_read:
        inside = posixpath.normpath(posixpath.join(place.image.working_dir, program))
        if inside in place.image.built and around.kind(posixpath.join(place.working_dir, program)) is FileKind.NOTHING:
            return Left("", f"its program `{program}` is built in its image", remedy)
    if found[1:2] == ["-c"] and len(found) == 3 and place.paths.pairs and type(found[2]) is str:
        is_there = lambda path: around.kind(path) is not FileKind.NOTHING  # noqa: E731
        folder = posixpath.normpath(place.working_dir or ".")
        root = around.absolute() if volumes.moves(found[2], place.paths, folder) else ""
        found[2] = volumes.in_shell(found[2], place.paths, place.working_dir, is_there, root)
    if line.text:
        return line
    at = len(found) - behind if 0 < behind < len(found) else 0
    inner = _interpreter(found[at], place, around) if at and _interpreter(found[0], place, around) else []
    return replace(line, words=[*_interpreter(found[0], place, around), *found[:at], *inner, *found[at:]])


def _interpreter(program: str, place: OfImage, around: Around) -> list[str]:
    """What runs a script that is executable in its image alone, where a `RUN chmod` made it that."""
    path = posixpath.join(place.working_dir, program)
    if "/" not in program or type(program) is not str or around.kind(path) is not FileKind.TEXT:
        return []
    first = around.read(path).partition("\n")[0]
    words = first.removeprefix("#!").split() if first.startswith("#!") else ["sh"]
    if words[:1] == ["/usr/bin/env"]:
        words = words[2:] if words[1:2] == ["-S"] else words[1:]
    return [words[0].rpartition("/")[2], *words[1:]] if words else []


def _without_inits(words: list[str], place: OfImage, around: Around) -> list[str]:
    """The words without programs that only pass signals on in a container, where this machine does not have them."""
    at = (
        1
        if len(words) > 1 and place.image.entrypoint[:1] == (words[0],) and words[0].rpartition("/")[2] not in INITS
        else 0
    )
    name = words[at].rpartition("/")[2] if at < len(words) else ""
    if name not in INITS or around.has_program(name) or around.is_there(words[at]):
        return words
    end = at + 1
    while end < len(words) and words[end].startswith("-") and words[end] != "--":
        end += 2 if words[end] in INITS[name] else 1
    if words[end : end + 1] == ["--"]:
        end += 1
    rest = [*words[:at], *words[end:]]
    return rest if len(rest) > at else words


def _scripts(place: OfImage) -> list[tuple[str, str]]:
    """The files that are copied into the image: what each is called there, and its path in the context."""
    return [(posixpath.basename(inside), outside) for outside, inside in place.image.copied]


def _is_of_a_system(program: str, around: Around) -> bool:
    folder, _, _ = program.rpartition("/")
    return folder in ("/bin", "/usr/bin", "/sbin", "/usr/sbin") or around.kind(program) is not FileKind.NOTHING


def _outside(word: str, place: OfImage, around: Around) -> str:
    if not word.startswith("/") or type(word) is not str:
        return word
    found = place.paths.outside(posixpath.normpath(word))
    if found is None or around.kind(found) is FileKind.NOTHING:
        return word
    return relative(found, place.working_dir)


def port_of(image: str) -> int | None:
    """Where the program of an image listens, if nothing else is said; None where that is not known."""
    return _PORTS.get(known_name(image))


def suggested(image: str) -> str:
    """The command that an image with this name runs, as services.yaml could have it; empty where that is not known."""
    return PROGRAMS.get(known_name(image), "")


def known_name(image: str) -> str:
    """What an image is called, without its owner and its tag."""
    return re.sub(r"[:@].*", "", image.rpartition("/")[2])
