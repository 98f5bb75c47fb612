"""One life of a small stack during which a call fails, and what may not be there afterwards.

Over 300 lines: a trial is one story, and each look afterwards needs what was done before.
"""

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from supervisor.errors import PortsupError
from tests.faults.board import Board
from tests.faults.left import GONE, is_of_a_mistake, journal, what_is_left
from tests.faults.outcomes import Outcome, Wrong, checked, could_not_remove
from tests.faults.patience import SELDOM, Limit
from tests.faults.places import read as read_places
from tests.faults.points import STEPS, Call, Point
from tests.faults.small_stack import SmallStack
from tests.live.stack import Foreground, is_alive, parent_of
from tests.support.descriptors import LOG, descriptors
from tests.support.processes import processes_with

# Limits are of time in which the processor was to be had, patience.py.
BOUND = 20.0  # seconds for any command, whatever fails; they take tenths of one
RECOVERY = 10.0  # seconds for the stack to be as it was, once nothing fails any more
CLOSED = 2.0  # seconds for descriptors to be closed
SERVICES = ("web", "api", "job")
PATIENCE = 1.5  # seconds from the first failure after which what lasts is over: a command may wait for just that
# Those whose calls are counted in each step, or the suite is blind.
PROCESSES = {step: {0, 2} for step in STEPS} | {
    "up": {0, 1, 2}, "foreground": {0, 1}, "reload": {0, 2, 3}, "crash": {2}, "exec": {0}, "ls": {0}, "prune": {0},
}  # fmt: skip
QUIET = ("status", "ls", "logs")  # steps that change nothing
# Services that a step is not about: whatever fails in it, their processes go on.
LEFT_ALONE = dict.fromkeys(QUIET, SERVICES) | {
    "crash": ("api", "job"), "rolling": ("api", "job"), "scale": ("api", "job"), "kill": ("web", "api"),
}  # fmt: skip


class Trial:
    """A stack in folders and on ports of its own, whose portsup runs under the shim."""

    def __init__(self, folder: Path, shim: Path, server: Path, ports: Sequence[int]) -> None:
        self.ports = ports
        self.board = Board(folder / "board")
        self.live = SmallStack(folder, server, ports)
        self.live.env.update(LD_PRELOAD=str(shim), FAULTS=str(self.board.path), FAULTS_WHERE=str(folder / "where"))
        self.folder = folder
        self.said: list[str] = []
        self._mark = f"={self.live.runtime}"

    def close(self) -> None:
        """Ends what still runs, whatever it is."""
        self.board.disarm()
        for pid in processes_with(self._mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def count(self) -> tuple[Mapping[Call, int], Mapping[Call, Mapping[int, str]]]:
        """How often each call is made, and from where; raises AssertionError where something is wrong by itself."""
        places = self.folder / "places"
        places.touch()
        self.live.env["FAULTS_PLACES"] = str(places)
        for step in STEPS:
            outcome = self.run(Point(step, 0, "none", 1, errno.EIO))
            assert not outcome.wrong, f"{step} without a fault: {outcome.wrong}"
        del self.live.env["FAULTS_PLACES"]
        self.board.step(-1)
        counts = {(STEPS[step], depth, call): count for (step, depth, call), count in self.board.counts().items()}
        for step in STEPS:
            counted = {depth for each, depth, _ in counts if each == step}
            assert counted >= PROCESSES[step], f"`{step}`: calls were counted in the processes {counted} alone"
        return counts, read_places(places)

    def run(self, point: Point) -> Outcome:
        """The life in which this fails."""
        begun = time.monotonic()
        outcome = Outcome(reached=False)
        self.said.clear()
        self._point = point
        try:
            match point.step:
                case "up":
                    self._start(point, outcome)
                case "foreground":
                    self._foreground(point, outcome)
                case "exec":
                    self._exec(point, outcome)
                case "prune":
                    self._prune(point, outcome)
                case _:
                    self._verb(point, outcome)
            if could_not_remove(point):
                self._is_over(may_be_left=True)
                self._clean_life()
            self._is_over(may_be_half=could_not_remove(point))
        except (Wrong, AssertionError, OSError, subprocess.TimeoutExpired, PortsupError) as error:
            outcome.wrong.append(f"{type(error).__name__}: {error}")
            self.board.disarm()
            self._within(GONE).eventually(lambda: bool(self.live.infos()) or not processes_with(self._mark))
        outcome.seconds = time.monotonic() - begun
        outcome.wrong += [f"a traceback: {text}" for text in self.said if is_of_a_mistake(text)]
        outcome.wrong += [f"report {path.read_text()}" for path in self.live.state.glob("reports/*")]
        if outcome.wrong and (where := self.folder / "where").exists():
            outcome.where = where.read_text(errors="replace")
        return outcome

    def _start(self, point: Point, outcome: Outcome) -> None:
        with self._faulty(point, outcome):
            outcome.code = self._command("up", "-d")
        if outcome.code == 0 or self.live.infos():
            self._recovers(point, outcome)
            self.live.down()
        else:
            self._is_over(may_be_left=could_not_remove(point))
            self._clean_life()

    def _clean_life(self) -> None:
        """The next one, in which nothing fails, begins and ends as if nothing had been."""
        self._up()
        if (ports := self.live.active_ports()) != self.live.first_ports():
            raise Wrong(f"the next `up` came up on {ports}")
        self.live.down()

    def _up(self) -> None:
        if (code := self._command("up", "-d")) != 0:
            raise Wrong(f"`up` ended with {code} although nothing fails: {self.said[-1]}")

    def _verb(self, point: Point, outcome: Outcome) -> None:
        self.board.step(-1)
        self._up()
        before, self._web = descriptors(self.live.daemon()), self._pid("web") or 0
        alone = {name: self._pid(name) for name in LEFT_ALONE.get(point.step, ())}
        if point.step == "reload":
            self.live.configure(1)
        elif point.step == "start":
            self.live.do("stop", "web", "api", "job")
        try:
            with self._faulty(point, outcome):
                if point.step == "crash":
                    self._crash()
                else:
                    outcome.code = self._command(*self._words(point.step))
            if point.step == "down":
                self._down_again()
                return
            if (now := {name: self._pid(name) for name in alone}) != alone and self.live.infos():
                raise Wrong(f"others had {alone}, and have {now}: {self._end_of_journal()}")
            self._scale_back(point)
            self._recovers(point, outcome, before)
            self._once_more(point, outcome)
            self.live.down()
        finally:
            if point.step == "reload":
                self.live.configure(0)

    def _once_more(self, point: Point, outcome: Outcome) -> None:
        """What could not be done can be now."""
        if outcome.code and (code := self._command(*self._words(point.step))) != 0:
            raise Wrong(f"`{point.step}` ends with {code} although nothing fails any more: {self.said[-1]}")

    def _scale_back(self, point: Point) -> None:
        """One replica, as the other steps have it."""
        if point.step == "scale" and self.live.infos() and (code := self._command("scale", "web=1")) != 0:
            raise Wrong(f"`scale web=1` ends with {code} although nothing fails any more: {self.said[-1]}")

    def _words(self, step: str) -> tuple[str, ...]:
        match step:
            case "restart" | "stop" | "start":
                return (step, *SERVICES)
            case "rolling":
                return ("restart", "--rolling", "web")
            case "rotate":
                return ("rotate", "web")
            case "scale":
                return ("scale", "web=2")
            case "kill":
                return ("kill", "job")
            case _:
                return (step,)

    def _crash(self) -> None:
        before = self._web
        os.kill(before, signal.SIGKILL)
        self._within(0.5).eventually(lambda: self._pid("web") not in (before, None))

    def _pid(self, service: str) -> int | None:
        pid: int | None = self.live.rows().get(service, {}).get("pid")
        return pid

    def _recovers(self, point: Point, outcome: Outcome, before: "Counter[str] | None" = None) -> None:
        """Once nothing fails any more everything can be had as if nothing had been."""
        if not self.live.infos():
            raise Wrong(f"the instance ended: {self._end_of_journal()}")
        for name, row in self.live.rows().items():
            if row["state"] in ("failed", "stopped", "exited") or name == "web":
                (result,) = self.live.do("restart", name).values()
                if not result["ok"]:
                    raise Wrong(f"`{name}` cannot be restarted: {result}")

        def all_run() -> bool:
            rows = self.live.rows()
            for name, row in rows.items():
                if point.step == "stop" and row["state"] == "stopped":  # went on after its client had been cut off
                    self.live.do("start", name)
            return bool(rows) and all(row["state"] == "running" for row in rows.values())

        if not self._within(RECOVERY).eventually(all_run):
            rows = {name: row for name, row in self.live.rows().items() if row["state"] != "running"}
            raise Wrong(f"not running after {RECOVERY:g} s: {rows}; {self._end_of_journal()}")
        if before is not None and point.step in (*QUIET, "restart", "rolling", "crash", "stop", "start"):
            pid = self.live.daemon()

            def leaks() -> "Counter[str]":
                return Counter({word: n for word, n in (descriptors(pid) - before).items() if not LOG.search(word)})

            if not self._within(CLOSED).eventually(lambda: sum(leaks().values()) <= 0):
                raise Wrong(f"descriptors that were not there before: {leaks()}")

    def _down_again(self) -> None:
        """A `down` that could not be carried out is carried out when it is said again."""
        if not self._within(0.3).eventually(lambda: not self.live.infos()):
            self.live.down()

    def _foreground(self, point: Point, outcome: Outcome) -> None:
        with self._faulty(point, outcome):
            up = Foreground(self.live, (), None)
            try:
                self._within(BOUND / 2).eventually(lambda: "is up" in up.err or up.process.poll() is not None)
                up.send(signal.SIGTERM)
                if not self._within(BOUND).eventually(lambda: up.process.poll() is not None):
                    raise Wrong(f"`up` does not end within {BOUND:g} s: {up.err}")
                outcome.code = checked("up", up.process.returncode, up.err, point)
            finally:
                self.said.append(up.err)
                up.clean_up()

    def _exec(self, point: Point, outcome: Outcome) -> None:
        pool = f"{self.ports[6]}-{self.ports[8]}"
        with self._faulty(point, outcome):
            outcome.code = self._command("exec", "--pool", pool, "--", str(self.live.server), "once")

    def _prune(self, point: Point, outcome: Outcome) -> None:
        self.board.step(-1)
        self._up()
        daemon = self.live.daemon()
        guardian = parent_of(daemon)
        for pid in (guardian, daemon):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not self._within(GONE).eventually(lambda: not is_alive(daemon) and not is_alive(guardian)):
            raise Wrong("what was killed lives on")
        with self._faulty(point, outcome):
            outcome.code = self._command("prune", "--yes")
        if (code := self._command("prune", "--yes")) != 0:
            raise Wrong(f"the next `prune` ended with {code}: {self.said[-1]}")

    @contextlib.contextmanager
    def _faulty(self, point: Point, outcome: Outcome) -> Iterator[None]:
        step = STEPS.index(point.step)
        self.board.forget(step)
        if point.call != "none":
            self.board.arm(step, point.depth, point.call, point.number, point.error, point.affected)
        self.board.step(step)
        is_over = threading.Event()
        relieves = threading.Thread(target=relief, args=(self.board, is_over))
        if point.lasts:
            relieves.start()
        try:
            yield
        finally:
            is_over.set()
            if point.lasts:
                relieves.join()
            outcome.reached = self.board.disarm() > 0
            self.board.step(-1)

    def _command(self, *words: str) -> int:
        process, limit = self.live.popen(*words), self._within(BOUND)
        while True:
            try:
                out, err = process.communicate(timeout=SELDOM)
                break
            except subprocess.TimeoutExpired:
                if limit.is_over():
                    process.kill()
                    out, err = process.communicate()
                    raise Wrong(f"`{' '.join(words)}` takes more than {BOUND:g} s: {err}") from None
        self.said.append(out + err)
        return checked(" ".join(words), process.returncode, err, self._point)

    def _within(self, seconds: float) -> Limit:
        return Limit(self._mark, seconds)

    def _is_over(self, **excuses: bool) -> None:
        wrong = what_is_left(self.live, self.ports, **excuses)
        if wrong:
            raise Wrong("; ".join(wrong))

    def _end_of_journal(self) -> str:
        return "\n".join([*journal(self.live)[-8:], *self.said[-1:]])


def relief(board: Board, is_over: threading.Event) -> None:
    """Ends what lasts a while after it has begun, however long a busy machine takes to get there."""
    while not is_over.wait(SELDOM / 10):
        if board.hits:
            is_over.wait(PATIENCE)
            board.relieve()
            return


@contextlib.contextmanager
def trial(shim: Path, server: Path, ports: Sequence[int]) -> Iterator[Trial]:
    """A trial in a folder of its own, with a short path; nothing of it is left after the block."""
    folder = Path(tempfile.mkdtemp(prefix="pf"))
    it = Trial(folder, shim, server, ports)
    try:
        yield it
    finally:
        it.close()
        it.board.__exit__(None, None, None)
        shutil.rmtree(folder, ignore_errors=True)
