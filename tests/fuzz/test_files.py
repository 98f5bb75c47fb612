"""Files that portsup reads back: whatever is in them, an answer comes, and what makes no sense is passed over."""

import json
import math
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from supervisor.api.history import why_of
from supervisor.api.launch import launches
from supervisor.config.envfile import parse
from supervisor.core import journal
from supervisor.core.instance import numbers_for
from supervisor.logs.history import read_events
from supervisor.ports.folders import Folders
from supervisor.ports.instances import InstanceInfo
from supervisor.ports.record import Record, read_json
from supervisor.words.events import sentence
from tests.fuzz.trees import DEEP, TREES, shaped
from tests.support.budget import tries

OWNER: dict[str, object] = {"pid": 1, "started": 1}
RECORD = {
    "port": 8000, "stack": "s", "instance": 1, "service": "web", "run_id": "ab", "owner": OWNER, "since": 1.5,
}  # fmt: skip
INSTANCE = {
    "stack": "s", "instance": 1, "pid": 1, "owner": OWNER, "run_id": "ab", "directory": "/", "file": "/services.yaml",
    "socket": "/s.sock", "started_at": 1.0, "ending": False, "over": [],
}  # fmt: skip
FOLDER: dict[str, object] = {"stack": "s", "folder": "/", "instance": 1, "used": 1.0}
EVENT: dict[str, object] = {"time": "2026-01-01T00:00:00Z", "level": "info", "event": "service ready"}
BYTES = st.binary(max_size=300) | DEEP.map(lambda depth: b"[" * depth + b"]" * depth)


def as_bytes(value: object) -> bytes:
    return json.dumps(value).encode()


@tries(10, 10000)
@given(BYTES | shaped(RECORD).map(as_bytes))
@example(as_bytes({**RECORD, "since": 10**400}))
def test_a_record_is_read_or_none(own_folders: Path, content: bytes) -> None:
    path = own_folders / "record.json"
    path.write_bytes(content)
    found = Record.read(str(path))
    assert found is None or (isinstance(found.port, int) and isinstance(found.owner.pid, int))


@tries(10, 10000)
@given(BYTES | shaped(INSTANCE).map(as_bytes))
def test_an_instance_is_read_or_none(own_folders: Path, content: bytes) -> None:
    path = own_folders / "instance.json"
    path.write_bytes(content)
    found = InstanceInfo.from_json(read_json(str(path)))
    assert found is None or (found.instance > 0 and InstanceInfo.from_json(found.as_json()) == found)


@tries(10, 10000)
@given(BYTES | st.lists(shaped(FOLDER) | TREES, max_size=4).map(as_bytes))
@example(as_bytes([{**FOLDER, "used": 10**400}]))
@example(b'[{"stack": "s", "folder": "/", "instance": -5, "used": 1e400}]')
def test_what_is_remembered_of_folders_makes_sense(own_folders: Path, content: bytes) -> None:
    folders = Folders(str(own_folders))
    (own_folders / "folders.json").write_bytes(content)
    for each in folders.all():
        assert each.number > 0
        assert math.isfinite(each.used)
    numbers = list(numbers_for("/", folders.of("s"), 5))
    assert all(1 <= number <= 5 for number in numbers), numbers


@tries(10, 5000)
@given(st.lists(BYTES | shaped(EVENT).map(as_bytes), max_size=4).map(b"\n".join))
def test_every_event_of_a_journal_has_what_makes_one(own_folders: Path, content: bytes) -> None:
    path = own_folders / "portsup.log"
    path.write_bytes(content)
    for event in read_events(path):
        assert all(isinstance(event[key], str) for key in ("time", "level", "event"))


FACTS = sorted({name for each in journal.ALL for name in each.types()} | {"time", "seq"})


@tries(40, 20000)
@given(st.sampled_from(journal.ALL), st.dictionaries(st.sampled_from(FACTS), TREES, max_size=3))
@example(journal.FilesChanged, {})
@example(journal.RunBegins, {"late": 10**400})
@example(journal.RunBegins, {"late": "x"})
@example(journal.OrphansReaped, {"pids": True})
@example(journal.PortSkipped, {"skipped": [1]})
@example(journal.ServiceFailed, {"time": "2026-01-01T00:00:00"})
@example(journal.ServiceFailed, {"replica": 10**40})
@example(journal.ServiceFailed, {"replica": []})
@example(journal.ServiceFailed, {"seq": "x"})
def test_an_event_whose_facts_make_no_sense_has_a_story_or_is_passed_over(
    own_folders: Path, kind: type[journal.Event], facts: dict[str, object]
) -> None:
    good = {**EVENT, "event": kind.event, "service": "web"}
    path = own_folders / "portsup.log"
    path.write_bytes(as_bytes(good) + b"\n" + as_bytes({**good, **facts}))
    for event in read_events(path):
        assert sentence(event)
    launches(read_events(path), {})
    told = why_of(str(own_folders), "web", "failed")
    assert told.failures == len(told.chapters)


TEXTS = st.text(alphabet="ab=A1_.- \t\n\r\"'\\#$é\0", max_size=80) | st.text(max_size=60)


@tries(10, 20000)
@given(TEXTS)
@example("A='" + "'" * 3)
@example('A="\\')
def test_every_line_of_an_env_file_is_a_variable_a_fault_or_nothing(text: str) -> None:
    variables, faults = parse(text)
    lines = text.replace("\r\n", "\n").count("\n") + 1
    assert all(1 <= each.line <= lines for each in variables)
    assert all(1 <= each.line <= lines for each in faults)
    assert all(each.name.isascii() and each.name for each in variables)
    assert len(variables) + len(faults) <= lines
