"""From a services.yaml to a running daemon: finds and checks everything that must be right before anything starts."""

import asyncio
import contextlib
import os
import time
from pathlib import Path

from supervisor import system
from supervisor.config.names import shown
from supervisor.config.spec import StackSpec
from supervisor.core.instance import max_instances, numbers_for, ports_of
from supervisor.daemon.console.foreground import MAX_UNREAD, Foreground, Pipe, Show, Stream, let_go_of
from supervisor.daemon.daemon import Daemon
from supervisor.daemon.instance import Instance
from supervisor.daemon.options import Options
from supervisor.daemon.reading import read_stack, start_order
from supervisor.daemon.stalls import DaemonLoop, tell_of_long_ones
from supervisor.errors import ExitCode, PoolExhausted
from supervisor.files.directory import make
from supervisor.files.opening import Refused, explained
from supervisor.logs.journal import open_journal
from supervisor.logs.state_dir import check_state, instance_directory, state_directory
from supervisor.ports.folders import Folders
from supervisor.ports.instance_lock import InstanceLock
from supervisor.ports.instances import InstanceInfo, RunInfo
from supervisor.ports.leases import ChosenPort, PoolLease
from supervisor.ports.outcomes import why_of
from supervisor.ports.port_lock import own_identity
from supervisor.ports.record import Owner
from supervisor.ports.runtime import RuntimeDir
from supervisor.process import leftovers, lifeline, low, tree
from supervisor.process.aside import Aside
from supervisor.process.remarks import say
from supervisor.process.view import require_view
from supervisor.words import endings, starting
from supervisor.words.console import left_out, table

_left: list[object] = []  # what the end of the process closes, in a tenth of the time
NOTED_TO = 3600.0  # seconds: so exactly is known when a number was last in use, as to write that waits for the disk


def run_instance(instance: int | None, asked: Aside, show: Show) -> int:
    """The life of one instance in this process; the exit code.  Raises PortsupError for what ended it.

    `asked` answers what `read_stack` gives.
    """
    if system.TIES_PROCESSES:
        with contextlib.suppress(OSError):  # without them programs are only started more slowly
            low.reserve()
    spec, options = asked.answer()
    check_state()
    runtime = RuntimeDir.open()
    run_id = tree.new_run_id()
    folders, folder = Folders(state_directory()), os.path.realpath(spec.directory)
    try:
        lock = take_instance(spec, runtime, instance, run_id, folders)
    finally:
        asked.wait()
    if folders.trouble:
        say(f"warning: {folders.trouble}")
    is_first = not any(os.path.realpath(other.directory) == folder for other in lock.others)
    if is_first:  # a second copy in the same folder has whatever number is free
        _remember(folders, spec.name, folder, lock)
    system.set_child_subreaper()
    for warning in spec.warnings:
        say(f"warning: {warning}")
    if lock.stale_run_id and (killed := leftovers.reap_run(lock.stale_run_id)):
        say(f"warning: {starting.reaped(each.pid for each in killed)}")
    _introduce(spec, lock)
    state_dir = Path(instance_directory(spec.name, lock.number))
    try:
        make(state_dir)
        check_state(os.fspath(state_dir))
    except OSError as error:
        say(f"warning: {starting.no_logs(state_dir, error.strerror)}")
    if show.pulse is not None:
        show.pulse.tell_journal(os.fspath(state_dir / "portsup.log"))
    journal = open_journal(state_dir / "portsup.log", secrets=spec.secrets)
    runner = asyncio.Runner(loop_factory=DaemonLoop)
    try:
        loop = runner.get_loop()  # before there is something to run, should there be none
        this = Instance(spec.name, lock.number, run_id, own_identity(), runtime, state_dir, journal, loop)
        return runner.run(_live(spec, options, this, lock, show))
    finally:
        journal.close()
        lock.release()  # where it did not come to the end of a daemon
        if system.HAS_JOBS:
            runner.close()
        else:
            _left.append(runner)


async def _live(spec: StackSpec, options: Options, instance: Instance, lock: InstanceLock, show: Show) -> int:
    loop = instance.loop
    lifeline.follow(loop)
    tell_of_long_ones(loop, instance.journal)
    out = None if options.is_detached else _stream(1, loop)
    foreground = Foreground(out, _stream(2, loop), show)
    if options.is_detached:
        let_go_of(1)
    try:
        daemon = Daemon(spec, options, instance, lock, foreground)
        await asyncio.sleep(0)  # with hundreds of services that was a turn of its own
        return await daemon.run()
    finally:
        foreground.detach()
        for fd in (1, 2):
            if not system.HAS_JOBS:  # there a thread waits for who is slow
                os.set_blocking(fd, True)


def _stream(fd: int, loop: asyncio.AbstractEventLoop) -> Stream:
    if system.HAS_JOBS:
        writer: Stream = system.open_writer(os.dup(fd), MAX_UNREAD, left_out)
        return writer
    return Pipe(os.dup(fd), loop)


def _remember(folders: Folders, stack: str, folder: str, lock: InstanceLock) -> None:
    """Keeps the number of a folder, and when it was in use: what was unused for longest is given away first."""

    used = time.time()

    def note_the_end() -> None:
        if abs(time.time() - used) > NOTED_TO:
            with contextlib.suppress(OSError):
                folders.keep(stack, folder, lock.number)

    lock.on_release = note_the_end
    for each in folders.of(stack):
        if (each.folder, each.number) == (folder, lock.number):
            used = each.used
            return
    try:
        folders.keep(stack, folder, lock.number)
    except OSError as error:
        path = folders.path if folders.trouble else error.filename or folders.path
        is_in_the_way = isinstance(error, Refused)
        words = starting.number_not_kept(path, folders.trouble, explained(error), error.errno, is_in_the_way)
        say(f"warning: {words}")


def take_instance(
    spec: StackSpec, runtime: RuntimeDir, wanted: int | None, run_id: str, folders: Folders
) -> InstanceLock:
    """The number of this instance: that which its folder had before, if it can be had; raises InstanceTaken."""
    pools = {name: service.pool for name, service in spec.services.items()}
    info = RunInfo(run_id, os.fspath(spec.directory), os.fspath(spec.file), tuple(map(os.fspath, spec.over)))

    def tell(ending: InstanceInfo) -> None:
        say(starting.waiting_for_instance(ending.instance, ending.whose))

    fitting = max_instances(pools, spec.stride)
    numbers = numbers_for(os.path.realpath(spec.directory), folders.of(spec.name), fitting)
    return InstanceLock.take(spec.name, pools, spec.stride, wanted, runtime, info, tell, numbers)


def _introduce(spec: StackSpec, lock: InstanceLock) -> None:
    if spec.over:
        over = (os.path.relpath(path, spec.directory) for path in spec.over)
        say(starting.of_files(shown((spec.file.name, *over))))
    if lock.number == 1:
        return
    shift = (lock.number - 1) * spec.stride
    first = next(iter(lock.others), None)
    say(starting.of_instance(spec.name, lock.number, shift))
    if first is not None:
        say(starting.other_instance(first.instance, first.directory, first.whose))


def dry_run(instance: int | None, options: Options) -> int:
    """Shows what would be started, in that order, and on which ports; starts and keeps nothing."""
    spec, options = read_stack(options)
    require_view(starting.CANNOT_TELL_PORTS)
    runtime = RuntimeDir.open()
    run_id = tree.new_run_id()
    lock = take_instance(spec, runtime, instance, run_id, Folders(state_directory()))
    _introduce(spec, lock)
    rows = [("NAME", "PORT", "POOL", "NOTE")]
    failure: PoolExhausted | None = None
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(lock.release)
        for name in start_order(spec, options):
            service = spec.services[name]
            pool = ports_of(service.pool, lock.number, spec.stride)
            if not pool:
                rows.append((name, "-", "", starting.NO_PORTS))
                continue
            strict = options.strict_ports or spec.strict_ports
            lease = PoolLease(Owner(spec.name, lock.number, name, run_id, own_identity()), pool, runtime, strict=strict)
            cleanup.callback(lease.release)
            words = f"{pool[0]}-{pool[-1]}" if len(pool) > 1 else str(pool[0])
            chosen = lease.choose({}, 0.0)
            if isinstance(chosen, ChosenPort):
                note = "; ".join(starting.skipped((port, why_of(why)) for port, why in chosen.skipped))
                rows.append((name, str(chosen.port), words, note))
            else:
                rows.append((name, "-", words, starting.NONE_USABLE))
                failure = failure or endings.no_port(name, (), chosen.reasons, "")
        print(starting.dry_run(spec.name, lock.number, spec.file))
        print(table(rows))
    if failure is not None:
        raise failure
    return ExitCode.OK
