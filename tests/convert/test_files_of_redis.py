"""A configuration of Redis that is mounted into its container: what names places of the container is left out."""

import os
import subprocess
from pathlib import Path

import pytest

from supervisor.cli.foreign_files import read_text as read_file
from supervisor.cli.surroundings import around
from supervisor.core.state import Hook
from supervisor.dataclass import replace
from tests.convert.conftest import Converted

COMPOSE = """
services:
  store:
    image: redis:7
    command: redis-server /etc/redis/store.conf --requirepass hush
    volumes: ["./conf:/etc/redis:ro", "store:/data"]
volumes: {store: }
"""


def _converted(folder: Path, conf: str, text: str = COMPOSE) -> Converted:
    (folder / "conf").mkdir()
    (folder / "conf" / "store.conf").write_text(conf)
    return Converted("compose", text, folder, None, replace(around(folder, read_file), has_program=lambda name: True))


@pytest.mark.live
def test_places_of_the_container_are_left_out_before_each_start(tmp_path: Path) -> None:
    conf = """\
port 6390
dir /data
  logfile /var/log/redis/store.log
daemonize no
loadmodule /opt/search.so
aclfile /etc/redis/users.acl
dbfilename dump.rdb
"""
    result = _converted(tmp_path, conf)
    store = result.stack.services["store"]
    assert list(store.command) == [
        "redis-server", ".portsup/store-{instance}/portsup.conf", "--port", "{port}",
        "--dir", ".portsup/store-{instance}", "--requirepass", "hush",
    ]  # fmt: skip
    assert "without its `dir /data`, `logfile /var/log/redis/store.log`, `loadmodule /opt/search.so`" in " ".join(
        result.text.replace("#", " ").split()
    )
    script = store.hooks[Hook.PRE_START].command[-1]
    subprocess.run(["sh", "-c", script], cwd=tmp_path, env={**os.environ, "PORTSUP_INSTANCE": "1"}, check=True)
    assert (tmp_path / ".portsup" / "store-1" / "portsup.conf").read_text().splitlines() == [
        "port 6390",
        "daemonize no",
        f'aclfile "{tmp_path}/conf/users.acl"',
        "dbfilename dump.rdb",
    ]


@pytest.mark.live
def test_odd_signs_in_the_names_of_directories_stay_as_they_are(tmp_path: Path) -> None:
    odd = "a b#c&d$e`f'g\"h\\i*j"
    folder = tmp_path / odd
    (folder / "kl & m#n").mkdir(parents=True)
    (folder / "kl & m#n" / "s.conf").write_text(
        'dir /data\naclfile /etc/redis/users.acl\ninclude "/etc/redis/sub/x.conf"\ntls-ca-cert-dir /etc/redis\n'
        "loglevel /etc/redisx\nlogfile-of /var/etc/redis\n"
    )
    text = """
services:
  store:
    image: redis
    command: redis-server /etc/redis/s.conf
    volumes: ["./kl & m#n:/etc/redis"]
"""
    around_here = replace(around(folder, read_file), has_program=lambda name: True)
    store = Converted("compose", text, folder, None, around_here).stack.services["store"]
    script = store.hooks[Hook.PRE_START].command[-1]
    subprocess.run(["sh", "-c", script], cwd=folder, env={**os.environ, "PORTSUP_INSTANCE": "1"}, check=True)
    lines = (folder / ".portsup" / "store-1" / "portsup.conf").read_text().splitlines()
    shown = f"{tmp_path}/{odd}/kl & m#n".replace("\\", "\\\\").replace('"', '\\"')
    assert lines == [
        f'aclfile "{shown}/users.acl"',
        f'include "{shown}/sub/x.conf"',
        f'tls-ca-cert-dir "{shown}"',
        "loglevel /etc/redisx",
        "logfile-of /var/etc/redis",
    ]


def test_a_file_without_them_is_read_where_it_is(tmp_path: Path) -> None:
    store = _converted(tmp_path, "maxmemory 10mb\nsave 60 1\n").stack.services["store"]
    assert list(store.command)[:2] == ["redis-server", "./conf/store.conf"]


@pytest.mark.parametrize("options", ["--dir /data --appendonly yes", "--appendonly yes --logfile /var/log/x.log"])
def test_options_for_places_of_the_container_are_left_out(tmp_path: Path, options: str) -> None:
    text = f"services: {{store: {{image: redis, command: redis-server {options}}}}}"
    store = _converted(tmp_path, "", text).stack.services["store"]
    assert list(store.command)[1:] == [
        "--port", "{port}", "--dir", ".portsup/store-{instance}", "--appendonly", "yes",
    ]  # fmt: skip
