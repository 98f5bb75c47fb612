"""docker-compose.yml: services whose program can run without their container."""

import posixpath
from typing import Any

from supervisor.convert import (
    beside,
    compose_life,
    container_places,
    copies,
    image,
    network,
    own_export,
    own_port,
    paths,
    profiles,
    servers,
    shell,
    volumes,
)
from supervisor.convert.around import ALONE, Around, FileKind
from supervisor.convert.draft import Draft, Filled, Left, Outcome
from supervisor.convert.layers import begin
from supervisor.convert.server import Server
from supervisor.convert.values import (
    REFERENCE,
    demanded,
    is_true,
    mapping,
    maybe_filled,
    pairs,
    reference,
    set_variables,
    signal_name,
    texts,
)
from supervisor.errors import PortsupError

CONDITIONS = {
    "service_started": "started",
    "service_healthy": "ready",
    "service_completed_successfully": "completed_ok",
}
_SHELLS = [[path + name] for path in ("", "/bin/", "/usr/bin/") for name in ("sh", "bash", "ash", "env")]


def convert(data: Any, around: Around = ALONE) -> Outcome:
    """The services of a compose file; those that are an image only are left out, and shown in a comment."""
    top, services, outcome = begin(data, "services", "the compose file")
    if not any(_says_what_runs(mapping(each)) for each in services.values()):
        why = "its services have neither `image` nor `build`, so it is laid over another one"
        hint = "name both, that one first: `portsup init --from compose.yaml --from FILE`"
        raise PortsupError("cannot convert the compose file", why, hint)
    known = around.variables()
    outcome.name = paths.real(outcome.name, known)
    filled = shell.References(REFERENCE, reference, known)
    wanted: dict[str, int] = {}
    for name, item in services.items():
        given = mapping(item)
        place = image.place_of(given, around, top)
        words = image.words_of(given.get("command"), filled)
        server = servers.server_of(name, given, words, place, around, services)
        missing = None if server else servers.missing(name, given, words, place, around)
        line = shell.Line(server.words) if server else missing or image.line_of(given, place, around, filled)
        if isinstance(line, Left):
            remedy = line.remedy + (", as in the block below" if given else "")
            outcome.left.append(Left(f"service `{name}`", line.why, remedy))
            outcome.absent.append(_absent(name, services, place, around, filled))
            continue
        draft = _service(name, services, line, place, around, filled, server)
        if server:
            servers.give(draft, server, given)
        else:
            volumes.carry(draft, given, top, place.working_dir, around)
            container_places.tell(draft, given, place, around)
        outcome.services.append(draft)
        number = profiles.copies(given)
        if number > 1 and not copies.share(draft, number):
            wanted[name] = number
    own_export.recall(outcome)
    copies.spread(outcome, wanted)
    return outcome


def _says_what_runs(given: dict[str, Any]) -> bool:
    command = texts(given.get("command")) if isinstance(given.get("command"), list) else [str(given.get("command"))]
    return bool(given.get("image") or given.get("build") or given.get("entrypoint") or given.get("provider")) or (
        bool(given.get("command")) and not command[0].startswith("-")
    )


def _absent(
    name: str, services: dict[str, Any], place: image.OfImage, around: Around, filled: shell.References
) -> Draft:
    """A service that cannot run here, with all that could be carried over, for a comment."""
    command = image.suggested(str(mapping(services[name]).get("image") or "")) or "PROGRAM"
    line = shell.split(command) or shell.Line(["PROGRAM"])
    draft = _service(name, services, line, place, around, filled)
    draft.fields["command"] = [Filled(word) if "{port}" in word else word for word in line.words]
    draft.notes = [note for note in draft.notes if not note.startswith("its command is")]
    draft.has_pool = False
    first = next(iter((*draft.ports, *draft.inner)), image.port_of(str(mapping(services[name]).get("image") or "")))
    if first:
        draft.fields["pool"] = [first, first + 1, first + 2]
    return draft


def _service(
    name: str,
    services: dict[str, Any],
    line: shell.Line,
    place: image.OfImage,
    around: Around,
    filled: shell.References,
    server: Server | None = None,
) -> Draft:
    draft, given = Draft(name, needs_port=True), mapping(services[name])
    if told := str(given.get("image") or ""):
        if server:
            program = server.shown or posixpath.basename(server.words[0])
            remedy = f"`{program}` is there: see that its version and its paths fit"
            draft.leave(f"`image: {told}`", "the program of this machine runs in its place", remedy)
        else:
            _note_image(draft, told, given, line, place, around)
    shell.give(draft, line)
    _folder(draft, given, place)
    set_variables(draft, dict(line.environment))
    files = _env_files(draft, given.get("env_file"))
    for file in files:
        draft.in_files |= around.variables(file)
    _of_image(draft, given, place, set(draft.in_files), filled)
    variables = {key: _value(draft, key, text, place, around) for key, text in pairs(given.get("environment"))}
    if "PORT" in draft.in_files and "PORT" not in variables:
        variables = {"PORT": draft.in_files["PORT"], **variables}
    set_variables(draft, variables, filled.known)  # before its ports: of several, it listens on the one in `PORT`
    network.give_ports(draft, given, filled.known)
    network.give_names(draft, given, services)
    if own_port.is_idle(line.words):
        draft.has_pool = False
        draft.notes.append("its command only keeps a container alive, so it has no pool: run in its place what listens")
    if place.image.ports and not (_has_command(given, place) or draft.ports or draft.inner):
        draft.inner, draft.further = place.image.ports[:1], place.image.ports[1:]
    _dependencies(draft, given, services)
    compose_life.carry(draft, given, place.image, filled, is_awaited=_is_awaited(name, services))
    if not server and place.is_read:
        beside.note_built(draft, place, around)
    beside.follow(draft, place, around, "" if server else place.working_dir)
    known = {key: value for key, value in given.items() if key in compose_life.READ - {"build", "image"}}
    for variable in sorted({name for value in _all_texts(known) for name in demanded(value)}):
        draft.notes.append(f"`${{{variable}:?…}}` has to be set for compose, and so it has to here")
    return draft


def _note_image(
    draft: Draft, told: str, given: dict[str, Any], line: shell.Line, place: image.OfImage, around: Around
) -> None:
    remedy = "install what it runs" if line.words[:1] in _SHELLS else f"install what has `{line.words[0]}`"
    if line.words[:1] not in _SHELLS and around.has_program(line.words[0]):
        remedy = f"`{line.words[0]}` is there: see that its version and its paths fit"
    if not given.get("entrypoint") and not place.is_read and not image.suggested(told):
        remedy += ", and if the image has an entrypoint write that before it"
    draft.leave(f"`image: {told}`", "the command runs on this machine", remedy)


def _value(draft: Draft, name: str, text: str | None, place: image.OfImage, around: Around) -> str | None:
    """The value of a variable, with paths of this machine in place of those of the container."""
    if text is None or "$" in text:
        return None if text is None else maybe_filled(text)
    changed = paths.of_variable(
        name, text, place.paths, place.working_dir, lambda path: around.kind(path) is not FileKind.NOTHING
    )
    if changed != text:
        draft.notes.append(f"`{text}` in the variable `{name}` was in its container: `{changed}` is written")
    return changed


def _all_texts(value: Any, depth: int = 0) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in items for text in _all_texts(item, depth + 1)] if depth < 4 else []


def _folder(draft: Draft, given: dict[str, Any], place: image.OfImage) -> None:
    inside = str(given.get("working_dir") or (place.image.working_dir if place.is_read else ""))
    told = mapping(given.get("build"))
    ignored = {key: value for key, value in told.items() if key not in ("context", "dockerfile", "target", "args")}
    if not place.is_read:
        ignored |= {key: told[key] for key in ("dockerfile", "target", "args") if key in told}
    if ignored:
        remedy = "see that the program is built as it says there"
        draft.leave(f"`build`: {', '.join(key for key in told if key in ignored)}", "nothing is built", remedy)
    if not place.working_dir:
        if given.get("working_dir"):
            draft.leave(f"`working_dir: {inside}`", "it is a directory of the container", "set `working_dir`")
        return
    draft.fields["working_dir"] = maybe_filled(place.working_dir) if place.has_references else place.working_dir
    if inside and place.paths.outside(inside):
        draft.notes.append(f"`working_dir` was `{inside}` in the container")
    else:
        was = f"; its `working_dir` was `{inside}` in the container" if inside else ""
        draft.notes.append(f"runs in the directory that its image was built of, `{place.context}`{was}")


def _of_image(
    draft: Draft, given: dict[str, Any], place: image.OfImage, named: set[str], filled: shell.References
) -> None:
    """What the Dockerfile gives the program: variables that nothing else sets, and the signal that stops it."""
    if not place.is_read:
        return
    own = {name for name, _ in pairs(given.get("environment"))} | named
    values = {name: value for name, value in place.image.environment.items() if name not in own}
    if path := values.pop("PATH", ""):
        draft.leave(f"`ENV PATH={path}` of its Dockerfile", "it is for the image", "see that its programs are found")
    values = {name: place.paths.outside_each(value, place.working_dir) for name, value in values.items()}
    if "PORT" in values and not (given.get("ports") or given.get("expose")) and _has_command(given, place):
        draft.environment["PORT"] = values.pop("PORT")  # for the server of the image, which this need not be
    set_variables(draft, values, filled.known)
    if signal := signal_name(place.image.stop_signal) if place.image.stop_signal else None:
        draft.fields["stop_signal"] = signal
    if place.image.user and place.image.user not in ("root", "0"):
        why = "it is a user of the image"
        draft.leave(f"`USER {place.image.user}` of its Dockerfile", why, "start portsup as that user")
    line = [*place.image.entrypoint, *place.image.command]
    if not given.get("command") and line:
        draft.notes.append(f"its command is that of the Dockerfile in `{place.context}`")


def _has_command(given: dict[str, Any], place: image.OfImage) -> bool:
    """Whether it runs another command than its image; an entrypoint for a shell takes none."""
    return bool(given.get("entrypoint") or (given.get("command") and not place.image.entrypoint_is_shell))


def _env_files(draft: Draft, value: Any) -> list[str]:
    files: list[dict[str, Any]] = []
    for item in value if isinstance(value, list) else [value]:
        path = item if isinstance(item, str) else mapping(item).get("path")
        if isinstance(path, str) and path.strip():
            if mapping(item).get("format"):
                draft.leave(f"`format` of `{path}`", "an env file has one format", "see what quotes mean in it")
            files.append({"path": maybe_filled(path), "required": is_true(mapping(item).get("required", "true"))})
    if files:
        draft.fields["env_file"] = files
    return [str(file["path"]) for file in files]


def _dependencies(draft: Draft, given: dict[str, Any], services: dict[str, Any]) -> None:
    value = given.get("depends_on")
    found: dict[str, Any] = dict.fromkeys(texts(value), "started") if isinstance(value, list) else {}
    own = set(texts(given.get("profiles")))
    for other, item in mapping(value).items():
        told = str(mapping(item).get("condition") or "service_started")
        if not is_true(mapping(item).get("required", "true")) and (why := _may_be_off(other, services, own)):
            draft.leave(f"`depends_on: {other}`", f"it is not `required`, and {why}", f"start `{other}` before it")
            continue
        found[other] = CONDITIONS.get(told, "started")
        if is_true(mapping(item).get("restart", "false")):
            found[other] = {"condition": found[other], "restart": True}
    if found:
        draft.fields["depends_on"] = found


def _is_awaited(name: str, services: dict[str, Any]) -> bool:
    """Whether another service waits until this one is healthy."""
    needs = (mapping(mapping(mapping(each).get("depends_on")).get(name)) for each in services.values())
    return any(need.get("condition") == "service_healthy" for need in needs)


def _may_be_off(other: str, services: dict[str, Any], own: set[str]) -> str:
    """Why a service may not be there, in words; empty if it always is."""
    if other not in services:
        return "it is not in the file"
    theirs = set(texts(mapping(services[other]).get("profiles")))
    if theirs and not ("" in theirs or (own and own <= theirs)):
        return f"it starts only with the profile {' or '.join(f'`{each}`' for each in sorted(theirs))}"
    return "it has no copies" if profiles.copies(mapping(services[other])) == 0 else ""
