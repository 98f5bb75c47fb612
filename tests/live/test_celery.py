"""Celery with redis: worker processes that nobody but their main process may end."""

import importlib.util
import os
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest

from tests.live.conftest import Make
from tests.live.stack import STOPPED, Live, is_alive
from tests.support.eventually import eventually
from tests.support.needed import need, need_program
from tests.support.ports import free_pool

pytestmark = [pytest.mark.live, pytest.mark.long]

TASKS = """
import pathlib, time
from celery import Celery

app = Celery("tasks", broker="redis://127.0.0.1:{port}/0")
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1, broker_connection_retry_on_startup=True)
here = pathlib.Path(__file__).parent

@app.task
def work(name):
    (here / f"{{name}}.begun").touch()
    while not (here / "go").exists():
        time.sleep(0.01)
    (here / f"{{name}}.ended").touch()
"""


def celery(live: Live, *words: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "tasks", *words]


def ask(live: Live, name: str) -> None:
    """Puts one task into the queue."""
    subprocess.run(
        celery(live, "call", "tasks.work", "--args", f'["{name}"]'), cwd=live.folder, env={**os.environ, **live.env},
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip


def test_its_worker_ends_its_task_before_it_stops(stack: Make) -> None:
    """And after a crash of the main process another one goes on with what is left."""
    need_program("redis-server")
    need(importlib.util.find_spec("celery") and importlib.util.find_spec("redis"), "celery", "pip install -e .[dev]")
    (port,) = free_pool(1)
    live = stack({})
    (live.folder / "tasks.py").write_text(TASKS.format(port=port))
    worker: dict[str, Any] = {
        "command": celery(live, "worker", "-l", "INFO", "-c", "2", "--without-gossip", "--without-mingle"),
        "stop_signal": {"signal": "TERM", "to": "main"}, "stop_grace_period": "60s", "depends_on": ["redis"],
        "ready": {"log": "celery@.* ready", "timeout": "60s"},
    }  # fmt: skip
    redis = {"command": "redis-server --port {port} --bind 127.0.0.1 --save ''", "pool": [port]}
    live.write({"redis": redis, "worker": worker})
    with live.up():
        first = live.until("worker", state="running")["pid"]
        ask(live, "one")
        eventually(lambda: (live.folder / "one.begun").exists(), within=20)
        results: list[dict[str, Any]] = []
        stop = threading.Thread(target=lambda: results.append(live.do("stop", "worker")))
        stop.start()
        live.until("worker", state="terminating")
        assert not (live.folder / "one.ended").exists()
        (live.folder / "go").touch()
        stop.join(60)
        (result,) = results
        assert result["worker"].items() >= STOPPED
        assert (live.folder / "one.ended").exists()
        assert "WorkerLostError" not in live.log("worker")
        assert not is_alive(first)
        assert live.do("start", "worker")["worker"]["ok"]
        again = live.until("worker", state="running")["pid"]
        os.kill(again, signal.SIGKILL)
        live.until("worker", state="running", restarts=1, within=60)
        ask(live, "two")
        eventually(lambda: (live.folder / "two.ended").exists(), within=20)
    live.leaves_nothing(port)
