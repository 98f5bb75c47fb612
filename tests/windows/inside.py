"""Runs under wine: tries what portsup asks of Windows, one thing after the other, and prints what it saw as JSON.

More than 300 lines, as a process of its own is what costs time there.
"""

import faulthandler
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

FACTS: dict[str, Callable[[], Any]] = {}


def fact(look: Callable[[], Any]) -> Callable[[], Any]:
    FACTS[look.__name__] = look
    return look


def until(is_so: Callable[[], Any], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := is_so()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def folder() -> Path:
    return Path(tempfile.mkdtemp())


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def child(code: str, *words: str) -> int:
    from supervisor import system

    null = os.open(os.devnull, os.O_RDWR)
    try:
        argv = ["python", "-c", code, *words]
        return system.start_in_job(sys.executable, argv, dict(os.environ), os.getcwd(), (None, null, null))
    finally:
        os.close(null)


def ended() -> tuple[int, int] | None:
    from supervisor import system

    return until(lambda: system.collect_child())  # type: ignore[no-any-return]


@fact
def has_jobs() -> Any:
    from supervisor import system

    return [system.HAS_JOBS, system.SWAPS_UNDER_COVERS, system.handoff_support()]


@fact
def exit_codes() -> Any:
    from supervisor import system

    found = []
    for code in (0, 7, 255):
        pid = child(f"import sys; sys.exit({code})")
        told = ended()
        assert told is not None
        found.append([told[0] == pid, system.exit_code_of(told[1])])
        system.job_members(pid)
    return found


@fact
def a_tree_ends_at_once() -> Any:
    from supervisor import system

    pid = child(
        "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        "time.sleep(600)"
    )
    both = until(lambda: len(system.job_members(pid)) == 2)
    killed = system.end_job(pid)
    told = ended()
    assert told is not None
    return [bool(both), len(killed), system.exit_code_of(told[1]), bool(until(lambda: not system.job_members(pid)))]


@fact
def a_child_of_a_child_outlives_it_in_the_job() -> Any:
    from supervisor import system

    pid = child("import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])")
    told = ended()
    left = len(system.job_members(pid))
    system.end_job(pid)
    return [told == (pid, 0), left, bool(until(lambda: not system.job_members(pid)))]


@fact
def all_ends_with_us() -> Any:
    import psutil

    code = ("from supervisor import system; import os, sys, time\n"
            "system.guard_ourselves()\nnull = os.open(os.devnull, os.O_RDWR)\n"
            "pid = system.start_in_job(sys.executable, ['python', '-c', 'import time; time.sleep(600)'],"
            " dict(os.environ), os.getcwd(), (None, null, null))\n"
            "print(pid, flush=True); time.sleep(600)")  # fmt: skip
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    was_there = psutil.pid_exists(pid)
    parent.kill()
    return [was_there, bool(until(lambda: not psutil.pid_exists(pid)))]


@fact
def a_signal_to_who_is_gone() -> Any:
    from supervisor import system

    found = []
    for number in (2, 9, 15):
        try:
            system.send_signal(999_999, number)
            found.append("sent")
        except ProcessLookupError:
            found.append("gone")
    return found


@fact
def a_signal_that_means_nothing_here() -> Any:
    from supervisor import system

    pid = child("import time; time.sleep(600)")
    try:
        system.send_signal(pid, 10)
        return "sent"
    except PermissionError:
        return "refused"
    finally:
        system.end_job(pid)
        ended()


@fact
def identity() -> Any:
    from supervisor import system

    me = system.identity_of(os.getpid())
    assert me is not None
    later = type(me)(me.pid, me.start_time - 60)
    return [system.is_alive(me), system.is_alive(later), system.identity_of(999_999) is None]


@fact
def environment_of_a_process() -> Any:
    from supervisor import system

    os.environ["PORTSUP_TRIED"] = "yes"
    pid = child("import time; time.sleep(600)")
    try:
        return until(lambda: system.environ_of(pid).get("PORTSUP_TRIED"))
    finally:
        system.end_job(pid)
        ended()


@fact
def a_lock_keeps_others_out() -> Any:
    from supervisor.ports.instances import is_held
    from supervisor.ports.lockfile import FileLock

    path = str(folder() / "x.lock")
    code = ("import sys, time; from supervisor.ports.lockfile import FileLock\n"
            "lock = FileLock(sys.argv[1]); print(lock.acquire(), flush=True); time.sleep(600)")  # fmt: skip
    holder = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    theirs = holder.stdout.readline().strip() == b"True"
    refused, held = FileLock(path).acquire(), is_held(path)
    holder.kill()
    holder.wait()
    mine = FileLock(path)
    return [theirs, refused, held, bool(until(mine.acquire))]


@fact
def a_lock_is_not_lost() -> Any:
    from supervisor.ports.lockfile import FileLock

    lock = FileLock(str(folder() / "x.lock"))
    found = [lock.acquire(), lock.loss() is None]
    lock.release()
    return found


@fact
def covers_hold_a_port() -> Any:
    from supervisor.ports.reservation import Reservation, reserve

    port = free_port()
    held = reserve(port)
    assert isinstance(held, Reservation)
    found: list[Any] = []
    for address in ("127.0.0.1", "0.0.0.0"):
        for option in (0, socket.SO_REUSEADDR):
            with socket.socket() as thief:
                if option:
                    thief.setsockopt(socket.SOL_SOCKET, option, 1)
                try:
                    thief.bind((address, port))
                    found.append("bound")
                except OSError as error:
                    found.append(error.winerror)
    held.close()
    with socket.socket() as service:
        service.bind(("127.0.0.1", port))
    return found


@fact
def clients_of_a_cover_are_refused() -> Any:
    from supervisor.ports.reservation import Reservation, reserve

    port = free_port()
    held = reserve(port)
    assert isinstance(held, Reservation)
    try:
        socket.create_connection(("127.0.0.1", port), 10).close()
        return "connected"
    except ConnectionRefusedError:
        return "refused"
    finally:
        held.close()


@fact
def who_listens() -> Any:
    from supervisor import system
    from supervisor.system import windows_sockets

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        before = len(system.listening((port,)))
        sock.listen()
        told = [(each.port, each.address) for each in windows_sockets.told((port,), only_listening=True)]
        seen = [(each.port, each.address) for each in system.listening((port,))]
    return [before, told == [(port, "127.0.0.1")], seen == told, system.listening(())]


@fact
def a_pool_of_the_library() -> Any:
    from supervisor import PortPool

    os.environ["PORTSUP_RUNTIME_DIR"] = str(folder())
    first, second = free_port(), free_port()
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", first))
        stranger.listen()
        with PortPool("tried", [first, second]).acquire() as lease:
            return lease.port == second


@fact
def a_log_is_rotated_while_it_is_read() -> Any:
    from supervisor.files.opening import open_file
    from supervisor.logs.opening import open_log
    from supervisor.logs.rotation import rotate

    path = str(folder() / "x.log")
    writer = open_log(path, os.O_RDWR)
    os.write(writer, b"one\n")
    reader = open_file(path, os.O_RDONLY)
    rotate(path, 2)
    fresh = open_log(path, os.O_RDWR)
    os.write(fresh, b"two\n")
    found = [os.read(reader, 10).decode(), Path(path).read_text(), Path(f"{path}.1").read_text()]
    for each in (writer, reader, fresh):
        os.close(each)
    return found


@fact
def appending_goes_on_at_the_end() -> Any:
    from supervisor.files.reading import pread
    from supervisor.logs.opening import open_log

    path = str(folder() / "x.log")
    log = open_log(path, os.O_RDWR)
    os.write(log, b"first\n")
    middle = pread(log, 3, 1).decode()
    os.write(log, b"second\n")
    os.close(log)
    return [middle, Path(path).read_bytes().decode()]


@fact
def a_file_is_replaced_as_a_whole() -> Any:
    from supervisor.files.replacement import write

    path = folder() / "x.json"
    for text in ("one", "two"):
        write(path, text.encode())
    return [path.read_text(), [each.name for each in path.parent.iterdir()]]


@fact
def what_is_opened_is_a_file() -> Any:
    from supervisor.files.opening import Refused, open_file

    found = []
    place = folder()
    for path, flags in ((place, os.O_RDONLY), (place / "none", os.O_RDONLY)):
        try:
            os.close(open_file(path, flags))
            found.append("opened")
        except Refused as error:
            found.append(f"refused: {error.strerror}")
        except FileNotFoundError:
            found.append("missing")
    made = os.open(place / "there", os.O_CREAT | os.O_WRONLY)
    os.close(made)
    try:
        open_file(place / "there", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        found.append("exists")
    return found


@fact
def a_program_is_found() -> Any:
    from supervisor.process.executable import find

    place = folder()
    (place / "tool.bat").write_text("@echo hello\n")
    search = {"PATH": str(Path(sys.executable).parent), "PATHEXT": ".EXE;.BAT"}
    found = [Path(find(name, search, str(place))).name.lower() for name in ("python", "python.exe", r".\tool")]
    try:
        find("no-such-program", search, str(place))
    except Exception as error:
        found.append(type(error).__name__)
    return found


@fact
def where_things_are() -> Any:
    from supervisor.logs.state_dir import state_directory
    from supervisor.ports.runtime import default_path

    os.environ.pop("PORTSUP_RUNTIME_DIR", None)
    local = os.environ["LOCALAPPDATA"]
    return [default_path().replace(local, "L"), state_directory().replace(local, "L")]


@fact
def output_of_a_program() -> Any:
    from supervisor import system
    from supervisor.system.pipes import close_pipe, open_pipe, read_pipe, read_rest

    ours, theirs = open_pipe()
    null = os.open(os.devnull, os.O_RDWR)
    argv = ["python", "-c", "import os; os.write(1, b'x' * 300000)"]
    pid = system.start_in_job(sys.executable, argv, dict(os.environ), os.getcwd(), (None, theirs, null))
    os.close(theirs)
    os.close(null)
    try:
        read_pipe(ours, 10)
        early = "came"
    except BlockingIOError:
        early = "waits"
    size = 0
    while data := read_rest(ours, 1 << 16) if select.select([ours], [], [], 60)[0] else b"":
        size += len(data)
    close_pipe(ours)
    ended()
    system.job_members(pid)
    return [early in ("waits", "came"), size]


@fact
def a_slow_terminal() -> Any:
    from supervisor import system

    source, sink = os.pipe()
    writer = system.open_writer(sink, 1000, lambda lines: b"%d left out\n" % lines)
    for _ in range(200):
        writer.write(b"y" * 999 + b"\n")
    begun = time.monotonic()
    writer.write(b"z\n")
    took = time.monotonic() - begun
    return [took < 30, writer._left_out > 0, os.read(source, 10) == b"y" * 10]


@fact
def an_answer_of_a_thread() -> Any:
    from supervisor import system
    from supervisor.system.pipes import close_pipe, read_pipe

    pid, source = system.answer_of(lambda: {"a": [1, 2]})
    select.select([source], [], [], 60)
    said = read_pipe(source, 100)
    close_pipe(source)
    return [pid, json.loads(said)]


@fact
def a_control_pipe() -> Any:
    from supervisor import system
    from supervisor.system.windows_control import control_address

    path = folder() / "demo-1.sock"
    listening = system.listen_for_control(path, 8)
    client = system.connect_control(str(path), 30.0)
    select.select([listening.fileno()], [], [], 60)
    server, _ = listening.accept()
    client.sendall(b"hello\n")
    heard = server.recv(100).decode()
    server.sendall(b"x" * 200_000 + b"\n")
    data = b""
    client.settimeout(60.0)
    while not data.endswith(b"\n"):
        data += client.recv(1 << 16)
    client.settimeout(0.05)
    try:
        client.recv(10)
        silence = "came"
    except TimeoutError:
        silence = "timeout"
    server.close()
    client.settimeout(60.0)
    end = client.recv(10).decode()
    client.close()
    listening.close()
    address = control_address(str(path))
    is_named = address.startswith("\\\\.\\pipe\\portsup-") and address.endswith("-demo-1.sock")
    return [heard, len(data), silence, end, is_named]


@fact
def nobody_listens_on_a_control_pipe() -> Any:
    from supervisor import system

    try:
        system.connect_control(str(folder() / "none-1.sock"), 5.0)
        return "connected"
    except FileNotFoundError:
        return "nobody"


@fact
def the_access_list_names_one_user() -> Any:
    from supervisor.system.windows_control import access_list, our_sid

    words = access_list()
    return [words == f"D:P(A;;GA;;;{our_sid()})", our_sid().startswith("S-1-5-"), words.count("(")]


@fact
def a_signal_wakes_the_loop() -> Any:
    import asyncio
    import signal

    from supervisor.daemon.stalls import DaemonLoop

    async def main() -> str:
        loop = asyncio.get_running_loop()
        came: asyncio.Future[str] = loop.create_future()
        loop.add_signal_handler(signal.SIGTERM, lambda: came.set_result("came"))
        loop.call_later(0.1, signal.raise_signal, signal.SIGTERM)
        return await asyncio.wait_for(came, 60)

    with asyncio.Runner(loop_factory=DaemonLoop) as runner:
        return runner.run(main())


@fact
def a_limit_or_a_user_is_refused() -> Any:
    from supervisor.process.account import account
    from supervisor.process.limits import limits

    found: list[Any] = [limits({}) == [], account("", "") is None]
    for act in (lambda: limits({"nofile": 10}), lambda: account("nobody", "")):
        try:
            act()
        except Exception as error:
            found.append(type(error).__name__)
    return found


def main() -> None:
    told: dict[str, Any] = {}
    for name, look in FACTS.items():
        print(name, file=sys.stderr, flush=True)
        faulthandler.dump_traceback_later(90, exit=True)
        try:
            told[name] = look()
        except BaseException:
            told[name] = traceback.format_exc()
    print(json.dumps(told), flush=True)
    os._exit(0)  # threads that wait are of no interest


main()
