"""The documents say what the code does: nothing is missing in the reference, every link leads somewhere, every example
works.  tests/cli/test_docs.py and tests/config/test_reference.py hold the pages of the command line and services.yaml.
"""

import argparse
import contextlib
import functools
import inspect
import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest
import yaml

import supervisor
from supervisor.cli.parser import full
from supervisor.config import caddy
from supervisor.config.load import load
from supervisor.control.protocol import VERSION
from supervisor.control.requests import REQUESTS, STREAMS, TASKS
from supervisor.core.port_state import PortState
from supervisor.core.state import STATUS, TRANSITIONS, Health, Result, State
from supervisor.daemon.stack.endpoints import Endpoint, variables
from supervisor.dataclass import fields
from supervisor.errors import ExitCode
from supervisor.logs.rotation import INDEX_SUFFIX
from supervisor.logs.state_dir import instance_directory
from supervisor.ports.lease import Lease
from supervisor.ports.runtime import RuntimeDir
from tests.support.console import Reader, blocks
from tests.support.ports import free_pool

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
REFERENCE = DOCS / "reference"


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def text_of(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def rows(text: str, column: int = 0) -> list[str]:
    """What stands in backticks at the beginning of that cell of each table row, in order."""
    cells = (line.strip("|").split("|") for line in text.splitlines() if line.startswith("|"))
    found = (re.match(r"\s*`([^`]+)`", row[column]) for row in cells if len(row) > column)
    return [match[1] for match in found if match]


def section(text: str, heading: str) -> str:
    return re.split(r"^#+ ", text.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


# States


def test_every_state_has_its_status() -> None:
    told = section(text_of("states.md"), "State and status")
    assert dict(zip(rows(told), rows(told, 1), strict=True)) == {str(state): str(STATUS[state]) for state in State}


def test_the_transitions_are_those_of_the_code() -> None:
    """When this fails, put what is expected into docs/reference/states.md."""
    following = {state: [after for after in State if after in TRANSITIONS[state]] for state in State}
    table = "\n".join(f"| `{state}` | {', '.join(f'`{after}`' for after in following[state])} |" for state in State)
    arrows = [f"    {state} --> {after}" for state in State for after in following[state]]
    diagram = "\n".join(("```mermaid", "stateDiagram-v2", f"    [*] --> {State.STOPPED}", *arrows, "```"))
    told = section(text_of("states.md"), "Which state can follow which")
    assert told.strip() == f"| from | to |\n|---|---|\n{table}\n\n{diagram}"


def test_every_result_health_and_state_of_a_port_is_told() -> None:
    text = text_of("states.md")
    assert rows(section(text, "Results")) == [result for result in Result if result]
    assert rows(section(text, "Health")) == list(Health)
    assert rows(section(text, "Ports of a pool")) == list(PortState)


# Environment and files


def test_every_variable_of_portsup_is_told() -> None:
    source = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "supervisor").rglob("*.py"))
    found = set(re.findall(r"\"(PORTSUP_[A-Z_]+)\"", source))
    found |= set(re.findall(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"", source))
    found |= {name.replace("API", "<NAME>") for name in variables({"api": Endpoint(1, (1,))})}
    told = text_of("environment.md")
    assert len(found) > 10
    assert sorted(name for name in found if f"`{name}`" not in told) == []


def test_no_variable_is_told_that_does_not_exist() -> None:
    source = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "supervisor").rglob("*.py"))
    told = {name for name in rows(text_of("environment.md")) if name.startswith("PORTSUP_")}
    assert {name for name in told if name not in source and "<NAME>" not in name} == set()
    assert {name for name in told if "<NAME>" in name} == {
        name.replace("API", "<NAME>") for name in variables({"api": Endpoint(1, (1,))})
    }


def test_every_file_of_the_runtime_directory_is_told(tmp_path: Path) -> None:
    runtime = RuntimeDir.find(str(tmp_path))
    paths = [runtime.port_lock(8100), runtime.port_record(8100)]
    paths += [runtime.instance_lock("<stack>", 7), runtime.instance_record("<stack>", 7)]
    paths += [runtime.socket("<stack>", 7), runtime.endpoints("<stack>", 7)]
    paths += [runtime.notify_socket("<stack>", 7, "<service>")]
    wanted = [path.removeprefix(f"{tmp_path}/").replace("8100", "<port>").replace("-7", "-<N>") for path in paths]
    assert rows(section(text_of("files.md"), "Runtime directory")) == wanted


def test_every_log_file_is_told() -> None:
    folder = Path(instance_directory("<stack>", 7)).name.replace("-7", "-<N>")
    told = rows(section(text_of("files.md"), "State directory"))
    log = f"{folder}/<service>.log"
    assert {log, f"{log}{INDEX_SUFFIX}", f"{log}.1", f"{folder}/portsup.log"} <= set(told)


# Control protocol, library, exit codes


def test_every_request_is_told_with_its_arguments() -> None:
    text = text_of("control-protocol.md")
    cells = [line.strip("|").split("|") for line in section(text, "Requests").splitlines() if line.startswith("| `")]
    told = {row[0].strip(" `"): row[1] for row in cells}
    assert set(told) == set(REQUESTS)
    arguments = [(do, each.name) for do, request in REQUESTS.items() for each in fields(request)]
    missing = [(do, name) for do, name in arguments if f"`{name}`" not in told[do]]
    assert missing == []
    assert f"Version {VERSION}." in text


@pytest.mark.parametrize("name", [*supervisor.__all__, "Lease"])
def test_every_public_member_of_the_library_is_told(name: str) -> None:
    kind = Lease if name == "Lease" else getattr(supervisor, name)
    _, found, rest = text_of("library.md").partition(f"\n## `{name}")
    assert found
    told = re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    members = [member for member in vars(kind) if not member.startswith("_") and not _is_slot(kind, member)]
    assert [member for member in members if not re.search(rf"`{member}[`(]", told)] == []
    if name != "Lease":
        parameters = [word for word in inspect.signature(kind).parameters if word != "owner"]
        assert [word for word in parameters if word not in told] == []


def _is_slot(kind: type, member: str) -> bool:
    return inspect.ismemberdescriptor(vars(kind)[member])


def test_every_fatal_exit_code_has_its_way_out() -> None:
    headings = re.findall(r"^## Exit code (\d+):", (DOCS / "how-to/recover-from-failures.md").read_text(), re.MULTILINE)
    harmless = {ExitCode.OK, ExitCode.FAILURE, ExitCode.NOT_RUNNING, ExitCode.INTERRUPTED, ExitCode.TERMINATED}
    assert [int(code) for code in headings] == sorted(set(ExitCode) - harmless)


# Links


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_to_something(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


def anchors(page: Path) -> set[str]:
    """The anchors that a Markdown renderer makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_map_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\(([^)#\s]+)\)", (DOCS / "index.md").read_text(encoding="utf-8")))
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md") if page.name != "index.md"}
    assert pages - linked == set()


# Examples


def examples() -> Iterator[tuple[Path, int, str]]:
    """Each block of YAML with its page; the reference of services.yaml has a test of its own."""
    for page in PAGES:
        if page.name != "services-yaml.md":
            for number, block in enumerate(blocks(page.read_text(encoding="utf-8"))):
                if block.kind == "yaml":
                    yield page, number, block.body


@pytest.mark.parametrize(
    ("page", "body"), [pytest.param(page, body, id=f"{named(page)}:{number}") for page, number, body in examples()]
)
def test_every_services_yaml_of_the_documents_loads(
    tmp_path: Path, page: Path, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caddy, "found", lambda: ["/usr/bin/caddy"])  # what the page says is needed is there
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.file.endswith(".in"):  # a template
            (tmp_path / block.file).write_text(block.body)
    if "services:" not in body:  # keys of one service, one or several of them in turn
        lines = body.splitlines() if body.count("pool:") > 1 else [body]
        wholes = [{"services": {"web": {"command": "a", "pool": 8400} | yaml.safe_load(line)}} for line in lines]
        bodies = [yaml.safe_dump(whole) for whole in wholes]
    else:
        bodies = [body]
    for folder in ("frontend", "api"):
        (tmp_path / folder).mkdir()
    (tmp_path / "settings.toml").touch()
    for number, each in enumerate(bodies):
        file = tmp_path / f"{number}.yaml"
        file.write_text(each)
        warnings = load(file, {"API_KEY": "sesame-sesame"}, ephemeral=()).warnings
        assert [warning for warning in warnings if "one port" not in warning] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_python_example_compiles(page: Path) -> None:
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.kind == "python":
            compile(block.body, named(page), "exec")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_line_of_an_example_is_understood(page: Path) -> None:
    lines = [
        line.removeprefix("$ ")
        for block in blocks(page.read_text(encoding="utf-8"))
        if block.kind in ("sh", "console")
        for line in block.body.splitlines()
    ]
    for line in lines:
        if line.startswith("portsup ") and "…" not in line:
            with contextlib.suppress(SystemExit):  # --help and --version
                parser().parse_args(arguments(line))


def arguments(line: str) -> list[str]:
    """The words of the first command of a line that a shell reads."""
    words = list(takewhile(lambda word: not re.match(r"\d?[<>|&]", word), shlex.split(line, comments=True)[1:]))
    last = next((number for number, word in enumerate(words, 1) if word.endswith(";")), len(words))
    return [word.removesuffix(";") for word in words[:last]]


@functools.cache
def parser() -> argparse.ArgumentParser:
    """That of the whole command line, which takes a while to build."""
    return full()


PLAYED = [page for page in PAGES if "```console" in page.read_text(encoding="utf-8")]


@pytest.mark.live
@pytest.mark.parametrize("page", PLAYED, ids=named)
def test_every_console_shows_what_comes_out(page: Path, own_folders: Path) -> None:
    text = page.read_text(encoding="utf-8")
    reader = Reader(own_folders / "shop", text, free_pool)
    try:
        reader.follow(text)
    finally:
        reader.close()


def test_the_limits_of_the_control_protocol_name_each_request_that_they_hold_for() -> None:
    _, _, limits = text_of("control-protocol.md").partition("\n## Limits\n")
    rows = limits.split("\n## ")[0].splitlines()
    for title, requests in (("streams: ", STREAMS), ("requests that are not done yet: ", TASKS)):
        (row,) = (row for row in rows if title in row)
        assert set(re.findall(r"`([a-z]+)`", row.split("|")[1])) == requests
