"""Makes drafts fit together: names that portsup takes, dependencies that can be met, pools, and when each is ready."""

import re
from collections.abc import Callable, Container, Mapping
from typing import Any

from supervisor.config import interpolate
from supervisor.config.kinds import LONGEST_NAME
from supervisor.config.scalars import tidy_name
from supervisor.convert import engines, inner_supervisors, neighbours, pools, side_commands
from supervisor.convert.draft import Draft, Filled, Left, Outcome
from supervisor.convert.service_texts import texts

ENDS = ("completed", "completed_ok")
PATIENCE = "10m"  # for what its source gives any time to listen; a build on the way there takes minutes
Looker = Callable[[str, bool], str]  # why a file (or a folder, if true) cannot be used; empty if nothing is wrong


def reconcile(outcome: Outcome, ephemeral: Container[int], against: Looker) -> None:
    """Complete the services of an outcome; `against` says what is wrong with their files and folders."""
    _keep_first(outcome)
    named = _rename(outcome.services)
    _follow_names(outcome.services, named)
    for service in outcome.services:
        _dependencies(service, named)
    _break_cycles(outcome.services)
    _completions(outcome.services)
    neighbours.learn(outcome.services)
    for service in outcome.services:
        _files(service, against)
        _folder(service, against)
        _pool(service)
        command = service.fields["command"]
        inner_supervisors.note(service, command if isinstance(command, str) else " ".join(map(str, command)))
        engines.set_apart(service)
    for each in outcome.absent:
        each.name = tidy_name(each.name) or "service"
    reserved = {port: each.name for each in outcome.absent for port in each.ports[:1]}
    pools.assign(outcome.services, ephemeral, reserved, neighbours.mentioned(outcome.services))
    for service in outcome.services:
        side_commands.follow(service)
    neighbours.rewrite(outcome.services, outcome.absent)
    for service in outcome.services:
        _port(service)


def _keep_first(outcome: Outcome) -> None:
    """Of services with the same name keep the last, as the other programs do, and of too many the first."""
    known = {service.name: service for service in outcome.services}
    outcome.services[:] = list(known.values())[:1000]
    if len(known) > 1000:
        outcome.left.append(Left(f"{len(known) - 1000} services", "a stack has at most 1000", "make two stacks of it"))


def _rename(services: list[Draft]) -> dict[str, Draft]:
    """The services by the names that the source has for them."""
    named = {service.name: service for service in services}
    taken: set[str] = {"portsup"}
    for service in services:
        wanted = tidy_name(service.name) or "service"
        name, number = wanted, 2
        while _variable(name) in {_variable(other) for other in taken}:
            name = f"{wanted[: LONGEST_NAME - 5]}-{number}"
            number += 1
        taken.add(name)
        if name != service.name:
            service.notes.insert(0, f"called `{service.name}` before")
        service.name = name
    return named


def _follow_names(services: list[Draft], named: Mapping[str, Draft]) -> None:
    """Write `{port:NAME}` with the names that the services have now."""
    changed = {old: service.name for old, service in named.items() if old != service.name}
    for service in services if changed else ():
        for text in list(texts(service)):
            found = text.value
            for old, new in changed.items():
                found = found.replace(f"{{port:{old}}}", f"{{port:{new}}}")
            if isinstance(text.value, Filled) and found != text.value:
                text.put(Filled(found))


def _variable(name: str) -> str:
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def _dependencies(service: Draft, named: Mapping[str, Draft]) -> None:
    found: dict[str, Any] = {}
    for other, condition in service.fields.get("depends_on", {}).items():
        if other not in named:
            why = "that service is not carried over"
            service.leave(f"`depends_on: {other}`", why, "see that it runs before `portsup up`")
        elif named[other] is service:
            service.leave(f"`depends_on: {other}`", "a service cannot wait for itself")
        else:
            found[named[other].name] = condition
    if "depends_on" in service.fields:
        service.fields["depends_on"] = found


def _break_cycles(services: list[Draft]) -> None:
    """Leave out the dependency that closes a cycle; no recursion, a source may chain a thousand."""
    by_name = {service.name: service for service in services}
    done: set[str] = set()
    for start in by_name:
        path = {} if start in done else {start: list(by_name[start].fields.get("depends_on", {}))}
        while path:
            name = next(reversed(path))
            if not path[name]:
                done.add(name)
                del path[name]
                continue
            other = path[name].pop(0)
            if other in path:
                del by_name[name].fields["depends_on"][other]
                by_name[name].leave(f"`depends_on: {other}`", "it closes a cycle", "start one without the other")
            elif other not in done:
                path[other] = list(by_name[other].fields.get("depends_on", {}))


def _completions(services: list[Draft]) -> None:
    """What others wait for the end of is a job: it has no pool, and does not start over for ever."""
    by_name = {service.name: service for service in services}
    for service in services:
        for other, need in service.fields.get("depends_on", {}).items():
            job = by_name[other]
            condition = need["condition"] if isinstance(need, dict) else need
            if condition not in ENDS:
                continue
            if job.fields.get("restart") == "always":
                job.fields["restart"] = "on-failure"
                job.leave("`restart: always`", "others wait for it to complete", "it is `on-failure` now")
            if job.has_pool and not job.ports and not job.gets_port and not _asks_port(job):
                job.has_pool = False
                job.notes.append("a job that others wait for: without a pool")
                if condition == "completed_ok" and not job.fields.keys() & {"ready", "healthcheck"}:
                    job.fields["one_shot"] = True
                    for hook in [each for each in job.fields.get("hooks", {}) if each != "pre_start"]:
                        del job.fields["hooks"][hook]
                        job.leave(f"`{hook}`", "a job is over when it is ready", "put it into the job")


def _pool(service: Draft) -> None:
    """A service that nothing names a port of has none, but for those whose source gives every process one."""
    if service.has_pool and not service.ports and service.inner:
        service.ports = service.inner[:1]
    if not service.needs_port or not service.has_pool or service.ports or service.gets_port or _asks_port(service):
        return
    service.has_pool = False
    if not service.fields.get("one_shot"):
        service.notes.append(
            "`init` finds no port that it listens on, so it has no pool: for a server add one, and pass it `{port}`"
            " or `$PORT`"
        )


def _asks_port(service: Draft) -> bool:
    probes = (service.fields.get("ready"), service.fields.get("healthcheck"))
    return any(isinstance(probe, dict) and ("http" in probe or "tcp" in probe) for probe in probes)


def _files(service: Draft, against: Looker) -> None:
    kept: list[str | dict[str, object]] = []
    for file in service.fields.get("env_file", ()):
        path = plain(file["path"])
        why = against(path, False) if path.strip() else "has no name unless a variable is set"
        if why == "is missing":
            service.notes.append(f"`{file['path']}` is not there now, so it is not required")
            kept.append({"path": file["path"], "required": False})
        elif why:
            service.leave(f"`env_file: {file['path']}`", f"it {why}", "write it as NAME=VALUE lines")
        else:
            kept.append(file if file["required"] is False else file["path"])
    if "env_file" in service.fields:
        service.fields["env_file"] = kept[0] if len(kept) == 1 and isinstance(kept[0], str) else kept


def _folder(service: Draft, against: Looker) -> None:
    if "working_dir" not in service.fields:
        return
    path = plain(service.fields["working_dir"])
    why = against(path, True) if path.strip() and len(path) < 4096 else "has no name unless a variable is set"
    if why:
        service.leave(f"`working_dir: {service.fields.pop('working_dir')}`", f"it {why}", "set `working_dir`")


def plain(text: str) -> str:
    """A text with the variables in it left as if none were set."""
    if not isinstance(text, Filled):
        return str(text)
    try:
        return interpolate.Filler(lambda name: None).fill(text)
    except interpolate.BadReference:  # a variable that has to be set
        return str(text)


def _port(service: Draft) -> None:
    fields = service.fields
    if not service.has_pool:
        fields.pop("port_env", None)
        if not fields.get("one_shot"):
            fields.setdefault("ready", "started")
        return
    if service.gets_port:
        fields.setdefault("ready", {"timeout": PATIENCE})
        return
    if service.ports:
        fields["bind"] = "move"
        fields.setdefault("ready", {"timeout": PATIENCE})
        own = (service.inner or service.ports)[0]
        service.notes.append(f"it listens on {own} by itself: `bind: move` gives it the port of the pool")
    elif _asks_port(service):
        fields["bind"] = "move"
        service.notes.append("nothing says which port it listens on: `bind: move` gives it that of the pool")
    elif "ready" in fields:
        service.notes.append(
            "nothing tells it the port of the pool: for a server put `{port}` or `$PORT` into its command,"
            " for a program without a port remove `pool`"
        )
    else:
        fields["ready"] = "started"
        service.notes.append(
            "nothing says that it listens, so it is ready once it is started: for a server on `$PORT` remove `ready`,"
            " for a program without a port remove `pool`"
        )
