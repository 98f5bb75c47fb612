"""One program under a pool, without a services.yaml and without a daemon: what `portsup exec` does.

The program stays at our terminal and gets our stdin; portsup waits beside it, in the same process group.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from supervisor import system
from supervisor.core.handoff import BindMode
from supervisor.core.port_state import PortState
from supervisor.daemon.handoff.calls import Handoff
from supervisor.daemon.handoff.hearing import Hearing
from supervisor.daemon.processes.inquiries import WITHIN, Inquiries
from supervisor.daemon.single.poller import Alarm, Poller
from supervisor.daemon.single.program import Program
from supervisor.errors import shell_code
from supervisor.ports.leases import ChosenPort, Loss, NoPort, PoolLease
from supervisor.ports.outcomes import holders_in, may_pass, why_of
from supervisor.ports.port_lock import own_identity
from supervisor.ports.record import Owner
from supervisor.ports.runtime import RuntimeDir
from supervisor.ports.service_sockets import ServiceSockets
from supervisor.ports.shield import CHECK_EVERY, HEARTBEAT_EVERY, Shield
from supervisor.process import leftovers, tree
from supervisor.process.filters import Filters
from supervisor.process.remarks import say
from supervisor.process.signals import hold_back, passed_on_by_exec
from supervisor.process.spawn import Command, spawn
from supervisor.process.view import require_place
from supervisor.system.held_calls import HeldCalls
from supervisor.words import endings, starting
from supervisor.words.reasons import text_of

OWNERLESS_WAIT = 1.0  # seconds that a port gets to become free whose owner is gone or exits
OWNERLESS_STEP = 0.05
FATAL_GRACE = 0.4  # seconds that the program gets to end once a lock is lost
GONE_WITHIN = 2.0  # seconds in which what was killed must be gone
HOST = "127.0.0.1"


class SingleRun:
    """One run of one program."""

    def __init__(self, program: Program, run_id: str, say: Callable[[str], None]) -> None:
        self._program = program
        self._run_id = run_id
        self._say = say
        self._loop = Poller()
        require_place(starting.cannot_run(program.name))
        self._runtime = RuntimeDir.open()
        owner = Owner(program.name, 0, program.name, run_id, own_identity())
        self._lease = PoolLease(owner, program.ports, self._runtime, strict=program.strict)
        self._filters = Filters()
        self._sockets: ServiceSockets | None = None
        self._handoff: Handoff | None = None
        self._pid = 0
        self._status: int | None = None  # of the program, once it has ended
        self._lost: Loss | None = None
        self._intruder = ""
        self._shield: Shield | None = None
        self._watched: dict[int, Callable[[int], None]] = {}  # children that are not of the program
        self._inquiries = Inquiries(self._loop, self._watched.__setitem__)
        self._proved: frozenset[system.Listener] = frozenset()  # the listening sockets that are the program's
        self._is_asked = False
        self._last_word: Alarm | None = None  # when the grace of a program that has to end is over

    def run(self) -> int:
        """Runs the program until it ends; its exit code, 128 and the number for a signal.

        Raises PoolExhausted where no port can be had, LockLost when a lock was lost meanwhile.
        """
        system.set_child_subreaper()
        hold_back()
        signals = system.open_signals((*passed_on_by_exec(), system.SIGCHLD))
        self._loop.add_reader(signals.fileno(), lambda: self._on_signals(signals.read()))
        avoid: dict[int, str] = {}
        try:
            while True:
                port = self._choose(avoid)
                self._watch()
                self._start(port)
                while self._status is None:
                    self._loop.turn()
                code = system.exit_code_of(self._status)
                self._clean_up()
                if self._lost is not None:
                    name, lost = self._program.name, self._lost
                    raise endings.lock_of_program_lost(lost.port, lost.why, name, self._runtime.path)
                if not self._intruder:
                    return shell_code(code)
                avoid[port] = self._intruder
                self._say(starting.leaves(port, self._intruder))
                self._intruder, self._status = "", None
        finally:
            self._inquiries.close()
            self._clean_up()
            if self._shield is not None:
                self._shield.close()
            self._lease.release()
            self._filters.close()

    def _choose(self, avoid: Mapping[int, str]) -> int:
        chosen = self._lease.choose(avoid, time.monotonic())
        reaped = [killed for run_id in self._lease.orphans() for killed in leftovers.reap_run(run_id)]
        if reaped:
            self._say(starting.reaped(each.pid for each in reaped))
            chosen = self._lease.choose(avoid, time.monotonic())
        patience = time.monotonic() + OWNERLESS_WAIT
        while time.monotonic() < patience and any(map(may_pass, holders_in(chosen))):
            time.sleep(OWNERLESS_STEP)
            chosen = self._lease.choose(avoid, time.monotonic())
        if isinstance(chosen, NoPort):
            if self._program.wants_all:
                raise endings.not_all_ports(self._program.ports, chosen.reasons)
            raise endings.no_port(self._program.name, self._program.ports, chosen.reasons, endings.OTHER_POOL)
        if self._program.wants_all:
            self._insist()
        self._tell(chosen)
        return chosen.port

    def _insist(self) -> None:
        missing = [
            (each.port, each.holder) for each in self._lease.ports(time.monotonic()) if each.state is PortState.TAKEN
        ]
        if missing:
            raise endings.not_all_ports([port for port, _ in missing], missing)

    def _tell(self, chosen: ChosenPort) -> None:
        if chosen.skipped:
            self._say(starting.uses(chosen.port, [(port, why_of(why)) for port, why in chosen.skipped]))

    def _watch(self) -> None:
        if self._shield is not None:
            return
        self._shield = shield = Shield(self._runtime, [self._lease])
        descriptor = shield.fileno()
        if descriptor is not None:
            self._loop.add_reader(descriptor, lambda: self._on_losses(shield.on_readable()))
        self._loop.call_later(CHECK_EVERY, self._check)
        self._loop.call_later(HEARTBEAT_EVERY, self._beat)

    def _start(self, port: int) -> None:
        program = self._program
        environment = {
            **program.environment, program.port_env: str(port), "HOST": HOST, tree.SERVICE: program.name,
            tree.RUN_ID: self._run_id,
        }  # fmt: skip
        argv = [word.replace("{port}", str(port)).replace("{host}", HOST) for word in program.argv]
        command = Command(argv, environment, os.getcwd(), 1, 2, stdin=0, leads_session=False)
        if program.wants_all:
            environment["PORTS"] = " ".join(map(str, program.ports))
            self._lease.hand_over_all()
            self._pid = spawn(command)
            return
        under = self._filters.get() if program.hands_over else None
        reservation = self._lease.reservation()
        if under is None or reservation is None:
            self._lease.hand_over()
            self._pid = spawn(command)
            return
        self._pid = spawn(command, under.calls)
        self._sockets = ServiceSockets(reservation)
        hearing = Hearing(
            members=self._members, on_end=self._on_end, on_moved=lambda _: None, on_other_port=lambda _: None,
            on_refused=lambda _: None, on_dropped=lambda _: None,
            on_unseen=lambda why: self._say(starting.bind_not_seen(why.lower())),
        )  # fmt: skip
        self._handoff = Handoff(self._loop, HeldCalls(under.take()), self._sockets, BindMode.REPORT, hearing)
        self._handoff.begin()

    def _members(self, ours: int = 0) -> set[int]:
        return tree.members(self._tree(ours or os.getpid()))

    def _tree(self, ours: int) -> tree.Tree:
        return tree.Tree(self._pid, self._run_id, self._program.name, ours)

    def _on_signals(self, came: Sequence[tuple[int, bool]]) -> None:
        for number, is_of_terminal in came:
            if number == system.SIGCHLD:
                self._reap()
            elif not is_of_terminal and self._status is None:  # what the terminal sends, the program gets by itself
                self._signal(number)

    def _signal(self, number: int) -> None:
        try:
            system.send_signal(self._pid, number)
        except PermissionError:
            if system.HAS_JOBS:  # it cannot be asked, without a console
                self._kill()

    def _reap(self) -> bool:
        """Whether there are processes left."""
        while True:
            try:
                ended = system.collect_child()
            except ChildProcessError:
                return False
            if ended is None:
                return True
            pid, status = ended
            if pid == self._pid:
                self._status = status
            if (on_exit := self._watched.pop(pid, None)) is not None:
                on_exit(status)

    def _on_end(self) -> None:
        """The last process of the tree is gone."""
        self._reap()

    def _on_losses(self, losses: Sequence[Loss]) -> None:
        if losses and self._lost is None:
            self._lost = losses[0]
            self._end()

    def _end(self) -> None:
        if self._status is None and self._last_word is None:
            self._signal(signal.SIGTERM)
            self._last_word = self._loop.call_later(FATAL_GRACE, self._kill)

    def _kill(self) -> None:
        if self._pid:
            tree.kill(self._tree(os.getpid()))
            # We have none but of the program, whatever they call themselves.
            for child in system.children_of(os.getpid()):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    system.send_signal(child, system.SIGKILL)

    def _check(self) -> None:
        self._loop.call_later(CHECK_EVERY, self._check)
        if self._shield is None:
            return
        self._on_losses(self._shield.check())
        is_watched = self._handoff is None and not self._program.wants_all
        port, pid = self._lease.active, self._pid
        if not is_watched or self._status is not None or port is None or self._is_asked:
            return
        try:
            listeners = system.listening((port,))
        except OSError:  # no descriptor or memory to look with: the next look may have
            return
        if (found := frozenset(listeners)) in (self._proved, frozenset()):
            return
        self._is_asked = True

        def told(stranger: str | None) -> None:
            self._is_asked = False
            if stranger and self._pid == pid and self._status is None:
                self._intruder = stranger
                self._end()
            elif stranger is not None:
                self._proved = found

        ours = os.getpid()
        self._inquiries.ask(lambda: _stranger(listeners, self._members(ours)), told)

    def _beat(self) -> None:
        self._loop.call_later(HEARTBEAT_EVERY, self._beat)
        if self._shield is not None:
            self._shield.heartbeat()

    def _clean_up(self) -> None:
        """Ends what the program left, and takes its port back."""
        if self._last_word is not None:
            self._last_word.cancel()  # it was not for the next program
            self._last_word = None
        if self._pid:
            deadline = time.monotonic() + GONE_WITHIN
            self._kill()
            while self._reap() and time.monotonic() < deadline:  # as long as one of them has the port, it is taken
                time.sleep(0.001)
                self._kill()
            self._pid = 0
            if self._handoff is not None:
                self._handoff.close()
                self._handoff = None
            if self._sockets is not None:
                self._sockets.close()
                self._sockets = None
            holder = None if self._program.wants_all else self._lease.take_back()
            if holder is not None and self._status and not self._intruder and self._lost is None:
                self._intruder = text_of(holder.why)


def _stranger(listeners: Sequence[system.Listener], members: Collection[int]) -> str:
    """Who listens there and is not of the program; empty if nobody does."""
    owners = system.owners_of(listeners, None, time.monotonic() + WITHIN)
    for found in listeners:
        pid = found.pid or owners.get(found.inode, 0)
        if pid and pid not in members:
            return starting.stranger(system.process_name(pid), pid, system.process_user(pid))
    return ""


def say_on_stderr(words: str) -> None:
    """One line for the person at the terminal."""
    say(f"portsup: {words}")
