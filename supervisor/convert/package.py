"""package.json: the scripts that keep running, each as a service."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from supervisor.config import port_killers
from supervisor.convert import dev_servers, inner_supervisors, own_port, shell, workspaces
from supervisor.convert.around import ALONE, Around
from supervisor.convert.draft import Draft, Filled, Left, Outcome
from supervisor.convert.values import cleaned, mapping, set_variables, whole
from supervisor.errors import PortsupError

LOCKS = {
    "pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lock": "bun", "bun.lockb": "bun", "package-lock.json": "npm",
}  # fmt: skip
FIRST = ("dev", "start", "serve")
_RUNNING = re.compile(r"(dev|start|serve|watch|worker|preview)([:.-].*)?")
_PORT = re.compile(r"(?:--port[= ]|-p )(\d{2,5})\b|\bPORT=(\d{2,5})\b|\bserve\b.* -l (?:tcp:\S*:)?(\d{2,5})\b")
# What keeps running, whatever its script is called.
_STAYS = re.compile(
    r"\b(?:nodemon|tsx watch|node --watch|ts-node-dev|cloudflared tunnel|ngrok (?:http|tcp)|localtunnel|lt --port"
    r"|prisma studio|drizzle-kit studio|supabase start|firebase emulators:start|stripe listen|browser-sync start"
    r"|docusaurus start|email dev|flask(?: \S+)* run|uvicorn|manage\.py runserver|artisan serve|rails s(?:erver)?"
    r"|live-server|maildev|mailpit|local-ssl-proxy|mockoon-cli start|msw-server|inngest(?:-cli)? dev"
    r"|temporal server start-dev"
    r"|electron(?:mon)? \.|tauri dev|concurrently|run-p"
    r"|(?:npm|pnpm|yarn|bun)(?: (?:-C|-w|--(?:prefix|cwd|filter|workspace))[ =]\S+)* (?:run )?(?:dev|start|serve|watch)"
    r"|docker(?:-| )compose(?: \S+)* up(?!.* (?:-d|--detach)\b))(?!\S)"
)
# Options of concurrently that the next word belongs to.
_WITH_VALUE = (
    "-c", "--prefix-colors", "-p", "--prefix", "-s", "--success", "-m", "--max-processes", "-l", "--prefix-length",
    "-t", "--timestamp-format", "--restart-tries", "--restart-after", "--default-input-target", "--hide", "-e",
    "--name-separator", "--kill-signal", "--ks", "--kill-timeout", "--teardown",
)  # fmt: skip
_SET = r"(?:(?:npx\s+)?cross-env\s+)?((?:\w+=(?:[^\s'\"$]+|'[^']*')\s+)*)"
_TOGETHER = re.compile(rf"{_SET}(?:npx\s+)?(concurrently|run-p|npm-run-all|run-pty)\b(.*)", re.DOTALL)


def convert(text: str, around: Around = ALONE) -> Outcome:
    """The script that `npm run dev` or `npm start` is, in its parts where it runs several; others wait to be named."""
    try:
        package = mapping(cleaned(json.loads(text)))
    except (ValueError, RecursionError) as error:
        raise PortsupError("cannot read package.json", f"it is no JSON: {error}") from error
    scripts = {name: value for name, value in mapping(package.get("scripts")).items() if isinstance(value, str)}
    if not scripts:
        raise PortsupError("cannot convert package.json", "it has no `scripts`")
    runner = _runner(package, around)
    outcome = Outcome()
    first = next((each for each in FIRST if each in scripts), "")
    before = f"pre{first}"
    if first and (inner := _in_workspace(first, scripts, package, runner, around, outcome)):
        outcome.services += inner
        scripts = {name: text for name, text in scripts.items() if name != first}
        first = ""
    parts = dict(_parts(first, scripts)) if first else {}
    taken = set(parts) | {first}
    together = _ending(scripts[first]) if len(parts) > 1 else {}
    shared = _set_before(scripts[first]) if first and set(parts) != {first} else {}
    for name, command in parts.items():
        draft = service(name, command, runner, is_script=name in scripts)
        draft.fields |= together
        set_variables(draft, shared)
        outcome.services.append(draft)
    if before in scripts and outcome.services and first not in parts and not around.is_there(".yarnrc.yml"):
        if killer := port_killers.in_script(scripts[before]):
            why = f"it runs `{killer}`, which would kill portsup"
            outcome.left.append(Left(f"script `{before}`", why, "take that out"))
        else:
            _put_before(outcome, service(before, scripts[before], runner, is_script=True))
        taken.add(before)
    others = [name for name in scripts if name not in taken and _keeps_running(name, scripts[name])]
    for name in others:
        draft = service(name, scripts[name], runner, is_script=True)
        if outcome.services:
            draft.fields["autostart"] = False
        outcome.services.append(draft)
    for draft in outcome.services:
        _, _, name = draft.fields["command"][:3]
        if killer := port_killers.in_script(scripts.get(f"pre{name}", "")):
            draft.notes.append(f"`{runner}` runs `pre{name}` first, and that `{killer}`, which would kill portsup")
    if rest := [name for name in scripts if name not in taken and name not in others]:
        shown = ", ".join(f"`{name}`" for name in rest)
        why, remedy = "nothing says that they keep running", f"run them by `{runner} run NAME`, or write a service"
        outcome.left.append(Left(f"scripts {shown}", why, remedy))
    return outcome


def _put_before(outcome: Outcome, job: Draft) -> None:
    """The script that the runner runs before the one whose parts are services here."""
    job.has_pool, job.ports = False, []
    job.fields["one_shot"] = True
    for each in outcome.services:
        each.fields["depends_on"] = {job.name: "completed_ok"}
    outcome.services.insert(0, job)


def _runner(package: Mapping[str, Any], around: Around) -> str:
    """The program that runs the scripts: as the package says, or by a lock file here or, of a workspace, above."""
    for folder in ("", "..", "../..", "../../.."):
        try:
            above = mapping(json.loads(around.read(f"{folder}/package.json"))) if folder else package
        except (PortsupError, ValueError, RecursionError):
            above = {}
        told = str(above.get("packageManager") or "").partition("@")[0]
        is_workspace = not folder or "workspaces" in above or around.is_there(f"{folder}/pnpm-workspace.yaml")
        found = [LOCKS[lock] for lock in LOCKS if around.is_there(f"{folder}/{lock}" if folder else lock)]
        if is_workspace and (told or found):
            return told or found[0]
    return "npm"


def _in_workspace(
    first: str, scripts: Mapping[str, str], package: Mapping[str, Any], runner: str, around: Around, outcome: Outcome
) -> list[Draft]:
    """The services of a script that runs one in every package of its workspace; none if it does not."""
    run = workspaces.run_of(scripts[first])
    members = workspaces.members(run, package, around) if run else []
    made: list[Draft] = []
    for member in members[: workspaces.MOST]:
        clashes = [each.name for each in members].count(member.name) > 1
        draft = service(run.script, member.script, runner, is_script=True)  # type: ignore[union-attr]
        draft.name = member.folder.replace("/", "-") if clashes else member.name
        draft.notes[0] = f"`{first}` runs `{run.script}` of {member.folder}: `{member.script}`"  # type: ignore[union-attr]
        draft.fields["working_dir"] = member.folder
        if run and run.ends_together and len(members) > 1:
            draft.fields["on_end"] = {"failure": "stop_all"}
        made.append(draft)
    if run and (more := members[workspaces.MOST :]):
        shown = ", ".join(f"`{each.folder}`" for each in more)
        why = f"`{first}` runs `{run.script}` of {len(members)} packages, and here are the first {len(made)}"
        outcome.left.append(Left(f"packages {shown}", why, "write services for those that you need"))
    if run and made and (tasks := workspaces.built_first(run, around)):
        shown = ", ".join(f"`{task.removeprefix('^')}`" for task in tasks)
        remedy = "run them before `portsup up`, or write a job that the others depend on"
        outcome.left.append(Left(f"tasks {shown} of turbo", f"turbo runs them before `{run.script}`", remedy))
    return made


def _keeps_running(name: str, command: str) -> bool:
    """Whether a script is a server or a watcher, by its name or by what it runs."""
    return bool(
        _RUNNING.fullmatch(name)
        or _STAYS.search(command)
        or dev_servers.is_one(command)
    )


def _parts(name: str, scripts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The scripts that a script runs side by side; itself where it runs none."""
    tool, words = _together(scripts[name])
    is_parallel = tool and (tool != "npm-run-all" or {"-p", "--parallel"} & set(words))
    is_for_one = "PORT" in _set_before(scripts[name])  # and nobody knows for which
    named = list(_named(tool, words, scripts)) if is_parallel and not is_for_one else []
    if not named:
        yield name, scripts[name]
    else:
        yield from named


def _together(script: str) -> tuple[str, list[str]]:
    """The program by which a script runs others, and its words; empty for any other script."""
    found = _TOGETHER.match(script.strip())
    try:
        return (found[2], shlex.split(found[3])) if found else ("", [])
    except ValueError:
        return found[2] if found else "", []


def _set_before(script: str) -> dict[str, str]:
    """The variables that are set before such a program."""
    found = _TOGETHER.match(script.strip())
    return dict(word.split("=", 1) for word in shlex.split(found[1])) if found else {}


def _ending(script: str) -> dict[str, Any]:
    """What becomes of the others when one of those that a script runs side by side ends."""
    tool, words = _together(script)
    flags = {letter for word in words if re.fullmatch("-[a-z]+", word) for letter in word[1:]}
    options = dict(zip(words, [*words[1:], ""], strict=True))
    options |= dict(word.split("=", 1) for word in words if "=" in word)
    if tool == "concurrently":
        ending: dict[str, Any] = {}
        if "k" in flags or "--kill-others" in options:
            ending = {"on_end": "stop_all"}
        elif {"--kill-others-on-fail", "--kill-others-on-failure"} & options.keys():
            ending = {"on_end": {"failure": "stop_all"}}
        if tries := whole(options.get("--restart-tries"), 1, 1_000_000):
            ending |= {"restart": "on-failure", "restart_policy": {"max_restarts": tries}}
        return ending
    if tool == "run-pty" or "c" in flags or "--continue-on-error" in options:
        return {}
    return {"on_end": "stop_all" if "r" in flags or "--race" in options else {"failure": "stop_all"}}


def _named(tool: str, words: list[str], scripts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    names: list[str] = []
    number, at = 0, 0
    while at < len(words):
        word, at = words[at], at + 1
        if word in ("-n", "--names") and at < len(words):
            names, at = words[at].split(","), at + 1
        elif word in _WITH_VALUE and tool == "concurrently":
            at += 1
        elif word.startswith("-"):
            continue
        else:
            told = names[number] if number < len(names) else ""
            number += 1
            script = (
                re.fullmatch(r"(?:npm|yarn|pnpm|bun)(?::| run | )([\w:.*-]+)", word) if tool == "concurrently" else None
            )
            pattern = script[1] if script else word if tool != "concurrently" else ""
            matching = [
                each for each in scripts if pattern and re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), each)
            ]
            if matching:
                yield from ((each, scripts[each]) for each in matching)
            else:
                yield told.strip() or f"part-{number}", word


def service(name: str, command: str, runner: str, *, is_script: bool) -> Draft:
    """A script as a service, on the port that it names or that its server takes."""
    draft = Draft(name.replace(":", "-"), needs_port=True)
    words: list[str] = [runner, "run", name] if is_script else ["sh", "-c", command]
    draft.notes.append(f"from package.json: its script `{name}` runs `{command}`" if is_script else "from package.json")
    server = None if _together(command)[0] else dev_servers.of_node(command)
    if not is_script:
        command, killer = port_killers.without(command)
        words[2] = command
    else:
        killer = port_killers.in_script(command)
    if killer:
        told_of = f"the script runs `{killer}`, which would kill portsup, which holds the port: take it out there"
        draft.notes.append(told_of if is_script else shell.left_out(killer))
    told, reads = _PORT.search(command), own_port.SHELL_PORT.search(command)
    if own_port.is_client_line(command):
        told, reads, server = None, None, None  # its number is that of the server that it asks
    if told:
        draft.ports = [int(told[1] or told[2] or told[3])]
        draft.notes.append("its port is written into the script")
    elif reads and (reads[1] or not server):  # `PORT=${PORT:-3000}`
        draft.ports = [int(reads[1])] if reads[1] else []
        draft.gets_port = True
        draft.fields["port_env"] = "PORT"
    elif server:
        draft.ports = [server.port]
        draft.gets_port = True
        draft.fields["port_env"] = "PORT"
        if option := server.option:
            separator = ["--"] if runner == "npm" and is_script else []
            more: list[str] = [Filled(option + "{port}")] if option.endswith("=") else [option, Filled("{port}")]
            if is_script:
                words += [*separator, *more]
            else:
                words[2] = f"{command} {option}$PORT" if option.endswith("=") else f"{command} {option} $PORT"
    inner_supervisors.note(draft, command)
    draft.fields |= {"command": words, "restart": "never"}
    return draft
