"""Records are read with tolerance: whatever is in the file, nobody trips over it."""

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.dataclass import replace
from supervisor.ports.instances import InstanceInfo
from supervisor.ports.record import Record, is_as_written, read_json, write_json
from supervisor.system import Identity

RECORD = Record(6000, "shop", 2, "web", "run", Identity(7, 12345, "boot"), 1.5)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = str(tmp_path / "6000.json")
    RECORD.write(path)
    assert Record.read(path) == RECORD
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert os.listdir(tmp_path) == ["6000.json"]


def test_our_own_record_is_known_again_without_being_understood(tmp_path: Path) -> None:
    path = str(tmp_path / "6000.json")
    mark = RECORD.write(path)
    assert is_as_written(path, mark)
    later = replace(RECORD, since=2.5).write(path)
    assert (is_as_written(path, mark), is_as_written(path, later)) == (False, True)
    Record.clear(path)
    assert not is_as_written(path, later)
    os.unlink(path)
    assert not is_as_written(path, later)


def test_only_a_record_of_the_owner_is_cleared(tmp_path: Path) -> None:
    path = str(tmp_path / "6000.json")
    other = replace(RECORD, owner=Identity(8, 12345, "boot"))
    mark = RECORD.write(path)
    other.write(path)
    Record.clear(path, RECORD.owner, mark)
    assert Record.read(path) == other
    replace(RECORD, since=2.5).write(path)  # ours all the same
    Record.clear(path, RECORD.owner, mark)
    assert Record.read(path) is None
    mark = RECORD.write(path)
    Record.clear(path, RECORD.owner, mark)
    assert (Record.read(path), os.path.getsize(path)) == (None, 512)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"null", b"[]", b"7", b'{"port": "6000"}', b"\xff\xfe", b"[" * 60000, b'{"port": 1, "owner": {}}'],
)
def test_what_is_no_record_reads_as_none(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "x.json").write_bytes(text)
    assert Record.read(str(tmp_path / "x.json")) is None


def test_a_missing_file_a_directory_and_a_pipe_read_as_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name in ("missing", ".", "pipe", "link"):
        assert Record.read(str(tmp_path / name)) is None


def test_a_record_that_can_not_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = str(tmp_path / "dir")
    os.mkdir(path)
    with pytest.raises(OSError, match="directory"):
        write_json(path, {})
    assert os.listdir(tmp_path) == ["dir"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_nothing_but_an_identity_reads_as_one(value: object) -> None:
    assert Identity.from_json(value) is None
    assert InstanceInfo.from_json(value) is None


def test_an_instance_is_read_as_it_was_written(tmp_path: Path) -> None:
    info = InstanceInfo("shop", 2, Identity(7, 5, "b"), "run", "/d", "/d/services.yaml", "/r/shop-2.sock", 3.25)
    write_json(str(tmp_path / "i.json"), info.as_json())
    assert InstanceInfo.from_json(read_json(str(tmp_path / "i.json"))) == info
    assert info.pid == 7


HUGE = [float("inf"), float("nan"), -float("inf"), 10**400]


@pytest.mark.parametrize("number", HUGE)
def test_a_number_that_nobody_can_reckon_with_makes_no_sense(tmp_path: Path, number: float) -> None:
    path = str(tmp_path / "x.json")
    good = json.loads(json.dumps({**InstanceInfo("shop", 2, RECORD.owner, "r", "/d", "/f", "/s", 3.25).as_json()}))
    assert InstanceInfo.from_json(good) is not None
    for wrong in ({"started_at": number}, {"owner": {**good["owner"], "start_time": number}}, {"instance": -5}):
        assert InstanceInfo.from_json(good | wrong) is None
    for changes in ({"since": number}, {"port": -5}, {"port": 10**30}, {"owner": {"pid": 10**30}}):
        RECORD.write(path)
        fields = json.loads(Path(path).read_text()) | changes
        Path(path).write_text(json.dumps(fields))
        assert Record.read(path) is None, changes
